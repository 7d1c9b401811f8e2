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

#include <sys/socket.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <syslog.h>
#include <unistd.h>

#include <seccomp.h>

#include "log.h"
#include "sandbox.h"

#define TRAP_MAXCALL	512
#define TRAP_NAME_BYTES	32

static void	 trap_handler(int, siginfo_t *, void *);

static int	 trap_logfd = -1;
static char	 trap_prefix[64];
static char	 trap_names[TRAP_MAXCALL][TRAP_NAME_BYTES];

/* Names are looked up now: the handler may not allocate. */
void
sandbox_trap(int logfd)
{
	struct sigaction	 sa;
	char			*name;
	int			 nr;

	trap_logfd = logfd;
	(void)snprintf(trap_prefix, sizeof(trap_prefix),
	    "sandbox: %.32s: call ", log_procname());
	for (nr = 0; nr < TRAP_MAXCALL; nr++) {
		name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_NATIVE, nr);
		(void)strlcpy(trap_names[nr], name != NULL ? name : "?",
		    sizeof(trap_names[nr]));
		free(name);
	}
	memset(&sa, 0, sizeof(sa));
	sa.sa_sigaction = trap_handler;
	sa.sa_flags = SA_SIGINFO | SA_NODEFER | (int)SA_RESETHAND;
	(void)sigemptyset(&sa.sa_mask);
	if (sigaction(SIGSYS, &sa, NULL) == -1)
		fatal("sandbox_trap: sigaction");
}

/*
 * Only what is safe in a handler.  Then the death that the filter would have
 * brought without trap, so that the parent sees the same.
 */
static void
trap_handler(int sig, siginfo_t *si, void *uctx)
{
	char		 line[160], digits[12];
	size_t		 len, n = sizeof(digits);
	unsigned int	 nr = (unsigned int)si->si_syscall, v = nr;

	(void)uctx;
	do {
		digits[--n] = (char)('0' + v % 10);
		v /= 10;
	} while (v != 0);
	line[0] = LOG_CRIT;
	for (len = 1; trap_prefix[len - 1] != '\0'; len++)
		line[len] = trap_prefix[len - 1];
	memcpy(line + len, digits + n, sizeof(digits) - n);
	len += sizeof(digits) - n;
	line[len++] = ' ';
	line[len++] = '(';
	for (n = 0; nr < TRAP_MAXCALL && trap_names[nr][n] != '\0'; n++)
		line[len++] = trap_names[nr][n];
	line[len++] = ')';
	if (trap_logfd != -1)
		(void)!send(trap_logfd, line, len, MSG_DONTWAIT |
		    MSG_NOSIGNAL);
	else {
		line[len++] = '\n';
		(void)!write(STDERR_FILENO, line + 1, len - 1);
	}
	(void)raise(sig);
	_exit(1);
}
