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
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include "log.h"
#include "utf8.h"

/* How long a dying process waits for room for its last line. */
#define LOG_FATAL_MSEC	200
#define LOG_ELLIPSIS	"..."

static void	 log_line(int, bool, int, const char *, va_list)
		    __attribute__((__format__(__printf__, 4, 0)));
static size_t	 log_format(char *, size_t, int, const char *, va_list)
		    __attribute__((__format__(__printf__, 4, 0)));
static void	 log_send(const char *, size_t, bool);
static void	 log_stderr(const char *, size_t);

static const char	*log_name = "sentinel";
static int		 log_fd = -1;
static int		 log_verbose;
static void		(*log_sink)(int, const char *, size_t);

void
log_init(const char *name, int fd)
{
	log_name = name;
	log_fd = fd;
}

void
log_setverbose(int v)
{
	log_verbose = v;
}

int
log_getverbose(void)
{
	return (log_verbose);
}

const char *
log_procname(void)
{
	return (log_name);
}

void
log_setsink(void (*fn)(int, const char *, size_t))
{
	log_sink = fn;
}

void
log_warn(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved_errno = errno;

	va_start(ap, fmt);
	log_line(LOG_WARNING, false, saved_errno, fmt, ap);
	va_end(ap);
	errno = saved_errno;
}

void
log_warnx(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved_errno = errno;

	va_start(ap, fmt);
	log_line(LOG_WARNING, false, 0, fmt, ap);
	va_end(ap);
	errno = saved_errno;
}

void
log_info(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved_errno = errno;

	va_start(ap, fmt);
	log_line(LOG_INFO, false, 0, fmt, ap);
	va_end(ap);
	errno = saved_errno;
}

void
log_debug(const char *fmt, ...)
{
	va_list	 ap;
	int	 saved_errno = errno;

	if (log_verbose < 1)
		return;
	va_start(ap, fmt);
	log_line(LOG_DEBUG, false, 0, fmt, ap);
	va_end(ap);
	errno = saved_errno;
}

void
fatal(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	log_line(LOG_CRIT, true, errno, fmt, ap);
	va_end(ap);
	exit(1);
}

void
fatalx(const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	log_line(LOG_CRIT, true, 0, fmt, ap);
	va_end(ap);
	exit(1);
}

static void
log_line(int pri, bool dying, int error, const char *fmt, va_list ap)
{
	char	 line[LOG_LINE_MAXBYTES + 1];	/* and vsnprintf's NUL */
	size_t	 len;

	line[0] = (char)pri;
	len = log_format(line + 1, sizeof(line) - 1, error, fmt, ap);
	if (log_sink != NULL)
		log_sink(pri, line + 1, len);
	else if (log_fd != -1)
		log_send(line, len + 1, dying);
	else
		log_stderr(line + 1, len);
}

/* Returns the length; a line too long is cut and ends with "...". */
static size_t
log_format(char *buf, size_t size, int error, const char *fmt, va_list ap)
{
	char	 reason[128] = "";
	size_t	 room;
	int	 n;

	/* The reason is what matters most: a long line may not push it out. */
	if (error != 0)
		(void)snprintf(reason, sizeof(reason), ": %s",
		    strerror(error));
	room = size - strlen(reason);
	if ((n = vsnprintf(buf, room, fmt, ap)) < 0)
		n = snprintf(buf, room, "log: line could not be formatted");
	if ((size_t)n >= room) {
		n = (int)(room - sizeof(LOG_ELLIPSIS));
		/* Back to the start of a character. */
		while (n > 0 && ((unsigned char)buf[n] & 0xc0) == 0x80)
			n--;
		memcpy(buf + n, LOG_ELLIPSIS, sizeof(LOG_ELLIPSIS));
		n += (int)strlen(LOG_ELLIPSIS);
	}
	return ((size_t)n + strlcpy(buf + n, reason, size - (size_t)n));
}

/* A parent that does not read loses lines; it never stops its children. */
static void
log_send(const char *line, size_t len, bool dying)
{
	struct pollfd	 pfd;

	if (send(log_fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL) != -1 ||
	    !dying || errno != EAGAIN)
		return;
	pfd.fd = log_fd;
	pfd.events = POLLOUT;
	(void)poll(&pfd, 1, LOG_FATAL_MSEC);
	(void)send(log_fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* One write(2), so that lines of several processes do not mix. */
static void
log_stderr(const char *text, size_t len)
{
	char	 vis[4 * LOG_LINE_MAXBYTES], out[sizeof(vis) + 64];
	int	 n;

	(void)utf8_vis(vis, sizeof(vis), text, len);
	n = snprintf(out, sizeof(out), "%.60s: %s\n", log_name, vis);
	if (n > 0 && (size_t)n < sizeof(out))
		(void)!write(STDERR_FILENO, out, (size_t)n);
}
