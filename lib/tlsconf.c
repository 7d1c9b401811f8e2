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

#include <openssl/ssl.h>

#include <stdio.h>
#include <string.h>

#include "tlsconf.h"

/*
 * Exported by libtls, in LibreSSL as in libretls, but declared in no header:
 * OpenBSD's daemons declare it themselves.  Lets a certificate stand without
 * its private key.
 */
void	 tls_config_use_fake_private_key(struct tls_config *);

static struct tls *tlsconf_make(const struct tlsconf *, bool, char *, size_t);
static int	 tlsconf_fill(struct tls_config *, const struct tlsconf *,
		    bool);
static void	 tlsconf_err(char *, size_t, const char *, const char *);

#ifndef LIBRESSL_VERSION_NUMBER
/*
 * libretls offers neither of these, and its SSL objects are out of reach; but
 * OpenSSL calls this when it has made one, with the object as parent.  Two
 * tickets per handshake that nobody can use are saved, and 10 to 20 kB of
 * buffers per idle connection.
 */
static void
tlsconf_tune(void *parent, void *ptr, CRYPTO_EX_DATA *ad, int idx, long argl,
    void *argp)
{
	SSL		*ssl = parent;

	(void)ptr;
	(void)ad;
	(void)idx;
	(void)argl;
	(void)argp;
	(void)SSL_set_num_tickets(ssl, 0);
	(void)SSL_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_RENEGOTIATION);
	(void)SSL_set_mode(ssl, SSL_MODE_RELEASE_BUFFERS);
}
#endif

int
tlsconf_init(void)
{
	static bool	 done;

	if (done)
		return (0);
	if (tls_init() != 0)
		return (-1);
#ifndef LIBRESSL_VERSION_NUMBER
	if (SSL_get_ex_new_index(0, NULL, tlsconf_tune, NULL, NULL) == -1)
		return (-1);
#endif
	done = true;
	return (0);
}

struct tls *
tlsconf_server(const struct tlsconf *tc, char *err, size_t errlen)
{
	return (tlsconf_make(tc, true, err, errlen));
}

struct tls *
tlsconf_client(const struct tlsconf *tc, char *err, size_t errlen)
{
	return (tlsconf_make(tc, false, err, errlen));
}

const char *
tlsconf_fault(struct tls *tls, const char *alpn)
{
	const char	*got, *version;

	version = tls_conn_version(tls);
	if (version == NULL || strcmp(version, "TLSv1.3") != 0)
		return ("not TLS 1.3");
	if (tls_conn_session_resumed(tls))
		return ("resumed TLS session");
	/* libretls lets a client without ALPN, or with another, pass. */
	got = tls_conn_alpn_selected(tls);
	if (alpn != NULL && got == NULL)
		return ("no application protocol agreed on (ALPN)");
	if (alpn != NULL && strcmp(got, alpn) != 0)
		return ("wrong application protocol (ALPN)");
	return (NULL);
}

static struct tls *
tlsconf_make(const struct tlsconf *tc, bool server, char *err, size_t errlen)
{
	struct tls_config	*cfg;
	struct tls		*tls = NULL;
	const char		*text;

	if ((cfg = tls_config_new()) == NULL) {
		tlsconf_err(err, errlen, "TLS configuration", "out of memory");
		return (NULL);
	}
	if (tlsconf_fill(cfg, tc, server) == -1) {
		text = tls_config_error(cfg);
		tlsconf_err(err, errlen, "TLS configuration", text);
		goto fail;
	}
	tls = server ? tls_server() : tls_client();
	if (tls == NULL) {
		tlsconf_err(err, errlen, "TLS context", "out of memory");
		goto fail;
	}
	if (tls_configure(tls, cfg) != 0) {
		tlsconf_err(err, errlen, "TLS context", tls_error(tls));
		goto fail;
	}
	/* The context holds its own reference. */
	tls_config_free(cfg);
	return (tls);
 fail:
	tls_free(tls);
	tls_config_free(cfg);
	return (NULL);
}

static int
tlsconf_fill(struct tls_config *cfg, const struct tlsconf *tc, bool server)
{
	if (tls_config_set_protocols(cfg, TLS_PROTOCOL_TLSv1_3) != 0)
		return (-1);
	if (tc->tc_alpn != NULL && tls_config_set_alpn(cfg, tc->tc_alpn) != 0)
		return (-1);
	if (tc->tc_cert != NULL) {
		if (tls_config_set_cert_mem(cfg, tc->tc_cert,
		    tc->tc_certlen) != 0)
			return (-1);
		if (tc->tc_key == NULL)
			tls_config_use_fake_private_key(cfg);
		else if (tls_config_set_key_mem(cfg, tc->tc_key,
		    tc->tc_keylen) != 0)
			return (-1);
	}
	if (server) {
		if (tc->tc_ca == NULL)
			return (0);
		if (tls_config_set_ca_mem(cfg, tc->tc_ca, tc->tc_calen) != 0)
			return (-1);
		tls_config_verify_client_optional(cfg);
		tls_config_insecure_noverifytime(cfg);
		return (0);
	}
	/*
	 * Not because anybody may answer: libtls would end the handshake with
	 * one word for every fault, before we can look at the chain.  The
	 * caller examines it (pin, chain, name, time, purpose) and only then
	 * sends its first byte.
	 */
	tls_config_insecure_noverifycert(cfg);
	tls_config_insecure_noverifyname(cfg);
	return (0);
}

static void
tlsconf_err(char *err, size_t errlen, const char *what, const char *text)
{
	(void)snprintf(err, errlen, "%s: %s", what,
	    text != NULL ? text : "unknown error");
}
