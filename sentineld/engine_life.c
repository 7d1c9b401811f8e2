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

#include "engine_cert.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "db_hook.h"
#include "db_quarantine.h"
#include "engine_audit.h"
#include "engine_label.h"
#include "engine_settings.h"
#include "grpc.h"
#include "log.h"

/*
 * What an operator does to a host.  The order is always the same: the database
 * first, by one transaction; then memory; then everybody who has to know.  All
 * of it happens between two messages, so no call of an agent and no enrolment
 * sees half of it: what was let in before is ended here, what comes later
 * meets peer_gate().
 */
struct change {
	Sentinel__Store__Host	*ch_host;
	struct audit		 ch_audit;
};

struct ending {
	const struct host	*en_of;
	struct audit		 en_audit;
	Sentinel__Store__Host	 en_host;
	Sentinel__Store__Revoked en_revoked;
};

struct old {
	struct host	*ol_host[HOST_SAVE_BATCH];
	size_t		 ol_len;
};

static int	 put_host(struct store_txn *, void *);
static int	 write_host(const struct host *, struct change *);
static void	 tell(struct host *, const char *, ...) __printflike_(2, 3);
static int	 put_ending(struct store_txn *, void *);
static int	 sweep_revoked(struct store_txn *, void *);
static int	 delete_old(struct store_txn *, void *);

static int
put_host(struct store_txn *txn, void *arg)
{
	struct change	*ch = arg;

	if (db_host_put(txn, ch->ch_host) == -1)
		return (-1);
	return (audit_put(txn, &ch->ch_audit));
}

static int
write_host(const struct host *h, struct change *ch)
{
	if (store_update(eng->store, put_host, ch) == 0)
		return (0);
	log_warn("host %s: not changed: database", h->h_id);
	return (-1);
}

/* Log and event. */
static void
tell(struct host *h, const char *fmt, ...)
{
	char	 text[512];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_info("host %s (%s): %s", h->h_id, h->h_name, text);
	event_publish("cluster_host", h, NULL, "host %s (%s) %s", h->h_id,
	    h->h_name, text);
}

int
host_set_paused(struct host *h, bool paused, const char *by)
{
	static char		 names[][8] = { "active", "paused" };
	Sentinel__Store__Host	 rec;
	struct change		 ch = { .ch_host = &rec };

	if (paused == (h->h_state == HOST_PAUSED))
		return (0);
	host_record(h, &rec);
	rec.state = names[paused];
	audit_set(&ch.ch_audit, by, paused ? "host.pause" : "host.resume",
	    audit_host(h), AUDIT_OK, "%s", "");
	if (write_host(h, &ch) == -1)
		return (-1);
	h->h_state = paused ? HOST_PAUSED : HOST_ACTIVE;
	tell(h, "%s by %s", paused ? "paused" : "resumed", by);
	return (0);
}

int
host_rename(struct host *h, const char *name, const char *by)
{
	Sentinel__Store__Host	 rec;
	struct change		 ch = { .ch_host = &rec };
	char			 copy[HOST_NAME_SIZE], old[HOST_NAME_SIZE];

	if (strcmp(h->h_name, name) == 0)
		return (0);
	(void)strlcpy(copy, name, sizeof(copy));
	host_record(h, &rec);
	rec.name = copy;
	audit_set(&ch.ch_audit, by, "host.rename", audit_host(h), AUDIT_OK,
	    "to %s", copy);
	if (write_host(h, &ch) == -1)
		return (-1);
	(void)strlcpy(old, h->h_name, sizeof(old));
	(void)strlcpy(h->h_name, name, sizeof(h->h_name));
	tell(h, "was called %s: renamed by %s", old, by);
	return (0);
}

/* --- labels ------------------------------------------------------------- */

int
host_label(struct host *h, const char *label, const char *by)
{
	Sentinel__Store__Host	 rec;
	struct change		 ch = { .ch_host = &rec };
	char			*list[HOST_LABELS_MAX];
	size_t			 key = label_key(label), n = h->h_nlabels;
	int			 ret;

	if (key == 0) {
		errno = EINVAL;
		return (-1);
	}
	if (n > 0)
		memcpy(list, h->h_labels, n * sizeof(*list));
	if ((ret = label_merge(list, &n, label)) != 1)
		return (ret);
	host_record(h, &rec);
	rec.labels = list;
	rec.n_labels = n;
	audit_set(&ch.ch_audit, by, "host.label", audit_host(h), AUDIT_OK,
	    "%s", label);
	if (write_host(h, &ch) == -1) {
		errno = EIO;
		return (-1);
	}
	host_set_labels(h, list, n);
	if (label[key + 1] != '\0')
		tell(h, "labelled %s by %s", label, by);
	else
		tell(h, "label %.*s taken away by %s", (int)key, label, by);
	return (0);
}

/* --- the end ------------------------------------------------------------ */

static int
put_ending(struct store_txn *txn, void *arg)
{
	struct ending	*en = arg;

	if (en->en_host.cert_serial[0] != '\0' && db_revoked_put(txn,
	    en->en_host.cert_serial, &en->en_revoked) == -1)
		return (-1);
	if (cert_revoke(txn, en->en_of, en->en_of->h_pending.hc_serial,
	    en->en_of->h_pending.hc_not_after, en->en_revoked.reason) == -1 ||
	    db_policy_del_host(txn, en->en_host.id) == -1 ||
	    db_hook_del_host(txn, en->en_host.id) == -1 ||
	    db_quarantine_del_host(txn, en->en_host.id) == -1 ||
	    db_host_put(txn, &en->en_host) == -1)
		return (-1);
	return (audit_put(txn, &en->en_audit));
}

int
host_decommission(struct host *h, enum host_end how, const char *by)
{
	static char	 state[] = "decommissioned";
	static char	 words[][8] = { "removed", "revoked" };
	static char	 acts[][12] = { "host.remove", "host.revoke" };
	struct ending	 en;
	int64_t		 now = time(NULL);
	char		 copy[sizeof(h->h_ended_by)], text[256];

	(void)strlcpy(copy, by, sizeof(copy));
	en.en_of = h;
	host_record(h, &en.en_host);
	en.en_host.state = state;
	en.en_host.decommissioned_at = now;
	en.en_host.decommission_reason = words[how];
	en.en_host.decommissioned_by = copy;
	sentinel__store__revoked__init(&en.en_revoked);
	en.en_revoked.revoked_at = now;
	en.en_revoked.not_after = h->h_not_after;
	en.en_revoked.host_id = h->h_id;
	en.en_revoked.reason = words[how];
	audit_set(&en.en_audit, by, acts[how], audit_host(h), AUDIT_OK,
	    "serial %s", h->h_serial);
	if (store_update(eng->store, put_ending, &en) == -1) {
		log_warn("host %s: not %s: database", h->h_id, words[how]);
		return (-1);
	}
	h->h_state = HOST_DECOMMISSIONED;
	h->h_end = how;
	h->h_ended_at = now;
	(void)strlcpy(h->h_ended_by, copy, sizeof(h->h_ended_by));
	h->h_token[0] = '\0';
	(void)snprintf(text, sizeof(text), "host %s was %s meanwhile: whether "
	    "it was done is unknown", h->h_name, words[how]);
	op_host_gone(h, text);
	/* The category of the page for what the server ended. */
	session_close_all(h, how == HOST_REVOKED ? GRPC_PERMISSION_DENIED :
	    GRPC_NOT_FOUND, "server", how == HOST_REVOKED ?
	    GATE_TEXT_REVOKED : GATE_TEXT_UNKNOWN);
	container_list_free(&h->h_containers);
	h->h_ncontainers = 0;
	policy_host_gone(h);
	tell(h, "%s by %s, serial %s", words[how], by, h->h_serial);
	return (0);
}

/* --- sweep -------------------------------------------------------------- */

static int
sweep_revoked(struct store_txn *txn, void *arg)
{
	return (db_revoked_sweep(txn, *(int64_t *)arg) == -1 ? -1 : 0);
}

static int
delete_old(struct store_txn *txn, void *arg)
{
	struct old	*ol = arg;
	size_t		 i;

	for (i = 0; i < ol->ol_len; i++) {
		if (db_host_del(txn, ol->ol_host[i]->h_id) == -1)
			return (-1);
	}
	return (0);
}

void
host_sweep(int64_t now)
{
	struct host	*h;
	struct old	 ol;
	size_t		 i;

	if (store_update(eng->store, sweep_revoked, &now) == -1)
		log_warn("revocations: sweep");
	do {
		ol.ol_len = 0;
		RB_FOREACH(h, host_tree, &eng->hosts) {
			/* cluster may still have a word about its calls. */
			if (h->h_state != HOST_DECOMMISSIONED ||
			    h->h_nsessions > 0 || h->h_ops > 0 ||
			    h->h_not_after + DB_REVOKED_KEEP_SEC >= now ||
			    h->h_ended_at + DB_REVOKED_KEEP_SEC >= now)
				continue;
			ol.ol_host[ol.ol_len++] = h;
			if (ol.ol_len == HOST_SAVE_BATCH)
				break;
		}
		if (ol.ol_len > 0 && store_update(eng->store, delete_old,
		    &ol) == -1) {
			log_warn("decommissioned hosts: sweep");
			return;
		}
		for (i = 0; i < ol.ol_len; i++) {
			RB_REMOVE(host_tree, &eng->hosts, ol.ol_host[i]);
			eng->nhosts--;
			host_free(ol.ol_host[i]);
		}
	} while (ol.ol_len == HOST_SAVE_BATCH);
}
