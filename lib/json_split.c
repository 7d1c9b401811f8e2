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
#include <stdlib.h>

#include "json.h"

/*
 * Only brackets and quotes are counted here; whether a piece is JSON decides
 * json_parse().  So the splitter needs no more than where a value ends.
 */
enum split_state {
	SPLIT_BETWEEN,		/* before a value */
	SPLIT_SCALAR,		/* in a number or word */
	SPLIT_STRING,		/* in a top-level string */
	SPLIT_NESTED,		/* in an object or array */
	SPLIT_NESTED_STRING,
	SPLIT_AFTER,		/* array: after an element */
	SPLIT_CLOSED		/* array: after the last bracket */
};

struct json_splitter {
	enum json_split		 sp_kind;
	enum split_state	 sp_state;
	bool			 sp_opened;	/* array: '[' was seen */
	bool			 sp_comma;	/* an element must come */
	bool			 sp_escape;	/* in a string, after '\' */
	size_t			 sp_depth;
	size_t			 sp_max;
	json_split_cb		 sp_cb;
	void			*sp_arg;
	char			*sp_buf;	/* value so far */
	size_t			 sp_len;
	size_t			 sp_size;
};

struct json_splitter *
json_splitter_new(enum json_split kind, size_t max, json_split_cb cb, void *arg)
{
	struct json_splitter	*sp;

	if ((sp = calloc(1, sizeof(*sp))) == NULL)
		return (NULL);
	sp->sp_kind = kind;
	sp->sp_max = max;
	sp->sp_cb = cb;
	sp->sp_arg = arg;
	return (sp);
}

void
json_splitter_free(struct json_splitter *sp)
{
	if (sp == NULL)
		return;
	freezero(sp->sp_buf, sp->sp_size);
	free(sp);
}

static int
split_keep(struct json_splitter *sp, char c)
{
	char	*p;
	size_t	 size;

	if (sp->sp_len == sp->sp_max) {
		errno = E2BIG;
		return (-1);
	}
	if (sp->sp_len == sp->sp_size) {
		size = sp->sp_size == 0 ? 1024 : sp->sp_size * 2;
		if (size > sp->sp_max)
			size = sp->sp_max;
		if ((p = realloc(sp->sp_buf, size)) == NULL)
			return (-1);
		sp->sp_buf = p;
		sp->sp_size = size;
	}
	sp->sp_buf[sp->sp_len++] = c;
	return (0);
}

static int
split_emit(struct json_splitter *sp)
{
	size_t	 len = sp->sp_len;

	sp->sp_len = 0;
	sp->sp_comma = false;
	sp->sp_state = sp->sp_kind == JSON_SPLIT_ARRAY ?
	    SPLIT_AFTER : SPLIT_BETWEEN;
	if (sp->sp_cb(sp->sp_arg, sp->sp_buf, len) == -1) {
		errno = ECANCELED;
		return (-1);
	}
	return (0);
}

static bool
split_is_space(char c)
{
	return (c == ' ' || c == '\t' || c == '\r' || c == '\n');
}

/* Outside of any value: what may begin here? */
static int
split_between(struct json_splitter *sp, char c)
{
	if (split_is_space(c))
		return (0);
	if (sp->sp_kind == JSON_SPLIT_ARRAY && !sp->sp_opened) {
		if (c != '[')
			goto bad;
		sp->sp_opened = true;
		return (0);
	}
	if (sp->sp_kind == JSON_SPLIT_ARRAY && c == ']' && !sp->sp_comma) {
		sp->sp_state = SPLIT_CLOSED;
		return (0);
	}
	if (c == '{' || c == '[') {
		sp->sp_state = SPLIT_NESTED;
		sp->sp_depth = 1;
	} else if (c == '"')
		sp->sp_state = SPLIT_STRING;
	else if (c == ']' || c == '}' || c == ',' || c == ':')
		goto bad;
	else
		sp->sp_state = SPLIT_SCALAR;
	return (split_keep(sp, c));
bad:
	errno = EINVAL;
	return (-1);
}

static int
split_after(struct json_splitter *sp, char c)
{
	if (split_is_space(c))
		return (0);
	if (c == ',') {
		sp->sp_state = SPLIT_BETWEEN;
		sp->sp_comma = true;
		return (0);
	}
	if (c == ']') {
		sp->sp_state = SPLIT_CLOSED;
		return (0);
	}
	errno = EINVAL;
	return (-1);
}

/* True when c ends the string that it is in. */
static bool
split_string(struct json_splitter *sp, char c)
{
	if (sp->sp_escape) {
		sp->sp_escape = false;
		return (false);
	}
	if (c == '\\')
		sp->sp_escape = true;
	return (c == '"');
}

static int
split_nested(struct json_splitter *sp, char c)
{
	if (split_keep(sp, c) == -1)
		return (-1);
	if (c == '"')
		sp->sp_state = SPLIT_NESTED_STRING;
	else if (c == '{' || c == '[')
		sp->sp_depth++;
	else if ((c == '}' || c == ']') && --sp->sp_depth == 0)
		return (split_emit(sp));
	return (0);
}

static int
split_byte(struct json_splitter *sp, char c)
{
	switch (sp->sp_state) {
	case SPLIT_BETWEEN:
		return (split_between(sp, c));
	case SPLIT_SCALAR:
		if (!split_is_space(c) && c != ',' && c != ']')
			return (split_keep(sp, c));
		if (split_emit(sp) == -1)
			return (-1);
		return (split_byte(sp, c));
	case SPLIT_STRING:
		if (split_keep(sp, c) == -1)
			return (-1);
		return (split_string(sp, c) ? split_emit(sp) : 0);
	case SPLIT_NESTED:
		return (split_nested(sp, c));
	case SPLIT_NESTED_STRING:
		if (split_keep(sp, c) == -1)
			return (-1);
		if (split_string(sp, c))
			sp->sp_state = SPLIT_NESTED;
		return (0);
	case SPLIT_AFTER:
		return (split_after(sp, c));
	case SPLIT_CLOSED:
		if (split_is_space(c))
			return (0);
		break;
	}
	errno = EINVAL;
	return (-1);
}

int
json_splitter_feed(struct json_splitter *sp, const void *data, size_t len)
{
	const char	*p = data;
	size_t		 i;

	for (i = 0; i < len; i++)
		if (split_byte(sp, p[i]) == -1)
			return (-1);
	return (0);
}

int
json_splitter_end(struct json_splitter *sp)
{
	if (sp->sp_kind == JSON_SPLIT_LINES && sp->sp_state == SPLIT_SCALAR &&
	    split_emit(sp) == -1)
		return (-1);
	if (sp->sp_state == (sp->sp_kind == JSON_SPLIT_ARRAY ?
	    SPLIT_CLOSED : SPLIT_BETWEEN))
		return (0);
	errno = EINVAL;
	return (-1);
}
