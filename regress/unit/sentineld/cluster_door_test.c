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

#include "cluster_rig.h"

/* Who gets in, how many, and who waits at the door. */

static void
test_strangers(void **state)
{
	struct client	 c;
	uint64_t	 failures = clu->handshake_failures;

	(void)state;
	/* Thinks it is connected until it reads. */
	client_begin(&c, &stranger, TLSCONF_H2);
	loop_until(base, &c.ended);
	client_close(&c);
	client_begin(&c, &agent, NULL);
	loop_until(base, &c.ended);
	client_close(&c);
	assert_true(clu->handshake_failures >= failures + 2);
	assert_null(sent_find(IMSG_AGENT_OPEN));
}

/* As long as the machine needs to accept so many. */
static void
loop_unproven(size_t n)
{
	monotime_t	 begin = monotime_now();

	while (clu->nunproven < n && monotime_now() - begin < LOOP_MSEC)
		loop_for(base, 10);
	assert_int_equal(clu->nunproven, n);
}

static void
loop_empty(void)
{
	monotime_t	 begin = monotime_now();

	while (clu->nconns > 0 && monotime_now() - begin < LOOP_MSEC)
		loop_for(base, 10);
	assert_int_equal(clu->nconns, 0);
}

/* Silence is ended, and one address does not get every place. */
static void
test_slots(void **state)
{
	int	 fds[CLUSTER_UNPROVEN_ADDR + 10], i;
	char	 b;

	(void)state;
	give_conf(2000, 60000, 60000, 100);
	for (i = 0; i < (int)nitems(fds); i++)
		fds[i] = dial();
	loop_unproven(CLUSTER_UNPROVEN_ADDR);
	loop_for(base, 200);
	assert_int_equal(clu->nunproven, CLUSTER_UNPROVEN_ADDR);
	for (i = 0; i < (int)nitems(fds); i++)
		if (i >= CLUSTER_UNPROVEN_ADDR)
			assert_int_equal(recv(fds[i], &b, 1, MSG_DONTWAIT),
			    0);
	loop_empty();
	for (i = 0; i < (int)nitems(fds); i++)
		(void)close(fds[i]);
	give_conf(2000, 60000, 60000, 100);
}

/* Many addresses: whoever has waited longest makes room. */
static void
test_evict(void **state)
{
	static int	 fds[CLUSTER_UNPROVEN_MAX + 10];
	struct client	 c;
	int		 i;

	(void)state;
	give_conf(10000, 60000, 60000, 100);
	for (i = 0; i < (int)nitems(fds); i++) {
		fds[i] = dial_from(2 + (uint32_t)i / 100);
		if (i % 50 == 0)
			loop_for(base, 1);
	}
	loop_unproven(CLUSTER_UNPROVEN_MAX);
	loop_for(base, CLUSTER_EVICT_MSEC);
	client_open(&c, &agent);
	loop_for(base, 20);
	assert_int_equal(clu->nunproven, CLUSTER_UNPROVEN_MAX - 1);
	assert_int_equal(clu->nconns, CLUSTER_UNPROVEN_MAX);
	client_close(&c);
	for (i = 0; i < (int)nitems(fds); i++)
		(void)close(fds[i]);
	loop_empty();
	give_conf(2000, 60000, 60000, 100);
}

/* Out of descriptors: a pause, and then as before. */
static void
test_descriptors(void **state)
{
	struct client	 c;
	int		 fd, maxfd = clu->maxfd;

	(void)state;
	clu->maxfd = 8;
	fd = dial();
	loop_for(base, 50);
	assert_int_equal(clu->nconns, 0);
	assert_false(event_pending(clu->accept_ev, EV_READ, NULL));
	clu->maxfd = maxfd;
	(void)close(fd);
	client_open(&c, &agent);
	client_close(&c);
}

static void
test_max_agents(void **state)
{
	struct client	 c[CLUSTER_PER_HOST + 1], d;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(c); i++)
		client_open(&c[i], &agent);
	/* One certificate: the oldest made room. */
	loop_until(base, &c[0].ended);
	assert_false(c[1].ended);
	give_conf(2000, 60000, 60000, CLUSTER_PER_HOST);
	client_begin(&d, &agent, TLSCONF_H2);
	loop_until(base, &d.ended);
	for (i = 0; i < nitems(c); i++)
		client_close(&c[i]);
	client_close(&d);
	give_conf(2000, 60000, 60000, 100);
}

/* The old context lives as long as a handshake that began with it. */
static void
test_identity(void **state)
{
	struct client	 c;
	int		 fd;

	(void)state;
	fd = dial();
	while (clu->nconns == 0)
		loop_for(base, 1);
	give_identity();
	assert_non_null(sent_find(IMSG_CLUSTER_IDENTITY_OK));
	assert_ptr_not_equal(TAILQ_FIRST(&clu->identities), clu->identity);
	(void)close(fd);
	loop_for(base, 20);
	assert_ptr_equal(TAILQ_FIRST(&clu->identities), clu->identity);
	/* The same key: still there. */
	assert_int_equal(nkeys, 1);
	client_open(&c, &agent);
	client_close(&c);
	assert_true(nsigned > 0);
}

static void
hold(enum hold_kind kind, const void *key, size_t len, uint32_t msec)
{
	struct ibuf	*b = ibuf_dynamic(32, 64);

	assert_non_null(b);
	assert_true(ibuf_add_n8(b, kind) == 0 &&
	    ibuf_add_bytes(b, key, len) == 0 && ibuf_add_n32(b, msec) == 0);
	handle(ROLE_ENGINE, IMSG_CLUSTER_HOLD, 0, -1, ibuf_data(b),
	    ibuf_size(b));
	ibuf_free(b);
}

/* Who crashed the process before this one waits at the door. */
static void
test_hold(void **state)
{
	static const uint8_t	 net[16] = { [12] = 127, [15] = 9 };
	struct client		 c;
	char			 b;
	int			 fd;

	(void)state;
	hold(HOLD_ADDRESS, net, sizeof(net), 400);
	hold(HOLD_HOST, HELD_HOST, 32, 400);
	fd = dial_from(9);
	loop_for(base, 50);
	assert_int_equal(recv(fd, &b, 1, MSG_DONTWAIT), 0);
	(void)close(fd);
	client_begin(&c, &held, TLSCONF_H2);
	loop_until(base, &c.ended);
	client_close(&c);
	/* Nobody else, and not for ever. */
	client_open(&c, &agent);
	client_close(&c);
	loop_for(base, 400);
	client_open(&c, &held);
	client_close(&c);
	fd = dial_from(9);
	loop_unproven(1);
	(void)close(fd);
	assert_int_equal(nbroken, 0);
	/* Broken ones. */
	hold(HOLD_ADDRESS, HELD_HOST, 32, 400);
	hold(HOLD_HOST, net, sizeof(net), 400);
	hold((enum hold_kind)3, net, sizeof(net), 400);
	assert_int_equal(nbroken, 3);
	loop_empty();
}

/* Somebody is noted while we work for him, and nobody in between. */
static void
test_page(void **state)
{
	struct crash_note	 note;
	struct client		 c;
	uint8_t			 raw[CRASHPAGE_NOTE_LEN];

	(void)state;
	assert_int_not_equal(page_fd = crashpage_make(), -1);
	handle(ROLE_PARENT, IMSG_CONF_CRASHPAGE, 0, dup(page_fd), NULL, 0);
	client_open(&c, &held);
	client_call(&c, CALL_CHANNEL);
	while (sent_find(IMSG_AGENT_OPEN) == NULL)
		loop_for(base, 10);
	/* What the page said when the engine was asked. */
	assert_int_equal(crashpage_read(page_raw, sizeof(page_raw), &note), 1);
	assert_string_equal(note.cr_address, "127.0.0.1");
	assert_string_equal(note.cr_host, HELD_HOST);
	loop_for(base, 20);
	assert_int_equal(crashpage_copy(page_fd, raw), 0);
	assert_int_equal(crashpage_read(raw, sizeof(raw), &note), 0);
	client_close(&c);
	(void)close(page_fd);
	page_fd = -1;
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(test_strangers, fresh),
		cmocka_unit_test_setup(test_slots, fresh),
		cmocka_unit_test_setup(test_evict, fresh),
		cmocka_unit_test_setup(test_descriptors, fresh),
		cmocka_unit_test_setup(test_max_agents, fresh),
		cmocka_unit_test_setup(test_identity, fresh),
		cmocka_unit_test_setup(test_hold, fresh),
		cmocka_unit_test_setup(test_page, fresh),
	};

	return (cmocka_run_group_tests(tests, set_up, NULL));
}
