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

const char *const	heads_history[] = {
	"TIME", "HOST", "CONTAINER", "ACTION", "OUTCOME", "IMAGE", "ORIGIN",
	"ERROR", NULL
};

void
row_history(struct table *tb, const Sentinel__Ipc__HistoryView *v)
{
	enum tone	 tone = TONE_PLAIN;
	char		 text[TEXT_TIME_SIZE];

	if (strcmp(v->outcome, "success") == 0)
		tone = TONE_GOOD;
	else if (strcmp(v->outcome, "failed") == 0 ||
	    strcmp(v->outcome, "rollback") == 0 ||
	    strcmp(v->outcome, "lost") == 0)
		tone = TONE_BAD;
	text_time(text, v->time_msec / 1000);
	table_add(tb, TONE_PLAIN, text);
	table_add(tb, TONE_PLAIN, v->host_name);
	table_add(tb, TONE_PLAIN, v->container);
	table_add(tb, TONE_PLAIN, v->action);
	table_add(tb, tone, v->outcome);
	if (v->old_image[0] != '\0' && v->new_image[0] != '\0' &&
	    strcmp(v->old_image, v->new_image) != 0)
		table_addf(tb, TONE_PLAIN, "%s -> %s", v->old_image,
		    v->new_image);
	else
		table_add(tb, TONE_PLAIN, v->new_image[0] != '\0' ?
		    v->new_image : v->old_image);
	table_add(tb, TONE_DIM, v->origin);
	table_add(tb, TONE_PLAIN, v->error);
}
