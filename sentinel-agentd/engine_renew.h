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

#ifndef ENGINE_RENEW_H
#define ENGINE_RENEW_H

#include "compat.h"

#include "engine.h"

/*
 * The agent's own certificate: renewed inline on the Channel, over a fresh
 * key, at two thirds of its life.  The engine process; engine_renew.c.
 *
 *	key and CSR (engine_newkey.c) -> CertRenewalCSR -> the answer, checked
 *	-> parent: IDENTITY_STAGE (agent.pem.new beside agent-key.pem.new)
 *	-> a connection with the new pair -> its first StateAck
 *	-> parent: IDENTITY_SETTLE (both renamed) -> keyholder: KEY_DROP
 *
 * Until the rename both pairs are on disk and both keys in the keyholder; a
 * new pair that the server refuses is given up for the old one.  A
 * certificate that the server sends unasked over the key in use takes the
 * same way without a key.
 */
#define RENEW_WAIT_MSEC		(10 * 60 * 1000) /* for commands to end */
#define RENEW_TRIES		3	/* before the other pair has a turn */
#define RENEW_PUSH_MSEC		60000	/* between two that nobody asked for */
/* In StateAck.message: this session is for a renewal and nothing else. */
#define RENEW_ONLY		"may only be renewed"

/*
 * When to ask for a successor: two thirds of the life from its issue on, plus
 * jitter of 0 to 1/30 of the life (random, of 2^32).  Unix milliseconds.
 * Certificates are back-dated by min(1 h, life / 10); pure.
 */
int64_t	 renew_due(const struct x509_facts *, uint32_t random);
/* The life as it was issued, in seconds; pure. */
int64_t	 renew_life(const struct x509_facts *);
/*
 * Whether to warn that there is no successor yet: from half of the last third
 * on, each time that half of what was left is over, and once at the end.
 * Pure.
 *	left	seconds
 *	warned	0 at first; what was left then
 */
bool	 renew_is_late(const struct x509_facts *, int64_t left,
	    int64_t *warned);
/*
 * Is this the certificate that was asked for, or one over the key in use?
 * Returns NULL, or why not (in why).  Pure.
 *	after	must be valid longer than this (unix seconds)
 */
const char *renew_fault(const struct identity *, const uint8_t *cert,
	    size_t len, const uint8_t point[ECKEY_POINT_LEN], int64_t after,
	    time_t now, char *why, size_t whylen);

/* agent.pem.new as the parent found it; malloc'd, taken.  Before the start. */
void	 renew_found(uint8_t *cert, size_t len);
/* The keyholder has loaded a second key.  Before the start. */
void	 renew_found_key(const uint8_t point[ECKEY_POINT_LEN]);
/* Which certificate goes with which key; corrects eng->id.  Once, when the
 * keys are known, before eng->id is checked. */
void	 renew_settle(void);
/* eng->id is new or checked: timers begin. */
void	 renew_begin(void);
/* Everything about the pair in use ends with it (a new enrolment). */
void	 renew_forget(void);

/* --- for engine_session.c ------------------------------------------------ */
/* The certificate that the next connection shows; lent. */
void	 renew_pair(const uint8_t **cert, size_t *len);
/* The server has taken the report of a session with that pair. */
void	 renew_acked(const Sentinel__Cluster__StateAck *);
/*
 * An attempt or a session has ended.  True: there is another pair to be
 * tried, so the server has not refused this host.
 *	refused	it said so, or would not speak TLS with our certificate
 *	proven	it had proven itself, and saw our certificate
 */
bool	 renew_down(const Sentinel__Ipc__UplinkDown *, bool refused,
	    bool proven);

/* A CertRenewalResponse; refuse as in dispatch(). */
void	 renew_answer(const Sentinel__Cluster__CertRenewalResponse *,
	    const char *refuse);

/* Rows of the handler table. */
void	 renew_staged(struct peer *, struct imsg *);
void	 renew_settled(struct peer *, struct imsg *);

/* --- engine_renew_parent.c, for engine_renew.c --------------------------- */
#define RENEW_WHY_SIZE	256
void	 renew_tell_stage(const uint8_t *cert, size_t len, bool is_fresh);
void	 renew_tell_settle(bool keep);
/* An answer that is owed; false: it is not, and the parent is broken. */
bool	 renew_heard(struct peer *, struct imsg *, unsigned int *owed,
	    uint8_t *rc, char why[RENEW_WHY_SIZE]);

#endif /* ENGINE_RENEW_H */
