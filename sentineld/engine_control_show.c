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

#include "db.h"
#include "doctor.h"

/* Commands that show or change what is in the database. */
#define EVENTS_SHOWN	1000

/* --- status ------------------------------------------------------------- */

/* The processes come from the parent, one message each. */
void
client_status(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__StatusView	 view;

	(void)req;
	view_status(&view);
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_STATUS;
	item.status = &view;
	(void)client_item(cl, &item);
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
	struct doctor_line		 dl;
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
	if (doctor_is(cl->cl_id)) {
		doctor_set_process(&dl, name, pid, restarts, sandbox);
		doctor_add(&dl);
		return;
	}
	sentinel__ipc__process_view__init(&view);
	view.name = name;
	view.pid = (int32_t)pid;
	view.uid = uid;
	view.restarts = restarts;
	view.sandbox = sandbox;
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_PROCESS;
	item.process = &view;
	(void)client_item(cl, &item);
}

void
client_status_end(struct peer *p, struct imsg *imsg)
{
	struct client	*cl;

	(void)p;
	if (doctor_is(imsg_get_id(imsg)))
		doctor_got(DOCTOR_WAIT_PROCS);
	else if ((cl = client_find(imsg_get_id(imsg))) != NULL)
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
	(void)client_item(cl, &item);
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

void
client_events(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	if (store_view(eng->store, walk_events, cl) == -1)
		client_end(cl, CONTROL_FAILED, "the database cannot be read");
	else if (req->follow)
		cl->cl_follows = true;
	else
		client_end_noerror(cl);
}
