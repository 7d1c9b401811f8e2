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

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store.h"

/* Each test runs in a directory of its own. */
static char	 dir[64];

static int
setup(void **state)
{
	(void)state;
	(void)snprintf(dir, sizeof(dir), "/tmp/store_test.XXXXXX");
	return (mkdtemp(dir) == NULL || chdir(dir) == -1 ? -1 : 0);
}

static int
teardown(void **state)
{
	char	 cmd[128];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return (chdir("/") == -1 || system(cmd) != 0 ? -1 : 0);
}

/* --- helpers ------------------------------------------------------------ */

struct rec {
	const char	*key;
	const char	*value;
	int		 flags;
	int		 result;	/* of fn */
	int		 err;		/* seen by fn */
};

static int
do_put(struct store_txn *tx, void *arg)
{
	struct rec	*r = arg;

	if (store_put(tx, STORE_HOSTS, r->key, strlen(r->key), r->value,
	    strlen(r->value), r->flags) == -1) {
		r->err = errno;
		return (-1);
	}
	return (r->result);
}

static int
do_get(struct store_txn *tx, void *arg)
{
	struct rec	*r = arg;
	uint8_t		*value;
	size_t		 len;

	r->result = store_get(tx, STORE_HOSTS, r->key, strlen(r->key), &value,
	    &len);
	if (r->result == 1) {
		assert_int_equal(len, strlen(r->value));
		assert_memory_equal(value, r->value, len);
	}
	free(value);
	return (0);
}

static int
do_del(struct store_txn *tx, void *arg)
{
	struct rec	*r = arg;

	r->result = store_del(tx, STORE_HOSTS, r->key, strlen(r->key));
	return (0);
}

static void
put(struct store *st, const char *key, const char *value)
{
	struct rec	 r = { key, value, 0, 0, 0 };

	assert_int_equal(store_update(st, do_put, &r), 0);
}

static void
expect(struct store *st, const char *key, const char *value)
{
	struct rec	 r = { key, value, 0, 0, 0 };

	assert_int_equal(store_view(st, do_get, &r), 0);
	assert_int_equal(r.result, value != NULL);
}

/* --- transactions ------------------------------------------------------- */

static void
test_basic(void **state)
{
	struct store	*st;
	struct stat	 sb;
	struct rec	 r;

	(void)state;
	assert_non_null(st = store_open(1, NULL));
	assert_int_equal(stat("ballast", &sb), 0);
	assert_true(sb.st_blocks * 512 >= STORE_BALLAST_BYTES);
	assert_int_equal(stat("sentinel.db", &sb), 0);
	assert_int_equal(sb.st_mode & 0777, 0600);
	put(st, "a", "1");
	put(st, "a", "2");
	put(st, "empty", "");
	expect(st, "a", "2");
	expect(st, "empty", "");
	expect(st, "b", NULL);

	/* exists */
	r = (struct rec){ "a", "3", STORE_NEW, 0, 0 };
	assert_int_equal(store_update(st, do_put, &r), -1);
	assert_int_equal(errno, EEXIST);
	expect(st, "a", "2");
	/* the function gives up */
	r = (struct rec){ "b", "3", 0, -1, 0 };
	assert_int_equal(store_update(st, do_put, &r), -1);
	expect(st, "b", NULL);
	/* a view does not write */
	r = (struct rec){ "b", "3", 0, 0, 0 };
	assert_int_equal(store_view(st, do_put, &r), -1);
	assert_int_equal(r.err, EROFS);
	/* an empty key */
	r = (struct rec){ "", "3", 0, 0, 0 };
	assert_int_equal(store_update(st, do_put, &r), -1);
	assert_int_equal(r.err, EMSGSIZE);

	r = (struct rec){ "a", NULL, 0, 0, 0 };
	assert_int_equal(store_update(st, do_del, &r), 0);
	assert_int_equal(r.result, 1);
	assert_int_equal(store_update(st, do_del, &r), 0);
	assert_int_equal(r.result, 0);
	assert_int_equal(store_checkpoint(st), 0);
	store_close(st);

	assert_non_null(st = store_open(1, NULL));
	expect(st, "empty", "");
	expect(st, "a", NULL);
	store_close(st);
}

static int
do_nested(struct store_txn *tx, void *arg)
{
	struct rec	 r = { "x", NULL, 0, 0, 0 };

	(void)tx;
	(void)store_view(arg, do_get, &r);
	return (0);
}

static void
test_nested(void **state)
{
	struct store	*st;
	pid_t		 pid;
	int		 status;

	(void)state;
	assert_true((pid = fork()) != -1);
	if (pid == 0) {
		if (freopen("/dev/null", "w", stderr) == NULL ||
		    (st = store_open(1, NULL)) == NULL)
			_exit(2);
		(void)store_update(st, do_nested, st);
		_exit(3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 1);
}

/* --- walks -------------------------------------------------------------- */

struct walk {
	bool		 desc;
	const char	*from;
	size_t		 limit;
	enum store_next	 next;		/* for key "c", else go on */
	char		 seen[64];
	ssize_t		 n;
};

static enum store_next
on_walk(const uint8_t *key, size_t keylen, const uint8_t *value, size_t len,
    void *arg)
{
	struct walk	*w = arg;
	size_t		 n = strlen(w->seen);

	assert_int_equal(keylen, 1);
	assert_int_equal(len, 1);
	assert_int_equal(value[0], key[0] - 'a' + '0');
	w->seen[n] = (char)key[0];
	w->seen[n + 1] = '\0';
	errno = EPERM;
	return (key[0] == 'c' ? w->next : STORE_GOON);
}

static int
do_walk(struct store_txn *tx, void *arg)
{
	struct walk	*w = arg;

	w->n = store_walk(tx, STORE_HOSTS, w->desc, w->from,
	    w->from == NULL ? 0 : strlen(w->from), w->limit, on_walk, w);
	return (w->n == -1 ? -1 : 0);
}

static int
do_count(struct store_txn *tx, void *arg)
{
	*(ssize_t *)arg = store_count(tx, STORE_HOSTS);
	return (0);
}

static void
test_walk(void **state)
{
	static const struct {
		bool		 desc;
		const char	*from;
		size_t		 limit;
		enum store_next	 next;
		const char	*seen;
	} rows[] = {
		{ false, NULL, 0, STORE_GOON, "abceg" },
		{ true, NULL, 0, STORE_GOON, "gecba" },
		{ false, "b", 0, STORE_GOON, "bceg" },
		{ false, "d", 2, STORE_GOON, "eg" },
		{ false, "h", 0, STORE_GOON, "" },
		{ true, "d", 0, STORE_GOON, "cba" },
		{ true, "e", 2, STORE_GOON, "ec" },
		{ true, "z", 1, STORE_GOON, "g" },
		{ true, "A", 0, STORE_GOON, "" },
		{ false, NULL, 0, STORE_STOP, "abc" },
	};
	struct store	*st;
	struct walk	 w;
	ssize_t		 n;
	size_t		 i;

	(void)state;
	assert_non_null(st = store_open(1, NULL));
	put(st, "e", "4");
	put(st, "a", "0");
	put(st, "g", "6");
	put(st, "c", "2");
	put(st, "b", "1");
	for (i = 0; i < nitems(rows); i++) {
		memset(&w, 0, sizeof(w));
		w.desc = rows[i].desc;
		w.from = rows[i].from;
		w.limit = rows[i].limit;
		w.next = rows[i].next;
		assert_int_equal(store_view(st, do_walk, &w), 0);
		assert_string_equal(w.seen, rows[i].seen);
		assert_int_equal(w.n, strlen(rows[i].seen));
	}
	assert_int_equal(store_view(st, do_count, &n), 0);
	assert_int_equal(n, 5);

	memset(&w, 0, sizeof(w));
	w.next = STORE_FAIL;
	assert_int_equal(store_update(st, do_walk, &w), -1);
	assert_int_equal(errno, EPERM);
	memset(&w, 0, sizeof(w));
	w.next = STORE_DROP;
	assert_int_equal(store_view(st, do_walk, &w), -1);
	assert_int_equal(errno, EROFS);
	memset(&w, 0, sizeof(w));
	w.next = STORE_DROP;
	assert_int_equal(store_update(st, do_walk, &w), 0);
	assert_string_equal(w.seen, "abceg");
	expect(st, "c", NULL);
	expect(st, "e", "4");
	store_close(st);
}

/* --- schema ------------------------------------------------------------- */

static uint32_t	 steps[8];
static size_t	 nsteps;
static int	 step_result;

static int
on_migrate(struct store_txn *tx, uint32_t from)
{
	steps[nsteps++] = from;
	assert_int_equal(store_put(tx, STORE_HOSTS, &from, sizeof(from), "m",
	    1, 0), 0);
	errno = ENOTSUP;
	return (step_result);
}

static void
test_schema(void **state)
{
	struct store	*st;
	ssize_t		 n;

	(void)state;
	assert_non_null(st = store_open(1, NULL));
	store_close(st);
	/* a step that fails leaves nothing */
	step_result = -1;
	nsteps = 0;
	assert_null(store_open(3, on_migrate));
	assert_int_equal(errno, ENOTSUP);
	assert_int_equal(nsteps, 1);
	step_result = 0;
	nsteps = 0;
	assert_non_null(st = store_open(3, on_migrate));
	assert_int_equal(nsteps, 2);
	assert_int_equal(steps[0], 1);
	assert_int_equal(steps[1], 2);
	assert_int_equal(store_view(st, do_count, &n), 0);
	assert_int_equal(n, 2);
	store_close(st);
	/* older program, newer database */
	assert_null(store_open(2, on_migrate));
	assert_int_equal(errno, EPROTO);
	assert_int_equal(nsteps, 2);
}

static void
test_db_config(void **state)
{
	FILE	*f;

	(void)state;
	assert_non_null(f = fopen("DB_CONFIG", "w"));
	(void)fputs("set_lg_dir /tmp\n", f);
	(void)fclose(f);
	assert_null(store_open(1, NULL));
	assert_int_equal(errno, EPERM);
}

/* --- kill -9 ------------------------------------------------------------ */

#define KILL_ROUNDS	4

/* Commits for ever; tells each number after its commit. */
static void
kill_child(int fd, uint32_t first)
{
	struct store	*st;
	struct rec	 r = { 0 };
	char		 key[16];
	uint32_t	 n;

	if ((st = store_open(1, NULL)) == NULL)
		_exit(1);
	for (n = first;; n++) {
		(void)snprintf(key, sizeof(key), "%08u", n);
		r.key = key;
		r.value = "some value of a record that is there or is not";
		if (store_update(st, do_put, &r) == -1)
			_exit(1);
		if (write(fd, &n, sizeof(n)) != sizeof(n))
			_exit(1);
		if (n % 100 == 0)
			(void)store_checkpoint(st);
	}
}

static void
test_kill(void **state)
{
	struct store	*st;
	char		 key[16];
	uint32_t	 n, acked = 0;
	pid_t		 pid;
	int		 round, p[2], status;

	(void)state;
	for (round = 0; round < KILL_ROUNDS; round++) {
		assert_int_equal(pipe(p), 0);
		assert_true((pid = fork()) != -1);
		if (pid == 0) {
			(void)close(p[0]);
			kill_child(p[1], acked + 1);
		}
		(void)close(p[1]);
		/* Die in the middle of something, not at a fixed record. */
		while (read(p[0], &n, sizeof(n)) == sizeof(n)) {
			acked = n;
			if (n % 300 == 0) {
				(void)usleep(arc4random_uniform(3000));
				(void)kill(pid, SIGKILL);
				break;
			}
		}
		while (read(p[0], &n, sizeof(n)) == sizeof(n))
			acked = n;
		(void)close(p[0]);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status));
		assert_int_equal(WTERMSIG(status), SIGKILL);
	}
	assert_non_null(st = store_open(1, NULL));
	for (n = 1; n <= acked; n++) {
		(void)snprintf(key, sizeof(key), "%08u", n);
		expect(st, key,
		    "some value of a record that is there or is not");
	}
	assert_true(acked >= KILL_ROUNDS * 300);
	store_close(st);
}

/* --- full disk ---------------------------------------------------------- */

static bool
exists(const char *path)
{
	struct stat	 sb;

	return (stat(path, &sb) == 0);
}

/* Takes what is left of the disk. */
static void
fill(const char *path)
{
	static const char	 zero[4096];
	int			 fd;

	fd = open(path, O_WRONLY | O_CREAT | O_APPEND, 0600);
	if (fd == -1)
		_exit(20);
	while (write(fd, zero, sizeof(zero)) > 0)
		;
	(void)close(fd);
}

static char	 big[20000];

/* Fills the disk by commits and dies; exit status tells what broke. */
static void
full_writer(int *acked)
{
	struct store	*st;
	struct rec	 r;
	char		 key[16];
	int		 i;

	if ((st = store_open(1, NULL)) == NULL)
		_exit(10);
	for (i = 0; i < 5000; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		r = (struct rec){ key, big, 0, 0, 0 };
		if (store_update(st, do_put, &r) == -1)
			break;
		++*acked;
	}
	if (i == 5000 || errno != ENOSPC || !store_is_full(st) || *acked < 10)
		_exit(11);
	/* Reads go on; nothing of the failed one is there. */
	r = (struct rec){ "0", big, 0, 0, 0 };
	if (store_view(st, do_get, &r) == -1 || r.result != 1)
		_exit(12);
	(void)snprintf(key, sizeof(key), "%d", *acked);
	r = (struct rec){ key, big, 0, 0, 0 };
	if (store_view(st, do_get, &r) == -1 || r.result != 0)
		_exit(13);
	fill("filler");
	(void)kill(getpid(), SIGKILL);
}

/* In a mount namespace of its own; exit status tells what broke. */
static void
full_child(void)
{
	struct store	*st;
	struct rec	 r;
	char		 key[16];
	pid_t		 pid;
	int		 i, status, *acked;

	acked = mmap(NULL, sizeof(*acked), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (acked == MAP_FAILED ||
	    mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) == -1 ||
	    mount("none", dir, "tmpfs", 0, "size=18m") == -1 ||
	    chdir("/") == -1 || chdir(dir) == -1)
		_exit(77);
	if ((i = open("spare", O_RDWR | O_CREAT, 0600)) == -1 ||
	    posix_fallocate(i, 0, 6 * 1024 * 1024) != 0)
		_exit(21);
	(void)close(i);
	memset(big, 'v', sizeof(big) - 1);
	if ((pid = fork()) == 0)
		full_writer(acked);
	if (waitpid(pid, &status, 0) != pid || !WIFSIGNALED(status))
		_exit(WIFEXITED(status) ? WEXITSTATUS(status) : 22);

	/* Recovery on a full disk. */
	if (!exists("ballast") || (st = store_open(1, NULL)) == NULL)
		_exit(14);
	if (exists("ballast"))
		_exit(15);
	for (i = 0; i < *acked; i++) {
		(void)snprintf(key, sizeof(key), "%d", i);
		r = (struct rec){ key, big, 0, 0, 0 };
		if (store_view(st, do_get, &r) == -1 || r.result != 1)
			_exit(16);
	}
	/* No writes until the ballast is back. */
	fill("filler");
	r = (struct rec){ "small", "x", 0, 0, 0 };
	if (store_update(st, do_put, &r) != -1 || errno != ENOSPC ||
	    !store_is_full(st))
		_exit(17);
	if (unlink("spare") == -1)
		_exit(18);
	if (store_update(st, do_put, &r) == -1 || store_is_full(st) ||
	    !exists("ballast"))
		_exit(19);
	store_close(st);
	_exit(0);
}

static void
test_full(void **state)
{
	pid_t	 pid;
	int	 status;

	(void)state;
	if (geteuid() != 0)
		skip();
	assert_true((pid = fork()) != -1);
	if (pid == 0) {
		if (unshare(CLONE_NEWNS) == -1)
			_exit(77);
		full_child();
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) == 77)
		skip();
	assert_int_equal(WEXITSTATUS(status), 0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_basic, setup, teardown),
		cmocka_unit_test_setup_teardown(test_nested, setup, teardown),
		cmocka_unit_test_setup_teardown(test_walk, setup, teardown),
		cmocka_unit_test_setup_teardown(test_schema, setup, teardown),
		cmocka_unit_test_setup_teardown(test_db_config, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_kill, setup, teardown),
		cmocka_unit_test_setup_teardown(test_full, setup, teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
