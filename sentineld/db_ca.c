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

#define CA_KEY	"ca"

int
db_ca_get(struct store_txn *tx, struct pbmem *pm,
    Sentinel__Store__CaState **out)
{
	void	*m;
	int	 ret;

	ret = db_get(tx, STORE_META, CA_KEY, sizeof(CA_KEY) - 1,
	    &sentinel__store__ca_state__descriptor, pm, &m);
	*out = m;
	return (ret);
}

int
db_ca_put(struct store_txn *tx, const Sentinel__Store__CaState *ca)
{
	return (db_put(tx, STORE_META, CA_KEY, sizeof(CA_KEY) - 1, &ca->base,
	    0));
}
