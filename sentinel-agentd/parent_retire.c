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

#include "parent_identity.h"

#include <sys/stat.h>

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "keyfile.h"
#include "log.h"

static int	 old_directory(char *, size_t, char *);
static int	 move(const char *, const char *, char *);

/* Named after the time when the new certificate was written, so that a start
 * that finishes the work finds the same directory. */
static int
old_directory(char *path, size_t len, char *err)
{
	struct stat	 st;
	struct tm	 tm;
	char		 cert[PATH_MAX], stamp[32];

	identity_path(PLACE_NEXT, ID_CERT, false, cert, sizeof(cert));
	if (stat(cert, &st) == -1 || gmtime_r(&st.st_mtime, &tm) == NULL ||
	    strftime(stamp, sizeof(stamp), "%Y%m%dT%H%M%S", &tm) == 0) {
		(void)snprintf(err, KEYFILE_ERRLEN, "%s: %s", cert,
		    strerror(errno));
		return (-1);
	}
	if ((size_t)snprintf(path, len, "%s/retired-%s.%03ldZ", identity_dir,
	    stamp, st.st_mtim.tv_nsec / 1000000) >= len) {
		(void)snprintf(err, KEYFILE_ERRLEN, "%s: path too long",
		    identity_dir);
		return (-1);
	}
	if (mkdir(path, 0700) == -1 && errno != EEXIST) {
		(void)snprintf(err, KEYFILE_ERRLEN, "%s: mkdir: %s", path,
		    strerror(errno));
		return (-1);
	}
	return (keyfile_syncdir(path, err, KEYFILE_ERRLEN));
}

static int
move(const char *from, const char *to, char *err)
{
	if (rename(from, to) == -1) {
		(void)snprintf(err, KEYFILE_ERRLEN, "%s: rename to %s: %s",
		    from, to, strerror(errno));
		return (-1);
	}
	if (keyfile_syncdir(to, err, KEYFILE_ERRLEN) == -1)
		return (-1);
	return (keyfile_syncdir(from, err, KEYFILE_ERRLEN));
}

int
identity_retire(char *err)
{
	/* agent.pem is the last to leave: while it is in next/, what else is
	 * there belongs up. */
	static const enum identity_file	 order[] = {
		ID_HOSTID, ID_CA, ID_KEY, ID_SPENT, ID_CERT
	};
	char	 old[PATH_MAX], live[PATH_MAX], next[PATH_MAX];
	char	 kept[PATH_MAX];
	size_t	 i;

	/* What a renewal of the old identity has left. */
	if (identity_remove(PLACE_LIVE, ID_CERT, true, err) == -1 ||
	    identity_remove(PLACE_LIVE, ID_KEY, true, err) == -1 ||
	    old_directory(old, sizeof(old), err) == -1)
		return (-1);
	for (i = 0; i < nitems(order); i++) {
		if (!identity_has(PLACE_NEXT, order[i], false))
			continue;
		identity_path(PLACE_LIVE, order[i], false, live,
		    sizeof(live));
		identity_path(PLACE_NEXT, order[i], false, next,
		    sizeof(next));
		if ((size_t)snprintf(kept, sizeof(kept), "%s/%s", old,
		    identity_name(order[i])) >= sizeof(kept))
			fatalx("%s: path too long", old);
		if (identity_has(PLACE_LIVE, order[i], false) &&
		    move(live, kept, err) == -1)
			return (-1);
		if (move(next, live, err) == -1)
			return (-1);
	}
	if ((size_t)snprintf(next, sizeof(next), "%s/" IDENTITY_NEXT,
	    identity_dir) < sizeof(next))
		(void)rmdir(next);
	log_info("identity: the old files are kept in %s", old);
	return (0);
}
