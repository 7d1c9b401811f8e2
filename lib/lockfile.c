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

#include "compat.h"

#include <sys/file.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "lockfile.h"

static pid_t	 lockfile_holder(int);
static int	 lockfile_check(int);

/*
 * Mode 0600, because whoever can open a file can lock it: a readable one would
 * let any user keep the daemon from starting.
 */
int
lockfile_open(const char *path, pid_t *holder)
{
	char	 line[32];
	int	 fd, len, saved_errno;

	if (holder != NULL)
		*holder = 0;
	fd = open(path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK,
	    0600);
	if (fd == -1)
		return (-1);
	if (lockfile_check(fd) == -1)
		goto err;
	if (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		saved_errno = errno;
		if (holder != NULL && errno == EWOULDBLOCK)
			*holder = lockfile_holder(fd);
		errno = saved_errno;
		goto err;
	}
	/* The pid is for people only: a full disk does not undo the lock. */
	len = snprintf(line, sizeof(line), "%d\n", (int)getpid());
	if (ftruncate(fd, 0) == 0)
		(void)!pwrite(fd, line, (size_t)len, 0);
	return (fd);
err:
	saved_errno = errno;
	(void)close(fd);
	errno = saved_errno;
	return (-1);
}

static int
lockfile_check(int fd)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1)
		return (-1);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1 ||
	    st.st_uid != geteuid()) {
		errno = EPERM;
		return (-1);
	}
	return (fchmod(fd, 0600));
}

static pid_t
lockfile_holder(int fd)
{
	char		 line[32];
	const char	*errstr;
	long long	 pid;
	ssize_t		 n;

	if ((n = pread(fd, line, sizeof(line) - 1, 0)) <= 0)
		return (0);
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
	pid = strtonum(line, 1, INT32_MAX, &errstr);
	return (errstr == NULL ? (pid_t)pid : 0);
}
