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

#ifndef ENGINE_HISTORY_H
#define ENGINE_HISTORY_H

#include "compat.h"

#include "engine.h"
#include "pbmem.h"

/*
 * History: what was done on which host, one row per finished operation or
 * entry of an agent's offline journal, stored exactly once whatever comes
 * again: (host, entry id) is unique, and ids are remembered longer than rows.
 * Each host has its own quota, so that one cannot push out another's rows,
 * and a rate: what exceeds it is not stored and not acknowledged.
 */
#define HISTORY_RESULT_PREFIX	"request:"	/* id of a result's row */
#define HISTORY_TEXT_MAX	4096	/* bytes of an error that are kept */
#define HISTORY_BATCH_MAX	200	/* entries in one transaction */
#define HISTORY_ROWS_BURST	200	/* rows of a host, each a commit of */
#define HISTORY_ROWS_MSEC	500	/* its own; then one per */
#define HISTORY_SLICES_BURST	100	/* transactions of its journals */
#define HISTORY_SLICES_MSEC	500
#define HISTORY_JOBS_HOST	2	/* journals of a host under way, */
#define HISTORY_JOBS_MAX	256	/* and of all */
#define HISTORY_JOBS_MAXBYTES	(64UL * 1024 * 1024)
#define HISTORY_EVENTS_MAX	10	/* events for one slice */
#define HISTORY_RETRY_MSEC	5000	/* after the store has failed, */
#define HISTORY_RETRIES		60	/* and so often */
#define HISTORY_ACK_MSEC	100	/* ids are gathered for */

enum history_origin { HISTORY_COMMAND, HISTORY_OFFLINE, HISTORY_LOCAL };

/* Strings are lent, NULL is "". */
struct history_entry {
	const char	*he_id;		/* 1..256 bytes, unique with the host */
	int64_t		 he_msec;	/* when, unix ms; 0: now */
	const char	*he_container;
	const char	*he_action;	/* update stop start restart ... */
	const char	*he_old_image;
	const char	*he_new_image;
	const char	*he_old_digest;
	const char	*he_new_digest;
	const char	*he_outcome;
	const char	*he_error;
	uint64_t	 he_duration_msec;
	enum history_origin he_origin;
};

/*
 * One row, in a transaction of its own; not from inside one.
 * 1 stored, 0 it was there already, -1 with errno (EAGAIN: too many of this
 * host; else the store's).
 */
int	 history_add(struct host *, const struct history_entry *);
/*
 * A message that may be the result of a command: its row, and the id into the
 * next JournalAck when that is safe.  False: it was there already, so that
 * nobody needs to hear of it again.
 */
bool	 history_answer(struct host *,
	    const Sentinel__Cluster__AgentMessage *);
/* The fields of a rollback's result as an update's; they are lent. */
void	 history_rollback(const Sentinel__Cluster__RollbackResult *,
	    Sentinel__Cluster__UpdateResult *);
/* The same of this machine's docker process; without a request id it is one
 * of its own each time. */
bool	 history_local(const Sentinel__Ipc__DockerResult *);
/*
 * OfflineJournal: stored in slices of HISTORY_BATCH_MAX, a transaction each,
 * the ids of each acknowledged when they are on disk.
 */
void	 history_journal(struct session *,
	    const Sentinel__Cluster__OfflineJournal *);
/* The session ends: nothing more is acknowledged in it. */
void	 history_session_lost(const struct session *);
/* Timer: rows that are too old. */
void	 history_sweep(int64_t now);
/* Orderly stop: journals that came in whole, while there is time. */
void	 history_flush(void);

/* --- for engine_history*.c ----------------------------------------------- */
/* The record of an entry; lends its strings and hash.  -1: out of memory. */
int	 history_record(const struct host *, const struct history_entry *,
	    struct pbmem *, Sentinel__Store__HistoryRow *);
/* Into the next JournalAck of this session, if its agent wants that. */
void	 history_ack(const struct host *, uint64_t epoch, const char *id);

#endif /* ENGINE_HISTORY_H */
