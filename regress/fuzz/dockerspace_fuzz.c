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
 * What the parent says of free space: eight bytes of how much is wanted, then
 * its message.
 */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "dockerspace.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char	 end[] = "remove images, or enlarge it";
	struct dockerspace	 ds;
	struct ibuf		 buf;
	uint64_t		 least;
	size_t			 n;
	char			*copy, why[DOCKERSPACE_WHY_MAXBYTES];

	if (len < sizeof(least) + 1 ||
	    (copy = malloc(len - sizeof(least))) == NULL)
		return (0);
	memcpy(&least, data, sizeof(least));
	len -= sizeof(least);
	memcpy(copy, data + sizeof(least), len);
	ibuf_from_buffer(&buf, copy, len);
	memset(&ds, 0xff, sizeof(ds));
	if (dockerspace_parse(&buf, &ds) == 0) {
		if (strnlen(ds.ds_text, sizeof(ds.ds_text)) ==
		    sizeof(ds.ds_text) || ds.ds_known != (copy[0] == 0))
			abort();
		dockerspace_why(&ds, least, why);
		n = strlen(why);
		if ((n > 0) != (ds.ds_known && ds.ds_avail < least))
			abort();
		/* Whole, whatever the directory is called. */
		if (n > 0 && (n < sizeof(end) || strcmp(why + n -
		    (sizeof(end) - 1), end) != 0 ||
		    strstr(why, ds.ds_text) == NULL))
			abort();
	}
	free(copy);
	return (0);
}
