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
#include "monotime.h"
#include "utf8.h"

#define PULL_LINE_MAXBYTES	65536
#define PULL_LAYERS_MAX		256
#define PULL_PROGRESS_MSEC	250

struct pull_layer {
	char		 pl_id[32];
	uint64_t	 pl_done;
	uint64_t	 pl_total;
};

struct docker_pull {
	struct docker_req	*pu_req;
	struct json_splitter	*pu_split;
	struct docker_pull_cbs	 pu_cbs;
	void			*pu_arg;
	struct pull_layer	 pu_layers[PULL_LAYERS_MAX];
	size_t			 pu_nlayers;
	monotime_t		 pu_told;	/* last progress */
	char			 pu_error[DOCKER_ERROR_MAXBYTES];
};

static int	 pull_on_line(void *, const char *, size_t);

static void
pull_free(struct docker_pull *pu)
{
	json_splitter_free(pu->pu_split);
	free(pu);
}

void
docker_pull_cancel(struct docker_pull *pu)
{
	if (pu == NULL)
		return;
	docker_cancel(pu->pu_req);
	pull_free(pu);
}

static int
pull_on_data(void *arg, const uint8_t *p, size_t len)
{
	struct docker_pull	*pu = arg;

	if (json_splitter_feed(pu->pu_split, p, len) == 0)
		return (0);
	if (pu->pu_error[0] == '\0')
		strlcpy(pu->pu_error, "Docker's pull progress is not valid "
		    "JSON", sizeof(pu->pu_error));
	return (-1);
}

static void
pull_done(void *arg, const struct docker_reply *dr)
{
	struct docker_pull	*pu = arg;
	const char		*error = dr->dr_error;

	/* Docker says 200 first and reports the failure in the stream. */
	if (pu->pu_error[0] != '\0')
		error = pu->pu_error;
	else if (dr->dr_end == DOCKER_OK &&
	    json_splitter_end(pu->pu_split) == -1)
		error = "Docker's pull progress ended early";
	pu->pu_cbs.pc_done(pu->pu_arg, error);
	pull_free(pu);
}

struct docker_pull *
docker_pull(struct docker *dk, const char *ref, const char *auth,
    unsigned int idle, const struct docker_pull_cbs *cbs, void *arg)
{
	struct docker_pull	*pu = NULL;
	struct docker_ref	 rf;
	struct docker_call	 dc = {
		.dc_method = "POST", .dc_auth = auth, .dc_idle_msec = idle,
		.dc_data = pull_on_data, .dc_done = pull_done
	};
	char			 path[DOCKER_PATH_MAXBYTES];
	int			 error;

	/* Without a tag Docker would pull all of them. */
	if (docker_ref_parse(&rf, ref) == -1 ||
	    docker_path(path, sizeof(path), "/images/create?fromImage=%s&tag="
	    "%s", rf.rf_repo, rf.rf_digest[0] != '\0' ? rf.rf_digest :
	    rf.rf_tag) == -1) {
		errno = EINVAL;
		return (NULL);
	}
	if ((pu = calloc(1, sizeof(*pu))) == NULL ||
	    (pu->pu_split = json_splitter_new(JSON_SPLIT_LINES,
	    PULL_LINE_MAXBYTES, pull_on_line, pu)) == NULL)
		goto err;
	pu->pu_cbs = *cbs;
	pu->pu_arg = arg;
	dc.dc_path = path;
	dc.dc_arg = pu;
	if ((pu->pu_req = docker_call(dk, &dc)) == NULL)
		goto err;
	return (pu);
err:
	error = errno;
	if (pu != NULL)
		pull_free(pu);
	errno = error;
	return (NULL);
}

/* --- progress ---------------------------------------------------------- */

static void
pull_layer(struct docker_pull *pu, const char *id, int64_t done, int64_t total)
{
	struct pull_layer	*pl;
	size_t			 i;

	if (done < 0 || total <= 0)
		return;
	for (i = 0; i < pu->pu_nlayers; i++)
		if (strcmp(pu->pu_layers[i].pl_id, id) == 0)
			break;
	if (i == PULL_LAYERS_MAX)
		return;
	pl = &pu->pu_layers[i];
	if (i == pu->pu_nlayers) {
		if (strlcpy(pl->pl_id, id, sizeof(pl->pl_id)) >=
		    sizeof(pl->pl_id))
			return;
		pu->pu_nlayers++;
	}
	pl->pl_total = (uint64_t)total;
	pl->pl_done = done > total ? (uint64_t)total : (uint64_t)done;
}

static void
pull_tell(struct docker_pull *pu, const char *status)
{
	monotime_t	 now = monotime_now();
	uint64_t	 done = 0, total = 0;
	size_t		 i;

	if (pu->pu_cbs.pc_progress == NULL ||
	    (pu->pu_told != 0 && now - pu->pu_told < PULL_PROGRESS_MSEC))
		return;
	pu->pu_told = now;
	for (i = 0; i < pu->pu_nlayers; i++) {
		done += pu->pu_layers[i].pl_done;
		total += pu->pu_layers[i].pl_total;
	}
	pu->pu_cbs.pc_progress(pu->pu_arg, status, done, total);
}

static int
pull_on_line(void *arg, const char *text, size_t len)
{
	struct docker_pull		*pu = arg;
	struct json			*js;
	const struct json_value		*root;
	const char			*msg, *status;
	char				*p;
	int64_t				 done = -1, total = -1;

	if ((js = json_parse(text, len, NULL, 0)) == NULL)
		return (-1);
	root = json_root(js);
	msg = json_get_str(json_get(root, "errorDetail"), "message");
	if (msg[0] == '\0')
		msg = json_get_str(root, "error");
	if (msg[0] != '\0' || json_get(root, "errorDetail") != NULL) {
		if (msg[0] == '\0')
			msg = "pull failed";
		utf8_repair(pu->pu_error, sizeof(pu->pu_error), msg,
		    strlen(msg));
		for (p = pu->pu_error; *p != '\0'; p++)
			if ((unsigned char)*p < ' ')
				*p = ' ';
		json_free(js);
		return (0);	/* Docker ends the stream itself */
	}
	status = json_get_str(root, "status");
	/* Unpacking counts the same bytes a second time. */
	if (strcmp(status, "Downloading") == 0) {
		(void)json_int(json_path(root, "progressDetail.current"),
		    &done);
		(void)json_int(json_path(root, "progressDetail.total"),
		    &total);
		pull_layer(pu, json_get_str(root, "id"), done, total);
	}
	if (status[0] != '\0')
		pull_tell(pu, status);
	json_free(js);
	return (0);
}
