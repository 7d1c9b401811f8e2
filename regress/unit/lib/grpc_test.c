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

static enum grpc_status
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

static void
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

static void
s_half(struct grpc_call *call, void *arg)
{
	struct side	*s = arg;

	s->half = true;
	if (!s->silent)
		grpc_call_finish(call, GRPC_OK, "done");
}

static void
s_drained(struct grpc_call *call, void *arg)
{
	struct side	*s = arg;

	assert_true(grpc_call_queued(call) <= H2_QUEUE_LOW);
	s->drained = true;
}

static void
s_closed(struct grpc_call *call, enum grpc_end end, void *arg)
{
	struct side	*s = arg;

	assert_ptr_equal(grpc_conn_arg(grpc_call_conn(call)), s);
	s->nclosed++;
	s->closed_seen = true;
	s->callend = end;
	s->call = NULL;
}

static void
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

static void
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

static void
c_drained(struct grpc_call *call, void *arg)
{
	struct side	*c = arg;

	(void)call;
	c->drained = true;
}

static void
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

static void
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

static void
side_init(struct side *s)
{
	memset(s, 0, sizeof(*s));
	s->got = evbuffer_new();
	s->echo = true;
}

static void
start_server(int fd)
{
	struct stream	*s;

	side_init(&S);
	s = stream_new(base, fd, NULL, &no_ops, NULL);
	S.conn = grpc_server_new(base, s, methods, &sops, &S);
	assert_non_null(S.conn);
}

static void
start_client(int fd)
{
	struct stream	*s;

	side_init(&C);
	s = stream_new(base, fd, NULL, &no_ops, NULL);
	C.conn = grpc_client_new(base, s, "localhost:9443", &cops, &C);
	assert_non_null(C.conn);
}

static void
start(void)
{
	int		 fd[2];

	socket_pair(fd);
	start_server(fd[0]);
	start_client(fd[1]);
}

static void
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
static void
unary(const struct grpc_method *m, const void *data, size_t len)
{
	C.status_seen = false;
	C.call = grpc_call_start(C.conn, m, 0, NULL);
	assert_non_null(C.call);
	assert_int_equal(grpc_call_send(C.call, data, len), 0);
	loop_until(base, &C.status_seen);
}

static void
open_channel(void)
{
	C.call = grpc_call_start(C.conn, &methods[1], 0, NULL);
	assert_non_null(C.call);
	assert_int_equal(grpc_call_send(C.call, "hello", 5), 0);
	loop_until(base, &S.msg_seen);
}

/* More than the client's window takes. */
static void
queue_up(struct grpc_call *call)
{
	char		*big = calloc(1, GRPC_SEND_MAXBYTES);

	assert_int_equal(grpc_call_send(call, big, 1000), 0);
	assert_int_equal(grpc_call_send(call, big, GRPC_SEND_MAXBYTES), 0);
	free(big);
}

static void
test_unary(void **state)
{
	(void)state;
	start();
	unary(&methods[0], "ping", 4);
	assert_int_equal(C.status, GRPC_OK);
	assert_string_equal(C.text, "");
	assert_int_equal(C.nmsg, 1);
	assert_int_equal(evbuffer_get_length(C.got), 4);
	unary(&methods[0], "", 0);
	assert_int_equal(C.status, GRPC_OK);
	assert_int_equal(C.nmsg, 2);
	assert_int_equal(S.nopen, 2);
	loop_until(base, &S.closed_seen);
	assert_int_equal(S.callend, GRPC_END_FINISHED);
	assert_int_equal(grpc_conn_ncalls(C.conn), 0);
	stop();
}

static void
test_refusals(void **state)
{
	static char	 big[200];

	(void)state;
	start();
	S.refuse = GRPC_PERMISSION_DENIED;
	unary(&methods[0], "x", 1);
	assert_int_equal(C.status, GRPC_PERMISSION_DENIED);
	assert_string_equal(C.text, "refused: 100% \xc3\xa9");
	S.refuse = GRPC_OK;
	unary(&m_unknown, "x", 1);
	assert_int_equal(C.status, GRPC_UNIMPLEMENTED);
	/* Too large for this method; the connection stays usable. */
	unary(&methods[2], big, sizeof(big));
	assert_int_equal(C.status, GRPC_RESOURCE_EXHAUSTED);
	assert_string_equal(C.text,
	    "grpc: received message larger than max (200 vs. 100)");
	unary(&methods[2], big, 100);
	assert_int_equal(C.status, GRPC_OK);
	S.openfinish = true;
	unary(&methods[0], "x", 1);
	assert_int_equal(C.status, GRPC_ABORTED);
	assert_int_equal(S.nopen, 4);
	loop_for(base, 20);
	assert_int_equal(S.nclosed, 3);
	assert_int_equal(grpc_conn_ncalls(S.conn), 0);
	stop();
}

/* Large messages both ways; more than every window. */
static void
test_channel(void **state)
{
	uint8_t		*big = malloc(GRPC_SEND_MAXBYTES);
	size_t		 i, want;

	(void)state;
	for (i = 0; i < GRPC_SEND_MAXBYTES; i++)
		big[i] = (uint8_t)(i * 7 >> 4);
	start();
	open_channel();
	assert_int_equal(grpc_call_send(C.call, big, GRPC_SEND_MAXBYTES), 0);
	assert_int_equal(grpc_call_send(C.call, big, GRPC_SEND_MAXBYTES + 1),
	    -1);
	assert_int_equal(errno, EMSGSIZE);
	assert_true(grpc_call_queued(C.call) >= GRPC_SEND_MAXBYTES);
	want = 5 + GRPC_SEND_MAXBYTES;
	while (evbuffer_get_length(C.got) < want)
		(void)event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(S.nmsg, 2);
	assert_int_equal(C.nmsg, 2);
	assert_memory_equal(evbuffer_pullup(C.got, -1) + 5, big,
	    GRPC_SEND_MAXBYTES);
	assert_true(C.drained);
	assert_true(S.drained);
	assert_int_equal(grpc_call_half_close(C.call), 0);
	assert_int_equal(grpc_call_send(C.call, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	loop_until(base, &C.status_seen);
	assert_int_equal(C.status, GRPC_OK);
	assert_string_equal(C.text, "done");
	assert_true(S.half);
	free(big);
	stop();
}

/* Queue bound: a peer that takes nothing stops us at the limit. */
static void
test_queue_bound(void **state)
{
	char		*big = calloc(1, GRPC_SEND_MAXBYTES);
	int		 n = 0;

	(void)state;
	start();
	open_channel();
	S.pause = true;
	while (grpc_call_send(C.call, big, GRPC_SEND_MAXBYTES) == 0)
		assert_true(++n < 10);
	assert_int_equal(errno, ENOBUFS);
	assert_true(grpc_call_queued(C.call) <= GRPC_QUEUE_MAXBYTES);
	free(big);
	stop();
}

/* A paused call holds back its messages and, through the window, its peer. */
static void
test_pause(void **state)
{
	struct grpc_call	*cch, *sch;
	char			 buf[1000];
	int			 i;

	(void)state;
	memset(buf, 'x', sizeof(buf));
	start();
	S.echo = false;
	S.pause = true;
	open_channel();
	for (i = 0; i < 500; i++)
		assert_int_equal(grpc_call_send(C.call, buf, sizeof(buf)), 0);
	loop_for(base, 50);
	assert_int_equal(S.nmsg, 1);
	assert_true(grpc_call_queued(C.call) >
	    500 * sizeof(buf) - 2 * H2_STREAM_WINDOW);
	/* Other calls and PINGs pass meanwhile. */
	S.pause = false;
	S.echo = true;
	cch = C.call;
	sch = S.call;
	unary(&methods[0], "ping", 4);
	assert_int_equal(C.status, GRPC_OK);
	S.echo = false;
	assert_int_equal(grpc_call_half_close(cch), 0);
	C.status_seen = false;
	grpc_call_resume(sch);
	loop_until(base, &C.status_seen);
	assert_int_equal(S.nmsg, 502);
	assert_int_equal(C.status, GRPC_OK);
	stop();
}

/* The client's status waits for the messages a pause holds back. */
static void
test_client_pause(void **state)
{
	(void)state;
	start();
	S.echo = false;
	open_channel();
	C.pause = true;
	assert_int_equal(grpc_call_send(S.call, "one", 3), 0);
	assert_int_equal(grpc_call_send(S.call, "two", 3), 0);
	grpc_call_finish(S.call, GRPC_OK, NULL);
	loop_for(base, 50);
	assert_int_equal(C.nmsg, 1);
	assert_false(C.status_seen);
	C.pause = false;
	grpc_call_resume(C.call);
	loop_until(base, &C.status_seen);
	assert_int_equal(C.nmsg, 2);
	assert_int_equal(C.status, GRPC_OK);
	stop();
}

/* The server ends a Channel whose client goes on sending. */
static void
test_server_ends(void **state)
{
	(void)state;
	start();
	open_channel();
	grpc_call_finish(S.call, GRPC_NOT_FOUND, "host ID not registered");
	grpc_call_finish(S.call, GRPC_OK, "a second one is ignored");
	assert_int_equal(grpc_call_send(S.call, "x", 1), -1);
	loop_until(base, &C.status_seen);
	assert_int_equal(C.status, GRPC_NOT_FOUND);
	assert_string_equal(C.text, "host ID not registered");
	loop_until(base, &S.closed_seen);
	assert_int_equal(S.callend, GRPC_END_FINISHED);
	assert_int_equal(grpc_conn_ncalls(S.conn), 0);
	unary(&methods[0], "still", 5);
	assert_int_equal(C.status, GRPC_OK);
	stop();
}

static void
test_cancel(void **state)
{
	(void)state;
	start();
	open_channel();
	grpc_call_cancel(C.call);
	C.call = NULL;
	loop_until(base, &S.closed_seen);
	assert_int_equal(S.callend, GRPC_END_CANCELLED);
	assert_int_equal(C.nstatus, 0);
	/* Inside callbacks, on either side. */
	S.msg_seen = false;
	S.cancel = true;
	open_channel();
	loop_until(base, &C.status_seen);
	assert_int_equal(C.status, GRPC_CANCELLED);
	assert_int_equal(S.nclosed, 1);
	S.cancel = false;
	C.cancel = true;
	S.msg_seen = false;
	S.closed_seen = false;
	open_channel();
	loop_until(base, &S.closed_seen);
	assert_null(C.call);
	assert_int_equal(S.callend, GRPC_END_CANCELLED);
	stop();
}

static void
test_close_in_callback(void **state)
{
	(void)state;
	start();
	S.closeconn = true;
	C.call = grpc_call_start(C.conn, &methods[0], 0, NULL);
	assert_int_equal(grpc_call_send(C.call, "x", 1), 0);
	loop_until(base, &C.ended);
	assert_int_equal(C.status, GRPC_UNAVAILABLE);
	assert_null(S.conn);
	assert_int_equal(S.nclosed, 0);
	stop();

	start();
	C.closeconn = true;
	open_channel();
	loop_until(base, &S.ended);
	assert_int_equal(S.callend, GRPC_END_LOST);
	assert_int_equal(C.nstatus, 0);
	stop();
}

static void
test_client_deadline(void **state)
{
	monotime_t	 t0 = monotime_now();

	(void)state;
	start();
	S.silent = true;
	C.call = grpc_call_start(C.conn, &methods[0], 80, NULL);
	assert_int_equal(grpc_call_send(C.call, "x", 1), 0);
	loop_until(base, &C.status_seen);
	assert_int_equal(C.status, GRPC_DEADLINE_EXCEEDED);
	assert_true(monotime_now() - t0 >= 75);
	loop_until(base, &S.closed_seen);
	assert_true(S.callend == GRPC_END_DEADLINE ||
	    S.callend == GRPC_END_CANCELLED);
	stop();
}

static void
test_lost(void **state)
{
	int		 fd[2];

	(void)state;
	socket_pair(fd);
	start_server(fd[0]);
	start_client(fd[1]);
	open_channel();
	S.silent = true;
	(void)shutdown(stream_fd(grpc_conn_stream(C.conn)), SHUT_RDWR);
	loop_until(base, &C.ended);
	loop_until(base, &S.ended);
	assert_int_equal(C.status, GRPC_UNAVAILABLE);
	assert_int_equal(S.callend, GRPC_END_LOST);
	assert_int_equal(S.end, STREAM_END_EOF);
	stop();
}

static void
on_pong(struct grpc_conn *conn, int rtt, void *arg)
{
	struct side	*s = arg;

	assert_ptr_equal(conn, s->conn);
	s->rtt = rtt;
	s->ponged = true;
}

static void
test_ping(void **state)
{
	(void)state;
	start();
	open_channel();
	assert_int_equal(grpc_conn_ping(S.conn, 1000, on_pong, &S), 0);
	assert_int_equal(grpc_conn_ping(S.conn, 1000, on_pong, &S), -1);
	assert_int_equal(errno, EBUSY);
	loop_until(base, &S.ponged);
	assert_true(S.rtt >= 0 && S.rtt < 1000);
	/* Nobody answers while the other side does not read. */
	S.ponged = false;
	grpc_conn_pause(C.conn);
	assert_int_equal(grpc_conn_ping(S.conn, 50, on_pong, &S), 0);
	loop_until(base, &S.ponged);
	assert_int_equal(S.rtt, -1);
	/* The late answer is not taken for that of the next. */
	S.ponged = false;
	grpc_conn_resume(C.conn);
	assert_int_equal(grpc_conn_ping(S.conn, 1000, on_pong, &S), 0);
	loop_until(base, &S.ponged);
	assert_true(S.rtt >= 0);
	stop();
}

static void
test_goaway(void **state)
{
	(void)state;
	start();
	open_channel();
	grpc_conn_goaway(S.conn);
	loop_until(base, &C.goaway);
	/* The open call goes on, a new one does not start. */
	assert_null(grpc_call_start(C.conn, &methods[0], 0, NULL));
	assert_int_equal(errno, EPIPE);
	C.msg_seen = false;
	assert_int_equal(grpc_call_send(C.call, "again", 5), 0);
	loop_until(base, &C.msg_seen);
	assert_int_equal(grpc_call_half_close(C.call), 0);
	loop_until(base, &C.ended);
	loop_until(base, &S.ended);
	assert_int_equal(C.status, GRPC_OK);
	assert_int_equal(C.end, STREAM_END_EOF);
	assert_int_equal(S.end, STREAM_END_LOCAL);
	stop();
}

static void
test_idle(void **state)
{
	(void)state;
	start();
	grpc_conn_set_idle(S.conn, 60);
	open_channel();
	loop_for(base, 120);
	assert_false(S.ended);
	assert_int_equal(grpc_call_half_close(C.call), 0);
	loop_until(base, &S.ended);
	assert_int_equal(S.end, STREAM_END_LOCAL);
	loop_until(base, &C.ended);
	assert_int_equal(C.end, STREAM_END_EOF);
	stop();
}

/* A request that does not arrive, and an answer that does not leave. */
static void
test_server_limits(void **state)
{
	(void)state;
	start();
	S.conn->gn_request = 50;
	C.call = grpc_call_start(C.conn, &methods[0], 0, NULL);
	loop_until(base, &C.status_seen);
	assert_int_equal(C.status, GRPC_DEADLINE_EXCEEDED);
	loop_until(base, &S.closed_seen);
	assert_int_equal(S.callend, GRPC_END_DEADLINE);

	S.conn->gn_finish = 50;
	S.echo = false;
	S.closed_seen = C.status_seen = false;
	open_channel();
	C.pause = true;
	queue_up(S.call);
	grpc_call_finish(S.call, GRPC_OK, NULL);
	loop_until(base, &S.closed_seen);
	assert_int_equal(S.callend, GRPC_END_DEADLINE);
	assert_int_equal(grpc_conn_ncalls(S.conn), 0);
	C.pause = false;
	grpc_call_resume(C.call);
	loop_until(base, &C.status_seen);
	assert_int_equal(C.status, GRPC_CANCELLED);
	stop();
}

/* More calls than the server takes at a time: all are served in the end. */
static void
test_many_calls(void **state)
{
	struct grpc_call	*call;
	int			 i;

	(void)state;
	start();
	for (i = 0; i < 100; i++) {
		call = grpc_call_start(C.conn, &methods[0], 0, NULL);
		assert_non_null(call);
		assert_int_equal(grpc_call_send(call, "abc", 3), 0);
	}
	while (C.nstatus < 100)
		(void)event_base_loop(base, EVLOOP_ONCE);
	assert_int_equal(C.nmsg, 100);
	assert_int_equal(C.status, GRPC_OK);
	assert_int_equal(grpc_conn_ncalls(C.conn), 0);
	stop();
}

static void
test_texts(void **state)
{
	char		 enc[GRPC_TEXT_ENCODED], buf[32], *dec;
	char		 longtext[3 * GRPC_TEXT_MAXBYTES];
	size_t		 i;
	static const struct { const char *in; int64_t msec; } timeouts[] = {
		{ "1S", 1000 }, { "99999999m", 99999999 }, { "1u", 1 },
		{ "1n", 1 }, { "2500u", 3 }, { "3H", 10800000 },
		{ "2M", 120000 }, { "0m", 0 }, { "", -1 }, { "S", -1 },
		{ "1", -1 }, { "1x", -1 }, { "1Sx", -1 },
		{ "123456789m", -1 }, { "-1S", -1 }, { " 1S", -1 }
	};

	(void)state;
	for (i = 0; i < nitems(timeouts); i++)
		assert_int_equal(grpc_timeout_parse(timeouts[i].in),
		    timeouts[i].msec);
	grpc_timeout_format(buf, sizeof(buf), 1500);
	assert_string_equal(buf, "1500m");
	grpc_timeout_format(buf, sizeof(buf), 4000000000U);
	assert_string_equal(buf, "4000000S");
	grpc_text_encode(enc, "a%b\n\xc3\xa9\xff");
	assert_string_equal(enc, "a%25b%0A%C3%A9%EF%BF%BD");
	dec = grpc_text_decode("a%25b%0A%c3%a9%zz%");
	assert_string_equal(dec, "a%b\\n\xc3\xa9%zz%");
	free(dec);
	memset(longtext, '\xff', sizeof(longtext) - 1);
	longtext[sizeof(longtext) - 1] = '\0';
	grpc_text_encode(enc, longtext);
	assert_true(strlen(enc) < sizeof(enc));
	dec = grpc_text_decode(longtext);
	assert_true(strlen(dec) <= GRPC_TEXT_MAXBYTES);
	free(dec);
	assert_true(grpc_is_content_type("application/grpc"));
	assert_true(grpc_is_content_type("application/grpc+proto"));
	assert_true(grpc_is_content_type("application/grpc; charset=x"));
	assert_false(grpc_is_content_type("application/grpcx"));
	assert_false(grpc_is_content_type("application/json"));
	assert_int_equal(grpc_status_parse("16"), 16);
	assert_int_equal(grpc_status_parse("17"), GRPC_UNKNOWN);
	assert_int_equal(grpc_status_parse("1x"), GRPC_UNKNOWN);
	assert_int_equal(grpc_status_parse(""), GRPC_UNKNOWN);
	assert_int_equal(grpc_status_parse("0000"), GRPC_UNKNOWN);
	assert_string_equal(grpc_status_name(5), "NOT_FOUND");
	assert_string_equal(grpc_status_name(99), "UNKNOWN");
	assert_int_equal(grpc_status_of_reset(NGHTTP2_REFUSED_STREAM),
	    GRPC_UNAVAILABLE);
	assert_int_equal(grpc_status_of_reset(NGHTTP2_CANCEL),
	    GRPC_CANCELLED);
	assert_int_equal(grpc_status_of_reset(1000), GRPC_UNKNOWN);
	assert_int_equal(grpc_status_of_http(503), GRPC_UNAVAILABLE);
}

/* Over TLS, started from so_up as the daemons do it. */
struct tls_side {
	bool		 server;
	bool		 up;
	struct stream	*s;
};

static void
tls_up(struct stream *s, void *arg)
{
	struct tls_side	*t = arg;

	assert_null(tlsconf_fault(stream_tls(s), "h2"));
	if (t->server)
		S.conn = grpc_server_new(base, s, methods, &sops, &S);
	else
		C.conn = grpc_client_new(base, s, "localhost:9443", &cops,
		    &C);
	t->up = true;
}

static void
tls_end(struct stream *s, enum stream_end end, const char *text, void *arg)
{
	(void)s;
	(void)end;
	(void)arg;
	fail_msg("ended before it was up: %s", text);
}

static const struct stream_ops	 tls_ops = {
	.so_up = tls_up,
	.so_end = tls_end
};

static void
test_over_tls(void **state)
{
	struct tls_side	 ts = { true, false, NULL }, tc = { false, false,
			    NULL };
	struct pem	 ca, leaf, client;
	struct tls	*server, *conn, *cl;
	char		*big = calloc(1, GRPC_SEND_MAXBYTES);
	int		 fd[2];

	(void)state;
	pem_make(&ca, "CA", NULL, NULL, -60, 3600);
	pem_make(&leaf, "server", &ca, "serverAuth", -60, 3600);
	pem_make(&client, "client", &ca, "clientAuth", -60, 3600);
	server = tls_context(true, &leaf, &ca, "h2");
	cl = tls_context(false, &client, NULL, "h2");
	socket_pair(fd);
	assert_int_equal(tls_accept_socket(server, &conn, fd[0]), 0);
	assert_int_equal(tls_connect_socket(cl, fd[1], "localhost"), 0);
	side_init(&S);
	side_init(&C);
	assert_non_null(stream_new(base, fd[0], conn, &tls_ops, &ts));
	assert_non_null(stream_new(base, fd[1], cl, &tls_ops, &tc));
	loop_until(base, &ts.up);
	loop_until(base, &tc.up);
	unary(&methods[0], "ping", 4);
	assert_int_equal(C.status, GRPC_OK);
	unary(&methods[0], big, GRPC_SEND_MAXBYTES);
	assert_int_equal(C.status, GRPC_OK);
	assert_int_equal(C.lastlen, GRPC_SEND_MAXBYTES);
	grpc_conn_close(C.conn);
	C.conn = NULL;
	loop_until(base, &S.ended);
	assert_int_equal(S.end, STREAM_END_EOF);
	stop();
	tls_free(server);
	pem_free(&ca);
	pem_free(&leaf);
	pem_free(&client);
	free(big);
}

static int
setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	/* Farewells of the last connections. */
	loop_for(base, STREAM_LINGER_MSEC + 100);
	event_base_free(base);
	libevent_global_shutdown();
	return (0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_unary),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_channel),
		cmocka_unit_test(test_queue_bound),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_client_pause),
		cmocka_unit_test(test_server_ends),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_close_in_callback),
		cmocka_unit_test(test_client_deadline),
		cmocka_unit_test(test_lost),
		cmocka_unit_test(test_ping),
		cmocka_unit_test(test_goaway),
		cmocka_unit_test(test_idle),
		cmocka_unit_test(test_many_calls),
		cmocka_unit_test(test_server_limits),
		cmocka_unit_test(test_over_tls)
	};

	return (cmocka_run_group_tests_name("grpc", tests, setup, teardown));
}
