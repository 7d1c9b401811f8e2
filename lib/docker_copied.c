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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <openssl/evp.h>

#include "docker_copied.h"

#define COPIED_SECRETS	"/run/secrets/"
#define COPIED_PROJECT	"com.docker.compose.project"
/* compose may run elsewhere, with another clock. */
#define COPIED_WINDOW_SEC	600
#define COPIED_ROUND_SEC	2	/* archives round to the nearest */
#define COPIED_ZERO_SEC		86400	/* "no time" is Go's year 1 */
/* Bits of Go's os.FileMode that a regular file has not. */
#define COPIED_MODE_TYPE	0x8f280000U

struct copied {
	char	**cp_paths;	/* that changed; then those to look at */
	size_t	  cp_npaths;
	size_t	  cp_nlooks;
	size_t	  cp_looked;
	bool	  cp_sorted;
	char	**cp_mounts;	/* destinations */
	size_t	  cp_nmounts;
	time_t	  cp_from;	/* window of times, both inclusive */
	time_t	  cp_to;
	char	 *cp_found[COPIED_MAX];
	size_t	  cp_count;
	char	  cp_trouble[COPIED_PATH_MAXBYTES + 128];
};

bool
copied_concerns(const struct json_value *inspect)
{
	return (json_get(json_path(inspect, "Config.Labels"),
	    COPIED_PROJECT) != NULL);
}

/* --- times ------------------------------------------------------------- */

/* RFC 3339 as Go writes it; whole: without a fraction of a second.  -1. */
static int
copied_time(const char *s, time_t *t, bool *whole)
{
	struct tm	 tm = { 0 };
	const char	*p;
	int		 hour = 0, min = 0, n = 0;

	if (strlen(s) < 20 || (p = strptime(s, "%Y-%m-%dT%H:%M:%S",
	    &tm)) == NULL)
		return (-1);
	*whole = true;
	if (*p == '.')
		for (p++; isdigit((unsigned char)*p); p++)
			if (*p != '0')
				*whole = false;
	if (strcmp(p, "Z") != 0 && ((*p != '+' && *p != '-') ||
	    sscanf(p + 1, "%2d:%2d%n", &hour, &min, &n) != 2 || n != 5 ||
	    p[6] != '\0' || hour < 0 || hour > 23 || min < 0 || min > 59))
		return (-1);
	*t = timegm(&tm) - (*p == '-' ? -1 : 1) * (hour * 3600 + min * 60);
	return (0);
}

time_t
copied_made(const struct json_value *inspect)
{
	time_t	 made;
	bool	 whole;

	return (copied_time(json_get_str(inspect, "Created"), &made,
	    &whole) == 0 && made > 0 ? made : 0);
}

/*
 * What came out of the image is older than the image, whatever made a copy of
 * it in the container; what compose has copied is about as old as the
 * container.
 */
static void
copied_window(struct copied *cp, const struct json_value *inspect,
    const struct json_value *image)
{
	time_t	 made = copied_made(inspect), built;
	bool	 whole;

	cp->cp_from = 1;
	cp->cp_to = 0;
	if (made == 0)
		return;
	cp->cp_from = made - COPIED_WINDOW_SEC;
	cp->cp_to = made + COPIED_WINDOW_SEC;
	if (copied_time(json_get_str(image, "Created"), &built, &whole) == -1 ||
	    built < COPIED_ZERO_SEC || built < cp->cp_from)
		return;
	/* Of an image as fresh as that: only by the clock of this host. */
	cp->cp_from = built < made - COPIED_ROUND_SEC ? built + 1 :
	    made - COPIED_ROUND_SEC;
}

/* --- what changed ------------------------------------------------------ */

static int
copied_mounts(struct copied *cp, const struct json_value *inspect)
{
	const struct json_value	*m = json_get(inspect, "Mounts");
	const char		*to;

	if ((cp->cp_mounts = calloc(json_count(m) + 1,
	    sizeof(*cp->cp_mounts))) == NULL)
		return (-1);
	for (m = json_is(m, JSON_ARRAY) ? m->jv_child : NULL; m != NULL;
	    m = m->jv_next) {
		if ((to = json_get_str(m, "Destination"))[0] != '/')
			continue;
		if ((cp->cp_mounts[cp->cp_nmounts] = strdup(to)) == NULL)
			return (-1);
		cp->cp_nmounts++;
	}
	return (0);
}

struct copied *
copied_new(const struct json_value *inspect, const struct json_value *image)
{
	struct copied	*cp;

	if ((cp = calloc(1, sizeof(*cp))) == NULL)
		return (NULL);
	copied_window(cp, inspect, image);
	if (copied_mounts(cp, inspect) == -1) {
		copied_free(cp);
		errno = ENOMEM;
		return (NULL);
	}
	return (cp);
}

void
copied_free(struct copied *cp)
{
	size_t	 i;

	if (cp == NULL)
		return;
	for (i = 0; i < cp->cp_npaths; i++)
		free(cp->cp_paths[i]);
	free(cp->cp_paths);
	for (i = 0; i < cp->cp_nmounts; i++)
		free(cp->cp_mounts[i]);
	free(cp->cp_mounts);
	for (i = 0; i < cp->cp_count; i++)
		free(cp->cp_found[i]);
	free(cp);
}

/* Is path the directory dir or something below it? */
static bool
copied_is_below(const char *path, const char *dir)
{
	size_t	 len = strlen(dir);

	while (len > 0 && dir[len - 1] == '/')
		len--;
	return (strncmp(path, dir, len) == 0 &&
	    (path[len] == '\0' || path[len] == '/'));
}

/* Nothing that compose would write, or that one could name to people? */
static bool
copied_is_plain(const char *path)
{
	const char	*p;

	if (path[0] != '/' || path[1] == '\0' ||
	    strlen(path) >= COPIED_PATH_MAXBYTES)
		return (false);
	for (p = path; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f ||
		    (*p == '/' && (p[1] == '/' || p[1] == '\0' ||
		    (p[1] == '.' && (p[2] == '/' || p[2] == '\0' ||
		    (p[2] == '.' && (p[3] == '/' || p[3] == '\0')))))))
			return (false);
	return (true);
}

int
copied_add(struct copied *cp, const struct json_value *change)
{
	const char	*path = json_get_str(change, "Path");
	int64_t		 kind;
	char		**p;
	size_t		 i;

	/* 0 changed, 1 new, 2 deleted */
	if (!copied_is_plain(path) ||
	    json_int(json_get(change, "Kind"), &kind) == -1 ||
	    (kind != 0 && kind != 1))
		return (0);
	for (i = 0; i < cp->cp_nmounts; i++)
		if (copied_is_below(path, cp->cp_mounts[i]))
			return (0);
	if (cp->cp_npaths == COPIED_CHANGES_MAX) {
		errno = E2BIG;
		return (-1);
	}
	if (cp->cp_npaths % 64 == 0) {
		p = reallocarray(cp->cp_paths, cp->cp_npaths + 64, sizeof(*p));
		if (p == NULL)
			return (-1);
		cp->cp_paths = p;
	}
	if ((cp->cp_paths[cp->cp_npaths] = strdup(path)) == NULL)
		return (-1);
	cp->cp_npaths++;
	return (0);
}

/* What is below a directory comes right after it. */
static int
copied_rank(char c)
{
	return (c == '\0' ? 0 : c == '/' ? 1 : (unsigned char)c + 1);
}

static int
copied_by_name(const void *a, const void *b)
{
	const char	*x = *(char *const *)a, *y = *(char *const *)b;

	for (; *x != '\0' && *x == *y; x++, y++)
		;
	return (copied_rank(*x) - copied_rank(*y));
}

static size_t
copied_depth(const char *path)
{
	size_t	 n = 0;

	if (strncmp(path, COPIED_SECRETS, strlen(COPIED_SECRETS)) == 0)
		return (0);
	for (; *path != '\0'; path++)
		n += *path == '/';
	return (n);
}

/* Secrets first, then as targets of configs are: near the root. */
static int
copied_by_depth(const void *a, const void *b)
{
	const char	*x = *(char *const *)a, *y = *(char *const *)b;
	size_t		 dx = copied_depth(x), dy = copied_depth(y);

	return (dx != dy ? (dx < dy ? -1 : 1) : strcmp(x, y));
}

/* A directory is among the changes for the sake of what is in it. */
static void
copied_leaves(struct copied *cp)
{
	size_t	 i, n = 0;

	if (cp->cp_npaths == 0)
		return;
	qsort(cp->cp_paths, cp->cp_npaths, sizeof(*cp->cp_paths),
	    copied_by_name);
	for (i = 0; i < cp->cp_npaths; i++) {
		if (i + 1 < cp->cp_npaths && copied_is_below(
		    cp->cp_paths[i + 1], cp->cp_paths[i]))
			free(cp->cp_paths[i]);
		else
			cp->cp_paths[n++] = cp->cp_paths[i];
	}
	cp->cp_npaths = n;
	qsort(cp->cp_paths, n, sizeof(*cp->cp_paths), copied_by_depth);
}

/* --- what they are ----------------------------------------------------- */

const char *
copied_next(struct copied *cp)
{
	if (!cp->cp_sorted) {
		copied_leaves(cp);
		cp->cp_sorted = true;
		cp->cp_nlooks = cp->cp_npaths;
		if (cp->cp_nlooks > COPIED_LOOKS_MAX) {
			cp->cp_nlooks = COPIED_LOOKS_MAX;
			(void)snprintf(cp->cp_trouble, sizeof(cp->cp_trouble),
			    "%zu files have changed in the container, only %d "
			    "were looked at for what compose has copied",
			    cp->cp_npaths, COPIED_LOOKS_MAX);
		}
	}
	return (cp->cp_looked < cp->cp_nlooks ?
	    cp->cp_paths[cp->cp_looked] : NULL);
}

/* {"name":...,"size":...,"mode":...,"mtime":...} in base64. */
static struct json *
copied_stat(const char *text)
{
	unsigned char	 out[COPIED_STAT_MAXBYTES];
	size_t		 len = strlen(text);
	int		 n;

	if (len == 0 || len >= COPIED_STAT_MAXBYTES || len % 4 != 0 ||
	    (n = EVP_DecodeBlock(out, (const unsigned char *)text,
	    (int)len)) < 2)
		return (NULL);
	n -= text[len - 1] == '=';
	n -= text[len - 2] == '=';
	return (json_parse(out, (size_t)n, NULL, 0));
}

static bool
copied_is_it(const struct copied *cp, const char *path,
    const struct json_value *st)
{
	int64_t	 mode;
	time_t	 t;
	bool	 whole;

	if (json_int(json_get(st, "mode"), &mode) == -1 || mode < 0 ||
	    mode > UINT32_MAX || ((uint32_t)mode & COPIED_MODE_TYPE) != 0)
		return (false);
	if (strncmp(path, COPIED_SECRETS, strlen(COPIED_SECRETS)) == 0)
		return (true);
	return (copied_time(json_get_str(st, "mtime"), &t, &whole) == 0 &&
	    whole && t >= cp->cp_from && t <= cp->cp_to);
}

void
copied_looked(struct copied *cp, const char *stat)
{
	const char	*path = cp->cp_paths[cp->cp_looked++];
	struct json	*js;
	int64_t		 size = -1;

	if (stat == NULL || (js = copied_stat(stat)) == NULL)
		return;
	if (!copied_is_it(cp, path, json_root(js)) ||
	    json_int(json_get(json_root(js), "size"), &size) == -1 || size < 0)
		goto out;
	if (size > COPIED_FILE_MAXBYTES) {
		(void)snprintf(cp->cp_trouble, sizeof(cp->cp_trouble),
		    "%s may be what compose has copied, but is longer than %u "
		    "KiB: it is not carried over", path,
		    COPIED_FILE_MAXBYTES / 1024);
	} else if (cp->cp_count == COPIED_MAX ||
	    (cp->cp_found[cp->cp_count] = strdup(path)) == NULL) {
		(void)snprintf(cp->cp_trouble, sizeof(cp->cp_trouble),
		    "more than %d files may be what compose has copied: %s "
		    "and others are not carried over", COPIED_MAX, path);
	} else
		cp->cp_count++;
out:
	json_free(js);
}

size_t
copied_count(const struct copied *cp)
{
	return (cp == NULL ? 0 : cp->cp_count);
}

const char *
copied_path(const struct copied *cp, size_t i)
{
	return (cp->cp_found[i]);
}

const char *
copied_trouble(const struct copied *cp)
{
	return (cp == NULL || cp->cp_trouble[0] == '\0' ? NULL :
	    cp->cp_trouble);
}
