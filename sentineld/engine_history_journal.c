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

#include "engine_history.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_history.h"
#include "engine_quarantine.h"
#include "hex.h"
#include "log.h"
#include "pbcheck.h"
#include "xmalloc.h"

#include <openssl/sha.h>

/*
 * Offline journals that came in.  An agent of ours sends small ones and waits
 * for the acknowledgement; another one sends all it has at once, and has
 * forgotten it by then.  So a journal is stored slice by slice between other
 * work, in turn with those of other hosts, also when its stream has ended.
 */
#define FLUSH_MSEC	1500	/* at an orderly stop */

struct job {
	char		 jb_host[HOST_ID_SIZE];
	uint64_t	 jb_epoch;
	bool		 jb_acks;	/* else nobody sends it again */
	struct pbmem	 jb_mem;
	Sentinel__Cluster__OfflineJournal *jb_journal;	/* in it */
	size_t		 jb_next;	/* entry */
	size_t		 jb_stored;	/* rows that were new */
	unsigned int	 jb_failed;	/* tries */
	monotime_t	 jb_wait;	/* not before */
	TAILQ_ENTRY(job) jb_entry;
};
TAILQ_HEAD(job_list, job);

struct slice {
	const struct host	*sl_host;
	struct job		*sl_job;
	size_t			 sl_n;
	char			 sl_id[HISTORY_BATCH_MAX][257];
	bool			 sl_is_new[HISTORY_BATCH_MAX];
};

static void	 on_work(int, short, void *);
static bool	 work(struct job *, monotime_t);
static int	 store_slice(struct store_txn *, void *);
static void	 entry_id(const Sentinel__Cluster__JournalEntry *, char *,
		    size_t);
static void	 to_entry(const Sentinel__Cluster__JournalEntry *,
		    const char *, struct history_entry *);
static void	 tell(struct host *, const struct slice *, size_t);
static void	 finish(struct job *, struct host *);
static void	 job_free(struct job *);
static void	 later(unsigned int);

static struct job_list	 jobs = TAILQ_HEAD_INITIALIZER(jobs);
static size_t		 njobs, job_bytes;
static struct event	*timer;

void
history_journal(struct session *s, const Sentinel__Cluster__OfflineJournal *m)
{
	struct host	*h = s->se_host;
	struct job	*jb;
	uint8_t		*data;
	size_t		 len, mine = 0;

	TAILQ_FOREACH(jb, &jobs, jb_entry)
		mine += strcmp(jb->jb_host, h->h_id) == 0;
	if (m->n_entries == 0)
		return;
	if (mine >= HISTORY_JOBS_HOST || njobs >= HISTORY_JOBS_MAX ||
	    job_bytes >= HISTORY_JOBS_MAXBYTES) {
		if (host_may_log(h))
			log_warnx("host %s (%s): offline journal of %zu "
			    "entries refused: others are being stored",
			    h->h_id, h->h_name, m->n_entries);
		return;
	}
	jb = xcalloc(1, sizeof(*jb));
	pbmem_init(&jb->jb_mem, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	/* The message goes with its imsg: a copy of our own. */
	if ((data = pbcheck_pack(&m->base, 8 * 1024 * 1024, &len)) != NULL)
		jb->jb_journal = pbcheck_unpack(m->base.descriptor, data, len,
		    &jb->jb_mem, NULL);
	free(data);
	if (jb->jb_journal == NULL) {
		log_warn("host %s: offline journal", h->h_id);
		pbmem_free(&jb->jb_mem);
		free(jb);
		return;
	}
	(void)strlcpy(jb->jb_host, h->h_id, sizeof(jb->jb_host));
	jb->jb_epoch = s->se_epoch;
	jb->jb_acks = host_has_feature(h, "journal-ack");
	TAILQ_INSERT_TAIL(&jobs, jb, jb_entry);
	njobs++;
	job_bytes += jb->jb_mem.pm_bytes;
	later(0);
}

static void
later(unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	if (timer == NULL && (timer = evtimer_new(proc_base(), on_work,
	    NULL)) == NULL)
		fatal("history_journal");
	if (msec == 0 || !evtimer_pending(timer, NULL))
		evtimer_add(timer, &tv);
}

static void
job_free(struct job *jb)
{
	TAILQ_REMOVE(&jobs, jb, jb_entry);
	njobs--;
	job_bytes -= jb->jb_mem.pm_bytes;
	pbmem_free(&jb->jb_mem);
	free(jb);
}

/* One slice of the first that may go on, which then goes to the end. */
static void
on_work(int fd, short what, void *arg)
{
	struct job	*jb, *next;
	monotime_t	 now = monotime_now();
	bool		 did = false;

	(void)fd;
	(void)what;
	(void)arg;
	TAILQ_FOREACH_SAFE(jb, &jobs, jb_entry, next) {
		if (jb->jb_wait <= now && (did = work(jb, now)))
			break;
	}
	if (!TAILQ_EMPTY(&jobs))
		later(did ? 0 : 100);
}

/* False: it has to wait. */
static bool
work(struct job *jb, monotime_t now)
{
	static struct slice	 sl;
	struct host		*h = host_find(jb->jb_host);
	size_t			 i;

	if (h == NULL) {
		job_free(jb);
		return (true);
	}
	if (!rate_take(&h->h_slice_rate, HISTORY_SLICES_BURST,
	    HISTORY_SLICES_MSEC))
		return (false);
	memset(&sl, 0, sizeof(sl));
	sl.sl_host = h;
	sl.sl_job = jb;
	if (store_update(eng->store, store_slice, &sl) == -1) {
		if (host_may_log(h))
			log_warn("host %s (%s): offline journal: not stored",
			    h->h_id, h->h_name);
		jb->jb_wait = now + HISTORY_RETRY_MSEC;
		/* One that waits for the acknowledgement sends it again. */
		if (jb->jb_acks || ++jb->jb_failed > HISTORY_RETRIES)
			job_free(jb);
		return (true);
	}
	tell(h, &sl, jb->jb_next);
	for (i = 0; i < sl.sl_n; i++) {
		jb->jb_stored += sl.sl_is_new[i];
		if (jb->jb_journal->entries[jb->jb_next + i]->id[0] != '\0')
			history_ack(h, jb->jb_epoch, sl.sl_id[i]);
	}
	jb->jb_next += sl.sl_n;
	TAILQ_REMOVE(&jobs, jb, jb_entry);
	TAILQ_INSERT_TAIL(&jobs, jb, jb_entry);
	if (jb->jb_next == jb->jb_journal->n_entries)
		finish(jb, h);
	return (true);
}

static int
store_slice(struct store_txn *txn, void *arg)
{
	const Sentinel__Cluster__JournalEntry	*m;
	Sentinel__Store__HistoryRow		 row;
	struct slice				*sl = arg;
	struct job				*jb = sl->sl_job;
	struct history_entry			 e;
	struct pbmem				 pm;
	size_t					 i;
	int					 rc = 0;

	for (i = 0; i < HISTORY_BATCH_MAX && rc != -1 &&
	    jb->jb_next + i < jb->jb_journal->n_entries; i++) {
		m = jb->jb_journal->entries[jb->jb_next + i];
		entry_id(m, sl->sl_id[i], sizeof(sl->sl_id[i]));
		to_entry(m, sl->sl_id[i], &e);
		pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
		if ((rc = history_record(sl->sl_host, &e, &pm, &row)) == 0)
			rc = db_history_add(txn, sl->sl_host->h_id, &row);
		if (rc == 1 && quarantine_row(txn, sl->sl_host->h_id, &row) ==
		    -1)
			rc = -1;
		pbmem_free(&pm);
		sl->sl_is_new[i] = rc == 1;
	}
	sl->sl_n = i;
	return (rc == -1 ? -1 : 0);
}

/* An entry without an id is known by what it says. */
static void
entry_id(const Sentinel__Cluster__JournalEntry *m, char *id, size_t size)
{
	uint8_t	 hash[SHA256_DIGEST_LENGTH], *data;
	size_t	 len;

	(void)strlcpy(id, m->id, size);
	if (m->id[0] != '\0' ||
	    (data = pbcheck_pack(&m->base, 8 * 1024 * 1024, &len)) == NULL)
		return;
	SHA256(data, len, hash);
	free(data);
	(void)strlcpy(id, "content:", size);
	(void)hex_encode(id + 8, size - 8, hash, DB_HISTORY_HASH);
}

static void
to_entry(const Sentinel__Cluster__JournalEntry *m, const char *id,
    struct history_entry *e)
{
	memset(e, 0, sizeof(*e));
	e->he_id = id;
	if (m->timestamp != NULL && m->timestamp->seconds > 0)
		e->he_msec = m->timestamp->seconds * 1000 +
		    m->timestamp->nanos / 1000000;
	e->he_container = m->container;
	e->he_action = m->action;
	e->he_old_image = m->old_image;
	e->he_new_image = m->new_image;
	e->he_old_digest = m->old_digest;
	e->he_new_digest = m->new_digest;
	e->he_outcome = m->outcome;
	e->he_error = m->error;
	if (m->duration != NULL && m->duration->seconds >= 0 &&
	    m->duration->nanos >= 0)
		e->he_duration_msec = (uint64_t)m->duration->seconds * 1000 +
		    (uint64_t)m->duration->nanos / 1000000;
	e->he_origin = strncmp(id, HISTORY_RESULT_PREFIX,
	    sizeof(HISTORY_RESULT_PREFIX) - 1) == 0 ? HISTORY_COMMAND :
	    HISTORY_OFFLINE;
}

/* The first of what is new becomes events; the rest is in the history. */
static void
tell(struct host *h, const struct slice *sl, size_t first)
{
	const Sentinel__Cluster__JournalEntry	*m;
	size_t					 i, told = 0;

	for (i = 0; i < sl->sl_n && told < HISTORY_EVENTS_MAX; i++) {
		if (!sl->sl_is_new[i])
			continue;
		m = sl->sl_job->jb_journal->entries[first + i];
		event_publish(strcmp(m->action, "update") == 0 ?
		    "container_update" : "container_state", h, m->container,
		    "journal: %s %s: %s%s%s", m->action, m->container,
		    m->outcome, m->error[0] != '\0' ? ": " : "", m->error);
		told++;
	}
}

static void
finish(struct job *jb, struct host *h)
{
	if (host_may_log(h))
		log_info("host %s (%s): offline journal: %zu entries, %zu of "
		    "them new", h->h_id, h->h_name, jb->jb_next,
		    jb->jb_stored);
	job_free(jb);
}

void
history_flush(void)
{
	struct job	*jb;
	monotime_t	 end = monotime_now() + FLUSH_MSEC;

	while ((jb = TAILQ_FIRST(&jobs)) != NULL) {
		if (monotime_now() >= end) {
			log_warnx("%zu offline journals are not stored whole",
			    njobs);
			return;
		}
		if (!work(jb, monotime_now()))
			job_free(jb);	/* more than it may */
	}
}
