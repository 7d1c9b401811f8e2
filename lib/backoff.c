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

#include <limits.h>
#include <stdlib.h>

#include "backoff.h"

void
backoff_init(struct backoff *bo, unsigned int period, unsigned int max)
{
	bo->bo_period = period > 0 ? period : 1;
	bo->bo_max = max > bo->bo_period ? max : bo->bo_period;
	backoff_reset(bo);
}

unsigned int
backoff_next(struct backoff *bo)
{
	unsigned int	 d = bo->bo_cur;

	bo->bo_cur = d > bo->bo_max / 2 ? bo->bo_max : d * 2;
	if (bo->bo_tries < UINT_MAX)
		bo->bo_tries++;
	return (d - arc4random_uniform(d / 2 + 1));
}

void
backoff_reset(struct backoff *bo)
{
	bo->bo_cur = bo->bo_period;
	bo->bo_tries = 0;
}
