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

#include "h2_int.h"
#include "utf8.h"

/*
 * Everything nghttp2 calls.  Inside these, nghttp2_submit_*() and consume are
 * allowed, but neither mem_send nor mem_recv nor the end of the session: h2.c
 * counts the depth and does those on the way out.
 */
static int	 h2_on_begin_headers(nghttp2_session *, const nghttp2_frame *,
		    void *);
static int	 h2_on_header(nghttp2_session *, const nghttp2_frame *,
		    const uint8_t *, size_t, const uint8_t *, size_t, uint8_t,
		    void *);
static int	 h2_on_frame_recv(nghttp2_session *, const nghttp2_frame *,
		    void *);
static int	 h2_on_data(nghttp2_session *, uint8_t, int32_t,
		    const uint8_t *, size_t, void *);
static int	 h2_on_frame_send(nghttp2_session *, const nghttp2_frame *,
		    void *);
static int	 h2_on_frame_not_send(nghttp2_session *,
		    const nghttp2_frame *, int, void *);
static int	 h2_on_invalid_frame(nghttp2_session *, const nghttp2_frame *,
		    int, void *);
static int	 h2_on_close(nghttp2_session *, int32_t, uint32_t, void *);
static int	 h2_on_error(nghttp2_session *, int, const char *, size_t,
		    void *);
static nghttp2_option *h2_options(void);
static nghttp2_session_callbacks *h2_callbacks(void);
static int	 h2_settings(struct h2 *);
static void	 h2_got_goaway(struct h2 *, const nghttp2_goaway *);
static void	 h2_got_pong(struct h2 *, const nghttp2_ping *);
static void	 h2_ended(struct h2_stream *, uint32_t, bool);

int
h2_session_new(struct h2 *h2)
{
	nghttp2_session_callbacks	*cbs;
	nghttp2_option			*opt = NULL;
	nghttp2_mem			 mem = h2_mem(h2);
	int				 rc = -1;

	if ((cbs = h2_callbacks()) == NULL || (opt = h2_options()) == NULL)
		goto out;
	if (h2->h2_server)
		rc = nghttp2_session_server_new3(&h2->h2_session, cbs, h2,
		    opt, &mem);
	else
		rc = nghttp2_session_client_new3(&h2->h2_session, cbs, h2,
		    opt, &mem);
	if (rc != 0) {
		h2->h2_session = NULL;
		rc = -1;
		goto out;
	}
	rc = h2_settings(h2);
 out:
	nghttp2_option_del(opt);
	nghttp2_session_callbacks_del(cbs);
	if (rc == -1)
		errno = ENOMEM;
	return (rc);
}

static nghttp2_session_callbacks *
h2_callbacks(void)
{
	nghttp2_session_callbacks	*c;

	if (nghttp2_session_callbacks_new(&c) != 0)
		return (NULL);
	nghttp2_session_callbacks_set_on_begin_headers_callback(c,
	    h2_on_begin_headers);
	nghttp2_session_callbacks_set_on_header_callback(c, h2_on_header);
	nghttp2_session_callbacks_set_on_frame_recv_callback(c,
	    h2_on_frame_recv);
	nghttp2_session_callbacks_set_on_data_chunk_recv_callback(c,
	    h2_on_data);
	nghttp2_session_callbacks_set_on_frame_send_callback(c,
	    h2_on_frame_send);
	nghttp2_session_callbacks_set_on_frame_not_send_callback(c,
	    h2_on_frame_not_send);
	nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(c,
	    h2_on_invalid_frame);
	nghttp2_session_callbacks_set_on_stream_close_callback(c,
	    h2_on_close);
	nghttp2_session_callbacks_set_error_callback2(c, h2_on_error);
	return (c);
}

static nghttp2_option *
h2_options(void)
{
	nghttp2_option	*o;

	if (nghttp2_option_new(&o) != 0)
		return (NULL);
	nghttp2_option_set_no_auto_window_update(o, 1);
	nghttp2_option_set_no_closed_streams(o, 1);
	/*
	 * What a client believes before the server's SETTINGS: our server
	 * would refuse the ninth of a burst.
	 */
	nghttp2_option_set_peer_max_concurrent_streams(o, H2_STREAMS_MAX);
	nghttp2_option_set_max_settings(o, H2_SETTINGS_MAX);
	nghttp2_option_set_max_outbound_ack(o, H2_ACK_QUEUE_MAX);
	nghttp2_option_set_max_deflate_dynamic_table_size(o, 0);
	nghttp2_option_set_max_continuations(o, H2_CONTINUATIONS_MAX);
	nghttp2_option_set_stream_reset_rate_limit(o, H2_RESET_BURST,
	    H2_RESET_PER_SEC);
	return (o);
}

static int
h2_settings(struct h2 *h2)
{
	nghttp2_settings_entry	 iv[3];
	size_t			 n = 0;

	iv[n].settings_id = NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE;
	iv[n++].value = H2_HEADERS_MAXBYTES;
	if (h2->h2_server) {
		iv[n].settings_id = NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS;
		iv[n++].value = H2_STREAMS_MAX;
	} else {
		iv[n].settings_id = NGHTTP2_SETTINGS_ENABLE_PUSH;
		iv[n++].value = 0;
	}
	if (nghttp2_submit_settings(h2->h2_session, NGHTTP2_FLAG_NONE, iv,
	    n) != 0)
		return (-1);
	/* One stream whose reader pauses must not stop the others. */
	if (nghttp2_session_set_local_window_size(h2->h2_session,
	    NGHTTP2_FLAG_NONE, 0, H2_CONN_WINDOW) != 0)
		return (-1);
	return (0);
}

void
h2_set_over(struct h2 *h2, enum stream_end why, const char *fmt, ...)
{
	va_list		 ap;

	if (h2->h2_over)
		return;
	h2->h2_over = true;
	h2->h2_why = why;
	va_start(ap, fmt);
	(void)vsnprintf(h2->h2_text, sizeof(h2->h2_text), fmt, ap);
	va_end(ap);
}

static int
h2_on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame,
    void *arg)
{
	struct h2		*h2 = arg;
	struct h2_stream	*st;
	int32_t			 id = frame->hd.stream_id;

	st = nghttp2_session_get_stream_user_data(session, id);
	if (st != NULL) {
		st->hs_hdrbytes = 0;
		return (0);
	}
	if (!h2->h2_server || frame->headers.cat != NGHTTP2_HCAT_REQUEST ||
	    h2->h2_closed)
		return (0);
	if ((st = h2_stream_new(h2, NULL)) == NULL)
		return (NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
	st->hs_id = id;
	(void)nghttp2_session_set_stream_user_data(session, id, st);
	return (0);
}

static int
h2_on_header(nghttp2_session *session, const nghttp2_frame *frame,
    const uint8_t *name, size_t namelen, const uint8_t *value,
    size_t valuelen, uint8_t flags, void *arg)
{
	struct h2		*h2 = arg;
	struct h2_stream	*st;
	int32_t			 id = frame->hd.stream_id;

	(void)flags;
	st = nghttp2_session_get_stream_user_data(session, id);
	if (st == NULL || h2->h2_closed)
		return (0);
	/* SETTINGS_MAX_HEADER_LIST_SIZE is advice; nghttp2 does not count. */
	st->hs_hdrbytes += namelen + valuelen + 32;
	if (st->hs_hdrbytes > H2_HEADERS_MAXBYTES) {
		(void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE,
		    id, NGHTTP2_ENHANCE_YOUR_CALM);
		return (NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
	}
	/* Both end with a NUL and, checked by nghttp2, hold none. */
	h2->h2_ops->ho_header(st, (const char *)name, (const char *)value,
	    h2->h2_arg);
	return (0);
}

static int
h2_on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame,
    void *arg)
{
	struct h2		*h2 = arg;
	struct h2_stream	*st;
	bool			 end;

	if (h2->h2_closed)
		return (0);
	end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
	switch (frame->hd.type) {
	case NGHTTP2_HEADERS:
		st = nghttp2_session_get_stream_user_data(session,
		    frame->hd.stream_id);
		if (st != NULL)
			h2->h2_ops->ho_headers(st, end, h2->h2_arg);
		break;
	case NGHTTP2_DATA:
		st = nghttp2_session_get_stream_user_data(session,
		    frame->hd.stream_id);
		if (st != NULL && end)
			h2->h2_ops->ho_eof(st, h2->h2_arg);
		break;
	case NGHTTP2_GOAWAY:
		h2_got_goaway(h2, &frame->goaway);
		break;
	case NGHTTP2_PING:
		if (frame->hd.flags & NGHTTP2_FLAG_ACK)
			h2_got_pong(h2, &frame->ping);
		break;
	default:
		break;
	}
	return (0);
}

static int
h2_on_data(nghttp2_session *session, uint8_t flags, int32_t id,
    const uint8_t *data, size_t len, void *arg)
{
	struct h2		*h2 = arg;
	struct h2_stream	*st;

	(void)flags;
	st = nghttp2_session_get_stream_user_data(session, id);
	if (st == NULL || h2->h2_closed) {
		/* Or the connection's window would leak away. */
		(void)nghttp2_session_consume(session, id, len);
		return (0);
	}
	st->hs_held += len;
	h2->h2_ops->ho_data(st, data, len, h2->h2_arg);
	return (0);
}

static int
h2_on_frame_send(nghttp2_session *session, const nghttp2_frame *frame,
    void *arg)
{
	struct h2	*h2 = arg;
	int32_t		 id = frame->hd.stream_id;

	if (frame->hd.type == NGHTTP2_GOAWAY) {
		h2->h2_going = true;
		h2->h2_code = frame->goaway.error_code;
		return (0);
	}
	if (frame->hd.type == NGHTTP2_DATA && frame->hd.length > 0)
		h2_budget_earn(h2, H2_EARN_DATA);
	if (!h2->h2_server || !(frame->hd.flags & NGHTTP2_FLAG_END_STREAM) ||
	    (frame->hd.type != NGHTTP2_HEADERS &&
	    frame->hd.type != NGHTTP2_DATA))
		return (0);
	/* The answer is complete: tell a client that still sends to stop. */
	if (nghttp2_session_get_stream_remote_close(session, id) == 0)
		(void)nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE,
		    id, NGHTTP2_NO_ERROR);
	return (0);
}

/* A request that cannot go out any more, because of GOAWAY for instance. */
static int
h2_on_frame_not_send(nghttp2_session *session, const nghttp2_frame *frame,
    int error, void *arg)
{
	struct h2		*h2 = arg;
	struct h2_stream	*st;

	(void)session;
	(void)error;
	if (frame->hd.type != NGHTTP2_HEADERS ||
	    frame->headers.cat != NGHTTP2_HCAT_REQUEST)
		return (0);
	TAILQ_FOREACH(st, &h2->h2_streams, hs_entry) {
		if (st->hs_id == frame->hd.stream_id) {
			h2_ended(st, NGHTTP2_REFUSED_STREAM, true);
			break;
		}
	}
	return (0);
}

static int
h2_on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame,
    int error, void *arg)
{
	struct h2	*h2 = arg;

	(void)session;
	(void)error;
	/*
	 * grpc-go parts with a GOAWAY that names its own highest stream, which
	 * a server must not accept (RFC 9113 6.8); it means good-bye.
	 */
	if (frame->hd.type == NGHTTP2_GOAWAY &&
	    frame->goaway.error_code == NGHTTP2_NO_ERROR)
		h2->h2_bye = true;
	return (0);
}

static int
h2_on_close(nghttp2_session *session, int32_t id, uint32_t code, void *arg)
{
	struct h2_stream	*st;

	(void)arg;
	st = nghttp2_session_get_stream_user_data(session, id);
	if (st != NULL) {
		(void)nghttp2_session_set_stream_user_data(session, id, NULL);
		h2_ended(st, code, code == NGHTTP2_REFUSED_STREAM);
	}
	return (0);
}

static int
h2_on_error(nghttp2_session *session, int code, const char *msg, size_t len,
    void *arg)
{
	struct h2	*h2 = arg;

	(void)session;
	(void)code;
	/* May quote the peer. */
	(void)utf8_vis(h2->h2_error, sizeof(h2->h2_error), msg, len);
	return (0);
}

static void
h2_got_goaway(struct h2 *h2, const nghttp2_goaway *ga)
{
	char		 text[STREAM_TEXT_MAXBYTES];
	char		 debug[128] = "";

	h2->h2_peer_going = true;
	if (ga->opaque_data != NULL)
		(void)utf8_vis(debug, sizeof(debug), ga->opaque_data,
		    ga->opaque_data_len);
	(void)snprintf(text, sizeof(text), "GOAWAY %s%s%s",
	    nghttp2_http2_strerror(ga->error_code), *debug != '\0' ? ": " : "",
	    debug);
	if (h2->h2_ops->ho_goaway != NULL)
		h2->h2_ops->ho_goaway(h2, ga->error_code, text, h2->h2_arg);
	if (ga->error_code != NGHTTP2_NO_ERROR)
		(void)strlcpy(h2->h2_error, text, sizeof(h2->h2_error));
}

static void
h2_got_pong(struct h2 *h2, const nghttp2_ping *ping)
{
	h2_ping_cb	*fn = h2->h2_ping_fn;
	monotime_t	 rtt = monotime_now() - h2->h2_ping_at;

	if (fn == NULL || memcmp(ping->opaque_data, h2->h2_ping_data,
	    sizeof(h2->h2_ping_data)) != 0)
		return;
	h2->h2_ping_fn = NULL;
	(void)event_del(h2->h2_pingtmo);
	fn(h2, (int)rtt, h2->h2_ping_arg);
}

static void
h2_ended(struct h2_stream *st, uint32_t code, bool unprocessed)
{
	struct h2	*h2 = st->hs_conn;

	if (st->hs_held > 0)
		(void)nghttp2_session_consume_connection(h2->h2_session,
		    st->hs_held);
	TAILQ_REMOVE(&h2->h2_streams, st, hs_entry);
	h2->h2_nstreams--;
	if (!h2->h2_closed)
		h2->h2_ops->ho_closed(st, code, unprocessed, h2->h2_arg);
	h2_stream_free(st);
}

struct h2_stream *
h2_stream_new(struct h2 *h2, void *arg)
{
	struct h2_stream	*st;

	if ((st = calloc(1, sizeof(*st))) == NULL)
		return (NULL);
	if ((st->hs_out = evbuffer_new()) == NULL) {
		free(st);
		errno = ENOMEM;
		return (NULL);
	}
	st->hs_conn = h2;
	st->hs_arg = arg;
	TAILQ_INSERT_TAIL(&h2->h2_streams, st, hs_entry);
	h2->h2_nstreams++;
	return (st);
}

/* The stream is off the list already. */
void
h2_stream_free(struct h2_stream *st)
{
	size_t		 i;

	for (i = 0; i < st->hs_ntrailers; i++) {
		free((void *)(uintptr_t)st->hs_trailers[i].hh_name);
		free((void *)(uintptr_t)st->hs_trailers[i].hh_value);
	}
	free(st->hs_trailers);
	evbuffer_free(st->hs_out);
	free(st);
}

ssize_t
h2_body_read(nghttp2_session *session, int32_t id, uint8_t *buf, size_t len,
    uint32_t *flags, nghttp2_data_source *src, void *arg)
{
	struct h2_stream	*st;
	nghttp2_nv		 nva[H2_NV_MAX];
	int			 n;

	(void)src;
	(void)arg;
	st = nghttp2_session_get_stream_user_data(session, id);
	if (st == NULL)
		return (NGHTTP2_ERR_DEFERRED);	/* its RST_STREAM is queued */
	n = evbuffer_remove(st->hs_out, buf, len);
	if (n == -1)
		return (NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
	if (st->hs_high && evbuffer_get_length(st->hs_out) <= H2_QUEUE_LOW) {
		st->hs_high = false;
		st->hs_drained = true;
	}
	if (evbuffer_get_length(st->hs_out) > 0 || !st->hs_fin)
		return (n > 0 ? n : NGHTTP2_ERR_DEFERRED);
	*flags |= NGHTTP2_DATA_FLAG_EOF;
	if (st->hs_ntrailers > 0) {
		*flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
		(void)h2_nva(nva, st->hs_trailers, st->hs_ntrailers);
		if (nghttp2_submit_trailer(session, id, nva,
		    st->hs_ntrailers) != 0)
			return (NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE);
	}
	return (n);
}

int
h2_nva(nghttp2_nv *nva, const struct h2_header *h, size_t n)
{
	size_t		 i;

	if (n > H2_NV_MAX) {
		errno = EINVAL;
		return (-1);
	}
	/* nghttp2 copies; its members are not const for C++'s sake. */
	for (i = 0; i < n; i++) {
		nva[i].name = (uint8_t *)(uintptr_t)h[i].hh_name;
		nva[i].namelen = strlen(h[i].hh_name);
		nva[i].value = (uint8_t *)(uintptr_t)h[i].hh_value;
		nva[i].valuelen = strlen(h[i].hh_value);
		nva[i].flags = NGHTTP2_NV_FLAG_NONE;
	}
	return (0);
}
