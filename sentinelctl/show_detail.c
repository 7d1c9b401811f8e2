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

/* container show, for people. */

/* When it was started and ended, and what Docker does then. */
static void
detail_life(FILE *f, const Sentinel__Cluster__Detail *d)
{
	char	 text[TEXT_TIME_SIZE];

	if (d->started != NULL) {
		text_time(text, d->started->seconds);
		text_line(f, "started", text);
	}
	/* Of one that runs it is the time before. */
	if (d->finished != NULL && strcmp(d->state, "running") != 0 &&
	    strcmp(d->state, "paused") != 0) {
		text_time(text, d->finished->seconds);
		(void)fprintf(f, "%-11s %s, exit code %d\n", "ended", text,
		    d->exit_code);
	}
	(void)fprintf(f, "%-11s ", "restart");
	text_print(f, d->restart_policy, false);
	if (d->restart_max > 0)
		(void)fprintf(f, ", %u times at most", d->restart_max);
	if (d->restart_count > 0)
		(void)fprintf(f, ", %u times so far", d->restart_count);
	if (d->auto_remove)
		(void)fprintf(f, ", removed when it ends");
	(void)fputc('\n', f);
}

/* The newest row of an update or a rollback. */
static void
detail_last(FILE *f, const Sentinel__Ipc__ContainerDetailView *v)
{
	const Sentinel__Ipc__HistoryView	*r;
	char					 text[TEXT_TIME_SIZE];
	size_t					 i;

	for (i = v->n_history; i > 0; i--) {
		r = v->history[i - 1];
		if (strcmp(r->action, "update") != 0 &&
		    strcmp(r->action, "rollback") != 0)
			continue;
		text_time(text, r->time_msec / 1000);
		(void)fprintf(f, "%-11s ", "last update");
		text_print(f, r->outcome, false);
		(void)fprintf(f, " at %s", text);
		if (strcmp(r->action, "rollback") == 0)
			(void)fprintf(f, ", back on request");
		if (r->error[0] != '\0') {
			(void)fprintf(f, ": ");
			text_print(f, r->error, false);
		}
		(void)fputc('\n', f);
		return;
	}
}

/* Is it an image that the container was rolled back from? */
static bool
detail_is_bad(const Sentinel__Ipc__ContainerDetailView *v,
    const Sentinel__Cluster__KeptImage *ki)
{
	const char	*at = strchr(ki->digest, '@');
	size_t		 i;

	for (i = 0; i < v->n_quarantine; i++)
		if (strcmp(v->quarantine[i]->digest, ki->image_id) == 0 ||
		    (at != NULL && strcmp(v->quarantine[i]->digest, at + 1) ==
		    0))
			return (true);
	return (false);
}

/* What container rollback --to N would bring. */
static void
detail_earlier(FILE *f, const Sentinel__Ipc__ContainerDetailView *v)
{
	const Sentinel__Cluster__KeptImage	*ki;
	char					 text[TEXT_TIME_SIZE];
	size_t					 i;

	for (i = 0; i < v->detail->n_earlier; i++) {
		ki = v->detail->earlier[i];
		(void)fprintf(f, "%-11s %zu: %.19s", i == 0 ? "rollback to" :
		    "", i + 1, ki->image_id);
		if (ki->image[0] != '\0') {
			(void)fprintf(f, " (");
			text_print(f, ki->image, false);
			(void)fputc(')', f);
		}
		if (ki->replaced != NULL) {
			text_time(text, ki->replaced->seconds);
			(void)fprintf(f, ", until %s", text);
		}
		(void)fprintf(f, "%s\n", detail_is_bad(v, ki) ?
		    ", in quarantine" : "");
	}
	if (i == 0)
		text_line(f, "rollback to", "nothing: no earlier image is "
		    "kept");
}

static void
detail_container(FILE *f, const Sentinel__Ipc__ContainerView *v,
    const Sentinel__Cluster__Detail *d)
{
	const Sentinel__Cluster__ContainerInfo	*ci = v->info;
	char					 text[TEXT_TIME_SIZE];
	size_t					 i;

	text_line(f, "container", ci->name);
	text_line(f, "host", v->host_name);
	text_line(f, "id", ci->id);
	text_line(f, "state", d != NULL ? d->state : ci->state);
	text_line(f, "health", d != NULL ? d->health : ci->health);
	text_line(f, "image", d != NULL ? d->image : ci->image);
	if (d != NULL)
		text_line(f, "image id", d->image_id);
	text_line(f, "digest", d != NULL ? d->image_digest :
	    ci->image_digest);
	if (ci->created != NULL) {
		text_time(text, ci->created->seconds);
		text_line(f, "created", text);
	}
	if (d != NULL)
		detail_life(f, d);
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

	detail_container(f, v->container, v->detail);
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
	detail_last(f, v);
	text_quarantine(f, v->quarantine, v->n_quarantine);
	if (v->detail != NULL)
		detail_earlier(f, v);
	else
		text_line(f, "no more", v->detail_error);
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
