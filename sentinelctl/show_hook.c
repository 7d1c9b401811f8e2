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

/* Hooks, for people. */
const char *const	heads_hook[] = {
	"HOST", "CONTAINER", "PHASE", "TIME", "FROM", "COMMAND", "NOTE", NULL
};

void
row_hook(struct table *tb, const Sentinel__Ipc__HookView *v)
{
	const char	*note = v->unused ? "not used: the label counts" :
			    v->rollback ? "its failure goes back" : "";

	table_add(tb, TONE_PLAIN, v->host_name);
	table_add(tb, TONE_PLAIN, v->container);
	table_add(tb, TONE_PLAIN, v->phase);
	if (v->timeout_sec == 0)
		table_add(tb, TONE_DIM, "-");
	else
		table_addf(tb, TONE_PLAIN, "%us", v->timeout_sec);
	table_add(tb, TONE_PLAIN, v->origin);
	table_add(tb, TONE_PLAIN, v->command);
	table_add(tb, v->error[0] != '\0' ? TONE_BAD : TONE_DIM,
	    v->error[0] != '\0' ? v->error : note);
}

void
text_hook(FILE *f, const Sentinel__Ipc__HookView *v)
{
	size_t	 len = strlen(v->output);

	text_print(f, v->output, true);
	if (len > 0 && v->output[len - 1] != '\n')
		(void)fputc('\n', f);
	text_print(f, v->host_name, false);
	(void)fputc('/', f);
	text_print(f, v->container, false);
	(void)fprintf(f, ": %s hook: ", v->phase);
	if (v->exit_code >= 0)
		(void)fprintf(f, "exit code %d\n", v->exit_code);
	else
		(void)fprintf(f, "%s\n", v->outcome);
}
