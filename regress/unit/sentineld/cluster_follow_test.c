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

#include <event2/event.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cluster.h"
#include "follow.h"
#include "imsg_rule.h"
#include "ipc.pb-c.h"
#include "pbcheck.h"

/*
 * FollowLogs calls in cluster: what an agent may say when, how much of it goes
 * on to the engine, and what credit the engine may give.  The calls beneath
 * and the engine are played here.
 */
typedef Sentinel__Cluster__FollowLogsData	data_msg;

static struct event_base	*base;
static struct peer		 engine = { .pe_role = ROLE_ENGINE };
static struct cluster_conn	 conn;
static struct cluster_call	 call;
static bool			 is_known;	/* call, by its number */
static bool			 no_number, engine_gone;
static unsigned int		 asked, broken, sent, watched;
static uint8_t			 asked_id[FOLLOW_ID_LEN];
static size_t			 last_id_len;	/* of the last one sent */
static int			 status;	/* -1: not ended */
static const char		*refusal;
static int			 refusal_errno;

/* --- neighbours --------------------------------------------------------- */

struct event_base *
proc_base(void)
{
	return (base);
}

struct peer *
proc_peer(enum role role)
{
	assert_int_equal(role, ROLE_ENGINE);
	return (&engine);
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
peer_send_pb(struct peer *p, uint32_t type, uint32_t id,
    const ProtobufCMessage *m)
{
	uint8_t	*body;
	char	 why[200];
	size_t	 len;

	assert_ptr_equal(p, &engine);
	assert_int_equal(type, IMSG_AGENT_FOLLOW);
	assert_int_equal(id, call.cl_id);
	if (engine_gone)
		return (-1);
	assert_non_null(body = pbcheck_pack(m, FOLLOW_MESSAGE_MAXBYTES, &len));
	assert_int_equal(pbcheck_scan(m->descriptor, body, len, why,
	    sizeof(why)), 0);
	free(body);
	last_id_len = ((const data_msg *)(const void *)m)->stream_id.len;
	sent++;
	return (0);
}

struct cluster_call *
cluster_call_find(uint32_t id)
{
	return (is_known && id == call.cl_id ? &call : NULL);
}

bool
cluster_call_number(struct cluster_call *cl)
{
	if (no_number)
		return (false);
	cl->cl_id = 77;
	return (is_known = true);
}

void
cluster_call_finish(struct cluster_call *cl, enum grpc_status s,
    const char *category, const char *text)
{
	(void)category;
	(void)text;
	assert_ptr_equal(cl, &call);
	assert_int_equal(status, -1);
	status = (int)s;
}

void
cluster_call_pause(struct cluster_call *cl, unsigned int why)
{
	cl->cl_pause |= why;
}

void
cluster_call_resume(struct cluster_call *cl, unsigned int why)
{
	cl->cl_pause &= ~why;
}

void
cluster_conn_watch(struct cluster_conn *cn)
{
	assert_ptr_equal(cn, &conn);
	watched++;
}

void
cluster_rpc_ask(struct cluster_call *cl, Sentinel__Cluster__StateReport *r,
    const ProtobufCBinaryData *id)
{
	assert_ptr_equal(cl, &call);
	assert_null(r);
	assert_int_equal(id->len, FOLLOW_ID_LEN);
	memcpy(asked_id, id->data, FOLLOW_ID_LEN);
	asked++;
}

void
cluster_rpc_refuse(struct cluster_call *cl, const char *why, int error)
{
	assert_ptr_equal(cl, &call);
	refusal = why;
	refusal_errno = error;
}

/* --- the agent and the engine ------------------------------------------- */

static void
on_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	cluster_follow_timer(arg);
}

static int
up(void **state)
{
	(void)state;
	base = event_base_new();
	memset(&conn, 0, sizeof(conn));
	memset(&call, 0, sizeof(call));
	call.cl_kind = CALL_FOLLOW;
	call.cl_conn = &conn;
	call.cl_timer = evtimer_new(base, on_timer, &call);
	is_known = no_number = engine_gone = false;
	asked = broken = sent = watched = 0;
	status = -1;
	refusal = NULL;
	assert_true(cluster_follow_open(&call));
	assert_true(evtimer_pending(call.cl_timer, NULL));
	return (0);
}

static int
down(void **state)
{
	(void)state;
	event_free(call.cl_timer);
	event_base_free(base);
	return (0);
}

static void
say(const uint8_t *id, size_t idlen, const char *text)
{
	data_msg	 m;
	uint8_t		*body;
	size_t		 len;

	sentinel__cluster__follow_logs_data__init(&m);
	m.stream_id.data = (uint8_t *)(uintptr_t)id;
	m.stream_id.len = idlen;
	m.text = (char *)(uintptr_t)text;
	m.stream = FOLLOW_STDOUT;
	assert_non_null(body = pbcheck_pack(&m.base, FOLLOW_MESSAGE_MAXBYTES,
	    &len));
	cluster_follow_message(&call, body, len);
	free(body);
}

static const uint8_t	stream_id[FOLLOW_ID_LEN] = "0123456789abcde";

static void
admitted(void)
{
	say(stream_id, sizeof(stream_id), "");
	assert_int_equal(asked, 1);
	cluster_follow_admit(&call);
}

static void
credit(uint32_t id, const void *body, size_t len)
{
	struct imsg	 m;

	memset(&m, 0, sizeof(m));
	m.hdr.type = IMSG_AGENT_TAKEN;
	m.hdr.peerid = id;
	m.hdr.len = (uint32_t)(IMSG_HEADER_SIZE + len);
	assert_non_null(m.buf = ibuf_dynamic(len + 1, len + 1));
	assert_int_equal(ibuf_add(m.buf, body, len), 0);
	cluster_follow_taken(&engine, &m);
	imsg_free(&m);
}

static void
taken(uint32_t id, uint32_t n)
{
	n = htonl(n);
	credit(id, &n, sizeof(n));
}

static void
wait_msec(unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	event_base_loopexit(base, &tv);
	event_base_dispatch(base);
}

/* --- tests --------------------------------------------------------------- */

static void
test_id(void **state)
{
	(void)state;
	say(stream_id, sizeof(stream_id), "");
	assert_int_equal(asked, 1);
	assert_memory_equal(asked_id, stream_id, FOLLOW_ID_LEN);
	assert_int_equal(call.cl_pause, PAUSE_ADMIT);
	assert_int_equal(conn.cn_channels, 0);
	cluster_follow_admit(&call);
	assert_int_equal(call.cl_pause, 0);
	assert_int_equal(conn.cn_channels, 1);
	assert_int_equal(watched, 1);
	assert_false(evtimer_pending(call.cl_timer, NULL));
	/* A second one is no business of the engine's. */
	say(stream_id, sizeof(stream_id), "line\n");
	assert_int_equal(sent, 1);
	assert_int_equal(last_id_len, 0);
	assert_int_equal(asked, 1);
	assert_int_equal(status, -1);
}

/* No id, a short one, two of them, text first, bytes that are no message. */
static void
test_first(void **state)
{
	static const uint8_t	 junk[] = { 0x0a, 0xff, 0xff };

	say(NULL, 0, "");
	assert_int_equal(status, GRPC_INVALID_ARGUMENT);
	down(state);
	up(state);
	say(stream_id, FOLLOW_ID_LEN - 1, "");
	assert_non_null(refusal != NULL ? refusal : status ==
	    GRPC_INVALID_ARGUMENT ? "" : NULL);
	assert_int_equal(asked, 0);
	down(state);
	up(state);
	say(NULL, 0, "text first\n");
	assert_int_equal(status, GRPC_INVALID_ARGUMENT);
	down(state);
	up(state);
	say(stream_id, sizeof(stream_id), "");
	say(stream_id, sizeof(stream_id), "");
	assert_int_equal(asked, 1);
	assert_int_equal(status, GRPC_INVALID_ARGUMENT);
	down(state);
	up(state);
	cluster_follow_message(&call, junk, sizeof(junk));
	assert_non_null(refusal);
	assert_int_equal(refusal_errno, EBADMSG);
	down(state);
	up(state);
	no_number = true;
	say(stream_id, sizeof(stream_id), "");
	assert_int_equal(status, GRPC_UNAVAILABLE);
	assert_int_equal(asked, 0);
	assert_int_equal(sent, 0);
}

/* Nobody who only opens calls keeps them. */
static void
test_silent(void **state)
{
	(void)state;
	cluster_follow_timer(&call);
	assert_int_equal(status, GRPC_DEADLINE_EXCEEDED);
}

static void
test_window(void **state)
{
	unsigned int	 i;

	(void)state;
	admitted();
	for (i = 0; i < FOLLOW_WINDOW; i++) {
		assert_int_equal(call.cl_pause & PAUSE_TAKEN, 0);
		say(NULL, 0, "line\n");
	}
	assert_int_equal(sent, FOLLOW_WINDOW);
	assert_int_equal(call.cl_pause & PAUSE_TAKEN, PAUSE_TAKEN);
	taken(call.cl_id, 3);
	assert_int_equal(call.cl_out, FOLLOW_WINDOW - 3);
	assert_int_equal(call.cl_pause & PAUSE_TAKEN, 0);
	assert_int_equal(broken, 0);
	/* More than it took, also by a wrap; half a number; none at all. */
	taken(call.cl_id, FOLLOW_WINDOW);
	taken(call.cl_id, UINT32_MAX);
	credit(call.cl_id, "\0\0", 2);
	credit(call.cl_id, "", 0);
	assert_int_equal(broken, 4);
	assert_int_equal(call.cl_out, FOLLOW_WINDOW - 3);
	/* Of a call that has ended, and of one that follows nothing. */
	taken(call.cl_id + 1, 1);
	assert_int_equal(broken, 4);
	call.cl_kind = CALL_CHANNEL;
	taken(call.cl_id, 1);
	assert_int_equal(broken, 5);
}

/* An engine that died took nothing and owes no credit. */
static void
test_engine_gone(void **state)
{
	(void)state;
	admitted();
	engine_gone = true;
	say(NULL, 0, "line\n");
	assert_int_equal(call.cl_out, 0);
	assert_int_equal(call.cl_pause, 0);
}

/* Each slice of time has so many messages, and the next one begins anew. */
static void
test_slice(void **state)
{
	unsigned int	 i;

	(void)state;
	admitted();
	for (i = 0; i < CLUSTER_FOLLOW_SLICE; i++) {
		assert_int_equal(call.cl_pause & PAUSE_SLICE, 0);
		say(NULL, 0, "line\n");
		taken(call.cl_id, 1);
	}
	assert_int_equal(call.cl_pause, PAUSE_SLICE);
	wait_msec(2 * CLUSTER_FOLLOW_SLICE_MSEC);
	assert_int_equal(call.cl_pause, 0);
	say(NULL, 0, "line\n");
	assert_int_equal(call.cl_pause, 0);
	assert_int_equal(call.cl_slice, 1);
	assert_int_equal(status, -1);
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, down)
	const struct CMUnitTest	 tests[] = {
		T(test_id),
		T(test_first),
		T(test_silent),
		T(test_window),
		T(test_engine_gone),
		T(test_slice),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
