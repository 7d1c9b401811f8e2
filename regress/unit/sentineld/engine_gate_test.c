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

#include <string.h>

#include "engine.h"

/* peer_gate(): one row per kind of connection. */
static char	id[] = "0123456789abcdef0123456789abcdef", none[] = "";

#define NOW	1000000
#define GRACE	100

static const struct {
	const char	*what;
	char		*host_id;
	int		 revoked;
	bool		 known;
	enum host_state	 state;
	enum host_end	 end;
	int64_t		 not_before;
	int64_t		 not_after;
	enum gate_verdict verdict;
	uint32_t	 status;
} cases[] = {
	{ "good", id, 0, true, HOST_ACTIVE, 0, NOW - 1, NOW + 1, GATE_OK, 0 },
	{ "last second", id, 0, true, HOST_ACTIVE, 0, NOW, NOW, GATE_OK, 0 },
	{ "paused", id, 0, true, HOST_PAUSED, 0, 0, NOW + 1, GATE_OK, 0 },
	{ "no name", none, 0, true, HOST_ACTIVE, 0, 0, NOW + 1, GATE_NO_NAME,
	    16 },
	{ "revoked", id, 1, true, HOST_ACTIVE, 0, 0, NOW + 1, GATE_REVOKED, 7 },
	{ "revoked, gone", id, 1, false, HOST_ACTIVE, 0, 0, NOW + 1,
	    GATE_REVOKED, 7 },
	{ "list unreadable", id, -1, true, HOST_ACTIVE, 0, 0, NOW + 1,
	    GATE_REVOKED, 13 },
	{ "unknown", id, 0, false, HOST_ACTIVE, 0, 0, NOW + 1, GATE_UNKNOWN,
	    5 },
	{ "removed", id, 1, true, HOST_DECOMMISSIONED, 0, 0, NOW + 1,
	    GATE_UNKNOWN, 5 },
	{ "removed, another serial", id, 0, true, HOST_DECOMMISSIONED, 0,
	    0, NOW + 1, GATE_UNKNOWN, 5 },
	{ "revoked host, another serial", id, 0, true, HOST_DECOMMISSIONED,
	    HOST_REVOKED, 0, NOW + 1, GATE_REVOKED, 7 },
	{ "removed, list unreadable", id, -1, true, HOST_DECOMMISSIONED, 0,
	    0, NOW + 1, GATE_UNKNOWN, 5 },
	{ "just expired", id, 0, true, HOST_ACTIVE, 0, 0, NOW - 1, GATE_RENEW,
	    0 },
	{ "in grace", id, 0, true, HOST_ACTIVE, 0, 0, NOW - 50, GATE_RENEW, 0 },
	{ "last second of grace", id, 0, true, HOST_PAUSED, 0, 0, NOW - 100,
	    GATE_RENEW, 0 },
	{ "after it", id, 0, true, HOST_ACTIVE, 0, 0, NOW - 101, GATE_EXPIRED,
	    7 },
	{ "in grace, revoked", id, 1, true, HOST_ACTIVE, 0, 0, NOW - 50,
	    GATE_REVOKED, 7 },
	{ "in grace, removed", id, 0, true, HOST_DECOMMISSIONED, 0, 0,
	    NOW - 50, GATE_UNKNOWN, 5 },
	{ "in grace, unknown", id, 0, false, HOST_ACTIVE, 0, 0, NOW - 50,
	    GATE_UNKNOWN, 5 },
	{ "too early", id, 0, true, HOST_ACTIVE, 0, NOW + 1, NOW + 2,
	    GATE_NOT_YET, 7 },
};

static void
test_verdicts(void **state)
{
	Sentinel__Ipc__AgentOpen	 open;
	struct gate_answer		 ga;
	struct host			*h;
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(cases); i++) {
		sentinel__ipc__agent_open__init(&open);
		open.host_id = cases[i].host_id;
		open.not_before = cases[i].not_before;
		open.not_after = cases[i].not_after;
		h = host_new(id, "worker");
		h->h_state = cases[i].state;
		h->h_end = cases[i].end;
		peer_gate(&open, cases[i].known ? h : NULL, cases[i].revoked,
		    NOW, GRACE, &ga);
		if (ga.ga_verdict != cases[i].verdict ||
		    ga.ga_status != cases[i].status)
			fail_msg("%s: verdict %d, status %u", cases[i].what,
			    (int)ga.ga_verdict, ga.ga_status);
		assert_true((ga.ga_text[0] == '\0') ==
		    (ga.ga_verdict == GATE_OK));
		host_free(h);
	}
}

/* By how much, in the two largest units; one that is not in the record has
 * no grace. */
static void
test_texts(void **state)
{
	static const struct {
		int64_t		 not_before, not_after;
		const char	*serial, *want;
	} texts[] = {
		{ NOW + 11520, NOW + 20000, "0a", "(clock skew of 3h12m?)" },
		{ NOW + 59, NOW + 20000, "0a", "(clock skew of 59s?)" },
		{ 0, NOW - 61, "0b", "expired 1m1s ago" },
		{ 0, NOW - 90000, "0a",
		    "expired 1d1h ago (or clock skew of 1d1h?)" },
		{ 0, NOW - 50, "0a", "may only be renewed" },
	};
	Sentinel__Ipc__AgentOpen	 open;
	struct gate_answer		 ga;
	struct host			*h = host_new(id, "worker");
	char				 serial[3];
	size_t				 i;

	(void)state;
	(void)strlcpy(h->h_serial, "0a", sizeof(h->h_serial));
	for (i = 0; i < nitems(texts); i++) {
		(void)strlcpy(serial, texts[i].serial, sizeof(serial));
		sentinel__ipc__agent_open__init(&open);
		open.host_id = id;
		open.serial = serial;
		open.not_before = texts[i].not_before;
		open.not_after = texts[i].not_after;
		peer_gate(&open, h, 0, NOW, GRACE, &ga);
		if (strstr(ga.ga_text, texts[i].want) == NULL)
			fail_msg("%s: no %s", ga.ga_text, texts[i].want);
	}
	host_free(h);
}

/* The local engine has no certificate: its id must open no door. */
static void
test_local(void **state)
{
	Sentinel__Ipc__AgentOpen	 open;
	struct gate_answer		 ga;
	struct host			*h;
	char				 local[] = HOST_LOCAL_ID;

	(void)state;
	sentinel__ipc__agent_open__init(&open);
	open.host_id = local;
	open.not_after = NOW + 1;
	h = host_new(HOST_LOCAL_ID, "here");
	h->h_local = true;
	peer_gate(&open, h, 0, NOW, 0, &ga);
	assert_int_equal(ga.ga_verdict, GATE_UNKNOWN);
	host_free(h);
}

/* Of the machine that was replaced: a serial that is not the host's, from
 * before its enrolment. */
static void
test_older(void **state)
{
	static char	 theirs[] = "0a", ours[] = "0b", pending[] = "0c";
	static const struct {
		char			*serial;
		int64_t			 enrolled_at;
		enum gate_verdict	 verdict;
	} t[] = {
		{ theirs, NOW - 10, GATE_REVOKED },
		{ theirs, NOW - 1000, GATE_OK },
		{ ours, NOW - 10, GATE_OK },
		{ pending, NOW - 10, GATE_OK }
	};
	Sentinel__Ipc__AgentOpen	 open;
	struct gate_answer		 ga;
	struct host			*h;
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(t); i++) {
		sentinel__ipc__agent_open__init(&open);
		open.host_id = id;
		open.serial = t[i].serial;
		open.not_before = NOW - 500;
		open.not_after = NOW + 500;
		h = host_new(id, "worker");
		(void)strlcpy(h->h_serial, ours, sizeof(h->h_serial));
		(void)strlcpy(h->h_pending.hc_serial, pending,
		    sizeof(h->h_pending.hc_serial));
		h->h_enrolled_at = t[i].enrolled_at;
		peer_gate(&open, h, 0, NOW, GRACE, &ga);
		if (ga.ga_verdict != t[i].verdict)
			fail_msg("%s: verdict %d", t[i].serial,
			    (int)ga.ga_verdict);
		host_free(h);
	}
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_verdicts),
		cmocka_unit_test(test_texts),
		cmocka_unit_test(test_local),
		cmocka_unit_test(test_older),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
