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

#ifndef CLUSTER_H
#define CLUSTER_H

#include "compat.h"

#include <sys/time.h>

#include <event2/event.h>

#include "eckey.h"
#include "grpc.h"
#include "monotime.h"
#include "sentinel.pb-c.h"
#include "sentineld.h"
#include "x509util.h"

/*
 * The cluster process: gRPC towards agents.  Bytes come in, checked messages
 * go to the engine; what the engine sends goes out unchanged.  It holds the
 * listener, connections and public certificates, and decides nothing: who may
 * do what is the engine's business, the private key is the keyholder's.
 *
 * A connection is unproven until it has shown a client certificate of our CA
 * in a finished handshake; such connections are few, short-lived and share
 * their places fairly.
 */
#define CLUSTER_UNPROVEN_MAX	512	/* connections */
#define CLUSTER_UNPROVEN_ADDR	128	/* of them, per address or /64 */
#define CLUSTER_UNPROVEN_MSEC	90000	/* life without a certificate */
#define CLUSTER_EVICT_MSEC	1000	/* age at which one may make room, */
#define CLUSTER_EVICT_ROUNDS	3	/* silent for so many of our loop */
#define CLUSTER_PER_HOST	4	/* connections per certificate */
#define CLUSTER_ACCEPT_MAX	16	/* per wake-up */
#define CLUSTER_PAUSE_MSEC	1000	/* no accept when out of something */
#define CLUSTER_CROWD_MSEC	5	/* no accept while places are taken */
#define CLUSTER_FD_RESERVE	5	/* descriptors never used for agents */
#define CLUSTER_STATS_MSEC	10000
#define CLUSTER_STOP_MSEC	1500	/* for farewells */
#define CLUSTER_LAST_MSEC	50	/* bytes of the last one to leave */
#define CLUSTER_ANSWER_MSEC	30000	/* engine */
#define CLUSTER_FLOW_MSEC	50	/* look again for credit */
#define CLUSTER_ENROLL_MAXBYTES	(16 * 1024)	/* request */
/*
 * Messages and calls of one connection.  Each costs 1, a message 1 more per
 * CLUSTER_RATE_UNIT bytes; beyond it we read slowly and open no calls.
 */
#define CLUSTER_RATE_PER_SEC	200
#define CLUSTER_RATE_BURST	2000
#define CLUSTER_RATE_UNIT	16384
#define CLUSTER_RATE_LOG_MSEC	60000
/* Lines about unproven peers. */
#define CLUSTER_LOG_BURST	10
#define CLUSTER_LOG_MSEC	10000
#define CLUSTER_TEXT_SIZE	512

/* A server certificate and the context made of it. */
struct cluster_identity {
	TAILQ_ENTRY(cluster_identity) ci_entry;
	unsigned int	 ci_refs;	/* current, and each handshake */
	struct tls	*ci_tls;
	uint8_t		 ci_point[ECKEY_POINT_LEN];
};

/* Order of cluster_methods[]. */
enum cluster_kind { CALL_ENROLL, CALL_REPORT, CALL_CHANNEL, CALL_FOLLOW };

/* Why a call delivers nothing for now; a mask. */
#define PAUSE_ADMIT	0x01	/* the engine has not decided */
#define PAUSE_FLOW	0x02	/* no credit towards the engine */
#define PAUSE_RATE	0x04	/* too many messages */
#define PAUSE_TAKEN	0x08	/* FollowLogs: the engine has a window full, */
#define PAUSE_SLICE	0x10	/* or too many in this slice of time */

/*
 * One RPC.  cl_id is its number towards the engine, given when the engine is
 * asked first and never reused.
 */
struct cluster_call {
	enum cluster_kind cl_kind;
	uint32_t	 cl_id;		/* 0: engine does not know it */
	RB_ENTRY(cluster_call) cl_entry;
	TAILQ_ENTRY(cluster_call) cl_link;
	struct cluster_conn *cl_conn;
	struct grpc_call *cl_grpc;	/* NULL: over, connection lost */
	unsigned int	 cl_pause;	/* PAUSE_* */
	bool		 cl_session;	/* engine waits for AGENT_CLOSED */
	bool		 cl_admitted;
	bool		 cl_ended;	/* our status is queued */
	struct event	*cl_timer;	/* engine's answer */
	uint32_t	 cl_unsent;	/* AGENT_SEND without AGENT_SENT */
	uint32_t	 cl_out;	/* AGENT_FOLLOW without AGENT_TAKEN */
	unsigned int	 cl_slice;	/* messages in this one */
	char		 cl_category[16]; /* why it ended; "" not known yet */
	char		 cl_text[CLUSTER_TEXT_SIZE];
};
RB_HEAD(call_tree, cluster_call);

struct cluster_conn {
	char		 cn_address[64];	/* without port */
	uint8_t		 cn_net[16];	/* address, IPv6 cut to its /64 */
	TAILQ_ENTRY(cluster_conn) cn_entry;
	TAILQ_ENTRY(cluster_conn) cn_ulink;
	monotime_t	 cn_since;	/* accepted */
	bool		 cn_proven;
	bool		 cn_cert;
	struct x509_facts cn_facts;	/* cn_cert */
	const char	*cn_refusal;	/* AgentService is answered so */
	struct stream	*cn_stream;	/* until cn_grpc */
	struct grpc_conn *cn_grpc;
	struct cluster_identity *cn_identity; /* handshake */
	uint64_t		 cn_round;	/* of its last bytes */
	TAILQ_HEAD(, cluster_call) cn_calls;
	unsigned int	 cn_channels;	/* admitted */
	struct event	*cn_ping;
	struct timespec	 cn_pinged;
	struct event	*cn_slow;	/* end of PAUSE_RATE */
	int64_t		 cn_tokens;	/* thousandths of a message */
	monotime_t	 cn_filled;
	monotime_t	 cn_rate_logged;
};

struct cluster {
	struct cluster_conf	 conf;		/* live */
	struct cluster_conf	 staged;
	bool			 has_conf;
	bool			 stopping;
	int			 listenfd;	/* -1: none yet */
	int			 maxfd;
	struct event		*accept_ev;
	struct event		*resume_ev;	/* end of a pause */
	bool			 listening;
	struct cluster_identity	*identity;	/* current */
	TAILQ_HEAD(, cluster_identity) identities;
	TAILQ_HEAD(, cluster_conn) conns;
	TAILQ_HEAD(, cluster_conn) unproven;	/* oldest first */
	size_t			 nconns;
	size_t			 nunproven;
	struct call_tree	 calls;
	uint32_t		 last_call;
	bool			 blocked;	/* no credit */
	struct event		*flow_ev;
	struct event		*stats_ev;
	struct event		*stop_ev;
	uint64_t		 round;		/* of accepting */
	uint64_t		 handshakes;
	uint64_t		 handshake_failures;
	monotime_t		 log_since;
	unsigned int		 log_lines;
	unsigned int		 log_dropped;
};
extern struct cluster	*clu;

/* --- cluster.c ---------------------------------------------------------- */
void	 cluster_identity_unref(struct cluster_identity *);
/* A line about a peer that proved nothing: at most a few, then counted. */
void	 cluster_log(const char *, ...) __printflike_(1, 2);
/* The number of connections fell. */
void	 cluster_conn_gone(void);

/* --- cluster_conn.c ----------------------------------------------------- */
/* fd is taken. */
void	 cluster_conn_new(int fd, const struct sockaddr *);
/*
 * All places of the unproven are taken and none has been for long: who comes
 * now waits in the listener's queue, as in a storm of reconnecting agents.
 */
bool	 cluster_conn_is_crowded(void);
/*
 * End it now.  Its calls are reported to the engine with category and text
 * unless they have a reason of their own.  conn is gone.
 */
void	 cluster_conn_drop(struct cluster_conn *, const char *category,
	    const char *text);
/* UNAVAILABLE to every call, GOAWAY; conn_closed follows, or it is gone. */
void	 cluster_conn_stop(struct cluster_conn *);
/* A message of len bytes came; slows the connection down when due. */
void	 cluster_conn_charge(struct cluster_conn *, size_t len);
/* cn_channels has changed. */
void	 cluster_conn_watch(struct cluster_conn *);
void	 cluster_conn_closed(struct grpc_conn *, enum stream_end,
	    const char *, void *);

/* --- cluster_hold.c ----------------------------------------------------- */
/* Rows of the handler table: CONF_CRASHPAGE, CLUSTER_HOLD. */
void	 cluster_hold_page(struct peer *, struct imsg *);
void	 cluster_hold_take(struct peer *, struct imsg *);
/* It crashed a cluster process not long ago. */
bool	 cluster_hold_address(const struct cluster_conn *);
bool	 cluster_hold_host(const struct cluster_conn *);
/* Around all work on what came from a connection; the first: its stream's
 * guard.  False: somebody is noted already, and leaves later. */
void	 cluster_hold_guard(void *, bool);
bool	 cluster_hold_enter(const struct cluster_conn *);

/* --- cluster_call.c ----------------------------------------------------- */
/* On the connection's list; NULL: out of memory. */
struct cluster_call *cluster_call_new(struct cluster_conn *,
	    struct grpc_call *, enum cluster_kind);
/*
 * Before its first message to the engine, which has CLUSTER_ANSWER_MSEC from
 * now on.  False: there is no engine, or no number left.
 */
bool	 cluster_call_number(struct cluster_call *);
struct cluster_call *cluster_call_find(uint32_t);
/* The reason that will be reported; the first one counts. */
void	 cluster_call_blame(struct cluster_call *, const char *category,
	    const char *text);
/* Status to the agent, reason to the engine once it has left. */
void	 cluster_call_finish(struct cluster_call *, enum grpc_status,
	    const char *category, const char *text);
/* Tell the engine and free.  gRPC knows it no more. */
void	 cluster_call_end(struct cluster_call *);
/* Give back the engine's credit. */
void	 cluster_call_sent(struct cluster_call *);
void	 cluster_call_pause(struct cluster_call *, unsigned int);
void	 cluster_call_resume(struct cluster_call *, unsigned int);
/* After sending to the engine; its timer. */
void	 cluster_flow_check(void);
void	 cluster_flow_retry(evutil_socket_t, short, void *);

int	 cluster_call_cmp(const struct cluster_call *,
	    const struct cluster_call *);
RB_PROTOTYPE(call_tree, cluster_call, cl_entry, cluster_call_cmp)

/* --- cluster_rpc.c ------------------------------------------------------ */
extern const struct grpc_method		cluster_methods[];
extern const struct grpc_server_ops	cluster_ops;
/* AGENT_OPEN; report of a ReportState, stream_id of a FollowLogs. */
void	 cluster_rpc_ask(struct cluster_call *,
	    Sentinel__Cluster__StateReport *, const ProtobufCBinaryData *);
void	 cluster_rpc_refuse(struct cluster_call *, const char *why, int error);
/* cn_facts, and who may not call AgentService. */
void	 cluster_rpc_identify(struct cluster_conn *);

/* --- cluster_follow.c: calls of FollowLogs -------------------------------- */
#define CLUSTER_FOLLOW_MSEC	10000	/* for the stream_id to come */
#define CLUSTER_FOLLOW_SLICE	128	/* messages of a call in */
#define CLUSTER_FOLLOW_SLICE_MSEC 100
/* Opened.  False: no timer. */
bool	 cluster_follow_open(struct cluster_call *);
void	 cluster_follow_message(struct cluster_call *, const uint8_t *,
	    size_t);
void	 cluster_follow_admit(struct cluster_call *);
/* Its timer. */
void	 cluster_follow_timer(struct cluster_call *);
/* Row of the handler table. */
void	 cluster_follow_taken(struct peer *, struct imsg *);

/* --- cluster_reply.c: rows of the handler table ------------------------- */
void	 cluster_reply_enrolled(struct peer *, struct imsg *);
void	 cluster_reply_admit(struct peer *, struct imsg *);
void	 cluster_reply_ack(struct peer *, struct imsg *);
void	 cluster_reply_send(struct peer *, struct imsg *);
void	 cluster_reply_close(struct peer *, struct imsg *);

#endif /* CLUSTER_H */
