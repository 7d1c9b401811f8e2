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

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine_clone.h"
#include "engine_label.h"

/* Commands about hosts: shown, and changed by an operator. */
#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name
#define BY_SIZE	32

static size_t	 send_host(struct client *, const struct host *);
static void	 more_hosts(struct client *);
static struct host *changeable(struct client *,
		    const Sentinel__Ipc__ControlRequest *, char[BY_SIZE]);
static void	 end_change(struct client *, const struct host *, int);

/* --- shown -------------------------------------------------------------- */

static size_t
send_host(struct client *cl, const struct host *h)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__HostView		 view;

	view_host(h, &view);
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_HOST;
	item.host = &view;
	return (client_item(cl, &item));
}

/* From cl_at on. */
static void
more_hosts(struct client *cl)
{
	struct host	*h;
	size_t		 sent = 0;

	for (h = client_host_at(cl->cl_at); h != NULL;
	    h = RB_NEXT(host_tree, &eng->hosts, h)) {
		if (h->h_state == HOST_DECOMMISSIONED && !cl->cl_all)
			continue;
		if (client_is_full(sent)) {
			(void)strlcpy(cl->cl_at, h->h_id, sizeof(cl->cl_at));
			client_later(cl, more_hosts);
			return;
		}
		sent += send_host(cl, h);
	}
	client_end_noerror(cl);
}

void
client_host_list(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	cl->cl_all = req->all;
	more_hosts(cl);
}

/* By its id a decommissioned one too. */
void
client_host_show(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;

	if ((h = host_find(req->host)) == NULL &&
	    (h = client_host(cl, req->host)) == NULL)
		return;
	(void)send_host(cl, h);
	client_end_noerror(cl);
}

/* --- changed ------------------------------------------------------------ */

/* NULL: the client was told. */
static struct host *
changeable(struct client *cl, const Sentinel__Ipc__ControlRequest *req,
    char by[BY_SIZE])
{
	struct host	*h;

	if ((h = client_host(cl, req->host)) == NULL)
		return (NULL);
	if (h->h_local) {
		client_end(cl, CONTROL_FAILED, "host %s is this machine, which "
		    "was not enrolled: server.docker in sentinel.conf says "
		    "whether it is looked after", h->h_name);
		return (NULL);
	}
	(void)snprintf(by, BY_SIZE, "uid %u", req->uid);
	return (h);
}

static void
end_change(struct client *cl, const struct host *h, int rc)
{
	if (rc == -1) {
		client_end(cl, CONTROL_FAILED, "host %s: nothing was changed: "
		    "the database failed, see the log", h->h_name);
		return;
	}
	(void)send_host(cl, h);
	client_end_noerror(cl);
}

void
client_host_pause(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;
	char		 by[BY_SIZE];

	if ((h = changeable(cl, req, by)) != NULL)
		end_change(cl, h, host_set_paused(h,
		    req->command == C(HOST_PAUSE), by));
}

void
client_host_unfreeze(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;
	char		 by[BY_SIZE];

	if ((h = changeable(cl, req, by)) != NULL)
		end_change(cl, h, host_unfreeze(h, by));
}

void
client_host_end(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;
	char		 by[BY_SIZE];

	if ((h = changeable(cl, req, by)) != NULL)
		end_change(cl, h, host_decommission(h,
		    req->command == C(HOST_REVOKE) ? HOST_REVOKED :
		    HOST_REMOVED, by));
}

void
client_host_rename(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;
	char		 by[BY_SIZE];

	if ((h = changeable(cl, req, by)) == NULL)
		return;
	if (!host_name_is_valid(req->name))
		client_end(cl, CONTROL_USAGE, HOST_NAME_RULE);
	else if (!host_name_is_free(req->name, h->h_id))
		client_end(cl, CONTROL_FAILED, "there is a host %s already",
		    req->name);
	else
		end_change(cl, h, host_rename(h, req->name, by));
}

void
client_host_label(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct host	*h;
	char		 by[BY_SIZE];
	int		 rc;

	if ((h = changeable(cl, req, by)) == NULL)
		return;
	rc = host_label(h, req->label, by);
	if (rc == -1 && errno == EINVAL)
		client_end(cl, CONTROL_USAGE, LABEL_RULE "; KEY= takes "
		    "it away", HOST_LABEL_KEY_MAX, HOST_LABEL_VALUE_MAX);
	else if (rc == -1 && errno == ENOENT)
		client_end(cl, CONTROL_NOSUCH, "host %s has no label %.*s",
		    h->h_name, (int)strcspn(req->label, "="), req->label);
	else if (rc == -1 && errno == ENOSPC)
		client_end(cl, CONTROL_FAILED, "host %s has %d labels, which "
		    "is the most: take one away", h->h_name,
		    HOST_LABELS_MAX);
	else
		end_change(cl, h, rc);
}
