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
 * When Docker was lost on the way.  A dockerd that dies ends every container
 * when it is back and starts those again that have a restart policy, all at
 * the same time: one that joins another's namespace fails when that is not up
 * yet, and is never tried again (20.10, measured).  What was right when its
 * step looked is wrong then.  So before the transaction ends all is looked at
 * once more, leader first.
 */
#define STEADY_MAX	3	/* such rounds, in one phase */
#define RAISE_ACTS_MAX	4

static enum txn_act	 step_raise(struct txn *, const struct json_value *);

/* Of the new ones, and of those that were only stopped. */
static const struct txn_step steps_raise[] = {
	{ "raise",	LOOK_NEW, step_raise, step_again,
	    STEP_QUIET | STEP_BUSY_WAIT },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

static const struct txn_step steps_raise_old[] = {
	{ "raise-old",	LOOK_OLD, step_raise, step_again,
	    STEP_QUIET | STEP_BUSY_WAIT },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_leg legs_raise[] = {
	{ LEG_LEAD,	steps_raise,		NULL,		false },
	{ LEG_UP,	steps_raise,		steps_raise_old, false },
	{ LEG_LEAD,	NULL,			NULL,		false }
};

void
txn_steady_begin(struct txn *tx)
{
	tx->tx_losses = docker_losses(step_docker(tx));
	tx->tx_shaken = false;
	tx->tx_rounds = 0;
}

bool
txn_unsteady(const struct txn *tx)
{
	const struct txn	*lead = tx->tx_lead;

	return ((lead->tx_shaken ||
	    lead->tx_losses != docker_losses(step_docker(tx))) &&
	    lead->tx_rounds < STEADY_MAX);
}

bool
txn_steady(struct txn *tx, const struct txn_leg *legs)
{
	if (!txn_unsteady(tx))
		return (false);
	log_info("update %s: Docker was lost meanwhile: looking at everything "
	    "once more", tx->tx_opid);
	tx->tx_rounds++;
	if (tx->tx_losses != docker_losses(step_docker(tx)))
		tx->tx_lost = true;
	tx->tx_losses = docker_losses(step_docker(tx));
	tx->tx_shaken = false;
	group_begin(tx, legs);
	return (true);
}

/*
 * Somebody may have stopped it on purpose while there was no Sentinel; that
 * Docker could not start it is another matter, and Docker's to tell.
 */
static enum txn_act
step_raise(struct txn *tx, const struct json_value *seen)
{
	bool	 lost = tx->tx_lead->tx_lost;

	if (seen == NULL || !tx->tx_running ||
	    !seen_is_named(seen, tx->tx_name) ||
	    tx->tx_index++ == RAISE_ACTS_MAX)
		return (ACT_DONE);
	if (!seen_is_up(seen))
		return (lost || json_get_str(json_get(seen, "State"),
		    "Error")[0] != '\0' ? step_start(tx, seen) : ACT_DONE);
	return (lost ? step_pause(tx, seen) : ACT_DONE);
}
