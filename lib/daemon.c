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

#include "daemon.h"

#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "log.h"
#include "logsink.h"
#include "xmalloc.h"

extern char	**environ;

__dead static void	usage(void);
__dead static void	await_ready(int, pid_t);
static void		absolute_file(struct daemon_opts *);
static void		add_flag(struct daemon_opts *, const char *);

static int	ready_fd = -1;	/* to the starter that waits */

__dead static void
usage(void)
{
	fprintf(stderr, "usage: %s [-dnTVv] [-f file] [-o key=value]\n",
	    getprogname());
	exit(DAEMON_USAGE);
}

void
daemon_die(enum daemon_exit code, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	fprintf(stderr, "%s: ", getprogname());
	vfprintf(stderr, fmt, ap);
	fputc('\n', stderr);
	va_end(ap);
	exit(code);
}

static void
add_flag(struct daemon_opts *opts, const char *arg)
{
	struct conf_flag	*fl;
	const char		*eq = strchr(arg, '=');
	char			*key;

	if (eq == NULL || eq == arg)
		daemon_die(DAEMON_USAGE, "-o %s: want key=value", arg);
	if (opts->do_nflags == DAEMON_FLAGS_MAX)
		daemon_die(DAEMON_USAGE, "more than %d -o", DAEMON_FLAGS_MAX);
	fl = &opts->do_flags[opts->do_nflags++];
	/* A copy: sentineld passes argv on when it becomes the agent. */
	key = xstrdup(arg);
	key[eq - arg] = '\0';
	fl->fl_key = key;
	fl->fl_value = xstrdup(eq + 1);
	fl->fl_name = "-o";
}

void
daemon_getopt(struct daemon_opts *opts, int argc, char **argv)
{
	int	 ch;

	/* Copies: the title of the process takes the place of argv. */
	memset(opts, 0, sizeof(*opts));
	while ((ch = getopt(argc, argv, "df:no:P:TVv")) != -1) {
		switch (ch) {
		case 'd':
			opts->do_foreground = true;
			break;
		case 'f':
			opts->do_file = xstrdup(optarg);
			break;
		case 'n':
			opts->do_noaction = true;
			break;
		case 'o':
			add_flag(opts, optarg);
			break;
		case 'P':
			opts->do_role = optarg;
			break;
		case 'T':
			opts->do_trap = true;
			break;
		case 'V':
			printf("%s %s\n", getprogname(), SENTINEL_VERSION);
			exit(DAEMON_OK);
		case 'v':
			opts->do_verbose++;
			break;
		default:
			usage();
		}
	}
	if (argc != optind)
		usage();
}

struct conf *
daemon_conf(const struct daemon_opts *opts, enum conf_mode daemon)
{
	struct conf_errs	 errs;
	struct conf_opts	 co;
	struct conf		*conf;
	const char		*file;
	bool			 missing;

	memset(&errs, 0, sizeof(errs));
	memset(&co, 0, sizeof(co));
	co.co_daemon = daemon;
	co.co_check = opts->do_noaction;
	co.co_file = opts->do_file;
	co.co_environ = environ;
	co.co_flags = opts->do_flags;
	co.co_nflags = opts->do_nflags;
	conf = conf_load(&co, &errs);
	conf_errs_print(&errs, stderr);
	if (conf == NULL) {
		file = opts->do_file != NULL ? opts->do_file : CONF_PATH;
		missing = access(file, F_OK) == -1 && errno == ENOENT;
		exit(missing ? DAEMON_NOCONF : DAEMON_CONFIG);
	}
	conf_errs_free(&errs);
	if (opts->do_noaction) {
		if (opts->do_verbose > 0) {
			if (conf_print(conf, stdout) == -1 ||
			    fflush(stdout) != 0)
				daemon_die(DAEMON_FAILED, "stdout: %s",
				    strerror(errno));
		} else
			fprintf(stderr, "configuration OK\n");
		conf_free(conf);
		exit(DAEMON_OK);
	}
	return (conf);
}

void
daemon_privileges(const struct conf *conf)
{
	if (conf->c_privileges == CONF_DROP && geteuid() != 0)
		daemon_die(DAEMON_PERM, "needs to be started as root (or, for "
		    "unprivileged test runs, privileges: keep)");
	if (conf->c_privileges == CONF_KEEP && geteuid() == 0)
		daemon_die(DAEMON_PERM, "privileges: keep is for test runs as "
		    "an ordinary user; as root use privileges: drop");
}

void
daemon_proc_opts(const struct daemon_opts *opts, const struct conf *conf,
    const char *statedir, struct proc_opts *po)
{
	memset(po, 0, sizeof(*po));
	po->po_keep = conf->c_privileges == CONF_KEEP;
	po->po_trap = opts->do_trap;
	po->po_verbose = opts->do_verbose > 0 ||
	    conf->c_log_level == CONF_DEBUG;
	po->po_uid_base = conf->c_uid_base;
	po->po_watch_msec = (unsigned int)conf->c_watchdog_msec;
	if ((size_t)snprintf(po->po_emptydir, sizeof(po->po_emptydir),
	    "%s/empty", conf->c_run_dir) >= sizeof(po->po_emptydir))
		daemon_die(DAEMON_CONFIG, "run_dir: %s: too long",
		    conf->c_run_dir);
	if (strlcpy(po->po_statedir, statedir, sizeof(po->po_statedir)) >=
	    sizeof(po->po_statedir))
		daemon_die(DAEMON_CONFIG, "data_dir: %s: too long", statedir);
}

/* The starter's half: wait for the byte of daemon_ready(), or the end. */
__dead static void
await_ready(int fd, pid_t pid)
{
	ssize_t	 n;
	char	 byte;
	int	 status;

	while ((n = read(fd, &byte, 1)) == -1 && errno == EINTR)
		;
	if (n == 1)
		_exit(DAEMON_OK);
	while (waitpid(pid, &status, 0) == -1 && errno == EINTR)
		;
	_exit(WIFEXITED(status) ? WEXITSTATUS(status) : DAEMON_FAILED);
}

/* For a reload: our directory will be another one. */
static void
absolute_file(struct daemon_opts *opts)
{
	char	 dir[PATH_MAX], *path;

	if (opts->do_file == NULL || opts->do_file[0] == '/')
		return;
	if (getcwd(dir, sizeof(dir)) == NULL)
		daemon_die(DAEMON_FAILED, "getcwd: %s", strerror(errno));
	xasprintf(&path, "%s/%s", dir, opts->do_file);
	opts->do_file = path;
}

void
daemon_detach(struct daemon_opts *opts, const struct proc_opts *po, int argc,
    char **argv)
{
	char	*name = argv[0];
	size_t	 len = strlen(argv[0]);
	pid_t	 pid;
	int	 fds[2];

	if (!opts->do_foreground) {
		if (pipe2(fds, O_CLOEXEC) == -1 || (pid = fork()) == -1)
			daemon_die(DAEMON_FAILED, "fork: %s",
			    strerror(errno));
		if (pid != 0) {
			close(fds[1]);
			await_ready(fds[0], pid);
		}
		close(fds[0]);
		ready_fd = fds[1];
		absolute_file(opts);
		if (setsid() == -1 || chdir("/") == -1)
			daemon_die(DAEMON_FAILED, "setsid: %s",
			    strerror(errno));
	}
	setproctitle_init(argc, argv, environ);
	setproctitle("-%s: parent", getprogname());
	/* libbsd leaves a '.' where the old name ended; ps(1) shows it. */
	if (strlen(name) < len)
		name[len] = '\0';
	log_init("parent", -1);
	log_setverbose(po->po_verbose);
	logsink_open(proc_base(), getprogname(), LOGSINK_STDERR);
}

void
daemon_ready(void)
{
	int	 fd;

	if (ready_fd == -1)
		return;		/* -d */
	logsink_syslog(getprogname());
	if ((fd = open("/dev/null", O_RDWR | O_CLOEXEC)) == -1 ||
	    dup2(fd, STDIN_FILENO) == -1 || dup2(fd, STDOUT_FILENO) == -1 ||
	    dup2(fd, STDERR_FILENO) == -1)
		fatal("/dev/null");
	if (fd > STDERR_FILENO)
		close(fd);
	/* A starter that has gone is no reason to stop. */
	(void)!write(ready_fd, "", 1);
	close(ready_fd);
	ready_fd = -1;
}
