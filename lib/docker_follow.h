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

#ifndef DOCKER_FOLLOW_H
#define DOCKER_FOLLOW_H

#include "compat.h"

#include <event2/event.h>

#include "docker_api.h"

/*
 * One container's output as it comes (follow.h).  Lines are handed on in
 * texts, one for each credit.  Process: docker.
 */
#define FOLLOW_KEEP_MAXBYTES	(256 * 1024)	/* texts without credit */
#define FOLLOW_OPEN_MSEC	15000	/* until Docker's answer begins */
#define FOLLOW_LIFE_MSEC	(7 * 24 * 3600 * 1000)	/* then it ends */
/* While lines are only counted: no more than that of them at a time. */
#define FOLLOW_SKIP_MAXBYTES	(2 * 1024 * 1024)
#define FOLLOW_SKIP_MSEC	100

struct docker_follow_opts {
	const char	*fo_name;	/* of the container */
	int32_t		 fo_lines;	/* of the past, -1: all */
	int64_t		 fo_since;	/* unix seconds, 0: no bound */
	unsigned int	 fo_streams;	/* FOLLOW_STDOUT, FOLLOW_STDERR */
	bool		 fo_timestamps;
};

struct docker_follow_cbs {
	/* Docker's answer has begun. */
	void	(*fc_open)(void *);
	/*
	 * Whole lines of one stream, valid UTF-8, at most
	 * FOLLOW_TEXT_MAXBYTES; takes one credit.  skipped: lines before them
	 * that were left out; there may be no others then.
	 */
	void	(*fc_text)(void *, int stream, const char *text,
		    uint64_t skipped);
	/*
	 * Docker's stream has ended in order.  NULL, or why that is no good
	 * end (lent until the next event).  May be NULL.
	 */
	const char *(*fc_cause)(void *);
	/* Once, the last one; the follow is gone.  Not after a free. */
	void	(*fc_end)(void *, const char *why, bool failed);
};

struct docker_follow;
/* NULL with errno of docker_call(), EINVAL: bad name.  No callback before it
 * returns. */
struct docker_follow *docker_follow(struct event_base *, struct docker *,
	    const struct docker_follow_opts *,
	    const struct docker_follow_cbs *, void *arg);
/* FOLLOW_WINDOW are there in the beginning. */
void	 docker_follow_credit(struct docker_follow *, unsigned int);
/* Ends it without a callback, the connection to Docker too. */
void	 docker_follow_free(struct docker_follow *);

#endif /* DOCKER_FOLLOW_H */
