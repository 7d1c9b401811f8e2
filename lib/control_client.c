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

#include "compat.h"

#include <sys/socket.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "control_int.h"
#include "imsg_rule.h"
#include "ipccheck.h"
#include "log.h"
#include "monotime.h"
#include "xmalloc.h"

#define CONTROL_ROOT_SPARE	4	/* connections that only root gets */
#define CONTROL_READ_MAX	32	/* messages per wake-up */
#define CONTROL_STOP_MSEC	100	/* for a last word to each client */

enum kind { ASK, WORK, FOLLOW };

struct command {
	Sentinel__Ipc__ControlRequest__Command	 cd_command;
	bool					 cd_readonly;	/* allowed */
	enum kind				 cd_kind;
};

#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name
static const struct command	commands[] = {
	{ C(STATUS),		true,	ASK },
	{ C(TOKEN_CREATE),	false,	ASK },
	{ C(TOKEN_LIST),	true,	ASK },
	{ C(TOKEN_REVOKE),	false,	ASK },
	{ C(HOST_LIST),		true,	ASK },
	{ C(HOST_SHOW),		true,	ASK },
	{ C(EVENTS),		true,	FOLLOW },
	{ C(CONTAINER_LIST),	true,	ASK },
	{ C(CONTAINER_UPDATE),	false,	WORK },
	{ C(CONTAINER_ROLLBACK), false,	WORK },
	{ C(SELF_UPDATE),	false,	WORK },
	{ C(CONTAINER_ACTION),	false,	WORK },
	{ C(CONTAINER_PULL),	false,	WORK },
	{ C(CONTAINER_SHOW),	true,	ASK },
	{ C(OPERATION_LIST),	true,	ASK },
	{ C(OPERATION_SHOW),	true,	ASK },
	/* Nor is how they are configured. */
	{ C(CONTAINER_PLAN),	false,	ASK },
	/* What programs print is not for every user of the machine. */
	{ C(CONTAINER_LOGS),	false,	FOLLOW },
	{ C(HOST_PAUSE),	false,	ASK },
	{ C(HOST_RESUME),	false,	ASK },
	{ C(HOST_REMOVE),	false,	ASK },
	{ C(HOST_REVOKE),	false,	ASK },
	{ C(HOST_RENAME),	false,	ASK },
	{ C(HOST_LABEL),	false,	ASK },
	{ C(HOST_UNFREEZE),	false,	ASK },
	{ C(AUDIT_LIST),	false,	ASK },
	{ C(AUDIT_VERIFY),	false,	ASK },
	{ C(CERT_LIST),		true,	ASK },
	{ C(SETTINGS_GET),	true,	ASK },
	{ C(SETTINGS_SET),	false,	ASK },
	{ C(SETTINGS_UNSET),	false,	ASK },
	/* Commands may hold what is not for everybody. */
	{ C(HOOK_LIST),		false,	ASK },
	{ C(HOOK_SET),		false,	ASK },
	{ C(HOOK_REMOVE),	false,	ASK },
	{ C(HOOK_RUN),		false,	WORK },
	{ C(QUARANTINE_LIST),	true,	ASK },
	{ C(QUARANTINE_LIFT),	false,	ASK },
	{ C(POLICY_SHOW),	true,	ASK },
	{ C(POLICY_SET),	false,	ASK },
	{ C(CA_STATUS),		true,	ASK },
	{ C(CA_PREPARE),	false,	WORK },
	{ C(CA_ISSUE),		false,	WORK },
	{ C(CA_DRAIN),		false,	WORK },
	{ C(CA_DROP),		false,	WORK },
	{ C(CA_ABORT),		false,	WORK },
	{ C(ENROLL),		false,	WORK },
	{ C(DOCTOR),		true,	ASK },
	{ C(RELOAD),		false,	ASK },
	{ C(HISTORY_LIST),	true,	ASK },
	{ C(JOURNAL_LIST),	true,	ASK },
	{ C(JOURNAL_EXPORT),	false,	ASK },
};
#undef C

static void	 client_read(evutil_socket_t, short, void *);
static int	 client_dispatch(struct control_client *);
static void	 client_write(evutil_socket_t, short, void *);
static int	 client_flush(struct control_client *);
static void	 client_taken(struct control_client *);
static void	 client_idle(evutil_socket_t, short, void *);
static void	 client_close(struct control_client *);
static int	 client_request(struct control_client *, struct imsg *);
static int	 client_refuse(struct control_client *, uint32_t,
		    enum control_code, const char *, ...)
		    __printflike_(4, 5);
static int	 client_send(struct control_client *, uint32_t, uint32_t,
		    const void *, size_t);
static void	 client_timer(struct control_client *, unsigned int);
static void	 request_start(struct control_client *, uint32_t,
		    const struct command *, Sentinel__Ipc__ControlRequest *);
static void	 request_timeout(evutil_socket_t, short, void *);
static void	 request_arm(struct control_request *);
static void	 request_free(struct control_request *);

static struct control_clients	clients = TAILQ_HEAD_INITIALIZER(clients);
static struct control_requests	requests = TAILQ_HEAD_INITIALIZER(requests);
static size_t	 nclients;
static size_t	 outbytes;	/* queued to all clients */
static uint64_t	 lastclient;

/* --- connections -------------------------------------------------------- */

/* NULL, or why this user gets no further connection. */
static const char *
client_admit(uid_t uid)
{
	struct control_client	*cl;
	size_t			 n = 0;

	if (nclients >= CONTROL_CLIENTS_MAX -
	    (uid == 0 ? 0 : CONTROL_ROOT_SPARE))
		return ("too many connections");
	if (uid == 0)
		return (NULL);
	TAILQ_FOREACH(cl, &clients, cl_entry)
		if (cl->cl_uid == uid)
			n++;
	return (n >= CONTROL_UID_MAX ?
	    "too many connections of this user" : NULL);
}

void
control_client_accept(int fd, bool readonly)
{
	struct control_client	*cl;
	const char		*why;
	uid_t			 uid;
	gid_t			 gid;

	if (getpeereid(fd, &uid, &gid) == -1) {
		log_warn("control: getpeereid");
		(void)close(fd);
		return;
	}
	why = client_admit(uid);
	cl = xcalloc(1, sizeof(*cl));
	cl->cl_id = ++lastclient;
	cl->cl_fd = fd;
	cl->cl_uid = uid;
	cl->cl_readonly = readonly;
	TAILQ_INIT(&cl->cl_requests);
	if (imsgbuf_init(&cl->cl_in, fd) == -1 ||
	    imsgbuf_init(&cl->cl_out, fd) == -1)
		fatal("control: imsgbuf_init");
	imsgbuf_set_maxsize(&cl->cl_in, CONTROL_REQUEST_MAXBYTES);
	imsgbuf_set_maxsize(&cl->cl_out, IMSG_MAXBODY);
	cl->cl_rev = event_new(proc_base(), fd, EV_READ | EV_PERSIST,
	    client_read, cl);
	cl->cl_wev = event_new(proc_base(), fd, EV_WRITE, client_write, cl);
	cl->cl_timer = evtimer_new(proc_base(), client_idle, cl);
	if (cl->cl_rev == NULL || cl->cl_wev == NULL || cl->cl_timer == NULL)
		fatalx("control: event_new");
	TAILQ_INSERT_TAIL(&clients, cl, cl_entry);
	nclients++;
	client_timer(cl, CONTROL_HELLO_MSEC);
	if (why == NULL) {
		if (event_add(cl->cl_rev, NULL) == -1)
			fatalx("control: event_add");
		return;
	}
	log_info("control: client %llu of uid %u: %s",
	    (unsigned long long)cl->cl_id, (unsigned int)uid, why);
	if (client_refuse(cl, 0, CONTROL_FAILED, "%s: try again later",
	    why) == -1 || client_flush(cl) == -1)
		log_debug("control: client %llu: no last word",
		    (unsigned long long)cl->cl_id);
	client_close(cl);
}

void
control_client_closeall(const char *why)
{
	struct control_client	*cl;
	struct control_request	*rq;

	while ((cl = TAILQ_FIRST(&clients)) != NULL) {
		TAILQ_FOREACH(rq, &cl->cl_requests, rq_entry)
			if (client_refuse(cl, rq->rq_clientid,
			    CONTROL_UNREACH, "%s", why) == -1)
				break;
		(void)imsgbuf_flush(&cl->cl_out, CONTROL_STOP_MSEC);
		client_close(cl);
	}
}

static void
client_close(struct control_client *cl)
{
	struct control_request	*rq;

	while ((rq = TAILQ_FIRST(&cl->cl_requests)) != NULL) {
		control_gone(rq->rq_id);
		request_free(rq);
	}
	TAILQ_REMOVE(&clients, cl, cl_entry);
	nclients--;
	outbytes -= imsgbuf_queuebytes(&cl->cl_out);
	event_free(cl->cl_rev);
	event_free(cl->cl_wev);
	event_free(cl->cl_timer);
	imsgbuf_clear(&cl->cl_in);
	imsgbuf_clear(&cl->cl_out);
	(void)close(cl->cl_fd);
	free(cl);
	control_room();
}

static void
client_idle(evutil_socket_t fd, short what, void *arg)
{
	struct control_client	*cl = arg;

	(void)fd;
	(void)what;
	log_debug("control: client %llu: idle",
	    (unsigned long long)cl->cl_id);
	client_close(cl);
}

/* msec 0: no limit, since a request of its own has one. */
static void
client_timer(struct control_client *cl, unsigned int msec)
{
	const struct timeval	 tv = monotime_timeval(msec);

	(void)evtimer_del(cl->cl_timer);
	if (msec != 0 && evtimer_add(cl->cl_timer, &tv) == -1)
		fatalx("control: evtimer_add");
}

/* --- bytes -------------------------------------------------------------- */

static void
client_read(evutil_socket_t fd, short what, void *arg)
{
	struct control_client	*cl = arg;
	int			 n;

	(void)fd;
	(void)what;
	n = imsgbuf_read(&cl->cl_in);
	/* Nobody has a descriptor to send us; ours are few. */
	if (n == 1 && cl->cl_in.nrfds > 0) {
		log_info("control: client %llu of uid %u: sent a descriptor",
		    (unsigned long long)cl->cl_id, (unsigned int)cl->cl_uid);
		n = -1;
	} else if (n == -1)
		log_debug("control: client %llu: %s",
		    (unsigned long long)cl->cl_id, strerror(errno));
	/* What came before the end counts for nothing: nobody reads on. */
	if (n != 1 || client_dispatch(cl) == -1)
		client_close(cl);
}

/*
 * -1: the client is to be closed.  The bound is no loss: a client cannot have
 * more requests than CONTROL_REQUESTS_MAX, so the rest is refused anyway.
 */
static int
client_dispatch(struct control_client *cl)
{
	struct imsg	 imsg;
	const char	*why;
	int		 i, n, ret;

	for (i = 0; i < CONTROL_READ_MAX; i++) {
		if ((n = imsgbuf_get(&cl->cl_in, &imsg)) == 0)
			return (0);
		if (n == -1) {
			log_info("control: client %llu of uid %u: broken "
			    "message", (unsigned long long)cl->cl_id,
			    (unsigned int)cl->cl_uid);
			return (-1);
		}
		why = imsg_rule_check(&imsg, ROLE_CLIENT, proc_self());
		if (why != NULL) {
			log_info("control: client %llu of uid %u: %s: %s",
			    (unsigned long long)cl->cl_id,
			    (unsigned int)cl->cl_uid,
			    imsg_rule_name(imsg_get_type(&imsg)), why);
			ret = -1;
		} else
			ret = client_request(cl, &imsg);
		imsg_free(&imsg);
		if (ret == -1)
			return (-1);
	}
	log_info("control: client %llu of uid %u: too many messages",
	    (unsigned long long)cl->cl_id, (unsigned int)cl->cl_uid);
	return (-1);
}

static void
client_write(evutil_socket_t fd, short what, void *arg)
{
	struct control_client	*cl = arg;

	(void)fd;
	(void)what;
	if (client_flush(cl) == -1)
		client_close(cl);
	else if (imsgbuf_queuelen(&cl->cl_out) > 0 &&
	    event_add(cl->cl_wev, NULL) == -1)
		fatalx("control: event_add");
}

static int
client_flush(struct control_client *cl)
{
	size_t	 before = imsgbuf_queuebytes(&cl->cl_out);
	int	 ret = imsgbuf_write(&cl->cl_out);

	outbytes -= before - imsgbuf_queuebytes(&cl->cl_out);
	if (imsgbuf_queuebytes(&cl->cl_out) == 0)
		client_taken(cl);
	return (ret);
}

/* Everything has left: who sends without end may send as much again. */
static void
client_taken(struct control_client *cl)
{
	struct control_request	*rq;

	TAILQ_FOREACH(rq, &cl->cl_requests, rq_entry) {
		if (rq->rq_credit && rq->rq_unsent > 0)
			control_taken(rq->rq_id, rq->rq_unsent);
		rq->rq_unsent = 0;
	}
}

/* Queues.  -1: broken or too slow; the client is to be closed. */
static int
client_send(struct control_client *cl, uint32_t type, uint32_t id,
    const void *body, size_t len)
{
	size_t	 before = imsgbuf_queuebytes(&cl->cl_out);

	if (imsg_compose(&cl->cl_out, type, id, -1, body, len) == -1) {
		log_warn("control: client %llu",
		    (unsigned long long)cl->cl_id);
		return (-1);
	}
	outbytes += imsgbuf_queuebytes(&cl->cl_out) - before;
	if (imsgbuf_queuebytes(&cl->cl_out) > CONTROL_CLIENT_MAXBYTES ||
	    outbytes > CONTROL_TOTAL_MAXBYTES) {
		log_info("control: client %llu of uid %u: does not read: "
		    "closed", (unsigned long long)cl->cl_id,
		    (unsigned int)cl->cl_uid);
		return (-1);
	}
	if (event_add(cl->cl_wev, NULL) == -1)
		fatalx("control: event_add");
	return (0);
}

/* A CONTROL_END of our own; result as client_send(). */
static int
client_refuse(struct control_client *cl, uint32_t id, enum control_code code,
    const char *fmt, ...)
{
	Sentinel__Ipc__ControlEnd	 end;
	char				 text[256];
	uint8_t				*body;
	va_list				 ap;
	size_t				 len;
	int				 ret;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	sentinel__ipc__control_end__init(&end);
	end.code = code;
	end.error = text;
	if ((body = pbcheck_pack(&end.base, 8192, &len)) == NULL)
		return (-1);
	ret = client_send(cl, IMSG_CONTROL_END, id, body, len);
	free(body);
	return (ret);
}

/* --- requests ----------------------------------------------------------- */

/* -1: the client is to be closed. */
static int
client_request(struct control_client *cl, struct imsg *imsg)
{
	Sentinel__Ipc__ControlRequest	*req;
	const struct command		*cmd = NULL;
	struct control_request		*rq;
	struct pbmem			 pm;
	uint32_t			 id = imsg_get_id(imsg);
	size_t				 i;
	int				 ret = 0;

	TAILQ_FOREACH(rq, &cl->cl_requests, rq_entry)
		if (rq->rq_clientid == id)
			return (-1);
	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	req = ipc_unpack(imsg, &sentinel__ipc__control_request__descriptor,
	    &pm);
	for (i = 0; req != NULL && i < nitems(commands); i++)
		if (commands[i].cd_command == req->command)
			cmd = &commands[i];
	if (req != NULL && req->version != CONTROL_VERSION)
		ret = client_refuse(cl, id, CONTROL_FAILED, "sentinelctl "
		    "speaks version %u, this daemon version %u: install "
		    "both from one release", req->version, CONTROL_VERSION);
	else if (cmd == NULL)
		ret = client_refuse(cl, id, CONTROL_USAGE, "%s: is "
		    "sentinelctl of the same release?",
		    req == NULL ? pm.pm_why : "unknown command");
	else if (cl->cl_readonly && !cmd->cd_readonly)
		ret = client_refuse(cl, id, CONTROL_DENIED, "this socket "
		    "only answers questions: use the other one");
	else if (cl->cl_nrequests >= CONTROL_REQUESTS_MAX)
		ret = client_refuse(cl, id, CONTROL_FAILED, "more than %d "
		    "requests at a time", CONTROL_REQUESTS_MAX);
	else
		request_start(cl, id, cmd, req);
	pbmem_free(&pm);
	if (ret == 0 && cl->cl_nrequests == 0)
		client_timer(cl, CONTROL_IDLE_MSEC);
	return (ret);
}

static void
request_start(struct control_client *cl, uint32_t id,
    const struct command *cmd, Sentinel__Ipc__ControlRequest *req)
{
	struct control_request	*rq;

	req->read_only = cl->cl_readonly;
	req->uid = (uint32_t)cl->cl_uid;
	rq = xcalloc(1, sizeof(*rq));
	rq->rq_clientid = id;
	rq->rq_client = cl;
	rq->rq_credit = req->follow && cmd->cd_command ==
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_LOGS;
	if (cmd->cd_kind == ASK || (cmd->cd_kind == FOLLOW && !req->follow))
		rq->rq_msec = CONTROL_ASK_MSEC;
	else if (cmd->cd_kind == WORK)
		rq->rq_msec = CONTROL_WORK_MSEC;
	rq->rq_timer = evtimer_new(proc_base(), request_timeout, rq);
	if (rq->rq_timer == NULL)
		fatalx("control: evtimer_new");
	if (control_ask(rq, req) == -1) {
		event_free(rq->rq_timer);
		free(rq);
		/* The queue is short of everything else: nothing to close. */
		(void)client_refuse(cl, id, CONTROL_UNREACH,
		    "the engine process is not there: see the log");
		return;
	}
	TAILQ_INSERT_TAIL(&cl->cl_requests, rq, rq_entry);
	TAILQ_INSERT_TAIL(&requests, rq, rq_all);
	cl->cl_nrequests++;
	client_timer(cl, 0);
	request_arm(rq);
}

static void
request_arm(struct control_request *rq)
{
	const struct timeval	 tv = monotime_timeval(rq->rq_msec);

	if (rq->rq_msec != 0 && evtimer_add(rq->rq_timer, &tv) == -1)
		fatalx("control: evtimer_add");
}

struct control_request *
control_request_find(uint32_t id)
{
	struct control_request	*rq;

	TAILQ_FOREACH(rq, &requests, rq_all)
		if (rq->rq_id == id)
			return (rq);
	return (NULL);
}

void
control_request_item(struct control_request *rq, const struct imsg *imsg)
{
	struct control_client	*cl = rq->rq_client;

	if (client_send(cl, IMSG_CONTROL_ITEM, rq->rq_clientid,
	    ibuf_data(imsg->buf), imsg_get_len(imsg)) == -1)
		client_close(cl);
	else {
		rq->rq_unsent++;
		request_arm(rq);
	}
}

void
control_request_end(struct control_request *rq, const struct imsg *imsg)
{
	struct control_client	*cl = rq->rq_client;
	uint32_t		 id = rq->rq_clientid;

	request_free(rq);
	if (client_send(cl, IMSG_CONTROL_END, id, ibuf_data(imsg->buf),
	    imsg_get_len(imsg)) == -1)
		client_close(cl);
	else if (cl->cl_nrequests == 0)
		client_timer(cl, CONTROL_IDLE_MSEC);
}

static void
request_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct control_request	*rq = arg;
	struct control_client	*cl = rq->rq_client;
	uint32_t		 id = rq->rq_clientid;

	(void)fd;
	(void)what;
	log_warnx("control: request %u: no answer from the engine within "
	    "%u s", rq->rq_id, rq->rq_msec / 1000);
	control_gone(rq->rq_id);
	request_free(rq);
	if (client_refuse(cl, id, CONTROL_TIMEOUT,
	    "no answer in time: what became of it is unknown") == -1)
		client_close(cl);
	else if (cl->cl_nrequests == 0)
		client_timer(cl, CONTROL_IDLE_MSEC);
}

static void
request_free(struct control_request *rq)
{
	TAILQ_REMOVE(&rq->rq_client->cl_requests, rq, rq_entry);
	TAILQ_REMOVE(&requests, rq, rq_all);
	rq->rq_client->cl_nrequests--;
	event_free(rq->rq_timer);
	free(rq);
}
