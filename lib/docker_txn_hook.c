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

#include "docker_prepare.h"
#include "docker_steps.h"
#include "log.h"

#define HOOK_TRY_MSEC	1000	/* the last try of a gate has that at least */
#define HOOK_BEAT_MSEC	10000	/* progress, so that nobody gives up */

static void	 hooks_pre_done(void *, const struct docker_exec_result *);
static void	 hooks_gate_done(void *, const struct docker_exec_result *);
static void	 hooks_post_done(void *, const struct docker_exec_result *);
static void	 hooks_post_cleared(struct txn *);

static const char *
hooks_stage(enum hook_phase ph)
{
	return (ph == HOOK_PRE ? "pre-hook" : ph == HOOK_POST ? "post-hook" :
	    "gate-exec");
}

/* --- before it begins, and the journal --------------------------------- */

void
txn_hooks_free(struct txn *tx)
{
	struct txn_hooks	*th = &tx->tx_hooks;

	docker_exec_cancel(th->th_exec);
	free(th->th_fault);
	hook_free(&th->th_pre);
	hook_free(&th->th_post);
}

static int
hooks_copy(struct hook *dst, const struct hook *src)
{
	if (src == NULL || src->hk_command == NULL)
		return (0);
	*dst = *src;
	dst->hk_command = strdup(src->hk_command);
	return (dst->hk_command == NULL ? -1 : 0);
}

int
txn_hooks_set(struct txn *tx, const struct update_request *uq)
{
	struct txn_hooks	*th = &tx->tx_hooks;

	th->th_run = uq->uq_hooks;
	if (uq->uq_exec_fault != NULL &&
	    (th->th_fault = strdup(uq->uq_exec_fault)) == NULL)
		return (-1);
	if (hooks_copy(&th->th_pre, uq->uq_pre) == -1 ||
	    hooks_copy(&th->th_post, uq->uq_post) == -1)
		return (-1);
	return (0);
}

int
txn_hooks_write(struct txn *tx)
{
	const struct txn_hooks	*th = &tx->tx_hooks;
	const struct hook	*hk = &th->th_post;
	char			 msec[16];

	if (!th->th_run && th->th_fault == NULL)
		return (0);
	(void)snprintf(msec, sizeof(msec), "%u", hk->hk_msec);
	return (journal_add(tx->tx_updater->up_journal, tx->tx_number,
	    DJ_HOOKS, th->th_run ? "run" : "",
	    th->th_fault != NULL ? th->th_fault : "",
	    hk->hk_command != NULL ? hk->hk_command : "", msec,
	    hk->hk_rollback ? "rollback" : "", NULL));
}

/* A field that came back as it was written: no NUL inside; "" else. */
static const char *
hooks_field(const struct journal_rec *jr, size_t i)
{
	if (i >= jr->jr_nfields || strlen(jr->jr_fields[i].jf_data) !=
	    jr->jr_fields[i].jf_len)
		return ("");
	return (jr->jr_fields[i].jf_data);
}

void
txn_hooks_seen(struct txn *tx, const struct journal_rec *jr)
{
	struct txn_hooks	*th = &tx->tx_hooks;
	enum hook_phase		 ph;
	const char		*s, *errstr;
	char			 why[128];
	unsigned int		 msec;

	if (jr->jr_kind == DJ_HOOK) {
		if (hook_phase_parse(hooks_field(jr, 0), &ph) == -1 ||
		    ph == HOOK_GATE)
			return;
		if (strcmp(hooks_field(jr, 1), "begin") == 0) {
			th->th_began[ph] = true;
			(void)strlcpy(th->th_where, hooks_field(jr, 3),
			    sizeof(th->th_where));
		} else
			th->th_ended[ph] = true;
		(void)strlcpy(th->th_note, hooks_field(jr, 2),
		    sizeof(th->th_note));
		return;
	}
	th->th_run = strcmp(hooks_field(jr, 0), "run") == 0;
	s = hooks_field(jr, 1);
	if (s[0] != '\0' && th->th_fault == NULL &&
	    (th->th_fault = strdup(s)) == NULL)
		fatal("update: recovery");
	s = hooks_field(jr, 2);
	msec = (unsigned int)strtonum(hooks_field(jr, 3), 1, EXEC_MAX_MSEC,
	    &errstr);
	if (s[0] == '\0' || errstr != NULL || th->th_post.hk_command != NULL)
		return;
	if (hook_make(&th->th_post, s, 0, why, sizeof(why)) == -1) {
		log_warnx("update %s: hook in the journal: %s", tx->tx_opid,
		    why);
		return;
	}
	th->th_post.hk_msec = msec;
	th->th_post.hk_rollback = strcmp(hooks_field(jr, 4), "rollback") == 0;
}

/* id: the container that a hook begins in, or "". */
static int
hooks_record(struct txn *tx, enum hook_phase ph, const char *what,
    const char *text, const char *id)
{
	return (journal_add(tx->tx_updater->up_journal, tx->tx_number, DJ_HOOK,
	    hook_phase_name(ph), what, text, id, NULL));
}

bool
txn_hooks_check(struct txn *tx, const struct json_value *labels)
{
	struct txn_hooks	*th = &tx->tx_hooks;
	struct hook		 hk;
	enum hook_phase		 ph;
	char			 why[256];
	int			 rc;

	for (ph = HOOK_PRE; ph <= HOOK_GATE; ph++) {
		if (ph != HOOK_GATE && !th->th_run)
			continue;
		rc = hook_from_labels(&hk, labels, ph, why, sizeof(why));
		if (rc == 1 && th->th_fault != NULL) {
			(void)snprintf(why, sizeof(why), "its label asks for "
			    "a %s command: %s", hook_phase_name(ph),
			    th->th_fault);
			hook_free(&hk);
			rc = -1;
		}
		if (rc == -1) {
			txn_error(tx, "%s", why);
			return (false);
		}
		if (rc == 1 && ph == HOOK_PRE) {
			hook_free(&th->th_pre);
			th->th_pre = hk;	/* moved */
		} else if (rc == 1)
			hook_free(&hk);
	}
	if (th->th_fault != NULL && th->th_run &&
	    (th->th_pre.hk_command != NULL || th->th_post.hk_command != NULL)) {
		txn_error(tx, "the server wants a hook run: %s", th->th_fault);
		return (false);
	}
	return (true);
}

/* --- running ----------------------------------------------------------- */

/* A hook may take an hour. */
static void
hooks_beat(struct txn *tx)
{
	if (tx->tx_hooks.th_exec == NULL)
		return;
	txn_progress(tx, hooks_stage(tx->tx_phase == TXN_PREPARE ? HOOK_PRE :
	    tx->tx_phase == TXN_FINISH ? HOOK_POST : HOOK_GATE), "", 0, 0);
	txn_later(tx, HOOK_BEAT_MSEC, hooks_beat);
}

static int
hooks_run(struct txn *tx, enum hook_phase ph, const char *id,
    const struct hook *hk, docker_exec_cb done)
{
	struct updater	*up = tx->tx_updater;
	char		 mark[HOOK_MARK_MAXBYTES];

	txn_progress(tx, hooks_stage(ph), "", 0, 0);
	hook_mark(mark, tx->tx_opid, ph);
	if ((tx->tx_hooks.th_exec = hook_run(up->up_base, up->up_docker, id,
	    hk, mark, done, tx)) == NULL)
		return (-1);
	txn_later(tx, HOOK_BEAT_MSEC, hooks_beat);
	return (0);
}

/* It is over: tell, and write down. */
static bool
hooks_over(struct txn *tx, enum hook_phase ph,
    const struct docker_exec_result *er, char text[HOOK_REASON_MAXBYTES])
{
	struct updater	*up = tx->tx_updater;
	bool		 good;

	tx->tx_hooks.th_exec = NULL;
	good = er->er_end == EXEC_EXITED && er->er_code == 0;
	hook_describe(ph, er, text, HOOK_REASON_MAXBYTES);
	if (ph == HOOK_GATE)
		return (good);
	log_info("update %s: container %s: %s", tx->tx_opid, tx->tx_name,
	    text);
	tx->tx_hooks.th_ended[ph] = true;
	if (hooks_record(tx, ph, "end", good ? "" : text, "") == -1)
		log_warn("update %s: journal", tx->tx_opid);
	if (up->up_ops.uo_hook != NULL)
		up->up_ops.uo_hook(up->up_arg, tx->tx_opid, tx->tx_name, ph,
		    er);
	return (good);
}

static void
hooks_note(struct txn *tx, const char *text)
{
	strlcpy(tx->tx_hooks.th_note, text, sizeof(tx->tx_hooks.th_note));
}

void
txn_hooks_pre(struct txn *tx, void (*next)(struct txn *))
{
	struct txn_hooks	*th = &tx->tx_hooks;

	if (!th->th_run || th->th_pre.hk_command == NULL) {
		next(tx);
		return;
	}
	if (!tx->tx_running || tx->tx_paused) {
		hooks_note(tx, "pre-update hook: not run, for the container "
		    "does not run");
		next(tx);
		return;
	}
	tx->tx_next = next;
	th->th_began[HOOK_PRE] = true;
	if (hooks_record(tx, HOOK_PRE, "begin", "", tx->tx_old_id) == -1) {
		txn_error(tx, "update journal: %s", strerror(errno));
		prep_fail(tx);
	} else if (hooks_run(tx, HOOK_PRE, tx->tx_old_id, &th->th_pre,
	    hooks_pre_done) == -1) {
		txn_error(tx, "pre-update hook: %s", strerror(errno));
		prep_fail(tx);
	}
}

static void
hooks_pre_cleared(struct txn *tx)
{
	txn_error(tx, "%s (%s): nothing was changed", tx->tx_hooks.th_last,
	    tx->tx_hooks.th_fate);
	prep_fail(tx);
}

static void
hooks_pre_done(void *arg, const struct docker_exec_result *er)
{
	struct txn	*tx = arg;
	char		 text[HOOK_REASON_MAXBYTES];

	if (hooks_over(tx, HOOK_PRE, er, text)) {
		tx->tx_next(tx);
		return;
	}
	if (er->er_end == EXEC_EXITED && er->er_code == HOOK_SKIP) {
		txn_error(tx, "%s: not now", text);
		txn_end(tx, UPDATE_SKIPPED);
		return;
	}
	if (er->er_end == EXEC_UNKNOWN) {
		strlcpy(tx->tx_hooks.th_last, text,
		    sizeof(tx->tx_hooks.th_last));
		txn_hooks_clear(tx, tx->tx_old_id, hooks_pre_cleared);
		return;
	}
	txn_error(tx, "%s: nothing was changed", text);
	prep_fail(tx);
}

/* --- the gate ---------------------------------------------------------- */

static void
hooks_cleared(struct txn *tx)
{
	txn_step_again(tx, 0);
}

/* Again and again until it succeeds, like a HEALTHCHECK. */
enum txn_act
txn_hooks_gate(struct txn *tx, const struct json_value *seen)
{
	struct txn_hooks	*th = &tx->tx_hooks;
	struct hook		 hk;
	monotime_t		 now = monotime_now();
	char			 why[256];
	int			 rc;

	if (th->th_gate != 0 && now >= th->th_gate_end) {
		txn_error(tx, "the new container did not pass its gate: %s",
		    th->th_last);
		return (ACT_FAIL);
	}
	rc = hook_from_labels(&hk, json_path(seen, "Config.Labels"), HOOK_GATE,
	    why, sizeof(why));
	if (rc == 0)
		return (ACT_DONE);
	/* What this host allows was said of the leader. */
	if (rc == 1 && tx->tx_lead->tx_hooks.th_fault != NULL) {
		(void)snprintf(why, sizeof(why), "sentinel.gate.exec: %s",
		    tx->tx_lead->tx_hooks.th_fault);
		hook_free(&hk);
		rc = -1;
	}
	if (rc == -1) {
		txn_error(tx, "%s", why);
		return (ACT_FAIL);
	}
	/* A try of a former life has no end of its own any more. */
	if (tx->tx_lead->tx_recovered && !th->th_cleared) {
		hook_free(&hk);
		txn_hooks_clear(tx, tx->tx_new_id, hooks_cleared);
		return (ACT_MOVED);
	}
	if (th->th_gate == 0) {
		th->th_gate = now;
		th->th_gate_end = now + hk.hk_msec;
	}
	if (th->th_gate_end - now < HOOK_TRY_MSEC)
		hk.hk_msec = HOOK_TRY_MSEC;
	else
		hk.hk_msec = (unsigned int)(th->th_gate_end - now);
	rc = hooks_run(tx, HOOK_GATE, tx->tx_new_id, &hk, hooks_gate_done);
	hook_free(&hk);
	if (rc == 0)
		return (ACT_MOVED);
	tx->tx_wait_msec = tx->tx_updater->up_conf.uc_retry_msec;
	return (ACT_WAIT);
}

static void
hooks_gate_done(void *arg, const struct docker_exec_result *er)
{
	struct txn	*tx = arg;

	if (hooks_over(tx, HOOK_GATE, er, tx->tx_hooks.th_last))
		txn_step_done(tx);
	else
		txn_step_again(tx, tx->tx_updater->up_conf.uc_poll_msec);
}

/* --- afterwards -------------------------------------------------------- */

/* The hook that counts: 1, 0 none, -1 with a line in why. */
static int
hooks_post_find(struct txn *tx, const struct json_value *seen, struct hook *hk,
    char *why, size_t size)
{
	int	 rc;

	rc = hook_from_labels(hk, json_path(seen, "Config.Labels"), HOOK_POST,
	    why, size);
	if (rc != 0)
		return (rc);
	if (tx->tx_hooks.th_post.hk_command == NULL)
		return (0);
	if (hooks_copy(hk, &tx->tx_hooks.th_post) == -1) {
		strlcpy(why, "out of memory", size);
		return (-1);
	}
	return (1);
}

/* Its failure: the way back, or a word in the result. */
static bool
hooks_post_failed(struct txn *tx, const char *text)
{
	if (tx->tx_hooks.th_back) {
		txn_error(tx, "%s", text);
		txn_undo(tx);
		return (true);
	}
	hooks_note(tx, text);
	return (false);
}

enum txn_act
txn_hooks_post(struct txn *tx, const struct json_value *seen)
{
	struct txn_hooks	*th = &tx->tx_hooks;
	struct hook		 hk;
	const char		*wrong = NULL;
	char			 why[256];
	int			 rc;

	if (!th->th_run || th->th_ended[HOOK_POST])
		return (ACT_DONE);
	if ((rc = hooks_post_find(tx, seen, &hk, why, sizeof(why))) == 0)
		return (ACT_DONE);
	if (th->th_began[HOOK_POST] && !th->th_cleared) {
		if (rc == 1)
			hook_free(&hk);
		txn_hooks_clear(tx, tx->tx_new_id, hooks_cleared);
		return (ACT_MOVED);
	}
	th->th_back = rc == 1 && hk.hk_rollback;
	if (rc == -1)
		wrong = why;
	else if (th->th_began[HOOK_POST]) {
		(void)snprintf(why, sizeof(why), "post-update hook: "
		    "interrupted by a restart of Sentinel, and not run again "
		    "(%s)", th->th_fate);
		wrong = why;
	}
	else if (th->th_fault != NULL)
		wrong = th->th_fault;
	else if (!tx->tx_new_up || tx->tx_paused)
		wrong = "post-update hook: not run, for the container does "
		    "not run";
	/* Without this record it would be run again after a crash. */
	else if (hooks_record(tx, HOOK_POST, "begin", "", tx->tx_new_id) == -1)
		wrong = "post-update hook: not run, for the update journal "
		    "cannot be written";
	else if (hooks_run(tx, HOOK_POST, tx->tx_new_id, &hk,
	    hooks_post_done) == -1)
		wrong = "post-update hook: too many requests to Docker";
	if (rc == 1)
		hook_free(&hk);
	if (wrong == NULL) {
		th->th_began[HOOK_POST] = true;
		return (ACT_MOVED);
	}
	log_warnx("update %s: container %s: %s", tx->tx_opid, tx->tx_name,
	    wrong);
	return (hooks_post_failed(tx, wrong) ? ACT_MOVED : ACT_DONE);
}

static void
hooks_post_done(void *arg, const struct docker_exec_result *er)
{
	struct txn	*tx = arg;
	char		 text[HOOK_REASON_MAXBYTES];

	if (hooks_over(tx, HOOK_POST, er, text))
		txn_step_done(tx);
	else if (er->er_end == EXEC_UNKNOWN) {
		strlcpy(tx->tx_hooks.th_last, text,
		    sizeof(tx->tx_hooks.th_last));
		txn_hooks_clear(tx, tx->tx_new_id, hooks_post_cleared);
	} else if (!hooks_post_failed(tx, text))
		txn_step_done(tx);
}

static void
hooks_post_cleared(struct txn *tx)
{
	struct txn_hooks	*th = &tx->tx_hooks;
	char			 text[HOOK_REASON_MAXBYTES];

	if (snprintf(text, sizeof(text), "%s (%s)", th->th_last,
	    th->th_fate) >= (int)sizeof(text))
		strlcpy(text, th->th_last, sizeof(text));
	if (!hooks_post_failed(tx, text))
		txn_step_done(tx);
}
