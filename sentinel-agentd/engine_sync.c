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

#include "engine_sync.h"

#include "engine_policy.h"
#include "log.h"

#define SYNC_SKEW_SEC	60	/* worth a line */
#define PAYLOAD(x) SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_##x

static void	 heartbeat(const Sentinel__Cluster__Heartbeat *);

static time_t	 heard_at;
static int64_t	 skew;
static bool	 told_skew;

void
sync_receive(const Sentinel__Cluster__ServerMessage *m, const char *refuse)
{
	if (refuse != NULL) {
		engine_tell_refusal(m->request_id, refuse);
		return;
	}
	switch (m->payload_case) {
	case PAYLOAD(POLICY_SYNC):
		policy_sync(m->policy_sync);
		break;
	case PAYLOAD(SETTINGS_SYNC):
		policy_settings_sync(m->settings_sync);
		break;
	default:
		heartbeat(m->heartbeat);
		break;
	}
}

/* A proof that the server's engine lives, where it is signed, and a clock. */
static void
heartbeat(const Sentinel__Cluster__Heartbeat *hb)
{
	heard_at = time(NULL);
	policy_flush();
	if (hb->timestamp == NULL)
		return;
	skew = hb->timestamp->seconds - (int64_t)heard_at;
	if (skew >= -SYNC_SKEW_SEC && skew <= SYNC_SKEW_SEC)
		told_skew = false;
	else if (!told_skew) {
		told_skew = true;
		log_warnx("server %s: its clock is %lld s %s ours: check NTP "
		    "on both, or certificates will be refused",
		    eng->conf.ac_server, (long long)(skew < 0 ? -skew : skew),
		    skew < 0 ? "behind" : "ahead of");
	}
}

time_t
sync_heard_at(void)
{
	return (heard_at);
}

int64_t
sync_skew_sec(void)
{
	return (skew);
}
