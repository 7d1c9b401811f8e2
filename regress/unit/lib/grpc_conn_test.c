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

/* Connections: pings, deadlines, limits, farewells, TLS. */

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

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
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
