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

#include "bench.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "pbmem.h"
#include "sentinel.pb-c.h"
#include "stream.h"
#include "tlsconf.h"

static void	 on_up(struct stream *, void *);
static void	 on_read(struct stream *, struct evbuffer *, void *);
static void	 on_end(struct stream *, enum stream_end, const char *, void *);
static void	 on_message(struct grpc_call *, const uint8_t *, size_t,
		    void *);
static void	 on_status(struct grpc_call *, enum grpc_status,
		    const char *, void *);
static void	 on_closed(struct grpc_conn *, enum stream_end, const char *,
		    void *);
static void	 connect_more(void);
static void	 report(struct agent *);
static void	 carry_out(struct agent *, const uint8_t *, size_t);
static void	 answer(struct agent *,
		    const Sentinel__Cluster__ServerMessage *, const char *);
static void	 send_packed(struct grpc_call *, const ProtobufCMessage *);
static void	 on_timeout(int, short, void *);

static const struct stream_ops	stream_ops = {
	.so_up = on_up,
	.so_read = on_read,
	.so_end = on_end,
};
static const struct grpc_client_ops	client_ops = {
	.gc_call_message = on_message,
	.gc_call_status = on_status,
	.gc_conn_closed = on_closed,
};
static const struct grpc_method	report_method = {
	"/sentinel.cluster.AgentService/ReportState", 65536, true
};
static const struct grpc_method	channel_method = {
	"/sentinel.cluster.AgentService/Channel", 1024 * 1024, false
};
static bool	closing;
static size_t	begun;		/* connections */

/* An address of their own for a few each: no source may have all places of
 * a server that shakes hands. */
#define AGENTS_PER_ADDRESS	16

int
bench_connect(size_t n)
{
	struct sockaddr_in	 from = { .sin_family = AF_INET };
	struct addrinfo	 hints = { .ai_socktype = SOCK_STREAM,
	    .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV }, *ai;
	const int	 on = 1;
	int		 fd, rc;

	if ((rc = getaddrinfo(bench.b_host, bench.b_port, &hints, &ai)) != 0)
		errx(1, "%s:%s: %s", bench.b_host, bench.b_port,
		    gai_strerror(rc));
	if ((fd = socket(ai->ai_family, SOCK_STREAM | SOCK_NONBLOCK |
	    SOCK_CLOEXEC, 0)) == -1)
		err(1, "socket");
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	from.sin_addr.s_addr = htonl(INADDR_LOOPBACK + 1 +
	    (uint32_t)(n / AGENTS_PER_ADDRESS));
	if (bind(fd, (struct sockaddr *)&from, sizeof(from)) == -1)
		err(1, "bind");
	if (connect(fd, ai->ai_addr, ai->ai_addrlen) == -1 &&
	    errno != EINPROGRESS)
		err(1, "connect");
	freeaddrinfo(ai);
	return (fd);
}

void
agents_prepare(void)
{
	struct tlsconf	 tc = { .tc_alpn = TLSCONF_H2 };
	struct agent	*ag;
	char		 why[256];

	for (ag = bench.b_agents; ag < bench.b_agents + bench.b_nagents;
	    ag++) {
		tc.tc_cert = (uint8_t *)ag->ag_cert;
		tc.tc_certlen = strlen(ag->ag_cert);
		tc.tc_key = (uint8_t *)ag->ag_key;
		tc.tc_keylen = strlen(ag->ag_key);
		tls_free(ag->ag_tls);
		if ((ag->ag_tls = tlsconf_client(&tc, why, sizeof(why))) ==
		    NULL)
			errx(1, "%s", why);
	}
}

/*
 * All of them as soon as this process can: it stands for as many machines,
 * so what it has not the time to work on is not begun yet.
 */
#define AGENTS_AT_A_TIME	128

static void
connect_more(void)
{
	struct agent	*ag;
	int		 fd;

	while (begun < bench.b_nagents &&
	    begun - bench.b_open < AGENTS_AT_A_TIME) {
		ag = &bench.b_agents[begun];
		fd = bench_connect(begun++);
		if (tls_connect_socket(ag->ag_tls, fd, bench.b_host) == -1)
			errx(1, "%s", tls_error(ag->ag_tls));
		if ((ag->ag_stream = stream_new(bench.b_base, fd, ag->ag_tls,
		    &stream_ops, ag)) == NULL)
			err(1, "stream");
		stream_set_handshake(ag->ag_stream, 120000);
		ag->ag_tls = NULL;
		ag->ag_state = AGENT_CONNECTING;
	}
}

void
agents_connect(void)
{
	begun = 0;
	connect_more();
}

void
agents_close(void)
{
	struct agent	*ag;

	closing = true;
	for (ag = bench.b_agents; ag < bench.b_agents + bench.b_nagents;
	    ag++) {
		if (ag->ag_conn != NULL)
			grpc_conn_close(ag->ag_conn);
		else
			stream_free(ag->ag_stream);
		ag->ag_conn = NULL;
		ag->ag_stream = NULL;
		ag->ag_state = AGENT_IDLE;
	}
	bench.b_open = 0;
	agents_loop(200, NULL);		/* the farewells leave */
	closing = false;
}

static void
on_timeout(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	*(bool *)arg = true;
}

/* Runs until the time is over, which is a failure when something is awaited. */
void
agents_loop(unsigned int msec, bool (*until)(void))
{
	struct timeval	 tv = monotime_timeval(msec);
	struct event	*timer;
	bool		 over = false;

	if ((timer = evtimer_new(bench.b_base, on_timeout, &over)) == NULL ||
	    evtimer_add(timer, &tv) == -1)
		errx(1, "timer");
	while (!over && (until == NULL || !until()))
		(void)event_base_loop(bench.b_base, EVLOOP_ONCE);
	event_free(timer);
	if (over && until != NULL)
		errx(1, "%zu of %zu agents are connected after %u ms",
		    bench.b_open, bench.b_nagents, msec);
}

static void
on_up(struct stream *st, void *arg)
{
	struct agent	*ag = arg;

	if ((ag->ag_conn = grpc_client_new(bench.b_base, st, bench.b_host,
	    &client_ops, ag)) == NULL)
		err(1, "grpc");
	ag->ag_stream = NULL;
	ag->ag_state = AGENT_REPORTING;
	report(ag);
}

static void
on_read(struct stream *st, struct evbuffer *in, void *arg)
{
	(void)in;
	(void)arg;
	stream_pause(st);
}

static void
on_end(struct stream *st, enum stream_end end, const char *text, void *arg)
{
	(void)st;
	(void)arg;
	errx(1, "connection: %s: %s", stream_end_name(end), text);
}

static void
send_packed(struct grpc_call *call, const ProtobufCMessage *m)
{
	uint8_t	 buf[4096];
	size_t	 len;

	if (protobuf_c_message_get_packed_size(m) > sizeof(buf))
		errx(1, "a message of ours is too large");
	len = protobuf_c_message_pack(m, buf);
	if (grpc_call_send(call, buf, len) == -1)
		err(1, "send");
}

static void
report(struct agent *ag)
{
	Sentinel__Cluster__StateReport		 r;
	Sentinel__Cluster__ContainerInfo	 ci, *list[] = { &ci };
	char	 id[] = "0123456789abcdef", name[] = BENCH_CONTAINER,
		 image[] = "example/web:1", state[] = "running",
		 version[] = "bench", word[] = "signed-command", *words[] = {
		 word };
	uint8_t	 nonce[16] = { 1 };
	struct grpc_call	*call;

	sentinel__cluster__container_info__init(&ci);
	ci.id = id;
	ci.name = name;
	ci.image = image;
	ci.state = state;
	sentinel__cluster__state_report__init(&r);
	r.host_id = ag->ag_id;
	r.agent_version = version;
	r.containers = list;
	r.n_containers = 1;
	r.supported_features = words;
	r.n_supported_features = 1;
	r.session_nonce.data = nonce;
	r.session_nonce.len = sizeof(nonce);
	if ((call = grpc_call_start(ag->ag_conn, &report_method, 120000,
	    ag)) == NULL)
		err(1, "ReportState");
	send_packed(call, &r.base);
}

static void
on_message(struct grpc_call *call, const uint8_t *data, size_t len, void *arg)
{
	Sentinel__Cluster__Heartbeat	 hb;
	Sentinel__Cluster__AgentMessage	 m;
	struct agent			*ag = arg;
	char				 version[] = "bench";

	if (call == ag->ag_channel) {
		carry_out(ag, data, len);
		return;
	}
	/* The StateAck. */
	if ((ag->ag_channel = grpc_call_start(ag->ag_conn, &channel_method,
	    0, ag)) == NULL)
		err(1, "Channel");
	sentinel__cluster__heartbeat__init(&hb);
	hb.host_id = ag->ag_id;
	hb.agent_version = version;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case = SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_HEARTBEAT;
	m.heartbeat = &hb;
	send_packed(ag->ag_channel, &m.base);
	ag->ag_state = AGENT_OPEN;
	bench.b_open++;
	connect_more();
}

static void
carry_out(struct agent *ag, const uint8_t *data, size_t len)
{
	Sentinel__Cluster__ServerMessage	*m, *inner;
	Sentinel__Cluster__CommandBody		*body;

	if ((m = sentinel__cluster__server_message__unpack(NULL, len,
	    data)) == NULL)
		errx(1, "broken message");
	if (m->payload_case ==
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_SIGNED_COMMAND) {
		body = sentinel__cluster__command_body__unpack(NULL,
		    m->signed_command->body.len, m->signed_command->body.data);
		if (body == NULL || (inner =
		    sentinel__cluster__server_message__unpack(NULL,
		    body->message.len, body->message.data)) == NULL)
			errx(1, "broken command");
		answer(ag, inner, body->request_id);
		sentinel__cluster__server_message__free_unpacked(inner, NULL);
		sentinel__cluster__command_body__free_unpacked(body, NULL);
	} else
		answer(ag, m, m->request_id);
	sentinel__cluster__server_message__free_unpacked(m, NULL);
}

/* Syncs and heartbeats want no answer. */
static void
answer(struct agent *ag, const Sentinel__Cluster__ServerMessage *m,
    const char *id)
{
	Sentinel__Cluster__ContainerActionResult	 r;
	Sentinel__Cluster__AgentMessage			 out;
	char						 ok[] = "success";

	if (m->payload_case !=
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_CONTAINER_ACTION)
		return;
	sentinel__cluster__container_action_result__init(&r);
	r.request_id = (char *)(uintptr_t)id;
	r.container_name = m->container_action->container_name;
	r.action = m->container_action->action;
	r.outcome = ok;
	sentinel__cluster__agent_message__init(&out);
	out.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CONTAINER_ACTION_RESULT;
	out.container_action_result = &r;
	send_packed(ag->ag_channel, &out.base);
}

static void
on_status(struct grpc_call *call, enum grpc_status status, const char *text,
    void *arg)
{
	struct agent	*ag = arg;

	if (!closing && (call == ag->ag_channel || status != GRPC_OK))
		errx(1, "the server ended a call: %s: %s",
		    grpc_status_name((int)status), text);
	if (call == ag->ag_channel)
		ag->ag_channel = NULL;
}

static void
on_closed(struct grpc_conn *conn, enum stream_end end, const char *text,
    void *arg)
{
	struct agent	*ag = arg;

	(void)conn;
	ag->ag_conn = NULL;
	if (!closing)
		errx(1, "connection: %s: %s", stream_end_name(end), text);
}
