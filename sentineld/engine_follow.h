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

#include "engine_client.h"

/*
 * container logs -f: a client, a container, and where its output comes from:
 * a FollowLogs call that the host's agent opens when it is asked to, or the
 * docker process beside us.  Nothing is kept here: what comes goes on to
 * control, and what control gives back as credit goes back (follow.h).
 */
/* Ends the client when it cannot be. */
void	 follow_start(struct client *, struct host *,
	    const Sentinel__Ipc__ControlRequest *);
/* The client has gone. */
void	 follow_client_gone(const struct client *);

/* An agent calls FollowLogs; peer_gate() has let it in.  NULL when this host
 * was asked for this stream, else why not. */
const char *follow_admit(const struct host *, uint32_t call,
	    const ProtobufCBinaryData *stream_id);
/* Whether it was a call of ours. */
bool	 follow_closed(uint32_t call, const char *text);
/* The answer instead of a call.  Whether it was one of ours. */
bool	 follow_refused(const struct host *,
	    const Sentinel__Cluster__FetchLogsResult *);
/* Its Channel has ended, whatever the reason. */
void	 follow_session_lost(const struct session *);
void	 follow_docker_lost(void);

/* Rows of the handler table: AGENT_FOLLOW, DOCKER_FOLLOWED, CONTROL_TAKEN. */
void	 follow_agent(struct peer *, struct imsg *);
void	 follow_docker(struct peer *, struct imsg *);
void	 follow_taken(struct peer *, struct imsg *);

#endif /* ENGINE_FOLLOW_H */
