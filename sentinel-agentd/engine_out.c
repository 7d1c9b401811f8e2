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

#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pbcheck.h"
#include "xmalloc.h"

/*
 * What goes to the server, in order.  A message is queued, then in flight
 * until uplink gives its credit back.  The protocol has no acknowledgement
 * yet, so a result that must not be lost is kept (and on disk) until some
 * heartbeats have left after it: a dead path is noticed in that time, and the
 * next session sends it again.
 */
#define RESULTS_MAXBYTES	(OUT_KEPT_MAX * (ENGINE_ERROR_MAXBYTES + 8192))

struct out {
	enum out_kind	 o_kind;
	uint8_t		*o_data;	/* packed AgentMessage */
	size_t		 o_len;
	uint32_t	 o_hold;	/* not yet: waits for its list */
	unsigned int	 o_beats;	/* heartbeats that left after it */
	TAILQ_ENTRY(out) o_entry;
};
TAILQ_HEAD(out_list, out);

static void	 drop(struct out_list *, struct out *);
static void	 make_room(void);
static struct out *find_kind(enum out_kind);
static size_t	 count_kept(void);
static void	 save(void);
static size_t	 pack_kept(uint8_t *, size_t, const struct out_list *);
static void	 confirm(void);

static struct out_list	queue = TAILQ_HEAD_INITIALIZER(queue);
static struct out_list	flight = TAILQ_HEAD_INITIALIZER(flight);
static struct out_list	kept = TAILQ_HEAD_INITIALIZER(kept);
static size_t		nqueue, queue_bytes, nflight, flight_bytes;
static monotime_t	told_drop;	/* the other end decides how often */
static bool		loading;

void
out_init(void)
{
	Sentinel__Cluster__AgentMessage	*m;
	struct pbmem			 pm;
	const char			*why;
	uint8_t				*data;
	uint32_t			 n;
	size_t				 len, off;

	if ((data = state_read("results", RESULTS_MAXBYTES, &len)) == NULL)
		return;
	loading = true;
	for (off = 0; len - off > sizeof(n); off += n) {
		memcpy(&n, data + off, sizeof(n));
		n = be32toh(n);
		off += sizeof(n);
		if (n == 0 || n > len - off)
			break;
		pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
		m = pbcheck_unpack(
		    &sentinel__cluster__agent_message__descriptor, data + off,
		    n, &pm, &why);
		if (m == NULL)
			log_warnx("state/results: %s", why);
		else
			out_push_packed(OUT_KEPT, xmemdup(data + off, n), n,
			    0);
		pbmem_free(&pm);
	}
	loading = false;
	free(data);
}

static void
drop(struct out_list *list, struct out *o)
{
	TAILQ_REMOVE(list, o, o_entry);
	if (list == &queue) {
		nqueue--;
		queue_bytes -= o->o_len;
	} else if (list == &flight) {
		nflight--;
		flight_bytes -= o->o_len;
	}
	free(o->o_data);
	free(o);
}

void
out_push(enum out_kind kind, Sentinel__Cluster__AgentMessage *m,
    uint32_t hold)
{
	struct pbmem	 pm;
	uint8_t		*data;
	size_t		 len;

	/* Texts come from Docker: the server refuses what is not UTF-8. */
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	if (pbcheck_repair(&m->base, &pm) == -1 ||
	    (data = pbcheck_pack(&m->base, GRPC_SEND_MAXBYTES, &len)) == NULL)
		log_warn("message %d to the server left out",
		    (int)m->payload_case);
	else
		out_push_packed(kind, data, len, hold);
	pbmem_free(&pm);
}

void
out_push_packed(enum out_kind kind, uint8_t *data, size_t len, uint32_t hold)
{
	struct out	*o;

	if ((kind == OUT_PLAIN || kind == OUT_BEAT) && !session_is_open()) {
		free(data);
		return;
	}
	o = xcalloc(1, sizeof(*o));
	o->o_kind = kind;
	o->o_data = data;
	o->o_len = len;
	o->o_hold = hold;
	TAILQ_INSERT_TAIL(&queue, o, o_entry);
	nqueue++;
	queue_bytes += len;
	make_room();
	if (kind == OUT_KEPT && !loading)
		save();
	out_flush();
}

static struct out *
find_kind(enum out_kind kind)
{
	struct out	*o;

	TAILQ_FOREACH(o, &queue, o_entry) {
		if (o->o_kind == kind)
			return (o);
	}
	return (NULL);
}

/* Oldest first, and the least valuable of them. */
static void
make_room(void)
{
	struct out	*o;

	while (nqueue > OUT_MAX || queue_bytes > OUT_MAXBYTES) {
		if ((o = find_kind(OUT_PLAIN)) == NULL &&
		    (o = find_kind(OUT_BEAT)) == NULL &&
		    (o = find_kind(OUT_RESULT)) == NULL)
			o = TAILQ_FIRST(&queue);
		if (told_drop == 0 ||
		    monotime_now() - told_drop >= ENGINE_REFUSALS_MSEC) {
			log_warnx("the server does not take messages: %s is "
			    "dropped, and further ones", o->o_kind >=
			    OUT_RESULT ? "a result" : "one");
			told_drop = monotime_now();
		}
		drop(&queue, o);
	}
	while (count_kept() > OUT_KEPT_MAX) {
		if ((o = TAILQ_FIRST(&kept)) != NULL)
			drop(&kept, o);
		else if ((o = find_kind(OUT_KEPT)) != NULL) {
			log_warnx("more than %d results wait for the server: "
			    "the oldest is dropped", OUT_KEPT_MAX);
			drop(&queue, o);
		} else
			break;
	}
}

static size_t
count_kept(void)
{
	struct out	*o;
	size_t		 n = 0;

	TAILQ_FOREACH(o, &queue, o_entry)
		n += o->o_kind == OUT_KEPT;
	TAILQ_FOREACH(o, &flight, o_entry)
		n += o->o_kind == OUT_KEPT;
	TAILQ_FOREACH(o, &kept, o_entry)
		n++;
	return (n);
}

void
out_release(uint32_t hold)
{
	struct out	*o;

	TAILQ_FOREACH(o, &queue, o_entry) {
		if (o->o_hold == hold)
			o->o_hold = 0;
	}
	out_flush();
}

void
out_flush(void)
{
	Sentinel__Ipc__UplinkSend	 m;
	struct peer			*p = proc_peer(ROLE_A_UPLINK);
	struct out			*o, *next;

	if (!session_is_open() || p == NULL)
		return;
	TAILQ_FOREACH_SAFE(o, &queue, o_entry, next) {
		if (nflight >= OUT_CREDIT ||
		    flight_bytes >= OUT_CREDIT_BYTES || !peer_has_credit(p))
			return;
		/* What is held is overtaken by the list it waits for. */
		if (o->o_hold != 0)
			continue;
		TAILQ_REMOVE(&queue, o, o_entry);
		nqueue--;
		queue_bytes -= o->o_len;
		TAILQ_INSERT_TAIL(&flight, o, o_entry);
		nflight++;
		flight_bytes += o->o_len;
		sentinel__ipc__uplink_send__init(&m);
		m.message.data = o->o_data;
		m.message.len = o->o_len;
		peer_send_pb(p, IMSG_UPLINK_SEND, eng->attempt, &m.base);
	}
}

size_t
out_unsent(void)
{
	return (nflight);
}

/* count is at most out_unsent(). */
void
out_sent(uint32_t count)
{
	struct out	*o;

	for (; count > 0; count--) {
		o = TAILQ_FIRST(&flight);
		if (o->o_kind == OUT_BEAT)
			confirm();
		if (o->o_kind == OUT_KEPT) {
			TAILQ_REMOVE(&flight, o, o_entry);
			nflight--;
			flight_bytes -= o->o_len;
			o->o_beats = 0;
			TAILQ_INSERT_TAIL(&kept, o, o_entry);
		} else
			drop(&flight, o);
	}
	out_flush();
}

/* A heartbeat has left: results before it are one closer to being safe. */
static void
confirm(void)
{
	struct out	*o, *next;
	bool		 changed = false;

	TAILQ_FOREACH_SAFE(o, &kept, o_entry, next) {
		if (++o->o_beats < OUT_CONFIRM_BEATS)
			continue;
		drop(&kept, o);
		changed = true;
	}
	if (changed)
		save();
}

/* Everything that is a result goes back to the head of the queue. */
void
out_session_lost(void)
{
	struct out_list	 back = TAILQ_HEAD_INITIALIZER(back);
	struct out	*o, *next;

	TAILQ_CONCAT(&back, &kept, o_entry);
	TAILQ_CONCAT(&back, &flight, o_entry);
	TAILQ_CONCAT(&back, &queue, o_entry);
	nqueue = nflight = queue_bytes = flight_bytes = 0;
	TAILQ_FOREACH_SAFE(o, &back, o_entry, next) {
		TAILQ_REMOVE(&back, o, o_entry);
		if (o->o_kind < OUT_RESULT) {
			free(o->o_data);
			free(o);
			continue;
		}
		/* The next session begins with a list. */
		o->o_hold = 0;
		TAILQ_INSERT_TAIL(&queue, o, o_entry);
		nqueue++;
		queue_bytes += o->o_len;
	}
}

/* --- on disk ------------------------------------------------------------- */

static size_t
pack_kept(uint8_t *dst, size_t len, const struct out_list *list)
{
	const struct out	*o;
	uint32_t		 n;

	TAILQ_FOREACH(o, list, o_entry) {
		if (o->o_kind != OUT_KEPT)
			continue;
		n = htobe32((uint32_t)o->o_len);
		if (dst != NULL) {
			memcpy(dst + len, &n, sizeof(n));
			memcpy(dst + len + sizeof(n), o->o_data, o->o_len);
		}
		len += sizeof(n) + o->o_len;
	}
	return (len);
}

static void
save(void)
{
	uint8_t	*data;
	size_t	 len;

	len = pack_kept(NULL, 0, &kept);
	len = pack_kept(NULL, len, &flight);
	len = pack_kept(NULL, len, &queue);
	data = xmalloc(len);
	len = pack_kept(data, 0, &kept);
	len = pack_kept(data, len, &flight);
	len = pack_kept(data, len, &queue);
	(void)state_write("results", data, len);
	free(data);
}
