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

#include "engine_hook.h"

#include <string.h>

#include "engine_policy.h"

#define PAYLOAD(x) SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_##x

const char *
hook_command_fault(const Sentinel__Cluster__ServerMessage *m)
{
	Sentinel__Cluster__RunHookRequest	*const *hooks;
	size_t					 i, n;

	if (m->payload_case == PAYLOAD(UPDATE_CONTAINER)) {
		hooks = m->update_container->hooks;
		n = m->update_container->n_hooks;
	} else if (m->payload_case == PAYLOAD(RUN_HOOK)) {
		hooks = &m->run_hook;
		n = 1;
		/* A server that never said so has not switched them off. */
		if (policy_cache_now()->pc_settings_at != 0 &&
		    !policy_cache_now()->pc_hooks_enabled)
			return ("hooks are switched off (hooks_enabled)");
	} else
		return (NULL);
	for (i = 0; i < n; i++)
		if (strlen(hooks[i]->command) >= EXEC_COMMAND_MAXBYTES)
			return ("the command of a hook is longer than 4095 "
			    "bytes");
	return (NULL);
}

void
hook_to_command(Sentinel__Cluster__RunHookRequest *const *hooks, size_t n,
    struct command *c)
{
	struct command_hook	*ch;
	size_t			 i;

	for (i = 0; i < n && i < COMMAND_HOOKS_MAX; i++) {
		ch = &c->cm_hooks[c->cm_nhooks++];
		(void)strlcpy(ch->ch_phase, hooks[i]->phase,
		    sizeof(ch->ch_phase));
		(void)strlcpy(ch->ch_command, hooks[i]->command,
		    sizeof(ch->ch_command));
		ch->ch_sec = hooks[i]->timeout_seconds;
		ch->ch_rollback = hooks[i]->rollback;
	}
}
