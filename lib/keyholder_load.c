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
 * Key files: read, checked, or made.  The parent opened them and checked owner
 * and mode; it never reads them.  To create means to fill the new file that
 * was passed, or to take what an interrupted start left whole in it: a key
 * that may have been used already must not be replaced.  To load never
 * writes: what is broken is refused with the reason.
 */

#include "compat.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "der.h"
#include "keyholder_int.h"
#include "pem.h"

/* RFC 5915 with named curve and public key, as Go and OpenSSL write it. */
static const uint8_t sec1_head[] = { 0x30, 0x77, 0x02, 0x01, 0x01, 0x04, 0x20 };
static const uint8_t sec1_curve[] = { 0xa0, 0x0a, 0x06, 0x08, 0x2a, 0x86, 0x48,
	0xce, 0x3d, 0x03, 0x01, 0x07, 0xa1, 0x44, 0x03, 0x42, 0x00 };
static const uint8_t oid_p256[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01,
	0x07 };
static const uint8_t oid_ec[] = { 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01 };

#define SEC1_LEN	(sizeof(sec1_head) + ECKEY_SCALAR_LEN + \
			sizeof(sec1_curve) + ECKEY_POINT_LEN)

static int	 key_file_make(struct key *, int, char *);
static const char *key_parse_pkcs8(struct der *, struct key *);
static const char *key_parse_sec1(struct der *, bool, struct key *);

enum keyholder_loaded
key_file_ca_key(struct keyring *kr, int fd, bool create, char *why)
{
	struct key		 key = { 0 };
	const char		*fault;
	enum keyholder_loaded	 rc;

	if (kr->kr_ca.k_pkey != NULL) {
		strlcpy(why, "the CA key is loaded already", KEY_WHY_SIZE);
		return (KEY_LOADED_FAILED);
	}
	if (create && kr->kr_cacert != NULL) {
		strlcpy(why, "there is a CA certificate but its key is missing:"
		    " restore the key, or remove both for a new CA",
		    KEY_WHY_SIZE);
		return (KEY_LOADED_FAILED);
	}
	if ((rc = key_file_key(&key, fd, create, why)) == KEY_LOADED_FAILED)
		return (rc);
	if (kr->kr_cacert != NULL && (fault = key_ca_fault(kr->kr_cacert, &key,
	    time(NULL))) != NULL) {
		strlcpy(why, fault, KEY_WHY_SIZE);
		key_clear(&key);
		return (KEY_LOADED_FAILED);
	}
	key_move(&kr->kr_ca, &key);
	return (rc);
}

enum keyholder_loaded
key_file_ca_cert(struct keyring *kr, int fd, bool create, char *why)
{
	X509		*x = NULL;
	uint8_t		*buf;
	const char	*fault = NULL;
	size_t		 len;
	/* One that was replaced may expire before all hosts have left it. */
	time_t		 now = kr->kr_use_new ? 0 : time(NULL);

	if (kr->kr_cacert != NULL)
		fault = "the CA certificate is loaded already";
	else if (create && kr->kr_ca.k_pkey == NULL)
		fault = "the CA key must be there before its certificate";
	if (fault != NULL) {
		strlcpy(why, fault, KEY_WHY_SIZE);
		return (KEY_LOADED_FAILED);
	}
	if ((buf = key_file_read(fd, &len, why)) == NULL)
		return (KEY_LOADED_FAILED);
	if ((x = key_parse_cert(buf, len, &fault)) != NULL)
		fault = key_ca_fault(x, kr->kr_ca.k_pkey == NULL ? NULL :
		    &kr->kr_ca, now);
	key_arena_free(buf, KEY_FILE_MAXBYTES);
	if (fault == NULL) {
		kr->kr_cacert = x;
		return (KEY_LOADED_OLD);
	}
	X509_free(x);
	if (!create) {
		strlcpy(why, fault, KEY_WHY_SIZE);
		return (KEY_LOADED_FAILED);
	}

	strlcpy(why, "the CA certificate cannot be made", KEY_WHY_SIZE);
	if ((x = key_ca_selfsign(&kr->kr_ca, kr->kr_ca_life,
	    time(NULL))) == NULL || key_file_write_cert(fd, x, why) == -1) {
		X509_free(x);
		return (KEY_LOADED_FAILED);
	}
	kr->kr_cacert = x;
	return (KEY_LOADED_NEW);
}

int
key_file_write_cert(int fd, X509 *x, char *why)
{
	struct key_cert	*kc = key_arena_alloc(sizeof(*kc));
	char		*pem = NULL;
	int		 ret = -1;

	if (key_cert_export(x, kc) == 0 &&
	    (pem = pem_encode_cert(kc->kc_der, kc->kc_len)) != NULL)
		ret = key_file_write(fd, pem, strlen(pem), why);
	free(pem);
	key_arena_free(kc, sizeof(*kc));
	return (ret);
}

enum keyholder_loaded
key_file_secret(struct keyring *kr, int fd, bool create, char *why)
{
	uint8_t			*buf, *secret;
	size_t			 len;
	enum keyholder_loaded	 rc = KEY_LOADED_OLD;

	if (kr->kr_secret != NULL) {
		strlcpy(why, "the secret is loaded already", KEY_WHY_SIZE);
		return (KEY_LOADED_FAILED);
	}
	if ((buf = key_file_read(fd, &len, why)) == NULL)
		return (KEY_LOADED_FAILED);
	secret = key_arena_alloc(KEY_SECRET_LEN);
	if (len == KEY_SECRET_LEN)
		memcpy(secret, buf, KEY_SECRET_LEN);
	else if (!create) {
		snprintf(why, KEY_WHY_SIZE, "has %zu bytes, not %d: restore it "
		    "from a copy; with a new one all open tokens are void",
		    len, KEY_SECRET_LEN);
		rc = KEY_LOADED_FAILED;
	} else if (RAND_bytes(secret, KEY_SECRET_LEN) != 1) {
		strlcpy(why, "no random numbers", KEY_WHY_SIZE);
		rc = KEY_LOADED_FAILED;
	} else
		rc = key_file_write(fd, secret, KEY_SECRET_LEN, why) == 0 ?
		    KEY_LOADED_NEW : KEY_LOADED_FAILED;
	key_arena_free(buf, KEY_FILE_MAXBYTES);
	if (rc == KEY_LOADED_FAILED)
		key_arena_free(secret, KEY_SECRET_LEN);
	else
		kr->kr_secret = secret;
	return (rc);
}

enum keyholder_loaded
key_file_agent(struct keyring *kr, int fd, bool create, char *why)
{
	struct key		 key = { 0 };
	int			 slot;
	enum keyholder_loaded	 rc;

	slot = create ? KEY_SLOT_NEW : KEY_SLOT_CURRENT;
	if (!create && kr->kr_agent[slot].k_pkey != NULL) {
		strlcpy(why, "the agent's key is loaded already", KEY_WHY_SIZE);
		return (KEY_LOADED_FAILED);
	}
	if ((rc = key_file_key(&key, fd, create, why)) != KEY_LOADED_FAILED)
		key_move(&kr->kr_agent[slot], &key);
	return (rc);
}

enum keyholder_loaded
key_file_key(struct key *key, int fd, bool create, char *why)
{
	uint8_t		*buf;
	const char	*fault;
	size_t		 len;

	if ((buf = key_file_read(fd, &len, why)) == NULL)
		return (KEY_LOADED_FAILED);
	fault = key_parse_pem(buf, len, key);
	key_arena_free(buf, KEY_FILE_MAXBYTES);
	if (fault == NULL)
		return (KEY_LOADED_OLD);
	if (!create) {
		strlcpy(why, fault, KEY_WHY_SIZE);
		return (KEY_LOADED_FAILED);
	}
	if (key_file_make(key, fd, why) == -1)
		return (KEY_LOADED_FAILED);
	return (KEY_LOADED_NEW);
}

/* The whole file in the arena, KEY_FILE_MAXBYTES to be freed. */
uint8_t *
key_file_read(int fd, size_t *len, char *why)
{
	uint8_t	*buf = key_arena_alloc(KEY_FILE_MAXBYTES), more;
	ssize_t	 n;

	*len = 0;
	do {
		if (*len < KEY_FILE_MAXBYTES)
			n = pread(fd, buf + *len, KEY_FILE_MAXBYTES - *len,
			    (off_t)*len);
		else
			n = pread(fd, &more, 1, (off_t)*len);
		if (n > 0)
			*len += (size_t)n;
	} while (n > 0 && *len <= KEY_FILE_MAXBYTES);
	if (n == 0)
		return (buf);
	if (n == -1)
		snprintf(why, KEY_WHY_SIZE, "cannot be read: %s",
		    strerror(errno));
	else
		snprintf(why, KEY_WHY_SIZE, "is larger than %d bytes",
		    KEY_FILE_MAXBYTES);
	key_arena_free(buf, KEY_FILE_MAXBYTES);
	return (NULL);
}

int
key_file_write(int fd, const void *data, size_t len, char *why)
{
	const uint8_t	*p = data;
	size_t		 off;
	ssize_t		 n;

	if (ftruncate(fd, 0) == -1)
		goto fail;
	for (off = 0; off < len; off += (size_t)n)
		if ((n = pwrite(fd, p + off, len - off, (off_t)off)) == -1)
			goto fail;
	if (fsync(fd) == -1)
		goto fail;
	return (0);
fail:
	snprintf(why, KEY_WHY_SIZE, "cannot be written: %s", strerror(errno));
	return (-1);
}

static int
key_file_make(struct key *key, int fd, char *why)
{
	uint8_t	*der = key_arena_alloc(SEC1_LEN), *scalar, *p;
	char	*pem = NULL;
	size_t	 len, size = pem_size(PEM_LABEL_EC, SEC1_LEN);
	int	 ret = -1;

	/* The number is made where the file wants it. */
	scalar = der + sizeof(sec1_head);
	strlcpy(why, "no random numbers", KEY_WHY_SIZE);
	if (eckey_generate(scalar) == -1 || key_set(key, scalar) == -1)
		goto done;
	memcpy(der, sec1_head, sizeof(sec1_head));
	p = scalar + ECKEY_SCALAR_LEN;
	memcpy(p, sec1_curve, sizeof(sec1_curve));
	memcpy(p + sizeof(sec1_curve), key->k_point, ECKEY_POINT_LEN);
	pem = key_arena_alloc(size);
	len = pem_encode(pem, PEM_LABEL_EC, der, SEC1_LEN);
	if ((ret = key_file_write(fd, pem, len, why)) == -1)
		key_clear(key);
done:
	key_arena_free(pem, size);
	key_arena_free(der, SEC1_LEN);
	return (ret);
}

const char *
key_parse_pem(const uint8_t *text, size_t len, struct key *key)
{
	struct pem	 p;
	struct der	 d;
	char		 label[PEM_LABEL_SIZE];
	uint8_t		*der = key_arena_alloc(KEY_FILE_MAXBYTES);
	const char	*fault = "holds no EC private key in PEM form";
	size_t		 derlen;
	int		 n;

	pem_init(&p, text, len);
	while ((n = pem_next(&p, label, der, KEY_FILE_MAXBYTES,
	    &derlen)) == 1) {
		der_init(&d, der, derlen);
		if (strcmp(label, PEM_LABEL_EC) == 0)
			fault = key_parse_sec1(&d, false, key);
		else if (strcmp(label, PEM_LABEL_PKCS8) == 0)
			fault = key_parse_pkcs8(&d, key);
		else if (strcmp(label, "ENCRYPTED PRIVATE KEY") == 0)
			fault = "is encrypted: remove the passphrase";
		else if (strcmp(label, "RSA PRIVATE KEY") == 0)
			fault = "is an RSA key: P-256 only";
		else
			continue;	/* EC PARAMETERS, a certificate */
		break;
	}
	if (n == -1)
		fault = memmem(text, len, "ENCRYPTED", 9) != NULL ?
		    "is encrypted: remove the passphrase" :
		    "is not whole PEM: restore it from a copy";
	key_arena_free(der, KEY_FILE_MAXBYTES);
	return (fault);
}

/* RFC 5958 */
static const char *
key_parse_pkcs8(struct der *d, struct key *key)
{
	struct der	 seq, alg, oid, inner, version;

	if (der_get(d, DER_SEQUENCE, &seq) == -1 || !der_is_empty(d) ||
	    der_get(&seq, DER_INTEGER, &version) == -1 ||
	    version.d_len != 1 || version.d_p[0] > 1 ||
	    der_get(&seq, DER_SEQUENCE, &alg) == -1 ||
	    der_get(&alg, DER_OID, &oid) == -1)
		return ("is not a PKCS#8 key");
	if (!der_is_equal(&oid, oid_ec, sizeof(oid_ec)) ||
	    der_get(&alg, DER_OID, &oid) == -1 ||
	    !der_is_equal(&oid, oid_p256, sizeof(oid_p256)))
		return ("is not a P-256 key");
	if (der_get(&seq, DER_OCTETSTRING, &inner) == -1)
		return ("is not a PKCS#8 key");
	return (key_parse_sec1(&inner, true, key));
}

/* RFC 5915; the curve is known when it comes in PKCS#8. */
static const char *
key_parse_sec1(struct der *d, bool known, struct key *key)
{
	static const char	*broken = "is not a SEC1 key";
	struct der		 seq, version, priv, tagged, oid, bits;
	uint8_t			*scalar;
	int			 rc;

	if (der_get(d, DER_SEQUENCE, &seq) == -1 || !der_is_empty(d) ||
	    der_get(&seq, DER_INTEGER, &version) == -1 ||
	    !der_is_equal(&version, "\1", 1) ||
	    der_get(&seq, DER_OCTETSTRING, &priv) == -1)
		return (broken);
	if (der_peek(&seq) == DER_CONTEXT(0)) {
		if (der_get(&seq, DER_CONTEXT(0), &tagged) == -1 ||
		    der_get(&tagged, DER_OID, &oid) == -1 ||
		    !der_is_empty(&tagged) ||
		    !der_is_equal(&oid, oid_p256, sizeof(oid_p256)))
			return ("is not a P-256 key");
		known = true;
	}
	if (!known)
		return ("does not name its curve");
	der_init(&bits, NULL, 0);
	if (der_peek(&seq) == DER_CONTEXT(1) &&
	    (der_get(&seq, DER_CONTEXT(1), &tagged) == -1 ||
	    der_get(&tagged, DER_BITSTRING, &bits) == -1 ||
	    !der_is_empty(&tagged) ||
	    bits.d_len != 1 + ECKEY_POINT_LEN || bits.d_p[0] != 0))
		return (broken);
	if (!der_is_empty(&seq) || priv.d_len == 0 ||
	    priv.d_len > ECKEY_SCALAR_LEN)
		return (broken);

	/* Some writers strip leading zeros. */
	scalar = key_arena_alloc(ECKEY_SCALAR_LEN);
	memcpy(scalar + ECKEY_SCALAR_LEN - priv.d_len, priv.d_p, priv.d_len);
	rc = key_set(key, scalar);
	key_arena_free(scalar, ECKEY_SCALAR_LEN);
	if (rc == -1)
		return ("has a private number outside the group");
	if (bits.d_len != 0 &&
	    memcmp(bits.d_p + 1, key->k_point, ECKEY_POINT_LEN) != 0) {
		key_clear(key);
		return ("has a public part that is not its own");
	}
	return (NULL);
}

X509 *
key_parse_cert(const uint8_t *text, size_t len, const char **fault)
{
	struct pem		 p;
	X509			*x = NULL;
	char			 label[PEM_LABEL_SIZE];
	uint8_t			*der = key_arena_alloc(KEY_FILE_MAXBYTES);
	const unsigned char	*q;
	size_t			 derlen;
	int			 n;

	*fault = NULL;
	pem_init(&p, text, len);
	while ((n = pem_next(&p, label, der, KEY_FILE_MAXBYTES,
	    &derlen)) == 1) {
		if (strcmp(label, PEM_LABEL_CERT) != 0)
			continue;
		if (x != NULL) {
			*fault = "holds more than one certificate";
			break;
		}
		q = der;
		if ((x = d2i_X509(NULL, &q, (long)derlen)) == NULL ||
		    q != der + derlen) {
			*fault = "holds a broken certificate: restore it from "
			    "a copy";
			break;
		}
	}
	if (n == -1)
		*fault = "is not whole PEM: restore it from a copy";
	else if (x == NULL && *fault == NULL)
		*fault = "holds no certificate in PEM form";
	if (*fault != NULL) {
		X509_free(x);
		x = NULL;
	}
	key_arena_free(der, KEY_FILE_MAXBYTES);
	return (x);
}

const char *
key_ca_fault(X509 *x, const struct key *key, time_t now)
{
	EVP_PKEY	*pub;
	uint8_t		 point[ECKEY_POINT_LEN];
	uint32_t	 flags;

	if ((pub = X509_get0_pubkey(x)) == NULL ||
	    eckey_point(pub, point) == -1)
		return ("is not over a P-256 key");
	if (key != NULL && memcmp(point, key->k_point, sizeof(point)) != 0)
		return ("CA certificate and CA key do not belong together");
	flags = X509_get_extension_flags(x);
	if (X509_get_version(x) != 2 || (flags & EXFLAG_INVALID) != 0 ||
	    (flags & EXFLAG_CRITICAL) != 0)
		return ("has extensions that are broken or unknown");
	/* UINT32_MAX when there is no key usage. */
	if (X509_check_ca(x) != 1 ||
	    (X509_get_key_usage(x) & KU_KEY_CERT_SIGN) == 0)
		return ("is not the certificate of a CA");
	if (X509_NAME_cmp(X509_get_subject_name(x),
	    X509_get_issuer_name(x)) != 0 || X509_verify(x, pub) != 1)
		return ("is not signed by its own key");
	if (now == 0)
		return (NULL);
	if (X509_cmp_time(X509_get0_notBefore(x), &now) >= 0)
		return ("is not valid yet: check the clock");
	if (X509_cmp_time(X509_get0_notAfter(x), &now) <= 0)
		return ("has expired: check the clock");
	return (NULL);
}
