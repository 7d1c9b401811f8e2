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

#include "compat.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_hook.h"

#define END_MSEC	10000	/* of the search itself */
#define END_WORD	"ended"

/*
 * Every process that has inherited the mark: TERM, a second later KILL.  With
 * nothing but what the shell brings along, for there may be no more; sleep,
 * where there is none, takes no time.  The strings of an environment end with
 * NUL, which read leaves out.
 *
 * Other users' processes have environments that not even the container's root
 * may read; those are not found.
 */
static const char	 end_script[] =
    "found=\n"
    "for s in TERM KILL -; do\n"
    "	left=\n"
    "	for d in /proc/[0-9]*; do\n"
    "		while IFS= read -r l || [ -n \"$l\" ]; do\n"
    "			case $l in\n"
    "			*\"" HOOK_MARK "=$1:\"*)\n"
    "				left=1\n"
    "				[ $s = - ] || kill -$s \"${d#/proc/}\"\n"
    "				break ;;\n"
    "			esac\n"
    "		done <\"$d/environ\"\n"
    "	done 2>/dev/null\n"
    "	[ -n \"$left\" ] || break\n"
    "	found=1\n"
    "	sleep 1 2>/dev/null\n"
    "done\n"
    "[ -z \"$found\" ] || echo " END_WORD "\n"
    "[ -z \"$left\" ]\n";

struct docker_exec *
hook_end(struct event_base *base, struct docker *dk, const char *container,
    const char *opid, docker_exec_cb cb, void *arg)
{
	static const char *const words[] = { "/bin/sh", "-c", end_script,
		"sentinel-end" };
	struct docker_exec_req	 eq = { .eq_container = container,
		.eq_argc = nitems(words) + 1, .eq_msec = END_MSEC };
	struct docker_exec	*ex = NULL;
	char			*argv[nitems(words) + 1] = { NULL };
	size_t			 i;
	int			 saved;

	for (i = 0; i < nitems(argv); i++)
		if ((argv[i] = strdup(i < nitems(words) ? words[i] :
		    opid)) == NULL)
			break;
	eq.eq_argv = argv;
	if (i == nitems(argv))
		ex = docker_exec(base, dk, &eq, cb, arg);
	saved = errno;
	for (i = 0; i < nitems(argv); i++)
		free(argv[i]);
	errno = saved;
	return (ex);
}

const char *
hook_end_describe(const struct docker_exec_result *er)
{
	if (er->er_end != EXEC_EXITED || er->er_code != 0)
		return ("it cannot be ended, so it may still run");
	return (strstr(er->er_output, END_WORD) != NULL ? "it was ended" :
	    "it does not run any more");
}
