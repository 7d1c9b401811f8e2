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

#ifndef X509_TEXT_H
#define X509_TEXT_H

#include "compat.h"

#include <openssl/x509.h>

/* What a certificate says, in words for a log; between the sources of
 * x509util.h. */
#define X509_TEXT_TIME_SIZE	32

/* "a.example, 10.0.0.1", as much as fits; only plain characters. */
void	 x509_text_names(X509 *, char *, size_t);
/* "3 days", of seconds */
void	 x509_text_span(int64_t, char *, size_t);
/* "2026-11-22 09:00:00 UTC"; returns text */
const char *x509_text_time(int64_t, char text[X509_TEXT_TIME_SIZE]);

#endif /* X509_TEXT_H */
