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

#ifndef ENGINE_QUARANTINE_H
#define ENGINE_QUARANTINE_H

#include "compat.h"

#include "engine.h"
#include "pbmem.h"

/*
 * Quarantine: which digests a container was rolled back from, by itself or
 * by an operator.  They go with every update of it, and are refused once the
 * pull has shown that it would be one of them again; --force leaves them out.
 * A rollback that would bring one of them back is refused as well, unless its
 * id was given.
 * An update that succeeds ends the quarantine of its container, and so does
 * quarantine_lift().  In the database, for all hosts; an agent that is
 * offline needs none of it.
 */
#define QUARANTINE_MAX	8	/* digests of a container, the newest */

struct quarantine {
	char		*qu_list[QUARANTINE_MAX];	/* into qu_text */
	size_t		 qu_n;
	char		 qu_text[QUARANTINE_MAX][80];
};

/* What holds now; none when the database cannot be read (logged). */
void	 quarantine_get(const struct host *, const char *container,
	    struct quarantine *);
/* What an operation is not to try: what holds, for an update or a rollback;
 * nothing where the operator insists, with --force or an image id. */
void	 quarantine_of_op(const struct op *, struct quarantine *);
/* All that is known of it, in the arena; NULL: nothing, or as above. */
const Sentinel__Store__Quarantine *quarantine_find(const struct host *,
	    const char *container, struct pbmem *);
/* Views of that, in the arena, which also lends it. */
Sentinel__Ipc__QuarantineView **quarantine_views(const struct host *,
	    const char *container, struct pbmem *, size_t *n);
/* The digests of all containers of a host, read once; for lists. */
struct quarantine_host {
	struct pbmem	*qh_mem;	/* of the caller */
	size_t		 qh_n;
	struct quarantine_names {
		char	*qn_container;
		char	**qn_digests;
		size_t	 qn_n;
	}		*qh_names;
};

void	 quarantine_of_host(const struct host *, struct pbmem *,
	    struct quarantine_host *);
/* Of one of them; NULL and 0: none. */
char	**quarantine_digests(const struct quarantine_host *,
	    const char *container, size_t *n);
/* Does this digest or image id mean an image that holds this digest? */
bool	 quarantine_is(const char *digest, const char *what);

/*
 * A row of the history says what it means for the quarantine: in the same
 * transaction as the row, or a crash in between would lose it.  0, -1.
 */
int	 quarantine_row(struct store_txn *, const char *host_id,
	    const Sentinel__Store__HistoryRow *);
/* The line of the log for it, when that transaction is through. */
void	 quarantine_tell(struct host *,
	    const Sentinel__Store__HistoryRow *);
/*
 * An operator ends it: of a digest, its beginning ("sha256:" may be left
 * out), or "" for all.  In the audit trail.  Their number, 0: there is none;
 * -1: the database, logged.
 */
int	 quarantine_lift(struct host *, const char *container,
	    const char *digest, const char *by);

#endif /* ENGINE_QUARANTINE_H */
