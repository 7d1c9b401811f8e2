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
#include "engine_oplog.h"
#include "engine_self.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_hook.h"
#include "engine_hook.h"
#include "hex.h"
#include "log.h"
#include "xmalloc.h"

/*
 * Operations under way.  Each has an id that is the request id on the wire, a
 * deadline that progress renews, one end.  What comes late, twice or from
 * another host ends nothing; an answer of another kind is a failure.
 */
#define PAYLOAD(x) SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_##x

static void	 on_deadline(int, short, void *);
static uint64_t	 op_deadline(enum op_kind);
static struct op *op_of_host(const struct host *, const char *);
static void	 wrong_type(struct op *);

RB_GENERATE(op_tree, op, op_entry, op_cmp)

int
op_cmp(const struct op *a, const struct op *b)
{
	return (strcmp(a->op_id, b->op_id));
}

struct op *
op_find(const char *id)
{
	struct op	 want;

	if (strlcpy(want.op_id, id, sizeof(want.op_id)) >=
	    sizeof(want.op_id))
		return (NULL);
	return (RB_FIND(op_tree, &eng->ops, &want));
}

/* An id that this host was asked with; others name it in vain. */
static struct op *
op_of_host(const struct host *h, const char *id)
{
	struct op	*op = op_find(id);

	if (op == NULL || op->op_host != h || !op->op_sent) {
		if (id[0] != '\0')
			log_debug("host %s: answer to unknown request %s",
			    h->h_id, id);
		return (NULL);
	}
	return (op);
}

struct op *
op_new(enum op_kind kind, struct host *h)
{
	struct op	*op;
	uint8_t		 id[8];

	if (eng->nops >= ENGINE_OPS_MAX || h->h_ops >= ENGINE_OPS_HOST_MAX)
		return (NULL);
	op = xcalloc(1, sizeof(*op));
	do {
		arc4random_buf(id, sizeof(id));
		(void)hex_encode(op->op_id, sizeof(op->op_id), id,
		    sizeof(id));
	} while (op_find(op->op_id) != NULL);
	op->op_kind = kind;
	op->op_host = h;
	if ((op->op_timer = evtimer_new(proc_base(), on_deadline, op)) ==
	    NULL)
		fatal("op_new");
	RB_INSERT(op_tree, &eng->ops, op);
	eng->nops++;
	h->h_ops++;
	return (op);
}

static uint64_t
op_deadline(enum op_kind kind)
{
	switch (kind) {
	case OP_LIST:
		return (eng->conf.ec_list_msec);
	case OP_LOGS:
	case OP_PLAN:
	case OP_DETAIL:
		return (eng->conf.ec_logs_msec);
	case OP_UPDATE:
	case OP_PULL:
	case OP_ROLLBACK:
		return (eng->conf.ec_update_msec);
	case OP_HOOK:
		return (HOOK_MAX_SEC * 1000 + HOOK_SLACK_MSEC);
	default:
		return (eng->conf.ec_action_msec);
	}
}

/* One place enforces the state of the host. */
void
op_start(struct op *op)
{
	struct timeval	 tv;
	struct host	*h = op->op_host;

	if (op->op_msec == 0 && op->op_kind == OP_HOOK &&
	    op->op_hooks[0].oh_command[0] != '\0')
		op->op_msec = HOOK_SLACK_MSEC + 1000 *
		    (op->op_hooks[0].oh_sec == 0 ? HOOK_DEFAULT_SEC :
		    op->op_hooks[0].oh_sec);
	if (op->op_msec == 0)
		op->op_msec = (unsigned int)op_deadline(op->op_kind);
	op->op_since = monotime_now();
	tv = monotime_timeval(op->op_msec);
	if (!host_is_connected(h)) {
		op_fail(op, OP_GONE, h->h_local ?
		    "Docker on this machine does not answer: %s" :
		    "host %s is not connected", h->h_local ?
		    h->h_docker_error : h->h_name);
		return;
	}
	if (op->op_kind == OP_UPDATE && h->h_state == HOST_PAUSED) {
		op_fail(op, OP_FAILED, "host %s is paused: no updates",
		    h->h_name);
		return;
	}
	if (op->op_kind == OP_ROLLBACK && !h->h_local &&
	    !host_has_feature(h, "rollback")) {
		op_fail(op, OP_FAILED, "the agent on host %s is too old for "
		    "this: it cannot roll back", h->h_name);
		return;
	}
	if (op->op_kind == OP_PLAN && !h->h_local &&
	    !host_has_feature(h, "plan")) {
		op_fail(op, OP_FAILED, "the agent on host %s is too old for "
		    "this: it makes no plans", h->h_name);
		return;
	}
	if (op->op_kind == OP_DETAIL && !h->h_local &&
	    !host_has_feature(h, "detail")) {
		op_fail(op, OP_FAILED, "the agent on host %s is too old for "
		    "this: it tells no more than its list", h->h_name);
		return;
	}
	if (hooks_before(op))
		return;
	evtimer_add(op->op_timer, &tv);
	if (h->h_local)
		local_dispatch(op);
	else {
		op->op_epoch = h->h_session->se_epoch;
		command_dispatch(op);
	}
}

void
op_finish(struct op *op, const struct op_result *r)
{
	evtimer_del(op->op_timer);
	RB_REMOVE(op_tree, &eng->ops, op);
	eng->nops--;
	op->op_host->h_ops--;
	if (op->op_kind == OP_ACTION || op->op_kind == OP_UPDATE ||
	    op->op_kind == OP_ROLLBACK)
		op->op_host->h_fresh = 0;	/* it changed something */
	oplog_ended(op, r);
	if (op->op_done != NULL)
		op->op_done(op, r, op->op_arg);
	hooks_after(op, r);
	hooks_free(op);
	op_forget_auth(op);
	event_free(op->op_timer);
	free(op);
}

void
op_forget_auth(struct op *op)
{
	if (op->op_auth != NULL)
		freezero(op->op_auth, strlen(op->op_auth));
	op->op_auth = NULL;
}

void
op_fail(struct op *op, enum op_end end, const char *fmt, ...)
{
	struct op_result	 r = { .or_end = end };
	char			 text[512];
	va_list			 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	r.or_outcome = "failed";
	r.or_error = text;
	op_finish(op, &r);
}

static void
on_deadline(int fd, short what, void *arg)
{
	struct op	*op = arg;

	(void)fd;
	(void)what;
	log_warnx("host %s: request %s timed out after %u s", op->op_host->h_id,
	    op->op_id, op->op_msec / 1000);
	if (op->op_handed)
		self_timeout(op);
	else
		op_fail(op, OP_TIMEOUT, "no answer from host %s within %u s: "
		    "the state is unknown; look with container list",
		    op->op_host->h_name, op->op_msec / 1000);
}

/* Progress renews the deadline: long pulls are no time-outs.  Not for ever,
 * or whoever sends it could hold an operation open. */
void
op_progress(struct op *op, const char *phase, uint32_t percent,
    const char *text)
{
	struct timeval	 tv = monotime_timeval(op->op_msec);

	if ((op->op_kind == OP_UPDATE || op->op_kind == OP_PULL ||
	    op->op_kind == OP_ROLLBACK) &&
	    monotime_now() - op->op_since < ENGINE_UPDATE_MAX_MSEC)
		evtimer_add(op->op_timer, &tv);
	self_progress(op, phase);
	oplog_progress(op, phase, percent, text);
	if (op->op_progress != NULL)
		op->op_progress(op, phase, percent, text, op->op_arg);
}

void
op_session_lost(const struct session *s)
{
	struct op	*op, *next;

	RB_FOREACH_SAFE(op, op_tree, &eng->ops, next) {
		if (op->op_host == s->se_host && !op->op_host->h_local &&
		    op->op_epoch == s->se_epoch && !self_waits(op))
			op_fail(op, OP_GONE, "host %s disconnected: the state "
			    "is unknown until it is back", s->se_host->h_name);
	}
}

void
op_host_gone(const struct host *h, const char *text)
{
	struct op	*op, *next;

	RB_FOREACH_SAFE(op, op_tree, &eng->ops, next) {
		if (op->op_host == h)
			op_fail(op, OP_GONE, "%s", text);
	}
}

void
op_forget_arg(const void *arg)
{
	struct op	*op;

	RB_FOREACH(op, op_tree, &eng->ops) {
		if (op->op_arg == arg) {
			op->op_done = NULL;
			op->op_progress = NULL;
			op->op_arg = NULL;
		}
	}
}

static void
wrong_type(struct op *op)
{
	log_warnx("host %s: request %s answered with another kind of result",
	    op->op_host->h_id, op->op_id);
	op_fail(op, OP_FAILED, "host %s answered with another kind of result",
	    op->op_host->h_name);
}

/*
 * The end of the operation that this is the answer to; NULL when it has not
 * what was asked for.  False: nobody waits for it.
 */
static bool
answer(const struct host *h, const char *id, enum op_kind kind,
    const struct op_result *r)
{
	struct op	*op;

	if ((op = op_of_host(h, id)) == NULL)
		return (false);
	if (op->op_kind != kind || r == NULL)
		wrong_type(op);
	else
		op_finish(op, r);
	return (true);
}

static void
answer_action(struct host *h,
    const Sentinel__Cluster__ContainerActionResult *m, bool is_new)
{
	struct op_result	 r = {
		.or_end = OP_DONE, .or_outcome = m->outcome,
		.or_error = m->error
	};

	if (is_new)
		event_publish("container_state", h, m->container_name,
		    "%s %s: %s", m->action, m->container_name, m->outcome);
	(void)answer(h, m->request_id, OP_ACTION, &r);
}

static void
answer_logs(struct host *h, const Sentinel__Cluster__FetchLogsResult *m)
{
	struct op_result	 r = {
		.or_end = OP_DONE,
		.or_outcome = m->error[0] == '\0' ? "success" : "failed",
		.or_error = m->error, .or_logs = m->logs,
		.or_lines = m->lines
	};

	if (!follow_refused(h, m))
		(void)answer(h, m->request_id, OP_LOGS, &r);
}

/* An update or a rollback.  One that nobody waits for still happened. */
static void
answer_change(struct host *h, enum op_kind kind,
    const Sentinel__Cluster__UpdateResult *m, bool is_new)
{
	const char		*what;
	struct op_result	 r = {
		.or_end = OP_DONE, .or_outcome = m->outcome,
		.or_error = m->error, .or_old_image = m->old_image,
		.or_old_digest = m->old_digest, .or_new_image = m->new_image,
		.or_new_digest = m->new_digest
	};

	what = kind == OP_ROLLBACK ? "rollback" : "update";
	if (is_new)
		event_publish("container_update", h, m->container_name,
		    m->error[0] == '\0' ? "%s %s: %s" : "%s %s: %s: %s", what,
		    m->container_name, m->outcome, m->error);
	if (m->duration != NULL && m->duration->seconds >= 0 &&
	    m->duration->nanos >= 0 && m->duration->seconds < 86400 * 365)
		r.or_msec = (uint64_t)m->duration->seconds * 1000 +
		    (uint64_t)(m->duration->nanos / 1000000);
	if (!answer(h, m->request_id, kind, &r))
		oplog_late(h, m->request_id, m->container_name, what,
		    m->new_image, 0, m->outcome, m->error);
}

static void
answer_plan(struct host *h, const Sentinel__Cluster__PlanResult *m)
{
	bool			 failed = m->error[0] != '\0';
	struct op_result	 r = {
		.or_end = OP_DONE, .or_outcome = failed ? "failed" : "success",
		.or_error = m->error, .or_plan = m->plan
	};

	(void)answer(h, m->request_id, OP_PLAN,
	    failed || m->plan != NULL ? &r : NULL);
}

static void
answer_detail(struct host *h, const Sentinel__Cluster__DetailResult *m)
{
	bool			 failed = m->error[0] != '\0';
	struct op_result	 r = {
		.or_end = OP_DONE, .or_outcome = failed ? "failed" : "success",
		.or_error = m->error, .or_detail = failed ? NULL : m->detail
	};

	(void)answer(h, m->request_id, OP_DETAIL,
	    failed || m->detail != NULL ? &r : NULL);
}

static void
answer_pull(struct host *h, const Sentinel__Cluster__PullResult *m,
    bool is_new)
{
	struct op_result	 r = {
		.or_end = OP_DONE, .or_outcome = m->outcome,
		.or_error = m->error, .or_new_image = m->image_ref,
		.or_new_digest = m->digest
	};

	if (is_new)
		event_publish("image_pull", h, "", m->error[0] == '\0' ?
		    "pull %s: %s" : "pull %s: %s: %s", m->image_ref,
		    m->outcome, m->error);
	(void)answer(h, m->request_id, OP_PULL, &r);
}

void
op_answer(struct host *h, const Sentinel__Cluster__AgentMessage *m)
{
	Sentinel__Cluster__UpdateResult	 back;
	struct op			*op;
	bool				 is_new;

	/* A result that nobody waits for still happened. */
	is_new = history_answer(h, m);
	switch (m->payload_case) {
	case PAYLOAD(UPDATE_RESULT):
		answer_change(h, OP_UPDATE, m->update_result, is_new);
		break;
	case PAYLOAD(ROLLBACK_RESULT):
		history_rollback(m->rollback_result, &back);
		answer_change(h, OP_ROLLBACK, &back, is_new);
		break;
	case PAYLOAD(CONTAINER_ACTION_RESULT):
		answer_action(h, m->container_action_result, is_new);
		break;
	case PAYLOAD(FETCH_LOGS_RESULT):
		answer_logs(h, m->fetch_logs_result);
		break;
	case PAYLOAD(PLAN_RESULT):
		answer_plan(h, m->plan_result);
		break;
	case PAYLOAD(DETAIL_RESULT):
		answer_detail(h, m->detail_result);
		break;
	case PAYLOAD(HOOK_RESULT):
		hooks_result(h, m->hook_result, is_new);
		break;
	case PAYLOAD(PULL_RESULT):
		answer_pull(h, m->pull_result, is_new);
		break;
	case PAYLOAD(PROGRESS):
		if ((op = op_of_host(h, m->progress->request_id)) != NULL)
			op_progress(op, m->progress->phase,
			    m->progress->percent, m->progress->text);
		break;
	default:
		log_debug("host %s: message %d is not used here", h->h_id,
		    (int)m->payload_case);
		break;
	}
}

void
op_list_answer(struct host *h, const char *id, const char *error)
{
	struct op_result	 r = { .or_end = OP_DONE };
	struct op		*op;

	if (id[0] == '\0' || (op = op_of_host(h, id)) == NULL)
		return;
	if (op->op_kind != OP_LIST) {
		wrong_type(op);
		return;
	}
	r.or_outcome = error[0] == '\0' ? "success" : "failed";
	r.or_error = error;
	op_finish(op, &r);
}
