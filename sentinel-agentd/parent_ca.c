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

#include "parent_identity.h"

#include <limits.h>

#include "keyfile.h"
#include "log.h"

/*
 * Another bundle of CAs: one file, one rename.  Which CAs it holds is for the
 * engine, and what is left of it when this is killed is thrown away at the
 * next start: the server sends it again.
 */

/* bytes PEM */
void
parent_identity_ca(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	const uint8_t	*pem;
	size_t		 len;
	char		 path[PATH_MAX], err[KEYFILE_ERRLEN] = "";
	int		 rc;

	if (ibuf_get_bytes(buf, 16382, &pem, &len) == -1 || len == 0 ||
	    ibuf_end(buf) == -1 || !identity_has(PLACE_LIVE, ID_CERT,
	    false)) {
		peer_broken(p, imsg, "bad CA_STORE");
		return;
	}
	identity_path(PLACE_LIVE, ID_CA, false, path, sizeof(path));
	rc = keyfile_write(path, pem, len, err, sizeof(err));
	if (rc == 0)
		rc = keyfile_commit(path, err, sizeof(err));
	if (rc == -1)
		log_warnx("identity: %s", err);
	identity_answer(IMSG_CA_STORED, rc, err);
}
