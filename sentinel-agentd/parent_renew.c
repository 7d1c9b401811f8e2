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
#include <string.h>

#include "keyfile.h"
#include "log.h"

/*
 * A renewal on disk: agent-key.pem.new, then agent.pem.new, both synced; when
 * the server has accepted them the key is renamed, then the certificate.
 * Killed anywhere, one of the certificates matches one of the keys, and the
 * engine finds out which.
 */
static int	 drop_staged(char *);
static int	 keep_staged(char *);

/* The certificate first: alone, it would look like one over the old key. */
static int
drop_staged(char *err)
{
	if (identity_remove(PLACE_LIVE, ID_CERT, true, err) == -1)
		return (-1);
	return (identity_remove(PLACE_LIVE, ID_KEY, true, err));
}

static int
keep_staged(char *err)
{
	char	 path[PATH_MAX];

	if (identity_has(PLACE_LIVE, ID_KEY, true)) {
		identity_path(PLACE_LIVE, ID_KEY, false, path, sizeof(path));
		if (keyfile_commit(path, err, KEYFILE_ERRLEN) == -1)
			return (-1);
	}
	/* Done already, by an attempt that failed after it. */
	if (!identity_has(PLACE_LIVE, ID_CERT, true))
		return (0);
	identity_path(PLACE_LIVE, ID_CERT, false, path, sizeof(path));
	return (keyfile_commit(path, err, KEYFILE_ERRLEN));
}

/* empty */
void
parent_identity_renewkey(struct peer *p, struct imsg *imsg)
{
	char	 err[KEYFILE_ERRLEN] = "";

	if (identity_is_busy() || !identity_has(PLACE_LIVE, ID_CERT, false)) {
		peer_broken(p, imsg, "renewal out of order");
		return;
	}
	if (drop_staged(err) == -1 ||
	    identity_make_key(PLACE_LIVE, err) == -1) {
		log_warnx("identity: %s", err);
		identity_answer(IMSG_IDENTITY_NEWKEY_DONE, -1, err);
	}
}

/* u8 over agent-key.pem.new (1) or the key in use (0), bytes leaf PEM */
void
parent_identity_stage(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	const uint8_t	*cert;
	size_t		 len;
	char		 path[PATH_MAX], err[KEYFILE_ERRLEN] = "";
	uint8_t		 is_fresh;
	int		 rc = 0;

	if (ibuf_get_n8(buf, &is_fresh) == -1 || is_fresh > 1 ||
	    ibuf_get_bytes(buf, 16381, &cert, &len) == -1 || len == 0 ||
	    ibuf_end(buf) == -1 || identity_is_busy() ||
	    !identity_has(PLACE_LIVE, ID_CERT, false)) {
		peer_broken(p, imsg, "bad IDENTITY_STAGE");
		return;
	}
	/* A key that waits for another certificate must not go with it. */
	if (!is_fresh)
		rc = drop_staged(err);
	identity_path(PLACE_LIVE, ID_CERT, false, path, sizeof(path));
	if (rc == 0)
		rc = keyfile_write(path, cert, len, err, sizeof(err));
	/* Its name, and that of the key, must outlive a power cut: the server
	 * may know no other pair soon. */
	if (rc == 0)
		rc = keyfile_syncdir(path, err, sizeof(err));
	if (rc == -1)
		log_warnx("identity: %s", err);
	identity_answer(IMSG_IDENTITY_STAGED, rc, err);
}

/* u8 1: keep what is staged, 0: drop it */
void
parent_identity_accept(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	char		 err[KEYFILE_ERRLEN] = "";
	uint8_t		 keep;
	int		 rc;

	if (ibuf_get_n8(buf, &keep) == -1 || keep > 1 ||
	    ibuf_end(buf) == -1 || identity_is_busy()) {
		peer_broken(p, imsg, "bad IDENTITY_SETTLE");
		return;
	}
	rc = keep ? keep_staged(err) : drop_staged(err);
	if (rc == -1)
		log_warnx("identity: %s", err);
	identity_answer(IMSG_IDENTITY_SETTLED, rc, err);
}
