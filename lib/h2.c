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

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "h2_int.h"

/* GOAWAY made by hand, for when nghttp2's session is spent. */
#define H2_GOAWAY_BYTES	17

static void	 h2_read(struct stream *, struct evbuffer *, void *);
static void	 h2_drained(struct stream *, void *);
static void	 h2_lost(struct stream *, enum stream_end, const char *,
		    void *);
static void	 h2_on_kick(evutil_socket_t, short, void *);
static void	 h2_on_pingtmo(evutil_socket_t, short, void *);
static void	 h2_on_gotmo(evutil_socket_t, short, void *);
static void	 h2_flush(struct h2 *);
static void	 h2_fatal(struct h2 *, ssize_t);
static void	 h2_tell_drained(struct h2 *);
static void	 h2_check_over(struct h2 *);
static void	 h2_enter(struct h2 *);
static void	 h2_leave(struct h2 *);
static void	 h2_finish(struct h2 *);
static void	 h2_part(struct h2 *);
static void	 h2_destroy(struct h2 *);

static const struct stream_ops	 h2_stream_ops = {
	.so_read = h2_read,
	.so_drained = h2_drained,
	.so_end = h2_lost
};

struct h2 *
h2_new(struct event_base *base, struct stream *stream, bool server,
    const struct h2_ops *ops, void *arg)
{
	struct h2	*h2;

	if ((h2 = calloc(1, sizeof(*h2))) == NULL)
		return (NULL);
	TAILQ_INIT(&h2->h2_streams);
	h2->h2_base = base;
	h2->h2_server = server;
	h2->h2_ops = ops;
	h2->h2_arg = arg;
	h2_budget_init(h2, monotime_now());
	h2->h2_kick = event_new(base, -1, 0, h2_on_kick, h2);
	h2->h2_pingtmo = event_new(base, -1, 0, h2_on_pingtmo, h2);
	h2->h2_gotmo = event_new(base, -1, 0, h2_on_gotmo, h2);
	if (h2->h2_kick == NULL || h2->h2_pingtmo == NULL ||
	    h2->h2_gotmo == NULL || h2_session_new(h2) == -1) {
		h2_destroy(h2);
		errno = ENOMEM;
		return (NULL);
	}
	h2->h2_stream = stream;
	stream_set_ops(stream, &h2_stream_ops, h2);
	h2_flush_soon(h2);
	return (h2);
}

static void
h2_read(struct stream *s, struct evbuffer *in, void *arg)
{
	struct evbuffer_iovec	 v;
	struct h2		*h2 = arg;
	ssize_t			 n;

	(void)s;
	h2_enter(h2);
	while (!h2->h2_over && !h2->h2_closed &&
	    evbuffer_peek(in, -1, NULL, &v, 1) > 0) {
		if (h2_budget_scan(h2, v.iov_base, v.iov_len,
		    monotime_now()) == -1) {
			h2_fatal(h2, NGHTTP2_ERR_FLOODED);
			break;
		}
		n = nghttp2_session_mem_recv(h2->h2_session, v.iov_base,
		    v.iov_len);
		if (n < 0) {
			h2_fatal(h2, n);
			break;
		}
		(void)evbuffer_drain(in, (size_t)n);
	}
	h2_flush(h2);
	h2_leave(h2);
}

static void
h2_drained(struct stream *s, void *arg)
{
	struct h2	*h2 = arg;

	(void)s;
	h2_enter(h2);
	h2_flush(h2);
	h2_leave(h2);
}

static void
h2_lost(struct stream *s, enum stream_end end, const char *text, void *arg)
{
	struct h2	*h2 = arg;

	(void)s;
	h2_enter(h2);
	h2->h2_lost = end != STREAM_END_EOF;
	/* A reset right after the good-bye is how some peers close. */
	if (h2->h2_bye || h2->h2_peer_going)
		h2_set_over(h2, STREAM_END_EOF, "%s",
		    *h2->h2_error != '\0' ? h2->h2_error :
		    "peer said good-bye");
	else
		h2_set_over(h2, end, "%s", text);
	h2_leave(h2);
}

static void
h2_on_kick(evutil_socket_t fd, short what, void *arg)
{
	struct h2	*h2 = arg;

	(void)fd;
	(void)what;
	h2_enter(h2);
	h2_flush(h2);
	h2_leave(h2);
}

static void
h2_on_pingtmo(evutil_socket_t fd, short what, void *arg)
{
	struct h2	*h2 = arg;
	h2_ping_cb	*fn = h2->h2_ping_fn;

	(void)fd;
	(void)what;
	if (fn == NULL)
		return;
	h2->h2_ping_fn = NULL;
	h2_enter(h2);
	fn(h2, -1, h2->h2_ping_arg);
	h2_leave(h2);
}

static void
h2_on_gotmo(evutil_socket_t fd, short what, void *arg)
{
	struct h2	*h2 = arg;

	(void)fd;
	(void)what;
	h2_enter(h2);
	h2_set_over(h2, STREAM_END_LOCAL,
	    "calls still open when the time to end was over");
	h2_leave(h2);
}

/*
 * Pull frames only while the transport takes them: what waits in nghttp2
 * waits in the callers' queues, which are counted.
 */
static void
h2_flush(struct h2 *h2)
{
	const uint8_t	*p;
	ssize_t		 n;

	while (!h2->h2_over && !h2->h2_closed &&
	    !stream_is_full(h2->h2_stream)) {
		n = nghttp2_session_mem_send(h2->h2_session, &p);
		if (n == 0) {
			h2_mem_rest(h2);
			break;
		}
		if (n < 0) {
			h2_fatal(h2, n);
			break;
		}
		/* Fails only when the end is on its way to h2_lost(). */
		if (stream_write(h2->h2_stream, p, (size_t)n) == -1)
			break;
	}
	if (!h2->h2_closed)
		h2_tell_drained(h2);
	h2_check_over(h2);
}

/* nghttp2 gave up, or we on the peer: nothing more of its session. */
static void
h2_fatal(struct h2 *h2, ssize_t error)
{
	uint8_t		 f[H2_GOAWAY_BYTES] = { 0, 0, 8, NGHTTP2_GOAWAY };
	uint32_t	 code, last;
	int		 i;

	if (h2->h2_closed)
		return;
	code = error == NGHTTP2_ERR_FLOODED ? NGHTTP2_ENHANCE_YOUR_CALM :
	    NGHTTP2_PROTOCOL_ERROR;
	last = (uint32_t)nghttp2_session_get_last_proc_stream_id(
	    h2->h2_session);
	for (i = 0; i < 4; i++) {
		f[9 + i] = (uint8_t)(last >> (24 - 8 * i));
		f[13 + i] = (uint8_t)(code >> (24 - 8 * i));
	}
	(void)stream_write(h2->h2_stream, f, sizeof(f));
	h2_set_over(h2, STREAM_END_PROTOCOL, "HTTP/2: %s",
	    *h2->h2_error != '\0' ? h2->h2_error :
	    nghttp2_strerror((int)error));
}

static void
h2_tell_drained(struct h2 *h2)
{
	struct h2_stream	*st;

 again:
	TAILQ_FOREACH(st, &h2->h2_streams, hs_entry) {
		if (!st->hs_drained)
			continue;
		st->hs_drained = false;
		if (h2->h2_ops->ho_drained == NULL)
			continue;
		h2->h2_ops->ho_drained(st, h2->h2_arg);
		if (h2->h2_closed)
			return;
		/* The list may have changed. */
		goto again;
	}
}

static void
h2_check_over(struct h2 *h2)
{
	if (h2->h2_over || h2->h2_closed ||
	    nghttp2_session_want_write(h2->h2_session))
		return;
	if (nghttp2_session_want_read(h2->h2_session)) {
		if (h2->h2_going && h2->h2_nstreams == 0)
			h2_set_over(h2, STREAM_END_LOCAL, "ended by us");
		return;
	}
	if (h2->h2_bye)
		h2_set_over(h2, STREAM_END_EOF, "peer said good-bye");
	else if (h2->h2_going && h2->h2_code != NGHTTP2_NO_ERROR)
		h2_set_over(h2, STREAM_END_PROTOCOL, "HTTP/2: %s",
		    *h2->h2_error != '\0' ? h2->h2_error :
		    nghttp2_http2_strerror(h2->h2_code));
	else if (h2->h2_peer_going)
		h2_set_over(h2, STREAM_END_EOF, "%s",
		    *h2->h2_error != '\0' ? h2->h2_error :
		    "peer said good-bye");
	else
		h2_set_over(h2, STREAM_END_LOCAL, "ended by us");
}

static void
h2_enter(struct h2 *h2)
{
	h2->h2_depth++;
}

static void
h2_leave(struct h2 *h2)
{
	if (h2->h2_depth > 1) {
		h2->h2_depth--;
		return;
	}
	if (h2->h2_over && !h2->h2_closed)
		h2_finish(h2);
	h2->h2_depth--;
	if (h2->h2_closed || h2->h2_over)
		h2_part(h2);
}

/* The last callbacks. */
static void
h2_finish(struct h2 *h2)
{
	struct h2_stream	*st;

	while (!h2->h2_closed &&
	    (st = TAILQ_FIRST(&h2->h2_streams)) != NULL) {
		TAILQ_REMOVE(&h2->h2_streams, st, hs_entry);
		h2->h2_nstreams--;
		(void)nghttp2_session_set_stream_user_data(h2->h2_session,
		    st->hs_id, NULL);
		h2->h2_ops->ho_closed(st, H2_CODE_LOST, false, h2->h2_arg);
		h2_stream_free(st);
	}
	if (!h2->h2_closed)
		h2->h2_ops->ho_end(h2, h2->h2_why, h2->h2_text, h2->h2_arg);
}

/* Say good-bye as far as the transport allows, and go. */
static void
h2_part(struct h2 *h2)
{
	const uint8_t	*p;
	ssize_t		 n;
	bool		 said = h2->h2_over;

	/* What was queued before h2_close() goes out before the GOAWAY. */
	h2->h2_closed = true;
	while (!h2->h2_over) {
		n = nghttp2_session_mem_send(h2->h2_session, &p);
		if (n > 0) {
			if (stream_write(h2->h2_stream, p, (size_t)n) == -1)
				break;
			continue;
		}
		if (n < 0 || said)
			break;
		said = true;
		if (nghttp2_session_terminate_session(h2->h2_session,
		    h2->h2_code) != 0)
			break;
	}
	if (h2->h2_lost)
		stream_free(h2->h2_stream);
	else
		stream_close(h2->h2_stream);
	h2->h2_stream = NULL;
	h2_destroy(h2);
}

static void
h2_destroy(struct h2 *h2)
{
	struct h2_stream	*st;

	while ((st = TAILQ_FIRST(&h2->h2_streams)) != NULL) {
		TAILQ_REMOVE(&h2->h2_streams, st, hs_entry);
		h2_stream_free(st);
	}
	nghttp2_session_del(h2->h2_session);
	if (h2->h2_kick != NULL)
		event_free(h2->h2_kick);
	if (h2->h2_pingtmo != NULL)
		event_free(h2->h2_pingtmo);
	if (h2->h2_gotmo != NULL)
		event_free(h2->h2_gotmo);
	free(h2);
}

void
h2_close(struct h2 *h2, uint32_t code)
{
	if (h2->h2_closed)
		return;
	h2->h2_closed = true;
	h2->h2_code = code;
	if (h2->h2_depth == 0)
		h2_part(h2);
}

void
h2_goaway(struct h2 *h2)
{
	struct timeval	 tv = monotime_timeval(H2_GOAWAY_MSEC);
	int32_t		 last;

	if (h2->h2_closed || h2->h2_over || event_pending(h2->h2_gotmo,
	    EV_TIMEOUT, NULL))
		return;
	last = nghttp2_session_get_last_proc_stream_id(h2->h2_session);
	(void)nghttp2_submit_goaway(h2->h2_session, NGHTTP2_FLAG_NONE, last,
	    NGHTTP2_NO_ERROR, NULL, 0);
	(void)event_add(h2->h2_gotmo, &tv);
	h2_flush_soon(h2);
}

int
h2_ping(struct h2 *h2, unsigned int timeout_msec, h2_ping_cb *fn, void *arg)
{
	struct timeval	 tv = monotime_timeval(timeout_msec);

	if (h2->h2_ping_fn != NULL) {
		errno = EBUSY;
		return (-1);
	}
	h2->h2_ping_seq++;
	memcpy(h2->h2_ping_data, "SNTL", 4);
	memcpy(h2->h2_ping_data + 4, &h2->h2_ping_seq, 4);
	if (h2->h2_over || nghttp2_submit_ping(h2->h2_session,
	    NGHTTP2_FLAG_NONE, h2->h2_ping_data) != 0) {
		errno = EPIPE;
		return (-1);
	}
	h2->h2_ping_fn = fn;
	h2->h2_ping_arg = arg;
	h2->h2_ping_at = monotime_now();
	(void)event_add(h2->h2_pingtmo, &tv);
	h2_flush_soon(h2);
	return (0);
}

const char *
h2_end_text(const struct h2 *h2)
{
	return (h2->h2_text);
}

struct stream *
h2_transport(struct h2 *h2)
{
	return (h2->h2_stream);
}

bool
h2_has_bye(const struct h2 *h2)
{
	return (h2->h2_bye || h2->h2_peer_going);
}

void
h2_flush_soon(struct h2 *h2)
{
	event_active(h2->h2_kick, EV_TIMEOUT, 0);
}
