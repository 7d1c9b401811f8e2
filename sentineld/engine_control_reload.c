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

#include <stdio.h>
#include <string.h>

#include "engine_audit.h"
#include "log.h"
#include "reload.h"

/* Only the parent reads the configuration: the request goes there. */
static struct {
	uint32_t	 id;
	uint32_t	 uid;
} asked;

void
client_reload(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	asked.id = cl->cl_id;
	asked.uid = req->uid;
	(void)peer_send(proc_peer(ROLE_PARENT), IMSG_RELOAD_ASK, cl->cl_id,
	    -1, NULL, 0);
}

/* u8 rc, str text */
void
client_reloaded(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	struct client	*cl;
	char		 text[RELOAD_TEXT_SIZE], by[32];
	uint8_t		 rc;

	if (ibuf_get_n8(buf, &rc) == -1 || rc > RELOAD_BUSY ||
	    ibuf_get_string(buf, text, sizeof(text)) == -1 ||
	    ibuf_end(buf) == -1) {
		peer_broken(p, imsg, "bad RELOAD_DONE");
		return;
	}
	if (rc != RELOAD_BUSY && imsg_get_id(imsg) == asked.id) {
		(void)snprintf(by, sizeof(by), "uid %u", asked.uid);
		(void)audit_write(by, "config.reload", "configuration",
		    rc == RELOAD_OK ? AUDIT_OK : AUDIT_REFUSED, "%s", text);
	}
	if ((cl = client_find(imsg_get_id(imsg))) == NULL)
		return;
	switch (rc) {
	case RELOAD_OK:
		client_end(cl, CONTROL_OK, "%s", text);
		break;
	case RELOAD_REFUSED:
		client_end(cl, CONTROL_FAILED, "not reloaded, nothing has "
		    "changed: %s", text);
		break;
	default:
		client_end(cl, CONTROL_UNREACH, "another reload or a restart "
		    "is under way; try again");
		break;
	}
}
