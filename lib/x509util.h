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

#ifndef X509UTIL_H
#define X509UTIL_H

#include "compat.h"

#include "eckey.h"

/*
 * Certificates and requests outside the keyholder: what cluster, uplink and
 * both engines want to know of them.  Everything here takes bytes from peers.
 * Keys are P-256 throughout; others are refused.
 * Times are unix seconds, texts end with a NUL.
 */
#define X509_CSR_MAXBYTES	8192
#define X509_CHAIN_MAXBYTES	65536	/* PEM of a chain or a CA bundle */
#define X509_CHAIN_MAX		8	/* certificates of a chain or bundle */
#define X509_SERIAL_SIZE	64	/* lower-case hex with the NUL */
#define X509_CN_SIZE		65
#define X509_PIN_LEN		32	/* SHA-256 of SubjectPublicKeyInfo */
#define X509_TOKENPIN_LEN	16	/* the first half, in a token */
#define X509_COMMAND_CN		"sentinel-command"
#define X509_SERVER_CN		"sentinel-server"
/*
 * Extended key usage of the certificate that signs commands: an arc of ITU-T
 * X.667, 2.25.<UUID 0f8a2dba-5e8f-4d2f-80d7-da30800a85cf>, which needs no
 * registration.  Registered in sentinel-protocol(7).
 */
#define X509_COMMAND_EKU	"2.25.20655884377386768098541794340951983567"
/* What a command signature covers: this text with its NUL, then the SHA-256
 * of the body. */
#define X509_COMMAND_PREFIX	"sentinel-command"
#define X509_STATEMENT_LEN	(sizeof(X509_COMMAND_PREFIX) + 32)

/*
 * Start libcrypto without openssl.cnf.  Once per process, before chroot and
 * seccomp; tlsconf_init() and keyholder_warmup() do it, too.  Dies when
 * libcrypto does not work.
 */
void		 x509_warmup(void);

/*
 * The public point of a PKCS#10 request whose sender has the private key:
 * exactly one DER object of at most X509_CSR_MAXBYTES, P-256, self-signature
 * valid with SHA-256 or better.  Nothing else of it is looked at.
 * Returns NULL, or the reason in words (static).
 */
const char	*x509_csr_point(const uint8_t *der, size_t len,
		    uint8_t point[ECKEY_POINT_LEN]);

/*
 * Facts of a certificate that somebody has verified already.  Walks the DER
 * by hand (about 1 us; d2i_X509 takes 320 us, see doc/architecture.md).
 */
struct x509_facts {
	char		 xf_cn[X509_CN_SIZE];	/* "" when there is none */
	char		 xf_serial[X509_SERIAL_SIZE]; /* hex, no leading 0 */
	uint8_t		 xf_point[ECKEY_POINT_LEN];
	int64_t		 xf_notbefore;
	int64_t		 xf_notafter;
};
/* 0, or -1 with EBADMSG (not a certificate of this shape). */
int		 x509_facts_der(const uint8_t *der, size_t len,
		    struct x509_facts *);
/* Of the first certificate of a PEM text, as tls_peer_cert_chain_pem() lends
 * it. */
int		 x509_facts_pem(const uint8_t *pem, size_t len,
		    struct x509_facts *);
/* Serial in bytes (big-endian, as KEY_INFO and KEY_ISSUED carry it) as the
 * text that is recorded; 0, or -1 (EINVAL: empty or too long). */
int		 x509_serial_text(const uint8_t *, size_t,
		    char[X509_SERIAL_SIZE]);
/* SHA-256 of the SubjectPublicKeyInfo; -1 EBADMSG. */
int		 x509_pin_der(const uint8_t *der, size_t len,
		    uint8_t pin[X509_PIN_LEN]);
/* Does a PEM bundle hold a CA with this pin, of which pinlen bytes count (16
 * or 32)? */
bool		 x509_bundle_has_pin(const uint8_t *pem, size_t len,
		    const uint8_t *pin, size_t pinlen);
/* DER of the first certificate of a PEM text, malloc'd; NULL: EBADMSG. */
uint8_t		*x509_pem_to_der(const uint8_t *pem, size_t len,
		    size_t *derlen);

/*
 * Examination of a chain, for the side that told libtls not to verify: it
 * can say what is wrong.  The first thing wrong in this order counts.
 */
enum x509_verdict {
	X509_VERDICT_OK,
	X509_VERDICT_BROKEN,	/* does not parse, too long, not P-256 */
	X509_VERDICT_NO_CA,	/* pin only: the server sent its leaf alone */
	X509_VERDICT_FOREIGN,	/* not issued by (or no) CA we trust */
	X509_VERDICT_PURPOSE,	/* lacks the extended key usage */
	X509_VERDICT_NAME,	/* not for the host (or identity) asked for */
	X509_VERDICT_KEY,	/* issued: not over our key */
	X509_VERDICT_SIGNATURE,	/* command: body was not signed by it */
	X509_VERDICT_NOT_YET,	/* xr_skew seconds too early */
	X509_VERDICT_EXPIRED	/* xr_skew seconds too late */
};

struct x509_result {
	enum x509_verdict xr_verdict;
	int64_t		 xr_skew;	/* seconds, > 0 for the last two */
	struct x509_facts xr_leaf;	/* valid unless BROKEN */
	char		 xr_text[256];	/* one line: what, and what to do */
};

const char	*x509_verdict_name(enum x509_verdict);

/*
 * All return true when the verdict is OK.  Lengths are bytes without a NUL.
 *	chain	PEM, leaf first, as tls_peer_cert_chain_pem() lends it
 *	ca	PEM bundle of what is trusted
 *	now	time(NULL); 0: time is not checked
 */

/*
 * Is this the server that we dialled?  host: DNS name or IP address without
 * brackets, must be in the SAN; NULL: not checked.  serverAuth must be
 * stated.
 */
bool	 x509_check_server_chain(const uint8_t *chain, size_t chainlen,
	    const uint8_t *ca, size_t calen, const char *host, time_t now,
	    struct x509_result *);
/*
 * As before, but trusting the CA certificate in the presented chain whose
 * SPKI pin begins with pin: the proof before an enrolment token leaves.
 */
bool	 x509_check_pin(const uint8_t *chain, size_t chainlen,
	    const uint8_t *pin, size_t pinlen, const char *host, time_t now,
	    struct x509_result *);
/*
 * Is cert (PEM) ours: issued by a CA of the bundle, clientAuth, over point,
 * CN = hostid?
 */
bool	 x509_check_issued(const uint8_t *ca, size_t calen,
	    const uint8_t *cert, size_t certlen,
	    const uint8_t point[ECKEY_POINT_LEN], const char *hostid,
	    time_t now, struct x509_result *);
/* Is chain (PEM, leaf first) a client of a CA of the bundle? */
bool	 x509_check_client(const uint8_t *chain, size_t chainlen,
	    const uint8_t *ca, size_t calen, time_t now,
	    struct x509_result *);
/*
 * Was body signed as a command by a certificate (DER) of a CA of the bundle,
 * with our extended key usage and CN sentinel-command?  Certificates of CAs
 * that lead from it to the bundle may follow it.
 */
bool	 x509_check_command(const uint8_t *ca, size_t calen,
	    const uint8_t *certder, size_t certlen,
	    const uint8_t *body, size_t bodylen,
	    const uint8_t *sig, size_t siglen, time_t now,
	    struct x509_result *);
/* The X509_STATEMENT_LEN bytes that KEY_COMMAND signs for this body hash. */
void	 x509_command_statement(const uint8_t hash[32],
	    uint8_t statement[X509_STATEMENT_LEN]);

#endif /* X509UTIL_H */
