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

/* JSON as a document, as a stream of values, and written again. */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "utf8.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static const uint8_t	*text;
static size_t		 textlen;

static void
check(const struct json_value *jv, unsigned int depth)
{
	if (depth > JSON_DEPTH_MAX)
		abort();
	for (; jv != NULL; jv = jv->jv_next) {
		if (jv->jv_rawlen == 0 || jv->jv_rawlen > textlen)
			abort();
		if (jv->jv_type == JSON_STRING &&
		    (jv->jv_str[jv->jv_strlen] != '\0' || jv->jv_raw[0] != '"'
		    || jv->jv_raw[jv->jv_rawlen - 1] != '"'))
			abort();
		check(jv->jv_child, depth + 1);
	}
}

/* A value written as it was must parse to the same value. */
static void
round_trip(const struct json *js)
{
	struct json_gen	*jg = json_gen_new(JSON_DOC_MAXBYTES);
	struct json	*again;
	char		*out;
	size_t		 len;

	if (jg == NULL)
		return;
	json_gen_value(jg, json_root(js));
	if ((out = json_gen_take(jg, &len)) == NULL)
		abort();
	if ((again = json_parse(out, len, NULL, 0)) == NULL ||
	    !json_equal(json_root(js), json_root(again)))
		abort();
	json_free(again);
	free(out);
	json_gen_free(jg);
}

static int
on_value(void *arg, const char *s, size_t len)
{
	(void)arg;
	json_free(json_parse(s, len, NULL, 0));
	return (0);
}

static void
split(enum json_split kind, size_t step)
{
	struct json_splitter	*sp;
	size_t			 i, n;

	if ((sp = json_splitter_new(kind, 4096, on_value, NULL)) == NULL)
		return;
	for (i = 0; i < textlen; i += n) {
		n = textlen - i < step ? textlen - i : step;
		if (json_splitter_feed(sp, text + i, n) == -1)
			break;
	}
	if (i >= textlen)
		(void)json_splitter_end(sp);
	json_splitter_free(sp);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct json	*js;
	char		*fixed;
	size_t		 len;
	char		 err[64];

	text = data;
	textlen = size;
	if ((js = json_parse(data, size, err, sizeof(err))) != NULL) {
		check(json_root(js), 0);
		round_trip(js);
		json_free(js);
	}
	split(JSON_SPLIT_ARRAY, 7);
	split(JSON_SPLIT_LINES, 4096);
	if ((fixed = json_repair(data, size, &len)) != NULL &&
	    (!utf8_is_valid(fixed, len) || strlen(fixed) != len))
		abort();
	free(fixed);
	return (0);
}
