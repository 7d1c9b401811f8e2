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

#include "dockerspace.h"

#include <sys/statvfs.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "log.h"

#define SPACE_QUEUE_MAX	32	/* answers that are not read */

static const char	*space_root;

void
dockerspace_init(const char *root)
{
	space_root = root;
}

/* u8 rc, u64 total, u64 available, str directory or why */
void
dockerspace_ask(struct peer *p, struct imsg *imsg)
{
	struct statvfs	 sv = { 0 };
	struct ibuf	*buf;
	char		 text[512];
	bool		 known = false;

	/* One that asks and does not read would have us hold them all. */
	if (imsgbuf_queuelen(&p->pe_ibuf) > SPACE_QUEUE_MAX) {
		peer_broken(p, imsg, "does not read the answers");
		return;
	}
	if (space_root == NULL)
		(void)strlcpy(text, "docker_root is not set", sizeof(text));
	else if (statvfs(space_root, &sv) == -1)
		(void)snprintf(text, sizeof(text), "docker_root: %.400s: %s",
		    space_root, strerror(errno));
	else {
		known = true;
		(void)strlcpy(text, space_root, sizeof(text));
	}
	if ((buf = ibuf_dynamic(64, 600)) == NULL ||
	    ibuf_add_n8(buf, known ? 0 : 1) == -1 ||
	    ibuf_add_n64(buf, known ? (uint64_t)sv.f_blocks * sv.f_frsize :
	    0) == -1 ||
	    ibuf_add_n64(buf, known ? (uint64_t)sv.f_bavail * sv.f_frsize :
	    0) == -1 ||
	    ibuf_add_string(buf, text) == -1)
		fatal("dockerspace_ask");
	peer_send_ibuf(p, IMSG_DOCKER_SPACE, imsg_get_id(imsg), -1, buf);
	ibuf_free(buf);
}
