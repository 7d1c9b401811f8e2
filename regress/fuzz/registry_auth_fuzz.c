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

/*
 * Credentials of a registry: an image's name to the first newline, then the
 * file.
 */
#include "compat.h"

#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "registry_auth.h"

int	 LLVMFuzzerTestOneInput(const uint8_t *, size_t);

static size_t
decode(const char *s, char *out)
{
	static const char	 set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				    "abcdefghijklmnopqrstuvwxyz0123456789-_";
	const char		*p;
	uint32_t		 bits = 0;
	size_t			 i, n = 0, len = strcspn(s, "=");

	if (strlen(s) % 4 != 0 || strlen(s) - len > 2 ||
	    strspn(s + len, "=") != strlen(s + len))
		abort();
	for (i = 0; i < len; i++) {
		if ((p = strchr(set, s[i])) == NULL)
			abort();
		bits = (bits << 6 | (uint32_t)(p - set)) & 0xffffff;
		if (i % 4 != 0)
			out[n++] = (char)(bits >> (6 - i % 4 * 2) & 0xff);
	}
	return (n);
}

/* A header of Docker: one object, with one kind of credentials. */
static void
check(const char *auth)
{
	const struct json_value	*root;
	struct json		*js;
	char			 text[REGISTRY_AUTH_SIZE];
	bool			 token;

	if (strnlen(auth, REGISTRY_AUTH_SIZE) == REGISTRY_AUTH_SIZE ||
	    (js = json_parse(text, decode(auth, text), NULL, 0)) == NULL)
		abort();
	root = json_root(js);
	token = json_get(root, "identitytoken") != NULL;
	if (!json_is(root, JSON_OBJECT) || json_count(root) !=
	    (token ? 1U : 2U) + (json_get(root, "serveraddress") != NULL))
		abort();
	if (json_get_str(root, token ? "identitytoken" :
	    "username")[0] == '\0' || (!token && json_str(json_get(root,
	    "password")) == NULL))
		abort();
	json_free(js);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	char		*image, *text;
	const char	*p;
	char		 auth[REGISTRY_AUTH_SIZE], err[512] = "";

	if ((p = memchr(data, '\n', len)) == NULL ||
	    (image = strndup((const char *)data, (size_t)(p -
	    (const char *)data))) == NULL)
		return (0);
	len -= (size_t)(p + 1 - (const char *)data);
	/* Of its own, without a NUL after it. */
	if ((text = malloc(len + (len == 0))) == NULL) {
		free(image);
		return (0);
	}
	memcpy(text, p + 1, len);
	if (registry_auth_make(text, len, image[0] == '\0' ? NULL : image,
	    auth, err, sizeof(err)) == 0)
		check(auth);
	else if (err[0] == '\0')
		abort();
	/* The name is the caller's. */
	for (p = err; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' && strchr(image, *p) == NULL)
			abort();
	free(text);
	free(image);
	return (0);
}
