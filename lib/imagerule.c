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

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "docker_api.h"
#include "imagerule.h"

#define HUB	"docker.io"

#define PART_SIZE	(DOCKER_REF_MAXBYTES + 16)	/* with "library/" */

/* The parts of a pattern or of a completed reference, NUL-terminated. */
struct parts {
	char	 pa_registry[PART_SIZE];
	char	 pa_path[PART_SIZE];
	char	 pa_tag[PART_SIZE];	/* "": none */
	char	 pa_digest[PART_SIZE];	/* "": none */
};

static bool	 is_registry(const char *, size_t);
static int	 split_ref(struct parts *, const char *);
static void	 split_pattern(struct parts *, const char *, size_t);
static void	 copy(char *, const char *, size_t);
static bool	 glob(const char *, const char *);
static bool	 matches(const struct parts *, const struct parts *);

bool
imagerule_allows(const char *patterns, const char *ref)
{
	struct parts	 want, have;
	bool		 parsed = split_ref(&have, ref) == 0;
	size_t		 len;

	for (; *patterns != '\0'; patterns += strspn(patterns, " ")) {
		len = strcspn(patterns, " ");
		if (len == 1 && *patterns == '*')
			return (true);
		if (parsed && len > 0 && len <= IMAGERULE_MAXBYTES) {
			split_pattern(&want, patterns, len);
			if (matches(&want, &have))
				return (true);
		}
		patterns += len;
	}
	return (false);
}

const char *
imagerule_fault(const char *p)
{
	size_t	 first = strcspn(p, "/"), len = strlen(p);

	if (strcmp(p, "*") == 0)
		return (NULL);
	if (len == 0 || len > IMAGERULE_MAXBYTES)
		return ("want 1 to 255 characters");
	if (strspn(p, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
	    "0123456789._-/:@*?") != len)
		return ("want letters, digits and . _ - / : @ with * and ?");
	if (first == len || first == 0 || p[first + 1] == '\0')
		return ("want * or REGISTRY/PATH, for images of Docker Hub "
		    "docker.io/library/NAME or docker.io/USER/NAME");
	if (!is_registry(p, first) && memchr(p, '*', first) == NULL &&
	    memchr(p, '?', first) == NULL)
		return ("begins with no registry: images of Docker Hub are "
		    "docker.io/USER/NAME");
	if (strncmp(p, HUB "/", sizeof(HUB)) == 0 &&
	    strpbrk(p + sizeof(HUB), "/*?") == NULL)
		return ("Docker Hub's own images are docker.io/library/NAME");
	return (NULL);
}

/* How Docker tells a registry from the first part of a path: capitals cannot
 * be in a path. */
static bool
is_registry(const char *s, size_t len)
{
	size_t	 i;

	for (i = 0; i < len; i++)
		if (s[i] == '.' || s[i] == ':' ||
		    isupper((unsigned char)s[i]))
			return (true);
	return (len == 9 && strncmp(s, "localhost", 9) == 0);
}

static void
copy(char *dst, const char *src, size_t len)
{
	if (len >= PART_SIZE)
		len = PART_SIZE - 1;
	memcpy(dst, src, len);
	dst[len] = '\0';
}

/* Completed as Docker does.  -1: not a reference. */
static int
split_ref(struct parts *pa, const char *ref)
{
	struct docker_ref	 rf;
	const char		*path;
	size_t			 first;

	if (docker_ref_parse(&rf, ref) == -1)
		return (-1);
	(void)strlcpy(pa->pa_tag, rf.rf_tag, sizeof(pa->pa_tag));
	(void)strlcpy(pa->pa_digest, rf.rf_digest, sizeof(pa->pa_digest));
	path = rf.rf_repo;
	first = strcspn(path, "/");
	if (path[first] == '/' && is_registry(path, first)) {
		copy(pa->pa_registry, path, first);
		path += first + 1;
	} else
		(void)strlcpy(pa->pa_registry, HUB, sizeof(pa->pa_registry));
	if (strcmp(pa->pa_registry, "index." HUB) == 0)
		(void)strlcpy(pa->pa_registry, HUB, sizeof(pa->pa_registry));
	(void)snprintf(pa->pa_path, sizeof(pa->pa_path), "%s%s",
	    strcmp(pa->pa_registry, HUB) == 0 && strchr(path, '/') == NULL ?
	    "library/" : "", path);
	return (0);
}

/* REGISTRY may hold a colon, PATH may not. */
static void
split_pattern(struct parts *pa, const char *p, size_t len)
{
	const char	*end = p + len, *at, *colon, *slash;

	memset(pa, 0, sizeof(*pa));
	if ((slash = memchr(p, '/', len)) == NULL)
		return;
	copy(pa->pa_registry, p, (size_t)(slash - p));
	p = slash + 1;
	if ((at = memchr(p, '@', (size_t)(end - p))) != NULL) {
		copy(pa->pa_digest, at + 1, (size_t)(end - at - 1));
		end = at;
	}
	if ((colon = memchr(p, ':', (size_t)(end - p))) != NULL) {
		copy(pa->pa_tag, colon + 1, (size_t)(end - colon - 1));
		end = colon;
	}
	copy(pa->pa_path, p, (size_t)(end - p));
}

static bool
matches(const struct parts *want, const struct parts *have)
{
	if (want->pa_path[0] == '\0' ||
	    !glob(want->pa_registry, have->pa_registry) ||
	    !glob(want->pa_path, have->pa_path))
		return (false);
	if (want->pa_digest[0] != '\0' ? have->pa_digest[0] == '\0' ||
	    !glob(want->pa_digest, have->pa_digest) :
	    want->pa_tag[0] != '\0' && have->pa_digest[0] != '\0')
		return (false);
	return (want->pa_tag[0] == '\0' || glob(want->pa_tag, have->pa_tag));
}

/* Only the last star can have to be widened, so this is at most the product
 * of both lengths. */
static bool
glob(const char *p, const char *s)
{
	const char	*star = NULL, *from = NULL;

	while (*s != '\0') {
		if (*p == '*') {
			star = ++p;
			from = s;
		} else if (*p == '?' || *p == *s) {
			p++;
			s++;
		} else if (star != NULL) {
			p = star;
			s = ++from;
		} else
			return (false);
	}
	while (*p == '*')
		p++;
	return (*p == '\0');
}
