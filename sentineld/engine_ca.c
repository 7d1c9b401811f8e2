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

#include "engine_ca.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "engine_audit.h"
#include "engine_identity.h"
#include "hex.h"
#include "keyholder.h"
#include "log.h"
#include "xmalloc.h"

struct change {
	Sentinel__Store__CaState	 ch_state;
	struct audit			 ch_audit;
	char				 ch_by[32];
};

static struct ca_state	 ca;

/* The step that is under way. */
static struct {
	bool		 busy;
	bool		 waiting;	/* for KEY_INFO of what was made */
	enum ca_phase	 want;
	char		 by[32];
	char		 note[256];
	ca_done		 done;		/* NULL: nobody waits */
	void		*arg;
} step;

static int	 load(struct store_txn *, void *);
static int	 put_change(struct store_txn *, void *);
static int	 commit(enum ca_phase, int64_t, const char *, const char *);
static void	 cert_set(struct ca_cert *, const struct ca_cert *);
static void	 cert_clear(struct ca_cert *);
static void	 use(void);
static const char *refusal(enum ca_phase, bool, char *, size_t);
static const char *order_fault(enum ca_phase, char *, size_t);
static void	 ask_parent(enum ca_phase, int64_t);
static void	 on_stepped(void *, enum req_end, struct imsg *);
static void	 stepped(void);
static void	 reached(enum ca_phase);
static void	 tell(const char *);
static void	 finish(const char *);
static const char *subject(void);
static char	*join(const struct ca_cert *, const struct ca_cert *,
		    const struct ca_cert *);

static const char *const names[] = {
	[CA_NONE] = "none", [CA_PREPARE] = "prepare", [CA_ISSUE] = "issue",
	[CA_DRAIN] = "drain", [CA_DROP] = "drop"
};

const struct ca_state *
ca_get(void)
{
	return (&ca);
}

const char *
ca_phase_name(enum ca_phase phase)
{
	return (names[phase]);
}

/* --- database ------------------------------------------------------------- */

static int
load(struct store_txn *txn, void *arg)
{
	Sentinel__Store__CaState	*cs;
	struct pbmem			 pm;
	int64_t				*when = arg;
	int				 rc;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if ((rc = db_ca_get(txn, &pm, &cs)) == 1) {
		ca.ca_phase = (enum ca_phase)cs->phase;
		ca.ca_since = cs->since;
		(void)strlcpy(ca.ca_by, cs->by, sizeof(ca.ca_by));
		*when = cs->time;
	}
	pbmem_free(&pm);
	return (rc == -1 ? -1 : 0);
}

void
ca_start(void)
{
	struct ibuf	*buf;
	int64_t		 when = 0;

	cert_clear(&ca.ca_old);
	cert_clear(&ca.ca_new);
	cert_clear(&ca.ca_cross);
	memset(&ca, 0, sizeof(ca));
	memset(&step, 0, sizeof(step));
	if (store_view(eng->store, load, &when) == -1)
		fatalx("database: how far the replacement of the CA is cannot "
		    "be read");
	if ((buf = ibuf_open(9)) == NULL ||
	    ibuf_add_n8(buf, (uint8_t)ca.ca_phase) == -1 ||
	    ibuf_add_n64(buf, (uint64_t)when) == -1)
		fatal("CA_PHASE");
	peer_send_ibuf(proc_peer(ROLE_PARENT), IMSG_CA_PHASE, 0, -1, buf);
	ibuf_free(buf);
	if (ca.ca_phase != CA_NONE)
		log_info("ca: it is being replaced: phase %s",
		    names[ca.ca_phase]);
}

static int
put_change(struct store_txn *txn, void *arg)
{
	struct change	*ch = arg;

	if (db_ca_put(txn, &ch->ch_state) == -1)
		return (-1);
	return (audit_put(txn, &ch->ch_audit));
}

static int
commit(enum ca_phase phase, int64_t when, const char *by, const char *action)
{
	struct change	 ch;
	char		 name[32];

	(void)strlcpy(ch.ch_by, by, sizeof(ch.ch_by));
	sentinel__store__ca_state__init(&ch.ch_state);
	ch.ch_state.phase = phase;
	ch.ch_state.since = time(NULL);
	ch.ch_state.by = ch.ch_by;
	ch.ch_state.time = when;
	(void)snprintf(name, sizeof(name), "ca.%s", action);
	audit_set(&ch.ch_audit, by, name, subject(), AUDIT_OK,
	    "phase %s", names[phase]);
	if (store_update(eng->store, put_change, &ch) == -1) {
		log_warn("ca: phase %s is not in the database", names[phase]);
		return (-1);
	}
	ca.ca_phase = phase;
	ca.ca_since = ch.ch_state.since;
	(void)strlcpy(ca.ca_by, by, sizeof(ca.ca_by));
	return (0);
}

static const char *
subject(void)
{
	static char	 text[160];

	if (ca.ca_new.cc_der != NULL)
		(void)snprintf(text, sizeof(text), "ca %.16s, new %.16s",
		    ca.ca_old.cc_hex, ca.ca_new.cc_hex);
	else
		(void)snprintf(text, sizeof(text), "ca %.16s",
		    ca.ca_old.cc_hex);
	return (text);
}

/* --- certificates --------------------------------------------------------- */

static void
cert_clear(struct ca_cert *cc)
{
	free(cc->cc_der);
	free(cc->cc_pem);
	memset(cc, 0, sizeof(*cc));
}

static void
cert_set(struct ca_cert *dst, const struct ca_cert *src)
{
	struct ca_cert	 cc = *src;

	if (x509_pin_der(src->cc_der, src->cc_len, cc.cc_pin) == -1)
		fatalx("a CA certificate from the keyholder is broken");
	(void)hex_encode(cc.cc_hex, sizeof(cc.cc_hex), cc.cc_pin,
	    sizeof(cc.cc_pin));
	cc.cc_der = xmemdup(src->cc_der, src->cc_len);
	cc.cc_pem = engine_pem(cc.cc_der, cc.cc_len);
	cert_clear(dst);
	*dst = cc;
}

void
ca_take(uint8_t purpose, uint8_t slot, const struct ca_cert *cc)
{
	if (purpose == KEY_PURPOSE_CA_CROSS)
		cert_set(&ca.ca_cross, cc);
	else
		cert_set(slot == KEY_SLOT_NEW ? &ca.ca_new : &ca.ca_old, cc);
	use();
	if (step.waiting)
		stepped();
}

/* Who issues is what tokens name and status shows. */
static void
use(void)
{
	bool	 is_new = ca.ca_phase == CA_ISSUE || ca.ca_phase == CA_DRAIN;

	if (is_new && ca.ca_new.cc_der != NULL)
		identity_use_ca(&ca.ca_new);
	else if (!is_new && ca.ca_old.cc_der != NULL)
		identity_use_ca(&ca.ca_old);
}

const struct ca_cert *
ca_issuer(const uint8_t *der, size_t len)
{
	if (der == NULL)
		return (NULL);
	if (ca.ca_new.cc_der != NULL && x509_issued_by(der, len,
	    ca.ca_new.cc_der, ca.ca_new.cc_len))
		return (&ca.ca_new);
	if (ca.ca_old.cc_der != NULL && x509_issued_by(der, len,
	    ca.ca_old.cc_der, ca.ca_old.cc_len))
		return (&ca.ca_old);
	return (NULL);
}

bool
ca_is_replaced(const uint8_t *der, size_t len)
{
	return ((ca.ca_phase == CA_ISSUE || ca.ca_phase == CA_DRAIN) &&
	    ca_issuer(der, len) != &ca.ca_new);
}

static char *
join(const struct ca_cert *a, const struct ca_cert *b,
    const struct ca_cert *c)
{
	char	*pem;

	xasprintf(&pem, "%s%s%s", a == NULL || a->cc_der == NULL ? "" :
	    a->cc_pem, b == NULL || b->cc_der == NULL ? "" : b->cc_pem,
	    c == NULL || c->cc_der == NULL ? "" : c->cc_pem);
	return (pem);
}

char *
ca_trust_pem(void)
{
	return (join(&ca.ca_old, ca.ca_phase == CA_NONE ? NULL : &ca.ca_new,
	    NULL));
}

char *
ca_bundle_pem(void)
{
	if (ca.ca_phase == CA_NONE)
		return (join(&ca.ca_old, NULL, NULL));
	return (join(&ca.ca_old, &ca.ca_new, &ca.ca_cross));
}

char *
ca_chain_pem(const uint8_t *leaf, size_t len)
{
	if (ca.ca_phase == CA_NONE || ca_issuer(leaf, len) != &ca.ca_new)
		return (join(&ca.ca_old, NULL, NULL));
	return (join(ca.ca_cross.cc_der != NULL ? &ca.ca_cross : &ca.ca_new,
	    &ca.ca_old, NULL));
}

/*
 * A pin vouches for its own CA and for what that one has signed.  So nobody
 * who trusts the new CA alone is told of the old one.
 */
char *
ca_enroll_pem(const char *pin)
{
	if (ca.ca_phase == CA_NONE || ca.ca_new.cc_der == NULL)
		return (join(&ca.ca_old, NULL, NULL));
	if (strncmp(pin, ca.ca_new.cc_hex, 2 * X509_TOKENPIN_LEN) == 0)
		return (join(&ca.ca_new, NULL, NULL));
	if (ca.ca_cross.cc_der == NULL)
		return (join(&ca.ca_old, NULL, NULL));
	return (ca_bundle_pem());
}

uint8_t *
ca_command_der(const uint8_t *leaf, size_t len, size_t *total)
{
	uint8_t	*der;
	size_t	 more;

	more = ca.ca_cross.cc_der != NULL &&
	    ca_issuer(leaf, len) == &ca.ca_new ? ca.ca_cross.cc_len : 0;
	der = xmalloc(len + more);
	memcpy(der, leaf, len);
	if (more > 0)
		memcpy(der + len, ca.ca_cross.cc_der, more);
	*total = len + more;
	return (der);
}

/* --- steps ---------------------------------------------------------------- */

static const char *
order_fault(enum ca_phase want, char *why, size_t len)
{
	static const struct {
		enum ca_phase	 want;
		enum ca_phase	 from;
	} ways[] = {
		{ CA_PREPARE, CA_NONE }, { CA_ISSUE, CA_PREPARE },
		{ CA_DRAIN, CA_ISSUE }, { CA_DROP, CA_DRAIN },
		{ CA_DROP, CA_DROP }, { CA_NONE, CA_PREPARE }
	};
	size_t	 i;

	for (i = 0; i < nitems(ways); i++)
		if (ways[i].want == want && ways[i].from == ca.ca_phase)
			return (NULL);
	if (want == CA_NONE)
		(void)snprintf(why, len, "nothing can be called off: the "
		    "phase is %s%s", names[ca.ca_phase],
		    ca.ca_phase == CA_NONE ? "" : ", and the new CA has "
		    "issued certificates");
	else if (want == ca.ca_phase)
		(void)snprintf(why, len, "the phase is %s already",
		    names[want]);
	else
		(void)snprintf(why, len, "the phase is %s: prepare, issue, "
		    "drain and drop follow one another", names[ca.ca_phase]);
	return (why);
}

static const char *
refusal(enum ca_phase want, bool force, char *why, size_t len)
{
	char	 hosts[512];
	size_t	 waiting;

	if (ca.ca_old.cc_der == NULL)
		return ("cluster mode is off: there is no CA");
	if (step.busy)
		return ("another step is under way");
	if (order_fault(want, why, len) != NULL)
		return (why);
	if (want == CA_DROP && ca.ca_phase == CA_DRAIN &&
	    (eng->server_der == NULL || ca_issuer(eng->server_der,
	    eng->server_derlen) != &ca.ca_new))
		return ("the server's own certificate is still of the old CA: "
		    "try again in a moment");
	if (force || (want != CA_DROP && want != CA_ISSUE) ||
	    ca.ca_phase == CA_DROP ||
	    (want == CA_ISSUE && ca.ca_cross.cc_der != NULL))
		return (NULL);
	/* Without a cross certificate the bundle is all there is. */
	ca_waiting_names(want == CA_ISSUE, hosts, sizeof(hosts));
	(void)ca_count(&waiting);
	if (hosts[0] == '\0')
		return (NULL);
	(void)snprintf(why, len, "hosts would be cut off: %s (ca status says "
	    "what they lack; --force does it all the same)", hosts);
	return (why);
}

void
ca_step(enum ca_phase want, bool force, const char *by, ca_done done,
    void *arg)
{
	const char	*fault;
	char		 why[1024], action[32];
	int64_t		 now = time(NULL);

	if ((fault = refusal(want, force, why, sizeof(why))) != NULL) {
		(void)snprintf(action, sizeof(action), "ca.%s",
		    want == CA_NONE ? "abort" : names[want]);
		(void)audit_write(by, action, subject(), AUDIT_REFUSED, "%s",
		    fault);
		done(arg, fault);
		return;
	}
	step.busy = true;
	step.waiting = false;
	step.want = want;
	step.done = done;
	step.arg = arg;
	step.note[0] = '\0';
	(void)strlcpy(step.by, by, sizeof(step.by));
	if ((want == CA_DROP || want == CA_NONE) && commit(want, now, by,
	    want == CA_DROP ? "drop" : "abort") == -1)
		finish("the database failed, see the log");
	else
		ask_parent(want, now);
}

static void
ask_parent(enum ca_phase want, int64_t when)
{
	struct peer	*p = proc_peer(ROLE_PARENT);
	struct ibuf	*buf;
	uint32_t	 id;

	if (p == NULL || (id = reqtab_add(eng->keys, p->pe_channel,
	    CA_STEP_MSEC, on_stepped, NULL)) == 0) {
		finish("too many questions are open");
		return;
	}
	if ((buf = ibuf_open(9)) == NULL ||
	    ibuf_add_n8(buf, (uint8_t)want) == -1 ||
	    ibuf_add_n64(buf, (uint64_t)when) == -1)
		fatal("CA_STEP");
	peer_send_ibuf(p, IMSG_CA_STEP, id, -1, buf);
	ibuf_free(buf);
}

/* u8 phase, u8 rc, str why */
void
ca_stepped(struct peer *p, struct imsg *imsg)
{
	if (imsg_get_id(imsg) != 0) {
		if (reqtab_answer(eng->keys, p->pe_channel, imsg_get_id(imsg),
		    imsg) == -1)
			log_debug("parent: late CA_STEPPED");
		return;
	}
	/* A drop that a crash interrupted: the parent has finished it. */
	if (ca.ca_phase != CA_DROP || step.busy) {
		peer_broken(p, imsg, "CA_STEPPED that was not asked for");
		return;
	}
	if (commit(CA_NONE, 0, AUDIT_SELF, "dropped") == 0)
		tell("the old CA is retired");
}

static void
on_stepped(void *arg, enum req_end end, struct imsg *imsg)
{
	struct ibuf	*buf;
	char		 why[600];
	uint8_t		 phase, rc;

	(void)arg;
	if (!step.busy)
		return;
	if (end != REQ_ANSWER) {
		finish("no answer from the parent");
		return;
	}
	buf = imsg_get_ibuf(imsg);
	if (ibuf_get_n8(buf, &phase) == -1 || ibuf_get_n8(buf, &rc) == -1 ||
	    ibuf_get_string(buf, why, sizeof(why)) == -1 ||
	    ibuf_end(buf) == -1 || phase != step.want)
		fatalx("parent: bad CA_STEPPED");
	if (rc != 0) {
		finish(why);
		return;
	}
	(void)strlcpy(step.note, why, sizeof(step.note));
	stepped();
}

/* The parent has done its part; of a new CA the keyholder tells, too. */
static void
stepped(void)
{
	enum ca_phase	 want = step.want;

	step.waiting = want == CA_PREPARE && (ca.ca_new.cc_der == NULL ||
	    (step.note[0] == '\0' && ca.ca_cross.cc_der == NULL));
	if (step.waiting)
		return;
	if (want == CA_DROP) {
		/* What follows is of the CA that is left. */
		if (ca.ca_new.cc_der != NULL)
			cert_set(&ca.ca_old, &ca.ca_new);
		want = CA_NONE;
	}
	if (want == CA_NONE && step.want == CA_NONE) {
		reached(want);
		return;
	}
	if (commit(want, 0, step.by, step.want == CA_DROP ? "dropped" :
	    names[want]) == -1) {
		/* What was made must not be taken for something in use. */
		if (want == CA_PREPARE) {
			step.done(step.arg, "the database failed, see the "
			    "log");
			step.done = NULL;
			step.want = CA_NONE;
			ask_parent(CA_NONE, time(NULL));
		} else
			finish("the database failed, see the log; say it "
			    "again");
		return;
	}
	reached(want);
}

/* It is on disk: whoever has to know is told. */
static void
reached(enum ca_phase phase)
{
	if (phase == CA_NONE) {
		cert_clear(&ca.ca_new);
		cert_clear(&ca.ca_cross);
	}
	use();
	/* cluster trusts other CAs, or shows others. */
	identity_cluster_up();
	if (step.note[0] != '\0')
		log_warnx("ca: %s: no host believes the new one before it has "
		    "the bundle, and tokens made before phase issue are void "
		    "from then on", step.note);
	if (phase == CA_ISSUE)
		identity_renew("the new CA issues");
	if (step.want == CA_DROP) {
		tell("the old CA is retired");
		ca_end_old();
	} else if (step.want == CA_NONE)
		tell("its replacement was called off");
	else
		tell(NULL);
	ca_push_again();
	finish(NULL);
}

static void
tell(const char *what)
{
	char	 text[256];

	if (what != NULL)
		(void)snprintf(text, sizeof(text), "%s (by %s)", what,
		    ca.ca_by);
	else
		(void)snprintf(text, sizeof(text), "it is being replaced: "
		    "phase %s (by %s)", names[ca.ca_phase], ca.ca_by);
	log_info("ca: %s", text);
	event_publish("cluster_ca", NULL, NULL, "CA: %s", text);
}

static void
finish(const char *why)
{
	ca_done	 done = step.done;

	step.busy = step.waiting = false;
	step.done = NULL;
	if (why != NULL)
		log_warnx("ca: phase %s not reached: %s", names[step.want],
		    why);
	if (done != NULL)
		done(step.arg, why);
}
