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

#ifndef CONF_SET_H
#define CONF_SET_H

#include "compat.h"

#include "conf.h"
#include "conf_value.h"

/*
 * Values of struct conf by key number, for file, environment and flags alike.
 * Private to lib/conf*.c.
 */
#define CONF_VALUE_MAXBYTES	4096
#define CONF_PATH_MAXBYTES	1000	/* room for a file name in 1024 */

/*
 * Sets key from text; a list is separated by commas.  The former value is
 * freed only when the new one is right.  Does not touch c_from.
 *	why	CONF_WHY_MAXBYTES, filled on failure; never shows a secret
 * Returns 0 or -1.
 */
int	 conf_set_text(struct conf *, int key, const char *text, char *why);
/* Whether a key of that type holds items, in a struct conf_names. */
bool	 conf_set_is_list(enum conf_key_type);
/* Appends one item to a list; as conf_set_text(). */
int	 conf_set_add_name(struct conf *, int key, const char *text, char *why);
/* Frees the value of a key and makes it "not set"; secrets are wiped. */
void	 conf_set_clear(struct conf *, int key);
/*
 * The value as a YAML node that reads back the same; malloc'd, caller frees.
 * *text is NULL when the key is not set, or when it is a secret.  Returns 0,
 * or -1 with errno ENOMEM.
 */
int	 conf_set_yaml(const struct conf *, int key, char **text);

#endif /* CONF_SET_H */
