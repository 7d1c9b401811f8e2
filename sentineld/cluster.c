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

#include <sys/resource.h>
#include <malloc.h>
#include <sys/socket.h>

#include <netinet/in.h>

#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "ipc.pb-c.h"
#include "ipccheck.h"
#include "keyop.h"
#include "log.h"
#include "tlsconf.h"
#include "xmalloc.h"

/*
 * The process: configuration, identity, listener, accept, statistics, end.
 * It accepts once it has all three: a committed configuration, the listener
 * from the parent, and an identity whose key the keyholder has used for us.
 */
static int	 conf_check(const void *, char *, size_t);
static void	 conf_commit(bool);
static void	 take_listener(struct peer *, struct imsg *);
static void	 take_identity(struct peer *, struct imsg *);
static struct cluster_identity *identity_new(
		    const Sentinel__Ipc__ServerIdentity *, char *, size_t);
static void	 identity_use(struct cluster_identity *);
static void	 identity_make_room(void);
static void	 identity_forget(struct cluster_identity *);
static void	 listen_start(void);
static void	 on_accept(evutil_socket_t, short, void *);
static bool	 accept_one(void);
static void	 accept_pause(const char *);
static void	 on_resume(evutil_socket_t, short, void *);
static void	 on_stats(evutil_socket_t, short, void *);
static void	 stats_send(void);
static void	 on_stop(evutil_socket_t, short, void *);
static struct event *timer_new(event_callback_fn);
static void	 timer_add(struct event *, unsigned int);

static struct cluster	 cluster = {
	.listenfd = -1,
	.identities = TAILQ_HEAD_INITIALIZER(cluster.identities),
	.conns = TAILQ_HEAD_INITIALIZER(cluster.conns),
	.unproven = TAILQ_HEAD_INITIALIZER(cluster.unproven),
	.calls = RB_INITIALIZER(&cluster.calls)
};
struct cluster		*clu = &cluster;

const struct proc_handler	cluster_handlers[] = {
	CONFPART_HANDLERS,
	{ IMSG_CONF_LISTEN,		take_listener },
	{ IMSG_CONF_CRASHPAGE,		cluster_hold_page },
	{ IMSG_CLUSTER_HOLD,		cluster_hold_take },
	{ IMSG_CLUSTER_IDENTITY,	take_identity },
	{ IMSG_ENROLL_ANSWER,		cluster_reply_enrolled },
	{ IMSG_AGENT_ADMIT,		cluster_reply_admit },
	{ IMSG_AGENT_REPORT_ACK,	cluster_reply_ack },
	{ IMSG_AGENT_SEND,		cluster_reply_send },
	{ IMSG_AGENT_CLOSE,		cluster_reply_close },
	{ IMSG_AGENT_TAKEN,		cluster_follow_taken },
	{ IMSG_NONE,			NULL }
};

static const struct confpart_child	conf_child = {
	.cc_part = &cluster_confpart,
	.cc_live = &cluster.conf,
	.cc_staged = &cluster.staged,
	.cc_check = conf_check,
	.cc_commit = conf_commit
};

/* Whatever opens a file the first time does it here. */
void
cluster_warmup(void)
{
	struct tlsconf	 tc = { .tc_alpn = TLSCONF_H2 };
	struct tls	*tls;
	char		 err[256];

	/* libtls converts the times of a certificate to local time. */
	tzset();
	if (tlsconf_init() == -1)
		fatalx("libtls does not start");
	if ((tls = tlsconf_client(&tc, err, sizeof(err))) == NULL)
		fatalx("%s", err);
	tls_free(tls);
}

void
cluster_start(void)
{
	struct rlimit	 rl;

	keyop_init(proc_sync_fd());
	clu->maxfd = 1024;
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0 && rl.rlim_cur < INT_MAX)
		clu->maxfd = (int)rl.rlim_cur;
	clu->resume_ev = timer_new(on_resume);
	clu->flow_ev = timer_new(cluster_flow_retry);
	clu->stats_ev = timer_new(on_stats);
	clu->stop_ev = timer_new(on_stop);
	timer_add(clu->stats_ev, CLUSTER_STATS_MSEC);
	confpart_child_init(&conf_child);
}

void
cluster_stop(void)
{
	struct cluster_conn	*conn, *next;

	clu->stopping = true;
	if (clu->accept_ev != NULL)
		event_free(clu->accept_ev);
	clu->accept_ev = NULL;
	(void)event_del(clu->resume_ev);
	if (clu->listenfd != -1)
		(void)close(clu->listenfd);
	clu->listenfd = -1;
	clu->listening = false;
	TAILQ_FOREACH_SAFE(conn, &clu->conns, cn_entry, next)
		cluster_conn_stop(conn);
	timer_add(clu->stop_ev, clu->nconns > 0 ? CLUSTER_STOP_MSEC :
	    CLUSTER_LAST_MSEC);
}

static void
on_stop(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	proc_exit(0);
}

void
cluster_conn_gone(void)
{
	/* Trailers of the last one are still on their way to the socket. */
	if (clu->stopping && clu->nconns == 0)
		timer_add(clu->stop_ev, CLUSTER_LAST_MSEC);
}

/* --- configuration ------------------------------------------------------ */

static int
conf_check(const void *staged, char *why, size_t whylen)
{
	const struct cluster_conf	*cc = staged;
	const uint64_t			 most = 24 * 3600 * 1000;

	if (cc->cc_handshake_msec == 0 || cc->cc_handshake_msec > most ||
	    cc->cc_ping_msec == 0 || cc->cc_ping_msec > most ||
	    cc->cc_pong_msec == 0 || cc->cc_pong_msec > most ||
	    cc->cc_max_agents == 0) {
		(void)strlcpy(why, "cluster: a time or limit is 0 or over a "
		    "day", whylen);
		return (-1);
	}
	return (0);
}

static void
conf_commit(bool first)
{
	clu->has_conf = true;
	if (first)
		listen_start();
	else if (clu->listening)
		stats_send();
}

static void
take_listener(struct peer *p, struct imsg *imsg)
{
	uint8_t	 index;
	int	 fd;

	fd = imsg_get_fd(imsg);
	if (ibuf_get_n8(imsg_get_ibuf(imsg), &index) == -1 || index != 0 ||
	    fd == -1) {
		if (fd != -1)
			(void)close(fd);
		peer_broken(p, imsg, fd == -1 ? "descriptor lost" :
		    "unknown listener");
		return;
	}
	if (clu->stopping) {
		(void)close(fd);
		return;
	}
	if (clu->accept_ev != NULL)
		event_free(clu->accept_ev);
	if (clu->listenfd != -1)
		(void)close(clu->listenfd);
	clu->listenfd = fd;
	clu->accept_ev = event_new(proc_base(), fd, EV_READ | EV_PERSIST,
	    on_accept, NULL);
	if (clu->accept_ev == NULL)
		fatalx("cluster: no event");
	clu->listening = false;
	listen_start();
}

static void
listen_start(void)
{
	if (clu->listening || !clu->has_conf || clu->accept_ev == NULL ||
	    clu->identity == NULL)
		return;
	if (event_add(clu->accept_ev, NULL) == -1)
		fatalx("cluster: event_add");
	clu->listening = true;
	log_info("listening for agents on %s", clu->conf.cc_listen);
	stats_send();
}

/* --- identity ----------------------------------------------------------- */

/*
 * The engine has a server certificate for us.  The first one must work, or
 * the daemon must not start; of a later one the old stays in use when it
 * does not.
 */
static void
take_identity(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__ServerIdentity	*si;
	struct cluster_identity		*ci;
	struct ibuf			*buf;
	struct pbmem			 pm;
	char				 err[256];

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	si = ipc_unpack(imsg, &sentinel__ipc__server_identity__descriptor,
	    &pm);
	if (si == NULL) {
		peer_broken(p, imsg, pm.pm_why);
		goto out;
	}
	if ((ci = identity_new(si, err, sizeof(err))) == NULL) {
		log_warnx("server certificate: %s%s", err,
		    clu->identity == NULL ? "" : "; the old one stays in use");
		if (clu->identity == NULL)
			proc_exit(PROC_EXIT_DAEMON);
		goto out;
	}
	identity_use(ci);
	if ((buf = ibuf_open(2 + ECKEY_POINT_LEN)) == NULL ||
	    ibuf_add_bytes(buf, ci->ci_point, ECKEY_POINT_LEN) == -1)
		fatal("CLUSTER_IDENTITY_OK");
	peer_send_ibuf(p, IMSG_CLUSTER_IDENTITY_OK, imsg_get_id(imsg), -1,
	    buf);
	ibuf_free(buf);
	listen_start();
 out:
	pbmem_free(&pm);
}

static struct cluster_identity *
identity_new(const Sentinel__Ipc__ServerIdentity *si, char *err,
    size_t errlen)
{
	struct tlsconf		 tc = {
		.tc_alpn = TLSCONF_H2,
		.tc_cert = si->chain_pem.data,
		.tc_certlen = si->chain_pem.len,
		.tc_ca = si->ca_pem.data,
		.tc_calen = si->ca_pem.len
	};
	struct cluster_identity	*ci;

	ci = xcalloc(1, sizeof(*ci));
	ci->ci_refs = 1;
	memcpy(ci->ci_point, si->point.data, ECKEY_POINT_LEN);
	if (!keyop_has(ci->ci_point))
		identity_make_room();
	TAILQ_INSERT_TAIL(&clu->identities, ci, ci_entry);
	if (keyop_add(ci->ci_point) == -1)
		(void)snprintf(err, errlen, "key refused: %s",
		    strerror(errno));
	else if ((ci->ci_tls = tlsconf_server(&tc, err, errlen)) == NULL)
		;
	else if (keyop_selftest(ci->ci_point) == -1)
		(void)strlcpy(err, "the keyholder does not sign with its key",
		    errlen);
	else
		return (ci);
	cluster_identity_unref(ci);
	return (NULL);
}

static void
identity_use(struct cluster_identity *ci)
{
	struct cluster_identity	*old = clu->identity;

	clu->identity = ci;
	if (old != NULL) {
		log_info("new server certificate in use");
		cluster_identity_unref(old);
	}
}

/* Two keys at most: a third one ends the handshakes of the oldest. */
static void
identity_make_room(void)
{
	struct cluster_identity	*ci;

	TAILQ_FOREACH(ci, &clu->identities, ci_entry) {
		if (ci != clu->identity && (clu->identity == NULL ||
		    memcmp(ci->ci_point, clu->identity->ci_point,
		    ECKEY_POINT_LEN) != 0))
			keyop_del(ci->ci_point);
	}
}

void
cluster_identity_unref(struct cluster_identity *ci)
{
	if (ci != NULL && --ci->ci_refs == 0)
		identity_forget(ci);
}

/* Its last handshake is over. */
static void
identity_forget(struct cluster_identity *ci)
{
	struct cluster_identity	*other;

	TAILQ_REMOVE(&clu->identities, ci, ci_entry);
	TAILQ_FOREACH(other, &clu->identities, ci_entry) {
		if (memcmp(other->ci_point, ci->ci_point,
		    ECKEY_POINT_LEN) == 0)
			break;
	}
	if (other == NULL)
		keyop_del(ci->ci_point);
	tls_free(ci->ci_tls);
	free(ci);
}

/* --- accept ------------------------------------------------------------- */

static void
on_accept(evutil_socket_t fd, short what, void *arg)
{
	int	 i;

	(void)fd;
	(void)what;
	(void)arg;
	clu->round++;
	for (i = 0; i < CLUSTER_ACCEPT_MAX; i++)
		if (!accept_one())
			break;
}

static bool
accept_one(void)
{
	struct sockaddr_storage	 ss;
	socklen_t		 len = sizeof(ss);
	int			 fd;

	if (clu->nconns >= clu->conf.cc_max_agents + CLUSTER_UNPROVEN_MAX) {
		accept_pause("too many connections");
		return (false);
	}
	if (cluster_conn_is_crowded()) {
		(void)event_del(clu->accept_ev);
		timer_add(clu->resume_ev, CLUSTER_CROWD_MSEC);
		return (false);
	}
	fd = accept4(clu->listenfd, (struct sockaddr *)&ss, &len,
	    SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (fd == -1) {
		switch (errno) {
		case EAGAIN:
			return (false);
		case EMFILE:
		case ENFILE:
		case ENOBUFS:
		case ENOMEM:
		case EBADF:
		case EINVAL:
			accept_pause(strerror(errno));
			return (false);
		default:
			/* ECONNABORTED, or an error of that connection. */
			log_debug("accept: %s", strerror(errno));
			return (true);
		}
	}
	if (fd >= clu->maxfd - CLUSTER_FD_RESERVE) {
		(void)close(fd);
		accept_pause("descriptors are used up");
		return (false);
	}
	cluster_conn_new(fd, (const struct sockaddr *)&ss);
	return (true);
}

static void
accept_pause(const char *why)
{
	cluster_log("accept: %s; trying again in %d ms", why,
	    CLUSTER_PAUSE_MSEC);
	(void)event_del(clu->accept_ev);
	timer_add(clu->resume_ev, CLUSTER_PAUSE_MSEC);
}

static void
on_resume(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (clu->listening && event_add(clu->accept_ev, NULL) == -1)
		fatalx("cluster: event_add");
}

/* --- statistics and the log --------------------------------------------- */

static void
on_stats(evutil_socket_t fd, short what, void *arg)
{
	static size_t	 conns;
	static uint64_t	 handshakes, failures;

	(void)fd;
	(void)what;
	(void)arg;
	timer_add(clu->stats_ev, CLUSTER_STATS_MSEC);
	if (conns == clu->nconns && handshakes == clu->handshakes &&
	    failures == clu->handshake_failures)
		return;
	conns = clu->nconns;
	handshakes = clu->handshakes;
	failures = clu->handshake_failures;
	/* Handshakes come in storms, and leave holes. */
	(void)malloc_trim(0);
	stats_send();
}

static void
stats_send(void)
{
	Sentinel__Ipc__ClusterStats	 cs;

	sentinel__ipc__cluster_stats__init(&cs);
	cs.connections = (uint32_t)clu->nconns;
	cs.handshakes = clu->handshakes;
	cs.handshake_failures = clu->handshake_failures;
	if (clu->listening)
		cs.listen = clu->conf.cc_listen;
	(void)peer_send_pb(proc_peer(ROLE_ENGINE), IMSG_CLUSTER_STATS, 0,
	    &cs.base);
}

void
cluster_log(const char *fmt, ...)
{
	char		 line[LOG_LINE_MAXBYTES];
	monotime_t	 now = monotime_now();
	va_list		 ap;

	if (now - clu->log_since >= CLUSTER_LOG_MSEC) {
		if (clu->log_dropped > 0)
			log_info("%u more lines like these were left out",
			    clu->log_dropped);
		clu->log_since = now;
		clu->log_lines = clu->log_dropped = 0;
	}
	if (clu->log_lines >= CLUSTER_LOG_BURST) {
		clu->log_dropped++;
		return;
	}
	clu->log_lines++;
	va_start(ap, fmt);
	(void)vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	log_info("%s", line);
}

static struct event *
timer_new(event_callback_fn fn)
{
	struct event	*ev;

	if ((ev = evtimer_new(proc_base(), fn, NULL)) == NULL)
		fatalx("cluster: no event");
	return (ev);
}

static void
timer_add(struct event *ev, unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	if (evtimer_add(ev, &tv) == -1)
		fatalx("cluster: evtimer_add");
}
