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
#include "setting.h"

#include <stdio.h>
#include <string.h>

#include "conf_set.h"

static void	 text_word(const struct conf_key *, unsigned int, char *,
		    size_t);
static void	 text_list(const struct conf_names *, char *, size_t);

static const struct {
	const char	*name;
	const char	*key;
} settings[SETTING_MAX] = {
	[SETTING_DEFAULT_POLICY] = { "default_policy",
	    "server.settings.default_policy" },
	[SETTING_POLL_INTERVAL] = { "poll_interval",
	    "server.settings.poll_interval" },
	[SETTING_GRACE_PERIOD] = { "grace_period",
	    "server.settings.grace_period" },
	[SETTING_LATEST_AUTO_UPDATE] = { "latest_auto_update",
	    "server.settings.latest_auto_update" },
	[SETTING_IMAGE_CLEANUP] = { "image_cleanup",
	    "server.settings.image_cleanup" },
	[SETTING_HOOKS_ENABLED] = { "hooks_enabled",
	    "server.settings.hooks_enabled" },
	[SETTING_DEPENDENCY_AWARE] = { "dependency_aware",
	    "server.settings.dependency_aware" },
	[SETTING_ROLLBACK_POLICY] = { "rollback_policy",
	    "server.settings.rollback_policy" },
	[SETTING_GRACE_PERIOD_OFFLINE] = { "grace_period_offline",
	    "server.settings.grace_period_offline" },
	[SETTING_ADVERTISE] = { "cluster.advertise",
	    "server.cluster.advertise" },
};

const char *
setting_name(enum setting st)
{
	return (settings[st].name);
}

enum setting
setting_find(const char *name)
{
	size_t	 i;

	for (i = 0; i < SETTING_MAX; i++) {
		if (strcmp(settings[i].name, name) == 0)
			break;
	}
	return ((enum setting)i);
}

int
setting_key(enum setting st)
{
	return (conf_key_find(settings[st].key));
}

int
setting_set(struct conf *c, enum setting st, const char *text, char *why)
{
	int	 key = setting_key(st);

	if (text == NULL && (text = conf_keys[key].ck_default) == NULL) {
		conf_set_clear(c, key);
		return (0);
	}
	return (conf_set_text(c, key, text, why));
}

const char *
setting_text(const struct conf *c, enum setting st, char *buf, size_t size)
{
	const struct conf_key	*k = &conf_keys[setting_key(st)];
	const char		*at = (const char *)c + k->ck_offset;
	char			 text[CONF_DURATION_MAXLEN];
	uint64_t		 msec;
	unsigned int		 word;
	bool			 yes;

	switch (k->ck_type) {
	case CONF_T_BOOL:
		memcpy(&yes, at, sizeof(yes));
		(void)strlcpy(buf, yes ? "true" : "false", size);
		break;
	case CONF_T_DURATION:
		memcpy(&msec, at, sizeof(msec));
		(void)strlcpy(buf, conf_value_duration_text(msec, text), size);
		break;
	case CONF_T_WORD:
		memcpy(&word, at, sizeof(word));
		text_word(k, word, buf, size);
		break;
	default:
		text_list((const struct conf_names *)(const void *)at, buf,
		    size);
		break;
	}
	return (buf);
}

static void
text_word(const struct conf_key *k, unsigned int n, char *buf, size_t size)
{
	const char	*w = k->ck_bounds;

	for (; n > 0; n--)
		w += strcspn(w, "|") + 1;
	(void)snprintf(buf, size, "%.*s", (int)strcspn(w, "|"), w);
}

static void
text_list(const struct conf_names *n, char *buf, size_t size)
{
	size_t	 i, len = 0, item;

	buf[0] = '\0';
	for (i = 0; i < n->n_len; i++) {
		item = strlen(n->n_name[i]);
		/* Room for ",..." when another one follows. */
		if (len + 1 + item + sizeof(",...") > size) {
			(void)strlcat(buf, len > 0 ? ",..." : "...", size);
			return;
		}
		(void)snprintf(buf + len, size - len, "%s%s",
		    len > 0 ? "," : "", n->n_name[i]);
		len = strlen(buf);
	}
}
