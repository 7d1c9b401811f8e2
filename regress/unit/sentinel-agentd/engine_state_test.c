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

/* Small files written whole, and what is remembered of the server. */
#include "unit.h"

#include <sys/stat.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"

#define HOST	"0123456789abcdef0123456789abcdef"

static char	 dir[] = "/tmp/state_test.XXXXXX";

static int
setup(void **state)
{
	(void)state;
	return (mkdtemp(dir) == NULL || chdir(dir) == -1 ? -1 : 0);
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink("x");
	(void)unlink("server");
	if (chdir("/") == -1)
		return (-1);
	return (rmdir(dir));
}

static void
test_files(void **state)
{
	struct stat	 st;
	uint8_t		*data;
	size_t		 len, fds = unit_count_fds();

	(void)state;
	assert_null(state_read("x", 10, &len));
	assert_int_equal(errno, ENOENT);
	assert_int_equal(state_write("x", "hello", 5), 0);
	assert_int_equal(state_write("x", "bye", 3), 0);
	assert_non_null(data = state_read("x", 3, &len));
	assert_int_equal(len, 3);
	assert_string_equal((char *)data, "bye");
	free(data);
	assert_null(state_read("x", 2, &len));
	assert_int_equal(errno, EFBIG);
	assert_int_equal(stat("x", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(stat("x.new", &st), -1);
	/* Nobody leads us elsewhere. */
	assert_int_equal(unlink("x"), 0);
	assert_int_equal(symlink("/etc/passwd", "x"), 0);
	assert_null(state_read("x", 65536, &len));
	assert_int_equal(errno, ELOOP);
	assert_int_equal(symlink("/dev/null", "y.new"), 0);
	assert_int_equal(state_write("y", "1", 1), -1);
	assert_int_equal(unlink("y.new"), 0);
	assert_int_equal(unit_count_fds(), fds);
}

static void
test_server(void **state)
{
	struct known_server	 ks = { true, false, true };

	(void)state;
	state_load_server(HOST, &ks);
	assert_false(ks.ks_ours || ks.ks_signed || ks.ks_pinned);
	ks.ks_pinned = true;
	assert_int_equal(state_save_server(HOST, &ks), 0);
	memset(&ks, 0, sizeof(ks));
	state_load_server(HOST, &ks);
	assert_true(ks.ks_pinned);
	assert_false(ks.ks_ours || ks.ks_signed);
	ks.ks_ours = ks.ks_signed = true;
	assert_int_equal(state_save_server(HOST, &ks), 0);
	memset(&ks, 0, sizeof(ks));
	state_load_server(HOST, &ks);
	assert_true(ks.ks_ours && ks.ks_signed && ks.ks_pinned);
	/* Another enrolment begins with nothing. */
	state_load_server("ffffffffffffffffffffffffffffffff", &ks);
	assert_false(ks.ks_ours || ks.ks_signed || ks.ks_pinned);
	/* What cannot be written is told, and leaves nothing behind. */
	assert_int_equal(mkdir("server.new", 0700), 0);
	assert_int_equal(state_save_server(HOST, &ks), -1);
	assert_int_equal(rmdir("server.new"), 0);
}

/* Breaking the file must not turn signatures off. */
static void
test_server_broken(void **state)
{
	static const char	 good[] = "host " HOST "\nours yes\n"
	    "signed yes\npinned yes\n";
	struct known_server	 ks;
	char			 text[sizeof(good)];
	size_t			 i;

	(void)state;
	assert_true(state_parse_server(good, HOST, &ks));
	assert_true(ks.ks_ours && ks.ks_signed && ks.ks_pinned);
	assert_true(state_parse_server("host " HOST "\nours yes\nsigned no\n"
	    "pinned no\n", HOST, &ks));
	assert_true(ks.ks_ours);
	assert_false(ks.ks_signed || ks.ks_pinned);
	/* Cut in its last line it still reads as whole, and says the same. */
	for (i = 0; i < sizeof(good) - 1; i++) {
		(void)strlcpy(text, good, i + 1);
		if (state_parse_server(text, HOST, &ks))
			assert_true(ks.ks_signed && ks.ks_pinned);
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_files),
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_server_broken),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
