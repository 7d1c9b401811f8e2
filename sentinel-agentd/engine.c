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

#include "engine_journal.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "doctor.h"
#include "engine_bundle.h"
#include "engine_doctor.h"
#include "engine_follow.h"
#include "engine_import.h"
#include "engine_live.h"
#include "engine_newkey.h"
#include "engine_policy.h"
#include "engine_reenrol.h"
#include "engine_renew.h"
#include "hex.h"
#include "log.h"
#include "utf8.h"

/*
 * The engine process: promises "stdio rpath wpath cpath fsync", all for the
 * files in its own root directory.  It opens no socket and holds no key.
 * What the server sends it checks itself: uplink has only counted the bytes.
 */
static int	 conf_check(const void *, char *, size_t);
static void	 reconfigure(void);
static void	 note_dialled(void);
static void	 on_commit(bool);
static void	 conf_file(struct peer *, struct imsg *);
static void	 file_hostid(const uint8_t *, size_t);
static void	 check_identity(void);
static void	 on_exported(const char *, size_t, void *);

static struct engine	 engine_state;
struct engine		*eng = &engine_state;

/* What sessions were begun with, to be compared after a reload. */
static struct {
	char		 server[AGENTD_SERVER_SIZE];
	char		 server_name[AGENTD_NAME_SIZE];
	uint64_t	 is_signed;
} dialled;

static const struct confpart_child	conf_child = {
	.cc_part = &agent_confpart,
	.cc_live = &engine_state.conf,
	.cc_staged = &engine_state.staged,
	.cc_check = conf_check,
	.cc_commit = on_commit,
};

const struct proc_handler	engine_handlers[] = {
	CONFPART_HANDLERS,
	{ IMSG_CONF_FILE,	conf_file },
	{ IMSG_STATUS_PROC,	client_status_proc },
	{ IMSG_STATUS_END,	client_status_end },
	{ IMSG_KEY_INFO,	newkey_info },
	{ IMSG_KEY_CSR_DONE,	newkey_csr_done },
	{ IMSG_IDENTITY_NEWKEY_DONE, newkey_made },
	{ IMSG_IDENTITY_STORED,	enroll_stored },
	{ IMSG_IDENTITY_STAGED,	renew_staged },
	{ IMSG_CA_STORED,	bundle_stored },
	{ IMSG_IDENTITY_SETTLED, renew_settled },
	{ IMSG_UPLINK_UP,	session_up },
	{ IMSG_UPLINK_ENROLLED,	enroll_answer },
	{ IMSG_UPLINK_ACK,	session_ack },
	{ IMSG_UPLINK_MESSAGE,	session_message },
	{ IMSG_UPLINK_SENT,	session_sent },
	{ IMSG_UPLINK_DOWN,	session_down },
	{ IMSG_UPLINK_FOLLOWED,	follow_uplink },
	{ IMSG_DOCKER_CONTAINER, list_container },
	{ IMSG_DOCKER_LIST_END,	list_end },
	{ IMSG_DOCKER_PROGRESS,	docker_progress },
	{ IMSG_DOCKER_RESULT,	docker_result },
	{ IMSG_DOCKER_STATE,	docker_state },
	{ IMSG_DOCKER_RECOVERED, docker_recovered },
	{ IMSG_DOCKER_DELTA,	live_delta },
	{ IMSG_DOCKER_STALE,	live_stale },
	{ IMSG_DOCKER_FOLLOWED,	follow_docker },
	{ IMSG_JOURNAL_FILE,	ojournal_export_file },
	{ IMSG_JOURNAL_FILE_DONE, ojournal_export_done },
	{ IMSG_RELOAD_DONE,	client_reloaded },
	{ IMSG_DOCTOR_FACT,	doctor_fact },
	{ IMSG_DOCTOR_END,	doctor_fact_end },
	{ IMSG_UPLINK_PROBED,	client_probed },
	{ IMSG_CONTROL_REQUEST,	client_request },
	{ IMSG_CONTROL_GONE,	client_gone },
	{ 0, NULL }
};

void
engine_warmup(void)
{
	tzset();	/* reads /etc/localtime, unreachable after chroot */
	x509_warmup();
}

void
engine_start(void)
{
	eng->started = time(NULL);
	confpart_child_init(&conf_child);
}

/*
 * Requests are remembered and the journal is on disk; what is left of it goes
 * where another implementation would look for it.
 */
void
engine_stop(void)
{
	if (!eng->ready)
		proc_exit(0);
	ojournal_export(true, on_exported, NULL);
}

static void
on_exported(const char *error, size_t entries, void *arg)
{
	(void)arg;
	if (error[0] != '\0')
		log_warnx("offline_journal.json: not written: %s; the "
		    "entries stay in state/", error);
	else if (entries > 0)
		log_info("journal: %zu entries written to "
		    "offline_journal.json", entries);
	proc_exit(0);
}

/* Two restart alone; the death of another one is ours too. */
void
engine_peer_lost(struct peer *p)
{
	switch (p->pe_role) {
	case ROLE_A_UPLINK:
		session_uplink_lost();
		break;
	case ROLE_A_DOCKER:
		docker_lost();
		break;
	default:
		fatalx("lost the channel to process %d", p->pe_role);
	}
}

void
engine_peer_up(struct peer *p)
{
	/* docker says DOCKER_STATE when it is ready. */
	if (p->pe_role == ROLE_A_UPLINK)
		session_uplink_up();
	else if (p->pe_role == ROLE_A_DOCKER)
		docker_up(p);
}

/* The parent has forgotten the token; only a restart brings another one. */
static int
conf_check(const void *staged, char *why, size_t whylen)
{
	(void)staged;
	(void)why;
	(void)whylen;
	if (eng->ready)
		(void)strlcpy(eng->staged.ac_token, eng->conf.ac_token,
		    sizeof(eng->staged.ac_token));
	return (0);
}

/* Another server, or another idea of it, is for a new session. */
static void
reconfigure(void)
{
	bool	 redial;

	redial = strcmp(dialled.server, eng->conf.ac_server) != 0 ||
	    strcmp(dialled.server_name, eng->conf.ac_server_name) != 0 ||
	    dialled.is_signed != eng->conf.ac_signed;
	if (eng->enrolled)
		session_reconfigure(redial);
	else
		enroll_reconfigure();
	offline_reconfigured();
}

static void
note_dialled(void)
{
	(void)strlcpy(dialled.server, eng->conf.ac_server,
	    sizeof(dialled.server));
	(void)strlcpy(dialled.server_name, eng->conf.ac_server_name,
	    sizeof(dialled.server_name));
	dialled.is_signed = eng->conf.ac_signed;
}

static void
on_commit(bool first)
{
	eng->ready = true;
	if (!first)
		reconfigure();
	note_dialled();
	if (!first)
		return;
	eng->enrolled = eng->conf.ac_enrolled != 0;
	if (eng->enrolled) {
		state_load_server(eng->id.id_host, &eng->server);
		reenrol_init();
	}
	command_init();
	docker_init();
	list_init();
	live_init();
	policy_init();
	ojournal_init();
	import_run();
	offline_init();
	docker_listen();
	engine_begin();
}

/* u8 kind; what the parent found in agent.dir */
static void
conf_file(struct peer *p, struct imsg *imsg)
{
	uint8_t	*data, kind;
	size_t	 len;
	int	 fd = imsg_get_fd(imsg);

	if (ibuf_get_n8(imsg_get_ibuf(imsg), &kind) == -1 ||
	    kind < CONF_FILE_CA || kind > CONF_FILE_JOURNAL || eng->ready) {
		close(fd);
		peer_broken(p, imsg, "file out of order");
		return;
	}
	if (kind >= CONF_FILE_POLICY) {
		if (!import_hold(kind, fd))
			peer_broken(p, imsg, "file twice");
		return;
	}
	if ((data = passedfile_read(fd, PASSED_MAXBYTES, &len)) == NULL)
		fatal("%s: file %d of the identity", eng->conf.ac_dir, kind);
	close(fd);
	switch (kind) {
	case CONF_FILE_CA:
		eng->id.id_ca = data;
		eng->id.id_calen = len;
		return;
	case CONF_FILE_CERT:
		eng->id.id_cert = data;
		eng->id.id_certlen = len;
		return;
	case CONF_FILE_CERT_NEW:
		renew_found(data, len);
		return;
	case CONF_FILE_HOSTID:
		file_hostid(data, len);
		break;
	case CONF_FILE_SPENT:
		eng->has_spent = len == sizeof(eng->spent);
		if (eng->has_spent)
			memcpy(eng->spent, data, len);
		break;
	}
	free(data);
}

/* Other implementations and editors end it with a newline. */
static void
file_hostid(const uint8_t *data, size_t len)
{
	while (len > 0 && memchr(" \t\r\n", data[len - 1], 4) != NULL)
		len--;
	if (len == sizeof(eng->id.id_host) - 1)
		memcpy(eng->id.id_host, data, len);
	if (!hex_is_valid(eng->id.id_host, sizeof(eng->id.id_host) - 1))
		fatalx("host-id: not 32 characters of 0-9a-f; restore it, or "
		    "move the directory away and enrol again with a new "
		    "token");
}

/* Configuration and, for an enrolled agent, the key's point: the later one
 * of both starts what there is to do. */
void
engine_begin(void)
{
	if (!eng->ready || eng->session != SESSION_NONE)
		return;
	if (!eng->enrolled) {
		enroll_begin();
		return;
	}
	if (!eng->id.id_has_point)
		return;
	renew_settle();
	check_identity();
	renew_begin();
	session_begin();
}

/* Four files that belong together; the dates are the session's business. */
static void
check_identity(void)
{
	struct x509_result	 xr;

	if (eng->id.id_ca == NULL || eng->id.id_cert == NULL ||
	    eng->id.id_host[0] == '\0')
		fatalx("%s: files of the identity are missing",
		    eng->conf.ac_dir);
	if (!x509_check_issued(eng->id.id_ca, eng->id.id_calen,
	    eng->id.id_cert, eng->id.id_certlen, eng->id.id_point,
	    eng->id.id_host, 0, &xr))
		fatalx("%s: agent.pem: %s (%s); restore the files from a "
		    "backup, or move the directory away and enrol again with "
		    "a new token", eng->conf.ac_dir, xr.xr_text,
		    x509_verdict_name(xr.xr_verdict));
	eng->id.id_not_after = xr.xr_leaf.xf_notafter;
}

/*
 * A server that is not ours replaces, if so configured, every agent whose
 * version is another than its own by its own image; a version "dev" it leaves
 * alone and cuts what follows " (".
 */
const char *
engine_version(void)
{
	return (eng->server.ks_ours ? SENTINEL_VERSION :
	    "dev (c-" SENTINEL_VERSION ")");
}

char **
engine_features(size_t *n)
{
	static const char *const	 words[] = {
		"update", "hooks", "pull", "list", "logs", "update-hooks",
		"progress", "list-error", "engine-id", "pull-result", "sync",
		"server-heartbeat", "journal-ack", "ca-bundle", "plan",
		"container-delta", "follow-logs", "logs-until", "rollback",
		"detail", "registry-auth", "signed-command"
	};

	/* The last two are promises that can be switched off: credentials
	 * are taken inside a signed command only. */
	*n = nitems(words) - (eng->conf.ac_signed == CONF_SIGNED_OFF ? 2 : 0);
	return ((char **)(uintptr_t)words);
}

void
engine_tell_refusal(const char *id, const char *why)
{
	static monotime_t	 since;
	static unsigned int	 told, more;
	monotime_t		 now = monotime_now();

	if (told == 0 || now - since >= ENGINE_REFUSALS_MSEC) {
		if (more > 0)
			log_warnx("server %s: %u more requests were refused",
			    eng->conf.ac_server, more);
		since = now;
		told = more = 0;
	}
	if (told >= ENGINE_REFUSALS_MAX) {
		more++;
		return;
	}
	told++;
	log_warnx("server %s: %s%s refused: %s", eng->conf.ac_server,
	    id[0] != '\0' ? "request " : "message", id, why);
}

char *
engine_lend(const char *s)
{
	static char	 empty[1];

	return (s == NULL ? empty : (char *)(uintptr_t)s);
}

void
engine_text(char *dst, size_t size, const char *src)
{
	(void)utf8_repair(dst, size, src, strlen(src));
}
