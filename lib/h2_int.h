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

#ifndef H2_INT_H
#define H2_INT_H

#include "compat.h"

#include <event2/buffer.h>

#include "h2.h"
#include "monotime.h"

/* Shared by h2.c (life, interface), h2_session.c and h2_budget.c. */
struct h2_stream {
	int32_t			 hs_id;
	struct h2		*hs_conn;
	TAILQ_ENTRY(h2_stream)	 hs_entry;
	void			*hs_arg;
	struct evbuffer		*hs_out;
	struct h2_header	*hs_trailers;	/* strings owned */
	size_t			 hs_ntrailers;
	size_t			 hs_hdrbytes;	/* block being received */
	size_t			 hs_held;	/* bytes in, not yet consumed */
	bool			 hs_begun;	/* nghttp2 asks for our data */
	bool			 hs_fin;	/* nothing after hs_out */
	bool			 hs_high;	/* hs_out was above the mark */
	bool			 hs_drained;	/* ho_drained is due */
};

struct h2 {
	struct event_base	*h2_base;
	struct stream		*h2_stream;
	nghttp2_session		*h2_session;
	void			*h2_frame;	/* h2_mem.c */
	const struct h2_ops	*h2_ops;
	void			*h2_arg;
	bool			 h2_server;

	TAILQ_HEAD(, h2_stream)	 h2_streams;
	size_t			 h2_nstreams;

	unsigned int		 h2_depth;	/* callbacks running */
	bool			 h2_closed;	/* h2_close() */
	bool			 h2_over;	/* h2_why and h2_text are set */
	bool			 h2_going;	/* our GOAWAY left */
	bool			 h2_peer_going;	/* the peer's came */
	bool			 h2_bye;	/* ... as its last word */
	bool			 h2_lost;	/* transport unusable */
	uint32_t		 h2_code;	/* of our last GOAWAY */
	enum stream_end		 h2_why;
	char			 h2_text[STREAM_TEXT_MAXBYTES];
	char			 h2_error[STREAM_TEXT_MAXBYTES];

	struct event		*h2_kick;	/* flush soon */
	struct event		*h2_pingtmo;
	struct event		*h2_gotmo;	/* h2_goaway() must end */

	h2_ping_cb		*h2_ping_fn;	/* NULL: none is out */
	void			*h2_ping_arg;
	monotime_t		 h2_ping_at;
	uint8_t			 h2_ping_data[8];
	uint32_t		 h2_ping_seq;

	int			 h2_budget;
	monotime_t		 h2_budget_at;	/* last refill */
	uint8_t			 h2_head[9];	/* frame header being read */
	size_t			 h2_headlen;
	size_t			 h2_skip;	/* payload left, bytes */
};

/* h2_mem.c: what a session allocates with; copied by nghttp2. */
nghttp2_mem	 h2_mem(struct h2 *);
/* Nothing is half written (nghttp2_session_mem_send() gave 0). */
void		 h2_mem_rest(struct h2 *);

/* h2.c */
void	 h2_flush_soon(struct h2 *);

/* h2_session.c: the nghttp2 side. */
int	 h2_session_new(struct h2 *);
/* Remembers why the connection ends; the first reason wins. */
void	 h2_set_over(struct h2 *, enum stream_end, const char *, ...)
	    __printflike_(3, 4);
struct h2_stream *h2_stream_new(struct h2 *, void *);
void	 h2_stream_free(struct h2_stream *);
/* Provider of every body: bytes of hs_out, then END_STREAM or trailers. */
ssize_t	 h2_body_read(nghttp2_session *, int32_t, uint8_t *, size_t,
	    uint32_t *, nghttp2_data_source *, void *);
/* An nva over the caller's strings; at most H2_NV_MAX. */
#define H2_NV_MAX	16
int	 h2_nva(nghttp2_nv *, const struct h2_header *, size_t);

/*
 * h2_budget.c: looks at the frame headers in bytes received, before nghttp2
 * gets them.  -1 when the peer sends too much that says nothing.
 */
void	 h2_budget_init(struct h2 *, monotime_t);
int	 h2_budget_scan(struct h2 *, const uint8_t *, size_t, monotime_t);
void	 h2_budget_earn(struct h2 *, int);

#endif /* H2_INT_H */
