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

#ifndef ENGINE_ALLOW_H
#define ENGINE_ALLOW_H

#include "compat.h"

#include "agentd.h"
#include "ipc.pb-c.h"
#include "sentinel.pb-c.h"

/*
 * What the administrator of this host lets its server do: agent.allow in
 * sentinel.conf(5).  The rules come from the file alone, so that no server,
 * signed or not, can lift them.  Asked once for each command, before it is
 * remembered or handed to the docker process.  Pure.
 */
enum allow_action {
	ALLOW_UPDATE,
	ALLOW_START,
	ALLOW_STOP,
	ALLOW_RESTART,
	ALLOW_PULL,
	ALLOW_LOGS,
	ALLOW_LIST,
	ALLOW_HOOK,
	ALLOW_ROLLBACK,
	ALLOW_PLAN,
	ALLOW_NONE		/* no command, or one nobody knows */
};

/* Mask for agent_conf.ac_allow_actions of words of agent.allow.actions. */
uint64_t allow_mask(char *const *words, size_t);
/* What a message asks for; *image is lent, NULL when it names none.  Empty:
 * the reference that the container has now, which the docker process judges
 * by the same patterns. */
enum allow_action allow_action(const Sentinel__Cluster__ServerMessage *,
	    const char **image);
/* Of what container; "" when of none.  Lent. */
const char *allow_container(const Sentinel__Cluster__ServerMessage *);
/* "update", ...; not of ALLOW_NONE. */
const char *allow_name(enum allow_action);
/* NULL: it may be done.  Else the rule that is against it, in words. */
const char *allow_fault(const struct agent_conf *, enum allow_action,
	    const char *image);
/* Whether references have to be looked at. */
bool	 allow_has_images(const struct agent_conf *);
/*
 * For sentinelctl, false when nothing is restricted.  The arrays are the
 * view's own: release with allow_view_free().
 */
bool	 allow_view(const struct agent_conf *, Sentinel__Ipc__AllowView *);
void	 allow_view_free(Sentinel__Ipc__AllowView *);

#endif /* ENGINE_ALLOW_H */
