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

#ifndef ENGINE_ENROLL_H
#define ENGINE_ENROLL_H

#include "compat.h"

#include "engine.h"

/*
 * Enrolment with a token.  engine_enroll.c asks the keyholder and answers;
 * engine_redeem.c is what its two transactions decide: a use of the token is
 * taken (consumed), the host is registered with its certificate (issued).
 * Whatever fails between them strands nobody: until the host was seen, the
 * same token with the same key is the same use.
 */
#define TOKEN_SECRET_LEN	16	/* bytes; as many of the pin follow */
#define TOKEN_LEN		64	/* hex characters */
#define TOKEN_ID_LEN		8
#define ENROLL_RETRY_SEC	86400

struct ca_cert;

struct enroll {
	uint64_t	 en_channel;	/* of the cluster that asked */
	uint32_t	 en_call;
	char		 en_token_id[TOKEN_ID_LEN + 1];
	bool		 en_known;	/* the MAC was right */
	char		 en_pin[2 * X509_TOKENPIN_LEN + 1]; /* of its CA */
	char		 en_raw_name[256];
	char		 en_address[64];
	uint8_t		 en_point[ECKEY_POINT_LEN];
	/* set by redeem_consume() */
	char		 en_host_id[HOST_ID_SIZE];
	char		 en_name[HOST_NAME_SIZE];
	bool		 en_retry;
	bool		 en_replaces;	/* a host that is there */
	const char	*en_refusal;	/* static text */
	uint32_t	 en_status;	/* that goes with it, 0: denied */
	/* of the certificate issued */
	char		 en_serial[X509_SERIAL_SIZE];
	int64_t		 en_not_after;
	const struct ca_cert *en_ca;	/* that issued it, or NULL; lent */
	char		*en_ca_pem;	/* what its agent is to trust */
	/* set by redeem_register(): the host as it is on disk now */
	char		*en_labels[HOST_LABELS_MAX];	/* owned */
	size_t		 en_nlabels;
	char		 en_old_serial[X509_SERIAL_SIZE]; /* revoked; or "" */
};

/*
 * For store_update(), arg is a struct enroll.  Of several at the same time
 * exactly as many get past as the token has uses left.  -1 with en_refusal
 * when it is the token's fault.
 */
int	 redeem_consume(struct store_txn *, void *);
/* The host, its use of the token and the revocation of what was issued
 * before become true together. */
int	 redeem_register(struct store_txn *, void *);
/* The first contact of a host's new identity: its use cannot be repeated any
 * more.  serial: its certificate's. */
void	 redeem_seen(struct host *, const char *serial);
/*
 * The first contact of a machine that replaces a host's old one: from now on
 * the old certificate is revoked, and everything that runs under it ends.
 * False: it is not that, or the database failed.
 */
bool	 redeem_takes_over(const struct host *, const char *serial);
int	 redeem_take_over(struct host *, const Sentinel__Ipc__AgentOpen *);

#endif /* ENGINE_ENROLL_H */
