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

#ifndef DOCKERJOURNAL_H
#define DOCKERJOURNAL_H

#include "compat.h"

#include "proc.h"

/*
 * The parent's part of the update journal: data_dir/update.journal is opened
 * and locked (flock(2), all of it, on the open file) and goes to the docker
 * process, lock and all; when that one closes it or dies, the lock is free.
 *
 * While somebody else has the lock (the helper of a self update does) the
 * journal is left alone and asked for again every DOCKERJOURNAL_RETRY_MSEC:
 * until it comes, the docker process does everything but updates.
 */
#define DOCKERJOURNAL_RETRY_MSEC 1000
/* So long the helper has to take what the docker process gave away. */
#define DOCKERJOURNAL_HAND_MSEC	15000

/* role is the docker process of this daemon; data_dir is copied. */
void	 dockerjournal_init(enum role, const char *data_dir);
/* For a docker process that has none: now or later.  Dies when the file is
 * not fit: an update that cannot be written down must not begin. */
void	 dockerjournal_send(void);
/* Row of the parent's handler table: DOCKER_JOURNAL_ASK. */
void	 dockerjournal_ask(struct peer *, struct imsg *);

/*
 * Opens it; with create, made 0600 when there is none.  Not locked.  The
 * descriptor, or -1 with a line in err.
 */
int	 dockerjournal_open(const char *data_dir, bool create, char *err,
	    size_t errlen);

#endif /* DOCKERJOURNAL_H */
