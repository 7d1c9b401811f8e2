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

#include "engine_policy.h"

#include <stdlib.h>
#include <string.h>

#include "log.h"

/*
 * A sync counts at once and is on disk when its handler returns; on a full
 * disk it is written when there is room again.  What is lost with it comes
 * again with the next session.
 */
#define FILE_NAME	"policy_cache.json"

static void	 save(void);
static bool	 is_newer(uint64_t, uint64_t *, const char *);
static bool	 is_changed(char *, size_t);
static void	 tell_skipped(const char *, unsigned int);

static struct policy_cache	 cache;
static bool			 unsaved;
static uint64_t			 policies_seen, settings_seen;

void
policy_init(void)
{
	uint8_t		*text;
	char		 why[256];
	unsigned int	 skipped;
	size_t		 len;

	policy_cache_clear(&cache);
	policy_cache_init(&cache);
	text = state_read(FILE_NAME, POLICY_CACHE_MAXBYTES, &len);
	if (text == NULL)
		return;		/* not there, or logged */
	if (policy_cache_parse(&cache, text, len, &skipped, why,
	    sizeof(why)) == -1)
		log_warnx("state/%s: %s: the file does not count; until the "
		    "server sends its policies again, every container "
		    "without a label is manual", FILE_NAME, why);
	else
		tell_skipped("state/" FILE_NAME, skipped);
	free(text);
}

const struct policy_cache *
policy_cache_now(void)
{
	return (&cache);
}

void
policy_facts_of(const Sentinel__Cluster__ContainerInfo *info,
    struct policy_facts *pf)
{
	memset(pf, 0, sizeof(*pf));
	pf->pf_label = policy_label(info);
	pf->pf_image = info->image;
	pf->pf_override = policy_cache_find(&cache, info->name);
	pf->pf_latest_auto = cache.pc_latest_auto;
	if (cache.pc_host_default)
		pf->pf_host = cache.pc_default;
	else
		pf->pf_default = cache.pc_default;
}

void
policy_of(const Sentinel__Cluster__ContainerInfo *info,
    struct policy_result *pr)
{
	struct policy_facts	 pf;

	policy_facts_of(info, &pf);
	policy_resolve(&pf, pr);
}

static void
save(void)
{
	char	*text;
	size_t	 len;

	unsaved = true;
	if ((text = policy_cache_print(&cache, &len)) == NULL)
		log_warn("state/" FILE_NAME);
	else
		unsaved = state_write(FILE_NAME, text, len) == -1;
	free(text);
}

void
policy_flush(void)
{
	if (unsaved)
		save();
}

/* --- syncs -------------------------------------------------------------- */

void
policy_session(void)
{
	policies_seen = settings_seen = 0;
	policy_flush();
}

/* Who owns the server's network process can hold a signed one back and let it
 * go later. */
static bool
is_newer(uint64_t revision, uint64_t *seen, const char *what)
{
	if (revision != 0 && revision <= *seen) {
		log_warnx("server %s: %s are older than those we have, "
		    "ignored", eng->conf.ac_server, what);
		return (false);
	}
	if (revision != 0)
		*seen = revision;
	return (true);
}

/* Takes the text from before; NULL: there was no memory for it. */
static bool
is_changed(char *before, size_t len)
{
	char	*after;
	size_t	 n;
	bool	 same;

	after = policy_cache_print(&cache, &n);
	same = before != NULL && after != NULL && n == len &&
	    memcmp(before, after, n) == 0;
	free(before);
	free(after);
	return (!same);
}

static void
tell_skipped(const char *where, unsigned int skipped)
{
	if (skipped > 0)
		log_warnx("%s: %u overrides are not auto, manual or pinned, "
		    "or have no name: left out", where, skipped);
}

void
policy_sync(const Sentinel__Cluster__PolicySync *m)
{
	char		*before, why[256];
	unsigned int	 skipped;
	size_t		 len = 0;

	if (!is_newer(m->revision, &policies_seen, "policies"))
		return;
	before = policy_cache_print(&cache, &len);
	if (policy_cache_policies(&cache, m, &skipped, why,
	    sizeof(why)) == -1) {
		log_warnx("server %s: policies refused: %s",
		    eng->conf.ac_server, why);
		free(before);
		return;
	}
	tell_skipped("policies of the server", skipped);
	if (is_changed(before, len) || cache.pc_policies_at == 0) {
		cache.pc_policies_at = time(NULL);
		save();
		log_info("policies of the server: default %s, overrides: %zu",
		    policy_name(cache.pc_default), cache.pc_nentries);
	} else
		cache.pc_policies_at = time(NULL);
}

void
policy_settings_sync(const Sentinel__Cluster__SettingsSync *m)
{
	char	*before, why[256];
	size_t	 len = 0;

	if (!is_newer(m->revision, &settings_seen, "settings"))
		return;
	before = policy_cache_print(&cache, &len);
	if (policy_cache_settings(&cache, m, why, sizeof(why)) == -1) {
		log_warnx("server %s: settings refused: %s",
		    eng->conf.ac_server, why);
		free(before);
		return;
	}
	if (is_changed(before, len) || cache.pc_settings_at == 0) {
		cache.pc_settings_at = time(NULL);
		save();
		log_info("settings of the server have changed");
	} else
		cache.pc_settings_at = time(NULL);
}

/* --- import ------------------------------------------------------------- */

int
policy_import(const uint8_t *text, size_t len)
{
	struct policy_cache	 found;
	char			 why[256];
	unsigned int		 skipped;

	if (policy_cache_parse(&found, text, len, &skipped, why,
	    sizeof(why)) == -1) {
		log_warnx("%s/%s: not imported: %s; repair it or move it "
		    "away", eng->conf.ac_dir, FILE_NAME, why);
		return (-1);
	}
	tell_skipped(FILE_NAME, skipped);
	/* Of its server they are, whenever it sent them. */
	if (found.pc_policies_at == 0)
		found.pc_policies_at = time(NULL);
	if (found.pc_settings_at == 0)
		found.pc_settings_at = time(NULL);
	policy_cache_clear(&cache);
	cache = found;
	save();
	if (unsaved)
		return (-1);
	log_info("policies of %s/%s: default %s, overrides: %zu",
	    eng->conf.ac_dir, FILE_NAME, policy_name(cache.pc_default),
	    cache.pc_nentries);
	return (0);
}
