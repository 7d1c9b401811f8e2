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

/*
 * A host that is enrolled enrols again: engine_reenrol.c and engine_enroll.c
 * between a session, an uplink, a parent and a sentinelctl that are the
 * test's.  Whatever goes wrong, the old identity stays and is used again.
 */
#include "world.h"

#include <event2/event.h>
#include <openssl/sha.h>

#include <stdio.h>

#include "engine_bundle.h"
#include "engine_client.h"
#include "engine_fault.h"
#include "engine_newkey.h"
#include "engine_reenrol.h"
#include "engine_renew.h"
#include "grpc.h"
#include "hex.h"
#include "pbcheck.h"

#define NEWHOST	"11112222333344445555666677778888"

/* --- neighbours ---------------------------------------------------------- */

static struct engine	 state_;
struct engine		*eng = &state_;

static struct world	*w;
static struct key	 key2;
static char		 leaf2[4096];	/* NEWHOST over key2 */
static char		 token[65];
static char		 did[64];	/* one letter for each thing */
static unsigned int	 broken;
static newkey_cb	 key_cb;
static int		 code;		/* sentinelctl's; -1: waits */
static char		 said[512];

static void
note(const char *what)
{
	assert_true(strlcat(did, what, sizeof(did)) < sizeof(did));
}

struct event_base *
proc_base(void)
{
	static struct event_base	*base;

	if (base == NULL)
		base = event_base_new();
	return (base);
}

enum role
proc_self(void)
{
	return (ROLE_A_ENGINE);
}

struct peer *
proc_peer(enum role role)
{
	static struct peer	 p;

	(void)role;
	return (&p);
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
    const void *data, size_t len)
{
	(void)p;
	(void)type;
	(void)id;
	(void)fd;
	(void)data;
	(void)len;
	note("*");
	return (0);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *buf)
{
	(void)p;
	(void)id;
	(void)fd;
	(void)buf;
	assert_int_equal(type, IMSG_IDENTITY_STORE);
	note("S");
	return (0);
}

int
peer_send_pb(struct peer *p, uint32_t type, uint32_t id,
    const ProtobufCMessage *pb)
{
	const Sentinel__Ipc__UplinkConnect	*m = (const void *)pb;

	(void)p;
	assert_int_equal(type, IMSG_UPLINK_CONNECT);
	assert_int_equal(id, eng->attempt);
	assert_non_null(m->enroll);
	assert_string_equal(m->enroll->token, token);
	note("C");
	return (0);
}

void
newkey_ask(enum newkey_use use, const char *cn, newkey_cb cb)
{
	assert_int_equal(use, NEWKEY_ENROL);
	assert_string_equal(cn, "worker");
	key_cb = cb;
	note("k");
}

void
newkey_keep(const uint8_t point[ECKEY_POINT_LEN])
{
	assert_memory_equal(point, key2.k_point, ECKEY_POINT_LEN);
	note("d");
}

void
renew_begin(void)
{
	note("r");
}

void
renew_forget(void)
{
	note("f");
}

void
session_begin(void)
{
	note("!");
}

/* The uplink is free at once. */
void
session_yield(void (*fn)(void))
{
	eng->session = SESSION_NONE;
	note("y");
	fn();
}

void
session_resume(bool soon)
{
	note(soon ? ">" : "w");
}

void
session_server_name(char *name, size_t size)
{
	(void)strlcpy(name, "server.example", size);
}

void
session_log_failure(const char *what, unsigned int delay)
{
	(void)what;
	(void)delay;
	note("l");
}

/* What to trust of the answer is engine_bundle_test.c's business. */
char *
bundle_enroll(const char *t, const char *pin,
    const Sentinel__Cluster__EnrollResponse *r, time_t now, char *why,
    size_t whylen)
{
	(void)r;
	(void)now;
	(void)why;
	(void)whylen;
	assert_string_equal(t, token);
	assert_string_equal(pin, "");
	return (strdup(w->w_capem));
}

void
bundle_forget(void)
{
	note("b");
}

int
state_save_server(const char *hostid, const struct known_server *ks)
{
	assert_string_equal(hostid, NEWHOST);
	assert_true(ks->ks_pinned);
	return (0);
}

void
state_load_server(const char *hostid, struct known_server *ks)
{
	assert_string_equal(hostid, NEWHOST);
	memset(ks, 0, sizeof(*ks));
}

void
event_add_line(const char *type, const char *container, const char *fmt, ...)
{
	(void)type;
	(void)container;
	(void)fmt;
}

void
client_end(uint32_t id, enum control_code c, const char *fmt, ...)
{
	va_list	 ap;

	assert_int_equal(id, 7);
	assert_int_equal(code, -1);	/* once */
	code = (int)c;
	va_start(ap, fmt);
	(void)vsnprintf(said, sizeof(said), fmt, ap);
	va_end(ap);
}

/* --- helpers ------------------------------------------------------------- */

static void
ask(const char *t)
{
	Sentinel__Ipc__ControlRequest	 req;

	sentinel__ipc__control_request__init(&req);
	req.token = (char *)(uintptr_t)t;
	code = -1;
	reenrol_request(7, &req);
}

static void
key_is(const char *fault)
{
	struct newkey	 nk = { fault, key2.k_point,
	    (const uint8_t *)"csr", 3 };

	key_cb(&nk);
}

static void
deliver(void (*fn)(struct peer *, struct imsg *), const ProtobufCMessage *pb)
{
	struct imsg	 m = { .hdr.peerid = eng->attempt };
	uint8_t		*data;
	size_t		 len;

	assert_non_null(data = pbcheck_pack(pb, 1 << 20, &len));
	assert_non_null(m.buf = ibuf_dynamic(len + 1, len + 1));
	assert_int_equal(ibuf_add(m.buf, data, len), 0);
	free(data);
	fn(NULL, &m);
	ibuf_free(m.buf);
}

static void
answer(enum grpc_status status, const char *text, const char *leaf)
{
	Sentinel__Ipc__UplinkEnrolled		 m;
	Sentinel__Cluster__EnrollResponse	 r;

	sentinel__cluster__enroll_response__init(&r);
	r.host_id = (char *)(uintptr_t)NEWHOST;
	r.ca_cert.data = (uint8_t *)w->w_capem;
	r.ca_cert.len = strlen(w->w_capem);
	r.agent_cert.data = (uint8_t *)(uintptr_t)leaf;
	r.agent_cert.len = leaf == NULL ? 0 : strlen(leaf);
	sentinel__ipc__uplink_enrolled__init(&m);
	m.status = status;
	m.message = (char *)(uintptr_t)text;
	m.response = status == GRPC_OK ? &r : NULL;
	m.server_chain_pem.data = (uint8_t *)w->w_chainpem;
	m.server_chain_pem.len = strlen(w->w_chainpem);
	deliver(enroll_answer, &m.base);
}

static void
down(void)
{
	Sentinel__Ipc__UplinkDown	 m;

	sentinel__ipc__uplink_down__init(&m);
	m.text = (char *)(uintptr_t)"gone";
	eng->uplink_busy = false;
	enroll_down(&m);
}

static void
stored(uint8_t rc)
{
	struct imsg	 m = { .hdr.type = IMSG_IDENTITY_STORED };

	assert_non_null(m.buf = ibuf_dynamic(8, 64));
	assert_int_equal(ibuf_add_n8(m.buf, rc), 0);
	assert_int_equal(ibuf_add_string(m.buf, rc == 0 ? "" : "disk"), 0);
	enroll_stored(NULL, &m);
	ibuf_free(m.buf);
}

static int
begin(void **state)
{
	uint8_t		 pin[X509_PIN_LEN];
	char		 hex[65], why[KEY_WHY_SIZE];
	struct key_cert	 kc;

	(void)state;
	if (w != NULL)
		world_free(w);
	w = world_new(time(NULL));
	key_clear(&key2);
	assert_int_equal(key_make(&key2), 0);
	assert_int_equal(key_issue_agent(&w->w_ring, NEWHOST, key2.k_point,
	    WORLD_DAY, time(NULL), &kc, why), KEY_RC_OK);
	leaf2[0] = '\0';
	world_pem(leaf2, sizeof(leaf2), &kc);
	assert_int_equal(x509_pin_der(w->w_ca.kc_der, w->w_ca.kc_len, pin),
	    0);
	assert_int_equal(hex_encode(hex, sizeof(hex), pin, sizeof(pin)), 0);
	(void)snprintf(token, sizeof(token), "%.32s%.32s",
	    "00112233445566778899aabbccddeeff", hex);
	free(eng->id.id_ca);
	free(eng->id.id_cert);
	memset(eng, 0, sizeof(*eng));
	eng->ready = eng->enrolled = true;
	eng->session = SESSION_WAIT;
	(void)strlcpy(eng->id.id_host, WORLD_HOST, sizeof(eng->id.id_host));
	eng->id.id_ca = (uint8_t *)strdup(w->w_capem);
	eng->id.id_cert = (uint8_t *)strdup(w->w_agentpem);
	(void)strlcpy(eng->conf.ac_name, "worker", sizeof(eng->conf.ac_name));
	did[0] = said[0] = '\0';
	code = -1;
	broken = 0;
	return (0);
}

static void
has_token(void)
{
	(void)strlcpy(eng->conf.ac_token, token, sizeof(eng->conf.ac_token));
}

/* --- tests --------------------------------------------------------------- */

static void
test_spent(void **state)
{
	(void)state;
	assert_false(reenrol_refused());
	has_token();
	SHA256((const uint8_t *)token, 64, eng->spent);
	eng->has_spent = true;
	reenrol_init();
	assert_string_equal(eng->conf.ac_token, "");
	assert_false(reenrol_refused());
	ask(token);
	assert_int_equal(code, CONTROL_FAILED);
	assert_string_equal(did, "");
}

/* Refused, and there is a new token: from the key to the session. */
static void
test_refused(void **state)
{
	(void)state;
	has_token();
	reenrol_init();
	assert_string_equal(eng->conf.ac_token, token);
	assert_true(reenrol_refused());
	assert_string_equal(did, "yk");
	/* Not twice. */
	assert_false(reenrol_refused());
	key_is(NULL);
	answer(GRPC_OK, "", leaf2);
	assert_string_equal(did, "ykCS");
	/* The old one is in use until the parent has the new one. */
	assert_string_equal(eng->id.id_host, WORLD_HOST);
	stored(0);
	assert_string_equal(eng->id.id_host, WORLD_HOST);
	down();
	assert_string_equal(did, "ykCSfbdr!");
	assert_string_equal(eng->id.id_host, NEWHOST);
	assert_int_equal(eng->id.id_certlen, strlen(leaf2));
	assert_memory_equal(eng->id.id_cert, leaf2, strlen(leaf2));
	assert_memory_equal(eng->id.id_point, key2.k_point, ECKEY_POINT_LEN);
	assert_string_equal(eng->conf.ac_token, "");
	assert_false(reenrol_refused());
	assert_int_equal(broken, 0);
}

/* The server does not want the token, or is not there. */
static void
test_fails(void **state)
{
	(void)state;
	has_token();
	assert_true(reenrol_refused());
	key_is(NULL);
	answer(GRPC_UNAVAILABLE, "busy", NULL);
	/* uplink still has the connection. */
	assert_string_equal(did, "ykC");
	down();
	assert_string_equal(did, "ykCw");
	assert_string_equal(eng->conf.ac_token, token);
	assert_true(reenrol_refused());
	key_is("no room");
	assert_string_equal(did, "ykCwykw");
	assert_true(reenrol_refused());
	key_is(NULL);
	down();
	assert_string_equal(did, "ykCwykwykCw");
	/* One that will never do is not offered again. */
	assert_true(reenrol_refused());
	key_is(NULL);
	answer(GRPC_PERMISSION_DENIED, "token expired", NULL);
	down();
	assert_string_equal(eng->conf.ac_token, "");
	assert_false(reenrol_refused());
	assert_string_equal(eng->id.id_host, WORLD_HOST);
	assert_int_equal(broken, 0);
}

/* What is not to be believed, and a disk that is full. */
static void
test_answers(void **state)
{
	(void)state;
	has_token();
	assert_true(reenrol_refused());
	key_is(NULL);
	answer(GRPC_OK, "", w->w_agentpem);	/* of the old key */
	assert_null(strchr(did, 'S'));
	down();
	assert_string_equal(eng->id.id_host, WORLD_HOST);
	has_token();
	did[0] = '\0';
	assert_true(reenrol_refused());
	key_is(NULL);
	answer(GRPC_OK, "", leaf2);
	stored(1);
	assert_string_equal(did, "ykCS");
	down();
	assert_string_equal(did, "ykCSw");
	assert_string_equal(eng->conf.ac_token, token);
	assert_string_equal(eng->id.id_host, WORLD_HOST);
	/* The parent may be slower than the connection. */
	did[0] = '\0';
	assert_true(reenrol_refused());
	key_is(NULL);
	answer(GRPC_OK, "", leaf2);
	down();
	assert_string_equal(did, "ykCS");
	stored(0);
	assert_string_equal(did, "ykCSfbdr!");
	/* Twice. */
	stored(0);
	assert_int_equal(broken, 1);
}

static void
test_client(void **state)
{
	char	 text[80];

	(void)state;
	ask("0011");
	assert_int_equal(code, CONTROL_USAGE);
	assert_non_null(strstr(said, "too short"));
	(void)strlcpy(text, token, sizeof(text));
	text[5] = 'x';
	ask(text);
	assert_int_equal(code, CONTROL_USAGE);
	assert_string_equal(did, "");

	ask(token);
	assert_int_equal(code, -1);
	assert_string_equal(did, "yk");
	/* A second one has to wait. */
	ask(token);
	assert_int_equal(code, CONTROL_FAILED);
	code = -1;
	key_is(NULL);
	answer(GRPC_PERMISSION_DENIED, "invalid enrollment token", NULL);
	assert_int_equal(code, -1);
	down();
	assert_int_equal(code, CONTROL_FAILED);
	assert_non_null(strstr(said, "invalid enrollment token"));
	/* The old session comes back at once, and the token is gone. */
	assert_string_equal(did, "ykC>");
	assert_string_equal(eng->conf.ac_token, "");

	did[0] = '\0';
	ask(token);
	key_is(NULL);
	answer(GRPC_OK, "", leaf2);
	stored(0);
	down();
	assert_int_equal(code, CONTROL_OK);
	assert_string_equal(did, "ykCSfbdr!");
}

/* What was begun goes on without the one who asked. */
static void
test_client_gone(void **state)
{
	(void)state;
	ask(token);
	reenrol_client_gone(6);
	reenrol_client_gone(7);
	key_is(NULL);
	answer(GRPC_OK, "", leaf2);
	stored(0);
	down();
	assert_int_equal(code, -1);
	assert_string_equal(eng->id.id_host, NEWHOST);
}

/* Not enrolled yet: a better token than the one it was started with. */
static void
test_first(void **state)
{
	(void)state;
	eng->enrolled = false;
	(void)strlcpy(eng->conf.ac_token, token, sizeof(eng->conf.ac_token));
	enroll_begin();
	key_is(NULL);
	/* In the middle of an attempt. */
	eng->uplink_busy = true;
	ask(token);
	assert_int_equal(code, CONTROL_FAILED);
	code = -1;
	answer(GRPC_PERMISSION_DENIED, "token expired", NULL);
	assert_string_equal(did, "kCl");
	down();
	did[0] = '\0';
	ask(token);
	assert_string_equal(did, "k");
	key_is(NULL);
	answer(GRPC_OK, "", leaf2);
	stored(0);
	down();
	assert_int_equal(code, CONTROL_OK);
	assert_string_equal(did, "kCSfbdr!");
	assert_true(eng->enrolled);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(test_spent, begin),
		cmocka_unit_test_setup(test_refused, begin),
		cmocka_unit_test_setup(test_fails, begin),
		cmocka_unit_test_setup(test_answers, begin),
		cmocka_unit_test_setup(test_client, begin),
		cmocka_unit_test_setup(test_client_gone, begin),
		cmocka_unit_test_setup(test_first, begin),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
