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

#include "engine_follow.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "docker_keep.h"
#include "engine_audit.h"
#include "engine_hook.h"
#include "engine_live.h"
#include "engine_oplog.h"
#include "engine_quarantine.h"
#include "log.h"
#include "pbcheck.h"
#include "xmalloc.h"

/* Commands that look at containers or move them. */
#define LOGS_MAXBYTES	(1024 * 1024 - 4096)	/* of LogsView.logs */

#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name

static size_t	 send_containers(struct client *, struct host *);
static void	 more_containers(struct client *);
static void	 on_list(struct op *, const struct op_result *, void *);
static const char *newest(const char *);
static void	 on_op(struct op *, const struct op_result *, void *);
static void	 record(const struct op *, uint32_t);
static bool	 logs_possible(struct client *, const struct host *,
		    const Sentinel__Ipc__ControlRequest *);

/*
 * Sends containers of a host from cl_skip on; cl_skip is where it stopped.  A
 * list that was replaced between two pieces may show one twice or not at all.
 */
static size_t
send_containers(struct client *cl, struct host *h)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__ContainerView	 view;
	struct quarantine_host		 bad;
	struct container		*c;
	struct pbmem			 pm, badmem;
	size_t				 n = 0, sent = 0;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	pbmem_init(&badmem, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	quarantine_of_host(h, &badmem, &bad);
	TAILQ_FOREACH(c, &h->h_containers, ct_entry) {
		if (n++ < cl->cl_skip)
			continue;
		if (client_is_full(sent))
			goto out;
		cl->cl_skip = n;
		sentinel__ipc__container_view__init(&view);
		view.host_id = h->h_id;
		view.host_name = h->h_name;
		view.info = pbcheck_unpack(
		    &sentinel__cluster__container_info__descriptor, c->ct_blob,
		    c->ct_len, &pm, NULL);
		view.state_age_sec = live_is_fresh(h) ? 0 :
		    time(NULL) - h->h_listed_at;
		view.stale = !host_is_connected(h);
		view.quarantine = quarantine_digests(&bad, c->ct_name,
		    &view.n_quarantine);
		sentinel__ipc__control_item__init(&item);
		item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_CONTAINER;
		item.container = &view;
		if (view.info != NULL)
			sent += client_item(cl, &item);
		pbmem_free(&pm);
	}
	cl->cl_skip = 0;
 out:
	pbmem_free(&badmem);
	return (sent);
}

/* From cl_at and cl_skip on. */
static void
more_containers(struct client *cl)
{
	struct host	*h;
	size_t		 sent = 0;

	for (h = client_host_at(cl->cl_at); h != NULL;
	    h = RB_NEXT(host_tree, &eng->hosts, h)) {
		if (h->h_state == HOST_DECOMMISSIONED ||
		    (cl->cl_host[0] != '\0' &&
		    strcmp(cl->cl_host, h->h_id) != 0))
			continue;
		/* cl_skip is of the host that was named, if that is there. */
		if (strcmp(cl->cl_at, h->h_id) != 0)
			cl->cl_skip = 0;
		(void)strlcpy(cl->cl_at, h->h_id, sizeof(cl->cl_at));
		if (!client_is_full(sent)) {
			sent += send_containers(cl, h);
			if (cl->cl_skip == 0)
				continue;
		}
		client_later(cl, more_containers);
		return;
	}
	client_end_noerror(cl);
}

/* A host that does not answer in time is shown as it was last seen. */
static void
on_list(struct op *op, const struct op_result *r, void *arg)
{
	struct client	*cl = arg;

	if (r->or_error != NULL && r->or_error[0] != '\0')
		log_debug("host %s: fresh list: %s", op->op_host->h_id,
		    r->or_error);
	/* Still 1 while client_container_list() is asking. */
	if (--cl->cl_waiting == 0)
		more_containers(cl);
}

/* Anybody may look, and must not make all agents list without end. */
static bool
is_fresh(const struct host *h)
{
	return (h->h_fresh != 0 &&
	    monotime_now() - h->h_fresh < HOST_FRESH_MSEC);
}

void
client_container_list(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h, *only = NULL;
	struct op	*op;

	if (req->host[0] != '\0') {
		if ((only = client_host(cl, req->host)) == NULL)
			return;
		(void)strlcpy(cl->cl_host, only->h_id, sizeof(cl->cl_host));
	}
	cl->cl_waiting = 1;
	RB_FOREACH(h, host_tree, &eng->hosts) {
		if ((only != NULL && h != only) || !host_is_connected(h) ||
		    live_is_fresh(h) || (req->read_only && is_fresh(h)) ||
		    (op = op_new(OP_LIST, h)) == NULL)
			continue;
		op->op_msec = HOST_REFRESH_MSEC;
		op->op_done = on_list;
		op->op_arg = cl;
		cl->cl_waiting++;
		op_start(op);
	}
	if (--cl->cl_waiting == 0)
		more_containers(cl);
}

/* What the wire takes for names of containers and images. */
static bool
is_word(const char *s)
{
	return (pbcheck_has_set(PB_WORD, (const uint8_t *)s, strlen(s)));
}

/* The text of every agent, of the one in Go too, for a name it lacks. */
static bool
is_unknown(const struct op *op, const struct op_result *r)
{
	char	 text[512];

	(void)snprintf(text, sizeof(text), "container \"%s\" not found",
	    op->op_container);
	return (r->or_error != NULL && strcmp(r->or_error, text) == 0);
}

static enum control_code
result_code(const struct op *op, const struct op_result *r)
{
	if (r->or_end == OP_TIMEOUT)
		return (CONTROL_TIMEOUT);
	if (r->or_end == OP_GONE)
		return (CONTROL_UNREACH);
	if (op->op_kind == OP_PLAN && r->or_plan != NULL)
		return (r->or_plan->identical ? CONTROL_OK : CONTROL_WOULD);
	if (strcmp(r->or_outcome, "success") == 0 ||
	    strcmp(r->or_outcome, "identical") == 0)
		return (CONTROL_OK);
	if (strcmp(r->or_outcome, "rollback") == 0)
		return (CONTROL_ROLLBACK);
	if (strcmp(r->or_outcome, "skipped") == 0)
		return (CONTROL_SKIPPED);
	return (is_unknown(op, r) ? CONTROL_NOSUCH : CONTROL_FAILED);
}

static char *
lend(const char *s)
{
	static char	 empty[1];

	return (s == NULL ? empty : (char *)(uintptr_t)s);
}

/* Of lines that are too many in bytes the last ones count. */
static const char *
newest(const char *logs)
{
	const char	*nl;
	size_t		 len = logs == NULL ? 0 : strlen(logs);

	if (len <= LOGS_MAXBYTES)
		return (logs);
	logs += len - LOGS_MAXBYTES;
	nl = strchr(logs, '\n');
	return (nl != NULL && nl[1] != '\0' ? nl + 1 : logs);
}

/* The host's plan knows nothing of what it was rolled back from. */
static void
plan_quarantine(const struct op *op, Sentinel__Ipc__PlanView *v,
    struct pbmem *pm)
{
	size_t	 i;

	v->quarantine = quarantine_views(op->op_host, op->op_container, pm,
	    &v->n_quarantine);
	for (i = 0; i < v->n_quarantine; i++)
		v->quarantine[i]->applies = !v->plan->identical &&
		    (quarantine_is(v->quarantine[i]->digest,
		    v->plan->new_digest) ||
		    quarantine_is(v->quarantine[i]->digest,
		    v->plan->new_image_id));
}

static void
on_op(struct op *op, const struct op_result *r, void *arg)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__ResultView	 view;
	Sentinel__Ipc__LogsView		 logs;
	Sentinel__Ipc__PlanView		 plan;
	struct client			*cl = arg;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	sentinel__ipc__control_item__init(&item);
	if (op->op_kind == OP_LOGS && result_code(op, r) == CONTROL_OK) {
		sentinel__ipc__logs_view__init(&logs);
		logs.host_name = op->op_host->h_name;
		logs.container = op->op_container;
		logs.logs = lend(newest(r->or_logs));
		logs.lines = r->or_lines;
		logs.remote = !op->op_host->h_local;
		item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_LOGS;
		item.logs = &logs;
	} else if (r->or_plan != NULL) {
		sentinel__ipc__plan_view__init(&plan);
		plan.host_id = op->op_host->h_id;
		plan.host_name = op->op_host->h_name;
		plan.container = op->op_container;
		/* Only packed. */
		plan.plan = (Sentinel__Cluster__Plan *)(uintptr_t)r->or_plan;
		plan_quarantine(op, &plan, &pm);
		item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_PLAN;
		item.plan = &plan;
	} else {
		sentinel__ipc__result_view__init(&view);
		view.request_id = op->op_id;
		view.host_name = op->op_host->h_name;
		view.container = op->op_container;
		view.action = lend(oplog_kind(op));
		view.outcome = lend(r->or_outcome);
		view.error = lend(r->or_error);
		view.old_image = lend(r->or_old_image);
		view.old_digest = lend(r->or_old_digest);
		view.new_image = lend(r->or_new_image);
		view.new_digest = lend(r->or_new_digest);
		view.duration_msec = r->or_msec;
		item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_RESULT;
		item.result = &view;
	}
	(void)client_item(cl, &item);
	pbmem_free(&pm);
	/* What went wrong beside a success is part of the item. */
	client_end(cl, result_code(op, r), "%s", result_code(op, r) ==
	    CONTROL_OK ? "" : lend(r->or_error));
}

static void
on_op_progress(struct op *op, const char *phase, uint32_t percent,
    const char *text, void *arg)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__ProgressView	 view;

	sentinel__ipc__progress_view__init(&view);
	view.request_id = op->op_id;
	view.phase = lend(phase);
	view.percent = percent;
	view.text = lend(text);
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_PROGRESS;
	item.progress = &view;
	(void)client_item(arg, &item);
}

/*
 * The reference for an update without --image: that of the host's list.  A
 * foreign agent cannot pull an empty one.
 */
static void
current_image(struct host *h, const char *name, char *image, size_t len)
{
	Sentinel__Cluster__ContainerInfo	*info;
	struct container			*c;
	struct pbmem				 pm;

	image[0] = '\0';
	if ((c = container_find(h, name)) == NULL)
		return;
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	info = pbcheck_unpack(&sentinel__cluster__container_info__descriptor,
	    c->ct_blob, c->ct_len, &pm, NULL);
	if (info != NULL && strncmp(info->image, "sha256:", 7) != 0)
		(void)strlcpy(image, info->image, len);
	pbmem_free(&pm);
}

/* Ends the client when not. */
static bool
logs_possible(struct client *cl, const struct host *h,
    const Sentinel__Ipc__ControlRequest *req)
{
	if (req->follow && req->until_time != 0)
		client_end(cl, CONTROL_USAGE, "--until and --follow exclude "
		    "each other");
	else if (req->follow || h->h_local || !host_is_connected(h))
		return (true);
	else if ((req->streams != 0 || req->since_time != 0 ||
	    req->timestamps) && !host_has_feature(h, "follow-logs"))
		client_end(cl, CONTROL_FAILED, "the agent on host %s is too "
		    "old for this: it knows --lines alone", h->h_name);
	else if (req->until_time != 0 && !host_has_feature(h, "logs-until"))
		client_end(cl, CONTROL_FAILED, "the agent on host %s is too "
		    "old for this: it does not know --until", h->h_name);
	else
		return (true);
	return (false);
}

static enum op_kind
kind_of(int command)
{
	return (command == C(CONTAINER_UPDATE) ? OP_UPDATE :
	    command == C(CONTAINER_ROLLBACK) ? OP_ROLLBACK :
	    command == C(CONTAINER_PLAN) ? OP_PLAN :
	    command == C(CONTAINER_PULL) ? OP_PULL :
	    command == C(CONTAINER_LOGS) ? OP_LOGS : OP_ACTION);
}

/* False: the client has been told why not. */
static bool
op_possible(struct client *cl, const struct host *h, enum op_kind kind,
    const Sentinel__Ipc__ControlRequest *req)
{
	if (!is_word(req->container) ||
	    (req->container[0] == '\0') != (kind == OP_PULL) ||
	    (kind == OP_ACTION && strcmp(req->action, "stop") != 0 &&
	    strcmp(req->action, "start") != 0 &&
	    strcmp(req->action, "restart") != 0)) {
		client_end(cl, CONTROL_USAGE, "want HOST/NAME and one of stop, "
		    "start, restart");
		return (false);
	}
	if (!is_word(req->image) || strlen(req->image) >=
	    sizeof(((struct op *)0)->op_image) ||
	    (kind == OP_PULL && req->image[0] == '\0')) {
		client_end(cl, CONTROL_USAGE, "this is no image reference");
		return (false);
	}
	if (kind == OP_ROLLBACK && !keep_to_ok(req->to)) {
		client_end(cl, CONTROL_USAGE, "--to: want a number from 1 to "
		    "%d, or an image id or its first 12 digits or more",
		    KEEP_COUNT_MAX);
		return (false);
	}
	return (kind != OP_LOGS || logs_possible(cl, h, req));
}

static void
op_fill(struct op *op, const Sentinel__Ipc__ControlRequest *req)
{
	(void)strlcpy(op->op_container, req->container,
	    sizeof(op->op_container));
	(void)strlcpy(op->op_action, req->action, sizeof(op->op_action));
	(void)strlcpy(op->op_image, req->image, sizeof(op->op_image));
	if ((op->op_kind == OP_UPDATE || op->op_kind == OP_PLAN) &&
	    op->op_image[0] == '\0')
		current_image(op->op_host, req->container, op->op_image,
		    sizeof(op->op_image));
	/* Who names a time wants all since then, as far as it goes. */
	op->op_lines = req->lines <= 0 && req->since_time == 0 ? 50 :
	    req->lines <= 0 || req->lines > 500 ? 500 : req->lines;
	op->op_since_time = req->since_time;
	op->op_until_time = req->until_time;
	op->op_streams = req->streams;
	op->op_timestamps = req->timestamps;
	if ((op->op_kind == OP_UPDATE || op->op_kind == OP_PULL) &&
	    req->registry_auth[0] != '\0')
		op->op_auth = xstrdup(req->registry_auth);
	(void)strlcpy(op->op_to, req->to, sizeof(op->op_to));
	op->op_force = req->force;
}

void
client_container_op(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;
	struct op	*op;
	enum op_kind	 kind = kind_of(req->command);
	char		 why[512];

	if ((h = client_host(cl, req->host)) == NULL ||
	    !op_possible(cl, h, kind, req))
		return;
	if (kind == OP_LOGS && req->follow) {
		follow_start(cl, h, req);
		return;
	}
	if ((op = op_new(kind, h)) == NULL) {
		client_end(cl, CONTROL_FAILED, "too many operations under way "
		    "on host %s; try again", h->h_name);
		return;
	}
	op_fill(op, req);
	op->op_done = on_op;
	op->op_progress = on_op_progress;
	op->op_arg = cl;
	if (kind == OP_UPDATE && hooks_attach(op, req->skip_hooks, why,
	    sizeof(why)) == -1) {
		op_fail(op, OP_FAILED, "%s", why);
		return;
	}
	oplog_begin(op, req->uid);
	if (kind == OP_ACTION || kind == OP_UPDATE || kind == OP_PULL ||
	    kind == OP_ROLLBACK)
		record(op, req->uid);
	op_start(op);
}

/* Who asked for it; what came of it is in the history, under its id.  A full
 * disk must not keep anybody from stopping a container. */
static void
record(const struct op *op, uint32_t uid)
{
	char	 by[32], action[32], subject[384];

	(void)snprintf(by, sizeof(by), "uid %u", uid);
	(void)snprintf(action, sizeof(action), "container.%s",
	    oplog_kind(op));
	(void)snprintf(subject, sizeof(subject), "%s %s%s%s",
	    op->op_kind == OP_PULL ? "host" : "container",
	    op->op_host->h_name, op->op_container[0] != '\0' ? "/" : "",
	    op->op_container);
	(void)audit_write(by, action, subject, AUDIT_OK,
	    "asked for, operation %s%s%s%s%s%s", op->op_id,
	    op->op_image[0] != '\0' ? ", image " : "", op->op_image,
	    op->op_to[0] != '\0' ? ", to " : "", op->op_to,
	    op->op_force ? ", forced" : "");
}
