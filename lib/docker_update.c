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
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "docker_txn.h"
#include "log.h"
#include "utf8.h"

static void	 txn_free(struct txn *);
static void	 updater_told(int, short, void *);

const char *
update_outcome_name(enum update_outcome uo)
{
	switch (uo) {
	case UPDATE_SUCCESS:
		return ("success");
	case UPDATE_IDENTICAL:
		return ("identical");
	case UPDATE_SKIPPED:
		return ("skipped");
	case UPDATE_ROLLBACK:
		return ("rollback");
	case UPDATE_FAILED:
		return ("failed");
	case UPDATE_STOPPED:
		return ("stopped");
	}
	return ("failed");
}

struct updater *
updater_new(struct event_base *base, struct docker *dk, struct journal *jn,
    const struct update_config *conf, const struct update_ops *ops, void *arg)
{
	struct updater	*up;

	if ((up = calloc(1, sizeof(*up))) == NULL)
		return (NULL);
	up->up_base = base;
	up->up_docker = dk;
	up->up_journal = jn;
	up->up_conf = *conf;
	up->up_ops = *ops;
	up->up_arg = arg;
	TAILQ_INIT(&up->up_txns);
	if ((up->up_told = evtimer_new(base, updater_told, up)) == NULL) {
		free(up);
		errno = ENOMEM;
		return (NULL);
	}
	return (up);
}

void
updater_free(struct updater *up)
{
	struct txn	*tx;

	if (up == NULL)
		return;
	while ((tx = TAILQ_FIRST(&up->up_txns)) != NULL)
		txn_free(tx);
	event_free(up->up_told);
	journal_close(up->up_journal);
	free(up);
}

void
updater_config(struct updater *up, const struct update_config *conf)
{
	up->up_conf = *conf;
}

void
updater_self(struct updater *up, const struct update_self *us)
{
	up->up_self = *us;
}

void
updater_kin(struct updater *up, struct kin *kn)
{
	up->up_kin = kn;
}

bool
updater_ready(const struct updater *up)
{
	return (up->up_ready && !up->up_stopping);
}

size_t
updater_nopen(const struct updater *up)
{
	return (up->up_ntxns);
}

bool
updater_busy(const struct updater *up, const char *name)
{
	return (updater_busy_but(up, name, NULL));
}

bool
updater_busy_but(const struct updater *up, const char *name,
    const struct txn *but)
{
	struct txn	*tx;
	size_t		 i;

	TAILQ_FOREACH(tx, &up->up_txns, tx_entry) {
		if (tx == but || tx->tx_plan != NULL)
			continue;
		if (strcmp(tx->tx_name, name) == 0)
			return (true);
		for (i = 0; i < tx->tx_nusers; i++)
			if (strcmp(tx->tx_users[i]->tx_name, name) == 0)
				return (true);
	}
	return (false);
}

/* --- one transaction --------------------------------------------------- */

static struct txn *
txn_alloc(struct updater *up, const char *opid, const char *name)
{
	struct txn	*tx;

	if ((tx = calloc(1, sizeof(*tx))) == NULL)
		return (NULL);
	tx->tx_updater = up;
	tx->tx_lead = tx;
	tx->tx_phase = TXN_PREPARE;
	tx->tx_began = time(NULL);
	tx->tx_mono = monotime_now();
	tx->tx_losses = docker_losses(up->up_docker);
	strlcpy(tx->tx_opid, opid, sizeof(tx->tx_opid));
	strlcpy(tx->tx_name, name, sizeof(tx->tx_name));
	snprintf(tx->tx_name_new, sizeof(tx->tx_name_new), "%s%s", name,
	    UPDATE_SUFFIX_NEW);
	snprintf(tx->tx_name_old, sizeof(tx->tx_name_old), "%s%s", name,
	    UPDATE_SUFFIX_OLD);
	return (tx);
}

struct txn *
txn_new(struct updater *up, const char *opid, const char *name)
{
	struct txn	*tx;

	if ((tx = txn_alloc(up, opid, name)) == NULL)
		return (NULL);
	TAILQ_INSERT_TAIL(&up->up_txns, tx, tx_entry);
	up->up_ntxns++;
	return (tx);
}

struct txn *
txn_new_user(struct txn *lead, enum txn_kind kind, const char *name)
{
	struct txn	*tx;

	if (lead->tx_nusers == nitems(lead->tx_users)) {
		errno = E2BIG;
		return (NULL);
	}
	if ((tx = txn_alloc(lead->tx_updater, lead->tx_opid, name)) == NULL)
		return (NULL);
	tx->tx_lead = lead;
	tx->tx_kind = kind;
	tx->tx_number = lead->tx_number;
	tx->tx_recovered = lead->tx_recovered;
	lead->tx_users[lead->tx_nusers++] = tx;
	tx->tx_member = lead->tx_nusers;
	return (tx);
}

static void
txn_release(struct txn *tx)
{
	size_t	 i;

	docker_cancel(tx->tx_req);
	docker_pull_cancel(tx->tx_pull);
	if (tx->tx_timer != NULL)
		event_free(tx->tx_timer);
	if (tx->tx_auth != NULL)
		freezero(tx->tx_auth, strlen(tx->tx_auth));
	for (i = 0; i < tx->tx_nfixed; i++) {
		free(tx->tx_fixed[i].nt_name);
		free(tx->tx_fixed[i].nt_config);
	}
	for (i = 0; i < tx->tx_nbad; i++)
		free(tx->tx_bad[i]);
	free(tx->tx_bad);
	keep_free(tx->tx_earlier);
	txn_hooks_free(tx);
	free(tx->tx_policy);
	if (tx->tx_body != NULL)
		freezero(tx->tx_body, strlen(tx->tx_body));
	free(tx->tx_helper);
	free(tx->tx_rule);
	free(tx->tx_plan);
	docker_spec_free(&tx->tx_spec);
	json_free(tx->tx_inspect);
	json_free(tx->tx_image);
	json_free(tx->tx_image_new);
	json_free(tx->tx_image_own);
	free(tx->tx_engine);
	json_splitter_free(tx->tx_split);
	depend_free(tx->tx_depend);
	copy_free(tx);
	free(tx);
}

static void
txn_free(struct txn *tx)
{
	size_t	 i;

	TAILQ_REMOVE(&tx->tx_updater->up_txns, tx, tx_entry);
	tx->tx_updater->up_ntxns--;
	if (tx->tx_recovered)
		tx->tx_updater->up_nrecover--;
	for (i = 0; i < tx->tx_nusers; i++)
		txn_release(tx->tx_users[i]);
	txn_release(tx);
}

void
txn_error(struct txn *tx, const char *fmt, ...)
{
	char	 buf[UPDATE_ERROR_MAXBYTES], *p;
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(buf, sizeof(buf), fmt, ap);
	va_end(ap);
	for (p = buf; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	/* May have been cut inside a character. */
	utf8_repair(tx->tx_error, sizeof(tx->tx_error), buf, strlen(buf));
}

int
txn_note(struct txn *tx, enum docker_rec kind, const char *text)
{
	char	 member[16];

	if (tx == tx->tx_lead)
		return (journal_add(tx->tx_updater->up_journal, tx->tx_number,
		    kind, text, NULL));
	snprintf(member, sizeof(member), "%zu", tx->tx_member);
	return (journal_add(tx->tx_updater->up_journal, tx->tx_number, kind,
	    text, member, NULL));
}

void
txn_progress(struct txn *tx, const char *stage, const char *detail,
    uint64_t done, uint64_t total)
{
	struct updater	*up = tx->tx_updater;

	if (up->up_ops.uo_progress != NULL && tx->tx_plan == NULL)
		up->up_ops.uo_progress(up->up_arg, tx->tx_opid, stage, detail,
		    done, total);
}

static void
txn_timer(int fd, short what, void *arg)
{
	struct txn	*tx = arg;

	(void)fd;
	(void)what;
	tx->tx_timer_fn(tx);
}

void
txn_later(struct txn *tx, unsigned int msec, void (*fn)(struct txn *))
{
	struct timeval	 tv = monotime_timeval(msec);

	tx->tx_timer_fn = fn;
	if (tx->tx_timer == NULL && (tx->tx_timer =
	    evtimer_new(tx->tx_updater->up_base, txn_timer, tx)) == NULL)
		fatalx("update: timer");
	if (evtimer_add(tx->tx_timer, &tv) == -1)
		fatalx("update: timer");
}

/* Tell the owner and forget it; the journal has been dealt with. */
static void
txn_report(struct txn *tx, enum update_outcome outcome)
{
	struct updater		*up = tx->tx_updater;
	struct update_result	 ur = { 0 };
	time_t			 now = time(NULL);

	ur.ur_opid = tx->tx_opid;
	ur.ur_name = tx->tx_name;
	ur.ur_old_image = tx->tx_old_ref;
	ur.ur_old_digest = tx->tx_old_digest[0] != '\0' ?
	    tx->tx_old_digest : tx->tx_old_image;
	ur.ur_new_image = tx->tx_new_ref[0] != '\0' ?
	    tx->tx_new_ref : tx->tx_want_ref;
	ur.ur_new_digest = tx->tx_new_digest[0] != '\0' ?
	    tx->tx_new_digest : tx->tx_new_image;
	ur.ur_outcome = outcome;
	ur.ur_harm = outcome == UPDATE_FAILED && tx->tx_harm;
	ur.ur_recovered = tx->tx_recovered;
	ur.ur_rollback = tx->tx_rollback;
	ur.ur_error = outcome == UPDATE_SUCCESS ||
	    outcome == UPDATE_IDENTICAL ? "" : tx->tx_error;
	ur.ur_note = tx->tx_hooks.th_note;
	if (!tx->tx_recovered)
		ur.ur_msec = (uint64_t)(monotime_now() - tx->tx_mono);
	else if (now > tx->tx_began)
		ur.ur_msec = (uint64_t)(now - tx->tx_began) * 1000;
	if (outcome == UPDATE_FAILED && tx->tx_harm)
		log_warnx("update %s: container %s: NOT RESTORED: %s",
		    tx->tx_opid, tx->tx_name, tx->tx_error);
	else
		log_info("update %s: container %s: %s%s%s", tx->tx_opid,
		    tx->tx_name, update_outcome_name(outcome),
		    ur.ur_error[0] != '\0' ? ": " : "", ur.ur_error);
	up->up_ops.uo_done(up->up_arg, &ur);
	txn_free(tx);
}

void
txn_end(struct txn *tx, enum update_outcome outcome)
{
	struct updater	*up = tx->tx_updater;

	if (tx->tx_plan != NULL) {
		txn_plan_end(tx, outcome);
		return;
	}
	if (journal_add(up->up_journal, tx->tx_number, DJ_END,
	    update_outcome_name(outcome), tx->tx_harm ? "harm" : "",
	    tx->tx_error, tx->tx_hooks.th_note, NULL) == -1)
		log_warn("update %s: journal", tx->tx_opid);
	journal_finish(up->up_journal, tx->tx_number);
	tx->tx_outcome = outcome;
	txn_retell(tx);
}

/*
 * Should the process die before this was heard, its successor tells it again.
 */
void
txn_retell(struct txn *tx)
{
	struct updater	*up = tx->tx_updater;
	struct timeval	 tv = monotime_timeval(up->up_conf.uc_told_msec);

	/* What the helper of a self update says nobody hears: the journal
	 * keeps it for the one that comes up. */
	if (!up->up_self.us_helper) {
		if (up->up_nended == nitems(up->up_ended))
			updater_told(-1, 0, up);
		up->up_ended[up->up_nended++] = tx->tx_number;
		evtimer_add(up->up_told, &tv);
	}
	txn_report(tx, tx->tx_outcome);
	/* The last one that recovery had to deal with? */
	if (!up->up_ready && up->up_nrecover == 0 && !up->up_stopping)
		updater_set_ready(up);
}

/* What ended a moment ago has been heard: the journal may forget it. */
static void
updater_told(int fd, short what, void *arg)
{
	struct updater	*up = arg;
	size_t		 i;

	(void)fd;
	(void)what;
	if (!journal_trim(up->up_journal))
		for (i = 0; i < up->up_nended; i++)
			if (journal_add(up->up_journal, up->up_ended[i],
			    DJ_TOLD, NULL) == -1)
				log_warn("update journal");
	up->up_nended = 0;
}

void
txn_discard(struct txn *tx)
{
	txn_free(tx);
}

void
updater_set_ready(struct updater *up)
{
	up->up_ready = true;
	if (up->up_ops.uo_ready != NULL)
		up->up_ops.uo_ready(up->up_arg);
}

/* --- start and stop ---------------------------------------------------- */

static int
updater_refuse(char *err, size_t size, const char *what)
{
	strlcpy(err, what, size);
	return (-1);
}

/* Is it one that an update has put aside? */
static bool
updater_is_ours(const char *name)
{
	static const char *const	 suffix[] = { UPDATE_SUFFIX_NEW,
		UPDATE_SUFFIX_OLD, SELF_SUFFIX };
	size_t				 i, len = strlen(name), n;

	for (i = 0; i < nitems(suffix); i++) {
		n = strlen(suffix[i]);
		if (len > n && strcmp(name + len - n, suffix[i]) == 0)
			return (true);
	}
	return (false);
}

static const char *
updater_check(const struct updater *up, const struct update_request *uq)
{
	struct docker_ref	 rf;
	struct txn		*tx;

	if (uq->uq_opid[0] == '\0' ||
	    strlen(uq->uq_opid) >= UPDATE_OPID_MAXBYTES)
		return ("bad operation id");
	if (!docker_name_ok(uq->uq_name) ||
	    strlen(uq->uq_name) > DOCKER_NAME_MAXBYTES - 32)
		return ("bad container name");
	if (updater_is_ours(uq->uq_name))
		return ("this container belongs to the update of another: "
		    "rename it first");
	if (uq->uq_image[0] != '\0' &&
	    docker_ref_parse(&rf, uq->uq_image) == -1)
		return ("bad image reference");
	if (uq->uq_to != NULL && !keep_to_ok(uq->uq_to))
		return ("which image? a number from 1, or an image id of at "
		    "least 12 digits");
	if (uq->uq_digest[0] != '\0' && !docker_imageid_ok(uq->uq_digest))
		return ("bad image digest: sha256: and 64 hex digits expected");
	if (up->up_stopping)
		return ("shutting down");
	if (!up->up_replayed)
		return ("the update journal has not been read yet: "
		    "try again later");
	TAILQ_FOREACH(tx, &up->up_txns, tx_entry)
		if (tx->tx_self && strcmp(tx->tx_opid, uq->uq_opid) != 0)
			return ("this program itself is being updated: try "
			    "again later");
	if (updater_busy(up, uq->uq_name))
		return ("the container is being updated already");
	TAILQ_FOREACH(tx, &up->up_txns, tx_entry)
		if (strcmp(tx->tx_opid, uq->uq_opid) == 0)
			return ("this operation is under way already");
	return (NULL);
}

/* Copies what a request lends.  -1: ENOMEM. */
static int
updater_take(struct txn *tx, const struct update_request *uq)
{
	strlcpy(tx->tx_want_ref, uq->uq_image, sizeof(tx->tx_want_ref));
	strlcpy(tx->tx_want_digest, uq->uq_digest, sizeof(tx->tx_want_digest));
	tx->tx_nopull = uq->uq_nopull || uq->uq_rollback;
	tx->tx_ordered = uq->uq_ordered;
	tx->tx_rollback = uq->uq_rollback;
	tx->tx_cleanup = uq->uq_cleanup;
	if (uq->uq_to != NULL)
		strlcpy(tx->tx_to, uq->uq_to, sizeof(tx->tx_to));
	if ((uq->uq_auth != NULL &&
	    (tx->tx_auth = strdup(uq->uq_auth)) == NULL) ||
	    (uq->uq_rule != NULL &&
	    (tx->tx_rule = strdup(uq->uq_rule)) == NULL))
		return (-1);
	if (uq->uq_nbad > 0 && (tx->tx_bad = calloc(uq->uq_nbad,
	    sizeof(*tx->tx_bad))) == NULL)
		return (-1);
	for (; tx->tx_nbad < uq->uq_nbad; tx->tx_nbad++)
		if ((tx->tx_bad[tx->tx_nbad] =
		    strdup(uq->uq_bad[tx->tx_nbad])) == NULL)
			return (-1);
	return (0);
}

struct txn *
txn_request(struct updater *up, const struct update_request *uq, char *err,
    size_t errsize)
{
	struct txn	*tx;
	const char	*why;

	if ((why = updater_check(up, uq)) != NULL) {
		(void)updater_refuse(err, errsize, why);
		return (NULL);
	}
	if ((tx = txn_new(up, uq->uq_opid, uq->uq_name)) == NULL) {
		(void)updater_refuse(err, errsize, "out of memory");
		return (NULL);
	}
	if (updater_take(tx, uq) == -1 || txn_hooks_set(tx, uq) == -1) {
		txn_free(tx);
		(void)updater_refuse(err, errsize, "out of memory");
		return (NULL);
	}
	return (tx);
}

int
updater_start(struct updater *up, const struct update_request *uq, char *err,
    size_t errsize)
{
	struct txn	*tx;
	const char	*why;

	if ((tx = txn_request(up, uq, err, errsize)) == NULL)
		return (-1);
	if ((tx->tx_number = journal_begin(up->up_journal)) == 0) {
		why = errno == EBUSY ? "too many updates at the same time" :
		    "no room for the update journal: make room on the disk of "
		    "data_dir";
		txn_free(tx);
		return (updater_refuse(err, errsize, why));
	}
	if (journal_add(up->up_journal, tx->tx_number, DJ_BEGIN, tx->tx_opid,
	    tx->tx_name, tx->tx_want_ref, tx->tx_want_digest,
	    tx->tx_rollback ? "rollback" : "", NULL) == -1 ||
	    txn_hooks_write(tx) == -1) {
		snprintf(err, errsize, "update journal: %s", strerror(errno));
		journal_finish(up->up_journal, tx->tx_number);
		txn_free(tx);
		return (-1);
	}
	log_info("update %s: container %s: to %s", tx->tx_opid, tx->tx_name,
	    tx->tx_rollback ? "an earlier image" :
	    tx->tx_want_ref[0] != '\0' ? tx->tx_want_ref :
	    "the newest of its image reference");
	txn_later(tx, 0, txn_prepare);
	return (0);
}

/* The journal stays as it is: the next start goes on from there. */
void
updater_stop(struct updater *up)
{
	struct txn	*tx;

	up->up_stopping = true;
	while ((tx = TAILQ_FIRST(&up->up_txns)) != NULL) {
		/* Found in the journal, not told yet: nothing is open. */
		if (tx->tx_ended) {
			txn_discard(tx);
			continue;
		}
		txn_error(tx, tx->tx_handed ? "handed over to its helper" :
		    "interrupted by shutdown, to be dealt with at the next "
		    "start");
		if (tx->tx_plan != NULL)
			txn_plan_end(tx, UPDATE_STOPPED);
		else
			txn_report(tx, UPDATE_STOPPED);
	}
}
