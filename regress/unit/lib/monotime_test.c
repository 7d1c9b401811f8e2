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
#include <time.h>

#include "monotime.h"

static void
test_now(void **state)
{
	struct timespec	 ts = { 0, 20 * 1000000 };
	monotime_t	 a, b;

	(void)state;
	a = monotime_now();
	assert_int_equal(nanosleep(&ts, NULL), 0);
	b = monotime_now();
	assert_true(b - a >= 20);
	assert_true(b - a < 10000);
}

static void
test_left(void **state)
{
	monotime_t	 now = monotime_now();

	(void)state;
	assert_int_equal(monotime_left(MONOTIME_NEVER), -1);
	assert_int_equal(monotime_left(now), 0);
	assert_int_equal(monotime_left(now - 1000), 0);
	assert_int_equal(monotime_left(MONOTIME_NEVER - 1), INT_MAX);
	assert_true(monotime_left(now + 10000) > 5000);
	assert_true(monotime_left(now + 10000) <= 10000);
}

static void
test_timeval(void **state)
{
	struct timeval	 tv;

	(void)state;
	tv = monotime_timeval(12345);
	assert_int_equal(tv.tv_sec, 12);
	assert_int_equal(tv.tv_usec, 345000);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_now),
		cmocka_unit_test(test_left),
		cmocka_unit_test(test_timeval),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
