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

#include "engine_journal.h"
#include "engine_live.h"

#include <stdlib.h>
#include <string.h>

#include "engine_policy.h"
#include "log.h"
#include "xmalloc.h"

/*
 * Life without the server.  A session counts when its Channel has lasted, or
 * something came in on it: a server that lets the agent in and throws it out
 * again does not end anything.  Attempts to connect go on meanwhile and
 * change nothing here.
 *
 * What the containers were at the disconnect is remembered, so that the first
 * look of the autonomous agent also tells what changed in the grace period.
 */
#define OFFLINE_SETTLE_MSEC	3000	/* a Channel that is silent */

struct seen {
	char		*se_name;
	char		*se_id;
	char		*se_image;
	char		*se_digest;
	char		*se_state;
	bool		 se_here;	/* in the list that is looked at */
	RB_ENTRY(seen)	 se_entry;
};
RB_HEAD(seen_tree, seen);

static int	 seen_cmp(const struct seen *, const struct seen *);
static bool	 remember(const Sentinel__Cluster__ContainerInfo *, void *);
static bool	 compare(const Sentinel__Cluster__ContainerInfo *, void *);
static void	 seen_set(struct seen *,
		    const Sentinel__Cluster__ContainerInfo *);
static void	 seen_free(struct seen *);
static void	 forget_all(void);
static void	 baseline(void);
static void	 note(const char *, const struct seen *, const char *,
		    const char *, const char *);
static void	 online(void);
static uint64_t	 grace(void);
static void	 arm(void);
static bool	 count_policy(const Sentinel__Cluster__ContainerInfo *,
		    void *);
static void	 on_grace(int, short, void *);
static void	 on_settle(int, short, void *);

RB_PROTOTYPE_STATIC(seen_tree, seen, se_entry, seen_cmp)
RB_GENERATE_STATIC(seen_tree, seen, se_entry, seen_cmp)

static struct seen_tree	 seen = RB_INITIALIZER(&seen);
static bool		 has_baseline;
static struct event	*grace_timer;
static struct event	*settle_timer;
static bool		 is_online;
static bool		 autonomous;
static time_t		 since;		/* wall clock, to be shown */
static monotime_t	 since_mono;

static int
seen_cmp(const struct seen *a, const struct seen *b)
{
	return (strcmp(a->se_name, b->se_name));
}

void
offline_init(void)
{
	grace_timer = evtimer_new(proc_base(), on_grace, NULL);
	settle_timer = evtimer_new(proc_base(), on_settle, NULL);
	if (grace_timer == NULL || settle_timer == NULL)
		fatal("offline_init");
	since = time(NULL);
	since_mono = monotime_now();
	arm();
}

bool
offline_is_autonomous(void)
{
	return (autonomous);
}

time_t
offline_since(void)
{
	return (is_online ? 0 : since);
}

static uint64_t
grace(void)
{
	const struct policy_cache	*pc = policy_cache_now();

	return (eng->conf.ac_grace_local || !pc->pc_has_offline ?
	    eng->conf.ac_grace_msec : pc->pc_offline_msec);
}

/* From the last success on, whatever was tried since. */
static void
arm(void)
{
	struct timeval	 tv;
	monotime_t	 left;

	evtimer_del(grace_timer);
	if (is_online || autonomous || grace() == 0)
		return;
	left = since_mono + (monotime_t)grace() - monotime_now();
	tv = monotime_timeval(left > 0 ? (uint64_t)left : 0);
	evtimer_add(grace_timer, &tv);
}

void
offline_reconfigured(void)
{
	arm();
}

void
offline_opened(void)
{
	struct timeval	 tv = monotime_timeval(OFFLINE_SETTLE_MSEC);

	evtimer_add(settle_timer, &tv);
}

void
offline_heard(void)
{
	if (evtimer_pending(settle_timer, NULL))
		online();
}

static void
on_settle(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	online();
}

static void
online(void)
{
	evtimer_del(settle_timer);
	evtimer_del(grace_timer);
	if (!session_is_open())
		return;
	if (autonomous)
		log_info("autonomous mode ends after %lld s offline",
		    (long long)((monotime_now() - since_mono) / 1000));
	is_online = true;
	autonomous = false;
	forget_all();
	ojournal_session();
}

void
offline_lost(void)
{
	evtimer_del(settle_timer);
	ojournal_session_lost();
	if (!is_online)
		return;		/* it never counted */
	is_online = false;
	since = time(NULL);
	since_mono = monotime_now();
	baseline();
	arm();
}

static bool
count_policy(const Sentinel__Cluster__ContainerInfo *info, void *arg)
{
	struct policy_result	 pr;
	unsigned int		*counts = arg;

	policy_of(info, &pr);
	counts[pr.pr_policy]++;
	return (true);
}

static void
on_grace(int fd, short what, void *arg)
{
	unsigned int	 counts[POLICY_PINNED + 1] = { 0 };

	(void)fd;
	(void)what;
	(void)arg;
	if (is_online || autonomous)
		return;
	if (!eng->enrolled) {
		/* Not without a server: it never had one. */
		since_mono = monotime_now();
		arm();
		return;
	}
	autonomous = true;
	list_walk(count_policy, counts);
	log_warnx("server %s: no session for %lld s: autonomous mode: "
	    "%zu containers are watched and their changes journaled, no "
	    "update is started (by the last policies: %u auto, %u manual, "
	    "%u pinned)", eng->conf.ac_server,
	    (long long)((monotime_now() - since_mono) / 1000), list_count(),
	    counts[POLICY_AUTO], counts[POLICY_MANUAL],
	    counts[POLICY_PINNED]);
	event_add_line("autonomous", NULL, "autonomous mode, offline for "
	    "%lld s", (long long)((monotime_now() - since_mono) / 1000));
	offline_observe();
}

/* --- what the containers do ---------------------------------------------- */

static void
seen_free(struct seen *s)
{
	RB_REMOVE(seen_tree, &seen, s);
	free(s->se_name);
	free(s->se_id);
	free(s->se_image);
	free(s->se_digest);
	free(s->se_state);
	free(s);
}

static void
forget_all(void)
{
	struct seen	*s, *next;

	RB_FOREACH_SAFE(s, seen_tree, &seen, next)
		seen_free(s);
	has_baseline = false;
}

static void
set(char **dst, const char *src)
{
	free(*dst);
	*dst = xstrdup(src);
}

static void
seen_set(struct seen *s, const Sentinel__Cluster__ContainerInfo *info)
{
	set(&s->se_id, info->id);
	set(&s->se_image, info->image);
	set(&s->se_digest, info->image_digest);
	set(&s->se_state, info->state);
	s->se_here = true;
}

static bool
remember(const Sentinel__Cluster__ContainerInfo *info, void *arg)
{
	struct seen	*s;

	(void)arg;
	s = xcalloc(1, sizeof(*s));
	s->se_name = xstrdup(info->name);
	seen_set(s, info);
	if (RB_INSERT(seen_tree, &seen, s) != NULL) {
		/* One without a name, say: the first of them stands. */
		free(s->se_name);
		free(s->se_id);
		free(s->se_image);
		free(s->se_digest);
		free(s->se_state);
		free(s);
	}
	return (true);
}

/* The list as it is now; without one, the first that comes. */
static void
baseline(void)
{
	forget_all();
	if (list_time() == 0)
		return;
	list_walk(remember, NULL);
	has_baseline = true;
}

/* image, digest: what it has now; "" when it has gone. */
static void
note(const char *action, const struct seen *s, const char *image,
    const char *digest, const char *state)
{
	struct ojournal_entry	 je = {
		.je_action = action,
		.je_container = s->se_name,
		.je_old_image = s->se_image,
		.je_old_digest = s->se_digest,
		.je_new_image = image,
		.je_new_digest = digest,
		.je_outcome = state,
	};

	log_debug("autonomous: container %s: %s: %s", s->se_name, action,
	    state);
	(void)ojournal_add(&je);
}

static bool
compare(const Sentinel__Cluster__ContainerInfo *info, void *arg)
{
	struct seen	 want, *s;

	want.se_name = info->name;
	if ((s = RB_FIND(seen_tree, &seen, &want)) == NULL) {
		want.se_image = want.se_digest = NULL;
		note("appeared", &want, info->image, info->image_digest,
		    info->state);
		return (remember(info, arg));
	}
	if (s->se_here)
		return (true);	/* the same name once more */
	if (strcmp(s->se_image, info->image) != 0 ||
	    strcmp(s->se_digest, info->image_digest) != 0)
		note("image", s, info->image, info->image_digest,
		    info->state);
	else if (strcmp(s->se_id, info->id) != 0)
		note("replaced", s, info->image, info->image_digest,
		    info->state);
	else if (strcmp(s->se_state, info->state) != 0)
		note("state", s, info->image, info->image_digest,
		    info->state);
	seen_set(s, info);
	return (true);
}

void
offline_observe(void)
{
	struct seen	*s, *next;

	if (is_online || list_time() == 0)
		return;
	if (!has_baseline) {
		baseline();
		return;
	}
	if (!autonomous)
		return;		/* told together when the grace is over */
	RB_FOREACH(s, seen_tree, &seen)
		s->se_here = false;
	ojournal_hold();
	list_walk(compare, NULL);
	RB_FOREACH_SAFE(s, seen_tree, &seen, next) {
		if (s->se_here)
			continue;
		note("gone", s, "", "", "gone");
		seen_free(s);
	}
	(void)ojournal_release();
}

/*
 * Between two looks a container can end and begin again: the journal has both.
 * What it is in the end offline_observe() sees, and finds it told.
 */
void
offline_event(const char *name, const char *action, int64_t nsec)
{
	static const struct {
		const char	*action, *state;
	} states[] = {
		{ "start", "running" }, { "die", "exited" },
		{ "pause", "paused" }, { "unpause", "running" }
	};
	struct ojournal_entry	 je = { .je_action = "state" };
	struct seen		 want, *s;
	size_t			 i;

	if (is_online || !autonomous || !has_baseline)
		return;
	for (i = 0; i < nitems(states); i++) {
		if (strcmp(states[i].action, action) == 0)
			break;
	}
	want.se_name = (char *)(uintptr_t)name;
	if (i == nitems(states) ||
	    (s = RB_FIND(seen_tree, &seen, &want)) == NULL ||
	    strcmp(s->se_state, states[i].state) == 0)
		return;
	set(&s->se_state, states[i].state);
	je.je_container = s->se_name;
	je.je_old_image = je.je_new_image = s->se_image;
	je.je_old_digest = je.je_new_digest = s->se_digest;
	je.je_outcome = s->se_state;
	if (nsec > 0) {
		je.je_time.tv_sec = nsec / 1000000000;
		je.je_time.tv_nsec = nsec % 1000000000;
	}
	(void)ojournal_add(&je);
}
