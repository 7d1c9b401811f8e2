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

#include <sys/wait.h>

#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "crashpage.h"

/* The writer in a process that dies, the reader behind it, and what a writer
 * with bad intentions can put there. */
#define HOST	"0123456789abcdef0123456789abcdef"

static struct crash_note	note;

/* What is read after a process has done this and died of SIGSEGV. */
static int
after(void (*fn)(void))
{
	uint8_t	 raw[CRASHPAGE_NOTE_LEN];
	pid_t	 pid;
	int	 fd, status, r;

	assert_int_not_equal(fd = crashpage_make(), -1);
	if ((pid = fork()) == 0) {
		if (crashpage_attach(dup(fd)) == -1)
			_exit(2);
		fn();
		(void)signal(SIGSEGV, SIG_DFL);
		(void)kill(getpid(), SIGSEGV);
		_exit(3);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status));
	assert_int_equal(crashpage_copy(fd, raw), 0);
	r = crashpage_read(raw, sizeof(raw), &note);
	(void)close(fd);
	return (r);
}

static void
idle(void)
{
}

static void
handshake(void)
{
	(void)crashpage_enter("192.0.2.7", NULL);
}

static void
done(void)
{
	(void)crashpage_enter("192.0.2.7", NULL);
	crashpage_leave();
}

static void
proven_meanwhile(void)
{
	(void)crashpage_enter("2001:db8::1", NULL);
	crashpage_prove(HOST);
}

/* The second one is inside the first, and its end is not the first's. */
static void
nested(void)
{
	if (!crashpage_enter("192.0.2.7", HOST) ||
	    crashpage_enter("192.0.2.8", NULL))
		_exit(4);
}

static void
again(void)
{
	(void)crashpage_enter("192.0.2.7", HOST);
	crashpage_leave();
	(void)crashpage_enter("192.0.2.8", NULL);
}

static void
test_writer(void **state)
{
	(void)state;
	assert_int_equal(after(idle), 0);
	assert_int_equal(after(done), 0);
	assert_int_equal(after(handshake), 1);
	assert_string_equal(note.cr_address, "192.0.2.7");
	assert_string_equal(note.cr_host, "");
	assert_int_equal(after(proven_meanwhile), 1);
	assert_string_equal(note.cr_address, "2001:db8::1");
	assert_string_equal(note.cr_host, HOST);
	assert_int_equal(after(nested), 1);
	assert_string_equal(note.cr_address, "192.0.2.7");
	assert_string_equal(note.cr_host, HOST);
	assert_int_equal(after(again), 1);
	assert_string_equal(note.cr_address, "192.0.2.8");
	assert_string_equal(note.cr_host, "");
}

/* Neither the writer nor anybody else can make a reader meet its end. */
static void
test_size(void **state)
{
	int	 fd;

	(void)state;
	assert_int_not_equal(fd = crashpage_make(), -1);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_int_equal(ftruncate(fd, CRASHPAGE_BYTES * 2), -1);
	assert_int_equal(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), -1);
	(void)close(fd);
	/* Without a page nothing is noted and nothing breaks. */
	assert_false(crashpage_enter("192.0.2.7", NULL));
	crashpage_prove(HOST);
	crashpage_leave();
}

static int
reads(const struct crash_note *cr)
{
	return (crashpage_read((const void *)cr, sizeof(*cr), &note));
}

static void
test_hostile(void **state)
{
	struct crash_note	 good, cr;
	uint8_t			 raw[CRASHPAGE_NOTE_LEN + 1];
	size_t			 len;
	unsigned int		 i;

	(void)state;
	memset(&good, 0, sizeof(good));
	good.cr_busy = good.cr_proven = 1;
	(void)strlcpy(good.cr_address, "192.0.2.7", sizeof(good.cr_address));
	(void)strlcpy(good.cr_host, HOST, sizeof(good.cr_host));
	assert_int_equal(reads(&good), 1);

	cr = good;
	cr.cr_busy = 2;
	assert_int_equal(reads(&cr), -1);
	cr = good;
	cr.cr_proven = 0xffffffff;
	assert_int_equal(reads(&cr), -1);
	cr = good;
	memset(cr.cr_address, '1', sizeof(cr.cr_address));
	assert_int_equal(reads(&cr), -1);
	cr = good;
	(void)strlcpy(cr.cr_address, "192.0.2.7; rm", sizeof(cr.cr_address));
	assert_int_equal(reads(&cr), -1);
	cr = good;
	cr.cr_address[0] = '\0';
	assert_int_equal(reads(&cr), -1);
	/* Who cannot be a host leaves the address. */
	cr = good;
	memset(cr.cr_host, 'a', sizeof(cr.cr_host));
	assert_int_equal(reads(&cr), 1);
	assert_string_equal(note.cr_host, "");
	cr = good;
	(void)strlcpy(cr.cr_host, "sentinel-server", sizeof(cr.cr_host));
	assert_int_equal(reads(&cr), 1);
	assert_string_equal(note.cr_host, "");

	memcpy(raw, &good, sizeof(good));
	for (len = 0; len <= sizeof(raw); len++)
		assert_int_equal(crashpage_read(raw, len, &note),
		    len == CRASHPAGE_NOTE_LEN ? 1 : -1);
	/* Whatever it is, strings have an end afterwards. */
	for (i = 0; i < 20000; i++) {
		arc4random_buf(raw, sizeof(raw));
		memcpy(raw, &good, arc4random_uniform(sizeof(good)));
		if (crashpage_read(raw, CRASHPAGE_NOTE_LEN, &note) != 1)
			continue;
		assert_non_null(memchr(note.cr_address, '\0',
		    sizeof(note.cr_address)));
		assert_non_null(memchr(note.cr_host, '\0',
		    sizeof(note.cr_host)));
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_writer),
		cmocka_unit_test(test_size),
		cmocka_unit_test(test_hostile),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
