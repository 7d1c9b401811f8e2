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

#ifndef BACKOFF_H
#define BACKOFF_H

#include "compat.h"

/*
 * Delay before the next attempt: period, 2 * period, 4 * period ... max.
 * Each delay is drawn from its upper half (d/2 .. d), so that ten thousand
 * agents do not come back in the same second and no wait is longer than the
 * manual says.  The caller owns the struct; there is nothing to free.
 */
struct backoff {
	unsigned int	 bo_period;	/* ms, first delay */
	unsigned int	 bo_max;	/* ms */
	unsigned int	 bo_cur;	/* ms, next delay before jitter */
	unsigned int	 bo_tries;	/* since the last reset */
};

/* period of at least 1 ms; max is raised to period when it is smaller. */
void		 backoff_init(struct backoff *, unsigned int period_msec,
		    unsigned int max_msec);
/* Milliseconds to wait now; the next call gives a longer one. */
unsigned int	 backoff_next(struct backoff *);
/* The attempt succeeded for long enough: start over. */
void		 backoff_reset(struct backoff *);

#endif /* BACKOFF_H */
