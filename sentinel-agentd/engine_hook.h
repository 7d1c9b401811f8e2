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

#ifndef ENGINE_HOOK_H
#define ENGINE_HOOK_H

#include "compat.h"

#include "engine.h"

/*
 * Hooks in the agent's engine: RunHookRequest, the hooks that come with an
 * update, and their results.  The rules of this host (engine_allow.h) have
 * been asked for a RunHookRequest; an update carries them to the docker
 * process, which knows what the container's labels want.
 */
struct hook_list {
	Sentinel__Cluster__RunHookRequest hl_hook[COMMAND_HOOKS_MAX];
	Sentinel__Cluster__RunHookRequest *hl_list[COMMAND_HOOKS_MAX];
};

/* --- engine_hook.c: from the server ------------------------------------- */
/* Why these hooks cannot be run, or NULL. */
const char *hook_command_fault(const Sentinel__Cluster__ServerMessage *);
void	 hook_to_command(Sentinel__Cluster__RunHookRequest *const *, size_t,
	    struct command *);
/* --- engine_hook_report.c: to the docker process, and back --------------- */
/* Fills the fields of hooks; they are lent from the command and the list. */
void	 hook_to_op(struct command *, struct hook_list *,
	    Sentinel__Ipc__DockerOp *);
/* HookResult; began: false for what was refused. */
void	 report_hook(const Sentinel__Ipc__DockerResult *, bool began);

#endif /* ENGINE_HOOK_H */
