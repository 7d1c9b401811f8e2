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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_jlog.h"
#include "log.h"
#include "xmalloc.h"

/*
 * The entries, in memory and on disk.  Memory is what counts while the
 * process lives; the file follows by appending, and is written anew when too
 * much of it has gone.  An entry that the server has, but whose place in the
 * file is not free yet, comes again after a crash: the server knows its id.
 */
#define NAME		"journal.log"
#define SLACK_BYTES	(64 * 1024)	/* dead ones that are put up with */
#define TELL_MSEC	60000
#define SANE_TIME	1600000000	/* a clock behind it was never set */

RB_HEAD(jent_tree, jent);

static int	 jent_cmp(const struct jent *, const struct jent *);
static void	 open_log(void);
static void	 on_record(void *, const char *, size_t);
static struct jent *insert(const Sentinel__Cluster__JournalEntry *, char *,
		    size_t, bool);
static void	 drop(struct jent *);
static bool	 append(struct jent *);
static int	 sync_log(void);
static bool	 lay_open(size_t);
static int	 rewrite_all(void);
static const char *next_text(void *, size_t *);
static void	 make_room(size_t);
static void	 drop_for_gap(struct jent *);
static void	 put_gap(bool, const char *);
static void	 on_tick(int, short, void *);
static void	 tell(const char *, ...) __printflike_(1, 2);
static bool	 add(const struct ojournal_entry *);
static void	 fill(Sentinel__Cluster__JournalEntry *,
		    const struct ojournal_entry *, char *, size_t);
static void	 stamp(struct timespec *);

RB_PROTOTYPE_STATIC(jent_tree, jent, e_byid, jent_cmp)
RB_GENERATE_STATIC(jent_tree, jent, e_byid, jent_cmp)

struct jent_list		journal_entries =
				    TAILQ_HEAD_INITIALIZER(journal_entries);
static struct jent_tree		tree = RB_INITIALIZER(&tree);
static struct jlog		*jlog;	/* NULL: it cannot be opened */
static size_t			nentries;
static size_t			live;	/* bytes of them in a file */
static bool			dirty;	/* the file is behind */
static monotime_t		tried;	/* to mend that */
static bool			held;
static uint64_t			gap;	/* dropped, not recorded yet */
static uint64_t			lost;	/* dropped in this life */
static uint64_t			boot, counter;
static struct event		*timer;

static int
jent_cmp(const struct jent *a, const struct jent *b)
{
	return (strcmp(a->e_id, b->e_id));
}

struct jent *
jent_find(const char *id)
{
	struct jent	 want;

	want.e_id = engine_lend(id);
	return (RB_FIND(jent_tree, &tree, &want));
}

size_t
ojournal_count(void)
{
	return (nentries);
}

uint64_t
ojournal_lost(void)
{
	return (lost);
}

/* --- start --------------------------------------------------------------- */

void
ojournal_init(void)
{
	struct timeval	 tv = monotime_timeval(OJOURNAL_TICK_MSEC);

	arc4random_buf(&boot, sizeof(boot));
	open_log();
	timer = event_new(proc_base(), -1, EV_PERSIST, on_tick, NULL);
	if (timer == NULL || event_add(timer, &tv) == -1)
		fatal("ojournal_init");
}

static void
open_log(void)
{
	struct jlog_scan	 js;

	tried = monotime_now();
	if ((jlog = jlog_open(NAME, on_record, NULL, &js)) == NULL) {
		dirty = true;
		tell("cannot be opened: %s: nothing is kept on disk",
		    strerror(errno));
		return;
	}
	if (js.js_holes > 0)
		log_warnx("state/" NAME ": %zu damaged places were passed "
		    "over, %zu entries read", js.js_holes, js.js_records);
	if (nentries > 0)
		log_info("journal: %zu entries wait for the server",
		    nentries);
	/* What memory has in addition, and without the damage. */
	dirty = false;
	if (js.js_holes > 0 || js.js_records != nentries)
		(void)rewrite_all();
}

/* Written by us, but the disk is not to be trusted. */
static void
on_record(void *arg, const char *text, size_t len)
{
	Sentinel__Cluster__JournalEntry	*m;
	struct pbmem			 pm;
	const char			*why;

	(void)arg;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if ((m = jentry_read(text, len, &pm, &why)) == NULL)
		log_warnx("state/" NAME ": an entry is left out: %s", why);
	else if (jent_find(m->id) == NULL)
		(void)insert(m, xmemdup(text, len), len, true);
	pbmem_free(&pm);
}

/* Takes text.  The age goes on counting from where it was. */
static struct jent *
insert(const Sentinel__Cluster__JournalEntry *m, char *text, size_t len,
    bool saved)
{
	struct jent	*e;
	time_t		 now = time(NULL);
	int64_t		 sec = m->timestamp->seconds;

	e = xcalloc(1, sizeof(*e));
	e->e_id = xstrdup(m->id);
	e->e_text = text;
	e->e_len = len;
	e->e_result = strncmp(m->id, OJOURNAL_RESULT_PREFIX,
	    sizeof(OJOURNAL_RESULT_PREFIX) - 1) == 0;
	if (strcmp(m->action, "gap") == 0)
		e->e_gap = strtoull(m->error, NULL, 10);
	e->e_saved = saved;
	e->e_added = sec < SANE_TIME ? MONOTIME_NEVER :
	    monotime_now() - (sec < now ? (now - sec) * 1000 : 0);
	TAILQ_INSERT_TAIL(&journal_entries, e, e_entry);
	RB_INSERT(jent_tree, &tree, e);
	nentries++;
	live += JLOG_HEAD + len;
	return (e);
}

static void
drop(struct jent *e)
{
	TAILQ_REMOVE(&journal_entries, e, e_entry);
	RB_REMOVE(jent_tree, &tree, e);
	nentries--;
	live -= JLOG_HEAD + e->e_len;
	free(e->e_id);
	free(e->e_text);
	free(e);
}

/* --- the file ------------------------------------------------------------ */

/* A line about it, and no more of them than a log can take. */
static void
tell(const char *fmt, ...)
{
	static monotime_t	 told;
	char			 text[300];
	va_list			 ap;

	if (told != 0 && monotime_now() - told < TELL_MSEC)
		return;
	told = monotime_now();
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warnx("state/" NAME ": %s", text);
}

static const char *
next_text(void *arg, size_t *len)
{
	struct jent	**ep = arg, *e = *ep;

	if (e == NULL)
		return (NULL);
	*ep = TAILQ_NEXT(e, e_entry);
	*len = e->e_len;
	return (e->e_text);
}

/* Memory becomes the file. */
static int
rewrite_all(void)
{
	struct jent	*e = TAILQ_FIRST(&journal_entries);

	tried = monotime_now();
	if (jlog == NULL)
		return (-1);
	if (e == NULL ? jlog_clear(jlog) == -1 :
	    jlog_rewrite(jlog, next_text, &e) == -1) {
		tell("cannot be written anew: %s", strerror(errno));
		return (-1);
	}
	TAILQ_FOREACH(e, &journal_entries, e_entry)
		e->e_saved = true;
	dirty = false;
	return (0);
}

/* Room for an entry in a file that is in order. */
static bool
lay_open(size_t len)
{
	if (dirty && monotime_now() - tried >= 1000) {
		if (jlog == NULL)
			open_log();
		else
			(void)rewrite_all();
	}
	if (dirty || jlog == NULL)
		return (false);
	/* Dead entries that cannot be cleared away must not grow for ever. */
	if (jlog_size(jlog) + len <= 2 * eng->conf.ac_journal_bytes +
	    SLACK_BYTES)
		return (true);
	return (rewrite_all() == 0);
}

/* On disk, or counted; a result that is not stays in memory. */
static bool
append(struct jent *e)
{
	const char	*why = "the journal is damaged";

	if (e->e_saved)
		return (true);	/* by a rewriting */
	if (lay_open(JLOG_HEAD + e->e_len)) {
		if (e->e_saved)
			return (true);
		if (jlog_append(jlog, e->e_text, e->e_len, e->e_result) == 0) {
			e->e_saved = true;
			return (held || sync_log() == 0);
		}
		why = strerror(errno);
		/* Something else than a full disk: a new file may help. */
		dirty = errno != ENOSPC && errno != EDQUOT &&
		    errno != EMSGSIZE;
	}
	if (e->e_result) {
		tell("a result is kept in memory only: %s", why);
		return (false);
	}
	tell("entries are lost: %s", why);
	gap++;
	lost++;
	drop(e);
	return (false);
}

void
ojournal_hold(void)
{
	held = true;
}

int
ojournal_release(void)
{
	held = false;
	replay_kick();
	return (sync_log());
}

static int
sync_log(void)
{
	if (jlog == NULL || dirty)
		return (-1);
	if (jlog_sync(jlog) == 0)
		return (0);
	tell("cannot be synced: %s", strerror(errno));
	dirty = true;
	return (rewrite_all());
}

void
jent_remove(struct jent *e)
{
	drop(e);
}

void
jent_trim(void)
{
	if (jlog == NULL || dirty)
		return;
	if (nentries == 0 ? jlog_size(jlog) > 0 :
	    jlog_size(jlog) > 2 * live + SLACK_BYTES)
		(void)rewrite_all();
}

int
jent_clear(void)
{
	struct jent	*e;

	while ((e = TAILQ_FIRST(&journal_entries)) != NULL)
		drop(e);
	return (rewrite_all());
}

/* --- bounds -------------------------------------------------------------- */

static void
drop_for_gap(struct jent *e)
{
	gap += e->e_gap > 0 ? e->e_gap : 1;
	lost += e->e_gap > 0 ? 0 : 1;
	drop(e);
}

/* The oldest go, results last, and a quarter at a time: each time the file
 * is written anew. */
static void
make_room(size_t need)
{
	struct jent	*e, *next;
	size_t		 max = eng->conf.ac_journal_bytes;

	if (live + need <= max)
		return;
	TAILQ_FOREACH_SAFE(e, &journal_entries, e_entry, next) {
		if (live + need <= max - max / 4)
			break;
		if (!e->e_result)
			drop_for_gap(e);
	}
	while (live + need > max &&
	    (e = TAILQ_FIRST(&journal_entries)) != NULL)
		drop_for_gap(e);
	put_gap(true, "the journal was full");
	(void)rewrite_all();
}

/* What is missing, in place of it. */
static void
put_gap(bool first, const char *why)
{
	Sentinel__Cluster__JournalEntry	 m;
	struct ojournal_entry		 je = { .je_action = "gap",
					    .je_outcome = "lost" };
	struct pbmem			 pm;
	struct jent			*e;
	char				 id[128], error[128], *text;
	size_t				 len;

	if (gap == 0)
		return;
	(void)snprintf(error, sizeof(error), "%llu entries are missing: %s",
	    (unsigned long long)gap, why);
	je.je_error = error;
	fill(&m, &je, id, sizeof(id));
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if (jentry_clean(&m, &pm) == 0 &&
	    (text = jentry_make(&m, &len)) != NULL) {
		e = insert(&m, text, len, false);
		if (first) {
			TAILQ_REMOVE(&journal_entries, e, e_entry);
			TAILQ_INSERT_HEAD(&journal_entries, e, e_entry);
			tell("%s", error);
			gap = 0;
		} else if (append(e))
			gap = 0;
		else {
			gap--;	/* the record itself does not count */
			lost--;
		}
	}
	pbmem_free(&pm);
}

static void
on_tick(int fd, short what, void *arg)
{
	struct jent	*e, *next;
	monotime_t	 now = monotime_now();
	bool		 aged = false, unsaved = false;

	(void)fd;
	(void)what;
	(void)arg;
	TAILQ_FOREACH_SAFE(e, &journal_entries, e_entry, next) {
		if (!e->e_saved && e->e_result)
			(void)append(e);
		unsaved = unsaved || (!e->e_saved && !e->e_result);
		if (e->e_added == MONOTIME_NEVER || now - e->e_added <
		    (monotime_t)eng->conf.ac_journal_age_msec)
			continue;
		drop_for_gap(e);
		aged = true;
	}
	if (aged) {
		put_gap(true, "they were too old");
		(void)rewrite_all();
	}
	if (jlog == NULL)
		open_log();
	else if (dirty || unsaved)
		(void)rewrite_all();
	if (gap > 0)
		put_gap(false, "they could not be written");
	replay_tick();
}

/* --- additions ----------------------------------------------------------- */

/* The existing server's history has one record per time: never the same. */
static void
stamp(struct timespec *ts)
{
	static struct timespec	 last;

	clock_gettime(CLOCK_REALTIME, ts);
	if (ts->tv_sec < last.tv_sec || (ts->tv_sec == last.tv_sec &&
	    ts->tv_nsec <= last.tv_nsec)) {
		*ts = last;
		if (++ts->tv_nsec == 1000000000) {
			ts->tv_sec++;
			ts->tv_nsec = 0;
		}
	}
	last = *ts;
}

/* m lends je's strings, the id in id, and two static messages. */
static void
fill(Sentinel__Cluster__JournalEntry *m, const struct ojournal_entry *je,
    char *id, size_t size)
{
	static Google__Protobuf__Timestamp	 when;
	static Google__Protobuf__Duration	 took;
	struct timespec				 ts = je->je_time;

	if (ts.tv_sec == 0)
		stamp(&ts);
	sentinel__cluster__journal_entry__init(m);
	if (je->je_id == NULL || je->je_id[0] == '\0') {
		(void)snprintf(id, size, "%s-%016llx-%llu", eng->id.id_host,
		    (unsigned long long)boot, (unsigned long long)++counter);
		m->id = id;
	} else
		m->id = engine_lend(je->je_id);
	google__protobuf__timestamp__init(&when);
	when.seconds = ts.tv_sec;
	when.nanos = (int32_t)ts.tv_nsec;
	m->timestamp = &when;
	google__protobuf__duration__init(&took);
	took.seconds = je->je_nsec / 1000000000;
	took.nanos = (int32_t)(je->je_nsec % 1000000000);
	m->duration = &took;
	m->action = engine_lend(je->je_action);
	m->container = engine_lend(je->je_container);
	m->old_image = engine_lend(je->je_old_image);
	m->new_image = engine_lend(je->je_new_image);
	m->old_digest = engine_lend(je->je_old_digest);
	m->new_digest = engine_lend(je->je_new_digest);
	m->outcome = engine_lend(je->je_outcome);
	m->error = engine_lend(je->je_error);
}

int
jent_put(const Sentinel__Cluster__JournalEntry *m)
{
	char	*text;
	size_t	 len;

	if (jent_find(m->id) != NULL)
		return (0);
	if ((text = jentry_make(m, &len)) == NULL)
		return (-1);
	if (gap > 0)
		put_gap(false, "they could not be written");
	make_room(JLOG_HEAD + len);
	return (append(insert(m, text, len, false)) ? 1 : -1);
}

static bool
add(const struct ojournal_entry *je)
{
	Sentinel__Cluster__JournalEntry	 m;
	struct pbmem			 pm;
	char				 id[128];
	int				 rc = -1;

	fill(&m, je, id, sizeof(id));
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if (jentry_clean(&m, &pm) == 0)
		rc = jent_put(&m);
	pbmem_free(&pm);
	return (rc != -1);
}

bool
ojournal_add(const struct ojournal_entry *je)
{
	bool	 ok = add(je);

	if (!held)
		replay_kick();
	return (ok);
}

/* It may go out by itself first. */
bool
ojournal_add_result(const char *request_id, const struct ojournal_entry *je)
{
	struct ojournal_entry	 copy = *je;
	char			 id[sizeof(OJOURNAL_RESULT_PREFIX) +
				    REQUEST_ID_SIZE];

	(void)snprintf(id, sizeof(id), OJOURNAL_RESULT_PREFIX "%s",
	    request_id);
	copy.je_id = id;
	return (add(&copy));
}
