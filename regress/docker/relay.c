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
#include <sys/un.h>

#include <err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/listener.h>

#include "monotime.h"
#include "relay.h"

struct relay_conn {
	struct relay			*rc_relay;
	TAILQ_ENTRY(relay_conn)		 rc_entry;
	struct bufferevent		*rc_in;		/* the updater */
	struct bufferevent		*rc_out;	/* Docker */
	bool				 rc_asking;	/* in a request */
	bool				 rc_hit;	/* by the fate */
	bool				 rc_closing;
};

struct relay {
	struct event_base		*ry_base;
	struct evconnlistener		*ry_listener;
	char				 ry_docker[108];
	TAILQ_HEAD(, relay_conn)	 ry_conns;
	int				 ry_count;
	int				 ry_nth;
	enum relay_fate			 ry_fate;
	unsigned int			 ry_delay;
	char				 ry_line[256];
	struct event			*ry_timer;
	void				(*ry_kill)(void *);
	void				*ry_arg;
};

static void
relay_conn_free(struct relay_conn *rc)
{
	TAILQ_REMOVE(&rc->rc_relay->ry_conns, rc, rc_entry);
	bufferevent_free(rc->rc_in);
	bufferevent_free(rc->rc_out);
	free(rc);
}

static void
relay_timer(int fd, short what, void *arg)
{
	struct relay	*ry = arg;

	(void)fd;
	(void)what;
	ry->ry_kill(ry->ry_arg);
}

static bool
relay_changes(struct evbuffer *in)
{
	char	 method[4];

	return (evbuffer_copyout(in, method, 4) == 4 &&
	    memcmp(method, "GET ", 4) != 0);
}

/* The request begins: what becomes of it?  False: it goes no further. */
static bool
relay_hit(struct relay_conn *rc, struct evbuffer *in)
{
	static const char	 refusal[] = "HTTP/1.1 500 Injected\r\n"
	    "Content-Type: application/json\r\nContent-Length: 22\r\n"
	    "Connection: close\r\n\r\n{\"message\":\"injected\"}";
	struct relay		*ry = rc->rc_relay;
	struct timeval		 tv = monotime_timeval(ry->ry_delay);
	struct evbuffer_ptr	 end;
	size_t			 n;

	end = evbuffer_search(in, " HTTP/", 6, NULL);
	n = end.pos < 0 ? 0 : (size_t)end.pos;
	if (n >= sizeof(ry->ry_line))
		n = sizeof(ry->ry_line) - 1;
	(void)evbuffer_copyout(in, ry->ry_line, n);
	ry->ry_line[n] = '\0';
	rc->rc_hit = true;
	switch (ry->ry_fate) {
	case RELAY_KILL_BEFORE:
		ry->ry_kill(ry->ry_arg);
		return (false);
	case RELAY_KILL_SENT:
	case RELAY_ENGINE:
		evtimer_add(ry->ry_timer, &tv);
		return (true);
	case RELAY_REFUSE:
		evbuffer_drain(in, evbuffer_get_length(in));
		bufferevent_write(rc->rc_in, refusal, sizeof(refusal) - 1);
		rc->rc_closing = true;
		return (false);
	case RELAY_LOSE:
		rc->rc_closing = true;
		return (false);
	case RELAY_PASS:
	case RELAY_KILL_DONE:
	case RELAY_REFUSE_DONE:
	case RELAY_LOSE_DONE:
		break;
	}
	return (true);
}

static void
relay_from_updater(struct bufferevent *bev, void *arg)
{
	struct relay_conn	*rc = arg;
	struct relay		*ry = rc->rc_relay;
	struct evbuffer		*in = bufferevent_get_input(bev);

	if (rc->rc_closing) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	if (!rc->rc_asking) {
		rc->rc_asking = true;
		if (relay_changes(in) && ++ry->ry_count == ry->ry_nth &&
		    !relay_hit(rc, in)) {
			/* A refusal still has to get out. */
			if (ry->ry_fate != RELAY_REFUSE)
				relay_conn_free(rc);
			return;
		}
	}
	bufferevent_write_buffer(rc->rc_out, in);
}

static void
relay_from_docker(struct bufferevent *bev, void *arg)
{
	static const char	 refusal[] = "HTTP/1.1 500 Injected\r\n"
	    "Content-Length: 0\r\nConnection: close\r\n\r\n";
	struct relay_conn	*rc = arg;
	struct relay		*ry = rc->rc_relay;
	struct evbuffer		*in = bufferevent_get_input(bev);

	rc->rc_asking = false;
	if (rc->rc_closing) {
		evbuffer_drain(in, evbuffer_get_length(in));
		return;
	}
	if (rc->rc_hit && ry->ry_fate == RELAY_KILL_DONE) {
		ry->ry_kill(ry->ry_arg);
		relay_conn_free(rc);
		return;
	}
	if (rc->rc_hit && ry->ry_fate == RELAY_LOSE_DONE) {
		relay_conn_free(rc);
		return;
	}
	if (rc->rc_hit && ry->ry_fate == RELAY_REFUSE_DONE) {
		evbuffer_drain(in, evbuffer_get_length(in));
		bufferevent_write(rc->rc_in, refusal, sizeof(refusal) - 1);
		rc->rc_closing = true;
		return;
	}
	bufferevent_write_buffer(rc->rc_in, in);
}

static void
relay_written(struct bufferevent *bev, void *arg)
{
	struct relay_conn	*rc = arg;

	(void)bev;
	if (rc->rc_closing)
		relay_conn_free(rc);
}

static void
relay_event(struct bufferevent *bev, short what, void *arg)
{
	(void)bev;
	if (what & (BEV_EVENT_EOF | BEV_EVENT_ERROR))
		relay_conn_free(arg);
}

/* -1: the engine is away. */
static int
relay_dial(const char *path)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	int			 fd;

	strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		close(fd);
		return (-1);
	}
	evutil_make_socket_nonblocking(fd);
	return (fd);
}

static void
relay_accept(struct evconnlistener *el, evutil_socket_t fd,
    struct sockaddr *sa, int len, void *arg)
{
	struct relay		*ry = arg;
	struct relay_conn	*rc;
	int			 out;

	(void)el;
	(void)sa;
	(void)len;
	if ((out = relay_dial(ry->ry_docker)) == -1) {
		close(fd);
		return;
	}
	if ((rc = calloc(1, sizeof(*rc))) == NULL)
		err(1, "relay");
	rc->rc_relay = ry;
	rc->rc_in = bufferevent_socket_new(ry->ry_base, fd,
	    BEV_OPT_CLOSE_ON_FREE);
	rc->rc_out = bufferevent_socket_new(ry->ry_base, out,
	    BEV_OPT_CLOSE_ON_FREE);
	if (rc->rc_in == NULL || rc->rc_out == NULL)
		errx(1, "relay");
	bufferevent_setcb(rc->rc_in, relay_from_updater, relay_written,
	    relay_event, rc);
	bufferevent_setcb(rc->rc_out, relay_from_docker, NULL, relay_event,
	    rc);
	bufferevent_enable(rc->rc_in, EV_READ | EV_WRITE);
	bufferevent_enable(rc->rc_out, EV_READ | EV_WRITE);
	TAILQ_INSERT_TAIL(&ry->ry_conns, rc, rc_entry);
}

struct relay *
relay_new(struct event_base *base, const char *path, const char *docker,
    void (*kill_fn)(void *), void *arg)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	struct relay		*ry = calloc(1, sizeof(*ry));

	if (ry == NULL)
		err(1, "relay");
	ry->ry_base = base;
	ry->ry_kill = kill_fn;
	ry->ry_arg = arg;
	TAILQ_INIT(&ry->ry_conns);
	if (strlcpy(ry->ry_docker, docker, sizeof(ry->ry_docker)) >=
	    sizeof(sun.sun_path) || strlcpy(sun.sun_path, path,
	    sizeof(sun.sun_path)) >= sizeof(sun.sun_path))
		errx(1, "relay: path too long");
	(void)unlink(path);
	ry->ry_listener = evconnlistener_new_bind(base, relay_accept, ry,
	    LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 64,
	    (struct sockaddr *)&sun, sizeof(sun));
	ry->ry_timer = evtimer_new(base, relay_timer, ry);
	if (ry->ry_listener == NULL || ry->ry_timer == NULL)
		err(1, "%s", path);
	return (ry);
}

void
relay_arm(struct relay *ry, int nth, enum relay_fate fate, unsigned int delay)
{
	ry->ry_count = 0;
	ry->ry_nth = nth;
	ry->ry_fate = fate;
	ry->ry_delay = delay;
	ry->ry_line[0] = '\0';
}

int
relay_count(const struct relay *ry)
{
	return (ry->ry_count);
}

const char *
relay_line(const struct relay *ry)
{
	return (ry->ry_line);
}

void
relay_reset(struct relay *ry)
{
	struct relay_conn	*rc;

	evtimer_del(ry->ry_timer);
	while ((rc = TAILQ_FIRST(&ry->ry_conns)) != NULL)
		relay_conn_free(rc);
}

void
relay_free(struct relay *ry)
{
	relay_reset(ry);
	event_free(ry->ry_timer);
	evconnlistener_free(ry->ry_listener);
	free(ry);
}
