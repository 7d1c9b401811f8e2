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
#include <sys/un.h>

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sdnotify.h"
#include "utf8.h"

static char	 dir[64], path[100];

/* A manager's socket at name ('@': abstract), and the variable set. */
static int
manager_open(const char *name)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	socklen_t		 len;
	int			 s;

	len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) +
	    strlen(name));
	memcpy(sun.sun_path, name, strlen(name));
	if (name[0] == '@')
		sun.sun_path[0] = '\0';
	else
		len++;
	assert_int_not_equal(s = socket(AF_UNIX,
	    SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), -1);
	assert_int_equal(bind(s, (struct sockaddr *)&sun, len), 0);
	(void)setenv("NOTIFY_SOCKET", name, 1);
	return (s);
}

static const char *
next_message(int s)
{
	static char	 buf[1024];
	ssize_t		 n;

	n = recv(s, buf, sizeof(buf) - 1, 0);
	if (n == -1)
		return (NULL);
	buf[n] = '\0';
	return (buf);
}

static void
check_messages(int s)
{
	char		 text[1000];
	const char	*m;
	uint64_t	 usec;
	size_t		 i;

	assert_int_equal(sdnotify_init(), 0);
	assert_null(getenv("NOTIFY_SOCKET"));
	assert_int_equal(sdnotify_ready(), 0);
	assert_string_equal(next_message(s), "READY=1");
	assert_int_equal(sdnotify_status("%d hosts\nREADY=1", 3), 0);
	assert_string_equal(next_message(s), "STATUS=3 hosts READY=1");
	assert_int_equal(sdnotify_reloading(), 0);
	m = next_message(s);
	assert_int_equal(sscanf(m, "RELOADING=1\nMONOTONIC_USEC=%" SCNu64,
	    &usec), 1);
	assert_true(usec > 0);
	assert_int_equal(sdnotify_stopping(), 0);
	assert_string_equal(next_message(s), "STOPPING=1");

	/* Cut, and still UTF-8. */
	for (i = 0; i + 3 < sizeof(text); i += 3)
		memcpy(text + i, "\xe2\x82\xac", 3);
	text[i] = '\0';
	assert_int_equal(sdnotify_status("%s", text), 0);
	m = next_message(s);
	assert_true(strlen(m) > 250 && strlen(m) < 270);
	assert_true(utf8_is_valid(m, strlen(m)));
	sdnotify_close();
	(void)close(s);
}

static void
test_path(void **state)
{
	(void)state;
	(void)strlcpy(dir, "/tmp/sdnotify_test.XXXXXX", sizeof(dir));
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/s", dir);
	check_messages(manager_open(path));
	(void)unlink(path);
	assert_int_equal(rmdir(dir), 0);
}

static void
test_abstract(void **state)
{
	char	 name[64];

	(void)state;
	(void)snprintf(name, sizeof(name), "@sdnotify_test.%d", (int)getpid());
	check_messages(manager_open(name));
}

static void
test_none(void **state)
{
	char	 longest[200];

	(void)state;
	(void)unsetenv("NOTIFY_SOCKET");
	assert_int_equal(sdnotify_init(), 0);
	assert_int_equal(sdnotify_ready(), 0);

	memset(longest, 'a', sizeof(longest) - 1);
	longest[0] = '/';
	longest[sizeof(longest) - 1] = '\0';
	(void)setenv("NOTIFY_SOCKET", longest, 1);
	assert_int_equal(sdnotify_init(), -1);
	assert_int_equal(errno, EINVAL);
	assert_null(getenv("NOTIFY_SOCKET"));
	(void)setenv("NOTIFY_SOCKET", "relative", 1);
	assert_int_equal(sdnotify_init(), -1);
	(void)setenv("NOTIFY_SOCKET", "@", 1);
	assert_int_equal(sdnotify_init(), -1);
	assert_int_equal(sdnotify_ready(), 0);
}

/* Asked for in microseconds; only when it means us. */
static void
test_watchdog(void **state)
{
	static const struct {
		const char	*usec;
		int		 pid;	/* 0: not set, 1: ours, 2: another */
		unsigned int	 want;
	} cases[] = {
		{ "180000000", 1, 180000 }, { "180000000", 0, 180000 },
		{ "180000000", 2, 0 }, { "", 1, 0 }, { "0", 1, 0 },
		{ "999", 1, 0 }, { "1000", 1, 1 }, { "-5", 1, 0 },
		{ "3e6", 1, 0 }, { "99999999999999999999", 1, 0 },
	};
	char	 name[64], pid[32];
	size_t	 i;
	int	 s;

	(void)state;
	for (i = 0; i < nitems(cases); i++) {
		(void)snprintf(name, sizeof(name), "@sdnotify_wd.%d.%zu",
		    (int)getpid(), i);
		s = manager_open(name);
		(void)setenv("WATCHDOG_USEC", cases[i].usec, 1);
		(void)unsetenv("WATCHDOG_PID");
		(void)snprintf(pid, sizeof(pid), "%d", (int)getpid() +
		    (cases[i].pid == 2));
		if (cases[i].pid != 0)
			(void)setenv("WATCHDOG_PID", pid, 1);
		assert_int_equal(sdnotify_init(), 0);
		assert_null(getenv("WATCHDOG_USEC"));
		assert_null(getenv("WATCHDOG_PID"));
		assert_int_equal(sdnotify_watchdog_msec(), cases[i].want);
		assert_int_equal(sdnotify_watchdog(), 0);
		if (cases[i].want != 0)
			assert_string_equal(next_message(s), "WATCHDOG=1");
		else
			assert_null(next_message(s));
		(void)close(s);
	}
	sdnotify_close();
	assert_int_equal(sdnotify_watchdog_msec(), 0);
	assert_int_equal(sdnotify_watchdog(), 0);
}

/* A manager that does not read costs a message, not the event loop. */
static void
test_stalled(void **state)
{
	char	 name[64];
	int	 i, s, r = 0;

	(void)state;
	(void)snprintf(name, sizeof(name), "@sdnotify_full.%d", (int)getpid());
	s = manager_open(name);
	assert_int_equal(sdnotify_init(), 0);
	for (i = 0; i < 10000 && r == 0; i++)
		r = sdnotify_ready();
	assert_int_equal(r, -1);
	assert_int_equal(errno, EAGAIN);
	(void)close(s);
	assert_int_equal(sdnotify_ready(), -1);
	sdnotify_close();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_path),
		cmocka_unit_test(test_abstract),
		cmocka_unit_test(test_none),
		cmocka_unit_test(test_watchdog),
		cmocka_unit_test(test_stalled),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
