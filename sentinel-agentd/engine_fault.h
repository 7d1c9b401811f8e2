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

#ifndef ENGINE_FAULT_H
#define ENGINE_FAULT_H

#include "compat.h"

#include "engine_cause.h"

/*
 * What the log says of attempts and sessions that end, so that each trouble
 * is told once with its fix and one that lasts does not fill the log.  The
 * engine process; engine_fault.c.
 */
#define FAULT_LOSSES		3	/* sessions lost ... */
#define FAULT_LOSSES_MSEC	600000	/* ... within, are worth a line */

/* One line for a failed attempt; a failure that repeats is told seldom. */
void	 session_log_failure(const char *what, unsigned int delay_msec);
/* What an operator has to mend, once: a CA mismatch per life of the agent, a
 * refusal until the next session. */
void	 fault_tell(enum cause_class, const char *text);
/* A session was lost on the way. */
void	 fault_loss(void);
/* A session: what was told may be told again. */
void	 fault_forget(void);
/* Another server is dialled: all of it is news there. */
void	 fault_redialled(void);

#endif /* ENGINE_FAULT_H */
