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

#include "docker_progress.h"

#include <stdio.h>
#include <string.h>

#include "json.h"
#include "utf8.h"

static struct docker_layer *
progress_layer(struct docker_progress *pg, const char *id)
{
	struct docker_layer	*ly;
	size_t			 i;

	for (i = 0; i < pg->pg_nlayers; i++)
		if (strcmp(pg->pg_layers[i].ly_id, id) == 0)
			return (&pg->pg_layers[i]);
	if (i == PROGRESS_LAYERS_MAX || id[0] == '\0' ||
	    strlen(id) >= sizeof(ly->ly_id))
		return (NULL);
	ly = &pg->pg_layers[pg->pg_nlayers++];
	(void)strlcpy(ly->ly_id, id, sizeof(ly->ly_id));
	return (ly);
}

/* What a line says of one layer; others are about the whole image. */
static void
progress_status(struct docker_progress *pg, const struct json_value *line,
    const char *status)
{
	static const struct {
		const char	*word;
		bool		 complete;
	} words[] = {
		{ "Pulling fs layer", false },
		{ "Waiting", false },
		{ "Downloading", false },
		{ "Verifying Checksum", false },
		{ "Download complete", false },
		{ "Extracting", false },
		{ "Pull complete", true },
		{ "Already exists", true }
	};
	struct docker_layer	*ly;
	int64_t			 done, total;
	size_t			 i;

	for (i = 0; i < nitems(words); i++)
		if (strcmp(status, words[i].word) == 0)
			break;
	if (i == nitems(words) ||
	    (ly = progress_layer(pg, json_get_str(line, "id"))) == NULL)
		return;
	ly->ly_complete = words[i].complete;
	/* Unpacking counts the same bytes a second time. */
	if (strcmp(status, "Downloading") == 0 &&
	    json_int(json_path(line, "progressDetail.current"), &done) == 0 &&
	    json_int(json_path(line, "progressDetail.total"), &total) == 0 &&
	    done >= 0 && total > 0 &&
	    (uint64_t)total <= PROGRESS_LAYER_MAXBYTES) {
		ly->ly_total = (uint64_t)total;
		ly->ly_done = done > total ? (uint64_t)total : (uint64_t)done;
	} else if (strcmp(status, "Download complete") == 0)
		ly->ly_done = ly->ly_total;
}

/* Of Docker, or of a registry behind it. */
static void
progress_copy(char *dst, size_t size, const char *src)
{
	char	*p;

	(void)utf8_repair(dst, size, src, strlen(src));
	for (p = dst; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
}

int
docker_progress_line(struct docker_progress *pg, const char *text, size_t len)
{
	const struct json_value	*root;
	struct json		*js;
	const char		*msg, *status;
	int			 rc = 0;

	if ((js = json_parse(text, len, NULL, 0)) == NULL)
		return (-1);
	root = json_root(js);
	msg = json_get_str(json_get(root, "errorDetail"), "message");
	if (msg[0] == '\0')
		msg = json_get_str(root, "error");
	if (msg[0] != '\0' || json_get(root, "errorDetail") != NULL) {
		/* Docker ends the stream itself. */
		progress_copy(pg->pg_error, sizeof(pg->pg_error),
		    msg[0] == '\0' ? "pull failed" : msg);
	} else {
		status = json_get_str(root, "status");
		progress_status(pg, root, status);
		if (status[0] != '\0') {
			progress_copy(pg->pg_status, sizeof(pg->pg_status),
			    status);
			rc = 1;
		}
	}
	json_free(js);
	return (rc);
}

void
docker_progress_text(const struct docker_progress *pg,
    char text[PROGRESS_TEXT_MAXBYTES], uint64_t *done, uint64_t *total)
{
	size_t	 i, complete = 0;
	char	 a[DOCKER_SIZE_MAXBYTES], b[DOCKER_SIZE_MAXBYTES];

	*done = *total = 0;
	for (i = 0; i < pg->pg_nlayers; i++) {
		*done += pg->pg_layers[i].ly_done;
		*total += pg->pg_layers[i].ly_total;
		complete += pg->pg_layers[i].ly_complete;
	}
	if (pg->pg_nlayers == 0)
		(void)strlcpy(text, pg->pg_status, PROGRESS_TEXT_MAXBYTES);
	else if (*total == 0)
		(void)snprintf(text, PROGRESS_TEXT_MAXBYTES, "%zu of %zu "
		    "layers", complete, pg->pg_nlayers);
	else
		(void)snprintf(text, PROGRESS_TEXT_MAXBYTES, "%zu of %zu "
		    "layers, %s of %s", complete, pg->pg_nlayers,
		    docker_pull_size(*done, a), docker_pull_size(*total, b));
}

const char *
docker_pull_size(uint64_t n, char *buf)
{
	static const char *const	 units[] = { "kB", "MB", "GB", "TB" };
	double				 v = (double)n / 1000;
	size_t				 i;

	for (i = 0; v >= 1000 && i < nitems(units) - 1; i++)
		v /= 1000;
	(void)snprintf(buf, DOCKER_SIZE_MAXBYTES, "%.1f %s", v, units[i]);
	return (buf);
}
