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

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "engine_label.h"
#include "engine_token.h"

/* Commands about enrolment tokens. */
static bool	 check_spec(struct client *,
		    const Sentinel__Ipc__ControlRequest *,
		    struct token_spec *);
static void	 on_token(const char *, const Sentinel__Store__Token *,
		    const char *, void *);

void
client_token_create(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	struct token_spec	 ts;

	if (req->ttl_sec > 365 * 86400ULL) {
		client_end(cl, CONTROL_USAGE, "a token may live 365 days at "
		    "most");
		return;
	}
	if (req->name[0] != '\0' && !host_name_is_valid(req->name)) {
		client_end(cl, CONTROL_USAGE, HOST_NAME_RULE);
		return;
	}
	memset(&ts, 0, sizeof(ts));
	if (!check_spec(cl, req, &ts))
		return;
	/* The client may go while the keyholder computes: look it up again. */
	token_create(&ts, on_token, (void *)(uintptr_t)cl->cl_id);
}

/* False: the client was told. */
static bool
check_spec(struct client *cl, const Sentinel__Ipc__ControlRequest *req,
    struct token_spec *ts)
{
	struct host	*h;
	size_t		 i;

	ts->ts_ttl_sec = (int64_t)req->ttl_sec;
	ts->ts_host_name = req->name;
	ts->ts_replaces = "";
	ts->ts_uses = req->uses == 0 ? 1 : req->uses;
	ts->ts_labels = req->labels;
	ts->ts_nlabels = req->n_labels;
	ts->ts_uid = req->uid;
	if (ts->ts_uses > DB_TOKEN_USES_MAX) {
		client_end(cl, CONTROL_USAGE, "a token may have %d uses at "
		    "most", DB_TOKEN_USES_MAX);
		return (false);
	}
	if (ts->ts_uses > 1 && (req->name[0] != '\0' ||
	    req->host[0] != '\0')) {
		client_end(cl, CONTROL_USAGE, "a token for one host has one "
		    "use");
		return (false);
	}
	for (i = 0; i < req->n_labels; i++) {
		if (!label_is_whole(req->labels[i])) {
			client_end(cl, CONTROL_USAGE, LABEL_RULE,
			    HOST_LABEL_KEY_MAX, HOST_LABEL_VALUE_MAX);
			return (false);
		}
	}
	if (req->host[0] == '\0')
		return (true);
	if ((h = client_host(cl, req->host)) == NULL)
		return (false);
	if (h->h_local) {
		client_end(cl, CONTROL_FAILED, "host %s is this machine, which "
		    "was not enrolled", h->h_name);
		return (false);
	}
	ts->ts_replaces = h->h_id;
	return (true);
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
	(void)client_item(cl, &item);
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
	(void)client_item(arg, &item);
	return (true);
}

static int
walk_tokens(struct store_txn *txn, void *arg)
{
	return (db_token_walk(txn, send_token, arg) == -1 ? -1 : 0);
}

void
client_token_list(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	(void)req;
	if (store_view(eng->store, walk_tokens, cl) == -1)
		client_end(cl, CONTROL_FAILED, "the database cannot be read");
	else
		client_end_noerror(cl);
}

void
client_token_revoke(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	char	 by[32];

	(void)snprintf(by, sizeof(by), "uid %u", req->uid);
	switch (token_revoke(req->token_id, by)) {
	case 1:
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
