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

#include "engine_audit.h"

#include <sys/time.h>

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "db.h"
#include "engine.h"
#include "hex.h"
#include "log.h"
#include "utf8.h"

/* Records cut in one transaction. */
#define AUDIT_CUT_BATCH		1000

/* What was left out of one kind. */
struct provoked {
	const char	*pr_who;
	struct rate	 pr_rate;
	unsigned int	 pr_lost;
};

struct cut {
	int64_t		 cu_before;
	ssize_t		 cu_dropped;
};

struct newest {
	uint64_t	 ne_seq;
	char		 ne_hash[2 * DB_AUDIT_HASH_LEN + 1];
};

static void	 set(struct audit *, const char *, const char *, const char *,
		    const char *, const char *, va_list) __printflike_(6, 0);
static int	 put(struct store_txn *, void *);
static int	 write_one(const struct audit *);
static bool	 may_provoke(struct host *, struct provoked *);
static void	 tell_lost(struct provoked *);
static int	 cut(struct store_txn *, void *);
static int	 read_newest(struct store_txn *, void *);
static void	 log_newest(void);

static struct provoked	 strangers = { .pr_who = "strangers" };
static struct provoked	 agents = { .pr_who = "agents" };

static void
set(struct audit *au, const char *actor, const char *action,
    const char *subject, const char *outcome, const char *fmt, va_list ap)
{
	char	 raw[sizeof(au->au_text)];

	(void)vsnprintf(raw, sizeof(raw), fmt, ap);
	(void)utf8_vis(au->au_text, sizeof(au->au_text), raw, strlen(raw));
	(void)utf8_vis(au->au_actor, sizeof(au->au_actor), actor,
	    strlen(actor));
	(void)utf8_vis(au->au_subject, sizeof(au->au_subject), subject,
	    strlen(subject));
	(void)strlcpy(au->au_action, action, sizeof(au->au_action));
	(void)strlcpy(au->au_outcome, outcome, sizeof(au->au_outcome));
}

void
audit_set(struct audit *au, const char *actor, const char *action,
    const char *subject, const char *outcome, const char *fmt, ...)
{
	va_list	 ap;

	va_start(ap, fmt);
	set(au, actor, action, subject, outcome, fmt, ap);
	va_end(ap);
}

const char *
audit_host(const struct host *h)
{
	static char	 text[HOST_NAME_SIZE + HOST_ID_SIZE + 16];

	(void)snprintf(text, sizeof(text), "host %s (%s)", h->h_name,
	    h->h_id);
	return (text);
}

const char *
audit_agent(const struct host *h)
{
	static char	 text[HOST_NAME_SIZE + 8];

	(void)snprintf(text, sizeof(text), "host %s", h->h_name);
	return (text);
}

int
audit_put(struct store_txn *txn, const struct audit *au)
{
	Sentinel__Store__AuditRecord	 r;
	struct timeval			 tv;

	gettimeofday(&tv, NULL);
	sentinel__store__audit_record__init(&r);
	r.time_msec = (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000;
	/* protobuf-c has no const strings; nothing writes through these. */
	r.actor = (char *)(uintptr_t)au->au_actor;
	r.action = (char *)(uintptr_t)au->au_action;
	r.subject = (char *)(uintptr_t)au->au_subject;
	r.outcome = (char *)(uintptr_t)au->au_outcome;
	r.text = (char *)(uintptr_t)au->au_text;
	return (db_audit_add(txn, &r));
}

static int
put(struct store_txn *txn, void *arg)
{
	return (audit_put(txn, arg));
}

static int
write_one(const struct audit *au)
{
	struct audit	 copy = *au;

	if (store_update(eng->store, put, &copy) == 0)
		return (0);
	if (host_may_log(NULL))
		log_warn("audit: not written: %s by %s: %s", au->au_action,
		    au->au_actor, au->au_subject);
	return (-1);
}

int
audit_write(const char *actor, const char *action, const char *subject,
    const char *outcome, const char *fmt, ...)
{
	struct audit	 au;
	va_list		 ap;

	va_start(ap, fmt);
	set(&au, actor, action, subject, outcome, fmt, ap);
	va_end(ap);
	return (write_one(&au));
}

/* --- what others can provoke -------------------------------------------- */

/* One host alone cannot use up what all have together. */
static bool
may_provoke(struct host *h, struct provoked *pr)
{
	if ((h == NULL || rate_take(&h->h_audit_rate, AUDIT_HOST_BURST,
	    AUDIT_HOST_MSEC)) && rate_take(&pr->pr_rate,
	    AUDIT_PROVOKED_BURST, AUDIT_PROVOKED_MSEC))
		return (true);
	pr->pr_lost++;
	return (false);
}

bool
audit_may_provoke(struct host *h)
{
	return (may_provoke(h, h != NULL ? &agents : &strangers));
}

void
audit_left_out(struct host *h)
{
	(h != NULL ? &agents : &strangers)->pr_lost++;
}

void
audit_provoked(struct host *h, const char *actor, const char *action,
    const char *subject, const char *outcome, const char *fmt, ...)
{
	struct provoked	*pr = h != NULL ? &agents : &strangers;
	struct audit	 au;
	char		 lost[64];
	va_list		 ap;

	if (!may_provoke(h, pr))
		return;
	va_start(ap, fmt);
	set(&au, actor, action, subject, outcome, fmt, ap);
	va_end(ap);
	if (pr->pr_lost > 0) {
		(void)snprintf(lost, sizeof(lost), " (%u before it left out)",
		    pr->pr_lost);
		(void)strlcat(au.au_text, lost, sizeof(au.au_text));
	}
	if (write_one(&au) == 0)
		pr->pr_lost = 0;
	else
		pr->pr_lost++;
}

/* Not more than once per sweep, so it needs no rate. */
static void
tell_lost(struct provoked *pr)
{
	if (pr->pr_lost > 0 && audit_write(AUDIT_SELF, "audit.left-out",
	    "", AUDIT_OK, "%u attempts of %s have no record: there were too "
	    "many", pr->pr_lost, pr->pr_who) == 0)
		pr->pr_lost = 0;
}

/* --- retention ---------------------------------------------------------- */

static int
cut(struct store_txn *txn, void *arg)
{
	struct cut	*cu = arg;

	cu->cu_dropped = db_audit_cut(txn, cu->cu_before * 1000, AUDIT_KEEP,
	    AUDIT_CUT_BATCH);
	return (cu->cu_dropped == -1 ? -1 : 0);
}

void
audit_sweep(int64_t now)
{
	struct cut	 cu = { now - AUDIT_KEEP_SEC, 0 };
	size_t		 dropped = 0;

	tell_lost(&strangers);
	tell_lost(&agents);
	do {
		if (store_update(eng->store, cut, &cu) == -1) {
			log_warn("audit: retention");
			return;
		}
		dropped += (size_t)cu.cu_dropped;
	} while (cu.cu_dropped == AUDIT_CUT_BATCH);
	if (dropped > 0)
		(void)audit_write(AUDIT_SELF, "audit.cut", "", AUDIT_OK,
		    "%zu records left the trail: older than %d days, or more "
		    "than %d", dropped, AUDIT_KEEP_SEC / 86400, AUDIT_KEEP);
}

static int
read_newest(struct store_txn *txn, void *arg)
{
	Sentinel__Store__AuditChain	*ch;
	struct newest			*ne = arg;
	struct pbmem			 pm;
	int				 ret;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if ((ret = db_audit_chain(txn, &pm, &ch)) == 1) {
		ne->ne_seq = ch->newest;
		(void)hex_encode(ne->ne_hash, sizeof(ne->ne_hash),
		    ch->hash.data, ch->hash.len);
	}
	pbmem_free(&pm);
	return (ret == -1 ? -1 : 0);
}

/* The log leaves this machine where that matters, so it can bear witness. */
static void
log_newest(void)
{
	struct newest	 ne = { 0, "" };

	if (store_view(eng->store, read_newest, &ne) == -1)
		log_warn("audit: the end of its chain cannot be read");
	else if (ne.ne_seq > 0)
		log_info("audit: %llu records written, SHA-256 of the newest "
		    "%s", (unsigned long long)ne.ne_seq, ne.ne_hash);
}

void
audit_start(void)
{
	log_newest();
}

void
audit_stop(void)
{
	tell_lost(&strangers);
	tell_lost(&agents);
	log_newest();
}
