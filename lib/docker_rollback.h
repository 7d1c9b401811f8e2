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

#ifndef DOCKER_ROLLBACK_H
#define DOCKER_ROLLBACK_H

#include "docker_txn.h"

/*
 * What a transaction has to do with earlier images (docker_keep.h):
 *	docker_rollback.c	preparing to go back to one; the reference that
 *				the container was made from then
 *	docker_sweep.c		keeping the image that was replaced, and
 *				clean-up
 */
#define ROLL_NOTE_MAXBYTES	192

/* --- docker_rollback.c ------------------------------------------------- */
/* The container was inspected: choose its image, then prep_chosen(). */
void		 roll_prepare(struct txn *);
/* From the labels of an inspect answer: how many to keep, how long. */
void		 roll_labels(struct txn *, const struct json_value *);
/* Is the image of this inspect answer in quarantine?  tx_error says so. */
bool		 roll_is_bad(struct txn *, const struct json_value *);
/* What the journal's plan says of all this; text without a NUL. */
void		 roll_note_put(const struct txn *, char[ROLL_NOTE_MAXBYTES]);
void		 roll_note_get(struct txn *, const char *);
/* Steps: a reference names the image to go back to; and no more. */
enum txn_act	 roll_retag(struct txn *, const struct json_value *);
enum txn_act	 roll_tagback(struct txn *, const struct json_value *);

/* --- docker_sweep.c ---------------------------------------------------- */
/* Feeds the elements of a list of Docker's to fn, which takes one parsed;
 * sweep_ended() says how it went: an error in words, or "". */
struct docker_req *sweep_list(struct txn *, const char *path,
		    int (*fn)(struct txn *, const struct json_value *),
		    docker_cb);
const char	*sweep_ended(struct txn *);
enum txn_act	 step_keep(struct txn *, const struct json_value *);
bool		 step_named(struct txn *, const struct docker_reply *);
enum txn_act	 step_sweep(struct txn *, const struct json_value *);
bool		 step_swept(struct txn *, const struct docker_reply *);

#endif /* DOCKER_ROLLBACK_H */
