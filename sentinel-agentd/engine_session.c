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

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_bundle.h"
#include "engine_cause.h"
#include "engine_fault.h"
#include "engine_follow.h"
#include "engine_live.h"
#include "engine_policy.h"
#include "engine_reenrol.h"
#include "engine_renew.h"
#include "ipccheck.h"
#include "log.h"
#include "resolv.h"

/*
 * The life of a session: wait, ask Docker for a list, connect, ReportState,
 * Channel, heartbeats; every end leads back to the wait.  uplink makes one
 * attempt at a time and says UPLINK_DOWN exactly once for each.
 */

static void	 wait_for(unsigned int);
static void	 guard(uint64_t);
static void	 on_timer(int, short, void *);
static void	 prepare(void);
static void	 connect_now(void);
static void	 on_list(const char *, void *);
static void	 send_report(void);
static void	 on_beat(int, short, void *);
static void	 hang_up(void);
static void	 explain(const Sentinel__Ipc__UplinkDown *);
static bool	 is_for_us(const struct imsg *);
static Google__Protobuf__Timestamp *now_stamp(void);

static struct backoff	 backoff;
static struct event	*timer;		/* wait, prepare */
static struct event	*beat_timer;
static monotime_t	 opened;	/* SESSION_OPEN began; 0: it has not */
static bool		 wants_uplink;	/* SESSION_WAIT until it is there */
static void		(*yielded)(void);	/* who has the uplink next */

void
session_begin(void)
{
	if (timer == NULL) {
		timer = evtimer_new(proc_base(), on_timer, NULL);
		beat_timer = event_new(proc_base(), -1, EV_PERSIST, on_beat,
		    NULL);
		if (timer == NULL || beat_timer == NULL)
			fatal("session_begin");
		backoff_init(&backoff,
		    (unsigned int)eng->conf.ac_reconnect_min_msec,
		    (unsigned int)eng->conf.ac_reconnect_max_msec);
	}
	prepare();
}

bool
session_is_open(void)
{
	return (eng->session == SESSION_OPEN);
}

void
session_server_name(char *name, size_t size)
{
	char		 host[RESOLV_NAME_SIZE] = "";
	uint16_t	 port;

	if (eng->conf.ac_server_name[0] != '\0')
		(void)strlcpy(name, eng->conf.ac_server_name, size);
	else {
		(void)resolv_split(eng->conf.ac_server, host, &port);
		(void)strlcpy(name, host, size);
	}
}

static void
wait_for(unsigned int msec)
{
	struct timeval	 tv = monotime_timeval(msec);

	eng->session = SESSION_WAIT;
	evtimer_add(timer, &tv);
}

/* uplink has its own deadlines; one that does not keep them is broken. */
static void
guard(uint64_t msec)
{
	struct timeval	 tv = monotime_timeval(msec + ENGINE_SIBLING_MSEC);

	evtimer_add(timer, &tv);
}

static void
on_timer(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	if (eng->session == SESSION_WAIT)
		prepare();
	else if (eng->session == SESSION_PREPARE)
		connect_now();
	else if (proc_peer(ROLE_A_UPLINK) != NULL)
		peer_broken(proc_peer(ROLE_A_UPLINK), NULL,
		    "no answer from uplink");
}

/* --- the way up ---------------------------------------------------------- */

/* The report holds a list; without Docker the agent connects all the same. */
static void
prepare(void)
{
	struct timeval	 tv = monotime_timeval(ENGINE_PREPARE_MSEC);

	eng->session = SESSION_PREPARE;
	evtimer_add(timer, &tv);
	if (!eng->conf.ac_docker)
		connect_now();
	else if (eng->docker_known)
		session_prepared();
}

void
session_prepared(void)
{
	if (eng->session != SESSION_PREPARE)
		return;
	if (eng->docker_up)
		list_ask(false, on_list, NULL);
	else
		connect_now();
}

static void
on_list(const char *error, void *arg)
{
	(void)error;	/* docker_error says it */
	(void)arg;
	if (eng->session == SESSION_PREPARE)
		connect_now();
}

static void
connect_now(void)
{
	Sentinel__Ipc__UplinkConnect	 m;
	const uint8_t			*cert;

	if (proc_peer(ROLE_A_UPLINK) == NULL) {
		/* session_uplink_up() goes on. */
		eng->session = SESSION_WAIT;
		evtimer_del(timer);
		wants_uplink = true;
		return;
	}
	sentinel__ipc__uplink_connect__init(&m);
	m.server = eng->conf.ac_server;
	m.server_name = eng->conf.ac_server_name;
	m.ca_pem.data = eng->id.id_ca;
	m.ca_pem.len = eng->id.id_calen;
	renew_pair(&cert, &m.cert_pem.len);
	m.cert_pem.data = (uint8_t *)(uintptr_t)cert;
	m.connect_msec = (uint32_t)eng->conf.ac_connect_msec;
	eng->session = SESSION_CONNECT;
	eng->uplink_busy = true;
	opened = 0;
	guard(eng->conf.ac_connect_msec);
	peer_send_pb(proc_peer(ROLE_A_UPLINK), IMSG_UPLINK_CONNECT,
	    ++eng->attempt, &m.base);
}

/* Of the attempt that runs, and of a session. */
static bool
is_for_us(const struct imsg *imsg)
{
	return (eng->uplink_busy && imsg_get_id(imsg) == eng->attempt);
}

/* empty */
void
session_up(struct peer *p, struct imsg *imsg)
{
	if (!is_for_us(imsg) || eng->session != SESSION_CONNECT) {
		peer_broken(p, imsg, "up out of order");
		return;
	}
	eng->session = SESSION_REPORT;
	guard(eng->conf.ac_rpc_msec);
	arc4random_buf(eng->nonce, sizeof(eng->nonce));
	command_session();
	policy_session();
	send_report();
}

static Google__Protobuf__Timestamp *
now_stamp(void)
{
	static Google__Protobuf__Timestamp	 ts;
	struct timespec				 now;

	clock_gettime(CLOCK_REALTIME, &now);
	google__protobuf__timestamp__init(&ts);
	ts.seconds = now.tv_sec;
	ts.nanos = (int32_t)now.tv_nsec;
	return (&ts);
}

static void
send_report(void)
{
	Sentinel__Cluster__StateReport	 r;
	Sentinel__Ipc__UplinkReport	 m;
	struct pbmem			 pm;
	uint8_t				*data = NULL;
	size_t				 len;

	sentinel__cluster__state_report__init(&r);
	r.host_id = eng->id.id_host;
	r.timestamp = now_stamp();
	r.agent_version = engine_lend(engine_version());
	r.supported_features = engine_features(&r.n_supported_features);
	r.engine_id = eng->docker_id;
	r.docker_error = eng->docker_error;
	if (eng->conf.ac_signed != CONF_SIGNED_OFF) {
		r.session_nonce.data = eng->nonce;
		r.session_nonce.len = sizeof(eng->nonce);
	}
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	if (pbcheck_repair(&r.base, &pm) == 0)
		data = pbcheck_pack(&r.base, GRPC_SEND_MAXBYTES, &len);
	pbmem_free(&pm);
	if (data != NULL)
		data = list_append(data, len, GRPC_SEND_MAXBYTES - 64, &len);
	if (data == NULL) {
		session_close("no memory for the report");
		return;
	}
	sentinel__ipc__uplink_report__init(&m);
	m.report.data = data;
	m.report.len = len;
	peer_send_pb(proc_peer(ROLE_A_UPLINK), IMSG_UPLINK_REPORT,
	    eng->attempt, &m.base);
	free(data);
}

void
session_ack(struct peer *p, struct imsg *imsg)
{
	struct timeval		 tv;
	Sentinel__Ipc__UplinkAck *m;
	struct pbmem		 pm;
	char			 why[300];

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__uplink_ack__descriptor, &pm);
	if (m == NULL || !is_for_us(imsg) || eng->session != SESSION_REPORT) {
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "ack out of order");
		goto out;
	}
	if (!m->ack->accepted) {
		(void)snprintf(why, sizeof(why), "the server does not accept "
		    "the report: %s", m->ack->message);
		session_close(why);
		goto out;
	}
	session_learn(m->ack);
	state_prove(eng->conf.ac_self);
	peer_send(p, IMSG_UPLINK_CHANNEL, eng->attempt, -1, NULL, 0);
	evtimer_del(timer);
	eng->session = SESSION_OPEN;
	opened = monotime_now();
	eng->last_error[0] = '\0';
	fault_forget();
	log_info("session with %s established%s", eng->conf.ac_server,
	    command_must_be_signed() ? ", commands signed" : "");
	if (command_must_be_signed() && !m->ack->signed_commands)
		log_warnx("server %s does not say that it signs commands: "
		    "what it sends unsigned will be refused; for a server "
		    "that cannot sign set agent.signed_commands: off",
		    eng->conf.ac_server);
	event_add_line("session", NULL, "connected to %s",
	    eng->conf.ac_server);
	tv = monotime_timeval(eng->conf.ac_heartbeat_msec);
	event_add(beat_timer, &tv);
	offline_opened();
	session_heartbeat();
	out_flush();
	renew_acked(m->ack);
 out:
	pbmem_free(&pm);
}

/* --- heartbeats ---------------------------------------------------------- */

static void
on_beat(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	session_heartbeat();
}

void
session_heartbeat(void)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__Heartbeat	 hb;
	uint8_t				 pins[X509_PINS_MAXBYTES];
	uint8_t				 hash[LISTHASH_LEN];

	if (!session_is_open())
		return;
	sentinel__cluster__heartbeat__init(&hb);
	live_heartbeat(&hb, hash);
	hb.timestamp = now_stamp();
	hb.agent_version = engine_lend(engine_version());
	hb.supported_features = engine_features(&hb.n_supported_features);
	hb.host_id = eng->id.id_host;
	hb.engine_id = eng->docker_id;
	hb.docker_error = eng->docker_error;
	if (session_has_feature("ca-bundle")) {
		hb.ca_pins.data = pins;
		hb.ca_pins.len = bundle_pins(pins);
	}
	sentinel__cluster__agent_message__init(&m);
	m.payload_case = SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_HEARTBEAT;
	m.heartbeat = &hb;
	out_push(OUT_BEAT, &m, 0);
}

/* --- messages ------------------------------------------------------------ */

void
session_message(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__UplinkMessage	*m;
	struct pbmem			 pm;

	if (!is_for_us(imsg) || !session_is_open())
		return;		/* we have closed meanwhile */
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__uplink_message__descriptor, &pm);
	if (m == NULL)
		peer_broken(p, imsg, pm.pm_why);
	else {
		offline_heard();
		command_receive(m->message.data, m->message.len);
	}
	pbmem_free(&pm);
}

void
session_sent(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__Sent	*m;
	struct pbmem		 pm;

	if (!is_for_us(imsg) || !session_is_open())
		return;
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__sent__descriptor, &pm);
	if (m == NULL || m->count > out_unsent())
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "credit that was not taken");
	else
		out_sent(m->count);
	pbmem_free(&pm);
}

/* --- the way down -------------------------------------------------------- */

void
session_close(const char *why)
{
	if (eng->session != SESSION_CONNECT &&
	    eng->session != SESSION_REPORT && eng->session != SESSION_OPEN)
		return;
	log_warnx("server %s: closed by us: %s", eng->conf.ac_server, why);
	engine_text(eng->last_error, sizeof(eng->last_error), why);
	hang_up();
}

void
session_restart(const char *why)
{
	if (!session_is_open())
		return;
	log_info("server %s: connecting anew: %s", eng->conf.ac_server, why);
	hang_up();
}

static void
hang_up(void)
{
	peer_send(proc_peer(ROLE_A_UPLINK), IMSG_UPLINK_CLOSE, eng->attempt,
	    -1, NULL, 0);
	/* What uplink still sends is not looked at: it may be taken over, and
	 * the end of a session is also the end of its nonce. */
	eng->session = SESSION_CLOSING;
	follow_session_lost();
	event_del(beat_timer);
	guard(0);
}

void
session_yield(void (*fn)(void))
{
	yielded = fn;
	if (eng->session == SESSION_CONNECT || eng->session == SESSION_REPORT ||
	    eng->session == SESSION_OPEN)
		hang_up();
	if (eng->uplink_busy)
		return;		/* explain() comes to it */
	yielded = NULL;
	wants_uplink = false;
	evtimer_del(timer);
	eng->session = SESSION_NONE;
	fn();
}

void
session_resume(bool soon)
{
	unsigned int	 max = (unsigned int)eng->conf.ac_reconnect_max_msec;

	if (soon)
		prepare();
	else
		wait_for(max - arc4random_uniform(max / 2 + 1));
}

void
session_down(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__UplinkDown	*m;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__uplink_down__descriptor, &pm);
	if (m == NULL || !is_for_us(imsg)) {
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "down without an attempt");
		pbmem_free(&pm);
		return;
	}
	eng->uplink_busy = false;
	if (!eng->enrolled || eng->session == SESSION_NONE)
		enroll_down(m);
	else
		explain(m);
	pbmem_free(&pm);
}

/*
 * The process that carried the session has died: for us the connection is
 * lost.  What Docker does goes on, and its results wait for the next session.
 */
void
session_uplink_lost(void)
{
	Sentinel__Ipc__UplinkDown	 m;
	char	 text[] = "the uplink process has ended";

	if (!eng->uplink_busy)
		return;
	eng->uplink_busy = false;
	sentinel__ipc__uplink_down__init(&m);
	m.cause = SENTINEL__IPC__UPLINK_DOWN__CAUSE__NETWORK;
	m.text = text;
	if (!eng->enrolled || eng->session == SESSION_NONE)
		enroll_down(&m);
	else
		explain(&m);
}

void
session_uplink_up(void)
{
	if (!wants_uplink)
		return;
	wants_uplink = false;
	prepare();
}

void
session_reconfigure(bool redial)
{
	struct timeval	 tv = monotime_timeval(eng->conf.ac_heartbeat_msec);

	if (timer == NULL)
		return;
	backoff_init(&backoff, (unsigned int)eng->conf.ac_reconnect_min_msec,
	    (unsigned int)eng->conf.ac_reconnect_max_msec);
	if (session_is_open())
		event_add(beat_timer, &tv);
	if (!redial)
		return;
	fault_redialled();
	if (eng->session == SESSION_WAIT && !wants_uplink)
		prepare();
	else
		session_close("the configuration has changed");
}

/*
 * Every end of a session passes here.  What only an operator can mend is
 * tried again at the longest interval and told once, with the fix.
 */
static void
explain(const Sentinel__Ipc__UplinkDown *m)
{
	unsigned int	 delay, max;
	enum cause_class class = cause_class(m);
	bool		 was_open = opened != 0;
	bool		 proven = eng->session == SESSION_REPORT;
	void		(*fn)(void) = yielded;
	char		 text[1024];

	max = (unsigned int)eng->conf.ac_reconnect_max_msec;
	event_del(beat_timer);
	evtimer_del(timer);
	if (was_open && monotime_now() - opened >= ENGINE_STEADY_MSEC)
		backoff_reset(&backoff);
	session_unlearn();
	opened = 0;
	eng->session = SESSION_WAIT;
	offline_lost();
	out_session_lost();
	follow_session_lost();
	/* Refused with one of two certificates is not refused. */
	if (renew_down(m, class == CAUSE_CLASS_REFUSED, proven))
		class = CAUSE_CLASS_NETWORK;
	if (fn != NULL) {
		yielded = NULL;
		eng->session = SESSION_NONE;
		fn();
		return;
	}
	delay = class == CAUSE_CLASS_REFUSED || class == CAUSE_CLASS_FOREIGN ?
	    max - arc4random_uniform(max / 2 + 1) : backoff_next(&backoff);
	fault_tell(class, m->text);
	cause_text(m, was_open ? CAUSE_STAGE_SESSION : proven ?
	    CAUSE_STAGE_REPORT : CAUSE_STAGE_DIAL, text, sizeof(text));
	if (class != CAUSE_CLASS_LOCAL)
		session_log_failure(text, delay);
	if (was_open) {
		event_add_line("session", NULL, "disconnected: %s", m->text);
		if (class == CAUSE_CLASS_NETWORK)
			fault_loss();
	}
	if (class == CAUSE_CLASS_REFUSED && reenrol_refused())
		return;
	wait_for(delay);
}
