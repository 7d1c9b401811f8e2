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

#include "engine_enroll.h"

#include <stdio.h>
#include <string.h>

#include "engine_identity.h"
#include "grpc.h"

/*
 * TLS has verified the chain but not the time (the server's context says so,
 * tlsconf.h), so that an expired certificate can be told what is wrong, and
 * may renew.  The texts are in sentinel-protocol(7).
 */
static void	 answer(struct gate_answer *, enum gate_verdict, uint32_t,
		    const char *);
static bool	 is_older(const Sentinel__Ipc__AgentOpen *,
		    const struct host *);
static void	 judge_time(const Sentinel__Ipc__AgentOpen *,
		    const struct host *, int64_t, int64_t,
		    struct gate_answer *);
static const char *span(char *, size_t, int64_t);

static void
answer(struct gate_answer *ga, enum gate_verdict verdict, uint32_t status,
    const char *text)
{
	ga->ga_verdict = verdict;
	ga->ga_status = status;
	(void)strlcpy(ga->ga_text, text, sizeof(ga->ga_text));
}

void
peer_gate(const Sentinel__Ipc__AgentOpen *open, const struct host *h,
    int is_revoked, int64_t now, int64_t grace, struct gate_answer *ga)
{
	/* A removed one's serial is revoked too: the tombstone knows better. */
	bool	 ended = h != NULL && h->h_state == HOST_DECOMMISSIONED;

	if (open->host_id[0] == '\0')
		answer(ga, GATE_NO_NAME, GRPC_UNAUTHENTICATED, "no valid "
		    "client certificate: client certificate CN is empty");
	else if (!ended && is_revoked == -1)
		/* Fails closed. */
		answer(ga, GATE_REVOKED, GRPC_INTERNAL, "revocation check "
		    "unavailable");
	else if (ended ? h->h_end == HOST_REVOKED : is_revoked == 1)
		answer(ga, GATE_REVOKED, GRPC_PERMISSION_DENIED,
		    GATE_TEXT_REVOKED);
	else if (ended || h == NULL || h->h_local)
		answer(ga, GATE_UNKNOWN, GRPC_NOT_FOUND, GATE_TEXT_UNKNOWN);
	else if (is_older(open, h))
		/* Of the machine that this one has replaced. */
		answer(ga, GATE_REVOKED, GRPC_PERMISSION_DENIED,
		    GATE_TEXT_REVOKED);
	else if (h->h_frozen[0] != '\0' &&
	    !redeem_takes_over(h, open->serial))
		/* What replaces it has a key of its own. */
		answer(ga, GATE_FROZEN, GRPC_PERMISSION_DENIED,
		    GATE_TEXT_FROZEN);
	else
		judge_time(open, h, now, grace, ga);
}

/*
 * Not one of those in its record, which are revoked one by one, and issued
 * before it enrolled: renewals that nobody had used have left the record.
 */
static bool
is_older(const Sentinel__Ipc__AgentOpen *open, const struct host *h)
{
	return (strcmp(open->serial, h->h_serial) != 0 &&
	    strcmp(open->serial, h->h_pending.hc_serial) != 0 &&
	    !redeem_takes_over(h, open->serial) &&
	    identity_issued(open->not_before, open->not_after) <
	    h->h_enrolled_at);
}

/*
 * How far off it is says which it is: a clock that was never set is off by
 * years, a wrong time zone by hours, a forgotten host by its own absence.
 */
static void
judge_time(const Sentinel__Ipc__AgentOpen *open, const struct host *h,
    int64_t now, int64_t grace, struct gate_answer *ga)
{
	char	 ago[32];

	if (now < open->not_before) {
		answer(ga, GATE_NOT_YET, GRPC_PERMISSION_DENIED, "");
		(void)snprintf(ga->ga_text, sizeof(ga->ga_text), "certificate "
		    "is not valid yet (clock skew of %s?): check the clock of "
		    "this host and of the server", span(ago, sizeof(ago),
		    open->not_before - now));
		return;
	}
	if (now <= open->not_after) {
		answer(ga, GATE_OK, GRPC_OK, "");
		return;
	}
	(void)span(ago, sizeof(ago), now - open->not_after);
	/* One that is not in the record has been replaced long ago. */
	if (now - open->not_after <= grace &&
	    (strcmp(open->serial, h->h_serial) == 0 ||
	    strcmp(open->serial, h->h_pending.hc_serial) == 0)) {
		answer(ga, GATE_RENEW, GRPC_OK, "");
		(void)snprintf(ga->ga_text, sizeof(ga->ga_text), "certificate "
		    "has expired %s ago: it may only be renewed", ago);
		return;
	}
	answer(ga, GATE_EXPIRED, GRPC_PERMISSION_DENIED, "");
	(void)snprintf(ga->ga_text, sizeof(ga->ga_text), "certificate has "
	    "expired %s ago (or clock skew of %s?): enrol again with a new "
	    "token", ago, ago);
}

/* The two largest units: "3h12m". */
static const char *
span(char *buf, size_t len, int64_t sec)
{
	if (sec >= 86400)
		(void)snprintf(buf, len, "%lldd%lldh",
		    (long long)(sec / 86400), (long long)(sec % 86400 / 3600));
	else if (sec >= 3600)
		(void)snprintf(buf, len, "%lldh%lldm",
		    (long long)(sec / 3600), (long long)(sec % 3600 / 60));
	else if (sec >= 60)
		(void)snprintf(buf, len, "%lldm%llds",
		    (long long)(sec / 60), (long long)(sec % 60));
	else
		(void)snprintf(buf, len, "%llds", (long long)sec);
	return (buf);
}
