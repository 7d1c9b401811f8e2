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

#ifndef ENGINE_SYNC_H
#define ENGINE_SYNC_H

#include "compat.h"

#include <time.h>

#include "engine.h"

/*
 * What the server says of its own: policies, settings, heartbeats.  Nobody is
 * answered.
 */
/* refuse: why it does not count (unsigned, stale session), or NULL. */
void	 sync_receive(const Sentinel__Cluster__ServerMessage *,
	    const char *refuse);
/* When the last heartbeat of the server came; 0: none since our start. */
time_t	 sync_heard_at(void);
/* Seconds that the server's clock was ahead of ours then; below 0: behind. */
int64_t	 sync_skew_sec(void);

#endif /* ENGINE_SYNC_H */
