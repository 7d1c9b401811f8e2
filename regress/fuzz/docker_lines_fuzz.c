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

/* Docker's log stream: first byte chooses TTY and the size of the reads. */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "docker_lines.h"
#include "follow.h"
#include "utf8.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
on_line(void *arg, int stream, const char *line, size_t len)
{
	size_t	*n = arg;

	if ((stream != FOLLOW_STDOUT && stream != FOLLOW_STDERR) ||
	    strlen(line) != len || strchr(line, '\n') != NULL ||
	    !utf8_is_valid(line, len) || len + 1 > FOLLOW_TEXT_MAXBYTES)
		abort();
	(*n)++;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct docker_lines	*li;
	size_t			 lines = 0, n, step, total;

	if (len < 1)
		return (0);
	step = (size_t)(data[0] >> 1) * 8 + 1;
	total = len;
	if ((li = docker_lines_new((data[0] & 1) != 0, on_line, &lines)) ==
	    NULL)
		return (0);
	for (data++, len--; len > 0; data += n, len -= n) {
		n = len < step ? len : step;
		if (docker_lines_feed(li, data, n) == -1)
			break;
	}
	docker_lines_end(li);
	docker_lines_free(li);
	if (lines > total + 2)
		abort();
	return (0);
}
