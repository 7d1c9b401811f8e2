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

#include <stdio.h>
#include <string.h>

#include "pbcheck.h"

/*
 * A command counts only as the server's engine made it: who owns its cluster
 * process can send any bytes but cannot sign.  Nothing of the body is looked
 * at before the signature holds.
 */
static enum verify_verdict open_message(const Sentinel__Cluster__CommandBody *,
		    struct pbmem *, Sentinel__Cluster__ServerMessage **,
		    char *, size_t);

enum verify_verdict
verify_command(const struct verify_facts *vf,
    const Sentinel__Cluster__SignedCommand *cmd, struct pbmem *pm,
    Sentinel__Cluster__ServerMessage **message, char *why, size_t whylen)
{
	Sentinel__Cluster__CommandBody	*body;
	struct x509_result		 xr;
	enum verify_verdict		 verdict;
	const char			*fault;

	*message = NULL;
	if (!x509_check_command(vf->vf_ca, vf->vf_calen,
	    cmd->certificate.data, cmd->certificate.len, cmd->body.data,
	    cmd->body.len, cmd->signature.data, cmd->signature.len,
	    vf->vf_now, &xr)) {
		(void)strlcpy(why, xr.xr_text, whylen);
		return (VERIFY_FORGED);
	}
	body = pbcheck_unpack(&sentinel__cluster__command_body__descriptor,
	    cmd->body.data, cmd->body.len, pm, &fault);
	if (body == NULL) {
		(void)strlcpy(why, fault, whylen);
		return (VERIFY_BROKEN);
	}
	if (strcmp(body->host_id, vf->vf_host) != 0) {
		(void)snprintf(why, whylen, "signed for host %s",
		    body->host_id);
		return (VERIFY_FOREIGN);
	}
	verdict = open_message(body, pm, message, why, whylen);
	if (verdict != VERIFY_OK)
		return (verdict);
	if (body->session_nonce.len != 16 ||
	    memcmp(body->session_nonce.data, vf->vf_nonce, 16) != 0) {
		(void)strlcpy(why, "stale session", whylen);
		return (VERIFY_STALE);
	}
	return (VERIFY_OK);
}

static enum verify_verdict
open_message(const Sentinel__Cluster__CommandBody *body, struct pbmem *pm,
    Sentinel__Cluster__ServerMessage **message, char *why, size_t whylen)
{
	Sentinel__Cluster__ServerMessage	*m;
	const char				*fault;

	m = pbcheck_unpack(&sentinel__cluster__server_message__descriptor,
	    body->message.data, body->message.len, pm, &fault);
	if (m == NULL) {
		(void)strlcpy(why, fault, whylen);
		return (VERIFY_BROKEN);
	}
	if (m->payload_case ==
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_SIGNED_COMMAND) {
		(void)strlcpy(why, "a signed command inside of another",
		    whylen);
		return (VERIFY_BROKEN);
	}
	if (m->request_id[0] != '\0' &&
	    strcmp(m->request_id, body->request_id) != 0) {
		(void)strlcpy(why, "two request ids", whylen);
		return (VERIFY_BROKEN);
	}
	m->request_id = body->request_id;
	*message = m;
	return (VERIFY_OK);
}
