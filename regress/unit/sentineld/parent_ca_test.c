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
 * The parent's files of a second CA: made in order, and retired one rename
 * after the other, with the process killed between any two of them.
 */
#include "unit.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "ibuf.h"
#include "imsg.h"
#include "imsg_rule.h"
#include "keyfile.h"
#include "keyholder.h"
#include "parent_ca.h"

#define TIME	1792000000LL	/* 2026-10-14T17:46:40Z */
#define RETIRED	"ca-retired-20261014T174640Z"

static char	 dir[] = "/tmp/snt.parent_ca.XXXXXX";
static struct {
	uint32_t	 type;		/* last question to the keyholder */
	uint32_t	 id;
	uint8_t		 body[2];
	unsigned int	 asked;
	unsigned int	 stepped;	/* answers to the engine */
	uint32_t	 request;
	uint8_t		 phase, rc;
	char		 why[600];
	unsigned int	 broken;
	int		 begun;		/* -1: not yet */
	bool		 finished;
} got;

/* --- neighbours ----------------------------------------------------------- */

struct event_base *
proc_base(void)
{
	static struct event_base	*base;

	if (base == NULL)
		base = event_base_new();
	return (base);
}

struct peer *
proc_peer(enum role role)
{
	static struct peer	 p[2];

	p[role == ROLE_ENGINE].pe_role = role;
	return (&p[role == ROLE_ENGINE]);
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd,
    const void *body, size_t len)
{
	assert_int_equal(p->pe_role, ROLE_KEYHOLDER);
	assert_true(len <= sizeof(got.body));
	if (fd != -1)
		close(fd);
	if (id == 0)
		return (0);	/* its answer is not waited for */
	got.type = type;
	got.id = id;
	memcpy(got.body, body, len);
	got.asked++;
	return (0);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *b)
{
	struct ibuf	 copy;

	(void)fd;
	assert_int_equal(p->pe_role, ROLE_ENGINE);
	assert_int_equal(type, IMSG_CA_STEPPED);
	ibuf_from_buffer(&copy, __DECONST(void *, ibuf_data(b)),
	    ibuf_size(b));
	assert_int_equal(ibuf_get_n8(&copy, &got.phase), 0);
	assert_int_equal(ibuf_get_n8(&copy, &got.rc), 0);
	assert_int_equal(ibuf_get_string(&copy, got.why, sizeof(got.why)), 0);
	got.request = id;
	got.stepped++;
	return (0);
}

void
peer_broken(struct peer *p, const struct imsg *imsg, const char *why)
{
	(void)p;
	(void)imsg;
	(void)why;
	got.broken++;
}

/* --- helpers -------------------------------------------------------------- */

static void
give(void (*fn)(struct peer *, struct imsg *), uint32_t id, struct ibuf *b)
{
	struct imsg	 imsg = { 0 };

	imsg.hdr.peerid = id;
	imsg.buf = b;
	fn(proc_peer(ROLE_ENGINE), &imsg);
	imsg_free(&imsg);
}

static void
give_phase(void (*fn)(struct peer *, struct imsg *), uint32_t id,
    enum ca_phase phase)
{
	struct ibuf	*b = ibuf_open(9);

	assert_int_equal(ibuf_add_n8(b, (uint8_t)phase), 0);
	assert_int_equal(ibuf_add_n64(b, TIME), 0);
	give(fn, id, b);
}

/* The keyholder's answer to the last question. */
static void
loaded(uint8_t rc, const char *why)
{
	struct ibuf	*b = ibuf_open(300);

	assert_int_equal(ibuf_add_n8(b, got.body[0]), 0);
	assert_int_equal(ibuf_add_n8(b, got.body[1]), 0);
	assert_int_equal(ibuf_add_n8(b, rc), 0);
	assert_int_equal(ibuf_add_string(b, why), 0);
	give(parent_ca_loaded, got.id, b);
}

static void
used(uint8_t rc)
{
	struct ibuf	*b = ibuf_open(300);

	assert_int_equal(ibuf_add_n8(b, rc), 0);
	assert_int_equal(ibuf_add_string(b, rc == 0 ? "" : "no"), 0);
	give(parent_ca_used, got.id, b);
}

static char *
path(const char *name)
{
	static char	 text[300];

	(void)snprintf(text, sizeof(text), "%s/%s", dir, name);
	return (text);
}

static void
put(const char *name, const char *text)
{
	int	 fd = open(path(name), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_int_not_equal(fd, -1);
	assert_int_equal(write(fd, text, strlen(text)),
	    (ssize_t)strlen(text));
	close(fd);
}

/* Is it there with these bytes?  NULL: it is not there. */
static bool
is(const char *name, const char *text)
{
	char	 have[64] = "";
	int	 fd = open(path(name), O_RDONLY);

	if (fd == -1)
		return (text == NULL);
	assert_true(read(fd, have, sizeof(have) - 1) >= 0);
	close(fd);
	return (text != NULL && strcmp(have, text) == 0);
}

static void
clean(void)
{
	char	 cmd[300];

	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s && mkdir -m 700 %s", dir,
	    dir);
	assert_int_equal(system(cmd), 0);
	put("ca-key.pem", "old key");
	put("ca.pem", "old");
	memset(&got, 0, sizeof(got));
	got.begun = -1;
}

static void
begun(bool old_key)
{
	got.begun = old_key;
}

static void
finished(void)
{
	got.finished = true;
}

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL)
		return (-1);
	clean();
	/* One start, as the daemon has one; the phase may come late. */
	parent_ca_begin(dir, begun);
	assert_int_equal(got.begun, -1);
	give_phase(parent_ca_phase, 0, CA_NONE);
	assert_int_equal(got.begun, 1);
	parent_ca_finish(finished);
	assert_true(got.finished);
	give_phase(parent_ca_phase, 0, CA_NONE);
	assert_int_equal(got.broken, 1);
	return (0);
}

static int
teardown(void **state)
{
	char	 cmd[300];

	(void)state;
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", dir);
	return (system(cmd) == 0 ? 0 : -1);
}

/* --- tests ---------------------------------------------------------------- */

static void
test_prepare(void **state)
{
	static const uint8_t	 parts[] = { KEY_PART_KEY, KEY_PART_CERT,
				    KEY_PART_CROSS };
	size_t			 i;

	(void)state;
	clean();
	give_phase(parent_ca_step, 7, CA_PREPARE);
	for (i = 0; i < nitems(parts); i++) {
		assert_int_equal(got.type, IMSG_KEY_CREATE);
		assert_int_equal(got.body[0], KEY_PURPOSE_CA_NEW);
		assert_int_equal(got.body[1], parts[i]);
		/* Nothing has its name before all are whole. */
		assert_true(is("ca-key-new.pem", NULL));
		/* One step at a time. */
		give_phase(parent_ca_step, 8, CA_PREPARE);
		assert_int_equal(got.rc, 1);
		loaded(KEY_LOADED_NEW, "");
	}
	assert_int_equal(got.request, 7);
	assert_int_equal(got.phase, CA_PREPARE);
	assert_int_equal(got.rc, 0);
	assert_true(keyfile_exists(path("ca-key-new.pem")));
	assert_true(keyfile_exists(path("ca-new.pem")));
	assert_true(keyfile_exists(path("ca-cross.pem")));
	/* Called off: aside, not away. */
	give_phase(parent_ca_step, 9, CA_NONE);
	assert_int_equal(got.type, IMSG_KEY_CA_USE);
	assert_int_equal(got.body[0], KEY_CA_USE_DISCARD);
	used(KEY_RC_OK);
	assert_int_equal(got.request, 9);
	assert_int_equal(got.rc, 0);
	assert_true(is("ca-key-new.pem", NULL));
	assert_true(keyfile_exists(path(RETIRED "/ca-key-new.pem")));
	assert_true(is("ca-key.pem", "old key"));
	/* Another one in the same second has its place beside it. */
	for (i = 0; i < 3; i++) {
		put("ca-key-new.pem", "later");
		give_phase(parent_ca_step, 10, CA_NONE);
		used(KEY_RC_OK);
		assert_int_equal(got.rc, 0);
		assert_true(is("ca-key-new.pem", NULL));
	}
	assert_true(is(RETIRED "/ca-key-new.pem.1", "later"));
	assert_true(is(RETIRED "/ca-key-new.pem.3", "later"));
}

static void
test_prepare_fails(void **state)
{
	(void)state;
	clean();
	give_phase(parent_ca_step, 7, CA_PREPARE);
	loaded(KEY_LOADED_NEW, "");
	loaded(KEY_LOADED_FAILED, "no space");
	assert_int_equal(got.rc, 1);
	assert_non_null(strstr(got.why, "ca-new.pem.new: no space"));
	assert_true(is("ca-key-new.pem", NULL));
	/* An answer that comes late does no harm. */
	loaded(KEY_LOADED_NEW, "");
	assert_int_equal(got.stepped, 1);
	/* A CA of path length 0: said, and no file is left of it. */
	give_phase(parent_ca_step, 8, CA_PREPARE);
	loaded(KEY_LOADED_OLD, "");
	loaded(KEY_LOADED_NEW, "");
	loaded(KEY_LOADED_NONE, "path length 0");
	assert_int_equal(got.rc, 0);
	assert_string_equal(got.why, "path length 0");
	assert_true(keyfile_exists(path("ca-key-new.pem")));
	assert_true(is("ca-cross.pem", NULL));
}

static void
test_use(void **state)
{
	(void)state;
	clean();
	give_phase(parent_ca_step, 3, CA_ISSUE);
	assert_int_equal(got.body[0], KEY_CA_USE_NEW);
	used(KEY_RC_OK);
	assert_int_equal(got.rc, 0);
	give_phase(parent_ca_step, 4, CA_DRAIN);
	assert_int_equal(got.body[0], KEY_CA_USE_ONLY);
	used(KEY_RC_REFUSED);
	assert_int_equal(got.rc, 1);
	/* An id of 0 is not a question of the engine's. */
	give_phase(parent_ca_step, 0, CA_DRAIN);
	assert_int_equal(got.broken, 1);
}

/*
 * A drop is five renames.  Whatever number of them a kill -9 has left done,
 * saying it again does the rest, and nothing is lost.
 */
static void
test_drop_anywhere(void **state)
{
	static const char *const	 moves[][2] = {
		{ "ca-key.pem", RETIRED "/ca-key.pem" },
		{ "ca-key-new.pem", "ca-key.pem" },
		{ "ca.pem", RETIRED "/ca.pem" },
		{ "ca-new.pem", "ca.pem" },
		{ "ca-cross.pem", RETIRED "/ca-cross.pem" }
	};
	char				 from[300];
	size_t				 done, i;

	(void)state;
	for (done = 0; done <= nitems(moves); done++) {
		clean();
		put("ca-key-new.pem", "new key");
		put("ca-new.pem", "new");
		put("ca-cross.pem", "cross");
		if (done > 0)
			assert_int_equal(mkdir(path(RETIRED), 0700), 0);
		for (i = 0; i < done; i++) {
			(void)strlcpy(from, path(moves[i][0]), sizeof(from));
			assert_int_equal(rename(from, path(moves[i][1])), 0);
		}
		give_phase(parent_ca_step, 5, CA_DROP);
		assert_int_equal(got.body[0], KEY_CA_USE_PROMOTE);
		used(KEY_RC_OK);
		assert_int_equal(got.rc, 0);
		assert_true(is("ca-key.pem", "new key"));
		assert_true(is("ca.pem", "new"));
		assert_true(is("ca-key-new.pem", NULL));
		assert_true(is("ca-new.pem", NULL));
		assert_true(is("ca-cross.pem", NULL));
		assert_true(is(RETIRED "/ca-key.pem", "old key"));
		assert_true(is(RETIRED "/ca.pem", "old"));
		assert_true(is(RETIRED "/ca-cross.pem", "cross"));
		/* And once more, as after a kill before the answer. */
		give_phase(parent_ca_step, 6, CA_DROP);
		used(KEY_RC_OK);
		assert_true(is("ca-key.pem", "new key"));
		assert_true(is(RETIRED "/ca-key.pem", "old key"));
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_prepare),
		cmocka_unit_test(test_prepare_fails),
		cmocka_unit_test(test_use),
		cmocka_unit_test(test_drop_anywhere),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
