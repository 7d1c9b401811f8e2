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

#include "db_quarantine.h"
#include "docker_api.h"
#include "engine_quarantine.h"

/* sentinelctl quarantine: what is in quarantine, and its end by hand. */
struct listing {
	struct client	*li_client;
	struct host	*li_host;
	size_t		 li_seen;	/* containers of the host */
	size_t		 li_sent;	/* bytes */
	bool		 li_full;
};

static bool	 send_one(const Sentinel__Store__Quarantine *, void *);
static int	 walk(struct store_txn *, void *);
static void	 more(struct client *);
static bool	 is_digest(const char *);

static bool
send_one(const Sentinel__Store__Quarantine *q, void *arg)
{
	Sentinel__Ipc__QuarantineView	 v;
	Sentinel__Ipc__ControlItem	 item;
	struct listing			*li = arg;
	struct client			*cl = li->li_client;
	size_t				 i;

	if (li->li_seen++ < cl->cl_skip)
		return (true);
	if (client_is_full(li->li_sent)) {
		li->li_full = true;
		return (false);
	}
	cl->cl_skip = li->li_seen;
	if (cl->cl_container[0] != '\0' &&
	    strcmp(cl->cl_container, q->container) != 0)
		return (true);
	for (i = 0; i < q->n_items; i++) {
		sentinel__ipc__quarantine_view__init(&v);
		v.host_id = li->li_host->h_id;
		v.host_name = li->li_host->h_name;
		v.container = q->container;
		v.digest = q->items[i]->digest;
		v.image = q->items[i]->image;
		v.time = q->items[i]->time;
		v.reason = q->items[i]->reason;
		sentinel__ipc__control_item__init(&item);
		item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_QUARANTINE;
		item.quarantine = &v;
		li->li_sent += client_item(cl, &item);
	}
	return (true);
}

static int
walk(struct store_txn *txn, void *arg)
{
	struct listing	*li = arg;

	return (db_quarantine_walk(txn, li->li_host->h_id, send_one, li) ==
	    -1 ? -1 : 0);
}

/* From cl_at and cl_skip on. */
static void
more(struct client *cl)
{
	struct listing	 li = { .li_client = cl };
	struct host	*h;

	for (h = client_host_at(cl->cl_at); h != NULL;
	    h = RB_NEXT(host_tree, &eng->hosts, h)) {
		if (h->h_state == HOST_DECOMMISSIONED ||
		    (cl->cl_host[0] != '\0' &&
		    strcmp(cl->cl_host, h->h_id) != 0))
			continue;
		if (strcmp(cl->cl_at, h->h_id) != 0)
			cl->cl_skip = 0;
		(void)strlcpy(cl->cl_at, h->h_id, sizeof(cl->cl_at));
		li.li_host = h;
		li.li_seen = 0;
		if (store_view(eng->store, walk, &li) == -1) {
			client_end(cl, CONTROL_FAILED, "the database cannot "
			    "be read");
			return;
		}
		if (li.li_full) {
			client_later(cl, more);
			return;
		}
	}
	client_end_noerror(cl);
}

void
client_quarantine_list(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;

	if (req->container[0] != '\0' && !docker_name_ok(req->container)) {
		client_end(cl, CONTROL_USAGE, "want HOST or HOST/NAME");
		return;
	}
	if (req->host[0] != '\0' || req->container[0] != '\0') {
		if ((h = client_host(cl, req->host)) == NULL)
			return;
		(void)strlcpy(cl->cl_host, h->h_id, sizeof(cl->cl_host));
		(void)strlcpy(cl->cl_container, req->container,
		    sizeof(cl->cl_container));
	}
	more(cl);
}

/* The first 12 digits suffice, as Docker prints them. */
static bool
is_digest(const char *s)
{
	size_t	 len;

	if (strncmp(s, "sha256:", 7) == 0)
		s += 7;
	len = strlen(s);
	return (len >= 12 && len <= 64 &&
	    strspn(s, "0123456789abcdef") == len);
}

void
client_quarantine_lift(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;
	char		 by[32];
	int		 n;

	if ((h = client_host(cl, req->host)) == NULL)
		return;
	if (!docker_name_ok(req->container)) {
		client_end(cl, CONTROL_USAGE, "want HOST/NAME");
		return;
	}
	if (req->digest[0] != '\0' && !is_digest(req->digest)) {
		client_end(cl, CONTROL_USAGE, "want a digest as quarantine "
		    "list shows it, or its first 12 digits or more");
		return;
	}
	(void)snprintf(by, sizeof(by), "uid %u", req->uid);
	if ((n = quarantine_lift(h, req->container, req->digest, by)) > 0)
		client_end_noerror(cl);
	else if (n == -1)
		client_end(cl, CONTROL_FAILED, "host %s: nothing was changed: "
		    "the database failed, see the log", h->h_name);
	else
		client_end(cl, CONTROL_NOSUCH, req->digest[0] == '\0' ?
		    "host %s: nothing of %s is in quarantine%s" :
		    "host %s: container %s: %s is not in quarantine",
		    h->h_name, req->container, req->digest);
}
