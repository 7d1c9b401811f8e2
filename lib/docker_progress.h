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

#ifndef DOCKER_PROGRESS_H
#define DOCKER_PROGRESS_H

#include "compat.h"

#include "docker_client.h"

/*
 * What Docker says while it pulls: one JSON object a line, about one layer or
 * the whole image.
 *
 * Processes: docker.  Source: docker_progress.c
 */
#define PROGRESS_LAYERS_MAX	256	/* others are not counted */
#define PROGRESS_LAYER_MAXBYTES	(1ULL << 50)	/* of one; more is no size */
#define PROGRESS_TEXT_MAXBYTES	128	/* with NUL */

struct docker_layer {
	char		 ly_id[32];
	uint64_t	 ly_done;	/* <= ly_total */
	uint64_t	 ly_total;	/* 0: not known */
	bool		 ly_complete;
};

/* Zeroed at first. */
struct docker_progress {
	struct docker_layer	 pg_layers[PROGRESS_LAYERS_MAX];
	size_t			 pg_nlayers;
	/* What Docker said last, and why the pull fails, or "": one
	 * line of UTF-8 each. */
	char			 pg_status[PROGRESS_TEXT_MAXBYTES];
	char			 pg_error[DOCKER_ERROR_MAXBYTES];
};

/* A line of len bytes.  1: there is news to tell, 0: there is none, -1: the
 * line is not JSON. */
int	 docker_progress_line(struct docker_progress *, const char *,
	    size_t len);
/* Layers and bytes in words, one line of UTF-8, and the bytes of all layers
 * that are known: *done <= *total. */
void	 docker_progress_text(const struct docker_progress *,
	    char text[PROGRESS_TEXT_MAXBYTES], uint64_t *done,
	    uint64_t *total);
/* Bytes for people: "12.3 MB"; buf of DOCKER_SIZE_MAXBYTES. */
#define DOCKER_SIZE_MAXBYTES	24
const char *docker_pull_size(uint64_t, char *buf);

#endif /* DOCKER_PROGRESS_H */
