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
 * What Docker says of the files of a container: first byte chooses the list
 * of changes, what is at a path, or an archive.
 */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "docker_copied.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static int
on_change(void *arg, const char *text, size_t len)
{
	struct json	*js;
	int		 rc;

	if ((js = json_parse(text, len, NULL, 0)) == NULL)
		return (-1);
	rc = copied_add(arg, json_root(js));
	json_free(js);
	return (rc);
}

static void
fuzz_list(struct copied *cp, const char *text, size_t len, const char *stat)
{
	struct json_splitter	*sp;
	const char		*path;
	size_t			 i;

	sp = json_splitter_new(JSON_SPLIT_ARRAY, COPIED_CHANGE_MAXBYTES,
	    on_change, cp);
	if (sp != NULL && text != NULL)
		(void)json_splitter_feed(sp, text, len);
	json_splitter_free(sp);
	while ((path = copied_next(cp)) != NULL) {
		if (path[0] != '/' || strlen(path) >= COPIED_PATH_MAXBYTES ||
		    strstr(path, "/../") != NULL)
			abort();
		copied_looked(cp, stat);
	}
	if (copied_count(cp) > COPIED_MAX)
		abort();
	for (i = 0; i < copied_count(cp); i++)
		if (copied_path(cp, i)[0] != '/')
			abort();
}

/* What was made of an archive is one, and the same is made of it again. */
static void
fuzz_tar(const char *text, size_t len)
{
	const char	*why = NULL;
	char		*out, *again;
	size_t		 n, m;

	if ((out = copied_tar("/run/secrets/x", 1, text, len, &n,
	    &why)) == NULL) {
		if (why == NULL)
			abort();
		return;
	}
	if (n % 512 != 0 || n > len + 1536 || strcmp(out,
	    "run/secrets/x") != 0)
		abort();
	again = copied_tar("/run/secrets/x", 1, out, n, &m, &why);
	if (again == NULL || m != n || memcmp(out, again, n) != 0)
		abort();
	freezero(out, n);
	freezero(again, m);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	static const char	 inspect[] = "{\"Created\":"
				    "\"2026-03-01T10:00:00Z\",\"Mounts\":"
				    "[{\"Destination\":\"/data\"}]}";
	static const char	 change[] = "[{\"Path\":\"/a\",\"Kind\":1}]";
	static const char	 stat[] = "eyJuYW1lIjoieCIsInNpemUiOjMsIm1vZGU"
				    "iOjQyMCwibXRpbWUiOiIyMDI2LTAzLTAxVDEwOjAw"
				    "OjAwWiJ9";
	struct copied		*cp;
	struct json		*js;
	char			*text;

	if (len == 0 || (text = malloc(len)) == NULL)
		return (0);
	memcpy(text, data + 1, len - 1);
	text[len - 1] = '\0';
	if (data[0] % 3 == 2) {
		fuzz_tar(text, len - 1);
		free(text);
		return (0);
	}
	js = json_parse(inspect, sizeof(inspect) - 1, NULL, 0);
	if ((cp = copied_new(json_root(js), NULL)) != NULL) {
		if (data[0] % 3 == 0)
			fuzz_list(cp, text, len - 1, stat);
		else
			fuzz_list(cp, change, sizeof(change) - 1, text);
	}
	copied_free(cp);
	json_free(js);
	free(text);
	return (0);
}
