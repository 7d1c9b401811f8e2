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

#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "reload.h"

/* What a reload may change: names, comparison, exchange. */
static char	*no_env[] = { NULL };

static struct conf *
load(const char *key, const char *value, const char *key2, const char *value2)
{
	const struct conf_flag	 flags[] = {
		{ "mode", "server", "-o" },
		{ "privileges", "drop", "-o" },
		{ key, value, "-o" },
		{ key2, value2, "-o" },
	};
	struct conf_opts	 co;
	struct conf_errs	 errs;
	struct conf		*c;

	memset(&co, 0, sizeof(co));
	memset(&errs, 0, sizeof(errs));
	co.co_daemon = CONF_SERVER;
	co.co_environ = no_env;
	co.co_flags = flags;
	co.co_nflags = key2 != NULL ? 4 : key != NULL ? 3 : 2;
	co.co_check = true;
	c = conf_load(&co, &errs);
	if (c == NULL)
		fail_msg("%s", errs.ce_line[0]);
	return (c);
}

/* The lists have no word that is no key, and none that must not be there. */
static void
test_names(void **state)
{
	static const char *const never[] = { "mode", "privileges", "run_dir",
	    "uid_base", "server.data_dir", "server.control",
	    "server.cluster.dir", "server.cluster.enabled", "server.docker",
	    "agent.data_dir", "agent.dir", "agent.enroll_token" };
	static const char *const always[] = { "log.level",
	    "server.cluster.listen", "server.cluster.advertise",
	    "agent.server", "agent.allow.exec" };
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(never); i++) {
		assert_int_not_equal(conf_key_find(never[i]), -1);
		assert_false(reload_is_live(conf_key_find(never[i])));
	}
	for (i = 0; i < nitems(always); i++)
		assert_true(reload_is_live(conf_key_find(always[i])));
	assert_false(reload_is_live(-1));
	assert_null(reload_unknown());
}

static void
test_compare(void **state)
{
	struct conf	*a, *b;
	char		 changed[200], stay[200];

	(void)state;
	a = load(NULL, NULL, NULL, NULL);
	b = load(NULL, NULL, NULL, NULL);
	assert_int_equal(reload_compare(b, a, changed, stay, sizeof(stay)), 0);
	assert_string_equal(changed, "");
	assert_string_equal(stay, "");
	conf_free(b);
	b = load("log.level", "debug", "server.cluster.advertise", "a,b");
	assert_int_equal(reload_compare(b, a, changed, stay, sizeof(stay)), 2);
	assert_string_equal(changed, "log.level, server.cluster.advertise");
	assert_string_equal(stay, "");
	conf_free(b);
	b = load("uid_base", "70000", "run_dir", "/run/other");
	assert_int_equal(reload_compare(b, a, changed, stay, sizeof(stay)), 0);
	assert_string_equal(changed, "");
	/* What follows from a key needs a restart with it. */
	assert_string_equal(stay, "run_dir, uid_base, server.control, "
	    "agent.control");
	conf_free(a);
	conf_free(b);
}

/* Of every type; nothing is lost, and nothing owned twice (ASan). */
static void
test_exchange(void **state)
{
	struct conf	*a, *b;
	char		*dir, changed[200], stay[200];

	(void)state;
	a = load(NULL, NULL, NULL, NULL);
	b = load("server.data_dir", "/var/other", "log.level", "debug");
	b->c_run = CONF_AGENT;
	dir = a->c_server.cs_data_dir;
	reload_exchange(b, a);
	/* The very same string: somebody keeps it. */
	assert_ptr_equal(b->c_server.cs_data_dir, dir);
	assert_string_equal(a->c_server.cs_data_dir, "/var/other");
	assert_int_equal(b->c_log_level, CONF_DEBUG);
	assert_int_equal(b->c_run, CONF_SERVER);
	assert_int_equal(b->c_from[conf_key_find("server.data_dir")].cf_origin,
	    CONF_O_DEFAULT);
	/* And back. */
	reload_exchange(b, a);
	assert_ptr_equal(a->c_server.cs_data_dir, dir);
	assert_int_equal(b->c_run, CONF_AGENT);
	assert_int_equal(reload_compare(b, a, changed, stay, sizeof(stay)), 1);
	assert_non_null(strstr(stay, "server.data_dir"));
	conf_free(a);
	conf_free(b);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_compare),
		cmocka_unit_test(test_exchange),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
