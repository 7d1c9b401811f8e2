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

#ifndef WIRE_FUZZ_H
#define WIRE_FUZZ_H

/*
 * One grpc connection over a socket pair whose far end is the fuzzer.  Bytes
 * go in, whatever comes out is dropped, the end must always come.
 */
#include "compat.h"

#include <sys/socket.h>

#include <event2/event.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "grpc.h"

#define FUZZ_MAXBYTES	(128 * 1024)
#define FUZZ_TURNS	1000

static struct event_base	*fz_base;
static struct grpc_conn		*fz_conn;
static int			 fz_calls;	/* opened and not closed */
static bool			 fz_ended;

static const struct grpc_method	 fz_methods[] = {
	{ "/t.S/Unary", 1000, true },
	{ "/t.S/Channel", 100000, false },
	{ NULL, 0, false }
};
static const struct stream_ops	 fz_no_ops;

static void
fz_conn_closed(struct grpc_conn *conn, enum stream_end end, const char *text,
    void *arg)
{
	(void)conn;
	(void)end;
	(void)arg;
	/* Every call was closed first, and there are words for the log. */
	if (fz_ended || fz_calls != 0 || *text == '\0')
		abort();
	fz_ended = true;
	fz_conn = NULL;
}

/* Returns the far end. */
static int
fz_open(struct stream **s)
{
	int		 fd[2], size = 2 * FUZZ_MAXBYTES;

	if (fz_base == NULL) {
		(void)signal(SIGPIPE, SIG_IGN);
		fz_base = event_base_new();
	}
	fz_ended = false;
	fz_calls = 0;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == -1)
		abort();
	(void)setsockopt(fd[1], SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	(void)fcntl(fd[1], F_SETFL, O_NONBLOCK);
	if ((*s = stream_new(fz_base, fd[0], NULL, &fz_no_ops, NULL)) == NULL)
		abort();
	return (fd[1]);
}

static void
fz_feed(int fd, const uint8_t *data, size_t len)
{
	uint8_t		 sink[4096];
	ssize_t		 n;
	int		 i;

	for (i = 0; i < FUZZ_TURNS && !fz_ended; i++) {
		if (len > 0 && (n = write(fd, data, len)) > 0) {
			data += n;
			len -= (size_t)n;
		}
		if (len == 0)
			(void)shutdown(fd, SHUT_WR);
		(void)event_base_loop(fz_base, EVLOOP_NONBLOCK);
		while (read(fd, sink, sizeof(sink)) > 0)
			continue;
	}
	if (!fz_ended)
		abort();
	(void)close(fd);
	/* The farewell. */
	for (i = 0; i < 4; i++)
		(void)event_base_loop(fz_base, EVLOOP_NONBLOCK);
}

#endif /* WIRE_FUZZ_H */
