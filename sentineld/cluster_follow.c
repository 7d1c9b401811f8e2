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

#include "follow.h"
#include "ipc.pb-c.h"
#include "pbcheck.h"

/*
 * FollowLogs: the agent presents a stream_id, the engine says whether it has
 * asked this host for it, then texts go on to the engine, FOLLOW_WINDOW of
 * them until it gives credit.  A paused call holds back no other: each has its
 * own part of the connection's window.
 */
static void	 take_id(struct cluster_call *,
		    const Sentinel__Cluster__FollowLogsData *);
static void	 take_text(struct cluster_call *,
		    Sentinel__Cluster__FollowLogsData *);

/* cl_timer: for the id, then for the engine's answer, then for slices. */
bool
cluster_follow_open(struct cluster_call *call)
{
	struct timeval	 tv = monotime_timeval(CLUSTER_FOLLOW_MSEC);

	return (evtimer_add(call->cl_timer, &tv) == 0);
}

void
cluster_follow_message(struct cluster_call *call, const uint8_t *data,
    size_t len)
{
	Sentinel__Cluster__FollowLogsData	*msg;
	struct pbmem				 pm;
	const char				*why;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	msg = pbcheck_unpack(&sentinel__cluster__follow_logs_data__descriptor,
	    data, len, &pm, &why);
	if (msg == NULL)
		cluster_rpc_refuse(call, why, errno);
	else if (!call->cl_admitted)
		take_id(call, msg);
	else
		take_text(call, msg);
	pbmem_free(&pm);
}

static void
take_id(struct cluster_call *call,
    const Sentinel__Cluster__FollowLogsData *msg)
{
	if (msg->stream_id.len != FOLLOW_ID_LEN || call->cl_id != 0)
		cluster_call_finish(call, GRPC_INVALID_ARGUMENT, "server",
		    "the first message is the stream's id");
	else if (!cluster_call_number(call))
		cluster_call_finish(call, GRPC_UNAVAILABLE, "server",
		    "server is busy");
	else {
		cluster_call_pause(call, PAUSE_ADMIT);
		cluster_rpc_ask(call, NULL, &msg->stream_id);
	}
}

void
cluster_follow_admit(struct cluster_call *call)
{
	(void)event_del(call->cl_timer);
	call->cl_admitted = true;
	call->cl_conn->cn_channels++;
	cluster_conn_watch(call->cl_conn);
	cluster_call_resume(call, PAUSE_ADMIT);
}

/* A second id has no meaning and is left out. */
static void
take_text(struct cluster_call *call, Sentinel__Cluster__FollowLogsData *msg)
{
	struct timeval	 tv = monotime_timeval(CLUSTER_FOLLOW_SLICE_MSEC);

	pbcheck_strip(&msg->base);
	msg->stream_id.len = 0;
	if (peer_send_pb(proc_peer(ROLE_ENGINE), IMSG_AGENT_FOLLOW,
	    call->cl_id, &msg->base) == -1)
		return;
	if (++call->cl_out >= FOLLOW_WINDOW)
		cluster_call_pause(call, PAUSE_TAKEN);
	if (!evtimer_pending(call->cl_timer, NULL)) {
		call->cl_slice = 0;
		(void)evtimer_add(call->cl_timer, &tv);
	}
	if (++call->cl_slice >= CLUSTER_FOLLOW_SLICE)
		cluster_call_pause(call, PAUSE_SLICE);
}

void
cluster_follow_timer(struct cluster_call *call)
{
	if (call->cl_admitted)
		cluster_call_resume(call, PAUSE_SLICE);
	else
		cluster_call_finish(call, GRPC_DEADLINE_EXCEEDED, "server",
		    "no stream id came");
}

/* u32 messages */
void
cluster_follow_taken(struct peer *p, struct imsg *imsg)
{
	struct cluster_call	*call;
	uint32_t		 n;

	if (ibuf_get_n32(imsg_get_ibuf(imsg), &n) == -1) {
		peer_broken(p, imsg, "bad AGENT_TAKEN");
		return;
	}
	call = cluster_call_find(imsg_get_id(imsg));
	if (call == NULL)
		return;
	if (call->cl_kind != CALL_FOLLOW || n > call->cl_out) {
		peer_broken(p, imsg, "credit that was not taken");
		return;
	}
	call->cl_out -= n;
	if (call->cl_out < FOLLOW_WINDOW)
		cluster_call_resume(call, PAUSE_TAKEN);
}
