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

#include "dockersock.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "monotime.h"

static int	 connect_docker(char *, size_t);
static bool	 take_token(void);

static const char	*docker_path;
static monotime_t	 refilled;
static unsigned int	 tokens = DOCKERSOCK_BURST;

void
dockersock_init(const char *path)
{
	docker_path = path;
	refilled = monotime_now();
}

/* A taken-over docker process must not drain the descriptors of Docker. */
static bool
take_token(void)
{
	monotime_t	 now = monotime_now();
	uint64_t	 more;

	more = (uint64_t)(now - refilled) * DOCKERSOCK_RATE / 1000;
	if (more > 0) {
		tokens = tokens + more > DOCKERSOCK_BURST ? DOCKERSOCK_BURST :
		    tokens + (unsigned int)more;
		refilled = now;
	}
	if (tokens == 0)
		return (false);
	tokens--;
	return (true);
}

static int
connect_docker(char *why, size_t len)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	int			 fd, saved;

	if (docker_path == NULL) {
		snprintf(why, len, "no Docker socket is configured");
		errno = ENOTSUP;
		return (-1);
	}
	if (!take_token()) {
		snprintf(why, len, "too many Docker connections asked for");
		errno = EAGAIN;
		return (-1);
	}
	if (strlcpy(sun.sun_path, docker_path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path)) {
		snprintf(why, len, "%s: path too long", docker_path);
		errno = ENAMETOOLONG;
		return (-1);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	/* A UNIX connect does not wait: it is done, refused, or EAGAIN. */
	if (fd != -1 &&
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == 0)
		return (fd);
	saved = errno;
	snprintf(why, len, "%s: %s%s", docker_path, strerror(saved),
	    saved == ENOENT || saved == ECONNREFUSED ?
	    "; is the Docker Engine running?" : "");
	if (fd != -1)
		close(fd);
	errno = saved;
	return (-1);
}

void
dockersock_ask(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf;
	char		 why[512];
	int		 fd, saved;

	/* One that asks and does not read would have us hold them all. */
	if (imsgbuf_queuelen(&p->pe_ibuf) > DOCKERSOCK_BURST) {
		peer_broken(p, imsg, "does not read the answers");
		return;
	}
	if ((fd = connect_docker(why, sizeof(why))) != -1) {
		peer_send(p, IMSG_DOCKER_SOCK, imsg_get_id(imsg), fd, NULL, 0);
		return;
	}
	saved = errno;
	if ((buf = ibuf_dynamic(64, 600)) == NULL ||
	    ibuf_add_n32(buf, (uint32_t)saved) == -1 ||
	    ibuf_add_string(buf, why) == -1)
		fatal("dockersock_ask");
	peer_send_ibuf(p, IMSG_DOCKER_SOCK_FAIL, imsg_get_id(imsg), -1, buf);
	ibuf_free(buf);
}
