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

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include <yajl/yajl_parse.h>

#include "json.h"
#include "utf8.h"

#define JSON_BLOCK	64	/* values allocated at a time */

struct json_block {
	struct json_block	*jb_next;
	struct json_value	 jb_values[JSON_BLOCK];
};

/* A container that is still open while parsing. */
struct json_open {
	struct json_value	*jo_value;
	struct json_value	*jo_last;	/* last child so far */
};

struct json {
	char			*js_text;	/* the document, NUL after */
	size_t			 js_len;
	char			*js_strings;	/* arena of decoded strings */
	size_t			 js_stringslen;
	struct json_block	*js_blocks;	/* newest first */
	size_t			 js_nvalues;
	const struct json_value	*js_root;
	/* only while parsing */
	yajl_handle		 js_yajl;
	struct json_open	 js_open[JSON_DEPTH_MAX];
	size_t			 js_depth;
	size_t			 js_pos;	/* end of the last token */
	const char		*js_key;
	size_t			 js_keylen;
	bool			 js_bad;	/* yajl was too lenient */
	int			 js_errno;
};

static int	 json_on_null(void *);
static int	 json_on_bool(void *, int);
static int	 json_on_number(void *, const char *, size_t);
static int	 json_on_string(void *, const unsigned char *, size_t);
static int	 json_on_key(void *, const unsigned char *, size_t);
static int	 json_on_map(void *);
static int	 json_on_array(void *);
static int	 json_on_end(void *);
static size_t	 json_check_space(struct json *, size_t);
static void	 json_say(char *, size_t, const char *);

static const yajl_callbacks json_callbacks = {
	.yajl_null = json_on_null,
	.yajl_boolean = json_on_bool,
	.yajl_number = json_on_number,
	.yajl_string = json_on_string,
	.yajl_start_map = json_on_map,
	.yajl_map_key = json_on_key,
	.yajl_end_map = json_on_end,
	.yajl_start_array = json_on_array,
	.yajl_end_array = json_on_end
};

static void
json_say(char *err, size_t size, const char *what)
{
	if (err != NULL && size > 0)
		strlcpy(err, what, size);
}

struct json *
json_parse(const void *text, size_t len, char *err, size_t errsize)
{
	struct json	*js = NULL;
	yajl_status	 st;
	int		 error = ENOMEM;
	const char	*what = "out of memory";

	if (len > JSON_DOC_MAXBYTES) {
		json_say(err, errsize, "JSON document too long");
		errno = E2BIG;
		return (NULL);
	}
	if ((js = calloc(1, sizeof(*js))) == NULL)
		goto err;
	/* A decoded string and its NUL are shorter than the quoted one. */
	if ((js->js_text = malloc(len + 1)) == NULL ||
	    (js->js_strings = malloc(len + 1)) == NULL)
		goto err;
	if (len > 0)
		memcpy(js->js_text, text, len);
	js->js_text[len] = '\0';
	js->js_len = len;
	if ((js->js_yajl = yajl_alloc(&json_callbacks, NULL, js)) == NULL)
		goto err;
	st = yajl_parse(js->js_yajl, (const unsigned char *)js->js_text, len);
	if (st == yajl_status_ok)
		st = yajl_complete_parse(js->js_yajl);
	yajl_free(js->js_yajl);
	js->js_yajl = NULL;
	if (st == yajl_status_client_canceled) {
		error = js->js_errno;
		if (error == E2BIG)
			what = "JSON document too deep or too many values";
		goto err;
	}
	(void)json_check_space(js, js->js_pos);
	if (st != yajl_status_ok || js->js_root == NULL || js->js_bad) {
		error = EINVAL;
		what = "not valid JSON";
		goto err;
	}
	return (js);
err:
	json_say(err, errsize, what);
	json_free(js);
	errno = error;
	return (NULL);
}

void
json_free(struct json *js)
{
	struct json_block	*jb;

	if (js == NULL)
		return;
	while ((jb = js->js_blocks) != NULL) {
		js->js_blocks = jb->jb_next;
		free(jb);
	}
	if (js->js_yajl != NULL)
		yajl_free(js->js_yajl);
	/* Environments in inspect answers hold secrets. */
	if (js->js_text != NULL)
		freezero(js->js_text, js->js_len + 1);
	if (js->js_strings != NULL)
		freezero(js->js_strings, js->js_len + 1);
	free(js);
}

const struct json_value *
json_root(const struct json *js)
{
	return (js == NULL ? NULL : js->js_root);
}

/* --- parsing ----------------------------------------------------------- */

static struct json_value *
json_value_new(struct json *js)
{
	struct json_block	*jb;
	size_t			 n = js->js_nvalues % JSON_BLOCK;

	if (js->js_nvalues >= JSON_VALUES_MAX) {
		js->js_errno = E2BIG;
		return (NULL);
	}
	if (n == 0) {
		if ((jb = calloc(1, sizeof(*jb))) == NULL) {
			js->js_errno = ENOMEM;
			return (NULL);
		}
		jb->jb_next = js->js_blocks;
		js->js_blocks = jb;
	}
	js->js_nvalues++;
	return (&js->js_blocks->jb_values[n]);
}

/* yajl takes form feeds and vertical tabs for space; JSON does not. */
static size_t
json_check_space(struct json *js, size_t pos)
{
	while (pos < js->js_len && js->js_text[pos] != '\0' &&
	    strchr(" \t\r\n,:", js->js_text[pos]) != NULL)
		pos++;
	if (pos < js->js_len &&
	    (js->js_text[pos] == '\v' || js->js_text[pos] == '\f'))
		js->js_bad = true;
	return (pos);
}

/*
 * Offset where the token begins that yajl has just consumed: after the last
 * token there can only be space, a comma and a colon.
 */
static size_t
json_token_start(struct json *js)
{
	size_t	 pos = json_check_space(js, js->js_pos);

	js->js_pos = yajl_get_bytes_consumed(js->js_yajl);
	if (js->js_pos > js->js_len)
		js->js_pos = js->js_len;
	if (js->js_pos < pos)
		js->js_pos = pos;
	return (pos);
}

static const char *
json_keep(struct json *js, const void *s, size_t len)
{
	char	*p = js->js_strings + js->js_stringslen;

	/* Cannot happen, see json_parse(); the arena must not overflow. */
	if (len + 1 > js->js_len - js->js_stringslen) {
		js->js_errno = EINVAL;
		return (NULL);
	}
	memcpy(p, s, len);
	p[len] = '\0';
	js->js_stringslen += len + 1;
	return (p);
}

static struct json_value *
json_add(struct json *js, enum json_type type)
{
	struct json_value	*jv;
	struct json_open	*jo;
	size_t			 start;

	if ((jv = json_value_new(js)) == NULL)
		return (NULL);
	start = json_token_start(js);
	jv->jv_type = type;
	jv->jv_raw = js->js_text + start;
	jv->jv_rawlen = js->js_pos - start;
	jv->jv_key = js->js_key;
	jv->jv_keylen = js->js_keylen;
	js->js_key = NULL;
	js->js_keylen = 0;
	if (js->js_depth == 0)
		js->js_root = jv;
	else {
		jo = &js->js_open[js->js_depth - 1];
		if (jo->jo_last == NULL)
			jo->jo_value->jv_child = jv;
		else
			jo->jo_last->jv_next = jv;
		jo->jo_last = jv;
	}
	return (jv);
}

static int
json_on_null(void *arg)
{
	return (json_add(arg, JSON_NULL) != NULL);
}

static int
json_on_bool(void *arg, int is_true)
{
	struct json_value	*jv;

	if ((jv = json_add(arg, JSON_BOOL)) == NULL)
		return (0);
	jv->jv_true = is_true != 0;
	return (1);
}

static int
json_on_number(void *arg, const char *s, size_t len)
{
	struct json		*js = arg;
	struct json_value	*jv;
	size_t			 start;

	(void)s;
	if ((jv = json_add(js, JSON_NUMBER)) == NULL)
		return (0);
	/*
	 * A number ends where something else begins, and a document that is
	 * only a number ends in yajl_complete_parse(), which counts bytes
	 * anew: go by the length of the token.
	 */
	start = (size_t)(jv->jv_raw - js->js_text);
	if (len > js->js_len - start) {
		js->js_errno = EINVAL;
		return (0);
	}
	jv->jv_rawlen = len;
	js->js_pos = start + len;
	return (1);
}

static int
json_on_string(void *arg, const unsigned char *s, size_t len)
{
	struct json		*js = arg;
	struct json_value	*jv;

	if ((jv = json_add(js, JSON_STRING)) == NULL)
		return (0);
	jv->jv_str = json_keep(js, s, len);
	jv->jv_strlen = len;
	return (jv->jv_str != NULL);
}

static int
json_on_key(void *arg, const unsigned char *s, size_t len)
{
	struct json	*js = arg;

	(void)json_token_start(js);
	js->js_key = json_keep(js, s, len);
	js->js_keylen = len;
	return (js->js_key != NULL);
}

static int
json_push(struct json *js, enum json_type type)
{
	struct json_value	*jv;

	if (js->js_depth >= JSON_DEPTH_MAX) {
		js->js_errno = E2BIG;
		return (0);
	}
	if ((jv = json_add(js, type)) == NULL)
		return (0);
	js->js_open[js->js_depth].jo_value = jv;
	js->js_open[js->js_depth].jo_last = NULL;
	js->js_depth++;
	return (1);
}

static int
json_on_map(void *arg)
{
	return (json_push(arg, JSON_OBJECT));
}

static int
json_on_array(void *arg)
{
	return (json_push(arg, JSON_ARRAY));
}

static int
json_on_end(void *arg)
{
	struct json		*js = arg;
	struct json_value	*jv = js->js_open[--js->js_depth].jo_value;

	(void)json_token_start(js);
	jv->jv_rawlen = (size_t)(js->js_text + js->js_pos - jv->jv_raw);
	return (1);
}

/* --- looking things up ------------------------------------------------- */

static const struct json_value *
json_getn(const struct json_value *jv, const char *key, size_t len)
{
	const struct json_value	*v, *found = NULL;

	if (jv == NULL || jv->jv_type != JSON_OBJECT)
		return (NULL);
	for (v = jv->jv_child; v != NULL; v = v->jv_next)
		if (v->jv_keylen == len && memcmp(v->jv_key, key, len) == 0)
			found = v;
	return (found);
}

const struct json_value *
json_get(const struct json_value *jv, const char *key)
{
	return (json_getn(jv, key, strlen(key)));
}

const struct json_value *
json_path(const struct json_value *jv, const char *path)
{
	size_t	 len;

	for (;;) {
		len = strcspn(path, ".");
		jv = json_getn(jv, path, len);
		if (path[len] == '\0')
			return (jv);
		path += len + 1;
	}
}

const char *
json_str(const struct json_value *jv)
{
	if (jv == NULL || jv->jv_type != JSON_STRING ||
	    strlen(jv->jv_str) != jv->jv_strlen)
		return (NULL);
	return (jv->jv_str);
}

const char *
json_get_str(const struct json_value *jv, const char *key)
{
	const char	*s = json_str(json_get(jv, key));

	return (s == NULL ? "" : s);
}

int
json_int(const struct json_value *jv, int64_t *out)
{
	char		 buf[32], *ep;
	long long	 v;

	if (jv == NULL || jv->jv_type == JSON_NULL) {
		errno = ENOENT;
		return (-1);
	}
	if (jv->jv_type != JSON_NUMBER || jv->jv_rawlen == 0) {
		errno = EINVAL;
		return (-1);
	}
	if (jv->jv_rawlen >= sizeof(buf)) {
		errno = ERANGE;
		return (-1);
	}
	memcpy(buf, jv->jv_raw, jv->jv_rawlen);
	buf[jv->jv_rawlen] = '\0';
	errno = 0;
	v = strtoll(buf, &ep, 10);
	if (errno != 0)
		return (-1);
	if (*ep != '\0') {
		errno = EINVAL;
		return (-1);
	}
	*out = v;
	return (0);
}

bool
json_bool(const struct json_value *jv)
{
	return (jv != NULL && jv->jv_type == JSON_BOOL && jv->jv_true);
}

bool
json_is(const struct json_value *jv, enum json_type type)
{
	return (jv != NULL && jv->jv_type == type);
}

bool
json_is_zero(const struct json_value *jv)
{
	if (jv == NULL)
		return (true);
	switch (jv->jv_type) {
	case JSON_NULL:
		return (true);
	case JSON_BOOL:
		return (!jv->jv_true);
	case JSON_NUMBER:
		return (jv->jv_rawlen == 1 && jv->jv_raw[0] == '0');
	case JSON_STRING:
		return (jv->jv_strlen == 0);
	case JSON_ARRAY:
	case JSON_OBJECT:
		return (jv->jv_child == NULL);
	}
	return (false);
}

size_t
json_count(const struct json_value *jv)
{
	const struct json_value	*v;
	size_t			 n = 0;

	if (jv != NULL)
		for (v = jv->jv_child; v != NULL; v = v->jv_next)
			n++;
	return (n);
}

static bool
json_equal_children(const struct json_value *a, const struct json_value *b)
{
	const struct json_value	*x, *y;

	if (json_count(a) != json_count(b))
		return (false);
	if (a->jv_type == JSON_ARRAY) {
		for (x = a->jv_child, y = b->jv_child; x != NULL;
		    x = x->jv_next, y = y->jv_next)
			if (!json_equal(x, y))
				return (false);
		return (true);
	}
	for (x = a->jv_child; x != NULL; x = x->jv_next) {
		y = json_getn(b, x->jv_key, x->jv_keylen);
		if (y == NULL || !json_equal(x, y))
			return (false);
	}
	return (true);
}

bool
json_equal(const struct json_value *a, const struct json_value *b)
{
	if (a == NULL || b == NULL)
		return (a == b);
	if (a->jv_type != b->jv_type)
		return (false);
	switch (a->jv_type) {
	case JSON_NULL:
		return (true);
	case JSON_BOOL:
		return (a->jv_true == b->jv_true);
	case JSON_NUMBER:
		return (a->jv_rawlen == b->jv_rawlen &&
		    memcmp(a->jv_raw, b->jv_raw, a->jv_rawlen) == 0);
	case JSON_STRING:
		return (a->jv_strlen == b->jv_strlen &&
		    memcmp(a->jv_str, b->jv_str, a->jv_strlen) == 0);
	case JSON_ARRAY:
	case JSON_OBJECT:
		return (json_equal_children(a, b));
	}
	return (false);
}

char *
json_repair(const void *src, size_t len, size_t *outlen)
{
	char	*dst, *p;
	size_t	 n;

	/* U+FFFD takes three bytes in the place of one. */
	if (len > JSON_DOC_MAXBYTES || (dst = malloc(3 * len + 1)) == NULL) {
		errno = ENOMEM;
		return (NULL);
	}
	n = utf8_repair(dst, 3 * len + 1, src, len);
	if ((p = realloc(dst, n + 1)) != NULL)
		dst = p;
	if (outlen != NULL)
		*outlen = n;
	return (dst);
}
