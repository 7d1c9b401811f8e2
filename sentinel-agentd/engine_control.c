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
#include "engine_reenrol.h"
#include "engine_journal.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "doctor.h"
#include "engine_allow.h"
#include "engine_doctor.h"
#include "engine_sync.h"
#include "ipccheck.h"
#include "log.h"
#include "utf8.h"
#include "xmalloc.h"

/* sentinelctl on an agent's host: status, containers and events. */
struct event_line {
	uint64_t	 el_id;
	int64_t		 el_msec;
	char		 el_type[32];
	char		 el_container[256];
	char		 el_text[512];
};

static client_command	 do_status, do_containers, do_events;
static bool	 send_container(const Sentinel__Cluster__ContainerInfo *,
		    void *);
static void	 send_event(uint32_t, struct event_line *);

static struct event_line	ring[ENGINE_EVENTS_MAX];
static uint64_t			nevents;	/* ever */
static uint32_t			followers[ENGINE_FOLLOWERS_MAX]; /* 0: free */

#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name
static const struct {
	client_command	*fn;		/* NULL: the server's business */
	bool		 changes;	/* refused on the read-only socket */
} commands[] = {
	[C(STATUS)] =		{ do_status,		false },
	[C(EVENTS)] =		{ do_events,		false },
	[C(CONTAINER_LIST)] =	{ do_containers,	false },
	[C(ENROLL)] =		{ reenrol_request,	true },
	[C(JOURNAL_LIST)] =	{ client_journal_list,	false },
	[C(JOURNAL_EXPORT)] =	{ client_journal_export, true },
	[C(RELOAD)] =		{ client_reload,	true },
	[C(DOCTOR)] =		{ client_doctor,	false },
	[C(SETTINGS_GET)] =	{ client_settings,	false },
	[C(POLICY_SHOW)] =	{ client_policies,	false },
};
#undef C

void
client_item(uint32_t id, Sentinel__Ipc__ControlItem *item)
{
	peer_send_pb(proc_peer(ROLE_A_CONTROL), IMSG_CONTROL_ITEM, id,
	    &item->base);
}

void
client_end(uint32_t id, enum control_code code, const char *fmt, ...)
{
	Sentinel__Ipc__ControlEnd	 end;
	char				 cut[512], text[512];
	va_list				 ap;

	va_start(ap, fmt);
	(void)vsnprintf(cut, sizeof(cut), fmt, ap);
	va_end(ap);
	(void)utf8_repair(text, sizeof(text), cut, strlen(cut));
	sentinel__ipc__control_end__init(&end);
	end.code = code;
	end.error = text;
	peer_send_pb(proc_peer(ROLE_A_CONTROL), IMSG_CONTROL_END, id,
	    &end.base);
}

void
client_request(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__ControlRequest	*req;
	struct pbmem			 pm;
	uint32_t			 id = imsg_get_id(imsg);

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	req = ipc_unpack(imsg, &sentinel__ipc__control_request__descriptor,
	    &pm);
	if (req == NULL) {
		peer_broken(p, imsg, pm.pm_why);
		pbmem_free(&pm);
		return;
	}
	if (!eng->ready) {
		client_end(id, CONTROL_UNREACH, "the agent is starting; try "
		    "again");
		pbmem_free(&pm);
		return;
	}
	if ((size_t)req->command >= nitems(commands) ||
	    commands[req->command].fn == NULL)
		client_end(id, CONTROL_USAGE, "this is the agent: ask the "
		    "server (%s)", eng->conf.ac_server);
	else if (req->read_only && commands[req->command].changes)
		client_end(id, CONTROL_DENIED, "not permitted on the "
		    "read-only socket");
	else
		commands[req->command].fn(id, req);
	pbmem_free(&pm);
}

void
client_gone(struct peer *p, struct imsg *imsg)
{
	size_t	 i;

	(void)p;
	reenrol_client_gone(imsg_get_id(imsg));
	doctor_gone(imsg_get_id(imsg));
	for (i = 0; i < ENGINE_FOLLOWERS_MAX; i++) {
		if (followers[i] == imsg_get_id(imsg))
			followers[i] = 0;
	}
}

/* --- status -------------------------------------------------------------- */

/* The processes come from the parent, one message each. */
static void
do_status(uint32_t id, const Sentinel__Ipc__ControlRequest *req)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__AllowView	 allow;
	Sentinel__Ipc__StatusView	 v;

	(void)req;
	sentinel__ipc__status_view__init(&v);
	if (allow_view(&eng->conf, &allow))
		v.allow = &allow;
	v.daemon = engine_lend("sentinel-agentd");
	v.version = engine_lend(SENTINEL_VERSION);
	v.started_at = eng->started;
	v.server = eng->conf.ac_server;
	v.host_id = eng->id.id_host;
	v.host_name = eng->conf.ac_name;
	v.connected = session_is_open();
	v.last_error = eng->last_error;
	v.cert_not_after = eng->id.id_not_after;
	v.signed_commands = command_must_be_signed();
	v.server_heard_at = sync_heard_at();
	v.clock_skew_sec = sync_skew_sec();
	v.engine_id = eng->docker_id;
	v.docker = eng->conf.ac_docker != 0;
	v.docker_error = engine_lend(v.docker ? eng->docker_error : "");
	v.containers = (uint32_t)list_count();
	v.autonomous = offline_is_autonomous();
	v.offline_since = offline_since();
	v.journal_entries = (uint32_t)ojournal_count();
	v.journal_lost = ojournal_lost();
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_STATUS;
	item.status = &v;
	client_item(id, &item);
	allow_view_free(&allow);
	peer_send(proc_peer(ROLE_A_PARENT), IMSG_STATUS_ASK, id, -1, NULL, 0);
}

/* str name, u32 pid, u32 uid, u32 restarts, str sandbox */
void
client_status_proc(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__ProcessView	 v;
	struct doctor_line		 dl;
	struct ibuf			*buf = imsg_get_ibuf(imsg);
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
	if (doctor_is(imsg_get_id(imsg))) {
		doctor_set_process(&dl, name, pid, restarts, sandbox);
		doctor_add(&dl);
		return;
	}
	sentinel__ipc__process_view__init(&v);
	v.name = name;
	v.pid = (int32_t)pid;
	v.uid = uid;
	v.restarts = restarts;
	v.sandbox = sandbox;
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_PROCESS;
	item.process = &v;
	/* control drops what belongs to a client that has gone. */
	client_item(imsg_get_id(imsg), &item);
}

void
client_status_end(struct peer *p, struct imsg *imsg)
{
	(void)p;
	if (doctor_is(imsg_get_id(imsg)))
		doctor_got(DOCTOR_WAIT_PROCS);
	else
		client_end(imsg_get_id(imsg), CONTROL_OK, "%s", "");
}

/* --- containers ---------------------------------------------------------- */

static void
do_containers(uint32_t id, const Sentinel__Ipc__ControlRequest *req)
{
	if (req->host[0] != '\0' && strcmp(req->host, eng->id.id_host) != 0 &&
	    strcmp(req->host, eng->conf.ac_name) != 0) {
		client_end(id, CONTROL_NOSUCH, "this agent knows its own host "
		    "only (%s); ask the server", eng->conf.ac_name);
		return;
	}
	list_walk(send_container, &id);
	client_end(id, CONTROL_OK, "%s", "");
}

static bool
send_container(const Sentinel__Cluster__ContainerInfo *info, void *arg)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__ContainerView	 v;

	sentinel__ipc__container_view__init(&v);
	v.host_id = eng->id.id_host;
	v.host_name = eng->conf.ac_name;
	v.info = (Sentinel__Cluster__ContainerInfo *)(uintptr_t)info;
	v.state_age_sec = time(NULL) - list_time();
	if (v.state_age_sec < 0)
		v.state_age_sec = 0;
	v.stale = !eng->docker_up;
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_CONTAINER;
	item.container = &v;
	client_item(*(uint32_t *)arg, &item);
	return (true);
}

/* --- events -------------------------------------------------------------- */

static void
send_event(uint32_t id, struct event_line *el)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__EventView	 v;

	sentinel__ipc__event_view__init(&v);
	v.id = el->el_id;
	v.time_msec = el->el_msec;
	v.type = el->el_type;
	v.host_id = eng->id.id_host;
	v.host_name = eng->conf.ac_name;
	v.container = el->el_container;
	v.message = el->el_text;
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_EVENT;
	item.event = &v;
	client_item(id, &item);
}

static void
do_events(uint32_t id, const Sentinel__Ipc__ControlRequest *req)
{
	uint64_t	 n;
	size_t		 i;

	n = nevents > ENGINE_EVENTS_MAX ? nevents - ENGINE_EVENTS_MAX : 0;
	for (; n < nevents; n++)
		send_event(id, &ring[n % ENGINE_EVENTS_MAX]);
	if (!req->follow) {
		client_end(id, CONTROL_OK, "%s", "");
		return;
	}
	for (i = 0; i < ENGINE_FOLLOWERS_MAX; i++) {
		if (followers[i] == 0) {
			followers[i] = id;
			return;
		}
	}
	client_end(id, CONTROL_FAILED, "too many clients follow the events");
}

void
event_add_line(const char *type, const char *container, const char *fmt, ...)
{
	struct event_line	*el = &ring[nevents % ENGINE_EVENTS_MAX];
	struct timespec		 now;
	char			 text[sizeof(el->el_text)];
	va_list			 ap;
	size_t			 i;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	clock_gettime(CLOCK_REALTIME, &now);
	el->el_id = ++nevents;
	el->el_msec = (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
	(void)strlcpy(el->el_type, type, sizeof(el->el_type));
	(void)strlcpy(el->el_container, container == NULL ? "" : container,
	    sizeof(el->el_container));
	(void)utf8_repair(el->el_text, sizeof(el->el_text), text,
	    strlen(text));
	for (i = 0; i < ENGINE_FOLLOWERS_MAX; i++) {
		if (followers[i] != 0)
			send_event(followers[i], el);
	}
}
