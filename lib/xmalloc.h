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

#ifndef XMALLOC_H
#define XMALLOC_H

#include "compat.h"

/*
 * Allocation of sizes that we choose: out of memory ends the process with a
 * log line.  A size that somebody else chose is bounded first and goes
 * through plain malloc(3) with a soft failure.  All are freed by free(3).
 */
void	*xmalloc(size_t);			/* size 0 gives 1 byte */
void	*xcalloc(size_t n, size_t size);	/* zeroed */
void	*xreallocarray(void *, size_t n, size_t size);
/* As recallocarray(3): new part zeroed, abandoned memory wiped. */
void	*xrecallocarray(void *, size_t oldn, size_t n, size_t size);
void	*xmemdup(const void *, size_t);
char	*xstrdup(const char *);
char	*xstrndup(const char *, size_t max);
int	 xasprintf(char **, const char *, ...) __printflike_(2, 3);

#endif /* XMALLOC_H */
