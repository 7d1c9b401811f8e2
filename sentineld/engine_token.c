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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db.h"
#include "hex.h"
#include "log.h"
#include "xmalloc.h"

/*
 * Enrolment tokens: 16 random bytes and the first 16 of the CA's pin, as 64
 * hex characters.  Only the MAC is stored; the text is shown once.
 */
#define TOKEN_SECRET_LEN	16
#define TOKEN_LEN		64
#define TOKEN_ID_LEN		8
#define TOKEN_TRIES		8	/* ids that collide */

struct creation {
	char		 cr_token[TOKEN_LEN + 1];
	Sentinel__Store__Token cr_record;
	char		 cr_id[TOKEN_ID_LEN + 1];
	char		 cr_host_name[HOST_NAME_SIZE];
	char		 cr_creator[32];
	uint8_t		 cr_mac[32];
	unsigned int	 cr_tries;
	token_done	 cr_done;
	void		*cr_arg;
};

static void	 make_text(struct creation *);
static void	 ask_mac(struct creation *);
static void	 on_mac(void *, enum req_end, struct imsg *);
static int	 store_new(struct store_txn *, void *);
static int	 mark_revoked(struct store_txn *, void *);
static int	 sweep(struct store_txn *, void *);
static void	 creation_end(struct creation *, const char *);

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

void
token_create(int64_t ttl, const char *host_name, uint32_t uid,
    token_done done, void *arg)
{
	Sentinel__Store__Token	*r;
	struct creation		*cr;

	if (eng->ca_pem == NULL) {
		done(NULL, NULL, "cluster mode is off: set cluster.enabled, "
		    "or SENTINEL_CLUSTER=true", arg);
		return;
	}
	cr = xcalloc(1, sizeof(*cr));
	cr->cr_done = done;
	cr->cr_arg = arg;
	make_text(cr);
	(void)strlcpy(cr->cr_host_name, host_name, sizeof(cr->cr_host_name));
	(void)snprintf(cr->cr_creator, sizeof(cr->cr_creator), "uid %u", uid);
	r = &cr->cr_record;
	sentinel__store__token__init(r);
	r->id = cr->cr_id;
	r->created_at = time(NULL);
	r->expires_at = r->created_at +
	    (ttl > 0 ? ttl : (int64_t)eng->conf.ec_token_life_sec);
	r->uses = 1;
	r->host_name = cr->cr_host_name;
	r->creator = cr->cr_creator;
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
	struct creation	*cr = arg;

	return (db_token_new(txn, &cr->cr_record));
}

static void
creation_end(struct creation *cr, const char *why)
{
	if (why == NULL)
		cr->cr_done(cr->cr_token, &cr->cr_record, NULL, cr->cr_arg);
	else
		cr->cr_done(NULL, NULL, why, cr->cr_arg);
	freezero(cr, sizeof(*cr));
}

static int
mark_revoked(struct store_txn *txn, void *arg)
{
	Sentinel__Store__Token	*t;
	struct pbmem		 pm;
	int			 rc;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	rc = db_token_get(txn, arg, &pm, &t);
	if (rc == 1) {
		t->revoked = true;
		rc = db_token_put(txn, t);
	} else if (rc == 0) {
		errno = ENOENT;
		rc = -1;
	}
	pbmem_free(&pm);
	return (rc);
}

int
token_revoke(const char *id)
{
	char	 key[TOKEN_ID_LEN + 1];

	if (!hex_is_valid(id, TOKEN_ID_LEN))
		return (0);
	(void)strlcpy(key, id, sizeof(key));
	if (store_update(eng->store, mark_revoked, key) == -1)
		return (errno == ENOENT ? 0 : -1);
	log_info("token %s: revoked", key);
	return (1);
}

const char *
token_state(const Sentinel__Store__Token *t, int64_t now)
{
	if (t->revoked)
		return ("revoked");
	if (t->used >= t->uses)
		return (t->seen ? "used" : t->serial[0] != '\0' ? "issued" :
		    "consumed");
	return (t->expires_at <= now ? "expired" : "open");
}

static int
sweep(struct store_txn *txn, void *arg)
{
	return (db_token_sweep(txn, *(int64_t *)arg) == -1 ? -1 : 0);
}

void
token_sweep(void)
{
	int64_t	 now = time(NULL);

	if (store_update(eng->store, sweep, &now) == -1)
		log_warn("tokens: sweep");
}
