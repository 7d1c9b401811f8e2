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

#include "unit.h"

#include <stdlib.h>
#include <time.h>

#include "ctl.h"

/* The moments of --since and --until. */
#define NOW	1795000000	/* 2026-11-18T11:06:40Z */

static const struct {
	const char	*text;
	int64_t		 since;		/* -1: none */
	int64_t		 until;
} rows[] = {
	/* how long ago */
	{ "90", NOW - 90, NOW - 90 },
	{ "1h30m", NOW - 5400, NOW - 5400 },
	{ "7d", NOW - 7 * 86400, NOW - 7 * 86400 },
	{ "999999999", NOW - 999999999, NOW - 999999999 },
	{ "0", -1, -1 },
	{ "36000d", -1, -1 },			/* before 1970 */
	/* unix seconds */
	{ "1795000001", 1795000001, 1795000001 },
	{ "1795000001.000", 1795000001, 1795000001 },
	{ "1795000001.25", 1795000001, 1795000002 },
	{ "1795000001.", -1, -1 },
	{ "1795000001.5x", -1, -1 },
	{ "179500000100", -1, -1 },
	/* with a zone */
	{ "2026-11-18T11:06:40Z", NOW, NOW },
	{ "2026-11-18t11:06:40z", NOW, NOW },
	{ "2026-11-18T11:06:40.000000001Z", NOW, NOW + 1 },
	{ "2026-11-18T11:06:40.999999999Z", NOW, NOW + 1 },
	{ "2026-11-18T12:36:40+01:30", NOW, NOW },
	{ "2026-11-18T03:06:40-0800", NOW, NOW },
	{ "2026-11-18T11:06Z", NOW - 40, NOW - 40 },
	{ "2026-11-18Z", 1794960000, 1794960000 },
	{ "2028-02-29T00:00:00Z", 1835395200, 1835395200 },
	/* without one: TZ is two hours east */
	{ "2026-11-18T13:06:40", NOW, NOW },
	{ "2026-11-18 13:06:40.5", NOW, NOW + 1 },
	{ "2026-11-18", 1794952800, 1794952800 },
	/* none of these is one */
	{ "", -1, -1 },
	{ "yesterday", -1, -1 },
	{ "2026-02-29", -1, -1 },
	{ "2026-11-31T00:00:00Z", -1, -1 },
	{ "2026-13-01", -1, -1 },
	{ "2026-00-10", -1, -1 },
	{ "2026-11-18T", -1, -1 },
	{ "2026-11-18T1:06", -1, -1 },
	{ "2026-11-18T24:00", -1, -1 },
	{ "2026-11-18T11:60", -1, -1 },
	{ "2026-11-18T11:06:61Z", -1, -1 },
	{ "2026-11-18T11:06:40.Z", -1, -1 },
	{ "2026-11-18T11:06:40Zz", -1, -1 },
	{ "2026-11-18T11:06:40+24:00", -1, -1 },
	{ "2026-11-18T11:06:40+1", -1, -1 },
	{ "1970-01-01T00:00:00Z", -1, -1 },
	{ "1969-12-31", -1, -1 },
	{ "-5m", -1, -1 },
	{ "20261118", NOW - 20261118, NOW - 20261118 },
};

static void
test_rows(void **state)
{
	int64_t	 t;
	size_t	 i;
	int	 ret;

	(void)state;
	assert_int_equal(setenv("TZ", "EET-2", 1), 0);
	tzset();
	for (i = 0; i < nitems(rows); i++) {
		t = -1;
		ret = moment_parse(rows[i].text, NOW, false, &t);
		if (ret != (rows[i].since == -1 ? -1 : 0) ||
		    t != rows[i].since)
			fail_msg("since \"%s\": %d, %lld", rows[i].text, ret,
			    (long long)t);
		t = -1;
		ret = moment_parse(rows[i].text, NOW, true, &t);
		if (ret != (rows[i].until == -1 ? -1 : 0) ||
		    t != rows[i].until)
			fail_msg("until \"%s\": %d, %lld", rows[i].text, ret,
			    (long long)t);
	}
}

/* Cut anywhere: another moment or none, and never more than was there. */
static void
test_cut(void **state)
{
	static const char	 whole[] = "2026-11-18T11:06:40.25+01:30";
	char			*part;
	int64_t			 t;
	size_t			 i;

	(void)state;
	for (i = 0; i < sizeof(whole); i++) {
		assert_non_null(part = malloc(i + 1));
		memcpy(part, whole, i);
		part[i] = '\0';
		(void)moment_parse(part, NOW, true, &t);
		free(part);
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_rows),
		cmocka_unit_test(test_cut),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
