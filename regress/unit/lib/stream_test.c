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

/* stream: plain and TLS, every way to end, every limit. */

struct end {
	struct event_base	*e_base;
	struct stream		*e_s;
	struct evbuffer		*e_got;		/* what so_read took */
	bool			 e_up, e_drained, e_ended, e_some;
	enum stream_end		 e_end;
	char			 e_text[STREAM_TEXT_MAXBYTES];
	size_t			 e_take;	/* bytes per so_read, 0: all */
	enum { DO_NOTHING, DO_CLOSE, DO_FREE, DO_PAUSE } e_do, e_up_do;
	const char		*e_answer;	/* written by so_read */
	int			 e_reads;
};

static struct event_base	*base;

static void
on_up(struct stream *s, void *arg)
{
	struct end	*e = arg;

	e->e_up = true;
	if (e->e_up_do == DO_CLOSE)
		stream_close(s);
	else if (e->e_up_do == DO_FREE)
		stream_free(s);
	if (e->e_up_do != DO_NOTHING)
		e->e_s = NULL;
}

static void
on_read(struct stream *s, struct evbuffer *in, void *arg)
{
	struct end	*e = arg;

	e->e_reads++;
	e->e_some = true;
	assert_true(evbuffer_get_length(in) <= STREAM_IN_MAXBYTES);
	if (e->e_take == 0)
		(void)evbuffer_add_buffer(e->e_got, in);
	else
		(void)evbuffer_remove_buffer(in, e->e_got, e->e_take);
	if (e->e_answer != NULL)
		assert_int_equal(stream_write(s, e->e_answer,
		    strlen(e->e_answer)), 0);
	switch (e->e_do) {
	case DO_CLOSE:
		stream_close(s);
		e->e_s = NULL;
		break;
	case DO_FREE:
		stream_free(s);
		e->e_s = NULL;
		break;
	case DO_PAUSE:
		stream_pause(s);
		break;
	case DO_NOTHING:
		break;
	}
}

static void
on_drained(struct stream *s, void *arg)
{
	struct end	*e = arg;

	assert_false(stream_is_full(s));
	e->e_drained = true;
}

static void
on_end(struct stream *s, enum stream_end end, const char *text, void *arg)
{
	struct end	*e = arg;

	(void)s;
	assert_false(e->e_ended);
	assert_true(strlen(text) > 0);
	e->e_ended = true;
	e->e_end = end;
	(void)strlcpy(e->e_text, text, sizeof(e->e_text));
}

static const struct stream_ops	 ops = {
	.so_up = on_up,
	.so_read = on_read,
	.so_drained = on_drained,
	.so_end = on_end
};

static void
end_open(struct end *e, int fd, struct tls *tls)
{
	memset(e, 0, sizeof(*e));
	e->e_base = base;
	e->e_got = evbuffer_new();
	e->e_s = stream_new(base, fd, tls, &ops, e);
	assert_non_null(e->e_s);
}

static void
end_done(struct end *e)
{
	stream_free(e->e_s);
	evbuffer_free(e->e_got);
}

static void
pair(struct end *a, struct end *b)
{
	int		 fd[2];

	socket_pair(fd);
	end_open(a, fd[0], NULL);
	end_open(b, fd[1], NULL);
}

static void
tls_pair(struct end *a, struct end *b, struct tls *server,
    struct tls *client)
{
	struct tls	*conn;
	int		 fd[2];

	socket_pair(fd);
	assert_int_equal(tls_accept_socket(server, &conn, fd[0]), 0);
	assert_int_equal(tls_connect_socket(client, fd[1], "localhost"), 0);
	end_open(a, fd[0], conn);
	end_open(b, fd[1], client);
}

/* Sends n patterned bytes and checks that they arrive unchanged. */
static void
transfer(struct end *from, struct end *to, size_t n)
{
	monotime_t	 stop = monotime_now() + LOOP_MSEC;
	uint8_t		 buf[1 << 16], *got;
	size_t		 sent = 0, len, i;

	while (evbuffer_get_length(to->e_got) < n) {
		assert_true(monotime_now() < stop);
		while (sent < n && !stream_is_full(from->e_s)) {
			len = arc4random_uniform(sizeof(buf)) + 1;
			if (len > n - sent)
				len = n - sent;
			for (i = 0; i < len; i++)
				buf[i] = (uint8_t)((sent + i) * 31 >> 3);
			assert_int_equal(stream_write(from->e_s, buf, len), 0);
			sent += len;
		}
		(void)event_base_loop(base, EVLOOP_ONCE);
	}
	assert_int_equal(evbuffer_get_length(to->e_got), n);
	got = evbuffer_pullup(to->e_got, -1);
	for (i = 0; i < n; i++)
		if (got[i] != (uint8_t)(i * 31 >> 3))
			fail_msg("byte %zu differs", i);
	(void)evbuffer_drain(to->e_got, n);
}

static void
test_plain_both_ways(void **state)
{
	struct end	 a, b;

	(void)state;
	pair(&a, &b);
	transfer(&a, &b, 1 << 20);
	transfer(&b, &a, 300000);
	assert_true(a.e_drained);
	assert_false(a.e_up);
	stream_close(a.e_s);
	a.e_s = NULL;
	loop_until(base, &b.e_ended);
	assert_int_equal(b.e_end, STREAM_END_EOF);
	end_done(&a);
	end_done(&b);
}

static void
test_end_waits_for_reader(void **state)
{
	struct end	 a, b;

	(void)state;
	pair(&a, &b);
	b.e_take = 3;
	b.e_do = DO_PAUSE;
	assert_int_equal(stream_write(a.e_s, "abcdefgh", 8), 0);
	stream_close(a.e_s);
	a.e_s = NULL;
	loop_for(base, 50);
	assert_false(b.e_ended);
	assert_int_equal(b.e_reads, 1);
	b.e_take = 0;
	b.e_do = DO_NOTHING;
	stream_resume(b.e_s);
	loop_until(base, &b.e_ended);
	assert_int_equal(b.e_end, STREAM_END_EOF);
	assert_memory_equal(evbuffer_pullup(b.e_got, -1), "abcdefgh", 8);
	end_done(&a);
	end_done(&b);
}

static void
test_paused_input_is_bounded(void **state)
{
	struct end	 a, b;
	char		*junk = calloc(1, 4 << 20);

	(void)state;
	pair(&a, &b);
	b.e_take = 1;
	assert_int_equal(stream_write(a.e_s, junk, 4 << 20), 0);
	loop_for(base, 60);
	assert_true(evbuffer_get_length(stream_in(b.e_s)) <=
	    STREAM_IN_MAXBYTES);
	assert_true(stream_queued(a.e_s) > 1 << 20);
	free(junk);
	end_done(&a);
	end_done(&b);
}

static void
test_out_is_bounded(void **state)
{
	struct end	 a, b;
	char		*junk = calloc(1, STREAM_OUT_MAXBYTES);

	(void)state;
	pair(&a, &b);
	assert_int_equal(stream_write(a.e_s, junk, STREAM_OUT_MAXBYTES), 0);
	assert_true(stream_is_full(a.e_s));
	assert_int_equal(stream_write(a.e_s, "x", 1), -1);
	assert_int_equal(errno, ENOBUFS);
	free(junk);
	end_done(&a);
	end_done(&b);
}

/* stream_close() delivers what was queued, then the end. */
static void
test_close_flushes(void **state)
{
	struct end	 a, b;
	char		*junk = calloc(1, 700000);

	(void)state;
	pair(&a, &b);
	assert_int_equal(stream_write(a.e_s, junk, 700000), 0);
	/* Unread input must not turn the end into a reset. */
	assert_int_equal(stream_write(b.e_s, "unread", 6), 0);
	stream_close(a.e_s);
	a.e_s = NULL;
	loop_until(base, &b.e_ended);
	assert_int_equal(b.e_end, STREAM_END_EOF);
	assert_int_equal(evbuffer_get_length(b.e_got), 700000);
	free(junk);
	end_done(&a);
	end_done(&b);
}

/* A peer that never reads holds the farewell up for the linger time only. */
static void
test_close_is_bounded(void **state)
{
	struct end	 a;
	char		 buf[4096], *junk = calloc(1, 4 << 20);
	ssize_t		 n;
	int		 fd[2];

	(void)state;
	socket_pair(fd);
	end_open(&a, fd[0], NULL);
	assert_int_equal(stream_write(a.e_s, junk, 4 << 20), 0);
	stream_close(a.e_s);
	a.e_s = NULL;
	loop_for(base, STREAM_LINGER_MSEC + 200);
	do {
		n = read(fd[1], buf, sizeof(buf));
	} while (n > 0);
	assert_int_equal(n, 0);		/* closed: EOF, not EAGAIN */
	(void)close(fd[1]);
	free(junk);
	end_done(&a);
}

static void
test_end_in_callbacks(void **state)
{
	struct end	 a, b;
	int		 i;

	(void)state;
	for (i = 0; i < 2; i++) {
		pair(&a, &b);
		b.e_do = i == 0 ? DO_CLOSE : DO_FREE;
		b.e_answer = "last words";
		assert_int_equal(stream_write(a.e_s, "hello", 5), 0);
		loop_until(base, &a.e_ended);
		assert_null(b.e_s);
		assert_int_equal(evbuffer_get_length(a.e_got),
		    i == 0 ? 10 : 0);
		assert_int_equal(stream_write(a.e_s, "x", 1),
		    a.e_end == STREAM_END_EOF ? 0 : -1);
		end_done(&a);
		end_done(&b);
	}
}

static void
test_half_close(void **state)
{
	struct end	 a, b;

	(void)state;
	pair(&a, &b);
	assert_int_equal(stream_write(a.e_s, "question", 8), 0);
	assert_int_equal(stream_shutdown(a.e_s), 0);
	assert_int_equal(stream_write(a.e_s, "more", 4), -1);
	assert_int_equal(errno, EPIPE);
	loop_until(base, &b.e_ended);
	assert_int_equal(b.e_end, STREAM_END_EOF);
	assert_int_equal(evbuffer_get_length(b.e_got), 8);
	/* The other direction still works, by stream_close(). */
	assert_int_equal(stream_write(b.e_s, "answer", 6), 0);
	stream_close(b.e_s);
	b.e_s = NULL;
	loop_until(base, &a.e_ended);
	assert_int_equal(evbuffer_get_length(a.e_got), 6);
	end_done(&a);
	end_done(&b);
}

static void
test_deadlines(void **state)
{
	struct end	 a, b;
	monotime_t	 t0 = monotime_now();

	(void)state;
	pair(&a, &b);
	stream_set_idle(a.e_s, 60);
	stream_set_deadline(b.e_s, 150);
	loop_until(base, &a.e_ended);
	assert_int_equal(a.e_end, STREAM_END_TIMEOUT);
	assert_true(monotime_now() - t0 >= 55);
	loop_until(base, &b.e_ended);
	assert_int_equal(b.e_end, STREAM_END_TIMEOUT);
	assert_true(monotime_now() - t0 >= 145);
	end_done(&a);
	end_done(&b);

	/* Traffic keeps an idle limit away, not the absolute one. */
	pair(&a, &b);
	t0 = monotime_now();
	stream_set_idle(a.e_s, 60);
	stream_set_deadline(a.e_s, 200);
	while (!a.e_ended) {
		(void)stream_write(b.e_s, "x", 1);
		loop_for(base, 10);
	}
	assert_true(monotime_now() - t0 >= 190);
	assert_string_equal(a.e_text, "deadline passed");
	end_done(&a);
	end_done(&b);
}

static void
test_reset(void **state)
{
	struct end	 a;
	int		 fd[2];

	(void)state;
	socket_pair(fd);
	end_open(&a, fd[0], NULL);
	/* Unread bytes on a UNIX socket make close(2) a reset. */
	assert_int_equal(stream_write(a.e_s, "unread", 6), 0);
	loop_for(base, 20);
	(void)close(fd[1]);
	loop_until(base, &a.e_ended);
	assert_int_equal(a.e_end, STREAM_END_RESET);
	assert_int_equal(stream_write(a.e_s, "x", 1), -1);
	assert_int_equal(errno, EPIPE);
	end_done(&a);
}

/* A flooding peer must not keep another descriptor waiting. */
static void
test_fairness(void **state)
{
	struct end	 a, b, c, d;
	char		*junk = calloc(1, 4 << 20);
	int		 turns = 0;

	(void)state;
	pair(&a, &b);
	pair(&c, &d);
	assert_int_equal(stream_write(a.e_s, junk, 4 << 20), 0);
	assert_int_equal(stream_write(c.e_s, "me too", 6), 0);
	while (!d.e_some && turns++ < 20)
		(void)event_base_loop(base, EVLOOP_ONCE);
	assert_true(d.e_some);
	assert_true(evbuffer_get_length(b.e_got) < 2 << 20);
	free(junk);
	end_done(&a);
	end_done(&b);
	end_done(&c);
	end_done(&d);
}

struct certs {
	struct pem	 ca, server, client;
};

static void
test_tls_both_ways(void **state)
{
	struct certs	*t = *state;
	struct end	 a, b;
	struct tls	*server;
	const uint8_t	*chain;
	size_t		 len;

	server = tls_context(true, &t->server, &t->ca, "h2");
	tls_pair(&a, &b, server, tls_context(false, &t->client, NULL, "h2"));
	loop_until(base, &a.e_up);
	loop_until(base, &b.e_up);
	assert_null(tlsconf_fault(stream_tls(a.e_s), "h2"));
	assert_null(tlsconf_fault(stream_tls(b.e_s), "h2"));
	chain = tls_peer_cert_chain_pem(stream_tls(a.e_s), &len);
	assert_non_null(chain);
	assert_int_equal(len, strlen(t->client.pm_cert));
	assert_memory_equal(chain, t->client.pm_cert, len);
	chain = tls_peer_cert_chain_pem(stream_tls(b.e_s), &len);
	assert_memory_equal(chain, t->server.pm_cert,
	    strlen(t->server.pm_cert));
	assert_int_equal(stream_shutdown(a.e_s), -1);
	transfer(&a, &b, 1 << 20);
	transfer(&b, &a, 1 << 20);
	/* close_notify, after the last byte. */
	assert_int_equal(stream_write(a.e_s, "bye", 3), 0);
	stream_close(a.e_s);
	a.e_s = NULL;
	loop_until(base, &b.e_ended);
	assert_int_equal(b.e_end, STREAM_END_EOF);
	assert_string_equal(b.e_text, "closed by peer");
	assert_int_equal(evbuffer_get_length(b.e_got), 3);
	end_done(&a);
	end_done(&b);
	tls_free(server);
}

/* Records buried in libtls are read although the socket is silent. */
static void
test_tls_pause(void **state)
{
	struct certs	*t = *state;
	struct end	 a, b;
	struct tls	*server;
	char		*junk = calloc(1, 200000);

	server = tls_context(true, &t->server, NULL, "h2");
	tls_pair(&a, &b, server, tls_context(false, NULL, NULL, "h2"));
	loop_until(base, &b.e_up);
	b.e_take = 5000;
	b.e_do = DO_PAUSE;
	assert_int_equal(stream_write(a.e_s, junk, 200000), 0);
	while (evbuffer_get_length(b.e_got) < 200000) {
		b.e_some = false;
		stream_resume(b.e_s);
		loop_until(base, &b.e_some);
	}
	assert_int_equal(evbuffer_get_length(b.e_got), 200000);
	free(junk);
	end_done(&a);
	end_done(&b);
	tls_free(server);
}

static void
test_tls_end_in_up(void **state)
{
	struct certs	*t = *state;
	struct end	 a, b;
	struct tls	*server;
	int		 i;

	server = tls_context(true, &t->server, NULL, "h2");
	for (i = 0; i < 2; i++) {
		tls_pair(&a, &b, server, tls_context(false, NULL, NULL, "h2"));
		a.e_up_do = i == 0 ? DO_CLOSE : DO_FREE;
		loop_until(base, &b.e_ended);
		assert_true(a.e_up);
		assert_int_equal(b.e_end, STREAM_END_EOF);
		end_done(&a);
		end_done(&b);
	}
	tls_free(server);
}

static void
test_tls_garbage(void **state)
{
	struct certs	*t = *state;
	struct end	 a, b;
	struct tls	*server, *conn;
	int		 fd[2];

	server = tls_context(true, &t->server, NULL, "h2");
	socket_pair(fd);
	assert_int_equal(tls_accept_socket(server, &conn, fd[0]), 0);
	end_open(&a, fd[0], conn);
	end_open(&b, fd[1], NULL);
	assert_int_equal(stream_write(b.e_s,
	    "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27), 0);
	loop_until(base, &a.e_ended);
	assert_int_equal(a.e_end, STREAM_END_TLS);
	assert_false(a.e_up);
	stream_close(a.e_s);
	a.e_s = NULL;
	loop_until(base, &b.e_ended);
	assert_int_equal(b.e_end, STREAM_END_EOF);
	end_done(&a);
	end_done(&b);
	tls_free(server);
}

static void
test_tls_silent_and_cut(void **state)
{
	struct certs	*t = *state;
	struct end	 a;
	struct tls	*server, *conn;
	int		 fd[2];

	server = tls_context(true, &t->server, NULL, "h2");
	socket_pair(fd);
	assert_int_equal(tls_accept_socket(server, &conn, fd[0]), 0);
	end_open(&a, fd[0], conn);
	stream_set_handshake(a.e_s, 50);
	loop_until(base, &a.e_ended);
	assert_int_equal(a.e_end, STREAM_END_TIMEOUT);
	end_done(&a);
	(void)close(fd[1]);

	socket_pair(fd);
	assert_int_equal(tls_accept_socket(server, &conn, fd[0]), 0);
	end_open(&a, fd[0], conn);
	(void)close(fd[1]);
	loop_until(base, &a.e_ended);
	assert_int_equal(a.e_end, STREAM_END_EOF);
	end_done(&a);
	tls_free(server);
}

/* FIN without close_notify: how grpc libraries end. */
static void
test_tls_cut_later(void **state)
{
	struct certs	*t = *state;
	struct end	 a, b;
	struct tls	*server;

	server = tls_context(true, &t->server, NULL, "h2");
	tls_pair(&a, &b, server, tls_context(false, NULL, NULL, "h2"));
	loop_until(base, &a.e_up);
	loop_until(base, &b.e_up);
	loop_for(base, 20);
	stream_free(b.e_s);
	b.e_s = NULL;
	loop_until(base, &a.e_ended);
	assert_int_equal(a.e_end, STREAM_END_EOF);
	assert_non_null(strstr(a.e_text, "without close_notify"));
	end_done(&a);
	end_done(&b);
	tls_free(server);
}

/*
 * After the peer's close_notify libtls calls a write that fails 0 bytes
 * written, which is no reason to try for ever.
 */
static void
test_tls_write_to_nobody(void **state)
{
	struct certs	*t = *state;
	struct end	 a, b;
	struct tls	*server;

	server = tls_context(true, &t->server, NULL, "h2");
	tls_pair(&a, &b, server, tls_context(false, NULL, NULL, "h2"));
	loop_until(base, &a.e_up);
	loop_until(base, &b.e_up);
	loop_for(base, 20);
	assert_int_equal(tls_close(stream_tls(b.e_s)), 0);
	stream_free(b.e_s);
	b.e_s = NULL;
	loop_until(base, &a.e_ended);
	assert_int_equal(a.e_end, STREAM_END_EOF);
	assert_int_equal(stream_write(a.e_s, "too late", 8), 0);
	(void)alarm(20);
	stream_close(a.e_s);
	a.e_s = NULL;
	loop_for(base, 50);
	(void)alarm(0);
	end_done(&a);
	end_done(&b);
	tls_free(server);
}

static int
setup(void **state)
{
	struct certs	*t = calloc(1, sizeof(*t));

	(void)signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	pem_make(&t->ca, "test CA", NULL, NULL, -60, 3600);
	pem_make(&t->server, "server", &t->ca, "serverAuth", -60, 3600);
	pem_make(&t->client, "host", &t->ca, "clientAuth", -60, 3600);
	*state = t;
	return (0);
}

static int
teardown(void **state)
{
	struct certs	*t = *state;

	pem_free(&t->ca);
	pem_free(&t->server);
	pem_free(&t->client);
	free(t);
	event_base_free(base);
	libevent_global_shutdown();
	return (0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_plain_both_ways),
		cmocka_unit_test(test_end_waits_for_reader),
		cmocka_unit_test(test_paused_input_is_bounded),
		cmocka_unit_test(test_out_is_bounded),
		cmocka_unit_test(test_close_flushes),
		cmocka_unit_test(test_close_is_bounded),
		cmocka_unit_test(test_end_in_callbacks),
		cmocka_unit_test(test_half_close),
		cmocka_unit_test(test_deadlines),
		cmocka_unit_test(test_reset),
		cmocka_unit_test(test_fairness),
		cmocka_unit_test(test_tls_both_ways),
		cmocka_unit_test(test_tls_pause),
		cmocka_unit_test(test_tls_end_in_up),
		cmocka_unit_test(test_tls_garbage),
		cmocka_unit_test(test_tls_silent_and_cut),
		cmocka_unit_test(test_tls_cut_later),
		cmocka_unit_test(test_tls_write_to_nobody)
	};

	return (cmocka_run_group_tests_name("stream", tests, setup,
	    teardown));
}
