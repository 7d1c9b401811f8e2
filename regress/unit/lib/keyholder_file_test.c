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

#include "keyholder_rig.h"

/* Keys from files: whole, half, foreign, public, and of another CA. */

static void
test_names_bad(void **state)
{
	static const char *const	 bad[] = { "", "*.example", "-a", ".a",
					    "a b", "a/b", "a\xc3\xa9" };
	struct info			 ca, leaf;
	size_t				 i;

	(void)state;
	server_up(&ca, &leaf);
	for (i = 0; i < nitems(bad); i++) {
		assert_int_equal(names(bad[i], 60), -1);
		assert_int_equal(nbroken, 1);
		assert_int_equal(ncaught, 0);
	}
	assert_int_equal(names("a", 0), -1);
}

/* Both CA files truncated at every length, then with every byte changed. */
static void
test_ca_files(void **state)
{
	struct keyring	*kr = keyholder_ring();
	struct info	 ca;
	char		 key[1024], cert[2048], why[KEY_WHY_SIZE], save;
	size_t		 keylen, certlen, i;
	int		 kfd, cfd, fd, rc;

	(void)state;
	be(ROLE_KEYHOLDER);
	keyring_clear(kr);
	kfd = file("torn -----BEGIN EC", 17);
	cfd = file("", 0);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_CA, KEY_PART_CERT,
	    cfd, why), KEY_LOADED_FAILED);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_CA, KEY_PART_KEY,
	    kfd, why), KEY_LOADED_NEW);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_CA, KEY_PART_CERT,
	    cfd, why), KEY_LOADED_NEW);
	keylen = slurp(kfd, key, sizeof(key));
	certlen = slurp(cfd, cert, sizeof(cert));
	assert_memory_equal(key, "-----BEGIN EC PRIVATE KEY-----\n", 31);
	/* A second time is refused. */
	assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_KEY, kfd,
	    why), KEY_LOADED_FAILED);
	assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_CERT,
	    cfd, why), KEY_LOADED_FAILED);

	for (i = 0; i < keylen - 1; i++) {
		keyring_clear(kr);
		fd = file(key, i);
		rc = give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_KEY, fd, why);
		assert_int_equal(rc, KEY_LOADED_FAILED);
		assert_int_equal(lseek(fd, 0, SEEK_END), i);
		close(fd);
	}
	/* Whatever a changed byte leaves readable is another key, and then it
	 * does not belong to the certificate. */
	for (i = 31; i < keylen - 30; i++) {
		keyring_clear(kr);
		save = key[i];
		key[i] = save == 'A' ? 'B' : 'A';
		fd = file(key, keylen);
		assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA,
		    KEY_PART_CERT, cfd, why), KEY_LOADED_OLD);
		if (give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_KEY, fd,
		    why) != KEY_LOADED_FAILED)
			fail_msg("changed byte %zu of the key accepted", i);
		close(fd);
		key[i] = save;
	}
	for (i = 0; i < certlen - 1; i++) {
		keyring_clear(kr);
		fd = file(cert, i);
		assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA,
		    KEY_PART_CERT, fd, why), KEY_LOADED_FAILED);
		close(fd);
	}
	for (i = 28; i < certlen - 26; i++) {
		keyring_clear(kr);
		save = cert[i];
		cert[i] = save == 'A' ? 'B' : 'A';
		fd = file(cert, certlen);
		assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA,
		    KEY_PART_CERT, fd, why), KEY_LOADED_FAILED);
		close(fd);
		cert[i] = save;
	}

	/* A lost key is not replaced; a lost certificate after a crash is. */
	keyring_clear(kr);
	fd = file("", 0);
	assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_CERT,
	    cfd, why), KEY_LOADED_OLD);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_CA, KEY_PART_KEY,
	    fd, why), KEY_LOADED_FAILED);
	keyring_clear(kr);
	assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_KEY, kfd,
	    why), KEY_LOADED_OLD);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_CA, KEY_PART_CERT,
	    fd, why), KEY_LOADED_NEW);
	assert_true(find_info(KEY_PURPOSE_CA, &ca));
	/* What is whole already is taken. */
	keyring_clear(kr);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_CA, KEY_PART_KEY,
	    kfd, why), KEY_LOADED_OLD);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_CA, KEY_PART_CERT,
	    fd, why), KEY_LOADED_OLD);
	close(fd);
	close(kfd);
	close(cfd);
}

/* Two CAs: the parts of different ones are refused in either order. */
static void
test_ca_mismatch(void **state)
{
	struct keyring	*kr = keyholder_ring();
	char		 why[KEY_WHY_SIZE];
	int		 k[2], c[2], i;

	(void)state;
	be(ROLE_KEYHOLDER);
	for (i = 0; i < 2; i++) {
		keyring_clear(kr);
		k[i] = file("", 0);
		c[i] = file("", 0);
		assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_CA,
		    KEY_PART_KEY, k[i], why), KEY_LOADED_NEW);
		assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_CA,
		    KEY_PART_CERT, c[i], why), KEY_LOADED_NEW);
	}
	keyring_clear(kr);
	assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_KEY,
	    k[0], why), KEY_LOADED_OLD);
	assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_CERT,
	    c[1], why), KEY_LOADED_FAILED);
	assert_string_equal(why,
	    "CA certificate and CA key do not belong together");
	keyring_clear(kr);
	assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_CERT,
	    c[1], why), KEY_LOADED_OLD);
	assert_null(find(IMSG_KEY_INFO));
	assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_KEY,
	    k[0], why), KEY_LOADED_FAILED);
	assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_KEY,
	    k[1], why), KEY_LOADED_OLD);
	assert_non_null(find(IMSG_KEY_INFO));
	for (i = 0; i < 2; i++) {
		close(k[i]);
		close(c[i]);
	}
}

/*
 * Files of a Go server (crypto/x509: SEC1, path length 0, key usage) and of
 * openssl(1): parameters first, PKCS#8.
 */
static void
test_foreign_files(void **state)
{
	static const struct {
		const char	*name;
		int		 rc;
		const char	*why;
	} keys[] = {
		{ "go-ca-key.pem", KEY_LOADED_OLD, NULL },
		{ "params-key.pem", KEY_LOADED_OLD, NULL },
		{ "pkcs8-key.pem", KEY_LOADED_OLD, NULL },
		{ "p384-key.pem", KEY_LOADED_FAILED, "is not a P-256 key" },
		{ "rsa-key.pem", KEY_LOADED_FAILED, "is not a P-256 key" },
		{ "encrypted-key.pem", KEY_LOADED_FAILED,
		    "is encrypted: remove the passphrase" },
		{ "legacy-encrypted-key.pem", KEY_LOADED_FAILED,
		    "is encrypted: remove the passphrase" },
		{ "go-ca.pem", KEY_LOADED_FAILED,
		    "holds no EC private key in PEM form" },
	}, certs[] = {
		{ "go-ca.pem", KEY_LOADED_OLD, NULL },
		{ "expired-ca.pem", KEY_LOADED_FAILED,
		    "has expired: check the clock" },
		{ "leaf.pem", KEY_LOADED_FAILED,
		    "is not the certificate of a CA" },
		{ "nosign-ca.pem", KEY_LOADED_FAILED,
		    "is not the certificate of a CA" },
		{ "two-ca.pem", KEY_LOADED_FAILED,
		    "holds more than one certificate" },
	};
	char	 path[1024], why[KEY_WHY_SIZE];
	size_t	 i;
	int	 fd;

	(void)state;
	be(ROLE_KEYHOLDER);
	for (i = 0; i < nitems(keys); i++) {
		keyring_clear(keyholder_ring());
		snprintf(path, sizeof(path), "%s/unit/lib/keys/%s",
		    REGRESS_DIR, keys[i].name);
		assert_int_not_equal(fd = open(path, O_RDONLY), -1);
		if (give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_KEY, fd,
		    why) != keys[i].rc)
			fail_msg("%s: %s", keys[i].name, why);
		close(fd);
		if (keys[i].why != NULL)
			assert_string_equal(why, keys[i].why);
	}
	for (i = 0; i < nitems(certs); i++) {
		keyring_clear(keyholder_ring());
		snprintf(path, sizeof(path), "%s/unit/lib/keys/go-ca-key.pem",
		    REGRESS_DIR);
		assert_int_not_equal(fd = open(path, O_RDONLY), -1);
		assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_CA,
		    KEY_PART_KEY, fd, why), KEY_LOADED_OLD);
		close(fd);
		snprintf(path, sizeof(path), "%s/unit/lib/keys/%s",
		    REGRESS_DIR, certs[i].name);
		assert_int_not_equal(fd = open(path, O_RDONLY), -1);
		if (give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_CERT, fd,
		    why) != certs[i].rc)
			fail_msg("%s: %s", certs[i].name, why);
		close(fd);
		if (certs[i].why != NULL)
			assert_string_equal(why, certs[i].why);
	}
}

static void
test_secret(void **state)
{
	uint8_t	 bytes[40], got[64];
	char	 why[KEY_WHY_SIZE];
	size_t	 i;
	int	 fd;

	(void)state;
	be(ROLE_KEYHOLDER);
	memset(bytes, 0x55, sizeof(bytes));
	for (i = 0; i < sizeof(bytes); i++) {
		keyring_clear(keyholder_ring());
		fd = file(bytes, i);
		assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_HMAC,
		    KEY_PART_SECRET, fd, why), i == 32 ? KEY_LOADED_OLD :
		    KEY_LOADED_FAILED);
		assert_int_equal(lseek(fd, 0, SEEK_END), i);
		keyring_clear(keyholder_ring());
		assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_HMAC,
		    KEY_PART_SECRET, fd, why), i == 32 ? KEY_LOADED_OLD :
		    KEY_LOADED_NEW);
		assert_int_equal(pread(fd, got, sizeof(got), 0), 32);
		assert_true((memcmp(got, bytes, 32) == 0) == (i == 32));
		close(fd);
	}
	/* A disk that is full or a file that cannot be read. */
	keyring_clear(keyholder_ring());
	assert_int_not_equal(fd = open("/dev/full", O_RDWR), -1);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_HMAC,
	    KEY_PART_SECRET, fd, why), KEY_LOADED_FAILED);
	assert_null(keyholder_ring()->kr_secret);
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names_bad),
		cmocka_unit_test(test_ca_files),
		cmocka_unit_test(test_ca_mismatch),
		cmocka_unit_test(test_foreign_files),
		cmocka_unit_test(test_secret),
	};

	return (cmocka_run_group_tests(tests, start_up, clear));
}
