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

#include "engine_client.h"
#include "engine_journal_int.h"

#include <string.h>

/* sentinelctl journal list, journal export. */
#define LIST_DEFAULT	1000	/* newest entries */
#define LIST_MAX	10000

static void	 send_entry(uint32_t, const struct jent *);
static void	 on_exported(const char *, size_t, void *);

static void
send_entry(uint32_t id, const struct jent *e)
{
	Sentinel__Ipc__ControlItem	 item;
	Sentinel__Ipc__HistoryView	 v;
	Sentinel__Cluster__JournalEntry	*m;
	struct pbmem			 pm;
	const char			*why;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if ((m = jentry_read(e->e_text, e->e_len, &pm, &why)) != NULL) {
		sentinel__ipc__history_view__init(&v);
		v.host_id = eng->id.id_host;
		v.host_name = eng->conf.ac_name;
		v.id = m->id;
		v.time_msec = m->timestamp->seconds * 1000 +
		    m->timestamp->nanos / 1000000;
		v.container = m->container;
		v.action = m->action;
		v.old_image = m->old_image;
		v.new_image = m->new_image;
		v.old_digest = m->old_digest;
		v.new_digest = m->new_digest;
		v.outcome = m->outcome;
		v.error = m->error;
		v.duration_msec = (uint64_t)m->duration->seconds * 1000 +
		    (uint64_t)m->duration->nanos / 1000000;
		sentinel__ipc__control_item__init(&item);
		item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_HISTORY;
		item.history = &v;
		client_item(id, &item);
	}
	pbmem_free(&pm);
}

void
client_journal_list(uint32_t id, const Sentinel__Ipc__ControlRequest *req)
{
	struct jent	*e;
	size_t		 n = 0, limit = req->limit;

	if (limit == 0)
		limit = LIST_DEFAULT;
	if (limit > LIST_MAX)
		limit = LIST_MAX;
	TAILQ_FOREACH(e, &journal_entries, e_entry) {
		if (n++ + limit >= ojournal_count())
			send_entry(id, e);
	}
	client_end(id, CONTROL_OK, "%s", "");
}

void
client_journal_export(uint32_t id, const Sentinel__Ipc__ControlRequest *req)
{
	(void)req;
	/* control drops the answer when the client has gone. */
	ojournal_export(false, on_exported, (void *)(uintptr_t)id);
}

static void
on_exported(const char *error, size_t entries, void *arg)
{
	uint32_t	 id = (uint32_t)(uintptr_t)arg;

	(void)entries;
	if (error[0] != '\0')
		client_end(id, CONTROL_FAILED, "offline_journal.json: %s",
		    error);
	else
		client_end(id, CONTROL_OK, "%s", "");
}
