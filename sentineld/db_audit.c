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

#include "compat.h"

#include <endian.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/sha.h>

#include "db_int.h"

/*
 * The audit trail: records without a gap, each with the SHA-256 of the stored
 * bytes of the one before.  A second record, the chain, says where the trail
 * begins and how it ends, so that neither its head nor its tail can be cut
 * unnoticed.  Whoever can write all of the database can write all of it anew:
 * who fears that keeps the newest number and hash elsewhere.
 */
#define DESC		(&sentinel__store__audit_record__descriptor)
#define CHAIN		(&sentinel__store__audit_chain__descriptor)
#define CHAIN_KEY	"audit"

struct each {
	db_audit_visit	 ea_fn;
	void		*ea_arg;
};

struct newest {
	uint64_t	 ne_seq;
	uint8_t		 ne_hash[DB_AUDIT_HASH_LEN];
};

struct start {
	int64_t		 st_since;
	int64_t		 st_first;
	size_t		 st_left;
};

struct cut {
	int64_t		 cu_before;
	uint64_t	 cu_below;	/* too many: numbers under this go */
	uint64_t	 cu_newest;
	size_t		 cu_left;	/* that may go now */
	ssize_t		 cu_dropped;
	uint8_t		 cu_hash[DB_AUDIT_HASH_LEN];	/* of the last one */
	uint64_t	 cu_first;	/* that stays */
};

struct check {
	struct db_audit_check	*ch_check;
	uint64_t		 ch_newest;	/* as the chain has it */
	size_t			 ch_left;
};

static int	 chain_put(struct store_txn *, Sentinel__Store__AuditChain *);
static int	 chain_next(struct store_txn *, struct newest *,
		    Sentinel__Store__AuditChain **, struct pbmem *);

static void
audit_key(uint8_t key[8], uint64_t seq)
{
	uint64_t	 be = htobe64(seq);

	memcpy(key, &be, sizeof(be));
}

/* 0 for a key that is none. */
static uint64_t
audit_seq(const uint8_t *key, size_t len)
{
	uint64_t	 be;

	if (len != sizeof(be))
		return (0);
	memcpy(&be, key, sizeof(be));
	return (be64toh(be));
}

/* --- adding ------------------------------------------------------------- */

int
db_audit_chain(struct store_txn *tx, struct pbmem *pm,
    Sentinel__Store__AuditChain **out)
{
	void	*m;
	int	 ret;

	ret = db_get(tx, STORE_META, CHAIN_KEY, strlen(CHAIN_KEY), CHAIN, pm,
	    &m);
	*out = m;
	return (ret);
}

static int
chain_put(struct store_txn *tx, Sentinel__Store__AuditChain *ch)
{
	return (db_put(tx, STORE_META, CHAIN_KEY, strlen(CHAIN_KEY),
	    &ch->base, 0));
}

static enum store_next
audit_newest(const uint8_t *key, size_t keylen, const uint8_t *value,
    size_t len, void *arg)
{
	struct newest	*ne = arg;

	ne->ne_seq = audit_seq(key, keylen);
	SHA256(value, len, ne->ne_hash);
	return (STORE_STOP);
}

/*
 * The end to which the next record is tied.  A chain that somebody took away
 * or broke is not mended: records go on, and the check tells.
 */
static int
chain_next(struct store_txn *tx, struct newest *ne,
    Sentinel__Store__AuditChain **ch, struct pbmem *pm)
{
	int	 ret;

	memset(ne, 0, sizeof(*ne));
	if ((ret = db_audit_chain(tx, pm, ch)) == 1) {
		ne->ne_seq = (*ch)->newest;
		memcpy(ne->ne_hash, (*ch)->hash.data, sizeof(ne->ne_hash));
		return (0);
	}
	if (ret == -1 && errno != EBADMSG)
		return (-1);
	return (store_walk(tx, STORE_AUDIT, true, NULL, 0, 1, audit_newest,
	    ne) == -1 ? -1 : 0);
}

int
db_audit_add(struct store_txn *tx, Sentinel__Store__AuditRecord *r)
{
	Sentinel__Store__AuditChain	*old, ch;
	struct newest			 ne, own;
	struct pbmem			 pm;
	uint8_t				 key[8], before[DB_AUDIT_HASH_LEN];
	int				 ret = -1;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if (chain_next(tx, &ne, &old, &pm) == -1)
		goto out;
	r->seq = ne.ne_seq + 1;
	r->previous.data = ne.ne_hash;
	r->previous.len = sizeof(ne.ne_hash);
	audit_key(key, r->seq);
	ret = db_put(tx, STORE_AUDIT, key, sizeof(key), &r->base, STORE_NEW);
	r->previous.data = NULL;
	r->previous.len = 0;
	/* The stored bytes count, whatever the packer makes of a record. */
	if (ret == -1 || (ret = store_walk(tx, STORE_AUDIT, true, key,
	    sizeof(key), 1, audit_newest, &own) == 1 ? 0 : -1) == -1)
		goto out;
	sentinel__store__audit_chain__init(&ch);
	memcpy(before, ne.ne_hash, sizeof(before));
	if (old != NULL)
		memcpy(before, old->before.data, sizeof(before));
	ch.first = old != NULL ? old->first : r->seq;
	ch.before.data = before;
	ch.before.len = sizeof(before);
	ch.newest = r->seq;
	ch.hash.data = own.ne_hash;
	ch.hash.len = sizeof(own.ne_hash);
	ret = chain_put(tx, &ch);
 out:
	pbmem_free(&pm);
	return (ret);
}

/* --- reading ------------------------------------------------------------ */

static enum store_next
audit_each(const uint8_t *key, size_t keylen, const uint8_t *value,
    size_t len, void *arg)
{
	struct each	*ea = arg;
	struct pbmem	 pm;
	uint8_t		 hash[DB_AUDIT_HASH_LEN];
	bool		 more = true;
	void		*m;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = db_unpack(STORE_AUDIT, DESC, key, keylen, value, len, &pm);
	if (m != NULL) {
		SHA256(value, len, hash);
		more = ea->ea_fn(m, hash, ea->ea_arg);
	}
	pbmem_free(&pm);
	return (more ? STORE_GOON : STORE_STOP);
}

ssize_t
db_audit_walk(struct store_txn *tx, uint64_t seq, db_audit_visit fn,
    void *arg)
{
	struct each	 ea = { fn, arg };
	uint8_t		 key[8];

	audit_key(key, seq);
	return (store_walk(tx, STORE_AUDIT, false, key, sizeof(key), 0,
	    audit_each, &ea));
}

static enum store_next
audit_start(const uint8_t *key, size_t keylen, const void *record, void *arg)
{
	const Sentinel__Store__AuditRecord	*r = record;
	struct start				*st = arg;

	(void)key;
	(void)keylen;
	if (r->time_msec < st->st_since)
		return (STORE_STOP);
	st->st_first = (int64_t)r->seq;
	return (--st->st_left > 0 ? STORE_GOON : STORE_STOP);
}

/* Backwards, since what is asked for is most often the end. */
int64_t
db_audit_start(struct store_txn *tx, size_t limit, int64_t since)
{
	struct start	 st = { since, 0, limit };

	if (db_walk(tx, STORE_AUDIT, true, NULL, 0, DESC, audit_start,
	    &st) == -1)
		return (-1);
	return (st.st_first);
}

/* --- cutting ------------------------------------------------------------ */

static enum store_next
audit_cut(const uint8_t *key, size_t keylen, const uint8_t *value,
    size_t len, void *arg)
{
	Sentinel__Store__AuditRecord	*r;
	struct cut			*cu = arg;
	struct pbmem			 pm;
	uint64_t			 seq = audit_seq(key, keylen);
	bool				 old;

	if (seq >= cu->cu_newest || cu->cu_left == 0) {
		cu->cu_first = seq;
		return (STORE_STOP);
	}
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	r = db_unpack(STORE_AUDIT, DESC, key, keylen, value, len, &pm);
	/* One that cannot be read goes when its number is up. */
	old = r != NULL && r->time_msec < cu->cu_before;
	pbmem_free(&pm);
	if (!old && seq >= cu->cu_below) {
		cu->cu_first = seq;
		return (STORE_STOP);
	}
	SHA256(value, len, cu->cu_hash);
	cu->cu_left--;
	cu->cu_dropped++;
	return (STORE_DROP);
}

ssize_t
db_audit_cut(struct store_txn *tx, int64_t before, uint64_t keep, size_t max)
{
	Sentinel__Store__AuditChain	*ch;
	struct cut			 cu;
	struct pbmem			 pm;
	int				 ret;

	memset(&cu, 0, sizeof(cu));
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	/* Without its chain nothing is cut: it is evidence. */
	if ((ret = db_audit_chain(tx, &pm, &ch)) != 1)
		goto out;
	cu.cu_before = before;
	cu.cu_below = ch->newest > keep ? ch->newest - keep + 1 : 0;
	cu.cu_newest = ch->newest;
	cu.cu_left = max == 0 ? SIZE_MAX : max;
	if (store_walk(tx, STORE_AUDIT, false, NULL, 0, 0, audit_cut,
	    &cu) == -1) {
		ret = -1;
	} else if (cu.cu_dropped > 0 && cu.cu_first > 0) {
		ch->first = cu.cu_first;
		ch->before.data = cu.cu_hash;
		ch->before.len = sizeof(cu.cu_hash);
		ret = chain_put(tx, ch);
	}
 out:
	pbmem_free(&pm);
	return (ret == -1 ? -1 : cu.cu_dropped);
}

/* --- checking ----------------------------------------------------------- */

static enum store_next
check_broken(struct db_audit_check *ac, uint64_t seq, const char *why)
{
	ac->ac_broken = seq;
	(void)strlcpy(ac->ac_why, why, sizeof(ac->ac_why));
	return (STORE_STOP);
}

static enum store_next
check_one(const uint8_t *key, size_t keylen, const uint8_t *value, size_t len,
    void *arg)
{
	Sentinel__Store__AuditRecord	*r;
	struct check			*ch = arg;
	struct db_audit_check		*ac = ch->ch_check;
	enum store_next			 next = STORE_GOON;
	struct pbmem			 pm;
	uint64_t			 seq = audit_seq(key, keylen);

	if (seq < ac->ac_next)
		return (check_broken(ac, seq, "it is before the beginning"));
	if (seq > ac->ac_next)
		return (check_broken(ac, ac->ac_next, "it is missing"));
	if (seq > ch->ch_newest)
		return (check_broken(ac, seq, "it is after the end"));
	if (ch->ch_left == 0)
		return (STORE_STOP);
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	r = db_unpack(STORE_AUDIT, DESC, key, keylen, value, len, &pm);
	if (r == NULL)
		next = check_broken(ac, seq, "it cannot be read");
	else if (r->seq != seq)
		next = check_broken(ac, seq, "it has another's number");
	else if (memcmp(r->previous.data, ac->ac_hash,
	    sizeof(ac->ac_hash)) != 0)
		next = check_broken(ac, seq, "it, or the one before it, is "
		    "not what was written");
	pbmem_free(&pm);
	if (next == STORE_STOP)
		return (next);
	SHA256(value, len, ac->ac_hash);
	ac->ac_next++;
	ac->ac_records++;
	ch->ch_left--;
	return (STORE_GOON);
}

/* What the chain says about the end. */
static void
check_end(struct db_audit_check *ac, const Sentinel__Store__AuditChain *ch)
{
	if (ac->ac_next <= ch->newest)
		(void)check_broken(ac, ac->ac_next, "it is missing");
	else if (memcmp(ac->ac_hash, ch->hash.data,
	    sizeof(ac->ac_hash)) != 0) {
		(void)check_broken(ac, ch->newest, "it is not what was "
		    "written");
		ac->ac_records--;
	}
}

int
db_audit_check(struct store_txn *tx, struct db_audit_check *ac, size_t max)
{
	Sentinel__Store__AuditChain	*anchor;
	struct check			 ch = { ac, 0, max };
	struct newest			 ne = { 0, { 0 } };
	struct pbmem			 pm;
	uint8_t				 key[8];
	int				 ret;
	bool				 begin, damaged;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	ret = db_audit_chain(tx, &pm, &anchor);
	damaged = ret == -1 && errno == EBADMSG;
	if (ret == -1 && !damaged)
		goto out;
	if (ret != 1) {
		/* Nothing was ever written, or somebody hides something. */
		ret = store_walk(tx, STORE_AUDIT, false, NULL, 0, 1,
		    audit_newest, &ne) == -1 ? -1 : 0;
		if (ret == 0 && (ne.ne_seq != 0 || damaged))
			(void)check_broken(ac, ne.ne_seq != 0 ? ne.ne_seq : 1,
			    "the record of the chain's ends is missing");
		goto out;
	}
	/* Cut meanwhile, further than we are? */
	begin = ac->ac_next < anchor->first;
	if (begin) {
		ac->ac_next = anchor->first;
		memcpy(ac->ac_hash, anchor->before.data, sizeof(ac->ac_hash));
		ac->ac_records = 0;
	}
	ac->ac_first = anchor->first;
	ch.ch_newest = anchor->newest;
	audit_key(key, ac->ac_next);
	ret = store_walk(tx, STORE_AUDIT, false, begin ? NULL : key,
	    sizeof(key), 0, check_one, &ch) == -1 ? -1 : 0;
	if (ret == -1 || ac->ac_broken != 0)
		goto out;
	if (ch.ch_left == 0 && ac->ac_next <= anchor->newest)
		ret = 1;
	else
		check_end(ac, anchor);
 out:
	pbmem_free(&pm);
	return (ret);
}
