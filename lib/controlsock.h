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

#ifndef CONTROLSOCK_H
#define CONTROLSOCK_H

#include "compat.h"

#include "proc.h"

/*
 * The parent's side of the control process: its two UNIX sockets, bound
 * before any child runs, handed over when all is ready, removed at the end.
 */
#define CONTROLSOCK_MODE	0660	/* owner root: sentinelctl as root */
#define CONTROLSOCK_RO_MODE	0666

/* path_ro may be NULL; both are kept by reference.  Fatal with the key of
 * the configuration and what to do. */
void	 controlsock_bind(const char *path, const char *path_ro);
/* CONF_LISTEN 0 and 1 to the control process. */
void	 controlsock_send(struct peer *);
/* Just before exit, under the lock of the data directory. */
void	 controlsock_remove(void);

#endif /* CONTROLSOCK_H */
