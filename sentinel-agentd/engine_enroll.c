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

#include "engine_bundle.h"
#include "engine_cause.h"
#include "engine_fault.h"
#include "engine_newkey.h"
#include "engine_renew.h"
#include "hex.h"
#include "ipccheck.h"
#include "keyholder.h"
#include "log.h"
#include "xmalloc.h"

/*
 * Enrolment.  The key is on disk before the token leaves, and stays the same
 * over all attempts: when an answer is lost, the same token with the same key
 * is the same host again.
 *
 *	key and CSR (engine_newkey.c) -> uplink proves the server and calls
 *	Enroll -> the answer is checked here -> parent: IDENTITY_STORE ->
 *	session
 *
 * The first one is tried until it succeeds.  A host that is enrolled tries
 * once and goes on with its old identity when that fails.
 */
enum step {
	STEP_NONE,
	STEP_KEY,
	STEP_ASK,		/* uplink has it */
	STEP_STORE,		/* the parent has it */
	STEP_WAIT		/* for the next attempt */
};

static void	 on_timer(int, short, void *);
static void	 go(enum step);
static void	 retry(const char *, bool);
static void	 give_up(void);
static void	 ask_key(void);
static void	 on_key(const struct newkey *);
static void	 ask_server(void);
static void	 subject(char *, size_t);
static void	 store(const Sentinel__Cluster__EnrollResponse *);
static void	 finish(void);
static void	 adopt(void);
static bool	 is_hopeless(uint32_t);

static struct event	*timer;
static struct backoff	 backoff;
static enum step	 step;
static enroll_cb	 watcher;	/* told of the next result */
static bool		 is_single;	/* one attempt, else until it works */
static char		 failure[1024];	/* of the one attempt; "": none yet */
static bool		 failed_for_good;
static uint8_t		 point[ECKEY_POINT_LEN];
static uint8_t		*csr;		/* NULL: no key yet */
static size_t		 csrlen;
static bool		 answered;	/* UPLINK_ENROLLED came */
static bool		 stored;
static struct identity	 fresh;		/* until it is stored */

static void
begin(void)
{
	if (timer == NULL) {
		if ((timer = evtimer_new(proc_base(), on_timer, NULL)) == NULL)
			fatal("enroll_begin");
		backoff_init(&backoff,
		    (unsigned int)eng->conf.ac_reconnect_min_msec,
		    (unsigned int)eng->conf.ac_reconnect_max_msec);
	}
	log_info("enrolling at %s as \"%s\"", eng->conf.ac_server,
	    eng->conf.ac_name);
	failure[0] = '\0';
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

void
enroll_begin(void)
{
	is_single = false;
	begin();
}

bool
enroll_now(enroll_cb cb)
{
	if ((step != STEP_NONE && step != STEP_WAIT) || eng->uplink_busy)
		return (false);
	watcher = cb;
	is_single = eng->enrolled;
	/* The parent may have another place for it now. */
	free(csr);
	csr = NULL;
	begin();
	return (true);
}

/* Each step has its time; siblings that do not answer are broken. */
static void
go(enum step next)
{
	struct timeval	 tv = monotime_timeval(ENGINE_SIBLING_MSEC);

	step = next;
	if (next == STEP_KEY) {
		evtimer_del(timer);	/* engine_newkey.c has its own */
		return;
	}
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
		else if (csr == NULL)
			ask_key();
		else
			ask_server();
		break;
	case STEP_ASK:
		if (proc_peer(ROLE_A_UPLINK) != NULL)
			peer_broken(proc_peer(ROLE_A_UPLINK), NULL,
			    "no answer from uplink");
		break;
	default:
		fatalx("enrolment: no answer from the parent");
	}
}

/* Never given up: what is wrong may be mended on the server. */
static void
retry(const char *why, bool hopeless)
{
	unsigned int	 max = (unsigned int)eng->conf.ac_reconnect_max_msec;
	enroll_cb	 cb = watcher;
	unsigned int	 delay;
	struct timeval	 tv;

	if (is_single) {
		(void)strlcpy(failure, why, sizeof(failure));
		failed_for_good = hopeless;
		if (!eng->uplink_busy)
			give_up();
		return;
	}
	watcher = NULL;
	if (cb != NULL)
		cb(why, hopeless);
	delay = hopeless ? max - arc4random_uniform(max / 2 + 1) :
	    backoff_next(&backoff);
	session_log_failure(why, delay);
	step = STEP_WAIT;
	tv = monotime_timeval(delay);
	evtimer_add(timer, &tv);
}

/* The one attempt is over, and uplink is free. */
static void
give_up(void)
{
	enroll_cb	 cb = watcher;

	evtimer_del(timer);
	step = STEP_NONE;
	watcher = NULL;
	cb(failure, failed_for_good);
}

/* --- key and CSR --------------------------------------------------------- */

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
ask_key(void)
{
	char	 cn[KEY_SUBJECT_MAXBYTES + 1];

	subject(cn, sizeof(cn));
	go(STEP_KEY);
	newkey_ask(NEWKEY_ENROL, cn, on_key);
}

static void
on_key(const struct newkey *nk)
{
	if (nk->nk_fault != NULL) {
		retry(nk->nk_fault, false);
		return;
	}
	memcpy(point, nk->nk_point, sizeof(point));
	free(csr);
	csr = xmemdup(nk->nk_csr, nk->nk_csrlen);
	csrlen = nk->nk_csrlen;
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
	char			*ca;
	bool			 ok;

	if (!hex_is_valid(r->host_id, AGENTD_HOSTID_SIZE - 1))
		return ("the host id is not 32 characters of 0-9a-f");
	if (ec->ec_ca_pin[0] != '\0' && (hex_decode(pin, sizeof(pin),
	    ec->ec_ca_pin) == -1 || !x509_bundle_has_pin(r->ca_cert.data,
	    r->ca_cert.len, pin, sizeof(pin))))
		return ("its CA is not the one of ca_pin");
	if (!ec->ec_trust_first_use && !enroll_is_pinned(ec->ec_token, r))
		return ("its CA is not the one of the token");
	if ((ca = bundle_enroll(ec->ec_token, ec->ec_ca_pin, r, ec->ec_now,
	    why, whylen)) == NULL)
		return (why);
	/* Who answered must be who that CA calls the server: proven before
	 * the token left, but not when the chain was taken on trust. */
	ok = x509_check_server_chain(chain, chainlen, (uint8_t *)ca,
	    strlen(ca), ec->ec_host, ec->ec_now, &xr);
	if (!ok)
		(void)snprintf(why, whylen, "the server that answered is not "
		    "of the CA it names: %s", xr.xr_text);
	else if (!(ok = x509_check_issued((uint8_t *)ca, strlen(ca),
	    r->agent_cert.data, r->agent_cert.len, ec->ec_point, r->host_id,
	    ec->ec_now, &xr)))
		(void)snprintf(why, whylen, "%s", xr.xr_text);
	free(ca);
	return (ok ? NULL : why);
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
		    cause_enroll_fix(m->status, m->message));
		retry(text, is_hopeless(m->status));
		goto out;
	}
	session_server_name(host, sizeof(host));
	ec.ec_token = eng->conf.ac_token;
	ec.ec_ca_pin = eng->conf.ac_ca_pin;
	ec.ec_trust_first_use = eng->conf.ac_trust_first_use != 0;
	ec.ec_host = host;
	ec.ec_point = point;
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

	if (is_single && failure[0] != '\0') {
		give_up();
		return;
	}
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
	uint8_t			 spent[SHA256_DIGEST_LENGTH];
	struct ibuf		*buf;
	char			 why[400], *ca;

	/* Before the identity: no enrolled agent lacks it after a crash. */
	ks.ks_pinned = enroll_is_pinned(eng->conf.ac_token, r);
	if (state_save_server(r->host_id, &ks) == -1) {
		retry("enrolment: state/server cannot be written, see above",
		    false);
		return;
	}
	memset(&fresh, 0, sizeof(fresh));
	memcpy(fresh.id_point, point, sizeof(fresh.id_point));
	fresh.id_has_point = true;
	(void)strlcpy(fresh.id_host, r->host_id, sizeof(fresh.id_host));
	/* It was good a moment ago. */
	if ((ca = bundle_enroll(eng->conf.ac_token, eng->conf.ac_ca_pin, r,
	    time(NULL), why, sizeof(why))) == NULL) {
		retry(why, false);
		return;
	}
	fresh.id_ca = (uint8_t *)ca;
	fresh.id_calen = strlen(ca);
	fresh.id_cert = xmemdup(r->agent_cert.data, r->agent_cert.len);
	fresh.id_certlen = r->agent_cert.len;
	SHA256((const uint8_t *)eng->conf.ac_token, AGENTD_TOKEN_LEN, spent);
	if ((buf = ibuf_dynamic(1024, 16384)) == NULL)
		fatal("IDENTITY_STORE");
	if (ibuf_add_string(buf, fresh.id_host) == -1 ||
	    ibuf_add_bytes(buf, fresh.id_ca, fresh.id_calen) == -1 ||
	    ibuf_add_bytes(buf, fresh.id_cert, fresh.id_certlen) == -1 ||
	    ibuf_add_bytes(buf, spent, sizeof(spent)) == -1) {
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
	enroll_cb	 cb = watcher;

	if (!stored || eng->uplink_busy)
		return;
	evtimer_del(timer);
	step = STEP_NONE;
	watcher = NULL;
	adopt();
	log_info("enrolled at %s: host id %s", eng->conf.ac_server,
	    eng->id.id_host);
	event_add_line("enroll", NULL, "enrolled at %s as host %s",
	    eng->conf.ac_server, eng->id.id_host);
	if (cb != NULL)
		cb(NULL, false);
	renew_begin();
	session_begin();
}

static void
adopt(void)
{
	struct x509_facts	 xf;

	renew_forget();
	bundle_forget();
	free(eng->id.id_ca);
	free(eng->id.id_cert);
	eng->id = fresh;
	if (x509_facts_pem(eng->id.id_cert, eng->id.id_certlen, &xf) == 0)
		eng->id.id_not_after = xf.xf_notafter;
	eng->enrolled = true;
	SHA256((const uint8_t *)eng->conf.ac_token, AGENTD_TOKEN_LEN,
	    eng->spent);
	eng->has_spent = true;
	explicit_bzero(eng->conf.ac_token, sizeof(eng->conf.ac_token));
	explicit_bzero(eng->staged.ac_token, sizeof(eng->staged.ac_token));
	free(csr);
	csr = NULL;
	state_load_server(eng->id.id_host, &eng->server);
	/* The new key becomes the current one. */
	newkey_keep(eng->id.id_point);
}
