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

#ifndef MONOTIME_H
#define MONOTIME_H

#include "compat.h"

#include <sys/time.h>

/*
 * Time that only moves forward: milliseconds of CLOCK_MONOTONIC.  For
 * deadlines and intervals; never stored or sent, since another boot or
 * machine counts from elsewhere.  Plain arithmetic applies.
 */
typedef int64_t monotime_t;

#define MONOTIME_NEVER	INT64_MAX	/* a deadline that does not come */

monotime_t	 monotime_now(void);
/* Milliseconds left until deadline: 0 when passed, at most INT_MAX.  Fits
 * poll(2); MONOTIME_NEVER gives -1. */
int		 monotime_left(monotime_t deadline);
/* For libevent timers. */
struct timeval	 monotime_timeval(uint64_t msec);

#endif /* MONOTIME_H */
