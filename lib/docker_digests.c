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

#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "docker_item.h"

/* A ring: there are few images behind many containers. */
struct docker_digests {
	struct digest {
		char	 dg_id[80];
		char	*dg_digest;	/* NULL: free */
	}		 ds_ring[DOCKER_DIGESTS_MAX];
	size_t		 ds_next;
};

struct docker_digests *
docker_digests_new(void)
{
	return (calloc(1, sizeof(struct docker_digests)));
}

void
docker_digests_clear(struct docker_digests *ds)
{
	size_t	 i;

	for (i = 0; i < DOCKER_DIGESTS_MAX; i++) {
		free(ds->ds_ring[i].dg_digest);
		ds->ds_ring[i].dg_digest = NULL;
	}
	ds->ds_next = 0;
}

static struct digest *
digests_find(const struct docker_digests *ds, const char *id)
{
	const struct digest	*dg;
	size_t			 i;

	for (i = 0; i < DOCKER_DIGESTS_MAX; i++) {
		dg = &ds->ds_ring[i];
		if (dg->dg_digest != NULL && strcmp(dg->dg_id, id) == 0)
			return ((struct digest *)(uintptr_t)dg);
	}
	return (NULL);
}

const char *
docker_digests_get(const struct docker_digests *ds, const char *id)
{
	const struct digest	*dg = digests_find(ds, id);

	return (dg == NULL ? NULL : dg->dg_digest);
}

void
docker_digests_put(struct docker_digests *ds, const char *id,
    const char *digest)
{
	struct digest	*dg = digests_find(ds, id);
	char		*copy;

	if (strlen(id) >= sizeof(dg->dg_id) ||
	    strlen(digest) >= DOCKER_REF_MAXBYTES ||
	    (dg != NULL && strcmp(dg->dg_digest, digest) == 0) ||
	    (copy = strdup(digest)) == NULL)
		return;
	if (dg == NULL) {
		dg = &ds->ds_ring[ds->ds_next];
		ds->ds_next = (ds->ds_next + 1) % DOCKER_DIGESTS_MAX;
		strlcpy(dg->dg_id, id, sizeof(dg->dg_id));
	}
	free(dg->dg_digest);
	dg->dg_digest = copy;
}
