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

/* The lines of a pull, cut at any place. */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "docker_progress.h"
#include "json.h"
#include "utf8.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
is_line(const char *s, size_t size)
{
	const char	*p;

	if (strnlen(s, size) == size || !utf8_is_valid(s, strlen(s)))
		abort();
	for (p = s; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			abort();
}

static int
on_line(void *arg, const char *text, size_t len)
{
	struct docker_progress		*pg = arg;
	const struct docker_layer	*ly;
	uint64_t			 done, total;
	size_t				 i, was = pg->pg_nlayers;
	int				 rc;
	char				 what[PROGRESS_TEXT_MAXBYTES];

	rc = docker_progress_line(pg, text, len);
	if (rc < -1 || rc > 1 || pg->pg_nlayers > PROGRESS_LAYERS_MAX ||
	    pg->pg_nlayers < was || pg->pg_nlayers > was + 1 ||
	    (rc == 1 && pg->pg_status[0] == '\0'))
		abort();
	is_line(pg->pg_error, sizeof(pg->pg_error));
	docker_progress_text(pg, what, &done, &total);
	is_line(what, sizeof(what));
	if (done > total || (rc == 1 && what[0] == '\0'))
		abort();
	for (i = 0; i < pg->pg_nlayers; i++) {
		ly = &pg->pg_layers[i];
		if (ly->ly_id[0] == '\0' || ly->ly_done > ly->ly_total ||
		    ly->ly_total > total)
			abort();
	}
	return (rc == -1 ? -1 : 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct docker_progress	*pg;
	struct json_splitter	*sp = NULL;
	size_t			 n, step;

	if (len < 1)
		return (0);
	step = (size_t)data[0] + 1;
	if ((pg = calloc(1, sizeof(*pg))) != NULL)
		sp = json_splitter_new(JSON_SPLIT_LINES, 4096, on_line, pg);
	for (data++, len--; sp != NULL && len > 0; data += n, len -= n) {
		n = len < step ? len : step;
		if (json_splitter_feed(sp, data, n) == -1)
			break;
	}
	json_splitter_free(sp);
	free(pg);
	return (0);
}
