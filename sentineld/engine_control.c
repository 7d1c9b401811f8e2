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

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "engine_doctor.h"
#include "ipccheck.h"
#include "log.h"
#include "xmalloc.h"

/* Requests of sentinelctl: who asks, what is run, what goes back. */
static int	 client_cmp(const struct client *, const struct client *);
static void	 client_free(struct client *);
static void	 on_more(int, short, void *);

RB_HEAD(client_tree, client);
RB_PROTOTYPE_STATIC(client_tree, client, cl_entry, client_cmp)
RB_GENERATE_STATIC(client_tree, client, cl_entry, client_cmp)

static struct client_tree	clients = RB_INITIALIZER(&clients);
static size_t			nclients;
static struct event		*more_timer;

#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name
static const struct {
	client_command	*fn;
	bool		 changes;	/* refused on the read-only socket */
} commands[] = {
	[C(STATUS)] =		{ client_status,	false },
	[C(TOKEN_CREATE)] =	{ client_token_create,	true },
	[C(TOKEN_LIST)] =	{ client_token_list,	false },
	[C(TOKEN_REVOKE)] =	{ client_token_revoke,	true },
	[C(HOST_LIST)] =	{ client_host_list,	false },
	[C(HOST_SHOW)] =	{ client_host_show,	false },
	[C(EVENTS)] =		{ client_events,	false },
	[C(CONTAINER_LIST)] =	{ client_container_list, false },
	[C(CONTAINER_ROLLBACK)] = { client_container_op, true },
	[C(SELF_UPDATE)] =	{ client_self_update,	true },
	[C(CONTAINER_UPDATE)] =	{ client_container_op,	true },
	[C(CONTAINER_ACTION)] =	{ client_container_op,	true },
	[C(CONTAINER_PLAN)] =	{ client_container_op,	true },
	[C(CONTAINER_PULL)] =	{ client_container_op,	true },
	[C(CONTAINER_SHOW)] =	{ client_container_show, false },
	[C(OPERATION_LIST)] =	{ client_operation_list, false },
	[C(OPERATION_SHOW)] =	{ client_operation_show, false },
	[C(CONTAINER_LOGS)] =	{ client_container_op,	false },
	[C(HOST_PAUSE)] =	{ client_host_pause,	true },
	[C(HOST_RESUME)] =	{ client_host_pause,	true },
	[C(HOST_REMOVE)] =	{ client_host_end,	true },
	[C(HOST_REVOKE)] =	{ client_host_end,	true },
	[C(HOST_RENAME)] =	{ client_host_rename,	true },
	[C(HOST_LABEL)] =	{ client_host_label,	true },
	[C(HOST_UNFREEZE)] =	{ client_host_unfreeze,	true },
	[C(RELOAD)] =		{ client_reload,	true },
	[C(HISTORY_LIST)] =	{ client_history_list,	false },
	[C(AUDIT_LIST)] =	{ client_audit_list,	true },
	[C(AUDIT_VERIFY)] =	{ client_audit_verify,	true },
	[C(CERT_LIST)] =	{ client_cert_list,	false },
	[C(DOCTOR)] =		{ client_doctor,	false },
	[C(SETTINGS_GET)] =	{ client_settings_get,	false },
	[C(SETTINGS_SET)] =	{ client_settings_change, true },
	[C(SETTINGS_UNSET)] =	{ client_settings_change, true },
	[C(HOOK_LIST)] =	{ client_hook_list,	true },
	[C(HOOK_SET)] =		{ client_hook_set,	true },
	[C(HOOK_REMOVE)] =	{ client_hook_remove,	true },
	[C(HOOK_RUN)] =		{ client_hook_run,	true },
	[C(QUARANTINE_LIST)] =	{ client_quarantine_list, false },
	[C(QUARANTINE_LIFT)] =	{ client_quarantine_lift, true },
	[C(POLICY_SHOW)] =	{ client_policy_show,	false },
	[C(POLICY_SET)] =	{ client_policy_set,	true },
	[C(CA_STATUS)] =	{ client_ca_status,	false },
	[C(CA_PREPARE)] =	{ client_ca_rotate,	true },
	[C(CA_ISSUE)] =		{ client_ca_rotate,	true },
	[C(CA_DRAIN)] =		{ client_ca_rotate,	true },
	[C(CA_DROP)] =		{ client_ca_rotate,	true },
	[C(CA_ABORT)] =		{ client_ca_rotate,	true },
};
#undef C

static int
client_cmp(const struct client *a, const struct client *b)
{
	return (a->cl_id < b->cl_id ? -1 : a->cl_id > b->cl_id);
}

struct client *
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
	doctor_gone(cl->cl_id);
	op_forget_arg(cl);
	follow_client_gone(cl);
	RB_REMOVE(client_tree, &clients, cl);
	nclients--;
	free(cl);
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
	/* A full queue: an answer that is cheap to ask for must not add. */
	if (!eng->ready || nclients > ENGINE_CLIENTS_MAX ||
	    !peer_has_credit(p))
		client_end(cl, CONTROL_UNREACH, "the server is %s; try again",
		    eng->ready ? "busy" : "starting");
	else if ((size_t)req->command >= nitems(commands) ||
	    commands[req->command].fn == NULL)
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

/* --- answers ------------------------------------------------------------ */

/* Strings come from agents, whose limits are wider than sentinelctl's. */
size_t
client_item(struct client *cl, Sentinel__Ipc__ControlItem *item)
{
	struct pbmem	 pm;
	size_t		 len = 0;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	if (pbcheck_repair(&item->base, &pm) == -1)
		log_warn("control: an item is left out");
	else {
		len = protobuf_c_message_get_packed_size(&item->base);
		peer_send_pb(proc_peer(ROLE_CONTROL), IMSG_CONTROL_ITEM,
		    cl->cl_id, &item->base);
	}
	pbmem_free(&pm);
	return (len);
}

void
client_end(struct client *cl, enum control_code code, const char *fmt, ...)
{
	Sentinel__Ipc__ControlEnd	 end;
	struct pbmem			 pm;
	char				 text[1024];
	va_list				 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sentinel__ipc__control_end__init(&end);
	end.code = code;
	end.error = text;
	/* It may be cut off in the middle of a character. */
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if (pbcheck_repair(&end.base, &pm) == -1)
		text[0] = '\0';
	peer_send_pb(proc_peer(ROLE_CONTROL), IMSG_CONTROL_END, cl->cl_id,
	    &end.base);
	pbmem_free(&pm);
	client_free(cl);
}

void
client_end_noerror(struct client *cl)
{
	client_end(cl, CONTROL_OK, "%s", "");
}

void
client_event(const Sentinel__Ipc__EventView *view)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__EventView	 copy;
	struct client			*cl;

	RB_FOREACH(cl, client_tree, &clients) {
		if (!cl->cl_follows)
			continue;
		copy = *view;
		sentinel__ipc__control_item__init(&item);
		item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_EVENT;
		item.event = &copy;
		(void)client_item(cl, &item);
	}
}

/* --- long answers ------------------------------------------------------- */

bool
client_is_full(size_t sent)
{
	return (sent >= CLIENT_PIECE_BYTES ||
	    !peer_has_credit(proc_peer(ROLE_CONTROL)));
}

void
client_later(struct client *cl, client_more more)
{
	struct timeval	 tv = monotime_timeval(CLIENT_PIECE_MSEC);

	cl->cl_more = more;
	if (more_timer == NULL && (more_timer = evtimer_new(proc_base(),
	    on_more, NULL)) == NULL)
		fatal("client_later");
	if (!evtimer_pending(more_timer, NULL))
		evtimer_add(more_timer, &tv);
}

static void
on_more(int fd, short what, void *arg)
{
	struct client	*cl, *next;
	client_more	 more;

	(void)fd;
	(void)what;
	(void)arg;
	RB_FOREACH_SAFE(cl, client_tree, &clients, next) {
		if ((more = cl->cl_more) == NULL)
			continue;
		cl->cl_more = NULL;
		more(cl);
	}
}

struct host *
client_host(struct client *cl, const char *what)
{
	struct host	*h;

	/* NAME instead of HOST/NAME: the server's own. */
	if (what[0] == '\0' && (h = eng->local) == NULL)
		client_end(cl, CONTROL_NOSUCH, "this server has no Docker "
		    "Engine of its own (server.docker): name the host, "
		    "HOST/NAME");
	else if (what[0] != '\0' && (h = host_lookup(what)) == NULL)
		client_end(cl, CONTROL_NOSUCH, "no host %s; host list shows "
		    "names and ids", what);
	return (h);
}

struct host *
client_host_at(const char *id)
{
	struct host	 want;

	(void)strlcpy(want.h_id, id, sizeof(want.h_id));
	return (RB_NFIND(host_tree, &eng->hosts, &want));
}
