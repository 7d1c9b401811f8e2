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

#ifndef DOCKER_STEPS_H
#define DOCKER_STEPS_H

#include "docker_txn.h"

/*
 * The steps of an update, each safe to repeat (docker_steps.c).  Tables end
 * with a row without a name.  Names are in the journal: never rename one.
 */
extern const struct txn_step	steps_forward[];
extern const struct txn_step	steps_finish[];
extern const struct txn_step	steps_undo[];
extern const struct txn_step	steps_abandon[];
extern const struct txn_step	steps_orphan[];

/* docker_txn.c: the answer to a step's request. */
void	 txn_replied(void *, const struct docker_reply *);
/* docker_txn.c: undo found no old container. */
void	 txn_orphan(struct txn *);

#endif /* DOCKER_STEPS_H */
