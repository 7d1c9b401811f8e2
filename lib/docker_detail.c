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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "docker_detail.h"
#include "docker_item.h"
#include "docker_keep.h"
#include "pbmem.h"

#define DETAIL_MSEC	10000

struct detail {
	struct docker			*de_docker;
	char				 de_name[DOCKER_NAME_MAXBYTES];
	docker_detail_cb		 de_done;
	void				*de_arg;
	struct json_splitter		*de_split;
	struct keep			*de_keep;
	struct pbmem			 de_mem;
	Sentinel__Cluster__Detail	 de_out;
	const char			*de_error;	/* static */
};

static void	 detail_inspected(void *, const struct docker_reply *);
static int	 detail_images(struct detail *);
static int	 detail_on_image(void *, const char *, size_t);
static void	 detail_listed(void *, const struct docker_reply *);
static int	 detail_earlier(struct detail *);

int
docker_op_detail(struct docker *dk, const char *name, docker_detail_cb done,
    void *arg)
{
	struct detail	*de;

	if (!docker_name_ok(name)) {
		errno = EINVAL;
		return (-1);
	}
	if ((de = calloc(1, sizeof(*de))) == NULL)
		return (-1);
	de->de_docker = dk;
	de->de_done = done;
	de->de_arg = arg;
	strlcpy(de->de_name, name, sizeof(de->de_name));
	pbmem_init(&de->de_mem, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	sentinel__cluster__detail__init(&de->de_out);
	if ((de->de_keep = keep_new()) == NULL ||
	    docker_inspect(dk, name, detail_inspected, de) == NULL) {
		keep_free(de->de_keep);
		free(de);
		return (-1);
	}
	return (0);
}

static void
detail_end(struct detail *de, const char *error)
{
	de->de_done(de->de_arg, error, error[0] == '\0' ? &de->de_out : NULL);
	json_splitter_free(de->de_split);
	keep_free(de->de_keep);
	pbmem_free(&de->de_mem);
	free(de);
}

/* --- the container ------------------------------------------------------- */

static void
detail_inspected(void *arg, const struct docker_reply *dr)
{
	struct detail			*de = arg;
	const struct json_value		*root;
	struct json			*js = NULL;
	const char			*name;
	char				 text[DOCKER_NAME_MAXBYTES + 32];
	int				 rc;

	if (dr->dr_end != DOCKER_OK && dr->dr_status != 404) {
		detail_end(de, dr->dr_error);
		return;
	}
	if (dr->dr_end == DOCKER_OK &&
	    (js = json_parse(dr->dr_body, dr->dr_len, NULL, 0)) == NULL) {
		detail_end(de, "Docker's answer is not valid JSON");
		return;
	}
	root = js == NULL ? NULL : json_root(js);
	name = json_get_str(root, "Name");
	/* Docker also finds it by the beginning of an id. */
	if (root == NULL || strcmp(name + (*name == '/'), de->de_name) != 0) {
		snprintf(text, sizeof(text), "container \"%s\" not found",
		    de->de_name);
		json_free(js);
		detail_end(de, text);
		return;
	}
	rc = docker_detail_read(&de->de_out, &de->de_mem, root);
	json_free(js);
	if (rc == -1)
		detail_end(de, "out of memory");
	else if (detail_images(de) == -1)
		detail_end(de, "too many requests to Docker");
}

/* A word of the wire; what is none is left out. */
static char *
detail_word(struct pbmem *pm, const char *s, size_t max)
{
	const char	*p;

	for (p = s; *p > ' ' && *p < 0x7f; p++)
		continue;
	if (*p != '\0' || (size_t)(p - s) > max)
		s = "";
	return (pbmem_strndup(pm, s, strlen(s)));
}

static int
detail_time(struct pbmem *pm, int64_t sec, Google__Protobuf__Timestamp **ts)
{
	if (sec == 0)
		return (0);
	if ((*ts = pbmem_alloc(pm, sizeof(**ts))) == NULL)
		return (-1);
	google__protobuf__timestamp__init(*ts);
	(*ts)->seconds = sec;
	return (0);
}

static int64_t
detail_number(const struct json_value *c, const char *path, int64_t min,
    int64_t max)
{
	int64_t	 n = 0;

	if (json_int(json_path(c, path), &n) == -1 || n < min || n > max)
		return (0);
	return (n);
}

static const char *
detail_str(const struct json_value *c, const char *path)
{
	const char	*s = json_str(json_path(c, path));

	return (s == NULL ? "" : s);
}

int
docker_detail_read(Sentinel__Cluster__Detail *d, struct pbmem *pm,
    const struct json_value *c)
{
	const char	*health;

	health = detail_str(c, "State.Health.Status");
	if (strcmp(health, "none") == 0)
		health = "";
	if ((d->container_id = detail_word(pm, json_get_str(c, "Id"), 128)) ==
	    NULL || (d->image = detail_word(pm, detail_str(c, "Config.Image"),
	    1024)) == NULL || (d->image_id = detail_word(pm, json_get_str(c,
	    "Image"), 1024)) == NULL || (d->state = detail_word(pm,
	    detail_str(c, "State.Status"), 32)) == NULL ||
	    (d->health = detail_word(pm, health, 32)) == NULL ||
	    (d->restart_policy = detail_word(pm, detail_str(c,
	    "HostConfig.RestartPolicy.Name"), 32)) == NULL)
		return (-1);
	/* Docker takes "" for "no". */
	if (d->restart_policy[0] == '\0' && (d->restart_policy =
	    detail_word(pm, "no", 32)) == NULL)
		return (-1);
	d->exit_code = (int32_t)detail_number(c, "State.ExitCode", INT32_MIN,
	    INT32_MAX);
	d->restart_max = (uint32_t)detail_number(c,
	    "HostConfig.RestartPolicy.MaximumRetryCount", 0, INT32_MAX);
	d->restart_count = (uint32_t)detail_number(c, "RestartCount", 0,
	    INT32_MAX);
	d->auto_remove = json_bool(json_path(c, "HostConfig.AutoRemove"));
	if (detail_time(pm, docker_time(json_get_str(c, "Created")),
	    &d->created) == -1 || detail_time(pm, docker_time(detail_str(c,
	    "State.StartedAt")), &d->started) == -1)
		return (-1);
	return (detail_time(pm, docker_time(detail_str(c,
	    "State.FinishedAt")), &d->finished));
}

/* "+01:00"; 0, or -1: it is none. */
static int
time_zone(const char *p, int64_t *east)
{
	static const char	 form[] = "+00:00";
	size_t			 i;

	if (*p != '+' && *p != '-')
		return (-1);
	for (i = 1; i < sizeof(form); i++)
		if (form[i] == '0' ? p[i] < '0' || p[i] > '9' :
		    p[i] != form[i])
			return (-1);
	*east = ((p[1] - '0') * 10 + p[2] - '0') * 3600 +
	    ((p[4] - '0') * 10 + p[5] - '0') * 60;
	if (*p == '-')
		*east = -*east;
	return (0);
}

int64_t
docker_time(const char *s)
{
	struct tm	 tm;
	const char	*p;
	int64_t		 sec, east = 0;

	memset(&tm, 0, sizeof(tm));
	if ((p = strptime(s, "%Y-%m-%dT%H:%M:%S", &tm)) == NULL ||
	    tm.tm_year < 70)
		return (0);
	if (*p == '.')
		p += 1 + strspn(p + 1, "0123456789");
	if (strcmp(p, "Z") != 0 && time_zone(p, &east) == -1)
		return (0);
	sec = (int64_t)timegm(&tm) - east;
	return (sec < 0 || sec > DOCKER_TIME_MAX ? 0 : sec);
}

/* --- images -------------------------------------------------------------- */

static int
detail_on_data(void *arg, const uint8_t *p, size_t len)
{
	struct detail	*de = arg;

	return (json_splitter_feed(de->de_split, p, len));
}

static int
detail_images(struct detail *de)
{
	struct docker_call	 dc = {
		.dc_method = "GET", .dc_path = "/images/json",
		.dc_total_msec = DETAIL_MSEC, .dc_data = detail_on_data,
		.dc_done = detail_listed, .dc_arg = de
	};

	if ((de->de_split = json_splitter_new(JSON_SPLIT_ARRAY,
	    DOCKER_ITEM_MAXBYTES, detail_on_image, de)) == NULL)
		return (-1);
	return (docker_call(de->de_docker, &dc) == NULL ? -1 : 0);
}

static int
detail_on_image(void *arg, const char *text, size_t len)
{
	struct detail	*de = arg;
	struct pbmem	*pm = &de->de_mem;
	struct json	*js;
	const char	*digest;
	int		 rc;

	if ((js = json_parse(text, len, NULL, 0)) == NULL) {
		de->de_error = "Docker's list of images is not valid JSON";
		return (-1);
	}
	rc = keep_add_image(de->de_keep, json_root(js), "");
	if (strcmp(json_get_str(json_root(js), "Id"), de->de_out.image_id) ==
	    0 && (digest = docker_image_digest(json_root(js))) != NULL &&
	    (de->de_out.image_digest = detail_word(pm, digest, 1024)) == NULL)
		rc = -1;
	json_free(js);
	if (rc == -1)
		de->de_error = "out of memory";
	return (rc);
}

static void
detail_listed(void *arg, const struct docker_reply *dr)
{
	struct detail	*de = arg;

	if (de->de_error != NULL)
		detail_end(de, de->de_error);
	else if (dr->dr_end != DOCKER_OK)
		detail_end(de, dr->dr_error);
	else if (json_splitter_end(de->de_split) == -1)
		detail_end(de, "Docker's list of images ended early");
	else
		detail_end(de, detail_earlier(de) == -1 ? "out of memory" :
		    "");
}

static int
detail_earlier(struct detail *de)
{
	struct keep_choice		 list[DETAIL_EARLIER_MAX];
	struct pbmem			*pm = &de->de_mem;
	Sentinel__Cluster__KeptImage	*ki;
	ssize_t				 n, i;

	if ((n = keep_list(de->de_keep, de->de_name, de->de_out.image_id,
	    list, DETAIL_EARLIER_MAX)) <= 0)
		return ((int)n);
	if ((de->de_out.earlier = pbmem_alloc(pm, (size_t)n *
	    sizeof(ki))) == NULL)
		return (-1);
	for (i = 0; i < n; i++) {
		if ((ki = pbmem_alloc(pm, sizeof(*ki))) == NULL)
			return (-1);
		sentinel__cluster__kept_image__init(ki);
		if ((ki->image_id = detail_word(pm, list[i].kc_id, 80)) ==
		    NULL || (ki->image = detail_word(pm,
		    list[i].kc_name.kn_ref, 1024)) == NULL ||
		    (ki->digest = detail_word(pm, list[i].kc_digest, 1024)) ==
		    NULL || detail_time(pm, list[i].kc_name.kn_time,
		    &ki->replaced) == -1)
			return (-1);
		de->de_out.earlier[de->de_out.n_earlier++] = ki;
	}
	return (0);
}
