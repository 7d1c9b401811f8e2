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

#ifndef ENGINE_POLICY_H
#define ENGINE_POLICY_H

#include "compat.h"

#include <time.h>

#include "engine.h"
#include "policy.h"
#include "policy_cache.h"

/*
 * The agent's copy of its server's policies and settings, so that it can
 * decide on its own: state/policy_cache.json, in the form of the existing
 * implementation.  Written before a sync counts, read at the start; a broken
 * file is told and is no file.
 */
/* Reads the cache. */
void	 policy_init(void);
const struct policy_cache *policy_cache_now(void);
/* What is to be done with a container, and who decided. */
void	 policy_facts_of(const Sentinel__Cluster__ContainerInfo *,
	    struct policy_facts *);
void	 policy_of(const Sentinel__Cluster__ContainerInfo *,
	    struct policy_result *);
/*
 * Syncs of the server; the caller has checked that they are signed where they
 * have to be.  What is out of bounds changes nothing and is told; one that is
 * older than the last of its kind in this session is left out.
 */
void	 policy_sync(const Sentinel__Cluster__PolicySync *);
void	 policy_settings_sync(const Sentinel__Cluster__SettingsSync *);
/* A new session counts its syncs anew. */
void	 policy_session(void);
/* A good time to write what a full disk has kept from being written. */
void	 policy_flush(void);
/* policy_cache.json of another implementation: 0 when it is the cache now and
 * on disk, else -1, logged. */
int	 policy_import(const uint8_t *, size_t);

#endif /* ENGINE_POLICY_H */
