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

#include <openssl/ssl.h>

/*
 * tlsconf: what the contexts let in.  The foreign peers are plain OpenSSL, so
 * that they can do what our own contexts never would.
 */

static struct event_base	*base;
static struct pem		 ca, foreign, server_pem, client_pem, expired,
				 stranger, wrong_use, server_other;

struct result {
	bool		 up, ended;
	char		 fault[128];	/* "" : none */
	char		 text[STREAM_TEXT_MAXBYTES];
	bool		 has_cert;
	enum stream_end	 end;
};

static void
on_up(struct stream *s, void *arg)
{
	struct result	*r = arg;
	const char	*fault;

	r->up = true;
	fault = tlsconf_fault(stream_tls(s), "h2");
	(void)strlcpy(r->fault, fault != NULL ? fault : "", sizeof(r->fault));
	r->has_cert = tls_peer_cert_provided(stream_tls(s)) != 0;
}

static void
on_read(struct stream *s, struct evbuffer *in, void *arg)
{
	(void)arg;
	(void)stream_write_buf(s, in);
}

static void
on_end(struct stream *s, enum stream_end end, const char *text, void *arg)
{
	struct result	*r = arg;

	(void)s;
	r->ended = true;
	r->end = end;
	(void)strlcpy(r->text, text, sizeof(r->text));
}

static const struct stream_ops	 ops = {
	.so_up = on_up,
	.so_read = on_read,
	.so_end = on_end
};

/* What a foreign client asks for. */
struct foreign {
	const struct pem	*cert;
	const char		*alpn;		/* wire format or NULL */
	int			 maxversion;
	int			 tickets;	/* out */
};

static int
foreign_ticket(SSL *ssl, SSL_SESSION *session)
{
	struct foreign	*f = SSL_get_app_data(ssl);

	(void)session;
	f->tickets++;
	return (0);
}

/* Drives an OpenSSL client against one of our server contexts. */
static void
meet(struct foreign *f, struct result *r)
{
	struct tls	*server, *conn;
	struct stream	*s;
	SSL_CTX		*ctx = SSL_CTX_new(TLS_client_method());
	monotime_t	 end = monotime_now() + LOOP_MSEC;
	char		 buf[16];
	SSL		*ssl;
	int		 fd[2], rc = 0, n = -1;

	memset(r, 0, sizeof(*r));
	server = tls_context(true, &server_pem, &ca, "h2");
	socket_pair(fd);
	assert_int_equal(tls_accept_socket(server, &conn, fd[0]), 0);
	s = stream_new(base, fd[0], conn, &ops, r);
	if (f->cert != NULL) {
		assert_int_equal(SSL_CTX_use_certificate(ctx,
		    f->cert->pm_x509), 1);
		assert_int_equal(SSL_CTX_use_PrivateKey(ctx,
		    f->cert->pm_pkey), 1);
	}
	if (f->maxversion != 0)
		SSL_CTX_set_max_proto_version(ctx, f->maxversion);
	SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_CLIENT);
	SSL_CTX_sess_set_new_cb(ctx, foreign_ticket);
	ssl = SSL_new(ctx);
	SSL_set_app_data(ssl, f);
	if (f->alpn != NULL)
		SSL_set_alpn_protos(ssl, (const unsigned char *)f->alpn,
		    (unsigned int)strlen(f->alpn));
	SSL_set_fd(ssl, fd[1]);
	/* Talk until both sides know: an echo, or an end. */
	while (!r->ended && n != 4) {
		assert_true(monotime_now() < end);
		if (rc != 1)
			rc = SSL_connect(ssl);
		if (rc == 1 && n == -1)
			n = SSL_write(ssl, "ping", 4) == 4 ? 0 : -1;
		if (rc == 1 && n == 0 && SSL_read(ssl, buf, 4) == 4)
			n = 4;
		loop_for(base, 5);
	}
	SSL_free(ssl);
	SSL_CTX_free(ctx);
	(void)close(fd[1]);
	stream_free(s);
	tls_free(server);
}

static void
test_good_clients(void **state)
{
	struct foreign	 with = { &client_pem, "\002h2", 0, 0 };
	struct foreign	 without = { NULL, "\010http/1.1\002h2", 0, 0 };
	struct result	 r;

	(void)state;
	meet(&with, &r);
	assert_true(r.up);
	assert_string_equal(r.fault, "");
	assert_true(r.has_cert);
	/* Tickets would allow to resume, without a certificate. */
	assert_int_equal(with.tickets, 0);
	meet(&without, &r);
	assert_true(r.up);
	assert_string_equal(r.fault, "");
	assert_false(r.has_cert);
}

/* Time is the gate's business: an expired host may still renew. */
static void
test_expired_client(void **state)
{
	struct foreign	 f = { &expired, "\002h2", 0, 0 };
	struct result	 r;

	(void)state;
	meet(&f, &r);
	assert_true(r.up);
	assert_true(r.has_cert);
}

static void
test_bad_clients(void **state)
{
	struct foreign	 f = { &stranger, "\002h2", 0, 0 };
	struct foreign	 use = { &wrong_use, "\002h2", 0, 0 };
	struct foreign	 old = { NULL, "\002h2", TLS1_2_VERSION, 0 };
	struct result	 r;

	(void)state;
	meet(&f, &r);
	assert_false(r.up);
	assert_int_equal(r.end, STREAM_END_TLS);
	meet(&use, &r);
	assert_false(r.up);
	assert_int_equal(r.end, STREAM_END_TLS);
	meet(&old, &r);
	assert_false(r.up);
	assert_int_equal(r.end, STREAM_END_TLS);
	assert_non_null(strstr(r.text, "protocol"));
}

static void
test_alpn(void **state)
{
	struct foreign	 none = { NULL, NULL, 0, 0 };
	struct foreign	 other = { NULL, "\010http/1.1", 0, 0 };
	struct result	 r;

	(void)state;
	meet(&none, &r);
	assert_true(r.up);
	assert_non_null(strstr(r.fault, "ALPN"));
	meet(&other, &r);
	/* libretls lets it pass, LibreSSL ends it with an alert. */
	assert_true(r.ended || strstr(r.fault, "ALPN") != NULL);
}

/* Our client takes any chain; the caller looks at it afterwards. */
static void
test_client_takes_any(void **state)
{
	struct result	 rs, rc;
	struct stream	*a, *b;
	struct tls	*server, *conn, *client;
	const uint8_t	*pem;
	size_t		 len;
	int		 fd[2];

	(void)state;
	memset(&rs, 0, sizeof(rs));
	memset(&rc, 0, sizeof(rc));
	server = tls_context(true, &server_other, NULL, "h2");
	client = tls_context(false, NULL, NULL, "h2");
	socket_pair(fd);
	assert_int_equal(tls_accept_socket(server, &conn, fd[0]), 0);
	assert_int_equal(tls_connect_socket(client, fd[1], "elsewhere"), 0);
	a = stream_new(base, fd[0], conn, &ops, &rs);
	b = stream_new(base, fd[1], client, &ops, &rc);
	loop_until(base, &rc.up);
	assert_string_equal(rc.fault, "");
	pem = tls_peer_cert_chain_pem(stream_tls(b), &len);
	assert_non_null(pem);
	assert_memory_equal(pem, server_other.pm_cert,
	    strlen(server_other.pm_cert));
	stream_free(a);
	stream_free(b);
	tls_free(server);
}

static void
test_errors(void **state)
{
	struct tlsconf	 tc;
	struct tls	*tls;
	char		 err[256];

	(void)state;
	memset(&tc, 0, sizeof(tc));
	tc.tc_alpn = "h2";
	tc.tc_cert = (const uint8_t *)"not a certificate";
	tc.tc_certlen = 17;
	err[0] = '\0';
	assert_null(tlsconf_server(&tc, err, sizeof(err)));
	assert_true(strlen(err) > 10);
	/* A key of another certificate. */
	tc.tc_cert = (const uint8_t *)server_pem.pm_cert;
	tc.tc_certlen = strlen(server_pem.pm_cert);
	tc.tc_key = (const uint8_t *)client_pem.pm_key;
	tc.tc_keylen = strlen(client_pem.pm_key);
	err[0] = '\0';
	assert_null(tlsconf_server(&tc, err, sizeof(err)));
	assert_true(strlen(err) > 10);
	/* No key at all: it is elsewhere. */
	tc.tc_key = NULL;
	tls = tlsconf_server(&tc, err, sizeof(err));
	assert_non_null(tls);
	tls_free(tls);
	tls = tlsconf_client(&tc, err, sizeof(err));
	assert_non_null(tls);
	tls_free(tls);
}

static int
setup(void **state)
{
	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	base = event_base_new();
	pem_make(&ca, "CA", NULL, NULL, -60, 3600);
	pem_make(&foreign, "foreign CA", NULL, NULL, -60, 3600);
	pem_make(&server_pem, "server", &ca, "serverAuth", -60, 3600);
	pem_make(&client_pem, "host", &ca, "clientAuth", -60, 3600);
	pem_make(&expired, "old", &ca, "clientAuth", -7200, -3600);
	pem_make(&stranger, "stranger", &foreign, "clientAuth", -60, 3600);
	pem_make(&wrong_use, "use", &ca, "serverAuth", -60, 3600);
	pem_make(&server_other, "other", &foreign, "serverAuth", -7200,
	    -3600);
	return (0);
}

static int
teardown(void **state)
{
	struct pem	*all[] = { &ca, &foreign, &server_pem, &client_pem,
			    &expired, &stranger, &wrong_use, &server_other };
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(all); i++)
		pem_free(all[i]);
	event_base_free(base);
	libevent_global_shutdown();
	return (0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_good_clients),
		cmocka_unit_test(test_expired_client),
		cmocka_unit_test(test_bad_clients),
		cmocka_unit_test(test_alpn),
		cmocka_unit_test(test_client_takes_any),
		cmocka_unit_test(test_errors)
	};

	return (cmocka_run_group_tests_name("tlsconf", tests, setup,
	    teardown));
}
