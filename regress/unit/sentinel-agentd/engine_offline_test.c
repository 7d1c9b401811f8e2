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

/*
 * Autonomous mode: when it begins and ends, what does not interrupt it, and
 * which changes of containers become entries.
 */
#include "unit.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_journal.h"
#include "engine_policy.h"

/* --- neighbours ---------------------------------------------------------- */

static struct engine	 state_;
struct engine		*eng = &state_;

static monotime_t	 clock_ = 1000000;
static bool		 open_;
static char		 did[4096];	/* entries, and what else happened */
static struct policy_cache cache;

/* The containers: "name:id:image:state" */
static const char	*now[8];
static size_t		 nnow;
static bool		 listed;

monotime_t
monotime_now(void)
{
	return (clock_);
}

int
monotime_left(monotime_t deadline)
{
	return (deadline > clock_ ? (int)(deadline - clock_) : 0);
}

struct timeval
monotime_timeval(uint64_t msec)
{
	struct timeval	 tv = { (time_t)(msec / 1000),
			    (suseconds_t)(msec % 1000) * 1000 };

	return (tv);
}

struct event_base *
proc_base(void)
{
	static struct event_base	*base;

	if (base == NULL)
		base = event_base_new();
	return (base);
}

bool
session_is_open(void)
{
	return (open_);
}

void
event_add_line(const char *type, const char *container, const char *fmt, ...)
{
	(void)container;
	(void)fmt;
	(void)strlcat(did, type, sizeof(did));
	(void)strlcat(did, ";", sizeof(did));
}

size_t
list_count(void)
{
	return (nnow);
}

time_t
list_time(void)
{
	return (listed ? 1 : 0);
}

void
list_walk(bool (*fn)(const Sentinel__Cluster__ContainerInfo *, void *),
    void *arg)
{
	Sentinel__Cluster__ContainerInfo	 info;
	char					 part[4][64];
	size_t					 i;

	for (i = 0; i < nnow; i++) {
		assert_int_equal(sscanf(now[i],
		    "%63[^:]:%63[^:]:%63[^:]:%63[^:]", part[0], part[1],
		    part[2], part[3]), 4);
		sentinel__cluster__container_info__init(&info);
		info.name = part[0];
		info.id = part[1];
		info.image = part[2];
		info.state = part[3];
		if (!fn(&info, arg))
			return;
	}
}

const struct policy_cache *
policy_cache_now(void)
{
	return (&cache);
}

void
policy_of(const Sentinel__Cluster__ContainerInfo *info,
    struct policy_result *pr)
{
	(void)info;
	memset(pr, 0, sizeof(*pr));
	pr->pr_policy = POLICY_MANUAL;
}

bool
ojournal_add(const struct ojournal_entry *je)
{
	char	 text[256];

	(void)snprintf(text, sizeof(text), "%s %s %s>%s %s;", je->je_action,
	    je->je_container, je->je_old_image == NULL ? "" :
	    je->je_old_image, je->je_new_image, je->je_outcome);
	(void)strlcat(did, text, sizeof(did));
	return (true);
}

void
ojournal_hold(void)
{
}

int
ojournal_release(void)
{
	return (0);
}

void
ojournal_session(void)
{
	(void)strlcat(did, "replay;", sizeof(did));
}

void
ojournal_session_lost(void)
{
}

/* --- helpers ------------------------------------------------------------- */

/* Time passes, and timers run. */
static void
pass(int msec)
{
	struct timeval	 tv = monotime_timeval((uint64_t)msec);

	clock_ += msec;
	(void)event_base_loopexit(proc_base(), &tv);
	(void)event_base_dispatch(proc_base());
}

static void
set(const char *a, const char *b)
{
	nnow = 0;
	if (a != NULL)
		now[nnow++] = a;
	if (b != NULL)
		now[nnow++] = b;
	listed = true;
	offline_observe();
}

static void
up(void)
{
	open_ = true;
	offline_opened();
}

static void
down(void)
{
	open_ = false;
	offline_lost();
}

static int
setup(void **state)
{
	static bool	 begun;

	(void)state;
	eng->enrolled = true;
	eng->conf.ac_grace_msec = 200;
	eng->conf.ac_grace_local = 1;
	listed = false;
	nnow = 0;
	did[0] = '\0';
	open_ = false;
	if (begun)
		down();
	else
		offline_init();
	begun = true;
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	up();
	offline_heard();
	return (0);
}

/* --- tests --------------------------------------------------------------- */

static void
test_life(void **state)
{
	(void)state;
	assert_int_not_equal(offline_since(), 0);
	set("web:1:a:running", NULL);
	pass(100);
	assert_false(offline_is_autonomous());
	/* Attempts that do not last count for nothing. */
	up();
	pass(50);
	down();
	pass(100);
	assert_true(offline_is_autonomous());
	assert_string_equal(did, "autonomous;");
	up();
	assert_true(offline_is_autonomous());
	down();
	assert_true(offline_is_autonomous());
	/* Something came in: that is a session. */
	up();
	offline_heard();
	assert_false(offline_is_autonomous());
	assert_int_equal(offline_since(), 0);
	assert_string_equal(did, "autonomous;replay;");
	offline_heard();
	assert_string_equal(did, "autonomous;replay;");
	/* A short absence is none. */
	down();
	pass(50);
	up();
	offline_heard();
	pass(300);
	assert_false(offline_is_autonomous());
	/* A silent one lasts. */
	down();
	up();
	pass(3200);
	assert_int_equal(offline_since(), 0);
}

static void
test_changes(void **state)
{
	(void)state;
	set("web:1:a:running", "db:2:b:running");
	up();
	offline_heard();
	did[0] = '\0';
	/* While there is a server the list says it all. */
	set("web:1:a:exited", "db:2:b:running");
	down();
	/* In the grace period it is gathered. */
	set("web:1:a:running", "db:2:b:exited");
	set("web:1:a:running", "db:2:b:paused");
	assert_string_equal(did, "");
	pass(300);
	assert_string_equal(did, "autonomous;state web a>a running;"
	    "state db b>b paused;");
	did[0] = '\0';
	set("web:1:a:running", "db:2:b:paused");
	assert_string_equal(did, "");
	set("web:3:c:running", NULL);
	assert_string_equal(did, "image web a>c running;gone db b> gone;");
	did[0] = '\0';
	set("web:4:c:running", "new:5:d:created");
	assert_string_equal(did, "replaced web c>c running;"
	    "appeared new >d created;");
	did[0] = '\0';
	/* The same name twice is looked at once. */
	set("web:4:c:running", "web:4:c:exited");
	assert_string_equal(did, "gone new d> gone;");
	up();
	offline_heard();
	did[0] = '\0';
	set(NULL, NULL);
	assert_string_equal(did, "");
}

static void
test_start(void **state)
{
	(void)state;
	/* Without a list there is nothing to compare with. */
	pass(300);
	assert_string_equal(did, "autonomous;");
	set("web:1:a:running", NULL);
	assert_string_equal(did, "autonomous;");
	set("web:1:a:exited", NULL);
	assert_string_equal(did, "autonomous;state web a>a exited;");
}

static void
test_grace(void **state)
{
	(void)state;
	/* 0 is never. */
	up();
	offline_heard();
	eng->conf.ac_grace_msec = 0;
	down();
	pass(500);
	assert_false(offline_is_autonomous());
	/* What the server says, when nothing is said here. */
	up();
	offline_heard();
	cache.pc_has_offline = true;
	cache.pc_offline_msec = 100;
	down();
	pass(200);
	assert_false(offline_is_autonomous());
	up();
	offline_heard();
	eng->conf.ac_grace_local = 0;
	down();
	pass(200);
	assert_true(offline_is_autonomous());
	cache.pc_has_offline = false;
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		/* The first one: there was no session yet. */
		cmocka_unit_test_setup_teardown(test_start, setup, teardown),
		cmocka_unit_test_setup_teardown(test_life, setup, teardown),
		cmocka_unit_test_setup_teardown(test_changes, setup,
		    teardown),
		cmocka_unit_test_setup_teardown(test_grace, setup, teardown),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
