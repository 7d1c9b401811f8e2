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

#include "dockerspace.h"

/* Free space: what the parent says, and what is made of it. */
static const uint8_t	 whole[] = {
	0,
	0, 0, 0, 0, 0, 0, 0x20, 0,		/* 8192 in all */
	0, 0, 0, 0, 0, 0, 0x10, 0,		/* 4096 free */
	0, 2, '/', 'd'
};

static int
parse(const uint8_t *p, size_t len, struct dockerspace *ds)
{
	struct ibuf	 buf;
	uint8_t		 copy[sizeof(whole) + 1];

	memcpy(copy, p, len);
	ibuf_from_buffer(&buf, copy, len);
	return (dockerspace_parse(&buf, ds));
}

static void
test_parse(void **state)
{
	struct dockerspace	 ds;
	uint8_t			 more[sizeof(whole) + 1] = { 0 };
	size_t			 i;

	(void)state;
	assert_int_equal(parse(whole, sizeof(whole), &ds), 0);
	assert_true(ds.ds_known);
	assert_int_equal(ds.ds_total, 8192);
	assert_int_equal(ds.ds_avail, 4096);
	assert_string_equal(ds.ds_text, "/d");
	for (i = 0; i < sizeof(whole); i++)
		assert_int_equal(parse(whole, i, &ds), -1);
	memcpy(more, whole, sizeof(whole));
	assert_int_equal(parse(more, sizeof(more), &ds), -1);
	more[0] = 1;
	assert_int_equal(parse(more, sizeof(whole), &ds), 0);
	assert_false(ds.ds_known);
}

static void
test_why(void **state)
{
	struct dockerspace	 ds = { .ds_known = true, .ds_avail = 4096 };
	char			 why[DOCKERSPACE_WHY_MAXBYTES];

	(void)state;
	(void)strlcpy(ds.ds_text, "/d", sizeof(ds.ds_text));
	dockerspace_why(&ds, 4096, why);
	assert_string_equal(why, "");
	dockerspace_why(&ds, 4097, why);
	assert_string_equal(why, "not enough free space: 4.1 kB of /d, and "
	    "docker_min_free wants 4.1 kB: remove images, or enlarge it");
	/* The longest there are. */
	memset(ds.ds_text, 'x', sizeof(ds.ds_text) - 1);
	dockerspace_why(&ds, UINT64_MAX, why);
	assert_non_null(strstr(why, "wants 18446744.1 TB: remove images, or "
	    "enlarge it"));
	/* What cannot be known is no reason. */
	ds.ds_known = false;
	dockerspace_why(&ds, UINT64_MAX, why);
	assert_string_equal(why, "");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_why),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
