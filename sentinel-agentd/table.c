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

#include "agentd.h"

#include "control.h"
#include "docker_process.h"
#include "keyholder.h"

/*
 * Who runs, under which user, in which root, with which powers, and who
 * talks to whom.  doc/architecture.md 3.2 says why, sentinel-privsep(7) what
 * falls when one of them is taken over.
 */
static const struct proc_row	rows[] = {
	{
		.pr_role = ROLE_A_PARENT,
		.pr_name = "parent",
		.pr_root = PROC_ROOT_SLASH,
		.pr_handlers = parent_handlers,
	},
	{
		/* recvfd: key files from the parent; fsync: new ones. */
		.pr_role = ROLE_A_KEYHOLDER,
		.pr_name = "keyholder",
		.pr_user = "_snta-key",
		.pr_root = PROC_ROOT_EMPTY,
		.pr_flags = PROC_F_NETNS | PROC_F_MLOCK,
		.pr_promises = "stdio recvfd fsync",
		.pr_fsize = 64 * 1024,
		.pr_nofile = 64,
		.pr_handlers = keyholder_agent_handlers,
		.pr_warmup = keyholder_warmup,
		.pr_start = keyholder_start,
		.pr_peer_lost = keyholder_peer_lost,
	},
	{
		/* recvfd: resolv.conf and hosts as sealed files; inet: the
		 * server and the name servers, outwards only. */
		.pr_role = ROLE_A_UPLINK,
		.pr_name = "uplink",
		.pr_user = "_snta-net",
		.pr_root = PROC_ROOT_EMPTY,
		.pr_flags = PROC_F_RESTART,
		.pr_promises = "stdio recvfd inet",
		.pr_fsize = 0,
		.pr_nofile = 64,
		.pr_handlers = uplink_handlers,
		.pr_warmup = uplink_warmup,
		.pr_start = uplink_start,
		.pr_stop = uplink_stop,
	},
	{
		/* rpath wpath cpath fsync: remembered requests and results in
		 * its root. */
		.pr_role = ROLE_A_ENGINE,
		.pr_name = "engine",
		.pr_user = "_snta-state",
		.pr_root = PROC_ROOT_STATE,
		.pr_flags = PROC_F_NETNS,
		.pr_promises = "stdio rpath wpath cpath fsync",
		.pr_fsize = RLIM_INFINITY,
		.pr_nofile = 64,
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
		.pr_role = ROLE_A_DOCKER,
		.pr_name = "docker",
		.pr_user = "_snta-docker",
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
		.pr_role = ROLE_A_CONTROL,
		.pr_name = "control",
		.pr_user = "_snta-ctl",
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
	{ ROLE_A_KEYHOLDER,	ROLE_A_ENGINE,		LINK_ASYNC },
	{ ROLE_A_UPLINK,	ROLE_A_ENGINE,		LINK_ASYNC },
	{ ROLE_A_DOCKER,	ROLE_A_ENGINE,		LINK_ASYNC },
	{ ROLE_A_CONTROL,	ROLE_A_ENGINE,		LINK_ASYNC },
	{ ROLE_A_UPLINK,	ROLE_A_KEYHOLDER,	LINK_SYNC },
};

const struct proc_table	agentd_table = {
	"sentinel-agentd", rows, nitems(rows), links, nitems(links)
};
