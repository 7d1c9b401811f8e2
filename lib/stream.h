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

#ifndef STREAM_H
#define STREAM_H

#include "compat.h"

#include <event2/buffer.h>
#include <event2/event.h>
#include <tls.h>

/*
 * A connected, non-blocking descriptor on libevent, plain or under libtls:
 * what HTTP, HTTP/2 and the Docker sockets stand on.  Bounded in every
 * direction: bytes read per wake-up, bytes held in and out, the handshake,
 * idle time, total time and the farewell.
 *
 * Ownership: the creator owns the stream until stream_close() or
 * stream_free(), also after so_end.  Both may be called inside any callback
 * and no callback follows them.  SIGPIPE must be ignored by the process.
 */
#define STREAM_READ_MAXBYTES	(64 * 1024)	/* read in one wake-up */
#define STREAM_IN_MAXBYTES	(64 * 1024)	/* held unread */
#define STREAM_OUT_MAXBYTES	(8 * 1024 * 1024)	/* held unsent */
#define STREAM_OUT_HIGH		(64 * 1024)	/* marks of the queue, bytes */
#define STREAM_OUT_LOW		(16 * 1024)
#define STREAM_HANDSHAKE_MSEC	10000
#define STREAM_LINGER_MSEC	2000	/* flush, close_notify, peer's FIN */
#define STREAM_LINGER_MAXBYTES	(4 * 1024 * 1024)	/* dropped meanwhile */
#define STREAM_TEXT_MAXBYTES	256

enum stream_end {
	STREAM_END_EOF,		/* peer closed */
	STREAM_END_RESET,	/* ECONNRESET, EPIPE, unreachable ... */
	STREAM_END_TIMEOUT,	/* handshake, idle or absolute deadline */
	STREAM_END_TLS,		/* handshake or record refused */
	STREAM_END_PROTOCOL,	/* layers above: peer broke rules or limits */
	STREAM_END_LOCAL	/* layers above: we ended it */
};

struct stream;

struct stream_ops {
	/*
	 * TLS only: the handshake is done; look at stream_tls() (tlsconf.h
	 * has the checks) and close what is not wanted.  May be NULL.
	 */
	void	(*so_up)(struct stream *, void *);
	/*
	 * Bytes came.  Take from in what you can; the rest stays and counts
	 * against STREAM_IN_MAXBYTES.
	 */
	void	(*so_read)(struct stream *, struct evbuffer *, void *);
	/* stream_queued() fell to the low mark after reaching the high one. */
	void	(*so_drained)(struct stream *, void *);	/* may be NULL */
	/*
	 * Once, and nothing after it.  Held back while reading is paused and
	 * bytes wait.  After STREAM_END_EOF what is queued or written now can
	 * still leave, by stream_close(); otherwise only freeing is left.
	 * text: one line for the log, lent.
	 */
	void	(*so_end)(struct stream *, enum stream_end, const char *,
		    void *);
};

/*
 * fd	connected; made non-blocking; owned from success on
 * tls	from tls_accept_socket() or tls_connect_socket() over the same fd;
 *	owned from success on; NULL: plain
 * Returns NULL with errno (nothing taken).  No callback before the loop runs.
 * A TLS stream starts with the handshake and its deadline of
 * STREAM_HANDSHAKE_MSEC; a plain one reads at once.
 */
struct stream *stream_new(struct event_base *, int fd, struct tls *tls,
	    const struct stream_ops *, void *arg);
/* A layer above takes the stream over.  Bytes in hand are offered again. */
void	 stream_set_ops(struct stream *, const struct stream_ops *, void *arg);

/*
 * In order and bounded by STREAM_LINGER_MSEC: send what is queued,
 * close_notify, FIN, drop input up to the peer's FIN (so that a reset does
 * not destroy our last words), close.  The pointer is gone.
 */
void	 stream_close(struct stream *);
/* At once, unsent bytes are lost.  NULL is fine. */
void	 stream_free(struct stream *);

/*
 * Queue bytes (copied) or all of a buffer (moved).  Returns -1 with ENOBUFS
 * above STREAM_OUT_MAXBYTES, EPIPE when the stream has ended or was half
 * closed, ENOMEM; nothing was queued then.
 */
int	 stream_write(struct stream *, const void *, size_t);
int	 stream_write_buf(struct stream *, struct evbuffer *);
/* Half close once the queue is out.  Plain only: -1 with EOPNOTSUPP on TLS. */
int	 stream_shutdown(struct stream *);
size_t	 stream_queued(const struct stream *);		/* bytes unsent */
bool	 stream_is_full(const struct stream *);		/* at high mark */

/*
 * Called with true before the stream works on what came from its peer
 * (handshake, bytes, callbacks), and with false and NULL when it is done and
 * the stream may be gone.  Not any more once stream_close() was called.
 */
void	 stream_set_guard(struct stream *, void (*)(void *, bool), void *arg);

/* Stop and go on reading.  Resuming offers the bytes in hand first. */
void	 stream_pause(struct stream *);
void	 stream_resume(struct stream *);

/*
 * Milliseconds, 0 = none.  deadline: from now, whatever happens.  idle: since
 * the last byte in either direction.  handshake: before the loop runs.
 */
void	 stream_set_deadline(struct stream *, unsigned int);
void	 stream_set_idle(struct stream *, unsigned int);
void	 stream_set_handshake(struct stream *, unsigned int);

struct evbuffer *stream_in(struct stream *);		/* lent */
struct tls *stream_tls(struct stream *);		/* lent, NULL: plain */
int	 stream_fd(const struct stream *);		/* lent */
const char *stream_end_name(enum stream_end);		/* "eof", ... */

#endif /* STREAM_H */
