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

#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "txn_crash.h"

/* The updater, in a process of its own that can be killed. */
#define LIFE_SEC	150	/* an engine that is away is waited for */

static pid_t			 child = -1;

/* --- in the updater's process -------------------------------------- */

static int			 out_fd;
static enum record_fate		 rec_fate;
static int			 rec_nth, rec_count;
static struct docker		*life_docker;
static struct updater		*life_up;
static const struct update_request *life_request;
static struct event		*life_timer;

/* These two stand in for libc's: only the journal uses them. */
ssize_t
pwrite(int fd, const void *buf, size_t len, off_t off)
{
	rec_count++;
	if (rec_count == rec_nth && rec_fate == REC_BEFORE)
		raise(SIGKILL);
	if (rec_count == rec_nth && rec_fate == REC_TORN) {
		(void)syscall(SYS_pwrite64, fd, buf, len / 2, off);
		raise(SIGKILL);
	}
	return (syscall(SYS_pwrite64, fd, buf, len, off));
}

int
fsync(int fd)
{
	int	 rc = (int)syscall(SYS_fsync, fd);

	if (rec_count == rec_nth && rec_fate == REC_AFTER)
		raise(SIGKILL);
	if (rec_count == rec_nth && rec_fate == REC_ENGINE) {
		rec_fate = REC_NONE;
		engine_kill();
	}
	return (rc);
}

static void
life_end(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	dprintf(out_fd, "end\n");
	_exit(0);
}

/* A little later, when the journal has been emptied. */
static void
life_exit(void)
{
	struct timeval	 tv = { 0, 80000 };

	dprintf(out_fd, "records %d\n", rec_count);
	evtimer_add(life_timer, &tv);
}

static void
life_done(void *arg, const struct update_result *ur)
{
	(void)arg;
	dprintf(out_fd, "done %s %s %d %s; %s\n", ur->ur_opid,
	    update_outcome_name(ur->ur_outcome), ur->ur_harm, ur->ur_error,
	    ur->ur_note);
	if (!ur->ur_recovered)
		life_exit();
}

static void
life_ready(void *arg)
{
	char	 why[256];

	(void)arg;
	if (life_request == NULL)
		life_exit();
	else if (updater_start(life_up, life_request, why, sizeof(why)) == -1) {
		dprintf(out_fd, "refused %s\n", why);
		life_exit();
	}
}

static int
life_dial(const char *path)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	int			 fd, error;

	strlcpy(sun.sun_path, path, sizeof(sun.sun_path));
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		err(1, "socket");
	if (connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1) {
		error = errno;
		close(fd);
		errno = error;
		return (-1);
	}
	return (fd);
}

/* Whether there is an engine is not for the relay to say. */
static void
life_need_fd(void *arg)
{
	int	 fd;

	(void)arg;
	if ((fd = life_dial(docker_sock)) == -1) {
		docker_no_fd(life_docker, strerror(errno));
		return;
	}
	close(fd);
	if ((fd = life_dial(relay_path)) == -1)
		err(1, "%s", relay_path);
	evutil_make_socket_nonblocking(fd);
	docker_give_fd(life_docker, fd);
}

/* Never returns. */
static void
life(void)
{
	static const struct update_config	 conf = {
		.uc_gate_running_msec = 300, .uc_gate_max_msec = 20000,
		.uc_poll_msec = 100, .uc_retry_msec = 200,
		.uc_pull_idle_msec = 5000, .uc_settle_msec = 800,
		.uc_told_msec = 50
	};
	static const struct update_ops		 ops = {
		.uo_done = life_done, .uo_ready = life_ready
	};
	struct event_base			*eb = event_base_new();
	struct journal				*jn;

	alarm(LIFE_SEC);
	life_timer = evtimer_new(eb, life_end, NULL);
	if ((life_docker = docker_new(eb, life_need_fd, NULL)) == NULL ||
	    (jn = journal_open(open(journal_path, O_RDWR | O_CREAT,
	    0600))) == NULL || (life_up = updater_new(eb, life_docker, jn,
	    &conf, &ops, NULL)) == NULL)
		err(1, "updater");
	updater_recover(life_up);
	event_base_dispatch(eb);
	errx(1, "the event loop ended");
}

/* --- the test's side ----------------------------------------------- */

void
life_kill(void)
{
	if (child != -1)
		kill(child, SIGKILL);
}

static void
on_tick(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

int
run_life(const struct update_request *uq, enum record_fate rf, int nth,
    char *told, size_t size)
{
	struct timeval	 tv = { 0, 3000 };
	struct event	*tick;
	int		 p[2], status;
	size_t		 len;
	ssize_t		 n;

	if (pipe2(p, O_CLOEXEC) == -1)
		err(1, "pipe");
	fflush(NULL);
	if ((child = fork()) == -1)
		err(1, "fork");
	if (child == 0) {
		rec_count = 0;
		rec_fate = rf;
		rec_nth = nth;
		life_request = uq;
		out_fd = p[1];
		life();
	}
	close(p[1]);
	tick = event_new(base, -1, EV_PERSIST, on_tick, NULL);
	evtimer_add(tick, &tv);
	while (waitpid(child, &status, WNOHANG) == 0)
		event_base_loop(base, EVLOOP_ONCE);
	event_free(tick);
	child = -1;
	relay_reset(relay);
	len = strlen(told);
	while (len < size - 1 && (n = read(p[0], told + len,
	    size - 1 - len)) > 0) {
		len += (size_t)n;
		told[len] = '\0';
	}
	close(p[0]);
	return (status);
}
