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

#include "compat.h"

#include "h2_int.h"

/*
 * nghttp2 stops floods of PING, SETTINGS and RST_STREAM, but not of empty
 * DATA, PRIORITY, WINDOW_UPDATE, unknown frames or frames of closed streams:
 * each costs us time and the peer nine bytes.  All of them draw on one
 * budget, with prices in h2.h.  nghttp2 has no callback for the frames that
 * it ignores, so the headers are read here.
 */
#define H2_PREFACE_BYTES	24

static int	 h2_frame_price(const struct h2 *);
static void	 h2_budget_refill(struct h2 *, monotime_t);

void
h2_budget_init(struct h2 *h2, monotime_t now)
{
	h2->h2_budget = H2_BUDGET_MAX;
	h2->h2_budget_at = now;
	if (h2->h2_server)
		h2->h2_skip = H2_PREFACE_BYTES;
}

int
h2_budget_scan(struct h2 *h2, const uint8_t *p, size_t len, monotime_t now)
{
	size_t		 n;

	h2_budget_refill(h2, now);
	while (len > 0) {
		n = h2->h2_skip < len ? h2->h2_skip : len;
		h2->h2_skip -= n;
		p += n;
		len -= n;
		while (len > 0 && h2->h2_headlen < sizeof(h2->h2_head)) {
			h2->h2_head[h2->h2_headlen++] = *p++;
			len--;
		}
		if (h2->h2_headlen < sizeof(h2->h2_head))
			break;
		h2->h2_headlen = 0;
		h2->h2_skip = (size_t)h2->h2_head[0] << 16 |
		    (size_t)h2->h2_head[1] << 8 | h2->h2_head[2];
		h2->h2_budget -= h2_frame_price(h2);
	}
	return (h2->h2_budget < 0 ? -1 : 0);
}

static void
h2_budget_refill(struct h2 *h2, monotime_t now)
{
	monotime_t	 msec = now - h2->h2_budget_at;

	h2->h2_budget_at = now;
	if (msec > 1000 * H2_BUDGET_MAX / H2_BUDGET_PER_SEC)
		h2->h2_budget = H2_BUDGET_MAX;
	else
		h2_budget_earn(h2, (int)msec * H2_BUDGET_PER_SEC / 1000);
}

void
h2_budget_earn(struct h2 *h2, int n)
{
	h2->h2_budget += n;
	if (h2->h2_budget > H2_BUDGET_MAX)
		h2->h2_budget = H2_BUDGET_MAX;
}

/* The frame whose header is in h2_head; its length is in h2_skip. */
static int
h2_frame_price(const struct h2 *h2)
{
	uint8_t		 type = h2->h2_head[3], flags = h2->h2_head[4];

	switch (type) {
	case NGHTTP2_DATA:
		if (h2->h2_skip >= H2_FRAME_SMALL)
			return (0);
		if (h2->h2_skip == 0 && !(flags & NGHTTP2_FLAG_END_STREAM))
			return (H2_COST_EMPTY);
		return (H2_COST_SMALL);
	case NGHTTP2_HEADERS:
	case NGHTTP2_CONTINUATION:
	case NGHTTP2_GOAWAY:
		return (H2_COST_SMALL);
	case NGHTTP2_PING:
		/* The answer to ours is what we asked for. */
		if ((flags & NGHTTP2_FLAG_ACK) && h2->h2_ping_fn != NULL)
			return (H2_COST_SMALL);
		return (H2_COST_EMPTY);
	default:
		return (H2_COST_EMPTY);
	}
}
