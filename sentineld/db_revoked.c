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
#include "hex.h"

#define DESC		(&sentinel__store__revoked__descriptor)
#define SERIAL_MAX	64

struct each {
	db_revoked_visit ea_fn;
	void		*ea_arg;
};

struct sweep {
	int64_t		 sw_now;
	ssize_t		 sw_dropped;
};

int
db_revoked_put(struct store_txn *tx, const char *serial,
    const Sentinel__Store__Revoked *r)
{
	size_t	 len = strlen(serial);

	if (len == 0 || len > SERIAL_MAX || !hex_is_valid(serial, len)) {
		errno = EINVAL;
		return (-1);
	}
	return (db_put(tx, STORE_REVOKED, serial, len, &r->base, 0));
}

int
db_revoked_has(struct store_txn *tx, const char *serial)
{
	uint8_t	*value;
	size_t	 len;
	int	 ret;

	/* Also true for a record that no longer unpacks. */
	ret = store_get(tx, STORE_REVOKED, serial, strlen(serial), &value,
	    &len);
	free(value);
	return (ret);
}

static enum store_next
revoked_each(const uint8_t *key, size_t keylen, const void *record, void *arg)
{
	struct each	*ea = arg;
	char		 serial[SERIAL_MAX + 1];

	if (keylen > SERIAL_MAX)
		return (STORE_GOON);
	memcpy(serial, key, keylen);
	serial[keylen] = '\0';
	return (ea->ea_fn(serial, record, ea->ea_arg) ? STORE_GOON :
	    STORE_STOP);
}

ssize_t
db_revoked_walk(struct store_txn *tx, db_revoked_visit fn, void *arg)
{
	struct each	 ea = { fn, arg };

	return (db_walk(tx, STORE_REVOKED, false, NULL, 0, DESC,
	    revoked_each, &ea));
}

static enum store_next
revoked_old(const uint8_t *key, size_t keylen, const void *record, void *arg)
{
	const Sentinel__Store__Revoked	*r = record;
	struct sweep			*sw = arg;

	(void)key;
	(void)keylen;
	/* One whose end is not known stays. */
	if (r->not_after == 0 ||
	    r->not_after + DB_REVOKED_KEEP_SEC >= sw->sw_now)
		return (STORE_GOON);
	sw->sw_dropped++;
	return (STORE_DROP);
}

ssize_t
db_revoked_sweep(struct store_txn *tx, int64_t now)
{
	struct sweep	 sw = { now, 0 };

	if (db_walk(tx, STORE_REVOKED, false, NULL, 0, DESC, revoked_old,
	    &sw) == -1)
		return (-1);
	return (sw.sw_dropped);
}
