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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf.h"
#include "conf_set.h"

#define COMMENT_COLUMN	48

static int	 print_sections(FILE *, const char *, const char *);
static int	 print_key(FILE *, const struct conf *, int);

/* The table keeps the keys of a section together. */
int
conf_print(const struct conf *c, FILE *f)
{
	const char	*last = "";
	int		 key;

	for (key = 0; key < CONF_NKEYS; key++) {
		if (print_sections(f, last, conf_keys[key].ck_name) == -1 ||
		    print_key(f, c, key) == -1)
			return (-1);
		last = conf_keys[key].ck_name;
	}
	return (fflush(f) == EOF ? -1 : 0);
}

/* The section lines that lead from the key last to the key name. */
static int
print_sections(FILE *f, const char *last, const char *name)
{
	const char	*dot, *start = name;
	int		 depth = 0;
	bool		 same = true;

	while ((dot = strchr(start, '.')) != NULL) {
		if (same && strncmp(last, name, (size_t)(dot + 1 - name)) != 0)
			same = false;
		if (!same && fprintf(f, "%*s%.*s:\n", depth * 2, "",
		    (int)(dot - start), start) < 0)
			return (-1);
		depth++;
		start = dot + 1;
	}
	return (0);
}

static int
print_key(FILE *f, const struct conf *c, int key)
{
	char		 from[1100];
	const char	*name = conf_keys[key].ck_name, *p;
	char		*text;
	int		 depth = 0, len, rv;

	for (p = name; (p = strchr(p, '.')) != NULL; p++)
		depth++;
	p = depth == 0 ? name : strrchr(name, '.') + 1;
	if (conf_set_yaml(c, key, &text) == -1)
		return (-1);
	(void)conf_from_text(c, key, from, sizeof(from));
	if (text == NULL) {
		/* A comment, so that what is printed can be read again. */
		rv = fprintf(f, "%*s# %s: %s%s\n", depth * 2, "", p,
		    c->c_from[key].cf_origin == CONF_O_DEFAULT ? "not set" :
		    "set, not shown; ", c->c_from[key].cf_origin ==
		    CONF_O_DEFAULT ? "" : from);
		return (rv < 0 ? -1 : 0);
	}
	len = fprintf(f, "%*s%s: %s", depth * 2, "", p, text);
	free(text);
	if (len < 0)
		return (-1);
	rv = fprintf(f, "%*s# %s\n", len < COMMENT_COLUMN ?
	    COMMENT_COLUMN - len : 1, "", from);
	return (rv < 0 ? -1 : 0);
}
