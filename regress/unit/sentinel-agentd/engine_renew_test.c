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
 * The renewal of an agent's certificate, with neighbours that answer as they
 * like: nothing but a certificate for this host over one of its keys is ever
 * staged, and whatever fails, a pair is in use and the next attempt comes.
 */
#include "world.h"

#include <event2/event.h>

#include <stdio.h>

#include "engine_newkey.h"
#include "engine_renew.h"

#define CAUSE(x)	SENTINEL__IPC__UPLINK_DOWN__CAUSE__##x

/* --- neighbours ---------------------------------------------------------- */

static struct engine	 state_;
struct engine		*eng = &state_;

static struct world	*w;
static struct key	 key2;
static char		 cert2[4096];	/* over key2 */
static monotime_t	 clock_ = 1000;
static char		 did[256];	/* one letter for each thing */
static unsigned int	 broken;
static bool		 is_open, is_idle = true;
static newkey_cb	 key_cb;
static uint8_t		 kept[ECKEY_POINT_LEN];
static unsigned int	 asked;		/* answers that the parent owes */

static void	 parent(void (*)(struct peer *, struct imsg *), uint8_t);

static void
note(const char *what)
{
	assert_true(strlcat(did, what, sizeof(did)) < sizeof(did));
}

monotime_t
monotime_now(void)
{
	return (clock_);
}

/* Each timer is due at once. */
struct timeval
monotime_timeval(uint64_t msec)
{
	struct timeval	 tv = { 0, 0 };

	(void)msec;
	return (tv);
}

int
monotime_left(monotime_t deadline)
{
	return (deadline > clock_ ? (int)(deadline - clock_) : 0);
}

void
backoff_init(struct backoff *bo, unsigned int period, unsigned int max)
{
	(void)bo;
	(void)period;
	(void)max;
}

unsigned int
backoff_next(struct backoff *bo)
{
	(void)bo;
	note("b");
	return (1000);
}

struct event_base *
proc_base(void)
{
	static struct event_base	*base;

	if (base == NULL)
		base = event_base_new();
	return (base);
}

/* Of the keyholder's process, whose code makes the certificates. */
enum role
proc_self(void)
{
	return (ROLE_A_ENGINE);
}

struct peer *
proc_peer(enum role role)
{
	static struct peer	 p;

	assert_int_equal(role, ROLE_A_PARENT);
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
	(void)id;
	(void)fd;
	assert_int_equal(type, IMSG_IDENTITY_SETTLE);
	assert_int_equal(len, 1);
	asked++;
	note(*(const uint8_t *)data == 1 ? "+" : "-");
	return (0);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *buf)
{
	(void)p;
	(void)id;
	(void)fd;
	assert_int_equal(type, IMSG_IDENTITY_STAGE);
	asked++;
	note(((const uint8_t *)ibuf_data(buf))[0] == 1 ? "S" : "s");
	return (0);
}

void
newkey_ask(enum newkey_use use, const char *cn, newkey_cb cb)
{
	assert_int_equal(use, NEWKEY_RENEW);
	assert_string_equal(cn, WORLD_HOST);
	key_cb = cb;
	note("k");
}

void
newkey_keep(const uint8_t point[ECKEY_POINT_LEN])
{
	memcpy(kept, point, sizeof(kept));
	note("d");
}

bool
session_is_open(void)
{
	return (is_open);
}

void
session_restart(const char *why)
{
	(void)why;
	is_open = false;
	note("X");
}

bool
docker_is_idle(void)
{
	return (is_idle);
}

void
out_push(enum out_kind kind, Sentinel__Cluster__AgentMessage *m,
    uint32_t hold)
{
	assert_int_equal(kind, OUT_PLAIN);
	assert_int_equal(hold, 0);
	assert_int_equal(m->payload_case,
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CERT_RENEWAL);
	assert_int_equal(m->cert_renewal->csr.len, 3);
	note("?");
}

void
engine_tell_refusal(const char *id, const char *why)
{
	(void)id;
	(void)why;
	note("r");
}

void
event_add_line(const char *type, const char *container, const char *fmt, ...)
{
	(void)type;
	(void)container;
	(void)fmt;
}

/* --- helpers ------------------------------------------------------------- */

static void
tick(void)
{
	event_base_loop(proc_base(), EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void
identity(const char *pem, const uint8_t *point)
{
	free(eng->id.id_cert);
	eng->id.id_cert = (uint8_t *)strdup(pem);
	eng->id.id_certlen = strlen(pem);
	memcpy(eng->id.id_point, point, ECKEY_POINT_LEN);
	eng->id.id_has_point = true;
}

/* A world whose certificate of ten days was issued so many days ago. */
static void
fresh_world(int days)
{
	time_t		 now = time(NULL) - days * WORLD_DAY;
	struct key_cert	 kc;
	char		 why[KEY_WHY_SIZE];

	renew_forget();
	/* Late answers to what is forgotten. */
	while (asked > 0)
		parent(asked % 2 == 0 ? renew_staged : renew_settled, 0);
	if (w != NULL)
		world_free(w);
	key_clear(&key2);
	w = world_new(now);
	assert_int_equal(key_make(&key2), 0);
	assert_int_equal(key_issue_agent(&w->w_ring, WORLD_HOST, key2.k_point,
	    10 * WORLD_DAY, time(NULL), &kc, why), KEY_RC_OK);
	cert2[0] = '\0';
	world_pem(cert2, sizeof(cert2), &kc);
	(void)strlcpy(eng->id.id_host, WORLD_HOST, sizeof(eng->id.id_host));
	eng->id.id_ca = (uint8_t *)w->w_capem;
	eng->id.id_calen = strlen(w->w_capem);
	identity(w->w_agentpem, w->w_agentkey.k_point);
	eng->conf.ac_rpc_msec = 5000;
	did[0] = '\0';
	broken = 0;
	is_open = is_idle = true;
	clock_ += 10 * RENEW_PUSH_MSEC;
	renew_begin();
}

static void
key_is(const char *fault)
{
	struct newkey	 nk = { fault, key2.k_point,
	    (const uint8_t *)"csr", 3 };

	key_cb(&nk);
}

static void
answer(const char *pem, const char *refuse)
{
	Sentinel__Cluster__CertRenewalResponse	 r;

	sentinel__cluster__cert_renewal_response__init(&r);
	r.agent_cert.data = (uint8_t *)(uintptr_t)pem;
	r.agent_cert.len = strlen(pem);
	renew_answer(&r, refuse);
}

static void
parent(void (*fn)(struct peer *, struct imsg *), uint8_t rc)
{
	struct imsg	 m = { .hdr.type = 0 };

	assert_non_null(m.buf = ibuf_dynamic(8, 64));
	assert_int_equal(ibuf_add_n8(m.buf, rc), 0);
	assert_int_equal(ibuf_add_string(m.buf, rc == 0 ? "" : "disk"), 0);
	if (asked > 0)
		asked--;
	fn(NULL, &m);
	ibuf_free(m.buf);
}

/* What the next connection shows. */
static const char *
shown(void)
{
	static char	 text[4096];
	const uint8_t	*cert;
	size_t		 len;

	renew_pair(&cert, &len);
	assert_true(len < sizeof(text));
	memcpy(text, cert, len);
	text[len] = '\0';
	return (text);
}

/* That of eng->id, which ends without a NUL. */
static const char *
in_use(void)
{
	static char	 text[4096];

	assert_true(eng->id.id_certlen < sizeof(text));
	memcpy(text, eng->id.id_cert, eng->id.id_certlen);
	text[eng->id.id_certlen] = '\0';
	return (text);
}

static void
acked(const char *text)
{
	Sentinel__Cluster__StateAck	 a;

	sentinel__cluster__state_ack__init(&a);
	a.accepted = true;
	a.message = (char *)(uintptr_t)text;
	is_open = true;
	renew_acked(&a);
}

static bool
down(Sentinel__Ipc__UplinkDown__Cause cause, bool refused, bool proven)
{
	Sentinel__Ipc__UplinkDown	 m;
	static char			 text[] = "as the test says";

	sentinel__ipc__uplink_down__init(&m);
	m.cause = cause;
	m.text = text;
	is_open = false;
	return (renew_down(&m, refused, proven));
}

/* As far as a staged pair; the connection with it is the next thing. */
static void
climb(void)
{
	fresh_world(8);
	tick();
	key_is(NULL);
	answer(cert2, NULL);
	parent(renew_staged, 0);
	assert_string_equal(did, "k?SX");
	(void)down(CAUSE(LOCAL), false, false);
	assert_string_equal(shown(), cert2);
	did[0] = '\0';
}

/* --- tests --------------------------------------------------------------- */

static void
test_due(void **state)
{
	struct x509_facts	 xf = { .xf_notbefore = 1000000 };

	(void)state;
	/* A year, back-dated by an hour. */
	xf.xf_notafter = xf.xf_notbefore + 3600 + 365 * 86400;
	assert_int_equal(renew_life(&xf), 365 * 86400);
	assert_int_equal(renew_due(&xf, 0), (xf.xf_notbefore + 3600 +
	    365 * 86400 / 3 * 2) * 1000LL);
	assert_true(renew_due(&xf, UINT32_MAX) > renew_due(&xf, 0) +
	    (int64_t)365 * 86400 * 1000 / 31);
	assert_true(renew_due(&xf, UINT32_MAX) < renew_due(&xf, 0) +
	    (int64_t)365 * 86400 * 1000 / 29);
	/* Twenty seconds, back-dated by two. */
	xf.xf_notafter = xf.xf_notbefore + 22;
	assert_int_equal(renew_life(&xf), 20);
	assert_int_equal(renew_due(&xf, 0),
	    xf.xf_notafter * 1000 - 20000 / 3);
	/* Upside down. */
	xf.xf_notafter = xf.xf_notbefore - 10;
	assert_true(renew_due(&xf, UINT32_MAX) <= 0);
}

static void
test_late(void **state)
{
	struct x509_facts	 xf = { .xf_notbefore = 1000000,
	    .xf_notafter = 1000000 + 3600 + 60 * 86400 };
	int64_t			 warned = 0, left;
	int			 n = 0;

	(void)state;
	assert_false(renew_is_late(&xf, 10 * 86400 + 1, &warned));
	for (left = 10 * 86400; left > -86400; left--)
		n += renew_is_late(&xf, left, &warned);
	/* 864000 seconds halve twenty times; and the end. */
	assert_int_equal(n, 21);
}

static void
test_way(void **state)
{
	(void)state;
	/* Young: nothing is asked. */
	fresh_world(1);
	tick();
	acked("");
	assert_string_equal(did, "");
	/* Old, but nobody to ask. */
	fresh_world(8);
	is_open = false;
	tick();
	assert_string_equal(did, "");
	is_open = true;
	tick();
	assert_string_equal(did, "k");
	key_is(NULL);
	assert_string_equal(did, "k?");
	answer(cert2, NULL);
	assert_string_equal(did, "k?S");
	/* Not shown before it is on disk. */
	assert_string_equal(shown(), w->w_agentpem);
	parent(renew_staged, 0);
	assert_string_equal(did, "k?SX");
	assert_false(down(CAUSE(LOCAL), false, false));
	assert_string_equal(shown(), cert2);
	acked("");
	assert_string_equal(did, "k?SX+");
	assert_string_equal(in_use(), cert2);
	assert_memory_equal(eng->id.id_point, key2.k_point, ECKEY_POINT_LEN);
	parent(renew_settled, 0);
	assert_string_equal(did, "k?SX+d");
	assert_memory_equal(kept, key2.k_point, ECKEY_POINT_LEN);
	tick();
	assert_string_equal(did, "k?SX+d");
	assert_int_equal(broken, 0);
	/* Answers that nobody waits for. */
	parent(renew_settled, 0);
	parent(renew_staged, 0);
	assert_int_equal(broken, 2);
}

/* Admitted to renew, whatever our clock says. */
static void
test_renew_only(void **state)
{
	(void)state;
	fresh_world(1);
	acked("certificate has expired: it may only be renewed");
	assert_string_equal(did, "k");
}

static void
test_wrong_answers(void **state)
{
	struct world	*other = world_new(time(NULL));
	struct key_cert	 kc;
	char		 why[KEY_WHY_SIZE], pem[4096] = "";

	(void)state;
	fresh_world(8);
	tick();
	key_is(NULL);
	/* Of somebody else's CA, over our key or not. */
	answer(other->w_agentpem, NULL);
	assert_string_equal(did, "k?b");
	/* For another host; unsigned; empty; rubbish; a server's. */
	assert_int_equal(key_issue_agent(&w->w_ring,
	    "ffffffffffffffffffffffffffffffff", key2.k_point, WORLD_DAY,
	    time(NULL), &kc, why), KEY_RC_OK);
	world_pem(pem, sizeof(pem), &kc);
	answer(pem, NULL);
	answer(cert2, "unsigned");
	answer("", NULL);
	answer("-----BEGIN CERTIFICATE-----", NULL);
	answer(w->w_leafpem, NULL);
	assert_null(strpbrk(did, "Ss"));
	/* Late, but for the request that is still out. */
	answer(cert2, NULL);
	assert_non_null(strchr(did, 'S'));
	/* One at a time. */
	did[0] = '\0';
	answer(cert2, NULL);
	assert_string_equal(did, "r");
	world_free(other);
}

static void
test_no_answer(void **state)
{
	(void)state;
	fresh_world(8);
	tick();
	key_is("no room");
	assert_string_equal(did, "kb");
	tick();
	assert_string_equal(did, "kb");
	clock_ += 1000;
	tick();
	key_is(NULL);
	assert_string_equal(did, "kbk?");
	clock_ += 4999;
	tick();
	assert_string_equal(did, "kbk?");
	clock_ += 1;
	tick();
	assert_string_equal(did, "kbk?b");
	/* Again with the same key, as soon as there is a session. */
	clock_ += 1000;
	is_open = false;
	tick();
	assert_string_equal(did, "kbk?b");
	is_open = true;
	acked("");
	assert_string_equal(did, "kbk?b?");
	assert_false(down(CAUSE(NETWORK), false, false));
	assert_string_equal(did, "kbk?b?b");
}

static void
test_refused(void **state)
{
	(void)state;
	climb();
	/* The host is not refused: the old pair has its turn. */
	assert_true(down(CAUSE(REFUSED), true, true));
	assert_string_equal(shown(), w->w_agentpem);
	acked("");
	assert_string_equal(did, "-");
	parent(renew_settled, 0);
	assert_string_equal(did, "-db");
	assert_memory_equal(kept, w->w_agentkey.k_point, ECKEY_POINT_LEN);
	assert_string_equal(in_use(), w->w_agentpem);
	clock_ += 1000;
	tick();
	assert_string_equal(did, "-dbk");

	/* Both refused: the host is; and each goes on having its turn. */
	climb();
	assert_true(down(CAUSE(REFUSED), true, true));
	assert_string_equal(shown(), w->w_agentpem);
	assert_false(down(CAUSE(REFUSED), true, true));
	assert_string_equal(shown(), cert2);
	assert_false(down(CAUSE(REFUSED), true, true));
	assert_string_equal(shown(), w->w_agentpem);
	/* Nothing was thrown away. */
	assert_null(strpbrk(did, "+-d"));

	/* The old one is refused, since the server has seen the new one. */
	climb();
	assert_false(down(CAUSE(NETWORK), false, false));
	assert_string_equal(shown(), cert2);
	acked("");
	assert_string_equal(did, "+");

	/* Our own processes cannot use it. */
	climb();
	assert_false(down(CAUSE(LOCAL), false, false));
	assert_string_equal(shown(), w->w_agentpem);
}

/* Closed each time after it was shown, without a word. */
static void
test_silent(void **state)
{
	int	 i;

	(void)state;
	climb();
	for (i = 0; i < 20; i++) {
		assert_false(down(CAUSE(NETWORK), false, false));
		assert_string_equal(shown(), cert2);
	}
	for (i = 1; i < RENEW_TRIES; i++) {
		assert_false(down(CAUSE(NETWORK), false, true));
		assert_string_equal(shown(), cert2);
	}
	assert_false(down(CAUSE(NETWORK), false, true));
	assert_string_equal(shown(), w->w_agentpem);
	for (i = 0; i < RENEW_TRIES; i++) {
		assert_string_equal(shown(), w->w_agentpem);
		assert_false(down(CAUSE(NETWORK), false, true));
	}
	assert_string_equal(shown(), cert2);
}

/* A command that is under way is not cut off, but not for ever. */
static void
test_patience(void **state)
{
	(void)state;
	fresh_world(8);
	is_idle = false;
	tick();
	key_is(NULL);
	answer(cert2, NULL);
	parent(renew_staged, 0);
	tick();
	assert_string_equal(did, "k?S");
	clock_ += RENEW_WAIT_MSEC;
	tick();
	assert_string_equal(did, "k?SX");
}

static void
test_disk(void **state)
{
	(void)state;
	fresh_world(8);
	tick();
	key_is(NULL);
	answer(cert2, NULL);
	parent(renew_staged, 1);
	assert_string_equal(did, "k?Sb");
	assert_string_equal(shown(), w->w_agentpem);
	/* In use but not renamed: again until it is. */
	climb();
	acked("");
	parent(renew_settled, 1);
	assert_string_equal(did, "+b");
	assert_string_equal(shown(), cert2);
	tick();
	assert_string_equal(did, "+b");
	clock_ += 1000;
	tick();
	assert_string_equal(did, "+b+");
	parent(renew_settled, 0);
	assert_string_equal(did, "+b+d");
}

/* Unasked for, over the key in use: taken the same way, and not too often. */
static void
test_pushed(void **state)
{
	struct key_cert	 kc;
	char		 why[KEY_WHY_SIZE], later[4096] = "", again[4096] = "";

	(void)state;
	fresh_world(1);
	assert_int_equal(key_issue_agent(&w->w_ring, WORLD_HOST,
	    w->w_agentkey.k_point, 20 * WORLD_DAY, time(NULL), &kc, why),
	    KEY_RC_OK);
	world_pem(later, sizeof(later), &kc);
	assert_int_equal(key_issue_agent(&w->w_ring, WORLD_HOST,
	    w->w_agentkey.k_point, 30 * WORLD_DAY, time(NULL), &kc, why),
	    KEY_RC_OK);
	world_pem(again, sizeof(again), &kc);
	/* Over a key that is not ours; the one in use once more. */
	answer(cert2, NULL);
	clock_ += RENEW_PUSH_MSEC;
	answer(w->w_agentpem, NULL);
	assert_string_equal(did, "rr");
	did[0] = '\0';
	clock_ += RENEW_PUSH_MSEC;
	answer(later, NULL);
	parent(renew_staged, 0);
	assert_string_equal(did, "sX");
	(void)down(CAUSE(LOCAL), false, false);
	assert_string_equal(shown(), later);
	acked("");
	parent(renew_settled, 0);
	assert_string_equal(did, "sX+d");
	assert_memory_equal(kept, w->w_agentkey.k_point, ECKEY_POINT_LEN);
	answer(again, NULL);
	assert_string_equal(did, "sX+dr");
	/* In the same session, a minute later. */
	clock_ += RENEW_PUSH_MSEC;
	answer(again, NULL);
	parent(renew_staged, 0);
	assert_string_equal(did, "sX+drsX");
}

/* What a crash left: two certificates, one or two keys. */
static void
test_settle(void **state)
{
	(void)state;
	/* Both pairs. */
	fresh_world(8);
	renew_found((uint8_t *)strdup(cert2), strlen(cert2));
	renew_found_key(key2.k_point);
	renew_settle();
	assert_string_equal(shown(), cert2);
	assert_string_equal(in_use(), w->w_agentpem);
	acked("");
	assert_string_equal(did, "+");

	/* The key was renamed, the certificate not. */
	fresh_world(8);
	identity(w->w_agentpem, key2.k_point);
	renew_found((uint8_t *)strdup(cert2), strlen(cert2));
	renew_settle();
	assert_string_equal(in_use(), cert2);
	assert_string_equal(did, "+");
	parent(renew_settled, 0);
	assert_string_equal(did, "+d");

	/* Torn, or of another time. */
	fresh_world(1);
	renew_found((uint8_t *)strdup("-----BEGIN CERT"), 15);
	renew_settle();
	assert_string_equal(did, "-");
	assert_string_equal(shown(), w->w_agentpem);
	parent(renew_settled, 0);
	assert_string_equal(did, "-db");

	/* Nothing. */
	fresh_world(1);
	renew_settle();
	assert_string_equal(did, "");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_due),
		cmocka_unit_test(test_late),
		cmocka_unit_test(test_way),
		cmocka_unit_test(test_renew_only),
		cmocka_unit_test(test_wrong_answers),
		cmocka_unit_test(test_no_answer),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_silent),
		cmocka_unit_test(test_patience),
		cmocka_unit_test(test_disk),
		cmocka_unit_test(test_pushed),
		cmocka_unit_test(test_settle),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
