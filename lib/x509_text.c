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

#include <sys/socket.h>

#include <arpa/inet.h>

#include <stdio.h>
#include <string.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "x509_text.h"

#define NAME_SIZE	256

void
x509_text_names(X509 *x, char *dst, size_t size)
{
	GENERAL_NAMES		*gens;
	const GENERAL_NAME	*gen;
	const ASN1_STRING	*s;
	char			 name[NAME_SIZE];
	int			 i, type, len;

	dst[0] = '\0';
	gens = X509_get_ext_d2i(x, NID_subject_alt_name, NULL, NULL);
	for (i = 0; i < sk_GENERAL_NAME_num(gens); i++) {
		gen = sk_GENERAL_NAME_value(gens, i);
		s = GENERAL_NAME_get0_value(gen, &type);
		if (type != GEN_DNS && type != GEN_IPADD)
			continue;
		len = ASN1_STRING_length(s);
		name[0] = '\0';
		if (type == GEN_IPADD)
			(void)inet_ntop(len == 4 ? AF_INET : AF_INET6,
			    ASN1_STRING_get0_data(s), name, len == 4 ||
			    len == 16 ? sizeof(name) : 0);
		else if (len > 0 && (size_t)len < sizeof(name) &&
		    memchr(ASN1_STRING_get0_data(s), '\0',
		    (size_t)len) == NULL) {
			memcpy(name, ASN1_STRING_get0_data(s), (size_t)len);
			name[len] = '\0';
		}
		if (name[0] == '\0' || strspn(name, "abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.:-_*") !=
		    strlen(name))
			continue;
		if (strlen(dst) + strlen(name) + 3 > size)
			break;
		if (dst[0] != '\0')
			strlcat(dst, ", ", size);
		strlcat(dst, name, size);
	}
	if (gens != NULL)
		sk_GENERAL_NAME_pop_free(gens, GENERAL_NAME_free);
	if (dst[0] == '\0')
		strlcpy(dst, "no name", size);
}

void
x509_text_span(int64_t sec, char *dst, size_t size)
{
	if (sec < 120)
		(void)snprintf(dst, size, "%lld s", (long long)sec);
	else if (sec < 7200)
		(void)snprintf(dst, size, "%lld min", (long long)sec / 60);
	else if (sec < 172800)
		(void)snprintf(dst, size, "%lld h", (long long)sec / 3600);
	else
		(void)snprintf(dst, size, "%lld days",
		    (long long)sec / 86400);
}

const char *
x509_text_time(int64_t sec, char text[X509_TEXT_TIME_SIZE])
{
	struct tm	 tm;
	time_t		 t = (time_t)sec;

	if (gmtime_r(&t, &tm) == NULL || strftime(text, X509_TEXT_TIME_SIZE,
	    "%Y-%m-%d %H:%M:%S UTC", &tm) == 0)
		(void)strlcpy(text, "a time out of range",
		    X509_TEXT_TIME_SIZE);
	return (text);
}
