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

#include "engine_token.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "engine_audit.h"
#include "engine_enroll.h"
#include "engine_label.h"
#include "hex.h"
#include "log.h"
#include "xmalloc.h"

/*
 * 16 random bytes and the first 16 of the CA's pin, as 64 hex characters; the
 * first 8 of them are the id of the record.
 */
#define TOKEN_TRIES		8	/* ids that collide */
#define TOKEN_EXPIRE_BATCH	16	/* in one transaction */

struct creation {
	char		 cr_token[TOKEN_LEN + 1];
	Sentinel__Store__Token cr_record;
	char		 cr_id[TOKEN_ID_LEN + 1];
	char		 cr_host_name[HOST_NAME_SIZE];
	char		 cr_replaces[HOST_ID_SIZE];
	char		*cr_labels[HOST_LABELS_MAX];	/* owned */
	char		 cr_creator[32];
	uint8_t		 cr_mac[32];
	unsigned int	 cr_tries;
	token_done	 cr_done;
	void		*cr_arg;
};

struct revocation {
	char		 re_id[TOKEN_ID_LEN + 1];
	const char	*re_by;
	bool		 re_done;	/* it was revoked before */
};

struct expiry {
	int64_t		 ex_now;
	int64_t		 ex_next;	/* of those that are left */
	char		 ex_id[TOKEN_EXPIRE_BATCH][TOKEN_ID_LEN + 1];
	size_t		 ex_len;
};

static void	 make_text(struct creation *);
static void	 take_spec(struct creation *, const struct token_spec *);
static void	 ask_mac(struct creation *);
static void	 on_mac(void *, enum req_end, struct imsg *);
static int	 store_new(struct store_txn *, void *);
static void	 creation_end(struct creation *, const char *);
static int	 mark_revoked(struct store_txn *, void *);
static bool	 collect_expired(const Sentinel__Store__Token *, void *);
static int	 find_expired(struct store_txn *, void *);
static int	 tell_expired(struct store_txn *, void *);
static int	 sweep(struct store_txn *, void *);

/* When the next one expires; 0: look again. */
static int64_t	 next_expiry;

static void
make_text(struct creation *cr)
{
	uint8_t	 secret[TOKEN_SECRET_LEN];

	arc4random_buf(secret, sizeof(secret));
	(void)hex_encode(cr->cr_token, sizeof(cr->cr_token), secret,
	    sizeof(secret));
	/* ca_pin is 64 characters; the token takes the first half. */
	memcpy(cr->cr_token + 2 * TOKEN_SECRET_LEN, eng->ca_pin,
	    TOKEN_LEN - 2 * TOKEN_SECRET_LEN);
	cr->cr_token[TOKEN_LEN] = '\0';
	explicit_bzero(secret, sizeof(secret));
	(void)snprintf(cr->cr_id, sizeof(cr->cr_id), "%.*s", TOKEN_ID_LEN,
	    cr->cr_token);
}

static void
take_spec(struct creation *cr, const struct token_spec *ts)
{
	Sentinel__Store__Token	*r = &cr->cr_record;
	size_t			 i, n = 0;

	(void)strlcpy(cr->cr_host_name, ts->ts_host_name,
	    sizeof(cr->cr_host_name));
	(void)strlcpy(cr->cr_replaces, ts->ts_replaces,
	    sizeof(cr->cr_replaces));
	(void)snprintf(cr->cr_creator, sizeof(cr->cr_creator), "uid %u",
	    ts->ts_uid);
	/* Of a key that comes twice the last one counts. */
	for (i = 0; i < ts->ts_nlabels; i++)
		(void)label_merge(cr->cr_labels, &n, ts->ts_labels[i]);
	for (i = 0; i < n; i++)
		cr->cr_labels[i] = xstrdup(cr->cr_labels[i]);
	sentinel__store__token__init(r);
	r->id = cr->cr_id;
	r->created_at = time(NULL);
	r->expires_at = r->created_at + (ts->ts_ttl_sec > 0 ? ts->ts_ttl_sec :
	    (int64_t)eng->conf.ec_token_life_sec);
	r->uses = ts->ts_uses;
	r->host_name = cr->cr_host_name;
	r->replaces = cr->cr_replaces;
	r->labels = cr->cr_labels;
	r->n_labels = n;
	r->creator = cr->cr_creator;
}

void
token_create(const struct token_spec *ts, token_done done, void *arg)
{
	struct creation	*cr;

	if (eng->ca_pem == NULL) {
		done(NULL, NULL, "cluster mode is off: set cluster.enabled, "
		    "or SENTINEL_CLUSTER=true", arg);
		return;
	}
	cr = xcalloc(1, sizeof(*cr));
	cr->cr_done = done;
	cr->cr_arg = arg;
	make_text(cr);
	take_spec(cr, ts);
	ask_mac(cr);
}

static void
ask_mac(struct creation *cr)
{
	struct ibuf	*buf;

	if ((buf = ibuf_open(2 + TOKEN_LEN)) == NULL ||
	    ibuf_add_bytes(buf, cr->cr_token, TOKEN_LEN) == -1)
		fatal("KEY_MAC");
	if (engine_ask_key(IMSG_KEY_MAC, buf, on_mac, cr) == -1)
		creation_end(cr, "the keyholder is busy; try again");
}

static void
on_mac(void *arg, enum req_end end, struct imsg *imsg)
{
	struct creation	*cr = arg;
	const uint8_t	*mac;
	size_t		 len;

	if (end != REQ_ANSWER || imsg_get_type(imsg) != IMSG_KEY_MACED ||
	    ibuf_get_bytes(imsg_get_ibuf(imsg), sizeof(cr->cr_mac), &mac,
	    &len) == -1 || len != sizeof(cr->cr_mac)) {
		creation_end(cr, "the keyholder did not answer");
		return;
	}
	memcpy(cr->cr_mac, mac, len);
	cr->cr_record.mac.data = cr->cr_mac;
	cr->cr_record.mac.len = sizeof(cr->cr_mac);
	if (store_update(eng->store, store_new, cr) == 0) {
		log_info("token %s: created by %s", cr->cr_id,
		    cr->cr_creator);
		next_expiry = 0;
		creation_end(cr, NULL);
	} else if (errno == EEXIST && ++cr->cr_tries < TOKEN_TRIES) {
		make_text(cr);
		ask_mac(cr);
	} else
		creation_end(cr, errno == ENOSPC ?
		    "the database's disk is full" : errno == ENOBUFS ?
		    "too many tokens; revoke some" : "the database failed");
}

static int
store_new(struct store_txn *txn, void *arg)
{
	struct creation			*cr = arg;
	const Sentinel__Store__Token	*r = &cr->cr_record;
	struct audit			 au;
	char				 subject[32], text[512];
	size_t				 i;

	(void)snprintf(subject, sizeof(subject), "token %s", cr->cr_id);
	(void)snprintf(text, sizeof(text), "%u use%s, for %lld s%s%s%s%s",
	    r->uses, r->uses == 1 ? "" : "s",
	    (long long)(r->expires_at - r->created_at),
	    r->host_name[0] != '\0' ? ", host name " : "", r->host_name,
	    r->replaces[0] != '\0' ? ", replaces host " : "", r->replaces);
	for (i = 0; i < r->n_labels; i++) {
		(void)strlcat(text, i == 0 ? ", labels " : " ", sizeof(text));
		(void)strlcat(text, r->labels[i], sizeof(text));
	}
	audit_set(&au, cr->cr_creator, "token.create", subject, AUDIT_OK,
	    "%s", text);
	if (db_token_new(txn, r) == -1)
		return (-1);
	return (audit_put(txn, &au));
}

static void
creation_end(struct creation *cr, const char *why)
{
	size_t	 i;

	if (why == NULL)
		cr->cr_done(cr->cr_token, &cr->cr_record, NULL, cr->cr_arg);
	else
		cr->cr_done(NULL, NULL, why, cr->cr_arg);
	for (i = 0; i < cr->cr_record.n_labels; i++)
		free(cr->cr_labels[i]);
	freezero(cr, sizeof(*cr));
}

/* --- revoked ------------------------------------------------------------ */

static int
mark_revoked(struct store_txn *txn, void *arg)
{
	struct revocation	*re = arg;
	Sentinel__Store__Token	*t;
	struct audit		 au;
	struct pbmem		 pm;
	char			 subject[32];
	int			 rc;

	(void)snprintf(subject, sizeof(subject), "token %s", re->re_id);
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	rc = db_token_get(txn, re->re_id, &pm, &t);
	if (rc == 1 && t->revoked) {
		re->re_done = true;
		rc = 0;
	} else if (rc == 1) {
		audit_set(&au, re->re_by, "token.revoke", subject, AUDIT_OK,
		    "used %u of %u", t->used, t->uses);
		t->revoked = true;
		if ((rc = db_token_put(txn, t)) == 0)
			rc = audit_put(txn, &au);
	} else if (rc == 0) {
		errno = ENOENT;
		rc = -1;
	}
	pbmem_free(&pm);
	return (rc);
}

int
token_revoke(const char *id, const char *by)
{
	struct revocation	 re = { "", by, false };

	if (strlen(id) != TOKEN_ID_LEN || !hex_is_valid(id, TOKEN_ID_LEN))
		return (0);
	(void)strlcpy(re.re_id, id, sizeof(re.re_id));
	if (store_update(eng->store, mark_revoked, &re) == -1)
		return (errno == ENOENT ? 0 : -1);
	if (!re.re_done) {
		log_info("token %s: revoked by %s", re.re_id, by);
		event_publish("token", NULL, NULL, "token %s revoked",
		    re.re_id);
	}
	return (1);
}

const char *
token_state(const Sentinel__Store__Token *t, int64_t now)
{
	const Sentinel__Store__TokenUse	*u;
	bool				 issued = false, consumed = false;
	size_t				 i;

	if (t->revoked)
		return ("revoked");
	if (t->used < t->uses)
		return (t->expires_at <= now ? "expired" : "open");
	for (i = 0; i < t->n_enrolled; i++) {
		u = t->enrolled[i];
		consumed |= u->serial[0] == '\0';
		issued |= !u->seen;
	}
	return (consumed ? "consumed" : issued ? "issued" : "used");
}

/* --- expired ------------------------------------------------------------ */

/* Used up and revoked ones have had their last word. */
static bool
collect_expired(const Sentinel__Store__Token *t, void *arg)
{
	struct expiry	*ex = arg;

	if (t->expiry_told || t->revoked || t->used >= t->uses)
		return (true);
	if (t->expires_at > ex->ex_now) {
		if (t->expires_at < ex->ex_next)
			ex->ex_next = t->expires_at;
	} else if (ex->ex_len < TOKEN_EXPIRE_BATCH)
		(void)strlcpy(ex->ex_id[ex->ex_len++], t->id,
		    TOKEN_ID_LEN + 1);
	else
		ex->ex_next = 0;
	return (true);
}

static int
find_expired(struct store_txn *txn, void *arg)
{
	return (db_token_walk(txn, collect_expired, arg) == -1 ? -1 : 0);
}

static int
tell_expired(struct store_txn *txn, void *arg)
{
	struct expiry		*ex = arg;
	Sentinel__Store__Token	*t;
	struct audit		 au;
	struct pbmem		 pm;
	char			 subject[32];
	size_t			 i;
	int			 rc = 0;

	for (i = 0; rc != -1 && i < ex->ex_len; i++) {
		pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
		rc = db_token_get(txn, ex->ex_id[i], &pm, &t);
		if (rc == 1) {
			(void)snprintf(subject, sizeof(subject), "token %s",
			    t->id);
			audit_set(&au, AUDIT_SELF, "token.expire", subject,
			    AUDIT_OK, "used %u of %u", t->used, t->uses);
			t->expiry_told = true;
			if ((rc = db_token_put(txn, t)) == 0)
				rc = audit_put(txn, &au);
		}
		pbmem_free(&pm);
	}
	return (rc == -1 ? -1 : 0);
}

void
token_tick(int64_t now)
{
	struct expiry	 ex = { .ex_now = now, .ex_next = INT64_MAX };

	if (next_expiry > now)
		return;
	if (store_view(eng->store, find_expired, &ex) == -1 ||
	    (ex.ex_len > 0 && store_update(eng->store, tell_expired,
	    &ex) == -1)) {
		if (host_may_log(NULL))
			log_warn("tokens: expired ones not told");
		next_expiry = now + 60;
		return;
	}
	next_expiry = ex.ex_next;
}

static int
sweep(struct store_txn *txn, void *arg)
{
	return (db_token_sweep(txn, *(int64_t *)arg) == -1 ? -1 : 0);
}

void
token_sweep(int64_t now)
{
	if (store_update(eng->store, sweep, &now) == -1)
		log_warn("tokens: sweep");
}
