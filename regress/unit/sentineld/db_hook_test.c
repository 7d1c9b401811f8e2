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

/* Hooks that are set: one of a phase, found by host and container, bounded. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db_hook.h"

#define HOST_A	"0123456789abcdef0123456789abcdef"
#define HOST_B	"0123456789abcdef0123456789abcdf0"

static char		 dir[64], seen[256], web[64];
static struct store	*st;
static const char	*of_host, *of_container, *of_phase;
static int		 code;

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/db_hook_test.XXXXXX");
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
	Sentinel__Store__Hook	 hk;

	sentinel__store__hook__init(&hk);
	hk.host_id = (char *)(uintptr_t)of_host;
	hk.container = (char *)(uintptr_t)of_container;
	hk.phase = (char *)(uintptr_t)of_phase;
	hk.command = arg;
	if ((code = db_hook_put(tx, &hk)) == -1)
		code = -errno;
	return (code == 0 ? 0 : -1);
}

static int
put(const char *host, const char *container, const char *phase,
    const char *command)
{
	of_host = host;
	of_container = container;
	of_phase = phase;
	(void)store_update(st, do_put, (void *)(uintptr_t)command);
	return (code);
}

static bool
on_hook(const Sentinel__Store__Hook *hk, void *arg)
{
	(void)arg;
	(void)strlcat(seen, hk->container, sizeof(seen));
	(void)strlcat(seen, ":", sizeof(seen));
	(void)strlcat(seen, hk->command, sizeof(seen));
	(void)strlcat(seen, " ", sizeof(seen));
	return (true);
}

static int
do_walk(struct store_txn *tx, void *arg)
{
	(void)arg;
	seen[0] = '\0';
	return (db_hook_walk(tx, of_host, of_container, on_hook, NULL) == -1 ?
	    -1 : 0);
}

static const char *
walk(const char *host, const char *container)
{
	of_host = host;
	of_container = container;
	assert_int_equal(store_view(st, do_walk, NULL), 0);
	return (seen);
}

static int
do_del(struct store_txn *tx, void *arg)
{
	(void)arg;
	code = of_phase == NULL ? (int)db_hook_del_host(tx, of_host) :
	    db_hook_del(tx, of_host, of_container, of_phase);
	return (code == -1 ? -1 : 0);
}

static void
test_hooks(void **state)
{
	int	 i;

	(void)state;
	assert_int_equal(put(HOST_A, "web", "pre-update", "a"), 0);
	assert_int_equal(put(HOST_A, "web", "post-update", "b"), 0);
	assert_int_equal(put(HOST_A, "web2", "pre-update", "c"), 0);
	assert_int_equal(put(HOST_B, "web", "pre-update", "d"), 0);
	assert_int_equal(put(HOST_A, "web", "pre-update", "e"), 0);
	assert_string_equal(walk(HOST_A, "web"), "web:b web:e ");
	assert_string_equal(walk(HOST_A, ""), "web:b web:e web2:c ");
	assert_string_equal(walk(HOST_B, ""), "web:d ");
	assert_int_equal(put(HOST_A, "a/b", "pre-update", "x"), -EINVAL);
	assert_int_equal(put(HOST_A, "", "pre-update", "x"), -EINVAL);
	assert_int_equal(put(HOST_A, "web", "pre-update", ""), -EINVAL);
	of_container = "web";
	of_phase = "post-update";
	assert_int_equal(store_update(st, do_del, NULL), 0);
	assert_int_equal(code, 1);
	assert_int_equal(store_update(st, do_del, NULL), 0);
	assert_int_equal(code, 0);
	for (i = 0; i < DB_HOOKS_MAX - 2; i++) {
		(void)snprintf(web, sizeof(web), "many%d", i);
		assert_int_equal(put(HOST_A, web, "pre-update", "x"), 0);
	}
	assert_int_equal(put(HOST_A, "onemore", "pre-update", "x"), -ENOSPC);
	assert_int_equal(put(HOST_A, "web", "pre-update", "new"), 0);
	of_phase = NULL;
	assert_int_equal(store_update(st, do_del, NULL), 0);
	assert_int_equal(code, DB_HOOKS_MAX);
	assert_string_equal(walk(HOST_A, ""), "");
	assert_string_equal(walk(HOST_B, "web"), "web:d ");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_hooks, setup, teardown)
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
