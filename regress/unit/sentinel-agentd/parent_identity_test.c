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
 * The identity on disk: killed before, in and after every write, sync,
 * rename and removal, both while an answer is stored and while the next
 * start settles what that left, the agent is either enrolled with all four
 * files whole, or not enrolled with its new key untouched.
 */
#include "unit.h"

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agentd.h"

#define HOST	"0123456789abcdef0123456789abcdef"
#define CA	"-----BEGIN CERTIFICATE-----\nca\n"
#define CERT	"-----BEGIN CERTIFICATE-----\nleaf\n"
#define KEY	"-----BEGIN EC PRIVATE KEY-----\nkey\n"
#define KILLED	9

static char	 dir[] = "/tmp/identity_test.XXXXXX";
static int	 steps = -1;	/* until the kill; -1: never */
static int	 answers;	/* rc of the last one */

/* --- the system calls that change something ------------------------------ */

static void
step(void)
{
	if (steps != -1 && steps-- == 0)
		_exit(KILLED);
}

ssize_t
write(int fd, const void *data, size_t len)
{
	if (steps != -1) {
		step();
		/* And in the middle of it. */
		if (steps == 0 && len > 1)
			(void)syscall(SYS_write, fd, data, len / 2);
		step();
	}
	return (syscall(SYS_write, fd, data, len));
}

int
fsync(int fd)
{
	step();
	return ((int)syscall(SYS_fsync, fd));
}

int
rename(const char *from, const char *to)
{
	step();
	return (renameat(AT_FDCWD, from, AT_FDCWD, to));
}

int
unlink(const char *path)
{
	step();
	return (unlinkat(AT_FDCWD, path, 0));
}

/* --- neighbours ---------------------------------------------------------- */

struct event_base *
proc_base(void)
{
	return (NULL);
}

struct peer *
proc_peer(enum role role)
{
	static struct peer	 p;

	(void)role;
	return (&p);
}

void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	(void)p;
	(void)m;
	(void)why;
	answers = 100;
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd, const void *body,
    size_t len)
{
	(void)p;
	(void)type;
	(void)id;
	(void)body;
	(void)len;
	if (fd != -1)
		close(fd);
	return (0);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *buf)
{
	(void)p;
	(void)id;
	(void)fd;
	assert_true(type == IMSG_IDENTITY_STORED ||
	    type == IMSG_IDENTITY_STAGED || type == IMSG_IDENTITY_SETTLED ||
	    type == IMSG_IDENTITY_NEWKEY_DONE);
	answers = ((const uint8_t *)ibuf_data(buf))[0];
	return (0);
}

/* --- helpers ------------------------------------------------------------- */

static void
put(const char *name, const char *text)
{
	char	 path[128];
	int	 fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

/* The file of that name in retired-TIME/; "" when there is no directory. */
static const char *
retired(const char *name)
{
	static char	 path[512];
	glob_t		 g;
	char		 pattern[128];

	(void)snprintf(pattern, sizeof(pattern), "%s/retired-*", dir);
	path[0] = '\0';
	if (glob(pattern, 0, NULL, &g) == 0) {
		assert_int_equal(g.gl_pathc, 1);
		(void)snprintf(path, sizeof(path), "%s/%s",
		    g.gl_pathv[0] + strlen(dir) + 1, name);
		globfree(&g);
	}
	return (path);
}

/* NULL when there is no such file. */
static const char *
get(const char *name)
{
	static char	 text[256];
	char		 path[640];
	ssize_t		 n;
	int		 fd;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((fd = open(path, O_RDONLY)) == -1)
		return (NULL);
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	assert_true(n >= 0);
	text[n] = '\0';
	return (text);
}

static void
clear_dir(void)
{
	static const char *const	 names[] = { "host-id", "ca.pem",
	    "agent-key.pem", "agent.pem", "token-spent" };
	static const char *const	 beneath[] = { "", "next/", NULL };
	char				 path[640];
	size_t				 i, j;
	const char			*sub;

	for (j = 0; j < nitems(beneath); j++) {
		for (i = 0; i < nitems(names); i++) {
			sub = beneath[j] != NULL ? beneath[j] : retired("");
			(void)snprintf(path, sizeof(path), "%s/%s%s", dir, sub,
			    names[i]);
			(void)unlink(path);
			(void)strlcat(path, ".new", sizeof(path));
			(void)unlink(path);
		}
	}
	(void)snprintf(path, sizeof(path), "%s/next", dir);
	(void)rmdir(path);
	(void)snprintf(path, sizeof(path), "%s/%s", dir, retired(""));
	if (retired("")[0] != '\0')
		(void)rmdir(path);
}

static void
store(const char *host, const char *ca, const char *cert)
{
	static const uint8_t	 hash[32] = "a hash of thirty-two bytes here";
	struct imsg		 m = { .hdr.type = IMSG_IDENTITY_STORE };

	assert_non_null(m.buf = ibuf_dynamic(64, 65536));
	assert_int_equal(ibuf_add_string(m.buf, host), 0);
	assert_int_equal(ibuf_add_bytes(m.buf, ca, strlen(ca)), 0);
	assert_int_equal(ibuf_add_bytes(m.buf, cert, strlen(cert)), 0);
	assert_int_equal(ibuf_add_bytes(m.buf, hash, sizeof(hash)), 0);
	answers = -1;
	parent_identity_store(NULL, &m);
	ibuf_free(m.buf);
}

/* Runs fn in a child that is killed after n steps; whether it was. */
static bool
killed_after(int n, void (*fn)(void))
{
	pid_t	 pid;
	int	 status;

	assert_int_not_equal(pid = fork(), -1);
	if (pid == 0) {
		steps = n;
		fn();
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFEXITED(status));
	if (WEXITSTATUS(status) != 0)
		assert_int_equal(WEXITSTATUS(status), KILLED);
	return (WEXITSTATUS(status) == KILLED);
}

static void
do_store(void)
{
	store(HOST, CA, CERT);
	if (answers != 0)
		_exit(1);
}

static void
do_settle(void)
{
	(void)parent_identity_settle(dir);
}

static void
check_settled(int n)
{
	bool	 enrolled = parent_identity_settle(dir);

	if (get("host-id.new") != NULL || get("ca.pem.new") != NULL ||
	    get("agent.pem.new") != NULL || get("token-spent.new") != NULL)
		fail_msg("step %d: a file is left half way", n);
	if (enrolled) {
		assert_string_equal(get("host-id"), HOST);
		assert_string_equal(get("ca.pem"), CA);
		assert_string_equal(get("agent.pem"), CERT);
		assert_string_equal(get("agent-key.pem"), KEY);
		assert_null(get("agent-key.pem.new"));
	} else {
		assert_null(get("agent.pem"));
		assert_string_equal(get("agent-key.pem.new"), KEY);
	}
}

/* --- tests --------------------------------------------------------------- */

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return (-1);
	(void)parent_identity_settle(dir);
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	clear_dir();
	return (rmdir(dir));
}

static void
test_whole(void **state)
{
	struct stat	 st;
	char		 path[128];

	(void)state;
	clear_dir();
	assert_false(parent_identity_settle(dir));
	put("agent-key.pem.new", KEY);
	store(HOST, CA, CERT);
	assert_int_equal(answers, 0);
	check_settled(-1);
	assert_true(parent_identity_settle(dir));
	(void)snprintf(path, sizeof(path), "%s/agent.pem", dir);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
}

static void
test_killed(void **state)
{
	int	 n, m;
	bool	 more = true, again;

	(void)state;
	for (n = 0; more; n++) {
		for (m = 0, again = true; again; m++) {
			clear_dir();
			put("agent-key.pem.new", KEY);
			more = killed_after(n, do_store);
			/* The start that settles it is killed as well. */
			again = killed_after(m, do_settle);
			check_settled(n);
		}
	}
	/* It wrote, synced and renamed: the loop has seen something. */
	assert_true(n > 20);
	assert_true(parent_identity_settle(dir));
}

/* Over what an operator left when he removed the certificate. */
static void
test_killed_over_old(void **state)
{
	int	 n;
	bool	 more = true;

	(void)state;
	for (n = 0; more; n++) {
		clear_dir();
		put("host-id", "ffffffffffffffffffffffffffffffff");
		put("ca.pem", "old ca");
		put("agent-key.pem", "old key");
		put("agent-key.pem.new", KEY);
		more = killed_after(n, do_store);
		check_settled(n);
	}
}

/* The disk is full in the middle: told, and the next try can succeed. */
static void
test_failure(void **state)
{
	char	 path[128];

	(void)state;
	clear_dir();
	put("agent-key.pem.new", KEY);
	(void)snprintf(path, sizeof(path), "%s/agent.pem.new", dir);
	assert_int_equal(symlink("/dev/full", path), 0);
	store(HOST, CA, CERT);
	assert_int_equal(answers, 1);
	assert_int_equal(unlink(path), 0);
	store(HOST, CA, CERT);
	assert_int_equal(answers, 0);
	check_settled(-1);
}

/* The disk failed after the key had its name: the next answer is kept. */
static void
test_again(void **state)
{
	char	 path[128];

	(void)state;
	clear_dir();
	assert_false(parent_identity_settle(dir));
	put("agent-key.pem.new", KEY);
	store(HOST, CA, CERT);
	assert_int_equal(answers, 0);
	(void)snprintf(path, sizeof(path), "%s/agent.pem", dir);
	assert_int_equal(unlink(path), 0);
	store(HOST, CA, CERT);
	assert_int_equal(answers, 0);
	check_settled(-1);
	assert_true(parent_identity_settle(dir));
}

static void
test_refused(void **state)
{
	(void)state;
	clear_dir();
	store("short", CA, CERT);
	assert_int_equal(answers, 100);
	store(HOST, "", CERT);
	assert_int_equal(answers, 100);
	store(HOST, CA, "");
	assert_int_equal(answers, 100);
	assert_null(get("host-id.new"));
}

/* A key that was made for a renewal and got no certificate. */
static void
test_renewal_key(void **state)
{
	(void)state;
	clear_dir();
	put("host-id", HOST);
	put("ca.pem", CA);
	put("agent-key.pem", KEY);
	put("agent.pem", CERT);
	put("agent-key.pem.new", "of a renewal");
	assert_true(parent_identity_settle(dir));
	assert_string_equal(get("agent-key.pem"), KEY);
	assert_null(get("agent-key.pem.new"));
}

/* --- renewal ------------------------------------------------------------- */

#define KEY2	"-----BEGIN EC PRIVATE KEY-----\nkey 2\n"
#define CERT2	"-----BEGIN CERTIFICATE-----\nleaf 2\n"
#define HOST2	"fedcba9876543210fedcba9876543210"
#define CA2	"-----BEGIN CERTIFICATE-----\nca 2\n"

static void
enrolled(void)
{
	clear_dir();
	put("host-id", HOST);
	put("ca.pem", CA);
	put("agent-key.pem", KEY);
	put("agent.pem", CERT);
	put("token-spent", "0123456789abcdef0123456789abcdef");
}

static void
stage(uint8_t is_fresh, const char *cert)
{
	struct imsg	 m = { .hdr.type = IMSG_IDENTITY_STAGE };

	assert_non_null(m.buf = ibuf_dynamic(64, 65536));
	assert_int_equal(ibuf_add_n8(m.buf, is_fresh), 0);
	assert_int_equal(ibuf_add_bytes(m.buf, cert, strlen(cert)), 0);
	answers = -1;
	parent_identity_stage(NULL, &m);
	ibuf_free(m.buf);
}

static void
accept_(uint8_t keep)
{
	struct imsg	 m = { .hdr.type = IMSG_IDENTITY_SETTLE };

	assert_non_null(m.buf = ibuf_dynamic(1, 16));
	assert_int_equal(ibuf_add_n8(m.buf, keep), 0);
	answers = -1;
	parent_identity_accept(NULL, &m);
	ibuf_free(m.buf);
}

static void
do_renew(void)
{
	stage(1, CERT2);
	if (answers != 0)
		_exit(1);
	accept_(1);
	if (answers != 0)
		_exit(1);
}

static void
do_push(void)
{
	stage(0, CERT2);
	accept_(1);
	if (answers != 0)
		_exit(1);
}

static void
do_drop(void)
{
	accept_(0);
	if (answers != 0)
		_exit(1);
}

/* get() lends the same buffer each time. */
static bool
is(const char *name, const char *text)
{
	const char	*have = get(name);

	return (have == NULL ? text == NULL : text != NULL &&
	    strcmp(have, text) == 0);
}

/*
 * After a start some certificate is whole and the key it is over is there
 * beside it: leaf over key, leaf 2 over key 2.  A torn agent.pem.new is
 * the engine's to throw away.
 */
static void
check_pairs(int n, const char *key2)
{
	bool	 old, fresh;

	assert_true(parent_identity_settle(dir));
	assert_string_equal(get("host-id"), HOST);
	assert_string_equal(get("ca.pem"), CA);
	old = is("agent.pem", CERT) && is("agent-key.pem", KEY);
	fresh = (is("agent.pem", CERT2) || is("agent.pem.new", CERT2)) &&
	    (is("agent-key.pem", key2) || is("agent-key.pem.new", key2));
	if (!old && !fresh)
		fail_msg("step %d: no pair is left", n);
	/* A key without a certificate is of no use after a start. */
	if (get("agent.pem.new") == NULL)
		assert_null(get("agent-key.pem.new"));
}

static void
test_renew_killed(void **state)
{
	int	 n;
	bool	 more = true;

	(void)state;
	for (n = 0; more; n++) {
		enrolled();
		put("agent-key.pem.new", KEY2);
		more = killed_after(n, do_renew);
		check_pairs(n, KEY2);
	}
	assert_true(n > 6);
	assert_true(is("agent.pem", CERT2) && is("agent-key.pem", KEY2));
	assert_null(get("agent.pem.new"));
}

/* Over the key in use, while another one waited for its certificate. */
static void
test_push_killed(void **state)
{
	int	 n;
	bool	 more = true;

	(void)state;
	for (n = 0; more; n++) {
		enrolled();
		put("agent-key.pem.new", KEY2);
		more = killed_after(n, do_push);
		check_pairs(n, KEY);
	}
	assert_true(is("agent.pem", CERT2) && is("agent-key.pem", KEY));
	assert_null(get("agent-key.pem.new"));
}

static void
test_drop_killed(void **state)
{
	int	 n;
	bool	 more = true;

	(void)state;
	for (n = 0; more; n++) {
		enrolled();
		put("agent-key.pem.new", KEY2);
		put("agent.pem.new", CERT2);
		more = killed_after(n, do_drop);
		check_pairs(n, KEY2);
		assert_true(is("agent.pem", CERT));
	}
	assert_null(get("agent.pem.new"));
}

/* The disk is full: told, nothing lost, and again later. */
static void
test_renew_failure(void **state)
{
	char	 path[128];

	(void)state;
	enrolled();
	put("agent-key.pem.new", KEY2);
	(void)snprintf(path, sizeof(path), "%s/agent.pem.new", dir);
	assert_int_equal(symlink("/dev/full", path), 0);
	stage(1, CERT2);
	assert_int_equal(answers, 1);
	assert_int_equal(unlink(path), 0);
	stage(1, CERT2);
	assert_int_equal(answers, 0);
	accept_(1);
	assert_int_equal(answers, 0);
	/* Asked again, because the answer was lost on a full disk. */
	accept_(1);
	assert_int_equal(answers, 0);
	assert_true(is("agent.pem", CERT2) && is("agent-key.pem", KEY2));
	/* Nonsense. */
	stage(2, CERT2);
	assert_int_equal(answers, 100);
	stage(1, "");
	assert_int_equal(answers, 100);
	accept_(2);
	assert_int_equal(answers, 100);
	clear_dir();
	stage(1, CERT2);
	assert_int_equal(answers, 100);
}

/* --- a new enrolment ----------------------------------------------------- */

static void
do_store_again(void)
{
	store(HOST2, CA2, CERT2);
	if (answers != 0)
		_exit(1);
}

/*
 * At any moment either the old identity is whole or the new one is, and after
 * the new one the old one is kept.
 */
static void
check_again(int n)
{
	char	 old[512];

	assert_true(parent_identity_settle(dir));
	if (is("host-id", HOST)) {
		assert_true(is("ca.pem", CA) && is("agent.pem", CERT) &&
		    is("agent-key.pem", KEY));
		assert_true(is("next/agent-key.pem.new", KEY2) ||
		    is("next/agent-key.pem", KEY2));
		assert_string_equal(retired(""), "");
	} else {
		if (!is("host-id", HOST2) || !is("ca.pem", CA2) ||
		    !is("agent.pem", CERT2) || !is("agent-key.pem", KEY2))
			fail_msg("step %d: half of each", n);
		(void)strlcpy(old, retired("agent.pem"), sizeof(old));
		assert_true(is(old, CERT));
		(void)strlcpy(old, retired("agent-key.pem"), sizeof(old));
		assert_true(is(old, KEY));
		(void)strlcpy(old, retired("host-id"), sizeof(old));
		assert_true(is(old, HOST));
		(void)strlcpy(old, retired("ca.pem"), sizeof(old));
		assert_true(is(old, CA));
		assert_null(get("next/agent.pem"));
	}
	assert_null(get("host-id.new"));
	assert_null(get("agent.pem.new"));
}

static void
make_next_dir(void)
{
	char	 path[128];

	(void)snprintf(path, sizeof(path), "%s/next", dir);
	assert_int_equal(mkdir(path, 0700), 0);
	put("next/agent-key.pem.new", KEY2);
}

static void
test_again_killed(void **state)
{
	int	 n, m;
	bool	 more = true, again;

	(void)state;
	for (n = 0; more; n++) {
		/* Every third; the next n has the others. */
		for (m = n % 3, again = true; again; m += 3) {
			enrolled();
			/* What a renewal of the old one has left goes. */
			put("agent-key.pem.new", "of a renewal");
			make_next_dir();
			more = killed_after(n, do_store_again);
			again = killed_after(m, do_settle);
			check_again(n);
		}
	}
	assert_true(n > 40);
	assert_true(is("host-id", HOST2));
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_whole),
		cmocka_unit_test(test_killed),
		cmocka_unit_test(test_killed_over_old),
		cmocka_unit_test(test_failure),
		cmocka_unit_test(test_renew_killed),
		cmocka_unit_test(test_push_killed),
		cmocka_unit_test(test_drop_killed),
		cmocka_unit_test(test_renew_failure),
		cmocka_unit_test(test_again_killed),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_renewal_key),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
