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

const char *const	heads_audit[] = {
	"NUMBER", "TIME", "ACTOR", "ACTION", "OUTCOME", "SUBJECT", "TEXT", NULL
};

void
row_audit(struct table *tb, const Sentinel__Ipc__AuditEntryView *v)
{
	char	 text[TEXT_TIME_SIZE];

	table_addf(tb, TONE_DIM, "%llu", (unsigned long long)v->seq);
	text_time(text, v->time_msec / 1000);
	table_add(tb, TONE_PLAIN, text);
	table_add(tb, TONE_PLAIN, v->actor);
	table_add(tb, TONE_PLAIN, v->action);
	table_add(tb, strcmp(v->outcome, "ok") == 0 ? TONE_PLAIN : TONE_BAD,
	    v->outcome);
	table_add(tb, TONE_PLAIN, v->subject);
	table_add(tb, TONE_PLAIN, v->text);
}

/* What is broken is said by the end of the command. */
void
text_chain(FILE *f, const Sentinel__Ipc__AuditChainView *v)
{
	if (v->records == 0) {
		(void)fprintf(f, "no records%s\n",
		    v->broken != 0 ? " that are whole" : "");
		return;
	}
	(void)fprintf(f, "%llu records are whole, %llu to %llu\n",
	    (unsigned long long)v->records, (unsigned long long)v->first,
	    (unsigned long long)v->newest);
	if (v->hash[0] != '\0')
		(void)fprintf(f, "SHA-256 of number %llu: %s\n",
		    (unsigned long long)v->newest, v->hash);
}
