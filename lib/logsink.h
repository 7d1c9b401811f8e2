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

#ifndef LOGSINK_H
#define LOGSINK_H

#include "compat.h"

#include <event2/event.h>

/*
 * Parent's side of log.h: collects the datagrams of all children, makes them
 * visible, prefixes the name of the process, limits the rate of each, and
 * writes them out.  Nothing a child sends can harm more than its own lines.
 * The parent's own lines take the same way out from logsink_open() on.
 * Process: parent, one per process.  Source: logsink.c
 */
#define LOGSINK_RATE_LINES	100	/* per process and window */
#define LOGSINK_RATE_MSEC	10000

enum logsink_out {
	LOGSINK_STDERR,	/* <N> prefix when stderr is $JOURNAL_STREAM, else
			 * date and time */
	LOGSINK_SYSLOG	/* LOG_DAEMON, for a daemon in the background */
};

/* ident: kept by reference, for syslog. */
void	 logsink_open(struct event_base *, const char *ident,
	    enum logsink_out);
/* From now on to syslog: a daemon that has left its terminal. */
void	 logsink_syslog(const char *ident);
/*
 * Collect from fd, the parent's end of the child's socket; taken.  name is
 * kept by reference.  Returns an id > 0, or -1 (ENOMEM) with fd closed.
 */
int	 logsink_add(const char *name, int fd);
/* The child is gone: its last lines are written, fd is closed. */
void	 logsink_remove(int id);
/* Last lines of all; afterwards the parent's lines go to stderr again. */
void	 logsink_close(void);

#endif /* LOGSINK_H */
