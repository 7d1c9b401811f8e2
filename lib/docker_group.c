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

#include "docker_steps.h"
#include "log.h"

/*
 * The legs of a transaction: which member takes which steps, and when.  The
 * new ones are all made while the old ones still run, because the users have
 * to name the leader's; then everybody stops from the outside in and comes up
 * from the inside out.  Alone, the leader's legs are one row of steps.
 */
const struct txn_leg legs_forward[] = {
	{ LEG_LEAD,	steps_make,		NULL,		false },
	{ LEG_UP,	steps_user_make,	NULL,		false },
	{ LEG_DOWN,	steps_user_halt,	steps_hold,	false },
	{ LEG_LEAD,	steps_swap,		NULL,		false },
	{ LEG_UP,	steps_user_take,	steps_go,	false },
	{ LEG_LEAD,	NULL,			NULL,		false }
};

const struct txn_leg legs_finish[] = {
	{ LEG_LEAD,	steps_confirm,		NULL,		false },
	{ LEG_UP,	steps_confirm,		NULL,		false },
	{ LEG_DOWN,	steps_user_remove,	NULL,		false },
	{ LEG_LEAD,	steps_remove,		NULL,		false },
	{ LEG_LEAD,	NULL,			NULL,		false }
};

/* Whom nobody has touched is nobody's business. */
const struct txn_leg legs_undo[] = {
	{ LEG_LEAD,	steps_check,		NULL,		true },
	{ LEG_DOWN,	steps_drop,		NULL,		false },
	{ LEG_LEAD,	steps_drop,		NULL,		false },
	{ LEG_LEAD,	steps_back,		NULL,		true },
	{ LEG_UP,	steps_back,		steps_back_go,	true },
	{ LEG_LEAD,	steps_unkeep,		NULL,		false },
	{ LEG_LEAD,	NULL,			NULL,		false }
};

const struct txn_leg legs_abandon[] = {
	{ LEG_DOWN,	steps_abandon,		NULL,		false },
	{ LEG_LEAD,	steps_abandon,		NULL,		false },
	{ LEG_LEAD,	steps_unkeep,		NULL,		false },
	{ LEG_LEAD,	NULL,			NULL,		false }
};

const struct txn_leg legs_orphan[] = {
	{ LEG_LEAD,	steps_orphan,		NULL,		false },
	{ LEG_UP,	steps_user_orphan,	steps_go,	false },
	{ LEG_LEAD,	NULL,			NULL,		false }
};

const struct txn_leg *const legs_all[] = { legs_forward, legs_finish,
    legs_undo, legs_abandon, legs_orphan, legs_raise, legs_self,
    legs_self_defer, legs_self_undo, NULL };

/* The member at the leader's place in this leg, or NULL after the last. */
static struct txn *
group_at(struct txn *lead)
{
	size_t	 i = lead->tx_cursor;

	switch (lead->tx_leg->lg_who) {
	case LEG_LEAD:
		return (i == 0 ? lead : NULL);
	case LEG_UP:
		return (i < lead->tx_nusers ? lead->tx_users[i] : NULL);
	case LEG_DOWN:
		return (i < lead->tx_nusers ?
		    lead->tx_users[lead->tx_nusers - 1 - i] : NULL);
	}
	return (NULL);
}

static void
group_go(struct txn *lead)
{
	const struct txn_step	*st;
	struct txn		*tx;

	for (; lead->tx_leg->lg_steps != NULL; lead->tx_leg++) {
		for (; (tx = group_at(lead)) != NULL; lead->tx_cursor++) {
			st = tx->tx_kind == TXN_ORDERED ?
			    lead->tx_leg->lg_ordered : lead->tx_leg->lg_steps;
			if (st == NULL || (lead->tx_leg->lg_touched &&
			    !tx->tx_harm))
				continue;
			tx->tx_phase = lead->tx_phase;
			txn_begin_step(tx, st);
			return;
		}
		lead->tx_cursor = 0;
	}
	txn_phase_end(lead);
}

void
group_begin(struct txn *lead, const struct txn_leg *legs)
{
	lead->tx_leg = legs;
	lead->tx_cursor = 0;
	group_go(lead);
}

void
group_next(struct txn *tx)
{
	tx->tx_lead->tx_cursor++;
	group_go(tx->tx_lead);
}

void
group_resume(struct txn *lead, const struct txn_leg *legs, const char *step)
{
	const struct txn_leg	*lg;
	const struct txn_step	*st;

	for (lg = legs; lg->lg_steps != NULL; lg++)
		for (st = lg->lg_steps; lg->lg_who == LEG_LEAD &&
		    st->st_name != NULL; st++)
			if (strcmp(st->st_name, step) == 0) {
				lead->tx_leg = lg;
				lead->tx_cursor = 0;
				txn_begin_step(lead, st);
				return;
			}
	fatalx("update: no step %s", step);
}

bool
group_harmed(const struct txn *lead)
{
	size_t	 i;

	for (i = 0; i < lead->tx_nusers; i++)
		if (lead->tx_users[i]->tx_harm)
			return (true);
	return (lead->tx_harm);
}

bool
group_confirmed(const struct txn *lead)
{
	size_t	 i;

	for (i = 0; i < lead->tx_nusers; i++)
		if (lead->tx_users[i]->tx_kind == TXN_SHARED &&
		    !lead->tx_users[i]->tx_confirmed)
			return (false);
	return (lead->tx_confirmed);
}
