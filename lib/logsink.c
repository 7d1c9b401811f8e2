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
#include <sys/stat.h>

#include <errno.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <time.h>
#include <unistd.h>

#include "log.h"
#include "logsink.h"
#include "monotime.h"
#include "utf8.h"
#include "xmalloc.h"

#define LOGSINK_WAKE_LINES	32	/* datagrams per wake-up */
#define LOGSINK_DRAIN_LINES	1024	/* of a dead child */
/* Read this many more over the limit, then leave the socket alone. */
#define LOGSINK_DEAF_LINES	(10 * LOGSINK_RATE_LINES)
/* A pipe that poll(2) calls writable takes PIPE_BUF bytes without blocking. */
#define LOGSINK_OUT_MAXBYTES	4096
#define LOGSINK_VIS_MAXBYTES	(LOGSINK_OUT_MAXBYTES - 128)

struct source {
	int			 ls_id;		/* 0: the parent itself */
	const char		*ls_name;
	TAILQ_ENTRY(source)	 ls_entry;
	int			 ls_fd;		/* owned, or -1 */
	struct event		*ls_rev;
	struct event		*ls_timer;	/* end of a window over limit */
	monotime_t		 ls_window;	/* start */
	unsigned int		 ls_lines;	/* in the window */
	unsigned int		 ls_suppressed;	/* of these */
	int			 ls_lastpri;	/* the one suppressed last */
	size_t			 ls_lastlen;
	char			 ls_last[LOG_LINE_MAXBYTES];
};

TAILQ_HEAD(source_list, source);

static struct logsink {
	struct event_base	*sk_base;
	enum logsink_out	 sk_out;
	bool			 sk_journal;
	int			 sk_nextid;
	unsigned int		 sk_lost;	/* stderr was not read */
	struct source_list	 sk_sources;
	struct source		*sk_self;
} *sink;

static const char *const levels[] = {
	"emerg", "alert", "crit", "err", "warn", "notice", "info", "debug"
};

static void	 logsink_own(int, const char *, size_t);
static void	 logsink_read(evutil_socket_t, short, void *);
static bool	 logsink_is_journal(void);
static struct source *source_new(const char *, int);
static void	 source_free(struct source *);
static int	 source_recv(struct source *);
static void	 source_line(struct source *, int, const char *, size_t);
static void	 source_suppress(struct source *, int, const char *, size_t);
static void	 source_window_end(struct source *);
static void	 source_timer(evutil_socket_t, short, void *);
static void	 sink_write(int, const char *, const char *, size_t);
static void	 sink_stderr(int, const char *, const char *);

void
logsink_open(struct event_base *base, const char *ident, enum logsink_out out)
{
	sink = xcalloc(1, sizeof(*sink));
	sink->sk_base = base;
	sink->sk_out = out;
	sink->sk_journal = out == LOGSINK_STDERR && logsink_is_journal();
	TAILQ_INIT(&sink->sk_sources);
	tzset();	/* reads a file: not after confinement */
	if (out == LOGSINK_SYSLOG)
		openlog(ident, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	sink->sk_self = source_new(log_procname(), -1);
	if (sink->sk_self == NULL)
		fatal("logsink_open");
	log_setsink(logsink_own);
}

void
logsink_syslog(const char *ident)
{
	openlog(ident, LOG_PID | LOG_NDELAY, LOG_DAEMON);
	sink->sk_out = LOGSINK_SYSLOG;
}

void
logsink_close(void)
{
	struct source	*ls;

	if (sink == NULL)
		return;
	log_setsink(NULL);
	while ((ls = TAILQ_FIRST(&sink->sk_sources)) != NULL)
		source_free(ls);
	if (sink->sk_out == LOGSINK_SYSLOG)
		closelog();
	free(sink);
	sink = NULL;
}

int
logsink_add(const char *name, int fd)
{
	struct source	*ls;

	if ((ls = source_new(name, fd)) == NULL) {
		(void)close(fd);
		errno = ENOMEM;
		return (-1);
	}
	return (ls->ls_id);
}

void
logsink_remove(int id)
{
	struct source	*ls, *next;

	if (sink == NULL)
		return;
	TAILQ_FOREACH_SAFE(ls, &sink->sk_sources, ls_entry, next) {
		if (ls->ls_id == id && ls != sink->sk_self)
			source_free(ls);
	}
}

/* journald tells a stream of its own by device and inode (systemd.exec(5)). */
static bool
logsink_is_journal(void)
{
	const char	*s;
	struct stat	 st;
	uintmax_t	 dev, ino;
	char		 end;

	if ((s = getenv("JOURNAL_STREAM")) == NULL ||
	    sscanf(s, "%ju:%ju%c", &dev, &ino, &end) != 2 ||
	    fstat(STDERR_FILENO, &st) == -1)
		return (false);
	return (st.st_dev == dev && st.st_ino == ino);
}

/* NULL with fd still the caller's when out of memory. */
static struct source *
source_new(const char *name, int fd)
{
	struct source	*ls;

	ls = xcalloc(1, sizeof(*ls));
	ls->ls_name = name;
	ls->ls_window = monotime_now();
	ls->ls_timer = evtimer_new(sink->sk_base, source_timer, ls);
	if (fd != -1)
		ls->ls_rev = event_new(sink->sk_base, fd, EV_READ | EV_PERSIST,
		    logsink_read, ls);
	if (ls->ls_timer == NULL || (fd != -1 && (ls->ls_rev == NULL ||
	    event_add(ls->ls_rev, NULL) == -1))) {
		if (ls->ls_timer != NULL)
			event_free(ls->ls_timer);
		if (ls->ls_rev != NULL)
			event_free(ls->ls_rev);
		free(ls);
		return (NULL);
	}
	ls->ls_fd = fd;
	ls->ls_id = sink->sk_nextid++;
	TAILQ_INSERT_TAIL(&sink->sk_sources, ls, ls_entry);
	return (ls);
}

/*
 * The last line of a process is the one that says why it died: it is written
 * even when the limit held it back.
 */
static void
source_free(struct source *ls)
{
	int	 i;

	if (ls->ls_fd != -1) {
		for (i = 0; i < LOGSINK_DRAIN_LINES; i++) {
			if (source_recv(ls) != 1)
				break;
		}
		event_free(ls->ls_rev);
		(void)close(ls->ls_fd);
	}
	if (ls->ls_suppressed > 0) {
		ls->ls_suppressed--;
		source_window_end(ls);
		sink_write(ls->ls_lastpri, ls->ls_name, ls->ls_last,
		    ls->ls_lastlen);
	}
	event_free(ls->ls_timer);
	TAILQ_REMOVE(&sink->sk_sources, ls, ls_entry);
	free(ls);
}

static void
logsink_read(evutil_socket_t fd, short what, void *arg)
{
	struct source	*ls = arg;
	int		 i;

	(void)fd;
	(void)what;
	for (i = 0; i < LOGSINK_WAKE_LINES; i++) {
		if (source_recv(ls) != 1)
			return;
	}
}

/*
 * One datagram: 1, 0 none there, -1 the socket is of no more use.  Descriptors
 * that a hostile child sends along are dropped by recv(2), which has no place
 * for them.
 */
static int
source_recv(struct source *ls)
{
	char		 line[LOG_LINE_MAXBYTES], *text = line;
	ssize_t		 n;
	int		 pri = LOG_WARNING;

	do {
		n = recv(ls->ls_fd, line, sizeof(line), MSG_DONTWAIT);
	} while (n == -1 && errno == EINTR);
	if (n == -1) {
		if (errno == EAGAIN || errno == EWOULDBLOCK)
			return (0);
		(void)event_del(ls->ls_rev);
		return (-1);
	}
	/* What libc writes to stderr has no priority, and ends a line. */
	if (n > 0 && line[0] >= LOG_EMERG && line[0] <= LOG_DEBUG) {
		/* Above that, syslog would tell every terminal. */
		pri = line[0] < LOG_CRIT ? LOG_CRIT : line[0];
		text++;
	} else if (n > 0 && line[n - 1] == '\n')
		n--;
	source_line(ls, pri, text, (size_t)(line + n - text));
	return (1);
}

/* The parent's own lines; its last words pass whatever came before. */
static void
logsink_own(int pri, const char *text, size_t len)
{
	if (pri <= LOG_CRIT)
		sink_write(pri, log_procname(), text, len);
	else
		source_line(sink->sk_self, pri, text, len);
}

static void
source_line(struct source *ls, int pri, const char *text, size_t len)
{
	monotime_t	 now = monotime_now();

	if (now - ls->ls_window >= LOGSINK_RATE_MSEC) {
		source_window_end(ls);
		ls->ls_window = now;
	}
	ls->ls_lines++;
	if (ls->ls_lines > LOGSINK_RATE_LINES)
		source_suppress(ls, pri, text, len);
	else
		sink_write(pri, ls->ls_name, text, len);
}

static void
source_suppress(struct source *ls, int pri, const char *text, size_t len)
{
	struct timeval	 tv;
	monotime_t	 left;

	if (len > sizeof(ls->ls_last))
		len = sizeof(ls->ls_last);
	memcpy(ls->ls_last, text, len);
	ls->ls_lastlen = len;
	ls->ls_lastpri = pri;
	if (ls->ls_suppressed++ == 0) {
		left = ls->ls_window + LOGSINK_RATE_MSEC - monotime_now();
		tv = monotime_timeval(left > 0 ? (uint64_t)left : 0);
		(void)evtimer_add(ls->ls_timer, &tv);
	}
	/* A child that floods waits in its own socket, where it loses lines. */
	if (ls->ls_suppressed >= LOGSINK_DEAF_LINES && ls->ls_rev != NULL)
		(void)event_del(ls->ls_rev);
}

static void
source_timer(evutil_socket_t fd, short what, void *arg)
{
	struct source	*ls = arg;

	(void)fd;
	(void)what;
	source_window_end(ls);
	ls->ls_window = monotime_now();
}

static void
source_window_end(struct source *ls)
{
	char	 text[64];
	int	 n;

	if (ls->ls_suppressed > 0) {
		n = snprintf(text, sizeof(text), "suppressed %u lines",
		    ls->ls_suppressed);
		sink_write(LOG_WARNING, ls->ls_name, text, (size_t)n);
		if (ls->ls_suppressed >= LOGSINK_DEAF_LINES &&
		    ls->ls_rev != NULL)
			(void)event_add(ls->ls_rev, NULL);
	}
	ls->ls_lines = ls->ls_suppressed = 0;
	(void)evtimer_del(ls->ls_timer);
}

static void
sink_write(int pri, const char *name, const char *text, size_t len)
{
	char	 vis[LOGSINK_VIS_MAXBYTES];

	(void)utf8_vis(vis, sizeof(vis), text, len);
	if (sink->sk_out == LOGSINK_SYSLOG)
		syslog(pri, "%s: %s", name, vis);
	else
		sink_stderr(pri, name, vis);
}

/* Never waits for whoever reads our stderr: the line is lost and counted. */
static void
sink_stderr(int pri, const char *name, const char *vis)
{
	struct pollfd	 pfd;
	struct tm	 tm;
	char		 out[LOGSINK_OUT_MAXBYTES], prefix[40] = "";
	time_t		 now;
	int		 n;

	pfd.fd = STDERR_FILENO;
	pfd.events = POLLOUT;
	if (poll(&pfd, 1, 0) != 1) {
		sink->sk_lost++;
		return;
	}
	if (sink->sk_journal)
		(void)snprintf(prefix, sizeof(prefix), "<%d>", pri);
	else if (time(&now) != -1 && localtime_r(&now, &tm) != NULL) {
		n = (int)strftime(prefix, sizeof(prefix), "%F %T ", &tm);
		(void)snprintf(prefix + n, sizeof(prefix) - (size_t)n, "%s ",
		    levels[pri]);
	}
	n = snprintf(out, sizeof(out), "%s%.40s: %s\n", prefix, name, vis);
	(void)!write(STDERR_FILENO, out, (size_t)n);
	if (sink->sk_lost > 0) {
		n = snprintf(out, sizeof(out), "%slog: %u lines were lost: "
		    "standard error was not read\n", prefix, sink->sk_lost);
		sink->sk_lost = 0;
		(void)!write(STDERR_FILENO, out, (size_t)n);
	}
}
