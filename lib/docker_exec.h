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

#ifndef DOCKER_EXEC_H
#define DOCKER_EXEC_H

#include "compat.h"

#include <event2/event.h>

#include "docker_api.h"

/*
 * A command inside a running container, with an end: hooks and gates.
 *
 * Docker can start an exec and look at it, but not end it, and closing the
 * stream leaves the process alone (measured with 20.10).  The command is
 * therefore begun by /bin/sh of the container, which says its process id and
 * becomes the command; runc has made it the leader of a process group.  When
 * the time is over, another exec sends SIGTERM to that group, then SIGKILL,
 * then SIGKILL as root of the container.  Whatever has left the group
 * (setsid) is not found.
 *
 * A command in argv form runs without the shell where the image has none:
 * nothing could end it then, and EXEC_LEFT says so.
 *
 * Environment, user and directory are those of the container, but for
 * eq_env.
 */
#define EXEC_ARGS_MAX		64
#define EXEC_COMMAND_MAXBYTES	4096	/* text of a command, with NUL */
#define EXEC_OUTPUT_MAXBYTES	(64U * 1024)	/* kept, the newest */
#define EXEC_MAX_MSEC		(3600U * 1000)
#define EXEC_KILL_MSEC		1000	/* from one signal to the next */

enum docker_exec_end {
	EXEC_EXITED,		/* er_code counts */
	EXEC_TIMEOUT,		/* the time was over, it was ended */
	EXEC_LEFT,		/* the time was over, it may still run */
	EXEC_FAILED,		/* it never began */
	EXEC_UNKNOWN		/* Docker was lost in between */
};

struct docker_exec_result {
	enum docker_exec_end er_end;
	int		 er_code;	/* -1 but for EXEC_EXITED */
	const char	*er_error;	/* one line, "" for EXEC_EXITED */
	const char	*er_output;	/* UTF-8, marked when it was cut */
	size_t		 er_len;
};

struct docker_exec_req {
	const char	*eq_container;	/* id */
	char		*const *eq_argv; /* copied */
	size_t		 eq_argc;	/* 1..EXEC_ARGS_MAX */
	bool		 eq_shell;	/* argv[0] is a line for /bin/sh -c */
	const char	*eq_env;	/* "NAME=VALUE" more, or NULL; copied */
	unsigned int	 eq_msec;	/* 1..EXEC_MAX_MSEC */
};

struct docker_exec;
typedef void (*docker_exec_cb)(void *, const struct docker_exec_result *);

/*
 * cb runs once, never from within; what it gets is lent.  NULL with errno of
 * docker_call(), EINVAL for a bad request.
 */
struct docker_exec *docker_exec(struct event_base *, struct docker *,
		    const struct docker_exec_req *, docker_exec_cb, void *);
/* No callback; the process in the container goes on. */
void		 docker_exec_cancel(struct docker_exec *); /* NULL is fine */

/* --- docker_exec_out.c: what it writes --------------------------------- */
struct exec_out;
/* pid: the first line of stdout is a process id and not part of it. */
struct exec_out	*exec_out_new(bool pid, size_t max);
void		 exec_out_free(struct exec_out *);
/* Docker's frames in pieces; -1 EINVAL for a bad one, ENOMEM. */
int		 exec_out_feed(struct exec_out *, const uint8_t *, size_t);
/* In the container's own numbers; 0: not said. */
long		 exec_out_pid(const struct exec_out *);
/* UTF-8 without NUL; begins with a line that says so when the oldest were
 * cut.  Caller frees; NULL: ENOMEM. */
char		*exec_out_take(struct exec_out *, size_t *);

#endif /* DOCKER_EXEC_H */
