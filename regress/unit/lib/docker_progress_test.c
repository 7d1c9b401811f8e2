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

#include <stdio.h>
#include <string.h>

#include "docker_progress.h"
#include "utf8.h"

/* What is told of the lines of a pull. */
static struct docker_progress	 pg;
static char			 text[PROGRESS_TEXT_MAXBYTES];
static uint64_t			 done, total;

static int
line(const char *s)
{
	int	 rc = docker_progress_line(&pg, s, strlen(s));

	docker_progress_text(&pg, text, &done, &total);
	return (rc);
}

static int
setup(void **state)
{
	(void)state;
	memset(&pg, 0, sizeof(pg));
	return (0);
}

static void
test_layers(void **state)
{
	(void)state;
	assert_int_equal(line("{\"status\":\"Pulling from a\"}"), 1);
	assert_string_equal(text, "Pulling from a");
	assert_int_equal(line("{\"status\":\"Waiting\",\"id\":\"a\"}"), 1);
	assert_string_equal(text, "0 of 1 layers");
	assert_int_equal(line("{\"status\":\"Downloading\",\"id\":\"b\","
	    "\"progressDetail\":{\"current\":1500000,\"total\":1000000}}"),
	    1);
	assert_string_equal(text, "0 of 2 layers, 1.0 MB of 1.0 MB");
	assert_int_equal(done, 1000000);
	assert_int_equal(total, 1000000);
	assert_int_equal(line("{\"status\":\"Pull complete\","
	    "\"id\":\"a\"}"), 1);
	assert_string_equal(text, "1 of 2 layers, 1.0 MB of 1.0 MB");
	assert_int_equal(line("{\"id\":\"a\"}"), 0);
	assert_int_equal(line("{"), -1);
}

/* Sizes that no layer has would overflow their sum. */
static void
test_huge(void **state)
{
	char	 s[160];
	int	 i;

	(void)state;
	for (i = 0; i < 4; i++) {
		(void)snprintf(s, sizeof(s), "{\"status\":\"Downloading\","
		    "\"id\":\"%d\",\"progressDetail\":{\"current\":0,"
		    "\"total\":9223372036854775807}}", i);
		assert_int_equal(line(s), 1);
	}
	assert_string_equal(text, "0 of 4 layers");
	assert_int_equal(total, 0);
	(void)line("{\"status\":\"Downloading\",\"id\":\"1\","
	    "\"progressDetail\":{\"current\":-1,\"total\":5}}");
	assert_int_equal(total, 0);
}

/* A status that is cut is cut at a character, and stays one line. */
static void
test_status(void **state)
{
	char	 s[512];
	size_t	 i, n;

	(void)state;
	for (i = 0; i < 2; i++) {
		n = strlcpy(s, i == 0 ? "{\"status\":\"" :
		    "{\"status\":\"x", sizeof(s));
		while (n < 300)
			n = strlcat(s, "\xc3\xa9", sizeof(s));
		(void)strlcat(s, "\"}", sizeof(s));
		assert_int_equal(line(s), 1);
		assert_in_range(strlen(text), sizeof(text) - 3,
		    sizeof(text) - 1);
		assert_true(utf8_is_valid(text, strlen(text)));
	}
	assert_int_equal(line("{\"status\":\"a\\n\\u001b[2J\\u007f\"}"), 1);
	assert_string_equal(text, "a  [2J ");
}

static void
test_error(void **state)
{
	(void)state;
	assert_int_equal(line("{\"error\":\"x\",\"errorDetail\":"
	    "{\"message\":\"no\\nway\"}}"), 0);
	assert_string_equal(pg.pg_error, "no way");
	assert_int_equal(line("{\"errorDetail\":{}}"), 0);
	assert_string_equal(pg.pg_error, "pull failed");
	assert_int_equal(line("{\"error\":\"old\"}"), 0);
	assert_string_equal(pg.pg_error, "old");
}

/* More layers than are counted, and ids that are none. */
static void
test_many(void **state)
{
	char	 s[128];
	int	 i;

	(void)state;
	for (i = 0; i < PROGRESS_LAYERS_MAX + 9; i++) {
		(void)snprintf(s, sizeof(s), "{\"status\":\"Already "
		    "exists\",\"id\":\"%d\"}", i);
		assert_int_equal(line(s), 1);
	}
	assert_string_equal(text, "256 of 256 layers");
	memset(&pg, 0, sizeof(pg));
	assert_int_equal(line("{\"status\":\"Waiting\"}"), 1);
	assert_int_equal(line("{\"status\":\"Waiting\",\"id\":"
	    "\"0123456789012345678901234567890123\"}"), 1);
	assert_int_equal(pg.pg_nlayers, 0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(test_layers, setup),
		cmocka_unit_test_setup(test_huge, setup),
		cmocka_unit_test_setup(test_status, setup),
		cmocka_unit_test_setup(test_error, setup),
		cmocka_unit_test_setup(test_many, setup),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
