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

#ifndef H2_H
#define H2_H

#include "compat.h"

#include <event2/event.h>
#include <nghttp2/nghttp2.h>

#include "stream.h"

/*
 * An HTTP/2 connection, server or client, over a stream.  All that nghttp2
 * leaves to the application is done here: header list size, floods of frames
 * that carry nothing, credit only for bytes the application took.
 *
 * Ownership: h2_new() takes the stream.  h2_close() ends the connection and
 * every h2_stream of it without further callbacks; it may be called inside a
 * callback.  After ho_end the connection frees itself.
 * An h2_stream lives until its ho_closed returned or h2_stream_reset().
 */
#define H2_HEADERS_MAXBYTES	8192	/* name + value + 32 each, one block */
#define H2_STREAMS_MAX		8	/* per connection, server */
#define H2_STREAM_WINDOW	65535	/* bytes in, not yet consumed */
#define H2_CONN_WINDOW		(H2_STREAMS_MAX * H2_STREAM_WINDOW)
#define H2_SETTINGS_MAX		16	/* entries in one SETTINGS frame */
#define H2_ACK_QUEUE_MAX	100	/* unsent PING and SETTINGS acks */
#define H2_RESET_BURST		200	/* RST_STREAM from the peer */
#define H2_RESET_PER_SEC	10
#define H2_QUEUE_LOW		(64 * 1024)	/* ho_drained, bytes */
#define H2_GOAWAY_MSEC		5000	/* open streams after h2_goaway() */
/*
 * Frame budget.  A frame that carries nothing costs 10, a small one 1, a DATA
 * frame of H2_FRAME_SMALL bytes or more nothing.  Each DATA frame we send
 * earns 30: grpc-go answers it with a BDP PING and window updates.
 */
#define H2_BUDGET_MAX		10000
#define H2_BUDGET_PER_SEC	2000
#define H2_COST_EMPTY		10
#define H2_COST_SMALL		1
#define H2_EARN_DATA		30
#define H2_FRAME_SMALL		256
#define H2_CONTINUATIONS_MAX	8	/* frames of one header block */
#define H2_CODE_LOST		UINT32_MAX	/* ho_closed: connection gone */

struct h2;
struct h2_stream;

struct h2_header {
	const char	*hh_name;	/* lower case */
	const char	*hh_value;
};

struct h2_ops {
	/*
	 * One field, in order; checked by nghttp2 as HTTP demands.  On a server
	 * the first one of a new stream comes with h2_stream_arg() == NULL.
	 */
	void	(*ho_header)(struct h2_stream *, const char *name,
		    const char *value, void *);
	/* A block is complete: request, response or trailers. */
	void	(*ho_headers)(struct h2_stream *, bool end, void *);
	/* Bytes; they count against the window until h2_stream_consume(). */
	void	(*ho_data)(struct h2_stream *, const uint8_t *, size_t,
		    void *);
	/* END_STREAM after data (headers say it themselves). */
	void	(*ho_eof)(struct h2_stream *, void *);
	/* Queue fell to H2_QUEUE_LOW after being above it.  May be NULL. */
	void	(*ho_drained)(struct h2_stream *, void *);
	/*
	 * The stream is over; code is NGHTTP2_* or H2_CODE_LOST.
	 * unprocessed: the peer promised (REFUSED_STREAM, GOAWAY) that it did
	 * nothing.
	 */
	void	(*ho_closed)(struct h2_stream *, uint32_t code,
		    bool unprocessed, void *);
	/* The peer takes no new streams.  May be NULL. */
	void	(*ho_goaway)(struct h2 *, uint32_t code, const char *text,
		    void *);
	/* Once; every stream had its ho_closed. */
	void	(*ho_end)(struct h2 *, enum stream_end, const char *text,
		    void *);
};

/* rtt in milliseconds, -1: no answer in time.  Not called when h2 ends. */
typedef void h2_ping_cb(struct h2 *, int rtt, void *);

/*
 * The stream must be up (so_up passed, or plain).  Returns NULL with errno;
 * the stream is not taken then.
 */
struct h2 *h2_new(struct event_base *, struct stream *, bool server,
	    const struct h2_ops *, void *arg);
/* GOAWAY with code, flush, close. */
void	 h2_close(struct h2 *, uint32_t code);
/*
 * GOAWAY(NO_ERROR); ho_end(STREAM_END_LOCAL) when the last stream is over or
 * after H2_GOAWAY_MSEC.
 */
void	 h2_goaway(struct h2 *);
/* -1 with EBUSY while one is out. */
int	 h2_ping(struct h2 *, unsigned int timeout_msec, h2_ping_cb *, void *);
struct stream *h2_transport(struct h2 *);		/* lent */
const char *h2_end_text(const struct h2 *);	/* in ho_closed and ho_end */
bool	 h2_has_bye(const struct h2 *);	/* the peer sent GOAWAY */

/* Client: a request whose body stays open.  NULL with errno. */
struct h2_stream *h2_request(struct h2 *, const struct h2_header *, size_t,
	    void *arg);
/*
 * Server: the response's headers, once.  end: no body ("trailers-only").
 * Returns -1 with errno.
 */
int	 h2_respond(struct h2_stream *, const struct h2_header *, size_t,
	    bool end);
/*
 * Queue body bytes (copied) in two parts, both or none.  -1 with ENOMEM or
 * EPIPE (ended, reset).
 */
int	 h2_stream_write(struct h2_stream *, const void *head, size_t,
	    const void *data, size_t);
/*
 * After the queue: END_STREAM, with trailers when n > 0.  A server whose
 * client has not half-closed adds RST_STREAM(NO_ERROR), as gRPC wants.
 */
int	 h2_stream_finish(struct h2_stream *, const struct h2_header *, size_t);
/* RST_STREAM; the h2_stream is gone and has no further callback. */
void	 h2_stream_reset(struct h2_stream *, uint32_t code);
void	 h2_stream_consume(struct h2_stream *, size_t);
size_t	 h2_stream_queued(const struct h2_stream *);
void	*h2_stream_arg(const struct h2_stream *);
void	 h2_stream_set_arg(struct h2_stream *, void *);
int32_t	 h2_stream_id(const struct h2_stream *);

#endif /* H2_H */
