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

#ifndef HTTP_H
#define HTTP_H

#include "compat.h"

#include <event2/event.h>

/*
 * HTTP/1.1 client on one connection that somebody else opened (a passed fd),
 * parsed by llhttp in strict mode.  One request at a time; the connection is
 * kept alive between requests when both sides agree.
 *
 * llhttp has no limits of its own, so they are here: bytes and number of
 * header fields, bytes of the body by request.  Refused as broken: versions
 * other than 1.0 and 1.1, Transfer-Encoding on 1.0 or beside
 * Content-Length, a coding other than chunked, folded and empty header
 * names, a body after 204 and 304, bytes that nobody asked for.
 * Source: http.c, http_compose.c
 */
#define HTTP_HEAD_MAXBYTES	16384	/* status line and header fields */
#define HTTP_FIELDS_MAX		100

enum http_end {
	HTTP_DONE,		/* whole answer received */
	HTTP_UNSENT,		/* connection failed before a byte went out */
	HTTP_LOST,		/* connection ended before the answer did */
	HTTP_TIMEOUT,		/* idle or absolute deadline */
	HTTP_BROKEN,		/* answer breaks HTTP or a limit */
	HTTP_ABORTED		/* a callback said stop */
};

struct http_conn;

struct http_request {
	const char	*hr_method;	/* "GET" */
	const char	*hr_path;	/* escaped already; no CR, LF, space */
	const char	*hr_headers;	/* lines, each with CRLF, or NULL */
	const void	*hr_body;	/* copied; NULL for none */
	size_t		 hr_bodylen;
	const char	*hr_ctype;	/* of the body */
	size_t		 hr_maxbody;	/* answer's, bytes */
	unsigned int	 hr_idle_msec;	/* without a byte; 0: no limit */
	unsigned int	 hr_total_msec;	/* of everything; 0: no limit */
	/* Status and headers are there.  -1 aborts.  May be NULL. */
	int		(*hr_head)(void *, struct http_conn *, int status);
	/* A piece of the body, borrowed.  -1 aborts. */
	int		(*hr_data)(void *, const uint8_t *, size_t);
	/* Exactly once per request, never from within http_request(); what is
	 * a static text.  http_conn_free() is allowed in it. */
	void		(*hr_done)(void *, enum http_end, const char *what);
	void		*hr_arg;
};

/*
 * Takes fd in every case; NULL with errno on failure.
 *   closed  called when an idle connection ends; http_conn_free() allowed
 */
struct http_conn *http_conn_new(struct event_base *, int fd,
		    void (*closed)(void *, struct http_conn *), void *);
/* No callback runs after it; a request in flight is dropped. */
void		 http_conn_free(struct http_conn *);
/* 0, or -1 with errno EBUSY (one in flight), EPIPE (not usable any more),
 * EINVAL (method, path or header), ENOMEM. */
int		 http_request(struct http_conn *, const struct http_request *);
/* May another request be sent on it? */
bool		 http_conn_usable(const struct http_conn *);
/* Stop and go on reading the body, from the next read on: what one has brought
 * is still handed over.  The idle deadline rests meanwhile. */
void		 http_conn_pause(struct http_conn *);
void		 http_conn_resume(struct http_conn *);
/* Header field of the current answer, name in lower case; NULL: absent. */
const char	*http_conn_header(const struct http_conn *, const char *name);

/* Appends s to path (size bytes, NUL-terminated), all but unreserved
 * characters of RFC 3986 as %XX.  -1 ENAMETOOLONG. */
int		 http_escape(char *path, size_t size, const char *s);

#endif /* HTTP_H */
