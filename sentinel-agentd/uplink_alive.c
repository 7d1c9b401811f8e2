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

#include "uplink.h"

#include <stdlib.h>

#include "log.h"
#include "tcpalive.h"

/*
 * Is the server of a session still there?  One of ours is asked by HTTP/2
 * PING, which also finds a process that hangs.  A foreign one would take
 * frequent PINGs for abuse: there silence on the wire has to do, since the
 * kernel's probes are answered by any machine that is up.
 */
static void	 on_ping(int, short, void *);
static void	 on_pong(struct grpc_conn *, int, void *);
static void	 on_silence(int, short, void *);
static void	 arm(struct event *, unsigned int);
static void	 arm_ping(struct attempt *);
static void	 lost(struct attempt *);

void
alive_begin(struct attempt *at)
{
	if ((at->at_silence = evtimer_new(proc_base(), on_silence, at)) ==
	    NULL ||
	    (at->at_ping = evtimer_new(proc_base(), on_ping, at)) == NULL)
		fatal("alive_begin");
	on_silence(-1, 0, at);
	if (at->at_is_ours)
		arm_ping(at);
}

void
alive_clear(struct attempt *at)
{
	if (at->at_ping != NULL)
		event_free(at->at_ping);
	if (at->at_silence != NULL)
		event_free(at->at_silence);
	at->at_ping = at->at_silence = NULL;
}

static void
arm(struct event *ev, unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	if (evtimer_add(ev, &tv) == -1)
		fatal("uplink: timer");
}

/* Agents that came back together shall not ask together. */
static void
arm_ping(struct attempt *at)
{
	unsigned int	 msec = uplink_ping_msec();

	arm(at->at_ping, msec - arc4random_uniform(msec / 5 + 1));
}

static void
lost(struct attempt *at)
{
	attempt_end(at, CAUSE(NETWORK), 0, "%s: connection timed out: no sign "
	    "of the server for %u s", at->at_server,
	    uplink_silence_msec() / 1000);
}

static void
on_ping(int fd, short what, void *arg)
{
	struct attempt	*at = arg;

	(void)fd;
	(void)what;
	if (at->at_conn != NULL)
		(void)grpc_conn_ping(at->at_conn, uplink_silence_msec() -
		    uplink_ping_msec(), on_pong, at);
}

static void
on_pong(struct grpc_conn *conn, int rtt, void *arg)
{
	struct attempt	*at = arg;

	(void)conn;
	if (at->at_ended || at->at_ping == NULL)
		return;
	if (rtt == -1)
		lost(at);
	else
		arm_ping(at);
}

/* Runs when the time could be over, and again when it is not. */
static void
on_silence(int fd, short what, void *arg)
{
	struct attempt	*at = arg;
	unsigned int	 limit = uplink_silence_msec(), silence;
	int		 msec;

	(void)fd;
	(void)what;
	if (at->at_conn == NULL || at->at_ended)
		return;
	msec = tcpalive_silence(stream_fd(grpc_conn_stream(at->at_conn)));
	if (msec == -1)
		return;		/* TCP_USER_TIMEOUT remains */
	silence = (unsigned int)msec;
	if (silence >= limit)
		lost(at);
	else
		arm(at->at_silence, limit - silence);
}
