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

#include "listener.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* A dead peer is noticed in idle + count * interval or the user timeout. */
#define LISTENER_KEEPIDLE_SEC		15
#define LISTENER_KEEPINTVL_SEC		5
#define LISTENER_KEEPCNT		4
#define LISTENER_USER_TIMEOUT_MSEC	20000

static int	 set_tcp_options(int);
static int	 clear_stale(const char *, const struct sockaddr_un *, char *,
		    size_t);

static int
set_tcp_options(int fd)
{
	const struct { int level, name, value; } opts[] = {
		{ SOL_SOCKET, SO_REUSEADDR, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, LISTENER_KEEPIDLE_SEC },
		{ IPPROTO_TCP, TCP_KEEPINTVL, LISTENER_KEEPINTVL_SEC },
		{ IPPROTO_TCP, TCP_KEEPCNT, LISTENER_KEEPCNT },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, LISTENER_USER_TIMEOUT_MSEC },
	};
	size_t	 i;

	for (i = 0; i < nitems(opts); i++) {
		if (setsockopt(fd, opts[i].level, opts[i].name,
		    &opts[i].value, sizeof(opts[i].value)) == -1)
			return (-1);
	}
	return (0);
}

int
listener_tcp(const char *host, uint16_t port, char *err, size_t errlen)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	struct sockaddr_in6	 sin6 = { .sin6_family = AF_INET6 };
	const struct sockaddr	*sa = (const struct sockaddr *)&sin;
	socklen_t		 len = sizeof(sin);
	int			 fd, off = 0;

	sin.sin_port = sin6.sin6_port = htons(port);
	if (inet_pton(AF_INET, host, &sin.sin_addr) != 1) {
		if (inet_pton(AF_INET6, host, &sin6.sin6_addr) != 1) {
			snprintf(err, errlen, "%s: not an address", host);
			return (-1);
		}
		sa = (const struct sockaddr *)&sin6;
		len = sizeof(sin6);
	}
	fd = socket(sa->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC,
	    0);
	if (fd == -1)
		goto fail;
	if (sa->sa_family == AF_INET6 && setsockopt(fd, IPPROTO_IPV6,
	    IPV6_V6ONLY, &off, sizeof(off)) == -1)
		goto fail;
	if (set_tcp_options(fd) == -1 || bind(fd, sa, len) == -1 ||
	    listen(fd, LISTENER_BACKLOG) == -1)
		goto fail;
	return (fd);
 fail:
	snprintf(err, errlen, "listen on %s%s%s:%u: %s%s",
	    len == sizeof(sin6) ? "[" : "", host,
	    len == sizeof(sin6) ? "]" : "", port, strerror(errno),
	    errno == EADDRINUSE ? "; another program has the port: stop it, "
	    "or set another one in cluster.listen" : "");
	if (fd != -1)
		close(fd);
	return (-1);
}

static int
clear_stale(const char *path, const struct sockaddr_un *sun, char *err,
    size_t errlen)
{
	struct stat	 st;
	int		 fd, rc, saved;

	if (lstat(path, &st) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (!S_ISSOCK(st.st_mode)) {
		snprintf(err, errlen, "%s: is there and is not a socket; "
		    "remove it or set another path", path);
		return (-1);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd == -1)
		return (-1);
	rc = connect(fd, (const struct sockaddr *)sun, sizeof(*sun));
	saved = errno;
	close(fd);
	errno = saved;
	if (rc == 0 || errno == EAGAIN) {
		snprintf(err, errlen, "%s: another daemon answers there; stop "
		    "it, or set another path", path);
		return (-1);
	}
	/* Only a refusal says that nobody listens. */
	return (errno == ECONNREFUSED ? unlink(path) : -1);
}

int
listener_unix(const char *path, mode_t mode, char *err, size_t errlen)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	mode_t			 old;
	int			 fd = -1, rc;

	err[0] = '\0';
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		snprintf(err, errlen, "%s: longer than %zu bytes; set a "
		    "shorter path", path, sizeof(sun.sun_path) - 1);
		return (-1);
	}
	if (clear_stale(path, &sun, err, errlen) == -1)
		goto fail;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd == -1)
		goto fail;
	old = umask(0777 & ~mode);	/* no moment with a wider mode */
	rc = bind(fd, (const struct sockaddr *)&sun, sizeof(sun));
	umask(old);
	if (rc == -1 || listen(fd, LISTENER_BACKLOG) == -1)
		goto fail;
	return (fd);
 fail:
	if (err[0] == '\0')
		snprintf(err, errlen, "%s: %s", path, strerror(errno));
	if (fd != -1)
		close(fd);
	return (-1);
}
