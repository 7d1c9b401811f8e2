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

#ifndef DOCKER_PROCESS_H
#define DOCKER_PROCESS_H

#include "compat.h"

#include "proc.h"

/*
 * The docker process of both daemons: HTTP and JSON towards the Docker Engine
 * on sockets that the parent has connected, typed operations from the engine
 * (DOCKER_OP), the update transaction and its journal.  It can open no file
 * and no socket.  For the process tables.
 */
extern const struct proc_handler	docker_process_handlers[];
void	 docker_process_warmup(void);
void	 docker_process_start(void);
/* Stops at the next record of a transaction under way, then exits. */
void	 docker_process_stop(void);

#endif /* DOCKER_PROCESS_H */
