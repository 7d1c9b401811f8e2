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

#include "engine_history.h"

#include <openssl/sha.h>

#include <sys/time.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "db_history.h"
#include "engine_command.h"
#include "engine_quarantine.h"
#include "log.h"
#include "pbcheck.h"
#include "utf8.h"
#include "xmalloc.h"

/*
 * Rows, and what the agent is told about them.  An id goes into a JournalAck
 * after the transaction that stored its row, or found it there, and only in
 * the session in which it came.
 */
#define ACK_IDS_MAX	512	/* in one message */
#define HISTORY_HOOK_ID	129	/* request id "/" phase, with NUL */

#define PAYLOAD(x) SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_##x

/* Ids that are to be acknowledged in one session. */
struct ack {
	char		 ak_host[HOST_ID_SIZE];
	uint64_t	 ak_epoch;
	char		*ak_ids[ACK_IDS_MAX];
	size_t		 ak_nids;
	TAILQ_ENTRY(ack) ak_entry;
};
TAILQ_HEAD(ack_list, ack);

struct add {
	const char			*ad_host;
	Sentinel__Store__HistoryRow	*ad_row;
	int				 ad_rc;
};

static int	 add_row(struct store_txn *, void *);
static char	*word(const char *, size_t, struct pbmem *);
static char	*line(const char *, size_t, struct pbmem *);
static int	 result(struct host *, const char *, struct history_entry *);
static uint64_t	 milliseconds(const Google__Protobuf__Duration *);
static void	 on_ack_timer(int, short, void *);
static void	 send_ack(struct ack *);
static void	 ack_free(struct ack *);
static void	 on_acked(void *, enum command_end, const char *);
static int	 sweep_some(struct store_txn *, void *);

static struct ack_list	 acks = TAILQ_HEAD_INITIALIZER(acks);
static struct event	*ack_timer;

/* --- rows ---------------------------------------------------------------- */

/* A field that is a word in the database; strangers' words may be odd. */
static char *
word(const char *src, size_t max, struct pbmem *pm)
{
	char	*p, *q;

	if (src == NULL)
		src = "";
	if ((p = pbmem_text(pm, src, strlen(src), max)) == NULL)
		return (NULL);
	for (q = p; *q != '\0'; q++) {
		if (*q <= ' ' || *q > '~')
			*q = '?';
	}
	return (p);
}

static char *
line(const char *src, size_t max, struct pbmem *pm)
{
	char	*p, *q;

	if (src == NULL)
		src = "";
	if ((p = pbmem_text(pm, src, strlen(src), max)) == NULL)
		return (NULL);
	for (q = p; *q != '\0'; q++) {
		if ((uint8_t)*q < ' ' || *q == 0x7f)
			*q = '?';
	}
	return (p);
}

int
history_record(const struct host *h, const struct history_entry *e,
    struct pbmem *pm, Sentinel__Store__HistoryRow *row)
{
	static const char *const	 origins[] = {
		[HISTORY_COMMAND] = "command",
		[HISTORY_OFFLINE] = "offline",
		[HISTORY_LOCAL] = "local",
	};
	uint8_t				*hash;
	struct timeval			 tv;
	const char			*error = e->he_error;

	if (error == NULL)
		error = "";
	gettimeofday(&tv, NULL);
	sentinel__store__history_row__init(row);
	if ((hash = pbmem_alloc(pm, SHA256_DIGEST_LENGTH)) == NULL)
		return (-1);
	SHA256((const uint8_t *)e->he_id, strlen(e->he_id), hash);
	row->id_hash.data = hash;
	row->id_hash.len = DB_HISTORY_HASH;
	row->stored_msec = (int64_t)tv.tv_sec * 1000 + tv.tv_usec / 1000;
	row->time_msec = e->he_msec > 0 ? e->he_msec : row->stored_msec;
	row->duration_msec = e->he_duration_msec;
	if ((row->id = line(e->he_id, 256, pm)) == NULL ||
	    (row->origin = word(origins[e->he_origin], 32, pm)) == NULL ||
	    (row->host_name = line(h->h_name, 255, pm)) == NULL ||
	    (row->container = word(e->he_container, 255, pm)) == NULL ||
	    (row->action = line(e->he_action, 256, pm)) == NULL ||
	    (row->old_image = word(e->he_old_image, 1024, pm)) == NULL ||
	    (row->new_image = word(e->he_new_image, 1024, pm)) == NULL ||
	    (row->old_digest = word(e->he_old_digest, 1024, pm)) == NULL ||
	    (row->new_digest = word(e->he_new_digest, 1024, pm)) == NULL ||
	    (row->outcome = word(e->he_outcome, 32, pm)) == NULL ||
	    (row->error = pbmem_text(pm, error, strlen(error),
	    HISTORY_TEXT_MAX)) == NULL)
		return (-1);
	return (0);
}

static int
add_row(struct store_txn *txn, void *arg)
{
	struct add	*ad = arg;

	ad->ad_rc = db_history_add(txn, ad->ad_host, ad->ad_row);
	if (ad->ad_rc == 1 && quarantine_row(txn, ad->ad_host, ad->ad_row) ==
	    -1)
		ad->ad_rc = -1;
	return (ad->ad_rc == -1 ? -1 : 0);
}

int
history_add(struct host *h, const struct history_entry *e)
{
	Sentinel__Store__HistoryRow	 row;
	struct pbmem			 pm;
	struct add			 ad = { h->h_id, &row, -1 };

	if (!rate_take(&h->h_row_rate, HISTORY_ROWS_BURST,
	    HISTORY_ROWS_MSEC)) {
		errno = EAGAIN;
		return (-1);
	}
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if (history_record(h, e, &pm, &row) == -1 ||
	    store_update(eng->store, add_row, &ad) == -1)
		ad.ad_rc = -1;
	if (ad.ad_rc == 1)
		quarantine_tell(h, &row);
	pbmem_free(&pm);
	if (ad.ad_rc == -1 && host_may_log(h))
		log_warn("host %s: history: not stored", h->h_id);
	return (ad.ad_rc);
}

/* -1 is not stored, and not acknowledged: the agent sends it again. */
static int
result(struct host *h, const char *request_id, struct history_entry *e)
{
	char	 id[sizeof(HISTORY_RESULT_PREFIX) + 128];
	int	 rc;

	if (request_id[0] == '\0')
		return (-1);	/* nobody could tell it from another */
	(void)snprintf(id, sizeof(id), HISTORY_RESULT_PREFIX "%s",
	    request_id);
	e->he_id = id;
	rc = history_add(h, e);
	if (rc != -1 && h->h_session != NULL)
		history_ack(h, h->h_session->se_epoch, id);
	return (rc);
}

static uint64_t
milliseconds(const Google__Protobuf__Duration *d)
{
	if (d == NULL || d->seconds < 0 || d->nanos < 0)
		return (0);
	return ((uint64_t)d->seconds * 1000 + (uint64_t)d->nanos / 1000000);
}

/* An update, or a rollback. */
static int
change_result(struct host *h, const Sentinel__Cluster__UpdateResult *m,
    const char *action)
{
	struct history_entry	 e = {
		.he_origin = HISTORY_COMMAND,
		.he_action = action,
		.he_container = m->container_name,
		.he_old_image = m->old_image,
		.he_new_image = m->new_image,
		.he_old_digest = m->old_digest,
		.he_new_digest = m->new_digest,
		.he_outcome = m->outcome,
		.he_error = m->error,
		.he_duration_msec = milliseconds(m->duration)
	};

	return (result(h, m->request_id, &e));
}

static int
hook_row(struct host *h, const Sentinel__Cluster__HookResult *m)
{
	char			 id[HISTORY_HOOK_ID], action[64];
	struct history_entry	 e = {
		.he_origin = HISTORY_COMMAND,
		.he_action = action,
		.he_container = m->container_name,
		.he_outcome = m->exit_code == 0 && m->error[0] == '\0' ?
		    "success" : "failed",
		.he_error = m->error
	};

	(void)snprintf(action, sizeof(action), "hook %s", m->phase);
	/* The update has a row of its own under its id. */
	if (!m->of_update)
		return (result(h, m->request_id, &e));
	if ((size_t)snprintf(id, sizeof(id), "%s/%s", m->request_id,
	    m->phase) >= sizeof(id))
		return (1);
	return (result(h, id, &e));
}

void
history_rollback(const Sentinel__Cluster__RollbackResult *m,
    Sentinel__Cluster__UpdateResult *u)
{
	sentinel__cluster__update_result__init(u);
	u->request_id = m->request_id;
	u->container_name = m->container_name;
	u->old_image = m->old_image;
	u->old_digest = m->old_digest;
	u->new_image = m->new_image;
	u->new_digest = m->new_digest;
	u->outcome = m->outcome;
	u->error = m->error;
	u->duration = m->duration;
}

bool
history_answer(struct host *h, const Sentinel__Cluster__AgentMessage *m)
{
	const Sentinel__Cluster__ContainerActionResult	*a;
	const Sentinel__Cluster__PullResult		*p;
	Sentinel__Cluster__UpdateResult			 back;
	struct history_entry	 e = { .he_origin = HISTORY_COMMAND };

	switch (m->payload_case) {
	case PAYLOAD(UPDATE_RESULT):
		return (change_result(h, m->update_result, "update") != 0);
	case PAYLOAD(ROLLBACK_RESULT):
		history_rollback(m->rollback_result, &back);
		return (change_result(h, &back, "rollback") != 0);
	case PAYLOAD(CONTAINER_ACTION_RESULT):
		a = m->container_action_result;
		e.he_action = a->action;
		e.he_container = a->container_name;
		e.he_outcome = a->outcome;
		e.he_error = a->error;
		return (result(h, a->request_id, &e) != 0);
	case PAYLOAD(PULL_RESULT):
		p = m->pull_result;
		e.he_action = "pull";
		e.he_new_image = p->image_ref;
		e.he_new_digest = p->digest;
		e.he_outcome = p->outcome;
		e.he_error = p->error;
		return (result(h, p->request_id, &e) != 0);
	case PAYLOAD(HOOK_RESULT):
		return (hook_row(h, m->hook_result) != 0);
	default:
		return (true);
	}
}

bool
history_local(const Sentinel__Ipc__DockerResult *m)
{
	struct history_entry	 e = {
		.he_action = "update",
		.he_container = m->container,
		.he_old_image = m->old_image,
		.he_new_image = m->new_image,
		.he_old_digest = m->old_digest,
		.he_new_digest = m->new_digest,
		.he_outcome = m->outcome,
		.he_error = m->error,
		.he_duration_msec = m->duration_msec,
		.he_origin = HISTORY_LOCAL,
	};
	char	 id[HISTORY_HOOK_ID], action[64];

	if (m->kind == SENTINEL__IPC__DOCKER_OP__KIND__HOOK) {
		(void)snprintf(action, sizeof(action), "hook %s", m->phase);
		e.he_action = action;
		if (m->of_update && (size_t)snprintf(id, sizeof(id), "%s/%s",
		    m->request_id, m->phase) < sizeof(id))
			return (result(eng->local, id, &e) != 0);
	} else if (m->kind == SENTINEL__IPC__DOCKER_OP__KIND__ACTION)
		e.he_action = m->action;
	else if (m->kind == SENTINEL__IPC__DOCKER_OP__KIND__PULL)
		e.he_action = "pull";
	else if (m->kind == SENTINEL__IPC__DOCKER_OP__KIND__ROLLBACK)
		e.he_action = "rollback";
	else if (m->kind != SENTINEL__IPC__DOCKER_OP__KIND__UPDATE)
		return (true);
	command_new_id(id);
	return (result(eng->local, m->request_id[0] != '\0' ?
	    m->request_id : id, &e) != 0);
}

/* --- acknowledgements ---------------------------------------------------- */

void
history_ack(const struct host *h, uint64_t epoch, const char *id)
{
	struct timeval	 tv = monotime_timeval(HISTORY_ACK_MSEC);
	struct ack	*ak;

	if (h->h_session == NULL || h->h_session->se_epoch != epoch ||
	    h->h_session->se_closing || !host_has_feature(h, "journal-ack"))
		return;
	TAILQ_FOREACH(ak, &acks, ak_entry) {
		if (ak->ak_epoch == epoch)
			break;
	}
	if (ak == NULL) {
		ak = xcalloc(1, sizeof(*ak));
		(void)strlcpy(ak->ak_host, h->h_id, sizeof(ak->ak_host));
		ak->ak_epoch = epoch;
		TAILQ_INSERT_TAIL(&acks, ak, ak_entry);
	}
	ak->ak_ids[ak->ak_nids++] = xstrdup(id);
	if (ak->ak_nids == ACK_IDS_MAX) {
		send_ack(ak);
		return;
	}
	if (ack_timer == NULL && (ack_timer = evtimer_new(proc_base(),
	    on_ack_timer, NULL)) == NULL)
		fatal("history_ack");
	if (!evtimer_pending(ack_timer, NULL))
		evtimer_add(ack_timer, &tv);
}

static void
on_ack_timer(int fd, short what, void *arg)
{
	struct ack	*ak;

	(void)fd;
	(void)what;
	(void)arg;
	while ((ak = TAILQ_FIRST(&acks)) != NULL)
		send_ack(ak);
}

/* Takes it.  What does not get through is sent by the agent again. */
static void
send_ack(struct ack *ak)
{
	Sentinel__Cluster__ServerMessage	 m;
	Sentinel__Cluster__JournalAck		 ja;
	struct host				*h = host_find(ak->ak_host);
	char					 id[REQUEST_ID_SIZE];

	if (h != NULL && h->h_session != NULL &&
	    h->h_session->se_epoch == ak->ak_epoch) {
		command_new_id(id);
		sentinel__cluster__journal_ack__init(&ja);
		ja.ids = ak->ak_ids;
		ja.n_ids = ak->ak_nids;
		sentinel__cluster__server_message__init(&m);
		m.request_id = id;
		m.payload_case =
		    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_JOURNAL_ACK;
		m.journal_ack = &ja;
		command_push(h->h_session, &m, on_acked, NULL);
	}
	ack_free(ak);
}

static void
on_acked(void *arg, enum command_end end, const char *why)
{
	(void)arg;
	if (end == COMMAND_FAILED)
		log_debug("journal: acknowledgement: %s", why);
}

static void
ack_free(struct ack *ak)
{
	size_t	 i;

	TAILQ_REMOVE(&acks, ak, ak_entry);
	for (i = 0; i < ak->ak_nids; i++)
		free(ak->ak_ids[i]);
	free(ak);
}

void
history_session_lost(const struct session *s)
{
	struct ack	*ak, *next;

	TAILQ_FOREACH_SAFE(ak, &acks, ak_entry, next) {
		if (ak->ak_epoch == s->se_epoch)
			ack_free(ak);
	}
}

/* --- age ----------------------------------------------------------------- */

struct sweep {
	int64_t	 sw_now;
	uint8_t	 sw_at[40];
	int	 sw_rc;
};

static int
sweep_some(struct store_txn *txn, void *arg)
{
	struct sweep	*sw = arg;

	sw->sw_rc = db_history_sweep(txn, sw->sw_now * 1000, sw->sw_at);
	return (sw->sw_rc == -1 ? -1 : 0);
}

/* A transaction a call, while there is something to look at. */
void
history_sweep(int64_t now)
{
	static struct sweep	 sw;
	static int64_t		 done;

	if (now >= done && now - done < 3600)
		return;
	sw.sw_now = now;
	if (store_update(eng->store, sweep_some, &sw) == -1)
		log_warn("history: old rows are not removed");
	else if (sw.sw_rc == 1)
		return;
	done = now;
}
