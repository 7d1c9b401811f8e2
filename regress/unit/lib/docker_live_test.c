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

#include "dockerrig.h"

#include "docker_live.h"

/* The live view of the docker process, from event to DOCKER_DELTA. */
static void
start(void)
{
	fk.base = event_base_new();
	fk.api = "1.43";
	fk.has_events = credit = true;
	snprintf(fk.im[0].id, sizeof(fk.im[0].id), "sha256:%064d", 1);
	strlcpy(fk.im[0].tags[0], "app:latest", sizeof(fk.im[0].tags[0]));
	snprintf(fk.im[0].digest, sizeof(fk.im[0].digest), "app@sha256:%064d",
	    7);
	docker_process_warmup();
	docker_process_start();
	rig_begin();
	run("<DOCKER_STALE 0>");
	run("live>");
	said[0] = '\0';
}

static const char	 digest[] = "app@sha256:0000000000000000000000000000"
    "000000000000000000000000000000000007";

static void
expect_delta(const char *what, const char *events)
{
	char	 want[512];

	snprintf(want, sizeof(want), "<delta %s %s%s>", what, digest, events);
	run(want);
}

static void
wait_msec(unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	stop_at = NULL;
	event_base_loopexit(fk.base, &tv);
	event_base_dispatch(fk.base);
}

static size_t
count(const char *what)
{
	const char	*p;
	size_t		 n = 0;

	for (p = said; (p = strstr(p, what)) != NULL; p++)
		n++;
	return (n);
}

static void
test_changes(void **state)
{
	struct fk_container	*web, *db;
	char			 gone[64], id[65];
	int			 looks;

	(void)state;
	start();
	web = add("web", "app:latest");
	fk_emit(&fk, web->id, "create");
	fk_emit(&fk, web->id, "start");
	expect_delta("web running", " create start");
	/* The second look finds nothing new and tells nothing. */
	said[0] = '\0';
	wait_msec(DP_LIVE_AGAIN_MSEC + 300);
	assert_string_equal(said, "");

	web->running = false;
	fk_emit(&fk, web->id, "die");
	expect_delta("web exited", " die");
	web->running = true;
	fk.status = "Up 2 seconds (health: starting)";
	fk_emit(&fk, web->id, "start");
	expect_delta("web running/starting", " start");
	fk.status = "Up 9 seconds (unhealthy)";
	fk_emit(&fk, web->id, "health_status: unhealthy");
	expect_delta("web running/unhealthy", " health_status: unhealthy");
	strlcpy(web->name, "www", sizeof(web->name));
	fk_emit(&fk, web->id, "rename");
	expect_delta("www running/unhealthy", " rename");

	/* A restart between two looks is one look and both events. */
	said[0] = '\0';
	looks = fk.nlooks;
	fk_emit(&fk, web->id, "die");
	fk_emit(&fk, web->id, "start");
	expect_delta("www running/unhealthy", " die start");
	assert_int_equal(fk.nlooks, looks + 1);

	/* Docker tells it before its list shows it: that is waited for. */
	said[0] = '\0';
	fk_emit(&fk, web->id, "pause");
	wait_msec(DP_LIVE_MSEC + DP_LIVE_DENIED_MSEC);
	assert_string_equal(said, "");
	web->paused = true;
	expect_delta("www paused/unhealthy", " pause");
	/* But not for ever. */
	fk_emit(&fk, web->id, "unpause");
	expect_delta("www paused/unhealthy", " unpause");
	/* And where nothing shows that it lags, the second look does. */
	web->paused = false;
	wait_msec(DP_LIVE_AGAIN_MSEC + 300);
	said[0] = '\0';
	fk.status = NULL;
	fk_emit(&fk, web->id, "health_status: healthy");
	expect_delta("www running", " health_status: healthy");
	fk.status = "Up 3 hours (healthy)";
	expect_delta("www running/healthy", "");
	fk.status = NULL;

	strlcpy(id, web->id, sizeof(id));
	db = add("db", "app:latest");
	fk_emit(&fk, db->id, "create");
	free(web->body);
	memset(web, 0, sizeof(*web));
	fk_emit(&fk, id, "destroy");
	snprintf(gone, sizeof(gone), "<gone %.12s destroy>", id);
	run(gone);
	expect_delta("db running", " create");

	/* One image: inspected once, whatever happened to its containers. */
	assert_null(strstr(strstr(fk.trace, "GET /v1.43/images/sha256") + 10,
	    "GET /v1.43/images/sha256"));
}

/* Many events of many containers: few looks, and the lists get through. */
static void
test_burst(void **state)
{
	struct fk_container	*ct[6];
	char			 name[32];
	int			 looks = fk.nlooks, i, n;

	(void)state;
	said[0] = '\0';
	fk_events_forget(&fk);
	for (i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "b%d", i);
		ct[i] = add(name, "app:latest");
	}
	for (n = 0; n < 10; n++)
		for (i = 0; i < 6; i++)
			fk_emit(&fk, ct[i]->id, n % 2 == 0 ? "die" : "start");
	op(LIST, "l1", "", "", "", 0);
	op(LIST, "l2", "", "", "", 0);
	run("<delta b5");
	run("<end l2 7 >");
	for (i = 0; i < 6; i++) {
		snprintf(name, sizeof(name), "<delta b%d ", i);
		run(name);
		assert_int_equal(count(name), 1);
	}
	assert_true(fk.nlooks - looks <= 2);
	/* No delta in the middle of a list. */
	assert_non_null(strstr(said, "<item b5 1 1><end l1 7 >"));

	/* The engine takes nothing: kept, and told later. */
	wait_msec(DP_LIVE_AGAIN_MSEC + 300);
	said[0] = '\0';
	credit = false;
	fk_emit(&fk, ct[0]->id, "die");
	wait_msec(500);
	assert_string_equal(said, "");
	credit = true;
	run("<delta b0 ");
}

static void
health_event(const char *id, const char *health, int64_t nsec)
{
	char	 text[512];

	snprintf(text, sizeof(text), "{\"Type\":\"container\",\"Action\":"
	    "\"health_status\",\"Actor\":{\"ID\":\"%s\",\"Attributes\":{}},"
	    "\"timeNano\":%lld,\"HealthStatus\":\"%s\"}\n", id,
	    (long long)nsec, health);
	fk_events_write(&fk, text);
}

/* podman tells the health with every check: only another one is news. */
static void
test_health_told(void **state)
{
	struct fk_container	*ct = fk_find(&fk, "b1");
	struct timespec		 ts;
	int64_t			 now;
	int			 looks;

	(void)state;
	clock_gettime(CLOCK_REALTIME, &ts);
	now = (int64_t)ts.tv_sec * 1000000000;
	wait_msec(DP_LIVE_AGAIN_MSEC + 300);
	said[0] = '\0';
	health_event(ct->id, "healthy", now++);
	run(" health_status: healthy>");
	wait_msec(DP_LIVE_AGAIN_MSEC + 300);
	said[0] = '\0';
	looks = fk.nlooks;
	health_event(ct->id, "healthy", now++);
	health_event(ct->id, "healthy", now++);
	wait_msec(DP_LIVE_MSEC + 200);
	assert_string_equal(said, "");
	assert_int_equal(fk.nlooks, looks);
	health_event(ct->id, "unhealthy", now++);
	run(" health_status: unhealthy>");
	/* After anything else the same word counts again. */
	fk_emit(&fk, ct->id, "restart");
	run(" restart>");
	said[0] = '\0';
	health_event(ct->id, "unhealthy", now);
	run(" health_status: unhealthy>");
}

/* Docker restarts: what happened meanwhile is heard of, and a list is due. */
static void
test_restart(void **state)
{
	struct fk_container	*ct = fk_find(&fk, "b1");
	int			 streams = fk.nstreams;

	(void)state;
	wait_msec(DP_LIVE_AGAIN_MSEC + 300);
	said[0] = '\0';
	fk.away = true;
	fk_drop_all(&fk);
	run("<state 0");
	fk_emit(&fk, ct->id, "oom");
	said[0] = '\0';
	fk.away = false;
	run("<DOCKER_STALE 0>");
	run("live>");
	run("<delta b1 ");
	assert_non_null(strstr(said, " oom>"));
	assert_int_equal(fk.nstreams, streams + 1);
	assert_int_equal(count("<DOCKER_STALE 0>"), 1);
	assert_int_equal(nbroken, 0);
	fk_free(&fk);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_changes),
		cmocka_unit_test(test_burst),
		cmocka_unit_test(test_health_told),
		cmocka_unit_test(test_restart),
	};

	signal(SIGPIPE, SIG_IGN);
	log_init("live_test", memfd_create("log", 0));
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
