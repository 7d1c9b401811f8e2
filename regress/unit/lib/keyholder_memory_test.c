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

/* What is left of a key where it should not be: memory, descriptors. */

/*
 * The private number of a key that has been made, written, read and used is
 * nowhere in this process but in libcrypto's locked heap.  The test itself
 * only keeps it inverted.
 */
#ifndef SENTINEL_SANITIZE		/* ASan keeps freed memory */
static bool
holds(const uint8_t *p, const uint8_t *inverted, bool reversed)
{
	size_t	 i;

	for (i = 0; i < 32; i++)
		if ((p[reversed ? 31 - i : i] ^ inverted[i]) != 0xff)
			return (false);
	return (true);
}

static size_t
scan_memory(const uint8_t inverted[32], size_t *inside)
{
	FILE		*maps;
	char		 line[512], perm[8];
	unsigned long	 from, to;
	uint8_t		*p;
	size_t		 outside = 0;

	*inside = 0;
	assert_non_null(maps = fopen("/proc/self/maps", "r"));
	while (fgets(line, sizeof(line), maps) != NULL) {
		if (sscanf(line, "%lx-%lx %7s", &from, &to, perm) != 3 ||
		    perm[0] != 'r' || perm[1] != 'w' ||
		    strstr(line, "[vvar") != NULL)
			continue;
		for (p = (uint8_t *)from; p + 32 <= (uint8_t *)to; p++) {
			if (!holds(p, inverted, false) &&
			    !holds(p, inverted, true))
				continue;
			if (CRYPTO_secure_allocated(p))
				(*inside)++;
			else
				outside++;
		}
	}
	fclose(maps);
	return (outside);
}

static void
test_memory(void **state)
{
	struct keyring	*kr = keyholder_ring();
	struct info	 in;
	uint8_t		 digest[32] = { 7 }, sig[ECKEY_SIG_MAXBYTES];
	static uint8_t	 inverted[32];
	char		 pem[1024], why[KEY_WHY_SIZE];
	BIO		*bio;
	EVP_PKEY	*pkey;
	BIGNUM		*bn = NULL;
	uint8_t		 scalar[32];
	size_t		 len, inside, i;
	int		 fd, status;
	pid_t		 pid;

	(void)state;
	be(ROLE_A_KEYHOLDER);
	keyring_clear(kr);
	fd = file("", 0);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_AGENT_TLS,
	    KEY_PART_KEY, fd, why), KEY_LOADED_NEW);

	/* A child that may be dirty finds out what to look for. */
	int	 pipefd[2];
	assert_int_equal(pipe(pipefd), 0);
	if ((pid = fork()) == 0) {
		slurp(fd, pem, sizeof(pem));
		bio = BIO_new_mem_buf(pem, -1);
		pkey = PEM_read_bio_PrivateKey(bio, NULL, NULL, NULL);
		if (pkey == NULL ||
		    EVP_PKEY_get_bn_param(pkey, "priv", &bn) != 1 ||
		    BN_bn2binpad(bn, scalar, 32) != 32)
			_exit(1);
		for (i = 0; i < 32; i++)
			scalar[i] = (uint8_t)~scalar[i];
		_exit(write(pipefd[1], scalar, 32) == 32 ? 0 : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(read(pipefd[0], inverted, 32), 32);
	close(pipefd[0]);
	close(pipefd[1]);

	keyring_clear(kr);
	assert_int_equal(scan_memory(inverted, &inside), 0);
	assert_int_equal(inside, 0);
	assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_AGENT_TLS,
	    KEY_PART_KEY, fd, why), KEY_LOADED_OLD);
	assert_true(find_info(KEY_PURPOSE_AGENT_TLS, &in));
	for (i = 0; i < 100; i++)
		assert_int_equal(sign(&uplink, in.in_point, digest, sig, &len),
		    0);
	assert_int_equal(scan_memory(inverted, &inside), 0);
	assert_true(inside >= 1);
	close(fd);
}
#endif

static void
test_no_leaked_fds(void **state)
{
	struct info	 ca, leaf;
	char		 why[KEY_WHY_SIZE];
	size_t		 before = unit_count_fds();
	int		 fd = file("x", 1), i;

	(void)state;
	for (i = 0; i < 5; i++) {
		server_up(&ca, &leaf);
		(void)give(IMSG_KEY_LOAD, KEY_PURPOSE_CA, KEY_PART_KEY, fd,
		    why);
	}
	close(fd);
	assert_int_equal(unit_count_fds(), before);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
#ifndef SENTINEL_SANITIZE
		cmocka_unit_test(test_memory),
#endif
		cmocka_unit_test(test_no_leaked_fds),
	};

	return (cmocka_run_group_tests(tests, start_up, clear));
}
