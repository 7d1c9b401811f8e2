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

#include "compat.h"

#include <sys/socket.h>

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "proc_internal.h"
#include "xmalloc.h"

TAILQ_HEAD(peer_list, peer);

static struct proc {
	const struct proc_table	*pc_table;
	const struct proc_row	*pc_self;
	const struct proc_hooks	*pc_hooks;
	struct event_base	*pc_base;
	struct event		*pc_bury;	/* frees what is in pc_dead */
	struct peer_list	 pc_peers;
	struct peer_list	 pc_dead;
	uint64_t		 pc_channel;	/* last one given */
} proc = {
	.pc_peers = TAILQ_HEAD_INITIALIZER(proc.pc_peers),
	.pc_dead = TAILQ_HEAD_INITIALIZER(proc.pc_dead)
};

static void	 peer_readable(evutil_socket_t, short, void *);
static void	 peer_writable(evutil_socket_t, short, void *);
static void	 peer_kicked(evutil_socket_t, short, void *);
static void	 peer_turned(evutil_socket_t, short, void *);
static void	 peer_work(struct peer *, bool);
static int	 peer_dispatch(struct peer *, int *);
static void	 peer_message(struct peer *, struct imsg *);
static void	 peer_end(struct peer *);
static void	 peer_kick(struct peer *);
static void	 peer_bury(evutil_socket_t, short, void *);
static bool	 peer_may_send(const struct peer *, uint32_t, bool, size_t);
static void	 peer_queued(struct peer *);

/*
 * Buffers of libevent hold what passes through: tokens, and credentials of
 * registries.  None of it stays in memory that was given back.
 */
static void
peer_wipe_free(void *p)
{
	if (p != NULL)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

static void *
peer_wipe_realloc(void *old, size_t size)
{
	size_t	 had = old == NULL ? 0 : malloc_usable_size(old);
	void	*p;

	if (size == 0) {
		peer_wipe_free(old);
		return (NULL);
	}
	if ((p = malloc(size)) == NULL)
		return (NULL);
	if (old != NULL)
		memcpy(p, old, had < size ? had : size);
	peer_wipe_free(old);
	return (p);
}

struct event_base *
proc_base(void)
{
	struct event_config	*cfg;

	if (proc.pc_base != NULL)
		return (proc.pc_base);
	event_set_mem_functions(malloc, peer_wipe_realloc, peer_wipe_free);
	/* The environment does not choose the method. */
	if ((cfg = event_config_new()) == NULL ||
	    event_config_set_flag(cfg, EVENT_BASE_FLAG_IGNORE_ENV) == -1 ||
	    (proc.pc_base = event_base_new_with_config(cfg)) == NULL ||
	    event_base_priority_init(proc.pc_base, 2) == -1)
		fatalx("proc_base: no event base");
	event_config_free(cfg);
	proc.pc_bury = evtimer_new(proc.pc_base, peer_bury, NULL);
	if (proc.pc_bury == NULL)
		fatalx("proc_base: out of memory");
	return (proc.pc_base);
}

void
proc_setup(const struct proc_table *pt, const struct proc_row *self,
    const struct proc_hooks *hooks)
{
	proc.pc_table = pt;
	proc.pc_self = self;
	proc.pc_hooks = hooks;
	(void)proc_base();
}

enum role
proc_self(void)
{
	return (proc.pc_self->pr_role);
}

const struct proc_row *
proc_row(enum role role)
{
	size_t	 i;

	for (i = 0; i < proc.pc_table->pt_nrows; i++) {
		if (proc.pc_table->pt_rows[i].pr_role == role)
			return (&proc.pc_table->pt_rows[i]);
	}
	return (NULL);
}

const char *
proc_rolename(enum role role)
{
	const struct proc_row	*row;

	row = proc_row(role);
	return (row != NULL ? row->pr_name : "unknown");
}

struct peer *
proc_peer(enum role role)
{
	struct peer	*p, *sync = NULL;

	TAILQ_FOREACH(p, &proc.pc_peers, pe_entry) {
		if (p->pe_role != role || p->pe_doomed != NULL || !p->pe_ready)
			continue;
		if (!p->pe_sync)
			return (p);
		sync = p;
	}
	return (sync);
}

struct peer *
peer_find(enum role role, bool sync)
{
	struct peer	*p;

	TAILQ_FOREACH(p, &proc.pc_peers, pe_entry) {
		if (p->pe_role == role && p->pe_sync == sync)
			return (p);
	}
	return (NULL);
}

struct peer *
peer_open(enum role role, int fd, bool sync)
{
	struct peer	*p;
	uint32_t	 in, out;

	p = xcalloc(1, sizeof(*p));
	p->pe_role = role;
	p->pe_channel = ++proc.pc_channel;
	p->pe_sync = sync;
	p->pe_ready = true;
	if (evutil_make_socket_nonblocking(fd) == -1 ||
	    imsgbuf_init(&p->pe_ibuf, fd) == -1)
		fatal("peer_open: %s", proc_rolename(role));
	in = imsg_rule_maxbody(role, proc_self());
	out = imsg_rule_maxbody(proc_self(), role);
	imsgbuf_set_maxsize(&p->pe_ibuf, in > out ? in : out);
	p->pe_rev = event_new(proc_base(), fd, EV_READ | EV_PERSIST,
	    peer_readable, p);
	p->pe_wev = event_new(proc_base(), fd, EV_WRITE, peer_writable, p);
	p->pe_kick = evtimer_new(proc_base(), peer_kicked, p);
	if (p->pe_rev == NULL || p->pe_wev == NULL || p->pe_kick == NULL)
		fatalx("peer_open: out of memory");
	/* A handshake waits for its signature; nobody waits for the rest. */
	if (sync && ((p->pe_turn = evtimer_new(proc_base(), peer_turned,
	    p)) == NULL || event_priority_set(p->pe_rev, 0) == -1 ||
	    event_priority_set(p->pe_wev, 0) == -1 ||
	    event_priority_set(p->pe_kick, 0) == -1))
		fatalx("peer_open: priority");
	TAILQ_INSERT_TAIL(&proc.pc_peers, p, pe_entry);
	return (p);
}

/* What was read together with an earlier message brings no event. */
void
peer_listen(struct peer *p)
{
	p->pe_held = false;
	if (event_add(p->pe_rev, NULL) == -1)
		fatalx("peer_listen: event_add");
	peer_kick(p);
}

void
peer_hold(struct peer *p)
{
	p->pe_held = true;
	(void)event_del(p->pe_rev);
	(void)event_del(p->pe_kick);
	if (p->pe_turn != NULL)
		(void)event_del(p->pe_turn);
}

void
peer_close(struct peer *p)
{
	const struct timeval	 now = { 0, 0 };

	if (p->pe_closed)
		return;
	p->pe_closed = true;
	event_free(p->pe_rev);
	event_free(p->pe_wev);
	event_free(p->pe_kick);
	if (p->pe_turn != NULL)
		event_free(p->pe_turn);
	imsgbuf_clear(&p->pe_ibuf);
	(void)close(p->pe_ibuf.fd);
	p->pe_ibuf.fd = -1;
	/* Whoever called us may still hold the pointer. */
	TAILQ_REMOVE(&proc.pc_peers, p, pe_entry);
	TAILQ_INSERT_TAIL(&proc.pc_dead, p, pe_entry);
	(void)evtimer_add(proc.pc_bury, &now);
}

static void
peer_bury(evutil_socket_t fd, short what, void *arg)
{
	struct peer	*p;

	(void)fd;
	(void)what;
	(void)arg;
	while ((p = TAILQ_FIRST(&proc.pc_dead)) != NULL) {
		TAILQ_REMOVE(&proc.pc_dead, p, pe_entry);
		free(p);
	}
}

void
peer_doom(struct peer *p, const char *why)
{
	if (p->pe_closed || p->pe_doomed != NULL)
		return;
	p->pe_doomed = why;
	(void)event_del(p->pe_rev);
	(void)event_del(p->pe_wev);
	peer_kick(p);
}

void
peer_foreach(void (*fn)(struct peer *))
{
	struct peer	*p, *next;

	TAILQ_FOREACH_SAFE(p, &proc.pc_peers, pe_entry, next)
		fn(p);
}

void
peer_flush_all(int msec)
{
	monotime_t	 deadline = monotime_now() + msec;
	struct peer	*p;

	TAILQ_FOREACH(p, &proc.pc_peers, pe_entry) {
		if (p->pe_doomed != NULL)
			continue;
		if (imsgbuf_flush(&p->pe_ibuf, monotime_left(deadline)) == -1 &&
		    errno != EPIPE && errno != ECONNRESET)
			log_warn("%s: messages are lost",
			    proc_rolename(p->pe_role));
	}
}

static void
peer_readable(evutil_socket_t fd, short what, void *arg)
{
	const struct timeval	 now = { 0, 0 };
	struct peer		*p = arg;

	(void)fd;
	(void)what;
	peer_work(p, true);
	if (p->pe_turn == NULL || p->pe_closed || p->pe_doomed != NULL ||
	    p->pe_held)
		return;
	(void)event_del(p->pe_rev);
	if (evtimer_add(p->pe_turn, &now) == -1)
		fatalx("peer_readable: evtimer_add");
}

/* Of the lower priority: everybody else who had something was served. */
static void
peer_turned(evutil_socket_t fd, short what, void *arg)
{
	struct peer	*p = arg;

	(void)fd;
	(void)what;
	if (p->pe_doomed == NULL && event_add(p->pe_rev, NULL) == -1)
		fatalx("peer_turned: event_add");
}

/* Also the way out of a doomed channel. */
static void
peer_kicked(evutil_socket_t fd, short what, void *arg)
{
	struct peer	*p = arg;

	(void)fd;
	(void)what;
	if (p->pe_doomed != NULL)
		peer_end(p);
	else
		peer_work(p, false);
}

/*
 * At most PROC_DISPATCH_MAX messages and one read(2).  Messages that are there
 * go first, so that the buffer stays below one read and one message.
 */
static void
peer_work(struct peer *p, bool readable)
{
	int	 budget = PROC_DISPATCH_MAX, n;

	if (peer_dispatch(p, &budget) == -1)
		return;
	if (readable && budget > 0) {
		n = imsgbuf_read(&p->pe_ibuf);
		if (n == -1 && errno != ECONNRESET) {
			if (errno == EBADMSG || errno == EMSGSIZE)
				peer_broken(p, NULL, "broken framing");
			else
				fatal("peer_work: read from %s",
				    proc_rolename(p->pe_role));
			return;
		}
		if (n != 1) {
			peer_end(p);
			return;
		}
		if (peer_dispatch(p, &budget) == -1)
			return;
	}
	if (budget == 0)
		peer_kick(p);
}

/* 0, or -1 when the channel is not to be read any more, or not now. */
static int
peer_dispatch(struct peer *p, int *budget)
{
	struct imsg	 m;
	int		 n;

	while (*budget > 0) {
		n = imsgbuf_get(&p->pe_ibuf, &m);
		if (n == 0)
			return (0);
		if (n == -1) {
			if (errno == ENOMEM)
				fatal("peer_dispatch");
			peer_broken(p, NULL, "broken framing");
			return (-1);
		}
		(*budget)--;
		peer_message(p, &m);
		imsg_free(&m);
		if (p->pe_closed || p->pe_doomed != NULL || p->pe_held)
			return (-1);
	}
	return (0);
}

static void
peer_message(struct peer *p, struct imsg *m)
{
	const struct proc_handler	*ph;
	const char			*why;
	uint32_t			 type = imsg_get_type(m);

	if ((why = imsg_rule_check(m, p->pe_role, proc_self())) != NULL) {
		peer_broken(p, m, why);
		return;
	}
	switch (type) {
	case IMSG_PROC_START:
	case IMSG_PROC_HELLO:
	case IMSG_PROC_PEER:
	case IMSG_PROC_READY:
	case IMSG_PROC_VERBOSE:
	case IMSG_PROC_STOP:
	case IMSG_PROC_BROKEN:
	case IMSG_PROC_STOPPED:
	case IMSG_PROC_PING:
	case IMSG_PROC_PONG:
		proc.pc_hooks->pk_message(p, m);
		return;
	default:
		break;
	}
	if (!p->pe_ready) {
		peer_broken(p, m, "before the barrier");
		return;
	}
	for (ph = proc.pc_self->pr_handlers; ph != NULL && ph->ph_fn != NULL;
	    ph++) {
		if (ph->ph_type == type) {
			ph->ph_fn(p, m);
			return;
		}
	}
	peer_broken(p, m, "nobody handles it");
}

static void
peer_end(struct peer *p)
{
	proc.pc_hooks->pk_lost(p);
	peer_close(p);
}

/* Not event_active(3): that would come before other channels get a look. */
static void
peer_kick(struct peer *p)
{
	const struct timeval	 now = { 0, 0 };

	if (evtimer_add(p->pe_kick, &now) == -1)
		fatalx("peer_kick: evtimer_add");
}

static void
peer_writable(evutil_socket_t fd, short what, void *arg)
{
	struct peer	*p = arg;

	(void)fd;
	(void)what;
	if (imsgbuf_write(&p->pe_ibuf) == -1) {
		if (errno != EPIPE && errno != ECONNRESET)
			fatal("peer_writable: %s", proc_rolename(p->pe_role));
		/* What it sent before it ended is still to be read. */
		return;
	}
	if (imsgbuf_queuelen(&p->pe_ibuf) > 0 &&
	    event_add(p->pe_wev, NULL) == -1)
		fatalx("peer_writable: event_add");
}

bool
peer_has_credit(const struct peer *p)
{
	return (p != NULL && !p->pe_closed && p->pe_doomed == NULL &&
	    imsgbuf_queuebytes(&p->pe_ibuf) < PEER_HIGH_BYTES);
}

/* False: there is no channel.  A message outside the table is our own bug. */
static bool
peer_may_send(const struct peer *p, uint32_t type, bool fd, size_t len)
{
	const struct imsg_rule	*ir;

	if (p == NULL || p->pe_closed || p->pe_doomed != NULL) {
		errno = ENOTCONN;
		return (false);
	}
	if ((ir = imsg_rule_find(type)) == NULL ||
	    (ir->ir_from & ROLE_BIT(proc_self())) == 0 ||
	    (ir->ir_to & ROLE_BIT(p->pe_role)) == 0 ||
	    len < ir->ir_min || len > ir->ir_max ||
	    fd != (ir->ir_fd == FD))
		fatalx("peer_send: %s (%zu bytes%s) to %s breaks the table",
		    imsg_rule_name(type), len, fd ? ", descriptor" : "",
		    proc_rolename(p->pe_role));
	return (true);
}

static void
peer_queued(struct peer *p)
{
	if (imsgbuf_queuebytes(&p->pe_ibuf) > PEER_MAX_BYTES)
		peer_broken(p, NULL, "it does not read");
	else if (event_add(p->pe_wev, NULL) == -1)
		fatalx("peer_send: event_add");
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd, const void *data,
    size_t len)
{
	if (!peer_may_send(p, type, fd != -1, len)) {
		if (fd != -1)
			(void)close(fd);
		errno = ENOTCONN;
		return (-1);
	}
	if (imsg_compose(&p->pe_ibuf, type, id, fd, data, len) == -1)
		fatal("peer_send: %s", imsg_rule_name(type));
	peer_queued(p);
	return (0);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *body)
{
	return (peer_send(p, type, id, fd, ibuf_data(body), ibuf_size(body)));
}

int
peer_send_pb(struct peer *p, uint32_t type, uint32_t id,
    const ProtobufCMessage *pb)
{
	uint8_t	*body;
	size_t	 len;
	int	 r;

	len = protobuf_c_message_get_packed_size(pb);
	if (!peer_may_send(p, type, false, len))
		return (-1);
	if ((body = malloc(len > 0 ? len : 1)) == NULL)
		fatal("peer_send_pb: %s", imsg_rule_name(type));
	(void)protobuf_c_message_pack(pb, body);
	r = peer_send(p, type, id, -1, body, len);
	/* Registry credentials pass here. */
	freezero(body, len);
	return (r);
}

void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	char	 text[PROC_WHY_MAXBYTES];

	if (p->pe_closed || p->pe_doomed != NULL)
		return;
	p->pe_faulty = m == NULL ? 0 : imsg_get_id(m);
	if (m == NULL)
		(void)strlcpy(text, why, sizeof(text));
	else
		(void)snprintf(text, sizeof(text), "%s: %s",
		    imsg_rule_name(imsg_get_type(m)), why);
	proc.pc_hooks->pk_broken(p, text);
}
