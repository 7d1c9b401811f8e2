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

/* podman's list with the health of containers, cut at any place. */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "docker_item.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static bool
is_word(const char *s)
{
	return (strcmp(s, "healthy") == 0 || strcmp(s, "unhealthy") == 0 ||
	    strcmp(s, "starting") == 0);
}

/* Who has a health is found, with one that the list says of this id. */
static void
check(const struct docker_healths *hs, const struct json_value *list)
{
	const struct json_value	*v, *o;
	const char		*word, *id;
	bool			 said;

	for (v = list->jv_child; v != NULL; v = v->jv_next) {
		id = json_get_str(v, "Id");
		word = docker_healths_get(hs, id);
		if (word[0] == '\0') {
			if (docker_id_ok(id) && is_word(json_get_str(v,
			    "Status")))
				abort();
			continue;
		}
		for (said = false, o = list->jv_child; o != NULL;
		    o = o->jv_next)
			said |= strcmp(json_get_str(o, "Id"), id) == 0 &&
			    strcmp(json_get_str(o, "Status"), word) == 0;
		if (!said || !is_word(word))
			abort();
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct docker_healths	*hs;
	struct json		*js;
	const char		*error;
	size_t			 i, n, step;
	int			 rc = 0;

	if (len < 1 || (hs = docker_healths_new()) == NULL)
		return (0);
	step = (size_t)data[0] + 1;
	for (i = 1; i < len && rc == 0; i += n) {
		n = len - i < step ? len - i : step;
		rc = docker_healths_feed(hs, data + i, n);
	}
	error = docker_healths_end(hs);
	if (rc == -1 && error[0] == '\0')
		abort();
	if (error[0] == '\0' && (js = json_parse(data + 1, len - 1, NULL,
	    0)) != NULL) {
		check(hs, json_root(js));
		json_free(js);
	}
	if (docker_healths_get(hs, "x")[0] != '\0')
		abort();
	docker_healths_free(hs);
	return (0);
}
