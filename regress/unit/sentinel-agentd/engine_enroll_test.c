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

/* An answer to Enroll is kept only when every part of it fits. */
#include "world.h"

#include <stdio.h>

#include "engine.h"
#include "hex.h"

static struct world	*ours, *theirs;
static time_t		 now;
static char		 pin[65];	/* of our CA, hex */
static char		 token[65];

static int
setup(void **state)
{
	uint8_t	 raw[X509_PIN_LEN];

	(void)state;
	now = time(NULL);
	ours = world_new(now);
	theirs = world_new(now);
	if (x509_pin_der(ours->w_ca.kc_der, ours->w_ca.kc_len, raw) == -1 ||
	    hex_encode(pin, sizeof(pin), raw, sizeof(raw)) == -1)
		return (-1);
	(void)snprintf(token, sizeof(token), "%.32s%.32s",
	    "00112233445566778899aabbccddeeff", pin);
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

struct trial {
	const char	*host;		/* answer */
	const char	*ca;
	const char	*cert;
	const char	*chain;		/* presented in the handshake */
	const char	*token;
	const char	*ca_pin;
	const char	*dialled;
	const uint8_t	*point;
	bool		 tofu;
	time_t		 when;
};

static struct trial
good(void)
{
	struct trial	 t = { WORLD_HOST, ours->w_capem, ours->w_agentpem,
	    ours->w_chainpem, token, "", "server.example",
	    ours->w_agentkey.k_point, false, now };

	return (t);
}

static const char *
fault(const struct trial *t)
{
	Sentinel__Cluster__EnrollResponse	 r;
	struct enroll_check			 ec = {
		.ec_token = t->token,
		.ec_ca_pin = t->ca_pin,
		.ec_trust_first_use = t->tofu,
		.ec_host = t->dialled,
		.ec_point = t->point,
		.ec_now = t->when,
	};
	static char				 why[400];

	sentinel__cluster__enroll_response__init(&r);
	r.host_id = engine_lend(t->host);
	r.ca_cert.data = (uint8_t *)engine_lend(t->ca);
	r.ca_cert.len = strlen(t->ca);
	r.agent_cert.data = (uint8_t *)engine_lend(t->cert);
	r.agent_cert.len = strlen(t->cert);
	return (enroll_fault(&ec, &r, (const uint8_t *)t->chain,
	    strlen(t->chain), why, sizeof(why)));
}

static void
test_pinned(void **state)
{
	struct trial	 t = good();

	(void)state;
	assert_null(fault(&t));
	t.ca_pin = pin;
	assert_null(fault(&t));
	/* A whole world of somebody else, consistent in itself. */
	t = good();
	t.ca = theirs->w_capem;
	t.cert = theirs->w_agentpem;
	t.chain = theirs->w_chainpem;
	t.point = theirs->w_agentkey.k_point;
	assert_non_null(fault(&t));
	/* Our CA, but a leaf from elsewhere. */
	t = good();
	t.cert = theirs->w_agentpem;
	assert_non_null(fault(&t));
	t = good();
	t.point = theirs->w_agentkey.k_point;
	assert_non_null(fault(&t));
	t = good();
	t.host = "ffffffffffffffffffffffffffffffff";
	assert_non_null(fault(&t));
	t = good();
	t.cert = ours->w_leafpem;	/* a server's certificate */
	assert_non_null(fault(&t));
	t = good();
	t.when = now + 11 * WORLD_DAY;
	assert_non_null(fault(&t));
}

/* Whoever was believed without a proof must prove himself by the answer, also
 * when he passes on one of the right CA. */
static void
test_relay(void **state)
{
	struct trial	 t = good();

	(void)state;
	t.tofu = true;
	assert_null(fault(&t));
	t.chain = theirs->w_leafpem;
	assert_non_null(fault(&t));
	t.chain = "";
	assert_non_null(fault(&t));
}

static void
test_is_pinned(void **state)
{
	static const char			 foreign[] =
	    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	Sentinel__Cluster__EnrollResponse	 r;

	(void)state;
	sentinel__cluster__enroll_response__init(&r);
	assert_false(enroll_is_pinned(token, &r));
	r.ca_cert.data = (uint8_t *)engine_lend(ours->w_capem);
	r.ca_cert.len = strlen(ours->w_capem);
	assert_true(enroll_is_pinned(token, &r));
	assert_false(enroll_is_pinned(foreign, &r));
	r.ca_cert.data = (uint8_t *)engine_lend(theirs->w_capem);
	r.ca_cert.len = strlen(theirs->w_capem);
	assert_false(enroll_is_pinned(token, &r));
}

static void
test_host_id(void **state)
{
	static const char *const	 bad[] = { "", "x", "0123456789abcdef",
	    "0123456789abcdef0123456789abcdeF",
	    "0123456789abcdef0123456789abcdef0", "../../etc/passwd" };
	struct trial			 t = good();
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		t.host = bad[i];
		assert_non_null(fault(&t));
	}
}

/* A token without a pin: taken on trust only when told so, then wholly. */
static void
test_first_use(void **state)
{
	static const char	 foreign[] =
	    "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff";
	struct trial		 t = good();

	(void)state;
	t.token = foreign;
	t.chain = ours->w_leafpem;
	assert_non_null(fault(&t));
	t.tofu = true;
	assert_null(fault(&t));
	/* The one who answered must be of the CA that he names. */
	t.chain = theirs->w_leafpem;
	assert_non_null(fault(&t));
	t.chain = "";
	assert_non_null(fault(&t));
	t.chain = ours->w_leafpem;
	t.dialled = "elsewhere.example";
	assert_non_null(fault(&t));
	t.dialled = "server.example";
	t.ca_pin = pin;
	assert_null(fault(&t));
	t.ca_pin = foreign;
	assert_non_null(fault(&t));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_pinned),
		cmocka_unit_test(test_relay),
		cmocka_unit_test(test_is_pinned),
		cmocka_unit_test(test_host_id),
		cmocka_unit_test(test_first_use),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
