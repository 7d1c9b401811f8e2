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

#ifndef ENGINE_AUDIT_H
#define ENGINE_AUDIT_H

#include "compat.h"

#include "store.h"

/*
 * The audit trail: who did what to trust, and how it ended.  One record per
 * act of an operator and per event of trust (tokens, enrolment, certificates,
 * life of hosts, settings, policy, CA).  Records are chained by hashes (db.h)
 * and kept for a year, at most AUDIT_KEEP of them.
 *
 *	actor	 "uid 0", "address 192.0.2.1", "host NAME", "signal HUP",
 *		 AUDIT_SELF
 *	action	 "token.create": thing, dot, verb; [a-z.-]
 *	subject	 "token 0123abcd", "host NAME (ID)", "setting KEY"
 *	text	 one line; what is not printable in it is escaped
 *
 * Never a secret, and nothing of a token but its record id, that only when
 * its MAC was right.
 *
 * A change that is a transaction carries its record in it, so that there is
 * neither the one without the other, also after kill -9:
 *
 *	struct audit	 au;
 *
 *	audit_set(&au, by, "host.pause", subject, AUDIT_OK, "");
 *	...store_update(): in the function: db_host_put(), audit_put(txn, &au)
 *
 * An act that changes nothing (paused twice) leaves no record.
 */
#define AUDIT_KEEP		100000		/* records */
#define AUDIT_KEEP_SEC		(365 * 86400)
#define AUDIT_SELF		"sentineld"
/*
 * What others can provoke, in all: so little that in a year half of
 * AUDIT_KEEP is left for operators, whatever strangers do.
 */
#define AUDIT_PROVOKED_BURST	500
#define AUDIT_PROVOKED_MSEC	(30 * 60 * 1000)
#define AUDIT_HOST_BURST	5		/* of one host */
#define AUDIT_HOST_MSEC		(60 * 60 * 1000)

#define AUDIT_OK		"ok"
#define AUDIT_REFUSED		"refused"
#define AUDIT_FAILED		"failed"

struct host;

/* A record to be.  Filled by audit_set() only. */
struct audit {
	char	 au_actor[320];
	char	 au_action[64];
	char	 au_subject[512];
	char	 au_outcome[16];
	char	 au_text[1024];
};

void	 audit_set(struct audit *, const char *actor, const char *action,
	    const char *subject, const char *outcome, const char *, ...)
	    __printflike_(6, 7);
/* "host NAME (ID)", for subjects; in a buffer that the next call reuses. */
const char *audit_host(const struct host *);
/* "host NAME", for actors; likewise. */
const char *audit_agent(const struct host *);
/* In the caller's transaction.  0, or -1: let the transaction fail. */
int	 audit_put(struct store_txn *, const struct audit *);
/*
 * In a transaction of its own, so not inside one.  0, or -1 (logged) when it
 * could not be written.
 */
int	 audit_write(const char *actor, const char *action,
	    const char *subject, const char *outcome, const char *, ...)
	    __printflike_(5, 6);
/*
 * The same for what a peer can provoke at will, which has a rate: what is
 * over it is counted, and the next record of its kind tells how many were
 * left out.  h: whose certificate it showed, NULL: a stranger.
 */
void	 audit_provoked(struct host *h, const char *actor, const char *action,
	    const char *subject, const char *outcome, const char *, ...)
	    __printflike_(6, 7);
/*
 * The same question for a record that a transaction carries: false when it is
 * over the rate, and counted.
 */
bool	 audit_may_provoke(struct host *);
/* One of a stranger, or of a host, that gets no record of its own. */
void	 audit_left_out(struct host *);
/* At start; hourly: cuts what is too old or too much; at the end. */
void	 audit_start(void);
void	 audit_sweep(int64_t now);
void	 audit_stop(void);

#endif /* ENGINE_AUDIT_H */
