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

#include "grpc_rig.h"

/* Calls: what is carried, refused, bounded, and ended. */

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

/*
 * A client that only sends, to a server that only reads, and sends not even
 * headers: it hears all the same that its messages have left.
 */
static void
test_drained_early(void **state)
{
	static uint8_t	 big[2 * H2_QUEUE_LOW];

	(void)state;
	start();
	S.silent = true;
	C.call = grpc_call_start(C.conn, &methods[1], 0, NULL);
	assert_non_null(C.call);
	assert_int_equal(grpc_call_send(C.call, big, sizeof(big)), 0);
	assert_true(grpc_call_queued(C.call) > H2_QUEUE_LOW);
	loop_until(base, &C.drained);
	assert_true(grpc_call_queued(C.call) <= H2_QUEUE_LOW);
	loop_until(base, &S.msg_seen);
	assert_int_equal(C.nmsg, 0);
	/* And again, once it was above the mark again. */
	C.drained = false;
	assert_int_equal(grpc_call_send(C.call, big, sizeof(big)), 0);
	loop_until(base, &C.drained);
	assert_int_equal(C.nstatus, 0);
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

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_unary),
		cmocka_unit_test(test_refusals),
		cmocka_unit_test(test_drained_early),
		cmocka_unit_test(test_channel),
		cmocka_unit_test(test_queue_bound),
		cmocka_unit_test(test_pause),
		cmocka_unit_test(test_client_pause),
		cmocka_unit_test(test_server_ends),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_close_in_callback),
	};

	return (cmocka_run_group_tests_name("grpc", tests, setup, teardown));
}
