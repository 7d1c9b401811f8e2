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

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl.h"
#include "xmalloc.h"

/*
 * usage: ask control-socket times
 *
 * A command that does nothing (start a container that runs) to one connected
 * host after the other, over the control socket and back; prints the median
 * and the 99th percentile in microseconds.
 */
#define HOSTS_MAX	10000

static char	*hosts[HOSTS_MAX];
static size_t	 nhosts;

static int
on_host(const Sentinel__Ipc__ControlItem *item, void *arg)
{
	(void)arg;
	if (item->item_case == SENTINEL__IPC__CONTROL_ITEM__ITEM_HOST &&
	    item->host->connected && nhosts < HOSTS_MAX)
		hosts[nhosts++] = xstrdup(item->host->id);
	return (0);
}

static int
on_item(const Sentinel__Ipc__ControlItem *item, void *arg)
{
	(void)item;
	(void)arg;
	return (0);
}

static int64_t
usec(void)
{
	struct timespec	 ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000);
}

static int
compare(const void *a, const void *b)
{
	const int64_t	*x = a, *y = b;

	return (*x < *y ? -1 : *x > *y);
}

int
main(int argc, char **argv)
{
	Sentinel__Ipc__ControlRequest	 req;
	char				 container[] = "web", start[] =
					    "start";
	int64_t				*t, begin;
	size_t				 i, times;

	if (argc != 3)
		errx(2, "usage: ask control-socket times");
	(void)signal(SIGPIPE, SIG_IGN);
	times = (size_t)strtonum(argv[2], 1, 1000000, NULL);
	sentinel__ipc__control_request__init(&req);
	req.version = CONTROL_VERSION;
	req.command = SENTINEL__IPC__CONTROL_REQUEST__COMMAND__HOST_LIST;
	if (ctl_ask(argv[1], &req, 30000, on_host, NULL) != CONTROL_OK ||
	    nhosts == 0)
		errx(1, "no connected host");
	req.command =
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_ACTION;
	req.container = container;
	req.action = start;
	t = xcalloc(times, sizeof(*t));
	for (i = 0; i < times; i++) {
		req.host = hosts[i % nhosts];
		begin = usec();
		if (ctl_ask(argv[1], &req, 30000, on_item, NULL) !=
		    CONTROL_OK)
			errx(1, "host %s: no success", req.host);
		t[i] = usec() - begin;
	}
	qsort(t, times, sizeof(*t), compare);
	(void)printf("%lld %lld\n", (long long)t[times / 2],
	    (long long)t[times * 99 / 100]);
	return (0);
}
