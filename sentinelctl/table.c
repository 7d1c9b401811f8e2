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

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "utf8.h"
#include "xmalloc.h"

#define CELL_MAX	512		/* bytes of safe text */
#define COLUMN_GAP	2

struct cell {
	char		*ce_text;
	size_t		 ce_width;
	enum tone	 ce_tone;
};

struct table {
	size_t		 tb_columns;
	size_t		*tb_width;
	struct cell	*tb_cells;
	size_t		 tb_ncells;
	size_t		 tb_size;
	bool		 tb_colour;
};

static const char *const	tones[] = {
	[TONE_PLAIN] = "", [TONE_GOOD] = "\033[32m", [TONE_BAD] = "\033[31m",
	[TONE_DIM] = "\033[2m"
};

struct table *
table_new(const char *const *heads, bool colour)
{
	struct table	*tb;
	size_t		 i;

	tb = xcalloc(1, sizeof(*tb));
	tb->tb_colour = colour;
	while (heads[tb->tb_columns] != NULL)
		tb->tb_columns++;
	tb->tb_width = xcalloc(tb->tb_columns, sizeof(*tb->tb_width));
	for (i = 0; i < tb->tb_columns; i++)
		table_add(tb, TONE_DIM, heads[i]);
	return (tb);
}

void
table_add(struct table *tb, enum tone tone, const char *text)
{
	struct cell	*ce;
	char		 safe[CELL_MAX];
	size_t		 column = tb->tb_ncells % tb->tb_columns;

	if (tb->tb_ncells == tb->tb_size) {
		tb->tb_cells = xrecallocarray(tb->tb_cells, tb->tb_size,
		    tb->tb_size == 0 ? 64 : tb->tb_size * 2,
		    sizeof(*tb->tb_cells));
		tb->tb_size = tb->tb_size == 0 ? 64 : tb->tb_size * 2;
	}
	(void)utf8_vis(safe, sizeof(safe), text, strlen(text));
	if (safe[0] == '\0')
		(void)strlcpy(safe, "-", sizeof(safe));
	ce = &tb->tb_cells[tb->tb_ncells++];
	ce->ce_text = xstrdup(safe);
	ce->ce_width = text_width(safe);
	ce->ce_tone = tone;
	if (ce->ce_width > tb->tb_width[column])
		tb->tb_width[column] = ce->ce_width;
}

void
table_addf(struct table *tb, enum tone tone, const char *fmt, ...)
{
	char	 text[CELL_MAX];
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	table_add(tb, tone, text);
}

void
table_print(struct table *tb, FILE *f)
{
	const struct cell	*ce;
	const char		*tone;
	size_t			 i, pad;
	bool			 last;

	for (i = 0; i < tb->tb_ncells; i++) {
		ce = &tb->tb_cells[i];
		last = i % tb->tb_columns == tb->tb_columns - 1;
		tone = tb->tb_colour ? tones[ce->ce_tone] : "";
		pad = last ? 0 : tb->tb_width[i % tb->tb_columns] -
		    ce->ce_width + COLUMN_GAP;
		(void)fprintf(f, "%s%s%s%*s%s", tone, ce->ce_text,
		    *tone == '\0' ? "" : "\033[0m", (int)pad, "",
		    last ? "\n" : "");
	}
}

void
table_free(struct table *tb)
{
	size_t	 i;

	if (tb == NULL)
		return;
	for (i = 0; i < tb->tb_ncells; i++)
		free(tb->tb_cells[i].ce_text);
	free(tb->tb_cells);
	free(tb->tb_width);
	free(tb);
}
