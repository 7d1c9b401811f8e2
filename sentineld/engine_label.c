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

#include "engine_label.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include "engine.h"
#include "pbcheck.h"

size_t
label_key(const char *label)
{
	size_t	 key, value;

	for (key = 0; isalnum((unsigned char)label[key]) || (key > 0 &&
	    label[key] != '\0' && strchr("._/-", label[key]) != NULL); key++)
		;
	if (key == 0 || key > HOST_LABEL_KEY_MAX || label[key] != '=')
		return (0);
	value = strlen(label + key + 1);
	return (value <= HOST_LABEL_VALUE_MAX && pbcheck_has_set(PB_LINE,
	    (const uint8_t *)label + key + 1, value) ? key : 0);
}

bool
label_is_whole(const char *label)
{
	size_t	 key = label_key(label);

	return (key > 0 && label[key + 1] != '\0');
}

int
label_merge(char **list, size_t *n, const char *label)
{
	size_t	 i, key = label_key(label), at = *n;
	bool	 set = label[key + 1] != '\0';

	for (i = 0; i < *n; i++) {
		if (strncmp(list[i], label, key + 1) == 0)
			at = i;
	}
	if (set && at < *n && strcmp(list[at], label) == 0)
		return (0);
	errno = set ? ENOSPC : ENOENT;
	if (at == *n && (!set || *n == HOST_LABELS_MAX))
		return (-1);
	if (at < *n) {
		memmove(&list[at], &list[at + 1],
		    (*n - at - 1) * sizeof(*list));
		(*n)--;
	}
	if (set) {
		for (i = (*n)++; i > 0 && strcmp(list[i - 1], label) > 0; i--)
			list[i] = list[i - 1];
		/* protobuf-c has no const strings. */
		list[i] = (char *)(uintptr_t)label;
	}
	return (1);
}
