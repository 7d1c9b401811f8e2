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

#include "selfid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FIELDS_MAX	64	/* of one line */
#define FIELD_ROOT	3
#define FIELD_POINT	4

static void	 parse_line(struct selfid *, char *, bool *);
static bool	 is_ours(const char *);
static const char *find_id(const char *);
static void	 find_upper(struct selfid *, const char *);

/* Files that every engine mounts, one each, from the container's directory. */
static bool
is_ours(const char *point)
{
	return (strcmp(point, "/etc/hostname") == 0 ||
	    strcmp(point, "/etc/hosts") == 0 ||
	    strcmp(point, "/etc/resolv.conf") == 0);
}

/* The last component of a path that is an id, or NULL. */
static const char *
find_id(const char *path)
{
	const char	*p, *found = NULL;
	size_t		 len;

	for (p = path; *p != '\0'; p += len) {
		p += strspn(p, "/");
		len = strcspn(p, "/");
		if (len == SELFID_SIZE - 1 &&
		    strspn(p, "0123456789abcdef") >= len)
			found = p;
	}
	return (found);
}

void
selfid_upper(char out[SELFID_UPPER_SIZE], const char *path, size_t len)
{
	size_t	 at = len, slashes = 0;

	out[0] = '\0';
	while (at > 0) {
		if (path[at - 1] == '/' && ++slashes == 2)
			break;
		at--;
	}
	if (slashes == 0 || len - at >= SELFID_UPPER_SIZE)
		return;
	memcpy(out, path + at, len - at);
	out[len - at] = '\0';
}

static void
find_upper(struct selfid *si, const char *options)
{
	static const char	 key[] = "upperdir=";
	const char		*p;

	for (p = options; p != NULL; p = strchr(p, ',')) {
		p += *p == ',';
		if (strncmp(p, key, sizeof(key) - 1) == 0) {
			p += sizeof(key) - 1;
			selfid_upper(si->sf_upper, p, strcspn(p, ","));
			return;
		}
	}
}

/* id parent major:minor root point options [tags] - type source options */
static void
parse_line(struct selfid *si, char *line, bool *differ)
{
	char		*field[FIELDS_MAX], *word;
	const char	*id;
	size_t		 n = 0;

	while (n < FIELDS_MAX && (word = strsep(&line, " ")) != NULL)
		field[n++] = word;
	if (n <= FIELD_POINT)
		return;
	if (strcmp(field[FIELD_POINT], "/") == 0) {
		find_upper(si, field[n - 1]);
		return;
	}
	if (!is_ours(field[FIELD_POINT]) ||
	    (id = find_id(field[FIELD_ROOT])) == NULL)
		return;
	if (si->sf_id[0] == '\0') {
		memcpy(si->sf_id, id, SELFID_SIZE - 1);
		si->sf_id[SELFID_SIZE - 1] = '\0';
	} else if (strncmp(si->sf_id, id, SELFID_SIZE - 1) != 0)
		*differ = true;
}

void
selfid_parse(struct selfid *si, const char *mountinfo)
{
	char	*copy, *rest, *line;
	bool	 differ = false;

	memset(si, 0, sizeof(*si));
	if ((rest = copy = strdup(mountinfo)) == NULL)
		return;
	while ((line = strsep(&rest, "\n")) != NULL)
		parse_line(si, line, &differ);
	free(copy);
	/* Somebody mounted another's: then nothing is known. */
	if (differ)
		si->sf_id[0] = '\0';
}

void
selfid_find(struct selfid *si)
{
	char	*text;
	size_t	 len = 0;
	ssize_t	 n;
	int	 fd;

	memset(si, 0, sizeof(*si));
	if ((text = calloc(1, SELFID_MAXBYTES + 1)) == NULL)
		return;
	if ((fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC)) == -1) {
		free(text);
		return;
	}
	while (len < SELFID_MAXBYTES) {
		n = read(fd, text + len, SELFID_MAXBYTES - len);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		len += (size_t)n;
	}
	close(fd);
	selfid_parse(si, text);
	free(text);
}
