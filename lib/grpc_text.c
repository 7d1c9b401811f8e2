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
#include <stdlib.h>
#include <string.h>

#include "grpc_int.h"
#include "utf8.h"

static int	 grpc_hex(char);

static const char *const	 grpc_status_names[] = {
	"OK", "CANCELLED", "UNKNOWN", "INVALID_ARGUMENT", "DEADLINE_EXCEEDED",
	"NOT_FOUND", "ALREADY_EXISTS", "PERMISSION_DENIED",
	"RESOURCE_EXHAUSTED", "FAILED_PRECONDITION", "ABORTED", "OUT_OF_RANGE",
	"UNIMPLEMENTED", "INTERNAL", "UNAVAILABLE", "DATA_LOSS",
	"UNAUTHENTICATED"
};

const char *
grpc_status_name(int status)
{
	if (status < 0 || (size_t)status >= nitems(grpc_status_names))
		return ("UNKNOWN");
	return (grpc_status_names[status]);
}

/* "application/grpc", alone or followed by a subtype or parameters. */
bool
grpc_is_content_type(const char *v)
{
	static const char	 want[] = "application/grpc";

	if (strncasecmp(v, want, sizeof(want) - 1) != 0)
		return (false);
	v += sizeof(want) - 1;
	return (*v == '\0' || *v == '+' || *v == ';');
}

/* 1 to 8 digits and a unit.  A fraction of a millisecond counts as one. */
int64_t
grpc_timeout_parse(const char *v)
{
	int64_t		 n = 0;
	int		 digits;

	for (digits = 0; *v >= '0' && *v <= '9'; digits++, v++) {
		if (digits == 8)
			return (-1);
		n = n * 10 + (*v - '0');
	}
	if (digits == 0 || v[0] == '\0' || v[1] != '\0')
		return (-1);
	switch (*v) {
	case 'H':
		return (n * 3600000);
	case 'M':
		return (n * 60000);
	case 'S':
		return (n * 1000);
	case 'm':
		return (n);
	case 'u':
		return ((n + 999) / 1000);
	case 'n':
		return ((n + 999999) / 1000000);
	default:
		return (-1);
	}
}

void
grpc_timeout_format(char *dst, size_t size, unsigned int msec)
{
	if (msec <= 99999999)
		(void)snprintf(dst, size, "%um", msec);
	else
		(void)snprintf(dst, size, "%uS", msec / 1000);
}

void
grpc_text_encode(char *dst, const char *text)
{
	static const char	 hex[] = "0123456789ABCDEF";
	char			 clean[GRPC_TEXT_MAXBYTES + 1];
	const unsigned char	*p;

	(void)utf8_repair(clean, sizeof(clean), text, strlen(text));
	for (p = (const unsigned char *)clean; *p != '\0'; p++) {
		if (*p >= 0x20 && *p <= 0x7e && *p != '%') {
			*dst++ = (char)*p;
			continue;
		}
		*dst++ = '%';
		*dst++ = hex[*p >> 4];
		*dst++ = hex[*p & 15];
	}
	*dst = '\0';
}

char *
grpc_text_decode(const char *v)
{
	char		 raw[GRPC_TEXT_MAXBYTES];
	char		*text;
	size_t		 n = 0;

	while (*v != '\0' && n < sizeof(raw)) {
		/* A lone percent sign stands for itself. */
		if (*v == '%' && grpc_hex(v[1]) != -1 &&
		    grpc_hex(v[2]) != -1) {
			raw[n++] = (char)(grpc_hex(v[1]) << 4 |
			    grpc_hex(v[2]));
			v += 3;
		} else
			raw[n++] = *v++;
	}
	if ((text = malloc(GRPC_TEXT_MAXBYTES + 1)) == NULL)
		return (NULL);
	(void)utf8_vis(text, GRPC_TEXT_MAXBYTES + 1, raw, n);
	return (text);
}

static int
grpc_hex(char c)
{
	if (c >= '0' && c <= '9')
		return (c - '0');
	if (c >= 'A' && c <= 'F')
		return (c - 'A' + 10);
	if (c >= 'a' && c <= 'f')
		return (c - 'a' + 10);
	return (-1);
}

int
grpc_status_parse(const char *v)
{
	int		 n = 0, digits;

	for (digits = 0; *v >= '0' && *v <= '9' && digits < 3; digits++)
		n = n * 10 + (*v++ - '0');
	if (digits == 0 || *v != '\0' || n > GRPC_UNAUTHENTICATED)
		return (GRPC_UNKNOWN);
	return (n);
}

/* gRPC "http-grpc-status-mapping": an answer that is not gRPC. */
enum grpc_status
grpc_status_of_http(int http)
{
	switch (http) {
	case 400:
		return (GRPC_INTERNAL);
	case 401:
		return (GRPC_UNAUTHENTICATED);
	case 403:
		return (GRPC_PERMISSION_DENIED);
	case 404:
		return (GRPC_UNIMPLEMENTED);
	case 429:
	case 502:
	case 503:
	case 504:
		return (GRPC_UNAVAILABLE);
	default:
		return (GRPC_UNKNOWN);
	}
}

/* gRPC "PROTOCOL-HTTP2", Errors. */
enum grpc_status
grpc_status_of_reset(uint32_t code)
{
	switch (code) {
	case H2_CODE_LOST:
	case NGHTTP2_REFUSED_STREAM:
		return (GRPC_UNAVAILABLE);
	case NGHTTP2_CANCEL:
		return (GRPC_CANCELLED);
	case NGHTTP2_FLOW_CONTROL_ERROR:
	case NGHTTP2_ENHANCE_YOUR_CALM:
		return (GRPC_RESOURCE_EXHAUSTED);
	case NGHTTP2_INADEQUATE_SECURITY:
		return (GRPC_PERMISSION_DENIED);
	default:
		return (code <= NGHTTP2_HTTP_1_1_REQUIRED ? GRPC_INTERNAL :
		    GRPC_UNKNOWN);
	}
}
