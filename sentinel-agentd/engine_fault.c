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

#include "engine_fault.h"

#include <string.h>

#include "engine.h"
#include "log.h"

static bool		 told_mismatch;	/* once per life */
static bool		 told_refused;
static char		 last_told[sizeof(eng->last_error)];
static monotime_t	 lost[FAULT_LOSSES];	/* a ring */
static unsigned int	 nlost;		/* since the last line */

void
session_log_failure(const char *what, unsigned int delay)
{
	static monotime_t	 told;
	static unsigned int	 same;
	monotime_t		 now = monotime_now();
	char			 text[sizeof(last_told)];

	engine_text(text, sizeof(text), what);
	(void)strlcpy(eng->last_error, text, sizeof(eng->last_error));
	if (strcmp(last_told, text) == 0 && now - told < ENGINE_SAME_MSEC) {
		same++;
		log_debug("server %s: %s; next attempt in %u ms",
		    eng->conf.ac_server, text, delay);
		return;
	}
	if (strcmp(last_told, text) == 0)
		log_warnx("server %s: %s (%u times more); next attempt in "
		    "%u ms", eng->conf.ac_server, text, same, delay);
	else
		log_warnx("server %s: %s; next attempt in %u ms",
		    eng->conf.ac_server, text, delay);
	(void)strlcpy(last_told, text, sizeof(last_told));
	told = now;
	same = 0;
}

void
fault_tell(enum cause_class class, const char *text)
{
	if (class == CAUSE_CLASS_FOREIGN && !told_mismatch) {
		told_mismatch = true;
		log_warnx("server CA mismatch -- the server's TLS certificate "
		    "has changed since this agent enrolled: fix: if the "
		    "server was set up anew or moved, create a token there "
		    "(sentinelctl token create), stop this agent, move %s "
		    "away and restart it with SENTINEL_ENROLL_TOKEN or "
		    "agent.enroll_token_file set to the new token; otherwise "
		    "somebody is in between: data_dir: %s", eng->conf.ac_dir,
		    eng->conf.ac_dir);
	}
	if (class == CAUSE_CLASS_REFUSED && !told_refused) {
		told_refused = true;
		log_warnx("the server refuses this host: %s: fix: if it was "
		    "removed or revoked and is to come back, re-enroll with "
		    "a new token: create one on the server and give it to "
		    "\"sentinelctl enroll --token -\" here", text);
	}
}

void
fault_loss(void)
{
	monotime_t	 now = monotime_now(), since;

	lost[nlost++ % FAULT_LOSSES] = now;
	if (nlost < FAULT_LOSSES)
		return;
	since = now - lost[nlost % FAULT_LOSSES];
	if (since > FAULT_LOSSES_MSEC)
		return;
	log_warnx("server %s: repeated reconnects: %d sessions were lost in "
	    "%lld s: network instability: fix: check firewalls, MTU, and "
	    "connectivity between this agent and the server",
	    eng->conf.ac_server, FAULT_LOSSES, (long long)since / 1000);
	nlost = 0;
}

void
fault_forget(void)
{
	told_refused = false;
	last_told[0] = '\0';
}

void
fault_redialled(void)
{
	told_mismatch = told_refused = false;
}
