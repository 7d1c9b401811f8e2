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

#include "docker_lines.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "follow.h"
#include "utf8.h"

/* What an invalid byte becomes. */
#define REPAIRED_MAXBYTES	(3 * FOLLOW_LINE_MAXBYTES + \
				sizeof(DOCKER_LINE_CUT))

/* A line that is not whole yet. */
struct part {
	uint8_t	*pt_buf;	/* FOLLOW_LINE_MAXBYTES; NULL: never used */
	size_t	 pt_len;
	bool	 pt_cut;	/* it was told; the rest is dropped */
};

struct docker_lines {
	struct docker_frame	 li_frame;
	struct part		 li_part[2];	/* stdout, stderr */
	docker_line_cb		 li_cb;
	void			*li_arg;
	char			*li_text;	/* REPAIRED_MAXBYTES */
};

/* --- frames -------------------------------------------------------------- */

static int
frame_header(struct docker_frame *fr)
{
	const uint8_t	*h = fr->fr_head;

	if (h[0] > 2 || h[1] != 0 || h[2] != 0 || h[3] != 0) {
		errno = EINVAL;
		return (-1);
	}
	fr->fr_stream = h[0] == 2 ? FOLLOW_STDERR : FOLLOW_STDOUT;
	fr->fr_left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 |
	    (uint32_t)h[6] << 8 | h[7];
	fr->fr_headlen = 0;
	return (0);
}

ssize_t
docker_frame_next(struct docker_frame *fr, const uint8_t **p, size_t *len)
{
	size_t	 n;

	if (fr->fr_tty) {
		fr->fr_stream = FOLLOW_STDOUT;
		return ((ssize_t)*len);
	}
	while (*len > 0 && fr->fr_left == 0) {
		fr->fr_head[fr->fr_headlen++] = *(*p)++;
		(*len)--;
		if (fr->fr_headlen == DOCKER_FRAME_HEADER &&
		    frame_header(fr) == -1)
			return (-1);
	}
	n = *len < fr->fr_left ? *len : fr->fr_left;
	fr->fr_left -= (uint32_t)n;
	return ((ssize_t)n);
}

/* --- lines --------------------------------------------------------------- */

struct docker_lines *
docker_lines_new(bool tty, docker_line_cb cb, void *arg)
{
	struct docker_lines	*li;

	if ((li = calloc(1, sizeof(*li))) == NULL ||
	    (li->li_text = malloc(REPAIRED_MAXBYTES)) == NULL) {
		free(li);
		return (NULL);
	}
	li->li_frame.fr_tty = tty;
	li->li_cb = cb;
	li->li_arg = arg;
	return (li);
}

void
docker_lines_free(struct docker_lines *li)
{
	if (li == NULL)
		return;
	free(li->li_part[0].pt_buf);
	free(li->li_part[1].pt_buf);
	free(li->li_text);
	free(li);
}

static struct part *
part_of(struct docker_lines *li, int stream)
{
	return (&li->li_part[stream == FOLLOW_STDERR]);
}

static void
tell(struct docker_lines *li, int stream, bool cut)
{
	struct part	*pt = part_of(li, stream);
	size_t		 len = pt->pt_len;

	/* A terminal's lines end with CR LF. */
	if (!cut && len > 0 && pt->pt_buf[len - 1] == '\r')
		len--;
	/* A character must not become a broken one by the cut. */
	while (cut && len > FOLLOW_LINE_MAXBYTES - 4 &&
	    (pt->pt_buf[len - 1] & 0xc0) == 0x80)
		len--;
	if (cut && pt->pt_buf[len - 1] >= 0xc0)
		len--;
	len = utf8_repair(li->li_text, REPAIRED_MAXBYTES, pt->pt_buf == NULL ?
	    (const uint8_t *)"" : pt->pt_buf, len);
	if (cut) {
		memcpy(li->li_text + len, DOCKER_LINE_CUT,
		    sizeof(DOCKER_LINE_CUT));
		len += sizeof(DOCKER_LINE_CUT) - 1;
	}
	li->li_cb(li->li_arg, stream, li->li_text, len);
	pt->pt_len = 0;
}

/* Bytes without an end of line. */
static int
add(struct docker_lines *li, int stream, const uint8_t *p, size_t len)
{
	struct part	*pt = part_of(li, stream);
	size_t		 room;

	if (len == 0 || pt->pt_cut)
		return (0);
	if (pt->pt_buf == NULL &&
	    (pt->pt_buf = malloc(FOLLOW_LINE_MAXBYTES)) == NULL)
		return (-1);
	room = FOLLOW_LINE_MAXBYTES - pt->pt_len;
	memcpy(pt->pt_buf + pt->pt_len, p, len < room ? len : room);
	pt->pt_len += len < room ? len : room;
	if (len > room) {
		tell(li, stream, true);
		pt->pt_cut = true;
	}
	return (0);
}

static int
feed_piece(struct docker_lines *li, const uint8_t *p, size_t len)
{
	const uint8_t	*nl;
	int		 stream = li->li_frame.fr_stream;
	struct part	*pt = part_of(li, stream);
	size_t		 n;

	for (; len > 0; p += n, len -= n) {
		nl = memchr(p, '\n', len);
		n = nl == NULL ? len : (size_t)(nl - p);
		if (add(li, stream, p, n) == -1)
			return (-1);
		if (nl == NULL)
			continue;
		n++;
		if (!pt->pt_cut)
			tell(li, stream, false);
		pt->pt_cut = false;
	}
	return (0);
}

int
docker_lines_feed(struct docker_lines *li, const uint8_t *p, size_t len)
{
	ssize_t	 n;

	while ((n = docker_frame_next(&li->li_frame, &p, &len)) > 0) {
		if (feed_piece(li, p, (size_t)n) == -1)
			return (-1);
		p += n;
		len -= (size_t)n;
	}
	return (n == -1 ? -1 : 0);
}

void
docker_lines_end(struct docker_lines *li)
{
	int	 stream;

	for (stream = FOLLOW_STDOUT; stream <= FOLLOW_STDERR; stream++) {
		if (part_of(li, stream)->pt_len > 0)
			tell(li, stream, false);
	}
}
