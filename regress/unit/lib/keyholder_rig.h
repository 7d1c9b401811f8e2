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

#ifndef KEYHOLDER_RIG_H
#define KEYHOLDER_RIG_H

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

static inline void
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

static inline void
forget(void)
{
	ncaught = 0;
	nbroken = 0;
}

/* Hand one message to its handler; false: this daemon has none. */
static inline bool
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
static inline void
settle(void)
{
	int	 i;

	for (i = 0; i < 4; i++)
		event_base_loop(base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static inline const struct caught *
find(uint32_t type)
{
	size_t	 i;

	for (i = 0; i < ncaught; i++)
		if (caught[i].ca_type == type)
			return (&caught[i]);
	return (NULL);
}

static inline bool
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
static inline int
file(const void *data, size_t len)
{
	char	 path[] = "/tmp/keyholder_test.XXXXXX";
	int	 fd;

	assert_int_not_equal(fd = mkstemp(path), -1);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(write(fd, data, len), (ssize_t)len);
	return (fd);
}

static inline size_t
slurp(int fd, char *buf, size_t size)
{
	ssize_t	 n = pread(fd, buf, size - 1, 0);

	assert_true(n >= 0);
	buf[n] = '\0';
	return ((size_t)n);
}

/* KEY_LOAD or KEY_CREATE; rc of KEY_LOADED, its reason in why. */
static inline int
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

static inline int
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
static inline void
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

static inline X509 *
parse(const uint8_t *der, size_t len)
{
	const unsigned char	*p = der;
	X509			*x = d2i_X509(NULL, &p, (long)len);

	assert_non_null(x);
	assert_ptr_equal(p, der + len);
	return (x);
}

/* As "openssl verify -purpose". */
static inline bool
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

static inline void
issue_body(struct ibuf *b, const char *subject, const uint8_t *point,
    uint32_t life)
{
	assert_int_equal(ibuf_add_n8(b, KEY_PROFILE_AGENT), 0);
	assert_int_equal(ibuf_add_string(b, subject), 0);
	assert_int_equal(ibuf_add_bytes(b, point, ECKEY_POINT_LEN), 0);
	assert_int_equal(ibuf_add_n32(b, life), 0);
}

static inline int
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
static inline int
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

static inline void
random_point(uint8_t point[ECKEY_POINT_LEN])
{
	struct key	 k = { 0 };

	assert_int_equal(key_make(&k), 0);
	memcpy(point, k.k_point, ECKEY_POINT_LEN);
	key_clear(&k);
}

/* --- tests --------------------------------------------------------------- */

/* Of every group of tests. */
static inline int
start_up(void **state)
{
	(void)state;
	base = event_base_new();
	be(ROLE_KEYHOLDER);
	keyholder_warmup();
	keyholder_start();
	return (0);
}

static inline int
clear(void **state)
{
	(void)state;
	keyring_clear(keyholder_ring());
	return (0);
}

#endif
