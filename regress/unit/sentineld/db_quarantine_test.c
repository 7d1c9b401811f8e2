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
 * What is in quarantine: by host and container, bounded for each host, and
 * gone with it; keys of neighbours are not mixed up.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db_quarantine.h"

#define HOST_A	"0123456789abcdef0123456789abcdef"
#define HOST_B	"0123456789abcdef0123456789abcdf0"

static char		 dir[64], seen[256];
static struct store	*st;
static const char	*of_host, *of_container;
static int64_t		 of_time;
static int		 code;

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/db_quarantine_test.XXXXXX");
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

static int
do_put(struct store_txn *tx, void *arg)
{
	Sentinel__Store__QuarantineItem	 it, *items[] = { &it };
	Sentinel__Store__Quarantine	 q;

	sentinel__store__quarantine_item__init(&it);
	it.digest = arg;
	it.time = of_time;
	sentinel__store__quarantine__init(&q);
	q.host_id = (char *)(uintptr_t)of_host;
	q.container = (char *)(uintptr_t)of_container;
	q.items = items;
	q.n_items = 1;
	if ((code = db_quarantine_put(tx, &q)) == -1)
		code = -errno;
	return (code == 0 ? 0 : -1);
}

static int
put(const char *host, const char *container, const char *digest, int64_t sec)
{
	of_host = host;
	of_container = container;
	of_time = sec;
	(void)store_update(st, do_put, (void *)(uintptr_t)digest);
	return (code);
}

static int
do_get(struct store_txn *tx, void *arg)
{
	Sentinel__Store__Quarantine	*q;
	struct pbmem			 pm;

	(void)arg;
	seen[0] = '\0';
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if ((code = db_quarantine_get(tx, of_host, of_container, &pm, &q)) ==
	    1)
		(void)strlcpy(seen, q->items[0]->digest, sizeof(seen));
	pbmem_free(&pm);
	return (0);
}

/* Its digest, or "". */
static const char *
get(const char *host, const char *container)
{
	of_host = host;
	of_container = container;
	assert_int_equal(store_view(st, do_get, NULL), 0);
	return (seen);
}

static bool
on_one(const Sentinel__Store__Quarantine *q, void *arg)
{
	(void)strlcat(seen, q->container, sizeof(seen));
	(void)strlcat(seen, " ", sizeof(seen));
	return (arg == NULL);
}

static int
do_walk(struct store_txn *tx, void *arg)
{
	seen[0] = '\0';
	code = (int)db_quarantine_walk(tx, of_host, on_one, arg);
	return (code == -1 ? -1 : 0);
}

static const char *
walk(const char *host)
{
	of_host = host;
	assert_int_equal(store_view(st, do_walk, NULL), 0);
	return (seen);
}

static int
do_del(struct store_txn *tx, void *arg)
{
	(void)arg;
	code = of_container == NULL ?
	    (int)db_quarantine_del_host(tx, of_host) :
	    db_quarantine_del(tx, of_host, of_container);
	return (code == -1 ? -1 : 0);
}

static int
del(const char *host, const char *container)
{
	of_host = host;
	of_container = container;
	assert_int_equal(store_update(st, do_del, NULL), 0);
	return (code);
}

static void
test_keys(void **state)
{
	(void)state;
	assert_string_equal(get(HOST_A, "web"), "");
	assert_int_equal(put(HOST_A, "web", "sha256:a", 1), 0);
	assert_int_equal(put(HOST_A, "web2", "sha256:b", 1), 0);
	assert_int_equal(put(HOST_B, "web", "sha256:c", 1), 0);
	assert_int_equal(put(HOST_A, "web", "sha256:d", 2), 0);
	assert_string_equal(get(HOST_A, "web"), "sha256:d");
	assert_string_equal(get(HOST_A, "we"), "");
	assert_string_equal(walk(HOST_A), "web web2 ");
	assert_string_equal(walk(HOST_B), "web ");
	assert_string_equal(walk(""), "web web2 web ");
	assert_int_equal(put(HOST_A, "a/b", "sha256:a", 1), -EINVAL);
	assert_int_equal(put("", "web", "sha256:a", 1), -EINVAL);
	assert_int_equal(put("a/b", "web", "sha256:a", 1), -EINVAL);
	assert_int_equal(put(HOST_A, "web", "", 1), -EINVAL);
	assert_int_equal(del(HOST_A, "web"), 1);
	assert_int_equal(del(HOST_A, "web"), 0);
	assert_string_equal(get(HOST_A, "web"), "");
	assert_string_equal(walk(HOST_A), "web2 ");
	assert_int_equal(del(HOST_A, NULL), 1);
	assert_string_equal(walk(""), "web ");
	assert_string_equal(get(HOST_B, "web"), "sha256:c");
}

/* The one that was changed longest ago makes room, of this host alone. */
static void
test_room(void **state)
{
	char	 name[32];
	int	 i;

	(void)state;
	assert_int_equal(put(HOST_B, "other", "sha256:a", 1), 0);
	for (i = 0; i < DB_QUARANTINE_MAX; i++) {
		(void)snprintf(name, sizeof(name), "c%d", i);
		assert_int_equal(put(HOST_A, name, "sha256:a",
		    i == 7 ? 50 : 100 + i), 0);
	}
	/* No new one: nobody has to go. */
	assert_int_equal(put(HOST_A, "c8", "sha256:b", 5000), 0);
	assert_string_equal(get(HOST_A, "c7"), "sha256:a");
	assert_int_equal(put(HOST_A, "more", "sha256:a", 6000), 0);
	assert_string_equal(get(HOST_A, "c7"), "");
	assert_string_equal(get(HOST_A, "more"), "sha256:a");
	assert_int_equal(put(HOST_A, "more2", "sha256:a", 6000), 0);
	assert_string_equal(get(HOST_A, "c0"), "");
	assert_string_equal(get(HOST_A, "c8"), "sha256:b");
	(void)walk(HOST_A);
	assert_int_equal(code, DB_QUARANTINE_MAX);
	assert_string_equal(get(HOST_B, "other"), "sha256:a");
	assert_int_equal(del(HOST_A, NULL), DB_QUARANTINE_MAX);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_keys, setup, teardown),
		cmocka_unit_test_setup_teardown(test_room, setup, teardown)
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
