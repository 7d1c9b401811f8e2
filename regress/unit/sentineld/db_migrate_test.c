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

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "db.h"

/* A database of schema 1 as the program of that time left it. */
static char	 dir[64];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/db_migrate_test.XXXXXX");
	return (mkdtemp(dir) == NULL || chdir(dir) == -1 ? -1 : 0);
}

static int
teardown(void **state)
{
	char	 cmd[128];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return (chdir("/") == -1 || system(cmd) != 0 ? -1 : 0);
}

static int
put_old(struct store_txn *tx, void *arg)
{
	static char		 ids[][9] = { "00000001", "00000002",
				    "00000003" };
	static char		 host[] = "0a", serial[] = "7f01",
				 name[] = "web", active[] = "active";
	static uint8_t		 mac[32] = { 1 }, point[65] = { 4 };
	Sentinel__Store__Token	 t;
	Sentinel__Store__Host	 h;
	size_t			 i;

	(void)arg;
	sentinel__store__host__init(&h);
	h.id = host;
	h.name = name;
	h.state = active;
	h.cert_not_after = 1900000000;
	assert_int_equal(db_host_put(tx, &h), 0);
	for (i = 0; i < nitems(ids); i++) {
		sentinel__store__token__init(&t);
		t.id = ids[i];
		t.mac.data = mac;
		t.mac.len = sizeof(mac);
		t.expires_at = 1800000000;
		t.uses = 1;
		if (i > 0) {		/* 0: open, 1: issued, 2: seen */
			t.used = 1;
			t.point.data = point;
			t.point.len = sizeof(point);
			t.host_id = host;
			t.serial = serial;
			t.consumed_at = 1700000000;
			t.seen = i == 2;
		}
		assert_int_equal(db_token_put(tx, &t), 0);
	}
	return (0);
}

static int
check_new(struct store_txn *tx, void *arg)
{
	Sentinel__Store__TokenUse	*u;
	Sentinel__Store__Token		*t;
	struct pbmem			 pm;
	char				 id[9] = "00000001";

	(void)arg;
	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	assert_int_equal(db_token_get(tx, id, &pm, &t), 1);
	assert_int_equal(t->n_enrolled, 0);
	assert_int_equal(t->uses, 1);
	id[7] = '2';
	assert_int_equal(db_token_get(tx, id, &pm, &t), 1);
	assert_int_equal(t->n_enrolled, 1);
	u = t->enrolled[0];
	assert_int_equal(u->point.len, 65);
	assert_string_equal(u->host_id, "0a");
	assert_string_equal(u->serial, "7f01");
	assert_int_equal(u->consumed_at, 1700000000);
	assert_int_equal(u->not_after, 1900000000);
	assert_false(u->seen);
	assert_string_equal(t->host_id, "");
	assert_int_equal(t->point.len, 0);
	assert_int_equal(t->expires_at, 1800000000);
	id[7] = '3';
	assert_int_equal(db_token_get(tx, id, &pm, &t), 1);
	assert_true(t->enrolled[0]->seen);
	assert_int_equal(t->enrolled[0]->point.len, 0);
	pbmem_free(&pm);
	return (0);
}

static void
test_schema_2(void **state)
{
	struct store	*st;

	(void)state;
	assert_non_null(st = store_open(1, NULL));
	assert_int_equal(store_update(st, put_old, NULL), 0);
	store_close(st);
	assert_non_null(st = store_open(DB_SCHEMA, db_migrate));
	assert_int_equal(store_view(st, check_new, NULL), 0);
	store_close(st);
	/* Once is enough, and there is no way back. */
	assert_non_null(st = store_open(DB_SCHEMA, db_migrate));
	assert_int_equal(store_view(st, check_new, NULL), 0);
	store_close(st);
	assert_null(store_open(1, NULL));
	assert_int_equal(errno, EPROTO);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_schema_2, setup,
		    teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
