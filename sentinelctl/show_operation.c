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

const char *const	heads_operation[] = {
	"ID", "SINCE", "HOST", "CONTAINER", "KIND", "STATE", "IMAGE", "BY",
	"TEXT", NULL
};

static enum tone
outcome_tone(const char *outcome)
{
	return (strcmp(outcome, "success") == 0 ? TONE_GOOD :
	    strcmp(outcome, "identical") == 0 || outcome[0] == '\0' ?
	    TONE_PLAIN : TONE_BAD);
}

void
row_operation(struct table *tb, const Sentinel__Ipc__OperationView *v)
{
	char	 text[TEXT_TIME_SIZE];

	text_time(text, v->started_msec / 1000);
	table_add(tb, TONE_PLAIN, v->id);
	table_add(tb, TONE_PLAIN, text);
	table_add(tb, TONE_PLAIN, v->host_name);
	table_add(tb, TONE_PLAIN, v->container);
	table_add(tb, TONE_PLAIN, v->kind);
	if (v->ended_msec != 0)
		table_add(tb, outcome_tone(v->outcome), v->outcome);
	else if (v->percent > 0)
		table_addf(tb, TONE_PLAIN, "%s %u%%", v->phase, v->percent);
	else
		table_add(tb, TONE_PLAIN, v->phase[0] != '\0' ? v->phase :
		    "running");
	table_add(tb, TONE_PLAIN, v->image);
	table_add(tb, TONE_DIM, v->by);
	table_add(tb, TONE_PLAIN, v->ended_msec != 0 ? v->error : v->text);
}

void
text_line(FILE *f, const char *name, const char *text)
{
	if (text[0] == '\0')
		return;
	(void)fprintf(f, "%-11s ", name);
	text_print(f, text, false);
	(void)fputc('\n', f);
}

void
text_operation(FILE *f, const Sentinel__Ipc__OperationView *v)
{
	char	 text[TEXT_TIME_SIZE];

	text_line(f, "operation", v->id);
	text_line(f, "kind", v->kind);
	text_line(f, "host", v->host_name);
	text_line(f, "container", v->container);
	text_line(f, "image", v->image);
	text_time(text, v->started_msec / 1000);
	text_line(f, "since", text);
	text_line(f, "by", v->by);
	if (v->ended_msec == 0) {
		text_line(f, "phase", v->phase[0] != '\0' ? v->phase :
		    "running");
		if (v->percent > 0)
			(void)fprintf(f, "%-11s %u%%\n", "percent",
			    v->percent);
		text_line(f, "progress", v->text);
		return;
	}
	text_time(text, v->ended_msec / 1000);
	text_line(f, "ended", text);
	text_line(f, "outcome", v->outcome);
	text_line(f, "error", v->error);
}
