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

#define STEP_VANISH_MSEC	30000
#define STEP_VANISH_POLL_MSEC	20
#define STEP_STOPS_MAX		3	/* of one that somebody starts */

static enum txn_act	 step_tag(struct txn *, const struct json_value *);
static enum txn_act	 step_create(struct txn *, const struct json_value *);
static bool		 step_created(struct txn *,
			    const struct docker_reply *);
static enum txn_act	 step_connect(struct txn *, const struct json_value *);
static bool		 step_stopped(struct txn *,
			    const struct docker_reply *);
static enum txn_act	 step_confirm(struct txn *, const struct json_value *);
static enum txn_act	 step_remove(struct txn *, const struct json_value *);

/*
 * The new container is made and connected while the old one still serves;
 * only from "stop" on there is an outage.
 */
const struct txn_step steps_make[] = {
	{ "tag",	LOOK_NONE, step_tag, NULL, 0 },
	{ "retag",	LOOK_NONE, roll_retag, NULL, 0 },
	{ "create",	LOOK_NEW, step_create, step_created,
	    STEP_MAKES | STEP_BUSY_WAIT },
	{ "copy",	LOOK_NEW, step_copy, step_copied, STEP_COPIES },
	{ "connect",	LOOK_NEW, step_connect, step_one_more, 0 },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_step steps_swap[] = {
	{ "stop",	LOOK_OLD, step_stop, step_stopped,
	    STEP_HARM | STEP_STOPS },
	{ "norestart",	LOOK_NONE, step_norestart, NULL,
	    STEP_HARM | STEP_STOPPED },
	{ "park",	LOOK_OLD, step_park, step_again,
	    STEP_HARM | STEP_STOPS },
	{ "detach",	LOOK_OLD, step_detach, step_one_more,
	    STEP_HARM | STEP_STOPPED },
	{ "name",	LOOK_NEW, step_name, NULL, STEP_HARM },
	{ "start",	LOOK_NEW, step_start, NULL, STEP_HARM },
	{ "gate",	LOOK_NEW, gate_look, NULL, STEP_HARM },
	{ "pause",	LOOK_NEW, step_pause, NULL, STEP_HARM },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

/* Those that share a namespace with it, each in the same order. */
const struct txn_step steps_user_make[] = {
	{ "lend",	LOOK_NONE, step_lend, NULL, STEP_LENDS },
	{ "create",	LOOK_NEW, step_create, step_created,
	    STEP_MAKES | STEP_BUSY_WAIT },
	{ "regain",	LOOK_NONE, step_regain, NULL,
	    STEP_GONE_OK | STEP_REGAINS },
	{ "connect",	LOOK_NEW, step_connect, step_one_more,
	    STEP_REGAINED },
	{ "copy",	LOOK_NEW, step_copy, step_copied, STEP_COPIES },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_step steps_user_halt[] = {
	{ "stop",	LOOK_OLD, step_stop, step_stopped,
	    STEP_HARM | STEP_STOPS },
	{ "norestart",	LOOK_NONE, step_norestart, NULL,
	    STEP_HARM | STEP_STOPPED },
	{ "park",	LOOK_OLD, step_park, step_again,
	    STEP_HARM | STEP_STOPS },
	{ "detach",	LOOK_OLD, step_detach, step_one_more,
	    STEP_HARM | STEP_STOPPED },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_step steps_user_take[] = {
	{ "name",	LOOK_NEW, step_name, NULL, STEP_HARM },
	{ "start",	LOOK_NEW, step_start, NULL, STEP_HARM },
	{ "gate",	LOOK_NEW, gate_look, NULL, STEP_HARM },
	{ "pause",	LOOK_NEW, step_pause, NULL, STEP_HARM },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

/* Those that only have to wait. */
const struct txn_step steps_hold[] = {
	{ "hold",	LOOK_OLD, step_stop, NULL,
	    STEP_HARM | STEP_STOPS },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_step steps_go[] = {
	{ "go",		LOOK_OLD, step_start, NULL, STEP_HARM | STEP_STOPPED },
	{ "doze",	LOOK_OLD, step_pause, NULL, STEP_HARM },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_step steps_confirm[] = {
	{ "confirm",	LOOK_NEW, step_confirm, NULL, 0 },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_step steps_remove[] = {
	{ "remove",	LOOK_OLD, step_remove, NULL,
	    STEP_GONE_OK | STEP_BUSY_WAIT },
	{ "keep",	LOOK_NONE, step_keep, step_named,
	    STEP_GONE_OK | STEP_QUIET },
	{ "untag",	LOOK_NONE, step_untag, NULL,
	    STEP_GONE_OK | STEP_QUIET },
	{ "sweep",	LOOK_NONE, step_sweep, step_swept, STEP_QUIET },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

/* Their image is what it was: nothing to keep of it. */
const struct txn_step steps_user_remove[] = {
	{ "remove",	LOOK_OLD, step_remove, NULL,
	    STEP_GONE_OK | STEP_BUSY_WAIT },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

/* --- what the looks say ------------------------------------------------ */

bool
seen_is_named(const struct json_value *seen, const char *name)
{
	const char	*s = json_get_str(seen, "Name");

	return (strcmp(*s == '/' ? s + 1 : s, name) == 0);
}

bool
seen_is_up(const struct json_value *seen)
{
	const struct json_value	*state = json_get(seen, "State");

	return (json_bool(json_get(state, "Running")) ||
	    json_bool(json_get(state, "Restarting")));
}

bool
seen_has_net(const struct json_value *seen, const char *net)
{
	return (json_get(json_path(seen, "NetworkSettings.Networks"),
	    net) != NULL);
}

enum txn_act
step_sent(struct txn *tx, struct docker_req *dq)
{
	tx->tx_req = dq;
	return (ACT_SENT);
}

enum txn_act
step_gone(struct txn *tx, const char *which)
{
	txn_error(tx, "%s: the %s container is gone", tx->tx_step->st_name,
	    which);
	return (ACT_FAIL);
}

struct docker *
step_docker(const struct txn *tx)
{
	return (tx->tx_updater->up_docker);
}

/* --- forward ----------------------------------------------------------- */

/* So that a prune cannot take the image that undo needs. */
static enum txn_act
step_tag(struct txn *tx, const struct json_value *seen)
{
	(void)seen;
	if (tx->tx_keep[0] == '\0')
		return (ACT_DONE);
	return (step_sent(tx, docker_image_tag(step_docker(tx),
	    tx->tx_old_image, UPDATE_KEEP_REPO, tx->tx_keep, txn_replied,
	    tx)));
}

/* Is the container under the temporary name the one that we made? */
bool
step_is_ours(const struct txn *tx, const struct json_value *seen)
{
	const char	*id = json_get_str(seen, "Id");

	return (docker_id_ok(id) && strcmp(id, tx->tx_old_id) != 0 &&
	    strcmp(json_get_str(seen, "Image"), tx->tx_new_image) == 0 &&
	    strcmp(json_get_str(json_get(seen, "State"), "Status"),
	    "created") == 0);
}

static int
step_keep_id(struct txn *tx, const char *id)
{
	strlcpy(tx->tx_new_id, id, sizeof(tx->tx_new_id));
	if (txn_note(tx, DJ_CREATED, id) == 0) {
		tx->tx_kept = true;
		tx->tx_pending &= ~(unsigned int)STEP_MAKES;
		return (0);
	}
	txn_error(tx, "update journal: %s", strerror(errno));
	return (-1);
}

/* What was made: is it what was meant, and is its id written down? */
static enum txn_act
step_check_new(struct txn *tx, const struct json_value *seen)
{
	if (seen == NULL)
		return (step_gone(tx, "new"));
	if (strcmp(json_get_str(seen, "Image"), tx->tx_new_image) != 0) {
		txn_error(tx, "create: %s is another image by now: ask for "
		    "the update again", tx->tx_new_ref);
		return (ACT_FAIL);
	}
	/* It is about to lose the name by which it could be found. */
	if (!tx->tx_kept && step_keep_id(tx, json_get_str(seen, "Id")) == -1)
		return (ACT_FAIL);
	return (ACT_DONE);
}

/* Gives tx_old_ref to an image. */
static enum txn_act
step_retag(struct txn *tx, const char *image)
{
	struct docker_ref	 rf;

	if (docker_ref_parse(&rf, tx->tx_old_ref) == -1 ||
	    rf.rf_tag[0] == '\0') {
		txn_error(tx, "%s: bad image reference \"%s\"",
		    tx->tx_step->st_name, tx->tx_old_ref);
		return (ACT_FAIL);
	}
	return (step_sent(tx, docker_image_tag(step_docker(tx), image,
	    rf.rf_repo, rf.rf_tag, txn_replied, tx)));
}

/*
 * A container is made from a reference, and only that tells later which image
 * it follows.  Has somebody pulled meanwhile, it means another image: the old
 * one gets its name back for as long as the creation takes.
 */
enum txn_act
step_lend(struct txn *tx, const struct json_value *seen)
{
	(void)seen;
	return (tx->tx_moved[0] == '\0' ? ACT_DONE :
	    step_retag(tx, tx->tx_old_image));
}

enum txn_act
step_regain(struct txn *tx, const struct json_value *seen)
{
	(void)seen;
	return ((tx->tx_pending & STEP_LENDS) == 0 ||
	    tx->tx_moved[0] == '\0' ? ACT_DONE :
	    step_retag(tx, tx->tx_moved));
}

static enum txn_act
step_create(struct txn *tx, const struct json_value *seen)
{
	if (tx->tx_new_id[0] != '\0')
		return (step_check_new(tx, seen));
	if (tx->tx_kind == TXN_SHARED && users_spec(tx) == -1)
		return (ACT_FAIL);
	if (seen != NULL) {
		/* An earlier try whose answer was lost; else a stranger. */
		if (tx->tx_tries == 0 || !step_is_ours(tx, seen)) {
			txn_error(tx, "create: container \"%s\" has appeared "
			    "meanwhile", tx->tx_name_new);
			return (ACT_FAIL);
		}
		/* A dockerd that was killed in the middle of it has left one
		 * without its addresses (20.10): make another. */
		return (step_sent(tx, docker_remove(step_docker(tx),
		    json_get_str(seen, "Id"), true, txn_replied, tx)));
	}
	return (step_sent(tx, docker_create(step_docker(tx), tx->tx_name_new,
	    tx->tx_spec.sp_body, tx->tx_spec.sp_bodylen, txn_replied, tx)));
}

static bool
step_created(struct txn *tx, const struct docker_reply *dr)
{
	struct json	*js;
	const char	*id;

	/* Whatever is wrong here, the next look says what there is. */
	tx->tx_tries++;
	if ((js = json_parse(dr->dr_body, dr->dr_len, NULL, 0)) == NULL)
		return (true);
	id = json_get_str(json_root(js), "Id");
	if (!docker_id_ok(id) || strcmp(id, tx->tx_old_id) == 0) {
		json_free(js);
		return (true);
	}
	strlcpy(tx->tx_new_id, id, sizeof(tx->tx_new_id));
	json_free(js);
	return (true);
}

bool
step_again(struct txn *tx, const struct docker_reply *dr)
{
	(void)tx;
	(void)dr;
	return (true);
}

/* One network done, act on the next. */
bool
step_one_more(struct txn *tx, const struct docker_reply *dr)
{
	(void)dr;
	tx->tx_index++;
	tx->tx_tries = 0;
	return (true);
}

enum txn_act
step_attach_net(struct txn *tx, const struct docker_net *nt, const char *id)
{
	enum txn_act	 act;
	char		*body;
	size_t		 len;

	if ((body = docker_spec_connect(id, nt->nt_config, &len)) == NULL) {
		txn_error(tx, "%s: %s", tx->tx_step->st_name, strerror(errno));
		return (ACT_FAIL);
	}
	act = step_sent(tx, docker_net_connect(step_docker(tx), nt->nt_name,
	    body, len, txn_replied, tx));
	free(body);
	return (act);
}

static enum txn_act
step_connect(struct txn *tx, const struct json_value *seen)
{
	const struct docker_spec	*sp = &tx->tx_spec;
	const struct docker_net		*nt;

	if (seen == NULL)
		return (step_gone(tx, "new"));
	for (; tx->tx_index < sp->sp_nnets; tx->tx_index++) {
		nt = &sp->sp_nets[tx->tx_index];
		if (!nt->nt_made && !seen_has_net(seen, nt->nt_name))
			return (step_attach_net(tx, nt, tx->tx_new_id));
	}
	return (ACT_DONE);
}

enum txn_act
step_stop(struct txn *tx, const struct json_value *seen)
{
	if (seen == NULL && tx->tx_auto && tx->tx_index > 0)
		return (ACT_DONE);
	if (seen == NULL) {
		/* Then this update has not touched it. */
		if (tx->tx_tries == 0)
			tx->tx_harm = false;
		txn_error(tx, "the container was removed by somebody else "
		    "meanwhile");
		return (ACT_FAIL);
	}
	if (!seen_is_up(seen))
		return (tx->tx_auto ? step_vanish(tx, seen) : ACT_DONE);
	tx->tx_index++;
	return (step_sent(tx, docker_stop(step_docker(tx), tx->tx_old_id,
	    tx->tx_stop_sec, txn_replied, tx)));
}

/* Its name and addresses are free only when Docker has removed it. */
enum txn_act
step_vanish(struct txn *tx, const struct json_value *seen)
{
	/* One that was made again and never started stays. */
	if (seen == NULL || seen_is_up(seen) || strcmp(json_get_str(json_get(
	    seen, "State"), "Status"), "created") == 0)
		return (ACT_DONE);
	if (monotime_now() - tx->tx_step_began > STEP_VANISH_MSEC +
	    (monotime_t)tx->tx_stop_sec * 1000) {
		txn_error(tx, "%s: Docker does not remove the container that "
		    "was made with --rm", tx->tx_step->st_name);
		return (ACT_FAIL);
	}
	tx->tx_index++;
	tx->tx_wait_msec = STEP_VANISH_POLL_MSEC;
	return (ACT_WAIT);
}

static bool
step_stopped(struct txn *tx, const struct docker_reply *dr)
{
	(void)dr;
	return (tx->tx_auto);
}

static enum txn_act
step_came_back(struct txn *tx)
{
	txn_error(tx, "%s: somebody has started the old container again",
	    tx->tx_step->st_name);
	return (ACT_FAIL);
}

/*
 * Or a restart of dockerd would bring the parked one back beside the new.
 * podman cannot change a policy (404), and does not start containers by
 * itself: podman-restart.service at boot would, and then recovery stops it.
 */
enum txn_act
step_norestart(struct txn *tx, const struct json_value *seen)
{
	static const char	 body[] = "{\"RestartPolicy\":{\"Name\":\"no\","
				    "\"MaximumRetryCount\":0}}";

	(void)seen;
	if (tx->tx_policy == NULL || docker_is_podman(step_docker(tx)))
		return (ACT_DONE);
	return (step_sent(tx, docker_reconfigure(step_docker(tx),
	    tx->tx_old_id, body, sizeof(body) - 1, txn_replied, tx)));
}

enum txn_act
step_park(struct txn *tx, const struct json_value *seen)
{
	if (seen == NULL && tx->tx_auto)
		return (ACT_DONE);
	if (seen == NULL)
		return (step_gone(tx, "old"));
	/* dockerd or a person may have started it after the stop. */
	if (seen_is_up(seen)) {
		if (tx->tx_index++ == STEP_STOPS_MAX)
			return (step_came_back(tx));
		return (step_sent(tx, docker_stop(step_docker(tx),
		    tx->tx_old_id, tx->tx_stop_sec, txn_replied, tx)));
	}
	if (seen_is_named(seen, tx->tx_name_old))
		return (ACT_DONE);
	return (step_sent(tx, docker_rename(step_docker(tx), tx->tx_old_id,
	    tx->tx_name_old, txn_replied, tx)));
}

/* The new one needs the configured addresses of the old. */
enum txn_act
step_detach(struct txn *tx, const struct json_value *seen)
{
	const char	*net;

	if (seen == NULL && tx->tx_auto)
		return (ACT_DONE);
	if (seen == NULL)
		return (step_gone(tx, "old"));
	if (seen_is_up(seen))
		return (step_came_back(tx));
	for (; tx->tx_index < tx->tx_nfixed; tx->tx_index++) {
		net = tx->tx_fixed[tx->tx_index].nt_name;
		if (seen_has_net(seen, net))
			return (step_sent(tx, docker_net_disconnect(
			    step_docker(tx), net, tx->tx_old_id, txn_replied,
			    tx)));
	}
	return (ACT_DONE);
}

enum txn_act
step_name(struct txn *tx, const struct json_value *seen)
{
	if (seen == NULL)
		return (step_gone(tx, "new"));
	if (seen_is_named(seen, tx->tx_name))
		return (ACT_DONE);
	return (step_sent(tx, docker_rename(step_docker(tx),
	    json_get_str(seen, "Id"), tx->tx_name, txn_replied, tx)));
}

enum txn_act
step_start(struct txn *tx, const struct json_value *seen)
{
	if (seen == NULL)
		return (step_gone(tx, tx->tx_step->st_look == LOOK_OLD ?
		    "old" : "new"));
	if (!tx->tx_running || seen_is_up(seen))
		return (ACT_DONE);
	return (step_sent(tx, docker_start(step_docker(tx),
	    json_get_str(seen, "Id"), txn_replied, tx)));
}

enum txn_act
step_pause(struct txn *tx, const struct json_value *seen)
{
	if (seen == NULL)
		return (step_gone(tx, tx->tx_step->st_look == LOOK_OLD ?
		    "old" : "new"));
	if (!tx->tx_paused || json_bool(json_path(seen, "State.Paused")))
		return (ACT_DONE);
	return (step_sent(tx, docker_pause(step_docker(tx),
	    json_get_str(seen, "Id"), txn_replied, tx)));
}

/* --- finish ------------------------------------------------------------ */

/*
 * Much time may have passed since the gate, with no Sentinel there.  The old
 * one goes only while the new one is in its place.
 */
static enum txn_act
step_confirm(struct txn *tx, const struct json_value *seen)
{
	if (seen == NULL) {
		txn_error(tx, "the new container was removed by somebody else");
		if (tx != tx->tx_lead)
			return (ACT_FAIL);
		txn_undo(tx);
		return (ACT_MOVED);
	}
	if (!seen_is_named(seen, tx->tx_name)) {
		txn_error(tx, "the new container was renamed by somebody else "
		    "to \"%s\"; nothing was removed", json_get_str(seen,
		    "Name"));
		return (ACT_FAIL);
	}
	tx->tx_new_up = seen_is_up(seen);
	tx->tx_confirmed = true;
	return (txn_hooks_post(tx, seen));
}

static enum txn_act
step_remove(struct txn *tx, const struct json_value *seen)
{
	if (seen == NULL || !tx->tx_confirmed)
		return (ACT_DONE);
	if (!seen_is_named(seen, tx->tx_name_old) ||
	    (seen_is_up(seen) && !tx->tx_new_up)) {
		tx->tx_confirmed = false;
		txn_error(tx, "somebody else has taken the old container "
		    "\"%s\" into use; it was not removed",
		    json_get_str(seen, "Name"));
		return (ACT_FAIL);
	}
	return (step_sent(tx, docker_remove(step_docker(tx), tx->tx_old_id,
	    true, txn_replied, tx)));
}

enum txn_act
step_untag(struct txn *tx, const struct json_value *seen)
{
	char	ref[128];

	(void)seen;
	/* It may be the last name that the image has. */
	if (tx->tx_keep[0] == '\0' || tx->tx_unnamed)
		return (ACT_DONE);
	snprintf(ref, sizeof(ref), "%s:%s", UPDATE_KEEP_REPO, tx->tx_keep);
	return (step_sent(tx, docker_image_untag(step_docker(tx), ref,
	    txn_replied, tx)));
}
