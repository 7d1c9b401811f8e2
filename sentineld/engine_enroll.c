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

#include "engine_enroll.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "engine_audit.h"
#include "engine_ca.h"
#include "grpc.h"
#include "hex.h"
#include "ipccheck.h"
#include "keyholder.h"
#include "log.h"
#include "xmalloc.h"

/*
 * Enrolment.  cluster has parsed the request and proven that the sender has
 * the key; here the token decides, in this order: form, MAC (keyholder),
 * consumption by one transaction, certificate (keyholder), registration by a
 * second transaction.  A failure after consumption strands nobody: the same
 * token with the same key gets the same host until the host was seen.
 */
static void	 check_token(struct enroll *, const char *);
static bool	 is_limited(struct enroll *);
static int	 load_mac(struct store_txn *, void *);
static void	 on_maccheck(void *, enum req_end, struct imsg *);
static void	 ask_certificate(struct enroll *);
static void	 on_issued(void *, enum req_end, struct imsg *);
static int	 read_issued(struct enroll *, struct imsg *, const uint8_t **,
		    size_t *);
static void	 register_host(struct enroll *);
static void	 refuse(struct enroll *, uint32_t, const char *);
static void	 fail(struct enroll *, const char *);
static void	 answer(struct enroll *, uint32_t, const char *, const char *);

struct mac_query {
	const char	*id;
	uint8_t		 mac[32];
	bool		 found;
};

void
enroll_ask(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__EnrollAsk	*ask;
	struct enroll			*en;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	ask = ipc_unpack(imsg, &sentinel__ipc__enroll_ask__descriptor, &pm);
	if (ask == NULL || ask->point.len != ECKEY_POINT_LEN) {
		peer_broken(p, imsg, ask == NULL ? pm.pm_why : "bad point");
		pbmem_free(&pm);
		return;
	}
	en = xcalloc(1, sizeof(*en));
	en->en_channel = p->pe_channel;
	en->en_call = imsg_get_id(imsg);
	(void)strlcpy(en->en_raw_name, ask->host_name,
	    sizeof(en->en_raw_name));
	(void)strlcpy(en->en_address, ask->address, sizeof(en->en_address));
	memcpy(en->en_point, ask->point.data, ECKEY_POINT_LEN);
	check_token(en, ask->token);
	explicit_bzero(ask->token, strlen(ask->token));
	pbmem_free(&pm);
}

/* Form first, without a look-up; then the MAC. */
static void
check_token(struct enroll *en, const char *token)
{
	struct mac_query	 q = { .id = en->en_token_id };
	struct ibuf		*buf;

	if (is_limited(en)) {
		answer(en, GRPC_RESOURCE_EXHAUSTED, "too many failed "
		    "enrollments from this address; try again later", NULL);
		return;
	}
	if (token[0] == '\0') {
		refuse(en, GRPC_INVALID_ARGUMENT, "token is required");
		return;
	}
	if (strlen(token) < TOKEN_LEN) {
		refuse(en, GRPC_INVALID_ARGUMENT, "token too short");
		return;
	}
	if (strlen(token) != TOKEN_LEN || !hex_is_valid(token, TOKEN_LEN)) {
		refuse(en, GRPC_PERMISSION_DENIED, "invalid enrollment token");
		return;
	}
	(void)snprintf(en->en_token_id, sizeof(en->en_token_id), "%.*s",
	    TOKEN_ID_LEN, token);
	/* The second half is no secret: whoever has seen the CA knows it. */
	(void)strlcpy(en->en_pin, token + 2 * TOKEN_SECRET_LEN,
	    sizeof(en->en_pin));
	if (store_view(eng->store, load_mac, &q) == -1) {
		answer(en, GRPC_INTERNAL, "failed to read token", NULL);
		return;
	}
	if (!q.found) {
		refuse(en, GRPC_PERMISSION_DENIED, "invalid enrollment token");
		return;
	}
	if ((buf = ibuf_open(4 + TOKEN_LEN + sizeof(q.mac))) == NULL ||
	    ibuf_add_bytes(buf, token, TOKEN_LEN) == -1 ||
	    ibuf_add_bytes(buf, q.mac, sizeof(q.mac)) == -1)
		fatal("KEY_MACCHECK");
	if (engine_ask_key(IMSG_KEY_MACCHECK, buf, on_maccheck, en) == -1)
		answer(en, GRPC_UNAVAILABLE, "server is busy; try again",
		    NULL);
}

/* The first attempt that is turned away is news, the others are counted. */
static bool
is_limited(struct enroll *en)
{
	char	 actor[80];

	switch (limit_check(en->en_address)) {
	case LIMIT_FREE:
		return (false);
	case LIMIT_REACHED:
		(void)snprintf(actor, sizeof(actor), "address %s",
		    en->en_address);
		audit_provoked(NULL, actor, "token.fail", "", AUDIT_REFUSED,
		    "too many failed enrolments: not listened to for a while");
		return (true);
	case LIMIT_OVER:
		audit_left_out(NULL);
		return (true);
	}
	return (true);
}

static int
load_mac(struct store_txn *txn, void *arg)
{
	Sentinel__Store__Token	*t;
	struct mac_query	*q = arg;
	struct pbmem		 pm;
	int			 rc;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	rc = db_token_get(txn, q->id, &pm, &t);
	if (rc == 1 && t->mac.len == sizeof(q->mac)) {
		memcpy(q->mac, t->mac.data, sizeof(q->mac));
		q->found = true;
	}
	pbmem_free(&pm);
	return (rc == -1 ? -1 : 0);
}

static void
on_maccheck(void *arg, enum req_end end, struct imsg *imsg)
{
	struct enroll	*en = arg;
	uint8_t		 equal;

	if (end != REQ_ANSWER || imsg_get_type(imsg) !=
	    IMSG_KEY_MACCHECKED ||
	    ibuf_get_n8(imsg_get_ibuf(imsg), &equal) == -1) {
		answer(en, GRPC_UNAVAILABLE, "server is busy; try again",
		    NULL);
		return;
	}
	if (equal != 1) {
		refuse(en, GRPC_PERMISSION_DENIED, "invalid enrollment token");
		return;
	}
	en->en_known = true;
	if (store_update(eng->store, redeem_consume, en) == -1)
		fail(en, "failed to consume token");
	else
		ask_certificate(en);
}

static void
ask_certificate(struct enroll *en)
{
	struct ibuf	*buf;

	if ((buf = ibuf_dynamic(128, 200)) == NULL ||
	    ibuf_add_n8(buf, KEY_PROFILE_AGENT) == -1 ||
	    ibuf_add_string(buf, en->en_host_id) == -1 ||
	    ibuf_add_bytes(buf, en->en_point, ECKEY_POINT_LEN) == -1 ||
	    ibuf_add_n32(buf, eng->conf.ec_agent_life_sec) == -1)
		fatal("KEY_ISSUE");
	if (engine_ask_key(IMSG_KEY_ISSUE, buf, on_issued, en) == -1)
		answer(en, GRPC_RESOURCE_EXHAUSTED, "server is busy; try "
		    "again with the same token", NULL);
}

/* u8 rc, bytes serial, u64 notbefore, u64 notafter, bytes DER, str why */
static int
read_issued(struct enroll *en, struct imsg *imsg, const uint8_t **der,
    size_t *derlen)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	const uint8_t	*serial;
	char		 why[256];
	uint64_t	 not_before, not_after;
	size_t		 len;
	uint8_t		 rc;

	if (ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_bytes(buf, KEY_SERIAL_MAXBYTES, &serial, &len) == -1 ||
	    ibuf_get_n64(buf, &not_before) == -1 ||
	    ibuf_get_n64(buf, &not_after) == -1 ||
	    ibuf_get_bytes(buf, KEY_CERT_MAXBYTES, der, derlen) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1)
		fatalx("keyholder: bad KEY_ISSUED");
	if (rc != KEY_RC_OK) {
		log_warnx("enrolment: host %s: keyholder: %s", en->en_host_id,
		    why);
		return (-1);
	}
	if (x509_serial_text(serial, len, en->en_serial) == -1)
		fatalx("keyholder: bad serial");
	en->en_not_after = (int64_t)not_after;
	return (0);
}

static void
on_issued(void *arg, enum req_end end, struct imsg *imsg)
{
	struct enroll	*en = arg;
	const uint8_t	*der;
	char		*pem;
	size_t		 derlen;

	if (end != REQ_ANSWER || imsg_get_type(imsg) != IMSG_KEY_ISSUED ||
	    read_issued(en, imsg, &der, &derlen) == -1) {
		answer(en, GRPC_RESOURCE_EXHAUSTED, "failed to sign "
		    "certificate; try again with the same token", NULL);
		return;
	}
	if (!en->en_retry || host_find(en->en_host_id) == NULL)
		host_pick_name(en->en_raw_name, en->en_address,
		    en->en_host_id, en->en_name);
	free(en->en_ca_pem);
	en->en_ca_pem = ca_enroll_pem(en->en_pin);
	en->en_ca = ca_issuer(der, derlen);
	if (store_update(eng->store, redeem_register, en) == -1) {
		fail(en, "failed to register host; try again with the same "
		    "token");
		return;
	}
	register_host(en);
	if (!en->en_replaces)
		ca_issued(host_find(en->en_host_id), en->en_serial, der,
		    derlen);
	pem = engine_pem(der, derlen);
	answer(en, GRPC_OK, "", pem);
	free(pem);
}

/* The transaction is on disk: memory follows. */
static void
register_host(struct enroll *en)
{
	struct host	*h;
	bool		 fresh = false;

	if ((h = host_find(en->en_host_id)) == NULL) {
		h = host_new(en->en_host_id, en->en_name);
		h->h_enrolled_at = time(NULL);
		(void)host_insert(h);
		fresh = true;
	}
	host_set_labels(h, en->en_labels, en->en_nlabels);
	if (en->en_replaces) {
		(void)strlcpy(h->h_replace_serial, en->en_serial,
		    sizeof(h->h_replace_serial));
		h->h_replace_not_after = en->en_not_after;
		(void)strlcpy(h->h_replace_token, en->en_token_id,
		    sizeof(h->h_replace_token));
		log_info("host %s (%s): a new machine enrolled in its place "
		    "from %s with token %s", h->h_id, h->h_name,
		    en->en_address, en->en_token_id);
		return;
	}
	engine_setstr(&h->h_raw_name, en->en_raw_name);
	(void)strlcpy(h->h_address, en->en_address, sizeof(h->h_address));
	(void)strlcpy(h->h_serial, en->en_serial, sizeof(h->h_serial));
	h->h_not_after = en->en_not_after;
	memcpy(h->h_point, en->en_point, ECKEY_POINT_LEN);
	ca_given(h, en->en_ca_pem);
	(void)strlcpy(h->h_token, en->en_token_id, sizeof(h->h_token));
	log_info("host %s (%s): %s from %s with token %s", h->h_id, h->h_name,
	    fresh ? "enrolled" : "enrolled again, the answer had been lost,",
	    en->en_address, en->en_token_id);
	if (strcmp(h->h_name, en->en_raw_name) != 0)
		log_info("host %s: is called %s here", h->h_id, h->h_name);
	event_publish("cluster_host", h, NULL, "host %s (%s) enrolled",
	    h->h_id, h->h_name);
}

/*
 * cluster could not make a question of it: no token, no request for a
 * certificate, or one that is broken or not over a key of its sender.
 */
void
enroll_broken(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	char		 address[65], why[256], actor[80];

	if (ibuf_get_string(buf, address, sizeof(address)) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 || address[0] == '\0') {
		peer_broken(p, imsg, "bad ENROLL_BROKEN");
		return;
	}
	(void)limit_count_failure(address);
	(void)snprintf(actor, sizeof(actor), "address %s", address);
	audit_provoked(NULL, actor, "token.fail", "", AUDIT_REFUSED, "%s",
	    why);
}

/* A refusal counts against the source; its secret never reaches a log. */
static void
refuse(struct enroll *en, uint32_t status, const char *why)
{
	char	 actor[80], subject[32] = "";
	bool	 few = limit_count_failure(en->en_address);

	/* Of a token that is not one of ours not even the beginning. */
	if (en->en_known)
		(void)snprintf(subject, sizeof(subject), "token %s",
		    en->en_token_id);
	(void)snprintf(actor, sizeof(actor), "address %s", en->en_address);
	audit_provoked(NULL, actor, "token.fail", subject, AUDIT_REFUSED,
	    "%s", why);
	if (!few && !en->en_known && en->en_token_id[0] != '\0') {
		answer(en, GRPC_RESOURCE_EXHAUSTED, "too many failed "
		    "enrollments; try again later", NULL);
		return;
	}
	if (host_may_log(NULL))
		log_warnx("enrolment from %s refused: %s%s%s",
		    en->en_address, why, en->en_known ? ": " : "", subject);
	event_publish("cluster_host", NULL, NULL,
	    "enrolment from %s refused: %s", en->en_address, why);
	answer(en, status, why, NULL);
}

/* A transaction ended: the token's fault, or the database's. */
static void
fail(struct enroll *en, const char *why)
{
	if (en->en_refusal == NULL)
		answer(en, GRPC_INTERNAL, why, NULL);
	else
		refuse(en, en->en_status != 0 ? en->en_status :
		    GRPC_PERMISSION_DENIED, en->en_refusal);
}

static void
enroll_free(struct enroll *en)
{
	size_t	 i;

	for (i = 0; i < en->en_nlabels; i++)
		free(en->en_labels[i]);
	free(en->en_ca_pem);
	free(en);
}

static void
answer(struct enroll *en, uint32_t status, const char *text, const char *pem)
{
	Sentinel__Ipc__EnrollAnswer		 ans;
	Sentinel__Cluster__EnrollResponse	 resp;
	struct peer				*p = proc_peer(ROLE_CLUSTER);
	char					*msg = xstrdup(text);
	char					*copy = NULL;

	sentinel__ipc__enroll_answer__init(&ans);
	ans.status = status;
	ans.message = msg;
	if (pem != NULL) {
		copy = xstrdup(pem);
		sentinel__cluster__enroll_response__init(&resp);
		resp.host_id = en->en_host_id;
		resp.ca_cert.data = (uint8_t *)en->en_ca_pem;
		resp.ca_cert.len = strlen(en->en_ca_pem);
		resp.agent_cert.data = (uint8_t *)copy;
		resp.agent_cert.len = strlen(copy);
		ans.response = &resp;
	}
	/* A cluster that was restarted meanwhile has another channel. */
	if (p != NULL && p->pe_channel == en->en_channel)
		peer_send_pb(p, IMSG_ENROLL_ANSWER, en->en_call, &ans.base);
	free(copy);
	free(msg);
	enroll_free(en);
}
