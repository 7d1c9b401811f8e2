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
 * DATA, PRIORITY, WINDOW_UPDATE or unknown frames: each costs us time and the
 * peer nine bytes.  All of them draw on one budget, with prices in h2.h.
 */
static int	 h2_frame_price(const struct h2 *, const nghttp2_frame_hd *);

void
h2_budget_init(struct h2 *h2, monotime_t now)
{
	h2->h2_budget = H2_BUDGET_MAX;
	h2->h2_budget_at = now;
}

int
h2_budget_charge(struct h2 *h2, const nghttp2_frame_hd *hd, monotime_t now)
{
	monotime_t	 msec = now - h2->h2_budget_at;
	int		 price;

	if ((price = h2_frame_price(h2, hd)) == 0)
		return (0);
	/* Whole grains only, or many short intervals would round to nothing. */
	if (msec >= 10) {
		h2->h2_budget_at = now;
		if (msec > 1000 * H2_BUDGET_MAX / H2_BUDGET_PER_SEC)
			h2->h2_budget = H2_BUDGET_MAX;
		else
			h2_budget_earn(h2,
			    (int)msec * H2_BUDGET_PER_SEC / 1000);
	}
	h2->h2_budget -= price;
	return (h2->h2_budget < 0 ? -1 : 0);
}

void
h2_budget_earn(struct h2 *h2, int n)
{
	h2->h2_budget += n;
	if (h2->h2_budget > H2_BUDGET_MAX)
		h2->h2_budget = H2_BUDGET_MAX;
}

static int
h2_frame_price(const struct h2 *h2, const nghttp2_frame_hd *hd)
{
	switch (hd->type) {
	case NGHTTP2_DATA:
		if (hd->length >= H2_FRAME_SMALL)
			return (0);
		if (hd->length == 0 && !(hd->flags & NGHTTP2_FLAG_END_STREAM))
			return (H2_COST_EMPTY);
		return (H2_COST_SMALL);
	case NGHTTP2_HEADERS:
	case NGHTTP2_CONTINUATION:
	case NGHTTP2_GOAWAY:
		return (H2_COST_SMALL);
	case NGHTTP2_PING:
		/* The answer to ours is what we asked for. */
		if ((hd->flags & NGHTTP2_FLAG_ACK) && h2->h2_ping_fn != NULL)
			return (H2_COST_SMALL);
		return (H2_COST_EMPTY);
	default:
		return (H2_COST_EMPTY);
	}
}
