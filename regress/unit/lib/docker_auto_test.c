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
 * A container made with --rm: Docker removes it when it is stopped, so the
 * way back is to make it again.
 */
static const char auto_body[] = "{\"Image\":\"app:latest\",\"Env\":[\"A=1\"],"
    "\"HostConfig\":{\"NetworkMode\":\"net1\",\"AutoRemove\":true},"
    "\"NetworkingConfig\":{\"EndpointsConfig\":{\"net1\":{\"IPAMConfig\":"
    "{\"IPv4Address\":\"10.0.0.5\"},\"Aliases\":[\"w\"]}}}}";
static char	 old_id[65];

static void
auto_begin(void)
{
	struct fk_container	*c;

	world_begin();
	c = fk_find(&fk, NAME);
	free(c->body);
	assert_non_null(c->body = strdup(auto_body));
	c->policy[0] = '\0';
	strlcpy(old_id, c->id, sizeof(old_id));
}

/* One, complete, and following the reference that it followed before. */
static void
assert_auto(bool renewed, bool paused)
{
	struct fk_container	*c;
	struct json		*js;
	size_t			 i, n = 0;

	for (i = 0; i < FK_MAX; i++)
		n += fk.ct[i].used;
	if (n != 1 || (c = fk_find(&fk, NAME)) == NULL) {
		fail_msg("%zu containers; trace:\n%s", n, fk.trace);
		return;
	}
	if (!c->running || c->paused != paused)
		fail_msg("it is %s; trace:\n%s", fk_status(c), fk.trace);
	assert_image(renewed ? 2 : 1);
	js = fk_body(c);
	assert_string_equal(json_get_str(json_root(js), "Image"),
	    "app:latest");
	assert_true(json_bool(json_path(json_root(js),
	    "HostConfig.AutoRemove")));
	json_free(js);
	for (i = 0, n = 0; i < nitems(c->nets); i++) {
		if (strcmp(c->nets[i].name, "net1") == 0 &&
		    strstr(c->nets[i].config, "10.0.0.5") != NULL)
			n |= 1;
		if (strcmp(c->nets[i].name, "net2") == 0 &&
		    strstr(c->nets[i].config, "side") != NULL)
			n |= 2;
	}
	if (n != 3)
		fail_msg("its networks: %zu; trace:\n%s", n, fk.trace);
}

static void
test_success(void **state)
{
	(void)state;
	auto_begin();
	start("", "");
	run();
	assert_string_equal(error, "");
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_auto(true, false);
	assert_forgotten();
	world_end();
}

static void
test_back(void **state)
{
	static const enum fk_behave	 bad[] = { FK_EXITS, FK_NOSTART,
		FK_TURNS_UNHEALTHY, FK_RESTARTS };
	size_t				 i;

	(void)state;
	for (i = 0; i < 2 * nitems(bad); i++) {
		auto_begin();
		fk_find(&fk, NAME)->paused = i % 2;
		fk.im[1].behave = bad[i / 2];
		start("", "");
		run();
		assert_int_equal(outcome, UPDATE_ROLLBACK);
		assert_false(harm);
		assert_auto(false, i % 2);
		/* The tag is where the pull has put it. */
		assert_ptr_equal(fk_image(&fk, "app:latest"), &fk.im[1]);
		assert_string_not_equal(fk_find(&fk, NAME)->id, old_id);
		world_end();
	}
}

/* Its reference cannot be lent: then the image itself. */
static void
test_no_reference(void **state)
{
	struct json	*js;

	(void)state;
	auto_begin();
	fk_tag(&fk, &fk.im[1], "app:latest");
	fk.im[1].tags[0][0] = '\0';
	fk_tag(&fk, &fk.im[1], "app:2");
	fk.im[1].behave = FK_EXITS;
	start("app:2", "");
	run();
	assert_int_equal(outcome, UPDATE_ROLLBACK);
	js = fk_body(fk_find(&fk, NAME));
	assert_string_equal(json_get_str(json_root(js), "Image"),
	    fk.im[0].id);
	json_free(js);
	assert_true(fk_find(&fk, NAME)->running);
	world_end();
}

static void
test_refused(void **state)
{
	char	 body[256];

	(void)state;
	/* Who shares with it could not find it again. */
	auto_begin();
	snprintf(body, sizeof(body), "{\"Image\":\"app:latest\",\"HostConfig\":"
	    "{\"NetworkMode\":\"container:%s\"}}", old_id);
	add("user", body)->running = true;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_non_null(strstr(error, "made with --rm, which could not be put "
	    "back"));
	assert_null(strstr(fk.trace, "/stop"));
	world_end();
	/* Nobody could start it again: it is left alone. */
	world_begin();
	add("later", "{\"Image\":\"app:latest\",\"Labels\":{"
	    "\"sentinel.depends-on\":\"" NAME "\"},\"HostConfig\":{"
	    "\"AutoRemove\":true}}")->running = true;
	order_too = true;
	start("", "");
	run();
	order_too = false;
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_true(fk_find(&fk, "later")->running);
	world_end();
}

/* A user made with --rm, of a provider that is not. */
static void
test_user(void **state)
{
	char			 body[256];
	struct fk_container	*c;
	int			 bad;

	(void)state;
	for (bad = 0; bad < 2; bad++) {
		world_begin();
		fk_tag(&fk, &fk.im[0], "side:1");
		snprintf(body, sizeof(body), "{\"Image\":\"side:1\","
		    "\"HostConfig\":{\"NetworkMode\":\"container:%s\","
		    "\"AutoRemove\":true}}", fk_find(&fk, NAME)->id);
		add("user", body)->running = true;
		fk.im[1].behave = bad ? FK_EXITS : FK_GOOD;
		start("", "");
		run();
		assert_int_equal(outcome, bad ? UPDATE_ROLLBACK :
		    UPDATE_SUCCESS);
		assert_false(harm);
		assert_non_null(c = fk_find(&fk, "user"));
		assert_true(c->running);
		assert_non_null(strstr(c->body, fk_find(&fk, NAME)->id));
		assert_non_null(strstr(c->body, "side:1"));
		assert_null(fk_find(&fk, "user" UPDATE_SUFFIX_NEW));
		assert_null(fk_find(&fk, "user" UPDATE_SUFFIX_OLD));
		world_end();
	}
}

static void
every_place(enum fk_fate before, enum fk_fate after, bool bad, bool engine_too)
{
	bool	 died;
	int	 i, n;

	auto_begin();
	fk.im[1].behave = bad ? FK_EXITS : FK_GOOD;
	start("", "");
	run();
	n = fk.nreq;
	world_end();
	for (i = 1; i <= 2 * n; i++) {
		auto_begin();
		fk.im[1].behave = bad ? FK_EXITS : FK_GOOD;
		fk.fail_at = (i + 1) / 2;
		fk.fate = i % 2 == 0 ? before : after;
		update_through_crashes(engine_too, &died);
		if (harm)
			fail_msg("request %d fate %d: %s; trace:\n%s",
			    fk.fail_at, fk.fate, error, fk.trace);
		assert_auto(outcome == UPDATE_SUCCESS, false);
		world_end();
	}
}

static void
test_every_place(void **state)
{
	(void)state;
	every_place(FK_CRASH, FK_CRASH_AFTER, false, false);
	every_place(FK_CRASH, FK_CRASH_AFTER, true, false);
	every_place(FK_CRASH, FK_CRASH_AFTER, false, true);
	every_place(FK_LOSE, FK_LOSE_AFTER, true, false);
	every_place(FK_ERROR, FK_ERROR_AFTER, false, false);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_success),
		cmocka_unit_test(test_back),
		cmocka_unit_test(test_no_reference),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_every_place)
	};
	int	 fd;

	signal(SIGPIPE, SIG_IGN);
	/* Hundreds of updates that go wrong have much to say. */
	if (getenv("VERBOSE") == NULL && (fd = open("/dev/null",
	    O_WRONLY)) != -1)
		log_init("auto_test", fd);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
