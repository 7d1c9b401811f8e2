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
#include <strings.h>

#include "db_int.h"

#define DESC	(&sentinel__store__host__descriptor)

struct each {
	db_host_visit	 ea_fn;
	void		*ea_arg;
};

int
db_host_get(struct store_txn *tx, const char *id, struct pbmem *pm,
    Sentinel__Store__Host **out)
{
	void	*m;
	int	 ret;

	ret = db_get(tx, STORE_HOSTS, id, strlen(id), DESC, pm, &m);
	*out = m;
	return (ret);
}

int
db_host_put(struct store_txn *tx, const Sentinel__Store__Host *h)
{
	return (db_put(tx, STORE_HOSTS, h->id, strlen(h->id), &h->base, 0));
}

int
db_host_del(struct store_txn *tx, const char *id)
{
	return (store_del(tx, STORE_HOSTS, id, strlen(id)));
}

static enum store_next
host_each(const uint8_t *key, size_t keylen, const void *record, void *arg)
{
	struct each	*ea = arg;

	(void)key;
	(void)keylen;
	return (ea->ea_fn(record, ea->ea_arg) ? STORE_GOON : STORE_STOP);
}

ssize_t
db_host_walk(struct store_txn *tx, db_host_visit fn, void *arg)
{
	struct each	 ea = { fn, arg };

	return (db_walk(tx, STORE_HOSTS, false, NULL, 0, DESC, host_each,
	    &ea));
}
