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
#include "engine_quarantine.h"

#include <stdio.h>
#include <string.h>

#include "db_quarantine.h"
#include "docker_keep.h"
#include "engine_audit.h"
#include "log.h"

#define REASON_MAX	1024
#define DIGEST_SHORT	12	/* digits of an abbreviated one, at least */

/* What a row means. */
struct verdict {
	const char	*ve_add;	/* NULL: none */
	const char	*ve_image;
	const char	*ve_reason;
	const char	*ve_drop;	/* NULL: none */
	bool		 ve_drop_all;	/* that is not younger */
	int64_t		 ve_time;
};

struct look {
	const struct host		 *lo_host;
	const char			 *lo_container;
	struct pbmem			 *lo_mem;
	Sentinel__Store__Quarantine	 *lo_found;
};

struct lift {
	struct audit	 li_audit;
	const char	*li_host;
	const char	*li_container;
	const char	*li_digest;
	int		 li_n;
};

static int	 read_one(struct store_txn *, void *);
static bool	 judge(const Sentinel__Store__HistoryRow *, struct verdict *);
static int	 change(struct store_txn *, const char *, const char *,
		    const struct verdict *);
static int	 put_lift(struct store_txn *, void *);

/* "repo@sha256:..." or an image id; NULL: nothing that could be compared. */
static const char *
digest_of(const char *s)
{
	const char	*at = strchr(s, '@');

	if (at != NULL)
		s = at + 1;
	return (docker_imageid_ok(s) ? s : NULL);
}

bool
quarantine_is(const char *digest, const char *what)
{
	const char	*s = digest_of(what);

	return (s != NULL && strcmp(s, digest) == 0);
}

/* --- what holds ---------------------------------------------------------- */

static int
read_one(struct store_txn *txn, void *arg)
{
	struct look	*lo = arg;

	return (db_quarantine_get(txn, lo->lo_host->h_id, lo->lo_container,
	    lo->lo_mem, &lo->lo_found) == -1 ? -1 : 0);
}

const Sentinel__Store__Quarantine *
quarantine_find(const struct host *h, const char *container,
    struct pbmem *pm)
{
	struct look	 lo = { h, container, pm, NULL };

	/* A name that cannot be one of Docker's has none. */
	if (!docker_name_ok(container))
		return (NULL);
	if (store_view(eng->store, read_one, &lo) == -1) {
		log_warn("host %s: quarantine of %s", h->h_id, container);
		return (NULL);
	}
	return (lo.lo_found);
}

void
quarantine_of_op(const struct op *op, struct quarantine *qu)
{
	memset(qu, 0, sizeof(*qu));
	if ((op->op_kind == OP_UPDATE || (op->op_kind == OP_ROLLBACK &&
	    !keep_to_is_id(op->op_to))) && !op->op_force)
		quarantine_get(op->op_host, op->op_container, qu);
}

void
quarantine_get(const struct host *h, const char *container,
    struct quarantine *qu)
{
	const Sentinel__Store__Quarantine	*q;
	struct pbmem				 pm;
	size_t					 i;

	memset(qu, 0, sizeof(*qu));
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	q = quarantine_find(h, container, &pm);
	for (i = 0; q != NULL && i < q->n_items && qu->qu_n < QUARANTINE_MAX;
	    i++) {
		(void)strlcpy(qu->qu_text[qu->qu_n], q->items[i]->digest,
		    sizeof(qu->qu_text[0]));
		qu->qu_list[qu->qu_n] = qu->qu_text[qu->qu_n];
		qu->qu_n++;
	}
	pbmem_free(&pm);
}

Sentinel__Ipc__QuarantineView **
quarantine_views(const struct host *h, const char *container,
    struct pbmem *pm, size_t *n)
{
	const Sentinel__Store__Quarantine	*q;
	Sentinel__Ipc__QuarantineView		**list, *v;
	size_t					 i;

	*n = 0;
	if ((q = quarantine_find(h, container, pm)) == NULL ||
	    (list = pbmem_alloc(pm, q->n_items * sizeof(*list))) == NULL)
		return (NULL);
	for (i = 0; i < q->n_items; i++) {
		if ((v = pbmem_alloc(pm, sizeof(*v))) == NULL)
			break;
		sentinel__ipc__quarantine_view__init(v);
		v->host_id = (char *)(uintptr_t)h->h_id;
		v->host_name = (char *)(uintptr_t)h->h_name;
		v->container = q->container;
		v->digest = q->items[i]->digest;
		v->image = q->items[i]->image;
		v->time = q->items[i]->time;
		v->reason = q->items[i]->reason;
		list[(*n)++] = v;
	}
	return (list);
}

static bool
copy_names(const Sentinel__Store__Quarantine *q, void *arg)
{
	struct quarantine_host	*qh = arg;
	struct quarantine_names	*qn = &qh->qh_names[qh->qh_n];
	size_t			 i;

	qn->qn_container = pbmem_strndup(qh->qh_mem, q->container,
	    strlen(q->container));
	qn->qn_digests = pbmem_alloc(qh->qh_mem, (q->n_items + 1) *
	    sizeof(*qn->qn_digests));
	if (qn->qn_container == NULL || qn->qn_digests == NULL)
		return (false);
	for (i = qn->qn_n = 0; i < q->n_items; i++) {
		qn->qn_digests[i] = pbmem_strndup(qh->qh_mem,
		    q->items[i]->digest, strlen(q->items[i]->digest));
		if (qn->qn_digests[i] == NULL)
			return (false);
		qn->qn_n++;
	}
	return (++qh->qh_n < DB_QUARANTINE_MAX);
}

struct look_host {
	const struct host	*lh_host;
	struct quarantine_host	*lh_found;
};

static int
read_host(struct store_txn *txn, void *arg)
{
	struct look_host	*lh = arg;

	return (db_quarantine_walk(txn, lh->lh_host->h_id, copy_names,
	    lh->lh_found) == -1 ? -1 : 0);
}

void
quarantine_of_host(const struct host *h, struct pbmem *pm,
    struct quarantine_host *qh)
{
	struct look_host	 lh = { h, qh };

	qh->qh_mem = pm;
	qh->qh_n = 0;
	qh->qh_names = pbmem_alloc(pm, DB_QUARANTINE_MAX *
	    sizeof(*qh->qh_names));
	if (qh->qh_names != NULL &&
	    store_view(eng->store, read_host, &lh) == -1)
		log_warn("host %s: quarantine", h->h_id);
}

char **
quarantine_digests(const struct quarantine_host *qh, const char *container,
    size_t *n)
{
	size_t	 i;

	*n = 0;
	for (i = 0; i < qh->qh_n; i++) {
		if (strcmp(qh->qh_names[i].qn_container, container) != 0)
			continue;
		*n = qh->qh_names[i].qn_n;
		return (qh->qh_names[i].qn_digests);
	}
	return (NULL);
}

/* --- what happened ------------------------------------------------------- */

/*
 * A row of an offline journal is of its host's time, and may be older than
 * what is known already.
 */
static bool
judge(const Sentinel__Store__HistoryRow *row, struct verdict *ve)
{
	const char	*old = digest_of(row->old_digest);
	const char	*new = digest_of(row->new_digest);
	bool		 asked = strcmp(row->action, "rollback") == 0;

	memset(ve, 0, sizeof(*ve));
	if (!docker_name_ok(row->container) ||
	    (!asked && strcmp(row->action, "update") != 0))
		return (false);
	ve->ve_time = (row->time_msec < row->stored_msec ? row->time_msec :
	    row->stored_msec) / 1000;
	ve->ve_image = row->new_image;
	ve->ve_reason = row->error;
	if (strcmp(row->outcome, "rollback") == 0)
		ve->ve_add = new;
	else if (strcmp(row->outcome, "success") == 0 && asked) {
		ve->ve_add = old;
		ve->ve_image = row->old_image;
		ve->ve_reason = "rolled back on request";
		ve->ve_drop = new;
	} else if (strcmp(row->outcome, "success") == 0)
		ve->ve_drop_all = true;
	else if (strcmp(row->outcome, "identical") == 0)
		ve->ve_drop = new;
	return (ve->ve_add != NULL || ve->ve_drop != NULL || ve->ve_drop_all);
}

static bool
is_over(const Sentinel__Store__QuarantineItem *it, const struct verdict *ve)
{
	if (ve->ve_add != NULL && strcmp(it->digest, ve->ve_add) == 0)
		return (true);		/* it comes again, at the end */
	if (it->time > ve->ve_time)
		return (false);
	return (ve->ve_drop_all || (ve->ve_drop != NULL &&
	    strcmp(it->digest, ve->ve_drop) == 0));
}

static int
fill_item(Sentinel__Store__QuarantineItem *it, const struct verdict *ve,
    struct pbmem *pm)
{
	char	*p;

	sentinel__store__quarantine_item__init(it);
	it->digest = (char *)(uintptr_t)ve->ve_add;
	it->image = (char *)(uintptr_t)ve->ve_image;
	it->time = ve->ve_time < 0 ? 0 : ve->ve_time;
	it->reason = pbmem_text(pm, ve->ve_reason, strlen(ve->ve_reason),
	    REASON_MAX);
	if (it->reason == NULL)
		return (-1);
	for (p = it->reason; *p != '\0'; p++)
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			*p = ' ';
	return (0);
}

static int
change(struct store_txn *txn, const char *host_id, const char *container,
    const struct verdict *ve)
{
	Sentinel__Store__Quarantine	*rec, fresh;
	Sentinel__Store__QuarantineItem	*items[QUARANTINE_MAX + 1], item;
	struct pbmem			 pm;
	size_t				 i, n = 0;
	int				 rc;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	rc = db_quarantine_get(txn, host_id, container, &pm, &rec);
	if (rc == -1 || (rc == 0 && ve->ve_add == NULL))
		goto out;
	for (i = 0; rc == 1 && i < rec->n_items && n < QUARANTINE_MAX; i++)
		if (!is_over(rec->items[i], ve))
			items[n++] = rec->items[i];
	if (ve->ve_add != NULL) {
		if ((rc = fill_item(&item, ve, &pm)) == -1)
			goto out;
		items[n++] = &item;
	}
	sentinel__store__quarantine__init(&fresh);
	fresh.host_id = (char *)(uintptr_t)host_id;
	fresh.container = (char *)(uintptr_t)container;
	/* The oldest makes room. */
	fresh.items = items + (n > QUARANTINE_MAX);
	fresh.n_items = n - (n > QUARANTINE_MAX);
	rc = n > 0 ? db_quarantine_put(txn, &fresh) : db_quarantine_del(txn,
	    host_id, container);
 out:
	pbmem_free(&pm);
	return (rc == -1 ? -1 : 0);
}

int
quarantine_row(struct store_txn *txn, const char *host_id,
    const Sentinel__Store__HistoryRow *row)
{
	struct verdict	 ve;

	return (judge(row, &ve) ? change(txn, host_id, row->container, &ve) :
	    0);
}

void
quarantine_tell(struct host *h, const Sentinel__Store__HistoryRow *row)
{
	struct verdict	 ve;

	if (judge(row, &ve) && ve.ve_add != NULL && host_may_log(h))
		log_info("host %s: container %s: %s is in quarantine", h->h_id,
		    row->container, ve.ve_add);
}

/* --- an operator --------------------------------------------------------- */

static bool
is_meant(const char *digest, const char *want)
{
	const char	*hex = digest + sizeof("sha256:") - 1;

	if (want[0] == '\0')
		return (true);
	if (strncmp(want, "sha256:", 7) == 0)
		want += 7;
	return (strlen(want) >= DIGEST_SHORT &&
	    strncmp(hex, want, strlen(want)) == 0);
}

static int
put_lift(struct store_txn *txn, void *arg)
{
	Sentinel__Store__Quarantine	*rec;
	struct lift			*li = arg;
	struct pbmem			 pm;
	size_t				 i, n = 0;
	int				 rc;

	li->li_n = 0;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	rc = db_quarantine_get(txn, li->li_host, li->li_container, &pm, &rec);
	for (i = 0; rc == 1 && i < rec->n_items; i++) {
		if (is_meant(rec->items[i]->digest, li->li_digest))
			li->li_n++;
		else
			rec->items[n++] = rec->items[i];
	}
	if (rc == 1 && li->li_n > 0) {
		rec->n_items = n;
		rc = n > 0 ? db_quarantine_put(txn, rec) :
		    db_quarantine_del(txn, li->li_host, li->li_container);
		if (rc != -1)
			rc = audit_put(txn, &li->li_audit);
	}
	pbmem_free(&pm);
	return (rc == -1 ? -1 : 0);
}

int
quarantine_lift(struct host *h, const char *container, const char *digest,
    const char *by)
{
	struct lift	 li = { .li_host = h->h_id,
			    .li_container = container, .li_digest = digest };
	char		 subject[384];

	(void)snprintf(subject, sizeof(subject), "container %s/%s", h->h_name,
	    container);
	audit_set(&li.li_audit, by, "quarantine.lift", subject, AUDIT_OK,
	    "%s", digest[0] != '\0' ? digest : "all");
	if (store_update(eng->store, put_lift, &li) == -1) {
		log_warn("host %s: quarantine of %s is not lifted", h->h_id,
		    container);
		return (-1);
	}
	if (li.li_n > 0) {
		log_info("host %s (%s): container %s: quarantine lifted by %s",
		    h->h_id, h->h_name, container, by);
		event_publish("container_update", h, container,
		    "quarantine of %s lifted by %s%s%s", container, by,
		    digest[0] != '\0' ? ": " : "", digest);
	}
	return (li.li_n);
}
