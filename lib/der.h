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

#ifndef DER_H
#define DER_H

#include "compat.h"

/*
 * Reading of DER by hand, for the few fixed shapes that are met often
 * (facts of a certificate, the public point of a key) or must leave no copy
 * behind (private keys).  Definite, shortest lengths only; tags of one byte;
 * at most 2^24 - 1 bytes.  A reader is a window that shrinks as it is read;
 * nothing is copied.
 */
struct der {
	const uint8_t	*d_p;
	size_t		 d_len;
};

#define DER_INTEGER		0x02
#define DER_BITSTRING		0x03
#define DER_OCTETSTRING		0x04
#define DER_OID			0x06
#define DER_UTCTIME		0x17
#define DER_GENERALIZEDTIME	0x18
#define DER_SEQUENCE		0x30
#define DER_SET			0x31
#define DER_CONTEXT(n)		(0xa0 | (n))	/* explicit, constructed */

void	 der_init(struct der *, const void *, size_t);
bool	 der_is_empty(const struct der *);
/* Tag of the next element, or -1 at the end. */
int	 der_peek(const struct der *);
/*
 * Take the next element, which must have this tag; its contents go to body
 * unless that is NULL.  0, or -1 with EBADMSG and the window unchanged.
 */
int	 der_get(struct der *, uint8_t tag, struct der *body);
/* As der_get() for any tag; whole, unless NULL, is the element with its
 * header. */
int	 der_get_any(struct der *, struct der *whole);
bool	 der_is_equal(const struct der *, const void *, size_t);

#endif /* DER_H */
