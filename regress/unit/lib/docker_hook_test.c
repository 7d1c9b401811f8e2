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
#include <stdarg.h>

#include <cmocka.h>

#include "docker_exec.h"
#include "docker_hook.h"
#include "fakedocker.h"
#include "monotime.h"

static struct fk	 fk;
static enum docker_exec_end last;
static int		 code, ndone;
static char		 error[600], text[70000];
static char		 described[HOOK_REASON_MAXBYTES];

static void
setup(void)
{
	struct fk_container	*ct;

	memset(&fk, 0, sizeof(fk));
	fk.base = event_base_new();
	fk.api = "1.41";
	assert_non_null(fk.docker = docker_new(fk.base, fk_need_fd, &fk));
	snprintf(fk.im[0].id, sizeof(fk.im[0].id), "sha256:%064d", 1);
	strlcpy(fk.im[0].tags[0], "app:1", sizeof(fk.im[0].tags[0]));
	ct = fk_make(&fk, "web", "{\"Image\":\"app:1\"}",
	    strlen("{\"Image\":\"app:1\"}"));
	assert_non_null(ct);
	ct->running = true;
	ndone = 0;
	error[0] = text[0] = '\0';
}

static void
teardown(void)
{
	docker_free(fk.docker);
	fk_free(&fk);
	event_base_free(fk.base);
}

static void
on_done(void *arg, const struct docker_exec_result *er)
{
	(void)arg;
	last = er->er_end;
	code = er->er_code;
	strlcpy(error, er->er_error, sizeof(error));
	assert_int_equal(strlen(er->er_output), er->er_len);
	strlcpy(text, er->er_output, sizeof(text));
	hook_describe(HOOK_PRE, er, described, sizeof(described));
	ndone++;
	event_base_loopbreak(fk.base);
}

static void
too_late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("no end; trace:\n%s", fk.trace);
}

static void
run(const char *command, unsigned int msec)
{
	struct timeval	 tv = { 15, 0 };
	struct event	*ev = evtimer_new(fk.base, too_late, NULL);
	struct hook	 hk;
	char		 why[128];

	if (hook_make(&hk, command, 0, why, sizeof(why)) == -1)
		fail_msg("%s", why);
	hk.hk_msec = msec;
	evtimer_add(ev, &tv);
	assert_non_null(hook_run(fk.base, fk.docker, fk_find(&fk, "web")->id,
	    &hk, NULL, on_done, NULL));
	hook_free(&hk);
	while (ndone == 0)
		event_base_dispatch(fk.base);
	assert_int_equal(ndone, 1);
	event_free(ev);
}

static void
test_run(void **state)
{
	(void)state;
	setup();		/* a line for the shell */
	fk.execs.out = "12 files\nlast \x01\xff" "line\n\n";
	fk.execs.err = "careful\n";
	run("dump --all", 5000);
	assert_int_equal(last, EXEC_EXITED);
	assert_int_equal(code, 0);
	assert_string_equal(error, "");
	/* The process id is not in it, wherever it came. */
	assert_string_equal(text, "careful\n12 files\nlast \x01\xef\xbf\xbd"
	    "line\n\n");
	assert_string_equal(described, "pre-update hook: exit code 0: last  "
	    "\xef\xbf\xbdline");
	assert_non_null(strstr(fk.execs.trace, "[\"/bin/sh\",\"-c\",\"echo $$;"
	    " exec /bin/sh -c \\\"$1\\\"\",\"sentinel-hook\",\"dump --all\"]"));
	assert_int_equal(fk.execs.signals, 0);
	teardown();

	setup();		/* an array */
	fk.execs.code = 3;
	run(" [\"/bin/dump\", \"a b\"]", 5000);
	assert_int_equal(last, EXEC_EXITED);
	assert_int_equal(code, 3);
	assert_non_null(strstr(fk.execs.trace,
	    "\"sentinel-hook\",\"/bin/dump\",\"a b\"]"));
	assert_string_equal(described, "pre-update hook: exit code 3");
	teardown();
}

static void
test_no_shell(void **state)
{
	(void)state;
	setup();
	fk.execs.noshell = true;
	run("dump", 5000);
	assert_int_equal(last, EXEC_FAILED);
	assert_non_null(strstr(error, "the image has no /bin/sh"));
	teardown();

	setup();		/* an array needs none, runs once */
	fk.execs.noshell = true;
	fk.execs.out = "12\n";
	run("[\"/dump\"]", 5000);
	assert_int_equal(last, EXEC_EXITED);
	assert_string_equal(text, "12\n");
	assert_non_null(strstr(fk.execs.trace, "\n[\"/dump\"]\n"));
	assert_int_equal(fk.execs.n, 2);
	teardown();

	setup();		/* but cannot be ended */
	fk.execs.noshell = true;
	fk.execs.hang = 1;
	run("[\"/dump\"]", 300);
	assert_int_equal(last, EXEC_LEFT);
	assert_int_equal(fk.execs.signals, 0);
	assert_non_null(strstr(error, "cannot be ended (the image has no "
	    "/bin/sh): it may still run"));
	teardown();
}

static void
test_timeout(void **state)
{
	static const enum docker_exec_end	 want[] = { EXEC_TIMEOUT,
		EXEC_TIMEOUT, EXEC_TIMEOUT, EXEC_LEFT };
	int					 i;

	(void)state;
	for (i = 1; i <= 4; i++) {
		setup();
		fk.execs.hang = i;
		fk.execs.out = "begun\n";
		run("sleep 100", 300);
		assert_int_equal(last, want[i - 1]);
		assert_int_equal(code, -1);
		assert_string_equal(text, "begun\n");
		assert_int_equal(fk.execs.signals, i < 4 ? i : 3);
		assert_non_null(strstr(error, i < 4 ? "was ended" :
		    "withstood every signal"));
		/* To the whole group. */
		assert_non_null(strstr(fk.execs.ex[1].cmd, "kill -TERM -7"));
		teardown();
	}
}

static void
test_cut(void **state)
{
	char	*long_text = malloc(60001);
	size_t	 i;

	(void)state;
	assert_non_null(long_text);
	for (i = 0; i < 60000; i++)
		long_text[i] = i % 60 == 59 ? '\n' : 'x';
	long_text[60000] = '\0';
	setup();
	fk.execs.out = fk.execs.err = long_text;
	run("noise", 5000);
	assert_int_equal(last, EXEC_EXITED);
	assert_non_null(strstr(text, "[of 120000 bytes only the last are "
	    "kept]\nxxx"));
	assert_true(strlen(text) <= EXEC_OUTPUT_MAXBYTES + 60);
	assert_true(strlen(text) > EXEC_OUTPUT_MAXBYTES - 100);
	teardown();
	free(long_text);
}

static void
test_trouble(void **state)
{
	(void)state;
	setup();
	fk_find(&fk, "web")->paused = true;
	run("x", 5000);
	assert_int_equal(last, EXEC_FAILED);
	assert_string_equal(error, "is not running");
	teardown();

	setup();		/* the stream is lost, the process ended */
	fk.fail_what = "/start";
	fk.fate = FK_LOSE_AFTER;
	fk.execs.code = 4;
	run("x", 5000);
	assert_int_equal(last, EXEC_EXITED);
	assert_int_equal(code, 4);
	teardown();

	setup();		/* dockerd forgot it */
	fk.fail_what = "GET /v1.41/exec";
	fk.fate = FK_ERROR;
	run("x", 5000);
	assert_int_equal(last, EXEC_UNKNOWN);
	assert_non_null(strstr(error, "unknown: injected failure"));
	teardown();
}

static void
test_cancel(void **state)
{
	struct docker_exec	*ex;
	struct hook		 hk;
	struct timeval		 tv = { 0, 100000 };
	char			 why[128];

	(void)state;
	setup();
	fk.execs.hang = 1;
	assert_int_equal(hook_make(&hk, "x", 60, why, sizeof(why)), 0);
	assert_non_null(ex = hook_run(fk.base, fk.docker,
	    fk_find(&fk, "web")->id, &hk, NULL, on_done, NULL));
	event_base_loopexit(fk.base, &tv);
	event_base_dispatch(fk.base);
	docker_exec_cancel(ex);
	docker_exec_cancel(NULL);
	hook_free(&hk);
	assert_int_equal(ndone, 0);
	assert_int_equal(docker_calls(fk.docker), 0);
	teardown();
}

/* Byte by byte, and what is no frame. */
static void
test_frames(void **state)
{
	static const uint8_t	 in[] =
	    "\1\0\0\0\0\0\0\1" "4" "\2\0\0\0\0\0\0\2" "e\n"
	    "\1\0\0\0\0\0\0\4" "2\nok";
	static const uint8_t	 bad[] = "hello, world";
	struct exec_out		*eo;
	char			*s;
	size_t			 i, len;

	(void)state;
	assert_non_null(eo = exec_out_new(true, 100));
	for (i = 0; i < sizeof(in) - 1; i++)
		assert_int_equal(exec_out_feed(eo, in + i, 1), 0);
	assert_int_equal(exec_out_pid(eo), 42);
	assert_non_null(s = exec_out_take(eo, &len));
	assert_string_equal(s, "e\nok");
	free(s);
	exec_out_free(eo);
	assert_non_null(eo = exec_out_new(false, 100));
	assert_int_equal(exec_out_feed(eo, bad, sizeof(bad)), -1);
	assert_int_equal(errno, EINVAL);
	exec_out_free(eo);
	/* No number: text, and no process to be ended. */
	assert_non_null(eo = exec_out_new(true, 100));
	assert_int_equal(exec_out_feed(eo, (const uint8_t *)
	    "\1\0\0\0\0\0\0\3" "4x\n", 11), 0);
	assert_int_equal(exec_out_pid(eo), 0);
	assert_non_null(s = exec_out_take(eo, &len));
	assert_string_equal(s, "4x\n");
	free(s);
	exec_out_free(eo);
}

static void
test_labels(void **state)
{
	static const struct {
		const char	*json;
		enum hook_phase	 phase;
		int		 rc;
		const char	*command;	/* or why not */
		unsigned int	 msec;
		bool		 back;
	} t[] = {
		{ "{}", HOOK_PRE, 0, NULL, 0, false },
		{ "{\"sentinel.hook.pre-update\":\"a b\"}", HOOK_PRE, 1,
		    "a b", 30000, false },
		{ "{\"sentinel.hook.pre-update\":\"a\"}", HOOK_POST, 0, NULL, 0,
		    false },
		{ "{\"sentinel.hook.pre\":\"a\",\"sentinel.hook.pre-update\":"
		    "\"b\",\"sentinel.hook.timeout\":\"5\"}", HOOK_PRE, 1, "a",
		    5000, false },
		{ "{\"sentinel.hook.post\":\"a\",\"sentinel.hook.timeout\":"
		    "\"5s\",\"sentinel.hook.post-update.timeout\":\"2m\","
		    "\"sentinel.hook.post.rollback\":\"True\"}", HOOK_POST, 1,
		    "a", 120000, true },
		{ "{\"sentinel.gate.exec\":\"[\\\"/check\\\"]\","
		    "\"sentinel.hook.timeout\":\"5\"}", HOOK_GATE, 1,
		    "[\"/check\"]", 60000, false },
		{ "{\"sentinel.gate.exec\":\"c\",\"sentinel.gate.timeout\":"
		    "\"1h\"}", HOOK_GATE, 1, "c", 3600000, false },
		{ "{\"sentinel.hook.pre\":\"\"}", HOOK_PRE, 0, NULL, 0, false },
		{ "{\"sentinel.hook.pre\":\"a\",\"sentinel.hook.pre.timeout\":"
		    "\"0\"}", HOOK_PRE, -1, "label sentinel.hook.pre.timeout: "
		    "want 1s to 1h", 0, false },
		{ "{\"sentinel.hook.pre\":\"a\",\"sentinel.hook.timeout\":"
		    "\"2h\"}", HOOK_PRE, -1, "label sentinel.hook.timeout: "
		    "want 1s to 1h", 0, false },
		{ "{\"sentinel.hook.pre\":\"[1]\"}", HOOK_PRE, -1, "label "
		    "sentinel.hook.pre: want an array of 1 to 64 strings", 0,
		    false },
		{ "{\"sentinel.hook.pre\":\"  \"}", HOOK_PRE, -1,
		    "label sentinel.hook.pre: empty command", 0, false },
	};
	struct hook	 hk;
	struct json	*js;
	char		 why[256];
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(t); i++) {
		assert_non_null(js = json_parse(t[i].json, strlen(t[i].json),
		    NULL, 0));
		why[0] = '\0';
		assert_int_equal(hook_from_labels(&hk, json_root(js),
		    t[i].phase, why, sizeof(why)), t[i].rc);
		if (t[i].rc == -1)
			assert_string_equal(why, t[i].command);
		if (t[i].rc == 1) {
			assert_string_equal(hk.hk_command, t[i].command);
			assert_int_equal(hk.hk_msec, t[i].msec);
			assert_int_equal(hk.hk_rollback, t[i].back);
			assert_true(hk.hk_label);
			hook_free(&hk);
		}
		json_free(js);
	}
	assert_int_equal(hook_from_labels(&hk, NULL, HOOK_PRE, why,
	    sizeof(why)), 0);
}

static void
test_commands(void **state)
{
	char		*argv[EXEC_ARGS_MAX], why[128], big[5000];
	enum hook_phase	 ph;
	bool		 shell;
	int		 n;

	(void)state;
	assert_int_equal(n = hook_argv("[\"a\",\"\",\"b c\"]", argv, &shell,
	    why, sizeof(why)), 3);
	assert_false(shell);
	assert_string_equal(argv[2], "b c");
	hook_argv_free(argv, n);
	/* test(1) begins the same way. */
	assert_int_equal(n = hook_argv("[ -f /x ] && y", argv, &shell, why,
	    sizeof(why)), 1);
	assert_true(shell);
	hook_argv_free(argv, n);
	assert_int_equal(hook_argv("[]", argv, &shell, why, sizeof(why)), -1);
	assert_int_equal(hook_argv("[\"\"]", argv, &shell, why, sizeof(why)),
	    -1);
	assert_int_equal(hook_argv("[\"a\\u0000b\"]", argv, &shell, why,
	    sizeof(why)), -1);
	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	assert_int_equal(hook_argv(big, argv, &shell, why, sizeof(why)), -1);
	assert_string_equal(why, "the command is longer than 4095 bytes");
	assert_int_equal(hook_phase_parse("post", &ph), 0);
	assert_int_equal(ph, HOOK_POST);
	assert_int_equal(hook_phase_parse("pre-update", &ph), 0);
	assert_string_equal(hook_phase_name(ph), "pre-update");
	assert_int_equal(hook_phase_parse("during", &ph), -1);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_run),
		cmocka_unit_test(test_no_shell),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_cut),
		cmocka_unit_test(test_trouble),
		cmocka_unit_test(test_cancel),
		cmocka_unit_test(test_frames),
		cmocka_unit_test(test_labels),
		cmocka_unit_test(test_commands)
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
