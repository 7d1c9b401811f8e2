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
#include <string.h>

#include <yajl/yajl_gen.h>

#include "json.h"
#include "utf8.h"

struct json_gen {
	yajl_gen	 jg_yajl;
	size_t		 jg_max;
	int		 jg_errno;	/* first error, 0 none */
	unsigned int	 jg_depth;
	bool		 jg_any;	/* a value was written */
};

static void	 json_gen_strn(struct json_gen *, const char *, size_t);

struct json_gen *
json_gen_new(size_t max)
{
	struct json_gen	*jg;

	if ((jg = calloc(1, sizeof(*jg))) == NULL)
		return (NULL);
	if ((jg->jg_yajl = yajl_gen_alloc(NULL)) == NULL) {
		free(jg);
		errno = ENOMEM;
		return (NULL);
	}
	jg->jg_max = max;
	return (jg);
}

void
json_gen_free(struct json_gen *jg)
{
	if (jg == NULL)
		return;
	yajl_gen_free(jg->jg_yajl);
	free(jg);
}

/* The first error sticks. */
static void
json_gen_check(struct json_gen *jg, yajl_gen_status st)
{
	const unsigned char	*buf;
	size_t			 len;

	jg->jg_any = true;
	if (jg->jg_errno != 0)
		return;
	if (st != yajl_gen_status_ok) {
		jg->jg_errno = EINVAL;
		return;
	}
	if (yajl_gen_get_buf(jg->jg_yajl, &buf, &len) == yajl_gen_status_ok &&
	    len > jg->jg_max)
		jg->jg_errno = E2BIG;
}

void
json_gen_object(struct json_gen *jg)
{
	if (jg->jg_errno != 0)
		return;
	if (++jg->jg_depth > JSON_GEN_DEPTH_MAX)
		jg->jg_errno = E2BIG;
	else
		json_gen_check(jg, yajl_gen_map_open(jg->jg_yajl));
}

void
json_gen_end_object(struct json_gen *jg)
{
	if (jg->jg_errno != 0)
		return;
	jg->jg_depth--;
	json_gen_check(jg, yajl_gen_map_close(jg->jg_yajl));
}

void
json_gen_array(struct json_gen *jg)
{
	if (jg->jg_errno != 0)
		return;
	if (++jg->jg_depth > JSON_GEN_DEPTH_MAX)
		jg->jg_errno = E2BIG;
	else
		json_gen_check(jg, yajl_gen_array_open(jg->jg_yajl));
}

void
json_gen_end_array(struct json_gen *jg)
{
	if (jg->jg_errno != 0)
		return;
	jg->jg_depth--;
	json_gen_check(jg, yajl_gen_array_close(jg->jg_yajl));
}

void
json_gen_key(struct json_gen *jg, const char *s)
{
	json_gen_strn(jg, s, strlen(s));
}

void
json_gen_keyn(struct json_gen *jg, const char *s, size_t len)
{
	json_gen_strn(jg, s, len);
}

void
json_gen_str(struct json_gen *jg, const char *s)
{
	json_gen_strn(jg, s, strlen(s));
}

static void
json_gen_strn(struct json_gen *jg, const char *s, size_t len)
{
	char	*fixed = NULL;

	if (jg->jg_errno != 0)
		return;
	if (len > jg->jg_max) {
		jg->jg_errno = E2BIG;
		return;
	}
	if (!utf8_is_valid(s, len)) {
		if ((fixed = json_repair(s, len, &len)) == NULL) {
			jg->jg_errno = ENOMEM;
			return;
		}
		s = fixed;
	}
	json_gen_check(jg, yajl_gen_string(jg->jg_yajl,
	    (const unsigned char *)s, len));
	free(fixed);
}

void
json_gen_int(struct json_gen *jg, int64_t v)
{
	if (jg->jg_errno == 0)
		json_gen_check(jg, yajl_gen_integer(jg->jg_yajl, v));
}

void
json_gen_bool(struct json_gen *jg, bool v)
{
	if (jg->jg_errno == 0)
		json_gen_check(jg, yajl_gen_bool(jg->jg_yajl, v));
}

void
json_gen_null(struct json_gen *jg)
{
	if (jg->jg_errno == 0)
		json_gen_check(jg, yajl_gen_null(jg->jg_yajl));
}

void
json_gen_value(struct json_gen *jg, const struct json_value *jv)
{
	if (jg->jg_errno != 0)
		return;
	if (jv == NULL)
		json_gen_null(jg);
	else
		/* yajl writes a number's text as it is: any text goes. */
		json_gen_check(jg, yajl_gen_number(jg->jg_yajl, jv->jv_raw,
		    jv->jv_rawlen));
}

void
json_gen_member(struct json_gen *jg, const struct json_value *jv)
{
	json_gen_keyn(jg, jv->jv_key, jv->jv_keylen);
	json_gen_value(jg, jv);
}

char *
json_gen_take(struct json_gen *jg, size_t *len)
{
	const unsigned char	*buf;
	char			*out;
	size_t			 n;

	if (jg->jg_errno == 0 && (jg->jg_depth != 0 || !jg->jg_any))
		jg->jg_errno = EINVAL;
	if (jg->jg_errno != 0) {
		errno = jg->jg_errno;
		return (NULL);
	}
	if (yajl_gen_get_buf(jg->jg_yajl, &buf, &n) != yajl_gen_status_ok) {
		errno = jg->jg_errno = EINVAL;
		return (NULL);
	}
	if ((out = malloc(n + 1)) == NULL)
		return (NULL);
	memcpy(out, buf, n);
	out[n] = '\0';
	if (len != NULL)
		*len = n;
	jg->jg_errno = EINVAL;	/* spent */
	return (out);
}
