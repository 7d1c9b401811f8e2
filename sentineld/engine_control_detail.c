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

#include "engine_client.h"

#include <string.h>

#include "db_history.h"
#include "engine_oplog.h"
#include "engine_quarantine.h"
#include "pbcheck.h"

/* sentinelctl container show: one container, and everything about it. */
#define DETAIL_HISTORY_MAX	10
#define DETAIL_OPS_MAX		16

struct detail {
	struct pbmem			 de_mem;	/* of the copies */
	Sentinel__Ipc__OperationView	 de_opview[DETAIL_OPS_MAX];
	Sentinel__Ipc__OperationView	*de_ops[DETAIL_OPS_MAX];
	size_t				 de_nops;
	Sentinel__Ipc__HistoryView	 de_rowview[DETAIL_HISTORY_MAX];
	Sentinel__Ipc__HistoryView	*de_rows[DETAIL_HISTORY_MAX];
	size_t				 de_nrows;
	const char			*de_host;
	const char			*de_container;
};

static void	 on_list(struct op *, const struct op_result *, void *);
static void	 on_detail(struct op *, const struct op_result *, void *);
static void	 look(struct client *, struct host *);
static void	 show(struct client *, struct host *, const char *,
		    const Sentinel__Cluster__Detail *, const char *);

/* Strings of a row do not outlive the visit. */
static bool
add_row(const char *host, const Sentinel__Store__HistoryRow *r, void *arg)
{
	struct detail			*de = arg;
	Sentinel__Ipc__HistoryView	*v;

	if (de->de_nrows == DETAIL_HISTORY_MAX)
		return (false);
	v = &de->de_rowview[de->de_nrows];
	sentinel__ipc__history_view__init(v);
#define COPY(s)	pbmem_strndup(&de->de_mem, (s), strlen(s))
	if ((v->host_id = COPY(host)) == NULL ||
	    (v->host_name = COPY(r->host_name)) == NULL ||
	    (v->id = COPY(r->id)) == NULL ||
	    (v->origin = COPY(r->origin)) == NULL ||
	    (v->container = COPY(r->container)) == NULL ||
	    (v->action = COPY(r->action)) == NULL ||
	    (v->old_image = COPY(r->old_image)) == NULL ||
	    (v->new_image = COPY(r->new_image)) == NULL ||
	    (v->old_digest = COPY(r->old_digest)) == NULL ||
	    (v->new_digest = COPY(r->new_digest)) == NULL ||
	    (v->outcome = COPY(r->outcome)) == NULL ||
	    (v->error = COPY(r->error)) == NULL)
		return (false);
#undef COPY
	v->time_msec = r->time_msec;
	v->duration_msec = r->duration_msec;
	v->stored_msec = r->stored_msec;
	de->de_rows[de->de_nrows++] = v;
	return (true);
}

static int
walk(struct store_txn *txn, void *arg)
{
	struct detail	*de = arg;

	return (db_history_walk(txn, de->de_host, de->de_container, 0,
	    DETAIL_HISTORY_MAX, add_row, de) == -1 ? -1 : 0);
}

static void
add_operations(struct detail *de, const struct host *h, const char *name)
{
	struct op	*op;

	RB_FOREACH(op, op_tree, &eng->ops) {
		if (op->op_host != h || op->op_by[0] == '\0' ||
		    strcmp(op->op_container, name) != 0 ||
		    de->de_nops == DETAIL_OPS_MAX)
			continue;
		oplog_view_op(op, &de->de_opview[de->de_nops]);
		de->de_ops[de->de_nops] = &de->de_opview[de->de_nops];
		de->de_nops++;
	}
}

/* A list that is not fresh is better than none: the age is shown. */
static void
on_list(struct op *op, const struct op_result *r, void *arg)
{
	(void)r;
	look(arg, op->op_host);
}

/* What Docker knows, if the host can tell; else its list has to do. */
static void
on_detail(struct op *op, const struct op_result *r, void *arg)
{
	struct client	*cl = arg;
	char		 name[sizeof(cl->cl_container)];

	(void)strlcpy(name, cl->cl_container, sizeof(name));
	show(cl, op->op_host, name, r->or_detail, r->or_detail == NULL ?
	    r->or_error : "");
}

static void
look(struct client *cl, struct host *h)
{
	struct op	*op;
	char		 name[sizeof(cl->cl_container)];

	(void)strlcpy(name, cl->cl_container, sizeof(name));
	if (container_find(h, name) == NULL || !host_is_connected(h) ||
	    (op = op_new(OP_DETAIL, h)) == NULL) {
		show(cl, h, name, NULL, host_is_connected(h) ?
		    "too many operations are under way on this host" :
		    "the host is not connected");
		return;
	}
	(void)strlcpy(op->op_container, name, sizeof(op->op_container));
	op->op_msec = HOST_REFRESH_MSEC;
	op->op_done = on_detail;
	op->op_arg = cl;
	op_start(op);
}

static void
send_detail(struct client *cl, struct host *h, const char *name,
    Sentinel__Cluster__ContainerInfo *info,
    const Sentinel__Cluster__Detail *detail, const char *why)
{
	Sentinel__Ipc__ContainerDetailView	 v;
	Sentinel__Ipc__ContainerView		 container;
	Sentinel__Ipc__PolicyView		 policy;
	Sentinel__Ipc__ControlItem		 item;
	struct detail				 de = { .de_nops = 0 };

	pbmem_init(&de.de_mem, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	de.de_host = h->h_id;
	de.de_container = name;
	sentinel__ipc__container_view__init(&container);
	container.host_id = h->h_id;
	container.host_name = h->h_name;
	container.info = info;
	container.state_age_sec = time(NULL) - h->h_listed_at;
	container.stale = !host_is_connected(h);
	client_policy_view(h, info, &policy);
	add_operations(&de, h, name);
	if (store_view(eng->store, walk, &de) == -1) {
		pbmem_free(&de.de_mem);
		client_end(cl, CONTROL_FAILED, "the database cannot be read");
		return;
	}
	sentinel__ipc__container_detail_view__init(&v);
	v.container = &container;
	v.policy = &policy;
	/* Only packed. */
	v.detail = (Sentinel__Cluster__Detail *)(uintptr_t)detail;
	v.detail_error = (char *)(uintptr_t)why;
	v.operations = de.de_ops;
	v.n_operations = de.de_nops;
	v.history = de.de_rows;
	v.n_history = de.de_nrows;
	v.quarantine = quarantine_views(h, name, &de.de_mem,
	    &v.n_quarantine);
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_DETAIL;
	item.detail = &v;
	(void)client_item(cl, &item);
	pbmem_free(&de.de_mem);
	client_end_noerror(cl);
}

static void
show(struct client *cl, struct host *h, const char *name,
    const Sentinel__Cluster__Detail *detail, const char *why)
{
	Sentinel__Cluster__ContainerInfo	*info = NULL;
	struct container			*c;
	struct pbmem				 pm;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	if ((c = container_find(h, name)) != NULL)
		info = pbcheck_unpack(
		    &sentinel__cluster__container_info__descriptor,
		    c->ct_blob, c->ct_len, &pm, NULL);
	if (info != NULL)
		send_detail(cl, h, name, info, detail, why);
	else
		client_end(cl, CONTROL_NOSUCH, "host %s has no container %s",
		    h->h_name, name);
	pbmem_free(&pm);
}

void
client_container_show(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;
	struct op	*op;

	if ((h = client_host(cl, req->host)) == NULL)
		return;
	(void)strlcpy(cl->cl_container, req->container,
	    sizeof(cl->cl_container));
	/* Anybody may look, and must not make an agent list without end. */
	if (!host_is_connected(h) || (h->h_fresh != 0 &&
	    monotime_now() - h->h_fresh < HOST_FRESH_MSEC) ||
	    (op = op_new(OP_LIST, h)) == NULL) {
		look(cl, h);
		return;
	}
	op->op_msec = HOST_REFRESH_MSEC;
	op->op_done = on_list;
	op->op_arg = cl;
	op_start(op);
}
