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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_copied.h"
#include "docker_steps.h"
#include "docker_txn.h"
#include "log.h"
#include "utf8.h"

/*
 * The driver of a transaction's steps.  Each step is recorded, then Docker is
 * looked at, then the step acts, then its answer decides:
 *	good			the next step
 *	refused			forward: undo; otherwise note it, next step
 *	lost, late, no Docker	look and act again
 */
#define TXN_BUSY_MAX		30
#define TXN_SHAKEN_MAX		5	/* there will be another round */

static void	 txn_run(struct txn *);
static void	 txn_looked(void *, const struct docker_reply *);
static void	 txn_acted(struct txn *, const struct json_value *);
static void	 txn_next(struct txn *);
static void	 txn_failed(struct txn *);
static void	 txn_again(struct txn *, bool);

/* From the record of a step on, until its answer is clear. */
static void
txn_begun(struct txn *tx, unsigned int flags)
{
	if ((flags & STEP_HARM) != 0)
		tx->tx_harm = true;
	if ((flags & STEP_STOPPED) != 0)
		tx->tx_pending &= ~(unsigned int)STEP_STOPS;
	if ((flags & STEP_REGAINED) != 0)
		tx->tx_pending &= ~(unsigned int)STEP_LENDS;
	tx->tx_pending |= flags & (STEP_MAKES | STEP_STOPS | STEP_LENDS);
}

void
txn_step_seen(struct txn *tx, const char *name)
{
	const struct txn_leg	*lg;
	const struct txn_step	*st;
	size_t			 i;

	for (i = 0; legs_all[i] != NULL; i++)
		for (lg = legs_all[i]; lg->lg_steps != NULL; lg++) {
			if ((lg->lg_who == LEG_LEAD) != (tx == tx->tx_lead))
				continue;
			st = tx->tx_kind == TXN_ORDERED ? lg->lg_ordered :
			    lg->lg_steps;
			for (; st != NULL && st->st_name != NULL; st++)
				if (strcmp(st->st_name, name) == 0) {
					txn_begun(tx, st->st_flags);
					return;
				}
		}
	/* Of another version: who knows? */
	txn_begun(tx, STEP_HARM);
}

void
txn_step_done(struct txn *tx)
{
	txn_next(tx);
}

void
txn_step_again(struct txn *tx, unsigned int msec)
{
	tx->tx_tries = 0;
	txn_later(tx, msec, txn_run);
}

/* --- phases ------------------------------------------------------------ */

void
txn_begin_step(struct txn *tx, const struct txn_step *st)
{
	while (((st->st_flags & STEP_AUTO) != 0 && !tx->tx_auto) ||
	    ((st->st_flags & STEP_COPIES) != 0 &&
	    copied_count(tx->tx_copied) == 0))
		st++;
	if (st->st_name == NULL) {
		group_next(tx);
		return;
	}
	tx->tx_step = st;
	tx->tx_recorded = false;
	tx->tx_tries = 0;
	tx->tx_refused = 0;
	tx->tx_index = 0;
	tx->tx_settle = 0;
	tx->tx_step_began = monotime_now();
	/* From the loop, so that a row of steps cannot grow the stack. */
	txn_later(tx, 0, txn_run);
}

void
txn_forward(struct txn *tx)
{
	tx->tx_phase = TXN_FORWARD;
	group_begin(tx, tx->tx_self ? legs_self : legs_forward);
}

void
txn_resume_gate(struct txn *tx)
{
	tx->tx_phase = TXN_FORWARD;
	group_resume(tx, legs_forward, "gate");
}

void
txn_finish(struct txn *tx)
{
	tx->tx_phase = TXN_FINISH;
	group_begin(tx, legs_finish);
}

/* Untouched, the old one is nobody's business. */
static const struct txn_leg *
txn_legs_back(const struct txn *tx)
{
	if (tx->tx_self)
		return (tx->tx_harm ? legs_self_undo : legs_self_abandon);
	return (group_harmed(tx) ? legs_undo : legs_abandon);
}

void
txn_undo(struct txn *tx)
{
	strlcpy(tx->tx_reason, tx->tx_error, sizeof(tx->tx_reason));
	if (journal_add(tx->tx_updater->up_journal, tx->tx_number, DJ_UNDO,
	    tx->tx_reason, NULL) == -1)
		log_warn("update %s: journal", tx->tx_opid);
	log_warnx("update %s: container %s: %s: going back", tx->tx_opid,
	    tx->tx_name, tx->tx_reason);
	txn_progress(tx, "undo", tx->tx_reason, 0, 0);
	tx->tx_phase = TXN_UNDO;
	txn_steady_begin(tx);
	group_begin(tx, txn_legs_back(tx));
}

/*
 * There is no old container to go back to: the new one is kept at any price.
 */
void
txn_orphan(struct txn *tx)
{
	tx->tx_phase = TXN_ORPHAN;
	strlcpy(tx->tx_trouble, "the old container is gone, the new one was "
	    "kept", sizeof(tx->tx_trouble));
	group_begin(tx, legs_orphan);
}

/* What went wrong after the new one had been found good: in the result, so
 * that who asked for the update sees it. */
static void
txn_beside(struct txn *tx)
{
	char	*note = tx->tx_hooks.th_note;
	size_t	 len = strlen(note);

	if (tx->tx_trouble[0] == '\0')
		return;
	log_warnx("update %s: container %s: done, but: %s", tx->tx_opid,
	    tx->tx_name, tx->tx_trouble);
	(void)snprintf(note + len, sizeof(tx->tx_hooks.th_note) - len,
	    "%s%s", len > 0 ? "; " : "", tx->tx_trouble);
}

void
txn_phase_end(struct txn *tx)
{
	switch (tx->tx_phase) {
	case TXN_FORWARD:
		/* Without this record recovery would pass the gate again. */
		if (journal_add(tx->tx_updater->up_journal, tx->tx_number,
		    DJ_GOOD, NULL) == -1)
			log_warn("update %s: journal", tx->tx_opid);
		txn_finish(tx);
		return;
	case TXN_FINISH:
		if (txn_steady(tx, legs_raise))
			return;
		if (!group_confirmed(tx)) {
			tx->tx_harm = true;
			strlcpy(tx->tx_error, tx->tx_trouble,
			    sizeof(tx->tx_error));
			txn_end(tx, UPDATE_FAILED);
			return;
		}
		txn_beside(tx);
		txn_end(tx, UPDATE_SUCCESS);
		return;
	case TXN_UNDO:
		if (txn_unsteady(tx)) {
			/* It gets another chance. */
			tx->tx_undo_failed = false;
			tx->tx_trouble[0] = '\0';
		}
		if (txn_steady(tx, txn_legs_back(tx)))
			return;
		strlcpy(tx->tx_error, tx->tx_reason, sizeof(tx->tx_error));
		tx->tx_harm = group_harmed(tx);
		if (tx->tx_undo_failed) {
			tx->tx_harm = true;
			txn_error(tx, "%s; going back failed: %s",
			    tx->tx_reason, tx->tx_trouble);
		}
		txn_end(tx, tx->tx_harm && !tx->tx_undo_failed ?
		    UPDATE_ROLLBACK : UPDATE_FAILED);
		return;
	case TXN_ORPHAN:
		txn_error(tx, "%s; %s", tx->tx_reason, tx->tx_trouble);
		txn_end(tx, UPDATE_FAILED);
		return;
	case TXN_PREPARE:
		break;
	}
	fatalx("update: end of phase %d", tx->tx_phase);
}

/* --- one step ---------------------------------------------------------- */

static int
txn_record(struct txn *tx)
{
	const struct txn_step	*st = tx->tx_step;

	if (tx->tx_recorded)
		return (0);
	if (txn_note(tx, DJ_STEP, st->st_name) == -1) {
		if (tx->tx_phase == TXN_FORWARD) {
			txn_error(tx, "update journal: %s", strerror(errno));
			return (-1);
		}
		/* Going back must not fail for want of disk. */
		log_warn("update %s: journal", tx->tx_opid);
	}
	tx->tx_recorded = true;
	txn_begun(tx, st->st_flags);
	if (tx->tx_phase != TXN_UNDO)
		txn_progress(tx, st->st_name, tx == tx->tx_lead ? "" :
		    tx->tx_name, 0, 0);
	return (0);
}

static void
txn_run(struct txn *tx)
{
	struct docker	*dk = tx->tx_updater->up_docker;
	const char	*id = NULL;

	if (txn_record(tx) == -1) {
		txn_failed(tx);
		return;
	}
	switch (tx->tx_step->st_look) {
	case LOOK_NONE:
		txn_acted(tx, NULL);
		return;
	case LOOK_OLD:
		id = tx->tx_old_id;
		break;
	case LOOK_NAME:
		id = tx->tx_name;
		break;
	case LOOK_NEW:
		/* Before its id is known, it has a name only we give. */
		id = tx->tx_new_id[0] != '\0' ? tx->tx_new_id :
		    tx->tx_name_new;
		break;
	}
	if ((tx->tx_req = docker_inspect(dk, id, txn_looked, tx)) == NULL)
		txn_again(tx, false);
}

/* Docker answered something: it is there. */
static void
txn_back(struct txn *tx)
{
	if (tx->tx_away != 0)
		log_info("update %s: Docker is back", tx->tx_opid);
	tx->tx_away = 0;
}

/*
 * That a container is gone is believed only in Docker's own words: something
 * between us, or an engine that is not ready, may answer 404 as well.
 */
static bool
txn_is_gone(const struct docker_reply *dr)
{
	return (dr->dr_end == DOCKER_REFUSED && dr->dr_status == 404 &&
	    strcasestr(dr->dr_error, "no such container") != NULL);
}

static void
txn_looked(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js = NULL;

	tx->tx_req = NULL;
	if (dr->dr_end == DOCKER_UNSENT) {
		txn_again(tx, false);
		return;
	}
	txn_back(tx);
	if (dr->dr_end == DOCKER_OK)
		js = json_parse(dr->dr_body, dr->dr_len, NULL, 0);
	if (js == NULL && !txn_is_gone(dr)) {
		txn_error(tx, "%s: %s", tx->tx_step->st_name,
		    dr->dr_end == DOCKER_OK ? "Docker's answer is not valid "
		    "JSON" : dr->dr_error);
		txn_again(tx, true);
		return;
	}
	txn_acted(tx, json_root(js));
	json_free(js);
}

static void
txn_acted(struct txn *tx, const struct json_value *seen)
{
	switch (tx->tx_step->st_act(tx, seen)) {
	case ACT_DONE:
		txn_next(tx);
		return;
	case ACT_SENT:
		/* No request: too many at the moment. */
		if (tx->tx_req == NULL)
			txn_again(tx, false);
		return;
	case ACT_WAIT:
		tx->tx_tries = 0;
		txn_later(tx, tx->tx_wait_msec, txn_run);
		return;
	case ACT_FAIL:
		txn_failed(tx);
		return;
	case ACT_MOVED:
		return;
	}
}

static void
txn_refused(struct txn *tx, const struct docker_reply *dr)
{
	const struct txn_step	*st = tx->tx_step;

	if (dr->dr_status == 404 && (st->st_flags & STEP_GONE_OK)) {
		txn_next(tx);
		return;
	}
	if (dr->dr_status == 409 && (st->st_flags & STEP_BUSY_WAIT) &&
	    ++tx->tx_refused < (tx->tx_phase == TXN_UNDO && txn_unsteady(tx) ?
	    TXN_SHAKEN_MAX : TXN_BUSY_MAX)) {
		/* For a creation: look whether it was ours. */
		tx->tx_tries = 1;
		txn_later(tx, tx->tx_updater->up_conf.uc_retry_msec, txn_run);
		return;
	}
	txn_error(tx, "%s: %s", st->st_name, dr->dr_error);
	/* Docker's own trouble may pass, and going back has to succeed. */
	if (dr->dr_status >= 500 && tx->tx_phase != TXN_FORWARD &&
	    ++tx->tx_refused < TXN_REFUSED_MAX) {
		txn_later(tx, tx->tx_updater->up_conf.uc_retry_msec, txn_run);
		return;
	}
	txn_failed(tx);
}

/* The answer to a step's request; all steps pass this to Docker. */
void
txn_replied(void *arg, const struct docker_reply *dr)
{
	struct txn		*tx = arg;
	const struct txn_step	*st = tx->tx_step;

	tx->tx_req = NULL;
	/* A clear answer: what this step has begun is over. */
	if ((dr->dr_end == DOCKER_OK || dr->dr_end == DOCKER_REFUSED) &&
	    tx->tx_tries == 0)
		tx->tx_pending &= ~st->st_flags | (unsigned int)STEP_LENDS;
	if (dr->dr_end == DOCKER_OK && (st->st_flags & STEP_REGAINS) != 0)
		tx->tx_pending &= ~(unsigned int)STEP_LENDS;
	switch (dr->dr_end) {
	case DOCKER_OK:
		txn_back(tx);
		if (st->st_reply != NULL && st->st_reply(tx, dr))
			txn_later(tx, 0, txn_run);
		else
			txn_next(tx);
		return;
	case DOCKER_REFUSED:
		txn_back(tx);
		txn_refused(tx, dr);
		return;
	case DOCKER_UNSENT:
		txn_again(tx, false);
		return;
	case DOCKER_UNKNOWN:
	case DOCKER_ABORTED:
		txn_error(tx, "%s: %s", st->st_name, dr->dr_error);
		txn_again(tx, true);
		return;
	}
}

/*
 * No clear answer: look and act again a little later.  Docker being away is
 * waited for (for ever when going back: the old container must come up);
 * Docker not answering this one thing is tried a few times, when going back
 * for half an hour.
 */
static void
txn_again(struct txn *tx, bool unclear)
{
	monotime_t	 now = monotime_now();
	bool		 patient;

	patient = tx->tx_phase != TXN_FORWARD &&
	    (tx->tx_step->st_flags & STEP_QUIET) == 0 &&
	    now - tx->tx_step_began < TXN_PATIENCE_MSEC;
	if (unclear && ++tx->tx_tries >= TXN_TRIES_MAX && !patient) {
		txn_failed(tx);
		return;
	}
	if (!unclear) {
		if (tx->tx_away == 0) {
			tx->tx_away = now;
			log_warnx("update %s: container %s: Docker is away at "
			    "step %s", tx->tx_opid, tx->tx_name,
			    tx->tx_step->st_name);
		}
		if (tx->tx_phase == TXN_FORWARD &&
		    now - tx->tx_away > TXN_AWAY_MSEC) {
			txn_error(tx, "%s: Docker was away for too long",
			    tx->tx_step->st_name);
			txn_failed(tx);
			return;
		}
		/* What was sent just before may have been carried out. */
		if (tx->tx_tries == 0)
			tx->tx_tries = 1;
	}
	txn_later(tx, tx->tx_updater->up_conf.uc_retry_msec, txn_run);
}

static void
txn_next(struct txn *tx)
{
	const struct txn_step	*st = tx->tx_step + 1;

	txn_begin_step(tx, st);
}

static void
txn_failed(struct txn *tx)
{
	struct txn	*lead = tx->tx_lead;
	size_t		 len;

	if (tx != lead) {
		/* Whose words they are. */
		txn_error(lead, "container \"%s\": %s", tx->tx_name,
		    tx->tx_error);
	}
	if (tx->tx_phase == TXN_FORWARD) {
		txn_undo(lead);
		return;
	}
	len = strlen(lead->tx_trouble);
	(void)snprintf(lead->tx_trouble + len, sizeof(lead->tx_trouble) - len,
	    "%s%s", len > 0 ? "; " : "", lead->tx_error);
	log_warnx("update %s: container %s: %s", tx->tx_opid, tx->tx_name,
	    tx->tx_error);
	if (tx->tx_phase == TXN_UNDO &&
	    (tx->tx_step->st_flags & STEP_QUIET) == 0)
		lead->tx_undo_failed = true;
	txn_next(tx);
}
