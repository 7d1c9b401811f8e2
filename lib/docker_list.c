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

#include "docker_api.h"
#include "docker_item.h"

#define LIST_MSEC	30000

/* An image's id and its repo@sha256:..., in one allocation each. */
struct list_image {
	char	*li_id;
	char	*li_digest;
};

struct docker_lister {
	struct docker			*ls_docker;
	struct docker_list_cbs		 ls_cbs;
	void				*ls_arg;
	struct json_splitter		*ls_split;
	struct docker_healths		*ls_healths;	/* podman, or NULL */
	struct list_image		*ls_images;
	size_t				 ls_nimages;
	size_t				 ls_nitems;
	const char			*ls_error;	/* static */
};

static int	 list_on_image(void *, const char *, size_t);
static int	 list_on_container(void *, const char *, size_t);
static void	 list_images_done(void *, const struct docker_reply *);
static void	 list_containers_done(void *, const struct docker_reply *);

static void
list_free(struct docker_lister *ls)
{
	size_t	 i;

	for (i = 0; i < ls->ls_nimages; i++) {
		free(ls->ls_images[i].li_id);
		free(ls->ls_images[i].li_digest);
	}
	free(ls->ls_images);
	docker_healths_free(ls->ls_healths);
	json_splitter_free(ls->ls_split);
	free(ls);
}

static int
list_on_data(void *arg, const uint8_t *p, size_t len)
{
	struct docker_lister	*ls = arg;

	if (json_splitter_feed(ls->ls_split, p, len) == -1) {
		if (ls->ls_error == NULL)
			ls->ls_error = errno == E2BIG ?
			    "an item of Docker's list is too long" :
			    "Docker's list is not valid JSON";
		return (-1);
	}
	return (0);
}

static int
list_call(struct docker_lister *ls, const char *path, json_split_cb item,
    docker_cb done)
{
	struct docker_call	 dc = {
		.dc_method = "GET", .dc_path = path,
		.dc_total_msec = LIST_MSEC, .dc_data = list_on_data,
		.dc_done = done, .dc_arg = ls
	};

	json_splitter_free(ls->ls_split);
	ls->ls_split = json_splitter_new(JSON_SPLIT_ARRAY,
	    DOCKER_ITEM_MAXBYTES, item, ls);
	if (ls->ls_split == NULL)
		return (-1);
	return (docker_call(ls->ls_docker, &dc) == NULL ? -1 : 0);
}

int
docker_list(struct docker *dk, const struct docker_list_cbs *cbs, void *arg)
{
	struct docker_lister	*ls;
	int			 error;

	if ((ls = calloc(1, sizeof(*ls))) == NULL)
		return (-1);
	ls->ls_docker = dk;
	ls->ls_cbs = *cbs;
	ls->ls_arg = arg;
	/* The list of containers knows no digests, so images come first. */
	if (list_call(ls, "/images/json", list_on_image,
	    list_images_done) == -1) {
		error = errno;
		list_free(ls);
		errno = error;
		return (-1);
	}
	return (0);
}

static void
list_end(struct docker_lister *ls, const char *error)
{
	ls->ls_cbs.lc_done(ls->ls_arg, error);
	list_free(ls);
}

/* NULL when the answer is whole, else what is wrong. */
static const char *
list_check(struct docker_lister *ls, const struct docker_reply *dr)
{
	if (ls->ls_error != NULL)
		return (ls->ls_error);
	if (dr->dr_end != DOCKER_OK)
		return (dr->dr_error);
	if (json_splitter_end(ls->ls_split) == -1)
		return ("Docker's list ended early");
	return (NULL);
}

/* --- images ------------------------------------------------------------ */

const char *
docker_image_digest(const struct json_value *image)
{
	const struct json_value	*v = json_get(image, "RepoDigests");
	const char		*s, *at;

	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		if ((s = json_str(v)) != NULL && s[0] != '<' &&
		    (at = strchr(s, '@')) != NULL && docker_imageid_ok(at + 1))
			return (s);
	return (NULL);
}

static int
list_on_image(void *arg, const char *text, size_t len)
{
	struct docker_lister	*ls = arg;
	struct list_image	*li;
	struct json		*js;
	const char		*id, *digest;
	int			 rc = -1;

	if ((js = json_parse(text, len, NULL, 0)) == NULL) {
		ls->ls_error = "Docker's list of images is not valid JSON";
		return (-1);
	}
	id = json_get_str(json_root(js), "Id");
	digest = docker_image_digest(json_root(js));
	if (digest == NULL || !docker_imageid_ok(id)) {
		rc = 0;
		goto out;
	}
	if (ls->ls_nimages >= DOCKER_ITEMS_MAX) {
		ls->ls_error = "too many images";
		goto out;
	}
	if (ls->ls_nimages % 64 == 0) {
		li = reallocarray(ls->ls_images, ls->ls_nimages + 64,
		    sizeof(*li));
		if (li == NULL)
			goto oom;
		ls->ls_images = li;
	}
	li = &ls->ls_images[ls->ls_nimages];
	li->li_id = strdup(id);
	li->li_digest = strdup(digest);
	ls->ls_nimages++;
	if (li->li_id != NULL && li->li_digest != NULL) {
		rc = 0;
		goto out;
	}
oom:
	ls->ls_error = "out of memory";
out:
	json_free(js);
	return (rc);
}

static int
list_image_cmp(const void *a, const void *b)
{
	const struct list_image	*x = a, *y = b;

	return (strcmp(x->li_id, y->li_id));
}

static void
list_containers(struct docker_lister *ls)
{
	if (list_call(ls, "/containers/json?all=1", list_on_container,
	    list_containers_done) == -1)
		list_end(ls, "too many requests to Docker");
}

static void
list_healths_done(void *arg, struct docker_healths *hs, const char *error)
{
	struct docker_lister	*ls = arg;

	ls->ls_healths = hs;
	if (error[0] != '\0')
		list_end(ls, error);
	else
		list_containers(ls);
}

static void
list_images_done(void *arg, const struct docker_reply *dr)
{
	struct docker_lister	*ls = arg;
	const char		*error;

	if ((error = list_check(ls, dr)) != NULL) {
		list_end(ls, error);
		return;
	}
	if (ls->ls_nimages > 0)
		qsort(ls->ls_images, ls->ls_nimages, sizeof(*ls->ls_images),
		    list_image_cmp);
	if (!docker_is_podman(ls->ls_docker))
		list_containers(ls);
	else if (docker_healths(ls->ls_docker, NULL, list_healths_done,
	    ls) == -1)
		list_end(ls, "too many requests to Docker");
}

/* --- containers -------------------------------------------------------- */

static const char *
list_image_digest(const struct docker_lister *ls, const char *id)
{
	struct list_image	 key = { .li_id = (char *)(uintptr_t)id };
	struct list_image	*li;

	if (ls->ls_nimages == 0)
		return (id);
	li = bsearch(&key, ls->ls_images, ls->ls_nimages, sizeof(*li),
	    list_image_cmp);
	return (li == NULL ? id : li->li_digest);
}

static int
list_item(struct docker_lister *ls, const struct json_value *c)
{
	const char	*error;

	error = docker_item(c, list_image_digest(ls,
	    json_get_str(c, "ImageID")), ls->ls_healths == NULL ? NULL :
	    docker_healths_get(ls->ls_healths, json_get_str(c, "Id")),
	    ls->ls_cbs.lc_item, ls->ls_arg);
	if (error[0] == '\0')
		return (0);
	ls->ls_error = error;
	return (-1);
}

static int
list_on_container(void *arg, const char *text, size_t len)
{
	struct docker_lister	*ls = arg;
	struct json		*js;
	int			 rc;

	if (++ls->ls_nitems > DOCKER_ITEMS_MAX) {
		ls->ls_error = "too many containers";
		return (-1);
	}
	if ((js = json_parse(text, len, NULL, 0)) == NULL) {
		ls->ls_error = "Docker's list of containers is not valid JSON";
		return (-1);
	}
	rc = list_item(ls, json_root(js));
	json_free(js);
	return (rc);
}

static void
list_containers_done(void *arg, const struct docker_reply *dr)
{
	struct docker_lister	*ls = arg;
	const char		*error = list_check(ls, dr);

	list_end(ls, error == NULL ? "" : error);
}
