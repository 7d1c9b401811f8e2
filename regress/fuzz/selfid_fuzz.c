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

/* The text of /proc/self/mountinfo. */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "selfid.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct selfid	 si;
	char		*text;
	size_t		 n;

	if ((text = malloc(len + 1)) == NULL)
		return (0);
	if (len > 0)
		memcpy(text, data, len);
	text[len] = '\0';
	selfid_parse(&si, text);
	free(text);
	n = strlen(si.sf_id);
	if ((n != 0 && n != SELFID_SIZE - 1) ||
	    strspn(si.sf_id, "0123456789abcdef") != n ||
	    strlen(si.sf_upper) >= sizeof(si.sf_upper))
		abort();
	return (0);
}
