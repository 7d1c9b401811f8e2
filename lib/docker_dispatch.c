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

#include "docker_live.h"
#include "docker_process_int.h"
#include "docker_pull.h"
#include "log.h"

#define DP_LOGS_LINES	50		/* when the engine names none */

static void	 dp_update_progress(void *, const char *, const char *,
		    const char *, uint64_t, uint64_t);
static void	 dp_update_done(void *, const struct update_result *);
static void	 dp_update_ready(void *);

const struct update_ops dp_update_ops = {
	.uo_progress = dp_update_progress,
	.uo_done = dp_update_done,
	.uo_hook = dp_update_hook,
	.uo_handover = dp_update_handover,
	.uo_ready = dp_update_ready
};

/* --- text for fields --------------------------------------------------- */

char *
dp_text(struct pbmem *pm, const char *s, size_t max)
{
	char	*t = pbmem_text(pm, s, strlen(s), max), *p;

	if (t == NULL)
		fatalx("docker: out of memory");
	for (p = t; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return (t);
}

char *
dp_word(struct pbmem *pm, const char *s, size_t max)
{
	const char	*p;
	char		*t;

	for (p = s; *p != '\0'; p++)
		if ((unsigned char)*p <= ' ' || (unsigned char)*p >= 0x7f)
			break;
	if (*p != '\0' || strlen(s) > max)
		s = "";
	if ((t = pbmem_strndup(pm, s, strlen(s))) == NULL)
		fatalx("docker: out of memory");
	return (t);
}

/* --- results ----------------------------------------------------------- */

void
dp_send_result(Sentinel__Ipc__DockerResult *r)
{
	struct pbmem	 pm;

	if (dp_engine() == NULL)
		return;
	pbmem_init(&pm, 4 * DOCKER_LOGS_MAXBYTES, PBMEM_MAXALLOCS);
	r->request_id = dp_word(&pm, r->request_id, 128);
	r->container = dp_word(&pm, r->container, 255);
	r->phase = dp_word(&pm, r->phase, 32);
	r->error = dp_text(&pm, r->error, UPDATE_ERROR_MAXBYTES);
	r->old_image = dp_word(&pm, r->old_image, 1024);
	r->old_digest = dp_word(&pm, r->old_digest, 1024);
	r->new_image = dp_word(&pm, r->new_image, 1024);
	r->new_digest = dp_word(&pm, r->new_digest, 1024);
	r->image_id = dp_word(&pm, r->image_id, 128);
	peer_send_pb(dp_engine(), IMSG_DOCKER_RESULT, 0, &r->base);
	pbmem_free(&pm);
}

char *
dp_const(const char *s)
{
	/* protobuf-c has no const strings; packing does not write. */
	return ((char *)(uintptr_t)s);
}

void
dp_result_init(Sentinel__Ipc__DockerResult *r, const struct dp_op *op,
    const char *error)
{
	sentinel__ipc__docker_result__init(r);
	r->kind = op->do_kind;
	r->request_id = dp_const(op->do_request);
	r->container = dp_const(op->do_container);
	r->action = dp_const(op->do_action);
	r->outcome = dp_const(error[0] == '\0' ? "success" : "failed");
	r->error = dp_const(error);
	r->lines = op->do_lines;
	r->duration_msec = (uint64_t)(monotime_now() - op->do_began);
}

void
dp_op_end(struct dp_op *op)
{
	TAILQ_REMOVE(&dp->dp_ops, op, do_entry);
	dp->dp_nops--;
	free(op);
}

void
dp_op_done(void *arg, const char *error)
{
	struct dp_op			*op = arg;
	Sentinel__Ipc__DockerResult	 r;

	dp_result_init(&r, op, error);
	if (op->do_image[0] != '\0')
		r.new_image = op->do_image;
	if (error[0] != '\0')
		log_warnx("docker: %s %s: %s", op->do_action[0] != '\0' ?
		    op->do_action : "operation on", op->do_container[0] != '\0'
		    ? op->do_container : op->do_image, error);
	dp_send_result(&r);
	dp_op_end(op);
}

static void
dp_logs_done(void *arg, const char *error, const char *text, size_t len)
{
	struct dp_op			*op = arg;
	Sentinel__Ipc__DockerResult	 r;

	(void)len;
	dp_result_init(&r, op, error);
	r.logs = dp_const(text);
	dp_send_result(&r);
	dp_op_end(op);
}

/* --- actions, logs, pulls ---------------------------------------------- */

static bool
dp_op_on(const char *container)
{
	struct dp_op	*op;

	TAILQ_FOREACH(op, &dp->dp_ops, do_entry)
		if (op->do_kind == SENTINEL__IPC__DOCKER_OP__KIND__ACTION &&
		    strcmp(op->do_container, container) == 0)
			return (true);
	return (false);
}

static void
dp_action(struct dp_op *op)
{
	enum docker_action	 act;
	char			 text[64];

	if (strcmp(op->do_action, "stop") == 0)
		act = DOCKER_ACT_STOP;
	else if (strcmp(op->do_action, "start") == 0)
		act = DOCKER_ACT_START;
	else if (strcmp(op->do_action, "restart") == 0)
		act = DOCKER_ACT_RESTART;
	else {
		snprintf(text, sizeof(text), "unknown action: %s",
		    op->do_action);
		dp_op_done(op, text);
		return;
	}
	/* Before the journal is read it is not known who is being updated. */
	if (dp->dp_updater == NULL)
		dp_op_done(op, DP_NOT_READY);
	else if (updater_busy(dp->dp_updater, op->do_container))
		dp_op_done(op, "the container is being updated");
	else if (docker_op_action(dp->dp_docker, op->do_container, act,
	    dp_op_done, op) == -1)
		dp_op_done(op, errno == EINVAL ? "bad container name" :
		    "too many operations at the same time");
}

static void
dp_logs(struct dp_op *op, const Sentinel__Ipc__DockerOp *m)
{
	struct docker_logs_opts	 want = {
		.dl_since = m->since, .dl_until = m->until,
		.dl_streams = m->streams, .dl_timestamps = m->timestamps
	};

	if (op->do_lines <= 0)
		op->do_lines = DP_LOGS_LINES;
	if (op->do_lines > DOCKER_LOGS_MAXLINES)
		op->do_lines = DOCKER_LOGS_MAXLINES;
	want.dl_lines = (unsigned int)op->do_lines;
	if (docker_op_logs(dp->dp_docker, op->do_container, &want,
	    dp_logs_done, op) == -1)
		dp_op_done(op, errno == EINVAL ? "bad container name" :
		    "too many operations at the same time");
}

static void
dp_send_progress(const char *request, const char *container,
    const char *phase, const char *text, uint64_t done, uint64_t total)
{
	Sentinel__Ipc__DockerProgress	 pr;
	struct pbmem			 pm;

	/* News only: without credit it is left out. */
	if (dp_engine() == NULL || !peer_has_credit(dp_engine()))
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	sentinel__ipc__docker_progress__init(&pr);
	pr.request_id = dp_const(request);
	pr.container = dp_const(container);
	pr.phase = dp_const(phase);
	if (total > 0)
		pr.percent = done >= total ? 100 :
		    (uint32_t)((double)done * 100 / (double)total);
	pr.text = dp_text(&pm, text, DP_TEXT_MAXBYTES);
	peer_send_pb(dp_engine(), IMSG_DOCKER_PROGRESS, 0, &pr.base);
	pbmem_free(&pm);
}

static void
dp_pull_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct dp_op	*op = arg;

	dp_send_progress(op->do_request, "", "pull", what, done, total);
}

static void
dp_pull_done(void *arg, const struct docker_pull_result *pr)
{
	struct dp_op			*op = arg;
	Sentinel__Ipc__DockerResult	 r;

	dp_result_init(&r, op, pr->pr_error);
	r.new_image = op->do_image;
	r.new_digest = dp_const(pr->pr_digest);
	r.image_id = dp_const(pr->pr_id);
	if (pr->pr_error[0] != '\0')
		log_warnx("docker: pull of %s: %s", op->do_image,
		    pr->pr_error);
	dp_send_result(&r);
	dp_op_end(op);
}

static void
dp_pull(struct dp_op *op, const Sentinel__Ipc__DockerOp *m)
{
	static const struct docker_pullop_cbs	 cbs = {
		.po_progress = dp_pull_progress, .po_done = dp_pull_done
	};

	if (docker_op_pull(dp->dp_docker, op->do_image, m->digest,
	    m->registry_auth[0] != '\0' ? m->registry_auth : NULL,
	    (unsigned int)dp->dp_conf.dc_pull_idle_msec, &cbs, op) == -1)
		dp_op_done(op, errno == EINVAL ? "bad image reference" :
		    "too many operations at the same time");
}

/* --- updates ----------------------------------------------------------- */

static void
dp_update_progress(void *arg, const char *opid, const char *stage,
    const char *detail, uint64_t done, uint64_t total)
{
	(void)arg;
	dp_send_progress(opid, "", stage, detail, done, total);
}

static void
dp_update_done(void *arg, const struct update_result *ur)
{
	Sentinel__Ipc__DockerResult	 r;

	(void)arg;
	/* Goes on at the next start; the engine hears of it then. */
	if (ur->ur_outcome == UPDATE_STOPPED)
		return;
	sentinel__ipc__docker_result__init(&r);
	r.kind = ur->ur_rollback ?
	    SENTINEL__IPC__DOCKER_OP__KIND__ROLLBACK :
	    SENTINEL__IPC__DOCKER_OP__KIND__UPDATE;
	r.request_id = dp_const(ur->ur_opid);
	r.container = dp_const(ur->ur_name);
	r.outcome = dp_const(update_outcome_name(ur->ur_outcome));
	r.error = dp_const(ur->ur_error[0] != '\0' ? ur->ur_error :
	    ur->ur_note);
	r.old_image = dp_const(ur->ur_old_image);
	r.old_digest = dp_const(ur->ur_old_digest);
	r.new_image = dp_const(ur->ur_new_image);
	r.new_digest = dp_const(ur->ur_new_digest);
	r.duration_msec = ur->ur_msec;
	r.recovered = ur->ur_recovered;
	dp_send_result(&r);
}

static void
dp_update_ready(void *arg)
{
	(void)arg;
	if (dp_engine() != NULL)
		peer_send(dp_engine(), IMSG_DOCKER_RECOVERED, 0, -1, NULL, 0);
}

static void
dp_update_refused(const Sentinel__Ipc__DockerOp *m, const char *why)
{
	Sentinel__Ipc__DockerResult	 r;

	sentinel__ipc__docker_result__init(&r);
	r.kind = m->kind;
	r.request_id = m->request_id;
	r.container = m->container;
	r.outcome = dp_const("failed");
	r.error = dp_const(why);
	r.new_image = m->image;
	log_warnx("update %s: container %s: refused: %s", m->request_id,
	    m->container, why);
	dp_send_result(&r);
}

int
dp_request(struct update_request *uq, const Sentinel__Ipc__DockerOp *m,
    struct hook *pre, struct hook *post, char *why, size_t size)
{
	memset(uq, 0, sizeof(*uq));
	memset(pre, 0, sizeof(*pre));
	memset(post, 0, sizeof(*post));
	uq->uq_opid = m->request_id;
	uq->uq_name = m->container;
	uq->uq_image = m->image;
	uq->uq_digest = m->digest;
	uq->uq_auth = m->registry_auth[0] != '\0' ? m->registry_auth : NULL;
	uq->uq_ordered = m->ordered;
	uq->uq_rule = m->image_rule[0] != '\0' ? m->image_rule : NULL;
	uq->uq_rollback =
	    m->kind == SENTINEL__IPC__DOCKER_OP__KIND__ROLLBACK;
	uq->uq_to = uq->uq_rollback ? m->to : NULL;
	uq->uq_bad = m->quarantined;
	uq->uq_nbad = m->n_quarantined;
	uq->uq_cleanup = m->cleanup;
	uq->uq_hooks = m->run_hooks;
	uq->uq_pre = pre;
	uq->uq_post = post;
	if (m->exec_fault[0] != '\0')
		uq->uq_exec_fault = m->exec_fault;
	return (dp_hooks_of(m, pre, post, why, size));
}

static void
dp_update(const Sentinel__Ipc__DockerOp *m)
{
	struct update_request	 uq;
	struct hook		 pre, post;
	char			 why[256];

	if (dp_request(&uq, m, &pre, &post, why, sizeof(why)) == -1)
		dp_update_refused(m, why);
	else if (dp->dp_updater == NULL)
		dp_update_refused(m, DP_NOT_READY);
	else if (dp_op_on(m->container))
		dp_update_refused(m, "the container is being stopped or "
		    "started: try again");
	else if (updater_start(dp->dp_updater, &uq, why, sizeof(why)) == -1)
		dp_update_refused(m, why);
	hook_free(&pre);
	hook_free(&post);
}

/* --- dispatch ---------------------------------------------------------- */

static struct dp_op *
dp_op_new(const Sentinel__Ipc__DockerOp *m)
{
	struct dp_op	*op;

	if (dp->dp_nops >= DP_OPS_MAX ||
	    (op = calloc(1, sizeof(*op))) == NULL)
		return (NULL);
	op->do_kind = m->kind;
	op->do_lines = m->lines;
	op->do_began = monotime_now();
	strlcpy(op->do_request, m->request_id, sizeof(op->do_request));
	strlcpy(op->do_container, m->container, sizeof(op->do_container));
	strlcpy(op->do_action, m->action, sizeof(op->do_action));
	if (strlcpy(op->do_image, m->image, sizeof(op->do_image)) >=
	    sizeof(op->do_image))
		op->do_image[0] = '\0';	/* refused as a bad reference */
	TAILQ_INSERT_TAIL(&dp->dp_ops, op, do_entry);
	dp->dp_nops++;
	return (op);
}

void
dp_dispatch(const Sentinel__Ipc__DockerOp *m)
{
	struct dp_op	*op;

	if (m->kind == SENTINEL__IPC__DOCKER_OP__KIND__LIST) {
		dp_list(m);
		return;
	}
	if (m->kind == SENTINEL__IPC__DOCKER_OP__KIND__UPDATE ||
	    m->kind == SENTINEL__IPC__DOCKER_OP__KIND__ROLLBACK) {
		dp_update(m);
		return;
	}
	if ((op = dp_op_new(m)) == NULL) {
		dp_update_refused(m, "too many operations at the same time");
		return;
	}
	switch (m->kind) {
	case SENTINEL__IPC__DOCKER_OP__KIND__ACTION:
		dp_action(op);
		return;
	case SENTINEL__IPC__DOCKER_OP__KIND__LOGS:
		dp_logs(op, m);
		return;
	case SENTINEL__IPC__DOCKER_OP__KIND__PULL:
		dp_pull(op, m);
		return;
	case SENTINEL__IPC__DOCKER_OP__KIND__HOOK:
		dp_hook(op, m);
		return;
	case SENTINEL__IPC__DOCKER_OP__KIND__PLAN:
		dp_plan(op, m);
		return;
	case SENTINEL__IPC__DOCKER_OP__KIND__DETAIL:
		dp_detail(op);
		return;
	default:
		dp_op_done(op, "unknown operation");
		return;
	}
}
