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

/* A token comes from a file or from standard input, alone, and whole. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ctl.h"

#define TOKEN	"00112233445566778899aabbccddeeff" \
		"00112233445566778899aabbccddeeff"

static char	 path[] = "/tmp/secret_test.XXXXXX";
static char	 secret[CTL_SECRET_SIZE], err[512];

static int
get(const char *text, size_t len)
{
	int	 fd;

	fd = open(path, O_WRONLY | O_TRUNC);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, len), len);
	close(fd);
	return (secret_read(path, secret, err, sizeof(err)));
}

static void
test_file(void **state)
{
	char	 much[CTL_SECRET_SIZE + 10];

	(void)state;
	assert_int_equal(get(TOKEN "\n", 65), 0);
	assert_string_equal(secret, TOKEN);
	assert_int_equal(get(" \t" TOKEN "\r\n\n", 69), 0);
	assert_string_equal(secret, TOKEN);
	assert_int_equal(get("", 0), -1);
	assert_int_equal(get(" \n", 2), -1);
	assert_int_equal(get("two words", 9), -1);
	assert_int_equal(get("a\0b", 3), -1);
	assert_string_equal(secret, "");
	memset(much, 'a', sizeof(much));
	assert_int_equal(get(much, sizeof(much)), -1);
	assert_int_equal(secret_read("/no/such/file", secret, err,
	    sizeof(err)), -1);
	assert_non_null(strstr(err, "/no/such/file: No such file"));
}

static void
test_argument(void **state)
{
	(void)state;
	assert_int_equal(secret_read(TOKEN, secret, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "every user can read"));
	assert_null(strstr(err, TOKEN));
}

static void
test_stdin(void **state)
{
	int	 p[2], saved;

	(void)state;
	assert_int_equal(pipe(p), 0);
	/* In two pieces. */
	assert_int_equal(write(p[1], TOKEN, 20), 20);
	assert_int_equal(write(p[1], &TOKEN[20], 44), 44);
	close(p[1]);
	assert_int_not_equal(saved = dup(STDIN_FILENO), -1);
	assert_int_not_equal(dup2(p[0], STDIN_FILENO), -1);
	assert_int_equal(secret_read("-", secret, err, sizeof(err)), 0);
	assert_string_equal(secret, TOKEN);
	assert_int_not_equal(dup2(saved, STDIN_FILENO), -1);
	close(saved);
	close(p[0]);
}

static int
setup(void **state)
{
	int	 fd;

	(void)state;
	if ((fd = mkstemp(path)) == -1)
		return (-1);
	close(fd);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	return (unlink(path));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_file),
		cmocka_unit_test(test_argument),
		cmocka_unit_test(test_stdin),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
