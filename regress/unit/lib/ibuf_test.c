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
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "ibuf.h"

static const uint8_t golden[] = {
	0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x08, 0x09, 0x0a,
	0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x00, 0x02, 'h', 'i', 0x00, 0x00
};

static struct ibuf *
build(void)
{
	struct ibuf	*ib;

	ib = ibuf_dynamic(0, sizeof(golden));
	assert_non_null(ib);
	assert_int_equal(ibuf_add_n8(ib, 0x01), 0);
	assert_int_equal(ibuf_add_n16(ib, 0x0203), 0);
	assert_int_equal(ibuf_add_n32(ib, 0x04050607), 0);
	assert_int_equal(ibuf_add_n64(ib, 0x08090a0b0c0d0e0fULL), 0);
	assert_int_equal(ibuf_add_string(ib, "hi"), 0);
	assert_int_equal(ibuf_add_bytes(ib, NULL, 0), 0);
	return (ib);
}

static int
parse(struct ibuf *ib)
{
	const uint8_t	*p;
	uint64_t	 n64;
	uint32_t	 n32;
	uint16_t	 n16;
	uint8_t		 n8;
	size_t		 len;
	char		 s[3];

	if (ibuf_get_n8(ib, &n8) == -1 || ibuf_get_n16(ib, &n16) == -1 ||
	    ibuf_get_n32(ib, &n32) == -1 || ibuf_get_n64(ib, &n64) == -1 ||
	    ibuf_get_string(ib, s, sizeof(s)) == -1 ||
	    ibuf_get_bytes(ib, 5, &p, &len) == -1 || ibuf_end(ib) == -1)
		return (-1);
	assert_int_equal(n8, 0x01);
	assert_int_equal(n16, 0x0203);
	assert_int_equal(n32, 0x04050607);
	assert_true(n64 == 0x08090a0b0c0d0e0fULL);
	assert_string_equal(s, "hi");
	assert_int_equal(len, 0);
	return (0);
}

static void
test_golden(void **state)
{
	struct ibuf	*ib;

	(void)state;
	ib = build();
	assert_int_equal(ibuf_size(ib), sizeof(golden));
	assert_memory_equal(ibuf_data(ib), golden, sizeof(golden));
	assert_int_equal(parse(ib), 0);
	ibuf_free(ib);
}

static void
test_truncated(void **state)
{
	struct ibuf	 ib;
	uint8_t		*copy;
	size_t		 len;

	(void)state;
	/* An allocation of the exact size, for the sanitizer. */
	for (len = 0; len < sizeof(golden); len++) {
		assert_non_null(copy = malloc(len + 1));
		memcpy(copy, golden, len);
		ibuf_from_buffer(&ib, copy, len);
		errno = 0;
		assert_int_equal(parse(&ib), -1);
		assert_int_equal(errno, EBADMSG);
		free(copy);
	}
	/* And one byte too many. */
	assert_non_null(copy = calloc(1, sizeof(golden) + 1));
	memcpy(copy, golden, sizeof(golden));
	ibuf_from_buffer(&ib, copy, sizeof(golden) + 1);
	assert_int_equal(parse(&ib), -1);
	assert_int_equal(ibuf_size(&ib), 1);
	free(copy);
}

static void
test_bounds(void **state)
{
	struct ibuf	*ib, ro;
	uint8_t		 byte = 0;
	char		*big;

	(void)state;
	assert_null(ibuf_dynamic(2, 1));
	ib = build();
	assert_int_equal(ibuf_add_n8(ib, 1), -1);
	assert_int_equal(errno, ERANGE);
	ibuf_free(ib);

	assert_non_null(ib = ibuf_dynamic(1, SIZE_MAX));
	assert_int_equal(ibuf_add_n8(ib, 0x100), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ibuf_add_n16(ib, 0x10000), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ibuf_add_n32(ib, 0x100000000ULL), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ibuf_add_n8(ib, 7), 0);
	assert_int_equal(ibuf_add_zero(ib, SIZE_MAX), -1);
	assert_int_equal(errno, ERANGE);
	assert_non_null(big = calloc(1, 65536));
	assert_int_equal(ibuf_add_bytes(ib, big, 65536), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ibuf_add_bytes(ib, big, 65535), 0);
	assert_int_equal(ibuf_size(ib), 1 + 2 + 65535);
	free(big);
	ibuf_free(ib);

	/* No length without its bytes. */
	assert_non_null(ib = ibuf_open(4));
	assert_int_equal(ibuf_add_bytes(ib, "abc", 3), -1);
	assert_int_equal(ibuf_size(ib), 0);
	assert_int_equal(ibuf_add_zero(ib, 4), 0);
	ibuf_free(ib);

	ibuf_from_buffer(&ro, &byte, 1);
	assert_int_equal(ibuf_add_n8(&ro, 1), -1);
	assert_int_equal(ibuf_skip(&ro, 2), -1);
	assert_int_equal(ibuf_skip(&ro, 1), 0);
	assert_int_equal(ibuf_end(&ro), 0);
	ibuf_from_buffer(&ro, NULL, 0);
	assert_int_equal(ibuf_skip(&ro, 0), 0);
	ibuf_free(NULL);
}

static void
test_strings(void **state)
{
	const uint8_t	*p;
	uint8_t		 nul[] = { 0, 3, 'a', 0, 'b' };
	uint8_t		 abc[] = { 0, 3, 'a', 'b', 'c' };
	struct ibuf	 ib;
	size_t		 len;
	char		 dst[4];

	(void)state;
	ibuf_from_buffer(&ib, nul, sizeof(nul));
	assert_int_equal(ibuf_get_string(&ib, dst, sizeof(dst)), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(ibuf_size(&ib), sizeof(nul));

	ibuf_from_buffer(&ib, abc, sizeof(abc));
	assert_int_equal(ibuf_get_string(&ib, dst, 3), -1);
	assert_int_equal(ibuf_get_string(&ib, dst, 0), -1);
	assert_int_equal(ibuf_get_bytes(&ib, 2, &p, &len), -1);
	assert_int_equal(errno, EBADMSG);
	assert_int_equal(ibuf_get_string(&ib, dst, 4), 0);
	assert_string_equal(dst, "abc");
}

static void
test_fd(void **state)
{
	struct ibuf	*ib;
	size_t		 fds = unit_count_fds();
	int		 fd;

	(void)state;
	assert_non_null(ib = ibuf_open(0));
	assert_int_equal(ibuf_fd_get(ib), -1);
	assert_int_not_equal(fd = open("/dev/null", O_RDONLY), -1);
	ibuf_fd_set(ib, fd);
	assert_true(ibuf_fd_avail(ib));
	assert_int_equal(ibuf_fd_get(ib), fd);
	assert_false(ibuf_fd_avail(ib));
	ibuf_fd_set(ib, fd);
	ibuf_free(ib);
	assert_int_equal(unit_count_fds(), fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_bounds),
		cmocka_unit_test(test_strings),
		cmocka_unit_test(test_fd),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
