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

#include "engine_journal.h"

#include <stdlib.h>
#include <string.h>

#include "engine_live.h"
#include "ipccheck.h"
#include "log.h"
#include "xmalloc.h"

/* Field 102 of AgentMessage; fields 1 and 2 of ContainerDelta. */
#define TAG_DELTA	((102 << 3) | 2)
#define TAG_CHANGED	((1 << 3) | 2)
#define TAG_REMOVED	((2 << 3) | 2)

static void	 flush(void);
static void	 on_timer(int, short, void *);
static void	 note_change(const char *);
static void	 forget_changes(void);
static bool	 is_worth_telling(const Sentinel__Ipc__DockerDelta *);

static char		*changed[LIVE_CHANGED_MAX];	/* ids, no two equal */
static size_t		 nchanged;
static bool		 too_many;
static struct event	*timer;

void
live_init(void)
{
	if ((timer = evtimer_new(proc_base(), on_timer, NULL)) == NULL)
		fatal("live_init");
}

static void
forget_changes(void)
{
	while (nchanged > 0)
		free(changed[--nchanged]);
	too_many = false;
}

static void
note_change(const char *id)
{
	struct timeval	 tv = monotime_timeval(LIVE_MSEC);
	size_t		 i;

	if (!evtimer_pending(timer, NULL))
		evtimer_add(timer, &tv);
	for (i = 0; i < nchanged; i++) {
		if (strcmp(changed[i], id) == 0)
			return;
	}
	if (nchanged == LIVE_CHANGED_MAX)
		too_many = true;
	else
		changed[nchanged++] = xstrdup(id);
}

/* One that died and runs again looks the same; it is told all the same. */
static bool
is_worth_telling(const Sentinel__Ipc__DockerDelta *m)
{
	size_t	 i;

	if (m->info == NULL)
		return (false);
	for (i = 0; i < m->n_events; i++) {
		if (strcmp(m->events[i]->action, "die") == 0 ||
		    strcmp(m->events[i]->action, "start") == 0)
			return (true);
	}
	return (false);
}

void
live_delta(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__DockerDelta	*m;
	struct pbmem			 pm;
	size_t				 i;
	bool				 is_new;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__docker_delta__descriptor, &pm);
	if (m == NULL || (m->info != NULL && strcmp(m->info->id, m->id) != 0)) {
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "a container under another id");
		goto out;
	}
	if (list_time() == 0)
		goto out;	/* the list that comes will show it */
	for (i = 0; m->info != NULL && i < m->n_events; i++)
		offline_event(m->info->name, m->events[i]->action,
		    m->events[i]->time_nsec);
	is_new = list_apply(m->id, m->info);
	if (is_new || is_worth_telling(m))
		note_change(m->id);
 out:
	pbmem_free(&pm);
}

void
live_stale(struct peer *p, struct imsg *imsg)
{
	(void)p;
	(void)imsg;
	list_stale();
}

/* --- to the server ------------------------------------------------------- */

static size_t
varint_len(size_t n)
{
	size_t	 len = 1;

	for (; n >= 0x80; n >>= 7)
		len++;
	return (len);
}

static uint8_t *
put_varint(uint8_t *p, size_t n)
{
	for (; n >= 0x80; n >>= 7)
		*p++ = (uint8_t)(n | 0x80);
	*p++ = (uint8_t)n;
	return (p);
}

/* What one of them takes, and in which field it goes. */
static const uint8_t *
part(size_t i, size_t *len, uint32_t *tag)
{
	const uint8_t	*blob = list_lend(changed[i], len);

	*tag = blob != NULL ? TAG_CHANGED : TAG_REMOVED;
	if (blob != NULL)
		return (blob);
	*len = strlen(changed[i]);
	return ((const uint8_t *)changed[i]);
}

/* From the packed list, without unpacking it.  False: too large. */
static bool
send_delta(void)
{
	const uint8_t	*data;
	uint8_t		*msg, *p;
	size_t		 i, len, total = 0;
	uint32_t	 tag;

	for (i = 0; i < nchanged; i++) {
		(void)part(i, &len, &tag);
		total += 1 + varint_len(len) + len;
	}
	if (total > GRPC_SEND_MAXBYTES - 16)
		return (false);
	if ((msg = malloc(2 + varint_len(total) + total)) == NULL)
		return (false);
	p = put_varint(put_varint(msg, TAG_DELTA), total);
	for (i = 0; i < nchanged; i++) {
		data = part(i, &len, &tag);
		p = put_varint(put_varint(p, tag), len);
		memcpy(p, data, len);
		p += len;
	}
	out_push_packed(OUT_PLAIN, msg, (size_t)(p - msg), 0);
	return (true);
}

static void
flush(void)
{
	evtimer_del(timer);
	if (nchanged == 0)
		return;
	if (session_is_open() && (too_many ||
	    !session_has_feature("container-delta") || !send_delta()))
		list_send("", "");
	forget_changes();
	offline_observe();
}

static void
on_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	flush();
}

void
live_heartbeat(Sentinel__Cluster__Heartbeat *hb, uint8_t hash[LISTHASH_LEN])
{
	flush();
	if (!session_has_feature("container-delta") || !list_hash(hash))
		return;
	hb->list_hash.data = hash;
	hb->list_hash.len = LISTHASH_LEN;
}
