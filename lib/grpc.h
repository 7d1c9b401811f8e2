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

#ifndef GRPC_H
#define GRPC_H

#include "compat.h"

#include <event2/event.h>

#include "stream.h"

/*
 * gRPC over HTTP/2, server and client: framing, status, deadlines, limits.
 * Messages are bytes here; what they mean is the caller's business.
 * Wire: sentinel-protocol(7); gRPC "PROTOCOL-HTTP2".
 *
 * Ownership: *_new() takes the stream.  A connection lives until its
 * conn_closed callback returned, or grpc_conn_close().  A call lives until
 * its last callback (server call_closed, client call_status) returned, or
 * grpc_call_cancel().  Everything here may be called inside any callback.
 * Data and texts handed to a callback are lent for its duration.
 */
#define GRPC_RECV_MAXBYTES	(4 * 1024 * 1024)	/* upper bound of any
							   gm_max_message */
#define GRPC_SEND_MAXBYTES	(1024 * 1024)	/* one message of ours */
#define GRPC_QUEUE_MAXBYTES	(4 * 1024 * 1024)	/* unsent, per call */
#define GRPC_ASSEMBLE_MAXBYTES	(8 * 1024 * 1024)	/* half-received, per
							   connection */
#define GRPC_TEXT_MAXBYTES	1024	/* grpc-message, decoded */
#define GRPC_REQUEST_MSEC	60000	/* unary request to arrive */
#define GRPC_FINISH_MSEC	10000	/* trailers to leave */
#define GRPC_IDLE_MSEC		10000	/* server: no call open */

enum grpc_status {
	GRPC_OK = 0,
	GRPC_CANCELLED = 1,
	GRPC_UNKNOWN = 2,
	GRPC_INVALID_ARGUMENT = 3,
	GRPC_DEADLINE_EXCEEDED = 4,
	GRPC_NOT_FOUND = 5,
	GRPC_ALREADY_EXISTS = 6,
	GRPC_PERMISSION_DENIED = 7,
	GRPC_RESOURCE_EXHAUSTED = 8,
	GRPC_FAILED_PRECONDITION = 9,
	GRPC_ABORTED = 10,
	GRPC_OUT_OF_RANGE = 11,
	GRPC_UNIMPLEMENTED = 12,
	GRPC_INTERNAL = 13,
	GRPC_UNAVAILABLE = 14,
	GRPC_DATA_LOSS = 15,
	GRPC_UNAUTHENTICATED = 16
};

/* Why a call on the server ended. */
enum grpc_end {
	GRPC_END_FINISHED,	/* our status left */
	GRPC_END_CANCELLED,	/* the client reset it */
	GRPC_END_DEADLINE,	/* its grpc-timeout or our limit passed */
	GRPC_END_REFUSED,	/* it broke a rule; we answered for you */
	GRPC_END_LOST		/* the connection is gone */
};

struct grpc_conn;
struct grpc_call;

struct grpc_method {
	const char	*gm_path;	/* "/package.Service/Method" */
	size_t		 gm_max_message; /* in, <= GRPC_RECV_MAXBYTES */
	bool		 gm_unary;	/* one message each way */
};

struct grpc_server_ops {
	/*
	 * A known method is called.  Anything but GRPC_OK ends it here with
	 * *text (lent, may stay NULL) and no further callback.
	 */
	enum grpc_status (*gs_call_open)(struct grpc_call *,
		    const char **text, void *arg);
	/*
	 * One message.  Unary: exactly once, when the request is complete;
	 * answer now or later by grpc_call_send() and grpc_call_finish().
	 */
	void	(*gs_call_message)(struct grpc_call *, const uint8_t *,
		    size_t, void *arg);
	/* The client will send no more.  Streams only; may be NULL. */
	void	(*gs_call_half_close)(struct grpc_call *, void *arg);
	/* grpc_call_queued() is low again.  May be NULL. */
	void	(*gs_call_drained)(struct grpc_call *, void *arg);
	/* Last callback of a call that call_open accepted. */
	void	(*gs_call_closed)(struct grpc_call *, enum grpc_end,
		    void *arg);
	/* Last callback of the connection; its calls are closed already. */
	void	(*gs_conn_closed)(struct grpc_conn *, enum stream_end,
		    const char *text, void *arg);
};

struct grpc_client_ops {
	void	(*gc_call_message)(struct grpc_call *, const uint8_t *,
		    size_t, void *arg);
	void	(*gc_call_drained)(struct grpc_call *,
		    void *arg);		/* NULL ok */
	/*
	 * Last callback of a call, always comes (but after cancel).  text is
	 * "" or one line of valid UTF-8 without control characters.
	 */
	void	(*gc_call_status)(struct grpc_call *, enum grpc_status,
		    const char *text, void *arg);
	/* The server takes no new calls: reconnect soon.  NULL ok */
	void	(*gc_conn_goaway)(struct grpc_conn *, const char *text,
		    void *arg);
	void	(*gc_conn_closed)(struct grpc_conn *, enum stream_end,
		    const char *text, void *arg);
};

/*
 * The stream must be up and its ALPN checked (tlsconf_fault()).
 * methods: ends with gm_path NULL, kept by reference.
 * authority: "host:port" as configured, copied.
 * NULL with errno; the stream is not taken then.
 */
struct grpc_conn *grpc_server_new(struct event_base *, struct stream *,
	    const struct grpc_method *, const struct grpc_server_ops *,
	    void *arg);
struct grpc_conn *grpc_client_new(struct event_base *, struct stream *,
	    const char *authority, const struct grpc_client_ops *, void *arg);

/* GOAWAY, flush, close.  No callback follows, also none of its calls. */
void	 grpc_conn_close(struct grpc_conn *);
/* No new calls; conn_closed(STREAM_END_LOCAL) when the last one is over. */
void	 grpc_conn_goaway(struct grpc_conn *);
/*
 * PING; cb gets the round trip in milliseconds, or -1 after timeout_msec (the
 * connection is not closed by that).  -1 with EBUSY while one is out.
 */
int	 grpc_conn_ping(struct grpc_conn *, unsigned int timeout_msec,
	    void (*cb)(struct grpc_conn *, int rtt, void *), void *arg);
/*
 * Back-pressure: stop and go on reading the socket of the whole connection.
 * PINGs stay unanswered meanwhile, so for a short while only.
 */
void	 grpc_conn_pause(struct grpc_conn *);
void	 grpc_conn_resume(struct grpc_conn *);
/* Server, msec: close when no call was open for so long; 0: never. */
void	 grpc_conn_set_idle(struct grpc_conn *, unsigned int);
struct stream *grpc_conn_stream(struct grpc_conn *);	/* lent */
void	*grpc_conn_arg(const struct grpc_conn *);
/* The peer sent GOAWAY; may be asked inside conn_closed as well. */
bool	 grpc_conn_has_bye(const struct grpc_conn *);
size_t	 grpc_conn_ncalls(const struct grpc_conn *);

/*
 * Client: begin a call.  timeout_msec 0: none; it is sent as grpc-timeout and
 * kept here as well (call_status DEADLINE_EXCEEDED).  No callback before this
 * returns.  NULL with errno ENOMEM, or EPIPE (GOAWAY seen, connection ending).
 */
struct grpc_call *grpc_call_start(struct grpc_conn *,
	    const struct grpc_method *, unsigned int timeout_msec, void *arg);
/*
 * Queue one message; on a client's unary call this is all it sends.  -1 with
 * EMSGSIZE (GRPC_SEND_MAXBYTES), ENOBUFS (GRPC_QUEUE_MAXBYTES unsent), EPIPE
 * (over, finished), ENOMEM; nothing was queued then.
 */
int	 grpc_call_send(struct grpc_call *, const void *, size_t);
/* Client: no more messages from us. */
int	 grpc_call_half_close(struct grpc_call *);
/*
 * Server: status and text (may be NULL, percent-encoded here, cut at
 * GRPC_TEXT_MAXBYTES) after what is queued.  call_closed follows.  A second
 * one is ignored.
 */
void	 grpc_call_finish(struct grpc_call *, enum grpc_status,
	    const char *text);
/* RST_STREAM(CANCEL).  The call is gone, no callback follows. */
void	 grpc_call_cancel(struct grpc_call *);
/*
 * Back-pressure per call: no message is delivered while paused; the peer can
 * send one window (64 KiB) more.  PINGs are still answered.
 */
void	 grpc_call_pause(struct grpc_call *);
void	 grpc_call_resume(struct grpc_call *);
size_t	 grpc_call_queued(const struct grpc_call *);	/* bytes unsent */
void	*grpc_call_arg(const struct grpc_call *);
void	 grpc_call_set_arg(struct grpc_call *, void *);
const struct grpc_method *grpc_call_method(const struct grpc_call *);
struct grpc_conn *grpc_call_conn(struct grpc_call *);

const char *grpc_status_name(int);			/* "NOT_FOUND" */

#endif /* GRPC_H */
