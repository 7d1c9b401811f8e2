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
 * Bundles: honest ones of a roll-over, and forged, unrelated and half ones.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "keyholder_int.h"
#include "pem.h"
#include "x509_bundle.h"

#define HOST	"00112233445566778899aabbccddeeff"

/* Two keyrings: ours with a new CA beside the old, and a stranger's. */
static struct keyring	*ours, *theirs;
static char		*old, *new, *cross, *leaf, *newleaf, *alien, *alienx;
static time_t		 now;
static char		 why[256];

static char *
pem_of(X509 *x)
{
	struct key_cert	*kc = calloc(1, sizeof(*kc));
	char		*pem;

	assert_int_equal(key_cert_export(x, kc), 0);
	assert_non_null(pem = pem_encode_cert(kc->kc_der, kc->kc_len));
	free(kc);
	return (pem);
}

static struct keyring *
ring_new(void)
{
	struct keyring	*kr = calloc(1, sizeof(*kr));

	keyring_init(kr);
	assert_int_equal(key_make(&kr->kr_ca), 0);
	assert_int_equal(key_make(&kr->kr_newca), 0);
	assert_non_null(kr->kr_cacert = key_ca_selfsign(&kr->kr_ca, 86400,
	    now));
	assert_non_null(kr->kr_newcacert = key_ca_next(&kr->kr_newca, 86400,
	    now));
	assert_non_null(kr->kr_cross = key_ca_cross(kr, now));
	return (kr);
}

static char *
leaf_of(struct keyring *kr)
{
	struct key_cert	*kc = calloc(1, sizeof(*kc));
	struct key	 key = { 0 };
	char		 fault[KEY_WHY_SIZE], *pem;

	assert_int_equal(key_make(&key), 0);
	assert_int_equal(key_issue_agent(kr, HOST, key.k_point, 3600, now, kc,
	    fault), KEY_RC_OK);
	assert_non_null(pem = pem_encode_cert(kc->kc_der, kc->kc_len));
	key_clear(&key);
	free(kc);
	return (pem);
}

static int
setup(void **state)
{
	(void)state;
	now = time(NULL);
	ours = ring_new();
	theirs = ring_new();
	old = pem_of(ours->kr_cacert);
	new = pem_of(ours->kr_newcacert);
	cross = pem_of(ours->kr_cross);
	leaf = leaf_of(ours);
	ours->kr_use_new = true;
	newleaf = leaf_of(ours);
	alien = pem_of(theirs->kr_cacert);
	alienx = pem_of(theirs->kr_cross);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	keyring_clear(ours);
	keyring_clear(theirs);
	free(ours);
	free(theirs);
	free(old);
	free(new);
	free(cross);
	free(leaf);
	free(newleaf);
	free(alien);
	free(alienx);
	return (0);
}

static char *
join(const char *a, const char *b, const char *c)
{
	char	*all;

	assert_int_not_equal(asprintf(&all, "%s%s%s", a, b, c), -1);
	return (all);
}

/* Takes the bundle.  What is kept, or NULL. */
static char *
accept_at(const char *trusted, const char *own, bool proven, char *bundle,
    time_t when)
{
	struct x509_bundle_check	 bc = {
		.bc_trusted = (const uint8_t *)trusted,
		.bc_trustedlen = strlen(trusted),
		.bc_proven = proven,
		.bc_leaf = (const uint8_t *)own,
		.bc_leaflen = own == NULL ? 0 : strlen(own),
		.bc_now = when
	};
	char	*out;

	why[0] = '\0';
	out = x509_bundle_accept(&bc, (const uint8_t *)bundle, strlen(bundle),
	    why, sizeof(why));
	assert_true((out == NULL) == (why[0] != '\0'));
	free(bundle);
	return (out);
}

static void
good(const char *trusted, const char *own, bool proven, char *bundle,
    char *want)
{
	char	*out = accept_at(trusted, own, proven, bundle, now);

	if (out == NULL)
		fail_msg("%s", why);
	assert_string_equal(out, want);
	free(out);
	free(want);
}

static void
bad(const char *trusted, const char *own, bool proven, char *bundle,
    const char *text)
{
	char	*out = accept_at(trusted, own, proven, bundle, now);

	assert_null(out);
	assert_non_null(strstr(why, text));
}

static void
test_honest(void **state)
{
	char	*both = join(old, new, "");

	(void)state;
	/* prepare, unsigned: the cross certificate vouches, and goes. */
	good(old, leaf, false, join(old, new, cross), join(old, new, ""));
	good(old, leaf, false, join(cross, new, old), join(new, old, ""));
	/* signed: it may be missing (path length 0). */
	good(old, leaf, true, join(old, new, ""), join(old, new, ""));
	/* again; drop; called off. */
	good(both, leaf, false, join(old, new, ""), join(old, new, ""));
	good(both, newleaf, false, join(new, "", ""), join(new, "", ""));
	good(both, leaf, false, join(old, "", ""), join(old, "", ""));
	good(old, leaf, true, join(old, old, new), join(old, new, ""));
	free(both);
}

static void
test_forged(void **state)
{
	char	*both = join(old, new, "");

	(void)state;
	/* Nobody vouches. */
	bad(old, leaf, false, join(old, new, ""), "vouches");
	bad(old, leaf, false, join(old, alien, ""), "vouches");
	/* A stranger's CA vouches, for its own new CA or in general. */
	bad(old, leaf, false, join(old, alien, alienx), "vouches");
	bad(old, leaf, false, join(old, alien, cross), "vouches");
	/* One that came in the bundle itself vouches for nobody. */
	bad(old, leaf, false, join(new, alien, cross), "vouches");
	/* Certificates of hosts vouch for nobody and are no CA. */
	bad(old, leaf, false, join(old, alien, leaf), "vouches");
	bad(old, leaf, true, join(leaf, "", ""), "holds no CA");
	bad(old, leaf, true, join(cross, "", ""), "holds no CA");
	free(both);
}

static void
test_half(void **state)
{
	char	*both = join(old, new, ""), *cut;
	size_t	 n;

	(void)state;
	/* Without the CA of our own certificate. */
	bad(old, leaf, true, join(new, "", ""), "our own certificate");
	bad(old, leaf, false, join(new, cross, ""), "our own certificate");
	bad(both, leaf, true, join(new, "", ""), "our own certificate");
	bad(both, leaf, true, join(alien, "", ""), "our own certificate");
	bad(old, leaf, true, join("", "", ""), "whole PEM");
	/* Cut anywhere: whole certificates only, or nothing. */
	for (n = 1; n < strlen(both); n += 7) {
		cut = strndup(both, n);
		free(accept_at(old, leaf, true, cut, now));
		if (why[0] == '\0' && n < strlen(old))
			fail_msg("%zu bytes of a certificate accepted", n);
	}
	free(both);
}

static void
test_time(void **state)
{
	char	*out;

	(void)state;
	out = accept_at(old, leaf, true, join(old, new, ""), now + 2 * 86400);
	assert_null(out);
	assert_non_null(strstr(why, "expired"));
	out = accept_at(old, leaf, true, join(old, new, ""), now - 86400);
	assert_null(out);
	assert_non_null(strstr(why, "not valid yet"));
	/* What is trusted stays, also beyond its end. */
	out = accept_at(old, leaf, true, join(old, "", ""), now + 2 * 86400);
	assert_non_null(out);
	free(out);
}

static void
test_limits(void **state)
{
	struct key	 key = { 0 };
	char		*many = strdup(""), *one, *next;
	X509		*x;
	int		 i;

	(void)state;
	for (i = 0; i < X509_BUNDLE_MAX + 1; i++) {
		assert_int_equal(key_make(&key), 0);
		assert_non_null(x = key_ca_next(&key, 3600, now));
		one = pem_of(x);
		next = join(many, one, "");
		free(many);
		free(one);
		X509_free(x);
		many = next;
	}
	key_clear(&key);
	bad(old, NULL, true, many, "too many");
}

static void
test_pins(void **state)
{
	uint8_t	 pins[X509_PINS_MAXBYTES], pin[X509_PIN_LEN];
	char	*all = join(old, cross, new);
	struct key_cert	*kc = calloc(1, sizeof(*kc));

	(void)state;
	/* The cross certificate is no CA of its own. */
	assert_int_equal(x509_bundle_pins((uint8_t *)all, strlen(all), pins),
	    2 * X509_PIN_LEN);
	assert_int_equal(key_cert_export(ours->kr_newcacert, kc), 0);
	assert_int_equal(x509_pin_der(kc->kc_der, kc->kc_len, pin), 0);
	assert_memory_equal(pins + X509_PIN_LEN, pin, sizeof(pin));
	assert_true(x509_pins_has(pins, 2 * X509_PIN_LEN, pin));
	assert_false(x509_pins_has(pins, X509_PIN_LEN, pin));
	assert_int_equal(x509_bundle_pins((uint8_t *)leaf, strlen(leaf),
	    pins), 0);
	free(kc);
	free(all);
}

/* Enrolment: nothing is known but the pin of the token. */
static void
test_pinned(void **state)
{
	uint8_t	 pins[X509_PINS_MAXBYTES];
	char	*all = join(old, new, cross), *out, *both;

	(void)state;
	(void)x509_bundle_pins((uint8_t *)all, strlen(all), pins);
	out = x509_bundle_pinned((uint8_t *)all, strlen(all), pins,
	    X509_TOKENPIN_LEN, now, why, sizeof(why));
	assert_non_null(out);
	both = join(old, new, "");
	assert_string_equal(out, both);
	free(out);
	free(both);
	/* The new one does not vouch for the old. */
	assert_null(x509_bundle_pinned((uint8_t *)all, strlen(all),
	    pins + X509_PIN_LEN, X509_TOKENPIN_LEN, now, why, sizeof(why)));
	assert_non_null(strstr(why, "vouches"));
	free(all);
	/* Who owns the way adds a CA of his own. */
	all = join(old, alien, "");
	assert_null(x509_bundle_pinned((uint8_t *)all, strlen(all), pins,
	    X509_TOKENPIN_LEN, now, why, sizeof(why)));
	assert_non_null(strstr(why, "vouches"));
	free(all);
	assert_null(x509_bundle_pinned((uint8_t *)alien, strlen(alien), pins,
	    X509_TOKENPIN_LEN, now, why, sizeof(why)));
	assert_non_null(strstr(why, "pin"));
}

static void
test_issued_by(void **state)
{
	struct key_cert	*a = calloc(1, sizeof(*a)), *b = calloc(1, sizeof(*b));

	(void)state;
	assert_int_equal(key_cert_export(ours->kr_cross, a), 0);
	assert_int_equal(key_cert_export(ours->kr_cacert, b), 0);
	assert_true(x509_issued_by(a->kc_der, a->kc_len, b->kc_der,
	    b->kc_len));
	assert_false(x509_issued_by(b->kc_der, b->kc_len, a->kc_der,
	    a->kc_len));
	assert_false(x509_issued_by((const uint8_t *)"\x30\x00", 2, b->kc_der,
	    b->kc_len));
	free(a);
	free(b);
}

/* A signed command of the new CA, for who trusts the old one alone. */
static void
test_command(void **state)
{
	struct x509_result	 xr;
	struct key_cert		*kc = calloc(1, sizeof(*kc));
	struct key_cert		*x = calloc(1, sizeof(*x));
	uint8_t			 hash[32], sig[ECKEY_SIG_MAXBYTES];
	uint8_t			 der[2 * KEY_CERT_MAXBYTES];
	char			 fault[KEY_WHY_SIZE];
	size_t			 len, derlen;

	(void)state;
	assert_int_equal(key_make(&ours->kr_command), 0);
	assert_int_equal(key_issue_command(ours, &ours->kr_command, 3600, now,
	    kc, fault), 0);
	assert_int_equal(key_cert_export(ours->kr_cross, x), 0);
	SHA256((const uint8_t *)"body", 4, hash);
	assert_int_equal(key_command_sign(ours, hash, sig, &len), 0);
	memcpy(der, kc->kc_der, kc->kc_len);
	memcpy(der + kc->kc_len, x->kc_der, x->kc_len);
	derlen = kc->kc_len + x->kc_len;
#define COMMAND(ca, n)							\
	x509_check_command((const uint8_t *)(ca), strlen(ca), der, (n),	\
	    (const uint8_t *)"body", 4, sig, len, now, &xr)
	assert_true(COMMAND(new, kc->kc_len));
	assert_true(COMMAND(new, derlen));
	assert_true(COMMAND(old, derlen));
	assert_false(COMMAND(old, kc->kc_len));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_FOREIGN);
	assert_false(COMMAND(alien, derlen));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_FOREIGN);
	assert_false(COMMAND(old, derlen - 1));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_BROKEN);
	assert_false(COMMAND(old, 0));
#undef COMMAND
	free(kc);
	free(x);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_honest),
		cmocka_unit_test(test_forged),
		cmocka_unit_test(test_half),
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_pins),
		cmocka_unit_test(test_pinned),
		cmocka_unit_test(test_issued_by),
		cmocka_unit_test(test_command),
	};

	x509_warmup();
	key_arena_init();
	return (cmocka_run_group_tests(tests, setup, teardown));
}
