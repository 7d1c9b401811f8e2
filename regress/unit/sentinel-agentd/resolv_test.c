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

/* Names without libc: literals, hosts, resolv.conf, "host:port". */
#include "unit.h"

#include <netinet/in.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "resolv.h"

#include "../../fuzz/resolv_fuzz.c"

static void
test_literal(void **state)
{
	static const char *const	 bad[] = { "", "a", "10.0.0",
	    "10.0.0.256", "10.0.0.1 ", "fe80::1%",
	    "fe80::1%eth0", "fe80::1%1x", "::%-1",
	    "10.0.0.1%1", "[::1]", "1:2:3:4:5:6:7:8:9" };
	struct resolv_addr		 ra;
	size_t				 i;

	(void)state;
	assert_true(resolv_literal("10.0.0.1", &ra));
	assert_int_equal(ra.ra_family, AF_INET);
	assert_memory_equal(ra.ra_ip, "\x0a\0\0\x01", 4);
	assert_true(resolv_literal("fe80::1%3", &ra));
	assert_int_equal(ra.ra_family, AF_INET6);
	assert_int_equal(ra.ra_zone, 3);
	assert_int_equal(ra.ra_ip[15], 1);
	for (i = 0; i < nitems(bad); i++) {
		if (resolv_literal(bad[i], &ra))
			fail_msg("taken: \"%s\"", bad[i]);
	}
}

static void
test_conf(void **state)
{
	static const char	 text[] =
	    "# made by hand\n"
	    "domain old.example\n"
	    "nameserver 10.0.0.1 ; the router\n"
	    "nameserver example.com\n"
	    "\tnameserver\t fd00::53\r\n"
	    "search a.example b.example bad/name\n"
	    "nameserver fe80::1%2\n"
	    "options rotate ndots:3 timeout:1\n"
	    "nameserver 10.0.0.2\n"
	    "nameserver 10.0.0.3";
	struct resolv_conf	 rc;

	(void)state;
	resolv_conf_parse(&rc, text, sizeof(text) - 1);
	assert_int_equal(rc.rc_nns, 3);
	assert_string_equal(rc.rc_ns[0], "10.0.0.1");
	assert_string_equal(rc.rc_ns[1], "fd00::53");
	assert_string_equal(rc.rc_ns[2], "10.0.0.2");
	assert_int_equal(rc.rc_nsearch, 2);
	assert_string_equal(rc.rc_search[0], "a.example");
	assert_string_equal(rc.rc_search[1], "b.example");
	assert_int_equal(rc.rc_ndots, 3);

	resolv_conf_parse(&rc, "", 0);
	assert_int_equal(rc.rc_nns, 1);
	assert_string_equal(rc.rc_ns[0], "127.0.0.1");
	assert_int_equal(rc.rc_ndots, 1);
	resolv_conf_parse(&rc, "options ndots:99\nsearch", 23);
	assert_int_equal(rc.rc_ndots, 15);
	assert_int_equal(rc.rc_nsearch, 0);
}

static void
test_hosts(void **state)
{
	static const char	 text[] =
	    "127.0.0.1 localhost\n"
	    "10.0.0.10\tServer.Example srv # srv2\n"
	    "nonsense server.example\n"
	    "10.0.0.10 server.example\n"
	    "fd00::10 server.example.\n"
	    "10.0.0.11 xserver.example server.example.org\n"
	    "#10.0.0.12 server.example\n"
	    "10.0.0.13 a b c d server.EXAMPLE";
	struct resolv_addr	 list[8];

	(void)state;
	assert_int_equal(resolv_hosts_find(text, sizeof(text) - 1,
	    "server.example", list, 8), 3);
	assert_memory_equal(list[0].ra_ip, "\x0a\0\0\x0a", 4);
	assert_int_equal(list[1].ra_family, AF_INET6);
	assert_memory_equal(list[2].ra_ip, "\x0a\0\0\x0d", 4);
	assert_int_equal(resolv_hosts_find(text, sizeof(text) - 1,
	    "server.example.", list, 1), 1);
	assert_int_equal(resolv_hosts_find(text, sizeof(text) - 1, "srv2",
	    list, 8), 0);
	assert_int_equal(resolv_hosts_find(text, sizeof(text) - 1, "", list,
	    8), 0);
	assert_int_equal(resolv_hosts_find(text, sizeof(text) - 1, ".", list,
	    8), 0);
}

static void
test_split(void **state)
{
	static const char *const	 bad[] = { "", "a", ":1", "a:", "a:0",
	    "a:65536", "a:-1", "a:1x", "[::1]", "[::1]1", "[::1:1", "[]:1",
	    "a: 1" };
	char				 host[RESOLV_NAME_SIZE], *text;
	uint16_t			 port;
	size_t				 i;

	(void)state;
	assert_int_equal(resolv_split("server.example:9443", host, &port), 0);
	assert_string_equal(host, "server.example");
	assert_int_equal(port, 9443);
	assert_int_equal(resolv_split("[fd00::1]:65535", host, &port), 0);
	assert_string_equal(host, "fd00::1");
	assert_int_equal(port, 65535);
	for (i = 0; i < nitems(bad); i++) {
		if (resolv_split(bad[i], host, &port) == 0)
			fail_msg("taken: \"%s\"", bad[i]);
	}
	assert_non_null(text = malloc(RESOLV_NAME_SIZE + 3));
	memset(text, 'a', RESOLV_NAME_SIZE);
	strcpy(text + RESOLV_NAME_SIZE, ":1");
	assert_int_equal(resolv_split(text, host, &port), -1);
	assert_int_equal(resolv_split(text + 1, host, &port), 0);
	free(text);
}

static void
test_sockaddr(void **state)
{
	struct sockaddr_storage	 ss;
	struct sockaddr_in	 sin;
	struct sockaddr_in6	 sin6;
	struct resolv_addr	 ra;

	(void)state;
	assert_true(resolv_literal("10.0.0.1", &ra));
	assert_int_equal(resolv_sockaddr(&ra, 9443, &ss), sizeof(sin));
	memcpy(&sin, &ss, sizeof(sin));
	assert_int_equal(sin.sin_family, AF_INET);
	assert_int_equal(sin.sin_port, htons(9443));
	assert_int_equal(ntohl(sin.sin_addr.s_addr), 0x0a000001);
	assert_true(resolv_literal("fe80::2%7", &ra));
	assert_int_equal(resolv_sockaddr(&ra, 1, &ss), sizeof(sin6));
	memcpy(&sin6, &ss, sizeof(sin6));
	assert_int_equal(sin6.sin6_scope_id, 7);
	assert_int_equal(sin6.sin6_addr.s6_addr[15], 2);
}

/* Every truncation and every bit of the sample, through the harness. */
static void
test_mutations(void **state)
{
	uint8_t	 buf[1024], *exact;
	size_t	 len, i;
	FILE	*f;

	(void)state;
	assert_non_null(f = fopen(REGRESS_DIR "/fuzz/resolv/sample", "r"));
	len = fread(buf, 1, sizeof(buf), f);
	fclose(f);
	assert_true(len > 100);
	for (i = 0; i <= len; i++) {
		/* Of its exact size, for the sanitizer's sake. */
		assert_non_null(exact = malloc(i + 1));
		memcpy(exact, buf, i);
		(void)LLVMFuzzerTestOneInput(exact, i);
		free(exact);
	}
	for (i = 0; i < len * 8; i++) {
		buf[i / 8] ^= (uint8_t)(1U << (i % 8));
		(void)LLVMFuzzerTestOneInput(buf, len);
		buf[i / 8] ^= (uint8_t)(1U << (i % 8));
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_literal),
		cmocka_unit_test(test_conf),
		cmocka_unit_test(test_hosts),
		cmocka_unit_test(test_split),
		cmocka_unit_test(test_sockaddr),
		cmocka_unit_test(test_mutations),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
