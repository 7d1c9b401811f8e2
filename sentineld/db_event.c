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
#include <string.h>

#include "db_int.h"

#define DESC		(&sentinel__store__event__descriptor)
/* Old events deleted with each new one, so that a lowered limit catches up
 * without one long transaction. */
#define EVENT_DROP_MAX	16

struct trim {
	uint64_t	 tr_below;	/* ids under this go */
};

struct each {
	db_event_visit	 ea_fn;
	void		*ea_arg;
};

struct start {
	uint64_t	 st_after;
	uint64_t	 st_first;	/* lowest id of those wanted */
};

static void
event_key(uint8_t key[8], uint64_t id)
{
	uint64_t	 be = htobe64(id);

	memcpy(key, &be, sizeof(be));
}

static uint64_t
event_id(const uint8_t *key, size_t len)
{
	uint64_t	 be;

	if (len != sizeof(be))
		return (0);
	memcpy(&be, key, sizeof(be));
	return (be64toh(be));
}

static enum store_next
event_newest(const uint8_t *key, size_t keylen, const uint8_t *value,
    size_t len, void *arg)
{
	(void)value;
	(void)len;
	*(uint64_t *)arg = event_id(key, keylen);
	return (STORE_STOP);
}

static enum store_next
event_trim(const uint8_t *key, size_t keylen, const uint8_t *value,
    size_t len, void *arg)
{
	const struct trim	*tr = arg;

	(void)value;
	(void)len;
	return (event_id(key, keylen) < tr->tr_below ? STORE_DROP :
	    STORE_STOP);
}

int
db_event_add(struct store_txn *tx, Sentinel__Store__Event *ev)
{
	struct trim	 tr;
	uint64_t	 newest = 0;
	uint8_t		 key[8];

	if (store_walk(tx, STORE_EVENTS, true, NULL, 0, 1, event_newest,
	    &newest) == -1)
		return (-1);
	ev->id = newest + 1;
	event_key(key, ev->id);
	if (db_put(tx, STORE_EVENTS, key, sizeof(key), &ev->base,
	    STORE_NEW) == -1)
		return (-1);
	if (ev->id <= DB_EVENTS_KEEP)
		return (0);
	tr.tr_below = ev->id - DB_EVENTS_KEEP + 1;
	return (store_walk(tx, STORE_EVENTS, false, NULL, 0, EVENT_DROP_MAX,
	    event_trim, &tr) == -1 ? -1 : 0);
}

static enum store_next
event_start(const uint8_t *key, size_t keylen, const uint8_t *value,
    size_t len, void *arg)
{
	struct start	*st = arg;

	(void)value;
	(void)len;
	if (event_id(key, keylen) <= st->st_after)
		return (STORE_STOP);
	st->st_first = event_id(key, keylen);
	return (STORE_GOON);
}

static enum store_next
event_each(const uint8_t *key, size_t keylen, const void *record, void *arg)
{
	struct each	*ea = arg;

	(void)key;
	(void)keylen;
	return (ea->ea_fn(record, ea->ea_arg) ? STORE_GOON : STORE_STOP);
}

ssize_t
db_event_walk(struct store_txn *tx, uint64_t after, size_t limit,
    db_event_visit fn, void *arg)
{
	struct start	 st = { after, 0 };
	struct each	 ea = { fn, arg };
	uint8_t		 key[8];

	/* Backwards to where to begin, then forwards. */
	if (store_walk(tx, STORE_EVENTS, true, NULL, 0, limit, event_start,
	    &st) == -1)
		return (-1);
	if (st.st_first == 0)
		return (0);
	event_key(key, st.st_first);
	return (db_walk(tx, STORE_EVENTS, false, key, sizeof(key), DESC,
	    event_each, &ea));
}
