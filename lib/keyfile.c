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

#include "keyfile.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int	 check(int, const char *, enum keyfile_kind, char *, size_t);
static int	 new_path(const char *, char *, size_t, char *, size_t);

/* Looked at through the descriptor: what is checked is what is used. */
static int
check(int fd, const char *path, enum keyfile_kind kind, char *err,
    size_t errlen)
{
	struct stat	 st;

	if (fstat(fd, &st) == -1) {
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return (-1);
	}
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1) {
		snprintf(err, errlen, "%s: not a regular file with one link; "
		    "remove it or put the real file there", path);
		return (-1);
	}
	if (st.st_uid != geteuid()) {
		snprintf(err, errlen, "%s: owned by uid %u, must be uid %u; "
		    "chown it", path, st.st_uid, geteuid());
		return (-1);
	}
	if (kind == KEYFILE_SECRET && (st.st_mode & 077) != 0) {
		snprintf(err, errlen, "%s: mode %04o lets group or others in; "
		    "chmod 600 it, and replace the key if it was read", path,
		    st.st_mode & 07777);
		return (-1);
	}
	if ((st.st_mode & 022) != 0) {
		snprintf(err, errlen, "%s: mode %04o lets group or others "
		    "write; chmod go-w it", path, st.st_mode & 07777);
		return (-1);
	}
	if (st.st_size > KEYFILE_MAXBYTES) {
		snprintf(err, errlen, "%s: larger than %d bytes: not a key or "
		    "certificate file", path, KEYFILE_MAXBYTES);
		return (-1);
	}
	return (0);
}

int
keyfile_open(const char *path, enum keyfile_kind kind, char *err,
    size_t errlen)
{
	int	 fd;

	/* O_NONBLOCK: a FIFO put there must not hang us. */
	fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1) {
		int saved = errno;

		snprintf(err, errlen, "%s: %s", path, saved == ELOOP ?
		    "is a symbolic link; put the file itself there" :
		    strerror(saved));
		errno = saved;
		return (-1);
	}
	if (check(fd, path, kind, err, errlen) == -1) {
		close(fd);
		errno = EPERM;
		return (-1);
	}
	return (fd);
}

static int
new_path(const char *path, char *dst, size_t len, char *err, size_t errlen)
{
	if ((size_t)snprintf(dst, len, "%s.new", path) >= len) {
		snprintf(err, errlen, "%s: path too long", path);
		errno = ENAMETOOLONG;
		return (-1);
	}
	return (0);
}

int
keyfile_create(const char *path, char *err, size_t errlen)
{
	char	 tmp[PATH_MAX];
	int	 fd;

	if (new_path(path, tmp, sizeof(tmp), err, errlen) == -1)
		return (-1);
	fd = open(tmp, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
	    0600);
	if (fd != -1)
		return (fd);
	if (errno == EEXIST)
		fd = open(tmp, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	if (fd == -1) {
		snprintf(err, errlen, "%s: %s", tmp, strerror(errno));
		return (-1);
	}
	if (check(fd, tmp, KEYFILE_SECRET, err, errlen) == -1) {
		close(fd);
		errno = EPERM;
		return (-1);
	}
	return (fd);
}

int
keyfile_write(const char *path, const void *data, size_t len, char *err,
    size_t errlen)
{
	const char	*p = data;
	ssize_t		 n;
	size_t		 off;
	int		 fd;

	if ((fd = keyfile_create(path, err, errlen)) == -1)
		return (-1);
	if (ftruncate(fd, 0) == -1)
		goto fail;
	for (off = 0; off < len; off += (size_t)n) {
		if ((n = write(fd, p + off, len - off)) == -1) {
			if (errno == EINTR) {
				n = 0;
				continue;
			}
			goto fail;
		}
	}
	if (fsync(fd) == -1)
		goto fail;
	close(fd);
	return (0);
 fail:
	snprintf(err, errlen, "%s.new: write: %s", path, strerror(errno));
	close(fd);
	return (-1);
}

int
keyfile_syncdir(const char *path, char *err, size_t errlen)
{
	char	 dir[PATH_MAX];
	int	 fd, rc;

	if (strlcpy(dir, path, sizeof(dir)) >= sizeof(dir) ||
	    (fd = open(dirname(dir), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) ==
	    -1) {
		snprintf(err, errlen, "directory of %s: %s", path,
		    strerror(errno));
		return (-1);
	}
	if ((rc = fsync(fd)) == -1)
		snprintf(err, errlen, "directory of %s: fsync: %s", path,
		    strerror(errno));
	close(fd);
	return (rc);
}

int
keyfile_commit(const char *path, char *err, size_t errlen)
{
	char	 tmp[PATH_MAX];

	if (new_path(path, tmp, sizeof(tmp), err, errlen) == -1)
		return (-1);
	if (rename(tmp, path) == -1) {
		snprintf(err, errlen, "%s: rename: %s", tmp, strerror(errno));
		return (-1);
	}
	return (keyfile_syncdir(path, err, errlen));
}

bool
keyfile_exists(const char *path)
{
	struct stat	 st;

	return (lstat(path, &st) == 0);
}
