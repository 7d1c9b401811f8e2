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

/* An agent's keyholder, and messages that are cut at every length. */

static void
test_agent(void **state)
{
	const struct caught	*c;
	struct info		 old, new;
	struct ibuf		 r;
	const uint8_t		*csr;
	uint8_t			 q[] = { 0, 4, 'h', 'o', 's', 't', 1 }, rc;
	uint8_t			 digest[32] = { 1 }, sig[ECKEY_SIG_MAXBYTES];
	uint8_t			 point[ECKEY_POINT_LEN];
	uint8_t			 drop[1 + 2 + ECKEY_POINT_LEN] = {
				    KEY_PURPOSE_AGENT_TLS, 0, ECKEY_POINT_LEN };
	char			 why[KEY_WHY_SIZE];
	size_t			 len;
	int			 fd, fd2, i;

	(void)state;
	be(ROLE_A_KEYHOLDER);
	keyring_clear(keyholder_ring());
	/* The first key, made into slot 1. */
	fd = file("-----BEGIN EC PRIVATE KEY-----\nMHcC", 35);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_AGENT_TLS,
	    KEY_PART_KEY, fd, why), KEY_LOADED_NEW);
	assert_true(find_info(KEY_PURPOSE_AGENT_TLS, &new));
	assert_int_equal(new.in_slot, 1);
	assert_int_equal(new.in_derlen, 0);

	/* The daemon dies, the whole file is found again. */
	keyring_clear(keyholder_ring());
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_AGENT_TLS,
	    KEY_PART_KEY, fd, why), KEY_LOADED_OLD);
	assert_true(find_info(KEY_PURPOSE_AGENT_TLS, &old));
	assert_memory_equal(old.in_point, new.in_point, 65);

	forget();
	assert_true(ask(&engine, IMSG_KEY_CSR, 6, -1, q, sizeof(q)));
	settle();
	assert_non_null(c = find(IMSG_KEY_CSR_DONE));
	ibuf_from_buffer(&r, __DECONST(void *, c->ca_body), c->ca_len);
	assert_int_equal(ibuf_get_n8(&r, &rc), 0);
	assert_int_equal(rc, 0);
	assert_int_equal(key_get_exact(&r, point, sizeof(point)), 0);
	assert_memory_equal(point, new.in_point, 65);
	assert_int_equal(ibuf_get_bytes(&r, KEY_CSR_MAXBYTES, &csr, &len), 0);
	assert_null(x509_csr_point(csr, len, point));
	assert_memory_equal(point, new.in_point, 65);
	/* Slot 0 is empty. */
	forget();
	q[6] = 0;
	assert_true(ask(&engine, IMSG_KEY_CSR, 6, -1, q, sizeof(q)));
	settle();
	assert_int_equal(find(IMSG_KEY_CSR_DONE)->ca_body[0], KEY_RC_REFUSED);
	forget();
	q[6] = 2;
	assert_true(ask(&engine, IMSG_KEY_CSR, 6, -1, q, sizeof(q)));
	assert_int_equal(nbroken, 1);
	/* More at a time than anybody needs, from one who owns the engine. */
	forget();
	q[6] = 0;
	for (i = 0; i <= KEY_ISSUE_QUEUE; i++)
		assert_true(ask(&engine, IMSG_KEY_CSR, 6, -1, q, sizeof(q)));
	assert_int_equal(nbroken, 1);
	key_jobs_forget(engine.pe_channel);

	/* Next start: current file and a new one. */
	keyring_clear(keyholder_ring());
	assert_int_equal(give(IMSG_KEY_LOAD, KEY_PURPOSE_AGENT_TLS,
	    KEY_PART_KEY, fd, why), KEY_LOADED_OLD);
	assert_true(find_info(KEY_PURPOSE_AGENT_TLS, &old));
	assert_int_equal(old.in_slot, 0);
	fd2 = file("", 0);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_AGENT_TLS,
	    KEY_PART_KEY, fd2, why), KEY_LOADED_NEW);
	assert_true(find_info(KEY_PURPOSE_AGENT_TLS, &new));
	assert_int_equal(sign(&uplink, old.in_point, digest, sig, &len), 0);
	assert_int_equal(sign(&uplink, new.in_point, digest, sig, &len), 0);
	assert_int_equal(sign(&cluster, new.in_point, digest, sig, &len),
	    KEY_RC_REFUSED);
	memcpy(drop + 3, new.in_point, ECKEY_POINT_LEN);
	assert_true(ask(&engine, IMSG_KEY_DROP, 0, -1, drop, sizeof(drop)));
	assert_int_equal(sign(&uplink, old.in_point, digest, sig, &len),
	    KEY_RC_REFUSED);
	assert_int_equal(sign(&uplink, new.in_point, digest, sig, &len), 0);

	/* An agent's keyholder has no CA. */
	forget();
	assert_true(ask(&parent, IMSG_KEY_CREATE, 0, dup(fd2),
	    (uint8_t[]){ KEY_PURPOSE_CA, KEY_PART_KEY }, 2));
	assert_int_equal(nbroken, 1);
	assert_false(ask(&engine, IMSG_KEY_ISSUE, 0, -1, q, sizeof(q)));
	close(fd);
	close(fd2);
}

/* Every message cut at every length and with a byte too many. */
static void
test_truncated(void **state)
{
	static const uint8_t	 pt[ECKEY_POINT_LEN] = { 4 };
	static const uint32_t	 types[] = { IMSG_KEY_LIMITS, IMSG_KEY_NAMES,
				    IMSG_KEY_ISSUE, IMSG_KEY_DROP, IMSG_KEY_MAC,
				    IMSG_KEY_MACCHECK, IMSG_KEY_COMMAND,
				    IMSG_KEY_SIGN, IMSG_KEY_LOAD,
				    IMSG_KEY_CREATE };
	struct info		 ca, leaf;
	struct ibuf		*b;
	size_t			 t, n, len;
	int			 fd = file("", 0);

	(void)state;
	server_up(&ca, &leaf);
	for (t = 0; t < nitems(types); t++) {
		b = ibuf_dynamic(0, 512);
		switch (types[t]) {
		case IMSG_KEY_LIMITS:
			ibuf_add_n64(b, 0x100000001ULL);
			ibuf_add_n64(b, 60);
			ibuf_add_n64(b, 60);
			break;
		case IMSG_KEY_NAMES:
			ibuf_add_n32(b, 60);
			ibuf_add_n8(b, KEY_NAME_DNS);
			ibuf_add_string(b, "a");
			break;
		case IMSG_KEY_ISSUE:
			issue_body(b, "a", pt, 60);
			break;
		case IMSG_KEY_DROP:
			ibuf_add_n8(b, KEY_PURPOSE_SERVER_TLS);
			ibuf_add_bytes(b, pt, sizeof(pt));
			break;
		case IMSG_KEY_MAC:
			ibuf_add_bytes(b, pt, 10);
			break;
		case IMSG_KEY_MACCHECK:
			ibuf_add_bytes(b, pt, 10);
			ibuf_add_bytes(b, pt, 32);
			break;
		case IMSG_KEY_COMMAND:
			ibuf_add_bytes(b, pt, 32);
			break;
		case IMSG_KEY_SIGN:
			ibuf_add_bytes(b, pt, sizeof(pt));
			ibuf_add_bytes(b, pt, 32);
			break;
		default:
			ibuf_add_n8(b, KEY_PURPOSE_HMAC);
			ibuf_add_n8(b, KEY_PART_SECRET);
		}
		len = ibuf_size(b);
		ibuf_add_n8(b, 0);
		for (n = 0; n <= len + 1; n++) {
			if (n == len)
				continue;
			forget();
			assert_true(ask(types[t] == IMSG_KEY_SIGN ? &cluster :
			    &engine, types[t], 0,
			    imsg_rule_find(types[t])->ir_fd == FD ? dup(fd) :
			    -1, ibuf_data(b), n));
			settle();
			if (nbroken != 1 || ncaught != 0)
				fail_msg("%s of %zu bytes, not %zu, accepted",
				    imsg_rule_name(types[t]), n, len);
		}
		ibuf_free(b);
	}
	close(fd);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_agent),
		cmocka_unit_test(test_truncated),
	};

	return (cmocka_run_group_tests(tests, start_up, clear));
}
