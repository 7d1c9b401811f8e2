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

#ifndef TCPALIVE_H
#define TCPALIVE_H

#include "compat.h"

/*
 * Whether the other end of a TCP connection is still there, as the kernel
 * sees it.  Keepalive probes only run while nothing is unacknowledged and
 * TCP_USER_TIMEOUT counts only from then on, so that together they may need
 * twice their time: the silence itself is what tells.
 */
#define TCPALIVE_PROBES		3

/*
 * The options of a connection that must be missed after limit_msec: no delay,
 * probes often enough that a living peer is heard at least twice within that
 * time.  What the system refuses is logged for debugging, no more.
 */
void	 tcpalive_set(int fd, unsigned int limit_msec);
/* Milliseconds since the peer acknowledged or sent anything; -1: the system
 * does not tell. */
int	 tcpalive_silence(int fd);

#endif /* TCPALIVE_H */
