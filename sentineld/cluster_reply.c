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
#include <stdlib.h>
#include <string.h>

#include "h2.h"
#include "ipc.pb-c.h"
#include "ipccheck.h"

/*
 * Messages of the engine to answers of RPCs.  What it wants sent on a stream
 * goes out as it is.
 */
static void	 answer(struct cluster_call *, const ProtobufCMessage *);
static bool	 take(struct peer *, struct imsg *, const void *,
		    const struct pbmem *, enum cluster_kind,
		    struct cluster_call **);
static const char *category_of(uint32_t);

static void
answer(struct cluster_call *call, const ProtobufCMessage *msg)
{
	uint8_t	*data;
	size_t	 len;

	data = pbcheck_pack(msg, GRPC_SEND_MAXBYTES, &len);
	if (data == NULL || grpc_call_send(call->cl_grpc, data, len) == -1)
		cluster_call_finish(call, GRPC_INTERNAL, "server",
		    "the answer could not be sent");
	else
		cluster_call_finish(call, GRPC_OK, "server", "answered");
	free(data);
}

/*
 * A call that has ended meanwhile is no longer found: its messages are
 * dropped.  *found stays NULL then, and the result is true.
 */
static bool
take(struct peer *p, struct imsg *imsg, const void *msg,
    const struct pbmem *pm, enum cluster_kind kind,
    struct cluster_call **found)
{
	struct cluster_call	*call;

	*found = NULL;
	if (msg == NULL) {
		peer_broken(p, imsg, pm->pm_why);
		return (false);
	}
	call = cluster_call_find(imsg_get_id(imsg));
	if (call == NULL || call->cl_ended || call->cl_grpc == NULL)
		return (true);
	if (call->cl_kind != kind) {
		peer_broken(p, imsg, "for another kind of call");
		return (false);
	}
	*found = call;
	return (true);
}

void
cluster_reply_enrolled(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__EnrollAnswer	*msg;
	struct cluster_call		*call;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	msg = ipc_unpack(imsg, &sentinel__ipc__enroll_answer__descriptor,
	    &pm);
	if (!take(p, imsg, msg, &pm, CALL_ENROLL, &call) || call == NULL)
		goto out;
	if (msg->status != GRPC_OK)
		cluster_call_finish(call, (enum grpc_status)msg->status,
		    "server", msg->message);
	else if (msg->response == NULL)
		peer_broken(p, imsg, "no response");
	else
		answer(call, &msg->response->base);
 out:
	pbmem_free(&pm);
}

void
cluster_reply_admit(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__AgentAdmit	*msg;
	struct cluster_call		*call;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	msg = ipc_unpack(imsg, &sentinel__ipc__agent_admit__descriptor, &pm);
	if (msg == NULL) {
		peer_broken(p, imsg, pm.pm_why);
		goto out;
	}
	call = cluster_call_find(imsg_get_id(imsg));
	if (call == NULL || call->cl_ended || call->cl_grpc == NULL)
		goto out;
	if (call->cl_kind == CALL_ENROLL || call->cl_admitted)
		peer_broken(p, imsg, "not a call to be admitted");
	else if (msg->status != GRPC_OK) {
		/* The engine keeps nothing of a call it has refused. */
		call->cl_session = false;
		cluster_call_finish(call, (enum grpc_status)msg->status,
		    "server", msg->message);
		/* Neither will it admit the next one. */
		if (strcmp(category_of(msg->status), "cert") == 0)
			grpc_conn_goaway(call->cl_conn->cn_grpc);
	} else if (call->cl_kind == CALL_CHANNEL) {
		(void)event_del(call->cl_timer);
		call->cl_admitted = true;
		call->cl_conn->cn_channels++;
		cluster_conn_watch(call->cl_conn);
		cluster_call_resume(call, PAUSE_ADMIT);
	} else if (call->cl_kind == CALL_FOLLOW)
		cluster_follow_admit(call);
 out:
	pbmem_free(&pm);
}

void
cluster_reply_ack(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__ReportAck	*msg;
	struct cluster_call		*call;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	msg = ipc_unpack(imsg, &sentinel__ipc__report_ack__descriptor, &pm);
	if (take(p, imsg, msg, &pm, CALL_REPORT, &call) && call != NULL) {
		call->cl_session = false;
		answer(call, &msg->ack->base);
	}
	pbmem_free(&pm);
}

/* Unchanged: a signature may lie over these bytes. */
void
cluster_reply_send(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__AgentSend	*msg;
	struct cluster_call		*call;
	struct pbmem			 pm;

	pbmem_init(&pm, 2 * PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	msg = ipc_unpack(imsg, &sentinel__ipc__agent_send__descriptor, &pm);
	if (!take(p, imsg, msg, &pm, CALL_CHANNEL, &call) || call == NULL)
		goto out;
	if (!call->cl_admitted || msg->message.len > GRPC_SEND_MAXBYTES) {
		peer_broken(p, imsg, call->cl_admitted ? "too large" :
		    "before the call was admitted");
		goto out;
	}
	call->cl_unsent++;
	if (grpc_call_send(call->cl_grpc, msg->message.data,
	    msg->message.len) == -1)
		/* What is lost must not go unnoticed: the session ends. */
		cluster_call_finish(call, GRPC_RESOURCE_EXHAUSTED, "network",
		    errno == ENOBUFS ? "agent does not read" :
		    "message could not be sent");
	else if (grpc_call_queued(call->cl_grpc) <= H2_QUEUE_LOW)
		cluster_call_sent(call);
 out:
	pbmem_free(&pm);
}

void
cluster_reply_close(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__AgentClose	*msg;
	struct cluster_call		*call;
	struct pbmem			 pm;
	const char			*category;
	enum cluster_kind		 kind;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	msg = ipc_unpack(imsg, &sentinel__ipc__agent_close__descriptor, &pm);
	call = cluster_call_find(imsg_get_id(imsg));
	kind = call != NULL && call->cl_kind == CALL_FOLLOW ? CALL_FOLLOW :
	    CALL_CHANNEL;
	if (!take(p, imsg, msg, &pm, kind, &call) || call == NULL)
		goto out;
	category = category_of(msg->status);
	cluster_call_finish(call, (enum grpc_status)msg->status, category,
	    msg->message[0] != '\0' ? msg->message : "stream closed");
	if (strcmp(category, "cert") == 0)
		grpc_conn_goaway(call->cl_conn->cn_grpc);
 out:
	pbmem_free(&pm);
}

static const char *
category_of(uint32_t status)
{
	switch (status) {
	case GRPC_NOT_FOUND:
	case GRPC_PERMISSION_DENIED:
	case GRPC_UNAUTHENTICATED:
		return ("cert");
	default:
		return ("server");
	}
}
