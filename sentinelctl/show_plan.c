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

static void
plan_line(FILE *f, const char *head, const char *text)
{
	(void)fprintf(f, "%-*s", head[0] == '\0' ? 2 : 13, head);
	text_print(f, text, false);
	(void)fputc('\n', f);
}

static void
plan_images(FILE *f, const Sentinel__Cluster__Plan *pl)
{
	char	 text[2300];

	(void)snprintf(text, sizeof(text), "%s  %s", pl->old_image,
	    pl->old_image_id);
	plan_line(f, "image now", text);
	(void)snprintf(text, sizeof(text), "%s  %s", pl->new_image,
	    pl->identical ? "the same" : pl->new_image_id[0] != '\0' ?
	    pl->new_image_id : "to be pulled");
	plan_line(f, "image then", text);
	if (pl->identical)
		plan_line(f, "container", "is not touched");
	else if (pl->stop_seconds > 0) {
		(void)snprintf(text, sizeof(text), "%s; it has %u s to end, "
		    "then the new one is started%s", pl->state,
		    pl->stop_seconds, strcmp(pl->state, "paused") == 0 ?
		    " and paused" : "");
		plan_line(f, "container", text);
	} else {
		(void)snprintf(text, sizeof(text), "%s; the new one is not "
		    "started", pl->state);
		plan_line(f, "container", text);
	}
}

/* "-" for what is not there. */
static void
plan_value(FILE *f, const char *value)
{
	text_print(f, value[0] == '\0' ? "-" : value, false);
}

static void
plan_item(FILE *f, const Sentinel__Cluster__PlanItem *it)
{
	(void)fprintf(f, "  %-8s ", it->change);
	text_print(f, it->kind, false);
	(void)fputc(' ', f);
	text_print(f, it->name, false);
	if (strcmp(it->change, "same") == 0) {
		if (it->now[0] != '\0') {
			(void)fprintf(f, ": ");
			plan_value(f, it->now);
		}
	} else {
		(void)fprintf(f, ": ");
		plan_value(f, it->now);
		(void)fprintf(f, " -> ");
		if (strcmp(it->change, "unknown") == 0)
			(void)fprintf(f, "as the new image says");
		else
			plan_value(f, it->then);
	}
	(void)fputc('\n', f);
}

static void
plan_items(FILE *f, const Sentinel__Cluster__Plan *pl, bool same)
{
	size_t	 i;
	bool	 head = false;

	for (i = 0; i < pl->n_items; i++) {
		if ((strcmp(pl->items[i]->change, "same") == 0) != same)
			continue;
		if (!head)
			(void)fprintf(f, same ? "stays\n" : "changes\n");
		head = true;
		plan_item(f, pl->items[i]);
	}
	if (!head && !same && !pl->identical)
		(void)fprintf(f, "changes\n  nothing but the image\n");
}

void
text_plan(FILE *f, const Sentinel__Ipc__PlanView *v)
{
	const Sentinel__Cluster__Plan	*pl = v->plan;
	char				 text[2300];
	size_t				 i;

	if (pl == NULL)
		return;
	(void)snprintf(text, sizeof(text), "%s/%s", v->host_name,
	    v->container);
	plan_line(f, "plan for", text);
	plan_images(f, pl);
	text_quarantine(f, v->quarantine, v->n_quarantine);
	plan_items(f, pl, false);
	plan_items(f, pl, true);
	for (i = 0; i < pl->n_dropped; i++) {
		if (i == 0)
			(void)fprintf(f, "dropped\n");
		(void)snprintf(text, sizeof(text), "%s: %s",
		    pl->dropped[i]->name, pl->dropped[i]->why);
		plan_line(f, "", text);
	}
	for (i = 0; i < pl->n_dependants; i++) {
		if (i == 0)
			(void)fprintf(f, "dependants\n");
		(void)snprintf(text, sizeof(text), "%s (%s) %s",
		    pl->dependants[i]->container_name, pl->dependants[i]->how,
		    pl->dependants[i]->what);
		plan_line(f, "", text);
	}
	for (i = 0; i < pl->n_notes; i++)
		plan_line(f, "note", pl->notes[i]);
}
