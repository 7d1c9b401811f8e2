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

#ifndef UPDATERIG_H
#define UPDATERIG_H

/*
 * An updater with the engine of fakedocker.h, one container "web" there and a
 * journal that outlives both: for the unit tests of docker_update.c and the
 * files behind it.
 */
#include "compat.h"

#include <sys/mman.h>
#include <sys/resource.h>

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>

#include <cmocka.h>

#include "docker_update.h"
#include "fakedocker.h"
#include "log.h"

#define NAME	"web"
#define OPID	"op-1"
#define OPID_OTHER "op-2"		/* of another container; not told */

static struct fk	 fk;
static struct updater	*up;
static int		 jfd = -1;	/* journal, outlives "crashes" */
static int		 ndone, nready, nstopped;
static enum update_outcome outcome;
static bool		 harm, recovered, was_rollback;
static char		 error[UPDATE_ERROR_MAXBYTES];
static char		 stages[1024];
static bool		 ended;
static const char	*rule;		/* uq_rule */
static bool		 hooks_on;
static const char	*exec_fault;
static const struct hook *pre_hook, *post_hook;
static char		 note[HOOK_REASON_MAXBYTES];
static char		 hooked[256];	/* "pre-update 0," ... */
static bool		 order_too;	/* uq_ordered */
static bool		 cleanup;	/* uq_cleanup */
static char		*tabu[2];	/* uq_bad */
static size_t		 ntabu;

/* --- rig --------------------------------------------------------------- */

static inline void
on_done(void *arg, const struct update_result *ur)
{
	(void)arg;
	assert_string_equal(ur->ur_opid, OPID);
	assert_string_equal(ur->ur_name, NAME);
	if (ur->ur_outcome == UPDATE_STOPPED) {
		nstopped++;
		return;
	}
	ndone++;
	outcome = ur->ur_outcome;
	harm = ur->ur_harm;
	recovered = ur->ur_recovered;
	was_rollback = ur->ur_rollback;
	strlcpy(error, ur->ur_error, sizeof(error));
	strlcpy(note, ur->ur_note, sizeof(note));
	ended = true;
	event_base_loopbreak(fk.base);
}

static inline void
on_hook(void *arg, const char *opid, const char *name, enum hook_phase ph,
    const struct docker_exec_result *er)
{
	char	 text[64];

	(void)arg;
	assert_string_equal(opid, OPID);
	assert_string_equal(name, NAME);
	(void)snprintf(text, sizeof(text), "%s %d,", hook_phase_name(ph),
	    er->er_code);
	(void)strlcat(hooked, text, sizeof(hooked));
}

static inline void
on_ready(void *arg)
{
	(void)arg;
	nready++;
	ended = true;
	event_base_loopbreak(fk.base);
}

static inline void
on_progress(void *arg, const char *opid, const char *stage, const char *detail,
    uint64_t done, uint64_t total)
{
	const char	*last = strrchr(stages, ' ');

	(void)arg;
	(void)detail;
	if (strcmp(opid, OPID_OTHER) == 0)
		return;
	assert_string_equal(opid, OPID);
	assert_true(done <= total);
	if (last == NULL || strcmp(last + 1, stage) != 0) {
		strlcat(stages, " ", sizeof(stages));
		strlcat(stages, stage, sizeof(stages));
	}
}

/* A process life: connect, read the journal, recover. */
static inline void
life_begin(void)
{
	static const struct update_config	 conf = { 5, 200, 1, 1, 1000, 2,
		0 };
	static const struct update_ops		 ops = {
		.uo_progress = on_progress, .uo_done = on_done,
		.uo_hook = on_hook, .uo_ready = on_ready
	};
	struct journal				*jn;

	assert_non_null(fk.docker = docker_new(fk.base, fk_need_fd, &fk));
	assert_non_null(jn = journal_open(dup(jfd)));
	assert_non_null(up = updater_new(fk.base, fk.docker, jn, &conf, &ops,
	    NULL));
	updater_recover(up);
}

static inline void
life_end(void)
{
	updater_free(up);
	docker_free(fk.docker);
	fk_drop_all(&fk);
	up = NULL;
	fk.docker = NULL;
}

static inline struct fk_container *
add(const char *name, const char *body)
{
	struct fk_container	*ct;

	assert_non_null(ct = fk_make(&fk, name, body, strlen(body)));
	ct->made = false;
	return (ct);
}

static const char web_body[] = "{\"Image\":\"app:latest\",\"Hostname\":"
    "\"000000011111\",\"Labels\":{\"x\":\"y\"},\"Env\":[\"A=1\"],\"HostConfig\""
    ":{\"NetworkMode\":\"net1\",\"RestartPolicy\":{\"Name\":\"always\","
    "\"MaximumRetryCount\":0},\"FakePort\":\"80\",\"Ulimits\":"
    "18446744073709551615},\"NetworkingConfig\":{\"EndpointsConfig\":{\"net1\""
    ":{\"IPAMConfig\":{\"IPv4Address\":\"10.0.0.5\"},\"Aliases\":[\"w\"]}}}}";

static inline void
world_begin(void)
{
	struct evbuffer		*out = evbuffer_new();
	struct fk_container	*ct;

	memset(&fk, 0, sizeof(fk));
	fk.base = event_base_new();
	fk.api = "1.41";
	fk.nets[0] = "net1";
	fk.nets[1] = "net2";
	snprintf(fk.im[0].id, sizeof(fk.im[0].id), "sha256:%064d", 1);
	strlcpy(fk.im[0].tags[0], "app:latest", sizeof(fk.im[0].tags[0]));
	snprintf(fk.im[1].id, sizeof(fk.im[1].id), "sha256:%064d", 2);
	snprintf(fk.im[1].digest, sizeof(fk.im[1].digest),
	    "app@sha256:%064d", 9);
	fk.pull_to = 1;
	ct = add(NAME, web_body);
	assert_true(fk_connect(ct, "net2", "{\"Aliases\":[\"side\"]}"));
	assert_int_equal(fk_start(&fk, ct, out), 204);
	evbuffer_free(out);
	jfd = memfd_create("journal", 0);
	assert_int_not_equal(jfd, -1);
	ndone = nready = nstopped = 0;
	error[0] = stages[0] = note[0] = hooked[0] = '\0';
	life_begin();
	assert_true(updater_ready(up));
	assert_int_equal(nready, 1);
}

static inline void
world_end(void)
{
	if (up != NULL)
		life_end();
	fk_free(&fk);
	event_base_free(fk.base);
	close(jfd);
}

static inline void
too_late(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	fail_msg("the update did not end; trace:\n%s", fk.trace);
}

static inline void
run(void)
{
	struct timeval	 tv = { 10, 0 };
	struct event	*ev = evtimer_new(fk.base, too_late, NULL);

	evtimer_add(ev, &tv);
	ended = false;
	while (!ended && !fk.crashed)
		event_base_dispatch(fk.base);
	event_free(ev);
}

static inline void
start(const char *image, const char *digest)
{
	struct update_request	 uq = { .uq_opid = OPID, .uq_name = NAME,
		.uq_image = image, .uq_digest = digest, .uq_rule = rule,
		.uq_hooks = hooks_on, .uq_exec_fault = exec_fault,
		.uq_pre = pre_hook, .uq_post = post_hook,
		.uq_ordered = order_too, .uq_cleanup = cleanup,
		.uq_bad = tabu, .uq_nbad = ntabu };
	char			 err[256] = "";

	if (updater_start(up, &uq, err, sizeof(err)) == -1)
		fail_msg("refused: %s", err);
	assert_true(updater_busy(up, NAME));
}

/* What was told is soon forgotten. */
static inline void
assert_forgotten(void)
{
	event_base_loop(fk.base, EVLOOP_ONCE);
	assert_int_equal(lseek(jfd, 0, SEEK_END), 0);
}

/* Update once, however often the process dies, and see that one result came. */
static inline void
update_through_crashes(bool engine_too, bool *died)
{
	int	 lives = 1;

	start("", "");
	run();
	while (fk.crashed) {
		assert_true(++lives < 10);
		life_end();
		fk.crashed = false;
		if (engine_too)
			fk_restart_engine(&fk);
		life_begin();
		while (!updater_ready(up) && !fk.crashed)
			run();
	}
	*died = lives > 1;
	assert_int_equal(ndone, 1);
	assert_true(updater_ready(up));
	assert_int_equal(updater_nopen(up), 0);
	assert_forgotten();
}

/* --- what must always hold --------------------------------------------- */

static inline void
assert_one(bool running, bool paused)
{
	struct fk_container	*web = NULL;
	int			 i, n = 0;

	for (i = 0; i < FK_MAX; i++) {
		if (!fk.ct[i].used)
			continue;
		n++;
		if (strcmp(fk.ct[i].name, NAME) == 0)
			web = &fk.ct[i];
		else {
			assert_false(fk.ct[i].running);
			assert_string_not_equal(fk.ct[i].policy, "always");
		}
	}
	assert_non_null(web);
	if (n != 1)
		fail_msg("%d containers left; trace:\n%s", n, fk.trace);
	assert_int_equal(web->running, running);
	assert_int_equal(web->paused, paused);
	assert_string_equal(web->policy, "always");
	/* Both networks, the fixed address and the aliases with them. */
	for (i = 0, n = 0; i < 4; i++) {
		if (strcmp(web->nets[i].name, "net1") == 0) {
			assert_non_null(strstr(web->nets[i].config,
			    "10.0.0.5"));
			assert_non_null(strstr(web->nets[i].config, "\"w\""));
			n++;
		}
		if (strcmp(web->nets[i].name, "net2") == 0) {
			assert_non_null(strstr(web->nets[i].config, "side"));
			n++;
		}
	}
	assert_int_equal(n, 2);
	assert_non_null(strstr(web->body, "18446744073709551615"));
}

static inline void
assert_image(int version)
{
	assert_string_equal(fk_find(&fk, NAME)->image, fk.im[version - 1].id[0]
	    != '\0' ? fk.im[version - 1].id : "gone");
}

/* The number of looks at the gate depends on the clock, so a run may end
 * before the last request of another one. */
static inline int
count_requests(enum fk_behave behave)
{
	int	 n;

	world_begin();
	fk.im[1].behave = behave;
	start("", "");
	run();
	n = fk.nreq;
	world_end();
	assert_true(n > 20);
	return (n);
}

#endif /* UPDATERIG_H */
