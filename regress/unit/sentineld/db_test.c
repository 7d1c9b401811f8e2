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

static char		 dir[64];
static struct store	*st;

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/db_test.XXXXXX");
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return (-1);
	return ((st = store_open(DB_SCHEMA, NULL)) == NULL ? -1 : 0);
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

/* --- hosts -------------------------------------------------------------- */

static void
host_put(struct store_txn *tx, const char *id, const char *name,
    const char *state)
{
	Sentinel__Store__Host	 h;
	char			 text[3][64];

	sentinel__store__host__init(&h);
	(void)snprintf(text[0], sizeof(text[0]), "%s", id);
	(void)snprintf(text[1], sizeof(text[1]), "%s", name);
	(void)snprintf(text[2], sizeof(text[2]), "%s", state);
	h.id = text[0];
	h.name = text[1];
	h.state = text[2];
	assert_int_equal(db_host_put(tx, &h), 0);
}

static bool
host_seen(const Sentinel__Store__Host *h, void *arg)
{
	char	*seen = arg;

	(void)strlcat(seen, h->id, 64);
	return (strcmp(h->id, "h3") != 0);
}

static int
do_hosts(struct store_txn *tx, void *arg)
{
	Sentinel__Store__Host	*h, bad;
	struct pbmem		 pm;
	char			 seen[64] = "";

	(void)arg;
	host_put(tx, "h2", "beta", "active");
	host_put(tx, "h1", "alpha", "decommissioned");
	host_put(tx, "h3", "Alpha", "paused");
	host_put(tx, "h4", "gamma", "active");
	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	assert_int_equal(db_host_get(tx, "h2", &pm, &h), 1);
	assert_string_equal(h->name, "beta");
	assert_int_equal(db_host_get(tx, "h9", &pm, &h), 0);
	assert_null(h);
	assert_int_equal(db_host_walk(tx, host_seen, seen), 3);
	assert_string_equal(seen, "h1h2h3");
	assert_int_equal(db_host_del(tx, "h3"), 1);
	assert_int_equal(db_host_del(tx, "h3"), 0);

	/* what would not come back is not written */
	sentinel__store__host__init(&bad);
	bad.id = pbmem_strndup(&pm, "h5", 2);
	assert_int_equal(db_host_put(tx, &bad), -1);
	assert_int_equal(errno, EINVAL);

	/* a damaged record is an error, and no reason to stop a walk */
	assert_int_equal(store_put(tx, STORE_HOSTS, "h0", 2, "\xff\xff", 2,
	    0), 0);
	assert_int_equal(db_host_get(tx, "h0", &pm, &h), -1);
	assert_int_equal(errno, EBADMSG);
	seen[0] = '\0';
	assert_int_equal(db_host_walk(tx, host_seen, seen), 3);
	assert_string_equal(seen, "h1h2h4");
	pbmem_free(&pm);
	return (0);
}

static void
test_hosts(void **state)
{
	(void)state;
	assert_int_equal(store_update(st, do_hosts, NULL), 0);
}

/* --- tokens ------------------------------------------------------------- */

static bool
token_seen(const Sentinel__Store__Token *t, void *arg)
{
	(void)strlcat(arg, t->id, 64);
	return (true);
}

static int
do_tokens(struct store_txn *tx, void *arg)
{
	Sentinel__Store__Token	 t, *got;
	struct pbmem		 pm;
	uint8_t			 mac[32] = { 1, 2, 3 };
	char			 id[9] = "00000001", seen[64] = "";
	int64_t			 now = 1800000000;
	int			 i;

	(void)arg;
	sentinel__store__token__init(&t);
	t.id = id;
	t.mac.data = mac;
	t.mac.len = sizeof(mac);
	t.uses = 1;
	t.expires_at = now - DB_TOKEN_KEEP_SEC - 1;
	assert_int_equal(db_token_new(tx, &t), 0);
	assert_int_equal(db_token_new(tx, &t), -1);
	assert_int_equal(errno, EEXIST);
	t.used = 1;
	assert_int_equal(db_token_put(tx, &t), 0);
	t.used = 0;
	id[7] = '2';
	t.expires_at = now - DB_TOKEN_KEEP_SEC;
	assert_int_equal(db_token_new(tx, &t), 0);
	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	assert_int_equal(db_token_get(tx, "00000001", &pm, &got), 1);
	assert_int_equal(got->used, 1);
	assert_memory_equal(got->mac.data, mac, sizeof(mac));
	assert_int_equal(db_token_walk(tx, token_seen, seen), 2);
	assert_string_equal(seen, "0000000100000002");
	assert_int_equal(db_token_sweep(tx, now), 1);
	assert_int_equal(db_token_get(tx, "00000001", &pm, &got), 0);
	assert_int_equal(db_token_get(tx, "00000002", &pm, &got), 1);
	assert_int_equal(store_del(tx, STORE_TOKENS, "00000002", 8), 1);
	pbmem_free(&pm);
	for (i = 0; i < DB_TOKENS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "%08x", (unsigned int)i);
		assert_int_equal(db_token_new(tx, &t), 0);
	}
	memcpy(id, "ffffffff", 9);
	assert_int_equal(db_token_new(tx, &t), -1);
	assert_int_equal(errno, ENOBUFS);
	return (0);
}

static void
test_tokens(void **state)
{
	(void)state;
	assert_int_equal(store_update(st, do_tokens, NULL), 0);
}

/* --- events ------------------------------------------------------------- */

struct events {
	uint64_t	 first, last;
	size_t		 n;
};

static bool
event_seen(const Sentinel__Store__Event *ev, void *arg)
{
	struct events	*e = arg;

	if (e->n++ == 0)
		e->first = ev->id;
	else
		assert_int_equal(ev->id, e->last + 1);
	e->last = ev->id;
	return (true);
}

static void
events(struct store_txn *tx, uint64_t after, size_t limit, uint64_t first,
    uint64_t last)
{
	struct events	 e = { 0, 0, 0 };

	assert_int_equal(db_event_walk(tx, after, limit, event_seen, &e),
	    first == 0 ? 0 : last - first + 1);
	assert_int_equal(e.first, first);
	assert_int_equal(e.last, last);
}

static int
do_events(struct store_txn *tx, void *arg)
{
	Sentinel__Store__Event	 ev;
	char			 type[] = "host";
	uint64_t		 i;

	(void)arg;
	events(tx, 0, 0, 0, 0);
	for (i = 1; i <= DB_EVENTS_KEEP + 50; i++) {
		sentinel__store__event__init(&ev);
		ev.type = type;
		ev.time_msec = (int64_t)i;
		assert_int_equal(db_event_add(tx, &ev), 0);
		assert_int_equal(ev.id, i);
		if (i == 300) {
			events(tx, 0, 0, 1, 300);
			events(tx, 0, 10, 291, 300);
			events(tx, 295, 10, 296, 300);
			events(tx, 300, 10, 0, 0);
		}
	}
	events(tx, 0, 0, 51, DB_EVENTS_KEEP + 50);
	assert_int_equal(store_count(tx, STORE_EVENTS), DB_EVENTS_KEEP);
	return (0);
}

static void
test_events(void **state)
{
	(void)state;
	assert_int_equal(store_update(st, do_events, NULL), 0);
}

/* --- revoked ------------------------------------------------------------ */

static bool
revoked_seen(const char *serial, const Sentinel__Store__Revoked *r, void *arg)
{
	(void)r;
	(void)strlcat(arg, serial, 64);
	return (true);
}

static int
do_revoked(struct store_txn *tx, void *arg)
{
	Sentinel__Store__Revoked	 r;
	char				 seen[64] = "";

	(void)arg;
	sentinel__store__revoked__init(&r);
	r.not_after = 1000;
	assert_int_equal(db_revoked_put(tx, "ab12", &r), 0);
	r.not_after = 2000;
	assert_int_equal(db_revoked_put(tx, "cd34", &r), 0);
	r.not_after = 0;
	assert_int_equal(db_revoked_put(tx, "ef56", &r), 0);
	assert_int_equal(db_revoked_put(tx, "CD34", &r), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(db_revoked_put(tx, "", &r), -1);
	assert_int_equal(db_revoked_has(tx, "ab12"), 1);
	assert_int_equal(db_revoked_has(tx, "ab1"), 0);
	assert_int_equal(db_revoked_walk(tx, revoked_seen, seen), 3);
	assert_string_equal(seen, "ab12cd34ef56");
	assert_int_equal(db_revoked_sweep(tx, 1000 + DB_REVOKED_KEEP_SEC), 0);
	assert_int_equal(db_revoked_sweep(tx, 2000 + DB_REVOKED_KEEP_SEC), 1);
	assert_int_equal(db_revoked_has(tx, "ab12"), 0);
	assert_int_equal(db_revoked_has(tx, "cd34"), 1);
	/* Nobody knows until when it was good. */
	assert_int_equal(db_revoked_sweep(tx, INT64_MAX / 2), 1);
	assert_int_equal(db_revoked_has(tx, "ef56"), 1);
	return (0);
}

static void
test_revoked(void **state)
{
	(void)state;
	assert_int_equal(store_update(st, do_revoked, NULL), 0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_hosts, setup, teardown),
		cmocka_unit_test_setup_teardown(test_tokens, setup, teardown),
		cmocka_unit_test_setup_teardown(test_events, setup, teardown),
		cmocka_unit_test_setup_teardown(test_revoked, setup,
		    teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
