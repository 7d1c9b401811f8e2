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
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf_value.h"

static void
test_duration(void **state)
{
	static const struct {
		const char	*text;
		uint64_t	 msec;
		const char	*shown;
	} good[] = {
		{ "0s", 0, "0s" }, { "250ms", 250, "250ms" },
		{ "10s", 10000, "10s" }, { "30m", 1800000, "30m" },
		{ "1h30m", 5400000, "1h30m" }, { "90m", 5400000, "1h30m" },
		{ "90d", 7776000000, "90d" },
		{ "1d2h3m4s5ms", 93784005, "1d2h3m4s5ms" },
		{ "42949672959d", 42949672959 * 86400000, "42949672959d" }
	};
	static const char *const bad[] = {
		"", "10", "s", "-1s", "+1s", " 1s", "1s ", "1 s", "1m1h",
		"1s1s", "1.5h", "1w", "1msx", "1M", "1e3s", "0x1s", "1ms1s"
	};
	char		 buf[CONF_DURATION_MAXLEN];
	uint64_t	 v;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(good); i++) {
		assert_int_equal(conf_value_duration(good[i].text, &v), 0);
		assert_true(v == good[i].msec);
		assert_string_equal(conf_value_duration_text(v, buf),
		    good[i].shown);
	}
	for (i = 0; i < nitems(bad); i++) {
		errno = 0;
		assert_int_equal(conf_value_duration(bad[i], &v), -1);
		assert_int_equal(errno, EINVAL);
	}
	assert_int_equal(conf_value_duration("99999999999d", &v), -1);
	assert_int_equal(errno, ERANGE);
	/* The largest there is must come out whole. */
	assert_true(strlen(conf_value_duration_text(UINT64_MAX, buf)) <
	    sizeof(buf) - 1);
}

static void
test_addr(void **state)
{
	static const struct {
		const char	*text;
		bool		 literal;
		const char	*host;
		uint16_t	 port;
	} good[] = {
		{ "10.0.0.1:9443", true, "10.0.0.1", 9443 },
		{ "[::]:1", true, "::", 1 },
		{ ":65535", true, "::", 65535 },
		{ "*:80", true, "::", 80 },
		{ "[2001:db8::1]:9443", false, "2001:db8::1", 9443 },
		{ "a.example.com:9443", false, "a.example.com", 9443 },
		{ "localhost:9443", false, "localhost", 9443 }
	};
	static const struct {
		const char	*text;
		bool		 literal;
	} bad[] = {
		{ "", false }, { ":", false }, { ":9443", false },
		{ "a", false }, { "a:", false }, { "a:0", false },
		{ "a:65536", false }, { "a:+1", false }, { "a: 1", false },
		{ "a:99999999999999999999", false }, { "::1", false },
		{ "::1:9443", false }, { "[::1]", false },
		{ "[::1]9443", false }, { "[::1:9443", false },
		{ "[a]:1", false }, { "[10.0.0.1.2]:1", false },
		{ "1.2.3:1", false }, { "a b:1", false }, { "a_b:1", false },
		{ "a/b:1", false }, { "tcp://a:1", false }, { "*:1", false },
		{ "localhost:1", true }, { "10.0.0.256:1", true },
		{ "[]:1", false }, { "]:1", true }, { "[:1", true }
	};
	struct conf_addr	 a;
	char			 why[CONF_WHY_MAXBYTES];
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(good); i++) {
		assert_int_equal(conf_value_addr(good[i].text,
		    good[i].literal, &a, why), 0);
		assert_string_equal(a.a_host, good[i].host);
		assert_int_equal(a.a_port, good[i].port);
		free(a.a_host);
	}
	for (i = 0; i < nitems(bad); i++) {
		*why = '\0';
		if (conf_value_addr(bad[i].text, bad[i].literal, &a, why) !=
		    -1)
			fail_msg("accepted: %s", bad[i].text);
		assert_true(*why != '\0');
	}
}

static void
test_names(void **state)
{
	char	 label[65], host[65];

	(void)state;
	memset(label, 'a', 64);
	label[64] = '\0';
	assert_false(conf_value_is_dns(label));
	label[63] = '\0';
	assert_true(conf_value_is_dns(label));
	assert_true(conf_value_is_dns("xn--bcher-kva.example"));
	assert_true(conf_value_is_dns("3com.example"));
	assert_false(conf_value_is_dns(""));
	assert_false(conf_value_is_dns("-a"));
	assert_false(conf_value_is_dns("a-"));
	assert_false(conf_value_is_dns("a-.b"));
	assert_false(conf_value_is_dns("a..b"));
	assert_false(conf_value_is_dns(".a"));
	assert_false(conf_value_is_dns("a."));
	assert_false(conf_value_is_dns("10.0.0.256"));
	assert_false(conf_value_is_dns("a.\xc3\xb6"));
	memset(host, 'h', 64);
	host[64] = '\0';
	assert_false(conf_value_is_host(host));
	assert_true(conf_value_is_host(host + 1));
	assert_true(conf_value_is_host("Worker_1.a-b"));
	assert_false(conf_value_is_host(""));
	assert_false(conf_value_is_host("a/b"));
	assert_true(conf_value_is_text("gr\xc3\xb6\xc3\x9f" "er"));
	assert_false(conf_value_is_text("a\nb"));
	assert_false(conf_value_is_text("a\x7f"));
	assert_false(conf_value_is_text("\xc2\x85"));
	assert_false(conf_value_is_text("\xff"));
	assert_int_equal(conf_value_distance("listen", "listn", 3), 1);
	assert_int_equal(conf_value_distance("abc", "", 3), 3);
	assert_int_equal(conf_value_distance("abcdef", "xyz", 3), 4);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_duration),
		cmocka_unit_test(test_addr),
		cmocka_unit_test(test_names)
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
