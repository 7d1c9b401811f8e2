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
/*
 * Hooks as labels ask for them: first byte chooses a command or an object of
 * labels.
 */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "docker_hook.h"
#include "json.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
fuzz_labels(const char *text, size_t len)
{
	static const enum hook_phase	 phases[] = { HOOK_PRE, HOOK_POST };
	struct hook			 hk;
	struct json			*js;
	char				 why[HOOK_REASON_MAXBYTES];
	size_t				 i;
	int				 rc;

	if ((js = json_parse(text, len, NULL, 0)) == NULL)
		return;
	for (i = 0; i < nitems(phases); i++) {
		memset(&hk, 0, sizeof(hk));
		why[0] = '\0';
		rc = hook_from_labels(&hk, json_root(js), phases[i], why,
		    sizeof(why));
		if (rc == -1 && why[0] == '\0')
			abort();
		hook_free(&hk);
	}
	json_free(js);
}

static void
fuzz_argv(const char *text)
{
	char	*argv[EXEC_ARGS_MAX], why[HOOK_REASON_MAXBYTES] = "";
	bool	 shell = false;
	int	 i, n;

	n = hook_argv(text, argv, &shell, why, sizeof(why));
	if (n > EXEC_ARGS_MAX || (n < 0 && why[0] == '\0') ||
	    (n > 0 && shell && (n != 1 || strcmp(argv[0], text) != 0)))
		abort();
	for (i = 0; i < n; i++)
		if (argv[i] == NULL)
			abort();
	if (n > 0)
		hook_argv_free(argv, n);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char	*text;

	if (len == 0 || (text = malloc(len)) == NULL)
		return (0);
	memcpy(text, data + 1, len - 1);
	text[len - 1] = '\0';
	if ((data[0] & 1) != 0)
		fuzz_labels(text, len - 1);
	else
		fuzz_argv(text);
	free(text);
	return (0);
}
