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

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "docker_keep.h"

#define NOW	1800000000LL
#define DAY	86400LL

static struct keep	*kp;
static char		 drops[2048];

/* An image: its number, names and digests as JSON. */
static void
image(int n, const char *tags, const char *digests)
{
	char		 text[2048];
	struct json	*js;

	snprintf(text, sizeof(text), "{\"Id\":\"sha256:%064d\",\"RepoTags\":"
	    "%s,\"RepoDigests\":%s}", n, tags, digests);
	assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
	snprintf(text, sizeof(text), "sha256:%064d", 1);
	assert_int_equal(keep_add_image(kp, json_root(js), text), 0);
	json_free(js);
}

static void
container(const char *name, int n)
{
	char		 text[512];
	struct json	*js;

	snprintf(text, sizeof(text), "{\"Names\":[\"/%s\"],\"ImageID\":"
	    "\"sha256:%064d\"}", name, n);
	assert_non_null(js = json_parse(text, strlen(text), NULL, 0));
	assert_int_equal(keep_add_container(kp, json_root(js)), 0);
	json_free(js);
}

/* The private name of an image of "web" (or another), ago seconds old. */
static const char *
name(const char *of, const char *ref, int64_t ago)
{
	static char	 buf[4][1024];
	static int	 i;
	char		 repo[DOCKER_REF_MAXBYTES], tag[KEEP_TAG_MAXBYTES];

	i = (i + 1) % 4;
	assert_int_equal(keep_make_name(repo, tag, of, ref, NOW - ago), 0);
	snprintf(buf[i], sizeof(buf[i]), "%s:%s", repo, tag);
	return (buf[i]);
}

static const char *
quote(const char *a, const char *b)
{
	static char	 buf[4][2048];
	static int	 i;

	i = (i + 1) % 4;
	snprintf(buf[i], sizeof(buf[i]), b != NULL ? "[\"%s\",\"%s\"]" :
	    "[\"%s\"]", a, b);
	return (buf[i]);
}

/* Of "web", which went from image 1 to image 9. */
static const char *
decide(unsigned int count, unsigned int days, bool cleanup)
{
	char		 now[80], old[80];
	struct keep_rule kr = { "web", now, old, "app:1", count, days,
			    cleanup, NOW };
	size_t		 i;

	snprintf(now, sizeof(now), "sha256:%064d", 9);
	snprintf(old, sizeof(old), "sha256:%064d", 1);
	assert_int_equal(keep_decide(kp, &kr), 0);
	drops[0] = '\0';
	for (i = 0; i < kp->kp_ndrops; i++) {
		strlcat(drops, kp->kp_drops[i], sizeof(drops));
		strlcat(drops, " ", sizeof(drops));
	}
	return (drops);
}

static int
setup(void **state)
{
	(void)state;
	return ((kp = keep_new()) == NULL ? -1 : 0);
}

static int
teardown(void **state)
{
	(void)state;
	keep_free(kp);
	return (0);
}

/* --- names ------------------------------------------------------------- */

static void
test_names(void **state)
{
	static const char *const	 refs[] = { "app:1", "app",
		"127.0.0.1:5000/demo:2", "Host.Example:5000/a/b__c-d:V1.2_x",
		("a@sha256:000000000000000000000000000000000000000000000000000"
		"0000000000000"), "" };
	struct keep_name		 kn;
	char				 repo[DOCKER_REF_MAXBYTES];
	char				 tag[KEEP_TAG_MAXBYTES];
	char				 longest[KEEP_NAME_MAX + 2];
	struct docker_ref		 rf;
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(refs); i++) {
		assert_int_equal(keep_parse_name(&kn, name("We_b.1-x",
		    refs[i], 5)), 0);
		assert_string_equal(kn.kn_container, "We_b.1-x");
		assert_string_equal(kn.kn_ref, refs[i]);
		assert_int_equal(kn.kn_time, NOW - 5);
		assert_int_equal(docker_ref_parse(&rf, name("w", refs[i], 0)),
		    0);
	}
	/* Podman's way of writing it. */
	snprintf(repo, sizeof(repo), "localhost/%s", name("w", "app:1", 0));
	assert_int_equal(keep_parse_name(&kn, repo), 0);
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(keep_make_name(repo, tag, longest, "app", NOW), -1);
	longest[KEEP_NAME_MAX] = '\0';
	assert_int_equal(keep_make_name(repo, tag, longest, "app", NOW), 0);
	assert_true(strlen(tag) == 128);
	/* A reference that is too long is left out. */
	memset(repo, '.', 200);
	repo[200] = '\0';
	assert_int_equal(keep_parse_name(&kn, name("w", repo, 0)), 0);
	assert_string_equal(kn.kn_ref, "");
}

static void
test_foreign_names(void **state)
{
	static const char *const	 names[] = { "", "app:1",
		"sentinel-keep:000000011111", "sentinel-keep/r:w.00000000000",
		"sentinel-keep/rapp:w.000000000", "sentinel-keep/rapp",
		"sentinel-keep/rapp-3:w.0000000000",
		"sentinel-keep/rapp-3Z1:w.0000000000",
		"sentinel-keep/rapp-0a:w.0000000000",
		"sentinel-keep/rApp:w.0000000000",
		"sentinel-keep/rapp:w.00000000g0",
		"sentinel-keep/rapp:.0000000000",
		"sentinel-keep/rapp:-w.0000000000",
		"my-sentinel-keep/rapp:w.0000000000" };
	struct keep_name		 kn;
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(names); i++)
		if (keep_parse_name(&kn, names[i]) == 0)
			fail_msg("taken for ours: \"%s\"", names[i]);
}

/* --- choice ------------------------------------------------------------ */

static void
test_choose(void **state)
{
	static const struct {
		const char	*to;
		int		 image;	/* 0: refused */
	}			 rows[] = {
		{ "", 3 }, { "1", 3 }, { "2", 2 }, { "3", 0 },
		{ "000000000000", 0 }, { "sha256:00000000000", 0 },
		{ "sha256:0000000000000000000000000000000000000000000000000000"
		    "000000000002", 2 },
		{ "000000000000000000000000000000000000000000000000000000000000"
		    "0003", 3 },
		/* The one that it has. */
		{ "000000000000000000000000000000000000000000000000000000000000"
		    "0004", 0 },
	};
	char			 id[80], want[80], err[256];
	struct keep_name	 kn;
	size_t			 i;

	(void)state;
	image(2, quote(name("web", "app:2", 200), NULL), "[]");
	image(3, quote(name("web", "app:3", 100), name("web", "app:3", 300)),
	    "[]");
	image(4, quote(name("web", "app:4", 50), NULL), "[]");
	image(5, quote(name("other", "app:5", 10), NULL), "[]");
	snprintf(want, sizeof(want), "sha256:%064d", 4);
	for (i = 0; i < nitems(rows); i++) {
		err[0] = '\0';
		if (keep_choose(kp, "web", want, rows[i].to, id, &kn, err,
		    sizeof(err)) == -1) {
			if (rows[i].image != 0)
				fail_msg("%s: %s", rows[i].to, err);
			assert_non_null(strstr(err, "1: sha256:000000000000 "
			    "(app:3), 2: sha256:000000000000 (app:2)"));
			continue;
		}
		assert_int_equal(atoi(id + 7 + 60), rows[i].image);
		assert_string_equal(kn.kn_container, "web");
	}
	assert_int_equal(keep_choose(kp, "none", want, "", id, &kn, err,
	    sizeof(err)), -1);
	assert_non_null(strstr(err, "no earlier image"));
}

static void
test_to(void **state)
{
	static const char *const	 good[] = { "", "1", "20",
		"0123456789ab", "sha256:0123456789ab" };
	static const char *const	 bad[] = { "0", "21", "-1", "x", " 1",
		"+1", "01x", "0123456789a", "0123456789AB", "sha256:1",
		"sha256:", "app:1",
		("000000000000000000000000000000000000000000"
		"00000000000000000000000") };
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(good); i++)
		assert_true(keep_to_ok(good[i]));
	for (i = 0; i < nitems(bad); i++)
		if (keep_to_ok(bad[i]))
			fail_msg("taken: \"%s\"", bad[i]);
}

/* --- clean-up ---------------------------------------------------------- */

static void
test_count(void **state)
{
	char	 want[2048];

	(void)state;
	container("web", 9);
	image(1, quote("app:1", name("web", "app:1", 0)), "[]");
	image(2, quote("app:2", name("web", "app:2", 100)), "[]");
	image(3, quote("app:3", name("web", "app:3", 200)),
	    "[\"app@sha256:1\"]");
	assert_string_equal(decide(3, 30, true), "");
	snprintf(want, sizeof(want), "app:3 %s sha256:%064d ",
	    name("web", "app:3", 200), 3);
	assert_string_equal(decide(2, 30, true), want);
	/* Without clean-up it only loses its private name. */
	snprintf(want, sizeof(want), "%s ", name("web", "app:3", 200));
	assert_string_equal(decide(2, 30, false), want);
	/* Nothing is kept: the one that was replaced goes also. */
	assert_non_null(strstr(decide(0, 0, true), "app:1 sentinel-keep/"));
}

static void
test_age(void **state)
{
	(void)state;
	container("web", 9);
	image(1, quote("app:1", name("web", "app:1", 0)), "[]");
	image(2, quote("app:2", name("web", "app:2", 31 * DAY)), "[]");
	assert_string_equal(decide(5, 0, true), "");
	assert_string_equal(decide(5, 32, true), "");
	assert_non_null(strstr(decide(5, 30, true), "app:2 "));
	assert_null(strstr(drops, "app:1 "));
}

/* What anybody needs: a stopped container, another's rollback, a name. */
static void
test_needed(void **state)
{
	char	 want[2048];

	(void)state;
	container("web", 9);
	container("stopped", 2);
	container("other", 9);
	image(2, quote("app:2", name("web", "app:2", 100)), "[]");
	image(3, quote(name("web", "app:3", 200), NULL), "[]");
	image(4, quote(name("web", "app:4", 300), name("other", "x", 400 *
	    DAY)), "[\"app@sha256:1\"]");
	image(5, quote("mine:5", name("web", "app:5", 400)), "[]");
	container("uses-three", 3);
	(void)decide(0, 0, true);
	snprintf(want, sizeof(want), "%s %s %s ", name("web", "app:2", 100),
	    name("web", "app:4", 300), name("web", "app:5", 400));
	/* 3 has no other name: it could not lose it without going. */
	assert_string_equal(drops, want);
}

/* Only the image that was replaced, of all that never had a private name. */
static void
test_without_private_name(void **state)
{
	char	 want[256];

	(void)state;
	container("web", 9);
	image(1, "[\"app:1\"]", "[\"app@sha256:1\"]");
	image(2, "[\"app:2\"]", "[]");
	image(3, "[\"<none>:<none>\"]", "[\"<none>@<none>\"]");
	snprintf(want, sizeof(want), "app:1 sha256:%064d ", 1);
	assert_string_equal(decide(0, 0, true), want);
	assert_string_equal(decide(0, 0, false), "");
	container("also", 1);
	assert_string_equal(decide(0, 0, true), "");
}

/* Many containers of one image are one use; one without an image is none. */
static void
test_used(void **state)
{
	static const char	 none[] = "{\"Names\":[\"/x\"],"
	    "\"ImageID\":\"\"}";
	struct json		*js;

	(void)state;
	container("web", 2);
	container("also", 2);
	assert_non_null(js = json_parse(none, strlen(none), NULL, 0));
	assert_int_equal(keep_add_container(kp, json_root(js)), 0);
	json_free(js);
	assert_int_equal(kp->kp_nused, 1);
	assert_int_equal(kp->kp_nnames, 3);
	image(2, quote("app:2", name("web", "app:2", 100)), "[]");
	(void)decide(0, 0, true);
	assert_null(strstr(drops, "app:2 "));
	assert_null(strstr(drops, "sha256:"));
}

/* The image that the container has again needs no private name. */
static void
test_current(void **state)
{
	char	 want[1024];

	(void)state;
	container("web", 9);
	image(9, quote("app:9", name("web", "app:9", 100)), "[]");
	snprintf(want, sizeof(want), "%s ", name("web", "app:9", 100));
	assert_string_equal(decide(2, 30, true), want);
	keep_reset_images(kp);
	/* Unless it has no other. */
	image(9, quote(name("web", "app:9", 100), NULL), "[]");
	assert_string_equal(decide(2, 30, true), "");
}

/* Twice for the same image: the newer name counts, once. */
static void
test_twice(void **state)
{
	char	 want[1024];

	(void)state;
	container("web", 9);
	image(1, quote(name("web", "app:1", 0), name("web", "app:1", 500)),
	    "[]");
	image(2, quote("app:2", name("web", "app:2", 100)), "[]");
	snprintf(want, sizeof(want), "%s ", name("web", "app:1", 500));
	assert_string_equal(decide(2, 30, true), want);
}

/* Containers that are gone: their images stay for a while. */
static void
test_orphans(void **state)
{
	char	 want[1024];

	(void)state;
	container("web", 9);
	image(2, quote(name("gone", "app:2", 29 * DAY), NULL), "[]");
	image(3, quote(name("gone", "app:3", 31 * DAY), NULL), "[]");
	snprintf(want, sizeof(want), "%s sha256:%064d ",
	    name("gone", "app:3", 31 * DAY), 3);
	assert_string_equal(decide(2, 30, true), want);
	assert_string_equal(decide(2, 30, false), "");
}

int
main(void)
{
#define TEST(fn)	cmocka_unit_test_setup_teardown(fn, setup, teardown)
	const struct CMUnitTest	tests[] = {
		TEST(test_names),
		TEST(test_foreign_names),
		TEST(test_choose),
		TEST(test_to),
		TEST(test_count),
		TEST(test_age),
		TEST(test_needed),
		TEST(test_without_private_name),
		TEST(test_used),
		TEST(test_current),
		TEST(test_twice),
		TEST(test_orphans),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
