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

#ifndef DOCKER_PREPARE_H
#define DOCKER_PREPARE_H

#include "docker_txn.h"

/*
 * Everything of an update that only looks, and the pull.  Whatever is wrong
 * is found here, while the container still runs untouched:
 *	docker_prepare.c	the container, whose namespace it has, the plan
 *	docker_prepare_names.c	are the names free that it needs?
 *	docker_prepare_image.c	images, networks, the pull
 *	docker_prepare_podman.c	what only podman has
 *	docker_prepare_users.c	who else it concerns
 * Each part ends in the first call of the next, or in prep_fail().
 */

/* --- docker_prepare.c -------------------------------------------------- */
void		 prep_fail(struct txn *);	/* tx_error says why */
/* The request could be made: it is under way.  Else this was it. */
void		 prep_sent(struct txn *, struct docker_req *);
/* The parsed answer, or NULL and the transaction is over.  404 is left to
 * the caller when gone is given. */
struct json	*prep_json(struct txn *, const struct docker_reply *,
		    bool *gone);
/* NULL when the container of this inspect answer can be updated at all. */
const char	*prep_check(const struct json_value *);
/* Copies what the plan needs of it.  -1: too long. */
int		 prep_keep(struct txn *, const struct json_value *);
/* tx_new_ref is known: go on with who lends it a namespace. */
void		 prep_chosen(struct txn *);
/* Nothing was wrong: to the journal, and on. */
void		 prep_plan(struct txn *);

/* --- docker_prepare_names.c -------------------------------------------- */
void		 prep_names(struct txn *);

/* --- docker_prepare_image.c -------------------------------------------- */
void		 prep_image(struct txn *);

/* --- docker_copy.c ----------------------------------------------------- */
/* Of the container in tx_inspect; tx_copied or tx_copywhy, then next. */
void		 prep_copied(struct txn *, void (*next)(struct txn *));

/* --- docker_prepare_podman.c ------------------------------------------- */
/* Asks podman's own API what its Docker API does not tell, then next; with
 * Docker next at once. */
void		 prep_podman(struct txn *, void (*next)(struct txn *));
/* One inspect by podman's own API; what is "containers" or "images".  NULL
 * with errno of docker_call(). */
struct docker_req *prep_podman_ask(struct txn *, const char *what,
		    const char *id, docker_cb);
/* From the inspect answer of podman's own API: can this container be made
 * anew?  False with a line in why. */
bool		 prep_podman_check(const struct json_value *, char *why,
		    size_t size);

/* --- docker_prepare_users.c: who else it concerns ---------------------- */
void		 prep_users(struct txn *);	/* then prep_plan() */

#endif /* DOCKER_PREPARE_H */
