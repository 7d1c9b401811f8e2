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

#define DESC		(&sentinel__store__setting__descriptor)
#define NAME_MAXBYTES	64

struct each {
	db_setting_visit	 ea_fn;
	void			*ea_arg;
	size_t			 ea_n;
};

static enum store_next	 setting_each(const uint8_t *, size_t, const void *,
			    void *);

int
db_setting_put(struct store_txn *tx, const char *name,
    const Sentinel__Store__Setting *s)
{
	size_t	 len = strlen(name);

	if (len == 0 || len > NAME_MAXBYTES) {
		errno = EINVAL;
		return (-1);
	}
	return (db_put(tx, STORE_SETTINGS, name, len, &s->base, 0));
}

int
db_setting_del(struct store_txn *tx, const char *name)
{
	return (store_del(tx, STORE_SETTINGS, name, strlen(name)));
}

/* A key that is no name of ours is left alone: a newer version's. */
static enum store_next
setting_each(const uint8_t *key, size_t keylen, const void *record, void *arg)
{
	struct each	*ea = arg;
	char		 name[NAME_MAXBYTES + 1];

	if (keylen > NAME_MAXBYTES || memchr(key, '\0', keylen) != NULL)
		return (STORE_GOON);
	if (++ea->ea_n > DB_SETTINGS_MAX)
		return (STORE_STOP);
	memcpy(name, key, keylen);
	name[keylen] = '\0';
	return (ea->ea_fn(name, record, ea->ea_arg) ? STORE_GOON :
	    STORE_STOP);
}

ssize_t
db_setting_walk(struct store_txn *tx, db_setting_visit fn, void *arg)
{
	struct each	 ea = { fn, arg, 0 };

	return (db_walk(tx, STORE_SETTINGS, false, NULL, 0, DESC,
	    setting_each, &ea));
}
