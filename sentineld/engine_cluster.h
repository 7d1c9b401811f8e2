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

#ifndef ENGINE_CLUSTER_H
#define ENGINE_CLUSTER_H

#include "crashpage.h"
#include "engine.h"

/*
 * The cluster process as its engine sees it: it may die and come back, and
 * somebody may be to blame.  An address or host whose bytes cluster was
 * working on when it crashed is held off for ec_hold_off_msec, twice as long
 * each time it happens again.  cluster is told before it gets its identity,
 * and so before it accepts anybody.
 */
#define HOLD_LONGEST_MSEC	3600000
#define HOLD_FORGET_MSEC	3600000	/* good conduct after its end */

void	 cluster_lost(struct peer *);
void	 cluster_up(struct peer *);
/* Row of the handler table: CLUSTER_DIED, from the parent. */
void	 cluster_died(struct peer *, struct imsg *);

/* Times that an address or host was held off and is remembered for; 0: not
 * at all. */
unsigned int	 hold_count(enum hold_kind, const char *address_or_host);

#endif /* ENGINE_CLUSTER_H */
