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

#ifndef STREAM_INT_H
#define STREAM_INT_H

#include "compat.h"

#include "monotime.h"
#include "stream.h"

/* Shared by stream.c (life, timers, interface) and stream_io.c (bytes). */
enum stream_phase {
	ST_HANDSHAKE,
	ST_UP,
	ST_FLUSH,	/* stream_close(): unsent bytes */
	ST_NOTIFY,	/* ... close_notify */
	ST_LINGER,	/* ... peer's FIN */
	ST_DEAD		/* free when the last callback has returned */
};

struct stream {
	struct event_base	*st_base;
	int			 st_fd;
	struct tls		*st_tls;
	const struct stream_ops	*st_ops;
	void			*st_arg;
	void			(*st_guard)(void *, bool);
	void			*st_guard_arg;

	enum stream_phase	 st_phase;
	unsigned int		 st_depth;	/* callbacks running */
	bool			 st_paused;
	bool			 st_offer;	/* so_read for bytes in hand */
	bool			 st_more;	/* last read saw no EAGAIN */
	bool			 st_full;	/* high mark reached */
	bool			 st_shut;	/* half close wanted */
	bool			 st_shut_done;
	bool			 st_broken;	/* writing is hopeless */
	bool			 st_eof;	/* peer's FIN, close_notify */
	bool			 st_rd_out;	/* tls_read wants EV_WRITE */
	bool			 st_wr_in;	/* tls_write wants EV_READ */
	short			 st_hs;		/* handshake, close: EV_* */
	size_t			 st_repeat;	/* of a blocked tls_write */
	size_t			 st_dropped;	/* bytes, while lingering */

	bool			 st_failed;	/* st_end and st_text are set */
	bool			 st_hold;	/* so_end after bytes in hand */
	bool			 st_ended;	/* so_end was called */
	enum stream_end		 st_end;
	char			 st_text[STREAM_TEXT_MAXBYTES];

	struct event		*st_rev, *st_wev;
	struct event		*st_again;	/* 0 s timer: go on later */
	struct event		*st_timer;	/* handshake, idle, linger */
	struct event		*st_dead;	/* absolute deadline */
	struct evbuffer		*st_in, *st_out;
	unsigned int		 st_idle;	/* msec */
	monotime_t		 st_last;	/* last byte moved */
};

/* First failure wins.  hold: let the reader have its bytes first. */
void	 stream_fail(struct stream *, enum stream_end, bool hold,
	    const char *, ...) __printflike_(4, 5);
void	 stream_handshake(struct stream *);
/* Reads up to STREAM_READ_MAXBYTES into st_in. */
void	 stream_read(struct stream *);
void	 stream_flush(struct stream *);
/* One step of the farewell; the phase moves on, ST_DEAD at the end. */
void	 stream_farewell(struct stream *);

#endif /* STREAM_INT_H */
