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
#include <string.h>

#include "db_int.h"
#include "xmalloc.h"

#define TOKEN_ID_SIZE	9

struct ids {
	char	(*id_text)[TOKEN_ID_SIZE];
	size_t	 id_len;
};

static int	 list_enrolled(struct store_txn *);
static bool	 collect(const Sentinel__Store__Token *, void *);
static int	 list_one(struct store_txn *, const char *);

int
db_migrate(struct store_txn *tx, uint32_t from)
{
	switch (from) {
	case 1:
		return (list_enrolled(tx));
	default:
		errno = EPROTO;
		return (-1);
	}
}

/* --- schema 2 ----------------------------------------------------------- */

/* A walk must not write, so the ids are collected first. */
static bool
collect(const Sentinel__Store__Token *t, void *arg)
{
	struct ids	*ids = arg;

	if (t->host_id[0] == '\0' || ids->id_len == DB_TOKENS_MAX)
		return (true);
	(void)strlcpy(ids->id_text[ids->id_len++], t->id, TOKEN_ID_SIZE);
	return (true);
}

static int
list_enrolled(struct store_txn *tx)
{
	struct ids	 ids = { NULL, 0 };
	size_t		 i;
	int		 ret = 0;

	ids.id_text = xcalloc(DB_TOKENS_MAX, TOKEN_ID_SIZE);
	if (db_token_walk(tx, collect, &ids) == -1)
		ret = -1;
	for (i = 0; ret == 0 && i < ids.id_len; i++)
		ret = list_one(tx, ids.id_text[i]);
	free(ids.id_text);
	return (ret);
}

static int
list_one(struct store_txn *tx, const char *id)
{
	Sentinel__Store__TokenUse	 use, *list[1] = { &use };
	Sentinel__Store__Host		*h;
	Sentinel__Store__Token		*t;
	struct pbmem			 pm;
	static char			 empty[1];
	int				 ret = -1;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if (db_token_get(tx, id, &pm, &t) != 1)
		goto out;
	sentinel__store__token_use__init(&use);
	if (!t->seen)
		use.point = t->point;
	use.host_id = t->host_id;
	use.serial = t->serial;
	use.consumed_at = t->consumed_at;
	use.seen = t->seen;
	if ((ret = db_host_get(tx, t->host_id, &pm, &h)) == -1)
		goto out;
	if (ret == 1)
		use.not_after = h->cert_not_after;
	t->enrolled = list;
	t->n_enrolled = 1;
	t->host_id = t->serial = empty;
	t->point.len = 0;
	t->consumed_at = 0;
	t->seen = false;
	ret = db_token_put(tx, t);
 out:
	pbmem_free(&pm);
	return (ret);
}
