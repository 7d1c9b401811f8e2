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

/* Turns of the channels of one process: who is served, and when. */
#include "unit.h"

#include <sys/socket.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc_internal.h"

#define SIGN_LEN	101
#define SIGN_MAX	10000		/* 64 KiB hold 560 */

static int		 syncfd, asyncfd;	/* ends of the siblings */
static unsigned int	 nsigned, nasked;

static void
say(int fd, uint32_t type, size_t len, unsigned int n)
{
	struct imsgbuf	 ib;
	uint8_t		 body[SIGN_LEN] = { 0 };

	assert_int_equal(imsgbuf_init(&ib, fd), 0);
	while (n-- > 0)
		assert_int_equal(imsg_compose(&ib, type, 0, -1, body, len), 0);
	assert_int_equal(imsgbuf_flush(&ib, 1000), 0);
	imsgbuf_clear(&ib);
}

/* Its asker has the next question there before this one is answered. */
static void
on_sign(struct peer *p, struct imsg *m)
{
	(void)m;
	assert_true(p->pe_sync);
	/* It goes first, and gives way after what one read brought. */
	if (nsigned++ == 0)
		assert_int_equal(nasked, 0);
	if (nsigned > SIGN_MAX)
		assert_int_not_equal(nasked, 0);
	say(syncfd, IMSG_KEY_SIGN, SIGN_LEN, 1);
}

static void
on_mac(struct peer *p, struct imsg *m)
{
	(void)m;
	assert_int_equal(p->pe_role, ROLE_ENGINE);
	nasked++;
}

static void
on_broken(struct peer *p, const char *why)
{
	fail_msg("%s: %s", proc_rolename(p->pe_role), why);
}

static void
on_lost(struct peer *p)
{
	fail_msg("%s: lost", proc_rolename(p->pe_role));
}

static const struct proc_handler handlers[] = {
	{ IMSG_KEY_SIGN, on_sign },
	{ IMSG_KEY_MAC, on_mac },
	{ 0, NULL }
};
static const struct proc_row rows[] = {
	{ .pr_role = ROLE_PARENT, .pr_name = "parent" },
	{ .pr_role = ROLE_KEYHOLDER, .pr_name = "keyholder",
	  .pr_handlers = handlers },
	{ .pr_role = ROLE_CLUSTER, .pr_name = "cluster" },
	{ .pr_role = ROLE_ENGINE, .pr_name = "engine" },
};
static const struct proc_table table = { "test", rows, nitems(rows), NULL, 0 };
static const struct proc_hooks hooks = { NULL, on_lost, on_broken };

static struct peer *
open_peer(enum role role, bool sync, int *other)
{
	struct peer	*p;
	int		 sp[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0,
	    sp), 0);
	p = peer_open(role, sp[0], sync);
	peer_listen(p);
	*other = sp[1];
	return (p);
}

/*
 * A signing channel goes first.  One that never falls silent, because somebody
 * owns the process at its end, must not keep the engine out.
 */
static void
test_turns(void **state)
{
	struct peer	*async, *sync;
	unsigned int	 i;

	(void)state;
	proc_setup(&table, &rows[1], &hooks);
	sync = open_peer(ROLE_CLUSTER, true, &syncfd);
	async = open_peer(ROLE_ENGINE, false, &asyncfd);
	say(syncfd, IMSG_KEY_SIGN, SIGN_LEN, 100);
	say(asyncfd, IMSG_KEY_MAC, 3, 1);
	while (nasked < 1)
		(void)event_base_loop(proc_base(), EVLOOP_ONCE);
	assert_true(nsigned > 0);
	/* Nor is it kept out itself. */
	i = nsigned;
	say(asyncfd, IMSG_KEY_MAC, 3, 1000);
	while (nasked < 1001)
		(void)event_base_loop(proc_base(), EVLOOP_ONCE);
	assert_true(nsigned > i);

	/* On hold it stays on hold, turn or no turn. */
	peer_hold(sync);
	i = nsigned;
	(void)event_base_loop(proc_base(), EVLOOP_NONBLOCK);
	(void)event_base_loop(proc_base(), EVLOOP_NONBLOCK);
	assert_int_equal(nsigned, i);
	peer_close(sync);
	peer_close(async);
	(void)event_base_loop(proc_base(), EVLOOP_NONBLOCK);
	(void)close(syncfd);
	(void)close(asyncfd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_turns)
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
