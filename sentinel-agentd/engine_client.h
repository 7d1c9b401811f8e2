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

#ifndef ENGINE_CLIENT_H
#define ENGINE_CLIENT_H

#include "engine.h"

/*
 * Requests of sentinelctl on an agent's host, in the engine process.  A
 * command is a function and a row in engine_control.c; it answers with any
 * number of items and exactly one end, at once or later.  Control drops what
 * belongs to a client that has gone, so an id needs no bookkeeping.  What
 * the server decides is refused here with its name.
 */
typedef void	 client_command(uint32_t id,
	    const Sentinel__Ipc__ControlRequest *);

void	 client_item(uint32_t id, Sentinel__Ipc__ControlItem *);
/* The text may be cut off in the middle of a character. */
void	 client_end(uint32_t id, enum control_code, const char *, ...)
	    __printflike_(3, 4);

/* engine_control_journal.c */
client_command	 client_journal_list, client_journal_export;
/* engine_control_reload.c */
client_command	 client_reload;

/* engine_control_policy.c */
client_command	 client_settings, client_policies;

#endif /* ENGINE_CLIENT_H */
