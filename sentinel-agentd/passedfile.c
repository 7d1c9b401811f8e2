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

#include "agentd.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "xmalloc.h"

/* read(2), not pread(2): it is all that the promise "stdio" has. */
uint8_t *
passedfile_read(int fd, size_t max, size_t *len)
{
	uint8_t	*buf;
	ssize_t	 n;
	int	 saved;

	buf = xmalloc(max + 1);
	*len = 0;
	do {
		/* One byte more than wanted tells that there is more. */
		if ((n = read(fd, buf + *len, max + 1 - *len)) > 0)
			*len += (size_t)n;
	} while ((n > 0 && *len <= max) || (n == -1 && errno == EINTR));
	if (n == -1 || *len > max) {
		saved = n == -1 ? errno : EFBIG;
		free(buf);
		errno = saved;
		return (NULL);
	}
	buf[*len] = '\0';
	return (buf);
}
