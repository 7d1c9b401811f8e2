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

/* The way to the server: order, credit, bounds, and what the journal hears. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_journal.h"
#include "pbcheck.h"

/* --- neighbours: an uplink that notes what it gets ----------------------- */

static struct engine	 state_;
struct engine		*eng = &state_;

static bool		 open_ = true;
static char		 sent[4096];	/* one letter per message */
static char		 journal[4096];	/* two letters per message */

bool
session_is_open(void)
{
	return (open_);
}

struct peer *
proc_peer(enum role role)
{
	static struct peer	 p;

	assert_int_equal(role, ROLE_A_UPLINK);
	return (&p);
}

bool
peer_has_credit(const struct peer *p)
{
	(void)p;
	return (true);
}

int
peer_send_pb(struct peer *p, uint32_t type, uint32_t id,
    const ProtobufCMessage *pb)
{
	const Sentinel__Ipc__UplinkSend	*m = (const void *)pb;
	Sentinel__Cluster__AgentMessage	*msg;
	struct pbmem			 pm;
	char				 letter[2] = "?";

	(void)p;
	(void)id;
	assert_int_equal(type, IMSG_UPLINK_SEND);
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	msg = pbcheck_unpack(&sentinel__cluster__agent_message__descriptor,
	    m->message.data, m->message.len, &pm, NULL);
	assert_non_null(msg);
	letter[0] = msg->payload_case ==
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_HEARTBEAT ? '.' :
	    msg->update_result->request_id[0];
	(void)strlcat(sent, letter, sizeof(sent));
	pbmem_free(&pm);
	return (0);
}

/* The journal, which is told what becomes of a result. */
static void
told(char what, const char *id)
{
	char	 text[3] = { what, id[0], '\0' };

	(void)strlcat(journal, text, sizeof(journal));
}

void
ojournal_result_queued(const char *id)
{
	told('q', id);
}

void
ojournal_result_sent(const char *id)
{
	told('s', id);
}

void
ojournal_result_unsent(const char *id)
{
	told('u', id);
}

void
ojournal_batch_sent(void)
{
	told('b', ".");
}

void
ojournal_beat(void)
{
	told('h', ".");
}

/* --- helpers ------------------------------------------------------------- */

static void
push(enum out_kind kind, const char *id, uint32_t hold)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__UpdateResult	 r;
	char				 copy[16];

	(void)strlcpy(copy, id, sizeof(copy));
	sentinel__cluster__update_result__init(&r);
	r.request_id = copy;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_UPDATE_RESULT;
	m.update_result = &r;
	if (kind == OUT_KEPT)
		out_push_result(id, &m, hold);
	else
		out_push(kind, &m, hold);
}

static void
beat(void)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__Heartbeat	 hb;

	sentinel__cluster__heartbeat__init(&hb);
	sentinel__cluster__agent_message__init(&m);
	m.payload_case = SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_HEARTBEAT;
	m.heartbeat = &hb;
	out_push(OUT_BEAT, &m, 0);
}

static void
lose(void)
{
	open_ = false;
	out_session_lost();
}

static void
begin(void)
{
	open_ = true;
	sent[0] = '\0';
	out_flush();
}

/* Everything that is queued and credited. */
static void
drain(void)
{
	int	 i;

	begin();
	for (i = 0; i < 100 && out_unsent() > 0; i++)
		out_sent((uint32_t)out_unsent());
	assert_int_equal(out_unsent(), 0);
	sent[0] = journal[0] = '\0';
}

/* --- tests --------------------------------------------------------------- */

static void
test_order(void **state)
{
	(void)state;
	drain();
	push(OUT_PLAIN, "a", 0);
	push(OUT_KEPT, "u", 7);
	push(OUT_PLAIN, "l", 0);
	push(OUT_RESULT, "r", 0);
	assert_string_equal(sent, "alr");
	out_release(8);
	assert_string_equal(sent, "alr");
	out_release(7);
	assert_string_equal(sent, "alru");
	assert_int_equal(out_unsent(), 4);
	drain();
}

static void
test_kept(void **state)
{
	(void)state;
	drain();
	push(OUT_KEPT, "u", 0);
	assert_string_equal(journal, "qu");
	out_sent(1);
	assert_string_equal(journal, "qusu");
	journal[0] = '\0';
	beat();
	push(OUT_JOURNAL, "j", 0);
	push(OUT_PLAIN, "a", 0);
	out_sent(3);
	assert_string_equal(journal, "h.b.");
	/* Without a session the journal has it, and nobody else. */
	lose();
	journal[0] = '\0';
	push(OUT_KEPT, "v", 0);
	push(OUT_JOURNAL, "j", 0);
	begin();
	assert_string_equal(sent, "");
	assert_string_equal(journal, "");
	drain();
}

static void
test_lost_session(void **state)
{
	(void)state;
	drain();
	push(OUT_PLAIN, "a", 0);
	push(OUT_RESULT, "r", 0);
	push(OUT_KEPT, "u", 3);
	push(OUT_JOURNAL, "j", 0);
	beat();
	out_sent(1);
	lose();
	/* No session: results wait, the rest is nobody's. */
	push(OUT_PLAIN, "b", 0);
	push(OUT_RESULT, "s", 0);
	beat();
	begin();
	assert_string_equal(sent, "rs");
	out_sent(2);
	lose();
	begin();
	/* A refusal is not told twice. */
	assert_string_equal(sent, "");
	drain();
}

static void
test_credit(void **state)
{
	int	 i;

	(void)state;
	drain();
	for (i = 0; i < OUT_CREDIT + 10; i++)
		push(OUT_RESULT, "r", 0);
	assert_int_equal(out_unsent(), OUT_CREDIT);
	assert_int_equal(strlen(sent), OUT_CREDIT);
	out_sent(5);
	assert_int_equal(strlen(sent), OUT_CREDIT + 5);
	drain();
}

/* A server that asks for much and reads nothing: bytes count as well. */
static void
test_credit_bytes(void **state)
{
	static char			 text[512 * 1024];
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__UpdateResult	 r;
	int				 i;

	(void)state;
	drain();
	memset(text, 'x', sizeof(text) - 1);
	sentinel__cluster__update_result__init(&r);
	r.request_id = text + sizeof(text) - 2;
	r.error = text;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_UPDATE_RESULT;
	m.update_result = &r;
	for (i = 0; i < 10; i++)
		out_push(OUT_PLAIN, &m, 0);
	assert_true(out_unsent() <= OUT_CREDIT_BYTES / sizeof(text) + 1);
	i = (int)out_unsent();
	out_sent(1);
	assert_int_equal(out_unsent(), i);
	lose();
	drain();
}

static void
test_bounds(void **state)
{
	int	 i;

	(void)state;
	drain();
	push(OUT_KEPT, "u", 9);
	push(OUT_JOURNAL, "j", 9);
	assert_string_equal(sent, "");
	for (i = 0; i < OUT_MAX + 50; i++)
		push(OUT_RESULT, i < 52 ? "o" : "n", 9);
	/* What the journal has goes first, and it is told so; then the oldest
	 * results; a batch stays. */
	assert_string_equal(journal, "quuu");
	out_release(9);
	for (i = 0; i < 100 && out_unsent() > 0; i++)
		out_sent((uint32_t)out_unsent());
	assert_int_equal(strlen(sent), OUT_MAX);
	assert_int_equal(sent[0], 'j');
	assert_null(strchr(sent, 'u'));
	assert_int_equal(strspn(sent + 1, "o"), 1);
	drain();
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_lost_session),
		cmocka_unit_test(test_credit),
		cmocka_unit_test(test_credit_bytes),
		cmocka_unit_test(test_bounds),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
