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

#include "engine_reenrol.h"

#include <openssl/sha.h>

#include <stdio.h>
#include <string.h>

#include "engine_client.h"
#include "hex.h"
#include "log.h"

/*
 * A host that is enrolled has a token only for the day when its server
 * refuses it; until then the identity on disk is the one that counts.  The
 * token lies in eng->conf.ac_token and leaves with the first answer that says
 * it will never do.
 */
static bool	 is_spent(const char *);
static void	 wipe(void);
static void	 go(void);
static void	 on_done(const char *, bool);

static uint32_t	 client;	/* request of sentinelctl; 0: nobody waits */
static bool	 running;

static bool
is_spent(const char *token)
{
	uint8_t	 hash[SHA256_DIGEST_LENGTH];

	SHA256((const uint8_t *)token, AGENTD_TOKEN_LEN, hash);
	return (eng->has_spent && memcmp(hash, eng->spent,
	    sizeof(hash)) == 0);
}

static void
wipe(void)
{
	explicit_bzero(eng->conf.ac_token, sizeof(eng->conf.ac_token));
	explicit_bzero(eng->staged.ac_token, sizeof(eng->staged.ac_token));
}

void
reenrol_init(void)
{
	if (eng->conf.ac_token[0] == '\0')
		return;
	if (is_spent(eng->conf.ac_token)) {
		log_info("the enrolment token is spent: it can be removed "
		    "from the configuration");
		wipe();
	} else
		log_info("enrolled as %s: the new enrolment token is used "
		    "only if the server refuses this host", eng->id.id_host);
}

bool
reenrol_refused(void)
{
	if (running || eng->conf.ac_token[0] == '\0')
		return (false);
	log_info("the server refuses this host: enrolling again with the new "
	    "token");
	running = true;
	session_yield(go);
	return (true);
}

/* The uplink is ours. */
static void
go(void)
{
	if (!enroll_now(on_done))
		fatalx("enrolment while the uplink is busy");
}

static void
on_done(const char *fault, bool hopeless)
{
	uint32_t	 id = client;

	client = 0;
	if (fault == NULL) {
		running = false;
		if (id != 0)
			client_end(id, CONTROL_OK, "%s", "");
		return;
	}
	if (running)
		log_warnx("enrolling again has failed, the old identity stays: "
		    "%s", fault);
	if (id != 0)
		client_end(id, CONTROL_FAILED, "%s", fault);
	/* Without an identity the token is tried again. */
	if (running && (hopeless || id != 0))
		wipe();
	if (running) {
		running = false;
		session_resume(id != 0);
	}
}

/* --- sentinelctl enroll --------------------------------------------------- */

void
reenrol_request(uint32_t id, const Sentinel__Ipc__ControlRequest *req)
{
	const char	*token = req->token;

	if (strlen(token) < AGENTD_TOKEN_LEN)
		client_end(id, CONTROL_USAGE, "enrolment token too short: it "
		    "has %zu characters, not %d; copy it whole from "
		    "\"sentinelctl token create\"", strlen(token),
		    AGENTD_TOKEN_LEN);
	else if (!hex_is_valid(token, AGENTD_TOKEN_LEN))
		client_end(id, CONTROL_USAGE, "the enrolment token is not %d "
		    "characters of 0-9a-f", AGENTD_TOKEN_LEN);
	else if (is_spent(token))
		client_end(id, CONTROL_FAILED, "this host has used that token "
		    "already; create a new one with \"sentinelctl token "
		    "create\" on the server");
	else if (running || client != 0)
		client_end(id, CONTROL_FAILED, "an enrolment is under way; "
		    "try again when it is over");
	else if (!eng->enrolled && eng->uplink_busy)
		client_end(id, CONTROL_FAILED, "an attempt to enrol is under "
		    "way; try again in a moment");
	else {
		(void)strlcpy(eng->conf.ac_token, token,
		    sizeof(eng->conf.ac_token));
		client = id;
		if (eng->enrolled) {
			log_info("enrolling again: sentinelctl asks");
			running = true;
			session_yield(go);
		} else if (!enroll_now(on_done)) {
			client = 0;
			client_end(id, CONTROL_FAILED, "an attempt to enrol "
			    "is under way; try again in a moment");
		}
	}
}

void
reenrol_client_gone(uint32_t id)
{
	/* What was begun goes on. */
	if (client == id)
		client = 0;
}
