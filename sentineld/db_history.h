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

#ifndef DB_HISTORY_H
#define DB_HISTORY_H

#include "compat.h"

#include "db.h"

/*
 * Rows of the history, each once by host and entry id.  The newest
 * DB_HISTORY_KEEP of a host are kept for DB_HISTORY_KEEP_SEC; of those that
 * went, the ids of DB_HISTORY_IDS_KEEP in all are remembered for twice as
 * long, so that what comes again then is still known.  One host's rows never
 * push out another's.
 */
#define DB_HISTORY_KEEP		4000
#define DB_HISTORY_IDS_KEEP	16000
#define DB_HISTORY_KEEP_SEC	(90 * 86400)
#define DB_HISTORY_HASH		20
#define DB_HISTORY_SWEEP_MAX	200	/* records in one transaction */

typedef bool (*db_history_visit)(const char *host,
	    const Sentinel__Store__HistoryRow *, void *);

/*
 * Gives the row its order; id_hash and stored_msec are set.  1 stored, 0 the
 * id is known, -1.
 */
int	 db_history_add(struct store_txn *, const char *host,
	    Sentinel__Store__HistoryRow *);
/*
 * Newest limit rows, oldest first.
 *	host		NULL: of all
 *	container	NULL: any; only with a host
 *	from		only those with this order or a higher one
 */
ssize_t	 db_history_walk(struct store_txn *, const char *host,
	    const char *container, uint64_t from, size_t limit,
	    db_history_visit, void *);
/*
 * Rows that are too old become remembered ids, and ids that are too old go;
 * at most DB_HISTORY_SWEEP_MAX records a call.
 *	at	where to go on, 40 bytes, zeroed at first
 * 1 there may be more, 0 all is done for now, -1.
 */
int	 db_history_sweep(struct store_txn *, int64_t now_msec,
	    uint8_t at[40]);

#endif /* DB_HISTORY_H */
