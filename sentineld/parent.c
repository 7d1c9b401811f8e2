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

#include "sentineld.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "controlsock.h"
#include "daemon.h"
#include "datadir.h"
#include "db.h"
#include "dockerjournal.h"
#include "dockersock.h"
#include "dockerspace.h"
#include "doctor.h"
#include "log.h"
#include "parent_ca.h"
#include "privdrop.h"
#include "procstatus.h"
#include "reload.h"
#include "sdnotify.h"
#include "selfconf.h"

/* Roles that get a part of the configuration. */
#define PARENT_CONF_ROLES	(ROLE_BIT(ROLE_CLUSTER) | \
				ROLE_BIT(ROLE_ENGINE) | ROLE_BIT(ROLE_DOCKER))

static bool	 role_enabled(enum role);
static void	 prepare_directories(const struct proc_opts *);
static void	 bind_sockets(void);
static void	 on_ready(void);
static void	 on_keys(void);
static void	 on_pushed(bool, const char *);
static void	 on_died(enum role, bool);
static void	 on_restarted(enum role);
static void	 on_repushed(bool, const char *);
static void	 on_hup(void);
static int	 reload_prepare(const struct conf *, char *, size_t);
static void	 reload_commit(const struct conf *);
static void	 reload_abort(void);
static void	 on_stopping(void);
static void	 on_exit_last(void);
static void	 pack_part(enum role, uint32_t, struct ibuf *);
static void	 send_things(void);
static void	 pack_settings(struct engine_conf *);

static struct {
	struct conf	*conf;
	char		 listen[64];
	bool		 offered;	/* configuration, to all */
	bool		 ready;		/* all have it: it may be reloaded */
	uint32_t	 fresh;		/* roles that started since then */
} parent;

const struct proc_handler	parent_handlers[] = {
	{ IMSG_CONF_ACCEPT,	confpart_accept },
	{ IMSG_CONF_REJECT,	confpart_reject },
	{ IMSG_KEY_LOADED,	parent_keys_loaded },
	{ IMSG_KEY_NAMES_DONE,	parent_keys_names_done },
	{ IMSG_SERVER_RENEW,	parent_renew_ask },
	{ IMSG_KEY_CA_USED,	parent_ca_used },
	{ IMSG_CA_PHASE,	parent_ca_phase },
	{ IMSG_CA_STEP,		parent_ca_step },
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
	.op_died = on_died,
	.op_restarted = on_restarted,
	.op_hup = on_hup,
	.op_stopping = on_stopping,
	.op_exit = on_exit_last,
};

void
parent_main(struct conf *conf, const struct daemon_opts *opts,
    const struct proc_opts *po)
{
	const struct conf_server	*cs = &conf->c_server;

	parent.conf = conf;
	(void)sdnotify_init();
	parent_cluster_text(&cs->cs_listen, parent.listen,
	    sizeof(parent.listen));
	prepare_directories(po);
	bind_sockets();
	procstatus_init(&sentineld_table);
	doctor_watch("data_dir", cs->cs_data_dir);
	if (cs->cs_docker.cd_socket != NULL)
		doctor_watch("docker_root", cs->cs_docker.cd_root);
	reload_init(opts, CONF_SERVER, &reload_ops);
	dockersock_init(cs->cs_docker.cd_socket);
	dockerspace_init(cs->cs_docker.cd_root);
	dockerjournal_init(ROLE_DOCKER, cs->cs_data_dir);
	log_info("sentineld %s starting%s", SENTINEL_VERSION,
	    conf->c_file == NULL ? " without a configuration file" : "");
	if (proc_parent_init(&sentineld_table, po, &parent_ops,
	    role_enabled) == -1)
		exit(1);
	exit(proc_parent_loop());
}

static bool
role_enabled(enum role role)
{
	switch (role) {
	case ROLE_CLUSTER:
		return (parent.conf->c_server.cs_cluster);
	case ROLE_DOCKER:
		return (parent.conf->c_server.cs_docker.cd_socket != NULL);
	default:
		return (true);
	}
}

static void
prepare_directories(const struct proc_opts *po)
{
	const struct conf_server	*cs = &parent.conf->c_server;
	struct datadir_want		 dw = {
		.dw_role = DATADIR_SERVER,
		.dw_data = cs->cs_data_dir,
		.dw_cluster = cs->cs_dir,
		.dw_run = parent.conf->c_run_dir,
		.dw_keep = po->po_keep,
	};
	char				 err[PATH_MAX + 256];

	if (!po->po_keep && privdrop_ids("_snt-db", po->po_uid_base,
	    ROLE_ENGINE, &dw.dw_uid, &dw.dw_gid) == -1)
		exit(1);
	if (datadir_prepare(&dw, err, sizeof(err)) == -1)
		fatalx("%s", err);
}

/* Before any child runs: a port in use must be told at once. */
static void
bind_sockets(void)
{
	const struct conf_server	*cs = &parent.conf->c_server;
	char				 err[512];

	if (cs->cs_cluster && parent_cluster_bind(&cs->cs_listen, err,
	    sizeof(err)) == -1)
		fatalx("%s", err);
	controlsock_bind(cs->cs_control, cs->cs_control_ro);
}

/* Every child is confined and connected: keys first, then configuration. */
static void
on_ready(void)
{
	if (parent.conf->c_server.cs_cluster)
		parent_keys_load(parent.conf, on_keys);
	else
		on_keys();
}

static void
on_keys(void)
{
	parent.offered = true;
	parent.fresh = PARENT_CONF_ROLES;
	if (confpart_push(PARENT_CONF_ROLES, pack_part, on_pushed) == -1)
		fatal("configuration");
}

/* The last step: only now does anything accept. */
static void
on_pushed(bool ok, const char *why)
{
	if (!ok)
		fatalx("configuration refused: %s", why);
	send_things();
	controlsock_send(proc_peer(ROLE_CONTROL));
	daemon_ready();
	(void)sdnotify_ready();
	parent.ready = true;
	if (parent.conf->c_server.cs_cluster)
		log_info("ready: agents connect to %s", parent.listen);
	else
		log_info("ready: cluster mode is off (cluster.enabled)");
}

static void
on_died(enum role role, bool crashed)
{
	if (role == ROLE_CLUSTER)
		parent_cluster_died(crashed);
}

static void
on_restarted(enum role role)
{
	parent.fresh |= ROLE_BIT(role);
	/* It died while keys were loaded: on_keys() comes to it. */
	if (!parent.offered)
		return;
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
	if (parent.fresh & ROLE_BIT(ROLE_DOCKER))
		dockerjournal_send();
	if (parent.fresh & ROLE_BIT(ROLE_CLUSTER))
		parent_cluster_start();
	parent.fresh = 0;
}

static void
pack_part(enum role role, uint32_t generation, struct ibuf *buf)
{
	const struct conf_server	*cs = &parent.conf->c_server;
	struct cluster_conf		 cc = { 0 };
	struct docker_conf		 dc = { 0 };
	struct engine_conf		 ec = { 0 };

	switch (role) {
	case ROLE_CLUSTER:
		cc.cc_handshake_msec = cs->cs_handshake_msec;
		cc.cc_ping_msec = cs->cs_ping_msec;
		cc.cc_pong_msec = cs->cs_pong_msec;
		cc.cc_max_agents = cs->cs_max_agents;
		(void)strlcpy(cc.cc_listen, parent.listen,
		    sizeof(cc.cc_listen));
		confpart_pack(&cluster_confpart, &cc, generation, buf);
		break;
	case ROLE_DOCKER:
		selfconf_pack(&dc, &cs->cs_docker, cs->cs_data_dir,
		    "db");
		dc.dc_schema = DB_SCHEMA;
		confpart_pack(&docker_confpart, &dc, generation, buf);
		break;
	case ROLE_ENGINE:
		ec.ec_cluster = cs->cs_cluster;
		ec.ec_docker = cs->cs_docker.cd_socket != NULL;
		ec.ec_agent_life_sec = cs->cs_agent_life_msec / 1000;
		ec.ec_token_life_sec = cs->cs_token_life_msec / 1000;
		ec.ec_enroll_failures = cs->cs_enroll_failures;
		ec.ec_enroll_window_msec = cs->cs_enroll_window_msec;
		ec.ec_heartbeat_msec = cs->cs_heartbeat_msec;
		ec.ec_list_msec = cs->cs_list_msec;
		ec.ec_action_msec = cs->cs_action_msec;
		ec.ec_logs_msec = cs->cs_logs_msec;
		ec.ec_follow_idle_msec = cs->cs_follow_idle_msec;
		ec.ec_update_msec = cs->cs_update_msec;
		ec.ec_last_seen_msec = cs->cs_last_seen_msec;
		ec.ec_checkpoint_msec = cs->cs_checkpoint_msec;
		ec.ec_grace_sec = cs->cs_grace_msec / 1000;
		ec.ec_identity_sum = parent_renew_sum(cs);
		ec.ec_hold_off_msec = cs->cs_hold_off_msec;
		ec.ec_beat_msec = cs->cs_beat_msec;
		pack_settings(&ec);
		(void)strlcpy(ec.ec_self, selfconf_id(), sizeof(ec.ec_self));
		(void)strlcpy(ec.ec_listen, parent.listen,
		    sizeof(ec.ec_listen));
		if (gethostname(ec.ec_hostname, sizeof(ec.ec_hostname)) == -1 ||
		    memchr(ec.ec_hostname, '\0', sizeof(ec.ec_hostname)) ==
		    NULL)
			(void)strlcpy(ec.ec_hostname, "local",
			    sizeof(ec.ec_hostname));
		confpart_pack(&engine_confpart, &ec, generation, buf);
		break;
	default:
		fatalx("no configuration part for role %d", role);
	}
}

/* What file, environment or a flag has decided cannot be set at run time. */
static void
pack_settings(struct engine_conf *ec)
{
	const struct conf	*c = parent.conf;
	struct setting_lock	*sl;
	size_t			 i;
	int			 key;

	for (i = 0; i < SETTING_MAX; i++) {
		sl = &ec->ec_setting[i];
		key = setting_key((enum setting)i);
		if (c->c_from[key].cf_origin == CONF_O_DEFAULT)
			continue;
		(void)conf_from_text(c, key, sl->sl_from,
		    sizeof(sl->sl_from));
		(void)setting_text(c, (enum setting)i, sl->sl_value,
		    sizeof(sl->sl_value));
	}
}

/* --- another configuration ---------------------------------------------- */

static void
on_hup(void)
{
	if (parent.ready)
		reload_hup();
}

/* A port in use refuses the whole of it. */
static int
reload_prepare(const struct conf *old, char *why, size_t size)
{
	const struct conf_addr	*to = &parent.conf->c_server.cs_listen;
	char			 was[sizeof(parent.listen)];

	parent_cluster_text(&old->c_server.cs_listen, was, sizeof(was));
	parent_cluster_text(to, parent.listen, sizeof(parent.listen));
	if (!parent.conf->c_server.cs_cluster ||
	    strcmp(was, parent.listen) == 0)
		return (0);
	if (parent_cluster_bind(to, why, size) == 0)
		return (0);
	(void)strlcpy(parent.listen, was, sizeof(parent.listen));
	return (-1);
}

/* Connections that are up stay; new ones come to the new address. */
static void
reload_commit(const struct conf *old)
{
	(void)old;
	parent_keys_conf(parent.conf);
	parent_cluster_move();
	send_things();
}

/* One that was started meanwhile has not got any configuration yet. */
static void
reload_abort(void)
{
	int	 r;

	parent_cluster_unbind();
	parent_cluster_text(&parent.conf->c_server.cs_listen, parent.listen,
	    sizeof(parent.listen));
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
	log_info("sentineld stopped");
}
