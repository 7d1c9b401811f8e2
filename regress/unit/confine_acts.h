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

#ifndef CONFINE_ACTS_H
#define CONFINE_ACTS_H

/*
 * What a process of confine.h tries, and the table of it.  An act returns -1
 * when it was not done; each runs in a child of its own.  For confine.h only.
 */

/* --- files --------------------------------------------------------------- */

static int
act_passwd(void)
{
	return (open("/etc/passwd", O_RDONLY));
}

static int
act_other(void)
{
	int	 fd;

	if ((fd = open(cf.other, O_RDONLY)) != -1)
		return (fd);
	return (open("../other/secret", O_RDONLY));
}

static int
act_state(void)
{
	if (cf.row->pr_root == PROC_ROOT_STATE)
		return (act_other());
	return (open(cf.keep ? cf.keepstate : cf.state,
	    O_RDONLY | O_DIRECTORY));
}

static int
act_proc_mem(void)
{
	char	 path[64];

	(void)snprintf(path, sizeof(path), "/proc/%d/mem", (int)cf.tester);
	return (open(path, O_RDWR));
}

static int
act_create(void)
{
	int	 fd;

	if ((fd = open("new", O_RDWR | O_CREAT | O_EXCL, 0600)) == -1 ||
	    write(fd, "x", 1) != 1 || fsync(fd) == -1 ||
	    rename("new", "newer") == -1 || unlink("newer") == -1)
		return (-1);
	return (close(fd));
}

static int
act_setuid_file(void)
{
	return (open("setuid", O_RDWR | O_CREAT | O_EXCL, 04755));
}

static int
act_symlink(void)
{
	return (symlink("/etc/passwd", "link"));
}

static int
act_mknod(void)
{
	return (mknod("node", S_IFIFO | 0600, 0));
}

static int
act_chroot(void)
{
	return (chroot("."));
}

static int
act_fsync(void)
{
	return (pwrite(cf.filefd, "x", 1, 0) == 1 && fsync(cf.filefd) == 0 &&
	    ftruncate(cf.filefd, 0) == 0 ? 0 : -1);
}

/* The last byte that the row's limit allows, and the first one beyond. */
static int
act_write_last(void)
{
	off_t	 at = 0;

	if (cf.row->pr_fsize == RLIM_INFINITY)
		at = 1024 * 1024;
	else if (cf.row->pr_fsize > 0)
		at = (off_t)cf.row->pr_fsize - 1;
	return (lseek(cf.filefd, at, SEEK_SET) == at &&
	    write(cf.filefd, "x", 1) == 1 ? 0 : -1);
}

static int
act_write_beyond(void)
{
	if (cf.row->pr_fsize == RLIM_INFINITY)
		_exit(UNJUDGED);
	return (lseek(cf.filefd, (off_t)cf.row->pr_fsize, SEEK_SET) != -1 &&
	    write(cf.filefd, "x", 1) == 1 ? 0 : -1);
}

static int
act_descriptors(void)
{
	int	 fds[2];

	do {
		if (pipe2(fds, O_CLOEXEC) == -1)
			return (errno == EMFILE ? -1 : 0);
	} while ((rlim_t)fds[1] < cf.row->pr_nofile);
	return (0);
}

/* --- sockets ------------------------------------------------------------- */

static int
connect_loopback(int fd)
{
	struct sockaddr_in	 sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	sin.sin_port = cf.port;
	return (connect(fd, (struct sockaddr *)&sin, sizeof(sin)));
}

static int
act_tcp(void)
{
	int	 fd;

	if ((fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    connect_loopback(fd) == -1)
		return (-1);
	return (send(fd, "x", 1, MSG_NOSIGNAL) == 1 ? 0 : -1);
}

static int
act_raw(void)
{
	return (socket(AF_INET, SOCK_RAW, IPPROTO_ICMP));
}

/* The kernel would load a module for it. */
static int
act_sctp(void)
{
	return (socket(AF_INET, SOCK_SEQPACKET, 0));
}

static int
act_packet(void)
{
	return (socket(AF_PACKET, SOCK_RAW, 0));
}

static int
act_listen(void)
{
	return (listen(cf.pair[0], 1));
}

static int
act_bind(void)
{
	struct sockaddr_in	 sin;

	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	return (bind(cf.listenfd, (struct sockaddr *)&sin, sizeof(sin)));
}

static int
act_unix(void)
{
	struct sockaddr_un	 sun;
	int			 fd;

	memset(&sun, 0, sizeof(sun));
	sun.sun_family = AF_UNIX;
	(void)strlcpy(sun.sun_path, cf.sock, sizeof(sun.sun_path));
	if ((fd = socket(AF_UNIX, SOCK_STREAM, 0)) == -1)
		return (-1);
	return (connect(fd, (struct sockaddr *)&sun, sizeof(sun)));
}

static int
act_abstract(void)
{
	int	 fd;

	if ((fd = socket(AF_UNIX, SOCK_DGRAM, 0)) == -1)
		return (-1);
	return (connect(fd, (struct sockaddr *)&cf.abstract, cf.abstractlen));
}

/* A filter cannot see the address; the socket is there, it is the log's. */
static int
act_datagram(void)
{
	struct msghdr	 msg;
	struct iovec	 iov;
	char		 c = 'x';

	memset(&msg, 0, sizeof(msg));
	iov.iov_base = &c;
	iov.iov_len = 1;
	msg.msg_iov = &iov;
	msg.msg_iovlen = 1;
	msg.msg_name = &cf.abstract;
	msg.msg_namelen = cf.abstractlen;
	return ((int)sendmsg(cf.pair[0], &msg, MSG_DONTWAIT | MSG_NOSIGNAL));
}

static int
act_accept(void)
{
	return (accept4(cf.listenfd, NULL, NULL, SOCK_CLOEXEC));
}

/* --- other processes ----------------------------------------------------- */

static int
act_exec(void)
{
	static char	 name[] = "true";
	char		*argv[] = { name, NULL };

	return (execve("/bin/true", argv, argv + 1));
}

static int
act_fork(void)
{
	pid_t	 pid;

	if ((pid = fork()) == 0)
		_exit(0);
	return (pid);
}

static int
act_probe_parent(void)
{
	return (kill(cf.tester, 0));
}

static int
act_kill_parent(void)
{
	return (kill(cf.tester, SIGTERM));
}

static int
act_probe_sibling(void)
{
	return (kill(cf.sibling, 0));
}

static int
act_kill_sibling(void)
{
	return (kill(cf.sibling, SIGTERM));
}

static int
act_tgkill_sibling(void)
{
	return ((int)syscall(SYS_tgkill, cf.sibling, cf.sibling, SIGTERM));
}

static int
act_kill_all(void)
{
	return (kill(-1, SIGCONT));
}

/* Does not stop it, should it work. */
static int
act_ptrace(void)
{
	return ((int)ptrace(PTRACE_SEIZE, cf.sibling, NULL, NULL));
}

static int
act_vm_read(void)
{
	struct iovec	 local, remote;
	char		 c;

	local.iov_base = &c;
	local.iov_len = remote.iov_len = 1;
	remote.iov_base = &cf;
	return ((int)process_vm_readv(cf.sibling, &local, 1, &remote, 1, 0));
}

static int
act_pidfd(void)
{
	return ((int)syscall(SYS_pidfd_open, cf.sibling, 0));
}

/* --- itself -------------------------------------------------------------- */

static int
act_setuid(void)
{
	return (setuid(0));
}

static int
act_setgid(void)
{
	return (setgid(0));
}

static int
act_dumpable(void)
{
	return (prctl(PR_SET_DUMPABLE, 1, 0, 0, 0));
}

static int
act_limit(void)
{
	const struct rlimit	 rl = { RLIM_INFINITY, RLIM_INFINITY };

	return (setrlimit(RLIMIT_FSIZE, &rl));
}

static int
act_mprotect(void)
{
	static char	 page[8192] __attribute__((__aligned__(4096)));

	return (mprotect(page, 4096, PROT_READ | PROT_EXEC));
}

static int
act_mmap(void)
{
	return (mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED ? -1 : 0);
}

static int
act_memfd(void)
{
	return (memfd_create("code", 0));
}

/* --- the kernel ---------------------------------------------------------- */

static int
act_mount(void)
{
	return (mount("none", "/", "tmpfs", 0, ""));
}

static int
act_unshare(void)
{
	return (unshare(CLONE_NEWUSER));
}

static int
act_setns(void)
{
	return (setns(cf.filefd, 0));
}

static int
act_io_uring(void)
{
	char	 params[256] = "";

	return ((int)syscall(SYS_io_uring_setup, 4, params));
}

static int
act_bpf(void)
{
	char	 attr[256] = "";

	return ((int)syscall(SYS_bpf, 0, attr, sizeof(attr)));
}

static int
act_keyctl(void)
{
	return ((int)syscall(SYS_keyctl, 0, -3, 0));
}

static int
act_perf(void)
{
	char	 attr[256] = "";

	return ((int)syscall(SYS_perf_event_open, attr, 0, -1, -1, 0));
}

static int
act_userfaultfd(void)
{
	return ((int)syscall(SYS_userfaultfd, 0));
}

static const struct act	 acts[] = {
	{ "open /etc/passwd", act_passwd, 0, FAIL, HOLDS | LANDLOCK },
	{ "open a file of another process", act_other, 0, FAIL,
	    HOLDS | LANDLOCK },
	{ "open the data of another process", act_state, 0, FAIL,
	    HOLDS | LANDLOCK },
	{ "open the parent's memory", act_proc_mem, 0, FAIL,
	    HOLDS | LANDLOCK },
	{ "make a file in its root", act_create, SANDBOX_CPATH, FAIL, 0 },
	{ "make a setuid file", act_setuid_file, 0, STOP, 0 },
	{ "symbolic link", act_symlink, 0, KILL, 0 },
	{ "make a node", act_mknod, 0, KILL, 0 },
	{ "chroot", act_chroot, 0, KILL, HOLDS | HOLDS_KEEP },
	{ "write and sync a passed file", act_fsync, SANDBOX_FSYNC, KILL, 0 },
	{ "last byte within RLIMIT_FSIZE", act_write_last,
	    SANDBOX_FSYNC | SANDBOX_WPATH, FAIL, LIMIT },
	{ "first byte beyond RLIMIT_FSIZE", act_write_beyond, 0, FAIL, LIMIT },
	{ "too many descriptors", act_descriptors, 0, FAIL,
	    HOLDS | HOLDS_KEEP },

	{ "TCP to loopback", act_tcp, SANDBOX_INET, FAIL, HOLDS },
	{ "raw socket", act_raw, 0, STOP, HOLDS | HOLDS_KEEP },
	{ "SCTP socket", act_sctp, 0, STOP, 0 },
	{ "packet socket", act_packet, 0, STOP, HOLDS | HOLDS_KEEP },
	{ "listen", act_listen, 0, KILL, 0 },
	{ "bind", act_bind, 0, KILL, 0 },
	{ "connect to a UNIX socket", act_unix, 0, FAIL, HOLDS },
	{ "connect to an abstract socket", act_abstract, 0, FAIL,
	    HOLDS | SCOPED },
	{ "datagram to an abstract socket", act_datagram, 0, FAIL,
	    HOLDS | SCOPED },
	{ "accept on a passed listener", act_accept, SANDBOX_ACCEPT, KILL, 0 },

	{ "execve", act_exec, 0, KILL, HOLDS },
	{ "fork", act_fork, 0, KILL, 0 },
	{ "kill(parent, 0)", act_probe_parent, 0, KILL, HOLDS },
	{ "kill(parent, SIGTERM)", act_kill_parent, 0, KILL, HOLDS },
	{ "kill(sibling, 0)", act_probe_sibling, 0, KILL, 0 },
	{ "kill(sibling, SIGTERM)", act_kill_sibling, 0, KILL, 0 },
	{ "tgkill(sibling)", act_tgkill_sibling, 0, KILL, 0 },
	{ "kill(-1)", act_kill_all, 0, KILL, 0 },
	{ "ptrace", act_ptrace, 0, KILL, 0 },
	{ "process_vm_readv", act_vm_read, 0, KILL, 0 },
	{ "pidfd_open", act_pidfd, 0, KILL, 0 },

	{ "setuid(0)", act_setuid, 0, KILL, HOLDS | HOLDS_KEEP },
	{ "setgid(0)", act_setgid, 0, KILL, HOLDS | HOLDS_KEEP },
	{ "become dumpable", act_dumpable, 0, KILL, 0 },
	{ "raise a limit", act_limit, 0, KILL, 0 },
	{ "mprotect PROT_EXEC", act_mprotect, 0, KILL, 0 },
	{ "mmap PROT_EXEC", act_mmap, 0, KILL, 0 },
	{ "memfd_create", act_memfd, 0, KILL, 0 },

	{ "mount", act_mount, 0, KILL, HOLDS | HOLDS_KEEP },
	{ "unshare(CLONE_NEWUSER)", act_unshare, 0, KILL, 0 },
	{ "setns", act_setns, 0, KILL, 0 },
	{ "io_uring_setup", act_io_uring, 0, KILL, 0 },
	{ "bpf", act_bpf, 0, KILL, 0 },
	{ "keyctl", act_keyctl, 0, KILL, 0 },
	{ "perf_event_open", act_perf, 0, KILL, 0 },
	{ "userfaultfd", act_userfaultfd, 0, KILL, 0 },
};

#endif /* CONFINE_ACTS_H */
