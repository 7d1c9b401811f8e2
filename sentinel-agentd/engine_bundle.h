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

#ifndef ENGINE_BUNDLE_H
#define ENGINE_BUNDLE_H

#include "compat.h"

#include "engine.h"
#include "x509_bundle.h"

/*
 * Which CAs this host trusts, while its server's CA is replaced.  The server
 * sends a bundle; it is believed when a CA that is trusted now vouches for
 * every new one in it (lib/x509_bundle.h), written by the parent, and used
 * from the next connection on.  Heartbeats say what is trusted.  The engine
 * process; engine_bundle.c.
 */
#define BUNDLE_MSEC	10000	/* between two that are looked at */

/* proven: it came in a signed command. */
void	 bundle_receive(const Sentinel__Cluster__CertRenewalResponse *,
	    bool proven);
/*
 * What to keep of the CAs in the answer to an enrolment, malloc'd PEM: what
 * the CA of the token (else of ca_pin) is and vouches for, so that nobody in
 * between adds a CA of his own; without such a pin all that came.  NULL and a
 * line in why.
 */
char	*bundle_enroll(const char *token, const char *ca_pin,
	    const Sentinel__Cluster__EnrollResponse *, time_t now, char *why,
	    size_t whylen);
/* Pins of what is trusted, for a heartbeat; their bytes. */
size_t	 bundle_pins(uint8_t pins[X509_PINS_MAXBYTES]);
/* A new enrolment: what is on its way is of the old identity. */
void	 bundle_forget(void);
/* Row of the handler table. */
void	 bundle_stored(struct peer *, struct imsg *);

#endif /* ENGINE_BUNDLE_H */
