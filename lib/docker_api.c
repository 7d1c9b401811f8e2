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

#include "docker_api.h"

/* Docker answers a stop only after it; this on top of the container's time. */
#define DOCKER_STOP_MARGIN_MSEC	30000
#define DOCKER_CREATE_MSEC	120000	/* storage drivers can be slow */

static struct docker_req *
docker_do(struct docker *dk, const char *method, const char *path,
    const char *body, size_t len, unsigned int msec, docker_cb cb, void *arg)
{
	struct docker_call	 dc = {
		.dc_method = method, .dc_path = path, .dc_body = body,
		.dc_bodylen = len, .dc_total_msec = msec, .dc_done = cb,
		.dc_arg = arg
	};

	return (docker_call(dk, &dc));
}

struct docker_req *
docker_stop(struct docker *dk, const char *id, unsigned int sec, docker_cb cb,
    void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/containers/%s/stop?t=%u", id,
	    sec) == -1)
		return (NULL);
	return (docker_do(dk, "POST", path, NULL, 0,
	    sec * 1000 + DOCKER_STOP_MARGIN_MSEC, cb, arg));
}

struct docker_req *
docker_start(struct docker *dk, const char *id, docker_cb cb, void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/containers/%s/start", id) == -1)
		return (NULL);
	return (docker_do(dk, "POST", path, NULL, 0, DOCKER_CREATE_MSEC, cb,
	    arg));
}

struct docker_req *
docker_restart(struct docker *dk, const char *id, unsigned int sec,
    docker_cb cb, void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/containers/%s/restart?t=%u", id,
	    sec) == -1)
		return (NULL);
	return (docker_do(dk, "POST", path, NULL, 0,
	    sec * 1000 + DOCKER_STOP_MARGIN_MSEC, cb, arg));
}

struct docker_req *
docker_pause(struct docker *dk, const char *id, docker_cb cb, void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/containers/%s/pause", id) == -1)
		return (NULL);
	return (docker_do(dk, "POST", path, NULL, 0, DOCKER_CALL_MSEC, cb,
	    arg));
}

struct docker_req *
docker_rename(struct docker *dk, const char *id, const char *name,
    docker_cb cb, void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/containers/%s/rename?name=%s",
	    id, name) == -1)
		return (NULL);
	return (docker_do(dk, "POST", path, NULL, 0, DOCKER_CALL_MSEC, cb,
	    arg));
}

struct docker_req *
docker_remove(struct docker *dk, const char *id, bool force, docker_cb cb,
    void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/containers/%s?force=%d&v=0", id,
	    force ? 1 : 0) == -1)
		return (NULL);
	return (docker_do(dk, "DELETE", path, NULL, 0, DOCKER_CREATE_MSEC, cb,
	    arg));
}

struct docker_req *
docker_discard(struct docker *dk, const char *id, docker_cb cb, void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/containers/%s?force=1&v=1",
	    id) == -1)
		return (NULL);
	return (docker_do(dk, "DELETE", path, NULL, 0, DOCKER_CREATE_MSEC, cb,
	    arg));
}

struct docker_req *
docker_create(struct docker *dk, const char *name, const char *body,
    size_t len, docker_cb cb, void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/containers/create?name=%s",
	    name) == -1)
		return (NULL);
	return (docker_do(dk, "POST", path, body, len, DOCKER_CREATE_MSEC, cb,
	    arg));
}

struct docker_req *
docker_reconfigure(struct docker *dk, const char *id, const char *body,
    size_t len, docker_cb cb, void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/containers/%s/update", id) == -1)
		return (NULL);
	return (docker_do(dk, "POST", path, body, len, DOCKER_CALL_MSEC, cb,
	    arg));
}

struct docker_req *
docker_net_connect(struct docker *dk, const char *net, const char *body,
    size_t len, docker_cb cb, void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/networks/%s/connect", net) == -1)
		return (NULL);
	return (docker_do(dk, "POST", path, body, len, DOCKER_CALL_MSEC, cb,
	    arg));
}

struct docker_req *
docker_net_disconnect(struct docker *dk, const char *net, const char *id,
    docker_cb cb, void *arg)
{
	struct docker_req	*dq;
	struct json_gen		*jg;
	char			 path[DOCKER_PATH_MAXBYTES], *body;
	size_t			 len;

	if (docker_path(path, sizeof(path), "/networks/%s/disconnect",
	    net) == -1 || (jg = json_gen_new(4096)) == NULL)
		return (NULL);
	json_gen_object(jg);
	json_gen_key(jg, "Container");
	json_gen_str(jg, id);
	json_gen_key(jg, "Force");
	json_gen_bool(jg, true);
	json_gen_end_object(jg);
	body = json_gen_take(jg, &len);
	json_gen_free(jg);
	if (body == NULL)
		return (NULL);
	dq = docker_do(dk, "POST", path, body, len, DOCKER_CALL_MSEC, cb, arg);
	free(body);
	return (dq);
}

struct docker_req *
docker_image_tag(struct docker *dk, const char *id, const char *repo,
    const char *tag, docker_cb cb, void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/images/%s/tag?repo=%s&tag=%s",
	    id, repo, tag) == -1)
		return (NULL);
	return (docker_do(dk, "POST", path, NULL, 0, DOCKER_CALL_MSEC, cb,
	    arg));
}

struct docker_req *
docker_image_untag(struct docker *dk, const char *ref, docker_cb cb, void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/images/%s?noprune=1", ref) == -1)
		return (NULL);
	return (docker_do(dk, "DELETE", path, NULL, 0, DOCKER_CREATE_MSEC, cb,
	    arg));
}

struct docker_req *
docker_inspect(struct docker *dk, const char *idorname, docker_cb cb,
    void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/containers/%s/json",
	    idorname) == -1)
		return (NULL);
	return (docker_do(dk, "GET", path, NULL, 0, DOCKER_CALL_MSEC, cb, arg));
}

struct docker_req *
docker_image_inspect(struct docker *dk, const char *idorref, docker_cb cb,
    void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/images/%s/json", idorref) == -1)
		return (NULL);
	return (docker_do(dk, "GET", path, NULL, 0, DOCKER_CALL_MSEC, cb, arg));
}

struct docker_req *
docker_net_inspect(struct docker *dk, const char *net, docker_cb cb,
    void *arg)
{
	char	path[DOCKER_PATH_MAXBYTES];

	if (docker_path(path, sizeof(path), "/networks/%s", net) == -1)
		return (NULL);
	return (docker_do(dk, "GET", path, NULL, 0, DOCKER_CALL_MSEC, cb, arg));
}

struct docker_req *
docker_info(struct docker *dk, docker_cb cb, void *arg)
{
	return (docker_do(dk, "GET", "/info", NULL, 0, DOCKER_CALL_MSEC, cb,
	    arg));
}

/* --- files ------------------------------------------------------------- */

struct docker_req *
docker_changes(struct docker *dk, const char *id,
    int (*data)(void *, const uint8_t *, size_t), docker_cb cb, void *arg)
{
	char			 path[DOCKER_PATH_MAXBYTES];
	struct docker_call	 dc = {
		.dc_method = "GET", .dc_path = path, .dc_data = data,
		.dc_total_msec = DOCKER_CALL_MSEC, .dc_done = cb, .dc_arg = arg
	};

	if (docker_path(path, sizeof(path), "/containers/%s/changes",
	    id) == -1)
		return (NULL);
	return (docker_call(dk, &dc));
}

struct docker_req *
docker_path_stat(struct docker *dk, const char *id, const char *what,
    docker_cb cb, void *arg)
{
	char			 path[DOCKER_PATH_MAXBYTES];
	struct docker_call	 dc = {
		.dc_method = "HEAD", .dc_path = path,
		.dc_field = "x-docker-container-path-stat",
		.dc_total_msec = DOCKER_CALL_MSEC, .dc_done = cb, .dc_arg = arg
	};

	if (docker_path(path, sizeof(path), "/containers/%s/archive?path=%s",
	    id, what) == -1)
		return (NULL);
	return (docker_call(dk, &dc));
}

struct docker_req *
docker_path_get(struct docker *dk, const char *id, const char *what,
    size_t maxbytes, docker_cb cb, void *arg)
{
	char			 path[DOCKER_PATH_MAXBYTES];
	struct docker_call	 dc = {
		.dc_method = "GET", .dc_path = path, .dc_maxbody = maxbytes,
		.dc_total_msec = DOCKER_CALL_MSEC, .dc_done = cb, .dc_arg = arg
	};

	if (docker_path(path, sizeof(path), "/containers/%s/archive?path=%s",
	    id, what) == -1)
		return (NULL);
	return (docker_call(dk, &dc));
}

struct docker_req *
docker_path_put(struct docker *dk, const char *id, const char *tar, size_t len,
    docker_cb cb, void *arg)
{
	char			 path[DOCKER_PATH_MAXBYTES];
	struct docker_call	 dc = {
		.dc_method = "PUT", .dc_path = path, .dc_body = tar,
		.dc_bodylen = len, .dc_ctype = "application/x-tar",
		.dc_total_msec = DOCKER_CALL_MSEC, .dc_done = cb, .dc_arg = arg
	};

	if (docker_path(path, sizeof(path), "/containers/%s/archive?path=%s",
	    id, "/") == -1)
		return (NULL);
	return (docker_call(dk, &dc));
}
