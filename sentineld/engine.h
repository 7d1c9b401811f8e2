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

#ifndef ENGINE_H
#define ENGINE_H

#include "compat.h"

#include <time.h>

#include "control.h"
#include "eckey.h"
#include "ipc.pb-c.h"
#include "listhash.h"
#include "monotime.h"
#include "proc.h"
#include "reqtab.h"
#include "sentinel.pb-c.h"
#include "sentineld.h"
#include "store.h"
#include "store.pb-c.h"
#include "x509_bundle.h"
#include "x509util.h"

/*
 * The engine of sentineld, between its files.  One process, one thread, one
 * state (struct engine).  Data flows one way: a checked message comes in, the
 * registry and the database decide, a command goes to the host's executor
 * (an agent's stream, or the local docker process), its result ends the
 * operation and reaches the client.
 */
#define ENGINE_KEY_MSEC		10000	/* keyholder answers */
#define ENGINE_KEY_MAX		4096	/* questions to it under way */
#define ENGINE_OPS_MAX		4096	/* operations under way */
#define ENGINE_OPS_HOST_MAX	64	/* of these per host */
#define ENGINE_CLIENTS_MAX	512	/* control requests under way */
#define ENGINE_SEND_CREDIT	64	/* commands unsent per stream */
#define ENGINE_SESSIONS_MAX	16384	/* calls of agents */
#define ENGINE_LISTS_MAXBYTES	(256UL * 1024 * 1024)	/* of all hosts */
#define ENGINE_UPDATE_MAX_MSEC	(12 * 3600 * 1000)	/* with progress */
/* Events: each is a commit, and pushes an old one out. */
#define ENGINE_EVENTS_BURST	2000	/* all together, then one per: */
#define ENGINE_EVENTS_MSEC	20
#define ENGINE_LOG_BURST	30	/* lines that a peer can provoke, */
#define ENGINE_LOG_MSEC		2000	/* per host, and of all others */
#define HOST_SESSIONS_MAX	8
#define HOST_EVENTS_BURST	100
#define HOST_EVENTS_MSEC	5000
#define HOST_ENROLL_BURST	16	/* repeated with one token */
#define HOST_ENROLL_MSEC	60000
#define HOST_CONTAINERS_MAX	4096
#define HOST_LIST_MAXBYTES	(8UL * 1024 * 1024)	/* list, and staged */
#define HOST_FEATURES_MAX	32
#define HOST_LABELS_MAX		32
#define HOST_LABEL_KEY_MAX	63	/* bytes */
#define HOST_LABEL_VALUE_MAX	255
#define HOST_LOCAL_ID		"local"
#define HOST_ID_SIZE		33
#define HOST_NAME_SIZE		64
#define HOST_FRESH_MSEC		2000	/* no new list for onlookers */
#define HOST_REFRESH_MSEC	5000	/* fresh lists for container list */
#define HOST_SAVE_BATCH		32	/* records in one commit */
#define REQUEST_ID_SIZE		17	/* 16 hex */

/* A bucket that runs full again; all zero is a full one. */
struct rate {
	monotime_t	 ra_spent;
};

enum host_state { HOST_ACTIVE, HOST_PAUSED, HOST_DECOMMISSIONED };
/* Why a host was decommissioned: what its agent is told from then on. */
enum host_end { HOST_REMOVED, HOST_REVOKED };

/* One container of a host's last list: the checked message, packed. */
struct container {
	TAILQ_ENTRY(container) ct_entry;
	char		*ct_id;
	char		*ct_name;
	uint8_t		 ct_hash[LISTHASH_LEN];
	uint8_t		*ct_blob;	/* ContainerInfo */
	size_t		 ct_len;
};
TAILQ_HEAD(container_list, container);

struct host;
struct session;

/* A certificate of a host that is not the current one. */
struct host_cert {
	char		 hc_serial[X509_SERIAL_SIZE];	/* "": there is none */
	int64_t		 hc_not_before;
	int64_t		 hc_not_after;
	uint8_t		 hc_point[ECKEY_POINT_LEN];
	uint8_t		*hc_der;
	size_t		 hc_len;
};

/* Its stream went to and fro between two addresses: engine_clone.h. */
struct clone {
	char		 cl_from[64];
	char		 cl_to[64];
	monotime_t	 cl_at[3];	/* the newest last */
};

/* A list that comes in item by item. */
struct container_stage {
	struct host	*cs_host;
	struct container_list cs_list;
	size_t		 cs_count;
	size_t		 cs_bytes;
	bool		 cs_overflow;
};

struct host {
	char		 h_id[HOST_ID_SIZE];
	char		 h_name[HOST_NAME_SIZE];	/* unique, checked */
	char		*h_raw_name;
	RB_ENTRY(host)	 h_entry;
	bool		 h_local;	/* executor: docker process */

	enum host_state	 h_state;
	enum host_end	 h_end;		/* HOST_DECOMMISSIONED: */
	int64_t		 h_ended_at;
	char		 h_ended_by[32];	/* "uid 0" */
	struct session	*h_session;	/* NULL: not connected */
	bool		 h_docker_up;	/* local: the engine answers */
	bool		 h_dirty;	/* to be written at the next tick */
	monotime_t	 h_saved;

	char		 h_address[64];
	char		 h_serial[X509_SERIAL_SIZE];
	int64_t		 h_not_before;	/* 0: not known yet */
	int64_t		 h_not_after;
	uint8_t		 h_point[ECKEY_POINT_LEN];
	struct host_cert h_pending;	/* engine_cert.c */
	int64_t		 h_push_at;	/* certificate unasked, 0: to reckon */
	bool		 h_renewing;	/* the keyholder makes one */
	char		 h_token[9];	/* its token, until first seen */
	/* Of a machine that is to replace this one: until its first contact. */
	char		 h_replace_serial[X509_SERIAL_SIZE];
	int64_t		 h_replace_not_after;
	char		 h_replace_token[9];
	char		*h_frozen;	/* why it may not connect, or "" */
	/* engine_ca.c: CAs that its agent trusts, and who issued what */
	uint8_t		 h_ca_pins[X509_PINS_MAXBYTES];
	size_t		 h_ca_npins;	/* bytes */
	char		 h_ca_serial[X509_SERIAL_SIZE];
	uint8_t		 h_ca_pin[X509_PIN_LEN]; /* of that one's CA */
	monotime_t	 h_ca_pushed;	/* bundle sent, 0: never */
	monotime_t	 h_ca_cert;	/* certificate sent, 0: never */
	int64_t		 h_enrolled_at;
	int64_t		 h_last_seen;
	char		*h_version;
	char		*h_features[HOST_FEATURES_MAX];
	size_t		 h_nfeatures;
	char		**h_labels;	/* "key=value", sorted */
	size_t		 h_nlabels;
	char		*h_engine_id;
	char		*h_docker_error;
	int64_t		 h_disconnect_at;
	char		*h_disconnect_err;
	char		*h_disconnect_cat;
	uint32_t	 h_rtt_usec;
	bool		 h_signed;	/* said in the last ReportState: */
	uint8_t		 h_nonce[16];	/* it verifies signed commands */

	struct container_list h_containers;
	size_t		 h_ncontainers;
	time_t		 h_listed_at;
	monotime_t	 h_fresh;	/* so is the list, until we change */
	bool		 h_live;	/* and changes come by themselves */
	monotime_t	 h_heal;	/* not before: ask for a list that */
	unsigned int	 h_heal_msec;	/* differs; last wait */
	size_t		 h_staged;	/* bytes of lists coming in */
	unsigned int	 h_ops;		/* under way */
	unsigned int	 h_nsessions;
	struct rate	 h_event_rate;
	struct rate	 h_live_rate;	/* of them, containers' changes */
	struct rate	 h_log_rate;
	struct rate	 h_enroll_rate;
	struct rate	 h_renew_rate;
	struct rate	 h_audit_rate;
	struct clone	 h_clone;
	unsigned int	 h_events_lost;	/* since the last one kept */
	struct rate	 h_row_rate;	/* engine_history.c */
	struct rate	 h_slice_rate;
};
RB_HEAD(host_tree, host);

/*
 * One call of an agent: ReportState while its list comes in, or the Channel.
 * se_call is cluster's id of the call; se_epoch orders the streams of a host,
 * so that cleaning up a replaced one never touches its successor.
 */
struct session {
	uint32_t	 se_call;
	uint64_t	 se_epoch;
	RB_ENTRY(session) se_entry;
	struct host	*se_host;
	bool		 se_channel;	/* else ReportState */
	bool		 se_closing;	/* AGENT_CLOSE sent */
	bool		 se_renew;	/* expired: may renew, no more */
	monotime_t	 se_until;	/* se_renew: then it is ended */
	char		 se_serial[X509_SERIAL_SIZE];
	int64_t		 se_not_after;
	bool		 se_signed;	/* commands go signed */
	uint8_t		 se_nonce[16];	/* of the StateReport before it */
	unsigned int	 se_unsent;	/* credit taken */
	unsigned int	 se_due;	/* of engine_sync.c: to be sent, */
	monotime_t	 se_retry;	/* not before */
	unsigned int	 se_retry_msec;	/* last back-off */
	monotime_t	 se_beat;	/* our last heartbeat */
	char		 se_address[64];
	monotime_t	 se_heard;
	monotime_t	 se_answered;	/* heard, or a PING came back */
	struct container_stage se_stage;
};
RB_HEAD(session_tree, session);

/* --- operations --------------------------------------------------------- */
enum op_kind { OP_LIST, OP_ACTION, OP_LOGS, OP_UPDATE, OP_PLAN,
    OP_HOOK, OP_PULL, OP_ROLLBACK, OP_DETAIL };
enum op_end {
	OP_DONE,	/* a result came: it may still say failed */
	OP_FAILED,	/* refused, or the agent answered nonsense */
	OP_TIMEOUT,	/* state unknown */
	OP_GONE		/* the stream died: state unknown */
};

struct op;
struct op_result {
	enum op_end	 or_end;
	const char	*or_outcome;	/* success failed identical rollback
					 * skipped */
	const char	*or_error;
	const char	*or_logs;
	int32_t		 or_lines;
	const char	*or_old_image;
	const char	*or_old_digest;
	const char	*or_new_image;
	const char	*or_new_digest;
	uint64_t	 or_msec;
	const Sentinel__Cluster__Plan *or_plan;
	const Sentinel__Cluster__Detail *or_detail;
	int32_t		 or_exit_code;	/* hook; -1 none */
	const char	*or_output;	/* hook */
};

#define OP_HOOKS_MAX	2
struct op_hook {
	char		 oh_phase[33];
	char		*oh_command;	/* "": that of the label */
	uint32_t	 oh_sec;	/* 0: the default */
	bool		 oh_rollback;
};

struct op {
	char		 op_id[REQUEST_ID_SIZE];
	RB_ENTRY(op)	 op_entry;
	enum op_kind	 op_kind;
	struct host	*op_host;
	uint64_t	 op_epoch;	/* of the session it went to */
	char		 op_container[256];
	char		 op_action[16];
	char		 op_image[1025];
	/* OP_HOOK: one; OP_UPDATE: those of the server (engine_hook.h) */
	struct op_hook	 op_hooks[OP_HOOKS_MAX];
	size_t		 op_nhooks;
	bool		 op_skip_hooks;
	bool		 op_foreign;	/* the agent runs none by itself */
	bool		 op_pre_done;	/* ours has run there */
	int32_t		 op_lines;	/* logs: */
	int64_t		 op_since_time;	/* unix seconds, 0: no bound */
	int64_t		 op_until_time;	/* the same */
	unsigned int	 op_streams;	/* follow.h, 0: both */
	bool		 op_timestamps;
	char		*op_auth;	/* X-Registry-Auth until it is sent */
	/* engine_oplog.c */
	char		 op_by[32];	/* "uid 0"; "": the engine itself */
	int64_t		 op_began;	/* unix ms */
	char		 op_phase[33];
	uint32_t	 op_percent;
	char		 op_text[256];
	char		 op_to[80];	/* OP_ROLLBACK: keep_choose() */
	bool		 op_force;	/* in quarantine or not */
	struct event	*op_timer;
	unsigned int	 op_msec;
	monotime_t	 op_since;
	bool		 op_sent;
	bool		 op_handed;	/* to a helper, engine_self.h */
	/* Runs once, may be NULL. */
	void		(*op_done)(struct op *, const struct op_result *,
			    void *);
	void		(*op_progress)(struct op *, const char *phase,
			    uint32_t percent, const char *text, void *);
	void		*op_arg;
};
RB_HEAD(op_tree, op);

/* --- the state ---------------------------------------------------------- */
struct engine {
	struct engine_conf conf;
	struct engine_conf staged;
	bool		 ready;		/* configuration is live */
	struct store	*store;
	struct reqtab	*keys;		/* questions to the keyholder */
	time_t		 started;

	struct host_tree hosts;
	size_t		 nhosts;	/* with tombstones */
	struct session_tree sessions;
	size_t		 nsessions;
	struct op_tree	 ops;
	size_t		 nops;
	size_t		 list_bytes;	/* of all lists, staged ones too */
	struct rate	 event_rate;
	struct rate	 refusal_rate;	/* events without a host */
	struct rate	 log_rate;
	uint64_t	 enroll_failed;	/* in all, in this window: */
	monotime_t	 enroll_since;
	uint64_t	 epoch;
	struct host	*local;		/* NULL: no local engine */

	/* engine_identity.c */
	uint8_t		*ca_der;
	size_t		 ca_derlen;
	char		*ca_pem;
	char		 ca_pin[65];	/* SHA-256 of the SPKI, hex */
	int64_t		 ca_not_after;
	uint8_t		*server_der;
	size_t		 server_derlen;
	uint8_t		 server_point[ECKEY_POINT_LEN];
	int64_t		 server_not_after;
	uint8_t		*command_der;
	size_t		 command_derlen;
	bool		 cluster_ready;	/* it has our certificate */
	char		 listen[64];	/* as cluster reports it */
};
/* The process's one state. */
extern struct engine	*eng;

/* Sends a request to the keyholder; cb runs exactly once.  Takes buf. */
int	 engine_ask_key(uint32_t type, struct ibuf *buf, req_cb, void *);
/* Copies into a malloc'd string; NULL and "" become "". */
void	 engine_setstr(char **, const char *);

/* --- engine_identity.c -------------------------------------------------- */
void	 engine_key_info(struct peer *, struct imsg *);
void	 engine_cluster_identity_ok(struct peer *, struct imsg *);
void	 engine_cluster_stats(struct peer *, struct imsg *);
/* PEM of one certificate, malloc'd. */
char	*engine_pem(const uint8_t *der, size_t len);

/* --- engine_event.c ----------------------------------------------------- */
/*
 * Types of spec: cluster_host, container_update, container_state ...  What
 * one host can provoke is limited; the next event kept says how many were
 * left out.  Not from inside a transaction.
 */
void	 event_publish(const char *type, struct host *,
	    const char *container, const char *, ...) __printflike_(4, 5);

/* --- engine_enroll.c ---------------------------------------------------- */
void	 enroll_ask(struct peer *, struct imsg *);
void	 enroll_broken(struct peer *, struct imsg *);

/* --- engine_limit.c ------------------------------------------------------ */
/*
 * Failed enrolments, per source (an address, or a /64 of IPv6) and in total.
 * A source over its limit is not listened to until the window has passed.
 */
#define LIMIT_TOTAL	20	/* times the limit of one source */
enum limit { LIMIT_FREE, LIMIT_REACHED /* just now */, LIMIT_OVER };
enum limit limit_check(const char *address);
/*
 * False: there are too many in total.  That never keeps a good token out, but
 * who guesses is told nothing any more.
 */
bool	 limit_count_failure(const char *address);
/* The text of the source that an address belongs to. */
void	 limit_source(const char *address, char *, size_t);
/* One of burst, which come back at one per msec; false: none is left. */
bool	 rate_take(struct rate *, unsigned int burst, unsigned int msec);

/* --- engine_host.c ------------------------------------------------------ */
int	 host_cmp(const struct host *, const struct host *);
RB_PROTOTYPE(host_tree, host, h_entry, host_cmp)
int	 host_load_all(void);			/* from the database */
struct host *host_find(const char *id);
/* By id, else by name (letter case ignored); living hosts only. */
struct host *host_lookup(const char *id_or_name);
/*
 * A name for a new host from what the agent sent: 1..63 of [A-Za-z0-9._-],
 * unique among living hosts; empty becomes the address, a clash gets "-2".
 */
void	 host_pick_name(const char *wanted, const char *address,
	    const char *own_id, char name[HOST_NAME_SIZE]);
#define HOST_NAME_RULE	"a host name has 1 to 63 letters, digits and . _ -"
/* What a person may call a host, and whether no other one has it. */
bool	 host_name_is_valid(const char *);
bool	 host_name_is_free(const char *, const char *own_id);
struct host *host_new(const char *id, const char *name);
void	 host_free(struct host *);
/* Into the registry: 0, or -1 when the id is taken. */
int	 host_insert(struct host *);
/* Fills a record that lends the host's strings; n features in *feat. */
void	 host_record(const struct host *, Sentinel__Store__Host *);
/*
 * Write what is dirty, HOST_SAVE_BATCH records a commit, at most so many
 * commits (0: all).  So nothing that an agent does costs a commit of its own.
 * -1 (logged): some are dirty still.
 */
int	 host_flush(unsigned int commits);
/* last_seen becomes dirty at most once per ec_last_seen_msec. */
void	 host_seen(struct host *);
/* Whether a line that this host (NULL: somebody) provoked may be logged. */
bool	 host_may_log(struct host *);
bool	 host_is_connected(const struct host *);
bool	 host_has_feature(const struct host *, const char *);
void	 host_set_features(struct host *, char **, size_t);
/* Copies; in the order given. */
void	 host_set_labels(struct host *, char **, size_t);

/* --- engine_life.c: what an operator does to a host ---------------------- */
/*
 * Each is on disk when it returns 0, and memory, log and events follow; on -1
 * (errno of the store, logged) nothing has changed.  Not for tombstones and
 * not for the local host.  by: who wants it, "uid 0".
 */
int	 host_set_paused(struct host *, bool, const char *by);
/* The name was checked: host_name_is_valid(), host_name_is_free(). */
int	 host_rename(struct host *, const char *name, const char *by);
/*
 * "key=value" sets a label, "key=" takes it away.  Also -1 with EINVAL (form),
 * ENOENT (no such label), ENOSPC (HOST_LABELS_MAX are there).
 */
int	 host_label(struct host *, const char *, const char *by);
/*
 * Remove or revoke: serial revoked and tombstone written by one transaction,
 * then operations and calls under way are ended.  The host's name is free.
 */
int	 host_decommission(struct host *, enum host_end, const char *by);
/*
 * Revocations and tombstones of certificates that could not be used any more
 * anyway go after DB_REVOKED_KEEP_SEC.
 */
void	 host_sweep(int64_t now);

/* --- engine_container.c: lists ------------------------------------------- */
void	 stage_init(struct container_stage *, struct host *);
void	 stage_add(struct container_stage *,
	    const Sentinel__Cluster__ContainerInfo *);
void	 stage_drop(struct container_stage *);
/* The staged list replaces the host's. */
void	 stage_commit(struct container_stage *);
struct container *container_find(struct host *, const char *name);
/* A container of its own, not in a list yet; NULL: more than max bytes. */
struct container *container_new(const Sentinel__Cluster__ContainerInfo *,
	    size_t max);
void	 container_free(struct container *);
size_t	 container_size(const struct container *);
/* Bytes that one more may take in this host's list. */
size_t	 container_room(const struct host *);
void	 container_list_free(struct container_list *);

/* --- engine_session.c: calls of agents ----------------------------------- */
int	 session_cmp(const struct session *, const struct session *);
RB_PROTOTYPE(session_tree, session, se_entry, session_cmp)
/* By cluster's number of the call. */
struct session *session_find(uint32_t call);
void	 session_open(struct peer *, struct imsg *);
void	 session_container(struct peer *, struct imsg *);
void	 session_list_end(struct peer *, struct imsg *);
void	 session_message(struct peer *, struct imsg *);
void	 session_closed(struct peer *, struct imsg *);
void	 session_sent(struct peer *, struct imsg *);
void	 session_rtt(struct peer *, struct imsg *);
/* End it from our side; text goes to the agent. */
void	 session_close(struct session *, uint32_t grpc_status,
	    const char *category, const char *text);
/* cluster has died, and with it every call.  Returns how many hosts were
 * connected; they get the category "server" and the text, and no event. */
unsigned int	 session_lose_all(const char *text);
/* Every call of a host, a ReportState under way too. */
void	 session_close_all(struct host *, uint32_t grpc_status,
	    const char *category, const char *text);
/* Timer: sessions that fell silent. */
void	 session_check_silence(void);
/*
 * Queue a packed ServerMessage; takes it.  -1: no credit (EAGAIN), message
 * too large (EMSGSIZE), or stream gone (ENOTCONN).
 */
int	 session_send(struct session *, uint8_t *, size_t);

/* --- engine_gate.c ------------------------------------------------------- */
/*
 * Every connection of an agent passes here, and nowhere else is decided
 * whether its certificate may be used: registered, not revoked, in time.  A
 * tombstone says itself whether its host was removed or revoked, whatever the
 * serial.
 */
enum gate_verdict {
	GATE_OK,
	GATE_RENEW,	/* expired, let in to renew and for nothing else */
	GATE_NO_NAME,
	GATE_REVOKED,
	GATE_UNKNOWN,
	GATE_EXPIRED,
	GATE_NOT_YET,
	GATE_FROZEN,
	GATE_BUSY	/* not peer_gate(): no room for another call */
};
#define GATE_TEXT_REVOKED	"certificate has been revoked"
#define GATE_TEXT_UNKNOWN	"host ID not registered"
#define GATE_TEXT_FROZEN	"host is frozen: two machines use its " \
	"certificate: enrol the copy with a token of its own, then on the " \
	"server: sentinelctl host unfreeze"
struct gate_answer {
	enum gate_verdict ga_verdict;
	uint32_t	 ga_status;	/* enum grpc_status */
	char		 ga_text[192];	/* "" when GATE_OK */
};
/* grace: seconds that an expired certificate may still be renewed. */
void	 peer_gate(const Sentinel__Ipc__AgentOpen *, const struct host *,
	    int is_revoked, int64_t now, int64_t grace, struct gate_answer *);

/* --- engine_op.c: operations --------------------------------------------- */
int	 op_cmp(const struct op *, const struct op *);
RB_PROTOTYPE(op_tree, op, op_entry, op_cmp)
/*
 * Prepare one; the caller fills container, action, image, lines and the
 * callbacks, then calls op_start().  NULL: too many under way.
 */
struct op *op_new(enum op_kind, struct host *);
void	 op_start(struct op *);			/* may end it at once */
struct op *op_find(const char *id);
/* The credentials went on, or never will: wiped. */
void	 op_forget_auth(struct op *);
/* Ends it: done() runs, op is freed. */
void	 op_finish(struct op *, const struct op_result *);
void	 op_fail(struct op *, enum op_end, const char *, ...)
	    __printflike_(3, 4);
void	 op_progress(struct op *, const char *phase, uint32_t percent,
	    const char *text);
/* A stream ended: its operations are of unknown outcome. */
void	 op_session_lost(const struct session *);
/* The host is going for good; text says why. */
void	 op_host_gone(const struct host *, const char *text);
/* The client has gone: nobody waits for the result any more. */
void	 op_forget_arg(const void *arg);
/* A host's message may be the answer to one; type is checked. */
void	 op_answer(struct host *, const Sentinel__Cluster__AgentMessage *);
void	 op_list_answer(struct host *, const char *id, const char *error);

/* --- engine_command.c: an operation as a ServerMessage ------------------- */
/* Packs, signs when the agent wants it, and queues; calls op_fail() when that
 * is not possible. */
void	 command_dispatch(struct op *);

/* --- engine_local.c: this machine's Docker ------------------------------- */
void	 local_init(void);
void	 local_up(struct peer *);	/* not heard before local_listen() */
void	 local_listen(void);
void	 local_dispatch(struct op *);
void	 local_state(struct peer *, struct imsg *);
void	 local_container(struct peer *, struct imsg *);
void	 local_list_end(struct peer *, struct imsg *);
void	 local_progress(struct peer *, struct imsg *);
void	 local_result(struct peer *, struct imsg *);
void	 local_recovered(struct peer *, struct imsg *);
void	 local_lost(void);			/* the docker process died */

/* --- engine_control.c, engine_view.c: sentinelctl ------------------------ */
void	 client_request(struct peer *, struct imsg *);
void	 client_gone(struct peer *, struct imsg *);
void	 client_event(const Sentinel__Ipc__EventView *);
void	 client_reloaded(struct peer *, struct imsg *);
void	 client_status_proc(struct peer *, struct imsg *);
void	 client_status_end(struct peer *, struct imsg *);
void	 view_host(const struct host *, Sentinel__Ipc__HostView *);
void	 view_token(const Sentinel__Store__Token *,
	    Sentinel__Ipc__TokenView *);
void	 view_event(const Sentinel__Store__Event *,
	    Sentinel__Ipc__EventView *);
void	 view_status(Sentinel__Ipc__StatusView *);

#endif /* ENGINE_H */
