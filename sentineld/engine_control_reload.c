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

static void	 record(const struct reload_done *);

/* Only the parent reads the configuration: the request goes there. */
void
client_reload(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	reload_request(cl->cl_id, req->uid);
}

/* Who has asked may have gone, and a signal has nobody who waits. */
void
client_reloaded(struct peer *p, struct imsg *imsg)
{
	struct reload_done	 rd;
	struct client		*cl;

	if (reload_done_get(imsg_get_ibuf(imsg), &rd) == -1) {
		peer_broken(p, imsg, "bad RELOAD_DONE");
		return;
	}
	if (rd.rd_rc != RELOAD_BUSY)
		record(&rd);
	if (rd.rd_origin == RELOAD_SIGNAL ||
	    (cl = client_find(imsg_get_id(imsg))) == NULL)
		return;
	switch (rd.rd_rc) {
	case RELOAD_OK:
		client_end(cl, CONTROL_OK, "%s", rd.rd_text);
		break;
	case RELOAD_REFUSED:
		client_end(cl, CONTROL_FAILED, "not reloaded, nothing has "
		    "changed: %s", rd.rd_text);
		break;
	case RELOAD_BUSY:
		client_end(cl, CONTROL_UNREACH, "another reload or a restart "
		    "is under way; try again");
		break;
	}
}

static void
record(const struct reload_done *rd)
{
	char	 by[32];

	/* Only root can signal the parent. */
	if (rd->rd_origin == RELOAD_SIGNAL)
		(void)strlcpy(by, "signal HUP", sizeof(by));
	else
		(void)snprintf(by, sizeof(by), "uid %u", rd->rd_uid);
	if (rd->rd_rc != RELOAD_OK)
		(void)audit_write(by, "config.reload", "configuration",
		    AUDIT_REFUSED, "%s", rd->rd_text);
	else
		(void)audit_write(by, "config.reload", "configuration",
		    AUDIT_OK, "%s%s%s%s", rd->rd_changed[0] != '\0' ?
		    "changed " : "no change", rd->rd_changed,
		    rd->rd_text[0] != '\0' ? "; " : "", rd->rd_text);
}
