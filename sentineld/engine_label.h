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

#ifndef ENGINE_LABEL_H
#define ENGINE_LABEL_H

#include "compat.h"

/*
 * Labels of hosts: "key=value", sorted by key, at most HOST_LABELS_MAX.  An
 * operator sets them one by one, and a token gives some to whoever enrols
 * with it.
 */
#define LABEL_RULE	"a label is KEY=VALUE: the key of 1 to %d letters, " \
			"digits and . _ / -, the value of 1 to %d bytes"
/* Bytes of the key of a well-formed "key=value" or "key=", else 0. */
size_t	 label_key(const char *);
/* Well-formed, and with a value. */
bool	 label_is_whole(const char *);
/*
 * Puts a well-formed label into a list with room for HOST_LABELS_MAX, at its
 * place; "key=" takes it away.  The label is lent.  1 changed, 0 it was so
 * already, -1 with ENOENT (none to take away) or ENOSPC.
 */
int	 label_merge(char **list, size_t *n, const char *label);

#endif /* ENGINE_LABEL_H */
