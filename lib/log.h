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

#ifndef LOG_H
#define LOG_H

#include "compat.h"

/*
 * Logging of every process.  A child writes one datagram per line to the
 * parent's socket (byte 0: syslog priority, rest: text, no newline, at most
 * LOG_LINE_MAXBYTES); it never opens /dev/log.  A datagram without priority is
 * text that libc wrote to stderr.  The parent's side is in logsink.h.  Bytes
 * outside printable ASCII and UTF-8 are made visible by who writes the line
 * out.  errno survives every call but fatal's.
 * Style of a line: lower case, "subject: what: detail", with ids, no secrets.
 */
#define LOG_LINE_MAXBYTES	1024

/*
 * name	process name, kept by reference ("keyholder")
 * fd	datagram socket to the parent, or -1 for stderr
 */
void	 log_init(const char *name, int fd);
void	 log_setverbose(int);		/* 0 info, 1 debug */
int	 log_getverbose(void);
/* Parent: hand lines to fn (priority, text, bytes) instead of fd; NULL ends
 * that.  fn must not log. */
void	 log_setsink(void (*fn)(int, const char *, size_t));
const char *log_procname(void);

/* errno text is appended exactly once by the forms without x. */
void	 log_warn(const char *, ...) __printflike_(1, 2);
void	 log_warnx(const char *, ...) __printflike_(1, 2);
void	 log_info(const char *, ...) __printflike_(1, 2);
void	 log_debug(const char *, ...) __printflike_(1, 2);
/* For start-up, own invariants and a broken sibling only.  Exit status 1. */
__dead void fatal(const char *, ...) __printflike_(1, 2);
__dead void fatalx(const char *, ...) __printflike_(1, 2);

#endif /* LOG_H */
