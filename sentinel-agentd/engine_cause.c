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

#include "engine_cause.h"

#include <stdio.h>
#include <string.h>

#include "grpc.h"

/*
 * The words of the page come first and stay as they are there: operators
 * search for them.  What the other end said is in the middle and may be cut;
 * what to do is always whole.
 */
#define CAUSE(x)	SENTINEL__IPC__UPLINK_DOWN__CAUSE__##x
#define FACTS_MAX	300

static bool	 is_certificate_alert(const char *);
static bool	 is_about_time(const char *);
static const char *phrase(const Sentinel__Ipc__UplinkDown *,
		    enum cause_stage);
static const char *fix(const Sentinel__Ipc__UplinkDown *, enum cause_stage);

/* A foreign server says in its last bytes of TLS what it thinks of our
 * certificate, and nothing else; they come after its own proof. */
static bool
is_certificate_alert(const char *text)
{
	return (strcasestr(text, "alert") != NULL &&
	    (strcasestr(text, "certificate") != NULL ||
	    strcasestr(text, "unknown ca") != NULL));
}

/* It ended with its certificate and may come again, or a clock is wrong. */
static bool
is_about_time(const char *text)
{
	return (strstr(text, "connect again") != NULL ||
	    strstr(text, "not valid yet") != NULL);
}

enum cause_class
cause_class(const Sentinel__Ipc__UplinkDown *m)
{
	switch (m->cause) {
	case CAUSE(LOCAL):
		return (CAUSE_CLASS_LOCAL);
	case CAUSE(CA_MISMATCH):
		return (CAUSE_CLASS_FOREIGN);
	case CAUSE(TLS):
		return (is_certificate_alert(m->text) ? CAUSE_CLASS_REFUSED :
		    CAUSE_CLASS_NETWORK);
	case CAUSE(REFUSED):
	case CAUSE(ENDED):
		/* The certificate, not the host; a new one would not help. */
		if (is_about_time(m->text))
			return (CAUSE_CLASS_NETWORK);
		if (m->status == GRPC_PERMISSION_DENIED ||
		    m->status == GRPC_NOT_FOUND ||
		    m->status == GRPC_UNAUTHENTICATED)
			return (CAUSE_CLASS_REFUSED);
		return (CAUSE_CLASS_NETWORK);
	default:
		return (CAUSE_CLASS_NETWORK);
	}
}

static const char *
phrase(const Sentinel__Ipc__UplinkDown *m, enum cause_stage stage)
{
	switch (m->cause) {
	case CAUSE(NETWORK):
		if (stage == CAUSE_STAGE_SESSION)
			return ("transport is closing: ");
		if (strstr(m->text, "onnection refused") != NULL)
			return ("connection refused: ");
		return ("");
	case CAUSE(TLS):
	case CAUSE(EXPIRED):
	case CAUSE(NOT_YET_VALID):
	case CAUSE(PURPOSE):
	case CAUSE(NAME):
		return ("TLS handshake failure: ");
	case CAUSE(REFUSED):
	case CAUSE(ENDED):
		if (m->status == GRPC_NOT_FOUND)
			return ("host not registered: ");
		if (strstr(m->text, "clock skew") != NULL)
			return ("TLS handshake failure: ");
		return ("");
	default:
		return ("");
	}
}

static const char *
fix(const Sentinel__Ipc__UplinkDown *m, enum cause_stage stage)
{
	switch (m->cause) {
	case CAUSE(NETWORK):
		/* A TLS library that says nothing when it refuses one. */
		if (stage == CAUSE_STAGE_REPORT)
			return ("; that was after it had seen this host's "
			    "certificate; fix: verify that the system clocks "
			    "are synchronised (NTP) and the dates of the "
			    "certificate; if it was revoked or has expired, "
			    "re-enroll with a new token");
		if (stage == CAUSE_STAGE_SESSION)
			return ("; fix: check firewalls, MTU, and connectivity "
			    "between this agent and the server");
		if (strstr(m->text, "onnection refused") != NULL)
			return ("; fix: verify that the server runs with "
			    "SENTINEL_CLUSTER=true (server.cluster.enabled) "
			    "and that the port is its "
			    "SENTINEL_CLUSTER_PORT");
		return ("");
	case CAUSE(EXPIRED):
	case CAUSE(NOT_YET_VALID):
		return ("; fix: verify that the system clocks of both ends are "
		    "synchronised (NTP), then the dates of the certificate");
	case CAUSE(TLS):
		if (is_certificate_alert(m->text))
			return ("; fix: the server does not take this host's "
			    "certificate: verify that the system clocks are "
			    "synchronised (NTP); if it was revoked or has "
			    "expired, re-enroll with a new token");
		return ("; fix: verify that the system clocks are "
		    "synchronised (NTP), check the validity dates of the "
		    "certificates, and that it is a Sentinel server which "
		    "answers there");
	case CAUSE(REFUSED):
	case CAUSE(ENDED):
		if (strstr(m->text, "not valid yet") != NULL ||
		    strstr(m->text, "clock skew") != NULL)
			return ("; fix: verify that the system clocks of both "
			    "ends are synchronised (NTP); if the certificate "
			    "has really expired, re-enroll with a new token "
			    "(sentinelctl enroll)");
		if (m->status == GRPC_NOT_FOUND ||
		    strstr(m->text, "revoked") != NULL)
			return ("; fix: re-enroll with a new token "
			    "(sentinelctl enroll)");
		return ("");
	default:
		return ("");
	}
}

void
cause_text(const Sentinel__Ipc__UplinkDown *m, enum cause_stage stage,
    char *text, size_t size)
{
	(void)snprintf(text, size, "%s%s%.*s%s",
	    stage == CAUSE_STAGE_SESSION ? "disconnected: " : "",
	    phrase(m, stage), FACTS_MAX, m->text, fix(m, stage));
}

const char *
cause_enroll_fix(uint32_t status, const char *text)
{
	if (strstr(text, "expired") != NULL)
		return ("; fix: generate a new token (sentinelctl token "
		    "create on the server)");
	if (strstr(text, "already used") != NULL)
		return ("; fix: each token is single-use: generate a new one "
		    "(sentinelctl token create on the server)");
	if (strstr(text, "too short") != NULL)
		return ("; fix: tokens are 64 hex characters: verify that the "
		    "full token was copied");
	if (status == GRPC_INVALID_ARGUMENT ||
	    status == GRPC_PERMISSION_DENIED ||
	    status == GRPC_UNAUTHENTICATED)
		return ("; fix: generate a new token (sentinelctl token create "
		    "on the server) and give it to \"sentinelctl enroll "
		    "--token -\" here");
	return ("");
}
