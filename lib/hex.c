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

#include "compat.h"

#include <errno.h>
#include <string.h>

#include "hex.h"

static const char digits[] = "0123456789abcdef";

static int	 hex_value(char);

int
hex_encode(char *dst, size_t size, const void *src, size_t len)
{
	const uint8_t	*p = src;
	size_t		 i;

	if (len > (SIZE_MAX - 1) / 2 || size < HEX_SIZE(len)) {
		if (size > 0)
			dst[0] = '\0';
		errno = ENOSPC;
		return (-1);
	}
	for (i = 0; i < len; i++) {
		dst[2 * i] = digits[p[i] >> 4];
		dst[2 * i + 1] = digits[p[i] & 0x0f];
	}
	dst[2 * len] = '\0';
	return (0);
}

static int
hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	return (-1);
}

int
hex_decode(void *dst, size_t len, const char *src)
{
	uint8_t	*p = dst;
	size_t	 i;

	if (len > SIZE_MAX / 2 || !hex_is_valid(src, len * 2)) {
		explicit_bzero(dst, len);
		errno = EINVAL;
		return (-1);
	}
	for (i = 0; i < len; i++)
		p[i] = (uint8_t)(hex_value(src[2 * i]) << 4 |
		    hex_value(src[2 * i + 1]));
	return (0);
}

bool
hex_is_valid(const char *s, size_t n)
{
	size_t	 i;

	/* The NUL is no digit, so this does not read past the end of s. */
	for (i = 0; i < n; i++) {
		if (hex_value(s[i]) == -1)
			return (false);
	}
	return (s[n] == '\0');
}
