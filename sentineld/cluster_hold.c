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

#include "cluster.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "crashpage.h"
#include "log.h"

/*
 * Whom we are working for, noted where the parent finds it should we crash;
 * and who did it before, and is refused for a while.
 */
struct held {
	enum hold_kind	 hd_kind;
	char		 hd_key[64];	/* 16 bytes of address, or host id */
	monotime_t	 hd_until;
};

static bool	 is_held(enum hold_kind, const void *, size_t);

static struct held	table[HOLD_MAX];
static size_t		nheld;

/* empty, descriptor */
void
cluster_hold_page(struct peer *p, struct imsg *imsg)
{
	int	 fd;

	if ((fd = imsg_get_fd(imsg)) == -1)
		peer_broken(p, imsg, "descriptor lost");
	else if (crashpage_attach(fd) == -1)
		log_warn("crash page: nobody will be noted");
}

/* u8 kind, bytes key, u32 milliseconds */
void
cluster_hold_take(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	struct held	*hd = &table[nheld];
	const uint8_t	*key;
	uint32_t	 msec;
	uint8_t		 kind;
	size_t		 len;

	if (ibuf_get_n8(buf, &kind) == -1 ||
	    (kind != HOLD_ADDRESS && kind != HOLD_HOST) ||
	    ibuf_get_bytes(buf, sizeof(hd->hd_key), &key, &len) == -1 ||
	    (kind == HOLD_ADDRESS) != (len == 16) ||
	    ibuf_get_n32(buf, &msec) == -1 || ibuf_end(buf) == -1 ||
	    nheld == HOLD_MAX) {
		peer_broken(p, imsg, "bad CLUSTER_HOLD");
		return;
	}
	memset(hd, 0, sizeof(*hd));
	hd->hd_kind = (enum hold_kind)kind;
	memcpy(hd->hd_key, key, len);
	hd->hd_until = monotime_now() + msec;
	nheld++;
}

static bool
is_held(enum hold_kind kind, const void *key, size_t len)
{
	monotime_t	 now;
	size_t		 i;

	if (nheld == 0)
		return (false);
	now = monotime_now();
	for (i = 0; i < nheld; i++) {
		if (table[i].hd_kind == kind && now < table[i].hd_until &&
		    memcmp(table[i].hd_key, key, len) == 0)
			return (true);
	}
	return (false);
}

bool
cluster_hold_address(const struct cluster_conn *conn)
{
	return (is_held(HOLD_ADDRESS, conn->cn_net, sizeof(conn->cn_net)));
}

bool
cluster_hold_host(const struct cluster_conn *conn)
{
	const char	*cn = conn->cn_facts.xf_cn;
	size_t		 len = strlen(cn);

	return (len < sizeof(table[0].hd_key) &&
	    is_held(HOLD_HOST, cn, len + 1));
}

bool
cluster_hold_enter(const struct cluster_conn *conn)
{
	return (crashpage_enter(conn->cn_address, conn->cn_cert ?
	    conn->cn_facts.xf_cn : NULL));
}

/* Of its stream.  arg is NULL at the end: the connection may be gone. */
void
cluster_hold_guard(void *arg, bool in)
{
	struct cluster_conn	*conn = arg;

	if (in) {
		conn->cn_round = clu->round;
		(void)cluster_hold_enter(conn);
	} else
		crashpage_leave();
}
