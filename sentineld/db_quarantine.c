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

#include <stdlib.h>
#include <string.h>

#include "db_int.h"
#include "db_quarantine.h"

#define DESC	(&sentinel__store__quarantine__descriptor)

struct each {
	db_quarantine_visit	 ea_fn;
	void			*ea_arg;
};

/* Which one makes room. */
struct oldest {
	char	 ol_container[256];
	int64_t	 ol_time;
};

static bool	 quarantine_each(const void *, void *);
static bool	 quarantine_oldest(const void *, void *);
static int	 make_room(struct store_txn *, const char *);

int
db_quarantine_get(struct store_txn *tx, const char *host_id,
    const char *container, struct pbmem *pm, Sentinel__Store__Quarantine **q)
{
	char	 key[DB_TARGET_SIZE];
	void	*record = NULL;
	int	 len, rc;

	*q = NULL;
	if ((len = db_target_key(key, host_id, container)) == -1)
		return (-1);
	rc = db_get(tx, STORE_QUARANTINE, key, (size_t)len, DESC, pm, &record);
	if (rc == 1)
		*q = record;
	return (rc);
}

static bool
quarantine_oldest(const void *record, void *arg)
{
	const Sentinel__Store__Quarantine	*q = record;
	struct oldest				*ol = arg;
	int64_t					 newest = 0;
	size_t					 i;

	for (i = 0; i < q->n_items; i++)
		if (q->items[i]->time > newest)
			newest = q->items[i]->time;
	if (ol->ol_container[0] == '\0' || newest < ol->ol_time) {
		(void)strlcpy(ol->ol_container, q->container,
		    sizeof(ol->ol_container));
		ol->ol_time = newest;
	}
	return (true);
}

static int
make_room(struct store_txn *tx, const char *host_id)
{
	struct oldest	 ol = { .ol_time = 0 };
	char		 key[DB_TARGET_SIZE];
	ssize_t		 n;
	int		 len;

	if ((len = db_target_key(key, host_id, "")) == -1 ||
	    (n = db_prefix_walk(tx, STORE_QUARANTINE, key, (size_t)len, DESC,
	    quarantine_oldest, &ol)) == -1)
		return (-1);
	if (n < DB_QUARANTINE_MAX)
		return (0);
	return (db_quarantine_del(tx, host_id, ol.ol_container) == -1 ? -1 :
	    0);
}

int
db_quarantine_put(struct store_txn *tx, const Sentinel__Store__Quarantine *q)
{
	uint8_t	*value;
	char	 key[DB_TARGET_SIZE];
	size_t	 size;
	int	 len, rc;

	if ((len = db_target_key(key, q->host_id, q->container)) == -1)
		return (-1);
	rc = store_get(tx, STORE_QUARANTINE, key, (size_t)len, &value, &size);
	if (rc == -1)
		return (-1);
	if (rc == 1)
		free(value);
	else if (make_room(tx, q->host_id) == -1)
		return (-1);
	return (db_put(tx, STORE_QUARANTINE, key, (size_t)len, &q->base, 0));
}

int
db_quarantine_del(struct store_txn *tx, const char *host_id,
    const char *container)
{
	char	 key[DB_TARGET_SIZE];
	int	 len;

	if ((len = db_target_key(key, host_id, container)) == -1)
		return (-1);
	return (store_del(tx, STORE_QUARANTINE, key, (size_t)len));
}

static bool
quarantine_each(const void *record, void *arg)
{
	struct each	*ea = arg;

	return (ea->ea_fn(record, ea->ea_arg));
}

ssize_t
db_quarantine_walk(struct store_txn *tx, const char *host_id,
    db_quarantine_visit fn, void *arg)
{
	struct each	 ea = { fn, arg };
	char		 key[DB_TARGET_SIZE];
	int		 len = 0;

	if (host_id[0] != '\0' && (len = db_target_key(key, host_id, "")) ==
	    -1)
		return (-1);
	return (db_prefix_walk(tx, STORE_QUARANTINE, key, (size_t)len, DESC,
	    quarantine_each, &ea));
}

ssize_t
db_quarantine_del_host(struct store_txn *tx, const char *host_id)
{
	return (db_target_drop_host(tx, STORE_QUARANTINE, host_id));
}
