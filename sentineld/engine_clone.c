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

#include "engine_clone.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "engine_audit.h"
#include "grpc.h"
#include "log.h"

struct change {
	Sentinel__Store__Host	 ch_host;
	struct audit		 ch_audit;
};

static bool	 is_pair(const struct clone *, const char *, const char *);
static int	 put_change(struct store_txn *, void *);

/* In either order. */
static bool
is_pair(const struct clone *c, const char *a, const char *b)
{
	return ((strcmp(c->cl_from, a) == 0 && strcmp(c->cl_to, b) == 0) ||
	    (strcmp(c->cl_from, b) == 0 && strcmp(c->cl_to, a) == 0));
}

bool
clone_switched(struct host *h, const struct session *old,
    const char *address, const char *serial, monotime_t now)
{
	struct clone	*c = &h->h_clone;
	char		 from[64], to[64];
	size_t		 i;

	limit_source(old->se_address, from, sizeof(from));
	limit_source(address, to, sizeof(to));
	if (old->se_closing || strcmp(old->se_serial, serial) != 0 ||
	    strcmp(from, to) == 0 ||
	    now - old->se_answered > CLONE_ANSWER_MSEC)
		return (false);
	if (!is_pair(c, from, to)) {
		memset(c, 0, sizeof(*c));
		(void)strlcpy(c->cl_from, from, sizeof(c->cl_from));
		(void)strlcpy(c->cl_to, to, sizeof(c->cl_to));
	}
	for (i = 0; i + 1 < CLONE_SWITCHES; i++)
		c->cl_at[i] = c->cl_at[i + 1];
	c->cl_at[CLONE_SWITCHES - 1] = now;
	return (c->cl_at[0] != 0 && now - c->cl_at[0] <= CLONE_WINDOW_MSEC);
}

static int
put_change(struct store_txn *txn, void *arg)
{
	struct change	*ch = arg;

	if (db_host_put(txn, &ch->ch_host) == -1)
		return (-1);
	return (audit_put(txn, &ch->ch_audit));
}

int
host_freeze(struct host *h, const char *one, const char *other)
{
	struct change	 ch;
	char		 why[256];

	(void)snprintf(why, sizeof(why), "its certificate is in use at %s and "
	    "at %s at the same time", one, other);
	host_record(h, &ch.ch_host);
	ch.ch_host.frozen = why;
	audit_set(&ch.ch_audit, AUDIT_SELF, "host.freeze", audit_host(h),
	    AUDIT_OK, "%s, serial %s", why, h->h_serial);
	if (store_update(eng->store, put_change, &ch) == -1) {
		log_warn("host %s: not frozen: database", h->h_id);
		return (-1);
	}
	engine_setstr(&h->h_frozen, why);
	memset(&h->h_clone, 0, sizeof(h->h_clone));
	log_warnx("host %s (%s): frozen: %s: data_dir was copied from one "
	    "machine to another: stop the agent on the copy, move its "
	    "data_dir away and enrol it with a token of its own, then run "
	    "\"sentinelctl host unfreeze %s\"", h->h_id, h->h_name, why,
	    h->h_name);
	session_close_all(h, GRPC_PERMISSION_DENIED, "cert",
	    GATE_TEXT_FROZEN);
	event_publish("cluster_host", h, NULL, "host %s (%s) frozen: %s",
	    h->h_id, h->h_name, why);
	return (0);
}

int
host_unfreeze(struct host *h, const char *by)
{
	static char	 none[1];
	struct change	 ch;

	if (h->h_frozen[0] == '\0')
		return (0);
	host_record(h, &ch.ch_host);
	ch.ch_host.frozen = none;
	audit_set(&ch.ch_audit, by, "host.unfreeze", audit_host(h), AUDIT_OK,
	    "it was: %s", h->h_frozen);
	if (store_update(eng->store, put_change, &ch) == -1) {
		log_warn("host %s: not changed: database", h->h_id);
		return (-1);
	}
	engine_setstr(&h->h_frozen, "");
	memset(&h->h_clone, 0, sizeof(h->h_clone));
	log_info("host %s (%s): unfrozen by %s", h->h_id, h->h_name, by);
	event_publish("cluster_host", h, NULL, "host %s (%s) unfrozen by %s",
	    h->h_id, h->h_name, by);
	return (0);
}
