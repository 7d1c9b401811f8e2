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
#include <sys/wait.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "log.h"
#include "utf8.h"
#include "xmalloc.h"

#ifdef SENTINEL_SANITIZE
/* malloc(3) that fails returns NULL, as without the sanitizer. */
const char	*__asan_default_options(void);

const char *
__asan_default_options(void)
{
	return ("allocator_may_return_null=1");
}
#endif

static int	 sock[2];

static int
setup(void **state)
{
	(void)state;
	log_setverbose(0);
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, sock) == -1)
		return (-1);
	log_init("tester", sock[1]);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	log_init("tester", -1);
	log_setsink(NULL);
	(void)close(sock[0]);
	(void)close(sock[1]);
	return (0);
}

/* The next datagram as text; its priority in *pri.  NULL: none. */
static char *
next_line(int *pri)
{
	static char	 line[2 * LOG_LINE_MAXBYTES];
	ssize_t		 n;

	n = recv(sock[0], line, sizeof(line) - 1, MSG_DONTWAIT);
	if (n < 1)
		return (NULL);
	assert_true(n <= LOG_LINE_MAXBYTES);
	line[n] = '\0';
	*pri = line[0];
	return (line + 1);
}

static void
test_levels(void **state)
{
	int	 pri;

	(void)state;
	errno = ENOENT;
	log_warn("file %s", "x");
	assert_int_equal(errno, ENOENT);
	assert_string_equal(next_line(&pri),
	    "file x: No such file or directory");
	assert_int_equal(pri, LOG_WARNING);
	log_warnx("one");
	assert_string_equal(next_line(&pri), "one");
	assert_int_equal(pri, LOG_WARNING);
	log_info("two %d", 2);
	assert_string_equal(next_line(&pri), "two 2");
	assert_int_equal(pri, LOG_INFO);
	assert_int_equal(errno, ENOENT);
	log_debug("not asked for");
	assert_null(next_line(&pri));
	log_setverbose(1);
	assert_int_equal(log_getverbose(), 1);
	log_debug("asked for");
	assert_string_equal(next_line(&pri), "asked for");
	assert_int_equal(pri, LOG_DEBUG);
	assert_string_equal(log_procname(), "tester");
}

/* Cut between characters, and never the reason. */
static void
test_long(void **state)
{
	char	 text[3000], *line;
	size_t	 pad, i;
	int	 pri;

	(void)state;
	for (pad = 0; pad < 4; pad++) {
		memset(text, 'p', pad);
		for (i = pad; i + 2 < sizeof(text); i += 2)
			memcpy(text + i, "\xc3\xa4", 2);
		text[i] = '\0';
		errno = EACCES;
		log_warn("%s", text);
		assert_non_null(line = next_line(&pri));
		assert_true(strlen(line) > LOG_LINE_MAXBYTES - 8);
		assert_true(utf8_is_valid(line, strlen(line)));
		line += strlen(line) - strlen("...: Permission denied");
		assert_string_equal(line, "...: Permission denied");
	}
}

/* A parent that does not read: lines are lost, nothing waits, errno stays. */
static void
test_full_socket(void **state)
{
	int	 i;

	(void)state;
	errno = ENOENT;
	for (i = 0; i < 5000; i++)
		log_info("line %d", i);
	assert_int_equal(errno, ENOENT);
	(void)close(sock[0]);
	log_info("nobody there");
	assert_int_equal(errno, ENOENT);
	sock[0] = -1;
}

static char	 sunk[128];
static int	 sunk_pri;

static void
sink(int pri, const char *text, size_t len)
{
	assert_int_equal(strlen(text), len);
	sunk_pri = pri;
	(void)strlcpy(sunk, text, sizeof(sunk));
}

static void
test_sink(void **state)
{
	int	 pri;

	(void)state;
	log_setsink(sink);
	log_info("to the sink");
	assert_string_equal(sunk, "to the sink");
	assert_int_equal(sunk_pri, LOG_INFO);
	assert_null(next_line(&pri));
	log_setsink(NULL);
	log_info("to the socket");
	assert_string_equal(next_line(&pri), "to the socket");
}

static void
test_fatal(void **state)
{
	pid_t	 pid;
	int	 pri, status;

	(void)state;
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		errno = EPERM;
		fatal("cannot go on");
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_string_equal(next_line(&pri),
	    "cannot go on: Operation not permitted");
	assert_int_equal(pri, LOG_CRIT);
}

static void
test_stderr(void **state)
{
	char	 buf[256];
	ssize_t	 n;
	int	 p[2], saved;

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_not_equal(saved = dup(STDERR_FILENO), -1);
	(void)dup2(p[1], STDERR_FILENO);
	log_init("tester", -1);
	log_info("red \x1b[31m\n");
	(void)dup2(saved, STDERR_FILENO);
	(void)close(saved);
	(void)close(p[1]);
	n = read(p[0], buf, sizeof(buf) - 1);
	(void)close(p[0]);
	assert_true(n > 0);
	buf[n] = '\0';
	assert_string_equal(buf, "tester: red \\033[31m\\n\n");
}

static void
test_xmalloc(void **state)
{
	char	*s, *t, *p;
	size_t	 i;

	(void)state;
	assert_non_null(s = xstrndup("abcdef", 3));
	assert_string_equal(s, "abc");
	assert_int_equal(xasprintf(&t, "%s-%d", s, 7), 5);
	assert_string_equal(t, "abc-7");
	free(t);
	t = xstrdup(s);
	assert_string_equal(t, s);
	free(t);
	free(s);
	free(xmalloc(0));
	free(xcalloc(0, 8));
	free(xmemdup("", 0));
	p = xcalloc(4, 1);
	memcpy(p, "abcd", 4);
	p = xrecallocarray(p, 4, 64, 1);
	assert_memory_equal(p, "abcd", 4);
	for (i = 4; i < 64; i++)
		assert_int_equal(p[i], 0);
	p = xreallocarray(p, 2, 1);
	assert_memory_equal(p, "ab", 2);
	free(p);
}

/* Too large is the end of the process, with a line that says how much. */
static void
test_xmalloc_dies(void **state)
{
	volatile size_t	 n = SIZE_MAX / 4;
	char		*line;
	pid_t		 pid;
	int		 pri, status;

	(void)state;
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		(void)xreallocarray(NULL, n, 8);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WEXITSTATUS(status), 1);
	assert_non_null(line = next_line(&pri));
	assert_non_null(strstr(line, "xreallocarray: "));
	assert_non_null(strstr(line, "memory"));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_levels, setup, teardown),
		cmocka_unit_test_setup_teardown(test_long, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full_socket, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_sink, setup, teardown),
		cmocka_unit_test_setup_teardown(test_fatal, setup, teardown),
		cmocka_unit_test_setup_teardown(test_stderr, setup, teardown),
		cmocka_unit_test(test_xmalloc),
		cmocka_unit_test_setup_teardown(test_xmalloc_dies, setup,
		    teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
