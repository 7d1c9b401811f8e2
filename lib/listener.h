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

#ifndef LISTENER_H
#define LISTENER_H

#include "compat.h"

/*
 * Listening sockets, made by the parent and handed to the process that
 * accepts.  All return the fd (non-blocking, close-on-exec, listening), or -1
 * with one line in err that says what is wrong and what to do.
 */
#define LISTENER_BACKLOG	4096	/* the system may allow fewer */

/*
 * host is an address literal; "::" takes IPv4 as well.  Keepalive and
 * TCP_USER_TIMEOUT are set here and inherited by accepted sockets, since the
 * accepting process may not call setsockopt(2).
 */
int	 listener_tcp(const char *host, uint16_t port, char *err,
	    size_t errlen);
/*
 * mode 0660 or 0666; a stale socket of ours is replaced, one that answers is
 * an error ("already running"), and anything else at path is left alone.
 */
int	 listener_unix(const char *path, mode_t mode, char *err,
	    size_t errlen);

#endif /* LISTENER_H */
