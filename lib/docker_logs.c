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

#include <stdlib.h>
#include <string.h>

#include "docker_api.h"
#include "docker_lines.h"

/*
 * Frames of one container's output in the order Docker wrote them; stdout and
 * stderr are not told apart.  Only the newest bytes are kept.
 */
struct docker_demux {
	struct docker_frame	 dx_frame;
	char			*dx_buf;
	size_t			 dx_len;
	size_t			 dx_size;
	size_t			 dx_max;
	bool			 dx_cut;	/* the oldest were dropped */
};

struct docker_demux *
docker_demux_new(bool tty, size_t max)
{
	struct docker_demux	*dx;

	if ((dx = calloc(1, sizeof(*dx))) == NULL)
		return (NULL);
	dx->dx_frame.fr_tty = tty;
	dx->dx_max = max;
	return (dx);
}

void
docker_demux_free(struct docker_demux *dx)
{
	if (dx == NULL)
		return;
	free(dx->dx_buf);
	free(dx);
}

/* Room for twice the maximum, so that moving costs little per byte. */
static int
demux_keep(struct docker_demux *dx, const uint8_t *p, size_t len)
{
	size_t	 size = dx->dx_size;
	char	*buf;

	if (len > dx->dx_max) {
		p += len - dx->dx_max;
		len = dx->dx_max;
		dx->dx_cut = true;
	}
	if (dx->dx_len + len > 2 * dx->dx_max) {
		memmove(dx->dx_buf, dx->dx_buf + dx->dx_len - dx->dx_max,
		    dx->dx_max);
		dx->dx_len = dx->dx_max;
		dx->dx_cut = true;
	}
	while (dx->dx_len + len > size)
		size = size == 0 ? 4096 : size * 2;
	if (size != dx->dx_size) {
		if ((buf = realloc(dx->dx_buf, size)) == NULL)
			return (-1);
		dx->dx_buf = buf;
		dx->dx_size = size;
	}
	if (len > 0)
		memcpy(dx->dx_buf + dx->dx_len, p, len);
	dx->dx_len += len;
	return (0);
}

int
docker_demux_feed(struct docker_demux *dx, const uint8_t *p, size_t len)
{
	ssize_t	 n;

	while ((n = docker_frame_next(&dx->dx_frame, &p, &len)) > 0) {
		if (demux_keep(dx, p, (size_t)n) == -1)
			return (-1);
		p += n;
		len -= (size_t)n;
	}
	return (n == -1 ? -1 : 0);
}

char *
docker_demux_take(struct docker_demux *dx, size_t *outlen)
{
	char	*text, *nl;
	size_t	 len, skip;

	if ((text = json_repair(dx->dx_buf == NULL ? "" : dx->dx_buf,
	    dx->dx_len, &len)) == NULL)
		return (NULL);
	skip = len > dx->dx_max ? len - dx->dx_max : 0;
	if (skip > 0 || dx->dx_cut) {
		/* Begin at a line, or at least at a character. */
		if ((nl = memchr(text + skip, '\n', len - skip)) != NULL &&
		    nl + 1 < text + len)
			skip = (size_t)(nl + 1 - text);
		else
			while (skip < len &&
			    ((unsigned char)text[skip] & 0xc0) == 0x80)
				skip++;
		memmove(text, text + skip, len - skip + 1);
		len -= skip;
	}
	*outlen = len;
	return (text);
}
