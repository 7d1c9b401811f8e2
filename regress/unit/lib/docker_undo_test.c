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

#include "updaterig.h"

/*
 * The way back when a request of an earlier life is carried out late, and
 * among containers that only look like ours.
 */

/* What the late request does; see fk_container. */
enum late { LATE_NAME, LATE_POLICY, LATE_NETWORK, LATE_STOP };
#define NLATE	(LATE_STOP + 1)

static enum late	 late;
static int		 late_at;	/* the look that first sees it */
static int		 nright;	/* looks at the old one put right */

/* Dies when it is about to send this request. */
static void
die_before(const char *what)
{
	world_begin();
	fk.fail_what = what;
	fk.fate = FK_CRASH;
	start("", "");
	run();
	assert_true(fk.crashed);
	life_end();
	fk.crashed = false;
	fk.fail_what = NULL;
}

static void
recover(void)
{
	life_begin();
	while (!updater_ready(up))
		run();
}

static int
count_nets(const struct fk_container *ct)
{
	int	 i, n = 0;

	for (i = 0; i < 4; i++)
		n += ct->nets[i].name[0] != '\0';
	return (n);
}

static void
carry_out(struct fk_container *ct)
{
	int	 i;

	switch (late) {
	case LATE_NAME:
		strlcpy(ct->name, NAME ".sentinel-prev", sizeof(ct->name));
		break;
	case LATE_POLICY:
		strlcpy(ct->policy, "no", sizeof(ct->policy));
		break;
	case LATE_NETWORK:
		for (i = 0; i < 4; i++)
			if (strcmp(ct->nets[i].name, "net1") == 0)
				ct->nets[i].name[0] = '\0';
		break;
	case LATE_STOP:
		ct->running = false;
		break;
	}
}

/* Each step back is done, and it is looked at: that is when it happens. */
static void
on_request(struct fk *f)
{
	struct fk_container	*ct = fk_find(f, NAME);
	char			 look[128];
	const char		*end;

	if (ct == NULL || !ct->running || count_nets(ct) != 2 ||
	    strcmp(ct->policy, "always") != 0)
		return;
	snprintf(look, sizeof(look), "GET /v1.41/containers/%s/json\n",
	    ct->id);
	end = f->trace + strlen(f->trace);
	if ((size_t)(end - f->trace) < strlen(look) ||
	    strcmp(end - strlen(look), look) != 0)
		return;
	if (++nright == late_at)
		carry_out(ct);
}

/*
 * The last steps and the last look, and after a crash one more: whatever
 * comes before that is put right.
 */
static void
test_late_requests(void **state)
{
	int	 what, at;

	(void)state;
	for (what = 0; what < NLATE; what++)
		for (at = 1; at <= 3; at++) {
			die_before("/start");
			late = (enum late)what;
			late_at = at;
			nright = 0;
			fk.before = on_request;
			recover();
			if (nright <= late_at)
				fail_msg("late request %d: not seen at look %d"
				    "; trace:\n%s", what, at, fk.trace);
			assert_int_equal(ndone, 1);
			assert_int_equal(outcome, UPDATE_ROLLBACK);
			assert_false(harm);
			assert_one(true, false);
			assert_image(1);
			world_end();
		}
}

/* --- not ours ------------------------------------------------------------ */

#define NEXT	NAME ".sentinel-next"

/* Somebody has made it while no Sentinel was there. */
static void
make_next(int version, bool created)
{
	struct fk_container	*ct;
	char			 body[128];

	snprintf(body, sizeof(body), "{\"Image\":\"%s\"}",
	    fk.im[version - 1].id);
	ct = add(NEXT, body);
	ct->made = true;	/* the fake would not let it be removed */
	ct->created = created;
}

/*
 * It died when it was about to create the new one, and there is one: of its
 * image and never started it is ours, or else it must not be removed.
 */
static void
test_not_ours(void **state)
{
	static const struct {
		int	 version;
		bool	 created, ours;
	}		 rows[] = {
		{ 2, true, true },
		{ 2, false, false },
		{ 1, true, false },
		{ 1, false, false },
	};
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		die_before("/containers/create");
		make_next(rows[i].version, rows[i].created);
		recover();
		assert_int_equal(ndone, 1);
		assert_int_not_equal(outcome, UPDATE_SUCCESS);
		assert_false(harm);
		if ((fk_find(&fk, NEXT) == NULL) != rows[i].ours)
			fail_msg("row %zu; trace:\n%s", i, fk.trace);
		if (!rows[i].ours)
			assert_null(strstr(fk.trace, "DELETE /v1.41/cont"));
		assert_true(fk_find(&fk, NAME)->running);
		assert_string_equal(fk_find(&fk, NAME)->policy, "always");
		assert_image(1);
		world_end();
	}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_late_requests),
		cmocka_unit_test(test_not_ours),
	};
	int	 fd;

	signal(SIGPIPE, SIG_IGN);
	if (getenv("VERBOSE") == NULL && (fd = open("/dev/null",
	    O_WRONLY)) != -1)
		log_init("undo_test", fd);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
