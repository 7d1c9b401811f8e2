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

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pbcheck.h"
#include "xmalloc.h"

/*
 * Container lists.  A host's list is kept packed, as its messages came after
 * the check: a tenth of what unpacked structs take.  A new list is collected
 * aside and replaces the old one when it is whole.
 */
/* What it takes of the limits: also a list of empty names is finite. */
size_t
container_size(const struct container *c)
{
	return (sizeof(*c) + strlen(c->ct_name) + strlen(c->ct_id) +
	    2 + c->ct_len);
}

void
container_free(struct container *c)
{
	eng->list_bytes -= container_size(c);
	free(c->ct_id);
	free(c->ct_name);
	free(c->ct_blob);
	free(c);
}

void
container_list_free(struct container_list *list)
{
	struct container	*c;

	while ((c = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, c, ct_entry);
		container_free(c);
	}
}

void
stage_init(struct container_stage *st, struct host *h)
{
	st->cs_host = h;
	TAILQ_INIT(&st->cs_list);
	st->cs_count = st->cs_bytes = 0;
	st->cs_overflow = false;
}

/* All stages of a host share one limit. */
size_t
container_room(const struct host *h)
{
	size_t	 room = HOST_LIST_MAXBYTES - h->h_staged;

	if (room > ENGINE_LISTS_MAXBYTES - eng->list_bytes)
		room = ENGINE_LISTS_MAXBYTES - eng->list_bytes;
	return (room);
}

struct container *
container_new(const Sentinel__Cluster__ContainerInfo *info, size_t max)
{
	struct container	*c;
	uint8_t			*blob;
	size_t			 len, own;

	own = sizeof(*c) + strlen(info->name) + strlen(info->id) + 2;
	if (own >= max ||
	    (blob = pbcheck_pack(&info->base, max - own, &len)) == NULL)
		return (NULL);
	c = xcalloc(1, sizeof(*c));
	c->ct_id = xstrdup(info->id);
	c->ct_name = xstrdup(info->name);
	listhash_of(info, c->ct_hash);
	c->ct_blob = blob;
	c->ct_len = len;
	eng->list_bytes += container_size(c);
	return (c);
}

void
stage_add(struct container_stage *st,
    const Sentinel__Cluster__ContainerInfo *info)
{
	struct container	*c = NULL;

	if (st->cs_count < HOST_CONTAINERS_MAX && !st->cs_overflow)
		c = container_new(info, container_room(st->cs_host));
	if (c == NULL) {
		st->cs_overflow = true;
		return;
	}
	TAILQ_INSERT_TAIL(&st->cs_list, c, ct_entry);
	st->cs_count++;
	st->cs_bytes += container_size(c);
	st->cs_host->h_staged += container_size(c);
}

void
stage_drop(struct container_stage *st)
{
	st->cs_host->h_staged -= st->cs_bytes;
	container_list_free(&st->cs_list);
	stage_init(st, st->cs_host);
}

void
stage_commit(struct container_stage *st)
{
	struct host	*h = st->cs_host;

	if (st->cs_overflow && host_may_log(h))
		log_warnx("host %s: more than %d containers or %lu bytes of "
		    "them: the rest is not shown", h->h_id,
		    HOST_CONTAINERS_MAX, HOST_LIST_MAXBYTES);
	container_list_free(&h->h_containers);
	TAILQ_CONCAT(&h->h_containers, &st->cs_list, ct_entry);
	h->h_staged -= st->cs_bytes;
	h->h_ncontainers = st->cs_count;
	h->h_listed_at = time(NULL);
	h->h_fresh = monotime_now();
	stage_init(st, h);
}

struct container *
container_find(struct host *h, const char *name)
{
	struct container	*c;

	TAILQ_FOREACH(c, &h->h_containers, ct_entry) {
		if (strcmp(c->ct_name, name) == 0)
			return (c);
	}
	return (NULL);
}
