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

#include "engine_journal_int.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"
#include "pbcheck.h"

/*
 * The journal on its way to the server: one batch at a time.  A server that
 * acknowledges gets the next one when it has stored the last; towards another
 * one the credit of uplink paces, and entries leave after some heartbeats.
 * What the session did not settle is sent again in the next one.
 */
static bool	 acks(void);
static size_t	 outstanding(void);
static void	 send_batch(void);
static size_t	 collect(Sentinel__Cluster__JournalEntry **, struct jent **,
		    struct pbmem *);
static struct jent *find_result(const char *);

static bool	 settled;	/* a session that lasts */
static size_t	 queued;	/* entries of the batch on its way */

/*
 * Who demands signed commands demands signed acknowledgements too, whatever
 * uplink says the server can do: heartbeats prove nothing to them.
 */
static bool
acks(void)
{
	return (command_must_be_signed() ||
	    session_has_feature("journal-ack"));
}

void
ojournal_session(void)
{
	if (settled)
		return;
	settled = true;
	if (ojournal_count() > 0)
		log_info("journal: %zu entries for server %s",
		    ojournal_count(), eng->conf.ac_server);
	replay_kick();
}

void
ojournal_session_lost(void)
{
	struct jent	*e;

	settled = false;
	queued = 0;
	TAILQ_FOREACH(e, &journal_entries, e_entry) {
		e->e_state = JENT_WAIT;
		e->e_batch = false;
	}
}

/* Entries of batches that no acknowledgement came for yet. */
static size_t
outstanding(void)
{
	const struct jent	*e;
	size_t			 n = 0;

	TAILQ_FOREACH(e, &journal_entries, e_entry)
		n += e->e_batch && e->e_state == JENT_SENT;
	return (n);
}

void
replay_kick(void)
{
	if (!settled || queued > 0 || !session_is_open() ||
	    (acks() && outstanding() > 0))
		return;
	send_batch();
}

static size_t
collect(Sentinel__Cluster__JournalEntry **list, struct jent **from,
    struct pbmem *pm)
{
	struct jent	*e;
	const char	*why;
	size_t		 n = 0, bytes = 0;

	TAILQ_FOREACH(e, &journal_entries, e_entry) {
		if (e->e_state != JENT_WAIT)
			continue;
		if (n == OJOURNAL_BATCH_MAX ||
		    (n > 0 && bytes + e->e_len > OJOURNAL_BATCH_MAXBYTES))
			break;
		/* It was read or made by us: memory is all that can lack. */
		if ((list[n] = jentry_read(e->e_text, e->e_len, pm, &why)) ==
		    NULL)
			break;
		from[n++] = e;
		bytes += e->e_len;
	}
	return (n);
}

static void
send_batch(void)
{
	Sentinel__Cluster__AgentMessage	 msg;
	Sentinel__Cluster__OfflineJournal oj;
	Sentinel__Cluster__JournalEntry	*list[OJOURNAL_BATCH_MAX];
	struct jent			*from[OJOURNAL_BATCH_MAX];
	struct pbmem			 pm;
	uint8_t				*data = NULL;
	size_t				 i, n, len;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	sentinel__cluster__offline_journal__init(&oj);
	sentinel__cluster__agent_message__init(&msg);
	msg.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_OFFLINE_JOURNAL;
	msg.offline_journal = &oj;
	n = collect(list, from, &pm);
	oj.entries = list;
	oj.n_entries = n;
	if (n > 0 && (data = pbcheck_pack(&msg.base, GRPC_SEND_MAXBYTES,
	    &len)) != NULL) {
		queued = n;
		for (i = 0; i < n; i++) {
			from[i]->e_state = JENT_QUEUED;
			from[i]->e_batch = true;
		}
		log_debug("journal: %zu entries sent", n);
		out_push_packed(OUT_JOURNAL, data, len, 0);
	}
	pbmem_free(&pm);
}

/* Credit for the batch came back: uplink has written it. */
void
ojournal_batch_sent(void)
{
	struct jent	*e;

	queued = 0;
	TAILQ_FOREACH(e, &journal_entries, e_entry) {
		if (!e->e_batch || e->e_state != JENT_QUEUED)
			continue;
		e->e_state = JENT_SENT;
		e->e_sent = monotime_now();
		e->e_beats = 0;
	}
	replay_kick();
}

static struct jent *
find_result(const char *request_id)
{
	char	 id[sizeof(OJOURNAL_RESULT_PREFIX) + REQUEST_ID_SIZE];

	(void)strlcpy(id, OJOURNAL_RESULT_PREFIX, sizeof(id));
	(void)strlcat(id, request_id, sizeof(id));
	return (jent_find(id));
}

void
ojournal_result_queued(const char *request_id)
{
	struct jent	*e = find_result(request_id);

	if (e != NULL && e->e_state == JENT_WAIT)
		e->e_state = JENT_QUEUED;
}

void
ojournal_result_sent(const char *request_id)
{
	struct jent	*e = find_result(request_id);

	if (e == NULL || e->e_batch)
		return;
	e->e_state = JENT_SENT;
	e->e_sent = monotime_now();
	e->e_beats = 0;
}

void
ojournal_result_unsent(const char *request_id)
{
	struct jent	*e = find_result(request_id);

	if (e == NULL || e->e_batch)
		return;
	e->e_state = JENT_WAIT;
	replay_kick();
}

/* --- the end of an entry ------------------------------------------------- */

void
ojournal_ack(const Sentinel__Cluster__JournalAck *m)
{
	struct jent	*e;
	size_t		 i, n = 0;

	for (i = 0; i < m->n_ids; i++) {
		/* Nobody can have stored what was not sent. */
		if ((e = jent_find(m->ids[i])) == NULL ||
		    e->e_state == JENT_WAIT)
			continue;
		jent_remove(e);
		n++;
	}
	log_debug("journal: %zu entries acknowledged, %zu left", n,
	    ojournal_count());
	jent_trim();
	replay_kick();
}

/* A heartbeat has left: what was sent before it is one closer to safe. */
void
ojournal_beat(void)
{
	struct jent	*e, *next;
	size_t		 n = 0;

	if (acks())
		return;
	TAILQ_FOREACH_SAFE(e, &journal_entries, e_entry, next) {
		if (e->e_state != JENT_SENT ||
		    ++e->e_beats < OUT_CONFIRM_BEATS)
			continue;
		jent_remove(e);
		n++;
	}
	if (n > 0)
		jent_trim();
}

/* A server that is full or busy does not acknowledge: again, later. */
void
replay_tick(void)
{
	struct jent	*e;
	monotime_t	 now = monotime_now();

	if (!settled || !acks())
		return;
	TAILQ_FOREACH(e, &journal_entries, e_entry) {
		if (e->e_state != JENT_SENT ||
		    now - e->e_sent < OJOURNAL_RETRY_MSEC)
			continue;
		e->e_state = JENT_WAIT;
		e->e_batch = false;
	}
	replay_kick();
}
