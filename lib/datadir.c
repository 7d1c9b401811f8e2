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

#include "datadir.h"

#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "keyfile.h"
#include "lockfile.h"

#define DATADIR_DEPTH_MAX	4	/* Berkeley DB home is flat */

static int	 join(char *, size_t, const char *, const char *, char *,
		    size_t);
static int	 make_dir(const char *, mode_t, char *, size_t);
static int	 check_dir(const char *, mode_t, bool, char *, size_t);
static int	 check_role(const struct datadir_want *, char *, size_t);
static int	 check_cluster(const struct datadir_want *, char *, size_t);
static int	 give_dir(int, const char *, const struct datadir_want *, int,
		    char *, size_t);
static int	 give_entry(int, const char *, const struct datadir_want *,
		    int, char *, size_t);

static const char *const	server_files[] = { "ca-key.pem",
	"hmac-key.bin", NULL };
static const char *const	agent_files[] = { "agent-key.pem",
	"agent.pem", "host-id", NULL };

int
datadir_prepare(const struct datadir_want *dw, char *err, size_t errlen)
{
	const char	*sub = dw->dw_role == DATADIR_SERVER ? "db" : "state";
	char		 path[PATH_MAX];
	pid_t		 holder = 0;
	int		 fd, rc;

	if (make_dir(dw->dw_data, 0711, err, errlen) == -1)
		return (-1);
	if (check_dir(dw->dw_data, 0755, true, err, errlen) == -1 ||
	    join(path, sizeof(path), dw->dw_data, "lock", err, errlen) == -1)
		return (-1);
	/* The descriptor, and with it the lock, lives as long as we do. */
	if (lockfile_open(path, &holder) == -1) {
		if (errno == EWOULDBLOCK)
			snprintf(err, errlen, "%s: held by pid %d; only one "
			    "daemon may use %s", path, (int)holder,
			    dw->dw_data);
		else
			snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return (-1);
	}
	if (check_role(dw, err, errlen) == -1 ||
	    make_dir(dw->dw_cluster, 0700, err, errlen) == -1 ||
	    check_dir(dw->dw_cluster, 0700, true, err, errlen) == -1 ||
	    check_cluster(dw, err, errlen) == -1 ||
	    make_dir(dw->dw_run, 0755, err, errlen) == -1 ||
	    check_dir(dw->dw_run, 0755, true, err, errlen) == -1 ||
	    join(path, sizeof(path), dw->dw_run, "empty", err, errlen) ==
	    -1 || make_dir(path, 0555, err, errlen) == -1 ||
	    check_dir(path, 0755, true, err, errlen) == -1)
		return (-1);
	if (join(path, sizeof(path), dw->dw_data, sub, err, errlen) == -1 ||
	    make_dir(path, 0700, err, errlen) == -1 ||
	    check_dir(path, 0755, dw->dw_keep, err, errlen) == -1)
		return (-1);
	if (dw->dw_keep)
		return (0);
	fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd == -1) {
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return (-1);
	}
	rc = give_dir(fd, path, dw, 0, err, errlen);
	close(fd);
	return (rc);
}

/* Parents of the directory are made too (run_dir below build/demo). */
static int
make_dir(const char *path, mode_t mode, char *err, size_t errlen)
{
	char		 part[PATH_MAX];
	char		*p;

	if (strlcpy(part, path, sizeof(part)) >= sizeof(part)) {
		snprintf(err, errlen, "%s: path too long", path);
		return (-1);
	}
	for (p = strchr(part + 1, '/'); p != NULL; p = strchr(p + 1, '/')) {
		*p = '\0';
		if (mkdir(part, 0755) == -1 && errno != EEXIST) {
			snprintf(err, errlen, "%s: mkdir: %s", part,
			    strerror(errno));
			return (-1);
		}
		*p = '/';
	}
	if (mkdir(path, mode) == -1) {
		if (errno != EEXIST) {
			snprintf(err, errlen, "%s: mkdir: %s", path,
			    strerror(errno));
			return (-1);
		}
		return (0);
	}
	if (chmod(path, mode) == -1) {		/* whatever the umask is */
		snprintf(err, errlen, "%s: chmod: %s", path, strerror(errno));
		return (-1);
	}
	return (keyfile_syncdir(path, err, errlen));
}

static int
join(char *dst, size_t len, const char *dir, const char *name, char *err,
    size_t errlen)
{
	if ((size_t)snprintf(dst, len, "%s/%s", dir, name) < len)
		return (0);
	snprintf(err, errlen, "%s/%s: path too long", dir, name);
	return (-1);
}

/*
 * What is there may be older than we are: a real directory, of ours, with no
 * bit that is not among those in most.
 */
static int
check_dir(const char *path, mode_t most, bool ours, char *err, size_t errlen)
{
	struct stat	 st;

	if (lstat(path, &st) == -1) {
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return (-1);
	}
	if (!S_ISDIR(st.st_mode)) {
		snprintf(err, errlen, "%s: not a directory", path);
		return (-1);
	}
	if (ours && st.st_uid != geteuid()) {
		snprintf(err, errlen, "%s: owned by uid %u, must be uid %u: "
		    "whoever owns it can replace what is in it; chown it",
		    path, st.st_uid, geteuid());
		return (-1);
	}
	if ((st.st_mode & 022) != 0) {
		snprintf(err, errlen, "%s: mode %04o lets group or others "
		    "write; chmod go-w it", path, st.st_mode & 07777);
		return (-1);
	}
	if ((st.st_mode & 0777 & ~most) == 0)
		return (0);
	/* Ours and too open: of the directories that we alone use. */
	if (chmod(path, most) == -1) {
		snprintf(err, errlen, "%s: chmod: %s", path, strerror(errno));
		return (-1);
	}
	return (0);
}

/* data_dir/role: written once, compared ever after. */
static int
check_role(const struct datadir_want *dw, char *err, size_t errlen)
{
	const char	*want = dw->dw_role == DATADIR_SERVER ? "server\n" :
			    "agent\n";
	char		 path[PATH_MAX], have[16];
	ssize_t		 n;
	int		 fd;

	if (join(path, sizeof(path), dw->dw_data, "role", err, errlen) == -1)
		return (-1);
	if ((fd = keyfile_open(path, KEYFILE_PUBLIC, err, errlen)) == -1) {
		if (errno != ENOENT)
			return (-1);
		if (keyfile_write(path, want, strlen(want), err, errlen) == -1)
			return (-1);
		return (keyfile_commit(path, err, errlen));
	}
	n = read(fd, have, sizeof(have));
	close(fd);
	if (n != (ssize_t)strlen(want) ||
	    memcmp(have, want, (size_t)n) != 0) {
		snprintf(err, errlen, "%s: this directory belongs to the other "
		    "daemon; give %.*s a data_dir of its own", path,
		    (int)strlen(want) - 1, want);
		return (-1);
	}
	return (0);
}

static int
check_cluster(const struct datadir_want *dw, char *err, size_t errlen)
{
	const char *const	*foreign;
	char			 path[PATH_MAX];

	foreign = dw->dw_role == DATADIR_SERVER ? agent_files : server_files;
	for (; *foreign != NULL; foreign++) {
		if (join(path, sizeof(path), dw->dw_cluster, *foreign, err,
		    errlen) == -1)
			return (-1);
		if (!keyfile_exists(path))
			continue;
		snprintf(err, errlen, "%s: a file of the %s; the %s would "
		    "overwrite ca.pem beside it: set another cluster "
		    "directory", path,
		    dw->dw_role == DATADIR_SERVER ? "agent" : "server",
		    dw->dw_role == DATADIR_SERVER ? "server" : "agent");
		return (-1);
	}
	return (0);
}

/*
 * chown through descriptors only, so that nothing can be swapped in between;
 * a hard link would carry a foreign file into the engine's hands.
 */
static int
give_entry(int dirfd, const char *name, const struct datadir_want *dw,
    int depth, char *err, size_t errlen)
{
	struct stat	 st;
	int		 fd, rc;

	fd = openat(dirfd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK |
	    O_CLOEXEC);
	if (fd == -1 || fstat(fd, &st) == -1) {
		snprintf(err, errlen, "%s: %s", name, strerror(errno));
		if (fd != -1)
			close(fd);
		return (-1);
	}
	if (S_ISDIR(st.st_mode))
		rc = give_dir(fd, name, dw, depth + 1, err, errlen);
	else if (S_ISREG(st.st_mode) && st.st_nlink == 1) {
		rc = fchown(fd, dw->dw_uid, dw->dw_gid);
		if (rc == -1)
			snprintf(err, errlen, "%s: chown: %s", name,
			    strerror(errno));
	} else {
		snprintf(err, errlen, "%s: not a regular file with one link, "
		    "nor a directory; remove it", name);
		rc = -1;
	}
	close(fd);
	return (rc);
}

static int
give_dir(int fd, const char *name, const struct datadir_want *dw, int depth,
    char *err, size_t errlen)
{
	struct dirent	*de;
	DIR		*dir;
	int		 copy, rc = 0;

	if (depth > DATADIR_DEPTH_MAX) {
		snprintf(err, errlen, "%s: nested too deep", name);
		return (-1);
	}
	if (fchown(fd, dw->dw_uid, dw->dw_gid) == -1 ||
	    fchmod(fd, 0700) == -1 ||
	    (copy = fcntl(fd, F_DUPFD_CLOEXEC, 3)) == -1) {
		snprintf(err, errlen, "%s: chown: %s", name, strerror(errno));
		return (-1);
	}
	if ((dir = fdopendir(copy)) == NULL) {
		snprintf(err, errlen, "%s: %s", name, strerror(errno));
		close(copy);
		return (-1);
	}
	while (rc == 0 && (de = readdir(dir)) != NULL) {
		if (strcmp(de->d_name, ".") == 0 ||
		    strcmp(de->d_name, "..") == 0)
			continue;
		rc = give_entry(fd, de->d_name, dw, depth, err, errlen);
	}
	closedir(dir);
	return (rc);
}
