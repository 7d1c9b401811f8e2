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

/* One entry as JSON: what we write, what others write, and what nobody may. */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_jentry.h"
#include "pbcheck.h"

static Sentinel__Cluster__JournalEntry *
read_text(const char *text, struct pbmem *pm)
{
	const char	*why;

	pbmem_init(pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	return (jentry_read(text, strlen(text), pm, &why));
}

static void
test_time(void **state)
{
	static const struct {
		const char	*text;
		int64_t		 sec;
		int32_t		 nsec;
	} good[] = {
		{ "1970-01-01T00:00:00Z", 0, 0 },
		{ "2026-02-28T23:59:59.000000001Z", 1772323199, 1 },
		{ "2024-02-29T12:00:00.5Z", 1709208000, 500000000 },
		{ "2024-02-29T12:00:00.123456789+02:00", 1709200800,
		    123456789 },
		{ "2024-02-29t12:00:00.1234567891234-00:30", 1709209800,
		    123456789 },
		{ "0001-01-01T00:00:00Z", -62135596800, 0 },
		{ "9999-12-31T23:59:59Z", 253402300799, 0 },
		{ "2100-03-01T00:00:00Z", 4107542400, 0 },
	};
	static const char *const	 bad[] = {
		"", "2024", "2024-02-29", "2024-02-29T12:00:00",
		"2024-02-29 12:00:00Z", "2024-13-01T00:00:00Z",
		"2024-00-01T00:00:00Z", "2024-01-32T00:00:00Z",
		"2024-01-01T24:00:00Z", "2024-01-01T00:60:00Z",
		"2024-01-01T00:00:00.Z", "2024-01-01T00:00:00Zx",
		"2024-01-01T00:00:00+2:00", "2024-01-01T00:00:00+02:60",
		"0000-01-01T00:00:00Z", "-024-01-01T00:00:00Z",
	};
	char	 text[64];
	int64_t	 sec;
	int32_t	 nsec;
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(good); i++) {
		assert_int_equal(jentry_time_read(good[i].text, &sec, &nsec),
		    0);
		assert_int_equal(sec, good[i].sec);
		assert_int_equal(nsec, good[i].nsec);
		jentry_time_make(sec, nsec, text, sizeof(text));
		assert_int_equal(jentry_time_read(text, &sec, &nsec), 0);
		assert_int_equal(sec, good[i].sec);
		assert_int_equal(nsec, good[i].nsec);
	}
	for (i = 0; i < nitems(bad); i++)
		assert_int_equal(jentry_time_read(bad[i], &sec, &nsec), -1);
}

static void
test_round(void **state)
{
	static const char	 text[] = "{\"id\":\"request:7\","
	    "\"timestamp\":\"2026-02-28T23:59:59.000000001Z\","
	    "\"action\":\"update\",\"container\":\"web\","
	    "\"old_image\":\"a:1\",\"new_image\":\"a:2\","
	    "\"old_digest\":\"sha256:1\",\"new_digest\":\"sha256:2\","
	    "\"outcome\":\"success\",\"error\":\"\\\"so\\\"\\n\","
	    "\"duration\":1500000002}";
	static const char	 least[] = "{\"id\":\"x\",\"timestamp\":"
	    "\"1970-01-01T00:00:00.000000000Z\",\"action\":\"\","
	    "\"container\":\"\",\"outcome\":\"\",\"duration\":0}";
	Sentinel__Cluster__JournalEntry	*m;
	struct pbmem			 pm;
	char				*out;
	size_t				 len;

	(void)state;
	assert_non_null(m = read_text(text, &pm));
	assert_string_equal(m->error, "\"so\"\n");
	assert_int_equal(m->duration->seconds, 1);
	assert_int_equal(m->duration->nanos, 500000002);
	assert_non_null(out = jentry_make(m, &len));
	assert_string_equal(out, text);
	free(out);
	pbmem_free(&pm);
	assert_non_null(m = read_text("{\"id\":\"x\"}", &pm));
	assert_non_null(out = jentry_make(m, &len));
	assert_string_equal(out, least);
	free(out);
	assert_non_null(out = jentry_indent(least, strlen(least), &len));
	assert_string_equal(out, "  {\n    \"id\": \"x\",\n    \"timestamp\": "
	    "\"1970-01-01T00:00:00.000000000Z\",\n    \"action\": \"\",\n"
	    "    \"container\": \"\",\n    \"outcome\": \"\",\n"
	    "    \"duration\": 0\n  }");
	free(out);
	pbmem_free(&pm);
}

/* Every message that comes out passes the checks of the wire. */
static void
check_wire(const Sentinel__Cluster__JournalEntry *m)
{
	uint8_t	*data;
	char	 why[128];
	size_t	 len;

	assert_non_null(data = pbcheck_pack(&m->base, 1 << 20, &len));
	if (pbcheck_scan(m->base.descriptor, data, len, why,
	    sizeof(why)) == -1)
		fail_msg("%s", why);
	free(data);
}

static void
test_hostile(void **state)
{
	static const char *const	 bad[] = {
		"", "[]", "7", "\"x\"", "{", "{\"id\":7}", "{\"id\":[]}",
		"{\"container\":{}}", "{\"timestamp\":\"yesterday\"}",
		"{\"timestamp\":12}", "{\"duration\":\"1s\"}",
		"{\"duration\":1.5}", "{\"duration\":1e300}",
		"{\"id\":\"a\\u0000b\"}", "{\"error\":true}",
	};
	static const char *const	 odd[] = {
		"{}", "{\"id\":null,\"error\":null,\"duration\":null}",
		"{\"id\":\"a\\nb\",\"container\":\"w e\\tb\"}",
		"{\"outcome\":\"\\u00e4\\u00f6 x\",\"new_image\":\" \"}",
		"{\"duration\":-5,\"timestamp\":\"0001-01-01T00:00:00Z\"}",
		"{\"duration\":9223372036854775807}",
		"{\"unknown\":{\"a\":[1,2]},\"id\":\"k\"}",
	};
	Sentinel__Cluster__JournalEntry	*m;
	struct pbmem			 pm;
	char				*big;
	size_t				 i, len = 400000;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		assert_null(read_text(bad[i], &pm));
		pbmem_free(&pm);
	}
	for (i = 0; i < nitems(odd); i++) {
		assert_non_null(m = read_text(odd[i], &pm));
		check_wire(m);
		assert_int_not_equal(m->id[0], '\0');
		assert_true(m->duration->seconds >= 0);
		pbmem_free(&pm);
	}
	assert_non_null(big = malloc(len + 32));
	(void)strlcpy(big, "{\"id\":\"", 32);
	memset(big + 7, 'x', len);
	(void)strlcpy(big + 7 + len, "\"}", 4);
	assert_non_null(m = read_text(big, &pm));
	check_wire(m);
	pbmem_free(&pm);
	(void)strlcpy(big, "{\"error\":\"", 32);
	for (i = 10; i + 1 < len; i += 2)
		memcpy(big + i, "\xc3\xa4", 2);
	(void)strlcpy(big + i, "\"}", 4);
	assert_non_null(m = read_text(big, &pm));
	assert_int_equal(strlen(m->error), JENTRY_ERROR_MAXBYTES);
	check_wire(m);
	pbmem_free(&pm);
	free(big);
}

/* An entry without an id gets the same one each time. */
static void
test_id(void **state)
{
	Sentinel__Cluster__JournalEntry	*a, *b, *c;
	struct pbmem			 pa, pb, pc;

	(void)state;
	assert_non_null(a = read_text("{\"action\":\"update\"}", &pa));
	assert_non_null(b = read_text("{\"action\":\"update\"}", &pb));
	assert_non_null(c = read_text("{\"action\":\"updat\"}", &pc));
	assert_string_equal(a->id, b->id);
	assert_string_not_equal(a->id, c->id);
	pbmem_free(&pa);
	pbmem_free(&pb);
	pbmem_free(&pc);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_time),
		cmocka_unit_test(test_round),
		cmocka_unit_test(test_hostile),
		cmocka_unit_test(test_id),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
