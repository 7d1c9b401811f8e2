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
 * Hooks and the gate command in an update: in which order, what their failure
 * does, and that a crash runs none of them twice.
 */
static void
labels(const char *json)
{
	struct fk_container	*ct = fk_find(&fk, NAME);
	char			*body, *p;
	int			 n;

	p = strstr(ct->body, "{\"x\":\"y\"}");
	assert_non_null(p);
	n = asprintf(&body, "%.*s%s%s", (int)(p - ct->body), ct->body, json,
	    p + strlen("{\"x\":\"y\"}"));
	assert_int_not_equal(n, -1);
	free(ct->body);
	ct->body = body;
}

static void
begin(const char *json)
{
	hooks_on = true;
	exec_fault = NULL;
	pre_hook = post_hook = NULL;
	world_begin();
	labels(json);
}

static void
over(void)
{
	world_end();
	hooks_on = false;
	exec_fault = NULL;
	pre_hook = post_hook = NULL;
}

#define BOTH	"{\"sentinel.hook.pre\":\"before\"," \
		"\"sentinel.hook.post\":\"after\"}"

static void
test_good(void **state)
{
	const char	*exec, *pull;

	(void)state;
	begin(BOTH);
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_string_equal(note, "");
	assert_string_equal(hooked, "pre-update 0,post-update 0,");
	assert_one(true, false);
	assert_image(2);
	/* In the old one before the pull, in the new one before the end. */
	exec = strstr(fk.trace, "/exec\n");
	pull = strstr(fk.trace, "/images/create");
	assert_true(exec != NULL && pull != NULL && exec < pull);
	assert_int_equal(fk.execs.n, 2);
	assert_string_not_equal(fk.execs.ex[0].container,
	    fk.execs.ex[1].container);
	assert_string_equal(fk.execs.ex[1].container, fk_find(&fk, NAME)->id);
	assert_true(strstr(fk.trace, "DELETE") > strstr(pull, "/exec\n"));
	assert_forgotten();
	over();

	begin(BOTH);		/* hooks_enabled: false */
	hooks_on = false;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_int_equal(fk.execs.n, 0);
	over();

	begin(BOTH);		/* a container that is stopped */
	fk_find(&fk, NAME)->running = false;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_int_equal(fk.execs.n, 0);
	assert_non_null(strstr(note, "not run, for the container does not"));
	over();
}

static void
test_pre_refuses(void **state)
{
	static const struct {
		int			 code;
		int			 hang;
		enum update_outcome	 want;
		const char		*error;
	} t[] = {
		{ 75, 0, UPDATE_SKIPPED,
		    "pre-update hook: exit code 75: busy: not now" },
		{ 1, 0, UPDATE_FAILED,
		    "pre-update hook: exit code 1: busy: nothing was changed" },
		{ 0, 1, UPDATE_FAILED, "pre-update hook: it did not end within "
		    "1 s and was ended: busy: nothing was changed" },
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(t); i++) {
		begin("{\"sentinel.hook.pre\":\"before\","
		    "\"sentinel.hook.timeout\":\"1\"}");
		fk.execs.out = "busy\n";
		fk.execs.code = t[i].code;
		fk.execs.hang = t[i].hang;
		start("", "");
		run();
		assert_int_equal(outcome, t[i].want);
		assert_string_equal(error, t[i].error);
		assert_false(harm);
		assert_one(true, false);
		assert_image(1);
		assert_null(strstr(fk.trace, "/images/create"));
		assert_forgotten();
		over();
	}
	assert_string_equal(update_outcome_name(UPDATE_SKIPPED), "skipped");
}

static void
test_post_fails(void **state)
{
	(void)state;
	begin("{\"sentinel.hook.post\":\"after\"}");
	fk.execs.code = 9;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_string_equal(note, "post-update hook: exit code 9");
	assert_string_equal(hooked, "post-update 9,");
	assert_one(true, false);
	assert_image(2);
	over();

	begin("{\"sentinel.hook.post\":\"after\","
	    "\"sentinel.hook.post.rollback\":\"true\"}");
	fk.execs.code = 9;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_ROLLBACK);
	assert_string_equal(error, "post-update hook: exit code 9");
	assert_one(true, false);
	assert_image(1);
	over();
}

static void
test_gate(void **state)
{
	(void)state;
	begin("{\"sentinel.gate.exec\":\"ready\"}");
	hooks_on = false;	/* it is no hook */
	fk.execs.later = 3;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_int_equal(fk.execs.n, 4);
	assert_image(2);
	over();

	begin("{\"sentinel.gate.exec\":\"ready\","
	    "\"sentinel.gate.timeout\":\"1\"}");
	fk.execs.code = 1;
	fk.execs.err = "no database\n";
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_ROLLBACK);
	assert_string_equal(error, "the new container did not pass its gate: "
	    "sentinel.gate.exec: exit code 1: no database");
	assert_one(true, false);
	assert_image(1);
	over();
}

static void
test_forbidden(void **state)
{
	static const char *const	 t[] = { BOTH,
		"{\"sentinel.hook.post-update\":\"a\"}",
		"{\"sentinel.gate.exec\":\"a\"}" };
	struct hook			 hk = { .hk_msec = 1000 };
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(t); i++) {
		begin(t[i]);
		exec_fault = "not allowed by agent.allow.exec on this host";
		start("", "");
		run();
		assert_int_equal(outcome, UPDATE_FAILED);
		assert_non_null(strstr(error, "command: not allowed by "
		    "agent.allow.exec"));
		assert_int_equal(fk.execs.n, 0);
		assert_one(true, false);
		assert_image(1);
		over();
	}
	begin("{}");
	hk.hk_command = strdup("x");
	pre_hook = &hk;
	exec_fault = "not allowed";
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_string_equal(error, "the server wants a hook run: not allowed");
	over();
	free(hk.hk_command);

	begin("{\"sentinel.hook.pre\":\"a\",\"sentinel.hook.timeout\":\"x\"}");
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_string_equal(error, "label sentinel.hook.timeout: want 1s to "
	    "1h");
	over();
}

/* The label counts, the server's fills what it leaves open. */
static void
test_server(void **state)
{
	struct hook	 pre, post;
	char		 why[128];

	(void)state;
	assert_int_equal(hook_make(&pre, "theirs", 5, why, sizeof(why)), 0);
	assert_int_equal(hook_make(&post, "[\"/afterwards\"]", 5, why,
	    sizeof(why)), 0);
	begin("{\"sentinel.hook.pre\":\"ours\"}");
	pre_hook = &pre;
	post_hook = &post;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_non_null(strstr(fk.execs.trace, "\"ours\""));
	assert_null(strstr(fk.execs.trace, "theirs"));
	assert_non_null(strstr(fk.execs.trace, "\"/afterwards\""));
	assert_int_equal(fk.execs.n, 2);
	over();
	hook_free(&pre);
	hook_free(&post);
}

/* Die at every request: no hook is run twice, and something is said. */
static void
test_crashes(void **state)
{
	struct hook	 post;
	char		 why[128];
	int		 at, back;
	bool		 died;

	(void)state;
	assert_int_equal(hook_make(&post, "after", 5, why, sizeof(why)), 0);
	for (back = 0; back < 2; back++)
	for (at = 1, died = true; died; at++) {
		post.hk_rollback = back == 1;
		begin("{\"sentinel.hook.pre\":\"before\"}");
		post_hook = &post;
		fk.fail_at = at;
		fk.fate = at % 2 == 0 ? FK_CRASH_AFTER : FK_CRASH;
		update_through_crashes(false, &died);
		assert_one(true, false);
		assert_true(strstr(fk.execs.trace, "before") == NULL ||
		    strstr(strstr(fk.execs.trace, "before") + 1, "before") ==
		    NULL);
		assert_true(strstr(fk.execs.trace, "after") == NULL ||
		    strstr(strstr(fk.execs.trace, "after") + 1, "after") ==
		    NULL);
		if (outcome == UPDATE_SUCCESS) {
			assert_image(2);
			/* Run to its end, or a word of it. */
			assert_true(strstr(hooked, "post-update 0,") != NULL ||
			    strstr(note, "not run again") != NULL);
		} else {
			assert_image(1);
			assert_string_not_equal(error, "");
		}
		over();
	}
	assert_true(at > 20);
	hook_free(&post);
}

static const struct {
	const char	*what;
	int		 running;	/* its container; -1: is gone */
	int		 code;		/* of the search for it */
	const char	*out;
	const char	*want;
} lefts[] = {
	{ "found", 1, 0, "ended\n", "it was ended" },
	{ "nothing found", 1, 0, NULL, "it does not run any more" },
	{ "withstands", 1, 1, "ended\n", "cannot be ended, so it may still" },
	{ "no shell", 1, 127, NULL, "cannot be ended, so it may still run" },
	{ "stopped", 0, 1, NULL, "it has ended with its container" },
	{ "gone", -1, 1, NULL, "it has ended with its container" },
};

/* Dies while a hook runs: that one is ended by its mark, and never repeated. */
static void
test_left(void **state)
{
	struct fk_container	*ct;
	size_t			 i;
	const char		*told;
	int			 post;

	(void)state;
	for (i = 0; i < nitems(lefts) * 2; i++) {
		post = i % 2;
		if (post == 1 && lefts[i / 2].running != 1)
			continue;	/* that is another story */
		begin(post == 1 ? "{\"sentinel.hook.post\":\"hook\"}" :
		    "{\"sentinel.hook.pre\":\"hook\"}");
		fk.execs.hang = 4;
		fk.fail_what = "/exec/";
		fk.fate = FK_CRASH_AFTER;
		start("", "");
		run();
		assert_true(fk.crashed);
		assert_string_equal(fk.execs.ex[0].env, post == 1 ?
		    "[\"SENTINEL_HOOK=op-1:post-update\"]" :
		    "[\"SENTINEL_HOOK=op-1:pre-update\"]");
		life_end();
		fk.crashed = false;
		fk.fail_what = NULL;
		fk.execs.hang = 0;
		fk.execs.code = lefts[i / 2].code;
		fk.execs.out = lefts[i / 2].out;
		ct = fk_find(&fk, NAME);
		if (lefts[i / 2].running != 1)
			ct->running = false;
		if (lefts[i / 2].running == -1)
			ct->used = false;
		life_begin();
		while (!updater_ready(up))
			run();
		assert_int_equal(ndone, 1);
		told = post == 1 ? note : error;
		if (strstr(told, lefts[i / 2].want) == NULL)
			fail_msg("%s: \"%s\"", lefts[i / 2].what, told);
		assert_int_equal(outcome, post == 1 ? UPDATE_SUCCESS :
		    UPDATE_FAILED);
		assert_false(harm);
		assert_int_equal(fk.execs.n, lefts[i / 2].running == 1 ? 2 : 1);
		if (fk.execs.n == 2) {
			assert_string_equal(fk.execs.ex[1].env, "");
			assert_non_null(strstr(fk.execs.trace,
			    "SENTINEL_HOOK=$1:"));
			assert_non_null(strstr(fk.execs.trace,
			    "\"sentinel-end\",\"op-1\"]"));
		}
		if (lefts[i / 2].running == -1)
			ct->used = true;
		over();
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_good),
		cmocka_unit_test(test_pre_refuses),
		cmocka_unit_test(test_post_fails),
		cmocka_unit_test(test_gate),
		cmocka_unit_test(test_forbidden),
		cmocka_unit_test(test_server),
		cmocka_unit_test(test_crashes),
		cmocka_unit_test(test_left)
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
