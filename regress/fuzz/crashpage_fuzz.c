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

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Not in the library: it knows processes. */
#include "crashpage.c"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

/* What is left of a process that may have been taken over. */
int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct crash_note	 note;
	uint8_t			 raw[CRASHPAGE_NOTE_LEN] = { 0 };

	(void)crashpage_read(data, len, &note);
	/* Of the right length, so that the fuzzer gets past the first test. */
	if (len > 0)
		memcpy(raw, data, len < sizeof(raw) ? len : sizeof(raw));
	if (crashpage_read(raw, sizeof(raw), &note) != 1)
		return (0);
	if (memchr(note.cr_address, '\0', sizeof(note.cr_address)) == NULL ||
	    memchr(note.cr_host, '\0', sizeof(note.cr_host)) == NULL ||
	    (note.cr_host[0] != '\0' && !hex_is_valid(note.cr_host, 32)))
		abort();
	return (0);
}
