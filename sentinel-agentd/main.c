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

#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"

int
main(int argc, char **argv)
{
	struct daemon_opts	 opts;
	struct proc_opts	 po;
	struct conf		*conf;
	char			 statedir[PATH_MAX];

	proc_save_self();
	setprogname("sentinel-agentd");
	daemon_getopt(&opts, argc, argv);
	if (opts.do_role != NULL && strcmp(opts.do_role, "helper") == 0)
		helper_main(&opts);
	if (opts.do_role != NULL)
		proc_child_main(&agentd_table, opts.do_role, argc, argv);

	conf = daemon_conf(&opts, CONF_AGENT);
	/* The token is in conf: it must not stay in /proc/PID/environ. */
	conf_env_wipe(environ);
	daemon_privileges(conf);
	if ((size_t)snprintf(statedir, sizeof(statedir), "%s/state",
	    conf->c_agent.ca_data_dir) >= sizeof(statedir))
		daemon_die(DAEMON_CONFIG, "data_dir: path too long");
	daemon_proc_opts(&opts, conf, statedir, &po);
	daemon_detach(&opts, &po, argc, argv);
	parent_main(conf, &opts, &po);
}
