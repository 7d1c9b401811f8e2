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
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "docker_journal.h"
#include "log.h"

static char	 seen[4096];
static int	 nsyncs, nwrites;
static int	 last_sync;	/* nwrites at the last fsync() */
static bool	 sync_fails;

/* Instead of the C library's. */
ssize_t
pwrite(int fd, const void *data, size_t len, off_t at)
{
	nwrites++;
	return (syscall(SYS_pwrite64, fd, data, len, at));
}

int
fsync(int fd)
{
	(void)fd;
	nsyncs++;
	last_sync = nwrites;
	errno = EIO;
	return (sync_fails ? -1 : 0);
}

static void
on_record(void *arg, const struct journal_rec *jr)
{
	size_t	 i, n = strlen(seen);

	(void)arg;
	n += (size_t)snprintf(seen + n, sizeof(seen) - n, "%d/%u", jr->jr_kind,
	    jr->jr_txn);
	for (i = 0; i < jr->jr_nfields; i++)
		n += (size_t)snprintf(seen + n, sizeof(seen) - n, ",%s",
		    jr->jr_fields[i].jf_data);
	snprintf(seen + n, sizeof(seen) - n, ";");
}

static struct journal *
reopen(int fd)
{
	struct journal	*jn;

	assert_non_null(jn = journal_open(dup(fd)));
	seen[0] = '\0';
	journal_replay(jn, on_record, NULL);
	return (jn);
}

static int
newfile(void)
{
	int	 fd = memfd_create("journal", 0);

	assert_int_not_equal(fd, -1);
	return (fd);
}

static void
test_crc(void **state)
{
	(void)state;
	/* The check value of the polynomial. */
	assert_int_equal(journal_crc32("123456789", 9), 0xcbf43926U);
	assert_int_equal(journal_crc32("", 0), 0);
}

static void
test_append_replay(void **state)
{
	struct journal	*jn;
	uint32_t	 a, b;
	int		 fd = newfile();

	(void)state;
	jn = reopen(fd);
	assert_string_equal(seen, "");
	assert_int_equal(a = journal_begin(jn), 1);
	assert_int_equal(b = journal_begin(jn), 2);
	assert_int_equal(journal_nopen(jn), 2);
	assert_int_equal(journal_add(jn, a, DJ_BEGIN, "op", "web", "", NULL),
	    0);
	assert_int_equal(journal_add(jn, b, DJ_STEP, "stop", NULL), 0);
	assert_int_equal(journal_add(jn, a, DJ_GOOD, NULL), 0);
	journal_close(jn);

	jn = reopen(fd);
	assert_string_equal(seen, "1/1,op,web,;3/2,stop;5/1;");
	journal_adopt(jn, a);
	journal_adopt(jn, b);
	/* Numbers go on, and the file stays while one is open. */
	assert_int_equal(journal_begin(jn), 3);
	journal_finish(jn, a);
	journal_finish(jn, 3);
	assert_false(journal_trim(jn));
	assert_true(lseek(fd, 0, SEEK_END) > 0);
	journal_finish(jn, b);
	assert_true(lseek(fd, 0, SEEK_END) > 0);
	assert_true(journal_trim(jn));
	assert_int_equal(lseek(fd, 0, SEEK_END), 0);
	journal_finish(jn, 99);
	journal_close(jn);
	close(fd);
}

static void
test_limits(void **state)
{
	struct journal		*jn;
	struct journal_field	 jf[JOURNAL_FIELDS_MAX + 1] = { { "", 0 } };
	char			*big;
	uint32_t		 n;
	int			 fd = newfile(), i;

	(void)state;
	jn = reopen(fd);
	for (i = 0; i < JOURNAL_OPEN_MAX; i++)
		assert_int_not_equal(n = journal_begin(jn), 0);
	assert_int_equal(journal_begin(jn), 0);
	assert_int_equal(errno, EBUSY);
	for (i = 0; i <= JOURNAL_FIELDS_MAX; i++)
		jf[i].jf_data = "";
	assert_int_equal(journal_addv(jn, n, DJ_PLAN, jf,
	    JOURNAL_FIELDS_MAX + 1), -1);
	assert_int_equal(errno, E2BIG);
	assert_int_equal(journal_addv(jn, n, DJ_PLAN, jf, JOURNAL_FIELDS_MAX),
	    0);
	assert_non_null(big = malloc(JOURNAL_REC_MAXBYTES + 1));
	memset(big, 'x', JOURNAL_REC_MAXBYTES);
	jf[0].jf_data = big;
	jf[0].jf_len = UINT16_MAX + 1;
	assert_int_equal(journal_addv(jn, n, DJ_PLAN, jf, 1), -1);
	/* Up to its limit, and not beyond. */
	jf[0].jf_len = 60000;
	for (i = 0; journal_addv(jn, n, DJ_PLAN, jf, 1) == 0; i++)
		assert_true(i < 100);
	assert_int_equal(errno, ENOSPC);
	assert_true(lseek(fd, 0, SEEK_END) <= (off_t)JOURNAL_MAXBYTES);
	journal_finish(jn, n);
	assert_int_equal(journal_begin(jn), 0);
	assert_int_equal(errno, EBUSY);
	journal_close(jn);
	free(big);
	close(fd);
	/* Not a file. */
	assert_null(journal_open(open("/dev/null", O_RDWR)));
	assert_int_equal(errno, EINVAL);
}

/* Every prefix gives whole records only; a flipped bit costs one record. */
static void
test_damage(void **state)
{
	static const char	 whole[] = "1/1,op,web;3/1,create;4/1,abc;";
	uint8_t			 buf[512], bad[512];
	struct journal		*jn;
	size_t			 len, i, good, first, second;
	int			 fd = newfile();

	(void)state;
	jn = reopen(fd);
	journal_begin(jn);
	assert_int_equal(journal_add(jn, 1, DJ_BEGIN, "op", "web", NULL), 0);
	first = (size_t)lseek(fd, 0, SEEK_END);
	assert_int_equal(journal_add(jn, 1, DJ_STEP, "create", NULL), 0);
	second = (size_t)lseek(fd, 0, SEEK_END);
	assert_int_equal(journal_add(jn, 1, DJ_CREATED, "abc", NULL), 0);
	journal_close(jn);
	len = (size_t)pread(fd, buf, sizeof(buf), 0);
	assert_true(len > 60 && len < sizeof(buf));
	for (i = 0; i <= len; i++) {
		seen[0] = '\0';
		good = journal_parse(buf, i, on_record, NULL);
		assert_true(good <= i);
		assert_memory_equal(seen, whole, strlen(seen));
		assert_int_equal(good == len, i == len);
	}
	for (i = 0; i < len * 8; i++) {
		memcpy(bad, buf, len);
		bad[i / 8] ^= (uint8_t)(1 << (i % 8));
		seen[0] = '\0';
		(void)journal_parse(bad, len, on_record, NULL);
		/* Two are left, and both are as they were. */
		assert_string_equal(seen, i / 8 < first ?
		    "3/1,create;4/1,abc;" : i / 8 < second ?
		    "1/1,op,web;4/1,abc;" : "1/1,op,web;3/1,create;");
	}
	/* A torn tail is cut off, and the next record follows the good. */
	assert_int_equal(ftruncate(fd, (off_t)len - 1), 0);
	jn = reopen(fd);
	assert_string_equal(seen, "1/1,op,web;3/1,create;");
	journal_adopt(jn, 1);
	assert_int_equal(journal_add(jn, 1, DJ_UNDO, "why", NULL), 0);
	journal_close(jn);
	journal_close(reopen(fd));
	assert_string_equal(seen, "1/1,op,web;3/1,create;6/1,why;");
	close(fd);
}

/* A record counts when it is on the disk, and not before. */
static void
test_synced(void **state)
{
	struct journal	*jn;
	int		 fd = newfile(), was;
	uint32_t	 n;

	(void)state;
	jn = reopen(fd);
	n = journal_begin(jn);
	was = nsyncs;
	assert_int_equal(journal_add(jn, n, DJ_BEGIN, "op", "web", NULL), 0);
	assert_true(nsyncs > was && last_sync == nwrites);
	was = nsyncs;
	assert_int_equal(journal_add(jn, n, DJ_STEP, "stop", NULL), 0);
	assert_true(nsyncs > was && last_sync == nwrites);
	sync_fails = true;
	assert_int_equal(journal_add(jn, n, DJ_STEP, "create", NULL), -1);
	sync_fails = false;
	journal_close(jn);
	jn = reopen(fd);
	assert_string_equal(seen, "1/1,op,web;3/1,stop;");
	journal_close(jn);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_synced),
		cmocka_unit_test(test_crc),
		cmocka_unit_test(test_append_replay),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_damage),
	};

	log_init("journal_test", memfd_create("log", 0));
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
