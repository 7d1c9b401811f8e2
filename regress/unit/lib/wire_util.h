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

#ifndef WIRE_UTIL_H
#define WIRE_UTIL_H

/*
 * What the tests of the transport layers share: a loop with a time limit,
 * socket pairs, certificates made at run time.
 */
#include "compat.h"

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <event2/buffer.h>
#include <event2/event.h>
#include <openssl/ec.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include "monotime.h"
#include "stream.h"
#include "tlsconf.h"

#define MAYBE		__attribute__((__unused__))
#define LOOP_MSEC	5000		/* no test may hang */

struct pem {
	char		 pm_cert[4096];	/* leaf, or CA */
	char		 pm_key[1024];
	X509		*pm_x509;
	EVP_PKEY	*pm_pkey;
};

MAYBE static void
socket_pair(int fd[2])
{
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0,
	    fd), 0);
	assert_int_equal(fcntl(fd[0], F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(fd[1], F_SETFL, O_NONBLOCK), 0);
}

/* Runs the loop until *flag or the limit; fails the test at the limit. */
MAYBE static void
loop_until(struct event_base *base, const bool *flag)
{
	monotime_t	 end = monotime_now() + LOOP_MSEC;
	struct timeval	 tv = { 0, 20000 };

	while (!*flag) {
		if (monotime_now() > end)
			fail_msg("the loop waited in vain");
		(void)event_base_loopexit(base, &tv);
		(void)event_base_loop(base, EVLOOP_ONCE);
	}
}

MAYBE static void
loop_for(struct event_base *base, int msec)
{
	monotime_t	 end = monotime_now() + msec;
	struct timeval	 tv = { 0, 1000 };

	while (monotime_now() < end) {
		(void)event_base_loopexit(base, &tv);
		(void)event_base_dispatch(base);
	}
}

static void
pem_bio(char *dst, size_t size, BIO *bio)
{
	char		*data;
	long		 len = BIO_get_mem_data(bio, &data);

	assert_true(len > 0 && (size_t)len < size);
	memcpy(dst, data, (size_t)len);
	dst[len] = '\0';
	BIO_free(bio);
}

static void
pem_ext(X509 *x, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX	 ctx;
	X509_EXTENSION	*ext;

	X509V3_set_ctx(&ctx, issuer, x, NULL, NULL, 0);
	ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
	assert_non_null(ext);
	assert_int_equal(X509_add_ext(x, ext, -1), 1);
	X509_EXTENSION_free(ext);
}

/*
 * ca NULL: self-signed CA.  from, to: seconds relative to now.
 */
MAYBE static void
pem_make(struct pem *pm, const char *cn, const struct pem *ca,
    const char *eku, long from, long to)
{
	EVP_PKEY_CTX	*kctx;
	X509_NAME	*name;
	BIO		*bio;
	X509		*x;

	memset(pm, 0, sizeof(*pm));
	kctx = EVP_PKEY_CTX_new_id(EVP_PKEY_EC, NULL);
	assert_int_equal(EVP_PKEY_keygen_init(kctx), 1);
	assert_int_equal(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(kctx,
	    NID_X9_62_prime256v1), 1);
	assert_int_equal(EVP_PKEY_CTX_set_ec_param_enc(kctx,
	    OPENSSL_EC_NAMED_CURVE), 1);
	assert_int_equal(EVP_PKEY_keygen(kctx, &pm->pm_pkey), 1);
	EVP_PKEY_CTX_free(kctx);

	x = pm->pm_x509 = X509_new();
	assert_int_equal(X509_set_version(x, 2), 1);
	assert_int_equal(ASN1_INTEGER_set(X509_get_serialNumber(x),
	    (long)arc4random_uniform(1 << 30) + 1), 1);
	X509_gmtime_adj(X509_getm_notBefore(x), from);
	X509_gmtime_adj(X509_getm_notAfter(x), to);
	name = X509_get_subject_name(x);
	assert_int_equal(X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8,
	    (const unsigned char *)cn, -1, -1, 0), 1);
	X509_set_issuer_name(x, ca != NULL ?
	    X509_get_subject_name(ca->pm_x509) : name);
	X509_set_pubkey(x, pm->pm_pkey);
	if (ca == NULL) {
		pem_ext(x, x, NID_basic_constraints,
		    "critical,CA:TRUE,pathlen:1");
		pem_ext(x, x, NID_key_usage, "critical,keyCertSign,cRLSign");
	} else {
		pem_ext(x, ca->pm_x509, NID_basic_constraints,
		    "critical,CA:FALSE");
		pem_ext(x, ca->pm_x509, NID_subject_alt_name,
		    "DNS:localhost,IP:127.0.0.1");
		if (eku != NULL)
			pem_ext(x, ca->pm_x509, NID_ext_key_usage, eku);
	}
	assert_true(X509_sign(x, ca != NULL ? ca->pm_pkey : pm->pm_pkey,
	    EVP_sha256()) > 0);
	bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_X509(bio, x), 1);
	pem_bio(pm->pm_cert, sizeof(pm->pm_cert), bio);
	bio = BIO_new(BIO_s_mem());
	assert_int_equal(PEM_write_bio_PrivateKey(bio, pm->pm_pkey, NULL,
	    NULL, 0, NULL, NULL), 1);
	pem_bio(pm->pm_key, sizeof(pm->pm_key), bio);
}

MAYBE static void
pem_free(struct pem *pm)
{
	X509_free(pm->pm_x509);
	EVP_PKEY_free(pm->pm_pkey);
}

/* cert, ca: may be NULL. */
MAYBE static struct tls *
tls_context(bool server, const struct pem *cert, const struct pem *ca,
    const char *alpn)
{
	struct tlsconf	 tc;
	struct tls	*tls;
	char		 err[256] = "";

	assert_int_equal(tlsconf_init(), 0);
	memset(&tc, 0, sizeof(tc));
	tc.tc_alpn = alpn;
	if (cert != NULL) {
		tc.tc_cert = (const uint8_t *)cert->pm_cert;
		tc.tc_certlen = strlen(cert->pm_cert);
		tc.tc_key = (const uint8_t *)cert->pm_key;
		tc.tc_keylen = strlen(cert->pm_key);
	}
	if (ca != NULL) {
		tc.tc_ca = (const uint8_t *)ca->pm_cert;
		tc.tc_calen = strlen(ca->pm_cert);
	}
	tls = server ? tlsconf_server(&tc, err, sizeof(err)) :
	    tlsconf_client(&tc, err, sizeof(err));
	if (tls == NULL)
		fail_msg("%s", err);
	return (tls);
}

#endif /* WIRE_UTIL_H */
