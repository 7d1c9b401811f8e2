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

#ifndef DB_H
#define DB_H

#include "compat.h"

#include "pbmem.h"
#include "store.h"
#include "store.pb-c.h"

/*
 * Records of the database (proto/store.proto), typed.  All run inside
 * store_update() or store_view().  A record read lives in the caller's arena.
 * A record that does not unpack is logged and reported as EBADMSG by get, and
 * logged and left out by walk; it is never silently overwritten.
 * Times are unix seconds unless the name says _msec.  Process: engine.
 */
#define DB_SCHEMA		2
#define DB_HOSTS_MAX		65536
#define DB_TOKENS_MAX		4096
#define DB_TOKEN_USES_MAX	1000
#define DB_EVENTS_KEEP		10000		/* newest */
#define DB_TOKEN_KEEP_SEC	(7 * 86400)	/* after expiry */
#define DB_REVOKED_KEEP_SEC	(90 * 86400)	/* after the certificate's */

/* For walks: false ends it. */
typedef bool (*db_host_visit)(const Sentinel__Store__Host *, void *);
typedef bool (*db_token_visit)(const Sentinel__Store__Token *, void *);
typedef bool (*db_event_visit)(const Sentinel__Store__Event *, void *);
typedef bool (*db_revoked_visit)(const char *serial,
	    const Sentinel__Store__Revoked *, void *);

/* --- db_migrate.c: for store_open() -------------------------------------- */
/* From schema 1: the enrolment of a token becomes a list. */
int	 db_migrate(struct store_txn *, uint32_t from);

/* --- db_host.c: key = id, 32 hex ---------------------------------------- */
/* 1, 0 absent, -1 */
int	 db_host_get(struct store_txn *, const char *id, struct pbmem *,
	    Sentinel__Store__Host **);
/* 0, -1: EINVAL for a record that would not pass its own check */
int	 db_host_put(struct store_txn *, const Sentinel__Store__Host *);
int	 db_host_del(struct store_txn *, const char *id);	/* 1, 0, -1 */
/* In order of id; number visited or -1. */
ssize_t	 db_host_walk(struct store_txn *, db_host_visit, void *);

/* --- db_token.c: key = id, 8 hex ---------------------------------------- */
int	 db_token_get(struct store_txn *, const char *id, struct pbmem *,
	    Sentinel__Store__Token **);
/* As db_token_put, but EEXIST when the id is taken, ENOBUFS when
 * DB_TOKENS_MAX are there. */
int	 db_token_new(struct store_txn *, const Sentinel__Store__Token *);
int	 db_token_put(struct store_txn *, const Sentinel__Store__Token *);
ssize_t	 db_token_walk(struct store_txn *, db_token_visit, void *);
/* Deletes those that expired more than DB_TOKEN_KEEP_SEC before now; their
 * number or -1. */
ssize_t	 db_token_sweep(struct store_txn *, int64_t now);

/* --- db_event.c: key = big-endian id ------------------------------------ */
/* Gives the event its id (one above the newest) and deletes the oldest
 * beyond DB_EVENTS_KEEP, a few at a time.  0, -1. */
int	 db_event_add(struct store_txn *, Sentinel__Store__Event *);
/* Newest limit (0: all) events with an id above after, oldest first. */
ssize_t	 db_event_walk(struct store_txn *, uint64_t after, size_t limit,
	    db_event_visit, void *);

/* --- db_revoked.c: key = serial, lower-case hex ------------------------- */
int	 db_revoked_put(struct store_txn *, const char *serial,
	    const Sentinel__Store__Revoked *);
int	 db_revoked_has(struct store_txn *, const char *serial); /* 1, 0, -1 */
ssize_t	 db_revoked_walk(struct store_txn *, db_revoked_visit, void *);
/*
 * Deletes those whose certificate expired more than DB_REVOKED_KEEP_SEC before
 * now: nobody can use it any more.  Their number or -1.
 */
ssize_t	 db_revoked_sweep(struct store_txn *, int64_t now);

/* --- db_audit.c: key = big-endian seq; "meta": audit --------------------- */
#define DB_AUDIT_HASH_LEN	32

typedef bool (*db_audit_visit)(const Sentinel__Store__AuditRecord *,
	    const uint8_t hash[DB_AUDIT_HASH_LEN], void *);

/* Gives the record its number and the hash of the one before it.  0, -1. */
int	 db_audit_add(struct store_txn *, Sentinel__Store__AuditRecord *);
/* 1, 0 nothing was ever written, -1 */
int	 db_audit_chain(struct store_txn *, struct pbmem *,
	    Sentinel__Store__AuditChain **);
/*
 * From seq on, oldest first, each with the hash of its stored value; those
 * that do not unpack are logged and left out.  Number visited or -1.
 */
ssize_t	 db_audit_walk(struct store_txn *, uint64_t seq, db_audit_visit,
	    void *);
/* The number from which on there are at most limit records, and none older
 * than since_msec.  0 when there is none, -1. */
int64_t	 db_audit_start(struct store_txn *, size_t limit, int64_t since_msec);
/*
 * Cuts the head: what is older than before_msec, and what is more than keep
 * records; at most max of them (0: all), and never the newest.  The chain
 * remembers where it begins.  Their number or -1.
 */
ssize_t	 db_audit_cut(struct store_txn *, int64_t before_msec, uint64_t keep,
	    size_t max);

/*
 * The chain, step by step: zero it, then call db_audit_check() until it does
 * not return 1.  Records may be added and cut between two steps.
 */
struct db_audit_check {
	uint64_t	 ac_next;	/* 0: begin at the anchor */
	uint8_t		 ac_hash[DB_AUDIT_HASH_LEN]; /* of ac_next - 1 */
	uint64_t	 ac_records;	/* that were good */
	uint64_t	 ac_first;
	uint64_t	 ac_broken;	/* number of the first bad one, or 0 */
	char		 ac_why[128];	/* what is wrong with it */
};
/* 1 there are more than max records, 0 the end (see ac_broken), -1. */
int	 db_audit_check(struct store_txn *, struct db_audit_check *,
	    size_t max);

/* --- db_setting.c: key = name ------------------------------------------- */
#define DB_SETTINGS_MAX		256

typedef bool (*db_setting_visit)(const char *name,
	    const Sentinel__Store__Setting *, void *);
int	 db_setting_put(struct store_txn *, const char *name,
	    const Sentinel__Store__Setting *);
int	 db_setting_del(struct store_txn *, const char *name);	/* 1, 0, -1 */
ssize_t	 db_setting_walk(struct store_txn *, db_setting_visit, void *);

/* --- db_policy.c: key = host id "/" container --------------------------- */
typedef bool (*db_policy_visit)(const Sentinel__Store__Policy *, void *);
/* 0, -1: EINVAL for a name that cannot be one of Docker's */
int	 db_policy_put(struct store_txn *, const Sentinel__Store__Policy *);
int	 db_policy_del(struct store_txn *, const char *host_id,
	    const char *container);			/* 1, 0, -1 */
/* All of a host; their number or -1. */
ssize_t	 db_policy_del_host(struct store_txn *, const char *host_id);
/* In order of host, then container. */
ssize_t	 db_policy_walk(struct store_txn *, db_policy_visit, void *);

/* --- db_ca.c: how far the replacement of the CA is ---------------------- */
/* 1, 0 absent (no replacement has ever begun), -1 */
int	 db_ca_get(struct store_txn *, struct pbmem *,
	    Sentinel__Store__CaState **);
int	 db_ca_put(struct store_txn *, const Sentinel__Store__CaState *);

#endif /* DB_H */
