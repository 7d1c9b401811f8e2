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
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "datadir.h"

/*
 * Directories of a daemon.  The lock is held until the end of a process, so
 * each attempt is made by one of its own.
 */
#define ENGINE_UID	54321

static char			dir[64], err[PATH_MAX + 256];
static char			data[128], cluster[160], run[160];
static struct datadir_want	want;

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/datadir_test.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return (-1);
	(void)snprintf(data, sizeof(data), "%s/lib/data", dir);
	(void)snprintf(cluster, sizeof(cluster), "%s/cluster", data);
	(void)snprintf(run, sizeof(run), "%s/run/sentinel", dir);
	memset(&want, 0, sizeof(want));
	want.dw_role = DATADIR_SERVER;
	want.dw_data = data;
	want.dw_cluster = cluster;
	want.dw_run = run;
	want.dw_keep = geteuid() != 0;
	want.dw_uid = want.dw_gid = ENGINE_UID;
	return (0);
}

static int
teardown(void **state)
{
	char	 cmd[128];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return (system(cmd) == 0 ? 0 : -1);
}

/* 0, or -1 and the reason in err. */
static int
prepare(void)
{
	ssize_t	 n;
	pid_t	 pid;
	int	 fds[2], status;

	assert_int_equal(pipe(fds), 0);
	if ((pid = fork()) == 0) {
		err[0] = '\0';
		status = datadir_prepare(&want, err, sizeof(err));
		if (status == -1 && write(fds[1], err, strlen(err)) == -1)
			_exit(2);
		_exit(status == 0 ? 0 : 1);
	}
	assert_int_not_equal(pid, -1);
	close(fds[1]);
	n = read(fds[0], err, sizeof(err) - 1);
	err[n > 0 ? n : 0] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) < 2);
	assert_true((WEXITSTATUS(status) == 0) == (err[0] == '\0'));
	return (WEXITSTATUS(status) == 0 ? 0 : -1);
}

static void
refused(const char *word)
{
	assert_int_equal(prepare(), -1);
	if (strstr(err, word) == NULL)
		fail_msg("\"%s\" is not in: %s", word, err);
}

static struct stat
look(const char *base, const char *name)
{
	struct stat	 st;
	char		 path[PATH_MAX];

	(void)snprintf(path, sizeof(path), "%s/%s", base, name);
	if (lstat(path, &st) == -1)
		fail_msg("%s: %s", path, strerror(errno));
	return (st);
}

static void
put(const char *base, const char *name)
{
	char	 path[PATH_MAX];
	int	 fd;

	(void)snprintf(path, sizeof(path), "%s/%s", base, name);
	fd = open(path, O_WRONLY | O_CREAT, 0600);
	assert_int_not_equal(fd, -1);
	close(fd);
}

static void
test_first(void **state)
{
	mode_t	 old = umask(0);

	(void)state;
	assert_int_equal(prepare(), 0);
	umask(077);
	assert_int_equal(prepare(), 0);
	umask(old);
	assert_int_equal(look(data, ".").st_mode & 07777, 0711);
	assert_int_equal(look(data, "cluster").st_mode & 07777, 0700);
	assert_int_equal(look(data, "db").st_mode & 07777, 0700);
	assert_int_equal(look(data, "lock").st_mode & 07777, 0600);
	assert_int_equal(look(run, "empty").st_mode & 07777, 0555);
	assert_int_equal(look(run, ".").st_mode & 07777, 0755);
	if (geteuid() == 0) {
		assert_int_equal(look(data, "db").st_uid, ENGINE_UID);
		assert_int_equal(look(data, "cluster").st_uid, 0);
	}
}

static void
test_roles(void **state)
{
	(void)state;
	assert_int_equal(prepare(), 0);
	want.dw_role = DATADIR_AGENT;
	refused("other daemon");
	/* Files of the other one, in a cluster directory of its own. */
	want.dw_role = DATADIR_SERVER;
	put(cluster, "agent-key.pem");
	refused("agent-key.pem");
}

static void
test_modes(void **state)
{
	char	 path[PATH_MAX];

	(void)state;
	assert_int_equal(prepare(), 0);
	assert_int_equal(chmod(data, 0775), 0);
	refused("chmod go-w");
	assert_int_equal(chmod(data, 0711), 0);
	assert_int_equal(chmod(cluster, 0702), 0);
	refused("chmod go-w");
	/* Too open for reading only: put right. */
	assert_int_equal(chmod(cluster, 0755), 0);
	assert_int_equal(prepare(), 0);
	assert_int_equal(look(data, "cluster").st_mode & 07777, 0700);
	(void)snprintf(path, sizeof(path), "%s/empty", run);
	assert_int_equal(chmod(path, 0777), 0);
	refused("empty");
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(symlink("/tmp", path), 0);
	refused("not a directory");
	assert_int_equal(unlink(path), 0);
	(void)snprintf(path, sizeof(path), "%s/role", data);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/etc/hostname", path), 0);
	refused("symbolic link");
}

static void
test_lock(void **state)
{
	int	 ready[2], end[2];
	char	 c = 'x';
	pid_t	 pid;

	(void)state;
	assert_int_equal(pipe(ready), 0);
	assert_int_equal(pipe(end), 0);
	if ((pid = fork()) == 0) {
		close(end[1]);
		c = datadir_prepare(&want, err, sizeof(err)) == 0 ? 'y' : 'n';
		if (write(ready[1], &c, 1) != 1 || read(end[0], &c, 1) != 0)
			_exit(1);
		_exit(0);
	}
	assert_int_equal(read(ready[0], &c, 1), 1);
	assert_int_equal(c, 'y');
	refused("held by pid");
	close(end[1]);
	assert_int_equal(waitpid(pid, NULL, 0), pid);
	assert_int_equal(prepare(), 0);
	close(ready[0]);
	close(ready[1]);
	close(end[0]);
}

static void
test_owner(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(prepare(), 0);
	assert_int_equal(chown(cluster, ENGINE_UID, 0), 0);
	refused("owned by uid 54321");
	assert_int_equal(chown(cluster, 0, 0), 0);
	assert_int_equal(chown(data, ENGINE_UID, 0), 0);
	refused("owned by uid 54321");
	assert_int_equal(chown(data, 0, 0), 0);
	assert_int_equal(chown(run, ENGINE_UID, 0), 0);
	refused("owned by uid 54321");
}

/* What the engine could have left in its directory to be given more. */
static void
test_give(void **state)
{
	char	 db[PATH_MAX], a[PATH_MAX], b[PATH_MAX];

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_int_equal(prepare(), 0);
	(void)snprintf(db, sizeof(db), "%s/db", data);
	put(db, "log.1");
	(void)snprintf(a, sizeof(a), "%.200s/sub", db);
	assert_int_equal(mkdir(a, 0755), 0);
	put(a, "deep");
	assert_int_equal(chown(db, 1, 1), 0);	/* an engine id of before */
	assert_int_equal(prepare(), 0);
	assert_int_equal(look(db, ".").st_uid, ENGINE_UID);
	assert_int_equal(look(db, "log.1").st_uid, ENGINE_UID);
	assert_int_equal(look(a, "deep").st_uid, ENGINE_UID);
	assert_int_equal(look(db, "sub").st_mode & 07777, 0700);
	/* A hard link to a file of root. */
	put(data, "precious");
	(void)snprintf(a, sizeof(a), "%.200s/precious", data);
	(void)snprintf(b, sizeof(b), "%.200s/mine", db);
	assert_int_equal(link(a, b), 0);
	refused("one link");
	assert_int_equal(look(data, "precious").st_uid, 0);
	assert_int_equal(unlink(b), 0);
	assert_int_equal(symlink(a, b), 0);
	refused("mine");
	assert_int_equal(look(data, "precious").st_uid, 0);
	assert_int_equal(unlink(b), 0);
	assert_int_equal(mkfifo(b, 0600), 0);
	refused("mine");
	assert_int_equal(unlink(b), 0);
	/* db itself is a link. */
	(void)snprintf(a, sizeof(a), "%s/aside", data);
	assert_int_equal(rename(db, a), 0);
	assert_int_equal(symlink(a, db), 0);
	refused("not a directory");
}

static void
test_long(void **state)
{
	char	 path[PATH_MAX];
	size_t	 i;

	(void)state;
	memset(path, 'x', sizeof(path));
	for (i = 0; i < sizeof(path); i += 200)
		path[i] = '/';
	path[sizeof(path) - 2] = '\0';
	memcpy(path, dir, strlen(dir));
	path[strlen(dir)] = '/';
	want.dw_data = path;
	assert_int_equal(prepare(), -1);
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_first),
		T(test_roles),
		T(test_modes),
		T(test_lock),
		T(test_owner),
		T(test_give),
		T(test_long),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
