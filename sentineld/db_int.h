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

#ifndef DB_INT_H
#define DB_INT_H

#include "compat.h"

#include "db.h"
#include "pbcheck.h"

/* For db_*.c only. */

/* Value to message in the arena; NULL with EBADMSG, logged with the key. */
void	*db_unpack(enum store_table, const ProtobufCMessageDescriptor *,
	    const void *key, size_t keylen, const uint8_t *, size_t,
	    struct pbmem *);
/* 1, 0 absent, -1 */
int	 db_get(struct store_txn *, enum store_table, const void *key,
	    size_t keylen, const ProtobufCMessageDescriptor *, struct pbmem *,
	    void **);
/* Refuses with EINVAL what db_unpack would not take back. */
int	 db_put(struct store_txn *, enum store_table, const void *key,
	    size_t keylen, const ProtobufCMessage *, int flags);

/*
 * store_walk over records that unpack; each lives until the visitor returns.
 * The visitor answers STORE_GOON, STORE_STOP or STORE_DROP.  Number visited
 * or -1.
 */
typedef enum store_next (*db_visit)(const uint8_t *key, size_t keylen,
	    const void *record, void *arg);
ssize_t	 db_walk(struct store_txn *, enum store_table, bool descending,
	    const void *from, size_t fromlen,
	    const ProtobufCMessageDescriptor *, db_visit, void *);

/* --- db_target.c: keys that are host id "/" container ------------------- */
#define DB_TARGET_SIZE	(64 + 1 + 255 + 1)

/* Container "": of the host itself, and where all of it begins.  Its length;
 * -1 with EINVAL for what cannot be a host's id or a name of Docker's. */
int	 db_target_key(char[DB_TARGET_SIZE], const char *host_id,
	    const char *container);
/* All of a host; their number or -1. */
ssize_t	 db_target_drop_host(struct store_txn *, enum store_table,
	    const char *host_id);
/* Records whose keys begin so, in order, until the visitor returns false;
 * len 0: all.  Their number or -1. */
typedef bool (*db_prefix_visit)(const void *record, void *arg);
ssize_t	 db_prefix_walk(struct store_txn *, enum store_table,
	    const char *prefix, size_t len,
	    const ProtobufCMessageDescriptor *, db_prefix_visit, void *);
ssize_t	 db_prefix_drop(struct store_txn *, enum store_table,
	    const char *prefix, size_t len);

#endif /* DB_INT_H */
