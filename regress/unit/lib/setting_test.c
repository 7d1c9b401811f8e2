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
#include "unit.h"

#include <string.h>

#include "setting.h"
#include "xmalloc.h"

static struct conf	*conf;
static char		 why[SETTING_WHY_SIZE];

static int
set(const char *name, const char *text)
{
	enum setting	 st = setting_find(name);

	assert_int_not_equal(st, SETTING_MAX);
	why[0] = '\0';
	return (setting_set(conf, st, text, why));
}

static const char *
text(const char *name)
{
	static char	 buf[SETTING_VALUE_SIZE];

	return (setting_text(conf, setting_find(name), buf, sizeof(buf)));
}

static int
setup(void **state)
{
	int	 i;

	(void)state;
	conf = xcalloc(1, sizeof(*conf));
	for (i = 0; i < SETTING_MAX; i++)
		assert_int_equal(setting_set(conf, (enum setting)i, NULL,
		    why), 0);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	conf_free(conf);
	return (0);
}

/* The table: every one has a key, a default that it prints, and a help. */
static void
test_table(void **state)
{
	const struct conf_key	*k;
	int			 i, j;

	(void)state;
	for (i = 0; i < SETTING_MAX; i++) {
		assert_int_not_equal(setting_key((enum setting)i), -1);
		assert_int_equal(setting_find(setting_name((enum setting)i)),
		    i);
		k = &conf_keys[setting_key((enum setting)i)];
		assert_non_null(k->ck_doc);
		for (j = 0; j < i; j++)
			assert_int_not_equal(setting_key((enum setting)i),
			    setting_key((enum setting)j));
		if (k->ck_default != NULL)
			assert_string_equal(text(setting_name(
			    (enum setting)i)), k->ck_default);
	}
	assert_int_equal(setting_find("poll"), SETTING_MAX);
	assert_int_equal(setting_find(""), SETTING_MAX);
	assert_string_equal(text("cluster.advertise"), "");
}

static void
test_bounds(void **state)
{
	static const struct {
		const char	*name;
		const char	*value;
		const char	*want;	/* NULL: refused */
	} rows[] = {
		{ "poll_interval", "1s", "1s" },
		{ "poll_interval", "90m", "1h30m" },
		{ "poll_interval", "30d", "30d" },
		{ "poll_interval", "31d", NULL },
		{ "poll_interval", "0s", NULL },
		{ "poll_interval", "-1s", NULL },
		{ "poll_interval", "6", NULL },
		{ "poll_interval", "", NULL },
		{ "poll_interval", "99999999999999999999d", NULL },
		{ "grace_period", "0s", "0s" },
		{ "grace_period", "61m", NULL },
		{ "grace_period_offline", "0s", "0s" },
		{ "grace_period_offline", "500ms", "500ms" },
		{ "hooks_enabled", "YES", "true" },
		{ "hooks_enabled", "2", NULL },
		{ "default_policy", "Pinned", "pinned" },
		{ "default_policy", "none", NULL },
		{ "default_policy", "auto|manual", NULL },
		{ "rollback_policy", "none", "none" },
		{ "rollback_policy", "auto", NULL },
		{ "cluster.advertise", "10.0.0.5, a.example.com",
		    "10.0.0.5,a.example.com" },
		{ "cluster.advertise", "", "" },
		{ "cluster.advertise", "a.example.com:9443", NULL },
		{ "cluster.advertise", "*.example.com", NULL },
		{ "cluster.advertise", "a\nb", NULL },
	};
	char	 before[SETTING_VALUE_SIZE];
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		(void)strlcpy(before, text(rows[i].name), sizeof(before));
		if (set(rows[i].name, rows[i].value) !=
		    (rows[i].want == NULL ? -1 : 0))
			fail_msg("%s \"%s\": %s", rows[i].name, rows[i].value,
			    why);
		assert_int_equal(rows[i].want == NULL, why[0] != '\0');
		assert_string_equal(text(rows[i].name), rows[i].want == NULL ?
		    before : rows[i].want);
	}
	/* NULL is the default. */
	assert_int_equal(set("cluster.advertise", NULL), 0);
	assert_int_equal(conf->c_server.cs_advertise.n_len, 0);
	assert_int_equal(set("poll_interval", NULL), 0);
	assert_int_equal(conf->c_server.cs_settings.ct_poll_msec,
	    6 * 3600 * 1000);
}

static void
test_long_list(void **state)
{
	char	 buf[24];

	(void)state;
	assert_int_equal(set("cluster.advertise",
	    "one.example.com,two.example.com"), 0);
	assert_string_equal(setting_text(conf, SETTING_ADVERTISE, buf,
	    sizeof(buf)), "one.example.com,...");
	assert_string_equal(setting_text(conf, SETTING_ADVERTISE, buf, 10),
	    "...");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_table, setup, teardown),
		cmocka_unit_test_setup_teardown(test_bounds, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_list, setup,
		    teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
