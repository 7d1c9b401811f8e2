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

#include "uplink.h"

#include <event2/dns.h>

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hex.h"
#include "ipccheck.h"
#include "keyop.h"
#include "log.h"
#include "tlsconf.h"
#include "utf8.h"
#include "x509util.h"
#include "xmalloc.h"

/*
 * The uplink process: promises "stdio recvfd inet".  It holds the connection
 * and no key: handshakes are signed by the keyholder.  What comes from the
 * server goes on to the engine as bytes of a checked length.
 */
static void	 conf_committed(bool);
static void	 conf_file(struct peer *, struct imsg *);
static void	 do_connect(struct peer *, struct imsg *);
static void	 do_report(struct peer *, struct imsg *);
static void	 do_channel(struct peer *, struct imsg *);
static void	 do_send(struct peer *, struct imsg *);
static void	 do_close(struct peer *, struct imsg *);
static void	 do_follow(struct peer *, struct imsg *);
static struct attempt *attempt_new(uint32_t,
		    const Sentinel__Ipc__UplinkConnect *);
static const char *attempt_trust(struct attempt *,
		    const Sentinel__Ipc__UplinkConnect *);
static const char *attempt_pin(struct attempt *,
		    const Sentinel__Ipc__UplinkConnect *);
static bool	 is_current(const struct imsg *);
static void	 on_end(int, short, void *);
static void	 on_stop(int, short, void *);

static struct uplink_conf	conf, staged;
static bool			has_conf;
static struct attempt		*current;	/* NULL: none */
static uint8_t			 key_point[ECKEY_POINT_LEN];

static const struct confpart_child	conf_child = {
	.cc_part = &uplink_confpart,
	.cc_live = &conf,
	.cc_staged = &staged,
	.cc_commit = conf_committed,
};

const struct proc_handler	uplink_handlers[] = {
	CONFPART_HANDLERS,
	{ IMSG_CONF_FILE,	conf_file },
	{ IMSG_UPLINK_CONNECT,	do_connect },
	{ IMSG_UPLINK_REPORT,	do_report },
	{ IMSG_UPLINK_CHANNEL,	do_channel },
	{ IMSG_UPLINK_SEND,	do_send },
	{ IMSG_UPLINK_CLOSE,	do_close },
	{ IMSG_UPLINK_FOLLOW,	do_follow },
	{ IMSG_UPLINK_PROBE,	probe_start },
	{ 0, NULL }
};

void
uplink_warmup(void)
{
	struct evdns_base	*dns;

	tzset();
	x509_warmup();
	if (tlsconf_init() == -1)
		fatalx("libtls cannot start");
	/* Seeds the random numbers of its questions. */
	if ((dns = evdns_base_new(proc_base(),
	    EVDNS_BASE_DISABLE_WHEN_INACTIVE)) == NULL)
		fatalx("evdns cannot start");
	evdns_base_free(dns, 0);
}

void
uplink_start(void)
{
	keyop_init(proc_sync_fd());
	confpart_child_init(&conf_child);
}

/* The engine may ask before the parent has told us all. */
static void
conf_committed(bool first)
{
	has_conf = true;
	if (first && current != NULL && !current->at_ended)
		connect_begin(current);
}

unsigned int
uplink_rpc_msec(void)
{
	return ((unsigned int)conf.uc_rpc_msec);
}

unsigned int
uplink_ping_msec(void)
{
	return ((unsigned int)conf.uc_ping_msec);
}

unsigned int
uplink_silence_msec(void)
{
	return ((unsigned int)(conf.uc_ping_msec + conf.uc_pong_msec));
}

/* The goodbye gets a moment to leave. */
void
uplink_stop(void)
{
	struct timeval	 tv = monotime_timeval(UPLINK_STOP_MSEC);
	struct event	*timer;

	probe_stop();
	if (current == NULL)
		proc_exit(0);
	call_clear(current);
	connect_clear(current);
	if ((timer = evtimer_new(proc_base(), on_stop, NULL)) == NULL)
		proc_exit(0);
	evtimer_add(timer, &tv);
}

static void
on_stop(int fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
	proc_exit(0);
}

/* u8 kind; a sealed memfd */
static void
conf_file(struct peer *p, struct imsg *imsg)
{
	uint8_t	 kind, *text;
	size_t	 len;
	int	 fd = imsg_get_fd(imsg);

	if (ibuf_get_n8(imsg_get_ibuf(imsg), &kind) == -1 ||
	    (kind != CONF_FILE_RESOLV && kind != CONF_FILE_HOSTS)) {
		close(fd);
		peer_broken(p, imsg, "unknown kind of file");
		return;
	}
	text = passedfile_read(fd, PASSED_NAMES_MAXBYTES, &len);
	if (text == NULL)
		log_warn("file %d from the parent", kind);
	else
		resolve_set_file((enum conf_file)kind, text, len);
	close(fd);
}

void
uplink_send(struct attempt *at, uint32_t type, const ProtobufCMessage *pb)
{
	peer_send_pb(proc_peer(ROLE_A_ENGINE), type, at->at_id, pb);
}

/* --- attempts ------------------------------------------------------------ */

static void
do_connect(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__UplinkConnect	*m;
	struct pbmem			 pm;
	const char			*why;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__uplink_connect__descriptor, &pm);
	if (m == NULL || current != NULL) {
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "one attempt at a time");
		pbmem_free(&pm);
		return;
	}
	current = attempt_new(imsg_get_id(imsg), m);
	if (resolv_split(m->server, current->at_host, &current->at_port) ==
	    -1)
		attempt_end(current, CAUSE(RESOLVE), 0,
		    "%s is not host:port", m->server);
	else if ((why = attempt_trust(current, m)) != NULL)
		attempt_end(current, CAUSE(LOCAL), 0, "%s", why);
	else {
		if (current->at_name[0] == '\0')
			(void)strlcpy(current->at_name, current->at_host,
			    sizeof(current->at_name));
		if (has_conf)
			connect_begin(current);
	}
	pbmem_free(&pm);
}

static struct attempt *
attempt_new(uint32_t id, const Sentinel__Ipc__UplinkConnect *m)
{
	struct attempt	*at;

	at = xcalloc(1, sizeof(*at));
	at->at_id = id;
	at->at_fd = -1;
	at->at_is_enroll = m->enroll != NULL;
	at->at_trust_first_use = m->trust_first_use;
	at->at_deadline = monotime_now() + m->connect_msec;
	(void)strlcpy(at->at_server, m->server, sizeof(at->at_server));
	(void)strlcpy(at->at_name, m->server_name, sizeof(at->at_name));
	if ((at->at_timer = evtimer_new(proc_base(), NULL, NULL)) == NULL ||
	    (at->at_end = evtimer_new(proc_base(), on_end, at)) == NULL)
		fatal("attempt_new");
	return (at);
}

/* What the server will have to prove itself with; NULL or what is wrong. */
static const char *
attempt_trust(struct attempt *at, const Sentinel__Ipc__UplinkConnect *m)
{
	struct x509_facts	 xf;
	const char		*why;

	if (at->at_is_enroll) {
		if ((why = attempt_pin(at, m)) != NULL)
			return (why);
		at->at_request = pbcheck_pack(&m->enroll->base,
		    GRPC_SEND_MAXBYTES, &at->at_requestlen);
		return (at->at_request == NULL ? "out of memory" : NULL);
	}
	if (m->ca_pem.len == 0 || m->cert_pem.len == 0)
		return ("no certificate to connect with");
	at->at_ca = xmemdup(m->ca_pem.data, m->ca_pem.len);
	at->at_calen = m->ca_pem.len;
	at->at_cert = xmemdup(m->cert_pem.data, m->cert_pem.len);
	at->at_certlen = m->cert_pem.len;
	if (x509_facts_pem(at->at_cert, at->at_certlen, &xf) == -1)
		return ("our own certificate does not parse");
	if (memcmp(key_point, xf.xf_point, sizeof(key_point)) == 0)
		return (NULL);
	/* Another key, or the first one: it must sign before we try. */
	keyop_del(key_point);
	if (keyop_add(xf.xf_point) == -1)
		return ("our own certificate has no key of our kind");
	if (keyop_selftest(xf.xf_point) == -1) {
		keyop_del(xf.xf_point);
		memset(key_point, 0, sizeof(key_point));
		return ("the keyholder does not sign with our certificate's "
		    "key");
	}
	memcpy(key_point, xf.xf_point, sizeof(key_point));
	return (NULL);
}

/* The CA that somebody who is to get a token must show. */
static const char *
attempt_pin(struct attempt *at, const Sentinel__Ipc__UplinkConnect *m)
{
	/* The whole hash, when it is configured, says more. */
	if (m->ca_pin[0] != '\0') {
		at->at_pinlen = X509_PIN_LEN;
		return (hex_decode(at->at_pin, X509_PIN_LEN, m->ca_pin) ==
		    -1 ? "ca_pin is not 64 hex characters" : NULL);
	}
	at->at_pinlen = X509_TOKENPIN_LEN;
	return (hex_decode(at->at_pin, X509_TOKENPIN_LEN, m->pin) == -1 ?
	    "the token carries no pin" : NULL);
}

/* With the CA of this host's identity, or before there is one by pin. */
struct attempt *
attempt_probe(uint32_t id, const Sentinel__Ipc__UplinkConnect *m)
{
	struct attempt	*at = attempt_new(id, m);
	const char	*why = NULL;

	at->at_is_probe = true;
	if (m->ca_pem.len > 0) {
		at->at_ca = xmemdup(m->ca_pem.data, m->ca_pem.len);
		at->at_calen = m->ca_pem.len;
	} else {
		at->at_is_enroll = true;
		why = attempt_pin(at, m);
	}
	if (resolv_split(m->server, at->at_host, &at->at_port) == -1)
		attempt_end(at, CAUSE(RESOLVE), 0, "%s is not host:port",
		    m->server);
	else if (why != NULL)
		attempt_end(at, CAUSE(LOCAL), 0, "%s", why);
	else {
		if (at->at_name[0] == '\0')
			(void)strlcpy(at->at_name, at->at_host,
			    sizeof(at->at_name));
		connect_begin(at);
	}
	return (at);
}

void
attempt_end(struct attempt *at, Sentinel__Ipc__UplinkDown__Cause cause,
    uint32_t status, const char *fmt, ...)
{
	struct timeval	 tv = monotime_timeval(0);
	char		 text[UPLINK_TEXT_SIZE];
	va_list		 ap;

	if (at->at_ended)
		return;
	at->at_ended = true;
	at->at_cause = cause;
	at->at_status = status;
	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	/* A cut at the end may have split a character. */
	(void)utf8_repair(at->at_text, sizeof(at->at_text), text,
	    strlen(text));
	evtimer_add(at->at_end, &tv);
}

/* From a fresh stack: nobody above us uses the attempt any more. */
static void
on_end(int fd, short what, void *arg)
{
	struct attempt			*at = arg;
	Sentinel__Ipc__UplinkDown	 m;

	(void)fd;
	(void)what;
	if (at->at_is_probe) {
		probe_end(at);
		return;
	}
	call_clear(at);
	connect_clear(at);
	sentinel__ipc__uplink_down__init(&m);
	m.cause = at->at_cause;
	m.status = at->at_status;
	m.text = at->at_text;
	uplink_send(at, IMSG_UPLINK_DOWN, &m.base);
	current = NULL;
	attempt_free(at);
}

void
attempt_free(struct attempt *at)
{
	event_free(at->at_timer);
	event_free(at->at_end);
	if (at->at_request != NULL)
		freezero(at->at_request, at->at_requestlen);
	free(at->at_ca);
	free(at->at_cert);
	free(at);
}

/* --- a session's requests ------------------------------------------------ */

/* What the engine sent before it knew that the attempt had ended. */
static bool
is_current(const struct imsg *imsg)
{
	return (current != NULL && !current->at_ended &&
	    current->at_id == imsg_get_id(imsg));
}

static void
do_report(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__UplinkReport	*m;
	struct pbmem			 pm;

	if (!is_current(imsg))
		return;
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__uplink_report__descriptor, &pm);
	if (m == NULL || !current->at_up || current->at_is_enroll ||
	    current->at_unary != NULL || current->at_acked)
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "report out of order");
	else
		call_report(current, m->report.data, m->report.len);
	pbmem_free(&pm);
}

/* empty */
static void
do_channel(struct peer *p, struct imsg *imsg)
{
	if (!is_current(imsg))
		return;
	if (!current->at_acked || current->at_channel != NULL)
		peer_broken(p, imsg, "channel out of order");
	else
		call_channel(current);
}

static void
do_send(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__UplinkSend	*m;
	struct pbmem			 pm;

	if (!is_current(imsg))
		return;
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__uplink_send__descriptor, &pm);
	if (m == NULL || current->at_channel == NULL)
		peer_broken(p, imsg, m == NULL ? pm.pm_why :
		    "message without a channel");
	else
		call_send(current, m->message.data, m->message.len);
	pbmem_free(&pm);
}

/* empty */
static void
do_close(struct peer *p, struct imsg *imsg)
{
	(void)p;
	if (is_current(imsg))
		attempt_end(current, CAUSE(LOCAL), 0, "closed by us");
}

/* For this session: the engine may know of its end later than we do. */
static void
do_follow(struct peer *p, struct imsg *imsg)
{
	Sentinel__Ipc__UplinkFollow	*m;
	struct pbmem			 pm;
	uint32_t			 id = imsg_get_id(imsg);

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	m = ipc_unpack(imsg, &sentinel__ipc__uplink_follow__descriptor, &pm);
	if (m == NULL || (m->open && follow_is_known(id)))
		peer_broken(p, imsg, m == NULL ? pm.pm_why : "follow twice");
	else if (current != NULL && !current->at_ended &&
	    current->at_id == m->attempt && current->at_channel != NULL)
		follow_request(current, id, m);
	pbmem_free(&pm);
}
