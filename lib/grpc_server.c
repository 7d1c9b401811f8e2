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
#include <stdio.h>
#include <string.h>

#include "grpc_int.h"

static void	 grpc_s_header(struct h2_stream *, const char *, const char *,
		    void *);
static void	 grpc_s_headers(struct h2_stream *, bool, void *);
static void	 grpc_s_eof(struct h2_stream *, void *);
static void	 grpc_s_closed(struct h2_stream *, uint32_t, bool, void *);
static struct grpc_call *grpc_s_call(struct h2_stream *, struct grpc_conn *);
static const struct grpc_method *grpc_s_method(const struct grpc_conn *,
		    const char *);
static void	 grpc_s_open(struct grpc_call *);
static bool	 grpc_s_check(struct grpc_call *);
static void	 grpc_s_reject(struct grpc_call *, const char *,
		    enum grpc_status, const char *);

static const struct h2_ops	 grpc_server_h2_ops = {
	.ho_header = grpc_s_header,
	.ho_headers = grpc_s_headers,
	.ho_data = grpc_on_data,
	.ho_eof = grpc_s_eof,
	.ho_drained = grpc_on_drained,
	.ho_closed = grpc_s_closed,
	.ho_end = grpc_on_end
};

struct grpc_conn *
grpc_server_new(struct event_base *base, struct stream *stream,
    const struct grpc_method *methods, const struct grpc_server_ops *ops,
    void *arg)
{
	struct grpc_conn	*conn;

	conn = grpc_conn_new(base, stream, true, &grpc_server_h2_ops, arg);
	if (conn == NULL)
		return (NULL);
	conn->gn_methods = methods;
	conn->gn_sops = ops;
	return (conn);
}

static void
grpc_s_header(struct h2_stream *st, const char *name, const char *value,
    void *arg)
{
	struct grpc_conn	*conn = arg;
	struct grpc_call	*call;
	int64_t			 msec;

	if ((call = grpc_s_call(st, conn)) == NULL ||
	    call->gc_phase != GC_HEADERS)
		return;
	if (strcmp(name, ":path") == 0)
		call->gc_method = grpc_s_method(conn, value);
	else if (strcmp(name, ":method") == 0)
		call->gc_is_post = strcmp(value, "POST") == 0;
	else if (strcmp(name, "content-type") == 0)
		call->gc_is_grpc = grpc_is_content_type(value);
	else if (strcmp(name, "grpc-encoding") == 0)
		call->gc_is_coded = *value != '\0' &&
		    strcmp(value, "identity") != 0;
	else if (strcmp(name, "grpc-timeout") == 0) {
		if ((msec = grpc_timeout_parse(value)) == -1)
			call->gc_bad_timeout = true;
		else
			call->gc_deadline = monotime_now() + msec;
	}
}

static void
grpc_s_headers(struct h2_stream *st, bool end, void *arg)
{
	struct grpc_conn	*conn = arg;
	struct grpc_call	*call;

	if ((call = h2_stream_arg(st)) == NULL) {
		/* Out of memory. */
		h2_stream_reset(st, NGHTTP2_REFUSED_STREAM);
		return;
	}
	grpc_enter(conn);
	if (call->gc_phase == GC_HEADERS)
		grpc_s_open(call);
	if (end) {
		call->gc_eof = true;
		grpc_server_eof(call);
	}
	grpc_leave(conn);
}

static void
grpc_s_eof(struct h2_stream *st, void *arg)
{
	struct grpc_conn	*conn = arg;
	struct grpc_call	*call;

	if ((call = h2_stream_arg(st)) == NULL)
		return;
	grpc_enter(conn);
	call->gc_eof = true;
	grpc_server_eof(call);
	grpc_leave(conn);
}

static void
grpc_s_closed(struct h2_stream *st, uint32_t code, bool unprocessed, void *arg)
{
	struct grpc_conn	*conn = arg;
	struct grpc_call	*call;
	enum grpc_end		 end;

	(void)unprocessed;
	if ((call = h2_stream_arg(st)) == NULL)
		return;
	grpc_enter(conn);
	call->gc_st = NULL;
	if (call->gc_phase == GC_FINISHING && code == NGHTTP2_NO_ERROR)
		end = call->gc_end;
	else if (code == H2_CODE_LOST)
		end = GRPC_END_LOST;
	else
		end = GRPC_END_CANCELLED;
	if (call->gc_known) {
		call->gc_known = false;
		conn->gn_sops->gs_call_closed(call, end, conn->gn_arg);
	}
	grpc_bury(call);
	grpc_leave(conn);
}

static struct grpc_call *
grpc_s_call(struct h2_stream *st, struct grpc_conn *conn)
{
	struct grpc_call	*call;

	if ((call = h2_stream_arg(st)) != NULL)
		return (call);
	if ((call = grpc_call_new(conn, NULL, NULL)) == NULL)
		return (NULL);
	call->gc_st = st;
	call->gc_id = (uint32_t)h2_stream_id(st);
	call->gc_end = GRPC_END_FINISHED;
	h2_stream_set_arg(st, call);
	return (call);
}

static const struct grpc_method *
grpc_s_method(const struct grpc_conn *conn, const char *path)
{
	const struct grpc_method	*m;

	for (m = conn->gn_methods; m->gm_path != NULL; m++)
		if (strcmp(m->gm_path, path) == 0)
			return (m);
	return (NULL);
}

static void
grpc_s_open(struct grpc_call *call)
{
	struct grpc_conn	*conn = call->gc_conn;
	const char		*text = NULL;
	enum grpc_status	 status;
	monotime_t		 by = call->gc_deadline, limit;

	if (!grpc_s_check(call))
		return;
	call->gc_phase = GC_OPEN;
	status = conn->gn_sops->gs_call_open(call, &text, conn->gn_arg);
	if (call->gc_phase == GC_DEAD)
		return;
	if (status != GRPC_OK) {
		grpc_s_reject(call, "200", status, text);
		return;
	}
	call->gc_known = true;
	if (call->gc_method->gm_unary) {
		limit = monotime_now() + conn->gn_request;
		if (limit < by)
			by = limit;
	}
	if (call->gc_phase == GC_OPEN)
		grpc_call_arm(call, by);
}

/* What the protocol wants of a request; the words of grpc-go where known. */
static bool
grpc_s_check(struct grpc_call *call)
{
	if (!call->gc_is_post)
		grpc_s_reject(call, "405", GRPC_INTERNAL,
		    "grpc: method is not POST");
	else if (!call->gc_is_grpc)
		grpc_s_reject(call, "415", GRPC_INVALID_ARGUMENT,
		    "grpc: invalid content-type");
	else if (call->gc_bad_timeout)
		grpc_s_reject(call, "400", GRPC_INTERNAL,
		    "grpc: malformed grpc-timeout");
	else if (call->gc_method == NULL)
		grpc_s_reject(call, "200", GRPC_UNIMPLEMENTED,
		    "unknown method");
	else if (call->gc_is_coded)
		grpc_s_reject(call, "200", GRPC_UNIMPLEMENTED,
		    "grpc: compressed messages are not supported");
	else
		return (true);
	return (false);
}

/* One HEADERS frame that ends the stream: "trailers-only". */
static void
grpc_s_reject(struct grpc_call *call, const char *http,
    enum grpc_status status, const char *text)
{
	struct grpc_conn *conn = call->gc_conn;
	char		 code[16], enc[GRPC_TEXT_ENCODED];
	struct h2_header h[4] = {
		{ ":status", http },
		{ "content-type", "application/grpc" },
		{ "grpc-status", code },
		{ "grpc-message", enc }
	};

	(void)snprintf(code, sizeof(code), "%d", (int)status);
	grpc_text_encode(enc, text != NULL ? text : "");
	call->gc_phase = GC_FINISHING;
	call->gc_half = true;
	grpc_frame_reset(call);
	grpc_call_arm(call, monotime_now() + conn->gn_finish);
	if (call->gc_st == NULL)
		return;
	if (h2_respond(call->gc_st, h, nitems(h), true) == -1)
		/* The timer resets the stream. */
		return;
	call->gc_responded = true;
}

void
grpc_call_finish(struct grpc_call *call, enum grpc_status status,
    const char *text)
{
	struct grpc_conn *conn = call->gc_conn;
	char		 code[16], enc[GRPC_TEXT_ENCODED];
	struct h2_header h[2] = {
		{ "grpc-status", code },
		{ "grpc-message", enc }
	};

	if (call->gc_phase >= GC_FINISHING || !conn->gn_server)
		return;
	if (!call->gc_responded) {
		grpc_s_reject(call, "200", status, text);
		return;
	}
	(void)snprintf(code, sizeof(code), "%d", (int)status);
	grpc_text_encode(enc, text != NULL ? text : "");
	call->gc_phase = GC_FINISHING;
	call->gc_half = true;
	grpc_frame_reset(call);
	grpc_call_arm(call, monotime_now() + conn->gn_finish);
	if (call->gc_st != NULL)
		(void)h2_stream_finish(call->gc_st, h, nitems(h));
}

void
grpc_server_refuse(struct grpc_call *call, enum grpc_status status,
    const char *text)
{
	if (call->gc_phase >= GC_FINISHING)
		return;
	call->gc_end = GRPC_END_REFUSED;
	grpc_call_finish(call, status, text);
}

/* The call's deadline, the request's limit, or trailers that do not leave. */
void
grpc_server_expired(struct grpc_call *call)
{
	struct grpc_conn	*conn = call->gc_conn;

	if (call->gc_phase < GC_FINISHING) {
		call->gc_end = GRPC_END_DEADLINE;
		grpc_call_finish(call, GRPC_DEADLINE_EXCEEDED,
		    "deadline exceeded");
		return;
	}
	if (call->gc_st != NULL)
		h2_stream_reset(call->gc_st, NGHTTP2_CANCEL);
	call->gc_st = NULL;
	if (call->gc_known) {
		call->gc_known = false;
		conn->gn_sops->gs_call_closed(call, GRPC_END_DEADLINE,
		    conn->gn_arg);
	}
	grpc_bury(call);
}

/* The client's END_STREAM, once everything before it was delivered. */
void
grpc_server_eof(struct grpc_call *call)
{
	struct grpc_conn	*conn = call->gc_conn;

	if (!call->gc_eof || call->gc_eof_told || call->gc_paused ||
	    call->gc_phase != GC_OPEN || (call->gc_held != NULL &&
	    evbuffer_get_length(call->gc_held) > 0))
		return;
	call->gc_eof_told = true;
	if (grpc_frame_is_partial(call)) {
		grpc_server_refuse(call, GRPC_INTERNAL,
		    "grpc: stream ended inside a message");
		return;
	}
	if (!call->gc_method->gm_unary) {
		if (conn->gn_sops->gs_call_half_close != NULL)
			conn->gn_sops->gs_call_half_close(call,
			    conn->gn_arg);
		return;
	}
	if (!call->gc_whole) {
		grpc_server_refuse(call, GRPC_INTERNAL,
		    "grpc: unary call without a message");
		return;
	}
	/* From here on only the client's own deadline counts. */
	grpc_call_arm(call, call->gc_deadline);
	grpc_frame_deliver(call);
}

void
grpc_call_cancel(struct grpc_call *call)
{
	if (call->gc_phase == GC_DEAD)
		return;
	call->gc_known = false;
	if (call->gc_st != NULL) {
		h2_stream_reset(call->gc_st, NGHTTP2_CANCEL);
		call->gc_st = NULL;
	}
	grpc_bury(call);
}
