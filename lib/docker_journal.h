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

#ifndef DOCKER_JOURNAL_H
#define DOCKER_JOURNAL_H

#include "compat.h"

/*
 * The update journal: what must survive a crash in the middle of an update.
 * The parent opens the file and passes the descriptor.
 *
 * A record is appended and fsynced before the step it names is done.  On
 * disk, network byte order:
 *	length		4	of what follows the checksum
 *	CRC-32		4	of what follows
 *	kind		1	enum docker_rec
 *	transaction	4	number, from 1, unique while the file lives
 *	time		8	seconds since 1970
 *	fields		16-bit length and bytes each, by kind
 * A torn or foreign tail ends the journal: its step was never begun.  Damage
 * before a whole record is passed over.
 * Room is reserved beforehand (FALLOC_FL_KEEP_SIZE), so that a full disk
 * refuses an update instead of breaking it.  The file is truncated when no
 * transaction is open.
 */
#define JOURNAL_MAXBYTES	(4U * 1024 * 1024)
#define JOURNAL_TXN_BYTES	(192U * 1024)	/* reserved for each */
#define JOURNAL_REC_MAXBYTES	(64U * 1024)
#define JOURNAL_FIELDS_MAX	72
#define JOURNAL_OPEN_MAX	8		/* transactions at a time */

enum docker_rec {
	DJ_BEGIN	= 1,	/* opid, name, image, digest, kind */
	DJ_PLAN		= 2,	/* see docker_update.c */
	DJ_STEP		= 3,	/* step name: about to be done; member */
	DJ_CREATED	= 4,	/* id of the new container; member */
	DJ_GOOD		= 5,	/* the gate was passed: only forward now */
	DJ_UNDO		= 6,	/* reason: only back now */
	DJ_END		= 7,	/* outcome, "harm" or "", error, note */
	DJ_TOLD		= 8,	/* the outcome has been heard */
	DJ_MEMBER	= 9,	/* before DJ_PLAN, see docker_recover.c */
	DJ_BODY		= 10,	/* to make the old one again: JSON; member */
	DJ_HOOKS	= 11,	/* what is known of hooks, docker_txn_hook.c */
	DJ_HOOK		= 12,	/* phase, "begin" or "end", what went wrong */
	DJ_REBORN	= 14	/* id of the old one, made again; member */
};
#define DJ_LAST		DJ_REBORN

struct journal_field {
	const char	*jf_data;	/* NUL after it */
	size_t		 jf_len;
};

struct journal_rec {
	enum docker_rec	 jr_kind;
	uint32_t	 jr_txn;
	int64_t		 jr_time;
	struct journal_field jr_fields[JOURNAL_FIELDS_MAX];
	size_t		 jr_nfields;
};

struct journal;

/* Takes fd (a regular file, read-write) in every case.  Reads what is there.
 * NULL with errno; a damaged file is not an error. */
struct journal	*journal_open(int fd);
void		 journal_close(struct journal *);
/* Calls fn for every whole record read by journal_open(), in order. */
void		 journal_replay(struct journal *,
		    void (*fn)(void *, const struct journal_rec *), void *);
/* Open a transaction: reserve room.  Number, or 0 with errno ENOSPC (disk),
 * EBUSY (too many open, or the file is at its limit). */
uint32_t	 journal_begin(struct journal *);
/* Take over a transaction found by journal_replay(). */
void		 journal_adopt(struct journal *, uint32_t txn);
/* Append and fsync; strings end with NULL.  0, or -1 with errno: the step
 * must not be done. */
int		 journal_add(struct journal *, uint32_t txn, enum docker_rec,
		    ...) __attribute__((__sentinel__));
int		 journal_addv(struct journal *, uint32_t txn, enum docker_rec,
		    const struct journal_field *, size_t);
/* The transaction is over: DJ_END was written. */
void		 journal_finish(struct journal *, uint32_t txn);
/* Truncates when no transaction is open: true. */
bool		 journal_trim(struct journal *);
size_t		 journal_nopen(const struct journal *);

/* Parser, for tests and the fuzzer: where the last whole record ends. */
size_t		 journal_parse(const uint8_t *, size_t,
		    void (*fn)(void *, const struct journal_rec *), void *);
uint32_t	 journal_crc32(const void *, size_t);

#endif /* DOCKER_JOURNAL_H */
