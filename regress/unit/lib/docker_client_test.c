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

#include <errno.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

#include "docker_pull.h"
#include "fakedocker.h"

static void	 note(const char *, ...) __printflike_(1, 2);

static struct fk	 fk;
static char		 got[65536];
static int		 ndone;
static enum docker_end	 last_end;

static void
setup(void)
{
	memset(&fk, 0, sizeof(fk));
	fk.base = event_base_new();
	fk.api = "1.41";
	assert_non_null(fk.docker = docker_new(fk.base, fk_need_fd, &fk));
	snprintf(fk.im[0].id, sizeof(fk.im[0].id), "sha256:%064d", 1);
	strlcpy(fk.im[0].tags[0], "app:1", sizeof(fk.im[0].tags[0]));
	snprintf(fk.im[0].digest, sizeof(fk.im[0].digest),
	    "app@sha256:%064d", 7);
	snprintf(fk.im[1].id, sizeof(fk.im[1].id), "sha256:%064d", 2);
	strlcpy(fk.im[1].tags[0], "app:2", sizeof(fk.im[1].tags[0]));
	got[0] = '\0';
	ndone = 0;
}

static void
teardown(void)
{
	docker_free(fk.docker);
	fk_free(&fk);
	event_base_free(fk.base);
}

static struct fk_container *
add(const char *name, const char *body)
{
	struct fk_container	*ct;

	assert_non_null(ct = fk_make(&fk, name, body, strlen(body)));
	return (ct);
}

static void
too_late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	event_base_loopbreak(fk.base);
}

/* Until a callback breaks the loop. */
static void
run(void)
{
	struct timeval	 tv = { 5, 0 };
	struct event	*ev = evtimer_new(fk.base, too_late, NULL);

	evtimer_add(ev, &tv);
	event_base_dispatch(fk.base);
	event_free(ev);
}

static void __printflike_(1, 2)
note(const char *fmt, ...)
{
	va_list	 ap;
	size_t	 n = strlen(got);

	va_start(ap, fmt);
	vsnprintf(got + n, sizeof(got) - n, fmt, ap);
	va_end(ap);
}

static void
on_reply(void *arg, const struct docker_reply *dr)
{
	(void)arg;
	ndone++;
	last_end = dr->dr_end;
	note("[%d %d %s %s]", dr->dr_end, dr->dr_status, dr->dr_error,
	    dr->dr_body);
	event_base_loopbreak(fk.base);
}

static void
on_op(void *arg, const char *error)
{
	(void)arg;
	ndone++;
	note("<%s>", error);
	event_base_loopbreak(fk.base);
}

static void
test_version(void **state)
{
	static const struct { const char *api; unsigned int want; } t[] = {
		{ "1.41", 41 }, { "1.48", 48 }, { "1.99", DOCKER_API_MAX },
		{ "1.40", 0 }, { "2.0", 0 }, { "", 0 },
	};
	char	 path[64];
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(t); i++) {
		setup();
		fk.api = t[i].api;
		assert_non_null(docker_info(fk.docker, on_reply, NULL));
		assert_int_equal(ndone, 0);
		run();
		assert_int_equal(ndone, 1);
		assert_int_equal(docker_api(fk.docker), t[i].want);
		if (t[i].want == 0) {
			assert_int_equal(last_end, DOCKER_UNSENT);
			assert_non_null(strstr(got, "too old"));
			assert_null(strstr(fk.trace, "info"));
		} else {
			assert_int_equal(last_end, DOCKER_OK);
			snprintf(path, sizeof(path), "GET /_ping\nGET /v1.%u/"
			    "info\n", t[i].want);
			assert_string_equal(fk.trace, path);
		}
		teardown();
	}
}

static void
test_errors(void **state)
{
	(void)state;
	setup();
	docker_start(fk.docker, "nothere", on_reply, NULL);
	run();
	assert_string_equal(got, "[1 404 No such container "
	    "{\"message\":\"No such container\"}\n]");
	teardown();

	setup();		/* no Docker; it comes back */
	fk.away = true;
	docker_info(fk.docker, on_reply, NULL);
	docker_info(fk.docker, on_reply, NULL);
	run();
	assert_string_equal(got, "[2 0 Docker is not there ]"
	    "[2 0 Docker is not there ]");
	assert_int_equal(docker_calls(fk.docker), 0);
	fk.away = false;
	got[0] = '\0';
	docker_info(fk.docker, on_reply, NULL);
	run();
	assert_int_equal(last_end, DOCKER_OK);
	teardown();

	setup();		/* lost after it was sent: unknown */
	add("a", "{\"Image\":\"app:1\"}");
	fk.fail_at = 2;
	fk.fate = FK_LOSE_AFTER;
	docker_start(fk.docker, "a", on_reply, NULL);
	run();
	assert_int_equal(last_end, DOCKER_UNKNOWN);
	assert_true(fk_find(&fk, "a")->running);
	teardown();

	setup();		/* no answer: deadline */
	fk.fail_at = 2;
	fk.fate = FK_HANG;
	{
		struct docker_call dc = { .dc_method = "GET",
		    .dc_path = "/info", .dc_total_msec = 30,
		    .dc_done = on_reply };

		assert_non_null(docker_call(fk.docker, &dc));
	}
	run();
	assert_int_equal(last_end, DOCKER_UNKNOWN);
	assert_non_null(strstr(got, "in time"));
	teardown();
}

/* A kept connection that died is replaced without anybody noticing. */
static void
test_stale_connection(void **state)
{
	(void)state;
	setup();
	docker_info(fk.docker, on_reply, NULL);
	run();
	assert_int_equal(last_end, DOCKER_OK);
	fk.fail_at = fk.nreq + 1;
	fk.fate = FK_LOSE;
	docker_info(fk.docker, on_reply, NULL);
	run();
	assert_int_equal(ndone, 2);
	assert_int_equal(last_end, DOCKER_OK);
	/* Closed while idle: the version is asked for again. */
	fk_drop_all(&fk);
	event_base_loop(fk.base, EVLOOP_NONBLOCK);
	event_base_loop(fk.base, EVLOOP_NONBLOCK);
	assert_int_equal(docker_api(fk.docker), 0);
	fk.trace[0] = '\0';
	docker_info(fk.docker, on_reply, NULL);
	run();
	assert_string_equal(fk.trace, "GET /_ping\nGET /v1.41/info\n");
	teardown();
}

static void
test_cancel_and_many(void **state)
{
	struct docker_req	*dq[DOCKER_CALLS_MAX];
	int			 i, n = 0;

	(void)state;
	setup();
	for (i = 0; i < DOCKER_CALLS_MAX; i++)
		assert_non_null(dq[i] = docker_info(fk.docker, on_reply,
		    NULL));
	assert_null(docker_info(fk.docker, on_reply, NULL));
	assert_int_equal(errno, ENOBUFS);
	for (i = 0; i < DOCKER_CALLS_MAX; i += 2, n++)
		docker_cancel(dq[i]);
	while (ndone < DOCKER_CALLS_MAX - n && last_end == DOCKER_OK)
		run();
	assert_int_equal(ndone, DOCKER_CALLS_MAX - n);
	assert_int_equal(docker_calls(fk.docker), 0);
	assert_true(fk.nbevs <= DOCKER_CONNS_MAX);
	teardown();
}

static void
on_item(void *arg, const struct docker_container *ct)
{
	(void)arg;
	note("%s|%s|%s|%s|%lld|%zu:%s=%s|%zu:%s:%u:%u/%s\n", ct->ct_name,
	    ct->ct_image, ct->ct_digest, ct->ct_state,
	    (long long)ct->ct_created, ct->ct_nlabels,
	    ct->ct_labels[0].lb_key, ct->ct_labels[0].lb_value, ct->ct_nports,
	    ct->ct_ports[0].pt_ip, ct->ct_ports[0].pt_public,
	    ct->ct_ports[0].pt_private, ct->ct_ports[0].pt_proto);
}

static void
test_list(void **state)
{
	static const struct docker_list_cbs cbs = { on_item, on_op };
	char	 want[512];

	(void)state;
	setup();
	add("one", "{\"Image\":\"app:1\"}")->running = true;
	add("two", "{\"Image\":\"app:2\"}");
	assert_int_equal(docker_list(fk.docker, &cbs, NULL), 0);
	run();
	snprintf(want, sizeof(want), "one|app:1|app@sha256:%064d|running|"
	    "1700000000|1:a=b|1:0.0.0.0:8080:80/tcp\n"
	    "two|app:2|sha256:%064d|created|1700000000|1:a=b|"
	    "1:0.0.0.0:8080:80/tcp\n<>", 7, 2);
	assert_string_equal(got, want);
	teardown();

	setup();
	fk.fail_at = 3;
	fk.fate = FK_ERROR;
	assert_int_equal(docker_list(fk.docker, &cbs, NULL), 0);
	run();
	assert_string_equal(got, "<injected failure>");
	teardown();
}

static void
test_actions(void **state)
{
	struct fk_container	*ct;

	(void)state;
	setup();
	ct = add("web", "{\"Image\":\"app:1\",\"StopTimeout\":3}");
	assert_int_equal(docker_op_action(fk.docker, "web", DOCKER_ACT_START,
	    on_op, NULL), 0);
	run();
	assert_string_equal(got, "<>");
	assert_true(ct->running);
	assert_int_equal(docker_op_action(fk.docker, "web", DOCKER_ACT_STOP,
	    on_op, NULL), 0);
	run();
	assert_false(ct->running);
	assert_non_null(strstr(fk.trace, "/stop?t=3\n"));
	/* An id or the beginning of one is not a name. */
	got[0] = '\0';
	assert_int_equal(docker_op_action(fk.docker, ct->id, DOCKER_ACT_START,
	    on_op, NULL), 0);
	run();
	assert_non_null(strstr(got, "not found"));
	assert_false(ct->running);
	got[0] = '\0';
	docker_op_action(fk.docker, "nobody", DOCKER_ACT_RESTART, on_op, NULL);
	run();
	assert_string_equal(got, "<container \"nobody\" not found>");
	assert_int_equal(docker_op_action(fk.docker, "a/../b",
	    DOCKER_ACT_STOP, on_op, NULL), -1);
	assert_int_equal(errno, EINVAL);
	teardown();
}

static void
on_logs(void *arg, const char *error, const char *text, size_t len)
{
	(void)arg;
	assert_int_equal(strlen(text), len);
	note("<%s><%s>", error, text);
	event_base_loopbreak(fk.base);
}

static void
test_logs(void **state)
{
	static const char frames[] = "\1\0\0\0\0\0\0\3ab\n\2\0\0\0\0\0\0\2"
	    "\xff\n\1\0\0\0\0\0\0\0\1\0\0\0\0\0\0\1z";
	const struct docker_logs_opts	 many = { .dl_lines = 9999 };
	const struct docker_logs_opts	 one = { .dl_lines = 1,
	    .dl_since = 1795000000, .dl_streams = 2, .dl_timestamps = true };
	const struct docker_logs_opts	 ended = { .dl_lines = 3,
	    .dl_until = 1795000600 };

	(void)state;
	setup();
	add("web", "{\"Image\":\"app:1\"}");
	fk.logs = frames;
	fk.logslen = sizeof(frames) - 1;
	assert_int_equal(docker_op_logs(fk.docker, "web", &many, on_logs,
	    NULL), 0);
	run();
	assert_string_equal(got, "<><ab\n\xef\xbf\xbd\nz>");
	assert_non_null(strstr(fk.trace, "stdout=1&stderr=1&timestamps=0&"
	    "since=0&tail=500\n"));
	got[0] = '\0';
	fk.logs = "not a frame at all";
	fk.logslen = strlen(fk.logs);
	docker_op_logs(fk.docker, "web", &one, on_logs, NULL);
	run();
	assert_string_equal(got, "<Docker's log stream is broken><>");
	assert_non_null(strstr(fk.trace, "stdout=0&stderr=1&timestamps=1&"
	    "since=1795000000&tail=1\n"));
	add("tty", "{\"Image\":\"app:1\",\"Tty\":true}");
	got[0] = '\0';
	docker_op_logs(fk.docker, "tty", &one, on_logs, NULL);
	run();
	assert_string_equal(got, "<><not a frame at all>");
	/* Docker would count before it looks at the time, so we count. */
	got[0] = '\0';
	fk.logs = "\1\0\0\0\0\0\0\6a\nb\nc\n\1\0\0\0\0\0\0\4d\ne\n";
	fk.logslen = 26;
	docker_op_logs(fk.docker, "web", &ended, on_logs, NULL);
	run();
	assert_string_equal(got, "<><c\nd\ne\n>");
	assert_non_null(strstr(fk.trace, "stdout=1&stderr=1&timestamps=0&"
	    "since=0&until=1795000600&tail=all\n"));
	teardown();
}

static void
test_demux(void **state)
{
	struct docker_demux	*dx;
	char			*text;
	uint8_t			 frame[8 + 10] = { 1, 0, 0, 0, 0, 0, 0, 10 };
	size_t			 len, i, step;

	(void)state;
	for (step = 1; step <= sizeof(frame); step++) {
		assert_non_null(dx = docker_demux_new(false, 25));
		for (i = 0; i < 20; i++) {
			size_t	 o, n;

			memset(frame + 8, 'a' + (int)i, 9);
			frame[17] = '\n';
			for (o = 0; o < sizeof(frame); o += n) {
				n = sizeof(frame) - o < step ?
				    sizeof(frame) - o : step;
				assert_int_equal(docker_demux_feed(dx,
				    frame + o, n), 0);
			}
		}
		/* The newest lines that fit, whole. */
		assert_non_null(text = docker_demux_take(dx, &len));
		assert_string_equal(text, "sssssssss\nttttttttt\n");
		free(text);
		docker_demux_free(dx);
	}
}

static void
on_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg;
	note("(%s %llu/%llu)", what, (unsigned long long)done,
	    (unsigned long long)total);
}

static void
test_pull(void **state)
{
	static const struct docker_pull_cbs cbs = { on_progress, on_op };
	static const struct { const char *body, *want; } t[] = {
		{ "{\"status\":\"Pulling from app\",\"id\":\"2\"}\r\n"
		    "{\"status\":\"Status: Downloaded\"}\r\n",
		    "(Pulling from app 0/0)<>" },
		{ "{\"status\":\"S\"}\r\n{\"errorDetail\":{\"message\":"
		    "\"manifest unknown\\nx\"},\"error\":\"e\"}\r\n",
		    "(S 0/0)<manifest unknown x>" },
		{ "{\"error\":\"old form\"}", "<old form>" },
		{ "{\"status\":\"S\"", "<Docker's pull progress ended early>" },
		{ "<html>", "<Docker's pull progress ended early>" },
		{ "}{", "<Docker's pull progress is not valid JSON>" },
		{ "{\"status\":}", "<Docker's pull progress is not valid "
		    "JSON>" },
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(t); i++) {
		setup();
		fk.pull = t[i].body;
		assert_non_null(docker_pull(fk.docker, "reg:5000/app",
		    "c2VjcmV0", 1000, &cbs, NULL));
		run();
		assert_string_equal(got, t[i].want);
		assert_non_null(strstr(fk.trace, "/images/create?fromImage="
		    "reg:5000/app&tag=latest\n"));
		assert_string_equal(fk.auth, "c2VjcmV0");
		teardown();
	}
	setup();
	assert_null(docker_pull(fk.docker, "bad ref", NULL, 1000, &cbs, NULL));
	assert_int_equal(errno, EINVAL);
	teardown();
}

static uint64_t	 asked[8];
static size_t	 nasked;

static void
on_guard(void *arg, uint64_t number)
{
	(void)arg;
	asked[nasked++] = number;
	event_base_loopbreak(fk.base);
}

static void
on_waiting(void *arg, const char *what, uint64_t done, uint64_t total)
{
	(void)arg;
	(void)done;
	(void)total;
	if (strncmp(what, "waiting", 7) == 0)
		note("w");
}

/* Two at a time, in order; a refusal and a cancelled one make room. */
static void
test_pull_line(void **state)
{
	static const struct docker_pull_cbs cbs = { on_waiting, on_op };
	struct docker_pull	*pu[4];
	size_t			 i;

	(void)state;
	setup();
	nasked = 0;
	fk.pull = "{\"status\":\"Status: Downloaded\"}";
	docker_pull_set_guard(fk.docker, on_guard, NULL);
	for (i = 0; i < nitems(pu); i++)
		assert_non_null(pu[i] = docker_pull(fk.docker, "app:1", NULL,
		    1000, &cbs, NULL));
	assert_int_equal(nasked, 0);
	for (i = 0; i < 20; i++)
		event_base_loop(fk.base, EVLOOP_NONBLOCK);
	assert_int_equal(nasked, DOCKER_PULLS_MAX);
	assert_string_equal(got, "ww");		/* the other two say so */
	docker_pull_answer(fk.docker, asked[0], "no room");
	assert_string_equal(got, "ww<no room>");
	run();
	assert_int_equal(nasked, 3);
	docker_pull_cancel(pu[1]);
	docker_pull_answer(fk.docker, asked[1], "too late: it is gone");
	run();
	assert_int_equal(nasked, 4);
	docker_pull_answer(fk.docker, asked[2], "");
	run();
	assert_string_equal(got, "ww<no room><>");
	/* The last one goes with the client. */
	teardown();
}

static void
test_pull_layers(void **state)
{
	static const struct docker_pull_cbs cbs = { on_progress, on_op };

	(void)state;
	setup();
	fk.pull = "{\"status\":\"Downloading\",\"id\":\"a1\","
	    "\"progressDetail\":{\"current\":500000,\"total\":2000000}}";
	assert_non_null(docker_pull(fk.docker, "app:1", NULL, 1000, &cbs,
	    NULL));
	run();
	assert_string_equal(got, "(0 of 1 layers, 500.0 kB of 2.0 MB "
	    "500000/2000000)<>");
	teardown();
}

static void
test_pullop_done(void *arg, const struct docker_pull_result *pr)
{
	(void)arg;
	note("<%s|%.12s|%.12s>", pr->pr_error, pr->pr_id, pr->pr_digest);
	event_base_loopbreak(fk.base);
}

/* What came is compared with what was asked for. */
static void
test_pullop(void **state)
{
	static const struct docker_pullop_cbs cbs = { NULL,
	    test_pullop_done };
	char	 digest[80];

	(void)state;
	setup();
	fk.pull = "{\"status\":\"Status: Downloaded\"}";
	assert_int_equal(docker_op_pull(fk.docker, "app:1", "", NULL, 1000,
	    &cbs, NULL), 0);
	run();
	assert_string_equal(got, "<|sha256:00000|app@sha256:0>");
	got[0] = '\0';
	snprintf(digest, sizeof(digest), "sha256:%064d", 8);
	assert_int_equal(docker_op_pull(fk.docker, "app:1", digest, NULL,
	    1000, &cbs, NULL), 0);
	run();
	assert_non_null(strstr(got, "<what the registry gave is not sha256:"));
	assert_int_equal(docker_op_pull(fk.docker, "app:1", "latest", NULL,
	    1000, &cbs, NULL), -1);
	teardown();
}

static void
test_refs(void **state)
{
	static const struct { const char *ref, *repo, *tag, *digest; } t[] = {
		{ "a", "a", "latest", "" },
		{ "a:1", "a", "1", "" },
		{ "r:5000/a", "r:5000/a", "latest", "" },
		{ "r:5000/a/b:v1.2-x", "r:5000/a/b", "v1.2-x", "" },
		{ "a@sha256:" FK_ID("0123"), "a", "", "sha256:" FK_ID("0123") },
		{ "a:t@sha256:" FK_ID("abcd"), "a", "t",
		    "sha256:" FK_ID("abcd") },
	};
	static const char *const bad[] = { "", "a b", "a:", "a:b:c d", ":x",
	    "a@sha256:12", "a@", "/a", "a/", "a?x=1", "a&b", "a:.x", "-a" };
	struct docker_ref	 rf;
	char			 path[32];
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(t); i++) {
		assert_int_equal(docker_ref_parse(&rf, t[i].ref), 0);
		assert_string_equal(rf.rf_repo, t[i].repo);
		assert_string_equal(rf.rf_tag, t[i].tag);
		assert_string_equal(rf.rf_digest, t[i].digest);
	}
	for (i = 0; i < nitems(bad); i++)
		assert_int_equal(docker_ref_parse(&rf, bad[i]), -1);
	assert_true(docker_name_ok("a_b.c-1"));
	assert_false(docker_name_ok("a/b"));
	assert_false(docker_name_ok(".a"));
	assert_false(docker_name_ok(""));
	assert_int_equal(docker_path(path, sizeof(path), "/c/%s?x=%u&y=%d",
	    "a b", 5U, -1), 0);
	assert_string_equal(path, "/c/a%20b?x=5&y=-1");
	assert_int_equal(docker_path(path, sizeof(path), "/%s",
	    "0123456789012345678901234567890"), -1);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_version),
		cmocka_unit_test(test_errors),
		cmocka_unit_test(test_stale_connection),
		cmocka_unit_test(test_cancel_and_many),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_actions),
		cmocka_unit_test(test_logs),
		cmocka_unit_test(test_demux),
		cmocka_unit_test(test_pull),
		cmocka_unit_test(test_pull_line),
		cmocka_unit_test(test_pull_layers),
		cmocka_unit_test(test_pullop),
		cmocka_unit_test(test_refs),
	};

	signal(SIGPIPE, SIG_IGN);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
