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
 * Updates among people and programs that do something to the containers at
 * the same time, or while no Sentinel was there; and outcomes that nobody
 * heard the first time.
 */

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

/* The gate is passed; old and new are there. */
static void
die_before_remove(struct fk_container **old, struct fk_container **new)
{
	die_before("DELETE /v1.41/containers/");
	assert_non_null(*old = fk_find(&fk, NAME ".sentinel-prev"));
	assert_non_null(*new = fk_find(&fk, NAME));
}

static void
recover(void)
{
	life_begin();
	while (!updater_ready(up))
		run();
}

static void
drop(struct fk_container *ct)
{
	free(ct->body);
	memset(ct, 0, sizeof(*ct));
}

/*
 * Somebody was not content with the new one and took the old one back: it
 * must not be removed, however good the new one is.
 */
static void
test_taken_back(void **state)
{
	struct fk_container	*old, *new;

	(void)state;
	die_before_remove(&old, &new);
	drop(new);
	strlcpy(old->name, NAME, sizeof(old->name));
	old->running = true;
	recover();
	assert_int_equal(outcome, UPDATE_ROLLBACK);
	assert_one(true, false);
	assert_image(1);
	world_end();

	die_before_remove(&old, &new);		/* removed, nothing put back */
	drop(new);
	recover();
	assert_int_equal(outcome, UPDATE_ROLLBACK);
	assert_one(true, false);
	assert_image(1);
	world_end();

	die_before_remove(&old, &new);		/* started, not renamed */
	new->running = false;
	old->running = true;
	recover();
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_true(harm);
	assert_non_null(strstr(error, "into use"));
	assert_true(old->used && old->running && new->used);
	world_end();

	die_before_remove(&old, &new);		/* they changed places */
	strlcpy(new->name, "web-bad", sizeof(new->name));
	strlcpy(old->name, NAME, sizeof(old->name));
	recover();
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_true(harm);
	assert_true(old->used && new->used);
	world_end();

	die_before_remove(&old, &new);		/* nobody touched anything */
	recover();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_one(true, false);
	assert_image(2);
	world_end();
}

/* An orchestrator starts what was just stopped, again and again. */
static void
test_started_again(void **state)
{
	(void)state;
	world_begin();
	fk_find(&fk, NAME)->stubborn = 2;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_one(true, false);
	assert_image(2);
	world_end();

	world_begin();
	fk_find(&fk, NAME)->stubborn = 100;
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_ROLLBACK);
	assert_non_null(strstr(error, "started the old container again"));
	assert_one(true, false);
	assert_image(1);
	world_end();
}

/* Something between us and Docker answers 404 to everything. */
static void
test_wrong_404(void **state)
{
	static const char	*names[] = { "/stop", "/start",
		"DELETE /v1.41/c" };
	struct timeval		 tv = { 0, 30000 };
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(names); i++) {
		die_before(names[i]);
		fk.confused = true;
		life_begin();
		event_base_loopexit(fk.base, &tv);
		event_base_dispatch(fk.base);
		assert_false(updater_ready(up));
		assert_int_equal(ndone, 0);
		fk.confused = false;
		while (!updater_ready(up))
			run();
		assert_int_equal(ndone, 1);
		assert_false(harm);
		assert_one(true, false);
		world_end();
	}
}

/* --- refused ------------------------------------------------------------ */

static void
test_shares(void **state)
{
	struct fk_container	*ct;
	char			 body[256];
	int			 i;

	(void)state;
	for (i = 0; i < 3; i++) {
		world_begin();
		ct = add("vpn", "{\"Image\":\"app:latest\"}");
		snprintf(body, sizeof(body), "{\"Image\":\"app:latest\","
		    "\"HostConfig\":{\"NetworkMode\":\"container:%s\"}}",
		    ct->id);
		free(fk_find(&fk, NAME)->body);
		assert_non_null(fk_find(&fk, NAME)->body = strdup(body));
		ct->running = i == 0;
		if (i == 2)
			drop(ct);
		start("", "");
		run();
		if (i == 0)
			assert_int_equal(outcome, UPDATE_SUCCESS);
		else {
			assert_int_equal(outcome, UPDATE_FAILED);
			assert_false(harm);
			assert_non_null(strstr(error, i == 1 ?
			    "whose network this one shares does not run" :
			    "whose network this one shares is gone"));
			assert_null(strstr(fk.trace, "/stop"));
		}
		world_end();
	}
}

/* What an update has put aside is no container to update. */
static void
test_put_aside(void **state)
{
	static const char	*names[] = { NAME ".sentinel-prev",
		NAME ".sentinel-next" };
	struct update_request	 uq = { .uq_opid = OPID,
		    .uq_name = NULL, .uq_image = "",
		    .uq_digest = "" };
	char			 err[256];
	size_t			 i;

	(void)state;
	world_begin();
	for (i = 0; i < nitems(names); i++) {
		uq.uq_name = names[i];
		assert_int_equal(updater_start(up, &uq, err, sizeof(err)), -1);
		assert_non_null(strstr(err, "belongs to the update"));
	}
	start("", "");
	uq.uq_name = "other";
	assert_int_equal(updater_start(up, &uq, err, sizeof(err)), -1);
	assert_string_equal(err, "this operation is under way already");
	run();
	world_end();
}

/* --- the journal --------------------------------------------------------- */

/* It died when the outcome was on its way: the next life tells it again. */
static void
test_told_again(void **state)
{
	(void)state;
	world_begin();
	start("", "");
	run();
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_int_equal(ndone, 1);
	life_end();
	assert_true(lseek(jfd, 0, SEEK_END) > 0);
	outcome = UPDATE_FAILED;
	recover();
	assert_int_equal(ndone, 2);
	assert_int_equal(outcome, UPDATE_SUCCESS);
	assert_true(recovered);
	assert_forgotten();
	life_end();
	recover();
	assert_int_equal(ndone, 2);
	world_end();
}

/* Credentials go to Docker for the pull, and nowhere else. */
static void
test_credentials(void **state)
{
	static const char	 secret[] = "c2VjcmV0LXBhc3N3b3Jk";
	static const char	*names[] = { "/images/create", "/tag?",
		"/start", "DELETE /v1.41/c" };
	struct update_request	 uq = { .uq_opid = OPID,
		    .uq_name = NAME, .uq_image = "",
		    .uq_digest = "", .uq_auth = secret };
	char			 buf[65536], err[256];
	ssize_t			 n;
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(names); i++) {
		world_begin();
		fk.fail_what = names[i];
		fk.fate = FK_CRASH;
		assert_int_equal(updater_start(up, &uq, err, sizeof(err)), 0);
		run();
		assert_true(fk.crashed);
		assert_true((n = pread(jfd, buf, sizeof(buf), 0)) > 0);
		assert_null(memmem(buf, (size_t)n, secret, strlen(secret)));
		/* The last request seen had it, or none has it any more. */
		assert_string_equal(fk.auth, i == 0 ? secret : "");
		assert_null(TAILQ_FIRST(&up->up_txns)->tx_auth);
		world_end();
	}
}

static struct journal	*copy;
static uint32_t		 copy_number;

static void
copy_record(void *arg, const struct journal_rec *jr)
{
	(void)arg;
	assert_int_equal(journal_addv(copy, copy_number, jr->jr_kind,
	    jr->jr_fields, jr->jr_nfields), 0);
}

/*
 * A long update beside many short ones: the file is never emptied, and the
 * one that is open must be found behind all those that have ended.
 */
static void
test_long_file(void **state)
{
	struct journal	*jn;
	uint32_t	 n;
	int		 fd, i;

	(void)state;
	die_before("/start");
	assert_int_not_equal(fd = memfd_create("long", 0), -1);
	assert_non_null(copy = journal_open(dup(fd)));
	for (i = 0; i < 100; i++) {
		assert_int_not_equal(n = journal_begin(copy), 0);
		assert_int_equal(journal_add(copy, n, DJ_BEGIN, OPID, NAME, "",
		    "", NULL), 0);
		assert_int_equal(journal_add(copy, n, DJ_END, "failed", "",
		    "x", NULL), 0);
		if (i % 2 == 0)
			assert_int_equal(journal_add(copy, n, DJ_TOLD, NULL),
			    0);
		journal_finish(copy, n);
	}
	copy_number = journal_begin(copy);
	assert_non_null(jn = journal_open(dup(jfd)));
	journal_replay(jn, copy_record, NULL);
	journal_close(jn);
	journal_close(copy);
	close(jfd);
	jfd = fd;
	recover();
	assert_true(ndone > 1);
	assert_int_equal(outcome, UPDATE_ROLLBACK);
	assert_one(true, false);
	assert_image(1);
	assert_forgotten();
	world_end();
}

/* Whole records whose plan says nothing to this version. */
static void
test_strange_plan(void **state)
{
	struct journal	*jn;
	uint32_t	 n;

	(void)state;
	world_begin();
	life_end();
	assert_non_null(jn = journal_open(dup(jfd)));
	n = journal_begin(jn);
	assert_int_equal(journal_add(jn, n, DJ_BEGIN, OPID, NAME, "", "",
	    NULL), 0);
	assert_int_equal(journal_add(jn, n, DJ_PLAN, "of", "tomorrow", NULL),
	    0);
	assert_int_equal(journal_add(jn, n, DJ_STEP, "stop", NULL), 0);
	journal_close(jn);
	recover();
	assert_int_equal(ndone, 1);
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_true(harm);
	assert_non_null(strstr(error, NAME ".sentinel-prev"));
	world_end();
}

/* One that cannot be finished does not keep the others from being updated. */
static void
test_others_go_on(void **state)
{
	struct update_request	 uq = { .uq_opid = OPID,
		    .uq_name = NAME, .uq_image = "",
		    .uq_digest = "" };
	char			 err[256];

	(void)state;
	die_before("/start");
	fk.away = true;
	life_begin();
	event_base_loop(fk.base, EVLOOP_ONCE);
	assert_false(updater_ready(up));
	assert_int_equal(updater_start(up, &uq, err, sizeof(err)), -1);
	assert_string_equal(err, "the container is being updated already");
	uq.uq_name = "other";
	uq.uq_opid = "op-2";
	assert_int_equal(updater_start(up, &uq, err, sizeof(err)), 0);
	world_end();
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_taken_back),
		cmocka_unit_test(test_started_again),
		cmocka_unit_test(test_wrong_404),
		cmocka_unit_test(test_shares),
		cmocka_unit_test(test_put_aside),
		cmocka_unit_test(test_told_again),
		cmocka_unit_test(test_credentials),
		cmocka_unit_test(test_long_file),
		cmocka_unit_test(test_strange_plan),
		cmocka_unit_test(test_others_go_on),
	};
	int	 fd;

	signal(SIGPIPE, SIG_IGN);
	if (getenv("VERBOSE") == NULL && (fd = open("/dev/null",
	    O_WRONLY)) != -1)
		log_init("meddle_test", fd);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
