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

static int	 h2_keep_trailers(struct h2_stream *,
		    const struct h2_header *, size_t);

static bool
h2_is_going(const struct h2 *h2)
{
	return (h2->h2_going || h2->h2_peer_going || h2->h2_over ||
	    h2->h2_closed);
}

struct h2_stream *
h2_request(struct h2 *h2, const struct h2_header *h, size_t n, void *arg)
{
	nghttp2_data_provider	 body = { .read_callback = h2_body_read };
	nghttp2_nv		 nva[H2_NV_MAX];
	struct h2_stream	*st;
	int32_t			 id;

	if (h2_is_going(h2)) {
		errno = EPIPE;
		return (NULL);
	}
	if (h2_nva(nva, h, n) == -1 || (st = h2_stream_new(h2, arg)) == NULL)
		return (NULL);
	id = nghttp2_submit_request(h2->h2_session, NULL, nva, n, &body, st);
	if (id < 0) {
		TAILQ_REMOVE(&h2->h2_streams, st, hs_entry);
		h2->h2_nstreams--;
		h2_stream_free(st);
		errno = id == NGHTTP2_ERR_NOMEM ? ENOMEM : EPIPE;
		return (NULL);
	}
	st->hs_id = id;
	st->hs_begun = true;
	h2_flush_soon(h2);
	return (st);
}

int
h2_respond(struct h2_stream *st, const struct h2_header *h, size_t n, bool end)
{
	nghttp2_data_provider	 body = { .read_callback = h2_body_read };
	nghttp2_nv		 nva[H2_NV_MAX];

	if (st->hs_begun) {
		errno = EINVAL;
		return (-1);
	}
	if (h2_nva(nva, h, n) == -1)
		return (-1);
	if (nghttp2_submit_response(st->hs_conn->h2_session, st->hs_id, nva,
	    n, end ? NULL : &body) != 0) {
		errno = EPIPE;
		return (-1);
	}
	st->hs_begun = true;
	st->hs_fin = end;
	h2_flush_soon(st->hs_conn);
	return (0);
}

int
h2_stream_write(struct h2_stream *st, const void *head, size_t headlen,
    const void *data, size_t len)
{
	struct h2	*h2 = st->hs_conn;

	if (st->hs_fin || h2->h2_over) {
		errno = EPIPE;
		return (-1);
	}
	/* All or nothing. */
	if (evbuffer_expand(st->hs_out, headlen + len) == -1 ||
	    evbuffer_add(st->hs_out, head, headlen) == -1 ||
	    evbuffer_add(st->hs_out, data, len) == -1) {
		errno = ENOMEM;
		return (-1);
	}
	if (evbuffer_get_length(st->hs_out) > H2_QUEUE_LOW)
		st->hs_high = true;
	/* Fails when it was not waiting for data: no matter. */
	(void)nghttp2_session_resume_data(h2->h2_session, st->hs_id);
	h2_flush_soon(h2);
	return (0);
}

int
h2_stream_finish(struct h2_stream *st, const struct h2_header *h, size_t n)
{
	struct h2	*h2 = st->hs_conn;

	if (st->hs_fin || h2->h2_over) {
		errno = EPIPE;
		return (-1);
	}
	if (h2_keep_trailers(st, h, n) == -1)
		return (-1);
	st->hs_fin = true;
	(void)nghttp2_session_resume_data(h2->h2_session, st->hs_id);
	h2_flush_soon(h2);
	return (0);
}

static int
h2_keep_trailers(struct h2_stream *st, const struct h2_header *h, size_t n)
{
	size_t		 i;

	if (n > H2_NV_MAX) {
		errno = EINVAL;
		return (-1);
	}
	if (n == 0)
		return (0);
	if ((st->hs_trailers = calloc(n, sizeof(*h))) == NULL)
		return (-1);
	/* On failure h2_stream_free() frees what is there. */
	st->hs_ntrailers = n;
	for (i = 0; i < n; i++) {
		st->hs_trailers[i].hh_name = strdup(h[i].hh_name);
		st->hs_trailers[i].hh_value = strdup(h[i].hh_value);
		if (st->hs_trailers[i].hh_name == NULL ||
		    st->hs_trailers[i].hh_value == NULL)
			return (-1);
	}
	return (0);
}

void
h2_stream_reset(struct h2_stream *st, uint32_t code)
{
	struct h2	*h2 = st->hs_conn;

	(void)nghttp2_submit_rst_stream(h2->h2_session, NGHTTP2_FLAG_NONE,
	    st->hs_id, code);
	(void)nghttp2_session_set_stream_user_data(h2->h2_session, st->hs_id,
	    NULL);
	if (st->hs_held > 0)
		(void)nghttp2_session_consume_connection(h2->h2_session,
		    st->hs_held);
	TAILQ_REMOVE(&h2->h2_streams, st, hs_entry);
	h2->h2_nstreams--;
	h2_stream_free(st);
	h2_flush_soon(h2);
}

void
h2_stream_consume(struct h2_stream *st, size_t n)
{
	if (n > st->hs_held)
		n = st->hs_held;
	st->hs_held -= n;
	if (n == 0)
		return;
	(void)nghttp2_session_consume(st->hs_conn->h2_session, st->hs_id, n);
	h2_flush_soon(st->hs_conn);
}

size_t
h2_stream_queued(const struct h2_stream *st)
{
	return (evbuffer_get_length(st->hs_out));
}

void *
h2_stream_arg(const struct h2_stream *st)
{
	return (st->hs_arg);
}

void
h2_stream_set_arg(struct h2_stream *st, void *arg)
{
	st->hs_arg = arg;
}

int32_t
h2_stream_id(const struct h2_stream *st)
{
	return (st->hs_id);
}
