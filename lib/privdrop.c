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

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>

#include "log.h"
#include "privdrop.h"
#include "sandbox.h"

static int	 drop_namespaces(const struct privdrop *);
static int	 drop_root(const struct privdrop *);
static int	 drop_bounding(void);
static int	 drop_ids(const struct privdrop *);
static int	 drop_verify(const struct privdrop *);
static int	 drop_process(const struct privdrop *);
static int	 drop_caps(void);
static void	 raise_limits(const struct privdrop *);
static int	 drop_limits(const struct privdrop *);
static int	 set_limit(int, rlim_t);
static void	 lock_memory(void);

int
privdrop_ids(const char *user, uint32_t base, enum role role, uid_t *uid,
    gid_t *gid)
{
	struct passwd	*pw;

	/* cppcheck-suppress getpwnamCalled; there are no threads */
	if ((pw = getpwnam(user)) != NULL) {
		if (pw->pw_uid == 0 || pw->pw_gid == 0) {
			log_warnx("user %s: must not be root", user);
			return (-1);
		}
		*uid = pw->pw_uid;
		*gid = pw->pw_gid;
		return (0);
	}
	*uid = (uid_t)base + (uid_t)role;
	*gid = (gid_t)*uid;
	if (base == 0 || *uid < base || *uid == (uid_t)-1) {
		log_warnx("uid_base %u: out of range", base);
		return (-1);
	}
	/* cppcheck-suppress [getpwuidCalled, getgrgidCalled] */
	if (getpwuid(*uid) != NULL || getgrgid(*gid) != NULL) {
		log_warnx("user %s does not exist, and id %u belongs to "
		    "somebody: create the user, or choose another uid_base",
		    user, *uid);
		return (-1);
	}
	return (1);
}

int
privdrop(const struct privdrop *pd)
{
	if (pd->pd_keep ? getuid() == 0 || geteuid() == 0 :
	    pd->pd_uid == 0 || pd->pd_gid == 0) {
		log_warnx("privdrop: refusing to run as root");
		return (-1);
	}
	raise_limits(pd);
	if (!pd->pd_keep && (drop_namespaces(pd) == -1 ||
	    drop_root(pd) == -1 || drop_bounding() == -1 ||
	    drop_ids(pd) == -1 || drop_verify(pd) == -1))
		return (-1);
	if (pd->pd_keep && pd->pd_state && chdir(pd->pd_root) == -1) {
		log_warn("privdrop: %s", pd->pd_root);
		return (-1);
	}
	if (drop_process(pd) == -1 || drop_caps() == -1 ||
	    drop_limits(pd) == -1)
		return (-1);
	if (pd->pd_mlock)
		lock_memory();
	return (0);
}

/*
 * Sockets that a process holds already keep working, also listeners and
 * pathname sockets; new ones lead nowhere.  In a container this is refused:
 * the filter forbids socket(2) all the same.
 */
static int
drop_namespaces(const struct privdrop *pd)
{
	if (unshare(CLONE_NEWIPC | CLONE_NEWUTS) == -1)
		log_debug("privdrop: no IPC and UTS namespaces: %s",
		    strerror(errno));
	if (!pd->pd_netns)
		return (0);
	if (unshare(CLONE_NEWNET) == -1) {
		log_debug("privdrop: no network namespace: %s",
		    strerror(errno));
		return (0);
	}
	sandbox_note("netns");
	return (0);
}

static int
drop_root(const struct privdrop *pd)
{
	struct stat	 st;

	if (chroot(pd->pd_root) == -1 || chdir("/") == -1 ||
	    stat("/", &st) == -1) {
		log_warn("privdrop: chroot %s", pd->pd_root);
		return (-1);
	}
	if (!pd->pd_state &&
	    (st.st_uid != 0 || (st.st_mode & (S_IWGRP | S_IWOTH)) != 0)) {
		log_warnx("privdrop: %s: must belong to root and be writable "
		    "by nobody else", pd->pd_root);
		return (-1);
	}
	sandbox_note("chroot");
	return (0);
}

/*
 * Needs CAP_SETPCAP, so before the ids go; what is held stays until then.
 * NO_NEW_PRIVS forbids the same thing: without it this is one lock of two.
 */
static int
drop_bounding(void)
{
	unsigned long	 cap;

	for (cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) != -1; cap++) {
		if (prctl(PR_CAPBSET_DROP, cap, 0, 0, 0) == 0)
			continue;
		if (errno == EPERM) {
			log_debug("privdrop: bounding set: not permitted");
			return (0);
		}
		log_warn("privdrop: bounding set, capability %lu", cap);
		return (-1);
	}
	return (0);
}

static int
drop_ids(const struct privdrop *pd)
{
	if (setgroups(1, &pd->pd_gid) == -1 ||
	    setresgid(pd->pd_gid, pd->pd_gid, pd->pd_gid) == -1 ||
	    setresuid(pd->pd_uid, pd->pd_uid, pd->pd_uid) == -1) {
		log_warn("privdrop: uid %u, gid %u", pd->pd_uid, pd->pd_gid);
		return (-1);
	}
	return (0);
}

static int
drop_verify(const struct privdrop *pd)
{
	uid_t	 ru, eu, su;
	gid_t	 rg, eg, sg, group;

	if (getresuid(&ru, &eu, &su) == -1 ||
	    getresgid(&rg, &eg, &sg) == -1 ||
	    ru != pd->pd_uid || eu != pd->pd_uid || su != pd->pd_uid ||
	    rg != pd->pd_gid || eg != pd->pd_gid || sg != pd->pd_gid ||
	    getgroups(1, &group) != 1 || group != pd->pd_gid) {
		log_warnx("privdrop: ids are not those wanted");
		return (-1);
	}
	if (setuid(0) != -1 || seteuid(0) != -1 || setgid(0) != -1) {
		log_warnx("privdrop: root could be had back");
		return (-1);
	}
	return (0);
}

/*
 * Only now, for setresuid(2) clears both.  A parent that died between fork and
 * here sends no signal any more.
 */
static int
drop_process(const struct privdrop *pd)
{
	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) == -1 ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == -1) {
		log_warn("privdrop: prctl");
		return (-1);
	}
	if (getppid() != pd->pd_parent) {
		log_warnx("privdrop: the parent has gone");
		return (-1);
	}
	return (0);
}

static int
drop_caps(void)
{
	struct __user_cap_header_struct	 hdr;
	struct __user_cap_data_struct	 data[_LINUX_CAPABILITY_U32S_3];
	size_t				 i;

	memset(&hdr, 0, sizeof(hdr));
	memset(data, 0, sizeof(data));
	hdr.version = _LINUX_CAPABILITY_VERSION_3;
	(void)prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (syscall(SYS_capset, &hdr, data) == -1 ||
	    prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == -1 ||
	    syscall(SYS_capget, &hdr, data) == -1) {
		log_warn("privdrop: capabilities");
		return (-1);
	}
	for (i = 0; i < nitems(data); i++) {
		if ((data[i].effective | data[i].permitted |
		    data[i].inheritable) != 0) {
			log_warnx("privdrop: capabilities are left");
			return (-1);
		}
	}
	sandbox_note("caps");
	return (0);
}

/* Hard limits can be raised only while we are root. */
static void
raise_limits(const struct privdrop *pd)
{
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_max < pd->pd_nofile) {
		rl.rlim_cur = rl.rlim_max = pd->pd_nofile;
		if (setrlimit(RLIMIT_NOFILE, &rl) == -1)
			log_debug("privdrop: open files: %s", strerror(errno));
	}
	if (!pd->pd_mlock)
		return;
	rl.rlim_cur = rl.rlim_max = RLIM_INFINITY;
	if (setrlimit(RLIMIT_MEMLOCK, &rl) == -1)
		log_debug("privdrop: locked memory: %s", strerror(errno));
}

static int
drop_limits(const struct privdrop *pd)
{
	struct rlimit	 rl;
	rlim_t		 nofile = pd->pd_nofile;

	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_max < nofile) {
		log_warnx("privdrop: %llu open files instead of %llu: raise "
		    "the limit of the service", (unsigned long long)rl.rlim_max,
		    (unsigned long long)nofile);
		nofile = rl.rlim_max;
	}
	/* A write over the limit is an error, not a signal. */
	(void)signal(SIGXFSZ, SIG_IGN);
	if (set_limit(RLIMIT_CORE, 0) == -1 ||
	    set_limit(RLIMIT_NOFILE, nofile) == -1)
		return (-1);
#ifndef SENTINEL_SANITIZE
	/* A sanitizer writes its report, and starts a helper for it. */
	if (set_limit(RLIMIT_NPROC, 0) == -1 ||
	    set_limit(RLIMIT_FSIZE, pd->pd_fsize) == -1)
		return (-1);
#endif
	return (0);
}

static int
set_limit(int what, rlim_t value)
{
	struct rlimit	 rl;

	if (getrlimit((__rlimit_resource_t)what, &rl) == -1) {
		log_warn("privdrop: getrlimit %d", what);
		return (-1);
	}
	if (value > rl.rlim_max)
		value = rl.rlim_max;
	rl.rlim_cur = rl.rlim_max = value;
	if (setrlimit((__rlimit_resource_t)what, &rl) == -1) {
		log_warn("privdrop: setrlimit %d", what);
		return (-1);
	}
	return (0);
}

/*
 * Pages are locked when they are first touched, or all of libcrypto would be.
 * With a limit less than unlimited a later malloc(3) could fail because of
 * the lock, which is worse than none.
 */
static void
lock_memory(void)
{
#ifndef SENTINEL_SANITIZE
	struct rlimit	 rl;

	if (getrlimit(RLIMIT_MEMLOCK, &rl) == -1 ||
	    rl.rlim_cur != RLIM_INFINITY)
		log_warnx("privdrop: memory is not locked and may reach the "
		    "swap: the limit of locked memory is not unlimited");
	else if (mlockall(MCL_CURRENT | MCL_FUTURE | MCL_ONFAULT) == -1)
		log_warn("privdrop: memory is not locked and may reach the "
		    "swap");
	else
		sandbox_note("mlock");
#endif
}
