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
#include <sys/un.h>

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sdnotify.h"
#include "utf8.h"

#define SDNOTIFY_STATUS_MAXBYTES	256

static int	 sdnotify_address(const char *);
static int	 sdnotify_send(const char *);
static void	 sdnotify_take_watchdog(void);

static struct sockaddr_un	 manager;
static socklen_t		 manager_len;
static int			 notify_fd = -1;
static unsigned int		 watchdog_msec;

/* The socket is made now: a confined parent could not make it later. */
int
sdnotify_init(void)
{
	const char	*path;
	int		 r;

	sdnotify_close();
	sdnotify_take_watchdog();
	if ((path = getenv("NOTIFY_SOCKET")) == NULL)
		return (0);
	r = sdnotify_address(path);
	(void)unsetenv("NOTIFY_SOCKET");
	if (r == -1)
		return (-1);
	notify_fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	return (notify_fd == -1 ? -1 : 0);
}

/* sd_watchdog_enabled(3): microseconds, and for whom. */
static void
sdnotify_take_watchdog(void)
{
	const char	*usec = getenv("WATCHDOG_USEC");
	const char	*pid = getenv("WATCHDOG_PID"), *err;
	long long	 n;

	watchdog_msec = 0;
	if (usec != NULL && (pid == NULL ||
	    strtonum(pid, 1, INT_MAX, &err) == (long long)getpid())) {
		n = strtonum(usec, 1000, (long long)UINT_MAX * 1000, &err);
		if (err == NULL)
			watchdog_msec = (unsigned int)(n / 1000);
	}
	(void)unsetenv("WATCHDOG_USEC");
	(void)unsetenv("WATCHDOG_PID");
}

unsigned int
sdnotify_watchdog_msec(void)
{
	return (notify_fd == -1 ? 0 : watchdog_msec);
}

int
sdnotify_watchdog(void)
{
	return (sdnotify_watchdog_msec() == 0 ? 0 :
	    sdnotify_send("WATCHDOG=1"));
}

static int
sdnotify_address(const char *path)
{
	size_t	 len = strlen(path);

	if ((path[0] != '/' && path[0] != '@') || len < 2 ||
	    len >= sizeof(manager.sun_path)) {
		errno = EINVAL;
		return (-1);
	}
	memset(&manager, 0, sizeof(manager));
	manager.sun_family = AF_UNIX;
	memcpy(manager.sun_path, path, len);
	manager_len = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + len);
	if (path[0] == '@')
		manager.sun_path[0] = '\0';	/* abstract: no NUL at end */
	else
		manager_len++;
	return (0);
}

void
sdnotify_close(void)
{
	if (notify_fd != -1)
		(void)close(notify_fd);
	notify_fd = -1;
}

int
sdnotify_ready(void)
{
	return (sdnotify_send("READY=1"));
}

int
sdnotify_stopping(void)
{
	return (sdnotify_send("STOPPING=1"));
}

int
sdnotify_reloading(void)
{
	struct timespec	 ts;
	char		 text[64];

	if (clock_gettime(CLOCK_MONOTONIC, &ts) == -1)
		return (-1);
	(void)snprintf(text, sizeof(text),
	    "RELOADING=1\nMONOTONIC_USEC=%" PRIu64,
	    (uint64_t)ts.tv_sec * 1000000 + (uint64_t)ts.tv_nsec / 1000);
	return (sdnotify_send(text));
}

int
sdnotify_status(const char *fmt, ...)
{
	char	 raw[SDNOTIFY_STATUS_MAXBYTES + 1], text[sizeof(raw) + 8];
	char	*p;
	va_list	 ap;
	size_t	 len;
	int	 n;

	va_start(ap, fmt);
	n = vsnprintf(raw, sizeof(raw), fmt, ap);
	va_end(ap);
	if (n < 0)
		return (-1);
	len = strlcpy(text, "STATUS=", sizeof(text));
	/* systemd drops what is not UTF-8; a cut may have made it so. */
	(void)utf8_repair(text + len, sizeof(text) - len, raw, strlen(raw));
	/* A second line would be a second assignment. */
	for (p = text; *p != '\0'; p++) {
		if (*p == '\n' || *p == '\r')
			*p = ' ';
	}
	return (sdnotify_send(text));
}

static int
sdnotify_send(const char *text)
{
	size_t	 len = strlen(text);
	ssize_t	 n;

	if (notify_fd == -1)
		return (0);
	do {
		n = sendto(notify_fd, text, len, MSG_DONTWAIT | MSG_NOSIGNAL,
		    (struct sockaddr *)&manager, manager_len);
	} while (n == -1 && errno == EINTR);
	return (n == -1 ? -1 : 0);
}
