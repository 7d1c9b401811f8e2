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

#include "engine_rig.h"

#include <limits.h>

#include "engine_identity.h"
#include "keyholder_int.h"

/*
 * The server's certificate at run time, step by step, with a clock of our own:
 * what is in use is good at every moment, and no key goes that somebody needs.
 */
static monotime_t	 clock_msec = 1000000;
static struct keyring	*kr;
static struct key	 key_a, key_b, key_c;
static const char	*none[1] = { NULL };
static char		 why[256];
static uint32_t		 offered;	/* number of the last offer */
static char		 serial[X509_SERIAL_SIZE];

/* --- instead of lib/monotime.c ------------------------------------------ */

monotime_t
monotime_now(void)
{
	return (clock_msec);
}

int
monotime_left(monotime_t deadline)
{
	return (deadline <= clock_msec ? 0 : deadline - clock_msec > INT_MAX ?
	    INT_MAX : (int)(deadline - clock_msec));
}

struct timeval
monotime_timeval(uint64_t msec)
{
	struct timeval	 tv = { (time_t)(msec / 1000),
			    (suseconds_t)(msec % 1000 * 1000) };

	return (tv);
}

/* --- helpers ------------------------------------------------------------ */

static void
info(uint8_t purpose, uint8_t slot, const struct key *key,
    const struct key_cert *kc)
{
	struct ibuf	*b = ibuf_dynamic(64, 4096);

	assert_true(ibuf_add_n8(b, purpose) == 0 &&
	    ibuf_add_n8(b, slot) == 0 &&
	    ibuf_add_bytes(b, key->k_point, ECKEY_POINT_LEN) == 0 &&
	    ibuf_add_bytes(b, kc->kc_der, kc->kc_len) == 0 &&
	    ibuf_add_bytes(b, kc->kc_serial, kc->kc_seriallen) == 0 &&
	    ibuf_add_n64(b, (uint64_t)kc->kc_notbefore) == 0 &&
	    ibuf_add_n64(b, (uint64_t)kc->kc_notafter) == 0);
	rig_give_ibuf(ROLE_KEYHOLDER, IMSG_KEY_INFO, 0, b);
}

/* The keyholder has made a server certificate over this key. */
static void
made(uint8_t slot, struct key *key, int64_t life)
{
	struct key_name	 name = { KEY_NAME_DNS, 1, { 'x' } };
	struct key_cert	*kc = xcalloc(1, sizeof(*kc));
	char		 text[KEY_WHY_SIZE];

	assert_int_equal(key_issue_server(kr, key, life, &name, 1, time(NULL),
	    kc, text), 0);
	assert_int_equal(x509_serial_text(kc->kc_serial, kc->kc_seriallen,
	    serial), 0);
	info(KEY_PURPOSE_SERVER_TLS, slot, key, kc);
	free(kc);
}

/* cluster was offered a certificate over this key, once. */
static void
assert_offer(const struct key *key)
{
	Sentinel__Ipc__ServerIdentity	*si;
	struct x509_facts		 xf;
	struct pbmem			 pm;
	struct sent			*s = rig_take(IMSG_CLUSTER_IDENTITY, 0);

	si = rig_unpack(s, &sentinel__ipc__server_identity__descriptor, &pm);
	assert_memory_equal(si->point.data, key->k_point, ECKEY_POINT_LEN);
	assert_int_equal(x509_facts_pem(si->chain_pem.data, si->chain_pem.len,
	    &xf), 0);
	assert_string_equal(xf.xf_cn, X509_SERVER_CN);
	offered = s->st_id;
	pbmem_free(&pm);
	rig_free(s);
	assert_null(rig_take(IMSG_CLUSTER_IDENTITY, 0));
}

static void
taken(uint32_t number, const struct key *key)
{
	struct ibuf	*b = ibuf_dynamic(67, 67);

	assert_int_equal(ibuf_add_bytes(b, key->k_point, ECKEY_POINT_LEN), 0);
	rig_give_ibuf(ROLE_CLUSTER, IMSG_CLUSTER_IDENTITY_OK, number, b);
}

/* The id of the question that went to the parent, 0: none did. */
static uint32_t
asked(const char *names)
{
	struct sent	*s;
	struct ibuf	 b;
	uint32_t	 id;
	uint8_t		 with;
	char		 list[512] = "", one[254];

	identity_tick(time(NULL));
	if ((s = rig_take(IMSG_SERVER_RENEW, 0)) == NULL)
		return (0);
	assert_int_equal(s->st_to, ROLE_PARENT);
	ibuf_from_buffer(&b, s->st_body, s->st_len);
	assert_int_equal(ibuf_get_n8(&b, &with), 0);
	while (ibuf_size(&b) > 0) {
		assert_int_equal(ibuf_get_string(&b, one, sizeof(one)), 0);
		(void)strlcat(list, one, sizeof(list));
		(void)strlcat(list, " ", sizeof(list));
	}
	assert_int_equal(with, names[0] != '\0');
	assert_string_equal(list, names);
	id = s->st_id;
	assert_int_not_equal(id, 0);
	rig_free(s);
	return (id);
}

static void
answer(uint32_t id, uint8_t rc)
{
	struct ibuf	*b = ibuf_dynamic(16, 300);

	assert_true(ibuf_add_n8(b, rc) == 0 &&
	    ibuf_add_string(b, rc == 0 ? "" : "because") == 0);
	rig_give_ibuf(ROLE_PARENT, IMSG_SERVER_RENEWED, id, b);
}

static void
tick(int64_t msec)
{
	clock_msec += msec;
	identity_tick(time(NULL));
}

static const char *
in_use(void)
{
	return (identity_cert(KEY_PURPOSE_SERVER_TLS)->ic_serial);
}

/* The key that stays; none was dropped: NULL. */
static bool
dropped_all_but(const struct key *key)
{
	struct sent	*s = rig_take(IMSG_KEY_DROP, 0);
	bool		 same;

	if (s == NULL)
		return (false);
	same = memcmp(s->st_body + 3, key->k_point, ECKEY_POINT_LEN) == 0;
	rig_free(s);
	assert_true(same);
	return (true);
}

/* The daemon as it is after its start, with key A for an hour. */
static void
start(void)
{
	struct key_cert	*kc = xcalloc(1, sizeof(*kc));

	assert_int_equal(key_cert_export(kr->kr_cacert, kc), 0);
	info(KEY_PURPOSE_CA, 0, &kr->kr_ca, kc);
	free(kc);
	made(0, &key_a, 3600);
	assert_offer(&key_a);
	taken(offered, &key_a);
	assert_string_equal(in_use(), serial);
	eng->conf.ec_cluster = 1;
	identity_start();
	tick(0);
}

static int
up(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	free(eng->ca_pem);
	free(eng->command_der);
	eng->ca_pem = NULL;
	eng->command_der = NULL;
	kr = xcalloc(1, sizeof(*kr));
	keyring_init(kr);
	if (key_make(&kr->kr_ca) == -1 || key_make(&key_a) == -1 ||
	    key_make(&key_b) == -1 || key_make(&key_c) == -1)
		return (-1);
	kr->kr_cacert = key_ca_selfsign(&kr->kr_ca, 86400, time(NULL));
	start();
	/* What a test before left behind. */
	assert_int_equal(identity_set_advertise(none, 0, why, sizeof(why)),
	    0);
	tick(3600000);
	rig_forget();
	return (0);
}

static int
down(void **state)
{
	key_clear(&key_a);
	key_clear(&key_b);
	key_clear(&key_c);
	keyring_clear(kr);
	free(kr);
	free(eng->server_der);
	return (rig_down(state));
}

/* A whole renewal. */
static void
renewed(uint8_t slot, struct key *key, const char *names)
{
	uint32_t	 id = asked(names);

	assert_int_not_equal(id, 0);
	made(slot, key, 3600);
	answer(id, 0);
	assert_offer(key);
	taken(offered, key);
	assert_string_equal(in_use(), serial);
}

/* --- tests -------------------------------------------------------------- */

static void
test_due(void **state)
{
	const struct identity_cert	*ic;
	int64_t				 now = time(NULL);

	(void)state;
	ic = identity_cert(KEY_PURPOSE_SERVER_TLS);
	/* Two thirds of an hour, and up to a 16th earlier. */
	assert_in_range(ic->ic_renew_at, now + 2400 - 260, now + 2401);
	identity_tick(ic->ic_renew_at - 1);
	assert_int_equal(asked(""), 0);
	identity_tick(ic->ic_renew_at);
	renewed(1, &key_b, "");
	/* Handshakes with the old key may be under way. */
	assert_false(dropped_all_but(&key_b));
	tick(IDENTITY_DROP_MSEC - 1);
	assert_false(dropped_all_but(&key_b));
	tick(1);
	assert_true(dropped_all_but(&key_b));
	tick(3600);
	assert_false(dropped_all_but(&key_b));
	/* The clock was wrong when it was made. */
	assert_int_equal(asked(""), 0);
	identity_tick(now - 86400);
	assert_int_not_equal(asked(""), 0);
}

/* The parent's answer before the keyholder's. */
static void
test_order(void **state)
{
	uint32_t	 id;

	(void)state;
	identity_renew("test");
	id = asked("");
	answer(id, 0);
	/* Twice; late. */
	answer(id, 0);
	answer(id + 7, 1);
	made(1, &key_b, 3600);
	assert_offer(&key_b);
	taken(offered - 1, &key_b);
	taken(offered, &key_a);
	assert_string_not_equal(in_use(), serial);
	taken(offered, &key_b);
	assert_string_equal(in_use(), serial);
	taken(offered, &key_b);
	tick(60000);
	assert_true(dropped_all_but(&key_b));
	assert_int_equal(rig.broken, 0);
	assert_int_equal(asked(""), 0);
}

static void
test_refused(void **state)
{
	const char	*old = xstrdup(in_use());
	uint32_t	 id;
	int		 i;

	(void)state;
	identity_renew("test");
	for (i = 0; i < 20; i++) {
		id = asked("");
		assert_int_not_equal(id, 0);
		answer(id, 1);
		assert_string_equal(in_use(), old);
		tick(i == 0 ? 400 : IDENTITY_RETRY_MSEC / 4);
		assert_int_equal(asked(""), 0);
		tick(IDENTITY_RETRY_MAX_MSEC);
	}
	/* What an operator wants does not wait for the back-off. */
	answer(asked(""), 1);
	identity_renew("again");
	renewed(1, &key_b, "");
	free((void *)(uintptr_t)old);
}

/* No certificate from the keyholder; none taken by cluster. */
static void
test_silence(void **state)
{
	uint32_t	 id;
	char		 old[X509_SERIAL_SIZE];

	(void)state;
	(void)strlcpy(old, in_use(), sizeof(old));
	identity_renew("test");
	id = asked("");
	answer(id, 0);
	tick(IDENTITY_PARENT_MSEC + IDENTITY_CLUSTER_MSEC);
	assert_int_equal(asked(""), 0);
	tick(IDENTITY_RETRY_MSEC);
	id = asked("");
	made(1, &key_b, 3600);
	answer(id, 0);
	assert_offer(&key_b);
	tick(IDENTITY_CLUSTER_MSEC);
	assert_string_equal(in_use(), old);
	tick(IDENTITY_RETRY_MAX_MSEC);
	/* The keyholder gives the key that waits a new leaf. */
	id = asked("");
	made(1, &key_b, 3600);
	answer(id, 0);
	assert_offer(&key_b);
	taken(offered - 1, &key_b);
	assert_string_equal(in_use(), old);
	/* Too late is better than never. */
	tick(IDENTITY_CLUSTER_MSEC);
	taken(offered, &key_b);
	assert_string_equal(in_use(), serial);
	tick(IDENTITY_DROP_MSEC);
	assert_true(dropped_all_but(&key_b));
	tick(IDENTITY_RETRY_MAX_MSEC);
	assert_int_equal(asked(""), 0);
}

/* The next one before the old key has gone: that goes first. */
static void
test_soon_again(void **state)
{
	(void)state;
	identity_renew("one");
	renewed(1, &key_b, "");
	assert_false(dropped_all_but(&key_b));
	identity_renew("two");
	tick(0);
	assert_true(dropped_all_but(&key_b));
	renewed(1, &key_c, "");
	tick(IDENTITY_DROP_MSEC);
	assert_true(dropped_all_but(&key_c));
	/* Wanted while one is under way: once more after it. */
	identity_renew("three");
	tick(0);
	identity_renew("four");
	identity_renew("five");
	renewed(1, &key_a, "");
	tick(1000);
	renewed(1, &key_b, "");
	tick(1000);
	assert_int_equal(asked(""), 0);
}

static void
test_names(void **state)
{
	const char	*list[] = { "a.example", "192.0.2.1" };
	const char	*bad[] = { "a.example", "*.example" };
	const char	*many[IDENTITY_NAMES_MAX + 1];
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(many); i++)
		many[i] = "a.example";
	assert_int_equal(identity_set_advertise(bad, 2, why, sizeof(why)),
	    -1);
	assert_non_null(strstr(why, "*.example"));
	assert_int_equal(identity_set_advertise(many, nitems(many), why,
	    sizeof(why)), -1);
	assert_int_equal(rig_count(IMSG_SERVER_RENEW), 0);
	assert_int_equal(identity_set_advertise(list, 2, why, sizeof(why)),
	    0);
	renewed(1, &key_b, "a.example 192.0.2.1 ");
	assert_int_equal(identity_set_advertise(list, 2, why, sizeof(why)),
	    0);
	tick(1000);
	assert_int_equal(rig_count(IMSG_SERVER_RENEW), 0);
	/* The parent does not take them: without them, then. */
	assert_int_equal(identity_set_advertise(list, 1, why, sizeof(why)),
	    0);
	answer(asked("a.example "), 2);
	tick(IDENTITY_RETRY_MSEC);
	renewed(1, &key_c, "");
}

static void
test_configuration(void **state)
{
	(void)state;
	identity_start();
	assert_int_equal(asked(""), 0);
	/* Other names and another life: two reasons, one certificate. */
	eng->conf.ec_identity_sum++;
	identity_renew("test");
	identity_start();
	renewed(1, &key_b, "");
	identity_start();
	tick(1000);
	assert_int_equal(asked(""), 0);
}

static void
test_cluster_again(void **state)
{
	(void)state;
	identity_cluster_up();
	assert_offer(&key_a);
	taken(offered, &key_a);
	tick(IDENTITY_DROP_MSEC);
	assert_false(dropped_all_but(&key_a));
	/* It dies with an offer in hand. */
	identity_renew("test");
	(void)asked("");
	made(1, &key_b, 3600);
	assert_offer(&key_b);
	rig.gone[ROLE_CLUSTER] = true;
	tick(1000);
	rig.gone[ROLE_CLUSTER] = false;
	identity_cluster_up();
	assert_offer(&key_b);
	taken(offered, &key_b);
	assert_string_equal(in_use(), serial);
}

static void
test_command(void **state)
{
	const struct identity_cert	*ic;
	struct key_cert			*kc = xcalloc(1, sizeof(*kc));
	char				 text[KEY_WHY_SIZE];

	(void)state;
	assert_int_equal(key_issue_command(kr, &key_c, 3600, time(NULL), kc,
	    text), 0);
	info(KEY_PURPOSE_COMMAND, 0, &key_c, kc);
	assert_int_equal(eng->command_derlen, kc->kc_len);
	ic = identity_cert(KEY_PURPOSE_COMMAND);
	identity_tick(ic->ic_renew_at - 1);
	assert_int_equal(rig_count(IMSG_KEY_COMMAND_NEW), 0);
	identity_tick(ic->ic_renew_at);
	assert_int_equal(rig_count(IMSG_KEY_COMMAND_NEW), 1);
	/* Not every second, whatever the keyholder does. */
	clock_msec += 1000;
	identity_tick(ic->ic_renew_at);
	assert_int_equal(rig_count(IMSG_KEY_COMMAND_NEW), 1);
	info(KEY_PURPOSE_COMMAND, 0, &key_c, kc);
	identity_tick(ic->ic_renew_at);
	assert_int_equal(rig_count(IMSG_KEY_COMMAND_NEW), 2);
	free(kc);
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, down)
int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_due),
		T(test_order),
		T(test_refused),
		T(test_silence),
		T(test_soon_again),
		T(test_names),
		T(test_configuration),
		T(test_cluster_again),
		T(test_command),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
