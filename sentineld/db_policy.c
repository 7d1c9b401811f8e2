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

#include "db_int.h"

#define DESC		(&sentinel__store__policy__descriptor)

struct each {
	db_policy_visit	 ea_fn;
	void		*ea_arg;
};

static bool	 policy_each(const void *, void *);

int
db_policy_put(struct store_txn *tx, const Sentinel__Store__Policy *p)
{
	char	 key[DB_TARGET_SIZE];
	int	 len;

	if ((len = db_target_key(key, p->host_id, p->container)) == -1)
		return (-1);
	return (db_put(tx, STORE_POLICIES, key, (size_t)len, &p->base, 0));
}

int
db_policy_del(struct store_txn *tx, const char *host_id,
    const char *container)
{
	char	 key[DB_TARGET_SIZE];
	int	 len;

	if ((len = db_target_key(key, host_id, container)) == -1)
		return (-1);
	return (store_del(tx, STORE_POLICIES, key, (size_t)len));
}

ssize_t
db_policy_del_host(struct store_txn *tx, const char *host_id)
{
	return (db_target_drop_host(tx, STORE_POLICIES, host_id));
}

static bool
policy_each(const void *record, void *arg)
{
	struct each	*ea = arg;

	return (ea->ea_fn(record, ea->ea_arg));
}

ssize_t
db_policy_walk(struct store_txn *tx, db_policy_visit fn, void *arg)
{
	struct each	 ea = { fn, arg };

	return (db_prefix_walk(tx, STORE_POLICIES, "", 0, DESC, policy_each,
	    &ea));
}
