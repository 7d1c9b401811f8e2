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

#include "engine_journal.h"

#include <stdlib.h>
#include <string.h>

#include "engine_allow.h"
#include "engine_follow.h"
#include "engine_hook.h"
#include "engine_policy.h"
#include "engine_result.h"
#include "ipccheck.h"
#include "log.h"
#include "pbcheck.h"
#include "xmalloc.h"

/*
 * Commands under way in the docker process, and what it says.  Each is
 * answered exactly once: by its result, by the death of the docker process,
 * or by its deadline.  An update that was running when the process died is
 * told by the journal's reader (DOCKER_RECOVERED says that it is done).
 */
#define SWEEP_MSEC		1000

#define KIND(x)	SENTINEL__IPC__DOCKER_OP__KIND__##x

TAILQ_HEAD(command_list, command);

static struct command *find(const char *, Sentinel__Ipc__DockerOp__Kind);
static void	 forget(struct command *);
static void	 on_sweep(int, short, void *);
static void	 fail(const struct command *, const char *, bool);
static void	 ended(struct command *, const char *);

static struct command_list	commands = TAILQ_HEAD_INITIALIZER(commands);
static size_t			ncommands;
static struct event		*sweep_timer;

void
docker_init(void)
{
	struct timeval	 tv = monotime_timeval(SWEEP_MSEC);

	(void)strlcpy(eng->docker_error, eng->conf.ac_docker ?
	    "Docker was not asked yet" :
	    "no Docker Engine is configured (agent.docker: none)",
	    sizeof(eng->docker_error));
	sweep_timer = event_new(proc_base(), -1, EV_PERSIST, on_sweep, NULL);
	if (sweep_timer == NULL || event_add(sweep_timer, &tv) == -1)
		fatal("docker_init");
}

/*
 * It may have its configuration before we have ours, and tell what its journal
 * holds: there is no journal of ours yet to keep that in.
 */
void
docker_up(struct peer *p)
{
	if (!eng->ready)
		peer_hold(p);
}

void
docker_listen(void)
{
	struct peer	*p = proc_peer(ROLE_A_DOCKER);

	if (p != NULL)
		peer_listen(p);
}

static struct command *
find(const char *id, Sentinel__Ipc__DockerOp__Kind kind)
{
	struct command	*c;

	TAILQ_FOREACH(c, &commands, cm_entry) {
		if (c->cm_kind == kind && strcmp(c->cm_id, id) == 0)
			return (c);
	}
	return (NULL);
}

bool
docker_is_running(const char *id)
{
	struct command	*c;

	TAILQ_FOREACH(c, &commands, cm_entry) {
		if (strcmp(c->cm_id, id) == 0)
			return (true);
	}
	return (false);
}

bool
docker_is_idle(void)
{
	return (ncommands == 0);
}

static void
forget(struct command *c)
{
	TAILQ_REMOVE(&commands, c, cm_entry);
	ncommands--;
	free(c);
}

void
docker_run(const struct command *want)
{
	Sentinel__Ipc__DockerOp	 m;
	struct hook_list	 hooks;
	struct command		*c;
	struct peer		*p = proc_peer(ROLE_A_DOCKER);
	char			*bad[COMMAND_BAD_MAX];

	if (p == NULL || !eng->docker_up) {
		docker_refuse(want, eng->docker_error);
		return;
	}
	if (ncommands >= ENGINE_COMMANDS_MAX || !peer_has_credit(p)) {
		docker_refuse(want, "too many commands are under way on this "
		    "host; try again");
		return;
	}
	c = xmemdup(want, sizeof(*want));
	c->cm_deadline = monotime_now() + (c->cm_kind == KIND(LOGS) ||
	    c->cm_kind == KIND(PLAN) || c->cm_kind == KIND(DETAIL) ?
	    ENGINE_READ_MSEC :
	    c->cm_kind == KIND(ACTION) ? ENGINE_ACTION_MSEC :
	    c->cm_kind == KIND(HOOK) ? ENGINE_HOOK_MSEC : ENGINE_UPDATE_MSEC);
	TAILQ_INSERT_TAIL(&commands, c, cm_entry);
	ncommands++;
	sentinel__ipc__docker_op__init(&m);
	m.kind = c->cm_kind;
	m.request_id = c->cm_id;
	m.container = c->cm_container;
	m.action = c->cm_action;
	m.image = c->cm_image;
	m.digest = c->cm_digest;
	if (want->cm_auth != NULL)
		m.registry_auth = engine_lend(want->cm_auth);
	c->cm_auth = NULL;	/* of the message: not ours to keep */
	m.lines = c->cm_lines;
	m.since = c->cm_since;
	m.until = c->cm_until;
	m.streams = c->cm_streams;
	m.timestamps = c->cm_timestamps;
	m.ordered = policy_cache_now()->pc_dependency_aware;
	for (; m.n_quarantined < c->cm_nbad; m.n_quarantined++)
		bad[m.n_quarantined] = c->cm_bad[m.n_quarantined];
	m.quarantined = bad;
	m.to = c->cm_to;
	m.cleanup = policy_cache_now()->pc_image_cleanup;
	if ((c->cm_kind == KIND(UPDATE) || c->cm_kind == KIND(PLAN) ||
	    c->cm_kind == KIND(ROLLBACK)) &&
	    c->cm_image[0] == '\0' && allow_has_images(&eng->conf))
		m.image_rule = eng->conf.ac_allow_images;
	hook_to_op(c, &hooks, &m);
	peer_send_pb(p, IMSG_DOCKER_OP, 0, &m.base);
}

void
docker_refuse(const struct command *c, const char *why)
{
	engine_tell_refusal(c->cm_id, why);
	fail(c, why, false);
}

/* One that was under way; it is forgotten. */
static void
ended(struct command *c, const char *why)
{
	log_warnx("request %s: %s: %s", c->cm_id, c->cm_container, why);
	fail(c, why, true);
	forget(c);
}

/* A failure in the form of the command's own result. */
static void
fail(const struct command *c, const char *why, bool began)
{
	Sentinel__Ipc__DockerResult	 m;
	static char			 failed[] = "failed";

	sentinel__ipc__docker_result__init(&m);
	m.kind = c->cm_kind;
	m.request_id = engine_lend(c->cm_id);
	m.container = engine_lend(c->cm_container);
	m.action = engine_lend(c->cm_action);
	m.new_image = engine_lend(c->cm_image);
	if (c->cm_kind == KIND(HOOK)) {
		m.phase = engine_lend(c->cm_hooks[0].ch_phase);
		m.exit_code = -1;
	}
	m.lines = c->cm_lines;
	m.outcome = failed;
	m.error = engine_lend(why);
	result_report(&m, began);
}

static void
on_sweep(int fd, short what, void *arg)
{
	struct command	*c, *next;
	monotime_t	 now = monotime_now();

	(void)fd;
	(void)what;
	(void)arg;
	TAILQ_FOREACH_SAFE(c, &commands, cm_entry, next) {
		if (now < c->cm_deadline)
			continue;
		ended(c, "Docker has not finished in time: the state is "
		    "unknown");
	}
}

/* --- the docker process -------------------------------------------------- */

void
docker_state(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__DockerState	*st;
	struct pbmem			 pm;
	bool				 was = eng->docker_up;
	bool				 known = eng->docker_known;
	bool				 was_live = eng->docker_live;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	st = ipc_unpack(imsg, &sentinel__ipc__docker_state__descriptor, &pm);
	if (st == NULL) {
		peer_broken(p, imsg, pm.pm_why);
		pbmem_free(&pm);
		return;
	}
	eng->docker_known = true;
	eng->docker_up = st->available;
	eng->docker_live = st->live;
	engine_text(eng->docker_error, sizeof(eng->docker_error),
	    st->available ? "" : st->error[0] != '\0' ? st->error :
	    "Docker does not answer");
	if (st->engine_id[0] != '\0')
		(void)strlcpy(eng->docker_id, st->engine_id,
		    sizeof(eng->docker_id));
	if (was != eng->docker_up || !known) {
		if (eng->docker_up)
			log_info("docker: engine %s, version %s, answers",
			    st->engine_id, st->engine_version);
		else
			log_warnx("docker: %s", eng->docker_error);
		event_add_line("docker", NULL, "%s", eng->docker_up ?
		    "Docker answers" : eng->docker_error);
		session_heartbeat();
		if (eng->docker_up)
			list_ask(true, NULL, NULL);
	} else if (was_live != eng->docker_live)
		session_heartbeat();
	session_prepared();
	pbmem_free(&pm);
}

void
docker_progress(struct peer *p, struct imsg *imsg)
{
	Sentinel__Cluster__AgentMessage	 msg;
	Sentinel__Cluster__Progress	 out;
	Sentinel__Ipc__DockerProgress	*m;
	struct command			*c;
	struct pbmem			 pm;
	monotime_t			 now = monotime_now();

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__docker_progress__descriptor, &pm);
	if (m == NULL) {
		peer_broken(p, imsg, pm.pm_why);
		goto out;
	}
	if ((c = find(m->request_id, KIND(UPDATE))) == NULL &&
	    (c = find(m->request_id, KIND(ROLLBACK))) == NULL &&
	    (c = find(m->request_id, KIND(PULL))) == NULL)
		goto out;
	c->cm_deadline = now + ENGINE_UPDATE_MSEC;
	if (!session_has_feature("progress") ||
	    (now - c->cm_progress < ENGINE_PROGRESS_MSEC &&
	    strcmp(c->cm_phase, m->phase) == 0))
		goto out;
	c->cm_progress = now;
	(void)strlcpy(c->cm_phase, m->phase, sizeof(c->cm_phase));
	sentinel__cluster__progress__init(&out);
	out.request_id = m->request_id;
	out.container_name = m->container;
	out.phase = m->phase;
	out.percent = m->percent;
	out.text = m->text;
	sentinel__cluster__agent_message__init(&msg);
	msg.payload_case = SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_PROGRESS;
	msg.progress = &out;
	out_push(OUT_PLAIN, &msg, 0);
 out:
	pbmem_free(&pm);
}

/* An update that nobody here began is one of a former life. */
void
docker_result(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__DockerResult	*m;
	struct command			*c;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__docker_result__descriptor, &pm);
	if (m == NULL)
		peer_broken(p, imsg, pm.pm_why);
	else if (m->kind == KIND(HOOK) && m->of_update)
		report_hook(m, true);
	else if ((c = find(m->request_id, m->kind)) != NULL) {
		forget(c);
		result_report(m, true);
	} else if (m->kind == KIND(UPDATE) || m->kind == KIND(ROLLBACK))
		result_report(m, true);
	else
		log_debug("docker: late result of request %s",
		    m->request_id);
	pbmem_free(&pm);
}

/* What the journal held has been told; the rest never reached a record. */
void
docker_recovered(struct peer *p, struct imsg *imsg)
{
	struct command	*c, *next;

	(void)p;
	(void)imsg;
	TAILQ_FOREACH_SAFE(c, &commands, cm_entry, next) {
		if (!c->cm_orphan)
			continue;
		ended(c, "the docker process died before it began: nothing "
		    "was changed");
	}
}

void
docker_lost(void)
{
	struct command	*c, *next;

	eng->docker_up = eng->docker_live = false;
	(void)strlcpy(eng->docker_error, "the docker process restarts",
	    sizeof(eng->docker_error));
	list_lost(eng->docker_error);
	session_heartbeat();
	follow_docker_lost();
	TAILQ_FOREACH_SAFE(c, &commands, cm_entry, next) {
		if (c->cm_kind == KIND(UPDATE) ||
		    c->cm_kind == KIND(ROLLBACK)) {
			c->cm_orphan = true;
			continue;
		}
		ended(c, "the docker process died: the state is unknown");
	}
}
