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

/* Enrolment and reports: calls with one answer. */

static void
enroll(struct client *c, char *token, const uint8_t *csr, size_t len)
{
	Sentinel__Cluster__EnrollRequest	 m;
	char					 name[] = "worker-1";

	sentinel__cluster__enroll_request__init(&m);
	m.token = token;
	m.host_name = name;
	m.csr.data = (uint8_t *)(uintptr_t)csr;
	m.csr.len = len;
	client_call(c, CALL_ENROLL);
	client_send(c, &m.base);
}

static void
test_enroll_refused(void **state)
{
	static const uint8_t	 garbage[] = { 0x30, 3, 2, 1, 0 };
	static const uint8_t	 bad[] = { 0x12, 2, 0xff, 0xfe };
	struct client		 c;
	char			 none[] = "", token[] = "t";

	(void)state;
	client_open(&c, NULL);
	enroll(&c, none, garbage, sizeof(garbage));
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_INVALID_ARGUMENT);
	assert_string_equal(c.text, "token is required");
	enroll(&c, token, garbage, 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_INVALID_ARGUMENT);
	assert_string_equal(c.text, "CSR is required");
	enroll(&c, token, garbage, sizeof(garbage));
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_INVALID_ARGUMENT);
	assert_non_null(strstr(c.text, "failed to sign certificate: "));
	client_call(&c, CALL_ENROLL);
	assert_int_equal(grpc_call_send(c.call, bad, sizeof(bad)), 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_INTERNAL);
	assert_non_null(strstr(c.text, "grpc: error unmarshalling request: "));
	/* None of it reached the engine, so no token was spent. */
	assert_null(sent_find(IMSG_ENROLL_ASK));
	client_call(&c, CALL_REPORT);
	assert_int_equal(grpc_call_send(c.call, "", 0), 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_UNAUTHENTICATED);
	assert_string_equal(c.text, "no valid client certificate: no client "
	    "certificate presented");
	assert_int_equal(clu->nunproven, 1);
	client_close(&c);
}

static void
test_enroll(void **state)
{
	Sentinel__Cluster__EnrollResponse	 resp, *got;
	Sentinel__Ipc__EnrollAnswer		 ans;
	Sentinel__Ipc__EnrollAsk		*ask;
	struct client				 c;
	struct pbmem				 pm;
	X509_REQ				*req;
	uint8_t					*der = NULL, point[65];
	char					 token[] = "secret";
	char					 host[] = "abc";
	char					 no[] = "token expired";
	uint32_t				 id;
	int					 len;

	(void)state;
	req = X509_REQ_new();
	assert_int_equal(X509_REQ_set_pubkey(req, agent.pm_pkey), 1);
	assert_true(X509_REQ_sign(req, agent.pm_pkey, EVP_sha256()) > 0);
	assert_true((len = i2d_X509_REQ(req, &der)) > 0);
	X509_REQ_free(req);
	client_open(&c, NULL);
	enroll(&c, token, der, (size_t)len);
	ask = expect(IMSG_ENROLL_ASK, &sentinel__ipc__enroll_ask__descriptor,
	    &id, &pm);
	assert_string_equal(ask->token, "secret");
	assert_string_equal(ask->host_name, "worker-1");
	assert_string_equal(ask->address, "127.0.0.1");
	assert_int_equal(eckey_point(agent.pm_pkey, point), 0);
	assert_memory_equal(ask->point.data, point, sizeof(point));
	pbmem_free(&pm);
	sentinel__ipc__enroll_answer__init(&ans);
	sentinel__cluster__enroll_response__init(&resp);
	resp.host_id = host;
	resp.ca_cert.data = resp.agent_cert.data = (uint8_t *)host;
	resp.ca_cert.len = resp.agent_cert.len = 3;
	ans.response = &resp;
	/* Not a call of ours: dropped.  Another kind: the engine is broken. */
	tell(IMSG_ENROLL_ANSWER, id + 1000, &ans.base);
	assert_int_equal(nbroken, 0);
	tell(IMSG_ENROLL_ANSWER, id, &ans.base);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_OK);
	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	got = pbcheck_unpack(&sentinel__cluster__enroll_response__descriptor,
	    c.msg, c.msglen, &pm, NULL);
	assert_non_null(got);
	assert_string_equal(got->host_id, "abc");
	pbmem_free(&pm);

	enroll(&c, token, der, (size_t)len);
	(void)expect(IMSG_ENROLL_ASK, &sentinel__ipc__enroll_ask__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	ans.response = NULL;
	ans.status = GRPC_PERMISSION_DENIED;
	ans.message = no;
	tell_admit(id, 0, "");
	assert_int_equal(nbroken, 1);
	tell(IMSG_ENROLL_ANSWER, id, &ans.base);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_PERMISSION_DENIED);
	assert_string_equal(c.text, "token expired");
	/* The agent goes while the engine thinks: the answer finds nobody. */
	enroll(&c, token, der, (size_t)len);
	(void)expect(IMSG_ENROLL_ASK, &sentinel__ipc__enroll_ask__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	client_close(&c);
	tell(IMSG_ENROLL_ANSWER, id, &ans.base);
	assert_int_equal(nbroken, 1);
	assert_null(sent_find(IMSG_AGENT_CLOSED));
	OPENSSL_free(der);
}

#define NLABELS	20

/* Two containers, the second with labels of 64 KiB, and an unknown field. */
static uint8_t *
report_make(size_t nlabels, size_t *len)
{
	static Sentinel__Cluster__ContainerInfo__LabelsEntry	 store[NLABELS];
	static char				 keys[NLABELS][24];
	static char				 value[65536];
	static const uint8_t			 unknown[] = { 0xba, 0x3e, 2,
						    'h', 'i' };
	Sentinel__Cluster__ContainerInfo__LabelsEntry	*labels[NLABELS];
	Sentinel__Cluster__ContainerInfo	 info[2], *list[2];
	Sentinel__Cluster__StateReport		 report;
	char					 id[] = "c1";
	uint8_t					*data;
	size_t					 i;

	memset(value, 'x', sizeof(value) - 1);
	sentinel__cluster__state_report__init(&report);
	for (i = 0; i < 2; i++) {
		sentinel__cluster__container_info__init(&info[i]);
		info[i].id = id;
		list[i] = &info[i];
	}
	for (i = 0; i < nlabels; i++) {
		sentinel__cluster__container_info__labels_entry__init(
		    &store[i]);
		(void)snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		store[i].key = keys[i];
		store[i].value = value;
		labels[i] = &store[i];
	}
	info[1].labels = labels;
	info[1].n_labels = nlabels;
	report.containers = list;
	report.n_containers = 2;
	assert_non_null(data = pbcheck_pack(&report.base, 4 * 1024 * 1024,
	    len));
	assert_non_null(data = realloc(data, *len + sizeof(unknown)));
	memcpy(data + *len, unknown, sizeof(unknown));
	*len += sizeof(unknown);
	return (data);
}

static void
test_report(void **state)
{
	Sentinel__Cluster__ContainerInfo	*info;
	Sentinel__Cluster__StateAck		 sa;
	Sentinel__Ipc__ReportAck		 ack;
	Sentinel__Ipc__AgentOpen		*open;
	Sentinel__Ipc__ListEnd			*end;
	struct client				 c;
	struct pbmem				 pm;
	uint8_t					*data, point[65];
	uint32_t				 id, id2;
	size_t					 len;

	(void)state;
	client_open(&c, &agent);
	client_call(&c, CALL_REPORT);
	data = report_make(12, &len);
	assert_int_equal(grpc_call_send(c.call, data, len), 0);
	free(data);
	open = expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id, &pm);
	assert_int_equal(clu->nunproven, 0);
	assert_string_equal(open->host_id, "0123456789abcdef");
	assert_string_equal(open->address, "127.0.0.1");
	assert_int_equal(eckey_point(agent.pm_pkey, point), 0);
	assert_memory_equal(open->point.data, point, sizeof(point));
	assert_true(open->not_after > open->not_before);
	assert_non_null(open->report);
	assert_int_equal(open->report->n_containers, 0);
	assert_int_equal(open->report->base.n_unknown_fields, 0);
	pbmem_free(&pm);
	info = expect(IMSG_AGENT_CONTAINER,
	    &sentinel__cluster__container_info__descriptor, &id2, &pm);
	assert_int_equal(id, id2);
	assert_string_equal(info->id, "c1");
	pbmem_free(&pm);
	info = expect(IMSG_AGENT_CONTAINER,
	    &sentinel__cluster__container_info__descriptor, &id2, &pm);
	assert_int_equal(info->n_labels, 12);
	pbmem_free(&pm);
	end = expect(IMSG_AGENT_LIST_END,
	    &sentinel__ipc__list_end__descriptor, &id2, &pm);
	assert_int_equal(end->count, 2);
	pbmem_free(&pm);
	sentinel__cluster__state_ack__init(&sa);
	sa.accepted = true;
	sentinel__ipc__report_ack__init(&ack);
	ack.ack = &sa;
	tell(IMSG_AGENT_REPORT_ACK, id, &ack.base);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_OK);
	assert_int_equal(c.nmsg, 1);
	/* Acknowledged: the engine waits for nothing more. */
	assert_null(sent_find(IMSG_AGENT_CLOSED));

	client_call(&c, CALL_REPORT);
	assert_int_equal(grpc_call_send(c.call, "", 0), 0);
	(void)expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id2, &pm);
	pbmem_free(&pm);
	assert_true(id2 > id);
	tell_admit(id2, GRPC_NOT_FOUND, "host ID not registered");
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_NOT_FOUND);
	assert_string_equal(c.text, "host ID not registered");
	loop_until(base, &c.ended);	/* GOAWAY: come again if you must */
	assert_null(sent_find(IMSG_AGENT_CLOSED));
	client_close(&c);
}

/* One container that no message holds goes without its labels. */
static void
test_report_large(void **state)
{
	Sentinel__Cluster__ContainerInfo	*info;
	struct cluster_call			*call;
	struct client				 c;
	struct pbmem				 pm;
	uint8_t					*data;
	size_t					 len;
	uint32_t				 id;

	(void)state;
	client_open(&c, &agent);
	client_call(&c, CALL_REPORT);
	loop_for(base, 50);
	call = TAILQ_FIRST(&TAILQ_FIRST(&clu->conns)->cn_calls);
	assert_non_null(call);
	data = report_make(NLABELS, &len);
	cluster_ops.gs_call_message(call->cl_grpc, data, len, call->cl_conn);
	free(data);
	assert_int_equal(sent_count(IMSG_AGENT_CONTAINER), 2);
	sent_free(sent_find(IMSG_AGENT_CONTAINER));
	info = expect(IMSG_AGENT_CONTAINER,
	    &sentinel__cluster__container_info__descriptor, &id, &pm);
	assert_string_equal(info->id, "c1");
	assert_int_equal(info->n_labels, 0);
	pbmem_free(&pm);
	assert_int_equal(sent_count(IMSG_AGENT_LIST_END), 1);
	/* The engine has begun with it and is told that it is over. */
	client_close(&c);
	expect_closed(id, "network", "agent stopped");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(test_enroll_refused, fresh),
		cmocka_unit_test_setup(test_enroll, fresh),
		cmocka_unit_test_setup(test_report, fresh),
		cmocka_unit_test_setup(test_report_large, fresh),
	};

	return (cmocka_run_group_tests(tests, set_up, NULL));
}
