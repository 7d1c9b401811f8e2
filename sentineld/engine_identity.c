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

#include "engine_identity.h"
#include "engine_ca.h"

#include <openssl/evp.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "backoff.h"
#include "conf_value.h"
#include "engine_self.h"
#include "hex.h"
#include "ipccheck.h"
#include "keyholder.h"
#include "log.h"
#include "xmalloc.h"

struct key_info {
	uint8_t		 purpose;
	uint8_t		 slot;
	const uint8_t	*point;
	const uint8_t	*der;
	size_t		 derlen;
	char		 serial[X509_SERIAL_SIZE];
	uint64_t	 not_before;
	uint64_t	 not_after;
};

/*
 * A renewal passes through these; ASKED also ends when the parent says that
 * it failed, OFFERED when cluster does not use what it got.  A failure leads
 * back to REST, with a time for the next attempt.
 */
enum phase {
	ID_REST,
	ID_ASKED,		/* the parent, for KEY_INFO */
	ID_OFFERED		/* to cluster, for CLUSTER_IDENTITY_OK */
};

/* A server certificate; the one in use is in eng, where others look. */
struct leaf {
	uint8_t		*le_der;
	size_t		 le_len;
	uint8_t		 le_point[ECKEY_POINT_LEN];
	struct identity_cert le_cert;
};

static struct {
	enum phase	 phase;
	bool		 started;	/* configuration is live */
	bool		 asking;	/* SERVER_RENEWED is to come */
	bool		 again;		/* wanted, not begun yet */
	monotime_t	 deadline;	/* of the phase */
	monotime_t	 retry_at;	/* 0: none */
	monotime_t	 drop_at;	/* of the old key, 0: none */
	monotime_t	 command_at;	/* not asked for before */
	uint32_t	 offer;		/* number of the last one */
	struct leaf	 next;		/* offered; le_der NULL: none */
	struct backoff	 backoff;
	uint64_t	 sum;		/* parent_renew_sum() in use */
	char		*names[IDENTITY_NAMES_MAX];
	size_t		 nnames;	/* 0: those of the configuration */
	struct identity_cert ca, server, command;
} id;

static int	 key_info_parse(struct ibuf *, struct key_info *);
static void	 take_cert(struct identity_cert *, const struct key_info *);
static void	 take_ca(const struct key_info *);
static void	 take_server(const struct key_info *);
static void	 take_command(const struct key_info *);
static void	 send_identity(const struct leaf *);
static void	 offer(void);
static void	 use(void);
static void	 drop_old(void);
static void	 ask(void);
static void	 on_renewed(void *, enum req_end, struct imsg *);
static void	 failed(const char *);
static void	 names_forget(void);

char *
engine_pem(const uint8_t *der, size_t len)
{
	static const char	 head[] = "-----BEGIN CERTIFICATE-----\n";
	static const char	 tail[] = "-----END CERTIFICATE-----\n";
	char			*pem, *p;
	size_t			 n;

	/* 48 bytes make a line of 64 characters and a newline. */
	pem = xmalloc(sizeof(head) + sizeof(tail) + (len / 48 + 1) * 66);
	p = pem + strlcpy(pem, head, sizeof(head));
	while (len > 0) {
		n = len > 48 ? 48 : len;
		p += EVP_EncodeBlock((unsigned char *)p, der, (int)n);
		*p++ = '\n';
		der += n;
		len -= n;
	}
	memcpy(p, tail, sizeof(tail));
	return (pem);
}

static int
key_info_parse(struct ibuf *buf, struct key_info *ki)
{
	const uint8_t	*serial;
	size_t		 pointlen, seriallen;

	if (ibuf_get_n8(buf, &ki->purpose) == -1 ||
	    ibuf_get_n8(buf, &ki->slot) == -1 ||
	    ibuf_get_bytes(buf, ECKEY_POINT_LEN, &ki->point, &pointlen) ==
	    -1 || ibuf_get_bytes(buf, KEY_CERT_MAXBYTES, &ki->der,
	    &ki->derlen) == -1 || ibuf_get_bytes(buf, KEY_SERIAL_MAXBYTES,
	    &serial, &seriallen) == -1 ||
	    ibuf_get_n64(buf, &ki->not_before) == -1 ||
	    ibuf_get_n64(buf, &ki->not_after) == -1 || ibuf_end(buf) == -1)
		return (-1);
	if (pointlen != ECKEY_POINT_LEN || ki->derlen == 0 || ki->slot > 1 ||
	    ki->not_before > INT64_MAX || ki->not_after > INT64_MAX)
		return (-1);
	return (x509_serial_text(serial, seriallen, ki->serial));
}

int64_t
identity_issued(int64_t not_before, int64_t not_after)
{
	int64_t	 total = not_after - not_before;

	/* life + min(3600, life/10) = total */
	return (not_before + (total >= 39600 ? 3600 : total / 11));
}

int64_t
identity_due(int64_t not_before, int64_t not_after)
{
	int64_t	 issued = identity_issued(not_before, not_after);

	return (issued + (not_after - issued) * 2 / 3);
}

static void
take_cert(struct identity_cert *ic, const struct key_info *ki)
{
	(void)strlcpy(ic->ic_serial, ki->serial, sizeof(ic->ic_serial));
	ic->ic_not_before = (int64_t)ki->not_before;
	ic->ic_not_after = (int64_t)ki->not_after;
	ic->ic_renew_at = identity_due(ic->ic_not_before, ic->ic_not_after);
}

/* It may be one of two: engine_ca.c knows which of them issues. */
static void
take_ca(const struct key_info *ki)
{
	struct ca_cert	 cc = {
		.cc_der = (uint8_t *)(uintptr_t)ki->der,
		.cc_len = ki->derlen,
		.cc_not_before = (int64_t)ki->not_before,
		.cc_not_after = (int64_t)ki->not_after,
	};

	(void)strlcpy(cc.cc_serial, ki->serial, sizeof(cc.cc_serial));
	ca_take(ki->purpose, ki->slot, &cc);
}

void
identity_use_ca(const struct ca_cert *cc)
{
	free(eng->ca_der);
	free(eng->ca_pem);
	eng->ca_der = xmemdup(cc->cc_der, cc->cc_len);
	eng->ca_derlen = cc->cc_len;
	eng->ca_pem = xstrdup(cc->cc_pem);
	eng->ca_not_after = cc->cc_not_after;
	(void)strlcpy(eng->ca_pin, cc->cc_hex, sizeof(eng->ca_pin));
	(void)strlcpy(id.ca.ic_serial, cc->cc_serial, sizeof(id.ca.ic_serial));
	id.ca.ic_not_before = cc->cc_not_before;
	id.ca.ic_not_after = cc->cc_not_after;
	id.ca.ic_renew_at = 0;
}

static void
take_command(const struct key_info *ki)
{
	free(eng->command_der);
	eng->command_der = ca_command_der(ki->der, ki->derlen,
	    &eng->command_derlen);
	take_cert(&id.command, ki);
	id.command_at = 0;
}

/* Servers that were renewed together shall not be again. */
static void
take_server(const struct key_info *ki)
{
	struct identity_cert	*ic = &id.next.le_cert;
	int64_t			 spread;

	free(id.next.le_der);
	id.next.le_der = xmemdup(ki->der, ki->derlen);
	id.next.le_len = ki->derlen;
	memcpy(id.next.le_point, ki->point, ECKEY_POINT_LEN);
	take_cert(ic, ki);
	spread = (ic->ic_not_after - ic->ic_not_before) / 16;
	ic->ic_renew_at -= arc4random_uniform((uint32_t)(spread < 86400 ?
	    spread : 86400) + 1);
	offer();
}

/* The keyholder has a new key or certificate. */
void
engine_key_info(struct peer *p, struct imsg *imsg)
{
	struct key_info	 ki;

	if (key_info_parse(imsg_get_ibuf(imsg), &ki) == -1) {
		peer_broken(p, imsg, "bad KEY_INFO");
		return;
	}
	switch (ki.purpose) {
	case KEY_PURPOSE_CA:
	case KEY_PURPOSE_CA_CROSS:
		take_ca(&ki);
		break;
	case KEY_PURPOSE_SERVER_TLS:
		take_server(&ki);
		break;
	case KEY_PURPOSE_COMMAND:
		take_command(&ki);
		break;
	default:
		peer_broken(p, imsg, "KEY_INFO for an unknown purpose");
		break;
	}
}

/* --- cluster ------------------------------------------------------------ */

/* It gets the chain and what to verify agents against. */
static void
send_identity(const struct leaf *le)
{
	Sentinel__Ipc__ServerIdentity	 si;
	char				*chain, *leaf, *more, *trust;

	if (eng->ca_pem == NULL || proc_peer(ROLE_CLUSTER) == NULL)
		return;
	/* Leaf, then CA: our agents look for the pinned CA in the chain. */
	leaf = engine_pem(le->le_der, le->le_len);
	more = ca_chain_pem(le->le_der, le->le_len);
	trust = ca_trust_pem();
	xasprintf(&chain, "%s%s", leaf, more);
	free(leaf);
	free(more);
	sentinel__ipc__server_identity__init(&si);
	si.chain_pem.data = (uint8_t *)chain;
	si.chain_pem.len = strlen(chain);
	si.ca_pem.data = (uint8_t *)trust;
	si.ca_pem.len = strlen(trust);
	si.point.data = (uint8_t *)(uintptr_t)le->le_point;
	si.point.len = ECKEY_POINT_LEN;
	peer_send_pb(proc_peer(ROLE_CLUSTER), IMSG_CLUSTER_IDENTITY, id.offer,
	    &si.base);
	free(chain);
	free(trust);
}

static void
offer(void)
{
	id.phase = ID_OFFERED;
	id.deadline = monotime_now() + IDENTITY_CLUSTER_MSEC;
	id.offer++;
	send_identity(&id.next);
}

/* One that was started again; the key of what it gets is still there. */
void
identity_cluster_up(void)
{
	struct leaf	 le = { .le_der = eng->server_der,
			    .le_len = eng->server_derlen };

	if (id.phase == ID_OFFERED)
		offer();
	else if (eng->server_der != NULL) {
		memcpy(le.le_point, eng->server_point, ECKEY_POINT_LEN);
		send_identity(&le);
	}
}

/* New handshakes use the certificate; also when it says so late. */
void
engine_cluster_identity_ok(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	const uint8_t	*point;
	size_t		 len;

	if (ibuf_get_bytes(buf, ECKEY_POINT_LEN, &point, &len) == -1 ||
	    ibuf_end(buf) == -1 || len != ECKEY_POINT_LEN) {
		peer_broken(p, imsg, "bad CLUSTER_IDENTITY_OK");
		return;
	}
	/* A newer one is on its way, or it was said before. */
	if (imsg_get_id(imsg) != id.offer || id.next.le_der == NULL ||
	    memcmp(point, id.next.le_point, len) != 0)
		return;
	use();
}

static void
use(void)
{
	bool		 other, first = eng->server_der == NULL;
	uint64_t	 wait;
	int64_t		 life;

	other = !first && memcmp(eng->server_point, id.next.le_point,
	    ECKEY_POINT_LEN) != 0;
	free(eng->server_der);
	eng->server_der = id.next.le_der;
	eng->server_derlen = id.next.le_len;
	memcpy(eng->server_point, id.next.le_point, ECKEY_POINT_LEN);
	id.next.le_der = NULL;
	id.server = id.next.le_cert;
	eng->server_not_after = id.server.ic_not_after;
	eng->cluster_ready = true;
	id.phase = ID_REST;
	id.retry_at = 0;
	backoff_reset(&id.backoff);
	life = id.server.ic_not_after - id.server.ic_not_before;
	if (other) {
		wait = (uint64_t)life * 100 < IDENTITY_DROP_MSEC ?
		    (uint64_t)life * 100 : IDENTITY_DROP_MSEC;
		id.drop_at = monotime_now() + (monotime_t)wait;
	}
	if (!first)
		log_info("server certificate: replaced by serial %s, good for "
		    "%lld s", id.server.ic_serial,
		    (long long)(id.server.ic_not_after - time(NULL)));
}

/* Only when cluster uses the new key may the old one go. */
static void
drop_old(void)
{
	struct ibuf	*buf;

	id.drop_at = 0;
	if ((buf = ibuf_open(68)) == NULL ||
	    ibuf_add_n8(buf, KEY_PURPOSE_SERVER_TLS) == -1 ||
	    ibuf_add_bytes(buf, eng->server_point, ECKEY_POINT_LEN) == -1)
		fatal("KEY_DROP");
	peer_send_ibuf(proc_peer(ROLE_KEYHOLDER), IMSG_KEY_DROP, 0, -1, buf);
	ibuf_free(buf);
}

void
engine_cluster_stats(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__ClusterStats	*cs;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	cs = ipc_unpack(imsg, &sentinel__ipc__cluster_stats__descriptor, &pm);
	if (cs == NULL)
		peer_broken(p, imsg, pm.pm_why);
	else {
		(void)strlcpy(eng->listen, cs->listen, sizeof(eng->listen));
		self_serving();
	}
	pbmem_free(&pm);
}

/* --- renewal ------------------------------------------------------------ */

void
identity_start(void)
{
	if (!id.started) {
		backoff_init(&id.backoff, IDENTITY_RETRY_MSEC,
		    IDENTITY_RETRY_MAX_MSEC);
		id.sum = eng->conf.ec_identity_sum;
		id.started = true;
	} else if (id.sum != eng->conf.ec_identity_sum) {
		id.sum = eng->conf.ec_identity_sum;
		identity_renew("the configuration has changed");
	}
}

void
identity_renew(const char *reason)
{
	if (eng->conf.ec_cluster || !id.started)
		log_info("server certificate: to be replaced: %s", reason);
	/* With the next tick: a reload has several reasons. */
	id.again = true;
	id.retry_at = 0;
}

void
identity_tick(time_t now)
{
	monotime_t	 mono = monotime_now();

	if (!id.started || !eng->conf.ec_cluster)
		return;
	if (id.phase != ID_REST && mono >= id.deadline)
		failed(id.phase == ID_ASKED ? "no new certificate from the "
		    "keyholder in time" : "cluster does not use the new one");
	if (id.drop_at != 0 && mono >= id.drop_at)
		drop_old();
	/* A command that is signed renews it as well. */
	if (id.command.ic_serial[0] != '\0' &&
	    now >= id.command.ic_renew_at && mono >= id.command_at) {
		id.command_at = mono + IDENTITY_COMMAND_MSEC;
		peer_send(proc_peer(ROLE_KEYHOLDER), IMSG_KEY_COMMAND_NEW, 0,
		    -1, NULL, 0);
	}
	if (id.phase != ID_REST || id.asking || eng->server_der == NULL)
		return;
	/* A clock that was wrong when it was made is put right like this. */
	if (id.retry_at != 0 ? mono >= id.retry_at : id.again ||
	    now >= id.server.ic_renew_at || now < id.server.ic_not_before)
		ask();
}

static void
ask(void)
{
	struct peer	*p = proc_peer(ROLE_PARENT);
	struct ibuf	*buf;
	uint32_t	 request;
	size_t		 i;

	/* With its key there the keyholder has room for the new one. */
	if (id.drop_at != 0)
		drop_old();
	id.retry_at = 0;
	if ((request = reqtab_add(eng->keys, p->pe_channel,
	    IDENTITY_PARENT_MSEC, on_renewed, NULL)) == 0) {
		failed("too many questions are open");
		return;
	}
	if ((buf = ibuf_dynamic(64, 16384)) == NULL ||
	    ibuf_add_n8(buf, id.nnames > 0) == -1)
		fatal("SERVER_RENEW");
	for (i = 0; i < id.nnames; i++) {
		if (ibuf_add_string(buf, id.names[i]) == -1)
			fatal("SERVER_RENEW");
	}
	id.phase = ID_ASKED;
	id.deadline = monotime_now() + IDENTITY_PARENT_MSEC +
	    IDENTITY_CLUSTER_MSEC;
	id.again = false;
	id.asking = true;
	peer_send_ibuf(p, IMSG_SERVER_RENEW, request, -1, buf);
	ibuf_free(buf);
}

/* u8 rc, str why; KEY_INFO comes on its own way, before or after. */
static void
on_renewed(void *arg, enum req_end end, struct imsg *imsg)
{
	char	 why[CONF_WHY_MAXBYTES] = "no answer from the parent";
	uint8_t	 rc = 1;

	(void)arg;
	id.asking = false;
	if (end == REQ_ANSWER && (ibuf_get_n8(imsg_get_ibuf(imsg), &rc) ==
	    -1 || ibuf_get_string(imsg_get_ibuf(imsg), why, sizeof(why)) ==
	    -1 || rc > 2))
		fatalx("parent: bad SERVER_RENEWED");
	if (rc == 0 || id.phase != ID_ASKED)
		return;
	failed(why);
	if (rc == 2) {
		/* Without them there is at least a certificate. */
		log_warnx("cluster.advertise: the names are not used");
		names_forget();
	}
}

void
identity_renewed(struct peer *p, struct imsg *imsg)
{
	if (reqtab_answer(eng->keys, p->pe_channel, imsg_get_id(imsg),
	    imsg) == -1)
		log_debug("parent: late answer %u", imsg_get_id(imsg));
}

static void
failed(const char *why)
{
	unsigned int	 msec = backoff_next(&id.backoff);

	log_warnx("server certificate: not replaced: %s; the old one stays "
	    "in use, trying again in %u s", why, msec / 1000 + 1);
	id.phase = ID_REST;
	id.retry_at = monotime_now() + (monotime_t)msec;
}

/* --- names -------------------------------------------------------------- */

int
identity_check_advertise(const char *const *names, size_t n, char *why,
    size_t whylen)
{
	size_t	 i;

	if (n > IDENTITY_NAMES_MAX) {
		(void)snprintf(why, whylen, "more than %d names",
		    IDENTITY_NAMES_MAX);
		return (-1);
	}
	for (i = 0; i < n; i++) {
		if (conf_value_is_literal(names[i]) ||
		    conf_value_is_dns(names[i]))
			continue;
		(void)snprintf(why, whylen, "\"%.80s\" is neither an address "
		    "nor a DNS name (no port, no wildcard)", names[i]);
		return (-1);
	}
	return (0);
}

int
identity_set_advertise(const char *const *names, size_t n, char *why,
    size_t whylen)
{
	size_t	 i;
	bool	 same = n == id.nnames;

	if (identity_check_advertise(names, n, why, whylen) == -1)
		return (-1);
	for (i = 0; same && i < n; i++)
		same = strcmp(names[i], id.names[i]) == 0;
	if (same)
		return (0);
	names_forget();
	for (i = 0; i < n; i++)
		id.names[id.nnames++] = xstrdup(names[i]);
	identity_renew("other names are advertised");
	return (0);
}

static void
names_forget(void)
{
	while (id.nnames > 0)
		free(id.names[--id.nnames]);
}

const struct identity_cert *
identity_cert(uint8_t purpose)
{
	switch (purpose) {
	case KEY_PURPOSE_CA:
		return (&id.ca);
	case KEY_PURPOSE_COMMAND:
		return (&id.command);
	default:
		return (&id.server);
	}
}
