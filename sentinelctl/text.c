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
#include <time.h>
#include <wchar.h>

#include "ctl.h"
#include "utf8.h"
#include "xmalloc.h"

/* Columns of one character: in a locale that does not know it, one. */
static size_t
char_width(uint32_t cp)
{
	int	 w = wcwidth((wchar_t)cp);

	return (w < 0 ? 1 : (size_t)w);
}

size_t
text_width(const char *s)
{
	uint32_t	 cp;
	size_t		 len = strlen(s), width = 0;
	int		 n;

	for (; len > 0; s += n, len -= (size_t)n) {
		if ((n = utf8_next(s, len, &cp)) < 0) {
			n = -n;
			cp = '?';
		}
		width += char_width(cp);
	}
	return (width);
}

void
text_cut(char *s, size_t columns)
{
	uint32_t	 cp;
	size_t		 len = strlen(s), width = 0;
	int		 n;

	for (; len > 0; s += n, len -= (size_t)n) {
		if ((n = utf8_next(s, len, &cp)) < 0) {
			n = -n;
			cp = '?';
		}
		if ((width += char_width(cp)) > columns) {
			*s = '\0';
			return;
		}
	}
}

void
text_time(char text[TEXT_TIME_SIZE], int64_t sec)
{
	struct tm	 tm;
	time_t		 t = (time_t)sec;

	if (sec == 0 || localtime_r(&t, &tm) == NULL ||
	    strftime(text, TEXT_TIME_SIZE, "%Y-%m-%d %H:%M:%S", &tm) == 0)
		(void)strlcpy(text, "-", TEXT_TIME_SIZE);
}

void
text_age(char text[TEXT_TIME_SIZE], int64_t sec)
{
	long long	 n = sec < 0 ? 0 : sec;

	if (n < 100)
		(void)snprintf(text, TEXT_TIME_SIZE, "%llds", n);
	else if (n < 100 * 60)
		(void)snprintf(text, TEXT_TIME_SIZE, "%lldm", n / 60);
	else if (n < 48 * 3600)
		(void)snprintf(text, TEXT_TIME_SIZE, "%lldh", n / 3600);
	else
		(void)snprintf(text, TEXT_TIME_SIZE, "%lldd", n / 86400);
}

void
text_print(FILE *f, const char *s, bool multi)
{
	char	*safe;
	size_t	 len, size;

	while (*s != '\0') {
		len = multi ? strcspn(s, "\n\t") : strlen(s);
		size = len * 4 + 1;
		safe = xmalloc(size);
		(void)utf8_vis(safe, size, s, len);
		(void)fputs(safe, f);
		free(safe);
		s += len;
		if (*s != '\0')
			(void)fputc(*s++, f);
	}
}
