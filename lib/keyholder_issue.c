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
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/bn.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "keyholder_int.h"
#include "utf8.h"
#include "x509util.h"

#define KEY_CA_CN	"Docker-Sentinel CA"	/* as the Go server's */

static X509	*key_ca_begin(struct key *, const char *, int64_t, time_t);
static X509	*key_ca_end(X509 *, const struct key *, long, EVP_PKEY *);
static int64_t	 key_backdate(int64_t);
static int	 key_not_after(const X509 *, int64_t *);
static X509	*key_leaf_begin(struct keyring *, const char *, EVP_PKEY *,
		    int64_t, time_t, char *);
static int	 key_leaf_end(struct keyring *, X509 *, struct key_cert *,
		    char *);
static X509	*key_cert_begin(const char *, EVP_PKEY *, const X509_NAME *,
		    int64_t, int64_t);
static bool	 key_subject_valid(const char *);

static const char *const usage_agent[] = { "1.3.6.1.5.5.7.3.2", NULL };
static const char *const usage_server[] = { "1.3.6.1.5.5.7.3.1",
	"1.3.6.1.5.5.7.3.2", NULL };
static const char *const usage_command[] = { X509_COMMAND_EKU, NULL };

X509 *
key_ca_selfsign(struct key *ca, int64_t life, time_t now)
{
	return (key_ca_begin(ca, KEY_CA_CN, life, now));
}

X509 *
key_ca_next(struct key *ca, int64_t life, time_t now)
{
	uint8_t	 ski[KEY_SKI_LEN];
	char	 cn[sizeof(KEY_CA_CN) + 12];

	key_ski(ca, ski);
	(void)snprintf(cn, sizeof(cn), "%s %02x%02x%02x%02x", KEY_CA_CN,
	    ski[0], ski[1], ski[2], ski[3]);
	return (key_ca_begin(ca, cn, life, now));
}

/* Path length 1: it may sign its successor. */
static X509 *
key_ca_begin(struct key *ca, const char *cn, int64_t life, time_t now)
{
	X509		*x;
	X509_NAME	*name;

	if ((name = X509_NAME_new()) == NULL)
		return (NULL);
	if (key_add_subject(name, cn) == -1) {
		X509_NAME_free(name);
		return (NULL);
	}
	x = key_cert_begin(cn, ca->k_pkey, name,
	    (int64_t)now - key_backdate(life), (int64_t)now + life);
	X509_NAME_free(name);
	return (key_ca_end(x, ca, 1, ca->k_pkey));
}

/* Takes x, which may be NULL. */
static X509 *
key_ca_end(X509 *x, const struct key *subject, long pathlen, EVP_PKEY *signer)
{
	if (x == NULL)
		return (NULL);
	if (key_add_usage(x, KEY_USAGE_CERT, KEY_USAGE_CRL) == -1 ||
	    key_add_basic(x, true, pathlen) == -1 ||
	    key_add_ski(x, subject) == -1 ||
	    X509_sign(x, signer, EVP_sha256()) <= 0) {
		X509_free(x);
		return (NULL);
	}
	return (x);
}

/*
 * Path length 0, since the old CA may allow no more below it.  It ends with
 * whichever of the two ends first.
 */
X509 *
key_ca_cross(struct keyring *kr, time_t now)
{
	const X509_NAME	*subject;
	X509		*x;
	int64_t		 end, other;

	if (kr->kr_ca.k_pkey == NULL || kr->kr_cacert == NULL ||
	    kr->kr_newca.k_pkey == NULL || kr->kr_newcacert == NULL ||
	    X509_get_pathlen(kr->kr_cacert) == 0 ||
	    key_not_after(kr->kr_cacert, &end) == -1 ||
	    key_not_after(kr->kr_newcacert, &other) == -1)
		return (NULL);
	if (other < end)
		end = other;
	if (end <= (int64_t)now)
		return (NULL);
	subject = X509_get_subject_name(kr->kr_newcacert);
	x = key_cert_begin(NULL, kr->kr_newca.k_pkey,
	    X509_get_subject_name(kr->kr_cacert),
	    (int64_t)now - key_backdate(end - (int64_t)now), end);
	if (x != NULL && (X509_set_subject_name(x, subject) != 1 ||
	    key_add_aki(x, kr->kr_cacert) == -1)) {
		X509_free(x);
		return (NULL);
	}
	return (key_ca_end(x, &kr->kr_newca, 0, kr->kr_ca.k_pkey));
}

static int64_t
key_backdate(int64_t life)
{
	return (life / 10 < KEY_BACKDATE_MAXSEC ? life / 10 :
	    KEY_BACKDATE_MAXSEC);
}

static int
key_not_after(const X509 *x, int64_t *t)
{
	struct tm	 tm;

	if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1)
		return (-1);
	*t = (int64_t)timegm(&tm);
	return (0);
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
	X509		*x, *ca;
	int64_t		 end;

	if (key_ca_signer(kr, &ca) == NULL) {
		strlcpy(why, "the CA is not loaded", KEY_WHY_SIZE);
		return (NULL);
	}
	if (key_not_after(ca, &end) == -1 || end <= (int64_t)now) {
		strlcpy(why, "the CA has expired", KEY_WHY_SIZE);
		return (NULL);
	}
	if ((int64_t)now + life < end)
		end = (int64_t)now + life;
	x = key_cert_begin(cn, pub, X509_get_subject_name(ca),
	    (int64_t)now - key_backdate(life), end);
	if (x == NULL || key_add_usage(x, KEY_USAGE_SIGN, -1) == -1 ||
	    key_add_basic(x, false, -1) == -1 || key_add_aki(x, ca) == -1) {
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
	X509	*ca;
	int	 ret;

	errno = 0;
	ret = X509_sign(x, key_ca_signer(kr, &ca)->k_pkey,
	    EVP_sha256()) <= 0 ? -1 : key_cert_export(x, kc);
	if (ret == -1)
		strlcpy(why, errno == EMSGSIZE ?
		    "the certificate would be too large: fewer names" :
		    "signing failed", KEY_WHY_SIZE);
	X509_free(x);
	return (ret);
}

/* cn NULL: the caller sets the subject. */
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
	    (cn != NULL &&
	    key_add_subject(X509_get_subject_name(x), cn) == -1) ||
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
