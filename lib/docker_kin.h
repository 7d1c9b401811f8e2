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

#ifndef DOCKER_KIN_H
#define DOCKER_KIN_H

#include "compat.h"

#include <event2/event.h>

#include "docker_api.h"
#include "json.h"

/*
 * What of a container says on whom it depends, and no list shows: whose IPC,
 * processes and volumes it shares, and whether it was made with --rm.  None of
 * it changes in a container's life, so each is inspected once, one at a time
 * and in the background, when the live view first sees it; an update then
 * needs one list to know who depends on whom.
 *
 * Source: docker_kin.c.  Process: docker.
 */
#define KIN_MAX		4096	/* containers; one more, and all begin anew */
#define KIN_MSEC	10	/* between two looks */
#define KIN_AGAIN_MSEC	5000	/* after one that failed */

struct kin;

/* NULL: ENOMEM. */
struct kin	*kin_new(struct event_base *, struct docker *);
void		 kin_free(struct kin *);		/* NULL is fine */
/* There is a container of this id. */
void		 kin_see(struct kin *, const char *id);
/* And it is gone. */
void		 kin_gone(struct kin *, const char *id);
/* Its inspect answer, which somebody has anyway.  NULL kin is fine. */
void		 kin_learn(struct kin *, const struct json_value *inspect);
/* What depend_inspected() needs of that answer, for json_free(); NULL: not
 * known (yet), or NULL kin. */
struct json	*kin_get(struct kin *, const char *id);

#endif /* DOCKER_KIN_H */
