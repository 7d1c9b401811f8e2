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
#include <stdlib.h>
#include <string.h>

#include "conf_set.h"
#include "reload.h"

/*
 * Keys that count at once.  One that is not in this list needs a restart: a
 * new key is added here when those who use it look at the configuration each
 * time, or are told.
 */
static const char *const live_keys[] = {
	"log.level",
	"server.cluster.listen",
	"server.cluster.advertise",
	"server.cluster.ca_lifetime",
	"server.cluster.server_lifetime",
	"server.cluster.agent_lifetime",
	"server.cluster.command_lifetime",
	"server.cluster.renewal_grace",
	"server.cluster.token_lifetime",
	"server.cluster.max_agents",
	"server.cluster.enroll_failures",
	"server.cluster.enroll_window",
	"server.cluster.issue_rate",
	"server.cluster.issue_burst",
	"server.settings.default_policy",
	"server.settings.poll_interval",
	"server.settings.grace_period",
	"server.settings.latest_auto_update",
	"server.settings.image_cleanup",
	"server.settings.hooks_enabled",
	"server.settings.dependency_aware",
	"server.settings.rollback_policy",
	"server.settings.grace_period_offline",
	"server.timers.handshake_timeout",
	"server.timers.ping_interval",
	"server.timers.ping_timeout",
	"server.timers.heartbeat_interval",
	"server.timers.heartbeat_timeout",
	"server.timers.list_timeout",
	"server.timers.action_timeout",
	"server.timers.logs_timeout",
	"server.timers.follow_idle_timeout",
	"server.timers.update_timeout",
	"server.timers.last_seen_interval",
	"server.timers.checkpoint_interval",
	"server.timers.hold_off",
	"server.timers.gate_running",
	"server.timers.pull_idle_timeout",
	"agent.server",
	"agent.server_name",
	"agent.trust_first_use",
	"agent.ca_pin",
	"agent.grace_period_offline",
	"agent.journal_size",
	"agent.journal_age",
	"agent.signed_commands",
	"agent.allow.exec",
	"agent.allow.images",
	"agent.allow.actions",
	"agent.allow.read_only",
	"agent.timers.heartbeat_interval",
	"agent.timers.ping_interval",
	"agent.timers.ping_timeout",
	"agent.timers.reconnect_min",
	"agent.timers.reconnect_max",
	"agent.timers.connect_timeout",
	"agent.timers.rpc_timeout",
	"agent.timers.gate_running",
	"agent.timers.pull_idle_timeout",
};

static size_t	 value_size(enum conf_key_type);
static void	 exchange(struct conf *, struct conf *, int);
static void	 add_name(char *, size_t, const char *);
static int	 differs(const struct conf *, const struct conf *, int);

bool
reload_is_live(int key)
{
	size_t	 i;

	for (i = 0; key >= 0 && i < nitems(live_keys); i++) {
		if (strcmp(conf_keys[key].ck_name, live_keys[i]) == 0)
			return (true);
	}
	return (false);
}

const char *
reload_unknown(void)
{
	size_t	 i;

	for (i = 0; i < nitems(live_keys); i++) {
		if (conf_key_find(live_keys[i]) == -1)
			return (live_keys[i]);
	}
	return (NULL);
}

static size_t
value_size(enum conf_key_type type)
{
	switch (type) {
	case CONF_T_BOOL:
		return (sizeof(bool));
	case CONF_T_NUMBER:
		return (sizeof(uint32_t));
	case CONF_T_DURATION:
		return (sizeof(uint64_t));
	case CONF_T_WORD:
		return (sizeof(enum conf_mode));
	case CONF_T_LISTEN:
	case CONF_T_ADDR:
		return (sizeof(struct conf_addr));
	default:
		return (conf_set_is_list(type) ? sizeof(struct conf_names) :
		    sizeof(char *));
	}
}

/* Whatever a value owns changes hands with it. */
static void
exchange(struct conf *a, struct conf *b, int key)
{
	uint8_t		 tmp[sizeof(struct conf_addr) +
			    sizeof(struct conf_names)];
	size_t		 len = value_size(conf_keys[key].ck_type);
	void		*pa = (char *)a + conf_keys[key].ck_offset;
	void		*pb = (char *)b + conf_keys[key].ck_offset;
	struct conf_from from = a->c_from[key];

	memcpy(tmp, pa, len);
	memcpy(pa, pb, len);
	memcpy(pb, tmp, len);
	a->c_from[key] = b->c_from[key];
	b->c_from[key] = from;
}

static void
add_name(char *list, size_t size, const char *name)
{
	if (list[0] != '\0')
		(void)strlcat(list, ", ", size);
	(void)strlcat(list, name, size);
}

/* 1, 0, or -1 with ENOMEM. */
static int
differs(const struct conf *a, const struct conf *b, int key)
{
	char	*ta, *tb;
	int	 r;

	if (conf_set_yaml(a, key, &ta) == -1)
		return (-1);
	if (conf_set_yaml(b, key, &tb) == -1) {
		free(ta);
		return (-1);
	}
	if (ta == NULL || tb == NULL)
		r = ta != tb;
	else
		r = strcmp(ta, tb) != 0;
	free(ta);
	free(tb);
	return (r);
}

int
reload_compare(const struct conf *a, const struct conf *b, char *changed,
    char *stay, size_t size)
{
	int	 key, r, n = 0;

	changed[0] = stay[0] = '\0';
	for (key = 0; key < CONF_NKEYS; key++) {
		if ((r = differs(a, b, key)) == -1)
			return (-1);
		if (r == 0)
			continue;
		if (reload_is_live(key)) {
			add_name(changed, size, conf_keys[key].ck_name);
			n++;
		} else
			add_name(stay, size, conf_keys[key].ck_name);
	}
	return (n);
}

void
reload_exchange(struct conf *next, struct conf *before)
{
	enum conf_mode	 run = next->c_run;
	int		 key;

	for (key = 0; key < CONF_NKEYS; key++) {
		if (!reload_is_live(key))
			exchange(next, before, key);
	}
	/* Decided once, when the daemon became what it is. */
	next->c_run = before->c_run;
	before->c_run = run;
}
