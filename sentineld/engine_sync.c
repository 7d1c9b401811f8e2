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
#include "engine_sync.h"

#include <stdlib.h>
#include <string.h>

#include "engine_command.h"
#include "engine_settings.h"
#include "log.h"
#include "xmalloc.h"

#define DUE_POLICIES	0x1
#define DUE_SETTINGS	0x2
#define DUE_BEAT	0x4
#define PAYLOAD(x) SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_##x

/* A push under way, with what is due again when it fails. */
struct pushed {
	uint32_t	 pd_call;
	uint64_t	 pd_epoch;
	unsigned int	 pd_what;
};

static bool	 is_open(const struct session *);
static void	 wake(unsigned int);
static void	 on_timer(int, short, void *);
static void	 send_due(struct session *);
static void	 push(struct session *, Sentinel__Cluster__ServerMessage *,
		    unsigned int);
static void	 on_pushed(void *, enum command_end, const char *);
static void	 put_off(struct session *, const char *);
static void	 send_policies(struct session *);
static void	 send_settings(struct session *);
static void	 send_beat(struct session *);
static void	 set_duration(Google__Protobuf__Duration *, uint64_t);

static struct event	*timer;
static monotime_t	 wake_at;	/* while it is pending */
static uint64_t		 revision;	/* of the last sync of any kind */

/* --- what is due -------------------------------------------------------- */

/* An expired certificate is good for a new one and for nothing else. */
static bool
is_open(const struct session *s)
{
	return (s->se_channel && !s->se_closing && !s->se_renew);
}

static void
wake(unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);
	monotime_t	 at = monotime_now() + msec;

	if (timer == NULL && (timer = evtimer_new(proc_base(), on_timer,
	    NULL)) == NULL)
		fatal("engine_sync");
	/* The first change counts the time: a stream of them delays none. */
	if (evtimer_pending(timer, NULL) && wake_at <= at)
		return;
	wake_at = at;
	evtimer_add(timer, &tv);
}

void
sync_session(struct session *s)
{
	s->se_due = DUE_POLICIES | DUE_SETTINGS;
	s->se_beat = monotime_now();
	wake(SYNC_WAIT_MSEC);
}

void
sync_settings(void)
{
	struct session	*s;

	RB_FOREACH(s, session_tree, &eng->sessions)
		s->se_due |= DUE_SETTINGS;
	wake(SYNC_WAIT_MSEC);
}

void
sync_policies(struct host *h)
{
	struct session	*s;

	if (h != NULL) {
		if (h->h_session != NULL)
			h->h_session->se_due |= DUE_POLICIES;
	} else
		RB_FOREACH(s, session_tree, &eng->sessions)
			s->se_due |= DUE_POLICIES;
	wake(SYNC_WAIT_MSEC);
}

void
sync_tick(void)
{
	struct session	*s;
	monotime_t	 now = monotime_now();
	bool		 any = false;

	RB_FOREACH(s, session_tree, &eng->sessions) {
		if (!is_open(s) ||
		    now - s->se_beat < (monotime_t)eng->conf.ec_beat_msec ||
		    !host_has_feature(s->se_host, "server-heartbeat"))
			continue;
		s->se_beat = now;
		s->se_due |= DUE_BEAT;
		any = true;
	}
	if (any)
		wake(SYNC_PIECE_MSEC);
}

/* A few at a time; those that must wait are looked at again. */
static void
on_timer(int fd, short what, void *arg)
{
	struct session	*s, *next;
	monotime_t	 now = monotime_now();
	unsigned int	 sent = 0, again = 0;

	(void)fd;
	(void)what;
	(void)arg;
	RB_FOREACH_SAFE(s, session_tree, &eng->sessions, next) {
		if (s->se_due == 0 || !is_open(s))
			continue;
		if (now < s->se_retry) {
			again = again == 0 ? SYNC_RETRY_MSEC : again;
			continue;
		}
		if (sent >= SYNC_BATCH) {
			again = SYNC_PIECE_MSEC;
			break;
		}
		send_due(s);
		sent++;
	}
	if (again != 0)
		wake(again);
}

/* --- sending ------------------------------------------------------------ */

static void
send_due(struct session *s)
{
	unsigned int	 due = s->se_due;

	s->se_due = 0;
	if (due & DUE_SETTINGS)
		send_settings(s);
	if (due & DUE_POLICIES)
		send_policies(s);
	if (due & DUE_BEAT)
		send_beat(s);
}

static void
push(struct session *s, Sentinel__Cluster__ServerMessage *m,
    unsigned int what)
{
	struct pushed	*pd;
	char		 id[REQUEST_ID_SIZE];

	pd = xcalloc(1, sizeof(*pd));
	pd->pd_call = s->se_call;
	pd->pd_epoch = s->se_epoch;
	pd->pd_what = what;
	command_new_id(id);
	m->request_id = id;
	command_push(s, m, on_pushed, pd);
}

/* A heartbeat that finds no room has said what it had to say: nothing. */
static void
on_pushed(void *arg, enum command_end end, const char *why)
{
	struct pushed	*pd = arg;
	struct session	*s = session_find(pd->pd_call);

	if (s == NULL || s->se_epoch != pd->pd_epoch || !is_open(s))
		;	/* it has ended meanwhile */
	else if (end == COMMAND_QUEUED)
		s->se_retry_msec = 0;
	else if (pd->pd_what != DUE_BEAT) {
		s->se_due |= pd->pd_what;
		put_off(s, why);
	}
	free(pd);
}

static void
put_off(struct session *s, const char *why)
{
	unsigned int	 msec = 2 * s->se_retry_msec;

	msec = msec < SYNC_RETRY_MSEC ? SYNC_RETRY_MSEC :
	    msec > SYNC_RETRY_MAX_MSEC ? SYNC_RETRY_MAX_MSEC : msec;
	log_debug("host %s: policies and settings wait for %u ms: %s",
	    s->se_host->h_id, msec, why);
	s->se_retry_msec = msec;
	s->se_retry = monotime_now() + msec;
	wake(SYNC_RETRY_MSEC);
}

/*
 * The existing agent takes an empty map for none at all.  A name that no
 * container can have makes it forget what it had; ours knows a complete sync
 * by its revision.
 */
static void
send_policies(struct session *s)
{
	static char			 nobody[] = "-";
	Sentinel__Cluster__ServerMessage m;
	Sentinel__Cluster__PolicySync	 sync;
	Sentinel__Cluster__PolicySync__PoliciesEntry	*list[POLICY_HOST_MAX];
	Sentinel__Cluster__PolicySync__PoliciesEntry	*e;
	Sentinel__Cluster__ContainerInfo none;
	const struct policy_row		*pl;
	struct policy_facts		 pf;
	bool				 ours;

	ours = host_has_feature(s->se_host, "sync");
	sentinel__cluster__container_info__init(&none);
	policy_facts_of(s->se_host, &none, &pf);
	sentinel__cluster__policy_sync__init(&sync);
	e = xcalloc(POLICY_HOST_MAX, sizeof(*e));
	for (pl = policy_first(s->se_host); pl != NULL &&
	    sync.n_policies < POLICY_HOST_MAX; pl = policy_next(pl)) {
		list[sync.n_policies] = &e[sync.n_policies];
		sentinel__cluster__policy_sync__policies_entry__init(
		    list[sync.n_policies]);
		list[sync.n_policies]->key = pl->pl_container;
		list[sync.n_policies++]->value =
		    (char *)(uintptr_t)policy_name(pl->pl_policy);
	}
	sync.default_policy = (char *)(uintptr_t)policy_name(
	    pf.pf_host != POLICY_NONE ? pf.pf_host : pf.pf_default);
	if (ours) {
		sync.revision = ++revision;
		sync.host_default = pf.pf_host != POLICY_NONE;
	} else if (sync.n_policies == 0) {
		sentinel__cluster__policy_sync__policies_entry__init(&e[0]);
		e[0].key = nobody;
		e[0].value = sync.default_policy;
		list[sync.n_policies++] = &e[0];
	}
	sync.policies = list;
	sentinel__cluster__server_message__init(&m);
	m.payload_case = PAYLOAD(POLICY_SYNC);
	m.policy_sync = &sync;
	push(s, &m, DUE_POLICIES);
	free(e);
}

static void
set_duration(Google__Protobuf__Duration *d, uint64_t msec)
{
	google__protobuf__duration__init(d);
	d->seconds = (int64_t)(msec / 1000);
	d->nanos = (int32_t)(msec % 1000) * 1000000;
}

/* Never a poll interval of 0 or below, which ends the existing agent: the
 * bounds of the key see to it. */
static void
send_settings(struct session *s)
{
	static char				*rollback[] = {
		[CONF_ROLLBACK_NONE] = (char *)(uintptr_t)"",
		[CONF_ROLLBACK_MANUAL] = (char *)(uintptr_t)"manual",
		[CONF_ROLLBACK_PINNED] = (char *)(uintptr_t)"pinned",
	};
	const struct conf_settings		*ct = settings_now();
	Sentinel__Cluster__ServerMessage	 m;
	Sentinel__Cluster__SettingsSync		 sync;
	Google__Protobuf__Duration		 poll, grace, offline;

	sentinel__cluster__settings_sync__init(&sync);
	set_duration(&poll, ct->ct_poll_msec);
	set_duration(&grace, ct->ct_grace_msec);
	sync.poll_interval = &poll;
	sync.grace_period = &grace;
	sync.latest_auto_update = ct->ct_latest_auto;
	sync.image_cleanup = ct->ct_image_cleanup;
	sync.hooks_enabled = ct->ct_hooks;
	sync.dependency_aware = ct->ct_dependencies;
	sync.rollback_policy = rollback[ct->ct_rollback];
	if (host_has_feature(s->se_host, "sync")) {
		sync.revision = ++revision;
		set_duration(&offline, ct->ct_offline_msec);
		sync.grace_period_offline = &offline;
	}
	sentinel__cluster__server_message__init(&m);
	m.payload_case = PAYLOAD(SETTINGS_SYNC);
	m.settings_sync = &sync;
	push(s, &m, DUE_SETTINGS);
}

static void
send_beat(struct session *s)
{
	static char				 version[] = SENTINEL_VERSION;
	Sentinel__Cluster__ServerMessage	 m;
	Sentinel__Cluster__Heartbeat		 hb;
	Google__Protobuf__Timestamp		 ts;
	struct timespec				 now;

	clock_gettime(CLOCK_REALTIME, &now);
	google__protobuf__timestamp__init(&ts);
	ts.seconds = now.tv_sec;
	ts.nanos = (int32_t)now.tv_nsec;
	sentinel__cluster__heartbeat__init(&hb);
	hb.timestamp = &ts;
	hb.agent_version = version;
	sentinel__cluster__server_message__init(&m);
	m.payload_case = PAYLOAD(HEARTBEAT);
	m.heartbeat = &hb;
	push(s, &m, DUE_BEAT);
}
