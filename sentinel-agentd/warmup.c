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

#include "agentd.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include <stdlib.h>

#include "eckey.h"
#include "log.h"
#include "x509util.h"

void
crypto_warmup(void)
{
	static const char	 none[] = "-----BEGIN CERTIFICATE-----\n";
	struct x509_result	 xr;
	EVP_PKEY		*pkey;
	uint8_t			 scalar[ECKEY_SCALAR_LEN];
	uint8_t			 point[ECKEY_POINT_LEN];
	uint8_t			 digest[SHA256_DIGEST_LENGTH];
	uint8_t			 sig[ECKEY_SIG_MAXBYTES];
	size_t			 len;

	/* Its configuration file is not ours. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1 ||
	    eckey_generate(scalar) == -1 ||
	    (pkey = eckey_private(scalar, point)) == NULL)
		fatalx("libcrypto cannot start");
	SHA256(point, sizeof(point), digest);
	if (eckey_sign(pkey, digest, sig, &len) == -1 ||
	    !eckey_verify(pkey, digest, sig, len))
		fatalx("libcrypto cannot sign");
	EVP_PKEY_free(pkey);
	explicit_bzero(scalar, sizeof(scalar));
	(void)x509_check_client((const uint8_t *)none, sizeof(none) - 1,
	    (const uint8_t *)none, sizeof(none) - 1, 0, &xr);
}
