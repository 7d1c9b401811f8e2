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

/* The words that operators search for, and what is done about each end. */
#include "unit.h"

#include <stdio.h>
#include <string.h>

#include "engine_cause.h"
#include "grpc.h"

#define CAUSE(x)	SENTINEL__IPC__UPLINK_DOWN__CAUSE__##x

static Sentinel__Ipc__UplinkDown
end(Sentinel__Ipc__UplinkDown__Cause cause, uint32_t status, const char *text)
{
	Sentinel__Ipc__UplinkDown	 m;

	sentinel__ipc__uplink_down__init(&m);
	m.cause = cause;
	m.status = status;
	m.text = (char *)(uintptr_t)text;
	return (m);
}

static void
test_class(void **state)
{
	static const struct {
		Sentinel__Ipc__UplinkDown__Cause cause;
		uint32_t		 status;
		const char		*text;
		enum cause_class	 class;
	} rows[] = {
		{ CAUSE(REFUSED), GRPC_PERMISSION_DENIED,
		    "certificate has been revoked", CAUSE_CLASS_REFUSED },
		{ CAUSE(ENDED), GRPC_NOT_FOUND, "host ID not registered",
		    CAUSE_CLASS_REFUSED },
		{ CAUSE(REFUSED), GRPC_UNAUTHENTICATED, "no certificate",
		    CAUSE_CLASS_REFUSED },
		{ CAUSE(REFUSED), GRPC_PERMISSION_DENIED, "certificate has "
		    "expired 94d3h ago (or clock skew of 94d3h?): enrol again",
		    CAUSE_CLASS_REFUSED },
		/* It may come again, or a clock is wrong: no new token. */
		{ CAUSE(ENDED), GRPC_PERMISSION_DENIED, "certificate has "
		    "expired meanwhile: connect again", CAUSE_CLASS_NETWORK },
		{ CAUSE(REFUSED), GRPC_PERMISSION_DENIED, "certificate is not "
		    "valid yet (clock skew of 3h?)", CAUSE_CLASS_NETWORK },
		{ CAUSE(REFUSED), GRPC_UNAVAILABLE, "busy",
		    CAUSE_CLASS_NETWORK },
		{ CAUSE(ENDED), 0, "the server closed the stream",
		    CAUSE_CLASS_NETWORK },
		{ CAUSE(NETWORK), 0, "certificate has been revoked",
		    CAUSE_CLASS_NETWORK },
		{ CAUSE(TLS), 0, "sslv3 alert bad certificate",
		    CAUSE_CLASS_REFUSED },
		{ CAUSE(TLS), 0, "tlsv1 alert unknown ca",
		    CAUSE_CLASS_REFUSED },
		{ CAUSE(TLS), 0, "alert protocol version",
		    CAUSE_CLASS_NETWORK },
		{ CAUSE(TLS), 0, "no certificate", CAUSE_CLASS_NETWORK },
		{ CAUSE(CA_MISMATCH), 0, "", CAUSE_CLASS_FOREIGN },
		{ CAUSE(EXPIRED), 0, "", CAUSE_CLASS_NETWORK },
		{ CAUSE(NAME), 0, "", CAUSE_CLASS_NETWORK },
		{ CAUSE(LOCAL), 0, "", CAUSE_CLASS_LOCAL },
	};
	Sentinel__Ipc__UplinkDown	 m;
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		m = end(rows[i].cause, rows[i].status, rows[i].text);
		if (cause_class(&m) != rows[i].class)
			fail_msg("row %zu: %d", i, cause_class(&m));
	}
}

static void
test_text(void **state)
{
	static const struct {
		Sentinel__Ipc__UplinkDown__Cause cause;
		uint32_t		 status;
		const char		*text;
		enum cause_stage	 stage;
		const char		*begin;
		const char		*fix;	/* NULL: none */
	} rows[] = {
		{ CAUSE(NETWORK), 0, "a:1: Connection refused",
		    CAUSE_STAGE_DIAL, "connection refused: a:1",
		    "SENTINEL_CLUSTER_PORT" },
		{ CAUSE(NETWORK), 0, "a:1: No route to host",
		    CAUSE_STAGE_DIAL, "a:1: No route", NULL },
		{ CAUSE(NETWORK), 0, "eof", CAUSE_STAGE_SESSION,
		    "disconnected: transport is closing: eof", "MTU" },
		{ CAUSE(NETWORK), 0, "eof", CAUSE_STAGE_REPORT, "eof; that "
		    "was after it had seen this host's certificate", "NTP" },
		{ CAUSE(REFUSED), GRPC_PERMISSION_DENIED,
		    "certificate has been revoked", CAUSE_STAGE_REPORT,
		    "certificate has been revoked", "re-enroll" },
		{ CAUSE(ENDED), GRPC_NOT_FOUND, "host ID not registered",
		    CAUSE_STAGE_SESSION, "disconnected: host not registered: ",
		    "re-enroll" },
		{ CAUSE(EXPIRED), 0, "it", CAUSE_STAGE_DIAL,
		    "TLS handshake failure: it", "NTP" },
		{ CAUSE(NOT_YET_VALID), 0, "it", CAUSE_STAGE_DIAL,
		    "TLS handshake failure: it", "NTP" },
		{ CAUSE(TLS), 0, "it", CAUSE_STAGE_DIAL,
		    "TLS handshake failure: it", "validity dates" },
		{ CAUSE(NAME), 0, "it", CAUSE_STAGE_DIAL,
		    "TLS handshake failure: it", NULL },
	};
	Sentinel__Ipc__UplinkDown	 m;
	char				 text[1024], *fix;
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		m = end(rows[i].cause, rows[i].status, rows[i].text);
		cause_text(&m, rows[i].stage, text, sizeof(text));
		if (strncmp(text, rows[i].begin, strlen(rows[i].begin)) != 0)
			fail_msg("row %zu: %s", i, text);
		fix = strstr(text, "; fix: ");
		if ((fix == NULL) != (rows[i].fix == NULL) || (fix != NULL &&
		    strstr(fix, rows[i].fix) == NULL))
			fail_msg("row %zu: %s", i, text);
	}
}

/* What the other end says may be long; what to do is whole all the same. */
static void
test_long(void **state)
{
	Sentinel__Ipc__UplinkDown	 m;
	char				 text[1024], much[2048];

	(void)state;
	memset(much, 'x', sizeof(much));
	much[sizeof(much) - 1] = '\0';
	m = end(CAUSE(EXPIRED), 0, much);
	cause_text(&m, CAUSE_STAGE_DIAL, text, sizeof(text));
	assert_non_null(strstr(text, "dates of the certificate"));
	assert_true(strlen(text) < 512);
}

static void
test_enroll(void **state)
{
	(void)state;
	assert_non_null(strstr(cause_enroll_fix(GRPC_PERMISSION_DENIED,
	    "token expired"), "generate a new token"));
	assert_non_null(strstr(cause_enroll_fix(GRPC_PERMISSION_DENIED,
	    "token already used"), "single-use"));
	assert_non_null(strstr(cause_enroll_fix(GRPC_INVALID_ARGUMENT,
	    "token too short"), "64 hex characters"));
	assert_non_null(strstr(cause_enroll_fix(GRPC_PERMISSION_DENIED,
	    "invalid enrollment token"), "sentinelctl enroll"));
	assert_string_equal(cause_enroll_fix(GRPC_UNAVAILABLE, "busy"), "");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_class),
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_enroll),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
