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
#include <string.h>
#include <time.h>

#include "ctl.h"

#define UNIX_DIGITS	10	/* fewer are a duration in seconds */

static bool	 number(const char **, size_t, int, int, int *);
static bool	 fraction(const char **, bool *);
static bool	 clock_time(const char **, struct tm *, bool *);
static bool	 zone(const char **, bool *, int *);
static int	 unix_time(const char *, int64_t *, bool *);
static int	 calendar(const char *, int64_t *, bool *);

int
moment_parse(const char *text, int64_t now, bool up, int64_t *when)
{
	uint64_t	 sec;
	int64_t		 t;
	bool		 part = false;

	if (cmd_duration(text, &sec) == 0 &&
	    strspn(text, "0123456789") < UNIX_DIGITS)
		t = sec == 0 ? -1 : now - (int64_t)sec;
	else if (unix_time(text, &t, &part) == -1 &&
	    calendar(text, &t, &part) == -1)
		return (-1);
	if (part && up)
		t++;
	/* 0 is no bound, and nothing is older than this. */
	if (t < 1)
		return (-1);
	*when = t;
	return (0);
}

/* So many digits; the cursor stays when they are not there. */
static bool
number(const char **p, size_t digits, int min, int max, int *n)
{
	size_t	 i;
	int	 v = 0;

	for (i = 0; i < digits; i++) {
		if (!isdigit((unsigned char)(*p)[i]))
			return (false);
		v = v * 10 + ((*p)[i] - '0');
	}
	if (v < min || v > max)
		return (false);
	*p += digits;
	*n = v;
	return (true);
}

/* ".25", or nothing; *part: it is more than 0. */
static bool
fraction(const char **p, bool *part)
{
	size_t	 len;

	if (**p != '.')
		return (true);
	len = strspn(++*p, "0123456789");
	*part = strspn(*p, "0") < len;
	*p += len;
	return (len > 0);
}

static int
unix_time(const char *p, int64_t *when, bool *part)
{
	const size_t	 len = strspn(p, "0123456789");
	size_t		 i;
	int64_t		 t = 0;

	if (len < UNIX_DIGITS || len > UNIX_DIGITS + 1)
		return (-1);
	for (i = 0; i < len; i++)
		t = t * 10 + (*p++ - '0');
	if (!fraction(&p, part) || *p != '\0')
		return (-1);
	*when = t;
	return (0);
}

/* HH:MM[:SS[.FRACTION]], after the day */
static bool
clock_time(const char **p, struct tm *tm, bool *part)
{
	if (**p != 'T' && **p != 't' && **p != ' ')
		return (true);
	(*p)++;
	if (!number(p, 2, 0, 23, &tm->tm_hour) || *(*p)++ != ':' ||
	    !number(p, 2, 0, 59, &tm->tm_min))
		return (false);
	if (**p != ':')
		return (true);
	(*p)++;
	/* A leap second is the first one of the next minute. */
	return (number(p, 2, 0, 60, &tm->tm_sec) && fraction(p, part));
}

/* Z, +HH:MM, -HHMM; *local: there was none. */
static bool
zone(const char **p, bool *local, int *east)
{
	int	 hours, minutes, sign;

	*local = **p == '\0';
	*east = 0;
	if (*local)
		return (true);
	if (**p == 'Z' || **p == 'z') {
		(*p)++;
		return (true);
	}
	if (**p != '+' && **p != '-')
		return (false);
	sign = *(*p)++ == '-' ? -1 : 1;
	if (!number(p, 2, 0, 23, &hours))
		return (false);
	if (**p == ':')
		(*p)++;
	if (!number(p, 2, 0, 59, &minutes))
		return (false);
	*east = sign * (hours * 60 + minutes) * 60;
	return (true);
}

static int
calendar(const char *p, int64_t *when, bool *part)
{
	struct tm	 tm, day;
	time_t		 t;
	int		 east;
	bool		 local;

	memset(&tm, 0, sizeof(tm));
	if (!number(&p, 4, 1970, 9999, &tm.tm_year) || *p++ != '-' ||
	    !number(&p, 2, 1, 12, &tm.tm_mon) || *p++ != '-' ||
	    !number(&p, 2, 1, 31, &tm.tm_mday) ||
	    !clock_time(&p, &tm, part) || !zone(&p, &local, &east) ||
	    *p != '\0')
		return (-1);
	tm.tm_year -= 1900;
	tm.tm_mon--;
	/* There is no 31st of February, and timegm() would find one. */
	day = tm;
	day.tm_hour = 12;
	(void)timegm(&day);
	if (day.tm_mon != tm.tm_mon || day.tm_mday != tm.tm_mday)
		return (-1);
	tm.tm_isdst = -1;
	t = local ? mktime(&tm) : timegm(&tm);
	if (t == -1)
		return (-1);
	*when = (int64_t)t - east;
	return (0);
}
