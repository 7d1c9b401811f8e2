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
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "conf_set.h"
#include "imagerule.h"

static int	 set_bool(void *, const struct conf_key *, const char *,
		    char *);
static int	 set_number(void *, const struct conf_key *, const char *,
		    char *);
static int	 set_word(void *, const struct conf_key *, const char *,
		    char *);
static int	 set_addr(void *, const struct conf_key *, const char *,
		    char *);
static int	 set_names(void *, const struct conf_key *, const char *,
		    char *);
static int	 names_add(struct conf_names *, const struct conf_key *,
		    const char *, char *);
static int	 check_item(const struct conf_key *, const char *, char *);
static unsigned int word_find(const char *, const char *);
static int	 set_string(void *, const struct conf_key *, const char *,
		    char *);
static const char *check_path(const char *, size_t *, char *);
static const char *check_socket(const struct conf_key *, const char *,
		    size_t *, char *);
static int	 check_text(const char *, char *);
static int	 check_name(const char *, char *);
static int	 print_quoted(FILE *, const char *, const char *);
static int	 print_value(FILE *, const struct conf_key *, const void *);
static void	 names_free(struct conf_names *);

static void *
member(struct conf *c, int key)
{
	return ((char *)c + conf_keys[key].ck_offset);
}

static const void *
cmember(const struct conf *c, int key)
{
	return ((const char *)c + conf_keys[key].ck_offset);
}

int
conf_set_text(struct conf *c, int key, const char *text, char *why)
{
	const struct conf_key	*k = &conf_keys[key];
	void			*p = member(c, key);

	if (check_text(text, why) == -1)
		return (-1);
	switch (k->ck_type) {
	case CONF_T_BOOL:
		return (set_bool(p, k, text, why));
	case CONF_T_NUMBER:
	case CONF_T_DURATION:
		return (set_number(p, k, text, why));
	case CONF_T_WORD:
		return (set_word(p, k, text, why));
	case CONF_T_LISTEN:
	case CONF_T_ADDR:
		return (set_addr(p, k, text, why));
	case CONF_T_NAMES:
	case CONF_T_WORDS:
	case CONF_T_IMAGES:
		return (set_names(p, k, text, why));
	default:
		return (set_string(p, k, text, why));
	}
}

bool
conf_set_is_list(enum conf_key_type type)
{
	return (type == CONF_T_NAMES || type == CONF_T_WORDS ||
	    type == CONF_T_IMAGES);
}

int
conf_set_add_name(struct conf *c, int key, const char *text, char *why)
{
	if (check_text(text, why) == -1)
		return (-1);
	return (names_add(member(c, key), &conf_keys[key], text, why));
}

void
conf_set_clear(struct conf *c, int key)
{
	void	*p = member(c, key);
	char	**s = p;

	switch (conf_keys[key].ck_type) {
	case CONF_T_BOOL:
		*(bool *)p = false;
		break;
	case CONF_T_NUMBER:
		*(uint32_t *)p = 0;
		break;
	case CONF_T_DURATION:
		*(uint64_t *)p = 0;
		break;
	case CONF_T_WORD:
		memset(p, 0, sizeof(enum conf_mode));
		break;
	case CONF_T_LISTEN:
	case CONF_T_ADDR:
		free(((struct conf_addr *)p)->a_host);
		memset(p, 0, sizeof(struct conf_addr));
		break;
	case CONF_T_NAMES:
	case CONF_T_WORDS:
	case CONF_T_IMAGES:
		names_free(p);
		break;
	default:
		if (*s != NULL)
			freezero(*s, strlen(*s));
		*s = NULL;
	}
}

int
conf_set_yaml(const struct conf *c, int key, char **text)
{
	const struct conf_key	*k = &conf_keys[key];
	FILE			*f;
	size_t			 len;
	int			 set, saved;

	*text = NULL;
	if (k->ck_type == CONF_T_SECRET)
		return (0);
	if ((f = open_memstream(text, &len)) == NULL)
		return (-1);
	set = print_value(f, k, cmember(c, key));
	if (fclose(f) == EOF || set == -1) {
		saved = errno;
		free(*text);
		*text = NULL;
		errno = saved;
		return (-1);
	}
	if (set == 0) {
		free(*text);
		*text = NULL;
	}
	return (0);
}

static int
set_bool(void *p, const struct conf_key *k, const char *s, char *why)
{
	static const char *const words[2][4] = {
		{ "false", "no", "off", "0" },
		{ "true", "yes", "on", "1" }
	};
	size_t	 i, v;

	(void)k;
	for (v = 0; v < 2; v++)
		for (i = 0; i < nitems(words[v]); i++)
			if (strcasecmp(s, words[v][i]) == 0) {
				*(bool *)p = v == 1;
				return (0);
			}
	(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.40s\" is neither true nor "
	    "false", s);
	return (-1);
}

static int
set_number(void *p, const struct conf_key *k, const char *s, char *why)
{
	char		*end;
	const char	*dots = strstr(k->ck_bounds, "..");
	uint64_t	 v, lo, hi;
	int		 bad;

	if (conf_value_bounds(k, &lo, &hi) == -1) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "bounds \"%s\" of the "
		    "key are broken", k->ck_bounds);
		return (-1);
	}
	errno = 0;
	if (k->ck_type == CONF_T_DURATION) {
		bad = conf_value_duration(s, &v) == -1 && errno != ERANGE;
		if (bad) {
			(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.40s\" is "
			    "no duration, want something like 30s, 1h30m or "
			    "90d (units d h m s ms)", s);
			return (-1);
		}
	} else {
		if (!isdigit((unsigned char)*s) ||
		    (v = strtoull(s, &end, 10), *end != '\0')) {
			(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.40s\" is "
			    "no number, want digits only", s);
			return (-1);
		}
	}
	if (errno == ERANGE || v < lo || v > hi) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "%.40s is out of range,"
		    " want %.*s to %s", s, (int)(dots - k->ck_bounds),
		    k->ck_bounds, dots + 2);
		return (-1);
	}
	if (k->ck_type == CONF_T_DURATION)
		*(uint64_t *)p = v;
	else
		*(uint32_t *)p = (uint32_t)v;
	return (0);
}

static int
set_word(void *p, const struct conf_key *k, const char *s, char *why)
{
	unsigned int	 i = word_find(k->ck_bounds, s);

	if (i != UINT_MAX) {
		memcpy(p, &i, sizeof(i));
		return (0);
	}
	(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.40s\" is not one of %s", s,
	    k->ck_bounds);
	return (-1);
}

/* Number of s among "a|b|c", or UINT_MAX. */
static unsigned int
word_find(const char *words, const char *s)
{
	unsigned int	 i;
	size_t		 len;

	for (i = 0;; i++) {
		len = strcspn(words, "|");
		if (strlen(s) == len && strncasecmp(s, words, len) == 0)
			return (i);
		if (words[len] == '\0')
			return (UINT_MAX);
		words += len + 1;
	}
}

static int
set_addr(void *p, const struct conf_key *k, const char *s, char *why)
{
	struct conf_addr	*a = p, new;

	if (conf_value_addr(s, k->ck_type == CONF_T_LISTEN, &new, why) == -1)
		return (-1);
	free(a->a_host);
	*a = new;
	return (0);
}

static int
set_names(void *p, const struct conf_key *k, const char *s, char *why)
{
	struct conf_names	 new = { NULL, 0 };
	char			*copy, *next, *item;
	size_t			 len;

	if ((copy = next = strdup(s)) == NULL) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "out of memory");
		return (-1);
	}
	while ((item = strsep(&next, ",")) != NULL) {
		item += strspn(item, " ");
		for (len = strlen(item); len > 0 && item[len - 1] == ' ';)
			item[--len] = '\0';
		if (len > 0 && names_add(&new, k, item, why) == -1) {
			names_free(&new);
			free(copy);
			return (-1);
		}
	}
	free(copy);
	names_free(p);
	memcpy(p, &new, sizeof(new));
	return (0);
}

static int
names_add(struct conf_names *n, const struct conf_key *k, const char *s,
    char *why)
{
	const char	 *errstr;
	char		**grown;
	size_t		  max;

	if (check_item(k, s, why) == -1)
		return (-1);
	/* Of words there are never more than those there are. */
	max = k->ck_type == CONF_T_WORDS ? strlen(k->ck_bounds) :
	    (size_t)strtonum(k->ck_bounds, 1, 1000, &errstr);
	if (n->n_len >= max) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "more than %zu items",
		    max);
		return (-1);
	}
	grown = recallocarray(n->n_name, n->n_len, n->n_len + 1,
	    sizeof(*n->n_name));
	if (grown != NULL) {
		n->n_name = grown;
		if ((n->n_name[n->n_len] = strdup(s)) != NULL) {
			n->n_len++;
			return (0);
		}
	}
	(void)snprintf(why, CONF_WHY_MAXBYTES, "out of memory");
	return (-1);
}

static int
check_item(const struct conf_key *k, const char *s, char *why)
{
	const char	*fault;

	switch (k->ck_type) {
	case CONF_T_WORDS:
		if (word_find(k->ck_bounds, s) != UINT_MAX)
			return (0);
		(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.40s\" is not one "
		    "of %s", s, k->ck_bounds);
		return (-1);
	case CONF_T_IMAGES:
		if ((fault = imagerule_fault(s)) == NULL)
			return (0);
		(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.80s\" is no "
		    "pattern of images: %s", s, fault);
		return (-1);
	default:
		return (check_name(s, why));
	}
}

/* Every type whose value is one string; *v of len bytes is what is kept. */
static int
set_string(void *p, const struct conf_key *k, const char *s, char *why)
{
	char		**dst = p, *copy = NULL;
	const char	*v = s;
	size_t		 len = strlen(s), i;

	*why = '\0';
	switch (k->ck_type) {
	case CONF_T_PATH:
		v = check_path(s, &len, why);
		break;
	case CONF_T_SOCKET:
	case CONF_T_SOCKNONE:
	case CONF_T_DOCKER:
		v = check_socket(k, s, &len, why);
		break;
	case CONF_T_NAME:
		(void)check_name(s, why);
		break;
	case CONF_T_HOST:
		if (!conf_value_is_host(s))
			(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.80s\" is "
			    "no host name, want 1 to 63 of A-Z a-z 0-9 . _ -",
			    s);
		break;
	case CONF_T_SECRET:
		if (len == 0 || len > CONF_TOKEN_MAXBYTES ||
		    strchr(s, ' ') != NULL)
			(void)snprintf(why, CONF_WHY_MAXBYTES, "want one word "
			    "of at most %d bytes", CONF_TOKEN_MAXBYTES);
		break;
	default:
		if (len != 64 || strspn(s, "0123456789abcdefABCDEF") != len)
			(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.80s\" is "
			    "no SHA-256, want 64 hex characters", s);
	}
	if (*why != '\0')
		return (-1);
	if (v != NULL && (copy = strndup(v, len)) == NULL) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "out of memory");
		return (-1);
	}
	if (k->ck_type == CONF_T_PIN)
		for (i = 0; i < len; i++)
			copy[i] = (char)tolower((unsigned char)copy[i]);
	if (*dst != NULL)
		freezero(*dst, strlen(*dst));
	*dst = copy;
	return (0);
}

/*
 * No "..": the parent opens what the path says, and a reader of the file must
 * see where that is.
 */
static const char *
check_path(const char *s, size_t *len, char *why)
{
	const char	*p;

	while (*len > 1 && s[*len - 1] == '/')
		(*len)--;
	if (*s != '/') {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.80s\" is no "
		    "absolute path, begin it with /", s);
		return (NULL);
	}
	for (p = s; (p = strstr(p, "/..")) != NULL; p++)
		if (p[3] == '/' || p[3] == '\0') {
			(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.80s\" "
			    "holds .., write where it leads", s);
			return (NULL);
		}
	if (*len > CONF_PATH_MAXBYTES) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "path is %zu bytes, at "
		    "most %d fit", *len, CONF_PATH_MAXBYTES);
		return (NULL);
	}
	return (s);
}

static const char *
check_socket(const struct conf_key *k, const char *s, size_t *len, char *why)
{
	const char	*p = s;

	if (k->ck_type != CONF_T_SOCKET && strcmp(s, "none") == 0) {
		*len = 0;
		return (NULL);
	}
	if (k->ck_type == CONF_T_DOCKER && *s != '/') {
		if (strncmp(s, "unix://", 7) != 0) {
			(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.80s\" is "
			    "neither none nor unix:///PATH; an engine behind "
			    "TCP is not supported", s);
			return (NULL);
		}
		p += 7;
	}
	*len = strlen(p);
	if (check_path(p, len, why) == NULL)
		return (NULL);
	if (*len > CONF_SOCKET_MAXBYTES) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "path of the socket is "
		    "%zu bytes, the system takes at most %d: set %s%s to a "
		    "shorter one", *len, CONF_SOCKET_MAXBYTES, k->ck_name,
		    k->ck_default != NULL && *k->ck_default == '$' ?
		    ", or run_dir," : "");
		return (NULL);
	}
	return (p);
}

static int
check_text(const char *s, char *why)
{
	if (strlen(s) > CONF_VALUE_MAXBYTES) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "value is longer than "
		    "%d bytes", CONF_VALUE_MAXBYTES);
		return (-1);
	}
	if (!conf_value_is_text(s)) {
		(void)snprintf(why, CONF_WHY_MAXBYTES, "value is not UTF-8 or "
		    "holds a control character");
		return (-1);
	}
	return (0);
}

static int
check_name(const char *s, char *why)
{
	if (conf_value_is_literal(s) || conf_value_is_dns(s))
		return (0);
	(void)snprintf(why, CONF_WHY_MAXBYTES, "\"%.80s\" is neither an "
	    "address nor a DNS name (no port, no wildcard)", s);
	return (-1);
}

static int
print_quoted(FILE *f, const char *prefix, const char *s)
{
	(void)fprintf(f, "\"%s", prefix);
	for (; *s != '\0'; s++) {
		if (*s == '"' || *s == '\\')
			(void)fputc('\\', f);
		(void)fputc(*s, f);
	}
	return (fputc('"', f) == EOF ? -1 : 1);
}

/* 1, 0 when the key is not set, -1. */
static int
print_value(FILE *f, const struct conf_key *k, const void *p)
{
	const struct conf_addr	*a = p;
	const struct conf_names	*n = p;
	char			 buf[CONF_DURATION_MAXLEN];
	const char		*s = NULL, *w;
	unsigned int		 word;
	size_t			 i;

	switch (k->ck_type) {
	case CONF_T_BOOL:
		return (fputs(*(const bool *)p ? "true" : "false", f) == EOF ?
		    -1 : 1);
	case CONF_T_NUMBER:
		return (fprintf(f, "%u", *(const uint32_t *)p) < 0 ? -1 : 1);
	case CONF_T_DURATION:
		return (fputs(conf_value_duration_text(*(const uint64_t *)p,
		    buf), f) == EOF ? -1 : 1);
	case CONF_T_WORD:
		memcpy(&word, p, sizeof(word));
		for (w = k->ck_bounds; word > 0; word--)
			w += strcspn(w, "|") + 1;
		return (fprintf(f, "%.*s", (int)strcspn(w, "|"), w) < 0 ?
		    -1 : 1);
	case CONF_T_LISTEN:
	case CONF_T_ADDR:
		if (a->a_host == NULL)
			return (0);
		return (fprintf(f, strchr(a->a_host, ':') != NULL ?
		    "\"[%s]:%u\"" : "\"%s:%u\"", a->a_host,
		    (unsigned int)a->a_port) < 0 ? -1 : 1);
	case CONF_T_NAMES:
	case CONF_T_WORDS:
	case CONF_T_IMAGES:
		for (i = 0; i < n->n_len; i++) {
			(void)fputs(i == 0 ? "[" : ", ", f);
			(void)print_quoted(f, "", n->n_name[i]);
		}
		return (fputs(i == 0 ? "[]" : "]", f) == EOF ? -1 : 1);
	default:
		memcpy(&s, p, sizeof(s));
		if (s != NULL)
			return (print_quoted(f, k->ck_type == CONF_T_DOCKER ?
			    "unix://" : "", s));
		/* The only strings that are set to nothing. */
		if (k->ck_type == CONF_T_DOCKER ||
		    k->ck_type == CONF_T_SOCKNONE)
			return (fputs("none", f) == EOF ? -1 : 1);
		return (0);
	}
}

static void
names_free(struct conf_names *n)
{
	size_t	 i;

	for (i = 0; i < n->n_len; i++)
		free(n->n_name[i]);
	free(n->n_name);
	memset(n, 0, sizeof(*n));
}
