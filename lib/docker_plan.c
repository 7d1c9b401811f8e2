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

#include <stdlib.h>
#include <string.h>

#include "docker_plan.h"
#include "docker_txn.h"

struct txn_plan {
	updater_plan_cb	 tp_cb;
	void		*tp_arg;
};

int
updater_plan(struct updater *up, const struct update_request *uq,
    updater_plan_cb cb, void *arg, char *err, size_t errsize)
{
	struct txn_plan	*tp;
	struct txn	*tx;

	if ((tx = txn_request(up, uq, err, errsize)) == NULL)
		return (-1);
	if ((tp = calloc(1, sizeof(*tp))) == NULL) {
		strlcpy(err, "out of memory", errsize);
		txn_discard(tx);
		return (-1);
	}
	tp->tp_cb = cb;
	tp->tp_arg = arg;
	tx->tx_plan = tp;
	tx->tx_nopull = true;
	txn_later(tx, 0, txn_prepare);
	return (0);
}

static size_t
plan_users(const struct txn *tx, struct plan_user *users)
{
	size_t	 i;

	for (i = 0; i < tx->tx_nusers; i++) {
		users[i].pu_name = tx->tx_users[i]->tx_name;
		users[i].pu_why = tx->tx_users[i]->tx_why;
		users[i].pu_remade = tx->tx_users[i]->tx_kind == TXN_SHARED;
		users[i].pu_running = tx->tx_users[i]->tx_running;
	}
	return (i);
}

void
txn_plan_end(struct txn *tx, enum update_outcome outcome)
{
	struct plan_user	 users[DEPEND_USERS_MAX];
	const struct txn_plan	*tp = tx->tx_plan;
	struct plan_facts	 pf = { 0 };

	if (outcome != UPDATE_SUCCESS && outcome != UPDATE_IDENTICAL) {
		tp->tp_cb(tp->tp_arg, tx->tx_error, NULL);
		txn_discard(tx);
		return;
	}
	pf.pf_container = json_root(tx->tx_inspect);
	pf.pf_old = json_root(tx->tx_image);
	pf.pf_new = json_root(tx->tx_image_new);
	pf.pf_spec = &tx->tx_spec;
	pf.pf_copied = tx->tx_copied;
	pf.pf_copywhy = tx->tx_copywhy[0] == '\0' ? NULL : tx->tx_copywhy;
	pf.pf_old_image = tx->tx_old_ref;
	pf.pf_old_digest = tx->tx_old_digest;
	pf.pf_new_image = tx->tx_new_ref;
	pf.pf_new_digest = tx->tx_new_digest;
	pf.pf_identical = outcome == UPDATE_IDENTICAL;
	pf.pf_running = tx->tx_running;
	pf.pf_stop_sec = tx->tx_stop_sec;
	pf.pf_api = docker_api(tx->tx_updater->up_docker);
	pf.pf_users = users;
	pf.pf_nusers = plan_users(tx, users);
	tp->tp_cb(tp->tp_arg, "", &pf);
	txn_discard(tx);
}
