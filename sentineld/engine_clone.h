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

#ifndef ENGINE_CLONE_H
#define ENGINE_CLONE_H

#include "compat.h"

#include "engine.h"

/*
 * Two machines with one identity, such as two copies of a virtual machine:
 * each new stream of the one takes the place of the other's, for ever.  It is
 * a clone when a certificate's stream changes between the same two addresses
 * CLONE_SWITCHES times within CLONE_WINDOW_MSEC, and each time the stream that
 * was there was still open and had been heard within CLONE_ANSWER_MSEC.
 *
 * An agent that moves (laptop, failover, another way out of a NAT) closes its
 * old stream before it opens a new one, or notices later than that that the
 * old one is dead; one that reconnects quickly comes from the same address,
 * or from a network (IPv6 /64), whatever its port is.
 */
#define CLONE_SWITCHES		3
#define CLONE_WINDOW_MSEC	(10 * 60 * 1000)
#define CLONE_ANSWER_MSEC	10000

/* A stream from address is about to take the place of old: true, it is one
 * switch too many. */
bool	 clone_switched(struct host *, const struct session *old,
	    const char *address, const char *serial, monotime_t now);
/*
 * Nobody with this certificate may connect until an operator says so: the
 * streams end, the reason is on disk, in log, event and audit trail.  0, or -1
 * (logged): nothing has changed.
 */
int	 host_freeze(struct host *, const char *one, const char *other);
/* 0 (also when it is not frozen), -1 as above. */
int	 host_unfreeze(struct host *, const char *by);

#endif /* ENGINE_CLONE_H */
