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

#ifndef SENTINELD_H
#define SENTINELD_H

#include "compat.h"

#include "conf.h"
#include "confpart.h"
#include "daemon.h"
#include "proc.h"
#include "selfid.h"
#include "setting.h"

/*
 * sentineld: the table of its processes (table.c), and the parts of the
 * configuration that its children get (parts.c).
 */
extern const struct proc_table	sentineld_table;

struct cluster_conf {
	uint64_t	 cc_handshake_msec;
	uint64_t	 cc_ping_msec;
	uint64_t	 cc_pong_msec;
	uint64_t	 cc_max_agents;		/* connections */
	char		 cc_listen[64];		/* as shown: "[::]:9443" */
};
extern const struct confpart	cluster_confpart;

/* A setting that the configuration has decided: locked. */
struct setting_lock {
	char		 sl_from[512];	/* "/etc/sentinel.conf:12"; "": not */
	char		 sl_value[1024]; /* a long list is cut */
};

struct engine_conf {
	uint64_t	 ec_cluster;		/* 0 or 1 */
	uint64_t	 ec_docker;		/* local engine configured */
	uint64_t	 ec_agent_life_sec;
	uint64_t	 ec_token_life_sec;
	uint64_t	 ec_enroll_failures;	/* per address and window */
	uint64_t	 ec_enroll_window_msec;
	uint64_t	 ec_heartbeat_msec;	/* silence to end a session */
	uint64_t	 ec_list_msec;
	uint64_t	 ec_action_msec;
	uint64_t	 ec_logs_msec;
	uint64_t	 ec_follow_idle_msec;	/* nobody reads */
	uint64_t	 ec_update_msec;
	uint64_t	 ec_last_seen_msec;
	uint64_t	 ec_checkpoint_msec;
	uint64_t	 ec_grace_sec;		/* expired ones may renew */
	uint64_t	 ec_identity_sum;	/* parent_renew_sum() */
	uint64_t	 ec_hold_off_msec;	/* after a crash of cluster */
	char		 ec_listen[64];
	char		 ec_hostname[64];	/* of this machine */
	char		 ec_self[SELFID_SIZE];	/* our container, "": none */
	uint64_t	 ec_beat_msec;		/* our heartbeats to agents */
	struct setting_lock ec_setting[SETTING_MAX];
};
extern const struct confpart	engine_confpart;

/* --- parent ------------------------------------------------------------- */
/* parent.c.  Never returns; conf is owned from here on. */
__dead void	 parent_main(struct conf *, const struct daemon_opts *,
		    const struct proc_opts *);
/* Rows of process 0. */
extern const struct proc_handler	parent_handlers[];

/*
 * parent_keys.c: opens the files of cluster.dir for the keyholder, makes them
 * at the first start, and hands over the names of the server certificate.
 * done() runs once all keys are in place; any failure is fatal and names the
 * file.
 */
void	 parent_keys_load(const struct conf *, void (*done)(void));
void	 parent_keys_loaded(struct peer *, struct imsg *);
void	 parent_keys_names_done(struct peer *, struct imsg *);
/* Another configuration is live; the one before may be freed. */
void	 parent_keys_conf(const struct conf *);
/* KEY_NAMES with the list, this machine's names, and the life that is live. */
void	 parent_keys_names(const struct conf_names *, uint32_t id);
/* The configured list; NULL until all keys are in place. */
const struct conf_names *parent_keys_advertise(void);

/*
 * parent_renew.c: a new server certificate at run time, when the engine asks
 * (SERVER_RENEW).  This machine's addresses are read anew each time; names
 * from the engine are those of the setting cluster.advertise, and only there
 * when the configuration has none.
 */
void	 parent_renew_ask(struct peer *, struct imsg *);
/* The keyholder's answer to KEY_NAMES with this id, perhaps a late one. */
void	 parent_renew_done(uint32_t id, bool ok, const char *why);
/* A number that is another one when a new configuration wants another server
 * certificate: advertise list, life. */
uint64_t parent_renew_sum(const struct conf_server *);

/*
 * parent_cluster.c: listener and crash page of the cluster process.  _bind()
 * binds a listener, -1 and a line in err; it is used from _start() on, which
 * also gives a cluster that was just started what it needs, or from _move()
 * on, which gives it to one that is there; _unbind() drops it.  _died() tells
 * the engine; crashed as in op_died.
 */
int	 parent_cluster_bind(const struct conf_addr *, char *err,
	    size_t errlen);
void	 parent_cluster_unbind(void);
void	 parent_cluster_start(void);
void	 parent_cluster_move(void);
void	 parent_cluster_died(bool crashed);
/* "[::]:9443" */
void	 parent_cluster_text(const struct conf_addr *, char *, size_t);

/*
 * parent_names.c: subject alternative names of the server certificate:
 * localhost, 127.0.0.1, ::1, the private addresses of this machine's
 * interfaces (RFC 1918, RFC 4193), and the advertise list.  Appends to buf
 * per name u8 type (1 DNS, 2 IP), bytes value (IMSG_KEY_NAMES).
 */
#define PARENT_NAMES_MAX	128
#define PARENT_NAMES_MAXBYTES	16384	/* of KEY_NAMES */
int	 parent_names_pack(const struct conf_names *advertise, struct ibuf *);

/* --- children ----------------------------------------------------------- */
/* cluster.c: gRPC towards agents. */
extern const struct proc_handler	cluster_handlers[];
void	 cluster_warmup(void);
void	 cluster_start(void);
void	 cluster_stop(void);

/* engine.c: the brain, sole owner of the database. */
extern const struct proc_handler	engine_handlers[];
void	 engine_warmup(void);
void	 engine_start(void);
void	 engine_stop(void);
void	 engine_peer_lost(struct peer *);
void	 engine_peer_up(struct peer *);

#endif /* SENTINELD_H */
