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

#include "docker_pull.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A pull for its own sake: what came is compared with what was asked for. */
struct docker_pullop {
	struct docker			*po_docker;
	char				 po_ref[DOCKER_REF_MAXBYTES];
	char				 po_want[80];	/* digest, or "" */
	struct docker_pullop_cbs	 po_cbs;
	void				*po_arg;
};

static void	 pullop_progress(void *, const char *, uint64_t, uint64_t);
static void	 pullop_pulled(void *, const char *);
static void	 pullop_inspected(void *, const struct docker_reply *);
static void	 pullop_end(struct docker_pullop *, const char *,
		    const char *, const char *);

int
docker_op_pull(struct docker *dk, const char *ref, const char *digest,
    const char *auth, unsigned int idle, const struct docker_pullop_cbs *cbs,
    void *arg)
{
	static const struct docker_pull_cbs	 pull_cbs = {
		.pc_progress = pullop_progress, .pc_done = pullop_pulled
	};
	struct docker_pullop			*po;
	struct docker_ref			 rf;
	int					 error;

	if (docker_ref_parse(&rf, ref) == -1 ||
	    (digest[0] != '\0' && !docker_imageid_ok(digest))) {
		errno = EINVAL;
		return (-1);
	}
	if ((po = calloc(1, sizeof(*po))) == NULL)
		return (-1);
	po->po_docker = dk;
	po->po_cbs = *cbs;
	po->po_arg = arg;
	/* By its digest alone: a tag beside it may point elsewhere. */
	if (rf.rf_digest[0] != '\0')
		(void)snprintf(po->po_ref, sizeof(po->po_ref), "%.400s@%s",
		    rf.rf_repo, rf.rf_digest);
	else
		(void)strlcpy(po->po_ref, ref, sizeof(po->po_ref));
	(void)strlcpy(po->po_want, digest[0] != '\0' ? digest : rf.rf_digest,
	    sizeof(po->po_want));
	if (docker_pull(dk, ref, auth, idle, &pull_cbs, po) == NULL) {
		error = errno;
		free(po);
		errno = error;
		return (-1);
	}
	return (0);
}

static void
pullop_end(struct docker_pullop *po, const char *error, const char *id,
    const char *digest)
{
	struct docker_pull_result	 pr = { error, id, digest };

	po->po_cbs.po_done(po->po_arg, &pr);
	free(po);
}

static void
pullop_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	struct docker_pullop	*po = arg;

	if (po->po_cbs.po_progress != NULL)
		po->po_cbs.po_progress(po->po_arg, what, done, total);
}

static void
pullop_pulled(void *arg, const char *error)
{
	struct docker_pullop	*po = arg;

	if (error[0] != '\0')
		pullop_end(po, error, "", "");
	else if (docker_image_inspect(po->po_docker, po->po_ref,
	    pullop_inspected, po) == NULL)
		pullop_end(po, "too many requests to Docker", "", "");
}

static void
pullop_inspected(void *arg, const struct docker_reply *dr)
{
	struct docker_pullop		*po = arg;
	const struct json_value		*image;
	struct json			*js;
	char				 digest[DOCKER_REF_MAXBYTES + 80];
	char				 why[256];

	if (dr->dr_end != DOCKER_OK) {
		pullop_end(po, dr->dr_error, "", "");
		return;
	}
	js = json_parse(dr->dr_body, dr->dr_len, NULL, 0);
	image = json_root(js);
	if (js == NULL || !docker_imageid_ok(json_get_str(image, "Id"))) {
		json_free(js);
		pullop_end(po, "Docker's answer is not that of an image", "",
		    "");
		return;
	}
	docker_image_digest_of(image, po->po_ref, digest, sizeof(digest));
	why[0] = '\0';
	if (!docker_image_has_digest(image, po->po_want))
		(void)snprintf(why, sizeof(why), "what the registry gave is "
		    "not %s: not to be used", po->po_want);
	pullop_end(po, why, json_get_str(image, "Id"), digest);
	json_free(js);
}
