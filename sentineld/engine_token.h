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

#ifndef ENGINE_TOKEN_H
#define ENGINE_TOKEN_H

#include "compat.h"

#include "engine.h"

/*
 * Enrolment tokens: made, listed, revoked, expired, swept.  Only the MAC is
 * stored; the 64 characters are shown once.  What uses them: engine_enroll.h.
 */
struct token_spec {
	int64_t		 ts_ttl_sec;	/* 0: as configured */
	const char	*ts_host_name;	/* required, "": any */
	const char	*ts_replaces;	/* id of a host that is there, or "" */
	uint32_t	 ts_uses;	/* 1..DB_TOKEN_USES_MAX */
	char		**ts_labels;	/* each label_is_whole() */
	size_t		 ts_nlabels;
	uint32_t	 ts_uid;	/* who wants it */
};
/* done() gets the 64 characters and the record, or NULL and why. */
typedef void (*token_done)(const char *token, const Sentinel__Store__Token *,
	    const char *why, void *);
/* Copies the spec. */
void	 token_create(const struct token_spec *, token_done, void *);
/* by: "uid 0".  1 revoked (twice is once), 0 no such token, -1 store */
int	 token_revoke(const char *id, const char *by);
/*
 * revoked used (all seen) issued (a host is awaited) consumed (a certificate
 * is) expired open
 */
const char *token_state(const Sentinel__Store__Token *, int64_t now);
/* Once a second: those that expired go to the audit trail. */
void	 token_tick(int64_t now);
/* Hourly: deletes those that expired long ago. */
void	 token_sweep(int64_t now);

#endif /* ENGINE_TOKEN_H */
