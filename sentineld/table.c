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

#include "sentineld.h"

#include "control.h"
#include "docker_process.h"
#include "keyholder.h"

/*
 * Who runs, under which user, in which root, with which powers, and who
 * talks to whom.  doc/architecture.md 3.1 says why, sentinel-privsep(7) what
 * falls when one of them is taken over.
 */
static const struct proc_row	rows[] = {
	{
		.pr_role = ROLE_PARENT,
		.pr_name = "parent",
		.pr_root = PROC_ROOT_SLASH,
		.pr_handlers = parent_handlers,
	},
	{
		/* recvfd: key files from the parent; fsync: new ones. */
		.pr_role = ROLE_KEYHOLDER,
		.pr_name = "keyholder",
		.pr_user = "_snt-key",
		.pr_root = PROC_ROOT_EMPTY,
		.pr_flags = PROC_F_NETNS | PROC_F_MLOCK,
		.pr_promises = "stdio recvfd fsync",
		.pr_fsize = 64 * 1024,
		.pr_nofile = 64,
		.pr_handlers = keyholder_handlers,
		.pr_warmup = keyholder_warmup,
		.pr_start = keyholder_start,
		.pr_peer_lost = keyholder_peer_lost,
	},
	{
		/* recvfd: the listener; accept: agents, and nothing else. */
		.pr_role = ROLE_CLUSTER,
		.pr_name = "cluster",
		.pr_user = "_snt-net",
		.pr_root = PROC_ROOT_EMPTY,
		.pr_flags = PROC_F_NETNS | PROC_F_RESTART,
		.pr_promises = "stdio recvfd accept",
		.pr_fsize = 0,
		.pr_nofile = 16384,
		.pr_handlers = cluster_handlers,
		.pr_warmup = cluster_warmup,
		.pr_start = cluster_start,
		.pr_stop = cluster_stop,
	},
	{
		/* rpath wpath cpath fsync: the database in its root. */
		.pr_role = ROLE_ENGINE,
		.pr_name = "engine",
		.pr_user = "_snt-db",
		.pr_root = PROC_ROOT_STATE,
		.pr_flags = PROC_F_NETNS,
		.pr_promises = "stdio rpath wpath cpath fsync",
		.pr_fsize = RLIM_INFINITY,
		.pr_nofile = 256,
		.pr_handlers = engine_handlers,
		.pr_warmup = engine_warmup,
		.pr_start = engine_start,
		.pr_stop = engine_stop,
		.pr_peer_lost = engine_peer_lost,
		.pr_peer_up = engine_peer_up,
	},
	{
		/* recvfd: connected Docker sockets and the update journal;
		 * fsync: the journal. */
		.pr_role = ROLE_DOCKER,
		.pr_name = "docker",
		.pr_user = "_snt-docker",
		.pr_root = PROC_ROOT_EMPTY,
		.pr_flags = PROC_F_NETNS | PROC_F_RESTART,
		.pr_promises = "stdio recvfd fsync",
		.pr_fsize = 8 * 1024 * 1024,
		.pr_nofile = 128,
		.pr_handlers = docker_process_handlers,
		.pr_warmup = docker_process_warmup,
		.pr_start = docker_process_start,
		.pr_stop = docker_process_stop,
	},
	{
		/* recvfd: the UNIX listeners; accept: clients. */
		.pr_role = ROLE_CONTROL,
		.pr_name = "control",
		.pr_user = "_snt-ctl",
		.pr_root = PROC_ROOT_EMPTY,
		.pr_flags = PROC_F_NETNS,
		.pr_promises = "stdio recvfd accept",
		.pr_fsize = 0,
		.pr_nofile = 64,
		.pr_handlers = control_handlers,
		.pr_start = control_start,
		.pr_stop = control_stop,
	},
};

/* Every child also has a channel to the parent. */
static const struct proc_link	links[] = {
	{ ROLE_KEYHOLDER,	ROLE_ENGINE,	LINK_ASYNC },
	{ ROLE_CLUSTER,		ROLE_ENGINE,	LINK_ASYNC },
	{ ROLE_DOCKER,		ROLE_ENGINE,	LINK_ASYNC },
	{ ROLE_CONTROL,		ROLE_ENGINE,	LINK_ASYNC },
	{ ROLE_CLUSTER,		ROLE_KEYHOLDER,	LINK_SYNC },
};

const struct proc_table	sentineld_table = {
	"sentineld", rows, nitems(rows), links, nitems(links)
};
