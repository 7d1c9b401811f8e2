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

#include "engine_journal.h"
#include "engine_live.h"

#include <stdlib.h>
#include <string.h>

#include "ipccheck.h"
#include "listhash.h"
#include "log.h"
#include "xmalloc.h"

/*
 * The containers of this host, as Docker listed them last.  Kept packed, in
 * the form in which they go out.  One list is under way at a time; who asks
 * meanwhile waits for the next one, since the running one may have passed
 * what he has just changed.
 *
 * While Docker's events flow every change is applied as it comes
 * (engine_live.c), and a list is made now and then only to be sure.
 */
#define LIST_WAITERS_MAX	256
#define LIST_SURE_MSEC		480000	/* and up to as much more: */
#define LIST_SURE_JITTER_MSEC	240000
#define LIST_TAG		0x12	/* field 2, length-delimited */

struct item {
	uint8_t		*it_blob;	/* ContainerInfo */
	size_t		 it_len;
	char		*it_id;
	uint8_t		 it_hash[LISTHASH_LEN];
	TAILQ_ENTRY(item) it_entry;
};
TAILQ_HEAD(item_list, item);

struct waiter {
	list_cb		 wa_cb;
	void		*wa_arg;
	bool		 wa_next;	/* not the one that runs now */
	TAILQ_ENTRY(waiter) wa_entry;
};
TAILQ_HEAD(waiter_list, waiter);

static void	 start(void);
static void	 finish(const char *);
static void	 on_poll(int, short, void *);
static void	 on_stuck(int, short, void *);
static void	 stage_clear(void);
static bool	 stage_is_same(void);
static void	 item_free(struct item *);
static void	 items_free(struct item_list *);
static struct item *item_new(const Sentinel__Cluster__ContainerInfo *,
		    size_t max);
static size_t	 varint_len(size_t);
static uint8_t	*put_item(uint8_t *, const uint8_t *, size_t);
static uint8_t	*append_lean(uint8_t *, size_t, size_t, size_t *);

static struct item_list		items = TAILQ_HEAD_INITIALIZER(items);
static struct item_list		stage = TAILQ_HEAD_INITIALIZER(stage);
static struct waiter_list	waiters = TAILQ_HEAD_INITIALIZER(waiters);
static size_t			nwaiters;
static size_t			nlisted, nstage;
static size_t			bytes, stage_bytes;
static bool			overflow;
static bool			running;
static bool			push_this, push_next;
static bool			stale = true;	/* changes may be missing */
static bool			again;	/* since this one began */
static bool			partial;	/* not all are in it, or sent */
static monotime_t		sure_at;	/* next list while live */
static time_t			listed_at;
static struct event		*poll_timer;
static struct event		*stuck_timer;

void
list_init(void)
{
	struct timeval	 tv = monotime_timeval(eng->conf.ac_list_msec);

	poll_timer = event_new(proc_base(), -1, EV_PERSIST, on_poll, NULL);
	stuck_timer = evtimer_new(proc_base(), on_stuck, NULL);
	if (poll_timer == NULL || stuck_timer == NULL ||
	    event_add(poll_timer, &tv) == -1)
		fatal("list_init");
}

size_t
list_count(void)
{
	return (nlisted);
}

time_t
list_time(void)
{
	return (listed_at);
}

static void
on_poll(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (!eng->docker_up || running || (eng->docker_live && !stale &&
	    monotime_now() < sure_at))
		return;
	list_ask(false, NULL, NULL);
}

/* Something may have been missed: what runs now is not enough. */
void
list_stale(void)
{
	stale = true;
	if (running)
		again = true;
	else
		list_ask(false, NULL, NULL);
}

void
list_ask(bool push, list_cb cb, void *arg)
{
	struct waiter	*w;

	if (proc_peer(ROLE_A_DOCKER) == NULL || nwaiters >= LIST_WAITERS_MAX) {
		if (cb != NULL)
			cb(eng->docker_error[0] != '\0' ? eng->docker_error :
			    "Docker is busy", arg);
		return;
	}
	if (cb != NULL) {
		w = xcalloc(1, sizeof(*w));
		w->wa_cb = cb;
		w->wa_arg = arg;
		w->wa_next = running;
		TAILQ_INSERT_TAIL(&waiters, w, wa_entry);
		nwaiters++;
	}
	if (running && (push || cb != NULL))
		push_next = push_next || push;
	else if (!running) {
		push_this = push;
		start();
	}
}

static void
start(void)
{
	struct timeval		 tv = monotime_timeval(ENGINE_LIST_MSEC);
	Sentinel__Ipc__DockerOp	 m;

	stage_clear();
	stale = again = false;
	sentinel__ipc__docker_op__init(&m);
	m.kind = SENTINEL__IPC__DOCKER_OP__KIND__LIST;
	running = true;
	peer_send_pb(proc_peer(ROLE_A_DOCKER), IMSG_DOCKER_OP, 0, &m.base);
	evtimer_add(stuck_timer, &tv);
}

static void
on_stuck(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	log_warnx("docker: no end of a list within %d s",
	    ENGINE_LIST_MSEC / 1000);
	stage_clear();
	finish("Docker does not finish its list of containers");
}

void
list_container(struct peer *p, struct imsg *imsg)
{
	Sentinel__Cluster__ContainerInfo	*info;
	struct item				*it;
	struct pbmem				 pm;

	if (!running)
		return;		/* of a list that was given up */
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	info = ipc_unpack(imsg, &sentinel__cluster__container_info__descriptor,
	    &pm);
	if (info == NULL)
		peer_broken(p, imsg, pm.pm_why);
	else if (nstage >= ENGINE_CONTAINERS_MAX || overflow ||
	    (it = item_new(info, ENGINE_BLOB_MAXBYTES - stage_bytes)) == NULL)
		overflow = true;
	else {
		TAILQ_INSERT_TAIL(&stage, it, it_entry);
		nstage++;
		stage_bytes += it->it_len;
	}
	pbmem_free(&pm);
}

void
list_end(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__ListEnd	*end;
	struct pbmem		 pm;

	if (!running)
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	end = ipc_unpack(imsg, &sentinel__ipc__list_end__descriptor, &pm);
	if (end == NULL)
		peer_broken(p, imsg, pm.pm_why);
	else
		finish(end->error);
	pbmem_free(&pm);
}

void
list_lost(const char *why)
{
	struct waiter	*w;

	if (!running)
		return;
	stage_clear();
	/* There is nobody to make the next one. */
	TAILQ_FOREACH(w, &waiters, wa_entry)
		w->wa_next = false;
	finish(why);
}

static bool
stage_is_same(void)
{
	const struct item	*a, *b;

	if (nstage != nlisted || stage_bytes != bytes)
		return (false);
	b = TAILQ_FIRST(&items);
	TAILQ_FOREACH(a, &stage, it_entry) {
		if (a->it_len != b->it_len ||
		    memcmp(a->it_blob, b->it_blob, a->it_len) != 0)
			return (false);
		b = TAILQ_NEXT(b, it_entry);
	}
	return (true);
}

/* The whole list is here, or there is none: everybody who waited is told. */
static void
finish(const char *error)
{
	struct waiter_list	 done = TAILQ_HEAD_INITIALIZER(done);
	struct waiter		*w, *next;
	bool			 push = push_this, changed, first;

	evtimer_del(stuck_timer);
	running = push_this = false;
	if (error[0] == '\0') {
		if (overflow)
			log_warnx("docker: more than %d containers or %d bytes "
			    "of them: the rest is left out",
			    ENGINE_CONTAINERS_MAX, ENGINE_BLOB_MAXBYTES);
		changed = !stage_is_same();
		push = push || changed;
		items_free(&items);
		TAILQ_CONCAT(&items, &stage, it_entry);
		nlisted = nstage;
		bytes = stage_bytes;
		first = listed_at == 0;
		listed_at = time(NULL);
		sure_at = monotime_now() + LIST_SURE_MSEC +
		    arc4random_uniform(LIST_SURE_JITTER_MSEC);
		partial = overflow;
		nstage = stage_bytes = 0;
		if (push && session_is_open())
			list_send("", "");
		if (changed || first)
			offline_observe();
	} else
		stale = true;
	TAILQ_FOREACH_SAFE(w, &waiters, wa_entry, next) {
		if (!w->wa_next) {
			TAILQ_REMOVE(&waiters, w, wa_entry);
			TAILQ_INSERT_TAIL(&done, w, wa_entry);
			nwaiters--;
		} else
			w->wa_next = false;
	}
	if ((!TAILQ_EMPTY(&waiters) || push_next || again) &&
	    proc_peer(ROLE_A_DOCKER) != NULL) {
		push_this = push_next;
		start();
	}
	push_next = false;
	while ((w = TAILQ_FIRST(&done)) != NULL) {
		TAILQ_REMOVE(&done, w, wa_entry);
		w->wa_cb(error, w->wa_arg);
		free(w);
	}
}

static struct item *
item_new(const Sentinel__Cluster__ContainerInfo *info, size_t max)
{
	struct item	*it;
	uint8_t		*blob;
	size_t		 len;

	if ((blob = pbcheck_pack(&info->base, max, &len)) == NULL)
		return (NULL);
	it = xcalloc(1, sizeof(*it));
	it->it_blob = blob;
	it->it_len = len;
	it->it_id = xstrdup(info->id);
	listhash_of(info, it->it_hash);
	return (it);
}

static void
item_free(struct item *it)
{
	free(it->it_id);
	free(it->it_blob);
	free(it);
}

static void
items_free(struct item_list *list)
{
	struct item	*it;

	while ((it = TAILQ_FIRST(list)) != NULL) {
		TAILQ_REMOVE(list, it, it_entry);
		item_free(it);
	}
}

/* --- changes ------------------------------------------------------------- */

static struct item *
item_find(const char *id)
{
	struct item	*it;

	TAILQ_FOREACH(it, &items, it_entry) {
		if (strcmp(it->it_id, id) == 0)
			return (it);
	}
	return (NULL);
}

/* New ones come first, as in Docker's own list. */
bool
list_apply(const char *id, const Sentinel__Cluster__ContainerInfo *info)
{
	struct item	*old = item_find(id), *new = NULL;

	if (info == NULL && old == NULL)
		return (false);
	if (info != NULL && (nlisted >= ENGINE_CONTAINERS_MAX + (old != NULL) ||
	    (new = item_new(info, ENGINE_BLOB_MAXBYTES - bytes +
	    (old != NULL ? old->it_len : 0))) == NULL)) {
		partial = true;
		return (false);
	}
	if (new != NULL && old != NULL && new->it_len == old->it_len &&
	    memcmp(new->it_blob, old->it_blob, new->it_len) == 0) {
		item_free(new);
		return (false);
	}
	if (new != NULL && old != NULL)
		TAILQ_INSERT_BEFORE(old, new, it_entry);
	else if (new != NULL)
		TAILQ_INSERT_HEAD(&items, new, it_entry);
	if (new != NULL) {
		nlisted++;
		bytes += new->it_len;
	}
	if (old != NULL) {
		TAILQ_REMOVE(&items, old, it_entry);
		nlisted--;
		bytes -= old->it_len;
		item_free(old);
	}
	return (true);
}

const uint8_t *
list_lend(const char *id, size_t *len)
{
	const struct item	*it = item_find(id);

	*len = it == NULL ? 0 : it->it_len;
	return (it == NULL ? NULL : it->it_blob);
}

bool
list_hash(uint8_t sum[LISTHASH_LEN])
{
	const struct item	*it;

	if (!eng->docker_live || stale || partial || listed_at == 0)
		return (false);
	memset(sum, 0, LISTHASH_LEN);
	TAILQ_FOREACH(it, &items, it_entry)
		listhash_toggle(sum, it->it_hash);
	return (true);
}

static void
stage_clear(void)
{
	items_free(&stage);
	nstage = stage_bytes = 0;
	overflow = false;
}

void
list_walk(bool (*fn)(const Sentinel__Cluster__ContainerInfo *, void *),
    void *arg)
{
	Sentinel__Cluster__ContainerInfo	*info;
	struct item				*it;
	struct pbmem				 pm;
	bool					 go = true;

	TAILQ_FOREACH(it, &items, it_entry) {
		pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
		info = pbcheck_unpack(
		    &sentinel__cluster__container_info__descriptor,
		    it->it_blob, it->it_len, &pm, NULL);
		if (info != NULL)
			go = fn(info, arg);
		pbmem_free(&pm);
		if (!go)
			return;
	}
}

/* --- messages ------------------------------------------------------------ */

static size_t
varint_len(size_t n)
{
	size_t	 len = 1;

	while (n >= 0x80) {
		n >>= 7;
		len++;
	}
	return (len);
}

static uint8_t *
put_item(uint8_t *p, const uint8_t *blob, size_t len)
{
	size_t	 n = len;

	*p++ = LIST_TAG;
	while (n >= 0x80) {
		*p++ = (uint8_t)(n | 0x80);
		n >>= 7;
	}
	*p++ = (uint8_t)n;
	memcpy(p, blob, len);
	return (p + len);
}

uint8_t *
list_append(uint8_t *head, size_t headlen, size_t max, size_t *len)
{
	struct item	*it;
	uint8_t		*all, *p;
	size_t		 total = headlen;

	TAILQ_FOREACH(it, &items, it_entry)
		total += 1 + varint_len(it->it_len) + it->it_len;
	if (total > max)
		return (append_lean(head, headlen, max, len));
	if ((all = reallocarray(head, total > 0 ? total : 1, 1)) == NULL) {
		free(head);
		return (NULL);
	}
	p = all + headlen;
	TAILQ_FOREACH(it, &items, it_entry)
		p = put_item(p, it->it_blob, it->it_len);
	*len = total;
	return (all);
}

/* Without labels, and as many as fit then. */
static uint8_t *
append_lean(uint8_t *head, size_t headlen, size_t max, size_t *len)
{
	Sentinel__Cluster__ContainerInfo	*info;
	struct item				*it;
	struct pbmem				 pm;
	uint8_t					*all, *blob, *p;
	size_t					 bloblen, left = 0;

	if ((all = reallocarray(head, max, 1)) == NULL) {
		free(head);
		return (NULL);
	}
	p = all + headlen;
	TAILQ_FOREACH(it, &items, it_entry) {
		pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
		info = pbcheck_unpack(
		    &sentinel__cluster__container_info__descriptor,
		    it->it_blob, it->it_len, &pm, NULL);
		blob = NULL;
		if (info != NULL) {
			info->n_labels = 0;
			blob = pbcheck_pack(&info->base, max, &bloblen);
		}
		if (blob != NULL && (size_t)(p - all) + 1 +
		    varint_len(bloblen) + bloblen <= max)
			p = put_item(p, blob, bloblen);
		else
			left++;
		free(blob);
		pbmem_free(&pm);
	}
	partial = partial || left > 0;
	log_warnx("list of containers larger than %zu bytes: sent without "
	    "labels, %zu containers left out", max, left);
	*len = (size_t)(p - all);
	return (all);
}

/* A list as a message of the stream; error: there is none, and why. */
void
list_send(const char *request_id, const char *error)
{
	Sentinel__Cluster__ContainerList	 list;
	uint8_t					*body, *msg, *p;
	size_t					 len, max;

	sentinel__cluster__container_list__init(&list);
	list.request_id = engine_lend(request_id);
	list.error = engine_lend(error);
	/* Field 2 of AgentMessage, written by hand around the list. */
	max = GRPC_SEND_MAXBYTES - 16;
	if ((body = pbcheck_pack(&list.base, max, &len)) == NULL)
		return;
	if (error[0] == '\0' &&
	    (body = list_append(body, len, max, &len)) == NULL)
		return;
	if ((msg = malloc(1 + varint_len(len) + len)) != NULL) {
		p = put_item(msg, body, len);
		out_push_packed(OUT_PLAIN, msg, (size_t)(p - msg), 0);
	}
	free(body);
}
