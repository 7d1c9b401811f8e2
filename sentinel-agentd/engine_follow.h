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

#ifndef ENGINE_FOLLOW_H
#define ENGINE_FOLLOW_H

#include "engine.h"

/*
 * What a FollowLogsRequest begins: the docker process follows the container
 * and, once it has Docker's answer, uplink opens the call, with the stream_id
 * of the request.  Texts go from one to the other, credit back (follow.h).
 * Until the call is open what goes wrong is answered by a FetchLogsResult.
 */
/* The request was verified and is allowed. */
void	 follow_begin(const Sentinel__Cluster__ServerMessage *);
/* refused: why it is not carried out. */
void	 follow_refuse(const Sentinel__Cluster__ServerMessage *,
	    const char *refused);
/* The session has ended, whatever the reason: nobody reads any more. */
void	 follow_session_lost(void);
void	 follow_docker_lost(void);

/* Rows of the handler table: DOCKER_FOLLOWED, UPLINK_FOLLOWED. */
void	 follow_docker(struct peer *, struct imsg *);
void	 follow_uplink(struct peer *, struct imsg *);

#endif /* ENGINE_FOLLOW_H */
