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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "confpart.h"
#include "log.h"
#include "monotime.h"

/* Parts of the configuration: as bytes, at the child, from the parent. */
struct part {
	uint64_t	 pa_number;
	char		 pa_text[8];
	uint64_t	 pa_other;
};

static const struct confpart_field	fields[] = {
	CONFPART_NUM(1, part, pa_number),
	CONFPART_STR(2, part, pa_text),
	CONFPART_NUM(63, part, pa_other),
};
static const struct confpart	part = {
	fields, nitems(fields), sizeof(struct part)
};
static const struct part	sample = { 0x0102030405060708, "text", 7 };

/* --- dummy process ------------------------------------------------------ */

static struct {
	struct event_base	*base;
	struct peer		 peer[ROLE_MAX];
	bool			 gone[ROLE_MAX];
	uint32_t		 sent[64];
	enum role		 to[64];
	size_t			 nsent;
	unsigned int		 broken;
	unsigned int		 done;
	bool			 ok;
	unsigned int		 commits;
	bool			 refuse;
} rig;

struct event_base *
proc_base(void)
{
	if (rig.base == NULL)
		rig.base = event_base_new();
	return (rig.base);
}

struct peer *
proc_peer(enum role role)
{
	rig.peer[role].pe_role = role;
	return (rig.gone[role] ? NULL : &rig.peer[role]);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *buf)
{
	(void)id;
	(void)buf;
	assert_int_equal(fd, -1);
	if (p == NULL)
		return (-1);
	assert_true(rig.nsent < nitems(rig.sent));
	rig.to[rig.nsent] = p->pe_role;
	rig.sent[rig.nsent++] = type;
	return (0);
}

void
peer_broken(struct peer *p, const struct imsg *imsg, const char *why)
{
	(void)p;
	(void)imsg;
	assert_string_not_equal(why, "");
	rig.broken++;
}

static size_t
sent(uint32_t type)
{
	size_t	 i, n = 0;

	for (i = 0; i < rig.nsent; i++)
		n += rig.sent[i] == type;
	return (n);
}

static void
give(void (*fn)(struct peer *, struct imsg *), enum role from,
    const void *body, size_t len)
{
	struct imsg	 m;

	memset(&m, 0, sizeof(m));
	m.buf = ibuf_dynamic(len + 1, len + 1);
	assert_int_equal(ibuf_add(m.buf, body, len), 0);
	rig.peer[from].pe_role = from;
	fn(&rig.peer[from], &m);
	imsg_free(&m);
}

static int
setup(void **state)
{
	struct event_base	*base = rig.base;

	(void)state;
	memset(&rig, 0, sizeof(rig));
	rig.base = base;
	return (0);
}

static int
finish(void **state)
{
	(void)state;
	event_base_free(rig.base);
	return (0);
}

/* --- bytes -------------------------------------------------------------- */

static struct ibuf *
packed(uint32_t gen)
{
	struct ibuf	*buf = ibuf_dynamic(64, 16384);

	confpart_pack(&part, &sample, gen, buf);
	return (buf);
}

static int
unpack(const uint8_t *data, size_t len, struct part *out)
{
	struct ibuf	 buf;
	uint8_t		*copy = malloc(len > 0 ? len : 1);
	uint32_t	 gen = 0;
	char		 why[64] = "";
	int		 ret;

	/* Of exactly this size, so that reading past it is noticed. */
	assert_non_null(copy);
	memcpy(copy, data, len);
	ibuf_from_buffer(&buf, copy, len);
	ret = confpart_unpack(&part, &buf, out, &gen, why, sizeof(why));
	assert_true((ret == -1) == (why[0] != '\0'));
	free(copy);
	return (ret);
}

static void
test_roundtrip(void **state)
{
	struct ibuf	*buf = packed(42);
	struct part	 out;
	uint32_t	 gen;
	char		 why[64];

	(void)state;
	assert_int_equal(confpart_unpack(&part, buf, &out, &gen, why,
	    sizeof(why)), 0);
	assert_int_equal(gen, 42);
	assert_memory_equal(&out, &sample, sizeof(out));
	ibuf_free(buf);
}

static void
test_broken(void **state)
{
	struct ibuf	*buf = packed(1);
	const uint8_t	*data = ibuf_data(buf);
	size_t		 len = ibuf_size(buf), i, good = 0;
	uint8_t		*copy = malloc(2 * len);
	struct part	 out;

	(void)state;
	for (i = 0; i < len; i++)
		assert_int_equal(unpack(data, i, &out), -1);
	/* All 1-bit flips: never a crash; text stays text. */
	for (i = 0; i < len * 8; i++) {
		memcpy(copy, data, len);
		copy[i / 8] ^= (uint8_t)(1 << (i % 8));
		if (unpack(copy, len, &out) == 0) {
			good++;
			assert_non_null(memchr(out.pa_text, '\0',
			    sizeof(out.pa_text)));
		}
	}
	assert_true(good >= 32 && good < len * 8);
	/* A field twice: the first ten bytes after the generation. */
	memcpy(copy, data, len);
	memcpy(copy + len, data + 4, 12);
	assert_int_equal(unpack(copy, len + 12, &out), -1);
	/* One byte too many. */
	assert_int_equal(unpack(copy, len + 1, &out), -1);
	free(copy);
	ibuf_free(buf);
}

static void
test_values(void **state)
{
	/* generation, then one string of 8 bytes, or one with a NUL */
	static const uint8_t	 full[] = { 0, 0, 0, 1, 0, 2, 0, 8, 'a', 'b',
	    'c', 'd', 'e', 'f', 'g', 'h' };
	static const uint8_t	 nul[] = { 0, 0, 0, 1, 0, 2, 0, 3, 'a', 0,
	    'c' };
	static const uint8_t	 number[] = { 0, 0, 0, 1, 0, 1, 0, 4, 1, 2, 3,
	    4 };
	static const uint8_t	 unknown[] = { 0, 0, 0, 1, 0, 9, 0, 0 };
	static const uint8_t	 high[] = { 0, 0, 0, 1, 0xff, 0xff, 0, 0 };
	struct part		 out;

	(void)state;
	assert_int_equal(unpack(full, sizeof(full), &out), -1);
	assert_int_equal(unpack(nul, sizeof(nul), &out), -1);
	assert_int_equal(unpack(number, sizeof(number), &out), -1);
	assert_int_equal(unpack(unknown, sizeof(unknown), &out), -1);
	assert_int_equal(unpack(high, sizeof(high), &out), -1);
}

/* --- child -------------------------------------------------------------- */

static struct part	live, staged;

static int
on_check(const void *st, char *why, size_t len)
{
	(void)st;
	(void)strlcpy(why, "not this one", len);
	return (rig.refuse ? -1 : 0);
}

static void
on_commit(bool first)
{
	assert_true(first == (rig.commits == 0));
	rig.commits++;
}

static const struct confpart_child	child = {
	.cc_part = &part,
	.cc_live = &live,
	.cc_staged = &staged,
	.cc_check = on_check,
	.cc_commit = on_commit,
};

static void
offer(uint32_t gen)
{
	struct ibuf	*buf = packed(gen);

	give(confpart_offer, ROLE_PARENT, ibuf_data(buf), ibuf_size(buf));
	ibuf_free(buf);
}

static void
commit(uint8_t gen)
{
	uint8_t	 body[4] = { 0, 0, 0, gen };

	give(confpart_commit, ROLE_PARENT, body, sizeof(body));
}

static void
test_child(void **state)
{
	(void)state;
	confpart_child_init(&child);
	commit(1);
	assert_int_equal(rig.broken, 1);	/* nothing was offered */
	offer(1);
	assert_int_equal(sent(IMSG_CONF_ACCEPT), 1);
	commit(2);
	assert_int_equal(rig.broken, 2);	/* not this one */
	assert_int_equal(live.pa_number, 0);
	commit(1);
	assert_int_equal(rig.commits, 1);
	assert_memory_equal(&live, &sample, sizeof(live));
	commit(1);
	assert_int_equal(rig.broken, 3);	/* twice */
	/* A refused one leaves nothing to commit, not even an older one. */
	offer(2);
	rig.refuse = true;
	offer(3);
	assert_int_equal(sent(IMSG_CONF_REJECT), 1);
	commit(2);
	commit(3);
	assert_int_equal(rig.broken, 5);
	rig.refuse = false;
	offer(4);
	give(confpart_abort, ROLE_PARENT, "\0\0\0\4", 4);
	commit(4);
	assert_int_equal(rig.broken, 6);
	offer(5);
	commit(5);
	assert_int_equal(rig.commits, 2);
	give(confpart_offer, ROLE_PARENT, "\0\0", 2);
	assert_int_equal(rig.broken, 7);
}

/* --- parent ------------------------------------------------------------- */

static uint32_t		pushed;		/* generation */

static void
pack(enum role role, uint32_t gen, struct ibuf *buf)
{
	(void)role;
	pushed = gen;
	confpart_pack(&part, &sample, gen, buf);
}

static void
on_done(bool ok, const char *why)
{
	assert_true(ok == (why == NULL));
	rig.done++;
	rig.ok = ok;
}

static void
accept_from(enum role role, uint32_t gen)
{
	uint8_t	 body[4] = { (uint8_t)(gen >> 24), (uint8_t)(gen >> 16),
		    (uint8_t)(gen >> 8), (uint8_t)gen };

	give(confpart_accept, role, body, sizeof(body));
}

#define BOTH	(ROLE_BIT(ROLE_ENGINE) | ROLE_BIT(ROLE_DOCKER))

static void
test_push(void **state)
{
	(void)state;
	assert_int_equal(confpart_push(BOTH, pack, on_done), 0);
	assert_int_equal(sent(IMSG_CONF_OFFER), 2);
	assert_int_equal(confpart_push(BOTH, pack, on_done), -1);
	assert_int_equal(errno, EBUSY);
	accept_from(ROLE_ENGINE, pushed - 1);		/* late */
	accept_from(ROLE_ENGINE, pushed);
	accept_from(ROLE_ENGINE, pushed);		/* twice */
	assert_int_equal(rig.done, 0);
	accept_from(ROLE_DOCKER, pushed);
	assert_int_equal(rig.done, 1);
	assert_true(rig.ok);
	assert_int_equal(sent(IMSG_CONF_COMMIT), 2);
	accept_from(ROLE_DOCKER, pushed);
	assert_int_equal(rig.done, 1);
}

static void
test_reject(void **state)
{
	uint8_t	 body[] = { 0, 0, 0, 0, 0, 2, 'n', 'o' };

	(void)state;
	assert_int_equal(confpart_push(BOTH, pack, on_done), 0);
	accept_from(ROLE_ENGINE, pushed);
	body[3] = (uint8_t)pushed;
	give(confpart_reject, ROLE_DOCKER, body, sizeof(body));
	assert_int_equal(rig.done, 1);
	assert_false(rig.ok);
	assert_int_equal(sent(IMSG_CONF_ABORT), 2);
	assert_int_equal(sent(IMSG_CONF_COMMIT), 0);
	give(confpart_reject, ROLE_DOCKER, body, 5);
	assert_int_equal(rig.broken, 1);
}

/* One that dies meanwhile: is offered again, or not waited for. */
static void
test_restart(void **state)
{
	(void)state;
	assert_int_equal(confpart_push(BOTH, pack, on_done), 0);
	accept_from(ROLE_DOCKER, pushed);
	assert_int_equal(confpart_repush(ROLE_DOCKER, pack, on_done), 0);
	assert_int_equal(sent(IMSG_CONF_OFFER), 3);
	accept_from(ROLE_ENGINE, pushed);
	assert_int_equal(rig.done, 0);		/* the new one has not */
	accept_from(ROLE_DOCKER, pushed);
	assert_int_equal(rig.done, 1);
	assert_true(rig.ok);
	assert_int_equal(sent(IMSG_CONF_COMMIT), 2);
	/* With none under way it is a push of its own. */
	assert_int_equal(confpart_repush(ROLE_DOCKER, pack, on_done), 0);
	assert_int_equal(sent(IMSG_CONF_OFFER), 4);
	accept_from(ROLE_DOCKER, pushed);
	assert_int_equal(rig.done, 2);
}

static void
test_timeout(void **state)
{
	struct timeval	 tv = monotime_timeval(CONFPART_MSEC + 200);

	(void)state;
	assert_int_equal(confpart_push(BOTH, pack, on_done), 0);
	accept_from(ROLE_ENGINE, pushed);
	rig.gone[ROLE_DOCKER] = true;
	(void)event_base_loopexit(proc_base(), &tv);
	(void)event_base_dispatch(proc_base());
	assert_int_equal(rig.done, 1);
	assert_true(rig.ok);
	assert_int_equal(sent(IMSG_CONF_COMMIT), 1);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_roundtrip, setup),
		cmocka_unit_test_setup(test_broken, setup),
		cmocka_unit_test_setup(test_values, setup),
		cmocka_unit_test_setup(test_child, setup),
		cmocka_unit_test_setup(test_push, setup),
		cmocka_unit_test_setup(test_reject, setup),
		cmocka_unit_test_setup(test_restart, setup),
		cmocka_unit_test_setup(test_timeout, setup),
	};

	return (cmocka_run_group_tests(tests, NULL, finish));
}
