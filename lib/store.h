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

#ifndef STORE_H
#define STORE_H

#include "compat.h"

/*
 * The database: tables of byte strings in key order, with transactions that
 * survive kill -9 and a full disk.  Berkeley DB 5.3 is known to store*.c
 * only.  The environment is private to one process and lies in the current
 * directory (chdir first, then maybe chroot); the caller holds a lock on
 * something outside, since a second opener would not be noticed.
 *
 * A transaction lives inside store_update() or store_view() and never
 * outlives it; beginning one inside another is fatal.  So: ask the keyholder
 * first, then read again, check and write in one function.
 *
 * Errors are soft, -1 with errno: ENOSPC ("store full": reads go on, nothing
 * is half written), EIO (anything else of the database, logged here).  A
 * damaged environment ends the process: the next start recovers it.
 * Process: the server's engine.
 */
#define STORE_KEY_MAXBYTES	512
#define STORE_VALUE_MAXBYTES	(1024 * 1024)
#define STORE_LOG_BYTES		(1024 * 1024)	/* one log file */
#define STORE_CACHE_BYTES	(1024 * 1024)
#define STORE_BALLAST_BYTES	(4 * 1024 * 1024)

/* Order is that of names in store.c; a new one goes to the end. */
enum store_table {
	STORE_META,
	STORE_HOSTS,
	STORE_TOKENS,
	STORE_EVENTS,
	STORE_REVOKED,
	STORE_AUDIT,
	STORE_SETTINGS,
	STORE_POLICIES,
	STORE_HISTORY,
	STORE_HISTORY_IDS,
	STORE_HISTORY_ORDER,
	STORE_HOOKS,
	STORE_QUARANTINE,
	STORE_NTABLES
};

struct store;
struct store_txn;

/*
 * Open or create, recover, and bring the schema up to date.
 *	version	of the schema this program writes, from 1
 *	migrate	called in one transaction per step with the version found,
 *		until version is reached; returns 0, or -1 with errno; may be
 *		NULL when version is 1
 * Returns NULL with the reason logged: EPROTO when the database is newer than
 * this program, ENOSPC when recovery lacks space even without the ballast.
 */
struct store	*store_open(uint32_t version,
		    int (*migrate)(struct store_txn *, uint32_t from));
/* Checkpoint and close; NULL is fine. */
void		 store_close(struct store *);
/* For a timer: writes pages back, removes old logs, makes the ballast again
 * when there is space.  0, or -1 as above. */
int		 store_checkpoint(struct store *);
/* True from ENOSPC until a commit succeeds; for status. */
bool		 store_is_full(const struct store *);

/*
 * Run fn in a transaction.  Commits (synchronously on disk) when it returns
 * 0, else rolls back.  Returns 0, or -1 with fn's errno or that of the commit.
 * store_view() always rolls back and refuses writes (EROFS).
 */
int	 store_update(struct store *, int (*fn)(struct store_txn *, void *),
	    void *);
int	 store_view(struct store *, int (*fn)(struct store_txn *, void *),
	    void *);

/* 1 with malloc'd *value (caller frees; never NULL), 0 absent, -1. */
int	 store_get(struct store_txn *, enum store_table, const void *key,
	    size_t keylen, uint8_t **value, size_t *len);
/* 0, or -1; with STORE_NEW EEXIST when the key exists. */
#define STORE_NEW	0x01
int	 store_put(struct store_txn *, enum store_table, const void *key,
	    size_t keylen, const void *value, size_t len, int flags);
/* 1 deleted, 0 absent, -1. */
int	 store_del(struct store_txn *, enum store_table, const void *key,
	    size_t keylen);
/* Records, or -1; reads the whole table. */
ssize_t	 store_count(struct store_txn *, enum store_table);

/*
 * Visit records in key order.
 *	from	ascending: first key at or after; descending: first key at or
 *		before; NULL: from the end of the table
 *	limit	most records visited, 0: all
 * The callback borrows key and value and must not use the transaction.
 * Returns the number visited, or -1 (errno of a callback that failed too).
 */
enum store_next {
	STORE_GOON,
	STORE_STOP,
	STORE_DROP,	/* delete this record and go on (store_update only) */
	STORE_FAIL	/* errno is set */
};
typedef enum store_next (*store_visit)(const uint8_t *key, size_t keylen,
	    const uint8_t *value, size_t len, void *arg);
ssize_t	 store_walk(struct store_txn *, enum store_table, bool descending,
	    const void *from, size_t fromlen, size_t limit, store_visit,
	    void *arg);

#endif /* STORE_H */
