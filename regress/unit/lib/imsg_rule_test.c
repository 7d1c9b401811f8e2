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

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "imsg.h"
#include "imsg_rule.h"

static enum role
lowest(uint32_t mask)
{
	return ((enum role)(ffs((int)mask) - 1));
}

/* As imsgbuf_get() would give it. */
static void
message(struct imsg *m, uint32_t type, size_t body, bool fd, bool lost)
{
	memset(m, 0, sizeof(*m));
	m->hdr.type = type;
	m->hdr.len = (uint32_t)(IMSG_HEADER_SIZE + body);
	assert_non_null(m->buf = ibuf_open(body));
	assert_int_equal(ibuf_add_zero(m->buf, body), 0);
	if (fd)
		ibuf_fd_set(m->buf, open("/dev/null", O_RDONLY));
	m->fd_lost = lost;
}

static void
expect(const struct imsg_rule *ir, size_t body, bool fd, bool lost,
    enum role from, enum role to, const char *want)
{
	const char	*got;
	struct imsg	 m;

	message(&m, ir->ir_type, body, fd, lost);
	got = imsg_rule_check(&m, from, to);
	imsg_free(&m);
	if ((got == NULL) != (want == NULL) ||
	    (want != NULL && strcmp(got, want) != 0))
		fail_msg("%s, %zu bytes, fd %d, %d -> %d: %s, want %s",
		    ir->ir_name, body, fd, from, to,
		    got != NULL ? got : "passes",
		    want != NULL ? want : "passes");
}

static void
test_rows(void **state)
{
	const struct imsg_rule	*ir;
	enum role		 f, t;
	unsigned int		 r;
	size_t			 i;
	bool			 fd;

	(void)state;
	for (i = 0; (ir = imsg_rule_at(i)) != NULL; i++) {
		f = lowest(ir->ir_from);
		t = lowest(ir->ir_to);
		fd = ir->ir_fd == FD;
		expect(ir, ir->ir_min, fd, false, f, t, NULL);
		expect(ir, ir->ir_max, fd, false, f, t, NULL);
		expect(ir, ir->ir_max + 1, fd, false, f, t, "body too long");
		if (ir->ir_min > 0)
			expect(ir, ir->ir_min - 1, fd, false, f, t,
			    "body too short");
		expect(ir, ir->ir_min, !fd, false, f, t,
		    fd ? "descriptor missing" : "unexpected descriptor");
		expect(ir, ir->ir_min, false, true, f, t, "descriptor lost");
		for (r = 0; r <= ROLE_MAX; r++) {
			if (r == ROLE_MAX || !(ir->ir_from & ROLE_BIT(r)))
				expect(ir, ir->ir_min, fd, false,
				    (enum role)r, t, "wrong sender");
			if (r == ROLE_MAX || !(ir->ir_to & ROLE_BIT(r)))
				expect(ir, ir->ir_min, fd, false, f,
				    (enum role)r, "wrong receiver");
		}
	}
	assert_true(i > 10);
}

static void
test_table(void **state)
{
	const struct imsg_rule	*ir;
	uint32_t		 last = IMSG_NONE;
	size_t			 i;

	(void)state;
	for (i = 0; (ir = imsg_rule_at(i)) != NULL; i++) {
		/* In order, so that a number is easy to find and to choose. */
		if (ir->ir_type <= last)
			fail_msg("%s: out of order", ir->ir_name);
		last = ir->ir_type;
		assert_ptr_equal(imsg_rule_find(ir->ir_type), ir);
		assert_string_equal(imsg_rule_name(ir->ir_type), ir->ir_name);
		assert_int_not_equal(ir->ir_from, 0);
		assert_int_not_equal(ir->ir_to, 0);
		assert_true(ir->ir_min <= ir->ir_max);
		assert_true(ir->ir_max <= IMSG_MAXBODY);
	}
	assert_null(imsg_rule_find(IMSG_NONE));
	assert_null(imsg_rule_find(UINT32_MAX));
	assert_string_equal(imsg_rule_name(UINT32_MAX), "unknown");
}

static void
test_unknown(void **state)
{
	struct imsg	 m;

	(void)state;
	message(&m, UINT32_MAX, 0, false, false);
	assert_string_equal(imsg_rule_check(&m, ROLE_PARENT, ROLE_ENGINE),
	    "unknown type");
	imsg_free(&m);
}

static void
test_maxbody(void **state)
{
	const struct imsg_rule	*ir;
	size_t			 i;

	(void)state;
	for (i = 0; (ir = imsg_rule_at(i)) != NULL; i++)
		assert_true(imsg_rule_maxbody(lowest(ir->ir_from),
		    lowest(ir->ir_to)) >= ir->ir_max);
	/* Pairs that have nothing to say to each other. */
	assert_int_equal(imsg_rule_maxbody(ROLE_MAX, ROLE_PARENT), 0);
	assert_int_equal(imsg_rule_maxbody(ROLE_CLIENT, ROLE_PARENT), 0);
}

static void
test_hash(void **state)
{
	uint8_t	 a[IMSG_RULE_HASHLEN], b[IMSG_RULE_HASHLEN];
	uint8_t	 zero[IMSG_RULE_HASHLEN] = { 0 };

	(void)state;
	imsg_rule_hash(a);
	imsg_rule_hash(b);
	assert_memory_equal(a, b, sizeof(a));
	assert_memory_not_equal(a, zero, sizeof(a));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_unknown),
		cmocka_unit_test(test_maxbody),
		cmocka_unit_test(test_hash),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
