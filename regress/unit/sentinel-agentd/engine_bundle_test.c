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
 * A bundle of CAs on its way into the agent: what is believed, what is
 * stored, and when it is used; the parent is played here.
 */
#include "world.h"

#include <stdio.h>

#include "engine_bundle.h"
#include "hex.h"
#include "ibuf.h"
#include "imsg.h"
#include "imsg_rule.h"

static struct engine	 engine;
struct engine		*eng = &engine;

static struct world	*w, *alien;
static char		*old, *new, *cross;
static time_t		 now;

static char		 stored[16384];		/* the last CA_STORE */
static unsigned int	 stores, beats, refusals, broken;
static char		 refusal[512];

/* --- neighbours ----------------------------------------------------------- */

struct peer *
proc_peer(enum role role)
{
	static struct peer	 p;

	p.pe_role = role;
	return (&p);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *b)
{
	const struct imsg_rule	*ir = imsg_rule_find(type);
	struct ibuf		 copy;
	const uint8_t		*pem;
	size_t			 len;

	(void)id;
	(void)fd;
	assert_int_equal(type, IMSG_CA_STORE);
	assert_int_equal(p->pe_role, ROLE_A_PARENT);
	assert_true(ibuf_size(b) >= ir->ir_min && ibuf_size(b) <= ir->ir_max);
	ibuf_from_buffer(&copy, __DECONST(void *, ibuf_data(b)),
	    ibuf_size(b));
	assert_int_equal(ibuf_get_bytes(&copy, sizeof(stored), &pem, &len),
	    0);
	memcpy(stored, pem, len);
	stored[len] = '\0';
	stores++;
	return (0);
}

void
peer_broken(struct peer *p, const struct imsg *imsg, const char *why)
{
	(void)p;
	(void)imsg;
	(void)why;
	broken++;
}

void
session_heartbeat(void)
{
	beats++;
}

void
engine_tell_refusal(const char *id, const char *why)
{
	(void)id;
	refusals++;
	(void)strlcpy(refusal, why, sizeof(refusal));
}

void
event_add_line(const char *type, const char *container, const char *fmt, ...)
{
	(void)type;
	(void)container;
	(void)fmt;
}

/* --- helpers -------------------------------------------------------------- */

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

static void
trust(const char *a, const char *b)
{
	free(eng->id.id_ca);
	assert_int_not_equal(asprintf((char **)&eng->id.id_ca, "%s%s", a, b),
	    -1);
	eng->id.id_calen = strlen((char *)eng->id.id_ca);
}

static int
setup(void **state)
{
	struct keyring	*kr;

	(void)state;
	now = time(NULL);
	w = world_new(now);
	alien = world_new(now);
	kr = &w->w_ring;
	assert_int_equal(key_make(&kr->kr_newca), 0);
	assert_non_null(kr->kr_newcacert = key_ca_next(&kr->kr_newca,
	    100 * WORLD_DAY, now));
	assert_non_null(kr->kr_cross = key_ca_cross(kr, now));
	old = pem_of(kr->kr_cacert);
	new = pem_of(kr->kr_newcacert);
	cross = pem_of(kr->kr_cross);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	world_free(w);
	world_free(alien);
	free(old);
	free(new);
	free(cross);
	free(eng->id.id_ca);
	return (0);
}

static int
fresh(void **state)
{
	(void)state;
	trust(old, "");
	eng->id.id_cert = (uint8_t *)w->w_agentpem;
	eng->id.id_certlen = strlen(w->w_agentpem);
	bundle_forget();
	stores = beats = refusals = broken = 0;
	return (0);
}

static void
receive(bool proven, const char *a, const char *b, const char *c)
{
	Sentinel__Cluster__CertRenewalResponse	 r;
	char					*pem;

	assert_int_not_equal(asprintf(&pem, "%s%s%s", a, b, c), -1);
	sentinel__cluster__cert_renewal_response__init(&r);
	r.ca_cert.data = (uint8_t *)pem;
	r.ca_cert.len = strlen(pem);
	bundle_receive(&r, proven);
	free(pem);
}

static void
answer(uint8_t rc)
{
	struct imsg	 imsg = { 0 };
	struct peer	 p = { 0 };

	assert_non_null(imsg.buf = ibuf_open(64));
	assert_int_equal(ibuf_add_n8(imsg.buf, rc), 0);
	assert_int_equal(ibuf_add_string(imsg.buf, rc == 0 ? "" : "full"), 0);
	bundle_stored(&p, &imsg);
	ibuf_free(imsg.buf);
}

static bool
trusts(const char *a, const char *b)
{
	char	*want;
	bool	 same;

	assert_int_not_equal(asprintf(&want, "%s%s", a, b), -1);
	same = strlen(want) == eng->id.id_calen &&
	    memcmp(want, eng->id.id_ca, eng->id.id_calen) == 0;
	free(want);
	return (same);
}

/* --- tests ---------------------------------------------------------------- */

static void
test_prepare(void **state)
{
	uint8_t	 pins[X509_PINS_MAXBYTES];

	(void)state;
	assert_int_equal(bundle_pins(pins), X509_PIN_LEN);
	receive(false, old, new, cross);
	assert_int_equal(stores, 1);
	/* Not before it is on disk. */
	assert_true(trusts(old, ""));
	assert_int_equal(beats, 0);
	answer(0);
	assert_true(trusts(old, new));
	assert_string_equal(stored, (char *)eng->id.id_ca);
	assert_int_equal(beats, 1);
	assert_int_equal(bundle_pins(pins), 2 * X509_PIN_LEN);
	/* The same again: the server has missed the answer. */
	receive(true, new, old, "");
	answer(0);
	receive(true, new, old, cross);
	assert_int_equal(stores, 2);
	assert_int_equal(beats, 3);
	assert_int_equal(refusals, 0);
}

static void
test_not_believed(void **state)
{
	(void)state;
	receive(false, old, alien->w_capem, "");
	assert_non_null(strstr(refusal, "vouches"));
	(void)fresh(NULL);
	receive(false, alien->w_capem, "", "");
	assert_int_equal(stores, 0);
	(void)fresh(NULL);
	/* Half of what it should be. */
	receive(true, new, "", "");
	assert_non_null(strstr(refusal, "our own certificate"));
	receive(true, alien->w_capem, "", "");
	receive(true, "junk", "", "");
	receive(true, old, "-----BEGIN CERTIFICATE-----\n", "");
	assert_int_equal(refusals, 4);
	assert_int_equal(stores, 0);
	assert_true(trusts(old, ""));
}

/* Who cannot sign may not keep us busy. */
static void
test_pace(void **state)
{
	(void)state;
	receive(false, old, alien->w_capem, "");
	receive(false, old, new, cross);
	assert_non_null(strstr(refusal, "too often"));
	assert_int_equal(stores, 0);
	receive(true, old, new, "");
	assert_int_equal(stores, 1);
	/* One at a time. */
	receive(true, old, "", "");
	assert_int_equal(stores, 1);
	answer(0);
	assert_true(trusts(old, new));
}

static void
test_not_stored(void **state)
{
	(void)state;
	receive(true, old, new, "");
	answer(1);
	assert_true(trusts(old, ""));
	assert_int_equal(beats, 0);
	receive(true, old, new, "");
	/* The host enrols elsewhere before the parent answers. */
	bundle_forget();
	trust(alien->w_capem, "");
	answer(0);
	assert_true(trusts(alien->w_capem, ""));
	assert_int_equal(broken, 0);
	answer(0);
	assert_int_equal(broken, 1);
}

static void
test_enroll(void **state)
{
	Sentinel__Cluster__EnrollResponse	 r;
	uint8_t					 pins[X509_PINS_MAXBYTES];
	char					 token[65], pin[65], why[256];
	char					*all, *out;

	(void)state;
	assert_int_not_equal(asprintf(&all, "%s%s%s", old, new, cross), -1);
	(void)x509_bundle_pins((uint8_t *)all, strlen(all), pins);
	memset(token, '0', 32);
	assert_int_equal(hex_encode(token + 32, 33, pins, 16), 0);
	assert_int_equal(hex_encode(pin, sizeof(pin), pins + X509_PIN_LEN,
	    32), 0);
	sentinel__cluster__enroll_response__init(&r);
	r.ca_cert.data = (uint8_t *)all;
	r.ca_cert.len = strlen(all);
	assert_non_null(out = bundle_enroll(token, "", &r, now, why,
	    sizeof(why)));
	trust(old, new);
	assert_string_equal(out, (char *)eng->id.id_ca);
	free(out);
	/* A CA of somebody in between. */
	free(all);
	assert_int_not_equal(asprintf(&all, "%s%s", old, alien->w_capem), -1);
	r.ca_cert.data = (uint8_t *)all;
	r.ca_cert.len = strlen(all);
	assert_null(bundle_enroll(token, "", &r, now, why, sizeof(why)));
	assert_non_null(strstr(why, "vouches"));
	/* No pin says anything: all of it is taken on trust. */
	memset(token, '0', 64);
	assert_non_null(out = bundle_enroll(token, "", &r, now, why,
	    sizeof(why)));
	assert_string_equal(out, all);
	free(out);
	free(all);
	/* ca_pin says it when the token does not. */
	r.ca_cert.data = (uint8_t *)new;
	r.ca_cert.len = strlen(new);
	assert_non_null(out = bundle_enroll(token, pin, &r, now, why,
	    sizeof(why)));
	assert_string_equal(out, new);
	free(out);
	r.ca_cert.data = (uint8_t *)old;
	r.ca_cert.len = strlen(old);
	assert_null(bundle_enroll(token, pin, &r, now, why, sizeof(why)));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(test_prepare, fresh),
		cmocka_unit_test_setup(test_not_believed, fresh),
		cmocka_unit_test_setup(test_pace, fresh),
		cmocka_unit_test_setup(test_not_stored, fresh),
		cmocka_unit_test_setup(test_enroll, fresh),
	};

	x509_warmup();
	key_arena_init();
	return (cmocka_run_group_tests(tests, setup, teardown));
}
