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

#ifndef DOCKER_COPIED_H
#define DOCKER_COPIED_H

#include "compat.h"

#include <time.h>

#include "json.h"

/*
 * What docker compose has copied into a container: configs with "content:"
 * or "environment:" and secrets with "environment:" are in no setting and no
 * mount.  Between create and start compose sends each as an archive of one
 * file, and nothing says so afterwards.  They are told from what the
 * container itself has written:
 *
 *	/run/secrets/...	each regular file there that is no mount
 *	elsewhere		a file that the image does not have like this,
 *				with a time of whole seconds, as archives have
 *				and a running program's files have not, from
 *				about when the container was made, and after
 *				its image
 *
 * Fed with the answer of GET /containers/ID/changes, then with what Docker
 * says of each path that copied_next() names.  Paths come from a container:
 * they are checked, capped, and never leave the two containers; contents are
 * secrets, wiped and never written down.  No I/O, no globals.
 * Process: docker.  Source: docker_copied.c (which), docker_copied_tar.c
 */
#define COPIED_MAX		64	/* files */
#define COPIED_CHANGES_MAX	20000	/* of one container that are read */
#define COPIED_LOOKS_MAX	256	/* of them that are looked at */
#define COPIED_PATH_MAXBYTES	512	/* with NUL; longer ones are not */
#define COPIED_FILE_MAXBYTES	(1024U * 1024)
#define COPIED_CHANGE_MAXBYTES	(64U * 1024)	/* JSON of one change */
#define COPIED_STAT_MAXBYTES	8192	/* base64, with NUL */

struct copied;

/* Is it one that compose has made? */
bool		 copied_concerns(const struct json_value *inspect);
/* image: inspect answer of its image, or NULL.  NULL: ENOMEM. */
struct copied	*copied_new(const struct json_value *inspect,
		    const struct json_value *image);
void		 copied_free(struct copied *);		/* NULL is fine */
/* One entry of the changes.  0, or -1 with errno E2BIG
 * (COPIED_CHANGES_MAX), ENOMEM. */
int		 copied_add(struct copied *, const struct json_value *);
/* All were added: which path is to be looked at?  NULL: no more. */
const char	*copied_next(struct copied *);
/* X-Docker-Container-Path-Stat of what copied_next() said; NULL: gone. */
void		 copied_looked(struct copied *, const char *stat);

/* The files, shortest path first; NULL has none. */
size_t		 copied_count(const struct copied *);
const char	*copied_path(const struct copied *, size_t);
/* Something was found that is not carried over, or more than can be looked
 * at: a line about it, or NULL. */
const char	*copied_trouble(const struct copied *);

/*
 * From the archive that Docker gives of one file to one that puts it at the
 * same place in another container: mode and owner as they are, and the time
 * when that container was made, so that its successor finds the file again.
 * The answer is for freezero() with *outlen; NULL with a constant text in
 * *why: damaged, no regular file, ENOMEM.
 */
char		*copied_tar(const char *path, time_t made, const char *tar,
		    size_t len, size_t *outlen, const char **why);
/* When a container was made, by its inspect answer; 0: it does not say. */
time_t		 copied_made(const struct json_value *inspect);

#endif /* DOCKER_COPIED_H */
