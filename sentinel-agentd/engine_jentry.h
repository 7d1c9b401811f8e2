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

#ifndef ENGINE_JENTRY_H
#define ENGINE_JENTRY_H

#include "compat.h"

#include <time.h>

#include "json.h"
#include "pbmem.h"
#include "sentinel.pb-c.h"

/*
 * One entry of the offline journal as JSON, in the keys that the existing
 * implementation writes: id, timestamp (RFC 3339 with nanoseconds), action,
 * container, old_image, new_image, old_digest, new_digest, outcome, error,
 * duration (integer nanoseconds).  Empty images, digests and errors are left
 * out.  Pure.
 */
#define JENTRY_ERROR_MAXBYTES	16384	/* more is cut */
#define JENTRY_FILE_INDENT	"  "

/* Strings as the wire takes them: UTF-8, cut, words without space; the
 * pointers change.  0, -1: out of memory. */
int	 jentry_clean(Sentinel__Cluster__JournalEntry *, struct pbmem *);
/* Compact, NUL-terminated, caller frees; NULL: out of memory.  After
 * jentry_clean(). */
char	*jentry_make(const Sentinel__Cluster__JournalEntry *, size_t *len);
/*
 * Into the arena, with every string as the wire wants it: what is missing is
 * empty, too long is cut, an id that is missing is made from the content.
 * NULL: no object, or a member of the wrong type; why says which.
 */
Sentinel__Cluster__JournalEntry *jentry_read(const char *, size_t,
	    struct pbmem *, const char **why);
/* As an element of offline_journal.json: indented, without a comma.  Caller
 * frees; NULL: not JSON, or out of memory. */
char	*jentry_indent(const char *, size_t len, size_t *outlen);

/* "2026-01-31T12:00:00.000000001Z", in UTC; 0 seconds is empty. */
void	 jentry_time_make(int64_t sec, int32_t nsec, char *, size_t);
/* 0, -1: not RFC 3339. */
int	 jentry_time_read(const char *, int64_t *sec, int32_t *nsec);

#endif /* ENGINE_JENTRY_H */
