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

#ifndef UTF8_H
#define UTF8_H

#include "compat.h"

#include <sys/types.h>

/*
 * UTF-8 as in RFC 3629: shortest form, no surrogates, nothing above U+10FFFF.
 * U+0000 counts as invalid everywhere, because what we check ends up in C
 * strings.  Lengths are bytes; the text need not end with a NUL.
 */
bool	 utf8_is_valid(const void *, size_t);
/* Code points, or -1 when the text is not valid. */
ssize_t	 utf8_count(const void *, size_t);
/*
 * Copy src to dst (size bytes with the NUL), every invalid byte replaced by
 * U+FFFD.  A maximal broken prefix of a sequence gives one U+FFFD (Unicode
 * 3.9, "substitution of maximal subparts").  Stops before a character that
 * does not fit.  Returns strlen(dst); size 0 writes nothing and returns 0.
 */
size_t	 utf8_repair(char *dst, size_t size, const void *src, size_t len);
/*
 * Copy src to dst (size bytes with the NUL) so that a person can read it on
 * one line of a terminal or log: control characters (C0, DEL, C1), line and
 * paragraph separators, bidirectional controls, and bytes that are not UTF-8
 * become \ooo per byte (\n, \t, \r for these), a backslash is doubled.  Stops
 * before what does not fit.  Returns strlen(dst).
 */
size_t	 utf8_vis(char *dst, size_t size, const void *src, size_t len);
/*
 * Length of the valid character at src: 1..4, or minus the length (1..3) of
 * the broken prefix to skip.  len is at least 1.  The code point goes to cp
 * unless that is NULL.
 */
int	 utf8_next(const void *src, size_t len, uint32_t *cp);

#endif /* UTF8_H */
