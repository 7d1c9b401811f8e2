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

#ifndef ENGINE_JOURNAL_INT_H
#define ENGINE_JOURNAL_INT_H

#include "compat.h"

#include "engine_journal.h"
#include "engine_jentry.h"

/* For engine_journal.c, engine_replay.c and engine_jfile.c. */
enum jent_state {
	JENT_WAIT,	/* to be sent */
	JENT_QUEUED,	/* on its way to uplink */
	JENT_SENT	/* uplink has given the credit back */
};

struct jent {
	char		*e_id;
	char		*e_text;	/* JSON */
	size_t		 e_len;
	bool		 e_result;	/* of a command */
	uint64_t	 e_gap;		/* entries it stands for; 0: none */
	bool		 e_saved;	/* in journal.log */
	monotime_t	 e_added;	/* MONOTIME_NEVER: age not known */
	enum jent_state	 e_state;
	bool		 e_batch;	/* as part of an OfflineJournal */
	monotime_t	 e_sent;	/* JENT_SENT since */
	unsigned int	 e_beats;	/* heartbeats after that */
	TAILQ_ENTRY(jent) e_entry;
	RB_ENTRY(jent)	 e_byid;
};
TAILQ_HEAD(jent_list, jent);

/* Oldest first. */
extern struct jent_list	journal_entries;

struct jent *jent_find(const char *id);
/* The server has it: out of memory; jent_trim() afterwards, for the disk. */
void	 jent_remove(struct jent *);
void	 jent_trim(void);
/* All entries have gone elsewhere.  0, -1 */
int	 jent_clear(void);
/* An entry as it was read: 1 kept, 0 there already, -1 not on disk. */
int	 jent_put(const Sentinel__Cluster__JournalEntry *);

/* engine_replay.c: something new waits. */
void	 replay_kick(void);
/* Timer: what nobody acknowledged. */
void	 replay_tick(void);

#endif /* ENGINE_JOURNAL_INT_H */
