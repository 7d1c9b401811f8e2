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
#ifndef DOCKER_PLAN_INT_H
#define DOCKER_PLAN_INT_H

#include "docker_plan.h"

/*
 * Between docker_plan_view.c and docker_plan_mount.c; nobody else includes it.
 */
struct view {
	const struct plan_facts		*vw_facts;
	struct pbmem			*vw_mem;
	Sentinel__Cluster__Plan		*vw_plan;
	size_t				 vw_bytes;
	size_t				 vw_left;	/* left out, too much */
	bool				 vw_nomem;
	const struct json_value		*vw_body;
	const struct json_value		*vw_now;	/* Config */
	const struct json_value		*vw_old;	/* Config of images */
	const struct json_value		*vw_new;
};

extern char	 plan_empty[];	/* "" */

/* All in the arena; without room there "", and vw_nomem is set. */
/* One line, cut. */
char	*plan_text(struct view *, const char *, size_t len, size_t max);
char	*plan_str(struct view *, const char *);
/* A string as it reads, anything else as its JSON; "" for the zero value. */
char	*plan_value(struct view *, const struct json_value *);
/* change NULL: by the two values.  kind and change are constants. */
void	 plan_item(struct view *, const char *kind, char *name,
	    const char *change, char *now, char *then);

/* --- docker_plan_mount.c ----------------------------------------------- */
void	 plan_networks(struct view *);
void	 plan_mounts(struct view *);

#endif /* DOCKER_PLAN_INT_H */
