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

#ifndef DOCKER_EVENTS_H
#define DOCKER_EVENTS_H

#include "compat.h"

#include "docker_client.h"

/*
 * What happens to containers, as Docker tells it: GET /events, read without
 * end on a connection of its own.
 *
 * Docker sends nothing when nothing happens, so a quiet stream is alive as
 * long as a ping on another connection is answered, and it is opened anew now
 * and then.  A new stream begins a little before the last event seen: what
 * comes twice is recognised and dropped.  Docker keeps few events and forgets
 * them when it restarts, so after a loss the owner must look for himself
 * (ec_up with resumed false).
 *
 * Processes: docker.  Source: docker_events.c
 */
#define DOCKER_EVENT_ACTION_SIZE	33
#define DOCKER_EVENT_ID_SIZE		65
#define DOCKER_EVENT_MAXBYTES		(1024U * 1024)	/* JSON of one */
#define DOCKER_EVENTS_SEEN		256	/* as many as Docker keeps */

struct docker_event {
	bool	 ev_image;	/* an image was pulled, tagged, removed ... */
	char	 ev_id[DOCKER_EVENT_ID_SIZE];	/* container; "" of an image */
	char	 ev_action[DOCKER_EVENT_ACTION_SIZE]; /* visible ASCII */
	bool	 ev_each;	/* told again though nothing has changed */
	int64_t	 ev_nsec;	/* since 1970 by Docker's clock, 0 unknown */
};

struct docker_events_cbs {
	void	(*ec_event)(void *, const struct docker_event *);
	/* The stream runs.  resumed: nothing was missed since the last one. */
	void	(*ec_up)(void *, bool resumed);
	/* It does not; tried again by itself.  Also after each attempt. */
	void	(*ec_down)(void *, const char *why);
};

struct docker_events_times {
	unsigned int	 et_quiet_msec;	/* then a ping */
	unsigned int	 et_ping_msec;	/* its deadline */
	unsigned int	 et_renew_msec;	/* life of one stream */
	unsigned int	 et_retry_msec;	/* first wait after a loss */
	unsigned int	 et_retry_maxmsec;
};
#define DOCKER_EVENTS_TIMES	{ 15000, 10000, 600000, 500, 3000 }

struct docker_events;
/*
 * Begins at once; callbacks run from the event loop only and must not free.
 * NULL with errno ENOMEM.
 */
struct docker_events *docker_events_new(struct event_base *, struct docker *,
		    const struct docker_events_times *,
		    const struct docker_events_cbs *, void *);
/* No callback runs after it; before docker_free(). */
void		 docker_events_free(struct docker_events *);
bool		 docker_events_is_up(const struct docker_events *);

/*
 * One event of the stream; any bytes.  False: nothing for us (another type, a
 * swarm task, no id, not JSON).
 */
bool		 docker_event_parse(const char *, size_t,
		    struct docker_event *);

#endif /* DOCKER_EVENTS_H */
