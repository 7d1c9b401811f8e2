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

#ifndef DATADIR_H
#define DATADIR_H

#include "compat.h"

/*
 * The directories of a daemon (doc/architecture.md 3.3), as the parent makes
 * them before any child runs:
 *
 *	data_dir/	owner 0711	lock (flock), role
 *	cluster dir	owner 0700	keys, certificates, identity
 *	data_dir/SUB/	engine 0700	the engine's root: db/ or state/
 *
 * Whoever may write a directory may replace what is in it, so keys and state
 * never share one.  A directory that holds the other daemon's files is
 * refused.  Parent process only; root, or the caller with privileges: keep.
 */
enum datadir_role { DATADIR_SERVER, DATADIR_AGENT };

struct datadir_want {
	enum datadir_role dw_role;
	const char	*dw_data;	/* absolute */
	const char	*dw_cluster;
	const char	*dw_run;	/* run_dir; gets empty/ root 0555 */
	bool		 dw_keep;	/* privileges: keep: no chown */
	uid_t		 dw_uid;	/* the engine's */
	gid_t		 dw_gid;
};

/*
 * Makes what is missing, checks what is there, takes the lock (held until
 * exit; the fd is kept), gives db/ or state/ to the engine.  Returns 0, or -1
 * with one line in err.
 */
int	 datadir_prepare(const struct datadir_want *, char *err,
	    size_t errlen);

#endif /* DATADIR_H */
