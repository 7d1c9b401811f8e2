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

#include "compat.h"

#include <errno.h>
#include <stdlib.h>

#include "monotime.h"
#include "reqtab.h"
#include "xmalloc.h"

struct request {
	uint32_t		 rq_id;
	uint64_t		 rq_channel;
	RB_ENTRY(request)	 rq_entry;
	struct reqtab		*rq_tab;
	struct event		*rq_timer;
	req_cb			 rq_cb;
	void			*rq_arg;
};

RB_HEAD(request_tree, request);

struct reqtab {
	struct event_base	*rt_base;
	struct request_tree	 rt_tree;
	size_t			 rt_len;
	size_t			 rt_max;
	uint32_t		 rt_last;	/* id given last */
};

static int	 request_cmp(const struct request *, const struct request *);
static void	 request_timeout(evutil_socket_t, short, void *);
static void	 request_unlink(struct request *);
static void	 request_end(struct request *, enum req_end, struct imsg *);

RB_PROTOTYPE_STATIC(request_tree, request, rq_entry, request_cmp)
RB_GENERATE_STATIC(request_tree, request, rq_entry, request_cmp)

struct reqtab *
reqtab_new(struct event_base *base, size_t max)
{
	struct reqtab	*rt;

	rt = xcalloc(1, sizeof(*rt));
	rt->rt_base = base;
	rt->rt_max = max;
	RB_INIT(&rt->rt_tree);
	return (rt);
}

void
reqtab_free(struct reqtab *rt)
{
	struct request	*rq;

	if (rt == NULL)
		return;
	/* What callbacks add now is refused, so this comes to an end. */
	rt->rt_max = 0;
	while ((rq = RB_MIN(request_tree, &rt->rt_tree)) != NULL) {
		request_unlink(rq);
		request_end(rq, REQ_LOST, NULL);
	}
	free(rt);
}

uint32_t
reqtab_add(struct reqtab *rt, uint64_t channel, unsigned int msec, req_cb cb,
    void *arg)
{
	struct request	*rq;
	struct timeval	 tv;

	if (rt->rt_len >= rt->rt_max) {
		errno = ENOBUFS;
		return (0);
	}
	if ((rq = calloc(1, sizeof(*rq))) == NULL)
		return (0);
	rq->rq_timer = evtimer_new(rt->rt_base, request_timeout, rq);
	tv = monotime_timeval(msec);
	if (rq->rq_timer == NULL || evtimer_add(rq->rq_timer, &tv) == -1) {
		if (rq->rq_timer != NULL)
			event_free(rq->rq_timer);
		free(rq);
		errno = ENOMEM;
		return (0);
	}
	rq->rq_tab = rt;
	rq->rq_channel = channel;
	rq->rq_cb = cb;
	rq->rq_arg = arg;
	/* Ends: fewer than 2^32 - 1 are pending. */
	do {
		rq->rq_id = ++rt->rt_last;
	} while (rq->rq_id == 0 ||
	    RB_INSERT(request_tree, &rt->rt_tree, rq) != NULL);
	rt->rt_len++;
	return (rq->rq_id);
}

/* A sibling that was restarted must not answer for its predecessor. */
int
reqtab_answer(struct reqtab *rt, uint64_t channel, uint32_t id,
    struct imsg *m)
{
	struct request	*rq, key = { .rq_id = id };

	rq = RB_FIND(request_tree, &rt->rt_tree, &key);
	if (rq == NULL || rq->rq_channel != channel) {
		errno = ENOENT;
		return (-1);
	}
	request_unlink(rq);
	request_end(rq, REQ_ANSWER, m);
	return (0);
}

size_t
reqtab_len(const struct reqtab *rt)
{
	return (rt->rt_len);
}

static int
request_cmp(const struct request *a, const struct request *b)
{
	return (a->rq_id < b->rq_id ? -1 : a->rq_id > b->rq_id);
}

static void
request_timeout(evutil_socket_t fd, short what, void *arg)
{
	struct request	*rq = arg;

	(void)fd;
	(void)what;
	request_unlink(rq);
	request_end(rq, REQ_TIMEOUT, NULL);
}

/* From here on nothing but request_end() can reach it. */
static void
request_unlink(struct request *rq)
{
	RB_REMOVE(request_tree, &rq->rq_tab->rt_tree, rq);
	rq->rq_tab->rt_len--;
	event_free(rq->rq_timer);
	rq->rq_timer = NULL;
}

static void
request_end(struct request *rq, enum req_end end, struct imsg *m)
{
	rq->rq_cb(rq->rq_arg, end, m);
	free(rq);
}
