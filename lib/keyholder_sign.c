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
 * Keys in memory and what is signed with them.
 *
 * A private number exists in two forms only: as a BIGNUM of libcrypto, whose
 * private numbers, nonces and intermediate values lie in its secure heap, and
 * for the moment of reading or writing a file in a buffer of that same heap.
 * The heap is one arena: guard pages on both ends, locked, left out of core
 * dumps, wiped on every free.  Holding the bare 32 bytes ourselves and building
 * a key for each signature would cost ten signatures' time and leave no fewer
 * copies.  LibreSSL has no secure heap; there, every copy is freed wiped and
 * PROC_F_MLOCK locks the process.
 */

#include "compat.h"

#include <errno.h>
#include <string.h>

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "keyholder_int.h"
#include "log.h"
#include "x509util.h"

void
key_arena_init(void)
{
#ifndef LIBRESSL_VERSION_NUMBER
	if (CRYPTO_secure_malloc_initialized())
		return;
	switch (CRYPTO_secure_malloc_init(KEY_ARENA_BYTES, 32)) {
	case 1:
		break;
	case 2:
		log_warnx("keyholder: memory for keys cannot be locked: keys "
		    "may reach the swap space (RLIMIT_MEMLOCK)");
		break;
	default:
		fatalx("keyholder: no memory for keys");
	}
#endif
}

void *
key_arena_alloc(size_t size)
{
	void	*p;

#ifndef LIBRESSL_VERSION_NUMBER
	p = OPENSSL_secure_zalloc(size);
#else
	p = calloc(1, size);
#endif
	if (p == NULL)
		fatalx("keyholder: memory for keys is used up");
	return (p);
}

void
key_arena_free(void *p, size_t size)
{
	if (p == NULL)
		return;
#ifndef LIBRESSL_VERSION_NUMBER
	OPENSSL_secure_clear_free(p, size);
#else
	freezero(p, size);
#endif
}

void
keyring_init(struct keyring *kr)
{
	memset(kr, 0, sizeof(*kr));
	kr->kr_ca_life = KEY_CA_LIFE_SEC;
	kr->kr_command_life = KEY_COMMAND_LIFE_SEC;
	key_bucket_set(&kr->kr_bucket, KEY_ISSUE_RATE, KEY_ISSUE_BURST,
	    monotime_now());
}

void
keyring_clear(struct keyring *kr)
{
	int	 i;

	key_clear(&kr->kr_ca);
	X509_free(kr->kr_cacert);
	kr->kr_cacert = NULL;
	(void)key_ca_use(kr, KEY_CA_USE_DISCARD, NULL);
	for (i = 0; i < KEY_SLOTS; i++) {
		key_clear(&kr->kr_server[i]);
		key_clear(&kr->kr_agent[i]);
	}
	key_clear(&kr->kr_command);
	key_arena_free(kr->kr_secret, KEY_SECRET_LEN);
	kr->kr_secret = NULL;
}

int
key_make(struct key *k)
{
	uint8_t	*scalar = key_arena_alloc(ECKEY_SCALAR_LEN);
	int	 ret = -1;

	if (eckey_generate(scalar) == 0)
		ret = key_set(k, scalar);
	key_arena_free(scalar, ECKEY_SCALAR_LEN);
	return (ret);
}

int
key_set(struct key *k, const uint8_t scalar[ECKEY_SCALAR_LEN])
{
	EVP_PKEY	*pkey;
	uint8_t		 point[ECKEY_POINT_LEN];

	if ((pkey = eckey_private(scalar, point)) == NULL) {
		errno = EINVAL;
		return (-1);
	}
	key_clear(k);
	k->k_pkey = pkey;
	memcpy(k->k_point, point, sizeof(point));
	return (0);
}

void
key_clear(struct key *k)
{
	EVP_PKEY_free(k->k_pkey);
	memset(k, 0, sizeof(*k));
}

void
key_move(struct key *dst, struct key *src)
{
	key_clear(dst);
	*dst = *src;
	memset(src, 0, sizeof(*src));
}

struct key *
key_find(struct key slots[KEY_SLOTS], const uint8_t point[ECKEY_POINT_LEN])
{
	int	 i;

	for (i = 0; i < KEY_SLOTS; i++)
		if (slots[i].k_pkey != NULL &&
		    memcmp(slots[i].k_point, point, ECKEY_POINT_LEN) == 0)
			return (&slots[i]);
	return (NULL);
}

int
key_drop(struct key slots[KEY_SLOTS], const uint8_t point[ECKEY_POINT_LEN])
{
	struct key	*stays;

	if ((stays = key_find(slots, point)) == NULL) {
		errno = ENOENT;
		return (-1);
	}
	if (stays == &slots[KEY_SLOT_NEW])
		key_move(&slots[KEY_SLOT_CURRENT], stays);
	else
		key_clear(&slots[KEY_SLOT_NEW]);
	return (0);
}

int
key_command_sign(struct keyring *kr, const uint8_t hash[32], uint8_t *sig,
    size_t *siglen)
{
	uint8_t	 statement[X509_STATEMENT_LEN], digest[ECKEY_DIGEST_LEN];

	if (kr->kr_command.k_pkey == NULL) {
		errno = ENOENT;
		return (-1);
	}
	x509_command_statement(hash, statement);
	SHA256(statement, sizeof(statement), digest);
	return (eckey_sign(kr->kr_command.k_pkey, digest, sig, siglen));
}

int
key_mac(struct keyring *kr, const void *data, size_t len, uint8_t *mac)
{
	if (kr->kr_secret == NULL) {
		errno = ENOENT;
		return (-1);
	}
	if (HMAC(EVP_sha256(), kr->kr_secret, KEY_SECRET_LEN, data, len, mac,
	    NULL) == NULL)
		fatalx("keyholder: HMAC");
	return (0);
}

int
key_maccheck(struct keyring *kr, const void *data, size_t len,
    const uint8_t *mac, bool *equal)
{
	uint8_t	 want[32];

	if (key_mac(kr, data, len, want) == -1)
		return (-1);
	*equal = CRYPTO_memcmp(want, mac, sizeof(want)) == 0;
	explicit_bzero(want, sizeof(want));
	return (0);
}

/* A change of limits starts with a full bucket. */
void
key_bucket_set(struct key_bucket *b, uint32_t rate, uint32_t burst,
    monotime_t now)
{
	b->kb_rate = rate;
	b->kb_burst = burst;
	b->kb_level = (uint64_t)burst * 1000;
	b->kb_filled = now;
}

bool
key_bucket_take(struct key_bucket *b, monotime_t now)
{
	uint64_t	 full = (uint64_t)b->kb_burst * 1000;
	uint64_t	 msec;

	msec = now > b->kb_filled ? (uint64_t)(now - b->kb_filled) : 0;
	b->kb_filled = now;
	/* A day refills every bucket; more could overflow. */
	if (msec > 86400000)
		msec = 86400000;
	b->kb_level += msec * b->kb_rate;
	if (b->kb_level > full)
		b->kb_level = full;
	if (b->kb_level < 1000) {
		b->kb_limited++;
		return (false);
	}
	b->kb_level -= 1000;
	return (true);
}
