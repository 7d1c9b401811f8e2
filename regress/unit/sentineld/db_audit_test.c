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

#include "compat.h"

#include <endian.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db.h"

/* The chain of the audit trail: added, cut, and every way to tamper with it. */
#define N	10

static char		 dir[64];
static struct store	*st;

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/db_audit_test.XXXXXX");
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return (-1);
	return ((st = store_open(1, NULL)) == NULL ? -1 : 0);
}

static int
teardown(void **state)
{
	char	 cmd[128];

	(void)state;
	store_close(st);
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return (chdir("/") == -1 || system(cmd) != 0 ? -1 : 0);
}

static void
key_of(uint8_t key[8], uint64_t seq)
{
	uint64_t	 be = htobe64(seq);

	memcpy(key, &be, sizeof(be));
}

/* Records at times 1000, 2000, ... msec: as many more as *arg says. */
static int
add(struct store_txn *tx, void *arg)
{
	static char			 actor[] = "uid 0", ok[] = "ok",
					 action[] = "host.pause";
	static uint64_t			 at;
	Sentinel__Store__AuditRecord	 r;
	char				 text[32];
	int				*n = arg, i;

	if (*n < 0) {
		at = 0;
		return (0);
	}
	for (i = 0; i < *n; i++) {
		sentinel__store__audit_record__init(&r);
		r.time_msec = (int64_t)(++at * 1000);
		r.actor = actor;
		r.action = action;
		r.outcome = ok;
		(void)snprintf(text, sizeof(text), "text %d", i);
		r.text = text;
		if (db_audit_add(tx, &r) == -1)
			return (-1);
	}
	return (0);
}

static void
add_n(int n)
{
	int	 reset = -1;

	assert_int_equal(store_update(st, add, &reset), 0);
	assert_int_equal(store_update(st, add, &n), 0);
}

struct checking {
	struct db_audit_check	 check;
	size_t			 max;
	int			 ret;
};

static int
check(struct store_txn *tx, void *arg)
{
	struct checking	*ck = arg;

	ck->ret = db_audit_check(tx, &ck->check, ck->max);
	return (ck->ret == -1 ? -1 : 0);
}

/* The first broken record, 0: the chain is whole. */
static uint64_t
broken(uint64_t records)
{
	struct checking	 ck;
	size_t		 max;

	for (max = 1; max <= 2 * N; max += 3) {
		memset(&ck, 0, sizeof(ck));
		ck.max = max;
		do {
			assert_int_equal(store_view(st, check, &ck), 0);
		} while (ck.ret == 1);
		if (ck.check.ac_broken == 0)
			assert_int_equal(ck.check.ac_records, records);
		else
			assert_true(ck.check.ac_why[0] != '\0');
	}
	return (ck.check.ac_broken);
}

struct tamper {
	uint64_t	 seq;
	const char	*what;
};

/* As somebody would who can write the database. */
static int
tamper(struct store_txn *tx, void *arg)
{
	struct tamper	*ta = arg;
	uint8_t		 key[8], *value;
	size_t		 len;

	key_of(key, ta->seq);
	if (strcmp(ta->what, "chain") == 0)
		return (store_del(tx, STORE_META, "audit", 5) == 1 ? 0 : -1);
	if (strcmp(ta->what, "delete") == 0)
		return (store_del(tx, STORE_AUDIT, key, 8) == 1 ? 0 : -1);
	assert_int_equal(store_get(tx, STORE_AUDIT, key, 8, &value, &len), 1);
	if (strcmp(ta->what, "change") == 0)
		*(uint8_t *)memmem(value, len, "text", 4) = 'n';
	else if (strcmp(ta->what, "garbage") == 0)
		memset(value, 0xff, len);
	else
		key_of(key, (uint64_t)atoi(ta->what));
	assert_int_equal(store_put(tx, STORE_AUDIT, key, 8, value, len, 0),
	    0);
	free(value);
	return (0);
}

static void
do_tamper(uint64_t seq, const char *what)
{
	struct tamper	 ta = { seq, what };

	assert_int_equal(store_update(st, tamper, &ta), 0);
}

/* --- tests -------------------------------------------------------------- */

static void
test_whole(void **state)
{
	(void)state;
	assert_int_equal(broken(0), 0);
	add_n(1);
	assert_int_equal(broken(1), 0);
	add_n(N - 1);
	assert_int_equal(broken(N), 0);
	/* What was rolled back was never there. */
	store_close(st);
	assert_non_null(st = store_open(1, NULL));
	add_n(2);
	assert_int_equal(broken(N + 2), 0);
}

static void
test_changed(void **state)
{
	uint64_t	 i;

	(void)state;
	add_n(N);
	/* The hash of a changed one is in the next, the last one's is kept. */
	for (i = 1; i <= N; i++) {
		do_tamper(i, "change");
		assert_int_equal(broken(0), i < N ? i + 1 : N);
		(void)teardown(NULL);
		assert_int_equal(setup(NULL), 0);
		add_n(N);
	}
	do_tamper(3, "garbage");
	assert_int_equal(broken(0), 3);
	do_tamper(3, "delete");
	assert_int_equal(broken(0), 3);
	/* Nobody's place is taken by another. */
	do_tamper(4, "3");
	assert_int_equal(broken(0), 3);
}

static void
test_cut_off(void **state)
{
	(void)state;
	add_n(N);
	do_tamper(N, "delete");
	assert_int_equal(broken(0), N);
	do_tamper(1, "delete");
	assert_int_equal(broken(0), 1);
}

static void
test_appended(void **state)
{
	(void)state;
	add_n(N);
	do_tamper(N, "11");
	assert_int_equal(broken(0), N + 1);
}

/* Without its ends the trail is broken, also when it goes on. */
static void
test_no_chain(void **state)
{
	(void)state;
	add_n(N);
	do_tamper(0, "chain");
	assert_int_equal(broken(0), 1);
	add_n(1);
	assert_int_equal(broken(0), 1);
}

struct cutting {
	int64_t		 before;
	uint64_t	 keep;
	size_t		 max;
	ssize_t		 dropped;
};

static int
cut(struct store_txn *tx, void *arg)
{
	struct cutting	*cu = arg;

	cu->dropped = db_audit_cut(tx, cu->before, cu->keep, cu->max);
	return (cu->dropped == -1 ? -1 : 0);
}

static ssize_t
do_cut(int64_t before, uint64_t keep, size_t max)
{
	struct cutting	 cu = { before, keep, max, 0 };

	assert_int_equal(store_update(st, cut, &cu), 0);
	return (cu.dropped);
}

static void
test_retention(void **state)
{
	struct checking	 ck;

	(void)state;
	assert_int_equal(do_cut(1, 1, 0), 0);
	add_n(N);
	assert_int_equal(do_cut(1000, N, 0), 0);
	assert_int_equal(do_cut(3000, N, 0), 2);	/* by age */
	assert_int_equal(broken(N - 2), 0);
	assert_int_equal(do_cut(0, N - 4, 0), 2);	/* by number */
	assert_int_equal(broken(N - 4), 0);
	assert_int_equal(do_cut(0, 1, 3), 3);		/* a few at a time */
	assert_int_equal(broken(N - 7), 0);
	/* Cut further than a check has come: it begins again. */
	memset(&ck, 0, sizeof(ck));
	ck.max = 1;
	assert_int_equal(store_view(st, check, &ck), 0);
	assert_int_equal(ck.ret, 1);
	assert_int_equal(ck.check.ac_first, 8);
	add_n(1);
	assert_int_equal(do_cut(0, 2, 0), 2);
	ck.max = N;
	assert_int_equal(store_view(st, check, &ck), 0);
	assert_int_equal(ck.ret, 0);
	assert_int_equal(ck.check.ac_broken, 0);
	assert_int_equal(ck.check.ac_first, 10);
	assert_int_equal(ck.check.ac_records, 2);
	/* The newest always stays, and the numbers go on. */
	assert_int_equal(do_cut(INT64_MAX, 0, 0), 1);
	assert_int_equal(broken(1), 0);
	add_n(N);
	assert_int_equal(broken(N + 1), 0);
	/* Somebody who cuts by hand is found. */
	do_tamper(N + 1, "delete");
	assert_int_equal(broken(0), N + 1);
}

struct seen {
	char	 text[128];
	uint8_t	 hash[DB_AUDIT_HASH_LEN];
	bool	 chained;
	size_t	 limit;
	int64_t	 since;
};

static bool
visit(const Sentinel__Store__AuditRecord *r, const uint8_t *hash, void *arg)
{
	struct seen	*se = arg;
	char		 one[16];

	(void)snprintf(one, sizeof(one), "%llu ", (unsigned long long)r->seq);
	if (se->text[0] != '\0' && memcmp(se->hash, r->previous.data,
	    sizeof(se->hash)) != 0)
		se->chained = false;
	memcpy(se->hash, hash, sizeof(se->hash));
	(void)strlcat(se->text, one, sizeof(se->text));
	return (true);
}

static int
walk(struct store_txn *tx, void *arg)
{
	struct seen	*se = arg;
	int64_t		 first;

	se->chained = true;
	first = db_audit_start(tx, se->limit, se->since);
	if (first <= 0)
		return ((int)first);
	return (db_audit_walk(tx, (uint64_t)first, visit, se) == -1 ? -1 : 0);
}

static void
assert_listed(size_t limit, int64_t since, const char *want)
{
	struct seen	 se = { .limit = limit, .since = since };

	assert_int_equal(store_view(st, walk, &se), 0);
	assert_string_equal(se.text, want);
	assert_true(se.chained);
}

static void
test_list(void **state)
{
	(void)state;
	assert_listed(5, 0, "");
	add_n(5);
	assert_listed(100, 0, "1 2 3 4 5 ");
	assert_listed(2, 0, "4 5 ");
	assert_listed(100, 3000, "3 4 5 ");
	assert_listed(1, 3000, "5 ");
	assert_listed(100, 5001, "");
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		T(test_whole),
		T(test_changed),
		T(test_cut_off),
		T(test_appended),
		T(test_no_chain),
		T(test_retention),
		T(test_list),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
