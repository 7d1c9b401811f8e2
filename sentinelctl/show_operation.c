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

static void
line(FILE *f, const char *name, const char *text)
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

	line(f, "operation", v->id);
	line(f, "kind", v->kind);
	line(f, "host", v->host_name);
	line(f, "container", v->container);
	line(f, "image", v->image);
	text_time(text, v->started_msec / 1000);
	line(f, "since", text);
	line(f, "by", v->by);
	if (v->ended_msec == 0) {
		line(f, "phase", v->phase[0] != '\0' ? v->phase : "running");
		if (v->percent > 0)
			(void)fprintf(f, "%-11s %u%%\n", "percent",
			    v->percent);
		line(f, "progress", v->text);
		return;
	}
	text_time(text, v->ended_msec / 1000);
	line(f, "ended", text);
	line(f, "outcome", v->outcome);
	line(f, "error", v->error);
}

static void
detail_container(FILE *f, const Sentinel__Ipc__ContainerView *v)
{
	const Sentinel__Cluster__ContainerInfo	*ci = v->info;
	char					 text[TEXT_TIME_SIZE];
	size_t					 i;

	line(f, "container", ci->name);
	line(f, "host", v->host_name);
	line(f, "id", ci->id);
	line(f, "state", ci->state);
	line(f, "health", ci->health);
	line(f, "image", ci->image);
	line(f, "digest", ci->image_digest);
	if (ci->created != NULL) {
		text_time(text, ci->created->seconds);
		line(f, "created", text);
	}
	for (i = 0; i < ci->n_ports; i++) {
		(void)fprintf(f, "%-11s ", i == 0 ? "ports" : "");
		text_print(f, ci->ports[i]->host_ip, false);
		(void)fprintf(f, ":%u -> %u/", ci->ports[i]->host_port,
		    ci->ports[i]->container_port);
		text_print(f, ci->ports[i]->protocol, false);
		(void)fputc('\n', f);
	}
	text_age(text, v->state_age_sec);
	(void)fprintf(f, "%-11s %s ago%s\n", "seen", text, v->stale ?
	    ", host away" : "");
}

void
text_detail(FILE *f, const Sentinel__Ipc__ContainerDetailView *v, bool colour)
{
	struct table	*tb;
	size_t		 i;

	detail_container(f, v->container);
	if (v->policy != NULL) {
		(void)fprintf(f, "%-11s ", "policy");
		text_print(f, v->policy->policy, false);
		(void)fprintf(f, " (");
		text_print(f, v->policy->origin, false);
		if (v->policy->changed_by[0] != '\0') {
			(void)fprintf(f, ", ");
			text_print(f, v->policy->changed_by, false);
		}
		(void)fprintf(f, ")\n");
	}
	text_quarantine(f, v->quarantine, v->n_quarantine);
	if (v->n_operations > 0) {
		(void)fprintf(f, "\nunder way:\n");
		tb = table_new(heads_operation, colour);
		for (i = 0; i < v->n_operations; i++)
			row_operation(tb, v->operations[i]);
		table_print(tb, f);
		table_free(tb);
	}
	if (v->n_history > 0) {
		(void)fprintf(f, "\nhistory:\n");
		tb = table_new(heads_history, colour);
		for (i = 0; i < v->n_history; i++)
			row_history(tb, v->history[i]);
		table_print(tb, f);
		table_free(tb);
	}
}
