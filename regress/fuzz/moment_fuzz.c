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

/* A moment of --since and --until. */
#include "compat.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "ctl.h"

#define NOW	1795000000	/* 2026-11-18T11:06:40Z */
#define FAR	253402300800LL	/* 10000-01-01, before the zone */
#define DAY	86400

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);
int	 LLVMFuzzerInitialize(int *, char ***);

int
LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	if (setenv("TZ", "EET-2EEST,M3.5.0/3,M10.5.0/4", 1) == -1)
		abort();
	tzset();
	return (0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	uint64_t	 sec;
	int64_t		 since = -5, until = -5, later = -5;
	int		 rc;
	char		*text;

	if ((text = malloc(len + 1)) == NULL)
		return (0);
	memcpy(text, data, len);
	text[len] = '\0';
	rc = moment_parse(text, NOW, false, &since);
	if (rc == -1) {
		if (since != -5)
			abort();
		free(text);
		return (0);
	}
	if (since < 1 || since > FAR + DAY)
		abort();
	/* Nothing between the two, and the same at any other time, or as much
	 * later. */
	if (moment_parse(text, NOW, true, &until) == -1 ||
	    (until != since && until != since + 1) ||
	    moment_parse(text, NOW + 10, false, &later) == -1 ||
	    (later != since && later != since + 10))
		abort();
	if (later != since && (cmd_duration(text, &sec) == -1 ||
	    since != NOW - (int64_t)sec || until != since))
		abort();
	free(text);
	return (0);
}
