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
 * Files of agent.dir that are imported: only regular ones, read by the engine
 * alone, removed when it has them, and never another file than that.
 */
#include "unit.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "agentd.h"

static char	 dir[] = "/tmp/import_test.XXXXXX";
static char	 path[64], other[64];
static char	 passed[64];	/* what the engine could read */
static int	 offers;
static int	 broken;

struct peer *
proc_peer(enum role role)
{
	static struct peer	 p;

	assert_int_equal(role, ROLE_A_ENGINE);
	return (&p);
}

void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	(void)p;
	(void)m;
	(void)why;
	broken++;
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd, const void *body,
    size_t len)
{
	ssize_t	 n;

	(void)p;
	(void)id;
	assert_int_equal(type, IMSG_CONF_FILE);
	assert_int_equal(len, 1);
	assert_int_equal(*(const uint8_t *)body, CONF_FILE_POLICY);
	assert_int_equal(write(fd, "x", 1), -1);
	assert_true((n = read(fd, passed, sizeof(passed) - 1)) >= 0);
	passed[n] = '\0';
	close(fd);
	offers++;
	return (0);
}

static void
put(const char *name, const char *text)
{
	int	 fd;

	assert_true((fd = open(name, O_WRONLY | O_CREAT | O_TRUNC, 0600)) !=
	    -1);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void
done(uint8_t kind, uint8_t rc)
{
	struct imsg	 m = { .hdr.len = 0 };

	assert_non_null(m.buf = ibuf_dynamic(2, 2));
	assert_int_equal(ibuf_add_n8(m.buf, kind), 0);
	assert_int_equal(ibuf_add_n8(m.buf, rc), 0);
	parent_import_done(proc_peer(ROLE_A_ENGINE), &m);
	ibuf_free(m.buf);
}

static int
setup(void **state)
{
	(void)state;
	(void)unlink(path);
	(void)unlink(other);
	offers = broken = 0;
	return (0);
}

static void
test_taken(void **state)
{
	(void)state;
	parent_import_offer(dir);
	assert_int_equal(offers, 0);
	put(path, "{}");
	parent_import_offer(dir);
	assert_int_equal(offers, 1);
	assert_string_equal(passed, "{}");
	assert_int_equal(access(path, F_OK), 0);
	done(CONF_FILE_POLICY, 0);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(broken, 0);
	/* Nothing to confirm any more, and never anything else. */
	put(path, "{}");
	done(CONF_FILE_POLICY, 0);
	assert_int_equal(broken, 1);
	done(CONF_FILE_CA, 0);
	done(CONF_FILE_POLICY, 2);
	assert_int_equal(broken, 3);
	assert_int_equal(access(path, F_OK), 0);
}

static void
test_not_taken(void **state)
{
	(void)state;
	put(path, "broken");
	parent_import_offer(dir);
	done(CONF_FILE_POLICY, 1);
	assert_int_equal(access(path, F_OK), 0);
	parent_import_offer(dir);
	assert_int_equal(offers, 2);
}

static void
test_replaced(void **state)
{
	(void)state;
	put(path, "old");
	parent_import_offer(dir);
	put(other, "new");
	assert_int_equal(rename(other, path), 0);
	done(CONF_FILE_POLICY, 0);
	assert_int_equal(access(path, F_OK), 0);
	assert_int_equal(broken, 0);
}

static void
test_odd(void **state)
{
	size_t	 fds = unit_count_fds();

	(void)state;
	put(other, "{}");
	assert_int_equal(symlink(other, path), 0);
	parent_import_offer(dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(link(other, path), 0);
	parent_import_offer(dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkfifo(path, 0600), 0);
	parent_import_offer(dir);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(mkdir(path, 0700), 0);
	parent_import_offer(dir);
	assert_int_equal(rmdir(path), 0);
	put(path, "");
	assert_int_equal(truncate(path, PASSED_IMPORT_MAXBYTES + 1), 0);
	parent_import_offer(dir);
	assert_int_equal(offers, 0);
	assert_int_equal(truncate(path, PASSED_IMPORT_MAXBYTES), 0);
	parent_import_offer(dir);
	assert_int_equal(offers, 1);
	assert_int_equal(unit_count_fds(), fds);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(test_taken, setup),
		cmocka_unit_test_setup(test_not_taken, setup),
		cmocka_unit_test_setup(test_replaced, setup),
		cmocka_unit_test_setup(test_odd, setup),
	};
	int	 rc;

	if (mkdtemp(dir) == NULL)
		return (1);
	(void)snprintf(path, sizeof(path), "%s/policy_cache.json", dir);
	(void)snprintf(other, sizeof(other), "%s/other", dir);
	rc = cmocka_run_group_tests(tests, NULL, NULL);
	(void)unlink(path);
	(void)unlink(other);
	(void)rmdir(dir);
	return (rc);
}
