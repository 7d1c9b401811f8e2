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

#ifndef GRPC_INT_H
#define GRPC_INT_H

#include "compat.h"

#include "grpc.h"
#include "h2.h"
#include "monotime.h"

/*
 * Shared by grpc.c (connections, interface), grpc_server.c, grpc_client.c,
 * grpc_frame.c (messages) and grpc_text.c (codes and strings).
 */
#define GRPC_PREFIX_BYTES	5	/* flag, 32-bit length */
#define GRPC_TEXT_ENCODED	(3 * GRPC_TEXT_MAXBYTES + 1)

enum grpc_phase {
	GC_HEADERS,		/* request or response headers awaited */
	GC_OPEN,
	GC_FINISHING,		/* our status is queued; input is dropped */
	GC_DEAD			/* no callback any more */
};

struct grpc_call {
	struct grpc_conn	*gc_conn;
	struct h2_stream	*gc_st;		/* NULL: closed */
	uint32_t		 gc_id;
	TAILQ_ENTRY(grpc_call)	 gc_entry;
	const struct grpc_method *gc_method;	/* NULL: unknown */
	void			*gc_arg;

	enum grpc_phase		 gc_phase;
	bool			 gc_known;	/* the application has it */
	bool			 gc_paused;
	bool			 gc_resumed;	/* bytes held are to be fed */
	bool			 gc_eof;	/* peer sends no more */
	bool			 gc_eof_told;
	bool			 gc_half;	/* we send no more */
	bool			 gc_responded;	/* our headers are out */
	bool			 gc_whole;	/* unary: message is complete */
	struct event		*gc_timer;
	monotime_t		 gc_deadline;	/* of the call */
	enum grpc_end		 gc_end;

	/* What the peer's headers said. */
	bool			 gc_is_post;
	bool			 gc_is_grpc;	/* content-type */
	bool			 gc_is_coded;	/* grpc-encoding in use */
	bool			 gc_bad_timeout;
	int			 gc_http;	/* :status, client */
	int			 gc_status;	/* grpc-status, -1: none yet */
	char			*gc_text;	/* grpc-message, decoded */

	/* The message being received. */
	uint8_t			 gc_prefix[GRPC_PREFIX_BYTES];
	size_t			 gc_prefixlen;
	uint8_t			*gc_msg;
	size_t			 gc_msglen;	/* announced, bytes */
	size_t			 gc_msghave;
	size_t			 gc_msgcap;
	struct evbuffer		*gc_held;	/* came while paused; or NULL */
};

struct grpc_conn {
	struct h2		*gn_h2;
	struct event_base	*gn_base;
	bool			 gn_server;
	const struct grpc_method *gn_methods;
	const struct grpc_server_ops *gn_sops;
	const struct grpc_client_ops *gn_cops;
	void			*gn_arg;
	char			*gn_authority;
	TAILQ_HEAD(, grpc_call)	 gn_calls;
	TAILQ_HEAD(, grpc_call)	 gn_graves;	/* freed by grpc_leave() */
	size_t			 gn_ncalls;
	size_t			 gn_assembling;	/* bytes, all calls */
	unsigned int		 gn_depth;	/* callbacks running */
	bool			 gn_gone;	/* closed by owner or lost */
	unsigned int		 gn_idle;	/* msec, as the next two */
	unsigned int		 gn_request;
	unsigned int		 gn_finish;
	struct event		*gn_idletmo;
	struct event		*gn_wake;	/* calls were resumed */
	void			(*gn_ping_fn)(struct grpc_conn *, int, void *);
	void			*gn_ping_arg;
};

/*
 * Every way in from below is framed by these two; calls and the connection
 * are freed in the outermost grpc_leave().
 */
void	 grpc_enter(struct grpc_conn *);
void	 grpc_leave(struct grpc_conn *);
struct grpc_call *grpc_call_new(struct grpc_conn *, const struct grpc_method *,
	    void *);
/* Off the list, no callback any more, freed when safe. */
void	 grpc_bury(struct grpc_call *);
void	 grpc_call_arm(struct grpc_call *, monotime_t);	/* MONOTIME_NEVER */
struct grpc_conn *grpc_conn_new(struct event_base *, struct stream *, bool,
	    const struct h2_ops *, void *);
/* so both roles share them in their h2_ops */
void	 grpc_on_data(struct h2_stream *, const uint8_t *, size_t, void *);
void	 grpc_on_drained(struct h2_stream *, void *);
void	 grpc_on_end(struct h2 *, enum stream_end, const char *, void *);

/* The peer broke a rule: end the call in the way of our role. */
void	 grpc_refuse(struct grpc_call *, enum grpc_status, const char *, ...)
	    __printflike_(3, 4);
void	 grpc_server_refuse(struct grpc_call *, enum grpc_status,
	    const char *);
void	 grpc_server_expired(struct grpc_call *);
void	 grpc_server_eof(struct grpc_call *);
void	 grpc_client_end(struct grpc_call *, enum grpc_status, const char *);
void	 grpc_client_settle(struct grpc_call *);

/*
 * grpc_frame.c.  feed: returns how many bytes were taken; fewer than len when
 * the call was paused by a callback; all when the call is over.
 */
size_t	 grpc_frame_feed(struct grpc_call *, const uint8_t *, size_t);
void	 grpc_frame_deliver(struct grpc_call *);
bool	 grpc_frame_is_partial(const struct grpc_call *);
void	 grpc_frame_reset(struct grpc_call *);

/* grpc_text.c */
bool	 grpc_is_content_type(const char *);
/* Milliseconds, -1: malformed. */
int64_t	 grpc_timeout_parse(const char *);
void	 grpc_timeout_format(char *, size_t, unsigned int msec);
/* dst: GRPC_TEXT_ENCODED bytes; text is cut at GRPC_TEXT_MAXBYTES. */
void	 grpc_text_encode(char *dst, const char *text);
/* malloc'd, one line of valid UTF-8, at most GRPC_TEXT_MAXBYTES; or NULL. */
char	*grpc_text_decode(const char *);
int	 grpc_status_parse(const char *);	/* unknown numbers: 2 */
enum grpc_status grpc_status_of_http(int);
enum grpc_status grpc_status_of_reset(uint32_t);

#endif /* GRPC_INT_H */
