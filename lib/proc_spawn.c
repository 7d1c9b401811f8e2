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

#include <sys/socket.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <linux/close_range.h>

#include "log.h"
#include "logsink.h"
#include "proc_internal.h"

#define SPAWN_ENV_MAX	8

static int	 spawn_channels(int[2], int[2]);
static __dead void spawn_exec(const struct child *, int, int,
		    const sigset_t *);
static void	 spawn_env(char *[SPAWN_ENV_MAX]);
static int	 spawn_high(int);

static int	 self_fd = -1;

/* What a child keeps of our environment: tokens and paths stay here. */
static const char *const keepenv[] = {
	"LANG", "TZ",
#ifdef SENTINEL_SANITIZE
	"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS"
#endif
};

void
proc_save_self(void)
{
	int	 fd;

	if (self_fd != -1)
		return;
	if ((fd = open("/proc/self/exe", O_PATH | O_CLOEXEC)) == -1)
		fatal("/proc/self/exe");
	/* Out of the way of descriptors 3 and 4 of a child. */
	self_fd = fcntl(fd, F_DUPFD_CLOEXEC, PROC_FD_SELF);
	if (self_fd == -1)
		fatal("proc_save_self");
	(void)close(fd);
}

int
child_spawn(struct child *ch)
{
	sigset_t	 all, old;
	int		 ctl[2], logs[2];
	pid_t		 pid;

	if (spawn_channels(ctl, logs) == -1) {
		log_warn("%s: socketpair", ch->ch_row->pr_name);
		return (-1);
	}
	/* A signal between fork and exec would run our handler, and write to
	 * the pipe that the parent's event loop reads. */
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	if ((pid = fork()) == 0)
		spawn_exec(ch, ctl[1], logs[1], &old);
	(void)sigprocmask(SIG_SETMASK, &old, NULL);
	(void)close(ctl[1]);
	(void)close(logs[1]);
	if (pid == -1) {
		log_warn("%s: fork", ch->ch_row->pr_name);
		(void)close(ctl[0]);
		(void)close(logs[0]);
		return (-1);
	}
	ch->ch_pid = pid;
	ch->ch_peer = peer_open(ch->ch_row->pr_role, ctl[0], false);
	ch->ch_peer->pe_ready = false;
	ch->ch_logid = logsink_add(ch->ch_row->pr_name, logs[0]);
	if (ch->ch_logid == -1)
		log_warn("%s: its log lines are lost", ch->ch_row->pr_name);
	return (0);
}

static int
spawn_channels(int ctl[2], int logs[2])
{
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    ctl) == -1)
		return (-1);
	if (socketpair(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0,
	    logs) == -1) {
		(void)close(ctl[0]);
		(void)close(ctl[1]);
		return (-1);
	}
	return (0);
}

/* In the child, all signals blocked.  dup2(2) clears close-on-exec. */
static void
spawn_exec(const struct child *ch, int ctl, int logs, const sigset_t *mask)
{
	static char	 opt[] = "-P";
	struct sigaction sa;
	const char	*daemon = ch->ch_parent->pa_table->pt_daemon;
	char		*argv[4], *env[SPAWN_ENV_MAX];
	int		 null, sig;

	log_setsink(NULL);
	memset(&sa, 0, sizeof(sa));
	for (sig = 1; sig < NSIG; sig++) {
		sa.sa_handler = sig == SIGPIPE || sig == SIGHUP ||
		    sig == SIGINT || sig == SIGTERM ? SIG_IGN : SIG_DFL;
		(void)sigaction(sig, &sa, NULL);
	}
	ctl = spawn_high(ctl);
	logs = spawn_high(logs);
	if ((null = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1 ||
	    dup2(null, STDIN_FILENO) == -1 ||
	    dup2(null, STDOUT_FILENO) == -1 ||
	    dup2(ctl, PROC_FD_PARENT) == -1 || dup2(logs, PROC_FD_LOG) == -1)
		_exit(126);
#ifndef SENTINEL_SANITIZE
	/* Last words of libc, named and limited as all lines are.  Ours would
	 * let it write what it likes into the journal or onto a terminal. */
	if (dup2(logs, STDERR_FILENO) == -1)
		_exit(126);
#endif
	log_init(ch->ch_row->pr_name, PROC_FD_LOG);
	if (close_range(PROC_FD_LOG + 1, ~0U, CLOSE_RANGE_CLOEXEC) == -1)
		log_debug("start: close_range is not available");
	spawn_env(env);
	if ((argv[0] = strdup(daemon)) == NULL ||
	    (argv[2] = strdup(ch->ch_row->pr_name)) == NULL)
		_exit(126);
	argv[1] = opt;
	argv[3] = NULL;
	(void)sigprocmask(SIG_SETMASK, mask, NULL);
	(void)fexecve(self_fd, argv, env);
	log_warn("start: exec");
	_exit(127);
}

/* A descriptor of the pair may be 3 or 4 itself. */
static int
spawn_high(int fd)
{
	int	 high;

	if ((high = fcntl(fd, F_DUPFD_CLOEXEC, PROC_FD_SELF)) == -1)
		_exit(126);
	return (high);
}

static void
spawn_env(char *env[SPAWN_ENV_MAX])
{
	const char	*value;
	size_t		 i, n = 0;

	for (i = 0; i < nitems(keepenv); i++) {
		if ((value = getenv(keepenv[i])) == NULL)
			continue;
		if (asprintf(&env[n], "%s=%s", keepenv[i], value) == -1)
			_exit(126);
		n++;
	}
	env[n] = NULL;
}
