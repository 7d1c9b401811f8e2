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

#include "engine_client.h"

#include <string.h>

#include "engine_cert.h"
#include "engine_identity.h"
#include "keyholder.h"

/* cert list: our own, then those of hosts, then what was revoked. */
struct piece {
	struct client	*pi_client;
	size_t		 pi_seen;	/* revoked ones walked over */
	size_t		 pi_sent;	/* bytes */
	bool		 pi_full;
};

static char	empty[1];

static size_t	 send_cert(struct client *, Sentinel__Ipc__CertView *);
static size_t	 send_own(struct client *, uint8_t, const char *,
		    const char *);
static size_t	 send_host(struct client *, const struct host *);
static void	 more_hosts(struct client *);
static void	 more_revoked(struct client *);
static int	 walk_revoked(struct store_txn *, void *);
static bool	 send_revoked(const char *, const Sentinel__Store__Revoked *,
		    void *);
static const char *state_of(int64_t);

static size_t
send_cert(struct client *cl, Sentinel__Ipc__CertView *view)
{
	Sentinel__Ipc__ControlItem	 item;

	sentinel__ipc__control_item__init(&item);
	item.item_case = SENTINEL__IPC__CONTROL_ITEM__ITEM_CERT;
	item.cert = view;
	return (client_item(cl, &item));
}

static const char *
state_of(int64_t not_after)
{
	return (not_after != 0 && not_after < time(NULL) ? "expired" :
	    "current");
}

static size_t
send_own(struct client *cl, uint8_t purpose, const char *kind,
    const char *subject)
{
	const struct identity_cert	*ic = identity_cert(purpose);
	Sentinel__Ipc__CertView		 v;

	if (ic->ic_serial[0] == '\0')
		return (0);
	sentinel__ipc__cert_view__init(&v);
	/* protobuf-c has no const strings; nothing writes through these. */
	v.kind = (char *)(uintptr_t)kind;
	v.subject = (char *)(uintptr_t)subject;
	v.serial = (char *)(uintptr_t)ic->ic_serial;
	v.not_before = ic->ic_not_before;
	v.not_after = ic->ic_not_after;
	v.renew_at = ic->ic_renew_at;
	v.state = (char *)(uintptr_t)state_of(ic->ic_not_after);
	return (send_cert(cl, &v));
}

void
client_cert_list(struct client *cl, const Sentinel__Ipc__ControlRequest *req)
{
	struct x509_facts	 xf;

	(void)req;
	if (eng->ca_der != NULL && x509_facts_der(eng->ca_der, eng->ca_derlen,
	    &xf) == 0)
		(void)send_own(cl, KEY_PURPOSE_CA, "ca", xf.xf_cn);
	(void)send_own(cl, KEY_PURPOSE_SERVER_TLS, "server", X509_SERVER_CN);
	(void)send_own(cl, KEY_PURPOSE_COMMAND, "command", X509_COMMAND_CN);
	cl->cl_at[0] = '\0';
	cl->cl_skip = 0;
	more_hosts(cl);
}

/* The current one, and the pending one if there is one. */
static size_t
send_host(struct client *cl, const struct host *h)
{
	const struct host_cert	*hc = &h->h_pending;
	Sentinel__Ipc__CertView	 v;
	static char		 kind[] = "agent", pending[] = "pending";
	size_t			 sent;

	sentinel__ipc__cert_view__init(&v);
	v.kind = kind;
	v.subject = v.host_id = (char *)(uintptr_t)h->h_id;
	v.host_name = (char *)(uintptr_t)h->h_name;
	v.serial = (char *)(uintptr_t)h->h_serial;
	v.not_before = h->h_not_before;
	v.not_after = h->h_not_after;
	v.renew_at = cert_due(h);
	v.state = (char *)(uintptr_t)state_of(h->h_not_after);
	sent = send_cert(cl, &v);
	if (hc->hc_serial[0] == '\0')
		return (sent);
	v.serial = (char *)(uintptr_t)hc->hc_serial;
	v.not_before = hc->hc_not_before;
	v.not_after = hc->hc_not_after;
	v.renew_at = identity_due(hc->hc_not_before, hc->hc_not_after);
	v.state = pending;
	return (sent + send_cert(cl, &v));
}

/* From cl_at on. */
static void
more_hosts(struct client *cl)
{
	struct host	*h;
	size_t		 sent = 0;

	for (h = client_host_at(cl->cl_at); h != NULL;
	    h = RB_NEXT(host_tree, &eng->hosts, h)) {
		/* A tombstone's are among the revoked ones. */
		if (h->h_state == HOST_DECOMMISSIONED || h->h_local)
			continue;
		if (client_is_full(sent)) {
			(void)strlcpy(cl->cl_at, h->h_id, sizeof(cl->cl_at));
			client_later(cl, more_hosts);
			return;
		}
		sent += send_host(cl, h);
	}
	more_revoked(cl);
}

/* From the cl_skip-th on; one that is added meanwhile may shift them by one. */
static void
more_revoked(struct client *cl)
{
	struct piece	 pi = { .pi_client = cl };

	if (store_view(eng->store, walk_revoked, &pi) == -1)
		client_end(cl, CONTROL_FAILED, "the database cannot be read");
	else if (pi.pi_full)
		client_later(cl, more_revoked);
	else
		client_end_noerror(cl);
}

static int
walk_revoked(struct store_txn *txn, void *arg)
{
	return (db_revoked_walk(txn, send_revoked, arg) == -1 ? -1 : 0);
}

static bool
send_revoked(const char *serial, const Sentinel__Store__Revoked *r, void *arg)
{
	struct piece		*pi = arg;
	struct host		*h = host_find(r->host_id);
	static char		 kind[] = "agent", state[] = "revoked";
	Sentinel__Ipc__CertView	 v;

	if (pi->pi_seen++ < pi->pi_client->cl_skip)
		return (true);
	if (client_is_full(pi->pi_sent)) {
		pi->pi_full = true;
		return (false);
	}
	sentinel__ipc__cert_view__init(&v);
	v.kind = kind;
	v.subject = v.host_id = r->host_id;
	v.host_name = h != NULL ? h->h_name : empty;
	v.serial = (char *)(uintptr_t)serial;
	v.not_after = r->not_after;
	v.state = state;
	v.revoked_at = r->revoked_at;
	v.reason = r->reason;
	pi->pi_sent += send_cert(pi->pi_client, &v);
	pi->pi_client->cl_skip++;
	return (true);
}
