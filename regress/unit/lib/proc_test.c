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

/* --- children ----------------------------------------------------------- */

static unsigned int	 engine_rtts;

static void __printflike_(1, 2)
child_report(const char *fmt, ...)
{
	struct ibuf	*b;
	va_list		 ap;
	char		 text[500];

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if ((b = ibuf_dynamic(8, 600)) == NULL || ibuf_add_n32(b, 0) == -1 ||
	    ibuf_add_string(b, text) == -1)
		fatal("child_report");
	(void)peer_send_ibuf(proc_peer(ROLE_PARENT), IMSG_CONF_REJECT, 0, -1,
	    b);
	ibuf_free(b);
}

static void
child_start(void)
{
	child_report("started");
}

/* Longer than the test's patience, shorter than ours. */
static void
child_slow_warmup(void)
{
	(void)sleep(5);
}

static void
child_stop(void)
{
	log_info("finishing");
	proc_exit(0);
}

static void
child_stop_never(void)
{
	log_info("not finishing");
}

static void
child_peer_up(struct peer *p)
{
	child_report("up %d channel %llu", (int)p->pe_role,
	    (unsigned long long)p->pe_channel);
}

static void
child_peer_lost(struct peer *p)
{
	child_report("lost %d, peer is %s", (int)p->pe_role,
	    proc_peer(p->pe_role) == NULL ? "gone" : "there");
}

/* Environment and descriptors that came along. */
static void
order_inherited(void)
{
	size_t	 n = 0;
	int	 fd, fds = 0;

	while (environ != NULL && environ[n] != NULL)
		n++;
	for (fd = 5; fd < 64; fd++) {
		if (fcntl(fd, F_GETFD) != -1)
			fds |= fd == 20;
	}
	child_report("secret %s, TZ %s, stray fd %s", getenv("SECRET") == NULL ?
	    "gone" : "there", getenv("TZ") != NULL ? getenv("TZ") : "gone",
	    fds ? "there" : "gone");
}

/* Blocking, as libtls does it: one question to the keyholder. */
static void
order_sign(void)
{
	struct imsgbuf	 ib;
	struct imsg	 m;
	struct ibuf	*b;
	uint8_t		 zero[65] = { 0 };
	int		 r;

	if (imsgbuf_init(&ib, proc_sync_fd()) == -1 ||
	    (b = ibuf_dynamic(101, 101)) == NULL ||
	    ibuf_add_bytes(b, zero, 65) == -1 ||
	    ibuf_add_bytes(b, zero, 32) == -1 ||
	    imsg_compose_ibuf(&ib, IMSG_KEY_SIGN, 7, -1, b) == -1 ||
	    imsgbuf_flush(&ib, 2000) == -1)
		fatal("order_sign");
	ibuf_free(b);
	r = imsgbuf_wait(&ib, &m, 2000);
	child_report("signed %s", r == 1 &&
	    imsg_get_type(&m) == IMSG_KEY_SIGNED && imsg_get_id(&m) == 7 ?
	    "yes" : "no");
	if (r == 1)
		imsg_free(&m);
	imsgbuf_clear(&ib);
}

static void
order_flood(void)
{
	struct peer	*p = proc_peer(ROLE_ENGINE);
	uint8_t		 rtt[4] = { 0 };
	int		 i;

	for (i = 0; i < 1000; i++)
		(void)peer_send(p, IMSG_AGENT_RTT, 1, -1, rtt, sizeof(rtt));
	child_report("credit %s", peer_has_credit(p) ? "yes" : "no");
}

/* Past the check on our side, as one who owns us would. */
static void
order_break(enum role to)
{
	struct peer	*p = proc_peer(to);

	if (imsg_compose(&p->pe_ibuf, IMSG_KEY_LOAD, 0, -1, "xx", 2) == -1 ||
	    imsgbuf_flush(&p->pe_ibuf, 1000) == -1)
		fatal("order_break");
}

static int
count_fds(void)
{
	int	 fd, n = 0;

	for (fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) != -1;
	return (n);
}

static void
child_order(struct peer *p, struct imsg *m)
{
	char	 word[32] = "";
	size_t	 len = imsg_get_len(m);
	int	 fd;
	char	*argv[] = { NULL }, *env[] = { NULL };

	(void)p;
	if (len >= sizeof(word) || ibuf_get(imsg_get_ibuf(m), word, len) == -1)
		fatalx("child_order: too long");
	if (strcmp(word, "inherited") == 0)
		order_inherited();
	else if (strcmp(word, "sign") == 0)
		order_sign();
	else if (strcmp(word, "flood") == 0)
		order_flood();
	else if (strcmp(word, "break engine") == 0)
		order_break(ROLE_ENGINE);
	else if (strcmp(word, "break parent") == 0)
		order_break(ROLE_PARENT);
	else if (strcmp(word, "exit daemon") == 0)
		proc_exit(PROC_EXIT_DAEMON);
	else if (strcmp(word, "count") == 0) {
		log_info("open descriptors: %d", count_fds());
		child_report("counted");
	} else if (strcmp(word, "exec") == 0)
		(void)execve("/bin/true", argv, env);
	else if (strcmp(word, "abort") == 0)
		abort();
	else if (strcmp(word, "fatal") == 0)
		fatalx("these are the last words");
	else if (strcmp(word, "close") == 0)
		(void)shutdown(p->pe_ibuf.fd, SHUT_RDWR);
	else if (strcmp(word, "debug") == 0)
		log_debug("a line for debugging");
	else if (strcmp(word, "open") == 0)
		child_report("open: %d", open("/etc/passwd", O_RDONLY));
	else if (strcmp(word, "create") == 0) {
		fd = open("file", O_RDWR | O_CREAT | O_EXCL, 0600);
		child_report("create: %d", fd == -1 || unlink("file") == -1 ||
		    close(fd) == -1 ? errno : 0);
	} else
		fatalx("child_order: %s?", word);
}

static void
child_listen(struct peer *p, struct imsg *m)
{
	struct stat	 st;
	int		 fd = imsg_get_fd(m);

	(void)p;
	child_report("descriptor %s", fd != -1 && fstat(fd, &st) == 0 &&
	    S_ISSOCK(st.st_mode) ? "came" : "lost");
	(void)close(fd);
}

static void
engine_rtt(struct peer *p, struct imsg *m)
{
	(void)m;
	if (++engine_rtts % 1000 == 0)
		child_report("rtts %u from %d", engine_rtts, (int)p->pe_role);
}

static void
key_sign(struct peer *p, struct imsg *m)
{
	const uint8_t	 answer[3] = { 0 };

	if (!p->pe_sync) {
		peer_broken(p, m, "not a signing channel");
		return;
	}
	(void)peer_send(p, IMSG_KEY_SIGNED, imsg_get_id(m), -1, answer,
	    sizeof(answer));
}

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

static void
order(enum role role, const char *word)
{
	if (peer_send(proc_peer(role), IMSG_CONF_OFFER, 0, -1, word,
	    strlen(word)) == -1)
		fatal("order: %s", word);
}

/* The next step, if it waits for this text. */
static void
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

static void
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

static void
parent_ready(void)
{
	log_info("all are ready");
	parent_next("");
}

static void
parent_restarted(enum role role)
{
	char	 line[64];

	(void)snprintf(line, sizeof(line), "restarted %d", (int)role);
	log_info("%s, restarts %u, last: %s", line, proc_restarts(role),
	    proc_lastdeath(role));
	parent_next(line);
}

static void
parent_died(enum role role, bool crashed)
{
	log_info("died %d, %s, last: %s", (int)role, crashed ? "crashed" :
	    "killed", proc_lastdeath(role));
}

static void
parent_hup(void)
{
	log_info("got SIGHUP");
	parent_next("hup");
}

static void
parent_stopping(void)
{
	log_info("the end begins");
}

static void
parent_exit(void)
{
	log_info("the end");
}

static const struct proc_parent_ops ops = {
	parent_ready, parent_died, parent_restarted, parent_hup,
	parent_stopping, parent_exit
};

static void
early_term(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	(void)kill(getpid(), SIGTERM);
}

/* In the forked parent; its exit status is the daemon's. */
static int
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
static void
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
static int
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

static void
assert_log(const char *out, const char *text)
{
	if (strstr(out, text) == NULL)
		fail_msg("\"%s\" is not in the log:\n%s", text, out);
}

static void
assert_no_log(const char *out, const char *text)
{
	if (strstr(out, text) != NULL)
		fail_msg("\"%s\" is in the log:\n%s", text, out);
}

/* a comes before b. */
static void
assert_order(const char *out, const char *a, const char *b)
{
	assert_log(out, a);
	assert_log(out, b);
	if (strstr(out, a) > strstr(out, b))
		fail_msg("\"%s\" comes after \"%s\":\n%s", a, b, out);
}

static void
assert_exit(const char *out, int status, int want)
{
	if (!WIFEXITED(status) || WEXITSTATUS(status) != want)
		fail_msg("wait status %#x, not exit %d:\n%s", status, want,
		    out);
}

static void
need_root(void)
{
	if (getuid() != 0)
		skip();
}

static void
do_term(void)
{
	(void)kill(getpid(), SIGTERM);
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
do_sign(void)
{
	order(ROLE_CLUSTER, "sign");
}

static void
do_flood(void)
{
	order(ROLE_CLUSTER, "flood");
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

static const struct step steps_term[] = {
	{ "", do_term },
	{ NULL, NULL }
};

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

static int
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

static int
group_teardown(void **state)
{
	(void)state;
	(void)rmdir(statedir);
	(void)rmdir(emptydir);
	return (rmdir(dir));
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
		cmocka_unit_test(test_death),
		cmocka_unit_test(test_last_words),
		cmocka_unit_test(test_sigsys),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_many_restarts),
		cmocka_unit_test(test_exit_daemon),
		cmocka_unit_test(test_broken),
		cmocka_unit_test(test_hang),
		cmocka_unit_test(test_bad_start),
		cmocka_unit_test(test_slow_start),
		cmocka_unit_test(test_early_term),
		cmocka_unit_test(test_parent_death),
		cmocka_unit_test(test_by_hand)
	};
	size_t	 i;

	if (argc == 3 && strcmp(argv[1], "-P") == 0) {
		for (i = 0; i < nitems(tables) - 1; i++) {
			if (strcmp(tables[i].pt_daemon, argv[0]) == 0)
				break;
		}
		proc_child_main(&tables[i], argv[2], argc, argv);
	}
	proc_save_self();
	return (cmocka_run_group_tests(tests, group_setup, group_teardown));
}
