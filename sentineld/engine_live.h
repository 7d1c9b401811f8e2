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

/*
 * The live view of the containers: changes as they come, of agents
 * (ContainerDelta) and of this machine's docker process (DOCKER_DELTA).  Each
 * is an event "container_state" for who follows.  An agent says with every
 * heartbeat what its list's hash is; one that differs from ours means that
 * something was lost, and a whole list is asked for.
 */
#define LIVE_HEAL_MSEC		2000	/* first wait, then twice as long */
#define LIVE_HEAL_MAXMSEC	600000

/* One that starts and dies for ever leaves half of a host's events to what
 * else there is to tell. */
#define LIVE_EVENTS_BURST	(HOST_EVENTS_BURST / 2)
#define LIVE_EVENTS_MSEC	(HOST_EVENTS_MSEC * 2)

/* The list needs no refresh to be shown. */
bool	 live_is_fresh(const struct host *);
void	 live_delta(struct session *,
	    const Sentinel__Cluster__ContainerDelta *);
void	 live_heartbeat(struct session *,
	    const Sentinel__Cluster__Heartbeat *);
/* One container as it is now; NULL: it is gone. */
void	 live_apply(struct host *, const char *id,
	    const Sentinel__Cluster__ContainerInfo *);

/* --- engine_local.c ------------------------------------------------------ */
/* DOCKER_DELTA and DOCKER_STALE. */
void	 local_delta(struct peer *, struct imsg *);
void	 local_stale(struct peer *, struct imsg *);

#endif /* ENGINE_LIVE_H */
