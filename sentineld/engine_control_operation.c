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

#include "engine_oplog.h"

/* sentinelctl operation list and show. */
static void
send_operation(struct client *cl, Sentinel__Ipc__OperationView *v)
{
	Sentinel__Ipc__ControlItem	 item;

	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_OPERATION;
	item.operation = v;
	(void)client_item(cl, &item);
}

/* Those that ended first, then those under way: the newest come last.  Not in
 * pieces: there are never more than OPLOG_MAX and ENGINE_OPS_MAX small ones. */
void
client_operation_list(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	Sentinel__Ipc__OperationView	 v;
	const struct oplog_row		*ol;
	struct host			*h = NULL;
	struct op			*op;
	size_t				 n;

	if (req->host[0] != '\0' && (h = client_host(cl, req->host)) == NULL)
		return;
	for (n = 0; (ol = oplog_row(n)) != NULL; n++) {
		if (h != NULL && strcmp(ol->ol_host, h->h_id) != 0)
			continue;
		oplog_view_row(ol, &v);
		send_operation(cl, &v);
	}
	RB_FOREACH(op, op_tree, &eng->ops) {
		if (op->op_by[0] == '\0' || (h != NULL && op->op_host != h))
			continue;
		oplog_view_op(op, &v);
		send_operation(cl, &v);
	}
	client_end_noerror(cl);
}

void
client_operation_show(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	Sentinel__Ipc__OperationView	 v;
	const struct oplog_row		*ol;
	struct op			*op;
	size_t				 n;

	if ((op = op_find(req->operation)) != NULL && op->op_by[0] != '\0')
		oplog_view_op(op, &v);
	else {
		for (n = 0; (ol = oplog_row(n)) != NULL; n++)
			if (strcmp(ol->ol_id, req->operation) == 0)
				break;
		if (ol == NULL) {
			client_end(cl, CONTROL_NOSUCH, "no operation %s since "
			    "the start; history list has older ones",
			    req->operation);
			return;
		}
		oplog_view_row(ol, &v);
	}
	send_operation(cl, &v);
	client_end_noerror(cl);
}
