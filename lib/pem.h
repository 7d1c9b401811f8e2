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

#ifndef PEM_H
#define PEM_H

#include "compat.h"

/*
 * PEM (RFC 7468), strict base64, no headers inside a block (so no encrypted
 * legacy keys).  Text before, between and after blocks is skipped, as usual
 * for certificate files.
 */
#define PEM_LABEL_CERT		"CERTIFICATE"
#define PEM_LABEL_EC		"EC PRIVATE KEY"
#define PEM_LABEL_PKCS8		"PRIVATE KEY"
#define PEM_LABEL_SIZE		32

struct pem {			/* a position in the text */
	const char	*p_text;
	size_t		 p_left;
};

void	 pem_init(struct pem *, const void *, size_t);
/*
 * Decode the next block.
 *	label	out, NUL-terminated
 *	der	out, at most size bytes; *len is what was written
 * Returns 1, 0 when no further block begins, or -1: EBADMSG (broken or
 * unfinished block), EMSGSIZE (does not fit).
 */
int	 pem_next(struct pem *, char label[PEM_LABEL_SIZE], uint8_t *der,
	    size_t size, size_t *len);

/* Bytes of the text with its NUL that len bytes under label become. */
size_t	 pem_size(const char *label, size_t len);
/* Encode into dst of pem_size() bytes; returns strlen(dst). */
size_t	 pem_encode(char *dst, const char *label, const uint8_t *der,
	    size_t len);
/* A certificate as malloc'd PEM text, caller frees; NULL: out of memory. */
char	*pem_encode_cert(const uint8_t *der, size_t len);

#endif /* PEM_H */
