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

#ifndef ENGINE_IDENTITY_H
#define ENGINE_IDENTITY_H

#include "engine.h"

/*
 * The server's own certificates, in its engine.  The keyholder makes keys, the
 * parent says the names, cluster uses what it gets; this file decides when,
 * and keeps the order: new key and certificate (IDENTITY_RENEW, KEY_INFO),
 * cluster uses them for new handshakes (CLUSTER_IDENTITY, _OK), a while later
 * the old key goes (KEY_DROP).  Connections that are up are not touched.
 *
 * A step that fails or is not answered in time is tried again from the first
 * one; until then the certificate in use stays.
 */
#define IDENTITY_NAMES_MAX	64	/* of a run-time advertise list */
#define IDENTITY_PARENT_MSEC	15000	/* names, key and certificate */
#define IDENTITY_CLUSTER_MSEC	10000	/* to use them */
#define IDENTITY_DROP_MSEC	15000	/* for handshakes with the old key */
#define IDENTITY_COMMAND_MSEC	60000	/* between questions for its key */
#define IDENTITY_RETRY_MSEC	1000	/* first back-off */
#define IDENTITY_RETRY_MAX_MSEC	600000

/* What is told about a certificate of the server's own. */
struct identity_cert {
	char		 ic_serial[X509_SERIAL_SIZE];	/* "": none yet */
	int64_t		 ic_not_before;	/* unix seconds */
	int64_t		 ic_not_after;
	int64_t		 ic_renew_at;	/* 0: not by itself */
};
/* Purpose: KEY_PURPOSE_CA, _SERVER_TLS (in use), _COMMAND; never NULL. */
const struct identity_cert *identity_cert(uint8_t purpose);

/*
 * The names that the operator adds at run time (setting cluster.advertise):
 * addresses and DNS names, n of at most IDENTITY_NAMES_MAX; n 0: those of the
 * configuration again.  Copies.  The certificate is replaced when the list is
 * another one than before; the parent checks each name once more, leaves out
 * what comes twice and adds localhost and private addresses of this machine.
 * 0, or -1 and a line in why, and nothing has changed: a name that is none, or
 * too many.  May be called before the configuration is live; the caller keeps
 * the list from one start to the next.
 */
int	 identity_set_advertise(const char *const *, size_t n, char *why,
	    size_t whylen);
/* The check alone: 0, or -1 and a line in why. */
int	 identity_check_advertise(const char *const *, size_t n, char *why,
	    size_t whylen);

/*
 * A new server certificate is wanted within a second: other names or another
 * life, another CA.  One that is under way already is followed by another
 * one.  reason is for the log.
 */
void	 identity_renew(const char *reason);
/* cluster's part of the configuration, or ours, is live; once a second. */
void	 identity_start(void);
void	 identity_tick(time_t now);
/* cluster was started again: it gets what is newest. */
void	 identity_cluster_up(void);

/*
 * Two thirds of the life of a certificate, from its time of issue; those of
 * the keyholder are back-dated by min(1 h, life/10).
 */
int64_t	 identity_due(int64_t not_before, int64_t not_after);
int64_t	 identity_issued(int64_t not_before, int64_t not_after);

/* The CA that issues from now on: tokens name it, status shows it. */
struct ca_cert;
void	 identity_use_ca(const struct ca_cert *);

/* Rows of the handler table. */
void	 identity_renewed(struct peer *, struct imsg *);

#endif /* ENGINE_IDENTITY_H */
