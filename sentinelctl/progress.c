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

#include "ctl.h"
#include "docker_self.h"
#include "utf8.h"
#include "xmalloc.h"

#define LINE_MAX_BYTES	1024
#define COLUMNS_DEFAULT	80

struct progress {
	FILE	*pg_file;
	bool	 pg_tty;
	size_t	 pg_columns;
	bool	 pg_shown;		/* a line is to be written over */
	char	 pg_last[LINE_MAX_BYTES];
};

struct progress *
progress_new(FILE *f, bool tty, int columns)
{
	struct progress	*pg;

	pg = xcalloc(1, sizeof(*pg));
	pg->pg_file = f;
	pg->pg_tty = tty;
	pg->pg_columns = columns < 10 ? COLUMNS_DEFAULT : (size_t)columns;
	return (pg);
}

void
progress_step(struct progress *pg, const Sentinel__Ipc__ProgressView *v)
{
	char	 line[LINE_MAX_BYTES], phase[128], text[512], percent[16] = "";
	/* Perhaps the last that there is: where to look for the end. */
	bool	 stays = strcmp(v->phase, SELF_PHASE) == 0;

	(void)utf8_vis(phase, sizeof(phase), v->phase, strlen(v->phase));
	(void)utf8_vis(text, sizeof(text), v->text, strlen(v->text));
	/* In a file, one line a phase: percents would fill it. */
	if (pg->pg_tty && v->percent > 0)
		(void)snprintf(percent, sizeof(percent), " %3u%%",
		    v->percent);
	(void)snprintf(line, sizeof(line), "%s%s%s%s", phase, percent,
	    (pg->pg_tty || stays) && text[0] != '\0' ? ": " : "",
	    pg->pg_tty || stays ? text : "");
	if (strcmp(line, pg->pg_last) == 0)
		return;
	(void)strlcpy(pg->pg_last, line, sizeof(pg->pg_last));
	if (stays)
		(void)fprintf(pg->pg_file, "%s%s\n", pg->pg_tty ?
		    "\r\033[K" : "", line);
	else if (pg->pg_tty) {
		/* The last column would wrap on some terminals. */
		text_cut(line, pg->pg_columns - 1);
		(void)fprintf(pg->pg_file, "\r%s\033[K", line);
	} else
		(void)fprintf(pg->pg_file, "%s\n", line);
	pg->pg_shown = pg->pg_tty && !stays;
	(void)fflush(pg->pg_file);
}

void
progress_clear(struct progress *pg)
{
	if (!pg->pg_shown)
		return;
	(void)fprintf(pg->pg_file, "\r\033[K");
	(void)fflush(pg->pg_file);
	pg->pg_shown = false;
}

void
progress_free(struct progress *pg)
{
	if (pg == NULL)
		return;
	progress_clear(pg);
	free(pg);
}
