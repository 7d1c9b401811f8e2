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

#include "docker_txn.h"
#include "imagerule.h"

/*
 * Everything of an update that only looks, and the pull.  Whatever is wrong
 * is found here, while the container still runs untouched.
 */
#define PREP_LIST_MSEC	30000
#define PREP_TASK_LABEL	"com.docker.swarm.task"

static void	 prep_inspected(void *, const struct docker_reply *);
static void	 prep_provider(struct txn *);
static void	 prep_provided(void *, const struct docker_reply *);
static void	 prep_list(struct txn *);
static void	 prep_swept(void *, const struct docker_reply *);
static int	 prep_on_container(void *, const char *, size_t);
static void	 prep_listed(void *, const struct docker_reply *);
static void	 prep_image(struct txn *);
static void	 prep_old_image(void *, const struct docker_reply *);
static void	 prep_networks(struct txn *);
static void	 prep_network(void *, const struct docker_reply *);
static void	 prep_pull(struct txn *);
static void	 prep_pulled(void *, const char *);
static void	 prep_new_image(void *, const struct docker_reply *);
static void	 prep_plan(struct txn *);

static void
prep_fail(struct txn *tx)
{
	txn_end(tx, UPDATE_FAILED);
}

/* The request could be made: it is under way.  Else this was it. */
static void
prep_sent(struct txn *tx, struct docker_req *dq)
{
	tx->tx_req = dq;
	if (dq != NULL)
		return;
	txn_error(tx, "request to Docker: %s", strerror(errno));
	prep_fail(tx);
}

/* The parsed answer, or NULL and the transaction is over.  404 is left to
 * the caller when gone is given. */
static struct json *
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

/* NULL when this container can be updated at all. */
static const char *
prep_check(const struct json_value *c)
{
	const char	*status = json_get_str(json_get(c, "State"), "Status");

	if (json_get(json_path(c, "Config.Labels"), PREP_TASK_LABEL) != NULL)
		return ("the container is a swarm task: update its service");
	if (json_bool(json_path(c, "HostConfig.AutoRemove")))
		return ("the container was started with --rm: Docker would "
		    "remove it when it is stopped, so there would be nothing "
		    "to go back to");
	if (strcmp(status, "removing") == 0 || strcmp(status, "dead") == 0)
		return ("the container is being removed");
	if (!docker_id_ok(json_get_str(c, "Id")) ||
	    !docker_imageid_ok(json_get_str(c, "Image")))
		return ("Docker's description of the container is incomplete");
	return (NULL);
}

static int
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
	tx->tx_stop_sec = docker_stop_sec(c);
	v = json_path(c, "HostConfig.RestartPolicy");
	status = json_get_str(v, "Name");
	if (status[0] != '\0' && strcmp(status, "no") != 0 &&
	    (v->jv_rawlen >= TXN_POLICY_MAXBYTES ||
	    (tx->tx_policy = strndup(v->jv_raw, v->jv_rawlen)) == NULL))
		return (-1);
	return (0);
}

static void
prep_inspected(void *arg, const struct docker_reply *dr)
{
	struct txn			*tx = arg;
	const struct json_value		*c;
	struct json			*js;
	const char			*why, *name;
	bool				 gone;

	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	tx->tx_inspect = js;
	c = json_root(js);
	name = json_get_str(c, "Name");
	/* Docker also takes an id or the beginning of one for a name. */
	if (gone || name[0] != '/' || strcmp(name + 1, tx->tx_name) != 0) {
		txn_error(tx, "container \"%s\" not found", tx->tx_name);
		prep_fail(tx);
		return;
	}
	if ((why = prep_check(c)) != NULL) {
		txn_error(tx, "%s", why);
		prep_fail(tx);
		return;
	}
	if (prep_keep(tx, c) == -1) {
		txn_error(tx, "the container's settings are too long");
		prep_fail(tx);
		return;
	}
	strlcpy(tx->tx_new_ref, tx->tx_want_ref[0] != '\0' ?
	    tx->tx_want_ref : tx->tx_old_ref, sizeof(tx->tx_new_ref));
	if (strncmp(tx->tx_new_ref, "sha256:", 7) == 0) {
		txn_error(tx, "the container was made from an image without a "
		    "name: say which image to update to");
		prep_fail(tx);
		return;
	}
	/* Only here is it known what "the current one" is. */
	if (tx->tx_want_ref[0] == '\0' && tx->tx_rule != NULL &&
	    !imagerule_allows(tx->tx_rule, tx->tx_new_ref)) {
		txn_error(tx, "%s: not allowed by agent.allow.images on this "
		    "host", tx->tx_new_ref);
		prep_fail(tx);
		return;
	}
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
	prep_list(tx);
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

/* --- its neighbours ---------------------------------------------------- */

static int
prep_on_data(void *arg, const uint8_t *p, size_t len)
{
	struct txn	*tx = arg;

	if (json_splitter_feed(tx->tx_split, p, len) == 0)
		return (0);
	if (tx->tx_error[0] == '\0')
		txn_error(tx, "Docker's list of containers is not valid JSON");
	return (-1);
}

static void
prep_list(struct txn *tx)
{
	struct docker_call	 dc = {
		.dc_method = "GET", .dc_path = "/containers/json?all=1",
		.dc_total_msec = PREP_LIST_MSEC, .dc_data = prep_on_data,
		.dc_done = prep_listed, .dc_arg = tx
	};

	tx->tx_split = json_splitter_new(JSON_SPLIT_ARRAY,
	    DOCKER_ITEM_MAXBYTES, prep_on_container, tx);
	if (tx->tx_split == NULL)
		prep_sent(tx, NULL);
	else
		prep_sent(tx, docker_call(tx->tx_updater->up_docker, &dc));
}

/*
 * The answer to a create was lost in a crash and Docker carried it out later:
 * this container was never started and nobody knows of it.
 */
static bool
prep_is_stray(struct txn *tx, const struct json_value *c, const char *name)
{
	if (strcmp(name, tx->tx_name_new) != 0 ||
	    strcmp(json_get_str(c, "State"), "created") != 0 ||
	    !docker_id_ok(json_get_str(c, "Id")))
		return (false);
	strlcpy(tx->tx_new_id, json_get_str(c, "Id"), sizeof(tx->tx_new_id));
	return (true);
}

/* A container whose network is that of the one to be updated. */
static void
prep_dependant(struct txn *tx, const struct json_value *c, const char *name)
{
	const char	*mode;

	mode = json_get_str(json_get(c, "HostConfig"), "NetworkMode");
	if (strncmp(mode, "container:", 10) != 0 ||
	    (strcmp(mode + 10, tx->tx_old_id) != 0 &&
	    strcmp(mode + 10, tx->tx_name) != 0) ||
	    strcmp(json_get_str(c, "State"), "running") != 0)
		return;
	txn_error(tx, "container \"%s\" uses the network of this one and would "
	    "lose it: stop it first and make it anew afterwards", name);
}

static int
prep_on_container(void *arg, const char *text, size_t len)
{
	struct txn			*tx = arg;
	struct json			*js;
	const struct json_value		*c, *v;
	const char			*name = "";

	if ((js = json_parse(text, len, NULL, 0)) == NULL)
		return (-1);
	c = json_root(js);
	v = json_get(c, "Names");
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		if ((name = json_str(v)) == NULL)
			name = "";
		name += *name == '/';
		if ((strcmp(name, tx->tx_name_new) == 0 &&
		    !prep_is_stray(tx, c, name)) ||
		    strcmp(name, tx->tx_name_old) == 0)
			txn_error(tx, "container \"%s\" is left from an "
			    "earlier update: look at it, then remove or rename "
			    "it", name);
	}
	prep_dependant(tx, c, name);
	json_free(js);
	return (tx->tx_error[0] == '\0' ? 0 : -1);
}

static void
prep_listed(void *arg, const struct docker_reply *dr)
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
	if (tx->tx_error[0] != '\0') {
		prep_fail(tx);
		return;
	}
	/* Without force: had it been started meanwhile, it would stay. */
	if (tx->tx_new_id[0] != '\0')
		prep_sent(tx, docker_remove(tx->tx_updater->up_docker,
		    tx->tx_new_id, false, prep_swept, tx));
	else
		prep_image(tx);
}

static void
prep_swept(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;

	tx->tx_req = NULL;
	if (dr->dr_end != DOCKER_OK && dr->dr_status != 404) {
		txn_error(tx, "container \"%s\" is left from an earlier update "
		    "and cannot be removed: %s", tx->tx_name_new,
		    dr->dr_error);
		prep_fail(tx);
		return;
	}
	tx->tx_new_id[0] = '\0';
	prep_image(tx);
}

/* --- its image --------------------------------------------------------- */

/* By id: the tag may point elsewhere by now. */
static void
prep_image(struct txn *tx)
{
	prep_sent(tx, docker_image_inspect(tx->tx_updater->up_docker,
	    tx->tx_old_image, prep_old_image, tx));
}

/* The digest under which ref's repository knows this image, or any. */
static void
prep_digest(const struct json_value *image, const char *ref, char *out,
    size_t size)
{
	const struct json_value	*v = json_get(image, "RepoDigests");
	struct docker_ref	 rf;
	const char		*s, *at, *any = "";

	if (docker_ref_parse(&rf, ref) == -1)
		rf.rf_repo[0] = '\0';
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next) {
		if ((s = json_str(v)) == NULL || s[0] == '<' ||
		    (at = strchr(s, '@')) == NULL ||
		    !docker_imageid_ok(at + 1))
			continue;
		if (any[0] == '\0')
			any = s;
		if (strlen(rf.rf_repo) == (size_t)(at - s) &&
		    strncmp(rf.rf_repo, s, (size_t)(at - s)) == 0) {
			any = s;
			break;
		}
	}
	if (strlcpy(out, any, size) >= size)
		out[0] = '\0';
}

static void
prep_old_image(void *arg, const struct docker_reply *dr)
{
	struct txn		*tx = arg;
	struct json		*js;
	struct docker_spec_in	 si = { 0 };
	bool			 gone;

	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	if (js != NULL) {
		prep_digest(json_root(js), tx->tx_old_ref, tx->tx_old_digest,
		    sizeof(tx->tx_old_digest));
		snprintf(tx->tx_keep, sizeof(tx->tx_keep), "%.12s",
		    tx->tx_old_id);
	}
	si.si_container = json_root(tx->tx_inspect);
	si.si_image = json_root(js);
	si.si_ref = tx->tx_new_ref;
	si.si_api = docker_api(tx->tx_updater->up_docker);
	if (docker_spec_build(&tx->tx_spec, &si, tx->tx_error,
	    sizeof(tx->tx_error)) == -1) {
		json_free(js);
		prep_fail(tx);
		return;
	}
	json_free(js);
	tx->tx_index = 0;
	prep_networks(tx);
}

/* --- its networks ------------------------------------------------------ */

static void
prep_networks(struct txn *tx)
{
	struct docker_spec	*sp = &tx->tx_spec;

	if (tx->tx_index < sp->sp_nnets)
		prep_sent(tx, docker_net_inspect(tx->tx_updater->up_docker,
		    sp->sp_nets[tx->tx_index].nt_name, prep_network, tx));
	else
		prep_pull(tx);
}

static void
prep_network(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	bool		 gone;

	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	json_free(js);
	if (gone) {
		txn_error(tx, "network \"%s\" of the container does not exist "
		    "any more", tx->tx_spec.sp_nets[tx->tx_index].nt_name);
		prep_fail(tx);
		return;
	}
	tx->tx_index++;
	prep_networks(tx);
}

/* --- the new image ----------------------------------------------------- */

static void
prep_progress(void *arg, const char *what, uint64_t done, uint64_t total)
{
	txn_progress(arg, "pull", what, done, total);
}

static void
prep_pull(struct txn *tx)
{
	static const struct docker_pull_cbs	 cbs = {
		.pc_progress = prep_progress, .pc_done = prep_pulled
	};
	struct updater				*up = tx->tx_updater;

	if (tx->tx_nopull) {
		prep_pulled(tx, "");
		return;
	}
	txn_progress(tx, "pull", tx->tx_new_ref, 0, 0);
	tx->tx_pull = docker_pull(up->up_docker, tx->tx_new_ref, tx->tx_auth,
	    up->up_conf.uc_pull_idle_msec, &cbs, tx);
	if (tx->tx_auth != NULL) {
		freezero(tx->tx_auth, strlen(tx->tx_auth));
		tx->tx_auth = NULL;
	}
	if (tx->tx_pull == NULL) {
		txn_error(tx, errno == EINVAL ? "bad image reference \"%s\"" :
		    "pull of %s: too many requests to Docker", tx->tx_new_ref);
		prep_fail(tx);
	}
}

static void
prep_pulled(void *arg, const char *error)
{
	struct txn	*tx = arg;

	tx->tx_pull = NULL;
	if (error[0] != '\0') {
		txn_error(tx, "pull of %s: %s", tx->tx_new_ref, error);
		prep_fail(tx);
		return;
	}
	prep_sent(tx, docker_image_inspect(tx->tx_updater->up_docker,
	    tx->tx_new_ref, prep_new_image, tx));
}

/* Is one of the digests, or the id, the one that was asked for? */
static bool
prep_digest_matches(const struct json_value *image, const char *want)
{
	const struct json_value	*v = json_get(image, "RepoDigests");
	const char		*s, *at;

	if (want[0] == '\0' || strcmp(json_get_str(image, "Id"), want) == 0)
		return (true);
	for (v = json_is(v, JSON_ARRAY) ? v->jv_child : NULL; v != NULL;
	    v = v->jv_next)
		if ((s = json_str(v)) != NULL && (at = strchr(s, '@')) != NULL
		    && strcmp(at + 1, want) == 0)
			return (true);
	return (false);
}

static void
prep_new_image(void *arg, const struct docker_reply *dr)
{
	struct txn			*tx = arg;
	struct json			*js;
	const struct json_value		*image;
	bool				 gone, match;

	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	image = json_root(js);
	if (gone || !docker_imageid_ok(json_get_str(image, "Id"))) {
		txn_error(tx, "image %s is not there", tx->tx_new_ref);
		json_free(js);
		prep_fail(tx);
		return;
	}
	strlcpy(tx->tx_new_image, json_get_str(image, "Id"),
	    sizeof(tx->tx_new_image));
	prep_digest(image, tx->tx_new_ref, tx->tx_new_digest,
	    sizeof(tx->tx_new_digest));
	match = prep_digest_matches(image, tx->tx_want_digest);
	json_free(js);
	if (!match) {
		txn_error(tx, "%s is not %s any more: the tag moved, ask for "
		    "the update again", tx->tx_new_ref, tx->tx_want_digest);
		prep_fail(tx);
	} else if (strcmp(tx->tx_new_image, tx->tx_old_image) == 0)
		txn_end(tx, UPDATE_IDENTICAL);
	else
		prep_plan(tx);
}

/* --- the plan ---------------------------------------------------------- */

static int
prep_fixed(struct txn *tx)
{
	struct docker_net	*from, *to;
	size_t			 i;

	for (i = 0; i < tx->tx_spec.sp_nnets; i++) {
		from = &tx->tx_spec.sp_nets[i];
		if (!from->nt_fixed)
			continue;
		to = &tx->tx_fixed[tx->tx_nfixed++];
		to->nt_name = strdup(from->nt_name);
		to->nt_config = strdup(from->nt_config);
		if (to->nt_name == NULL || to->nt_config == NULL)
			return (-1);
	}
	return (0);
}

static void
prep_plan(struct txn *tx)
{
	if (prep_fixed(tx) == -1 || txn_write_plan(tx) == -1) {
		txn_error(tx, "update journal: %s", strerror(errno));
		prep_fail(tx);
		return;
	}
	json_free(tx->tx_inspect);
	tx->tx_inspect = NULL;
	txn_forward(tx);
}
