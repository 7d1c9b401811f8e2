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

#include "der.h"

#define DER_TAG_HIGH	0x1f	/* tag number in further bytes: not used */

static int
der_length(const struct der *d, size_t *hdr, size_t *len)
{
	size_t	 i, n, v;

	if (d->d_len < 2 || (d->d_p[0] & DER_TAG_HIGH) == DER_TAG_HIGH)
		return (-1);
	v = d->d_p[1];
	n = 0;
	if (v & 0x80) {
		n = v & 0x7f;
		if (n < 1 || n > 3 || d->d_len < 2 + n)
			return (-1);
		for (v = 0, i = 0; i < n; i++)
			v = v << 8 | d->d_p[2 + i];
		/* DER: as few bytes as possible. */
		if (v < 0x80 || v >> (8 * (n - 1)) == 0)
			return (-1);
	}
	if (v > d->d_len - 2 - n)
		return (-1);
	*hdr = 2 + n;
	*len = v;
	return (0);
}

void
der_init(struct der *d, const void *p, size_t len)
{
	d->d_p = p;
	d->d_len = len;
}

bool
der_is_empty(const struct der *d)
{
	return (d->d_len == 0);
}

int
der_peek(const struct der *d)
{
	return (d->d_len == 0 ? -1 : d->d_p[0]);
}

int
der_get(struct der *d, uint8_t tag, struct der *body)
{
	size_t	 hdr, len;

	if (der_peek(d) != tag || der_length(d, &hdr, &len) == -1) {
		errno = EBADMSG;
		return (-1);
	}
	if (body != NULL)
		der_init(body, d->d_p + hdr, len);
	d->d_p += hdr + len;
	d->d_len -= hdr + len;
	return (0);
}

int
der_get_any(struct der *d, struct der *whole)
{
	size_t	 hdr, len;

	if (der_length(d, &hdr, &len) == -1) {
		errno = EBADMSG;
		return (-1);
	}
	if (whole != NULL)
		der_init(whole, d->d_p, hdr + len);
	d->d_p += hdr + len;
	d->d_len -= hdr + len;
	return (0);
}

bool
der_is_equal(const struct der *d, const void *p, size_t len)
{
	return (d->d_len == len && memcmp(d->d_p, p, len) == 0);
}
