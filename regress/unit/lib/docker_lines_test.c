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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_lines.h"
#include "follow.h"

static char	 got[256 * 1024];
static size_t	 nlines;

static void
on_line(void *arg, int stream, const char *line, size_t len)
{
	(void)arg;
	assert_int_equal(strlen(line), len);
	nlines++;
	(void)snprintf(got + strlen(got), sizeof(got) - strlen(got),
	    "%d<%s>", stream, line);
}

/* In pieces of so many bytes. */
static int
feed(bool tty, const void *data, size_t len, size_t step)
{
	struct docker_lines	*li;
	const uint8_t		*p = data;
	size_t			 n;
	int			 ret = 0;

	got[0] = '\0';
	nlines = 0;
	assert_non_null(li = docker_lines_new(tty, on_line, NULL));
	for (; ret == 0 && len > 0; p += n, len -= n) {
		n = len < step ? len : step;
		ret = docker_lines_feed(li, p, n);
	}
	if (ret == 0)
		docker_lines_end(li);
	docker_lines_free(li);
	return (ret);
}

/* Frames that split lines and characters, wherever the reads split them. */
static void
test_frames(void **state)
{
	static const char	 data[] =
	    "\1\0\0\0\0\0\0\4a\nb\xc3"
	    "\2\0\0\0\0\0\0\3err"
	    "\1\0\0\0\0\0\0\0"
	    "\1\0\0\0\0\0\0\3\xa4\n\xff"
	    "\2\0\0\0\0\0\0\2!\n"
	    "\0\0\0\0\0\0\0\2\n\n";
	size_t			 step;

	(void)state;
	for (step = 1; step < sizeof(data); step++) {
		assert_int_equal(feed(false, data, sizeof(data) - 1, step), 0);
		assert_string_equal(got, "1<a>1<b\xc3\xa4>2<err!>"
		    "1<\xef\xbf\xbd>1<>");
	}
}

static void
test_bad_frames(void **state)
{
	static const char *const	 bad[] = {
		"\3\0\0\0\0\0\0\1x", "\1\1\0\0\0\0\0\1x", "\1\0\1\0\0\0\0\1x",
		"\1\0\0\1\0\0\0\1x", "no frame at all"
	};
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		assert_int_equal(feed(false, bad[i], 9, 1), -1);
		assert_int_equal(nlines, 0);
	}
}

static void
test_tty(void **state)
{
	static const char	 data[] = "one\r\ntwo\n\r\nthr\xe2\x82\xac"
	    "ee\r\nhalf";
	size_t			 step;

	(void)state;
	for (step = 1; step < sizeof(data); step++) {
		assert_int_equal(feed(true, data, sizeof(data) - 1, step), 0);
		assert_string_equal(got, "1<one>1<two>1<>1<thr\xe2\x82\xac"
		    "ee>1<half>");
	}
}

/* As long as it may be, and one byte and many bytes longer. */
static void
test_cut(void **state)
{
	static const size_t	 lens[] = { FOLLOW_LINE_MAXBYTES,
	    FOLLOW_LINE_MAXBYTES + 1, 5 * FOLLOW_LINE_MAXBYTES };
	static const size_t	 steps[] = { 1, 4096, 16384, 1000000 };
	char			*data, *want;
	size_t			 i, j, len;

	(void)state;
	data = malloc(lens[2] + 6);
	want = malloc(lens[2]);
	for (i = 0; i < nitems(lens); i++) {
		len = lens[i];
		memset(data, 'x', len);
		memcpy(data + len, "\nnext\n", 6);
		memset(want, 'x', FOLLOW_LINE_MAXBYTES + 2);
		memcpy(want, "1<", 2);
		(void)snprintf(want + 2 + FOLLOW_LINE_MAXBYTES, 100,
		    "%s>1<next>", i == 0 ? "" : DOCKER_LINE_CUT);
		for (j = 0; j < nitems(steps); j++) {
			assert_int_equal(feed(true, data, len + 6, steps[j]),
			    0);
			assert_int_equal(nlines, 2);
			assert_string_equal(got, want);
		}
	}
	free(data);
	free(want);
}

/* A character across the cut does not become a broken one. */
static void
test_cut_character(void **state)
{
	char	 data[FOLLOW_LINE_MAXBYTES + 10];
	size_t	 back;

	(void)state;
	for (back = 1; back <= 2; back++) {
		memset(data, 'x', sizeof(data));
		memcpy(data + FOLLOW_LINE_MAXBYTES - back, "\xe2\x82\xac", 3);
		assert_int_equal(feed(true, data, sizeof(data), 1000), 0);
		assert_int_equal(nlines, 1);
		assert_null(strstr(got, "\xef\xbf\xbd"));
		assert_non_null(strstr(got, "x" DOCKER_LINE_CUT ">"));
	}
}

/* Nothing but invalid bytes: three times as long, and still whole. */
static void
test_repair(void **state)
{
	char	 data[FOLLOW_LINE_MAXBYTES + 1];
	size_t	 i;

	(void)state;
	memset(data, 0xff, FOLLOW_LINE_MAXBYTES);
	data[FOLLOW_LINE_MAXBYTES] = '\n';
	assert_int_equal(feed(true, data, sizeof(data), 7), 0);
	assert_int_equal(strlen(got), 3 + 3 * FOLLOW_LINE_MAXBYTES);
	for (i = 0; i < FOLLOW_LINE_MAXBYTES; i++)
		assert_memory_equal(got + 2 + 3 * i, "\xef\xbf\xbd", 3);
	memcpy(data, "a\0b\n", 4);
	assert_int_equal(feed(true, data, 4, 4), 0);
	assert_string_equal(got, "1<a\xef\xbf\xbd" "b>");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_bad_frames),
		cmocka_unit_test(test_tty),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_cut_character),
		cmocka_unit_test(test_repair),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
