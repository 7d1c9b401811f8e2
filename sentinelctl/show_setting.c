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

/* Run-time settings and policies, for people. */
const char *const	heads_setting[] = {
	"SETTING", "VALUE", "FROM", "DEFAULT", NULL
};
const char *const	heads_policy[] = {
	"HOST", "CONTAINER", "POLICY", "FROM", "NOTE", NULL
};

void
row_setting(struct table *tb, const Sentinel__Ipc__SettingView *v)
{
	char	 when[TEXT_TIME_SIZE];

	table_add(tb, TONE_PLAIN, v->name);
	table_add(tb, TONE_PLAIN, v->value[0] == '\0' ? "-" : v->value);
	if (v->locked)
		table_addf(tb, TONE_PLAIN, "%s (locked)", v->from);
	else if (v->changed_at != 0) {
		text_time(when, v->changed_at);
		table_addf(tb, TONE_PLAIN, "%s%s%s, %s", v->origin,
		    v->from[0] != '\0' ? ", " : "", v->from, when);
	} else
		table_add(tb, TONE_DIM, v->origin);
	table_add(tb, TONE_DIM, v->default_value[0] == '\0' ? "-" :
	    v->default_value);
}

/* What was set and does not count is said, so that nobody wonders. */
void
row_policy(struct table *tb, const Sentinel__Ipc__PolicyView *v)
{
	char	 note[256] = "";

	if (v->label_ignored)
		(void)snprintf(note, sizeof(note), "label \"%s\" is no "
		    "policy, ignored", v->label);
	if (v->override[0] != '\0' && strcmp(v->origin, "override") != 0) {
		(void)strlcat(note, note[0] != '\0' ? "; " : "",
		    sizeof(note));
		(void)strlcat(note, v->override, sizeof(note));
		(void)strlcat(note, " is set, but the label counts",
		    sizeof(note));
	}
	if (v->absent) {
		(void)strlcat(note, note[0] != '\0' ? "; " : "",
		    sizeof(note));
		(void)strlcat(note, "not in the last list", sizeof(note));
	}
	table_add(tb, TONE_PLAIN, v->host_name[0] == '\0' ? "-" :
	    v->host_name);
	table_add(tb, TONE_PLAIN, v->container[0] == '\0' ? "-" :
	    v->container);
	table_add(tb, TONE_PLAIN, v->policy);
	table_add(tb, TONE_PLAIN, v->origin);
	table_add(tb, TONE_DIM, note);
}
