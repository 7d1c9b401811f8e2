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

#ifndef ENGINE_LIVE_H
#define ENGINE_LIVE_H

#include "compat.h"

#include "engine.h"
#include "listhash.h"

/*
 * The live view: what the docker process says changed goes into the list, to
 * the server as a ContainerDelta (one for what comes within LIVE_MSEC, or a
 * whole list where the server lacks the word), and offline to the journal.
 */
#define LIVE_MSEC	50
#define LIVE_CHANGED_MAX 256	/* in one delta; more: a list */

/* --- engine_live.c ------------------------------------------------------- */
void	 live_init(void);
/* DOCKER_DELTA and DOCKER_STALE. */
void	 live_delta(struct peer *, struct imsg *);
void	 live_stale(struct peer *, struct imsg *);
/* What waits goes out before hb does; hash lives as long as hb. */
void	 live_heartbeat(Sentinel__Cluster__Heartbeat *hb,
	    uint8_t hash[LISTHASH_LEN]);

/* --- engine_list.c ------------------------------------------------------- */
/* Changes may have been missed: a new list. */
void	 list_stale(void);
/* Puts one container in, over the old one; NULL takes it out.  False: nothing
 * has changed by it. */
bool	 list_apply(const char *id, const Sentinel__Cluster__ContainerInfo *);
/* One of the list, packed; NULL: there is none. */
const uint8_t *list_lend(const char *id, size_t *len);
/* Of the whole list; false: it is not live, or not whole. */
bool	 list_hash(uint8_t sum[LISTHASH_LEN]);

/* --- engine_offline.c ---------------------------------------------------- */
/* A container was through this; journaled where the server will not see it.
 * nsec: since 1970, 0 now. */
void	 offline_event(const char *name, const char *action, int64_t nsec);

#endif /* ENGINE_LIVE_H */
