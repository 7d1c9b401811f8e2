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

#include "engine_ca.h"
#include "pem.h"

/* The phases of a CA's replacement, and what each host is sent in them. */
#define HOST_A	"0000000000000000000000000000000a"
#define HOST_B	"0000000000000000000000000000000b"
#define CALL	101
#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name

static struct keyring	 kr;
static struct host	*ha, *hb;
static char		 text[1024];		/* of the last end */
static uint8_t		 oldpin[X509_PIN_LEN], newpin[X509_PIN_LEN];

/* --- helpers -------------------------------------------------------------- */

static void
cas(enum ca_phase phase)
{
	rig_ca(KEY_PURPOSE_CA, KEY_SLOT_CURRENT, kr.kr_cacert);
	if (phase != CA_NONE) {
		rig_ca(KEY_PURPOSE_CA, KEY_SLOT_NEW, kr.kr_newcacert);
		rig_ca(KEY_PURPOSE_CA_CROSS, KEY_SLOT_NEW, kr.kr_cross);
	}
}

static void
pin_of(X509 *x, uint8_t pin[X509_PIN_LEN])
{
	struct key_cert	*kc = xcalloc(1, sizeof(*kc));

	assert_int_equal(key_cert_export(x, kc), 0);
	assert_int_equal(x509_pin_der(kc->kc_der, kc->kc_len, pin), 0);
	free(kc);
}

static int
up(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	keyring_init(&kr);
	if (key_make(&kr.kr_ca) == -1 || key_make(&kr.kr_newca) == -1)
		return (-1);
	kr.kr_cacert = key_ca_selfsign(&kr.kr_ca, 86400, time(NULL));
	kr.kr_newcacert = key_ca_next(&kr.kr_newca, 86400, time(NULL));
	kr.kr_cross = key_ca_cross(&kr, time(NULL));
	pin_of(kr.kr_cacert, oldpin);
	pin_of(kr.kr_newcacert, newpin);
	cas(CA_NONE);
	ha = rig_host(HOST_A, "alpha");
	hb = rig_host(HOST_B, "beta");
	(void)strlcpy(ha->h_serial, "0a", sizeof(ha->h_serial));
	(void)strlcpy(hb->h_serial, "0b", sizeof(hb->h_serial));
	ha->h_not_after = hb->h_not_after = time(NULL) + 3600;
	ha->h_dirty = hb->h_dirty = true;
	assert_int_equal(host_flush(0), 0);
	rig_forget();
	return (0);
}

static int
down(void **state)
{
	keyring_clear(&kr);
	return (rig_down(state));
}

static void
answer_id(uint32_t id, enum ca_phase phase, uint8_t rc, const char *why)
{
	struct ibuf	*b = ibuf_dynamic(64, 600);

	assert_true(ibuf_add_n8(b, (uint8_t)phase) == 0 &&
	    ibuf_add_n8(b, rc) == 0 && ibuf_add_string(b, why) == 0);
	rig_give_ibuf(ROLE_PARENT, IMSG_CA_STEPPED, id, b);
}

/* The parent's answer to the step that it was asked for. */
static void
stepped(enum ca_phase phase, uint8_t rc, const char *why)
{
	struct sent	*s = rig_take(IMSG_CA_STEP, 0);

	assert_non_null(s);
	assert_int_equal(s->st_to, ROLE_PARENT);
	assert_int_equal(s->st_body[0], phase);
	answer_id(s->st_id, phase, rc, why);
	rig_free(s);
}

/* Exit code of a request, -1 while it goes on; its text. */
static int
ended(uint32_t client)
{
	Sentinel__Ipc__ControlEnd	*end;
	struct pbmem			 pm;
	struct sent			*s;
	int				 code;

	text[0] = '\0';
	if ((s = rig_take(IMSG_CONTROL_END, client)) == NULL)
		return (-1);
	end = rig_unpack(s, &sentinel__ipc__control_end__descriptor, &pm);
	code = (int)end->code;
	(void)strlcpy(text, end->error, sizeof(text));
	pbmem_free(&pm);
	rig_free(s);
	return (code);
}

static uint32_t
ask(Sentinel__Ipc__ControlRequest__Command command, bool force)
{
	Sentinel__Ipc__ControlRequest	 req;

	rig_request(&req, command);
	req.force = force;
	req.uid = 7;
	return (rig_ask(&req));
}

/* All of a step that the parent can do. */
static void
walk(Sentinel__Ipc__ControlRequest__Command command, enum ca_phase phase,
    bool force)
{
	uint32_t	 client = ask(command, force);

	stepped(phase, 0, "");
	if (phase == CA_PREPARE)
		cas(phase);
	assert_int_equal(ended(client), CONTROL_OK);
	assert_int_equal(ca_get()->ca_phase, phase == CA_DROP ? CA_NONE :
	    phase);
}

static void
beat(struct host *h, uint32_t call, const uint8_t *a, const uint8_t *b)
{
	static char			 bundle[] = "ca-bundle";
	static char			 progress[] = "progress";
	static char			*words[] = { bundle, progress };
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__Heartbeat	 hb_msg;
	uint8_t				 pins[2 * X509_PIN_LEN];

	sentinel__cluster__heartbeat__init(&hb_msg);
	hb_msg.supported_features = words;
	hb_msg.n_supported_features = nitems(words);
	hb_msg.host_id = h->h_id;
	if (a != NULL)
		memcpy(pins, a, X509_PIN_LEN);
	if (b != NULL)
		memcpy(pins + X509_PIN_LEN, b, X509_PIN_LEN);
	hb_msg.ca_pins.data = pins;
	hb_msg.ca_pins.len = (size_t)((a != NULL) + (b != NULL)) *
	    X509_PIN_LEN;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_HEARTBEAT;
	m.heartbeat = &hb_msg;
	rig_message(call, &m);
}

/* How many CAs the bundle holds that was sent on a call; 0: none was. */
static size_t
pushed(uint32_t call)
{
	Sentinel__Cluster__ServerMessage	*m;
	Sentinel__Ipc__AgentSend		*as;
	struct pbmem				 pm, pm2;
	struct sent				*s;
	uint8_t					 pins[X509_PINS_MAXBYTES];
	size_t					 n = 0;

	if ((s = rig_take(IMSG_AGENT_SEND, call)) == NULL)
		return (0);
	as = rig_unpack(s, &sentinel__ipc__agent_send__descriptor, &pm);
	pbmem_init(&pm2, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = pbcheck_unpack(&sentinel__cluster__server_message__descriptor,
	    as->message.data, as->message.len, &pm2, NULL);
	assert_non_null(m);
	if (m->payload_case ==
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_CERT_RENEWAL_RESPONSE)
		n = x509_bundle_pins(m->cert_renewal_response->ca_cert.data,
		    m->cert_renewal_response->ca_cert.len, pins) /
		    X509_PIN_LEN;
	pbmem_free(&pm2);
	pbmem_free(&pm);
	rig_free(s);
	return (n);
}

/* As if it had got a certificate of the new CA. */
static void
renewed(struct host *h)
{
	struct key_cert	*kc = xcalloc(1, sizeof(*kc));
	struct key	 key = { 0 };
	char		 why[KEY_WHY_SIZE];

	kr.kr_use_new = true;
	assert_int_equal(key_make(&key), 0);
	assert_int_equal(key_issue_agent(&kr, h->h_id, key.k_point, 60,
	    time(NULL), kc, why), KEY_RC_OK);
	kr.kr_use_new = false;
	ca_issued(h, h->h_serial, kc->kc_der, kc->kc_len);
	key_clear(&key);
	free(kc);
}

/* The server's own certificate is of the new CA. */
static void
server_renewed(void)
{
	static const struct key_name	 name = { KEY_NAME_DNS, 1, { 'x' } };
	struct key_cert			*kc = xcalloc(1, sizeof(*kc));
	struct key			 key = { 0 };
	char				 why[KEY_WHY_SIZE];

	kr.kr_use_new = true;
	assert_int_equal(key_make(&key), 0);
	assert_int_equal(key_issue_server(&kr, &key, 60, &name, 1, time(NULL),
	    kc, why), 0);
	kr.kr_use_new = false;
	free(eng->server_der);
	eng->server_der = xmemdup(kc->kc_der, kc->kc_len);
	eng->server_derlen = kc->kc_len;
	key_clear(&key);
	free(kc);
}

static void
server_forget(void)
{
	free(eng->server_der);
	eng->server_der = NULL;
}

/* --- tests ---------------------------------------------------------------- */

static void
test_order(void **state)
{
	(void)state;
	assert_int_equal(ended(ask(C(CA_ISSUE), true)), CONTROL_FAILED);
	assert_non_null(strstr(text, "follow one another"));
	assert_int_equal(ended(ask(C(CA_DRAIN), true)), CONTROL_FAILED);
	assert_int_equal(ended(ask(C(CA_DROP), true)), CONTROL_FAILED);
	assert_int_equal(ended(ask(C(CA_ABORT), false)), CONTROL_FAILED);
	assert_non_null(strstr(text, "nothing can be called off"));
	assert_int_equal(rig_count(IMSG_CA_STEP), 0);
	assert_int_equal(rig_trail("ca.drop").tr_n, 1);
	assert_non_null(strstr(rig_trail("ca.drop").tr_last, "|refused|"));
	walk(C(CA_PREPARE), CA_PREPARE, false);
	assert_int_equal(ended(ask(C(CA_PREPARE), false)), CONTROL_FAILED);
	assert_non_null(strstr(text, "is prepare already"));
	assert_int_equal(ended(ask(C(CA_DRAIN), true)), CONTROL_FAILED);
	walk(C(CA_ISSUE), CA_ISSUE, false);
	assert_int_equal(ended(ask(C(CA_ABORT), false)), CONTROL_FAILED);
	assert_non_null(strstr(text, "has issued"));
	walk(C(CA_DRAIN), CA_DRAIN, false);
	/* Two that were refused, and this. */
	assert_int_equal(rig_trail("ca.drain").tr_n, 3);
	assert_non_null(strstr(rig_trail("ca.drain").tr_last,
	    "uid 7|ca.drain|"));
	assert_non_null(strstr(rig_trail("ca.drain").tr_last, "|ok|"));
}

static void
test_prepare(void **state)
{
	uint32_t	 client, other;

	(void)state;
	/* The parent's answer may overtake what the keyholder says. */
	client = ask(C(CA_PREPARE), false);
	assert_int_equal(ended(client), -1);
	other = ask(C(CA_PREPARE), false);
	assert_int_equal(ended(other), CONTROL_FAILED);
	assert_non_null(strstr(text, "under way"));
	stepped(CA_PREPARE, 0, "");
	assert_int_equal(ended(client), -1);
	assert_int_equal(ca_get()->ca_phase, CA_NONE);
	cas(CA_PREPARE);
	assert_int_equal(ended(client), CONTROL_OK);
	assert_int_equal(ca_get()->ca_phase, CA_PREPARE);
	/* The old one still issues: tokens name it. */
	assert_string_equal(eng->ca_pin, ca_get()->ca_old.cc_hex);
	/* Called off. */
	walk(C(CA_ABORT), CA_NONE, false);
	assert_null(ca_get()->ca_new.cc_der);
	/* One that fails leaves nothing. */
	client = ask(C(CA_PREPARE), false);
	stepped(CA_PREPARE, 1, "no space");
	assert_int_equal(ended(client), CONTROL_FAILED);
	assert_non_null(strstr(text, "no space"));
	assert_int_equal(ca_get()->ca_phase, CA_NONE);
	/* Whoever asked may go meanwhile. */
	client = ask(C(CA_PREPARE), false);
	rig_give(ROLE_CONTROL, IMSG_CONTROL_GONE, client, NULL, 0);
	cas(CA_PREPARE);
	stepped(CA_PREPARE, 0, "");
	assert_int_equal(ca_get()->ca_phase, CA_PREPARE);
}

/* What agents, tokens and cluster get in each phase. */
static void
test_certificates(void **state)
{
	char	*pem, *old, *new;
	uint8_t	*der, pins[X509_PINS_MAXBYTES];
	size_t	 n;

	(void)state;
	old = xstrdup(ca_get()->ca_old.cc_hex);
	pem = ca_enroll_pem(old);
	assert_int_equal(x509_bundle_pins((uint8_t *)pem, strlen(pem), pins),
	    X509_PIN_LEN);
	free(pem);
	walk(C(CA_PREPARE), CA_PREPARE, false);
	new = xstrdup(ca_get()->ca_new.cc_hex);
	pem = ca_trust_pem();
	assert_int_equal(x509_bundle_pins((uint8_t *)pem, strlen(pem), pins),
	    2 * X509_PIN_LEN);
	free(pem);
	walk(C(CA_ISSUE), CA_ISSUE, false);
	assert_string_equal(eng->ca_pin, new);
	/* A pin vouches for its own CA and those it has signed. */
	pem = ca_enroll_pem(old);
	assert_int_equal(x509_bundle_pins((uint8_t *)pem, strlen(pem), pins),
	    2 * X509_PIN_LEN);
	free(pem);
	pem = ca_enroll_pem(new);
	assert_int_equal(x509_bundle_pins((uint8_t *)pem, strlen(pem), pins),
	    X509_PIN_LEN);
	assert_memory_equal(pins, newpin, X509_PIN_LEN);
	free(pem);
	/* The certificate of a command brings the cross certificate along
	 * when it is of the new CA. */
	server_renewed();
	der = ca_command_der(eng->server_der, eng->server_derlen, &n);
	assert_int_equal(n, eng->server_derlen + ca_get()->ca_cross.cc_len);
	free(der);
	pem = ca_chain_pem(eng->server_der, eng->server_derlen);
	assert_int_equal(strncmp(pem, ca_get()->ca_cross.cc_pem,
	    strlen(ca_get()->ca_cross.cc_pem)), 0);
	free(pem);
	assert_false(ca_is_replaced(eng->server_der, eng->server_derlen));
	assert_true(ca_is_replaced(ca_get()->ca_old.cc_der,
	    ca_get()->ca_old.cc_len));
	server_forget();
	free(old);
	free(new);
}

static void
test_bundle(void **state)
{
	(void)state;
	rig_open(CALL, HOST_A, "0a", NULL);
	beat(ha, CALL, oldpin, NULL);
	assert_int_equal(pushed(CALL), 0);
	assert_string_equal(ca_host_missing(ha), "");
	walk(C(CA_PREPARE), CA_PREPARE, false);
	assert_int_equal(pushed(CALL), 2);
	assert_non_null(strstr(ca_host_missing(ha), "new CA"));
	assert_non_null(strstr(ca_host_missing(hb), "new CA"));
	/* Not again at once, also when it says that it has not got it. */
	beat(ha, CALL, oldpin, NULL);
	assert_int_equal(pushed(CALL), 0);
	beat(ha, CALL, newpin, oldpin);
	assert_string_equal(ca_host_missing(ha), "");
	/* Nonsense changes nothing. */
	ca_heard(ha, newpin, 31);
	ca_heard(ha, newpin, 0);
	assert_string_equal(ca_host_missing(ha), "");
	assert_false(ca_wants_cert(ha));
	walk(C(CA_ISSUE), CA_ISSUE, false);
	assert_string_equal(ca_host_missing(ha), "certificate");
	assert_true(ca_wants_cert(ha));
	assert_false(ca_wants_cert(ha));	/* once in a while */
	assert_false(ca_wants_cert(hb));
	renewed(ha);
	assert_string_equal(ca_host_missing(ha), "");
	/* After a restart it is known all the same. */
	assert_int_equal(host_flush(0), 0);
	assert_int_equal(ca_get()->ca_phase, CA_ISSUE);
	rig_crash();
	rig_start();
	cas(CA_ISSUE);
	ha = host_find(HOST_A);
	hb = host_find(HOST_B);
	assert_int_equal(ca_get()->ca_phase, CA_ISSUE);
	assert_string_equal(ca_host_missing(ha), "");
	assert_non_null(strstr(ca_host_missing(hb), "certificate"));
}

static void
test_drop(void **state)
{
	uint32_t	 client;

	(void)state;
	walk(C(CA_PREPARE), CA_PREPARE, false);
	walk(C(CA_ISSUE), CA_ISSUE, false);
	walk(C(CA_DRAIN), CA_DRAIN, false);
	assert_int_equal(ended(ask(C(CA_DROP), true)), CONTROL_FAILED);
	assert_non_null(strstr(text, "own certificate"));
	server_renewed();
	rig_open(CALL, HOST_A, "0a", NULL);
	beat(ha, CALL, newpin, oldpin);
	assert_int_equal(ended(ask(C(CA_DROP), false)), CONTROL_FAILED);
	assert_non_null(strstr(text, "alpha, beta"));
	renewed(ha);
	assert_int_equal(ended(ask(C(CA_DROP), false)), CONTROL_FAILED);
	assert_null(strstr(text, "alpha"));
	rig_open(CALL + 1, HOST_B, "0b", NULL);
	beat(hb, CALL + 1, oldpin, NULL);
	rig_forget();
	/* On disk before the parent is asked. */
	client = ask(C(CA_DROP), true);
	assert_int_equal(ca_get()->ca_phase, CA_DROP);
	rig_ca(KEY_PURPOSE_CA, KEY_SLOT_CURRENT, kr.kr_newcacert);
	stepped(CA_DROP, 0, "");
	assert_int_equal(ended(client), CONTROL_OK);
	assert_int_equal(ca_get()->ca_phase, CA_NONE);
	assert_null(ca_get()->ca_new.cc_der);
	assert_memory_equal(ca_get()->ca_old.cc_pin, newpin, X509_PIN_LEN);
	/* alpha is told to trust the new one alone, beta's call is ended. */
	assert_int_equal(pushed(CALL), 1);
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 1);
	assert_null(hb->h_session);
	assert_non_null(ha->h_session);
	assert_int_equal(rig_trail("ca.drop").tr_n, 4);
	assert_int_equal(rig_trail("ca.dropped").tr_n, 1);
	server_forget();
}

/* Killed after the database, before the parent was done. */
static void
test_drop_killed(void **state)
{
	struct sent	*s;

	(void)state;
	walk(C(CA_PREPARE), CA_PREPARE, false);
	walk(C(CA_ISSUE), CA_ISSUE, false);
	walk(C(CA_DRAIN), CA_DRAIN, false);
	server_renewed();
	(void)ask(C(CA_DROP), true);
	server_forget();
	rig_crash();
	rig_start();
	assert_int_equal(ca_get()->ca_phase, CA_DROP);
	s = rig_take(IMSG_CA_PHASE, 0);
	assert_int_equal(s->st_body[0], CA_DROP);
	rig_free(s);
	rig_ca(KEY_PURPOSE_CA, KEY_SLOT_CURRENT, kr.kr_newcacert);
	answer_id(0, CA_DROP, 0, "");
	assert_int_equal(ca_get()->ca_phase, CA_NONE);
	assert_int_equal(rig.broken, 0);
	/* Nobody asked for that. */
	answer_id(0, CA_DROP, 0, "");
	assert_int_equal(rig.broken, 1);
	rig.broken = 0;
	ha = host_find(HOST_A);
}

/* A CA of path length 0: the bundle is all there is. */
static void
test_no_cross(void **state)
{
	uint32_t	 client;
	char		*pem;
	uint8_t		 pins[X509_PINS_MAXBYTES];

	(void)state;
	client = ask(C(CA_PREPARE), false);
	rig_ca(KEY_PURPOSE_CA, KEY_SLOT_NEW, kr.kr_newcacert);
	stepped(CA_PREPARE, 0, "path length 0");
	assert_int_equal(ended(client), CONTROL_OK);
	assert_null(ca_get()->ca_cross.cc_der);
	/* The old pin vouches for nothing but itself. */
	pem = ca_enroll_pem(ca_get()->ca_old.cc_hex);
	assert_int_equal(x509_bundle_pins((uint8_t *)pem, strlen(pem), pins),
	    X509_PIN_LEN);
	free(pem);
	assert_int_equal(ended(ask(C(CA_ISSUE), false)), CONTROL_FAILED);
	assert_non_null(strstr(text, "alpha, beta"));
	ca_heard(ha, newpin, X509_PIN_LEN);
	ca_heard(hb, newpin, X509_PIN_LEN);
	walk(C(CA_ISSUE), CA_ISSUE, false);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_order, up, down),
		cmocka_unit_test_setup_teardown(test_prepare, up, down),
		cmocka_unit_test_setup_teardown(test_certificates, up, down),
		cmocka_unit_test_setup_teardown(test_bundle, up, down),
		cmocka_unit_test_setup_teardown(test_drop, up, down),
		cmocka_unit_test_setup_teardown(test_drop_killed, up, down),
		cmocka_unit_test_setup_teardown(test_no_cross, up, down),
	};

	x509_warmup();
	key_arena_init();
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
