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
#include <errno.h>
#include <string.h>

#include "docker_api.h"
#include "hex.h"

static bool
ref_is(const char *s, size_t len, const char *more)
{
	size_t	 i;

	for (i = 0; i < len; i++)
		if (!isalnum((unsigned char)s[i]) &&
		    (s[i] == '\0' || strchr(more, s[i]) == NULL))
			return (false);
	return (len > 0);
}

bool
docker_id_ok(const char *s)
{
	return (hex_is_valid(s, DOCKER_ID_LEN));
}

bool
docker_imageid_ok(const char *s)
{
	return (strncmp(s, "sha256:", 7) == 0 && hex_is_valid(s + 7, 64));
}

bool
docker_name_ok(const char *s)
{
	size_t	 len = strlen(s);

	/* Docker wants two characters; Podman and old daemons take one. */
	return (len > 0 && len < DOCKER_NAME_MAXBYTES &&
	    isalnum((unsigned char)s[0]) && ref_is(s, len, "_.-"));
}

/*
 * [registry[:port]/]path[:tag][@digest].  What is not understood here would
 * be refused by Docker; what Docker takes for "all tags" must not pass.
 */
int
docker_ref_parse(struct docker_ref *rf, const char *s)
{
	const char	*at, *slash, *colon;
	size_t		 len = strlen(s), taglen;

	memset(rf, 0, sizeof(*rf));
	if (len == 0 || len >= DOCKER_REF_MAXBYTES)
		goto bad;
	if ((at = strchr(s, '@')) != NULL) {
		if (!docker_imageid_ok(at + 1))
			goto bad;
		strlcpy(rf->rf_digest, at + 1, sizeof(rf->rf_digest));
		len = (size_t)(at - s);
	}
	slash = memrchr(s, '/', len);
	colon = memchr(slash == NULL ? s : slash, ':',
	    len - (slash == NULL ? 0 : (size_t)(slash - s)));
	if (colon != NULL) {
		taglen = len - (size_t)(colon + 1 - s);
		if (!ref_is(colon + 1, taglen, "_.-") || taglen > 128 ||
		    colon[1] == '.' || colon[1] == '-')
			goto bad;
		memcpy(rf->rf_tag, colon + 1, taglen);
		len = (size_t)(colon - s);
	}
	if (!ref_is(s, len, "_.-/:") || !isalnum((unsigned char)s[0]) ||
	    !isalnum((unsigned char)s[len - 1]))
		goto bad;
	memcpy(rf->rf_repo, s, len);
	if (rf->rf_tag[0] == '\0' && rf->rf_digest[0] == '\0')
		strlcpy(rf->rf_tag, "latest", sizeof(rf->rf_tag));
	return (0);
bad:
	errno = EINVAL;
	return (-1);
}

void
docker_image_digest_of(const struct json_value *image, const char *ref,
    char *out, size_t size)
{
	const struct json_value	*v = json_get(image, "RepoDigests");
	struct docker_ref	 rf;
	const char		*s, *at, *any = "";

	if (docker_ref_parse(&rf, ref) == -1)
		rf.rf_repo[0] = '\0';
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		if ((s = json_str(v)) == NULL || s[0] == '<' ||
		    (at = strchr(s, '@')) == NULL ||
		    !docker_imageid_ok(at + 1))
			continue;
		if (any[0] == '\0')
			any = s;
		if (strlen(rf.rf_repo) == (size_t)(at - s) &&
		    strncmp(rf.rf_repo, s, (size_t)(at - s)) == 0) {
			any = s;
			break;
		}
	}
	if (strlcpy(out, any, size) >= size)
		out[0] = '\0';
}

bool
docker_image_has_digest(const struct json_value *image, const char *want)
{
	const struct json_value	*v = json_get(image, "RepoDigests");
	const char		*s, *at;

	if (want[0] == '\0' || strcmp(json_get_str(image, "Id"), want) == 0)
		return (true);
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		if ((s = json_str(v)) != NULL && (at = strchr(s, '@')) != NULL
		    && strcmp(at + 1, want) == 0)
			return (true);
	return (false);
}
