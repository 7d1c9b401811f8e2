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

#ifndef DAEMON_H
#define DAEMON_H

#include "compat.h"

#include "conf.h"
#include "proc.h"

/*
 * What the main() of both daemons shares: flags, configuration, privileges,
 * the background.  Parent process, before the event loop.
 */
#define DAEMON_FLAGS_MAX	32

/* Exit codes (sysexits(3) numbers), documented in the manual pages. */
enum daemon_exit {
	DAEMON_OK	= 0,
	DAEMON_FAILED	= 1,
	DAEMON_USAGE	= 64,
	DAEMON_CONFIG	= 65,
	DAEMON_PERM	= 77,
	DAEMON_NOCONF	= 78
};

struct daemon_opts {
	bool		 do_foreground;	/* -d */
	bool		 do_noaction;	/* -n */
	bool		 do_trap;	/* -T */
	int		 do_verbose;	/* -v */
	const char	*do_file;	/* -f */
	const char	*do_role;	/* -P, internal */
	struct conf_flag do_flags[DAEMON_FLAGS_MAX];	/* -o key=value */
	size_t		 do_nflags;
};

/* Exits with DAEMON_USAGE and a usage line on a bad command line; -V prints
 * the version and exits. */
void	 daemon_getopt(struct daemon_opts *, int, char **);
/*
 * Reads and checks the configuration; errors go to stderr and end the
 * process with DAEMON_CONFIG or DAEMON_NOCONF.  With -n it prints what -v
 * asks for and exits.
 */
struct conf *daemon_conf(const struct daemon_opts *, enum conf_mode daemon);
/* Drop needs root, keep refuses it: else DAEMON_PERM. */
void	 daemon_privileges(const struct conf *);
/* Options for proc_parent_init(). */
void	 daemon_proc_opts(const struct daemon_opts *, const struct conf *,
	    const char *statedir, struct proc_opts *);
/*
 * Into the background unless -d, with title and log.  The caller of the
 * program gets its prompt back, or an exit status and the reason on standard
 * error, when daemon_ready() was called or we have ended before it.
 */
void	 daemon_detach(struct daemon_opts *, const struct proc_opts *,
	    int argc, char **argv);
/* All is up: standard error is let go, the log goes to syslog. */
void	 daemon_ready(void);
/* Prints one line on stderr and exits. */
__dead void daemon_die(enum daemon_exit, const char *, ...)
	    __printflike_(2, 3);

#endif /* DAEMON_H */
