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
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include "compat.h"

#include "engine.h"
#include "policy.h"
#include "setting.h"

/*
 * Run-time settings and update policies of the server: kept in the database,
 * changed by an operator, sent to agents (engine_sync.h).  Of a setting counts
 * what flag, environment or file say (then it is locked), else the database,
 * else the default.
 */
#define POLICY_HOST_MAX		2048	/* overrides of one host */
#define POLICY_MAX		131072	/* of all */

/* --- engine_settings.c --------------------------------------------------- */
/* At start, from the database: 0, or -1 (logged). */
int	 settings_load(void);
/* The configuration is live. */
void	 settings_commit(void);
/* What counts, of the configuration after settings_commit(); never NULL. */
const struct conf_settings *settings_now(void);

/* Where a value comes from. */
struct setting_origin {
	const char	*so_origin;	/* default database file environment
					 * flag; static */
	const char	*so_from;	/* "/etc/sentinel.conf:12", "uid 0" */
	bool		 so_locked;
	int64_t		 so_changed_at;	/* of the database, else 0 */
};
void	 setting_origin(enum setting, struct setting_origin *);
/* As text; lends buf of SETTING_VALUE_SIZE. */
const char *setting_value(enum setting, char *buf);
/*
 * Sets it, or with text NULL forgets what the database says.  On disk with its
 * audit record when it returns 0, and on its way to the agents.  -1 and a line
 * in why: EPERM it is locked, EINVAL the value, EIO the database.
 */
int	 setting_change(enum setting, const char *text, const char *by,
	    char *why, size_t whylen);

/* --- engine_policies.c ---------------------------------------------------- */
struct policy_row {
	char		 pl_host[HOST_ID_SIZE];
	char		*pl_container;	/* "": the host's default */
	RB_ENTRY(policy_row) pl_entry;
	enum policy	 pl_policy;
	int64_t		 pl_changed_at;
	char		 pl_changed_by[32];
};

int	 policies_load(void);	/* after the hosts: 0, or -1 (logged) */
/* NULL: nothing is set.  container "": the host's default. */
const struct policy_row *policy_get(const struct host *,
	    const char *container);
/* The first row of a host's containers, in order of name, and the next. */
const struct policy_row *policy_first(const struct host *);
const struct policy_row *policy_next(const struct policy_row *);
void	 policy_facts_of(const struct host *,
	    const Sentinel__Cluster__ContainerInfo *, struct policy_facts *);
/* What is to be done with a container, and who decided. */
void	 policy_of(const struct host *,
	    const Sentinel__Cluster__ContainerInfo *, struct policy_result *);
/*
 * Sets it for a container, or with container "" for the host; POLICY_NONE
 * forgets it.  On disk with its audit record when it returns 0.  -1: ENOSPC
 * POLICY_HOST_MAX or POLICY_MAX are there, EIO the database (logged).
 */
int	 policy_set(struct host *, const char *container, enum policy,
	    const char *by);
/* The host's rows have left the database (db_policy_del_host()). */
void	 policy_host_gone(const struct host *);

#endif /* ENGINE_SETTINGS_H */
