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

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pbcheck.h"
#include "xmalloc.h"

/*
 * What goes to the server, in order.  A message is queued, then in flight
 * until uplink gives its credit back.  What must not be lost is in the
 * journal as well, and what becomes of it here is told there.
 */
struct out {
	enum out_kind	 o_kind;
	uint8_t		*o_data;	/* packed AgentMessage */
	size_t		 o_len;
	uint32_t	 o_hold;	/* not yet: waits for its list */
	char		*o_request;	/* OUT_KEPT: whose result */
	TAILQ_ENTRY(out) o_entry;
};
TAILQ_HEAD(out_list, out);

static void	 drop(struct out_list *, struct out *);
static void	 make_room(void);
static struct out *find_kind(enum out_kind);
static void	 push(enum out_kind, uint8_t *, size_t, uint32_t,
		    const char *);

static struct out_list	queue = TAILQ_HEAD_INITIALIZER(queue);
static struct out_list	flight = TAILQ_HEAD_INITIALIZER(flight);
static size_t		nqueue, queue_bytes, nflight, flight_bytes;
static monotime_t	told_drop;	/* the other end decides how often */

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
	free(o->o_request);
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
out_push_result(const char *request_id, Sentinel__Cluster__AgentMessage *m,
    uint32_t hold)
{
	struct pbmem	 pm;
	uint8_t		*data = NULL;
	size_t		 len;

	/* Without a session the journal brings it. */
	if (!session_is_open())
		return;
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	if (pbcheck_repair(&m->base, &pm) == 0)
		data = pbcheck_pack(&m->base, GRPC_SEND_MAXBYTES, &len);
	pbmem_free(&pm);
	if (data == NULL)
		return;
	ojournal_result_queued(request_id);
	push(OUT_KEPT, data, len, hold, request_id);
}

void
out_push_packed(enum out_kind kind, uint8_t *data, size_t len, uint32_t hold)
{
	if (kind != OUT_RESULT && !session_is_open())
		free(data);
	else
		push(kind, data, len, hold, NULL);
}

/* Takes data. */
static void
push(enum out_kind kind, uint8_t *data, size_t len, uint32_t hold,
    const char *request_id)
{
	struct out	*o;

	o = xcalloc(1, sizeof(*o));
	o->o_kind = kind;
	o->o_data = data;
	o->o_len = len;
	o->o_hold = hold;
	if (request_id != NULL)
		o->o_request = xstrdup(request_id);
	TAILQ_INSERT_TAIL(&queue, o, o_entry);
	nqueue++;
	queue_bytes += len;
	make_room();
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

/* Oldest first, and the least valuable of them.  A batch of the journal is
 * alone and stays. */
static void
make_room(void)
{
	struct out	*o;
	char		 request[REQUEST_ID_SIZE];

	while (nqueue > OUT_MAX || queue_bytes > OUT_MAXBYTES) {
		if ((o = find_kind(OUT_PLAIN)) == NULL &&
		    (o = find_kind(OUT_BEAT)) == NULL &&
		    (o = find_kind(OUT_KEPT)) == NULL &&
		    (o = find_kind(OUT_RESULT)) == NULL)
			return;
		if (told_drop == 0 ||
		    monotime_now() - told_drop >= ENGINE_REFUSALS_MSEC) {
			log_warnx("the server does not take messages: %s is "
			    "dropped, and further ones", o->o_kind ==
			    OUT_RESULT ? "a result" : "one");
			told_drop = monotime_now();
		}
		request[0] = '\0';
		if (o->o_request != NULL)
			(void)strlcpy(request, o->o_request, sizeof(request));
		drop(&queue, o);
		if (request[0] != '\0')
			ojournal_result_unsent(request);
	}
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
	bool		 beat, batch;

	for (; count > 0; count--) {
		o = TAILQ_FIRST(&flight);
		beat = o->o_kind == OUT_BEAT;
		batch = o->o_kind == OUT_JOURNAL;
		if (o->o_kind == OUT_KEPT)
			ojournal_result_sent(o->o_request);
		drop(&flight, o);
		if (beat)
			ojournal_beat();
		if (batch)
			ojournal_batch_sent();
	}
	out_flush();
}

/* Only what is nowhere else goes back to the head of the queue. */
void
out_session_lost(void)
{
	struct out_list	 back = TAILQ_HEAD_INITIALIZER(back);
	struct out	*o, *next;

	TAILQ_CONCAT(&back, &flight, o_entry);
	TAILQ_CONCAT(&back, &queue, o_entry);
	nqueue = nflight = queue_bytes = flight_bytes = 0;
	TAILQ_FOREACH_SAFE(o, &back, o_entry, next) {
		if (o->o_kind != OUT_RESULT) {
			drop(&back, o);
			continue;
		}
		TAILQ_REMOVE(&back, o, o_entry);
		/* The next session begins with a list. */
		o->o_hold = 0;
		TAILQ_INSERT_TAIL(&queue, o, o_entry);
		nqueue++;
		queue_bytes += o->o_len;
	}
}
