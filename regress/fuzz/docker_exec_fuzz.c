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
/*
 * What an exec of Docker writes, in frames: first byte chooses whether a
 * process id is awaited and the size of the reads.
 */
#include "compat.h"

#include <stdlib.h>

#include "docker_exec.h"

#define OUT_MAX	1024

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct exec_out	*eo;
	char		*text;
	size_t		 n, step;

	if (len < 1)
		return (0);
	step = (size_t)(data[0] >> 1) * 8 + 1;
	if ((eo = exec_out_new((data[0] & 1) != 0, OUT_MAX)) == NULL)
		return (0);
	for (data++, len--; len > 0; data += n, len -= n) {
		n = len < step ? len : step;
		if (exec_out_feed(eo, data, n) == -1)
			break;
		if (exec_out_pid(eo) < 0)
			abort();
	}
	if ((text = exec_out_take(eo, &n)) != NULL && text[n] != '\0')
		abort();
	free(text);
	exec_out_free(eo);
	return (0);
}
