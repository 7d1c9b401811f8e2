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

#ifndef ENGINE_CERT_H
#define ENGINE_CERT_H

#include "engine.h"

/*
 * Certificates of hosts after enrolment.  A host has a current one and at most
 * one that is pending: issued for a CSR of its agent or, for an agent that
 * cannot ask, over its known key, and sent on the Channel.  Both open the
 * door.  When the pending one is first used it becomes the current one and the
 * one before is revoked, by one transaction: at every moment, also after
 * kill -9 of either side, the host has a certificate that lets it in.
 */
#define CERT_BURST	16	/* renewals of a host, then one per: */
#define CERT_MIN_MSEC	60000	/* or a 20th of the life if that is less */
#define CERT_RETRY_SEC	60	/* of a push that failed; as above */
#define CERT_PUSH_MAX	32	/* pushes begun per tick */
#define CERT_RENEW_MSEC	30000	/* an expired one has, to renew */
#define CERT_LEAVE_MSEC	5000	/* and then to go */

/* AGENT_RENEW: a CertRenewalCSR, parsed and proven. */
void	 cert_renew_ask(struct peer *, struct imsg *);
/*
 * A call with a certificate that passed the gate: the first use of a pending
 * one, or one that the database does not know any more.
 */
void	 cert_seen(struct host *, const Sentinel__Ipc__AgentOpen *);
/* A Channel is open: an agent that cannot ask may get its certificate. */
void	 cert_channel(struct session *);
/* Once a second: pushes that are due, calls whose certificate has expired. */
void	 cert_tick(int64_t now);

/*
 * For transactions that write a host's record.  The certificate becomes
 * pending: rec, made by host_record(), lends from hc.  revoke: the pending one
 * before goes to the list (it was for another key), else it is left to expire.
 * After the commit cert_set_pending() for memory, which takes hc_der.
 */
int	 cert_put_pending(struct store_txn *, const struct host *,
	    const struct host_cert *, bool revoke, Sentinel__Store__Host *rec);
void	 cert_set_pending(struct host *, struct host_cert *);
/* Onto the list; "" is no serial and no error. */
int	 cert_revoke(struct store_txn *, const struct host *,
	    const char *serial, int64_t not_after, const char *reason);
/* From the database: DER or empty. */
void	 cert_load(struct host *, const ProtobufCBinaryData *);

/* Our words are none of the five that the agent in Go says. */
bool	 cert_can_ask(const struct host *);
/* When the current one is due, 0 when its begin is not known yet. */
int64_t	 cert_due(const struct host *);

#endif /* ENGINE_CERT_H */
