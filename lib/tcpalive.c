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

#include "tcpalive.h"

#include <sys/socket.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "log.h"

#define SET_IDLE_PART	3		/* of the limit, until a probe */
#define SET_INTVL_PART	8		/* between two probes */

static int
seconds(unsigned int msec)
{
	return (msec < 1000 ? 1 : (int)(msec / 1000));
}

void
tcpalive_set(int fd, unsigned int limit)
{
	const struct {
		int	 level, name, value;
	} opts[] = {
		{ IPPROTO_TCP, TCP_NODELAY, 1 },
		{ SOL_SOCKET, SO_KEEPALIVE, 1 },
		{ IPPROTO_TCP, TCP_KEEPIDLE, seconds(limit / SET_IDLE_PART) },
		{ IPPROTO_TCP, TCP_KEEPINTVL,
		    seconds(limit / SET_INTVL_PART) },
		{ IPPROTO_TCP, TCP_KEEPCNT, TCPALIVE_PROBES },
		{ IPPROTO_TCP, TCP_USER_TIMEOUT, (int)limit },
	};
	size_t	 i;

	for (i = 0; i < nitems(opts); i++) {
		if (setsockopt(fd, opts[i].level, opts[i].name,
		    &opts[i].value, sizeof(opts[i].value)) == -1)
			log_debug("setsockopt %d: %s", opts[i].name,
			    strerror(errno));
	}
}

int
tcpalive_silence(int fd)
{
	struct tcp_info	 ti;
	socklen_t	 len = sizeof(ti);
	uint32_t	 msec;

	memset(&ti, 0, sizeof(ti));
	if (getsockopt(fd, IPPROTO_TCP, TCP_INFO, &ti, &len) == -1 ||
	    len < offsetof(struct tcp_info, tcpi_last_ack_recv) +
	    sizeof(ti.tcpi_last_ack_recv))
		return (-1);
	/* Data may come without a new acknowledgement. */
	msec = ti.tcpi_last_ack_recv < ti.tcpi_last_data_recv ?
	    ti.tcpi_last_ack_recv : ti.tcpi_last_data_recv;
	return (msec > INT_MAX ? INT_MAX : (int)msec);
}
