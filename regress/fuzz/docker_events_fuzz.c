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

/* Docker's events: one, and the stream cut at any place. */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "docker_events.h"
#include "json.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
on_value(void *arg, const char *text, size_t len)
{
	struct docker_event	 ev;
	const char		*p;

	(void)arg;
	if (!docker_event_parse(text, len, &ev))
		return (0);
	/* What goes on to the engine must pass its rules. */
	if (ev.ev_nsec < 0 || ev.ev_action[0] == '\0' ||
	    (ev.ev_image ? ev.ev_id[0] != '\0' : strlen(ev.ev_id) != 64))
		abort();
	for (p = ev.ev_action; *p != '\0'; p++)
		if (*p < ' ' || *p >= 0x7f)
			abort();
	return (0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json_splitter	*sp;
	size_t			 step, i, n;

	(void)on_value(NULL, (const char *)data, size);
	if (size < 2)
		return (0);
	step = 1 + data[0] % 64;
	sp = json_splitter_new(JSON_SPLIT_LINES, 4096, on_value, NULL);
	if (sp == NULL)
		return (0);
	for (i = 1; i < size; i += n) {
		n = size - i < step ? size - i : step;
		if (json_splitter_feed(sp, data + i, n) == -1)
			break;
	}
	json_splitter_free(sp);
	return (0);
}
