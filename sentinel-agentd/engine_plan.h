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
#ifndef ENGINE_PLAN_H
#define ENGINE_PLAN_H

#include "compat.h"

#include "ipc.pb-c.h"

/*
 * What the docker process says an update would do, or why it would be
 * refused, to the server.  Nobody waits for it after a disconnect, and it
 * leaves no trace: nothing was done.
 */
void	 plan_report(const Sentinel__Ipc__DockerResult *);
/* The same of what Docker knows of a container. */
void	 detail_report(const Sentinel__Ipc__DockerResult *);

#endif /* ENGINE_PLAN_H */
