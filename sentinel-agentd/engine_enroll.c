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

#include "engine.h"

#include <openssl/sha.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hex.h"
#include "ipccheck.h"
#include "keyholder.h"
#include "log.h"
#include "xmalloc.h"

/*
 * First enrolment.  The key is on disk before the token leaves, and stays the
 * same over all attempts: when an answer is lost, the same token with the
 * same key is the same host again.
 *
 *	parent: new key file -> keyholder: KEY_INFO -> KEY_CSR -> uplink
 *	proves the server and calls Enroll -> the answer is checked here ->
 *	parent: IDENTITY_STORE -> session
 */
enum step {
	STEP_NONE,
	STEP_KEY,		/* IDENTITY_NEWKEY and KEY_INFO */
	STEP_CSR,
	STEP_ASK,		/* uplink has it */
	STEP_STORE,		/* the parent has it */
	STEP_WAIT		/* for the next attempt */
};

static void	 on_timer(int, short, void *);
static void	 go(enum step);
static void	 retry(const char *, bool);
static void	 ask_key(void);
static void	 ask_csr(void);
static void	 ask_server(void);
static void	 subject(char *, size_t);
static void	 store(const Sentinel__Cluster__EnrollResponse *);
static void	 finish(void);
static bool	 is_hopeless(uint32_t);

static struct event	*timer;
static struct backoff	 backoff;
static enum step	 step;
static bool		 key_made;	/* IDENTITY_NEWKEY_DONE */
static uint8_t		*csr;
static size_t		 csrlen;
static bool		 answered;	/* UPLINK_ENROLLED came */
static bool		 stored;
static struct identity	 fresh;		/* until it is stored */

void
enroll_begin(void)
{
	if (timer == NULL) {
		if ((timer = evtimer_new(proc_base(), on_timer, NULL)) == NULL)
			fatal("enroll_begin");
		backoff_init(&backoff,
		    (unsigned int)eng->conf.ac_reconnect_min_msec,
		    (unsigned int)eng->conf.ac_reconnect_max_msec);
		log_info("enrolling at %s as \"%s\"", eng->conf.ac_server,
		    eng->conf.ac_name);
	}
	ask_key();
}

/* An attempt under way ends first. */
void
enroll_reconfigure(void)
{
	struct timeval	 now = { 0, 0 };

	if (timer == NULL)
		return;
	backoff_init(&backoff, (unsigned int)eng->conf.ac_reconnect_min_msec,
	    (unsigned int)eng->conf.ac_reconnect_max_msec);
	if (step == STEP_WAIT)
		evtimer_add(timer, &now);
}

/* Each step has its time; siblings that do not answer are broken. */
static void
go(enum step next)
{
	struct timeval	 tv = monotime_timeval(ENGINE_SIBLING_MSEC);

	step = next;
	if (next == STEP_ASK)
		tv = monotime_timeval(eng->conf.ac_connect_msec +
		    eng->conf.ac_rpc_msec + ENGINE_SIBLING_MSEC);
	evtimer_add(timer, &tv);
}

static void
on_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	switch (step) {
	case STEP_WAIT:
		if (eng->uplink_busy)
			/* The connection of the last attempt still ends. */
			retry("uplink has not ended the last attempt", false);
		else if (!key_made)
			ask_key();
		else if (csr == NULL)
			ask_csr();
		else
			ask_server();
		break;
	case STEP_ASK:
		if (proc_peer(ROLE_A_UPLINK) != NULL)
			peer_broken(proc_peer(ROLE_A_UPLINK), NULL,
			    "no answer from uplink");
		break;
	default:
		fatalx("enrolment: no answer from %s", step == STEP_CSR ?
		    "the keyholder" : "the parent");
	}
}

/* Never given up: what is wrong may be mended on the server. */
static void
retry(const char *why, bool hopeless)
{
	unsigned int	 max = (unsigned int)eng->conf.ac_reconnect_max_msec;
	unsigned int	 delay;
	struct timeval	 tv;

	delay = hopeless ? max - arc4random_uniform(max / 2 + 1) :
	    backoff_next(&backoff);
	session_log_failure(why, delay);
	step = STEP_WAIT;
	tv = monotime_timeval(delay);
	evtimer_add(timer, &tv);
}

/* --- key and CSR --------------------------------------------------------- */

static void
ask_key(void)
{
	go(STEP_KEY);
	peer_send(proc_peer(ROLE_A_PARENT), IMSG_IDENTITY_NEWKEY, 0, -1, NULL,
	    0);
}

/* u8 rc, str why */
void
enroll_newkey_done(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	char		 why[256], text[400];
	uint8_t		 rc;

	if (ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 || step != STEP_KEY) {
		peer_broken(p, imsg, "unexpected IDENTITY_NEWKEY_DONE");
		return;
	}
	if (rc != 0) {
		(void)snprintf(text, sizeof(text), "no key for this host: %s",
		    why);
		retry(text, false);
		return;
	}
	key_made = true;
	if (eng->id.id_has_point)
		ask_csr();
}

/* u8 purpose, u8 slot, bytes point, bytes certificate, bytes serial, u64
 * notbefore, u64 notafter; the last four say nothing for an agent's key */
void
enroll_key_info(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	const uint8_t	*point, *cert, *serial;
	uint64_t	 from, to;
	size_t		 len, certlen, seriallen;
	uint8_t		 purpose, slot;

	if (ibuf_get_n8(buf, &purpose) == -1 ||
	    ibuf_get_n8(buf, &slot) == -1 ||
	    ibuf_get_bytes(buf, ECKEY_POINT_LEN, &point, &len) == -1 ||
	    ibuf_get_bytes(buf, KEY_CERT_MAXBYTES, &cert, &certlen) == -1 ||
	    ibuf_get_bytes(buf, KEY_SERIAL_MAXBYTES, &serial, &seriallen) ==
	    -1 || ibuf_get_n64(buf, &from) == -1 ||
	    ibuf_get_n64(buf, &to) == -1 || ibuf_end(buf) == -1 ||
	    purpose != KEY_PURPOSE_AGENT_TLS || len != ECKEY_POINT_LEN) {
		peer_broken(p, imsg, "bad KEY_INFO");
		return;
	}
	memcpy(eng->id.id_point, point, len);
	eng->id.id_has_point = true;
	if (slot == KEY_SLOT_CURRENT)
		engine_begin();
	else if (step == STEP_KEY && key_made)
		ask_csr();
}

/* A common name of the characters that every parser takes. */
static void
subject(char *dst, size_t size)
{
	const char	*s;
	size_t		 n = 0;

	for (s = eng->conf.ac_name; *s != '\0' && n + 1 < size &&
	    n < KEY_SUBJECT_MAXBYTES; s++) {
		if (strchr("abcdefghijklmnopqrstuvwxyz"
		    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_", *s) != NULL)
			dst[n++] = *s;
	}
	dst[n] = '\0';
	if (n == 0)
		(void)strlcpy(dst, "sentinel-agent", size);
}

static void
ask_csr(void)
{
	struct ibuf	*buf;
	char		 cn[KEY_SUBJECT_MAXBYTES + 1];

	go(STEP_CSR);
	subject(cn, sizeof(cn));
	if ((buf = ibuf_dynamic(16, 70)) == NULL ||
	    ibuf_add_string(buf, cn) == -1 ||
	    ibuf_add_n8(buf, KEY_SLOT_NEW) == -1)
		fatal("KEY_CSR");
	peer_send_ibuf(proc_peer(ROLE_A_KEYHOLDER), IMSG_KEY_CSR, 0, -1, buf);
	ibuf_free(buf);
}

/* u8 rc, bytes point, bytes CSR, str why */
void
enroll_csr_done(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	const uint8_t	*point, *der;
	size_t		 pointlen, derlen;
	char		 why[256], text[400];
	uint8_t		 rc;

	if (ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_bytes(buf, ECKEY_POINT_LEN, &point, &pointlen) == -1 ||
	    ibuf_get_bytes(buf, 2048, &der, &derlen) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 || step != STEP_CSR || (rc == 0 &&
	    (pointlen != ECKEY_POINT_LEN || derlen == 0))) {
		peer_broken(p, imsg, "unexpected KEY_CSR_DONE");
		return;
	}
	if (rc != 0) {
		(void)snprintf(text, sizeof(text), "no certificate request: "
		    "%s", why);
		retry(text, false);
		return;
	}
	memcpy(eng->id.id_point, point, pointlen);
	free(csr);
	csr = xmemdup(der, derlen);
	csrlen = derlen;
	ask_server();
}

/* --- the call ------------------------------------------------------------ */

static void
ask_server(void)
{
	Sentinel__Ipc__UplinkConnect		 m;
	Sentinel__Cluster__EnrollRequest	 r;
	char					 pin[33];

	if (proc_peer(ROLE_A_UPLINK) == NULL) {
		retry("the uplink process is not there", false);
		return;
	}
	/* The token's second half, and nothing else, tells who may have it. */
	(void)strlcpy(pin, eng->conf.ac_token + 32, sizeof(pin));
	sentinel__cluster__enroll_request__init(&r);
	r.token = eng->conf.ac_token;
	r.host_name = eng->conf.ac_name;
	r.csr.data = csr;
	r.csr.len = csrlen;
	sentinel__ipc__uplink_connect__init(&m);
	m.server = eng->conf.ac_server;
	m.server_name = eng->conf.ac_server_name;
	m.enroll = &r;
	m.pin = pin;
	m.trust_first_use = eng->conf.ac_trust_first_use != 0;
	m.ca_pin = eng->conf.ac_ca_pin;
	m.connect_msec = (uint32_t)eng->conf.ac_connect_msec;
	answered = stored = false;
	go(STEP_ASK);
	eng->uplink_busy = true;
	peer_send_pb(proc_peer(ROLE_A_UPLINK), IMSG_UPLINK_CONNECT,
	    ++eng->attempt, &m.base);
}

bool
enroll_is_pinned(const char *token,
    const Sentinel__Cluster__EnrollResponse *r)
{
	uint8_t	 pin[X509_TOKENPIN_LEN];

	return (hex_decode(pin, sizeof(pin), token + 32) == 0 &&
	    x509_bundle_has_pin(r->ca_cert.data, r->ca_cert.len, pin,
	    sizeof(pin)));
}

const char *
enroll_fault(const struct enroll_check *ec,
    const Sentinel__Cluster__EnrollResponse *r, const uint8_t *chain,
    size_t chainlen, char *why, size_t whylen)
{
	struct x509_result	 xr;
	uint8_t			 pin[X509_PIN_LEN];

	if (!hex_is_valid(r->host_id, AGENTD_HOSTID_SIZE - 1))
		return ("the host id is not 32 characters of 0-9a-f");
	if (ec->ec_ca_pin[0] != '\0' && (hex_decode(pin, sizeof(pin),
	    ec->ec_ca_pin) == -1 || !x509_bundle_has_pin(r->ca_cert.data,
	    r->ca_cert.len, pin, sizeof(pin))))
		return ("its CA is not the one of ca_pin");
	if (!ec->ec_trust_first_use && !enroll_is_pinned(ec->ec_token, r))
		return ("its CA is not the one of the token");
	/* Who answered must be who that CA calls the server: proven before
	 * the token left, but not when the chain was taken on trust. */
	if (!x509_check_server_chain(chain, chainlen, r->ca_cert.data,
	    r->ca_cert.len, ec->ec_host, ec->ec_now, &xr)) {
		(void)snprintf(why, whylen, "the server that answered is not "
		    "of the CA it names: %s", xr.xr_text);
		return (why);
	}
	if (!x509_check_issued(r->ca_cert.data, r->ca_cert.len,
	    r->agent_cert.data, r->agent_cert.len, ec->ec_point, r->host_id,
	    ec->ec_now, &xr)) {
		(void)snprintf(why, whylen, "%s", xr.xr_text);
		return (why);
	}
	return (NULL);
}

/* Wrong tokens do not become right; a busy server does. */
static bool
is_hopeless(uint32_t status)
{
	return (status == GRPC_INVALID_ARGUMENT ||
	    status == GRPC_PERMISSION_DENIED ||
	    status == GRPC_UNAUTHENTICATED || status == GRPC_UNIMPLEMENTED);
}

void
enroll_answer(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__UplinkEnrolled	*m;
	struct enroll_check		 ec;
	struct pbmem			 pm;
	const char			*fault;
	char				 host[AGENTD_NAME_SIZE], why[400];
	char				 text[1024];

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__uplink_enrolled__descriptor,
	    &pm);
	if (m == NULL || step != STEP_ASK || answered ||
	    imsg_get_id(imsg) != eng->attempt ||
	    (m->status == GRPC_OK && m->response == NULL)) {
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "unexpected answer to an enrolment");
		goto out;
	}
	answered = true;
	if (m->status != GRPC_OK) {
		(void)snprintf(text, sizeof(text), "enrolment refused: %s: "
		    "%s%s", grpc_status_name((int)m->status), m->message,
		    is_hopeless(m->status) ? "; create a new token with "
		    "\"sentinelctl token create\" on the server and restart "
		    "this agent with it" : "");
		retry(text, is_hopeless(m->status));
		goto out;
	}
	session_server_name(host, sizeof(host));
	ec.ec_token = eng->conf.ac_token;
	ec.ec_ca_pin = eng->conf.ac_ca_pin;
	ec.ec_trust_first_use = eng->conf.ac_trust_first_use != 0;
	ec.ec_host = host;
	ec.ec_point = eng->id.id_point;
	ec.ec_now = time(NULL);
	fault = enroll_fault(&ec, m->response, m->server_chain_pem.data,
	    m->server_chain_pem.len, why, sizeof(why));
	if (fault != NULL) {
		(void)snprintf(text, sizeof(text), "enrolment: the answer is "
		    "not to be believed and nothing of it is kept: %s",
		    fault);
		retry(text, true);
	} else
		store(m->response);
 out:
	pbmem_free(&pm);
}

void
enroll_down(const Sentinel__Ipc__UplinkDown *m)
{
	char	 text[1024];

	if (answered) {
		finish();
		return;
	}
	(void)snprintf(text, sizeof(text), "cannot enrol: %s%s", m->text,
	    m->cause == SENTINEL__IPC__UPLINK_DOWN__CAUSE__PIN ?
	    "; the token was not sent" : "");
	retry(text, false);
}

/* --- the new identity ---------------------------------------------------- */

/* str host id, bytes CA, bytes leaf, bytes token hash */
static void
store(const Sentinel__Cluster__EnrollResponse *r)
{
	struct known_server	 ks = { false, false, false };
	struct ibuf		*buf;

	/* Before the identity: no enrolled agent lacks it after a crash. */
	ks.ks_pinned = enroll_is_pinned(eng->conf.ac_token, r);
	if (state_save_server(r->host_id, &ks) == -1) {
		retry("enrolment: state/server cannot be written, see above",
		    false);
		return;
	}
	fresh = eng->id;
	(void)strlcpy(fresh.id_host, r->host_id, sizeof(fresh.id_host));
	fresh.id_ca = xmemdup(r->ca_cert.data, r->ca_cert.len);
	fresh.id_calen = r->ca_cert.len;
	fresh.id_cert = xmemdup(r->agent_cert.data, r->agent_cert.len);
	fresh.id_certlen = r->agent_cert.len;
	SHA256((const uint8_t *)eng->conf.ac_token, AGENTD_TOKEN_LEN,
	    eng->spent);
	eng->has_spent = true;
	if ((buf = ibuf_dynamic(1024, 16384)) == NULL)
		fatal("IDENTITY_STORE");
	if (ibuf_add_string(buf, fresh.id_host) == -1 ||
	    ibuf_add_bytes(buf, fresh.id_ca, fresh.id_calen) == -1 ||
	    ibuf_add_bytes(buf, fresh.id_cert, fresh.id_certlen) == -1 ||
	    ibuf_add_bytes(buf, eng->spent, sizeof(eng->spent)) == -1) {
		free(fresh.id_ca);
		free(fresh.id_cert);
		retry("enrolment: the certificates of the answer are longer "
		    "than 16 KiB", true);
	} else {
		go(STEP_STORE);
		peer_send_ibuf(proc_peer(ROLE_A_PARENT), IMSG_IDENTITY_STORE,
		    0, -1, buf);
	}
	ibuf_free(buf);
}

/* u8 rc, str why */
void
enroll_stored(struct peer *p, struct imsg *imsg)
{
	struct ibuf	*buf = imsg_get_ibuf(imsg);
	char		 why[256], text[400];
	uint8_t		 rc;

	if (ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 || step != STEP_STORE) {
		peer_broken(p, imsg, "unexpected IDENTITY_STORED");
		return;
	}
	if (rc != 0) {
		free(fresh.id_ca);
		free(fresh.id_cert);
		(void)snprintf(text, sizeof(text), "enrolment: the identity "
		    "cannot be kept: %s", why);
		retry(text, false);
		return;
	}
	stored = true;
	finish();
}

/* Stored, and the connection of the enrolment is gone: the later counts. */
static void
finish(void)
{
	struct x509_facts	 xf;
	struct ibuf		*buf;

	if (!stored || eng->uplink_busy)
		return;
	evtimer_del(timer);
	step = STEP_NONE;
	eng->id = fresh;
	if (x509_facts_pem(eng->id.id_cert, eng->id.id_certlen, &xf) == 0)
		eng->id.id_not_after = xf.xf_notafter;
	eng->enrolled = true;
	explicit_bzero(eng->conf.ac_token, sizeof(eng->conf.ac_token));
	explicit_bzero(eng->staged.ac_token, sizeof(eng->staged.ac_token));
	state_load_server(eng->id.id_host, &eng->server);
	/* The new key becomes the current one. */
	if ((buf = ibuf_open(68)) == NULL ||
	    ibuf_add_n8(buf, KEY_PURPOSE_AGENT_TLS) == -1 ||
	    ibuf_add_bytes(buf, eng->id.id_point, ECKEY_POINT_LEN) == -1)
		fatal("KEY_DROP");
	peer_send_ibuf(proc_peer(ROLE_A_KEYHOLDER), IMSG_KEY_DROP, 0, -1, buf);
	ibuf_free(buf);
	log_info("enrolled at %s: host id %s", eng->conf.ac_server,
	    eng->id.id_host);
	event_add_line("enroll", NULL, "enrolled at %s as host %s",
	    eng->conf.ac_server, eng->id.id_host);
	session_begin();
}
