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

#include <sys/socket.h>

#include <arpa/inet.h>
#include <netinet/in.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crashpage.h"
#include "log.h"
#include "tlsconf.h"
#include "utf8.h"

/*
 * The life of a connection: TLS handshake, ALPN, identity, gRPC, PINGs, end.
 * It is on clu->conns from accept to free, on clu->unproven until its
 * certificate is seen.
 */
static void	 on_up(struct stream *, void *);
static void	 on_read(struct stream *, struct evbuffer *, void *);
static void	 on_end(struct stream *, enum stream_end, const char *, void *);
static void	 set_address(struct cluster_conn *, const struct sockaddr *);
static bool	 make_room(const struct cluster_conn *);
static bool	 is_welcome(struct cluster_conn *);
static void	 prove(struct cluster_conn *);
static void	 reject(struct cluster_conn *, const char *);
static void	 conn_free(struct cluster_conn *);
static const char *end_reason(const struct cluster_conn *, enum stream_end,
		    const char *, char *, size_t);
static void	 on_ping(evutil_socket_t, short, void *);
static void	 on_pong(struct grpc_conn *, int, void *);
static void	 ping_arm(struct cluster_conn *);
static void	 on_slow(evutil_socket_t, short, void *);
static void	 fill(struct cluster_conn *);

static const struct stream_ops	stream_ops = {
	.so_up = on_up,
	.so_read = on_read,
	.so_end = on_end
};

void
cluster_conn_new(int fd, const struct sockaddr *sa)
{
	struct cluster_conn	*conn;
	struct tls		*tls = NULL;

	if ((conn = calloc(1, sizeof(*conn))) == NULL) {
		(void)close(fd);
		return;
	}
	TAILQ_INIT(&conn->cn_calls);
	conn->cn_since = conn->cn_filled = monotime_now();
	conn->cn_tokens = (int64_t)CLUSTER_RATE_BURST * 1000;
	conn->cn_rate_logged = -CLUSTER_RATE_LOG_MSEC;
	set_address(conn, sa);
	if (cluster_hold_address(conn)) {
		cluster_log("%s: refused: held off after a crash",
		    conn->cn_address);
		goto fail;
	}
	if (!make_room(conn))
		goto fail;
	conn->cn_ping = evtimer_new(proc_base(), on_ping, conn);
	conn->cn_slow = evtimer_new(proc_base(), on_slow, conn);
	if (conn->cn_ping == NULL || conn->cn_slow == NULL)
		goto fail;
	if (tls_accept_socket(clu->identity->ci_tls, &tls, fd) == -1) {
		cluster_log("%s: TLS: %s", conn->cn_address,
		    tls_error(clu->identity->ci_tls));
		goto fail;
	}
	conn->cn_stream = stream_new(proc_base(), fd, tls, &stream_ops, conn);
	if (conn->cn_stream == NULL)
		goto fail;
	stream_set_guard(conn->cn_stream, cluster_hold_guard, conn);
	stream_set_handshake(conn->cn_stream,
	    (unsigned int)clu->conf.cc_handshake_msec);
	conn->cn_identity = clu->identity;
	conn->cn_identity->ci_refs++;
	TAILQ_INSERT_TAIL(&clu->conns, conn, cn_entry);
	TAILQ_INSERT_TAIL(&clu->unproven, conn, cn_ulink);
	clu->nconns++;
	clu->nunproven++;
	conn->cn_round = clu->round;
	return;
 fail:
	tls_free(tls);
	if (conn->cn_ping != NULL)
		event_free(conn->cn_ping);
	if (conn->cn_slow != NULL)
		event_free(conn->cn_slow);
	free(conn);
	(void)close(fd);
}

/* cn_address for people, cn_net for fairness. */
static void
set_address(struct cluster_conn *conn, const struct sockaddr *sa)
{
	const struct sockaddr_in6	*sin6;
	const struct sockaddr_in	*sin;
	const char			*text = NULL;

	if (sa->sa_family == AF_INET) {
		sin = (const struct sockaddr_in *)(const void *)sa;
		memcpy(conn->cn_net + 12, &sin->sin_addr, 4);
		text = inet_ntop(AF_INET, &sin->sin_addr, conn->cn_address,
		    sizeof(conn->cn_address));
	} else if (sa->sa_family == AF_INET6) {
		sin6 = (const struct sockaddr_in6 *)(const void *)sa;
		if (IN6_IS_ADDR_V4MAPPED(&sin6->sin6_addr)) {
			memcpy(conn->cn_net + 12,
			    &sin6->sin6_addr.s6_addr[12], 4);
			text = inet_ntop(AF_INET,
			    &sin6->sin6_addr.s6_addr[12], conn->cn_address,
			    sizeof(conn->cn_address));
		} else {
			memcpy(conn->cn_net, &sin6->sin6_addr, 8);
			text = inet_ntop(AF_INET6, &sin6->sin6_addr,
			    conn->cn_address, sizeof(conn->cn_address));
		}
	}
	if (text == NULL)
		(void)strlcpy(conn->cn_address, "unknown",
		    sizeof(conn->cn_address));
}

/*
 * Of the unproven, who makes room: one that has let us wait, an old handshake
 * rather than an enrolment.  Whose bytes lie here unread while we work on
 * others does not let us wait: in each round every one that has something to
 * read is served once.
 */
static struct cluster_conn *
slow_unproven(void)
{
	const monotime_t	 now = monotime_now();
	struct cluster_conn	*conn, *slow = NULL;

	TAILQ_FOREACH(conn, &clu->unproven, cn_ulink) {
		if (now - conn->cn_since < CLUSTER_EVICT_MSEC ||
		    clu->round - conn->cn_round < CLUSTER_EVICT_ROUNDS)
			continue;
		if (slow == NULL || (slow->cn_grpc != NULL &&
		    conn->cn_grpc == NULL))
			slow = conn;
	}
	return (slow);
}

bool
cluster_conn_is_crowded(void)
{
	return (clu->nunproven >= CLUSTER_UNPROVEN_MAX &&
	    slow_unproven() == NULL);
}

/*
 * A place among the unproven.  No address may have all of them; when all are
 * taken a slow one goes, since an honest handshake is over long before.
 */
static bool
make_room(const struct cluster_conn *conn)
{
	struct cluster_conn	*other, *slow;
	size_t			 same = 0;

	TAILQ_FOREACH(other, &clu->unproven, cn_ulink)
		if (memcmp(other->cn_net, conn->cn_net,
		    sizeof(conn->cn_net)) == 0)
			same++;
	if (same >= CLUSTER_UNPROVEN_ADDR) {
		cluster_log("%s: refused: %zu connections without a "
		    "certificate are open", conn->cn_address, same);
		return (false);
	}
	if (clu->nunproven < CLUSTER_UNPROVEN_MAX)
		return (true);
	if ((slow = slow_unproven()) == NULL) {
		cluster_log("%s: refused: too many handshakes at a time",
		    conn->cn_address);
		return (false);
	}
	cluster_log("%s: closed: made room for others", slow->cn_address);
	cluster_conn_drop(slow, "server", "made room for others");
	return (true);
}

static void
on_up(struct stream *s, void *arg)
{
	struct cluster_conn	*conn = arg;
	const char		*fault;

	if ((fault = tlsconf_fault(stream_tls(s), TLSCONF_H2)) != NULL) {
		clu->handshake_failures++;
		reject(conn, fault);
		return;
	}
	clu->handshakes++;
	cluster_identity_unref(conn->cn_identity);
	conn->cn_identity = NULL;
	cluster_rpc_identify(conn);
	if (conn->cn_cert) {
		crashpage_prove(conn->cn_facts.xf_cn);
		if (cluster_hold_host(conn)) {
			reject(conn, "its host is held off after a crash");
			return;
		}
		if (!is_welcome(conn))
			return;
	}
	conn->cn_grpc = grpc_server_new(proc_base(), s, cluster_methods,
	    &cluster_ops, conn);
	if (conn->cn_grpc == NULL) {
		reject(conn, "out of memory");
		return;
	}
	conn->cn_stream = NULL;
	if (conn->cn_cert)
		prove(conn);
	else
		stream_set_deadline(s, CLUSTER_UNPROVEN_MSEC);
}

/* Nothing is read before gRPC takes over. */
static void
on_read(struct stream *s, struct evbuffer *in, void *arg)
{
	(void)s;
	(void)in;
	(void)arg;
}

/* The handshake failed. */
static void
on_end(struct stream *s, enum stream_end end, const char *text, void *arg)
{
	struct cluster_conn	*conn = arg;

	(void)s;
	(void)end;
	clu->handshake_failures++;
	reject(conn, text);
}

static void
reject(struct cluster_conn *conn, const char *why)
{
	cluster_log("%s: refused: %s", conn->cn_address, why);
	/* Flushes the alert, if there is one. */
	stream_close(conn->cn_stream);
	conn->cn_stream = NULL;
	conn_free(conn);
}

/*
 * A host may come again before its dead connection is noticed, so of too many
 * with one certificate the oldest goes.
 */
static bool
is_welcome(struct cluster_conn *conn)
{
	struct cluster_conn	*other, *oldest = NULL;
	unsigned int		 same = 0;

	if (clu->nconns - clu->nunproven >= clu->conf.cc_max_agents) {
		reject(conn, "cluster.max_agents connections are open");
		return (false);
	}
	TAILQ_FOREACH(other, &clu->conns, cn_entry) {
		if (!other->cn_proven || strcmp(other->cn_facts.xf_serial,
		    conn->cn_facts.xf_serial) != 0)
			continue;
		if (oldest == NULL)
			oldest = other;
		same++;
	}
	if (same >= CLUSTER_PER_HOST) {
		cluster_log("agent %s: %u connections: the oldest is closed",
		    conn->cn_facts.xf_cn, same);
		cluster_conn_drop(oldest, "server",
		    "replaced by a newer connection");
	}
	return (true);
}

static void
prove(struct cluster_conn *conn)
{
	conn->cn_proven = true;
	TAILQ_REMOVE(&clu->unproven, conn, cn_ulink);
	clu->nunproven--;
}

static void
conn_free(struct cluster_conn *conn)
{
	TAILQ_REMOVE(&clu->conns, conn, cn_entry);
	clu->nconns--;
	if (!conn->cn_proven) {
		TAILQ_REMOVE(&clu->unproven, conn, cn_ulink);
		clu->nunproven--;
	}
	cluster_identity_unref(conn->cn_identity);
	event_free(conn->cn_ping);
	event_free(conn->cn_slow);
	free(conn);
	cluster_conn_gone();
}

/* --- the end ------------------------------------------------------------ */

void
cluster_conn_drop(struct cluster_conn *conn, const char *category,
    const char *text)
{
	struct cluster_call	*call;

	if (conn->cn_grpc != NULL)
		grpc_conn_close(conn->cn_grpc);
	else
		stream_free(conn->cn_stream);
	while ((call = TAILQ_FIRST(&conn->cn_calls)) != NULL) {
		call->cl_grpc = NULL;
		cluster_call_blame(call, category, text);
		cluster_call_end(call);
	}
	conn_free(conn);
}

void
cluster_conn_stop(struct cluster_conn *conn)
{
	struct cluster_call	*call, *next;

	if (conn->cn_grpc == NULL) {
		cluster_conn_drop(conn, "server", "server is stopping");
		return;
	}
	TAILQ_FOREACH_SAFE(call, &conn->cn_calls, cl_link, next)
		cluster_call_finish(call, GRPC_UNAVAILABLE, "server",
		    "server is stopping");
	grpc_conn_goaway(conn->cn_grpc);
}

/* gRPC has ended the connection; calls that it took along are still here. */
void
cluster_conn_closed(struct grpc_conn *gc, enum stream_end end,
    const char *text, void *arg)
{
	struct cluster_conn	*conn = arg;
	struct cluster_call	*call;
	const char		*category;
	char			 reason[CLUSTER_TEXT_SIZE];

	(void)gc;
	category = end_reason(conn, end, text, reason, sizeof(reason));
	if (conn->cn_cert && end == STREAM_END_PROTOCOL)
		cluster_log("agent %s at %s: closed: %s",
		    conn->cn_facts.xf_cn, conn->cn_address, reason);
	else if (conn->cn_cert)
		log_debug("agent %s at %s: %s", conn->cn_facts.xf_cn,
		    conn->cn_address, reason);
	else if (end == STREAM_END_PROTOCOL)
		cluster_log("%s: closed: %s", conn->cn_address, reason);
	while ((call = TAILQ_FIRST(&conn->cn_calls)) != NULL) {
		cluster_call_blame(call, category, reason);
		cluster_call_end(call);
	}
	conn_free(conn);
}

/*
 * What the host list will show.  Returns the category: server is what we have
 * ended, network everything else.
 */
static const char *
end_reason(const struct cluster_conn *conn, enum stream_end end,
    const char *text, char *buf, size_t size)
{
	switch (end) {
	case STREAM_END_EOF:
		(void)strlcpy(buf, grpc_conn_has_bye(conn->cn_grpc) ?
		    "agent stopped" : "connection lost (EOF)", size);
		return ("network");
	case STREAM_END_RESET:
		if (strstr(text, "reset") != NULL ||
		    strstr(text, "Broken pipe") != NULL)
			(void)strlcpy(buf, "connection reset by peer", size);
		else
			(void)snprintf(buf, size, "connection lost: %s",
			    text);
		return ("network");
	case STREAM_END_TIMEOUT:
		(void)strlcpy(buf, "connection timed out", size);
		return ("network");
	case STREAM_END_TLS:
		(void)snprintf(buf, size, "connection broken: %s", text);
		return ("network");
	case STREAM_END_PROTOCOL:
	case STREAM_END_LOCAL:
		break;
	}
	(void)strlcpy(buf, text, size);
	return ("server");
}

/* --- PINGs -------------------------------------------------------------- */

void
cluster_conn_watch(struct cluster_conn *conn)
{
	if (conn->cn_channels == 0)
		(void)event_del(conn->cn_ping);
	else if (!event_pending(conn->cn_ping, EV_TIMEOUT, NULL))
		ping_arm(conn);
}

/* Agents that came back together shall not be asked together. */
static void
ping_arm(struct cluster_conn *conn)
{
	uint32_t	 msec = (uint32_t)clu->conf.cc_ping_msec;
	struct timeval	 tv;

	tv = monotime_timeval(msec - arc4random_uniform(msec / 5 + 1));
	if (evtimer_add(conn->cn_ping, &tv) == -1)
		log_warnx("agent %s: no timer", conn->cn_facts.xf_cn);
}

static void
on_ping(evutil_socket_t fd, short what, void *arg)
{
	struct cluster_conn	*conn = arg;

	(void)fd;
	(void)what;
	(void)clock_gettime(CLOCK_MONOTONIC, &conn->cn_pinged);
	/* One that is still out brings the next one. */
	(void)grpc_conn_ping(conn->cn_grpc,
	    (unsigned int)clu->conf.cc_pong_msec, on_pong, conn);
}

static void
on_pong(struct grpc_conn *gc, int rtt, void *arg)
{
	struct cluster_conn	*conn = arg;
	struct cluster_call	*call;
	struct timespec		 now;
	int64_t			 usec;
	uint32_t		 body;

	(void)gc;
	if (rtt == -1) {
		cluster_conn_drop(conn, "network", "connection timed out");
		return;
	}
	(void)clock_gettime(CLOCK_MONOTONIC, &now);
	usec = (int64_t)(now.tv_sec - conn->cn_pinged.tv_sec) * 1000000 +
	    (now.tv_nsec - conn->cn_pinged.tv_nsec) / 1000;
	body = htonl(usec < 1 ? 1 : usec > UINT32_MAX ? UINT32_MAX :
	    (uint32_t)usec);
	TAILQ_FOREACH(call, &conn->cn_calls, cl_link) {
		if (call->cl_kind == CALL_CHANNEL && call->cl_admitted &&
		    !call->cl_ended)
			(void)peer_send(proc_peer(ROLE_ENGINE),
			    IMSG_AGENT_RTT, call->cl_id, -1, &body,
			    sizeof(body));
	}
	if (conn->cn_channels > 0)
		ping_arm(conn);
}

/* --- rate --------------------------------------------------------------- */

static void
fill(struct cluster_conn *conn)
{
	const int64_t	 most = (int64_t)CLUSTER_RATE_BURST * 1000;
	monotime_t	 now = monotime_now();

	/* Thousandths, so that each millisecond counts. */
	conn->cn_tokens += (now - conn->cn_filled) * CLUSTER_RATE_PER_SEC;
	if (conn->cn_tokens > most)
		conn->cn_tokens = most;
	conn->cn_filled = now;
}

void
cluster_conn_charge(struct cluster_conn *conn, size_t len)
{
	struct cluster_call	*call;
	struct timeval		 tv;
	monotime_t		 now;

	fill(conn);
	conn->cn_tokens -= 1000 * (1 + (int64_t)(len / CLUSTER_RATE_UNIT));
	if (conn->cn_tokens >= 0 ||
	    event_pending(conn->cn_slow, EV_TIMEOUT, NULL))
		return;
	tv = monotime_timeval((uint64_t)(-conn->cn_tokens /
	    CLUSTER_RATE_PER_SEC + 1));
	if (evtimer_add(conn->cn_slow, &tv) == -1)
		return;
	TAILQ_FOREACH(call, &conn->cn_calls, cl_link)
		cluster_call_pause(call, PAUSE_RATE);
	now = monotime_now();
	if (now - conn->cn_rate_logged >= CLUSTER_RATE_LOG_MSEC) {
		conn->cn_rate_logged = now;
		cluster_log("agent %s at %s: more than %d messages per "
		    "second: read slowly", conn->cn_cert ?
		    conn->cn_facts.xf_cn : "without a certificate",
		    conn->cn_address, CLUSTER_RATE_PER_SEC);
	}
}

static void
on_slow(evutil_socket_t fd, short what, void *arg)
{
	struct cluster_conn	*conn = arg;
	struct cluster_call	*call;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(call, &conn->cn_calls, cl_link)
		cluster_call_resume(call, PAUSE_RATE);
}
