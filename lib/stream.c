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
#include <fcntl.h>
#include <stdlib.h>

#include "stream_int.h"

static void	 stream_on_fd(evutil_socket_t, short, void *);
static void	 stream_on_again(evutil_socket_t, short, void *);
static void	 stream_on_timer(evutil_socket_t, short, void *);
static void	 stream_on_deadline(evutil_socket_t, short, void *);
static void	 stream_work(struct stream *, short);
static void	 stream_talk(struct stream *, short);
static void	 stream_tell(struct stream *);
static void	 stream_leave(struct stream *);
static void	 stream_wants(const struct stream *, bool *, bool *);
static void	 stream_arm(struct event *, short, bool);
static void	 stream_go_on(struct stream *);
static void	 stream_set_timer(struct event *, unsigned int);
static bool	 stream_may_read(const struct stream *);
static bool	 stream_is_open(const struct stream *);
static void	 stream_destroy(struct stream *);

struct stream *
stream_new(struct event_base *base, int fd, struct tls *tls,
    const struct stream_ops *ops, void *arg)
{
	struct stream	*s;
	int		 flags;

	if ((flags = fcntl(fd, F_GETFL)) == -1 ||
	    fcntl(fd, F_SETFL, flags | O_NONBLOCK) == -1)
		return (NULL);
	if ((s = calloc(1, sizeof(*s))) == NULL)
		return (NULL);
	s->st_base = base;
	s->st_fd = -1;
	s->st_ops = ops;
	s->st_arg = arg;
	s->st_last = monotime_now();
	s->st_in = evbuffer_new();
	s->st_out = evbuffer_new();
	s->st_rev = event_new(base, fd, EV_READ | EV_PERSIST, stream_on_fd, s);
	s->st_wev = event_new(base, fd, EV_WRITE | EV_PERSIST, stream_on_fd,
	    s);
	s->st_again = event_new(base, -1, 0, stream_on_again, s);
	s->st_timer = event_new(base, -1, 0, stream_on_timer, s);
	s->st_dead = event_new(base, -1, 0, stream_on_deadline, s);
	if (s->st_in == NULL || s->st_out == NULL || s->st_rev == NULL ||
	    s->st_wev == NULL || s->st_again == NULL || s->st_timer == NULL ||
	    s->st_dead == NULL) {
		stream_destroy(s);
		errno = ENOMEM;
		return (NULL);
	}
	s->st_fd = fd;
	s->st_tls = tls;
	s->st_phase = tls != NULL ? ST_HANDSHAKE : ST_UP;
	if (tls != NULL)
		stream_set_timer(s->st_timer, STREAM_HANDSHAKE_MSEC);
	stream_go_on(s);
	return (s);
}

static void
stream_on_fd(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	stream_work(arg, what);
}

static void
stream_on_again(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	stream_work(arg, 0);
}

static void
stream_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct stream	*s = arg;
	monotime_t	 left;

	(void)fd;
	(void)what;
	switch (s->st_phase) {
	case ST_HANDSHAKE:
		stream_fail(s, STREAM_END_TIMEOUT, false,
		    "no TLS handshake in time");
		break;
	case ST_UP:
		left = s->st_last + s->st_idle - monotime_now();
		if (left > 0) {
			stream_set_timer(s->st_timer, (unsigned int)left);
			return;
		}
		stream_fail(s, STREAM_END_TIMEOUT, false, "idle for %u ms",
		    s->st_idle);
		break;
	default:
		s->st_phase = ST_DEAD;
		break;
	}
	stream_work(s, EV_TIMEOUT);
}

static void
stream_on_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct stream	*s = arg;

	(void)fd;
	(void)what;
	stream_fail(s, STREAM_END_TIMEOUT, false, "deadline passed");
	stream_work(s, EV_TIMEOUT);
}

/* what: EV_READ, EV_WRITE, EV_TIMEOUT (only tell), or 0: see what is left. */
static void
stream_work(struct stream *s, short what)
{
	void	(*guard)(void *, bool) = s->st_guard;

	if (guard != NULL)
		guard(s->st_guard_arg, true);
	s->st_depth++;
	if (s->st_phase == ST_HANDSHAKE && what != EV_TIMEOUT) {
		stream_handshake(s);
		if (s->st_phase == ST_UP) {
			stream_set_timer(s->st_timer, s->st_idle);
			if (s->st_ops->so_up != NULL)
				s->st_ops->so_up(s, s->st_arg);
			what = 0;
		}
	}
	if (stream_is_open(s) && what != EV_TIMEOUT)
		stream_talk(s, what);
	if (s->st_phase == ST_UP || s->st_phase == ST_HANDSHAKE)
		stream_tell(s);
	else if (s->st_phase != ST_DEAD)
		stream_farewell(s);
	stream_leave(s);
	if (guard != NULL)
		guard(NULL, false);
}

static void
stream_talk(struct stream *s, short what)
{
	if ((what & EV_WRITE) || s->st_wr_in)
		stream_flush(s);
	if (stream_may_read(s) &&
	    ((what & EV_READ) || s->st_more || s->st_rd_out))
		stream_read(s);
	if (s->st_offer && !s->st_paused &&
	    evbuffer_get_length(s->st_in) > 0) {
		s->st_offer = false;
		s->st_ops->so_read(s, s->st_in, s->st_arg);
	}
	/*
	 * What the callback wrote leaves at once, without another turn of the
	 * loop, unless the socket was full anyway.
	 */
	if (stream_is_open(s) && s->st_repeat == 0 &&
	    evbuffer_get_length(s->st_out) > 0 &&
	    event_pending(s->st_wev, EV_WRITE, NULL) == 0)
		stream_flush(s);
	if (stream_is_open(s) && s->st_full &&
	    evbuffer_get_length(s->st_out) <= STREAM_OUT_LOW) {
		s->st_full = false;
		if (s->st_ops->so_drained != NULL)
			s->st_ops->so_drained(s, s->st_arg);
	}
}

static void
stream_tell(struct stream *s)
{
	if (!s->st_failed || s->st_ended)
		return;
	if (s->st_hold && evbuffer_get_length(s->st_in) > 0 &&
	    (s->st_paused || s->st_offer))
		return;
	s->st_ended = true;
	s->st_ops->so_end(s, s->st_end, s->st_text, s->st_arg);
}

/* The way out of every callback: wait for what the state needs, or die. */
static void
stream_leave(struct stream *s)
{
	bool		 rd, wr;

	if (--s->st_depth > 0)
		return;
	if (s->st_phase == ST_DEAD) {
		stream_destroy(s);
		return;
	}
	stream_wants(s, &rd, &wr);
	stream_arm(s->st_rev, EV_READ, rd);
	stream_arm(s->st_wev, EV_WRITE, wr);
	if (s->st_ended && s->st_phase <= ST_UP) {
		(void)event_del(s->st_timer);
		(void)event_del(s->st_dead);
		return;
	}
	if (stream_may_read(s) && s->st_phase == ST_UP && s->st_more)
		stream_go_on(s);
	if (s->st_phase == ST_UP && s->st_offer && !s->st_paused &&
	    evbuffer_get_length(s->st_in) > 0)
		stream_go_on(s);
}

static void
stream_wants(const struct stream *s, bool *rd, bool *wr)
{
	bool		 unsent = evbuffer_get_length(s->st_out) > 0;

	*rd = *wr = false;
	if (s->st_ended && s->st_phase <= ST_UP)
		return;
	unsent = unsent && !s->st_broken;
	switch (s->st_phase) {
	case ST_HANDSHAKE:
	case ST_NOTIFY:
		*rd = s->st_hs == EV_READ;
		*wr = s->st_hs == EV_WRITE;
		break;
	case ST_UP:
		*rd = stream_may_read(s) && !s->st_rd_out;
		*wr = stream_may_read(s) && s->st_rd_out;
		if (s->st_failed && s->st_end != STREAM_END_EOF)
			unsent = false;
		break;
	case ST_FLUSH:
		break;
	case ST_LINGER:
		*rd = true;
		break;
	case ST_DEAD:
		break;
	}
	if (unsent && (s->st_phase == ST_UP || s->st_phase == ST_FLUSH)) {
		*rd = *rd || s->st_wr_in;
		*wr = *wr || !s->st_wr_in;
	}
}

static void
stream_arm(struct event *ev, short what, bool on)
{
	bool		 is_on = event_pending(ev, what, NULL) != 0;

	if (on && !is_on)
		(void)event_add(ev, NULL);
	else if (!on && is_on)
		(void)event_del(ev);
}

/*
 * A 0 s timer, not event_active(): libevent runs what is activated inside a
 * callback before it polls again, which would starve every other descriptor.
 */
static void
stream_go_on(struct stream *s)
{
	static const struct timeval	 zero;

	(void)event_add(s->st_again, &zero);
}

static void
stream_set_timer(struct event *ev, unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	if (msec == 0)
		(void)event_del(ev);
	else
		(void)event_add(ev, &tv);
}

static bool
stream_may_read(const struct stream *s)
{
	return (!s->st_paused && !s->st_failed &&
	    evbuffer_get_length(s->st_in) < STREAM_IN_MAXBYTES);
}

static bool
stream_is_open(const struct stream *s)
{
	return (s->st_phase == ST_UP && !s->st_ended);
}

void
stream_set_ops(struct stream *s, const struct stream_ops *ops, void *arg)
{
	s->st_ops = ops;
	s->st_arg = arg;
	s->st_offer = true;
	stream_go_on(s);
}

void
stream_set_guard(struct stream *s, void (*guard)(void *, bool), void *arg)
{
	s->st_guard = guard;
	s->st_guard_arg = arg;
}

void
stream_close(struct stream *s)
{
	bool		 refused = s->st_failed && s->st_end == STREAM_END_TLS;

	/* Whom it was set for is going. */
	s->st_guard = NULL;
	if ((s->st_phase == ST_HANDSHAKE && !refused) ||
	    (s->st_failed && s->st_end != STREAM_END_EOF && !refused)) {
		stream_free(s);
		return;
	}
	/* libtls sent the alert that says why: let it arrive. */
	if (refused)
		(void)evbuffer_drain(s->st_out,
		    evbuffer_get_length(s->st_out));
	s->st_phase = ST_FLUSH;
	s->st_shut = false;
	(void)evbuffer_drain(s->st_in, evbuffer_get_length(s->st_in));
	(void)event_del(s->st_rev);
	(void)event_del(s->st_dead);
	stream_set_timer(s->st_timer, STREAM_LINGER_MSEC);
	stream_go_on(s);
}

void
stream_free(struct stream *s)
{
	if (s == NULL)
		return;
	if (s->st_depth > 0)
		s->st_phase = ST_DEAD;
	else
		stream_destroy(s);
}

static void
stream_destroy(struct stream *s)
{
	struct event	*events[5];
	size_t		 i;

	events[0] = s->st_rev;
	events[1] = s->st_wev;
	events[2] = s->st_again;
	events[3] = s->st_timer;
	events[4] = s->st_dead;
	for (i = 0; i < nitems(events); i++)
		if (events[i] != NULL)
			event_free(events[i]);
	if (s->st_in != NULL)
		evbuffer_free(s->st_in);
	if (s->st_out != NULL)
		evbuffer_free(s->st_out);
	tls_free(s->st_tls);
	if (s->st_fd != -1)
		(void)close(s->st_fd);
	free(s);
}

/* Whether len more bytes may be queued; sets errno. */
static int
stream_may_write(struct stream *s, size_t len)
{
	if ((s->st_failed && s->st_end != STREAM_END_EOF) || s->st_shut ||
	    s->st_phase > ST_UP) {
		errno = EPIPE;
		return (-1);
	}
	if (len > STREAM_OUT_MAXBYTES ||
	    evbuffer_get_length(s->st_out) > STREAM_OUT_MAXBYTES - len) {
		errno = ENOBUFS;
		return (-1);
	}
	return (0);
}

static void
stream_wrote(struct stream *s)
{
	if (evbuffer_get_length(s->st_out) >= STREAM_OUT_HIGH)
		s->st_full = true;
	/* Inside a callback, stream_leave() sees to it. */
	if (s->st_depth == 0 && s->st_phase == ST_UP && !s->st_ended &&
	    !s->st_wr_in)
		stream_arm(s->st_wev, EV_WRITE, true);
}

int
stream_write(struct stream *s, const void *data, size_t len)
{
	if (stream_may_write(s, len) == -1)
		return (-1);
	if (evbuffer_add(s->st_out, data, len) == -1) {
		errno = ENOMEM;
		return (-1);
	}
	stream_wrote(s);
	return (0);
}

int
stream_write_buf(struct stream *s, struct evbuffer *buf)
{
	if (stream_may_write(s, evbuffer_get_length(buf)) == -1)
		return (-1);
	if (evbuffer_add_buffer(s->st_out, buf) == -1) {
		errno = ENOMEM;
		return (-1);
	}
	stream_wrote(s);
	return (0);
}

int
stream_shutdown(struct stream *s)
{
	if (s->st_tls != NULL) {
		errno = EOPNOTSUPP;
		return (-1);
	}
	if (stream_may_write(s, 0) == -1)
		return (-1);
	s->st_shut = true;
	if (evbuffer_get_length(s->st_out) == 0)
		stream_flush(s);
	return (0);
}

size_t
stream_queued(const struct stream *s)
{
	return (evbuffer_get_length(s->st_out));
}

bool
stream_is_full(const struct stream *s)
{
	return (s->st_full);
}

void
stream_pause(struct stream *s)
{
	s->st_paused = true;
	if (s->st_depth == 0 && s->st_phase == ST_UP && !s->st_wr_in)
		(void)event_del(s->st_rev);
}

void
stream_resume(struct stream *s)
{
	if (s->st_phase > ST_UP || s->st_ended)
		return;
	s->st_paused = false;
	s->st_offer = true;
	stream_go_on(s);
}

void
stream_set_deadline(struct stream *s, unsigned int msec)
{
	if (s->st_phase <= ST_UP && !s->st_ended)
		stream_set_timer(s->st_dead, msec);
}

void
stream_set_idle(struct stream *s, unsigned int msec)
{
	s->st_idle = msec;
	s->st_last = monotime_now();
	if (s->st_phase == ST_UP && !s->st_ended)
		stream_set_timer(s->st_timer, msec);
}

void
stream_set_handshake(struct stream *s, unsigned int msec)
{
	if (s->st_phase == ST_HANDSHAKE)
		stream_set_timer(s->st_timer, msec);
}

struct evbuffer *
stream_in(struct stream *s)
{
	return (s->st_in);
}

struct tls *
stream_tls(struct stream *s)
{
	return (s->st_tls);
}

int
stream_fd(const struct stream *s)
{
	return (s->st_fd);
}

const char *
stream_end_name(enum stream_end end)
{
	switch (end) {
	case STREAM_END_EOF:
		return ("eof");
	case STREAM_END_RESET:
		return ("reset");
	case STREAM_END_TIMEOUT:
		return ("timeout");
	case STREAM_END_TLS:
		return ("tls");
	case STREAM_END_PROTOCOL:
		return ("protocol");
	case STREAM_END_LOCAL:
		return ("local");
	}
	return ("unknown");
}
