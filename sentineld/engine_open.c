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

#include "engine_session.h"

#include <stdio.h>
#include <string.h>

#include "db.h"
#include "engine_audit.h"
#include "engine_cert.h"
#include "engine_clone.h"
#include "engine_enroll.h"
#include "engine_follow.h"
#include "grpc.h"
#include "ipccheck.h"
#include "engine_sync.h"
#include "log.h"

/*
 * The beginning of every call of an agent: who it is, whether it may come in,
 * and as what.
 */
static int	 check_revoked(struct store_txn *, void *);
static void	 open_report(struct host *, const Sentinel__Ipc__AgentOpen *,
		    uint32_t);
static void	 open_channel(struct host *, const Sentinel__Ipc__AgentOpen *,
		    uint32_t);
static void	 open_renewal(struct host *, const Sentinel__Ipc__AgentOpen *,
		    uint32_t, const char *);
static void	 open_follow(struct host *, const Sentinel__Ipc__AgentOpen *,
		    uint32_t, const struct gate_answer *);
static void	 contact(struct host *, const Sentinel__Ipc__AgentOpen *,
		    struct gate_answer *);
static void	 refuse(struct host *, const Sentinel__Ipc__AgentOpen *,
		    uint32_t, const struct gate_answer *);
static void	 show_refusal(struct host *, const Sentinel__Ipc__AgentOpen *,
		    const struct gate_answer *);

struct revoked_query {
	const char	*serial;
	int		 has;
};

static int
check_revoked(struct store_txn *txn, void *arg)
{
	struct revoked_query	*q = arg;

	q->has = db_revoked_has(txn, q->serial);
	return (q->has == -1 ? -1 : 0);
}

/* An agent calls ReportState, Channel or FollowLogs. */
void
session_open(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__AgentOpen	*open;
	struct revoked_query		 q;
	struct gate_answer		 ga;
	struct pbmem			 pm;
	struct host			*h;
	uint32_t			 call = imsg_get_id(imsg);

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	open = ipc_unpack(imsg, &sentinel__ipc__agent_open__descriptor, &pm);
	if (open == NULL || session_find(call) != NULL) {
		peer_broken(p, imsg, open == NULL ? pm.pm_why : "call twice");
		goto out;
	}
	if (open->kind == SENTINEL__IPC__AGENT_OPEN__KIND__REPORT ?
	    open->report == NULL :
	    open->kind != SENTINEL__IPC__AGENT_OPEN__KIND__CHANNEL &&
	    open->kind != SENTINEL__IPC__AGENT_OPEN__KIND__FOLLOW) {
		peer_broken(p, imsg, "kind of call, or no report");
		goto out;
	}
	h = host_find(open->host_id);
	q.serial = open->serial;
	if (store_view(eng->store, check_revoked, &q) == -1)
		q.has = -1;
	peer_gate(open, h, q.has, time(NULL),
	    (int64_t)eng->conf.ec_grace_sec, &ga);
	if (open->kind == SENTINEL__IPC__AGENT_OPEN__KIND__FOLLOW) {
		open_follow(h, open, call, &ga);
		goto out;
	}
	if (ga.ga_status == GRPC_OK && !session_has_room(h)) {
		ga.ga_verdict = GATE_BUSY;
		ga.ga_status = GRPC_RESOURCE_EXHAUSTED;
		(void)strlcpy(ga.ga_text, "too many calls of this host at a "
		    "time", sizeof(ga.ga_text));
	}
	if (ga.ga_status == GRPC_OK)
		contact(h, open, &ga);
	if (ga.ga_status != GRPC_OK) {
		refuse(h, open, call, &ga);
		goto out;
	}
	cert_seen(h, open);
	if (strcmp(h->h_address, open->address) != 0) {
		(void)strlcpy(h->h_address, open->address,
		    sizeof(h->h_address));
		h->h_dirty = true;
	}
	if (ga.ga_verdict == GATE_RENEW)
		open_renewal(h, open, call, ga.ga_text);
	else if (open->kind == SENTINEL__IPC__AGENT_OPEN__KIND__REPORT)
		open_report(h, open, call);
	else
		open_channel(h, open, call);
 out:
	pbmem_free(&pm);
}

/*
 * It may come in.  What that changes is written first: a new machine takes
 * the place of an old one, a token is spent for good, a clone is noticed.
 */
static void
contact(struct host *h, const Sentinel__Ipc__AgentOpen *open,
    struct gate_answer *ga)
{
	const struct session	*old;

	if (redeem_takes_over(h, open->serial) &&
	    redeem_take_over(h, open) == -1) {
		ga->ga_verdict = GATE_BUSY;
		ga->ga_status = GRPC_UNAVAILABLE;
		(void)strlcpy(ga->ga_text, "the server's database failed; try "
		    "again", sizeof(ga->ga_text));
		return;
	}
	redeem_seen(h, open->serial);
	old = h->h_session;
	if (open->kind == SENTINEL__IPC__AGENT_OPEN__KIND__CHANNEL &&
	    ga->ga_verdict == GATE_OK && old != NULL &&
	    clone_switched(h, old, open->address, open->serial,
	    monotime_now()) && host_freeze(h, old->se_address,
	    open->address) == 0) {
		ga->ga_verdict = GATE_FROZEN;
		ga->ga_status = GRPC_PERMISSION_DENIED;
		(void)strlcpy(ga->ga_text, GATE_TEXT_FROZEN,
		    sizeof(ga->ga_text));
	}
}

static void
refuse(struct host *h, const Sentinel__Ipc__AgentOpen *open, uint32_t call,
    const struct gate_answer *ga)
{
	char	 actor[128];

	if (host_may_log(h))
		log_warnx("agent %s from %s refused: %s",
		    open->host_id[0] != '\0' ? open->host_id :
		    "without a name", open->address, ga->ga_text);
	if (ga->ga_verdict != GATE_BUSY) {
		(void)snprintf(actor, sizeof(actor), "address %s",
		    open->address);
		audit_provoked(h, actor, "host.refuse", h != NULL ?
		    audit_host(h) : open->host_id, AUDIT_REFUSED,
		    "%s, serial %s", ga->ga_text, open->serial);
	}
	show_refusal(h, open, ga);
	session_admit(call, ga->ga_status, ga->ga_text);
}

/*
 * What is wrong with the certificate of a host that is away says more than how
 * its last stream ended.  Once: the text tells the time, and agents come back
 * all the while.
 */
static void
show_refusal(struct host *h, const Sentinel__Ipc__AgentOpen *open,
    const struct gate_answer *ga)
{
	if (ga->ga_status != GRPC_PERMISSION_DENIED || h == NULL ||
	    h->h_session != NULL || h->h_state == HOST_DECOMMISSIONED ||
	    h->h_frozen[0] != '\0' || strcmp(h->h_serial, open->serial) != 0 ||
	    strcmp(h->h_disconnect_cat, "cert") == 0)
		return;
	h->h_disconnect_at = time(NULL);
	engine_setstr(&h->h_disconnect_cat, "cert");
	engine_setstr(&h->h_disconnect_err, ga->ga_text);
	h->h_dirty = true;
	if (host_may_log(h))
		log_info("host %s (%s): disconnected: cert: %s", h->h_id,
		    h->h_name, ga->ga_text);
	event_publish("cluster_host", h, NULL, "agent %s refused: %s",
	    h->h_id, ga->ga_text);
}

/* The list follows item by item; the answer comes after AGENT_LIST_END. */
static void
open_report(struct host *h, const Sentinel__Ipc__AgentOpen *open,
    uint32_t call)
{
	const Sentinel__Cluster__StateReport	*r = open->report;

	(void)session_new(call, h, open);
	engine_setstr(&h->h_version, r->agent_version);
	host_set_features(h, r->supported_features, r->n_supported_features);
	h->h_signed = host_has_feature(h, "signed-command") &&
	    r->session_nonce.len == sizeof(h->h_nonce);
	if (h->h_signed)
		memcpy(h->h_nonce, r->session_nonce.data, sizeof(h->h_nonce));
	if (r->engine_id[0] != '\0')
		engine_setstr(&h->h_engine_id, r->engine_id);
	engine_setstr(&h->h_docker_error, r->docker_error);
	h->h_dirty = true;
}

static void
open_channel(struct host *h, const Sentinel__Ipc__AgentOpen *open,
    uint32_t call)
{
	struct session	*old = h->h_session, *s;

	s = session_new(call, h, open);
	if (old != NULL) {
		if (host_may_log(h))
			log_info("host %s (%s): replaced stale stream",
			    h->h_id, h->h_name);
		session_close(old, GRPC_ABORTED, "server",
		    "replaced by a newer stream");
	}
	h->h_session = s;
	h->h_disconnect_at = 0;
	engine_setstr(&h->h_disconnect_err, "");
	engine_setstr(&h->h_disconnect_cat, "");
	session_admit(call, 0, "");
	h->h_last_seen = time(NULL);
	h->h_dirty = true;
	if (host_may_log(h))
		log_info("host %s (%s): connected from %s, version %s%s",
		    h->h_id, h->h_name, open->address,
		    h->h_version[0] != '\0' ? h->h_version : "unknown",
		    s->se_signed ? ", commands signed" : "");
	event_publish("cluster_host", h, NULL, "agent %s connected", h->h_id);
	cert_channel(s);
	sync_session(s);
}

/*
 * A call beside a Channel that is there, with the same certificate, and no
 * session of its own.
 */
static void
open_follow(struct host *h, const Sentinel__Ipc__AgentOpen *open,
    uint32_t call, const struct gate_answer *ga)
{
	const char	*why;

	if (ga->ga_status != GRPC_OK) {
		refuse(h, open, call, ga);
		return;
	}
	if (ga->ga_verdict != GATE_OK || h->h_session == NULL ||
	    strcmp(h->h_session->se_serial, open->serial) != 0)
		why = "there is no Channel that it belongs to";
	else
		why = follow_admit(h, call, &open->stream_id);
	if (why != NULL && host_may_log(h))
		log_info("host %s (%s): FollowLogs refused: %s", h->h_id,
		    h->h_name, why);
	session_admit(call, why == NULL ? GRPC_OK : GRPC_FAILED_PRECONDITION,
	    why == NULL ? "" : why);
}

/*
 * The certificate has expired, but may be renewed: the report tells what the
 * agent can do and with which nonce it verifies the answer; then the Channel
 * is there for that and for nothing else, and nobody sees the host connected.
 */
static void
open_renewal(struct host *h, const Sentinel__Ipc__AgentOpen *open,
    uint32_t call, const char *text)
{
	struct session	*s;

	if (open->kind == SENTINEL__IPC__AGENT_OPEN__KIND__REPORT) {
		open_report(h, open, call);
		if ((s = session_find(call)) != NULL)
			s->se_renew = true;
		return;
	}
	s = session_new(call, h, open);
	s->se_renew = true;
	if (host_may_log(h))
		log_info("host %s (%s): from %s: %s", h->h_id, h->h_name,
		    open->address, text);
	session_admit(call, 0, "");
	cert_channel(s);
}
