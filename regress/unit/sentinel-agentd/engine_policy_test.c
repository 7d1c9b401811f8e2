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
 * policy_cache.json and the syncs that change it: what another implementation
 * writes is read, what is out of bounds changes nothing, what is hostile does
 * no harm; and the engine's keeping of it: on disk, newest first, imported.
 */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_policy.h"

/* As the existing implementation writes it. */
#define FOREIGN \
	"{\n  \"policies\": {\n    \"db\": \"pinned\",\n" \
	"    \"web\": \"auto\"\n  },\n  \"default_policy\": \"auto\",\n" \
	"  \"poll_interval\": 21600000000000,\n" \
	"  \"grace_period\": 30000000000,\n  \"image_cleanup\": true,\n" \
	"  \"hooks_enabled\": true,\n  \"dependency_aware\": false,\n" \
	"  \"rollback_policy\": \"manual\"\n}"

static struct engine	 engine_state;
struct engine		*eng = &engine_state;
static char		*disk;		/* state/policy_cache.json */
static bool		 disk_full;
static unsigned int	 writes;

int
state_write(const char *name, const void *data, size_t len)
{
	assert_string_equal(name, "policy_cache.json");
	writes++;
	if (disk_full)
		return (-1);
	free(disk);
	disk = strndup(data, len);
	return (0);
}

uint8_t *
state_read(const char *name, size_t max, size_t *len)
{
	(void)name;
	if (disk == NULL || strlen(disk) > max) {
		errno = disk == NULL ? ENOENT : EFBIG;
		return (NULL);
	}
	*len = strlen(disk);
	return ((uint8_t *)strdup(disk));
}

static int
parse(struct policy_cache *pc, const char *text, unsigned int *skipped)
{
	char	 why[256] = "";
	int	 rc;

	rc = policy_cache_parse(pc, text, strlen(text), skipped, why,
	    sizeof(why));
	assert_int_equal(rc == -1, why[0] != '\0');
	return (rc);
}

static void
test_foreign(void **state)
{
	struct policy_cache	 pc, again;
	unsigned int		 skipped;
	size_t			 len;
	char			*text;

	(void)state;
	assert_int_equal(parse(&pc, FOREIGN, &skipped), 0);
	assert_int_equal(skipped, 0);
	assert_int_equal(pc.pc_nentries, 2);
	assert_int_equal(policy_cache_find(&pc, "db"), POLICY_PINNED);
	assert_int_equal(policy_cache_find(&pc, "web"), POLICY_AUTO);
	assert_int_equal(policy_cache_find(&pc, "we"), POLICY_NONE);
	assert_int_equal(pc.pc_default, POLICY_AUTO);
	assert_int_equal(pc.pc_poll_msec, 6 * 3600 * 1000);
	assert_int_equal(pc.pc_grace_msec, 30000);
	assert_true(pc.pc_image_cleanup && pc.pc_hooks_enabled);
	assert_false(pc.pc_dependency_aware || pc.pc_has_offline);
	assert_int_equal(pc.pc_rollback, POLICY_MANUAL);
	pc.pc_has_offline = pc.pc_host_default = pc.pc_latest_auto = true;
	pc.pc_offline_msec = 1500;
	pc.pc_policies_at = 1790000000;
	assert_non_null(text = policy_cache_print(&pc, &len));
	assert_int_equal(parse(&again, text, &skipped), 0);
	assert_true(again.pc_has_offline && again.pc_host_default &&
	    again.pc_latest_auto);
	assert_int_equal(again.pc_offline_msec, 1500);
	assert_int_equal(again.pc_policies_at, 1790000000);
	assert_int_equal(again.pc_nentries, 2);
	assert_int_equal(again.pc_rollback, POLICY_MANUAL);
	free(text);
	policy_cache_clear(&pc);
	policy_cache_clear(&again);
}

static void
test_odd(void **state)
{
	struct policy_cache	 pc;
	unsigned int		 skipped;

	(void)state;
	assert_int_equal(parse(&pc, "{}", &skipped), 0);
	assert_int_equal(pc.pc_default, POLICY_NONE);
	assert_int_equal(pc.pc_poll_msec, 6 * 3600 * 1000);
	assert_true(pc.pc_image_cleanup);
	policy_cache_clear(&pc);
	assert_int_equal(parse(&pc, "{\"policies\":null,\"default_policy\":"
	    "\"\",\"poll_interval\":0,\"more\":[1,{}]}", &skipped), 0);
	assert_int_equal(pc.pc_poll_msec, 6 * 3600 * 1000);
	policy_cache_clear(&pc);
	/* Of a name that comes twice the last one counts. */
	assert_int_equal(parse(&pc, "{\"policies\":{\"a\":\"auto\",\"b\":"
	    "\"always\",\"\":\"auto\",\"a\":\"pinned\",\"c\\u0000d\":"
	    "\"auto\"}}", &skipped), 0);
	assert_int_equal(skipped, 3);
	assert_int_equal(pc.pc_nentries, 1);
	assert_int_equal(policy_cache_find(&pc, "a"), POLICY_PINNED);
	policy_cache_clear(&pc);
}

static void
test_broken(void **state)
{
	static const char *const bad[] = {
		"", "[]", "null", "{", "{} x", "{\"policies\":[]}",
		"{\"policies\":{\"a\":1}}", "{\"default_policy\":\"all\"}",
		"{\"default_policy\":1}", "{\"poll_interval\":-1}",
		"{\"poll_interval\":\"6h\"}", "{\"poll_interval\":1.5}",
		"{\"poll_interval\":99999999999999999999}",
		"{\"grace_period\":2592000001000000}",
		"{\"hooks_enabled\":1}", "{\"rollback_policy\":\"x\"}",
		"{\"policies_at\":-1}", "{\"settings_at\":1e99}",
		"\xff\xfe", "{\"policies\":{\"\xff\":\"auto\"}}",
	};
	struct policy_cache	 pc;
	unsigned int		 skipped;
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		if (parse(&pc, bad[i], &skipped) != -1)
			fail_msg("\"%s\" is taken", bad[i]);
		assert_int_equal(pc.pc_nentries, 0);
		assert_int_equal(pc.pc_poll_msec, 6 * 3600 * 1000);
	}
}

static void
test_too_many(void **state)
{
	struct policy_cache	 pc;
	unsigned int		 skipped;
	char			*text;
	size_t			 i, n, size = (POLICY_CACHE_MAX + 1) * 24 + 64;

	(void)state;
	text = malloc(size);
	for (n = POLICY_CACHE_MAX; n <= POLICY_CACHE_MAX + 1; n++) {
		(void)strlcpy(text, "{\"policies\":{", size);
		for (i = 0; i < n; i++)
			(void)snprintf(text + strlen(text), 32,
			    "%s\"c%zu\":\"auto\"", i > 0 ? "," : "", i);
		(void)strlcat(text, "}}", size);
		assert_int_equal(parse(&pc, text, &skipped),
		    n > POLICY_CACHE_MAX ? -1 : 0);
		policy_cache_clear(&pc);
	}
	free(text);
}

/* --- syncs --------------------------------------------------------------- */

struct sync {
	Sentinel__Cluster__PolicySync			 m;
	Sentinel__Cluster__PolicySync__PoliciesEntry	 e[4];
	Sentinel__Cluster__PolicySync__PoliciesEntry	*list[4];
};

static Sentinel__Cluster__PolicySync *
sync_make(struct sync *y, uint64_t revision, const char *dflt,
    const char *name, const char *word)
{
	sentinel__cluster__policy_sync__init(&y->m);
	y->m.revision = revision;
	y->m.default_policy = (char *)(uintptr_t)dflt;
	y->m.policies = y->list;
	sentinel__cluster__policy_sync__policies_entry__init(&y->e[0]);
	if (name != NULL) {
		y->e[0].key = (char *)(uintptr_t)name;
		y->e[0].value = (char *)(uintptr_t)word;
		y->list[y->m.n_policies++] = &y->e[0];
	}
	return (&y->m);
}

/* Without a revision as the existing server would mean it. */
static void
test_foreign_sync(void **state)
{
	struct policy_cache	 pc;
	struct sync		 y;
	unsigned int		 skipped;
	char			 why[256];

	(void)state;
	policy_cache_init(&pc);
	assert_int_equal(policy_cache_policies(&pc, sync_make(&y, 0, "auto",
	    "web", "pinned"), &skipped, why, sizeof(why)), 0);
	assert_int_equal(policy_cache_policies(&pc, sync_make(&y, 0, "", NULL,
	    NULL), &skipped, why, sizeof(why)), 0);
	assert_int_equal(pc.pc_default, POLICY_AUTO);
	assert_int_equal(policy_cache_find(&pc, "web"), POLICY_PINNED);
	assert_int_equal(policy_cache_policies(&pc, sync_make(&y, 0, "",
	    "db", "auto"), &skipped, why, sizeof(why)), 0);
	assert_int_equal(policy_cache_find(&pc, "web"), POLICY_NONE);
	assert_int_equal(policy_cache_find(&pc, "db"), POLICY_AUTO);
	/* A complete one can say that there is none any more. */
	assert_int_equal(policy_cache_policies(&pc, sync_make(&y, 1, "", NULL,
	    NULL), &skipped, why, sizeof(why)), 0);
	assert_int_equal(pc.pc_nentries, 0);
	assert_int_equal(pc.pc_default, POLICY_NONE);
	/* Refused whole. */
	assert_int_equal(policy_cache_policies(&pc, sync_make(&y, 2, "any",
	    "db", "auto"), &skipped, why, sizeof(why)), -1);
	assert_int_equal(pc.pc_nentries, 0);
	/* One word too new. */
	assert_int_equal(policy_cache_policies(&pc, sync_make(&y, 2, "auto",
	    "db", "weekly"), &skipped, why, sizeof(why)), 0);
	assert_int_equal(skipped, 1);
	policy_cache_clear(&pc);
}

static void
test_settings_bounds(void **state)
{
	static const struct {
		int64_t	 sec;
		int32_t	 nanos;
		int	 rc;
	} rows[] = {
		{ 0, 0, 0 }, { 3600, 999999999, 0 }, { 30 * 86400, 0, 0 },
		{ -1, 0, -1 }, { 0, -1, -1 }, { 30 * 86400 + 1, 0, -1 },
		{ INT64_MAX, 0, -1 }, { INT64_MIN, 0, -1 },
	};
	Sentinel__Cluster__SettingsSync	 m;
	Google__Protobuf__Duration	 d;
	struct policy_cache		 pc;
	char				 why[256];
	size_t				 i;

	(void)state;
	for (i = 0; i < 3 * nitems(rows); i++) {
		policy_cache_init(&pc);
		sentinel__cluster__settings_sync__init(&m);
		google__protobuf__duration__init(&d);
		d.seconds = rows[i / 3].sec;
		d.nanos = rows[i / 3].nanos;
		if (i % 3 == 0)
			m.poll_interval = &d;
		else if (i % 3 == 1)
			m.grace_period = &d;
		else
			m.grace_period_offline = &d;
		assert_int_equal(policy_cache_settings(&pc, &m, why,
		    sizeof(why)), rows[i / 3].rc);
		/* The bools came with it, or nothing did. */
		assert_int_equal(pc.pc_image_cleanup, rows[i / 3].rc == -1);
		assert_true(pc.pc_poll_msec > 0);
	}
	sentinel__cluster__settings_sync__init(&m);
	m.rollback_policy = (char *)(uintptr_t)"never";
	assert_int_equal(policy_cache_settings(&pc, &m, why, sizeof(why)),
	    -1);
	m.rollback_policy = (char *)(uintptr_t)"pinned";
	assert_int_equal(policy_cache_settings(&pc, &m, why, sizeof(why)), 0);
	m.rollback_policy = (char *)(uintptr_t)"";
	assert_int_equal(policy_cache_settings(&pc, &m, why, sizeof(why)), 0);
	assert_int_equal(pc.pc_rollback, POLICY_PINNED);
	m.revision = 1;
	assert_int_equal(policy_cache_settings(&pc, &m, why, sizeof(why)), 0);
	assert_int_equal(pc.pc_rollback, POLICY_NONE);
}

/* --- the engine's cache -------------------------------------------------- */

static enum policy
policy_now(const char *name, enum policy_origin *origin)
{
	Sentinel__Cluster__ContainerInfo	 info;
	struct policy_result			 pr;

	sentinel__cluster__container_info__init(&info);
	info.name = (char *)(uintptr_t)name;
	info.image = (char *)(uintptr_t)"example/web:1";
	policy_of(&info, &pr);
	*origin = pr.pr_origin;
	return (pr.pr_policy);
}

static void
test_engine(void **state)
{
	enum policy_origin	 o;
	struct sync		 y;
	unsigned int		 n;

	(void)state;
	policy_init();
	assert_int_equal(policy_now("web", &o), POLICY_MANUAL);
	assert_int_equal(o, POLICY_O_FALLBACK);
	policy_session();
	policy_sync(sync_make(&y, 5, "auto", "web", "pinned"));
	assert_int_equal(writes, 1);
	assert_int_equal(policy_now("web", &o), POLICY_PINNED);
	assert_int_equal(o, POLICY_O_OVERRIDE);
	assert_int_equal(policy_now("db", &o), POLICY_AUTO);
	assert_int_equal(o, POLICY_O_DEFAULT);
	/* The same again needs no disk; an older one does not count. */
	policy_sync(sync_make(&y, 6, "auto", "web", "pinned"));
	assert_int_equal(writes, 1);
	policy_sync(sync_make(&y, 6, "manual", NULL, NULL));
	policy_sync(sync_make(&y, 4, "manual", NULL, NULL));
	assert_int_equal(policy_now("web", &o), POLICY_PINNED);
	/* In another session numbers begin anew. */
	policy_session();
	policy_sync(sync_make(&y, 1, "manual", NULL, NULL));
	assert_int_equal(policy_now("web", &o), POLICY_MANUAL);
	y.m.host_default = true;
	y.m.revision = 2;
	policy_sync(&y.m);
	(void)policy_now("web", &o);
	assert_int_equal(o, POLICY_O_HOST);
	/* A restart. */
	policy_init();
	(void)policy_now("web", &o);
	assert_int_equal(o, POLICY_O_HOST);
	/* A full disk: it counts, and is written later. */
	disk_full = true;
	policy_session();
	policy_sync(sync_make(&y, 1, "pinned", NULL, NULL));
	assert_int_equal(policy_now("web", &o), POLICY_PINNED);
	assert_null(strstr(disk, "\"default_policy\":\"pinned\""));
	disk_full = false;
	n = writes;
	policy_flush();
	policy_flush();
	assert_int_equal(writes, n + 1);
	assert_non_null(strstr(disk, "\"default_policy\":\"pinned\""));
	/* A broken file is told and is none. */
	disk[strlen(disk) / 2] = '\0';
	policy_init();
	assert_int_equal(policy_now("web", &o), POLICY_MANUAL);
	assert_int_equal(o, POLICY_O_FALLBACK);
}

static void
test_import(void **state)
{
	enum policy_origin	 o;

	(void)state;
	assert_int_equal(policy_import((const uint8_t *)"{}x", 3), -1);
	disk_full = true;
	assert_int_equal(policy_import((const uint8_t *)FOREIGN,
	    strlen(FOREIGN)), -1);
	disk_full = false;
	assert_int_equal(policy_import((const uint8_t *)FOREIGN,
	    strlen(FOREIGN)), 0);
	assert_int_equal(policy_now("db", &o), POLICY_PINNED);
	policy_init();
	assert_int_equal(policy_now("db", &o), POLICY_PINNED);
	assert_int_equal(o, POLICY_O_OVERRIDE);
	assert_int_equal(policy_now("other", &o), POLICY_AUTO);
	assert_int_equal(o, POLICY_O_DEFAULT);
	free(disk);
	disk = NULL;
	policy_init();
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_odd),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_too_many),
		cmocka_unit_test(test_foreign_sync),
		cmocka_unit_test(test_settings_bounds),
		cmocka_unit_test(test_engine),
		cmocka_unit_test(test_import),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
