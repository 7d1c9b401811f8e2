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

#ifndef ENGINE_SESSION_H
#define ENGINE_SESSION_H

#include "engine.h"

/*
 * Between engine_open.c, where calls of agents begin, and engine_session.c,
 * where they go on and end.
 */
/* A call of this kind and certificate; on the tree, with an epoch. */
struct session *session_new(uint32_t call, struct host *,
	    const Sentinel__Ipc__AgentOpen *);
bool	 session_has_room(const struct host *);
/* AGENT_ADMIT: status 0 lets it in, another one ends it with the text. */
void	 session_admit(uint32_t call, uint32_t status, const char *text);

#endif /* ENGINE_SESSION_H */
