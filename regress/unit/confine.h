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

#ifndef CONFINE_H
#define CONFINE_H

/*
 * Confinement of a daemon's processes, row by row of its real table: a child
 * goes the way of lib/proc_confine.c and then tries one act.  Either a promise
 * of its row brings the act, or the act must be stopped as the table says.
 * Included by the confine_test.c of each daemon, which names the table; the
 * acts are in confine_acts.h.
 */
#include "unit.h"

#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "privdrop.h"
#include "proc.h"
#include "sandbox.h"

#define CONFINE_UID_BASE	59280
#define CONFINE_KEEP_UID	59239

/* How an act that no promise brings ends: by SIGSYS, with an error, or one of
 * the two, as the row has it. */
enum stop { KILL, FAIL, STOP };

#define HOLDS		0x01	/* chroot, ids and namespaces stop it alone */
#define HOLDS_KEEP	0x02	/* so does being an ordinary user */
#define LANDLOCK	0x04	/* privileges: keep: only Landlock stops it */
#define SCOPED		0x08	/* outside a netns: only its ABI 6 does */
#define LIMIT		0x10	/* sanitizers do not set the limit */

/* Exit status of a child; 0 is an act that was done. */
#define REFUSED		10
#define UNJUDGED	11

struct act {
	const char	*name;
	int		(*fn)(void);	/* -1: it failed */
	unsigned int	 brings;	/* any of these SANDBOX_ bits */
	enum stop	 stop;
	unsigned int	 flags;
};

static struct confine {
	const struct proc_table	*table;
	const struct proc_row	*row;		/* of this child */
	bool			 keep;
	long			 landlock;	/* ABI, or -1 */
	pid_t			 tester;
	pid_t			 sibling;	/* same user, not confined */
	uint16_t		 port;		/* of listenfd */
	int			 listenfd;	/* TCP, loopback */
	int			 filefd;
	int			 pair[2];	/* datagrams, as the log's */
	struct sockaddr_un	 abstract;	/* datagrams */
	socklen_t		 abstractlen;
	char			 dir[32];
	char			 empty[64], state[64], keepstate[64];
	char			 other[64];	/* a file of another row */
	char			 sock[64];	/* as Docker's */
} cf;

#include "confine_acts.h"

/* --- rows ---------------------------------------------------------------- */

/* Ids as the parent finds them. */
static void
confine_ids(const struct proc_row *row, uid_t *uid, gid_t *gid)
{
	if (cf.keep) {
		*uid = getuid();
		*gid = getgid();
	} else if (privdrop_ids(row->pr_user, CONFINE_UID_BASE, row->pr_role,
	    uid, gid) == -1)
		fail_msg("%s: no id", row->pr_user);
}

/* In the child: from here on it is a process of that row. */
static void
confine_become(const struct proc_row *row, uid_t uid, gid_t gid)
{
	struct proc_confine	 pc;

	/* Lines of the confinement go nowhere; they are not what is tested. */
	log_init("confine", cf.pair[1]);
	memset(&pc, 0, sizeof(pc));
	pc.pc_uid = uid;
	pc.pc_gid = gid;
	pc.pc_keep = cf.keep;
	pc.pc_parent = getppid();
	pc.pc_logfd = -1;
	pc.pc_emptydir = cf.empty;
	pc.pc_statedir = cf.keep ? cf.keepstate : cf.state;
	cf.row = row;
	proc_confine(row, &pc);
}

/* Can this act be judged with the layers that this child has? */
static bool
confine_judges(const struct act *a, bool brought)
{
	const bool	 landlock =
			    strstr(sandbox_status(), "landlock") != NULL;
	const bool	 netns = strstr(sandbox_status(), "netns") != NULL;

#ifdef SENTINEL_SANITIZE
	if ((a->flags & LIMIT) != 0)
		return (false);
	if (!brought && !(cf.keep && (a->flags & LANDLOCK) != 0 && landlock) &&
	    (a->flags & (cf.keep ? HOLDS_KEEP : HOLDS)) == 0)
		return (false);
	/* The one row that is in the network shares its abstract sockets. */
	if (a->fn == act_tcp && !brought && !netns)
		return (false);
#else
	(void)brought;
#endif
	if ((a->flags & LANDLOCK) != 0 && cf.keep && !landlock)
		return (false);
	if ((a->flags & SCOPED) != 0 && !netns && cf.landlock < 6)
		return (false);
	return (true);
}

/* Wait status of a child of this row that tries the act. */
static int
confine_try(const struct proc_row *row, const struct act *a, bool brought)
{
	const struct rlimit	 nocore = { 0, 0 };
	uid_t			 uid;
	gid_t			 gid;
	pid_t			 pid;
	int			 status;

	confine_ids(row, &uid, &gid);
	if ((pid = fork()) == 0) {
		(void)setrlimit(RLIMIT_CORE, &nocore);
		confine_become(row, uid, gid);
		if (!confine_judges(a, brought))
			_exit(UNJUDGED);
		_exit(a->fn() == -1 ? REFUSED : 0);
	}
	assert_int_not_equal(pid, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return (status);
}

static bool
confine_as_wanted(const struct act *a, bool brought, int status)
{
	bool	 killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS;
	bool	 failed = WIFEXITED(status) && WEXITSTATUS(status) == REFUSED;

	if (WIFEXITED(status) && WEXITSTATUS(status) == UNJUDGED)
		return (true);
	if (brought)
		return (WIFEXITED(status) && WEXITSTATUS(status) == 0);
#ifdef SENTINEL_SANITIZE
	return (failed);
#endif
	return ((killed && a->stop != FAIL) || (failed && a->stop != KILL));
}

/* Everything that row tries; how often it did not end as it should. */
static size_t
confine_row(const struct proc_row *row)
{
	const struct act	*a;
	unsigned int		 bits;
	size_t			 i, wrong = 0;
	char			 line[256];
	bool			 brought;
	ssize_t			 n;
	int			 status, client;

	assert_int_equal(sandbox_parse(row->pr_promises, &bits), 0);
	/* So that accept finds somebody. */
	client = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(connect_loopback(client), 0);
	for (i = 0; i < nitems(acts); i++) {
		a = &acts[i];
		brought = (a->brings & bits) != 0;
		while (recv(cf.pair[0], line, sizeof(line), MSG_DONTWAIT) > 0)
			;
		status = confine_try(row, a, brought);
		assert_int_equal(ftruncate(cf.filefd, 0), 0);
		if (confine_as_wanted(a, brought, status))
			continue;
		wrong++;
		n = recv(cf.pair[0], line, sizeof(line) - 1, MSG_DONTWAIT);
		line[n > 0 ? n : 0] = '\0';
		print_error("%s: %s: %s: wait status %#x, wanted %s; %s\n",
		    cf.table->pt_daemon, row->pr_name, a->name,
		    (unsigned int)status, brought ? "success" :
		    a->stop == KILL ? "SIGSYS" : a->stop == FAIL ? "an error" :
		    "SIGSYS or an error", n > 1 ? line + 1 : "");
	}
	(void)close(client);
	return (wrong);
}

static size_t
confine_rows(void)
{
	size_t	 i, wrong = 0;

	for (i = 1; i < cf.table->pt_nrows; i++)
		wrong += confine_row(&cf.table->pt_rows[i]);
	return (wrong);
}

/* A process of the same user that nobody confines: what there is to harm. */
static void
confine_sibling(uid_t uid, gid_t gid)
{
	if ((cf.sibling = fork()) != 0)
		return;
	if (!cf.keep && (setresgid(gid, gid, gid) == -1 ||
	    setresuid(uid, uid, uid) == -1))
		_exit(1);
	for (;;)
		(void)pause();
}

static void
confine_sibling_end(void)
{
	int	 status;

	(void)kill(cf.sibling, SIGKILL);
	assert_int_equal(waitpid(cf.sibling, &status, 0), cf.sibling);
	/* Nothing else got it. */
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

/* --- tests --------------------------------------------------------------- */

static void
test_drop(void **state)
{
	size_t	 i, wrong = 0;
	uid_t	 uid;
	gid_t	 gid;

	(void)state;
	if (getuid() != 0)
		skip();
	cf.keep = false;
	for (i = 1; i < cf.table->pt_nrows; i++) {
		confine_ids(&cf.table->pt_rows[i], &uid, &gid);
		if (cf.table->pt_rows[i].pr_root == PROC_ROOT_STATE)
			assert_int_equal(chown(cf.state, uid, gid), 0);
		confine_sibling(uid, gid);
		wrong += confine_row(&cf.table->pt_rows[i]);
		confine_sibling_end();
	}
	assert_int_equal(wrong, 0);
}

/* privileges: keep; as root in a child that is an ordinary user. */
static void
test_keep(void **state)
{
	const uid_t	 uid = CONFINE_KEEP_UID;
	size_t		 wrong;
	pid_t		 pid, tester = cf.tester;
	int		 status;

	(void)state;
	cf.keep = true;
	if (getuid() == 0)
		assert_int_equal(chown(cf.keepstate, uid, uid), 0);
	if ((pid = fork()) == 0) {
		if (getuid() == 0 && (setgroups(0, NULL) == -1 ||
		    setresgid(uid, uid, uid) == -1 ||
		    setresuid(uid, uid, uid) == -1))
			_exit(100);
		cf.tester = getpid();
		confine_sibling(getuid(), getgid());
		wrong = confine_rows();
		confine_sibling_end();
		_exit(wrong != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	cf.tester = tester;
	assert_int_equal(status, 0);
}

/* "Name:\tvalue" of /proc/PID/status. */
static bool
status_is(pid_t pid, const char *name, const char *want)
{
	char	 path[64], line[256];
	size_t	 len = strlen(name);
	bool	 is = false;
	FILE	*f;

	(void)snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if ((f = fopen(path, "r")) == NULL)
		fail_msg("%s", path);
	while (fgets(line, sizeof(line), f) != NULL) {
		if (strncmp(line, name, len) == 0 && line[len] == ':') {
			line[strcspn(line, "\n")] = '\0';
			is = strcmp(line + len + 2, want) == 0;
			if (!is)
				print_error("%s instead of %s\n", line, want);
		}
	}
	(void)fclose(f);
	return (is);
}

static bool
same_link(pid_t pid, const char *name, const char *want)
{
	char	 path[64], target[256];
	ssize_t	 n;

	(void)snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if ((n = readlink(path, target, sizeof(target) - 1)) == -1)
		fail_msg("readlink %s", path);
	target[n] = '\0';
	return (strcmp(target, want) == 0);
}

/* What the administrator sees of each process. */
static void
confine_look(const struct proc_row *row, pid_t pid, uid_t uid, gid_t gid)
{
	const char	*none = "0000000000000000";
	struct stat	 st;
	char		 want[96], net[96];
	ssize_t		 n;

	(void)snprintf(want, sizeof(want), "%u\t%u\t%u\t%u", uid, uid, uid,
	    uid);
	assert_true(status_is(pid, "Uid", want));
	(void)snprintf(want, sizeof(want), "%u\t%u\t%u\t%u", gid, gid, gid,
	    gid);
	assert_true(status_is(pid, "Gid", want));
	(void)snprintf(want, sizeof(want), "%u ", gid);
	assert_true(status_is(pid, "Groups", want));
	assert_true(status_is(pid, "CapInh", none));
	assert_true(status_is(pid, "CapPrm", none));
	assert_true(status_is(pid, "CapEff", none));
	assert_true(status_is(pid, "CapAmb", none));
	assert_true(status_is(pid, "NoNewPrivs", "1"));
#ifndef SENTINEL_SANITIZE
	assert_true(status_is(pid, "Seccomp", "2"));
#endif
	assert_true(same_link(pid, "root", row->pr_root == PROC_ROOT_STATE ?
	    cf.state : cf.empty));
	if ((row->pr_flags & PROC_F_NETNS) != 0) {
		n = readlink("/proc/self/ns/net", net, sizeof(net) - 1);
		assert_true(n > 0);
		net[n] = '\0';
		assert_false(same_link(pid, "ns/net", net));
	}
	/* Not dumpable: what is in its memory belongs to root. */
	(void)snprintf(want, sizeof(want), "/proc/%d/mem", (int)pid);
	assert_int_equal(stat(want, &st), 0);
	assert_int_equal(st.st_uid, 0);
}

static void
test_look(void **state)
{
	const struct proc_row	*row;
	size_t			 i;
	uid_t			 uid, before = 0;
	gid_t			 gid;
	pid_t			 pid;
	int			 up[2];
	char			 c;

	(void)state;
	if (getuid() != 0)
		skip();
	cf.keep = false;
	for (i = 1; i < cf.table->pt_nrows; i++) {
		row = &cf.table->pt_rows[i];
		confine_ids(row, &uid, &gid);
		/* Each row its own: a role's number adds to the base. */
		assert_int_not_equal(uid, 0);
		assert_int_not_equal(uid, before);
		before = uid;
		assert_int_equal(pipe(up), 0);
		if ((pid = fork()) == 0) {
			confine_become(row, uid, gid);
			(void)!write(up[1], "x", 1);
			/* The tester holds the other end, and ends this. */
			(void)!read(cf.pair[1], &c, 1);
			_exit(0);
		}
		(void)close(up[1]);
		assert_int_equal(read(up[0], &c, 1), 1);
		confine_look(row, pid, uid, gid);
		(void)kill(pid, SIGKILL);
		assert_int_equal(waitpid(pid, NULL, 0), pid);
		(void)close(up[0]);
	}
}

static void
confine_listen(void)
{
	struct sockaddr_in	 sin;
	struct sockaddr_un	 sun;
	socklen_t		 len = sizeof(sin);
	int			 fd;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	cf.listenfd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	assert_int_equal(bind(cf.listenfd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(cf.listenfd, 64), 0);
	assert_int_equal(getsockname(cf.listenfd, (struct sockaddr *)&sin,
	    &len), 0);
	cf.port = sin.sin_port;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, cf.sock, sizeof(sun.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&sun, sizeof(sun)), 0);
	assert_int_equal(chmod(cf.sock, 0666), 0);
	assert_int_equal(listen(fd, 64), 0);

	/* The kernel makes an abstract name. */
	fd = socket(AF_UNIX, SOCK_DGRAM, 0);
	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	assert_int_equal(bind(fd, (struct sockaddr *)&sun,
	    sizeof(sun.sun_family)), 0);
	cf.abstractlen = sizeof(cf.abstract);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&cf.abstract,
	    &cf.abstractlen), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, cf.pair), 0);
}

static int
group_setup(void **state)
{
	char	 path[96];

	(void)state;
	(void)signal(SIGTERM, SIG_IGN);
	cf.tester = getpid();
	cf.landlock = syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	(void)strlcpy(cf.dir, "/tmp/snt.confine.XXXXXX", sizeof(cf.dir));
	assert_non_null(mkdtemp(cf.dir));
	assert_int_equal(chmod(cf.dir, 0755), 0);
	(void)snprintf(cf.empty, sizeof(cf.empty), "%s/empty", cf.dir);
	(void)snprintf(cf.state, sizeof(cf.state), "%s/state", cf.dir);
	(void)snprintf(cf.keepstate, sizeof(cf.keepstate), "%s/keep", cf.dir);
	(void)snprintf(cf.sock, sizeof(cf.sock), "%s/docker.sock", cf.dir);
	(void)snprintf(path, sizeof(path), "%s/other", cf.dir);
	(void)snprintf(cf.other, sizeof(cf.other), "%s/other/secret", cf.dir);
	assert_int_equal(mkdir(cf.empty, 0555), 0);
	assert_int_equal(mkdir(cf.state, 0700), 0);
	assert_int_equal(mkdir(cf.keepstate, 0700), 0);
	/* Open to all: not its mode shall be what stops them. */
	assert_int_equal(mkdir(path, 0755), 0);
	cf.filefd = open(cf.other, O_RDWR | O_CREAT | O_EXCL, 0644);
	assert_int_not_equal(cf.filefd, -1);
	confine_listen();
	return (0);
}

static int
group_teardown(void **state)
{
	char	 cmd[128];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", cf.dir);
	return (system(cmd));
}

static int
confine_main(const struct proc_table *table)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_drop),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_look)
	};

	cf.table = table;
	return (cmocka_run_group_tests(tests, group_setup, group_teardown));
}

#endif /* CONFINE_H */
