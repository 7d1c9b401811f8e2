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

/* What a Docker Engine may answer: one request, whatever comes back. */
#include "compat.h"

#include <sys/socket.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/event.h>

#include "http.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

#define MAXBODY	4096

static int	 ndone;
static size_t	 body;

static int
on_data(void *arg, const uint8_t *p, size_t len)
{
	(void)arg;
	(void)p;
	body += len;
	if (body > MAXBODY)
		abort();
	return (0);
}

static void
on_done(void *arg, enum http_end end, const char *what)
{
	(void)arg;
	if (what == NULL || (end != HTTP_DONE && what[0] == '\0'))
		abort();
	ndone++;
}

static void
on_closed(void *arg, struct http_conn *hc)
{
	(void)arg;
	if (http_conn_usable(hc))
		abort();
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request	 hr = {
		.hr_method = "GET", .hr_path = "/", .hr_maxbody = MAXBODY,
		.hr_data = on_data, .hr_done = on_done
	};
	static const char	 status[] = "HTTP/1.1 200 OK\r\nTransfer-"
				    "Encoding: chunked\r\n";
	struct event_base	*base;
	struct http_conn	*hc;
	char			 drop[256];
	int			 sv[2], i;

	(void)signal(SIGPIPE, SIG_IGN);
	if (size == 0 || size > 16384 ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, sv) == -1)
		return (0);
	base = event_base_new();
	if ((hc = http_conn_new(base, sv[0], on_closed, NULL)) == NULL)
		abort();
	if (data[0] & 1)
		hr.hr_method = "HEAD";
	ndone = 0;
	body = 0;
	if (http_request(hc, &hr) == -1)
		abort();
	event_base_loop(base, EVLOOP_NONBLOCK);
	/* Unread bytes would turn the close into a reset. */
	(void)read(sv[1], drop, sizeof(drop));
	/* Half of the runs begin behind what is hard to guess. */
	if (((data[0] & 2) != 0 && write(sv[1], status, strlen(status)) == -1)
	    || write(sv[1], data + 1, size - 1) == -1)
		abort();
	event_base_loop(base, EVLOOP_NONBLOCK);
	close(sv[1]);
	for (i = 0; i < 20 && ndone == 0; i++)
		event_base_loop(base, EVLOOP_NONBLOCK);
	if (ndone != 1)
		abort();
	http_conn_free(hc);
	event_base_free(base);
	return (0);
}
