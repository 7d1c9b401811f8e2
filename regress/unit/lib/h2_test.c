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

#include "h2_raw.h"

#include <signal.h>

#include "grpc.h"
#include "h2.h"

/* What hostile or strange clients do to an h2 and grpc server. */

#define P_UNARY		"/t.S/Unary"
#define P_CHANNEL	"/t.S/Channel"

static const struct grpc_method	 methods[] = {
	{ P_UNARY, 1000, true },
	{ P_CHANNEL, 100000, false },
	{ NULL, 0, false }
};

struct server {
	struct grpc_conn	*conn;
	struct grpc_call	*call;
	int			 nmsg, nopen, nclosed, nhalf;
	bool			 pause;
	bool			 ended;
	enum stream_end		 end;
	char			 text[STREAM_TEXT_MAXBYTES];
};

static struct event_base	*base;
static struct server		 S;
static struct raw		 R;

static enum grpc_status
s_open(struct grpc_call *call, const char **text, void *arg)
{
	struct server	*s = arg;

	(void)text;
	s->nopen++;
	s->call = call;
	if (s->pause)
		grpc_call_pause(call);
	return (GRPC_OK);
}

static void
s_message(struct grpc_call *call, const uint8_t *data, size_t len, void *arg)
{
	struct server	*s = arg;

	s->nmsg++;
	(void)grpc_call_send(call, data, len);
	if (grpc_call_method(call)->gm_unary)
		grpc_call_finish(call, GRPC_OK, NULL);
}

static void
s_half(struct grpc_call *call, void *arg)
{
	struct server	*s = arg;

	s->nhalf++;
	grpc_call_finish(call, GRPC_OK, NULL);
}

static void
s_closed(struct grpc_call *call, enum grpc_end end, void *arg)
{
	struct server	*s = arg;

	(void)end;
	s->nclosed++;
	if (s->call == call)
		s->call = NULL;
}

static void
s_conn_closed(struct grpc_conn *conn, enum stream_end end, const char *text,
    void *arg)
{
	struct server	*s = arg;

	(void)conn;
	s->conn = NULL;
	s->ended = true;
	s->end = end;
	(void)strlcpy(s->text, text, sizeof(s->text));
}

static const struct grpc_server_ops	 sops = {
	.gs_call_open = s_open,
	.gs_call_message = s_message,
	.gs_call_half_close = s_half,
	.gs_call_closed = s_closed,
	.gs_conn_closed = s_conn_closed
};
static const struct stream_ops		 no_ops;

static void
start(void)
{
	struct stream	*s;
	int		 fd[2];

	socket_pair(fd);
	memset(&S, 0, sizeof(S));
	s = stream_new(base, fd[0], NULL, &no_ops, NULL);
	S.conn = grpc_server_new(base, s, methods, &sops, &S);
	assert_non_null(S.conn);
	raw_init(&R, fd[1]);
}

static void
stop(void)
{
	if (S.conn != NULL)
		grpc_conn_close(S.conn);
	assert_true(S.nclosed <= S.nopen);
	raw_done(&R);
	loop_for(base, 20);
}

static void
run(void)
{
	raw_run(&R, base, 15);
}

/* A call that must work if the connection is still good. */
static void
still_good(uint32_t id)
{
	raw_call(&R, id, P_UNARY);
	raw_message(&R, id, "fine", 4, true);
	run();
	assert_int_equal(R.r_grpc[id / 2], GRPC_OK);
	assert_false(S.ended);
	assert_false(R.r_goaway);
}

static void
ended_by(enum stream_end end, uint32_t code)
{
	assert_true(S.ended);
	assert_int_equal(S.end, end);
	assert_true(R.r_goaway);
	assert_int_equal(R.r_goaway_code, code);
}

static void
test_plain_call(void **state)
{
	(void)state;
	start();
	raw_hello(&R);
	still_good(1);
	assert_int_equal(R.r_http[0], 200);
	assert_int_equal(R.r_data[0], 9);
	stop();
}

static void
test_not_http2(void **state)
{
	(void)state;
	start();
	(void)evbuffer_add_printf(R.r_out,
	    "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
	run();
	assert_true(S.ended);
	assert_int_equal(S.end, STREAM_END_PROTOCOL);
	assert_true(R.r_eof);
	stop();
}

static void
flood(uint8_t type, uint8_t flags, uint32_t id, const void *payload,
    size_t len, int n)
{
	start();
	raw_hello(&R);
	raw_call(&R, 1, P_CHANNEL);
	run();
	while (n-- > 0)
		raw_frame(&R, type, flags, id, payload, len);
	run();
	if (!S.ended)
		fail_msg("frames of type %u, flags %u pass", type, flags);
	assert_int_equal(S.end, STREAM_END_PROTOCOL);
	assert_int_equal(S.nclosed, 1);
	stop();
}

static void
test_floods(void **state)
{
	static const uint8_t	 wu[4] = { 0, 0, 0, 1 };
	static const uint8_t	 prio[5] = { 0, 0, 0, 0, 16 };
	static const uint8_t	 set[6] = { 0, 3, 0, 0, 0, 100 };
	int			 i;

	(void)state;
	flood(NGHTTP2_PING, 0, 0, "01234567", 8, 5000);
	flood(NGHTTP2_PING, NGHTTP2_FLAG_ACK, 0, "01234567", 8, 5000);
	flood(NGHTTP2_SETTINGS, 0, 0, set, 6, 5000);
	flood(NGHTTP2_DATA, 0, 1, "", 0, 5000);
	flood(NGHTTP2_PRIORITY, 0, 3, prio, 5, 5000);
	flood(NGHTTP2_WINDOW_UPDATE, 0, 0, wu, 4, 5000);
	flood(0x55, 0, 0, "x", 1, 5000);
	/* A message in pieces of one byte is work too. */
	start();
	raw_hello(&R);
	raw_call(&R, 1, P_CHANNEL);
	raw_frame(&R, NGHTTP2_DATA, 0, 1, "\0\0\0\377\000", 5);
	for (i = 0; i < 40000; i++)
		raw_frame(&R, NGHTTP2_DATA, 0, 1, "x", 1);
	run();
	assert_true(S.ended);
	assert_int_equal(S.end, STREAM_END_PROTOCOL);
	assert_int_equal(R.r_goaway_code, NGHTTP2_ENHANCE_YOUR_CALM);
	stop();
}

/* The budget leaves room for what grpc-go sends after each message. */
static void
test_bdp_pings(void **state)
{
	static const uint8_t	 wu[4] = { 0, 0, 0, 9 };
	int			 i;

	(void)state;
	start();
	raw_hello(&R);
	raw_call(&R, 1, P_CHANNEL);
	for (i = 0; i < 500; i++) {
		raw_message(&R, 1, "echo", 4, false);
		raw_run(&R, base, 0);
		raw_frame(&R, NGHTTP2_WINDOW_UPDATE, 0, 0, wu, 4);
		raw_frame(&R, NGHTTP2_WINDOW_UPDATE, 0, 1, wu, 4);
		raw_frame(&R, NGHTTP2_PING, 0, 0,
		    "\x02\x04\x10\x10\x09\x0e\x07\x07", 8);
	}
	run();
	assert_int_equal(S.nmsg, 500);
	still_good(3);
	stop();
}

static void
test_rapid_reset(void **state)
{
	uint32_t	 id = 1;
	int		 i;

	(void)state;
	start();
	raw_hello(&R);
	for (i = 0; i < 3000; i++, id += 2) {
		raw_call(&R, id, P_CHANNEL);
		raw_frame(&R, NGHTTP2_RST_STREAM, 0, id, "\0\0\0\010", 4);
	}
	run();
	run();
	assert_true(S.ended);
	assert_int_equal(S.end, STREAM_END_PROTOCOL);
	assert_int_equal(S.nopen, S.nclosed);
	assert_true(S.nopen < 1500);
	stop();
}

static void
test_continuation_flood(void **state)
{
	uint8_t		 block[100];
	int		 i;

	(void)state;
	start();
	raw_hello(&R);
	memset(block, 0, sizeof(block));
	/* Literal header "a: b" over and over, never END_HEADERS. */
	for (i = 0; i < 20; i++)
		memcpy(block + 5 * i, "\000\001a\001b", 5);
	raw_frame(&R, NGHTTP2_HEADERS, 0, 1, block, 100);
	for (i = 0; i < 100; i++)
		raw_frame(&R, NGHTTP2_CONTINUATION, 0, 1, block, 100);
	run();
	assert_true(S.ended);
	assert_int_equal(S.end, STREAM_END_PROTOCOL);
	assert_int_equal(S.nopen, 0);
	stop();
}

static void
test_header_list(void **state)
{
	char		 big[4001], name[8];
	const char	*pairs[] = {
		":method", "POST", ":scheme", "https", ":path", P_CHANNEL,
		":authority", "localhost", "content-type", "application/grpc",
		"x-a", big, "x-b", big, NULL
	};
	const char	*many[64 * 2];
	size_t		 n = 0;

	(void)state;
	memset(big, 'v', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	start();
	raw_hello(&R);
	raw_headers(&R, 1, false, pairs);
	run();
	assert_int_equal(R.r_rst[0], NGHTTP2_ENHANCE_YOUR_CALM);
	assert_int_equal(S.nopen, 0);
	still_good(3);
	/* Just below the limit is fine. */
	big[3500] = '\0';
	raw_headers(&R, 5, false, pairs);
	run();
	assert_int_equal(S.nopen, 2);
	assert_int_equal(R.r_rst[2], -1);
	/* Names count, and each field costs 32. */
	(void)strlcpy(name, "x-name", sizeof(name));
	for (n = 0; n < 2 * 60; n += 2) {
		many[n] = name;
		many[n + 1] = "";
	}
	memcpy(many, pairs, 10 * sizeof(*many));
	many[n] = NULL;
	raw_headers(&R, 7, false, many);
	run();
	assert_int_equal(R.r_rst[3], -1);
	assert_int_equal(S.nopen, 3);
	stop();
}

static void
test_too_many_streams(void **state)
{
	uint32_t	 id;

	(void)state;
	start();
	raw_hello(&R);
	for (id = 1; id < 2 * H2_STREAMS_MAX + 2; id += 2)
		raw_call(&R, id, P_CHANNEL);
	run();
	assert_int_equal(S.nopen, H2_STREAMS_MAX);
	assert_int_equal(R.r_rst[H2_STREAMS_MAX], NGHTTP2_REFUSED_STREAM);
	assert_false(S.ended);
	stop();
}

static void
test_frame_errors(void **state)
{
	static uint8_t	 big[16385];

	(void)state;
	start();
	raw_hello(&R);
	raw_call(&R, 1, P_CHANNEL);
	raw_frame(&R, NGHTTP2_DATA, 0, 1, big, sizeof(big));
	run();
	ended_by(STREAM_END_PROTOCOL, NGHTTP2_FRAME_SIZE_ERROR);
	stop();

	start();
	raw_hello(&R);
	raw_frame(&R, NGHTTP2_DATA, 0, 1, "x", 1);
	run();
	ended_by(STREAM_END_PROTOCOL, NGHTTP2_PROTOCOL_ERROR);
	stop();

	/* A header block that does not decode. */
	start();
	raw_hello(&R);
	raw_frame(&R, NGHTTP2_HEADERS, NGHTTP2_FLAG_END_HEADERS, 1,
	    "\xff\xff\xff\xff", 4);
	run();
	ended_by(STREAM_END_PROTOCOL, NGHTTP2_COMPRESSION_ERROR);
	stop();
}

/* A reader that pauses gives no credit: 65,535 bytes and not one more. */
static void
test_window(void **state)
{
	static uint8_t	 chunk[16384];
	int		 i;

	(void)state;
	start();
	S.pause = true;
	raw_hello(&R);
	raw_call(&R, 1, P_CHANNEL);
	for (i = 0; i < 3; i++)
		raw_frame(&R, NGHTTP2_DATA, 0, 1, chunk, 16384);
	raw_frame(&R, NGHTTP2_DATA, 0, 1, chunk, 16383);
	run();
	assert_false(S.ended);
	assert_int_equal(S.nmsg, 0);
	raw_frame(&R, NGHTTP2_DATA, 0, 1, chunk, 1);
	run();
	assert_true(S.ended || R.r_rst[0] == NGHTTP2_FLOW_CONTROL_ERROR);
	stop();
}

/*
 * Bytes of refused, finished and padded streams come back as credit, or the
 * connection would starve after a while.
 */
static void
test_window_does_not_leak(void **state)
{
	static uint8_t	 chunk[16384];
	size_t		 credit;
	uint32_t	 id = 1;
	int		 i;

	(void)state;
	start();
	raw_hello(&R);
	run();
	credit = R.r_credit;
	assert_int_equal(credit, H2_CONN_WINDOW - H2_STREAM_WINDOW);
	/* Announces more than the limit, so it is refused, and goes on. */
	memset(chunk, 0, sizeof(chunk));
	memcpy(chunk, "\000\000\377\377\377", 5);
	for (i = 0; i < 25; i++, id += 2) {
		raw_call(&R, id, i & 1 ? P_UNARY : "/t.S/Unknown");
		raw_frame(&R, NGHTTP2_DATA, 0, id, chunk, 16384);
		raw_frame(&R, NGHTTP2_DATA, 0, id, chunk, 16384);
		run();
		assert_int_equal(R.r_grpc[id / 2], i & 1 ?
		    GRPC_RESOURCE_EXHAUSTED : GRPC_UNIMPLEMENTED);
		assert_int_equal(R.r_rst[id / 2], NGHTTP2_NO_ERROR);
	}
	/* All but what nghttp2 has not found worth an update yet. */
	assert_true(R.r_credit - credit + H2_CONN_WINDOW / 2 >=
	    25 * 2 * 16384);
	/* Padding: 255 of 256 bytes say nothing. */
	credit = R.r_credit;
	raw_call(&R, id, P_CHANNEL);
	memset(chunk, 0, 300);
	chunk[0] = 255;
	for (i = 0; i < 3000; i++) {
		raw_frame(&R, NGHTTP2_DATA, NGHTTP2_FLAG_PADDED, id, chunk,
		    256);
		if (i % 100 == 99) {
			/* Credit of the stream comes back in between. */
			raw_run(&R, base, 2);
		}
	}
	run();
	assert_false(S.ended);
	assert_true(R.r_credit - credit + H2_CONN_WINDOW / 2 >= 3000 * 256);
	still_good(id + 2);
	stop();
}

/* grpc-go's parting GOAWAY names an odd stream: an orderly end. */
static void
test_go_goaway(void **state)
{
	(void)state;
	start();
	raw_hello(&R);
	still_good(1);
	raw_frame(&R, NGHTTP2_GOAWAY, 0, 0,
	    "\0\0\0\001\0\0\0\0client transport shutdown", 33);
	run();
	assert_true(S.ended);
	assert_int_equal(S.end, STREAM_END_EOF);
	stop();
}

/* Sends one request with these headers and body; returns its grpc-status. */
static int
ask(const char *ctype, const char *method, const char *extra,
    const char *value, const void *body, size_t len, bool end)
{
	const char	*pairs[] = {
		":method", method, ":scheme", "https", ":path", P_UNARY,
		":authority", "localhost", "content-type", ctype, extra,
		value, NULL
	};

	start();
	raw_hello(&R);
	raw_headers(&R, 1, false, pairs);
	if (end || len > 0)
		raw_frame(&R, NGHTTP2_DATA, end ? NGHTTP2_FLAG_END_STREAM : 0,
		    1, body, len);
	run();
	return (R.r_grpc[0]);
}

static void
test_grpc_rules(void **state)
{
	static const char	 grpc[] = "application/grpc";
	static const struct {
		const char	*ctype, *method, *extra, *value;
		const char	*body;
		size_t		 len;
		bool		 end;
		int		 http, status;
	} t[] = {
		{ grpc, "POST", NULL, NULL, "\0\0\0\0\1x", 6, true, 200, 0 },
		{ "application/grpc+proto", "POST", NULL, NULL,
		    "\0\0\0\0\1x", 6, true, 200, 0 },
		{ "application/json", "POST", NULL, NULL, "\0\0\0\0\1x", 6,
		    true, 415, GRPC_INVALID_ARGUMENT },
		{ grpc, "GET", NULL, NULL, "", 0, true, 405, GRPC_INTERNAL },
		{ grpc, "POST", "grpc-encoding", "gzip", "\1\0\0\0\1x", 6,
		    true, 200, GRPC_UNIMPLEMENTED },
		{ grpc, "POST", "grpc-encoding", "identity", "\0\0\0\0\1x", 6,
		    true, 200, 0 },
		{ grpc, "POST", NULL, NULL, "\1\0\0\0\1x", 6, true, 200,
		    GRPC_UNIMPLEMENTED },
		{ grpc, "POST", NULL, NULL, "\2\0\0\0\1x", 6, true, 200,
		    GRPC_INTERNAL },
		{ grpc, "POST", "grpc-timeout", "12", "\0\0\0\0\1x", 6, true,
		    400, GRPC_INTERNAL },
		{ grpc, "POST", "grpc-timeout", "5m", "\0\0\0", 3, false,
		    200, GRPC_DEADLINE_EXCEEDED },
		{ grpc, "POST", "grpc-timeout", "10S", "\0\0\0\0\1x", 6, true,
		    200, 0 },
		{ grpc, "POST", NULL, NULL, "\0\0\0\0\2x", 6, true, 200,
		    GRPC_INTERNAL },
		{ grpc, "POST", NULL, NULL, "\0\0\0", 3, true, 200,
		    GRPC_INTERNAL },
		{ grpc, "POST", NULL, NULL, "", 0, true, 200, GRPC_INTERNAL },
		{ grpc, "POST", NULL, NULL, "\0\0\0\0\0\0\0\0\0\0", 10, true,
		    200, GRPC_INTERNAL },
		{ grpc, "POST", NULL, NULL, "\0\0\0\003\351", 5, false, 200,
		    GRPC_RESOURCE_EXHAUSTED },
		{ grpc, "POST", NULL, NULL, "\0\377\377\377\377", 5, false,
		    200, GRPC_RESOURCE_EXHAUSTED }
	};
	size_t			 i;
	int			 status;

	(void)state;
	for (i = 0; i < nitems(t); i++) {
		status = ask(t[i].ctype, t[i].method, t[i].extra, t[i].value,
		    t[i].body, t[i].len, t[i].end);
		if (status != t[i].status || R.r_http[0] != t[i].http)
			fail_msg("case %zu: status %d, http %d, \"%s\"", i,
			    status, R.r_http[0], R.r_text);
		assert_false(S.ended);
		stop();
	}
}

/* However the bytes of messages are cut into frames. */
static void
test_message_boundaries(void **state)
{
	static const uint8_t	 two[] = "\0\0\0\0\3abc\0\0\0\0\0\0\0\0\0\2de";
	size_t			 i;

	(void)state;
	start();
	raw_hello(&R);
	raw_call(&R, 1, P_CHANNEL);
	raw_frame(&R, NGHTTP2_DATA, 0, 1, two, sizeof(two) - 1);
	for (i = 0; i < sizeof(two) - 1; i++)
		raw_frame(&R, NGHTTP2_DATA, 0, 1, two + i, 1);
	raw_frame(&R, NGHTTP2_DATA, NGHTTP2_FLAG_END_STREAM, 1, "", 0);
	run();
	assert_int_equal(S.nmsg, 6);
	assert_int_equal(S.nhalf, 1);
	assert_int_equal(R.r_data[0], 2 * (sizeof(two) - 1));
	assert_int_equal(R.r_grpc[0], GRPC_OK);
	stop();
}

/* One connection's worth of good bytes, cut and flipped everywhere. */
static void
feed(const uint8_t *data, size_t len)
{
	int		 i;

	start();
	(void)evbuffer_add(R.r_out, data, len);
	(void)evbuffer_write(R.r_out, R.r_fd);
	(void)shutdown(R.r_fd, SHUT_WR);
	for (i = 0; i < 50 && !S.ended; i++)
		(void)event_base_loop(base, EVLOOP_NONBLOCK);
	assert_true(S.ended);
	assert_int_equal(S.nclosed, S.nopen);
	raw_done(&R);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
}

static void
test_mutations(void **state)
{
	struct raw	 g;
	uint8_t		*golden;
	size_t		 len, i;

	(void)state;
	raw_init(&g, -1);
	raw_hello(&g);
	raw_call(&g, 1, P_CHANNEL);
	raw_message(&g, 1, "one", 3, false);
	raw_call(&g, 3, P_UNARY);
	raw_message(&g, 3, "two", 3, true);
	raw_frame(&g, NGHTTP2_PING, 0, 0, "01234567", 8);
	raw_message(&g, 1, "three", 5, true);
	len = evbuffer_get_length(g.r_out);
	golden = evbuffer_pullup(g.r_out, -1);
	feed(golden, len);
	assert_int_equal(S.nmsg, 3);
	assert_int_equal(S.end, STREAM_END_EOF);
	for (i = 0; i < len; i++)
		feed(golden, i);
	for (i = 0; i < 8 * len; i++) {
		golden[i / 8] ^= (uint8_t)(1 << (i % 8));
		feed(golden, len);
		golden[i / 8] ^= (uint8_t)(1 << (i % 8));
	}
	raw_done(&g);
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
	loop_for(base, STREAM_LINGER_MSEC + 100);
	event_base_free(base);
	libevent_global_shutdown();
	return (0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_plain_call),
		cmocka_unit_test(test_not_http2),
		cmocka_unit_test(test_floods),
		cmocka_unit_test(test_bdp_pings),
		cmocka_unit_test(test_rapid_reset),
		cmocka_unit_test(test_continuation_flood),
		cmocka_unit_test(test_header_list),
		cmocka_unit_test(test_too_many_streams),
		cmocka_unit_test(test_frame_errors),
		cmocka_unit_test(test_window),
		cmocka_unit_test(test_window_does_not_leak),
		cmocka_unit_test(test_go_goaway),
		cmocka_unit_test(test_grpc_rules),
		cmocka_unit_test(test_message_boundaries),
		cmocka_unit_test(test_mutations)
	};

	return (cmocka_run_group_tests_name("h2", tests, setup, teardown));
}
