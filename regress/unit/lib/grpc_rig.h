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

#ifndef GRPC_RIG_H
#define GRPC_RIG_H

#include "wire_util.h"

#include <signal.h>

#include "grpc.h"
#include "grpc_int.h"

/* grpc: client against server in one loop, plain and over TLS. */

#define PATH_UNARY	"/t.S/Unary"
#define PATH_CHANNEL	"/t.S/Channel"
#define PATH_SMALL	"/t.S/Small"

static const struct grpc_method	 methods[] = {
	{ PATH_UNARY, GRPC_RECV_MAXBYTES, true },
	{ PATH_CHANNEL, GRPC_RECV_MAXBYTES, false },
	{ PATH_SMALL, 100, true },
	{ NULL, 0, false }
};
static const struct grpc_method	 m_unknown = { "/t.S/Nope", 100, true };

/* One side of a connection and everything it was told. */
struct side {
	struct grpc_conn	*conn;
	struct grpc_call	*call;		/* the last one */
	struct evbuffer		*got;
	int			 nopen, nmsg, nclosed, nstatus;
	size_t			 lastlen;
	bool			 ended, drained, half, status_seen, msg_seen;
	bool			 closed_seen, goaway, ponged;
	int			 rtt;
	enum stream_end		 end;
	char			 endtext[STREAM_TEXT_MAXBYTES];
	enum grpc_status	 status;
	char			 text[GRPC_TEXT_MAXBYTES + 1];
	enum grpc_end		 callend;
	enum grpc_status	 refuse;	/* answer of call_open */
	bool			 echo, silent, pause, cancel, closeconn;
	bool			 openfinish;
};

static struct event_base	*base;
static struct side		 S, C;

static inline enum grpc_status
s_open(struct grpc_call *call, const char **text, void *arg)
{
	struct side	*s = arg;

	s->nopen++;
	s->call = call;
	if (s->refuse != GRPC_OK)
		*text = "refused: 100% \xc3\xa9";
	if (s->openfinish)
		grpc_call_finish(call, GRPC_ABORTED, "at once");
	return (s->refuse);
}

static inline void
s_message(struct grpc_call *call, const uint8_t *data, size_t len, void *arg)
{
	struct side	*s = arg;

	s->nmsg++;
	s->msg_seen = true;
	s->lastlen = len;
	(void)evbuffer_add(s->got, data, len);
	if (s->pause)
		grpc_call_pause(call);
	if (s->cancel) {
		grpc_call_cancel(call);
		s->call = NULL;
		return;
	}
	if (s->closeconn) {
		grpc_conn_close(s->conn);
		s->conn = NULL;
		return;
	}
	if (s->silent)
		return;
	if (s->echo)
		assert_int_equal(grpc_call_send(call, data, len), 0);
	if (grpc_call_method(call)->gm_unary)
		grpc_call_finish(call, GRPC_OK, NULL);
}

static inline void
s_half(struct grpc_call *call, void *arg)
{
	struct side	*s = arg;

	s->half = true;
	if (!s->silent)
		grpc_call_finish(call, GRPC_OK, "done");
}

static inline void
s_drained(struct grpc_call *call, void *arg)
{
	struct side	*s = arg;

	assert_true(grpc_call_queued(call) <= H2_QUEUE_LOW);
	s->drained = true;
}

static inline void
s_closed(struct grpc_call *call, enum grpc_end end, void *arg)
{
	struct side	*s = arg;

	assert_ptr_equal(grpc_conn_arg(grpc_call_conn(call)), s);
	s->nclosed++;
	s->closed_seen = true;
	s->callend = end;
	s->call = NULL;
}

static inline void
conn_closed(struct grpc_conn *conn, enum stream_end end, const char *text,
    void *arg)
{
	struct side	*s = arg;

	(void)conn;
	assert_false(s->ended);
	s->ended = true;
	s->end = end;
	s->conn = NULL;
	(void)strlcpy(s->endtext, text, sizeof(s->endtext));
}

static inline void
c_message(struct grpc_call *call, const uint8_t *data, size_t len, void *arg)
{
	struct side	*c = arg;

	c->nmsg++;
	c->msg_seen = true;
	c->lastlen = len;
	(void)evbuffer_add(c->got, data, len);
	if (c->pause)
		grpc_call_pause(call);
	if (c->cancel) {
		grpc_call_cancel(call);
		c->call = NULL;
	}
	if (c->closeconn) {
		grpc_conn_close(c->conn);
		c->conn = NULL;
	}
}

static inline void
c_drained(struct grpc_call *call, void *arg)
{
	struct side	*c = arg;

	(void)call;
	c->drained = true;
}

static inline void
c_status(struct grpc_call *call, enum grpc_status status, const char *text,
    void *arg)
{
	struct side	*c = arg;

	c->nstatus++;
	c->status_seen = true;
	c->status = status;
	(void)strlcpy(c->text, text, sizeof(c->text));
	if (c->call == call)
		c->call = NULL;
	assert_int_equal(grpc_call_send(call, "x", 1), -1);
}

static inline void
c_goaway(struct grpc_conn *conn, const char *text, void *arg)
{
	struct side	*c = arg;

	(void)conn;
	assert_true(strlen(text) > 0);
	c->goaway = true;
}

static const struct grpc_server_ops	 sops = {
	.gs_call_open = s_open,
	.gs_call_message = s_message,
	.gs_call_half_close = s_half,
	.gs_call_drained = s_drained,
	.gs_call_closed = s_closed,
	.gs_conn_closed = conn_closed
};

static const struct grpc_client_ops	 cops = {
	.gc_call_message = c_message,
	.gc_call_drained = c_drained,
	.gc_call_status = c_status,
	.gc_conn_goaway = c_goaway,
	.gc_conn_closed = conn_closed
};

static const struct stream_ops	 no_ops;

static inline void
side_init(struct side *s)
{
	memset(s, 0, sizeof(*s));
	s->got = evbuffer_new();
	s->echo = true;
}

static inline void
start_server(int fd)
{
	struct stream	*s;

	side_init(&S);
	s = stream_new(base, fd, NULL, &no_ops, NULL);
	S.conn = grpc_server_new(base, s, methods, &sops, &S);
	assert_non_null(S.conn);
}

static inline void
start_client(int fd)
{
	struct stream	*s;

	side_init(&C);
	s = stream_new(base, fd, NULL, &no_ops, NULL);
	C.conn = grpc_client_new(base, s, "localhost:9443", &cops, &C);
	assert_non_null(C.conn);
}

static inline void
start(void)
{
	int		 fd[2];

	socket_pair(fd);
	start_server(fd[0]);
	start_client(fd[1]);
}

static inline void
stop(void)
{
	if (C.conn != NULL)
		grpc_conn_close(C.conn);
	if (S.conn != NULL)
		grpc_conn_close(S.conn);
	C.conn = S.conn = NULL;
	evbuffer_free(C.got);
	evbuffer_free(S.got);
	loop_for(base, 20);
}

/* One unary call to its end. */
static inline void
unary(const struct grpc_method *m, const void *data, size_t len)
{
	C.status_seen = false;
	C.call = grpc_call_start(C.conn, m, 0, NULL);
	assert_non_null(C.call);
	assert_int_equal(grpc_call_send(C.call, data, len), 0);
	loop_until(base, &C.status_seen);
}

static inline void
open_channel(void)
{
	C.call = grpc_call_start(C.conn, &methods[1], 0, NULL);
	assert_non_null(C.call);
	assert_int_equal(grpc_call_send(C.call, "hello", 5), 0);
	loop_until(base, &S.msg_seen);
}

/* More than the client's window takes. */
static inline void
queue_up(struct grpc_call *call)
{
	char		*big = calloc(1, GRPC_SEND_MAXBYTES);

	assert_int_equal(grpc_call_send(call, big, 1000), 0);
	assert_int_equal(grpc_call_send(call, big, GRPC_SEND_MAXBYTES), 0);
	free(big);
}

static inline int
setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	return (0);
}

static inline int
teardown(void **state)
{
	(void)state;
	/* Farewells of the last connections. */
	loop_for(base, STREAM_LINGER_MSEC + 100);
	event_base_free(base);
	libevent_global_shutdown();
	return (0);
}

#endif
