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
#include <string.h>

#include "docker_prepare.h"
#include "docker_rollback.h"

static void	 prep_old_image(void *, const struct docker_reply *);
static void	 prep_engine(void *, const struct docker_reply *);
static void	 prep_first_spec(struct txn *);
static void	 prep_networks(struct txn *);
static void	 prep_network(void *, const struct docker_reply *);
static void	 prep_pull(struct txn *);
static void	 prep_pulled(void *, const char *);
static void	 prep_new_image(void *, const struct docker_reply *);

/* By id: the tag may point elsewhere by now. */
void
prep_image(struct txn *tx)
{
	prep_sent(tx, docker_image_inspect(tx->tx_updater->up_docker,
	    tx->tx_old_image, prep_old_image, tx));
}

/*
 * What the new container is to be.  Before the pull, to refuse what cannot
 * be carried over; then again, with what the new image is.
 */
static int
prep_spec(struct txn *tx)
{
	struct docker_spec_in	 si = { 0 };

	docker_spec_free(&tx->tx_spec);
	si.si_container = json_root(tx->tx_inspect);
	si.si_image = json_root(tx->tx_image);
	si.si_new = json_root(tx->tx_image_new);
	si.si_ref = tx->tx_new_ref;
	si.si_engine = tx->tx_engine;
	si.si_api = docker_api(tx->tx_updater->up_docker);
	si.si_podman = docker_is_podman(tx->tx_updater->up_docker);
	si.si_health = json_get(json_root(tx->tx_image_own), "Healthcheck");
	return (docker_spec_build(&tx->tx_spec, &si, tx->tx_error,
	    sizeof(tx->tx_error)));
}

static void
prep_old_image(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	const char	*mode;
	bool		 gone;

	/* Without an answer the transaction is over, and freed. */
	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	tx->tx_image = js;
	if (tx->tx_image != NULL) {
		docker_image_digest_of(json_root(tx->tx_image), tx->tx_old_ref,
		    tx->tx_old_digest, sizeof(tx->tx_old_digest));
		snprintf(tx->tx_keep, sizeof(tx->tx_keep), "%.12s",
		    tx->tx_old_id);
	}
	mode = json_get_str(json_path(json_root(tx->tx_inspect),
	    "HostConfig"), "NetworkMode");
	/* Such a container was given the host's name. */
	if (strcmp(mode, "host") == 0)
		prep_sent(tx, docker_info(tx->tx_updater->up_docker,
		    prep_engine, tx));
	else
		prep_podman(tx, prep_first_spec);
}

static void
prep_engine(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;

	if ((js = prep_json(tx, dr, NULL)) == NULL)
		return;
	tx->tx_engine = strdup(json_get_str(json_root(js), "Name"));
	json_free(js);
	prep_podman(tx, prep_first_spec);
}

static void
prep_first_spec(struct txn *tx)
{
	if (prep_spec(tx) == -1) {
		prep_fail(tx);
		return;
	}
	tx->tx_index = 0;
	prep_networks(tx);
}

/* --- its networks ------------------------------------------------------ */

/* In the old container.  A plan runs nothing. */
static void
prep_hook(struct txn *tx)
{
	if (tx->tx_plan != NULL)
		prep_pull(tx);
	else
		txn_hooks_pre(tx, prep_pull);
}

static void
prep_networks(struct txn *tx)
{
	struct docker_spec	*sp = &tx->tx_spec;

	if (tx->tx_index < sp->sp_nnets)
		prep_sent(tx, docker_net_inspect(tx->tx_updater->up_docker,
		    sp->sp_nets[tx->tx_index].nt_name, prep_network, tx));
	else
		prep_copied(tx, prep_hook);
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
	/* For a rollback by id: its reference may name another still. */
	prep_sent(tx, docker_image_inspect(tx->tx_updater->up_docker,
	    tx->tx_rollback ? tx->tx_new_image : tx->tx_new_ref,
	    prep_new_image, tx));
}

static void
prep_new_image(void *arg, const struct docker_reply *dr)
{
	struct txn			*tx = arg;
	const struct json_value		*image;
	struct json			*js;
	bool				 gone;

	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	tx->tx_image_new = js;
	image = json_root(tx->tx_image_new);
	if (gone && tx->tx_plan != NULL) {
		/* It would be pulled: the plan is what is known without. */
		prep_users(tx);
		return;
	}
	if (gone || !docker_imageid_ok(json_get_str(image, "Id"))) {
		txn_error(tx, "image %s is not there", tx->tx_new_ref);
		prep_fail(tx);
		return;
	}
	strlcpy(tx->tx_new_image, json_get_str(image, "Id"),
	    sizeof(tx->tx_new_image));
	docker_image_digest_of(image, tx->tx_new_ref, tx->tx_new_digest,
	    sizeof(tx->tx_new_digest));
	if (roll_is_bad(tx, image))
		prep_fail(tx);
	else if (!docker_image_has_digest(image, tx->tx_want_digest)) {
		txn_error(tx, "%s is not %s any more: the tag moved, ask for "
		    "the update again", tx->tx_new_ref, tx->tx_want_digest);
		prep_fail(tx);
	} else if (strcmp(tx->tx_new_image, tx->tx_old_image) == 0)
		txn_end(tx, UPDATE_IDENTICAL);
	else if (prep_spec(tx) == -1)
		prep_fail(tx);
	else
		prep_users(tx);
}
