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

#ifndef HEX_H
#define HEX_H

#include "compat.h"

/* Lower-case hexadecimal, two digits a byte. */

#define HEX_SIZE(n)	((n) * 2 + 1)	/* text of n bytes with the NUL */

/* dst: size bytes, at least HEX_SIZE(len).  0, or -1 (ENOSPC), dst empty. */
int	 hex_encode(char *dst, size_t size, const void *src, size_t len);
/*
 * Strict: src is exactly 2 * len digits of [0-9a-f] and the NUL.  0, or -1
 * (EINVAL) with dst wiped.
 */
int	 hex_decode(void *dst, size_t len, const char *src);
/* True when s is exactly digits of [0-9a-f], n of them. */
bool	 hex_is_valid(const char *s, size_t n);

#endif /* HEX_H */
