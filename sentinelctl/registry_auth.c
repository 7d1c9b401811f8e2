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

#include "registry_auth.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "json.h"
#include "utf8.h"

#define REGISTRY_MAXBYTES	256	/* host and port, with NUL */
#define REGISTRY_HUB		"docker.io"

static const char	base64[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/* What is said to Docker; lent. */
struct credentials {
	const char	*cr_user;
	const char	*cr_password;
	const char	*cr_token;	/* instead of them, or "" */
	const char	*cr_server;	/* or "" */
};

static int	 make_line(const char *, size_t, char *, char *, size_t);
static int	 make_config(const struct json_value *, const char *, char *,
		    char *, size_t);
static int	 make(const struct credentials *, char *, char *, size_t);

int
registry_auth_read(const char *path, const char *image,
    char auth[REGISTRY_AUTH_SIZE], char *err, size_t errlen)
{
	char	*text;
	ssize_t	 n = 0;
	size_t	 len = 0;
	int	 fd = STDIN_FILENO, rc = -1;

	if (strcmp(path, "-") != 0 &&
	    (fd = open(path, O_RDONLY | O_CLOEXEC)) == -1) {
		(void)snprintf(err, errlen, "%s: %s", path, strerror(errno));
		return (-1);
	}
	if ((text = malloc(REGISTRY_FILE_MAXBYTES)) == NULL)
		(void)snprintf(err, errlen, "out of memory");
	else {
		while (len < REGISTRY_FILE_MAXBYTES && (n = read(fd,
		    text + len, REGISTRY_FILE_MAXBYTES - len)) > 0)
			len += (size_t)n;
		if (n == -1)
			(void)snprintf(err, errlen, "%s: %s", path,
			    strerror(errno));
		else if (len == REGISTRY_FILE_MAXBYTES)
			(void)snprintf(err, errlen, "%s: too long for "
			    "credentials", path);
		else
			rc = registry_auth_make(text, len, image, auth, err,
			    errlen);
		freezero(text, REGISTRY_FILE_MAXBYTES);
	}
	if (fd != STDIN_FILENO)
		close(fd);
	return (rc);
}

int
registry_auth_make(const char *text, size_t len, const char *image,
    char auth[REGISTRY_AUTH_SIZE], char *err, size_t errlen)
{
	struct json	*js;
	char		 why[128];
	int		 rc;

	while (len > 0 && strchr(" \t\r\n", text[len - 1]) != NULL)
		len--;
	if (len == 0 || text[0] != '{')
		return (make_line(text, len, auth, err, errlen));
	if ((js = json_parse(text, len, why, sizeof(why))) == NULL) {
		(void)snprintf(err, errlen, "credentials: not JSON: %s", why);
		return (-1);
	}
	rc = make_config(json_root(js), image, auth, err, errlen);
	json_free(js);
	return (rc);
}

/* user:password */
static int
make_line(const char *text, size_t len, char *auth, char *err, size_t errlen)
{
	struct credentials	 cr = { "", "", "", "" };
	char			*copy, *colon;
	int			 rc;

	if (len == 0 || memchr(text, '\n', len) != NULL ||
	    memchr(text, '\0', len) != NULL ||
	    (colon = memchr(text, ':', len)) == NULL || colon == text) {
		(void)snprintf(err, errlen, "credentials: want one line "
		    "user:password, or a config.json of Docker");
		return (-1);
	}
	if ((copy = strndup(text, len)) == NULL) {
		(void)snprintf(err, errlen, "out of memory");
		return (-1);
	}
	colon = copy + (colon - text);
	*colon = '\0';
	cr.cr_user = copy;
	cr.cr_password = colon + 1;
	rc = make(&cr, auth, err, errlen);
	freezero(copy, len + 1);
	return (rc);
}

/* --- config.json -------------------------------------------------------- */

/* Host and port of a key, or of a reference, which may name none. */
static void
registry_of(const char *s, bool is_ref, char reg[REGISTRY_MAXBYTES])
{
	size_t	 len;

	if (!is_ref && strstr(s, "://") != NULL)
		s = strstr(s, "://") + 3;
	len = strcspn(s, "/");
	if (is_ref && (s[len] == '\0' || (strncmp(s, "localhost/", 10) !=
	    0 && memchr(s, '.', len) == NULL &&
	    memchr(s, ':', len) == NULL))) {
		s = REGISTRY_HUB;
		len = strlen(s);
	}
	(void)snprintf(reg, REGISTRY_MAXBYTES, "%.*s", (int)len, s);
	if (strcmp(reg, "index.docker.io") == 0 ||
	    strcmp(reg, "registry-1.docker.io") == 0)
		(void)strlcpy(reg, REGISTRY_HUB, REGISTRY_MAXBYTES);
}

/* The only entry, or that of the image's registry. */
static const struct json_value *
find_entry(const struct json_value *auths, const char *image, char *err,
    size_t errlen)
{
	const struct json_value	*v;
	char			 want[REGISTRY_MAXBYTES];
	char			 has[REGISTRY_MAXBYTES];

	if (image == NULL || image[0] == '\0') {
		if (json_count(auths) == 1)
			return (auths->jv_child);
		(void)snprintf(err, errlen, "credentials: the file has more "
		    "than one registry: say --image");
		return (NULL);
	}
	registry_of(image, true, want);
	for (v = auths->jv_child; v != NULL; v = v->jv_next) {
		if (v->jv_key == NULL)
			continue;
		registry_of(v->jv_key, false, has);
		if (strcmp(want, has) == 0)
			return (v);
	}
	(void)snprintf(err, errlen, "credentials: the file has none for the "
	    "registry %s", want);
	return (NULL);
}

static int
decode64(const char *in, char *out, size_t size)
{
	const char	*p;
	uint32_t	 bits = 0;
	size_t		 n = 0, have = 0;

	for (; *in != '\0' && *in != '='; in++) {
		if ((p = strchr(base64, *in)) == NULL)
			return (-1);
		bits = bits << 6 | (uint32_t)(p - base64);
		if ((have += 6) < 8)
			continue;
		have -= 8;
		if (n + 1 >= size)
			return (-1);
		if ((out[n++] = (char)(bits >> have & 0xff)) == '\0')
			n--;	/* Docker's own helpers pad with them */
	}
	out[n] = '\0';
	return (0);
}

static int
make_config(const struct json_value *root, const char *image, char *auth,
    char *err, size_t errlen)
{
	const struct json_value	*auths = json_get(root, "auths"), *e;
	struct credentials	 cr;
	char			 plain[REGISTRY_AUTH_SIZE] = "", *colon;
	char			 key[REGISTRY_MAXBYTES];
	int			 rc = -1;

	if (json_count(auths) == 0 || !json_is(auths, JSON_OBJECT)) {
		(void)snprintf(err, errlen, "credentials: the file has none "
		    "in \"auths\": want a config.json of Docker without a "
		    "credential helper, or one line user:password");
		return (-1);
	}
	if ((e = find_entry(auths, image, err, errlen)) == NULL)
		return (-1);
	cr.cr_server = e->jv_key;
	cr.cr_user = json_get_str(e, "username");
	cr.cr_password = json_get_str(e, "password");
	cr.cr_token = json_get_str(e, "identitytoken");
	if (cr.cr_user[0] == '\0' && decode64(json_get_str(e, "auth"), plain,
	    sizeof(plain)) == 0 && (colon = strchr(plain, ':')) != NULL) {
		*colon = '\0';
		cr.cr_user = plain;
		cr.cr_password = colon + 1;
	}
	if (cr.cr_user[0] == '\0' && cr.cr_token[0] == '\0') {
		(void)utf8_vis(key, sizeof(key), e->jv_key, e->jv_keylen);
		(void)snprintf(err, errlen, "credentials: the entry %s holds "
		    "none: does a credential helper keep them?", key);
	} else
		rc = make(&cr, auth, err, errlen);
	explicit_bzero(plain, sizeof(plain));
	return (rc);
}

/* --- what Docker takes -------------------------------------------------- */

static int
encode64url(const char *in, size_t len, char *out, size_t size)
{
	const uint8_t	*p = (const uint8_t *)in;
	uint32_t	 bits;
	size_t		 i, j, n = 0;
	char		 c;

	if ((len + 2) / 3 * 4 >= size)
		return (-1);
	for (i = 0; i < len; i += 3) {
		bits = (uint32_t)p[i] << 16;
		if (i + 1 < len)
			bits |= (uint32_t)p[i + 1] << 8;
		if (i + 2 < len)
			bits |= p[i + 2];
		for (j = 0; j < 4; j++) {
			c = i + j > len ? '=' : base64[bits >> (18 - 6 * j) &
			    63];
			out[n++] = c == '+' ? '-' : c == '/' ? '_' : c;
		}
	}
	out[n] = '\0';
	return (0);
}

static int
make(const struct credentials *cr, char *auth, char *err, size_t errlen)
{
	struct json_gen	*g;
	char		*text = NULL;
	size_t		 len;
	int		 rc = -1;

	if ((g = json_gen_new(REGISTRY_AUTH_SIZE)) == NULL) {
		(void)snprintf(err, errlen, "out of memory");
		return (-1);
	}
	json_gen_object(g);
	if (cr->cr_token[0] != '\0') {
		json_gen_key(g, "identitytoken");
		json_gen_str(g, cr->cr_token);
	} else {
		json_gen_key(g, "username");
		json_gen_str(g, cr->cr_user);
		json_gen_key(g, "password");
		json_gen_str(g, cr->cr_password);
	}
	if (cr->cr_server[0] != '\0') {
		json_gen_key(g, "serveraddress");
		json_gen_str(g, cr->cr_server);
	}
	json_gen_end_object(g);
	if ((text = json_gen_take(g, &len)) == NULL ||
	    encode64url(text, len, auth, REGISTRY_AUTH_SIZE) == -1)
		(void)snprintf(err, errlen, "credentials: too long");
	else
		rc = 0;
	json_gen_free(g);
	if (text != NULL)
		freezero(text, len);
	return (rc);
}
