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

#define DESC		(&sentinel__store__hook__descriptor)
#define KEY_SIZE	(DB_TARGET_SIZE + 1 + 32)

struct each {
	db_hook_visit	 ea_fn;
	void		*ea_arg;
};

static int	 make_key(char[KEY_SIZE], const char *, const char *,
		    const char *);
static bool	 on_each(const void *, void *);

/* Container "": where all of the host begins. */
static int
make_key(char key[KEY_SIZE], const char *host_id, const char *container,
    const char *phase)
{
	int	 n, m;

	if ((n = db_target_key(key, host_id, container)) == -1 ||
	    container[0] == '\0')
		return (n);
	m = snprintf(key + n, KEY_SIZE - (size_t)n, "/%s", phase);
	if (m >= KEY_SIZE - n) {
		errno = EINVAL;
		return (-1);
	}
	return (n + m);
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

static bool
on_each(const void *record, void *arg)
{
	struct each	*ea = arg;

	return (ea->ea_fn(record, ea->ea_arg));
}

ssize_t
db_hook_walk(struct store_txn *tx, const char *host_id, const char *container,
    db_hook_visit fn, void *arg)
{
	struct each	 ea = { fn, arg };
	char		 key[KEY_SIZE];
	int		 len = 0;

	if (host_id[0] != '\0' && (len = make_key(key, host_id, container,
	    "")) == -1)
		return (-1);
	return (db_prefix_walk(tx, STORE_HOOKS, key, (size_t)len, DESC,
	    on_each, &ea));
}

ssize_t
db_hook_del_host(struct store_txn *tx, const char *host_id)
{
	return (db_target_drop_host(tx, STORE_HOOKS, host_id));
}
