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

#include <arpa/inet.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_follow.h"
#include "follow.h"
#include "imsg_rule.h"
#include "pbcheck.h"

/*
 * Follows between server, docker and uplink, as the agent's engine sees them:
 * what is refused, what comes twice, late, out of order or never.
 */
static struct engine	 state_;
struct engine		*eng = &state_;

static char		 did[1024];	/* what was sent, in short */
static uint32_t		 docker_id;	/* of the last DOCKER_FOLLOW */
static Sentinel__Ipc__DockerFollow asked; /* its numbers */
static unsigned int	 broken;
static bool		 has_credit;

static void
note(const char *what, uint32_t id, const char *text)
{
	size_t	 n = strlen(did);

	(void)snprintf(did + n, sizeof(did) - n, "%s%u%s%s;", what, id,
	    text[0] == '\0' ? "" : " ", text);
}

static void
did_is(const char *want)
{
	assert_string_equal(did, want);
	did[0] = '\0';
}

/* --- neighbours --------------------------------------------------------- */

struct peer *
proc_peer(enum role role)
{
	static struct peer	 peer[ROLE_MAX];

	peer[role].pe_role = role;
	return (&peer[role]);
}

bool
peer_has_credit(const struct peer *p)
{
	assert_int_equal(p->pe_role, ROLE_A_DOCKER);
	return (has_credit);
}

void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	(void)p;
	(void)m;
	(void)why;
	broken++;
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd,
    const void *body, size_t len)
{
	uint32_t	 n;
	char		 text[16];

	assert_int_equal(p->pe_role, ROLE_A_DOCKER);
	assert_int_equal(fd, -1);
	if (type == IMSG_DOCKER_UNFOLLOW) {
		assert_int_equal(len, 0);
		note("unfollow", id - docker_id, "");
		return (0);
	}
	assert_int_equal(type, IMSG_DOCKER_TAKEN);
	assert_int_equal(len, sizeof(n));
	memcpy(&n, body, sizeof(n));
	(void)snprintf(text, sizeof(text), "%u", ntohl(n));
	note("taken", id - docker_id, text);
	return (0);
}

int
peer_send_pb(struct peer *p, uint32_t type, uint32_t id,
    const ProtobufCMessage *pb)
{
	const Sentinel__Ipc__UplinkFollow	*up;
	Sentinel__Cluster__FollowLogsData	*data;
	struct pbmem				 pm;

	if (type == IMSG_DOCKER_FOLLOW) {
		assert_int_equal(p->pe_role, ROLE_A_DOCKER);
		asked = *(const Sentinel__Ipc__DockerFollow *)
		    (const void *)pb;
		note("follow", 0, asked.container);
		asked.container = NULL;
		docker_id = id;
		return (0);
	}
	assert_int_equal(type, IMSG_UPLINK_FOLLOW);
	assert_int_equal(p->pe_role, ROLE_A_UPLINK);
	up = (const Sentinel__Ipc__UplinkFollow *)(const void *)pb;
	assert_int_equal(up->attempt, 3);
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	data = pbcheck_unpack(&sentinel__cluster__follow_logs_data__descriptor,
	    up->message.data, up->message.len, &pm, NULL);
	assert_non_null(data);
	assert_int_equal(data->stream_id.len, up->open ? FOLLOW_ID_LEN : 0);
	note(up->open ? "open" : up->end ? "end" : "text", id - docker_id,
	    up->end ? data->end : data->text);
	pbmem_free(&pm);
	return (0);
}

void
docker_refuse(const struct command *c, const char *why)
{
	assert_int_equal(c->cm_kind, SENTINEL__IPC__DOCKER_OP__KIND__LOGS);
	note("refuse", 0, c->cm_id);
	note("", 0, why);
}

void
engine_tell_refusal(const char *id, const char *why)
{
	(void)why;
	note("told", 0, id);
}

char *
engine_lend(const char *s)
{
	return ((char *)(uintptr_t)s);
}

/* --- the others ---------------------------------------------------------- */

static int
up(void **state)
{
	(void)state;
	memset(&state_, 0, sizeof(state_));
	eng->docker_up = true;
	eng->attempt = 3;
	has_credit = true;
	broken = 0;
	did[0] = '\0';
	return (0);
}

static int
down(void **state)
{
	(void)state;
	follow_session_lost();
	return (0);
}

static void
begin(const char *request, const char *container, uint8_t stream, size_t len)
{
	Sentinel__Cluster__ServerMessage	 m;
	Sentinel__Cluster__FollowLogsRequest	 want;
	uint8_t					 id[FOLLOW_ID_LEN + 1];

	memset(id, stream, sizeof(id));
	sentinel__cluster__follow_logs_request__init(&want);
	want.container_name = engine_lend(container);
	want.stream_id.data = id;
	want.stream_id.len = len;
	want.lines = 10;
	want.since = 1795000000;
	want.timestamps = true;
	sentinel__cluster__server_message__init(&m);
	m.request_id = engine_lend(request);
	m.follow_logs = &want;
	follow_begin(&m);
}

static void
give(void (*fn)(struct peer *, struct imsg *), enum role from, uint32_t id,
    const void *body, size_t len)
{
	struct imsg	 m;

	memset(&m, 0, sizeof(m));
	m.hdr.peerid = docker_id + id;
	m.hdr.len = (uint32_t)(IMSG_HEADER_SIZE + len);
	assert_non_null(m.buf = ibuf_dynamic(len + 1, len + 1));
	assert_int_equal(ibuf_add(m.buf, body, len), 0);
	fn(proc_peer(from), &m);
	imsg_free(&m);
}

static void
docker_says(uint32_t id, bool open, const char *text, const char *end)
{
	Sentinel__Ipc__DockerFollowed		 m;
	Sentinel__Cluster__FollowLogsData	 data;
	uint8_t					*body;
	size_t					 len;

	sentinel__ipc__docker_followed__init(&m);
	sentinel__cluster__follow_logs_data__init(&data);
	m.open = open;
	data.text = engine_lend(text);
	data.end = engine_lend(end);
	if (!open)
		m.data = &data;
	assert_non_null(body = pbcheck_pack(&m.base, IMSG_MAXBODY, &len));
	give(follow_docker, ROLE_A_DOCKER, id, body, len);
	free(body);
}

static void
uplink_says(uint32_t id, uint32_t sent, bool ended, enum grpc_status status)
{
	Sentinel__Ipc__UplinkFollowed	 m;
	uint8_t				*body;
	size_t				 len;

	sentinel__ipc__uplink_followed__init(&m);
	m.sent = sent;
	m.ended = ended;
	m.status = (uint32_t)status;
	assert_non_null(body = pbcheck_pack(&m.base, IMSG_MAXBODY, &len));
	give(follow_uplink, ROLE_A_UPLINK, id, body, len);
	free(body);
}

/* --- tests --------------------------------------------------------------- */

static void
test_whole(void **state)
{
	(void)state;
	begin("r1", "web", 7, FOLLOW_ID_LEN);
	did_is("follow0 web;");
	assert_int_equal(asked.lines, 10);
	assert_int_equal(asked.since, 1795000000);
	assert_int_equal(asked.streams, FOLLOW_BOTH);
	assert_true(asked.timestamps);
	docker_says(0, true, "", "");
	did_is("open0;");
	docker_says(0, false, "a\n", "");
	docker_says(0, false, "b\n", "");
	did_is("text0 a\n;text0 b\n;");
	uplink_says(0, 2, false, GRPC_OK);
	did_is("taken0 2;");
	docker_says(0, false, "", "has ended");
	did_is("end0 has ended;");
	/* docker is done with it; only uplink has to say that it has left. */
	uplink_says(0, 0, true, GRPC_OK);
	did_is("");
	assert_int_equal(broken, 0);
}

/* What cannot be answered by a call is answered on the Channel. */
static void
test_refused(void **state)
{
	(void)state;
	begin("", "web", 7, FOLLOW_ID_LEN);
	did_is("told0;");
	begin("r1", "web", 7, FOLLOW_ID_LEN - 1);
	begin("r1", "web", 7, FOLLOW_ID_LEN + 1);
	did_is("refuse0 r1;0 a request without a stream id;"
	    "refuse0 r1;0 a request without a stream id;");
	begin("r1", "", 7, FOLLOW_ID_LEN);
	did_is("refuse0 r1;0 a request without a container;");
	(void)strlcpy(eng->docker_error, "no socket",
	    sizeof(eng->docker_error));
	eng->docker_up = false;
	begin("r1", "web", 7, FOLLOW_ID_LEN);
	did_is("refuse0 r1;0 no socket;");
	eng->docker_up = true;
	has_credit = false;
	begin("r1", "web", 7, FOLLOW_ID_LEN);
	assert_non_null(strstr(did, "too many commands"));
	did[0] = '\0';
	has_credit = true;
	begin("r1", "web", 7, FOLLOW_ID_LEN);
	did_is("follow0 web;");
	/* Docker ends it before it began. */
	docker_says(0, false, "", "container \"web\" not found");
	did_is("refuse0 r1;0 container \"web\" not found;");
	docker_says(0, true, "", "");
	uplink_says(0, 1, true, GRPC_OK);
	did_is("");
	assert_int_equal(broken, 0);
}

/* A request, or a stream's id, that is there already runs once. */
static void
test_twice(void **state)
{
	(void)state;
	begin("r1", "web", 7, FOLLOW_ID_LEN);
	did_is("follow0 web;");
	begin("r1", "web", 8, FOLLOW_ID_LEN);
	begin("r2", "other", 7, FOLLOW_ID_LEN);
	did_is("told0 r1;told0 r2;");
	begin("r2", "web", 8, FOLLOW_ID_LEN);
	did_is("follow0 web;");
}

static void
test_limit(void **state)
{
	char	 id[8];
	uint8_t	 i;

	(void)state;
	for (i = 0; i < FOLLOW_HOST_MAX; i++) {
		(void)snprintf(id, sizeof(id), "r%u", i);
		begin(id, "web", i, FOLLOW_ID_LEN);
	}
	did[0] = '\0';
	begin("r9", "web", 99, FOLLOW_ID_LEN);
	assert_non_null(strstr(did, "refuse0 r9;0 6 logs of this host"));
	did[0] = '\0';
	/* One ends, one begins. */
	docker_says(0, false, "", "gone");
	did[0] = '\0';
	begin("r9", "web", 99, FOLLOW_ID_LEN);
	did_is("follow0 web;");
	follow_session_lost();
	assert_non_null(strstr(did, "unfollow0;"));
}

/* A docker process that somebody else is in. */
static void
test_docker(void **state)
{
	unsigned int	 i;

	(void)state;
	begin("r1", "web", 7, FOLLOW_ID_LEN);
	docker_says(0, false, "early\n", "");
	assert_int_equal(broken, 1);
	docker_says(5, true, "", "");
	give(follow_docker, ROLE_A_DOCKER, 0, "\xff\xff", 2);
	assert_int_equal(broken, 2);
	did[0] = '\0';
	docker_says(0, true, "", "");
	docker_says(0, true, "", "");
	assert_int_equal(broken, 3);
	did_is("open0;");
	for (i = 0; i < FOLLOW_WINDOW; i++)
		docker_says(0, false, "line\n", "");
	did[0] = '\0';
	docker_says(0, false, "one too many\n", "");
	assert_int_equal(broken, 4);
	did_is("");
	/* The end needs no credit, and after it comes nothing. */
	docker_says(0, false, "", "has ended");
	did_is("end0 has ended;");
	docker_says(0, false, "", "again");
	docker_says(0, false, "late\n", "");
	assert_int_equal(broken, 6);
	/* Credit that comes now is nobody's. */
	uplink_says(0, 3, false, GRPC_OK);
	did_is("");
}

/* And an uplink. */
static void
test_uplink(void **state)
{
	(void)state;
	begin("r1", "web", 7, FOLLOW_ID_LEN);
	uplink_says(0, 0, true, GRPC_OK);
	uplink_says(0, 1, false, GRPC_OK);
	assert_int_equal(broken, 2);
	docker_says(0, true, "", "");
	docker_says(0, false, "line\n", "");
	did[0] = '\0';
	uplink_says(0, 2, false, GRPC_OK);
	uplink_says(0, UINT32_MAX, true, GRPC_OK);
	give(follow_uplink, ROLE_A_UPLINK, 0, "\xff", 1);
	assert_int_equal(broken, 5);
	uplink_says(4, 1, true, GRPC_OK);
	assert_int_equal(broken, 5);
	did_is("");
	/* The server ends it: Docker hears of it, once. */
	uplink_says(0, 1, true, GRPC_CANCELLED);
	did_is("taken0 1;unfollow0;");
	uplink_says(0, 0, true, GRPC_CANCELLED);
	docker_says(0, false, "late\n", "");
	did_is("");
	assert_int_equal(broken, 5);
}

/* A sibling dies, in each state of a follow. */
static void
test_lost(void **state)
{
	uint32_t	 first;

	(void)state;
	begin("r1", "web", 1, FOLLOW_ID_LEN);
	first = docker_id;
	docker_says(0, true, "", "");
	begin("r2", "db", 2, FOLLOW_ID_LEN);
	did[0] = '\0';
	follow_docker_lost();
	assert_int_equal(docker_id, first + 1);
	did_is("end4294967295 the docker process of the agent has died;"
	    "refuse0 r2;0 the docker process of the agent has died;");
	/* Its successor's, or a second death, changes nothing. */
	follow_docker_lost();
	did_is("");
	/* docker has it no more, so it is not told of the end. */
	follow_session_lost();
	did_is("");
	begin("r3", "web", 3, FOLLOW_ID_LEN);
	did[0] = '\0';
	follow_session_lost();
	did_is("unfollow0;");
	docker_says(0, true, "", "");
	did_is("");
	assert_int_equal(broken, 0);
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, down)
	const struct CMUnitTest	 tests[] = {
		T(test_whole),
		T(test_refused),
		T(test_twice),
		T(test_limit),
		T(test_docker),
		T(test_uplink),
		T(test_lost),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
