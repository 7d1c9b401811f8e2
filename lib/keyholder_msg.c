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

/*
 * Fields of the keyholder's messages.  The sizes of answers are ours, so a
 * failure to build one is fatal.
 */

#include "compat.h"

#include <string.h>

#include "ibuf.h"
#include "keyholder_int.h"
#include "log.h"

int
key_get_exact(struct ibuf *b, uint8_t *dst, size_t want)
{
	const uint8_t	*p;
	size_t		 len;

	if (ibuf_get_bytes(b, want, &p, &len) == -1 || len != want)
		return (-1);
	memcpy(dst, p, want);
	return (0);
}

/* kc: NULL for an agent's key, whose certificate we do not have. */
void
key_send_info(enum keyholder_purpose purpose, uint8_t slot,
    const struct key *key, const struct key_cert *kc)
{
	static const struct key_cert	 none;
	struct ibuf			*b = key_answer(4096);

	if (kc == NULL)
		kc = &none;
	key_put8(b, (uint8_t)purpose);
	key_put8(b, slot);
	key_put_bytes(b, key->k_point, ECKEY_POINT_LEN);
	key_put_bytes(b, kc->kc_der, kc->kc_len);
	key_put_bytes(b, kc->kc_serial, kc->kc_seriallen);
	key_put64(b, kc->kc_notbefore);
	key_put64(b, kc->kc_notafter);
	key_send(proc_peer(proc_self() == ROLE_A_KEYHOLDER ? ROLE_A_ENGINE :
	    ROLE_ENGINE), IMSG_KEY_INFO, 0, b);
}

void
key_send_signature(struct peer *p, uint32_t type, uint32_t id, int rc,
    const uint8_t *sig, size_t len)
{
	struct ibuf	*b = key_answer(3 + ECKEY_SIG_MAXBYTES);

	key_put8(b, rc == 0 ? KEY_RC_OK : KEY_RC_REFUSED);
	key_put_bytes(b, sig, rc == 0 ? len : 0);
	key_send(p, type, id, b);
}

/* Frees b. */
void
key_send(struct peer *p, uint32_t type, uint32_t id, struct ibuf *b)
{
	if (peer_send_ibuf(p, type, id, -1, b) == -1)
		log_warnx("keyholder: answer not sent: channel is closed");
	ibuf_free(b);
}

struct ibuf *
key_answer(size_t size)
{
	struct ibuf	*b;

	if ((b = ibuf_open(size)) == NULL)
		fatal("keyholder: ibuf_open");
	return (b);
}

void
key_put8(struct ibuf *b, uint8_t v)
{
	if (ibuf_add_n8(b, v) == -1)
		fatal("keyholder: answer");
}

void
key_put64(struct ibuf *b, int64_t v)
{
	if (ibuf_add_n64(b, (uint64_t)v) == -1)
		fatal("keyholder: answer");
}

void
key_put_bytes(struct ibuf *b, const void *p, size_t len)
{
	if (ibuf_add_bytes(b, p, len) == -1)
		fatal("keyholder: answer");
}
