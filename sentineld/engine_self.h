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

#ifndef ENGINE_SELF_H
#define ENGINE_SELF_H

#include "compat.h"

#include "engine.h"

/*
 * Updates of Sentinel itself (docker_self.h), as the engine sees them.
 *
 * Of our own container: the successor proves that it serves, and says later
 * how it ended; whoever asked is gone with the old one.  Of an agent's: its
 * stream breaks in the middle, and the operation waits for it to come back.
 *
 * Process: engine.  Source: engine_self.c
 */

/* Something has become ready: if that was the last of it, writes the proof
 * for the helper, once.  Without a container of ours nothing. */
void	 self_serving(void);
/* Has this operation been handed to a helper?  Then the loss of its session
 * is no end of it: it waits, and says so. */
bool	 self_waits(struct op *);
/* Progress of an operation. */
void	 self_progress(struct op *, const char *phase);
/* What the deadline says of one that waits. */
void	 self_timeout(struct op *);
/* The words of progress of this machine; in a buffer that the next call
 * reuses. */
const char *self_text(const struct op *, const Sentinel__Ipc__DockerProgress *);
/* An update of a host that is ours ended in a former life of the server. */
void	 self_outcome(const Sentinel__Ipc__DockerResult *);

#endif /* ENGINE_SELF_H */
