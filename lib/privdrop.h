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

#ifndef PRIVDROP_H
#define PRIVDROP_H

#include "compat.h"

#include <sys/resource.h>

#include "roles.h"

/*
 * From root to an unprivileged id in an empty directory.
 * Process: every child, before its first byte of input from a sibling; the
 * look-up of ids runs in the parent.  Source: privdrop.c
 */
struct privdrop {
	const char	*pd_root;	/* directory to chroot to */
	bool		 pd_state;	/* a home: entered with pd_keep too */
	uid_t		 pd_uid;	/* never 0 */
	gid_t		 pd_gid;
	bool		 pd_keep;	/* no chroot, no ids: test runs */
	bool		 pd_netns;	/* empty network namespace */
	bool		 pd_mlock;	/* no swap */
	rlim_t		 pd_fsize;	/* bytes or RLIM_INFINITY */
	rlim_t		 pd_nofile;
	pid_t		 pd_parent;	/* to notice that it died meanwhile */
};

/*
 * Id for a row: those of the user when passwd has it, else base + role.
 * Returns 0 (from passwd), 1 (made up), or -1 logged: the user is root, or
 * passwd or group knows the made-up id.
 */
int	 privdrop_ids(const char *user, uint32_t base, enum role, uid_t *,
	    gid_t *);

/*
 * namespaces, chroot, chdir, bounding set, groups, ids, verification,
 * PDEATHSIG and DUMPABLE, capabilities, NO_NEW_PRIVS, limits, mlockall: in
 * this order, for setresuid(2) clears PDEATHSIG and root is needed to chroot.
 * Afterwards "." is the root directory, or with pd_keep and pd_state pd_root.
 * 0, or -1 logged: the caller must not go on.
 */
int	 privdrop(const struct privdrop *);

#endif /* PRIVDROP_H */
