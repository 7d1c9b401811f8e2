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

#ifndef LISTHASH_H
#define LISTHASH_H

#include "compat.h"

#include "sentinel.pb-c.h"

/*
 * The hash of a list of containers (Heartbeat.list_hash), by which a server
 * sees that it missed a change.  Of each container SHA-256 over
 *	id NUL name NUL image NUL image_digest NUL state NUL health NUL
 * and of the list the exclusive or of these, so that the order does not count
 * and one container can be taken out again.  Labels never change in the life
 * of a container, and ports not without its state.
 */
#define LISTHASH_LEN	32

void	 listhash_of(const Sentinel__Cluster__ContainerInfo *,
	    uint8_t hash[LISTHASH_LEN]);
/* Puts one in, or takes it out again. */
void	 listhash_toggle(uint8_t sum[LISTHASH_LEN],
	    const uint8_t hash[LISTHASH_LEN]);

#endif /* LISTHASH_H */
