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

#include "docker_self.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_steps.h"
#include "log.h"

/*
 * The steps of a self update.  docker_self.h says who takes which.
 */
#define SELF_OTHERS_MSEC	1000	/* other updates: look again */

static enum txn_act	 self_launch(struct txn *, const struct json_value *);
static bool		 self_launched(struct txn *,
			    const struct docker_reply *);
static enum txn_act	 self_handover(struct txn *,
			    const struct json_value *);
static bool		 self_started(struct txn *,
			    const struct docker_reply *);
static enum txn_act	 self_defer(struct txn *, const struct json_value *);
static bool		 self_deferred(struct txn *,
			    const struct docker_reply *);
static enum txn_act	 self_dismiss(struct txn *, const struct json_value *);
static bool		 self_dismissed(struct txn *,
			    const struct docker_reply *);
static bool		 self_found(struct txn *, const struct docker_reply *,
			    bool *);
static void		 self_name(const struct txn *, char *, size_t);

static const struct txn_step steps_launch[] = {
	{ "launch",	LOOK_NONE, self_launch, self_launched, 0 },
	{ "handover",	LOOK_NONE, self_handover, self_started, 0 },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

static const struct txn_step steps_defer[] = {
	{ "defer",	LOOK_NONE, self_defer, self_deferred,
	    STEP_GONE_OK | STEP_HARM },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

static const struct txn_step steps_dismiss[] = {
	{ "dismiss",	LOOK_NONE, self_dismiss, self_dismissed,
	    STEP_GONE_OK | STEP_QUIET },
	{ NULL,		LOOK_NONE, NULL, NULL, 0 }
};

const struct txn_leg legs_self[] = {
	{ LEG_LEAD,	steps_make,		NULL,		false },
	{ LEG_LEAD,	steps_launch,		NULL,		false },
	{ LEG_LEAD,	NULL,			NULL,		false }
};

const struct txn_leg legs_self_defer[] = {
	{ LEG_LEAD,	steps_defer,		NULL,		false },
	{ LEG_LEAD,	steps_confirm,		NULL,		false },
	{ LEG_LEAD,	steps_remove,		NULL,		false },
	{ LEG_LEAD,	NULL,			NULL,		false }
};

const struct txn_leg legs_self_undo[] = {
	{ LEG_LEAD,	steps_dismiss,		NULL,		false },
	{ LEG_LEAD,	steps_check,		NULL,		true },
	{ LEG_LEAD,	steps_drop,		NULL,		false },
	{ LEG_LEAD,	steps_back,		NULL,		true },
	{ LEG_LEAD,	steps_unkeep,		NULL,		false },
	{ LEG_LEAD,	NULL,			NULL,		false }
};

const struct txn_leg legs_self_abandon[] = {
	{ LEG_LEAD,	steps_dismiss,		NULL,		false },
	{ LEG_LEAD,	steps_abandon,		NULL,		false },
	{ LEG_LEAD,	steps_unkeep,		NULL,		false },
	{ LEG_LEAD,	NULL,			NULL,		false }
};

static void
self_name(const struct txn *tx, char *name, size_t size)
{
	snprintf(name, size, "%s" SELF_SUFFIX, tx->tx_name);
}

bool
self_runs_in(const struct txn *tx, const char *id)
{
	const struct update_self	*us = &tx->tx_updater->up_self;

	return (!us->us_helper && id[0] != '\0' &&
	    strcmp(us->us_id.sf_id, id) == 0);
}

/* --- before ------------------------------------------------------------ */

bool
self_prepare(struct txn *tx, const struct json_value *c)
{
	const struct update_self	*us = &tx->tx_updater->up_self;
	char				 why[UPDATE_ERROR_MAXBYTES];

	tx->tx_self = us->us_what != NULL && self_is(us, c);
	if (!tx->tx_self || !self_refuses(us, c, why, sizeof(why)))
		return (true);
	txn_error(tx, "%s", why);
	return (false);
}

const char *
self_hint(const struct updater *up, const char *name)
{
	const struct update_self	*us = &up->up_self;

	if (us->us_what == NULL || us->us_id.sf_id[0] != '\0' ||
	    us->us_id.sf_upper[0] != '\0' ||
	    strncmp(name, "sentinel", 8) != 0)
		return ("");
	return (strcmp(us->us_what, "server") == 0 ?
	    "; the server of this host does not run in a container: it is "
	    "managed by the package manager" :
	    "; the agent of this host does not run in a container: it is "
	    "managed by the package manager");
}

bool
self_plan(struct txn *tx)
{
	struct self_helper	 sh;
	char			 why[UPDATE_ERROR_MAXBYTES];
	char			 name[sizeof(tx->tx_name_new)];

	if (!tx->tx_self)
		return (true);
	if (tx->tx_nusers > 0) {
		txn_error(tx, "this is the %s's own container, and others "
		    "depend on it (\"%s\"): update it by hand",
		    tx->tx_updater->up_self.us_what, tx->tx_users[0]->tx_name);
		return (false);
	}
	if (self_refuses_image(&tx->tx_updater->up_self,
	    json_root(tx->tx_image_new), why, sizeof(why))) {
		txn_error(tx, "%s: %s", tx->tx_new_ref, why);
		return (false);
	}
	self_name(tx, name, sizeof(name));
	sh.sh_old = json_root(tx->tx_inspect);
	sh.sh_image = json_root(tx->tx_image_new);
	sh.sh_id = tx->tx_new_image;
	sh.sh_opid = tx->tx_opid;
	sh.sh_name = name;
	tx->tx_helper = self_helper_body(&tx->tx_updater->up_self, &sh,
	    &tx->tx_helperlen);
	if (tx->tx_helper == NULL) {
		txn_error(tx, "helper: %s", strerror(errno));
		return (false);
	}
	return (true);
}

/* --- launch and handover ----------------------------------------------- */

/* The journal goes away as a whole: others come to their end first. */
static enum txn_act
self_launch(struct txn *tx, const struct json_value *seen)
{
	char	 name[sizeof(tx->tx_name_new)];

	(void)seen;
	if (tx->tx_updater->up_ntxns > 1) {
		tx->tx_wait_msec = SELF_OTHERS_MSEC;
		return (ACT_WAIT);
	}
	self_name(tx, name, sizeof(name));
	return (step_sent(tx, docker_create(step_docker(tx), name,
	    tx->tx_helper, tx->tx_helperlen, txn_replied, tx)));
}

static bool
self_launched(struct txn *tx, const struct docker_reply *dr)
{
	struct json	*js = json_parse(dr->dr_body, dr->dr_len, NULL, 0);
	const char	*id = json_get_str(json_root(js), "Id");

	if (docker_id_ok(id))
		strlcpy(tx->tx_helper_id, id, sizeof(tx->tx_helper_id));
	json_free(js);
	return (false);
}

static enum txn_act
self_handover(struct txn *tx, const struct json_value *seen)
{
	struct updater	*up = tx->tx_updater;

	(void)seen;
	if (tx->tx_helper_id[0] == '\0') {
		txn_error(tx, "Docker's answer to the creation of the helper "
		    "has no id");
		return (ACT_FAIL);
	}
	if (tx->tx_index == 0)
		return (step_sent(tx, docker_start(step_docker(tx),
		    tx->tx_helper_id, txn_replied, tx)));
	log_info("update %s: container %s: the helper takes over",
	    tx->tx_opid, tx->tx_name);
	txn_progress(tx, SELF_PHASE, "the helper takes over", 0, 0);
	tx->tx_handed = true;
	up->up_ops.uo_handover(up->up_arg);
	return (ACT_MOVED);
}

static bool
self_started(struct txn *tx, const struct docker_reply *dr)
{
	(void)dr;
	tx->tx_index = 1;
	return (true);
}

/* --- after a crash ----------------------------------------------------- */

bool
self_recover(struct txn *tx)
{
	const struct update_self	*us = &tx->tx_updater->up_self;

	if (!tx->tx_self)
		return (false);
	if (us->us_helper) {
		if (tx->tx_phase != TXN_FORWARD || !tx->tx_handed)
			return (false);
		log_info("update %s: container %s: the journal is ours",
		    tx->tx_opid, tx->tx_name);
		group_resume(tx, legs_forward, "stop");
		return (true);
	}
	if (self_runs_in(tx, tx->tx_old_id))
		return (false);
	if (self_runs_in(tx, tx->tx_new_id)) {
		tx->tx_phase = TXN_FINISH;
		group_begin(tx, legs_self_defer);
		return (true);
	}
	txn_error(tx, "the container was being updated by its helper, and "
	    "this is neither the old nor the new one: look at \"%s\", \"%s\" "
	    "and \"%s\"", tx->tx_name, tx->tx_name_old, tx->tx_name_new);
	tx->tx_harm = true;
	txn_end(tx, UPDATE_FAILED);
	return (true);
}

/* The helper's inspect answer: is it the one of this operation? */
static bool
self_found(struct txn *tx, const struct docker_reply *dr, bool *up)
{
	struct json		*js;
	const struct json_value	*root;
	const char		*id;
	bool			 is;

	js = json_parse(dr->dr_body, dr->dr_len, NULL, 0);
	root = json_root(js);
	id = json_get_str(root, "Id");
	is = docker_id_ok(id) && strcmp(json_get_str(json_path(root,
	    "Config.Labels"), SELF_LABEL), tx->tx_opid) == 0;
	*up = seen_is_up(root);
	if (is)
		strlcpy(tx->tx_helper_id, id, sizeof(tx->tx_helper_id));
	json_free(js);
	return (is);
}

/* tx_index: 0 look, 1 start it, 2 it runs */
static enum txn_act
self_defer(struct txn *tx, const struct json_value *seen)
{
	struct updater	*up = tx->tx_updater;
	char		 name[sizeof(tx->tx_name_new)];

	(void)seen;
	self_name(tx, name, sizeof(name));
	if (tx->tx_index == 0)
		return (step_sent(tx, docker_inspect(step_docker(tx), name,
		    txn_replied, tx)));
	if (tx->tx_index == 1)
		return (step_sent(tx, docker_start(step_docker(tx),
		    tx->tx_helper_id, txn_replied, tx)));
	tx->tx_handed = true;
	up->up_ops.uo_handover(up->up_arg);
	return (ACT_MOVED);
}

static bool
self_deferred(struct txn *tx, const struct docker_reply *dr)
{
	bool	 up;

	if (tx->tx_index == 1)
		tx->tx_index = 2;
	else if (self_found(tx, dr, &up))
		tx->tx_index = up ? 2 : 1;
	else
		return (false);
	return (true);
}

/* The helper removes itself, and nobody else does while it works. */
static enum txn_act
self_dismiss(struct txn *tx, const struct json_value *seen)
{
	char	 name[sizeof(tx->tx_name_new)];

	(void)seen;
	if (tx->tx_updater->up_self.us_helper)
		return (ACT_DONE);
	self_name(tx, name, sizeof(name));
	if (tx->tx_index == 0)
		return (step_sent(tx, docker_inspect(step_docker(tx), name,
		    txn_replied, tx)));
	return (step_sent(tx, docker_remove(step_docker(tx), tx->tx_helper_id,
	    true, txn_replied, tx)));
}

static bool
self_dismissed(struct txn *tx, const struct docker_reply *dr)
{
	bool	 up;

	if (tx->tx_index == 1 || !self_found(tx, dr, &up))
		return (false);
	tx->tx_index = 1;
	return (true);
}

/* --- the gate ---------------------------------------------------------- */

enum txn_act
self_gate(struct txn *tx, const struct json_value *seen, uint64_t elapsed)
{
	const struct update_self	*us = &tx->tx_updater->up_self;
	unsigned int			 poll;
	int64_t				 restarts = 0;

	if (us->us_proof == NULL) {
		txn_error(tx, "interrupted: the helper was lost at the gate");
		return (ACT_FAIL);
	}
	if (us->us_proof(us->us_arg, tx->tx_new_id))
		return (ACT_DONE);
	(void)json_int(json_get(seen, "RestartCount"), &restarts);
	if (restarts != 0) {
		txn_error(tx, "the new %s restarts again and again",
		    us->us_what);
		return (ACT_FAIL);
	}
	if (elapsed >= us->us_proof_msec) {
		txn_error(tx, "the new %s %s within %u s", us->us_what,
		    strcmp(us->us_what, "server") == 0 ? "did not serve" :
		    "had no session with its server",
		    us->us_proof_msec / 1000);
		return (ACT_FAIL);
	}
	txn_progress(tx, "gate", "", elapsed, us->us_proof_msec);
	poll = tx->tx_updater->up_conf.uc_poll_msec;
	tx->tx_wait_msec = us->us_proof_msec - elapsed < poll ?
	    (unsigned int)(us->us_proof_msec - elapsed) : poll;
	return (ACT_WAIT);
}
