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

#ifndef VIEW_PUT_H
#define VIEW_PUT_H

#include "compat.h"

#include "json.h"

/*
 * Members of the objects in view_json.h: a key and its value, where the
 * generator stands.  Those that say so are left out when there is nothing.
 */
void	 view_str(struct json_gen *, const char *key, const char *);
void	 view_opt(struct json_gen *, const char *key, const char *); /* or "" */
void	 view_int(struct json_gen *, const char *key, int64_t);
void	 view_bool(struct json_gen *, const char *key, bool);
void	 view_flag(struct json_gen *, const char *key, bool);	/* or false */
/* Unix seconds as RFC 3339 in UTC; 0 is a time that never came. */
void	 view_time(struct json_gen *, const char *key, int64_t);
void	 view_opttime(struct json_gen *, const char *key, int64_t); /* or 0 */
/* The same of milliseconds, with a fraction when there is one. */
void	 view_msec(struct json_gen *, const char *key, int64_t);
void	 view_optmsec(struct json_gen *, const char *key, int64_t); /* or 0 */
void	 view_strs(struct json_gen *, const char *key, char *const *, size_t);
/* host_id and host_name, each or "". */
void	 view_host(struct json_gen *, const char *id, const char *name);
/* Begins one: json_gen_end_array(), json_gen_end_object(). */
void	 view_array(struct json_gen *, const char *key);
void	 view_object(struct json_gen *, const char *key);

#endif /* VIEW_PUT_H */
