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

#ifndef DOCKERSOCK_H
#define DOCKERSOCK_H

#include "compat.h"

#include "proc.h"

/*
 * The parent's side of the docker process: it connects the *configured*
 * Docker socket and passes the descriptor.  The docker process asks by message
 * only and never names a path.
 */
#define DOCKERSOCK_BURST	32	/* sockets at once, and per second: */
#define DOCKERSOCK_RATE		16

/* path is kept by reference; NULL: none configured. */
void	 dockersock_init(const char *path);
/* Row of the parent's handler table. */
void	 dockersock_ask(struct peer *, struct imsg *);

#endif /* DOCKERSOCK_H */
