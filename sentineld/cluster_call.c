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

#include <stdlib.h>
#include <string.h>

#include "ipc.pb-c.h"
#include "log.h"
#include "utf8.h"

/*
 * What a call is to the engine: its number, the time it waits, the reason it
 * ended, and when its agent has to wait.
 */
static void	 on_unanswered(evutil_socket_t, short, void *);

RB_GENERATE(call_tree, cluster_call, cl_entry, cluster_call_cmp)

int
cluster_call_cmp(const struct cluster_call *a, const struct cluster_call *b)
{
	return (a->cl_id < b->cl_id ? -1 : a->cl_id > b->cl_id);
}

struct cluster_call *
cluster_call_new(struct cluster_conn *conn, struct grpc_call *g,
    enum cluster_kind kind)
{
	struct cluster_call	*call;

	if ((call = calloc(1, sizeof(*call))) == NULL)
		return (NULL);
	call->cl_timer = evtimer_new(proc_base(), on_unanswered, call);
	if (call->cl_timer == NULL) {
		free(call);
		return (NULL);
	}
	call->cl_kind = kind;
	call->cl_conn = conn;
	call->cl_grpc = g;
	grpc_call_set_arg(g, call);
	TAILQ_INSERT_TAIL(&conn->cn_calls, call, cl_link);
	return (call);
}

struct cluster_call *
cluster_call_find(uint32_t id)
{
	struct cluster_call	 want;

	want.cl_id = id;
	return (RB_FIND(call_tree, &clu->calls, &want));
}

bool
cluster_call_number(struct cluster_call *call)
{
	struct timeval	 tv = monotime_timeval(CLUSTER_ANSWER_MSEC);

	if (proc_peer(ROLE_ENGINE) == NULL)
		return (false);
	if (clu->last_call == UINT32_MAX) {
		cluster_log("every call number was used: restart sentineld");
		return (false);
	}
	if (evtimer_add(call->cl_timer, &tv) == -1)
		return (false);
	call->cl_id = ++clu->last_call;
	RB_INSERT(call_tree, &clu->calls, call);
	return (true);
}

void
cluster_call_blame(struct cluster_call *call, const char *category,
    const char *text)
{
	if (call->cl_category[0] != '\0')
		return;
	(void)strlcpy(call->cl_category, category, sizeof(call->cl_category));
	/* Ends of connections quote libraries and peers. */
	(void)utf8_repair(call->cl_text, sizeof(call->cl_text), text,
	    strlen(text));
}

void
cluster_call_finish(struct cluster_call *call, enum grpc_status status,
    const char *category, const char *text)
{
	if (call->cl_ended || call->cl_grpc == NULL)
		return;
	cluster_call_blame(call, category, text);
	call->cl_ended = true;
	(void)event_del(call->cl_timer);
	/* gRPC resets it when the trailers do not leave in time. */
	grpc_call_finish(call->cl_grpc, status, text);
}

void
cluster_call_end(struct cluster_call *call)
{
	Sentinel__Ipc__AgentClosed	 msg;
	struct cluster_conn		*conn = call->cl_conn;

	if (call->cl_session) {
		sentinel__ipc__agent_closed__init(&msg);
		msg.category = call->cl_category;
		msg.text = call->cl_text;
		(void)peer_send_pb(proc_peer(ROLE_ENGINE), IMSG_AGENT_CLOSED,
		    call->cl_id, &msg.base);
	}
	if (call->cl_id != 0)
		RB_REMOVE(call_tree, &clu->calls, call);
	TAILQ_REMOVE(&conn->cn_calls, call, cl_link);
	if (call->cl_admitted) {
		conn->cn_channels--;
		cluster_conn_watch(conn);
	}
	event_free(call->cl_timer);
	free(call);
}

void
cluster_call_pause(struct cluster_call *call, unsigned int why)
{
	if (call->cl_pause == 0 && call->cl_grpc != NULL)
		grpc_call_pause(call->cl_grpc);
	call->cl_pause |= why;
}

void
cluster_call_resume(struct cluster_call *call, unsigned int why)
{
	if (call->cl_pause == 0)
		return;
	call->cl_pause &= ~why;
	if (call->cl_pause == 0 && call->cl_grpc != NULL)
		grpc_call_resume(call->cl_grpc);
}

/* Credit goes back once the bytes have left us. */
void
cluster_call_sent(struct cluster_call *call)
{
	Sentinel__Ipc__Sent	 msg;

	if (call->cl_unsent == 0)
		return;
	sentinel__ipc__sent__init(&msg);
	msg.count = call->cl_unsent;
	call->cl_unsent = 0;
	(void)peer_send_pb(proc_peer(ROLE_ENGINE), IMSG_AGENT_SENT,
	    call->cl_id, &msg.base);
}

/* The engine did not answer. */
static void
on_unanswered(evutil_socket_t fd, short what, void *arg)
{
	struct cluster_call	*call = arg;

	(void)fd;
	(void)what;
	if (call->cl_kind == CALL_FOLLOW && (call->cl_id == 0 ||
	    call->cl_admitted)) {
		cluster_follow_timer(call);
		return;
	}
	log_warnx("call %u from %s: no answer from the engine within %d ms",
	    call->cl_id, call->cl_conn->cn_address, CLUSTER_ANSWER_MSEC);
	cluster_call_finish(call, GRPC_UNAVAILABLE, "server",
	    call->cl_kind == CALL_ENROLL ? "server is busy; try again with "
	    "the same token" : "server is busy");
}

/* --- credit towards the engine ------------------------------------------ */

/*
 * The engine is always read by its siblings and reads us always, so a full
 * queue only says that it is slow: agents wait then, and nothing is lost.
 */
void
cluster_flow_check(void)
{
	struct cluster_conn	*conn;
	struct cluster_call	*call;
	struct timeval		 tv = monotime_timeval(CLUSTER_FLOW_MSEC);

	if (clu->blocked || peer_has_credit(proc_peer(ROLE_ENGINE)))
		return;
	if (evtimer_add(clu->flow_ev, &tv) == -1)
		return;
	clu->blocked = true;
	TAILQ_FOREACH(conn, &clu->conns, cn_entry)
		TAILQ_FOREACH(call, &conn->cn_calls, cl_link)
			cluster_call_pause(call, PAUSE_FLOW);
}

void
cluster_flow_retry(evutil_socket_t fd, short what, void *arg)
{
	struct cluster_conn	*conn;
	struct cluster_call	*call;
	struct timeval		 tv = monotime_timeval(CLUSTER_FLOW_MSEC);

	(void)fd;
	(void)what;
	(void)arg;
	if (!peer_has_credit(proc_peer(ROLE_ENGINE)) &&
	    evtimer_add(clu->flow_ev, &tv) == 0)
		return;
	clu->blocked = false;
	TAILQ_FOREACH(conn, &clu->conns, cn_entry)
		TAILQ_FOREACH(call, &conn->cn_calls, cl_link)
			cluster_call_resume(call, PAUSE_FLOW);
}
