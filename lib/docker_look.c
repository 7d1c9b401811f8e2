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

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "docker_item.h"

#define LOOK_MSEC	30000

struct docker_look {
	struct docker		*lk_docker;
	struct docker_digests	*lk_digests;
	struct docker_list_cbs	 lk_cbs;
	void			*lk_arg;
	char			*lk_filters;
	struct docker_healths	*lk_healths;	/* podman, or NULL */
	char			*lk_body;	/* of the list */
	size_t			 lk_len;
	char			 lk_image[80];	/* asked for */
	size_t			 lk_asked;	/* images so far */
	const char		*lk_error;	/* static */
	bool			 lk_tell;	/* every image is known */
};

static void	 look_next(struct docker_look *);

static void
look_end(struct docker_look *lk, const char *error)
{
	lk->lk_cbs.lc_done(lk->lk_arg, error);
	docker_healths_free(lk->lk_healths);
	free(lk->lk_filters);
	free(lk->lk_body);
	free(lk);
}

/* First the images that are not known, then the items. */
static int
look_on_item(void *arg, const char *text, size_t len)
{
	struct docker_look	*lk = arg;
	struct json		*js;
	const char		*image, *digest;

	if ((js = json_parse(text, len, NULL, 0)) == NULL) {
		lk->lk_error = "Docker's list of containers is not valid JSON";
		return (-1);
	}
	image = json_get_str(json_root(js), "ImageID");
	digest = docker_digests_get(lk->lk_digests, image);
	if (lk->lk_tell)
		lk->lk_error = docker_item(json_root(js),
		    digest != NULL ? digest : image, lk->lk_healths == NULL ?
		    NULL : docker_healths_get(lk->lk_healths,
		    json_get_str(json_root(js), "Id")), lk->lk_cbs.lc_item,
		    lk->lk_arg);
	else if (digest == NULL && docker_imageid_ok(image))
		strlcpy(lk->lk_image, image, sizeof(lk->lk_image));
	json_free(js);
	return (lk->lk_error[0] != '\0' || (!lk->lk_tell &&
	    lk->lk_image[0] != '\0') ? -1 : 0);
}

static void
look_walk(struct docker_look *lk)
{
	struct json_splitter	*sp;

	lk->lk_image[0] = '\0';
	if ((sp = json_splitter_new(JSON_SPLIT_ARRAY, DOCKER_ITEM_MAXBYTES,
	    look_on_item, lk)) == NULL) {
		lk->lk_error = "out of memory";
		return;
	}
	if (json_splitter_feed(sp, lk->lk_body, lk->lk_len) == -1) {
		if (errno != ECANCELED)
			lk->lk_error = "Docker's list of containers is not "
			    "valid JSON, or too long";
	} else if (json_splitter_end(sp) == -1)
		lk->lk_error = "Docker's list ended early";
	json_splitter_free(sp);
}

static void
look_imaged(void *arg, const struct docker_reply *dr)
{
	struct docker_look	*lk = arg;
	struct json		*js = NULL;
	const char		*digest;

	if (dr->dr_end != DOCKER_OK && dr->dr_status != 404) {
		look_end(lk, dr->dr_error);
		return;
	}
	/* Removed by force under its container: its id is all there is. */
	if (dr->dr_end == DOCKER_OK)
		js = json_parse(dr->dr_body, dr->dr_len, NULL, 0);
	digest = docker_image_digest(json_root(js));
	docker_digests_put(lk->lk_digests, lk->lk_image,
	    digest != NULL ? digest : lk->lk_image);
	json_free(js);
	look_next(lk);
}

static void
look_next(struct docker_look *lk)
{
	look_walk(lk);
	if (lk->lk_error[0] == '\0' && lk->lk_image[0] != '\0' &&
	    lk->lk_asked++ < DOCKER_LOOK_MAX) {
		if (docker_image_inspect(lk->lk_docker, lk->lk_image,
		    look_imaged, lk) == NULL)
			look_end(lk, "too many requests to Docker");
		return;
	}
	if (lk->lk_error[0] == '\0') {
		lk->lk_tell = true;
		look_walk(lk);
	}
	look_end(lk, lk->lk_error);
}

static void
look_healths(void *arg, struct docker_healths *hs, const char *error)
{
	struct docker_look	*lk = arg;

	lk->lk_healths = hs;
	if (error[0] != '\0')
		look_end(lk, error);
	else
		look_next(lk);
}

static void
look_listed(void *arg, const struct docker_reply *dr)
{
	struct docker_look	*lk = arg;

	if (dr->dr_end != DOCKER_OK) {
		look_end(lk, dr->dr_error);
		return;
	}
	if ((lk->lk_body = malloc(dr->dr_len + 1)) == NULL) {
		look_end(lk, "out of memory");
		return;
	}
	memcpy(lk->lk_body, dr->dr_body, dr->dr_len);
	lk->lk_len = dr->dr_len;
	if (!docker_is_podman(lk->lk_docker))
		look_next(lk);
	else if (docker_healths(lk->lk_docker, lk->lk_filters, look_healths,
	    lk) == -1)
		look_end(lk, "too many requests to Docker");
}

/* {"id":["...","..."]} */
static char *
look_filters(const char *const *ids, size_t n)
{
	struct json_gen	*jg;
	char		*text;
	size_t		 i, len;

	if ((jg = json_gen_new(8192)) == NULL)
		return (NULL);
	json_gen_object(jg);
	json_gen_key(jg, "id");
	json_gen_array(jg);
	for (i = 0; i < n; i++)
		json_gen_str(jg, ids[i]);
	json_gen_end_array(jg);
	json_gen_end_object(jg);
	text = json_gen_take(jg, &len);
	json_gen_free(jg);
	return (text);
}

int
docker_look(struct docker *dk, struct docker_digests *ds,
    const char *const *ids, size_t n, const struct docker_list_cbs *cbs,
    void *arg)
{
	struct docker_look	*lk;
	struct docker_call	 dc = {
		.dc_method = "GET", .dc_maxbody = DOCKER_LOOK_MAXBYTES,
		.dc_total_msec = LOOK_MSEC, .dc_done = look_listed
	};
	char			 path[DOCKER_PATH_MAXBYTES];
	int			 error;

	if ((lk = calloc(1, sizeof(*lk))) == NULL ||
	    (lk->lk_filters = look_filters(ids, n)) == NULL) {
		free(lk);
		return (-1);
	}
	lk->lk_docker = dk;
	lk->lk_digests = ds;
	lk->lk_cbs = *cbs;
	lk->lk_arg = arg;
	lk->lk_error = "";
	dc.dc_arg = lk;
	dc.dc_path = path;
	if (docker_path(path, sizeof(path), "/containers/json?all=1&filters=%s",
	    lk->lk_filters) == -1 || docker_call(dk, &dc) == NULL) {
		error = errno;
		free(lk->lk_filters);
		free(lk);
		errno = error;
		return (-1);
	}
	return (0);
}
