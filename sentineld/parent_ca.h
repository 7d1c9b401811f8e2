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

#ifndef PARENT_CA_H
#define PARENT_CA_H

#include "compat.h"

#include "proc.h"

/*
 * How far the replacement of the CA is.  The engine's database has the truth
 * (db_ca.c), the parent's files follow it; a phase is never left out.
 */
enum ca_phase {
	CA_NONE = 0,
	CA_PREPARE = 1,		/* agents get the new CA beside the old one */
	CA_ISSUE = 2,		/* the new one issues */
	CA_DRAIN = 3,		/* the old one cannot issue any more */
	CA_DROP = 4		/* it is being retired: on disk, not over */
};

/*
 * At start, in the parent.  begin() comes before the CA of parent_keys.c is
 * loaded, and loads a new one that issues; begun() is told whether the old
 * key is wanted.  finish() comes after it and loads what needs both.  Fatal
 * with the name of the file when it does not work.
 */
void	 parent_ca_begin(const char *dir, void (*begun)(bool old_key));
void	 parent_ca_finish(void (*finished)(void));

/* Rows of the handler table. */
void	 parent_ca_phase(struct peer *, struct imsg *);
void	 parent_ca_step(struct peer *, struct imsg *);
void	 parent_ca_used(struct peer *, struct imsg *);
/* KEY_LOADED with an id other than 0. */
void	 parent_ca_loaded(struct peer *, struct imsg *);

#endif /* PARENT_CA_H */
