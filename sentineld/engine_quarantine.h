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

/*
 * Quarantine: which digests a container was rolled back from, by itself or
 * by an operator.  They go with every update of it, and are refused once the
 * pull has shown that it would be one of them again; --force leaves them out.
 * An update that succeeds ends the quarantine of its container.  In the
 * database, for all hosts; an agent that is offline needs none of it.
 */
#define QUARANTINE_MAX	8	/* digests of a container */

struct quarantine {
	char		*qu_list[QUARANTINE_MAX];	/* into qu_text */
	size_t		 qu_n;
	char		 qu_text[QUARANTINE_MAX][80];
};

/* What holds now; none when the database cannot be read (logged). */
void	 quarantine_get(const struct host *, const char *container,
	    struct quarantine *);
/*
 * A result that was not known yet.  action: "update" or "rollback"; the rest
 * as it came from the host.  A failure of the database is logged.
 */
void	 quarantine_note(const struct host *, const char *container,
	    const char *action, const char *outcome, const char *old_image,
	    const char *old_digest, const char *new_image,
	    const char *new_digest, const char *error);

#endif /* ENGINE_QUARANTINE_H */
