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

#include "docker_detail.h"
#include "docker_keep.h"
#include "updaterig.h"

/* Version n of the image; its registry's digest from 2 on. */
#define IMAGE(n)	(&fk.im[(n) - 1])

static struct evbuffer	*fk_out;	/* what nobody reads */

static void
begin(void)
{
	int	 i;

	cleanup = true;
	rule = NULL;
	ntabu = 0;
	world_begin();
	for (i = 2; i < 6; i++) {
		snprintf(fk.im[i].id, sizeof(fk.im[i].id), "sha256:%064d",
		    i + 1);
		snprintf(fk.im[i].digest, sizeof(fk.im[i].digest),
		    "app@sha256:%064d", i + 100);
	}
}

/* The tag moves to version n, and the container with it. */
static void
update(int n)
{
	fk.pull_to = n - 1;
	start("", "");
	run();
}

static void
rollback(const char *to)
{
	struct update_request	 uq = {
		.uq_opid = OPID, .uq_name = NAME, .uq_image = "",
		.uq_digest = "", .uq_rule = rule, .uq_rollback = true,
		.uq_to = to, .uq_cleanup = cleanup,
		.uq_bad = tabu, .uq_nbad = ntabu
	};
	char			 err[256] = "";

	if (updater_start(up, &uq, err, sizeof(err)) == -1)
		fail_msg("refused: %s", err);
	run();
}

/* How many private names an image has. */
static int
kept(int n)
{
	int	 t, names = 0;

	if (IMAGE(n)->id[0] == '\0')
		return (-1);
	for (t = 0; t < FK_TAGS; t++)
		names += strncmp(IMAGE(n)->tags[t], KEEP_REPO,
		    strlen(KEEP_REPO)) == 0;
	return (names);
}

static void
assert_tag(int n)
{
	assert_ptr_equal(fk_image(&fk, "app:latest"), IMAGE(n));
}

/* Private names are as old as their second: make the present ones older. */
static void
age(unsigned int sec)
{
	char	*p;
	int	 i, t;

	for (i = 0; i < FK_MAX; i++)
		for (t = 0; t < FK_TAGS; t++)
			if ((p = strstr(fk.im[i].tags[t], ":" NAME ".")) !=
			    NULL) {
				p += strlen(":" NAME ".");
				snprintf(p, 11, "%010llx", strtoull(p, NULL,
				    16) - sec);
			}
}

/* --- there and back ---------------------------------------------------- */

static void
test_and_back(void **state)
{
	char	 id[80];

	(void)state;
	begin();
	update(2);
	age(10);
	update(3);
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_int_equal(kept(1), 1);
	assert_int_equal(kept(2), 1);
	assert_int_equal(kept(3), 0);
	age(10);

	rollback("");
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_true(was_rollback);
	assert_one(true, false);
	assert_image(2);
	/* What it was made from reads as it did, and names what it was. */
	assert_non_null(strstr(fk_find(&fk, NAME)->body,
	    "\"Image\":\"app:latest\""));
	assert_tag(2);
	assert_int_equal(kept(1), 1);
	assert_int_equal(kept(2), 0);
	assert_int_equal(kept(3), 1);
	/* Nothing was pulled. */
	assert_null(strstr(strstr(fk.trace, "/images/json"), "pull"));
	age(10);

	snprintf(id, sizeof(id), "%s", IMAGE(1)->id);
	rollback(id);
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_image(1);
	assert_tag(1);
	age(10);
	/* And what was left there is the newest now. */
	rollback("1");
	assert_image(2);
	assert_forgotten();
	world_end();
}

static void
test_refused(void **state)
{
	(void)state;
	begin();
	rollback("");
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_false(harm);
	assert_non_null(strstr(error, "no earlier image"));
	update(2);
	rollback("2");
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_non_null(strstr(error, "2 is no earlier image of this "
	    "container: there are 1: sha256:0"));
	rollback("fedcba987654");
	assert_int_equal(outcome, UPDATE_FAILED);
	/* Somebody has removed it. */
	memset(IMAGE(1), 0, sizeof(*IMAGE(1)));
	fk.trace[0] = '\0';
	rollback("");
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_false(harm);
	assert_non_null(strstr(error, "no earlier image"));
	assert_null(strstr(fk.trace, "POST"));
	assert_one(true, false);
	assert_image(2);
	world_end();
}

/* agent.allow.images is asked what the container would be made from. */
static void
test_rule(void **state)
{
	(void)state;
	begin();
	update(2);
	rule = "other*";
	rollback("");
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_non_null(strstr(error, "app:latest: not allowed by "
	    "agent.allow.images"));
	rule = "docker.io/library/app";
	rollback("");
	assert_int_equal(outcome, UPDATE_SUCCESS);
	rule = NULL;
	world_end();
}

/* Its tag was removed by hand: the private name is enough. */
static void
test_untagged(void **state)
{
	(void)state;
	begin();
	fk_tag(&fk, IMAGE(2), "app:2");
	fk_tag(&fk, IMAGE(3), "app:3");
	fk.pull_to = 1;
	start("app:2", "");
	run();
	age(10);
	fk.pull_to = 2;
	start("app:3", "");
	run();
	assert_image(3);
	age(10);
	assert_int_equal(fk_delete_image(&fk, "app:2", fk_out), 200);
	rollback("");
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_image(2);
	assert_non_null(strstr(fk_find(&fk, NAME)->body,
	    "\"Image\":\"app:2\""));
	assert_ptr_equal(fk_image(&fk, "app:2"), IMAGE(2));
	assert_ptr_equal(fk_image(&fk, "app:3"), IMAGE(3));
	world_end();
}

/* The earlier image is no good any more: the present one stays. */
static void
test_undone(void **state)
{
	(void)state;
	begin();
	update(2);
	IMAGE(1)->behave = FK_EXITS;
	rollback("");
	assert_int_equal(outcome, UPDATE_ROLLBACK);
	assert_one(true, false);
	assert_image(2);
	assert_tag(2);
	assert_int_equal(kept(1), 1);
	assert_int_equal(kept(2), 0);
	world_end();
}

/* Crash at every request, with and without the engine. */
static void
test_every_crash(void **state)
{
	int	 at, last, pass, lives;

	(void)state;
	for (pass = 0; pass < 4; pass++)
		for (at = 1, last = 2; at < last; at++) {
			begin();
			update(2);
			ndone = 0;
			IMAGE(1)->behave = pass >= 2 ? FK_EXITS : FK_GOOD;
			last = at + 1;
			fk.fail_at = fk.nreq + at;
			fk.fate = pass % 2 == 0 ? FK_CRASH : FK_CRASH_AFTER;
			rollback("");
			for (lives = 1; fk.crashed; lives++) {
				assert_true(lives < 10);
				last = at + 2;
				life_end();
				fk.crashed = false;
				life_begin();
				while (!updater_ready(up) && !fk.crashed)
					run();
			}
			assert_int_equal(ndone, 1);
			assert_true(was_rollback);
			assert_one(true, false);
			assert_image(outcome == UPDATE_SUCCESS ? 1 : 2);
			assert_tag(outcome == UPDATE_SUCCESS ? 1 : 2);
			assert_true(kept(outcome == UPDATE_SUCCESS ? 2 : 1)
			    >= 1);
			assert_true(outcome != UPDATE_SUCCESS || pass < 2);
			assert_true(outcome != UPDATE_FAILED || !harm);
			world_end();
		}
	assert_true(at > 20);
}

/* --- shown -------------------------------------------------------------- */

static bool	 shown;

static void
on_detail(void *arg, const char *why, Sentinel__Cluster__Detail *d)
{
	const char	*want = arg;

	shown = true;
	event_base_loopbreak(fk.base);
	if (d == NULL) {
		if (want == NULL || strstr(why, want) == NULL)
			fail_msg("%s", why);
		return;
	}
	assert_string_equal(why, "");
	assert_null(want);
	assert_string_equal(d->image, "app:latest");
	assert_string_equal(d->image_id, IMAGE(3)->id);
	assert_string_equal(d->image_digest, IMAGE(3)->digest);
	assert_string_equal(d->state, "running");
	assert_string_equal(d->restart_policy, "always");
	assert_int_equal(d->started->seconds, 1767225601);
	assert_null(d->finished);
	assert_int_equal(d->n_earlier, 2);
	assert_string_equal(d->earlier[0]->image_id, IMAGE(2)->id);
	assert_string_equal(d->earlier[0]->digest, IMAGE(2)->digest);
	assert_string_equal(d->earlier[0]->image, "app:latest");
	assert_true(d->earlier[0]->replaced->seconds > 1700000000);
	assert_string_equal(d->earlier[1]->image_id, IMAGE(1)->id);
	assert_string_equal(d->earlier[1]->digest, "");
}

static void
look(const char *name, const char *why)
{
	shown = false;
	assert_int_equal(docker_op_detail(fk.docker, name, on_detail,
	    (void *)(uintptr_t)why), 0);
	while (!shown)
		event_base_dispatch(fk.base);
}

static void
test_shown(void **state)
{
	(void)state;
	begin();
	update(2);
	age(10);
	update(3);
	look(NAME, NULL);
	look("none", "container \"none\" not found");
	assert_int_equal(docker_op_detail(fk.docker, "a/b", on_detail, NULL),
	    -1);
	fk.fail_what = "/images/json";
	fk.fate = FK_ERROR;
	look(NAME, "injected failure");
	world_end();
}

static void
test_times(void **state)
{
	static const struct {
		const char	*text;
		int64_t		 sec;
	}			 rows[] = {
		{ "2026-11-22T09:00:00Z", 1795338000 },
		{ "2026-11-22T09:00:00.123456789Z", 1795338000 },
		{ "2026-11-22T10:00:00.5+01:00", 1795338000 },
		{ "2026-11-22T05:30:00-03:30", 1795338000 },
		{ "0001-01-01T00:00:00Z", 0 },
		{ "2026-11-22T09:00:00", 0 },
		{ "2026-11-22", 0 }, { "", 0 }, { "now", 0 },
		{ "2026-11-22T09:00:00x01:00", 0 },
		{ "2026-11-22T09:00:00.", 0 },
		{ "2026-11-22T09:00:00Z ", 0 },
		{ "2026-11-22T10:00:00+01:00x", 0 },
		{ "2026-11-22T10:00:00+-1:00", 0 },
		{ "2026-11-22T10:00:00+01: 0", 0 },
		{ "2026-11-22T10:00:00+1:0", 0 },
		/* before 1970, and after 9999, which the wire cannot say */
		{ "1970-01-01T00:00:00+01:00", 0 },
		{ "9999-12-31T23:59:59Z", 253402300799 },
		{ "9999-12-31T23:59:59-01:00", 0 },
	};
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++)
		if (docker_time(rows[i].text) != rows[i].sec)
			fail_msg("%s: %lld", rows[i].text,
			    (long long)docker_time(rows[i].text));
}

/* --- quarantine -------------------------------------------------------- */

static void
test_quarantine(void **state)
{
	char	 digest[80];

	(void)state;
	begin();
	snprintf(digest, sizeof(digest), "sha256:%064d", 9);
	tabu[0] = digest;
	ntabu = 1;
	update(2);
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_false(harm);
	assert_non_null(strstr(error, "quarantine"));
	assert_non_null(strstr(error, digest));
	assert_image(1);
	/* Another one is no matter. */
	update(3);
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_image(3);
	/* By id as well: not every image has a digest. */
	strlcpy(digest, IMAGE(4)->id, sizeof(digest));
	update(4);
	assert_int_equal(outcome, UPDATE_FAILED);
	ntabu = 0;
	update(4);
	assert_int_equal(outcome, UPDATE_SUCCESS);
	world_end();
}

/* Going back twice does not go forth again. */
static void
test_quarantine_back(void **state)
{
	char	 digest[80], text[80];

	(void)state;
	begin();
	update(2);
	age(10);
	update(3);
	rollback("");
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_image(2);
	assert_non_null(strstr(strchr(IMAGE(3)->digest, '@') + 1, "sha256:"));
	strlcpy(digest, strchr(IMAGE(3)->digest, '@') + 1, sizeof(digest));
	tabu[0] = digest;
	ntabu = 1;
	rollback("");
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_false(harm);
	assert_image(2);
	assert_tag(2);
	snprintf(text, sizeof(text), "it would go to %.19s (app:latest), "
	    "which is in quarantine", IMAGE(3)->id);
	assert_non_null(strstr(error, text));
	snprintf(text, sizeof(text), "others for --to: 2: %.19s (app:latest)",
	    IMAGE(1)->id);
	assert_non_null(strstr(error, text));
	rollback("1");
	assert_int_equal(outcome, UPDATE_FAILED);
	/* In another second: the name of what is kept says when. */
	age(10);
	rollback("2");
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_image(1);
	ntabu = 0;
	rollback(IMAGE(3)->id);
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_image(3);
	world_end();
}

/* --- clean-up ---------------------------------------------------------- */

static void
test_cleanup(void **state)
{
	int	 n;

	(void)state;
	begin();
	for (n = 2; n <= 5; n++) {
		update(n);
		assert_int_equal(outcome, UPDATE_SUCCESS);
		age(10);
	}
	/* Two are kept, and no more. */
	assert_int_equal(kept(1), -1);
	assert_int_equal(kept(2), -1);
	assert_int_equal(kept(3), 1);
	assert_int_equal(kept(4), 1);
	world_end();

	begin();
	cleanup = false;
	for (n = 2; n <= 5; n++) {
		update(n);
		age(10);
	}
	/* Its private name is all that it has, so it keeps that. */
	assert_int_equal(kept(1), 1);
	assert_int_equal(kept(2), 0);
	assert_int_equal(kept(3), 1);
	world_end();
}

static void
test_used_by_another(void **state)
{
	int	 n;

	(void)state;
	begin();
	/* Stopped, and of the first version. */
	(void)add("other", "{\"Image\":\"app:latest\"}");
	for (n = 2; n <= 5; n++) {
		update(n);
		assert_int_equal(outcome, UPDATE_SUCCESS);
		/* Docker would refuse it: it was not even asked. */
		assert_string_equal(note, "");
		age(10);
	}
	assert_true(kept(1) >= 0);
	assert_int_equal(kept(2), -1);
	world_end();
}

/* The image that was replaced has its name still; nothing is to be kept. */
static void
begin_without_keeping(void)
{
	struct fk_container	*ct;
	struct evbuffer		*out = evbuffer_new();

	begin();
	ct = fk_find(&fk, NAME);
	free(ct->body);
	memset(ct, 0, sizeof(*ct));
	ct = add(NAME, "{\"Image\":\"app:latest\",\"Labels\":"
	    "{\"sentinel.rollback.keep\":\"0\"}}");
	assert_int_equal(fk_start(&fk, ct, out), 204);
	evbuffer_free(out);
}

/* Another update is about to make a container from it. */
static void
test_needed_by_another_update(void **state)
{
	struct update_request	 uq = { .uq_opid = OPID_OTHER,
		.uq_name = "other", .uq_image = "app:latest",
		.uq_digest = "" };
	struct fk_container	*ct;
	struct evbuffer		*out;
	char			 body[128], err[256] = "";
	int			 i;

	(void)state;
	for (i = 0; i < 2; i++) {
		begin_without_keeping();
		snprintf(body, sizeof(body), "{\"Image\":\"%s\"}",
		    IMAGE(4)->id);
		ct = add("other", body);
		out = evbuffer_new();
		assert_int_equal(fk_start(&fk, ct, out), 204);
		evbuffer_free(out);
		fk.pull_to = 0;
		fk.fail_what = "/containers/create?name=other";
		fk.fate = FK_HANG;
		if (i == 1 && updater_start(up, &uq, err, sizeof(err)) == -1)
			fail_msg("refused: %s", err);
		while (i == 1 && strstr(fk.trace, fk.fail_what) == NULL)
			event_base_loop(fk.base, EVLOOP_ONCE);
		fk.pull_to = 1;
		start("app:v2", "");
		run();
		assert_int_equal(outcome, UPDATE_SUCCESS);
		if (i == 0)
			assert_null(fk_image(&fk, "app:latest"));
		else
			assert_tag(1);
		world_end();
	}
}

/* It could not be kept for a rollback: then it stays as it is. */
static void
test_not_kept(void **state)
{
	(void)state;
	begin();
	fk.fail_what = "/tag?repo=sentinel-keep/r";
	fk.fate = FK_ERROR;
	fk.pull_to = 1;
	start("app:v2", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_string_not_equal(note, "");
	assert_tag(1);
	world_end();
}

/* Whatever becomes of it, the update was a success. */
static void
test_cleanup_fails(void **state)
{
	static const char *const	 what[] = { "GET /v1.41/images/json",
		"DELETE /v1.41/images/", "/tag?repo=sentinel-keep/r" };
	static const enum fk_fate	 fate[] = { FK_ERROR, FK_LOSE,
		FK_LOSE_AFTER };
	size_t				 i, j;
	int				 n;

	(void)state;
	for (i = 0; i < nitems(what); i++)
		for (j = 0; j < nitems(fate); j++) {
			begin();
			for (n = 2; n <= 3; n++) {
				update(n);
				age(10);
			}
			/* Built here: names are all that holds it. */
			IMAGE(3)->digest[0] = '\0';
			fk.fail_what = what[i];
			fk.fate = fate[j];
			update(4);
			fk.fail_what = NULL;
			assert_int_equal(outcome, UPDATE_SUCCESS);
			assert_image(4);
			assert_one(true, false);
			/* Who asked for it can see it. */
			if (note[0] == '\0')
				fail_msg("%s %d: silent", what[i], fate[j]);
			/* What it needs was not touched. */
			assert_int_equal(kept(2), 1);
			assert_int_not_equal(kept(3), -1);
			world_end();
		}
}

/* Labels of the container say how many are kept. */
static void
test_labels(void **state)
{
	static const struct {
		const char	*labels;
		int		 one, two;
	}			 rows[] = {
		{ "\"sentinel.rollback.keep\":\"0\"", -1, -1 },
		{ "\"sentinel.rollback.keep\":\"1\"", -1, 1 },
		{ "\"sentinel.rollback.keep\":\"x\"", 1, 1 },
		{ "\"sentinel.rollback.keep\":\"99\"", 1, 1 },
		{ "\"sentinel.rollback.days\":\"1\"", -1, 1 },
	};
	char			 body[1024];
	struct fk_container	*ct;
	struct evbuffer		*out;
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		begin();
		ct = fk_find(&fk, NAME);
		free(ct->body);
		memset(ct, 0, sizeof(*ct));
		snprintf(body, sizeof(body), "{\"Image\":\"app:latest\","
		    "\"Labels\":{%s}}", rows[i].labels);
		ct = add(NAME, body);
		out = evbuffer_new();
		assert_int_equal(fk_start(&fk, ct, out), 204);
		evbuffer_free(out);
		update(2);
		age(3 * 86400);
		update(3);
		assert_int_equal(outcome, UPDATE_SUCCESS);
		if (kept(1) != rows[i].one || kept(2) != rows[i].two)
			fail_msg("%s: %d %d", rows[i].labels, kept(1),
			    kept(2));
		world_end();
	}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_and_back),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_rule),
		cmocka_unit_test(test_untagged),
		cmocka_unit_test(test_undone),
		cmocka_unit_test(test_every_crash),
		cmocka_unit_test(test_shown),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_quarantine),
		cmocka_unit_test(test_quarantine_back),
		cmocka_unit_test(test_cleanup),
		cmocka_unit_test(test_used_by_another),
		cmocka_unit_test(test_needed_by_another_update),
		cmocka_unit_test(test_not_kept),
		cmocka_unit_test(test_cleanup_fails),
		cmocka_unit_test(test_labels),
	};
	int	 fd, rc;

	signal(SIGPIPE, SIG_IGN);
	if (getenv("VERBOSE") == NULL && (fd = open("/dev/null",
	    O_WRONLY)) != -1)
		log_init("rollback_test", fd);
	fk_out = evbuffer_new();
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	evbuffer_free(fk_out);
	return (rc);
}
