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

#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <netinet/in.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/capability.h>

#include "privdrop.h"
#include "sandbox.h"

#define TEST_UID	59231

static char	 dir[] = "/tmp/snt.privdrop.XXXXXX";
static char	 emptydir[64], opendir_[64];

static int
group_setup(void **state)
{
	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(emptydir, sizeof(emptydir), "%s/empty", dir);
	(void)snprintf(opendir_, sizeof(opendir_), "%s/open", dir);
	assert_int_equal(mkdir(emptydir, 0555), 0);
	assert_int_equal(mkdir(opendir_, 0700), 0);
	assert_int_equal(chmod(dir, 0755), 0);
	assert_int_equal(chmod(opendir_, 0777), 0);
	return (0);
}

static int
group_teardown(void **state)
{
	(void)state;
	(void)rmdir(emptydir);
	(void)rmdir(opendir_);
	return (rmdir(dir));
}

static void
defaults(struct privdrop *pd)
{
	memset(pd, 0, sizeof(*pd));
	pd->pd_root = emptydir;
	pd->pd_uid = pd->pd_gid = TEST_UID;
	pd->pd_netns = true;
	pd->pd_fsize = 4096;
	pd->pd_nofile = 32;
	pd->pd_parent = getpid();	/* of the child to be forked */
}

/* Runs privdrop() in a child, then check(); 0, or what failed. */
static int
run(const struct privdrop *pd, int (*check)(void))
{
	pid_t	 pid;
	int	 status;

	if ((pid = fork()) == 0) {
		if (privdrop(pd) == -1)
			_exit(100);
		_exit(check != NULL ? check() : 0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return (WIFEXITED(status) ? WEXITSTATUS(status) : 200);
}

static int
check_process(void)
{
	int	 sig = 0;

	if (prctl(PR_GET_PDEATHSIG, &sig) == -1 || sig != SIGKILL)
		return (1);
	if (prctl(PR_GET_DUMPABLE) != 0)
		return (2);
	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return (3);
	return (0);
}

static int
check_limit(int what, rlim_t want)
{
	struct rlimit	 rl;

	return (getrlimit((__rlimit_resource_t)what, &rl) == -1 ||
	    rl.rlim_cur != want || rl.rlim_max != want);
}

static int
check_dropped(void)
{
	struct __user_cap_header_struct	 hdr;
	struct __user_cap_data_struct	 data[2];
	struct sockaddr_in		 sin;
	gid_t				 group;
	int				 r, fd;

	if ((r = check_process()) != 0)
		return (r);
	if (getuid() != TEST_UID || geteuid() != TEST_UID ||
	    getgid() != TEST_UID || getgroups(1, &group) != 1 ||
	    group != TEST_UID)
		return (10);
	if (setuid(0) != -1 || setgid(0) != -1)
		return (11);
	memset(&hdr, 0, sizeof(hdr));
	hdr.version = _LINUX_CAPABILITY_VERSION_3;
	if (syscall(SYS_capget, &hdr, data) == -1 || data[0].permitted != 0 ||
	    data[1].permitted != 0 || data[0].effective != 0)
		return (12);
	if (prctl(PR_CAPBSET_READ, CAP_SYS_ADMIN, 0, 0, 0) != 0 ||
	    prctl(PR_CAPBSET_READ, CAP_CHOWN, 0, 0, 0) != 0)
		return (13);
	if (open("/etc/passwd", O_RDONLY) != -1 || errno != ENOENT ||
	    open("../../etc/passwd", O_RDONLY) != -1)
		return (14);
	if (open("/file", O_RDWR | O_CREAT, 0600) != -1)
		return (15);
	if (check_limit(RLIMIT_CORE, 0) || check_limit(RLIMIT_NOFILE, 32))
		return (16);
#ifndef SENTINEL_SANITIZE
	if (check_limit(RLIMIT_NPROC, 0) || check_limit(RLIMIT_FSIZE, 4096) ||
	    fork() != -1)
		return (17);
#endif
	if (strstr(sandbox_status(), "chroot") == NULL ||
	    strstr(sandbox_status(), "caps") == NULL)
		return (18);
	if (strstr(sandbox_status(), "netns") == NULL)
		return (0);
	memset(&sin, 0, sizeof(sin));
	sin.sin_family = AF_INET;
	sin.sin_addr.s_addr = htonl(0xc0000201);	/* 192.0.2.1 */
	sin.sin_port = htons(9);
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	if (connect(fd, (struct sockaddr *)&sin, sizeof(sin)) != -1 ||
	    errno != ENETUNREACH)
		return (19);
	return (0);
}

static void
test_root(void **state)
{
	struct privdrop	 pd;

	(void)state;
	if (getuid() != 0)
		skip();
	defaults(&pd);
	assert_int_equal(run(&pd, check_dropped), 0);
}

#ifndef SENTINEL_SANITIZE
static int
check_locked(void)
{
	struct rlimit	 rl;
	bool		 locked;

	locked = strstr(sandbox_status(), "mlock") != NULL;
	if (getrlimit(RLIMIT_MEMLOCK, &rl) == -1)
		return (1);
	/* In a container without CAP_SYS_RESOURCE: a warning, no harm. */
	return (locked == (rl.rlim_cur == RLIM_INFINITY) ? 0 : 2);
}
#endif

static void
test_mlock(void **state)
{
	(void)state;
#ifdef SENTINEL_SANITIZE
	skip();
#else
	struct privdrop	 pd;

	if (getuid() != 0)
		skip();
	defaults(&pd);
	pd.pd_mlock = true;
	assert_int_equal(run(&pd, check_locked), 0);
#endif
}

static int
check_over_limit(void)
{
	char	 buf[8192];
	int	 fd;

	/* An error, not SIGXFSZ. */
	memset(buf, 0, sizeof(buf));
	if ((fd = open("file", O_RDWR | O_CREAT | O_TRUNC, 0600)) == -1)
		return (1);
	(void)unlink("file");
	if (write(fd, buf, sizeof(buf)) != 4096)
		return (2);
	return (write(fd, buf, 1) == -1 && errno == EFBIG ? 0 : 3);
}

/* The engine's kind of directory belongs to it, and may be written. */
static void
test_state(void **state)
{
	struct privdrop	 pd;

	(void)state;
	if (getuid() != 0)
		skip();
#ifdef SENTINEL_SANITIZE
	skip();
#endif
	defaults(&pd);
	pd.pd_root = opendir_;
	pd.pd_state = true;
	assert_int_equal(run(&pd, check_over_limit), 0);
}

static void
test_refused(void **state)
{
	struct privdrop	 pd;

	(void)state;
	if (getuid() != 0)
		skip();
	defaults(&pd);
	pd.pd_root = opendir_;		/* anybody could write there */
	assert_int_equal(run(&pd, NULL), 100);
	defaults(&pd);
	pd.pd_root = "/nonexistent";
	assert_int_equal(run(&pd, NULL), 100);
	defaults(&pd);
	pd.pd_uid = 0;
	assert_int_equal(run(&pd, NULL), 100);
	defaults(&pd);
	pd.pd_gid = 0;
	assert_int_equal(run(&pd, NULL), 100);
	defaults(&pd);
	pd.pd_keep = true;
	assert_int_equal(run(&pd, NULL), 100);
	defaults(&pd);
	pd.pd_parent = 1;		/* the parent died before */
	assert_int_equal(run(&pd, NULL), 100);
}

static int
check_keep(void)
{
	char	 cwd[64];
	int	 r;

	if ((r = check_process()) != 0)
		return (r);
	if (strcmp(sandbox_status(), "caps") != 0)
		return (20);
	if (getcwd(cwd, sizeof(cwd)) == NULL || strcmp(cwd, opendir_) != 0)
		return (21);
	return (access("/etc/passwd", R_OK) == 0 ? 0 : 22);
}

static void
test_keep(void **state)
{
	struct privdrop	 pd;
	pid_t		 pid;
	int		 status;

	(void)state;
	if ((pid = fork()) == 0) {
		if (getuid() == 0 && setresuid(TEST_UID, TEST_UID,
		    TEST_UID) == -1)
			_exit(101);
		defaults(&pd);
		pd.pd_keep = pd.pd_state = true;
		pd.pd_root = opendir_;
		pd.pd_parent = getpid();
		_exit(run(&pd, check_keep));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

static void
test_ids(void **state)
{
	uid_t	 uid;
	gid_t	 gid;

	(void)state;
	assert_int_equal(privdrop_ids("nobody", 59200, ROLE_KEYHOLDER, &uid,
	    &gid), 0);
	assert_int_equal(uid, 65534);
	assert_int_equal(privdrop_ids("_snt-nobody", 59200, ROLE_CLUSTER, &uid,
	    &gid), 1);
	assert_int_equal(uid, 59202);
	assert_int_equal(gid, 59202);
	/* root, an id that belongs to nobody(!), and no ids at all */
	assert_int_equal(privdrop_ids("root", 59200, ROLE_KEYHOLDER, &uid,
	    &gid), -1);
	assert_int_equal(privdrop_ids("_snt-nobody", 65533, ROLE_KEYHOLDER,
	    &uid, &gid), -1);
	assert_int_equal(privdrop_ids("_snt-nobody", 0, ROLE_KEYHOLDER, &uid,
	    &gid), -1);
	assert_int_equal(privdrop_ids("_snt-nobody", UINT32_MAX,
	    ROLE_KEYHOLDER, &uid, &gid), -1);
	assert_int_equal(privdrop_ids("_snt-nobody", UINT32_MAX - 1,
	    ROLE_KEYHOLDER, &uid, &gid), -1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_root),
		cmocka_unit_test(test_mlock),
		cmocka_unit_test(test_state),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_ids)
	};

	return (cmocka_run_group_tests(tests, group_setup, group_teardown));
}
