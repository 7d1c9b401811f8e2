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

#include "engine_cert.h"
#include "engine_identity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "doctor.h"
#include "engine_audit.h"
#include "engine_ca.h"
#include "engine_cluster.h"
#include "engine_follow.h"
#include "engine_history.h"
#include "engine_live.h"
#include "engine_self.h"
#include "engine_settings.h"
#include "engine_sync.h"
#include "engine_token.h"
#include "log.h"
#include "xmalloc.h"

/*
 * The engine process: promises "stdio rpath wpath cpath fsync", all for
 * Berkeley DB in its own root directory.  It opens no socket and holds no
 * key; every message that reaches it was checked by the process that talks to
 * the world, and is checked again here.
 */
#define ENGINE_TICK_MSEC	1000
#define ENGINE_SWEEP_SEC	3600
#define ENGINE_TICK_COMMITS	4

static void	 on_commit(bool);
static void	 on_tick(int, short, void *);
static void	 on_checkpoint(int, short, void *);
static void	 key_answer(struct peer *, struct imsg *);

static struct engine	 engine_state;
struct engine		*eng = &engine_state;

static struct event	*tick_timer;
static struct event	*checkpoint_timer;
static time_t		 swept;

static const struct confpart_child	conf_child = {
	.cc_part = &engine_confpart,
	.cc_live = &engine_state.conf,
	.cc_staged = &engine_state.staged,
	.cc_commit = on_commit,
};

const struct proc_handler	engine_handlers[] = {
	CONFPART_HANDLERS,
	{ IMSG_STATUS_PROC,	client_status_proc },
	{ IMSG_STATUS_END,	client_status_end },
	{ IMSG_KEY_INFO,	engine_key_info },
	{ IMSG_KEY_ISSUED,	key_answer },
	{ IMSG_KEY_MACED,	key_answer },
	{ IMSG_KEY_MACCHECKED,	key_answer },
	{ IMSG_KEY_COMMAND_SIGNED, key_answer },
	{ IMSG_SERVER_RENEWED,	identity_renewed },
	{ IMSG_CA_STEPPED,	ca_stepped },
	{ IMSG_CLUSTER_IDENTITY_OK, engine_cluster_identity_ok },
	{ IMSG_CLUSTER_STATS,	engine_cluster_stats },
	{ IMSG_CLUSTER_DIED,	cluster_died },
	{ IMSG_ENROLL_ASK,	enroll_ask },
	{ IMSG_ENROLL_BROKEN,	enroll_broken },
	{ IMSG_AGENT_OPEN,	session_open },
	{ IMSG_AGENT_RENEW,	cert_renew_ask },
	{ IMSG_AGENT_CONTAINER,	session_container },
	{ IMSG_AGENT_LIST_END,	session_list_end },
	{ IMSG_AGENT_MESSAGE,	session_message },
	{ IMSG_AGENT_CLOSED,	session_closed },
	{ IMSG_AGENT_SENT,	session_sent },
	{ IMSG_AGENT_RTT,	session_rtt },
	{ IMSG_AGENT_FOLLOW,	follow_agent },
	{ IMSG_DOCKER_CONTAINER, local_container },
	{ IMSG_DOCKER_LIST_END,	local_list_end },
	{ IMSG_DOCKER_PROGRESS,	local_progress },
	{ IMSG_DOCKER_RESULT,	local_result },
	{ IMSG_DOCKER_STATE,	local_state },
	{ IMSG_DOCKER_RECOVERED, local_recovered },
	{ IMSG_DOCKER_DELTA,	local_delta },
	{ IMSG_DOCKER_STALE,	local_stale },
	{ IMSG_DOCKER_FOLLOWED,	follow_docker },
	{ IMSG_RELOAD_DONE,	client_reloaded },
	{ IMSG_DOCTOR_FACT,	doctor_fact },
	{ IMSG_DOCTOR_END,	doctor_fact_end },
	{ IMSG_CONTROL_REQUEST,	client_request },
	{ IMSG_CONTROL_GONE,	client_gone },
	{ IMSG_CONTROL_TAKEN,	follow_taken },
	{ 0, NULL }
};

void
engine_warmup(void)
{
	tzset();	/* reads /etc/localtime, unreachable after chroot */
	x509_warmup();
}

void
engine_start(void)
{
	eng->started = time(NULL);
	RB_INIT(&eng->hosts);
	RB_INIT(&eng->sessions);
	RB_INIT(&eng->ops);
	eng->keys = reqtab_new(proc_base(), ENGINE_KEY_MAX);
	/* The root directory is the database's home. */
	if ((eng->store = store_open(DB_SCHEMA, db_migrate)) == NULL)
		fatalx("database: cannot be opened, see above");
	if (host_load_all() == -1)
		fatalx("database: hosts cannot be read");
	audit_start();
	if (settings_load() == -1 || policies_load() == -1)
		fatalx("database: settings cannot be read");
	ca_start();
	confpart_child_init(&conf_child);
}

static void
on_commit(bool first)
{
	struct timeval	 tick = monotime_timeval(ENGINE_TICK_MSEC);
	struct timeval	 tv = monotime_timeval(eng->conf.ec_checkpoint_msec);

	if (first) {
		tick_timer = event_new(proc_base(), -1, EV_PERSIST, on_tick,
		    NULL);
		checkpoint_timer = event_new(proc_base(), -1, EV_PERSIST,
		    on_checkpoint, NULL);
		if (tick_timer == NULL || checkpoint_timer == NULL)
			fatal("engine: timers");
		event_add(tick_timer, &tick);
		local_init();
	}
	settings_commit();
	eng->ready = true;
	identity_start();
	event_add(checkpoint_timer, &tv);
	self_serving();
	if (first)
		local_listen();
}

static void
on_tick(int fd, short what, void *arg)
{
	time_t	 now = time(NULL);

	(void)fd;
	(void)what;
	(void)arg;
	identity_tick(now);
	cert_tick(now);
	ca_tick();
	session_check_silence();
	sync_tick();
	(void)host_flush(ENGINE_TICK_COMMITS);
	token_tick(now);
	if (now - swept >= ENGINE_SWEEP_SEC || now < swept) {
		swept = now;
		token_sweep(now);
		host_sweep(now);
		audit_sweep(now);
	}
	history_sweep(now);
}

static void
on_checkpoint(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (store_checkpoint(eng->store) == -1)
		log_warn("database: checkpoint");
}

/* Orderly end: what is only in memory goes to the database. */
void
engine_stop(void)
{
	struct host	*h;

	RB_FOREACH(h, host_tree, &eng->hosts) {
		if (h->h_local)
			continue;
		if (h->h_session == NULL)
			continue;
		h->h_disconnect_at = time(NULL);
		engine_setstr(&h->h_disconnect_err, "server stopped");
		engine_setstr(&h->h_disconnect_cat, "server");
		h->h_dirty = true;
	}
	history_flush();
	(void)host_flush(0);
	audit_stop();
	store_close(eng->store);
	proc_exit(0);
}

/* Two restart alone; the death of another one is ours too. */
void
engine_peer_lost(struct peer *p)
{
	switch (p->pe_role) {
	case ROLE_CLUSTER:
		cluster_lost(p);
		break;
	case ROLE_DOCKER:
		local_lost();
		break;
	default:
		fatalx("lost the channel to process %d", p->pe_role);
	}
}

void
engine_peer_up(struct peer *p)
{
	/* docker says DOCKER_STATE when it is ready. */
	if (p->pe_role == ROLE_CLUSTER)
		cluster_up(p);
	else if (p->pe_role == ROLE_DOCKER)
		local_up(p);
}

int
engine_ask_key(uint32_t type, struct ibuf *buf, req_cb cb, void *arg)
{
	struct peer	*p = proc_peer(ROLE_KEYHOLDER);
	uint32_t	 id;

	if (p == NULL || (id = reqtab_add(eng->keys, p->pe_channel,
	    ENGINE_KEY_MSEC, cb, arg)) == 0) {
		ibuf_free(buf);
		return (-1);
	}
	peer_send_ibuf(p, type, id, -1, buf);
	ibuf_free(buf);
	return (0);
}

static void
key_answer(struct peer *p, struct imsg *imsg)
{
	if (reqtab_answer(eng->keys, p->pe_channel, imsg_get_id(imsg),
	    imsg) == -1)
		log_debug("keyholder: late answer %u", imsg_get_id(imsg));
}

void
engine_setstr(char **dst, const char *src)
{
	char	*copy;

	if (src == NULL)
		src = "";
	if (*dst != NULL && strcmp(*dst, src) == 0)
		return;
	copy = xstrdup(src);
	free(*dst);
	*dst = copy;
}
