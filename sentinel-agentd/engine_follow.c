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

#include "engine_follow.h"

#include <arpa/inet.h>

#include <stdlib.h>
#include <string.h>

#include "follow.h"
#include "ipccheck.h"
#include "log.h"
#include "pbcheck.h"
#include "xmalloc.h"

struct follow {
	TAILQ_ENTRY(follow) fo_entry;
	uint32_t	 fo_id;		/* towards docker and uplink */
	char		 fo_request[REQUEST_ID_SIZE];
	char		 fo_container[256];
	uint8_t		 fo_stream[FOLLOW_ID_LEN];
	bool		 fo_open;	/* uplink has the call */
	bool		 fo_docker;	/* docker has not ended it */
	unsigned int	 fo_out;	/* texts without credit */
};

static const char *begin_fault(const Sentinel__Cluster__ServerMessage *);
static void	 call_open(struct follow *);
static void	 call_send(struct follow *,
		    const Sentinel__Cluster__FollowLogsData *, bool end);
static void	 stop(struct follow *);
static void	 fail(const struct follow *, const char *);

static TAILQ_HEAD(, follow)	 follows = TAILQ_HEAD_INITIALIZER(follows);
static size_t			 nfollows;
static uint32_t			 last_id;

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

/* --- requests ------------------------------------------------------------- */

void
follow_refuse(const Sentinel__Cluster__ServerMessage *m, const char *why)
{
	struct command	 c;

	if (m->request_id[0] == '\0') {
		engine_tell_refusal("", "a command without a request id");
		return;
	}
	memset(&c, 0, sizeof(c));
	c.cm_kind = SENTINEL__IPC__DOCKER_OP__KIND__LOGS;
	(void)strlcpy(c.cm_id, m->request_id, sizeof(c.cm_id));
	(void)strlcpy(c.cm_container, m->follow_logs->container_name,
	    sizeof(c.cm_container));
	docker_refuse(&c, why);
}

/* NULL, or why there can be none. */
static const char *
begin_fault(const Sentinel__Cluster__ServerMessage *m)
{
	struct peer	*p = proc_peer(ROLE_A_DOCKER);

	if (m->follow_logs->stream_id.len != FOLLOW_ID_LEN)
		return ("a request without a stream id");
	if (m->follow_logs->container_name[0] == '\0')
		return ("a request without a container");
	if (p == NULL || !eng->docker_up)
		return (eng->docker_error);
	if (!peer_has_credit(p))
		return ("too many commands are under way on this host; try "
		    "again");
	if (nfollows >= FOLLOW_HOST_MAX)
		return ("6 logs of this host are followed already, and that "
		    "is the most: end one of them");
	return (NULL);
}

void
follow_begin(const Sentinel__Cluster__ServerMessage *m)
{
	const Sentinel__Cluster__FollowLogsRequest	*want = m->follow_logs;
	Sentinel__Ipc__DockerFollow			 ask;
	struct follow					*fo;
	const char					*why = "";

	if (m->request_id[0] == '\0' || (why = begin_fault(m)) != NULL) {
		follow_refuse(m, why);
		return;
	}
	TAILQ_FOREACH(fo, &follows, fo_entry) {
		if (strcmp(fo->fo_request, m->request_id) == 0 ||
		    memcmp(fo->fo_stream, want->stream_id.data,
		    FOLLOW_ID_LEN) == 0) {
			engine_tell_refusal(m->request_id, "it came again and "
			    "runs once");
			return;
		}
	}
	fo = xcalloc(1, sizeof(*fo));
	if (++last_id == 0)
		last_id = 1;
	fo->fo_id = last_id;
	fo->fo_docker = true;
	(void)strlcpy(fo->fo_request, m->request_id, sizeof(fo->fo_request));
	(void)strlcpy(fo->fo_container, want->container_name,
	    sizeof(fo->fo_container));
	memcpy(fo->fo_stream, want->stream_id.data, FOLLOW_ID_LEN);
	TAILQ_INSERT_TAIL(&follows, fo, fo_entry);
	nfollows++;
	sentinel__ipc__docker_follow__init(&ask);
	ask.container = fo->fo_container;
	ask.lines = want->lines;
	ask.since = want->since;
	ask.streams = want->streams == 0 ? FOLLOW_BOTH : want->streams;
	ask.timestamps = want->timestamps;
	peer_send_pb(proc_peer(ROLE_A_DOCKER), IMSG_DOCKER_FOLLOW, fo->fo_id,
	    &ask.base);
}

/* Before the call is open. */
static void
fail(const struct follow *fo, const char *why)
{
	struct command	 c;

	memset(&c, 0, sizeof(c));
	c.cm_kind = SENTINEL__IPC__DOCKER_OP__KIND__LOGS;
	(void)strlcpy(c.cm_id, fo->fo_request, sizeof(c.cm_id));
	(void)strlcpy(c.cm_container, fo->fo_container,
	    sizeof(c.cm_container));
	docker_refuse(&c, why);
}

/* --- towards the server --------------------------------------------------- */

static void
call_open(struct follow *fo)
{
	Sentinel__Cluster__FollowLogsData	 first;
	Sentinel__Ipc__UplinkFollow		 m;
	uint8_t					*data;

	sentinel__cluster__follow_logs_data__init(&first);
	first.stream_id.data = fo->fo_stream;
	first.stream_id.len = sizeof(fo->fo_stream);
	sentinel__ipc__uplink_follow__init(&m);
	m.attempt = eng->attempt;
	m.open = true;
	data = pbcheck_pack(&first.base, FOLLOW_MESSAGE_MAXBYTES,
	    &m.message.len);
	if (data == NULL)
		fatal("follow");
	m.message.data = data;
	(void)peer_send_pb(proc_peer(ROLE_A_UPLINK), IMSG_UPLINK_FOLLOW,
	    fo->fo_id, &m.base);
	free(data);
	fo->fo_open = true;
}

static void
call_send(struct follow *fo, const Sentinel__Cluster__FollowLogsData *data,
    bool end)
{
	Sentinel__Ipc__UplinkFollow	 m;
	uint8_t				*body;

	sentinel__ipc__uplink_follow__init(&m);
	m.attempt = eng->attempt;
	m.end = end;
	body = pbcheck_pack(&data->base, FOLLOW_MESSAGE_MAXBYTES,
	    &m.message.len);
	if (body == NULL)
		fatal("follow");
	m.message.data = body;
	(void)peer_send_pb(proc_peer(ROLE_A_UPLINK), IMSG_UPLINK_FOLLOW,
	    fo->fo_id, &m.base);
	free(body);
}

/* fo is gone, and uplink's call is; docker lets go of it. */
static void
stop(struct follow *fo)
{
	if (fo->fo_docker)
		(void)peer_send(proc_peer(ROLE_A_DOCKER),
		    IMSG_DOCKER_UNFOLLOW, fo->fo_id, -1, NULL, 0);
	TAILQ_REMOVE(&follows, fo, fo_entry);
	nfollows--;
	free(fo);
}

void
follow_session_lost(void)
{
	struct follow	*fo, *next;

	TAILQ_FOREACH_SAFE(fo, &follows, fo_entry, next)
		stop(fo);
}

void
follow_docker_lost(void)
{
	Sentinel__Cluster__FollowLogsData	 data;
	struct follow				*fo, *next;

	sentinel__cluster__follow_logs_data__init(&data);
	data.end = engine_lend("the docker process of the agent has died");
	data.failed = true;
	TAILQ_FOREACH_SAFE(fo, &follows, fo_entry, next) {
		if (!fo->fo_docker)
			continue;
		fo->fo_docker = false;
		if (fo->fo_open)
			call_send(fo, &data, true);
		else {
			fail(fo, data.end);
			stop(fo);
		}
	}
}

/* --- from the siblings ---------------------------------------------------- */

void
follow_docker(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__DockerFollowed	*m;
	struct follow			*fo;
	struct pbmem			 pm;
	bool				 end;

	/* One that we have ended meanwhile. */
	if ((fo = find(imsg_get_id(imsg))) == NULL)
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__docker_followed__descriptor, &pm);
	end = m != NULL && m->data != NULL && m->data->end[0] != '\0';
	if (m == NULL || !fo->fo_docker || (m->open ? fo->fo_open :
	    m->data == NULL || (!end && (!fo->fo_open ||
	    fo->fo_out >= FOLLOW_WINDOW)))) {
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "follow out of order");
		goto out;
	}
	if (m->open)
		call_open(fo);
	else if (!end) {
		fo->fo_out++;
		call_send(fo, m->data, false);
	} else {
		fo->fo_docker = false;
		if (fo->fo_open)
			/* uplink says when the server has it. */
			call_send(fo, m->data, true);
		else {
			fail(fo, m->data->end);
			stop(fo);
		}
	}
 out:
	pbmem_free(&pm);
}

void
follow_uplink(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__UplinkFollowed	*m;
	struct follow			*fo;
	struct pbmem			 pm;
	uint32_t			 body;

	if ((fo = find(imsg_get_id(imsg))) == NULL)
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__uplink_followed__descriptor, &pm);
	if (m == NULL || !fo->fo_open || m->sent > fo->fo_out) {
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "credit that was not taken");
		goto out;
	}
	fo->fo_out -= m->sent;
	body = htonl(m->sent);
	if (m->sent > 0 && fo->fo_docker)
		(void)peer_send(proc_peer(ROLE_A_DOCKER), IMSG_DOCKER_TAKEN,
		    fo->fo_id, -1, &body, sizeof(body));
	if (m->ended) {
		if (m->status != GRPC_OK)
			log_info("request %s: logs of %s: ended by the "
			    "server: %s: %s", fo->fo_request,
			    fo->fo_container,
			    grpc_status_name((int)m->status), m->text);
		stop(fo);
	}
 out:
	pbmem_free(&pm);
}
