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

#include <errno.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "sentineld.h"

__dead static void	become_agent(char **);

/*
 * SENTINEL_MODE=agent (or mode: agent) turns this into sentinel-agentd, which
 * lies beside us.  Before any fork: the agent must be what its caller started.
 */
__dead static void
become_agent(char **argv)
{
	static char	 name[] = "sentinel-agentd";
	char		 self[PATH_MAX], path[PATH_MAX];
	ssize_t		 n;

	if ((n = readlink("/proc/self/exe", self, sizeof(self) - 1)) == -1)
		daemon_die(DAEMON_FAILED, "/proc/self/exe: %s",
		    strerror(errno));
	self[n] = '\0';
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", dirname(self),
	    name) >= sizeof(path))
		daemon_die(DAEMON_FAILED, "%s: path too long", self);
	argv[0] = name;
	execv(path, argv);
	daemon_die(DAEMON_FAILED, "%s: %s; mode: agent needs sentinel-agentd "
	    "beside sentineld", path, strerror(errno));
}

int
main(int argc, char **argv)
{
	struct daemon_opts	 opts;
	struct proc_opts	 po;
	struct conf		*conf;
	char			 statedir[PATH_MAX];

	proc_save_self();
	setprogname("sentineld");
	daemon_getopt(&opts, argc, argv);
	if (opts.do_role != NULL)
		proc_child_main(&sentineld_table, opts.do_role, argc, argv);

	conf = daemon_conf(&opts, CONF_SERVER);
	if (conf->c_run == CONF_AGENT) {
		conf_free(conf);
		become_agent(argv);
	}
	daemon_privileges(conf);
	if ((size_t)snprintf(statedir, sizeof(statedir), "%s/db",
	    conf->c_server.cs_data_dir) >= sizeof(statedir))
		daemon_die(DAEMON_CONFIG, "data_dir: path too long");
	daemon_proc_opts(&opts, conf, statedir, &po);
	daemon_detach(&opts, &po, argc, argv);
	parent_main(conf, &opts, &po);
}
