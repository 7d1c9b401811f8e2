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

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db_history.h"
#include "db_int.h"

#define DESC		(&sentinel__store__history_row__descriptor)
#define HOST_LEN	32
#define ROW_KEY		(HOST_LEN + 8)
#define ID_KEY		(HOST_LEN + DB_HISTORY_HASH)

static void	 row_key(uint8_t[ROW_KEY], const char *, uint64_t);
static void	 row_host(const uint8_t *, char[HOST_LEN + 1]);
static uint64_t	 row_number(const uint8_t *);
static int	 newest(struct store_txn *, const char *, uint64_t *);
static int	 next_order(struct store_txn *, uint64_t *);
static int	 bury(struct store_txn *, const uint8_t *);
static int	 forget(struct store_txn *, const uint8_t *);
static int	 load(struct store_txn *, const uint8_t *, struct pbmem *,
		    Sentinel__Store__HistoryRow **);

/* --- keys ---------------------------------------------------------------- */

static void
row_key(uint8_t key[ROW_KEY], const char *host, uint64_t n)
{
	uint64_t	 be = htobe64(n);

	memset(key, 0, HOST_LEN);
	memcpy(key, host, strnlen(host, HOST_LEN));
	memcpy(key + HOST_LEN, &be, sizeof(be));
}

static void
row_host(const uint8_t *key, char host[HOST_LEN + 1])
{
	memcpy(host, key, HOST_LEN);
	host[HOST_LEN] = '\0';
}

static uint64_t
row_number(const uint8_t *key)
{
	uint64_t	 be;

	memcpy(&be, key + HOST_LEN, sizeof(be));
	return (be64toh(be));
}

struct newest_query {
	const uint8_t	*nq_key;
	uint64_t	 nq_number;
};

static enum store_next
newest_visit(const uint8_t *key, size_t keylen, const uint8_t *value,
    size_t len, void *arg)
{
	struct newest_query	*q = arg;

	(void)value;
	(void)len;
	if (keylen == ROW_KEY && memcmp(key, q->nq_key, HOST_LEN) == 0)
		q->nq_number = row_number(key);
	return (STORE_STOP);
}

/* Number of a host's newest row or remembered id; 0: none. */
static int
newest(struct store_txn *tx, const char *host, uint64_t *n)
{
	struct newest_query	 q;
	uint8_t			 from[ROW_KEY];

	row_key(from, host, UINT64_MAX);
	q.nq_key = from;
	q.nq_number = 0;
	if (store_walk(tx, STORE_HISTORY, true, from, sizeof(from), 1,
	    newest_visit, &q) == -1)
		return (-1);
	*n = q.nq_number;
	return (0);
}

static enum store_next
order_visit(const uint8_t *key, size_t keylen, const uint8_t *value,
    size_t len, void *arg)
{
	uint64_t	 be;

	(void)value;
	(void)len;
	if (keylen == sizeof(be)) {
		memcpy(&be, key, sizeof(be));
		*(uint64_t *)arg = be64toh(be);
	}
	return (STORE_STOP);
}

static int
next_order(struct store_txn *tx, uint64_t *order)
{
	*order = 0;
	if (store_walk(tx, STORE_HISTORY_ORDER, true, NULL, 0, 1,
	    order_visit, order) == -1)
		return (-1);
	(*order)++;
	return (0);
}

/* --- add ----------------------------------------------------------------- */

static int
load(struct store_txn *tx, const uint8_t *key, struct pbmem *pm,
    Sentinel__Store__HistoryRow **row)
{
	void	*m;
	int	 rc;

	rc = db_get(tx, STORE_HISTORY, key, ROW_KEY, DESC, pm, &m);
	*row = m;
	return (rc);
}

/* A tombstone: of the row only its id stays, so that it is known again. */
static int
bury(struct store_txn *tx, const uint8_t *key)
{
	Sentinel__Store__HistoryRow	*row, rest;
	struct pbmem			 pm;
	uint64_t			 be;
	int				 rc;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	rc = load(tx, key, &pm, &row);
	if (rc == 1 && row->order != 0) {
		be = htobe64(row->order);
		sentinel__store__history_row__init(&rest);
		rest.id_hash = row->id_hash;
		rest.stored_msec = row->stored_msec;
		if (store_del(tx, STORE_HISTORY_ORDER, &be, sizeof(be)) ==
		    -1 || db_put(tx, STORE_HISTORY, key, ROW_KEY, &rest.base,
		    0) == -1)
			rc = -1;
	}
	pbmem_free(&pm);
	return (rc == -1 ? -1 : 0);
}

/* Nothing stays. */
static int
forget(struct store_txn *tx, const uint8_t *key)
{
	Sentinel__Store__HistoryRow	*row;
	struct pbmem			 pm;
	uint8_t				 id[ID_KEY];
	int				 rc;

	if (bury(tx, key) == -1)
		return (-1);
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if ((rc = load(tx, key, &pm, &row)) == 1) {
		memcpy(id, key, HOST_LEN);
		memcpy(id + HOST_LEN, row->id_hash.data, DB_HISTORY_HASH);
		if (store_del(tx, STORE_HISTORY_IDS, id, sizeof(id)) == -1 ||
		    store_del(tx, STORE_HISTORY, key, ROW_KEY) == -1)
			rc = -1;
	}
	pbmem_free(&pm);
	return (rc == -1 ? -1 : 0);
}

int
db_history_add(struct store_txn *tx, const char *host,
    Sentinel__Store__HistoryRow *row)
{
	uint8_t		 key[ROW_KEY], id[ID_KEY], old[ROW_KEY], *value;
	uint64_t	 n, be;
	size_t		 len;
	int		 rc;

	if (row->id_hash.len != DB_HISTORY_HASH || host[0] == '\0' ||
	    strlen(host) > HOST_LEN) {
		errno = EINVAL;
		return (-1);
	}
	row_key(id, host, 0);
	memcpy(id + HOST_LEN, row->id_hash.data, DB_HISTORY_HASH);
	if ((rc = store_get(tx, STORE_HISTORY_IDS, id, sizeof(id), &value,
	    &len)) != 0) {
		free(value);
		return (rc == 1 ? 0 : -1);
	}
	if (newest(tx, host, &n) == -1 || next_order(tx, &row->order) == -1)
		return (-1);
	n++;
	row_key(key, host, n);
	if (db_put(tx, STORE_HISTORY, key, sizeof(key), &row->base,
	    STORE_NEW) == -1)
		return (-1);
	be = htobe64(row->order);
	if (store_put(tx, STORE_HISTORY_ORDER, &be, sizeof(be), key,
	    sizeof(key), STORE_NEW) == -1)
		return (-1);
	be = htobe64(n);
	if (store_put(tx, STORE_HISTORY_IDS, id, sizeof(id), &be, sizeof(be),
	    STORE_NEW) == -1)
		return (-1);
	/* Numbers have no gaps: the one that is too much is known. */
	if (n > DB_HISTORY_KEEP) {
		row_key(old, host, n - DB_HISTORY_KEEP);
		if (bury(tx, old) == -1)
			return (-1);
	}
	if (n > DB_HISTORY_IDS_KEEP) {
		row_key(old, host, n - DB_HISTORY_IDS_KEEP);
		if (forget(tx, old) == -1)
			return (-1);
	}
	return (1);
}

/* --- walk ---------------------------------------------------------------- */

/* Keys of rows, newest first. */
struct keys {
	uint8_t		(*ks_key)[ROW_KEY];
	size_t		 ks_len;
	size_t		 ks_max;
	const uint8_t	*ks_host;	/* NULL: all */
	const char	*ks_container;
	uint64_t	 ks_from;
};

static enum store_next
collect_order(const uint8_t *key, size_t keylen, const uint8_t *value,
    size_t len, void *arg)
{
	struct keys	*ks = arg;
	uint64_t	 be = 0;

	if (keylen == sizeof(be))
		memcpy(&be, key, sizeof(be));
	if (be64toh(be) < ks->ks_from)
		return (STORE_STOP);
	if (len == ROW_KEY)
		memcpy(ks->ks_key[ks->ks_len++], value, ROW_KEY);
	return (ks->ks_len < ks->ks_max ? STORE_GOON : STORE_STOP);
}

static enum store_next
collect_host(const uint8_t *key, size_t keylen, const void *record,
    void *arg)
{
	const Sentinel__Store__HistoryRow	*row = record;
	struct keys				*ks = arg;

	if (keylen != ROW_KEY || memcmp(key, ks->ks_host, HOST_LEN) != 0 ||
	    row->order == 0 || row->order < ks->ks_from)
		return (STORE_STOP);
	if (ks->ks_container == NULL ||
	    strcmp(row->container, ks->ks_container) == 0)
		memcpy(ks->ks_key[ks->ks_len++], key, ROW_KEY);
	return (ks->ks_len < ks->ks_max ? STORE_GOON : STORE_STOP);
}

ssize_t
db_history_walk(struct store_txn *tx, const char *host,
    const char *container, uint64_t first, size_t limit,
    db_history_visit fn, void *arg)
{
	Sentinel__Store__HistoryRow	*row;
	struct keys			 ks = { .ks_max = limit,
					    .ks_from = first };
	struct pbmem			 pm;
	uint8_t				 from[ROW_KEY];
	char				 id[HOST_LEN + 1];
	ssize_t				 rc, n = 0;
	bool				 go = true;

	if (limit == 0)
		return (0);
	if ((ks.ks_key = calloc(limit, ROW_KEY)) == NULL)
		return (-1);
	if (host == NULL)
		rc = store_walk(tx, STORE_HISTORY_ORDER, true, NULL, 0, 0,
		    collect_order, &ks);
	else {
		row_key(from, host, UINT64_MAX);
		ks.ks_host = from;
		ks.ks_container = container;
		rc = db_walk(tx, STORE_HISTORY, true, from, sizeof(from),
		    DESC, collect_host, &ks);
	}
	while (rc != -1 && go && ks.ks_len > 0) {
		pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
		rc = load(tx, ks.ks_key[--ks.ks_len], &pm, &row);
		if (rc == -1 && errno == EBADMSG)
			rc = 0;		/* logged, and left out */
		else if (rc == 1) {
			row_host(ks.ks_key[ks.ks_len], id);
			go = fn(id, row, arg);
			n++;
		}
		pbmem_free(&pm);
	}
	free(ks.ks_key);
	return (rc == -1 ? -1 : n);
}

/* --- age ----------------------------------------------------------------- */

struct sweep {
	int64_t	 sw_now;
	uint8_t	 sw_key[DB_HISTORY_SWEEP_MAX][ROW_KEY];
	bool	 sw_forget[DB_HISTORY_SWEEP_MAX];
	size_t	 sw_len;
	size_t	 sw_seen;
	uint8_t	*sw_at;
};

static enum store_next
sweep_visit(const uint8_t *key, size_t keylen, const void *record, void *arg)
{
	const Sentinel__Store__HistoryRow	*row = record;
	struct sweep				*sw = arg;
	const int64_t				 keep = DB_HISTORY_KEEP_SEC *
						    (int64_t)1000;
	int64_t					 age;

	if (keylen != ROW_KEY)
		return (STORE_GOON);
	memcpy(sw->sw_at, key, ROW_KEY);
	age = sw->sw_now - row->stored_msec;
	if (age > 2 * keep || (age > keep && row->order != 0)) {
		memcpy(sw->sw_key[sw->sw_len], key, ROW_KEY);
		sw->sw_forget[sw->sw_len++] = age > 2 * keep;
	}
	return (++sw->sw_seen < DB_HISTORY_SWEEP_MAX ? STORE_GOON :
	    STORE_STOP);
}

int
db_history_sweep(struct store_txn *tx, int64_t now, uint8_t at[40])
{
	static struct sweep	 sw;
	uint8_t			 from[ROW_KEY];
	size_t			 i;

	memset(&sw, 0, sizeof(sw));
	sw.sw_now = now;
	sw.sw_at = at;
	memcpy(from, at, ROW_KEY);
	if (db_walk(tx, STORE_HISTORY, false, from, sizeof(from), DESC,
	    sweep_visit, &sw) == -1)
		return (-1);
	for (i = 0; i < sw.sw_len; i++)
		if ((sw.sw_forget[i] ? forget(tx, sw.sw_key[i]) :
		    bury(tx, sw.sw_key[i])) == -1)
			return (-1);
	if (sw.sw_seen < DB_HISTORY_SWEEP_MAX) {
		memset(at, 0, ROW_KEY);		/* from the beginning again */
		return (0);
	}
	return (1);
}
