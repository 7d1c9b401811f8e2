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

#include "proc_rig.h"

/* Processes that die, hang, or break the rules. */

static void
do_kill_engine(void)
{
	(void)kill(proc_pid(ROLE_ENGINE), SIGKILL);
}

static const struct step steps_death[] = {
	{ "", do_kill_engine },
	{ NULL, NULL }
};

/* The others still finish in order: nobody panics before the parent. */
static void
test_death(void **state)
{
	const struct scenario	 s = { .daemon = "proctest", .keep = true,
				    .steps = steps_death };
	char			 out[32768];

	(void)state;
	assert_exit(out, run(&s, out, sizeof(out)), 1);
	assert_log(out, "killed by signal 9 (SIGKILL); ending");
	assert_order(out, "; ending", "cluster: finishing");
	assert_order(out, "cluster: finishing", "keyholder: finishing");
	assert_no_log(out, "closed its channel");
}

static void
do_fatal(void)
{
	order(ROLE_CONTROL, "fatal");
}

static const struct step steps_fatal[] = {
	{ "", do_fatal },
	{ NULL, NULL }
};

static void
test_last_words(void **state)
{
	const struct scenario	 s = { .daemon = "proctest", .keep = true,
				    .steps = steps_fatal };
	char			 out[32768];

	(void)state;
	assert_exit(out, run(&s, out, sizeof(out)), 1);
	assert_order(out, "control: these are the last words",
	    "exited with status 1; ending");
}

static void
do_exec(void)
{
	order(ROLE_CLUSTER, "exec");
}

static const struct step steps_exec[] = {
	{ "", do_exec },
	{ NULL, NULL }
};

/* It could be restarted; after this it must not. */
static void
test_sigsys(void **state)
{
	struct scenario	 s = { .daemon = "proctest", .keep = true,
			    .steps = steps_exec };
	char		 out[32768];

	(void)state;
#ifdef SENTINEL_SANITIZE
	skip();
#endif
	assert_exit(out, run(&s, out, sizeof(out)), 1);
	assert_log(out, "sandbox violation, killed by signal 31 (SIGSYS); "
	    "ending");
	assert_no_log(out, "starts again");
	s.trap = true;
	assert_exit(out, run(&s, out, sizeof(out)), 1);
	assert_log(out, "cluster: sandbox: cluster: call ");
	assert_log(out, "(execve)");
	assert_log(out, "sandbox violation");
}

static void
do_kill_cluster(void)
{
	(void)kill(proc_pid(ROLE_CLUSTER), SIGKILL);
}

static void
do_abort(void)
{
	order(ROLE_CLUSTER, "abort");
}

static void
do_close(void)
{
	order(ROLE_CLUSTER, "close");
}

static void
do_break(void)
{
	order(ROLE_CLUSTER, "break engine");
}

static void
do_break_parent(void)
{
	order(ROLE_CLUSTER, "break parent");
}

static const struct step steps_restart[] = {
	{ "", do_kill_cluster },
	{ "restarted 2", do_sign },
	{ "2: signed yes", do_flood },
	{ "3: rtts 1000 from 2", do_abort },
	{ "restarted 2", do_break },
	{ "restarted 2", do_break_parent },
	{ "restarted 2", do_close },
	{ "restarted 2", do_sign },
	{ "2: signed yes", do_term },
	{ NULL, NULL }
};

/* Every way in which a restartable row can go, and that it comes back. */
static void
test_restart(void **state)
{
	const struct scenario	 s = { .daemon = "proctest", .keep = true,
				    .steps = steps_restart };
	char			 out[32768];

	(void)state;
	assert_exit(out, run(&s, out, sizeof(out)), 0);
	assert_order(out, "cluster: starts again in 50 ms",
	    "cluster: starts again in 20 ms");
	assert_order(out, "cluster: starts again in 20 ms",
	    "cluster: starts again in 40 ms");
	assert_log(out, "died 2, killed, last: killed by signal 9 (SIGKILL)");
	assert_log(out, "died 2, crashed, last: killed by signal 6");
	assert_order(out, "died 2, killed, last", "restarted 2, restarts 1");
	assert_log(out, "report 3: lost 2, peer is gone");
	assert_log(out, "report 1: lost 2, peer is gone");
	assert_order(out, "report 3: up 2 channel 2",
	    "report 3: lost 2, peer is gone");
	assert_order(out, "report 3: lost 2, peer is gone",
	    "report 3: up 2 channel 5");
	assert_log(out, "killed by signal 6 (SIGABRT)");
	assert_log(out, "engine: cluster is broken: KEY_LOAD: wrong sender");
	assert_log(out, "killed by signal 9 (SIGKILL): a sibling found it "
	    "broken");
	assert_log(out, "broken: KEY_LOAD: wrong sender");
	assert_log(out, "killed by signal 9 (SIGKILL): it broke a rule");
	assert_log(out, "restarted 2, restarts 5");
}

/* Not by the log, which has a limit. */
static void
do_count(void)
{
	(void)dprintf(STDERR_FILENO, "open descriptors: %d\n%u restarts\n",
	    count_fds(), proc_restarts(ROLE_CLUSTER));
	order(ROLE_ENGINE, "count");
}

static void
do_count_key(void)
{
	order(ROLE_KEYHOLDER, "count");
}

#define DEATHS	20

/* Those who stay keep nothing of the dead; the wait has an upper end. */
static void
test_many_restarts(void **state)
{
	struct step		 steps[DEATHS + 6] = {
		{ "", do_count },
		{ "3: counted", do_count_key },
		{ "1: counted", do_kill_cluster },
	};
	const struct scenario	 s = { .daemon = "proctest", .keep = true,
				    .restart_max_msec = 30, .steps = steps };
	char			 out[65536], *p;
	int			 fds[6], i;

	(void)state;
	for (i = 0; i < DEATHS; i++) {
		steps[3 + i].text = "restarted 2";
		steps[3 + i].fn = do_kill_cluster;
	}
	steps[DEATHS + 2].fn = do_count;
	steps[DEATHS + 3].text = "3: counted";
	steps[DEATHS + 3].fn = do_count_key;
	steps[DEATHS + 4].text = "1: counted";
	steps[DEATHS + 4].fn = do_term;
	assert_exit(out, run(&s, out, sizeof(out)), 0);
	assert_log(out, "\n20 restarts\n");
	assert_log(out, "cluster: starts again in 30 ms");
	assert_no_log(out, "cluster: starts again in 40 ms");
	/* Parent, engine and keyholder, before and after. */
	for (p = out, i = 0; i < 6; i++) {
		p = strstr(p, "open descriptors: ");
		assert_non_null(p);
		p += strlen("open descriptors: ");
		fds[i] = atoi(p);
	}
	assert_int_equal(fds[3], fds[0]);
	assert_int_equal(fds[4], fds[1]);
	assert_int_equal(fds[5], fds[2]);
}

static void
do_exit_daemon(void)
{
	order(ROLE_CLUSTER, "exit daemon");
}

static const struct step steps_exit_daemon[] = {
	{ "", do_exit_daemon },
	{ NULL, NULL }
};

/* It could be started again, and says that this would not help. */
static void
test_exit_daemon(void **state)
{
	const struct scenario	 s = { .daemon = "proctest", .keep = true,
				    .steps = steps_exit_daemon };
	char			 out[32768];

	(void)state;
	assert_exit(out, run(&s, out, sizeof(out)), 1);
	assert_log(out, "exited with status 70; ending");
	assert_no_log(out, "starts again");
}

static void
do_control_break(void)
{
	order(ROLE_CONTROL, "break engine");
}

static const struct step steps_broken[] = {
	{ "", do_control_break },
	{ NULL, NULL }
};

/* A row that is not to be restarted takes the daemon with it. */
static void
test_broken(void **state)
{
	const struct scenario	 s = { .daemon = "proctest", .keep = true,
				    .steps = steps_broken };
	char			 out[32768];

	(void)state;
	assert_exit(out, run(&s, out, sizeof(out)), 1);
	assert_log(out, "engine: control is broken: KEY_LOAD: wrong sender");
	assert_log(out, "exited with status 1; ending");
}

static void
test_hang(void **state)
{
	const struct scenario	 s = { .daemon = "prochang", .keep = true,
				    .stop_msec = 600, .steps = steps_term };
	monotime_t		 begin = monotime_now();
	char			 out[32768];

	(void)state;
	assert_exit(out, run(&s, out, sizeof(out)), 1);
	assert_order(out, "engine: has not finished yet",
	    "cluster: finishing");
	assert_log(out, "did not stop in time, killed");
	assert_true(monotime_now() - begin < 5000);
}

static void
do_kill_parent(void)
{
	(void)kill(getpid(), SIGKILL);
}

static const struct step steps_orphan[] = {
	{ "3: started", do_kill_parent },
	{ NULL, NULL }
};

/* run() waits for the last child to end. */
static void
test_parent_death(void **state)
{
	const struct scenario	 s = { .daemon = "proctest", .keep = true,
				    .steps = steps_orphan };
	char			 out[32768];
	int			 status;

	(void)state;
	status = run(&s, out, sizeof(out));
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_sigsys),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_many_restarts),
		cmocka_unit_test(test_exit_daemon),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_parent_death),
	};

	become_child(argc, argv);
	proc_save_self();
	return (cmocka_run_group_tests(tests, group_setup, group_teardown));
}
