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

#include "utf8.h"

#define FFFD	"\xef\xbf\xbd"

static const struct {
	const char	*in;
	ssize_t		 count;		/* -1: not valid */
	const char	*repaired;
} cases[] = {
	{ "", 0, "" },
	{ "plain", 5, "plain" },
	{ "\xc3\xa4", 1, "\xc3\xa4" },
	{ "\xe2\x82\xac", 1, "\xe2\x82\xac" },
	{ "\xf0\x9f\x90\xb3", 1, "\xf0\x9f\x90\xb3" },
	{ "\xf4\x8f\xbf\xbf", 1, "\xf4\x8f\xbf\xbf" },
	{ "\xed\x9f\xbf\xee\x80\x80", 2, "\xed\x9f\xbf\xee\x80\x80" },
	/* long forms, surrogates, too large, stray, cut */
	{ "\xc0\x80", -1, FFFD FFFD },
	{ "\xc1\xbf", -1, FFFD FFFD },
	{ "\xe0\x9f\xbf", -1, FFFD FFFD FFFD },
	{ "\xf0\x8f\xbf\xbf", -1, FFFD FFFD FFFD FFFD },
	{ "\xed\xa0\x80", -1, FFFD FFFD FFFD },
	{ "\xf4\x90\x80\x80", -1, FFFD FFFD FFFD FFFD },
	{ "\xf5\x80\x80\x80", -1, FFFD FFFD FFFD FFFD },
	{ "\xff", -1, FFFD },
	{ "a\x80z", -1, "a" FFFD "z" },
	{ "\xe2\x82", -1, FFFD },
	{ "\xe2\x82" "a", -1, FFFD "a" },
	/* Unicode 3.9, table 3-8: <61 F1 80 80 E1 80 C2 62 80 63 80 BF 64> */
	{ "a\xf1\x80\x80\xe1\x80\xc2" "b\x80" "c\x80\xbf" "d", -1,
	    "a" FFFD FFFD FFFD "b" FFFD "c" FFFD FFFD "d" },
};

static void
test_cases(void **state)
{
	char	 out[64];
	size_t	 i, len;

	(void)state;
	for (i = 0; i < nitems(cases); i++) {
		len = strlen(cases[i].in);
		assert_int_equal(utf8_count(cases[i].in, len), cases[i].count);
		assert_int_equal(utf8_is_valid(cases[i].in, len),
		    cases[i].count != -1);
		assert_int_equal(utf8_repair(out, sizeof(out), cases[i].in,
		    len), strlen(cases[i].repaired));
		assert_string_equal(out, cases[i].repaired);
	}
}

static void
test_nul(void **state)
{
	char	 out[16];

	(void)state;
	assert_false(utf8_is_valid("a\0b", 3));
	assert_int_equal(utf8_count("\0", 1), -1);
	assert_int_equal(utf8_repair(out, sizeof(out), "a\0b", 3), 5);
	assert_string_equal(out, "a" FFFD "b");
}

/* Every size of the target: whole characters only, never past the end. */
static void
test_bounded(void **state)
{
	static const char in[] = "a\xc3\xa4\xff\xf0\x9f\x90\xb3\nz";
	char		 out[64];
	size_t		 n, size;

	(void)state;
	for (size = 0; size < sizeof(out); size++) {
		memset(out, 'X', sizeof(out));
		n = utf8_repair(out, size, in, strlen(in));
		assert_int_equal(out[size], 'X');
		assert_true(size == 0 ? n == 0 : n < size);
		assert_true(utf8_is_valid(out, n));
		memset(out, 'X', sizeof(out));
		n = utf8_vis(out, size, in, strlen(in));
		assert_int_equal(out[size], 'X');
		assert_true(size == 0 ? n == 0 : n < size);
		assert_true(utf8_is_valid(out, n));
	}
}

static void
test_vis(void **state)
{
	static const struct {
		const char	*in;
		const char	*out;
	} v[] = {
		{ "caf\xc3\xa9 100%", "caf\xc3\xa9 100%" },
		{ "a\nb\tc\rd", "a\\nb\\tc\\rd" },
		{ "\x1b[31m", "\\033[31m" },
		{ "\x7f", "\\177" },
		{ "\\n", "\\\\n" },
		{ "\xff\xc3", "\\377\\303" },
		{ "\xc2\x9b", "\\302\\233" },		/* C1 CSI */
		{ "\xe2\x80\xae", "\\342\\200\\256" },	/* RLO */
		{ "\xe2\x81\xa6", "\\342\\201\\246" },	/* LRI */
		{ "\xe2\x80\xa8", "\\342\\200\\250" },	/* LS */
	};
	char	 out[64];
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(v); i++) {
		assert_int_equal(utf8_vis(out, sizeof(out), v[i].in,
		    strlen(v[i].in)), strlen(v[i].out));
		assert_string_equal(out, v[i].out);
	}
	assert_int_equal(utf8_vis(out, sizeof(out), "a\0b", 3), 6);
	assert_string_equal(out, "a\\000b");
}

/* Against an independent rule: encode each code point, all of them valid. */
static void
test_all_code_points(void **state)
{
	uint32_t	 cp, got;
	uint8_t		 b[4];
	int		 n;

	(void)state;
	for (cp = 1; cp <= 0x110000; cp++) {
		n = cp < 0x80 ? 1 : cp < 0x800 ? 2 : cp < 0x10000 ? 3 : 4;
		if (n == 1)
			b[0] = (uint8_t)cp;
		else
			b[0] = (uint8_t)((0xf00U >> n) | cp >> 6 * (n - 1));
		b[1] = (uint8_t)(0x80 | (n > 1 ? cp >> 6 * (n - 2) & 0x3f : 0));
		b[2] = (uint8_t)(0x80 | (n > 2 ? cp >> 6 * (n - 3) & 0x3f : 0));
		b[3] = (uint8_t)(0x80 | (cp & 0x3f));
		if ((cp >= 0xd800 && cp <= 0xdfff) || cp > 0x10ffff) {
			assert_true(utf8_next(b, (size_t)n, &got) < 0);
			continue;
		}
		assert_int_equal(utf8_next(b, (size_t)n, &got), n);
		assert_int_equal(got, cp);
		if (n > 1)
			assert_int_equal(utf8_next(b, (size_t)n - 1, &got),
			    -(n - 1));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_nul),
		cmocka_unit_test(test_bounded),
		cmocka_unit_test(test_vis),
		cmocka_unit_test(test_all_code_points),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
