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

#include "docker_rollback.h"
#include "docker_txn.h"
#include "log.h"

/*
 * The journal at the start of the process.  What is left decides:
 *	no plan		nothing was touched: report it as failed
 *	the gate passed	finish
 *	at the gate	pass it again, then finish or undo
 *	anything else	undo
 */

/* Fields of DJ_PLAN, in this order; then name and configuration of each
 * network with a fixed address. */
enum plan_field {
	PLAN_OLD_ID,
	PLAN_OLD_IMAGE,
	PLAN_OLD_REF,
	PLAN_OLD_DIGEST,
	PLAN_NEW_IMAGE,
	PLAN_NEW_REF,
	PLAN_NEW_DIGEST,
	PLAN_KEEP,
	PLAN_FLAGS,		/* "r" was running, "p" paused, "s" our own;
				 * roll_note */
	PLAN_POLICY,
	PLAN_STOP_SEC,
	PLAN_MOVED,		/* tx_moved */
	PLAN_NETS
};

/*
 * DJ_MEMBER is written for every other member before DJ_PLAN: its number,
 * enum txn_kind, name; then the same fields.  A record that names a
 * member without one betrays damage.
 */
#define MEMBER_PLAN	3	/* fields before those of the plan */

#define RECOVER_MAX	(4 * JOURNAL_OPEN_MAX)

static void
plan_put(struct journal_field *jf, const char *s)
{
	jf->jf_data = s;
	jf->jf_len = strlen(s);
}

int
txn_write_plan(struct txn *tx)
{
	struct journal_field	 all[JOURNAL_FIELDS_MAX], *jf = all;
	char			 flags[16 + ROLL_NOTE_MAXBYTES];
	char			 note[ROLL_NOTE_MAXBYTES];
	char			 stop[16], member[16], kind[16];
	bool			 lead = tx == tx->tx_lead;
	size_t			 i, n = PLAN_NETS;

	if (!lead) {
		snprintf(member, sizeof(member), "%zu", tx->tx_member);
		snprintf(kind, sizeof(kind), "%d", tx->tx_kind);
		plan_put(&all[0], member);
		plan_put(&all[1], kind);
		plan_put(&all[2], tx->tx_name);
		jf = &all[MEMBER_PLAN];
	}
	roll_note_put(tx, note);
	snprintf(flags, sizeof(flags), "%s%s%s%s%zu%s",
	    tx->tx_running ? "r" : "",
	    tx->tx_paused ? "p" : "", tx->tx_auto ? "a" : "",
	    tx->tx_self ? "s" : "", tx->tx_nusers, note);
	snprintf(stop, sizeof(stop), "%u", tx->tx_stop_sec);
	plan_put(&jf[PLAN_OLD_ID], tx->tx_old_id);
	plan_put(&jf[PLAN_OLD_IMAGE], tx->tx_old_image);
	plan_put(&jf[PLAN_OLD_REF], tx->tx_old_ref);
	plan_put(&jf[PLAN_OLD_DIGEST], tx->tx_old_digest);
	plan_put(&jf[PLAN_NEW_IMAGE], tx->tx_new_image);
	plan_put(&jf[PLAN_NEW_REF], tx->tx_new_ref);
	plan_put(&jf[PLAN_NEW_DIGEST], tx->tx_new_digest);
	plan_put(&jf[PLAN_KEEP], tx->tx_keep);
	plan_put(&jf[PLAN_FLAGS], flags);
	plan_put(&jf[PLAN_POLICY], tx->tx_policy == NULL ? "" : tx->tx_policy);
	plan_put(&jf[PLAN_STOP_SEC], stop);
	plan_put(&jf[PLAN_MOVED], tx->tx_moved);
	for (i = 0; i < tx->tx_nfixed; i++) {
		if (MEMBER_PLAN + n + 2 > JOURNAL_FIELDS_MAX) {
			errno = E2BIG;
			return (-1);
		}
		plan_put(&jf[n++], tx->tx_fixed[i].nt_name);
		plan_put(&jf[n++], tx->tx_fixed[i].nt_config);
	}
	/* Before the leader's plan, after the member that it belongs to. */
	if (lead && tx->tx_auto && txn_note(tx, DJ_BODY, tx->tx_body) == -1)
		return (-1);
	if (journal_addv(tx->tx_updater->up_journal, tx->tx_number,
	    lead ? DJ_PLAN : DJ_MEMBER, all, lead ? n : MEMBER_PLAN + n) == -1)
		return (-1);
	return (!lead && tx->tx_auto ?
	    txn_note(tx, DJ_BODY, tx->tx_body) : 0);
}

static bool
plan_get(const struct journal_rec *jr, size_t i, char *dst, size_t size)
{
	return (i < jr->jr_nfields &&
	    strlen(jr->jr_fields[i].jf_data) == jr->jr_fields[i].jf_len &&
	    strlcpy(dst, jr->jr_fields[i].jf_data, size) < size);
}

static bool
plan_read_nets(struct txn *tx, const struct journal_rec *jr, size_t at)
{
	struct docker_net	*nt;
	size_t			 i;

	if ((jr->jr_nfields - at) % 2 != 0)
		return (false);
	for (i = at; i < jr->jr_nfields; i += 2) {
		if (tx->tx_nfixed == DOCKER_NETS_MAX)
			return (false);
		nt = &tx->tx_fixed[tx->tx_nfixed++];
		nt->nt_fixed = true;
		nt->nt_name = strdup(jr->jr_fields[i].jf_data);
		nt->nt_config = strdup(jr->jr_fields[i + 1].jf_data);
		if (nt->nt_name == NULL || nt->nt_config == NULL)
			fatal("update: recovery");
	}
	return (true);
}

/* at: the field where it begins. */
static bool
plan_read(struct txn *tx, const struct journal_rec *jr, size_t at)
{
	char		 flags[16 + ROLL_NOTE_MAXBYTES], stop[16], *note;
	char		 policy[TXN_POLICY_MAXBYTES];
	const char	*errstr;

	if (jr->jr_nfields < at + PLAN_NETS || tx->tx_old_id[0] != '\0' ||
	    !plan_get(jr, at + PLAN_OLD_ID, tx->tx_old_id,
	    sizeof(tx->tx_old_id)) || !docker_id_ok(tx->tx_old_id) ||
	    !plan_get(jr, at + PLAN_OLD_IMAGE, tx->tx_old_image,
	    sizeof(tx->tx_old_image)) ||
	    !plan_get(jr, at + PLAN_OLD_REF, tx->tx_old_ref,
	    sizeof(tx->tx_old_ref)) ||
	    !plan_get(jr, at + PLAN_OLD_DIGEST, tx->tx_old_digest,
	    sizeof(tx->tx_old_digest)) ||
	    !plan_get(jr, at + PLAN_NEW_IMAGE, tx->tx_new_image,
	    sizeof(tx->tx_new_image)) ||
	    !plan_get(jr, at + PLAN_NEW_REF, tx->tx_new_ref,
	    sizeof(tx->tx_new_ref)) ||
	    !plan_get(jr, at + PLAN_NEW_DIGEST, tx->tx_new_digest,
	    sizeof(tx->tx_new_digest)) ||
	    !plan_get(jr, at + PLAN_KEEP, tx->tx_keep, sizeof(tx->tx_keep)) ||
	    !plan_get(jr, at + PLAN_FLAGS, flags, sizeof(flags)) ||
	    !plan_get(jr, at + PLAN_POLICY, policy, sizeof(policy)) ||
	    !plan_get(jr, at + PLAN_STOP_SEC, stop, sizeof(stop)) ||
	    !plan_get(jr, at + PLAN_MOVED, tx->tx_moved,
	    sizeof(tx->tx_moved)))
		return (false);
	note = flags + strcspn(flags, ";");
	roll_note_get(tx, note);
	*note = '\0';
	tx->tx_running = strchr(flags, 'r') != NULL;
	tx->tx_paused = strchr(flags, 'p') != NULL;
	tx->tx_auto = strchr(flags, 'a') != NULL;
	tx->tx_self = strchr(flags, 's') != NULL;
	tx->tx_stop_sec = (unsigned int)strtonum(stop, 0, DOCKER_STOP_MAXSEC,
	    &errstr);
	if (policy[0] != '\0' && (tx->tx_policy = strdup(policy)) == NULL)
		fatal("update: recovery");
	return (errstr == NULL && plan_read_nets(tx, jr, at + PLAN_NETS));
}

/* As many members as were written? */
static bool
plan_has_all(const struct txn *tx, const struct journal_rec *jr)
{
	const char	*s = jr->jr_fields[PLAN_FLAGS].jf_data;
	char		*end;

	s += strspn(s, "rpas");
	return (strtoul(s, &end, 10) == tx->tx_nusers &&
	    (*end == '\0' || *end == ';'));
}

static bool
plan_has_bodies(const struct txn *tx)
{
	size_t	 i;

	for (i = 0; i < tx->tx_nusers; i++)
		if (tx->tx_users[i]->tx_auto &&
		    tx->tx_users[i]->tx_body == NULL)
			return (false);
	return (!tx->tx_auto || tx->tx_body != NULL);
}

/* --- replay ------------------------------------------------------------ */

static struct txn *
recover_find(struct updater *up, uint32_t number)
{
	struct txn	*tx;

	TAILQ_FOREACH(tx, &up->up_txns, tx_entry)
		if (tx->tx_number == number)
			return (tx);
	return (NULL);
}

/* However long the file is; the oldest outcome has been heard for sure. */
static bool
recover_room(struct updater *up)
{
	struct txn	*tx, *ended = NULL;
	size_t		 nopen = 0;

	TAILQ_FOREACH(tx, &up->up_txns, tx_entry) {
		if (!tx->tx_ended)
			nopen++;
		else if (ended == NULL)
			ended = tx;
	}
	if (up->up_ntxns >= RECOVER_MAX && ended != NULL)
		txn_discard(ended);
	return (nopen < JOURNAL_OPEN_MAX);
}

static void
recover_begin(struct updater *up, const struct journal_rec *jr)
{
	struct txn	*tx;
	char		 opid[UPDATE_OPID_MAXBYTES];
	char		 name[DOCKER_NAME_MAXBYTES], kind[16];

	if (!recover_room(up) || !plan_get(jr, 0, opid, sizeof(opid)) ||
	    !plan_get(jr, 1, name, sizeof(name)) || !docker_name_ok(name)) {
		log_warnx("update journal: transaction %u cannot be read",
		    jr->jr_txn);
		return;
	}
	if ((tx = txn_new(up, opid, name)) == NULL)
		fatal("update: recovery");
	tx->tx_number = jr->jr_txn;
	tx->tx_began = (time_t)jr->jr_time;
	tx->tx_recovered = true;
	up->up_nrecover++;
	(void)plan_get(jr, 2, tx->tx_want_ref, sizeof(tx->tx_want_ref));
	tx->tx_rollback = plan_get(jr, 4, kind, sizeof(kind)) &&
	    strcmp(kind, "rollback") == 0;
}

/* Over, but perhaps it died before anybody heard. */
static void
recover_retell(struct txn *tx, const struct journal_rec *jr)
{
	enum update_outcome	 uo = UPDATE_FAILED, i;
	char			 outcome[16], harm[8];

	if (plan_get(jr, 0, outcome, sizeof(outcome)))
		for (i = UPDATE_SUCCESS; i <= UPDATE_FAILED; i++)
			if (strcmp(outcome, update_outcome_name(i)) == 0)
				uo = i;
	tx->tx_harm = plan_get(jr, 1, harm, sizeof(harm)) &&
	    harm[0] != '\0';
	(void)plan_get(jr, 2, tx->tx_error, sizeof(tx->tx_error));
	(void)plan_get(jr, 3, tx->tx_hooks.th_note,
	    sizeof(tx->tx_hooks.th_note));
	tx->tx_ended = true;
	tx->tx_outcome = uo;
}

static void
recover_member(struct txn *lead, const struct journal_rec *jr)
{
	struct txn	*tx;
	const char	*errstr;
	char		 number[16], kind[16], name[DOCKER_NAME_MAXBYTES];
	enum txn_kind	 k = TXN_SHARED;

	if (!plan_get(jr, 0, number, sizeof(number)) ||
	    !plan_get(jr, 1, kind, sizeof(kind)) ||
	    !plan_get(jr, 2, name, sizeof(name)) || !docker_name_ok(name) ||
	    (size_t)strtonum(number, 1, DEPEND_USERS_MAX, &errstr) !=
	    lead->tx_nusers + 1 || errstr != NULL)
		goto bad;
	k = (enum txn_kind)strtonum(kind, TXN_SHARED, TXN_ORDERED, &errstr);
	if (errstr != NULL)
		goto bad;
	if ((tx = txn_new_user(lead, k, name)) == NULL)
		fatal("update: recovery");
	if (!plan_read(tx, jr, MEMBER_PLAN))
		goto bad;
	return;
bad:
	lead->tx_planbad = true;
	log_warnx("update %s: a member of it in the journal cannot be read",
	    lead->tx_opid);
}

/* Whom a record is about; NULL: nobody we know, so there is damage. */
static struct txn *
recover_whom(struct txn *lead, const struct journal_rec *jr)
{
	char		 number[16];
	const char	*errstr;
	size_t		 i;

	if (jr->jr_nfields < 2)
		return (lead);
	if (!plan_get(jr, 1, number, sizeof(number)))
		return (NULL);
	i = (size_t)strtonum(number, 1, DEPEND_USERS_MAX, &errstr);
	return (errstr == NULL && i <= lead->tx_nusers ?
	    lead->tx_users[i - 1] : NULL);
}

static void
recover_created(struct txn *tx, const struct journal_rec *jr)
{
	if (!plan_get(jr, 0, tx->tx_new_id, sizeof(tx->tx_new_id)) ||
	    !docker_id_ok(tx->tx_new_id))
		tx->tx_new_id[0] = '\0';
	tx->tx_kept = tx->tx_new_id[0] != '\0';
	tx->tx_pending &= ~(unsigned int)STEP_MAKES;
}

/* What the old one was made of, or its id after it was made again. */
static void
recover_old(struct txn *tx, const struct journal_rec *jr)
{
	char	 id[DOCKER_ID_LEN + 1];

	if (jr->jr_kind == DJ_REBORN && plan_get(jr, 0, id, sizeof(id)) &&
	    docker_id_ok(id))
		strlcpy(tx->tx_old_id, id, sizeof(tx->tx_old_id));
	if (jr->jr_kind == DJ_BODY && tx->tx_body == NULL &&
	    jr->jr_nfields > 0 &&
	    (tx->tx_body = strdup(jr->jr_fields[0].jf_data)) == NULL)
		fatal("update: recovery");
}

static void
recover_step(struct txn *lead, struct txn *tx, const struct journal_rec *jr)
{
	char	 step[32];

	if (!plan_get(jr, 0, step, sizeof(step)))
		return;
	if (lead->tx_phase == TXN_PREPARE)
		lead->tx_planbad = true;	/* damaged */
	txn_step_seen(tx, step);
	if (tx != lead)
		return;
	if (strcmp(step, "gate") == 0)
		lead->tx_gate_start = 1;
	lead->tx_handed = strcmp(step, "handover") == 0;
}

static void
recover_plan(struct txn *tx, const struct journal_rec *jr)
{
	if (plan_read(tx, jr, 0) && plan_has_all(tx, jr) &&
	    plan_has_bodies(tx)) {
		tx->tx_phase = TXN_FORWARD;
		return;
	}
	tx->tx_planbad = true;
	log_warnx("update %s: its plan in the journal cannot be read",
	    tx->tx_opid);
}

/* tx_phase and tx_gate_start tell recover_go() what was reached. */
static void
recover_record(void *arg, const struct journal_rec *jr)
{
	struct updater	*up = arg;
	struct txn	*tx = recover_find(up, jr->jr_txn), *whom;

	if (jr->jr_kind == DJ_BEGIN && tx == NULL) {
		recover_begin(up, jr);
		return;
	}
	if (tx == NULL) {
		if (jr->jr_kind == DJ_PLAN)
			log_warnx("update journal: the beginning of "
			    "transaction %u is damaged: look for containers "
			    "named *" UPDATE_SUFFIX_OLD, jr->jr_txn);
		return;
	}
	switch (jr->jr_kind) {
	case DJ_PLAN:
		recover_plan(tx, jr);
		break;
	case DJ_MEMBER:
		recover_member(tx, jr);
		break;
	case DJ_STEP:
	case DJ_CREATED:
	case DJ_BODY:
	case DJ_REBORN:
		if ((whom = recover_whom(tx, jr)) == NULL)
			tx->tx_planbad = true;
		else if (jr->jr_kind == DJ_STEP)
			recover_step(tx, whom, jr);
		else if (jr->jr_kind == DJ_CREATED)
			recover_created(whom, jr);
		else
			recover_old(whom, jr);
		break;
	case DJ_GOOD:
	case DJ_UNDO:
		if (tx->tx_phase == TXN_PREPARE)
			tx->tx_planbad = true;
		tx->tx_phase = jr->jr_kind == DJ_GOOD ? TXN_FINISH : TXN_UNDO;
		if (jr->jr_kind == DJ_GOOD)
			break;
		(void)plan_get(jr, 0, tx->tx_error, sizeof(tx->tx_error));
		break;
	case DJ_END:
		recover_retell(tx, jr);
		break;
	case DJ_TOLD:
		txn_discard(tx);
		break;
	case DJ_HOOKS:
	case DJ_HOOK:
		txn_hooks_seen(tx, jr);
		break;
	case DJ_BEGIN:
		break;
	}
}

static void
recover_go(struct txn *tx)
{
	bool	 at_gate = tx->tx_gate_start != 0;

	tx->tx_gate_start = 0;
	if (tx->tx_ended) {
		txn_retell(tx);
		return;
	}
	if (tx->tx_planbad) {
		/* Without it there is no telling what to put back. */
		txn_error(tx, "interrupted, and the update journal cannot be "
		    "read: look at \"%s\", \"%s\" and \"%s\"", tx->tx_name,
		    tx->tx_name_old, tx->tx_name_new);
		txn_end(tx, UPDATE_FAILED);
		return;
	}
	if (tx->tx_phase == TXN_PREPARE) {
		tx->tx_harm = false;
		if (txn_hooks_recover(tx))
			return;
		txn_error(tx, "interrupted before anything was changed: ask "
		    "for the update again");
		txn_end(tx, UPDATE_FAILED);
		return;
	}
	if (self_recover(tx))
		return;
	log_info("update %s: container %s: was interrupted: %s", tx->tx_opid,
	    tx->tx_name, tx->tx_phase == TXN_FINISH ? "finishing" :
	    at_gate && tx->tx_phase == TXN_FORWARD ? "looking at the new one" :
	    "going back");
	/* Docker may have been lost together with us. */
	if (tx->tx_phase == TXN_FINISH) {
		tx->tx_shaken = true;
		txn_finish(tx);
	} else if (tx->tx_phase == TXN_FORWARD && at_gate)
		txn_resume_gate(tx);
	else {
		if (tx->tx_error[0] == '\0')
			txn_error(tx, "interrupted");
		txn_undo(tx);
	}
}

/*
 * All are adopted before the first one moves, so that none ends the recovery
 * (and truncates the journal) while another is still to come.
 */
void
updater_recover(struct updater *up)
{
	struct txn	*tx;

	journal_replay(up->up_journal, recover_record, up);
	up->up_replayed = true;
	TAILQ_FOREACH(tx, &up->up_txns, tx_entry)
		if (!tx->tx_ended)
			journal_adopt(up->up_journal, tx->tx_number);
	if (up->up_ntxns == 0) {
		if (!up->up_self.us_helper)
			(void)journal_trim(up->up_journal);
		updater_set_ready(up);
		return;
	}
	/* What was in flight when the process died may take a moment more; of
	 * what has ended, and of what was handed over, nothing was. */
	TAILQ_FOREACH(tx, &up->up_txns, tx_entry)
		txn_later(tx, tx->tx_ended || (up->up_self.us_helper &&
		    tx->tx_handed) ? 0 : up->up_conf.uc_retry_msec,
		    recover_go);
}
