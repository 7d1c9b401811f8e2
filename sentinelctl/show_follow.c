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

#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "view_json.h"
#include "xmalloc.h"

#define LINE_MAXBYTES	(1024 * 1024)	/* of JSON */

/* What was left out is no output of the container, so it goes elsewhere. */
void
text_follow(FILE *f, const Sentinel__Ipc__FollowView *v)
{
	if (v->skipped > 0) {
		(void)fflush(f);
		(void)fprintf(stderr, "sentinelctl: %llu lines skipped\n",
		    (unsigned long long)v->skipped);
	}
	text_print(f, v->text, true);
}

static int
json_line(FILE *f, const Sentinel__Ipc__FollowView *v, const char *line)
{
	struct json_gen	*g;
	char		*text;
	size_t		 len;

	if ((g = json_gen_new(LINE_MAXBYTES)) == NULL)
		return (-1);
	view_json_follow(g, v, line);
	text = json_gen_take(g, &len);
	json_gen_free(g);
	if (text == NULL)
		return (-1);
	(void)fprintf(f, "%s\n", text);
	free(text);
	return (0);
}

int
json_follow(FILE *f, const Sentinel__Ipc__FollowView *v)
{
	const char	*p;
	char		*line;
	size_t		 len;
	int		 ret = 0;

	if (v->skipped > 0)
		ret = json_line(f, v, NULL);
	for (p = v->text; ret == 0 && *p != '\0'; p += len + (p[len] != '\0')) {
		len = strcspn(p, "\n");
		line = xcalloc(1, len + 1);
		memcpy(line, p, len);
		ret = json_line(f, v, line);
		free(line);
	}
	return (ret);
}
