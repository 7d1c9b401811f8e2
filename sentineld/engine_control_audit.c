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

#include "engine_client.h"

#include <string.h>

#include "hex.h"

/*
 * The audit trail for sentinelctl: not on the read-only socket, as addresses
 * and names of operators are in it.  Both are sent or done in pieces, so that
 * neither the queue to control nor the engine's time is filled by them.
 */
#define AUDIT_SHOWN		1000	/* records, unless asked otherwise */
#define AUDIT_SHOWN_MAX		100000
#define AUDIT_CHECK_STEP	1000	/* records at a time */

struct start {
	size_t		 st_limit;
	int64_t		 st_since_msec;
	int64_t		 st_first;
};

struct piece {
	struct client	*pi_client;
	size_t		 pi_sent;
	bool		 pi_full;
};

struct step {
	struct client	*sp_client;
	int		 sp_more;
};

static int	 find_start(struct store_txn *, void *);
static bool	 send_entry(const Sentinel__Store__AuditRecord *,
		    const uint8_t[DB_AUDIT_HASH_LEN], void *);
static int	 walk_piece(struct store_txn *, void *);
static void	 more_entries(struct client *);
static int	 check_step(struct store_txn *, void *);
static void	 more_check(struct client *);
static void	 end_check(struct client *);

/* --- list --------------------------------------------------------------- */

void
client_audit_list(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct start	 st = { AUDIT_SHOWN, 0, 0 };

	if (req->limit > AUDIT_SHOWN_MAX) {
		client_end(cl, CONTROL_USAGE, "at most %d records are shown",
		    AUDIT_SHOWN_MAX);
		return;
	}
	if (req->limit > 0)
		st.st_limit = req->limit;
	st.st_since_msec = req->since_time * 1000;
	if (store_view(eng->store, find_start, &st) == -1)
		client_end(cl, CONTROL_FAILED, "the database cannot be read");
	else if (st.st_first == 0)
		client_end_noerror(cl);
	else {
		cl->cl_audit.ac_next = (uint64_t)st.st_first;
		more_entries(cl);
	}
}

static int
find_start(struct store_txn *txn, void *arg)
{
	struct start	*st = arg;

	st->st_first = db_audit_start(txn, st->st_limit, st->st_since_msec);
	return (st->st_first == -1 ? -1 : 0);
}

static void
more_entries(struct client *cl)
{
	struct piece	 pi = { cl, 0, false };

	if (store_view(eng->store, walk_piece, &pi) == -1)
		client_end(cl, CONTROL_FAILED, "the database cannot be read");
	else if (pi.pi_full)
		client_later(cl, more_entries);
	else
		client_end_noerror(cl);
}

static int
walk_piece(struct store_txn *txn, void *arg)
{
	struct piece	*pi = arg;

	return (db_audit_walk(txn, pi->pi_client->cl_audit.ac_next,
	    send_entry, pi) == -1 ? -1 : 0);
}

static bool
send_entry(const Sentinel__Store__AuditRecord *r,
    const uint8_t hash[DB_AUDIT_HASH_LEN], void *arg)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__AuditView	 view;
	Sentinel__Ipc__AuditEntryView	 entry;
	struct piece			*pi = arg;
	char				 own[2 * DB_AUDIT_HASH_LEN + 1];
	char				 previous[sizeof(own)];

	if ((pi->pi_full = client_is_full(pi->pi_sent)))
		return (false);
	sentinel__ipc__audit_entry_view__init(&entry);
	entry.seq = r->seq;
	entry.time_msec = r->time_msec;
	entry.actor = r->actor;
	entry.action = r->action;
	entry.subject = r->subject;
	entry.outcome = r->outcome;
	entry.text = r->text;
	(void)hex_encode(own, sizeof(own), hash, DB_AUDIT_HASH_LEN);
	(void)hex_encode(previous, sizeof(previous), r->previous.data,
	    r->previous.len);
	entry.hash = own;
	entry.previous = previous;
	sentinel__ipc__audit_view__init(&view);
	view.entry = &entry;
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_AUDIT;
	item.audit = &view;
	pi->pi_sent += client_item(pi->pi_client, &item);
	pi->pi_client->cl_audit.ac_next = r->seq + 1;
	return (true);
}

/* --- verify ------------------------------------------------------------- */

void
client_audit_verify(struct client *cl,
    const Sentinel__Ipc__ControlRequest *req)
{
	(void)req;
	more_check(cl);
}

static int
check_step(struct store_txn *txn, void *arg)
{
	struct step	*sp = arg;

	sp->sp_more = db_audit_check(txn, &sp->sp_client->cl_audit,
	    AUDIT_CHECK_STEP);
	return (sp->sp_more == -1 ? -1 : 0);
}

static void
more_check(struct client *cl)
{
	struct step	 sp = { cl, 0 };

	if (store_view(eng->store, check_step, &sp) == -1)
		client_end(cl, CONTROL_FAILED, "the database cannot be read");
	else if (sp.sp_more == 1)
		client_later(cl, more_check);
	else
		end_check(cl);
}

static void
end_check(struct client *cl)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__AuditView	 view;
	Sentinel__Ipc__AuditChainView	 chain;
	const struct db_audit_check	*ac = &cl->cl_audit;
	char				 hash[2 * DB_AUDIT_HASH_LEN + 1] = "";
	char				 why[sizeof(ac->ac_why)];

	(void)strlcpy(why, ac->ac_why, sizeof(why));
	sentinel__ipc__audit_chain_view__init(&chain);
	chain.records = ac->ac_records;
	chain.first = ac->ac_first;
	chain.broken = ac->ac_broken;
	chain.why = why;
	chain.hash = hash;
	if (ac->ac_broken != 0 && ac->ac_records > 0)
		chain.newest = ac->ac_broken - 1;
	else if (ac->ac_records > 0) {
		chain.newest = ac->ac_next - 1;
		(void)hex_encode(hash, sizeof(hash), ac->ac_hash,
		    sizeof(ac->ac_hash));
	}
	sentinel__ipc__audit_view__init(&view);
	view.chain = &chain;
	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_AUDIT;
	item.audit = &view;
	(void)client_item(cl, &item);
	if (ac->ac_broken == 0)
		client_end_noerror(cl);
	else
		client_end(cl, CONTROL_FAILED, "the audit trail is broken at "
		    "record %llu: %s", (unsigned long long)chain.broken, why);
}
