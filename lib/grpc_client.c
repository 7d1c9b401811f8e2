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

#include "grpc_int.h"

static void	 grpc_c_header(struct h2_stream *, const char *, const char *,
		    void *);
static void	 grpc_c_headers(struct h2_stream *, bool, void *);
static void	 grpc_c_eof(struct h2_stream *, void *);
static void	 grpc_c_closed(struct h2_stream *, uint32_t, bool, void *);
static void	 grpc_c_goaway(struct h2 *, uint32_t, const char *, void *);
static void	 grpc_c_check(struct grpc_call *, bool);

static const struct h2_ops	 grpc_client_h2_ops = {
	.ho_header = grpc_c_header,
	.ho_headers = grpc_c_headers,
	.ho_data = grpc_on_data,
	.ho_eof = grpc_c_eof,
	.ho_drained = grpc_on_drained,
	.ho_closed = grpc_c_closed,
	.ho_goaway = grpc_c_goaway,
	.ho_end = grpc_on_end
};

struct grpc_conn *
grpc_client_new(struct event_base *base, struct stream *stream,
    const char *authority, const struct grpc_client_ops *ops, void *arg)
{
	struct grpc_conn	*conn;
	char			*copy;

	if ((copy = strdup(authority)) == NULL)
		return (NULL);
	conn = grpc_conn_new(base, stream, false, &grpc_client_h2_ops, arg);
	if (conn == NULL) {
		free(copy);
		return (NULL);
	}
	conn->gn_authority = copy;
	conn->gn_cops = ops;
	return (conn);
}

struct grpc_call *
grpc_call_start(struct grpc_conn *conn, const struct grpc_method *method,
    unsigned int timeout_msec, void *arg)
{
	char			 timeout[16];
	struct h2_header	 h[8] = {
		{ ":method", "POST" },
		{ ":scheme", "https" },
		{ ":path", method->gm_path },
		{ ":authority", conn->gn_authority },
		{ "content-type", "application/grpc" },
		{ "user-agent", "sentinel/" SENTINEL_VERSION },
		{ "te", "trailers" },
		{ "grpc-timeout", timeout }
	};
	struct grpc_call	*call;

	if (conn->gn_gone) {
		errno = EPIPE;
		return (NULL);
	}
	if (stream_tls(h2_transport(conn->gn_h2)) == NULL)
		h[1].hh_value = "http";
	if ((call = grpc_call_new(conn, method, arg)) == NULL)
		return (NULL);
	grpc_timeout_format(timeout, sizeof(timeout), timeout_msec);
	call->gc_st = h2_request(conn->gn_h2, h,
	    timeout_msec > 0 ? nitems(h) : nitems(h) - 1, call);
	if (call->gc_st == NULL) {
		grpc_bury(call);
		errno = EPIPE;
		return (NULL);
	}
	call->gc_id = (uint32_t)h2_stream_id(call->gc_st);
	if (timeout_msec > 0) {
		call->gc_deadline = monotime_now() + timeout_msec;
		grpc_call_arm(call, call->gc_deadline);
	}
	return (call);
}

int
grpc_call_half_close(struct grpc_call *call)
{
	if (call->gc_conn->gn_server) {
		errno = EINVAL;
		return (-1);
	}
	if (call->gc_half)
		return (0);
	if (call->gc_st == NULL) {
		errno = EPIPE;
		return (-1);
	}
	if (h2_stream_finish(call->gc_st, NULL, 0) == -1)
		return (-1);
	call->gc_half = true;
	return (0);
}

static void
grpc_c_header(struct h2_stream *st, const char *name, const char *value,
    void *arg)
{
	struct grpc_call	*call = h2_stream_arg(st);

	(void)arg;
	if (call == NULL)
		return;
	if (strcmp(name, ":status") == 0)
		/* nghttp2 lets three digits through only. */
		call->gc_http = atoi(value);
	else if (strcmp(name, "content-type") == 0)
		call->gc_is_grpc = grpc_is_content_type(value);
	else if (strcmp(name, "grpc-encoding") == 0)
		call->gc_is_coded = *value != '\0' &&
		    strcmp(value, "identity") != 0;
	else if (strcmp(name, "grpc-status") == 0)
		call->gc_status = grpc_status_parse(value);
	else if (strcmp(name, "grpc-message") == 0) {
		free(call->gc_text);
		call->gc_text = grpc_text_decode(value);
	}
}

static void
grpc_c_headers(struct h2_stream *st, bool end, void *arg)
{
	struct grpc_call	*call = h2_stream_arg(st);
	struct grpc_conn	*conn = arg;

	if (call == NULL || call->gc_http / 100 == 1)
		return;
	grpc_enter(conn);
	if (call->gc_phase == GC_HEADERS)
		grpc_c_check(call, end);
	if (call->gc_phase == GC_OPEN && end) {
		call->gc_eof = true;
		if (call->gc_status == -1)
			call->gc_status = GRPC_UNKNOWN;
	}
	grpc_client_settle(call);
	grpc_leave(conn);
}

/* The first block: is this gRPC at all? */
static void
grpc_c_check(struct grpc_call *call, bool end)
{
	call->gc_phase = GC_OPEN;
	/* A status the server took the trouble to give counts most. */
	if (end && call->gc_status != -1)
		return;
	if (call->gc_http != 200)
		grpc_refuse(call, grpc_status_of_http(call->gc_http),
		    "unexpected HTTP status %d", call->gc_http);
	else if (!call->gc_is_grpc)
		grpc_refuse(call, GRPC_UNKNOWN, "answer is not gRPC");
	else if (call->gc_is_coded)
		grpc_refuse(call, GRPC_INTERNAL,
		    "grpc: compressed messages are not supported");
}

/* END_STREAM on DATA: a gRPC answer ends with trailers. */
static void
grpc_c_eof(struct h2_stream *st, void *arg)
{
	struct grpc_call	*call = h2_stream_arg(st);
	struct grpc_conn	*conn = arg;

	if (call == NULL || call->gc_phase == GC_DEAD)
		return;
	grpc_enter(conn);
	grpc_client_end(call, GRPC_INTERNAL, "stream ended without trailers");
	grpc_leave(conn);
}

static void
grpc_c_closed(struct h2_stream *st, uint32_t code, bool unprocessed, void *arg)
{
	struct grpc_call	*call = h2_stream_arg(st);
	struct grpc_conn	*conn = arg;

	if (call == NULL)
		return;
	grpc_enter(conn);
	call->gc_st = NULL;
	if (call->gc_eof)
		/* After trailers a reset says nothing any more. */
		grpc_client_settle(call);
	else if (code == H2_CODE_LOST)
		grpc_refuse(call, GRPC_UNAVAILABLE, "connection lost: %s",
		    h2_end_text(conn->gn_h2));
	else if (unprocessed)
		grpc_client_end(call, GRPC_UNAVAILABLE,
		    "the server did not take the call");
	else
		grpc_refuse(call, grpc_status_of_reset(code),
		    "stream reset by the server: %s",
		    nghttp2_http2_strerror(code));
	grpc_leave(conn);
}

static void
grpc_c_goaway(struct h2 *h2, uint32_t code, const char *text, void *arg)
{
	struct grpc_conn	*conn = arg;

	(void)h2;
	(void)code;
	if (conn->gn_gone || conn->gn_cops->gc_conn_goaway == NULL)
		return;
	grpc_enter(conn);
	conn->gn_cops->gc_conn_goaway(conn, text, conn->gn_arg);
	grpc_leave(conn);
}

/* The status is told once every message before it was delivered. */
void
grpc_client_settle(struct grpc_call *call)
{
	const char	*text = call->gc_text != NULL ? call->gc_text : "";
	enum grpc_status status;

	if (!call->gc_eof || call->gc_phase != GC_OPEN || call->gc_paused ||
	    (call->gc_held != NULL && evbuffer_get_length(call->gc_held) > 0))
		return;
	status = (enum grpc_status)call->gc_status;
	if (status == GRPC_OK && grpc_frame_is_partial(call)) {
		status = GRPC_INTERNAL;
		text = "grpc: stream ended inside a message";
	} else if (status == GRPC_OK && call->gc_method->gm_unary &&
	    !call->gc_whole) {
		status = GRPC_INTERNAL;
		text = "grpc: unary call answered without a message";
	}
	grpc_client_end(call, status, text);
}

void
grpc_client_end(struct grpc_call *call, enum grpc_status status,
    const char *text)
{
	struct grpc_conn	*conn = call->gc_conn;

	if (call->gc_phase >= GC_FINISHING)
		return;
	/* Nothing that the callback does may bring us here again. */
	call->gc_phase = GC_FINISHING;
	grpc_enter(conn);
	/*
	 * Trailers came while we were still sending, or the server broke a
	 * rule: either way nobody wants the rest.  A stream that both sides
	 * have ended closes by itself.
	 */
	if (call->gc_st != NULL && !(call->gc_eof && call->gc_half)) {
		h2_stream_reset(call->gc_st, call->gc_eof ?
		    NGHTTP2_NO_ERROR : NGHTTP2_CANCEL);
		call->gc_st = NULL;
	}
	conn->gn_cops->gc_call_status(call, status, text, conn->gn_arg);
	grpc_bury(call);
	grpc_leave(conn);
}
