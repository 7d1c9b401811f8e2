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

#ifndef WORLD_H
#define WORLD_H

/* A CA and what it issued, made by the keyholder's code. */
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "keyholder_int.h"
#include "pem.h"
#include "x509util.h"

#define WORLD_HOST	"0123456789abcdef0123456789abcdef"
#define WORLD_DAY	86400

struct world {
	struct keyring	 w_ring;
	struct key	 w_agentkey;
	struct key_cert	 w_ca;
	struct key_cert	 w_server;
	struct key_cert	 w_agent;
	struct key_cert	 w_command;
	char		 w_capem[4096];
	char		 w_leafpem[4096];	/* server alone */
	char		 w_chainpem[8192];	/* server, CA */
	char		 w_agentpem[4096];
};

static inline void
world_pem(char *dst, size_t size, const struct key_cert *kc)
{
	char	*pem = pem_encode_cert(kc->kc_der, kc->kc_len);

	assert_non_null(pem);
	assert_true(strlcat(dst, pem, size) < size);
	free(pem);
}

static inline struct world *
world_new(time_t now)
{
	static const struct key_name	 names[] = {
		{ KEY_NAME_DNS, 14, "server.example" },
	};
	struct world	*w = calloc(1, sizeof(*w));
	struct keyring	*kr = &w->w_ring;
	char		 why[KEY_WHY_SIZE];

	keyring_init(kr);
	assert_int_equal(key_make(&kr->kr_ca), 0);
	assert_int_equal(key_make(&kr->kr_server[0]), 0);
	assert_int_equal(key_make(&kr->kr_command), 0);
	assert_int_equal(key_make(&w->w_agentkey), 0);
	kr->kr_cacert = key_ca_selfsign(&kr->kr_ca, 100 * WORLD_DAY, now);
	assert_int_equal(key_cert_export(kr->kr_cacert, &w->w_ca), 0);
	assert_int_equal(key_issue_server(kr, &kr->kr_server[0],
	    10 * WORLD_DAY, names, nitems(names), now, &w->w_server, why), 0);
	assert_int_equal(key_issue_agent(kr, WORLD_HOST,
	    w->w_agentkey.k_point, 10 * WORLD_DAY, now, &w->w_agent, why),
	    KEY_RC_OK);
	assert_int_equal(key_issue_command(kr, &kr->kr_command,
	    10 * WORLD_DAY, now, &w->w_command, why), 0);
	world_pem(w->w_capem, sizeof(w->w_capem), &w->w_ca);
	world_pem(w->w_leafpem, sizeof(w->w_leafpem), &w->w_server);
	world_pem(w->w_chainpem, sizeof(w->w_chainpem), &w->w_server);
	world_pem(w->w_chainpem, sizeof(w->w_chainpem), &w->w_ca);
	world_pem(w->w_agentpem, sizeof(w->w_agentpem), &w->w_agent);
	return (w);
}

static inline void
world_free(struct world *w)
{
	keyring_clear(&w->w_ring);
	key_clear(&w->w_agentkey);
	free(w);
}

#endif /* WORLD_H */
