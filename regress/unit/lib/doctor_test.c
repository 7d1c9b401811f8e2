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

/* Lines of doctor: levels, words, limits; and the run that collects them. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "ipccheck.h"

#define DAY	86400

/* --- neighbours of doctor_run.c ------------------------------------------- */

static struct event_base	*base;
static struct peer		 parent;
static unsigned int		 asked, broken;
static char			 got[8192];	/* lines as they were sent */
static int			 ended = -1;
static char			 end_text[128];

struct event_base *
proc_base(void)
{
	return (base);
}

struct peer *
proc_peer(enum role role)
{
	assert_int_equal(role, ROLE_PARENT);
	return (&parent);
}

enum role
proc_self(void)
{
	return (ROLE_ENGINE);
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd,
    const void *body, size_t len)
{
	(void)body;
	assert_ptr_equal(p, &parent);
	assert_int_equal(id, 7);
	assert_int_equal(fd, -1);
	assert_int_equal(len, 0);
	asked |= type == IMSG_DOCTOR_ASK ? 1 : type == IMSG_STATUS_ASK ? 2 :
	    4;
	return (0);
}

void
peer_broken(struct peer *p, const struct imsg *imsg, const char *why)
{
	(void)p;
	(void)imsg;
	(void)why;
	broken++;
}

static void
do_item(uint32_t id, Sentinel__Ipc__ControlItem *item)
{
	char	 line[4096];

	assert_int_equal(id, 7);
	(void)snprintf(line, sizeof(line), "%s|%s|%s|%s\n", item->check->level,
	    item->check->name, item->check->text, item->check->fix);
	assert_true(strlcat(got, line, sizeof(got)) < sizeof(got));
}

static void
do_end(uint32_t id, enum control_code code, const char *text)
{
	assert_int_equal(id, 7);
	assert_int_equal(ended, -1);
	ended = (int)code;
	(void)strlcpy(end_text, text, sizeof(end_text));
}

static const struct doctor_ops	ops = { ROLE_PARENT, do_item, do_end };

static void
begin(unsigned int waits)
{
	ended = -1;
	asked = 0;
	got[0] = '\0';
	assert_int_equal(doctor_begin(&ops, 7, waits), 0);
	assert_int_equal(asked, 3);
}

static void
give_fact(uint32_t id, uint8_t level, const char *name, size_t cut)
{
	struct ibuf	*whole = ibuf_dynamic(16, 4096);
	struct imsg	 m;

	assert_true(ibuf_add_n8(whole, level) == 0 &&
	    ibuf_add_string(whole, name) == 0 &&
	    ibuf_add_string(whole, "text") == 0 &&
	    ibuf_add_string(whole, "fix") == 0);
	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_DOCTOR_FACT;
	m.hdr.peerid = id;
	m.buf = ibuf_dynamic(16, 4096);
	assert_int_equal(ibuf_add(m.buf, ibuf_data(whole),
	    ibuf_size(whole) - cut), 0);
	ibuf_free(whole);
	doctor_fact(&parent, &m);
	imsg_free(&m);
}

/* --- tests ---------------------------------------------------------------- */

static void
is(const struct doctor_line *dl, enum doctor_level level, const char *text,
    const char *fix)
{
	assert_int_equal(dl->dl_level, level);
	assert_string_equal(dl->dl_text, text);
	assert_string_equal(dl->dl_fix, fix);
}

static void
test_words(void **state)
{
	struct doctor_line	 dl;
	char			 text[2 * DOCTOR_TEXT_SIZE];

	(void)state;
	doctor_set(&dl, DOCTOR_OK, "n", "do it", "%d", 5);
	is(&dl, DOCTOR_OK, "5", "");	/* nothing to do then */
	doctor_set(&dl, DOCTOR_FAILED, "n", "do it", "%d", 5);
	is(&dl, DOCTOR_FAILED, "5", "do it");
	doctor_set_told(&dl, DOCTOR_FAILED, "n",
	    "phrase: facts; fix: turn it off: and on");
	is(&dl, DOCTOR_FAILED, "phrase: facts", "turn it off: and on");
	doctor_set_told(&dl, DOCTOR_WARNING, "n", "only facts");
	is(&dl, DOCTOR_WARNING, "only facts", "");
	doctor_set_told(&dl, DOCTOR_FAILED, "n", "fix: all of it");
	is(&dl, DOCTOR_FAILED, "", "all of it");
	/* Cut in the middle of a character, it is still text. */
	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	memcpy(text + DOCTOR_TEXT_SIZE - 2, "\xc3\xa4", 2);
	doctor_set(&dl, DOCTOR_FAILED, "n", text, "%s", text);
	assert_true(strlen(dl.dl_text) < DOCTOR_TEXT_SIZE);
	assert_null(strchr(dl.dl_text, '\xc3'));
}

static void
test_cert(void **state)
{
	struct doctor_line	 dl;
	const int64_t		 now = 1000000000;

	(void)state;
	doctor_set_cert(&dl, "c", now - DAY, now + 90 * DAY, now, "f");
	is(&dl, DOCTOR_OK, "valid for another 90 days", "");
	/* A tenth of a short life is soon, two weeks of a long one. */
	doctor_set_cert(&dl, "c", now - 300 * DAY, now + 13 * DAY, now, "f");
	is(&dl, DOCTOR_WARNING, "valid for another 13 days", "f");
	doctor_set_cert(&dl, "c", now - 10, now + 50, now, "f");
	is(&dl, DOCTOR_OK, "valid for another 50 seconds", "");
	doctor_set_cert(&dl, "c", now - 57, now + 3, now, "f");
	is(&dl, DOCTOR_WARNING, "valid for another 3 seconds", "f");
	doctor_set_cert(&dl, "c", 0, now + 3 * 3600, now, "f");
	is(&dl, DOCTOR_WARNING, "valid for another 3 hours", "f");
	doctor_set_cert(&dl, "c", now - 9, now - 1, now, "f");
	is(&dl, DOCTOR_FAILED, "expired 1 seconds ago", "f");
	doctor_set_cert(&dl, "c", now + 180, now + 999, now, "f");
	assert_int_equal(dl.dl_level, DOCTOR_FAILED);
	assert_non_null(strstr(dl.dl_text, "not yet valid for 3 minutes"));
	assert_non_null(strstr(dl.dl_text, "clock skew"));
}

static void
test_machine(void **state)
{
	static const char	 full[] = "netns chroot caps landlock seccomp";
	const uint64_t		 mib = 1024 * 1024;
	struct doctor_line	 dl;

	(void)state;
	doctor_set_process(&dl, "engine", 5, 0, full);
	assert_int_equal(dl.dl_level, DOCTOR_OK);
	assert_string_equal(dl.dl_name, "process engine");
	doctor_set_process(&dl, "parent", 5, 0, "");
	assert_int_equal(dl.dl_level, DOCTOR_OK);
	doctor_set_process(&dl, "docker", 5, 3, full);
	is(&dl, DOCTOR_WARNING, "was started again 3 times",
	    "look for the reason in the log of the daemon");
	doctor_set_process(&dl, "engine", 5, 0, "chroot seccomp");
	assert_int_equal(dl.dl_level, DOCTOR_WARNING);
	assert_non_null(strstr(dl.dl_text, "without landlock,"));
	doctor_set_process(&dl, "engine", 0, 0, full);
	assert_int_equal(dl.dl_level, DOCTOR_FAILED);

	doctor_set_disk(&dl, "d", "/p", 600 * mib, 9000 * mib, 5000, 9000);
	is(&dl, DOCTOR_OK, "/p: 600 MiB left of 9000", "");
	doctor_set_disk(&dl, "d", "/p", 500 * mib, 9000 * mib, 5000, 9000);
	assert_int_equal(dl.dl_level, DOCTOR_WARNING);
	doctor_set_disk(&dl, "d", "/p", 31 * mib, 9000 * mib, 5000, 9000);
	assert_int_equal(dl.dl_level, DOCTOR_FAILED);
	doctor_set_disk(&dl, "d", "/p", 600 * mib, 9000 * mib, 999, 9000);
	assert_int_equal(dl.dl_level, DOCTOR_WARNING);
	doctor_set_disk(&dl, "d", "/p", 600 * mib, 9000 * mib, 0, 9000);
	assert_int_equal(dl.dl_level, DOCTOR_FAILED);
	/* Some file systems count neither. */
	doctor_set_disk(&dl, "d", "/p", 600 * mib, 9000 * mib, 0, 0);
	assert_int_equal(dl.dl_level, DOCTOR_OK);
	doctor_set_disk(&dl, "d", "/p", 0, 0, 0, 0);
	assert_int_equal(dl.dl_level, DOCTOR_OK);
}

static void
test_run(void **state)
{
	(void)state;
	begin(DOCTOR_WAIT_PARENT | DOCTOR_WAIT_PROCS);
	assert_true(doctor_is(7));
	assert_false(doctor_is(8));
	/* One at a time. */
	assert_int_equal(doctor_begin(&ops, 8, DOCTOR_WAIT_PARENT), -1);
	give_fact(7, DOCTOR_WARNING, "disk", 0);
	give_fact(8, DOCTOR_FAILED, "of another", 0);
	assert_string_equal(got, "warning|disk|text|fix\n");
	doctor_got(DOCTOR_WAIT_PARENT);
	doctor_got(DOCTOR_WAIT_PARENT);
	assert_int_equal(ended, -1);
	doctor_got(DOCTOR_WAIT_PROCS);
	assert_int_equal(ended, CONTROL_OK);
	assert_string_equal(end_text, "");
	/* Late: nobody is told. */
	got[0] = '\0';
	give_fact(7, DOCTOR_FAILED, "late", 0);
	doctor_say(DOCTOR_FAILED, "late", "", "x");
	doctor_got(DOCTOR_WAIT_PARENT);
	assert_string_equal(got, "");

	begin(DOCTOR_WAIT_PARENT);
	give_fact(7, DOCTOR_FAILED, "disk", 0);
	doctor_got(DOCTOR_WAIT_PARENT);
	assert_int_equal(ended, CONTROL_FAILED);
	assert_string_equal(end_text, "1 check failed");

	/* The client has gone; the next one begins anew. */
	begin(DOCTOR_WAIT_PARENT);
	give_fact(7, DOCTOR_FAILED, "disk", 0);
	doctor_gone(8);
	assert_true(doctor_is(7));
	doctor_gone(7);
	doctor_got(DOCTOR_WAIT_PARENT);
	assert_int_equal(ended, -1);
	begin(DOCTOR_WAIT_PARENT);
	doctor_got(DOCTOR_WAIT_PARENT);
	assert_int_equal(ended, CONTROL_OK);
}

static void
test_broken(void **state)
{
	size_t	 cut;

	(void)state;
	begin(DOCTOR_WAIT_PARENT);
	broken = 0;
	for (cut = 1; cut < 18; cut++)
		give_fact(7, DOCTOR_OK, "disk", cut);
	give_fact(7, 3, "disk", 0);
	assert_int_equal(broken, 18);
	assert_string_equal(got, "");
	doctor_gone(7);
}

static int
setup(void **state)
{
	(void)state;
	return ((base = event_base_new()) == NULL ? -1 : 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_words),
		cmocka_unit_test(test_cert),
		cmocka_unit_test(test_machine),
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_broken),
	};

	return (cmocka_run_group_tests(tests, setup, NULL));
}
