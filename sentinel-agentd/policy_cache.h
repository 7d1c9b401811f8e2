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

#ifndef POLICY_CACHE_H
#define POLICY_CACHE_H

#include "compat.h"

#include "policy.h"
#include "sentinel.pb-c.h"

/*
 * Policies and settings as an agent keeps them, and policy_cache.json, their
 * form on disk: the keys of the existing implementation (policies,
 * default_policy, poll_interval, grace_period in nanoseconds, image_cleanup,
 * hooks_enabled, dependency_aware, rollback_policy) and our own, which it
 * skips.  Pure: no file, no process.
 */
#define POLICY_CACHE_MAX	8192		/* overrides of one host */
#define POLICY_CACHE_MAXBYTES	(4 * 1024 * 1024)
#define POLICY_CACHE_MAX_MSEC	(30ULL * 86400 * 1000)	/* of a duration */
#define POLICY_CACHE_POLL_MSEC	(6ULL * 3600 * 1000)	/* when it is 0 */
#define POLICY_CACHE_GRACE_MSEC	30000

struct policy_entry {
	char		*pe_name;	/* container */
	enum policy	 pe_policy;
	size_t		 pe_order;	/* as it came */
};

struct policy_cache {
	struct policy_entry *pc_entry;	/* sorted by name, no duplicates */
	size_t		 pc_nentries;
	enum policy	 pc_default;	/* POLICY_NONE: nobody has said */
	bool		 pc_host_default; /* it is this host's own */
	uint64_t	 pc_poll_msec;	/* never 0 */
	uint64_t	 pc_grace_msec;
	uint64_t	 pc_offline_msec; /* 0: never on its own */
	bool		 pc_has_offline;
	bool		 pc_latest_auto;
	bool		 pc_image_cleanup;
	bool		 pc_hooks_enabled;
	bool		 pc_dependency_aware;
	enum policy	 pc_rollback;	/* POLICY_NONE: none */
	int64_t		 pc_policies_at; /* unix seconds; 0: never received */
	int64_t		 pc_settings_at;
};

/* What holds without a server's word. */
void	 policy_cache_init(struct policy_cache *);
void	 policy_cache_clear(struct policy_cache *);
/*
 * Of a file.  skipped counts overrides of no known word.  0, or -1 with a
 * line in why and *pc as policy_cache_init() leaves it.
 */
int	 policy_cache_parse(struct policy_cache *, const void *, size_t,
	    unsigned int *skipped, char *why, size_t whylen);
/* The file's text, malloc'd; NULL with errno. */
char	*policy_cache_print(const struct policy_cache *, size_t *len);
/* POLICY_NONE when there is no override. */
enum policy policy_cache_find(const struct policy_cache *, const char *name);

/*
 * A sync applied.  One with a revision is complete, so that what is empty in
 * it is empty; in one without, as other implementations mean it, what is
 * empty or absent changes nothing (the bools always count).
 * 0, or -1 with a line in why and nothing changed: out of bounds.
 */
int	 policy_cache_policies(struct policy_cache *,
	    const Sentinel__Cluster__PolicySync *, unsigned int *skipped,
	    char *why, size_t whylen);
int	 policy_cache_settings(struct policy_cache *,
	    const Sentinel__Cluster__SettingsSync *, char *why,
	    size_t whylen);

#endif /* POLICY_CACHE_H */
