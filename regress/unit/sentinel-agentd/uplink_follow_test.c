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

#include <stdlib.h>
#include <string.h>

#include "follow.h"
#include "h2.h"
#include "imsg_rule.h"
#include "uplink.h"

/*
 * FollowLogs calls in uplink: when credit goes back, and who hears of the end.
 * gRPC and the engine are played here.
 */
struct grpc_call {
	void	*arg;
	size_t	 queued;
	bool	 canceled, half_closed;
	unsigned int sent;
};

static struct grpc_call	 calls[4];
static size_t		 ncalls;
static bool		 no_call, no_room;
static struct peer	 engine = { .pe_role = ROLE_A_ENGINE };
static struct attempt	 attempt;

/* What the engine was told last, and in all. */
static unsigned int	 told, credit, ended;
static uint32_t		 last_id, last_status;

/* --- neighbours --------------------------------------------------------- */

struct grpc_call *
grpc_call_start(struct grpc_conn *c, const struct grpc_method *m,
    unsigned int msec, void *arg)
{
	(void)c;
	assert_string_equal(m->gm_path,
	    "/sentinel.cluster.AgentService/FollowLogs");
	assert_int_equal(msec, 0);
	if (no_call || ncalls == nitems(calls))
		return (NULL);
	memset(&calls[ncalls], 0, sizeof(calls[0]));
	calls[ncalls].arg = arg;
	return (&calls[ncalls++]);
}

int
grpc_call_send(struct grpc_call *c, const void *data, size_t len)
{
	(void)data;
	assert_false(c->canceled);
	if (no_room)
		return (-1);
	c->sent++;
	c->queued += len;
	return (0);
}

int
grpc_call_half_close(struct grpc_call *c)
{
	c->half_closed = true;
	return (0);
}

void
grpc_call_cancel(struct grpc_call *c)
{
	c->canceled = true;
}

size_t
grpc_call_queued(const struct grpc_call *c)
{
	return (c->queued);
}

void *
grpc_call_arg(const struct grpc_call *c)
{
	return (c->arg);
}

struct peer *
proc_peer(enum role role)
{
	assert_int_equal(role, ROLE_A_ENGINE);
	return (&engine);
}

int
peer_send_pb(struct peer *p, uint32_t type, uint32_t id,
    const ProtobufCMessage *pb)
{
	const Sentinel__Ipc__UplinkFollowed	*m;

	assert_ptr_equal(p, &engine);
	assert_int_equal(type, IMSG_UPLINK_FOLLOWED);
	m = (const Sentinel__Ipc__UplinkFollowed *)(const void *)pb;
	told++;
	credit += m->sent;
	ended += m->ended;
	last_id = id;
	last_status = m->status;
	return (0);
}

/* --- the engine ----------------------------------------------------------- */

static int
up(void **state)
{
	(void)state;
	ncalls = 0;
	no_call = no_room = false;
	told = credit = ended = 0;
	return (0);
}

static int
down(void **state)
{
	(void)state;
	follow_clear();
	return (0);
}

/* len bytes of message. */
static void
ask(uint32_t id, bool open, size_t len, bool end)
{
	static uint8_t			 bytes[FOLLOW_MESSAGE_MAXBYTES];
	Sentinel__Ipc__UplinkFollow	 m;

	sentinel__ipc__uplink_follow__init(&m);
	m.open = open;
	m.message.data = bytes;
	m.message.len = len;
	m.end = end;
	follow_request(&attempt, id, &m);
}

/* --- tests --------------------------------------------------------------- */

/* The stream_id and the end take no credit, so none comes back for them. */
static void
test_credit(void **state)
{
	(void)state;
	ask(5, true, 20, false);
	assert_true(follow_is_known(5));
	assert_int_equal(calls[0].sent, 1);
	assert_int_equal(told, 0);
	ask(5, false, 100, false);
	assert_int_equal(credit, 1);
	/* Above the mark it waits, and comes at once when that has left. */
	ask(5, false, H2_QUEUE_LOW, false);
	ask(5, false, 100, false);
	assert_int_equal(credit, 1);
	calls[0].queued = 0;
	assert_true(follow_drained(&calls[0]));
	assert_int_equal(credit, 3);
	assert_int_equal(last_id, 5);
	assert_true(follow_drained(&calls[0]));
	assert_int_equal(credit, 3);
	ask(5, false, 30, true);
	assert_true(calls[0].half_closed);
	assert_int_equal(credit, 3);
	assert_int_equal(ended, 0);
	assert_true(follow_status(&calls[0], GRPC_OK, ""));
	assert_int_equal(ended, 1);
	assert_int_equal(last_status, GRPC_OK);
	assert_false(follow_is_known(5));
}

/* What the engine still says to one that has ended, or never was. */
static void
test_late(void **state)
{
	(void)state;
	ask(9, false, 100, false);
	ask(9, false, 100, true);
	assert_int_equal(ncalls, 0);
	assert_int_equal(told, 0);
	ask(9, true, 20, false);
	assert_true(follow_status(&calls[0], GRPC_FAILED_PRECONDITION,
	    "nobody waits for this stream"));
	assert_int_equal(last_status, GRPC_FAILED_PRECONDITION);
	ask(9, false, 100, false);
	ask(9, false, 0, true);
	assert_int_equal(calls[0].sent, 1);
	assert_int_equal(told, 1);
}

/* No call to be had, or no room in it: told at once, and forgotten. */
static void
test_fault(void **state)
{
	(void)state;
	no_call = true;
	ask(1, true, 20, false);
	assert_int_equal(ended, 1);
	assert_int_equal(last_status, GRPC_UNAVAILABLE);
	assert_false(follow_is_known(1));
	no_call = false;
	ask(2, true, 20, false);
	no_room = true;
	ask(2, false, 100, true);
	assert_int_equal(ended, 2);
	assert_int_equal(last_status, GRPC_RESOURCE_EXHAUSTED);
	assert_true(calls[0].canceled);
	assert_false(calls[0].half_closed);
	assert_false(follow_is_known(2));
	ask(3, true, 20, false);
	assert_int_equal(ended, 3);
	assert_false(follow_is_known(3));
}

/* Each call for itself; with the connection all are forgotten in silence. */
static void
test_many(void **state)
{
	struct grpc_call	 channel = { .arg = NULL };

	(void)state;
	ask(1, true, 20, false);
	ask(2, true, 20, false);
	ask(1, false, 2 * H2_QUEUE_LOW, false);
	ask(2, false, 100, false);
	assert_int_equal(credit, 1);
	assert_int_equal(last_id, 2);
	/* The Channel's call is none of ours. */
	assert_false(follow_drained(&channel));
	assert_false(follow_status(&channel, GRPC_OK, ""));
	told = 0;
	follow_clear();
	assert_int_equal(told, 0);
	assert_false(follow_is_known(1));
	assert_false(follow_is_known(2));
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, down)
	const struct CMUnitTest	 tests[] = {
		T(test_credit),
		T(test_late),
		T(test_fault),
		T(test_many),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
