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

#include "engine.h"

#include <sys/time.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "log.h"
#include "utf8.h"

#define EVENT_TEXT_SIZE		1024
#define EVENT_REFUSALS_BURST	100	/* of strangers, then one per: */
#define EVENT_REFUSALS_MSEC	1000

struct event_add {
	Sentinel__Store__Event	*record;
};

static int	 add_event(struct store_txn *, void *);
static bool	 may_publish(struct host *);

static int
add_event(struct store_txn *txn, void *arg)
{
	struct event_add	*ea = arg;

	return (db_event_add(txn, ea->record));
}

/* Each event is a commit: what others can provoke has a rate. */
static bool
may_publish(struct host *h)
{
	bool	 ok;

	if (h == NULL)
		ok = rate_take(&eng->refusal_rate, EVENT_REFUSALS_BURST,
		    EVENT_REFUSALS_MSEC);
	else
		ok = rate_take(&h->h_event_rate, HOST_EVENTS_BURST,
		    HOST_EVENTS_MSEC);
	ok = ok && rate_take(&eng->event_rate, ENGINE_EVENTS_BURST,
	    ENGINE_EVENTS_MSEC);
	if (!ok && h != NULL)
		h->h_events_lost++;
	return (ok);
}

/*
 * Stored first, then told to whoever follows.  A full disk loses the event
 * but never the operation that it is about.
 */
void
event_publish(const char *type, struct host *h, const char *container,
    const char *fmt, ...)
{
	Sentinel__Store__Event		 ev;
	Sentinel__Ipc__EventView	 view;
	struct event_add		 ea = { &ev };
	struct timeval			 tv;
	char				 raw[EVENT_TEXT_SIZE], lost[64] = "";
	char				 text[EVENT_TEXT_SIZE + sizeof(lost)];
	char				 t[32], c[256];
	char				 id[HOST_ID_SIZE], name[HOST_NAME_SIZE];
	va_list				 ap;

	if (!may_publish(h))
		return;
	va_start(ap, fmt);
	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	/* Cut off in the middle of a character it could not be read again. */
	(void)utf8_repair(text, EVENT_TEXT_SIZE, raw, strlen(raw));
	if (h != NULL && h->h_events_lost > 0) {
		(void)snprintf(lost, sizeof(lost),
		    " (%u events before this one left out)",
		    h->h_events_lost);
		(void)strlcat(text, lost, sizeof(text));
		h->h_events_lost = 0;
	}
	gettimeofday(&tv, NULL);
	(void)snprintf(t, sizeof(t), "%s", type);
	(void)snprintf(c, sizeof(c), "%s", container != NULL ? container : "");
	(void)snprintf(id, sizeof(id), "%s", h != NULL ? h->h_id : "");
	(void)snprintf(name, sizeof(name), "%s", h != NULL ? h->h_name : "");
	sentinel__store__event__init(&ev);
	ev.time_msec = (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000;
	ev.type = t;
	ev.host_id = id;
	ev.host_name = name;
	ev.container = c;
	ev.message = text;
	if (store_update(eng->store, add_event, &ea) == -1 &&
	    host_may_log(h))
		log_warn("event not stored: %s", text);
	view_event(&ev, &view);
	client_event(&view);
}
