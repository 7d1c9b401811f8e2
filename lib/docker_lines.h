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

#ifndef DOCKER_LINES_H
#define DOCKER_LINES_H

#include "compat.h"

#include <sys/types.h>

/*
 * A container's output as Docker streams it, pure: pieces of frames, lines.
 * With a TTY there are no frames, and everything is stdout.
 */
#define DOCKER_FRAME_HEADER	8	/* stream, 0, 0, 0, length32 */

struct docker_frame {
	bool		 fr_tty;
	uint8_t		 fr_head[DOCKER_FRAME_HEADER];
	size_t		 fr_headlen;
	uint32_t	 fr_left;	/* of the current frame */
	int		 fr_stream;	/* FOLLOW_STDOUT, FOLLOW_STDERR */
};

/*
 * The next piece of payload: *p and *len move to its beginning; the caller
 * moves them behind it.  Its length, 0: there is none, -1 with EINVAL: these
 * are no frames.
 */
ssize_t	 docker_frame_next(struct docker_frame *, const uint8_t **p,
	    size_t *len);

/*
 * One line without its end, valid UTF-8 without NUL, lent, len bytes.  One
 * that was longer than FOLLOW_LINE_MAXBYTES is cut there and ends with
 * DOCKER_LINE_CUT; what is behind that up to its end is dropped.
 */
#define DOCKER_LINE_CUT		" [line cut at 16 KiB]"
typedef void (*docker_line_cb)(void *, int stream, const char *line,
	    size_t len);

struct docker_lines;
struct docker_lines *docker_lines_new(bool tty, docker_line_cb, void *arg);
void	 docker_lines_free(struct docker_lines *);
/* -1 EINVAL: bad frame.  ENOMEM. */
int	 docker_lines_feed(struct docker_lines *, const uint8_t *, size_t);
/* Docker has ended: what has no end of line is a line as well. */
void	 docker_lines_end(struct docker_lines *);

#endif /* DOCKER_LINES_H */
