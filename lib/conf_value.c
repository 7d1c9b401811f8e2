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

#include <arpa/inet.h>

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "conf_value.h"
#include "utf8.h"

static int	 parse_number(const char *, uint64_t *);

/* Largest first: a text names each at most once, in this order. */
static const struct unit {
	const char	*u_name;
	uint64_t	 u_msec;
} units[] = {
	{ "d",	86400000 },
	{ "h",	3600000 },
	{ "m",	60000 },
	{ "s",	1000 },
	{ "ms",	1 }
};

int
conf_value_duration(const char *s, uint64_t *msec)
{
	char		 name[3];
	uint64_t	 sum = 0, n;
	size_t		 i, len, next = 0;

	if (*s == '\0') {
		errno = EINVAL;
		return (-1);
	}
	while (*s != '\0') {
		if (!isdigit((unsigned char)*s))
			goto invalid;
		for (n = 0; isdigit((unsigned char)*s); s++) {
			if (n > UINT32_MAX)
				goto range;
			n = n * 10 + (uint64_t)(*s - '0');
		}
		for (len = 0; isalpha((unsigned char)s[len]); len++) {
			if (len == sizeof(name) - 1)
				goto invalid;
			name[len] = s[len];
		}
		name[len] = '\0';
		s += len;
		for (i = next; i < nitems(units); i++)
			if (strcmp(units[i].u_name, name) == 0)
				break;
		if (i == nitems(units))
			goto invalid;
		next = i + 1;
		/* n is below 2^36, so the product fits. */
		sum += n * units[i].u_msec;
	}
	*msec = sum;
	return (0);
invalid:
	errno = EINVAL;
	return (-1);
range:
	errno = ERANGE;
	return (-1);
}

const char *
conf_value_duration_text(uint64_t msec, char *buf)
{
	size_t	 i, len = 0;

	for (i = 0; i < nitems(units); i++) {
		if (msec < units[i].u_msec)
			continue;
		len += (size_t)snprintf(buf + len, CONF_DURATION_MAXLEN - len,
		    "%llu%s", (unsigned long long)(msec / units[i].u_msec),
		    units[i].u_name);
		msec %= units[i].u_msec;
	}
	if (len == 0)
		(void)strlcpy(buf, "0s", CONF_DURATION_MAXLEN);
	return (buf);
}

int
conf_value_addr(const char *s, bool literal, struct conf_addr *a, char *why)
{
	const char	*colon, *end, *host = s;
	uint64_t	 port;
	char		*copy;

	if (strstr(s, "://") != NULL || strchr(s, '/') != NULL) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.80s\" is a URL, "
		    "want only host:port, like 10.0.0.10:9443", s);
		return (-1);
	}
	if ((colon = strrchr(s, ':')) == NULL || strchr(colon, ']') != NULL) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.80s\" has no port, "
		    "write %.80s:9443", s, s);
		return (-1);
	}
	if (parse_number(colon + 1, &port) == -1 || port < 1 || port > 65535) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.20s\" is no port, "
		    "want a number from 1 to 65535 after the last colon",
		    colon + 1);
		return (-1);
	}
	end = colon;
	if (*host == '[' && end > host && end[-1] == ']') {
		host++;
		end--;
	} else if (memchr(host, ':', (size_t)(end - host)) != NULL) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.80s\": an IPv6 "
		    "address needs brackets, like [2001:db8::1]:9443", s);
		return (-1);
	}
	if ((copy = strndup(host, (size_t)(end - host))) == NULL)
		goto nomem;
	if (literal && (*copy == '\0' || strcmp(copy, "*") == 0)) {
		free(copy);
		if ((copy = strdup("::")) == NULL)
			goto nomem;
	}
	if (!conf_value_is_literal(copy) && (literal || *s == '[' ||
	    !conf_value_is_dns(copy))) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.80s\" is no %s",
		    copy, literal ? "address, want one like 0.0.0.0, 10.0.0.1 "
		    "or [::]" : "address or host name, want something like "
		    "sentinel.example.com:9443");
		free(copy);
		return (-1);
	}
	a->a_host = copy;
	a->a_port = (uint16_t)port;
	return (0);
nomem:
	(void)snprintf(why, CONF_WHY_MAXBYTES, "out of memory");
	return (-1);
}

bool
conf_value_is_literal(const char *s)
{
	struct in6_addr	 a6;
	struct in_addr	 a4;

	return (inet_pton(AF_INET, s, &a4) == 1 ||
	    inet_pton(AF_INET6, s, &a6) == 1);
}

/* RFC 1123 2.1; a name whose last label is a number would be an address. */
bool
conf_value_is_dns(const char *s)
{
	size_t	 len = strlen(s), label = 0, i;
	bool	 alpha = false;

	if (len == 0 || len > 253)
		return (false);
	for (i = 0; i < len; i++) {
		if (s[i] == '.') {
			if (label == 0 || s[i - 1] == '-' || i + 1 == len)
				return (false);
			label = 0;
			alpha = false;
			continue;
		}
		if (!isalnum((unsigned char)s[i]) && (s[i] != '-' ||
		    label == 0))
			return (false);
		if (!isdigit((unsigned char)s[i]))
			alpha = true;
		if (++label > 63)
			return (false);
	}
	return (s[len - 1] != '-' && alpha);
}

bool
conf_value_is_host(const char *s)
{
	size_t	 len = strlen(s);

	return (len >= 1 && len <= 63 && strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "abcdefghijklmnopqrstuvwxyz0123456789._-") == len);
}

bool
conf_value_is_text(const char *s)
{
	size_t		 len = strlen(s);
	uint32_t	 cp;
	int		 n;

	for (; len > 0; s += n, len -= (size_t)n) {
		if ((n = utf8_next(s, len, &cp)) < 1)
			return (false);
		if (cp < 0x20 || (cp >= 0x7f && cp < 0xa0))
			return (false);
	}
	return (true);
}

int
conf_value_bounds(const struct conf_key *k, uint64_t *lo, uint64_t *hi)
{
	const char	*dots;
	char		 low[32];

	if (k->ck_bounds == NULL ||
	    (dots = strstr(k->ck_bounds, "..")) == NULL ||
	    (size_t)(dots - k->ck_bounds) >= sizeof(low))
		return (-1);
	memcpy(low, k->ck_bounds, (size_t)(dots - k->ck_bounds));
	low[dots - k->ck_bounds] = '\0';
	if (k->ck_type == CONF_T_DURATION)
		return (conf_value_duration(low, lo) == -1 ||
		    conf_value_duration(dots + 2, hi) == -1 ? -1 : 0);
	return (parse_number(low, lo) == -1 ||
	    parse_number(dots + 2, hi) == -1 ? -1 : 0);
}

size_t
conf_value_distance(const char *a, const char *b, size_t max)
{
	size_t	 row[64], la = strlen(a), lb = strlen(b), i, j, diag, up;

	if (la >= nitems(row) || lb >= nitems(row))
		return (max + 1);
	for (j = 0; j <= lb; j++)
		row[j] = j;
	for (i = 1; i <= la; i++) {
		diag = row[0];
		row[0] = i;
		for (j = 1; j <= lb; j++) {
			up = row[j];
			diag += a[i - 1] == b[j - 1] ? 0 : 1;
			if (up + 1 < diag)
				diag = up + 1;
			if (row[j - 1] + 1 < diag)
				diag = row[j - 1] + 1;
			row[j] = diag;
			diag = up;
		}
	}
	return (row[lb] > max ? max + 1 : row[lb]);
}

/* Digits only: strtoull(3) would take a sign and white space. */
static int
parse_number(const char *s, uint64_t *n)
{
	const char	*errstr;
	size_t		 len = strlen(s);

	if (len == 0 || strspn(s, "0123456789") != len) {
		errno = EINVAL;
		return (-1);
	}
	*n = (uint64_t)strtonum(s, 0, INT64_MAX, &errstr);
	return (errstr == NULL ? 0 : -1);
}
