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

#ifndef SDNOTIFY_H
#define SDNOTIFY_H

#include "compat.h"

/*
 * systemd's notification datagrams (sd_notify(3)) without libsystemd.  Parent
 * only.  Without $NOTIFY_SOCKET every function is a no-op that succeeds.
 * None blocks: a manager that does not read loses the message.
 * All return 0, or -1 with errno.
 */

/* Takes $NOTIFY_SOCKET and $WATCHDOG_USEC and removes them from the
 * environment: children must not speak for us.  EINVAL on a path that is
 * relative or too long. */
int	 sdnotify_init(void);
void	 sdnotify_close(void);
int	 sdnotify_ready(void);
/* One line, at most 256 bytes; newlines become spaces. */
int	 sdnotify_status(const char *, ...) __printflike_(1, 2);
/* With MONOTONIC_USEC; sdnotify_ready() must follow. */
int	 sdnotify_reloading(void);
int	 sdnotify_stopping(void);
/* How long the manager waits for a sign of life (WatchdogSec); 0: it does
 * not. */
unsigned int sdnotify_watchdog_msec(void);
/* That sign; nothing when nobody waits for it. */
int	 sdnotify_watchdog(void);

#endif /* SDNOTIFY_H */
