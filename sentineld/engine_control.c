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

#include "engine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "hex.h"
#include "ipccheck.h"
#include "log.h"
#include "xmalloc.h"

/*
 * Requests of sentinelctl.  control has checked version, socket and caller
 * and has given every request an id; a handler answers with items and exactly
 * one end, now or later.
 */
#define EVENTS_SHOWN	1000

struct client {
	uint32_t	 cl_id;
	enum { CLIENT_PLAIN, CLIENT_FOLLOWS, CLIENT_LISTS } cl_kind;
	RB_ENTRY(client) cl_entry;
	char		 cl_host[HOST_ID_SIZE];	/* container list: "" all */
	unsigned int	 cl_waiting;		/* lists being refreshed */
	uint32_t	 cl_asked;		/* STATUS_ASK under way */
};
RB_HEAD(client_tree, client);

static int	 client_cmp(const struct client *, const struct client *);
static struct client *client_find(uint32_t);
static void	 client_free(struct client *);
static void	 do_status(struct client *,
		    const Sentinel__Ipc__ControlRequest *);
static void	 do_token_create(struct client *,
		    const Sentinel__Ipc__ControlRequest *);
static void	 on_token(const char *, const Sentinel__Store__Token *,
		    const char *, void *);
static void	 do_token_list(struct client *,
		    const Sentinel__Ipc__ControlRequest *);
static void	 do_token_revoke(struct client *,
		    const Sentinel__Ipc__ControlRequest *);
static void	 do_host_list(struct client *,
		    const Sentinel__Ipc__ControlRequest *);
static void	 do_host_show(struct client *,
		    const Sentinel__Ipc__ControlRequest *);
static void	 do_events(struct client *,
		    const Sentinel__Ipc__ControlRequest *);
static void	 do_container_list(struct client *,
		    const Sentinel__Ipc__ControlRequest *);
static void	 do_container_op(struct client *,
		    const Sentinel__Ipc__ControlRequest *);
static struct host *want_host(struct client *, const Sentinel__Ipc__ControlRequest *);

RB_PROTOTYPE_STATIC(client_tree, client, cl_entry, client_cmp)
RB_GENERATE_STATIC(client_tree, client, cl_entry, client_cmp)

static struct client_tree	clients = RB_INITIALIZER(&clients);
static size_t			nclients;

#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name
static const struct {
	void	(*fn)(struct client *, const Sentinel__Ipc__ControlRequest *);
	bool	 changes;		/* refused on the read-only socket */
} commands[] = {
	[C(STATUS)] =		{ do_status,		false },
	[C(TOKEN_CREATE)] =	{ do_token_create,	true },
	[C(TOKEN_LIST)] =	{ do_token_list,	false },
	[C(TOKEN_REVOKE)] =	{ do_token_revoke,	true },
	[C(HOST_LIST)] =	{ do_host_list,		false },
	[C(HOST_SHOW)] =	{ do_host_show,		false },
	[C(EVENTS)] =		{ do_events,		false },
	[C(CONTAINER_LIST)] =	{ do_container_list,	false },
	[C(CONTAINER_UPDATE)] =	{ do_container_op,	true },
	[C(CONTAINER_ACTION)] =	{ do_container_op,	true },
	[C(CONTAINER_LOGS)] =	{ do_container_op,	false },
};

static int
client_cmp(const struct client *a, const struct client *b)
{
	return (a->cl_id < b->cl_id ? -1 : a->cl_id > b->cl_id);
}

static struct client *
client_find(uint32_t id)
{
	struct client	 want;

	want.cl_id = id;
	return (RB_FIND(client_tree, &clients, &want));
}

/* Operations go on without their client; nobody is told their end. */
static void
client_free(struct client *cl)
{
	op_forget_arg(cl);
	RB_REMOVE(client_tree, &clients, cl);
	nclients--;
	free(cl);
}

void
client_item(struct client *cl, Sentinel__Ipc__ControlItem *item)
{
	peer_send_pb(proc_peer(ROLE_CONTROL), IMSG_CONTROL_ITEM, cl->cl_id,
	    &item->base);
}

void
client_end(struct client *cl, enum control_code code, const char *fmt, ...)
{
	Sentinel__Ipc__ControlEnd	 end;
	char				 text[1024];
	va_list				 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sentinel__ipc__control_end__init(&end);
	end.code = code;
	end.error = text;
	peer_send_pb(proc_peer(ROLE_CONTROL), IMSG_CONTROL_END, cl->cl_id,
	    &end.base);
	client_free(cl);
}

void
client_end_noerror(struct client *cl)
{
	client_end(cl, CONTROL_OK, "%s", "");
}

void
client_request(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__ControlRequest	*req;
	struct client			*cl;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	req = ipc_unpack(imsg, &sentinel__ipc__control_request__descriptor,
	    &pm);
	if (req == NULL || client_find(imsg_get_id(imsg)) != NULL) {
		peer_broken(p, imsg, req == NULL ? pm.pm_why :
		    "request id twice");
		pbmem_free(&pm);
		return;
	}
	cl = xcalloc(1, sizeof(*cl));
	cl->cl_id = imsg_get_id(imsg);
	RB_INSERT(client_tree, &clients, cl);
	nclients++;
	if (!eng->ready || nclients > ENGINE_CLIENTS_MAX)
		client_end(cl, CONTROL_UNREACH, "the server is %s; try again",
		    eng->ready ? "busy" : "starting");
	else if ((size_t)req->command >= nitems(commands))
		client_end(cl, CONTROL_USAGE, "this server does not know "
		    "command %d", (int)req->command);
	else if (req->read_only && commands[req->command].changes)
		client_end(cl, CONTROL_DENIED, "not permitted on the "
		    "read-only socket");
	else
		commands[req->command].fn(cl, req);
	pbmem_free(&pm);
}

void
client_gone(struct peer *p, struct imsg *imsg)
{
	struct client	*cl;

	(void)p;
	if ((cl = client_find(imsg_get_id(imsg))) != NULL)
		client_free(cl);
}

/* --- status ------------------------------------------------------------- */

/* The processes come from the parent, one message each. */
static void
do_status(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__StatusView	 view;

	(void)req;
	view_status(&view);
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_STATUS;
	item.status = &view;
	client_item(cl, &item);
	peer_send(proc_peer(ROLE_PARENT), IMSG_STATUS_ASK, cl->cl_id, -1,
	    NULL, 0);
}

/* str name, u32 pid, u32 uid, u32 restarts, str sandbox */
void
client_status_proc(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__ProcessView	 view;
	struct ibuf			*buf = imsg_get_ibuf(imsg);
	struct client			*cl;
	char				 name[64], sandbox[256];
	uint32_t			 pid, uid, restarts;

	if (ibuf_get_string(buf, name, sizeof(name)) == -1 ||
	    ibuf_get_n32(buf, &pid) == -1 || ibuf_get_n32(buf, &uid) == -1 ||
	    ibuf_get_n32(buf, &restarts) == -1 ||
	    ibuf_get_string(buf, sandbox, sizeof(sandbox)) == -1 ||
	    ibuf_end(buf) == -1) {
		peer_broken(p, imsg, "bad STATUS_PROC");
		return;
	}
	if ((cl = client_find(imsg_get_id(imsg))) == NULL)
		return;
	sentinel__ipc__process_view__init(&view);
	view.name = name;
	view.pid = (int32_t)pid;
	view.uid = uid;
	view.restarts = restarts;
	view.sandbox = sandbox;
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_PROCESS;
	item.process = &view;
	client_item(cl, &item);
}

void
client_status_end(struct peer *p, struct imsg *imsg)
{
	struct client	*cl;

	(void)p;
	if ((cl = client_find(imsg_get_id(imsg))) != NULL)
		client_end_noerror(cl);
}

/* --- tokens ------------------------------------------------------------- */

static void
do_token_create(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	if (req->ttl_sec > 365 * 86400ULL) {
		client_end(cl, CONTROL_USAGE, "a token may live 365 days at "
		    "most");
		return;
	}
	if (strlen(req->name) >= HOST_NAME_SIZE) {
		client_end(cl, CONTROL_USAGE, "a host name has at most %d "
		    "characters", HOST_NAME_SIZE - 1);
		return;
	}
	/* The client may go while the keyholder computes: look it up again. */
	token_create((int64_t)req->ttl_sec, req->name, req->uid, on_token,
	    (void *)(uintptr_t)cl->cl_id);
}

static void
on_token(const char *token, const Sentinel__Store__Token *record,
    const char *why, void *arg)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__TokenView	 view;
	struct client			*cl;
	char				 text[65];

	if ((cl = client_find((uint32_t)(uintptr_t)arg)) == NULL)
		return;
	if (token == NULL) {
		client_end(cl, CONTROL_FAILED, "token create: %s", why);
		return;
	}
	view_token(record, &view);
	(void)strlcpy(text, token, sizeof(text));
	view.token = text;
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_TOKEN;
	item.token = &view;
	client_item(cl, &item);
	explicit_bzero(text, sizeof(text));
	client_end_noerror(cl);
}

static bool
send_token(const Sentinel__Store__Token *t, void *arg)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__TokenView	 view;

	view_token(t, &view);
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_TOKEN;
	item.token = &view;
	client_item(arg, &item);
	return (true);
}

static int
walk_tokens(struct store_txn *txn, void *arg)
{
	return (db_token_walk(txn, send_token, arg) == -1 ? -1 : 0);
}

static void
do_token_list(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	(void)req;
	if (store_view(eng->store, walk_tokens, cl) == -1)
		client_end(cl, CONTROL_FAILED, "the database cannot be read");
	else
		client_end_noerror(cl);
}

static void
do_token_revoke(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	switch (token_revoke(req->token_id)) {
	case 1:
		event_publish("token", NULL, NULL, "token %s revoked",
		    req->token_id);
		client_end_noerror(cl);
		break;
	case 0:
		client_end(cl, CONTROL_NOSUCH, "no token %s; token list shows "
		    "their ids (8 characters)", req->token_id);
		break;
	default:
		client_end(cl, CONTROL_FAILED, "the database failed");
		break;
	}
}

/* --- hosts -------------------------------------------------------------- */

static void
send_host(struct client *cl, const struct host *h)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__HostView		 view;

	view_host(h, &view);
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_HOST;
	item.host = &view;
	client_item(cl, &item);
}

static void
do_host_list(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;

	(void)req;
	RB_FOREACH(h, host_tree, &eng->hosts)
		send_host(cl, h);
	client_end_noerror(cl);
}

/* NULL: the client was told. */
static struct host *
want_host(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;

	if ((h = host_lookup(req->host)) == NULL)
		client_end(cl, CONTROL_NOSUCH, "no host %s; host list shows "
		    "names and ids", req->host);
	return (h);
}

static void
do_host_show(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;

	if ((h = want_host(cl, req)) == NULL)
		return;
	send_host(cl, h);
	client_end_noerror(cl);
}

/* --- events ------------------------------------------------------------- */

static void
send_event_view(struct client *cl, const Sentinel__Ipc__EventView *view)
{
	Sentinel__Ipc__ControlItem	 item;

	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_EVENT;
	item.event = (Sentinel__Ipc__EventView *)(uintptr_t)view;
	client_item(cl, &item);
}

static bool
send_event(const Sentinel__Store__Event *e, void *arg)
{
	Sentinel__Ipc__EventView	 view;

	view_event(e, &view);
	send_event_view(arg, &view);
	return (true);
}

static int
walk_events(struct store_txn *txn, void *arg)
{
	return (db_event_walk(txn, 0, EVENTS_SHOWN, send_event, arg) == -1 ?
	    -1 : 0);
}

static void
do_events(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	if (store_view(eng->store, walk_events, cl) == -1)
		client_end(cl, CONTROL_FAILED, "the database cannot be read");
	else if (req->follow)
		cl->cl_kind = CLIENT_FOLLOWS;
	else
		client_end_noerror(cl);
}

void
client_event(const Sentinel__Ipc__EventView *view)
{
	struct client	*cl;

	RB_FOREACH(cl, client_tree, &clients) {
		if (cl->cl_kind == CLIENT_FOLLOWS)
			send_event_view(cl, view);
	}
}

/* --- containers --------------------------------------------------------- */

static void
send_containers(struct client *cl, struct host *h)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__ContainerView	 view;
	struct container		*c;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	TAILQ_FOREACH(c, &h->h_containers, ct_entry) {
		sentinel__ipc__container_view__init(&view);
		view.host_id = h->h_id;
		view.host_name = h->h_name;
		view.info = pbcheck_unpack(
		    &sentinel__cluster__container_info__descriptor, c->ct_blob,
		    c->ct_len, &pm, NULL);
		view.state_age_sec = time(NULL) - h->h_listed_at;
		view.stale = !host_is_connected(h);
		sentinel__ipc__control_item__init(&item);
		item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_CONTAINER;
		item.container = &view;
		if (view.info != NULL)
			client_item(cl, &item);
		pbmem_free(&pm);
	}
}

static void
finish_list(struct client *cl)
{
	struct host	*h;

	RB_FOREACH(h, host_tree, &eng->hosts) {
		if (h->h_state != HOST_DECOMMISSIONED &&
		    (cl->cl_host[0] == '\0' ||
		    strcmp(cl->cl_host, h->h_id) == 0))
			send_containers(cl, h);
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
	/* Still 1 while do_container_list() is asking. */
	if (--cl->cl_waiting == 0)
		finish_list(cl);
}

static void
do_container_list(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h, *only = NULL;
	struct op	*op;

	if (req->host[0] != '\0') {
		if ((only = want_host(cl, req)) == NULL)
			return;
		(void)strlcpy(cl->cl_host, only->h_id, sizeof(cl->cl_host));
	}
	cl->cl_kind = CLIENT_LISTS;
	cl->cl_waiting = 1;
	RB_FOREACH(h, host_tree, &eng->hosts) {
		if ((only != NULL && h != only) || !host_is_connected(h) ||
		    (op = op_new(OP_LIST, h)) == NULL)
			continue;
		op->op_msec = HOST_REFRESH_MSEC;
		op->op_done = on_list;
		op->op_arg = cl;
		cl->cl_waiting++;
		op_start(op);
	}
	if (--cl->cl_waiting == 0)
		finish_list(cl);
}

static enum control_code
result_code(const struct op_result *r)
{
	if (r->or_end == OP_TIMEOUT)
		return (CONTROL_TIMEOUT);
	if (r->or_end == OP_GONE)
		return (CONTROL_UNREACH);
	if (strcmp(r->or_outcome, "success") == 0 ||
	    strcmp(r->or_outcome, "identical") == 0)
		return (CONTROL_OK);
	return (strcmp(r->or_outcome, "rollback") == 0 ? CONTROL_ROLLBACK :
	    CONTROL_FAILED);
}

static char *
lend(const char *s)
{
	static char	 empty[1];

	return (s == NULL ? empty : (char *)(uintptr_t)s);
}

static void
on_op(struct op *op, const struct op_result *r, void *arg)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__ResultView	 view;
	Sentinel__Ipc__LogsView		 logs;
	struct client			*cl = arg;

	sentinel__ipc__control_item__init(&item);
	if (op->op_kind == OP_LOGS && result_code(r) == CONTROL_OK) {
		sentinel__ipc__logs_view__init(&logs);
		logs.host_name = op->op_host->h_name;
		logs.container = op->op_container;
		logs.logs = lend(r->or_logs);
		logs.lines = r->or_lines;
		logs.remote = !op->op_host->h_local;
		item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_LOGS;
		item.logs = &logs;
	} else {
		sentinel__ipc__result_view__init(&view);
		view.request_id = op->op_id;
		view.host_name = op->op_host->h_name;
		view.container = op->op_container;
		view.action = lend(op->op_kind == OP_UPDATE ? "update" :
		    op->op_kind == OP_LOGS ? "logs" : op->op_action);
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
	client_item(cl, &item);
	client_end(cl, result_code(r), "%s", lend(r->or_error));
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
	client_item(arg, &item);
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

static void
do_container_op(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;
	struct op	*op;
	enum op_kind	 kind;

	if ((h = want_host(cl, req)) == NULL)
		return;
	kind = req->command == C(CONTAINER_UPDATE) ? OP_UPDATE :
	    req->command == C(CONTAINER_LOGS) ? OP_LOGS : OP_ACTION;
	if (req->container[0] == '\0' ||
	    (kind == OP_ACTION && strcmp(req->action, "stop") != 0 &&
	    strcmp(req->action, "start") != 0 &&
	    strcmp(req->action, "restart") != 0)) {
		client_end(cl, CONTROL_USAGE, "want HOST/NAME and one of stop, "
		    "start, restart");
		return;
	}
	if ((op = op_new(kind, h)) == NULL) {
		client_end(cl, CONTROL_FAILED, "too many operations under way "
		    "on host %s; try again", h->h_name);
		return;
	}
	(void)strlcpy(op->op_container, req->container,
	    sizeof(op->op_container));
	(void)strlcpy(op->op_action, req->action, sizeof(op->op_action));
	(void)strlcpy(op->op_image, req->image, sizeof(op->op_image));
	if (kind == OP_UPDATE && op->op_image[0] == '\0')
		current_image(h, req->container, op->op_image,
		    sizeof(op->op_image));
	op->op_lines = req->lines <= 0 ? 50 : req->lines > 500 ? 500 :
	    req->lines;
	op->op_done = on_op;
	op->op_progress = on_op_progress;
	op->op_arg = cl;
	op_start(op);
}
