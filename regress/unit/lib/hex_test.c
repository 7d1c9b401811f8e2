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

#include <errno.h>
#include <string.h>

#include "hex.h"

static void
test_roundtrip(void **state)
{
	uint8_t	 in[256], out[256];
	char	 text[HEX_SIZE(256)];
	size_t	 i;

	(void)state;
	for (i = 0; i < sizeof(in); i++)
		in[i] = (uint8_t)i;
	assert_int_equal(hex_encode(text, sizeof(text), in, sizeof(in)), 0);
	assert_int_equal(strlen(text), 512);
	assert_memory_equal(text, "000102", 6);
	assert_string_equal(text + 506, "fdfeff");
	assert_int_equal(hex_decode(out, sizeof(out), text), 0);
	assert_memory_equal(in, out, sizeof(in));
	assert_int_equal(hex_encode(text, 1, in, 0), 0);
	assert_string_equal(text, "");
	assert_int_equal(hex_decode(out, 0, ""), 0);
}

static void
test_strict(void **state)
{
	static const char *const bad[] = {
		"", "0", "00", "000", "00000", "0000 ", " 0000", "00AB",
		"00g0", "0x00", "00-1", "00\xc3\xa4", "000000"
	};
	uint8_t	 out[2];
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		memset(out, 0xff, sizeof(out));
		assert_int_equal(hex_decode(out, sizeof(out), bad[i]), -1);
		assert_int_equal(errno, EINVAL);
		assert_int_equal(out[0] | out[1], 0);
		assert_false(hex_is_valid(bad[i], 4));
	}
	assert_true(hex_is_valid("09af", 4));
	assert_false(hex_is_valid("09af", 3));
}

static void
test_small_target(void **state)
{
	char	 text[4] = "XXX";

	(void)state;
	assert_int_equal(hex_encode(text, 4, "ab", 2), -1);
	assert_int_equal(errno, ENOSPC);
	assert_string_equal(text, "");
	assert_int_equal(hex_encode(text, 0, "ab", 2), -1);
	assert_int_equal(hex_encode(text, 4, "ab", SIZE_MAX), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_roundtrip),
		cmocka_unit_test(test_strict),
		cmocka_unit_test(test_small_target),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
