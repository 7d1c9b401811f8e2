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
#include "docker_steps.h"
#include "log.h"

/*
 * The way back.  It has to work in every state that the way forward, an
 * earlier way back, or somebody else has left, and with requests of a former
 * life still under way inside dockerd.
 */
#define UNDO_HALT_SEC		30	/* it has hardly begun */
#define UNDO_LOOKS_MAX		8	/* at what was put back */
#define UNDO_SETTLE_MSEC	1000	/* between looks */

/* What the last answer was to: tx_index. */
enum { REBUILD_AGAIN, REBUILD_ANSWERED, REBUILD_REMOVED };

static enum txn_act	 undo_check(struct txn *, const struct json_value *);
static enum txn_act	 undo_halt(struct txn *, const struct json_value *);
static enum txn_act	 undo_drop(struct txn *, const struct json_value *);
static enum txn_act	 undo_settle(struct txn *, const struct json_value *);
static enum txn_act	 undo_lend(struct txn *, const struct json_value *);
static enum txn_act	 undo_rebuild(struct txn *, const struct json_value *);
static bool		 undo_rebuilt(struct txn *,
			    const struct docker_reply *);
static enum txn_act	 undo_attach(struct txn *, const struct json_value *);
static enum txn_act	 undo_unpark(struct txn *, const struct json_value *);
static enum txn_act	 undo_policy(struct txn *, const struct json_value *);
static enum txn_act	 undo_verify(struct txn *, const struct json_value *);

const struct txn_step steps_check[] = {
	{ "check",	LOOK_OLD, undo_check, NULL, 0 },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_step steps_drop[] = {
	{ "regain",	LOOK_NONE, step_regain, NULL,
	    STEP_GONE_OK | STEP_QUIET | STEP_REGAINS },
	{ "halt",	LOOK_NEW, undo_halt, NULL,
	    STEP_GONE_OK | STEP_QUIET },
	{ "drop",	LOOK_NEW, undo_drop, NULL,
	    STEP_GONE_OK | STEP_BUSY_WAIT },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_step steps_back[] = {
	{ "settle",	LOOK_OLD, undo_settle, NULL, 0 },
	{ "vanish",	LOOK_OLD, step_vanish, NULL, STEP_AUTO },
	{ "lend",	LOOK_OLD, undo_lend, NULL, STEP_AUTO | STEP_LENDS },
	{ "rebuild",	LOOK_NAME, undo_rebuild, undo_rebuilt,
	    STEP_AUTO | STEP_BUSY_WAIT },
	{ "regain",	LOOK_NONE, step_regain, NULL,
	    STEP_AUTO | STEP_GONE_OK | STEP_QUIET | STEP_REGAINS },
	{ "attach",	LOOK_OLD, undo_attach, step_one_more,
	    STEP_STOPPED | STEP_BUSY_WAIT | STEP_REGAINED },
	{ "unpark",	LOOK_OLD, undo_unpark, NULL, STEP_BUSY_WAIT },
	{ "policy",	LOOK_NONE, undo_policy, NULL, STEP_BUSY_WAIT },
	{ "restart",	LOOK_OLD, step_start, NULL, STEP_BUSY_WAIT },
	{ "repause",	LOOK_OLD, step_pause, NULL, STEP_BUSY_WAIT },
	{ "verify",	LOOK_OLD, undo_verify, step_again, STEP_BUSY_WAIT },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_step steps_back_go[] = {
	{ "settle",	LOOK_OLD, undo_settle, NULL, 0 },
	{ "restart",	LOOK_OLD, step_start, NULL, STEP_BUSY_WAIT },
	{ "repause",	LOOK_OLD, step_pause, NULL, STEP_BUSY_WAIT },
	{ "verify",	LOOK_OLD, undo_verify, step_again, STEP_BUSY_WAIT },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_step steps_unkeep[] = {
	{ "tagback",	LOOK_NONE, roll_tagback, NULL,
	    STEP_GONE_OK | STEP_QUIET },
	/* Refused while it is the last name of an image in use: it stays. */
	{ "unkeep",	LOOK_NONE, step_untag, NULL,
	    STEP_GONE_OK | STEP_QUIET },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_step steps_abandon[] = {
	{ "regain",	LOOK_NONE, step_regain, NULL,
	    STEP_GONE_OK | STEP_QUIET | STEP_REGAINS },
	{ "drop",	LOOK_NEW, undo_drop, NULL,
	    STEP_GONE_OK | STEP_BUSY_WAIT },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_step steps_orphan[] = {
	{ "adopt",	LOOK_NEW, step_name, NULL, 0 },
	{ "run",	LOOK_NEW, step_start, NULL, 0 },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

/* Nothing to share with any more: theirs have to go the same way. */
const struct txn_step steps_user_orphan[] = {
	{ "stop",	LOOK_OLD, step_stop, step_again,
	    STEP_HARM | STEP_STOPS },
	{ "norestart",	LOOK_NONE, step_norestart, NULL,
	    STEP_HARM | STEP_STOPPED },
	{ "park",	LOOK_OLD, step_park, step_again,
	    STEP_HARM | STEP_STOPS },
	{ "detach",	LOOK_OLD, step_detach, step_one_more,
	    STEP_HARM | STEP_STOPPED },
	{ "adopt",	LOOK_NEW, step_name, NULL, 0 },
	{ "run",	LOOK_NEW, step_start, NULL, 0 },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

/*
 * The new one may go only when there is an old one to go back to, or when
 * somebody else removed the old one before this update touched it.
 */
static enum txn_act
undo_check(struct txn *tx, const struct json_value *seen)
{
	if (seen != NULL || tx->tx_auto)
		return (ACT_DONE);
	txn_orphan(tx);
	return (ACT_MOVED);
}

/* It may share volumes with the old one: let it end in order. */
static enum txn_act
undo_halt(struct txn *tx, const struct json_value *seen)
{
	if (seen == NULL || tx->tx_new_id[0] == '\0' || !seen_is_up(seen))
		return (ACT_DONE);
	return (step_sent(tx, docker_stop(step_docker(tx), tx->tx_new_id,
	    tx->tx_stop_sec < UNDO_HALT_SEC ? tx->tx_stop_sec : UNDO_HALT_SEC,
	    txn_replied, tx)));
}

/* Not there: or not there yet? */
static enum txn_act
undo_no_new(struct txn *tx)
{
	unsigned int	 settle = tx->tx_updater->up_conf.uc_settle_msec;
	monotime_t	 now = monotime_now();

	if (tx->tx_new_id[0] != '\0' || (tx->tx_pending & STEP_MAKES) == 0)
		return (ACT_DONE);
	if (tx->tx_settle == 0)
		tx->tx_settle = now;
	if (now - tx->tx_settle >= settle) {
		stray_expect(tx->tx_updater, tx->tx_name_new);
		return (ACT_DONE);
	}
	tx->tx_wait_msec = settle < UNDO_SETTLE_MSEC ? settle :
	    UNDO_SETTLE_MSEC;
	return (ACT_WAIT);
}

static enum txn_act
undo_drop(struct txn *tx, const struct json_value *seen)
{
	const char	*id = json_get_str(seen, "Id");

	if (seen == NULL)
		return (undo_no_new(tx));
	if (tx->tx_new_id[0] == '\0' && !step_is_ours(tx, seen)) {
		log_warnx("update %s: container \"%s\" was not made by this "
		    "update and is left alone", tx->tx_opid, tx->tx_name_new);
		return (ACT_DONE);
	}
	/* What the old one had it has by name.  Podman looks at the volume
	 * instead, and of one made with --rm nobody else may have it now. */
	if (tx->tx_auto)
		return (step_sent(tx, docker_remove(step_docker(tx), id, true,
		    txn_replied, tx)));
	return (step_sent(tx, docker_discard(step_docker(tx), id, txn_replied,
	    tx)));
}

/*
 * A stop without an answer still goes on inside dockerd and would end the old
 * one after it was found running: let it come to its end, then start.
 */
static enum txn_act
undo_settle(struct txn *tx, const struct json_value *seen)
{
	if (seen == NULL && tx->tx_auto)
		return (ACT_DONE);
	if (seen == NULL)
		return (step_gone(tx, "old"));
	/* Whoever reads this in the old one was not stopped, or is back. */
	if ((tx->tx_pending & STEP_STOPS) == 0 || !seen_is_up(seen) ||
	    self_runs_in(tx, tx->tx_old_id))
		return (ACT_DONE);
	return (step_sent(tx, docker_stop(step_docker(tx), tx->tx_old_id,
	    tx->tx_stop_sec, txn_replied, tx)));
}

static enum txn_act
undo_lend(struct txn *tx, const struct json_value *seen)
{
	return (seen != NULL ? ACT_DONE : step_lend(tx, seen));
}

static enum txn_act
undo_reborn(struct txn *tx, const char *id)
{
	strlcpy(tx->tx_old_id, id, sizeof(tx->tx_old_id));
	if (txn_note(tx, DJ_REBORN, id) == -1)
		log_warn("update %s: journal", tx->tx_opid);
	return (ACT_DONE);
}

/* Docker has removed it, as was asked of it: make it again. */
static enum txn_act
undo_rebuild(struct txn *tx, const struct json_value *seen)
{
	const char	*id = json_get_str(seen, "Id");

	if (seen == NULL) {
		tx->tx_index = REBUILD_AGAIN;
		return (step_sent(tx, docker_create(step_docker(tx),
		    tx->tx_name, tx->tx_body, strlen(tx->tx_body),
		    txn_replied, tx)));
	}
	if (strcmp(id, tx->tx_old_id) == 0)
		return (ACT_DONE);
	/* Ours; but one whose answer was lost may be half of one. */
	if (docker_id_ok(id) && strcmp(json_get_str(seen, "Image"),
	    tx->tx_old_image) == 0 && strcmp(json_get_str(json_get(seen,
	    "State"), "Status"), "created") == 0) {
		if (tx->tx_index == REBUILD_ANSWERED)
			return (undo_reborn(tx, id));
		tx->tx_index = REBUILD_REMOVED;
		return (step_sent(tx, docker_remove(step_docker(tx), id, true,
		    txn_replied, tx)));
	}
	if (strcmp(id, tx->tx_new_id) == 0) {
		tx->tx_wait_msec = tx->tx_updater->up_conf.uc_retry_msec;
		return (ACT_WAIT);	/* removed, as Docker said */
	}
	txn_error(tx, "rebuild: somebody else has made a container \"%s\"",
	    tx->tx_name);
	return (ACT_FAIL);
}

static bool
undo_rebuilt(struct txn *tx, const struct docker_reply *dr)
{
	(void)dr;
	tx->tx_index = tx->tx_index == REBUILD_REMOVED ? REBUILD_AGAIN :
	    REBUILD_ANSWERED;
	return (true);	/* the next look says its id */
}

static enum txn_act
undo_attach(struct txn *tx, const struct json_value *seen)
{
	const struct docker_net	*nt;

	if (seen == NULL)
		return (step_gone(tx, "old"));
	for (; tx->tx_index < tx->tx_nfixed; tx->tx_index++) {
		nt = &tx->tx_fixed[tx->tx_index];
		if (!seen_has_net(seen, nt->nt_name))
			return (step_attach_net(tx, nt, tx->tx_old_id));
	}
	return (ACT_DONE);
}

static enum txn_act
undo_unpark(struct txn *tx, const struct json_value *seen)
{
	if (seen == NULL)
		return (step_gone(tx, "old"));
	if (seen_is_named(seen, tx->tx_name))
		return (ACT_DONE);
	return (step_sent(tx, docker_rename(step_docker(tx), tx->tx_old_id,
	    tx->tx_name, txn_replied, tx)));
}

static enum txn_act
undo_policy(struct txn *tx, const struct json_value *seen)
{
	enum txn_act	 act;
	char		*body;

	(void)seen;
	if (tx->tx_policy == NULL || docker_is_podman(step_docker(tx)))
		return (ACT_DONE);
	if (asprintf(&body, "{\"RestartPolicy\":%s}", tx->tx_policy) == -1) {
		txn_error(tx, "policy: %s", strerror(errno));
		return (ACT_FAIL);
	}
	act = step_sent(tx, docker_reconfigure(step_docker(tx), tx->tx_old_id,
	    body, strlen(body), txn_replied, tx));
	free(body);
	return (act);
}

/* The restart policy's name; "" and "no" are the same. */
static bool
seen_has_policy(const struct json_value *seen, const char *policy)
{
	struct json	*js;
	const char	*is, *want;
	bool		 same;

	if (policy == NULL)
		return (true);
	if ((js = json_parse(policy, strlen(policy), NULL, 0)) == NULL)
		return (true);
	want = json_get_str(json_root(js), "Name");
	is = json_get_str(json_path(seen, "HostConfig.RestartPolicy"), "Name");
	same = strcmp(is, want) == 0;
	json_free(js);
	return (same);
}

/* What is still wrong with the old one, and the remedy. */
static struct docker_req *
undo_remedy(struct txn *tx, const struct json_value *seen, bool *wrong)
{
	struct docker	*dk = step_docker(tx);
	size_t		 i;

	*wrong = true;
	if (!seen_is_named(seen, tx->tx_name))
		return (docker_rename(dk, tx->tx_old_id, tx->tx_name,
		    txn_replied, tx));
	if (!seen_has_policy(seen, tx->tx_policy)) {
		(void)undo_policy(tx, seen);
		return (tx->tx_req);
	}
	if (tx->tx_running && !seen_is_up(seen))
		return (docker_start(dk, tx->tx_old_id, txn_replied, tx));
	if (tx->tx_paused && !json_bool(json_path(seen, "State.Paused")))
		return (docker_pause(dk, tx->tx_old_id, txn_replied, tx));
	for (i = 0; i < tx->tx_nfixed; i++)
		if (!seen_has_net(seen, tx->tx_fixed[i].nt_name)) {
			(void)step_attach_net(tx, &tx->tx_fixed[i],
			    tx->tx_old_id);
			return (tx->tx_req);
		}
	*wrong = false;
	return (NULL);
}

/*
 * Requests that an earlier life had under way may have been carried out after
 * these steps: look until it is right, after a crash twice.
 */
static enum txn_act
undo_verify(struct txn *tx, const struct json_value *seen)
{
	struct docker_req	*dq;
	bool			 wrong;

	if (seen == NULL)
		return (step_gone(tx, "old"));
	if (tx->tx_index++ == UNDO_LOOKS_MAX) {
		txn_error(tx, "the old container %.12s is named \"%s\" and %s",
		    tx->tx_old_id, json_get_str(seen, "Name"),
		    json_get_str(json_get(seen, "State"), "Status"));
		return (ACT_FAIL);
	}
	dq = undo_remedy(tx, seen, &wrong);
	if (wrong)
		return (step_sent(tx, dq));
	if (tx->tx_recovered && tx->tx_settle == 0) {
		tx->tx_settle = monotime_now();
		tx->tx_wait_msec = tx->tx_updater->up_conf.uc_settle_msec;
		if (tx->tx_wait_msec > UNDO_SETTLE_MSEC)
			tx->tx_wait_msec = UNDO_SETTLE_MSEC;
		return (ACT_WAIT);
	}
	return (ACT_DONE);
}
