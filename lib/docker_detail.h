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

#ifndef DOCKER_DETAIL_H
#define DOCKER_DETAIL_H

#include "compat.h"

#include "docker_api.h"
#include "json.h"
#include "pbmem.h"
#include "sentinel.pb-c.h"

/*
 * One container as Docker knows it now, with the images that a rollback could
 * go back to: one inspect and one list of images, when somebody asks.
 */
#define DETAIL_EARLIER_MAX	20	/* KEEP_COUNT_MAX */

/* error "": the detail is there for the time of the call; else NULL. */
typedef void (*docker_detail_cb)(void *, const char *error,
		    Sentinel__Cluster__Detail *);
/* By name, matched exactly.  0: the callback follows; -1 with errno EINVAL (no
 * name of Docker's) or of docker_call(). */
int		 docker_op_detail(struct docker *, const char *name,
		    docker_detail_cb, void *);
/*
 * Of an inspect answer, whatever it is: what has no place in the detail is
 * left out, so that it passes the rules of the wire.
 *	d	initialized; its strings live in the arena
 * 0, or -1: the arena is full.
 */
int		 docker_detail_read(Sentinel__Cluster__Detail *d,
		    struct pbmem *, const struct json_value *);
/* "2026-11-22T09:00:00.5Z", "...+01:00" as seconds since 1970, at most
 * DOCKER_TIME_MAX; 0: never, or not a time. */
int64_t		 docker_time(const char *);

#endif /* DOCKER_DETAIL_H */
