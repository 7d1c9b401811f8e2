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
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <openssl/x509.h>

#include "der.h"
#include "hex.h"
#include "log.h"
#include "pem.h"
#include "utf8.h"
#include "x509util.h"

/* AlgorithmIdentifier body of a P-256 key: id-ecPublicKey, prime256v1. */
static const uint8_t alg_p256[] = {
	0x06, 0x07, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01,
	0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07
};
static const uint8_t oid_cn[] = { 0x55, 0x04, 0x03 };

struct x509_fields {		/* windows into a certificate */
	struct der	 xd_serial;
	struct der	 xd_validity;
	struct der	 xd_subject;
	struct der	 xd_spki;	/* with its header */
};

static int	 x509_fields(const uint8_t *, size_t, struct x509_fields *);
static int	 x509_cn(struct der, char[X509_CN_SIZE]);
static int	 x509_time(struct der *, int64_t *);
static int	 x509_spki_point(struct der, uint8_t[ECKEY_POINT_LEN]);
static int	 x509_digits(const uint8_t *, size_t, int *);

void
x509_warmup(void)
{
	uint8_t		 scalar[ECKEY_SCALAR_LEN], point[ECKEY_POINT_LEN];
	uint8_t		 digest[ECKEY_DIGEST_LEN] = { 0 };
	uint8_t		 sig[ECKEY_SIG_MAXBYTES];
	EVP_PKEY	*pkey = NULL;
	size_t		 len;

	tzset();	/* libcrypto's time functions read the zone file */
	/* A signature, so that algorithms and random numbers are there. */
	if (OPENSSL_init_crypto(OPENSSL_INIT_NO_LOAD_CONFIG, NULL) != 1 ||
	    eckey_generate(scalar) == -1 ||
	    (pkey = eckey_private(scalar, point)) == NULL ||
	    eckey_sign(pkey, digest, sig, &len) == -1 ||
	    !eckey_verify(pkey, digest, sig, len))
		fatalx("libcrypto does not work");
	EVP_PKEY_free(pkey);
	explicit_bzero(scalar, sizeof(scalar));
}

const char *
x509_csr_point(const uint8_t *der, size_t len, uint8_t point[ECKEY_POINT_LEN])
{
	const unsigned char	*p = der;
	const char		*fault = NULL;
	X509_REQ		*req;
	EVP_PKEY		*pkey;

	if (len > X509_CSR_MAXBYTES)
		return ("the request is too large");
	if ((req = d2i_X509_REQ(NULL, &p, (long)len)) == NULL)
		return ("the request does not parse");
	if (p != der + len)
		fault = "bytes follow the request";
	else if ((pkey = X509_REQ_get0_pubkey(req)) == NULL ||
	    eckey_point(pkey, point) == -1)
		fault = "the key is not P-256";
	else
		switch (X509_REQ_get_signature_nid(req)) {
		case NID_ecdsa_with_SHA256:
		case NID_ecdsa_with_SHA384:
		case NID_ecdsa_with_SHA512:
			if (X509_REQ_verify(req, pkey) != 1)
				fault = "the signature is not by this key";
			break;
		default:
			fault = "the signature is not ECDSA with SHA-256 "
			    "or better";
		}
	X509_REQ_free(req);
	return (fault);
}

int
x509_facts_der(const uint8_t *der, size_t len, struct x509_facts *xf)
{
	struct x509_fields	 f;

	memset(xf, 0, sizeof(*xf));
	if (x509_fields(der, len, &f) == -1 ||
	    x509_serial_text(f.xd_serial.d_p, f.xd_serial.d_len,
	    xf->xf_serial) == -1 ||
	    x509_time(&f.xd_validity, &xf->xf_notbefore) == -1 ||
	    x509_time(&f.xd_validity, &xf->xf_notafter) == -1 ||
	    x509_cn(f.xd_subject, xf->xf_cn) == -1 ||
	    x509_spki_point(f.xd_spki, xf->xf_point) == -1) {
		memset(xf, 0, sizeof(*xf));
		errno = EBADMSG;
		return (-1);
	}
	return (0);
}

int
x509_facts_pem(const uint8_t *pem, size_t len, struct x509_facts *xf)
{
	uint8_t	*der;
	size_t	 derlen;
	int	 ret;

	if ((der = x509_pem_to_der(pem, len, &derlen)) == NULL)
		return (-1);
	ret = x509_facts_der(der, derlen, xf);
	free(der);
	return (ret);
}

int
x509_serial_text(const uint8_t *p, size_t len, char text[X509_SERIAL_SIZE])
{
	char	 hex[HEX_SIZE(X509_SERIAL_SIZE / 2)];

	while (len > 1 && *p == 0) {
		p++;
		len--;
	}
	if (len == 0 || len > 20 ||
	    hex_encode(hex, sizeof(hex), p, len) == -1) {
		errno = EINVAL;
		return (-1);
	}
	/* Text of the Go server: no leading zero, not even half a byte. */
	strlcpy(text, hex[0] == '0' && hex[1] != '\0' ? hex + 1 : hex,
	    X509_SERIAL_SIZE);
	return (0);
}

int
x509_pin_der(const uint8_t *der, size_t len, uint8_t pin[X509_PIN_LEN])
{
	struct x509_fields	 f;

	if (x509_fields(der, len, &f) == -1) {
		errno = EBADMSG;
		return (-1);
	}
	SHA256(f.xd_spki.d_p, f.xd_spki.d_len, pin);
	return (0);
}

uint8_t *
x509_pem_to_der(const uint8_t *pem, size_t len, size_t *derlen)
{
	struct pem	 p;
	char		 label[PEM_LABEL_SIZE];
	uint8_t		*der;
	int		 n = -1;

	if (len > X509_CHAIN_MAXBYTES || (der = malloc(len + 1)) == NULL) {
		errno = len > X509_CHAIN_MAXBYTES ? EBADMSG : ENOMEM;
		return (NULL);
	}
	pem_init(&p, pem, len);
	while ((n = pem_next(&p, label, der, len + 1, derlen)) == 1)
		if (strcmp(label, PEM_LABEL_CERT) == 0)
			return (der);
	free(der);
	errno = EBADMSG;
	return (NULL);
}

void
x509_command_statement(const uint8_t hash[32],
    uint8_t statement[X509_STATEMENT_LEN])
{
	memcpy(statement, X509_COMMAND_PREFIX, sizeof(X509_COMMAND_PREFIX));
	memcpy(statement + sizeof(X509_COMMAND_PREFIX), hash, 32);
}

/* RFC 5280 4.1: the fields in their order, no unknown ones before the key. */
static int
x509_fields(const uint8_t *der, size_t len, struct x509_fields *f)
{
	struct der	 d, cert, tbs, version, rest;

	der_init(&d, der, len);
	if (der_get(&d, DER_SEQUENCE, &cert) == -1 || !der_is_empty(&d) ||
	    der_get(&cert, DER_SEQUENCE, &tbs) == -1 ||
	    der_get(&tbs, DER_CONTEXT(0), &version) == -1 ||
	    !der_is_equal(&version, "\2\1\2", 3) ||
	    der_get(&tbs, DER_INTEGER, &f->xd_serial) == -1 ||
	    f->xd_serial.d_len == 0 || (f->xd_serial.d_p[0] & 0x80) != 0 ||
	    der_get(&tbs, DER_SEQUENCE, NULL) == -1 ||	/* signature */
	    der_get(&tbs, DER_SEQUENCE, NULL) == -1 ||	/* issuer */
	    der_get(&tbs, DER_SEQUENCE, &f->xd_validity) == -1 ||
	    der_get(&tbs, DER_SEQUENCE, &f->xd_subject) == -1 ||
	    der_peek(&tbs) != DER_SEQUENCE ||
	    der_get_any(&tbs, &f->xd_spki) == -1 ||
	    der_get(&cert, DER_SEQUENCE, NULL) == -1 ||	/* algorithm */
	    der_get(&cert, DER_BITSTRING, NULL) == -1 || !der_is_empty(&cert))
		return (-1);
	/* Extensions follow; whoever verified the certificate read them. */
	rest = tbs;
	while (!der_is_empty(&rest))
		if (der_get_any(&rest, NULL) == -1)
			return (-1);
	return (0);
}

/* The first CN; absent is "", one that does not fit is an error. */
static int
x509_cn(struct der name, char cn[X509_CN_SIZE])
{
	struct der	 set, atv, oid, whole, value;

	while (!der_is_empty(&name)) {
		if (der_get(&name, DER_SET, &set) == -1 ||
		    der_get(&set, DER_SEQUENCE, &atv) == -1 ||
		    der_get(&atv, DER_OID, &oid) == -1)
			return (-1);
		if (!der_is_equal(&oid, oid_cn, sizeof(oid_cn)))
			continue;
		/* PrintableString or UTF8String */
		if ((der_peek(&atv) != 0x13 && der_peek(&atv) != 0x0c) ||
		    der_get_any(&atv, &whole) == -1)
			return (-1);
		if (der_get(&whole, whole.d_p[0], &value) == -1 ||
		    value.d_len >= X509_CN_SIZE ||
		    !utf8_is_valid(value.d_p, value.d_len))
			return (-1);
		memcpy(cn, value.d_p, value.d_len);
		cn[value.d_len] = '\0';
		return (0);
	}
	return (0);
}

/* RFC 5280 4.1.2.5: UTCTime to 2049, GeneralizedTime after, both with Z. */
static int
x509_time(struct der *d, int64_t *t)
{
	struct der	 v;
	struct tm	 tm = { 0 };
	const uint8_t	*p;
	int		 year, century = 0;

	if (der_get(d, DER_UTCTIME, &v) == 0 && v.d_len == 13) {
		p = v.d_p;
		if (x509_digits(p, 2, &year) == -1)
			return (-1);
		year += year < 50 ? 2000 : 1900;
		p += 2;
	} else if (der_get(d, DER_GENERALIZEDTIME, &v) == 0 &&
	    v.d_len == 15) {
		p = v.d_p;
		if (x509_digits(p, 2, &century) == -1 ||
		    x509_digits(p + 2, 2, &year) == -1)
			return (-1);
		year += century * 100;
		p += 4;
	} else
		return (-1);
	if (x509_digits(p, 2, &tm.tm_mon) == -1 ||
	    x509_digits(p + 2, 2, &tm.tm_mday) == -1 ||
	    x509_digits(p + 4, 2, &tm.tm_hour) == -1 ||
	    x509_digits(p + 6, 2, &tm.tm_min) == -1 ||
	    x509_digits(p + 8, 2, &tm.tm_sec) == -1 || p[10] != 'Z' ||
	    tm.tm_mon < 1 || tm.tm_mon > 12 || tm.tm_mday < 1 ||
	    tm.tm_mday > 31 || tm.tm_hour > 23 || tm.tm_min > 59 ||
	    tm.tm_sec > 59)
		return (-1);
	tm.tm_year = year - 1900;
	tm.tm_mon--;
	*t = (int64_t)timegm(&tm);
	return (0);
}

static int
x509_digits(const uint8_t *p, size_t n, int *v)
{
	for (*v = 0; n > 0; n--, p++) {
		if (*p < '0' || *p > '9')
			return (-1);
		*v = *v * 10 + (*p - '0');
	}
	return (0);
}

static int
x509_spki_point(struct der spki, uint8_t point[ECKEY_POINT_LEN])
{
	struct der	 body, alg, bits;

	if (der_get(&spki, DER_SEQUENCE, &body) == -1 ||
	    der_get(&body, DER_SEQUENCE, &alg) == -1 ||
	    !der_is_equal(&alg, alg_p256, sizeof(alg_p256)) ||
	    der_get(&body, DER_BITSTRING, &bits) == -1 ||
	    !der_is_empty(&body) || bits.d_len != 1 + ECKEY_POINT_LEN ||
	    bits.d_p[0] != 0 || bits.d_p[1] != 0x04)
		return (-1);
	memcpy(point, bits.d_p + 1, ECKEY_POINT_LEN);
	return (0);
}
