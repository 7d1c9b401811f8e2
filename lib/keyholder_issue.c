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
 * Certificates from facts.  Every field comes from a template here or from a
 * checked argument; no certificate, request or extension from outside is ever
 * parsed or copied.  Templates: sentinel-protocol(7) "Certificates",
 * RFC 5280 4.1 and 4.2.
 */

#include "compat.h"

#include <errno.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "keyholder_int.h"
#include "utf8.h"
#include "x509util.h"

#define KEY_CA_CN	"Docker-Sentinel CA"	/* as the Go server's */
#define KEY_SERIAL_LEN	16
#define KEY_SKI_LEN	20
#define KEY_USAGE_SIGN	0		/* digitalSignature, RFC 5280 4.2.1.3 */
#define KEY_USAGE_CERT	5
#define KEY_USAGE_CRL	6

static X509	*key_leaf_begin(struct keyring *, const char *, EVP_PKEY *,
		    int64_t, time_t, char *);
static int	 key_leaf_end(struct keyring *, X509 *, struct key_cert *,
		    char *);
static X509	*key_cert_begin(const char *, EVP_PKEY *, const X509_NAME *,
		    int64_t, int64_t);
static int	 key_add_subject(X509_NAME *, const char *);
static int	 key_add_serial(X509 *);
static int	 key_add_basic(X509 *, bool, long);
static int	 key_add_usage(X509 *, int, int);
static int	 key_add_extusage(X509 *, const char *const *);
static int	 key_add_ski(X509 *, const struct key *);
static int	 key_add_aki(X509 *, X509 *);
static int	 key_add_names(X509 *, const struct key_name *, size_t);
static GENERAL_NAME *key_general_name(const struct key_name *);
static bool	 key_subject_valid(const char *);

static const char *const usage_agent[] = { "1.3.6.1.5.5.7.3.2", NULL };
static const char *const usage_server[] = { "1.3.6.1.5.5.7.3.1",
	"1.3.6.1.5.5.7.3.2", NULL };
static const char *const usage_command[] = { X509_COMMAND_EKU, NULL };

X509 *
key_ca_selfsign(struct key *ca, int64_t life, time_t now)
{
	X509		*x;
	X509_NAME	*name;
	int64_t		 back;

	if ((name = X509_NAME_new()) == NULL)
		return (NULL);
	if (key_add_subject(name, KEY_CA_CN) == -1) {
		X509_NAME_free(name);
		return (NULL);
	}
	back = life / 10 < KEY_BACKDATE_MAXSEC ? life / 10 :
	    KEY_BACKDATE_MAXSEC;
	x = key_cert_begin(KEY_CA_CN, ca->k_pkey, name,
	    (int64_t)now - back, (int64_t)now + life);
	X509_NAME_free(name);
	if (x == NULL)
		return (NULL);
	if (key_add_usage(x, KEY_USAGE_CERT, KEY_USAGE_CRL) == -1 ||
	    key_add_basic(x, true, 1) == -1 || key_add_ski(x, ca) == -1 ||
	    X509_sign(x, ca->k_pkey, EVP_sha256()) <= 0) {
		X509_free(x);
		return (NULL);
	}
	return (x);
}

enum keyholder_rc
key_issue_agent(struct keyring *kr, const char *subject,
    const uint8_t point[ECKEY_POINT_LEN], int64_t life, time_t now,
    struct key_cert *kc, char *why)
{
	EVP_PKEY	*pub;
	X509		*x;
	int		 rc;

	if (!key_subject_valid(subject)) {
		strlcpy(why, "subject is not [a-z0-9-]{1,64}", KEY_WHY_SIZE);
		return (KEY_RC_REFUSED);
	}
	if (life < 1 || life > KEY_LEAF_LIFE_MAXSEC) {
		strlcpy(why, "lifetime is out of range", KEY_WHY_SIZE);
		return (KEY_RC_REFUSED);
	}
	if ((pub = eckey_public(point)) == NULL) {
		strlcpy(why, "point is not on the curve", KEY_WHY_SIZE);
		return (KEY_RC_REFUSED);
	}
	x = key_leaf_begin(kr, subject, pub, life, now, why);
	EVP_PKEY_free(pub);
	if (x == NULL)
		return (KEY_RC_FAILED);
	if (key_add_extusage(x, usage_agent) == -1) {
		strlcpy(why, "out of memory", KEY_WHY_SIZE);
		X509_free(x);
		return (KEY_RC_FAILED);
	}
	rc = key_leaf_end(kr, x, kc, why);
	return (rc == -1 ? KEY_RC_FAILED : KEY_RC_OK);
}

int
key_issue_server(struct keyring *kr, struct key *key, int64_t life,
    const struct key_name *names, size_t nnames, time_t now,
    struct key_cert *kc, char *why)
{
	X509	*x;

	if ((x = key_leaf_begin(kr, X509_SERVER_CN, key->k_pkey, life, now,
	    why)) == NULL)
		return (-1);
	if (key_add_extusage(x, usage_server) == -1 ||
	    key_add_names(x, names, nnames) == -1) {
		strlcpy(why, "names of the server certificate do not work",
		    KEY_WHY_SIZE);
		X509_free(x);
		return (-1);
	}
	return (key_leaf_end(kr, x, kc, why));
}

int
key_issue_command(struct keyring *kr, struct key *key, int64_t life,
    time_t now, struct key_cert *kc, char *why)
{
	X509	*x;

	if ((x = key_leaf_begin(kr, X509_COMMAND_CN, key->k_pkey, life, now,
	    why)) == NULL)
		return (-1);
	if (key_add_extusage(x, usage_command) == -1) {
		strlcpy(why, "out of memory", KEY_WHY_SIZE);
		X509_free(x);
		return (-1);
	}
	return (key_leaf_end(kr, x, kc, why));
}

/* What all leaves share; never valid beyond the CA. */
static X509 *
key_leaf_begin(struct keyring *kr, const char *cn, EVP_PKEY *pub,
    int64_t life, time_t now, char *why)
{
	X509		*x;
	struct tm	 tm;
	int64_t		 back, end;

	if (kr->kr_ca.k_pkey == NULL || kr->kr_cacert == NULL) {
		strlcpy(why, "the CA is not loaded", KEY_WHY_SIZE);
		return (NULL);
	}
	if (ASN1_TIME_to_tm(X509_get0_notAfter(kr->kr_cacert), &tm) != 1 ||
	    (end = (int64_t)timegm(&tm)) <= (int64_t)now) {
		strlcpy(why, "the CA has expired", KEY_WHY_SIZE);
		return (NULL);
	}
	if ((int64_t)now + life < end)
		end = (int64_t)now + life;
	back = life / 10 < KEY_BACKDATE_MAXSEC ? life / 10 :
	    KEY_BACKDATE_MAXSEC;
	x = key_cert_begin(cn, pub, X509_get_subject_name(kr->kr_cacert),
	    (int64_t)now - back, end);
	if (x == NULL || key_add_usage(x, KEY_USAGE_SIGN, -1) == -1 ||
	    key_add_basic(x, false, -1) == -1 ||
	    key_add_aki(x, kr->kr_cacert) == -1) {
		strlcpy(why, "out of memory", KEY_WHY_SIZE);
		X509_free(x);
		return (NULL);
	}
	return (x);
}

/* Signs, exports and frees x. */
static int
key_leaf_end(struct keyring *kr, X509 *x, struct key_cert *kc, char *why)
{
	int	 ret;

	errno = 0;
	ret = X509_sign(x, kr->kr_ca.k_pkey, EVP_sha256()) <= 0 ? -1 :
	    key_cert_export(x, kc);
	if (ret == -1)
		strlcpy(why, errno == EMSGSIZE ?
		    "the certificate would be too large: fewer names" :
		    "signing failed", KEY_WHY_SIZE);
	X509_free(x);
	return (ret);
}

static X509 *
key_cert_begin(const char *cn, EVP_PKEY *pub, const X509_NAME *issuer,
    int64_t notbefore, int64_t notafter)
{
	X509	*x;

	if ((x = X509_new()) == NULL)
		return (NULL);
	if (X509_set_version(x, 2) != 1 || key_add_serial(x) == -1 ||
	    ASN1_TIME_set(X509_getm_notBefore(x), (time_t)notbefore) == NULL ||
	    ASN1_TIME_set(X509_getm_notAfter(x), (time_t)notafter) == NULL ||
	    key_add_subject(X509_get_subject_name(x), cn) == -1 ||
	    X509_set_issuer_name(x, issuer) != 1 ||
	    X509_set_pubkey(x, pub) != 1) {
		X509_free(x);
		return (NULL);
	}
	return (x);
}

int
key_cert_export(X509 *x, struct key_cert *kc)
{
	const ASN1_INTEGER	*serial;
	struct tm		 nb, na;
	unsigned char		*p = kc->kc_der;
	BIGNUM			*bn;
	int			 len;

	errno = EIO;
	if ((len = i2d_X509(x, NULL)) <= 0)
		return (-1);
	if (len > KEY_CERT_MAXBYTES) {
		errno = EMSGSIZE;
		return (-1);
	}
	kc->kc_len = (size_t)i2d_X509(x, &p);
	serial = X509_get0_serialNumber(x);
	if ((bn = ASN1_INTEGER_to_BN(serial, NULL)) == NULL)
		return (-1);
	len = BN_num_bytes(bn);
	if (BN_is_negative(bn) || len < 1 || len > KEY_SERIAL_MAXBYTES) {
		BN_free(bn);
		return (-1);
	}
	kc->kc_seriallen = (size_t)BN_bn2bin(bn, kc->kc_serial);
	BN_free(bn);
	if (ASN1_TIME_to_tm(X509_get0_notBefore(x), &nb) != 1 ||
	    ASN1_TIME_to_tm(X509_get0_notAfter(x), &na) != 1)
		return (-1);
	kc->kc_notbefore = (int64_t)timegm(&nb);
	kc->kc_notafter = (int64_t)timegm(&na);
	return (0);
}

int
key_csr(struct key *key, const char *subject, uint8_t *der, size_t *len,
    char *why)
{
	X509_REQ	*req = NULL;
	unsigned char	*p = der;
	size_t		 sublen = strlen(subject), i;
	int		 n, ret = -1;

	for (i = 0; i < sublen; i++)
		if ((unsigned char)subject[i] < 0x20 || subject[i] == 0x7f)
			break;
	if (sublen < 1 || sublen > KEY_SUBJECT_MAXBYTES || i < sublen ||
	    !utf8_is_valid(subject, sublen)) {
		strlcpy(why, "subject is not 1 to 64 bytes of plain text",
		    KEY_WHY_SIZE);
		return (-1);
	}
	if (key->k_pkey == NULL) {
		strlcpy(why, "there is no key in this slot", KEY_WHY_SIZE);
		return (-1);
	}
	if ((req = X509_REQ_new()) != NULL &&
	    X509_REQ_set_version(req, 0) == 1 &&
	    key_add_subject(X509_REQ_get_subject_name(req), subject) == 0 &&
	    X509_REQ_set_pubkey(req, key->k_pkey) == 1 &&
	    X509_REQ_sign(req, key->k_pkey, EVP_sha256()) > 0 &&
	    (n = i2d_X509_REQ(req, NULL)) > 0 && n <= KEY_CSR_MAXBYTES) {
		*len = (size_t)i2d_X509_REQ(req, &p);
		ret = 0;
	} else
		strlcpy(why, "the request cannot be made", KEY_WHY_SIZE);
	X509_REQ_free(req);
	return (ret);
}

static bool
key_subject_valid(const char *s)
{
	size_t	 n = strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-");

	return (n >= 1 && n <= KEY_SUBJECT_MAXBYTES && s[n] == '\0');
}

bool
key_name_valid(const struct key_name *kn)
{
	size_t	 i;
	uint8_t	 c;

	if (kn->kn_type == KEY_NAME_IP)
		return (kn->kn_len == 4 || kn->kn_len == 16);
	if (kn->kn_type != KEY_NAME_DNS || kn->kn_len == 0)
		return (false);
	for (i = 0; i < kn->kn_len; i++) {
		c = kn->kn_value[i];
		if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
		    (c >= '0' && c <= '9') || c == '_')
			continue;
		/* Dots and hyphens inside only; no wildcards. */
		if ((c != '.' && c != '-') || i == 0)
			return (false);
	}
	return (true);
}

static int
key_add_subject(X509_NAME *name, const char *cn)
{
	return (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
	    (const unsigned char *)cn, -1, -1, 0) == 1 ? 0 : -1);
}

/* 126 random bits, always 16 bytes, never negative. */
static int
key_add_serial(X509 *x)
{
	uint8_t	 serial[KEY_SERIAL_LEN];
	BIGNUM	*bn;
	int	 ret = -1;

	if (RAND_bytes(serial, sizeof(serial)) != 1)
		return (-1);
	serial[0] = (serial[0] & 0x3f) | 0x40;
	if ((bn = BN_bin2bn(serial, sizeof(serial), NULL)) != NULL &&
	    BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL)
		ret = 0;
	BN_free(bn);
	return (ret);
}

static int
key_add_basic(X509 *x, bool ca, long pathlen)
{
	BASIC_CONSTRAINTS	*bc;
	int			 ret = -1;

	if ((bc = BASIC_CONSTRAINTS_new()) == NULL)
		return (-1);
	bc->ca = ca ? 0xff : 0;
	if ((!ca || ((bc->pathlen = ASN1_INTEGER_new()) != NULL &&
	    ASN1_INTEGER_set(bc->pathlen, pathlen) == 1)) &&
	    X509_add1_ext_i2d(x, NID_basic_constraints, bc, 1,
	    X509V3_ADD_DEFAULT) == 1)
		ret = 0;
	BASIC_CONSTRAINTS_free(bc);
	return (ret);
}

/* Bit b is -1 when there is one bit only. */
static int
key_add_usage(X509 *x, int a, int b)
{
	ASN1_BIT_STRING	*bits;
	int		 ret = -1;

	if ((bits = ASN1_BIT_STRING_new()) == NULL)
		return (-1);
	if (ASN1_BIT_STRING_set_bit(bits, a, 1) == 1 &&
	    (b == -1 || ASN1_BIT_STRING_set_bit(bits, b, 1) == 1) &&
	    X509_add1_ext_i2d(x, NID_key_usage, bits, 1,
	    X509V3_ADD_DEFAULT) == 1)
		ret = 0;
	ASN1_BIT_STRING_free(bits);
	return (ret);
}

static int
key_add_extusage(X509 *x, const char *const *oids)
{
	EXTENDED_KEY_USAGE	*eku;
	ASN1_OBJECT		*obj;
	int			 ret = -1;

	if ((eku = sk_ASN1_OBJECT_new_null()) == NULL)
		return (-1);
	for (; *oids != NULL; oids++) {
		if ((obj = OBJ_txt2obj(*oids, 1)) == NULL)
			goto done;
		if (sk_ASN1_OBJECT_push(eku, obj) <= 0) {
			ASN1_OBJECT_free(obj);
			goto done;
		}
	}
	if (X509_add1_ext_i2d(x, NID_ext_key_usage, eku, 0,
	    X509V3_ADD_DEFAULT) == 1)
		ret = 0;
done:
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	return (ret);
}

/* RFC 7093 2: the leftmost 160 bits of SHA-256. */
static int
key_add_ski(X509 *x, const struct key *key)
{
	ASN1_OCTET_STRING	*os;
	uint8_t			 hash[SHA256_DIGEST_LENGTH];
	int			 ret = -1;

	SHA256(key->k_point, sizeof(key->k_point), hash);
	if ((os = ASN1_OCTET_STRING_new()) == NULL)
		return (-1);
	if (ASN1_OCTET_STRING_set(os, hash, KEY_SKI_LEN) == 1 &&
	    X509_add1_ext_i2d(x, NID_subject_key_identifier, os, 0,
	    X509V3_ADD_DEFAULT) == 1)
		ret = 0;
	ASN1_OCTET_STRING_free(os);
	return (ret);
}

/* An adopted CA may have no SKI; then its leaves have no AKI. */
static int
key_add_aki(X509 *x, X509 *ca)
{
	AUTHORITY_KEYID		*aki;
	ASN1_OCTET_STRING	*ski;
	int			 ret = -1;

	if ((ski = X509_get_ext_d2i(ca, NID_subject_key_identifier, NULL,
	    NULL)) == NULL)
		return (0);
	if ((aki = AUTHORITY_KEYID_new()) == NULL) {
		ASN1_OCTET_STRING_free(ski);
		return (-1);
	}
	aki->keyid = ski;
	if (X509_add1_ext_i2d(x, NID_authority_key_identifier, aki, 0,
	    X509V3_ADD_DEFAULT) == 1)
		ret = 0;
	AUTHORITY_KEYID_free(aki);
	return (ret);
}

static int
key_add_names(X509 *x, const struct key_name *names, size_t n)
{
	GENERAL_NAMES	*gens;
	GENERAL_NAME	*gen;
	size_t		 i;
	int		 ret = -1;

	if (n == 0 || n > KEY_NAMES_MAX ||
	    (gens = sk_GENERAL_NAME_new_null()) == NULL)
		return (-1);
	for (i = 0; i < n; i++) {
		if (!key_name_valid(&names[i]) ||
		    (gen = key_general_name(&names[i])) == NULL)
			goto done;
		if (sk_GENERAL_NAME_push(gens, gen) <= 0) {
			GENERAL_NAME_free(gen);
			goto done;
		}
	}
	if (X509_add1_ext_i2d(x, NID_subject_alt_name, gens, 0,
	    X509V3_ADD_DEFAULT) == 1)
		ret = 0;
done:
	sk_GENERAL_NAME_pop_free(gens, GENERAL_NAME_free);
	return (ret);
}

static GENERAL_NAME *
key_general_name(const struct key_name *kn)
{
	GENERAL_NAME	*gen;
	ASN1_STRING	*s;
	bool		 ip = kn->kn_type == KEY_NAME_IP;

	gen = GENERAL_NAME_new();
	s = ip ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
	if (gen == NULL || s == NULL ||
	    ASN1_STRING_set(s, kn->kn_value, kn->kn_len) != 1) {
		GENERAL_NAME_free(gen);
		ASN1_STRING_free(s);
		return (NULL);
	}
	GENERAL_NAME_set0_value(gen, ip ? GEN_IPADD : GEN_DNS, s);
	return (gen);
}
