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

#include "resolv.h"

#include <netinet/in.h>

#include <arpa/inet.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* A line of text that shrinks word by word. */
struct words {
	const char	*w_p;
	size_t		 w_left;
};

static bool	 next_line(const char **, size_t *, struct words *,
		    const char *);
static bool	 next_word(struct words *, char *, size_t);
static void	 parse_options(struct resolv_conf *, struct words *);
static bool	 is_name(const char *);
static bool	 same_name(const char *, const char *);
static bool	 has_addr(const struct resolv_addr *, size_t,
		    const struct resolv_addr *);

bool
resolv_literal(const char *text, struct resolv_addr *ra)
{
	char		 copy[64];
	char		*zone, *end;
	unsigned long	 n;

	memset(ra, 0, sizeof(*ra));
	if (strlcpy(copy, text, sizeof(copy)) >= sizeof(copy))
		return (false);
	if (inet_pton(AF_INET, copy, ra->ra_ip) == 1) {
		ra->ra_family = AF_INET;
		return (true);
	}
	if ((zone = strchr(copy, '%')) != NULL) {
		*zone++ = '\0';
		if (*zone < '0' || *zone > '9')
			return (false);
		n = strtoul(zone, &end, 10);
		if (*end != '\0' || n > INT32_MAX)
			return (false);
		ra->ra_zone = (uint32_t)n;
	}
	if (inet_pton(AF_INET6, copy, ra->ra_ip) != 1)
		return (false);
	ra->ra_family = AF_INET6;
	return (true);
}

/* The next line without its comment; false at the end of the text. */
static bool
next_line(const char **text, size_t *len, struct words *w,
    const char *comments)
{
	const char	*nl;
	size_t		 n, i;

	if (*len == 0)
		return (false);
	nl = memchr(*text, '\n', *len);
	n = nl == NULL ? *len : (size_t)(nl - *text);
	w->w_p = *text;
	for (i = 0; i < n && strchr(comments, (*text)[i]) == NULL; i++)
		continue;
	/* strchr() finds the NUL as well: such a line ends there. */
	w->w_left = i;
	*text += n;
	*len -= n;
	if (nl != NULL) {
		(*text)++;
		(*len)--;
	}
	return (true);
}

/* False at the end of the line.  A word that does not fit becomes "". */
static bool
next_word(struct words *w, char *dst, size_t size)
{
	size_t	 n;

	while (w->w_left > 0 && strchr(" \t\r\v\f", *w->w_p) != NULL) {
		w->w_p++;
		w->w_left--;
	}
	if (w->w_left == 0)
		return (false);
	for (n = 0; n < w->w_left &&
	    strchr(" \t\r\v\f", w->w_p[n]) == NULL; n++)
		continue;
	dst[0] = '\0';
	if (n < size) {
		memcpy(dst, w->w_p, n);
		dst[n] = '\0';
	}
	w->w_p += n;
	w->w_left -= n;
	return (true);
}

static void
parse_options(struct resolv_conf *rc, struct words *w)
{
	char	 word[32];
	int	 n;

	while (next_word(w, word, sizeof(word))) {
		if (strncmp(word, "ndots:", 6) != 0)
			continue;
		n = atoi(word + 6);
		rc->rc_ndots = n < 0 ? 0 : n > 15 ? 15 : (unsigned int)n;
	}
}

void
resolv_conf_parse(struct resolv_conf *rc, const char *text, size_t len)
{
	struct resolv_addr	 ra;
	struct words		 w;
	char			 key[16], word[RESOLV_NAME_SIZE];

	memset(rc, 0, sizeof(*rc));
	rc->rc_ndots = 1;
	while (next_line(&text, &len, &w, "#;")) {
		if (!next_word(&w, key, sizeof(key)))
			continue;
		if (strcmp(key, "nameserver") == 0) {
			if (rc->rc_nns < RESOLV_NS_MAX &&
			    next_word(&w, word, sizeof(word)) &&
			    strlen(word) < sizeof(rc->rc_ns[0]) &&
			    resolv_literal(word, &ra) && ra.ra_zone == 0)
				(void)strlcpy(rc->rc_ns[rc->rc_nns++], word,
				    sizeof(rc->rc_ns[0]));
		} else if (strcmp(key, "search") == 0 ||
		    strcmp(key, "domain") == 0) {
			rc->rc_nsearch = 0;	/* the last line counts */
			while (rc->rc_nsearch < RESOLV_SEARCH_MAX &&
			    next_word(&w, word, sizeof(word))) {
				if (is_name(word))
					(void)strlcpy(rc->rc_search[
					    rc->rc_nsearch++], word,
					    RESOLV_NAME_SIZE);
			}
		} else if (strcmp(key, "options") == 0)
			parse_options(rc, &w);
	}
	if (rc->rc_nns == 0)
		(void)strlcpy(rc->rc_ns[rc->rc_nns++], "127.0.0.1",
		    sizeof(rc->rc_ns[0]));
}

static bool
is_name(const char *s)
{
	return (*s != '\0' && strspn(s, "abcdefghijklmnopqrstuvwxyz"
	    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_") == strlen(s));
}

static bool
same_name(const char *a, const char *b)
{
	size_t	 la = strlen(a), lb = strlen(b);

	if (la > 0 && a[la - 1] == '.')
		la--;
	if (lb > 0 && b[lb - 1] == '.')
		lb--;
	return (la == lb && la > 0 && strncasecmp(a, b, la) == 0);
}

static bool
has_addr(const struct resolv_addr *list, size_t n,
    const struct resolv_addr *ra)
{
	size_t	 i;

	for (i = 0; i < n; i++) {
		if (list[i].ra_family == ra->ra_family &&
		    list[i].ra_zone == ra->ra_zone &&
		    memcmp(list[i].ra_ip, ra->ra_ip, sizeof(ra->ra_ip)) == 0)
			return (true);
	}
	return (false);
}

size_t
resolv_hosts_find(const char *text, size_t len, const char *name,
    struct resolv_addr *list, size_t max)
{
	struct resolv_addr	 ra;
	struct words		 w;
	char			 word[RESOLV_NAME_SIZE];
	size_t			 n = 0;

	while (n < max && next_line(&text, &len, &w, "#")) {
		if (!next_word(&w, word, sizeof(word)) ||
		    !resolv_literal(word, &ra))
			continue;
		while (next_word(&w, word, sizeof(word))) {
			if (!same_name(word, name))
				continue;
			if (!has_addr(list, n, &ra))
				list[n++] = ra;
			break;
		}
	}
	return (n);
}

socklen_t
resolv_sockaddr(const struct resolv_addr *ra, uint16_t port,
    struct sockaddr_storage *ss)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	struct sockaddr_in6	 sin6 = { .sin6_family = AF_INET6 };

	memset(ss, 0, sizeof(*ss));
	if (ra->ra_family == AF_INET) {
		sin.sin_port = htons(port);
		memcpy(&sin.sin_addr, ra->ra_ip, sizeof(sin.sin_addr));
		memcpy(ss, &sin, sizeof(sin));
		return (sizeof(sin));
	}
	sin6.sin6_port = htons(port);
	sin6.sin6_scope_id = ra->ra_zone;
	memcpy(&sin6.sin6_addr, ra->ra_ip, sizeof(sin6.sin6_addr));
	memcpy(ss, &sin6, sizeof(sin6));
	return (sizeof(sin6));
}

int
resolv_split(const char *server, char host[RESOLV_NAME_SIZE], uint16_t *port)
{
	const char	*begin = server, *end, *colon, *err;
	long long	 n;

	if (*server == '[') {
		begin++;
		end = strchr(begin, ']');
		colon = end == NULL ? NULL : end + 1;
	} else
		colon = end = strrchr(server, ':');
	if (end == NULL || end == begin || *colon != ':' ||
	    (size_t)(end - begin) > RESOLV_NAME_MAXBYTES) {
		errno = EINVAL;
		return (-1);
	}
	n = strtonum(colon + 1, 1, UINT16_MAX, &err);
	/* strtonum(3) skips blanks. */
	if (err != NULL || colon[1] < '1' || colon[1] > '9') {
		errno = EINVAL;
		return (-1);
	}
	memcpy(host, begin, (size_t)(end - begin));
	host[end - begin] = '\0';
	*port = (uint16_t)n;
	return (0);
}
