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

#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "docker_events.h"
#include "docker_item.h"
#include "docker_kin.h"
#include "docker_live.h"
#include "log.h"
#include "pbcheck.h"

#define LIVE_RETRY_MSEC	250	/* the engine takes no more */

struct live_event {
	char		 le_action[DOCKER_EVENT_ACTION_SIZE];
	int64_t		 le_nsec;
};

/* A container that changed. */
struct live_one {
	char			 lo_id[DOCKER_ID_LEN + 1];
	RB_ENTRY(live_one)	 lo_entry;
	monotime_t		 lo_due;
	bool			 lo_reading;	/* in the look under way */
	bool			 lo_found;	/* by it */
	bool			 lo_fresh;	/* events since it began */
	bool			 lo_denied;	/* by it: Docker lags behind */
	unsigned int		 lo_ndenied;
	bool			 lo_second;	/* told: only if it differs */
	uint8_t			 lo_told[SHA256_DIGEST_LENGTH];
	struct live_event	 lo_events[DP_LIVE_EVENTS];
	size_t			 lo_nevents;
	size_t			 lo_nread;	/* of them before the look */
};
RB_HEAD(live_tree, live_one);

static struct {
	struct docker_events	*lv_events;
	struct docker_digests	*lv_digests;
	struct docker_digests	*lv_healths;	/* of events, by container */
	struct live_tree	 lv_ones;
	size_t			 lv_nones;
	struct event		*lv_timer;
	bool			 lv_up;
	bool			 lv_reading;
	bool			 lv_stale;	/* told; no list has begun */
} lv;

static int	 live_cmp(const struct live_one *, const struct live_one *);
static void	 live_event(void *, const struct docker_event *);
static void	 live_up(void *, bool);
static void	 live_down(void *, const char *);
static void	 live_tick(int, short, void *);
static void	 live_item(void *, const struct docker_container *);
static void	 live_done(void *, const char *);

RB_PROTOTYPE_STATIC(live_tree, live_one, lo_entry, live_cmp)
RB_GENERATE_STATIC(live_tree, live_one, lo_entry, live_cmp)

static int
live_cmp(const struct live_one *a, const struct live_one *b)
{
	return (strcmp(a->lo_id, b->lo_id));
}

void
dp_live_start(void)
{
	static const struct docker_events_times	 times = DOCKER_EVENTS_TIMES;
	static const struct docker_events_cbs	 cbs = {
		.ec_event = live_event, .ec_up = live_up, .ec_down = live_down
	};

	RB_INIT(&lv.lv_ones);
	if ((lv.lv_timer = evtimer_new(proc_base(), live_tick, NULL)) == NULL ||
	    (lv.lv_digests = docker_digests_new()) == NULL ||
	    (lv.lv_healths = docker_digests_new()) == NULL ||
	    (lv.lv_events = docker_events_new(proc_base(), dp->dp_docker,
	    &times, &cbs, NULL)) == NULL)
		fatal("docker: live view");
}

bool
dp_live_is_up(void)
{
	return (lv.lv_up);
}

bool
dp_live_is_reading(void)
{
	return (lv.lv_reading);
}

/* --- the stream -------------------------------------------------------- */

static void
live_forget(struct live_one *lo)
{
	RB_REMOVE(live_tree, &lv.lv_ones, lo);
	lv.lv_nones--;
	free(lo);
}

/* Once until a list begins. */
static void
live_stale(void)
{
	if (lv.lv_stale || dp_engine() == NULL)
		return;
	lv.lv_stale = true;
	peer_send(dp_engine(), IMSG_DOCKER_STALE, 0, -1, NULL, 0);
}

/* Is Docker still there, or there again?  No timer: it is asked just now. */
static void
live_ask_state(void)
{
	struct timeval	 now = { 0, 0 };

	if (evtimer_pending(dp->dp_watch, NULL))
		evtimer_add(dp->dp_watch, &now);
}

static void
live_up(void *arg, bool resumed)
{
	(void)arg;
	if (!lv.lv_up) {
		lv.lv_up = true;
		log_debug("docker: events are heard");
		live_ask_state();
	}
	if (!resumed) {
		docker_digests_clear(lv.lv_digests);
		live_stale();
	}
}

static void
live_down(void *arg, const char *why)
{
	(void)arg;
	if (lv.lv_up) {
		log_info("docker: events: %s", why);
		lv.lv_up = false;
		live_ask_state();
	} else
		log_debug("docker: events: %s", why);
}

static void
live_arm(monotime_t due)
{
	struct timeval	 tv = monotime_timeval((uint64_t)monotime_left(due));

	evtimer_add(lv.lv_timer, &tv);
}

static struct live_one *
live_find(const char *id, bool create)
{
	struct live_one	 want, *lo;

	strlcpy(want.lo_id, id, sizeof(want.lo_id));
	if ((lo = RB_FIND(live_tree, &lv.lv_ones, &want)) != NULL || !create)
		return (lo);
	if (lv.lv_nones >= DP_LIVE_MAX ||
	    (lo = calloc(1, sizeof(*lo))) == NULL)
		return (NULL);
	strlcpy(lo->lo_id, id, sizeof(lo->lo_id));
	lo->lo_due = MONOTIME_NEVER;
	RB_INSERT(live_tree, &lv.lv_ones, lo);
	lv.lv_nones++;
	return (lo);
}

/* podman tells the health with every check.  After anything else it counts
 * anew. */
static bool
live_nothing_new(const struct docker_event *ev)
{
	const char	*was = docker_digests_get(lv.lv_healths, ev->ev_id);

	if (ev->ev_each && was != NULL && strcmp(was, ev->ev_action) == 0)
		return (true);
	if (ev->ev_each || was != NULL)
		docker_digests_put(lv.lv_healths, ev->ev_id, ev->ev_each ?
		    ev->ev_action : "");
	return (false);
}

static void
live_event(void *arg, const struct docker_event *ev)
{
	struct live_one		*lo;
	struct live_event	*le;
	monotime_t		 due = monotime_now() + DP_LIVE_MSEC;

	(void)arg;
	if (ev->ev_image) {
		/* Another digest may belong to the same id from now on. */
		docker_digests_clear(lv.lv_digests);
		return;
	}
	if (live_nothing_new(ev))
		return;
	if ((lo = live_find(ev->ev_id, true)) == NULL) {
		live_stale();
		return;
	}
	if (lo->lo_nevents == DP_LIVE_EVENTS) {
		memmove(lo->lo_events, lo->lo_events + 1,
		    sizeof(lo->lo_events) - sizeof(lo->lo_events[0]));
		lo->lo_nevents--;
		lo->lo_nread -= lo->lo_nread > 0;
	}
	le = &lo->lo_events[lo->lo_nevents++];
	strlcpy(le->le_action, ev->ev_action, sizeof(le->le_action));
	le->le_nsec = ev->ev_nsec;
	if (!lo->lo_reading)
		lo->lo_second = false;
	/* The first of a burst sets the time: no burst may be too long. */
	if (!lo->lo_fresh) {
		lo->lo_fresh = true;
		lo->lo_due = due;
		if (!lv.lv_reading)
			dp_live_go();
	}
}

/* --- the look ---------------------------------------------------------- */

static void
live_tick(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	dp_live_go();
}

/* Those that are due, as many as one look takes; next: when others are. */
static size_t
live_pick(const char **ids, monotime_t *next)
{
	struct live_one	*lo;
	monotime_t	 now = monotime_now();
	size_t		 n = 0;

	*next = MONOTIME_NEVER;
	RB_FOREACH(lo, live_tree, &lv.lv_ones) {
		if (lo->lo_due <= now && n < DOCKER_LOOK_MAX)
			ids[n++] = lo->lo_id;
		else if (lo->lo_due < *next)
			*next = lo->lo_due;
	}
	return (n);
}

void
dp_live_go(void)
{
	static const struct docker_list_cbs	 cbs = {
		.lc_item = live_item, .lc_done = live_done
	};
	const char				*ids[DOCKER_LOOK_MAX];
	struct live_one				*lo;
	monotime_t				 next;
	size_t					 n, i;

	if (lv.lv_timer == NULL || lv.lv_reading || dp_list_is_running())
		return;
	n = live_pick(ids, &next);
	if (n > 0 && (dp_engine() == NULL || !peer_has_credit(dp_engine()))) {
		live_arm(monotime_now() + LIVE_RETRY_MSEC);
		return;
	}
	if (n == 0) {
		if (next != MONOTIME_NEVER)
			live_arm(next);
		return;
	}
	lv.lv_reading = true;
	for (i = 0; i < n; i++) {
		lo = live_find(ids[i], false);
		lo->lo_reading = true;
		lo->lo_found = lo->lo_fresh = lo->lo_denied = false;
		lo->lo_nread = lo->lo_nevents;
		lo->lo_due = MONOTIME_NEVER;
	}
	if (docker_look(dp->dp_docker, lv.lv_digests, ids, n, &cbs,
	    NULL) == -1)
		live_done(NULL, "too many requests to Docker");
}

/* info NULL: it is gone. */
static void
live_tell(struct live_one *lo, Sentinel__Cluster__ContainerInfo *info)
{
	Sentinel__Ipc__DockerDelta	 m;
	Sentinel__Ipc__DockerEvent	 ev[DP_LIVE_EVENTS];
	Sentinel__Ipc__DockerEvent	*list[DP_LIVE_EVENTS];
	size_t				 i;

	if (dp_engine() == NULL)
		return;
	sentinel__ipc__docker_delta__init(&m);
	m.id = lo->lo_id;
	m.info = info;
	for (i = 0; i < lo->lo_nread; i++) {
		sentinel__ipc__docker_event__init(&ev[i]);
		ev[i].action = lo->lo_events[i].le_action;
		ev[i].time_nsec = lo->lo_events[i].le_nsec;
		list[i] = &ev[i];
	}
	m.events = list;
	m.n_events = lo->lo_nread;
	peer_send_pb(dp_engine(), IMSG_DOCKER_DELTA, 0, &m.base);
	/* They are told: what came since moves up. */
	lo->lo_nevents -= lo->lo_nread;
	memmove(lo->lo_events, lo->lo_events + lo->lo_nread,
	    lo->lo_nevents * sizeof(lo->lo_events[0]));
	lo->lo_nread = 0;
}

/* Does the list say the contrary of the newest event before the look? */
static bool
live_denies(const struct live_one *lo, const char *state)
{
	static const struct {
		const char	*action, *state;
	}		 not[] = {
		{ "die", "running" }, { "die", "paused" },
		{ "start", "created" }, { "pause", "running" },
		{ "unpause", "paused" }
	};
	const char	*action;
	size_t		 i, n;

	for (n = lo->lo_nread; n > 0; n--) {
		action = lo->lo_events[n - 1].le_action;
		if (strcmp(action, "destroy") == 0)
			return (true);
		for (i = 0; i < nitems(not); i++)
			if (strcmp(not[i].action, action) == 0)
				break;
		if (i == nitems(not))
			continue;	/* says nothing about the state */
		for (; i < nitems(not); i++)
			if (strcmp(not[i].action, action) == 0 &&
			    strcmp(not[i].state, state) == 0)
				return (true);
		return (false);
	}
	return (false);
}

static void
live_item(void *arg, const struct docker_container *ct)
{
	Sentinel__Cluster__ContainerInfo	 ci;
	Google__Protobuf__Timestamp		 ts;
	struct live_one				*lo;
	struct pbmem				 pm;
	uint8_t					*blob;
	uint8_t					 hash[sizeof(lo->lo_told)];
	size_t					 len;

	(void)arg;
	docker_digests_put(lv.lv_digests, ct->ct_imageid, ct->ct_digest);
	/* Not asked for: Docker knows no such filter. */
	if ((lo = live_find(ct->ct_id, false)) == NULL || !lo->lo_reading)
		return;
	lo->lo_found = true;
	kin_see(dp->dp_kin, ct->ct_id);
	if (lo->lo_ndenied < DP_LIVE_DENIED_MAX &&
	    live_denies(lo, ct->ct_state)) {
		lo->lo_ndenied++;
		lo->lo_denied = true;
		return;
	}
	lo->lo_ndenied = 0;
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	dp_info(&ci, &ts, &pm, ct);
	blob = pbcheck_pack(&ci.base, PBMEM_MAXBYTES, &len);
	if (blob != NULL && SHA256(blob, len, hash) != NULL) {
		if (!lo->lo_second || lo->lo_nread > 0 ||
		    memcmp(hash, lo->lo_told, sizeof(hash)) != 0)
			live_tell(lo, &ci);
		memcpy(lo->lo_told, hash, sizeof(hash));
	}
	free(blob);
	pbmem_free(&pm);
}

static void
live_done(void *arg, const char *error)
{
	struct live_one	*lo, *next;
	monotime_t	 now = monotime_now();

	(void)arg;
	lv.lv_reading = false;
	if (error[0] != '\0') {
		log_debug("docker: look at what changed: %s", error);
		live_stale();
	}
	RB_FOREACH_SAFE(lo, live_tree, &lv.lv_ones, next) {
		if (!lo->lo_reading)
			continue;
		lo->lo_reading = false;
		if (error[0] == '\0' && !lo->lo_found) {
			kin_gone(dp->dp_kin, lo->lo_id);
			live_tell(lo, NULL);
		}
		if (lo->lo_fresh) {
			lo->lo_second = false;
			continue;	/* due already */
		}
		if (error[0] == '\0' && lo->lo_denied) {
			lo->lo_due = now + DP_LIVE_DENIED_MSEC;
			continue;
		}
		if (error[0] != '\0' || !lo->lo_found || lo->lo_second) {
			live_forget(lo);
			continue;
		}
		lo->lo_second = true;
		lo->lo_due = now + DP_LIVE_AGAIN_MSEC;
	}
	/* Lists that wait have their turn before the next look. */
	dp_list_next();
	dp_live_go();
}

/* --- lists ------------------------------------------------------------- */

void
dp_live_listing(void)
{
	lv.lv_stale = false;
}

void
dp_live_listed(const struct docker_container *ct)
{
	if (lv.lv_digests != NULL)
		docker_digests_put(lv.lv_digests, ct->ct_imageid,
		    ct->ct_digest);
	kin_see(dp->dp_kin, ct->ct_id);
}
