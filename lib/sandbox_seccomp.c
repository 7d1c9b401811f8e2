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

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <seccomp.h>

#include "log.h"
#include "sandbox.h"

/*
 * Arguments are looked at only where they are values in registers, never
 * where they point to something: that could change after the look.  A rule
 * without arguments voids those with arguments for the same call, so each
 * call stands in one place only.
 */

#ifdef SENTINEL_SANITIZE

int
sandbox_seccomp(unsigned int bits, bool trap, int logfd)
{
	(void)bits;
	(void)trap;
	(void)logfd;
	log_info("sandbox: built with sanitizers, no system call filter");
	return (1);
}

int
sandbox_parent(void)
{
	log_info("sandbox: built with sanitizers, no system call filter");
	return (0);
}

#else /* SENTINEL_SANITIZE */

#define BIT_TMPFILE	(O_TMPFILE & ~O_DIRECTORY)

struct call {
	const char	*name;
	unsigned int	 bits;		/* allowed with any of these words */
};

/* Whatever the arguments. */
static const struct call calls[] = {
	/* held descriptors */
	{ "read",		SANDBOX_STDIO },
	{ "readv",		SANDBOX_STDIO },
	{ "write",		SANDBOX_STDIO },
	{ "writev",		SANDBOX_STDIO },
	{ "close",		SANDBOX_STDIO },
	{ "fstat",		SANDBOX_STDIO },
	{ "lseek",		SANDBOX_STDIO },
	{ "pipe2",		SANDBOX_STDIO },
	{ "recvfrom",		SANDBOX_STDIO },
	{ "recvmsg",		SANDBOX_STDIO },
	{ "shutdown",		SANDBOX_STDIO },
	/* libevent */
	{ "epoll_create1",	SANDBOX_STDIO },
	{ "epoll_ctl",		SANDBOX_STDIO },
	{ "epoll_wait",		SANDBOX_STDIO },
	{ "epoll_pwait",	SANDBOX_STDIO },
	{ "poll",		SANDBOX_STDIO },
	{ "ppoll",		SANDBOX_STDIO },
	{ "select",		SANDBOX_STDIO },
	{ "pselect6",		SANDBOX_STDIO },
	/* time */
	{ "clock_gettime",	SANDBOX_STDIO },
	{ "clock_getres",	SANDBOX_STDIO },
	{ "gettimeofday",	SANDBOX_STDIO },
	{ "time",		SANDBOX_STDIO },
	{ "nanosleep",		SANDBOX_STDIO },
	{ "clock_nanosleep",	SANDBOX_STDIO },
	{ "sched_yield",	SANDBOX_STDIO },
	/* who am I: libcrypto's generator mixes in the process id */
	{ "getpid",		SANDBOX_STDIO },
	{ "gettid",		SANDBOX_STDIO },
	{ "getppid",		SANDBOX_STDIO },
	{ "getuid",		SANDBOX_STDIO },
	{ "geteuid",		SANDBOX_STDIO },
	{ "getgid",		SANDBOX_STDIO },
	{ "getegid",		SANDBOX_STDIO },
	{ "getrandom",		SANDBOX_STDIO },
	/* memory; mmap and mprotect are below */
	{ "brk",		SANDBOX_STDIO },
	{ "munmap",		SANDBOX_STDIO },
	{ "mremap",		SANDBOX_STDIO },
	{ "madvise",		SANDBOX_STDIO },
	{ "mlock",		SANDBOX_STDIO },
	{ "mlock2",		SANDBOX_STDIO },
	{ "munlock",		SANDBOX_STDIO },
	{ "futex",		SANDBOX_STDIO },
	/* own signals and the end */
	{ "rt_sigaction",	SANDBOX_STDIO },
	{ "rt_sigprocmask",	SANDBOX_STDIO },
	{ "rt_sigreturn",	SANDBOX_STDIO },
	{ "sigaltstack",	SANDBOX_STDIO },
	{ "restart_syscall",	SANDBOX_STDIO },
	{ "exit",		SANDBOX_STDIO },
	{ "exit_group",		SANDBOX_STDIO },

	/* a passed file, by offset */
	{ "pread64",		SANDBOX_RECVFD | SANDBOX_FSYNC |
				SANDBOX_RPATH },
	{ "pwrite64",		SANDBOX_FSYNC | SANDBOX_WPATH },
	{ "fsync",		SANDBOX_FSYNC },
	{ "fdatasync",		SANDBOX_FSYNC },
	{ "ftruncate",		SANDBOX_FSYNC | SANDBOX_WPATH },
	{ "fallocate",		SANDBOX_FSYNC | SANDBOX_WPATH },
	{ "flock",		SANDBOX_FSYNC },

	{ "accept",		SANDBOX_ACCEPT },
	{ "accept4",		SANDBOX_ACCEPT },
	{ "getsockname",	SANDBOX_ACCEPT | SANDBOX_INET },
	{ "getpeername",	SANDBOX_ACCEPT | SANDBOX_INET },

	/*
	 * Without bind(2): evdns binds only when it is told an outgoing
	 * address, and nobody tells it.
	 */
	{ "connect",		SANDBOX_INET | SANDBOX_UNIX },

	/* files beneath the directory; openat and fchmod are below */
	{ "stat",		SANDBOX_RPATH },
	{ "lstat",		SANDBOX_RPATH },
	{ "statx",		SANDBOX_RPATH },
	{ "access",		SANDBOX_RPATH },
	{ "faccessat",		SANDBOX_RPATH },
	{ "faccessat2",		SANDBOX_RPATH },
	{ "getdents64",		SANDBOX_RPATH },
	{ "getcwd",		SANDBOX_RPATH },
	{ "rename",		SANDBOX_CPATH },
	{ "renameat",		SANDBOX_CPATH },
	{ "renameat2",		SANDBOX_CPATH },
	{ "unlink",		SANDBOX_CPATH },
	{ "unlinkat",		SANDBOX_CPATH },
	{ "rmdir",		SANDBOX_CPATH },
	{ "mkdir",		SANDBOX_CPATH },
	{ "mkdirat",		SANDBOX_CPATH }
};

/*
 * libc and libraries try these and can live without: they fail with EPERM in
 * a process without the words that would allow them.
 */
static const struct call softcalls[] = {
	{ "open",		0 },
	{ "openat",		SANDBOX_PATH },
	{ "stat",		SANDBOX_RPATH },
	{ "lstat",		SANDBOX_RPATH },
	{ "statx",		SANDBOX_RPATH },
	{ "access",		SANDBOX_RPATH },
	{ "faccessat",		SANDBOX_RPATH },
	{ "faccessat2",		SANDBOX_RPATH },
	{ "readlink",		0 },
	{ "readlinkat",		0 },
	{ "socket",		SANDBOX_INET | SANDBOX_UNIX },
	{ "connect",		SANDBOX_INET | SANDBOX_UNIX },
	{ "uname",		0 },
	{ "sysinfo",		0 },
	{ "sched_getaffinity",	0 }
};

/* One value of one argument. */
struct argcall {
	const char	*name;
	unsigned int	 bits;
	unsigned int	 arg;
	uint64_t	 value;
};

static const struct argcall argcalls[] = {
	{ "fcntl",	SANDBOX_STDIO,	1, F_GETFD },
	{ "fcntl",	SANDBOX_STDIO,	1, F_SETFD },
	{ "fcntl",	SANDBOX_STDIO,	1, F_GETFL },
	{ "fcntl",	SANDBOX_STDIO,	1, F_SETFL },
	{ "fcntl",	SANDBOX_STDIO,	1, F_DUPFD_CLOEXEC },
	/* is a passed memory file sealed? */
	{ "fcntl",	SANDBOX_RECVFD,	1, F_GET_SEALS },
	{ "fcntl",	SANDBOX_WPATH,	1, F_GETLK },
	{ "fcntl",	SANDBOX_WPATH,	1, F_SETLK },
	/* evbuffer_read(3) asks how much there is */
	{ "ioctl",	SANDBOX_STDIO,	1, FIONREAD }
};

/*
 * TCP and UDP over IP.  The kernel loads a module for any other protocol or
 * type (SCTP, MPTCP, L2TP ...), and Landlock's TCP rights do not mean them.
 */
#define SOCK_TYPE_MASK	0x0f

static const struct {
	int	 family;
	int	 type;
	int	 protocol;
} inetsockets[] = {
	{ AF_INET,	SOCK_STREAM,	0 },
	{ AF_INET,	SOCK_STREAM,	IPPROTO_TCP },
	{ AF_INET,	SOCK_DGRAM,	0 },
	{ AF_INET,	SOCK_DGRAM,	IPPROTO_UDP },
	{ AF_INET6,	SOCK_STREAM,	0 },
	{ AF_INET6,	SOCK_STREAM,	IPPROTO_TCP },
	{ AF_INET6,	SOCK_DGRAM,	0 },
	{ AF_INET6,	SOCK_DGRAM,	IPPROTO_UDP }
};

/* As softcalls: getifaddrs(3) and syslog(3) ask for these. */
static const struct argcall softargs[] = {
	{ "socket",	SANDBOX_INET,	0, AF_UNIX },
	{ "socket",	SANDBOX_INET,	0, AF_NETLINK },
	{ "ioctl",	SANDBOX_STDIO,	1, TCGETS }	/* isatty(3) */
};

struct sockopt {
	int	 level;
	int	 name;
};

static const struct sockopt getopts[] = {
	{ SOL_SOCKET,	SO_ERROR },
	{ SOL_SOCKET,	SO_PEERCRED },	/* who is the control client? */
	{ IPPROTO_TCP,	TCP_INFO }	/* is the peer still there? */
};

static const struct sockopt setopts[] = {
	{ SOL_SOCKET,	SO_KEEPALIVE },
	{ IPPROTO_TCP,	TCP_NODELAY },
	{ IPPROTO_TCP,	TCP_KEEPIDLE },
	{ IPPROTO_TCP,	TCP_KEEPINTVL },
	{ IPPROTO_TCP,	TCP_KEEPCNT },
	{ IPPROTO_TCP,	TCP_USER_TIMEOUT },
	{ IPPROTO_IPV6,	IPV6_V6ONLY }
};

/* What neither the parent nor a child needs, whoever owns it. */
static const char *const parentdeny[] = {
	/* other processes */
	"ptrace", "process_vm_readv", "process_vm_writev", "process_madvise",
	"pidfd_getfd", "kcmp", "perf_event_open",
	/* the kernel */
	"bpf", "init_module", "finit_module", "delete_module", "create_module",
	"kexec_load", "kexec_file_load", "reboot", "iopl", "ioperm",
	"lookup_dcookie", "userfaultfd", "io_uring_setup", "io_uring_enter",
	"io_uring_register", "modify_ldt", "personality", "uselib", "vhangup",
	/* the machine */
	"mount", "umount2", "pivot_root", "move_mount", "open_tree", "fsopen",
	"fsmount", "fsconfig", "fspick", "mount_setattr", "setns",
	"open_by_handle_at", "swapon", "swapoff", "quotactl", "quotactl_fd",
	"acct", "syslog", "sethostname", "setdomainname", "settimeofday",
	"clock_settime", "adjtimex", "clock_adjtime", "stime", "nfsservctl",
	/* keys of the kernel */
	"add_key", "request_key", "keyctl"
};

static struct scmp_arg_cmp arg_is(unsigned int, uint64_t);
static struct scmp_arg_cmp arg_bits(unsigned int, uint64_t, uint64_t);
static int	 rule_add(scmp_filter_ctx, uint32_t, const char *,
		    unsigned int, const struct scmp_arg_cmp *);
static int	 add_calls(scmp_filter_ctx, unsigned int);
static int	 add_memory(scmp_filter_ctx);
static int	 add_self(scmp_filter_ctx);
static int	 add_sockets(scmp_filter_ctx, unsigned int);
static int	 add_files(scmp_filter_ctx, unsigned int);
static int	 filter_load(scmp_filter_ctx);

int
sandbox_seccomp(unsigned int bits, bool trap, int logfd)
{
	scmp_filter_ctx	 ctx;
	int		 r;

	if (trap)
		sandbox_trap(logfd);
	ctx = seccomp_init(trap ? SCMP_ACT_TRAP : SCMP_ACT_KILL_PROCESS);
	if (ctx == NULL) {
		errno = ENOMEM;
		return (-1);
	}
	if ((r = add_calls(ctx, bits)) == 0 &&
	    (r = add_memory(ctx)) == 0 &&
	    (r = add_self(ctx)) == 0 &&
	    (r = add_sockets(ctx, bits)) == 0 &&
	    (r = add_files(ctx, bits)) == 0)
		r = filter_load(ctx);
	seccomp_release(ctx);
	if (r != 0) {
		errno = -r;
		return (-1);
	}
	return (0);
}

/*
 * An error instead of death: NSS modules and the dynamic linker run in the
 * parent, and none of these calls does harm by failing.
 */
int
sandbox_parent(void)
{
	scmp_filter_ctx	 ctx;
	size_t		 i;
	int		 r = 0;

	if ((ctx = seccomp_init(SCMP_ACT_ALLOW)) == NULL) {
		errno = ENOMEM;
		return (-1);
	}
	for (i = 0; i < nitems(parentdeny) && r == 0; i++)
		r = rule_add(ctx, SCMP_ACT_ERRNO(EPERM), parentdeny[i], 0,
		    NULL);
	if (r == 0)
		r = filter_load(ctx);
	seccomp_release(ctx);
	if (r != 0) {
		errno = -r;
		return (-1);
	}
	sandbox_note("seccomp");
	return (0);
}

/* Another architecture's calls (x32, i386) would pass the numbers by. */
static int
filter_load(scmp_filter_ctx ctx)
{
	int	 r;

	if ((r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH,
	    SCMP_ACT_KILL_PROCESS)) != 0)
		return (r);
	/* A binary tree; older libraries have none, and need none. */
	(void)seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	return (seccomp_load(ctx));
}

static struct scmp_arg_cmp
arg_is(unsigned int arg, uint64_t value)
{
	const struct scmp_arg_cmp	 cmp = {
		.arg = arg, .op = SCMP_CMP_EQ, .datum_a = value
	};

	return (cmp);
}

/* These bits of the argument have this value. */
static struct scmp_arg_cmp
arg_bits(unsigned int arg, uint64_t mask, uint64_t value)
{
	const struct scmp_arg_cmp	 cmp = {
		.arg = arg, .op = SCMP_CMP_MASKED_EQ, .datum_a = mask,
		.datum_b = value
	};

	return (cmp);
}

/* 0 or a negative errno.  A call that this machine has not is left out. */
static int
rule_add(scmp_filter_ctx ctx, uint32_t action, const char *name,
    unsigned int ncmp, const struct scmp_arg_cmp *cmp)
{
	int	 nr;

	if ((nr = seccomp_syscall_resolve_name(name)) < 0)
		return (0);
	return (seccomp_rule_add_array(ctx, action, nr, ncmp, cmp));
}

static int
add_calls(scmp_filter_ctx ctx, unsigned int bits)
{
	struct scmp_arg_cmp	 cmp;
	size_t			 i;
	int			 r = 0;

	for (i = 0; i < nitems(calls) && r == 0; i++) {
		if ((calls[i].bits & bits) != 0)
			r = rule_add(ctx, SCMP_ACT_ALLOW, calls[i].name, 0,
			    NULL);
	}
	for (i = 0; i < nitems(softcalls) && r == 0; i++) {
		if ((softcalls[i].bits & bits) == 0)
			r = rule_add(ctx, SCMP_ACT_ERRNO(EPERM),
			    softcalls[i].name, 0, NULL);
	}
	for (i = 0; i < nitems(argcalls) && r == 0; i++) {
		if ((argcalls[i].bits & bits) == 0)
			continue;
		cmp = arg_is(argcalls[i].arg, argcalls[i].value);
		r = rule_add(ctx, SCMP_ACT_ALLOW, argcalls[i].name, 1, &cmp);
	}
	for (i = 0; i < nitems(softargs) && r == 0; i++) {
		if ((softargs[i].bits & bits) == 0)
			continue;
		cmp = arg_is(softargs[i].arg, softargs[i].value);
		r = rule_add(ctx, SCMP_ACT_ERRNO(EPERM), softargs[i].name, 1,
		    &cmp);
	}
	return (r);
}

/* No new code: pages are never executable. */
static int
add_memory(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp	 noexec = arg_bits(2, PROT_EXEC, 0);
	int				 r;

	if ((r = rule_add(ctx, SCMP_ACT_ALLOW, "mmap", 1, &noexec)) != 0 ||
	    (r = rule_add(ctx, SCMP_ACT_ALLOW, "mmap2", 1, &noexec)) != 0)
		return (r);
	return (rule_add(ctx, SCMP_ACT_ALLOW, "mprotect", 1, &noexec));
}

/* abort(3) and raise(3) reach this process only; limits are only read. */
static int
add_self(scmp_filter_ctx ctx)
{
	const struct scmp_arg_cmp	 self = arg_is(0, (uint64_t)getpid());
	const struct scmp_arg_cmp	 readlimit[] = {
		arg_is(0, 0), arg_is(2, 0)
	};
	int				 r;

	if ((r = rule_add(ctx, SCMP_ACT_ALLOW, "tgkill", 1, &self)) != 0)
		return (r);
	return (rule_add(ctx, SCMP_ACT_ALLOW, "prlimit64", nitems(readlimit),
	    readlimit));
}

/*
 * Without inet a process sends only to where a socket is connected already:
 * no address, and no MSG_FASTOPEN, which connects.  evdns sends to addresses.
 */
static int
add_sockets(scmp_filter_ctx ctx, unsigned int bits)
{
	const struct scmp_arg_cmp	 msg = arg_bits(2, MSG_FASTOPEN, 0);
	const struct scmp_arg_cmp	 to[] = {
		arg_bits(3, MSG_FASTOPEN, 0), arg_is(4, 0)
	};
	struct scmp_arg_cmp		 opt[2], sock[3];
	size_t				 i;
	int				 r;

	if ((r = rule_add(ctx, SCMP_ACT_ALLOW, "sendmsg", 1, &msg)) != 0 ||
	    (r = rule_add(ctx, SCMP_ACT_ALLOW, "sendto",
	    (bits & SANDBOX_INET) != 0 ? 1 : 2, to)) != 0)
		return (r);
	for (i = 0; (bits & SANDBOX_INET) != 0 && i < nitems(inetsockets) &&
	    r == 0; i++) {
		sock[0] = arg_is(0, (uint64_t)inetsockets[i].family);
		sock[1] = arg_bits(1, SOCK_TYPE_MASK,
		    (uint64_t)inetsockets[i].type);
		sock[2] = arg_is(2, (uint64_t)inetsockets[i].protocol);
		r = rule_add(ctx, SCMP_ACT_ALLOW, "socket", 3, sock);
	}
	if ((bits & SANDBOX_UNIX) != 0 && r == 0) {
		sock[0] = arg_is(0, AF_UNIX);
		sock[1] = arg_bits(1, SOCK_TYPE_MASK, SOCK_STREAM);
		sock[2] = arg_is(2, 0);
		r = rule_add(ctx, SCMP_ACT_ALLOW, "socket", 3, sock);
	}
	if ((bits & (SANDBOX_ACCEPT | SANDBOX_INET)) == 0)
		return (r);
	for (i = 0; i < nitems(getopts) && r == 0; i++) {
		opt[0] = arg_is(1, (uint64_t)getopts[i].level);
		opt[1] = arg_is(2, (uint64_t)getopts[i].name);
		r = rule_add(ctx, SCMP_ACT_ALLOW, "getsockopt", 2, opt);
	}
	for (i = 0; i < nitems(setopts) && r == 0; i++) {
		opt[0] = arg_is(1, (uint64_t)setopts[i].level);
		opt[1] = arg_is(2, (uint64_t)setopts[i].name);
		r = rule_add(ctx, SCMP_ACT_ALLOW, "setsockopt", 2, opt);
	}
	return (r);
}

/*
 * openat(2) by its flags, and newfstatat(2), which is fstat(3) in glibc when
 * it has AT_EMPTY_PATH.  Nobody makes a file setuid: whoever owns the process
 * could leave a program for a local user to run under this id, unconfined.
 */
static int
add_files(scmp_filter_ctx ctx, unsigned int bits)
{
	const struct scmp_arg_cmp	 self =
	    arg_bits(3, AT_EMPTY_PATH, AT_EMPTY_PATH);
	const struct scmp_arg_cmp	 path = arg_bits(3, AT_EMPTY_PATH, 0);
	const struct scmp_arg_cmp	 mode =
	    arg_bits(1, S_ISUID | S_ISGID, 0);
	struct scmp_arg_cmp		 flags;
	int				 r;

	if ((r = rule_add(ctx, SCMP_ACT_ALLOW, "newfstatat", 1, &self)) != 0 ||
	    (r = rule_add(ctx, (bits & SANDBOX_RPATH) != 0 ? SCMP_ACT_ALLOW :
	    SCMP_ACT_ERRNO(EPERM), "newfstatat", 1, &path)) != 0)
		return (r);
	if ((bits & SANDBOX_PATH) == 0)
		return (0);
	if ((bits & SANDBOX_CPATH) != 0) {
		/* libc passes a mode of 0 when nothing can be created. */
		flags = arg_bits(3, S_ISUID | S_ISGID, 0);
		if ((r = rule_add(ctx, SCMP_ACT_ALLOW, "fchmod", 1,
		    &mode)) != 0)
			return (r);
		return (rule_add(ctx, SCMP_ACT_ALLOW, "openat", 1, &flags));
	}
	if ((bits & SANDBOX_WPATH) != 0)
		flags = arg_bits(2, O_CREAT | BIT_TMPFILE, 0);
	else
		flags = arg_bits(2, O_ACCMODE | O_CREAT | O_TRUNC |
		    BIT_TMPFILE, 0);
	return (rule_add(ctx, SCMP_ACT_ALLOW, "openat", 1, &flags));
}

#endif /* SENTINEL_SANITIZE */
