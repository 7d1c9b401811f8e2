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

#ifndef SANDBOX_H
#define SANDBOX_H

#include "compat.h"

/*
 * Confinement by promise words, in the manner of pledge(2).  On Linux a word
 * stands for a list of system calls (seccomp, allow-list, anything else kills
 * the process) and for rights beneath one directory (landlock, nothing else
 * of the file system).  A few calls that libc tries and can live without
 * fail with EPERM instead.  Process: every child, after privdrop.h.
 *
 *   stdio   held descriptors, memory, clock, events, own signals, abort(3)
 *   recvfd  the same calls; plus reading a passed file by offset
 *   fsync   writing, growing, locking and syncing a passed file
 *   accept  accept4(2) on a passed listener, few socket options
 *   unix    stream sockets of the UNIX domain, connect(2), never bind(2)
 *   inet    socket(2) for TCP and UDP over IP, connect(2), never bind(2)
 *   rpath   read files and directories beneath the directory
 *   wpath   write existing ones
 *   cpath   create, rename, remove
 *
 * Built with SENTINEL_SANITIZE the system call filter is compiled out and a
 * line says so.  Source: sandbox.c, sandbox_seccomp.c, sandbox_trap.c,
 * sandbox_landlock.c
 */
#define SANDBOX_STDIO		0x01
#define SANDBOX_RECVFD		0x02
#define SANDBOX_FSYNC		0x04
#define SANDBOX_ACCEPT		0x08
#define SANDBOX_INET		0x10
#define SANDBOX_RPATH		0x20
#define SANDBOX_WPATH		0x40
#define SANDBOX_CPATH		0x80
#define SANDBOX_UNIX		0x100
#define SANDBOX_PATH		(SANDBOX_RPATH | SANDBOX_WPATH | SANDBOX_CPATH)

/* Words separated by blanks to SANDBOX_ bits.  0, or -1 with EINVAL. */
int	 sandbox_parse(const char *promises, unsigned int *bits);

/*
 * Confine this process for good.
 *   promises  words; without stdio it is refused
 *   dir       directory that the path words mean, or NULL without them
 *   trap      name a forbidden call in the log before dying of it
 *   logfd     socket of log.h for the trap, or -1 for stderr
 * What the kernel lacks (landlock) is said once and skipped.  Returns 0, or
 * -1 with errno when the filter itself is refused: the caller must not go on.
 */
int	 sandbox_enter(const char *promises, const char *dir, bool trap,
	    int logfd);

/*
 * The parent's deny-list: what no daemon of ours ever needs (ptrace, bpf,
 * kexec, modules, mount, keys, clock ...) fails with EPERM.  Children inherit
 * it and can still confine themselves.  0, or -1 with errno.
 */
int	 sandbox_parent(void);

/* Words in force in this process: "chroot netns caps landlock seccomp". */
const char *sandbox_status(void);
/* Adds a word to the status; copied. */
void	 sandbox_note(const char *word);

/* Layers of sandbox_enter(), for it and for the tests. */
/* 0 in force, 1 the kernel has none, -1 errno. */
int	 sandbox_landlock(unsigned int bits, const char *dir);
int	 sandbox_seccomp(unsigned int bits, bool trap, int logfd);
/* SIGSYS names its call in the log, or on stderr with logfd -1, and kills. */
void	 sandbox_trap(int logfd);

#endif /* SANDBOX_H */
