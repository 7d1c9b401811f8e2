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

#include "engine_cert.h"
#include "engine_identity.h"
#include "keyholder_int.h"

/*
 * Renewal: at no moment is the host without a certificate that opens the door,
 * and the old one closes when the new one has been shown.
 */
#define HOST_A	"0000000000000000000000000000000a"
#define OLD	"0a"
#define CALL	101
#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name

static struct host	*ha;
static struct keyring	*kr;	/* a CA of our own */
static struct key	 keys[3];
static char		 last_serial[X509_SERIAL_SIZE];	/* issued */
static int64_t		 life = 3600;

/* --- helpers ------------------------------------------------------------ */

static int
up(void **state)
{
	size_t	 i;

	if (rig_up(state) == -1)
		return (-1);
	kr = xcalloc(1, sizeof(*kr));
	keyring_init(kr);
	assert_int_equal(key_make(&kr->kr_ca), 0);
	kr->kr_cacert = key_ca_selfsign(&kr->kr_ca, 86400, time(NULL));
	assert_non_null(kr->kr_cacert);
	for (i = 0; i < nitems(keys); i++)
		assert_int_equal(key_make(&keys[i]), 0);
	ha = rig_host(HOST_A, "alpha");
	(void)strlcpy(ha->h_serial, OLD, sizeof(ha->h_serial));
	ha->h_not_before = time(NULL) - 10;
	ha->h_not_after = time(NULL) + 3600;
	memcpy(ha->h_point, keys[0].k_point, ECKEY_POINT_LEN);
	ha->h_dirty = true;
	assert_int_equal(host_flush(0), 0);
	life = 3600;
	return (0);
}

static int
down(void **state)
{
	size_t	 i;

	for (i = 0; i < nitems(keys); i++)
		key_clear(&keys[i]);
	keyring_clear(kr);
	free(kr);
	return (rig_down(state));
}

static void
restart(void)
{
	rig_crash();
	rig_start();
	ha = host_find(HOST_A);
}

static void
renew(uint32_t call, const struct key *key)
{
	struct ibuf	*buf = ibuf_dynamic(67, 67);

	assert_int_equal(ibuf_add_bytes(buf, key->k_point, ECKEY_POINT_LEN),
	    0);
	rig_give_ibuf(ROLE_CLUSTER, IMSG_AGENT_RENEW, call, buf);
}

/* The keyholder answers one question, with a real certificate. */
static bool
issue(void)
{
	struct key_cert	*kc;
	struct ibuf	 in, *out;
	struct sent	*s;
	const uint8_t	*point = NULL;
	uint32_t	 sec = 0;
	uint8_t		 profile;
	char		 subject[65], why[KEY_WHY_SIZE];
	size_t		 len;

	if ((s = rig_take(IMSG_KEY_ISSUE, 0)) == NULL)
		return (false);
	ibuf_from_buffer(&in, s->st_body, s->st_len);
	assert_true(ibuf_get_n8(&in, &profile) == 0 &&
	    ibuf_get_string(&in, subject, sizeof(subject)) == 0 &&
	    ibuf_get_bytes(&in, ECKEY_POINT_LEN, &point, &len) == 0 &&
	    ibuf_get_n32(&in, &sec) == 0 && ibuf_end(&in) == 0);
	assert_int_equal(sec, eng->conf.ec_agent_life_sec);
	kc = xcalloc(1, sizeof(*kc));
	assert_int_equal(key_issue_agent(kr, subject, point, life,
	    time(NULL), kc, why), KEY_RC_OK);
	assert_int_equal(x509_serial_text(kc->kc_serial, kc->kc_seriallen,
	    last_serial), 0);
	out = ibuf_dynamic(64, 4096);
	assert_true(ibuf_add_n8(out, 0) == 0 &&
	    ibuf_add_bytes(out, kc->kc_serial, kc->kc_seriallen) == 0 &&
	    ibuf_add_n64(out, (uint64_t)kc->kc_notbefore) == 0 &&
	    ibuf_add_n64(out, (uint64_t)kc->kc_notafter) == 0 &&
	    ibuf_add_bytes(out, kc->kc_der, kc->kc_len) == 0 &&
	    ibuf_add_string(out, "") == 0);
	rig_give_ibuf(ROLE_KEYHOLDER, IMSG_KEY_ISSUED, s->st_id, out);
	free(kc);
	rig_free(s);
	return (true);
}

/* What a Channel gets: the serial of the certificate; "" nothing. */
static const char *
received(uint32_t call)
{
	static struct x509_facts	 xf;
	Sentinel__Cluster__ServerMessage *m;
	Sentinel__Ipc__AgentSend	*send;
	struct pbmem			 pm, inner;
	struct sent			*s = rig_take(IMSG_AGENT_SEND, call);

	if (s == NULL)
		return ("");
	send = rig_unpack(s, &sentinel__ipc__agent_send__descriptor, &pm);
	pbmem_init(&inner, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = pbcheck_unpack(&sentinel__cluster__server_message__descriptor,
	    send->message.data, send->message.len, &inner, NULL);
	assert_non_null(m);
	assert_int_equal(m->payload_case,
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_CERT_RENEWAL_RESPONSE);
	assert_string_equal(m->request_id, "");
	assert_int_equal(x509_facts_pem(
	    m->cert_renewal_response->agent_cert.data,
	    m->cert_renewal_response->agent_cert.len, &xf), 0);
	assert_string_equal(xf.xf_cn, HOST_A);
	pbmem_free(&inner);
	pbmem_free(&pm);
	rig_free(s);
	return (xf.xf_serial);
}

/* Everything that is checked of a call: admitted with 0, refused with it. */
static uint32_t
admitted(uint32_t call)
{
	Sentinel__Ipc__AgentAdmit	*m;
	struct pbmem			 pm;
	struct sent			*s = rig_take(IMSG_AGENT_ADMIT, call);
	uint32_t			 status;

	m = rig_unpack(s, &sentinel__ipc__agent_admit__descriptor, &pm);
	status = m->status;
	pbmem_free(&pm);
	rig_free(s);
	return (status);
}

/* A Channel with a certificate of this end, tried and left again. */
static uint32_t
knock(const char *serial, int64_t not_after)
{
	static uint32_t			 call = 5000;
	Sentinel__Ipc__AgentOpen	 open;
	uint8_t				 point[ECKEY_POINT_LEN] = { 4 };
	uint32_t			 status;

	sentinel__ipc__agent_open__init(&open);
	open.kind = SENTINEL__IPC__AGENT_OPEN__KIND__CHANNEL;
	open.host_id = rig_str(HOST_A);
	open.serial = rig_str(serial);
	open.point.data = point;
	open.point.len = sizeof(point);
	open.not_before = ha->h_not_before;
	open.not_after = not_after;
	open.address = rig_str("192.0.2.7");
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_OPEN, ++call, &open.base);
	status = admitted(call);
	rig_closed(call);
	return (status);
}

static bool
opens(const char *serial)
{
	return (knock(serial, time(NULL) + 3600) == GRPC_OK);
}

struct lookup {
	const char	*serial;
	int		 has;
};

static int
look_up(struct store_txn *txn, void *arg)
{
	struct lookup	*l = arg;

	l->has = db_revoked_has(txn, l->serial);
	return (0);
}

static bool
is_revoked(const char *serial)
{
	struct lookup	 l = { serial, -1 };

	assert_int_equal(store_view(eng->store, look_up, &l), 0);
	return (l.has == 1);
}

static void
hear_features(uint32_t call, const char *word)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__Heartbeat	 hb;
	char				*words[2] = { rig_str("update"),
					    rig_str(word) };

	sentinel__cluster__heartbeat__init(&hb);
	hb.supported_features = words;
	hb.n_supported_features = 2;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_HEARTBEAT;
	m.heartbeat = &hb;
	rig_message(call, &m);
}

/* --- asked for ---------------------------------------------------------- */

static void
test_renewal(void **state)
{
	char	 new[X509_SERIAL_SIZE];

	(void)state;
	rig_open(CALL, HOST_A, OLD, NULL);
	renew(CALL, &keys[1]);
	assert_string_equal(received(CALL), "");
	assert_true(issue());
	(void)strlcpy(new, last_serial, sizeof(new));
	/* On disk before it is sent, and both are good. */
	assert_string_equal(ha->h_pending.hc_serial, new);
	assert_string_equal(received(CALL), new);
	assert_false(is_revoked(OLD));
	assert_true(opens(OLD));
	assert_string_equal(ha->h_serial, OLD);
	restart();
	assert_string_equal(ha->h_pending.hc_serial, new);
	assert_memory_equal(ha->h_pending.hc_point, keys[1].k_point,
	    ECKEY_POINT_LEN);
	assert_true(opens(OLD));
	/* First use. */
	assert_true(opens(new));
	assert_true(is_revoked(OLD));
	assert_string_equal(ha->h_serial, new);
	assert_memory_equal(ha->h_point, keys[1].k_point, ECKEY_POINT_LEN);
	assert_string_equal(ha->h_pending.hc_serial, "");
	assert_false(opens(OLD));
	restart();
	assert_string_equal(ha->h_serial, new);
	assert_string_equal(ha->h_pending.hc_serial, "");
	assert_memory_equal(ha->h_point, keys[1].k_point, ECKEY_POINT_LEN);
	assert_false(opens(OLD));
	assert_true(opens(new));
}

/* ReportState is a use as well; the old stream does not outlive it. */
static void
test_use_by_report(void **state)
{
	Sentinel__Cluster__StateReport	 r;

	(void)state;
	rig_open(CALL, HOST_A, OLD, NULL);
	renew(CALL, &keys[1]);
	assert_true(issue());
	sentinel__cluster__state_report__init(&r);
	rig_open(CALL + 1, HOST_A, last_serial, &r);
	assert_true(is_revoked(OLD));
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 1);
	assert_null(ha->h_session);
}

static void
test_again(void **state)
{
	char	 first[X509_SERIAL_SIZE], second[X509_SERIAL_SIZE];

	(void)state;
	rig_open(CALL, HOST_A, OLD, NULL);
	renew(CALL, &keys[1]);
	/* While it is made. */
	renew(CALL, &keys[1]);
	assert_int_equal(rig_count(IMSG_KEY_ISSUE), 1);
	assert_true(issue());
	(void)strlcpy(first, last_serial, sizeof(first));
	assert_string_equal(received(CALL), first);
	assert_string_equal(received(CALL), "");
	/* The answer was lost: the same one, also after a restart. */
	renew(CALL, &keys[1]);
	assert_string_equal(received(CALL), first);
	restart();
	rig_open(CALL, HOST_A, OLD, NULL);
	renew(CALL, &keys[1]);
	assert_false(issue());
	assert_string_equal(received(CALL), first);
	/* Another key: the first one will not be used any more. */
	renew(CALL, &keys[2]);
	assert_true(issue());
	(void)strlcpy(second, last_serial, sizeof(second));
	assert_string_equal(received(CALL), second);
	assert_true(is_revoked(first));
	assert_false(opens(first));
	assert_true(opens(OLD));
	assert_true(opens(second));
	assert_true(is_revoked(OLD));
	assert_false(opens(first));
}

/* The stream has gone when the certificate is there. */
static void
test_late(void **state)
{
	(void)state;
	rig_open(CALL, HOST_A, OLD, NULL);
	renew(CALL, &keys[1]);
	rig_closed(CALL);
	assert_true(issue());
	assert_string_equal(ha->h_pending.hc_serial, "");
	assert_int_equal(rig_count(IMSG_AGENT_SEND), 0);
	/* And the next one is not held up by it. */
	rig_open(CALL + 1, HOST_A, OLD, NULL);
	renew(CALL + 1, &keys[1]);
	assert_true(issue());
	assert_string_equal(received(CALL + 1), last_serial);
	/* Unknown calls, and calls that take none. */
	renew(CALL + 77, &keys[1]);
	assert_int_equal(rig.broken, 0);
	assert_int_equal(rig_count(IMSG_KEY_ISSUE), 0);
}

static void
test_removed_meanwhile(void **state)
{
	char	 first[X509_SERIAL_SIZE];

	(void)state;
	rig_open(CALL, HOST_A, OLD, NULL);
	renew(CALL, &keys[1]);
	assert_true(issue());
	(void)strlcpy(first, last_serial, sizeof(first));
	renew(CALL, &keys[2]);
	assert_int_equal(host_decommission(ha, HOST_REVOKED, "uid 0"), 0);
	assert_true(is_revoked(OLD));
	assert_true(is_revoked(first));
	assert_string_equal(received(CALL), first);
	/* The second comes too late, and is never told. */
	assert_true(issue());
	assert_string_equal(ha->h_pending.hc_serial, first);
	assert_string_equal(received(CALL), "");
	assert_false(opens(first));
	assert_false(opens(last_serial));
}

/* What a hostile agent can make us do. */
static void
test_flood(void **state)
{
	unsigned int	 i, n = 0;

	(void)state;
	rig_open(CALL, HOST_A, OLD, NULL);
	for (i = 0; i < 200; i++) {
		renew(CALL, &keys[1 + i % 2]);
		n += issue();
	}
	assert_int_equal(n, CERT_BURST);
	assert_true(opens(OLD));
	assert_true(opens(last_serial));
}

/* --- unasked ------------------------------------------------------------ */

static void
test_push(void **state)
{
	char	 first[X509_SERIAL_SIZE];
	int64_t	 now = time(NULL);

	(void)state;
	rig_open(CALL, HOST_A, OLD, NULL);
	hear_features(CALL, "logs");
	cert_tick(now);
	assert_int_equal(rig_count(IMSG_KEY_ISSUE), 0);
	ha->h_not_before = now - 7200;
	ha->h_push_at = 0;
	/* Jitter of at most a 30th. */
	cert_tick(now + 800);
	assert_true(issue());
	(void)strlcpy(first, last_serial, sizeof(first));
	assert_string_equal(received(CALL), first);
	assert_memory_equal(ha->h_pending.hc_point, keys[0].k_point,
	    ECKEY_POINT_LEN);
	/* Once a session. */
	cert_tick(now + 801);
	assert_false(issue());
	assert_string_equal(received(CALL), "");
	/* It came back with the old one: the same again. */
	rig_open(CALL + 1, HOST_A, OLD, NULL);
	hear_features(CALL + 1, "logs");
	cert_tick(now + 802);
	assert_false(issue());
	assert_string_equal(received(CALL + 1), first);
	/* When that is due it gets a younger one; it has no other pair, so
	 * the one that may be on its disk stays good. */
	ha->h_push_at = 0;
	ha->h_pending.hc_not_before = now - 72000;
	ha->h_pending.hc_not_after = now + 3650;
	cert_tick(now + 3500);
	assert_true(issue());
	assert_string_equal(received(CALL + 1), last_serial);
	assert_string_not_equal(last_serial, first);
	assert_false(is_revoked(first));
	assert_true(knock(first, now + 3700) == GRPC_OK);
	assert_string_equal(ha->h_serial, first);
	assert_true(is_revoked(OLD));
	assert_string_equal(ha->h_pending.hc_serial, last_serial);
	assert_true(opens(last_serial));
	assert_true(is_revoked(first));
}

/* Ours asks itself. */
static void
test_no_push(void **state)
{
	(void)state;
	rig_open(CALL, HOST_A, OLD, NULL);
	hear_features(CALL, "progress");
	ha->h_not_before = time(NULL) - 7200;
	ha->h_push_at = 0;
	cert_tick(time(NULL) + 600);
	assert_int_equal(rig_count(IMSG_KEY_ISSUE), 0);
}

/* --- expired ------------------------------------------------------------ */

static void
test_grace(void **state)
{
	int64_t	 now = time(NULL);

	(void)state;
	eng->conf.ec_grace_sec = 1000;
	ha->h_not_after = now - 1001;
	assert_int_equal(knock(OLD, now - 1001), GRPC_PERMISSION_DENIED);
	ha->h_not_after = now - 900;
	assert_int_equal(knock(OLD, now - 900), GRPC_OK);
	/* Not with one that is not in the record. */
	assert_int_equal(knock("0c", now - 900), GRPC_PERMISSION_DENIED);
	eng->conf.ec_grace_sec = 0;
	assert_int_equal(knock(OLD, now - 900), GRPC_PERMISSION_DENIED);
}

static uint32_t
open_expired(uint32_t call, int64_t not_after,
    const Sentinel__Cluster__StateReport *r)
{
	Sentinel__Ipc__AgentOpen	 open;
	uint8_t				 point[ECKEY_POINT_LEN] = { 4 };

	sentinel__ipc__agent_open__init(&open);
	open.kind = r != NULL ? SENTINEL__IPC__AGENT_OPEN__KIND__REPORT :
	    SENTINEL__IPC__AGENT_OPEN__KIND__CHANNEL;
	open.host_id = rig_str(HOST_A);
	open.serial = rig_str(OLD);
	open.point.data = point;
	open.point.len = sizeof(point);
	open.not_after = not_after;
	open.address = rig_str("192.0.2.7");
	open.report = (Sentinel__Cluster__StateReport *)(uintptr_t)r;
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_OPEN, call, &open.base);
	return (r != NULL ? 0 : admitted(call));
}

/* It may renew; nothing else has an effect. */
static void
test_only_renews(void **state)
{
	Sentinel__Cluster__StateReport	 r;
	Sentinel__Ipc__ControlRequest	 req;
	Sentinel__Ipc__ReportAck	*ack;
	struct pbmem			 pm;
	struct sent			*s;
	int64_t				 now = time(NULL);
	char				*words[1] = { rig_str("progress") };

	(void)state;
	eng->conf.ec_grace_sec = 1000;
	ha->h_not_after = now - 900;
	sentinel__cluster__state_report__init(&r);
	r.supported_features = words;
	r.n_supported_features = 1;
	(void)open_expired(CALL, now - 900, &r);
	rig_container(CALL, "app", 0);
	rig_list_end(CALL, "", 1, "");
	s = rig_take(IMSG_AGENT_REPORT_ACK, CALL);
	ack = rig_unpack(s, &sentinel__ipc__report_ack__descriptor, &pm);
	assert_true(ack->ack->accepted);
	assert_non_null(strstr(ack->ack->message, "may only be renewed"));
	pbmem_free(&pm);
	rig_free(s);
	assert_int_equal(ha->h_ncontainers, 0);

	assert_int_equal(open_expired(CALL + 1, now - 900, NULL), GRPC_OK);
	assert_null(ha->h_session);
	assert_false(host_is_connected(ha));
	rig_container(CALL + 1, "app", 0);
	rig_list_end(CALL + 1, "", 1, "");
	hear_features(CALL + 1, "made-up");
	assert_false(host_has_feature(ha, "made-up"));
	assert_int_equal(ha->h_ncontainers, 0);
	assert_int_equal(rig.broken, 0);
	rig_request(&req, C(CONTAINER_ACTION));
	req.host = rig_str("alpha");
	req.container = rig_str("app");
	req.action = rig_str("stop");
	assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_UNREACH);

	renew(CALL + 1, &keys[1]);
	assert_true(issue());
	assert_string_equal(received(CALL + 1), last_serial);
	/* Then it is over; the new one is good for all. */
	session_find(CALL + 1)->se_until = monotime_now();
	cert_tick(now);
	assert_true(session_find(CALL + 1)->se_closing);
	assert_true(opens(last_serial));
	assert_true(is_revoked(OLD));
}

/* One that cannot ask gets it at once; one that does not ask has to go. */
static void
test_grace_push(void **state)
{
	int64_t	 now = time(NULL);

	(void)state;
	eng->conf.ec_grace_sec = 1000;
	ha->h_not_after = now - 900;
	assert_int_equal(open_expired(CALL, now - 900, NULL), GRPC_OK);
	assert_true(issue());
	assert_string_equal(received(CALL), last_serial);
	ha->h_features[ha->h_nfeatures++] = xstrdup("progress");
	assert_int_equal(open_expired(CALL + 1, now - 900, NULL), GRPC_OK);
	assert_false(issue());
	assert_false(session_find(CALL + 1)->se_closing);
	session_find(CALL + 1)->se_until = monotime_now();
	cert_tick(now);
	assert_true(session_find(CALL + 1)->se_closing);
}

/* A stream does not outlive the certificate it began with. */
static void
test_expires(void **state)
{
	(void)state;
	rig_open(CALL, HOST_A, OLD, NULL);	/* good for an hour */
	cert_tick(time(NULL) + 3599);
	assert_false(session_find(CALL)->se_closing);
	cert_tick(time(NULL) + 3602);
	assert_true(session_find(CALL)->se_closing);
	assert_string_equal(ha->h_disconnect_cat, "cert");
}

/* --- a copy of the database --------------------------------------------- */

static void
test_older_copy(void **state)
{
	(void)state;
	/* It knows of an older certificate than the agent has. */
	assert_int_equal(knock("0d", ha->h_not_after + 5), GRPC_OK);
	assert_string_equal(ha->h_serial, "0d");
	assert_true(is_revoked(OLD));
	/* But not the other way round. */
	assert_int_equal(knock("0e", ha->h_not_after - 5), GRPC_OK);
	assert_string_equal(ha->h_serial, "0d");
	assert_false(is_revoked("0d"));
}

/* --- cert list ---------------------------------------------------------- */

static void
test_list(void **state)
{
	Sentinel__Ipc__ControlRequest	 req;
	Sentinel__Ipc__ControlItem	*item;
	struct pbmem			 pm;
	struct sent			*s;
	uint32_t			 client;
	size_t				 n;
	static const char *const	 want[] = { "current", "pending",
					    "revoked" };

	(void)state;
	rig_open(CALL, HOST_A, OLD, NULL);
	renew(CALL, &keys[1]);
	assert_true(issue());
	renew(CALL, &keys[2]);
	assert_true(issue());
	rig_request(&req, C(CERT_LIST));
	client = rig_ask(&req);
	s = rig_take(IMSG_CONTROL_ITEM, client);
	item = rig_unpack(s, &sentinel__ipc__control_item__descriptor, &pm);
	assert_string_equal(item->cert->kind, "ca");
	pbmem_free(&pm);
	rig_free(s);
	for (n = 0; n < nitems(want); n++) {
		s = rig_take(IMSG_CONTROL_ITEM, client);
		item = rig_unpack(s, &sentinel__ipc__control_item__descriptor,
		    &pm);
		assert_string_equal(item->cert->state, want[n]);
		assert_string_equal(item->cert->host_name, "alpha");
		assert_string_equal(item->cert->kind, "agent");
		assert_true((item->cert->renew_at != 0) == (n < 2));
		if (n == 1)
			assert_string_equal(item->cert->serial, last_serial);
		pbmem_free(&pm);
		rig_free(s);
	}
	assert_null(rig_take(IMSG_CONTROL_ITEM, client));
	assert_int_equal(rig_ended(client), CONTROL_OK);
}

static void
test_due(void **state)
{
	(void)state;
	assert_int_equal(identity_due(1000, 1006), 1004);
	/* 100 s, back-dated by 10 */
	assert_int_equal(identity_due(990, 1100), 1066);
	/* a year, back-dated by an hour */
	assert_int_equal(identity_due(0, 3600 + 365 * 86400),
	    3600 + 365 * 86400 / 3 * 2);
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, down)
int
main(void)
{
	const struct CMUnitTest tests[] = {
		T(test_renewal),
		T(test_use_by_report),
		T(test_again),
		T(test_late),
		T(test_removed_meanwhile),
		T(test_flood),
		T(test_push),
		T(test_no_push),
		T(test_grace),
		T(test_only_renews),
		T(test_grace_push),
		T(test_expires),
		T(test_older_copy),
		T(test_list),
		cmocka_unit_test(test_due),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
