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

#include "updaterig.h"

/*
 * A file that compose has copied in, while each of the requests for it goes
 * wrong: the container is the old one, or the new one with the file.
 */
static const char	 body[] = "{\"Image\":\"app:latest\",\"Hostname\":"
    "\"000000011111\",\"Labels\":{\"com.docker.compose.project\":\"p\"},"
    "\"HostConfig\":{\"NetworkMode\":\"net1\",\"RestartPolicy\":{\"Name\":"
    "\"always\",\"MaximumRetryCount\":0},\"FakePort\":\"80\",\"Ulimits\":"
    "18446744073709551615},\"NetworkingConfig\":{\"EndpointsConfig\":{\"net1\""
    ":{\"IPAMConfig\":{\"IPv4Address\":\"10.0.0.5\"},\"Aliases\":[\"w\"]}}}}";
static char		 tar[2048];

/* A regular file "token" of three bytes. */
static void
tar_make(void)
{
	unsigned int	 sum = 0;
	size_t		 i;

	memset(tar, 0, sizeof(tar));
	memcpy(tar, "token", 5);
	memcpy(tar + 100, "0000400", 7);
	memcpy(tar + 108, "0001750", 7);
	memcpy(tar + 116, "0001750", 7);
	memcpy(tar + 124, "00000000003", 11);
	memcpy(tar + 136, "14700000000", 11);
	memset(tar + 148, ' ', 8);
	tar[156] = '0';
	memcpy(tar + 257, "ustar\00000", 8);
	for (i = 0; i < 512; i++)
		sum += (unsigned char)tar[i];
	(void)snprintf(tar + 148, 8, "%06o", sum);
	memcpy(tar + 512, "abc", 3);
}

static void
copy_begin(void)
{
	struct fk_container	*ct;

	world_begin();
	tar_make();
	ct = fk_find(&fk, NAME);
	free(ct->body);
	assert_non_null(ct->body = strdup(body));
	fk.file = "/run/secrets/token";
	fk.tar = tar;
	fk.tarlen = sizeof(tar);
}

static bool
is_new(void)
{
	return (strcmp(fk_find(&fk, NAME)->image, fk.im[1].id) == 0);
}

static void
test_copied(void **state)
{
	(void)state;
	copy_begin();
	start("", "");
	run();
	assert_true(is_new());
	assert_int_equal(fk_find(&fk, NAME)->files, 1);
	assert_one(true, false);
	world_end();
}

/* No file comes of an archive that is damaged: nobody is touched. */
static void
test_damaged(void **state)
{
	(void)state;
	copy_begin();
	tar[0]++;
	start("", "");
	run();
	assert_false(is_new());
	assert_int_equal(outcome, UPDATE_FAILED);
	assert_false(harm);
	assert_non_null(strstr(error, "/run/secrets/token"));
	assert_one(true, false);
	world_end();
}

/* Each request, before and after Docker did it, and always again. */
static void
test_faults(void **state)
{
	static const enum fk_fate	 fates[] = { FK_ERROR, FK_ERROR_AFTER,
		FK_LOSE, FK_LOSE_AFTER, FK_CRASH, FK_CRASH_AFTER };
	static const char *const	 whats[] = { "/changes", "HEAD /",
		"GET /v1.41/containers/%s/archive", "PUT /" };
	char				 what[256];
	size_t				 f, w;
	bool				 died;

	(void)state;
	for (f = 0; f < nitems(fates); f++)
		for (w = 0; w < nitems(whats); w++) {
			copy_begin();
			(void)snprintf(what, sizeof(what), "%s", whats[w]);
			if (w == 2)
				(void)snprintf(what, sizeof(what),
				    "GET /v1.41/containers/%s/archive",
				    fk_find(&fk, NAME)->id);
			fk.fail_what = what;
			fk.fate = fates[f];
			update_through_crashes(false, &died);
			assert_non_null(strstr(fk.trace, what));
			assert_one(true, false);
			assert_int_equal(died, fates[f] == FK_CRASH ||
			    fates[f] == FK_CRASH_AFTER);
			/* Not found out is told; found and not copied is
			 * no update. */
			if (w >= 2 && is_new() &&
			    fk_find(&fk, NAME)->files == 0)
				fail_msg("%s, fate %d: without its file; "
				    "trace:\n%s", what, fates[f], fk.trace);
			world_end();
		}
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test(test_copied),
		cmocka_unit_test(test_damaged),
		cmocka_unit_test(test_faults)
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
