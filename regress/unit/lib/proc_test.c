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

/* From the start to the end of a daemon whose processes do as they should. */

static void
need_root(void)
{
	if (getuid() != 0)
		skip();
}

/* A line of /proc/PID/status or the title, as a process outside sees it. */
static void
show_process(enum role role)
{
	char	 path[64], buf[4096], root[128] = "", *p, *line;
	ssize_t	 n;
	int	 fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/status",
	    (int)proc_pid(role));
	if ((fd = open(path, O_RDONLY)) == -1 ||
	    (n = read(fd, buf, sizeof(buf) - 1)) <= 0)
		fatal("%s", path);
	(void)close(fd);
	buf[n] = '\0';
	for (p = buf; (line = strsep(&p, "\n")) != NULL;) {
		if (strncmp(line, "Seccomp:", 8) == 0 ||
		    strncmp(line, "Name:", 5) == 0 ||
		    strncmp(line, "Uid:", 4) == 0)
			log_info("shown %d %s", (int)role, line);
	}
	(void)snprintf(path, sizeof(path), "/proc/%d/root",
	    (int)proc_pid(role));
	if (readlink(path, root, sizeof(root) - 1) != -1)
		log_info("shown %d root %s", (int)role, root);
	(void)snprintf(path, sizeof(path), "/proc/%d/cmdline",
	    (int)proc_pid(role));
	if ((fd = open(path, O_RDONLY)) == -1 ||
	    (n = read(fd, buf, sizeof(buf) - 1)) <= 0)
		fatal("%s", path);
	(void)close(fd);
	buf[n] = '\0';
	log_info("shown %d title %s", (int)role, buf);
	log_info("shown %d sandbox %s", (int)role, proc_sandbox(role));
}

static void
do_show(void)
{
	show_process(ROLE_KEYHOLDER);
	show_process(ROLE_ENGINE);
	order(ROLE_CLUSTER, "inherited");
}

static void
do_open(void)
{
	order(ROLE_KEYHOLDER, "open");
}

static void
do_create(void)
{
	order(ROLE_ENGINE, "create");
}

static const struct step steps_show[] = {
	{ "", do_show },
	{ "2: secret gone, TZ UTC, stray fd gone", do_open },
	{ "1: open: -1", do_create },
	{ "3: create: 0", do_term },
	{ NULL, NULL }
};

/* Confined as the table says, and ended in reverse order of rows. */
static void
test_start_stop(void **state)
{
	const struct scenario	 s = { .daemon = "proctest",
				    .steps = steps_show };
	char			 out[32768], want[256];
	int			 status;

	(void)state;
	need_root();
	assert_int_equal(chown(statedir, UID_BASE + ROLE_ENGINE,
	    UID_BASE + ROLE_ENGINE), 0);
	status = run(&s, out, sizeof(out));
	assert_exit(out, status, 0);
	assert_log(out, "no such users: _sntt-key _sntt-net _sntt-db "
	    "_sntt-ctl; using ids from 59240 on");
	assert_order(out, "all are ready", "report 1: started");
	(void)snprintf(want, sizeof(want), "Uid:\\t%d\\t%d\\t%d\\t%d",
	    UID_BASE + 1, UID_BASE + 1, UID_BASE + 1, UID_BASE + 1);
	assert_log(out, want);
	assert_log(out, "shown 1 title proctest: keyholder");
	(void)snprintf(want, sizeof(want), "shown 1 root %s", emptydir);
	assert_log(out, want);
	(void)snprintf(want, sizeof(want), "shown 3 root %s", statedir);
	assert_log(out, want);
	assert_log(out, "chroot caps");
#ifndef SENTINEL_SANITIZE
	assert_log(out, " seccomp");
	assert_log(out, "shown 1 Seccomp:\\t2");
	assert_log(out, "shown 3 Seccomp:\\t2");
	assert_no_log(out, "seccomp is not available");
#endif
	assert_order(out, "stopping: SIGTERM", "the end begins");
	assert_order(out, "engine: finishing", "cluster: finishing");
	assert_order(out, "cluster: finishing", "keyholder: finishing");
	assert_order(out, "keyholder: finishing", "the end\n");
	assert_no_log(out, "killed by");
	assert_no_log(out, "exited with");
}

static const struct step steps_keep[] = {
	{ "", do_open },
	{ "1: open: -1", do_create },
	{ "3: create: 0", do_term },
	{ NULL, NULL }
};

/* Without root the filter and landlock remain. */
static void
test_keep(void **state)
{
	const struct scenario	 s = { .daemon = "proctest", .keep = true,
				    .steps = steps_keep };
	char			 out[32768];

	(void)state;
	assert_exit(out, run(&s, out, sizeof(out)), 0);
	assert_no_log(out, "no such users");
	assert_no_log(out, "netns is not available");
}

/* run() gives up root before; this one keeps it. */
static void
test_keep_refused(void **state)
{
	struct proc_opts	 po;
	pid_t			 pid;
	int			 status;

	(void)state;
	need_root();
	if ((pid = fork()) == 0) {
		(void)close(STDERR_FILENO);
		memset(&po, 0, sizeof(po));
		po.po_keep = true;
		po.po_uid_base = UID_BASE;
		_exit(proc_parent_init(&tables[0], &po, &ops, NULL) == -1 ?
		    0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

/* "nobody" is there, and twice. */
static void
test_same_user(void **state)
{
	static const struct proc_row	 same[] = {
		ROW_PARENT,
		{ .pr_role = ROLE_KEYHOLDER, .pr_name = "keyholder",
		  .pr_user = "nobody" },
		{ .pr_role = ROLE_ENGINE, .pr_name = "engine",
		  .pr_user = "nobody" },
	};
	static const struct proc_table	 table = {
		"procsame", same, nitems(same), NULL, 0
	};
	struct proc_opts		 po;
	pid_t				 pid;
	int				 status;

	(void)state;
	need_root();
	if ((pid = fork()) == 0) {
		(void)close(STDERR_FILENO);
		memset(&po, 0, sizeof(po));
		po.po_uid_base = UID_BASE;
		if (proc_parent_init(&table, &po, &ops, NULL) != -1)
			_exit(1);
		/* Before anybody was started. */
		_exit(proc_pid(ROLE_KEYHOLDER) != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
do_listen(void)
{
	const uint8_t	 index = 0;

	if (peer_send(proc_peer(ROLE_CONTROL), IMSG_CONF_LISTEN, 0,
	    socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), &index, 1) == -1)
		fatal("do_listen");
}

static void
do_debug(void)
{
	proc_parent_verbose(1);
	order(ROLE_ENGINE, "debug");
	(void)kill(getpid(), SIGHUP);
}

static const struct step steps_talk[] = {
	{ "", do_sign },
	{ "2: signed yes", do_flood },
	{ "3: rtts 1000 from 2", do_listen },
	{ "8: descriptor came", do_debug },
	{ "hup", do_term },
	{ NULL, NULL }
};

/* Every kind of channel, more messages than one wake-up takes, an fd. */
static void
test_talk(void **state)
{
	const struct scenario	 s = { .daemon = "proctest", .keep = true,
				    .steps = steps_talk };
	char			 out[32768];

	(void)state;
	assert_exit(out, run(&s, out, sizeof(out)), 0);
	assert_log(out, "report 2: credit yes");
	assert_log(out, "engine: a line for debugging");
	assert_log(out, "got SIGHUP");
}

static void
test_bad_start(void **state)
{
	const struct scenario	 s = { .daemon = "procbad", .keep = true,
				    .steps = steps_term };
	char			 out[32768];

	(void)state;
	assert_exit(out, run(&s, out, sizeof(out)), 3);
	assert_log(out, "cluster: sandbox \"stdio bogus\": Invalid argument");
	assert_no_log(out, "all are ready");
	assert_no_log(out, "the end\n");
}

static void
test_slow_start(void **state)
{
	const struct scenario	 s = { .daemon = "procslow", .keep = true,
				    .start_msec = 300, .steps = steps_term };
	char			 out[32768];

	(void)state;
	assert_exit(out, run(&s, out, sizeof(out)), 3);
	assert_log(out, "killed by signal 9 (SIGKILL): it did not start in "
	    "time");
	assert_no_log(out, "all are ready");
}

/* No failure, and nothing is left. */
static void
test_early_term(void **state)
{
	const struct scenario	 s = { .daemon = "proctest", .keep = true,
				    .term = true, .steps = steps_term };
	char			 out[32768];

	(void)state;
	assert_exit(out, run(&s, out, sizeof(out)), 0);
	assert_log(out, "stopping: SIGTERM");
	assert_no_log(out, "all are ready");
}

/* -P is refused when channel and log are not there. */
static void
test_by_hand(void **state)
{
	static char	 path[] = "/proc/self/exe", opt[] = "-P",
			 name[] = "engine";
	char		*argv[] = { path, opt, name, NULL };
	pid_t		 pid;
	int		 status;

	(void)state;
	if ((pid = fork()) == 0) {
		closefrom(STDERR_FILENO);
		(void)execv(path, argv);
		_exit(5);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 1);
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_start_stop),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_keep_refused),
		cmocka_unit_test(test_same_user),
		cmocka_unit_test(test_talk),
		cmocka_unit_test(test_bad_start),
		cmocka_unit_test(test_slow_start),
		cmocka_unit_test(test_early_term),
		cmocka_unit_test(test_by_hand)
	};

	become_child(argc, argv);
	proc_save_self();
	return (cmocka_run_group_tests(tests, group_setup, group_teardown));
}
