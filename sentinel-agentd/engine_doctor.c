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

#include "engine_client.h"

#include <stdio.h>
#include <string.h>

#include "doctor.h"
#include "engine_allow.h"
#include "engine_cause.h"
#include "engine_doctor.h"
#include "ipccheck.h"
#include "log.h"

/*
 * sentinelctl doctor on an agent's host.  It works without a server, before
 * the first enrolment, and beside a session, which it does not touch.
 */
#define CAUSE(x)	SENTINEL__IPC__UPLINK_DOWN__CAUSE__##x
#define PROBE_MSEC	10000
#define RENEW_FIX	"the agent renews it by itself while it reaches its " \
			"server; if it cannot, re-enroll with a new token " \
			"(sentinelctl enroll)"
#define NAME_FIX	"on the server add the name to " \
			"SENTINEL_CLUSTER_ADVERTISE (sentinelctl settings " \
			"set cluster.advertise), or name the right one in " \
			"agent.server_name"
#define CLOCK_FIX	"verify that the system clocks of both ends are " \
			"synchronised (NTP), then the dates of the " \
			"server's certificate"

static void	 do_item(uint32_t, Sentinel__Ipc__ControlItem *);
static void	 do_end(uint32_t, enum control_code, const char *);
static void	 check_identity(void);
static void	 check_session(void);
static void	 check_docker(void);
static void	 check_rules(void);
static void	 ask_probe(void);
static void	 tell_probe(const Sentinel__Ipc__UplinkProbed *);
static void	 tell_proof(const Sentinel__Ipc__UplinkProbed *);
static void	 tell_fault(const Sentinel__Ipc__UplinkProbed *);

static const struct doctor_ops	ops = {
	.do_parent = ROLE_A_PARENT,
	.do_item = do_item,
	.do_end = do_end,
};
static uint32_t			probe_id;

void
client_doctor(uint32_t id, const Sentinel__Ipc__ControlRequest *req)
{
	(void)req;
	if (doctor_begin(&ops, id, DOCTOR_WAIT_PARENT | DOCTOR_WAIT_PROCS |
	    DOCTOR_WAIT_PROBE) == -1) {
		client_end(id, CONTROL_FAILED, "another examination is under "
		    "way: try again");
		return;
	}
	doctor_say(DOCTOR_OK, "daemon", "", "sentinel-agentd %s runs",
	    SENTINEL_VERSION);
	check_identity();
	check_session();
	check_docker();
	check_rules();
	ask_probe();
}

static void
do_item(uint32_t id, Sentinel__Ipc__ControlItem *item)
{
	client_item(id, item);
}

static void
do_end(uint32_t id, enum control_code code, const char *text)
{
	client_end(id, code, "%s", text);
}

/* --- what the engine knows ------------------------------------------------ */

static void
check_identity(void)
{
	struct doctor_line	 dl;
	struct x509_facts	 xf;

	if (!eng->enrolled) {
		if (eng->last_error[0] == '\0')
			doctor_say(DOCTOR_WARNING, "token", "wait a moment",
			    "enrolment is under way");
		else {
			doctor_set_told(&dl, DOCTOR_FAILED, "token",
			    eng->last_error);
			doctor_add(&dl);
		}
		return;
	}
	doctor_say(DOCTOR_OK, "token", "", "enrolled as host %s",
	    eng->id.id_host);
	if (x509_facts_pem(eng->id.id_cert, eng->id.id_certlen, &xf) == -1) {
		doctor_say(DOCTOR_FAILED, "certificate", "re-enroll with a "
		    "new token (sentinelctl enroll)", "does not parse");
		return;
	}
	doctor_set_cert(&dl, "certificate", xf.xf_notbefore, xf.xf_notafter,
	    time(NULL), RENEW_FIX);
	doctor_add(&dl);
}

static void
check_session(void)
{
	struct doctor_line	 dl;

	if (session_is_open())
		doctor_set(&dl, DOCTOR_OK, "session", "", "connected to %s",
		    eng->conf.ac_server);
	else if (!eng->enrolled || eng->last_error[0] == '\0')
		doctor_set(&dl, DOCTOR_WARNING, "session", "see the other "
		    "lines", "not connected to %s yet", eng->conf.ac_server);
	else
		doctor_set_told(&dl, DOCTOR_FAILED, "session",
		    eng->last_error);
	doctor_add(&dl);
	if (!eng->enrolled)
		return;
	if (command_must_be_signed())
		doctor_say(DOCTOR_OK, "commands", "", "only signed ones are "
		    "carried out");
	else
		doctor_say(DOCTOR_WARNING, "commands",
		    "agent.signed_commands: required, where the server signs",
		    "unsigned ones are carried out: whoever owns the "
		    "server's network process commands this host");
}

static void
check_docker(void)
{
	if (!eng->conf.ac_docker)
		doctor_say(DOCTOR_WARNING, "docker", "agent.docker: "
		    "unix:///var/run/docker.sock", "none is configured: "
		    "this host has no containers to show");
	else if (eng->docker_up)
		doctor_say(DOCTOR_OK, "docker", "", "answers, engine %s, %zu "
		    "containers", eng->docker_id, list_count());
	else
		doctor_say(DOCTOR_FAILED, "docker", "see that Docker runs and "
		    "that agent.docker is its socket", "%s",
		    eng->docker_error);
}

static void
check_rules(void)
{
	Sentinel__Ipc__AllowView	 v;

	if (allow_view(&eng->conf, &v))
		doctor_say(DOCTOR_OK, "allow", "", "agent.allow limits the "
		    "server:%s%s%s%s", v.read_only ? " read_only" : "",
		    v.exec ? "" : " exec", allow_has_images(&eng->conf) ?
		    " images" : "", v.n_actions < ALLOW_NONE ? " actions" :
		    "");
	else
		doctor_say(DOCTOR_OK, "allow", "", "agent.allow lets the "
		    "server do everything");
	allow_view_free(&v);
}

/* --- a connection of its own ---------------------------------------------- */

static void
ask_probe(void)
{
	Sentinel__Ipc__UplinkConnect	 m;
	struct peer			*p = proc_peer(ROLE_A_UPLINK);
	char				 pin[33] = "";

	if (p == NULL)
		return;		/* DOCTOR_MSEC tells it */
	sentinel__ipc__uplink_connect__init(&m);
	m.server = eng->conf.ac_server;
	m.server_name = eng->conf.ac_server_name;
	m.connect_msec = eng->conf.ac_connect_msec < PROBE_MSEC ?
	    (uint32_t)eng->conf.ac_connect_msec : PROBE_MSEC;
	if (eng->enrolled) {
		m.ca_pem.data = eng->id.id_ca;
		m.ca_pem.len = eng->id.id_calen;
	} else {
		/* The token's second half: the pin, and no secret. */
		if (strlen(eng->conf.ac_token) == AGENTD_TOKEN_LEN)
			(void)strlcpy(pin, eng->conf.ac_token + 32,
			    sizeof(pin));
		m.pin = pin;
		m.ca_pin = eng->conf.ac_ca_pin;
		m.trust_first_use = eng->conf.ac_trust_first_use != 0;
	}
	peer_send_pb(p, IMSG_UPLINK_PROBE, ++probe_id, &m.base);
}

void
client_probed(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__UplinkProbed	*m;
	struct pbmem			 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__uplink_probed__descriptor, &pm);
	if (m == NULL)
		peer_broken(p, imsg, pm.pm_why);
	else if (imsg_get_id(imsg) == probe_id) {
		tell_probe(m);
		doctor_got(DOCTOR_WAIT_PROBE);
	}
	pbmem_free(&pm);
}

static void
tell_probe(const Sentinel__Ipc__UplinkProbed *m)
{
	Sentinel__Ipc__UplinkDown	 down;
	struct doctor_line		 dl;
	char				 text[DOCTOR_TEXT_SIZE];

	if (m->stage < SENTINEL__IPC__UPLINK_PROBED__STAGE__RESOLVED) {
		doctor_say(DOCTOR_FAILED, "resolve", "correct agent.server, "
		    "or the name servers in /etc/resolv.conf", "%s", m->text);
		return;
	}
	doctor_say(DOCTOR_OK, "resolve", "", "%s: %s", eng->conf.ac_server,
	    m->addresses);
	if (m->stage < SENTINEL__IPC__UPLINK_PROBED__STAGE__CONNECTED) {
		sentinel__ipc__uplink_down__init(&down);
		down.cause = m->cause;
		down.text = m->text;
		cause_text(&down, CAUSE_STAGE_DIAL, text, sizeof(text));
		doctor_set_told(&dl, DOCTOR_FAILED, "connect", text);
		if (dl.dl_fix[0] == '\0')
			(void)strlcpy(dl.dl_fix, "check firewalls, routes, "
			    "and that the server listens there",
			    sizeof(dl.dl_fix));
		doctor_add(&dl);
		return;
	}
	doctor_say(DOCTOR_OK, "connect", "", "to %s", m->address);
	if (m->stage == SENTINEL__IPC__UPLINK_PROBED__STAGE__PROVEN)
		tell_proof(m);
	else
		tell_fault(m);
}

static void
tell_proof(const Sentinel__Ipc__UplinkProbed *m)
{
	struct doctor_line	 dl;
	char			 name[AGENTD_NAME_SIZE];

	session_server_name(name, sizeof(name));
	doctor_say(DOCTOR_OK, "handshake", "", "TLS 1.3, in %u ms", m->msec);
	doctor_say(DOCTOR_OK, "server CA", "", eng->enrolled ? "the one of "
	    "this host's identity" : "the one of the token");
	doctor_say(DOCTOR_OK, "server name", "", "the certificate names %s",
	    name);
	doctor_set_cert(&dl, "server certificate", m->not_before,
	    m->not_after, time(NULL), "the server renews it by itself: look "
	    "at its log");
	doctor_add(&dl);
	doctor_say(DOCTOR_OK, "clock", "", "fits the server's certificate");
}

static void
tell_fault(const Sentinel__Ipc__UplinkProbed *m)
{
	Sentinel__Ipc__UplinkDown	 down;
	struct doctor_line		 dl;
	char				 text[DOCTOR_TEXT_SIZE];

	switch (m->cause) {
	case CAUSE(CA_MISMATCH):
		doctor_say(DOCTOR_FAILED, "server CA", "if the server was set "
		    "up anew, create a token there and re-enroll with it; "
		    "otherwise somebody is in between", "server CA mismatch "
		    "-- the server's TLS certificate has changed since this "
		    "agent enrolled (%s); data_dir: %s", m->text,
		    eng->conf.ac_dir);
		break;
	case CAUSE(PIN):
		doctor_say(DOCTOR_FAILED, "server CA", "take the token from "
		    "this very server; for a server that shows no CA see "
		    "agent.trust_first_use in sentinel.conf(5)", "%s; the "
		    "token is not sent there", m->text);
		break;
	case CAUSE(NAME):
		doctor_say(DOCTOR_FAILED, "server name", NAME_FIX, "TLS "
		    "handshake failure: %s", m->text);
		break;
	case CAUSE(EXPIRED):
	case CAUSE(NOT_YET_VALID):
		doctor_say(DOCTOR_FAILED, "clock", CLOCK_FIX, "TLS handshake "
		    "failure: %s", m->text);
		break;
	default:
		sentinel__ipc__uplink_down__init(&down);
		down.cause = m->cause;
		down.text = m->text;
		cause_text(&down, CAUSE_STAGE_DIAL, text, sizeof(text));
		doctor_set_told(&dl, DOCTOR_FAILED, "handshake", text);
		if (dl.dl_fix[0] == '\0')
			(void)strlcpy(dl.dl_fix, "see that it is a Sentinel "
			    "server which answers there", sizeof(dl.dl_fix));
		doctor_add(&dl);
		break;
	}
}
