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

/*
 * The keyholder as a real, confined process (its row is that of sentineld's
 * table) with a parent, an engine and a cluster made here.  The engine has a
 * fleet enrolled while cluster asks for signatures: all come, none is late,
 * and the filter kills nobody.  Another round asks what is not allowed.
 */
#include "unit.h"

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
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>

#include "keyholder.h"
#include "keyop.h"
#include "log.h"
#include "logsink.h"
#include "monotime.h"
#include "proc.h"
#include "sandbox.h"

#define KEEP_UID	59233
#define UID_BASE	59270
#define TEST_MSEC	30000
#define ISSUES		300
#define SIGNATURES	300
#define LATE_MSEC	200		/* generous: the machine is shared */

static char	 dir[] = "/tmp/snt.keyh.XXXXXX";
static char	 emptydir[64];

/* --- children ------------------------------------------------------------ */

static void __printflike_(1, 2)
report(const char *fmt, ...)
{
	struct ibuf	*b;
	va_list		 ap;
	char		 text[300];

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if ((b = ibuf_dynamic(8, 600)) == NULL || ibuf_add_n32(b, 0) == -1 ||
	    ibuf_add_string(b, text) == -1)
		fatal("report");
	(void)peer_send_ibuf(proc_peer(ROLE_PARENT), IMSG_CONF_REJECT, 0, -1,
	    b);
	ibuf_free(b);
}

static void
nothing(void)
{
}

/* engine: the server's point goes to cluster, then a fleet enrols. */
static unsigned int	 issued;
static uint8_t		 server_point[ECKEY_POINT_LEN];

static void
engine_info(struct peer *p, struct imsg *m)
{
	const uint8_t	*body = ibuf_data(imsg_get_ibuf(m));
	struct ibuf	*b;
	unsigned int	 i;

	(void)p;
	report("info %u slot %u", body[0], body[1]);
	if (body[0] != KEY_PURPOSE_SERVER_TLS)
		return;
	memcpy(server_point, body + 4, sizeof(server_point));
	(void)peer_send(proc_peer(ROLE_CLUSTER), IMSG_CLUSTER_IDENTITY, 0, -1,
	    server_point, sizeof(server_point));
	for (i = 0; i < ISSUES; i++) {
		if ((b = ibuf_dynamic(0, 200)) == NULL ||
		    ibuf_add_n8(b, KEY_PROFILE_AGENT) == -1 ||
		    ibuf_add_string(b, "0123456789abcdef") == -1 ||
		    ibuf_add_bytes(b, server_point,
		    sizeof(server_point)) == -1 || ibuf_add_n32(b, 60) == -1)
			fatal("engine_info");
		(void)peer_send_ibuf(proc_peer(ROLE_KEYHOLDER), IMSG_KEY_ISSUE,
		    i, -1, b);
		ibuf_free(b);
	}
}

static void
engine_issued(struct peer *p, struct imsg *m)
{
	(void)p;
	if (*(uint8_t *)ibuf_data(imsg_get_ibuf(m)) == KEY_RC_OK &&
	    ++issued == ISSUES)
		report("all issued");
}

static void
engine_order(struct peer *p, struct imsg *m)
{
	uint8_t	 drop[3 + ECKEY_POINT_LEN] = { KEY_PURPOSE_CA, 0,
		    ECKEY_POINT_LEN };

	(void)p;
	(void)m;
	(void)peer_send(proc_peer(ROLE_KEYHOLDER), IMSG_KEY_DROP, 0, -1, drop,
	    sizeof(drop));
}

/* cluster: asks by way of libcrypto, as in a handshake. */
static void
cluster_warmup(void)
{
	/* As tlsconf_init(): no configuration file after the filter. */
	(void)OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL);
}

static void
cluster_start(void)
{
	keyop_init(proc_sync_fd());
}

static void
cluster_identity(struct peer *p, struct imsg *m)
{
	const uint8_t	*point = ibuf_data(imsg_get_ibuf(m));
	monotime_t	 before, took, worst = 0;
	int		 i;

	(void)p;
	if (keyop_add(point) == -1)
		fatal("keyop_add");
	for (i = 0; i < SIGNATURES; i++) {
		before = monotime_now();
		if (keyop_selftest(point) == -1) {
			report("signature %d failed", i);
			return;
		}
		if ((took = monotime_now() - before) > worst)
			worst = took;
	}
	log_info("worst signature: %lld ms", (long long)worst);
	report("all signed, %s", worst < LATE_MSEC ? "in time" : "late");
}

static const struct proc_handler engine_handlers[] = {
	{ IMSG_KEY_INFO,	engine_info },
	{ IMSG_KEY_ISSUED,	engine_issued },
	{ IMSG_CONF_OFFER,	engine_order },
	{ 0, NULL }
};

static const struct proc_handler cluster_handlers[] = {
	{ IMSG_CLUSTER_IDENTITY, cluster_identity },
	{ 0, NULL }
};

/* --- parent -------------------------------------------------------------- */

static bool	 wicked, keep;
static bool	 seen_issued, seen_signed;
static int	 files_done;

static void
give(uint8_t purpose, uint8_t part)
{
	uint8_t	 body[2] = { purpose, part };
	char	 path[64];
	int	 fd;

	(void)snprintf(path, sizeof(path), "%s/file", dir);
	if ((fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC,
	    0600)) == -1)
		fatal("%s", path);
	(void)unlink(path);
	(void)peer_send(proc_peer(ROLE_KEYHOLDER), IMSG_KEY_CREATE, 0, fd,
	    body, sizeof(body));
}

static void
parent_ready(void)
{
	give(KEY_PURPOSE_CA, KEY_PART_KEY);
	give(KEY_PURPOSE_CA, KEY_PART_CERT);
	give(KEY_PURPOSE_HMAC, KEY_PART_SECRET);
}

static void
parent_loaded(struct peer *p, struct imsg *m)
{
	static const uint8_t	 names[] = { 0, 0, 0x0e, 0x10, KEY_NAME_DNS,
				    0, 1, 'x' };
	const uint8_t		*body = ibuf_data(imsg_get_ibuf(m));

	log_info("loaded %u.%u: %u", body[0], body[1], body[2]);
	if (++files_done == 3 && !wicked)
		(void)peer_send(p, IMSG_KEY_NAMES, 0, -1, names,
		    sizeof(names));
	if (files_done == 3 && wicked)
		(void)peer_send(proc_peer(ROLE_ENGINE), IMSG_CONF_OFFER, 0, -1,
		    "drop", 4);
}

static void
parent_names_done(struct peer *p, struct imsg *m)
{
	(void)p;
	log_info("names: %u", *(uint8_t *)ibuf_data(imsg_get_ibuf(m)));
}

static void
parent_report(struct peer *p, struct imsg *m)
{
	char		 text[300];
	uint32_t	 gen;

	if (ibuf_get_n32(imsg_get_ibuf(m), &gen) == -1 ||
	    ibuf_get_string(imsg_get_ibuf(m), text, sizeof(text)) == -1) {
		peer_broken(p, m, "broken");
		return;
	}
	log_info("report %s", text);
	seen_issued |= strcmp(text, "all issued") == 0;
	seen_signed |= strncmp(text, "all signed", 10) == 0 ||
	    strncmp(text, "signature", 9) == 0;
	if (seen_issued && seen_signed)
		(void)kill(getpid(), SIGTERM);
}

static const struct proc_handler parent_handlers[] = {
	{ IMSG_KEY_LOADED,	parent_loaded },
	{ IMSG_KEY_NAMES_DONE,	parent_names_done },
	{ IMSG_CONF_REJECT,	parent_report },
	{ 0, NULL }
};

static const struct proc_row rows[] = {
	{
		.pr_role = ROLE_PARENT,
		.pr_name = "parent",
		.pr_root = PROC_ROOT_SLASH,
		.pr_handlers = parent_handlers,
	}, {
		.pr_role = ROLE_KEYHOLDER,
		.pr_name = "keyholder",
		.pr_user = "_snt-key",
		.pr_root = PROC_ROOT_EMPTY,
		.pr_flags = PROC_F_NETNS | PROC_F_MLOCK,
		.pr_promises = "stdio recvfd fsync",
		.pr_fsize = 64 * 1024,
		.pr_nofile = 64,
		.pr_handlers = keyholder_handlers,
		.pr_warmup = keyholder_warmup,
		.pr_start = keyholder_start,
		.pr_peer_lost = keyholder_peer_lost,
	}, {
		.pr_role = ROLE_CLUSTER,
		.pr_name = "cluster",
		.pr_user = "_snt-net",
		.pr_root = PROC_ROOT_EMPTY,
		.pr_flags = PROC_F_NETNS,
		.pr_promises = "stdio recvfd accept",
		.pr_nofile = 64,
		.pr_handlers = cluster_handlers,
		.pr_warmup = cluster_warmup,
		.pr_start = cluster_start,
	}, {
		.pr_role = ROLE_ENGINE,
		.pr_name = "engine",
		.pr_user = "_snt-db",
		.pr_root = PROC_ROOT_EMPTY,
		.pr_promises = "stdio recvfd",
		.pr_nofile = 64,
		.pr_handlers = engine_handlers,
		.pr_start = nothing,
	},
};

static const struct proc_link links[] = {
	{ ROLE_CLUSTER,		ROLE_KEYHOLDER,	LINK_SYNC },
	{ ROLE_CLUSTER,		ROLE_ENGINE,	LINK_ASYNC },
	{ ROLE_KEYHOLDER,	ROLE_ENGINE,	LINK_ASYNC },
};

static const struct proc_table table = {
	"keyhtest", rows, nitems(rows), links, nitems(links)
};

static const struct proc_parent_ops ops = { .op_ready = parent_ready };

static int
daemon_main(void)
{
	struct proc_opts	 po;
	int			 status = 3;

	log_init("parent", -1);
	logsink_open(proc_base(), "keyhtest", LOGSINK_STDERR);
	memset(&po, 0, sizeof(po));
	po.po_keep = keep;
	po.po_uid_base = UID_BASE;
	(void)strlcpy(po.po_emptydir, emptydir, sizeof(po.po_emptydir));
	(void)strlcpy(po.po_statedir, emptydir, sizeof(po.po_statedir));
	if (proc_parent_init(&table, &po, &ops, NULL) == 0)
		status = proc_parent_loop();
	logsink_close();
	return (status);
}

/* --- the tests' side ----------------------------------------------------- */

static int
run(char *out, size_t size)
{
	struct pollfd	 pfd;
	monotime_t	 deadline = monotime_now() + TEST_MSEC;
	pid_t		 pid;
	ssize_t		 n;
	size_t		 len = 0;
	int		 p[2], status;

	assert_int_equal(pipe(p), 0);
	if ((pid = fork()) == 0) {
		if (dup2(p[1], STDERR_FILENO) == -1)
			_exit(4);
		(void)close(p[0]);
		(void)close(p[1]);
		if (keep && getuid() == 0 && (chown(dir, KEEP_UID,
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
	return (WIFEXITED(status) ? WEXITSTATUS(status) : 99);
}

static void
assert_log(const char *out, const char *text)
{
	if (strstr(out, text) == NULL)
		fail_msg("\"%s\" is not in the log:\n%s", text, out);
}

static void
check_service(void)
{
	static char	 out[65536];

	wicked = false;
	if (run(out, sizeof(out)) != 0)
		fail_msg("%s", out);
	assert_log(out, "loaded 1.0: 1");
	assert_log(out, "loaded 1.1: 1");
	assert_log(out, "loaded 4.2: 1");
	assert_log(out, "names: 0");
	assert_log(out, "report info 1 slot 0");
	assert_log(out, "report info 2 slot 0");
	assert_log(out, "report info 3 slot 0");
	assert_log(out, "report all issued");
	assert_log(out, "report all signed, in time");
}

static void
test_keep(void **state)
{
	(void)state;
	keep = true;
	check_service();
}

static void
test_dropped(void **state)
{
	(void)state;
	if (getuid() != 0)
		skip();
	assert_int_equal(chown(dir, 0, 0), 0);
	keep = false;
	check_service();
}

/* The engine is not to drop the CA's key: the daemon ends, and says why. */
static void
test_wicked(void **state)
{
	static char	 out[65536];

	(void)state;
	keep = true;
	wicked = true;
	assert_int_equal(run(out, sizeof(out)), 1);
	assert_log(out, "key to be dropped");
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL || chmod(dir, 0755) == -1)
		return (-1);
	(void)snprintf(emptydir, sizeof(emptydir), "%s/empty", dir);
	return (mkdir(emptydir, 0555));
}

static int
teardown(void **state)
{
	(void)state;
	(void)rmdir(emptydir);
	return (rmdir(dir));
}

int
main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_keep),
		cmocka_unit_test(test_dropped),
		cmocka_unit_test(test_wicked),
	};

	if (argc == 3 && strcmp(argv[1], "-P") == 0)
		proc_child_main(&table, argv[2], argc, argv);
	proc_save_self();
	return (cmocka_run_group_tests(tests, setup, teardown));
}
