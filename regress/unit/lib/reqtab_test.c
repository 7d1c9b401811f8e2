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
#include <stdlib.h>
#include <string.h>

#include "reqtab.h"

struct seen {
	unsigned int	 calls;
	enum req_end	 end;
	struct imsg	*m;
	struct reqtab	*again;		/* add one more from the callback */
	uint32_t	 again_id;
};

static struct event_base *base;

static void
record(void *arg, enum req_end end, struct imsg *m)
{
	struct seen	*s = arg;

	s->calls++;
	s->end = end;
	s->m = m;
	if (s->again != NULL) {
		s->again_id = reqtab_add(s->again, 1, 1000, record, s);
		s->again = NULL;
	}
}

static void
test_answer(void **state)
{
	struct reqtab	*rt;
	struct seen	 a = { 0 }, b = { 0 };
	struct imsg	 m;
	uint32_t	 ida, idb;

	(void)state;
	memset(&m, 0, sizeof(m));
	rt = reqtab_new(base, 8);
	ida = reqtab_add(rt, 1, 1000, record, &a);
	idb = reqtab_add(rt, 2, 1000, record, &b);
	assert_int_not_equal(ida, 0);
	assert_int_not_equal(idb, 0);
	assert_int_not_equal(ida, idb);
	/* Unknown id, and the right one on the channel of another. */
	assert_int_equal(reqtab_answer(rt, 1, ida + 1000, &m), -1);
	assert_int_equal(reqtab_answer(rt, 2, ida, &m), -1);
	assert_int_equal(a.calls, 0);
	assert_int_equal(reqtab_answer(rt, 1, ida, &m), 0);
	assert_int_equal(a.calls, 1);
	assert_int_equal(a.end, REQ_ANSWER);
	assert_ptr_equal(a.m, &m);
	/* Twice. */
	assert_int_equal(reqtab_answer(rt, 1, ida, &m), -1);
	assert_int_equal(a.calls, 1);
	assert_int_equal(reqtab_len(rt), 1);
	reqtab_free(rt);
	assert_int_equal(b.calls, 1);
	assert_int_equal(b.end, REQ_LOST);
	assert_null(b.m);
}

static void
test_timeout(void **state)
{
	struct reqtab	*rt;
	struct seen	 a = { 0 }, b = { 0 };
	uint32_t	 id;

	(void)state;
	rt = reqtab_new(base, 8);
	id = reqtab_add(rt, 1, 5, record, &a);
	(void)reqtab_add(rt, 1, 60000, record, &b);
	assert_int_equal(event_base_loop(base, EVLOOP_ONCE), 0);
	assert_int_equal(a.calls, 1);
	assert_int_equal(a.end, REQ_TIMEOUT);
	assert_int_equal(b.calls, 0);
	assert_int_equal(reqtab_answer(rt, 1, id, NULL), -1);
	reqtab_free(rt);
	assert_int_equal(a.calls, 1);
	reqtab_free(NULL);
}

static void
test_table_end(void **state)
{
	struct reqtab	*rt;
	struct seen	 a = { 0 }, b = { 0 };

	(void)state;
	rt = reqtab_new(base, 8);
	(void)reqtab_add(rt, 1, 1000, record, &a);
	(void)reqtab_add(rt, 2, 1000, record, &b);
	/* Not while the table goes away: it would never end. */
	a.again = rt;
	reqtab_free(rt);
	assert_int_equal(a.calls, 1);
	assert_int_equal(a.end, REQ_LOST);
	assert_int_equal(a.again_id, 0);
	assert_int_equal(b.calls, 1);
	assert_int_equal(b.end, REQ_LOST);
}

static void
test_full(void **state)
{
	struct reqtab	*rt;
	struct seen	 s[3] = { 0 };
	uint32_t	 id;

	(void)state;
	rt = reqtab_new(base, 2);
	id = reqtab_add(rt, 1, 1000, record, &s[0]);
	assert_int_not_equal(reqtab_add(rt, 1, 1000, record, &s[1]), 0);
	assert_int_equal(reqtab_add(rt, 1, 1000, record, &s[2]), 0);
	assert_int_equal(errno, ENOBUFS);
	assert_int_equal(reqtab_answer(rt, 1, id, NULL), 0);
	assert_int_not_equal(reqtab_add(rt, 1, 1000, record, &s[2]), 0);
	reqtab_free(rt);
	assert_int_equal(s[0].calls + s[1].calls + s[2].calls, 3);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_answer),
		cmocka_unit_test(test_timeout),
		cmocka_unit_test(test_table_end),
		cmocka_unit_test(test_full),
	};
	int	 r;

	if ((base = event_base_new()) == NULL)
		return (1);
	r = cmocka_run_group_tests(tests, NULL, NULL);
	event_base_free(base);
	return (r);
}
