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

#include <sys/wait.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>

#include "log.h"
#include "logsink.h"
#include "proc_internal.h"
#include "sdnotify.h"

/*
 * Deaths and the end.  A death is reported with name and cause; a restartable
 * row comes back alone, any other death ends the daemon.  SIGSYS always does:
 * it is our bug or somebody else's will.
 */

/* After SIGKILL a process is gone at once, or hangs in the kernel for good. */
#define REAP_LAST_MSEC	2000

static void	 reap_signal(evutil_socket_t, short, void *);
static void	 reap_children(struct parent *);
static void	 reap_child(struct child *, int);
static void	 reap_describe(const struct child *, int, char *, size_t);
static bool	 reap_may_restart(const struct child *, int);
static bool	 reap_has_crashed(const struct child *, int);
static void	 reap_restart(struct child *);
static void	 restart_due(evutil_socket_t, short, void *);
static void	 stop_one(struct child *);
static void	 stop_late(evutil_socket_t, short, void *);
static void	 stop_close(struct parent *);
static void	 stop_deadline(evutil_socket_t, short, void *);
static bool	 stop_done(const struct parent *);
static void	 stop_timer(struct parent *, unsigned int);

static const int	 signals[] = { SIGCHLD, SIGTERM, SIGINT, SIGHUP };

int
proc_signals(struct parent *pa)
{
	size_t	 i;

	for (i = 0; i < nitems(signals); i++) {
		pa->pa_signals[i] = evsignal_new(proc_base(), signals[i],
		    reap_signal, pa);
		if (pa->pa_signals[i] == NULL ||
		    evsignal_add(pa->pa_signals[i], NULL) == -1) {
			log_warnx("signal %d: no handler", signals[i]);
			return (-1);
		}
	}
	return (0);
}

static void
reap_signal(evutil_socket_t sig, short what, void *arg)
{
	struct parent	*pa = arg;

	(void)what;
	switch (sig) {
	case SIGCHLD:
		reap_children(pa);
		break;
	case SIGHUP:
		if (!pa->pa_stopping && pa->pa_started &&
		    pa->pa_ops->op_hup != NULL)
			pa->pa_ops->op_hup();
		break;
	default:
		if (!pa->pa_stopping)
			log_info("stopping: SIG%s", sigabbrev_np((int)sig));
		proc_parent_stop(0);
		break;
	}
}

/* By pid: the daemon may have other children. */
static void
reap_children(struct parent *pa)
{
	struct child	*ch;
	size_t		 i;
	int		 status;

	for (i = 1; i < pa->pa_nchildren; i++) {
		ch = &pa->pa_children[i];
		if (ch->ch_pid != 0 &&
		    waitpid(ch->ch_pid, &status, WNOHANG) == ch->ch_pid)
			reap_child(ch, status);
	}
	if (pa->pa_stopping)
		proc_stop_next(pa);
}

static void
reap_child(struct child *ch, int status)
{
	struct parent	*pa = ch->ch_parent;
	enum child_state before = ch->ch_state;
	pid_t		 pid = ch->ch_pid;
	const char	*name = ch->ch_row->pr_name;

	/* Its last line, which says why, comes before ours. */
	logsink_remove(ch->ch_logid);
	ch->ch_logid = -1;
	if (ch->ch_peer != NULL) {
		peer_close(ch->ch_peer);
		ch->ch_peer = NULL;
	}
	child_timer(ch, NULL, 0);
	reap_describe(ch, status, ch->ch_death, sizeof(ch->ch_death));
	ch->ch_pid = 0;
	ch->ch_sandbox[0] = '\0';
	ch->ch_state = CHILD_GONE;

	if (pa->pa_stopping && (before == CHILD_STOPPED || pa->pa_closing ||
	    (before == CHILD_STOP && WIFEXITED(status) &&
	    WEXITSTATUS(status) == 0))) {
		log_debug("%s, pid %d: %s", name, (int)pid, ch->ch_death);
	} else if (reap_may_restart(ch, status)) {
		log_warnx("%s, pid %d: %s", name, (int)pid, ch->ch_death);
		if (pa->pa_ops->op_died != NULL)
			pa->pa_ops->op_died(ch->ch_row->pr_role,
			    reap_has_crashed(ch, status));
		reap_restart(ch);
	} else {
		log_warnx("%s, pid %d: %s%s", name, (int)pid, ch->ch_death,
		    pa->pa_stopping ? "" : "; ending");
		proc_parent_stop(1);
	}
}

static void
reap_describe(const struct child *ch, int status, char *buf, size_t size)
{
	const char	*abbrev;
	int		 sig;

	if (!WIFSIGNALED(status)) {
		(void)snprintf(buf, size, "exited with status %d",
		    WEXITSTATUS(status));
		return;
	}
	sig = WTERMSIG(status);
	abbrev = sigabbrev_np(sig);
	(void)snprintf(buf, size, "%skilled by signal %d (SIG%s)%s%s",
	    sig == SIGSYS ? "sandbox violation, " : "", sig,
	    abbrev != NULL ? abbrev : "?",
	    sig == SIGKILL && ch->ch_why != NULL ? ": " : "",
	    sig == SIGKILL && ch->ch_why != NULL ? ch->ch_why : "");
}

static bool
reap_may_restart(const struct child *ch, int status)
{
	const struct parent	*pa = ch->ch_parent;

	return ((ch->ch_row->pr_flags & PROC_F_RESTART) != 0 &&
	    pa->pa_started && !pa->pa_stopping &&
	    !(WIFSIGNALED(status) && WTERMSIG(status) == SIGSYS) &&
	    !(WIFEXITED(status) && WEXITSTATUS(status) == PROC_EXIT_DAEMON));
}

/*
 * SIGKILL is us, the operator or the kernel out of memory; but whoever made it
 * hang is to blame as for a crash.
 */
static bool
reap_has_crashed(const struct child *ch, int status)
{
	if (WIFSIGNALED(status))
		return (WTERMSIG(status) != SIGKILL || ch->ch_hung);
	return (WEXITSTATUS(status) != 0);
}

static void
reap_restart(struct child *ch)
{
	const struct proc_opts	*po = &ch->ch_parent->pa_opts;
	unsigned int		 msec = ch->ch_backoff;

	if (monotime_now() - ch->ch_born >= PROC_RESTART_MAX_MSEC)
		msec = 0;
	if (msec == 0) {
		msec = PROC_RESTART_FIRST_MSEC;
		ch->ch_backoff = po->po_restart_msec;
	} else if (msec > po->po_restart_max_msec / 2)
		ch->ch_backoff = po->po_restart_max_msec;
	else
		ch->ch_backoff = msec * 2;
	ch->ch_state = CHILD_WAIT;
	log_info("%s: starts again in %u ms", ch->ch_row->pr_name, msec);
	child_timer(ch, restart_due, msec);
}

static void
restart_due(evutil_socket_t fd, short what, void *arg)
{
	struct child	*ch = arg;

	(void)fd;
	(void)what;
	if (ch->ch_state != CHILD_WAIT || ch->ch_parent->pa_stopping)
		return;
	ch->ch_restarts++;
	if (child_start(ch) == -1)
		reap_restart(ch);
}

void
proc_parent_stop(int status)
{
	struct parent	*pa = proc_parent();

	if (status != 0)
		pa->pa_status = status;
	if (pa->pa_stopping)
		return;
	pa->pa_stopping = true;
	(void)sdnotify_stopping();
	stop_timer(pa, pa->pa_opts.po_stop_msec);
	if (pa->pa_ops->op_stopping != NULL)
		pa->pa_ops->op_stopping();
	proc_stop_next(pa);
}

/*
 * One row after the other, the last first, so that each still has those it
 * works for.  When all have finished the channels are closed.
 */
void
proc_stop_next(struct parent *pa)
{
	struct child	*ch;
	size_t		 i;
	bool		 late = false;

	if (!pa->pa_stopping)
		return;
	for (i = pa->pa_nchildren - 1; i >= 1 && !pa->pa_closing; i--) {
		ch = &pa->pa_children[i];
		stop_one(ch);
		if (ch->ch_state == CHILD_STOP && !ch->ch_late)
			return;
		if (ch->ch_state == CHILD_STOP)
			late = true;
	}
	if (!late && !pa->pa_closing)
		stop_close(pa);
	if (stop_done(pa))
		(void)event_base_loopbreak(proc_base());
}

static void
stop_one(struct child *ch)
{
	unsigned int	 msec = PROC_STOP_EACH_MSEC;

	switch (ch->ch_state) {
	case CHILD_START:
	case CHILD_HELLO:
	case CHILD_READY:
		/* It has nothing yet that it could finish. */
		ch->ch_state = CHILD_STOPPED;
		break;
	case CHILD_UP:
		if (ch->ch_peer == NULL || peer_send(ch->ch_peer,
		    IMSG_PROC_STOP, 0, -1, NULL, 0) == -1) {
			ch->ch_state = CHILD_STOPPED;
			break;
		}
		/* Reading was on hold if the barrier had not been passed. */
		peer_listen(ch->ch_peer);
		ch->ch_state = CHILD_STOP;
		if (msec > ch->ch_parent->pa_opts.po_stop_msec / 2)
			msec = ch->ch_parent->pa_opts.po_stop_msec / 2;
		child_timer(ch, stop_late, msec);
		break;
	case CHILD_WAIT:
		child_timer(ch, NULL, 0);
		ch->ch_state = CHILD_GONE;
		break;
	default:
		break;
	}
}

/* The others must not pay for it: it goes on while they are told. */
static void
stop_late(evutil_socket_t fd, short what, void *arg)
{
	struct child	*ch = arg;

	(void)fd;
	(void)what;
	if (ch->ch_state != CHILD_STOP)
		return;
	log_info("%s: has not finished yet", ch->ch_row->pr_name);
	ch->ch_late = true;
	proc_stop_next(ch->ch_parent);
}

static void
stop_close(struct parent *pa)
{
	struct child	*ch;
	size_t		 i;

	pa->pa_closing = true;
	for (i = 1; i < pa->pa_nchildren; i++) {
		ch = &pa->pa_children[i];
		if (ch->ch_peer != NULL) {
			peer_close(ch->ch_peer);
			ch->ch_peer = NULL;
		}
	}
}

static void
stop_deadline(evutil_socket_t fd, short what, void *arg)
{
	struct parent	*pa = arg;
	struct child	*ch;
	size_t		 i;

	(void)fd;
	(void)what;
	if (pa->pa_killed) {
		log_warnx("processes that cannot be killed are left behind");
		pa->pa_abandon = true;
		(void)event_base_loopbreak(proc_base());
		return;
	}
	for (i = 1; i < pa->pa_nchildren; i++) {
		ch = &pa->pa_children[i];
		if (ch->ch_pid == 0)
			continue;
		log_warnx("%s, pid %d: did not stop in time, killed",
		    ch->ch_row->pr_name, (int)ch->ch_pid);
		child_kill(ch, "it did not stop in time");
		pa->pa_status = 1;
	}
	pa->pa_closing = pa->pa_killed = true;
	stop_timer(pa, REAP_LAST_MSEC);
}

static void
stop_timer(struct parent *pa, unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	if (pa->pa_deadline == NULL)
		pa->pa_deadline = evtimer_new(proc_base(), stop_deadline, pa);
	if (pa->pa_deadline == NULL || evtimer_add(pa->pa_deadline, &tv) == -1)
		fatalx("stop_timer: out of memory");
}

static bool
stop_done(const struct parent *pa)
{
	size_t	 i;

	for (i = 1; i < pa->pa_nchildren; i++) {
		if (pa->pa_children[i].ch_pid != 0)
			return (false);
	}
	return (true);
}

void
proc_reap_all(struct parent *pa)
{
	while (!pa->pa_stopping || (!stop_done(pa) && !pa->pa_abandon)) {
		if (event_base_dispatch(proc_base()) == -1)
			fatalx("event_base_dispatch");
	}
}

int
proc_parent_loop(void)
{
	struct parent	*pa = proc_parent();

	proc_reap_all(pa);
	if (pa->pa_ops->op_exit != NULL)
		pa->pa_ops->op_exit();
	return (pa->pa_status);
}
