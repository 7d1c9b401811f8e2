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

#include <string.h>

#include "utf8.h"

#define UTF8_FFFD	"\xef\xbf\xbd"

static bool	 utf8_is_plain(uint32_t);
static size_t	 utf8_escape(char *, const uint8_t *, size_t);

/*
 * The second byte carries all the special cases: its range depends on the
 * first one and excludes long forms, surrogates and what is above U+10FFFF
 * (Unicode, table 3-7).
 */
int
utf8_next(const void *src, size_t len, uint32_t *cp)
{
	const uint8_t	*p = src;
	uint32_t	 v;
	uint8_t		 lo = 0x80, hi = 0xbf;
	int		 i, n;

	if (p[0] < 0x80) {
		if (cp != NULL)
			*cp = p[0];
		return (p[0] == 0 ? -1 : 1);
	}
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return (-1);
	n = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (p[0] == 0xe0)
		lo = 0xa0;
	else if (p[0] == 0xed)
		hi = 0x9f;
	else if (p[0] == 0xf0)
		lo = 0x90;
	else if (p[0] == 0xf4)
		hi = 0x8f;
	v = p[0] & (0xffU >> (n + 1));
	for (i = 1; i < n; i++) {
		if ((size_t)i >= len || p[i] < lo || p[i] > hi)
			return (-i);
		v = v << 6 | (p[i] & 0x3f);
		lo = 0x80;
		hi = 0xbf;
	}
	if (cp != NULL)
		*cp = v;
	return (n);
}

ssize_t
utf8_count(const void *src, size_t len)
{
	const uint8_t	*p = src;
	ssize_t		 count = 0;
	int		 n;

	while (len > 0) {
		if ((n = utf8_next(p, len, NULL)) < 0)
			return (-1);
		p += n;
		len -= (size_t)n;
		count++;
	}
	return (count);
}

bool
utf8_is_valid(const void *src, size_t len)
{
	return (utf8_count(src, len) != -1);
}

size_t
utf8_repair(char *dst, size_t size, const void *src, size_t len)
{
	const uint8_t	*p = src;
	const void	*from;
	size_t		 skip, n, out = 0;
	int		 r;

	if (size == 0)
		return (0);
	while (len > 0) {
		r = utf8_next(p, len, NULL);
		skip = n = (size_t)(r < 0 ? -r : r);
		from = p;
		if (r < 0) {
			from = UTF8_FFFD;
			n = strlen(UTF8_FFFD);
		}
		if (n >= size - out)
			break;
		memcpy(dst + out, from, n);
		out += n;
		p += skip;
		len -= skip;
	}
	dst[out] = '\0';
	return (out);
}

/* Does not move the cursor, start a line or turn the direction of text. */
static bool
utf8_is_plain(uint32_t cp)
{
	if (cp < 0x20 || cp == '\\' || (cp >= 0x7f && cp < 0xa0))
		return (false);
	if (cp == 0x061c || cp == 0x200e || cp == 0x200f ||
	    (cp >= 0x2028 && cp <= 0x202e) || (cp >= 0x2066 && cp <= 0x2069))
		return (false);
	return (true);
}

/* At most 4 bytes in, 16 and the NUL out. */
static size_t
utf8_escape(char *dst, const uint8_t *p, size_t len)
{
	size_t	 i, out = 0;

	for (i = 0; i < len; i++) {
		dst[out++] = '\\';
		switch (p[i]) {
		case '\\':
			dst[out++] = '\\';
			break;
		case '\n':
			dst[out++] = 'n';
			break;
		case '\r':
			dst[out++] = 'r';
			break;
		case '\t':
			dst[out++] = 't';
			break;
		default:
			dst[out++] = (char)('0' + (p[i] >> 6));
			dst[out++] = (char)('0' + (p[i] >> 3 & 7));
			dst[out++] = (char)('0' + (p[i] & 7));
		}
	}
	return (out);
}

size_t
utf8_vis(char *dst, size_t size, const void *src, size_t len)
{
	const uint8_t	*p = src;
	const void	*from;
	char		 esc[16];
	size_t		 skip, n, out = 0;
	uint32_t	 cp;
	int		 r;

	if (size == 0)
		return (0);
	while (len > 0) {
		r = utf8_next(p, len, &cp);
		skip = n = (size_t)(r < 0 ? -r : r);
		from = p;
		if (r < 0 || !utf8_is_plain(cp)) {
			n = utf8_escape(esc, p, skip);
			from = esc;
		}
		if (n >= size - out)
			break;
		memcpy(dst + out, from, n);
		out += n;
		p += skip;
		len -= skip;
	}
	dst[out] = '\0';
	return (out);
}
