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

#ifndef CONTROL_H
#define CONTROL_H

#include "compat.h"

#include "proc.h"

/*
 * The control process of both daemons: clients of the UNIX sockets on one
 * side, the engine on the other.  It checks, counts and routes; it knows no
 * command.  A client sends CONTROL_REQUEST with an id of its choice and gets
 * CONTROL_ITEM messages and one CONTROL_END with that id (imsg_types.def,
 * bodies in proto/ipc.proto).  Towards the engine every request gets an id of
 * ours, so that no client can name another's.  read_only and uid are set here
 * from the socket and getpeereid(3).
 *
 * The listening sockets come as CONF_LISTEN: index 0 read-write, 1 read-only.
 */
#define CONTROL_VERSION		1	/* in every ControlRequest */

#define CONTROL_CLIENTS_MAX	32
#define CONTROL_UID_MAX		8	/* clients of one uid, root excepted */
#define CONTROL_REQUESTS_MAX	8	/* at a time per client */
#define CONTROL_HELLO_MSEC	10000	/* connect to first request */
#define CONTROL_IDLE_MSEC	60000	/* without a request */
#define CONTROL_ASK_MSEC	60000	/* questions */
#define CONTROL_WORK_MSEC	(65 * 60 * 1000) /* actions, since last item */
#define CONTROL_REQUEST_MAXBYTES 16384
/* Unsent bytes that a client may leave before it is closed. */
#define CONTROL_CLIENT_MAXBYTES	(32U * 1024 * 1024)
#define CONTROL_TOTAL_MAXBYTES	(64U * 1024 * 1024)

/* Exit codes of sentinelctl(8), sent in ControlEnd.code. */
enum control_code {
	CONTROL_OK	= 0,
	CONTROL_FAILED	= 1,
	CONTROL_USAGE	= 2,
	CONTROL_NOSUCH	= 3,	/* no such host, container, token */
	CONTROL_DENIED	= 4,
	CONTROL_UNREACH	= 5,	/* daemon or agent not reachable */
	CONTROL_TIMEOUT	= 6,	/* state unknown */
	CONTROL_ROLLBACK = 7,	/* update failed and was undone */
	CONTROL_WOULD	= 8,	/* a plan: something would change */
	CONTROL_SKIPPED	= 75	/* the container's hook wants it later */
};

/* For the process table of a daemon. */
extern const struct proc_handler	control_handlers[];
void	 control_start(void);
void	 control_stop(void);

#endif /* CONTROL_H */
