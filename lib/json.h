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

#ifndef JSON_H
#define JSON_H

#include "compat.h"

/*
 * JSON from a peer that is not trusted, on yajl.
 *
 * A document is parsed strictly (UTF-8, no comments, no trailing bytes) under
 * limits of depth, values and bytes.  Every value keeps the exact bytes it
 * was written with, so that what this program does not know passes through
 * unchanged: 18446744073709551615 and 1.10e+02 stay as they are.
 *
 * The document owns a copy of its text and all values; values lend.
 */
#define JSON_DEPTH_MAX		64
#define JSON_VALUES_MAX		65536
#define JSON_DOC_MAXBYTES	(4U * 1024 * 1024)
#define JSON_GEN_DEPTH_MAX	64

enum json_type {
	JSON_NULL,
	JSON_BOOL,
	JSON_NUMBER,
	JSON_STRING,
	JSON_ARRAY,
	JSON_OBJECT
};

struct json_value {
	enum json_type		 jv_type;
	const struct json_value	*jv_next;	/* sibling */
	const struct json_value	*jv_child;	/* first of array or object */
	const char		*jv_key;	/* member name, else NULL */
	size_t			 jv_keylen;
	const char		*jv_raw;	/* exact text of the value */
	size_t			 jv_rawlen;
	const char		*jv_str;	/* decoded, NUL after */
	size_t			 jv_strlen;
	bool			 jv_true;	/* JSON_BOOL */
};

struct json;

/*
 * Parse len bytes of text.  The text is copied.
 * NULL with errno EINVAL (not JSON), E2BIG (a limit), ENOMEM; a message for
 * people goes to err (errsize bytes, may be NULL).
 */
struct json	*json_parse(const void *, size_t, char *err, size_t errsize);
void		 json_free(struct json *);		/* NULL is fine */
const struct json_value *json_root(const struct json *);

/*
 * All getters take NULL for "absent" and answer absent, so that look-ups can
 * be nested.  Of a repeated member the last counts, as in Go.
 */
const struct json_value *json_get(const struct json_value *, const char *key);
/* Members by "A.B.C"; a key with a dot needs json_get(). */
const struct json_value *json_path(const struct json_value *, const char *);
/* The decoded string; NULL when absent, no string, or with a NUL inside. */
const char	*json_str(const struct json_value *);
/* The same of a member; "" for NULL. */
const char	*json_get_str(const struct json_value *, const char *key);
/* 0, or -1 (ENOENT absent or null, EINVAL no integer, ERANGE) and *out
 * untouched. */
int		 json_int(const struct json_value *, int64_t *out);
bool		 json_bool(const struct json_value *);	/* absent is false */
bool		 json_is(const struct json_value *, enum json_type);
/* Absent, null, false, 0, "", [] or {}: what Go calls the zero value. */
bool		 json_is_zero(const struct json_value *);
size_t		 json_count(const struct json_value *);	/* children */
/* Same type and same content, whatever the spelling and member order. */
bool		 json_equal(const struct json_value *,
		    const struct json_value *);

/*
 * Splitter: cuts a byte stream into whole JSON values, so that only one value
 * is held at a time.  Two shapes: a sequence of values (JSON lines), or one
 * top-level array whose elements are handed out.
 */
enum json_split { JSON_SPLIT_LINES, JSON_SPLIT_ARRAY };

struct json_splitter;
/* Borrows the text of one value; return -1 to stop with ECANCELED. */
typedef int (*json_split_cb)(void *arg, const char *, size_t);

struct json_splitter *json_splitter_new(enum json_split, size_t maxvalue,
		    json_split_cb, void *);
void		 json_splitter_free(struct json_splitter *);
/* 0, or -1 with errno EINVAL (no JSON), E2BIG (value too long), ENOMEM,
 * ECANCELED. */
int		 json_splitter_feed(struct json_splitter *, const void *,
		    size_t);
/* 0 when the stream ended between values (and the array was closed). */
int		 json_splitter_end(struct json_splitter *);

/*
 * Generator.  The first error sticks and makes json_gen_take() fail, so the
 * calls in between need no checks.  Strings are repaired to UTF-8.
 */
struct json_gen;

struct json_gen	*json_gen_new(size_t maxbytes);		/* NULL: ENOMEM */
void		 json_gen_free(struct json_gen *);	/* NULL is fine */
void		 json_gen_object(struct json_gen *);
void		 json_gen_end_object(struct json_gen *);
void		 json_gen_array(struct json_gen *);
void		 json_gen_end_array(struct json_gen *);
void		 json_gen_key(struct json_gen *, const char *);
void		 json_gen_keyn(struct json_gen *, const char *, size_t);
void		 json_gen_str(struct json_gen *, const char *);
void		 json_gen_int(struct json_gen *, int64_t);
void		 json_gen_bool(struct json_gen *, bool);
void		 json_gen_null(struct json_gen *);
/* A parsed value exactly as it was written; absent gives null. */
void		 json_gen_value(struct json_gen *, const struct json_value *);
/* key and value of a parsed member. */
void		 json_gen_member(struct json_gen *, const struct json_value *);
/* The text, NUL-terminated, caller frees; NULL with errno when a call failed
 * or the value is not complete.  The generator is spent. */
char		*json_gen_take(struct json_gen *, size_t *len);

/*
 * Copy of len bytes, repaired as by utf8_repair(); caller frees; NULL: ENOMEM.
 * outlen may be NULL.
 */
char		*json_repair(const void *, size_t len, size_t *outlen);

#endif /* JSON_H */
