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

#include <sys/file.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <db.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/dns.h>
#include <event2/event.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "log.h"
#include "sandbox.h"
#include "tcpalive.h"

/*
 * Every act runs in a forked child that has confined itself: for each word
 * one call that it brings, and neighbours that stay forbidden.
 */
enum want { OK, DENIED, KILLED, ABORTED };

struct act {
	const char	*promises;
	const char	*name;
	int		(*fn)(void);
	enum want	 want;
};

static char	 dir[] = "/tmp/snt.sandbox.XXXXXX";
static int	 filefd, listenfd, sockfd, pairfd[2];
static uint16_t	 port;

static int
act_write(void)
{
	char	 c[2];

	return (write(pairfd[0], "x", 1) == 1 &&
	    send(pairfd[0], "x", 1, MSG_NOSIGNAL) == 1 &&
	    recv(pairfd[1], c, 2, 0) == 2 ? 0 : -1);
}

static void
on_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(*(int *)arg)++;
}

static int
act_libevent(void)
{
	const struct timeval	 tv = { 0, 1000 };
	struct event_base	*base;
	struct evbuffer		*buf;
	struct event		*rev, *tev;
	int			 n = 0;

	if ((base = event_base_new()) == NULL ||
	    (rev = event_new(base, pairfd[1], EV_READ, on_event, &n)) == NULL ||
	    (tev = evtimer_new(base, on_event, &n)) == NULL ||
	    (buf = evbuffer_new()) == NULL)
		return (-1);
	(void)event_add(rev, NULL);
	(void)evtimer_add(tev, &tv);
	(void)evbuffer_add_printf(buf, "hello");
	if (evbuffer_write(buf, pairfd[0]) != 5 ||
	    event_base_dispatch(base) == -1 || n != 2 ||
	    evbuffer_read(buf, pairfd[1], 100) != 5)
		return (-1);
	evbuffer_free(buf);
	event_free(rev);
	event_free(tev);
	event_base_free(base);
	return (0);
}

/* What a keyholder does, and growing the heap on the way. */
static int
act_crypto(void)
{
	EVP_PKEY	*key;
	EVP_MD_CTX	*ctx;
	uint8_t		 sig[128];
	size_t		 len = sizeof(sig);
	void		*big;

	if ((key = EVP_EC_gen("P-256")) == NULL ||
	    (ctx = EVP_MD_CTX_new()) == NULL ||
	    EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, key) != 1 ||
	    EVP_DigestSign(ctx, sig, &len, (const uint8_t *)"x", 1) != 1)
		return (-1);
	EVP_MD_CTX_free(ctx);
	EVP_PKEY_free(key);
	if ((big = malloc(8 << 20)) == NULL)
		return (-1);
	memset(big, 1, 8 << 20);
	free(big);
	return (fprintf(stderr, "%s", "") == 0 ? 0 : -1);
}

static int
act_abort(void)
{
	abort();
}

static int
act_open(void)
{
	return (open("/etc/passwd", O_RDONLY));
}

static int
act_stat(void)
{
	struct stat	 st;

	return (stat("/etc/passwd", &st));
}

static int
act_fstat(void)
{
	struct stat	 st;

	return (fstat(filefd, &st));
}

static int
act_socket(void)
{
	return (socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static int
act_unix(void)
{
	return (socket(AF_UNIX, SOCK_STREAM, 0));
}

static int
act_packet(void)
{
	return (socket(AF_PACKET, SOCK_RAW, 0));
}

static int
do_connect(int fd)
{
	struct sockaddr_in	 sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = port;
	return (connect(fd, (struct sockaddr *)&sin, sizeof(sin)));
}

static int
act_raw(void)
{
	return (socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

/* SCTP, if the kernel has or loads it. */
static int
act_seqpacket(void)
{
	return (socket(AF_INET, SOCK_SEQPACKET, 0));
}

static int
act_mptcp(void)
{
	return (socket(AF_INET, SOCK_STREAM, 262));	/* IPPROTO_MPTCP */
}

static int
act_named(void)
{
	return (socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    IPPROTO_TCP) != -1 && socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC,
	    IPPROTO_UDP) != -1 ? 0 : -1);
}

static int
act_setuid_file(void)
{
	return (open("setuid", O_RDWR | O_CREAT, 04755));
}

static int
act_setuid_mode(void)
{
	return (fchmod(filefd, 04755));
}

static int
act_mode(void)
{
	return (fchmod(filefd, 0640));
}

static int
act_connect(void)
{
	return (do_connect(sockfd));
}

static int
act_client(void)
{
	int	 fd, error, on = 1;
	socklen_t len = sizeof(error);

	if ((fd = act_socket()) == -1 || do_connect(fd) == -1 ||
	    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &on,
	    sizeof(on)) == -1 ||
	    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on)) == -1 ||
	    tcpalive_silence(fd) == -1)
		return (-1);
	return (send(fd, "x", 1, MSG_NOSIGNAL) == 1 ? 0 : -1);
}

static int
act_getopt(void)
{
	char		 name[16];
	socklen_t	 len = sizeof(name);

	return (getsockopt(sockfd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
}

static int
act_fastopen(void)
{
	struct sockaddr_in	 sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = port;
	return ((int)sendto(sockfd, "x", 1, MSG_FASTOPEN,
	    (struct sockaddr *)&sin, sizeof(sin)));
}

static int
act_bind(void)
{
	struct sockaddr_in	 sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	return (bind(sockfd, (struct sockaddr *)&sin, sizeof(sin)));
}

static void
on_name(int result, struct evutil_addrinfo *ai, void *arg)
{
	(void)ai;
	*(int *)arg = result;
}

/* Nobody answers at the address; what counts is that we live to see it. */
static int
act_evdns(void)
{
	struct evutil_addrinfo	 hints;
	struct event_base	*base;
	struct evdns_base	*dns;
	int			 result = 0;

	memset(&hints, 0, sizeof(hints));
	hints.ai_socktype = SOCK_STREAM;
	if ((base = event_base_new()) == NULL ||
	    (dns = evdns_base_new(base,
	    EVDNS_BASE_DISABLE_WHEN_INACTIVE)) == NULL ||
	    evdns_base_nameserver_ip_add(dns, "127.0.0.1:9") != 0 ||
	    evdns_base_set_option(dns, "timeout:", "0.1") != 0 ||
	    evdns_base_set_option(dns, "attempts:", "1") != 0)
		return (-1);
	(void)evdns_getaddrinfo(dns, "host.invalid", "80", &hints, on_name,
	    &result);
	(void)event_base_dispatch(base);
	evdns_base_free(dns, 0);
	event_base_free(base);
	return (result != 0 ? 0 : -1);
}

static int
act_accept(void)
{
	uid_t	 uid;
	gid_t	 gid;
	int	 fd;

	if ((fd = accept4(listenfd, NULL, NULL, SOCK_CLOEXEC)) == -1)
		return (-1);
	(void)close(fd);
	return (getpeereid(pairfd[0], &uid, &gid));
}

static int
act_rcvbuf(void)
{
	int	 n = 4096;

	return (setsockopt(sockfd, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n)));
}

static int
act_exec(void)
{
	char	 path[] = "/bin/true";
	char	*argv[] = { path, NULL }, *env[] = { NULL };

	return (execve(path, argv, env));
}

static int
act_fork(void)
{
	return (fork() == 0 ? (_exit(0), 0) : 0);
}

static int
act_kill(void)
{
	return (kill(getppid(), 0));
}

static int
act_tgkill(void)
{
	return ((int)syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int
act_exec_page(void)
{
	return (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANON,
	    -1, 0) == MAP_FAILED ? -1 : 0);
}

static int
act_exec_protect(void)
{
	void	*p;

	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON,
	    -1, 0);
	return (p == MAP_FAILED ? 0 : mprotect(p, 4096, PROT_READ |
	    PROT_EXEC));
}

static int
act_ptrace(void)
{
	return ((int)ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static int
act_setlimit(void)
{
	struct rlimit	 rl = { 10, 10 };

	return (setrlimit(RLIMIT_NOFILE, &rl));
}

static int
act_getlimit(void)
{
	struct rlimit	 rl;

	return (getrlimit(RLIMIT_NOFILE, &rl));
}

#ifdef __x86_64__
static int
act_x32(void)
{
	return ((int)syscall(0x40000000 | SYS_getpid));
}

static int
act_i386(void)
{
	long	 r;

	/* 20 is getpid(2) there, and writev(2) here. */
	__asm__ volatile ("int $0x80" : "=a" (r) : "a" (20L), "b" (-1L),
	    "c" (0L), "d" (0L) : "memory", "r8", "r9", "r10", "r11");
	return ((int)r);
}
#endif

static int
act_pread(void)
{
	char	 c;

	return (pread(filefd, &c, 1, 0) == 1 ? 0 : -1);
}

static int
act_seals(void)
{
	/* EINVAL: not a memory file; the question itself is allowed. */
	return (fcntl(filefd, F_GET_SEALS) == -1 && errno == EINVAL ? 0 : -1);
}

static int
act_pwrite(void)
{
	return (pwrite(filefd, "x", 1, 0) == 1 ? 0 : -1);
}

static int
act_fsync(void)
{
	if (act_pwrite() == -1 || ftruncate(filefd, 10) == -1 ||
	    posix_fallocate(filefd, 0, 20) != 0 ||
	    flock(filefd, LOCK_EX | LOCK_NB) == -1 || fdatasync(filefd) == -1)
		return (-1);
	return (fsync(filefd));
}

static int
act_fdatasync(void)
{
	return (fdatasync(filefd));
}

static int
act_read_path(void)
{
	return (open("file", O_RDONLY | O_CLOEXEC));
}

static int
act_write_path(void)
{
	return (open("file", O_RDWR | O_CLOEXEC));
}

static int
act_create(void)
{
	int	 fd;

	if ((fd = open("new", O_RDWR | O_CREAT | O_EXCL, 0600)) == -1 ||
	    write(fd, "x", 1) != 1 || close(fd) == -1 ||
	    rename("new", "newer") == -1 || mkdir("sub", 0700) == -1 ||
	    rmdir("sub") == -1)
		return (-1);
	return (unlink("newer"));
}

static int
act_create_outside(void)
{
	return (open("/tmp/snt.sandbox.outside", O_RDWR | O_CREAT, 0600));
}

static int
act_dotdot(void)
{
	return (open("../../etc/passwd", O_RDONLY));
}

static int
act_symlink(void)
{
	return (symlink("file", "link"));
}

static int
act_chmod(void)
{
	return (chmod("file", 0777));
}

/* What the engine does. */
static int
act_database(void)
{
	DBT	 key, val;
	DB_ENV	*env;
	DB_TXN	*txn;
	DB	*db;
	int	 i, n = 0;

	if (db_env_create(&env, 0) != 0 ||
	    env->log_set_config(env, DB_LOG_AUTO_REMOVE, 1) != 0 ||
	    env->set_lg_max(env, 64 * 1024) != 0 ||
	    env->set_lg_bsize(env, 16 * 1024) != 0 ||
	    env->open(env, ".", DB_CREATE | DB_PRIVATE | DB_INIT_TXN |
	    DB_INIT_LOG | DB_INIT_MPOOL | DB_INIT_LOCK | DB_RECOVER, 0600) != 0)
		return (-1);
	if (db_create(&db, env, 0) != 0 || db->open(db, NULL, "t.db", "hosts",
	    DB_BTREE, DB_CREATE | DB_AUTO_COMMIT, 0600) != 0)
		return (-1);
	for (i = 0; i < 1000 && n == 0; i++) {
		memset(&key, 0, sizeof(key));
		memset(&val, 0, sizeof(val));
		key.data = val.data = &i;
		key.size = val.size = sizeof(i);
		n = env->txn_begin(env, NULL, &txn, DB_TXN_NOWAIT) != 0 ||
		    db->put(db, txn, &key, &val, 0) != 0 ||
		    txn->commit(txn, 0) != 0;
	}
	if (env->txn_checkpoint(env, 0, 0, DB_FORCE) != 0 ||
	    db->close(db, 0) != 0 || env->close(env, 0) != 0)
		return (-1);
	return (n == 0 ? 0 : -1);
}

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
