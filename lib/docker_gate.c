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

#include "docker_txn.h"

#define GATE_NSEC_PER_MSEC	1000000
#define GATE_INTERVAL_MSEC	30000	/* Docker's defaults */
#define GATE_TIMEOUT_MSEC	30000
#define GATE_RETRIES		3
#define GATE_FLOOR_MSEC		10000

/* A duration in nanoseconds as milliseconds; 0 and absent are the default. */
static uint64_t
gate_msec(const struct json_value *v, uint64_t dflt)
{
	int64_t	 n;

	if (json_int(v, &n) == -1 || n <= 0)
		return (dflt);
	return ((uint64_t)n / GATE_NSEC_PER_MSEC);
}

/*
 * Docker says unhealthy only after the start period and all retries, so this
 * is how long a good container may take to say healthy.
 */
uint64_t
gate_health_msec(const struct json_value *hc, const struct update_config *uc)
{
	uint64_t	 start, each, msec;
	int64_t		 retries;

	start = gate_msec(json_get(hc, "StartPeriod"), 0);
	each = gate_msec(json_get(hc, "Interval"), GATE_INTERVAL_MSEC) +
	    gate_msec(json_get(hc, "Timeout"), GATE_TIMEOUT_MSEC);
	if (json_int(json_get(hc, "Retries"), &retries) == -1 || retries <= 0)
		retries = GATE_RETRIES;
	if (retries > 1000)
		retries = 1000;
	if (start > uc->uc_gate_max_msec || each > uc->uc_gate_max_msec)
		return (uc->uc_gate_max_msec);
	msec = start + ((uint64_t)retries + 1) * each;
	if (msec < GATE_FLOOR_MSEC)
		msec = GATE_FLOOR_MSEC;
	return (msec < uc->uc_gate_max_msec ? msec : uc->uc_gate_max_msec);
}

static bool
gate_has_health(const struct json_value *seen)
{
	const struct json_value	*test;
	const char		*s;

	if (!json_is(json_path(seen, "State.Health"), JSON_OBJECT))
		return (false);
	s = json_get_str(json_path(seen, "State.Health"), "Status");
	if (s[0] == '\0' || strcmp(s, "none") == 0)
		return (false);
	test = json_path(seen, "Config.Healthcheck.Test");
	return (!json_is(test, JSON_ARRAY) || test->jv_child == NULL ||
	    json_str(test->jv_child) == NULL ||
	    strcmp(json_str(test->jv_child), "NONE") != 0);
}

static enum txn_act
gate_wait(struct txn *tx, uint64_t elapsed, uint64_t total)
{
	unsigned int	 poll = tx->tx_updater->up_conf.uc_poll_msec;

	txn_progress(tx, "gate", "", elapsed, total);
	tx->tx_wait_msec = total - elapsed < poll ?
	    (unsigned int)(total - elapsed) : poll;
	return (ACT_WAIT);
}

static enum txn_act
gate_health(struct txn *tx, const struct json_value *seen, uint64_t elapsed)
{
	const char	*s;
	uint64_t	 limit;

	s = json_get_str(json_path(seen, "State.Health"), "Status");
	if (strcmp(s, "healthy") == 0)
		return (ACT_DONE);
	if (strcmp(s, "unhealthy") == 0) {
		txn_error(tx, "the new container is unhealthy");
		return (ACT_FAIL);
	}
	limit = gate_health_msec(json_path(seen, "Config.Healthcheck"),
	    &tx->tx_updater->up_conf);
	if (elapsed >= limit) {
		txn_error(tx, "the new container did not become healthy "
		    "within %llu s", (unsigned long long)limit / 1000);
		return (ACT_FAIL);
	}
	return (gate_wait(tx, elapsed, limit));
}

/* Without a HEALTHCHECK: it must stay up, without a restart. */
static enum txn_act
gate_running(struct txn *tx, const struct json_value *seen, uint64_t elapsed)
{
	uint64_t	 need = tx->tx_updater->up_conf.uc_gate_running_msec;
	int64_t		 restarts = 0;

	(void)json_int(json_get(seen, "RestartCount"), &restarts);
	if (restarts != tx->tx_gate_restarts ||
	    strcmp(json_get_str(json_get(seen, "State"), "StartedAt"),
	    tx->tx_gate_started) != 0) {
		txn_error(tx, "the new container restarted");
		return (ACT_FAIL);
	}
	if (elapsed >= need)
		return (ACT_DONE);
	return (gate_wait(tx, elapsed, need));
}

enum txn_act
gate_look(struct txn *tx, const struct json_value *seen)
{
	const struct json_value	*state = json_get(seen, "State");
	int64_t			 code = 0;
	uint64_t		 elapsed;
	enum txn_act		 act;

	if (!tx->tx_running)
		return (ACT_DONE);
	if (seen == NULL) {
		txn_error(tx, "the new container is gone");
		return (ACT_FAIL);
	}
	if (!json_bool(json_get(state, "Running")) ||
	    json_bool(json_get(state, "Restarting"))) {
		(void)json_int(json_get(state, "ExitCode"), &code);
		txn_error(tx, "the new container ended with exit code %lld%s%s",
		    (long long)code, json_get_str(state, "Error")[0] != '\0' ?
		    ": " : "", json_get_str(state, "Error"));
		return (ACT_FAIL);
	}
	if (tx->tx_gate_start == 0) {
		tx->tx_gate_start = monotime_now();
		(void)json_int(json_get(seen, "RestartCount"),
		    &tx->tx_gate_restarts);
		strlcpy(tx->tx_gate_started, json_get_str(state, "StartedAt"),
		    sizeof(tx->tx_gate_started));
		/* A restart between the start and this look counts, too. */
		if (tx->tx_gate_restarts != 0 && !gate_has_health(seen)) {
			txn_error(tx, "the new container restarted");
			return (ACT_FAIL);
		}
	}
	elapsed = (uint64_t)(monotime_now() - tx->tx_gate_start);
	act = tx->tx_self ? self_gate(tx, seen, elapsed) :
	    gate_has_health(seen) ? gate_health(tx, seen, elapsed) :
	    gate_running(tx, seen, elapsed);
	return (act == ACT_DONE ? txn_hooks_gate(tx, seen) : act);
}
