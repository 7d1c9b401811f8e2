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

/* PEM and DER readers, and raw P-256 keys. */
#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include "der.h"
#include "eckey.h"
#include "pem.h"

static void
test_round_trip(void **state)
{
	struct pem	 p;
	char		 label[PEM_LABEL_SIZE], *name, *header;
	uint8_t		 der[200], back[203];
	unsigned char	*other;
	char		*text;
	size_t		 n, len, i;
	long		 otherlen;
	BIO		*bio;

	(void)state;
	for (i = 0; i < sizeof(der); i++)
		der[i] = (uint8_t)(i * 7 + 1);
	for (n = 1; n < sizeof(der); n++) {
		text = malloc(pem_size("X Y", n));
		len = pem_encode(text, "X Y", der, n);
		assert_int_equal(len, strlen(text));
		assert_int_equal(len + 1, pem_size("X Y", n));
		/* libcrypto reads the same. */
		bio = BIO_new_mem_buf(text, -1);
		assert_int_equal(PEM_read_bio(bio, &name, &header, &other,
		    &otherlen), 1);
		assert_int_equal(otherlen, n);
		assert_memory_equal(other, der, n);
		assert_string_equal(name, "X Y");
		OPENSSL_free(name);
		OPENSSL_free(header);
		OPENSSL_free(other);
		BIO_free(bio);

		pem_init(&p, text, len);
		assert_int_equal(pem_next(&p, label, back, sizeof(back), &i),
		    1);
		assert_string_equal(label, "X Y");
		assert_int_equal(i, n);
		assert_memory_equal(back, der, n);
		assert_int_equal(pem_next(&p, label, back, sizeof(back), &i),
		    0);
		pem_init(&p, text, len);
		assert_int_equal(pem_next(&p, label, back, n - 1, &i), -1);
		assert_int_equal(errno, EMSGSIZE);
		/* Cut anywhere. */
		for (i = 0; i < len - 1; i++) {
			size_t	 got;

			pem_init(&p, text, i);
			assert_true(pem_next(&p, label, back, sizeof(back),
			    &got) < 1);
		}
		free(text);
	}
}

static int
decode(const char *text)
{
	struct pem	 p;
	char		 label[PEM_LABEL_SIZE];
	uint8_t		 der[64];
	size_t		 len;

	pem_init(&p, text, strlen(text));
	return (pem_next(&p, label, der, sizeof(der), &len));
}

static void
test_bad_pem(void **state)
{
#define B	"-----BEGIN A-----\n"
#define E	"-----END A-----\n"
	static const struct {
		const char	*text;
		int		 rc;
	} cases[] = {
		{ "", 0 },
		{ "text\n", 0 },
		{ "text\n" B "QUJD\n" E, 1 },
		{ B "QUJD\r\n" E, 1 },
		{ B "QU JD\n" E, 1 },
		{ B "QUI=\n" E, 1 },
		{ B "QQ==\n" "-----END A-----", 1 },
		{ B E, -1 },
		{ B "QUJ\n" E, -1 },
		{ B "QUJ=\n" E, -1 },		/* bits left over */
		{ B "QQ=\n" E, -1 },
		{ B "Q===\n" E, -1 },
		{ B "QQ===\n" E, -1 },
		{ B "QQ==QQ==\n" E, -1 },
		{ B "QU*D\n" E, -1 },
		{ B "Proc-Type: 4,ENCRYPTED\n\nQUJD\n" E, -1 },
		{ B "QUJD\n-----END B-----\n", -1 },
		{ B "QUJD\n-----\n", -1 },
		{ B "QUJD\n", -1 },
		{ "-----BEGIN AAAAAAAAAABBBBBBBBBBCCCCCCCCCCDD-----\n", 0 },
	};
	size_t	 i;

	(void)state;
	for (i = 0; i < nitems(cases); i++)
		if (decode(cases[i].text) != cases[i].rc)
			fail_msg("case %zu: %s", i, cases[i].text);
#undef B
#undef E
}

static void
test_der(void **state)
{
	static const uint8_t	 good[] = { 0x30, 0x05, 0x02, 0x01, 0x07, 0x05,
				    0x00 };
	static const struct {
		uint8_t	 bytes[6];
		size_t	 len;
	} bad[] = {
		{ { 0x30 }, 1 },
		{ { 0x30, 0x01 }, 2 },
		{ { 0x30, 0x80, 0, 0 }, 4 },		/* indefinite */
		{ { 0x30, 0x81, 0x01, 0 }, 4 },		/* not shortest */
		{ { 0x30, 0x82, 0x00, 0x80 }, 4 },
		{ { 0x30, 0x84, 0, 0, 0, 1 }, 6 },
		{ { 0x30, 0xff, 0xff, 0xff }, 4 },
		{ { 0x3f, 0x01, 0x00 }, 3 },		/* high tag */
		{ { 0x02, 0x01, 0x00 }, 3 },		/* another tag */
	};
	struct der	 d, seq, v;
	size_t		 i;

	(void)state;
	der_init(&d, good, sizeof(good));
	assert_int_equal(der_peek(&d), 0x30);
	assert_int_equal(der_get(&d, DER_SEQUENCE, &seq), 0);
	assert_true(der_is_empty(&d));
	assert_int_equal(der_get(&seq, DER_INTEGER, &v), 0);
	assert_true(der_is_equal(&v, "\7", 1));
	assert_int_equal(der_get_any(&seq, &v), 0);
	assert_int_equal(v.d_len, 2);
	assert_int_equal(der_peek(&seq), -1);
	assert_int_equal(der_get_any(&seq, &v), -1);
	for (i = 0; i < nitems(bad); i++) {
		der_init(&d, bad[i].bytes, bad[i].len);
		if (der_get(&d, DER_SEQUENCE, &v) != -1)
			fail_msg("case %zu", i);
		assert_int_equal(errno, EBADMSG);
		assert_int_equal(d.d_len, bad[i].len);
	}
}

static void
test_eckey(void **state)
{
	uint8_t		 one[ECKEY_SCALAR_LEN] = { [31] = 1 };
	uint8_t		 zero[ECKEY_SCALAR_LEN] = { 0 };
	uint8_t		 high[ECKEY_SCALAR_LEN], point[ECKEY_POINT_LEN];
	uint8_t		 again[ECKEY_POINT_LEN], digest[32] = { 1 };
	uint8_t		 sig[ECKEY_SIG_MAXBYTES];
	EVP_PKEY	*priv, *pub;
	size_t		 len, i;

	(void)state;
	memset(high, 0xff, sizeof(high));
	assert_null(eckey_private(zero, point));
	assert_null(eckey_private(high, point));
	assert_non_null(priv = eckey_private(one, point));
	/* The generator, SEC 2 2.4.2. */
	assert_memory_equal(point, "\x04\x6b\x17\xd1\xf2\xe1\x2c\x42\x47", 9);
	assert_non_null(pub = eckey_public(point));
	assert_int_equal(eckey_point(pub, again), 0);
	assert_memory_equal(point, again, sizeof(point));
	assert_int_equal(eckey_point(priv, again), 0);
	assert_memory_equal(point, again, sizeof(point));
	assert_int_equal(eckey_sign(priv, digest, sig, &len), 0);
	assert_true(eckey_verify(pub, digest, sig, len));
	assert_false(eckey_verify(pub, digest, sig, len - 1));
	digest[31] ^= 1;
	assert_false(eckey_verify(pub, digest, sig, len));
	/* A public key cannot sign. */
	assert_int_equal(eckey_sign(pub, digest, sig, &len), -1);
	EVP_PKEY_free(priv);
	EVP_PKEY_free(pub);

	for (i = 0; i < sizeof(point); i++) {
		point[i] ^= 1;
		assert_null(eckey_public(point));
		point[i] ^= 1;
	}
	assert_int_equal(eckey_generate(one), 0);
	assert_int_equal(eckey_generate(zero), 0);
	assert_memory_not_equal(one, zero, sizeof(one));
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_bad_pem),
		cmocka_unit_test(test_der),
		cmocka_unit_test(test_eckey),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
