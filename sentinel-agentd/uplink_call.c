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

#include "uplink.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pbcheck.h"

/*
 * gRPC over a connection whose server is proven.  Enroll and ReportState have
 * deadlines; the Channel is up as soon as it is asked for: a foreign server
 * sends no headers before its first message.
 */
static void	 on_message(struct grpc_call *, const uint8_t *, size_t,
		    void *);
static void	 on_drained(struct grpc_call *, void *);
static void	 on_status(struct grpc_call *, enum grpc_status,
		    const char *, void *);
static void	 on_goaway(struct grpc_conn *, const char *, void *);
static void	 on_closed(struct grpc_conn *, enum stream_end, const char *,
		    void *);
static void	 begin_enroll(struct attempt *);
static void	 enrolled(struct attempt *, enum grpc_status, const char *,
		    Sentinel__Cluster__EnrollResponse *);
static void	 got_enroll(struct attempt *, const uint8_t *, size_t);
static void	 got_ack(struct attempt *, const uint8_t *, size_t);
static void	 got_message(struct attempt *, const uint8_t *, size_t);
static void	 credit(struct attempt *);
static void	 on_pause(int, short, void *);
static struct grpc_call *unary(struct attempt *, const struct grpc_method *,
		    const uint8_t *, size_t);

static const struct grpc_method	enroll_method = {
	"/sentinel.cluster.EnrollmentService/Enroll", UPLINK_ENROLL_MAXBYTES,
	true
};
static const struct grpc_method	report_method = {
	"/sentinel.cluster.AgentService/ReportState", UPLINK_ACK_MAXBYTES,
	true
};
static const struct grpc_method	channel_method = {
	"/sentinel.cluster.AgentService/Channel", GRPC_RECV_MAXBYTES, false
};

static const struct grpc_client_ops	client_ops = {
	.gc_call_message = on_message,
	.gc_call_drained = on_drained,
	.gc_call_status = on_status,
	.gc_conn_goaway = on_goaway,
	.gc_conn_closed = on_closed,
};

/* Takes the stream over from uplink_connect.c. */
void
call_begin(struct attempt *at)
{
	if ((at->at_conn = grpc_client_new(proc_base(), at->at_stream,
	    at->at_server, &client_ops, at)) == NULL) {
		attempt_end(at, CAUSE(NETWORK), 0, "%s: %s", at->at_server,
		    strerror(errno));
		return;
	}
	at->at_stream = NULL;
	if (at->at_is_enroll)
		begin_enroll(at);
	else
		peer_send(proc_peer(ROLE_A_ENGINE), IMSG_UPLINK_UP, at->at_id,
		    -1, NULL, 0);
}

void
call_clear(struct attempt *at)
{
	alive_clear(at);
	if (at->at_pause != NULL)
		event_free(at->at_pause);
	at->at_pause = NULL;
	at->at_unary = at->at_channel = NULL;
	follow_clear();
	if (at->at_conn != NULL)
		grpc_conn_close(at->at_conn);
	at->at_conn = NULL;
}

static struct grpc_call *
unary(struct attempt *at, const struct grpc_method *method,
    const uint8_t *data, size_t len)
{
	struct grpc_call	*call;

	if ((call = grpc_call_start(at->at_conn, method, uplink_rpc_msec(),
	    NULL)) == NULL || grpc_call_send(call, data, len) == -1) {
		attempt_end(at, CAUSE(NETWORK), 0, "%s: call: %s",
		    at->at_server, strerror(errno));
		return (NULL);
	}
	return (call);
}

/* The token leaves here. */
static void
begin_enroll(struct attempt *at)
{
	at->at_unary = unary(at, &enroll_method, at->at_request,
	    at->at_requestlen);
	freezero(at->at_request, at->at_requestlen);
	at->at_request = NULL;
}

void
call_report(struct attempt *at, const uint8_t *data, size_t len)
{
	at->at_unary = unary(at, &report_method, data, len);
}

void
call_channel(struct attempt *at)
{
	if ((at->at_channel = grpc_call_start(at->at_conn, &channel_method, 0,
	    NULL)) == NULL)
		attempt_end(at, CAUSE(NETWORK), 0, "%s: channel: %s",
		    at->at_server, strerror(errno));
	else
		alive_begin(at);
}

void
call_send(struct attempt *at, const uint8_t *data, size_t len)
{
	if (grpc_call_send(at->at_channel, data, len) == -1) {
		attempt_end(at, CAUSE(NETWORK), 0, "%s: %s", at->at_server,
		    errno == ENOBUFS ? "the server does not read" :
		    strerror(errno));
		return;
	}
	at->at_unsent++;
	on_pause(-1, 0, at);
}

/* The engine may send as much again. */
static void
credit(struct attempt *at)
{
	Sentinel__Ipc__Sent	 m;

	if (at->at_unsent == 0)
		return;
	sentinel__ipc__sent__init(&m);
	m.count = at->at_unsent;
	at->at_unsent = 0;
	uplink_send(at, IMSG_UPLINK_SENT, &m.base);
}

static void
on_drained(struct grpc_call *call, void *arg)
{
	struct attempt	*at = arg;

	if (follow_drained(call))
		return;
	if (call == at->at_channel && grpc_call_queued(call) == 0)
		credit(at);
}

/*
 * A short timer while the engine is behind (reading stands still) or bytes
 * are unsent (they are credited when all have left).
 */
static void
on_pause(int fd, short what, void *arg)
{
	struct timeval	 tv = monotime_timeval(UPLINK_PAUSE_MSEC);
	struct attempt	*at = arg;

	(void)fd;
	(void)what;
	if (at->at_pause == NULL && (at->at_pause =
	    evtimer_new(proc_base(), on_pause, at)) == NULL)
		fatal("uplink: timer");
	if (at->at_channel == NULL)
		return;
	if (grpc_call_queued(at->at_channel) == 0)
		credit(at);
	if (peer_has_credit(proc_peer(ROLE_A_ENGINE)))
		grpc_call_resume(at->at_channel);
	if (at->at_channel != NULL && (at->at_unsent > 0 ||
	    !peer_has_credit(proc_peer(ROLE_A_ENGINE))))
		evtimer_add(at->at_pause, &tv);
}

/* --- what comes in ------------------------------------------------------- */

static void
on_message(struct grpc_call *call, const uint8_t *data, size_t len, void *arg)
{
	struct attempt	*at = arg;

	/* A server has nothing to say on a FollowLogs call. */
	if (at->at_ended || grpc_call_arg(call) != NULL)
		return;
	if (call == at->at_channel)
		got_message(at, data, len);
	else if (at->at_is_enroll)
		got_enroll(at, data, len);
	else
		got_ack(at, data, len);
}

static void
enrolled(struct attempt *at, enum grpc_status status, const char *text,
    Sentinel__Cluster__EnrollResponse *response)
{
	Sentinel__Ipc__UplinkEnrolled	 m;
	const uint8_t			*chain;
	size_t				 len = 0;

	chain = tls_peer_cert_chain_pem(stream_tls(
	    grpc_conn_stream(at->at_conn)), &len);
	sentinel__ipc__uplink_enrolled__init(&m);
	m.status = status;
	m.message = (char *)(uintptr_t)text;
	m.response = response;
	if (chain != NULL && len <= X509_CHAIN_MAXBYTES) {
		m.server_chain_pem.data = (uint8_t *)(uintptr_t)chain;
		m.server_chain_pem.len = len;
	}
	uplink_send(at, IMSG_UPLINK_ENROLLED, &m.base);
	attempt_end(at, CAUSE(LOCAL), 0, "enrolment answered");
}

static void
got_enroll(struct attempt *at, const uint8_t *data, size_t len)
{
	Sentinel__Cluster__EnrollResponse	*response;
	struct pbmem				 pm;
	const char				*why;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	response = pbcheck_unpack(
	    &sentinel__cluster__enroll_response__descriptor, data, len, &pm,
	    &why);
	if (response == NULL)
		attempt_end(at, CAUSE(PROTOCOL), 0, "%s: broken answer to "
		    "Enroll: %s", at->at_server, why);
	else
		enrolled(at, GRPC_OK, "", response);
	pbmem_free(&pm);
}

static void
got_ack(struct attempt *at, const uint8_t *data, size_t len)
{
	Sentinel__Ipc__UplinkAck	 m;
	struct pbmem			 pm;
	const char			*why;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	sentinel__ipc__uplink_ack__init(&m);
	m.ack = pbcheck_unpack(&sentinel__cluster__state_ack__descriptor,
	    data, len, &pm, &why);
	if (m.ack == NULL)
		attempt_end(at, CAUSE(PROTOCOL), 0, "%s: broken answer to "
		    "ReportState: %s", at->at_server, why);
	else {
		at->at_acked = true;
		at->at_is_ours = m.ack->n_supported_features > 0;
		uplink_send(at, IMSG_UPLINK_ACK, &m.base);
	}
	pbmem_free(&pm);
}

/* Not looked into: the engine checks, and what it verifies is these bytes. */
static void
got_message(struct attempt *at, const uint8_t *data, size_t len)
{
	Sentinel__Ipc__UplinkMessage	 m;

	if (len == 0) {
		log_debug("%s: empty message", at->at_server);
		return;
	}
	sentinel__ipc__uplink_message__init(&m);
	m.message.data = (uint8_t *)(uintptr_t)data;
	m.message.len = len;
	uplink_send(at, IMSG_UPLINK_MESSAGE, &m.base);
	if (!peer_has_credit(proc_peer(ROLE_A_ENGINE))) {
		grpc_call_pause(at->at_channel);
		on_pause(-1, 0, at);
	}
}

static void
on_status(struct grpc_call *call, enum grpc_status status, const char *text,
    void *arg)
{
	struct attempt	*at = arg;
	bool		 was_channel = call == at->at_channel;

	if (follow_status(call, status, text))
		return;
	if (call == at->at_unary)
		at->at_unary = NULL;
	if (was_channel)
		at->at_channel = NULL;
	if (at->at_ended || (!was_channel && status == GRPC_OK))
		return;
	if (status == GRPC_UNAVAILABLE &&
	    strncmp(text, "connection lost:", 16) == 0) {
		/* on_closed() follows and knows more, unless it is only the
		 * server that says so. */
		attempt_end(at, CAUSE(NETWORK), status, "%s: %s",
		    at->at_server, text);
		at->at_is_lost = true;
		return;
	}
	if (at->at_is_enroll)
		enrolled(at, status, text, NULL);
	else if (was_channel && status == GRPC_OK)
		attempt_end(at, CAUSE(ENDED), 0, "the server closed the "
		    "stream");
	else
		attempt_end(at, was_channel ? CAUSE(ENDED) : CAUSE(REFUSED),
		    status, "%s: %s", grpc_status_name((int)status), text);
}

/* A stream that is open goes on; it ends by itself when the server is done. */
static void
on_goaway(struct grpc_conn *conn, const char *text, void *arg)
{
	struct attempt	*at = arg;

	(void)conn;
	log_debug("%s: goaway: %s", at->at_server, text);
	if (at->at_channel == NULL && at->at_unary == NULL)
		attempt_end(at, CAUSE(ENDED), 0, "the server is going away");
}

static void
on_closed(struct grpc_conn *conn, enum stream_end end, const char *text,
    void *arg)
{
	struct attempt	*at = arg;

	(void)conn;
	alive_clear(at);
	at->at_conn = NULL;
	at->at_unary = at->at_channel = NULL;
	follow_clear();
	if (at->at_is_lost)
		at->at_ended = false;
	attempt_end(at, end == STREAM_END_TLS ? CAUSE(TLS) :
	    end == STREAM_END_PROTOCOL ? CAUSE(PROTOCOL) : CAUSE(NETWORK), 0,
	    "%s: %s: %s", at->at_server, stream_end_name(end), text);
}
