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

#include "follow.h"

/*
 * container logs -f in the engine: who may open a stream, how much of it is on
 * its way, and what ends it.
 */
#define HOST_A	"0000000000000000000000000000000a"
#define HOST_B	"0000000000000000000000000000000b"
#define CALL_A	101
#define CALL_B	201
#define STREAM	301	/* call of a FollowLogs */

static int
up(void **state)
{
	char	*word = rig_str("follow-logs");

	if (rig_up(state) == -1)
		return (-1);
	(void)rig_host(HOST_A, "alpha");
	(void)rig_host(HOST_B, "beta");
	rig_open(CALL_A, HOST_A, "0a", NULL);
	rig_open(CALL_B, HOST_B, "0b", NULL);
	host_set_features(host_find(HOST_A), &word, 1);
	rig_forget();
	return (0);
}

static uint32_t
follow(const char *host)
{
	Sentinel__Ipc__ControlRequest	 req;

	rig_request(&req,
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_LOGS);
	req.host = rig_str(host);
	req.container = rig_str("app");
	req.follow = true;
	return (rig_ask(&req));
}

/* The stream_id of the command that went to an agent. */
static void
asked(uint32_t call, uint8_t id[FOLLOW_ID_LEN])
{
	Sentinel__Cluster__ServerMessage	*m;
	Sentinel__Ipc__AgentSend		*send;
	struct sent				*s;

	assert_non_null(s = rig_take(IMSG_AGENT_SEND, call));
	send = sentinel__ipc__agent_send__unpack(NULL, s->st_len, s->st_body);
	m = sentinel__cluster__server_message__unpack(NULL, send->message.len,
	    send->message.data);
	assert_int_equal(m->payload_case,
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_FOLLOW_LOGS);
	assert_int_equal(m->follow_logs->stream_id.len, FOLLOW_ID_LEN);
	memcpy(id, m->follow_logs->stream_id.data, FOLLOW_ID_LEN);
	sentinel__cluster__server_message__free_unpacked(m, NULL);
	sentinel__ipc__agent_send__free_unpacked(send, NULL);
	rig_free(s);
}

/* What cluster says to a FollowLogs call with this id: its status. */
static uint32_t
open_stream(uint32_t call, const char *host, const char *serial,
    const uint8_t *id)
{
	Sentinel__Ipc__AgentOpen	 open;
	Sentinel__Ipc__AgentAdmit	*admit;
	struct sent			*s;
	struct pbmem			 pm;
	uint8_t				 point[ECKEY_POINT_LEN] = { 4 };
	uint32_t			 status;

	sentinel__ipc__agent_open__init(&open);
	open.kind = SENTINEL__IPC__AGENT_OPEN__KIND__FOLLOW;
	open.host_id = rig_str(host);
	open.serial = rig_str(serial);
	open.point.data = point;
	open.point.len = sizeof(point);
	open.not_after = time(NULL) + 3600;
	open.address = rig_str("192.0.2.7");
	open.stream_id.data = (uint8_t *)(uintptr_t)id;
	open.stream_id.len = FOLLOW_ID_LEN;
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_OPEN, call, &open.base);
	assert_non_null(s = rig_take(IMSG_AGENT_ADMIT, call));
	admit = rig_unpack(s, &sentinel__ipc__agent_admit__descriptor, &pm);
	status = admit->status;
	pbmem_free(&pm);
	rig_free(s);
	return (status);
}

static void
say(uint32_t call, const char *text, const char *end)
{
	Sentinel__Cluster__FollowLogsData	 m;

	sentinel__cluster__follow_logs_data__init(&m);
	m.text = rig_str(text);
	m.stream = FOLLOW_STDOUT;
	m.end = rig_str(end);
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_FOLLOW, call, &m.base);
}

static void
taken(uint32_t client, uint32_t n)
{
	struct ibuf	*b = ibuf_open(4);

	assert_int_equal(ibuf_add_n32(b, n), 0);
	rig_give_ibuf(ROLE_CONTROL, IMSG_CONTROL_TAKEN, client, b);
}

static void
test_window(void **state)
{
	uint8_t		 id[FOLLOW_ID_LEN];
	uint32_t	 cl;
	unsigned int	 i;

	(void)state;
	cl = follow(HOST_A);
	asked(CALL_A, id);
	assert_int_equal(open_stream(STREAM, HOST_A, "0a", id), GRPC_OK);
	for (i = 0; i < FOLLOW_WINDOW; i++)
		say(STREAM, "line\n", "");
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), FOLLOW_WINDOW);
	taken(cl, 3);
	assert_int_equal(rig_count(IMSG_AGENT_TAKEN), 1);
	for (i = 0; i < 3; i++)
		say(STREAM, "line\n", "");
	assert_int_equal(rig.broken, 0);
	say(STREAM, "one too many\n", "");
	assert_int_equal(rig.broken, 1);
	taken(cl, FOLLOW_WINDOW + 1);
	assert_int_equal(rig.broken, 2);
	taken(cl, FOLLOW_WINDOW);
	say(STREAM, "last\n", "container \"app\" has ended");
	assert_int_equal(rig_ended(cl), CONTROL_OK);
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 1);
}

/* The id alone is not enough, and it serves once. */
static void
test_foreign(void **state)
{
	uint8_t		 id[FOLLOW_ID_LEN], other[FOLLOW_ID_LEN] = { 1 };
	uint32_t	 cl;

	(void)state;
	cl = follow(HOST_A);
	asked(CALL_A, id);
	assert_int_equal(open_stream(STREAM, HOST_B, "0b", id),
	    GRPC_FAILED_PRECONDITION);
	assert_int_equal(open_stream(STREAM + 1, HOST_A, "0c", id),
	    GRPC_FAILED_PRECONDITION);
	assert_int_equal(open_stream(STREAM + 2, HOST_A, "0a", other),
	    GRPC_FAILED_PRECONDITION);
	assert_int_equal(open_stream(STREAM + 3, HOST_A, "0a", id), GRPC_OK);
	assert_int_equal(open_stream(STREAM + 4, HOST_A, "0a", id),
	    GRPC_FAILED_PRECONDITION);
	rig_closed(STREAM + 3);
	assert_int_equal(rig_ended(cl), CONTROL_FAILED);
}

/* Six, not seven; none of an old agent; each ends with its session. */
static void
test_limits(void **state)
{
	uint32_t	 cl[FOLLOW_HOST_MAX];
	size_t		 i;

	(void)state;
	assert_int_equal(rig_ended(follow(HOST_B)), CONTROL_FAILED);
	for (i = 0; i < FOLLOW_HOST_MAX; i++)
		cl[i] = follow(HOST_A);
	assert_int_equal(rig_ended(follow(HOST_A)), CONTROL_FAILED);
	rig_give(ROLE_CONTROL, IMSG_CONTROL_GONE, cl[0], NULL, 0);
	cl[0] = follow(HOST_A);
	assert_int_equal(rig_ended(cl[0]), -1);
	rig_closed(CALL_A);
	for (i = 0; i < FOLLOW_HOST_MAX; i++)
		assert_int_equal(rig_ended(cl[i]), CONTROL_UNREACH);
}

/* Whatever is said in no order ends at most the one it is about. */
static void
test_order(void **state)
{
	uint8_t		 id[FOLLOW_ID_LEN];
	uint32_t	 cl, other;

	(void)state;
	cl = follow(HOST_A);
	asked(CALL_A, id);
	/* A call that nobody opened, the Channel itself. */
	say(STREAM, "early\n", "");
	say(CALL_A, "on the Channel\n", "");
	taken(cl, 0);
	taken(cl + 77, 5);
	assert_int_equal(rig.broken, 0);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 0);
	assert_int_equal(rig_count(IMSG_AGENT_TAKEN), 0);
	taken(cl, 1);
	assert_int_equal(rig.broken, 1);
	assert_int_equal(open_stream(STREAM, HOST_A, "0a", id), GRPC_OK);
	other = follow(HOST_A);
	asked(CALL_A, id);
	assert_int_equal(open_stream(STREAM + 1, HOST_A, "0a", id), GRPC_OK);
	rig_give(ROLE_CLUSTER, IMSG_AGENT_FOLLOW, STREAM, "\xff\xff", 2);
	assert_int_equal(rig.broken, 2);
	say(STREAM, "", "");
	assert_int_equal(rig_ended(cl), CONTROL_FAILED);
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 1);
	/* What was still on its way. */
	say(STREAM, "late\n", "");
	taken(cl, 1);
	rig_closed(STREAM);
	assert_int_equal(rig_ended(other), -1);
	say(STREAM + 1, "line\n", "");
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 1);
	rig_give(ROLE_CONTROL, IMSG_CONTROL_GONE, other, NULL, 0);
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 2);
	rig_give(ROLE_CONTROL, IMSG_CONTROL_GONE, other, NULL, 0);
	say(STREAM + 1, "late\n", "late");
	rig_closed(STREAM + 1);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 1);
	assert_int_equal(rig.broken, 2);
}

/* The id of the request that went to an agent. */
static void
request_id(uint32_t call, char id[REQUEST_ID_SIZE])
{
	Sentinel__Cluster__ServerMessage	*m;
	Sentinel__Ipc__AgentSend		*send;
	struct sent				*s;

	assert_non_null(s = rig_take(IMSG_AGENT_SEND, call));
	send = sentinel__ipc__agent_send__unpack(NULL, s->st_len, s->st_body);
	m = sentinel__cluster__server_message__unpack(NULL, send->message.len,
	    send->message.data);
	(void)strlcpy(id, m->request_id, REQUEST_ID_SIZE);
	sentinel__cluster__server_message__free_unpacked(m, NULL);
	sentinel__ipc__agent_send__free_unpacked(send, NULL);
	rig_free(s);
}

static void
refuse(uint32_t call, const char *id, const char *error)
{
	Sentinel__Cluster__AgentMessage		 m;
	Sentinel__Cluster__FetchLogsResult	 r;

	sentinel__cluster__fetch_logs_result__init(&r);
	r.request_id = rig_str(id);
	r.container_name = rig_str("app");
	r.error = rig_str(error);
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_FETCH_LOGS_RESULT;
	m.fetch_logs_result = &r;
	rig_message(call, &m);
}

/* An answer instead of a call; only of the host that was asked, and once. */
static void
test_refused(void **state)
{
	char		 id[REQUEST_ID_SIZE];
	uint32_t	 cl;

	(void)state;
	cl = follow(HOST_A);
	request_id(CALL_A, id);
	refuse(CALL_B, id, "of another host");
	refuse(CALL_A, "0123456789abcdef", "of another request");
	assert_int_equal(rig_ended(cl), -1);
	refuse(CALL_A, id, "not allowed by agent.allow.actions");
	assert_int_equal(rig_ended(cl), CONTROL_FAILED);
	refuse(CALL_A, id, "again");
	cl = follow(HOST_A);
	request_id(CALL_A, id);
	refuse(CALL_A, id, "container \"app\" not found");
	assert_int_equal(rig_ended(cl), CONTROL_NOSUCH);
	cl = follow(HOST_A);
	request_id(CALL_A, id);
	refuse(CALL_A, id, "");
	assert_int_equal(rig_ended(cl), CONTROL_FAILED);
	assert_int_equal(rig.broken, 0);
}

/* Never opened; and open, but never read. */
static void
test_never(void **state)
{
	uint8_t		 id[FOLLOW_ID_LEN];
	uint32_t	 cl, quiet;
	int		 i;

	(void)state;
	eng->conf.ec_logs_msec = 40;
	eng->conf.ec_follow_idle_msec = 120;
	cl = follow(HOST_A);
	asked(CALL_A, id);
	rig_run(80);
	assert_int_equal(rig_ended(cl), CONTROL_TIMEOUT);
	/* Too late. */
	assert_int_equal(open_stream(STREAM, HOST_A, "0a", id),
	    GRPC_FAILED_PRECONDITION);
	eng->conf.ec_logs_msec = 60000;
	rig_forget();
	quiet = follow(HOST_A);
	asked(CALL_A, id);
	assert_int_equal(open_stream(STREAM + 1, HOST_A, "0a", id), GRPC_OK);
	cl = follow(HOST_A);
	asked(CALL_A, id);
	assert_int_equal(open_stream(STREAM + 2, HOST_A, "0a", id), GRPC_OK);
	say(STREAM + 2, "line\n", "");
	say(STREAM + 2, "line\n", "");
	/* Who takes one now and then may be as slow as it likes. */
	for (i = 0; i < 4; i++) {
		rig_run(70);
		taken(cl, 1);
		say(STREAM + 2, "line\n", "");
	}
	assert_int_equal(rig_ended(cl), -1);
	rig_forget();
	rig_run(200);
	assert_int_equal(rig_ended(cl), CONTROL_TIMEOUT);
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 1);
	/* Where nothing waits to be read nobody is late. */
	assert_int_equal(rig_ended(quiet), -1);
	rig_give(ROLE_CONTROL, IMSG_CONTROL_GONE, quiet, NULL, 0);
}

static void
docker_says(uint32_t id, bool open, const char *text, const char *end)
{
	Sentinel__Ipc__DockerFollowed		 m;
	Sentinel__Cluster__FollowLogsData	 data;

	sentinel__ipc__docker_followed__init(&m);
	m.open = open;
	sentinel__cluster__follow_logs_data__init(&data);
	data.text = rig_str(text);
	data.end = rig_str(end);
	data.failed = end[0] != '\0';
	if (text[0] != '\0' || end[0] != '\0')
		m.data = &data;
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_FOLLOWED, id, &m.base);
}

static uint32_t
follow_local(uint32_t *id)
{
	struct sent	*s;
	uint32_t	 cl = follow(HOST_LOCAL_ID);

	TAILQ_FOREACH(s, &rig.sent, st_entry) {
		if (s->st_type == IMSG_DOCKER_FOLLOW)
			*id = s->st_id;
	}
	return (cl);
}

/* The server's own Docker: the same rules for the process beside us. */
static void
test_local(void **state)
{
	Sentinel__Ipc__DockerState	 st;
	uint32_t			 cl, id = 0, i;

	(void)state;
	eng->conf.ec_docker = 1;
	eng->ready = false;
	local_init();
	eng->ready = true;
	sentinel__ipc__docker_state__init(&st);
	st.available = true;
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_STATE, 0, &st.base);
	cl = follow_local(&id);
	assert_int_not_equal(id, 0);
	docker_says(id, false, "early\n", "");
	assert_int_equal(rig.broken, 1);
	docker_says(id + 9, true, "", "");
	docker_says(id, true, "", "");
	assert_int_equal(rig.broken, 1);
	docker_says(id, true, "", "");
	assert_int_equal(rig.broken, 2);
	for (i = 0; i < FOLLOW_WINDOW; i++)
		docker_says(id, false, "line\n", "");
	docker_says(id, false, "one too many\n", "");
	assert_int_equal(rig.broken, 3);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), FOLLOW_WINDOW);
	taken(cl, 2);
	assert_int_equal(rig_count(IMSG_DOCKER_TAKEN), 1);
	/* The end needs no credit. */
	docker_says(id, false, "line\n", "");
	docker_says(id, false, "line\n", "");
	docker_says(id, false, "", "container \"app\" not found");
	assert_int_equal(rig_ended(cl), CONTROL_NOSUCH);
	docker_says(id, false, "late\n", "");
	taken(cl, 1);
	assert_int_equal(rig.broken, 3);
	cl = follow_local(&id);
	docker_says(id, false, "", "too many follows at a time");
	assert_int_equal(rig_ended(cl), CONTROL_FAILED);
	cl = follow_local(&id);
	local_lost();
	assert_int_equal(rig_ended(cl), CONTROL_UNREACH);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_window, up, rig_down),
		cmocka_unit_test_setup_teardown(test_foreign, up, rig_down),
		cmocka_unit_test_setup_teardown(test_limits, up, rig_down),
		cmocka_unit_test_setup_teardown(test_order, up, rig_down),
		cmocka_unit_test_setup_teardown(test_refused, up, rig_down),
		cmocka_unit_test_setup_teardown(test_never, up, rig_down),
		cmocka_unit_test_setup_teardown(test_local, up, rig_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
