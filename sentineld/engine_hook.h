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

#include "db_hook.h"
#include "engine.h"

/*
 * Hooks in the server's engine: those that operators have set, and how they
 * get run.
 *
 * An agent that says "update-hooks", and the docker process beside us, get
 * them with the update and run them as steps of it: a lost stream leaves no
 * update half done.  For other agents that say "hooks" the server sends
 * RunHookRequest before the update and, when that was good, after it.
 */
#define HOOK_SLACK_MSEC		60000	/* beyond a hook's own time */

struct hook_list {
	Sentinel__Cluster__RunHookRequest hl_hook[OP_HOOKS_MAX];
	Sentinel__Cluster__RunHookRequest *hl_list[OP_HOOKS_MAX];
};

/* --- engine_hook.c: operations ------------------------------------------- */
/*
 * Gives an update, prepared and not started, the hooks that are set for its
 * container.  0, or -1 with a line in why: its agent cannot run them.
 */
int	 hooks_attach(struct op *, bool skip, char *why, size_t);
/* One more hook; false: there is no room. */
bool	 hooks_add(struct op *, const char *phase, const char *command,
	    uint32_t sec, bool rollback);
void	 hooks_free(struct op *);
/* As messages; they are lent from the operation and the list. */
size_t	 hooks_to_wire(const struct op *, struct hook_list *);
/* A hook on its own: into the form that its agent takes. */
void	 hooks_make_foreign(struct op *);
/* An update begins: true when a hook of ours has to run first, after which
 * op_start() comes again. */
bool	 hooks_before(struct op *);
/* It is over. */
void	 hooks_after(const struct op *, const struct op_result *);
/* A host's HookResult; is_new: not known from before. */
void	 hooks_result(struct host *, const Sentinel__Cluster__HookResult *,
	    bool is_new);
/* Why a hook cannot be run on this host, or NULL. */
const char *hooks_fault(const struct host *);
/* The same of a command; static. */
const char *hooks_command_fault(const struct host *, const char *command);

/* --- engine_hook_store.c: what is set ------------------------------------ */
/* In order; false of fn ends it.  Number, or -1 logged. */
ssize_t	 hooks_walk(const struct host *, const char *container,
	    db_hook_visit fn, void *);
/* On disk with its audit record when it returns 0; -1 with errno ENOSPC, or
 * EIO (logged).  hook_remove(): ENOENT. */
int	 hook_set(struct host *, const Sentinel__Store__Hook *);
int	 hook_remove(struct host *, const char *container, const char *phase,
	    const char *by);

#endif /* ENGINE_HOOK_H */
