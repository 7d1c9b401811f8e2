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
 * Two CAs in one keyholder: their files, the certificate by which the old one
 * vouches for the new, and who issues when.
 */
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "keyholder.h"
#include "keyholder_int.h"
#include "pem.h"
#include "x509util.h"

#define HOST	"00112233445566778899aabbccddeeff"

struct files {
	int	 f_key;
	int	 f_cert;
	int	 f_cross;
};

static char	 why[KEY_WHY_SIZE];
static time_t	 now;

/* A file with these bytes and no name. */
static int
file(const void *data, size_t len)
{
	char	 path[] = "/tmp/keyholder_ca.XXXXXX";
	int	 fd;

	assert_int_not_equal(fd = mkstemp(path), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	return (fd);
}

static int
file_cert(X509 *x)
{
	BIO	*bio = BIO_new(BIO_s_mem());
	char	*p;
	long	 len;
	int	 fd;

	assert_int_equal(PEM_write_bio_X509(bio, x), 1);
	len = BIO_get_mem_data(bio, &p);
	fd = file(p, (size_t)len);
	BIO_free(bio);
	return (fd);
}

/* A keyring whose CA is there. */
static struct keyring *
ring_new(void)
{
	struct keyring	*kr = calloc(1, sizeof(*kr));

	keyring_init(kr);
	assert_int_equal(key_make(&kr->kr_ca), 0);
	assert_non_null(kr->kr_cacert = key_ca_selfsign(&kr->kr_ca,
	    kr->kr_ca_life, now));
	return (kr);
}

static void
ring_free(struct keyring *kr)
{
	keyring_clear(kr);
	free(kr);
}

static void
files_new(struct files *f)
{
	f->f_key = file("", 0);
	f->f_cert = file("", 0);
	f->f_cross = file("", 0);
}

static void
files_close(struct files *f)
{
	close(f->f_key);
	close(f->f_cert);
	close(f->f_cross);
}

/* All three parts of a new CA. */
static void
prepare(struct keyring *kr, struct files *f)
{
	assert_int_equal(key_file_newca_key(kr, f->f_key, true, why),
	    KEY_LOADED_NEW);
	assert_int_equal(key_file_newca_cert(kr, f->f_cert, true, why),
	    KEY_LOADED_NEW);
	assert_int_equal(key_file_cross(kr, f->f_cross, true, why),
	    KEY_LOADED_NEW);
}

/* An agent's certificate, PEM. */
static char *
leaf(struct keyring *kr)
{
	struct key_cert	*kc = calloc(1, sizeof(*kc));
	struct key	 key = { 0 };
	char		*pem;

	assert_int_equal(key_make(&key), 0);
	assert_int_equal(key_issue_agent(kr, HOST, key.k_point, 3600, now, kc,
	    why), KEY_RC_OK);
	assert_non_null(pem = pem_encode_cert(kc->kc_der, kc->kc_len));
	key_clear(&key);
	free(kc);
	return (pem);
}

static char *
pem_of(X509 *x)
{
	struct key_cert	*kc = calloc(1, sizeof(*kc));
	char		*pem;

	assert_int_equal(key_cert_export(x, kc), 0);
	assert_non_null(pem = pem_encode_cert(kc->kc_der, kc->kc_len));
	free(kc);
	return (pem);
}

/* Is chain a client's, for who trusts ca? */
static bool
trusted(const char *chain, const char *ca)
{
	struct x509_result	 xr;

	return (x509_check_client((const uint8_t *)chain, strlen(chain),
	    (const uint8_t *)ca, strlen(ca), now, &xr));
}

static void
test_prepare(void **state)
{
	struct keyring	*kr = ring_new();
	struct files	 f;
	char		 cn[X509_CN_SIZE];
	X509		*other = kr->kr_cacert;

	(void)state;
	files_new(&f);
	prepare(kr, &f);
	assert_int_equal(X509_get_pathlen(kr->kr_newcacert), 1);
	assert_int_equal(X509_get_pathlen(kr->kr_cross), 0);
	assert_null(key_ca_fault(kr->kr_newcacert, &kr->kr_newca, now));
	/* One name for two keys would make verifiers guess. */
	assert_int_not_equal(X509_NAME_cmp(X509_get_subject_name(
	    kr->kr_newcacert), X509_get_subject_name(other)), 0);
	assert_true(X509_NAME_get_text_by_NID(X509_get_subject_name(
	    kr->kr_newcacert), NID_commonName, cn, sizeof(cn)) > 0);
	assert_non_null(strstr(cn, "Docker-Sentinel CA "));
	assert_int_equal(X509_NAME_cmp(X509_get_subject_name(kr->kr_cross),
	    X509_get_subject_name(kr->kr_newcacert)), 0);
	assert_int_equal(X509_check_issued(other, kr->kr_cross), X509_V_OK);
	assert_int_equal(X509_verify(kr->kr_cross,
	    X509_get0_pubkey(other)), 1);
	/* What the old one vouches for ends with the old one. */
	assert_int_equal(ASN1_TIME_compare(X509_get0_notAfter(kr->kr_cross),
	    X509_get0_notAfter(other)), 0);
	files_close(&f);
	ring_free(kr);
}

/* Who issues in each phase, and whom both kinds of agents believe. */
static void
test_phases(void **state)
{
	struct keyring	*kr = ring_new();
	struct files	 f;
	char		*old, *new, *oldpem, *newpem, *cross, *chain;

	(void)state;
	files_new(&f);
	prepare(kr, &f);
	oldpem = pem_of(kr->kr_cacert);
	newpem = pem_of(kr->kr_newcacert);
	cross = pem_of(kr->kr_cross);
	old = leaf(kr);
	assert_true(trusted(old, oldpem));
	assert_false(trusted(old, newpem));

	assert_int_equal(key_ca_use(kr, KEY_CA_USE_NEW, why), 0);
	new = leaf(kr);
	assert_true(trusted(new, newpem));
	assert_false(trusted(new, oldpem));
	assert_int_not_equal(asprintf(&chain, "%s%s%s", new, cross, oldpem),
	    -1);
	assert_true(trusted(chain, oldpem));
	assert_true(trusted(chain, newpem));
	free(chain);
	assert_non_null(kr->kr_ca.k_pkey);

	assert_int_equal(key_ca_use(kr, KEY_CA_USE_ONLY, why), 0);
	assert_null(kr->kr_ca.k_pkey);
	free(new);
	new = leaf(kr);
	assert_true(trusted(new, newpem));

	assert_int_equal(key_ca_use(kr, KEY_CA_USE_PROMOTE, why), 0);
	assert_null(kr->kr_newca.k_pkey);
	assert_null(kr->kr_newcacert);
	assert_null(kr->kr_cross);
	assert_null(key_ca_fault(kr->kr_cacert, &kr->kr_ca, now));
	free(new);
	new = leaf(kr);
	assert_true(trusted(new, newpem));
	free(old);
	free(new);
	free(oldpem);
	free(newpem);
	free(cross);
	files_close(&f);
	ring_free(kr);
}

/* A start in the middle: the files are read again, in the parent's order. */
static void
test_again(void **state)
{
	struct keyring	*kr = ring_new(), *kr2 = calloc(1, sizeof(*kr2));
	struct files	 f;
	char		*pem, *ca;
	int		 oldcert = file_cert(kr->kr_cacert);

	(void)state;
	files_new(&f);
	prepare(kr, &f);
	keyring_init(kr2);
	assert_int_equal(key_file_newca_key(kr2, f.f_key, false, why),
	    KEY_LOADED_OLD);
	assert_int_equal(key_file_newca_cert(kr2, f.f_cert, false, why),
	    KEY_LOADED_OLD);
	assert_int_equal(key_ca_use(kr2, KEY_CA_USE_ONLY, why), 0);
	assert_int_equal(key_file_ca_cert(kr2, oldcert, false, why),
	    KEY_LOADED_OLD);
	assert_int_equal(key_file_cross(kr2, f.f_cross, false, why),
	    KEY_LOADED_OLD);
	pem = leaf(kr2);
	ca = pem_of(kr->kr_newcacert);
	assert_true(trusted(pem, ca));
	free(pem);
	free(ca);
	/* A prepare that was interrupted takes what is whole. */
	assert_int_equal(key_ca_use(kr, KEY_CA_USE_DISCARD, why), 0);
	assert_int_equal(key_file_newca_key(kr, f.f_key, true, why),
	    KEY_LOADED_OLD);
	assert_int_equal(ftruncate(f.f_cert, 100), 0);
	assert_int_equal(key_file_newca_cert(kr, f.f_cert, true, why),
	    KEY_LOADED_NEW);
	assert_int_equal(key_file_cross(kr, f.f_cross, true, why),
	    KEY_LOADED_OLD);
	close(oldcert);
	files_close(&f);
	ring_free(kr);
	ring_free(kr2);
}

static void
test_wrong_order(void **state)
{
	struct keyring	*kr = ring_new();
	struct files	 f;
	int		 use;

	(void)state;
	files_new(&f);
	for (use = KEY_CA_USE_NEW; use <= KEY_CA_USE_ONLY; use++) {
		assert_int_equal(key_ca_use(kr, (enum key_ca_use)use, why),
		    -1);
		assert_string_equal(why, "there is no new CA");
	}
	/* Harmless when it is over. */
	assert_int_equal(key_ca_use(kr, KEY_CA_USE_PROMOTE, why), 0);
	assert_non_null(kr->kr_ca.k_pkey);
	assert_non_null(kr->kr_cacert);
	assert_int_equal(key_file_newca_cert(kr, f.f_cert, true, why),
	    KEY_LOADED_FAILED);
	assert_int_equal(key_file_cross(kr, f.f_cross, true, why),
	    KEY_LOADED_FAILED);
	assert_int_equal(key_file_newca_key(kr, f.f_key, false, why),
	    KEY_LOADED_FAILED);
	prepare(kr, &f);
	assert_int_equal(key_file_newca_key(kr, f.f_key, false, why),
	    KEY_LOADED_FAILED);
	assert_int_equal(key_file_newca_cert(kr, f.f_cert, false, why),
	    KEY_LOADED_FAILED);
	assert_int_equal(key_file_cross(kr, f.f_cross, false, why),
	    KEY_LOADED_FAILED);
	/* Without the old key nothing more is vouched for. */
	assert_int_equal(key_ca_use(kr, KEY_CA_USE_ONLY, why), 0);
	X509_free(kr->kr_cross);
	kr->kr_cross = NULL;
	assert_int_equal(ftruncate(f.f_cross, 0), 0);
	assert_int_equal(key_file_cross(kr, f.f_cross, true, why),
	    KEY_LOADED_FAILED);
	assert_string_equal(why, "the old CA key is not loaded");
	files_close(&f);
	ring_free(kr);
}

/* Files of somebody else. */
static void
test_foreign(void **state)
{
	struct keyring	*kr = ring_new(), *other = ring_new();
	struct files	 f, g;
	int		 fd;

	(void)state;
	files_new(&f);
	files_new(&g);
	prepare(kr, &f);
	prepare(other, &g);
	assert_int_equal(key_ca_use(kr, KEY_CA_USE_DISCARD, why), 0);
	assert_int_equal(key_file_newca_key(kr, f.f_key, false, why),
	    KEY_LOADED_OLD);
	assert_int_equal(key_file_newca_cert(kr, g.f_cert, false, why),
	    KEY_LOADED_FAILED);
	assert_non_null(strstr(why, "do not belong together"));
	assert_int_equal(key_file_newca_cert(kr, f.f_cert, false, why),
	    KEY_LOADED_OLD);
	assert_int_equal(key_file_cross(kr, g.f_cross, false, why),
	    KEY_LOADED_FAILED);
	assert_string_equal(why, "is not about the new CA");
	/* The new CA's own certificate vouches for nothing. */
	assert_int_equal(key_file_cross(kr, f.f_cert, false, why),
	    KEY_LOADED_FAILED);
	assert_string_equal(why, "is not signed by the old CA");
	/* The key of the CA that is to be replaced. */
	(void)key_ca_use(kr, KEY_CA_USE_DISCARD, why);
	key_clear(&other->kr_ca);
	X509_free(other->kr_cacert);
	other->kr_cacert = NULL;
	fd = file("", 0);
	assert_int_equal(key_file_ca_key(other, fd, true, why),
	    KEY_LOADED_NEW);
	key_move(&kr->kr_ca, &other->kr_ca);
	assert_int_equal(key_file_newca_key(kr, fd, false, why),
	    KEY_LOADED_FAILED);
	assert_string_equal(why, "is the key of the old CA");
	close(fd);
	files_close(&f);
	files_close(&g);
	ring_free(kr);
	ring_free(other);
}

/* A CA of path length 0, as the Go server makes them. */
static void
test_no_path(void **state)
{
	struct keyring	*kr = ring_new();
	struct files	 f;
	X509		*x = X509_dup(kr->kr_cacert);
	BASIC_CONSTRAINTS *bc;
	char		 text[8];

	(void)state;
	assert_non_null(bc = X509_get_ext_d2i(x, NID_basic_constraints, NULL,
	    NULL));
	assert_int_equal(ASN1_INTEGER_set(bc->pathlen, 0), 1);
	assert_int_equal(X509_add1_ext_i2d(x, NID_basic_constraints, bc, 1,
	    X509V3_ADD_REPLACE), 1);
	BASIC_CONSTRAINTS_free(bc);
	assert_true(X509_sign(x, kr->kr_ca.k_pkey, EVP_sha256()) > 0);
	X509_free(kr->kr_cacert);
	/* Through its bytes: X509_dup() keeps what was cached of it. */
	files_new(&f);
	close(f.f_cross);
	f.f_cross = file_cert(x);
	X509_free(x);
	kr->kr_cacert = NULL;
	assert_int_equal(key_file_ca_cert(kr, f.f_cross, false, why),
	    KEY_LOADED_OLD);
	close(f.f_cross);
	f.f_cross = file("", 0);
	assert_int_equal(key_file_newca_key(kr, f.f_key, true, why),
	    KEY_LOADED_NEW);
	assert_int_equal(key_file_newca_cert(kr, f.f_cert, true, why),
	    KEY_LOADED_NEW);
	assert_int_equal(key_file_cross(kr, f.f_cross, true, why),
	    KEY_LOADED_NONE);
	assert_non_null(strstr(why, "path length 0"));
	assert_int_equal(pread(f.f_cross, text, sizeof(text), 0), 0);
	assert_null(key_ca_cross(kr, now));
	files_close(&f);
	ring_free(kr);
}

/* An old CA that expires before the last host has left it. */
static void
test_expired(void **state)
{
	struct keyring	*kr = ring_new();
	struct files	 f;
	int		 fd;

	(void)state;
	files_new(&f);
	X509_free(kr->kr_cacert);
	assert_non_null(kr->kr_cacert = key_ca_selfsign(&kr->kr_ca, 60, now));
	prepare(kr, &f);
	X509_free(kr->kr_cacert);
	assert_non_null(kr->kr_cacert = key_ca_selfsign(&kr->kr_ca, 60,
	    now - 100));
	fd = file_cert(kr->kr_cacert);
	X509_free(kr->kr_cacert);
	kr->kr_cacert = NULL;
	assert_int_equal(key_file_ca_cert(kr, fd, false, why),
	    KEY_LOADED_FAILED);
	assert_non_null(strstr(why, "expired"));
	assert_int_equal(key_ca_use(kr, KEY_CA_USE_NEW, why), 0);
	assert_int_equal(key_file_ca_cert(kr, fd, false, why),
	    KEY_LOADED_OLD);
	free(leaf(kr));
	close(fd);
	files_close(&f);
	ring_free(kr);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_prepare),
		cmocka_unit_test(test_phases),
		cmocka_unit_test(test_again),
		cmocka_unit_test(test_wrong_order),
		cmocka_unit_test(test_foreign),
		cmocka_unit_test(test_no_path),
		cmocka_unit_test(test_expired),
	};

	x509_warmup();
	key_arena_init();
	now = time(NULL);
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
