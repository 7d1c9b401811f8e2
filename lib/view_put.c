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
#include <time.h>

#include "view_put.h"

/* As existing clients of the REST API expect it. */
#define NEVER		"0001-01-01T00:00:00Z"
#define TIME_SIZE	40

static void	 time_text(char[TIME_SIZE], int64_t);

void
view_str(struct json_gen *g, const char *key, const char *value)
{
	json_gen_key(g, key);
	json_gen_str(g, value);
}

void
view_opt(struct json_gen *g, const char *key, const char *value)
{
	if (value[0] != '\0')
		view_str(g, key, value);
}

void
view_int(struct json_gen *g, const char *key, int64_t value)
{
	json_gen_key(g, key);
	json_gen_int(g, value);
}

void
view_bool(struct json_gen *g, const char *key, bool value)
{
	json_gen_key(g, key);
	json_gen_bool(g, value);
}

void
view_flag(struct json_gen *g, const char *key, bool value)
{
	if (value)
		view_bool(g, key, true);
}

static void
time_text(char text[TIME_SIZE], int64_t sec)
{
	struct tm	 tm;
	time_t		 t = (time_t)sec;

	if (sec == 0 || gmtime_r(&t, &tm) == NULL ||
	    strftime(text, TIME_SIZE, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
		(void)strlcpy(text, NEVER, TIME_SIZE);
}

void
view_time(struct json_gen *g, const char *key, int64_t sec)
{
	char	 text[TIME_SIZE];

	time_text(text, sec);
	view_str(g, key, text);
}

void
view_opttime(struct json_gen *g, const char *key, int64_t sec)
{
	if (sec != 0)
		view_time(g, key, sec);
}

void
view_msec(struct json_gen *g, const char *key, int64_t msec)
{
	char	 text[TIME_SIZE];
	size_t	 len;

	time_text(text, msec / 1000);
	len = strlen(text) - 1;
	if (msec % 1000 > 0)
		(void)snprintf(text + len, TIME_SIZE - len, ".%03dZ",
		    (int)(msec % 1000));
	view_str(g, key, text);
}

void
view_optmsec(struct json_gen *g, const char *key, int64_t msec)
{
	if (msec != 0)
		view_msec(g, key, msec);
}

void
view_strs(struct json_gen *g, const char *key, char *const *list, size_t n)
{
	size_t	 i;

	view_array(g, key);
	for (i = 0; i < n; i++)
		json_gen_str(g, list[i]);
	json_gen_end_array(g);
}

void
view_host(struct json_gen *g, const char *id, const char *name)
{
	view_opt(g, "host_id", id);
	view_opt(g, "host_name", name);
}

void
view_array(struct json_gen *g, const char *key)
{
	json_gen_key(g, key);
	json_gen_array(g);
}

void
view_object(struct json_gen *g, const char *key)
{
	json_gen_key(g, key);
	json_gen_object(g);
}
