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

#ifndef AGENTD_H
#define AGENTD_H

#include "compat.h"

#include "conf.h"
#include "confpart.h"
#include "daemon.h"
#include "imagerule.h"
#include "proc.h"
#include "selfid.h"

/*
 * sentinel-agentd: the table of its processes (table.c), and the parts of
 * the configuration that its children get.
 */
extern const struct proc_table	agentd_table;

#define AGENTD_SERVER_SIZE	272	/* "host:port", IPv6 in brackets */
#define AGENTD_NAME_SIZE	256
#define AGENTD_PATH_SIZE	1024
#define AGENTD_HOSTID_SIZE	33	/* 32 hex */
#define AGENTD_TOKEN_LEN	64	/* hex; the last 32 pin the CA */

struct uplink_conf {
	uint64_t	 uc_rpc_msec;	/* Enroll and ReportState */
	uint64_t	 uc_ping_msec;
	uint64_t	 uc_pong_msec;
};
extern const struct confpart	uplink_confpart;

struct agent_conf {
	uint64_t	 ac_enrolled;	/* the four files were passed */
	uint64_t	 ac_docker;	/* an engine is configured */
	uint64_t	 ac_trust_first_use;
	uint64_t	 ac_signed;	/* enum conf_signed */
	uint64_t	 ac_heartbeat_msec;
	uint64_t	 ac_reconnect_min_msec;
	uint64_t	 ac_reconnect_max_msec;
	uint64_t	 ac_connect_msec;
	uint64_t	 ac_rpc_msec;
	uint64_t	 ac_allow_exec;
	uint64_t	 ac_allow_read_only;
	uint64_t	 ac_allow_actions; /* allow_mask() */
	uint64_t	 ac_list_msec;
	uint64_t	 ac_grace_msec;	/* 0: never autonomous */
	uint64_t	 ac_grace_local; /* configured here: stays */
	uint64_t	 ac_journal_bytes;
	uint64_t	 ac_journal_age_msec;
	char		 ac_server[AGENTD_SERVER_SIZE];
	char		 ac_server_name[AGENTD_NAME_SIZE]; /* "": as dialled */
	char		 ac_name[AGENTD_NAME_SIZE];
	char		 ac_ca_pin[65];	/* "" or 64 hex */
	char		 ac_dir[AGENTD_PATH_SIZE];	/* for messages */
	char		 ac_token[AGENTD_TOKEN_LEN + 1]; /* secret, or "" */
	char		 ac_allow_images[IMAGERULE_LIST_SIZE];
	char		 ac_self[SELFID_SIZE];	/* own container, or "" */
};
extern const struct confpart	agent_confpart;

/*
 * CONF_FILE: files that the parent opens and does not parse.  A file comes
 * as a sealed memfd or read-only, is read from offset 0, and counts as absent
 * when it never comes.  RESOLV and HOSTS go to uplink, again when they
 * change; the others to the engine, once, before its configuration.
 */
enum conf_file {
	CONF_FILE_RESOLV = 1,
	CONF_FILE_HOSTS = 2,
	CONF_FILE_CA = 3,		/* ca.pem */
	CONF_FILE_CERT = 4,		/* agent.pem */
	CONF_FILE_HOSTID = 5,		/* host-id */
	CONF_FILE_SPENT = 6,		/* token-spent: SHA-256, 32 bytes */
	CONF_FILE_CERT_NEW = 7,		/* agent.pem.new: of a renewal */
	/* Not of the identity: to be imported (parent_import.c). */
	CONF_FILE_POLICY = 16,		/* policy_cache.json */
	CONF_FILE_JOURNAL = 17		/* offline_journal.json */
};
#define PASSED_MAXBYTES	(64 * 1024)	/* of each to the engine */
#define PASSED_NAMES_MAXBYTES (256 * 1024)	/* RESOLV and HOSTS */
#define PASSED_IMPORT_MAXBYTES (16 * 1024 * 1024)

/*
 * All of a passed file, at most max bytes; malloc'd with a NUL after *len
 * bytes, caller frees.  NULL with errno, EFBIG when it is longer.  The
 * descriptor stays open.  Source: passedfile.c
 */
uint8_t		*passedfile_read(int fd, size_t max, size_t *len);

/* --- parent -------------------------------------------------------------- */
/* parent.c.  Never returns; conf is owned from here on. */
__dead void	 parent_main(struct conf *, const struct daemon_opts *,
		    const struct proc_opts *);
/* Rows of process 16. */
extern const struct proc_handler	parent_handlers[];

/*
 * parent_identity.c: the files in agent.dir.  Written as NAME.new, synced,
 * renamed in the order host-id, ca.pem, agent-key.pem, agent.pem,
 * token-spent.  The parent opens, writes and renames; it parses nothing.
 */
/*
 * What a crash left is finished or cleared away: renames that had begun are
 * completed, files of an unfinished answer are removed, a new key is kept
 * (the same token with the same key enrols again), a renewal's pair too.
 * Returns whether the agent is enrolled; fatal when files of an identity are
 * missing.
 */
bool	 parent_identity_settle(const char *dir);
/* Hands the key to the keyholder and the rest to the engine; done() runs once
 * the key is in place.  Fatal when it is not usable. */
void	 parent_identity_load(void (*done)(void));
/* Rows of the handler table. */
void	 parent_identity_newkey(struct peer *, struct imsg *);
void	 parent_identity_store(struct peer *, struct imsg *);
void	 parent_identity_loaded(struct peer *, struct imsg *);
/* parent_renew.c: a renewal's key and certificate beside those in use. */
void	 parent_identity_renewkey(struct peer *, struct imsg *);
void	 parent_identity_stage(struct peer *, struct imsg *);
void	 parent_identity_accept(struct peer *, struct imsg *);
/* parent_ca.c: another bundle. */
void	 parent_identity_ca(struct peer *, struct imsg *);

/*
 * parent_import.c: files in agent.dir that the engine takes over once; offered
 * before the configuration, unlinked when the engine has them on disk.
 */
void	 parent_import_offer(const char *dir);
/* Row of the handler table. */
void	 parent_import_done(struct peer *, struct imsg *);

/*
 * parent_journal.c: offline_journal.json in agent.dir, for the engine, which
 * asks with JOURNAL_FILE_OP.  OPEN makes NAME.new and passes it; COMMIT
 * renames it, DISCARD removes it again (not answered), REMOVE removes the file
 * itself.
 */
enum journal_file_op {
	JOURNAL_FILE_OPEN = 1,
	JOURNAL_FILE_COMMIT = 2,
	JOURNAL_FILE_DISCARD = 3,
	JOURNAL_FILE_REMOVE = 4
};
void	 parent_journal_init(const char *dir);
void	 parent_journal_op(struct peer *, struct imsg *);

/* parent_names.c: /etc/resolv.conf and /etc/hosts for uplink, looked at again
 * every PARENT_NAMES_MSEC. */
#define PARENT_NAMES_MSEC	5000
void	 parent_names_start(void);
/* All of it once more, for an uplink that was started again. */
void	 parent_names_again(void);

/* --- helper -------------------------------------------------------------- */
/*
 * -P helper: the process of a container of its own that ends a self update
 * (docker_self.h), confined on its own.  Never returns.  Source: helper.c
 */
__dead void	 helper_main(const struct daemon_opts *);

/* --- children ------------------------------------------------------------ */
/* uplink.c: connects out, proves the server, carries gRPC. */
extern const struct proc_handler	uplink_handlers[];
void	 uplink_warmup(void);
void	 uplink_start(void);
void	 uplink_stop(void);

/* engine.c: the brain of the agent. */
extern const struct proc_handler	engine_handlers[];
void	 engine_warmup(void);
void	 engine_start(void);
void	 engine_stop(void);
void	 engine_peer_lost(struct peer *);
void	 engine_peer_up(struct peer *);

#endif /* AGENTD_H */
