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

#include "agentd.h"
#include "backoff.h"
#include "control.h"
#include "docker_exec.h"
#include "eckey.h"
#include "grpc.h"
#include "ipc.pb-c.h"
#include "monotime.h"
#include "pbmem.h"
#include "proc.h"
#include "sentinel.pb-c.h"
#include "x509util.h"

/*
 * The engine of sentinel-agentd, between its files.  It owns the identity,
 * the session, the remembered requests and the results that the server has
 * not got yet; uplink and docker carry out what it says.
 */
#define ENGINE_PREPARE_MSEC	5000	/* Docker's first answer */
#define ENGINE_LIST_MSEC	60000	/* a list that never ends */
#define ENGINE_SIBLING_MSEC	60000	/* parent and keyholder */
#define ENGINE_STEADY_MSEC	10000	/* a session as long is a good one */
#define ENGINE_SAME_MSEC	600000	/* the same failure is told again */
#define ENGINE_PROGRESS_MSEC	250
#define ENGINE_READ_MSEC	60000	/* logs */
#define ENGINE_ACTION_MSEC	3600000
#define ENGINE_HOOK_MSEC	(3600000 + 120000) /* its longest, its end */
#define ENGINE_UPDATE_MSEC	(6 * 3600 * 1000)
#define ENGINE_COMMANDS_MAX	64	/* under way */
#define ENGINE_CONTAINERS_MAX	10000
#define ENGINE_BLOB_MAXBYTES	(8 * 1024 * 1024)
#define ENGINE_ERROR_MAXBYTES	16384	/* of a result */
#define ENGINE_EVENTS_MAX	256	/* for sentinelctl */
#define ENGINE_FOLLOWERS_MAX	32
#define ENGINE_REFUSALS_MAX	10	/* told in ENGINE_REFUSALS_MSEC */
#define ENGINE_REFUSALS_MSEC	10000
#define OUT_CREDIT		64	/* messages on their way */
#define OUT_CREDIT_BYTES	(2 * 1024 * 1024)	/* or as many bytes */
#define OUT_MAX			512	/* waiting */
#define OUT_MAXBYTES		(8 * 1024 * 1024)
#define OUT_CONFIRM_BEATS	2	/* heartbeats after a result */
#define REQUEST_ID_SIZE		129

/* --- identity and session ------------------------------------------------ */
enum session_state {
	SESSION_NONE,		/* not enrolled */
	SESSION_WAIT,		/* for the next attempt */
	SESSION_PREPARE,	/* a list from Docker */
	SESSION_CONNECT,	/* UPLINK_CONNECT sent */
	SESSION_REPORT,		/* UPLINK_REPORT sent */
	SESSION_OPEN,		/* StateAck came, the Channel is open */
	SESSION_CLOSING		/* UPLINK_CLOSE sent; nothing counts now */
};

struct identity {
	char		 id_host[AGENTD_HOSTID_SIZE];
	uint8_t		*id_ca;		/* PEM */
	size_t		 id_calen;
	uint8_t		*id_cert;	/* PEM */
	size_t		 id_certlen;
	uint8_t		 id_point[ECKEY_POINT_LEN];
	bool		 id_has_point;	/* the keyholder has told it */
	int64_t		 id_not_after;
};

/* What is remembered of the server, in state/server. */
struct known_server {
	bool		 ks_ours;	/* it has shown our words */
	bool		 ks_signed;	/* it has announced signatures */
	bool		 ks_pinned;	/* its CA is the one of our token */
};

struct engine {
	struct agent_conf conf;
	struct agent_conf staged;
	bool		 ready;		/* configuration is live */
	time_t		 started;

	bool		 enrolled;
	struct identity	 id;
	uint8_t		 spent[32];	/* hash of the token that was used */
	bool		 has_spent;
	struct known_server server;

	enum session_state session;
	uint32_t	 attempt;	/* id of the last UPLINK_CONNECT */
	bool		 uplink_busy;	/* until UPLINK_DOWN */
	uint8_t		 nonce[16];	/* of this session */
	char		 last_error[512]; /* why the last attempt failed */

	bool		 docker_known;	/* DOCKER_STATE has come */
	bool		 docker_up;
	bool		 docker_live;	/* changes come as they happen */
	char		 docker_error[512];
	char		 docker_id[129];
};
/* The process's one state. */
extern struct engine	*eng;

/* --- engine.c ------------------------------------------------------------ */
/* Both come once; the later one starts enrolment or session. */
void	 engine_begin(void);
const char *engine_version(void);
/* Words for supported_features; NULL-terminated list of *n. */
char	**engine_features(size_t *n);
/* One line for what is not carried out, and no more of them than a log can
 * take: the other end decides how many there are.  request_id may be "". */
void	 engine_tell_refusal(const char *request_id, const char *why);
char	*engine_lend(const char *);	/* const away, NULL becomes "" */
/* A copy that is cut between characters. */
void	 engine_text(char *dst, size_t size, const char *);

/* --- engine_enroll.c ----------------------------------------------------- */
void	 enroll_begin(void);		/* the first; until it succeeds */
/*
 * An attempt with the token in eng->conf.  One only when the host is enrolled:
 * no session may be under way then, and none is until cb has run.  Without an
 * identity it is tried again after a failure, as before.
 *	fault	why the old identity stays; NULL: the new one is in use, a
 *		session begins
 *	hopeless	this token will never do
 * False: an attempt is under way already.
 */
typedef void (*enroll_cb)(const char *fault, bool hopeless);
bool	 enroll_now(enroll_cb);
void	 enroll_answer(struct peer *, struct imsg *);
void	 enroll_stored(struct peer *, struct imsg *);
/* The configuration has changed. */
void	 enroll_reconfigure(void);
/* UPLINK_DOWN of an enrolment. */
void	 enroll_down(const Sentinel__Ipc__UplinkDown *);
/*
 * Is this answer to be believed?  Pure.
 *	token	the 64 characters; carries the pin
 *	ca_pin	"" or 64 hex, must match then
 *	chain	what the server presented in this handshake
 * Returns NULL, or why not in words (static or in why).
 */
struct enroll_check {
	const char	*ec_token;
	const char	*ec_ca_pin;
	bool		 ec_trust_first_use;
	const char	*ec_host;	/* name that was dialled */
	const uint8_t	*ec_point;	/* our key */
	time_t		 ec_now;
};
const char *enroll_fault(const struct enroll_check *,
	    const Sentinel__Cluster__EnrollResponse *, const uint8_t *chain,
	    size_t chainlen, char *why, size_t whylen);
/* Whether the answer's CA is the one that the token names: the server is then
 * one of ours, and signs its commands from the first one on. */
bool	 enroll_is_pinned(const char *token,
	    const Sentinel__Cluster__EnrollResponse *);

/* --- engine_session.c ---------------------------------------------------- */
void	 session_begin(void);		/* enrolled, key in place */
void	 session_prepared(void);	/* Docker has answered, or has not */
void	 session_up(struct peer *, struct imsg *);
void	 session_ack(struct peer *, struct imsg *);
void	 session_message(struct peer *, struct imsg *);
void	 session_sent(struct peer *, struct imsg *);
void	 session_down(struct peer *, struct imsg *);
void	 session_heartbeat(void);	/* now, when the session is open */
/* End it from our side; why is logged.  Only the first time counts. */
void	 session_close(const char *why);
/* The same, for a reason that is no trouble. */
void	 session_restart(const char *why);
/* Ends what is under way; fn has the uplink then, until session_resume(). */
void	 session_yield(void (*fn)(void));
void	 session_resume(bool soon);
bool	 session_is_open(void);
/* The uplink process has died; is there again. */
void	 session_uplink_lost(void);
void	 session_uplink_up(void);
/* The configuration has changed; redial: a session begins anew. */
void	 session_reconfigure(bool redial);
/* The dialled name without port and brackets, or server_name. */
void	 session_server_name(char *, size_t);

/* --- engine_server.c: what the server can do ----------------------------- */
bool	 session_has_feature(const char *);
void	 session_learn(const Sentinel__Cluster__StateAck *);
void	 session_unlearn(void);		/* the session has ended */

/* --- engine_out.c: what goes to the server ------------------------------- */
enum out_kind {
	OUT_PLAIN,	/* dropped with the session */
	OUT_BEAT,	/* a heartbeat */
	OUT_RESULT,	/* sent in the next session, then forgotten */
	OUT_KEPT,	/* of this session: the journal has it */
	OUT_JOURNAL	/* a batch of the journal, one at a time */
};
/* Repairs strings, packs and queues.  hold: not before out_release(). */
void	 out_push(enum out_kind, Sentinel__Cluster__AgentMessage *,
	    uint32_t hold);
/* As above for a message that is packed already; takes it. */
void	 out_push_packed(enum out_kind, uint8_t *, size_t, uint32_t hold);
/* A result that the journal keeps until the server has it. */
void	 out_push_result(const char *request_id,
	    Sentinel__Cluster__AgentMessage *, uint32_t hold);
void	 out_release(uint32_t hold);
void	 out_flush(void);
void	 out_sent(uint32_t count);	/* credit came back; peer checked it */
size_t	 out_unsent(void);		/* credit taken */
void	 out_session_lost(void);

/* --- engine_list.c: containers ------------------------------------------- */
/* error is "" or why there is no list. */
typedef void (*list_cb)(const char *error, void *);
void	 list_init(void);
/* A list that begins now or later; cb runs once, may be NULL.  push: send it
 * to the server whether it changed or not. */
void	 list_ask(bool push, list_cb, void *);
void	 list_container(struct peer *, struct imsg *);
void	 list_end(struct peer *, struct imsg *);
void	 list_lost(const char *why);	/* the docker process died */
size_t	 list_count(void);
time_t	 list_time(void);
/* ContainerInfo messages; false stops. */
void	 list_walk(bool (*)(const Sentinel__Cluster__ContainerInfo *, void *),
	    void *);
/*
 * Appends the cached list (field 2 of StateReport and ContainerList) to a
 * packed message, which it takes; labels go before containers when it would
 * exceed max.  NULL: out of memory.
 */
uint8_t	*list_append(uint8_t *head, size_t headlen, size_t max, size_t *len);
void	 list_send(const char *request_id, const char *error);

/* --- engine_docker.c: commands under way --------------------------------- */
#define COMMAND_HOOKS_MAX	2
struct command_hook {
	char		 ch_phase[33];
	char		 ch_command[EXEC_COMMAND_MAXBYTES];
	int32_t		 ch_sec;
	bool		 ch_rollback;
};

#define COMMAND_BAD_MAX	8
struct command {
	char		 cm_id[REQUEST_ID_SIZE];
	Sentinel__Ipc__DockerOp__Kind cm_kind;
	char		 cm_container[256];
	char		 cm_action[257];
	char		 cm_image[1025];
	char		 cm_digest[1025];
	const char	*cm_auth;	/* lent for docker_run(); or NULL */
	int32_t		 cm_lines;	/* logs: */
	int64_t		 cm_since;	/* unix seconds, 0: no bound */
	int64_t		 cm_until;	/* the same */
	uint32_t	 cm_streams;	/* follow.h, 0: both */
	bool		 cm_timestamps;
	char		 cm_to[80];	/* ROLLBACK */
	char		 cm_bad[COMMAND_BAD_MAX][80];	/* quarantined */
	size_t		 cm_nbad;
	struct command_hook cm_hooks[COMMAND_HOOKS_MAX];
	size_t		 cm_nhooks;
	bool		 cm_skip_hooks;
	monotime_t	 cm_deadline;
	monotime_t	 cm_progress;	/* last one sent */
	char		 cm_phase[33];
	bool		 cm_orphan;	/* docker died: the journal decides */
	TAILQ_ENTRY(command) cm_entry;
};
void	 docker_init(void);
/* There is a channel to it; nothing is heard from it before docker_listen(),
 * which is for when the journal is there. */
void	 docker_up(struct peer *);
void	 docker_listen(void);
/* Carries out a copy; always answers in the end. */
void	 docker_run(const struct command *);
bool	 docker_is_running(const char *request_id);
bool	 docker_is_idle(void);		/* no command is under way */
void	 docker_state(struct peer *, struct imsg *);
void	 docker_progress(struct peer *, struct imsg *);
void	 docker_result(struct peer *, struct imsg *);
void	 docker_recovered(struct peer *, struct imsg *);
void	 docker_lost(void);
/* Answers a command that has not begun with a failure of its kind. */
void	 docker_refuse(const struct command *, const char *why);

/* --- engine_command.c: what the server wants ----------------------------- */
void	 command_init(void);		/* opens state/requests */
void	 command_session(void);		/* a new session, a new nonce */
/* Whether only signed ones count, now and with this server. */
bool	 command_must_be_signed(void);
/* A ServerMessage as it came in. */
void	 command_receive(const uint8_t *, size_t);

/* --- engine_verify.c: signed commands; pure ------------------------------ */
enum verify_verdict {
	VERIFY_OK,
	VERIFY_FORGED,		/* signature, certificate */
	VERIFY_BROKEN,		/* does not parse, contradicts itself */
	VERIFY_FOREIGN,		/* for another host */
	VERIFY_STALE		/* of another session: "stale session" */
};
struct verify_facts {
	const uint8_t	*vf_ca;		/* PEM */
	size_t		 vf_calen;
	const char	*vf_host;
	const uint8_t	*vf_nonce;	/* 16 bytes */
	time_t		 vf_now;
};
/*
 * Opens a signed command.  The message is unpacked into pm after the
 * signature holds, and only then; its request id is the body's.
 *	message	out: also with VERIFY_STALE, for the answer
 */
enum verify_verdict verify_command(const struct verify_facts *,
	    const Sentinel__Cluster__SignedCommand *, struct pbmem *,
	    Sentinel__Cluster__ServerMessage **message, char *why,
	    size_t whylen);

/* --- engine_state.c: files in state/ ------------------------------------- */
/* Written as NAME.new, synced, renamed, directory synced.  0, or -1 logged. */
int	 state_write(const char *name, const void *, size_t);
/* Malloc'd with a NUL after *len bytes; NULL with errno ENOENT, or logged. */
uint8_t	*state_read(const char *name, size_t max, size_t *len);
/* state/session: in the container self there was a session (docker_self.h). */
void	 state_prove(const char *self);
/* state/server, for this host id only. */
void	 state_load_server(const char *hostid, struct known_server *);
int	 state_save_server(const char *hostid, const struct known_server *);
/* Text of the file; pure.  False: not of this host. */
bool	 state_parse_server(const char *text, const char *hostid,
	    struct known_server *);

/* --- engine_request.c: request ids that were carried out ----------------- */
/*
 * A ring of REQMEM_SLOTS records on disk, oldest overwritten first, found
 * again after a crash.  An id is synced before its command begins.
 */
#define REQMEM_SLOTS		4096
struct reqmem;
/* NULL with errno.  Broken records are skipped. */
struct reqmem *reqmem_open(const char *path);
void	 reqmem_close(struct reqmem *);
bool	 reqmem_has(const struct reqmem *, const char *id);
/* 0 when it is on disk, -1 with errno. */
int	 reqmem_add(struct reqmem *, const char *id);
/* Ids added since it was opened or this was called last. */
size_t	 reqmem_fresh(struct reqmem *, bool reset);

/* --- engine_control.c: sentinelctl --------------------------------------- */
void	 client_request(struct peer *, struct imsg *);
void	 client_gone(struct peer *, struct imsg *);
void	 client_reloaded(struct peer *, struct imsg *);
void	 client_status_proc(struct peer *, struct imsg *);
void	 client_status_end(struct peer *, struct imsg *);
void	 event_add_line(const char *type, const char *container,
	    const char *, ...) __printflike_(3, 4);

#endif /* ENGINE_H */
