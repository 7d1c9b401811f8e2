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

#ifndef ENGINE_RESULT_H
#define ENGINE_RESULT_H

#include "compat.h"

#include "ipc.pb-c.h"

/*
 * What the docker process says about a command, told the server: the journal
 * first, so that nothing that has happened is lost, then the message.  A
 * result of an update is sent after the list that shows it.
 *   began  false for what was refused before anything happened: it is not
 *          kept, and nobody is told of it later
 * Process: engine.  Source: engine_result.c; hooks, plans and details are in
 * files of their own (engine_hook.h, engine_plan.h).
 */
void	 result_report(const Sentinel__Ipc__DockerResult *, bool began);

#endif /* ENGINE_RESULT_H */
