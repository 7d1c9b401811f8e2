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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_follow.h"
#include "fakedocker.h"
#include "follow.h"

/* A follow of a container of the engine in fakedocker.h. */
static struct fk		 fk;
static struct docker_follow	*df;
static char			 text[4 * 1024 * 1024];
static char			 end[512];
static unsigned int		 ntexts, opened, ended;
static uint64_t			 skipped;
static bool			 failed;

static void
on_open(void *arg)
{
	(void)arg;
	opened++;
}

static void
on_text(void *arg, int stream, const char *s, uint64_t n)
{
	(void)arg;
	assert_true(opened == 1 && ended == 0);
	assert_true(strlen(s) <= FOLLOW_TEXT_MAXBYTES);
	assert_true(s[0] != '\0' ? s[strlen(s) - 1] == '\n' : n > 0);
	ntexts++;
	skipped += n;
	(void)snprintf(text + strlen(text), sizeof(text) - strlen(text),
	    "%d%s", stream, s);
}

static void
on_end(void *arg, const char *why, bool bad)
{
	(void)arg;
	ended++;
	failed = bad;
	(void)strlcpy(end, why, sizeof(end));
	event_base_loopbreak(fk.base);
}

static const struct docker_follow_cbs	cbs = {
	.fc_open = on_open, .fc_text = on_text, .fc_end = on_end
};

static void
begin(const char *name, const char *body, const void *logs, size_t len,
    const struct docker_follow_opts *opts)
{
	memset(&fk, 0, sizeof(fk));
	fk.base = event_base_new();
	fk.api = "1.41";
	assert_non_null(fk.docker = docker_new(fk.base, fk_need_fd, &fk));
	(void)snprintf(fk.im[0].id, sizeof(fk.im[0].id), "sha256:%064d", 1);
	(void)strlcpy(fk.im[0].tags[0], "app:1", sizeof(fk.im[0].tags[0]));
	if (body != NULL)
		assert_non_null(fk_make(&fk, name, body, strlen(body)));
	fk.logs = logs;
	fk.logslen = len;
	text[0] = end[0] = '\0';
	ntexts = opened = ended = 0;
	skipped = 0;
	df = docker_follow(fk.base, fk.docker, opts, &cbs, NULL);
	assert_non_null(df);
}

static void
on_time(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(fk.base);
}

/* Until its end, or so many milliseconds. */
static void
run(unsigned int msec)
{
	struct timeval	 tv = { msec / 1000, (int)(msec % 1000) * 1000 };
	struct event	*ev = evtimer_new(fk.base, on_time, NULL);

	evtimer_add(ev, &tv);
	event_base_dispatch(fk.base);
	event_free(ev);
}

static void
over(void)
{
	docker_free(fk.docker);
	fk_free(&fk);
	event_base_free(fk.base);
}

static void
test_lines(void **state)
{
	static const char	 frames[] = "\1\0\0\0\0\0\0\3ab\n"
	    "\2\0\0\0\0\0\0\2e\n\1\0\0\0\0\0\0\4c\nd\n";
	const struct docker_follow_opts	 fo = { "web", -1, 1795000000,
	    FOLLOW_BOTH, true };

	(void)state;
	begin("web", "{\"Image\":\"app:1\"}", frames, sizeof(frames) - 1, &fo);
	run(5000);
	assert_string_equal(text, "1ab\n2e\n1c\nd\n");
	assert_string_equal(end, "container \"web\" has ended");
	assert_false(failed);
	assert_int_equal(ended, 1);
	assert_non_null(strstr(fk.trace, "/logs?follow=1&stdout=1&stderr=1&"
	    "timestamps=1&since=1795000000&tail=all\n"));
	over();
}

static const char *
on_cause(void *arg)
{
	(void)arg;
	return ("somebody else stopped it");
}

/* The same end, but no good one. */
static void
test_cause(void **state)
{
	struct docker_follow_cbs	 all = cbs;
	const struct docker_follow_opts	 fo = { "web", -1, 0, FOLLOW_BOTH,
	    false };

	(void)state;
	begin("web", "{\"Image\":\"app:1\"}", "\1\0\0\0\0\0\0\3ab\n", 11,
	    &fo);
	docker_follow_free(df);
	all.fc_cause = on_cause;
	assert_non_null(df = docker_follow(fk.base, fk.docker, &fo, &all,
	    NULL));
	run(5000);
	assert_string_equal(text, "1ab\n");
	assert_string_equal(end, "somebody else stopped it");
	assert_true(failed);
	over();
}

static void
test_tty(void **state)
{
	const struct docker_follow_opts	 fo = { "tty", 7, 0, FOLLOW_STDERR,
	    false };

	(void)state;
	begin("tty", "{\"Image\":\"app:1\",\"Tty\":true}", "x\r\nhalf", 7, &fo);
	run(5000);
	assert_string_equal(text, "1x\nhalf\n");
	assert_non_null(strstr(fk.trace, "stdout=0&stderr=1&timestamps=0&"
	    "since=0&tail=7\n"));
	over();
}

static void
test_faults(void **state)
{
	struct docker_follow_opts	 fo = { "nobody", 1, 0, FOLLOW_BOTH,
	    false };

	(void)state;
	begin("web", "{\"Image\":\"app:1\"}", "no frames", 9, &fo);
	run(5000);
	assert_string_equal(end, "container \"nobody\" not found");
	assert_true(failed && opened == 0);
	over();
	fo.fo_name = "web";
	begin("web", "{\"Image\":\"app:1\"}", "no frames", 9, &fo);
	run(5000);
	assert_string_equal(end, "Docker's log stream is broken");
	assert_true(failed);
	over();
	begin("web", "{\"Image\":\"app:1\"}", "", 0, &fo);
	fo.fo_name = "a/../b";
	assert_null(docker_follow(fk.base, fk.docker, &fo, &cbs, NULL));
	assert_int_equal(errno, EINVAL);
	docker_follow_free(df);
	run(50);
	assert_int_equal(ended, 0);
	over();
}

static size_t
count(const char *s)
{
	size_t	 n = 0;

	for (; *s != '\0'; s++)
		n += *s == '\n';
	return (n);
}

/*
 * A reader that takes nothing: the window, then silence while reading stands
 * still, then lines are counted; with credit comes what was kept, how many
 * were not, and the end.
 */
static void
test_stall(void **state)
{
	const struct docker_follow_opts	 fo = { "tty", -1, 0, FOLLOW_BOTH,
	    false };
	const size_t			 nlines = 30000;
	char				*logs, *p;
	size_t				 i, was;

	(void)state;
	assert_non_null(logs = p = malloc(nlines * 64));
	for (i = 0; i < nlines; i++)
		p += snprintf(p, 64, "%060zu\n", i);
	begin("tty", "{\"Image\":\"app:1\",\"Tty\":true}", logs,
	    (size_t)(p - logs), &fo);
	run(1000);
	assert_int_equal(ntexts, FOLLOW_WINDOW);
	assert_int_equal(skipped, 0);
	was = count(text);
	assert_true(was < nlines);
	run(FOLLOW_STALL_MSEC);
	assert_int_equal(ntexts, FOLLOW_WINDOW);
	assert_int_equal(ended, 0);
	for (i = 0; i < 100 && ended == 0; i++) {
		docker_follow_credit(df, 1);
		run(20);
		/* A text for each, and not one more. */
		assert_true(ntexts <= FOLLOW_WINDOW + i + 1);
	}
	assert_int_equal(ended, 1);
	assert_true(skipped > 0);
	assert_true(count(text) - was <= FOLLOW_KEEP_MAXBYTES / 61 + 1);
	assert_int_equal(count(text) + skipped, nlines);
	over();
	free(logs);
}

/* One that is slow, but goes on, misses nothing. */
static void
test_slow(void **state)
{
	const struct docker_follow_opts	 fo = { "tty", -1, 0, FOLLOW_BOTH,
	    false };
	const size_t			 nlines = 30000;
	char				*logs, *p;
	size_t				 i;

	(void)state;
	assert_non_null(logs = p = malloc(nlines * 64));
	for (i = 0; i < nlines; i++)
		p += snprintf(p, 64, "%060zu\n", i);
	begin("tty", "{\"Image\":\"app:1\",\"Tty\":true}", logs,
	    (size_t)(p - logs), &fo);
	run(500);
	for (i = 0; i < 10000 && ended == 0; i++) {
		docker_follow_credit(df, 1);
		run(1);
	}
	assert_int_equal(ended, 1);
	assert_int_equal(skipped, 0);
	assert_int_equal(count(text), nlines);
	over();
	free(logs);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_lines),
		cmocka_unit_test(test_cause),
		cmocka_unit_test(test_tty),
		cmocka_unit_test(test_faults),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_slow),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
