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

#include "engine.h"

/*
 * What agents are told without having asked: PolicySync, SettingsSync and
 * heartbeats.  Policies and settings go out when a Channel opens and when they
 * change; changes that come fast go together.  A session whose queue is full
 * gets the newest when there is room again: what is due is never lost while
 * it lasts, and comes anew with the next one.
 */
#define SYNC_WAIT_MSEC		100	/* changes within it go together */
#define SYNC_BATCH		64	/* messages, then others have a turn */
#define SYNC_PIECE_MSEC		10
#define SYNC_RETRY_MSEC		500	/* first back-off of a session */
#define SYNC_RETRY_MAX_MSEC	10000

/* A Channel has opened. */
void	 sync_session(struct session *);
void	 sync_settings(void);
/* Policies of a host, or with NULL of all. */
void	 sync_policies(struct host *);
/* Timer: heartbeats. */
void	 sync_tick(void);

#endif /* ENGINE_SYNC_H */
