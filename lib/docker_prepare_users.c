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

#include "docker_kin.h"
#include "docker_prepare.h"
#include "docker_steps.h"
#include "log.h"

/*
 * Who else an update concerns, after the pull, which may have taken long: a
 * list; what it does not say is known (docker_kin.h) or looked at; then a
 * closer look at those that depend on this one.  Whatever is wrong with them
 * refuses the update while everybody still runs.
 *
 * Requests for a further member are its own; the leader ends everything.
 */
#define USERS_LIST_MSEC	30000

static void	 users_listed(void *, const struct docker_reply *);
static void	 users_each(struct txn *);
static void	 users_inspected(void *, const struct docker_reply *);
static void	 users_found(struct txn *);
static void	 users_lead_ref(void *, const struct docker_reply *);
static void	 users_engine(void *, const struct docker_reply *);
static void	 users_next(struct txn *);
static void	 users_looked(void *, const struct docker_reply *);
static void	 users_own(void *, const struct docker_reply *);
static void	 users_own_image(void *, const struct docker_reply *);
static void	 users_image(void *, const struct docker_reply *);
static void	 users_ref(void *, const struct docker_reply *);
static void	 users_stray(struct txn *);
static void	 users_swept(void *, const struct docker_reply *);

/* --- everybody --------------------------------------------------------- */

static int
users_on_container(void *arg, const char *text, size_t len)
{
	struct txn	*tx = arg;
	struct json	*js;
	int		 rc;

	if ((js = json_parse(text, len, NULL, 0)) == NULL)
		return (-1);
	if ((rc = depend_add(tx->tx_depend, json_root(js))) == -1)
		txn_error(tx, errno == E2BIG ? "there are too many containers "
		    "to see who depends on this one" : "out of memory");
	json_free(js);
	return (rc);
}

static int
users_on_data(void *arg, const uint8_t *p, size_t len)
{
	struct txn	*tx = arg;

	if (json_splitter_feed(tx->tx_split, p, len) == 0)
		return (0);
	if (tx->tx_error[0] == '\0')
		txn_error(tx, "Docker's list of containers is not valid JSON");
	return (-1);
}

void
prep_users(struct txn *tx)
{
	struct docker_call	 dc = {
		.dc_method = "GET", .dc_path = "/containers/json?all=1",
		.dc_total_msec = USERS_LIST_MSEC, .dc_data = users_on_data,
		.dc_done = users_listed, .dc_arg = tx
	};

	tx->tx_split = json_splitter_new(JSON_SPLIT_ARRAY,
	    DOCKER_ITEM_MAXBYTES, users_on_container, tx);
	tx->tx_depend = depend_new();
	if (tx->tx_split == NULL || tx->tx_depend == NULL)
		prep_sent(tx, NULL);
	else
		prep_sent(tx, docker_call(tx->tx_updater->up_docker, &dc));
}

static void
users_listed(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;

	tx->tx_req = NULL;
	if (tx->tx_error[0] == '\0' && dr->dr_end != DOCKER_OK)
		txn_error(tx, "%s", dr->dr_error);
	else if (tx->tx_error[0] == '\0' &&
	    json_splitter_end(tx->tx_split) == -1)
		txn_error(tx, "Docker's list of containers ended early");
	json_splitter_free(tx->tx_split);
	tx->tx_split = NULL;
	if (tx->tx_error[0] != '\0')
		prep_fail(tx);
	else
		users_each(tx);
}

static void
users_each(struct txn *tx)
{
	const char	*id;
	struct json	*js;

	while ((id = depend_next(tx->tx_depend)) != NULL &&
	    (js = kin_get(tx->tx_updater->up_kin, id)) != NULL) {
		if (depend_inspected(tx->tx_depend, json_root(js)) == -1) {
			json_free(js);
			prep_sent(tx, NULL);
			return;
		}
		json_free(js);
	}
	if (id == NULL)
		users_found(tx);
	else
		prep_sent(tx, docker_inspect(tx->tx_updater->up_docker, id,
		    users_inspected, tx));
}

static void
users_inspected(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	bool		 gone;
	int		 rc;

	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	kin_learn(tx->tx_updater->up_kin, json_root(js));
	rc = depend_inspected(tx->tx_depend, json_root(js));
	json_free(js);
	if (rc == -1)
		prep_sent(tx, NULL);
	else
		users_each(tx);
}

/* --- those that it concerns -------------------------------------------- */

/* Why this one cannot be a member, or NULL. */
static const char *
users_refuse(struct txn *lead, const struct depend_user *du)
{
	if (strlen(du->du_name) > DOCKER_NAME_MAXBYTES - 32)
		return ("its name is too long");
	if (du->du_self)
		return ("it is Sentinel itself, which cannot be stopped while "
		    "it does this: do it by hand");
	if (updater_busy_but(lead->tx_updater, du->du_name, lead))
		return ("it is being updated: try again later");
	return (NULL);
}

static void
users_found(struct txn *lead)
{
	struct depend_user	 users[DEPEND_USERS_MAX], *du;
	struct txn		*tx;
	const char		*why;
	ssize_t			 i, n;

	n = depend_users(lead->tx_depend, lead->tx_old_id, lead->tx_ordered,
	    users, lead->tx_error, sizeof(lead->tx_error));
	if (n == -1) {
		prep_fail(lead);
		return;
	}
	for (i = 0; i < n; i++) {
		du = &users[i];
		if ((why = users_refuse(lead, du)) != NULL) {
			txn_error(lead, "container \"%s\" depends on this one "
			    "(%s): %s", du->du_name,
			    depend_why_text(du->du_why), why);
			prep_fail(lead);
			return;
		}
		tx = txn_new_user(lead, du->du_remade ? TXN_SHARED :
		    TXN_ORDERED, du->du_name);
		if (tx == NULL) {
			prep_sent(lead, NULL);
			return;
		}
		strlcpy(tx->tx_old_id, du->du_id, sizeof(tx->tx_old_id));
		tx->tx_why = du->du_why;
		if (lead->tx_plan != NULL)
			continue;
		log_info("update %s: container %s: also concerns %s (%s)",
		    lead->tx_opid, lead->tx_name, tx->tx_name,
		    depend_why_text(du->du_why));
	}
	lead->tx_index = 0;
	/* What Docker has put into settings for it has to be told apart. */
	if (lead->tx_nusers > 0 && lead->tx_engine == NULL)
		prep_sent(lead, docker_info(lead->tx_updater->up_docker,
		    users_engine, lead));
	else
		users_next(lead);
}

static void
users_engine(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;

	if ((js = prep_json(tx, dr, NULL)) == NULL)
		return;
	tx->tx_engine = strdup(json_get_str(json_root(js), "Name"));
	json_free(js);
	users_next(tx);
}

static void
users_fail(struct txn *tx)
{
	txn_error(tx->tx_lead, "container \"%s\", which depends on this one: "
	    "%s", tx->tx_name, tx->tx_error);
	prep_fail(tx->tx_lead);
}

static void
users_sent(struct txn *tx, struct docker_req *dq)
{
	tx->tx_req = dq;
	if (dq != NULL)
		return;
	txn_error(tx, "request to Docker: %s", strerror(errno));
	users_fail(tx);
}

/* As prep_json() does; NULL and not gone: it is over. */
static struct json *
users_json(struct txn *tx, const struct docker_reply *dr, bool *gone)
{
	struct json	*js = NULL;

	tx->tx_req = NULL;
	*gone = dr->dr_end == DOCKER_REFUSED && dr->dr_status == 404;
	if (*gone)
		return (NULL);
	if (dr->dr_end != DOCKER_OK)
		txn_error(tx, "%s", dr->dr_error);
	else if ((js = json_parse(dr->dr_body, dr->dr_len, NULL, 0)) == NULL)
		txn_error(tx, "Docker's answer is not valid JSON");
	if (js == NULL)
		users_fail(tx);
	return (js);
}

static void
users_next(struct txn *lead)
{
	struct txn	*tx;

	if (lead->tx_index == lead->tx_nusers) {
		depend_free(lead->tx_depend);
		lead->tx_depend = NULL;
		if (lead->tx_auto)
			prep_sent(lead, docker_image_inspect(
			    lead->tx_updater->up_docker, lead->tx_old_ref,
			    users_lead_ref, lead));
		else
			prep_plan(lead);
		return;
	}
	tx = lead->tx_users[lead->tx_index++];
	users_sent(tx, docker_inspect(tx->tx_updater->up_docker,
	    tx->tx_old_id, users_looked, tx));
}

/* Only a tag can be lent. */
static bool
users_can_lend(const struct txn *tx)
{
	struct docker_ref	 rf;

	return (docker_imageid_ok(tx->tx_moved) &&
	    docker_ref_parse(&rf, tx->tx_old_ref) == 0 &&
	    rf.rf_tag[0] != '\0' && rf.rf_digest[0] == '\0');
}

/* What its reference means; a roll-back gives it another image first. */
static void
users_moved(struct txn *tx, const char *id)
{
	const struct txn	*lead = tx->tx_lead;

	if (lead->tx_retag && strcmp(tx->tx_old_ref, lead->tx_new_ref) == 0)
		id = lead->tx_new_image;
	if (strcmp(id, tx->tx_old_image) != 0)
		strlcpy(tx->tx_moved, id, sizeof(tx->tx_moved));
}

/* Under which reference the leader's old one could be made again. */
static void
users_lead_ref(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	bool		 gone;

	if ((js = prep_json(tx, dr, &gone)) == NULL && !gone)
		return;
	if (!gone)
		users_moved(tx, json_get_str(json_root(js), "Id"));
	json_free(js);
	if (gone || (tx->tx_moved[0] != '\0' && !users_can_lend(tx))) {
		tx->tx_noref = true;
		tx->tx_moved[0] = '\0';
	}
	prep_plan(tx);
}

/* Is it a member that would have another id if it came back? */
static bool
users_is_auto(struct txn *lead, const char *id)
{
	size_t	 i;

	if (lead->tx_auto && strcmp(lead->tx_old_id, id) == 0)
		return (true);
	for (i = 0; i < lead->tx_nusers; i++)
		if (lead->tx_users[i]->tx_auto &&
		    strcmp(lead->tx_users[i]->tx_old_id, id) == 0)
			return (true);
	return (false);
}

/* What it shares has to be there when it is started again. */
static bool
users_can_start(struct txn *tx, const struct json_value *c)
{
	static const char *const	 shares[] = { "NetworkMode", "IpcMode",
		"PidMode" };
	const char			*mode;
	size_t				 i;

	for (i = 0; i < nitems(shares) && tx->tx_running; i++) {
		mode = json_get_str(json_get(c, "HostConfig"), shares[i]);
		if (strncmp(mode, "container:", 10) == 0 &&
		    users_is_auto(tx->tx_lead, mode + 10)) {
			txn_error(tx, "it shares something with a container "
			    "made with --rm, which could not be put back for "
			    "it");
			return (false);
		}
		if (strncmp(mode, "container:", 10) == 0 &&
		    !depend_runs(tx->tx_lead->tx_depend, mode + 10)) {
			txn_error(tx, "it runs, but the container whose %s it "
			    "shares does not: it could not be started again",
			    i == 0 ? "network" : i == 1 ? "IPC" : "processes");
			return (false);
		}
	}
	return (true);
}

static void
users_looked(void *arg, const struct docker_reply *dr)
{
	struct txn			*tx = arg;
	const struct json_value		*c;
	struct json			*js;
	const char			*why;
	bool				 gone;

	if ((js = users_json(tx, dr, &gone)) == NULL && !gone)
		return;
	tx->tx_inspect = js;
	c = json_root(js);
	if (gone)
		why = "it was removed just now: try again";
	else if (!seen_is_named(c, tx->tx_name))
		why = "it was renamed just now: try again";
	else if ((why = prep_check(c)) == NULL && prep_keep(tx, c) == -1)
		why = "its settings are too long";
	if (why != NULL)
		txn_error(tx, "%s", why);
	if (why != NULL || !users_can_start(tx, c)) {
		users_fail(tx);
		return;
	}
	if (tx->tx_kind == TXN_SHARED) {
		if (docker_is_podman(tx->tx_updater->up_docker))
			users_sent(tx, prep_podman_ask(tx, "containers",
			    tx->tx_old_id, users_own));
		else
			users_sent(tx, docker_image_inspect(
			    tx->tx_updater->up_docker, tx->tx_old_image,
			    users_image, tx));
		return;
	}
	/* It stays what it is: nothing of it will have to be put back. */
	free(tx->tx_policy);
	tx->tx_policy = NULL;
	json_free(tx->tx_inspect);
	tx->tx_inspect = NULL;
	users_next(tx->tx_lead);
}

/* As prep_podman() does for the leader. */
static void
users_own(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	bool		 gone, ok;

	if ((js = users_json(tx, dr, &gone)) == NULL && !gone)
		return;
	ok = prep_podman_check(json_root(js), tx->tx_error,
	    sizeof(tx->tx_error));
	json_free(js);
	if (!ok)
		users_fail(tx);
	else
		users_sent(tx, prep_podman_ask(tx, "images", tx->tx_old_image,
		    users_own_image));
}

static void
users_own_image(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	bool		 gone;

	/* Without an answer it is over, and tx no more. */
	if ((js = users_json(tx, dr, &gone)) == NULL && !gone)
		return;
	tx->tx_image_own = js;
	users_sent(tx, docker_image_inspect(tx->tx_updater->up_docker,
	    tx->tx_old_image, users_image, tx));
}

/* --- what a new one is made of ----------------------------------------- */

int
users_spec(struct txn *tx)
{
	struct docker_rebind	 rb[DEPEND_USERS_MAX + 1];
	struct txn		*lead = tx->tx_lead;
	struct docker_spec_in	 si = { 0 };
	size_t			 i;

	docker_spec_free(&tx->tx_spec);
	rb[0].rb_from = lead->tx_old_id;
	rb[0].rb_to = lead->tx_new_id;
	si.si_nrebind = 1;
	for (i = 0; i + 1 < tx->tx_member; i++) {
		if (lead->tx_users[i]->tx_kind != TXN_SHARED)
			continue;
		rb[si.si_nrebind].rb_from = lead->tx_users[i]->tx_old_id;
		rb[si.si_nrebind++].rb_to = lead->tx_users[i]->tx_new_id;
	}
	si.si_container = json_root(tx->tx_inspect);
	si.si_image = json_root(tx->tx_image);
	si.si_ref = tx->tx_old_ref;
	si.si_new = json_root(tx->tx_image);
	si.si_engine = lead->tx_engine;
	si.si_api = docker_api(tx->tx_updater->up_docker);
	si.si_podman = docker_is_podman(tx->tx_updater->up_docker);
	si.si_health = json_get(json_root(tx->tx_image_own), "Healthcheck");
	si.si_rebind = rb;
	return (docker_spec_build(&tx->tx_spec, &si, tx->tx_error,
	    sizeof(tx->tx_error)));
}

static void
users_image(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	bool		 gone;

	/* Else it is over, and tx no more. */
	if ((js = users_json(tx, dr, &gone)) == NULL && !gone)
		return;
	tx->tx_image = js;
	strlcpy(tx->tx_new_image, tx->tx_old_image, sizeof(tx->tx_new_image));
	strlcpy(tx->tx_new_ref, tx->tx_old_ref, sizeof(tx->tx_new_ref));
	if (gone) {
		txn_error(tx, "its image is gone, it could not be made anew: "
		    "update it first");
		users_fail(tx);
	} else if (users_spec(tx) == -1)
		users_fail(tx);
	else
		users_sent(tx, docker_image_inspect(tx->tx_updater->up_docker,
		    tx->tx_old_ref, users_ref, tx));
}

/* Nobody is there under the names that it will need? */
static bool
users_names_free(struct txn *tx)
{
	const struct depend	*dd = tx->tx_lead->tx_depend;
	const char		*name = NULL, *stray;

	stray = depend_named(dd, tx->tx_name_new);
	if (stray != NULL && (!depend_is_fresh(dd, stray) ||
	    !stray_expected(tx->tx_updater, tx->tx_name_new)))
		name = tx->tx_name_new;
	if (depend_named(dd, tx->tx_name_old) != NULL)
		name = tx->tx_name_old;
	if (name == NULL)
		return (true);
	txn_error(tx, "container \"%s\" is in the way: the update needs its "
	    "name; look at it, then remove or rename it", name);
	return (false);
}

static void
users_ref(void *arg, const struct docker_reply *dr)
{
	struct txn		*tx = arg;
	struct json		*js;
	bool			 gone, bad;

	if ((js = users_json(tx, dr, &gone)) == NULL && !gone)
		return;
	if (!gone)
		users_moved(tx, json_get_str(json_root(js), "Id"));
	bad = gone || (tx->tx_moved[0] != '\0' && !users_can_lend(tx));
	json_free(js);
	if (bad) {
		txn_error(tx, "its image reference %s is not its image any "
		    "more: update it first", tx->tx_old_ref);
		users_fail(tx);
		return;
	}
	if (!users_names_free(tx)) {
		users_fail(tx);
		return;
	}
	prep_copied(tx, users_stray);
}

static void
users_stray(struct txn *tx)
{
	const char	*stray;

	stray = depend_named(tx->tx_lead->tx_depend, tx->tx_name_new);
	/* Without force: had it been started meanwhile, it would stay. */
	if (stray != NULL && tx->tx_lead->tx_plan == NULL)
		users_sent(tx, docker_remove(tx->tx_updater->up_docker, stray,
		    false, users_swept, tx));
	else
		users_next(tx->tx_lead);
}

static void
users_swept(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;

	tx->tx_req = NULL;
	if (dr->dr_end != DOCKER_OK && dr->dr_status != 404) {
		txn_error(tx, "container \"%s\" is left from an earlier update "
		    "and cannot be removed: %s", tx->tx_name_new,
		    dr->dr_error);
		users_fail(tx);
		return;
	}
	users_next(tx->tx_lead);
}
