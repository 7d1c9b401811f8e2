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

#include "agentd.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlsock.h"
#include "daemon.h"
#include "datadir.h"
#include "dockerjournal.h"
#include "dockersock.h"
#include "dockerspace.h"
#include "doctor.h"
#include "engine_allow.h"
#include "hex.h"
#include "log.h"
#include "privdrop.h"
#include "procstatus.h"
#include "reload.h"
#include "sdnotify.h"
#include "selfconf.h"

/* Roles that get a part of the configuration. */
#define PARENT_CONF_ROLES	(ROLE_BIT(ROLE_A_UPLINK) | \
				ROLE_BIT(ROLE_A_ENGINE) | \
				ROLE_BIT(ROLE_A_DOCKER))

static bool	 role_enabled(enum role);
static void	 prepare_directories(const struct proc_opts *);
static void	 read_token(void);
static void	 on_ready(void);
static void	 on_key(void);
static void	 on_pushed(bool, const char *);
static void	 on_restarted(enum role);
static void	 on_repushed(bool, const char *);
static int	 server_text(const struct conf_addr *);
static void	 on_hup(void);
static int	 reload_prepare(const struct conf *, char *, size_t);
static void	 reload_commit(const struct conf *);
static void	 reload_abort(void);
static void	 on_stopping(void);
static void	 on_exit_last(void);
static void	 send_things(void);
static void	 pack_part(enum role, uint32_t, struct ibuf *);
static void	 pack_engine(struct agent_conf *);
static void	 pack_allow(struct agent_conf *);
static void	 host_name(char *, size_t);

static struct {
	struct conf	*conf;
	bool		 enrolled;
	char		 token[CONF_TOKEN_MAXBYTES + 1];	/* until sent */
	char		 server[AGENTD_SERVER_SIZE];
	bool		 offered;	/* configuration, to all */
	bool		 ready;		/* all have it: it may be reloaded */
	uint32_t	 fresh;		/* roles that started since then */
} parent;

const struct proc_handler	parent_handlers[] = {
	{ IMSG_CONF_ACCEPT,	confpart_accept },
	{ IMSG_CONF_REJECT,	confpart_reject },
	{ IMSG_KEY_LOADED,	parent_identity_loaded },
	{ IMSG_IDENTITY_NEWKEY,	parent_identity_newkey },
	{ IMSG_IDENTITY_STORE,	parent_identity_store },
	{ IMSG_IMPORT_DONE,	parent_import_done },
	{ IMSG_IDENTITY_RENEWKEY, parent_identity_renewkey },
	{ IMSG_IDENTITY_STAGE,	parent_identity_stage },
	{ IMSG_IDENTITY_SETTLE,	parent_identity_accept },
	{ IMSG_JOURNAL_FILE_OP,	parent_journal_op },
	{ IMSG_CA_STORE,	parent_identity_ca },
	{ IMSG_STATUS_ASK,	procstatus_ask },
	{ IMSG_DOCTOR_ASK,	doctor_ask },
	{ IMSG_RELOAD_ASK,	reload_ask },
	{ IMSG_DOCKER_SOCK_ASK,	dockersock_ask },
	{ IMSG_DOCKER_SPACE_ASK, dockerspace_ask },
	{ IMSG_DOCKER_JOURNAL_ASK, dockerjournal_ask },
	{ 0, NULL }
};

static const struct reload_ops	reload_ops = {
	.ro_roles = PARENT_CONF_ROLES,
	.ro_conf = &parent.conf,
	.ro_prepare = reload_prepare,
	.ro_pack = pack_part,
	.ro_commit = reload_commit,
	.ro_abort = reload_abort,
};

static const struct proc_parent_ops	parent_ops = {
	.op_ready = on_ready,
	.op_restarted = on_restarted,
	.op_hup = on_hup,
	.op_stopping = on_stopping,
	.op_exit = on_exit_last,
};

void
parent_main(struct conf *conf, const struct daemon_opts *opts,
    const struct proc_opts *po)
{
	const struct conf_agent	*ca = &conf->c_agent;

	parent.conf = conf;
	(void)sdnotify_init();
	if (server_text(&ca->ca_server) == -1)
		fatalx("agent.server: %s: too long", ca->ca_server.a_host);
	prepare_directories(po);
	parent.enrolled = parent_identity_settle(ca->ca_dir);
	read_token();
	parent_journal_init(ca->ca_dir);
	controlsock_bind(ca->ca_control, ca->ca_control_ro);
	procstatus_init(&agentd_table);
	doctor_watch("data_dir", ca->ca_data_dir);
	if (ca->ca_docker.cd_socket != NULL)
		doctor_watch("docker_root", ca->ca_docker.cd_root);
	reload_init(opts, CONF_AGENT, &reload_ops);
	dockersock_init(ca->ca_docker.cd_socket);
	dockerspace_init(ca->ca_docker.cd_root);
	dockerjournal_init(ROLE_A_DOCKER, ca->ca_data_dir);
	log_info("sentinel-agentd %s starting%s", SENTINEL_VERSION,
	    conf->c_file == NULL ? " without a configuration file" : "");
	if (proc_parent_init(&agentd_table, po, &parent_ops,
	    role_enabled) == -1)
		exit(1);
	exit(proc_parent_loop());
}

static int
server_text(const struct conf_addr *addr)
{
	if ((size_t)snprintf(parent.server, sizeof(parent.server),
	    strchr(addr->a_host, ':') != NULL ? "[%s]:%u" : "%s:%u",
	    addr->a_host, addr->a_port) >= sizeof(parent.server))
		return (-1);
	return (0);
}

static bool
role_enabled(enum role role)
{
	if (role == ROLE_A_DOCKER)
		return (parent.conf->c_agent.ca_docker.cd_socket != NULL);
	return (true);
}

static void
prepare_directories(const struct proc_opts *po)
{
	const struct conf_agent	*ca = &parent.conf->c_agent;
	struct datadir_want	 dw = {
		.dw_role = DATADIR_AGENT,
		.dw_data = ca->ca_data_dir,
		.dw_cluster = ca->ca_dir,
		.dw_run = parent.conf->c_run_dir,
		.dw_keep = po->po_keep,
	};
	char			 err[PATH_MAX + 256];

	if (!po->po_keep && privdrop_ids("_snta-state", po->po_uid_base,
	    ROLE_A_ENGINE, &dw.dw_uid, &dw.dw_gid) == -1)
		exit(1);
	if (datadir_prepare(&dw, err, sizeof(err)) == -1)
		fatalx("%s", err);
}

/*
 * What can never enrol is refused here, in the words of the protocol, and not
 * tried for ever.  An enrolled agent does not need a token; a bad file is
 * then no reason to stay away.
 */
static void
read_token(void)
{
	struct conf_errs	 errs = { .ce_len = 0 };
	size_t			 len;
	int			 rc;

	rc = conf_token(parent.conf, parent.token, &errs);
	conf_token_wipe(parent.conf);
	len = strlen(parent.token);
	if (rc == -1 && !parent.enrolled)
		fatalx("%s", errs.ce_len > 0 && errs.ce_line[0] != NULL ?
		    errs.ce_line[0] : "the enrolment token is unreadable");
	conf_errs_free(&errs);
	if (rc != 1 || !hex_is_valid(parent.token, AGENTD_TOKEN_LEN)) {
		explicit_bzero(parent.token, sizeof(parent.token));
		if (parent.enrolled)
			return;
		if (rc == 1 && len < AGENTD_TOKEN_LEN)
			fatalx("enrolment token too short: it has %zu "
			    "characters, not %d; copy it whole from "
			    "\"sentinelctl token create\"", len,
			    AGENTD_TOKEN_LEN);
		if (rc == 1)
			fatalx("the enrolment token is not %d characters of "
			    "0-9a-f; copy it from \"sentinelctl token "
			    "create\"", AGENTD_TOKEN_LEN);
		fatalx("this host is not enrolled and there is no token: run "
		    "\"sentinelctl token create\" on the server and put its "
		    "output into agent.enroll_token_file");
	}
}

/* Every child is confined and connected: key first, then configuration. */
static void
on_ready(void)
{
	if (parent.enrolled)
		parent_identity_load(on_key);
	else
		on_key();
}

static void
on_key(void)
{
	parent_names_start();
	parent_import_offer(parent.conf->c_agent.ca_dir);
	parent.offered = true;
	parent.fresh = PARENT_CONF_ROLES;
	if (confpart_push(PARENT_CONF_ROLES, pack_part, on_pushed) == -1)
		fatal("configuration");
}

static void
on_pushed(bool ok, const char *why)
{
	explicit_bzero(parent.token, sizeof(parent.token));
	if (!ok)
		fatalx("configuration refused: %s", why);
	send_things();
	controlsock_send(proc_peer(ROLE_A_CONTROL));
	daemon_ready();
	(void)sdnotify_ready();
	parent.ready = true;
	log_info("ready: server %s", parent.server);
}

static void
on_restarted(enum role role)
{
	parent.fresh |= ROLE_BIT(role);
	/* It died while the key was loaded: on_key() comes to it. */
	if (!parent.offered)
		return;
	/* Before its configuration, which lets it begin. */
	if (role == ROLE_A_UPLINK)
		parent_names_again();
	if (confpart_repush(role, pack_part, on_repushed) == -1)
		log_warn("configuration after a restart");
}

static void
on_repushed(bool ok, const char *why)
{
	if (!ok)
		fatalx("configuration refused after a restart: %s", why);
	send_things();
}

/* What a process needs beside its configuration, once in its life. */
static void
send_things(void)
{
	if (parent.fresh & ROLE_BIT(ROLE_A_DOCKER))
		dockerjournal_send();
	parent.fresh = 0;
}

static void
pack_part(enum role role, uint32_t generation, struct ibuf *buf)
{
	const struct conf_agent	*ca = &parent.conf->c_agent;
	struct uplink_conf	 uc = { 0 };
	struct docker_conf	 dc = { 0 };
	struct agent_conf	 ac;

	switch (role) {
	case ROLE_A_UPLINK:
		uc.uc_rpc_msec = ca->ca_rpc_msec;
		uc.uc_ping_msec = ca->ca_ping_msec;
		uc.uc_pong_msec = ca->ca_pong_msec;
		confpart_pack(&uplink_confpart, &uc, generation, buf);
		break;
	case ROLE_A_DOCKER:
		selfconf_pack(&dc, &ca->ca_docker, ca->ca_data_dir,
		    "state");
		confpart_pack(&docker_confpart, &dc, generation, buf);
		break;
	case ROLE_A_ENGINE:
		memset(&ac, 0, sizeof(ac));
		pack_engine(&ac);
		confpart_pack(&agent_confpart, &ac, generation, buf);
		explicit_bzero(&ac, sizeof(ac));
		break;
	default:
		fatalx("no configuration part for role %d", role);
	}
}

static void
pack_engine(struct agent_conf *ac)
{
	const struct conf_agent	*ca = &parent.conf->c_agent;

	ac->ac_enrolled = parent.enrolled;
	ac->ac_docker = ca->ca_docker.cd_socket != NULL;
	ac->ac_trust_first_use = ca->ca_trust_first_use;
	ac->ac_signed = ca->ca_signed;
	ac->ac_heartbeat_msec = ca->ca_heartbeat_msec;
	ac->ac_reconnect_min_msec = ca->ca_reconnect_min_msec;
	ac->ac_reconnect_max_msec = ca->ca_reconnect_max_msec;
	ac->ac_connect_msec = ca->ca_connect_msec;
	ac->ac_rpc_msec = ca->ca_rpc_msec;
	ac->ac_list_msec = ca->ca_list_msec;
	ac->ac_grace_msec = ca->ca_grace_msec;
	ac->ac_grace_local = parent.conf->c_from[conf_key_find(
	    "agent.grace_period_offline")].cf_origin != CONF_O_DEFAULT;
	ac->ac_journal_bytes = (uint64_t)ca->ca_journal_kib * 1024;
	ac->ac_journal_age_msec = ca->ca_journal_age_msec;
	(void)strlcpy(ac->ac_server, parent.server, sizeof(ac->ac_server));
	if (ca->ca_server_name != NULL)
		(void)strlcpy(ac->ac_server_name, ca->ca_server_name,
		    sizeof(ac->ac_server_name));
	if (ca->ca_name != NULL)
		(void)strlcpy(ac->ac_name, ca->ca_name, sizeof(ac->ac_name));
	else
		host_name(ac->ac_name, sizeof(ac->ac_name));
	if (ca->ca_pin != NULL)
		(void)strlcpy(ac->ac_ca_pin, ca->ca_pin,
		    sizeof(ac->ac_ca_pin));
	(void)strlcpy(ac->ac_dir, ca->ca_dir, sizeof(ac->ac_dir));
	(void)strlcpy(ac->ac_self, selfconf_id(), sizeof(ac->ac_self));
	(void)strlcpy(ac->ac_token, parent.token, sizeof(ac->ac_token));
	pack_allow(ac);
}

/* conf_check() has seen that the patterns fit. */
static void
pack_allow(struct agent_conf *ac)
{
	const struct conf_agent	*ca = &parent.conf->c_agent;
	size_t			 i;

	ac->ac_allow_exec = ca->ca_allow_exec;
	ac->ac_allow_read_only = ca->ca_allow_read_only;
	ac->ac_allow_actions = allow_mask(ca->ca_allow_actions.n_name,
	    ca->ca_allow_actions.n_len);
	for (i = 0; i < ca->ca_allow_images.n_len; i++) {
		if (i > 0)
			(void)strlcat(ac->ac_allow_images, " ",
			    sizeof(ac->ac_allow_images));
		(void)strlcat(ac->ac_allow_images,
		    ca->ca_allow_images.n_name[i],
		    sizeof(ac->ac_allow_images));
	}
}

/* "": the server takes the address instead. */
static void
host_name(char *name, size_t size)
{
	if (gethostname(name, size) == -1 || memchr(name, '\0', size) == NULL)
		name[0] = '\0';
}

/* --- another configuration ---------------------------------------------- */

static void
on_hup(void)
{
	if (parent.ready)
		reload_hup();
}

static int
reload_prepare(const struct conf *old, char *why, size_t size)
{
	if (server_text(&parent.conf->c_agent.ca_server) == 0)
		return (0);
	(void)snprintf(why, size, "agent.server: too long");
	(void)server_text(&old->c_agent.ca_server);
	return (-1);
}

static void
reload_commit(const struct conf *old)
{
	(void)old;
	/* Read with the rest, and of no use. */
	conf_token_wipe(parent.conf);
	send_things();
}

/* One that was started meanwhile has not got any configuration yet. */
static void
reload_abort(void)
{
	int	 r;

	(void)server_text(&parent.conf->c_agent.ca_server);
	for (r = 0; r < ROLE_MAX; r++) {
		if ((parent.fresh & ROLE_BIT(r)) != 0 && confpart_repush(
		    (enum role)r, pack_part, on_repushed) == -1)
			log_warn("configuration after a restart");
	}
}

static void
on_stopping(void)
{
	(void)sdnotify_stopping();
}

static void
on_exit_last(void)
{
	controlsock_remove();
	log_info("sentinel-agentd stopped");
}
