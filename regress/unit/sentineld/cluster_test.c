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

/* Streams of agents: what passes in both directions, and how they end. */

static void
test_channel(void **state)
{
	Sentinel__Cluster__AgentMessage		 m, *got;
	Sentinel__Cluster__ContainerInfo	 info, *list[2] = { &info,
						    &info };
	Sentinel__Cluster__ContainerList	 cl;
	Sentinel__Ipc__ListEnd			*end;
	struct client				 c;
	struct pbmem				 pm;
	char					 v1[] = "v1", v2[] = "v2";
	char					 rid[] = "r-1";
	uint32_t				 id;

	(void)state;
	client_open(&c, &agent);
	client_call(&c, CALL_CHANNEL);
	heartbeat(&c, v1);
	(void)expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	loop_for(base, 50);
	/* Not before the engine has decided. */
	assert_null(sent_find(IMSG_AGENT_MESSAGE));
	tell_admit(id, 0, "");
	got = expect(IMSG_AGENT_MESSAGE,
	    &sentinel__cluster__agent_message__descriptor, NULL, &pm);
	assert_string_equal(got->heartbeat->agent_version, "v1");
	pbmem_free(&pm);

	sentinel__cluster__agent_message__init(&m);
	sentinel__cluster__container_list__init(&cl);
	sentinel__cluster__container_info__init(&info);
	cl.request_id = rid;
	cl.containers = list;
	cl.n_containers = 2;
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CONTAINER_LIST;
	m.container_list = &cl;
	client_send(&c, &m.base);
	end = expect(IMSG_AGENT_LIST_END,
	    &sentinel__ipc__list_end__descriptor, NULL, &pm);
	assert_string_equal(end->request_id, "r-1");
	assert_int_equal(end->count, 2);
	pbmem_free(&pm);
	assert_int_equal(sent_count(IMSG_AGENT_CONTAINER), 2);
	assert_null(sent_find(IMSG_AGENT_MESSAGE));

	/* An undecodable one ends the stream and nothing else. */
	heartbeat(&c, v2);
	assert_int_equal(grpc_call_send(c.call, "\x0a\xff", 2), 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_INTERNAL);
	assert_non_null(strstr(c.text, "grpc: failed to unmarshal"));
	assert_int_equal(sent_count(IMSG_AGENT_MESSAGE), 1);
	assert_int_equal(sent_count(IMSG_AGENT_CLOSED), 1);
	assert_false(c.ended);
	client_close(&c);
}

static void
renewal(struct client *c, uint8_t *der, size_t len)
{
	Sentinel__Cluster__AgentMessage		 m;
	Sentinel__Cluster__CertRenewalCSR	 csr;

	sentinel__cluster__agent_message__init(&m);
	sentinel__cluster__cert_renewal_csr__init(&csr);
	csr.csr.data = der;
	csr.csr.len = len;
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CERT_RENEWAL;
	m.cert_renewal = &csr;
	client_send(c, &m.base);
}

/*
 * The engine gets the point of a request whose sender has its key, and no
 * foreign DER; one that is broken costs its sender nothing but an answer.
 */
static void
test_renewal(void **state)
{
	X509_REQ		*req = X509_REQ_new();
	struct client		 c;
	struct pbmem		 pm;
	struct sent		*s;
	unsigned char		*der = NULL;
	uint8_t			 point[ECKEY_POINT_LEN];
	static uint8_t		 junk[] = { 0x30, 0x03, 0x02, 0x01, 0x00 };
	char			 v1[] = "v1";
	uint32_t		 id;
	int			 len;

	(void)state;
	assert_int_equal(X509_REQ_set_pubkey(req, held.pm_pkey), 1);
	assert_true(X509_REQ_sign(req, held.pm_pkey, EVP_sha256()) > 0);
	assert_true((len = i2d_X509_REQ(req, &der)) > 0);
	X509_REQ_free(req);
	client_open(&c, &agent);
	client_call(&c, CALL_CHANNEL);
	(void)expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	tell_admit(id, 0, "");
	renewal(&c, junk, sizeof(junk));
	der[len - 1] ^= 1;
	renewal(&c, der, (size_t)len);
	der[len - 1] ^= 1;
	heartbeat(&c, v1);
	(void)expect(IMSG_AGENT_MESSAGE,
	    &sentinel__cluster__agent_message__descriptor, NULL, &pm);
	pbmem_free(&pm);
	assert_null(sent_find(IMSG_AGENT_RENEW));
	renewal(&c, der, (size_t)len);
	heartbeat(&c, v1);
	(void)expect(IMSG_AGENT_MESSAGE,
	    &sentinel__cluster__agent_message__descriptor, NULL, &pm);
	pbmem_free(&pm);
	assert_non_null(s = sent_find(IMSG_AGENT_RENEW));
	assert_int_equal(s->id, id);
	assert_int_equal(s->len, 2 + ECKEY_POINT_LEN);
	assert_int_equal(eckey_point(held.pm_pkey, point), 0);
	assert_memory_equal(s->body + 2, point, sizeof(point));
	sent_free(s);
	assert_false(c.over);
	free(der);
	client_close(&c);
}

static void
test_send(void **state)
{
	static uint8_t			 bytes[1024 * 1024];
	Sentinel__Ipc__AgentClose	 close_msg;
	Sentinel__Ipc__AgentSend	 m;
	Sentinel__Ipc__Sent		*sn;
	struct client			 c;
	struct pbmem			 pm;
	char				 why[] = "certificate has been revoked";
	uint32_t			 id;

	(void)state;
	id = client_channel(&c);
	arc4random_buf(bytes, sizeof(bytes));
	sentinel__ipc__agent_send__init(&m);
	m.message.data = bytes;
	m.message.len = 100;
	tell(IMSG_AGENT_SEND, id, &m.base);
	sn = expect(IMSG_AGENT_SENT, &sentinel__ipc__sent__descriptor, NULL,
	    &pm);
	assert_int_equal(sn->count, 1);
	pbmem_free(&pm);
	m.message.len = sizeof(bytes);
	tell(IMSG_AGENT_SEND, id, &m.base);
	/* Credit only when it has left. */
	assert_null(sent_find(IMSG_AGENT_SENT));
	sn = expect(IMSG_AGENT_SENT, &sentinel__ipc__sent__descriptor, NULL,
	    &pm);
	assert_int_equal(sn->count, 1);
	pbmem_free(&pm);
	loop_for(base, 100);
	assert_int_equal(c.nmsg, 2);
	assert_int_equal(c.msglen, sizeof(bytes));
	assert_memory_equal(c.msg, bytes, sizeof(bytes));

	sentinel__ipc__agent_close__init(&close_msg);
	close_msg.status = GRPC_PERMISSION_DENIED;
	close_msg.message = why;
	tell(IMSG_AGENT_CLOSE, id, &close_msg.base);
	/* Late ones are dropped. */
	tell(IMSG_AGENT_SEND, id, &m.base);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_PERMISSION_DENIED);
	assert_string_equal(c.text, why);
	expect_closed(id, "cert", why);
	assert_int_equal(nbroken, 0);
	client_close(&c);
}

/* An agent that does not read; a full queue does not keep its stream. */
static void
test_stalled(void **state)
{
	static uint8_t			 bytes[1024 * 1024];
	Sentinel__Ipc__AgentSend	 m;
	struct client			 c;
	uint32_t			 id;
	int				 i;

	(void)state;
	id = client_channel(&c);
	loop_for(base, 20);
	stream_pause(grpc_conn_stream(c.conn));
	sentinel__ipc__agent_send__init(&m);
	m.message.data = bytes;
	m.message.len = sizeof(bytes);
	for (i = 0; i < 12 && !RB_ROOT(&clu->calls)->cl_ended; i++) {
		tell(IMSG_AGENT_SEND, id, &m.base);
		loop_for(base, 10);
	}
	assert_in_range(i, 4, 11);
	assert_string_equal(RB_ROOT(&clu->calls)->cl_text,
	    "agent does not read");
	client_close(&c);
	expect_closed(id, "network", "agent does not read");
}

static void
test_ends(void **state)
{
	struct linger	 hard = { 1, 0 };
	struct client	 c;
	uint32_t	 id;
	int		 sv[2];

	(void)state;
	/* GOAWAY and good-bye */
	id = client_channel(&c);
	client_close(&c);
	expect_closed(id, "network", "agent stopped");
	/* half-close */
	id = client_channel(&c);
	assert_int_equal(grpc_call_half_close(c.call), 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_OK);
	expect_closed(id, "network", "agent stopped");
	client_close(&c);
	/* RST_STREAM(CANCEL) */
	id = client_channel(&c);
	grpc_call_cancel(c.call);
	c.call = NULL;
	expect_closed(id, "network", "agent stopped");
	client_close(&c);
	/* killed */
	id = client_channel(&c);
	assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
	expect_closed(id, "network", "connection lost (EOF)");
	client_close(&c);
	/* RST */
	id = client_channel(&c);
	loop_for(base, 20);
	stream_pause(grpc_conn_stream(c.conn));
	assert_int_equal(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &hard,
	    sizeof(hard)), 0);
	/* Another socket in its place: close(2) behind the stream's back. */
	socket_pair(sv);
	assert_int_equal(dup2(sv[0], c.fd), c.fd);
	expect_closed(id, "network", "connection reset by peer");
	client_close(&c);
	(void)close(sv[0]);
	(void)close(sv[1]);
}

static void
test_ping(void **state)
{
	struct client	 c;
	uint32_t	 id;
	monotime_t	 end = monotime_now() + LOOP_MSEC;

	(void)state;
	give_conf(2000, 50, 200, 100);
	id = client_channel(&c);
	while (sent_count(IMSG_AGENT_RTT) < 3 && monotime_now() < end)
		loop_for(base, 10);
	assert_true(sent_count(IMSG_AGENT_RTT) >= 3);
	assert_int_equal(sent_find(IMSG_AGENT_RTT)->id, id);
	assert_null(sent_find(IMSG_AGENT_CLOSED));
	stream_pause(grpc_conn_stream(c.conn));
	expect_closed(id, "network", "connection timed out");
	stream_resume(grpc_conn_stream(c.conn));
	loop_until(base, &c.ended);
	give_conf(2000, 60000, 60000, 100);
	client_close(&c);
}

/* A slow engine makes agents wait; nothing is lost or reordered. */
static void
test_credit(void **state)
{
	Sentinel__Cluster__AgentMessage	*got;
	struct client			 c;
	struct pbmem			 pm;
	char				 version[16];
	uint32_t			 id;
	int				 i;

	(void)state;
	id = client_channel(&c);
	(void)id;
	has_credit = false;
	for (i = 0; i < 50; i++) {
		(void)snprintf(version, sizeof(version), "v%d", i);
		heartbeat(&c, version);
	}
	loop_for(base, 200);
	/* One went before we knew. */
	assert_int_equal(sent_count(IMSG_AGENT_MESSAGE), 1);
	has_credit = true;
	for (i = 0; i < 50; i++) {
		got = expect(IMSG_AGENT_MESSAGE,
		    &sentinel__cluster__agent_message__descriptor, NULL, &pm);
		(void)snprintf(version, sizeof(version), "v%d", i);
		assert_string_equal(got->heartbeat->agent_version, version);
		pbmem_free(&pm);
	}
	client_close(&c);
}

static void
test_rate(void **state)
{
	struct client	 c;
	char		 v[] = "v";
	monotime_t	 begin;
	int		 i;

	(void)state;
	(void)client_channel(&c);
	begin = monotime_now();
	for (i = 0; i < CLUSTER_RATE_BURST + 100; i++) {
		heartbeat(&c, v);
		if (i % 100 == 0)
			loop_for(base, 1);
	}
	while (sent_count(IMSG_AGENT_MESSAGE) < CLUSTER_RATE_BURST + 100 &&
	    monotime_now() - begin < 2 * LOOP_MSEC)
		loop_for(base, 10);
	assert_int_equal(sent_count(IMSG_AGENT_MESSAGE),
	    CLUSTER_RATE_BURST + 100);
	/* 100 too many at 200 a second, less what came in meanwhile. */
	assert_in_range(monotime_now() - begin, 300, LOOP_MSEC);
	assert_null(sent_find(IMSG_AGENT_CLOSED));
	client_close(&c);
}

/* Opening calls and leaving them is paid for as well. */
static void
test_opens(void **state)
{
	struct pbmem	 pm;
	struct client	 c;
	uint32_t	 id;

	(void)state;
	(void)client_channel(&c);
	TAILQ_FIRST(&clu->conns)->cn_tokens = -1000000;
	client_call(&c, CALL_CHANNEL);
	(void)expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	/* That one began the pause. */
	client_call(&c, CALL_CHANNEL);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_UNAVAILABLE);
	assert_null(sent_find(IMSG_AGENT_OPEN));
	client_close(&c);
}

/* No number left, and an engine that does not answer. */
static void
test_unanswered(void **state)
{
	struct pbmem	 pm;
	struct client	 c;
	uint32_t	 last = clu->last_call, id;

	(void)state;
	clu->last_call = UINT32_MAX;
	client_open(&c, &agent);
	client_call(&c, CALL_CHANNEL);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_UNAVAILABLE);
	client_call(&c, CALL_REPORT);
	assert_int_equal(grpc_call_send(c.call, "", 0), 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_UNAVAILABLE);
	assert_null(sent_find(IMSG_AGENT_OPEN));
	clu->last_call = last;
	client_call(&c, CALL_CHANNEL);
	(void)expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	event_active(cluster_call_find(id)->cl_timer, EV_TIMEOUT, 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_UNAVAILABLE);
	/* Too late. */
	tell_admit(id, 0, "");
	expect_closed(id, "server", "server is busy");
	client_close(&c);
}

/* Last: the process ends. */
static void
test_stop(void **state)
{
	static struct client	 c;
	static uint32_t		 id;
	static monotime_t	 begin;

	(void)state;
	id = client_channel(&c);
	loop_for(base, 20);
	begin = monotime_now();
	if (setjmp(exit_jmp) == 0) {
		cluster_stop();
		loop_for(base, LOOP_MSEC);
		fail_msg("it goes on");
	}
	assert_true(c.over);
	assert_int_equal(c.status, GRPC_UNAVAILABLE);
	assert_string_equal(c.text, "server is stopping");
	assert_in_range(monotime_now() - begin, 0, CLUSTER_STOP_MSEC);
	assert_non_null(sent_find(IMSG_AGENT_CLOSED));
	assert_int_equal(sent_find(IMSG_AGENT_CLOSED)->id, id);
	free(c.msg);
	sent_clear();
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(test_channel, fresh),
		cmocka_unit_test_setup(test_renewal, fresh),
		cmocka_unit_test_setup(test_send, fresh),
		cmocka_unit_test_setup(test_stalled, fresh),
		cmocka_unit_test_setup(test_ends, fresh),
		cmocka_unit_test_setup(test_ping, fresh),
		cmocka_unit_test_setup(test_credit, fresh),
		cmocka_unit_test_setup(test_rate, fresh),
		cmocka_unit_test_setup(test_opens, fresh),
		cmocka_unit_test_setup(test_unanswered, fresh),
		cmocka_unit_test_setup(test_stop, fresh),
	};

	return (cmocka_run_group_tests(tests, set_up, NULL));
}
