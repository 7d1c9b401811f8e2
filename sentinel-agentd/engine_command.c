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

#include "engine_sync.h"
#include "engine_journal.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "engine_allow.h"
#include "engine_bundle.h"
#include "engine_follow.h"
#include "engine_hook.h"
#include "engine_renew.h"
#include "log.h"
#include "pbcheck.h"

/*
 * What the server wants.  A message is checked, then verified when it is
 * signed, then carried out once: the id of a command that changes something
 * is on disk before it begins.
 */
#define KIND(x)	SENTINEL__IPC__DOCKER_OP__KIND__##x
#define PAYLOAD(x) SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_##x

#define LOGS_LINES	50
#define REFUSALS_MAX	10	/* in the journal, within */
#define REFUSALS_MSEC	60000
#define LOGS_LINES_MAX	500

static const char *unsigned_why(void);
static void	 receive_signed(const Sentinel__Cluster__SignedCommand *);
static void	 dispatch(const Sentinel__Cluster__ServerMessage *,
		    const char *, bool);
static void	 journal_refusal(const Sentinel__Cluster__ServerMessage *,
		    enum allow_action, const char *, const char *);
static bool	 has_auth(const Sentinel__Cluster__ServerMessage *);
static bool	 to_command(const Sentinel__Cluster__ServerMessage *,
		    struct command *);
static void	 run(const struct command *);
static void	 do_list(const char *, const char *);
static void	 on_list(const char *, void *);

/* Ids of lists that were asked for, while Docker makes them. */
#define LISTS_MAX	64
static struct {
	char		 id[REQUEST_ID_SIZE];
	uint32_t	 attempt;	/* session it came in; 0: free */
} lists[LISTS_MAX];

static struct reqmem	*requests;

void
command_init(void)
{
	if (requests != NULL)
		reqmem_close(requests);
	if ((requests = reqmem_open("requests")) == NULL)
		fatal("state/requests: no command could be remembered, and so "
		    "none be carried out");
}

/*
 * Within a session the remembered ids are all that stops a replay, so none of
 * them may be forgotten in it: run() ends it before the ring comes around.
 */
void
command_session(void)
{
	(void)reqmem_fresh(requests, true);
}

bool
command_must_be_signed(void)
{
	switch ((enum conf_signed)eng->conf.ac_signed) {
	case CONF_SIGNED_REQUIRED:
		return (true);
	case CONF_SIGNED_OFF:
		return (false);
	default:
		/* Who owns a server's network process could keep the first
		 * announcement back: a pin says as much. */
		return (eng->server.ks_signed || eng->server.ks_pinned);
	}
}

static const char *
unsigned_why(void)
{
	if (eng->conf.ac_signed == CONF_SIGNED_REQUIRED)
		return ("unsigned commands are refused "
		    "(agent.signed_commands: required)");
	if (eng->server.ks_signed)
		return ("unsigned commands are refused: this server signs "
		    "(agent.signed_commands: off takes them)");
	return ("unsigned commands are refused: this host enrolled with a "
	    "token that names its server's CA, and such a server signs "
	    "(agent.signed_commands: off takes them)");
}

void
command_receive(const uint8_t *data, size_t len)
{
	Sentinel__Cluster__ServerMessage	*m;
	struct pbmem				 pm;
	const char				*why;
	char					 text[300];

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = pbcheck_unpack(&sentinel__cluster__server_message__descriptor,
	    data, len, &pm, &why);
	if (m == NULL) {
		/* A foreign server may be newer: one bad message is no
		 * reason to lose the session. */
		(void)snprintf(text, sizeof(text), "broken: %s", why);
		engine_tell_refusal("", text);
	} else if (m->payload_case == PAYLOAD(SIGNED_COMMAND))
		receive_signed(m->signed_command);
	else if (command_must_be_signed())
		dispatch(m, unsigned_why(), false);
	else
		dispatch(m, NULL, false);
	pbmem_free(&pm);
}

static void
receive_signed(const Sentinel__Cluster__SignedCommand *cmd)
{
	struct verify_facts	 vf = {
		.vf_ca = eng->id.id_ca,
		.vf_calen = eng->id.id_calen,
		.vf_host = eng->id.id_host,
		.vf_nonce = eng->nonce,
		.vf_now = time(NULL),
	};
	Sentinel__Cluster__ServerMessage *m;
	struct pbmem		 pm;
	char			 why[300], text[400];

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	switch (verify_command(&vf, cmd, &pm, &m, why, sizeof(why))) {
	case VERIFY_OK:
		dispatch(m, NULL, true);
		break;
	case VERIFY_STALE:
		dispatch(m, why, false);
		break;
	case VERIFY_FORGED:
	case VERIFY_BROKEN:
	case VERIFY_FOREIGN:
		/* Not even its id is known: there is nothing to answer. */
		(void)snprintf(text, sizeof(text), "signed command: %s", why);
		engine_tell_refusal("", text);
		break;
	}
	pbmem_free(&pm);
}

/* One for the docker process. */
static void
do_command(const Sentinel__Cluster__ServerMessage *m, const char *refuse)
{
	struct command	 c;

	if (!to_command(m, &c))
		engine_tell_refusal("", "a command without a request id");
	else if (refuse != NULL || (refuse = hook_command_fault(m)) != NULL)
		docker_refuse(&c, refuse);
	else
		run(&c);
}

static void
do_renewal(const Sentinel__Cluster__CertRenewalResponse *m,
    const char *refuse, bool proven)
{
	if (m->ca_cert.len > 0)
		bundle_receive(m, proven);
	if (m->ca_cert.len == 0 || m->agent_cert.len > 0)
		renew_answer(m, refuse);
}

/* refuse: why it is answered but not carried out; NULL: it is, if the rules
 * of this host allow it.  proven: the server's engine has signed it. */
static void
dispatch(const Sentinel__Cluster__ServerMessage *m, const char *refuse,
    bool proven)
{
	enum allow_action	 action;
	const char		*image;

	action = allow_action(m, &image);
	/* Who only owns the stream could try them out on our engine. */
	if (refuse == NULL && !proven && has_auth(m))
		refuse = "credentials of a registry are taken only in a "
		    "signed command";
	if (refuse == NULL) {
		refuse = allow_fault(&eng->conf, action, image);
		if (refuse != NULL)
			journal_refusal(m, action, image, refuse);
	} else if (action == ALLOW_NONE && m->payload_case !=
	    PAYLOAD(CONTAINER_ACTION)) {
		/* No command, so there is no answer either. */
		engine_tell_refusal(m->request_id, refuse);
		return;
	}
	switch (m->payload_case) {
	case PAYLOAD(LIST_CONTAINERS):
		do_list(m->request_id, refuse);
		break;
	case PAYLOAD(UPDATE_CONTAINER):
	case PAYLOAD(PLAN):
	case PAYLOAD(DETAIL):
	case PAYLOAD(ROLLBACK):
	case PAYLOAD(PULL_IMAGE):
	case PAYLOAD(CONTAINER_ACTION):
	case PAYLOAD(FETCH_LOGS):
	case PAYLOAD(RUN_HOOK):
		do_command(m, refuse);
		break;
	case PAYLOAD(FOLLOW_LOGS):
		if (refuse != NULL)
			follow_refuse(m, refuse);
		else
			follow_begin(m);
		break;
	case PAYLOAD(CERT_RENEWAL_RESPONSE):
		do_renewal(m->cert_renewal_response, refuse, proven);
		break;
	case PAYLOAD(JOURNAL_ACK):
		/* Who only owns the stream must not make results vanish. */
		if (refuse != NULL)
			engine_tell_refusal("journal_ack", refuse);
		else
			ojournal_ack(m->journal_ack);
		break;
	case PAYLOAD(HEARTBEAT):
	case PAYLOAD(POLICY_SYNC):
	case PAYLOAD(SETTINGS_SYNC):
		sync_receive(m, refuse);
		break;
	default:
		engine_tell_refusal(m->request_id, "empty or of a kind that "
		    "this version does not know");
		break;
	}
}

/*
 * What the rules of this host were against.  Not what anybody can send, and
 * not more than REFUSALS_MAX in REFUSALS_MSEC: the journal has other things to
 * keep.  Lists are asked for again and again, and change nothing.
 */
static void
journal_refusal(const Sentinel__Cluster__ServerMessage *m,
    enum allow_action action, const char *image, const char *why)
{
	static monotime_t	 since;
	static unsigned int	 kept;
	struct ojournal_entry	 je = { .je_action = "refused" };
	monotime_t		 now = monotime_now();
	char			 text[512];

	if (kept == 0 || now - since >= REFUSALS_MSEC) {
		since = now;
		kept = 0;
	}
	if (action == ALLOW_LIST || ++kept > REFUSALS_MAX)
		return;
	(void)snprintf(text, sizeof(text), "%s: %s", allow_name(action), why);
	je.je_container = allow_container(m);
	je.je_new_image = image;
	je.je_outcome = "failed";
	je.je_error = text;
	(void)ojournal_add(&je);
}

static bool
has_auth(const Sentinel__Cluster__ServerMessage *m)
{
	return ((m->payload_case == PAYLOAD(UPDATE_CONTAINER) &&
	    m->update_container->registry_auth[0] != '\0') ||
	    (m->payload_case == PAYLOAD(PULL_IMAGE) &&
	    m->pull_image->registry_auth[0] != '\0'));
}

static void
bad_to_command(char **list, size_t n, struct command *c)
{
	for (; c->cm_nbad < n && c->cm_nbad < COMMAND_BAD_MAX; c->cm_nbad++)
		(void)strlcpy(c->cm_bad[c->cm_nbad], list[c->cm_nbad],
		    sizeof(c->cm_bad[0]));
}

static void
to_update(const Sentinel__Cluster__UpdateContainerRequest *m,
    struct command *c)
{
	c->cm_kind = KIND(UPDATE);
	(void)strlcpy(c->cm_container, m->container_name,
	    sizeof(c->cm_container));
	/* Empty: the reference that the container has now. */
	(void)strlcpy(c->cm_image, m->target_image, sizeof(c->cm_image));
	(void)strlcpy(c->cm_digest, m->target_digest, sizeof(c->cm_digest));
	c->cm_auth = m->registry_auth;
	bad_to_command(m->quarantined, m->n_quarantined, c);
	c->cm_skip_hooks = m->skip_hooks;
	hook_to_command(m->hooks, m->n_hooks, c);
}

static void
to_logs(const Sentinel__Cluster__FetchLogsRequest *m, struct command *c)
{
	c->cm_kind = KIND(LOGS);
	(void)strlcpy(c->cm_container, m->container_name,
	    sizeof(c->cm_container));
	c->cm_lines = m->lines <= 0 ? LOGS_LINES :
	    m->lines > LOGS_LINES_MAX ? LOGS_LINES_MAX : m->lines;
	c->cm_since = m->since;
	c->cm_until = m->until;
	c->cm_streams = m->streams;
	c->cm_timestamps = m->timestamps;
}

static bool
to_command(const Sentinel__Cluster__ServerMessage *m, struct command *c)
{
	memset(c, 0, sizeof(*c));
	if (m->request_id[0] == '\0')
		return (false);
	(void)strlcpy(c->cm_id, m->request_id, sizeof(c->cm_id));
	switch (m->payload_case) {
	case PAYLOAD(UPDATE_CONTAINER):
		to_update(m->update_container, c);
		break;
	case PAYLOAD(RUN_HOOK):
		c->cm_kind = KIND(HOOK);
		(void)strlcpy(c->cm_container, m->run_hook->container_name,
		    sizeof(c->cm_container));
		hook_to_command(&m->run_hook, 1, c);
		break;
	case PAYLOAD(ROLLBACK):
		c->cm_kind = KIND(ROLLBACK);
		(void)strlcpy(c->cm_container, m->rollback->container_name,
		    sizeof(c->cm_container));
		(void)strlcpy(c->cm_to, m->rollback->to, sizeof(c->cm_to));
		bad_to_command(m->rollback->quarantined,
		    m->rollback->n_quarantined, c);
		break;
	case PAYLOAD(PLAN):
		c->cm_kind = KIND(PLAN);
		(void)strlcpy(c->cm_container, m->plan->container_name,
		    sizeof(c->cm_container));
		(void)strlcpy(c->cm_image, m->plan->target_image,
		    sizeof(c->cm_image));
		break;
	case PAYLOAD(DETAIL):
		c->cm_kind = KIND(DETAIL);
		(void)strlcpy(c->cm_container, m->detail->container_name,
		    sizeof(c->cm_container));
		break;
	case PAYLOAD(PULL_IMAGE):
		c->cm_kind = KIND(PULL);
		(void)strlcpy(c->cm_image, m->pull_image->image_ref,
		    sizeof(c->cm_image));
		c->cm_auth = m->pull_image->registry_auth;
		break;
	case PAYLOAD(CONTAINER_ACTION):
		c->cm_kind = KIND(ACTION);
		(void)strlcpy(c->cm_container,
		    m->container_action->container_name,
		    sizeof(c->cm_container));
		(void)strlcpy(c->cm_action, m->container_action->action,
		    sizeof(c->cm_action));
		break;
	default:
		to_logs(m->fetch_logs, c);
		break;
	}
	return (true);
}

static void
run(const struct command *c)
{
	char	 why[300];

	/* Reading twice does no harm, and needs no disk. */
	if (c->cm_kind == KIND(LOGS) || c->cm_kind == KIND(PLAN) ||
	    c->cm_kind == KIND(DETAIL)) {
		if (!docker_is_running(c->cm_id))
			docker_run(c);
		return;
	}
	if (docker_is_running(c->cm_id) || reqmem_has(requests, c->cm_id)) {
		engine_tell_refusal(c->cm_id, "it came again and runs once");
		return;
	}
	if (c->cm_kind == KIND(ACTION) && strcmp(c->cm_action, "stop") != 0 &&
	    strcmp(c->cm_action, "start") != 0 &&
	    strcmp(c->cm_action, "restart") != 0) {
		(void)snprintf(why, sizeof(why), "unknown action: %s",
		    c->cm_action);
		docker_refuse(c, why);
		return;
	}
	if (reqmem_add(requests, c->cm_id) == -1) {
		(void)snprintf(why, sizeof(why), "the request cannot be "
		    "remembered on disk, so it is not carried out: %s",
		    strerror(errno));
		docker_refuse(c, why);
		return;
	}
	docker_run(c);
	if (reqmem_fresh(requests, false) >= REQMEM_SLOTS - 1)
		session_close("a new nonce is due");
}

/* --- lists --------------------------------------------------------------- */

static void
do_list(const char *id, const char *refuse)
{
	size_t	 i;

	if (refuse != NULL)
		engine_tell_refusal(id, refuse);
	for (i = 0; i < LISTS_MAX && lists[i].attempt != 0; i++)
		continue;
	if (refuse != NULL || i == LISTS_MAX || !eng->docker_up) {
		if (session_has_feature("list-error"))
			list_send(id, refuse != NULL ? refuse :
			    !eng->docker_up ? eng->docker_error :
			    "too many lists are under way");
		else if (refuse == NULL)
			/* Silence would hold such a server up for ever, and
			 * an empty list would be a lie. */
			session_close("no list for the server");
		return;
	}
	(void)strlcpy(lists[i].id, id, sizeof(lists[i].id));
	lists[i].attempt = eng->attempt;
	list_ask(false, on_list, (void *)(uintptr_t)i);
}

static void
on_list(const char *error, void *arg)
{
	size_t		 i = (size_t)(uintptr_t)arg;
	uint32_t	 attempt = lists[i].attempt;

	lists[i].attempt = 0;
	if (attempt != eng->attempt || !session_is_open())
		return;		/* the session that asked is gone */
	if (error[0] == '\0' || session_has_feature("list-error"))
		list_send(lists[i].id, error);
	else
		session_close("no list for the server");
}
