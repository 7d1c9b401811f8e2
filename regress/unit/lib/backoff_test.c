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

#include <limits.h>

#include "backoff.h"

static void
expect(struct backoff *bo, unsigned int d)
{
	unsigned int	 got;

	got = backoff_next(bo);
	if (got > d || got < d - d / 2)
		fail_msg("delay %u, want %u..%u", got, d - d / 2, d);
}

static void
test_sequence(void **state)
{
	static const unsigned int want[] = {
		1000, 2000, 4000, 8000, 16000, 30000, 30000, 30000
	};
	struct backoff	 bo;
	unsigned int	 i, round;

	(void)state;
	backoff_init(&bo, 1000, 30000);
	for (round = 0; round < 200; round++) {
		for (i = 0; i < nitems(want); i++)
			expect(&bo, want[i]);
		assert_int_equal(bo.bo_tries, nitems(want));
		backoff_reset(&bo);
		assert_int_equal(bo.bo_tries, 0);
	}
}

static void
test_jitter(void **state)
{
	struct backoff	 bo;
	unsigned int	 i, first, differ = 0;

	(void)state;
	backoff_init(&bo, 30000, 30000);
	first = backoff_next(&bo);
	for (i = 0; i < 100; i++)
		differ += backoff_next(&bo) != first;
	assert_true(differ > 90);
}

static void
test_extremes(void **state)
{
	struct backoff	 bo;
	unsigned int	 i;

	(void)state;
	backoff_init(&bo, 0, 0);
	for (i = 0; i < 10; i++)
		assert_int_equal(backoff_next(&bo), 1);
	backoff_init(&bo, 500, 100);
	expect(&bo, 500);
	expect(&bo, 500);
	/* No overflow on the way up. */
	backoff_init(&bo, UINT_MAX / 3, UINT_MAX);
	expect(&bo, UINT_MAX / 3);
	expect(&bo, UINT_MAX / 3 * 2);
	expect(&bo, UINT_MAX);
	expect(&bo, UINT_MAX);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequence),
		cmocka_unit_test(test_jitter),
		cmocka_unit_test(test_extremes),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
