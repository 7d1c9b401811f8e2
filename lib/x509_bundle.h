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

#ifndef X509_BUNDLE_H
#define X509_BUNDLE_H

#include "compat.h"

#include <openssl/x509.h>

#include "x509util.h"

/*
 * Bundles of CA certificates: what is trusted while one CA follows another.
 * Everything here takes bytes from peers; PEM lengths are without a NUL.
 * Source: x509_bundle.c
 */
#define X509_BUNDLE_MAX		4	/* CAs in one */
#define X509_BUNDLE_MAXBYTES	16000	/* PEM, as it is kept */
#define X509_PINS_MAXBYTES	(X509_BUNDLE_MAX * X509_PIN_LEN)

/*
 * Pins of the self-signed CAs of a bundle, each once, in their order.
 * Returns the number of bytes in pins, 0 when there is none or it is broken.
 */
size_t	 x509_bundle_pins(const uint8_t *pem, size_t len,
	    uint8_t pins[X509_PINS_MAXBYTES]);
/* Is the pin among n bytes of pins? */
bool	 x509_pins_has(const uint8_t *pins, size_t n,
	    const uint8_t pin[X509_PIN_LEN]);
/* Was the certificate signed with the key of this CA?  Both DER. */
bool	 x509_issued_by(const uint8_t *der, size_t len, const uint8_t *ca,
	    size_t calen);

/*
 * May a bundle that somebody sends take the place of the one that is trusted?
 *	trusted	PEM of what is trusted now
 *	proven	the sender was proven under it (a signed command), so that it
 *		may name any CA.  Otherwise a CA that is not trusted yet must
 *		come with a certificate over its key and name that a trusted
 *		one has signed.
 *	leaf	PEM of our own certificate: its issuer must be in the bundle,
 *		or the next connection would fail; NULL: not checked
 * Returns what is to be kept, malloc'd PEM with a NUL: the self-signed CAs
 * alone, each once.  NULL: refused, and one line in why.
 */
struct x509_bundle_check {
	const uint8_t	*bc_trusted;
	size_t		 bc_trustedlen;
	bool		 bc_proven;
	const uint8_t	*bc_leaf;
	size_t		 bc_leaflen;
	time_t		 bc_now;
};
char	*x509_bundle_accept(const struct x509_bundle_check *,
	    const uint8_t *pem, size_t len, char *why, size_t whylen);
/* The same when nothing is known but the pin of a CA (pinlen 16 or 32). */
char	*x509_bundle_pinned(const uint8_t *pem, size_t len,
	    const uint8_t *pin, size_t pinlen, time_t now, char *why,
	    size_t whylen);

/* For x509_chain.c. */
/* NULL: broken, none, too many or out of memory. */
STACK_OF(X509) *x509_certs_from_pem(const uint8_t *, size_t);
bool	 x509_cert_has_pin(X509 *, const uint8_t *pin, size_t pinlen);

#endif /* X509_BUNDLE_H */
