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

#ifndef ENGINE_OPLOG_H
#define ENGINE_OPLOG_H

#include "compat.h"

#include "engine.h"

/*
 * Operations that somebody asked for: those under way, and the last OPLOG_MAX
 * that have ended since the start.  In memory only; what came of an operation
 * for good is in the history, under its id.
 */
#define OPLOG_MAX		256
#define OPLOG_PROGRESS_MSEC	250	/* between two progress events */

struct oplog_row {
	char		 ol_id[REQUEST_ID_SIZE];
	char		 ol_host[HOST_ID_SIZE];
	char		 ol_host_name[HOST_NAME_SIZE];	/* as it was then */
	char		 ol_container[256];
	char		 ol_kind[16];
	char		 ol_image[1025];
	char		 ol_by[32];
	char		 ol_outcome[33];
	char		 ol_error[512];
	int64_t		 ol_began;	/* unix ms */
	int64_t		 ol_ended;
};

/* Somebody asked for it; those of the engine itself are not shown. */
void	 oplog_begin(struct op *, uint32_t uid);
/* Notes it, and tells who follows the events; no event is stored. */
void	 oplog_progress(struct op *, const char *phase, uint32_t percent,
	    const char *text);
void	 oplog_ended(const struct op *, const struct op_result *);
/* An outcome for whom nobody waited any more.  With our own id: the row that
 * says "unknown" of it, or a new one if the host is this machine. */
void	 oplog_late(const struct host *, const char *id,
	    const char *container, const char *kind, const char *image,
	    uint64_t msec, const char *outcome, const char *error);
/* "update", "pull", "logs", "stop", ... */
const char *oplog_kind(const struct op *);
/* The n-th of those that have ended, the oldest is 0; NULL: no more. */
const struct oplog_row *oplog_row(size_t n);
/* Both lend. */
void	 oplog_view_op(struct op *, Sentinel__Ipc__OperationView *);
void	 oplog_view_row(const struct oplog_row *,
	    Sentinel__Ipc__OperationView *);

#endif /* ENGINE_OPLOG_H */
