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

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "docker_keep.h"
#include "docker_rollback.h"
#include "docker_steps.h"
#include "log.h"

/*
 * After a success: the image that was replaced gets its private name, and
 * what is more than is to be kept goes.  Never by force, never what a
 * container uses, and whatever fails here is a line in the log and beside
 * the result, and no more.
 */
#define SWEEP_LIST_MSEC	30000

enum {				/* tx_index: what comes next */
	SWEEP_CONTAINERS,
	SWEEP_IMAGES,
	SWEEP_DROP		/* the first name, and so on */
};

static int	 sweep_on_item(void *, const char *, size_t);
static int	 sweep_on_data(void *, const uint8_t *, size_t);
static void	 sweep_trouble(struct txn *, const char *, ...)
		    __printflike_(2, 3);
static void	 sweep_dropped(void *, const struct docker_reply *);

/* --- lists ------------------------------------------------------------- */

struct docker_req *
sweep_list(struct txn *tx, const char *path,
    int (*fn)(struct txn *, const struct json_value *), docker_cb done)
{
	struct docker_call	 dc = {
		.dc_method = "GET", .dc_path = path,
		.dc_total_msec = SWEEP_LIST_MSEC, .dc_data = sweep_on_data,
		.dc_done = done, .dc_arg = tx
	};

	json_splitter_free(tx->tx_split);
	tx->tx_on_item = fn;
	if ((tx->tx_split = json_splitter_new(JSON_SPLIT_ARRAY,
	    DOCKER_ITEM_MAXBYTES, sweep_on_item, tx)) == NULL)
		return (NULL);
	return (docker_call(tx->tx_updater->up_docker, &dc));
}

static int
sweep_on_item(void *arg, const char *text, size_t len)
{
	struct txn	*tx = arg;
	struct json	*js;
	int		 rc;

	if ((js = json_parse(text, len, NULL, 0)) == NULL)
		return (-1);
	rc = tx->tx_on_item(tx, json_root(js));
	json_free(js);
	return (rc);
}

static int
sweep_on_data(void *arg, const uint8_t *p, size_t len)
{
	struct txn	*tx = arg;

	return (json_splitter_feed(tx->tx_split, p, len));
}

const char *
sweep_ended(struct txn *tx)
{
	int	 rc;

	if (tx->tx_split == NULL)
		return ("Docker's list was not read");
	rc = json_splitter_end(tx->tx_split);
	json_splitter_free(tx->tx_split);
	tx->tx_split = NULL;
	return (rc == -1 ? "Docker's list ended early or is not valid JSON" :
	    "");
}

/* A line in the log and in the result; the update is a success all the same. */
static void
sweep_trouble(struct txn *tx, const char *fmt, ...)
{
	struct txn	*lead = tx->tx_lead;
	char		 text[UPDATE_ERROR_MAXBYTES];
	size_t		 len = strlen(lead->tx_trouble);
	va_list		 ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warnx("update %s: container %s: %s", tx->tx_opid, tx->tx_name,
	    text);
	(void)snprintf(lead->tx_trouble + len, sizeof(lead->tx_trouble) - len,
	    "%s%s", len > 0 ? "; " : "", text);
}

/* --- keep -------------------------------------------------------------- */

/* Has this transaction replaced an image? */
static bool
sweep_is_due(const struct txn *tx)
{
	return (tx == tx->tx_lead && tx->tx_confirmed &&
	    tx->tx_new_image[0] != '\0' &&
	    strcmp(tx->tx_old_image, tx->tx_new_image) != 0 &&
	    (tx->tx_keep_count > 0 || tx->tx_cleanup));
}

enum txn_act
step_keep(struct txn *tx, const struct json_value *seen)
{
	char	 repo[DOCKER_REF_MAXBYTES], tag[KEEP_TAG_MAXBYTES];

	(void)seen;
	/* Without tx_keep its image was gone before this began. */
	if (!sweep_is_due(tx) || tx->tx_keep_count == 0 ||
	    tx->tx_keep[0] == '\0')
		return (ACT_DONE);
	if (keep_make_name(repo, tag, tx->tx_name, tx->tx_old_ref,
	    time(NULL)) == -1) {
		sweep_trouble(tx, "its name is too long for its image to be "
		    "kept: it cannot be rolled back");
		return (ACT_DONE);
	}
	tx->tx_unnamed = true;
	return (step_sent(tx, docker_image_tag(step_docker(tx),
	    tx->tx_old_image, repo, tag, txn_replied, tx)));
}

bool
step_named(struct txn *tx, const struct docker_reply *dr)
{
	(void)dr;
	tx->tx_unnamed = false;
	return (false);
}

/* --- clean-up ---------------------------------------------------------- */

static int
sweep_on_container(struct txn *tx, const struct json_value *c)
{
	return (keep_add_container(tx->tx_earlier, c));
}

static int
sweep_on_image(struct txn *tx, const struct json_value *image)
{
	return (keep_add_image(tx->tx_earlier, image, tx->tx_old_image));
}

/* Others may be about to make a container from an image. */
static int
sweep_others(struct txn *tx)
{
	struct txn	*t;

	TAILQ_FOREACH(t, &tx->tx_updater->up_txns, tx_entry)
		if (t != tx && (keep_add_used(tx->tx_earlier,
		    t->tx_old_image) == -1 || keep_add_used(tx->tx_earlier,
		    t->tx_new_image) == -1))
			return (-1);
	return (0);
}

/* That its private name could not be given must not cost it the image: to
 * that one a rollback would go. */
static int
sweep_spare(struct txn *tx)
{
	if (tx->tx_keep_count == 0 || keep_has(tx->tx_earlier,
	    tx->tx_old_image, tx->tx_name))
		return (0);
	return (keep_add_used(tx->tx_earlier, tx->tx_old_image));
}

static int
sweep_decide(struct txn *tx)
{
	struct keep_rule	 kr = {
		.kr_container = tx->tx_name, .kr_image = tx->tx_new_image,
		.kr_old_image = tx->tx_old_image, .kr_old_ref = tx->tx_old_ref,
		.kr_count = tx->tx_keep_count, .kr_days = tx->tx_keep_days,
		.kr_cleanup = tx->tx_cleanup, .kr_now = time(NULL)
	};

	return (sweep_others(tx) == -1 || sweep_spare(tx) == -1 ? -1 :
	    keep_decide(tx->tx_earlier, &kr));
}

enum txn_act
step_sweep(struct txn *tx, const struct json_value *seen)
{
	struct keep	*kp;

	(void)seen;
	if (!sweep_is_due(tx))
		return (ACT_DONE);
	if (tx->tx_earlier == NULL && (tx->tx_earlier = keep_new()) == NULL) {
		txn_error(tx, "clean-up of images: out of memory");
		return (ACT_FAIL);
	}
	kp = tx->tx_earlier;
	switch (tx->tx_index) {
	case SWEEP_CONTAINERS:
		keep_reset_used(kp);
		return (step_sent(tx, sweep_list(tx,
		    "/containers/json?all=1", sweep_on_container,
		    txn_replied)));
	case SWEEP_IMAGES:
		keep_reset_images(kp);
		return (step_sent(tx, sweep_list(tx, "/images/json",
		    sweep_on_image, txn_replied)));
	default:
		if (tx->tx_index - SWEEP_DROP >= kp->kp_ndrops)
			return (ACT_DONE);
		return (step_sent(tx, docker_image_untag(step_docker(tx),
		    kp->kp_drops[tx->tx_index - SWEEP_DROP], sweep_dropped,
		    tx)));
	}
}

/* A list is there, or a name is gone. */
bool
step_swept(struct txn *tx, const struct docker_reply *dr)
{
	const char	*why = "";

	(void)dr;
	if (tx->tx_index < SWEEP_DROP)
		why = sweep_ended(tx);
	/* Half a list would say that images are free that are not. */
	if (why[0] != '\0' || (tx->tx_index == SWEEP_IMAGES &&
	    sweep_decide(tx) == -1)) {
		sweep_trouble(tx, "clean-up of images: %s", why[0] != '\0' ?
		    why : "out of memory");
		return (false);
	}
	tx->tx_index++;
	tx->tx_tries = 0;
	return (true);
}

/* Docker refuses what is in use: so it stays, and the others go. */
static void
sweep_dropped(void *arg, const struct docker_reply *dr)
{
	struct txn		*tx = arg;
	struct docker_reply	 done = *dr;
	const char		*name;

	name = tx->tx_earlier->kp_drops[tx->tx_index - SWEEP_DROP];
	if (dr->dr_end == DOCKER_OK)
		log_info("update %s: container %s: %s is dropped", tx->tx_opid,
		    tx->tx_name, name);
	else if (dr->dr_end == DOCKER_REFUSED) {
		if (dr->dr_status != 404)
			sweep_trouble(tx, "clean-up of images: %s stays: %s",
			    name, dr->dr_error);
		done.dr_end = DOCKER_OK;
	}
	txn_replied(tx, &done);
}
