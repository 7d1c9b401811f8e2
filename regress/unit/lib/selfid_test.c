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

#include <stdio.h>
#include <string.h>

#include "selfid.h"

#define A	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb" \
	"bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define DIR	"/var/lib/docker/containers/"
#define M	" rw,relatime - ext4 /dev/sda1 rw\n"

static const struct {
	const char	*what;
	const char	*text;
	const char	*id;
	const char	*upper;
} cases[] = {
	{ "nothing", "", "", "" },
	{ "a host", "1 0 8:1 / /" M "2 1 0:5 / /proc rw - proc proc rw\n",
	    "", "" },
	{ "docker", "700 600 0:50 / / rw - overlay overlay rw,lowerdir=/var/"
	    "lib/docker/overlay2/l/X,upperdir=/var/lib/docker/overlay2/u1/"
	    "diff,workdir=/w\n"
	    "701 700 8:1 " DIR A "/resolv.conf /etc/resolv.conf" M
	    "702 700 8:1 " DIR A "/hostname /etc/hostname" M
	    "703 700 8:1 " DIR A "/hosts /etc/hosts" M, A, "u1/diff" },
	{ "relative upper directory", "700 600 0:50 / / rw - overlay overlay "
	    "rw,lowerdir=l/X,upperdir=u2/diff,workdir=w\n", "", "u2/diff" },
	{ "podman", "1 0 0:20 /containers/storage/overlay-containers/" A
	    "/userdata/hosts /etc/hosts rw - tmpfs tmpfs rw\n", A, "" },
	{ "the lab's data root", "1 0 8:1 /tmp/lab/docker/containers/" A
	    "/hosts /etc/hosts" M, A, "" },
	{ "an own /etc/hosts", "1 0 8:1 /home/me/hosts /etc/hosts" M
	    "2 0 8:1 " DIR A "/hostname /etc/hostname" M, A, "" },
	{ "two that differ", "1 0 8:1 " DIR A "/hosts /etc/hosts" M
	    "2 0 8:1 " DIR B "/hostname /etc/hostname" M, "", "" },
	{ "another's files, mounted elsewhere", "1 0 8:1 " DIR B
	    "/hosts /mnt/etc/hosts" M "2 0 8:1 " DIR B " /x" M, "", "" },
	{ "too short, too long, upper case", "1 0 8:1 " DIR "aaaa/hosts "
	    "/etc/hosts" M "1 0 8:1 " DIR A "a/hosts /etc/hosts" M
	    "1 0 8:1 " DIR "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	    "AAAAAAAAAAAAAA/hosts /etc/hosts" M, "", "" },
	{ "half a line", "1 0 8:1 " DIR A "/hosts", "", "" },
	{ "the last line has no end", "1 0 8:1 " DIR A "/hosts /etc/hosts", A,
	    "" },
	{ "an upper directory alone", "1 0 0:1 / / rw - overlay overlay "
	    "upperdir=diff\n", "", "" },
	{ "an option that only ends so", "1 0 0:1 / / rw - overlay overlay "
	    "rw,myupperdir=/a/b/diff\n", "", "" },
};

static void
test_cases(void **state)
{
	struct selfid	 si;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(cases); i++) {
		selfid_parse(&si, cases[i].text);
		if (strcmp(si.sf_id, cases[i].id) != 0 ||
		    strcmp(si.sf_upper, cases[i].upper) != 0)
			fail_msg("%s: \"%s\" \"%s\"", cases[i].what, si.sf_id,
			    si.sf_upper);
	}
}

static void
test_upper(void **state)
{
	char	 out[SELFID_UPPER_SIZE], path[512];

	(void)state;
	selfid_upper(out, "/x/y/diff", 9);
	assert_string_equal(out, "y/diff");
	selfid_upper(out, "y/diff", 6);
	assert_string_equal(out, "y/diff");
	selfid_upper(out, "diff", 4);
	assert_string_equal(out, "");
	selfid_upper(out, "", 0);
	assert_string_equal(out, "");
	memset(path, 'x', sizeof(path));
	memcpy(path + sizeof(path) - 5, "/diff", 5);
	selfid_upper(out, path, sizeof(path));
	assert_string_equal(out, "");
}

/* It reads the real one without a complaint, whatever is in it. */
static void
test_find(void **state)
{
	struct selfid	 si;

	(void)state;
	memset(&si, 0xff, sizeof(si));
	selfid_find(&si);
	assert_true(strlen(si.sf_id) == 0 || strlen(si.sf_id) == 64);
	assert_true(strlen(si.sf_upper) < sizeof(si.sf_upper));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_cases),
		cmocka_unit_test(test_upper),
		cmocka_unit_test(test_find),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
