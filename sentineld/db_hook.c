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

#include "db_hook.h"
#include "db_int.h"
#include "docker_api.h"

#define DESC		(&sentinel__store__hook__descriptor)
#define KEY_SIZE	(64 + 1 + 255 + 1 + 32 + 1)

struct each {
	char		 ea_prefix[KEY_SIZE];
	size_t		 ea_len;
	db_hook_visit	 ea_fn;		/* NULL: drop */
	void		*ea_arg;
	ssize_t		 ea_count;
};

static int	 make_key(char[KEY_SIZE], const char *, const char *,
		    const char *);
static enum store_next	 on_each(const uint8_t *, size_t, const void *, void *);
static enum store_next	 on_drop(const uint8_t *, size_t, const uint8_t *,
			    size_t, void *);

/* Neither host ids nor container names hold a slash; "" ends the key. */
static int
make_key(char key[KEY_SIZE], const char *host_id, const char *container,
    const char *phase)
{
	int	 n;

	if (container[0] == '\0')
		n = snprintf(key, KEY_SIZE, "%s/", host_id);
	else
		n = snprintf(key, KEY_SIZE, "%s/%s/%s", host_id, container,
		    phase);
	if (n >= KEY_SIZE || host_id[0] == '\0' ||
	    strchr(host_id, '/') != NULL ||
	    (container[0] != '\0' && !docker_name_ok(container))) {
		errno = EINVAL;
		return (-1);
	}
	return (n);
}

static bool
is_other(const Sentinel__Store__Hook *hk, void *arg)
{
	const Sentinel__Store__Hook	**except = arg;

	if (*except != NULL && strcmp(hk->container, (*except)->container) ==
	    0 && strcmp(hk->phase, (*except)->phase) == 0)
		*except = NULL;		/* it is there: no new one */
	return (true);
}

int
db_hook_put(struct store_txn *tx, const Sentinel__Store__Hook *hk)
{
	const Sentinel__Store__Hook	*is_new = hk;
	char				 key[KEY_SIZE];
	ssize_t				 n;
	int				 len;

	if (hk->container[0] == '\0' || hk->phase[0] == '\0') {
		errno = EINVAL;
		return (-1);
	}
	if ((len = make_key(key, hk->host_id, hk->container, hk->phase)) == -1)
		return (-1);
	if ((n = db_hook_walk(tx, hk->host_id, "", is_other, &is_new)) == -1)
		return (-1);
	if (is_new != NULL && n >= DB_HOOKS_MAX) {
		errno = ENOSPC;
		return (-1);
	}
	return (db_put(tx, STORE_HOOKS, key, (size_t)len, &hk->base, 0));
}

int
db_hook_del(struct store_txn *tx, const char *host_id, const char *container,
    const char *phase)
{
	char	 key[KEY_SIZE];
	int	 len;

	if ((len = make_key(key, host_id, container, phase)) == -1)
		return (-1);
	return (store_del(tx, STORE_HOOKS, key, (size_t)len));
}

static enum store_next
on_each(const uint8_t *key, size_t keylen, const void *record, void *arg)
{
	struct each	*ea = arg;

	if (keylen < ea->ea_len || memcmp(key, ea->ea_prefix, ea->ea_len) != 0)
		return (STORE_STOP);
	ea->ea_count++;
	return (ea->ea_fn(record, ea->ea_arg) ? STORE_GOON : STORE_STOP);
}

ssize_t
db_hook_walk(struct store_txn *tx, const char *host_id, const char *container,
    db_hook_visit fn, void *arg)
{
	struct each	 ea = { .ea_fn = fn, .ea_arg = arg };
	int		 len = 0;

	if (host_id[0] != '\0' && (len = make_key(ea.ea_prefix, host_id,
	    container, "")) == -1)
		return (-1);
	ea.ea_len = (size_t)len;
	if (db_walk(tx, STORE_HOOKS, false, ea.ea_len == 0 ? NULL :
	    ea.ea_prefix, ea.ea_len, DESC, on_each, &ea) == -1)
		return (-1);
	return (ea.ea_count);
}

static enum store_next
on_drop(const uint8_t *key, size_t keylen, const uint8_t *value, size_t len,
    void *arg)
{
	struct each	*ea = arg;

	(void)value;
	(void)len;
	if (keylen < ea->ea_len || memcmp(key, ea->ea_prefix, ea->ea_len) != 0)
		return (STORE_STOP);
	ea->ea_count++;
	return (STORE_DROP);
}

ssize_t
db_hook_del_host(struct store_txn *tx, const char *host_id)
{
	struct each	 ea = { .ea_count = 0 };
	int		 len;

	if ((len = make_key(ea.ea_prefix, host_id, "", "")) == -1)
		return (-1);
	ea.ea_len = (size_t)len;
	if (store_walk(tx, STORE_HOOKS, false, ea.ea_prefix, ea.ea_len, 0,
	    on_drop, &ea) == -1)
		return (-1);
	return (ea.ea_count);
}
