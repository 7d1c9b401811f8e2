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

#include "uplink.h"

#include <stdlib.h>

#include "follow.h"
#include "h2.h"
#include "log.h"

/*
 * FollowLogs calls beside the Channel, one for each number of the engine.
 * What is unsent of a call waits in gRPC, at most FOLLOW_WINDOW messages and
 * what credit was given for while less than H2_QUEUE_LOW were queued.
 */
struct follow {
	TAILQ_ENTRY(follow) fo_entry;
	uint32_t	 fo_id;
	struct grpc_call *fo_call;
	uint32_t	 fo_unsent;	/* messages not yet credited */
};

static void	 open_call(struct attempt *, uint32_t);
static void	 send_message(struct follow *,
		    const Sentinel__Ipc__UplinkFollow *);
static void	 tell(const struct follow *, uint32_t, bool,
		    enum grpc_status, const char *);
static void	 credit(struct follow *);
static void	 forget(struct follow *);

/* There is one session at a time. */
static TAILQ_HEAD(, follow)	 follows = TAILQ_HEAD_INITIALIZER(follows);

static const struct grpc_method	follow_method = {
	"/sentinel.cluster.AgentService/FollowLogs", 1024, false
};

static struct follow *
find(uint32_t id)
{
	struct follow	*fo;

	TAILQ_FOREACH(fo, &follows, fo_entry) {
		if (fo->fo_id == id)
			return (fo);
	}
	return (NULL);
}

static void
tell(const struct follow *fo, uint32_t sent, bool ended,
    enum grpc_status status, const char *text)
{
	Sentinel__Ipc__UplinkFollowed	 m;

	sentinel__ipc__uplink_followed__init(&m);
	m.sent = sent;
	m.ended = ended;
	m.status = (uint32_t)status;
	m.text = (char *)(uintptr_t)text;
	peer_send_pb(proc_peer(ROLE_A_ENGINE), IMSG_UPLINK_FOLLOWED,
	    fo->fo_id, &m.base);
}

static void
forget(struct follow *fo)
{
	TAILQ_REMOVE(&follows, fo, fo_entry);
	free(fo);
}

static void
open_call(struct attempt *at, uint32_t id)
{
	struct follow	*fo;

	if ((fo = calloc(1, sizeof(*fo))) == NULL)
		fatal("uplink: follow");
	fo->fo_id = id;
	TAILQ_INSERT_TAIL(&follows, fo, fo_entry);
	fo->fo_call = grpc_call_start(at->at_conn, &follow_method, 0, fo);
	if (fo->fo_call == NULL) {
		tell(fo, 0, true, GRPC_UNAVAILABLE, "no call can be opened");
		forget(fo);
	}
}

static void
send_message(struct follow *fo, const Sentinel__Ipc__UplinkFollow *m)
{
	if (grpc_call_send(fo->fo_call, m->message.data, m->message.len) ==
	    -1) {
		grpc_call_cancel(fo->fo_call);
		tell(fo, 0, true, GRPC_RESOURCE_EXHAUSTED,
		    "message could not be sent");
		forget(fo);
		return;
	}
	/* The stream_id and the end took no credit. */
	if (!m->open && !m->end)
		fo->fo_unsent++;
	if (grpc_call_queued(fo->fo_call) <= H2_QUEUE_LOW)
		credit(fo);
}

static void
credit(struct follow *fo)
{
	uint32_t	 n = fo->fo_unsent;

	fo->fo_unsent = 0;
	if (n > 0)
		tell(fo, n, false, GRPC_OK, "");
}

void
follow_request(struct attempt *at, uint32_t id,
    const Sentinel__Ipc__UplinkFollow *m)
{
	struct follow	*fo;

	if (m->open)
		open_call(at, id);
	/* It may have ended, and the engine not know yet. */
	if ((fo = find(id)) == NULL)
		return;
	if (m->message.len > 0)
		send_message(fo, m);
	if (m->end && (fo = find(id)) != NULL)
		(void)grpc_call_half_close(fo->fo_call);
}

bool
follow_is_known(uint32_t id)
{
	return (find(id) != NULL);
}

bool
follow_drained(struct grpc_call *call)
{
	struct follow	*fo = grpc_call_arg(call);

	if (fo == NULL)
		return (false);
	credit(fo);
	return (true);
}

bool
follow_status(struct grpc_call *call, enum grpc_status status,
    const char *text)
{
	struct follow	*fo = grpc_call_arg(call);

	if (fo == NULL)
		return (false);
	tell(fo, 0, true, status, text);
	forget(fo);
	return (true);
}

void
follow_clear(void)
{
	struct follow	*fo;

	while ((fo = TAILQ_FIRST(&follows)) != NULL)
		forget(fo);
}
