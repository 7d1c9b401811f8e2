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

#ifndef SANDBOX_ACTS_H
#define SANDBOX_ACTS_H

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

static inline int
act_write(void)
{
	char	 c[2];

	return (write(pairfd[0], "x", 1) == 1 &&
	    send(pairfd[0], "x", 1, MSG_NOSIGNAL) == 1 &&
	    recv(pairfd[1], c, 2, 0) == 2 ? 0 : -1);
}

static inline void
on_event(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(*(int *)arg)++;
}

static inline int
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
static inline int
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

static inline int
act_abort(void)
{
	abort();
}

static inline int
act_open(void)
{
	return (open("/etc/passwd", O_RDONLY));
}

static inline int
act_stat(void)
{
	struct stat	 st;

	return (stat("/etc/passwd", &st));
}

static inline int
act_fstat(void)
{
	struct stat	 st;

	return (fstat(filefd, &st));
}

static inline int
act_socket(void)
{
	return (socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
}

static inline int
act_unix(void)
{
	return (socket(AF_UNIX, SOCK_STREAM, 0));
}

static inline int
act_packet(void)
{
	return (socket(AF_PACKET, SOCK_RAW, 0));
}

static inline int
do_connect(int fd)
{
	struct sockaddr_in	 sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = port;
	return (connect(fd, (struct sockaddr *)&sin, sizeof(sin)));
}

static inline int
act_raw(void)
{
	return (socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

/* SCTP, if the kernel has or loads it. */
static inline int
act_seqpacket(void)
{
	return (socket(AF_INET, SOCK_SEQPACKET, 0));
}

static inline int
act_mptcp(void)
{
	return (socket(AF_INET, SOCK_STREAM, 262));	/* IPPROTO_MPTCP */
}

static inline int
act_named(void)
{
	return (socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    IPPROTO_TCP) != -1 && socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC,
	    IPPROTO_UDP) != -1 ? 0 : -1);
}

static inline int
act_setuid_file(void)
{
	return (open("setuid", O_RDWR | O_CREAT, 04755));
}

static inline int
act_setuid_mode(void)
{
	return (fchmod(filefd, 04755));
}

static inline int
act_mode(void)
{
	return (fchmod(filefd, 0640));
}

static inline int
act_connect(void)
{
	return (do_connect(sockfd));
}

static inline int
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

static inline int
act_getopt(void)
{
	char		 name[16];
	socklen_t	 len = sizeof(name);

	return (getsockopt(sockfd, IPPROTO_TCP, TCP_CONGESTION, name, &len));
}

static inline int
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

static inline int
act_bind(void)
{
	struct sockaddr_in	 sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	return (bind(sockfd, (struct sockaddr *)&sin, sizeof(sin)));
}

static inline void
on_name(int result, struct evutil_addrinfo *ai, void *arg)
{
	(void)ai;
	*(int *)arg = result;
}

/* Nobody answers at the address; what counts is that we live to see it. */
static inline int
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

static inline int
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

static inline int
act_rcvbuf(void)
{
	int	 n = 4096;

	return (setsockopt(sockfd, SOL_SOCKET, SO_RCVBUF, &n, sizeof(n)));
}

static inline int
act_exec(void)
{
	char	 path[] = "/bin/true";
	char	*argv[] = { path, NULL }, *env[] = { NULL };

	return (execve(path, argv, env));
}

static inline int
act_fork(void)
{
	return (fork() == 0 ? (_exit(0), 0) : 0);
}

static inline int
act_kill(void)
{
	return (kill(getppid(), 0));
}

static inline int
act_tgkill(void)
{
	return ((int)syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static inline int
act_exec_page(void)
{
	return (mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANON,
	    -1, 0) == MAP_FAILED ? -1 : 0);
}

static inline int
act_exec_protect(void)
{
	void	*p;

	p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANON,
	    -1, 0);
	return (p == MAP_FAILED ? 0 : mprotect(p, 4096, PROT_READ |
	    PROT_EXEC));
}

static inline int
act_ptrace(void)
{
	return ((int)ptrace(PTRACE_TRACEME, 0, NULL, NULL));
}

static inline int
act_setlimit(void)
{
	struct rlimit	 rl = { 10, 10 };

	return (setrlimit(RLIMIT_NOFILE, &rl));
}

static inline int
act_getlimit(void)
{
	struct rlimit	 rl;

	return (getrlimit(RLIMIT_NOFILE, &rl));
}

#ifdef __x86_64__
static inline int
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

static inline int
act_pread(void)
{
	char	 c;

	return (pread(filefd, &c, 1, 0) == 1 ? 0 : -1);
}

static inline int
act_seals(void)
{
	/* EINVAL: not a memory file; the question itself is allowed. */
	return (fcntl(filefd, F_GET_SEALS) == -1 && errno == EINVAL ? 0 : -1);
}

static inline int
act_pwrite(void)
{
	return (pwrite(filefd, "x", 1, 0) == 1 ? 0 : -1);
}

static inline int
act_fsync(void)
{
	if (act_pwrite() == -1 || ftruncate(filefd, 10) == -1 ||
	    posix_fallocate(filefd, 0, 20) != 0 ||
	    flock(filefd, LOCK_EX | LOCK_NB) == -1 || fdatasync(filefd) == -1)
		return (-1);
	return (fsync(filefd));
}

static inline int
act_fdatasync(void)
{
	return (fdatasync(filefd));
}

static inline int
act_read_path(void)
{
	return (open("file", O_RDONLY | O_CLOEXEC));
}

static inline int
act_write_path(void)
{
	return (open("file", O_RDWR | O_CLOEXEC));
}

static inline int
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

static inline int
act_create_outside(void)
{
	return (open("/tmp/snt.sandbox.outside", O_RDWR | O_CREAT, 0600));
}

static inline int
act_dotdot(void)
{
	return (open("../../etc/passwd", O_RDONLY));
}

static inline int
act_symlink(void)
{
	return (symlink("file", "link"));
}

static inline int
act_chmod(void)
{
	return (chmod("file", 0777));
}

/* What the engine does. */
static inline int
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

#endif
