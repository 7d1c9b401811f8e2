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

#ifndef ENGINE_CA_H
#define ENGINE_CA_H

#include "compat.h"

#include "engine.h"
#include "parent_ca.h"

/*
 * The replacement of the CA in its phases, in the server's engine:
 *
 *	none	one CA
 *	prepare	a second one exists, and the first has signed it; agents get
 *		both, cluster takes certificates of both
 *	issue	all certificates come from the new one: the server's own at
 *		once, those of agents when they are renewed
 *	drain	the old key is not loaded any more: there is no way back
 *	drop	the old CA is being retired; then none again
 *
 * The phase in the database is the truth.  For prepare, issue and drain the
 * parent and the keyholder act first, so that a crash in between leaves what
 * the phase before can live with; for drop and the way back from prepare the
 * database comes first, and the next start finishes the files.
 */
#define CA_HOSTS_MAX	500		/* listed */
#define CA_STEP_MSEC	60000		/* for the parent */
#define CA_PUSH_MSEC	30000		/* before a bundle is sent again */
#define CA_CERT_MSEC	65000		/* and a certificate */
#define CA_PUSH_BATCH	64		/* hosts in a second */

struct ca_cert {
	uint8_t		*cc_der;	/* NULL: there is none */
	size_t		 cc_len;
	char		*cc_pem;
	uint8_t		 cc_pin[X509_PIN_LEN];
	char		 cc_hex[2 * X509_PIN_LEN + 1];
	char		 cc_serial[X509_SERIAL_SIZE];
	int64_t		 cc_not_before;
	int64_t		 cc_not_after;
};

struct ca_state {
	enum ca_phase	 ca_phase;
	int64_t		 ca_since;
	char		 ca_by[32];	/* "uid 0" */
	struct ca_cert	 ca_old;	/* the CA, when there is one */
	struct ca_cert	 ca_new;	/* from prepare on */
	struct ca_cert	 ca_cross;	/* the new one, signed by the old */
};

/* --- engine_ca.c ---------------------------------------------------------- */
const struct ca_state *ca_get(void);
const char *ca_phase_name(enum ca_phase);
/* The database is open: the parent is told the phase. */
void	 ca_start(void);
/* KEY_INFO of purpose CA or CA_CROSS. */
void	 ca_take(uint8_t purpose, uint8_t slot, const struct ca_cert *);
/*
 * Towards a phase, which must be the next one (or none, from prepare).  done()
 * runs once, now or later: why is NULL when it is reached.
 *	force	although hosts are not ready
 */
typedef void (*ca_done)(void *arg, const char *why);
void	 ca_step(enum ca_phase, bool force, const char *by, ca_done, void *);
/* Row of the handler table. */
void	 ca_stepped(struct peer *, struct imsg *);

/* PEM, malloc'd. */
char	*ca_trust_pem(void);		/* what agents are verified against */
/* What is shown after this leaf (DER), so that whoever trusts the old CA, the
 * new one or both can verify it. */
char	*ca_chain_pem(const uint8_t *leaf, size_t);
/* What an agent that is enrolled with a token of this pin (32 hex characters)
 * is to trust. */
char	*ca_enroll_pem(const char *pin);
char	*ca_bundle_pem(void);		/* what all agents are to trust */
/* DER of the command certificate and what leads from it to the old CA;
 * malloc'd. */
uint8_t	*ca_command_der(const uint8_t *leaf, size_t len, size_t *total);
/* Which CA issued this (DER)?  NULL: none of them. */
const struct ca_cert *ca_issuer(const uint8_t *der, size_t);

/* --- engine_ca_host.c ----------------------------------------------------- */
/*
 * A certificate was issued to this host: its record remembers by which CA.
 * Not written here.
 */
void	 ca_issued(struct host *, const char *serial, const uint8_t *der,
	    size_t);
/* Its agent was given this bundle, or says that it trusts these CAs. */
void	 ca_given(struct host *, const char *pem);
void	 ca_heard(struct host *, const uint8_t *pins, size_t);
/* Was this certificate (DER) issued by the CA that is being replaced? */
bool	 ca_is_replaced(const uint8_t *der, size_t);
/*
 * Shall this connected host get a certificate of the new CA now?  True at
 * most once in CA_CERT_MSEC, so it must then be sent.
 */
bool	 ca_wants_cert(struct host *);
/* Is the certificate that it has in use from the CA that stays? */
bool	 ca_host_is_new(const struct host *);
/* What it lacks before the old CA can go: "" nothing. */
const char *ca_host_missing(const struct host *);
/* Living hosts, and how many of them lack something. */
size_t	 ca_count(size_t *waiting);
/* "a, b and 3 more" of those, or of those without the bundle. */
void	 ca_waiting_names(bool bundle, char *, size_t);
/* A second has passed: bundles and renewals are sent. */
void	 ca_tick(void);
/* The phase has changed: all of it at once. */
void	 ca_push_again(void);
/* The old CA is gone: so are the calls with its certificates. */
void	 ca_end_old(void);

#endif /* ENGINE_CA_H */
