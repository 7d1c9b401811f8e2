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

#include "compat.h"

#include <sys/mman.h>

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

#include "docker_api.h"
#include "docker_events.h"
#include "fakedocker.h"
#include "log.h"
#include "monotime.h"

/* The stream of events alone, against the engine in memory. */
static struct fk	 fk;
static char		 said[8192];
static const char	*stop_at;
static char		 id[65];

static void
note(const char *text)
{
	strlcat(said, text, sizeof(said));
	if (stop_at != NULL && strstr(said, stop_at) != NULL)
		event_base_loopbreak(fk.base);
}

static void
on_event(void *arg, const struct docker_event *ev)
{
	(void)arg;
	note("<");
	note(ev->ev_image ? "image " : "");
	note(ev->ev_action);
	note(">");
}

static void
on_up(void *arg, bool resumed)
{
	(void)arg;
	note(resumed ? "<resumed>" : "<up>");
}

static void
on_down(void *arg, const char *why)
{
	(void)arg;
	assert_string_not_equal(why, "");
	note("<down ");
	note(why);
	note(">");
}

static void
too_late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("\"%s\" was not said: %s", stop_at, said);
}

static void
run(const char *until)
{
	struct timeval	 tv = { 5, 0 };
	struct event	*ev = evtimer_new(fk.base, too_late, NULL);

	stop_at = until;
	if (strstr(said, until) == NULL) {
		evtimer_add(ev, &tv);
		event_base_dispatch(fk.base);
	}
	event_free(ev);
	stop_at = NULL;
}

static void
wait_msec(unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	event_base_loopexit(fk.base, &tv);
	event_base_dispatch(fk.base);
}

static struct docker_events *
begin(const struct docker_events_times *times)
{
	static const struct docker_events_cbs	 cbs = {
		.ec_event = on_event, .ec_up = on_up, .ec_down = on_down
	};
	struct docker_events			*es;

	memset(&fk, 0, sizeof(fk));
	fk.base = event_base_new();
	fk.api = "1.41";
	fk.has_events = true;
	said[0] = '\0';
	snprintf(id, sizeof(id), "%064d", 5);
	fk.docker = docker_new(fk.base, fk_need_fd, &fk);
	assert_non_null(fk.docker);
	assert_non_null(es = docker_events_new(fk.base, fk.docker, times, &cbs,
	    NULL));
	return (es);
}

static void
end(struct docker_events *es)
{
	docker_events_free(es);
	docker_free(fk.docker);
	fk_free(&fk);
	event_base_free(fk.base);
}

#define TASK	"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":{" \
	"\"ID\":\"%064d\"," \
	"\"Attributes\":{\"com.docker.swarm.task\":\"\"}},\"time\":1}"
#define GOOD	"{\"Type\":\"container\",\"Action\":\"%s\",\"Actor\":{\"ID\":" \
	"\"%064d\",\"Attributes\":{}},%s}"

static void
test_parse(void **state)
{
	static const struct {
		const char	*action, *time;
		int64_t		 nsec;
		bool		 ok;
	} cases[] = {
		{ "die", "\"time\":5,\"timeNano\":5000000007", 5000000007, 1 },
		{ "start", "\"time\":5", 5000000000, true },
		{ "start", "\"x\":5", 0, true },
		{ "start", "\"timeNano\":-4", 0, true },
		{ "start", "\"timeNano\":1e400", 0, true },
		{ "start", "\"time\":9223372036854775807", 0, true },
		{ "health_status: unhealthy", "\"time\":1", 1000000000, true },
		{ "", "\"time\":1", 0, false },
		{ "exec_create: sh -c \\u001b[31m", "\"time\":1", 0, false },
		{ "a-word-that-is-longer-than-any-of-docker", "\"time\":1", 0,
		    false },
		{ "d\\u0000ie", "\"time\":1", 0, false },
		{ "di\xc3\xa9", "\"time\":1", 0, false },
	};
	static const char *const	 bad[] = {
		"", "{", "[]", "null", "5", "{}", "\"die\"",
		"{\"Type\":\"container\",\"Action\":\"die\"}",
		"{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":[]}",
		("{\"Type\":\"container\",\"Action\":\"die\",\"Actor\":"
		    "{\"ID\":\"../etc\"}}"),
		"{\"Type\":\"network\",\"Action\":\"connect\"}",
		"{\"status\":\"die\",\"id\":\"x\"}",
	};
	struct docker_event		 ev;
	char				 text[512];
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(cases); i++) {
		snprintf(text, sizeof(text), GOOD, cases[i].action, 5,
		    cases[i].time);
		assert_int_equal(docker_event_parse(text, strlen(text), &ev),
		    cases[i].ok);
		if (!cases[i].ok)
			continue;
		assert_string_equal(ev.ev_action, cases[i].action);
		assert_int_equal(ev.ev_nsec, cases[i].nsec);
		assert_int_equal(strlen(ev.ev_id), 64);
	}
	for (i = 0; i < nitems(bad); i++)
		assert_false(docker_event_parse(bad[i], strlen(bad[i]), &ev));
	snprintf(text, sizeof(text), TASK, 5);
	assert_false(docker_event_parse(text, strlen(text), &ev));
	snprintf(text, sizeof(text), "{\"Type\":\"image\",\"Action\":\"pull\","
	    "\"Actor\":{\"ID\":\"app:latest\"}}");
	assert_true(docker_event_parse(text, strlen(text), &ev));
	assert_true(ev.ev_image);
}

/* A loss: heard of what happened meanwhile, each event once. */
static void
test_gap(void **state)
{
	const struct docker_events_times times = { 5000, 500, 60000, 20, 50 };
	struct docker_events		*es = begin(&times);

	(void)state;
	run("<up>");
	assert_true(docker_events_is_up(es));
	fk_emit(&fk, id, "start");
	run("<start>");
	fk.away = true;
	fk_drop_all(&fk);
	run("<down ");
	assert_false(docker_events_is_up(es));
	wait_msec(100);		/* more than one attempt */
	fk_emit(&fk, id, "die");
	said[0] = '\0';
	fk.away = false;
	run("<die>");
	wait_msec(50);
	assert_string_equal(strstr(said, "<up>"), "<up><die>");

	/* Docker was restarted and its clock is an hour behind. */
	fk_drop_all(&fk);
	said[0] = '\0';
	run("<up>");
	fk_emit_at(&fk, id, "oom", 1700000000LL * 1000000000);
	run("<oom>");
	end(es);
}

/* An old stream is replaced, and nothing is missed or told twice. */
static void
test_renew(void **state)
{
	const struct docker_events_times times = { 50, 500, 150, 20, 50 };
	struct docker_events		*es = begin(&times);

	(void)state;
	run("<up>");
	fk_emit(&fk, id, "start");
	run("<resumed>");
	fk_emit(&fk, id, "die");
	run("<die>");
	wait_msec(400);
	assert_null(strstr(said, "<down"));
	assert_null(strstr(strstr(said, "<die>") + 1, "<die>"));
	assert_null(strstr(strstr(said, "<start>") + 1, "<start>"));
	assert_true(fk.nstreams >= 3);
	assert_non_null(strstr(fk.trace, "/_ping"));
	end(es);
}

/* Nothing comes and no ping is answered: the stream is not believed. */
static void
test_stall(void **state)
{
	const struct docker_events_times times = { 40, 80, 60000, 20, 50 };
	struct docker_events		*es = begin(&times);

	(void)state;
	run("<up>");
	fk.deaf = true;
	run("<down Docker did not answer in time>");
	said[0] = '\0';
	fk.deaf = false;
	run("<up>");
	/* No answer at all to the question for events. */
	fk_drop_all(&fk);
	fk.fail_what = "/events?";
	fk.fate = FK_HANG;
	run("<down Docker does not begin its events>");
	/* Refused: tried again, ever more slowly. */
	fk.fate = FK_ERROR;
	run("<down injected failure>");
	said[0] = '\0';
	fk.fail_what = NULL;
	run("<up>");
	end(es);
}

/* What breaks the stream does not break it again. */
static void
test_hostile(void **state)
{
	const struct docker_events_times times = { 5000, 500, 60000, 20, 50 };
	struct docker_events		*es = begin(&times);
	char				*big;

	(void)state;
	run("<up>");
	fk_events_write(&fk, "{\"Type\":7}\n[1,2]\n\"x\"\n");
	fk_emit(&fk, id, "start");
	run("<start>");
	fk_events_write(&fk, "}}}");
	run("<down Docker's events are not valid JSON>");
	said[0] = '\0';
	run("<up>");
	assert_non_null(big = malloc(DOCKER_EVENT_MAXBYTES + 100));
	memset(big, 'a', DOCKER_EVENT_MAXBYTES + 99);
	big[DOCKER_EVENT_MAXBYTES + 99] = '\0';
	big[0] = '"';
	fk_events_write(&fk, big);
	free(big);
	run("<down an event of Docker is too long>");
	said[0] = '\0';
	run("<up>");
	fk_emit(&fk, id, "die");
	run("<die>");
	end(es);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_gap),
		cmocka_unit_test(test_renew),
		cmocka_unit_test(test_stall),
		cmocka_unit_test(test_hostile),
	};

	signal(SIGPIPE, SIG_IGN);
	log_init("events_test", memfd_create("log", 0));
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
