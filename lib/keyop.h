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

#ifndef KEYOP_H
#define KEYOP_H

#include "compat.h"
#include "eckey.h"

/*
 * TLS signatures by the keyholder, for cluster, uplink and web: libtls gets
 * the certificate and tls_config_use_fake_private_key(); our hook recognises
 * the key by its public point and asks on the synchronous channel.
 *
 * This call blocks its event loop, at most KEYOP_WAIT_MSEC; a signature takes
 * about 0.1 ms.  A late answer is recognised by its id and dropped.
 * KEYOP_TIMEOUTS in a row without an answer end the process with
 * PROC_EXIT_DAEMON, and so the daemon: a keyholder that does not answer is
 * broken, and we are not.  EOF ends the process: the keyholder has died.
 */
#define KEYOP_WAIT_MSEC		2000
#define KEYOP_TIMEOUTS		2
#define KEYOP_MAXKEYS		2	/* old and new */

/* syncfd: proc_sync_fd(), taken.  Fatal when it cannot work. */
void		 keyop_init(int syncfd);
/* Register a point; the same one again is no error.  -1: ENOSPC (two are
 * registered, drop one first), EINVAL (not on the curve). */
int		 keyop_add(const uint8_t point[ECKEY_POINT_LEN]);
void		 keyop_del(const uint8_t point[ECKEY_POINT_LEN]);
bool		 keyop_has(const uint8_t point[ECKEY_POINT_LEN]);
/*
 * Sign and verify once with a registered point.  -1 and a log line when the
 * signature does not come or does not verify: libcrypto ignores the hook or
 * the keyholder has another key, and the daemon must not start.
 */
int		 keyop_selftest(const uint8_t point[ECKEY_POINT_LEN]);
/* Signatures that the keyholder made for us. */
uint64_t	 keyop_signatures(void);

#endif /* KEYOP_H */
