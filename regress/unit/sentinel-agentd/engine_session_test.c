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
 * The life of a session, with an uplink that may have been taken over: what
 * is closed stays closed, waits grow, a steady session lets them shrink, and
 * a foreign CA is told once.
 */
#include "unit.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine_bundle.h"
#include "engine_follow.h"
#include "engine_live.h"
#include "engine_policy.h"
#include "engine_reenrol.h"
#include "engine_renew.h"
#include "engine_journal.h"
#include "pbcheck.h"

#define CAUSE(x)	SENTINEL__IPC__UPLINK_DOWN__CAUSE__##x

/* --- neighbours ---------------------------------------------------------- */

static struct engine	 state_;
struct engine		*eng = &state_;

static monotime_t	 clock_ = 1000;
static char		 did[1024];	/* one letter for each thing */
static unsigned int	 broken;
static unsigned int	 resets;	/* of the back-off */
static bool		 disk_full;
static bool		 no_uplink;

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

int
monotime_left(monotime_t deadline)
{
	return (deadline > clock_ ? (int)(deadline - clock_) : 0);
}

struct timeval
monotime_timeval(uint64_t msec)
{
	struct timeval	 tv = { (time_t)(msec / 1000), 0 };

	return (tv);
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

void
backoff_reset(struct backoff *bo)
{
	(void)bo;
	resets++;
}

struct event_base *
proc_base(void)
{
	static struct event_base	*base;

	if (base == NULL)
		base = event_base_new();
	return (base);
}

struct peer *
proc_peer(enum role role)
{
	static struct peer	 p;

	assert_int_equal(role, ROLE_A_UPLINK);
	return (no_uplink ? NULL : &p);
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
	(void)fd;
	(void)data;
	assert_int_equal(id, eng->attempt);
	assert_int_equal(len, 0);
	note(type == IMSG_UPLINK_CLOSE ? "X" : "H");
	return (0);
}

int
peer_send_pb(struct peer *p, uint32_t type, uint32_t id,
    const ProtobufCMessage *pb)
{
	(void)p;
	(void)pb;
	assert_int_equal(id, eng->attempt);
	note(type == IMSG_UPLINK_CONNECT ? "C" : "R");
	return (0);
}

void
command_session(void)
{
}

bool
command_must_be_signed(void)
{
	return (eng->server.ks_signed);
}

void
command_receive(const uint8_t *data, size_t len)
{
	(void)data;
	(void)len;
	note("m");
}

char **
engine_features(size_t *n)
{
	*n = 0;
	return (NULL);
}

const char *
engine_version(void)
{
	return ("1");
}

char *
engine_lend(const char *s)
{
	return ((char *)(uintptr_t)s);
}

void
engine_text(char *dst, size_t size, const char *src)
{
	(void)strlcpy(dst, src, size);
}

void
enroll_down(const Sentinel__Ipc__UplinkDown *m)
{
	(void)m;
	note("E");
}

static bool		 other_pair;	/* renew_down() says so */
static bool		 has_token;	/* reenrol_refused() takes over */
static unsigned int	 refusals;	/* that renew_down() was told of */
static unsigned int	 acks;		/* that renew_acked() saw */

size_t
bundle_pins(uint8_t pins[X509_PINS_MAXBYTES])
{
	memset(pins, 0x5a, X509_PIN_LEN);
	return (X509_PIN_LEN);
}

void
renew_pair(const uint8_t **cert, size_t *len)
{
	*cert = NULL;
	*len = 0;
}

void
renew_acked(const Sentinel__Cluster__StateAck *a)
{
	(void)a;
	acks++;
}

bool
renew_down(const Sentinel__Ipc__UplinkDown *m, bool refused, bool proven)
{
	(void)m;
	(void)proven;
	refusals += refused;
	return (other_pair && refused);
}

bool
reenrol_refused(void)
{
	return (has_token);
}

void
event_add_line(const char *type, const char *container, const char *fmt, ...)
{
	(void)type;
	(void)container;
	(void)fmt;
}

uint8_t *
list_append(uint8_t *head, size_t headlen, size_t max, size_t *len)
{
	(void)max;
	*len = headlen;
	return (head);
}

void
list_ask(bool push, list_cb cb, void *arg)
{
	(void)push;
	cb("", arg);
}

void
offline_opened(void)
{
	note("o");
}

void
live_heartbeat(Sentinel__Cluster__Heartbeat *hb, uint8_t hash[LISTHASH_LEN])
{
	(void)hb;
	(void)hash;
}

void
offline_heard(void)
{
	note("h");
}

void
offline_lost(void)
{
	note("l");
}

void
out_flush(void)
{
}

void
out_push(enum out_kind kind, Sentinel__Cluster__AgentMessage *m,
    uint32_t hold)
{
	(void)m;
	(void)hold;
	assert_int_equal(kind, OUT_BEAT);
	note(".");
}

void
out_sent(uint32_t count)
{
	(void)count;
	note("s");
}

void
out_session_lost(void)
{
	note("L");
}

void
follow_session_lost(void)
{
}

size_t
out_unsent(void)
{
	return (1);
}

void
policy_session(void)
{
}

void
state_prove(const char *self)
{
	assert_string_equal(self, "");
}

int
state_save_server(const char *hostid, const struct known_server *ks)
{
	(void)hostid;
	assert_true(ks->ks_pinned);
	note("w");
	return (disk_full ? -1 : 0);
}

/* --- helpers ------------------------------------------------------------- */

static void
deliver(void (*fn)(struct peer *, struct imsg *), const ProtobufCMessage *pb)
{
	struct imsg	 m = { .hdr.peerid = eng->attempt };
	uint8_t		*data = NULL;
	size_t		 len = 0;

	if (pb != NULL)
		assert_non_null(data = pbcheck_pack(pb, 1 << 20, &len));
	assert_non_null(m.buf = ibuf_dynamic(len + 1, len + 1));
	assert_int_equal(ibuf_add(m.buf, data, len), 0);
	free(data);
	fn(proc_peer(ROLE_A_UPLINK), &m);
	ibuf_free(m.buf);
}

static void
ack(bool accepted, bool is_signed)
{
	Sentinel__Cluster__StateAck	 a;
	Sentinel__Ipc__UplinkAck	 m;

	sentinel__cluster__state_ack__init(&a);
	a.accepted = accepted;
	a.message = engine_lend("no");
	a.signed_commands = is_signed;
	sentinel__ipc__uplink_ack__init(&m);
	m.ack = &a;
	deliver(session_ack, &m.base);
}

static void
message(void)
{
	Sentinel__Ipc__UplinkMessage	 m;
	uint8_t				 byte = 8;

	sentinel__ipc__uplink_message__init(&m);
	m.message.data = &byte;
	m.message.len = 1;
	deliver(session_message, &m.base);
}

static void
down(Sentinel__Ipc__UplinkDown__Cause cause, uint32_t status)
{
	Sentinel__Ipc__UplinkDown	 m;

	sentinel__ipc__uplink_down__init(&m);
	m.cause = cause;
	m.status = status;
	m.text = engine_lend("as the test says");
	deliver(session_down, &m.base);
}

/* As far as an open session; what it took is in did. */
static void
climb(bool is_signed)
{
	did[0] = '\0';
	session_begin();
	deliver(session_up, NULL);
	ack(true, is_signed);
	assert_true(session_is_open());
}

static int
setup(void **state)
{
	(void)state;
	(void)strlcpy(eng->conf.ac_server, "test:1",
	    sizeof(eng->conf.ac_server));
	(void)strlcpy(eng->conf.ac_dir, "/the/dir", sizeof(eng->conf.ac_dir));
	eng->conf.ac_reconnect_max_msec = 30000;
	eng->conf.ac_heartbeat_msec = 1000;
	eng->enrolled = eng->ready = true;
	eng->server.ks_pinned = true;
	return (0);
}

/* --- tests --------------------------------------------------------------- */

static void
test_way(void **state)
{
	(void)state;
	climb(false);
	assert_string_equal(did, "CRHo.");
	message();
	assert_string_equal(did, "CRHo.hm");
	down(CAUSE(NETWORK), 0);
	assert_string_equal(did, "CRHo.hmlLb");
	assert_int_equal(eng->session, SESSION_WAIT);
	assert_int_equal(broken, 0);
	/* A second end, or a step without an attempt. */
	down(CAUSE(NETWORK), 0);
	deliver(session_up, NULL);
	assert_int_equal(broken, 2);
	message();
	assert_string_equal(did, "CRHo.hmlLb");
	broken = 0;
}

/* What a closed session still brings must not be carried out: a new nonce was
 * due, and uplink may be the one who would rather have it go on. */
static void
test_closed(void **state)
{
	Sentinel__Ipc__Sent	 sent;

	(void)state;
	climb(false);
	session_close("the test");
	assert_string_equal(did, "CRHo.X");
	assert_false(session_is_open());
	session_close("again");
	message();
	session_heartbeat();
	sentinel__ipc__sent__init(&sent);
	sent.count = 1;
	deliver(session_sent, &sent.base);
	assert_string_equal(did, "CRHo.X");
	down(CAUSE(LOCAL), 0);
	assert_string_equal(did, "CRHo.XlLb");
	assert_int_equal(broken, 0);

	/* A report that is not accepted. */
	did[0] = '\0';
	session_begin();
	deliver(session_up, NULL);
	ack(false, false);
	assert_string_equal(did, "CRX");
	message();
	down(CAUSE(LOCAL), 0);
	assert_string_equal(did, "CRXlLb");
	assert_int_equal(broken, 0);
}

static void
test_steady(void **state)
{
	(void)state;
	resets = 0;
	climb(false);
	clock_ += ENGINE_STEADY_MSEC - 1;
	down(CAUSE(NETWORK), 0);
	assert_int_equal(resets, 0);
	climb(false);
	clock_ += ENGINE_STEADY_MSEC;
	down(CAUSE(NETWORK), 0);
	assert_int_equal(resets, 1);
	/* Also when we end it ourselves. */
	climb(false);
	clock_ += ENGINE_STEADY_MSEC;
	session_close("the test");
	down(CAUSE(LOCAL), 0);
	assert_int_equal(resets, 2);
	/* The time of an earlier session says nothing. */
	session_begin();
	down(CAUSE(NETWORK), 0);
	assert_int_equal(resets, 2);
}

/* Announced once is announced for ever, also over a disk that was full. */
static void
test_announced(void **state)
{
	(void)state;
	disk_full = true;
	climb(true);
	assert_string_equal(did, "CRwHo.");
	assert_true(eng->server.ks_signed);
	down(CAUSE(NETWORK), 0);
	disk_full = false;
	climb(true);
	assert_string_equal(did, "CRwHo.");
	down(CAUSE(NETWORK), 0);
	climb(true);
	assert_string_equal(did, "CRHo.");
	down(CAUSE(NETWORK), 0);
	/* Not announcing it any more does not take it back. */
	climb(false);
	assert_true(eng->server.ks_signed);
	down(CAUSE(NETWORK), 0);
}

/* What no retry mends is tried seldom, and told once with the fix. */
static void
test_mismatch(void **state)
{
	char	 text[8192], *p;
	FILE	*log;
	int	 saved, i, told = 0;

	(void)state;
	assert_non_null(log = tmpfile());
	(void)fflush(stderr);
	assert_int_not_equal(saved = dup(2), -1);
	assert_int_not_equal(dup2(fileno(log), 2), -1);
	did[0] = '\0';
	for (i = 0; i < 5; i++) {
		session_begin();
		down(CAUSE(CA_MISMATCH), 0);
	}
	climb(false);
	down(CAUSE(NETWORK), 0);
	did[0] = '\0';
	session_begin();
	down(CAUSE(CA_MISMATCH), 0);
	assert_string_equal(did, "ClL");
	(void)fflush(stderr);
	assert_int_not_equal(dup2(saved, 2), -1);
	close(saved);
	rewind(log);
	text[fread(text, 1, sizeof(text) - 1, log)] = '\0';
	(void)fclose(log);
	for (p = text; (p = strstr(p, "server CA mismatch -- the server's TLS "
	    "certificate has changed since this agent enrolled")) != NULL; p++)
		told++;
	assert_int_equal(told, 1);
	assert_non_null(strstr(text, "fix: "));
	assert_non_null(strstr(text, "data_dir: /the/dir"));
}

/* A certificate of two that is refused is no refusal of the host; one of one
 * is, and a new token takes over then. */
static void
test_refused(void **state)
{
	(void)state;
	refusals = acks = 0;
	climb(false);
	assert_int_equal(acks, 1);
	did[0] = '\0';
	other_pair = true;
	down(CAUSE(ENDED), 7);
	assert_string_equal(did, "lLb");
	assert_int_equal(refusals, 1);
	session_begin();
	other_pair = false;
	did[0] = '\0';
	down(CAUSE(REFUSED), 5);
	assert_string_equal(did, "lL");
	assert_int_equal(eng->session, SESSION_WAIT);
	session_begin();
	has_token = true;
	eng->session = SESSION_CONNECT;
	down(CAUSE(REFUSED), 5);
	assert_int_equal(refusals, 3);
	has_token = false;
	/* A server that is only away is no reason for it. */
	session_begin();
	has_token = true;
	down(CAUSE(NETWORK), 0);
	assert_int_equal(refusals, 3);
	assert_int_equal(eng->session, SESSION_WAIT);
	has_token = false;
}

static void
take_uplink(void)
{
	assert_false(eng->uplink_busy);
	assert_int_equal(eng->session, SESSION_NONE);
	note("Y");
}

/* Somebody else needs the uplink: after what is under way has ended, and once.
 */
static void
test_yield(void **state)
{
	(void)state;
	climb(false);
	session_yield(take_uplink);
	assert_string_equal(did, "CRHo.X");
	/* Nothing of the old session counts. */
	message();
	assert_string_equal(did, "CRHo.X");
	down(CAUSE(LOCAL), 0);
	assert_string_equal(did, "CRHo.XlLY");
	/* What uplink says now is the enrolment's. */
	eng->uplink_busy = true;
	down(CAUSE(LOCAL), 0);
	assert_string_equal(did, "CRHo.XlLYE");
	did[0] = '\0';
	session_resume(true);
	assert_string_equal(did, "C");
	down(CAUSE(NETWORK), 0);
	did[0] = '\0';
	session_yield(take_uplink);
	assert_string_equal(did, "Y");
	session_resume(false);
	assert_int_equal(eng->session, SESSION_WAIT);
	assert_string_equal(did, "Y");
	/* In the middle of an attempt. */
	session_begin();
	did[0] = '\0';
	session_yield(take_uplink);
	assert_string_equal(did, "X");
	down(CAUSE(REFUSED), 7);
	assert_string_equal(did, "XlLY");
	session_resume(true);
	down(CAUSE(NETWORK), 0);
}

/* The death of uplink is a lost connection; the next attempt waits for the
 * next process. */
static void
test_uplink(void **state)
{
	(void)state;
	climb(false);
	no_uplink = true;
	session_uplink_lost();
	assert_string_equal(did, "CRHo.lLb");
	assert_int_equal(eng->session, SESSION_WAIT);
	assert_false(eng->uplink_busy);
	/* Twice, or with nothing under way. */
	session_uplink_lost();
	assert_string_equal(did, "CRHo.lLb");
	did[0] = '\0';
	session_begin();
	assert_string_equal(did, "");
	assert_int_equal(eng->session, SESSION_WAIT);
	no_uplink = false;
	session_uplink_up();
	assert_string_equal(did, "C");
	session_uplink_up();
	assert_string_equal(did, "C");
	/* While the session is being closed; while somebody waits for it. */
	session_close("the test");
	session_uplink_lost();
	assert_string_equal(did, "CXlLb");
	climb(false);
	session_yield(take_uplink);
	session_uplink_lost();
	assert_string_equal(did, "CRHo.XlLY");
	session_resume(true);
	down(CAUSE(NETWORK), 0);
	assert_int_equal(broken, 0);
}

/* Only what the session was made of ends it. */
static void
test_reconfigured(void **state)
{
	(void)state;
	climb(false);
	session_reconfigure(false);
	assert_true(session_is_open());
	assert_string_equal(did, "CRHo.");
	session_reconfigure(true);
	assert_string_equal(did, "CRHo.X");
	down(CAUSE(LOCAL), 0);
	/* From the wait at once. */
	did[0] = '\0';
	assert_int_equal(eng->session, SESSION_WAIT);
	session_reconfigure(false);
	assert_string_equal(did, "");
	session_reconfigure(true);
	assert_string_equal(did, "C");
	/* An attempt at the old address is given up. */
	session_reconfigure(true);
	assert_string_equal(did, "CX");
	down(CAUSE(LOCAL), 0);
	assert_int_equal(broken, 0);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_way),
		cmocka_unit_test(test_closed),
		cmocka_unit_test(test_steady),
		cmocka_unit_test(test_announced),
		cmocka_unit_test(test_mismatch),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_yield),
		cmocka_unit_test(test_uplink),
		cmocka_unit_test(test_reconfigured),
	};

	return (cmocka_run_group_tests(tests, setup, NULL));
}
