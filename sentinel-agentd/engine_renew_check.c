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

#include "engine_renew.h"

#include <stdio.h>
#include <string.h>

#include "keyholder.h"

/* The parts of a renewal that only think. */
#define CERT_MAXBYTES	16000	/* PEM; what IDENTITY_STAGE carries */

int64_t
renew_life(const struct x509_facts *xf)
{
	int64_t	 total = xf->xf_notafter - xf->xf_notbefore;

	/* Back-dated by an hour, or by a tenth of a life below ten hours. */
	if (total >= 11 * KEY_BACKDATE_MAXSEC)
		return (total - KEY_BACKDATE_MAXSEC);
	return (total - total / 11);
}

int64_t
renew_due(const struct x509_facts *xf, uint32_t random)
{
	int64_t	 life = renew_life(xf) * 1000;

	if (life < 0)
		return (0);
	return (xf->xf_notafter * 1000 - life / 3 +
	    (int64_t)((uint64_t)(life / 30) * (random >> 16) >> 16));
}

const char *
renew_fault(const struct identity *id, const uint8_t *cert, size_t len,
    const uint8_t point[ECKEY_POINT_LEN], int64_t after, time_t now,
    char *why, size_t whylen)
{
	struct x509_result	 xr;

	if (len == 0 || len > CERT_MAXBYTES) {
		(void)snprintf(why, whylen, "it is %s", len == 0 ? "empty" :
		    "longer than 16000 bytes");
		return (why);
	}
	if (!x509_check_issued(id->id_ca, id->id_calen, cert, len, point,
	    id->id_host, now, &xr)) {
		(void)snprintf(why, whylen, "%s: %s",
		    x509_verdict_name(xr.xr_verdict), xr.xr_text);
		return (why);
	}
	if (xr.xr_leaf.xf_notafter <= after) {
		(void)strlcpy(why, "it does not last longer than the one in "
		    "use", whylen);
		return (why);
	}
	return (NULL);
}

bool
renew_is_late(const struct x509_facts *xf, int64_t left, int64_t *warned)
{
	if (left > renew_life(xf) / 6 || *warned < 0 ||
	    (*warned > 0 && left > *warned / 2))
		return (false);
	*warned = left > 0 ? left : -1;
	return (true);
}
