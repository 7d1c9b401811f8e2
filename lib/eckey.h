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

#ifndef ECKEY_H
#define ECKEY_H

#include "compat.h"

#include <openssl/evp.h>

/*
 * P-256 keys as raw numbers.  The one source (eckey.c) that uses libcrypto's
 * EC_KEY interface, deprecated since OpenSSL 3 but the only one that OpenSSL
 * and LibreSSL share for this.
 */
#define ECKEY_POINT_LEN		65	/* 0x04 || X || Y */
#define ECKEY_SCALAR_LEN	32
#define ECKEY_DIGEST_LEN	32	/* SHA-256 */
#define ECKEY_SIG_MAXBYTES	72	/* DER ECDSA-Sig-Value */

/* Key to verify with; NULL when the point is not on the curve. */
EVP_PKEY	*eckey_public(const uint8_t point[ECKEY_POINT_LEN]);
/*
 * Key to sign with, and its point.  NULL when the number is not in 1..n-1.
 * libcrypto's copies lie in its secure heap when there is one (see
 * keyholder.c) and are wiped by EVP_PKEY_free().
 */
EVP_PKEY	*eckey_private(const uint8_t scalar[ECKEY_SCALAR_LEN],
		    uint8_t point[ECKEY_POINT_LEN]);
/* A new random private number.  0, or -1 (EIO: no random numbers). */
int		 eckey_generate(uint8_t scalar[ECKEY_SCALAR_LEN]);
/* The point of a P-256 key of any origin; -1 (EINVAL) for other keys. */
int		 eckey_point(EVP_PKEY *, uint8_t point[ECKEY_POINT_LEN]);
/*
 * ECDSA over a SHA-256 digest.  sig: ECKEY_SIG_MAXBYTES.  0, or -1 (EIO).
 */
int		 eckey_sign(EVP_PKEY *, const uint8_t digest[ECKEY_DIGEST_LEN],
		    uint8_t *sig, size_t *siglen);
bool		 eckey_verify(EVP_PKEY *,
		    const uint8_t digest[ECKEY_DIGEST_LEN],
		    const uint8_t *sig, size_t siglen);

/*
 * From now on, signing with a key that has a point but no private number asks
 * fn, which writes the DER signature (at most ECKEY_SIG_MAXBYTES) and returns
 * 0 or -1.  Keys with a private number sign as ever.  Once per process.
 */
typedef int	 (*eckey_signfn)(const uint8_t point[ECKEY_POINT_LEN],
		    const uint8_t digest[ECKEY_DIGEST_LEN], uint8_t *sig,
		    size_t *siglen);
int		 eckey_hook(eckey_signfn);

#endif /* ECKEY_H */
