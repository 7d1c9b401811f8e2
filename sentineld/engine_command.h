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

#ifndef ENGINE_COMMAND_H
#define ENGINE_COMMAND_H

#include "engine.h"

/*
 * A message to a host's stream, signed when its agent wants that: what every
 * command goes through, and whatever else the server sends of its own.
 */
enum command_end {
	COMMAND_QUEUED,		/* on its way into the stream */
	COMMAND_FAILED,		/* cannot be packed, signed or sent */
	COMMAND_GONE		/* the stream ended before */
};
/* Runs once, also from inside command_push(); why is "" when queued. */
typedef void (*command_done)(void *arg, enum command_end, const char *why);

/*
 * Packs m at once; it and what it lends may go after the call.  m->request_id
 * is what the agent remembers: one of its own for every message.  The session
 * is a Channel (h_session of a connected host); when it ends before the
 * keyholder has signed, the message goes nowhere.
 */
void	 command_push(struct session *,
	    const Sentinel__Cluster__ServerMessage *, command_done, void *arg);
/* 16 hex characters that were not used before. */
void	 command_new_id(char id[REQUEST_ID_SIZE]);

#endif /* ENGINE_COMMAND_H */
