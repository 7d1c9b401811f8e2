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
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "engine_audit.h"
#include "engine_sync.h"
#include "log.h"
#include "xmalloc.h"

/*
 * Policies that an operator has set, of containers and of hosts, in memory as
 * they are in the database.
 */
struct change {
	Sentinel__Store__Policy	 ch_record;
	bool			 ch_unset;
	struct audit		 ch_audit;
};

RB_HEAD(policy_tree, policy_row);

static int	 row_cmp(const struct policy_row *, const struct policy_row *);
static struct policy_row *row_find(const char *, const char *);
static struct policy_row *row_new(const char *, const char *);
static void	 row_free(struct policy_row *);
static bool	 load_one(const Sentinel__Store__Policy *, void *);
static int	 load(struct store_txn *, void *);
static int	 put_change(struct store_txn *, void *);
static size_t	 count_host(const struct host *);
static void	 tell(struct host *, const char *, enum policy, const char *);

RB_PROTOTYPE_STATIC(policy_tree, policy_row, pl_entry, row_cmp)
RB_GENERATE_STATIC(policy_tree, policy_row, pl_entry, row_cmp)

static struct policy_tree	rows = RB_INITIALIZER(&rows);
static size_t			nrows;

static int
row_cmp(const struct policy_row *a, const struct policy_row *b)
{
	int	 cmp = strcmp(a->pl_host, b->pl_host);

	return (cmp != 0 ? cmp : strcmp(a->pl_container, b->pl_container));
}

static struct policy_row *
row_find(const char *host, const char *container)
{
	struct policy_row	 want;

	(void)strlcpy(want.pl_host, host, sizeof(want.pl_host));
	want.pl_container = (char *)(uintptr_t)container;
	return (RB_FIND(policy_tree, &rows, &want));
}

static struct policy_row *
row_new(const char *host, const char *container)
{
	struct policy_row	*pl;

	pl = xcalloc(1, sizeof(*pl));
	(void)strlcpy(pl->pl_host, host, sizeof(pl->pl_host));
	pl->pl_container = xstrdup(container);
	RB_INSERT(policy_tree, &rows, pl);
	nrows++;
	return (pl);
}

static void
row_free(struct policy_row *pl)
{
	RB_REMOVE(policy_tree, &rows, pl);
	nrows--;
	free(pl->pl_container);
	free(pl);
}

/* --- start -------------------------------------------------------------- */

static bool
load_one(const Sentinel__Store__Policy *rec, void *arg)
{
	enum policy		 policy = policy_parse(rec->policy);
	struct policy_row	*pl;

	(void)arg;
	if (policy == POLICY_NONE ||
	    strlen(rec->host_id) >= sizeof(pl->pl_host) ||
	    row_find(rec->host_id, rec->container) != NULL) {
		log_warnx("database: policy of %s/%s: \"%s\" left out",
		    rec->host_id, rec->container, rec->policy);
		return (true);
	}
	if (nrows == POLICY_MAX) {
		log_warnx("database: more than %d policies", POLICY_MAX);
		return (false);
	}
	pl = row_new(rec->host_id, rec->container);
	pl->pl_policy = policy;
	pl->pl_changed_at = rec->changed_at;
	(void)strlcpy(pl->pl_changed_by, rec->changed_by,
	    sizeof(pl->pl_changed_by));
	return (true);
}

static int
load(struct store_txn *txn, void *arg)
{
	(void)arg;
	return (db_policy_walk(txn, load_one, NULL) == -1 ? -1 : 0);
}

int
policies_load(void)
{
	struct policy_row	*pl;

	while ((pl = RB_MIN(policy_tree, &rows)) != NULL)
		row_free(pl);
	if (store_view(eng->store, load, NULL) == -1) {
		log_warn("database: policies");
		return (-1);
	}
	return (0);
}

/* --- read --------------------------------------------------------------- */

const struct policy_row *
policy_get(const struct host *h, const char *container)
{
	return (row_find(h->h_id, container));
}

const struct policy_row *
policy_first(const struct host *h)
{
	struct policy_row	 want, *pl;
	char			 least[] = "\1";	/* behind "" */

	(void)strlcpy(want.pl_host, h->h_id, sizeof(want.pl_host));
	want.pl_container = least;
	pl = RB_NFIND(policy_tree, &rows, &want);
	return (pl != NULL && strcmp(pl->pl_host, h->h_id) == 0 ? pl : NULL);
}

const struct policy_row *
policy_next(const struct policy_row *pl)
{
	/* RB_NEXT() looks only, but has no const. */
	const struct policy_row	*next = RB_NEXT(policy_tree, &rows,
	    (struct policy_row *)(uintptr_t)pl);

	return (next != NULL && strcmp(next->pl_host, pl->pl_host) == 0 ?
	    next : NULL);
}

void
policy_facts_of(const struct host *h,
    const Sentinel__Cluster__ContainerInfo *info, struct policy_facts *pf)
{
	static const enum policy	 dflt[] = {
		[CONF_POLICY_AUTO] = POLICY_AUTO,
		[CONF_POLICY_MANUAL] = POLICY_MANUAL,
		[CONF_POLICY_PINNED] = POLICY_PINNED,
	};
	const struct policy_row	*pl;

	memset(pf, 0, sizeof(*pf));
	pf->pf_label = policy_label(info);
	pf->pf_image = info->image;
	if (info->name[0] != '\0' && (pl = row_find(h->h_id, info->name)) !=
	    NULL)
		pf->pf_override = pl->pl_policy;
	if ((pl = row_find(h->h_id, "")) != NULL)
		pf->pf_host = pl->pl_policy;
	pf->pf_default = dflt[settings_now()->ct_default_policy];
	pf->pf_latest_auto = settings_now()->ct_latest_auto;
}

void
policy_of(const struct host *h, const Sentinel__Cluster__ContainerInfo *info,
    struct policy_result *pr)
{
	struct policy_facts	 pf;

	policy_facts_of(h, info, &pf);
	policy_resolve(&pf, pr);
}

/* --- change ------------------------------------------------------------- */

static int
put_change(struct store_txn *txn, void *arg)
{
	struct change		*ch = arg;
	Sentinel__Store__Policy	*rec = &ch->ch_record;

	if (ch->ch_unset ? db_policy_del(txn, rec->host_id, rec->container) ==
	    -1 : db_policy_put(txn, rec) == -1)
		return (-1);
	return (audit_put(txn, &ch->ch_audit));
}

static size_t
count_host(const struct host *h)
{
	const struct policy_row	*pl;
	size_t			 n = 0;

	for (pl = policy_first(h); pl != NULL; pl = policy_next(pl))
		n++;
	return (n);
}

/* Log and event. */
static void
tell(struct host *h, const char *container, enum policy policy,
    const char *by)
{
	const char	*what = policy == POLICY_NONE ? "inherited again" :
			    policy_name(policy);
	const char	*of = container[0] != '\0' ? container :
			    "default of the host";

	log_info("host %s (%s): policy of %s: %s by %s", h->h_id, h->h_name,
	    of, what, by);
	event_publish("policy_change", h, container, "policy of %s on %s: %s "
	    "by %s", of, h->h_name, what, by);
}

int
policy_set(struct host *h, const char *container, enum policy policy,
    const char *by)
{
	struct policy_row	*pl = row_find(h->h_id, container);
	struct change		 ch = { .ch_unset = policy == POLICY_NONE };
	char			 subject[512], actor[sizeof(pl->pl_changed_by)];

	if (policy == (pl == NULL ? POLICY_NONE : pl->pl_policy))
		return (0);
	if (pl == NULL && (nrows >= POLICY_MAX || (container[0] != '\0' &&
	    count_host(h) >= POLICY_HOST_MAX))) {
		errno = ENOSPC;
		return (-1);
	}
	(void)strlcpy(actor, by, sizeof(actor));
	(void)snprintf(subject, sizeof(subject), "%s%s%s",
	    container[0] != '\0' ? "container " : "", container,
	    container[0] != '\0' ? " of " : "");
	(void)strlcat(subject, audit_host(h), sizeof(subject));
	audit_set(&ch.ch_audit, by, policy == POLICY_NONE ? "policy.inherit" :
	    "policy.set", subject, AUDIT_OK, "%s", policy_name(policy));
	sentinel__store__policy__init(&ch.ch_record);
	ch.ch_record.host_id = h->h_id;
	ch.ch_record.container = (char *)(uintptr_t)container;
	ch.ch_record.policy = (char *)(uintptr_t)policy_name(policy);
	ch.ch_record.changed_at = time(NULL);
	ch.ch_record.changed_by = actor;
	if (store_update(eng->store, put_change, &ch) == -1) {
		log_warn("host %s: policy of \"%s\" not changed: database",
		    h->h_id, container);
		errno = EIO;
		return (-1);
	}
	if (policy == POLICY_NONE)
		row_free(pl);
	else {
		if (pl == NULL)
			pl = row_new(h->h_id, container);
		pl->pl_policy = policy;
		pl->pl_changed_at = ch.ch_record.changed_at;
		(void)strlcpy(pl->pl_changed_by, actor,
		    sizeof(pl->pl_changed_by));
	}
	tell(h, container, policy, by);
	sync_policies(h);
	return (0);
}

void
policy_host_gone(const struct host *h)
{
	struct policy_row	*pl;

	while ((pl = row_find(h->h_id, "")) != NULL ||
	    (pl = (struct policy_row *)(uintptr_t)policy_first(h)) != NULL)
		row_free(pl);
}
