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

#include "engine_renew.h"

#include "log.h"

/* A renewal's messages to the parent and its answers. */

/* u8 over the new key, bytes leaf PEM */
void
renew_tell_stage(const uint8_t *cert, size_t len, bool is_fresh)
{
	struct ibuf	*buf;

	if ((buf = ibuf_dynamic(len + 3, 16384)) == NULL ||
	    ibuf_add_n8(buf, is_fresh) == -1 ||
	    ibuf_add_bytes(buf, cert, len) == -1)
		fatal("IDENTITY_STAGE");
	peer_send_ibuf(proc_peer(ROLE_A_PARENT), IMSG_IDENTITY_STAGE, 0, -1,
	    buf);
	ibuf_free(buf);
}

/* u8 1: the new pair becomes ours, 0: it goes */
void
renew_tell_settle(bool keep)
{
	uint8_t	 body = keep;

	peer_send(proc_peer(ROLE_A_PARENT), IMSG_IDENTITY_SETTLE, 0, -1,
	    &body, sizeof(body));
}

/* u8 rc, str why */
bool
renew_heard(struct peer *p, struct imsg *imsg, unsigned int *owed,
    uint8_t *rc, char why[RENEW_WHY_SIZE])
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);

	if (ibuf_get_n8(buf, rc) == -1 ||
	    ibuf_get_string(buf, why, RENEW_WHY_SIZE) == -1 ||
	    ibuf_end(buf) == -1 || *owed == 0) {
		peer_broken(p, imsg, "unexpected answer about a certificate");
		return (false);
	}
	(*owed)--;
	return (true);
}
