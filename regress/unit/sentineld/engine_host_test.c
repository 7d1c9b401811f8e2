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

#include "engine.h"

/* Names of hosts, limits per source address, and lists of containers. */
static struct host *
put(const char *id, const char *name)
{
	struct host	*h = host_new(id, name);

	RB_INSERT(host_tree, &eng->hosts, h);
	return (h);
}

static void
drop(struct host *h)
{
	RB_REMOVE(host_tree, &eng->hosts, h);
	host_free(h);
}

static void
test_names(void **state)
{
	static const struct {
		const char	*wanted;
		const char	*address;
		const char	*name;
	} cases[] = {
		{ "worker-2", "10.0.0.1", "worker-2" },
		{ "worker", "10.0.0.1", "worker-2x" },	/* see below */
		{ "", "10.0.0.1", "10.0.0.1" },
		{ "", "2001:db8::1", "2001-db8--1" },
		{ "a b\tc<d>", "x", "a-b-c-d-" },
		{ "\xc3\xa4rger", "x", "-rger" },
		{ "---", "10.1.1.1", "10.1.1.1" },
		{ "", "", "host" },
	};
	char		 name[HOST_NAME_SIZE], longname[300];
	struct host	*h = put("01", "Worker"), *h2 = put("02", "worker-2");
	size_t		 i;

	(void)state;
	drop(h2);
	for (i = 0; i < nitems(cases); i++) {
		host_pick_name(cases[i].wanted, cases[i].address, "99", name);
		if (i == 1)
			/* Letter case does not make two names. */
			assert_string_equal(name, "worker-2");
		else
			assert_string_equal(name, cases[i].name);
	}
	/* A clash is numbered on, and one's own name is none. */
	h2 = put("02", "worker-2");
	host_pick_name("WORKER", "x", "99", name);
	assert_string_equal(name, "WORKER-3");
	host_pick_name("worker", "x", "01", name);
	assert_string_equal(name, "worker");
	/* A tombstone frees its name. */
	h->h_state = HOST_DECOMMISSIONED;
	host_pick_name("worker", "x", "99", name);
	assert_string_equal(name, "worker");
	memset(longname, 'n', sizeof(longname) - 1);
	longname[sizeof(longname) - 1] = '\0';
	host_pick_name(longname, "x", "99", name);
	assert_int_equal(strlen(name), HOST_NAME_SIZE - 1);
	drop(h);
	drop(h2);
}

static void
test_lookup(void **state)
{
	struct host	*h = put("0123456789abcdef0123456789abcdef", "web");

	(void)state;
	assert_ptr_equal(host_lookup("WEB"), h);
	assert_ptr_equal(host_lookup(h->h_id), h);
	assert_null(host_lookup("0123456789abcdef0123456789abcdef0"));
	assert_null(host_lookup(""));
	h->h_state = HOST_DECOMMISSIONED;
	assert_null(host_lookup("web"));
	assert_null(host_lookup(h->h_id));
	drop(h);
}

static void
test_limit(void **state)
{
	unsigned int	 i, few = 0;
	char		 address[64];

	(void)state;
	eng->conf.ec_enroll_failures = 3;
	eng->conf.ec_enroll_window_msec = 60000;
	for (i = 0; i < 3; i++) {
		assert_int_equal(limit_check("192.0.2.1"), LIMIT_FREE);
		assert_true(limit_count_failure("192.0.2.1"));
	}
	assert_int_equal(limit_check("192.0.2.1"), LIMIT_REACHED);
	assert_int_equal(limit_check("192.0.2.1"), LIMIT_OVER);
	assert_int_equal(limit_check("192.0.2.2"), LIMIT_FREE);
	/* One /64 is one source. */
	for (i = 0; i < 3; i++) {
		(void)snprintf(address, sizeof(address), "2001:db8:1:2:%x::1",
		    i + 1);
		assert_true(limit_count_failure(address));
	}
	assert_int_equal(limit_check("2001:db8:1:2:ffff::9"), LIMIT_REACHED);
	assert_int_equal(limit_check("2001:DB8:1:2::"), LIMIT_OVER);
	assert_int_equal(limit_check("2001:db8:1:3::1"), LIMIT_FREE);
	/* The table is bounded: the oldest goes first. */
	for (i = 0; i < 5000; i++) {
		(void)snprintf(address, sizeof(address), "10.%u.%u.1",
		    i / 256, i % 256);
		few += limit_count_failure(address) ? 1 : 0;
	}
	assert_int_equal(limit_check("192.0.2.1"), LIMIT_FREE);
	/* In total as well: six were there before. */
	assert_int_equal(few, LIMIT_TOTAL * 3 - 6);
	/* IPv4 in IPv6 is IPv4. */
	for (i = 0; i < 3; i++)
		(void)limit_count_failure("::ffff:192.0.2.9");
	assert_int_equal(limit_check("192.0.2.9"), LIMIT_REACHED);
	/* The window passes. */
	eng->conf.ec_enroll_window_msec = 20;
	(void)usleep(30000);
	assert_int_equal(limit_check("192.0.2.9"), LIMIT_FREE);
	assert_true(limit_count_failure("192.0.2.9"));
}

static void
test_lists(void **state)
{
	Sentinel__Cluster__ContainerInfo	 info;
	struct container_stage			 st;
	struct host				*h = put("03", "lists");
	char					 name[32];
	unsigned int				 i;

	(void)state;
	stage_init(&st, h);
	for (i = 0; i < HOST_CONTAINERS_MAX + 10; i++) {
		sentinel__cluster__container_info__init(&info);
		(void)snprintf(name, sizeof(name), "c%u", i);
		info.name = name;
		stage_add(&st, &info);
	}
	assert_true(st.cs_overflow);
	stage_commit(&st);
	assert_int_equal(h->h_ncontainers, HOST_CONTAINERS_MAX);
	assert_non_null(container_find(h, "c7"));
	/* The next list replaces it. */
	sentinel__cluster__container_info__init(&info);
	(void)strlcpy(name, "only", sizeof(name));
	info.name = name;
	stage_add(&st, &info);
	stage_commit(&st);
	assert_int_equal(h->h_ncontainers, 1);
	assert_null(container_find(h, "c7"));
	/* One that never ends leaves the old one in place. */
	stage_add(&st, &info);
	stage_drop(&st);
	assert_non_null(container_find(h, "only"));
	drop(h);
}

static int
setup(void **state)
{
	(void)state;
	RB_INIT(&eng->hosts);
	return (0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_lookup),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_lists),
	};

	return (cmocka_run_group_tests(tests, setup, NULL));
}
