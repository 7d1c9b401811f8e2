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

#include <arpa/inet.h>

#include <openssl/crypto.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_command.h"
#include "follow.h"
#include "grpc.h"
#include "ipccheck.h"
#include "log.h"
#include "xmalloc.h"

#define FOLLOW_LINES	50	/* of the past, when nobody says */
#define FOLLOW_LINES_MAX 500

struct follow {
	TAILQ_ENTRY(follow) fl_entry;
	uint32_t	 fl_id;		/* towards docker */
	char		 fl_request[REQUEST_ID_SIZE];	/* towards agents */
	uint8_t		 fl_stream[FOLLOW_ID_LEN];
	struct client	*fl_client;
	struct host	*fl_host;
	uint64_t	 fl_epoch;	/* of the session it was asked in */
	char		 fl_container[256];
	uint32_t	 fl_call;	/* 0: not opened */
	bool		 fl_open;
	unsigned int	 fl_out;	/* items without CONTROL_TAKEN */
	struct event	*fl_timer;	/* to be opened, then to be read */
};

static const char *start_fault(const struct host *);
static struct follow *follow_new(struct client *, struct host *,
		    const char *);
static void	 ask_agent(struct follow *, int32_t,
		    const Sentinel__Ipc__ControlRequest *);
static void	 ask_docker(struct follow *, int32_t,
		    const Sentinel__Ipc__ControlRequest *);
static void	 on_asked(void *, enum command_end, const char *);
static void	 on_deadline(int, short, void *);
static void	 watch_reader(struct follow *);
static void	 text(struct follow *, Sentinel__Cluster__FollowLogsData *);
static void	 stop(struct follow *);
static void	 finish(struct follow *, enum control_code, const char *, ...)
		    __printflike_(3, 4);

static TAILQ_HEAD(, follow)	 follows = TAILQ_HEAD_INITIALIZER(follows);
static uint32_t			 last_id;

/* --- beginning ------------------------------------------------------------ */

/* NULL, or why there can be none. */
static const char *
start_fault(const struct host *h)
{
	const struct follow	*fl;
	static char		 why[256];
	unsigned int		 n = 0;

	if (!host_is_connected(h)) {
		(void)snprintf(why, sizeof(why), h->h_local ?
		    "Docker on this machine does not answer: %s" :
		    "host %s is not connected", h->h_local ?
		    h->h_docker_error : h->h_name);
		return (why);
	}
	if (!h->h_local && !host_has_feature(h, "follow-logs")) {
		(void)snprintf(why, sizeof(why), "the agent on host %s is too "
		    "old for this: container logs without -f works",
		    h->h_name);
		return (why);
	}
	TAILQ_FOREACH(fl, &follows, fl_entry)
		n += fl->fl_host == h;
	if (n < FOLLOW_HOST_MAX)
		return (NULL);
	(void)snprintf(why, sizeof(why), "%u logs of host %s are followed "
	    "already, and that is the most: end one of them", n, h->h_name);
	return (why);
}

void
follow_start(struct client *cl, struct host *h,
    const Sentinel__Ipc__ControlRequest *req)
{
	struct follow	*fl;
	const char	*why;
	int32_t		 lines;

	if ((why = start_fault(h)) != NULL) {
		client_end(cl, host_is_connected(h) ? CONTROL_FAILED :
		    CONTROL_UNREACH, "%s", why);
		return;
	}
	/* Who names a time wants everything since then. */
	lines = req->lines > FOLLOW_LINES_MAX ? FOLLOW_LINES_MAX :
	    req->lines > 0 ? req->lines : req->since_time > 0 ? -1 :
	    FOLLOW_LINES;
	fl = follow_new(cl, h, req->container);
	if (h->h_local)
		ask_docker(fl, lines, req);
	else
		ask_agent(fl, lines, req);
}

static struct follow *
follow_new(struct client *cl, struct host *h, const char *container)
{
	struct timeval	 tv = monotime_timeval(eng->conf.ec_logs_msec);
	struct follow	*fl;

	fl = xcalloc(1, sizeof(*fl));
	if (++last_id == 0)
		last_id = 1;
	fl->fl_id = last_id;
	command_new_id(fl->fl_request);
	arc4random_buf(fl->fl_stream, sizeof(fl->fl_stream));
	fl->fl_client = cl;
	fl->fl_host = h;
	(void)strlcpy(fl->fl_container, container, sizeof(fl->fl_container));
	if ((fl->fl_timer = evtimer_new(proc_base(), on_deadline, fl)) ==
	    NULL)
		fatal("follow_new");
	evtimer_add(fl->fl_timer, &tv);
	TAILQ_INSERT_TAIL(&follows, fl, fl_entry);
	return (fl);
}

static void
ask_agent(struct follow *fl, int32_t lines,
    const Sentinel__Ipc__ControlRequest *req)
{
	Sentinel__Cluster__ServerMessage	 m;
	Sentinel__Cluster__FollowLogsRequest	 want;

	fl->fl_epoch = fl->fl_host->h_session->se_epoch;
	sentinel__cluster__follow_logs_request__init(&want);
	want.container_name = fl->fl_container;
	want.stream_id.data = fl->fl_stream;
	want.stream_id.len = sizeof(fl->fl_stream);
	want.lines = lines;
	want.since = req->since_time;
	want.streams = req->streams == 0 ? FOLLOW_BOTH : req->streams;
	want.timestamps = req->timestamps;
	sentinel__cluster__server_message__init(&m);
	m.request_id = fl->fl_request;
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_FOLLOW_LOGS;
	m.follow_logs = &want;
	/* It may fail at once, and take fl along. */
	command_push(fl->fl_host->h_session, &m, on_asked,
	    (void *)(uintptr_t)fl->fl_id);
}

static void
ask_docker(struct follow *fl, int32_t lines,
    const Sentinel__Ipc__ControlRequest *req)
{
	Sentinel__Ipc__DockerFollow	 m;
	struct peer			*p = proc_peer(ROLE_DOCKER);

	if (p == NULL || !peer_has_credit(p)) {
		finish(fl, CONTROL_FAILED, "the docker process is restarting "
		    "or busy; try again");
		return;
	}
	sentinel__ipc__docker_follow__init(&m);
	m.container = fl->fl_container;
	m.lines = lines;
	m.since = req->since_time;
	m.streams = req->streams == 0 ? FOLLOW_BOTH : req->streams;
	m.timestamps = req->timestamps;
	peer_send_pb(p, IMSG_DOCKER_FOLLOW, fl->fl_id, &m.base);
}

static struct follow *
find_id(uint32_t id)
{
	struct follow	*fl;

	TAILQ_FOREACH(fl, &follows, fl_entry) {
		if (fl->fl_id == id)
			return (fl);
	}
	return (NULL);
}

static struct follow *
find_call(uint32_t call)
{
	struct follow	*fl;

	TAILQ_FOREACH(fl, &follows, fl_entry) {
		if (call != 0 && fl->fl_call == call)
			return (fl);
	}
	return (NULL);
}

static void
on_asked(void *arg, enum command_end end, const char *why)
{
	struct follow	*fl = find_id((uint32_t)(uintptr_t)arg);

	if (fl != NULL && end != COMMAND_QUEUED)
		finish(fl, end == COMMAND_GONE ? CONTROL_UNREACH :
		    CONTROL_FAILED, "host %s: %s", fl->fl_host->h_name, why);
}

static void
on_deadline(int fd, short what, void *arg)
{
	struct follow	*fl = arg;

	(void)fd;
	(void)what;
	if (!fl->fl_open) {
		finish(fl, CONTROL_TIMEOUT, "host %s: the log was not opened "
		    "within %llu s", fl->fl_host->h_name,
		    (unsigned long long)eng->conf.ec_logs_msec / 1000);
		return;
	}
	log_info("logs of %s on host %s: nobody has read them for %llu s: "
	    "ended", fl->fl_container, fl->fl_host->h_name,
	    (unsigned long long)eng->conf.ec_follow_idle_msec / 1000);
	finish(fl, CONTROL_TIMEOUT, "nothing of this log was read for %llu s: "
	    "ended (server.timers.follow_idle_timeout)",
	    (unsigned long long)eng->conf.ec_follow_idle_msec / 1000);
}

/* Only who has something to read can be too late with it. */
static void
watch_reader(struct follow *fl)
{
	struct timeval	 tv = monotime_timeval(eng->conf.ec_follow_idle_msec);

	if (fl->fl_out == 0)
		evtimer_del(fl->fl_timer);
	else
		evtimer_add(fl->fl_timer, &tv);
}

/* --- what comes ----------------------------------------------------------- */

const char *
follow_admit(const struct host *h, uint32_t call,
    const ProtobufCBinaryData *id)
{
	struct follow	*fl;

	TAILQ_FOREACH(fl, &follows, fl_entry) {
		if (fl->fl_host == h && !h->h_local && !fl->fl_open &&
		    id->len == sizeof(fl->fl_stream) && CRYPTO_memcmp(
		    id->data, fl->fl_stream, sizeof(fl->fl_stream)) == 0)
			break;
	}
	if (fl == NULL)
		return ("nobody waits for this stream");
	fl->fl_call = call;
	fl->fl_open = true;
	evtimer_del(fl->fl_timer);
	return (NULL);
}

/* One item; an end, if there is one. */
static void
text(struct follow *fl, Sentinel__Cluster__FollowLogsData *m)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__FollowView	 view;
	char				 absent[512];

	if (m->text[0] != '\0' || m->skipped > 0) {
		sentinel__ipc__follow_view__init(&view);
		view.host_name = fl->fl_host->h_name;
		view.container = fl->fl_container;
		view.text = m->text;
		view.stream = m->stream;
		view.skipped = m->skipped;
		sentinel__ipc__control_item__init(&item);
		item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_FOLLOW;
		item.follow = &view;
		if (fl->fl_out++ == 0)
			watch_reader(fl);
		(void)client_item(fl->fl_client, &item);
	}
	if (m->end[0] == '\0')
		return;
	(void)snprintf(absent, sizeof(absent), "container \"%s\" not found",
	    fl->fl_container);
	finish(fl, !m->failed ? CONTROL_OK : strcmp(m->end, absent) == 0 ?
	    CONTROL_NOSUCH : CONTROL_FAILED, "%s", m->end);
}

void
follow_agent(struct peer *p, struct imsg *imsg)
{
	Sentinel__Cluster__FollowLogsData	*m;
	struct follow				*fl;
	struct pbmem				 pm;

	/* One that we have ended; its last messages are on their way. */
	if ((fl = find_call(imsg_get_id(imsg))) == NULL)
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__cluster__follow_logs_data__descriptor,
	    &pm);
	/* What is no item needs no credit, and cluster none for it. */
	if (m == NULL || fl->fl_out >= FOLLOW_WINDOW)
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "more than its window");
	else if (m->text[0] == '\0' && m->skipped == 0 && m->end[0] == '\0')
		finish(fl, CONTROL_FAILED, "host %s sent an empty message",
		    fl->fl_host->h_name);
	else
		text(fl, m);
	pbmem_free(&pm);
}

void
follow_docker(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__DockerFollowed	*m;
	struct follow			*fl;
	struct pbmem			 pm;
	bool				 item;

	fl = find_id(imsg_get_id(imsg));
	if (fl == NULL || !fl->fl_host->h_local)
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__docker_followed__descriptor, &pm);
	/* An end alone is no item; it needs neither a beginning nor credit. */
	item = m != NULL && m->data != NULL &&
	    (m->data->text[0] != '\0' || m->data->skipped > 0);
	if (m == NULL || (m->open && fl->fl_open) ||
	    (item && (!fl->fl_open || fl->fl_out >= FOLLOW_WINDOW))) {
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "follow out of order");
		goto out;
	}
	if (m->open) {
		fl->fl_open = true;
		evtimer_del(fl->fl_timer);
	}
	if (m->data != NULL)
		text(fl, m->data);
 out:
	pbmem_free(&pm);
}

/* u32 items: control has got rid of them */
void
follow_taken(struct peer *p, struct imsg *imsg)
{
	struct follow	*fl;
	struct client	*cl = client_find(imsg_get_id(imsg));
	uint32_t	 n, body;

	if (ibuf_get_n32(imsg_get_ibuf(imsg), &n) == -1) {
		peer_broken(p, imsg, "bad CONTROL_TAKEN");
		return;
	}
	TAILQ_FOREACH(fl, &follows, fl_entry) {
		if (cl != NULL && fl->fl_client == cl)
			break;
	}
	if (fl == NULL)
		return;
	if (n > fl->fl_out) {
		peer_broken(p, imsg, "credit that was not taken");
		return;
	}
	if (n == 0)
		return;
	fl->fl_out -= n;
	watch_reader(fl);
	body = htonl(n);
	if (fl->fl_host->h_local)
		(void)peer_send(proc_peer(ROLE_DOCKER), IMSG_DOCKER_TAKEN,
		    fl->fl_id, -1, &body, sizeof(body));
	else
		(void)peer_send(proc_peer(ROLE_CLUSTER), IMSG_AGENT_TAKEN,
		    fl->fl_call, -1, &body, sizeof(body));
}

/* --- the end -------------------------------------------------------------- */

/* At its source, if it still has one; fl is gone. */
static void
stop(struct follow *fl)
{
	Sentinel__Ipc__AgentClose	 m;

	if (fl->fl_host->h_local)
		(void)peer_send(proc_peer(ROLE_DOCKER), IMSG_DOCKER_UNFOLLOW,
		    fl->fl_id, -1, NULL, 0);
	else if (fl->fl_call != 0) {
		sentinel__ipc__agent_close__init(&m);
		m.status = GRPC_OK;
		(void)peer_send_pb(proc_peer(ROLE_CLUSTER), IMSG_AGENT_CLOSE,
		    fl->fl_call, &m.base);
	}
	TAILQ_REMOVE(&follows, fl, fl_entry);
	event_free(fl->fl_timer);
	free(fl);
}

static void
finish(struct follow *fl, enum control_code code, const char *fmt, ...)
{
	struct client	*cl = fl->fl_client;
	char		 why[1024];
	va_list		 ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	/* client_end() would find it again. */
	stop(fl);
	client_end(cl, code, "%s", why);
}

void
follow_client_gone(const struct client *cl)
{
	struct follow	*fl, *next;

	TAILQ_FOREACH_SAFE(fl, &follows, fl_entry, next) {
		if (fl->fl_client == cl)
			stop(fl);
	}
}

bool
follow_closed(uint32_t call, const char *why)
{
	struct follow	*fl;

	if ((fl = find_call(call)) == NULL)
		return (false);
	fl->fl_call = 0;
	finish(fl, CONTROL_FAILED, "host %s: the stream has ended: %s",
	    fl->fl_host->h_name, why);
	return (true);
}

bool
follow_refused(const struct host *h,
    const Sentinel__Cluster__FetchLogsResult *m)
{
	Sentinel__Cluster__FollowLogsData	 data;
	struct follow				*fl;

	TAILQ_FOREACH(fl, &follows, fl_entry) {
		if (fl->fl_host == h && !fl->fl_open &&
		    strcmp(fl->fl_request, m->request_id) == 0)
			break;
	}
	if (fl == NULL)
		return (false);
	sentinel__cluster__follow_logs_data__init(&data);
	data.end = m->error;
	data.failed = true;
	if (m->error[0] == '\0')
		finish(fl, CONTROL_FAILED, "host %s answered with another "
		    "kind of result", h->h_name);
	else
		text(fl, &data);
	return (true);
}

void
follow_session_lost(const struct session *s)
{
	struct follow	*fl, *next;

	TAILQ_FOREACH_SAFE(fl, &follows, fl_entry, next) {
		if (fl->fl_host == s->se_host && !fl->fl_host->h_local &&
		    fl->fl_epoch == s->se_epoch)
			finish(fl, CONTROL_UNREACH, "host %s disconnected",
			    fl->fl_host->h_name);
	}
}

void
follow_docker_lost(void)
{
	struct follow	*fl, *next;

	TAILQ_FOREACH_SAFE(fl, &follows, fl_entry, next) {
		if (fl->fl_host->h_local)
			finish(fl, CONTROL_UNREACH, "the docker process died");
	}
}
