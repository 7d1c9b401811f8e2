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
#include "engine_cert.h"
#include "engine_label.h"
#include "grpc.h"
#include "hex.h"
#include "log.h"
#include "xmalloc.h"

/*
 * What the transactions of an enrolment decide.  Each reads the token again,
 * checks, and writes, and carries its record of the audit trail.
 */
struct seen_query {
	const char	*sq_token;
	const char	*sq_host;
	const char	*sq_serial;
};

struct takeover {
	const struct host	*to_old;
	Sentinel__Store__Host	 to_host;
	struct audit		 to_audit;
};

static void	 address_of(const struct enroll *, char[80]);
static int	 check_token(struct enroll *, const Sentinel__Store__Token *,
		    int64_t);
static bool	 is_retry(struct enroll *, const Sentinel__Store__Token *,
		    int64_t);
static bool	 is_current(const Sentinel__Store__Token *,
		    const Sentinel__Store__TokenUse *, const struct host *);
static int	 take_use(struct store_txn *, struct enroll *,
		    Sentinel__Store__Token *, int64_t, struct pbmem *);
static Sentinel__Store__TokenUse *find_use(const Sentinel__Store__Token *,
		    const struct enroll *);
static const char *refusal(const Sentinel__Store__Token *,
		    const Sentinel__Store__TokenUse *, const struct host *);
static int	 revoke_issued(struct store_txn *, struct enroll *,
		    const Sentinel__Store__TokenUse *, const struct host *);
static void	 merge_labels(struct enroll *, const Sentinel__Store__Token *,
		    const struct host *);
static int	 put_host(struct store_txn *, struct enroll *,
		    const struct host *);
static int	 audit_enrolled(struct store_txn *, const struct enroll *,
		    struct host *);
static int	 mark_seen(struct store_txn *, void *);
static int	 put_takeover(struct store_txn *, void *);

/* --- consumed ----------------------------------------------------------- */

static void
address_of(const struct enroll *en, char text[80])
{
	(void)snprintf(text, 80, "address %s", en->en_address);
}

int
redeem_consume(struct store_txn *txn, void *arg)
{
	struct enroll		*en = arg;
	Sentinel__Store__Token	*t;
	struct pbmem		 pm;
	int64_t			 now = time(NULL);
	int			 rc;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if ((rc = db_token_get(txn, en->en_token_id, &pm, &t)) == 1)
		rc = check_token(en, t, now);
	else if (rc == 0) {
		en->en_refusal = "invalid enrollment token";
		rc = -1;
	}
	if (rc == 0 && !en->en_retry)
		rc = take_use(txn, en, t, now, &pm);
	pbmem_free(&pm);
	return (rc);
}

static int
check_token(struct enroll *en, const Sentinel__Store__Token *t, int64_t now)
{
	const struct host	*h = NULL;

	errno = EPERM;
	if (t->revoked) {
		en->en_refusal = "token has been revoked";
		return (-1);
	}
	if (is_retry(en, t, now))
		return (en->en_refusal == NULL ? 0 : -1);
	if (t->replaces[0] != '\0')
		h = host_find(t->replaces);
	if (t->used >= t->uses || t->n_enrolled >= DB_TOKEN_USES_MAX)
		en->en_refusal = "token already used";
	else if (t->expires_at <= now)
		en->en_refusal = "token expired";
	else if (t->host_name[0] != '\0' && en->en_raw_name[0] != '\0' &&
	    strcasecmp(t->host_name, en->en_raw_name) != 0)
		en->en_refusal = "token is for another host name";
	else if (t->replaces[0] != '\0' &&
	    (h == NULL || h->h_state == HOST_DECOMMISSIONED))
		en->en_refusal = "the host to be replaced has been removed";
	else if (t->replaces[0] == '\0' && eng->nhosts >= DB_HOSTS_MAX) {
		en->en_refusal = "the server has no room for another host";
		en->en_status = GRPC_RESOURCE_EXHAUSTED;
	}
	return (en->en_refusal == NULL ? 0 : -1);
}

/*
 * The lost answer: same token, same key, host not seen yet.  Each costs a
 * certificate and the revocation of the one before, so their rate is limited.
 */
static bool
is_retry(struct enroll *en, const Sentinel__Store__Token *t, int64_t now)
{
	const Sentinel__Store__TokenUse	*u;
	struct host			*h;

	if ((u = find_use(t, en)) == NULL ||
	    now - u->consumed_at >= ENROLL_RETRY_SEC)
		return (false);
	h = host_find(u->host_id);
	if (!is_current(t, u, h))
		return (false);
	if (h != NULL && !rate_take(&h->h_enroll_rate, HOST_ENROLL_BURST,
	    HOST_ENROLL_MSEC)) {
		en->en_refusal = "too many repeated enrollments; try again "
		    "later";
		en->en_status = GRPC_RESOURCE_EXHAUSTED;
	}
	(void)strlcpy(en->en_host_id, u->host_id, sizeof(en->en_host_id));
	en->en_retry = true;
	en->en_replaces = t->replaces[0] != '\0';
	return (true);
}

/*
 * Whether what was issued for this use is still what the host waits for:
 * another machine may have taken its place meanwhile.
 */
static bool
is_current(const Sentinel__Store__Token *t,
    const Sentinel__Store__TokenUse *u, const struct host *h)
{
	if (h == NULL)
		return (u->serial[0] == '\0' && t->replaces[0] == '\0');
	if (h->h_state == HOST_DECOMMISSIONED)
		return (false);
	if (t->replaces[0] != '\0')
		return (u->serial[0] == '\0' ||
		    strcmp(u->serial, h->h_replace_serial) == 0);
	return (strcmp(u->serial, h->h_serial) == 0);
}

/* The newest one of this key that was not seen. */
static Sentinel__Store__TokenUse *
find_use(const Sentinel__Store__Token *t, const struct enroll *en)
{
	Sentinel__Store__TokenUse	*u;
	size_t				 i;

	for (i = t->n_enrolled; i > 0; i--) {
		u = t->enrolled[i - 1];
		if (!u->seen && u->point.len == ECKEY_POINT_LEN &&
		    memcmp(u->point.data, en->en_point,
		    ECKEY_POINT_LEN) == 0)
			return (u);
	}
	return (NULL);
}

static int
take_use(struct store_txn *txn, struct enroll *en, Sentinel__Store__Token *t,
    int64_t now, struct pbmem *pm)
{
	Sentinel__Store__TokenUse	  use, **list;
	struct audit			  au;
	char				  actor[80], subject[32];
	uint8_t				  id[16];

	list = pbmem_alloc(pm, (t->n_enrolled + 1) * sizeof(*list));
	if (list == NULL)
		return (-1);
	if (t->n_enrolled > 0)
		memcpy(list, t->enrolled, t->n_enrolled * sizeof(*list));
	if (t->replaces[0] != '\0') {
		en->en_replaces = true;
		(void)strlcpy(en->en_host_id, t->replaces,
		    sizeof(en->en_host_id));
	} else {
		arc4random_buf(id, sizeof(id));
		(void)hex_encode(en->en_host_id, sizeof(en->en_host_id), id,
		    sizeof(id));
	}
	if (en->en_raw_name[0] == '\0')
		(void)strlcpy(en->en_raw_name, t->host_name,
		    sizeof(en->en_raw_name));
	sentinel__store__token_use__init(&use);
	use.point.data = en->en_point;
	use.point.len = ECKEY_POINT_LEN;
	use.host_id = en->en_host_id;
	use.consumed_at = now;
	list[t->n_enrolled++] = &use;
	t->enrolled = list;
	t->used++;
	address_of(en, actor);
	(void)snprintf(subject, sizeof(subject), "token %s", t->id);
	audit_set(&au, actor, "token.use", subject, AUDIT_OK,
	    "use %u of %u, for host %s", t->used, t->uses, en->en_host_id);
	if (db_token_put(txn, t) == -1)
		return (-1);
	return (audit_put(txn, &au));
}

/* --- issued ------------------------------------------------------------- */

/* What became of the token while the keyholder signed. */
static const char *
refusal(const Sentinel__Store__Token *t, const Sentinel__Store__TokenUse *u,
    const struct host *h)
{
	if (t == NULL || t->revoked)
		return ("token has been revoked");
	if (h != NULL && h->h_state == HOST_DECOMMISSIONED)
		return ("host has been removed");
	if (h == NULL && t->replaces[0] != '\0')
		return ("the host to be replaced has been removed");
	/* Seen: another attempt with this key won, its serial is in use. */
	if (u == NULL || (u->serial[0] != '\0' && !is_current(t, u, h)))
		return ("token already used");
	return (NULL);
}

int
redeem_register(struct store_txn *txn, void *arg)
{
	Sentinel__Store__TokenUse	*u = NULL;
	Sentinel__Store__Token		*t;
	struct enroll			*en = arg;
	struct host			*h, *fresh = NULL;
	struct pbmem			 pm;
	int				 rc;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if ((rc = db_token_get(txn, en->en_token_id, &pm, &t)) == -1)
		goto out;
	h = host_find(en->en_host_id);
	if (rc == 1 && (u = find_use(t, en)) != NULL &&
	    strcmp(u->host_id, en->en_host_id) != 0)
		u = NULL;
	en->en_refusal = refusal(rc == 1 ? t : NULL, u, h);
	rc = -1;
	if (en->en_refusal != NULL) {
		errno = EPERM;
		goto out;
	}
	if (revoke_issued(txn, en, u, h) == -1)
		goto out;
	u->serial = en->en_serial;
	u->not_after = en->en_not_after;
	if (h == NULL) {
		h = fresh = host_new(en->en_host_id, en->en_name);
		h->h_enrolled_at = time(NULL);
	}
	merge_labels(en, t, h);
	if (db_token_put(txn, t) == 0 && put_host(txn, en, h) == 0 &&
	    audit_enrolled(txn, en, h) == 0)
		rc = 0;
	host_free(fresh);
 out:
	pbmem_free(&pm);
	return (rc);
}

/*
 * A certificate that a lost answer carried, and one that waits to replace the
 * host's, also when another token made it: only the last one can take over.
 */
static int
revoke_issued(struct store_txn *txn, struct enroll *en,
    const Sentinel__Store__TokenUse *u, const struct host *h)
{
	static const char	 why[] = "replaced by a later enrolment";
	const char		*serial = u->serial;
	int64_t			 not_after = u->not_after;

	if (en->en_replaces) {
		serial = h->h_replace_serial;
		not_after = h->h_replace_not_after;
	}
	(void)strlcpy(en->en_old_serial, serial, sizeof(en->en_old_serial));
	return (h == NULL ? 0 : cert_revoke(txn, h, en->en_old_serial,
	    not_after, why));
}

/* What has no place any more is left out: the host counts, not a label. */
static void
merge_labels(struct enroll *en, const Sentinel__Store__Token *t,
    const struct host *h)
{
	char	*list[HOST_LABELS_MAX];
	size_t	 i, n = h->h_nlabels;

	for (i = 0; i < n; i++)
		list[i] = h->h_labels[i];
	for (i = 0; i < t->n_labels; i++) {
		if (label_is_whole(t->labels[i]) &&
		    label_merge(list, &n, t->labels[i]) == -1)
			log_warnx("host %s: label %s of token %s left out: it "
			    "has %d", h->h_id, t->labels[i], t->id,
			    HOST_LABELS_MAX);
	}
	for (i = 0; i < n; i++)
		en->en_labels[i] = xstrdup(list[i]);
	en->en_nlabels = n;
}

/* The identity of a machine that replaces another one waits for its first
 * contact; until then the old one works on. */
static int
put_host(struct store_txn *txn, struct enroll *en, const struct host *h)
{
	Sentinel__Store__Host	 rec;
	uint8_t			 pins[X509_PINS_MAXBYTES];

	host_record(h, &rec);
	rec.labels = en->en_labels;
	rec.n_labels = en->en_nlabels;
	if (en->en_replaces) {
		rec.replace_serial = en->en_serial;
		rec.replace_not_after = en->en_not_after;
	} else {
		rec.raw_name = en->en_raw_name;
		rec.address = en->en_address;
		rec.cert_serial = en->en_serial;
		rec.cert_not_after = en->en_not_after;
		rec.point.data = en->en_point;
		rec.point.len = ECKEY_POINT_LEN;
		rec.ca_pins.data = pins;
		rec.ca_pins.len = x509_bundle_pins((uint8_t *)en->en_ca_pem,
		    strlen(en->en_ca_pem), pins);
		if (en->en_ca != NULL) {
			rec.ca_serial = en->en_serial;
			rec.ca_pin.data =
			    (uint8_t *)(uintptr_t)en->en_ca->cc_pin;
			rec.ca_pin.len = sizeof(en->en_ca->cc_pin);
		}
	}
	return (db_host_put(txn, &rec));
}

/* Repeats have a rate: within a day a host can cause many. */
static int
audit_enrolled(struct store_txn *txn, const struct enroll *en,
    struct host *h)
{
	struct audit	 au;
	char		 actor[80];

	if (en->en_retry && !audit_may_provoke(h))
		return (0);
	address_of(en, actor);
	audit_set(&au, actor, en->en_replaces ? "host.replace" :
	    "host.enroll", audit_host(h), AUDIT_OK, "token %s, serial %s%s%s",
	    en->en_token_id, en->en_serial, en->en_old_serial[0] != '\0' ?
	    ", in place of " : "", en->en_old_serial);
	return (audit_put(txn, &au));
}

/* --- seen --------------------------------------------------------------- */

static int
mark_seen(struct store_txn *txn, void *arg)
{
	Sentinel__Store__TokenUse	*u;
	Sentinel__Store__Token		*t;
	struct seen_query		*q = arg;
	struct pbmem			 pm;
	size_t				 i;
	int				 rc;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	rc = db_token_get(txn, q->sq_token, &pm, &t);
	for (i = 0; rc == 1 && i < t->n_enrolled; i++) {
		u = t->enrolled[i];
		if (u->seen || strcmp(u->host_id, q->sq_host) != 0 ||
		    strcmp(u->serial, q->sq_serial) != 0)
			continue;
		u->seen = true;
		u->point.len = 0;
		rc = db_token_put(txn, t);
		break;
	}
	pbmem_free(&pm);
	return (rc == -1 ? -1 : 0);
}

void
redeem_seen(struct host *h, const char *serial)
{
	struct seen_query	 q = { h->h_token, h->h_id, serial };

	if (h->h_token[0] == '\0' || strcmp(serial, h->h_serial) != 0)
		return;
	if (store_update(eng->store, mark_seen, &q) == 0)
		h->h_token[0] = '\0';
	else if (host_may_log(h))
		log_warn("token %s: not marked as seen", h->h_token);
}

/* --- replaced ----------------------------------------------------------- */

bool
redeem_takes_over(const struct host *h, const char *serial)
{
	return (h->h_replace_serial[0] != '\0' &&
	    strcmp(serial, h->h_replace_serial) == 0);
}

static int
put_takeover(struct store_txn *txn, void *arg)
{
	static const char	 why[] = "replaced by a new machine";
	struct takeover		*to = arg;
	const struct host	*h = to->to_old;

	if (cert_revoke(txn, h, h->h_serial, h->h_not_after, why) == -1 ||
	    cert_revoke(txn, h, h->h_pending.hc_serial,
	    h->h_pending.hc_not_after, why) == -1 ||
	    db_host_put(txn, &to->to_host) == -1)
		return (-1);
	return (audit_put(txn, &to->to_audit));
}

int
redeem_take_over(struct host *h, const Sentinel__Ipc__AgentOpen *open)
{
	struct host_cert	 no_cert = { .hc_serial = "" };
	struct takeover		 to = { .to_old = h };
	static char		 none[1];
	char			 actor[80];
	int64_t			 now = time(NULL);

	host_record(h, &to.to_host);
	to.to_host.enrolled_at = now;
	to.to_host.cert_serial = open->serial;
	to.to_host.cert_not_before = open->not_before;
	to.to_host.cert_not_after = open->not_after;
	to.to_host.point = open->point;
	to.to_host.pending_cert.len = 0;
	to.to_host.replace_serial = none;
	to.to_host.replace_not_after = 0;
	to.to_host.frozen = none;
	(void)snprintf(actor, sizeof(actor), "address %s", open->address);
	audit_set(&to.to_audit, actor, "host.take-over", audit_host(h),
	    AUDIT_OK, "token %s, serial %s; serial %s revoked",
	    h->h_replace_token, open->serial, h->h_serial);
	if (store_update(eng->store, put_takeover, &to) == -1) {
		log_warn("host %s: not replaced: database", h->h_id);
		return (-1);
	}
	log_info("host %s (%s): a new machine takes its place from %s, serial "
	    "%s; serial %s is revoked", h->h_id, h->h_name, open->address,
	    open->serial, h->h_serial);
	(void)strlcpy(h->h_serial, open->serial, sizeof(h->h_serial));
	h->h_enrolled_at = now;
	h->h_not_before = open->not_before;
	h->h_not_after = open->not_after;
	memcpy(h->h_point, open->point.data, ECKEY_POINT_LEN);
	cert_set_pending(h, &no_cert);
	(void)strlcpy(h->h_token, h->h_replace_token, sizeof(h->h_token));
	h->h_replace_serial[0] = h->h_replace_token[0] = '\0';
	h->h_replace_not_after = 0;
	engine_setstr(&h->h_frozen, "");
	session_close_all(h, GRPC_PERMISSION_DENIED, "server",
	    GATE_TEXT_REVOKED);
	event_publish("cluster_host", h, NULL, "host %s (%s) replaced by a "
	    "new machine", h->h_id, h->h_name);
	return (0);
}
