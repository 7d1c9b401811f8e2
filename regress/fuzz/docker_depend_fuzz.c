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
 * Who depends on whom: {"list": [...], "inspect": [...]} as Docker answers.
 */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "docker_depend.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static void
fuzz_users(struct depend *dd, const char *id, bool ordered)
{
	struct depend_user	 users[DEPEND_USERS_MAX];
	char			 err[512] = "";
	ssize_t			 i, j, n;

	n = depend_users(dd, id, ordered, users, err, sizeof(err));
	if (n > DEPEND_USERS_MAX || (n == -1 && err[0] == '\0'))
		abort();
	for (i = 0; i < n; i++) {
		if (strcmp(users[i].du_id, id) == 0 || users[i].du_why == 0)
			abort();
		for (j = 0; j < i; j++)
			if (strcmp(users[i].du_id, users[j].du_id) == 0)
				abort();
		(void)depend_why_text(users[i].du_why);
	}
}

/* Docker names each id once. */
static bool
is_twice(const struct json_value *v)
{
	const struct json_value	*o;

	for (o = v->jv_next; o != NULL; o = o->jv_next)
		if (strcmp(json_get_str(o, "Id"), json_get_str(v, "Id")) == 0)
			return (true);
	return (false);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	const struct json_value	*v;
	struct json		*js;
	struct depend		*dd;
	const char		*id;

	if ((js = json_parse(data, len, NULL, 0)) == NULL)
		return (0);
	if ((dd = depend_new()) == NULL)
		goto out;
	v = json_get(json_root(js), "list");
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		if (depend_add(dd, v) == -1 || is_twice(v))
			goto out;
	v = json_get(json_root(js), "inspect");
	v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL;
	while (depend_next(dd) != NULL) {
		if (depend_inspected(dd, v) == -1)
			goto out;
		if (v != NULL)
			v = v->jv_next;
	}
	v = json_get(json_root(js), "list");
	if (json_is(v, JSON_ARRAY) && v->jv_child != NULL) {
		id = json_get_str(v->jv_child, "Id");
		fuzz_users(dd, id, false);
		fuzz_users(dd, id, true);
	}
out:
	depend_free(dd);
	json_free(js);
	return (0);
}
