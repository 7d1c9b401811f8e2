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

#include "engine_rig.h"

#include "engine_clone.h"

/* Two machines with one certificate, and one that only moves. */
#define HOST	"0000000000000000000000000000000a"
#define HOME	"192.0.2.1"
#define AWAY	"198.51.100.1"

static struct host	*host;
static uint32_t		 last_call;

/* --- helpers ------------------------------------------------------------ */

static int
up(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	host = rig_host(HOST, "alpha");
	(void)strlcpy(host->h_serial, "0a", sizeof(host->h_serial));
	host->h_not_after = time(NULL) + 3600;
	host->h_dirty = true;
	return (host_flush(0));
}

/* A stream from an address: the status it is let in or refused with. */
static uint32_t
stream(const char *address, const char *serial)
{
	Sentinel__Ipc__AgentAdmit	*m;
	Sentinel__Ipc__AgentOpen	 open;
	struct pbmem			 pm;
	struct sent			*s;
	uint8_t				 point[ECKEY_POINT_LEN] = { 4 };
	uint32_t			 status;

	sentinel__ipc__agent_open__init(&open);
	open.kind = SENTINEL__IPC__AGENT_OPEN__KIND__CHANNEL;
	open.host_id = rig_str(HOST);
	open.serial = rig_str(serial);
	open.point.data = point;
	open.point.len = sizeof(point);
	open.not_after = time(NULL) + 3600;
	open.address = rig_str(address);
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_OPEN, ++last_call, &open.base);
	s = rig_take(IMSG_AGENT_ADMIT, last_call);
	m = rig_unpack(s, &sentinel__ipc__agent_admit__descriptor, &pm);
	status = m->status;
	if (status != 0)
		assert_string_equal(m->message, GATE_TEXT_FROZEN);
	pbmem_free(&pm);
	rig_free(s);
	return (status);
}

/* The clock of the rule alone: sec seconds after the start, the stream from
 * one address was heard age seconds ago when the other one comes. */
static bool
switched(const char *from, const char *to, int sec, int age)
{
	struct session	 old;
	monotime_t	 now = (monotime_t)(sec + 100000) * 1000;

	memset(&old, 0, sizeof(old));
	(void)strlcpy(old.se_address, from, sizeof(old.se_address));
	(void)strlcpy(old.se_serial, "0a", sizeof(old.se_serial));
	old.se_answered = now - (monotime_t)age * 1000;
	return (clone_switched(host, &old, to, "0a", now));
}

/* --- the rule ----------------------------------------------------------- */

static void
test_rule(void **state)
{
	(void)state;
	assert_false(switched(HOME, AWAY, 0, 1));
	assert_false(switched(AWAY, HOME, 300, 10));
	assert_true(switched(HOME, AWAY, 600, 10));
	/* One that is a second too late; then it is within ten minutes. */
	memset(&host->h_clone, 0, sizeof(host->h_clone));
	assert_false(switched(HOME, AWAY, 0, 1));
	assert_false(switched(AWAY, HOME, 300, 1));
	assert_false(switched(HOME, AWAY, 601, 1));
	assert_true(switched(AWAY, HOME, 700, 1));
}

/* The old stream was silent: the machine has left. */
static void
test_moved(void **state)
{
	int	 i;

	(void)state;
	for (i = 0; i < 20; i++)
		assert_false(switched(i % 2 ? HOME : AWAY, i % 2 ? AWAY :
		    HOME, i * 20, 11));
}

/* A failover and back, twice in half an hour. */
static void
test_failover(void **state)
{
	(void)state;
	assert_false(switched(HOME, AWAY, 0, 1));
	assert_false(switched(AWAY, HOME, 60, 1));
	assert_false(switched(HOME, AWAY, 1500, 1));
	assert_false(switched(AWAY, HOME, 1560, 1));
}

/* From place to place: never the same two. */
static void
test_travels(void **state)
{
	static const char *const way[] = { "192.0.2.1", "192.0.2.2",
				    "192.0.2.3", "192.0.2.4", "192.0.2.5" };
	size_t			 i;

	(void)state;
	for (i = 0; i + 1 < nitems(way); i++)
		assert_false(switched(way[i], way[i + 1], (int)i, 1));
}

static void
test_same_network(void **state)
{
	int	 i;

	(void)state;
	for (i = 0; i < 20; i++) {
		assert_false(switched(HOME, HOME, i, 0));
		assert_false(switched("2001:db8::1", "2001:db8::ffff:2", i,
		    0));
		assert_false(switched(HOME, "::ffff:" HOME, i, 0));
	}
}

/* --- in the engine ------------------------------------------------------ */

static void
test_frozen(void **state)
{
	struct rig_trail	 tr;
	Sentinel__Ipc__ControlRequest req;
	uint32_t		 first;

	(void)state;
	assert_int_equal(stream(HOME, "0a"), 0);
	assert_int_equal(stream(AWAY, "0a"), 0);
	assert_int_equal(stream(HOME, "0a"), 0);
	first = last_call;
	rig_forget();
	assert_int_equal(stream(AWAY, "0a"), GRPC_PERMISSION_DENIED);
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 1);
	rig_free(rig_take(IMSG_AGENT_CLOSE, first));
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 0);
	assert_null(host->h_session);
	assert_string_equal(host->h_frozen, "its certificate is in use at "
	    HOME " and at " AWAY " at the same time");
	tr = rig_trail("host.freeze");
	assert_int_equal(tr.tr_n, 1);
	assert_string_equal(tr.tr_last, "sentineld|host.freeze|host alpha ("
	    HOST ")|ok|its certificate is in use at " HOME " and at " AWAY
	    " at the same time, serial 0a");
	/* Neither gets in, also after kill -9. */
	assert_int_equal(stream(HOME, "0a"), GRPC_PERMISSION_DENIED);
	rig_crash();
	rig_start();
	host = host_find(HOST);
	assert_int_equal(stream(AWAY, "0a"), GRPC_PERMISSION_DENIED);
	assert_int_equal(host_set_paused(host, true, "uid 7"), 0);
	rig_request(&req,
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__HOST_UNFREEZE);
	req.host = rig_str("alpha");
	req.uid = 7;
	req.read_only = true;
	assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_DENIED);
	req.read_only = false;
	assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_OK);
	/* Twice is once. */
	assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_OK);
	assert_int_equal(rig_trail("host.unfreeze").tr_n, 1);
	assert_int_equal(stream(HOME, "0a"), 0);
	assert_int_equal(host->h_state, HOST_PAUSED);
	rig_crash();
	rig_start();
	host = host_find(HOST);
	assert_int_equal(stream(AWAY, "0a"), 0);
}

/* The old stream was closed before the new one came, however often. */
static void
test_reconnects(void **state)
{
	int	 i;

	(void)state;
	for (i = 0; i < 20; i++) {
		assert_int_equal(stream(i % 2 ? HOME : AWAY, "0a"), 0);
		rig_closed(last_call);
	}
	/* And one that comes again and again from where it is. */
	for (i = 0; i < 20; i++) {
		assert_int_equal(stream(HOME, "0a"), 0);
		if (i > 0)
			rig_closed(last_call - 1);
	}
	assert_string_equal(host->h_frozen, "");
}

/* The database does not take it: nothing is half frozen. */
static void
test_not_written(void **state)
{
	(void)state;
	assert_int_equal(stream(HOME, "0a"), 0);
	(void)strlcpy(host->h_address, "not an address",
	    sizeof(host->h_address));
	assert_int_equal(host_freeze(host, HOME, AWAY), -1);
	assert_string_equal(host->h_frozen, "");
	assert_non_null(host->h_session);
	assert_int_equal(rig_trail("host.freeze").tr_n, 0);
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, rig_down)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		T(test_rule),
		T(test_moved),
		T(test_failover),
		T(test_travels),
		T(test_same_network),
		T(test_frozen),
		T(test_reconnects),
		T(test_not_written),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
