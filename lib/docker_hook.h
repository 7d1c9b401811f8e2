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

#ifndef DOCKER_HOOK_H
#define DOCKER_HOOK_H

#include "compat.h"

#include "docker_exec.h"

/*
 * Hooks: commands of a container's own, before and after its update.  They
 * come from its labels, from the server with the update, or from an operator.
 *
 *	sentinel.hook.pre-update	command, in the old container
 *	sentinel.hook.post-update	command, in the new one
 *	sentinel.hook.timeout		of both, 30 s
 *	sentinel.hook.pre-update.timeout, sentinel.hook.post-update.timeout
 *	sentinel.hook.post-update.rollback	true: its failure goes back
 *	sentinel.gate.exec		command that has to succeed
 *	sentinel.gate.timeout		within that, 60 s
 *
 * "pre" and "post" mean the same as "pre-update" and "post-update" and count
 * first.  A command is a JSON array of strings, carried out as it is, or any
 * other text, a line for /bin/sh -c.  Times are seconds, or a number with s,
 * m or h.
 */
#define HOOK_SKIP		75	/* exit of a pre hook: no update now */
#define HOOK_DEFAULT_SEC	30
#define HOOK_GATE_SEC		60
#define HOOK_MAX_SEC		3600
#define HOOK_REASON_MAXBYTES	512	/* of hook_describe(), with NUL */

enum hook_phase { HOOK_PRE, HOOK_POST, HOOK_GATE };

struct hook {
	char		*hk_command;	/* as it was written; NULL: none */
	unsigned int	 hk_msec;
	bool		 hk_rollback;	/* HOOK_POST */
	bool		 hk_label;	/* else from the server */
};

/* "pre-update", "post-update", "gate" */
const char	*hook_phase_name(enum hook_phase);
/* Those names, and "pre" and "post".  0, or -1. */
int		 hook_phase_parse(const char *, enum hook_phase *);

/*
 * The hook that the labels (an object, NULL for none) ask for: 1, 0 there is
 * none, -1 with a line in why.  Release with hook_free().
 */
int		 hook_from_labels(struct hook *, const struct json_value *,
		    enum hook_phase, char *why, size_t);
/* One from outside; sec 0 is the default.  0, or -1 with a line in why. */
int		 hook_make(struct hook *, const char *command,
		    unsigned int sec, char *why, size_t);
void		 hook_free(struct hook *);

/*
 * The form of a command: strings of argv are allocated, *shell says that it
 * is one line for /bin/sh.  Their number, or -1 with a line in why.
 */
int		 hook_argv(const char *command, char *argv[EXEC_ARGS_MAX],
		    bool *shell, char *why, size_t);
void		 hook_argv_free(char *argv[EXEC_ARGS_MAX], int);

/*
 * Every process of a hook has a variable with this name in its environment,
 * "OPERATION:PHASE", by which it can be found when nobody waits for it.
 */
#define HOOK_MARK		"SENTINEL_HOOK"
#define HOOK_MARK_MAXBYTES	192		/* name and value, with NUL */
void		 hook_mark(char mark[HOOK_MARK_MAXBYTES], const char *opid,
		    enum hook_phase);
/* Runs it in a container, by id.  NULL with errno as docker_exec(). */
struct docker_exec *hook_run(struct event_base *, struct docker *,
		    const char *container, const struct hook *,
		    const char *mark, docker_exec_cb, void *);

/* --- docker_hook_end.c ------------------------------------------------- */
/*
 * Ends what the hooks of an operation have left running in a container, which
 * needs its /bin/sh.  NULL with errno as docker_exec().
 */
struct docker_exec *hook_end(struct event_base *, struct docker *,
		    const char *container, const char *opid, docker_exec_cb,
		    void *);
/* "it was ended", "it does not run any more", "... may still run" */
const char	*hook_end_describe(const struct docker_exec_result *);
/*
 * "pre-update hook: exit code 3: LAST LINE", for a result and the journal.
 * Control characters and everything but the last line are left out.
 */
void		 hook_describe(enum hook_phase,
		    const struct docker_exec_result *, char *, size_t);

#endif /* DOCKER_HOOK_H */
