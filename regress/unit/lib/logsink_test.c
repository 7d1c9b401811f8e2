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

#include <sys/socket.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "log.h"
#include "logsink.h"
#include "monotime.h"

/* A clock that the test moves, and the real length of the sink's timers. */
static monotime_t	 now;
static struct timeval	 timer_length;

monotime_t
monotime_now(void)
{
	return (now);
}

int
monotime_left(monotime_t deadline)
{
	return ((int)(deadline - now));
}

struct timeval
monotime_timeval(uint64_t msec)
{
	(void)msec;
	return (timer_length);
}

static struct event_base *base;
static int	 saved_stderr, out[2];

static void
capture(bool on)
{
	(void)dup2(on ? out[1] : saved_stderr, STDERR_FILENO);
}

static int
setup(void **state)
{
	(void)state;
	log_init("parent", -1);
	now += 1000000;
	timer_length.tv_sec = 3600;
	if ((base = event_base_new()) == NULL || pipe(out) == -1 ||
	    fcntl(out[0], F_SETFL, O_NONBLOCK) == -1 ||
	    (saved_stderr = dup(STDERR_FILENO)) == -1)
		return (-1);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	capture(true);
	logsink_close();
	capture(false);
	event_base_free(base);
	(void)close(out[0]);
	(void)close(out[1]);
	(void)close(saved_stderr);
	(void)unsetenv("JOURNAL_STREAM");
	return (0);
}

/* What was written since the last call, as one string. */
static const char *
written(void)
{
	static char	 buf[65536];
	ssize_t		 n;

	n = read(out[0], buf, sizeof(buf) - 1);
	buf[n > 0 ? n : 0] = '\0';
	return (buf);
}

static void
child_says(int s, int pri, const char *text, size_t len)
{
	char	 line[4096];

	line[0] = (char)pri;
	memcpy(line + 1, text, len);
	(void)send(s, line, len + 1, MSG_DONTWAIT);
}

static int
add_child(const char *name, int *id)
{
	int	 s[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, s),
	    0);
	assert_true((*id = logsink_add(name, s[0])) > 0);
	return (s[1]);
}

static void
turn(void)
{
	capture(true);
	(void)event_base_loop(base, EVLOOP_NONBLOCK);
	capture(false);
}

static void
open_journal(void)
{
	struct stat	 st;
	char		 env[64];

	assert_int_equal(fstat(out[1], &st), 0);
	(void)snprintf(env, sizeof(env), "%ju:%ju", (uintmax_t)st.st_dev,
	    (uintmax_t)st.st_ino);
	(void)setenv("JOURNAL_STREAM", env, 1);
	capture(true);
	logsink_open(base, "test", LOGSINK_STDERR);
	capture(false);
}

static void
test_journal(void **state)
{
	int	 id, s;

	(void)state;
	open_journal();
	s = add_child("engine", &id);
	child_says(s, LOG_INFO, "hello", 5);
	child_says(s, LOG_WARNING, "two\nlines \x1b", 11);
	/* Not onto every terminal. */
	child_says(s, LOG_EMERG, "loud", 4);
	/* No priority: stderr */
	(void)send(s, "*** stack smashing detected ***\n", 32, 0);
	child_says(s, -1, "odd", 3);
	(void)send(s, "", 0, 0);
	(void)send(s, "\n", 1, 0);
	turn();
	assert_string_equal(written(), "<6>engine: hello\n"
	    "<4>engine: two\\nlines \\033\n<2>engine: loud\n"
	    "<4>engine: *** stack smashing detected ***\n"
	    "<4>engine: \\377odd\n<4>engine: \n<4>engine: \n");
	capture(true);
	log_info("own line");
	capture(false);
	assert_string_equal(written(), "<6>parent: own line\n");
	logsink_remove(id);
	(void)close(s);
}

static void
test_plain(void **state)
{
	const char	*w;
	int		 day, hour, id, min, mon, s, sec, year, at = 0;

	(void)state;
	/* Of another stream: not the journal. */
	(void)setenv("JOURNAL_STREAM", "1:2", 1);
	capture(true);
	logsink_open(base, "test", LOGSINK_STDERR);
	capture(false);
	s = add_child("docker", &id);
	child_says(s, LOG_WARNING, "text", 4);
	turn();
	w = written();
	assert_int_equal(sscanf(w, "%4d-%2d-%2d %2d:%2d:%2d %n", &year, &mon,
	    &day, &hour, &min, &sec, &at), 6);
	assert_string_equal(w + at, "warn docker: text\n");
	(void)close(s);
}

static void
test_long_line(void **state)
{
	const char	*w;
	char		 text[3000];
	int		 id, s;

	(void)state;
	open_journal();
	s = add_child("web", &id);
	memset(text, 0x01, sizeof(text));
	child_says(s, LOG_INFO, text, sizeof(text));
	turn();
	w = written();
	/* One line, one write that a pipe takes whole. */
	assert_ptr_equal(strchr(w, '\n'), w + strlen(w) - 1);
	assert_true(strlen(w) <= 4096);
	assert_true(strlen(w) > 3900);
	(void)close(s);
}

static unsigned int
count_lines(const char *w, const char *needle)
{
	unsigned int	 n = 0;

	for (; (w = strstr(w, needle)) != NULL; w++)
		n++;
	return (n);
}

static void
flood(int s, unsigned int n)
{
	unsigned int	 i;

	for (i = 0; i < n; i++) {
		child_says(s, LOG_INFO, "flood", 5);
		if (i % 8 == 7)
			turn();
	}
	turn();
}

static void
test_rate(void **state)
{
	int		 a, b, ida, idb;

	(void)state;
	open_journal();
	a = add_child("uplink", &ida);
	b = add_child("engine", &idb);
	flood(a, LOGSINK_RATE_LINES);
	assert_int_equal(count_lines(written(), "flood\n"),
	    LOGSINK_RATE_LINES);
	/* Over the limit; another process is not. */
	flood(a, 5);
	child_says(b, LOG_INFO, "quiet one", 9);
	turn();
	assert_string_equal(written(), "<6>engine: quiet one\n");
	now += LOGSINK_RATE_MSEC;
	flood(a, 1);
	assert_string_equal(written(),
	    "<4>uplink: suppressed 5 lines\n<6>uplink: flood\n");
	(void)close(a);
	(void)close(b);
}

/* A child that floods on is not even read, until its window is over. */
static void
test_deaf(void **state)
{
	const char	*w;
	unsigned int	 n;
	int		 id, s;

	(void)state;
	open_journal();
	timer_length.tv_sec = 1;
	s = add_child("control", &id);
	flood(s, LOGSINK_RATE_LINES);
	(void)written();
	flood(s, 20 * LOGSINK_RATE_LINES);
	assert_string_equal(written(), "");
	capture(true);
	(void)event_base_loop(base, EVLOOP_ONCE);	/* the timer */
	capture(false);
	turn();
	w = written();
	assert_int_equal(sscanf(w, "<4>control: suppressed %u lines\n", &n), 1);
	assert_in_range(n, 10 * LOGSINK_RATE_LINES,
	    11 * LOGSINK_RATE_LINES);
	assert_true(count_lines(w, "flood\n") > 0);
	(void)close(s);
}

/* The last line of a dead child comes out, limit or not. */
static void
test_last_words(void **state)
{
	size_t	 fds;
	int	 id, s;

	(void)state;
	open_journal();
	fds = unit_count_fds();
	s = add_child("cluster", &id);
	flood(s, LOGSINK_RATE_LINES);
	(void)written();
	child_says(s, LOG_INFO, "lost", 4);
	child_says(s, LOG_CRIT, "why I died", 10);
	(void)close(s);
	capture(true);
	logsink_remove(id);
	capture(false);
	assert_string_equal(written(), "<4>cluster: suppressed 1 lines\n"
	    "<2>cluster: why I died\n");
	assert_int_equal(unit_count_fds(), fds);
	logsink_remove(id);	/* unknown by now */
}

/* Nobody reads our stderr: no wait, the loss is counted. */
static void
test_stalled_reader(void **state)
{
	const char	*w;
	char		 fill[4096];
	int		 id, s;

	(void)state;
	open_journal();
	s = add_child("engine", &id);
	memset(fill, 'f', sizeof(fill));
	assert_int_equal(fcntl(out[1], F_SETFL, O_NONBLOCK), 0);
	while (write(out[1], fill, sizeof(fill)) > 0)
		;
	assert_int_equal(fcntl(out[1], F_SETFL, 0), 0);
	child_says(s, LOG_INFO, "one", 3);
	child_says(s, LOG_INFO, "two", 3);
	turn();
	while (*written() != '\0')
		;
	child_says(s, LOG_INFO, "three", 5);
	turn();
	w = written();
	assert_string_equal(w, "<6>engine: three\n"
	    "<6>log: 2 lines were lost: standard error was not read\n");
	(void)close(s);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_journal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long_line, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_rate, setup, teardown),
		cmocka_unit_test_setup_teardown(test_deaf, setup, teardown),
		cmocka_unit_test_setup_teardown(test_last_words, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_stalled_reader, setup,
		    teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
