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

/* Request ids on disk: found again, oldest forgotten, broken ones skipped. */
#include "unit.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

#define RECORD	32

static char	 dir[] = "/tmp/request_test.XXXXXX";

static int
setup(void **state)
{
	(void)state;
	(void)strcpy(dir + strlen(dir) - 6, "XXXXXX");
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return (-1);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink("requests");
	if (chdir("/") == -1)
		return (-1);
	return (rmdir(dir));
}

static void
add(struct reqmem *rm, unsigned int from, unsigned int to)
{
	char	 id[16];

	for (; from < to; from++) {
		(void)snprintf(id, sizeof(id), "%u", from);
		assert_int_equal(reqmem_add(rm, id), 0);
	}
}

static void
test_found_again(void **state)
{
	struct reqmem	*rm;
	size_t		 fds = unit_count_fds();

	(void)state;
	assert_non_null(rm = reqmem_open("requests"));
	assert_false(reqmem_has(rm, "0"));
	assert_false(reqmem_has(rm, ""));
	add(rm, 0, 10);
	assert_true(reqmem_has(rm, "0"));
	assert_int_equal(reqmem_fresh(rm, false), 10);
	assert_int_equal(reqmem_fresh(rm, true), 10);
	assert_int_equal(reqmem_fresh(rm, false), 0);
	/* As after kill -9: nothing was closed in order. */
	reqmem_close(rm);
	assert_non_null(rm = reqmem_open("requests"));
	assert_int_equal(reqmem_fresh(rm, false), 0);
	assert_true(reqmem_has(rm, "0"));
	assert_true(reqmem_has(rm, "9"));
	assert_false(reqmem_has(rm, "10"));
	add(rm, 10, 11);
	assert_true(reqmem_has(rm, "10"));
	reqmem_close(rm);
	assert_int_equal(unit_count_fds(), fds);
}

static void
test_ring(void **state)
{
	struct reqmem	*rm;
	struct stat	 st;

	(void)state;
	assert_non_null(rm = reqmem_open("requests"));
	add(rm, 0, REQMEM_SLOTS + 3);
	assert_false(reqmem_has(rm, "2"));
	assert_true(reqmem_has(rm, "3"));
	reqmem_close(rm);
	assert_int_equal(stat("requests", &st), 0);
	assert_int_equal(st.st_size, RECORD * REQMEM_SLOTS);
	assert_non_null(rm = reqmem_open("requests"));
	assert_false(reqmem_has(rm, "2"));
	assert_true(reqmem_has(rm, "3"));
	/* Goes on behind the last one. */
	add(rm, REQMEM_SLOTS + 3, REQMEM_SLOTS + 4);
	assert_false(reqmem_has(rm, "3"));
	assert_true(reqmem_has(rm, "4"));
	reqmem_close(rm);
}

/* Every bit of a record: the id is lost, or it is the same id. */
static void
test_broken(void **state)
{
	struct reqmem	*rm;
	uint8_t		 good[3 * RECORD], bad;
	size_t		 i;
	int		 fd;

	(void)state;
	assert_non_null(rm = reqmem_open("requests"));
	add(rm, 0, 3);
	reqmem_close(rm);
	assert_int_not_equal(fd = open("requests", O_RDWR), -1);
	assert_int_equal(pread(fd, good, sizeof(good), 0), sizeof(good));
	for (i = 0; i < RECORD * 8; i++) {
		bad = good[RECORD + i / 8] ^ (uint8_t)(1U << (i % 8));
		assert_int_equal(pwrite(fd, &bad, 1, (off_t)(RECORD + i / 8)),
		    1);
		assert_non_null(rm = reqmem_open("requests"));
		assert_true(reqmem_has(rm, "0"));
		assert_false(reqmem_has(rm, "1"));
		assert_true(reqmem_has(rm, "2"));
		reqmem_close(rm);
		assert_int_equal(pwrite(fd, good + RECORD, RECORD, RECORD),
		    RECORD);
	}
	/* Cut off in the middle of a record, and made whole again. */
	assert_int_equal(ftruncate(fd, RECORD + 7), 0);
	assert_non_null(rm = reqmem_open("requests"));
	assert_true(reqmem_has(rm, "0"));
	assert_false(reqmem_has(rm, "1"));
	add(rm, 1, 2);
	reqmem_close(rm);
	/* A record copied into another slot is not believed. */
	assert_int_equal(pwrite(fd, good, RECORD, 5 * RECORD), RECORD);
	assert_non_null(rm = reqmem_open("requests"));
	add(rm, 7, 8);
	reqmem_close(rm);
	assert_non_null(rm = reqmem_open("requests"));
	assert_true(reqmem_has(rm, "7"));
	reqmem_close(rm);
	close(fd);
}

static void
test_refused(void **state)
{
	(void)state;
	assert_int_equal(symlink("/dev/null", "requests"), 0);
	assert_null(reqmem_open("requests"));
	assert_int_equal(errno, ELOOP);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_found_again, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_ring, setup, teardown),
		cmocka_unit_test_setup_teardown(test_broken, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup,
		    teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
