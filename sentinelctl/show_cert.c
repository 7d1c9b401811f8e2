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

#include <string.h>

#include "ctl.h"

#define SERIAL_SHOWN	12		/* hex characters */

const char *const	heads_cert[] = {
	"KIND", "SUBJECT", "STATE", "SERIAL", "NOT BEFORE", "NOT AFTER",
	"RENEWAL", "WHY", NULL
};

void
row_cert(struct table *tb, const Sentinel__Ipc__CertView *v)
{
	const int64_t	 times[] = { v->not_before, v->not_after,
			    v->renew_at };
	char		 text[TEXT_TIME_SIZE];
	size_t		 i;

	table_add(tb, TONE_PLAIN, v->kind);
	table_add(tb, TONE_PLAIN, v->host_name[0] != '\0' ? v->host_name :
	    v->subject);
	table_add(tb, strcmp(v->state, "current") == 0 ? TONE_GOOD :
	    strcmp(v->state, "pending") == 0 ? TONE_PLAIN : TONE_BAD,
	    v->state);
	table_addf(tb, TONE_PLAIN, "%.*s", SERIAL_SHOWN, v->serial);
	for (i = 0; i < nitems(times); i++) {
		text_time(text, times[i]);
		table_add(tb, TONE_PLAIN, text);
	}
	table_add(tb, TONE_PLAIN, v->reason);
}
