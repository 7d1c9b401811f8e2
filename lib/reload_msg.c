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

#include "reload.h"

#include <arpa/inet.h>

void
reload_request(uint32_t id, uint32_t uid)
{
	const uint32_t	 body = htonl(uid);

	(void)peer_send(proc_peer(proc_self() == ROLE_ENGINE ? ROLE_PARENT :
	    ROLE_A_PARENT), IMSG_RELOAD_ASK, id, -1, &body, sizeof(body));
}

int
reload_done_get(struct ibuf *buf, struct reload_done *rd)
{
	uint8_t	 rc, origin;

	if (ibuf_get_n8(buf, &rc) == -1 || rc > RELOAD_BUSY ||
	    ibuf_get_n8(buf, &origin) == -1 || origin > RELOAD_ASKED ||
	    ibuf_get_n32(buf, &rd->rd_uid) == -1 ||
	    ibuf_get_string(buf, rd->rd_changed,
	    sizeof(rd->rd_changed)) == -1 ||
	    ibuf_get_string(buf, rd->rd_text, sizeof(rd->rd_text)) == -1 ||
	    ibuf_end(buf) == -1)
		return (-1);
	rd->rd_rc = (enum reload_rc)rc;
	rd->rd_origin = (enum reload_origin)origin;
	return (0);
}
