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

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "json.h"

static const char golden[] =
    " {\"Id\":\"ab\\u00e9\\n\", \"n\" : 18446744073709551615,\"f\":1.10e+02 ,"
    "\"t\":true,\"x\":null,\"a\":[1, {\"b\":[]} ,\"]\"],\"o\":{ \"k.l\":\"v\"},"
    "\"neg\":-9223372036854775808}\n";

static struct json *
parse(const char *s)
{
	return (json_parse(s, strlen(s), NULL, 0));
}

static void
assert_raw(const struct json_value *jv, const char *want)
{
	assert_non_null(jv);
	assert_int_equal(jv->jv_rawlen, strlen(want));
	assert_memory_equal(jv->jv_raw, want, strlen(want));
}

static void
test_values(void **state)
{
	struct json			*js;
	const struct json_value		*r;
	int64_t				 v = 7;

	(void)state;
	assert_non_null(js = parse(golden));
	r = json_root(js);
	assert_string_equal(json_get_str(r, "Id"), "ab\xc3\xa9\n");
	assert_raw(json_get(r, "Id"), "\"ab\\u00e9\\n\"");
	assert_raw(json_get(r, "n"), "18446744073709551615");
	assert_raw(json_get(r, "f"), "1.10e+02");
	assert_raw(json_get(r, "t"), "true");
	assert_raw(json_get(r, "x"), "null");
	assert_raw(json_get(r, "a"), "[1, {\"b\":[]} ,\"]\"]");
	assert_raw(json_get(r, "o"), "{ \"k.l\":\"v\"}");
	assert_string_equal(json_get_str(json_get(r, "o"), "k.l"), "v");
	assert_int_equal(json_int(json_get(r, "n"), &v), -1);
	assert_int_equal(errno, ERANGE);
	assert_int_equal(json_int(json_get(r, "f"), &v), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(json_int(json_get(r, "x"), &v), -1);
	assert_int_equal(errno, ENOENT);
	assert_int_equal(v, 7);
	assert_int_equal(json_int(json_get(r, "neg"), &v), 0);
	assert_true(v == INT64_MIN);
	assert_true(json_bool(json_get(r, "t")));
	assert_int_equal(json_count(json_get(r, "a")), 3);
	assert_null(json_path(r, "o.k.l"));
	assert_null(json_path(r, "Id.x"));
	assert_null(json_str(json_get(r, "n")));
	json_free(js);
}

static void
test_scalar_documents(void **state)
{
	struct json	*js;

	(void)state;
	assert_non_null(js = parse(" 12"));
	assert_raw(json_root(js), "12");
	json_free(js);
	assert_non_null(js = parse("\"x\""));
	assert_string_equal(json_str(json_root(js)), "x");
	json_free(js);
}

static void
test_refused(void **state)
{
	static const char *const bad[] = { "", " ", "{", "{\"a\":1}x", "{}{}",
	    "[1,]", "{\"a\"}", "01", "nul", "\"\x80\"", "\"a\nb\"", "/**/1",
	    "[1 2]", "\"\\ud8\"", "\v1", "[\f1]", "[1\v]", "{\"a\"\v:1}",
	    "1 \f" };
	struct json	*js;
	char		 err[64];
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++) {
		assert_null(json_parse(bad[i], strlen(bad[i]), err,
		    sizeof(err)));
		assert_int_equal(errno, EINVAL);
		assert_string_equal(err, "not valid JSON");
	}
	/* A NUL inside is kept by length and not lent as a C string. */
	assert_non_null(js = parse("{\"a\":\"x\\u0000y\"}"));
	assert_null(json_str(json_get(json_root(js), "a")));
	assert_int_equal(json_get(json_root(js), "a")->jv_strlen, 3);
	json_free(js);
}

static void
test_limits(void **state)
{
	struct json	*js;
	char		*buf;
	size_t		 i, n;

	(void)state;
	n = JSON_VALUES_MAX * 2 + 8;
	assert_non_null(buf = calloc(1, n));
	memset(buf, '[', JSON_DEPTH_MAX);
	memset(buf + JSON_DEPTH_MAX, ']', JSON_DEPTH_MAX);
	assert_non_null(js = parse(buf));
	json_free(js);
	memset(buf, '[', JSON_DEPTH_MAX + 1);
	memset(buf + JSON_DEPTH_MAX + 1, ']', JSON_DEPTH_MAX + 1);
	assert_null(parse(buf));
	assert_int_equal(errno, E2BIG);
	memset(buf, 0, n);
	buf[0] = '[';
	for (i = 0; i < JSON_VALUES_MAX; i++)
		memcpy(buf + 1 + 2 * i, "1,", 2);
	buf[2 * i] = ']';
	assert_null(parse(buf));
	assert_int_equal(errno, E2BIG);
	free(buf);
	assert_null(json_parse("", JSON_DOC_MAXBYTES + 1, NULL, 0));
	assert_int_equal(errno, E2BIG);
}

static void
test_equal_zero(void **state)
{
	struct json	*a, *b;

	(void)state;
	a = parse("{\"x\":[1,\"\\u0061\"],\"y\":{}}");
	b = parse("{ \"y\":{},\"x\":[ 1,\"a\"] }");
	assert_true(json_equal(json_root(a), json_root(b)));
	assert_true(json_is_zero(json_get(json_root(a), "y")));
	assert_false(json_is_zero(json_get(json_root(a), "x")));
	assert_true(json_is_zero(NULL));
	json_free(b);
	b = parse("{\"y\":{},\"x\":[1,\"b\"]}");
	assert_false(json_equal(json_root(a), json_root(b)));
	assert_false(json_equal(json_root(a), NULL));
	json_free(a);
	json_free(b);
}

/* --- splitter ---------------------------------------------------------- */

struct pieces {
	char	text[256];
	int	stop_at;
	int	n;
};

static int
on_piece(void *arg, const char *s, size_t len)
{
	struct pieces	*p = arg;

	snprintf(p->text + strlen(p->text), sizeof(p->text) - strlen(p->text),
	    "<%.*s>", (int)len, s);
	return (++p->n == p->stop_at ? -1 : 0);
}

static int
split(enum json_split kind, const char *in, size_t step, struct pieces *p)
{
	struct json_splitter	*sp;
	size_t			 i, n, len = strlen(in);
	int			 rc = 0;

	memset(p->text, 0, sizeof(p->text));
	p->n = 0;
	assert_non_null(sp = json_splitter_new(kind, 32, on_piece, p));
	for (i = 0; rc == 0 && i < len; i += n) {
		n = len - i < step ? len - i : step;
		rc = json_splitter_feed(sp, in + i, n);
	}
	if (rc == 0)
		rc = json_splitter_end(sp);
	json_splitter_free(sp);
	return (rc);
}

static void
test_splitter(void **state)
{
	struct pieces	 p = { .stop_at = 0 };
	size_t		 step;

	(void)state;
	for (step = 1; step < 40; step++) {
		assert_int_equal(split(JSON_SPLIT_LINES,
		    "{\"a\":\"}\\\"\"}\r\n{\"b\":[1,{}]} 12 \"x\\\\\"\n7",
		    step, &p), 0);
		assert_string_equal(p.text, "<{\"a\":\"}\\\"\"}>"
		    "<{\"b\":[1,{}]}><12><\"x\\\\\"><7>");
		assert_int_equal(split(JSON_SPLIT_ARRAY,
		    " [ {\"a\":[]} , 1,\"]\" ] \n", step, &p), 0);
		assert_string_equal(p.text, "<{\"a\":[]}><1><\"]\">");
	}
	assert_int_equal(split(JSON_SPLIT_ARRAY, "[]", 1, &p), 0);
	assert_int_equal(p.n, 0);
	assert_int_equal(split(JSON_SPLIT_ARRAY, "[1,]", 9, &p), -1);
	assert_int_equal(split(JSON_SPLIT_ARRAY, "[1", 9, &p), -1);
	assert_int_equal(split(JSON_SPLIT_ARRAY, "{}", 9, &p), -1);
	assert_int_equal(split(JSON_SPLIT_ARRAY, "[] x", 9, &p), -1);
	assert_int_equal(split(JSON_SPLIT_LINES, "{", 9, &p), -1);
	assert_int_equal(split(JSON_SPLIT_LINES, "}", 9, &p), -1);
	assert_int_equal(split(JSON_SPLIT_LINES,
	    "\"0123456789012345678901234567890123456789\"", 9, &p), -1);
	assert_int_equal(errno, E2BIG);
	p.stop_at = 2;
	assert_int_equal(split(JSON_SPLIT_LINES, "1 2 3", 9, &p), -1);
	assert_int_equal(errno, ECANCELED);
	assert_int_equal(p.n, 2);
}

/* --- generator --------------------------------------------------------- */

static void
test_generator(void **state)
{
	struct json		*js = parse(golden);
	struct json_gen		*jg;
	char			*s;
	size_t			 len;

	(void)state;
	assert_non_null(jg = json_gen_new(1000));
	json_gen_object(jg);
	json_gen_member(jg, json_get(json_root(js), "f"));
	json_gen_member(jg, json_get(json_root(js), "a"));
	json_gen_key(jg, "s");
	json_gen_str(jg, "q\"\xff");
	json_gen_key(jg, "l");
	json_gen_array(jg);
	json_gen_int(jg, -5);
	json_gen_bool(jg, false);
	json_gen_null(jg);
	json_gen_value(jg, NULL);
	json_gen_end_array(jg);
	json_gen_end_object(jg);
	assert_non_null(s = json_gen_take(jg, &len));
	assert_string_equal(s, "{\"f\":1.10e+02,\"a\":[1, {\"b\":[]} ,\"]\"],"
	    "\"s\":\"q\\\"\xef\xbf\xbd\",\"l\":[-5,false,null,null]}");
	assert_int_equal(len, strlen(s));
	free(s);
	assert_null(json_gen_take(jg, NULL));
	json_gen_free(jg);
	json_free(js);

	assert_non_null(jg = json_gen_new(4));		/* too long */
	json_gen_str(jg, "abcdef");
	assert_null(json_gen_take(jg, NULL));
	assert_int_equal(errno, E2BIG);
	json_gen_free(jg);

	assert_non_null(jg = json_gen_new(100));	/* not complete */
	json_gen_object(jg);
	assert_null(json_gen_take(jg, NULL));
	json_gen_free(jg);

	assert_non_null(jg = json_gen_new(100));	/* key is no string */
	json_gen_object(jg);
	json_gen_int(jg, 1);
	json_gen_end_object(jg);
	assert_null(json_gen_take(jg, NULL));
	assert_int_equal(errno, EINVAL);
	json_gen_free(jg);
}

/* Nothing that a truncated or flipped document does may go unnoticed by the
 * sanitizers; raw slices must lie inside the text. */
static void
walk(const struct json_value *jv, unsigned int depth)
{
	assert_true(depth <= JSON_DEPTH_MAX);
	for (; jv != NULL; jv = jv->jv_next) {
		assert_true(jv->jv_rawlen > 0);
		walk(jv->jv_child, depth + 1);
	}
}

static void
test_mutations(void **state)
{
	struct json	*js;
	char		 buf[sizeof(golden)];
	size_t		 i, len = sizeof(golden) - 1;

	(void)state;
	for (i = 0; i < len; i++)
		if ((js = json_parse(golden, i, NULL, 0)) != NULL) {
			walk(json_root(js), 0);
			/* whole but for the line feed at its end */
			assert_int_equal(i, len - 1);
			json_free(js);
		}
	for (i = 0; i < len * 8; i++) {
		memcpy(buf, golden, sizeof(buf));
		buf[i / 8] = (char)(buf[i / 8] ^ (1 << (i % 8)));
		if ((js = json_parse(buf, len, NULL, 0)) != NULL) {
			walk(json_root(js), 0);
			json_free(js);
		}
	}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_values),
		cmocka_unit_test(test_scalar_documents),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_equal_zero),
		cmocka_unit_test(test_splitter),
		cmocka_unit_test(test_generator),
		cmocka_unit_test(test_mutations),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
