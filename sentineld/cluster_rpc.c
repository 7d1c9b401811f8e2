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

#include "cluster.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "crashpage.h"
#include "follow.h"
#include "ipc.pb-c.h"
#include "log.h"
#include "pbcheck.h"
#include "sentinel.pb-c.h"
#include "tlsconf.h"
#include "utf8.h"

/*
 * RPCs of agents to messages for the engine.  Everything an agent sends is
 * checked, unpacked and packed anew, so that the engine never sees bytes that
 * we have not understood.  Wire: sentinel-protocol(7).
 */
#define RPC_CONTAINER_MAXBYTES	(1024 * 1024)	/* AGENT_CONTAINER */
#define RPC_MESSAGE_MAXBYTES	4259840		/* AGENT_MESSAGE */
#define RPC_LISTERROR_MAXBYTES	4096		/* ListEnd.error */
#define RPC_RENEWAL_COST	32		/* messages */
#define RPC_NOCERT	"no valid client certificate: "

static enum grpc_status on_open(struct grpc_call *, const char **, void *);
static void	 on_message(struct grpc_call *, const uint8_t *, size_t,
		    void *);
static void	 on_half_close(struct grpc_call *, void *);
static void	 on_drained(struct grpc_call *, void *);
static void	 on_closed(struct grpc_call *, enum grpc_end, void *);
static void	 take_enroll(struct cluster_call *, const uint8_t *, size_t);
static void	 take_report(struct cluster_call *, const uint8_t *, size_t);
static void	 take_message(struct cluster_call *, const uint8_t *, size_t);
static void	 take_renewal(struct cluster_call *,
		    const Sentinel__Cluster__CertRenewalCSR *);
static void	 send_containers(struct cluster_call *,
		    Sentinel__Cluster__ContainerInfo **, size_t);
static void	 send_list_end(struct cluster_call *, char *, size_t,
		    const char *);
static bool	 call_wait(struct cluster_call *);

const struct grpc_method	cluster_methods[] = {
	[CALL_ENROLL] = { "/sentinel.cluster.EnrollmentService/Enroll",
	    CLUSTER_ENROLL_MAXBYTES, true },
	[CALL_REPORT] = { "/sentinel.cluster.AgentService/ReportState",
	    GRPC_RECV_MAXBYTES, true },
	[CALL_CHANNEL] = { "/sentinel.cluster.AgentService/Channel",
	    GRPC_RECV_MAXBYTES, false },
	[CALL_FOLLOW] = { "/sentinel.cluster.AgentService/FollowLogs",
	    FOLLOW_MESSAGE_MAXBYTES, false },
	{ NULL, 0, false }
};

const struct grpc_server_ops	cluster_ops = {
	.gs_call_open = on_open,
	.gs_call_message = on_message,
	.gs_call_half_close = on_half_close,
	.gs_call_drained = on_drained,
	.gs_call_closed = on_closed,
	.gs_conn_closed = cluster_conn_closed
};

/* --- from agents -------------------------------------------------------- */

static enum grpc_status
on_open(struct grpc_call *g, const char **text, void *arg)
{
	struct cluster_conn	*conn = arg;
	struct cluster_call	*call;
	enum cluster_kind	 kind;

	kind = (enum cluster_kind)(grpc_call_method(g) - cluster_methods);
	if (kind != CALL_ENROLL && conn->cn_refusal != NULL) {
		*text = conn->cn_refusal;
		return (GRPC_UNAUTHENTICATED);
	}
	if (clu->stopping) {
		*text = "server is stopping";
		return (GRPC_UNAVAILABLE);
	}
	/* Calls opened and left again cost the engine as much as messages. */
	if (event_pending(conn->cn_slow, EV_TIMEOUT, NULL)) {
		*text = "too many calls";
		return (GRPC_UNAVAILABLE);
	}
	cluster_conn_charge(conn, 0);
	if ((call = cluster_call_new(conn, g, kind)) == NULL) {
		*text = "out of memory";
		return (GRPC_RESOURCE_EXHAUSTED);
	}
	if (kind == CALL_CHANNEL ? !cluster_call_number(call) :
	    kind == CALL_FOLLOW && !cluster_follow_open(call)) {
		cluster_call_end(call);
		*text = "server is busy";
		return (GRPC_UNAVAILABLE);
	}
	if (event_pending(conn->cn_slow, EV_TIMEOUT, NULL))
		cluster_call_pause(call, PAUSE_RATE);
	if (clu->blocked)
		cluster_call_pause(call, PAUSE_FLOW);
	if (kind == CALL_CHANNEL) {
		cluster_call_pause(call, PAUSE_ADMIT);
		cluster_rpc_ask(call, NULL, NULL);
	}
	return (GRPC_OK);
}

static void
on_message(struct grpc_call *g, const uint8_t *data, size_t len, void *arg)
{
	struct cluster_call	*call = grpc_call_arg(g);
	bool			 ours;

	/* A flood of logs has limits of its own, and the Channel beside it
	 * none of its doing. */
	if (call->cl_kind != CALL_FOLLOW)
		cluster_conn_charge(arg, len);
	if (call->cl_ended)
		return;
	/* One that was held back comes without its stream. */
	ours = cluster_hold_enter(arg);
	switch (call->cl_kind) {
	case CALL_ENROLL:
		take_enroll(call, data, len);
		break;
	case CALL_REPORT:
		take_report(call, data, len);
		break;
	case CALL_CHANNEL:
		take_message(call, data, len);
		break;
	case CALL_FOLLOW:
		cluster_follow_message(call, data, len);
		break;
	}
	if (ours)
		crashpage_leave();
	cluster_flow_check();
}

static void
on_half_close(struct grpc_call *g, void *arg)
{
	struct cluster_call	*call = grpc_call_arg(g);

	(void)arg;
	cluster_call_finish(call, GRPC_OK, "network", "agent stopped");
}

static void
on_drained(struct grpc_call *g, void *arg)
{
	(void)arg;
	cluster_call_sent(grpc_call_arg(g));
}

static void
on_closed(struct grpc_call *g, enum grpc_end end, void *arg)
{
	struct cluster_call	*call = grpc_call_arg(g);

	(void)arg;
	call->cl_grpc = NULL;
	switch (end) {
	case GRPC_END_LOST:
		/* cluster_conn_closed() will know why. */
		return;
	case GRPC_END_CANCELLED:
		cluster_call_blame(call, "network", "agent stopped");
		break;
	case GRPC_END_DEADLINE:
		cluster_call_blame(call, "network",
		    "the agent's own deadline passed");
		break;
	case GRPC_END_REFUSED:
		cluster_call_blame(call, "server",
		    "message refused: too large, compressed or cut off");
		break;
	case GRPC_END_FINISHED:
		cluster_call_blame(call, "server", "stream closed");
		break;
	}
	cluster_call_end(call);
}

/* As before for a unary call, whose message is there. */
static bool
call_wait(struct cluster_call *call)
{
	if (cluster_call_number(call))
		return (true);
	cluster_call_finish(call, GRPC_UNAVAILABLE, "server",
	    "server is busy");
	return (false);
}

/* --- identity ----------------------------------------------------------- */

/*
 * TLS has verified the chain.  Time, revocation and registration are for the
 * engine to judge, call by call.
 */
void
cluster_rpc_identify(struct cluster_conn *conn)
{
	struct x509_facts	*xf = &conn->cn_facts;
	struct tls		*tls = stream_tls(conn->cn_stream);
	const uint8_t		*pem;
	size_t			 len;

	if (!tls_peer_cert_provided(tls)) {
		conn->cn_refusal = RPC_NOCERT
		    "no client certificate presented";
		return;
	}
	pem = tls_peer_cert_chain_pem(tls, &len);
	if (pem == NULL || x509_facts_pem(pem, len, xf) == -1)
		conn->cn_refusal = RPC_NOCERT "not one of this cluster";
	else if (xf->xf_cn[0] == '\0')
		conn->cn_refusal = RPC_NOCERT
		    "client certificate CN is empty";
	else if (!pbcheck_has_set(PB_NAME, (const uint8_t *)xf->xf_cn,
	    strlen(xf->xf_cn)) || xf->xf_serial[0] == '\0' ||
	    xf->xf_notbefore < 0 || xf->xf_notafter < 1)
		conn->cn_refusal = RPC_NOCERT "not one of a host";
	else
		conn->cn_cert = true;
}

/* --- to the engine ------------------------------------------------------ */

void
cluster_rpc_ask(struct cluster_call *call,
    Sentinel__Cluster__StateReport *report, const ProtobufCBinaryData *stream)
{
	Sentinel__Ipc__AgentOpen	 msg;
	struct cluster_conn		*conn = call->cl_conn;

	sentinel__ipc__agent_open__init(&msg);
	msg.kind = report != NULL ? SENTINEL__IPC__AGENT_OPEN__KIND__REPORT :
	    stream != NULL ? SENTINEL__IPC__AGENT_OPEN__KIND__FOLLOW :
	    SENTINEL__IPC__AGENT_OPEN__KIND__CHANNEL;
	if (stream != NULL)
		msg.stream_id = *stream;
	msg.host_id = conn->cn_facts.xf_cn;
	msg.serial = conn->cn_facts.xf_serial;
	msg.point.data = conn->cn_facts.xf_point;
	msg.point.len = sizeof(conn->cn_facts.xf_point);
	msg.not_before = conn->cn_facts.xf_notbefore;
	msg.not_after = conn->cn_facts.xf_notafter;
	msg.address = conn->cn_address;
	msg.report = report;
	if (peer_send_pb(proc_peer(ROLE_ENGINE), IMSG_AGENT_OPEN, call->cl_id,
	    &msg.base) == 0)
		call->cl_session = true;
}

/* Answered here, since nothing of it can be looked up; the engine counts it. */
static void
break_enroll(struct cluster_call *call, const char *why)
{
	const char	*address = call->cl_conn->cn_address;
	struct ibuf	*buf;

	cluster_log("%s: enrolment refused: %s", address, why);
	if ((buf = ibuf_dynamic(64, 324)) == NULL ||
	    ibuf_add_string(buf, address) == -1 ||
	    ibuf_add_string(buf, why) == -1)
		fatal("ENROLL_BROKEN");
	(void)peer_send_ibuf(proc_peer(ROLE_ENGINE), IMSG_ENROLL_BROKEN, 0,
	    -1, buf);
	ibuf_free(buf);
	cluster_call_finish(call, GRPC_INVALID_ARGUMENT, "server", why);
}

static void
take_enroll(struct cluster_call *call, const uint8_t *data, size_t len)
{
	Sentinel__Cluster__EnrollRequest	*req;
	Sentinel__Ipc__EnrollAsk		 ask;
	struct pbmem				 pm;
	uint8_t					 point[ECKEY_POINT_LEN];
	const char				*why;
	char					 text[256];

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	req = pbcheck_unpack(&sentinel__cluster__enroll_request__descriptor,
	    data, len, &pm, &why);
	if (req == NULL) {
		cluster_rpc_refuse(call, why, errno);
		goto out;
	}
	if (req->token[0] == '\0' || req->csr.len == 0) {
		break_enroll(call, req->token[0] == '\0' ?
		    "token is required" : "CSR is required");
		goto out;
	}
	/* Before the token is looked at: a broken request does not spend it. */
	why = x509_csr_point(req->csr.data, req->csr.len, point);
	if (why != NULL) {
		(void)snprintf(text, sizeof(text),
		    "failed to sign certificate: %s", why);
		break_enroll(call, text);
		goto out;
	}
	if (!call_wait(call))
		goto out;
	sentinel__ipc__enroll_ask__init(&ask);
	ask.token = req->token;
	ask.host_name = req->host_name;
	ask.point.data = point;
	ask.point.len = sizeof(point);
	ask.address = call->cl_conn->cn_address;
	(void)peer_send_pb(proc_peer(ROLE_ENGINE), IMSG_ENROLL_ASK,
	    call->cl_id, &ask.base);
 out:
	pbmem_free(&pm);
}

static void
take_report(struct cluster_call *call, const uint8_t *data, size_t len)
{
	Sentinel__Cluster__ContainerInfo	**list;
	Sentinel__Cluster__StateReport		 *report;
	struct pbmem				  pm;
	const char				 *why;
	size_t					  n;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	report = pbcheck_unpack(&sentinel__cluster__state_report__descriptor,
	    data, len, &pm, &why);
	if (report == NULL) {
		cluster_rpc_refuse(call, why, errno);
		goto out;
	}
	if (!call_wait(call))
		goto out;
	pbcheck_strip(&report->base);
	list = report->containers;
	n = report->n_containers;
	report->containers = NULL;
	report->n_containers = 0;
	cluster_rpc_ask(call, report, NULL);
	send_containers(call, list, n);
	send_list_end(call, NULL, n, "");
 out:
	pbmem_free(&pm);
}

static void
take_message(struct cluster_call *call, const uint8_t *data, size_t len)
{
	Sentinel__Cluster__AgentMessage		*msg;
	Sentinel__Cluster__ContainerList	*list;
	struct pbmem				 pm;
	const char				*why;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	msg = pbcheck_unpack(&sentinel__cluster__agent_message__descriptor,
	    data, len, &pm, &why);
	if (msg == NULL) {
		cluster_rpc_refuse(call, why, errno);
		goto out;
	}
	pbcheck_strip(&msg->base);
	if (msg->payload_case ==
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CONTAINER_LIST) {
		list = msg->container_list;
		send_containers(call, list->containers, list->n_containers);
		send_list_end(call, list->request_id, list->n_containers,
		    list->error);
		goto out;
	}
	if (msg->payload_case ==
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CERT_RENEWAL) {
		take_renewal(call, msg->cert_renewal);
		goto out;
	}
	/* Packed anew a message only shrinks, but for bytes here and there. */
	if (protobuf_c_message_get_packed_size(&msg->base) >
	    RPC_MESSAGE_MAXBYTES) {
		cluster_rpc_refuse(call, "AgentMessage: too large", EBADMSG);
		goto out;
	}
	(void)peer_send_pb(proc_peer(ROLE_ENGINE), IMSG_AGENT_MESSAGE,
	    call->cl_id, &msg->base);
 out:
	pbmem_free(&pm);
}

/*
 * The engine gets the point alone.  There is no answer that says no: an agent
 * asks again later.  A signature is verified here, which costs as much as
 * many messages.
 */
static void
take_renewal(struct cluster_call *call,
    const Sentinel__Cluster__CertRenewalCSR *csr)
{
	uint8_t		 point[ECKEY_POINT_LEN];
	const char	*why;
	struct ibuf	*buf;

	cluster_conn_charge(call->cl_conn, RPC_RENEWAL_COST *
	    CLUSTER_RATE_UNIT);
	why = x509_csr_point(csr->csr.data, csr->csr.len, point);
	if (why != NULL) {
		cluster_log("agent %s: renewal refused: %s",
		    call->cl_conn->cn_facts.xf_cn, why);
		return;
	}
	if ((buf = ibuf_open(2 + sizeof(point))) == NULL ||
	    ibuf_add_bytes(buf, point, sizeof(point)) == -1)
		fatal("AGENT_RENEW");
	(void)peer_send_ibuf(proc_peer(ROLE_ENGINE), IMSG_AGENT_RENEW,
	    call->cl_id, -1, buf);
	ibuf_free(buf);
}

/* The words of grpc-go, since people search for them. */
void
cluster_rpc_refuse(struct cluster_call *call, const char *why, int error)
{
	struct cluster_conn	*conn = call->cl_conn;
	char			 text[CLUSTER_TEXT_SIZE];

	(void)snprintf(text, sizeof(text), "grpc: %s: %s",
	    call->cl_kind >= CALL_CHANNEL ? "failed to unmarshal the received "
	    "message" : "error unmarshalling request", why);
	cluster_log("%s%s%s: message refused: %s", conn->cn_cert ? "agent " :
	    "", conn->cn_cert ? conn->cn_facts.xf_cn : conn->cn_address,
	    call->cl_kind == CALL_ENROLL ? ": enrolment" : "", why);
	cluster_call_finish(call, error == ENOMEM ? GRPC_RESOURCE_EXHAUSTED :
	    GRPC_INTERNAL, "server", text);
}

/*
 * One message each.  One that is too large for it goes without what makes it
 * large, so that the rest of the list still arrives.
 */
static void
send_containers(struct cluster_call *call,
    Sentinel__Cluster__ContainerInfo **list, size_t n)
{
	Sentinel__Cluster__ContainerInfo	*info;
	size_t					 i;

	for (i = 0; i < n; i++) {
		info = list[i];
		if (protobuf_c_message_get_packed_size(&info->base) >
		    RPC_CONTAINER_MAXBYTES) {
			cluster_log("agent %s: container %s: labels left out, "
			    "over %d bytes", call->cl_conn->cn_facts.xf_cn,
			    info->name, RPC_CONTAINER_MAXBYTES);
			info->n_labels = 0;
			info->labels = NULL;
		}
		if (protobuf_c_message_get_packed_size(&info->base) >
		    RPC_CONTAINER_MAXBYTES) {
			info->n_ports = 0;
			info->ports = NULL;
		}
		(void)peer_send_pb(proc_peer(ROLE_ENGINE),
		    IMSG_AGENT_CONTAINER, call->cl_id, &info->base);
	}
}

static void
send_list_end(struct cluster_call *call, char *request_id, size_t count,
    const char *error)
{
	Sentinel__Ipc__ListEnd	 msg;
	char			 text[RPC_LISTERROR_MAXBYTES + 1];

	sentinel__ipc__list_end__init(&msg);
	if (request_id != NULL)
		msg.request_id = request_id;
	msg.count = (uint32_t)count;
	(void)utf8_repair(text, sizeof(text), error, strlen(error));
	msg.error = text;
	(void)peer_send_pb(proc_peer(ROLE_ENGINE), IMSG_AGENT_LIST_END,
	    call->cl_id, &msg.base);
}
