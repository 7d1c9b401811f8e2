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

#include "policy_cache.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "json.h"
#include "xmalloc.h"

#define NAME_MAXBYTES	255
#define NSEC_PER_MSEC	1000000LL

struct entries {
	struct policy_entry	*en_list;
	size_t			 en_len;
	size_t			 en_size;
	unsigned int		 en_skipped;
};

static int	 entries_add(struct entries *, const char *, const char *);
static void	 entries_free(struct entries *);
static void	 entries_take(struct entries *, struct policy_cache *);
static int	 entry_cmp(const void *, const void *);
static int	 entry_order(const void *, const void *);
static int	 get_entries(const struct json_value *, struct entries *,
		    char *, size_t);
static int	 get_msec(const struct json_value *, const char *,
		    uint64_t *, char *, size_t);
static int	 get_bool(const struct json_value *, const char *, bool *,
		    char *, size_t);
static int	 get_policy(const struct json_value *, const char *,
		    enum policy *, char *, size_t);
static int	 get_time(const struct json_value *, const char *, int64_t *,
		    char *, size_t);
static int	 get_members(const struct json_value *, struct policy_cache *,
		    char *, size_t);
static int	 sync_msec(const Google__Protobuf__Duration *, const char *,
		    uint64_t *, char *, size_t);

void
policy_cache_init(struct policy_cache *pc)
{
	memset(pc, 0, sizeof(*pc));
	pc->pc_poll_msec = POLICY_CACHE_POLL_MSEC;
	pc->pc_grace_msec = POLICY_CACHE_GRACE_MSEC;
	pc->pc_image_cleanup = true;
	pc->pc_dependency_aware = true;
}

void
policy_cache_clear(struct policy_cache *pc)
{
	size_t	 i;

	for (i = 0; i < pc->pc_nentries; i++)
		free(pc->pc_entry[i].pe_name);
	free(pc->pc_entry);
	memset(pc, 0, sizeof(*pc));
}

/* --- overrides ---------------------------------------------------------- */

/* Of no known word: a newer server's, or a hand's.  Counted, not an error. */
static int
entries_add(struct entries *en, const char *name, const char *word)
{
	enum policy	 policy = policy_parse(word);
	size_t		 len = strlen(name);

	if (policy == POLICY_NONE || len == 0 || len > NAME_MAXBYTES) {
		en->en_skipped++;
		return (0);
	}
	if (en->en_len == POLICY_CACHE_MAX)
		return (-1);
	if (en->en_len == en->en_size) {
		en->en_size = en->en_size == 0 ? 16 : 2 * en->en_size;
		en->en_list = xreallocarray(en->en_list, en->en_size,
		    sizeof(*en->en_list));
	}
	en->en_list[en->en_len].pe_name = xstrdup(name);
	en->en_list[en->en_len].pe_order = en->en_len;
	en->en_list[en->en_len++].pe_policy = policy;
	return (0);
}

static void
entries_free(struct entries *en)
{
	while (en->en_len > 0)
		free(en->en_list[--en->en_len].pe_name);
	free(en->en_list);
	en->en_list = NULL;
}

static int
entry_cmp(const void *a, const void *b)
{
	const struct policy_entry	*x = a, *y = b;

	return (strcmp(x->pe_name, y->pe_name));
}

/* Of the same name the last one first. */
static int
entry_order(const void *a, const void *b)
{
	const struct policy_entry	*x = a, *y = b;
	int				 cmp = entry_cmp(a, b);

	if (cmp != 0)
		return (cmp);
	return (x->pe_order > y->pe_order ? -1 : x->pe_order < y->pe_order);
}

/* Sorted; of a name that comes twice the last one counts, as in Go. */
static void
entries_take(struct entries *en, struct policy_cache *pc)
{
	size_t	 i, n = 0;

	for (i = 0; i < pc->pc_nentries; i++)
		free(pc->pc_entry[i].pe_name);
	free(pc->pc_entry);
	if (en->en_len > 0)
		qsort(en->en_list, en->en_len, sizeof(*en->en_list),
		    entry_order);
	for (i = 0; i < en->en_len; i++) {
		if (n > 0 && entry_cmp(&en->en_list[n - 1],
		    &en->en_list[i]) == 0)
			free(en->en_list[i].pe_name);
		else
			en->en_list[n++] = en->en_list[i];
	}
	pc->pc_entry = en->en_list;
	pc->pc_nentries = n;
}

enum policy
policy_cache_find(const struct policy_cache *pc, const char *name)
{
	const struct policy_entry	*pe;
	struct policy_entry		 want = {
		.pe_name = (char *)(uintptr_t)name
	};

	if (pc->pc_nentries == 0)
		return (POLICY_NONE);
	pe = bsearch(&want, pc->pc_entry, pc->pc_nentries, sizeof(*pe),
	    entry_cmp);
	return (pe == NULL ? POLICY_NONE : pe->pe_policy);
}

/* --- the file ----------------------------------------------------------- */

static int
get_entries(const struct json_value *map, struct entries *en, char *why,
    size_t whylen)
{
	const struct json_value	*v;
	const char		*word;

	if (map == NULL || json_is(map, JSON_NULL))
		return (0);
	if (!json_is(map, JSON_OBJECT)) {
		(void)snprintf(why, whylen, "policies: not an object");
		return (-1);
	}
	for (v = map->jv_child; v != NULL; v = v->jv_next) {
		if (memchr(v->jv_key, '\0', v->jv_keylen) != NULL) {
			en->en_skipped++;
			continue;
		}
		if ((word = json_str(v)) == NULL) {
			(void)snprintf(why, whylen, "policies: a value is no "
			    "string");
			return (-1);
		}
		if (entries_add(en, v->jv_key, word) == -1) {
			(void)snprintf(why, whylen, "policies: more than %d",
			    POLICY_CACHE_MAX);
			return (-1);
		}
	}
	return (0);
}

static int
get_msec(const struct json_value *root, const char *key, uint64_t *msec,
    char *why, size_t whylen)
{
	int64_t	 nsec;

	if (json_int(json_get(root, key), &nsec) == -1) {
		if (errno == ENOENT)
			return (0);
		nsec = -1;
	}
	if (nsec < 0 ||
	    (uint64_t)(nsec / NSEC_PER_MSEC) > POLICY_CACHE_MAX_MSEC) {
		(void)snprintf(why, whylen, "%s: not 0 to 30 days in "
		    "nanoseconds", key);
		return (-1);
	}
	*msec = (uint64_t)(nsec / NSEC_PER_MSEC);
	return (0);
}

static int
get_bool(const struct json_value *root, const char *key, bool *value,
    char *why, size_t whylen)
{
	const struct json_value	*v = json_get(root, key);

	if (v == NULL || json_is(v, JSON_NULL))
		return (0);
	if (!json_is(v, JSON_BOOL)) {
		(void)snprintf(why, whylen, "%s: neither true nor false",
		    key);
		return (-1);
	}
	*value = v->jv_true;
	return (0);
}

/* "" changes nothing. */
static int
get_policy(const struct json_value *root, const char *key,
    enum policy *value, char *why, size_t whylen)
{
	const struct json_value	*v = json_get(root, key);
	const char		*word = json_str(v);

	if (v == NULL || json_is(v, JSON_NULL) ||
	    (word != NULL && word[0] == '\0'))
		return (0);
	if (policy_parse(word) == POLICY_NONE) {
		(void)snprintf(why, whylen, "%s: not auto, manual or pinned",
		    key);
		return (-1);
	}
	*value = policy_parse(word);
	return (0);
}

static int
get_time(const struct json_value *root, const char *key, int64_t *value,
    char *why, size_t whylen)
{
	int64_t	 sec;

	if (json_int(json_get(root, key), &sec) == -1) {
		if (errno == ENOENT)
			return (0);
		sec = -1;
	}
	if (sec < 0 || sec > 253402300799LL) {
		(void)snprintf(why, whylen, "%s: not a time", key);
		return (-1);
	}
	*value = sec;
	return (0);
}

static int
get_members(const struct json_value *root, struct policy_cache *pc,
    char *why, size_t len)
{
	const struct json_value	*off = json_get(root, "grace_period_offline");

	if (get_policy(root, "default_policy", &pc->pc_default, why, len) ==
	    -1 ||
	    get_bool(root, "host_default", &pc->pc_host_default, why, len) ==
	    -1 ||
	    get_msec(root, "poll_interval", &pc->pc_poll_msec, why, len) ==
	    -1 ||
	    get_msec(root, "grace_period", &pc->pc_grace_msec, why, len) ==
	    -1 ||
	    get_msec(root, "grace_period_offline", &pc->pc_offline_msec, why,
	    len) == -1 ||
	    get_bool(root, "latest_auto_update", &pc->pc_latest_auto, why,
	    len) == -1 ||
	    get_bool(root, "image_cleanup", &pc->pc_image_cleanup, why,
	    len) == -1 ||
	    get_bool(root, "hooks_enabled", &pc->pc_hooks_enabled, why,
	    len) == -1 ||
	    get_bool(root, "dependency_aware", &pc->pc_dependency_aware, why,
	    len) == -1 ||
	    get_policy(root, "rollback_policy", &pc->pc_rollback, why, len) ==
	    -1 ||
	    get_time(root, "policies_at", &pc->pc_policies_at, why, len) ==
	    -1 ||
	    get_time(root, "settings_at", &pc->pc_settings_at, why, len) ==
	    -1)
		return (-1);
	pc->pc_has_offline = off != NULL && !json_is(off, JSON_NULL);
	if (pc->pc_poll_msec == 0)
		pc->pc_poll_msec = POLICY_CACHE_POLL_MSEC;
	return (0);
}

int
policy_cache_parse(struct policy_cache *pc, const void *text, size_t len,
    unsigned int *skipped, char *why, size_t whylen)
{
	struct entries	 en = { NULL, 0, 0, 0 };
	struct json	*js;
	int		 rc = -1;

	policy_cache_init(pc);
	*skipped = 0;
	if ((js = json_parse(text, len, why, whylen)) == NULL)
		return (-1);
	if (!json_is(json_root(js), JSON_OBJECT))
		(void)snprintf(why, whylen, "not an object");
	else if (get_entries(json_get(json_root(js), "policies"), &en, why,
	    whylen) == 0 &&
	    get_members(json_root(js), pc, why, whylen) == 0) {
		entries_take(&en, pc);
		*skipped = en.en_skipped;
		rc = 0;
	}
	if (rc == -1) {
		entries_free(&en);
		policy_cache_init(pc);
	}
	json_free(js);
	return (rc);
}

char *
policy_cache_print(const struct policy_cache *pc, size_t *len)
{
	struct json_gen	*jg;
	char		*text;
	size_t		 i;

	if ((jg = json_gen_new(POLICY_CACHE_MAXBYTES)) == NULL)
		return (NULL);
	json_gen_object(jg);
	json_gen_key(jg, "policies");
	json_gen_object(jg);
	for (i = 0; i < pc->pc_nentries; i++) {
		json_gen_key(jg, pc->pc_entry[i].pe_name);
		json_gen_str(jg, policy_name(pc->pc_entry[i].pe_policy));
	}
	json_gen_end_object(jg);
	json_gen_key(jg, "default_policy");
	json_gen_str(jg, policy_name(pc->pc_default));
	json_gen_key(jg, "poll_interval");
	json_gen_int(jg, (int64_t)pc->pc_poll_msec * NSEC_PER_MSEC);
	json_gen_key(jg, "grace_period");
	json_gen_int(jg, (int64_t)pc->pc_grace_msec * NSEC_PER_MSEC);
	json_gen_key(jg, "image_cleanup");
	json_gen_bool(jg, pc->pc_image_cleanup);
	json_gen_key(jg, "hooks_enabled");
	json_gen_bool(jg, pc->pc_hooks_enabled);
	json_gen_key(jg, "dependency_aware");
	json_gen_bool(jg, pc->pc_dependency_aware);
	json_gen_key(jg, "rollback_policy");
	json_gen_str(jg, policy_name(pc->pc_rollback));
	/* Ours from here on. */
	json_gen_key(jg, "latest_auto_update");
	json_gen_bool(jg, pc->pc_latest_auto);
	json_gen_key(jg, "host_default");
	json_gen_bool(jg, pc->pc_host_default);
	if (pc->pc_has_offline) {
		json_gen_key(jg, "grace_period_offline");
		json_gen_int(jg, (int64_t)pc->pc_offline_msec *
		    NSEC_PER_MSEC);
	}
	json_gen_key(jg, "policies_at");
	json_gen_int(jg, pc->pc_policies_at);
	json_gen_key(jg, "settings_at");
	json_gen_int(jg, pc->pc_settings_at);
	json_gen_end_object(jg);
	text = json_gen_take(jg, len);
	json_gen_free(jg);
	return (text);
}

/* --- syncs -------------------------------------------------------------- */

int
policy_cache_policies(struct policy_cache *pc,
    const Sentinel__Cluster__PolicySync *m, unsigned int *skipped, char *why,
    size_t whylen)
{
	struct entries	 en = { NULL, 0, 0, 0 };
	enum policy	 dflt = policy_parse(m->default_policy);
	size_t		 i;

	*skipped = 0;
	if (m->default_policy[0] != '\0' && dflt == POLICY_NONE) {
		(void)snprintf(why, whylen, "default policy \"%.32s\" is not "
		    "auto, manual or pinned", m->default_policy);
		return (-1);
	}
	for (i = 0; i < m->n_policies; i++) {
		if (entries_add(&en, m->policies[i]->key,
		    m->policies[i]->value) == -1) {
			(void)snprintf(why, whylen, "more than %d policies",
			    POLICY_CACHE_MAX);
			entries_free(&en);
			return (-1);
		}
	}
	*skipped = en.en_skipped;
	if (m->n_policies > 0 || m->revision > 0)
		entries_take(&en, pc);
	if (dflt != POLICY_NONE || m->revision > 0) {
		pc->pc_default = dflt;
		pc->pc_host_default = m->host_default;
	}
	return (0);
}

/* *msec stays when d is absent. */
static int
sync_msec(const Google__Protobuf__Duration *d, const char *what,
    uint64_t *msec, char *why, size_t whylen)
{
	if (d == NULL)
		return (0);
	if (d->seconds < 0 || d->nanos < 0 ||
	    (uint64_t)d->seconds > POLICY_CACHE_MAX_MSEC / 1000) {
		(void)snprintf(why, whylen, "%s: %lld s is not 0 to 30 days",
		    what, (long long)d->seconds);
		return (-1);
	}
	*msec = (uint64_t)d->seconds * 1000 +
	    (uint64_t)(d->nanos / NSEC_PER_MSEC);
	return (0);
}

int
policy_cache_settings(struct policy_cache *pc,
    const Sentinel__Cluster__SettingsSync *m, char *why, size_t whylen)
{
	uint64_t	 poll = pc->pc_poll_msec, grace = pc->pc_grace_msec,
			 offline = pc->pc_offline_msec;
	enum policy	 rollback = policy_parse(m->rollback_policy);

	if (sync_msec(m->poll_interval, "poll interval", &poll, why,
	    whylen) == -1 || sync_msec(m->grace_period, "grace period",
	    &grace, why, whylen) == -1 || sync_msec(m->grace_period_offline,
	    "offline grace period", &offline, why, whylen) == -1)
		return (-1);
	if (m->rollback_policy[0] != '\0' && rollback == POLICY_NONE) {
		(void)snprintf(why, whylen, "rollback policy \"%.32s\" is not "
		    "auto, manual or pinned", m->rollback_policy);
		return (-1);
	}
	pc->pc_poll_msec = poll == 0 ? POLICY_CACHE_POLL_MSEC : poll;
	pc->pc_grace_msec = grace;
	pc->pc_offline_msec = offline;
	pc->pc_has_offline |= m->grace_period_offline != NULL;
	pc->pc_latest_auto = m->latest_auto_update;
	pc->pc_image_cleanup = m->image_cleanup;
	pc->pc_hooks_enabled = m->hooks_enabled;
	pc->pc_dependency_aware = m->dependency_aware;
	if (rollback != POLICY_NONE || m->revision > 0)
		pc->pc_rollback = rollback;
	return (0);
}
