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

#include <stdio.h>
#include <string.h>

#include "engine_ca.h"

/* The replacement of the CA for sentinelctl. */
#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name

static size_t	 list_missing(Sentinel__Ipc__CaHostView *,
		    Sentinel__Ipc__CaHostView **);
static void	 send_state(struct client *);
static void	 on_step(void *, const char *);

/* The first CA_HOSTS_MAX. */
static size_t
list_missing(Sentinel__Ipc__CaHostView *views,
    Sentinel__Ipc__CaHostView **list)
{
	struct host	*h;
	const char	*missing;
	size_t		 n = 0;

	RB_FOREACH(h, host_tree, &eng->hosts) {
		if (n == CA_HOSTS_MAX)
			break;
		if ((missing = ca_host_missing(h))[0] == '\0')
			continue;
		sentinel__ipc__ca_host_view__init(&views[n]);
		/* protobuf-c has no const strings. */
		views[n].id = h->h_id;
		views[n].name = h->h_name;
		views[n].connected = host_is_connected(h);
		views[n].missing = (char *)(uintptr_t)missing;
		list[n] = &views[n];
		n++;
	}
	return (n);
}

static void
send_state(struct client *cl)
{
	static Sentinel__Ipc__CaHostView	 views[CA_HOSTS_MAX];
	static Sentinel__Ipc__CaHostView	*list[CA_HOSTS_MAX];
	const struct ca_state			*ca = ca_get();
	Sentinel__Ipc__ControlItem		 item;
	Sentinel__Ipc__CaView			 v;
	size_t					 waiting;

	sentinel__ipc__ca_view__init(&v);
	v.phase = (char *)(uintptr_t)ca_phase_name(ca->ca_phase);
	v.since = ca->ca_since;
	v.by = (char *)(uintptr_t)ca->ca_by;
	v.fingerprint = (char *)(uintptr_t)ca->ca_old.cc_hex;
	v.not_after = ca->ca_old.cc_not_after;
	if (ca->ca_phase != CA_NONE) {
		v.new_fingerprint = (char *)(uintptr_t)ca->ca_new.cc_hex;
		v.new_not_after = ca->ca_new.cc_not_after;
		v.cross = ca->ca_cross.cc_der != NULL;
	}
	v.hosts = (uint32_t)ca_count(&waiting);
	v.waiting = (uint32_t)waiting;
	v.missing = list;
	v.n_missing = list_missing(views, list);
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_CA;
	item.ca = &v;
	(void)client_item(cl, &item);
}

void
client_ca_status(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	(void)req;
	if (ca_get()->ca_old.cc_der == NULL) {
		client_end(cl, CONTROL_FAILED, "cluster mode is off: there is "
		    "no CA");
		return;
	}
	send_state(cl);
	client_end_noerror(cl);
}

void
client_ca_rotate(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	enum ca_phase	 want;
	char		 by[32];

	switch (req->command) {
	case C(CA_PREPARE):
		want = CA_PREPARE;
		break;
	case C(CA_ISSUE):
		want = CA_ISSUE;
		break;
	case C(CA_DRAIN):
		want = CA_DRAIN;
		break;
	case C(CA_DROP):
		want = CA_DROP;
		break;
	default:
		want = CA_NONE;
		break;
	}
	(void)snprintf(by, sizeof(by), "uid %u", req->uid);
	ca_step(want, req->force, by, on_step,
	    (void *)(uintptr_t)cl->cl_id);
}

/* Whoever asked may have gone. */
static void
on_step(void *arg, const char *why)
{
	struct client	*cl = client_find((uint32_t)(uintptr_t)arg);

	if (cl == NULL)
		return;
	if (why != NULL) {
		client_end(cl, CONTROL_FAILED, "%s", why);
		return;
	}
	send_state(cl);
	client_end_noerror(cl);
}
