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

#include <err.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "txn_crash.h"

/*
 * txn_crash LAB DIR PREFIX WORLD...: updates of real containers that go wrong
 * at every possible place.  An updater in a process of its own works through a
 * relay; it is killed at a record of the journal (before it, half-written,
 * after it) or at a request (before Docker sees it, while Docker does it,
 * when it is done), or the request is refused or lost, or dockerd is killed at
 * a record or a request.  Then updaters follow until one has recovered, and
 * the container must be the old or the new one as a whole, with nothing of the
 * update left and one outcome told.
 *
 * Speaks TAP.  SAMPLE points in WORLDS of these worlds; all of both with
 * FULL=1 in the environment.  SEED=n repeats a choice.  The images PREFIX:1,
 * :2 (good) and :bad (ends at once) and the networks PREFIX-a and -b are
 * there, made by the scenario.
 */
#define SAMPLE		4
#define WORLDS		2

const char		*lab_dir, *dir, *prefix;
char			 docker_sock[128], relay_path[128], journal_path[128];
struct event_base	*base;
struct relay		*relay;

static const struct attempt *current;
static struct attempt	*plan;
static size_t		 nplan;
static unsigned int	 seed_used;

static void
on_record(void *arg, const struct journal_rec *jr)
{
	if (jr->jr_kind == DJ_END)
		*(bool *)arg = true;
}

/* Then whatever happens now is not the update's any more. */
static bool
journal_has_end(void)
{
	static uint8_t	 buf[JOURNAL_MAXBYTES];
	ssize_t		 n;
	bool		 has = false;
	int		 fd;

	if ((fd = open(journal_path, O_RDONLY)) == -1)
		return (false);
	n = read(fd, buf, sizeof(buf));
	close(fd);
	/* An empty one was emptied after that. */
	if (n > 0)
		(void)journal_parse(buf, (size_t)n, on_record, &has);
	return (n == 0 || has);
}

/* What the relay waited for. */
static void
on_hit(void *arg)
{
	(void)arg;
	if (current->at_world == W_HOOK &&
	    strstr(relay_line(relay), "/exec/") != NULL)
		hooks_hold();
	if (attempt_is_engine(current)) {
		attempt_late = journal_has_end();
		engine_kill();
	} else
		life_kill();
}

static bool
try(const struct attempt *at, int *records)
{
	current = at;
	attempt_late = false;
	return (attempt(at, records));
}

static void
plan_add(struct attempt at)
{
	struct attempt	*p;

	if ((p = reallocarray(plan, nplan + 1, sizeof(*plan))) == NULL)
		err(1, "plan");
	plan = p;
	at.at_again = random() % 4 == 0 && (at.at_rec != REC_NONE ||
	    (at.at_fate >= RELAY_KILL_BEFORE && at.at_fate <=
	    RELAY_KILL_DONE));
	plan[nplan++] = at;
}

/*
 * A run without harm says how many records and requests there are.  One world
 * has them all, the others what differs there.
 */
static bool
plan_world(enum world w, bool bad)
{
	struct attempt	 at = { .at_world = w, .at_bad = bad };
	enum relay_fate	 last = w == W_RICH ? RELAY_LOSE_DONE :
			    RELAY_KILL_DONE;
	int		 records, requests, i;

	if (!try(&at, &records))
		return (false);
	requests = relay_count(relay);
	for (i = 1; i <= records; i++) {
		at.at_nth = i;
		for (at.at_rec = w == W_RICH ? REC_BEFORE : REC_AFTER;
		    at.at_rec <= REC_ENGINE; at.at_rec++)
			/* After its end that is nobody's business. */
			if (at.at_rec != REC_ENGINE || (world_survives(w) &&
			    i < records - 1))
				plan_add(at);
	}
	at.at_rec = REC_NONE;
	for (i = 1; i <= requests; i++) {
		at.at_nth = i;
		for (at.at_fate = RELAY_KILL_BEFORE; at.at_fate <= last;
		    at.at_fate++)
			plan_add(at);
		at.at_fate = RELAY_ENGINE;
		if (world_survives(w) && i < requests - 1)
			plan_add(at);
	}
	return (true);
}

static void
plan_shuffle(void)
{
	struct attempt	 tmp;
	size_t		 i, j;

	for (i = nplan; i > 1; i--) {
		j = (size_t)random() % i;
		tmp = plan[i - 1];
		plan[i - 1] = plan[j];
		plan[j] = tmp;
	}
}

/* The worlds in the arguments, in an order of chance; their number. */
static size_t
worlds_parse(int argc, char *argv[], enum world ws[W_MAX])
{
	enum world	 tmp;
	size_t		 i, j, n = 0;
	int		 w;

	for (; argc > 0; argc--, argv++) {
		for (w = 0; w < W_MAX; w++)
			if (strcmp(*argv, world_names[w]) == 0)
				break;
		if (w == W_MAX || n == W_MAX)
			errx(2, "no world \"%s\"", *argv);
		ws[n++] = (enum world)w;
	}
	for (i = n; i > 1; i--) {
		j = (size_t)random() % i;
		tmp = ws[i - 1];
		ws[i - 1] = ws[j];
		ws[j] = tmp;
	}
	return (n);
}

static void
begin(char *argv[])
{
	const char	*seed = getenv("SEED");
	unsigned int	 n;
	int		 fd;

	lab_dir = argv[0];
	dir = argv[1];
	prefix = argv[2];
	signal(SIGPIPE, SIG_IGN);
	setvbuf(stdout, NULL, _IOLBF, 0);
	n = seed != NULL ? (unsigned int)strtoul(seed, NULL, 10) :
	    (unsigned int)(time(NULL) ^ getpid()) % 100000;
	srandom(n);
	printf("# SEED=%u\n", n);
	seed_used = n;
	(void)snprintf(docker_sock, sizeof(docker_sock), "%s/docker.sock",
	    lab_dir);
	(void)snprintf(relay_path, sizeof(relay_path), "%s/relay.sock", dir);
	(void)snprintf(journal_path, sizeof(journal_path), "%s/journal", dir);
	if ((fd = open("/dev/null", O_WRONLY)) == -1)
		err(1, "/dev/null");
	if (getenv("VERBOSE") == NULL)
		log_init("txn", fd);
	base = event_base_new();
	relay = relay_new(base, relay_path, docker_sock, on_hit, NULL);
}

int
main(int argc, char *argv[])
{
	/* Killed while a slow stop is under way: always. */
	static const struct attempt	 slow = { .at_world = W_DEAF,
	    .at_nth = 3, .at_fate = RELAY_KILL_SENT };
	const char	*full = getenv("FULL");
	enum world	 ws[W_MAX];
	size_t		 i, n, count, held = 0;
	bool		 all = full != NULL && strcmp(full, "1") == 0;
	bool		 good = true;

	if (argc < 5)
		errx(2, "usage: txn_crash lab dir prefix world ...");
	begin(argv + 1);
	n = worlds_parse(argc - 4, argv + 4, ws);
	if (!all && n > WORLDS)
		n = WORLDS;
	for (i = 0; i < n; i++) {
		world_make(ws[i]);
		good = plan_world(ws[i], false) && good;
		/* A stopped one never finds out that its image is bad. */
		if (ws[i] != W_STOPPED && ws[i] != W_HOST)
			good = plan_world(ws[i], true) && good;
		if (ws[i] == W_DEAF)
			good = try(&slow, NULL) && good;
	}
	plan_shuffle();
	count = all || nplan < SAMPLE ? nplan : SAMPLE;
	for (i = 0; i < count; i++)
		if (try(&plan[i], NULL))
			held++;
	printf("# matrix: %zu points of %zu, %zu held (%u with a container "
	    "that Docker itself cannot start any more), SEED=%u\n", count,
	    nplan, held, attempt_broken, seed_used);
	relay_free(relay);
	event_base_free(base);
	free(plan);
	return (good && held == count ? 0 : 1);
}
