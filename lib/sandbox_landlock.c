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

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include <linux/landlock.h>

#include "log.h"
#include "sandbox.h"

/*
 * Debian 12's header ends with ABI 2, kernels go on.  Numbers of later ABIs
 * from Documentation/userspace-api/landlock.rst.
 */
#ifndef LANDLOCK_ACCESS_FS_REFER
#define LANDLOCK_ACCESS_FS_REFER	(1ULL << 13)	/* ABI 2 */
#endif
#ifndef LANDLOCK_ACCESS_FS_TRUNCATE
#define LANDLOCK_ACCESS_FS_TRUNCATE	(1ULL << 14)	/* ABI 3 */
#endif
#ifndef LANDLOCK_ACCESS_FS_IOCTL_DEV
#define LANDLOCK_ACCESS_FS_IOCTL_DEV	(1ULL << 15)	/* ABI 5 */
#endif
#ifndef LANDLOCK_ACCESS_NET_BIND_TCP
#define LANDLOCK_ACCESS_NET_BIND_TCP	(1ULL << 0)	/* ABI 4 */
#define LANDLOCK_ACCESS_NET_CONNECT_TCP	(1ULL << 1)
#endif
#ifndef LANDLOCK_SCOPE_SIGNAL
#define LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET (1ULL << 0)	/* ABI 6 */
#define LANDLOCK_SCOPE_SIGNAL		(1ULL << 1)
#endif

#define FS_ABI1		((LANDLOCK_ACCESS_FS_MAKE_SYM << 1) - 1)
#define FS_READ		(LANDLOCK_ACCESS_FS_READ_FILE | \
			LANDLOCK_ACCESS_FS_READ_DIR)
#define FS_WRITE	(LANDLOCK_ACCESS_FS_WRITE_FILE | \
			LANDLOCK_ACCESS_FS_TRUNCATE)
#define FS_CREATE	(LANDLOCK_ACCESS_FS_MAKE_REG | \
			LANDLOCK_ACCESS_FS_MAKE_DIR | \
			LANDLOCK_ACCESS_FS_REMOVE_FILE | \
			LANDLOCK_ACCESS_FS_REMOVE_DIR | \
			LANDLOCK_ACCESS_FS_REFER)

/* struct landlock_ruleset_attr of ABI 6; each ABI takes a prefix of it. */
struct ruleset {
	uint64_t	 fs;		/* ABI 1 */
	uint64_t	 net;		/* ABI 4 */
	uint64_t	 scoped;	/* ABI 6 */
};

static size_t	 ruleset_fill(struct ruleset *, int, unsigned int);
static int	 ruleset_allow(int, uint64_t, unsigned int, const char *);

int
sandbox_landlock(unsigned int bits, const char *dir)
{
	struct ruleset	 rs;
	size_t		 size;
	int		 abi, fd, saved_errno;

	abi = (int)syscall(SYS_landlock_create_ruleset, NULL, 0,
	    LANDLOCK_CREATE_RULESET_VERSION);
	if (abi == -1) {
		/* Not built in, switched off, or an outer filter forbids. */
		log_debug("sandbox: landlock is not available");
		return (1);
	}
	size = ruleset_fill(&rs, abi, bits);
	fd = (int)syscall(SYS_landlock_create_ruleset, &rs, size, 0);
	if (fd == -1)
		return (-1);
	if (ruleset_allow(fd, rs.fs, bits, dir) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    syscall(SYS_landlock_restrict_self, fd, 0) == -1) {
		saved_errno = errno;
		(void)close(fd);
		errno = saved_errno;
		return (-1);
	}
	(void)close(fd);
	return (0);
}

/* Everything this kernel can forbid.  Returns the size it expects. */
static size_t
ruleset_fill(struct ruleset *rs, int abi, unsigned int bits)
{
	rs->fs = FS_ABI1;
	if (abi >= 2)
		rs->fs |= LANDLOCK_ACCESS_FS_REFER;
	if (abi >= 3)
		rs->fs |= LANDLOCK_ACCESS_FS_TRUNCATE;
	if (abi >= 5)
		rs->fs |= LANDLOCK_ACCESS_FS_IOCTL_DEV;
	rs->net = LANDLOCK_ACCESS_NET_BIND_TCP;
	if ((bits & SANDBOX_INET) == 0)
		rs->net |= LANDLOCK_ACCESS_NET_CONNECT_TCP;
	rs->scoped = LANDLOCK_SCOPE_ABSTRACT_UNIX_SOCKET |
	    LANDLOCK_SCOPE_SIGNAL;

	if (abi >= 6)
		return (sizeof(*rs));
	if (abi >= 4)
		return (offsetof(struct ruleset, scoped));
	return (offsetof(struct ruleset, net));
}

/* The path words, beneath dir; never to execute, to link or to make devices. */
static int
ruleset_allow(int rsfd, uint64_t handled, unsigned int bits, const char *dir)
{
	struct landlock_path_beneath_attr	 pb;
	int					 fd, r, saved_errno;

	pb.allowed_access = 0;
	if ((bits & SANDBOX_RPATH) != 0)
		pb.allowed_access |= FS_READ;
	if ((bits & SANDBOX_WPATH) != 0)
		pb.allowed_access |= FS_WRITE;
	if ((bits & SANDBOX_CPATH) != 0)
		pb.allowed_access |= FS_CREATE;
	pb.allowed_access &= handled;
	if (pb.allowed_access == 0)
		return (0);
	if ((fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC)) == -1)
		return (-1);
	pb.parent_fd = fd;
	r = (int)syscall(SYS_landlock_add_rule, rsfd,
	    LANDLOCK_RULE_PATH_BENEATH, &pb, 0);
	saved_errno = errno;
	(void)close(fd);
	errno = saved_errno;
	return (r);
}
