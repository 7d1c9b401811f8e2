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
#include "docker_prepare.h"
#include "docker_rollback.h"
#include "imagerule.h"

#define PREP_BODY_MAXBYTES (60U * 1024)	/* to be kept, of all members */
#define PREP_TASK_LABEL	"com.docker.swarm.task"

static void	 prep_inspected(void *, const struct docker_reply *);
static void	 prep_provider(struct txn *);
static void	 prep_provided(void *, const struct docker_reply *);

void
prep_fail(struct txn *tx)
{
	txn_end(tx, UPDATE_FAILED);
}

void
prep_sent(struct txn *tx, struct docker_req *dq)
{
	tx->tx_req = dq;
	if (dq != NULL)
		return;
	txn_error(tx, "request to Docker: %s", strerror(errno));
	prep_fail(tx);
}

struct json *
prep_json(struct txn *tx, const struct docker_reply *dr, bool *gone)
{
	struct json	*js = NULL;

	tx->tx_req = NULL;
	if (gone != NULL)
		*gone = dr->dr_end == DOCKER_REFUSED && dr->dr_status == 404;
	if (gone != NULL && *gone)
		return (NULL);
	if (dr->dr_end != DOCKER_OK)
		txn_error(tx, "%s", dr->dr_error);
	else if ((js = json_parse(dr->dr_body, dr->dr_len, NULL, 0)) == NULL)
		txn_error(tx, "Docker's answer is not valid JSON");
	if (js == NULL)
		prep_fail(tx);
	return (js);
}

void
txn_prepare(struct txn *tx)
{
	txn_progress(tx, "inspect", "", 0, 0);
	prep_sent(tx, docker_inspect(tx->tx_updater->up_docker, tx->tx_name,
	    prep_inspected, tx));
}

/* --- the container ----------------------------------------------------- */

const char *
prep_check(const struct json_value *c)
{
	const char	*status = json_get_str(json_get(c, "State"), "Status");

	if (json_get(json_path(c, "Config.Labels"), PREP_TASK_LABEL) != NULL)
		return ("the container is a swarm task: update its service");
	if (strcmp(status, "removing") == 0 || strcmp(status, "dead") == 0)
		return ("the container is being removed");
	if (!docker_id_ok(json_get_str(c, "Id")) ||
	    !docker_imageid_ok(json_get_str(c, "Image")))
		return ("Docker's description of the container is incomplete");
	return (NULL);
}

int
prep_keep(struct txn *tx, const struct json_value *c)
{
	const struct json_value	*v;
	const char		*status;

	strlcpy(tx->tx_old_id, json_get_str(c, "Id"), sizeof(tx->tx_old_id));
	strlcpy(tx->tx_old_image, json_get_str(c, "Image"),
	    sizeof(tx->tx_old_image));
	if (strlcpy(tx->tx_old_ref, json_get_str(json_get(c, "Config"),
	    "Image"), sizeof(tx->tx_old_ref)) >= sizeof(tx->tx_old_ref))
		return (-1);
	status = json_get_str(json_get(c, "State"), "Status");
	tx->tx_paused = json_bool(json_path(c, "State.Paused"));
	tx->tx_running = json_bool(json_path(c, "State.Running")) ||
	    strcmp(status, "restarting") == 0;
	tx->tx_auto = tx->tx_running &&
	    json_bool(json_path(c, "HostConfig.AutoRemove"));
	tx->tx_stop_sec = docker_stop_sec(tx->tx_updater->up_docker, c);
	v = json_path(c, "HostConfig.RestartPolicy");
	status = json_get_str(v, "Name");
	if (status[0] != '\0' && strcmp(status, "no") != 0 &&
	    (v->jv_rawlen >= TXN_POLICY_MAXBYTES ||
	    (tx->tx_policy = strndup(v->jv_raw, v->jv_rawlen)) == NULL))
		return (-1);
	return (0);
}

/* May this container be updated, and from what; false: tx_error says why. */
static bool
prep_container(struct txn *tx, const struct json_value *c, bool gone)
{
	const char	*why, *name = json_get_str(c, "Name");

	/* Docker also takes an id or the beginning of one for a name. */
	if (gone || name[0] != '/' || strcmp(name + 1, tx->tx_name) != 0) {
		txn_error(tx, "container \"%s\" not found%s", tx->tx_name,
		    self_hint(tx->tx_updater, tx->tx_name));
		return (false);
	}
	if ((why = prep_check(c)) != NULL) {
		txn_error(tx, "%s", why);
		return (false);
	}
	if (!self_prepare(tx, c))
		return (false);
	if (tx->tx_self && docker_is_podman(tx->tx_updater->up_docker)) {
		txn_error(tx, "on podman an agent does not update its own "
		    "container: make it anew by hand");
		return (false);
	}
	if (prep_keep(tx, c) == -1) {
		txn_error(tx, "the container's settings are too long");
		return (false);
	}
	return (txn_hooks_check(tx, json_path(c, "Config.Labels")));
}

/* The reference to update to; false: tx_error says why there is none. */
static bool
prep_reference(struct txn *tx)
{
	strlcpy(tx->tx_new_ref, tx->tx_want_ref[0] != '\0' ?
	    tx->tx_want_ref : tx->tx_old_ref, sizeof(tx->tx_new_ref));
	if (strncmp(tx->tx_new_ref, "sha256:", 7) == 0) {
		txn_error(tx, "the container was made from an image without a "
		    "name: say which image to update to");
		return (false);
	}
	/* Only here is it known what "the current one" is. */
	if (tx->tx_want_ref[0] == '\0' && tx->tx_rule != NULL &&
	    !imagerule_allows(tx->tx_rule, tx->tx_new_ref)) {
		txn_error(tx, "%s: not allowed by agent.allow.images on this "
		    "host", tx->tx_new_ref);
		return (false);
	}
	return (true);
}

static void
prep_inspected(void *arg, const struct docker_reply *dr)
{
	struct txn			*tx = arg;
	const struct json_value		*c;
	struct json			*js;
	bool				 gone;

	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	tx->tx_inspect = js;
	c = json_root(js);
	if (!prep_container(tx, c, gone)) {
		prep_fail(tx);
		return;
	}
	roll_labels(tx, c);
	if (tx->tx_rollback)
		roll_prepare(tx);
	else if (prep_reference(tx))
		prep_chosen(tx);
	else
		prep_fail(tx);
}

void
prep_chosen(struct txn *tx)
{
	tx->tx_index = 0;
	prep_provider(tx);
}

/* --- containers it shares a namespace with ----------------------------- */

static const char *const prep_shares[] = { "NetworkMode", "IpcMode",
    "PidMode" };

/*
 * Without them neither the new one nor, afterwards, the old one can be
 * started: then it is better not to stop it.
 */
static void
prep_provider(struct txn *tx)
{
	const struct json_value	*host;
	const char		*mode;

	host = json_get(json_root(tx->tx_inspect), "HostConfig");
	for (; tx->tx_index < nitems(prep_shares); tx->tx_index++) {
		mode = json_get_str(host, prep_shares[tx->tx_index]);
		if (tx->tx_running && strncmp(mode, "container:", 10) == 0) {
			prep_sent(tx, docker_inspect(tx->tx_updater->up_docker,
			    mode + 10, prep_provided, tx));
			return;
		}
	}
	prep_names(tx);
}

static void
prep_provided(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	bool		 gone, up;

	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	up = json_bool(json_path(json_root(js), "State.Running"));
	json_free(js);
	if (!up) {
		txn_error(tx, "the container whose %s this one shares %s: it "
		    "could not be started again", tx->tx_index == 0 ?
		    "network" : tx->tx_index == 1 ? "IPC" : "processes",
		    gone ? "is gone" : "does not run");
		prep_fail(tx);
		return;
	}
	tx->tx_index++;
	prep_provider(tx);
}

/* --- the plan ---------------------------------------------------------- */

static int
prep_fixed(struct txn *tx)
{
	struct docker_net	*from, *to;
	size_t			 i;

	for (i = 0; i < tx->tx_spec.sp_nnets; i++) {
		from = &tx->tx_spec.sp_nets[i];
		/* One that is made again has lost all but those in its body. */
		if (tx->tx_auto ? from->nt_made : !from->nt_fixed)
			continue;
		to = &tx->tx_fixed[tx->tx_nfixed++];
		to->nt_name = strdup(from->nt_name);
		to->nt_config = strdup(from->nt_config);
		if (to->nt_name == NULL || to->nt_config == NULL)
			return (-1);
	}
	return (0);
}

/*
 * To make the old one again: of its own image, under the same reference if
 * that can be lent to it.
 */
static int
prep_body(struct txn *tx, size_t *total)
{
	struct docker_spec_in	 si = { 0 };
	struct docker_spec	 sp;

	if (!tx->tx_auto)
		return (0);
	if (tx->tx_image == NULL) {
		txn_error(tx, "the container was made with --rm and its image "
		    "is gone: there would be nothing to go back to");
		return (-1);
	}
	if (copied_count(tx->tx_copied) > 0) {
		txn_error(tx, "the container was made with --rm and compose "
		    "has copied %s into it: to go back would lose that",
		    copied_path(tx->tx_copied, 0));
		return (-1);
	}
	si.si_container = json_root(tx->tx_inspect);
	si.si_image = si.si_new = json_root(tx->tx_image);
	si.si_ref = tx->tx_noref ? tx->tx_old_image : tx->tx_old_ref;
	si.si_api = docker_api(tx->tx_updater->up_docker);
	si.si_engine = tx->tx_engine;
	si.si_podman = docker_is_podman(tx->tx_updater->up_docker);
	si.si_health = json_get(json_root(tx->tx_image_own), "Healthcheck");
	if (docker_spec_build(&sp, &si, tx->tx_error,
	    sizeof(tx->tx_error)) == -1)
		return (-1);
	*total += sp.sp_bodylen;
	if (*total > PREP_BODY_MAXBYTES)
		txn_error(tx, "the container was made with --rm, and its "
		    "settings are too long to be kept in the update journal");
	else if ((tx->tx_body = strdup(sp.sp_body)) == NULL)
		txn_error(tx, "out of memory");
	docker_spec_free(&sp);
	return (tx->tx_body == NULL ? -1 : 0);
}

/* The bodies of all, in the order of the journal's records. */
static int
prep_bodies(struct txn *tx)
{
	size_t	 i, total = 0;

	for (i = 0; i < tx->tx_nusers; i++)
		if (prep_body(tx->tx_users[i], &total) == -1) {
			txn_error(tx, "container \"%s\": %s",
			    tx->tx_users[i]->tx_name,
			    tx->tx_users[i]->tx_error);
			return (-1);
		}
	return (prep_body(tx, &total));
}

/* The leader's comes last: without it the others were never meant. */
void
prep_plan(struct txn *tx)
{
	bool	 bad = false;
	size_t	 i;

	if (prep_bodies(tx) == -1 || !self_plan(tx)) {
		prep_fail(tx);
		return;
	}
	if (tx->tx_plan != NULL) {
		txn_end(tx, UPDATE_SUCCESS);
		return;
	}
	for (i = 0; i < tx->tx_nusers && !bad; i++)
		bad = prep_fixed(tx->tx_users[i]) == -1 ||
		    txn_write_plan(tx->tx_users[i]) == -1;
	if (bad || prep_fixed(tx) == -1 || txn_write_plan(tx) == -1) {
		txn_error(tx, "update journal: %s", strerror(errno));
		prep_fail(tx);
		return;
	}
	json_free(tx->tx_inspect);
	json_free(tx->tx_image);
	json_free(tx->tx_image_new);
	json_free(tx->tx_image_own);
	tx->tx_inspect = tx->tx_image = tx->tx_image_new = NULL;
	tx->tx_image_own = NULL;
	txn_forward(tx);
}
