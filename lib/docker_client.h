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

#ifndef DOCKER_CLIENT_H
#define DOCKER_CLIENT_H

#include "compat.h"

#include <event2/event.h>

/*
 * Requests to one Docker Engine over connections that the owner provides.
 *
 * The client never opens anything: when it lacks a connection it calls
 * need_fd, and the owner answers later with docker_give_fd() or
 * docker_no_fd().  The API version is negotiated with /_ping on every new
 * pool and again after the pool ran empty, because dockerd may have been
 * replaced meanwhile.
 *
 * What a lost answer means: DOCKER_UNSENT left no trace; after DOCKER_UNKNOWN
 * Docker may or may not have done it, or may still do it: look before acting.
 */
#define DOCKER_API_MIN		41	/* 1.41: Docker 20.10, Debian 12 */
/* 1.51: what this was read against.  All engines of today speak it, and from
 * 1.52 on inspect does not tell which hardware address was chosen. */
#define DOCKER_API_MAX		51
#define DOCKER_CONNS_MAX	12
#define DOCKER_CALLS_MAX	128	/* waiting or in flight */
#define DOCKER_BODY_MAXBYTES	(4U * 1024 * 1024)
#define DOCKER_ERROR_MAXBYTES	512	/* text of an error, with NUL */
#define DOCKER_PATH_MAXBYTES	2048
#define DOCKER_FIELD_MAXBYTES	8192	/* of dr_field, with NUL */
#define DOCKER_CONNECT_MSEC	10000	/* need_fd to docker_give_fd */
#define DOCKER_CALL_MSEC	30000	/* default total deadline */

enum docker_end {
	DOCKER_OK,		/* 2xx, or 304: it is so already */
	DOCKER_REFUSED,		/* 4xx, 5xx: dr_status and Docker's text */
	DOCKER_UNSENT,		/* no connection, or no usable API version */
	DOCKER_UNKNOWN,		/* sent; answer lost, late or not understood */
	DOCKER_ABORTED		/* dc_data said stop */
};

struct docker_reply {
	enum docker_end	 dr_end;
	int		 dr_status;	/* HTTP, 0 when there was none */
	const char	*dr_error;	/* one line; "" when DOCKER_OK */
	const char	*dr_body;	/* borrowed; "" with dc_data */
	size_t		 dr_len;
	const char	*dr_field;	/* dc_field; NULL: absent, too long */
};

struct docker_call {
	const char	*dc_method;
	const char	*dc_path;	/* "/containers/json?all=1" */
	const char	*dc_body;	/* copied; NULL for none */
	size_t		 dc_bodylen;
	const char	*dc_ctype;	/* of the body, constant; NULL: JSON */
	/* A header field of a 2xx answer that is wanted: lower case, a
	 * constant; NULL for none. */
	const char	*dc_field;
	const char	*dc_auth;	/* X-Registry-Auth or NULL; wiped */
	size_t		 dc_maxbody;	/* 0: DOCKER_BODY_MAXBYTES */
	unsigned int	 dc_idle_msec;	/* 0: none */
	unsigned int	 dc_total_msec;	/* 0: none if dc_idle_msec is set */
	/* A 2xx answer has begun; NULL: nobody wants to know. */
	void		(*dc_head)(void *);
	/* Pieces of a 2xx body as they come; NULL: collected in dr_body. */
	int		(*dc_data)(void *, const uint8_t *, size_t);
	/* Exactly once, never from within docker_call(); may make new calls
	 * but must not docker_free(). */
	void		(*dc_done)(void *, const struct docker_reply *);
	void		*dc_arg;
};

struct docker;
struct docker_req;

/*
 *   need_fd  asks for one connected socket; answered at any later time,
 *            also from within.  Called at most DOCKER_CONNS_MAX times open.
 */
struct docker	*docker_new(struct event_base *, void (*need_fd)(void *),
		    void *arg);
/* Drops everything without callbacks. */
void		 docker_free(struct docker *);
/* A connected socket, taken in every case. */
void		 docker_give_fd(struct docker *, int fd);
/* No connection to be had: the waiting calls end DOCKER_UNSENT with text. */
void		 docker_no_fd(struct docker *, const char *text);
/* NULL with errno ENOBUFS (too many), EINVAL (path), ENOMEM.  The answer is
 * good for docker_cancel() until dc_done ran. */
struct docker_req *docker_call(struct docker *, const struct docker_call *);
/* dc_done does not run; a connection in use is closed. */
void		 docker_cancel(struct docker_req *);
/* Stop and go on reading an answer, also from within dc_data: what Docker
 * writes stays in the socket, and Docker waits.  At most the piece that is
 * being read still comes. */
void		 docker_hold(struct docker_req *);
void		 docker_unhold(struct docker_req *);
/* Minor number of the version in use (41 = 1.41); 0 before the first ping. */
unsigned int	 docker_api(const struct docker *);
/* Is it podman's service, which says so in the answer to the ping?  It speaks
 * the same API, but does not do all of it alike: lib/docker_podman.h. */
bool		 docker_is_podman(const struct docker *);
/* Goes up whenever Docker ends a connection, idle ones too, or there is none
 * to be had: it may have been another dockerd since then. */
unsigned int	 docker_losses(const struct docker *);
/* Is anything waiting or in flight? */
size_t		 docker_calls(const struct docker *);

/* printf into a path; each %s is escaped as one path segment or query value,
 * %d and %u as numbers, nothing else is known.  -1 ENAMETOOLONG, EINVAL. */
int		 docker_path(char *, size_t, const char *, ...)
		    __printflike_(3, 4);

#endif /* DOCKER_CLIENT_H */
