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

#ifndef UPLINK_H
#define UPLINK_H

#include "compat.h"

#include <event2/event.h>

#include "agentd.h"
#include "grpc.h"
#include "ipc.pb-c.h"
#include "monotime.h"
#include "resolv.h"
#include "stream.h"
#include "x509util.h"

/*
 * The uplink process, between its files.  It carries out one attempt at a
 * time: name, connection, TLS, proof of the server, then either one Enroll
 * call or a session (ReportState, Channel).  Not a byte of HTTP/2, and so
 * neither token nor report, leaves before the proof.
 *
 * With the engine, in this order:
 *	UPLINK_CONNECT ->
 *	enrolment:	<- UPLINK_ENROLLED (the server's answer, good or bad)
 *	session:	<- UPLINK_UP; UPLINK_REPORT -> <- UPLINK_ACK;
 *			UPLINK_CHANNEL ->; then UPLINK_SEND and UPLINK_SENT,
 *			UPLINK_MESSAGE
 *	<- UPLINK_DOWN, exactly once per attempt, also after UPLINK_CLOSE ->
 */
#define UPLINK_ADDRS_MAX	16
#define UPLINK_TRY_MIN_MSEC	1000	/* for one address of several */
#define UPLINK_DNS_SEC		2	/* per question to a name server */
#define UPLINK_DNS_TRIES	2
#define UPLINK_DNS_GRACE_MSEC	300	/* for the other address family */
#define UPLINK_PAUSE_MSEC	50	/* engine is behind: stop reading */
#define UPLINK_STOP_MSEC	150	/* GOAWAY and close_notify at the end */
#define UPLINK_ENROLL_MAXBYTES	(128 * 1024)	/* EnrollResponse */
#define UPLINK_ACK_MAXBYTES	(32 * 1024)	/* StateAck */
#define UPLINK_TEXT_SIZE	2048

#define CAUSE(x)	SENTINEL__IPC__UPLINK_DOWN__CAUSE__##x

struct resolve;

struct attempt {
	uint32_t	 at_id;		/* of UPLINK_CONNECT */
	bool		 at_is_enroll;
	bool		 at_is_probe;	/* proven, it ends; uplink_probe.c */

	/* What was asked for. */
	char		 at_server[AGENTD_SERVER_SIZE];	/* :authority */
	char		 at_host[RESOLV_NAME_SIZE];
	uint16_t	 at_port;
	char		 at_name[AGENTD_NAME_SIZE];	/* to be verified */
	uint8_t		*at_request;	/* packed EnrollRequest, secret */
	size_t		 at_requestlen;
	uint8_t		 at_pin[32];	/* CA that must be presented */
	size_t		 at_pinlen;
	bool		 at_trust_first_use;
	uint8_t		*at_ca;		/* session: PEM */
	size_t		 at_calen;
	uint8_t		*at_cert;	/* session: PEM */
	size_t		 at_certlen;

	/* How far it is. */
	monotime_t	 at_deadline;	/* for the connection to be proven */
	struct event	*at_timer;	/* it, or one address's share */
	struct resolve	*at_resolve;
	struct resolv_addr at_addr[UPLINK_ADDRS_MAX];
	size_t		 at_naddrs;
	size_t		 at_next;
	int		 at_fd;		/* connecting; -1 */
	bool		 at_is_connected;
	struct x509_facts at_seen;	/* server's leaf; of a probe only */
	struct event	*at_connect;
	char		 at_why[256];	/* why the last address failed */
	struct stream	*at_stream;	/* until gRPC takes it */
	struct grpc_conn *at_conn;
	struct grpc_call *at_unary;	/* Enroll or ReportState */
	struct grpc_call *at_channel;
	bool		 at_up;		/* proven */
	bool		 at_acked;
	uint32_t	 at_unsent;	/* UPLINK_SEND not yet credited */
	struct event	*at_pause;
	bool		 at_is_ours;	/* its StateAck has our words */
	struct event	*at_ping;
	struct event	*at_silence;

	/* How it ended; told from a fresh stack. */
	struct event	*at_end;
	bool		 at_ended;
	bool		 at_is_lost;	/* a better cause may come */
	Sentinel__Ipc__UplinkDown__Cause at_cause;
	uint32_t	 at_status;
	char		 at_text[UPLINK_TEXT_SIZE];
};

/* --- uplink.c ------------------------------------------------------------ */
/* Ends the attempt; the first cause counts.  May be called anywhere. */
void	 attempt_end(struct attempt *, Sentinel__Ipc__UplinkDown__Cause,
	    uint32_t status, const char *, ...) __printflike_(4, 5);
void	 uplink_send(struct attempt *, uint32_t type,
	    const ProtobufCMessage *);
unsigned int uplink_rpc_msec(void);
unsigned int uplink_ping_msec(void);	/* between two PINGs */
unsigned int uplink_silence_msec(void);	/* until a server is given up */

/* One for doctor: begins at once, ends in probe_end(). */
struct attempt *attempt_probe(uint32_t,
	    const Sentinel__Ipc__UplinkConnect *);
void	 attempt_free(struct attempt *);

/* --- uplink_probe.c ------------------------------------------------------ */
void	 probe_start(struct peer *, struct imsg *);
void	 probe_stop(void);
void	 probe_end(struct attempt *);

/* --- uplink_connect.c ---------------------------------------------------- */
/* Name, connection, TLS and proof; then call_begin(). */
void	 connect_begin(struct attempt *);
void	 connect_clear(struct attempt *);

/* --- uplink_call.c: gRPC over the proven connection ---------------------- */
void	 call_begin(struct attempt *);
void	 call_report(struct attempt *, const uint8_t *, size_t);
void	 call_channel(struct attempt *);
void	 call_send(struct attempt *, const uint8_t *, size_t);
void	 call_clear(struct attempt *);

/* --- uplink_follow.c: FollowLogs calls ------------------------------------ */
void	 follow_request(struct attempt *, uint32_t id,
	    const Sentinel__Ipc__UplinkFollow *);
bool	 follow_is_known(uint32_t id);
/* Whether it is one of those; then its callback is done. */
bool	 follow_drained(struct grpc_call *);
bool	 follow_status(struct grpc_call *, enum grpc_status, const char *text);
/* The connection is gone, and with it the calls. */
void	 follow_clear(void);

/* --- uplink_alive.c ------------------------------------------------------ */
/* Of a Channel.  The end of a silent one is CAUSE(NETWORK). */
void	 alive_begin(struct attempt *);
void	 alive_clear(struct attempt *);

/* --- uplink_resolve.c ---------------------------------------------------- */
/* n is 0 when there is no address; why says why then. */
typedef void (*resolve_cb)(const struct resolv_addr *, size_t n,
	    const char *why, void *);
/* Never calls back before it returns; cb runs at most once. */
struct resolve *resolve_start(const char *host, resolve_cb, void *);
void	 resolve_cancel(struct resolve *);
/* Takes text (malloc'd, len bytes): resolv.conf or hosts. */
void	 resolve_set_file(enum conf_file, uint8_t *text, size_t len);

#endif /* UPLINK_H */
