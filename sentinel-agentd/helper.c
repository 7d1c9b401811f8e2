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

#include "agentd.h"

#include <sys/file.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <event2/event.h>

#include "docker_self.h"
#include "docker_update.h"
#include "dockerjournal.h"
#include "log.h"
#include "monotime.h"
#include "sandbox.h"

/*
 * The helper of a self update.  It waits for the lock of the update journal,
 * which the old program gives up, confines itself and goes on from the last
 * record; then it removes its own container.  When it dies, Docker starts it
 * again (until it was removed), and the journal says where it was.
 *
 * It is root in its container: the journal is root's.  What it may still do:
 *   stdio fsync  the journal, which it holds open, events, memory
 *   unix         a connection to Docker for each few requests
 *   rpath        the proof, beneath the engine's directory
 */
#define HELPER_PROMISES		"stdio fsync unix rpath"
#define HELPER_LOCK_MSEC	60000	/* for the old one to let go */
#define HELPER_LOCK_POLL_MSEC	100
#define HELPER_REMOVE_MSEC	2000	/* between two tries */
#define HELPER_FSIZE		(8 * 1024 * 1024)

static void	 parse(const struct daemon_opts *);
static const char *option(const struct daemon_opts *, const char *);
static void	 confine(void);
static int	 lock_journal(void);
static void	 need_fd(void *);
static bool	 is_proved(void *, const char *);
static void	 on_done(void *, const struct update_result *);
static void	 on_ready(void *);
static void	 on_remove(int, short, void *);
static void	 removed(void *, const struct docker_reply *);
static void	 on_signal(int, short, void *);

static struct {
	struct update_self	 who;
	const char		*name;		/* of our container */
	struct event_base	*base;
	struct docker		*docker;
	struct updater		*updater;
	struct event		*remove;
	int			 statefd;
} hp = { .statefd = -1 };

static const struct update_ops	ops = {
	.uo_done = on_done,
	.uo_ready = on_ready,
};

void
helper_main(const struct daemon_opts *opts)
{
	struct update_config	 conf = UPDATE_CONFIG_DEFAULT;
	struct event		*term;
	struct journal		*jn;
	int			 fd;

	log_init("helper", -1);
	log_setverbose(opts->do_verbose > 0);
	if (signal(SIGPIPE, SIG_IGN) == SIG_ERR)
		fatal("signal");
	parse(opts);
	log_info("helper of the update of this %s starting",
	    hp.who.us_what);
	if ((hp.base = event_base_new()) == NULL)
		fatalx("event base");
	hp.statefd = open(hp.who.us_state, O_RDONLY | O_DIRECTORY |
	    O_NOFOLLOW | O_CLOEXEC);
	if (hp.statefd == -1)
		fatal("%s", hp.who.us_state);
	fd = lock_journal();
	confine();
	if ((hp.docker = docker_new(hp.base, need_fd, NULL)) == NULL ||
	    (hp.remove = evtimer_new(hp.base, on_remove, NULL)) == NULL ||
	    (term = evsignal_new(hp.base, SIGTERM, on_signal, NULL)) == NULL ||
	    event_add(term, NULL) == -1)
		fatal("helper");
	if ((jn = journal_open(fd)) == NULL)
		fatal("update journal");
	if ((hp.updater = updater_new(hp.base, hp.docker, jn, &conf, &ops,
	    NULL)) == NULL)
		fatal("updater");
	updater_self(hp.updater, &hp.who);
	updater_recover(hp.updater);
	if (event_base_dispatch(hp.base) == -1)
		fatalx("event loop");
	exit(0);
}

/* --- start ------------------------------------------------------------- */

static const char *
option(const struct daemon_opts *opts, const char *key)
{
	size_t	 i;

	for (i = 0; i < opts->do_nflags; i++)
		if (strcmp(opts->do_flags[i].fl_key, key) == 0)
			return (opts->do_flags[i].fl_value);
	daemon_die(DAEMON_USAGE, "-P helper: -o %s=... is missing; only "
	    "sentinel-agentd itself starts a helper", key);
}

static void
parse(const struct daemon_opts *opts)
{
	const char	*errstr;

	hp.who.us_what = option(opts, "what");
	hp.who.us_data = option(opts, "data");
	hp.who.us_state = option(opts, "state");
	hp.who.us_socket = option(opts, "socket");
	hp.name = option(opts, "name");
	hp.who.us_proof_msec = (unsigned int)strtonum(option(opts, "proof"),
	    1, 3600 * 1000, &errstr);
	if (errstr != NULL || !docker_name_ok(hp.name))
		daemon_die(DAEMON_USAGE, "-P helper: bad -o proof or name");
	hp.who.us_helper = true;
	hp.who.us_proof = is_proved;
}

/* Whoever has it decides: without it nothing is touched. */
static int
lock_journal(void)
{
	struct timespec	 ts = { 0, HELPER_LOCK_POLL_MSEC * 1000000L };
	monotime_t	 end = monotime_now() + HELPER_LOCK_MSEC;
	char		 err[PATH_MAX + 256];
	int		 fd;

	fd = dockerjournal_open(hp.who.us_data, false, err, sizeof(err));
	if (fd == -1)
		fatalx("%s", err);
	while (flock(fd, LOCK_EX | LOCK_NB) == -1) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			fatal("update journal: flock");
		if (monotime_now() >= end)
			fatalx("update journal: in use; the %s did not hand "
			    "it over", hp.who.us_what);
		(void)nanosleep(&ts, NULL);
	}
	return (fd);
}

static void
confine(void)
{
	struct rlimit	 rl = { HELPER_FSIZE, HELPER_FSIZE };
	struct tm	 tm;
	time_t		 now = time(NULL);

	/* What libc opens at its first use. */
	tzset();
	(void)localtime_r(&now, &tm);
	if (setrlimit(RLIMIT_FSIZE, &rl) == -1)
		fatal("setrlimit");
	if (sandbox_enter(HELPER_PROMISES, hp.who.us_state, false, -1) == -1)
		fatal("sandbox");
	log_info("confined: %s", sandbox_status());
}

/* --- Docker and the proof ---------------------------------------------- */

static void
need_fd(void *arg)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	char			 why[512];
	int			 fd;

	(void)arg;
	if (strlcpy(sun.sun_path, hp.who.us_socket, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		fatalx("%s: path too long", hp.who.us_socket);
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* A UNIX connect does not wait: it is done, refused, or EAGAIN. */
	if (fd != -1 &&
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0) {
		docker_give_fd(hp.docker, fd);
		return;
	}
	snprintf(why, sizeof(why), "%s: %s", sun.sun_path, strerror(errno));
	if (fd != -1)
		close(fd);
	docker_no_fd(hp.docker, why);
}

/* The engine that wrote it may be a broken one: a file, small, or nothing. */
static bool
is_proved(void *arg, const char *id)
{
	char	 text[SELF_PROOF_MAXBYTES];
	ssize_t	 n;
	int	 fd;

	(void)arg;
	fd = openat(hp.statefd, SELF_PROOF_NAME, O_RDONLY | O_NOFOLLOW |
	    O_NONBLOCK | O_CLOEXEC);
	if (fd == -1)
		return (false);
	n = read(fd, text, sizeof(text));
	close(fd);
	return (n > 0 && self_proof_is(text, (size_t)n, id));
}

/* --- the end ----------------------------------------------------------- */

static void
on_done(void *arg, const struct update_result *ur)
{
	/* Has been logged; the program that comes up reads it from there. */
	(void)arg;
	(void)ur;
}

/* Nothing is left to do: the journal has an end, or nothing was open. */
static void
on_ready(void *arg)
{
	struct timeval	 now = { 0, 0 };

	(void)arg;
	evtimer_add(hp.remove, &now);
}

static void
on_remove(int fd, short what, void *arg)
{
	struct timeval	 tv = monotime_timeval(HELPER_REMOVE_MSEC);

	(void)fd;
	(void)what;
	(void)arg;
	/* Closes the journal: its lock is free. */
	updater_free(hp.updater);
	hp.updater = NULL;
	if (docker_remove(hp.docker, hp.name, true, removed, NULL) == NULL)
		evtimer_add(hp.remove, &tv);
}

/* With luck nobody comes back to read this. */
static void
removed(void *arg, const struct docker_reply *dr)
{
	struct timeval	 tv = monotime_timeval(HELPER_REMOVE_MSEC);

	(void)arg;
	if (dr->dr_end == DOCKER_OK || dr->dr_status == 404) {
		event_base_loopbreak(hp.base);
		return;
	}
	log_warnx("%s: not removed: %s", hp.name, dr->dr_error);
	evtimer_add(hp.remove, &tv);
}

/* As after kill -9: the next start goes on. */
static void
on_signal(int sig, short what, void *arg)
{
	(void)sig;
	(void)what;
	(void)arg;
	log_info("stopping: the update waits in the journal");
	event_base_loopbreak(hp.base);
}
