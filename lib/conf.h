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

#ifndef CONF_H
#define CONF_H

#include "compat.h"

#include <stdio.h>

/*
 * The configuration of both daemons: one YAML file, the environment and
 * command-line flags, merged by the precedence flag > environment > file >
 * default.  Only the parent process reads it, before it starts a child.
 * Keys, defaults and bounds are in conf_keys.def; sentinel.conf.5 documents
 * them.  Times are milliseconds (_msec).  Strings are NUL-terminated UTF-8
 * without control characters; a key that is not set (or "none") is NULL.
 */
#define CONF_PATH		"/etc/sentinel.conf"
#define CONF_FILE_MAXBYTES	(1024 * 1024)
#define CONF_DEPTH_MAX		8
#define CONF_ERRS_MAX		100
#define CONF_TOKEN_MAXBYTES	256
#define CONF_SOCKET_MAXBYTES	107	/* sun_path without the NUL */

/* Order is that of the words in conf_keys.def. */
enum conf_mode { CONF_AUTO, CONF_SERVER, CONF_AGENT };
enum conf_privileges { CONF_DROP, CONF_KEEP };
enum conf_log_level { CONF_INFO, CONF_DEBUG };
enum conf_signed { CONF_SIGNED_AUTO, CONF_SIGNED_REQUIRED, CONF_SIGNED_OFF };

/* Host without brackets: an address literal, or for agent.server a name. */
struct conf_addr {
	char		*a_host;	/* NULL: not set */
	uint16_t	 a_port;	/* 1..65535, host order */
};

struct conf_names {
	char		**n_name;	/* addresses, names, words, patterns */
	size_t		 n_len;
};

struct conf_docker {
	char		*cd_socket;	/* path without unix://; NULL: none */
	char		*cd_root;	/* directory, for statvfs(3) */
	uint32_t	 cd_min_free_mib; /* there, for a pull; 0: any */
	uint64_t	 cd_gate_msec;
	uint64_t	 cd_self_msec;	/* of a self update */
	uint64_t	 cd_pull_idle_msec;
};

/* What can also be set at run time (setting.h). */
enum conf_policy { CONF_POLICY_AUTO, CONF_POLICY_MANUAL, CONF_POLICY_PINNED };
enum conf_rollback {
	CONF_ROLLBACK_NONE, CONF_ROLLBACK_MANUAL, CONF_ROLLBACK_PINNED
};
struct conf_settings {
	enum conf_policy ct_default_policy;
	uint64_t	 ct_poll_msec;
	uint64_t	 ct_grace_msec;
	bool		 ct_latest_auto;
	bool		 ct_image_cleanup;
	bool		 ct_hooks;
	bool		 ct_dependencies;
	enum conf_rollback ct_rollback;
	uint64_t	 ct_offline_msec; /* of agents; 0: never */
};

struct conf_server {
	char		*cs_data_dir;
	char		*cs_control;
	char		*cs_control_ro;	/* NULL: none */
	struct conf_docker cs_docker;
	bool		 cs_cluster;	/* cluster.enabled */
	struct conf_addr cs_listen;
	struct conf_names cs_advertise;
	char		*cs_dir;	/* CA and keys */
	uint64_t	 cs_ca_life_msec;
	uint64_t	 cs_server_life_msec;
	uint64_t	 cs_agent_life_msec;
	uint64_t	 cs_command_life_msec;
	uint64_t	 cs_grace_msec;	/* expired ones may renew */
	uint64_t	 cs_token_life_msec;
	uint32_t	 cs_max_agents;	/* connections */
	uint32_t	 cs_enroll_failures; /* per address and window */
	uint64_t	 cs_enroll_window_msec;
	uint32_t	 cs_issue_rate;	/* certificates per second */
	uint32_t	 cs_issue_burst;
	uint64_t	 cs_handshake_msec;
	uint64_t	 cs_ping_msec;
	uint64_t	 cs_pong_msec;
	struct conf_settings cs_settings;
	uint64_t	 cs_beat_msec;	/* our heartbeats to agents */
	uint64_t	 cs_heartbeat_msec; /* silence that ends a session */
	uint64_t	 cs_list_msec;
	uint64_t	 cs_action_msec;
	uint64_t	 cs_logs_msec;
	uint64_t	 cs_follow_idle_msec;
	uint64_t	 cs_update_msec;
	uint64_t	 cs_last_seen_msec;
	uint64_t	 cs_checkpoint_msec;
	uint64_t	 cs_hold_off_msec; /* of who crashed cluster */
};

struct conf_agent {
	struct conf_addr ca_server;
	char		*ca_server_name; /* NULL: the dialled host */
	char		*ca_name;	/* NULL: the system's host name */
	char		*ca_token;	/* secret; see conf_token() */
	char		*ca_token_file;
	bool		 ca_trust_first_use;
	char		*ca_pin;	/* 64 lower-case hex, or NULL */
	char		*ca_data_dir;
	char		*ca_dir;	/* key, certificates, host-id */
	char		*ca_control;
	char		*ca_control_ro;	/* NULL: none */
	struct conf_docker ca_docker;
	uint64_t	 ca_grace_msec;
	uint32_t	 ca_journal_kib;
	uint64_t	 ca_journal_age_msec;
	enum conf_signed ca_signed;
	bool		 ca_allow_exec;
	struct conf_names ca_allow_images; /* imagerule.h */
	struct conf_names ca_allow_actions;
	bool		 ca_allow_read_only;
	uint64_t	 ca_heartbeat_msec;
	uint64_t	 ca_list_msec;
	uint64_t	 ca_ping_msec;
	uint64_t	 ca_pong_msec;
	uint64_t	 ca_reconnect_min_msec;
	uint64_t	 ca_reconnect_max_msec;
	uint64_t	 ca_connect_msec;
	uint64_t	 ca_rpc_msec;
};

enum conf_key_type {
	CONF_T_BOOL, CONF_T_NUMBER, CONF_T_DURATION, CONF_T_WORD, CONF_T_PATH,
	CONF_T_SOCKET, CONF_T_SOCKNONE, CONF_T_DOCKER, CONF_T_LISTEN,
	CONF_T_ADDR, CONF_T_NAME, CONF_T_NAMES, CONF_T_HOST, CONF_T_SECRET,
	CONF_T_PIN, CONF_T_WORDS, CONF_T_IMAGES
};

struct conf_key {
	const char	*ck_name;	/* "server.cluster.listen" */
	enum conf_key_type ck_type;
	size_t		 ck_offset;	/* in struct conf */
	const char	*ck_default;
	const char	*ck_bounds;
	const char	*ck_env;
	const char	*ck_doc;
};

/* Number of keys; the table itself is conf_keys[], in conf.c. */
enum {
#define KEY(name, type, member, dflt, bounds, env, doc)	+ 1
	CONF_NKEYS = 0
#include "conf_keys.def"
#undef KEY
};
extern const struct conf_key	conf_keys[CONF_NKEYS];

enum conf_origin { CONF_O_DEFAULT, CONF_O_FILE, CONF_O_ENV, CONF_O_FLAG };

/* Where a value came from. */
struct conf_from {
	enum conf_origin cf_origin;
	unsigned int	 cf_line;	/* CONF_O_FILE, from 1 */
	unsigned int	 cf_column;
	const char	*cf_name;	/* variable or flag; static string */
};

struct conf {
	enum conf_mode	 c_mode;	/* as configured */
	enum conf_mode	 c_run;		/* decided: never CONF_AUTO */
	enum conf_privileges c_privileges;
	char		*c_run_dir;
	uint32_t	 c_uid_base;
	uint64_t	 c_watchdog_msec;
	enum conf_log_level c_log_level;
	struct conf_server c_server;
	struct conf_agent c_agent;
	char		*c_file;	/* that was read; NULL: none */
	struct conf_from c_from[CONF_NKEYS];
};

/*
 * Errors, in the order found; whole lines without a newline, fit to be shown.
 * A line is NULL when there was no memory for it.
 */
struct conf_errs {
	char		*ce_line[CONF_ERRS_MAX];
	size_t		 ce_len;
	size_t		 ce_more;	/* found after the list was full */
};

/* A key set on the command line. */
struct conf_flag {
	const char	*fl_key;	/* "server.control" */
	const char	*fl_value;	/* as in the file; a list: a,b */
	const char	*fl_name;	/* "-o", static, for messages */
};

struct conf_opts {
	enum conf_mode	 co_daemon;	/* CONF_SERVER: sentineld is asking */
	bool		 co_check;	/* -n: nothing will be acted on */
	const char	*co_file;	/* -f; NULL: CONF_PATH if it exists */
	char *const	*co_environ;
	const struct conf_flag *co_flags;
	size_t		 co_nflags;
};

/*
 * Reads, merges and checks everything, and decides c_run.  Returns NULL when
 * errs is not empty afterwards; the caller prints them (conf_errs_print) and
 * frees them in every case.  errs must be zeroed before.  Blocks; parent
 * only, before the event loop or in two-phase reload.
 * Source: conf.c, conf_yaml.c, conf_env.c, conf_check.c
 */
struct conf	*conf_load(const struct conf_opts *, struct conf_errs *);
/* NULL is fine.  Secrets are wiped. */
void		 conf_free(struct conf *);
/* Wipes and frees the token, once the parent has handed it over. */
void		 conf_token_wipe(struct conf *);

/*
 * The entry point: what sentineld runs.  Agent when mode says so, or when it
 * is auto, the server's address is known, the cluster listener is off, and a
 * token is given or the agent's identity is on disk (enrolled).
 */
enum conf_mode	 conf_mode(const struct conf *, bool enrolled);
/* Whether agent.dir holds host-id, ca.pem, agent-key.pem and agent.pem. */
bool		 conf_is_enrolled(const struct conf *);

/*
 * The enrolment token, from enroll_token or the file, without white space at
 * its ends.
 *	token	CONF_TOKEN_MAXBYTES + 1 bytes; the caller wipes it
 * Returns 1, 0 when none is configured or the file does not exist (a spent
 * token may be removed), -1 with an error added: not regular, readable by
 * group or others, other owner, too long, unreadable bytes.  Parent only.
 */
int		 conf_token(const struct conf *, char *token,
		    struct conf_errs *);
/* Overwrites secrets in environ itself, which /proc/PID/environ shows. */
void		 conf_env_wipe(char *const *);

/*
 * The whole configuration as YAML that parses to the same again, each value
 * with a comment that tells its origin.  Secrets are left out, and a comment
 * says so.  Returns 0, or -1 with errno of stdio.
 */
int		 conf_print(const struct conf *, FILE *);

/* -1 when there is no such key. */
int		 conf_key_find(const char *);
/* "default", "/etc/sentinel.conf:12", "environment SENTINEL_MODE", "flag -o";
 * lends buf.  A key that is not a default is locked against change. */
const char	*conf_from_text(const struct conf *, int key, char *buf,
		    size_t len);

void		 conf_errs_add(struct conf_errs *, const char *, ...)
		    __printflike_(2, 3);
void		 conf_errs_print(const struct conf_errs *, FILE *);
void		 conf_errs_free(struct conf_errs *);

#endif /* CONF_H */
