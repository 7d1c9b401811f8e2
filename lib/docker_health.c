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

/*
 * podman's list in Docker's form has no word about health; the list of its
 * own API has.
 */
#define HEALTH_MSEC	30000

struct health_one {
	char		 hn_id[DOCKER_ID_LEN + 1];
	const char	*hn_word;	/* a constant */
};

struct docker_healths {
	struct json_splitter	*hs_split;
	struct health_one	*hs_ones;
	size_t			 hs_n;
	size_t			 hs_room;
	size_t			 hs_seen;
	const char		*hs_error;	/* static */
	void			(*hs_done)(void *, struct docker_healths *,
				    const char *);
	void			*hs_arg;
};

void
docker_healths_free(struct docker_healths *hs)
{
	if (hs == NULL)
		return;
	json_splitter_free(hs->hs_split);
	free(hs->hs_ones);
	free(hs);
}

static int
health_cmp(const void *a, const void *b)
{
	const struct health_one	*x = a, *y = b;

	return (strcmp(x->hn_id, y->hn_id));
}

const char *
docker_healths_get(const struct docker_healths *hs, const char *id)
{
	struct health_one	 key = { .hn_word = "" }, *hn;

	if (hs == NULL || hs->hs_n == 0)
		return ("");
	if (strlcpy(key.hn_id, id, sizeof(key.hn_id)) >= sizeof(key.hn_id))
		return ("");
	hn = bsearch(&key, hs->hs_ones, hs->hs_n, sizeof(*hn), health_cmp);
	return (hn == NULL ? "" : hn->hn_word);
}

/* "healthy" of "Status"; anything else is no health. */
static const char *
health_word(const struct json_value *c)
{
	static const char *const	 words[] = { "healthy", "unhealthy",
		"starting" };
	const char			*s = json_get_str(c, "Status");
	size_t				 i;

	for (i = 0; i < nitems(words); i++)
		if (strcmp(s, words[i]) == 0)
			return (words[i]);
	return (NULL);
}

static int
health_add(struct docker_healths *hs, const char *id, const char *word)
{
	struct health_one	*hn;
	size_t			 room;

	if (hs->hs_n == hs->hs_room) {
		room = hs->hs_room == 0 ? 64 : hs->hs_room * 2;
		if ((hn = recallocarray(hs->hs_ones, hs->hs_room, room,
		    sizeof(*hn))) == NULL)
			return (-1);
		hs->hs_ones = hn;
		hs->hs_room = room;
	}
	hn = &hs->hs_ones[hs->hs_n++];
	strlcpy(hn->hn_id, id, sizeof(hn->hn_id));
	hn->hn_word = word;
	return (0);
}

static int
health_on_item(void *arg, const char *text, size_t len)
{
	struct docker_healths	*hs = arg;
	struct json		*js;
	const char		*word, *id;
	int			 rc = 0;

	if (++hs->hs_seen > DOCKER_ITEMS_MAX) {
		hs->hs_error = "too many containers";
		return (-1);
	}
	if ((js = json_parse(text, len, NULL, 0)) == NULL) {
		hs->hs_error = "podman's list is not valid JSON";
		return (-1);
	}
	word = health_word(json_root(js));
	id = json_get_str(json_root(js), "Id");
	if (word != NULL && docker_id_ok(id) &&
	    (rc = health_add(hs, id, word)) == -1)
		hs->hs_error = "out of memory";
	json_free(js);
	return (rc);
}

struct docker_healths *
docker_healths_new(void)
{
	struct docker_healths	*hs;

	if ((hs = calloc(1, sizeof(*hs))) == NULL)
		return (NULL);
	if ((hs->hs_split = json_splitter_new(JSON_SPLIT_ARRAY,
	    DOCKER_ITEM_MAXBYTES, health_on_item, hs)) == NULL) {
		free(hs);
		return (NULL);
	}
	return (hs);
}

int
docker_healths_feed(struct docker_healths *hs, const void *p, size_t len)
{
	if (json_splitter_feed(hs->hs_split, p, len) == 0)
		return (0);
	if (hs->hs_error == NULL)
		hs->hs_error = "podman's list is not valid JSON, or too long";
	return (-1);
}

const char *
docker_healths_end(struct docker_healths *hs)
{
	if (hs->hs_error == NULL && json_splitter_end(hs->hs_split) == -1)
		hs->hs_error = "podman's list ended early";
	if (hs->hs_n > 1)
		qsort(hs->hs_ones, hs->hs_n, sizeof(*hs->hs_ones),
		    health_cmp);
	return (hs->hs_error == NULL ? "" : hs->hs_error);
}

static int
health_on_data(void *arg, const uint8_t *p, size_t len)
{
	return (docker_healths_feed(arg, p, len));
}

static void
health_done(void *arg, const struct docker_reply *dr)
{
	struct docker_healths	*hs = arg;
	const char		*error = hs->hs_error;

	/* How the call went says more than that the list is not whole. */
	if (error == NULL && dr->dr_end != DOCKER_OK)
		error = dr->dr_error;
	if (error == NULL)
		error = docker_healths_end(hs);
	hs->hs_done(hs->hs_arg, hs, error);
}

int
docker_healths(struct docker *dk, const char *filters,
    void (*done)(void *, struct docker_healths *, const char *), void *arg)
{
	struct docker_healths	*hs;
	struct docker_call	 dc = {
		.dc_method = "GET", .dc_total_msec = HEALTH_MSEC,
		.dc_data = health_on_data, .dc_done = health_done
	};
	char			 path[DOCKER_PATH_MAXBYTES];
	int			 rc, error;

	if ((hs = docker_healths_new()) == NULL)
		return (-1);
	hs->hs_done = done;
	hs->hs_arg = arg;
	dc.dc_arg = hs;
	rc = filters == NULL ? docker_path(path, sizeof(path),
	    "/libpod/containers/json?all=1") : docker_path(path, sizeof(path),
	    "/libpod/containers/json?all=1&filters=%s", filters);
	dc.dc_path = path;
	if (rc == -1 || docker_call(dk, &dc) == NULL) {
		error = errno;
		docker_healths_free(hs);
		errno = error;
		return (-1);
	}
	return (0);
}
