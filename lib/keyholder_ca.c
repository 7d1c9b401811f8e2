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
 * A second CA, while the first one is replaced.  Both keys can be here, but
 * only one of them issues: the old one until KEY_CA_USE says otherwise, then
 * the new one for good.  The old key signs one thing that is no leaf, the
 * certificate that tells whoever trusts the old CA that the new one follows
 * it (the cross certificate), and is then of no more use.
 */

#include "compat.h"

#include <string.h>
#include <time.h>

#include <openssl/x509v3.h>

#include "keyholder_int.h"

static const char *cross_fault(const struct keyring *, X509 *);
static enum keyholder_loaded refuse(char *, const char *);
static int	 cross_make(struct keyring *, int, char *);

struct key *
key_ca_signer(struct keyring *kr, X509 **cert)
{
	struct key	*key = kr->kr_use_new ? &kr->kr_newca : &kr->kr_ca;

	*cert = kr->kr_use_new ? kr->kr_newcacert : kr->kr_cacert;
	return (key->k_pkey == NULL || *cert == NULL ? NULL : key);
}

static enum keyholder_loaded
refuse(char *why, const char *fault)
{
	strlcpy(why, fault, KEY_WHY_SIZE);
	return (KEY_LOADED_FAILED);
}

enum keyholder_loaded
key_file_newca_key(struct keyring *kr, int fd, bool create, char *why)
{
	struct key		 key = { 0 };
	enum keyholder_loaded	 rc;

	if (kr->kr_newca.k_pkey != NULL)
		return (refuse(why, "the new CA key is loaded already"));
	if ((rc = key_file_key(&key, fd, create, why)) == KEY_LOADED_FAILED)
		return (rc);
	if (kr->kr_ca.k_pkey != NULL && memcmp(key.k_point,
	    kr->kr_ca.k_point, sizeof(key.k_point)) == 0) {
		key_clear(&key);
		return (refuse(why, "is the key of the old CA"));
	}
	key_move(&kr->kr_newca, &key);
	return (rc);
}

enum keyholder_loaded
key_file_newca_cert(struct keyring *kr, int fd, bool create, char *why)
{
	X509		*x;
	uint8_t		*buf;
	const char	*fault;
	size_t		 len;
	time_t		 now = time(NULL);

	if (kr->kr_newcacert != NULL)
		return (refuse(why, "the new CA certificate is loaded "
		    "already"));
	if (kr->kr_newca.k_pkey == NULL)
		return (refuse(why, "the new CA key must be there before its "
		    "certificate"));
	if ((buf = key_file_read(fd, &len, why)) == NULL)
		return (KEY_LOADED_FAILED);
	if ((x = key_parse_cert(buf, len, &fault)) != NULL)
		fault = key_ca_fault(x, &kr->kr_newca, now);
	key_arena_free(buf, KEY_FILE_MAXBYTES);
	if (fault == NULL) {
		kr->kr_newcacert = x;
		return (KEY_LOADED_OLD);
	}
	X509_free(x);
	if (!create)
		return (refuse(why, fault));
	strlcpy(why, "the new CA certificate cannot be made", KEY_WHY_SIZE);
	if ((x = key_ca_next(&kr->kr_newca, kr->kr_ca_life, now)) == NULL ||
	    key_file_write_cert(fd, x, why) == -1) {
		X509_free(x);
		return (KEY_LOADED_FAILED);
	}
	kr->kr_newcacert = x;
	return (KEY_LOADED_NEW);
}

/* NULL when x says of our new CA that our old one vouches for it. */
static const char *
cross_fault(const struct keyring *kr, X509 *x)
{
	EVP_PKEY	*pub;
	uint8_t		 point[ECKEY_POINT_LEN];

	if ((pub = X509_get0_pubkey(x)) == NULL ||
	    eckey_point(pub, point) == -1 || memcmp(point,
	    kr->kr_newca.k_point, sizeof(point)) != 0 ||
	    X509_NAME_cmp(X509_get_subject_name(x),
	    X509_get_subject_name(kr->kr_newcacert)) != 0 ||
	    X509_check_ca(x) != 1)
		return ("is not about the new CA");
	if (X509_NAME_cmp(X509_get_issuer_name(x),
	    X509_get_subject_name(kr->kr_cacert)) != 0 ||
	    X509_verify(x, X509_get0_pubkey(kr->kr_cacert)) != 1)
		return ("is not signed by the old CA");
	return (NULL);
}

enum keyholder_loaded
key_file_cross(struct keyring *kr, int fd, bool create, char *why)
{
	X509		*x;
	uint8_t		*buf;
	const char	*fault;
	size_t		 len;

	if (kr->kr_cross != NULL)
		return (refuse(why, "the cross certificate is loaded "
		    "already"));
	if (kr->kr_cacert == NULL || kr->kr_newcacert == NULL)
		return (refuse(why, "both CAs must be there before it"));
	if ((buf = key_file_read(fd, &len, why)) == NULL)
		return (KEY_LOADED_FAILED);
	if ((x = key_parse_cert(buf, len, &fault)) != NULL)
		fault = cross_fault(kr, x);
	key_arena_free(buf, KEY_FILE_MAXBYTES);
	if (fault == NULL) {
		kr->kr_cross = x;
		return (KEY_LOADED_OLD);
	}
	X509_free(x);
	if (!create)
		return (refuse(why, fault));
	if (X509_get_pathlen(kr->kr_cacert) == 0) {
		strlcpy(why, "the CA has path length 0, so it cannot vouch "
		    "for another", KEY_WHY_SIZE);
		return (KEY_LOADED_NONE);
	}
	return (cross_make(kr, fd, why) == -1 ? KEY_LOADED_FAILED :
	    KEY_LOADED_NEW);
}

static int
cross_make(struct keyring *kr, int fd, char *why)
{
	X509	*x;

	strlcpy(why, kr->kr_ca.k_pkey == NULL ? "the old CA key is not loaded" :
	    "the new CA cannot be signed by the old one", KEY_WHY_SIZE);
	if ((x = key_ca_cross(kr, time(NULL))) == NULL)
		return (-1);
	if (key_file_write_cert(fd, x, why) == -1) {
		X509_free(x);
		return (-1);
	}
	kr->kr_cross = x;
	return (0);
}

int
key_ca_use(struct keyring *kr, enum key_ca_use use, char *why)
{
	/* It was said before, and the answer got lost. */
	if (use == KEY_CA_USE_PROMOTE && kr->kr_newca.k_pkey == NULL &&
	    !kr->kr_use_new && kr->kr_ca.k_pkey != NULL)
		return (0);
	if (use != KEY_CA_USE_DISCARD && (kr->kr_newca.k_pkey == NULL ||
	    kr->kr_newcacert == NULL)) {
		strlcpy(why, "there is no new CA", KEY_WHY_SIZE);
		return (-1);
	}
	/* Another issuer: the command key wants another certificate. */
	kr->kr_command_renew = 0;
	switch (use) {
	case KEY_CA_USE_NEW:
		kr->kr_use_new = true;
		return (0);
	case KEY_CA_USE_ONLY:
		kr->kr_use_new = true;
		key_clear(&kr->kr_ca);
		return (0);
	case KEY_CA_USE_PROMOTE:
		key_move(&kr->kr_ca, &kr->kr_newca);
		X509_free(kr->kr_cacert);
		kr->kr_cacert = kr->kr_newcacert;
		kr->kr_newcacert = NULL;
		break;
	case KEY_CA_USE_DISCARD:
		key_clear(&kr->kr_newca);
		X509_free(kr->kr_newcacert);
		kr->kr_newcacert = NULL;
		break;
	}
	kr->kr_use_new = false;
	X509_free(kr->kr_cross);
	kr->kr_cross = NULL;
	return (0);
}
