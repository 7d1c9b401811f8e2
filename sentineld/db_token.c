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
#include <string.h>

#include "db_int.h"

#define DESC	(&sentinel__store__token__descriptor)

struct each {
	db_token_visit	 ea_fn;
	void		*ea_arg;
};

struct sweep {
	int64_t		 sw_before;
	ssize_t		 sw_dropped;
};

int
db_token_get(struct store_txn *tx, const char *id, struct pbmem *pm,
    Sentinel__Store__Token **out)
{
	void	*m;
	int	 ret;

	ret = db_get(tx, STORE_TOKENS, id, strlen(id), DESC, pm, &m);
	*out = m;
	return (ret);
}

int
db_token_new(struct store_txn *tx, const Sentinel__Store__Token *t)
{
	ssize_t	 n;

	if ((n = store_count(tx, STORE_TOKENS)) == -1)
		return (-1);
	if (n >= DB_TOKENS_MAX) {
		errno = ENOBUFS;
		return (-1);
	}
	return (db_put(tx, STORE_TOKENS, t->id, strlen(t->id), &t->base,
	    STORE_NEW));
}

int
db_token_put(struct store_txn *tx, const Sentinel__Store__Token *t)
{
	return (db_put(tx, STORE_TOKENS, t->id, strlen(t->id), &t->base, 0));
}

static enum store_next
token_each(const uint8_t *key, size_t keylen, const void *record, void *arg)
{
	struct each	*ea = arg;

	(void)key;
	(void)keylen;
	return (ea->ea_fn(record, ea->ea_arg) ? STORE_GOON : STORE_STOP);
}

ssize_t
db_token_walk(struct store_txn *tx, db_token_visit fn, void *arg)
{
	struct each	 ea = { fn, arg };

	return (db_walk(tx, STORE_TOKENS, false, NULL, 0, DESC, token_each,
	    &ea));
}

static enum store_next
token_old(const uint8_t *key, size_t keylen, const void *record, void *arg)
{
	const Sentinel__Store__Token	*t = record;
	struct sweep			*sw = arg;

	(void)key;
	(void)keylen;
	if (t->expires_at >= sw->sw_before)
		return (STORE_GOON);
	sw->sw_dropped++;
	return (STORE_DROP);
}

ssize_t
db_token_sweep(struct store_txn *tx, int64_t now)
{
	struct sweep	 sw = { now - DB_TOKEN_KEEP_SEC, 0 };

	if (db_walk(tx, STORE_TOKENS, false, NULL, 0, DESC, token_old,
	    &sw) == -1)
		return (-1);
	return (sw.sw_dropped);
}
