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
 * The keyholder without its process: handlers get messages made here, answers
 * are caught by dummies of lib/proc, and must obey the message table.
 */
#include "unit.h"

#include <sys/stat.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <openssl/crypto.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/sha.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>

#include "ibuf.h"
#include "imsg.h"
#include "imsg_rule.h"
#include "keyholder.h"
#include "keyholder_int.h"
#include "log.h"
#include "pem.h"
#include "proc.h"
#include "x509util.h"

#define CAUGHT_MAX	64

struct caught {			/* an answer */
	enum role	 ca_to;
	uint32_t	 ca_type;
	uint32_t	 ca_id;
	uint8_t		 ca_body[4200];
	size_t		 ca_len;
};

struct info {			/* KEY_INFO */
	uint8_t		 in_purpose;
	uint8_t		 in_slot;
	uint8_t		 in_point[ECKEY_POINT_LEN];
	uint8_t		 in_der[KEY_CERT_MAXBYTES];
	size_t		 in_derlen;
	uint8_t		 in_serial[KEY_SERIAL_MAXBYTES];
	size_t		 in_seriallen;
	uint64_t	 in_notbefore;
	uint64_t	 in_notafter;
};

static struct caught	 caught[CAUGHT_MAX];
static size_t		 ncaught;
static unsigned int	 nbroken;
static struct event_base *base;
static enum role	 self = ROLE_KEYHOLDER;
static struct peer	 parent, engine, cluster, uplink;

/* --- dummy neighbours ---------------------------------------------------- */

struct event_base *
proc_base(void)
{
	return (base);
}

enum role
proc_self(void)
{
	return (self);
}

struct peer *
proc_peer(enum role role)
{
	if (role == parent.pe_role)
		return (&parent);
	return (role == engine.pe_role ? &engine : NULL);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *b)
{
	struct caught	*c = &caught[ncaught++];
	struct imsg	 imsg = { 0 };
	const char	*why;

	assert_true(ncaught < CAUGHT_MAX);
	assert_int_equal(fd, -1);
	c->ca_to = p->pe_role;
	c->ca_type = type;
	c->ca_id = id;
	c->ca_len = ibuf_size(b);
	assert_true(c->ca_len <= sizeof(c->ca_body));
	memcpy(c->ca_body, ibuf_data(b), c->ca_len);

	imsg.hdr.type = type;
	imsg.hdr.len = IMSG_HEADER_SIZE + (uint32_t)c->ca_len;
	imsg.buf = ibuf_open(c->ca_len);
	assert_int_equal(ibuf_add(imsg.buf, c->ca_body, c->ca_len), 0);
	why = imsg_rule_check(&imsg, self, p->pe_role);
	if (why != NULL)
		fail_msg("%s: %s", imsg_rule_name(type), why);
	imsg_free(&imsg);
	return (0);
}

void
peer_broken(struct peer *p, const struct imsg *imsg, const char *why)
{
	(void)p;
	(void)imsg;
	assert_non_null(why);
	nbroken++;
}

/* --- asking -------------------------------------------------------------- */

static void
be(enum role role)
{
	bool	 agent = role == ROLE_A_KEYHOLDER;

	self = role;
	parent.pe_role = agent ? ROLE_A_PARENT : ROLE_PARENT;
	engine.pe_role = agent ? ROLE_A_ENGINE : ROLE_ENGINE;
	cluster.pe_role = ROLE_CLUSTER;
	uplink.pe_role = ROLE_A_UPLINK;
	cluster.pe_sync = uplink.pe_sync = true;
	parent.pe_channel = 1;
	engine.pe_channel = 2;
	cluster.pe_channel = 3;
	uplink.pe_channel = 4;
}

static void
forget(void)
{
	ncaught = 0;
	nbroken = 0;
}

/* Hand one message to its handler; false: this daemon has none. */
static bool
ask(struct peer *p, uint32_t type, uint32_t id, int fd, const void *body,
    size_t len)
{
	const struct proc_handler	*h;
	struct imsg			 imsg = { 0 };

	h = self == ROLE_KEYHOLDER ? keyholder_handlers :
	    keyholder_agent_handlers;
	for (; h->ph_fn != NULL; h++)
		if (h->ph_type == type)
			break;
	if (h->ph_fn == NULL) {
		if (fd != -1)
			close(fd);
		return (false);
	}
	imsg.hdr.type = type;
	imsg.hdr.peerid = id;
	imsg.hdr.len = IMSG_HEADER_SIZE + (uint32_t)len;
	assert_non_null(imsg.buf = ibuf_dynamic(len, len + 1));
	assert_int_equal(ibuf_add(imsg.buf, body, len), 0);
	if (fd != -1)
		ibuf_fd_set(imsg.buf, fd);
	h->ph_fn(p, &imsg);
	imsg_free(&imsg);
	return (true);
}

/* Jobs run from the loop. */
static void
settle(void)
{
	int	 i;

	for (i = 0; i < 4; i++)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static const struct caught *
find(uint32_t type)
{
	size_t	 i;

	for (i = 0; i < ncaught; i++)
		if (caught[i].ca_type == type)
			return (&caught[i]);
	return (NULL);
}

static bool
find_info(enum keyholder_purpose purpose, struct info *in)
{
	struct ibuf	 b;
	const uint8_t	*p;
	size_t		 i, len;

	for (i = 0; i < ncaught; i++) {
		if (caught[i].ca_type != IMSG_KEY_INFO ||
		    caught[i].ca_body[0] != purpose)
			continue;
		memset(in, 0, sizeof(*in));
		ibuf_from_buffer(&b, caught[i].ca_body, caught[i].ca_len);
		assert_int_equal(caught[i].ca_to, engine.pe_role);
		assert_int_equal(ibuf_get_n8(&b, &in->in_purpose), 0);
		assert_int_equal(ibuf_get_n8(&b, &in->in_slot), 0);
		assert_int_equal(key_get_exact(&b, in->in_point,
		    sizeof(in->in_point)), 0);
		assert_int_equal(ibuf_get_bytes(&b, sizeof(in->in_der), &p,
		    &in->in_derlen), 0);
		memcpy(in->in_der, p, in->in_derlen);
		assert_int_equal(ibuf_get_bytes(&b, sizeof(in->in_serial), &p,
		    &len), 0);
		memcpy(in->in_serial, p, len);
		in->in_seriallen = len;
		assert_int_equal(ibuf_get_n64(&b, &in->in_notbefore), 0);
		assert_int_equal(ibuf_get_n64(&b, &in->in_notafter), 0);
		assert_int_equal(ibuf_end(&b), 0);
		return (true);
	}
	return (false);
}

/* A file with these bytes and no name. */
static int
file(const void *data, size_t len)
{
	char	 path[] = "/tmp/keyholder_test.XXXXXX";
	int	 fd;

	assert_int_not_equal(fd = mkstemp(path), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	return (fd);
}

static size_t
slurp(int fd, char *buf, size_t size)
{
	ssize_t	 n = pread(fd, buf, size - 1, 0);

	assert_true(n >= 0);
	buf[n] = '\0';
	return ((size_t)n);
}

/* KEY_LOAD or KEY_CREATE; rc of KEY_LOADED, its reason in why. */
static int
give(uint32_t type, uint8_t purpose, uint8_t part, int fd, char *why)
{
	const struct caught	*c;
	struct ibuf		 b;
	uint8_t			 body[2] = { purpose, part }, u[3];

	forget();
	assert_true(ask(&parent, type, 9, dup(fd), body, sizeof(body)));
	settle();
	assert_int_equal(nbroken, 0);
	assert_non_null(c = find(IMSG_KEY_LOADED));
	assert_int_equal(c->ca_to, parent.pe_role);
	assert_int_equal(c->ca_id, 9);
	ibuf_from_buffer(&b, __DECONST(void *, c->ca_body), c->ca_len);
	assert_int_equal(ibuf_get(&b, u, sizeof(u)), 0);
	assert_int_equal(u[0], purpose);
	assert_int_equal(u[1], part);
	assert_int_equal(ibuf_get_string(&b, why, KEY_WHY_SIZE), 0);
	assert_int_equal(ibuf_end(&b), 0);
	assert_true((u[2] >= KEY_LOADED_FAILED) == (why[0] != '\0'));
	return (u[2]);
}

static int
names(const char *dns, uint32_t life)
{
	static const uint8_t	 ip4[] = { 127, 0, 0, 1 };
	static const uint8_t	 ip6[16] = { [15] = 1 };
	const struct caught	*c;
	struct ibuf		*b = ibuf_dynamic(0, 1024);

	forget();
	assert_int_equal(ibuf_add_n32(b, life), 0);
	assert_int_equal(ibuf_add_n8(b, KEY_NAME_DNS), 0);
	assert_int_equal(ibuf_add_string(b, dns), 0);
	assert_int_equal(ibuf_add_n8(b, KEY_NAME_IP), 0);
	assert_int_equal(ibuf_add_bytes(b, ip4, sizeof(ip4)), 0);
	assert_int_equal(ibuf_add_n8(b, KEY_NAME_IP), 0);
	assert_int_equal(ibuf_add_bytes(b, ip6, sizeof(ip6)), 0);
	assert_true(ask(&parent, IMSG_KEY_NAMES, 5, -1, ibuf_data(b),
	    ibuf_size(b)));
	ibuf_free(b);
	settle();
	if ((c = find(IMSG_KEY_NAMES_DONE)) == NULL)
		return (-1);
	assert_int_equal(c->ca_id, 5);
	return (c->ca_body[0]);
}

/* A server's keyholder with a fresh CA, secret and leaf. */
static void
server_up(struct info *ca, struct info *leaf)
{
	char	 why[KEY_WHY_SIZE];
	int	 fd;

	be(ROLE_KEYHOLDER);
	keyring_clear(keyholder_ring());
	fd = file("", 0);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_CA, KEY_PART_KEY, fd,
	    why), KEY_LOADED_NEW);
	close(fd);
	fd = file("", 0);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_CA, KEY_PART_CERT,
	    fd, why), KEY_LOADED_NEW);
	close(fd);
	assert_true(find_info(KEY_PURPOSE_CA, ca));
	fd = file("", 0);
	assert_int_equal(give(IMSG_KEY_CREATE, KEY_PURPOSE_HMAC,
	    KEY_PART_SECRET, fd, why), KEY_LOADED_NEW);
	close(fd);
	assert_int_equal(names("localhost", 86400), 0);
	assert_true(find_info(KEY_PURPOSE_SERVER_TLS, leaf));
}

static X509 *
parse(const uint8_t *der, size_t len)
{
	const unsigned char	*p = der;
	X509			*x = d2i_X509(NULL, &p, (long)len);

	assert_non_null(x);
	assert_ptr_equal(p, der + len);
	return (x);
}

/* As "openssl verify -purpose". */
static bool
verify(X509 *ca, X509 *leaf, int purpose)
{
	X509_STORE	*store = X509_STORE_new();
	X509_STORE_CTX	*ctx = X509_STORE_CTX_new();
	bool		 ok;

	assert_int_equal(X509_STORE_add_cert(store, ca), 1);
	assert_int_equal(X509_STORE_CTX_init(ctx, store, leaf, NULL), 1);
	assert_int_equal(X509_STORE_CTX_set_purpose(ctx, purpose), 1);
	X509_VERIFY_PARAM_set_flags(X509_STORE_CTX_get0_param(ctx),
	    X509_V_FLAG_X509_STRICT);
	ok = X509_verify_cert(ctx) == 1;
	X509_STORE_CTX_free(ctx);
	X509_STORE_free(store);
	return (ok);
}

static void
issue_body(struct ibuf *b, const char *subject, const uint8_t *point,
    uint32_t life)
{
	assert_int_equal(ibuf_add_n8(b, KEY_PROFILE_AGENT), 0);
	assert_int_equal(ibuf_add_string(b, subject), 0);
	assert_int_equal(ibuf_add_bytes(b, point, ECKEY_POINT_LEN), 0);
	assert_int_equal(ibuf_add_n32(b, life), 0);
}

static int
issue(const char *subject, const uint8_t *point, uint32_t life, X509 **x)
{
	const struct caught	*c;
	struct ibuf		*b = ibuf_dynamic(0, 512), r;
	const uint8_t		*p;
	uint8_t			 rc;
	uint64_t		 t;
	size_t			 len;

	forget();
	issue_body(b, subject, point, life);
	assert_true(ask(&engine, IMSG_KEY_ISSUE, 7, -1, ibuf_data(b),
	    ibuf_size(b)));
	ibuf_free(b);
	settle();
	assert_int_equal(nbroken, 0);
	assert_non_null(c = find(IMSG_KEY_ISSUED));
	assert_int_equal(c->ca_id, 7);
	ibuf_from_buffer(&r, __DECONST(void *, c->ca_body), c->ca_len);
	assert_int_equal(ibuf_get_n8(&r, &rc), 0);
	assert_int_equal(ibuf_get_bytes(&r, 20, &p, &len), 0);
	assert_int_equal(ibuf_get_n64(&r, &t), 0);
	assert_int_equal(ibuf_get_n64(&r, &t), 0);
	assert_int_equal(ibuf_get_bytes(&r, KEY_CERT_MAXBYTES, &p, &len), 0);
	assert_true((rc == KEY_RC_OK) == (len != 0));
	if (rc == KEY_RC_OK && x != NULL)
		*x = parse(p, len);
	return (rc);
}

/* KEY_SIGN or KEY_COMMAND: rc, -1 when the channel was found broken. */
static int
sign(struct peer *p, const uint8_t *point, const uint8_t *digest, uint8_t *sig,
    size_t *len)
{
	const struct caught	*c;
	struct ibuf		*b = ibuf_dynamic(0, 128), r;
	const uint8_t		*q;
	uint8_t			 rc;

	forget();
	assert_int_equal(ibuf_add_bytes(b, point, ECKEY_POINT_LEN), 0);
	assert_int_equal(ibuf_add_bytes(b, digest, 32), 0);
	assert_true(ask(p, IMSG_KEY_SIGN, 3, -1, ibuf_data(b), ibuf_size(b)));
	ibuf_free(b);
	if (nbroken != 0)
		return (-1);
	assert_non_null(c = find(IMSG_KEY_SIGNED));
	assert_int_equal(c->ca_to, p->pe_role);
	assert_int_equal(c->ca_id, 3);
	ibuf_from_buffer(&r, __DECONST(void *, c->ca_body), c->ca_len);
	assert_int_equal(ibuf_get_n8(&r, &rc), 0);
	assert_int_equal(ibuf_get_bytes(&r, ECKEY_SIG_MAXBYTES, &q, len), 0);
	assert_int_equal(ibuf_end(&r), 0);
	memcpy(sig, q, *len);
	return (rc);
}

static void
random_point(uint8_t point[ECKEY_POINT_LEN])
{
	struct key	 k = { 0 };

	assert_int_equal(key_make(&k), 0);
	memcpy(point, k.k_point, ECKEY_POINT_LEN);
	key_clear(&k);
}

/* --- tests --------------------------------------------------------------- */

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
		cmocka_unit_test(test_names_bad),
		cmocka_unit_test(test_ca_files),
		cmocka_unit_test(test_ca_mismatch),
		cmocka_unit_test(test_foreign_files),
		cmocka_unit_test(test_secret),
		cmocka_unit_test(test_agent),
		cmocka_unit_test(test_truncated),
#ifndef SENTINEL_SANITIZE
		cmocka_unit_test(test_memory),
#endif
		cmocka_unit_test(test_no_leaked_fds),
	};
	int	 failed;

	base = event_base_new();
	be(ROLE_KEYHOLDER);
	keyholder_warmup();
	keyholder_start();
	failed = cmocka_run_group_tests(tests, NULL, NULL);
	keyring_clear(keyholder_ring());
	return (failed);
}
