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

#include "engine_quarantine.h"

#include <string.h>
#include <time.h>

#include "db.h"
#include "docker_api.h"
#include "log.h"
#include "pbmem.h"

struct change {
	const struct host	*ch_host;
	const char		*ch_container;
	const char		*ch_digest;	/* NULL: all of them */
	bool			 ch_add;	/* else it is taken out */
	const char		*ch_image;
	const char		*ch_reason;
	struct quarantine	*ch_found;	/* only asked */
};

/* "repo@sha256:..." or an image id; NULL: nothing that could be compared. */
static const char *
digest_of(const char *s)
{
	const char	*at = strchr(s, '@');

	if (at != NULL)
		s = at + 1;
	return (docker_imageid_ok(s) ? s : NULL);
}

static int
read_one(struct store_txn *txn, void *arg)
{
	Sentinel__Store__Quarantine	*rec;
	struct change			*ch = arg;
	struct quarantine		*q = ch->ch_found;
	struct pbmem			 pm;
	size_t				 i;
	int				 rc;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	rc = db_quarantine_get(txn, ch->ch_host->h_id, ch->ch_container, &pm,
	    &rec);
	for (i = 0; rc == 1 && i < rec->n_items && q->qu_n < QUARANTINE_MAX;
	    i++) {
		(void)strlcpy(q->qu_text[q->qu_n], rec->items[i]->digest,
		    sizeof(q->qu_text[0]));
		q->qu_list[q->qu_n] = q->qu_text[q->qu_n];
		q->qu_n++;
	}
	pbmem_free(&pm);
	return (rc == -1 ? -1 : 0);
}

void
quarantine_get(const struct host *h, const char *container,
    struct quarantine *q)
{
	struct change	 ch = { .ch_host = h, .ch_container = container,
			    .ch_found = q };

	memset(q, 0, sizeof(*q));
	/* A name that cannot be one of Docker's has none. */
	if (docker_name_ok(container) &&
	    store_view(eng->store, read_one, &ch) == -1)
		log_warn("host %s: quarantine of %s", h->h_id, container);
}

static int
write_one(struct store_txn *txn, void *arg)
{
	Sentinel__Store__Quarantine	*rec, fresh;
	Sentinel__Store__QuarantineItem	*items[QUARANTINE_MAX + 1], item;
	struct change			*ch = arg;
	struct pbmem			 pm;
	char				*p;
	size_t				 i, n = 0;
	int				 rc;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	rc = db_quarantine_get(txn, ch->ch_host->h_id, ch->ch_container, &pm,
	    &rec);
	if (rc == -1 || (rc == 0 && !ch->ch_add))
		goto out;
	for (i = 0; rc == 1 && ch->ch_digest != NULL && i < rec->n_items &&
	    n < QUARANTINE_MAX; i++)
		if (strcmp(rec->items[i]->digest, ch->ch_digest) != 0)
			items[n++] = rec->items[i];
	sentinel__store__quarantine__init(&fresh);
	fresh.host_id = (char *)(uintptr_t)ch->ch_host->h_id;
	fresh.container = (char *)(uintptr_t)ch->ch_container;
	if (ch->ch_add) {
		sentinel__store__quarantine_item__init(&item);
		item.digest = (char *)(uintptr_t)ch->ch_digest;
		item.image = (char *)(uintptr_t)ch->ch_image;
		item.time = time(NULL);
		item.reason = pbmem_text(&pm, ch->ch_reason,
		    strlen(ch->ch_reason), 1024);
		if (item.reason == NULL) {
			rc = -1;
			goto out;
		}
		for (p = item.reason; *p != '\0'; p++)
			if ((unsigned char)*p < ' ' || *p == 0x7f)
				*p = ' ';
		items[n++] = &item;
	}
	/* The oldest makes room. */
	fresh.items = items + (n > QUARANTINE_MAX);
	fresh.n_items = n - (n > QUARANTINE_MAX);
	rc = n > 0 ? db_quarantine_put(txn, &fresh) : db_quarantine_del(txn,
	    ch->ch_host->h_id, ch->ch_container);
 out:
	pbmem_free(&pm);
	return (rc == -1 ? -1 : 0);
}

static void
change(const struct host *h, const char *container, const char *digest,
    bool add, const char *image, const char *reason)
{
	struct change	 ch = { h, container, digest, add, image, reason,
			    NULL };

	if (store_update(eng->store, write_one, &ch) == -1)
		log_warn("host %s: quarantine of %s", h->h_id, container);
	else if (add)
		log_info("host %s: container %s: %s is in quarantine", h->h_id,
		    container, digest);
}

void
quarantine_note(const struct host *h, const char *container,
    const char *action, const char *outcome, const char *old_image,
    const char *old_digest, const char *new_image, const char *new_digest,
    const char *error)
{
	const char	*old = digest_of(old_digest);
	const char	*new = digest_of(new_digest);
	bool		 asked = strcmp(action, "rollback") == 0;

	if (!docker_name_ok(container))
		return;
	if (strcmp(outcome, "rollback") == 0) {
		if (new != NULL)
			change(h, container, new, true, new_image, error);
	} else if (strcmp(outcome, "success") == 0 && asked) {
		if (old != NULL)
			change(h, container, old, true, old_image,
			    "rolled back on request");
		if (new != NULL)
			change(h, container, new, false, "", "");
	} else if (strcmp(outcome, "success") == 0)
		change(h, container, NULL, false, "", "");
	else if (strcmp(outcome, "identical") == 0 && new != NULL)
		change(h, container, new, false, "", "");
}
