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
 * What is believed about a new CA.  The rule is one: whoever is trusted now
 * must vouch for whoever is to be trusted, by a signature over its key and
 * name or by a signed command.  What is kept is only ever the self-signed
 * certificates, so that nothing in a bundle stands for a part of a chain.
 */

#include "compat.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "eckey.h"
#include "pem.h"
#include "x509_bundle.h"

static bool	 cert_pin(X509 *, uint8_t[X509_PIN_LEN]);
static bool	 is_root(X509 *);
static bool	 is_in_time(const X509 *, time_t);
static X509	*find_root(STACK_OF(X509) *, X509 *);
static bool	 is_vouched(X509 *, STACK_OF(X509) *, STACK_OF(X509) *,
		    time_t);
static bool	 is_signed_by(X509 *, X509 *);
static const char *root_fault(const struct x509_bundle_check *, X509 *,
		    STACK_OF(X509) *, STACK_OF(X509) *);
static char	*keep(const struct x509_bundle_check *, STACK_OF(X509) *,
		    STACK_OF(X509) *, const char **);
static char	*append(char *, X509 *);

STACK_OF(X509) *
x509_certs_from_pem(const uint8_t *text, size_t len)
{
	STACK_OF(X509)		*certs;
	struct pem		 p;
	X509			*x = NULL;
	char			 label[PEM_LABEL_SIZE];
	const unsigned char	*q;
	uint8_t			*der = NULL;
	size_t			 derlen;
	int			 n = -1;

	if ((certs = sk_X509_new_null()) == NULL ||
	    len > X509_CHAIN_MAXBYTES || (der = malloc(len + 1)) == NULL)
		goto done;
	pem_init(&p, text, len);
	while ((n = pem_next(&p, label, der, len + 1, &derlen)) == 1) {
		q = der;
		if (strcmp(label, PEM_LABEL_CERT) != 0)
			continue;
		if (sk_X509_num(certs) == X509_CHAIN_MAX ||
		    (x = d2i_X509(NULL, &q, (long)derlen)) == NULL ||
		    q != der + derlen || sk_X509_push(certs, x) <= 0)
			goto done;
		x = NULL;
	}
done:
	X509_free(x);
	free(der);
	if (n == 0 && sk_X509_num(certs) > 0)
		return (certs);
	sk_X509_pop_free(certs, X509_free);
	return (NULL);
}

/* --- pins ---------------------------------------------------------------- */

static bool
cert_pin(X509 *x, uint8_t pin[X509_PIN_LEN])
{
	unsigned char	*spki = NULL;
	int		 len;

	if ((len = i2d_X509_PUBKEY(X509_get_X509_PUBKEY(x), &spki)) <= 0)
		return (false);
	SHA256(spki, (size_t)len, pin);
	OPENSSL_free(spki);
	return (true);
}

bool
x509_cert_has_pin(X509 *x, const uint8_t *pin, size_t pinlen)
{
	uint8_t	 have[X509_PIN_LEN];

	if (pinlen != X509_TOKENPIN_LEN && pinlen != X509_PIN_LEN)
		return (false);
	return (X509_check_ca(x) == 1 && cert_pin(x, have) &&
	    CRYPTO_memcmp(have, pin, pinlen) == 0);
}

bool
x509_bundle_has_pin(const uint8_t *pem, size_t len, const uint8_t *pin,
    size_t pinlen)
{
	STACK_OF(X509)	*certs;
	bool		 found = false;
	int		 i;

	if ((certs = x509_certs_from_pem(pem, len)) == NULL)
		return (false);
	for (i = 0; i < sk_X509_num(certs); i++)
		if (x509_cert_has_pin(sk_X509_value(certs, i), pin, pinlen))
			found = true;
	sk_X509_pop_free(certs, X509_free);
	return (found);
}

bool
x509_pins_has(const uint8_t *pins, size_t n, const uint8_t pin[X509_PIN_LEN])
{
	size_t	 i;

	for (i = 0; i + X509_PIN_LEN <= n; i += X509_PIN_LEN)
		if (memcmp(pins + i, pin, X509_PIN_LEN) == 0)
			return (true);
	return (false);
}

size_t
x509_bundle_pins(const uint8_t *pem, size_t len,
    uint8_t pins[X509_PINS_MAXBYTES])
{
	STACK_OF(X509)	*certs;
	X509		*x;
	uint8_t		 pin[X509_PIN_LEN];
	size_t		 n = 0;
	int		 i;

	if ((certs = x509_certs_from_pem(pem, len)) == NULL)
		return (0);
	for (i = 0; i < sk_X509_num(certs) && n < X509_PINS_MAXBYTES; i++) {
		x = sk_X509_value(certs, i);
		if (!is_root(x) || !cert_pin(x, pin) ||
		    x509_pins_has(pins, n, pin))
			continue;
		memcpy(pins + n, pin, sizeof(pin));
		n += sizeof(pin);
	}
	sk_X509_pop_free(certs, X509_free);
	return (n);
}

bool
x509_issued_by(const uint8_t *der, size_t len, const uint8_t *ca,
    size_t calen)
{
	const unsigned char	*p = der, *q = ca;
	X509			*x, *y;
	bool			 ok;

	x = d2i_X509(NULL, &p, (long)len);
	y = d2i_X509(NULL, &q, (long)calen);
	ok = x != NULL && y != NULL && is_signed_by(x, y);
	X509_free(x);
	X509_free(y);
	return (ok);
}

/* --- what is believed ---------------------------------------------------- */

/* A CA over a P-256 key, signed with that key. */
static bool
is_root(X509 *x)
{
	EVP_PKEY	*pub = X509_get0_pubkey(x);
	uint8_t		 point[ECKEY_POINT_LEN];

	/* UINT32_MAX when there is no key usage. */
	return (pub != NULL && eckey_point(pub, point) == 0 &&
	    X509_check_ca(x) == 1 &&
	    (X509_get_key_usage(x) & KU_KEY_CERT_SIGN) != 0 &&
	    X509_NAME_cmp(X509_get_subject_name(x),
	    X509_get_issuer_name(x)) == 0 && X509_verify(x, pub) == 1);
}

static bool
is_in_time(const X509 *x, time_t now)
{
	return (X509_cmp_time(X509_get0_notBefore(x), &now) < 0 &&
	    X509_cmp_time(X509_get0_notAfter(x), &now) > 0);
}

static bool
is_signed_by(X509 *x, X509 *ca)
{
	EVP_PKEY	*pub = X509_get0_pubkey(ca);

	return (pub != NULL && X509_NAME_cmp(X509_get_issuer_name(x),
	    X509_get_subject_name(ca)) == 0 && X509_verify(x, pub) == 1);
}

/* The self-signed one with the key of x. */
static X509 *
find_root(STACK_OF(X509) *certs, X509 *x)
{
	X509	*y;
	uint8_t	 want[X509_PIN_LEN], have[X509_PIN_LEN];
	int	 i;

	if (!cert_pin(x, want))
		return (NULL);
	for (i = 0; i < sk_X509_num(certs); i++) {
		y = sk_X509_value(certs, i);
		if (is_root(y) && cert_pin(y, have) &&
		    memcmp(want, have, sizeof(want)) == 0)
			return (y);
	}
	return (NULL);
}

/* Has a trusted CA signed key and name of x? */
static bool
is_vouched(X509 *x, STACK_OF(X509) *certs, STACK_OF(X509) *trusted,
    time_t now)
{
	X509	*cross, *ca;
	uint8_t	 want[X509_PIN_LEN], have[X509_PIN_LEN];
	int	 i, j;

	if (!cert_pin(x, want))
		return (false);
	for (i = 0; i < sk_X509_num(certs); i++) {
		cross = sk_X509_value(certs, i);
		if (X509_check_ca(cross) != 1 || !cert_pin(cross, have) ||
		    memcmp(want, have, sizeof(want)) != 0 ||
		    X509_NAME_cmp(X509_get_subject_name(cross),
		    X509_get_subject_name(x)) != 0 || !is_in_time(cross, now))
			continue;
		for (j = 0; j < sk_X509_num(trusted); j++) {
			ca = sk_X509_value(trusted, j);
			if (is_root(ca) && X509_get_pathlen(ca) != 0 &&
			    is_in_time(ca, now) && is_signed_by(cross, ca))
				return (true);
		}
	}
	return (false);
}

static const char *
root_fault(const struct x509_bundle_check *bc, X509 *x,
    STACK_OF(X509) *certs, STACK_OF(X509) *trusted)
{
	/* One that is trusted already may have come to its end. */
	if (find_root(trusted, x) != NULL)
		return (NULL);
	if (!is_in_time(x, bc->bc_now))
		return ("it holds a CA that has expired or is not valid yet: "
		    "check the clock");
	if (!bc->bc_proven && !is_vouched(x, certs, trusted, bc->bc_now))
		return ("it holds a CA for which none that is trusted "
		    "vouches");
	return (NULL);
}

/* x at the end of the text, which is taken; NULL: out of memory. */
static char *
append(char *text, X509 *x)
{
	unsigned char	*der = NULL;
	char		*pem = NULL, *all = NULL;
	int		 len;

	if ((len = i2d_X509(x, &der)) > 0 &&
	    (pem = pem_encode_cert(der, (size_t)len)) != NULL &&
	    asprintf(&all, "%s%s", text, pem) == -1)
		all = NULL;
	OPENSSL_free(der);
	free(pem);
	free(text);
	return (all);
}

static char *
keep(const struct x509_bundle_check *bc, STACK_OF(X509) *certs,
    STACK_OF(X509) *trusted, const char **fault)
{
	X509	*x;
	char	*out;
	int	 i, n = 0;

	if ((out = strdup("")) == NULL) {
		*fault = "out of memory";
		return (NULL);
	}
	for (i = 0; i < sk_X509_num(certs); i++) {
		x = sk_X509_value(certs, i);
		if (!is_root(x) || find_root(certs, x) != x)
			continue;	/* it vouches, or comes again */
		if ((*fault = root_fault(bc, x, certs, trusted)) == NULL &&
		    ++n > X509_BUNDLE_MAX)
			*fault = "it holds too many CAs";
		if (*fault != NULL) {
			free(out);
			return (NULL);
		}
		if ((out = append(out, x)) == NULL) {
			*fault = "out of memory";
			return (NULL);
		}
	}
	if (n == 0 || strlen(out) > X509_BUNDLE_MAXBYTES) {
		*fault = n == 0 ? "it holds no CA" : "it is too large";
		free(out);
		return (NULL);
	}
	return (out);
}

char *
x509_bundle_accept(const struct x509_bundle_check *bc, const uint8_t *pem,
    size_t len, char *why, size_t whylen)
{
	STACK_OF(X509)		*certs, *trusted = NULL;
	struct x509_result	 xr;
	const char		*fault = NULL;
	char			*out = NULL;

	if ((certs = x509_certs_from_pem(pem, len)) == NULL)
		fault = "it is not whole PEM";
	else if ((trusted = x509_certs_from_pem(bc->bc_trusted,
	    bc->bc_trustedlen)) == NULL)
		fault = "the bundle that is trusted is broken";
	else
		out = keep(bc, certs, trusted, &fault);
	sk_X509_pop_free(certs, X509_free);
	sk_X509_pop_free(trusted, X509_free);
	if (out != NULL && bc->bc_leaf != NULL && !x509_check_client(
	    bc->bc_leaf, bc->bc_leaflen, (const uint8_t *)out, strlen(out), 0,
	    &xr)) {
		fault = "it lacks the CA of our own certificate";
		free(out);
		out = NULL;
	}
	if (out == NULL)
		(void)strlcpy(why, fault, whylen);
	return (out);
}

char *
x509_bundle_pinned(const uint8_t *pem, size_t len, const uint8_t *pin,
    size_t pinlen, time_t now, char *why, size_t whylen)
{
	struct x509_bundle_check bc = { .bc_now = now };
	STACK_OF(X509)		*certs;
	X509			*x;
	char			*trusted = NULL, *out;
	int			 i;

	if ((certs = x509_certs_from_pem(pem, len)) == NULL) {
		(void)strlcpy(why, "it is not whole PEM", whylen);
		return (NULL);
	}
	for (i = 0; i < sk_X509_num(certs) && trusted == NULL; i++) {
		x = sk_X509_value(certs, i);
		if (is_root(x) && x509_cert_has_pin(x, pin, pinlen) &&
		    (trusted = strdup("")) != NULL)
			trusted = append(trusted, x);
	}
	sk_X509_pop_free(certs, X509_free);
	if (trusted == NULL) {
		(void)strlcpy(why, "it does not hold the CA of the pin",
		    whylen);
		return (NULL);
	}
	bc.bc_trusted = (const uint8_t *)trusted;
	bc.bc_trustedlen = strlen(trusted);
	out = x509_bundle_accept(&bc, pem, len, why, whylen);
	free(trusted);
	return (out);
}
