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

#include "engine_history.h"
#include "engine_follow.h"
#include "engine_live.h"
#include "engine_quarantine.h"
#include "engine_self.h"
#include "engine_settings.h"

#include <stdlib.h>
#include <string.h>

#include "engine_hook.h"
#include "engine_settings.h"
#include "ipccheck.h"
#include "log.h"

/*
 * This machine's Docker Engine as a host of its own, "local": the same
 * operations as for any other host, carried out by the docker process beside
 * us instead of an agent.
 */
#define LOCAL_TOLD_MAX	32	/* update ids remembered */
#define LOCAL_SURE_MSEC	480000	/* a list although changes are told */
#define LOCAL_SURE_JITTER_MSEC 240000
#define LOCAL_RETRY_MSEC 10000	/* a list that failed */

static struct container_stage	stage;
static bool			staging;
static bool			listing;	/* our own list is under way */
static bool			again;	/* and another one is due */
static bool			live;	/* as docker said last */
static struct event		*sure_timer;

static bool	 told_before(const char *);
static void	 ask_list(void);
static void	 on_sure(int, short, void *);
static void	 listed(const char *);

void
local_init(void)
{
	struct host	*h;

	if (!eng->conf.ec_docker)
		return;
	h = host_new(HOST_LOCAL_ID, HOST_LOCAL_ID);
	h->h_local = true;
	h->h_enrolled_at = eng->started;
	engine_setstr(&h->h_version, SENTINEL_VERSION);
	engine_setstr(&h->h_docker_error, "not asked yet");
	(void)strlcpy(h->h_address, "127.0.0.1", sizeof(h->h_address));
	engine_setstr(&h->h_raw_name, eng->conf.ec_hostname);
	host_pick_name(eng->conf.ec_hostname, HOST_LOCAL_ID, HOST_LOCAL_ID,
	    h->h_name);
	if (host_insert(h) == -1)
		fatalx("a host has the id of this machine");
	stage_init(&stage, h);
	if ((sure_timer = evtimer_new(proc_base(), on_sure, NULL)) == NULL)
		fatal("local_init");
	eng->local = h;
}

/*
 * The docker process may have its configuration before we have ours, and tell
 * what it found in the journal.
 */
void
local_up(struct peer *p)
{
	if (!eng->ready)
		peer_hold(p);
}

void
local_listen(void)
{
	struct peer	*p = proc_peer(ROLE_DOCKER);

	if (p != NULL)
		peer_listen(p);
}

static void
ask_list(void)
{
	Sentinel__Ipc__DockerOp	 m;

	if (listing || proc_peer(ROLE_DOCKER) == NULL)
		return;
	sentinel__ipc__docker_op__init(&m);
	m.kind = SENTINEL__IPC__DOCKER_OP__KIND__LIST;
	peer_send_pb(proc_peer(ROLE_DOCKER), IMSG_DOCKER_OP, 0, &m.base);
	listing = true;
	again = false;
}

void
local_dispatch(struct op *op)
{
	static const Sentinel__Ipc__DockerOp__Kind kinds[] = {
		[OP_LIST] = SENTINEL__IPC__DOCKER_OP__KIND__LIST,
		[OP_ACTION] = SENTINEL__IPC__DOCKER_OP__KIND__ACTION,
		[OP_LOGS] = SENTINEL__IPC__DOCKER_OP__KIND__LOGS,
		[OP_UPDATE] = SENTINEL__IPC__DOCKER_OP__KIND__UPDATE,
		[OP_ROLLBACK] = SENTINEL__IPC__DOCKER_OP__KIND__ROLLBACK,
		[OP_DETAIL] = SENTINEL__IPC__DOCKER_OP__KIND__DETAIL,
		[OP_PLAN] = SENTINEL__IPC__DOCKER_OP__KIND__PLAN,
		[OP_HOOK] = SENTINEL__IPC__DOCKER_OP__KIND__HOOK,
		[OP_PULL] = SENTINEL__IPC__DOCKER_OP__KIND__PULL,
	};
	Sentinel__Ipc__DockerOp	 m;
	struct hook_list	 hooks;
	struct peer		*p = proc_peer(ROLE_DOCKER);
	struct quarantine	 q;

	if (p == NULL || !peer_has_credit(p)) {
		op_fail(op, OP_FAILED, "the docker process is restarting or "
		    "busy; try again");
		return;
	}
	sentinel__ipc__docker_op__init(&m);
	m.kind = kinds[op->op_kind];
	m.request_id = op->op_id;
	m.container = op->op_container;
	m.action = op->op_action;
	m.image = op->op_image;
	m.lines = op->op_lines;
	m.to = op->op_to;
	m.cleanup = settings_now()->ct_image_cleanup;
	quarantine_of_op(op, &q);
	m.quarantined = q.qu_list;
	m.n_quarantined = q.qu_n;
	m.ordered = settings_now()->ct_dependencies;
	m.run_hooks = settings_now()->ct_hooks && !op->op_skip_hooks;
	m.n_hooks = hooks_to_wire(op, &hooks);
	m.hooks = hooks.hl_list;
	m.since = op->op_since_time;
	m.until = op->op_until_time;
	m.streams = op->op_streams;
	m.timestamps = op->op_timestamps;
	if (op->op_auth != NULL)
		m.registry_auth = op->op_auth;
	op->op_sent = true;
	peer_send_pb(p, IMSG_DOCKER_OP, 0, &m.base);
	op_forget_auth(op);
}

void
local_state(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__DockerState	*st;
	struct host			*h = eng->local;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	st = ipc_unpack(imsg, &sentinel__ipc__docker_state__descriptor, &pm);
	if (st == NULL || h == NULL) {
		peer_broken(p, imsg, st == NULL ? pm.pm_why : "no local host");
		goto out;
	}
	if (st->available != h->h_docker_up && host_may_log(h))
		log_info("docker: %s", st->available ? "answers" : st->error);
	h->h_docker_up = st->available;
	h->h_live = live = st->live;
	engine_setstr(&h->h_docker_error, st->error);
	if (st->engine_id[0] != '\0')
		engine_setstr(&h->h_engine_id, st->engine_id);
	if (st->available)
		ask_list();
 out:
	pbmem_free(&pm);
}

static void
on_sure(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (eng->local->h_docker_up)
		ask_list();
}

/* Our own list has ended. */
static void
listed(const char *error)
{
	struct timeval	 tv;

	listing = false;
	eng->local->h_live = live && error[0] == '\0';
	tv = monotime_timeval(error[0] != '\0' ? LOCAL_RETRY_MSEC :
	    LOCAL_SURE_MSEC + arc4random_uniform(LOCAL_SURE_JITTER_MSEC));
	evtimer_add(sure_timer, &tv);
	if (again)
		ask_list();
}

void
local_container(struct peer *p, struct imsg *imsg)
{
	Sentinel__Cluster__ContainerInfo	*info;
	struct pbmem				 pm;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	info = ipc_unpack(imsg, &sentinel__cluster__container_info__descriptor,
	    &pm);
	if (info == NULL || eng->local == NULL)
		peer_broken(p, imsg, info == NULL ? pm.pm_why :
		    "no local host");
	else {
		staging = true;
		stage_add(&stage, info);
	}
	pbmem_free(&pm);
}

void
local_list_end(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__ListEnd	*end;
	struct pbmem		 pm;
	bool			 refused;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	end = ipc_unpack(imsg, &sentinel__ipc__list_end__descriptor, &pm);
	/* A refused list has no items; those there belong to another one. */
	refused = end != NULL && end->error[0] != '\0' && end->count == 0;
	if (end == NULL || eng->local == NULL || (!refused &&
	    end->count != stage.cs_count && !stage.cs_overflow)) {
		peer_broken(p, imsg, end == NULL ? pm.pm_why :
		    "list count, or no local host");
		goto out;
	}
	if (end->error[0] == '\0')
		stage_commit(&stage);
	else if (!refused)
		stage_drop(&stage);
	if (!refused)
		staging = false;
	eng->local->h_last_seen = time(NULL);
	if (end->request_id[0] == '\0')
		listed(end->error);
	else
		op_list_answer(eng->local, end->request_id, end->error);
 out:
	pbmem_free(&pm);
}

void
local_delta(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__DockerDelta	*m;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__docker_delta__descriptor, &pm);
	if (m == NULL || eng->local == NULL ||
	    (m->info != NULL && strcmp(m->info->id, m->id) != 0))
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "no local host, or a container under another id");
	else if (eng->local->h_listed_at != 0)
		live_apply(eng->local, m->id, m->info);
	pbmem_free(&pm);
}

/* What runs now may have passed what was missed. */
void
local_stale(struct peer *p, struct imsg *imsg)
{
	(void)p;
	(void)imsg;
	again = listing;
	ask_list();
}

void
local_progress(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__DockerProgress	*m;
	struct pbmem			 pm;
	struct op			*op;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__docker_progress__descriptor, &pm);
	if (m == NULL)
		peer_broken(p, imsg, pm.pm_why);
	else if ((op = op_find(m->request_id)) != NULL &&
	    op->op_host == eng->local)
		op_progress(op, m->phase, m->percent, self_text(op, m));
	pbmem_free(&pm);
}

/*
 * A docker process that died between the end of an update and our copy of
 * the outcome tells it again.
 */
static bool
told_before(const char *id)
{
	static char	 told[LOCAL_TOLD_MAX][REQUEST_ID_SIZE];
	static size_t	 next;
	size_t		 i;

	if (id[0] == '\0')
		return (false);		/* as a free place is */
	for (i = 0; i < LOCAL_TOLD_MAX; i++) {
		if (strcmp(told[i], id) == 0)
			return (true);
	}
	(void)strlcpy(told[next], id, sizeof(told[next]));
	next = (next + 1) % LOCAL_TOLD_MAX;
	return (false);
}

static void
updated(const Sentinel__Ipc__DockerResult *m)
{
	const char	*what;

	what = m->kind == SENTINEL__IPC__DOCKER_OP__KIND__ROLLBACK ?
	    "rollback" : "update";
	event_publish("container_update", eng->local, m->container,
	    m->error[0] == '\0' ? "%s %s: %s%s" : "%s %s: %s%s: %s", what,
	    m->container, m->outcome, m->recovered ? " (after a restart)" :
	    "", m->error);
}

void
local_result(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__DockerResult	*m;
	struct op_result		 r = { .or_end = OP_DONE };
	struct pbmem			 pm;
	struct op			*op;
	bool				 is_new;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__docker_result__descriptor, &pm);
	if (m == NULL || eng->local == NULL) {
		peer_broken(p, imsg, m == NULL ? pm.pm_why : "no local host");
		goto out;
	}
	is_new = history_local(m);
	if (m->kind == SENTINEL__IPC__DOCKER_OP__KIND__UPDATE ||
	    m->kind == SENTINEL__IPC__DOCKER_OP__KIND__ROLLBACK) {
		if (is_new && !told_before(m->request_id)) {
			updated(m);
			if (m->recovered && op_find(m->request_id) == NULL)
				self_outcome(m);
		}
	} else if (m->kind == SENTINEL__IPC__DOCKER_OP__KIND__HOOK)
		event_publish("container_hook", eng->local, m->container,
		    m->error[0] == '\0' ? "%s hook of %s: %s" :
		    "%s hook of %s: %s: %s", m->phase, m->container,
		    m->outcome, m->error);
	else if (m->kind == SENTINEL__IPC__DOCKER_OP__KIND__ACTION)
		event_publish("container_state", eng->local, m->container,
		    "%s %s: %s", m->action, m->container, m->outcome);
	else if (m->kind == SENTINEL__IPC__DOCKER_OP__KIND__PULL)
		event_publish("image_pull", eng->local, "",
		    m->error[0] == '\0' ? "pull %s: %s" : "pull %s: %s: %s",
		    m->new_image, m->outcome, m->error);
	if (!m->of_update && (op = op_find(m->request_id)) != NULL &&
	    op->op_host == eng->local) {
		r.or_exit_code = m->exit_code;
		r.or_output = m->output;
		r.or_outcome = m->outcome;
		r.or_error = m->error;
		r.or_logs = m->logs;
		r.or_lines = m->lines;
		r.or_old_image = m->old_image;
		r.or_old_digest = m->old_digest;
		r.or_new_image = m->new_image;
		r.or_new_digest = m->new_digest;
		r.or_msec = m->duration_msec;
		r.or_plan = m->plan;
		r.or_detail = m->detail;
		op_finish(op, &r);
	}
	if (m->kind != SENTINEL__IPC__DOCKER_OP__KIND__LOGS &&
	    m->kind != SENTINEL__IPC__DOCKER_OP__KIND__PLAN &&
	    m->kind != SENTINEL__IPC__DOCKER_OP__KIND__DETAIL &&
	    m->kind != SENTINEL__IPC__DOCKER_OP__KIND__HOOK)
		ask_list();
 out:
	pbmem_free(&pm);
}

void
local_recovered(struct peer *p, struct imsg *imsg)
{
	struct op	*op, *next;

	(void)p;
	(void)imsg;
	/*
	 * What the journal held was reported before this.  Anything else that
	 * was under way when the process died never reached its first record:
	 * nothing has been changed by it.
	 */
	RB_FOREACH_SAFE(op, op_tree, &eng->ops, next) {
		if (op->op_host == eng->local && op->op_epoch != 0)
			op_fail(op, OP_FAILED, "the docker process died "
			    "before it began");
	}
}

/*
 * The docker process died.  Updates stay 'unknown' until its successor has
 * read the journal; everything else has no record and is told so.
 */
void
local_lost(void)
{
	struct op	*op, *next;

	if (eng->local == NULL)
		return;
	listing = again = false;
	eng->local->h_live = live = false;
	follow_docker_lost();
	if (staging)
		stage_drop(&stage);
	staging = false;
	eng->local->h_docker_up = false;
	engine_setstr(&eng->local->h_docker_error, "docker process restarts");
	RB_FOREACH_SAFE(op, op_tree, &eng->ops, next) {
		if (op->op_host != eng->local)
			continue;
		if (op->op_kind == OP_UPDATE || op->op_kind == OP_ROLLBACK)
			op->op_epoch = ++eng->epoch;
		else
			op_fail(op, OP_GONE, "the docker process died: the "
			    "state is unknown; look with container list");
	}
}
