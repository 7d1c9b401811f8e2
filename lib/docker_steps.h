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
 * The steps of an update, each safe to repeat: forward and finish in
 * docker_steps.c, undo in docker_undo.c.  Tables end with a row without a
 * name.  Names are in the journal: never rename one.
 */
extern const struct txn_leg	legs_forward[];
extern const struct txn_leg	legs_finish[];
extern const struct txn_leg	legs_undo[];
extern const struct txn_leg	legs_abandon[];	/* nobody was touched */
extern const struct txn_leg	legs_orphan[];
extern const struct txn_leg	legs_raise[];	/* docker_steady.c */
/* docker_self_steps.c */
extern const struct txn_leg	legs_self[];	/* up to the helper's turn */
extern const struct txn_leg	legs_self_defer[];
extern const struct txn_leg	legs_self_undo[];
extern const struct txn_leg	legs_self_abandon[];
extern const struct txn_leg *const legs_all[];	/* NULL at the end */

/* docker_steps.c: forward and to the end */
extern const struct txn_step	steps_make[];
extern const struct txn_step	steps_swap[];
extern const struct txn_step	steps_user_make[];
extern const struct txn_step	steps_user_halt[];
extern const struct txn_step	steps_user_take[];
extern const struct txn_step	steps_hold[];
extern const struct txn_step	steps_go[];
extern const struct txn_step	steps_confirm[];
extern const struct txn_step	steps_remove[];
extern const struct txn_step	steps_user_remove[];
/* docker_undo.c: back */
extern const struct txn_step	steps_check[];
extern const struct txn_step	steps_drop[];
extern const struct txn_step	steps_back[];
extern const struct txn_step	steps_back_go[];
extern const struct txn_step	steps_unkeep[];
extern const struct txn_step	steps_abandon[];
extern const struct txn_step	steps_orphan[];
extern const struct txn_step	steps_user_orphan[];

/* docker_txn.c: the answer to a step's request. */
void	 txn_replied(void *, const struct docker_reply *);
/* docker_txn.c: undo found no old container. */
void	 txn_orphan(struct txn *);

/* docker_steps.c: what both ways need */
bool		 seen_is_named(const struct json_value *, const char *name);
bool		 seen_is_up(const struct json_value *);
bool		 seen_has_net(const struct json_value *, const char *net);
struct docker	*step_docker(const struct txn *);
/* Under way; NULL: try again later. */
enum txn_act	 step_sent(struct txn *, struct docker_req *);
enum txn_act	 step_gone(struct txn *, const char *which);
/* Is the container under the temporary name the one that we made? */
bool		 step_is_ours(const struct txn *, const struct json_value *);
enum txn_act	 step_attach_net(struct txn *, const struct docker_net *,
		    const char *id);
/* Replies: act again, on the next network or by what is seen then. */
bool		 step_one_more(struct txn *, const struct docker_reply *);
bool		 step_again(struct txn *, const struct docker_reply *);
/* Acts, on the container that the step looks at. */
enum txn_act	 step_name(struct txn *, const struct json_value *);
enum txn_act	 step_start(struct txn *, const struct json_value *);
enum txn_act	 step_pause(struct txn *, const struct json_value *);
enum txn_act	 step_untag(struct txn *, const struct json_value *);
enum txn_act	 step_stop(struct txn *, const struct json_value *);
enum txn_act	 step_norestart(struct txn *, const struct json_value *);
enum txn_act	 step_park(struct txn *, const struct json_value *);
enum txn_act	 step_detach(struct txn *, const struct json_value *);
enum txn_act	 step_vanish(struct txn *, const struct json_value *);
enum txn_act	 step_lend(struct txn *, const struct json_value *);
enum txn_act	 step_regain(struct txn *, const struct json_value *);

/* docker_copy.c */
enum txn_act	 step_copy(struct txn *, const struct json_value *);
bool		 step_copied(struct txn *, const struct docker_reply *);

#endif /* DOCKER_STEPS_H */
