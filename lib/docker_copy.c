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
#include "docker_steps.h"
#include "log.h"

/*
 * The files that compose has copied into a container (docker_copied.h): found
 * while the update is prepared, copied into the successor once that is made
 * and before anybody is touched.  What cannot be found out is told and does
 * not stop an update; what was found and cannot be copied does.
 */
static void	 copy_changes(void *, const struct docker_reply *);
static void	 copy_looks(struct txn *);
static void	 copy_looked(void *, const struct docker_reply *);

/* --- before ------------------------------------------------------------ */

static void
copy_end(struct txn *tx, const char *why)
{
	const char	*trouble;

	json_splitter_free(tx->tx_split);
	tx->tx_split = NULL;
	if (why != NULL) {
		(void)snprintf(tx->tx_copywhy, sizeof(tx->tx_copywhy),
		    "what compose may have copied into it was not found out "
		    "and is not carried over: %s", why);
		copied_free(tx->tx_copied);
		tx->tx_copied = NULL;
	} else if ((trouble = copied_trouble(tx->tx_copied)) != NULL)
		strlcpy(tx->tx_copywhy, trouble, sizeof(tx->tx_copywhy));
	if (tx->tx_copywhy[0] != '\0' && tx->tx_lead->tx_plan == NULL)
		log_warnx("update %s: container %s: %s", tx->tx_opid,
		    tx->tx_name, tx->tx_copywhy);
	tx->tx_next(tx);
}

static int
copy_on_change(void *arg, const char *text, size_t len)
{
	struct txn	*tx = arg;
	struct json	*js;
	int		 rc;

	if ((js = json_parse(text, len, NULL, 0)) == NULL)
		return (-1);
	rc = copied_add(tx->tx_copied, json_root(js));
	json_free(js);
	return (rc);
}

/* null instead of an empty list: Docker says so when nothing has changed. */
static int
copy_on_data(void *arg, const uint8_t *p, size_t len)
{
	struct txn	*tx = arg;

	if (!tx->tx_copyany && len > 0 && p[0] == 'n')
		tx->tx_copynull = true;
	tx->tx_copyany = true;
	if (tx->tx_copynull)
		return (0);
	return (json_splitter_feed(tx->tx_split, p, len));
}

void
prep_copied(struct txn *tx, void (*next)(struct txn *))
{
	const struct json_value	*c = json_root(tx->tx_inspect);

	if (!copied_concerns(c)) {
		next(tx);
		return;
	}
	tx->tx_next = next;
	tx->tx_copyany = tx->tx_copynull = false;
	tx->tx_copied = copied_new(c, json_root(tx->tx_image));
	tx->tx_split = json_splitter_new(JSON_SPLIT_ARRAY,
	    COPIED_CHANGE_MAXBYTES, copy_on_change, tx);
	if (tx->tx_copied == NULL || tx->tx_split == NULL ||
	    (tx->tx_req = docker_changes(tx->tx_updater->up_docker,
	    tx->tx_old_id, copy_on_data, copy_changes, tx)) == NULL)
		copy_end(tx, strerror(errno));
}

static void
copy_changes(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;

	tx->tx_req = NULL;
	if (dr->dr_end == DOCKER_ABORTED)
		copy_end(tx, "Docker's list of changes is too long or not "
		    "valid JSON");
	else if (dr->dr_end != DOCKER_OK)
		copy_end(tx, dr->dr_error);
	else if (!tx->tx_copynull && json_splitter_end(tx->tx_split) == -1)
		copy_end(tx, "Docker's list of changes ended early");
	else
		copy_looks(tx);
}

static void
copy_looks(struct txn *tx)
{
	const char	*path = copied_next(tx->tx_copied);

	if (path == NULL)
		copy_end(tx, NULL);
	else if ((tx->tx_req = docker_path_stat(tx->tx_updater->up_docker,
	    tx->tx_old_id, path, copy_looked, tx)) == NULL)
		copy_end(tx, strerror(errno));
}

static void
copy_looked(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;

	tx->tx_req = NULL;
	if (dr->dr_end != DOCKER_OK && dr->dr_status != 404) {
		copy_end(tx, dr->dr_error);
		return;
	}
	copied_looked(tx->tx_copied, dr->dr_field);
	copy_looks(tx);
}

/* --- the step ---------------------------------------------------------- */

/* A file is fetched, then put: tx_copytar is what lies in between. */
enum txn_act
step_copy(struct txn *tx, const struct json_value *seen)
{
	const char	*path;

	if (seen == NULL)
		return (step_gone(tx, "new"));
	if (tx->tx_index == copied_count(tx->tx_copied))
		return (ACT_DONE);
	path = copied_path(tx->tx_copied, tx->tx_index);
	if (tx->tx_copybad != NULL) {
		txn_error(tx, "copy: %s, which compose has copied into the "
		    "container: %s", path, tx->tx_copybad);
		return (ACT_FAIL);
	}
	tx->tx_copymade = copied_made(seen);
	if (tx->tx_copytar == NULL)
		return (step_sent(tx, docker_path_get(step_docker(tx),
		    tx->tx_old_id, path, COPIED_FILE_MAXBYTES + 65536,
		    txn_replied, tx)));
	return (step_sent(tx, docker_path_put(step_docker(tx), tx->tx_new_id,
	    tx->tx_copytar, tx->tx_copylen, txn_replied, tx)));
}

static void
copy_wipe(struct txn *tx)
{
	if (tx->tx_copytar != NULL)
		freezero(tx->tx_copytar, tx->tx_copylen);
	tx->tx_copytar = NULL;
	tx->tx_copylen = 0;
}

void
copy_free(struct txn *tx)
{
	copy_wipe(tx);
	copied_free(tx->tx_copied);
	tx->tx_copied = NULL;
}

bool
step_copied(struct txn *tx, const struct docker_reply *dr)
{
	if (tx->tx_copytar == NULL)
		tx->tx_copytar = copied_tar(copied_path(tx->tx_copied,
		    tx->tx_index), tx->tx_copymade, dr->dr_body, dr->dr_len,
		    &tx->tx_copylen, &tx->tx_copybad);
	else {
		copy_wipe(tx);
		tx->tx_index++;
	}
	tx->tx_tries = 0;
	return (true);
}
