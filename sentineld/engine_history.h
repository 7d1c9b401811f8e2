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
/* A result that an agent has sent: row, and the id into the next JournalAck
 * when it is safe. */
void	 history_result(struct host *, const char *request_id,
	    struct history_entry *);
/*
 * OfflineJournal: stored in slices of HISTORY_BATCH_MAX, a transaction each,
 * the ids of each acknowledged when they are on disk.
 */
void	 history_journal(struct session *,
	    const Sentinel__Cluster__OfflineJournal *);
/* The session ends: nothing more is acknowledged in it. */
void	 history_session_lost(struct session *);
/* Timer: rows that are too old. */
void	 history_sweep(int64_t now);

#endif /* ENGINE_HISTORY_H */
