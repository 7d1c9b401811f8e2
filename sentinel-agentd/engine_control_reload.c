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

#include "engine_client.h"

#include "reload.h"

/* Only the parent reads the configuration: the request goes there. */
void
client_reload(uint32_t id, const Sentinel__Ipc__ControlRequest *req)
{
	reload_request(id, req->uid);
}

void
client_reloaded(struct peer *p, struct imsg *imsg)
{
	struct reload_done	 rd;

	if (reload_done_get(imsg_get_ibuf(imsg), &rd) == -1) {
		peer_broken(p, imsg, "bad RELOAD_DONE");
		return;
	}
	/* The log has it; the audit trail is the server's. */
	if (rd.rd_origin == RELOAD_SIGNAL)
		return;
	switch (rd.rd_rc) {
	case RELOAD_OK:
		client_end(imsg_get_id(imsg), CONTROL_OK, "%s", rd.rd_text);
		break;
	case RELOAD_REFUSED:
		client_end(imsg_get_id(imsg), CONTROL_FAILED, "not reloaded, "
		    "nothing has changed: %s", rd.rd_text);
		break;
	case RELOAD_BUSY:
		client_end(imsg_get_id(imsg), CONTROL_UNREACH, "another "
		    "reload or a restart is under way; try again");
		break;
	}
}
