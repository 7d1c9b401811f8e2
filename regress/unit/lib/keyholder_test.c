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

/* A server's keyholder: it issues and signs for whom it should. */

static void
test_ca(void **state)
{
	struct info	 in, leaf;
	X509		*x;
	time_t		 now = time(NULL);
	char		 cn[64];
	uint8_t		 point[ECKEY_POINT_LEN];

	(void)state;
	server_up(&in, &leaf);
	x = parse(in.in_der, in.in_derlen);
	assert_int_equal(in.in_slot, 0);
	assert_int_equal(eckey_point(X509_get0_pubkey(x), point), 0);
	assert_memory_equal(point, in.in_point, sizeof(point));
	assert_int_equal(X509_NAME_get_text_by_NID(X509_get_subject_name(x),
	    NID_commonName, cn, sizeof(cn)), 18);
	assert_string_equal(cn, "Docker-Sentinel CA");
	assert_int_equal(X509_NAME_entry_count(X509_get_subject_name(x)), 1);
	assert_int_equal(X509_check_ca(x), 1);
	assert_int_equal(X509_get_pathlen(x), 1);
	assert_int_equal(X509_get_key_usage(x),
	    KU_KEY_CERT_SIGN | KU_CRL_SIGN);
	assert_int_equal(X509_get_extended_key_usage(x), UINT32_MAX);
	assert_non_null(X509_get0_subject_key_id(x));
	assert_int_equal(in.in_seriallen, 16);
	assert_int_equal(in.in_serial[0] & 0xc0, 0x40);
	assert_in_range(in.in_notbefore, now - 3605, now - 3595);
	assert_in_range(in.in_notafter, now + 3650LL * 86400 - 5,
	    now + 3650LL * 86400);
	assert_true(verify(x, x, X509_PURPOSE_ANY));
	X509_free(x);
}

static void
test_server_leaf(void **state)
{
	struct info		 ca, in, cmd;
	X509			*xca, *x, *xc;
	EXTENDED_KEY_USAGE	*eku;
	time_t			 now = time(NULL);
	char			 oid[80];

	(void)state;
	server_up(&ca, &in);
	assert_true(find_info(KEY_PURPOSE_COMMAND, &cmd));
	xca = parse(ca.in_der, ca.in_derlen);
	x = parse(in.in_der, in.in_derlen);
	xc = parse(cmd.in_der, cmd.in_derlen);
	assert_int_equal(in.in_slot, 0);
	assert_true(verify(xca, x, X509_PURPOSE_SSL_SERVER));
	assert_true(verify(xca, x, X509_PURPOSE_SSL_CLIENT));
	assert_int_equal(X509_check_host(x, "localhost", 0, 0, NULL), 1);
	assert_int_equal(X509_check_ip_asc(x, "127.0.0.1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "::1", 0), 1);
	assert_int_equal(X509_check_ip_asc(x, "10.0.0.1", 0), 0);
	assert_int_equal(X509_get_key_usage(x), KU_DIGITAL_SIGNATURE);
	assert_in_range(in.in_notbefore, now - 3605, now - 3595);
	eku = X509_get_ext_d2i(x, NID_ext_key_usage, NULL, NULL);
	assert_int_equal(sk_ASN1_OBJECT_num(eku), 2);
	assert_int_equal(OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, 0)),
	    NID_server_auth);
	assert_int_equal(OBJ_obj2nid(sk_ASN1_OBJECT_value(eku, 1)),
	    NID_client_auth);
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);

	/* The command certificate is for TLS in neither role. */
	assert_int_equal(cmd.in_slot, 0);
	assert_true(verify(xca, xc, X509_PURPOSE_ANY));
	assert_false(verify(xca, xc, X509_PURPOSE_SSL_SERVER));
	assert_false(verify(xca, xc, X509_PURPOSE_SSL_CLIENT));
	eku = X509_get_ext_d2i(xc, NID_ext_key_usage, NULL, NULL);
	assert_int_equal(sk_ASN1_OBJECT_num(eku), 1);
	assert_true(OBJ_obj2txt(oid, sizeof(oid), sk_ASN1_OBJECT_value(eku, 0),
	    1) > 0);
	assert_string_equal(oid, X509_COMMAND_EKU);
	sk_ASN1_OBJECT_pop_free(eku, ASN1_OBJECT_free);
	X509_free(xca);
	X509_free(x);
	X509_free(xc);
}

static void
test_issue(void **state)
{
	struct info	 ca, leaf;
	X509		*xca, *x = NULL;
	uint8_t		 point[ECKEY_POINT_LEN];
	struct tm	 tm, tmca;
	char		 longname[66];

	(void)state;
	server_up(&ca, &leaf);
	xca = parse(ca.in_der, ca.in_derlen);
	random_point(point);
	assert_int_equal(issue("0123456789abcdef0123456789abcdef", point, 50,
	    &x), KEY_RC_OK);
	assert_true(verify(xca, x, X509_PURPOSE_SSL_CLIENT));
	assert_false(verify(xca, x, X509_PURPOSE_SSL_SERVER));
	assert_int_equal(X509_get_extended_key_usage(x), XKU_SSL_CLIENT);
	assert_int_equal(X509_get_ext_by_NID(x, NID_subject_alt_name, -1), -1);
	/* Back-dated by a tenth of the life when that is short. */
	assert_int_equal(ASN1_TIME_to_tm(X509_get0_notBefore(x), &tm), 1);
	assert_in_range(timegm(&tm), time(NULL) - 7, time(NULL) - 5);
	X509_free(x);

	/* Never beyond the CA. */
	assert_int_equal(issue("a", point, 3650U * 86400, &x), KEY_RC_OK);
	assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(x), &tm), 1);
	assert_int_equal(ASN1_TIME_to_tm(X509_get0_notAfter(xca), &tmca), 1);
	assert_true(timegm(&tm) <= timegm(&tmca));
	X509_free(x);

	memset(longname, 'a', sizeof(longname));
	longname[64] = '\0';
	assert_int_equal(issue(longname, point, 60, NULL), KEY_RC_OK);
	assert_int_equal(issue("", point, 60, NULL), KEY_RC_REFUSED);
	assert_int_equal(issue("a b", point, 60, NULL), KEY_RC_REFUSED);
	assert_int_equal(issue("A", point, 60, NULL), KEY_RC_REFUSED);
	assert_int_equal(issue("a\nb", point, 60, NULL), KEY_RC_REFUSED);
	assert_int_equal(issue("a", point, 0, NULL), KEY_RC_REFUSED);
	assert_int_equal(issue("a", point, UINT32_MAX, NULL), KEY_RC_REFUSED);
	point[40] ^= 1;
	assert_int_equal(issue("a", point, 60, NULL), KEY_RC_REFUSED);
	memset(point, 0, sizeof(point));
	assert_int_equal(issue("a", point, 60, NULL), KEY_RC_REFUSED);
	X509_free(xca);
}

static void
test_issue_without_ca(void **state)
{
	uint8_t	 point[ECKEY_POINT_LEN];

	(void)state;
	be(ROLE_KEYHOLDER);
	keyring_clear(keyholder_ring());
	random_point(point);
	assert_int_equal(issue("a", point, 60, NULL), KEY_RC_FAILED);
	assert_int_equal(names("localhost", 60), KEY_RC_FAILED);
	assert_null(find(IMSG_KEY_INFO));
}

static void
test_limits(void **state)
{
	struct key_bucket	*kb = &keyholder_ring()->kr_bucket;
	struct info		 ca, leaf;
	/* a certificate a second, two at once; lives of a day and an hour */
	uint8_t			 two[] = { 0, 0, 0, 1, 0, 0, 0, 2,
				    0, 0, 0, 0, 0, 1, 0x51, 0x80,
				    0, 0, 0, 0, 0, 0, 0x0e, 0x10 };
	uint8_t			 point[ECKEY_POINT_LEN];
	monotime_t		 now = monotime_now();
	int			 i, n;

	(void)state;
	server_up(&ca, &leaf);
	random_point(point);
	assert_true(ask(&parent, IMSG_KEY_LIMITS, 0, -1, two, sizeof(two)));
	assert_int_equal(issue("a", point, 60, NULL), KEY_RC_OK);
	assert_int_equal(issue("a", point, 60, NULL), KEY_RC_OK);
	assert_int_equal(issue("a", point, 60, NULL), KEY_RC_LIMITED);
	assert_int_equal(kb->kb_limited, 1);
	forget();
	two[3] = 0;
	assert_true(ask(&parent, IMSG_KEY_LIMITS, 0, -1, two, sizeof(two)));
	assert_int_equal(nbroken, 1);
	assert_int_equal(keyholder_ring()->kr_ca_life, 86400);
	assert_int_equal(keyholder_ring()->kr_command_life, 3600);

	/* 50 a second, 2000 at once. */
	key_bucket_set(kb, KEY_ISSUE_RATE, KEY_ISSUE_BURST, now);
	for (i = 0; i < 2000; i++)
		assert_true(key_bucket_take(kb, now));
	assert_false(key_bucket_take(kb, now));
	assert_false(key_bucket_take(kb, now + 19));
	assert_true(key_bucket_take(kb, now + 20));
	for (n = 0; key_bucket_take(kb, now + 1020); n++)
		;
	assert_int_equal(n, 50);
	for (n = 0; key_bucket_take(kb, now + ((monotime_t)1 << 40)); n++)
		;
	assert_int_equal(n, 2000);
	/* A clock that goes back gives nothing and breaks nothing. */
	assert_false(key_bucket_take(kb, now));
	keyring_clear(keyholder_ring());
	keyring_init(keyholder_ring());
}

/* One job between two polls, in the order of the questions. */
static void
test_one_job_a_poll(void **state)
{
	struct info	 ca, leaf;
	struct ibuf	*b = ibuf_dynamic(0, 512);
	uint8_t		 point[ECKEY_POINT_LEN];
	size_t		 i, before, done = 0;

	(void)state;
	server_up(&ca, &leaf);
	random_point(point);
	forget();
	issue_body(b, "a", point, 60);
	for (i = 0; i < 10; i++)
		assert_true(ask(&engine, IMSG_KEY_ISSUE, (uint32_t)i, -1,
		    ibuf_data(b), ibuf_size(b)));
	assert_int_equal(ncaught, 0);
	for (i = 0; i < 1000 && ncaught < 10; i++) {
		before = ncaught;
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
		assert_true(ncaught - before <= 1);
		done += ncaught - before;
	}
	assert_int_equal(done, 10);
	for (i = 0; i < 10; i++)
		assert_int_equal(caught[i].ca_id, i);

	/* Who asked has gone: nothing is done for him. */
	forget();
	assert_true(ask(&engine, IMSG_KEY_ISSUE, 1, -1, ibuf_data(b),
	    ibuf_size(b)));
	keyholder_peer_lost(&engine);
	assert_true(ask(&engine, IMSG_KEY_ISSUE, 2, -1, ibuf_data(b),
	    ibuf_size(b)));
	engine.pe_channel++;
	settle();
	assert_int_equal(ncaught, 0);
	be(ROLE_KEYHOLDER);
	ibuf_free(b);
}

/* Which key may sign is decided by the channel. */
static void
test_sign_binding(void **state)
{
	struct info	 ca, leaf, cmd;
	EVP_PKEY	*pub;
	uint8_t		 digest[32] = { 1, 2, 3 }, sig[ECKEY_SIG_MAXBYTES];
	size_t		 len;

	(void)state;
	server_up(&ca, &leaf);
	assert_true(find_info(KEY_PURPOSE_COMMAND, &cmd));
	assert_int_equal(sign(&cluster, leaf.in_point, digest, sig, &len), 0);
	pub = eckey_public(leaf.in_point);
	assert_true(eckey_verify(pub, digest, sig, len));
	digest[0] ^= 1;
	assert_false(eckey_verify(pub, digest, sig, len));
	EVP_PKEY_free(pub);

	assert_int_equal(sign(&cluster, ca.in_point, digest, sig, &len),
	    KEY_RC_REFUSED);
	assert_int_equal(len, 0);
	assert_int_equal(sign(&cluster, cmd.in_point, digest, sig, &len),
	    KEY_RC_REFUSED);
	/* uplink's key is another purpose, the engine has no such channel. */
	assert_int_equal(sign(&uplink, leaf.in_point, digest, sig, &len),
	    KEY_RC_REFUSED);
	assert_int_equal(sign(&engine, leaf.in_point, digest, sig, &len), -1);
	cluster.pe_sync = false;
	assert_int_equal(sign(&cluster, leaf.in_point, digest, sig, &len), -1);
	be(ROLE_KEYHOLDER);
}

/* No question but KEY_SIGN is answered on a synchronous channel. */
static void
test_sync_only_signs(void **state)
{
	const struct proc_handler	*h;
	struct info			 ca, leaf;
	uint8_t				 zero[128] = { 0 };

	(void)state;
	server_up(&ca, &leaf);
	for (h = keyholder_handlers; h->ph_fn != NULL; h++) {
		if (h->ph_type == IMSG_KEY_SIGN)
			continue;
		forget();
		assert_true(ask(&cluster, h->ph_type, 0, -1, zero,
		    imsg_rule_find(h->ph_type)->ir_min));
		settle();
		assert_int_equal(nbroken, 1);
		assert_int_equal(ncaught, 0);
	}
}

static void
test_command(void **state)
{
	const struct caught	*c;
	struct info		 ca, leaf, cmd;
	struct x509_result	 xr;
	struct ibuf		*b = ibuf_dynamic(0, 64), r;
	const uint8_t		*sig;
	uint8_t			 hash[32], rc;
	char			*pem;
	size_t			 len;

	(void)state;
	server_up(&ca, &leaf);
	assert_true(find_info(KEY_PURPOSE_COMMAND, &cmd));
	forget();
	SHA256((const uint8_t *)"stop all", 8, hash);
	assert_int_equal(ibuf_add_bytes(b, hash, sizeof(hash)), 0);
	assert_true(ask(&engine, IMSG_KEY_COMMAND, 4, -1, ibuf_data(b),
	    ibuf_size(b)));
	assert_non_null(c = find(IMSG_KEY_COMMAND_SIGNED));
	ibuf_from_buffer(&r, __DECONST(void *, c->ca_body), c->ca_len);
	assert_int_equal(ibuf_get_n8(&r, &rc), 0);
	assert_int_equal(rc, 0);
	assert_int_equal(ibuf_get_bytes(&r, ECKEY_SIG_MAXBYTES, &sig, &len), 0);
	pem = pem_encode_cert(ca.in_der, ca.in_derlen);
	assert_true(x509_check_command((uint8_t *)pem, strlen(pem), cmd.in_der,
	    cmd.in_derlen, (const uint8_t *)"stop all", 8, sig, len,
	    time(NULL), &xr));
	assert_false(x509_check_command((uint8_t *)pem, strlen(pem),
	    cmd.in_der, cmd.in_derlen, (const uint8_t *)"stop any", 8, sig,
	    len, time(NULL), &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_SIGNATURE);
	/* Another certificate of the same CA does not do. */
	assert_false(x509_check_command((uint8_t *)pem, strlen(pem),
	    leaf.in_der, leaf.in_derlen, (const uint8_t *)"stop all", 8, sig,
	    len, time(NULL), &xr));
	assert_int_equal(xr.xr_verdict, X509_VERDICT_PURPOSE);
	free(pem);

	/* Due for renewal: the new certificate comes before the signature. */
	keyholder_ring()->kr_command_renew = time(NULL);
	forget();
	assert_true(ask(&engine, IMSG_KEY_COMMAND, 4, -1, ibuf_data(b),
	    ibuf_size(b)));
	assert_int_equal(ncaught, 2);
	assert_int_equal(caught[0].ca_type, IMSG_KEY_INFO);
	assert_true(find_info(KEY_PURPOSE_COMMAND, &leaf));
	assert_memory_not_equal(leaf.in_point, cmd.in_point, 65);
	forget();
	assert_true(ask(&engine, IMSG_KEY_COMMAND, 4, -1, ibuf_data(b),
	    ibuf_size(b)));
	assert_int_equal(ncaught, 1);

	/* Asked for, and not due; then due. */
	forget();
	assert_true(ask(&engine, IMSG_KEY_COMMAND_NEW, 0, -1, NULL, 0));
	assert_int_equal(ncaught, 0);
	keyholder_ring()->kr_command_renew = time(NULL);
	assert_true(ask(&engine, IMSG_KEY_COMMAND_NEW, 0, -1, NULL, 0));
	assert_int_equal(ncaught, 1);
	assert_true(find_info(KEY_PURPOSE_COMMAND, &cmd));
	assert_memory_not_equal(leaf.in_point, cmd.in_point, 65);
	assert_true(keyholder_ring()->kr_command_renew > time(NULL));
	/* A new server certificate is no reason for a new command key. */
	assert_int_equal(names("localhost", 60), 0);
	assert_false(find_info(KEY_PURPOSE_COMMAND, &cmd));
	keyholder_ring()->kr_command_renew = time(NULL);
	assert_int_equal(names("localhost", 60), 0);
	assert_true(find_info(KEY_PURPOSE_COMMAND, &cmd));
	ibuf_free(b);
}

static void
test_mac(void **state)
{
	struct info	 ca, leaf;
	struct ibuf	*b;
	uint8_t		 q[2 + 5] = { 0, 5, 't', 'o', 'k', 'e', 'n' }, mac[34];
	int		 i;

	(void)state;
	server_up(&ca, &leaf);
	forget();
	assert_true(ask(&engine, IMSG_KEY_MAC, 1, -1, q, sizeof(q)));
	assert_int_equal(find(IMSG_KEY_MACED)->ca_len, 34);
	memcpy(mac, find(IMSG_KEY_MACED)->ca_body, 34);
	for (i = 0; i < 3; i++) {
		forget();
		b = ibuf_dynamic(0, 64);
		assert_int_equal(ibuf_add(b, q, sizeof(q)), 0);
		if (i == 1)
			mac[2 + 31] ^= 1;
		if (i == 2) {
			mac[2 + 31] ^= 1;
			((uint8_t *)ibuf_data(b))[2] ^= 1;
		}
		assert_int_equal(ibuf_add(b, mac, sizeof(mac)), 0);
		assert_true(ask(&engine, IMSG_KEY_MACCHECK, 2, -1, ibuf_data(b),
		    ibuf_size(b)));
		assert_int_equal(find(IMSG_KEY_MACCHECKED)->ca_body[0],
		    i == 0);
		ibuf_free(b);
	}
	keyring_clear(keyholder_ring());
	forget();
	assert_true(ask(&engine, IMSG_KEY_MAC, 1, -1, q, sizeof(q)));
	assert_int_equal(nbroken, 1);
}

/* Old and new; a second change before the drop keeps both keys. */
static void
test_names_again(void **state)
{
	struct info	 ca, first, second, third;
	uint8_t		 drop[1 + 2 + ECKEY_POINT_LEN] = {
			    KEY_PURPOSE_SERVER_TLS, 0, ECKEY_POINT_LEN };
	uint8_t		 digest[32] = { 9 }, sig[ECKEY_SIG_MAXBYTES];
	size_t		 len;

	(void)state;
	server_up(&ca, &first);
	assert_int_equal(names("b.example", 3600), 0);
	assert_true(find_info(KEY_PURPOSE_SERVER_TLS, &second));
	assert_int_equal(second.in_slot, 1);
	assert_memory_not_equal(first.in_point, second.in_point, 65);
	assert_int_equal(names("c.example", 3600), 0);
	assert_true(find_info(KEY_PURPOSE_SERVER_TLS, &third));
	assert_memory_equal(third.in_point, second.in_point, 65);
	assert_int_equal(sign(&cluster, first.in_point, digest, sig, &len), 0);
	assert_int_equal(sign(&cluster, second.in_point, digest, sig, &len), 0);

	/* One that is not known changes nothing. */
	random_point(drop + 3);
	assert_true(ask(&engine, IMSG_KEY_DROP, 0, -1, drop, sizeof(drop)));
	assert_int_equal(sign(&cluster, first.in_point, digest, sig, &len), 0);
	memcpy(drop + 3, third.in_point, ECKEY_POINT_LEN);
	assert_true(ask(&engine, IMSG_KEY_DROP, 0, -1, drop, sizeof(drop)));
	assert_int_equal(sign(&cluster, first.in_point, digest, sig, &len),
	    KEY_RC_REFUSED);
	assert_int_equal(sign(&cluster, third.in_point, digest, sig, &len), 0);
	assert_int_equal(names("d.example", 3600), 0);
	assert_true(find_info(KEY_PURPOSE_SERVER_TLS, &first));
	assert_int_equal(first.in_slot, 1);

	/* The CA's key is not the engine's to drop. */
	forget();
	drop[0] = KEY_PURPOSE_CA;
	assert_true(ask(&engine, IMSG_KEY_DROP, 0, -1, drop, sizeof(drop)));
	assert_int_equal(nbroken, 1);
}

/* KEY_CA_USE: rc, -1 when the channel was found broken. */
static int
use_ca(struct peer *p, uint8_t use)
{
	const struct caught	*c;

	forget();
	assert_true(ask(p, IMSG_KEY_CA_USE, 4, -1, &use, 1));
	if (nbroken != 0)
		return (-1);
	assert_non_null(c = find(IMSG_KEY_CA_USED));
	assert_int_equal(c->ca_to, parent.pe_role);
	assert_int_equal(c->ca_id, 4);
	return (c->ca_body[0]);
}

/* The messages of a roll-over, and who may not send them. */
static void
test_ca_use(void **state)
{
	static const uint8_t	 parts[] = { KEY_PART_KEY, KEY_PART_CERT,
				    KEY_PART_CROSS };
	struct info		 ca, leaf, in, cross;
	uint8_t			 point[ECKEY_POINT_LEN];
	uint8_t			 sig[ECKEY_SIG_MAXBYTES];
	char			 why[KEY_WHY_SIZE];
	X509			*x, *newca;
	size_t			 i;
	int			 fd;

	(void)state;
	server_up(&ca, &leaf);
	assert_int_equal(use_ca(&parent, KEY_CA_USE_NEW), KEY_RC_REFUSED);
	assert_int_equal(use_ca(&parent, 0), -1);
	assert_int_equal(use_ca(&parent, KEY_CA_USE_DISCARD + 1), -1);
	assert_int_equal(use_ca(&cluster, KEY_CA_USE_DISCARD), -1);
	for (i = 0; i < nitems(parts); i++) {
		fd = file("", 0);
		assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_CA_NEW,
		    parts[i], fd, why), KEY_LOADED_NEW);
		close(fd);
		if (parts[i] == KEY_PART_CERT)
			assert_true(find_info(KEY_PURPOSE_CA, &in));
	}
	assert_int_equal(in.in_slot, KEY_SLOT_NEW);
	assert_true(find_info(KEY_PURPOSE_CA_CROSS, &cross));
	assert_memory_equal(cross.in_point, in.in_point, ECKEY_POINT_LEN);
	newca = parse(in.in_der, in.in_derlen);

	/* The old one issues until it is said otherwise. */
	random_point(point);
	assert_int_equal(issue("a", point, 60, &x), KEY_RC_OK);
	assert_int_not_equal(X509_verify(x, X509_get0_pubkey(newca)), 1);
	X509_free(x);
	assert_int_equal(use_ca(&parent, KEY_CA_USE_NEW), KEY_RC_OK);
	assert_int_equal(issue("a", point, 60, &x), KEY_RC_OK);
	assert_int_equal(X509_verify(x, X509_get0_pubkey(newca)), 1);
	X509_free(x);
	assert_int_equal(names("localhost", 60), 0);
	assert_true(find_info(KEY_PURPOSE_COMMAND, &leaf));
	x = parse(leaf.in_der, leaf.in_derlen);
	assert_int_equal(X509_verify(x, X509_get0_pubkey(newca)), 1);
	X509_free(x);
	assert_int_equal(use_ca(&parent, KEY_CA_USE_PROMOTE), KEY_RC_OK);
	assert_true(find_info(KEY_PURPOSE_CA, &ca));
	assert_int_equal(ca.in_slot, KEY_SLOT_CURRENT);
	assert_memory_equal(ca.in_der, in.in_der, in.in_derlen);
	/* Neither CA signs what somebody else has hashed. */
	assert_int_not_equal(sign(&cluster, ca.in_point, point, sig, &i),
	    KEY_RC_OK);
	X509_free(newca);
}

int
main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_ca),
		cmocka_unit_test(test_server_leaf),
		cmocka_unit_test(test_issue),
		cmocka_unit_test(test_issue_without_ca),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_one_job_a_poll),
		cmocka_unit_test(test_sign_binding),
		cmocka_unit_test(test_sync_only_signs),
		cmocka_unit_test(test_command),
		cmocka_unit_test(test_mac),
		cmocka_unit_test(test_names_again),
		cmocka_unit_test(test_ca_use),
	};

	return (cmocka_run_group_tests(tests, start_up, clear));
}
