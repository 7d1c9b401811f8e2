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

/* Rows of the history: once, in order, each host's within its own bounds. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db_history.h"

#define HOST_A	"0123456789abcdef0123456789abcdef"
#define HOST_B	"0123456789abcdef0123456789abcdf0"

static char		 dir[64];
static struct store	*st;

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/db_history_test.XXXXXX");
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

struct many {
	const char	*host;
	int		 first;
	int		 n;
	int64_t		 msec;
	int		 stored;
};

/* Rows called first, first + 1, ...; the name is the hash as well. */
static int
add_many(struct store_txn *tx, void *arg)
{
	Sentinel__Store__HistoryRow	 row;
	struct many			*m = arg;
	char				 id[21], web[16];
	int				 i, rc;

	m->stored = 0;
	for (i = m->first; i < m->first + m->n; i++) {
		(void)snprintf(id, sizeof(id), "row%017d", i);
		(void)snprintf(web, sizeof(web), "web%d", i % 2);
		sentinel__store__history_row__init(&row);
		row.id_hash.data = (uint8_t *)id;
		row.id_hash.len = DB_HISTORY_HASH;
		row.id = id;
		row.stored_msec = m->msec;
		row.container = web;
		if ((rc = db_history_add(tx, m->host, &row)) == -1)
			return (-1);
		m->stored += rc;
	}
	return (0);
}

static int
add(const char *host, int first, int n, int64_t msec)
{
	struct many	 m = { host, first, 0, msec, 0 };
	int		 stored = 0;

	for (; n > 0; n -= m.n, m.first += m.n) {
		m.n = n < 200 ? n : 200;
		assert_int_equal(store_update(st, add_many, &m), 0);
		stored += m.stored;
	}
	return (stored);
}

struct list {
	const char	*host, *container;
	uint64_t	 from;
	size_t		 limit;
	char		 text[4096];	/* first letter of the host's last */
	size_t		 n;
	int		 first, last;
	uint64_t	 order;
};

static bool
visit(const char *host, const Sentinel__Store__HistoryRow *row, void *arg)
{
	struct list	*l = arg;
	char		 item[32];

	l->last = atoi(row->id + 3);
	if (l->n++ == 0)
		l->first = l->last;
	assert_true(row->order > l->order);
	l->order = row->order;
	(void)snprintf(item, sizeof(item), "%c%d,", host[31], l->last);
	(void)strlcat(l->text, item, sizeof(l->text));
	return (true);
}

static int
walk(struct store_txn *tx, void *arg)
{
	struct list	*l = arg;

	return (db_history_walk(tx, l->host, l->container, l->from, l->limit,
	    visit, l) == -1 ? -1 : 0);
}

static struct list
list(const char *host, const char *container, uint64_t from, size_t limit)
{
	struct list	 l = { host, container, from, limit, "", 0, 0, 0, 0 };

	assert_int_equal(store_view(st, walk, &l), 0);
	return (l);
}

static void
test_once(void **state)
{
	struct list	 l;

	(void)state;
	assert_int_equal(add(HOST_A, 1, 3, 1000), 3);
	assert_int_equal(add(HOST_B, 1, 2, 1000), 2);
	assert_int_equal(add(HOST_A, 2, 3, 1000), 1);
	assert_string_equal(list(NULL, NULL, 0, 100).text,
	    "f1,f2,f3,01,02,f4,");
	assert_string_equal(list(NULL, NULL, 0, 2).text, "02,f4,");
	assert_string_equal(list(HOST_A, NULL, 0, 100).text, "f1,f2,f3,f4,");
	assert_string_equal(list(HOST_B, NULL, 0, 1).text, "02,");
	assert_string_equal(list(HOST_A, "web1", 0, 100).text, "f1,f3,");
	assert_string_equal(list(HOST_A, "web", 0, 100).text, "");
	assert_string_equal(list("local", NULL, 0, 100).text, "");
	/* Piece by piece. */
	l = list(HOST_A, NULL, 0, 2);
	assert_string_equal(l.text, "f3,f4,");
	l = list(NULL, NULL, 4, 100);
	assert_string_equal(l.text, "01,02,f4,");
	assert_string_equal(list(HOST_A, NULL, 4, 100).text, "f4,");
	assert_string_equal(list(NULL, NULL, l.order + 1, 100).text, "");
}

/* One host's flood takes nothing from another; its ids outlive its rows. */
static void
test_quota(void **state)
{
	struct list	 l;

	(void)state;
	assert_int_equal(add(HOST_A, 1000, DB_HISTORY_IDS_KEEP + 10, 1000),
	    DB_HISTORY_IDS_KEEP + 10);
	l = list(HOST_A, NULL, 0, 100000);
	assert_int_equal(l.n, DB_HISTORY_KEEP);
	assert_int_equal(l.last, 1000 + DB_HISTORY_IDS_KEEP + 9);
	assert_string_equal(list(HOST_B, NULL, 0, 100).text, "01,02,");
	l = list(NULL, NULL, 0, 100000);
	assert_int_equal(l.n, DB_HISTORY_KEEP + 2);
	/* A row that has gone is not stored again, */
	assert_int_equal(add(HOST_A, 1010, 1, 1000), 0);
	assert_int_equal(add(HOST_A, 1010 + DB_HISTORY_IDS_KEEP -
	    DB_HISTORY_KEEP, 1, 1000), 0);
	/* only one that is forgotten. */
	assert_int_equal(add(HOST_A, 1009, 1, 1000), 1);
	assert_int_equal(add(HOST_A, 1, 1, 1000), 1);
}

struct sweep {
	int64_t	 now;
	uint8_t	 at[40];
	int	 rc;
};

static int
sweep_some(struct store_txn *tx, void *arg)
{
	struct sweep	*s = arg;

	s->rc = db_history_sweep(tx, s->now, s->at);
	return (s->rc == -1 ? -1 : 0);
}

static void
sweep(int64_t now)
{
	struct sweep	 s = { now, { 0 }, 0 };
	int		 i;

	for (i = 0; i == 0 || s.rc == 1; i++) {
		assert_int_equal(store_update(st, sweep_some, &s), 0);
		assert_true(i < 1000);
	}
}

static void
test_age(void **state)
{
	const int64_t	 keep = DB_HISTORY_KEEP_SEC * (int64_t)1000;

	(void)state;
	assert_int_equal(add(HOST_B, 10, 2, 5000), 2);
	sweep(1000 + keep);
	assert_int_equal(list(HOST_A, NULL, 0, 100000).n, DB_HISTORY_KEEP);
	sweep(1001 + keep);
	assert_int_equal(list(HOST_A, NULL, 0, 100000).n, 0);
	assert_string_equal(list(NULL, NULL, 0, 100000).text, "010,011,");
	/* Their ids are known for as long again. */
	assert_int_equal(add(HOST_B, 1, 2, 5000), 0);
	sweep(1001 + 2 * keep);
	assert_int_equal(list(NULL, NULL, 0, 100000).n, 0);
	assert_int_equal(add(HOST_B, 10, 2, 9000 + keep), 0);
	assert_int_equal(add(HOST_B, 1, 2, 9000 + keep), 2);
	assert_string_equal(list(NULL, NULL, 0, 100000).text, "01,02,");
	assert_int_equal(add(HOST_A, 1, 1, 9000 + keep), 1);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_quota),
		cmocka_unit_test(test_age),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
