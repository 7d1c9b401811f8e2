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

#include <sys/socket.h>

#include <stdlib.h>
#include <string.h>

#include "keyholder.h"
#include "sentineld.h"
#include "xmalloc.h"

/*
 * The parent's part of a new server certificate: which names it takes from the
 * engine, and that each question is answered once.
 */
static struct event_base *base;
static struct peer	 engine = { .pe_role = ROLE_ENGINE };
static struct conf_names configured;
static bool		 loaded;
static unsigned int	 nnames;	/* KEY_NAMES sent */
static uint32_t		 names_id;
static char		 names_text[256];
static unsigned int	 nanswers, nbroken;
static uint32_t		 answer_id;
static uint8_t		 answer_rc;
static char		 answer_why[300];

/* --- neighbours --------------------------------------------------------- */

struct event_base *
proc_base(void)
{
	if (base == NULL)
		base = event_base_new();
	return (base);
}

struct peer *
proc_peer(enum role role)
{
	assert_int_equal(role, ROLE_ENGINE);
	return (&engine);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *buf)
{
	struct ibuf	 b;

	assert_ptr_equal(p, &engine);
	assert_int_equal(type, IMSG_SERVER_RENEWED);
	assert_int_equal(fd, -1);
	ibuf_from_buffer(&b, ibuf_data(buf), ibuf_size(buf));
	assert_int_equal(ibuf_get_n8(&b, &answer_rc), 0);
	assert_int_equal(ibuf_get_string(&b, answer_why, sizeof(answer_why)),
	    0);
	assert_int_equal(ibuf_end(&b), 0);
	answer_id = id;
	nanswers++;
	return (0);
}

void
peer_broken(struct peer *p, const struct imsg *imsg, const char *text)
{
	(void)p;
	(void)imsg;
	(void)text;
	nbroken++;
}

const struct conf_names *
parent_keys_advertise(void)
{
	return (loaded ? &configured : NULL);
}

void
parent_keys_names(const struct conf_names *n, uint32_t id)
{
	size_t	 i;

	nnames++;
	names_id = id;
	names_text[0] = '\0';
	for (i = 0; i < n->n_len; i++) {
		(void)strlcat(names_text, n->n_name[i], sizeof(names_text));
		(void)strlcat(names_text, " ", sizeof(names_text));
	}
}

/* --- helpers ------------------------------------------------------------ */

static void
give(uint32_t id, const struct ibuf *body)
{
	struct imsg	 m;

	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_SERVER_RENEW;
	m.hdr.peerid = id;
	m.hdr.len = (uint32_t)(IMSG_HEADER_SIZE + ibuf_size(body));
	m.buf = ibuf_dynamic(ibuf_size(body) + 1, ibuf_size(body) + 1);
	assert_non_null(m.buf);
	assert_int_equal(ibuf_add(m.buf, ibuf_data(body), ibuf_size(body)),
	    0);
	assert_null(imsg_rule_check(&m, ROLE_ENGINE, ROLE_PARENT));
	parent_renew_ask(&engine, &m);
	imsg_free(&m);
}

static void
ask(uint32_t id, bool with, const char *const *names)
{
	struct ibuf	*b = ibuf_dynamic(64, 32768);

	assert_int_equal(ibuf_add_n8(b, with), 0);
	for (; names != NULL && *names != NULL; names++)
		assert_int_equal(ibuf_add_string(b, *names), 0);
	give(id, b);
	ibuf_free(b);
}

static int
fresh(void **state)
{
	(void)state;
	parent_renew_done(names_id, true, "");	/* ends what is open */
	memset(&configured, 0, sizeof(configured));
	loaded = true;
	nnames = nanswers = nbroken = 0;
	answer_id = 0;
	return (0);
}

/* --- tests -------------------------------------------------------------- */

static void
test_names(void **state)
{
	const char	*names[] = { "a.example", "2001:db8::1", NULL };
	const char	*bad[] = { "a.example", "a b", NULL };
	const char	*port[] = { "a.example:9443", NULL };

	(void)state;
	ask(5, true, names);
	assert_int_equal(nnames, 1);
	assert_string_equal(names_text, "a.example 2001:db8::1 ");
	assert_int_equal(nanswers, 0);
	parent_renew_done(names_id, true, "");
	assert_int_equal(nanswers, 1);
	assert_int_equal(answer_id, 5);
	assert_int_equal(answer_rc, 0);
	/* Said twice, or late. */
	parent_renew_done(names_id, true, "");
	parent_renew_done(names_id - 1, false, "");
	assert_int_equal(nanswers, 1);
	ask(6, true, bad);
	assert_int_equal(answer_rc, 2);
	assert_int_equal(answer_id, 6);
	assert_non_null(strstr(answer_why, "a b"));
	ask(7, true, port);
	assert_int_equal(answer_rc, 2);
	assert_int_equal(nnames, 1);
	assert_int_equal(nbroken, 0);
}

/* What the configuration says cannot be changed by the engine. */
static void
test_locked(void **state)
{
	const char	*names[] = { "evil.example", NULL };
	char		*own[] = { (char *)(uintptr_t)"mine.example" };

	(void)state;
	configured.n_name = own;
	configured.n_len = 1;
	ask(5, true, names);
	assert_int_equal(answer_rc, 2);
	assert_non_null(strstr(answer_why, "server.cluster.advertise"));
	assert_int_equal(nnames, 0);
	ask(6, false, NULL);
	assert_string_equal(names_text, "mine.example ");
	parent_renew_done(names_id, false, "no room");
	assert_int_equal(answer_id, 6);
	assert_int_equal(answer_rc, 1);
	assert_string_equal(answer_why, "no room");
}

static void
test_busy(void **state)
{
	uint32_t	 first;

	(void)state;
	loaded = false;
	ask(1, false, NULL);
	assert_int_equal(answer_rc, 1);
	assert_int_equal(nnames, 0);
	loaded = true;
	ask(2, false, NULL);
	first = names_id;
	assert_int_not_equal(first, 0);
	ask(3, false, NULL);
	assert_int_equal(answer_id, 3);
	assert_int_equal(answer_rc, 1);
	assert_int_equal(nnames, 1);
	parent_renew_done(first, true, "");
	assert_int_equal(answer_id, 2);
	ask(4, false, NULL);
	assert_int_not_equal(names_id, first);
	/* The answer to the one before is not this one's. */
	parent_renew_done(first, true, "");
	assert_int_equal(answer_id, 2);
	parent_renew_done(names_id, true, "");
	assert_int_equal(answer_id, 4);
}

static void
test_broken(void **state)
{
	struct ibuf	*b;
	char		 name[255];
	int		 i;

	(void)state;
	memset(name, 'a', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	for (i = 0; i < 5; i++) {
		b = ibuf_dynamic(64, 32768);
		/* Not 0 or 1; names where there are none; cut; long; many. */
		assert_int_equal(ibuf_add_n8(b, i == 0 ? 2 : i != 1), 0);
		if (i == 1)
			assert_int_equal(ibuf_add_string(b, "a"), 0);
		if (i == 2)
			assert_int_equal(ibuf_add_n8(b, 0), 0);
		if (i == 3)
			assert_int_equal(ibuf_add_string(b, name), 0);
		if (i == 4)
			for (unsigned int n = 0; n < 65; n++)
				assert_int_equal(ibuf_add_string(b, "a"), 0);
		give(9, b);
		ibuf_free(b);
		assert_int_equal(nbroken, i + 1);
	}
	assert_int_equal(nnames, 0);
	assert_int_equal(nanswers, 0);
}

static void
test_sum(void **state)
{
	struct conf_server	 cs = { .cs_server_life_msec = 1000 };
	char			*one[] = { (char *)(uintptr_t)"ab",
				    (char *)(uintptr_t)"c" };
	char			*two[] = { (char *)(uintptr_t)"a",
				    (char *)(uintptr_t)"bc" };
	uint64_t		 sum[4];
	size_t			 i, j;

	(void)state;
	sum[0] = parent_renew_sum(&cs);
	cs.cs_advertise.n_name = one;
	cs.cs_advertise.n_len = 2;
	sum[1] = parent_renew_sum(&cs);
	assert_true(sum[1] == parent_renew_sum(&cs));
	cs.cs_advertise.n_name = two;
	sum[2] = parent_renew_sum(&cs);
	cs.cs_server_life_msec = 2000;
	sum[3] = parent_renew_sum(&cs);
	for (i = 0; i < nitems(sum); i++)
		for (j = 0; j < i; j++)
			assert_true(sum[i] != sum[j]);
}

#define T(fn)	cmocka_unit_test_setup(fn, fresh)
int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_names),
		T(test_locked),
		T(test_busy),
		T(test_broken),
		T(test_sum),
	};
	int	 rc;

	rc = cmocka_run_group_tests(tests, NULL, NULL);
	if (base != NULL)
		event_base_free(base);
	return (rc);
}
