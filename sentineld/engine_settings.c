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
#include "engine_settings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "engine_audit.h"
#include "engine_identity.h"
#include "engine_sync.h"
#include "log.h"
#include "xmalloc.h"

#define SETTING_TEXT_MAX	4000	/* of a value, bytes */

static struct {
	char		*st_text;	/* in the database; NULL: nothing */
	int64_t		 st_changed_at;
	char		 st_changed_by[32];
} stored[SETTING_MAX];

struct change {
	const char	*ch_name;
	Sentinel__Store__Setting ch_record;
	bool		 ch_unset;
	struct audit	 ch_audit;
};

static bool	 load_one(const char *, const Sentinel__Store__Setting *,
		    void *);
static int	 load(struct store_txn *, void *);
static int	 check(enum setting, const char *, char *, size_t);
static int	 put_change(struct store_txn *, void *);
static bool	 is_locked(enum setting);
static void	 apply(enum setting);
static void	 apply_advertise(void);
static int	 refuse(int, char *, size_t, const char *, ...)
		    __printflike_(4, 5);

static struct conf	*now;		/* members of settings only */

/* --- start -------------------------------------------------------------- */

/* A value that is not one (any more) is told and does not count. */
static bool
load_one(const char *name, const Sentinel__Store__Setting *rec, void *arg)
{
	enum setting	 st = setting_find(name);
	char		 why[SETTING_WHY_SIZE];

	(void)arg;
	if (st == SETTING_MAX)
		log_warnx("database: setting %s is not one of this version, "
		    "left alone", name);
	else if (check(st, rec->value, why, sizeof(why)) == -1)
		log_warnx("database: setting %s: %s: the default counts",
		    name, why);
	else {
		engine_setstr(&stored[st].st_text, rec->value);
		stored[st].st_changed_at = rec->changed_at;
		(void)strlcpy(stored[st].st_changed_by, rec->changed_by,
		    sizeof(stored[st].st_changed_by));
	}
	return (true);
}

static int
load(struct store_txn *txn, void *arg)
{
	(void)arg;
	return (db_setting_walk(txn, load_one, NULL) == -1 ? -1 : 0);
}

int
settings_load(void)
{
	char	 why[SETTING_WHY_SIZE];
	size_t	 i;

	conf_free(now);
	now = xcalloc(1, sizeof(*now));
	for (i = 0; i < SETTING_MAX; i++) {
		(void)setting_set(now, (enum setting)i, NULL, why);
		free(stored[i].st_text);
		memset(&stored[i], 0, sizeof(stored[i]));
	}
	if (store_view(eng->store, load, NULL) == -1) {
		log_warn("database: settings");
		return (-1);
	}
	return (0);
}

/* Of a reload too: what was locked may be free now, and the other way. */
void
settings_commit(void)
{
	char	 before[SETTING_VALUE_SIZE], after[SETTING_VALUE_SIZE];
	bool	 settings = false, policies = false;
	size_t	 i;

	for (i = 0; i < SETTING_MAX; i++) {
		(void)setting_value((enum setting)i, before);
		apply((enum setting)i);
		if (strcmp(before, setting_value((enum setting)i, after)) ==
		    0 || i == SETTING_ADVERTISE)
			continue;
		policies |= i == SETTING_DEFAULT_POLICY;
		settings |= i != SETTING_DEFAULT_POLICY;
	}
	apply_advertise();
	if (settings)
		sync_settings();
	if (policies)
		sync_policies(NULL);
}

/* --- values ------------------------------------------------------------- */

static bool
is_locked(enum setting st)
{
	return (eng->conf.ec_setting[st].sl_from[0] != '\0');
}

const struct conf_settings *
settings_now(void)
{
	return (&now->c_server.cs_settings);
}

const char *
setting_value(enum setting st, char *buf)
{
	/* A long list came cut: the parent has all of it. */
	if (is_locked(st) && st == SETTING_ADVERTISE)
		(void)strlcpy(buf, eng->conf.ec_setting[st].sl_value,
		    SETTING_VALUE_SIZE);
	else
		(void)setting_text(now, st, buf, SETTING_VALUE_SIZE);
	return (buf);
}

void
setting_origin(enum setting st, struct setting_origin *so)
{
	const char	*from = eng->conf.ec_setting[st].sl_from;

	memset(so, 0, sizeof(*so));
	so->so_origin = "default";
	so->so_from = "";
	if (is_locked(st)) {
		so->so_locked = true;
		so->so_from = from;
		so->so_origin = strncmp(from, "flag ", 5) == 0 ? "flag" :
		    strncmp(from, "environment ", 12) == 0 ? "environment" :
		    "file";
	} else if (stored[st].st_text != NULL) {
		so->so_origin = "database";
		so->so_from = stored[st].st_changed_by;
		so->so_changed_at = stored[st].st_changed_at;
	}
}

/* What counts, into now.  It was checked where it came from. */
static void
apply(enum setting st)
{
	const struct setting_lock	*sl = &eng->conf.ec_setting[st];
	const char			*text = stored[st].st_text;
	char				 why[SETTING_WHY_SIZE];

	if (is_locked(st))
		text = st == SETTING_ADVERTISE ? NULL : sl->sl_value;
	if (setting_set(now, st, text, why) == -1) {
		log_warnx("setting %s: %s: the default counts",
		    setting_name(st), why);
		(void)setting_set(now, st, NULL, why);
	}
}

/* The parent has the names of the configuration itself. */
static void
apply_advertise(void)
{
	const struct conf_names	*n = &now->c_server.cs_advertise;
	char			 why[256];

	if (!eng->conf.ec_cluster)
		return;
	if (identity_set_advertise((const char *const *)n->n_name, n->n_len,
	    why, sizeof(why)) == -1)
		log_warnx("setting %s: %s", setting_name(SETTING_ADVERTISE),
		    why);
}

/* --- change ------------------------------------------------------------- */

/* On a copy: 0, or -1 and why. */
static int
check(enum setting st, const char *text, char *why, size_t whylen)
{
	const struct conf_names	*n;
	struct conf		*c;
	char			 line[SETTING_WHY_SIZE];
	int			 rc;

	c = xcalloc(1, sizeof(*c));
	n = &c->c_server.cs_advertise;
	if ((rc = setting_set(c, st, text, line)) == -1)
		(void)strlcpy(why, line, whylen);
	else if (st == SETTING_ADVERTISE)
		rc = identity_check_advertise((const char *const *)n->n_name,
		    n->n_len, why, whylen);
	conf_free(c);
	return (rc);
}

static int
put_change(struct store_txn *txn, void *arg)
{
	struct change	*ch = arg;

	if (ch->ch_unset ? db_setting_del(txn, ch->ch_name) == -1 :
	    db_setting_put(txn, ch->ch_name, &ch->ch_record) == -1)
		return (-1);
	return (audit_put(txn, &ch->ch_audit));
}

static int
refuse(int error, char *why, size_t whylen, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, whylen, fmt, ap);
	va_end(ap);
	errno = error;
	return (-1);
}

int
setting_change(enum setting st, const char *text, const char *by, char *why,
    size_t whylen)
{
	const char	*name = setting_name(st);
	struct change	 ch = { .ch_name = name, .ch_unset = text == NULL };
	char		 subject[128], line[SETTING_WHY_SIZE];
	char		 actor[sizeof(stored[st].st_changed_by)];

	if (is_locked(st))
		return (refuse(EPERM, why, whylen, "%s is set by %s (%s): "
		    "change it there", name, eng->conf.ec_setting[st].sl_from,
		    conf_keys[setting_key(st)].ck_name));
	if (text != NULL && strlen(text) > SETTING_TEXT_MAX)
		return (refuse(EINVAL, why, whylen, "%s: more than %d bytes",
		    name, SETTING_TEXT_MAX));
	if (text != NULL && check(st, text, line, sizeof(line)) == -1)
		return (refuse(EINVAL, why, whylen, "%s: %s", name, line));
	if (text == NULL ? stored[st].st_text == NULL :
	    stored[st].st_text != NULL && strcmp(stored[st].st_text, text) ==
	    0)
		return (0);
	(void)strlcpy(actor, by, sizeof(actor));
	(void)snprintf(subject, sizeof(subject), "setting %s", name);
	audit_set(&ch.ch_audit, by, text == NULL ? "settings.unset" :
	    "settings.set", subject, AUDIT_OK, "%s", text == NULL ? "" : text);
	sentinel__store__setting__init(&ch.ch_record);
	ch.ch_record.value = (char *)(uintptr_t)(text == NULL ? "" : text);
	ch.ch_record.changed_at = time(NULL);
	ch.ch_record.changed_by = actor;
	if (store_update(eng->store, put_change, &ch) == -1) {
		log_warn("setting %s: not changed: database", name);
		return (refuse(EIO, why, whylen, "%s was not changed: the "
		    "database failed, see the log", name));
	}
	free(stored[st].st_text);
	stored[st].st_text = text == NULL ? NULL : xstrdup(text);
	stored[st].st_changed_at = ch.ch_record.changed_at;
	(void)strlcpy(stored[st].st_changed_by, actor,
	    sizeof(stored[st].st_changed_by));
	settings_commit();
	log_info("setting %s: %s%s by %s", name, text == NULL ? "the default "
	    "again" : "set to ", text == NULL ? "" : text, by);
	event_publish("settings_change", NULL, NULL, "%s %s%s by %s", name,
	    text == NULL ? "is the default again" : "set to ",
	    text == NULL ? "" : text, by);
	return (0);
}
