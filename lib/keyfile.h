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

#ifndef KEYFILE_H
#define KEYFILE_H

#include "compat.h"

#include <limits.h>

/*
 * Files that carry keys, certificates and identity, as the parent handles
 * them: opened by configured path, checked, passed on; never read here.
 * A new file is written beside the old one as NAME.new, synced, and renamed;
 * the directory is synced after.  Parent process only.  All functions return
 * -1 with one line in err that names the file and what to do.
 */
#define KEYFILE_MAXBYTES	(64 * 1024)
#define KEYFILE_ERRLEN		(PATH_MAX + 256)

enum keyfile_kind {
	KEYFILE_SECRET,		/* no bit for group or others */
	KEYFILE_PUBLIC		/* not writable by group or others */
};

/*
 * O_RDONLY, O_NOFOLLOW; a regular file with one link, owned by the caller's
 * user (root), of at most KEYFILE_MAXBYTES, with the mode kind asks for.
 * Returns the fd.  errno is ENOENT when there is no such file.
 */
int	 keyfile_open(const char *path, enum keyfile_kind, char *err,
	    size_t errlen);
/* path.new: made O_EXCL 0600, or the one left behind, checked.  O_RDWR. */
int	 keyfile_create(const char *path, char *err, size_t errlen);
/* path.new with these bytes, mode 0600, synced, not yet renamed. */
int	 keyfile_write(const char *path, const void *, size_t, char *err,
	    size_t errlen);
/* Rename path.new to path and sync the directory. */
int	 keyfile_commit(const char *path, char *err, size_t errlen);
bool	 keyfile_exists(const char *path);
/* Sync the directory that holds path. */
int	 keyfile_syncdir(const char *path, char *err, size_t errlen);

#endif /* KEYFILE_H */
