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

#include "compat.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "pbmem.h"

static void
test_small(void **state)
{
	struct pbmem	 pm;
	uint8_t		*p[2000];
	size_t		 i, j;

	(void)state;
	pbmem_init(&pm, 1024 * 1024, 2000);
	for (i = 0; i < nitems(p); i++) {
		assert_non_null(p[i] = pbmem_alloc(&pm, i % 97));
		assert_int_equal((uintptr_t)p[i] % _Alignof(max_align_t), 0);
		memset(p[i], (int)(i & 0xff), i % 97);
	}
	for (i = 0; i < nitems(p); i++)
		for (j = 0; j < i % 97; j++)
			assert_int_equal(p[i][j], i & 0xff);
	/* the count */
	assert_null(pbmem_alloc(&pm, 1));
	assert_int_equal(errno, ENOMEM);
	pbmem_free(&pm);
	pbmem_free(&pm);
	assert_int_equal(pm.pm_bytes, 0);
	assert_non_null(pbmem_alloc(&pm, 1));
	pbmem_free(&pm);
}

static void
test_limit(void **state)
{
	struct pbmem	 pm;
	void		*p;
	int		 i;

	(void)state;
	pbmem_init(&pm, 100000, 1000);
	assert_null(pbmem_alloc(&pm, 100001));
	assert_null(pbmem_alloc(&pm, SIZE_MAX));
	assert_null(pbmem_alloc(&pm, SIZE_MAX - 8));
	assert_null(pbmem_strndup(&pm, "", SIZE_MAX));
	/* A large block given back may be had again: more than the limit. */
	for (i = 0; i < 10; i++) {
		p = pm.pm_alloc.alloc(pm.pm_alloc.allocator_data, 50000);
		assert_non_null(p);
		pm.pm_alloc.free(pm.pm_alloc.allocator_data, p);
	}
	pm.pm_alloc.free(pm.pm_alloc.allocator_data, NULL);
	assert_int_equal(pm.pm_bytes, 0);
	assert_non_null(pbmem_alloc(&pm, 60000));
	assert_null(pbmem_alloc(&pm, 60000));
	assert_true(pm.pm_bytes <= 100000);
	pbmem_free(&pm);
}

static void
test_text(void **state)
{
	struct pbmem	 pm;

	(void)state;
	pbmem_init(&pm, 100000, 1000);
	assert_string_equal(pbmem_strndup(&pm, "abc", 2), "ab");
	assert_string_equal(pbmem_strndup(&pm, NULL, 0), "");
	assert_string_equal(pbmem_text(&pm, "a\xff" "b\0c", 5, 100),
	    "a\xef\xbf\xbd" "b\xef\xbf\xbd" "c");
	assert_string_equal(pbmem_text(&pm, "abc\xc3\xa9", 5, 4), "abc");
	assert_string_equal(pbmem_text(&pm, "abc\xc3\xa9", 5, 5),
	    "abc\xc3\xa9");
	assert_string_equal(pbmem_text(&pm, "abc", 3, 0), "");
	assert_string_equal(pbmem_text(&pm, "\xff\xff", 2, SIZE_MAX / 2),
	    "\xef\xbf\xbd\xef\xbf\xbd");
	pbmem_free(&pm);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_small),
		cmocka_unit_test(test_limit),
		cmocka_unit_test(test_text),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
