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

#include "engine.h"

#include "grpc.h"

/*
 * TLS has verified the chain but not the time (the server's context says so,
 * tlsconf.h), so that an expired certificate can be told what is wrong.
 * The texts are in sentinel-protocol(7).
 */
void
peer_gate(const Sentinel__Ipc__AgentOpen *open, const struct host *h,
    int is_revoked, int64_t now, struct gate_answer *ga)
{
	/* A removed one's serial is revoked too: the tombstone knows better. */
	bool	 ended = h != NULL && h->h_state == HOST_DECOMMISSIONED;

	if (open->host_id[0] == '\0') {
		ga->ga_verdict = GATE_NO_NAME;
		ga->ga_status = GRPC_UNAUTHENTICATED;
		ga->ga_text = "no valid client certificate: client "
		    "certificate CN is empty";
	} else if (!ended && is_revoked == -1) {
		/* Fails closed. */
		ga->ga_verdict = GATE_REVOKED;
		ga->ga_status = GRPC_INTERNAL;
		ga->ga_text = "revocation check unavailable";
	} else if (ended ? h->h_end == HOST_REVOKED : is_revoked == 1) {
		ga->ga_verdict = GATE_REVOKED;
		ga->ga_status = GRPC_PERMISSION_DENIED;
		ga->ga_text = GATE_TEXT_REVOKED;
	} else if (ended || h == NULL || h->h_local) {
		ga->ga_verdict = GATE_UNKNOWN;
		ga->ga_status = GRPC_NOT_FOUND;
		ga->ga_text = GATE_TEXT_UNKNOWN;
	} else if (now > open->not_after) {
		ga->ga_verdict = GATE_EXPIRED;
		ga->ga_status = GRPC_PERMISSION_DENIED;
		ga->ga_text = "certificate has expired: enrol again with a "
		    "new token";
	} else if (now < open->not_before) {
		ga->ga_verdict = GATE_NOT_YET;
		ga->ga_status = GRPC_PERMISSION_DENIED;
		ga->ga_text = "certificate is not valid yet: check the clock "
		    "of this host and of the server";
	} else {
		ga->ga_verdict = GATE_OK;
		ga->ga_status = GRPC_OK;
		ga->ga_text = "";
	}
}
