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

#include "engine.h"

#include <string.h>

/*
 * The server as it shows itself: the words of this session, and in
 * state/server what is never forgotten again.
 */
#define FEATURES_MAX	32

static char	 features[FEATURES_MAX][65];
static size_t	 nfeatures;
static bool	 unsaved;	/* state/server is behind */

bool
session_has_feature(const char *word)
{
	size_t	 i;

	for (i = 0; i < nfeatures; i++) {
		if (strcmp(features[i], word) == 0)
			return (true);
	}
	return (false);
}

/* What the server can do; that it signs is never forgotten again. */
void
session_learn(const Sentinel__Cluster__StateAck *ack)
{
	struct known_server	 now = eng->server;
	size_t			 i;

	for (nfeatures = i = 0; i < ack->n_supported_features &&
	    nfeatures < FEATURES_MAX; i++)
		(void)strlcpy(features[nfeatures++],
		    ack->supported_features[i], sizeof(features[0]));
	now.ks_ours = ack->n_supported_features > 0 || ack->signed_commands;
	now.ks_signed = now.ks_signed || ack->signed_commands;
	if (now.ks_ours == eng->server.ks_ours &&
	    now.ks_signed == eng->server.ks_signed && !unsaved)
		return;
	eng->server = now;
	/* On a full disk again in the next session. */
	unsaved = state_save_server(eng->id.id_host, &eng->server) == -1;
}

void
session_unlearn(void)
{
	nfeatures = 0;
}
