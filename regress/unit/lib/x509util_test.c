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
 * Certificates made by the keyholder's code, examined by x509util: each
 * verdict from a chain that has exactly that fault, and mutations of all.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "hex.h"
#include "keyholder_int.h"
#include "pem.h"
#include "x509util.h"

/* The harnesses, for deterministic mutations in the normal run. */
#include "../../fuzz/csr_fuzz.c"
#define LLVMFuzzerTestOneInput	chain_fuzz
#include "../../fuzz/chain_fuzz.c"
#undef LLVMFuzzerTestOneInput

#define CSR_MUTATIONS	20000
#define HOST		"0123456789abcdef0123456789abcdef"
#define DAY		86400

struct world {			/* one CA and what it issued */
	struct keyring	 w_ring;
	struct key_cert	 w_ca;
	struct key_cert	 w_server;
	struct key_cert	 w_agent;
	struct key_cert	 w_command;
	struct key	 w_agentkey;
	char		 w_capem[4096];
	char		 w_chain[8192];	/* server, CA */
	char		 w_leaf[4096];	/* server alone */
	char		 w_agentpem[4096];
};

static struct world	*ours, *theirs;
static time_t		 now;

static void
pem_put(char *dst, size_t size, const struct key_cert *kc)
{
	char	*pem = pem_encode_cert(kc->kc_der, kc->kc_len);

	assert_true(strlcat(dst, pem, size) < size);
	free(pem);
}

static struct world *
world_new(void)
{
	static const struct key_name names[] = {
		{ KEY_NAME_DNS, 14, "server.example" },
		{ KEY_NAME_IP, 4, { 10, 0, 0, 10 } },
		{ KEY_NAME_IP, 16, { 0xfe, 0x80, [15] = 1 } },
	};
	struct world	*w = calloc(1, sizeof(*w));
	struct keyring	*kr = &w->w_ring;
	char		 why[KEY_WHY_SIZE];

	keyring_init(kr);
	assert_int_equal(key_make(&kr->kr_ca), 0);
	assert_int_equal(key_make(&kr->kr_server[0]), 0);
	assert_int_equal(key_make(&kr->kr_command), 0);
	assert_int_equal(key_make(&w->w_agentkey), 0);
	kr->kr_cacert = key_ca_selfsign(&kr->kr_ca, 100 * DAY, now);
	assert_int_equal(key_cert_export(kr->kr_cacert, &w->w_ca), 0);
	assert_int_equal(key_issue_server(kr, &kr->kr_server[0], 10 * DAY,
	    names, nitems(names), now, &w->w_server, why), 0);
	assert_int_equal(key_issue_agent(kr, HOST, w->w_agentkey.k_point,
	    10 * DAY, now, &w->w_agent, why), KEY_RC_OK);
	assert_int_equal(key_issue_command(kr, &kr->kr_command, 10 * DAY, now,
	    &w->w_command, why), 0);
	pem_put(w->w_capem, sizeof(w->w_capem), &w->w_ca);
	pem_put(w->w_leaf, sizeof(w->w_leaf), &w->w_server);
	pem_put(w->w_chain, sizeof(w->w_chain), &w->w_server);
	pem_put(w->w_chain, sizeof(w->w_chain), &w->w_ca);
	pem_put(w->w_agentpem, sizeof(w->w_agentpem), &w->w_agent);
	return (w);
}

static void
world_free(struct world *w)
{
	keyring_clear(&w->w_ring);
	key_clear(&w->w_agentkey);
	free(w);
}

static int
setup(void **state)
{
	(void)state;
	now = time(NULL);
	ours = world_new();
	theirs = world_new();
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	world_free(ours);
	world_free(theirs);
	return (0);
}

static const uint8_t *
u8(const char *s)
{
	return ((const uint8_t *)s);
}

/* The server of a chain, seen at a time; text shown when it is another. */
static void
server(const char *chain, const char *ca, const char *host, time_t when,
    enum x509_verdict want, int64_t skew)
{
	struct x509_result	 xr;
	bool			 ok;

	ok = x509_check_server_chain(u8(chain), strlen(chain), u8(ca),
	    strlen(ca), host, when, &xr);
	if (xr.xr_verdict != want)
		fail_msg("%s: %s", x509_verdict_name(xr.xr_verdict),
		    xr.xr_text);
	assert_int_equal(ok, want == X509_VERDICT_OK);
	assert_int_equal(xr.xr_skew, skew);
	assert_true(xr.xr_text[0] != '\0');
}

static void
test_server_chain(void **state)
{
	const char	*chain = ours->w_chain, *ca = ours->w_capem;
	char		 both[8192];

	(void)state;
	server(chain, ca, "server.example", now, X509_VERDICT_OK, 0);
	server(chain, ca, "SERVER.example", now, X509_VERDICT_OK, 0);
	server(chain, ca, "10.0.0.10", now, X509_VERDICT_OK, 0);
	server(chain, ca, "fe80::1%eth0", now, X509_VERDICT_OK, 0);
	server(chain, ca, NULL, now, X509_VERDICT_OK, 0);
	/* The server may send its leaf alone, as Go's does. */
	server(ours->w_leaf, ca, "server.example", now, X509_VERDICT_OK, 0);

	server(chain, ca, "other.example", now, X509_VERDICT_NAME, 0);
	server(chain, ca, "10.0.0.11", now, X509_VERDICT_NAME, 0);
	server(chain, ca, "server.example.evil", now, X509_VERDICT_NAME, 0);
	server(chain, ca, "sentinel-server", now, X509_VERDICT_NAME, 0);
	server(chain, ca, "", now, X509_VERDICT_NAME, 0);
	server(chain, theirs->w_capem, "server.example", now,
	    X509_VERDICT_FOREIGN, 0);
	/* Showing our CA does not make their leaf ours. */
	snprintf(both, sizeof(both), "%s%s", theirs->w_leaf, ours->w_capem);
	server(both, ca, "server.example", now, X509_VERDICT_FOREIGN, 0);
	snprintf(both, sizeof(both), "%s%s", theirs->w_capem, ours->w_capem);
	server(chain, both, "server.example", now, X509_VERDICT_OK, 0);

	server(ours->w_agentpem, ca, "server.example", now,
	    X509_VERDICT_PURPOSE, 0);
	server(ours->w_capem, ca, NULL, now, X509_VERDICT_PURPOSE, 0);
	server(chain, ours->w_leaf, NULL, now, X509_VERDICT_BROKEN, 0);
	server("", ca, NULL, now, X509_VERDICT_BROKEN, 0);
	server(chain, "", NULL, now, X509_VERDICT_BROKEN, 0);
}

static void
test_time(void **state)
{
	const char	*chain = ours->w_chain, *ca = ours->w_capem;
	struct x509_result xr;

	(void)state;
	server(chain, ca, NULL, now - 3600, X509_VERDICT_OK, 0);
	server(chain, ca, NULL, now - 3600 - 77, X509_VERDICT_NOT_YET, 77);
	server(chain, ca, NULL, now + 10 * DAY, X509_VERDICT_OK, 0);
	server(chain, ca, NULL, now + 10 * DAY + 5, X509_VERDICT_EXPIRED, 5);
	server(chain, ca, NULL, now + 1000 * DAY, X509_VERDICT_EXPIRED,
	    990 * DAY);
	/* By how much, and since when: an operator compares it with a clock. */
	assert_false(x509_check_server_chain(u8(chain), strlen(chain), u8(ca),
	    strlen(ca), NULL, 86400, &xr));
	assert_non_null(strstr(xr.xr_text, "is not valid until 20"));
	assert_non_null(strstr(xr.xr_text, "(clock skew of "));
	assert_false(x509_check_server_chain(u8(chain), strlen(chain), u8(ca),
	    strlen(ca), NULL, now + 1000 * DAY, &xr));
	assert_non_null(strstr(xr.xr_text, "has expired 990 days ago, since "
	    "20"));
	assert_non_null(strstr(xr.xr_text, "(or clock skew of 990 days?)"));
	server(chain, ca, NULL, 0, X509_VERDICT_OK, 0);
	/* A wrong clock does not hide a wrong name or a foreign CA. */
	server(chain, ca, "x", now + 99 * DAY, X509_VERDICT_NAME, 0);
	server(chain, theirs->w_capem, NULL, 1, X509_VERDICT_FOREIGN, 0);
}

static void
pinned(const char *chain, const uint8_t *pin, size_t len,
    enum x509_verdict want)
{
	struct x509_result	 xr;
	bool			 ok;

	ok = x509_check_pin(u8(chain), strlen(chain), pin, len, NULL, now,
	    &xr);
	if (xr.xr_verdict != want)
		fail_msg("%s: %s", x509_verdict_name(xr.xr_verdict),
		    xr.xr_text);
	assert_int_equal(ok, want == X509_VERDICT_OK);
}

static void
test_pin(void **state)
{
	uint8_t		 pin[X509_PIN_LEN], leafpin[X509_PIN_LEN];
	char		 mixed[16384];

	(void)state;
	assert_int_equal(x509_pin_der(ours->w_ca.kc_der, ours->w_ca.kc_len,
	    pin), 0);
	pinned(ours->w_chain, pin, X509_TOKENPIN_LEN, X509_VERDICT_OK);
	pinned(ours->w_chain, pin, X509_PIN_LEN, X509_VERDICT_OK);
	pinned(ours->w_chain, pin, 0, X509_VERDICT_FOREIGN);
	pinned(ours->w_chain, pin, 1, X509_VERDICT_FOREIGN);
	pinned(ours->w_leaf, pin, X509_TOKENPIN_LEN, X509_VERDICT_NO_CA);
	pinned(theirs->w_chain, pin, X509_TOKENPIN_LEN, X509_VERDICT_FOREIGN);
	/* The man in the middle: his leaf, our CA, in any order. */
	snprintf(mixed, sizeof(mixed), "%s%s%s", theirs->w_leaf,
	    ours->w_capem, theirs->w_capem);
	pinned(mixed, pin, X509_TOKENPIN_LEN, X509_VERDICT_FOREIGN);
	snprintf(mixed, sizeof(mixed), "%s%s%s", theirs->w_leaf,
	    theirs->w_capem, ours->w_chain);
	pinned(mixed, pin, X509_TOKENPIN_LEN, X509_VERDICT_FOREIGN);
	/* Our own agent as server. */
	snprintf(mixed, sizeof(mixed), "%s%s", ours->w_agentpem,
	    ours->w_capem);
	pinned(mixed, pin, X509_TOKENPIN_LEN, X509_VERDICT_PURPOSE);
	/* A leaf that is pinned is no CA. */
	assert_int_equal(x509_pin_der(ours->w_server.kc_der,
	    ours->w_server.kc_len, leafpin), 0);
	snprintf(mixed, sizeof(mixed), "%s%s", ours->w_leaf, ours->w_leaf);
	pinned(mixed, leafpin, X509_PIN_LEN, X509_VERDICT_FOREIGN);
	pin[0] ^= 1;
	pinned(ours->w_chain, pin, X509_TOKENPIN_LEN, X509_VERDICT_FOREIGN);
	pin[0] ^= 1;

	assert_true(x509_bundle_has_pin(u8(ours->w_capem),
	    strlen(ours->w_capem), pin, X509_TOKENPIN_LEN));
	assert_true(x509_bundle_has_pin(u8(ours->w_chain),
	    strlen(ours->w_chain), pin, X509_PIN_LEN));
	assert_false(x509_bundle_has_pin(u8(theirs->w_chain),
	    strlen(theirs->w_chain), pin, X509_TOKENPIN_LEN));
	assert_false(x509_bundle_has_pin(u8(ours->w_leaf),
	    strlen(ours->w_leaf), leafpin, X509_PIN_LEN));
}

/* Change of CA: the new one signed by the old, both pins verify. */
static void
test_rollover(void **state)
{
	struct world	*w = world_new();
	struct key_cert	*kc = calloc(1, sizeof(*kc));
	AUTHORITY_KEYID	*aki;
	X509		*cross;
	uint8_t		 oldpin[X509_PIN_LEN], newpin[X509_PIN_LEN];
	char		 chain[16384] = "";

	(void)state;
	/*
	 * The new CA's certificate again, with the old CA as its issuer.  All
	 * have one name, so the key identifier must tell them apart.
	 */
	cross = X509_dup(w->w_ring.kr_cacert);
	assert_non_null(aki = AUTHORITY_KEYID_new());
	aki->keyid = X509_get_ext_d2i(ours->w_ring.kr_cacert,
	    NID_subject_key_identifier, NULL, NULL);
	assert_int_equal(X509_add1_ext_i2d(cross, NID_authority_key_identifier,
	    aki, 0, X509V3_ADD_DEFAULT), 1);
	AUTHORITY_KEYID_free(aki);
	assert_int_equal(X509_sign(cross, ours->w_ring.kr_ca.k_pkey,
	    EVP_sha256()) > 0, 1);
	assert_int_equal(key_cert_export(cross, kc), 0);
	X509_free(cross);
	pem_put(chain, sizeof(chain), &w->w_server);
	pem_put(chain, sizeof(chain), kc);
	pem_put(chain, sizeof(chain), &ours->w_ca);
	assert_int_equal(x509_pin_der(w->w_ca.kc_der, w->w_ca.kc_len, newpin),
	    0);
	assert_int_equal(x509_pin_der(ours->w_ca.kc_der, ours->w_ca.kc_len,
	    oldpin), 0);
	pinned(chain, newpin, X509_TOKENPIN_LEN, X509_VERDICT_OK);
	server(chain, w->w_capem, "server.example", now, X509_VERDICT_OK, 0);
	pinned(chain, oldpin, X509_TOKENPIN_LEN, X509_VERDICT_OK);
	free(kc);
	world_free(w);
}

static void
test_issued_and_client(void **state)
{
	struct x509_result	 xr;
	const uint8_t		*ca = u8(ours->w_capem);
	const uint8_t		*cert = u8(ours->w_agentpem);
	const uint8_t		*point = ours->w_agentkey.k_point;
	size_t			 calen = strlen(ours->w_capem);
	size_t			 len = strlen(ours->w_agentpem);

	(void)state;
	assert_true(x509_check_issued(ca, calen, cert, len, point, HOST, now,
	    &xr));
	assert_string_equal(xr.xr_leaf.xf_cn, HOST);
	assert_false(x509_check_issued(ca, calen, cert, len, point, "x", now,
	    &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_NAME);
	assert_false(x509_check_issued(ca, calen, cert, len,
	    theirs->w_agentkey.k_point, HOST, now, &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_KEY);
	assert_false(x509_check_issued(u8(theirs->w_capem),
	    strlen(theirs->w_capem), cert, len, point, HOST, now, &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_FOREIGN);
	assert_false(x509_check_issued(ca, calen, cert, len, point, HOST,
	    now + 11 * DAY, &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_EXPIRED);
	assert_int_equal(xr.xr_skew, DAY);
	/* A bundle in which the certificate vouches for itself. */
	assert_false(x509_check_issued(cert, len, cert, len, point, HOST, now,
	    &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_BROKEN);

	assert_true(x509_check_client(cert, len, ca, calen, now, &xr));
	assert_true(x509_check_client(u8(ours->w_leaf), strlen(ours->w_leaf),
	    ca, calen, now, &xr));
	assert_false(x509_check_client(u8(theirs->w_agentpem),
	    strlen(theirs->w_agentpem), ca, calen, now, &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_FOREIGN);
}

static void
test_command(void **state)
{
	static const char	 body[] = "restart web";
	struct x509_result	 xr;
	uint8_t			 hash[32], st[X509_STATEMENT_LEN];
	uint8_t			 point[ECKEY_POINT_LEN];
	uint8_t			 sig[ECKEY_SIG_MAXBYTES + 1] = { 0 };
	const uint8_t		*ca = u8(ours->w_capem);
	size_t			 calen = strlen(ours->w_capem), len, other;

	(void)state;
	assert_int_equal(X509_STATEMENT_LEN, 49);
	SHA256(u8(body), sizeof(body), hash);
	assert_int_equal(key_command_sign(&ours->w_ring, hash, sig, &len), 0);
#define CMD(certs, n, when) x509_check_command(ca, calen, \
	(certs)->w_command.kc_der, (certs)->w_command.kc_len, u8(body), n, \
	sig, len, when, &xr)
	assert_true(CMD(ours, sizeof(body), now));
	assert_true(CMD(ours, sizeof(body), 0));
	assert_false(CMD(ours, sizeof(body) - 1, now));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_SIGNATURE);
	assert_false(CMD(theirs, sizeof(body), now));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_FOREIGN);
	assert_false(CMD(ours, sizeof(body), now + 11 * DAY));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_EXPIRED);
#undef CMD
	/* An agent of ours that signs with its own certificate. */
	assert_false(x509_check_command(ca, calen, ours->w_agent.kc_der,
	    ours->w_agent.kc_len, u8(body), sizeof(body), sig, len, now, &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_PURPOSE);
	/* Rubbish after the certificate, and a signature that is too long. */
	ours->w_command.kc_der[ours->w_command.kc_len] = 0;
	assert_false(x509_check_command(ca, calen, ours->w_command.kc_der,
	    ours->w_command.kc_len + 1, u8(body), sizeof(body), sig, len, now,
	    &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_BROKEN);
	assert_false(x509_check_command(ca, calen, ours->w_command.kc_der,
	    ours->w_command.kc_len, u8(body), sizeof(body), sig, sizeof(sig),
	    now, &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_SIGNATURE);
	/* Empty fields of a message are NULL. */
	assert_false(x509_check_command(ca, calen, NULL, 0, NULL, 0, NULL, 0,
	    now, &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_BROKEN);
	assert_false(x509_check_command(ca, calen, ours->w_command.kc_der,
	    ours->w_command.kc_len, NULL, 0, NULL, 0, now, &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_SIGNATURE);
	assert_false(x509_check_server_chain(NULL, 0, NULL, 0, NULL, now,
	    &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_BROKEN);
	assert_non_null(x509_csr_point(NULL, 0, point));
	/* The bare hash of the body, signed by the right key, is no command. */
	assert_int_equal(eckey_sign(ours->w_ring.kr_command.k_pkey, hash, sig,
	    &other), 0);
	assert_false(x509_check_command(ca, calen, ours->w_command.kc_der,
	    ours->w_command.kc_len, u8(body), sizeof(body), sig, other, now,
	    &xr));
	x509_command_statement(hash, st);
	assert_memory_equal(st, "sentinel-command\0", 17);
	assert_memory_equal(st + 17, hash, 32);
}

static void
test_facts(void **state)
{
	struct x509_facts	 xf;
	const unsigned char	*p = ours->w_agent.kc_der;
	struct timespec		 a, b;
	X509			*x;
	BIGNUM			*bn;
	char			*hex, *q;
	int			 i;

	(void)state;
	assert_int_equal(x509_facts_der(ours->w_agent.kc_der,
	    ours->w_agent.kc_len, &xf), 0);
	x = d2i_X509(NULL, &p, (long)ours->w_agent.kc_len);
	assert_string_equal(xf.xf_cn, HOST);
	assert_memory_equal(xf.xf_point, ours->w_agentkey.k_point,
	    ECKEY_POINT_LEN);
	assert_int_equal(xf.xf_notbefore, ours->w_agent.kc_notbefore);
	assert_int_equal(xf.xf_notafter, ours->w_agent.kc_notafter);
	bn = ASN1_INTEGER_to_BN(X509_get0_serialNumber(x), NULL);
	hex = BN_bn2hex(bn);
	for (q = hex; *q != '\0'; q++)
		if (*q >= 'A')
			*q += 'a' - 'A';
	assert_string_equal(xf.xf_serial, hex);
	OPENSSL_free(hex);
	BN_free(bn);
	X509_free(x);
	assert_int_equal(x509_facts_pem(u8(ours->w_agentpem),
	    strlen(ours->w_agentpem), &xf), 0);
	assert_string_equal(xf.xf_cn, HOST);
	(void)clock_gettime(CLOCK_MONOTONIC, &a);
	for (i = 0; i < 1000; i++)
		(void)x509_facts_pem(u8(ours->w_agentpem),
		    strlen(ours->w_agentpem), &xf);
	(void)clock_gettime(CLOCK_MONOTONIC, &b);
	print_message("facts from PEM: %ld ns\n", ((b.tv_sec - a.tv_sec) *
	    1000000000L + b.tv_nsec - a.tv_nsec) / 1000);
}

static void
test_serial_text(void **state)
{
	static const uint8_t	 serial[] = { 0x00, 0x0a, 0xbc };
	uint8_t			 many[22] = { 1 };
	char			 text[X509_SERIAL_SIZE];

	(void)state;
	assert_int_equal(x509_serial_text(serial, 3, text), 0);
	assert_string_equal(text, "abc");
	assert_int_equal(x509_serial_text(serial, 1, text), 0);
	assert_string_equal(text, "0");
	assert_int_equal(x509_serial_text(many, 20, text), 0);
	assert_int_equal(strlen(text), 39);
	assert_int_equal(x509_serial_text(many, 21, text), -1);
	assert_int_equal(x509_serial_text(many, 0, text), -1);
}

/* Dates past 2049 are in another form. */
static void
test_far_dates(void **state)
{
	struct keyring		*kr = &ours->w_ring;
	struct key_cert		*kc = calloc(1, sizeof(*kc));
	struct x509_facts	 xf;
	X509			*x;
	int64_t			 life;

	(void)state;
	life = 2540000000LL - (int64_t)now;	/* 2050 */
	x = key_ca_selfsign(&kr->kr_ca, life, now);
	assert_int_equal(key_cert_export(x, kc), 0);
	assert_int_equal(x509_facts_der(kc->kc_der, kc->kc_len, &xf), 0);
	assert_int_equal(xf.xf_notafter, 2540000000LL);
	assert_string_equal(xf.xf_cn, "Docker-Sentinel CA");
	X509_free(x);
	free(kc);
}

/* --- requests ------------------------------------------------------------ */

static size_t
csr_make(struct key *k, const char *cn, uint8_t der[KEY_CSR_MAXBYTES])
{
	char	 why[KEY_WHY_SIZE];
	size_t	 len;

	assert_int_equal(key_csr(k, cn, der, &len, why), 0);
	return (len);
}

static void
test_csr(void **state)
{
	struct key	*k = &ours->w_agentkey;
	uint8_t		 der[KEY_CSR_MAXBYTES + 1], point[ECKEY_POINT_LEN];
	uint8_t		*large = calloc(1, X509_CSR_MAXBYTES + 1);
	char		 why[KEY_WHY_SIZE];
	size_t		 len, i;

	(void)state;
	len = csr_make(k, "host-1", der);
	assert_null(x509_csr_point(der, len, point));
	assert_memory_equal(point, k->k_point, sizeof(point));
	len = csr_make(k, "h\xc3\xb6st", der);
	assert_null(x509_csr_point(der, len, point));
	assert_int_equal(key_csr(k, "", der, &i, why), -1);
	assert_int_equal(key_csr(k, "a\nb", der, &i, why), -1);
	assert_int_equal(key_csr(k, "\xff", der, &i, why), -1);

	len = csr_make(k, "host-1", der);
	der[len] = 0;
	assert_string_equal(x509_csr_point(der, len + 1, point),
	    "bytes follow the request");
	for (i = 0; i < len; i++)
		assert_non_null(x509_csr_point(der, i, point));
	assert_non_null(x509_csr_point(large, X509_CSR_MAXBYTES + 1, point));
	free(large);
}

static EVP_PKEY *
keygen(int type, int param)
{
	EVP_PKEY_CTX	*ctx = EVP_PKEY_CTX_new_id(type, NULL);
	EVP_PKEY	*pkey = NULL;

	assert_int_equal(EVP_PKEY_keygen_init(ctx), 1);
	if (type == EVP_PKEY_RSA)
		assert_int_equal(EVP_PKEY_CTX_set_rsa_keygen_bits(ctx, param),
		    1);
	if (type == EVP_PKEY_EC)
		assert_int_equal(EVP_PKEY_CTX_set_ec_paramgen_curve_nid(ctx,
		    param), 1);
	assert_int_equal(EVP_PKEY_keygen(ctx, &pkey), 1);
	EVP_PKEY_CTX_free(ctx);
	return (pkey);
}

static const char *
csr_of(EVP_PKEY *pkey, const EVP_MD *md)
{
	X509_REQ	*req = X509_REQ_new();
	unsigned char	*der = NULL;
	uint8_t		 point[ECKEY_POINT_LEN];
	const char	*fault;
	int		 len;

	assert_int_equal(X509_REQ_set_pubkey(req, pkey), 1);
	assert_true(X509_REQ_sign(req, pkey, md) > 0);
	assert_true((len = i2d_X509_REQ(req, &der)) > 0);
	fault = x509_csr_point(der, (size_t)len, point);
	OPENSSL_free(der);
	X509_REQ_free(req);
	return (fault);
}

static void
test_csr_kinds(void **state)
{
	static const struct {
		int	 type;
		int	 param;
		bool	 digest;
	} other[] = {
		{ EVP_PKEY_RSA, 2048, true },
		{ EVP_PKEY_EC, NID_secp384r1, true },
		{ EVP_PKEY_EC, NID_secp256k1, true },
		{ EVP_PKEY_ED25519, 0, false },
	};
	EVP_PKEY	*pkey;
	size_t		 i;

	(void)state;
	pkey = keygen(EVP_PKEY_EC, NID_X9_62_prime256v1);
	assert_null(csr_of(pkey, EVP_sha256()));
	assert_null(csr_of(pkey, EVP_sha512()));
	assert_string_equal(csr_of(pkey, EVP_sha1()),
	    "the signature is not ECDSA with SHA-256 or better");
	EVP_PKEY_free(pkey);
	for (i = 0; i < nitems(other); i++) {
		pkey = keygen(other[i].type, other[i].param);
		assert_string_equal(csr_of(pkey, other[i].digest ?
		    EVP_sha256() : NULL), "the key is not P-256");
		EVP_PKEY_free(pkey);
	}
}

/*
 * Any change is refused, but two that leave the meaning: none was made, or the
 * signature's own DER was touched where it is not signed over.
 */
static void
test_csr_mutations(void **state)
{
	uint8_t		 der[KEY_CSR_MAXBYTES], copy[KEY_CSR_MAXBYTES];
	uint8_t		 point[ECKEY_POINT_LEN];
	uint32_t	 seed = 2463534242;
	size_t		 len, at;
	int		 i, accepted = 0, unchanged = 0;

	(void)state;
	len = csr_make(&ours->w_agentkey, "host-1", der);
	for (i = 0; i < CSR_MUTATIONS; i++) {
		seed ^= seed << 13;
		seed ^= seed >> 17;
		seed ^= seed << 5;
		memcpy(copy, der, len);
		at = seed % len;
		copy[at] = (uint8_t)(seed >> 16);
		if (copy[at] == der[at])
			unchanged++;
		if (x509_csr_point(copy, len, point) == NULL) {
			accepted++;
			if (copy[at] != der[at])
				fail_msg("byte %zu as %#x accepted", at,
				    copy[at]);
		}
	}
	print_message("%d mutations, %d of them none, %d accepted\n",
	    CSR_MUTATIONS, unchanged, accepted);
	assert_int_equal(accepted, unchanged);
	for (at = 0; at < len; at++) {
		(void)LLVMFuzzerTestOneInput(der, at);
		for (i = 0; i < 8; i++) {
			memcpy(copy, der, len);
			copy[at] ^= (uint8_t)(1 << i);
			(void)LLVMFuzzerTestOneInput(copy, len);
		}
	}
}

/* One bit of the leaf: never the same answer with other facts. */
static void
test_cert_mutations(void **state)
{
	struct x509_result	 xr;
	struct key_cert		*kc = calloc(1, sizeof(*kc));
	char			 pem[4096];
	size_t			 at, len;
	int			 bit;

	(void)state;
	for (at = 0; at < ours->w_server.kc_len; at++) {
		for (bit = 0; bit < 8; bit += 1 + (int)(at % 3)) {
			*kc = ours->w_server;
			kc->kc_der[at] ^= (uint8_t)(1 << bit);
			pem[0] = '\0';
			pem_put(pem, sizeof(pem), kc);
			len = strlen(pem);
			if (x509_check_server_chain(u8(pem), len,
			    u8(ours->w_capem), strlen(ours->w_capem),
			    "server.example", now, &xr))
				fail_msg("bit %d of byte %zu", bit, at);
		}
	}
	len = strlen(ours->w_chain);
	for (at = 0; at < len; at += 7)
		(void)chain_fuzz(u8(ours->w_chain), at);
	for (at = 0; at <= ours->w_server.kc_len; at++)
		(void)chain_fuzz(ours->w_server.kc_der, at);
	free(kc);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_server_chain),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_pin),
		cmocka_unit_test(test_rollover),
		cmocka_unit_test(test_issued_and_client),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_facts),
		cmocka_unit_test(test_serial_text),
		cmocka_unit_test(test_far_dates),
		cmocka_unit_test(test_csr),
		cmocka_unit_test(test_csr_kinds),
		cmocka_unit_test(test_csr_mutations),
		cmocka_unit_test(test_cert_mutations),
	};

	x509_warmup();
	key_arena_init();
	return (cmocka_run_group_tests(tests, setup, teardown));
}
