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


#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "db_int.h"
#include "docker_api.h"

#define DESC		(&sentinel__store__quarantine__descriptor)
#define KEY_SIZE	(64 + 1 + 255 + 1)

struct prefix {
	char		 pf_text[66];
	size_t		 pf_len;
	ssize_t		 pf_dropped;
};

/* Neither host ids nor container names hold a slash. */
static int
make_key(char key[KEY_SIZE], const char *host_id, const char *container)
{
	int	 n;

	n = snprintf(key, KEY_SIZE, "%s/%s", host_id, container);
	if (n >= KEY_SIZE || host_id[0] == '\0' ||
	    strchr(host_id, '/') != NULL || !docker_name_ok(container)) {
		errno = EINVAL;
		return (-1);
	}
	return (n);
}

int
db_quarantine_get(struct store_txn *tx, const char *host_id,
    const char *container, struct pbmem *pm, Sentinel__Store__Quarantine **q)
{
	char	 key[KEY_SIZE];
	void	*record = NULL;
	int	 len, rc;

	*q = NULL;
	if ((len = make_key(key, host_id, container)) == -1)
		return (-1);
	rc = db_get(tx, STORE_QUARANTINE, key, (size_t)len, DESC, pm, &record);
	if (rc == 1)
		*q = record;
	return (rc);
}

int
db_quarantine_put(struct store_txn *tx, const Sentinel__Store__Quarantine *q)
{
	char	 key[KEY_SIZE];
	int	 len;

	if ((len = make_key(key, q->host_id, q->container)) == -1)
		return (-1);
	return (db_put(tx, STORE_QUARANTINE, key, (size_t)len, &q->base, 0));
}

int
db_quarantine_del(struct store_txn *tx, const char *host_id,
    const char *container)
{
	char	 key[KEY_SIZE];
	int	 len;

	if ((len = make_key(key, host_id, container)) == -1)
		return (-1);
	return (store_del(tx, STORE_QUARANTINE, key, (size_t)len));
}

static enum store_next
drop_host(const uint8_t *key, size_t keylen, const uint8_t *value, size_t len,
    void *arg)
{
	struct prefix	*pf = arg;

	(void)value;
	(void)len;
	if (keylen < pf->pf_len || memcmp(key, pf->pf_text, pf->pf_len) != 0)
		return (STORE_STOP);
	pf->pf_dropped++;
	return (STORE_DROP);
}

ssize_t
db_quarantine_del_host(struct store_txn *tx, const char *host_id)
{
	struct prefix	 pf = { .pf_dropped = 0 };

	if ((size_t)snprintf(pf.pf_text, sizeof(pf.pf_text), "%s/",
	    host_id) >= sizeof(pf.pf_text)) {
		errno = EINVAL;
		return (-1);
	}
	pf.pf_len = strlen(pf.pf_text);
	if (store_walk(tx, STORE_QUARANTINE, false, pf.pf_text, pf.pf_len, 0,
	    drop_host, &pf) == -1)
		return (-1);
	return (pf.pf_dropped);
}
