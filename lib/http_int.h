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

#ifndef HTTP_INT_H
#define HTTP_INT_H

#include "compat.h"

#include "http.h"

/*
 * What the files of http.h share: http.c has the connection and reads the
 * answer, http_compose.c writes the request.
 */
#define HTTP_METHOD_MAXBYTES	8	/* with its NUL */

struct evbuffer;

/* May it be sent: method, path and header lines without a smuggled one. */
bool	 http_request_ok(const struct http_request *);
/* Appends the request, with its body, to the buffer.  0, or -1: no memory. */
int	 http_compose(struct evbuffer *, const struct http_request *);

#endif /* HTTP_INT_H */
