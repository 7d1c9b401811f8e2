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

/* --- the good and the bad way ------------------------------------------ */

static void
test_success(void **state)
{
	struct fk_container	*ct;

	(void)state;
	world_begin();
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_string_equal(error, "");
	assert_one(true, false);
	assert_image(2);
	ct = fk_find(&fk, NAME);
	assert_null(strstr(ct->body, "Hostname"));
	assert_non_null(strstr(ct->body, "\"Image\":\"app:latest\""));
	assert_string_equal(stages, " inspect pull tag retag create connect "
	    "stop norestart park detach name start gate pause confirm remove "
	    "keep untag sweep");
	/* Nothing was removed before the new one had passed its gate. */
	assert_true(strstr(fk.trace, "DELETE") > strstr(fk.trace, "/start"));
	assert_null(fk_image(&fk, "sentinel-keep:000000011111"));
	assert_forgotten();
	world_end();
}

static void
test_behaviours(void **state)
{
	static const struct {
		enum fk_behave		 behave;
		enum update_outcome	 want;
		const char		*error;
	} t[] = {
		{ FK_EXITS, UPDATE_ROLLBACK,
		    "the new container ended with exit code 3" },
		{ FK_LATER_HEALTHY, UPDATE_SUCCESS, "" },
		{ FK_TURNS_UNHEALTHY, UPDATE_ROLLBACK,
		    "the new container is unhealthy" },
		{ FK_RESTARTS, UPDATE_ROLLBACK, "the new container restarted" },
		{ FK_RESTARTED, UPDATE_ROLLBACK,
		    "the new container restarted" },
		{ FK_COUNTS, UPDATE_ROLLBACK, "the new container restarted" },
		{ FK_NOSTART, UPDATE_ROLLBACK, "start: exec: no such file" },
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(t); i++) {
		world_begin();
		fk.im[1].behave = t[i].behave;
		start("", "");
		run();
		assert_int_equal(outcome, t[i].want);
		assert_string_equal(error, t[i].error);
		assert_false(harm);
		assert_one(true, false);
		assert_image(t[i].want == UPDATE_SUCCESS ? 2 : 1);
		world_end();
	}
}

static void
test_states(void **state)
{
	(void)state;
	world_begin();		/* stopped stays stopped */
	fk_find(&fk, NAME)->running = false;
	fk.im[1].behave = FK_NOSTART;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_one(false, false);
	assert_image(2);
	world_end();

	world_begin();		/* paused stays paused */
	fk_find(&fk, NAME)->paused = true;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_one(true, true);
	world_end();

	world_begin();		/* and when it goes wrong, too */
	fk_find(&fk, NAME)->paused = true;
	fk.im[1].behave = FK_EXITS;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_ROLLBACK);
	assert_one(true, true);
	assert_image(1);
	world_end();
}

static void
test_identical(void **state)
{
	(void)state;
	world_begin();
	fk.pull_to = 0;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_IDENTICAL);
	assert_image(1);
	assert_one(true, false);
	assert_null(strstr(fk.trace, "tag?"));
	assert_null(strstr(fk.trace, "containers/create"));
	world_end();
}

/* --- refused before any harm ------------------------------------------- */

static void
refused(const char *image, const char *digest, const char *text)
{
	struct fk_container	 before = *fk_find(&fk, NAME);

	start(image, digest);
	run();
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_false(harm);
	if (strstr(error, text) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", text, error);
	assert_memory_equal(fk_find(&fk, NAME)->id, before.id, 64);
	assert_true(fk_find(&fk, NAME)->running);
	assert_int_equal(fk_find(&fk, NAME)->starts, before.starts);
	assert_null(strstr(fk.trace, "/stop"));
	assert_null(strstr(fk.trace, "rename"));
	world_end();
}

static void
replace_body(const char *body)
{
	struct fk_container	*ct = fk_find(&fk, NAME);

	free(ct->body);
	assert_non_null(ct->body = strdup(body));
}

static void
test_refused(void **state)
{
	char	 body[256];

	(void)state;
	world_begin();
	replace_body("{\"Image\":\"app:latest\",\"Labels\":"
	    "{\"com.docker.swarm.task\":\"\"},\"HostConfig\":{}}");
	refused("", "", "swarm task");
	world_begin();
	replace_body("{\"Image\":\"sha256:0\",\"HostConfig\":{}}");
	refused("", "", "say which image");
	world_begin();
	add(NAME ".sentinel-prev", "{\"Image\":\"app:latest\"}");
	refused("", "", "\"web.sentinel-prev\" is in the way");
	world_begin();
	add(NAME ".sentinel-next", "{\"Image\":\"app:latest\"}")->created =
	    false;
	refused("", "", "\"web.sentinel-next\" is in the way");
	world_begin();		/* never started, but not by us either */
	add(NAME ".sentinel-next", "{\"Image\":\"app:latest\"}")->created =
	    true;
	refused("", "", "\"web.sentinel-next\" is in the way");
	world_begin();
	fk.nets[1] = NULL;
	refused("", "", "network \"net2\" of the container does not exist");
	world_begin();
	fk.pull = "{\"errorDetail\":{\"message\":\"manifest unknown\"}}";
	refused("app:3", "", "pull of app:3: manifest unknown");
	world_begin();
	snprintf(body, sizeof(body), "sha256:%064d", 8);
	refused("", body, "the tag moved");
	world_begin();
	fk.away = true;
	refused("", "", "Docker is not there");

	/* Its own reference is judged here, another one was before. */
	world_begin();
	rule = "ghcr.io/acme/*";
	refused("", "", "app:latest: not allowed by agent.allow.images");
	world_begin();
	rule = "ghcr.io/acme/* docker.io/library/app";
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	rule = NULL;
	world_end();

	world_begin();		/* the right digest passes */
	snprintf(body, sizeof(body), "sha256:%064d", 9);
	start("", body);
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	world_end();
}

static void
test_request_checks(void **state)
{
	static const struct update_request bad[] = {
		{ .uq_opid = "", .uq_name = NAME, .uq_image = "",
		    .uq_digest = "" },
		{ .uq_opid = "o", .uq_name = "a/b", .uq_image = "",
		    .uq_digest = "" },
		{ .uq_opid = "o", .uq_name = "", .uq_image = "",
		    .uq_digest = "" },
		{ .uq_opid = "o", .uq_name = NAME, .uq_image = "a b",
		    .uq_digest = "" },
		{ .uq_opid = "o", .uq_name = NAME, .uq_image = "",
		    .uq_digest = "sha256:1" },
		{ .uq_opid = "o", .uq_name = NAME, .uq_image = "",
		    .uq_digest = "", .uq_rollback = true, .uq_to = "app:1" },
	};
	struct update_request	 uq = { .uq_opid = OPID,
		    .uq_name = NAME, .uq_image = "",
		    .uq_digest = "" };
	char			 err[256];
	size_t			 i;

	(void)state;
	world_begin();
	for (i = 0; i < nitems(bad); i++)
		assert_int_equal(updater_start(up, &bad[i], err, sizeof(err)),
		    -1);
	start("", "");
	assert_int_equal(updater_start(up, &uq, err, sizeof(err)), -1);
	assert_string_equal(err, "the container is being updated already");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	updater_stop(up);
	assert_int_equal(updater_start(up, &uq, err, sizeof(err)), -1);
	assert_string_equal(err, "shutting down");
	world_end();

	world_begin();		/* an unknown container */
	strlcpy(fk_find(&fk, NAME)->name, "other", 6);
	start("", "");
	run();
	assert_string_equal(error, "container \"web\" not found");
	world_end();
}

/* --- one request goes wrong -------------------------------------------- */

static void
test_every_request_fails(void **state)
{
	static const enum fk_fate	 fates[] = { FK_ERROR, FK_ERROR_AFTER,
		FK_LOSE, FK_LOSE_AFTER };
	static const enum fk_behave	 ways[] = { FK_GOOD, FK_EXITS };
	size_t				 f, w;
	int				 k, n;

	(void)state;
	for (w = 0; w < nitems(ways); w++) {
		n = count_requests(ways[w]);
		for (f = 0; f < nitems(fates); f++)
			for (k = 1; k <= n; k++) {
				world_begin();
				fk.im[1].behave = ways[w];
				fk.fail_at = k;
				fk.fate = fates[f];
				start("", "");
				run();
				/* Nor does one failure stop the way back. */
				assert_false(harm);
				assert_one(true, false);
				assert_image(outcome == UPDATE_SUCCESS ? 2 : 1);
				/* Lost answers are looked up, not feared. */
				if (ways[w] == FK_GOOD && fates[f] >= FK_LOSE &&
				    strstr(stages, "tag") != NULL)
					assert_int_equal(outcome,
					    UPDATE_SUCCESS);
				world_end();
			}
	}
}

/* --- the process dies -------------------------------------------------- */

static void
test_every_crash(void **state)
{
	static const enum fk_fate	 fates[] = { FK_CRASH, FK_CRASH_AFTER };
	static const enum fk_behave	 ways[] = { FK_GOOD, FK_EXITS };
	bool				 died;
	size_t				 f, w;
	int				 k, n, engine, ndied = 0;

	(void)state;
	for (w = 0; w < nitems(ways); w++) {
		n = count_requests(ways[w]);
		for (f = 0; f < nitems(fates); f++)
			for (k = 1; k <= n; k++)
				for (engine = 0; engine < 2; engine++) {
					world_begin();
					fk.im[1].behave = ways[w];
					fk.fail_at = k;
					fk.fate = fates[f];
					update_through_crashes(engine == 1,
					    &died);
					assert_int_equal(recovered, died);
					ndied += died;
					assert_false(harm);
					assert_one(true, false);
					assert_image(outcome == UPDATE_SUCCESS ?
					    2 : 1);
					if (ways[w] == FK_EXITS)
						assert_int_not_equal(outcome,
						    UPDATE_SUCCESS);
					world_end();
				}
	}
	assert_true(ndied > 2 * 2 * 2 * 20);
}

/* It dies again while it puts things right. */
static void
test_crash_in_recovery(void **state)
{
	int	 n, k, j;

	(void)state;
	n = count_requests(FK_GOOD);
	for (k = 1; k <= n; k++)
		for (j = 1; j < 20; j++) {
			world_begin();
			fk.fail_at = k;
			fk.fate = FK_CRASH_AFTER;
			start("", "");
			run();
			if (!fk.crashed) {
				world_end();
				continue;
			}
			life_end();
			fk.crashed = false;
			fk.fail_at = fk.nreq + j;
			life_begin();
			while (!updater_ready(up) && !fk.crashed)
				run();
			if (fk.crashed) {
				life_end();
				fk.crashed = false;
				life_begin();
				while (!updater_ready(up))
					run();
			}
			assert_int_equal(ndone, 1);
			assert_false(harm);
			assert_one(true, false);
			assert_image(outcome == UPDATE_SUCCESS ? 2 : 1);
			world_end();
		}
}

/*
 * Docker goes on with a stop or a create after the one who asked has died:
 * the stop hits a container that was found running, the new container
 * appears after it was looked for.
 */
static void
test_slow_engine(void **state)
{
	int	 n, k, slow;

	(void)state;
	n = count_requests(FK_GOOD);
	for (k = 1; k <= n; k++)
		for (slow = 1; slow < 25; slow += slow < 8 ? 1 : 4) {
			world_begin();
			fk.fail_at = k;
			fk.fate = FK_CRASH_SLOW;
			fk.slow = slow;
			start("", "");
			run();
			if (!fk.crashed) {
				world_end();
				continue;
			}
			life_end();
			fk.crashed = false;
			life_begin();
			while (!updater_ready(up))
				run();
			assert_int_equal(ndone, 1);
			fk.nreq += slow;
			fk_slow(&fk);
			assert_true(fk_find(&fk, NAME)->running);
			/* What is left of it is in nobody's way. */
			if (outcome != UPDATE_SUCCESS) {
				start("", "");
				run();
			}
			assert_int_equal(outcome, UPDATE_SUCCESS);
			assert_one(true, false);
			assert_image(2);
			world_end();
		}
}

/* The last record is torn: its step cannot have been begun. */
static void
test_torn_record(void **state)
{
	off_t	 len, cut;
	int	 n, k;

	(void)state;
	n = count_requests(FK_GOOD);
	for (k = 2; k <= n; k++)
		for (cut = 1; cut <= 25; cut += 6) {
			world_begin();
			fk.fail_at = k;
			fk.fate = FK_CRASH;
			start("", "");
			run();
			if (!fk.crashed) {
				world_end();
				continue;
			}
			life_end();
			fk.crashed = false;
			len = lseek(jfd, 0, SEEK_END);
			assert_int_equal(ftruncate(jfd, len > cut ? len - cut :
			    0), 0);
			life_begin();
			while (!updater_ready(up))
				run();
			assert_one(true, false);
			assert_image(ndone == 1 && outcome == UPDATE_SUCCESS ?
			    2 : 1);
			world_end();
		}
}

/* --- no room ----------------------------------------------------------- */

static void
test_disk_full(void **state)
{
	struct update_request	 uq = { .uq_opid = OPID,
		    .uq_name = NAME, .uq_image = "",
		    .uq_digest = "" };
	struct rlimit		 old, rl;
	char			 err[256];
	int			 room, nrolled = 0;

	(void)state;
	assert_int_equal(getrlimit(RLIMIT_FSIZE, &old), 0);
	rl = old;
	world_begin();
	rl.rlim_cur = 0;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
	assert_int_equal(updater_start(up, &uq, err, sizeof(err)), -1);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
	assert_non_null(strstr(err, "journal"));
	assert_one(true, false);
	world_end();
	/* It also may run full although room was reserved. */
	for (room = 0; room < 1500; room += 25) {
		world_begin();
		start("", "");
		rl.rlim_cur = (rlim_t)room;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &rl), 0);
		run();
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &old), 0);
		assert_one(true, false);
		assert_image(outcome == UPDATE_SUCCESS ? 2 : 1);
		if (outcome == UPDATE_ROLLBACK)
			nrolled++;
		if (outcome == UPDATE_FAILED)
			assert_null(strstr(fk.trace, "/stop"));
		world_end();
	}
	assert_true(nrolled > 0);
	assert_int_equal(outcome, UPDATE_SUCCESS);
}

/* --- shutdown, engine away --------------------------------------------- */

static void
test_stop_and_resume(void **state)
{
	int	 n, k;

	(void)state;
	n = count_requests(FK_GOOD);
	for (k = 1; k <= n; k++) {
		world_begin();
		fk.fail_at = k;
		fk.fate = FK_CRASH_AFTER;
		start("", "");
		run();
		if (!fk.crashed) {
			world_end();
			continue;
		}
		updater_stop(up);
		assert_int_equal(nstopped, 1);
		assert_int_equal(ndone, 0);
		life_end();
		fk.crashed = false;
		life_begin();
		while (!updater_ready(up))
			run();
		assert_int_equal(ndone, 1);
		assert_one(true, false);
		world_end();
	}
}

/* What had ended was not interrupted: it is told as it was. */
static void
test_stop_before_told(void **state)
{
	(void)state;
	world_begin();
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	life_end();
	life_begin();
	assert_int_equal(updater_nopen(up), 1);
	updater_stop(up);
	assert_int_equal(updater_nopen(up), 0);
	assert_int_equal(nstopped, 0);
	assert_int_equal(ndone, 1);
	life_end();
	outcome = UPDATE_FAILED;
	life_begin();
	while (!updater_ready(up))
		run();
	assert_int_equal(ndone, 2);
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_true(recovered);
	assert_one(true, false);
	world_end();
}

static void
back_again(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fk.away = false;
	fk_restart_engine(&fk);
}

/* dockerd dies at every request and comes back a little later. */
static void
test_engine_restarts(void **state)
{
	struct event	*ev;
	struct timeval	 tv = { 0, 5000 };
	int		 n, k;

	(void)state;
	n = count_requests(FK_GOOD);
	for (k = 1; k <= n; k++) {
		world_begin();
		ev = evtimer_new(fk.base, back_again, NULL);
		fk.fail_at = k;
		fk.fate = FK_CRASH_AFTER;
		start("", "");
		run();
		if (!fk.crashed) {
			event_free(ev);
			world_end();
			continue;
		}
		fk.crashed = false;
		fk.away = true;
		fk_drop_all(&fk);
		evtimer_add(ev, &tv);
		run();
		assert_int_equal(ndone, 1);
		assert_false(harm);
		assert_one(true, false);
		assert_image(outcome == UPDATE_SUCCESS ? 2 : 1);
		event_free(ev);
		world_end();
	}
}

/* Somebody removes the old container while the new one is on its way. */
static void
test_old_one_gone(void **state)
{
	struct fk_container	*ct;
	char			 id[65];
	int			 n, k, i;

	(void)state;
	n = count_requests(FK_GOOD);
	for (k = 1; k <= n; k++) {
		world_begin();
		strlcpy(id, fk_find(&fk, NAME)->id, sizeof(id));
		fk.fail_at = k;
		fk.fate = FK_CRASH_AFTER;
		start("", "");
		run();
		life_end();
		fk.crashed = false;
		if ((ct = fk_find(&fk, id)) != NULL) {
			free(ct->body);
			memset(ct, 0, sizeof(*ct));
		}
		life_begin();
		while (!updater_ready(up))
			run();
		/* Nothing half-made is left, and nothing good is lost. */
		for (i = 0; i < FK_MAX; i++)
			if (fk.ct[i].used) {
				assert_string_equal(fk.ct[i].name, NAME);
				assert_true(fk.ct[i].running);
				assert_true(outcome == UPDATE_SUCCESS || harm);
			}
		world_end();
	}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_success),
		cmocka_unit_test(test_behaviours),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_identical),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_request_checks),
		cmocka_unit_test(test_every_request_fails),
		cmocka_unit_test(test_every_crash),
		cmocka_unit_test(test_crash_in_recovery),
		cmocka_unit_test(test_slow_engine),
		cmocka_unit_test(test_torn_record),
		cmocka_unit_test(test_disk_full),
		cmocka_unit_test(test_stop_and_resume),
		cmocka_unit_test(test_stop_before_told),
		cmocka_unit_test(test_engine_restarts),
		cmocka_unit_test(test_old_one_gone),
	};
	int	 fd;

	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	/* A thousand updates that go wrong have much to say. */
	if (getenv("VERBOSE") == NULL && (fd = open("/dev/null",
	    O_WRONLY)) != -1) {
		log_init("update_test", fd);
	}
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
