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

#include "engine_bundle.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "log.h"
#include "xmalloc.h"

static void	 store(char *);

static char		*coming;	/* the parent writes it; NULL: none */
static bool		 forgotten;	/* it is of an old identity */
static monotime_t	 looked;	/* at the last one, 0: never */

size_t
bundle_pins(uint8_t pins[X509_PINS_MAXBYTES])
{
	return (x509_bundle_pins(eng->id.id_ca, eng->id.id_calen, pins));
}

void
bundle_receive(const Sentinel__Cluster__CertRenewalResponse *r, bool proven)
{
	struct x509_bundle_check	 bc = {
		.bc_trusted = eng->id.id_ca,
		.bc_trustedlen = eng->id.id_calen,
		.bc_proven = proven,
		.bc_leaf = eng->id.id_cert,
		.bc_leaflen = eng->id.id_certlen,
		.bc_now = time(NULL)
	};
	monotime_t	 now = monotime_now();
	char		 why[128], text[256], *pem;

	/* Each costs signatures to be checked, and a file. */
	if (coming != NULL || (looked != 0 && now - looked < BUNDLE_MSEC &&
	    !proven)) {
		engine_tell_refusal("cert_renewal_response", "CA bundles "
		    "come too often");
		return;
	}
	looked = now;
	if ((pem = x509_bundle_accept(&bc, r->ca_cert.data, r->ca_cert.len,
	    why, sizeof(why))) == NULL) {
		(void)snprintf(text, sizeof(text), "the CA bundle is not to "
		    "be believed: %s", why);
		engine_tell_refusal("cert_renewal_response", text);
		return;
	}
	if (strlen(pem) == eng->id.id_calen &&
	    memcmp(pem, eng->id.id_ca, eng->id.id_calen) == 0) {
		free(pem);
		session_heartbeat();	/* it does not know that we have it */
		return;
	}
	store(pem);
}

/* bytes PEM; takes it */
static void
store(char *pem)
{
	struct ibuf	*buf;
	size_t		 len = strlen(pem);

	if ((buf = ibuf_dynamic(len + 2, 16384)) == NULL ||
	    ibuf_add_bytes(buf, pem, len) == -1)
		fatal("CA_STORE");
	coming = pem;
	forgotten = false;
	peer_send_ibuf(proc_peer(ROLE_A_PARENT), IMSG_CA_STORE, 0, -1, buf);
	ibuf_free(buf);
}

/* u8 rc, str why */
void
bundle_stored(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	uint8_t		 pins[X509_PINS_MAXBYTES], rc;
	char		 why[256];
	size_t		 n;

	if (ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 || coming == NULL) {
		peer_broken(p, imsg, "unexpected CA_STORED");
		return;
	}
	if (rc != 0 || forgotten) {
		/* The server sends it again, since it is not told of it. */
		if (rc != 0)
			log_warnx("CA bundle: not stored: %s", why);
		free(coming);
		coming = NULL;
		return;
	}
	free(eng->id.id_ca);
	eng->id.id_ca = (uint8_t *)coming;
	eng->id.id_calen = strlen(coming);
	coming = NULL;
	n = bundle_pins(pins) / X509_PIN_LEN;
	log_info("CA bundle: this host trusts %zu CA%s now", n,
	    n == 1 ? "" : "s: the server's is being replaced");
	event_add_line("ca", NULL, "%zu CA%s trusted", n, n == 1 ? "" : "s");
	session_heartbeat();
}

void
bundle_forget(void)
{
	forgotten = true;
	looked = 0;
}

char *
bundle_enroll(const char *token, const char *ca_pin,
    const Sentinel__Cluster__EnrollResponse *r, time_t now, char *why,
    size_t whylen)
{
	uint8_t	 pin[X509_PIN_LEN];
	size_t	 len = 0;
	char	 fault[128], *pem;

	if (hex_decode(pin, X509_TOKENPIN_LEN, token + 32) == 0 &&
	    x509_bundle_has_pin(r->ca_cert.data, r->ca_cert.len, pin,
	    X509_TOKENPIN_LEN))
		len = X509_TOKENPIN_LEN;
	else if (ca_pin[0] != '\0' &&
	    hex_decode(pin, sizeof(pin), ca_pin) == 0)
		len = sizeof(pin);
	if (len == 0)
		return (xstrndup((char *)r->ca_cert.data, r->ca_cert.len));
	if ((pem = x509_bundle_pinned(r->ca_cert.data, r->ca_cert.len, pin,
	    len, now, fault, sizeof(fault))) == NULL)
		(void)snprintf(why, whylen, "its CA bundle is not to be "
		    "believed: %s", fault);
	return (pem);
}
