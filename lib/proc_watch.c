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

#include <arpa/inet.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "proc_internal.h"
#include "sdnotify.h"

/*
 * The watchdog.  A child that dies is reaped; one that hangs would keep its
 * place for ever.  It has at most one ping to answer, and time counts in turns
 * of ours: while the machine sleeps, or the whole daemon is stopped, there are
 * none, and one that came late counts for nobody.
 *
 * What a child says here can only get itself killed.  It reads no clock of
 * ours and learns nothing.
 */
#define WATCH_PERIODS		6	/* turns in the time of an answer */
/* The engine repairs its database before its first. */
#define WATCH_FIRST_TIMES	10

static void	 watch_arm(struct parent *);
static void	 watch_turn(evutil_socket_t, short, void *);
static void	 watch_child(struct child *);
static void	 watch_hung(struct child *, unsigned int);
static int	 watch_state(pid_t);

void
watch_start(struct parent *pa)
{
	unsigned int	 manager = sdnotify_watchdog_msec();

	pa->pa_period = pa->pa_opts.po_watch_msec / WATCH_PERIODS;
	/* Half of what it waits would do; one may be lost. */
	if (manager != 0 && manager / 3 < pa->pa_period)
		pa->pa_period = manager / 3;
	if (pa->pa_period == 0)
		pa->pa_period = 1;
	pa->pa_watch = evtimer_new(proc_base(), watch_turn, pa);
	if (pa->pa_watch == NULL)
		fatalx("watch_start: out of memory");
	watch_arm(pa);
}

static void
watch_arm(struct parent *pa)
{
	struct timeval	 tv = monotime_timeval(pa->pa_period);

	pa->pa_watched = monotime_now();
	if (evtimer_add(pa->pa_watch, &tv) == -1)
		fatalx("watch_arm: out of memory");
}

void
watch_reset(struct child *ch)
{
	ch->ch_ping = 0;
	ch->ch_missed = 0;
	ch->ch_answered = ch->ch_spared = ch->ch_hung = false;
}

static void
watch_turn(evutil_socket_t fd, short what, void *arg)
{
	struct parent	*pa = arg;
	struct child	*ch;
	size_t		 i;
	bool		 late;

	(void)fd;
	(void)what;
	/* The end has deadlines of its own. */
	if (pa->pa_stopping)
		return;
	(void)sdnotify_watchdog();
	late = monotime_now() - pa->pa_watched >=
	    (monotime_t)pa->pa_period * 2;
	for (i = 1; i < pa->pa_nchildren && !late; i++) {
		ch = &pa->pa_children[i];
		if (ch->ch_state == CHILD_UP && ch->ch_peer != NULL)
			watch_child(ch);
	}
	watch_arm(pa);
}

static void
watch_child(struct child *ch)
{
	struct parent	*pa = ch->ch_parent;
	unsigned int	 limit = pa->pa_opts.po_watch_msec / pa->pa_period;
	uint32_t	 number;

	if (ch->ch_ping == 0) {
		if (++pa->pa_ping == 0)
			pa->pa_ping = 1;
		ch->ch_ping = pa->pa_ping;
		number = htonl(ch->ch_ping);
		(void)peer_send(ch->ch_peer, IMSG_PROC_PING, 0, -1, &number,
		    sizeof(number));
		return;
	}
	if (!ch->ch_answered)
		limit *= WATCH_FIRST_TIMES;
	/* Once it is killed, only the kernel can help. */
	if (++ch->ch_missed >= limit && ch->ch_why == NULL)
		watch_hung(ch, (unsigned int)((uint64_t)ch->ch_missed *
		    pa->pa_period / 1000));
}

/*
 * Killing one that waits for a disk frees nothing, and kills it when the disk
 * is well again; killing one that is traced takes it from its debugger.
 */
static void
watch_hung(struct child *ch, unsigned int sec)
{
	int	 state = watch_state(ch->ch_pid);

	if (state == 'D' || state == 't') {
		if (!ch->ch_spared)
			log_warnx("%s, pid %d: no answer for %u s, but it %s: "
			    "not killed", ch->ch_row->pr_name,
			    (int)ch->ch_pid, sec, state == 'D' ?
			    "waits for a disk (state D)" :
			    "is traced (state t)");
		ch->ch_spared = true;
		ch->ch_missed = 0;
		return;
	}
	log_warnx("%s, pid %d: hangs: no answer for %u s (state %c), killed",
	    ch->ch_row->pr_name, (int)ch->ch_pid, sec, state);
	ch->ch_hung = true;
	child_kill(ch, "it did not answer");
}

/* The letter of proc(5), stat; '?' when it cannot be read. */
static int
watch_state(pid_t pid)
{
	char	 path[64], buf[256], *p;
	ssize_t	 n;
	int	 fd;

	(void)snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return ('?');
	n = read(fd, buf, sizeof(buf) - 1);
	(void)close(fd);
	if (n <= 0)
		return ('?');
	buf[n] = '\0';
	/* "pid (name) S ...": the name may have brackets of its own. */
	p = strrchr(buf, ')');
	return (p != NULL && p[1] == ' ' && p[2] != '\0' ? p[2] : '?');
}

void
watch_pong(struct child *ch, struct imsg *m)
{
	uint32_t	 number;

	if (ibuf_get_n32(imsg_get_ibuf(m), &number) == -1 ||
	    ibuf_end(imsg_get_ibuf(m)) == -1 || number == 0 ||
	    number != ch->ch_ping) {
		peer_broken(ch->ch_peer, m, "nobody asked");
		return;
	}
	if (!ch->ch_answered)
		log_debug("%s, pid %d: answers", ch->ch_row->pr_name,
		    (int)ch->ch_pid);
	if (ch->ch_spared)
		log_info("%s, pid %d: answers again", ch->ch_row->pr_name,
		    (int)ch->ch_pid);
	ch->ch_ping = 0;
	ch->ch_missed = 0;
	ch->ch_answered = true;
	ch->ch_spared = false;
}
