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

#include "controlsock.h"

#include <unistd.h>

#include "listener.h"
#include "log.h"

static struct {
	const char	*key;		/* of the configuration */
	mode_t		 mode;
	const char	*path;		/* NULL: not configured */
	int		 fd;		/* until handed over */
} sockets[] = {
	{ "control",	CONTROLSOCK_MODE,	NULL, -1 },
	{ "control_ro",	CONTROLSOCK_RO_MODE,	NULL, -1 },
};

void
controlsock_bind(const char *path, const char *path_ro)
{
	char	 err[512];
	size_t	 i;

	sockets[0].path = path;
	sockets[1].path = path_ro;
	for (i = 0; i < nitems(sockets); i++) {
		if (sockets[i].path != NULL && (sockets[i].fd = listener_unix(
		    sockets[i].path, sockets[i].mode, err, sizeof(err))) == -1)
			fatalx("%s: %s", sockets[i].key, err);
	}
}

void
controlsock_send(struct peer *p)
{
	uint8_t	 i;

	for (i = 0; i < nitems(sockets); i++) {
		if (sockets[i].fd != -1)
			peer_send(p, IMSG_CONF_LISTEN, 0, sockets[i].fd, &i,
			    sizeof(i));
		sockets[i].fd = -1;
	}
}

void
controlsock_remove(void)
{
	size_t	 i;

	for (i = 0; i < nitems(sockets); i++) {
		if (sockets[i].path != NULL)
			(void)unlink(sockets[i].path);
	}
}
