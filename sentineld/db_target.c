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
#include <stdio.h>
#include <string.h>

#include "db_int.h"
#include "docker_api.h"

/* Keys that begin with a host, and what is below such a beginning. */
struct prefix {
	const char	*pf_text;
	size_t		 pf_len;
	db_prefix_visit	 pf_fn;
	void		*pf_arg;
	ssize_t		 pf_count;
};

static enum store_next	 prefix_each(const uint8_t *, size_t, const void *,
			    void *);
static enum store_next	 prefix_drop(const uint8_t *, size_t,
			    const uint8_t *, size_t, void *);

/* Neither host ids nor container names hold a slash. */
int
db_target_key(char key[DB_TARGET_SIZE], const char *host_id,
    const char *container)
{
	int	 n;

	n = snprintf(key, DB_TARGET_SIZE, "%s/%s", host_id, container);
	if (n >= DB_TARGET_SIZE || host_id[0] == '\0' ||
	    strchr(host_id, '/') != NULL ||
	    (container[0] != '\0' && !docker_name_ok(container))) {
		errno = EINVAL;
		return (-1);
	}
	return (n);
}

static bool
prefix_is(const struct prefix *pf, const uint8_t *key, size_t keylen)
{
	return (keylen >= pf->pf_len &&
	    (pf->pf_len == 0 || memcmp(key, pf->pf_text, pf->pf_len) == 0));
}

static enum store_next
prefix_each(const uint8_t *key, size_t keylen, const void *record, void *arg)
{
	struct prefix	*pf = arg;

	if (!prefix_is(pf, key, keylen))
		return (STORE_STOP);
	pf->pf_count++;
	return (pf->pf_fn(record, pf->pf_arg) ? STORE_GOON : STORE_STOP);
}

ssize_t
db_prefix_walk(struct store_txn *tx, enum store_table table,
    const char *prefix, size_t len, const ProtobufCMessageDescriptor *desc,
    db_prefix_visit fn, void *arg)
{
	struct prefix	 pf = { prefix, len, fn, arg, 0 };

	if (db_walk(tx, table, false, len == 0 ? NULL : prefix, len, desc,
	    prefix_each, &pf) == -1)
		return (-1);
	return (pf.pf_count);
}

static enum store_next
prefix_drop(const uint8_t *key, size_t keylen, const uint8_t *value,
    size_t len, void *arg)
{
	struct prefix	*pf = arg;

	(void)value;
	(void)len;
	if (!prefix_is(pf, key, keylen))
		return (STORE_STOP);
	pf->pf_count++;
	return (STORE_DROP);
}

ssize_t
db_prefix_drop(struct store_txn *tx, enum store_table table,
    const char *prefix, size_t len)
{
	struct prefix	 pf = { .pf_text = prefix, .pf_len = len };

	if (store_walk(tx, table, false, prefix, len, 0, prefix_drop, &pf) ==
	    -1)
		return (-1);
	return (pf.pf_count);
}

ssize_t
db_target_drop_host(struct store_txn *tx, enum store_table table,
    const char *host_id)
{
	char	 key[DB_TARGET_SIZE];
	int	 len;

	if ((len = db_target_key(key, host_id, "")) == -1)
		return (-1);
	return (db_prefix_drop(tx, table, key, (size_t)len));
}
