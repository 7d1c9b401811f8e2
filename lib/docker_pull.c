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

#include "docker_pull.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_client_int.h"
#include "docker_progress.h"
#include "monotime.h"

#define PULL_LINE_MAXBYTES	65536
#define PULL_PROGRESS_MSEC	250

enum pull_state {
	PULL_WAITS,		/* for those before it */
	PULL_ASKS,		/* the guard */
	PULL_RUNS
};

struct docker_pull {
	struct docker		*pu_docker;
	TAILQ_ENTRY(docker_pull) pu_entry;
	uint64_t		 pu_number;
	enum pull_state		 pu_state;
	char			 pu_path[DOCKER_PATH_MAXBYTES];
	char			*pu_auth;	/* until it is sent */
	unsigned int		 pu_idle;
	struct docker_req	*pu_req;
	struct json_splitter	*pu_split;
	struct docker_pull_cbs	 pu_cbs;
	void			*pu_arg;
	struct docker_progress	 pu_progress;
	monotime_t		 pu_told;	/* last progress */
};

static void	 pull_kick(struct docker *);
static void	 pull_next(int, short, void *);
static void	 pull_begin(struct docker_pull *);
static void	 pull_wait(struct docker *);
static void	 pull_end(struct docker_pull *, const char *);
static int	 pull_on_line(void *, const char *, size_t);

static void
pull_free(struct docker_pull *pu)
{
	TAILQ_REMOVE(&pu->pu_docker->dk_pulls, pu, pu_entry);
	json_splitter_free(pu->pu_split);
	if (pu->pu_auth != NULL)
		freezero(pu->pu_auth, strlen(pu->pu_auth));
	free(pu);
}

void
docker_pull_cancel(struct docker_pull *pu)
{
	struct docker	*dk;

	if (pu == NULL)
		return;
	dk = pu->pu_docker;
	if (pu->pu_req != NULL)
		docker_cancel(pu->pu_req);
	pull_free(pu);
	pull_kick(dk);
}

void
docker_pull_drop(struct docker *dk)
{
	struct docker_pull	*pu;

	/* Their requests go with the client. */
	while ((pu = TAILQ_FIRST(&dk->dk_pulls)) != NULL)
		pull_free(pu);
	if (dk->dk_pull_kick != NULL)
		event_free(dk->dk_pull_kick);
	dk->dk_pull_kick = NULL;
}

struct docker_pull *
docker_pull(struct docker *dk, const char *ref, const char *auth,
    unsigned int idle, const struct docker_pull_cbs *cbs, void *arg)
{
	struct docker_pull	*pu;
	struct docker_ref	 rf;
	size_t			 n = 0;

	if (docker_ref_parse(&rf, ref) == -1) {
		errno = EINVAL;
		return (NULL);
	}
	TAILQ_FOREACH(pu, &dk->dk_pulls, pu_entry)
		n++;
	if (n >= DOCKER_PULLS_LINE_MAX) {
		errno = ENOBUFS;
		return (NULL);
	}
	if ((dk->dk_pull_kick == NULL && (dk->dk_pull_kick = evtimer_new(
	    dk->dk_base, pull_next, dk)) == NULL) ||
	    (pu = calloc(1, sizeof(*pu))) == NULL) {
		errno = ENOMEM;
		return (NULL);
	}
	pu->pu_docker = dk;
	pu->pu_number = ++dk->dk_pull_number;
	pu->pu_idle = idle;
	pu->pu_cbs = *cbs;
	pu->pu_arg = arg;
	TAILQ_INSERT_TAIL(&dk->dk_pulls, pu, pu_entry);
	/* Without a tag Docker would pull all of them. */
	if (docker_path(pu->pu_path, sizeof(pu->pu_path),
	    "/images/create?fromImage=%s&tag=%s", rf.rf_repo,
	    rf.rf_digest[0] != '\0' ? rf.rf_digest : rf.rf_tag) == -1 ||
	    (auth != NULL && (pu->pu_auth = strdup(auth)) == NULL) ||
	    (pu->pu_split = json_splitter_new(JSON_SPLIT_LINES,
	    PULL_LINE_MAXBYTES, pull_on_line, pu)) == NULL) {
		n = (size_t)errno;
		pull_free(pu);
		errno = (int)n;
		return (NULL);
	}
	pull_kick(dk);
	return (pu);
}

/* --- the line ---------------------------------------------------------- */

void
docker_pull_set_guard(struct docker *dk, docker_pull_guard guard, void *arg)
{
	dk->dk_guard = guard;
	dk->dk_guard_arg = arg;
}

/* Never from within a call of the owner. */
static void
pull_kick(struct docker *dk)
{
	struct timeval	 now = { 0, 0 };

	if (!TAILQ_EMPTY(&dk->dk_pulls))
		evtimer_add(dk->dk_pull_kick, &now);
}

/* One at a time: what it calls may change the line. */
static void
pull_next(int fd, short what, void *arg)
{
	struct docker		*dk = arg;
	struct docker_pull	*pu;
	size_t			 n = 0;

	(void)fd;
	(void)what;
	TAILQ_FOREACH(pu, &dk->dk_pulls, pu_entry)
		n += pu->pu_state != PULL_WAITS;
	TAILQ_FOREACH(pu, &dk->dk_pulls, pu_entry)
		if (pu->pu_state == PULL_WAITS)
			break;
	if (pu == NULL)
		return;
	if (n >= DOCKER_PULLS_MAX) {
		pull_wait(dk);
		return;
	}
	pu->pu_state = PULL_ASKS;
	pull_kick(dk);
	if (dk->dk_guard != NULL)
		dk->dk_guard(dk->dk_guard_arg, pu->pu_number);
	else
		pull_begin(pu);
}

/* Who waits says so: silence would be taken for the end. */
static void
pull_wait(struct docker *dk)
{
	struct docker_pull	*pu;
	monotime_t		 now = monotime_now();
	char			 text[64];

	(void)snprintf(text, sizeof(text), "waiting: %d pulls are under way",
	    DOCKER_PULLS_MAX);
	TAILQ_FOREACH(pu, &dk->dk_pulls, pu_entry) {
		if (pu->pu_state != PULL_WAITS ||
		    pu->pu_cbs.pc_progress == NULL || (pu->pu_told != 0 &&
		    now - pu->pu_told < DOCKER_PULL_WAIT_MSEC))
			continue;
		pu->pu_told = now;
		pu->pu_cbs.pc_progress(pu->pu_arg, text, 0, 0);
	}
}

void
docker_pull_answer(struct docker *dk, uint64_t number, const char *why)
{
	struct docker_pull	*pu;

	TAILQ_FOREACH(pu, &dk->dk_pulls, pu_entry)
		if (pu->pu_number == number && pu->pu_state == PULL_ASKS)
			break;
	if (pu == NULL)
		return;
	if (why[0] != '\0')
		pull_end(pu, why);
	else
		pull_begin(pu);
}

static void
pull_end(struct docker_pull *pu, const char *error)
{
	struct docker	*dk = pu->pu_docker;

	pu->pu_cbs.pc_done(pu->pu_arg, error);
	pull_free(pu);
	pull_kick(dk);
}

static int
pull_on_data(void *arg, const uint8_t *p, size_t len)
{
	struct docker_pull	*pu = arg;

	if (json_splitter_feed(pu->pu_split, p, len) == 0)
		return (0);
	if (pu->pu_progress.pg_error[0] == '\0')
		strlcpy(pu->pu_progress.pg_error, "Docker's pull progress is "
		    "not valid JSON", sizeof(pu->pu_progress.pg_error));
	return (-1);
}

static void
pull_done(void *arg, const struct docker_reply *dr)
{
	struct docker_pull	*pu = arg;
	const char		*error = dr->dr_error;

	/* Docker says 200 first and reports the failure in the stream. */
	if (pu->pu_progress.pg_error[0] != '\0')
		error = pu->pu_progress.pg_error;
	else if (dr->dr_end == DOCKER_OK &&
	    json_splitter_end(pu->pu_split) == -1)
		error = "Docker's pull progress ended early";
	pull_end(pu, error);
}

static void
pull_begin(struct docker_pull *pu)
{
	struct docker_call	 dc = {
		.dc_method = "POST", .dc_path = pu->pu_path,
		.dc_auth = pu->pu_auth, .dc_idle_msec = pu->pu_idle,
		.dc_data = pull_on_data, .dc_done = pull_done, .dc_arg = pu
	};

	pu->pu_state = PULL_RUNS;
	pu->pu_told = 0;
	pu->pu_req = docker_call(pu->pu_docker, &dc);
	if (pu->pu_auth != NULL)
		freezero(pu->pu_auth, strlen(pu->pu_auth));
	pu->pu_auth = NULL;
	if (pu->pu_req == NULL)
		pull_end(pu, "too many requests to Docker");
}

/* --- progress ---------------------------------------------------------- */

static void
pull_tell(struct docker_pull *pu)
{
	monotime_t	 now = monotime_now();
	uint64_t	 done, total;
	char		 text[PROGRESS_TEXT_MAXBYTES];

	pull_wait(pu->pu_docker);
	if (pu->pu_cbs.pc_progress == NULL ||
	    (pu->pu_told != 0 && now - pu->pu_told < PULL_PROGRESS_MSEC))
		return;
	pu->pu_told = now;
	docker_progress_text(&pu->pu_progress, text, &done, &total);
	pu->pu_cbs.pc_progress(pu->pu_arg, text, done, total);
}

static int
pull_on_line(void *arg, const char *text, size_t len)
{
	struct docker_pull	*pu = arg;
	int			 rc;

	if ((rc = docker_progress_line(&pu->pu_progress, text, len)) == 1)
		pull_tell(pu);
	return (rc == -1 ? -1 : 0);
}
