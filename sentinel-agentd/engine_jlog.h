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

#ifndef ENGINE_JLOG_H
#define ENGINE_JLOG_H

#include "compat.h"

/*
 * state/journal.log: records that are appended and synced, read once at
 * start.  What a record says is not looked at here (engine_jentry.c).
 *
 * On disk, network byte order:
 *	length		4	of the JSON text, 2 to JLOG_REC_MAXBYTES
 *	checksum	8	first bytes of SHA-256(text)
 *	text			one JSON object
 * A torn tail is cut off at start; damage before a whole record is passed
 * over and counted, and goes with the next rewriting.  So kill -9 between or
 * in the middle of any two writes loses no record whose jlog_append() had
 * returned 0.
 *
 * JLOG_RESERVE_BYTES behind the end are allocated ahead
 * (FALLOC_FL_KEEP_SIZE): on a full disk only what is important is appended,
 * into that room.  A filesystem that cannot do it gives no such promise.
 */
#define JLOG_HEAD		12
#define JLOG_REC_MAXBYTES	(128 * 1024)
#define JLOG_FILE_MAXBYTES	(32UL * 1024 * 1024)
#define JLOG_RESERVE_BYTES	(256 * 1024)

struct jlog;

struct jlog_scan {
	size_t	 js_records;
	size_t	 js_end;	/* behind the last whole record */
	size_t	 js_holes;	/* damaged stretches before it */
};

/* The parser, for tests and the fuzzer too.  fn borrows the text. */
void	 jlog_parse(const uint8_t *, size_t,
	    void (*fn)(void *, const char *, size_t), void *,
	    struct jlog_scan *);

/*
 * Opens or makes the file in the current directory and reads it.  NULL with
 * errno; then nothing can be kept.  A file that cannot be read or is no
 * regular one is moved aside (NAME.bad), logged.
 */
struct jlog *jlog_open(const char *name,
	    void (*fn)(void *, const char *, size_t), void *,
	    struct jlog_scan *);
void	 jlog_close(struct jlog *);
/*
 * Append without syncing.  important: may use the reserved room.  0, or -1
 * with errno: the file is as it was before.
 */
int	 jlog_append(struct jlog *, const char *, size_t, bool important);
/* 0: all that was appended lasts. */
int	 jlog_sync(struct jlog *);
/*
 * A new file in place of the old one: written, synced, renamed, directory
 * synced.  next gives one text after the other, NULL at the end.  0, or -1
 * with errno and the old file as it was.
 */
int	 jlog_rewrite(struct jlog *,
	    const char *(*next)(void *, size_t *len), void *);
/* To nothing, in place: needs no room.  0, -1 */
int	 jlog_clear(struct jlog *);
size_t	 jlog_size(const struct jlog *);	/* bytes of the file */

#endif /* ENGINE_JLOG_H */
