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

#include <string.h>

#include "docker_prepare.h"

/*
 * The names that the update needs have to be free.  Two looks by name cost
 * less than a list where there are many containers.
 */
static void	 prep_next_seen(void *, const struct docker_reply *);
static void	 prep_prev_look(struct txn *);
static void	 prep_prev_seen(void *, const struct docker_reply *);
static void	 prep_swept(void *, const struct docker_reply *);

void
prep_names(struct txn *tx)
{
	prep_sent(tx, docker_inspect(tx->tx_updater->up_docker,
	    tx->tx_name_new, prep_next_seen, tx));
}

void
stray_expect(struct updater *up, const char *name)
{
	if (stray_expected(up, name))
		return;
	strlcpy(up->up_strays[up->up_nextstray], name,
	    sizeof(up->up_strays[0]));
	up->up_nextstray = (up->up_nextstray + 1) % TXN_STRAYS_MAX;
}

bool
stray_expected(const struct updater *up, const char *name)
{
	size_t	 i;

	for (i = 0; i < TXN_STRAYS_MAX; i++)
		if (strcmp(up->up_strays[i], name) == 0)
			return (true);
	return (false);
}

static void
prep_taken(struct txn *tx, const char *name)
{
	txn_error(tx, "container \"%s\" is in the way: the update needs its "
	    "name; look at it, then remove or rename it", name);
	prep_fail(tx);
}

/*
 * The answer to a create was lost and Docker carried it out later than anybody
 * waited: this container was never started.
 */
static bool
prep_is_stray(const struct txn *tx, const struct json_value *c)
{
	return (stray_expected(tx->tx_updater, tx->tx_name_new) &&
	    strcmp(json_get_str(json_get(c, "State"), "Status"),
	    "created") == 0 && docker_id_ok(json_get_str(c, "Id")));
}

static void
prep_next_seen(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	bool		 gone, stray;

	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	stray = !gone && prep_is_stray(tx, json_root(js));
	if (stray)
		strlcpy(tx->tx_new_id, json_get_str(json_root(js), "Id"),
		    sizeof(tx->tx_new_id));
	json_free(js);
	if (!gone && !stray)
		prep_taken(tx, tx->tx_name_new);
	else
		prep_prev_look(tx);
}

static void
prep_prev_look(struct txn *tx)
{
	prep_sent(tx, docker_inspect(tx->tx_updater->up_docker,
	    tx->tx_name_old, prep_prev_seen, tx));
}

static void
prep_prev_seen(void *arg, const struct docker_reply *dr)
{
	struct txn	*tx = arg;
	struct json	*js;
	bool		 gone;

	js = prep_json(tx, dr, &gone);
	if (js == NULL && !gone)
		return;
	json_free(js);
	/* Without force: had it been started meanwhile, it would stay. */
	if (!gone)
		prep_taken(tx, tx->tx_name_old);
	else if (tx->tx_new_id[0] != '\0' && tx->tx_plan == NULL)
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
