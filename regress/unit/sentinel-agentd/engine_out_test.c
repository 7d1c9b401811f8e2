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

/* The way to the server: order, credit, bounds, and results that survive. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine.h"
#include "pbcheck.h"

/* --- neighbours: an uplink that notes what it gets ----------------------- */

static struct engine	 state_;
struct engine		*eng = &state_;

static bool		 open_ = true;
static char		 sent[4096];	/* one letter per message */
static uint8_t		 disk[65536];
static size_t		 disklen;
static unsigned int	 saves;

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

int
state_write(const char *name, const void *data, size_t len)
{
	assert_string_equal(name, "results");
	assert_true(len <= sizeof(disk));
	memcpy(disk, data, len);
	disklen = len;
	saves++;
	return (0);
}

uint8_t *
state_read(const char *name, size_t max, size_t *len)
{
	uint8_t	*data;

	assert_string_equal(name, "results");
	assert_true(disklen <= max);
	assert_non_null(data = malloc(disklen + 1));
	memcpy(data, disk, disklen);
	*len = disklen;
	return (data);
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

/* Everything that is queued, credited and confirmed. */
static void
drain(void)
{
	int	 i;

	begin();
	for (i = 0; i < 100 && out_unsent() > 0; i++)
		out_sent((uint32_t)out_unsent());
	for (i = 0; i < OUT_CONFIRM_BEATS; i++) {
		beat();
		out_sent(1);
	}
	assert_int_equal(out_unsent(), 0);
	assert_int_equal(disklen, 0);
	sent[0] = '\0';
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
	assert_true(disklen > 0);
	out_sent(1);
	/* Credit alone says little: the path may be dead. */
	assert_true(disklen > 0);
	beat();
	out_sent(1);
	lose();
	begin();
	assert_string_equal(sent, "u");
	out_sent(1);
	beat();
	beat();
	out_sent(2);
	assert_int_equal(disklen, 0);
	lose();
	begin();
	assert_string_equal(sent, "");
}

static void
test_lost_session(void **state)
{
	(void)state;
	drain();
	push(OUT_PLAIN, "a", 0);
	push(OUT_RESULT, "r", 0);
	push(OUT_KEPT, "u", 3);
	beat();
	out_sent(1);
	lose();
	/* No session: results wait, the rest is nobody's. */
	push(OUT_PLAIN, "b", 0);
	push(OUT_RESULT, "s", 0);
	beat();
	begin();
	assert_string_equal(sent, "rus");
	out_sent(3);
	lose();
	begin();
	/* An action's result is not told twice. */
	assert_string_equal(sent, "u");
	drain();
}

static void
test_restart(void **state)
{
	size_t	 len;

	(void)state;
	drain();
	open_ = false;
	push(OUT_KEPT, "u", 0);
	push(OUT_KEPT, "v", 0);
	push(OUT_RESULT, "r", 0);
	len = disklen;
	/* What the next life finds; here it comes on top of what is queued. */
	saves = 0;
	out_init();
	assert_int_equal(saves, 0);
	begin();
	assert_string_equal(sent, "uvruv");
	/* Cut off anywhere the file gives whole messages or none. */
	drain();
	open_ = false;
	push(OUT_KEPT, "u", 0);
	push(OUT_KEPT, "v", 0);
	assert_true(disklen > 0);
	for (len = disklen; len > 0; len--) {
		disklen = len - 1;
		out_init();
		out_session_lost();
	}
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
	open_ = false;
	push(OUT_KEPT, "u", 0);
	for (i = 0; i < OUT_MAX + 50; i++)
		push(OUT_RESULT, i < 51 ? "o" : "n", 0);
	begin();
	for (i = 0; i < 100 && out_unsent() > 0; i++)
		out_sent((uint32_t)out_unsent());
	/* The oldest results went, the kept one stayed. */
	assert_int_equal(strlen(sent), OUT_MAX);
	assert_int_equal(sent[0], 'u');
	assert_null(strchr(sent, 'o'));
	drain();
	open_ = false;
	for (i = 0; i < OUT_KEPT_MAX + 5; i++)
		push(OUT_KEPT, i < 5 ? "o" : "n", 0);
	begin();
	assert_int_equal(strlen(sent), OUT_KEPT_MAX);
	assert_null(strchr(sent, 'o'));
	drain();
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_order),
		cmocka_unit_test(test_kept),
		cmocka_unit_test(test_lost_session),
		cmocka_unit_test(test_restart),
		cmocka_unit_test(test_credit),
		cmocka_unit_test(test_credit_bytes),
		cmocka_unit_test(test_bounds),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
