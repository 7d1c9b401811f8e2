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

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "docker_prepare.h"
#include "docker_steps.h"
#include "log.h"

/*
 * What a crash leaves of a hook: the process in the container goes on, and
 * its time is nobody's any more.  It is not run again, and it must not run on
 * for ever beside what comes next, so it is ended here, by its mark.
 *
 * Docker may be the one that crashed: it is waited for, but not for ever.
 */
#define CLEAR_TRIES_MAX		30

static void	 clear_look(struct txn *);
static void	 clear_looked(void *, const struct docker_reply *);
static void	 clear_done(void *, const struct docker_exec_result *);
static void	 clear_end(struct txn *, const char *);

void
txn_hooks_clear(struct txn *tx, const char *id, void (*next)(struct txn *))
{
	struct txn_hooks	*th = &tx->tx_hooks;

	th->th_cleared = true;
	th->th_tries = 0;
	th->th_after = next;
	strlcpy(th->th_where, id, sizeof(th->th_where));
	if (!docker_id_ok(id)) {
		/* Of a version that did not write it down. */
		clear_end(tx, "it may still run");
		return;
	}
	clear_look(tx);
}

static void
clear_end(struct txn *tx, const char *text)
{
	struct txn_hooks	*th = &tx->tx_hooks;

	strlcpy(th->th_fate, text, sizeof(th->th_fate));
	log_info("update %s: container %s: a hook that was interrupted: %s",
	    tx->tx_opid, tx->tx_name, text);
	/* From the loop, as if it had been asked for. */
	txn_later(tx, 0, th->th_after);
}

static void
clear_again(struct txn *tx)
{
	if (++tx->tx_hooks.th_tries == CLEAR_TRIES_MAX)
		clear_end(tx, "Docker is away, so it may still run");
	else
		txn_later(tx, tx->tx_updater->up_conf.uc_retry_msec,
		    clear_look);
}

static void
clear_look(struct txn *tx)
{
	tx->tx_req = docker_inspect(tx->tx_updater->up_docker,
	    tx->tx_hooks.th_where, clear_looked, tx);
	if (tx->tx_req == NULL)
		clear_again(tx);
}

static void
clear_looked(void *arg, const struct docker_reply *dr)
{
	struct txn		*tx = arg;
	struct updater		*up = tx->tx_updater;
	struct json		*js = NULL;
	bool			 is_up;

	tx->tx_req = NULL;
	if (dr->dr_end == DOCKER_OK)
		js = json_parse(dr->dr_body, dr->dr_len, NULL, 0);
	is_up = js != NULL && seen_is_up(json_root(js));
	json_free(js);
	if (js == NULL && dr->dr_status != 404) {
		clear_again(tx);
		return;
	}
	if (!is_up) {
		clear_end(tx, "it has ended with its container");
		return;
	}
	if ((tx->tx_hooks.th_exec = hook_end(up->up_base, up->up_docker,
	    tx->tx_hooks.th_where, tx->tx_opid, clear_done, tx)) == NULL)
		clear_again(tx);
}

static void
clear_done(void *arg, const struct docker_exec_result *er)
{
	struct txn	*tx = arg;

	tx->tx_hooks.th_exec = NULL;
	if (er->er_end == EXEC_UNKNOWN)
		clear_again(tx);
	else
		clear_end(tx, hook_end_describe(er));
}

/* Of recovery: the hook before the update, and nothing was touched. */
static void
clear_pre(struct txn *tx)
{
	txn_error(tx, "interrupted while the pre-update hook ran: it is not "
	    "run again (%s); nothing else was changed", tx->tx_hooks.th_fate);
	txn_end(tx, UPDATE_FAILED);
}

bool
txn_hooks_recover(struct txn *tx)
{
	struct txn_hooks	*th = &tx->tx_hooks;

	if (!th->th_began[HOOK_PRE] || th->th_ended[HOOK_PRE])
		return (false);
	txn_hooks_clear(tx, th->th_where, clear_pre);
	return (true);
}
