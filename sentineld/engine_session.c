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

#include "engine_history.h"
#include "engine_session.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine_ca.h"
#include "engine_follow.h"
#include "engine_live.h"
#include "grpc.h"
#include "ipccheck.h"
#include "log.h"
#include "xmalloc.h"

/*
 * Calls of agents.  cluster numbers them; a number is never reused in the
 * life of a cluster process, and an unknown one is a call that we have ended:
 * its last messages are dropped.
 */
static void	 session_free(struct session *);
static void	 heartbeat(struct session *,
		    const Sentinel__Cluster__Heartbeat *);
static void	 set_disconnected(struct host *, const char *, const char *);
static void	 session_lost(const struct session *);
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

struct session *
session_new(uint32_t call, struct host *h,
    const Sentinel__Ipc__AgentOpen *open)
{
	struct session	*s;

	s = xcalloc(1, sizeof(*s));
	s->se_call = call;
	s->se_epoch = ++eng->epoch;
	s->se_host = h;
	s->se_channel = open->kind ==
	    SENTINEL__IPC__AGENT_OPEN__KIND__CHANNEL;
	(void)strlcpy(s->se_serial, open->serial, sizeof(s->se_serial));
	s->se_not_after = open->not_after;
	(void)strlcpy(s->se_address, open->address, sizeof(s->se_address));
	s->se_heard = s->se_answered = monotime_now();
	if (s->se_channel) {
		/* What ReportState said holds for the stream after it. */
		s->se_signed = h->h_signed;
		memcpy(s->se_nonce, h->h_nonce, sizeof(s->se_nonce));
	}
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
bool
session_has_room(const struct host *h)
{
	return (eng->nsessions < ENGINE_SESSIONS_MAX &&
	    h->h_nsessions < HOST_SESSIONS_MAX);
}

void
session_admit(uint32_t call, uint32_t status, const char *text)
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

void
session_container(struct peer *p, struct imsg *imsg)
{
	Sentinel__Cluster__ContainerInfo	*info;
	struct session				*s;
	struct pbmem				 pm;

	if ((s = session_find(imsg_get_id(imsg))) == NULL || s->se_closing ||
	    s->se_renew)
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
					    "pull-result", "journal-ack",
					    "signed-command", "ca-bundle",
					    "update-hooks",
					    "container-delta",
					    "follow-logs" };
	char				 text[] = "state received";
	char				 renew[] = "certificate has expired: "
					    "it may only be renewed";

	if ((s = session_find(imsg_get_id(imsg))) == NULL || s->se_closing)
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	end = ipc_unpack(imsg, &sentinel__ipc__list_end__descriptor, &pm);
	if (end == NULL || (end->count != s->se_stage.cs_count &&
	    !s->se_stage.cs_overflow && !s->se_renew)) {
		peer_broken(p, imsg, end == NULL ? pm.pm_why : "list count");
		goto out;
	}
	if (s->se_renew && s->se_channel)
		goto out;
	s->se_heard = s->se_answered = monotime_now();
	/* An error leaves the last known list in place. */
	if (end->error[0] == '\0' && !s->se_renew)
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
	body.message = s->se_renew ? renew : text;
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
	if (h->h_session == s)
		ca_heard(h, hb->ca_pins.data, hb->ca_pins.len);
	live_heartbeat(s, hb);
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
	s->se_heard = s->se_answered = monotime_now();
	if (s->se_renew) {
		pbmem_free(&pm);
		return;
	}
	switch (m->payload_case) {
	case SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_HEARTBEAT:
		heartbeat(s, m->heartbeat);
		break;
	case SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD__NOT_SET:
		log_debug("host %s: empty or unknown message",
		    s->se_host->h_id);
		break;
	case SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CONTAINER_DELTA:
		live_delta(s, m->container_delta);
		break;
	case SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_OFFLINE_JOURNAL:
		history_journal(s, m->offline_journal);
		break;
	default:
		op_answer(s->se_host, m);
		break;
	}
	host_seen(s->se_host);
	pbmem_free(&pm);
}

static void
set_disconnected(struct host *h, const char *category, const char *text)
{
	h->h_session = NULL;
	h->h_live = false;
	h->h_rtt_usec = 0;
	h->h_disconnect_at = time(NULL);
	engine_setstr(&h->h_disconnect_cat, category);
	engine_setstr(&h->h_disconnect_err, text);
	h->h_dirty = true;
}

static void
session_lost(const struct session *s)
{
	op_session_lost(s);
	follow_session_lost(s);
	history_session_lost(s);
}

static void
disconnected(struct session *s, const char *category, const char *text)
{
	struct host	*h = s->se_host;

	/* A stream that was replaced leaves its successor alone. */
	if (h->h_session != s)
		return;
	set_disconnected(h, category, text);
	if (host_may_log(h))
		log_info("host %s (%s): disconnected: %s: %s", h->h_id,
		    h->h_name, category, text);
	event_publish("cluster_host", h, NULL, "agent %s disconnected",
	    h->h_id);
}

/* Its numbers of calls begin again: nothing of the old ones may be left. */
unsigned int
session_lose_all(const char *text)
{
	struct session	*s;
	struct host	*h;
	unsigned int	 n = 0;

	while ((s = RB_ROOT(&eng->sessions)) != NULL) {
		h = s->se_host;
		if (s->se_channel && !s->se_closing)
			session_lost(s);
		if (h->h_session == s) {
			set_disconnected(h, "server", text);
			n++;
		}
		session_free(s);
	}
	return (n);
}

/* The last word about a call: the agent or the network ended it, or we did. */
void
session_closed(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__AgentClosed	*closed;
	struct session			*s;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	closed = ipc_unpack(imsg, &sentinel__ipc__agent_closed__descriptor,
	    &pm);
	if (closed == NULL)
		peer_broken(p, imsg, pm.pm_why);
	else if ((s = session_find(imsg_get_id(imsg))) == NULL)
		(void)follow_closed(imsg_get_id(imsg), closed->text);
	else if (s->se_channel) {
		session_lost(s);
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
	session_lost(s);
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
		session_admit(s->se_call, status, text);
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
	if ((s = session_find(imsg_get_id(imsg))) == NULL)
		return;
	s->se_host->h_rtt_usec = usec;
	s->se_answered = monotime_now();
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
		freezero(data, len);
		errno = len > GRPC_SEND_MAXBYTES ? EMSGSIZE :
		    p == NULL || s->se_closing ? ENOTCONN : EAGAIN;
		return (-1);
	}
	sentinel__ipc__agent_send__init(&msg);
	msg.message.data = data;
	msg.message.len = len;
	peer_send_pb(p, IMSG_AGENT_SEND, s->se_call, &msg.base);
	freezero(data, len);	/* credentials of a registry, perhaps */
	s->se_unsent++;
	return (0);
}
