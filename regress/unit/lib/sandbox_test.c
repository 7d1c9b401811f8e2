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

#include "sandbox_acts.h"

#define ENGINE	"stdio rpath wpath cpath fsync"

static const struct act acts[] = {
	{ "stdio", "write and send", act_write, OK },
	{ "stdio", "libevent", act_libevent, OK },
	{ "stdio", "libcrypto and the heap", act_crypto, OK },
	{ "stdio", "fstat", act_fstat, OK },
	{ "stdio", "getrlimit", act_getlimit, OK },
	{ "stdio", "abort", act_abort, ABORTED },
	{ "stdio", "open a file", act_open, DENIED },
	{ "stdio", "stat a file", act_stat, DENIED },
	{ "stdio", "socket", act_socket, DENIED },
	{ "stdio", "connect", act_connect, DENIED },
	{ "stdio", "connect by sendto", act_fastopen, KILLED },
	{ "stdio", "exec", act_exec, KILLED },
	{ "stdio", "fork", act_fork, KILLED },
	{ "stdio", "signal a sibling", act_kill, KILLED },
	{ "stdio", "signal a sibling by thread", act_tgkill, KILLED },
	{ "stdio", "executable page", act_exec_page, KILLED },
	{ "stdio", "page made executable", act_exec_protect, KILLED },
	{ "stdio", "ptrace", act_ptrace, KILLED },
	{ "stdio", "setrlimit", act_setlimit, KILLED },
	{ "stdio", "bind", act_bind, KILLED },
	{ "stdio", "accept", act_accept, KILLED },
	{ "stdio", "setsockopt", act_rcvbuf, KILLED },
	{ "stdio", "pread", act_pread, KILLED },
	{ "stdio", "fdatasync", act_fdatasync, KILLED },
#ifdef __x86_64__
	{ "stdio", "x32 call", act_x32, KILLED },
	{ "stdio", "i386 call", act_i386, KILLED },
#endif
	{ "stdio recvfd", "pread", act_pread, OK },
	{ "stdio recvfd", "F_GET_SEALS", act_seals, OK },
	{ "stdio recvfd", "pwrite", act_pwrite, KILLED },
	{ "stdio recvfd", "fdatasync", act_fdatasync, KILLED },
	{ "stdio recvfd", "open a file", act_open, DENIED },

	{ "stdio recvfd fsync", "journal", act_fsync, OK },
	{ "stdio recvfd fsync", "open a file", act_open, DENIED },
	{ "stdio recvfd fsync", "chmod", act_chmod, KILLED },

	{ "stdio recvfd accept", "accept", act_accept, OK },
	{ "stdio recvfd accept", "other socket option", act_rcvbuf, KILLED },
	{ "stdio recvfd accept", "socket", act_socket, DENIED },
	{ "stdio recvfd accept", "connect", act_connect, DENIED },
	{ "stdio recvfd accept", "bind", act_bind, KILLED },

	{ "stdio recvfd inet", "client", act_client, OK },
	{ "stdio recvfd inet", "another option", act_getopt, KILLED },
	{ "stdio recvfd inet", "evdns", act_evdns, OK },
	{ "stdio recvfd inet", "UNIX socket", act_unix, DENIED },
	{ "stdio fsync unix", "UNIX socket", act_unix, OK },
	{ "stdio fsync unix", "TCP socket", act_socket, KILLED },
	{ "stdio fsync unix", "packet socket", act_packet, KILLED },
	{ "stdio fsync unix", "bind", act_bind, KILLED },
	{ "stdio fsync unix", "accept", act_accept, KILLED },
	{ "stdio fsync unix", "open a file", act_open, DENIED },
	{ "stdio fsync unix", "exec", act_exec, KILLED },
	{ "stdio recvfd inet", "packet socket", act_packet, KILLED },
	{ "stdio recvfd inet", "protocols by number", act_named, OK },
	{ "stdio recvfd inet", "raw socket", act_raw, KILLED },
	{ "stdio recvfd inet", "SCTP", act_seqpacket, KILLED },
	{ "stdio recvfd inet", "MPTCP", act_mptcp, KILLED },
	{ "stdio recvfd inet", "bind", act_bind, KILLED },
	{ "stdio recvfd inet", "accept", act_accept, KILLED },
	{ "stdio recvfd inet", "other socket option", act_rcvbuf, KILLED },
	{ "stdio recvfd inet", "open a file", act_open, DENIED },
	{ "stdio recvfd inet", "exec", act_exec, KILLED },

	{ "stdio rpath", "read", act_read_path, OK },
	{ "stdio rpath", "open for writing", act_write_path, KILLED },
	{ "stdio rpath", "read elsewhere", act_open, DENIED },

	{ "stdio rpath wpath", "open for writing", act_write_path, OK },
	{ "stdio rpath wpath", "create", act_create, KILLED },

	{ ENGINE, "create, rename, remove", act_create, OK },
	{ ENGINE, "Berkeley DB", act_database, OK },
	{ ENGINE, "read elsewhere", act_open, DENIED },
	{ ENGINE, "read above", act_dotdot, DENIED },
	{ ENGINE, "create elsewhere", act_create_outside, DENIED },
	{ ENGINE, "symlink", act_symlink, KILLED },
	{ ENGINE, "chmod", act_mode, OK },
	{ ENGINE, "make setuid", act_setuid_mode, KILLED },
	{ ENGINE, "create setuid", act_setuid_file, KILLED },
	{ ENGINE, "socket", act_socket, DENIED },
	{ ENGINE, "exec", act_exec, KILLED },
	{ ENGINE, "signal a sibling", act_kill, KILLED }
};

static int
group_setup(void **state)
{
	struct sockaddr_in	 sin;
	socklen_t		 len = sizeof(sin);
	char			 path[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(chdir(dir), 0);
	(void)snprintf(path, sizeof(path), "%s/file", dir);
	filefd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(write(filefd, "contents", 8), 8);
	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC |
	    SOCK_NONBLOCK, 0, pairfd), 0);
	listenfd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(bind(listenfd, (struct sockaddr *)&sin, len), 0);
	assert_int_equal(listen(listenfd, 16), 0);
	assert_int_equal(getsockname(listenfd, (struct sockaddr *)&sin, &len),
	    0);
	port = sin.sin_port;
	sockfd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	return (listenfd == -1 || sockfd == -1 ? -1 : 0);
}

static int
group_teardown(void **state)
{
	char	 cmd[128];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return (system(cmd));
}

/* Exit status of a child: 0 done, 2 denied, 3 another error, 4 no sandbox. */
static int
run(const struct act *a)
{
	unsigned int	 bits;
	pid_t		 pid;
	int		 status, r;

	if ((pid = fork()) == 0) {
		const struct rlimit	 nocore = { 0, 0 };

		(void)setrlimit(RLIMIT_CORE, &nocore);
		(void)sandbox_parse(a->promises, &bits);
		if (sandbox_enter(a->promises, (bits & SANDBOX_PATH) != 0 ?
		    "." : NULL, false, -1) == -1)
			_exit(4);
		errno = 0;
		r = a->fn();
		if (r >= 0)
			_exit(0);
		_exit(errno == EPERM || errno == EACCES ? 2 : 3);
	}
	assert_int_not_equal(pid, -1);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return (status);
}

static bool
as_wanted(enum want want, int status)
{
	switch (want) {
	case OK:
		return (WIFEXITED(status) && WEXITSTATUS(status) == 0);
	case DENIED:
		return (WIFEXITED(status) && WEXITSTATUS(status) == 2);
	case KILLED:
		return (WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS);
	default:
		return (WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
	}
}

static void
test_acts(void **state)
{
	const struct act	*a;
	size_t			 i, wrong = 0;
	int			 status;

	(void)state;
#ifdef SENTINEL_SANITIZE
	skip();
#endif
	/* So that accept finds somebody. */
	for (i = 0; i < 4; i++)
		(void)do_connect(socket(AF_INET, SOCK_STREAM, 0));
	for (i = 0; i < nitems(acts); i++) {
		a = &acts[i];
		status = run(a);
		if (as_wanted(a->want, status))
			continue;
		wrong++;
		print_error("\"%s\": %s: wait status %#x\n", a->promises,
		    a->name, status);
	}
	assert_int_equal(wrong, 0);
}

static void
test_parse(void **state)
{
	unsigned int	 bits;

	(void)state;
	assert_int_equal(sandbox_parse("stdio", &bits), 0);
	assert_int_equal(bits, SANDBOX_STDIO);
	assert_int_equal(sandbox_parse(" stdio  recvfd fsync ", &bits), 0);
	assert_int_equal(bits, SANDBOX_STDIO | SANDBOX_RECVFD | SANDBOX_FSYNC);
	assert_int_equal(sandbox_parse("unix", &bits), 0);
	assert_int_equal(bits, SANDBOX_UNIX);
	assert_int_equal(sandbox_parse("accept inet rpath wpath cpath", &bits),
	    0);
	assert_int_equal(bits, SANDBOX_ACCEPT | SANDBOX_INET | SANDBOX_PATH);
	assert_int_equal(sandbox_parse("", &bits), 0);
	assert_int_equal(bits, 0);
	assert_int_equal(sandbox_parse("stdi", &bits), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(sandbox_parse("stdio,recvfd", &bits), -1);
	assert_int_equal(sandbox_parse("stdio exec", &bits), -1);
}

/* A promise that would mean more than it says is refused. */
static void
test_refused(void **state)
{
	(void)state;
	assert_int_equal(sandbox_enter("recvfd", NULL, false, -1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(sandbox_enter("stdio rpath", NULL, false, -1), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(sandbox_enter("stdio", "/", false, -1), -1);
	assert_int_equal(errno, EINVAL);
	assert_string_equal(sandbox_status(), "");
}

/* landlock holds alone, should the filter have a hole. */
static void
test_landlock(void **state)
{
	pid_t	 pid;
	int	 status, abi;

	(void)state;
	abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0, 1);
	if (abi == -1)
		skip();
	if ((pid = fork()) == 0) {
		if (sandbox_landlock(SANDBOX_STDIO | SANDBOX_PATH, ".") != 0)
			_exit(1);
		if (act_open() != -1 || errno != EACCES ||
		    act_create_outside() != -1 || errno != EACCES)
			_exit(2);
		if (act_create() == -1 || act_symlink() != -1)
			_exit(3);
		if (abi >= 4 && (act_bind() != -1 || errno != EACCES ||
		    act_connect() != -1 || errno != EACCES))
			_exit(4);
		if (abi >= 6 && (act_kill() != -1 || errno != EPERM))
			_exit(5);
		if (sandbox_landlock(SANDBOX_STDIO, NULL) != 0)
			_exit(6);
		_exit(act_read_path() == -1 && errno == EACCES ? 0 : 7);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

/* The parent's list stops it, and leaves its children what they need. */
static void
test_parent(void **state)
{
	const struct act	 sibling = {
		"stdio", "kill", act_kill, KILLED
	};
	pid_t			 pid;
	int			 status;

	(void)state;
#ifdef SENTINEL_SANITIZE
	skip();
#endif
	if ((pid = fork()) == 0) {
		if (sandbox_parent() == -1)
			_exit(1);
		if (act_ptrace() != -1 || errno != EPERM)
			_exit(2);
		if (mount("none", dir, "tmpfs", 0, "") != -1 || errno != EPERM)
			_exit(3);
		if (syscall(SYS_bpf, 0, NULL, 0) != -1 || errno != EPERM)
			_exit(4);
		if (!as_wanted(KILLED, run(&sibling)))
			_exit(5);
		(void)act_exec();
		_exit(6);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

static void
test_trap(void **state)
{
	char	 line[256], want[64];
	int	 sv[2], status;
	pid_t	 pid;
	ssize_t	 n;

	(void)state;
#ifdef SENTINEL_SANITIZE
	skip();
#endif
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, sv), 0);
	if ((pid = fork()) == 0) {
		(void)close(STDERR_FILENO);
		log_init("tester", -1);
		if (sandbox_enter("stdio", NULL, true, sv[1]) == -1)
			_exit(1);
		(void)act_kill();
		_exit(2);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(as_wanted(KILLED, status));
	n = recv(sv[0], line, sizeof(line) - 1, MSG_DONTWAIT);
	assert_true(n > 1);
	line[n] = '\0';
	(void)snprintf(want, sizeof(want), "sandbox: tester: call %d (kill)",
	    SYS_kill);
	assert_string_equal(line + 1, want);
	(void)close(sv[0]);
	(void)close(sv[1]);
}

static void
test_status(void **state)
{
	pid_t	 pid;
	int	 status;

	(void)state;
	if ((pid = fork()) == 0) {
		sandbox_note("chroot");
		sandbox_note("caps");
		_exit(strcmp(sandbox_status(), "chroot caps") != 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_parse),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_acts),
		cmocka_unit_test(test_landlock),
		cmocka_unit_test(test_parent),
		cmocka_unit_test(test_trap),
		cmocka_unit_test(test_status)
	};

	return (cmocka_run_group_tests(tests, group_setup, group_teardown));
}
