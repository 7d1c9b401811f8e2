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

#define PREP_LIST_MSEC	30000

static int	 prep_on_container(void *, const char *, size_t);
static void	 prep_listed(void *, const struct docker_reply *);
static void	 prep_swept(void *, const struct docker_reply *);

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

void
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

/*
 * The answer to a create was lost and Docker carried it out later than anybody
 * waited: this container was never started.
 */
static bool
prep_is_stray(struct txn *tx, const struct json_value *c, const char *name)
{
	if (strcmp(name, tx->tx_name_new) != 0 ||
	    !stray_expected(tx->tx_updater, name) ||
	    strcmp(json_get_str(c, "State"), "created") != 0 ||
	    !docker_id_ok(json_get_str(c, "Id")))
		return (false);
	strlcpy(tx->tx_new_id, json_get_str(c, "Id"), sizeof(tx->tx_new_id));
	return (true);
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
			txn_error(tx, "container \"%s\" is in the way: the "
			    "update needs its name; look at it, then remove or "
			    "rename it", name);
	}
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
	if (tx->tx_new_id[0] != '\0' && tx->tx_plan == NULL)
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
