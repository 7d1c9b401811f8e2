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

#include "engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "grpc.h"
#include "ipccheck.h"
#include "log.h"
#include "xmalloc.h"

/*
 * Calls of agents.  cluster numbers them; a number is never reused in the
 * life of a cluster process, and an unknown one is a call that we have ended:
 * its last messages are dropped.
 */
static struct session	*session_new(uint32_t, struct host *, bool);
static void	 session_free(struct session *);
static bool	 session_has_room(const struct host *);
static void	 admit(uint32_t, uint32_t, const char *);
static void	 open_report(struct host *, const Sentinel__Ipc__AgentOpen *,
		    uint32_t);
static void	 open_channel(struct host *, const Sentinel__Ipc__AgentOpen *,
		    uint32_t);
static void	 mark_seen(struct host *);
static int	 token_seen(struct store_txn *, void *);
static int	 check_revoked(struct store_txn *, void *);
static void	 heartbeat(struct session *,
		    const Sentinel__Cluster__Heartbeat *);
static void	 disconnected(struct session *, const char *, const char *);

RB_GENERATE(session_tree, session, se_entry, session_cmp)

int
session_cmp(const struct session *a, const struct session *b)
{
	return (a->se_call < b->se_call ? -1 : a->se_call > b->se_call);
}

struct session *
session_find(uint32_t call)
{
	struct session	 want;

	want.se_call = call;
	return (RB_FIND(session_tree, &eng->sessions, &want));
}

static struct session *
session_new(uint32_t call, struct host *h, bool channel)
{
	struct session	*s;

	s = xcalloc(1, sizeof(*s));
	s->se_call = call;
	s->se_epoch = ++eng->epoch;
	s->se_host = h;
	s->se_channel = channel;
	s->se_heard = monotime_now();
	stage_init(&s->se_stage, h);
	RB_INSERT(session_tree, &eng->sessions, s);
	eng->nsessions++;
	h->h_nsessions++;
	return (s);
}

static void
session_free(struct session *s)
{
	RB_REMOVE(session_tree, &eng->sessions, s);
	eng->nsessions--;
	s->se_host->h_nsessions--;
	stage_drop(&s->se_stage);
	free(s);
}

/* Those that end are counted as well until cluster has let go of them. */
static bool
session_has_room(const struct host *h)
{
	return (eng->nsessions < ENGINE_SESSIONS_MAX &&
	    h->h_nsessions < HOST_SESSIONS_MAX);
}

static void
admit(uint32_t call, uint32_t status, const char *text)
{
	Sentinel__Ipc__AgentAdmit	 msg;
	char				 copy[256];

	(void)strlcpy(copy, text, sizeof(copy));
	sentinel__ipc__agent_admit__init(&msg);
	msg.status = status;
	msg.message = copy;
	peer_send_pb(proc_peer(ROLE_CLUSTER), IMSG_AGENT_ADMIT, call,
	    &msg.base);
}

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

/* An agent calls ReportState or Channel. */
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
	    open->kind != SENTINEL__IPC__AGENT_OPEN__KIND__CHANNEL) {
		peer_broken(p, imsg, "kind of call, or no report");
		goto out;
	}
	h = host_find(open->host_id);
	q.serial = open->serial;
	if (store_view(eng->store, check_revoked, &q) == -1)
		q.has = -1;
	peer_gate(open, h, q.has, time(NULL), &ga);
	if (ga.ga_verdict == GATE_OK && !session_has_room(h)) {
		ga.ga_verdict = GATE_BUSY;
		ga.ga_status = GRPC_RESOURCE_EXHAUSTED;
		ga.ga_text = "too many calls of this host at a time";
	}
	if (ga.ga_verdict != GATE_OK) {
		if (host_may_log(h))
			log_warnx("agent %s from %s refused: %s",
			    open->host_id[0] != '\0' ? open->host_id :
			    "without a name", open->address, ga.ga_text);
		admit(call, ga.ga_status, ga.ga_text);
		goto out;
	}
	if (strcmp(h->h_address, open->address) != 0) {
		(void)strlcpy(h->h_address, open->address,
		    sizeof(h->h_address));
		h->h_dirty = true;
	}
	if (open->kind == SENTINEL__IPC__AGENT_OPEN__KIND__REPORT)
		open_report(h, open, call);
	else
		open_channel(h, open, call);
 out:
	pbmem_free(&pm);
}

/* The list follows item by item; the answer comes after AGENT_LIST_END. */
static void
open_report(struct host *h, const Sentinel__Ipc__AgentOpen *open,
    uint32_t call)
{
	const Sentinel__Cluster__StateReport	*r = open->report;

	(void)session_new(call, h, false);
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
	mark_seen(h);
}

struct seen_query {
	const char	*token;
	const char	*host;
};

static int
token_seen(struct store_txn *txn, void *arg)
{
	Sentinel__Store__Token	*t;
	struct seen_query	*q = arg;
	struct pbmem		 pm;
	int			 rc;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	rc = db_token_get(txn, q->token, &pm, &t);
	if (rc == 1 && strcmp(t->host_id, q->host) == 0) {
		t->seen = true;
		rc = db_token_put(txn, t);
	}
	pbmem_free(&pm);
	return (rc == -1 ? -1 : 0);
}

/* First sight of an enrolled host: its token cannot be offered again. */
static void
mark_seen(struct host *h)
{
	struct seen_query	 q = { h->h_token, h->h_id };

	if (h->h_token[0] == '\0')
		return;
	if (store_update(eng->store, token_seen, &q) == 0)
		h->h_token[0] = '\0';
	else if (host_may_log(h))
		log_warn("token %s: not marked as seen", h->h_token);
}

static void
open_channel(struct host *h, const Sentinel__Ipc__AgentOpen *open,
    uint32_t call)
{
	struct session	*old = h->h_session, *s;

	s = session_new(call, h, true);
	/* What ReportState said holds for the stream that follows it. */
	s->se_signed = h->h_signed;
	memcpy(s->se_nonce, h->h_nonce, sizeof(s->se_nonce));
	mark_seen(h);
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
	admit(call, 0, "");
	h->h_last_seen = time(NULL);
	h->h_dirty = true;
	if (host_may_log(h))
		log_info("host %s (%s): connected from %s, version %s%s",
		    h->h_id, h->h_name, open->address,
		    h->h_version[0] != '\0' ? h->h_version : "unknown",
		    s->se_signed ? ", commands signed" : "");
	event_publish("cluster_host", h, NULL, "agent %s connected", h->h_id);
}

void
session_container(struct peer *p, struct imsg *imsg)
{
	Sentinel__Cluster__ContainerInfo	*info;
	struct session				*s;
	struct pbmem				 pm;

	if ((s = session_find(imsg_get_id(imsg))) == NULL || s->se_closing)
		return;
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	info = ipc_unpack(imsg, &sentinel__cluster__container_info__descriptor,
	    &pm);
	if (info == NULL)
		peer_broken(p, imsg, pm.pm_why);
	else
		stage_add(&s->se_stage, info);
	pbmem_free(&pm);
}

void
session_list_end(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__ListEnd		*end;
	Sentinel__Ipc__ReportAck	 ack;
	Sentinel__Cluster__StateAck	 body;
	struct session			*s;
	struct pbmem			 pm;
	static const char *const	 features[] = { "progress",
					    "list-error", "engine-id",
					    "pull-result", "signed-command" };
	char				 text[] = "state received";

	if ((s = session_find(imsg_get_id(imsg))) == NULL || s->se_closing)
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	end = ipc_unpack(imsg, &sentinel__ipc__list_end__descriptor, &pm);
	if (end == NULL || (end->count != s->se_stage.cs_count &&
	    !s->se_stage.cs_overflow)) {
		peer_broken(p, imsg, end == NULL ? pm.pm_why : "list count");
		goto out;
	}
	s->se_heard = monotime_now();
	/* An error leaves the last known list in place. */
	if (end->error[0] == '\0')
		stage_commit(&s->se_stage);
	else
		stage_drop(&s->se_stage);
	host_seen(s->se_host);
	if (s->se_channel) {
		op_list_answer(s->se_host, end->request_id, end->error);
		goto out;
	}
	sentinel__cluster__state_ack__init(&body);
	body.accepted = true;
	body.message = text;
	body.signed_commands = s->se_host->h_signed;
	body.supported_features = (char **)(uintptr_t)features;
	body.n_supported_features = nitems(features);
	sentinel__ipc__report_ack__init(&ack);
	ack.ack = &body;
	peer_send_pb(p, IMSG_AGENT_REPORT_ACK, s->se_call, &ack.base);
	session_free(s);
 out:
	pbmem_free(&pm);
}

static void
heartbeat(struct session *s, const Sentinel__Cluster__Heartbeat *hb)
{
	struct host	*h = s->se_host;

	if (hb->agent_version[0] != '\0' &&
	    strcmp(h->h_version, hb->agent_version) != 0) {
		engine_setstr(&h->h_version, hb->agent_version);
		h->h_dirty = true;
	}
	host_set_features(h, hb->supported_features,
	    hb->n_supported_features);
	if (host_has_feature(h, "engine-id")) {
		if (strcmp(h->h_engine_id, hb->engine_id) != 0 &&
		    hb->engine_id[0] != '\0') {
			engine_setstr(&h->h_engine_id, hb->engine_id);
			h->h_dirty = true;
		}
		if (strcmp(h->h_docker_error, hb->docker_error) != 0) {
			if (host_may_log(h))
				log_info("host %s (%s): docker: %s", h->h_id,
				    h->h_name, hb->docker_error[0] != '\0' ?
				    hb->docker_error : "answers again");
			engine_setstr(&h->h_docker_error, hb->docker_error);
			h->h_dirty = true;
		}
	}
}

/* Every message of a Channel but lists, which come item by item. */
void
session_message(struct peer *p, struct imsg *imsg)
{
	Sentinel__Cluster__AgentMessage	*m;
	struct session			*s;
	struct pbmem			 pm;

	if ((s = session_find(imsg_get_id(imsg))) == NULL || s->se_closing)
		return;
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__cluster__agent_message__descriptor,
	    &pm);
	if (m == NULL || !s->se_channel) {
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "message on a ReportState call");
		pbmem_free(&pm);
		return;
	}
	s->se_heard = monotime_now();
	switch (m->payload_case) {
	case SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_HEARTBEAT:
		heartbeat(s, m->heartbeat);
		break;
	case SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD__NOT_SET:
		log_debug("host %s: empty or unknown message",
		    s->se_host->h_id);
		break;
	default:
		op_answer(s->se_host, m);
		break;
	}
	host_seen(s->se_host);
	pbmem_free(&pm);
}

static void
disconnected(struct session *s, const char *category, const char *text)
{
	struct host	*h = s->se_host;

	/* A stream that was replaced leaves its successor alone. */
	if (h->h_session != s)
		return;
	h->h_session = NULL;
	h->h_rtt_usec = 0;
	h->h_disconnect_at = time(NULL);
	engine_setstr(&h->h_disconnect_cat, category);
	engine_setstr(&h->h_disconnect_err, text);
	h->h_dirty = true;
	if (host_may_log(h))
		log_info("host %s (%s): disconnected: %s: %s", h->h_id,
		    h->h_name, category, text);
	event_publish("cluster_host", h, NULL, "agent %s disconnected",
	    h->h_id);
}

/* The last word about a call: the agent or the network ended it, or we did. */
void
session_closed(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__AgentClosed	*closed;
	struct session			*s;
	struct pbmem			 pm;

	if ((s = session_find(imsg_get_id(imsg))) == NULL)
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	closed = ipc_unpack(imsg, &sentinel__ipc__agent_closed__descriptor,
	    &pm);
	if (closed == NULL)
		peer_broken(p, imsg, pm.pm_why);
	else if (s->se_channel) {
		op_session_lost(s);
		disconnected(s, closed->category, closed->text);
		session_free(s);
	} else
		session_free(s);	/* ended before its list was whole */
	pbmem_free(&pm);
}

void
session_close(struct session *s, uint32_t status, const char *category,
    const char *text)
{
	Sentinel__Ipc__AgentClose	 msg;
	char				 copy[256];

	if (s->se_closing)
		return;
	s->se_closing = true;
	s->se_heard = monotime_now();	/* from now on cluster is waited for */
	stage_drop(&s->se_stage);
	op_session_lost(s);
	disconnected(s, category, text);
	(void)strlcpy(copy, text, sizeof(copy));
	sentinel__ipc__agent_close__init(&msg);
	msg.status = status;
	msg.message = copy;
	/* Needs no credit: a full queue must not keep a stream alive. */
	peer_send_pb(proc_peer(ROLE_CLUSTER), IMSG_AGENT_CLOSE, s->se_call,
	    &msg.base);
}

/* A report is refused late: cluster tells it as if it had never been let in. */
void
session_close_all(struct host *h, uint32_t status, const char *category,
    const char *text)
{
	struct session	*s, *next;

	RB_FOREACH_SAFE(s, session_tree, &eng->sessions, next) {
		if (s->se_host != h)
			continue;
		if (s->se_channel) {
			session_close(s, status, category, text);
			continue;
		}
		admit(s->se_call, status, text);
		session_free(s);
	}
}

void
session_sent(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__Sent	*sent;
	struct session		*s;
	struct pbmem		 pm;

	if ((s = session_find(imsg_get_id(imsg))) == NULL)
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	sent = ipc_unpack(imsg, &sentinel__ipc__sent__descriptor, &pm);
	if (sent == NULL || sent->count > s->se_unsent)
		peer_broken(p, imsg, "credit that was not taken");
	else
		s->se_unsent -= sent->count;
	pbmem_free(&pm);
}

/* u32 microseconds: a PING of cluster came back, so the agent lives. */
void
session_rtt(struct peer *p, struct imsg *imsg)
{
	struct session	*s;
	uint32_t	 usec;

	if (ibuf_get_n32(imsg_get_ibuf(imsg), &usec) == -1) {
		peer_broken(p, imsg, "bad AGENT_RTT");
		return;
	}
	if ((s = session_find(imsg_get_id(imsg))) != NULL)
		s->se_host->h_rtt_usec = usec;
}

/*
 * A connection that answers PINGs but whose agent sends nothing is dead all
 * the same; a report whose list does not become whole is forgotten, and so is
 * a stream that cluster was told to close and says no more about.
 */
void
session_check_silence(void)
{
	struct session	*s, *next;
	monotime_t	 now = monotime_now();

	RB_FOREACH_SAFE(s, session_tree, &eng->sessions, next) {
		if (now - s->se_heard <=
		    (monotime_t)eng->conf.ec_heartbeat_msec)
			continue;
		if (!s->se_channel || s->se_closing)
			session_free(s);
		else
			session_close(s, GRPC_DEADLINE_EXCEEDED, "network",
			    "connection timed out: no heartbeat");
	}
}

int
session_send(struct session *s, uint8_t *data, size_t len)
{
	Sentinel__Ipc__AgentSend	 msg;
	struct peer			*p = proc_peer(ROLE_CLUSTER);

	if (len > GRPC_SEND_MAXBYTES || p == NULL || s->se_closing ||
	    s->se_unsent >= ENGINE_SEND_CREDIT || !peer_has_credit(p)) {
		free(data);
		errno = len > GRPC_SEND_MAXBYTES ? EMSGSIZE :
		    p == NULL || s->se_closing ? ENOTCONN : EAGAIN;
		return (-1);
	}
	sentinel__ipc__agent_send__init(&msg);
	msg.message.data = data;
	msg.message.len = len;
	peer_send_pb(p, IMSG_AGENT_SEND, s->se_call, &msg.base);
	free(data);
	s->se_unsent++;
	return (0);
}
