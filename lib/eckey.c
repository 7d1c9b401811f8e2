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

/*
 * EC_KEY is deprecated in OpenSSL 3 in favour of interfaces that LibreSSL does
 * not have; it works in both.  Everything that needs the silence is here.
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "compat.h"

#include <errno.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/rand.h>
#include <openssl/x509.h>

#include "eckey.h"

#ifdef LIBRESSL_VERSION_NUMBER
#define BN_secure_new	BN_new		/* has no secure heap */
#endif

/* SubjectPublicKeyInfo of a P-256 key up to the point; RFC 5480. */
static const uint8_t spki_head[] = {
	0x30, 0x59, 0x30, 0x13, 0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d,
	0x02, 0x01, 0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
	0x07, 0x03, 0x42, 0x00
};

/* Order of the group, FIPS 186-4 D.1.2.3. */
static const uint8_t order[ECKEY_SCALAR_LEN] = {
	0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00,
	0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17, 0x9e, 0x84,
	0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51
};

static EVP_PKEY		*eckey_wrap(EC_KEY *);
static ECDSA_SIG	*eckey_sign_hook(const unsigned char *, int,
			    const BIGNUM *, const BIGNUM *, EC_KEY *);
static int		 eckey_sign_der_hook(int, const unsigned char *, int,
			    unsigned char *, unsigned int *, const BIGNUM *,
			    const BIGNUM *, EC_KEY *);
static int		 eckey_ask(const unsigned char *, int, EC_KEY *,
			    uint8_t[ECKEY_SIG_MAXBYTES], size_t *);
static bool		 eckey_in_range(const uint8_t[ECKEY_SCALAR_LEN]);

static eckey_signfn	 hook_fn;
static int		 (*orig_sign)(int, const unsigned char *, int,
			    unsigned char *, unsigned int *, const BIGNUM *,
			    const BIGNUM *, EC_KEY *);
static ECDSA_SIG	*(*orig_sign_sig)(const unsigned char *, int,
			    const BIGNUM *, const BIGNUM *, EC_KEY *);

EVP_PKEY *
eckey_public(const uint8_t point[ECKEY_POINT_LEN])
{
	EC_KEY		*ec;
	EC_POINT	*pub = NULL;
	const EC_GROUP	*group;

	if (point[0] != POINT_CONVERSION_UNCOMPRESSED ||
	    (ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1)) == NULL)
		return (NULL);
	group = EC_KEY_get0_group(ec);
	/* oct2point refuses what is not on the curve. */
	if ((pub = EC_POINT_new(group)) == NULL ||
	    EC_POINT_oct2point(group, pub, point, ECKEY_POINT_LEN,
	    NULL) != 1 || EC_KEY_set_public_key(ec, pub) != 1) {
		EC_POINT_free(pub);
		EC_KEY_free(ec);
		return (NULL);
	}
	EC_POINT_free(pub);
	return (eckey_wrap(ec));
}

EVP_PKEY *
eckey_private(const uint8_t scalar[ECKEY_SCALAR_LEN],
    uint8_t point[ECKEY_POINT_LEN])
{
	EC_KEY		*ec;
	EC_POINT	*pub = NULL;
	BIGNUM		*priv = NULL;
	const EC_GROUP	*group;
	EVP_PKEY	*pkey = NULL;

	if (!eckey_in_range(scalar) ||
	    (ec = EC_KEY_new_by_curve_name(NID_X9_62_prime256v1)) == NULL)
		return (NULL);
	group = EC_KEY_get0_group(ec);
	/* Copies of a number in the secure heap are made there, too. */
	if ((priv = BN_secure_new()) == NULL ||
	    BN_bin2bn(scalar, ECKEY_SCALAR_LEN, priv) == NULL ||
	    (pub = EC_POINT_new(group)) == NULL)
		goto done;
	BN_set_flags(priv, BN_FLG_CONSTTIME);
	if (EC_POINT_mul(group, pub, priv, NULL, NULL, NULL) != 1 ||
	    EC_KEY_set_private_key(ec, priv) != 1 ||
	    EC_KEY_set_public_key(ec, pub) != 1 ||
	    EC_POINT_point2oct(group, pub, POINT_CONVERSION_UNCOMPRESSED,
	    point, ECKEY_POINT_LEN, NULL) != ECKEY_POINT_LEN)
		goto done;
	pkey = eckey_wrap(ec);
	ec = NULL;
done:
	BN_clear_free(priv);
	EC_POINT_free(pub);
	EC_KEY_free(ec);
	return (pkey);
}

/* Takes ec. */
static EVP_PKEY *
eckey_wrap(EC_KEY *ec)
{
	EVP_PKEY	*pkey;

	EC_KEY_set_asn1_flag(ec, OPENSSL_EC_NAMED_CURVE);
	if ((pkey = EVP_PKEY_new()) == NULL ||
	    EVP_PKEY_assign_EC_KEY(pkey, ec) != 1) {
		EVP_PKEY_free(pkey);
		EC_KEY_free(ec);
		return (NULL);
	}
	return (pkey);
}

int
eckey_generate(uint8_t scalar[ECKEY_SCALAR_LEN])
{
	int	 tries;

	/* Misses once in 2^32; a hundred misses are a broken generator. */
	for (tries = 0; tries < 100; tries++) {
		if (RAND_bytes(scalar, ECKEY_SCALAR_LEN) != 1)
			break;
		if (eckey_in_range(scalar))
			return (0);
	}
	explicit_bzero(scalar, ECKEY_SCALAR_LEN);
	errno = EIO;
	return (-1);
}

/* 1 <= scalar < order */
static bool
eckey_in_range(const uint8_t scalar[ECKEY_SCALAR_LEN])
{
	static const uint8_t zero[ECKEY_SCALAR_LEN];

	return (CRYPTO_memcmp(scalar, zero, sizeof(zero)) != 0 &&
	    memcmp(scalar, order, sizeof(order)) < 0);
}

int
eckey_point(EVP_PKEY *pkey, uint8_t point[ECKEY_POINT_LEN])
{
	unsigned char	*spki = NULL;
	int		 len, ret = -1;

	/* Compressed points and explicit parameters do not match the head. */
	if ((len = i2d_PUBKEY(pkey, &spki)) ==
	    (int)(sizeof(spki_head) + ECKEY_POINT_LEN) &&
	    memcmp(spki, spki_head, sizeof(spki_head)) == 0) {
		memcpy(point, spki + sizeof(spki_head), ECKEY_POINT_LEN);
		ret = 0;
	}
	OPENSSL_free(spki);
	if (ret == -1)
		errno = EINVAL;
	return (ret);
}

int
eckey_sign(EVP_PKEY *pkey, const uint8_t digest[ECKEY_DIGEST_LEN],
    uint8_t *sig, size_t *siglen)
{
	EVP_PKEY_CTX	*ctx;
	int		 ret = -1;

	*siglen = ECKEY_SIG_MAXBYTES;
	if ((ctx = EVP_PKEY_CTX_new(pkey, NULL)) != NULL &&
	    EVP_PKEY_sign_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_sign(ctx, sig, siglen, digest, ECKEY_DIGEST_LEN) == 1)
		ret = 0;
	EVP_PKEY_CTX_free(ctx);
	if (ret == -1)
		errno = EIO;
	return (ret);
}

bool
eckey_verify(EVP_PKEY *pkey, const uint8_t digest[ECKEY_DIGEST_LEN],
    const uint8_t *sig, size_t siglen)
{
	EVP_PKEY_CTX	*ctx;
	bool		 ok;

	ok = (ctx = EVP_PKEY_CTX_new(pkey, NULL)) != NULL &&
	    EVP_PKEY_verify_init(ctx) == 1 &&
	    EVP_PKEY_CTX_set_signature_md(ctx, EVP_sha256()) == 1 &&
	    EVP_PKEY_verify(ctx, sig, siglen, digest, ECKEY_DIGEST_LEN) == 1;
	EVP_PKEY_CTX_free(ctx);
	return (ok);
}

/*
 * The default method is of the whole process; all slots but the two that sign
 * are copies, so verification and key agreement stay as they were.  Keys are
 * told apart by the point because libretls on OpenSSL 3 loses ex_data, the
 * way that smtpd and relayd use.
 */
int
eckey_hook(eckey_signfn fn)
{
	EC_KEY_METHOD	*m;
	int		 (*setup)(EC_KEY *, BN_CTX *, BIGNUM **, BIGNUM **);

	if (hook_fn != NULL ||
	    (m = EC_KEY_METHOD_new(EC_KEY_OpenSSL())) == NULL) {
		errno = EINVAL;
		return (-1);
	}
	EC_KEY_METHOD_get_sign(m, &orig_sign, &setup, &orig_sign_sig);
	EC_KEY_METHOD_set_sign(m, eckey_sign_der_hook, setup, eckey_sign_hook);
	hook_fn = fn;
	EC_KEY_set_default_method(m);	/* lives as long as the process */
	return (0);
}

static int
eckey_ask(const unsigned char *digest, int len, EC_KEY *ec,
    uint8_t sig[ECKEY_SIG_MAXBYTES], size_t *siglen)
{
	uint8_t		 point[ECKEY_POINT_LEN];
	const EC_GROUP	*group = EC_KEY_get0_group(ec);
	const EC_POINT	*pub = EC_KEY_get0_public_key(ec);

	/* TLS 1.3 with a P-256 key signs SHA-256 digests, nothing else. */
	if (len != ECKEY_DIGEST_LEN || group == NULL || pub == NULL ||
	    EC_GROUP_get_curve_name(group) != NID_X9_62_prime256v1 ||
	    EC_POINT_point2oct(group, pub, POINT_CONVERSION_UNCOMPRESSED,
	    point, sizeof(point), NULL) != sizeof(point))
		return (-1);
	if (hook_fn(point, digest, sig, siglen) == -1 || *siglen == 0 ||
	    *siglen > ECKEY_SIG_MAXBYTES)
		return (-1);
	return (0);
}

static int
eckey_sign_der_hook(int type, const unsigned char *digest, int len,
    unsigned char *sig, unsigned int *siglen, const BIGNUM *kinv,
    const BIGNUM *r, EC_KEY *ec)
{
	size_t	 n;

	if (EC_KEY_get0_private_key(ec) != NULL)
		return (orig_sign(type, digest, len, sig, siglen, kinv, r,
		    ec));
	/* The caller's buffer has ECDSA_size() bytes, for P-256 72. */
	if (ECDSA_size(ec) < ECKEY_SIG_MAXBYTES ||
	    eckey_ask(digest, len, ec, sig, &n) == -1)
		return (0);
	*siglen = (unsigned int)n;
	return (1);
}

static ECDSA_SIG *
eckey_sign_hook(const unsigned char *digest, int len, const BIGNUM *kinv,
    const BIGNUM *r, EC_KEY *ec)
{
	uint8_t			 sig[ECKEY_SIG_MAXBYTES];
	const unsigned char	*p = sig;
	size_t			 n;

	if (EC_KEY_get0_private_key(ec) != NULL)
		return (orig_sign_sig(digest, len, kinv, r, ec));
	if (eckey_ask(digest, len, ec, sig, &n) == -1)
		return (NULL);
	return (d2i_ECDSA_SIG(NULL, &p, (long)n));
}
