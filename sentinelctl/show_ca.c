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

/* The CA and its replacement. */
static const char *const	heads_ca[] = {
	"HOST", "CONNECTED", "LACKS", "ID", NULL
};

static const char	*next_step(const Sentinel__Ipc__CaView *);

static const char *
next_step(const Sentinel__Ipc__CaView *v)
{
	if (strcmp(v->phase, "prepare") == 0)
		return ("\"ca rotate issue\" once no host lacks the new CA, "
		    "or \"ca rotate abort\"");
	if (strcmp(v->phase, "issue") == 0)
		return ("\"ca rotate drain\" once no host lacks anything");
	if (strcmp(v->phase, "drain") == 0)
		return ("\"ca rotate drop\" once no host lacks anything");
	return ("\"ca rotate drop\" again: it has not been finished");
}

void
text_ca(FILE *f, const Sentinel__Ipc__CaView *v, bool colour)
{
	struct table	*tb;
	char		 text[TEXT_TIME_SIZE];
	size_t		 i;
	bool		 two = v->new_fingerprint[0] != '\0';

	(void)fprintf(f, "%-18s%s\n", two ? "old fingerprint" : "fingerprint",
	    v->fingerprint);
	text_time(text, v->not_after);
	(void)fprintf(f, "%-18s%s\n", "expires", text);
	if (strcmp(v->phase, "none") == 0)
		return;
	(void)fprintf(f, "%-18s%s\n", "new fingerprint", v->new_fingerprint);
	text_time(text, v->new_not_after);
	(void)fprintf(f, "%-18s%s\n", "expires", text);
	text_time(text, v->since);
	(void)fprintf(f, "%-18s%s, since %s by ", "phase", v->phase, text);
	text_print(f, v->by, false);
	(void)fprintf(f, "\n%-18s%s\n", "next", next_step(v));
	if (!v->cross)
		(void)fprintf(f, "%-18sthe old CA has path length 0 and "
		    "cannot vouch for the new one:\n%-18shosts without the "
		    "new CA are cut off by phase issue\n", "note", "");
	(void)fprintf(f, "%-18s%u, %u of them lack something\n", "hosts",
	    v->hosts, v->waiting);
	if (v->n_missing == 0)
		return;
	(void)fputc('\n', f);
	tb = table_new(heads_ca, colour);
	for (i = 0; i < v->n_missing; i++) {
		table_add(tb, TONE_PLAIN, v->missing[i]->name);
		table_add(tb, v->missing[i]->connected ? TONE_GOOD : TONE_BAD,
		    v->missing[i]->connected ? "yes" : "no");
		table_add(tb, TONE_PLAIN, v->missing[i]->missing);
		table_add(tb, TONE_PLAIN, v->missing[i]->id);
	}
	table_print(tb, f);
	table_free(tb);
	if (v->waiting > v->n_missing)
		(void)fprintf(f, "and %u more\n",
		    v->waiting - (unsigned int)v->n_missing);
}
