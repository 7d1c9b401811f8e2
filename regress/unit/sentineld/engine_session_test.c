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

/* Calls of agents: who is let in, what one may cost, what ends it. */
#define HOST_A	"0000000000000000000000000000000a"
#define HOST_B	"0000000000000000000000000000000b"

static struct host	*ha, *hb;

/* --- helpers ------------------------------------------------------------ */

static int
up(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	ha = rig_host(HOST_A, "alpha");
	hb = rig_host(HOST_B, "beta");
	return (0);
}

static void
report(uint32_t call, const char *host)
{
	Sentinel__Cluster__StateReport	 r;

	sentinel__cluster__state_report__init(&r);
	rig_open(call, host, "0a", &r);
}

/* The status a call was admitted with, -1 when there is no answer. */
static int
admitted(uint32_t call)
{
	Sentinel__Ipc__AgentAdmit	*m;
	struct pbmem			 pm;
	struct sent			*s;
	int				 status;

	if ((s = rig_take(IMSG_AGENT_ADMIT, call)) == NULL)
		return (-1);
	m = rig_unpack(s, &sentinel__ipc__agent_admit__descriptor, &pm);
	status = (int)m->status;
	pbmem_free(&pm);
	rig_free(s);
	return (status);
}

static void
heartbeat(uint32_t call, const char *version, const char *error)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__Heartbeat	 hb_;
	char				*features[] = { rig_str("engine-id") };

	sentinel__cluster__heartbeat__init(&hb_);
	hb_.agent_version = rig_str(version);
	hb_.docker_error = rig_str(error);
	hb_.supported_features = features;
	hb_.n_supported_features = 1;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case = SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_HEARTBEAT;
	m.heartbeat = &hb_;
	rig_message(call, &m);
}

static int
put_revoked(struct store_txn *tx, void *arg)
{
	Sentinel__Store__Revoked	 rv;

	sentinel__store__revoked__init(&rv);
	return (db_revoked_put(tx, arg, &rv));
}

struct seen {
	int64_t		 last_seen;
	char		 version[64];
	bool		 there;
};

static int
read_host(struct store_txn *tx, void *arg)
{
	Sentinel__Store__Host	*h;
	struct seen		*seen = arg;
	struct pbmem		 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	if ((seen->there = db_host_get(tx, HOST_A, &pm, &h) == 1)) {
		seen->last_seen = h->last_seen;
		(void)strlcpy(seen->version, h->agent_version,
		    sizeof(seen->version));
	}
	pbmem_free(&pm);
	return (0);
}

struct tally {
	size_t		 n;
	char		 last[1200];
};

static bool
tally_one(const Sentinel__Store__Event *e, void *arg)
{
	struct tally	*t = arg;

	t->n++;
	(void)strlcpy(t->last, e->message, sizeof(t->last));
	return (true);
}

static int
tally(struct store_txn *tx, void *arg)
{
	return (db_event_walk(tx, 0, 0, tally_one, arg) == -1 ? -1 : 0);
}

static struct tally
events(void)
{
	struct tally	 t = { 0, "" };

	assert_int_equal(store_view(eng->store, tally, &t), 0);
	return (t);
}

/* --- tests -------------------------------------------------------------- */

static void
test_refused(void **state)
{
	char	 serial[] = "beef";
	int	 i;

	(void)state;
	rig_open(1, "0000000000000000000000000000000c", "01", NULL);
	assert_int_equal(admitted(1), GRPC_NOT_FOUND);
	assert_int_equal(store_update(eng->store, put_revoked, serial), 0);
	rig_open(2, HOST_A, serial, NULL);
	assert_int_equal(admitted(2), GRPC_PERMISSION_DENIED);
	ha->h_state = HOST_DECOMMISSIONED;
	rig_open(3, HOST_A, "01", NULL);
	assert_int_equal(admitted(3), GRPC_NOT_FOUND);
	ha->h_state = HOST_ACTIVE;
	assert_int_equal(eng->nsessions, 0);
	/* What follows a refused call is dropped. */
	rig_container(3, "c", 0);
	rig_list_end(3, "", 7, "");
	heartbeat(3, "1", "");
	rig_closed(3);
	assert_int_equal(rig.broken, 0);
	/* A host has so many calls; another host has its own. */
	for (i = 0; i < HOST_SESSIONS_MAX; i++)
		report(10 + (uint32_t)i, HOST_A);
	rig_open(30, HOST_A, "01", NULL);
	assert_int_equal(admitted(30), GRPC_RESOURCE_EXHAUSTED);
	rig_open(31, HOST_B, "01", NULL);
	assert_int_equal(admitted(31), 0);
	rig_closed(10);
	rig_open(32, HOST_A, "01", NULL);
	assert_int_equal(admitted(32), 0);
}

static void
test_broken(void **state)
{
	Sentinel__Ipc__AgentOpen	 open;
	uint8_t				 point[ECKEY_POINT_LEN] = { 4 };
	Sentinel__Ipc__Sent		 sent;

	(void)state;
	rig_open(1, HOST_A, "01", NULL);
	rig_open(1, HOST_A, "01", NULL);
	assert_int_equal(rig.broken, 1);	/* call twice */
	report(2, HOST_A);
	rig_container(2, "c", 0);
	rig_list_end(2, "", 2, "");
	assert_int_equal(rig.broken, 2);	/* count */
	heartbeat(2, "1", "");
	assert_int_equal(rig.broken, 3);	/* not on a report */
	sentinel__ipc__sent__init(&sent);
	sent.count = 1;
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_SENT, 1, &sent.base);
	assert_int_equal(rig.broken, 4);	/* credit not taken */
	assert_int_equal(ha->h_session->se_unsent, 0);
	sentinel__ipc__agent_open__init(&open);
	open.host_id = rig_str(HOST_A);
	open.serial = rig_str("01");
	open.point.data = point;
	open.point.len = sizeof(point);
	open.not_after = time(NULL) + 3600;
	open.address = rig_str("192.0.2.7");
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_OPEN, 3, &open.base);
	assert_int_equal(rig.broken, 5);	/* no report in it */
	open.kind = (Sentinel__Ipc__AgentOpen__Kind)7;
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_OPEN, 3, &open.base);
	assert_int_equal(rig.broken, 6);	/* no such call */
	rig_give(ROLE_CLUSTER, IMSG_AGENT_MESSAGE, 1, "\xff", 1);
	assert_int_equal(rig.broken, 7);
	assert_int_equal(eng->nsessions, 2);
}

static void
test_replaced(void **state)
{
	(void)state;
	rig_open(1, HOST_A, "01", NULL);
	assert_int_equal(admitted(1), 0);
	rig_open(2, HOST_A, "01", NULL);
	assert_int_equal(admitted(2), 0);
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 1);
	rig_free(rig_take(IMSG_AGENT_CLOSE, 1));
	assert_int_equal(ha->h_session->se_call, 2);
	/* Its last words, and its end, are not those of its successor. */
	heartbeat(1, "old", "");
	rig_container(1, "c", 0);
	rig_closed(1);
	assert_non_null(ha->h_session);
	assert_int_equal(ha->h_session->se_call, 2);
	assert_string_equal(ha->h_version, "");
	assert_string_equal(ha->h_disconnect_cat, "");
	rig_closed(2);
	assert_null(ha->h_session);
	assert_string_equal(ha->h_disconnect_cat, "network");
	assert_int_equal(eng->nsessions, 0);
	assert_int_equal(rig.broken, 0);
}

static void
test_lists(void **state)
{
	(void)state;
	report(1, HOST_A);
	rig_container(1, "one", 0);
	rig_container(1, "two", 0);
	assert_null(container_find(ha, "one"));
	rig_list_end(1, "", 2, "");
	assert_int_equal(rig_count(IMSG_AGENT_REPORT_ACK), 1);
	assert_non_null(container_find(ha, "one"));
	assert_int_equal(eng->nsessions, 0);
	/* An error leaves it; so does a call that ends too early. */
	rig_open(2, HOST_A, "01", NULL);
	rig_container(2, "three", 0);
	rig_list_end(2, "", 1, "docker is down");
	assert_non_null(container_find(ha, "one"));
	report(3, HOST_A);
	rig_container(3, "four", 0);
	rig_closed(3);
	assert_non_null(container_find(ha, "two"));
	rig_list_end(2, "", 0, "");
	assert_null(container_find(ha, "one"));
	assert_int_equal(eng->list_bytes, 0);
	assert_int_equal(ha->h_staged, 0);
	assert_int_equal(rig.broken, 0);
}

/* Many calls of one host share what one may have. */
static void
test_list_limits(void **state)
{
	uint32_t	 call;
	size_t		 others;
	int		 i;

	(void)state;
	for (call = 1; call <= 4; call++) {
		report(call, HOST_A);
		for (i = 0; i < 20; i++)
			rig_container(call, "c", 250 * 1000);
	}
	assert_true(ha->h_staged <= HOST_LIST_MAXBYTES);
	assert_true(ha->h_staged > HOST_LIST_MAXBYTES - 300 * 1000);
	assert_int_equal(eng->list_bytes, ha->h_staged);
	/* The others have theirs. */
	report(5, HOST_B);
	rig_container(5, "c", 250 * 1000);
	rig_list_end(5, "", 1, "");
	assert_int_equal(hb->h_ncontainers, 1);
	for (call = 1; call <= 4; call++)
		rig_list_end(call, "", 20, "");
	assert_int_equal(ha->h_staged, 0);
	assert_int_equal(rig.broken, 0);
	/* And all together have a limit. */
	others = ENGINE_LISTS_MAXBYTES - eng->list_bytes - 200 * 1000;
	eng->list_bytes += others;
	report(6, HOST_B);
	rig_container(6, "c", 250 * 1000);
	rig_list_end(6, "", 1, "");
	assert_int_equal(hb->h_ncontainers, 0);
	eng->list_bytes -= others;
}

static void
test_credit(void **state)
{
	Sentinel__Ipc__ControlRequest	 req;
	Sentinel__Ipc__Sent		 sent;
	int				 i;

	(void)state;
	rig_open(1, HOST_A, "01", NULL);
	rig_request(&req,
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_ACTION);
	req.host = rig_str("alpha");
	req.container = rig_str("app");
	req.action = rig_str("stop");
	ha->h_session->se_unsent = ENGINE_SEND_CREDIT - 2;
	for (i = 0; i < 2; i++)
		assert_int_equal(rig_ended(rig_ask(&req)), -1);
	assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_FAILED);
	assert_int_equal(rig_count(IMSG_AGENT_SEND), 2);
	sentinel__ipc__sent__init(&sent);
	sent.count = ENGINE_SEND_CREDIT;
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_SENT, 1, &sent.base);
	assert_int_equal(rig_ended(rig_ask(&req)), -1);
	/* The stop needs none. */
	ha->h_session->se_unsent = ENGINE_SEND_CREDIT;
	session_close(ha->h_session, GRPC_ABORTED, "server", "enough");
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 1);
	/* Credit of a call that has ended. */
	rig_closed(1);
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_SENT, 1, &sent.base);
	assert_int_equal(rig.broken, 0);
}

static void
test_silence(void **state)
{
	struct session	*s;

	(void)state;
	rig_open(1, HOST_A, "01", NULL);
	rig_open(2, HOST_B, "01", NULL);
	report(3, HOST_B);
	RB_FOREACH(s, session_tree, &eng->sessions)
		s->se_heard -= 61000;
	heartbeat(2, "1", "");
	session_check_silence();
	assert_null(ha->h_session);
	assert_non_null(hb->h_session);
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 1);
	assert_int_equal(eng->nsessions, 2);	/* 1 ends, 3 is forgotten */
	/* Cluster never confirms the end of 1. */
	session_check_silence();
	assert_int_equal(eng->nsessions, 2);
	RB_FOREACH(s, session_tree, &eng->sessions)
		s->se_heard -= 61000;
	heartbeat(2, "1", "");
	session_check_silence();
	assert_int_equal(eng->nsessions, 1);
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 1);
	rig_closed(1);
	assert_int_equal(rig.broken, 0);
}

/* Whatever an agent says, it costs no commit; the tick writes it once. */
static void
test_writes(void **state)
{
	struct seen	 seen;
	char		 version[32];
	int		 i;

	(void)state;
	rig_open(1, HOST_A, "01", NULL);
	for (i = 0; i < 100; i++) {
		(void)snprintf(version, sizeof(version), "v%d", i);
		heartbeat(1, version, i % 2 == 0 ? "down" : "");
	}
	assert_int_equal(store_view(eng->store, read_host, &seen), 0);
	assert_false(seen.there);
	assert_int_equal(host_flush(1), 0);
	assert_int_equal(store_view(eng->store, read_host, &seen), 0);
	assert_true(seen.there);
	assert_string_equal(seen.version, "v99");
	/* last_seen alone waits for its interval. */
	heartbeat(1, "v99", "");
	assert_false(ha->h_dirty);
	ha->h_saved -= 61000;
	heartbeat(1, "v99", "");
	assert_true(ha->h_dirty);
	ha->h_last_seen = 4711;
	assert_int_equal(host_flush(0), 0);
	assert_int_equal(store_view(eng->store, read_host, &seen), 0);
	assert_int_equal(seen.last_seen, 4711);
}

/* A fleet is written in batches. */
static void
test_flush(void **state)
{
	struct host	*h;
	char		 id[HOST_ID_SIZE];
	int		 i, dirty = 0;

	(void)state;
	for (i = 0; i < 100; i++) {
		(void)snprintf(id, sizeof(id), "%032x", 0x1000 + i);
		rig_host(id, id)->h_dirty = true;
	}
	/* A record that cannot be written holds up no other. */
	engine_setstr(&ha->h_version, "\xff");
	ha->h_dirty = true;
	assert_int_equal(host_flush(1), 0);
	RB_FOREACH(h, host_tree, &eng->hosts)
		dirty += h->h_dirty;
	assert_int_equal(dirty, 101 - HOST_SAVE_BATCH);
	assert_int_equal(host_flush(0), 0);
	RB_FOREACH(h, host_tree, &eng->hosts)
		assert_false(h->h_dirty);
}

static void
test_event_flood(void **state)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__UpdateResult	 u;
	struct tally			 t;
	char				 error[2000];
	size_t				 i;

	(void)state;
	rig_open(1, HOST_A, "01", NULL);
	for (i = 0; i + 1 < sizeof(error); i += 2)
		memcpy(error + i, "\xc3\xa4", 2);
	error[sizeof(error) - 2] = '\0';
	sentinel__cluster__update_result__init(&u);
	u.container_name = rig_str("app");
	u.outcome = rig_str("failed");
	u.error = error;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_UPDATE_RESULT;
	m.update_result = &u;
	for (i = 0; i < 1000; i++)
		rig_message(1, &m);
	t = events();
	assert_true(t.n >= HOST_EVENTS_BURST && t.n < HOST_EVENTS_BURST + 5);
	/* Another host is heard all the same. */
	rig_open(2, HOST_B, "01", NULL);
	assert_int_equal(events().n, t.n + 1);
	/* What was left out is said. */
	ha->h_event_rate.ra_spent -= HOST_EVENTS_MSEC;
	rig_closed(1);
	t = events();
	assert_non_null(strstr(t.last, "events before this one left out"));
	assert_int_equal(ha->h_events_lost, 0);
}

static void
test_rates(void **state)
{
	struct rate	 ra = { 0 };
	int		 i;

	(void)state;
	for (i = 0; i < 5; i++)
		assert_true(rate_take(&ra, 5, 60000));
	assert_false(rate_take(&ra, 5, 60000));
	ra.ra_spent -= 60000;
	assert_true(rate_take(&ra, 5, 60000));
	assert_false(rate_take(&ra, 5, 60000));
}

/* The docker process may speak before our own configuration is live. */
static void
test_local(void **state)
{
	Sentinel__Ipc__DockerState	 st;
	Sentinel__Ipc__DockerResult	 res;
	Sentinel__Ipc__ListEnd		 end;
	Sentinel__Cluster__ContainerInfo info;

	(void)state;
	sentinel__ipc__docker_state__init(&st);
	st.available = true;
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_STATE, 0, &st.base);
	assert_int_equal(rig.broken, 1);	/* none is configured */
	rig.broken = 0;
	eng->ready = false;
	eng->conf.ec_docker = 1;
	(void)strlcpy(eng->conf.ec_hostname, "beta",
	    sizeof(eng->conf.ec_hostname));
	local_init();
	eng->ready = true;
	assert_string_equal(eng->local->h_name, "beta-2");
	sentinel__ipc__docker_result__init(&res);
	res.kind = SENTINEL__IPC__DOCKER_OP__KIND__UPDATE;
	res.container = rig_str("app");
	res.outcome = rig_str("rollback");
	res.recovered = true;
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_RESULT, 0, &res.base);
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_STATE, 0, &st.base);
	assert_int_equal(events().n, 1);
	/* Told twice, it is one event. */
	res.request_id = rig_str("0123456789abcdef");
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_RESULT, 0, &res.base);
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_RESULT, 0, &res.base);
	assert_int_equal(events().n, 2);
	assert_true(host_is_connected(eng->local));
	/* A list that is refused does not harm the one under way. */
	sentinel__cluster__container_info__init(&info);
	info.name = rig_str("one");
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_CONTAINER, 0, &info.base);
	sentinel__ipc__list_end__init(&end);
	end.error = rig_str("too many lists asked for");
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_LIST_END, 0, &end.base);
	end.error = rig_str("");
	end.count = 1;
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_LIST_END, 0, &end.base);
	assert_int_equal(eng->local->h_ncontainers, 1);
	assert_int_equal(rig.broken, 0);
	end.count = 2;
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_LIST_END, 0, &end.base);
	assert_int_equal(rig.broken, 1);
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, rig_down)
	const struct CMUnitTest tests[] = {
		T(test_refused),
		T(test_broken),
		T(test_replaced),
		T(test_lists),
		T(test_list_limits),
		T(test_credit),
		T(test_silence),
		T(test_writes),
		T(test_flush),
		T(test_event_flood),
		T(test_rates),
		T(test_local),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
