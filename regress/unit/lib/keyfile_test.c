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

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "keyfile.h"

/* Files with keys: what is accepted, and what a crash leaves behind. */
static char	dir[64], path[128], new_path[160], err[KEYFILE_ERRLEN];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/keyfile_test.XXXXXX");
	if (mkdtemp(dir) == NULL)
		return (-1);
	(void)snprintf(path, sizeof(path), "%s/key.pem", dir);
	(void)snprintf(new_path, sizeof(new_path), "%s.new", path);
	err[0] = '\0';
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

static void
put(const char *name, const char *text, mode_t mode)
{
	int	 fd;

	fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(fchmod(fd, mode), 0);
	close(fd);
}

static void
holds(const char *name, const char *text)
{
	char	 have[64];
	ssize_t	 n;
	int	 fd;

	fd = open(name, O_RDONLY);
	assert_int_not_equal(fd, -1);
	n = read(fd, have, sizeof(have) - 1);
	close(fd);
	assert_true(n >= 0);
	have[n] = '\0';
	assert_string_equal(have, text);
}

static void
refused(enum keyfile_kind kind, const char *word)
{
	err[0] = '\0';
	assert_int_equal(keyfile_open(path, kind, err, sizeof(err)), -1);
	assert_non_null(strstr(err, path));
	if (strstr(err, word) == NULL)
		fail_msg("\"%s\" is not in: %s", word, err);
	assert_int_not_equal(errno, ENOENT);
}

static void
test_open(void **state)
{
	char	 other[160];
	int	 fd;
	size_t	 fds = unit_count_fds();

	(void)state;
	assert_int_equal(keyfile_open(path, KEYFILE_SECRET, err, sizeof(err)),
	    -1);
	assert_int_equal(errno, ENOENT);
	assert_false(keyfile_exists(path));
	put(path, "key", 0600);
	assert_true(keyfile_exists(path));
	fd = keyfile_open(path, KEYFILE_SECRET, err, sizeof(err));
	assert_int_not_equal(fd, -1);
	assert_int_equal(fcntl(fd, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
	close(fd);
	chmod(path, 0640);
	refused(KEYFILE_SECRET, "chmod 600");
	chmod(path, 0604);
	refused(KEYFILE_SECRET, "chmod 600");
	chmod(path, 0644);
	fd = keyfile_open(path, KEYFILE_PUBLIC, err, sizeof(err));
	assert_int_not_equal(fd, -1);
	close(fd);
	chmod(path, 0664);
	refused(KEYFILE_PUBLIC, "chmod go-w");
	chmod(path, 0600);
	/* A second name would survive a replacement. */
	(void)snprintf(other, sizeof(other), "%s/other", dir);
	assert_int_equal(link(path, other), 0);
	refused(KEYFILE_SECRET, "one link");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink(other, path), 0);
	refused(KEYFILE_SECRET, "symbolic link");
	assert_int_equal(unlink(path), 0);
	/* Neither waits nor reads. */
	assert_int_equal(mkfifo(path, 0600), 0);
	refused(KEYFILE_SECRET, "regular file");
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	refused(KEYFILE_SECRET, "regular file");
	assert_int_equal(rmdir(path), 0);
	put(path, "", 0600);
	assert_int_equal(truncate(path, KEYFILE_MAXBYTES + 1), 0);
	refused(KEYFILE_SECRET, "larger");
	assert_int_equal(truncate(path, KEYFILE_MAXBYTES), 0);
	fd = keyfile_open(path, KEYFILE_SECRET, err, sizeof(err));
	assert_int_not_equal(fd, -1);
	close(fd);
	assert_int_equal(unit_count_fds(), fds);
}

static void
test_owner(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	put(path, "key", 0600);
	assert_int_equal(chown(path, 1, 1), 0);
	refused(KEYFILE_SECRET, "owned by uid 1");
	assert_int_equal(rename(path, new_path), 0);
	assert_int_equal(keyfile_create(path, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "owned by uid 1"));
}

static void
test_create(void **state)
{
	struct stat	 st;
	int		 fd;

	(void)state;
	fd = keyfile_create(path, err, sizeof(err));
	assert_int_not_equal(fd, -1);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_int_equal(write(fd, "half", 4), 4);
	close(fd);
	assert_false(keyfile_exists(path));
	/* The one left behind, as it is: its key may be in use. */
	fd = keyfile_create(path, err, sizeof(err));
	assert_int_not_equal(fd, -1);
	holds(new_path, "half");
	close(fd);
	/* But not one that others have had their hands on. */
	chmod(new_path, 0660);
	assert_int_equal(keyfile_create(path, err, sizeof(err)), -1);
	assert_int_equal(unlink(new_path), 0);
	assert_int_equal(symlink("/dev/null", new_path), 0);
	assert_int_equal(keyfile_create(path, err, sizeof(err)), -1);
	assert_int_equal(unlink(new_path), 0);
	assert_int_equal(mkfifo(new_path, 0600), 0);
	assert_int_equal(keyfile_create(path, err, sizeof(err)), -1);
}

/* A crash at any line leaves the old file or the new one, whole. */
static void
test_replace(void **state)
{
	(void)state;
	put(path, "old", 0600);
	put(new_path, "a longer one that was cut off", 0600);
	assert_int_equal(keyfile_write(path, "new", 3, err, sizeof(err)), 0);
	holds(path, "old");
	holds(new_path, "new");
	assert_int_equal(keyfile_commit(path, err, sizeof(err)), 0);
	holds(path, "new");
	assert_int_not_equal(access(new_path, F_OK), 0);
	/* Nothing to commit: nothing is lost. */
	assert_int_equal(keyfile_commit(path, err, sizeof(err)), -1);
	assert_non_null(strstr(err, new_path));
	holds(path, "new");
}

static void
test_paths(void **state)
{
	char	 longer[PATH_MAX + 16];

	(void)state;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[PATH_MAX - 2] = '\0';
	assert_int_equal(keyfile_create(longer, err, sizeof(err)), -1);
	assert_int_equal(keyfile_commit(longer, err, sizeof(err)), -1);
	assert_int_equal(keyfile_write("/nosuch/dir/file", "x", 1, err,
	    sizeof(err)), -1);
	assert_non_null(strstr(err, "/nosuch/dir/file"));
	assert_int_equal(keyfile_syncdir("/nosuch/dir/file", err,
	    sizeof(err)), -1);
	assert_false(keyfile_exists("/nosuch/dir/file"));
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(test_open),
		T(test_owner),
		T(test_create),
		T(test_replace),
		T(test_paths),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
