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

/*
 * lists SOCKET COUNT: what a full list of containers takes through lib's
 * client, the images' digests included.  Prints how many containers there are
 * and the median in microseconds.
 */
#include "compat.h"

#include <sys/socket.h>
#include <sys/un.h>

#include <err.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "docker_api.h"
#include "log.h"

#define LISTS_MAX	1000

static struct event_base	*base;
static struct docker		*dk;
static const char		*path;
static size_t			 seen;
static double			 took[LISTS_MAX];

static void
need_fd(void *arg)
{
	struct sockaddr_un	 sun = { .sun_family = AF_UNIX };
	int			 fd;

	(void)arg;
	if (strlcpy(sun.sun_path, path, sizeof(sun.sun_path)) >=
	    sizeof(sun.sun_path))
		errx(1, "%s: path too long", path);
	if ((fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)) == -1 ||
	    connect(fd, (struct sockaddr *)&sun, sizeof(sun)) == -1 ||
	    evutil_make_socket_nonblocking(fd) == -1)
		err(1, "%s", path);
	docker_give_fd(dk, fd);
}

static void
on_item(void *arg, const struct docker_container *ct)
{
	(void)arg;
	(void)ct;
	seen++;
}

static void
on_done(void *arg, const char *error)
{
	(void)arg;
	if (error[0] != '\0')
		errx(1, "list: %s", error);
	event_base_loopbreak(base);
}

static double
usec(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3);
}

static int
cmp(const void *a, const void *b)
{
	const double	*x = a, *y = b;

	return (*x < *y ? -1 : *x > *y);
}

int
main(int argc, char **argv)
{
	static const struct docker_list_cbs	 cbs = {
		.lc_item = on_item, .lc_done = on_done
	};
	const char				*errstr;
	size_t					 i, n;
	double					 began;

	if (argc != 3)
		errx(2, "usage: lists socket count");
	path = argv[1];
	n = (size_t)strtonum(argv[2], 1, LISTS_MAX, &errstr);
	if (errstr != NULL)
		errx(2, "count is %s", errstr);
	log_init("lists", STDERR_FILENO);
	if ((base = event_base_new()) == NULL ||
	    (dk = docker_new(base, need_fd, NULL)) == NULL)
		errx(1, "out of memory");
	for (i = 0; i < n; i++) {
		seen = 0;
		began = usec();
		if (docker_list(dk, &cbs, NULL) == -1)
			err(1, "list");
		event_base_dispatch(base);
		took[i] = usec() - began;
	}
	qsort(took, n, sizeof(took[0]), cmp);
	printf("%zu %.0f\n", seen, took[n / 2]);
	docker_free(dk);
	event_base_free(base);
	return (0);
}
