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

#include "engine_live.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pbcheck.h"

static struct container *find(struct host *, const char *);
static void	 tell(struct host *, const struct container *,
		    const Sentinel__Cluster__ContainerInfo *);
static void	 heal(struct host *);
static void	 say(struct host *, const char *, const char *, ...)
		    __printflike_(3, 4);

bool
live_is_fresh(const struct host *h)
{
	/* h_fresh is 0 when we have changed something ourselves. */
	return (h->h_live && h->h_fresh != 0);
}

static struct container *
find(struct host *h, const char *id)
{
	struct container	*c;

	TAILQ_FOREACH(c, &h->h_containers, ct_entry) {
		if (strcmp(c->ct_id, id) == 0)
			return (c);
	}
	return (NULL);
}

static void
say(struct host *h, const char *container, const char *fmt, ...)
{
	char	 text[1024];
	va_list	 ap;

	if (!rate_take(&h->h_live_rate, LIVE_EVENTS_BURST, LIVE_EVENTS_MSEC)) {
		h->h_events_lost++;
		return;
	}
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	event_publish("container_state", h, container, "%s", text);
}

/* The event, in words for people; what is not worth one is silent. */
static void
tell(struct host *h, const struct container *old,
    const Sentinel__Cluster__ContainerInfo *now)
{
	Sentinel__Cluster__ContainerInfo	*was;
	struct pbmem				 pm;
	const char				*sep, *end;

	sep = now->health[0] != '\0' ? " (" : "";
	end = now->health[0] != '\0' ? ")" : "";
	if (old == NULL) {
		say(h, now->name,
		    "%s is new: %s%s%s%s", now->name, now->state, sep,
		    now->health, end);
		return;
	}
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	was = pbcheck_unpack(&sentinel__cluster__container_info__descriptor,
	    old->ct_blob, old->ct_len, &pm, NULL);
	if (was == NULL)
		fatalx("live_apply: a container that was checked");
	if (strcmp(was->name, now->name) != 0)
		say(h, now->name,
		    "%s is now called %s", was->name, now->name);
	else if (strcmp(was->state, now->state) != 0 ||
	    strcmp(was->health, now->health) != 0)
		say(h, now->name, "%s: %s%s%s%s",
		    now->name, now->state, sep, now->health, end);
	else if (strcmp(was->image, now->image) == 0 &&
	    strcmp(was->image_digest, now->image_digest) == 0)
		say(h, now->name,
		    "%s: %s%s%s%s, restarted", now->name, now->state, sep,
		    now->health, end);
	pbmem_free(&pm);
}

void
live_apply(struct host *h, const char *id,
    const Sentinel__Cluster__ContainerInfo *info)
{
	struct container	*old = find(h, id), *new = NULL;

	if (info == NULL && old == NULL)
		return;
	if (info != NULL && (h->h_ncontainers >= HOST_CONTAINERS_MAX +
	    (old != NULL) || (new = container_new(info,
	    container_room(h))) == NULL)) {
		if (host_may_log(h))
			log_warnx("host %s: no room for container %s: it is "
			    "not shown", h->h_id, info->name);
		return;
	}
	h->h_listed_at = time(NULL);
	if (new == NULL)
		say(h, old->ct_name,
		    "%s is gone", old->ct_name);
	else
		tell(h, old, info);
	if (new != NULL && old != NULL)
		TAILQ_INSERT_BEFORE(old, new, ct_entry);
	else if (new != NULL)
		TAILQ_INSERT_HEAD(&h->h_containers, new, ct_entry);
	h->h_ncontainers += new != NULL;
	if (old != NULL) {
		TAILQ_REMOVE(&h->h_containers, old, ct_entry);
		h->h_ncontainers--;
		container_free(old);
	}
}

void
live_delta(struct session *s, const Sentinel__Cluster__ContainerDelta *d)
{
	struct host	*h = s->se_host;
	size_t		 i;

	if (h->h_session != s)
		return;		/* one that was replaced */
	for (i = 0; i < d->n_changed; i++)
		live_apply(h, d->changed[i]->id, d->changed[i]);
	for (i = 0; i < d->n_removed; i++)
		live_apply(h, d->removed[i], NULL);
}

/* A list nobody waits for.  Not again and again: an agent may have more
 * containers than are kept here, or be mistaken for ever. */
static void
heal(struct host *h)
{
	struct op	*op;
	monotime_t	 now = monotime_now();

	if (now < h->h_heal || (op = op_new(OP_LIST, h)) == NULL)
		return;
	h->h_heal_msec = h->h_heal_msec == 0 ? LIVE_HEAL_MSEC :
	    h->h_heal_msec >= LIVE_HEAL_MAXMSEC / 2 ? LIVE_HEAL_MAXMSEC :
	    2 * h->h_heal_msec;
	h->h_heal = now + h->h_heal_msec;
	if (host_may_log(h))
		log_info("host %s (%s): its list of containers differs from "
		    "ours: asked for", h->h_id, h->h_name);
	op_start(op);
}

void
live_heartbeat(struct session *s, const Sentinel__Cluster__Heartbeat *hb)
{
	struct host		*h = s->se_host;
	struct container	*c;
	uint8_t			 sum[LISTHASH_LEN] = { 0 };

	if (h->h_session != s)
		return;
	h->h_live = false;
	if (hb->list_hash.len != sizeof(sum) ||
	    !host_has_feature(h, "container-delta"))
		return;
	TAILQ_FOREACH(c, &h->h_containers, ct_entry)
		listhash_toggle(sum, c->ct_hash);
	if (memcmp(sum, hb->list_hash.data, sizeof(sum)) != 0) {
		heal(h);
		return;
	}
	h->h_live = true;
	h->h_heal_msec = 0;
}
