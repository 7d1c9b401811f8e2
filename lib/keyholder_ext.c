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
 * Names, numbers and extensions of a certificate, RFC 5280 4.1 and 4.2.
 */

#include "compat.h"

#include <string.h>

#include <openssl/bn.h>
#include <openssl/objects.h>
#include <openssl/rand.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "keyholder_int.h"

#define KEY_SERIAL_LEN	16

static GENERAL_NAME *key_general_name(const struct key_name *);

int
key_add_subject(X509_NAME *name, const char *cn)
{
	return (X509_NAME_add_entry_by_NID(name, NID_commonName, MBSTRING_UTF8,
	    (const unsigned char *)cn, -1, -1, 0) == 1 ? 0 : -1);
}

int
key_add_serial(X509 *x)
{
	uint8_t	 serial[KEY_SERIAL_LEN];
	BIGNUM	*bn;
	int	 ret = -1;

	if (RAND_bytes(serial, sizeof(serial)) != 1)
		return (-1);
	serial[0] = (serial[0] & 0x3f) | 0x40;
	if ((bn = BN_bin2bn(serial, sizeof(serial), NULL)) != NULL &&
	    BN_to_ASN1_INTEGER(bn, X509_get_serialNumber(x)) != NULL)
		ret = 0;
	BN_free(bn);
	return (ret);
}

int
key_add_basic(X509 *x, bool ca, long pathlen)
{
	BASIC_CONSTRAINTS	*bc;
	int			 ret = -1;

	if ((bc = BASIC_CONSTRAINTS_new()) == NULL)
		return (-1);
	bc->ca = ca ? 0xff : 0;
	if ((!ca || ((bc->pathlen = ASN1_INTEGER_new()) != NULL &&
	    ASN1_INTEGER_set(bc->pathlen, pathlen) == 1)) &&
	    X509_add1_ext_i2d(x, NID_basic_constraints, bc, 1,
	    X509V3_ADD_DEFAULT) == 1)
		ret = 0;
	BASIC_CONSTRAINTS_free(bc);
	return (ret);
}

int
key_add_usage(X509 *x, int a, int b)
{
	ASN1_BIT_STRING	*bits;
	int		 ret = -1;

	if ((bits = ASN1_BIT_STRING_new()) == NULL)
		return (-1);
	if (ASN1_BIT_STRING_set_bit(bits, a, 1) == 1 &&
	    (b == -1 || ASN1_BIT_STRING_set_bit(bits, b, 1) == 1) &&
	    X509_add1_ext_i2d(x, NID_key_usage, bits, 1,
	    X509V3_ADD_DEFAULT) == 1)
		ret = 0;
	ASN1_BIT_STRING_free(bits);
	return (ret);
}

int
key_add_extusage(X509 *x, const char *const *oids)
{
	EXTENDED_KEY_USAGE	*eku;
	ASN1_OBJECT		*obj;
	int			 ret = -1;

	if ((eku = sk_ASN1_OBJECT_new_null()) == NULL)
		return (-1);
	for (; *oids != NULL; oids++) {
		if ((obj = OBJ_txt2obj(*oids, 1)) == NULL)
			goto done;
		if (sk_ASN1_OBJECT_push(eku, obj) <= 0) {
			ASN1_OBJECT_free(obj);
			goto done;
		}
	}
	if (X509_add1_ext_i2d(x, NID_ext_key_usage, eku, 0,
	    X509V3_ADD_DEFAULT) == 1)
		ret = 0;
done:
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	return (ret);
}

void
key_ski(const struct key *key, uint8_t ski[KEY_SKI_LEN])
{
	uint8_t	 hash[SHA256_DIGEST_LENGTH];

	SHA256(key->k_point, sizeof(key->k_point), hash);
	memcpy(ski, hash, KEY_SKI_LEN);
}

int
key_add_ski(X509 *x, const struct key *key)
{
	ASN1_OCTET_STRING	*os;
	uint8_t			 ski[KEY_SKI_LEN];
	int			 ret = -1;

	key_ski(key, ski);
	if ((os = ASN1_OCTET_STRING_new()) == NULL)
		return (-1);
	if (ASN1_OCTET_STRING_set(os, ski, KEY_SKI_LEN) == 1 &&
	    X509_add1_ext_i2d(x, NID_subject_key_identifier, os, 0,
	    X509V3_ADD_DEFAULT) == 1)
		ret = 0;
	ASN1_OCTET_STRING_free(os);
	return (ret);
}

int
key_add_aki(X509 *x, X509 *ca)
{
	AUTHORITY_KEYID		*aki;
	ASN1_OCTET_STRING	*ski;
	int			 ret = -1;

	if ((ski = X509_get_ext_d2i(ca, NID_subject_key_identifier, NULL,
	    NULL)) == NULL)
		return (0);
	if ((aki = AUTHORITY_KEYID_new()) == NULL) {
		ASN1_OCTET_STRING_free(ski);
		return (-1);
	}
	aki->keyid = ski;
	if (X509_add1_ext_i2d(x, NID_authority_key_identifier, aki, 0,
	    X509V3_ADD_DEFAULT) == 1)
		ret = 0;
	AUTHORITY_KEYID_free(aki);
	return (ret);
}

int
key_add_names(X509 *x, const struct key_name *names, size_t n)
{
	GENERAL_NAMES	*gens;
	GENERAL_NAME	*gen;
	size_t		 i;
	int		 ret = -1;

	if (n == 0 || n > KEY_NAMES_MAX ||
	    (gens = sk_GENERAL_NAME_new_null()) == NULL)
		return (-1);
	for (i = 0; i < n; i++) {
		if (!key_name_valid(&names[i]) ||
		    (gen = key_general_name(&names[i])) == NULL)
			goto done;
		if (sk_GENERAL_NAME_push(gens, gen) <= 0) {
			GENERAL_NAME_free(gen);
			goto done;
		}
	}
	if (X509_add1_ext_i2d(x, NID_subject_alt_name, gens, 0,
	    X509V3_ADD_DEFAULT) == 1)
		ret = 0;
done:
	sk_GENERAL_NAME_pop_free(gens, GENERAL_NAME_free);
	return (ret);
}

static GENERAL_NAME *
key_general_name(const struct key_name *kn)
{
	GENERAL_NAME	*gen;
	ASN1_STRING	*s;
	bool		 ip = kn->kn_type == KEY_NAME_IP;

	gen = GENERAL_NAME_new();
	s = ip ? ASN1_OCTET_STRING_new() : ASN1_IA5STRING_new();
	if (gen == NULL || s == NULL ||
	    ASN1_STRING_set(s, kn->kn_value, kn->kn_len) != 1) {
		GENERAL_NAME_free(gen);
		ASN1_STRING_free(s);
		return (NULL);
	}
	GENERAL_NAME_set0_value(gen, ip ? GEN_IPADD : GEN_DNS, s);
	return (gen);
}
