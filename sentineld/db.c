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

#include "compat.h"

#include <errno.h>
#include <stdlib.h>

#include "db_int.h"
#include "log.h"
#include "utf8.h"

#define DB_RECORD_MAXBYTES	STORE_VALUE_MAXBYTES
#define DB_ARENA_MAXALLOCS	10000

struct walk {
	enum store_table			 wk_table;
	const ProtobufCMessageDescriptor	*wk_desc;
	db_visit				 wk_visit;
	void					*wk_arg;
	ssize_t					 wk_visited;
};

static enum store_next	 db_walk_one(const uint8_t *, size_t,
			    const uint8_t *, size_t, void *);

void *
db_unpack(enum store_table table, const ProtobufCMessageDescriptor *desc,
    const void *key, size_t keylen, const uint8_t *value, size_t len,
    struct pbmem *pm)
{
	const char	*why;
	char		 text[64];
	void		*m;

	if ((m = pbcheck_unpack(desc, value, len, pm, &why)) != NULL)
		return (m);
	(void)utf8_vis(text, sizeof(text), key, keylen);
	log_warnx("db: table %d: record \"%s\": %s", (int)table, text, why);
	errno = EBADMSG;
	return (NULL);
}

int
db_get(struct store_txn *tx, enum store_table table, const void *key,
    size_t keylen, const ProtobufCMessageDescriptor *desc, struct pbmem *pm,
    void **out)
{
	uint8_t	*value;
	size_t	 len;
	int	 ret;

	*out = NULL;
	if ((ret = store_get(tx, table, key, keylen, &value, &len)) != 1)
		return (ret);
	*out = db_unpack(table, desc, key, keylen, value, len, pm);
	free(value);
	return (*out == NULL ? -1 : 1);
}

int
db_put(struct store_txn *tx, enum store_table table, const void *key,
    size_t keylen, const ProtobufCMessage *m, int flags)
{
	uint8_t	*value;
	char	 why[128];
	size_t	 len;
	int	 ret;

	if ((value = pbcheck_pack(m, DB_RECORD_MAXBYTES, &len)) == NULL)
		return (-1);
	if (pbcheck_scan(m->descriptor, value, len, why, sizeof(why)) == -1) {
		log_warnx("db: record not written: %s", why);
		free(value);
		errno = EINVAL;
		return (-1);
	}
	ret = store_put(tx, table, key, keylen, value, len, flags);
	free(value);
	return (ret);
}

ssize_t
db_walk(struct store_txn *tx, enum store_table table, bool descending,
    const void *from, size_t fromlen, const ProtobufCMessageDescriptor *desc,
    db_visit visit, void *arg)
{
	struct walk	 wk = { table, desc, visit, arg, 0 };

	if (store_walk(tx, table, descending, from, fromlen, 0, db_walk_one,
	    &wk) == -1)
		return (-1);
	return (wk.wk_visited);
}

static enum store_next
db_walk_one(const uint8_t *key, size_t keylen, const uint8_t *value,
    size_t len, void *arg)
{
	struct walk	*wk = arg;
	struct pbmem	 pm;
	enum store_next	 next = STORE_GOON;
	void		*m;

	pbmem_init(&pm, PBMEM_MAXBYTES, DB_ARENA_MAXALLOCS);
	m = db_unpack(wk->wk_table, wk->wk_desc, key, keylen, value, len,
	    &pm);
	if (m != NULL) {
		wk->wk_visited++;
		next = wk->wk_visit(key, keylen, m, wk->wk_arg);
	}
	pbmem_free(&pm);
	return (next);
}
