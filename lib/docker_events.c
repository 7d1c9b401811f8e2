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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "backoff.h"
#include "docker_api.h"
#include "docker_events.h"
#include "log.h"
#include "monotime.h"

#define EVENTS_TASK_LABEL	"com.docker.swarm.task"
#define EVENTS_STEADY_MSEC	10000	/* a stream as long is a good one */
#define EVENTS_OVERLAP_NSEC	1000000000LL
#define NSEC			1000000000LL

/*
 * What is worth a look.  exec_create and its kind come with every run of a
 * health check and must not even be sent.  Docker's "die" is podman's "died",
 * its "destroy" is "remove".
 */
static const char	 events_filters[] =
    "{\"type\":[\"container\",\"image\"],\"event\":[\"create\",\"start\","
    "\"restart\",\"die\",\"stop\",\"kill\",\"oom\",\"pause\",\"unpause\","
    "\"rename\",\"update\",\"destroy\",\"health_status\",\"pull\",\"push\","
    "\"tag\",\"untag\",\"delete\",\"load\",\"import\",\"died\","
    "\"remove\"]}";

struct docker_events {
	struct event_base		*es_base;
	struct docker			*es_docker;
	struct docker_events_times	 es_times;
	struct docker_events_cbs	 es_cbs;
	void				*es_arg;
	struct docker_req		*es_req;	/* the stream */
	struct docker_req		*es_ping;
	struct json_splitter		*es_split;
	struct event			*es_timer;
	struct backoff			 es_backoff;
	bool				 es_up;
	bool				 es_lost;	/* since the last one */
	monotime_t			 es_since;	/* up, or renewed */
	monotime_t			 es_heard;
	int64_t				 es_last;	/* ns, of an event */
	uint64_t			 es_seen[DOCKER_EVENTS_SEEN];
	size_t				 es_next;
	const char			*es_error;	/* static */
};

static void	 events_open(struct docker_events *);
static void	 events_tick(int, short, void *);
static void	 events_lost(struct docker_events *, const char *);

static int64_t
events_now(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return ((int64_t)ts.tv_sec * NSEC + ts.tv_nsec);
}

struct docker_events *
docker_events_new(struct event_base *base, struct docker *dk,
    const struct docker_events_times *times,
    const struct docker_events_cbs *cbs, void *arg)
{
	struct timeval		 now = { 0, 0 };
	struct docker_events	*es;

	if ((es = calloc(1, sizeof(*es))) == NULL)
		return (NULL);
	es->es_base = base;
	es->es_docker = dk;
	es->es_times = *times;
	es->es_cbs = *cbs;
	es->es_arg = arg;
	es->es_lost = true;
	es->es_last = events_now();
	backoff_init(&es->es_backoff, times->et_retry_msec,
	    times->et_retry_maxmsec);
	if ((es->es_timer = evtimer_new(base, events_tick, es)) == NULL) {
		free(es);
		errno = ENOMEM;
		return (NULL);
	}
	evtimer_add(es->es_timer, &now);
	return (es);
}

static void
events_stop(struct docker_events *es)
{
	docker_cancel(es->es_req);
	docker_cancel(es->es_ping);
	es->es_req = es->es_ping = NULL;
	json_splitter_free(es->es_split);
	es->es_split = NULL;
}

void
docker_events_free(struct docker_events *es)
{
	if (es == NULL)
		return;
	events_stop(es);
	event_free(es->es_timer);
	free(es);
}

bool
docker_events_is_up(const struct docker_events *es)
{
	return (es != NULL && es->es_up);
}

/* --- events ------------------------------------------------------------ */

static bool
event_action_ok(const char *s)
{
	size_t	 len = strlen(s);

	if (len == 0 || len >= DOCKER_EVENT_ACTION_SIZE)
		return (false);
	for (; *s != '\0'; s++)
		if ((unsigned char)*s < ' ' || (unsigned char)*s >= 0x7f)
			return (false);
	return (true);
}

/*
 * Docker's word for what podman says.  Its health is beside the action, and
 * comes with every run of a check, not only when it changes.
 */
static void
event_action(const struct json_value *v, struct docker_event *ev)
{
	const char	*health = json_get_str(v, "HealthStatus");
	char		*action = ev->ev_action;

	if (strcmp(action, "died") == 0)
		strlcpy(action, "die", sizeof(ev->ev_action));
	else if (strcmp(action, "remove") == 0)
		strlcpy(action, "destroy", sizeof(ev->ev_action));
	else if (strcmp(action, "health_status") == 0 && (strcmp(health,
	    "healthy") == 0 || strcmp(health, "unhealthy") == 0 ||
	    strcmp(health, "starting") == 0)) {
		snprintf(action, sizeof(ev->ev_action), "health_status: %s",
		    health);
		ev->ev_each = true;
	}
}

static bool
event_take(const struct json_value *v, struct docker_event *ev)
{
	const struct json_value	*actor = json_get(v, "Actor");
	const char		*type = json_get_str(v, "Type");
	const char		*action = json_get_str(v, "Action");
	int64_t			 sec;

	memset(ev, 0, sizeof(*ev));
	if (!event_action_ok(action))
		return (false);
	strlcpy(ev->ev_action, action, sizeof(ev->ev_action));
	event_action(v, ev);
	if (json_int(json_get(v, "timeNano"), &ev->ev_nsec) == -1 &&
	    json_int(json_get(v, "time"), &sec) == 0 && sec > 0 &&
	    sec < INT64_MAX / NSEC)
		ev->ev_nsec = sec * NSEC;
	if (ev->ev_nsec < 0)
		ev->ev_nsec = 0;
	if (strcmp(type, "image") == 0) {
		ev->ev_image = true;
		return (true);
	}
	if (strcmp(type, "container") != 0 ||
	    json_get(json_get(actor, "Attributes"), EVENTS_TASK_LABEL) != NULL)
		return (false);
	if (!docker_id_ok(json_get_str(actor, "ID")))
		return (false);
	strlcpy(ev->ev_id, json_get_str(actor, "ID"), sizeof(ev->ev_id));
	return (true);
}

bool
docker_event_parse(const char *text, size_t len, struct docker_event *ev)
{
	struct json	*js;
	bool		 ok;

	if ((js = json_parse(text, len, NULL, 0)) == NULL)
		return (false);
	ok = event_take(json_root(js), ev);
	json_free(js);
	return (ok);
}

static uint64_t
event_mix(uint64_t h, const void *p, size_t len)
{
	const uint8_t	*b = p;

	while (len-- > 0)
		h = (h ^ *b++) * 0x100000001b3ULL;	/* FNV-1a */
	return (h);
}

/* Was it here before?  From now on it was. */
static bool
events_known(struct docker_events *es, const char *text, size_t len)
{
	uint64_t	 h = event_mix(0xcbf29ce484222325ULL, text, len);
	size_t		 i;

	for (i = 0; i < DOCKER_EVENTS_SEEN; i++)
		if (es->es_seen[i] == h)
			return (true);
	es->es_seen[es->es_next] = h;
	es->es_next = (es->es_next + 1) % DOCKER_EVENTS_SEEN;
	return (false);
}

/* Docker writes an event the same way each time. */
static int
events_on_value(void *arg, const char *text, size_t len)
{
	struct docker_events	*es = arg;
	struct docker_event	 ev;

	if (!docker_event_parse(text, len, &ev) ||
	    events_known(es, text, len))
		return (0);
	if (ev.ev_nsec > 0)
		es->es_last = ev.ev_nsec;
	es->es_cbs.ec_event(es->es_arg, &ev);
	return (0);
}

static int
events_on_data(void *arg, const uint8_t *p, size_t len)
{
	struct docker_events	*es = arg;

	es->es_heard = monotime_now();
	if (json_splitter_feed(es->es_split, p, len) == 0)
		return (0);
	es->es_error = errno == E2BIG ? "an event of Docker is too long" :
	    "Docker's events are not valid JSON";
	/* It must not come again with the next stream. */
	es->es_last = events_now() + EVENTS_OVERLAP_NSEC;
	return (-1);
}

/* --- the stream -------------------------------------------------------- */

static void
events_wait(struct docker_events *es, unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	evtimer_add(es->es_timer, &tv);
}

static void
events_on_head(void *arg)
{
	struct docker_events	*es = arg;
	bool			 resumed = !es->es_lost;

	es->es_up = true;
	es->es_lost = false;
	es->es_since = es->es_heard = monotime_now();
	events_wait(es, es->es_times.et_quiet_msec);
	es->es_cbs.ec_up(es->es_arg, resumed);
}

static void
events_lost(struct docker_events *es, const char *why)
{
	if (es->es_up && monotime_now() - es->es_since > EVENTS_STEADY_MSEC)
		backoff_reset(&es->es_backoff);
	events_stop(es);
	es->es_up = false;
	es->es_lost = true;
	events_wait(es, backoff_next(&es->es_backoff));
	es->es_cbs.ec_down(es->es_arg, why);
}

static void
events_on_done(void *arg, const struct docker_reply *dr)
{
	struct docker_events	*es = arg;

	es->es_req = NULL;
	events_lost(es, es->es_error != NULL ? es->es_error :
	    dr->dr_end == DOCKER_OK ? "Docker has ended its events" :
	    dr->dr_error);
}

static void
events_open(struct docker_events *es)
{
	struct docker_call	 dc = {
		.dc_method = "GET", .dc_head = events_on_head,
		.dc_data = events_on_data, .dc_done = events_on_done,
		.dc_arg = es
	};
	char			 path[DOCKER_PATH_MAXBYTES], since[48];
	int64_t			 from = es->es_last - EVENTS_OVERLAP_NSEC;

	if (from < 0)
		from = 0;
	snprintf(since, sizeof(since), "%lld.%09lld", (long long)(from / NSEC),
	    (long long)(from % NSEC));
	es->es_error = NULL;
	/* Only the answer's head has a deadline: the stream is renewed. */
	dc.dc_total_msec = 2 * es->es_times.et_renew_msec;
	dc.dc_path = path;
	es->es_split = json_splitter_new(JSON_SPLIT_LINES,
	    DOCKER_EVENT_MAXBYTES, events_on_value, es);
	if (es->es_split == NULL || docker_path(path, sizeof(path),
	    "/events?since=%s&filters=%s", since, events_filters) == -1 ||
	    (es->es_req = docker_call(es->es_docker, &dc)) == NULL) {
		events_lost(es, "no room for the stream of events");
		return;
	}
	events_wait(es, es->es_times.et_ping_msec);
}

static void
events_pinged(void *arg, const struct docker_reply *dr)
{
	struct docker_events	*es = arg;

	es->es_ping = NULL;
	if (dr->dr_end == DOCKER_OK) {
		es->es_heard = monotime_now();
		return;
	}
	events_lost(es, dr->dr_error);
}

static void
events_ping(struct docker_events *es)
{
	struct docker_call	 dc = {
		.dc_method = "GET", .dc_path = "/_ping",
		.dc_total_msec = es->es_times.et_ping_msec,
		.dc_done = events_pinged, .dc_arg = es
	};

	es->es_ping = docker_call(es->es_docker, &dc);
}

static void
events_tick(int fd, short what, void *arg)
{
	struct docker_events	*es = arg;
	monotime_t		 now = monotime_now();

	(void)fd;
	(void)what;
	if (es->es_req == NULL) {
		events_open(es);
		return;
	}
	if (!es->es_up || es->es_error != NULL) {
		events_lost(es, "Docker does not begin its events");
		return;
	}
	if (now - es->es_since >= (monotime_t)es->es_times.et_renew_msec) {
		backoff_reset(&es->es_backoff);
		events_stop(es);
		es->es_up = false;
		events_open(es);
		return;
	}
	if (es->es_ping == NULL &&
	    now - es->es_heard >= (monotime_t)es->es_times.et_quiet_msec)
		events_ping(es);
	events_wait(es, es->es_times.et_quiet_msec);
}
