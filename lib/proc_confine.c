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

#include <string.h>

#include "log.h"
#include "privdrop.h"
#include "proc.h"
#include "sandbox.h"

/* From a row of the process table to the two modules that know no table. */
void
proc_confine(const struct proc_row *row, const struct proc_confine *pc)
{
	struct privdrop	 pd;
	bool		 state = row->pr_root == PROC_ROOT_STATE;

	memset(&pd, 0, sizeof(pd));
	pd.pd_root = state ? pc->pc_statedir : pc->pc_emptydir;
	pd.pd_state = state;
	pd.pd_uid = pc->pc_uid;
	pd.pd_gid = pc->pc_gid;
	pd.pd_keep = pc->pc_keep;
	pd.pd_netns = (row->pr_flags & PROC_F_NETNS) != 0;
	pd.pd_mlock = (row->pr_flags & PROC_F_MLOCK) != 0;
	pd.pd_fsize = row->pr_fsize;
	pd.pd_nofile = row->pr_nofile;
	pd.pd_parent = pc->pc_parent;
	if (privdrop(&pd) == -1)
		fatalx("cannot give up privileges");
	if (sandbox_enter(row->pr_promises, state ? "." : NULL, pc->pc_trap,
	    pc->pc_logfd) == -1)
		fatal("sandbox \"%s\"", row->pr_promises);
}
