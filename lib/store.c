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

#include "log.h"
#include "pbcheck.h"
#include "store.pb-c.h"
#include "store_int.h"
#include "xmalloc.h"

/* Order is that of enum store_table; names are in the database for ever. */
const char *const store_tables[STORE_NTABLES] = {
	"meta", "hosts", "tokens", "events", "revoked", "audit",
	"settings", "policies",
	"history", "history_ids", "history_order", "hooks", "quarantine"
};

#define SCHEMA_KEY	"schema"

struct migration {
	uint32_t	 mg_found;	/* 0: a new database */
	uint32_t	 mg_want;
	int		(*mg_step)(struct store_txn *, uint32_t);
};

static int	 store_migrate(struct store *, uint32_t,
		    int (*)(struct store_txn *, uint32_t));
static int	 schema_read(struct store_txn *, void *);
static int	 schema_step(struct store_txn *, void *);
static int	 store_run(struct store *, int (*)(struct store_txn *, void *),
		    void *, bool);
static void	 dbt_set(DBT *, const void *, size_t);
static int	 cursor_start(DBC *, DBT *, DBT *, bool, const void *,
		    size_t);
static int	 txn_fail(struct store_txn *, int, const char *,
		    enum store_table);
static int	 key_cmp(const DBT *, const void *, size_t);

struct store *
store_open(uint32_t version, int (*migrate)(struct store_txn *, uint32_t))
{
	struct store	*st;
	int		 saved;

	st = xcalloc(1, sizeof(*st));
	if (store_env_open(st) == -1 ||
	    store_migrate(st, version, migrate) == -1) {
		saved = errno;
		store_env_close(st);
		free(st);
		errno = saved;
		return (NULL);
	}
	return (st);
}

void
store_close(struct store *st)
{
	if (st == NULL)
		return;
	if (st->st_busy)
		fatalx("store_close: a transaction is open");
	(void)store_checkpoint(st);
	store_env_close(st);
	free(st);
}

int
store_checkpoint(struct store *st)
{
	int	 rc;

	if (st->st_busy)
		fatalx("store_checkpoint: a transaction is open");
	if ((rc = st->st_env->txn_checkpoint(st->st_env, 0, 0, 0)) != 0)
		return (store_fail(st, rc, "checkpoint", NULL));
	return (st->st_ballast ? 0 : store_ballast_make(st));
}

bool
store_is_full(const struct store *st)
{
	return (st->st_full);
}

/* --- transactions ------------------------------------------------------- */

int
store_update(struct store *st, int (*fn)(struct store_txn *, void *),
    void *arg)
{
	if (!st->st_ballast && store_ballast_make(st) == -1)
		return (-1);
	return (store_run(st, fn, arg, true));
}

int
store_view(struct store *st, int (*fn)(struct store_txn *, void *),
    void *arg)
{
	return (store_run(st, fn, arg, false));
}

static int
store_run(struct store *st, int (*fn)(struct store_txn *, void *), void *arg,
    bool write)
{
	struct store_txn	 tx;
	int			 rc, result, saved;

	/* Two open transactions on one page panic the environment. */
	if (st->st_busy)
		fatalx("store: a transaction inside a transaction");
	tx.tx_store = st;
	tx.tx_write = write;
	tx.tx_errno = 0;
	rc = st->st_env->txn_begin(st->st_env, NULL, &tx.tx_txn,
	    DB_TXN_NOWAIT);
	if (rc != 0)
		return (store_fail(st, rc, "begin", NULL));
	st->st_busy = true;
	errno = 0;
	result = fn(&tx, arg);
	saved = errno;
	st->st_busy = false;
	/* Half of it must not last, even when fn overlooked an error. */
	if (result == 0 && tx.tx_errno != 0) {
		result = -1;
		saved = tx.tx_errno;
	}
	if (result != 0 || !write) {
		if ((rc = tx.tx_txn->abort(tx.tx_txn)) != 0)
			return (store_fail(st, rc, "abort", NULL));
		errno = saved;
		return (result == 0 ? 0 : -1);
	}
	if ((rc = tx.tx_txn->commit(tx.tx_txn, 0)) != 0)
		return (store_fail(st, rc, "commit", NULL));
	store_set_full(st, false);
	return (0);
}

int
store_fail(struct store *st, int rc, const char *what, const char *table)
{
	if (rc == DB_RUNRECOVERY)
		fatalx("store: %s: the database is damaged in memory; the "
		    "next start recovers it", what);
	if (rc == DB_KEYEXIST) {
		errno = EEXIST;
	} else if (rc == ENOSPC || rc == EDQUOT ||
	    (rc == EIO && store_disk_full())) {
		store_set_full(st, true);
		errno = ENOSPC;
	} else {
		log_warnx("store: %s%s%s: %s", what, table == NULL ? "" : " ",
		    table == NULL ? "" : table, db_strerror(rc));
		errno = rc == ENOMEM ? ENOMEM : EIO;
	}
	return (-1);
}

/* --- records ------------------------------------------------------------ */

int
store_get(struct store_txn *tx, enum store_table table, const void *key,
    size_t keylen, uint8_t **value, size_t *len)
{
	DB	*db = tx->tx_store->st_db[table];
	DBT	 k, v;
	int	 rc;

	*value = NULL;
	*len = 0;
	dbt_set(&k, key, keylen);
	memset(&v, 0, sizeof(v));
	v.flags = DB_DBT_MALLOC;
	if ((rc = db->get(db, tx->tx_txn, &k, &v, 0)) == DB_NOTFOUND)
		return (0);
	if (rc != 0)
		return (txn_fail(tx, rc, "get", table));
	if (v.data == NULL)
		v.data = xmalloc(1);
	*value = v.data;
	*len = v.size;
	return (1);
}

int
store_put(struct store_txn *tx, enum store_table table, const void *key,
    size_t keylen, const void *value, size_t len, int flags)
{
	DB	*db = tx->tx_store->st_db[table];
	DBT	 k, v;
	int	 rc;

	if (!tx->tx_write) {
		errno = EROFS;
		return (-1);
	}
	if (keylen == 0 || keylen > STORE_KEY_MAXBYTES ||
	    len > STORE_VALUE_MAXBYTES) {
		errno = EMSGSIZE;
		return (-1);
	}
	dbt_set(&k, key, keylen);
	dbt_set(&v, value, len);
	rc = db->put(db, tx->tx_txn, &k, &v,
	    flags & STORE_NEW ? DB_NOOVERWRITE : 0);
	if (rc != 0)
		return (txn_fail(tx, rc, "put", table));
	return (0);
}

int
store_del(struct store_txn *tx, enum store_table table, const void *key,
    size_t keylen)
{
	DB	*db = tx->tx_store->st_db[table];
	DBT	 k;
	int	 rc;

	if (!tx->tx_write) {
		errno = EROFS;
		return (-1);
	}
	dbt_set(&k, key, keylen);
	if ((rc = db->del(db, tx->tx_txn, &k, 0)) == DB_NOTFOUND)
		return (0);
	if (rc != 0)
		return (txn_fail(tx, rc, "delete", table));
	return (1);
}

static enum store_next
count_one(const uint8_t *key, size_t keylen, const uint8_t *value, size_t len,
    void *arg)
{
	(void)key;
	(void)keylen;
	(void)value;
	(void)len;
	(void)arg;
	return (STORE_GOON);
}

ssize_t
store_count(struct store_txn *tx, enum store_table table)
{
	return (store_walk(tx, table, false, NULL, 0, 0, count_one, NULL));
}

ssize_t
store_walk(struct store_txn *tx, enum store_table table, bool descending,
    const void *from, size_t fromlen, size_t limit, store_visit visit,
    void *arg)
{
	DB		*db = tx->tx_store->st_db[table];
	DBC		*c;
	DBT		 k, v;
	enum store_next	 next = STORE_GOON;
	ssize_t		 n = 0;
	int		 rc, saved = 0;

	if ((rc = db->cursor(db, tx->tx_txn, &c, 0)) != 0)
		return (txn_fail(tx, rc, "cursor", table));
	rc = cursor_start(c, &k, &v, descending, from, fromlen);
	while (rc == 0 && next != STORE_STOP && next != STORE_FAIL) {
		next = visit(k.data, k.size, v.data, v.size, arg);
		saved = errno;
		n++;
		if (next == STORE_DROP) {
			if (!tx->tx_write) {
				saved = EROFS;
				next = STORE_FAIL;
				break;
			}
			if ((rc = c->del(c, 0)) != 0)
				break;
		}
		if (limit != 0 && (size_t)n == limit)
			break;
		rc = c->get(c, &k, &v, descending ? DB_PREV : DB_NEXT);
	}
	if (rc != 0 && rc != DB_NOTFOUND) {
		(void)c->close(c);
		return (txn_fail(tx, rc, "walk", table));
	}
	if ((rc = c->close(c)) != 0)
		return (txn_fail(tx, rc, "cursor", table));
	if (next == STORE_FAIL) {
		errno = saved;
		return (-1);
	}
	return (n);
}

/* To the first record of a walk; result of Berkeley DB. */
static int
cursor_start(DBC *c, DBT *k, DBT *v, bool descending, const void *from,
    size_t fromlen)
{
	int	 rc;

	memset(k, 0, sizeof(*k));
	memset(v, 0, sizeof(*v));
	if (from == NULL)
		return (c->get(c, k, v, descending ? DB_LAST : DB_FIRST));
	dbt_set(k, from, fromlen);
	rc = c->get(c, k, v, DB_SET_RANGE);
	if (!descending)
		return (rc);
	if (rc == DB_NOTFOUND)
		return (c->get(c, k, v, DB_LAST));
	if (rc == 0 && key_cmp(k, from, fromlen) != 0)
		return (c->get(c, k, v, DB_PREV));
	return (rc);
}

static int
key_cmp(const DBT *k, const void *key, size_t len)
{
	return (k->size == len && memcmp(k->data, key, len) == 0 ? 0 : 1);
}

static int
txn_fail(struct store_txn *tx, int rc, const char *what,
    enum store_table table)
{
	(void)store_fail(tx->tx_store, rc, what, store_tables[table]);
	if (errno != EEXIST)
		tx->tx_errno = errno;
	return (-1);
}

/* Berkeley DB does not write to what it is given. */
static void
dbt_set(DBT *d, const void *data, size_t len)
{
	memset(d, 0, sizeof(*d));
	memcpy(&d->data, &data, sizeof(d->data));
	d->size = (uint32_t)len;
}

/* --- schema ------------------------------------------------------------- */

static int
store_migrate(struct store *st, uint32_t version,
    int (*migrate)(struct store_txn *, uint32_t))
{
	struct migration	 mg = { 0, version, migrate };

	if (store_view(st, schema_read, &mg) == -1)
		return (-1);
	if (mg.mg_found > version) {
		log_warnx("store: the database has schema %u, this program "
		    "knows %u: use the newer program or an older backup",
		    mg.mg_found, version);
		errno = EPROTO;
		return (-1);
	}
	while (mg.mg_found < version) {
		if (mg.mg_found != 0)
			log_info("store: schema %u becomes %u", mg.mg_found,
			    mg.mg_found + 1);
		if (store_update(st, schema_step, &mg) == -1) {
			log_warn("store: schema %u", mg.mg_found);
			return (-1);
		}
	}
	return (0);
}

static int
schema_read(struct store_txn *tx, void *arg)
{
	struct migration		*mg = arg;
	Sentinel__Store__Schema		*sc;
	struct pbmem			 pm;
	uint8_t				*value;
	size_t				 len;
	int				 ret;

	ret = store_get(tx, STORE_META, SCHEMA_KEY, sizeof(SCHEMA_KEY) - 1,
	    &value, &len);
	if (ret != 1)
		return (ret);
	pbmem_init(&pm, PBMEM_SMALLBYTES, 100);
	sc = pbcheck_unpack(&sentinel__store__schema__descriptor, value, len,
	    &pm, NULL);
	free(value);
	if (sc == NULL)
		log_warnx("store: %s", pm.pm_why);
	else
		mg->mg_found = sc->version;
	pbmem_free(&pm);
	if (sc == NULL)
		errno = EBADMSG;
	return (sc == NULL ? -1 : 0);
}

/* One version up, or the first record of a new database. */
static int
schema_step(struct store_txn *tx, void *arg)
{
	struct migration	*mg = arg;
	Sentinel__Store__Schema	 sc;
	uint8_t			*value;
	size_t			 len;
	int			 ret;

	sentinel__store__schema__init(&sc);
	sc.version = mg->mg_found == 0 ? mg->mg_want : mg->mg_found + 1;
	if (mg->mg_found != 0 && (mg->mg_step == NULL ||
	    mg->mg_step(tx, mg->mg_found) == -1))
		return (-1);
	if ((value = pbcheck_pack(&sc.base, 64, &len)) == NULL)
		return (-1);
	ret = store_put(tx, STORE_META, SCHEMA_KEY, sizeof(SCHEMA_KEY) - 1,
	    value, len, 0);
	free(value);
	if (ret == 0)
		mg->mg_found = sc.version;
	return (ret);
}
