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

#include "docker_exec.h"

#define OUT_HEADER	8	/* stream, 0, 0, 0, length32 */
#define OUT_STDOUT	1
#define OUT_PID_MAX	12	/* digits and newline */

/*
 * Frames as Docker writes them.  Text goes on to a docker_demux, which keeps
 * the newest; only here stdout and stderr are told apart, because the shell's
 * process id comes on the one and errors may overtake it on the other.
 */
struct exec_out {
	struct docker_demux	*eo_text;
	uint64_t		 eo_total;	/* bytes of text */
	size_t			 eo_max;
	uint8_t			 eo_head[OUT_HEADER];
	size_t			 eo_headlen;
	uint32_t		 eo_left;	/* of the current frame */
	bool			 eo_want;	/* the line is still to come */
	char			 eo_line[OUT_PID_MAX];
	size_t			 eo_linelen;
	long			 eo_pid;
};

struct exec_out *
exec_out_new(bool pid, size_t max)
{
	struct exec_out	*eo;

	if ((eo = calloc(1, sizeof(*eo))) == NULL)
		return (NULL);
	if ((eo->eo_text = docker_demux_new(true, max)) == NULL) {
		free(eo);
		return (NULL);
	}
	eo->eo_max = max;
	eo->eo_want = pid;
	return (eo);
}

void
exec_out_free(struct exec_out *eo)
{
	if (eo == NULL)
		return;
	docker_demux_free(eo->eo_text);
	free(eo);
}

long
exec_out_pid(const struct exec_out *eo)
{
	return (eo->eo_pid);
}

static int
out_text(struct exec_out *eo, const void *p, size_t len)
{
	eo->eo_total += len;
	return (docker_demux_feed(eo->eo_text, p, len));
}

/* The number that /bin/sh wrote before it became the command. */
static int
out_pid(struct exec_out *eo, const uint8_t *p, size_t len, size_t *used)
{
	const char	*errstr;

	for (*used = 0; *used < len; (*used)++) {
		if (p[*used] == '\n') {
			eo->eo_line[eo->eo_linelen] = '\0';
			eo->eo_pid = (long)strtonum(eo->eo_line, 2, INT32_MAX,
			    &errstr);
			eo->eo_want = false;
			(*used)++;
			return (0);
		}
		if (p[*used] < '0' || p[*used] > '9' ||
		    eo->eo_linelen + 1 == sizeof(eo->eo_line)) {
			/* Not ours: then it is text like any other. */
			eo->eo_want = false;
			return (out_text(eo, eo->eo_line, eo->eo_linelen));
		}
		eo->eo_line[eo->eo_linelen++] = (char)p[*used];
	}
	return (0);
}

static int
out_piece(struct exec_out *eo, const uint8_t *p, size_t len)
{
	size_t	 used = 0;

	if (eo->eo_want && eo->eo_head[0] == OUT_STDOUT &&
	    out_pid(eo, p, len, &used) == -1)
		return (-1);
	return (used == len ? 0 : out_text(eo, p + used, len - used));
}

static int
out_header(struct exec_out *eo)
{
	const uint8_t	*h = eo->eo_head;

	if (h[0] > 2 || h[1] != 0 || h[2] != 0 || h[3] != 0) {
		errno = EINVAL;
		return (-1);
	}
	eo->eo_left = (uint32_t)h[4] << 24 | (uint32_t)h[5] << 16 |
	    (uint32_t)h[6] << 8 | h[7];
	eo->eo_headlen = 0;
	return (0);
}

int
exec_out_feed(struct exec_out *eo, const uint8_t *p, size_t len)
{
	size_t	 n;

	while (len > 0) {
		if (eo->eo_left == 0) {
			eo->eo_head[eo->eo_headlen++] = *p++;
			len--;
			if (eo->eo_headlen == OUT_HEADER &&
			    out_header(eo) == -1)
				return (-1);
			continue;
		}
		n = len < eo->eo_left ? len : eo->eo_left;
		if (out_piece(eo, p, n) == -1)
			return (-1);
		p += n;
		len -= n;
		eo->eo_left -= (uint32_t)n;
	}
	return (0);
}

char *
exec_out_take(struct exec_out *eo, size_t *len)
{
	char	*text, *marked;
	int	 n;

	if ((text = docker_demux_take(eo->eo_text, len)) == NULL ||
	    eo->eo_total <= eo->eo_max)
		return (text);
	n = asprintf(&marked, "[of %llu bytes only the last are kept]\n%s",
	    (unsigned long long)eo->eo_total, text);
	free(text);
	if (n == -1)
		return (NULL);
	*len = (size_t)n;
	return (marked);
}
