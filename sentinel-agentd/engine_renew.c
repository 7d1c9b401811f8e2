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

#include "engine_renew.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_newkey.h"
#include "log.h"
#include "x509_text.h"
#include "xmalloc.h"

enum step {
	R_IDLE,			/* nothing under way; perhaps a CSR */
	R_KEY,			/* engine_newkey.c makes one */
	R_ASK,			/* the server has the CSR */
	R_STAGE,		/* the parent has the certificate */
	R_TRY,			/* two pairs on disk, the server decides */
	R_KEEP,			/* the parent makes the new one ours */
	R_DROP			/* the parent throws the new one away */
};

static struct {
	enum step	 step;
	struct event	*timer;
	struct backoff	 backoff;
	struct x509_facts facts;	/* of the certificate in use */
	int64_t		 due;		/* unix ms: it wants a successor */
	int64_t		 warned;	/* seconds it had left then; 0: not */
	monotime_t	 next;		/* no attempt before */
	monotime_t	 deadline;	/* of a step */
	unsigned int	 owed;		/* answers of the parent */

	/* What the server was or will be asked for; NULL: no key yet. */
	uint8_t		*csr;
	size_t		 csrlen;
	uint8_t		 point[ECKEY_POINT_LEN];

	/* The successor; NULL: none. */
	uint8_t		*cert;
	size_t		 certlen;
	bool		 is_fresh;	/* over point, else the key in use */
	bool		 has_pushed;
	monotime_t	 pushed;	/* the last one nobody asked for */

	/* Which pair is shown. */
	bool		 use_new;
	bool		 offered_new;	/* by the attempt under way */
	bool		 acked;		/* it became a session */
	bool		 gave_up;	/* the new one, for the old one */
	bool		 refused_new, refused_old;
	unsigned int	 failures;	/* of a pair, in a row */
} rn;

/* What the parent found at start. */
static uint8_t	*found_cert;
static size_t	 found_certlen;
static uint8_t	 found_point[ECKEY_POINT_LEN];
static bool	 found_key;

static bool	 matches(const uint8_t *, size_t, const uint8_t *);
static void	 take(uint8_t *, size_t, bool);
static void	 release(void);
static void	 schedule(void);
static void	 arm(void);
static void	 on_tick(int, short, void *);
static bool	 is_due(void);
static void	 warn_late(void);
static void	 ask(void);
static void	 on_key(const struct newkey *);
static void	 send_csr(void);
static void	 failed(const char *, ...) __printflike_(1, 2);
static void	 stage(const uint8_t *, size_t, bool);
static void	 try_new(void);
static void	 give_up(const char *);
static void	 settle(bool);
static void	 adopt(void);

/* --- at start ------------------------------------------------------------ */

void
renew_found(uint8_t *cert, size_t len)
{
	free(found_cert);
	found_cert = cert;
	found_certlen = len;
}

void
renew_found_key(const uint8_t point[ECKEY_POINT_LEN])
{
	memcpy(found_point, point, sizeof(found_point));
	found_key = true;
}

/* Time is no question here: expired ones belong together, too. */
static bool
matches(const uint8_t *cert, size_t len, const uint8_t *point)
{
	char	 why[400];

	return (renew_fault(&eng->id, cert, len, point, 0, 0, why,
	    sizeof(why)) == NULL);
}

/*
 * Killed between two of the parent's steps:
 *	both pairs whole	the new one is tried first: the server may
 *				know no other any more
 *	key renamed alone	the new certificate goes with it
 *	anything else		the new certificate is of no use
 */
void
renew_settle(void)
{
	bool	 is_whole, is_fresh;

	if (found_cert == NULL || eng->id.id_ca == NULL ||
	    eng->id.id_cert == NULL)
		return;
	is_whole = matches(eng->id.id_cert, eng->id.id_certlen,
	    eng->id.id_point);
	is_fresh = found_key && matches(found_cert, found_certlen,
	    found_point);
	if (!is_fresh && !matches(found_cert, found_certlen,
	    eng->id.id_point)) {
		log_info("certificate: what an interrupted renewal left does "
		    "not go with a key: thrown away");
		free(found_cert);
		settle(false);
	} else {
		memcpy(rn.point, found_point, sizeof(rn.point));
		take(found_cert, found_certlen, is_fresh);
		log_info("certificate: a renewal was interrupted: %s",
		    is_whole ? "the new one is tried first" : "finishing it");
		if (is_whole)
			rn.step = R_TRY;
		else {
			adopt();
			settle(true);
		}
	}
	found_cert = NULL;
}

/* The successor that is tried from now on. */
static void
take(uint8_t *cert, size_t len, bool is_fresh)
{
	free(rn.cert);
	rn.cert = cert;
	rn.certlen = len;
	rn.is_fresh = is_fresh;
	rn.use_new = true;
	rn.gave_up = rn.refused_new = rn.refused_old = false;
	rn.failures = 0;
	rn.deadline = monotime_now() + RENEW_WAIT_MSEC;
}

static void
release(void)
{
	free(rn.cert);
	free(rn.csr);
	rn.cert = rn.csr = NULL;
	rn.use_new = false;
}

void
renew_begin(void)
{
	if (rn.timer == NULL &&
	    (rn.timer = evtimer_new(proc_base(), on_tick, NULL)) == NULL)
		fatal("renew_begin");
	schedule();
	arm();
}

/* Of the certificate in use. */
static void
schedule(void)
{
	int64_t	 life;

	if (x509_facts_pem(eng->id.id_cert, eng->id.id_certlen,
	    &rn.facts) == -1)
		fatalx("certificate in use does not parse");
	eng->id.id_not_after = rn.facts.xf_notafter;
	rn.due = renew_due(&rn.facts, arc4random());
	rn.warned = 0;
	rn.next = 0;
	life = renew_life(&rn.facts);
	/* Many attempts in the third that is left, none in a hurry. */
	backoff_init(&rn.backoff, life < 6000 ? 500 : 30000,
	    life < 24 ? 1000 : life > 24 * 14400 ? 14400 * 1000 :
	    (unsigned int)(life * 1000 / 24));
}

void
renew_forget(void)
{
	if (rn.timer != NULL)
		evtimer_del(rn.timer);
	release();
	rn.step = R_IDLE;
	rn.offered_new = false;
}

/* --- time ---------------------------------------------------------------- */

/* Looked at again and again: the wall clock may jump. */
static void
arm(void)
{
	struct timeval	 tv;
	int64_t		 msec = renew_life(&rn.facts) * 10;

	if (msec > 60000)
		msec = 60000;
	if (rn.step != R_IDLE && msec > 1000)
		msec = 1000;
	if (msec < 200)
		msec = 200;
	tv = monotime_timeval((uint64_t)msec);
	evtimer_add(rn.timer, &tv);
}

static bool
is_due(void)
{
	struct timespec	 now;

	clock_gettime(CLOCK_REALTIME, &now);
	return ((int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000 >= rn.due);
}

static void
on_tick(int fd, short what, void *arg)
{
	monotime_t	 now = monotime_now();

	(void)fd;
	(void)what;
	(void)arg;
	warn_late();
	switch (rn.step) {
	case R_IDLE:
		if (session_is_open() && now >= rn.next && is_due())
			ask();
		break;
	case R_KEY:
		break;		/* engine_newkey.c has its deadlines */
	case R_ASK:
		if (now >= rn.deadline)
			failed("the server did not answer the request in "
			    "time");
		break;
	case R_TRY:
		try_new();
		break;
	case R_KEEP:
	case R_STAGE:
	case R_DROP:
		if (rn.owed > 0 && now >= rn.deadline)
			fatalx("certificate: no answer from the parent");
		if (rn.step == R_KEEP && rn.owed == 0 && now >= rn.next)
			settle(true);
		break;
	}
	arm();
}

static void
warn_late(void)
{
	int64_t	 left = rn.facts.xf_notafter - (int64_t)time(NULL);
	char	 text[X509_TEXT_TIME_SIZE];

	if (rn.step == R_KEEP || !renew_is_late(&rn.facts, left, &rn.warned))
		return;
	x509_text_span(left, text, sizeof(text));
	if (left <= 0)
		log_warnx("the certificate of this host has expired and was "
		    "not renewed: fix: bring the agent to its server, which "
		    "may still renew it; otherwise re-enroll with a new "
		    "token");
	else
		log_warnx("the certificate of this host ends in %s and is not "
		    "renewed: %s", text, session_is_open() ? "the server "
		    "gives no successor" : "there is no session with the "
		    "server");
}

/* --- the question -------------------------------------------------------- */

static void
ask(void)
{
	int64_t	 left = rn.facts.xf_notafter - (int64_t)time(NULL);
	char	 text[X509_TEXT_TIME_SIZE];

	x509_text_span(left > 0 ? left : 0, text, sizeof(text));
	log_info("certificate: ends in %s, asking for a successor", text);
	if (rn.csr != NULL) {
		send_csr();
		return;
	}
	rn.step = R_KEY;
	newkey_ask(NEWKEY_RENEW, eng->id.id_host, on_key);
}

static void
on_key(const struct newkey *nk)
{
	if (rn.step != R_KEY)
		return;		/* a new enrolment came in between */
	if (nk->nk_fault != NULL) {
		failed("%s", nk->nk_fault);
		return;
	}
	memcpy(rn.point, nk->nk_point, sizeof(rn.point));
	free(rn.csr);
	rn.csr = xmemdup(nk->nk_csr, nk->nk_csrlen);
	rn.csrlen = nk->nk_csrlen;
	log_info("certificate: a new key and its request are made");
	rn.step = R_IDLE;
	if (session_is_open())
		send_csr();
}

static void
send_csr(void)
{
	Sentinel__Cluster__AgentMessage		 m;
	Sentinel__Cluster__CertRenewalCSR	 r;

	sentinel__cluster__cert_renewal_csr__init(&r);
	r.csr.data = rn.csr;
	r.csr.len = rn.csrlen;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CERT_RENEWAL;
	m.cert_renewal = &r;
	rn.step = R_ASK;
	rn.deadline = monotime_now() + (monotime_t)eng->conf.ac_rpc_msec;
	out_push(OUT_PLAIN, &m, 0);
	log_info("certificate: request sent to %s", eng->conf.ac_server);
}

/* The key and its request are kept: a late answer is still for them. */
static void
failed(const char *fmt, ...)
{
	unsigned int	 delay = backoff_next(&rn.backoff);
	char		 why[512];
	va_list		 ap;

	va_start(ap, fmt);
	(void)vsnprintf(why, sizeof(why), fmt, ap);
	va_end(ap);
	rn.step = R_IDLE;
	rn.next = monotime_now() + delay;
	log_warnx("certificate: not renewed: %s; next attempt in %u ms", why,
	    delay);
}

/* --- the answer ---------------------------------------------------------- */

void
renew_answer(const Sentinel__Cluster__CertRenewalResponse *r,
    const char *refuse)
{
	char		 why[400], mine[400];
	const uint8_t	*cert = r->agent_cert.data;
	size_t		 len = r->agent_cert.len;
	monotime_t	 now = monotime_now();
	time_t		 clock = time(NULL);

	if (refuse == NULL && (rn.step > R_ASK || rn.step == R_KEY))
		refuse = "another certificate is under way";
	if (refuse != NULL) {
		engine_tell_refusal("cert_renewal_response", refuse);
		return;
	}
	if (rn.csr != NULL && renew_fault(&eng->id, cert, len, rn.point,
	    (int64_t)clock, clock, why, sizeof(why)) == NULL) {
		stage(cert, len, true);
		return;
	}
	/* Unasked for: what a server does for agents that cannot ask. */
	if (rn.has_pushed && now - rn.pushed < RENEW_PUSH_MSEC && !is_due()) {
		engine_tell_refusal("cert_renewal_response", "certificates "
		    "come too often");
		return;
	}
	rn.has_pushed = true;
	rn.pushed = now;
	if (renew_fault(&eng->id, cert, len, eng->id.id_point,
	    eng->id.id_not_after, clock, mine, sizeof(mine)) == NULL)
		stage(cert, len, false);
	else if (rn.step == R_ASK)
		failed("the server's answer is not to be used: %s", why);
	else
		engine_tell_refusal("cert_renewal_response", mine);
}

static void
stage(const uint8_t *cert, size_t len, bool is_fresh)
{
	renew_tell_stage(cert, len, is_fresh);
	rn.owed++;
	if (!is_fresh) {
		/* The parent removes a key that still waited. */
		free(rn.csr);
		rn.csr = NULL;
	}
	take(xmemdup(cert, len), len, is_fresh);
	rn.use_new = false;	/* not before it is on disk */
	rn.step = R_STAGE;
	rn.deadline = monotime_now() + ENGINE_SIBLING_MSEC;
	log_info("certificate: a new one came%s", is_fresh ? "" :
	    " unasked, over the key in use");
}

void
renew_staged(struct peer *p, struct imsg *imsg)
{
	char	 why[RENEW_WHY_SIZE];
	uint8_t	 rc;

	if (!renew_heard(p, imsg, &rn.owed, &rc, why))
		return;
	if (rn.step != R_STAGE)
		return;		/* a new enrolment came in between */
	if (rc != 0) {
		free(rn.cert);
		rn.cert = NULL;
		failed("%s", why);
		return;
	}
	log_info("certificate: the new one is on disk beside the old one");
	rn.step = R_TRY;
	rn.use_new = true;
	rn.deadline = monotime_now() + RENEW_WAIT_MSEC;
	try_new();
}

/* --- two pairs ----------------------------------------------------------- */

/* A command's answer would be lost with the session: they end first. */
static void
try_new(void)
{
	if (!rn.use_new || rn.offered_new || !session_is_open() ||
	    (!docker_is_idle() && monotime_now() < rn.deadline))
		return;
	session_restart("the certificate of this host is new");
}

void
renew_pair(const uint8_t **cert, size_t *len)
{
	rn.acked = false;
	rn.offered_new = rn.use_new && rn.step == R_TRY;
	*cert = rn.offered_new ? rn.cert : eng->id.id_cert;
	*len = rn.offered_new ? rn.certlen : eng->id.id_certlen;
}

void
renew_acked(const Sentinel__Cluster__StateAck *ack)
{
	rn.acked = true;
	rn.failures = 0;
	if (rn.step == R_TRY && rn.offered_new) {
		log_info("certificate: the server takes the new one");
		adopt();
		settle(true);
	} else if (rn.step == R_TRY && rn.gave_up) {
		log_warnx("certificate: the old one is still good, the new "
		    "one is thrown away");
		settle(false);
	} else if (rn.step == R_TRY)
		try_new();
	else if (rn.step == R_IDLE && strstr(ack->message,
	    RENEW_ONLY) != NULL) {
		/* Its clock counts, not ours. */
		rn.due = 0;
		if (monotime_now() >= rn.next)
			ask();
	} else if (rn.step == R_IDLE && is_due() &&
	    monotime_now() >= rn.next)
		ask();
}

static void
give_up(const char *why)
{
	log_warnx("certificate: the server does not take the new one, back to "
	    "the old one: %s", why);
	rn.use_new = false;
	rn.gave_up = true;
	rn.failures = 0;
}

bool
renew_down(const Sentinel__Ipc__UplinkDown *m, bool refused, bool proven)
{
	bool	 was_new = rn.offered_new;

	rn.offered_new = false;
	if (rn.step == R_ASK)
		failed("the session ended before the answer came");
	if (rn.step != R_TRY)
		return (false);
	if (was_new) {
		rn.refused_new = rn.refused_new || refused;
		/* LOCAL: our own processes cannot use it. */
		if (refused || m->cause ==
		    SENTINEL__IPC__UPLINK_DOWN__CAUSE__LOCAL ||
		    (proven && ++rn.failures >= RENEW_TRIES))
			give_up(m->text);
		return (refused && !rn.refused_old);
	}
	if (refused || (!rn.acked && rn.gave_up && proven &&
	    ++rn.failures >= RENEW_TRIES)) {
		rn.refused_old = rn.refused_old || refused;
		rn.use_new = true;
		rn.failures = 0;
	}
	return (refused && !rn.refused_new);
}

static void
settle(bool keep)
{
	renew_tell_settle(keep);
	rn.owed++;
	rn.step = keep ? R_KEEP : R_DROP;
	rn.deadline = monotime_now() + ENGINE_SIBLING_MSEC;
}

/* In use from now on, whatever the disk says. */
static void
adopt(void)
{
	free(eng->id.id_cert);
	eng->id.id_cert = rn.cert;
	eng->id.id_certlen = rn.certlen;
	if (rn.is_fresh)
		memcpy(eng->id.id_point, rn.point, sizeof(rn.point));
	rn.cert = NULL;
	rn.offered_new = false;
	release();
	schedule();
}

void
renew_settled(struct peer *p, struct imsg *imsg)
{
	char	 why[RENEW_WHY_SIZE], text[X509_TEXT_TIME_SIZE];
	uint8_t	 rc;

	if (!renew_heard(p, imsg, &rn.owed, &rc, why))
		return;
	if (rn.step == R_KEEP && rc != 0) {
		/* Both names are there, and the next start would find out. */
		rn.next = monotime_now() + backoff_next(&rn.backoff);
		log_warnx("certificate: the new one cannot take the place of "
		    "the old one: %s; tried again", why);
	} else if (rn.step == R_KEEP) {
		rn.step = R_IDLE;
		rn.next = 0;
		newkey_keep(eng->id.id_point);
		x509_text_span(rn.facts.xf_notafter - (int64_t)time(NULL),
		    text, sizeof(text));
		log_info("certificate renewed: serial %s, valid for %s",
		    rn.facts.xf_serial, text);
		event_add_line("certificate", NULL, "certificate renewed, "
		    "valid for %s", text);
	} else if (rn.step == R_DROP) {
		release();
		newkey_keep(eng->id.id_point);
		failed("%s", rc == 0 ? "the server did not take it" : why);
	}
}
