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

#include "docker_self.h"

/*
 * The update of one's own container after a crash: whoever finds the journal
 * with the step "handover" in it, who he is decides.  The states are made by
 * hand.
 */
enum who { WHO_HELPER, WHO_OLD, WHO_NEW, WHO_NOBODY };
enum state_of { AT_HANDOVER, AT_SWAP };	/* the new one is in its place */
enum helper_is { HELPER_NONE, HELPER_DOWN, HELPER_UP, HELPER_OTHER };

static const struct {
	const char		*what;
	enum who		 who;
	enum state_of		 state;
	enum helper_is		 helper;
	bool			 proved;
	/* expected */
	bool			 handed;	/* else: */
	enum update_outcome	 outcome;
	int			 image;		/* of what runs as NAME */
	const char		*error;		/* part of it, or NULL */
} rows[] = {
	{ "the helper goes on", WHO_HELPER, AT_HANDOVER, HELPER_UP, true,
	    false, UPDATE_SUCCESS, 2, NULL },
	{ "the helper goes on, without a proof", WHO_HELPER, AT_HANDOVER,
	    HELPER_UP, false, false, UPDATE_ROLLBACK, 1, "no session" },
	{ "the helper comes back after the swap", WHO_HELPER, AT_SWAP,
	    HELPER_UP, true, false, UPDATE_SUCCESS, 2, NULL },
	{ "it comes back and there is no proof", WHO_HELPER, AT_SWAP,
	    HELPER_UP, false, false, UPDATE_ROLLBACK, 1, "no session" },
	{ "the helper never came", WHO_OLD, AT_HANDOVER, HELPER_DOWN, false,
	    false, UPDATE_FAILED, 1, "interrupted" },
	{ "nor was one made", WHO_OLD, AT_HANDOVER, HELPER_NONE, false,
	    false, UPDATE_FAILED, 1, "interrupted" },
	{ "the new one wakes its helper", WHO_NEW, AT_SWAP, HELPER_DOWN,
	    true, true, UPDATE_FAILED, 2, NULL },
	{ "the new one waits for its helper", WHO_NEW, AT_SWAP, HELPER_UP,
	    true, true, UPDATE_FAILED, 2, NULL },
	{ "the new one has no helper any more", WHO_NEW, AT_SWAP,
	    HELPER_NONE, true, false, UPDATE_SUCCESS, 2, NULL },
	{ "that is the helper of another update", WHO_NEW, AT_SWAP,
	    HELPER_OTHER, true, false, UPDATE_SUCCESS, 2, NULL },
	{ "neither the old nor the new one", WHO_NOBODY, AT_SWAP, HELPER_UP,
	    true, false, UPDATE_FAILED, 2, "neither the old nor the new" },
};

static bool	 proved;
static int	 handed;

static bool
on_proof(void *arg, const char *id)
{
	(void)arg;
	assert_true(docker_id_ok(id));
	return (proved);
}

static void
on_handover(void *arg)
{
	(void)arg;
	handed++;
	ended = true;
	event_base_loopbreak(fk.base);
}

/* life_begin() with an identity. */
static void
life_as(enum who who, const char *old_id, const char *new_id)
{
	static const struct update_config	 conf = { 5, 200, 1, 1, 1000, 2,
		0 };
	static const struct update_ops		 ops = {
		.uo_progress = on_progress, .uo_done = on_done,
		.uo_ready = on_ready, .uo_handover = on_handover
	};
	static struct update_self		 us;
	struct journal				*jn;

	memset(&us, 0, sizeof(us));
	us.us_what = "agent";
	us.us_data = us.us_state = "/data";
	us.us_socket = "/var/run/docker.sock";
	us.us_helper = who == WHO_HELPER;
	us.us_proof = us.us_helper ? on_proof : NULL;
	us.us_proof_msec = 50;
	strlcpy(us.us_id.sf_id, who == WHO_OLD ? old_id : who == WHO_NEW ?
	    new_id : FK_ID("9999"), sizeof(us.us_id.sf_id));
	assert_non_null(fk.docker = docker_new(fk.base, fk_need_fd, &fk));
	assert_non_null(jn = journal_open(dup(jfd)));
	assert_non_null(up = updater_new(fk.base, fk.docker, jn, &conf, &ops,
	    NULL));
	updater_self(up, &us);
	updater_recover(up);
}

static void
write_journal(const char *old_id, const char *new_id, enum state_of state)
{
	static const char *const	 swap[] = { "stop", "norestart", "park",
		"detach", "name", "start", "gate" };
	struct journal			*jn;
	uint32_t			 n;
	size_t				 i;

	assert_non_null(jn = journal_open(dup(jfd)));
	assert_int_not_equal(n = journal_begin(jn), 0);
	assert_int_equal(journal_add(jn, n, DJ_BEGIN, OPID, NAME, "", "",
	    NULL), 0);
	assert_int_equal(journal_add(jn, n, DJ_PLAN, old_id, fk.im[0].id,
	    "app:latest", "", fk.im[1].id, "app:latest", "", "", "rs0",
	    "{\"Name\":\"always\",\"MaximumRetryCount\":0}", "10", "", NULL),
	    0);
	assert_int_equal(journal_add(jn, n, DJ_STEP, "create", NULL), 0);
	assert_int_equal(journal_add(jn, n, DJ_CREATED, new_id, NULL), 0);
	assert_int_equal(journal_add(jn, n, DJ_STEP, "launch", NULL), 0);
	assert_int_equal(journal_add(jn, n, DJ_STEP, "handover", NULL), 0);
	for (i = 0; state == AT_SWAP && i < nitems(swap); i++)
		assert_int_equal(journal_add(jn, n, DJ_STEP, swap[i], NULL),
		    0);
	journal_close(jn);
}

/* The containers, as the journal has them. */
static void
make_state(size_t row)
{
	struct fk_container	*was = fk_find(&fk, NAME), *is, *helper;
	struct evbuffer		*out = evbuffer_new();
	char			 body[512];

	snprintf(body, sizeof(body), "{\"Image\":\"%s\",\"HostConfig\":{"
	    "\"RestartPolicy\":{\"Name\":\"always\",\"MaximumRetryCount\":0}}}",
	    fk.im[1].id);
	is = add(NAME UPDATE_SUFFIX_NEW, body);
	is->made = true;	/* by the update before the crash */
	if (rows[row].state == AT_SWAP) {
		was->running = false;
		strlcpy(was->policy, "no", sizeof(was->policy));
		strlcpy(was->name, NAME UPDATE_SUFFIX_OLD, sizeof(was->name));
		strlcpy(is->name, NAME, sizeof(is->name));
		assert_int_equal(fk_start(&fk, is, out), 204);
	}
	if (rows[row].helper != HELPER_NONE) {
		snprintf(body, sizeof(body), "{\"Image\":\"%s\",\"Labels\":{\""
		    SELF_LABEL "\":\"%s\"}}", fk.im[1].id,
		    rows[row].helper == HELPER_OTHER ? "op-2" : OPID);
		helper = add(NAME SELF_SUFFIX, body);
		helper->made = true;
		if (rows[row].helper != HELPER_DOWN)
			assert_int_equal(fk_start(&fk, helper, out), 204);
	}
	evbuffer_free(out);
	write_journal(was->id, is->id, rows[row].state);
	fk.trace[0] = '\0';
	life_as(rows[row].who, was->id, is->id);
}

static void
check_end(size_t row)
{
	struct fk_container	*helper = fk_find(&fk, NAME SELF_SUFFIX);

	if (handed != (rows[row].handed ? 1 : 0) ||
	    ndone != (rows[row].handed ? 0 : 1))
		fail_msg("%s: %d handed over, %d told; trace:\n%s",
		    rows[row].what, handed, ndone, fk.trace);
	if (rows[row].handed)
		assert_true(helper != NULL && helper->running);
	else if (outcome != rows[row].outcome || (rows[row].error != NULL &&
	    strstr(error, rows[row].error) == NULL))
		fail_msg("%s: outcome %d: %s", rows[row].what, outcome, error);
	assert_true(fk_find(&fk, NAME)->running);
	assert_image(rows[row].image);
	if (rows[row].handed || rows[row].who == WHO_NOBODY) {
		/* Nobody was touched but the helper. */
		assert_null(strstr(fk.trace, "DELETE"));
		assert_non_null(fk_find(&fk, NAME UPDATE_SUFFIX_OLD));
		return;
	}
	assert_string_equal(fk_find(&fk, NAME)->policy, "always");
	assert_null(fk_find(&fk, NAME UPDATE_SUFFIX_OLD));
	assert_null(fk_find(&fk, NAME UPDATE_SUFFIX_NEW));
	/* The old one dismisses it, it removes itself elsewhere. */
	if (rows[row].who == WHO_OLD)
		assert_null(helper);
	if (rows[row].helper == HELPER_OTHER)
		assert_true(helper->running);
}

static void
test_rows(void **state)
{
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		world_begin();
		life_end();
		ndone = nready = handed = 0;
		proved = rows[i].proved;
		make_state(i);
		do
			run();
		while (handed == 0 && ndone == 0);
		check_end(i);
		world_end();
	}
}

/* While it lasts, nothing else of the container is begun. */
static void
test_busy(void **state)
{
	struct update_request	 uq = { .uq_opid = "op-9", .uq_name = "other",
		.uq_image = "app:latest", .uq_digest = "" };
	char			 err[256] = "";

	(void)state;
	world_begin();
	life_end();
	handed = 0;
	proved = true;
	make_state(6);
	assert_int_equal(updater_start(up, &uq, err, sizeof(err)), -1);
	assert_non_null(strstr(err, "itself is being updated"));
	run();
	world_end();
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_busy),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
