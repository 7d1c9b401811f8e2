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

#ifndef DB_QUARANTINE_H
#define DB_QUARANTINE_H

#include "db.h"

/*
 * Digests that containers were rolled back from, key = host id "/" container.
 * A host has room for DB_QUARANTINE_MAX containers: what came last to the one
 * that was changed longest ago goes for a new one, so that an agent that
 * makes up names fills its own room and no more.
 */
#define DB_QUARANTINE_MAX	512

typedef bool (*db_quarantine_visit)(const Sentinel__Store__Quarantine *,
	    void *);
/* 1, 0 absent, -1 */
int	 db_quarantine_get(struct store_txn *, const char *host_id,
	    const char *container, struct pbmem *,
	    Sentinel__Store__Quarantine **);
/* 0, -1: EINVAL for a name that cannot be one of Docker's */
int	 db_quarantine_put(struct store_txn *,
	    const Sentinel__Store__Quarantine *);
int	 db_quarantine_del(struct store_txn *, const char *host_id,
	    const char *container);			/* 1, 0, -1 */
/* Of a host, "" all, in order of their keys; their number or -1. */
ssize_t	 db_quarantine_walk(struct store_txn *, const char *host_id,
	    db_quarantine_visit, void *);
/* All of a host; their number or -1. */
ssize_t	 db_quarantine_del_host(struct store_txn *, const char *host_id);

#endif /* DB_QUARANTINE_H */
