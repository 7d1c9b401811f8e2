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

/* sentinelctl history list, piece by piece. */
#define HISTORY_SHOWN		200
#define HISTORY_SHOWN_MAX	10000

struct piece {
	struct client	*pi_client;
	size_t		 pi_sent;
	bool		 pi_full;
};

static void	 more_rows(struct client *);
static int	 walk_piece(struct store_txn *, void *);
static bool	 send_row(const char *, const Sentinel__Store__HistoryRow *,
		    void *);

void
client_history_list(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	const char	*name = req->host;
	struct host	*h;

	if (req->limit > HISTORY_SHOWN_MAX) {
		client_end(cl, CONTROL_USAGE, "at most %d rows are shown",
		    HISTORY_SHOWN_MAX);
		return;
	}
	cl->cl_limit = req->limit > 0 ? req->limit : HISTORY_SHOWN;
	/* A word without a slash is the host here. */
	if (name[0] == '\0')
		name = req->container;
	else
		(void)strlcpy(cl->cl_container, req->container,
		    sizeof(cl->cl_container));
	if (name[0] != '\0') {
		/* By id also one that has gone. */
		if ((h = host_find(name)) == NULL &&
		    (h = client_host(cl, name)) == NULL)
			return;
		(void)strlcpy(cl->cl_host, h->h_id, sizeof(cl->cl_host));
	}
	more_rows(cl);
}

static void
more_rows(struct client *cl)
{
	struct piece	 pi = { cl, 0, false };

	if (store_view(eng->store, walk_piece, &pi) == -1)
		client_end(cl, CONTROL_FAILED, "the database cannot be read");
	else if (pi.pi_full)
		client_later(cl, more_rows);
	else
		client_end_noerror(cl);
}

static int
walk_piece(struct store_txn *txn, void *arg)
{
	struct piece	*pi = arg;
	struct client	*cl = pi->pi_client;

	return (db_history_walk(txn, cl->cl_host[0] == '\0' ? NULL :
	    cl->cl_host, cl->cl_container[0] == '\0' ? NULL :
	    cl->cl_container, cl->cl_next, cl->cl_limit, send_row, pi) ==
	    -1 ? -1 : 0);
}

static bool
send_row(const char *host, const Sentinel__Store__HistoryRow *r, void *arg)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__HistoryView	 v;
	struct piece			*pi = arg;
	char				 id[HOST_ID_SIZE];

	if ((pi->pi_full = client_is_full(pi->pi_sent)))
		return (false);
	(void)strlcpy(id, host, sizeof(id));
	sentinel__ipc__history_view__init(&v);
	v.host_id = id;
	v.host_name = r->host_name;
	v.id = r->id;
	v.time_msec = r->time_msec;
	v.origin = r->origin;
	v.container = r->container;
	v.action = r->action;
	v.old_image = r->old_image;
	v.new_image = r->new_image;
	v.old_digest = r->old_digest;
	v.new_digest = r->new_digest;
	v.outcome = r->outcome;
	v.error = r->error;
	v.duration_msec = r->duration_msec;
	v.stored_msec = r->stored_msec;
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_HISTORY;
	item.history = &v;
	pi->pi_sent += client_item(pi->pi_client, &item);
	/* The rest of the newest, whatever comes in meanwhile. */
	pi->pi_client->cl_next = r->order + 1;
	return (true);
}
