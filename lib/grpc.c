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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "grpc_int.h"

static void	 grpc_on_timer(evutil_socket_t, short, void *);
static void	 grpc_on_idle(evutil_socket_t, short, void *);
static void	 grpc_on_pong(struct h2 *, int, void *);
static void	 grpc_call_free(struct grpc_call *);
static void	 grpc_idle_arm(struct grpc_conn *);
static void	 grpc_on_wake(evutil_socket_t, short, void *);
static void	 grpc_take_held(struct grpc_call *);
static void	 grpc_conn_free(struct grpc_conn *);

struct grpc_conn *
grpc_conn_new(struct event_base *base, struct stream *stream, bool server,
    const struct h2_ops *ops, void *arg)
{
	struct grpc_conn	*conn;

	if ((conn = calloc(1, sizeof(*conn))) == NULL)
		return (NULL);
	TAILQ_INIT(&conn->gn_calls);
	TAILQ_INIT(&conn->gn_graves);
	conn->gn_base = base;
	conn->gn_server = server;
	conn->gn_arg = arg;
	conn->gn_request = GRPC_REQUEST_MSEC;
	conn->gn_finish = GRPC_FINISH_MSEC;
	if ((conn->gn_idletmo = event_new(base, -1, 0, grpc_on_idle,
	    conn)) == NULL ||
	    (conn->gn_wake = event_new(base, -1, 0, grpc_on_wake,
	    conn)) == NULL ||
	    (conn->gn_h2 = h2_new(base, stream, server, ops, conn)) == NULL) {
		grpc_conn_free(conn);
		errno = ENOMEM;
		return (NULL);
	}
	if (server)
		grpc_conn_set_idle(conn, GRPC_IDLE_MSEC);
	return (conn);
}

static void
grpc_conn_free(struct grpc_conn *conn)
{
	if (conn->gn_idletmo != NULL)
		event_free(conn->gn_idletmo);
	if (conn->gn_wake != NULL)
		event_free(conn->gn_wake);
	free(conn->gn_authority);
	free(conn);
}

void
grpc_enter(struct grpc_conn *conn)
{
	conn->gn_depth++;
}

void
grpc_leave(struct grpc_conn *conn)
{
	struct grpc_call	*call;

	if (--conn->gn_depth > 0)
		return;
	while ((call = TAILQ_FIRST(&conn->gn_graves)) != NULL) {
		TAILQ_REMOVE(&conn->gn_graves, call, gc_entry);
		grpc_call_free(call);
	}
	if (conn->gn_gone)
		grpc_conn_free(conn);
}

struct grpc_call *
grpc_call_new(struct grpc_conn *conn, const struct grpc_method *method,
    void *arg)
{
	struct grpc_call	*call;

	if ((call = calloc(1, sizeof(*call))) == NULL)
		return (NULL);
	call->gc_timer = event_new(conn->gn_base, -1, 0, grpc_on_timer, call);
	if (call->gc_timer == NULL) {
		free(call);
		errno = ENOMEM;
		return (NULL);
	}
	call->gc_conn = conn;
	call->gc_method = method;
	call->gc_arg = arg;
	call->gc_status = -1;
	call->gc_deadline = MONOTIME_NEVER;
	TAILQ_INSERT_TAIL(&conn->gn_calls, call, gc_entry);
	conn->gn_ncalls++;
	(void)event_del(conn->gn_idletmo);
	return (call);
}

void
grpc_bury(struct grpc_call *call)
{
	struct grpc_conn	*conn = call->gc_conn;

	if (call->gc_phase == GC_DEAD)
		return;
	call->gc_phase = GC_DEAD;
	if (call->gc_st != NULL)
		h2_stream_set_arg(call->gc_st, NULL);
	call->gc_st = NULL;
	(void)event_del(call->gc_timer);
	grpc_frame_reset(call);
	TAILQ_REMOVE(&conn->gn_calls, call, gc_entry);
	TAILQ_INSERT_TAIL(&conn->gn_graves, call, gc_entry);
	if (--conn->gn_ncalls == 0)
		grpc_idle_arm(conn);
	/* From outside any callback: freed now. */
	grpc_enter(conn);
	grpc_leave(conn);
}

static void
grpc_call_free(struct grpc_call *call)
{
	event_free(call->gc_timer);
	if (call->gc_held != NULL)
		evbuffer_free(call->gc_held);
	free(call->gc_text);
	free(call);
}

void
grpc_call_arm(struct grpc_call *call, monotime_t when)
{
	struct timeval	 tv;

	if (when == MONOTIME_NEVER) {
		(void)event_del(call->gc_timer);
		return;
	}
	tv = monotime_timeval((uint64_t)monotime_left(when));
	(void)event_add(call->gc_timer, &tv);
}

static void
grpc_on_timer(evutil_socket_t fd, short what, void *arg)
{
	struct grpc_call	*call = arg;
	struct grpc_conn	*conn = call->gc_conn;

	(void)fd;
	(void)what;
	grpc_enter(conn);
	if (conn->gn_server)
		grpc_server_expired(call);
	else
		grpc_client_end(call, GRPC_DEADLINE_EXCEEDED,
		    "deadline exceeded");
	grpc_leave(conn);
}

static void
grpc_on_idle(evutil_socket_t fd, short what, void *arg)
{
	struct grpc_conn	*conn = arg;

	(void)fd;
	(void)what;
	h2_goaway(conn->gn_h2);
}

static void
grpc_idle_arm(struct grpc_conn *conn)
{
	struct timeval	 tv = monotime_timeval(conn->gn_idle);

	if (conn->gn_idle != 0 && !conn->gn_gone)
		(void)event_add(conn->gn_idletmo, &tv);
	else
		(void)event_del(conn->gn_idletmo);
}

void
grpc_on_data(struct h2_stream *st, const uint8_t *data, size_t len, void *arg)
{
	struct grpc_call	*call = h2_stream_arg(st);
	struct grpc_conn	*conn = arg;
	size_t			 used;

	if (call == NULL || call->gc_phase == GC_FINISHING) {
		h2_stream_consume(st, len);
		return;
	}
	grpc_enter(conn);
	used = 0;
	if (call->gc_held == NULL || evbuffer_get_length(call->gc_held) == 0)
		used = grpc_frame_feed(call, data, len);
	if (used < len && call->gc_phase == GC_OPEN) {
		/* At most one window of bytes. */
		if (call->gc_held == NULL)
			call->gc_held = evbuffer_new();
		if (call->gc_held == NULL || evbuffer_add(call->gc_held,
		    data + used, len - used) == -1)
			grpc_refuse(call, GRPC_RESOURCE_EXHAUSTED,
			    "out of memory");
	} else
		used = len;
	/* A call that was cancelled meanwhile took its stream along. */
	if (call->gc_st != NULL)
		h2_stream_consume(st, used);
	grpc_leave(conn);
}

static void
grpc_on_wake(evutil_socket_t fd, short what, void *arg)
{
	struct grpc_conn	*conn = arg;
	struct grpc_call	*call;

	(void)fd;
	(void)what;
	grpc_enter(conn);
 again:
	TAILQ_FOREACH(call, &conn->gn_calls, gc_entry) {
		if (!call->gc_resumed)
			continue;
		call->gc_resumed = false;
		grpc_take_held(call);
		/* Callbacks may have changed the list. */
		goto again;
	}
	grpc_leave(conn);
}

/* After a pause: what was held, then the end of the stream if it was seen. */
static void
grpc_take_held(struct grpc_call *call)
{
	struct evbuffer_iovec	 v;
	size_t			 used;

	while (!call->gc_paused && call->gc_held != NULL &&
	    call->gc_phase == GC_OPEN &&
	    evbuffer_peek(call->gc_held, -1, NULL, &v, 1) > 0) {
		used = grpc_frame_feed(call, v.iov_base, v.iov_len);
		(void)evbuffer_drain(call->gc_held, used);
		if (call->gc_st != NULL)
			h2_stream_consume(call->gc_st, used);
	}
	if (call->gc_paused || call->gc_phase != GC_OPEN)
		return;
	if (call->gc_conn->gn_server)
		grpc_server_eof(call);
	else
		grpc_client_settle(call);
}

void
grpc_on_drained(struct h2_stream *st, void *arg)
{
	struct grpc_call	*call = h2_stream_arg(st);
	struct grpc_conn	*conn = arg;

	/* A server may say nothing, not even headers, while we send. */
	if (call == NULL || (call->gc_phase != GC_OPEN && (conn->gn_server ||
	    call->gc_phase != GC_HEADERS)))
		return;
	grpc_enter(conn);
	if (conn->gn_server) {
		if (conn->gn_sops->gs_call_drained != NULL)
			conn->gn_sops->gs_call_drained(call, conn->gn_arg);
	} else if (conn->gn_cops->gc_call_drained != NULL)
		conn->gn_cops->gc_call_drained(call, conn->gn_arg);
	grpc_leave(conn);
}

void
grpc_on_end(struct h2 *h2, enum stream_end end, const char *text, void *arg)
{
	struct grpc_conn	*conn = arg;
	struct grpc_call	*call;

	(void)h2;
	grpc_enter(conn);
	/* Only paused client calls are left: their streams are over. */
	while (!conn->gn_gone && (call = TAILQ_FIRST(&conn->gn_calls)) != NULL)
		grpc_client_end(call, GRPC_UNAVAILABLE, text);
	if (!conn->gn_gone) {
		conn->gn_gone = true;
		if (conn->gn_server)
			conn->gn_sops->gs_conn_closed(conn, end, text,
			    conn->gn_arg);
		else
			conn->gn_cops->gc_conn_closed(conn, end, text,
			    conn->gn_arg);
	}
	grpc_leave(conn);
}

void
grpc_refuse(struct grpc_call *call, enum grpc_status status,
    const char *fmt, ...)
{
	char		 text[GRPC_TEXT_MAXBYTES + 1];
	va_list		 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (call->gc_conn->gn_server)
		grpc_server_refuse(call, status, text);
	else
		grpc_client_end(call, status, text);
}

void
grpc_conn_close(struct grpc_conn *conn)
{
	struct grpc_call	*call;

	if (conn->gn_gone)
		return;
	grpc_enter(conn);
	conn->gn_gone = true;
	while ((call = TAILQ_FIRST(&conn->gn_calls)) != NULL)
		grpc_bury(call);
	h2_close(conn->gn_h2, NGHTTP2_NO_ERROR);
	(void)event_del(conn->gn_idletmo);
	grpc_leave(conn);
}

void
grpc_conn_goaway(struct grpc_conn *conn)
{
	if (!conn->gn_gone)
		h2_goaway(conn->gn_h2);
}

int
grpc_conn_ping(struct grpc_conn *conn, unsigned int timeout_msec,
    void (*cb)(struct grpc_conn *, int, void *), void *arg)
{
	if (conn->gn_gone) {
		errno = EPIPE;
		return (-1);
	}
	if (h2_ping(conn->gn_h2, timeout_msec, grpc_on_pong, conn) == -1)
		return (-1);
	conn->gn_ping_fn = cb;
	conn->gn_ping_arg = arg;
	return (0);
}

static void
grpc_on_pong(struct h2 *h2, int rtt, void *arg)
{
	struct grpc_conn	*conn = arg;

	(void)h2;
	if (conn->gn_gone)
		return;
	grpc_enter(conn);
	conn->gn_ping_fn(conn, rtt, conn->gn_ping_arg);
	grpc_leave(conn);
}

void
grpc_conn_pause(struct grpc_conn *conn)
{
	if (!conn->gn_gone)
		stream_pause(h2_transport(conn->gn_h2));
}

void
grpc_conn_resume(struct grpc_conn *conn)
{
	if (!conn->gn_gone)
		stream_resume(h2_transport(conn->gn_h2));
}

void
grpc_conn_set_idle(struct grpc_conn *conn, unsigned int msec)
{
	conn->gn_idle = msec;
	if (conn->gn_ncalls == 0)
		grpc_idle_arm(conn);
}

struct stream *
grpc_conn_stream(struct grpc_conn *conn)
{
	return (h2_transport(conn->gn_h2));
}

void *
grpc_conn_arg(const struct grpc_conn *conn)
{
	return (conn->gn_arg);
}

bool
grpc_conn_has_bye(const struct grpc_conn *conn)
{
	return (h2_has_bye(conn->gn_h2));
}

size_t
grpc_conn_ncalls(const struct grpc_conn *conn)
{
	return (conn->gn_ncalls);
}

int
grpc_call_send(struct grpc_call *call, const void *data, size_t len)
{
	static const struct h2_header	 headers[] = {
		{ ":status", "200" },
		{ "content-type", "application/grpc" }
	};
	uint8_t		 prefix[GRPC_PREFIX_BYTES];

	if (len > GRPC_SEND_MAXBYTES) {
		errno = EMSGSIZE;
		return (-1);
	}
	if (call->gc_st == NULL || call->gc_half ||
	    call->gc_phase >= GC_FINISHING) {
		errno = EPIPE;
		return (-1);
	}
	if (h2_stream_queued(call->gc_st) + len + sizeof(prefix) >
	    GRPC_QUEUE_MAXBYTES) {
		errno = ENOBUFS;
		return (-1);
	}
	if (call->gc_conn->gn_server && !call->gc_responded) {
		if (h2_respond(call->gc_st, headers, nitems(headers),
		    false) == -1)
			return (-1);
		call->gc_responded = true;
	}
	prefix[0] = 0;
	prefix[1] = (uint8_t)(len >> 24);
	prefix[2] = (uint8_t)(len >> 16);
	prefix[3] = (uint8_t)(len >> 8);
	prefix[4] = (uint8_t)len;
	if (h2_stream_write(call->gc_st, prefix, sizeof(prefix), data,
	    len) == -1)
		return (-1);
	if (!call->gc_conn->gn_server && call->gc_method->gm_unary)
		return (grpc_call_half_close(call));
	return (0);
}

void
grpc_call_pause(struct grpc_call *call)
{
	call->gc_paused = true;
}

void
grpc_call_resume(struct grpc_call *call)
{
	if (!call->gc_paused)
		return;
	call->gc_paused = false;
	call->gc_resumed = true;
	/* Later: the loop that feeds this call may be below us. */
	event_active(call->gc_conn->gn_wake, EV_TIMEOUT, 0);
}

size_t
grpc_call_queued(const struct grpc_call *call)
{
	return (call->gc_st != NULL ? h2_stream_queued(call->gc_st) : 0);
}

void *
grpc_call_arg(const struct grpc_call *call)
{
	return (call->gc_arg);
}

void
grpc_call_set_arg(struct grpc_call *call, void *arg)
{
	call->gc_arg = arg;
}

const struct grpc_method *
grpc_call_method(const struct grpc_call *call)
{
	return (call->gc_method);
}

struct grpc_conn *
grpc_call_conn(struct grpc_call *call)
{
	return (call->gc_conn);
}
