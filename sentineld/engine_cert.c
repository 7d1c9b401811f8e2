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

#include "engine_cert.h"

#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "engine_audit.h"
#include "engine_ca.h"
#include "engine_command.h"
#include "engine_identity.h"
#include "grpc.h"
#include "keyholder.h"
#include "log.h"
#include "xmalloc.h"

struct renewal {
	char		 rn_host[HOST_ID_SIZE];
	uint32_t	 rn_call;	/* session that gets it */
	uint64_t	 rn_epoch;
	bool		 rn_pushed;	/* nobody asked */
	struct host_cert rn_cert;	/* point, later all */
};

/* What becomes true by one transaction. */
struct pending {
	struct host	*pe_host;
	struct host_cert *pe_cert;
	bool		 pe_revoke;	/* the pending one before */
};

struct activation {
	struct host	*ac_host;
	const struct host_cert *ac_cert;
	bool		 ac_pending;	/* it was the pending one */
};

static void	 renew(struct session *, const uint8_t *, bool);
static struct session *renewal_session(const struct renewal *,
		    struct host *);
static void	 on_issued(void *, enum req_end, struct imsg *);
static int	 read_issued(struct renewal *, struct imsg *);
static bool	 make_pending(struct host *, struct host_cert *, bool);
static int	 put_pending(struct store_txn *, void *);
static void	 send_pending(struct session *, bool);
static void	 on_sent(void *, enum command_end, const char *);
static void	 activate(struct host *, struct host_cert *, bool);
static int	 put_activation(struct store_txn *, void *);
static void	 close_serial(struct host *, const char *);
static bool	 push_is_due(struct host *, int64_t);
static void	 push(struct session *);
static void	 push_later(struct host *);
static uint64_t	 pace_msec(void);

/* --- asked for ---------------------------------------------------------- */

void
cert_renew_ask(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	struct session	*s;
	const uint8_t	*point;
	size_t		 len;

	if (ibuf_get_bytes(buf, ECKEY_POINT_LEN, &point, &len) == -1 ||
	    ibuf_end(buf) == -1 || len != ECKEY_POINT_LEN) {
		peer_broken(p, imsg, "bad AGENT_RENEW");
		return;
	}
	if ((s = session_find(imsg_get_id(imsg))) == NULL || s->se_closing)
		return;
	if (!s->se_channel) {
		peer_broken(p, imsg, "renewal on a ReportState call");
		return;
	}
	s->se_heard = monotime_now();
	renew(s, point, false);
}

/* A life of seconds, as in tests, has renewals every few of them. */
static uint64_t
pace_msec(void)
{
	uint64_t	 msec = eng->conf.ec_agent_life_sec * 1000 / 20;

	return (msec < CERT_MIN_MSEC ? msec + 1 : CERT_MIN_MSEC);
}

/*
 * Whoever asks again with the key of the pending certificate gets that one
 * once more, unless it is due itself: nothing is issued, nothing revoked.
 */
static void
renew(struct session *s, const uint8_t *point, bool pushed)
{
	struct host	*h = s->se_host;
	struct renewal	*rn;
	struct ibuf	*buf;

	if (h->h_renewing || !rate_take(&h->h_renew_rate, CERT_BURST,
	    (unsigned int)pace_msec())) {
		if (host_may_log(h))
			log_warnx("host %s (%s): renewal refused: %s", h->h_id,
			    h->h_name, h->h_renewing ? "the one before is "
			    "under way" : "too many");
		return;
	}
	if (h->h_pending.hc_serial[0] != '\0' && memcmp(point,
	    h->h_pending.hc_point, ECKEY_POINT_LEN) == 0 &&
	    !ca_is_replaced(h->h_pending.hc_der, h->h_pending.hc_len) &&
	    time(NULL) <
	    identity_due(h->h_pending.hc_not_before,
	    h->h_pending.hc_not_after)) {
		send_pending(s, pushed);
		return;
	}
	rn = xcalloc(1, sizeof(*rn));
	(void)strlcpy(rn->rn_host, h->h_id, sizeof(rn->rn_host));
	rn->rn_call = s->se_call;
	rn->rn_epoch = s->se_epoch;
	rn->rn_pushed = pushed;
	memcpy(rn->rn_cert.hc_point, point, ECKEY_POINT_LEN);
	if ((buf = ibuf_dynamic(128, 200)) == NULL ||
	    ibuf_add_n8(buf, KEY_PROFILE_AGENT) == -1 ||
	    ibuf_add_string(buf, h->h_id) == -1 ||
	    ibuf_add_bytes(buf, point, ECKEY_POINT_LEN) == -1 ||
	    ibuf_add_n32(buf, eng->conf.ec_agent_life_sec) == -1)
		fatal("KEY_ISSUE");
	if (engine_ask_key(IMSG_KEY_ISSUE, buf, on_issued, rn) == 0) {
		h->h_renewing = true;
		return;
	}
	free(rn);
	if (host_may_log(h))
		log_warnx("host %s (%s): renewal: the keyholder is busy",
		    h->h_id, h->h_name);
}

/* The one that asked; NULL: it ended, was replaced, or its host has gone. */
static struct session *
renewal_session(const struct renewal *rn, struct host *h)
{
	struct session	*s = session_find(rn->rn_call);

	if (h == NULL || h->h_state == HOST_DECOMMISSIONED || s == NULL ||
	    s->se_epoch != rn->rn_epoch || s->se_closing)
		return (NULL);
	return (s);
}

static void
on_issued(void *arg, enum req_end end, struct imsg *imsg)
{
	struct renewal	*rn = arg;
	struct host	*h = host_find(rn->rn_host);
	struct session	*s = renewal_session(rn, h);

	if (h != NULL)
		h->h_renewing = false;
	if (end != REQ_ANSWER || imsg_get_type(imsg) != IMSG_KEY_ISSUED ||
	    read_issued(rn, imsg) == -1) {
		if (h != NULL && host_may_log(h))
			log_warnx("host %s (%s): renewal failed: no "
			    "certificate from the keyholder", h->h_id,
			    h->h_name);
		if (s != NULL && rn->rn_pushed)
			push_later(h);
	} else if (s != NULL && make_pending(h, &rn->rn_cert,
	    !rn->rn_pushed))
		send_pending(s, rn->rn_pushed);
	/* Without a session it never leaves: as if it had not been made. */
	free(rn->rn_cert.hc_der);
	free(rn);
}

/* u8 rc, bytes serial, u64 notbefore, u64 notafter, bytes DER, str why */
static int
read_issued(struct renewal *rn, struct imsg *imsg)
{
	struct host_cert	*hc = &rn->rn_cert;
	struct ibuf		*buf = imsg_get_ibuf(imsg);
	const uint8_t		*serial, *der;
	char			 why[256];
	uint64_t		 not_before, not_after;
	size_t			 len;
	uint8_t			 rc;

	if (ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_bytes(buf, KEY_SERIAL_MAXBYTES, &serial, &len) == -1 ||
	    ibuf_get_n64(buf, &not_before) == -1 ||
	    ibuf_get_n64(buf, &not_after) == -1 ||
	    ibuf_get_bytes(buf, KEY_CERT_MAXBYTES, &der, &hc->hc_len) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1)
		fatalx("keyholder: bad KEY_ISSUED");
	if (rc != KEY_RC_OK) {
		log_warnx("renewal: host %s: keyholder: %s", rn->rn_host, why);
		return (-1);
	}
	if (x509_serial_text(serial, len, hc->hc_serial) == -1)
		fatalx("keyholder: bad serial");
	hc->hc_not_before = (int64_t)not_before;
	hc->hc_not_after = (int64_t)not_after;
	hc->hc_der = xmemdup(der, hc->hc_len);
	return (0);
}

/* --- pending ------------------------------------------------------------ */

int
cert_revoke(struct store_txn *txn, const struct host *h, const char *serial,
    int64_t not_after, const char *reason)
{
	Sentinel__Store__Revoked	 rv;

	if (serial[0] == '\0')
		return (0);
	sentinel__store__revoked__init(&rv);
	rv.revoked_at = time(NULL);
	rv.not_after = not_after;
	/* protobuf-c has no const strings; nothing writes through these. */
	rv.host_id = (char *)(uintptr_t)h->h_id;
	rv.reason = (char *)(uintptr_t)reason;
	return (db_revoked_put(txn, serial, &rv));
}

int
cert_put_pending(struct store_txn *txn, const struct host *h,
    const struct host_cert *hc, bool revoke, Sentinel__Store__Host *rec)
{
	if (revoke && cert_revoke(txn, h, h->h_pending.hc_serial,
	    h->h_pending.hc_not_after, "replaced before it was used") == -1)
		return (-1);
	rec->pending_cert.data = hc->hc_der;
	rec->pending_cert.len = hc->hc_len;
	return (0);
}

void
cert_set_pending(struct host *h, struct host_cert *hc)
{
	free(h->h_pending.hc_der);
	h->h_pending = *hc;
	hc->hc_der = NULL;
	h->h_push_at = 0;
}

static int
put_pending(struct store_txn *txn, void *arg)
{
	Sentinel__Store__Host	 rec;
	struct pending		*pe = arg;

	host_record(pe->pe_host, &rec);
	if (cert_put_pending(txn, pe->pe_host, pe->pe_cert, pe->pe_revoke,
	    &rec) == -1)
		return (-1);
	return (db_host_put(txn, &rec));
}

/*
 * On disk before it is sent.  A pushed one takes the place of the certificate
 * that its agent has on disk, which has no other: the one pushed before may be
 * there and is not revoked.
 */
static bool
make_pending(struct host *h, struct host_cert *hc, bool revoke)
{
	struct pending	 pe = { h, hc, revoke };

	if (store_update(eng->store, put_pending, &pe) == -1) {
		if (host_may_log(h))
			log_warn("host %s (%s): renewal: not recorded",
			    h->h_id, h->h_name);
		return (false);
	}
	cert_set_pending(h, hc);
	audit_provoked(h, revoke ? audit_agent(h) : AUDIT_SELF, "cert.renew",
	    audit_host(h), AUDIT_OK, "serial %s", h->h_pending.hc_serial);
	return (true);
}

void
cert_load(struct host *h, const ProtobufCBinaryData *der)
{
	struct host_cert	*hc = &h->h_pending;
	struct x509_facts	 xf;

	if (der->len == 0)
		return;
	if (x509_facts_der(der->data, der->len, &xf) == -1) {
		log_warnx("host %s: its pending certificate is broken and "
		    "left out", h->h_id);
		return;
	}
	(void)strlcpy(hc->hc_serial, xf.xf_serial, sizeof(hc->hc_serial));
	hc->hc_not_before = xf.xf_notbefore;
	hc->hc_not_after = xf.xf_notafter;
	memcpy(hc->hc_point, xf.xf_point, ECKEY_POINT_LEN);
	hc->hc_der = xmemdup(der->data, der->len);
	hc->hc_len = der->len;
}

static void
send_pending(struct session *s, bool pushed)
{
	Sentinel__Cluster__ServerMessage	 m;
	Sentinel__Cluster__CertRenewalResponse	 resp;
	struct host				*h = s->se_host;
	char					 id[REQUEST_ID_SIZE] = "";
	char					*pem;

	pem = engine_pem(h->h_pending.hc_der, h->h_pending.hc_len);
	sentinel__cluster__cert_renewal_response__init(&resp);
	resp.agent_cert.data = (uint8_t *)pem;
	resp.agent_cert.len = strlen(pem);
	sentinel__cluster__server_message__init(&m);
	/* The server in Go sends it without an id. */
	if (s->se_signed)
		command_new_id(id);
	m.request_id = id;
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_CERT_RENEWAL_RESPONSE;
	m.cert_renewal_response = &resp;
	if (host_may_log(h))
		log_info("host %s (%s): certificate %s, serial %s", h->h_id,
		    h->h_name, pushed ? "sent unasked" : "renewed",
		    h->h_pending.hc_serial);
	if (s->se_renew)
		s->se_until = monotime_now() + CERT_LEAVE_MSEC;
	h->h_push_at = 0;
	command_push(s, &m, on_sent, xstrdup(h->h_id));
	free(pem);
}

/* Takes the id.  What did not leave is asked for again, or pushed again. */
static void
on_sent(void *arg, enum command_end end, const char *why)
{
	struct host	*h = host_find(arg);

	free(arg);
	if (h == NULL || end == COMMAND_QUEUED)
		return;
	if (host_may_log(h))
		log_warnx("host %s (%s): its new certificate was not sent: %s",
		    h->h_id, h->h_name, why);
	push_later(h);
}

/* --- used --------------------------------------------------------------- */

void
cert_seen(struct host *h, const Sentinel__Ipc__AgentOpen *open)
{
	struct host_cert	 hc = { .hc_serial = "" };

	if (strcmp(open->serial, h->h_serial) == 0) {
		if (open->not_before != 0 &&
		    h->h_not_before != open->not_before) {
			h->h_not_before = open->not_before;
			h->h_dirty = true;
		}
		return;
	}
	if (strcmp(open->serial, h->h_pending.hc_serial) == 0) {
		activate(h, &h->h_pending, true);
		return;
	}
	/*
	 * One of ours that is not in the record: pushed before the pending one
	 * and used after all, or the database comes from an older copy.  The
	 * younger one counts.
	 */
	if (h->h_serial[0] == '\0' || open->not_after <= h->h_not_after)
		return;
	(void)strlcpy(hc.hc_serial, open->serial, sizeof(hc.hc_serial));
	hc.hc_not_before = open->not_before;
	hc.hc_not_after = open->not_after;
	memcpy(hc.hc_point, open->point.data, ECKEY_POINT_LEN);
	activate(h, &hc, false);
}

static int
put_activation(struct store_txn *txn, void *arg)
{
	Sentinel__Store__Host	 rec;
	struct activation	*ac = arg;
	const struct host_cert	*hc = ac->ac_cert;
	const struct ca_cert	*cc;

	host_record(ac->ac_host, &rec);
	rec.cert_serial = (char *)(uintptr_t)hc->hc_serial;
	rec.cert_not_before = hc->hc_not_before;
	rec.cert_not_after = hc->hc_not_after;
	rec.point.data = (uint8_t *)(uintptr_t)hc->hc_point;
	if ((cc = ca_issuer(hc->hc_der, hc->hc_len)) != NULL) {
		rec.ca_serial = rec.cert_serial;
		rec.ca_pin.data = (uint8_t *)(uintptr_t)cc->cc_pin;
		rec.ca_pin.len = sizeof(cc->cc_pin);
	}
	if (ac->ac_pending) {
		rec.pending_cert.data = NULL;
		rec.pending_cert.len = 0;
	}
	if (cert_revoke(txn, ac->ac_host, ac->ac_host->h_serial,
	    ac->ac_host->h_not_after, "replaced by a newer certificate") ==
	    -1)
		return (-1);
	return (db_host_put(txn, &rec));
}

/* A transaction that fails leaves both valid, and comes again. */
static void
activate(struct host *h, struct host_cert *hc, bool pending)
{
	struct activation	 ac = { h, hc, pending };
	char			 old[X509_SERIAL_SIZE];

	if (store_update(eng->store, put_activation, &ac) == -1) {
		if (host_may_log(h))
			log_warn("host %s (%s): first use of serial %s is not "
			    "recorded", h->h_id, h->h_name, hc->hc_serial);
		return;
	}
	(void)strlcpy(old, h->h_serial, sizeof(old));
	(void)strlcpy(h->h_serial, hc->hc_serial, sizeof(h->h_serial));
	h->h_not_before = hc->hc_not_before;
	h->h_not_after = hc->hc_not_after;
	memcpy(h->h_point, hc->hc_point, ECKEY_POINT_LEN);
	h->h_push_at = 0;
	ca_issued(h, hc->hc_serial, hc->hc_der, hc->hc_len);
	if (pending) {
		free(h->h_pending.hc_der);
		memset(&h->h_pending, 0, sizeof(h->h_pending));
	}
	if (host_may_log(h))
		log_info("host %s (%s): uses serial %s%s%s%s", h->h_id,
		    h->h_name, h->h_serial, old[0] != '\0' ? "; " : "", old,
		    old[0] != '\0' ? " is revoked" : "");
	audit_provoked(h, audit_agent(h), "cert.use", audit_host(h), AUDIT_OK,
	    "serial %s, before %s", h->h_serial, old);
	if (old[0] != '\0')
		close_serial(h, old);
}

/* Whoever still speaks with it is told as at the door. */
static void
close_serial(struct host *h, const char *serial)
{
	struct session	*s, *next;

	RB_FOREACH_SAFE(s, session_tree, &eng->sessions, next) {
		if (s->se_host == h && s->se_channel &&
		    strcmp(s->se_serial, serial) == 0)
			session_close(s, GRPC_PERMISSION_DENIED, "cert",
			    GATE_TEXT_REVOKED);
	}
}

/* --- unasked ------------------------------------------------------------ */

bool
cert_can_ask(const struct host *h)
{
	static const char *const	 go[] = { "update", "hooks", "pull",
					    "list", "logs" };
	size_t				 i, j;

	for (i = 0; i < h->h_nfeatures; i++) {
		for (j = 0; j < nitems(go); j++) {
			if (strcmp(h->h_features[i], go[j]) == 0)
				break;
		}
		if (j == nitems(go))
			return (true);
	}
	return (false);
}

int64_t
cert_due(const struct host *h)
{
	return (h->h_not_before == 0 ? 0 :
	    identity_due(h->h_not_before, h->h_not_after));
}

static void
push_later(struct host *h)
{
	h->h_push_at = time(NULL) + 1 + (int64_t)(pace_msec() / 1000);
}

/*
 * The youngest that it may have decides; one that came back with the current
 * one although another is pending has not got that.
 */
static bool
push_is_due(struct host *h, int64_t now)
{
	const struct host_cert	*hc = &h->h_pending;
	int64_t			 life;

	if (h->h_session == NULL || h->h_renewing || h->h_local ||
	    h->h_state == HOST_DECOMMISSIONED)
		return (false);
	/* Whoever can ask does so when it is time; this is before that. */
	if (ca_wants_cert(h))
		return (true);
	if (cert_due(h) == 0)
		return (false);
	if (h->h_push_at == 0) {
		h->h_push_at = hc->hc_serial[0] == '\0' ? cert_due(h) :
		    identity_due(hc->hc_not_before, hc->hc_not_after);
		life = hc->hc_serial[0] == '\0' ?
		    h->h_not_after - h->h_not_before :
		    hc->hc_not_after - hc->hc_not_before;
		h->h_push_at += arc4random_uniform((uint32_t)(life / 30 <
		    86400 ? life / 30 : 86400) + 1);
	}
	return (now >= h->h_push_at && !cert_can_ask(h));
}

static void
push(struct session *s)
{
	/* If nothing comes of it; what is pending sets another time. */
	push_later(s->se_host);
	renew(s, s->se_host->h_point, true);
}

void
cert_channel(struct session *s)
{
	struct host	*h = s->se_host;

	if (s->se_renew) {
		s->se_until = monotime_now() + CERT_RENEW_MSEC;
		if (!cert_can_ask(h))
			push(s);
	} else if (h->h_pending.hc_serial[0] != '\0')
		/* Its first heartbeat says whether it can ask. */
		h->h_push_at = time(NULL) + 1;
}

/*
 * A certificate is looked at when a call begins; one that expires later ends
 * the call, so that nobody stays for ever with one that opens no door.
 */
void
cert_tick(int64_t now)
{
	struct session	*s, *next;
	struct host	*h;
	monotime_t	 mono = monotime_now();
	unsigned int	 n = 0;

	RB_FOREACH(h, host_tree, &eng->hosts) {
		if (n < CERT_PUSH_MAX && push_is_due(h, now)) {
			push(h->h_session);
			n++;
		}
	}
	RB_FOREACH_SAFE(s, session_tree, &eng->sessions, next) {
		if (!s->se_channel || s->se_closing)
			continue;
		if (s->se_renew && mono >= s->se_until)
			session_close(s, GRPC_PERMISSION_DENIED, "cert",
			    "certificate has expired: it may only be renewed; "
			    "connect again");
		else if (!s->se_renew && now > s->se_not_after)
			session_close(s, GRPC_PERMISSION_DENIED, "cert",
			    "certificate has expired meanwhile: connect "
			    "again");
	}
}
