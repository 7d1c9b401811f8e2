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

#include "compat.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include <openssl/evp.h>
#include <openssl/rand.h>

#include "eckey.h"
#include "ibuf.h"
#include "imsg.h"
#include "imsg_rule.h"
#include "keyop.h"
#include "log.h"
#include "monotime.h"
#include "proc.h"
#include "roles.h"

struct keyop {
	struct imsgbuf	 ko_ibuf;
	uint8_t		 ko_points[KEYOP_MAXKEYS][ECKEY_POINT_LEN];
	bool		 ko_used[KEYOP_MAXKEYS];
	uint32_t	 ko_id;		/* of the last question */
	unsigned int	 ko_timeouts;	/* in a row */
	uint64_t	 ko_signatures;
};

static int	 keyop_sign(const uint8_t[ECKEY_POINT_LEN],
		    const uint8_t[ECKEY_DIGEST_LEN], uint8_t *, size_t *);
static int	 keyop_answer(struct imsg *, monotime_t);
static int	 keyop_signed(struct imsg *, uint8_t *, size_t *);
static int	 keyop_timeout(void);
static int	 keyop_find(const uint8_t[ECKEY_POINT_LEN]);

static struct keyop	*ko;

void
keyop_init(int syncfd)
{
	static struct keyop	 keyop;

	if (ko != NULL || syncfd == -1)
		fatalx("keyop: no channel to the keyholder");
	if (imsgbuf_init(&keyop.ko_ibuf, syncfd) == -1)
		fatal("keyop: imsgbuf_init");
	if (eckey_hook(keyop_sign) == -1)
		fatalx("keyop: libcrypto does not take a signing method");
	ko = &keyop;
}

int
keyop_add(const uint8_t point[ECKEY_POINT_LEN])
{
	EVP_PKEY	*pkey;
	int		 i;

	if (keyop_find(point) != -1)
		return (0);
	if ((pkey = eckey_public(point)) == NULL) {
		errno = EINVAL;
		return (-1);
	}
	EVP_PKEY_free(pkey);
	for (i = 0; i < KEYOP_MAXKEYS; i++) {
		if (ko->ko_used[i])
			continue;
		memcpy(ko->ko_points[i], point, ECKEY_POINT_LEN);
		ko->ko_used[i] = true;
		return (0);
	}
	errno = ENOSPC;
	return (-1);
}

void
keyop_del(const uint8_t point[ECKEY_POINT_LEN])
{
	int	 i;

	if ((i = keyop_find(point)) != -1)
		ko->ko_used[i] = false;
}

bool
keyop_has(const uint8_t point[ECKEY_POINT_LEN])
{
	return (keyop_find(point) != -1);
}

uint64_t
keyop_signatures(void)
{
	return (ko->ko_signatures);
}

int
keyop_selftest(const uint8_t point[ECKEY_POINT_LEN])
{
	uint8_t		 digest[ECKEY_DIGEST_LEN], sig[ECKEY_SIG_MAXBYTES];
	EVP_PKEY	*pkey = NULL;
	uint64_t	 before = ko->ko_signatures;
	size_t		 len;
	int		 ret = -1;

	if (RAND_bytes(digest, sizeof(digest)) != 1 ||
	    (pkey = eckey_public(point)) == NULL) {
		log_warnx("keyop: self-test: cannot be made");
		goto done;
	}
	if (eckey_sign(pkey, digest, sig, &len) == -1)
		log_warnx("keyop: self-test: no signature from the keyholder");
	else if (ko->ko_signatures == before)
		log_warnx("keyop: self-test: libcrypto ignores our method");
	else if (!eckey_verify(pkey, digest, sig, len))
		log_warnx("keyop: self-test: the keyholder has another key");
	else
		ret = 0;
done:
	EVP_PKEY_free(pkey);
	return (ret);
}

/* The hook: libcrypto calls it in the middle of a handshake. */
static int
keyop_sign(const uint8_t point[ECKEY_POINT_LEN],
    const uint8_t digest[ECKEY_DIGEST_LEN], uint8_t *sig, size_t *siglen)
{
	struct imsg	 imsg;
	struct ibuf	*b;
	monotime_t	 deadline = monotime_now() + KEYOP_WAIT_MSEC;
	int		 ret;

	if (keyop_find(point) == -1) {
		log_warnx("keyop: asked to sign with a key that is not ours");
		return (-1);
	}
	b = ibuf_open(2 + ECKEY_POINT_LEN + 2 + ECKEY_DIGEST_LEN);
	if (b == NULL ||
	    ibuf_add_bytes(b, point, ECKEY_POINT_LEN) == -1 ||
	    ibuf_add_bytes(b, digest, ECKEY_DIGEST_LEN) == -1 ||
	    imsg_compose_ibuf(&ko->ko_ibuf, IMSG_KEY_SIGN, ++ko->ko_id, -1,
	    b) == -1)
		fatal("keyop: compose");
	ibuf_free(b);
	if (imsgbuf_flush(&ko->ko_ibuf, monotime_left(deadline)) == -1) {
		if (errno != ETIMEDOUT)
			fatal("keyop: the keyholder does not listen");
		return (keyop_timeout());
	}
	if (keyop_answer(&imsg, deadline) == -1)
		return (keyop_timeout());
	ko->ko_timeouts = 0;
	ret = keyop_signed(&imsg, sig, siglen);
	imsg_free(&imsg);
	if (ret == 0)
		ko->ko_signatures++;
	return (ret);
}

/* The answer to the last question; answers to earlier ones are late. */
static int
keyop_answer(struct imsg *imsg, monotime_t deadline)
{
	enum role	 from;
	const char	*why;
	int		 n;

	from = proc_self() < ROLE_A_PARENT ? ROLE_KEYHOLDER :
	    ROLE_A_KEYHOLDER;
	for (;;) {
		n = imsgbuf_wait(&ko->ko_ibuf, imsg, monotime_left(deadline));
		if (n == 0)
			fatalx("keyop: the keyholder has gone");
		if (n == -1 && errno == ETIMEDOUT)
			return (-1);
		if (n == -1)
			fatal("keyop: the keyholder cannot be read");
		if ((why = imsg_rule_check(imsg, from, proc_self())) != NULL)
			fatalx("keyop: broken answer of the keyholder: %s",
			    why);
		if (imsg_get_type(imsg) == IMSG_KEY_SIGNED &&
		    imsg_get_id(imsg) == ko->ko_id)
			return (0);
		log_debug("keyop: late answer %u dropped", imsg_get_id(imsg));
		imsg_free(imsg);
	}
}

static int
keyop_signed(struct imsg *imsg, uint8_t *sig, size_t *siglen)
{
	struct ibuf	*b = imsg_get_ibuf(imsg);
	const uint8_t	*p;
	uint8_t		 rc;

	if (ibuf_get_n8(b, &rc) == -1 ||
	    ibuf_get_bytes(b, ECKEY_SIG_MAXBYTES, &p, siglen) == -1 ||
	    ibuf_end(b) == -1)
		fatalx("keyop: broken answer of the keyholder");
	if (rc != 0 || *siglen == 0) {
		log_warnx("keyop: the keyholder refuses to sign");
		return (-1);
	}
	memcpy(sig, p, *siglen);
	return (0);
}

/* One is a hiccup of the machine; two in a row are a keyholder that hangs,
 * and every handshake would stop this process for seconds. */
static int
keyop_timeout(void)
{
	if (++ko->ko_timeouts >= KEYOP_TIMEOUTS) {
		log_warnx("keyop: the keyholder did not answer %u times in a "
		    "row", ko->ko_timeouts);
		proc_exit(PROC_EXIT_DAEMON);
	}
	log_warnx("keyop: no signature from the keyholder within %d ms",
	    KEYOP_WAIT_MSEC);
	return (-1);
}

static int
keyop_find(const uint8_t point[ECKEY_POINT_LEN])
{
	int	 i;

	for (i = 0; i < KEYOP_MAXKEYS; i++)
		if (ko->ko_used[i] &&
		    memcmp(ko->ko_points[i], point, ECKEY_POINT_LEN) == 0)
			return (i);
	return (-1);
}
