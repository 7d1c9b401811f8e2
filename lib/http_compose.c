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

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <event2/buffer.h>

#include "http_int.h"

static bool
http_is_line(const char *s)
{
	for (; *s != '\0'; s++)
		if ((unsigned char)*s <= ' ' || (unsigned char)*s >= 0x7f)
			return (false);
	return (true);
}

/* Whole lines, each with CRLF, of visible characters and blanks. */
static bool
http_is_headers(const char *s)
{
	size_t	 len = strlen(s), i;

	if (len < 2 || strcmp(s + len - 2, "\r\n") != 0)
		return (len == 0);
	for (i = 0; i < len; i++) {
		if (s[i] == '\r' && s[i + 1] == '\n')
			i++;
		else if ((unsigned char)s[i] < ' ' ||
		    (unsigned char)s[i] >= 0x7f)
			return (false);
	}
	return (true);
}

bool
http_request_ok(const struct http_request *hr)
{
	return (hr->hr_method[0] != '\0' && http_is_line(hr->hr_method) &&
	    strlen(hr->hr_method) < HTTP_METHOD_MAXBYTES &&
	    hr->hr_path[0] == '/' && http_is_line(hr->hr_path) &&
	    (hr->hr_headers == NULL || http_is_headers(hr->hr_headers)) &&
	    (hr->hr_ctype == NULL || http_is_line(hr->hr_ctype)));
}

int
http_compose(struct evbuffer *out, const struct http_request *hr)
{
	if (evbuffer_add_printf(out, "%s %s HTTP/1.1\r\nHost: docker\r\n"
	    "User-Agent: sentinel\r\n", hr->hr_method, hr->hr_path) == -1)
		return (-1);
	if (hr->hr_headers != NULL && evbuffer_add(out, hr->hr_headers,
	    strlen(hr->hr_headers)) == -1)
		return (-1);
	if (hr->hr_body != NULL && hr->hr_ctype != NULL &&
	    evbuffer_add_printf(out, "Content-Type: %s\r\n",
	    hr->hr_ctype) == -1)
		return (-1);
	if ((hr->hr_body != NULL || strcmp(hr->hr_method, "POST") == 0) &&
	    evbuffer_add_printf(out, "Content-Length: %zu\r\n",
	    hr->hr_body == NULL ? 0 : hr->hr_bodylen) == -1)
		return (-1);
	if (evbuffer_add(out, "\r\n", 2) == -1)
		return (-1);
	if (hr->hr_body != NULL && hr->hr_bodylen > 0)
		return (evbuffer_add(out, hr->hr_body, hr->hr_bodylen));
	return (0);
}

int
http_escape(char *path, size_t size, const char *s)
{
	static const char	 hex[] = "0123456789ABCDEF";
	size_t			 len = strlen(path);
	unsigned char		 c;

	for (; (c = (unsigned char)*s) != '\0'; s++) {
		if (size - len < 4) {
			errno = ENAMETOOLONG;
			return (-1);
		}
		if (isalnum(c) || strchr("-._~", c) != NULL)
			path[len++] = (char)c;
		else {
			path[len++] = '%';
			path[len++] = hex[c >> 4];
			path[len++] = hex[c & 15];
		}
	}
	path[len] = '\0';
	return (0);
}
