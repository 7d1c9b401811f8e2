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

#ifndef DOCKER_ITEM_H
#define DOCKER_ITEM_H

#include "compat.h"

#include "docker_api.h"

/*
 * Single containers in the form of Docker's list: what the list itself and
 * the live view share.
 *
 * Processes: docker.  Sources: docker_item.c, docker_look.c, docker_digests.c,
 * docker_health.c
 */
#define DOCKER_LOOK_MAX		24	/* containers: ids fit in one path */
#define DOCKER_LOOK_MAXBYTES	(8U * 1024 * 1024)
#define DOCKER_DIGESTS_MAX	512

/* --- docker_item.c ----------------------------------------------------- */
/*
 * One element of GET /containers/json, handed to fn; a swarm task is not.
 *	digest	repo@sha256:... of its image id, or that id, or ""
 *	health	a word for it, NULL: the element says it
 * Returns "" or what is wrong with it (static).
 */
const char	*docker_item(const struct json_value *, const char *digest,
		    const char *health,
		    void (*fn)(void *, const struct docker_container *),
		    void *);

/* --- docker_list.c ----------------------------------------------------- */
/* The first repo@sha256:... of an image; NULL: none ("<none>@<none>"). */
const char	*docker_image_digest(const struct json_value *image);

/* --- docker_digests.c: digests by image id ----------------------------- */
struct docker_digests;
struct docker_digests *docker_digests_new(void);	/* NULL: ENOMEM */
/* Lent until the next put; NULL: not known. */
const char	*docker_digests_get(const struct docker_digests *,
		    const char *id);
/* Copies.  The oldest goes when it is full; what is too long is left out. */
void		 docker_digests_put(struct docker_digests *, const char *id,
		    const char *digest);
void		 docker_digests_clear(struct docker_digests *);

/* --- docker_health.c: of podman's containers --------------------------- */
struct docker_healths;
/*
 * Ask podman for the health of all containers, or of those that its filters
 * (JSON) name.  done: once, error "" when all is known; it frees the healths.
 * 0, or -1 with errno of docker_call() and no callback.
 */
int		 docker_healths(struct docker *, const char *filters,
		    void (*done)(void *, struct docker_healths *,
		    const char *error), void *);
/* The list as it comes: feed 0, or -1 and the end says why; the end, once,
 * before the first get, "" or what is wrong (static). */
struct docker_healths *docker_healths_new(void);	/* NULL: ENOMEM */
int		 docker_healths_feed(struct docker_healths *, const void *,
		    size_t);
const char	*docker_healths_end(struct docker_healths *);
void		 docker_healths_free(struct docker_healths *);
/* "healthy", "unhealthy", "starting" or "": it has no check.  NULL: "". */
const char	*docker_healths_get(const struct docker_healths *,
		    const char *id);

/* --- docker_look.c ----------------------------------------------------- */
/*
 * Look at up to DOCKER_LOOK_MAX containers by full id, with one list call,
 * and one inspect of each image whose digest is not known yet.  lc_item runs
 * for those that are there, then lc_done.  The ids are copied.  0, or -1 with
 * errno ENOBUFS, ENOMEM, and no callback.
 */
int		 docker_look(struct docker *, struct docker_digests *,
		    const char *const *ids, size_t n,
		    const struct docker_list_cbs *, void *);

#endif /* DOCKER_ITEM_H */
