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

/*
 * The proof of the server: one that fails it and speaks first neither crashes
 * uplink nor gets a byte of HTTP/2, let alone the token.
 */
#include "world.h"

#include <sys/socket.h>

#include <netinet/in.h>

#include <openssl/pem.h>

#include <stdio.h>
#include <unistd.h>

#include "tlsconf.h"
#include "uplink.h"

static struct event_base	*base;
static struct world		*ours;
static char			 keypem[1024];
static size_t			 got;		/* bytes after the handshake */
static unsigned int		 begun;		/* call_begin() */
static bool			 ended;
static int			 cause;
static resolve_cb		 answer;

/* --- neighbours ---------------------------------------------------------- */

void
call_begin(struct attempt *at)
{
	(void)at;
	begun++;
}

unsigned int
uplink_silence_msec(void)
{
	return (40000);
}

void
attempt_end(struct attempt *at, Sentinel__Ipc__UplinkDown__Cause c,
    uint32_t status, const char *fmt, ...)
{
	(void)status;
	(void)fmt;
	at->at_ended = ended = true;
	cause = (int)c;
}

/* Answers at once, as for a literal. */
static void
on_resolve(int fd, short what, void *arg)
{
	struct resolv_addr	 ra;
	struct attempt		*at = arg;

	(void)fd;
	(void)what;
	assert_true(resolv_literal("127.0.0.1", &ra));
	answer(&ra, 1, "", at);
}

struct resolve *
resolve_start(const char *host, resolve_cb cb, void *arg)
{
	struct timeval	 now = { 0, 0 };

	(void)host;
	answer = cb;
	event_base_once(base, -1, EV_TIMEOUT, on_resolve, arg, &now);
	return (NULL);
}

void
resolve_cancel(struct resolve *r)
{
	(void)r;
}

/* --- a server that speaks first ------------------------------------------ */

static void
server_up(struct stream *s, void *arg)
{
	static const uint8_t	 settings[] = { 0, 0, 0, 4, 0, 0, 0, 0, 0 };

	(void)arg;
	(void)stream_write(s, settings, sizeof(settings));
}

static void
server_read(struct stream *s, struct evbuffer *in, void *arg)
{
	(void)s;
	(void)arg;
	got += evbuffer_get_length(in);
	evbuffer_drain(in, evbuffer_get_length(in));
}

static void
server_end(struct stream *s, enum stream_end end, const char *text, void *arg)
{
	(void)s;
	(void)end;
	(void)text;
	(void)arg;
}

static const struct stream_ops	server_ops = {
	.so_up = server_up, .so_read = server_read, .so_end = server_end
};

static struct tls	*server_ctx;
static struct stream	*server;

static void
on_accept(int fd, short what, void *arg)
{
	struct tls	*tls;
	int		 s = accept4(fd, NULL, NULL, SOCK_NONBLOCK);

	(void)what;
	(void)arg;
	assert_int_not_equal(s, -1);
	assert_int_equal(tls_accept_socket(server_ctx, &tls, s), 0);
	assert_non_null(server = stream_new(base, s, tls, &server_ops, NULL));
}

/* --- tests --------------------------------------------------------------- */

static int
setup(void **state)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	int	 n;

	(void)state;
	base = proc_base();
	ours = world_new(time(NULL));
	if (tlsconf_init() == -1 || PEM_write_bio_PrivateKey(bio,
	    ours->w_ring.kr_server[0].k_pkey, NULL, NULL, 0, NULL, NULL) != 1)
		return (-1);
	n = BIO_read(bio, keypem, sizeof(keypem) - 1);
	BIO_free(bio);
	return (n > 0 ? 0 : -1);
}

static int
teardown(void **state)
{
	(void)state;
	world_free(ours);
	return (0);
}

/* One enrolment; name and pin say what the server must prove. */
static void
attempt(const char *name, bool right_pin, const char *chain, bool tofu)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	struct tlsconf		 tc = { .tc_alpn = TLSCONF_H2 };
	struct timeval		 tv = { 0, 300000 };
	struct attempt		 at = { .at_fd = -1, .at_is_enroll = true };
	struct event		*ev;
	socklen_t		 len = sizeof(sin);
	char			 err[256];
	int			 fd;

	got = begun = 0;
	ended = false;
	tc.tc_cert = (const uint8_t *)chain;
	tc.tc_certlen = strlen(chain);
	tc.tc_key = (const uint8_t *)keypem;
	tc.tc_keylen = strlen(keypem);
	assert_non_null(server_ctx = tlsconf_server(&tc, err, sizeof(err)));
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	fd = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	assert_int_equal(listen(fd, 1), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	ev = event_new(base, fd, EV_READ, on_accept, NULL);
	event_add(ev, NULL);

	(void)strlcpy(at.at_name, name, sizeof(at.at_name));
	at.at_port = ntohs(sin.sin_port);
	at.at_trust_first_use = tofu;
	at.at_pinlen = X509_TOKENPIN_LEN;
	if (right_pin) {
		uint8_t	 pin[X509_PIN_LEN];

		assert_int_equal(x509_pin_der(ours->w_ca.kc_der,
		    ours->w_ca.kc_len, pin), 0);
		memcpy(at.at_pin, pin, at.at_pinlen);
	}
	at.at_deadline = monotime_now() + 5000;
	at.at_timer = evtimer_new(base, NULL, NULL);
	connect_begin(&at);
	/* Past the end, so that what the server says arrives after it. */
	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
	connect_clear(&at);
	event_free(at.at_timer);
	event_free(ev);
	close(fd);
	stream_free(server);
	server = NULL;
	tls_free(server_ctx);
}

static void
test_failed_proof(void **state)
{
	(void)state;
	attempt("elsewhere.example", true, ours->w_chainpem, false);
	assert_true(ended);
	assert_int_equal(cause, CAUSE(NAME));
	assert_int_equal(begun, 0);
	assert_int_equal(got, 0);
	attempt("server.example", false, ours->w_chainpem, false);
	assert_true(ended);
	assert_int_equal(cause, CAUSE(PIN));
	assert_int_equal(begun, 0);
	assert_int_equal(got, 0);
	attempt("server.example", true, ours->w_leafpem, false);
	assert_true(ended);
	assert_int_equal(cause, CAUSE(PIN));
	assert_int_equal(begun, 0);
	assert_int_equal(got, 0);
}

static void
test_proven(void **state)
{
	(void)state;
	attempt("server.example", true, ours->w_chainpem, false);
	assert_false(ended);
	assert_int_equal(begun, 1);
	assert_int_equal(got, 0);
	attempt("server.example", true, ours->w_leafpem, true);
	assert_false(ended);
	assert_int_equal(begun, 1);
	/* Trust in a server without a CA is none in a wrong CA. */
	attempt("server.example", false, ours->w_chainpem, true);
	assert_true(ended);
	assert_int_equal(cause, CAUSE(PIN));
	assert_int_equal(begun, 0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_failed_proof),
		cmocka_unit_test(test_proven),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
