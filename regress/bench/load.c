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

#include "bench.h"

#include <sys/resource.h>

#include <err.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tlsconf.h"
#include "x509util.h"

/*
 * usage: load address port control-socket
 *
 * Reads commands, a line each, and answers each with one line.  Between them
 * the agents go on: they answer what the server asks.
 *	enrol N		N new agents
 *	dump DIR	certificate and key of the first into DIR
 *	prepare		parse keys, so that connect does not count it
 *	to PORT		connect to another server from now on
 *	connect		all at once: "connected MSEC"
 *	close		all
 */
struct bench	bench;

static void	 on_stdin(int, short, void *);
static void	 command(char *);
static void	 dump(const char *, const char *, const char *);
static bool	 all_open(void);

static char	line[256];		/* the command that came */

int
main(int argc, char **argv)
{
	struct rlimit	 rl;
	struct event	*ev;

	if (argc != 4) {
		(void)fprintf(stderr, "usage: load address port "
		    "control-socket\n");
		return (2);
	}
	(void)signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &rl) == 0) {
		rl.rlim_cur = rl.rlim_max;
		(void)setrlimit(RLIMIT_NOFILE, &rl);
	}
	x509_warmup();
	if (tlsconf_init() == -1 ||
	    (bench.b_base = event_base_new()) == NULL)
		errx(1, "cannot start");
	bench.b_host = argv[1];
	bench.b_port = argv[2];
	bench.b_ctl = argv[3];
	if ((ev = event_new(bench.b_base, STDIN_FILENO, EV_READ | EV_PERSIST,
	    on_stdin, NULL)) == NULL || event_add(ev, NULL) == -1)
		errx(1, "stdin");
	/* A command runs the loop itself, so it cannot be called from it. */
	while (event_base_loop(bench.b_base, EVLOOP_ONCE) == 0) {
		if (line[0] == '\0')
			continue;
		command(line);
		line[0] = '\0';
		(void)fflush(stdout);
	}
	return (1);
}

/* One line a wake-up: the script waits for each answer. */
static void
on_stdin(int fd, short what, void *arg)
{
	ssize_t	 n;

	(void)what;
	(void)arg;
	if ((n = read(fd, line, sizeof(line) - 1)) <= 0)
		exit(0);
	line[n] = '\0';
	line[strcspn(line, "\n")] = '\0';
}

static void
command(char *word)
{
	static char	 port[16];
	monotime_t	 begin;
	char		*arg;

	if ((arg = strchr(word, ' ')) != NULL)
		*arg++ = '\0';
	if (strcmp(word, "enrol") == 0 && arg != NULL) {
		bench_enrol((size_t)strtonum(arg, 1, 10000, NULL));
		(void)printf("enrolled %zu\n", bench.b_nagents);
	} else if (strcmp(word, "dump") == 0 && arg != NULL) {
		dump(arg, "cert.pem", bench.b_agents->ag_cert);
		dump(arg, "key.pem", bench.b_agents->ag_key);
		(void)printf("dumped\n");
	} else if (strcmp(word, "prepare") == 0) {
		agents_prepare();
		(void)printf("prepared\n");
	} else if (strcmp(word, "to") == 0 && arg != NULL) {
		(void)strlcpy(port, arg, sizeof(port));
		bench.b_port = port;
		(void)printf("to %s\n", port);
	} else if (strcmp(word, "connect") == 0) {
		begin = monotime_now();
		agents_connect();
		agents_loop(120000, all_open);
		(void)printf("connected %lld\n",
		    (long long)(monotime_now() - begin));
	} else if (strcmp(word, "close") == 0) {
		agents_close();
		(void)printf("closed\n");
	} else
		errx(2, "unknown command %s", word);
}

static void
dump(const char *dir, const char *name, const char *text)
{
	char	 path[1024];
	FILE	*f;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	if ((f = fopen(path, "w")) == NULL || fputs(text, f) == EOF ||
	    fclose(f) == EOF)
		err(1, "%s", path);
}

static bool
all_open(void)
{
	return (bench.b_open == bench.b_nagents);
}
