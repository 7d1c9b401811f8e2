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

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine_audit.h"
#include "log.h"

/* Hooks that are set are read when they are needed; there are few. */
struct look {
	const char	*lk_host;
	const char	*lk_container;
	db_hook_visit	 lk_fn;
	void		*lk_arg;
	ssize_t		 lk_count;
};

struct change {
	const Sentinel__Store__Hook *ch_put;	/* NULL: delete */
	const char	*ch_host;
	const char	*ch_container;
	const char	*ch_phase;
	struct audit	 ch_audit;
	int		 ch_errno;
};

static int
look(struct store_txn *txn, void *arg)
{
	struct look	*lk = arg;

	lk->lk_count = db_hook_walk(txn, lk->lk_host, lk->lk_container,
	    lk->lk_fn, lk->lk_arg);
	return (lk->lk_count == -1 ? -1 : 0);
}

ssize_t
hooks_walk(const struct host *h, const char *container, db_hook_visit fn,
    void *arg)
{
	struct look	 lk = { h->h_id, container, fn, arg, -1 };

	if (store_view(eng->store, look, &lk) == -1) {
		log_warn("host %s: hooks cannot be read", h->h_id);
		return (-1);
	}
	return (lk.lk_count);
}

static int
change(struct store_txn *txn, void *arg)
{
	struct change	*ch = arg;
	int		 rc;

	if (ch->ch_put != NULL)
		rc = db_hook_put(txn, ch->ch_put);
	else if ((rc = db_hook_del(txn, ch->ch_host, ch->ch_container,
	    ch->ch_phase)) == 0) {
		ch->ch_errno = ENOENT;
		return (-1);
	} else if (rc == 1)
		rc = 0;
	if (rc == -1) {
		ch->ch_errno = errno;
		return (-1);
	}
	return (audit_put(txn, &ch->ch_audit));
}

static int
change_run(struct host *h, struct change *ch)
{
	if (store_update(eng->store, change, ch) == 0)
		return (0);
	if (ch->ch_errno == ENOENT || ch->ch_errno == ENOSPC) {
		errno = ch->ch_errno;
		return (-1);
	}
	log_warn("host %s: hook of \"%s\" not changed: database", h->h_id,
	    ch->ch_container);
	errno = EIO;
	return (-1);
}

static void
change_tell(struct host *h, const struct change *ch, const char *by,
    const char *what)
{
	log_info("host %s (%s): %s hook of %s: %s by %s", h->h_id, h->h_name,
	    ch->ch_phase, ch->ch_container, what, by);
	event_publish("hook_change", h, ch->ch_container, "%s hook of %s on "
	    "%s: %s by %s", ch->ch_phase, ch->ch_container, h->h_name, what,
	    by);
}

static void
change_audit(struct host *h, struct change *ch, const char *by,
    const char *action, const char *text)
{
	char	 subject[512];

	(void)snprintf(subject, sizeof(subject), "container %s of %s",
	    ch->ch_container, audit_host(h));
	/* What a command is goes into the trail, so that it can be told who
	 * had what run; secrets do not belong into a command line. */
	audit_set(&ch->ch_audit, by, action, subject, AUDIT_OK, "%s: %s",
	    ch->ch_phase, text);
}

int
hook_set(struct host *h, const Sentinel__Store__Hook *hk)
{
	struct change	 ch = { .ch_put = hk, .ch_host = h->h_id,
		.ch_container = hk->container, .ch_phase = hk->phase };

	change_audit(h, &ch, hk->changed_by, "hook.set", hk->command);
	if (change_run(h, &ch) == -1)
		return (-1);
	change_tell(h, &ch, hk->changed_by, "set");
	return (0);
}

int
hook_remove(struct host *h, const char *container, const char *phase,
    const char *by)
{
	struct change	 ch = { .ch_host = h->h_id, .ch_container = container,
		.ch_phase = phase };

	change_audit(h, &ch, by, "hook.remove", "");
	if (change_run(h, &ch) == -1)
		return (-1);
	change_tell(h, &ch, by, "removed");
	return (0);
}
