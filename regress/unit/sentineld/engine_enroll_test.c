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

#include "enroll_rig.h"

/* Enrolment: every way a token and a key can meet. */

/* --- helpers ------------------------------------------------------------ */

static void
make_expired(Sentinel__Store__Token *t)
{
	t->expires_at = time(NULL) - 1;
}

static void
make_old(Sentinel__Store__Token *t)
{
	t->enrolled[0]->consumed_at -= 86400;
}

static void
check_unused(Sentinel__Store__Token *t)
{
	assert_int_equal(t->used, 0);
	assert_int_equal(t->n_enrolled, 0);
}

static void
check_used_once(Sentinel__Store__Token *t)
{
	assert_int_equal(t->used, 1);
	assert_int_equal(t->n_enrolled, 1);
}

/* --- tests -------------------------------------------------------------- */

static void
test_ok(void **state)
{
	struct answer	 a;
	struct host	*h;
	char		 id[HOST_ID_SIZE];

	(void)state;
	a = enroll(make_token(""), "worker", key_a, "192.0.2.1");
	assert_int_equal(a.status, GRPC_OK);
	assert_true(hex_is_valid(a.id, 32));
	h = host_find(a.id);
	assert_non_null(h);
	assert_string_equal(h->h_name, "worker");
	assert_memory_equal(h->h_point, key_a, sizeof(key_a));
	edit(token_text, check_used_once);
	/* It is all there after a crash. */
	(void)strlcpy(id, a.id, sizeof(id));
	rig_crash();
	rig_start();
	h = host_find(id);
	assert_non_null(h);
	assert_string_equal(h->h_name, "worker");
	assert_memory_equal(h->h_token, token_text, 8);
}

static void
test_texts(void **state)
{
	char	 bad[65];

	(void)state;
	eng->conf.ec_enroll_failures = 100;
	make_token("");
	assert_refused(enroll("", "w", key_a, "192.0.2.2"), 3,
	    "token is required");
	assert_refused(enroll("abc", "w", key_a, "192.0.2.2"), 3,
	    "token too short");
	(void)strlcpy(bad, token_text, sizeof(bad));
	bad[63] = '\0';
	assert_refused(enroll(bad, "w", key_a, "192.0.2.2"), 3,
	    "token too short");
	memset(bad, 'g', 64);
	bad[64] = '\0';
	assert_refused(enroll(bad, "w", key_a, "192.0.2.2"), 7,
	    "invalid enrollment token");
	memset(bad, '0', 64);
	assert_refused(enroll(bad, "w", key_a, "192.0.2.2"), 7,
	    "invalid enrollment token");
	/* None of these asked the keyholder; this one does, id is right. */
	(void)strlcpy(bad, token_text, sizeof(bad));
	bad[20] = bad[20] == '0' ? '1' : '0';
	assert_refused(enroll(bad, "w", key_a, "192.0.2.2"), 7,
	    "invalid enrollment token");
	edit(token_text, check_unused);
	edit(token_text, make_expired);
	assert_refused(enroll(token_text, "w", key_a, "192.0.2.2"), 7,
	    "token expired");
	edit(token_text, check_unused);
	/* Two characters too many. */
	assert_refused(enroll("00000000000000000000000000000000"
	    "0000000000000000000000000000000000", "w", key_a, "192.0.2.2"), 7,
	    "invalid enrollment token");
	make_token("");
	(void)strlcpy(bad, token_text, 9);
	assert_int_equal(token_revoke(bad, "uid 7"), 1);
	assert_int_equal(token_revoke(bad, "uid 7"), 1);
	assert_int_equal(token_revoke("00000000", "uid 7"), 0);
	assert_int_equal(token_revoke("short", "uid 7"), 0);
	assert_refused(enroll(token_text, "w", key_a, "192.0.2.2"), 7,
	    "token has been revoked");
	assert_int_equal(eng->nhosts, 0);
	assert_int_equal(rig.broken, 0);
}

static void
test_race(void **state)
{
	struct answer	 a, b;
	uint32_t	 ca, cb;
	int		 i;

	(void)state;
	eng->conf.ec_enroll_failures = 1000;
	for (i = 0; i < 20; i++) {
		make_token("");
		ca = ask(token_text, "a", key_a, "192.0.2.3");
		cb = ask(token_text, "b", key_b, "192.0.2.3");
		rig_key_serve();
		a = answer_of(ca);
		b = answer_of(cb);
		assert_int_equal(a.status, GRPC_OK);
		assert_refused(b, 7, "token already used");
		edit(token_text, check_used_once);
	}
	assert_int_equal(eng->nhosts, 20);
}

static void
test_lost_answer(void **state)
{
	struct answer	 a, b;
	char		 first[X509_SERIAL_SIZE], second[X509_SERIAL_SIZE];

	(void)state;
	a = enroll(make_token(""), "w", key_a, "192.0.2.4");
	(void)strlcpy(first, host_find(a.id)->h_serial, sizeof(first));
	b = enroll(token_text, "w", key_a, "192.0.2.4");
	assert_int_equal(b.status, GRPC_OK);
	assert_string_equal(a.id, b.id);
	assert_string_equal(host_find(a.id)->h_name, "w");
	(void)strlcpy(second, host_find(a.id)->h_serial, sizeof(second));
	assert_string_not_equal(first, second);
	assert_true(is_revoked(first));
	assert_false(is_revoked(second));
	edit(token_text, check_used_once);
	assert_int_equal(eng->nhosts, 1);
	/* Another key never. */
	assert_refused(enroll(token_text, "w", key_b, "192.0.2.4"), 7,
	    "token already used");
	/* Nor this one when the host was seen, or after a day. */
	report(a.id);
	assert_refused(enroll(token_text, "w", key_a, "192.0.2.4"), 7,
	    "token already used");
	a = enroll(make_token(""), "w2", key_a, "192.0.2.5");
	edit(token_text, make_old);
	assert_refused(enroll(token_text, "w2", key_a, "192.0.2.5"), 7,
	    "token already used");
}

/* Whoever repeats it for ever fills the list of revocations. */
static void
test_repeated(void **state)
{
	int	 i, n;

	(void)state;
	eng->conf.ec_enroll_failures = 1000;
	make_token("");
	for (i = n = 0; i < 50; i++)
		n += enroll(token_text, "w", key_a, "192.0.2.6").status ==
		    GRPC_OK;
	assert_int_equal(n, 1 + HOST_ENROLL_BURST);
	assert_refused(enroll(token_text, "w", key_a, "192.0.2.6"),
	    GRPC_RESOURCE_EXHAUSTED, "too many repeated enrollments; try "
	    "again later");
}

/* The second attempt is signed after the first has come into use. */
static void
test_late_attempt(void **state)
{
	struct answer	 a;
	uint32_t	 first, second;
	char		 serial[X509_SERIAL_SIZE];

	(void)state;
	make_token("");
	first = ask(token_text, "w", key_a, "192.0.2.8");
	assert_true(rig_key_answer(IMSG_KEY_MACCHECK));
	second = ask(token_text, "w", key_a, "192.0.2.8");
	assert_true(rig_key_answer(IMSG_KEY_MACCHECK));
	assert_int_equal(rig_count(IMSG_KEY_ISSUE), 2);
	assert_true(rig_key_answer(IMSG_KEY_ISSUE));
	a = answer_of(first);
	assert_int_equal(a.status, GRPC_OK);
	(void)strlcpy(serial, host_find(a.id)->h_serial, sizeof(serial));
	report(a.id);
	assert_true(rig_key_answer(IMSG_KEY_ISSUE));
	assert_refused(answer_of(second), 7, "token already used");
	assert_false(is_revoked(serial));
	assert_string_equal(host_find(a.id)->h_serial, serial);
}

/* Consumed, but the daemon died before the host was registered. */
static void
test_crash_between(void **state)
{
	struct answer	 a;
	char		 token[65];

	(void)state;
	(void)strlcpy(token, make_token(""), sizeof(token));
	(void)ask(token, "w", key_a, "192.0.2.9");
	assert_true(rig_key_answer(IMSG_KEY_MACCHECK));
	assert_int_equal(rig_count(IMSG_KEY_ISSUE), 1);
	rig_crash();
	rig_start();
	assert_int_equal(eng->nhosts, 0);
	assert_refused(enroll(token, "w", key_b, "192.0.2.9"), 7,
	    "token already used");
	a = enroll(token, "w", key_a, "192.0.2.9");
	assert_int_equal(a.status, GRPC_OK);
	assert_string_equal(host_find(a.id)->h_name, "w");
	edit(token, check_used_once);
}

static void
test_revoked_while_signing(void **state)
{
	uint32_t	 call;
	char		 id[9];

	(void)state;
	call = ask(make_token(""), "w", key_a, "192.0.2.10");
	assert_true(rig_key_answer(IMSG_KEY_MACCHECK));
	(void)strlcpy(id, token_text, sizeof(id));
	assert_int_equal(token_revoke(id, "uid 7"), 1);
	assert_true(rig_key_answer(IMSG_KEY_ISSUE));
	assert_refused(answer_of(call), 7, "token has been revoked");
	assert_int_equal(eng->nhosts, 0);
}

/* The keyholder refuses, or cluster is another one: nothing is lost. */
static void
test_failures(void **state)
{
	struct answer	 a;
	struct sent	*s;
	uint32_t	 call;

	(void)state;
	call = ask(make_token(""), "w", key_a, "192.0.2.11");
	assert_true(rig_key_answer(IMSG_KEY_MACCHECK));
	s = rig_take(IMSG_KEY_ISSUE, 0);
	rig_issue(s->st_id, KEY_RC_LIMITED);
	rig_issue(s->st_id, KEY_RC_OK);		/* late: dropped */
	rig_free(s);
	assert_int_equal(answer_of(call).status, GRPC_RESOURCE_EXHAUSTED);
	assert_int_equal(eng->nhosts, 0);
	/* Cluster was started again: its predecessor's call has no answer. */
	call = ask(token_text, "w", key_a, "192.0.2.11");
	rig.peer[ROLE_CLUSTER].pe_channel += 100;
	rig_key_serve();
	assert_false(answer_of(call).there);
	/* The same token with the same key still works. */
	a = enroll(token_text, "w", key_a, "192.0.2.11");
	assert_int_equal(a.status, GRPC_OK);
	edit(token_text, check_used_once);
	/* A sibling that sends no message of ours. */
	rig_give(ROLE_CLUSTER, IMSG_ENROLL_ASK, ++last_call, "\xff\xff", 2);
	assert_int_equal(rig.broken, 1);
}

static void
test_names(void **state)
{
	struct answer	 a, b;

	(void)state;
	assert_refused(enroll(make_token("web-1"), "web-2", key_a,
	    "192.0.2.12"), 7, "token is for another host name");
	edit(token_text, check_unused);
	a = enroll(token_text, "WEB-1", key_a, "192.0.2.12");
	assert_string_equal(host_find(a.id)->h_name, "WEB-1");
	/* Without a name of its own it gets the token's. */
	b = enroll(make_token("db"), "", key_a, "192.0.2.12");
	assert_string_equal(host_find(b.id)->h_name, "db");
	b = enroll(make_token(""), "web-1", key_b, "192.0.2.12");
	assert_string_equal(host_find(b.id)->h_name, "web-1-2");
	assert_string_equal(host_find(b.id)->h_raw_name, "web-1");
	b = enroll(make_token(""), "", key_b, "192.0.2.12");
	assert_string_equal(host_find(b.id)->h_name, "192.0.2.12");
	/* This machine's name is not for others. */
	b = enroll(make_token(""), "Local", key_b, "192.0.2.12");
	assert_string_equal(host_find(b.id)->h_name, "Local-2");
}

static void
test_rate(void **state)
{
	char	 text[64];
	int	 i;

	(void)state;
	make_token("");
	for (i = 0; i < 3; i++)
		assert_refused(enroll("abc", "w", key_a, "198.51.100.1"), 3,
		    "token too short");
	/* Also with a good token; nothing is consumed. */
	assert_int_equal(enroll(token_text, "w", key_a,
	    "198.51.100.1").status, GRPC_RESOURCE_EXHAUSTED);
	edit(token_text, check_unused);
	assert_int_equal(enroll(token_text, "w", key_a,
	    "198.51.100.2").status, GRPC_OK);
	/* What succeeds is not counted. */
	for (i = 0; i < 10; i++)
		assert_int_equal(enroll(make_token(""), "w", key_a,
		    "198.51.100.3").status, GRPC_OK);
	/* One /64 is one source, however its text is cut short. */
	for (i = 0; i < 3; i++) {
		(void)snprintf(text, sizeof(text), "2001:db8::%x:2:3:4",
		    i + 1);
		assert_refused(enroll("abc", "w", key_a, text), 3,
		    "token too short");
	}
	assert_int_equal(enroll("abc", "w", key_a, "2001:db8::9").status,
	    GRPC_RESOURCE_EXHAUSTED);
}

/* Refusals from many sources do not fill disk and log. */
static bool
count_event(const Sentinel__Store__Event *e, void *arg)
{
	(void)e;
	(*(size_t *)arg)++;
	return (true);
}

static int
count_events(struct store_txn *tx, void *arg)
{
	return (db_event_walk(tx, 0, 0, count_event, arg) == -1 ? -1 : 0);
}

static void
test_refusal_flood(void **state)
{
	char	 address[64];
	size_t	 n = 0;
	int	 i;

	(void)state;
	for (i = 0; i < 400; i++) {
		(void)snprintf(address, sizeof(address), "10.0.%d.%d",
		    i / 200, i % 200);
		assert_refused(enroll("abc", "w", key_a, address), 3,
		    "token too short");
	}
	assert_int_equal(store_view(eng->store, count_events, &n), 0);
	assert_true(n >= 100 && n < 150);
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, rig_up, rig_down)
	const struct CMUnitTest tests[] = {
		T(test_ok),
		T(test_texts),
		T(test_race),
		T(test_lost_answer),
		T(test_repeated),
		T(test_late_attempt),
		T(test_crash_between),
		T(test_revoked_while_signing),
		T(test_failures),
		T(test_names),
		T(test_rate),
		T(test_refusal_flood),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
