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

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lockfile.h"

static char	 dir[64], path[128];

static int
setup(void **state)
{
	(void)state;
	(void)strlcpy(dir, "/tmp/lockfile_test.XXXXXX", sizeof(dir));
	if (mkdtemp(dir) == NULL)
		return (-1);
	(void)snprintf(path, sizeof(path), "%s/lock", dir);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(path);
	return (rmdir(dir));
}

static void
test_lock(void **state)
{
	struct stat	 st;
	pid_t		 holder = 12345;
	char		 line[32], want[32];
	ssize_t		 n;
	int		 fd;

	(void)state;
	/* A longer text of an earlier holder is gone. */
	assert_int_not_equal(fd = open(path, O_CREAT | O_WRONLY, 0644), -1);
	assert_int_equal(write(fd, "99999999999999999\n", 18), 18);
	(void)close(fd);
	assert_int_not_equal(fd = lockfile_open(path, &holder), -1);
	assert_int_equal(holder, 0);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	n = pread(fd, line, sizeof(line) - 1, 0);
	assert_true(n > 0);
	line[n] = '\0';
	(void)snprintf(want, sizeof(want), "%d\n", (int)getpid());
	assert_string_equal(line, want);

	/* flock(2) is per open file, so one process can play both. */
	assert_int_equal(lockfile_open(path, &holder), -1);
	assert_int_equal(errno, EWOULDBLOCK);
	assert_int_equal(holder, getpid());
	assert_int_equal(lockfile_open(path, NULL), -1);
	(void)close(fd);
	assert_int_not_equal(fd = lockfile_open(path, NULL), -1);
	(void)close(fd);
}

/* Killed, it leaves the file but no lock. */
static void
test_killed(void **state)
{
	pid_t	 holder, pid;
	char	 c;
	int	 fd, p[2], status;

	(void)state;
	assert_int_equal(pipe(p), 0);
	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		if (lockfile_open(path, NULL) == -1)
			_exit(1);
		(void)!write(p[1], "x", 1);
		pause();
		_exit(0);
	}
	assert_int_equal(read(p[0], &c, 1), 1);
	assert_int_equal(lockfile_open(path, &holder), -1);
	assert_int_equal(holder, pid);
	assert_int_equal(kill(pid, SIGKILL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_not_equal(fd = lockfile_open(path, NULL), -1);
	(void)close(fd);
	(void)close(p[0]);
	(void)close(p[1]);
}

static void
test_refused(void **state)
{
	char	 other[160];
	size_t	 fds = unit_count_fds();
	int	 fd;

	(void)state;
	(void)snprintf(other, sizeof(other), "%s.other", path);
	assert_int_equal(symlink("/dev/null", path), 0);
	assert_int_equal(lockfile_open(path, NULL), -1);
	assert_int_equal(errno, ELOOP);
	(void)unlink(path);
	assert_int_equal(mkfifo(path, 0600), 0);
	assert_int_equal(lockfile_open(path, NULL), -1);
	assert_int_equal(errno, EPERM);
	(void)unlink(path);
	assert_int_not_equal(fd = open(other, O_CREAT | O_WRONLY, 0600), -1);
	(void)close(fd);
	assert_int_equal(link(other, path), 0);
	assert_int_equal(lockfile_open(path, NULL), -1);
	assert_int_equal(errno, EPERM);
	(void)unlink(other);
	(void)unlink(path);
	assert_int_equal(lockfile_open("/nonexistent/lock", NULL), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(unit_count_fds(), fds);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_lock, setup, teardown),
		cmocka_unit_test_setup_teardown(test_killed, setup, teardown),
		cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
