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

#include "docker_txn.h"

/*
 * A provider and those that depend on it: one transaction.
 *	web	the provider (updaterig.h)
 *	u1	in its network; restarts always
 *	u2	sees u1's processes; paused
 *	u3	in its network; stopped
 *	o1	has to be started after it
 *	o2	and this one after o1; paused
 */
#define SIDE	"side:1"
#define NUSERS	5

static const char *const names[NUSERS] = { "u1", "u2", "u3", "o1", "o2" };
static char		 ids[NUSERS][65];	/* before the update */
static char		 web_id[65];

static struct fk_container *
ct(const char *name)
{
	struct fk_container	*c = fk_find(&fk, name);

	if (c == NULL)
		fail_msg("no container %s; trace:\n%s", name, fk.trace);
	return (c);
}

static struct fk_container *
add_user(const char *name, const char *config, const char *labels)
{
	struct fk_container	*c;
	char			 body[512];

	snprintf(body, sizeof(body), "{\"Image\":\"" SIDE "\",\"Labels\":{%s},"
	    "\"HostConfig\":{%s}}", labels, config);
	c = add(name, body);
	c->created = false;
	return (c);
}

/* moved: somebody has pulled a newer image for the users meanwhile. */
static void
group_begin_world(bool moved)
{
	struct fk_container	*c;
	char			 conf[256];
	size_t			 i;

	world_begin();
	snprintf(fk.im[2].id, sizeof(fk.im[2].id), "sha256:%064d", 3);
	snprintf(fk.im[3].id, sizeof(fk.im[3].id), "sha256:%064d", 4);
	fk_tag(&fk, &fk.im[2], SIDE);
	strlcpy(web_id, ct(NAME)->id, sizeof(web_id));
	snprintf(conf, sizeof(conf), "\"NetworkMode\":\"container:%s\","
	    "\"RestartPolicy\":{\"Name\":\"always\","
	    "\"MaximumRetryCount\":0}", web_id);
	c = add_user("u1", conf, "");
	c->running = true;
	snprintf(conf, sizeof(conf), "\"PidMode\":\"container:%s\"",
	    ct("u1")->id);
	c = add_user("u2", conf, "");
	c->running = c->paused = true;
	snprintf(conf, sizeof(conf), "\"NetworkMode\":\"container:%s\"",
	    web_id);
	(void)add_user("u3", conf, "");
	c = add_user("o1", "", "\"sentinel.depends-on\":\"" NAME "\"");
	c->running = true;
	c = add_user("o2", "", "\"sentinel.depends-on\":\"o1\"");
	c->running = c->paused = true;
	for (i = 0; i < NUSERS; i++)
		strlcpy(ids[i], ct(names[i])->id, sizeof(ids[i]));
	if (moved)
		fk_tag(&fk, &fk.im[3], SIDE);
}

static void
assert_shares(const char *user, const char *mode, const char *provider)
{
	struct json	*js = fk_body(ct(user));
	char		 want[80];

	snprintf(want, sizeof(want), "container:%s", ct(provider)->id);
	assert_string_equal(json_get_str(json_get(json_root(js),
	    "HostConfig"), mode), want);
	json_free(js);
}

static void
assert_state(const char *name, bool running, bool paused)
{
	if (ct(name)->running != running || ct(name)->paused != paused)
		fail_msg("%s is %s; trace:\n%s", name, fk_status(ct(name)),
		    fk.trace);
}

/* Everybody once, in the old or the new form. */
static void
assert_group(bool renewed, bool ordered, bool moved)
{
	struct json	*js;
	size_t		 i, n = 0;

	for (i = 0; i < FK_MAX; i++)
		n += fk.ct[i].used;
	if (n != NUSERS + 1)
		fail_msg("%zu containers are left; trace:\n%s", n, fk.trace);
	assert_state(NAME, true, false);
	assert_state("u1", true, false);
	assert_state("u2", true, true);
	assert_state("u3", false, false);
	assert_state("o1", true, false);
	assert_state("o2", true, true);
	assert_shares("u1", "NetworkMode", NAME);
	assert_shares("u2", "PidMode", "u1");
	assert_shares("u3", "NetworkMode", NAME);
	assert_string_equal(ct(NAME)->policy, "always");
	assert_string_equal(ct("u1")->policy, "always");
	assert_image(renewed ? 2 : 1);
	assert_int_equal(strcmp(web_id, ct(NAME)->id) != 0, renewed);
	for (i = 0; i < NUSERS; i++) {
		if ((strcmp(ids[i], ct(names[i])->id) != 0) !=
		    (renewed && names[i][0] == 'u'))
			fail_msg("%s was %smade anew; trace:\n%s", names[i],
			    renewed ? "not " : "", fk.trace);
		assert_string_equal(ct(names[i])->image, fk.im[2].id);
		js = fk_body(ct(names[i]));
		assert_string_equal(json_get_str(json_root(js), "Image"),
		    SIDE);
		json_free(js);
	}
	if (!ordered)
		assert_int_equal(ct("o1")->starts, 0);
	assert_ptr_equal(fk_image(&fk, SIDE), &fk.im[moved ? 3 : 2]);
	if (renewed)
		assert_null(fk_image(&fk, "sentinel-keep:000000011111"));
}

static size_t
at(const char *what)
{
	const char	*p = strstr(fk.trace, what);

	if (p == NULL)
		fail_msg("%s did not happen; trace:\n%s", what, fk.trace);
	return ((size_t)(p - fk.trace));
}

/* "POST /v1.41/containers/ID/verb" */
static size_t
at_verb(const char *id, const char *verb)
{
	char	 what[128];

	snprintf(what, sizeof(what), "/%s/%s", id, verb);
	return (at(what));
}

static void
test_group(void **state)
{
	int	 moved, ordered;

	(void)state;
	for (moved = 0; moved < 2; moved++)
		for (ordered = 0; ordered < 2; ordered++) {
			group_begin_world(moved);
			order_too = ordered;
			start("", "");
			run();
			assert_string_equal(error, "");
			assert_int_equal(outcome, UPDATE_SUCCESS);
			assert_group(true, ordered, moved);
			/* From the outside in, then from the inside out. */
			assert_true(at_verb(ids[1], "stop") <
			    at_verb(ids[0], "stop"));
			assert_true(at_verb(ids[0], "stop") <
			    at_verb(web_id, "stop"));
			assert_true(at_verb(ct(NAME)->id, "start") <
			    at_verb(ct("u1")->id, "start"));
			assert_true(at_verb(ct("u1")->id, "start") <
			    at_verb(ct("u2")->id, "start"));
			assert_int_equal(ct("u3")->starts, 0);
			if (ordered) {
				assert_true(at_verb(ids[4], "stop") <
				    at_verb(ids[3], "stop"));
				assert_true(at_verb(ids[3], "stop") <
				    at_verb(web_id, "stop"));
				assert_true(at_verb(ids[3], "start") >
				    at_verb(ct(NAME)->id, "start"));
			}
			/* Nothing is removed before all have passed. */
			assert_true(at("DELETE /v1.41/containers/") >
			    at_verb(ct("u2")->id, "start"));
			assert_forgotten();
			world_end();
		}
	order_too = false;
}

static void
test_behaviours(void **state)
{
	static const struct {
		int			 image;
		enum fk_behave		 behave;
		const char		*error;
	} t[] = {
		{ 1, FK_EXITS, "the new container ended with exit code 3" },
		{ 1, FK_NOSTART, "start: exec: no such file" },
		{ 2, FK_TURNS_UNHEALTHY,
		    "container \"u1\": the new container is unhealthy" }
	};
	size_t	 i;

	(void)state;
	order_too = true;
	for (i = 0; i < nitems(t); i++) {
		group_begin_world(false);
		fk.im[t[i].image].behave = t[i].behave;
		start("", "");
		run();
		assert_int_equal(outcome, UPDATE_ROLLBACK);
		assert_string_equal(error, t[i].error);
		assert_false(harm);
		assert_group(false, true, false);
		world_end();
	}
	order_too = false;
}

static void
refused(const char *text)
{
	int	 starts = ct(NAME)->starts;

	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_false(harm);
	if (strstr(error, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, error);
	assert_int_equal(ct(NAME)->starts, starts);
	assert_null(strstr(fk.trace, "/stop"));
	assert_null(strstr(fk.trace, "containers/create"));
	world_end();
}

static void
test_refused(void **state)
{
	struct fk_container	*c;

	(void)state;
	group_begin_world(false);
	order_too = true;
	c = add_user("o3", "", "\"sentinel.depends-on\":\"o4,web\"");
	c->running = true;
	c = add_user("o4", "", "\"sentinel.depends-on\":\"o3\"");
	c->running = true;
	refused("in a circle: \"o3\" -> \"o4\" -> \"o3\"");
	order_too = false;
	group_begin_world(false);
	(void)add_user("agent", "\"NetworkMode\":\"container:" NAME "\"",
	    "\"sentinel.self\":\"true\"");
	refused("\"agent\" depends on this one (network): it is Sentinel");
	group_begin_world(false);
	(void)add_user("u1" UPDATE_SUFFIX_OLD, "", "");
	refused("container \"u1.sentinel-prev\" is in the way");
	group_begin_world(false);
	(void)add_user("u1" UPDATE_SUFFIX_NEW, "", "");
	refused("container \"u1.sentinel-next\" is in the way");
	group_begin_world(false);	/* never started, nor by us */
	add_user("u1" UPDATE_SUFFIX_NEW, "", "")->created = true;
	refused("container \"u1.sentinel-next\" is in the way");
	group_begin_world(false);
	fk.im[2].tags[0][0] = '\0';
	refused("its image reference side:1 is not its image any more");
	group_begin_world(false);
	ct(NAME)->running = false;
	refused("the container whose network it shares does not");
}

/* A stray of an update that crashed is in nobody's way. */
static void
test_stray(void **state)
{
	(void)state;
	group_begin_world(false);
	add_user("u1" UPDATE_SUFFIX_NEW, "", "")->created = true;
	stray_expect(up, "u1" UPDATE_SUFFIX_NEW);
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_group(true, false, false);
	world_end();
}

/* Who is a member is busy, and who is busy cannot be one. */
static void
test_busy(void **state)
{
	struct update_request	 uq = { .uq_opid = OPID "x", .uq_name = "u1",
		.uq_image = "", .uq_digest = "" };
	char			 err[256];

	(void)state;
	group_begin_world(false);
	fk.fate = FK_CRASH;
	fk.fail_what = "u1.sentinel-next";
	start("", "");
	run();
	assert_true(updater_busy(up, "u1"));
	assert_false(updater_busy(up, "u4"));
	assert_int_equal(updater_start(up, &uq, err, sizeof(err)), -1);
	assert_string_equal(err, "the container is being updated already");
	world_end();
}

/* --- every request ----------------------------------------------------- */

static int		 first_step;	/* request of the first step */

static int
count_group(bool moved, enum fk_behave behave)
{
	const char	*p, *tag;
	int		 n;

	group_begin_world(moved);
	fk.im[1].behave = behave;
	start("", "");
	run();
	n = fk.nreq;
	assert_non_null(tag = strstr(fk.trace, "/tag?repo=sentinel-keep"));
	for (first_step = 1, p = fk.trace; p < tag; p++)
		first_step += *p == '\n';
	world_end();
	assert_true(n > 80);
	return (n);
}

static void
one_place(int nth, enum fk_fate fate, bool bad, bool engine_too)
{
	bool	 died, moved = nth % 4 < 2;
	size_t	 i;

	group_begin_world(moved);
	fk.im[1].behave = bad ? FK_EXITS : FK_GOOD;
	fk.fail_at = nth;
	fk.fate = fate;
	update_through_crashes(engine_too, &died);
	/* Whom the update has not touched it does not start either. */
	if ((fate == FK_ENGINE || fate == FK_ENGINE_AFTER) &&
	    outcome == UPDATE_FAILED && !harm) {
		for (i = 0; i < NUSERS; i++)
			assert_string_equal(ids[i], ct(names[i])->id);
		world_end();
		return;
	}
	if (harm)
		fail_msg("request %d fate %d: %s; trace:\n%s", nth, fate,
		    error, fk.trace);
	if (bad)
		assert_int_not_equal(outcome, UPDATE_SUCCESS);
	assert_group(outcome == UPDATE_SUCCESS, true, moved);
	world_end();
}

/* At every second request before Docker does it, else after. */
static void
every_place(enum fk_fate before, enum fk_fate after, bool bad, bool engine_too)
{
	int	 i = 1, n;

	order_too = true;
	n = count_group(true, bad ? FK_EXITS : FK_GOOD);
	/* Who is down before anybody looks stays down. */
	if (before == FK_ENGINE || before == FK_ENGINE_AFTER)
		i = first_step;
	for (; i <= n; i++)
		one_place(i, i % 2 == 0 ? before : after, bad, engine_too);
	order_too = false;
}

static void
test_crash(void **state)
{
	(void)state;
	every_place(FK_CRASH, FK_CRASH_AFTER, false, false);
	every_place(FK_CRASH_AFTER, FK_CRASH, true, false);
}

static void
test_crash_engine(void **state)
{
	(void)state;
	every_place(FK_CRASH_AFTER, FK_CRASH, false, true);
	every_place(FK_CRASH, FK_CRASH_AFTER, true, true);
}

/* dockerd dies alone: it does not start again what joins another one. */
static void
test_engine_dies(void **state)
{
	(void)state;
	every_place(FK_ENGINE, FK_ENGINE_AFTER, false, false);
	every_place(FK_ENGINE_AFTER, FK_ENGINE, true, false);
}

static void
test_errors(void **state)
{
	(void)state;
	every_place(FK_ERROR, FK_ERROR_AFTER, false, false);
}

static void
test_lost(void **state)
{
	(void)state;
	every_place(FK_LOSE_AFTER, FK_LOSE, false, false);
	every_place(FK_LOSE, FK_LOSE_AFTER, true, false);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_group),
		cmocka_unit_test(test_behaviours),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_stray),
		cmocka_unit_test(test_busy),
		cmocka_unit_test(test_crash),
		cmocka_unit_test(test_crash_engine),
		cmocka_unit_test(test_engine_dies),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_lost)
	};

	int	 fd;

	signal(SIGPIPE, SIG_IGN);
	/* A thousand updates that go wrong have much to say. */
	if (getenv("VERBOSE") == NULL && (fd = open("/dev/null",
	    O_WRONLY)) != -1)
		log_init("group_test", fd);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
