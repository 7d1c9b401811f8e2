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

#ifndef PROC_RIG_H
#define PROC_RIG_H

#include "unit.h"

#include <sys/resource.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "logsink.h"
#include "monotime.h"
#include "proc.h"
#include "sandbox.h"

/*
 * A small daemon of this binary: every test forks its parent, which starts
 * the children by the table below and gives them orders (CONF_OFFER with a
 * word in it); they answer by CONF_REJECT with a text, which the parent logs.
 * The test reads the log until no process holds it open any more, so that a
 * test that ends has left no orphan.
 */
#define KEEP_UID	59232
#define UID_BASE	59240
#define TEST_MSEC	30000

static char	 dir[] = "/tmp/snt.proc.XXXXXX";
static char	 emptydir[64], statedir[64];

#include "proc_rig_child.h"

/* --- parent ------------------------------------------------------------- */

static void	 parent_report(struct peer *, struct imsg *);

static const struct proc_handler parent_handlers[] = {
	{ IMSG_CONF_REJECT, parent_report },
	{ 0, NULL }
};
static const struct proc_handler key_handlers[] = {
	{ IMSG_CONF_OFFER, child_order },
	{ IMSG_KEY_SIGN, key_sign },
	{ 0, NULL }
};
static const struct proc_handler child_handlers[] = {
	{ IMSG_CONF_OFFER, child_order },
	{ IMSG_CONF_LISTEN, child_listen },
	{ IMSG_AGENT_RTT, engine_rtt },
	{ 0, NULL }
};

#define ROW_PARENT							\
	{ .pr_role = ROLE_PARENT, .pr_name = "parent",			\
	  .pr_handlers = parent_handlers }
#define ROW_KEYHOLDER							\
	{ .pr_role = ROLE_KEYHOLDER, .pr_name = "keyholder",		\
	  .pr_user = "_sntt-key", .pr_root = PROC_ROOT_EMPTY,		\
	  .pr_flags = PROC_F_NETNS, .pr_promises = "stdio recvfd fsync", \
	  .pr_fsize = 65536, .pr_nofile = 32,				\
	  .pr_handlers = key_handlers, .pr_start = child_start,		\
	  .pr_stop = child_stop, .pr_peer_lost = child_peer_lost }
#define ROW_CLUSTER(promises, warmup)					\
	{ .pr_role = ROLE_CLUSTER, .pr_name = "cluster",		\
	  .pr_user = "_sntt-net", .pr_root = PROC_ROOT_EMPTY,		\
	  .pr_flags = PROC_F_NETNS | PROC_F_RESTART,			\
	  .pr_promises = promises, .pr_nofile = 32,			\
	  .pr_warmup = warmup,						\
	  .pr_handlers = child_handlers, .pr_start = child_start,	\
	  .pr_stop = child_stop }
#define ROW_ENGINE(stop)						\
	{ .pr_role = ROLE_ENGINE, .pr_name = "engine",			\
	  .pr_user = "_sntt-db", .pr_root = PROC_ROOT_STATE,		\
	  .pr_flags = PROC_F_NETNS,					\
	  .pr_promises = "stdio rpath wpath cpath fsync",		\
	  .pr_fsize = RLIM_INFINITY, .pr_nofile = 32,			\
	  .pr_handlers = child_handlers, .pr_start = child_start,	\
	  .pr_stop = stop, .pr_peer_lost = child_peer_lost,		\
	  .pr_peer_up = child_peer_up }
#define ROW_CONTROL							\
	{ .pr_role = ROLE_CONTROL, .pr_name = "control",		\
	  .pr_user = "_sntt-ctl", .pr_root = PROC_ROOT_EMPTY,		\
	  .pr_flags = PROC_F_NETNS,					\
	  .pr_promises = "stdio recvfd accept", .pr_nofile = 32,	\
	  .pr_handlers = child_handlers, .pr_start = child_start }

static const struct proc_row rows[] = {
	ROW_PARENT, ROW_KEYHOLDER, ROW_CLUSTER("stdio recvfd accept", NULL),
	ROW_ENGINE(child_stop), ROW_CONTROL
};
static const struct proc_row rows_hang[] = {
	ROW_PARENT, ROW_KEYHOLDER, ROW_CLUSTER("stdio recvfd accept", NULL),
	ROW_ENGINE(child_stop_never), ROW_CONTROL
};
static const struct proc_row rows_bad[] = {
	ROW_PARENT, ROW_KEYHOLDER, ROW_CLUSTER("stdio bogus", NULL),
	ROW_ENGINE(child_stop), ROW_CONTROL
};
static const struct proc_row rows_slow[] = {
	ROW_PARENT, ROW_KEYHOLDER,
	ROW_CLUSTER("stdio recvfd accept", child_slow_warmup),
	ROW_ENGINE(child_stop), ROW_CONTROL
};

static const struct proc_link links[] = {
	{ ROLE_CLUSTER,	ROLE_KEYHOLDER,	LINK_SYNC },
	{ ROLE_CLUSTER,	ROLE_ENGINE,	LINK_ASYNC },
	{ ROLE_ENGINE,	ROLE_KEYHOLDER,	LINK_ASYNC },
	{ ROLE_CONTROL,	ROLE_ENGINE,	LINK_ASYNC }
};

/* A child knows its table by the name of the daemon, its argv[0]. */
static const struct proc_table tables[] = {
	{ "proctest", rows, nitems(rows), links, nitems(links) },
	{ "prochang", rows_hang, nitems(rows_hang), links, nitems(links) },
	{ "procbad", rows_bad, nitems(rows_bad), links, nitems(links) },
	{ "procslow", rows_slow, nitems(rows_slow), links, nitems(links) }
};

/* When the text is logged for the n-th time, do this. */
struct step {
	const char	*text;		/* "": as soon as all are ready */
	void		(*fn)(void);
};

struct scenario {
	const char	*daemon;
	bool		 keep;
	bool		 trap;
	bool		 term;		/* SIGTERM while they start */
	unsigned int	 start_msec;
	unsigned int	 stop_msec;
	unsigned int	 restart_max_msec;
	const struct step *steps;	/* in order; fn NULL: the last */
};

static const struct scenario	*sc;
static size_t			 sc_step;

static inline void
order(enum role role, const char *word)
{
	if (peer_send(proc_peer(role), IMSG_CONF_OFFER, 0, -1, word,
	    strlen(word)) == -1)
		fatal("order: %s", word);
}

/* The next step, if it waits for this text. */
static inline void
parent_next(const char *text)
{
	const struct step	*st = &sc->steps[sc_step];

	if (st->fn == NULL || strcmp(st->text, text) != 0)
		return;
	sc_step++;
	st->fn();
	if (sc->steps[sc_step].fn != NULL &&
	    sc->steps[sc_step].text[0] == '\0')
		parent_next("");
}

static inline void
parent_report(struct peer *p, struct imsg *m)
{
	char		 text[500], line[600];
	uint32_t	 gen;

	if (ibuf_get_n32(imsg_get_ibuf(m), &gen) == -1 ||
	    ibuf_get_string(imsg_get_ibuf(m), text, sizeof(text)) == -1) {
		peer_broken(p, m, "broken");
		return;
	}
	(void)snprintf(line, sizeof(line), "%d: %s", (int)p->pe_role, text);
	log_info("report %s", line);
	parent_next(line);
}

static inline void
parent_ready(void)
{
	log_info("all are ready");
	parent_next("");
}

static inline void
parent_restarted(enum role role)
{
	char	 line[64];

	(void)snprintf(line, sizeof(line), "restarted %d", (int)role);
	log_info("%s, restarts %u, last: %s", line, proc_restarts(role),
	    proc_lastdeath(role));
	parent_next(line);
}

static inline void
parent_died(enum role role, bool crashed)
{
	log_info("died %d, %s, last: %s", (int)role, crashed ? "crashed" :
	    "killed", proc_lastdeath(role));
}

static inline void
parent_hup(void)
{
	log_info("got SIGHUP");
	parent_next("hup");
}

static inline void
parent_stopping(void)
{
	log_info("the end begins");
}

static inline void
parent_exit(void)
{
	log_info("the end");
}

static const struct proc_parent_ops ops = {
	parent_ready, parent_died, parent_restarted, parent_hup,
	parent_stopping, parent_exit
};

static inline void
early_term(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	(void)kill(getpid(), SIGTERM);
}

/* In the forked parent; its exit status is the daemon's. */
static inline int
daemon_main(void)
{
	const struct timeval	 now = { 0, 0 };
	struct proc_opts	 po;
	size_t			 i;
	int			 status = 2;

	log_init("parent", -1);
	logsink_open(proc_base(), sc->daemon, LOGSINK_STDERR);
	if (sc->term && event_base_once(proc_base(), -1, EV_TIMEOUT,
	    early_term, NULL, &now) == -1)
		fatalx("event_base_once");
	memset(&po, 0, sizeof(po));
	po.po_keep = sc->keep;
	po.po_trap = sc->trap;
	po.po_uid_base = UID_BASE;
	po.po_restart_msec = 20;
	po.po_restart_max_msec = sc->restart_max_msec;
	po.po_start_msec = sc->start_msec;
	po.po_stop_msec = sc->stop_msec;
	(void)strlcpy(po.po_emptydir, emptydir, sizeof(po.po_emptydir));
	(void)strlcpy(po.po_statedir, statedir, sizeof(po.po_statedir));
	for (i = 0; i < nitems(tables); i++) {
		if (strcmp(tables[i].pt_daemon, sc->daemon) != 0)
			continue;
		if (proc_parent_init(&tables[i], &po, &ops, NULL) == -1)
			status = 3;
		else
			status = proc_parent_loop();
	}
	logsink_close();
	return (status);
}

/* --- the tests' side ---------------------------------------------------- */

/* No child of the daemon outlives it for long. */
static inline void
assert_alone(monotime_t deadline)
{
	pid_t	 pid;

	while ((pid = waitpid(-1, NULL, WNOHANG)) != -1) {
		if (monotime_left(deadline) == 0)
			fail_msg("a child was left behind");
		if (pid == 0)
			(void)usleep(1000);
	}
	assert_int_equal(errno, ECHILD);
}

/*
 * Runs a scenario.  Returns the wait status; what was logged goes to out.
 * We are the reaper of what the daemon leaves behind.
 */
static inline int
run(const struct scenario *s, char *out, size_t size)
{
	struct pollfd	 pfd;
	monotime_t	 deadline = monotime_now() + TEST_MSEC;
	pid_t		 pid;
	ssize_t		 n;
	size_t		 len = 0;
	int		 p[2], status;

	assert_int_equal(pipe(p), 0);
	if ((pid = fork()) == 0) {
		sc = s;
		if (dup2(p[1], STDERR_FILENO) == -1 || dup2(p[1], 20) == -1)
			_exit(4);
		(void)close(p[0]);
		(void)close(p[1]);
		(void)setenv("SECRET", "token", 1);
		(void)setenv("TZ", "UTC", 1);
		if (s->keep && getuid() == 0 && (chown(statedir, KEEP_UID,
		    KEEP_UID) == -1 || setresgid(KEEP_UID, KEEP_UID,
		    KEEP_UID) == -1 || setresuid(KEEP_UID, KEEP_UID,
		    KEEP_UID) == -1))
			_exit(4);
		_exit(daemon_main());
	}
	(void)close(p[1]);
	pfd.fd = p[0];
	pfd.events = POLLIN;
	for (;;) {
		if (poll(&pfd, 1, monotime_left(deadline)) != 1) {
			(void)kill(pid, SIGKILL);
			break;
		}
		n = read(p[0], out + len, size - 1 - len);
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	out[len] = '\0';
	(void)close(p[0]);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_alone(deadline);
	return (status);
}

static inline void
assert_log(const char *out, const char *text)
{
	if (strstr(out, text) == NULL)
		fail_msg("\"%s\" is not in the log:\n%s", text, out);
}

static inline void
assert_no_log(const char *out, const char *text)
{
	if (strstr(out, text) != NULL)
		fail_msg("\"%s\" is in the log:\n%s", text, out);
}

/* a comes before b. */
static inline void
assert_order(const char *out, const char *a, const char *b)
{
	assert_log(out, a);
	assert_log(out, b);
	if (strstr(out, a) > strstr(out, b))
		fail_msg("\"%s\" comes after \"%s\":\n%s", a, b, out);
}

static inline void
assert_exit(const char *out, int status, int want)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status) != want)
		fail_msg("wait status %#x, not exit %d:\n%s", status, want,
		    out);
}

static inline void
do_term(void)
{
	(void)kill(getpid(), SIGTERM);
}

static const struct step steps_term[] = {
	{ "", do_term },
	{ NULL, NULL }
};

static inline void
do_sign(void)
{
	order(ROLE_CLUSTER, "sign");
}

static inline void
do_flood(void)
{
	order(ROLE_CLUSTER, "flood");
}

static inline int
group_setup(void **state)
{
	(void)state;
	assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), 0);
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chmod(dir, 0755), 0);
	(void)snprintf(emptydir, sizeof(emptydir), "%s/empty", dir);
	(void)snprintf(statedir, sizeof(statedir), "%s/state", dir);
	assert_int_equal(mkdir(emptydir, 0555), 0);
	assert_int_equal(mkdir(statedir, 0700), 0);
	return (0);
}

static inline int
group_teardown(void **state)
{
	(void)state;
	(void)rmdir(statedir);
	(void)rmdir(emptydir);
	return (rmdir(dir));
}

/* This binary as a child of its daemon: does not return. */
static inline void
become_child(int argc, char **argv)
{
	size_t	 i;

	if (argc != 3 || strcmp(argv[1], "-P") != 0)
		return;
	for (i = 0; i < nitems(tables) - 1; i++) {
		if (strcmp(tables[i].pt_daemon, argv[0]) == 0)
			break;
	}
	proc_child_main(&tables[i], argv[2], argc, argv);
}

#endif
