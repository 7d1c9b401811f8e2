/*
 * Copyright (c) 2026 The Sentinel developers
 *
 * Permission to use, copy, modify, and distribute this software for any
 * purpose with or without fee is hereby granted, provided that the above
 * copyright notice and this permission notice appear in all copies.
 *
 * THE SOFTWARE IS PROVIDED "AS IS" AND THE AUTHOR DISCLAIMS ALL WARRANTIES
 * WITH REGARD TO THIS SOFTWARE INCLUDING ALL IMPLIED WARRANTIES OF
 * MERCHANTABILITY AND FITNESS. IN NO EVENT SHALL THE AUTHOR BE LIABLE FOR
 * ANY SPECIAL, DIRECT, INDIRECT, OR CONSEQUENTIAL DAMAGES OR ANY DAMAGES
 * WHATSOEVER RESULTING FROM LOSS OF USE, DATA OR PROFITS, WHETHER IN AN
 * ACTION OF CONTRACT, NEGLIGENCE OR OTHER TORTIOUS ACTION, ARISING OUT OF
 * OR IN CONNECTION WITH THE USE OR PERFORMANCE OF THIS SOFTWARE.
 */

#include "compat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <event2/event.h>

#include "confpart.h"
#include "docker_kin.h"
#include "docker_live.h"
#include "docker_pull.h"
#include "docker_process_int.h"
#include "dockerspace.h"
#include "ipccheck.h"
#include "log.h"

/*
 * Start: the configuration and the journal come from the parent in either
 * order; when both are there the journal is dealt with (that needs Docker),
 * then the engine hears DOCKER_RECOVERED and updates are taken.  Everything
 * else works from the beginning.
 */
#define DP_ASKS_MAX	64	/* sockets asked for and not answered */
#define DP_ASK_MSEC	5000
#define DP_WATCH_UP_MSEC	30000	/* between two looks at Docker */
#define DP_WATCH_DOWN_MSEC	3000

static struct docker_process	 dp_self;
struct docker_process		*dp = &dp_self;

static void	 dp_sock(struct peer *, struct imsg *);
static void	 dp_journal(struct peer *, struct imsg *);
static void	 dp_op(struct peer *, struct imsg *);
static void	 dp_conf_commit(bool);
static int	 dp_conf_check(const void *, char *, size_t);
static void	 dp_watch(int, short, void *);
static void	 dp_hand_over(int, short, void *);

const struct proc_handler docker_process_handlers[] = {
	CONFPART_HANDLERS,
	{ IMSG_DOCKER_SOCK,	 dp_sock },
	{ IMSG_DOCKER_SOCK_FAIL, dp_sock },
	{ IMSG_DOCKER_SPACE,	 dockerspace_answer },
	{ IMSG_DOCKER_JOURNAL,	 dp_journal },
	{ IMSG_DOCKER_OP,	 dp_op },
	{ IMSG_DOCKER_FOLLOW,	 dp_follow },
	{ IMSG_DOCKER_TAKEN,	 dp_follow_taken },
	{ IMSG_DOCKER_UNFOLLOW,	 dp_follow_stop },
	{ 0,			 NULL }
};

static const struct confpart_child dp_conf_child = {
	.cc_part = &docker_confpart,
	.cc_live = &dp_self.dp_conf,
	.cc_staged = &dp_self.dp_staged,
	.cc_check = dp_conf_check,
	.cc_commit = dp_conf_commit
};

void
docker_process_warmup(void)
{
	struct tm	 tm;
	time_t		 now = time(NULL);

	/* glibc opens /etc/localtime at the first use. */
	tzset();
	(void)localtime_r(&now, &tm);
}

struct peer *
dp_engine(void)
{
	struct peer	*p = proc_peer(ROLE_A_ENGINE);

	return (p != NULL ? p : proc_peer(ROLE_ENGINE));
}

static struct peer *
dp_parent(void)
{
	struct peer	*p = proc_peer(ROLE_A_PARENT);

	return (p != NULL ? p : proc_peer(ROLE_PARENT));
}

/* --- sockets from the parent ------------------------------------------- */

static void
dp_sock_answered(void *arg, enum req_end end, struct imsg *m)
{
	struct ibuf	*buf;
	uint32_t	 error;
	char		 why[600] = "no connection to Docker";
	int		 fd;

	(void)arg;
	if (end == REQ_ANSWER && imsg_get_type(m) == IMSG_DOCKER_SOCK) {
		if ((fd = imsg_get_fd(m)) != -1)
			docker_give_fd(dp->dp_docker, fd);
		else
			docker_no_fd(dp->dp_docker, "Docker's socket was lost "
			    "on its way");
		return;
	}
	if (end == REQ_ANSWER) {
		buf = imsg_get_ibuf(m);
		if (ibuf_get_n32(buf, &error) == -1 ||
		    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
		    ibuf_end(buf) == -1)
			fatalx("docker: bad message from the parent");
	}
	docker_no_fd(dp->dp_docker, why);
}

/* DOCKER_SOCK and DOCKER_SOCK_FAIL.  Late ones are dropped, fd and all. */
static void
dp_sock(struct peer *p, struct imsg *m)
{
	if (reqtab_answer(dp->dp_asks, p->pe_channel, imsg_get_id(m), m) == -1)
		log_debug("docker: late answer for a socket");
}

static void
dp_need_fd(void *arg)
{
	struct peer	*p = dp_parent();
	uint32_t	 id;

	(void)arg;
	if (p == NULL || (id = reqtab_add(dp->dp_asks, p->pe_channel,
	    DP_ASK_MSEC, dp_sock_answered, NULL)) == 0) {
		docker_no_fd(dp->dp_docker, "no connection to Docker");
		return;
	}
	peer_send(p, IMSG_DOCKER_SOCK_ASK, id, -1, NULL, 0);
}

/* --- the journal and the start ----------------------------------------- */

/* Strings point into the configuration, which does not move. */
static void
dp_self_describe(void)
{
	struct update_self	*us = &dp->dp_who;

	us->us_what = dp_parent() == proc_peer(ROLE_PARENT) ? "server" :
	    "agent";
	strlcpy(us->us_id.sf_id, dp->dp_conf.dc_self_id,
	    sizeof(us->us_id.sf_id));
	strlcpy(us->us_id.sf_upper, dp->dp_conf.dc_self_upper,
	    sizeof(us->us_id.sf_upper));
	us->us_data = dp->dp_conf.dc_data;
	us->us_state = dp->dp_conf.dc_state;
	us->us_socket = dp->dp_conf.dc_socket;
	us->us_schema = dp->dp_conf.dc_schema;
	us->us_proof_msec = (unsigned int)dp->dp_conf.dc_self_msec;
}

/*
 * The helper takes the journal: closing it frees the lock that came with it.
 * The operation stays open, and whoever has the journal next reports it.
 */
static void
dp_hand_over(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	updater_stop(dp->dp_updater);
	updater_free(dp->dp_updater);
	dp->dp_updater = NULL;
	if (dp_parent() != NULL)
		peer_send(dp_parent(), IMSG_DOCKER_JOURNAL_ASK, 0, -1, NULL,
		    0);
}

void
dp_update_handover(void *arg)
{
	struct timeval	 now = { 0, 0 };

	(void)arg;
	evtimer_add(dp->dp_hand, &now);
}

static void
dp_begin(void)
{
	struct update_config	 conf = UPDATE_CONFIG_DEFAULT;

	conf.uc_gate_running_msec = (unsigned int)dp->dp_conf.dc_gate_msec;
	conf.uc_pull_idle_msec = (unsigned int)dp->dp_conf.dc_pull_idle_msec;
	if (dp->dp_updater != NULL) {
		updater_config(dp->dp_updater, &conf);
		return;
	}
	if (dp->dp_journal == NULL || !dp->dp_configured)
		return;
	dp_self_describe();
	if ((dp->dp_updater = updater_new(proc_base(), dp->dp_docker,
	    dp->dp_journal, &conf, &dp_update_ops, NULL)) == NULL)
		fatal("docker: updater");
	dp->dp_journal = NULL;	/* moved */
	updater_self(dp->dp_updater, &dp->dp_who);
	updater_kin(dp->dp_updater, dp->dp_kin);
	updater_recover(dp->dp_updater);
}

static void
dp_journal(struct peer *p, struct imsg *m)
{
	int	 fd = imsg_get_fd(m);

	(void)p;
	if (fd == -1 || dp->dp_journal != NULL || dp->dp_updater != NULL)
		fatalx("docker: unexpected update journal");
	if ((dp->dp_journal = journal_open(fd)) == NULL)
		fatal("docker: update journal");
	dp_begin();
}

static int
dp_conf_check(const void *staged, char *why, size_t len)
{
	const struct docker_conf	*dc = staged;

	if (dc->dc_gate_msec == 0 || dc->dc_gate_msec > 3600 * 1000 ||
	    dc->dc_pull_idle_msec == 0 ||
	    dc->dc_pull_idle_msec > 3600 * 1000 ||
	    dc->dc_self_msec > 3600 * 1000) {
		strlcpy(why, "a time of docker is out of range", len);
		return (-1);
	}
	return (0);
}

static void
dp_conf_commit(bool first)
{
	struct timeval	 now = { 0, 0 };

	dp->dp_configured = true;
	dp_begin();
	if (first) {
		evtimer_add(dp->dp_watch, &now);
		dp_live_start();
	}
}

void
docker_process_start(void)
{
	TAILQ_INIT(&dp->dp_ops);
	TAILQ_INIT(&dp->dp_lists);
	if ((dp->dp_asks = reqtab_new(proc_base(),
	    DP_ASKS_MAX)) == NULL ||
	    (dp->dp_docker = docker_new(proc_base(), dp_need_fd,
	    NULL)) == NULL ||
	    (dp->dp_kin = kin_new(proc_base(), dp->dp_docker)) == NULL ||
	    (dp->dp_hand = evtimer_new(proc_base(), dp_hand_over,
	    NULL)) == NULL ||
	    (dp->dp_watch = evtimer_new(proc_base(), dp_watch, NULL)) == NULL)
		fatal("docker: start");
	docker_pull_set_guard(dp->dp_docker, dockerspace_guard, NULL);
	confpart_child_init(&dp_conf_child);
}

void
docker_process_stop(void)
{
	if (dp->dp_updater != NULL)
		updater_stop(dp->dp_updater);
	proc_exit(0);
}

/* --- is Docker there? -------------------------------------------------- */

static void
dp_tell_state(bool available, const char *error, const struct json_value *info)
{
	Sentinel__Ipc__DockerState	 st;
	struct pbmem			 pm;
	char				 api[16] = "";

	bool				 live = available && dp_live_is_up();
	bool				 news = !dp->dp_told ||
					    dp->dp_available != available ||
					    (!available &&
					    strcmp(dp->dp_error, error) != 0);

	if (dp_engine() == NULL || (!news && dp->dp_live == live))
		return;
	dp->dp_told = true;
	dp->dp_available = available;
	dp->dp_live = live;
	strlcpy(dp->dp_error, error, sizeof(dp->dp_error));
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	sentinel__ipc__docker_state__init(&st);
	st.available = available;
	st.error = dp_text(&pm, error, DP_TEXT_MAXBYTES);
	/* podman makes up another one for every answer. */
	st.engine_id = dp_word(&pm, docker_is_podman(dp->dp_docker) ? "" :
	    json_get_str(info, "ID"), 128);
	st.engine_version = dp_text(&pm, json_get_str(info, "ServerVersion"),
	    128);
	st.engine_name = dp_text(&pm, json_get_str(info, "Name"), 255);
	if (docker_api(dp->dp_docker) != 0)
		snprintf(api, sizeof(api), "1.%u", docker_api(dp->dp_docker));
	st.api_version = api;
	st.live = live;
	peer_send_pb(dp_engine(), IMSG_DOCKER_STATE, 0, &st.base);
	pbmem_free(&pm);
	if (!news)
		return;
	if (available)
		log_info("docker: engine %s, version %s, API %s",
		    json_get_str(info, "Name"),
		    json_get_str(info, "ServerVersion"), api);
	else
		log_warnx("docker: %s", error);
}

static void
dp_informed(void *arg, const struct docker_reply *dr)
{
	struct timeval	 tv;
	struct json	*js = NULL;
	const char	*error = dr->dr_error;

	(void)arg;
	if (dr->dr_end == DOCKER_OK && (js = json_parse(dr->dr_body,
	    dr->dr_len, NULL, 0)) == NULL)
		error = "Docker's answer is not valid JSON";
	dp_tell_state(js != NULL, js != NULL ? "" : error, json_root(js));
	tv = monotime_timeval(js != NULL ? DP_WATCH_UP_MSEC :
	    DP_WATCH_DOWN_MSEC);
	json_free(js);
	evtimer_add(dp->dp_watch, &tv);
}

static void
dp_watch(int fd, short what, void *arg)
{
	struct timeval	 tv = monotime_timeval(DP_WATCH_DOWN_MSEC);

	(void)fd;
	(void)what;
	(void)arg;
	if (docker_info(dp->dp_docker, dp_informed, NULL) == NULL)
		evtimer_add(dp->dp_watch, &tv);
}

/* --- operations -------------------------------------------------------- */

static void
dp_op(struct peer *p, struct imsg *m)
{
	Sentinel__Ipc__DockerOp	*op;
	struct pbmem		 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	op = ipc_unpack(m, &sentinel__ipc__docker_op__descriptor, &pm);
	if (op == NULL)
		peer_broken(p, m, pm.pm_why);
	else
		dp_dispatch(op);
	pbmem_free(&pm);
}
