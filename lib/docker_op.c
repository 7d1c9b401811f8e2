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

#include "docker_api.h"
#include "follow.h"

/* An operation on a container that a person named: look it up, then act. */
struct docker_op {
	struct docker		*op_docker;
	char			 op_name[DOCKER_NAME_MAXBYTES];
	char			 op_id[DOCKER_ID_LEN + 1];
	bool			 op_tty;
	unsigned int		 op_stop_sec;
	enum docker_action	 op_action;
	struct docker_logs_opts	 op_want;
	struct docker_demux	*op_demux;
	docker_op_cb		 op_done;	/* action */
	docker_logs_cb		 op_logs;	/* logs */
	void			*op_arg;
};

static void	 op_inspected(void *, const struct docker_reply *);

static struct docker_op *
op_new(struct docker *dk, const char *name, void *arg)
{
	struct docker_op	*op;

	if (!docker_name_ok(name)) {
		errno = EINVAL;
		return (NULL);
	}
	if ((op = calloc(1, sizeof(*op))) == NULL)
		return (NULL);
	op->op_docker = dk;
	op->op_arg = arg;
	strlcpy(op->op_name, name, sizeof(op->op_name));
	return (op);
}

/* The last lines of a text, cut in place. */
static void
op_keep_lines(char *text, size_t *len, unsigned int lines)
{
	size_t	 at = *len;

	/* The newline that ends the last line begins none. */
	while (at > 0 && (at == *len || text[at - 1] != '\n' ||
	    --lines > 0))
		at--;
	memmove(text, text + at, *len - at + 1);
	*len -= at;
}

static void
op_end(struct docker_op *op, const char *error)
{
	char	*text = NULL;
	size_t	 len = 0;

	if (op->op_logs == NULL)
		op->op_done(op->op_arg, error);
	else {
		if (error[0] == '\0' && (text = docker_demux_take(op->op_demux,
		    &len)) == NULL)
			error = "out of memory";
		else if (text != NULL)
			op_keep_lines(text, &len, op->op_want.dl_lines);
		op->op_logs(op->op_arg, error, text == NULL ? "" : text, len);
	}
	free(text);
	docker_demux_free(op->op_demux);
	free(op);
}

static void
op_replied(void *arg, const struct docker_reply *dr)
{
	op_end(arg, dr->dr_error);
}

int
docker_op_action(struct docker *dk, const char *name,
    enum docker_action action, docker_op_cb cb, void *arg)
{
	struct docker_op	*op;

	if ((op = op_new(dk, name, arg)) == NULL)
		return (-1);
	op->op_action = action;
	op->op_done = cb;
	if (docker_inspect(dk, name, op_inspected, op) == NULL) {
		free(op);
		return (-1);
	}
	return (0);
}

int
docker_op_logs(struct docker *dk, const char *name,
    const struct docker_logs_opts *want, docker_logs_cb cb, void *arg)
{
	struct docker_op	*op;

	if ((op = op_new(dk, name, arg)) == NULL)
		return (-1);
	op->op_logs = cb;
	op->op_want = *want;
	if (op->op_want.dl_lines < 1)
		op->op_want.dl_lines = 1;
	if (op->op_want.dl_lines > DOCKER_LOGS_MAXLINES)
		op->op_want.dl_lines = DOCKER_LOGS_MAXLINES;
	if (op->op_want.dl_streams == 0)
		op->op_want.dl_streams = FOLLOW_BOTH;
	if (docker_inspect(dk, name, op_inspected, op) == NULL) {
		free(op);
		return (-1);
	}
	return (0);
}

/* --- act --------------------------------------------------------------- */

static int
op_on_logs(void *arg, const uint8_t *p, size_t len)
{
	struct docker_op	*op = arg;

	return (docker_demux_feed(op->op_demux, p, len));
}

static void
op_logs_done(void *arg, const struct docker_reply *dr)
{
	op_end(arg, dr->dr_end == DOCKER_ABORTED ?
	    "Docker's log stream is broken" : dr->dr_error);
}

/* Docker counts its last lines first, and then looks at the times: what is
 * bounded by a moment is counted in op_keep_lines(). */
static int
op_logs_path(const struct docker_op *op, char path[DOCKER_PATH_MAXBYTES])
{
	const struct docker_logs_opts	*want = &op->op_want;
	unsigned int			 out, err;
	char				 since[24], until[24];

	out = (want->dl_streams & FOLLOW_STDOUT) != 0 ? 1 : 0;
	err = (want->dl_streams & FOLLOW_STDERR) != 0 ? 1 : 0;
	(void)snprintf(since, sizeof(since), "%lld",
	    (long long)want->dl_since);
	(void)snprintf(until, sizeof(until), "%lld",
	    (long long)want->dl_until);
	if (want->dl_until != 0)
		return (docker_path(path, DOCKER_PATH_MAXBYTES, "/containers/"
		    "%s/logs?stdout=%u&stderr=%u&timestamps=%u&since=%s&"
		    "until=%s&tail=all", op->op_id, out, err,
		    want->dl_timestamps ? 1U : 0U, since, until));
	return (docker_path(path, DOCKER_PATH_MAXBYTES, "/containers/%s/logs?"
	    "stdout=%u&stderr=%u&timestamps=%u&since=%s&tail=%u", op->op_id,
	    out, err, want->dl_timestamps ? 1U : 0U, since,
	    want->dl_lines));
}

static struct docker_req *
op_logs(struct docker_op *op)
{
	struct docker_call	 dc = { .dc_method = "GET",
		.dc_total_msec = DOCKER_LOGS_MSEC, .dc_data = op_on_logs,
		.dc_done = op_logs_done, .dc_arg = op };
	char			 path[DOCKER_PATH_MAXBYTES];

	if ((op->op_demux = docker_demux_new(op->op_tty,
	    DOCKER_LOGS_MAXBYTES)) == NULL || op_logs_path(op, path) == -1)
		return (NULL);
	dc.dc_path = path;
	return (docker_call(op->op_docker, &dc));
}

static void
op_act(struct docker_op *op)
{
	struct docker_req	*dq = NULL;

	if (op->op_logs != NULL)
		dq = op_logs(op);
	else if (op->op_action == DOCKER_ACT_STOP)
		dq = docker_stop(op->op_docker, op->op_id, op->op_stop_sec,
		    op_replied, op);
	else if (op->op_action == DOCKER_ACT_START)
		dq = docker_start(op->op_docker, op->op_id, op_replied, op);
	else if (op->op_action == DOCKER_ACT_RESTART)
		dq = docker_restart(op->op_docker, op->op_id,
		    op->op_stop_sec, op_replied, op);
	if (dq == NULL)
		op_end(op, "too many requests to Docker");
}

static void
op_inspected(void *arg, const struct docker_reply *dr)
{
	struct docker_op		*op = arg;
	struct json			*js = NULL;
	const struct json_value		*root;
	const char			*name;
	char				 text[DOCKER_NAME_MAXBYTES + 32];

	if (dr->dr_end != DOCKER_OK && dr->dr_status != 404) {
		op_end(op, dr->dr_error);
		return;
	}
	if (dr->dr_end == DOCKER_OK &&
	    (js = json_parse(dr->dr_body, dr->dr_len, NULL, 0)) == NULL) {
		op_end(op, "Docker's answer is not valid JSON");
		return;
	}
	root = json_root(js);
	name = json_get_str(root, "Name");
	/* Docker also takes an id or the beginning of one for a name. */
	if (name[0] != '/' || strcmp(name + 1, op->op_name) != 0 ||
	    !docker_id_ok(json_get_str(root, "Id"))) {
		snprintf(text, sizeof(text), "container \"%s\" not found",
		    op->op_name);
		json_free(js);
		op_end(op, text);
		return;
	}
	strlcpy(op->op_id, json_get_str(root, "Id"), sizeof(op->op_id));
	op->op_tty = json_bool(json_path(root, "Config.Tty"));
	op->op_stop_sec = docker_stop_sec(op->op_docker, root);
	json_free(js);
	op_act(op);
}

unsigned int
docker_stop_sec(const struct docker *dk, const struct json_value *container)
{
	int64_t	 v;

	if (json_int(json_path(container, "Config.StopTimeout"), &v) == -1)
		return (DOCKER_STOP_SEC);
	/* What podman (4.3) makes of "not set" in its Docker API. */
	if (v == 0 && docker_is_podman(dk))
		return (DOCKER_STOP_SEC);
	/* Negative means "as long as it takes". */
	if (v < 0 || v > DOCKER_STOP_MAXSEC)
		return (DOCKER_STOP_MAXSEC);
	return ((unsigned int)v);
}
