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
 * What is wrong with a chain, found step by step instead of by one call whose
 * error code would name only the first of several reasons.  Signatures and
 * issuers first: nothing that a foreign certificate says counts.
 */

#include "compat.h"

#include <sys/socket.h>

#include <arpa/inet.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/crypto.h>
#include <openssl/objects.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include "x509_bundle.h"
#include "x509_text.h"
#include "x509util.h"

#define X509_USAGE_SERVER	"1.3.6.1.5.5.7.3.1"
#define X509_USAGE_CLIENT	"1.3.6.1.5.5.7.3.2"
#define X509_HOST_SIZE		256

struct x509_check {
	STACK_OF(X509)	*xc_chain;	/* leaf first */
	STACK_OF(X509)	*xc_cas;	/* trusted */
	STACK_OF(X509)	*xc_path;	/* verified, leaf first */
	X509		*xc_leaf;	/* lent by xc_chain */
	struct x509_result *xc_result;
};

static bool	 check_begin(struct x509_check *, struct x509_result *);
static bool	 check_chain(struct x509_check *, const uint8_t *, size_t);
static bool	 check_cas(struct x509_check *, const uint8_t *, size_t);
static bool	 check_pinned_ca(struct x509_check *, const uint8_t *, size_t);
static bool	 check_issuer(struct x509_check *);
static bool	 check_usage(struct x509_check *, const char *, const char *);
static bool	 check_host(struct x509_check *, const char *);
static bool	 check_time(struct x509_check *, time_t);
static bool	 check_time_of(struct x509_check *, X509 *, const char *,
		    time_t);
static bool	 check_end(struct x509_check *, bool);
static bool	 fault(struct x509_check *, enum x509_verdict, const char *,
		    ...) __printflike_(3, 4);
static bool	 certs_from_der(STACK_OF(X509) *, const uint8_t *, size_t);
static bool	 cert_facts(X509 *, struct x509_facts *);
static bool	 cert_has_usage(X509 *, const char *);

const char *
x509_verdict_name(enum x509_verdict v)
{
	switch (v) {
	case X509_VERDICT_OK:
		return ("ok");
	case X509_VERDICT_BROKEN:
		return ("broken certificate");
	case X509_VERDICT_NO_CA:
		return ("no CA presented");
	case X509_VERDICT_FOREIGN:
		return ("foreign CA");
	case X509_VERDICT_PURPOSE:
		return ("wrong purpose");
	case X509_VERDICT_NAME:
		return ("wrong name");
	case X509_VERDICT_KEY:
		return ("wrong key");
	case X509_VERDICT_SIGNATURE:
		return ("wrong signature");
	case X509_VERDICT_NOT_YET:
		return ("not yet valid");
	case X509_VERDICT_EXPIRED:
		return ("expired");
	}
	return ("unknown");
}

bool
x509_check_server_chain(const uint8_t *chain, size_t chainlen,
    const uint8_t *ca, size_t calen, const char *host, time_t now,
    struct x509_result *xr)
{
	struct x509_check	 xc;

	return (check_end(&xc, check_begin(&xc, xr) &&
	    check_chain(&xc, chain, chainlen) && check_cas(&xc, ca, calen) &&
	    check_issuer(&xc) &&
	    check_usage(&xc, X509_USAGE_SERVER, "a server") &&
	    check_host(&xc, host) && check_time(&xc, now)));
}

bool
x509_check_pin(const uint8_t *chain, size_t chainlen, const uint8_t *pin,
    size_t pinlen, const char *host, time_t now, struct x509_result *xr)
{
	struct x509_check	 xc;

	return (check_end(&xc, check_begin(&xc, xr) &&
	    check_chain(&xc, chain, chainlen) &&
	    check_pinned_ca(&xc, pin, pinlen) && check_issuer(&xc) &&
	    check_usage(&xc, X509_USAGE_SERVER, "a server") &&
	    check_host(&xc, host) && check_time(&xc, now)));
}

bool
x509_check_client(const uint8_t *chain, size_t chainlen, const uint8_t *ca,
    size_t calen, time_t now, struct x509_result *xr)
{
	struct x509_check	 xc;

	return (check_end(&xc, check_begin(&xc, xr) &&
	    check_chain(&xc, chain, chainlen) && check_cas(&xc, ca, calen) &&
	    check_issuer(&xc) &&
	    check_usage(&xc, X509_USAGE_CLIENT, "a client") &&
	    check_time(&xc, now)));
}

bool
x509_check_issued(const uint8_t *ca, size_t calen, const uint8_t *cert,
    size_t certlen, const uint8_t point[ECKEY_POINT_LEN], const char *hostid,
    time_t now, struct x509_result *xr)
{
	struct x509_check	 xc;
	bool			 ok;

	ok = check_begin(&xc, xr) && check_chain(&xc, cert, certlen) &&
	    check_cas(&xc, ca, calen) && check_issuer(&xc) &&
	    check_usage(&xc, X509_USAGE_CLIENT, "a client");
	if (ok && strcmp(xr->xr_leaf.xf_cn, hostid) != 0)
		ok = fault(&xc, X509_VERDICT_NAME,
		    "the certificate is for another host id");
	if (ok && memcmp(xr->xr_leaf.xf_point, point, ECKEY_POINT_LEN) != 0)
		ok = fault(&xc, X509_VERDICT_KEY,
		    "the certificate is not over our key");
	return (check_end(&xc, ok && check_time(&xc, now)));
}

bool
x509_check_command(const uint8_t *ca, size_t calen, const uint8_t *certder,
    size_t certlen, const uint8_t *body, size_t bodylen, const uint8_t *sig,
    size_t siglen, time_t now, struct x509_result *xr)
{
	struct x509_check	 xc;
	uint8_t			 hash[SHA256_DIGEST_LENGTH];
	uint8_t			 statement[X509_STATEMENT_LEN];
	uint8_t			 digest[ECKEY_DIGEST_LEN];
	bool			 ok;

	if (!check_begin(&xc, xr))
		return (check_end(&xc, false));
	if (!certs_from_der(xc.xc_chain, certder, certlen))
		return (check_end(&xc, fault(&xc, X509_VERDICT_BROKEN,
		    "the certificate of the command does not parse")));
	ok = check_chain(&xc, NULL, 0) && check_cas(&xc, ca, calen) &&
	    check_issuer(&xc) &&
	    check_usage(&xc, X509_COMMAND_EKU, "signing commands");
	if (ok && strcmp(xr->xr_leaf.xf_cn, X509_COMMAND_CN) != 0)
		ok = fault(&xc, X509_VERDICT_NAME,
		    "the certificate is not for " X509_COMMAND_CN);
	if (ok && siglen <= ECKEY_SIG_MAXBYTES) {
		SHA256(body, bodylen, hash);
		x509_command_statement(hash, statement);
		SHA256(statement, sizeof(statement), digest);
	}
	if (ok && (siglen > ECKEY_SIG_MAXBYTES ||
	    !eckey_verify(X509_get0_pubkey(xc.xc_leaf), digest, sig, siglen)))
		ok = fault(&xc, X509_VERDICT_SIGNATURE,
		    "the command was changed or signed by somebody else");
	return (check_end(&xc, ok && check_time(&xc, now)));
}

/* --- steps --------------------------------------------------------------- */

static bool
check_begin(struct x509_check *xc, struct x509_result *xr)
{
	memset(xr, 0, sizeof(*xr));
	memset(xc, 0, sizeof(*xc));
	xc->xc_result = xr;
	if ((xc->xc_chain = sk_X509_new_null()) == NULL)
		return (fault(xc, X509_VERDICT_BROKEN, "out of memory"));
	return (true);
}

/* chain NULL: the leaf is in place. */
static bool
check_chain(struct x509_check *xc, const uint8_t *chain, size_t len)
{
	if (chain != NULL) {
		sk_X509_pop_free(xc->xc_chain, X509_free);
		xc->xc_chain = x509_certs_from_pem(chain, len);
	}
	if (xc->xc_chain == NULL || sk_X509_num(xc->xc_chain) < 1)
		return (fault(xc, X509_VERDICT_BROKEN,
		    "the certificate does not parse"));
	xc->xc_leaf = sk_X509_value(xc->xc_chain, 0);
	if (!cert_facts(xc->xc_leaf, &xc->xc_result->xr_leaf))
		return (fault(xc, X509_VERDICT_BROKEN,
		    "the certificate is not over a P-256 key"));
	return (true);
}

static bool
check_cas(struct x509_check *xc, const uint8_t *ca, size_t len)
{
	int	 i;

	if ((xc->xc_cas = x509_certs_from_pem(ca, len)) == NULL)
		return (fault(xc, X509_VERDICT_BROKEN,
		    "the CA certificate does not parse"));
	/* Each ends a path, so a leaf in the bundle would vouch for itself. */
	for (i = 0; i < sk_X509_num(xc->xc_cas); i++)
		if (X509_check_ca(sk_X509_value(xc->xc_cas, i)) != 1)
			return (fault(xc, X509_VERDICT_BROKEN,
			    "the CA bundle holds a certificate of no CA"));
	return (true);
}

static bool
check_pinned_ca(struct x509_check *xc, const uint8_t *pin, size_t pinlen)
{
	X509	*x;
	int	 i;

	if (sk_X509_num(xc->xc_chain) < 2)
		return (fault(xc, X509_VERDICT_NO_CA, "the server shows no CA "
		    "certificate, so the pin of the token cannot be checked: "
		    "is it another implementation? (trust_first_use)"));
	if ((xc->xc_cas = sk_X509_new_null()) == NULL)
		return (fault(xc, X509_VERDICT_BROKEN, "out of memory"));
	for (i = 1; i < sk_X509_num(xc->xc_chain); i++) {
		x = sk_X509_value(xc->xc_chain, i);
		if (!x509_cert_has_pin(x, pin, pinlen))
			continue;
		if (X509_up_ref(x) != 1 || sk_X509_push(xc->xc_cas, x) <= 0)
			return (fault(xc, X509_VERDICT_BROKEN,
			    "out of memory"));
		return (true);
	}
	return (fault(xc, X509_VERDICT_FOREIGN, "the server's CA is not the "
	    "one of the token: wrong server, or somebody in between"));
}

/* Signatures, path length, name chaining; not time, not purpose. */
static bool
check_issuer(struct x509_check *xc)
{
	X509_STORE		*store;
	X509_STORE_CTX		*ctx = NULL;
	X509_VERIFY_PARAM	*param;
	int			 i, err = X509_V_ERR_OUT_OF_MEM;

	if ((store = X509_STORE_new()) == NULL ||
	    (ctx = X509_STORE_CTX_new()) == NULL)
		goto done;
	for (i = 0; i < sk_X509_num(xc->xc_cas); i++)
		if (X509_STORE_add_cert(store,
		    sk_X509_value(xc->xc_cas, i)) != 1)
			goto done;
	if (X509_STORE_CTX_init(ctx, store, xc->xc_leaf, xc->xc_chain) != 1)
		goto done;
	param = X509_STORE_CTX_get0_param(ctx);
	/* A CA that another CA signed too, during a change of CA, is trusted
	 * by itself. */
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_NO_CHECK_TIME |
	    X509_V_FLAG_PARTIAL_CHAIN);
	X509_VERIFY_PARAM_set_depth(param, X509_CHAIN_MAX);
	err = X509_V_OK;
	if (X509_verify_cert(ctx) != 1 &&
	    (err = X509_STORE_CTX_get_error(ctx)) == X509_V_OK)
		err = X509_V_ERR_UNSPECIFIED;
	if (err == X509_V_OK &&
	    (xc->xc_path = X509_STORE_CTX_get1_chain(ctx)) == NULL)
		err = X509_V_ERR_OUT_OF_MEM;
done:
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	if (err != X509_V_OK)
		return (fault(xc, X509_VERDICT_FOREIGN, "the certificate was "
		    "not issued by our CA (%s)",
		    X509_verify_cert_error_string(err)));
	return (true);
}

static bool
check_usage(struct x509_check *xc, const char *oid, const char *what)
{
	uint32_t	 usage;

	/* UINT32_MAX when there is no key usage. */
	usage = X509_get_key_usage(xc->xc_leaf);
	if (!cert_has_usage(xc->xc_leaf, oid) ||
	    (usage & KU_DIGITAL_SIGNATURE) == 0 ||
	    X509_check_ca(xc->xc_leaf) != 0)
		return (fault(xc, X509_VERDICT_PURPOSE,
		    "the certificate is not for %s", what));
	return (true);
}

static bool
check_host(struct x509_check *xc, const char *host)
{
	char		 names[160], name[X509_HOST_SIZE];
	uint8_t		 ip[16];
	size_t		 iplen = 0;
	int		 rc;

	if (host == NULL)
		return (true);
	/* The zone of a link-local address is no part of the name. */
	if (strlcpy(name, host, sizeof(name)) >= sizeof(name))
		return (fault(xc, X509_VERDICT_NAME, "the server's name is "
		    "longer than %d bytes", X509_HOST_SIZE - 1));
	if (strchr(name, ':') != NULL)
		name[strcspn(name, "%")] = '\0';
	if (inet_pton(AF_INET, name, ip) == 1)
		iplen = 4;
	else if (inet_pton(AF_INET6, name, ip) == 1)
		iplen = 16;
	if (iplen != 0)
		rc = X509_check_ip(xc->xc_leaf, ip, iplen, 0);
	else
		rc = X509_check_host(xc->xc_leaf, name, strlen(name),
		    X509_CHECK_FLAG_NO_WILDCARDS |
		    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT, NULL);
	if (rc == 1)
		return (true);
	x509_text_names(xc->xc_leaf, names, sizeof(names));
	return (fault(xc, X509_VERDICT_NAME, "the certificate is for %s: add "
	    "the name to the server's advertise list, or set server_name",
	    names));
}

static bool
check_time(struct x509_check *xc, time_t now)
{
	int	 i;

	if (now == 0)
		return (true);
	for (i = 0; i < sk_X509_num(xc->xc_path); i++)
		if (!check_time_of(xc, sk_X509_value(xc->xc_path, i),
		    i == 0 ? "the certificate" : "the CA certificate", now))
			return (false);
	return (true);
}

static bool
check_time_of(struct x509_check *xc, X509 *x, const char *what, time_t now)
{
	struct tm	 tm;
	char		 text[32], when[32];
	int64_t		 start, end, skew;

	if (ASN1_TIME_to_tm(X509_get0_notBefore(x), &tm) != 1)
		return (fault(xc, X509_VERDICT_BROKEN,
		    "%s has broken dates", what));
	start = (int64_t)timegm(&tm);
	if (ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm) != 1)
		return (fault(xc, X509_VERDICT_BROKEN,
		    "%s has broken dates", what));
	end = (int64_t)timegm(&tm);
	if ((int64_t)now < start) {
		skew = start - (int64_t)now;
		x509_text_span(skew, text, sizeof(text));
		xc->xc_result->xr_skew = skew;
		return (fault(xc, X509_VERDICT_NOT_YET, "%s is not valid until "
		    "%s, in %s (clock skew of %s?)", what,
		    x509_text_time(start, when), text, text));
	}
	if ((int64_t)now > end) {
		skew = (int64_t)now - end;
		x509_text_span(skew, text, sizeof(text));
		xc->xc_result->xr_skew = skew;
		return (fault(xc, X509_VERDICT_EXPIRED, "%s has expired %s "
		    "ago, since %s (or clock skew of %s?)", what, text,
		    x509_text_time(end, when), text));
	}
	return (true);
}

static bool
check_end(struct x509_check *xc, bool ok)
{
	sk_X509_pop_free(xc->xc_chain, X509_free);
	sk_X509_pop_free(xc->xc_cas, X509_free);
	sk_X509_pop_free(xc->xc_path, X509_free);
	if (ok)
		strlcpy(xc->xc_result->xr_text, "ok",
		    sizeof(xc->xc_result->xr_text));
	return (ok);
}

/* Always false. */
static bool
fault(struct x509_check *xc, enum x509_verdict v, const char *fmt, ...)
{
	struct x509_result	*xr = xc->xc_result;
	va_list			 ap;

	xr->xr_verdict = v;
	if (v == X509_VERDICT_BROKEN)
		memset(&xr->xr_leaf, 0, sizeof(xr->xr_leaf));
	va_start(ap, fmt);
	(void)vsnprintf(xr->xr_text, sizeof(xr->xr_text), fmt, ap);
	va_end(ap);
	return (false);
}

/* --- certificates -------------------------------------------------------- */

/* One after the other; all or false. */
static bool
certs_from_der(STACK_OF(X509) *certs, const uint8_t *der, size_t len)
{
	const unsigned char	*p = der, *end = der + len;
	X509			*x;

	if (len == 0 || len > X509_CSR_MAXBYTES)
		return (false);
	while (p < end) {
		if (sk_X509_num(certs) == X509_CHAIN_MAX ||
		    (x = d2i_X509(NULL, &p, (long)(end - p))) == NULL)
			return (false);
		if (sk_X509_push(certs, x) <= 0) {
			X509_free(x);
			return (false);
		}
	}
	return (true);
}

static bool
cert_facts(X509 *x, struct x509_facts *xf)
{
	unsigned char	*der = NULL;
	int		 len;
	bool		 ok;

	if ((len = i2d_X509(x, &der)) <= 0)
		return (false);
	ok = x509_facts_der(der, (size_t)len, xf) == 0;
	OPENSSL_free(der);
	return (ok);
}

/* Must be stated: a certificate without extended key usage is for nothing. */
static bool
cert_has_usage(X509 *x, const char *oid)
{
	EXTENDED_KEY_USAGE	*eku;
	ASN1_OBJECT		*want;
	bool			 found = false;
	int			 i;

	if ((want = OBJ_txt2obj(oid, 1)) == NULL)
		return (false);
	if ((eku = X509_get_ext_d2i(x, NID_ext_key_usage, NULL,
	    NULL)) != NULL) {
		for (i = 0; i < sk_ASN1_OBJECT_num(eku); i++)
			if (OBJ_cmp(sk_ASN1_OBJECT_value(eku, i), want) == 0)
				found = true;
		sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	}
	ASN1_OBJECT_free(want);
	return (found);
}
