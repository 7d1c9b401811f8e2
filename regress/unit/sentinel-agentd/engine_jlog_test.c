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

/*
 * The journal's file: whatever a crash, a bad disk or a full one makes of it,
 * no record that was synced is lost, and none is made up.
 */
#include "unit.h"

#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine_jlog.h"

#define NAME	"journal.log"

static char		 dir[] = "/tmp/jlog_test.XXXXXX";
static char		 found[65536];	/* numbers of records, "1,2," */
static struct jlog_scan	 scan;

/* The disk has so many bytes for this file. */
static off_t		 disk = 1 << 30;

int
fallocate(int fd, int mode, off_t off, off_t len)
{
	if (off + len > disk) {
		errno = ENOSPC;
		return (-1);
	}
	return ((int)syscall(SYS_fallocate, fd, mode, off, len));
}

static void
on_record(void *arg, const char *text, size_t len)
{
	char	 num[16];
	int	 n;

	(void)arg;
	assert_true(len > 2 && text[0] == '{' && text[len - 1] == '}');
	assert_int_equal(sscanf(text, "{\"n\":%d,", &n), 1);
	(void)snprintf(num, sizeof(num), "%d,", n);
	assert_true(strlcat(found, num, sizeof(found)) < sizeof(found));
}

static struct jlog *
reopen(struct jlog *jl)
{
	jlog_close(jl);
	found[0] = '\0';
	jl = jlog_open(NAME, on_record, NULL, &scan);
	assert_non_null(jl);
	return (jl);
}

static int
put(struct jlog *jl, int n, bool important)
{
	char	 text[128];
	int	 len;

	len = snprintf(text, sizeof(text), "{\"n\":%d,\"t\":\"%0*d\"}", n,
	    20 + n % 40, n);
	if (jlog_append(jl, text, (size_t)len, important) == -1)
		return (-1);
	return (jlog_sync(jl));
}

static size_t
slurp(uint8_t *buf, size_t size)
{
	FILE	*f = fopen(NAME, "r");
	size_t	 n;

	assert_non_null(f);
	n = fread(buf, 1, size, f);
	(void)fclose(f);
	return (n);
}

static void
spit(const uint8_t *buf, size_t len)
{
	FILE	*f = fopen(NAME, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(buf, 1, len, f), len);
	assert_int_equal(fclose(f), 0);
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return (-1);
	return (chdir(dir));
}

static int
teardown(void **state)
{
	(void)state;
	(void)unlink(NAME);
	(void)unlink(NAME ".bad");
	(void)unlink(NAME ".new");
	return (chdir("/") == -1 ? -1 : rmdir(dir));
}

/* --- tests --------------------------------------------------------------- */

static void
test_append(void **state)
{
	struct jlog	*jl = reopen(NULL);
	struct stat	 st;
	char		 big[JLOG_REC_MAXBYTES + 2];

	(void)state;
	assert_string_equal(found, "");
	assert_int_equal(put(jl, 1, false), 0);
	assert_int_equal(put(jl, 2, true), 0);
	jl = reopen(jl);
	assert_string_equal(found, "1,2,");
	assert_int_equal(put(jl, 3, false), 0);
	memset(big, 'x', sizeof(big));
	big[0] = '{';
	big[sizeof(big) - 1] = '}';
	assert_int_equal(jlog_append(jl, big, sizeof(big), true), -1);
	jl = reopen(jl);
	assert_string_equal(found, "1,2,3,");
	assert_int_equal(scan.js_holes, 0);
	assert_int_equal(stat(NAME, &st), 0);
	assert_int_equal(st.st_size, jlog_size(jl));
	/* The reserve is there, and not part of the file. */
	assert_true((size_t)st.st_blocks * 512 >= JLOG_RESERVE_BYTES);
	assert_int_equal(jlog_clear(jl), 0);
	jl = reopen(jl);
	assert_string_equal(found, "");
	jlog_close(jl);
}

static void
test_torn(void **state)
{
	struct jlog	*jl = reopen(NULL);
	uint8_t		 buf[4096];
	size_t		 len, cut, ends[4] = { 0 };
	int		 i, whole;
	char		 want[32], num[16];

	(void)state;
	assert_int_equal(jlog_clear(jl), 0);
	for (i = 1; i <= 3; i++) {
		assert_int_equal(put(jl, i, false), 0);
		ends[i] = jlog_size(jl);
	}
	len = slurp(buf, sizeof(buf));
	assert_int_equal(len, ends[3]);
	for (cut = 0; cut <= len; cut++) {
		spit(buf, cut);
		jl = reopen(jl);
		want[0] = '\0';
		for (i = 1, whole = 0; i <= 3 && cut >= ends[i]; i++) {
			(void)snprintf(num, sizeof(num), "%d,", i);
			(void)strlcat(want, num, sizeof(want));
			whole = i;
		}
		assert_string_equal(found, want);
		assert_int_equal(jlog_size(jl), ends[whole]);
		/* What comes after it is found again. */
		assert_int_equal(put(jl, 9, false), 0);
		jl = reopen(jl);
		(void)strlcat(want, "9,", sizeof(want));
		assert_string_equal(found, want);
		assert_int_equal(scan.js_holes, 0);
	}
	jlog_close(jl);
}

/* One bit anywhere costs the record that it is in, and no other. */
static void
test_flips(void **state)
{
	struct jlog	*jl = reopen(NULL);
	uint8_t		 buf[4096];
	size_t		 len, i, ends[4] = { 0 };
	int		 bit, n, hit;
	char		 want[32], num[16];

	(void)state;
	assert_int_equal(jlog_clear(jl), 0);
	for (n = 1; n <= 3; n++) {
		assert_int_equal(put(jl, n, false), 0);
		ends[n] = jlog_size(jl);
	}
	len = slurp(buf, sizeof(buf));
	jlog_close(jl);
	for (i = 0; i < len; i++) {
		hit = i < ends[1] ? 1 : i < ends[2] ? 2 : 3;
		want[0] = '\0';
		for (n = 1; n <= 3; n++) {
			(void)snprintf(num, sizeof(num), "%d,", n);
			if (n != hit)
				(void)strlcat(want, num, sizeof(want));
		}
		for (bit = 0; bit < 8; bit++) {
			buf[i] ^= (uint8_t)(1 << bit);
			found[0] = '\0';
			jlog_parse(buf, len, on_record, NULL, &scan);
			buf[i] ^= (uint8_t)(1 << bit);
			assert_string_equal(found, want);
			assert_int_equal(scan.js_holes, hit < 3);
			assert_int_equal(scan.js_end, ends[hit < 3 ? 3 : 2]);
		}
	}
}

/* RLIMIT_FSIZE stands for the full disk. */
static void
test_full(void **state)
{
	struct jlog	*jl = reopen(NULL);
	struct rlimit	 rl, old;
	size_t		 before;
	int		 n = 0;
	char		 want[4096] = "", num[16];

	(void)state;
	assert_int_equal(jlog_clear(jl), 0);
	(void)signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	rl = old;
	rl.rlim_cur = 2000;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
	disk = 500 + JLOG_RESERVE_BYTES;
	jl = reopen(jl);
	while (put(jl, n + 1, n > 5) == 0) {
		n++;
		(void)snprintf(num, sizeof(num), "%d,", n);
		(void)strlcat(want, num, sizeof(want));
	}
	assert_true(n > 10 && n < 100);
	before = jlog_size(jl);
	/* Nothing less important goes where the reserve was. */
	assert_int_equal(put(jl, 0, false), -1);
	assert_int_equal(jlog_size(jl), before);
	assert_int_equal(errno, ENOSPC);
	assert_int_equal(jlog_sync(jl), 0);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	disk = 1 << 30;
	jl = reopen(jl);
	assert_string_equal(found, want);
	assert_int_equal(put(jl, n + 1, false), 0);
	jlog_close(jl);
}

static const char *
next_text(void *arg, size_t *len)
{
	static char	 text[128];
	int		*n = arg;

	if (*n > 40)
		return (NULL);
	*len = (size_t)snprintf(text, sizeof(text), "{\"n\":%d,\"t\":0}",
	    (*n)++);
	return (text);
}

static void
test_rewrite(void **state)
{
	struct jlog	*jl = reopen(NULL);
	struct rlimit	 rl, old;
	int		 n = 39;

	(void)state;
	assert_int_equal(jlog_clear(jl), 0);
	assert_int_equal(put(jl, 1, false), 0);
	assert_int_equal(jlog_rewrite(jl, next_text, &n), 0);
	assert_int_equal(put(jl, 41, false), 0);
	jl = reopen(jl);
	assert_string_equal(found, "39,40,41,");
	/* No room for the new one: the old one stays. */
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	rl = old;
	rl.rlim_cur = 200;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
	n = 1;
	assert_int_equal(jlog_rewrite(jl, next_text, &n), -1);
	assert_int_equal(access(NAME ".new", F_OK), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_int_equal(put(jl, 42, false), 0);
	jl = reopen(jl);
	assert_string_equal(found, "39,40,41,42,");
	jlog_close(jl);
}

/*
 * kill -9 while records are added and the file is written anew: what was
 * reported as synced is there, in order, each once.
 */
static void
churn(int fd)
{
	struct jlog	*jl = reopen(NULL);
	int		 n = 40, i;

	for (i = 41;; i++) {
		if (put(jl, i, i % 2 == 0) == -1 ||
		    write(fd, &i, sizeof(i)) != (ssize_t)sizeof(i))
			_exit(1);
		if (i % 7 == 0) {
			n = 40;		/* only the last one stays */
			if (jlog_rewrite(jl, next_text, &n) == -1 ||
			    put(jl, i, false) == -1)
				_exit(1);
		}
	}
}

static void
test_killed(void **state)
{
	struct jlog	*jl;
	uint32_t	 seed = arc4random();
	int		 fds[2], round, last, n, st;
	pid_t		 pid;
	char		 num[16], *p;

	(void)state;
	print_message("seed %u\n", seed);
	srandom(seed);
	for (round = 0; round < 30; round++) {
		jl = reopen(NULL);
		assert_int_equal(jlog_clear(jl), 0);
		jlog_close(jl);
		assert_int_equal(pipe(fds), 0);
		if ((pid = fork()) == 0)
			churn(fds[1]);
		close(fds[1]);
		/* The first one, so that there is something to lose. */
		assert_int_equal(read(fds[0], &last, sizeof(last)),
		    sizeof(last));
		(void)usleep((useconds_t)(random() % 20000));
		assert_int_equal(kill(pid, SIGKILL), 0);
		assert_int_equal(waitpid(pid, &st, 0), pid);
		assert_true(WIFSIGNALED(st));
		while (read(fds[0], &n, sizeof(n)) == (ssize_t)sizeof(n))
			last = n;
		close(fds[0]);
		jl = reopen(NULL);
		/* It may have been in the middle of: all of them gone but the
		 * mark, and the last one not there again yet. */
		(void)snprintf(num, sizeof(num), "%d,", last);
		if (last % 7 != 0)
			assert_non_null(strstr(found, num));
		assert_int_equal(scan.js_holes, 0);
		for (p = found, n = 0; *p != '\0'; p = strchr(p, ',') + 1) {
			assert_true(atoi(p) > n);
			n = atoi(p);
		}
		jlog_close(jl);
	}
}

static void
test_foreign(void **state)
{
	struct jlog	*jl;

	(void)state;
	assert_int_equal(unlink(NAME), 0);
	assert_int_equal(mkdir(NAME, 0700), 0);
	jl = reopen(NULL);
	assert_int_equal(put(jl, 1, false), 0);
	jl = reopen(jl);
	assert_string_equal(found, "1,");
	jlog_close(jl);
	assert_int_equal(rmdir(NAME ".bad"), 0);
	spit((const uint8_t *)"not a journal at all {}", 23);
	jl = reopen(NULL);
	assert_string_equal(found, "");
	assert_int_equal(jlog_size(jl), 0);
	jlog_close(jl);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_append),
		cmocka_unit_test(test_torn),
		cmocka_unit_test(test_flips),
		cmocka_unit_test(test_full),
		cmocka_unit_test(test_rewrite),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_foreign),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
