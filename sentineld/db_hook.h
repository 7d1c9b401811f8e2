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

#ifndef DB_HOOK_H
#define DB_HOOK_H

#include "db.h"

/*
 * Hooks that an operator has set, key = host id "/" container "/" phase.  As
 * in db.h; at most DB_HOOKS_MAX of a host.
 */
#define DB_HOOKS_MAX	256

typedef bool (*db_hook_visit)(const Sentinel__Store__Hook *, void *);
/* 0, -1: EINVAL for a name that cannot be one of Docker's, ENOSPC */
int	 db_hook_put(struct store_txn *, const Sentinel__Store__Hook *);
int	 db_hook_del(struct store_txn *, const char *host_id,
	    const char *container, const char *phase);	/* 1, 0, -1 */
/* Of a host, "" all; of a container, "" all.  In order of their keys. */
ssize_t	 db_hook_walk(struct store_txn *, const char *host_id,
	    const char *container, db_hook_visit, void *);
/* All of a host; their number or -1. */
ssize_t	 db_hook_del_host(struct store_txn *, const char *host_id);

#endif /* DB_HOOK_H */
