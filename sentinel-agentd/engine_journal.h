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

#ifndef ENGINE_JOURNAL_H
#define ENGINE_JOURNAL_H

#include "compat.h"

#include <time.h>

#include "engine.h"

/*
 * The offline journal: what happened here that the server has not got yet.
 * Results of its commands, and while the agent is autonomous every change of
 * a container.  An entry is on disk (state/journal.log) when ojournal_add()
 * returns, and leaves when the server has acknowledged it: by JournalAck
 * where the server knows that, else when OUT_CONFIRM_BEATS heartbeats have
 * left after it in the same session.  (journal_*() without the o is the
 * journal of update transactions, lib/docker_journal.h.)
 *
 * Bounded in bytes and age: the oldest go, and one entry "gap" says how many.
 * A part of the room is kept for results; a full disk loses entries (counted,
 * told), never the process.
 */
#define OJOURNAL_RESULT_PREFIX	"request:"	/* then the request id */
#define OJOURNAL_RETRY_MSEC	30000	/* a batch nobody acknowledges */
#define OJOURNAL_TICK_MSEC	10000	/* age, and what could not be saved */
#define OJOURNAL_BATCH_MAX	128	/* entries in a message */
#define OJOURNAL_BATCH_MAXBYTES	(256 * 1024)

/* Strings are lent, NULL is "".  What is too long or not UTF-8 is cut and
 * repaired. */
struct ojournal_entry {
	const char	*je_id;		/* "": a new one of this host */
	struct timespec	 je_time;	/* 0: now */
	const char	*je_action;	/* update stop start restart pull
					 * refused, or a change: appeared gone
					 * state image; gap */
	const char	*je_container;
	const char	*je_old_image;
	const char	*je_new_image;
	const char	*je_old_digest;
	const char	*je_new_digest;
	const char	*je_outcome;
	const char	*je_error;
	int64_t		 je_nsec;	/* duration */
};

/* --- engine_journal.c ---------------------------------------------------- */
/* Opens state/journal.log and takes over state/results of older versions. */
void	 ojournal_init(void);
/*
 * Keep an entry.  An id that is there already is not kept twice.  Returns
 * whether it is on disk; on a full disk a result lives in memory and is tried
 * again, anything else is counted as lost.
 */
bool	 ojournal_add(const struct ojournal_entry *);
/* The same for a result: id is "request:" and the request's. */
bool	 ojournal_add_result(const char *request_id,
	    const struct ojournal_entry *);
/* Many additions, synced once at the end. */
void	 ojournal_hold(void);
int	 ojournal_release(void);	/* 0: all are on disk */
size_t	 ojournal_count(void);
uint64_t ojournal_lost(void);	/* entries, since the start */

/* --- engine_replay.c ----------------------------------------------------- */
/* A session that lasts: replay begins, in batches. */
void	 ojournal_session(void);
void	 ojournal_session_lost(void);
/* Credit came back: for the batch, for a heartbeat. */
void	 ojournal_batch_sent(void);
void	 ojournal_beat(void);
/* A result goes out in this session as a message of its own: it waits there,
 * has left, was dropped. */
void	 ojournal_result_queued(const char *request_id);
void	 ojournal_result_sent(const char *request_id);
void	 ojournal_result_unsent(const char *request_id);
/* JournalAck of a server that may say so (signed where that is demanded). */
void	 ojournal_ack(const Sentinel__Cluster__JournalAck *);

/* --- engine_jfile.c ------------------------------------------------------ */
/*
 * offline_journal.json, as another implementation or an earlier run left it:
 * hostile input.  Entries whose id is here already are left out, broken ones
 * counted and told.  0, or -1 when the file is to be kept: not all of its
 * entries are on disk, or it is no JSON array.
 */
int	 ojournal_import(const uint8_t *, size_t);
/*
 * The journal as that file, through the parent.  move: and the entries leave
 * journal.log once it is in place (the data directory may go to another
 * implementation).  done runs once; error is "" or why not.
 */
void	 ojournal_export(bool move, void (*done)(const char *error,
	    size_t entries, void *), void *);
void	 ojournal_export_file(struct peer *, struct imsg *);
void	 ojournal_export_done(struct peer *, struct imsg *);

/* --- engine_offline.c ---------------------------------------------------- */
/*
 * Autonomous mode: without a successful session (StateAck, and a Channel that
 * lasts) for the grace period, which is the one configured here, else the one
 * the server has sent, else the default; 0: never.
 */
void	 offline_init(void);
/* StateAck came and the Channel is open; something came in on it; the end. */
void	 offline_opened(void);
void	 offline_heard(void);
void	 offline_lost(void);
/* There is a new list of containers. */
void	 offline_observe(void);
void	 offline_reconfigured(void);	/* perhaps another grace period */
bool	 offline_is_autonomous(void);
time_t	 offline_since(void);		/* 0: connected */

#endif /* ENGINE_JOURNAL_H */
