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

/* Image patterns: what they match, and above all what they do not. */
#include "unit.h"

#include <string.h>

#include "imagerule.h"

#define D64	"0123456789abcdef0123456789abcdef" \
		"0123456789abcdef0123456789abcdef"

static const struct {
	const char	*patterns;
	const char	*ref;
	bool		 allowed;
} rows[] = {
	{ "*", "nginx", true },
	{ "*", "what no parser takes:", true },
	{ "", "nginx", false },
	{ "ghcr.io/acme/*", "ghcr.io/acme/web", true },
	{ "ghcr.io/acme/*", "ghcr.io/acme/web:1.2", true },
	{ "ghcr.io/acme/*", "ghcr.io/acme/team/web:1.2", true },
	{ "ghcr.io/acme/*", "ghcr.io/acme/web@sha256:" D64, true },
	{ "ghcr.io/acme/*", "ghcr.io/acme/web:1@sha256:" D64, true },
	{ "ghcr.io/acme/*", "ghcr.io/acme", false },
	{ "ghcr.io/acme/*", "ghcr.io/acmeevil/web", false },
	{ "ghcr.io/acme/*", "ghcr.io.evil.example/acme/web", false },
	{ "ghcr.io/acme/*", "evil.example/ghcr.io/acme/web", false },
	{ "ghcr.io/acme/*", "acme/web", false },
	{ "ghcr.io/acme/*", "", false },
	{ "ghcr.io/acme/*", "ghcr.io/acme/web:", false },
	{ "ghcr.io/acme/*", "ghcr.io/acme/web ghcr.io", false },
	/* A star never leaves the registry. */
	{ "*.acme.com/*", "eu.acme.com/web", true },
	{ "*.acme.com/*", "evil.example/x.acme.com/web", false },
	{ "*/web", "evil.example/web", true },
	{ "*/web", "evil.example/a/web", false },
	{ "ghcr.io/*/web", "ghcr.io/a/b/web", true },
	/* Completed as Docker does. */
	{ "docker.io/library/nginx", "nginx", true },
	{ "docker.io/library/nginx", "nginx:1.25", true },
	{ "docker.io/library/nginx", "docker.io/nginx", true },
	{ "docker.io/library/nginx", "index.docker.io/library/nginx", true },
	{ "docker.io/library/nginx", "evil/nginx", false },
	{ "docker.io/library/*", "evil/nginx", false },
	{ "docker.io/*", "anybody/nginx", true },
	/* Capitals make the first part a host, not a user of Docker Hub. */
	{ "docker.io/*", "Evil/nginx", false },
	{ "docker.io/*", "evil.example/nginx", false },
	{ "docker.io/*", "localhost/nginx", false },
	{ "localhost/*", "localhost/nginx", true },
	{ "127.0.0.1:5000/demo", "127.0.0.1:5000/demo:2", true },
	{ "127.0.0.1:5000/demo", "127.0.0.1:5001/demo:2", false },
	{ "127.0.0.1:*/demo", "127.0.0.1:5001/demo", true },
	/* Tags, and digests, by which Docker goes first. */
	{ "ghcr.io/a/w:1.*", "ghcr.io/a/w:1.2", true },
	{ "ghcr.io/a/w:1.*", "ghcr.io/a/w:2.1", false },
	{ "ghcr.io/a/w:1.*", "ghcr.io/a/w", false },
	{ "ghcr.io/a/w:latest", "ghcr.io/a/w", true },
	{ "ghcr.io/a/w:1.*", "ghcr.io/a/w@sha256:" D64, false },
	{ "ghcr.io/a/w:1.*", "ghcr.io/a/w:1.2@sha256:" D64, false },
	{ "ghcr.io/a/w*:0*", "ghcr.io/a/w@sha256:" D64, false },
	{ "ghcr.io/a/w@sha256:" D64, "ghcr.io/a/w@sha256:" D64, true },
	{ "ghcr.io/a/w@sha256:" D64, "ghcr.io/a/w:3@sha256:" D64, true },
	{ "ghcr.io/a/w@sha256:" D64, "ghcr.io/a/w", false },
	{ "ghcr.io/a/w@sha256:1*", "ghcr.io/a/w@sha256:" D64, false },
	{ "ghcr.io/a/w:1@*", "ghcr.io/a/w:1@sha256:" D64, true },
	{ "ghcr.io/a/w:1@*", "ghcr.io/a/w:2@sha256:" D64, false },
	{ "ghcr.io/a/w:1@*", "ghcr.io/a/w:1", false },
	/* One character. */
	{ "ghcr.io/a/?", "ghcr.io/a/b", true },
	{ "ghcr.io/a/?", "ghcr.io/a/bc", false },
	{ "ghcr.io/a?b", "ghcr.io/a/b", true },
	{ "ghcr?io/a/b", "ghcr.io/a/b", true },
	/* Stars that have to be widened. */
	{ "h.io/*ab*ab", "h.io/aabab", true },
	{ "h.io/*ab*ab", "h.io/aabba", false },
	{ "h.io/a**b", "h.io/ab", true },
	/* Lists. */
	{ "ghcr.io/a/* quay.io/b/*", "quay.io/b/c", true },
	{ "ghcr.io/a/* quay.io/b/*", "quay.io/a/c", false },
	{ "ghcr.io/a/*  *", "quay.io/a/c", true },
	{ " ", "nginx", false },
	/* What conf_check() would not have let through allows nothing. */
	{ "nginx", "nginx", false },
	{ "ghcr.io/", "ghcr.io/a", false },
	{ "**", "nginx", false },
};

static void
test_allows(void **state)
{
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(rows); i++) {
		if (imagerule_allows(rows[i].patterns, rows[i].ref) !=
		    rows[i].allowed)
			fail_msg("\"%s\" %s \"%s\"", rows[i].patterns,
			    rows[i].allowed ? "does not allow" : "allows",
			    rows[i].ref);
	}
}

/* The worst pattern against the longest reference ends soon. */
static void
test_long(void **state)
{
	char	 p[IMAGERULE_MAXBYTES + 1], ref[512];
	size_t	 i;

	(void)state;
	(void)strlcpy(p, "h.io/", sizeof(p));
	for (i = 5; i + 3 < sizeof(p); i += 2)
		memcpy(p + i, "*a", 3);
	(void)strlcat(p, "b", sizeof(p));
	(void)strlcpy(ref, "h.io/", sizeof(ref));
	memset(ref + 5, 'a', sizeof(ref) - 6);
	ref[sizeof(ref) - 1] = '\0';
	assert_false(imagerule_allows(p, ref));
	/* The longest name gets its "library/" and loses nothing. */
	memset(ref, 'a', sizeof(ref) - 1);
	assert_true(imagerule_allows("docker.io/library/a*a", ref));
}

static void
test_fault(void **state)
{
	static const char *const good[] = {
		"*", "ghcr.io/acme/*", "*/x", "?/x", "localhost/x",
		"docker.io/library/nginx:1@*", "docker.io/*", "h:5000/x",
	};
	static const char *const bad[] = {
		"", "**", "nginx", "nginx:1", "acme/web", "/x", "h.io/",
		"docker.io/nginx", "docker.io/nginx:1", "h.io/a b",
		"h.io/[a]", "h.io/\xc3\xa4",
	};
	char	 text[IMAGERULE_MAXBYTES + 2];
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(good); i++) {
		if (imagerule_fault(good[i]) != NULL)
			fail_msg("%s: %s", good[i], imagerule_fault(good[i]));
	}
	for (i = 0; i < nitems(bad); i++) {
		if (imagerule_fault(bad[i]) == NULL)
			fail_msg("\"%s\" is taken", bad[i]);
	}
	memset(text, 'a', sizeof(text));
	memcpy(text, "h.io/", 5);
	text[IMAGERULE_MAXBYTES + 1] = '\0';
	assert_non_null(imagerule_fault(text));
	text[IMAGERULE_MAXBYTES] = '\0';
	assert_null(imagerule_fault(text));
	assert_true(imagerule_allows(text, text));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_allows),
		cmocka_unit_test(test_long),
		cmocka_unit_test(test_fault),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
