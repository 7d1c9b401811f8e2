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

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "docker_item.h"

#define ID_A	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define ID_B	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" \
		"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

/* Single elements of Docker's and podman's lists. */
static int64_t	 created;

static void
on_item(void *arg, const struct docker_container *ct)
{
	assert_null(arg);
	created = ct->ct_created;
}

/* What the wire cannot say the engine would take for a broken message. */
static void
test_created(void **state)
{
	static const struct { const char *text; int64_t want; } rows[] = {
		{ "1795000000", 1795000000 }, { "0", 0 }, { "-1", 0 },
		{ "253402300799", 253402300799 }, { "253402300800", 0 },
		{ "9223372036854775807", 0 }, { "\"soon\"", 0 },
		{ "null", 0 },
	};
	struct json	*js;
	char		 text[160];
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		(void)snprintf(text, sizeof(text), "{\"Id\":\"" ID_A "\","
		    "\"Created\":%s}", rows[i].text);
		assert_non_null(js = json_parse(text, strlen(text), NULL,
		    0));
		created = -5;
		assert_string_equal(docker_item(json_root(js), "", NULL,
		    on_item, NULL), "");
		if (created != rows[i].want)
			fail_msg("%s: %" PRId64, rows[i].text, created);
		json_free(js);
	}
}

static void
test_healths(void **state)
{
	static const char	 list[] = "[{\"Id\":\"" ID_B "\",\"Status\":"
				    "\"starting\"},{\"Id\":\"" ID_A "\","
				    "\"Status\":\"healthy\"},{\"Id\":\"x\","
				    "\"Status\":\"healthy\"}]";
	struct docker_healths	*hs;
	size_t			 i;

	(void)state;
	assert_non_null(hs = docker_healths_new());
	for (i = 0; i < sizeof(list) - 1; i++)
		assert_int_equal(docker_healths_feed(hs, list + i, 1), 0);
	assert_string_equal(docker_healths_end(hs), "");
	assert_string_equal(docker_healths_get(hs, ID_A), "healthy");
	assert_string_equal(docker_healths_get(hs, ID_B), "starting");
	assert_string_equal(docker_healths_get(hs, "x"), "");
	assert_string_equal(docker_healths_get(hs, ID_A "a"), "");
	docker_healths_free(hs);

	assert_non_null(hs = docker_healths_new());
	assert_int_equal(docker_healths_feed(hs, list, sizeof(list) - 2), 0);
	assert_string_equal(docker_healths_end(hs),
	    "podman's list ended early");
	docker_healths_free(hs);

	assert_non_null(hs = docker_healths_new());
	assert_int_equal(docker_healths_feed(hs, "[{]", 3), -1);
	assert_non_null(strstr(docker_healths_end(hs), "not valid JSON"));
	docker_healths_free(hs);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_created),
		cmocka_unit_test(test_healths),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
