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
#include <string.h>

#include "ctl.h"

/* What updates do not take, for people. */
#define DIGEST_COLUMNS	19	/* "sha256:" and 12 digits */

const char *const	heads_quarantine[] = {
	"HOST", "CONTAINER", "DIGEST", "SINCE", "IMAGE", "REASON", NULL
};

void
row_quarantine(struct table *tb, const Sentinel__Ipc__QuarantineView *v)
{
	char	 text[TEXT_TIME_SIZE];

	text_time(text, v->time);
	table_add(tb, TONE_PLAIN, v->host_name);
	table_add(tb, TONE_PLAIN, v->container);
	table_addf(tb, TONE_BAD, "%.*s", DIGEST_COLUMNS, v->digest);
	table_add(tb, TONE_PLAIN, text);
	table_add(tb, TONE_PLAIN, v->image);
	table_add(tb, TONE_PLAIN, v->reason);
}

void
text_quarantine(FILE *f, Sentinel__Ipc__QuarantineView *const *list, size_t n)
{
	char	 text[TEXT_TIME_SIZE];
	size_t	 i;

	for (i = 0; i < n; i++) {
		text_time(text, list[i]->time);
		(void)fprintf(f, "quarantine  %.*s", DIGEST_COLUMNS,
		    list[i]->digest);
		if (list[i]->image[0] != '\0') {
			(void)fprintf(f, " (");
			text_print(f, list[i]->image, false);
			(void)fputc(')', f);
		}
		(void)fprintf(f, " since %s", text);
		if (list[i]->reason[0] != '\0') {
			(void)fprintf(f, ": ");
			text_print(f, list[i]->reason, false);
		}
		(void)fputc('\n', f);
		if (list[i]->applies)
			(void)fprintf(f, "            an update would be "
			    "refused; container update --force, or "
			    "quarantine lift\n");
	}
}
