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

#include "engine_command.h"
#include "engine_quarantine.h"

#include <openssl/evp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine_hook.h"
#include "grpc.h"
#include "hex.h"
#include "log.h"
#include "pbcheck.h"
#include "xmalloc.h"

/*
 * An operation as a ServerMessage.  Towards an agent that verifies, the
 * message is packed once into a CommandBody, signed by the keyholder, and
 * carried unchanged from here to the agent's engine: cluster cannot make one.
 */
struct signing {
	uint32_t	 sg_call;	/* session; it may end meanwhile */
	uint64_t	 sg_epoch;
	char		 sg_op[REQUEST_ID_SIZE];	/* "": no operation's */
	uint8_t		*sg_body;
	size_t		 sg_len;
	command_done	 sg_done;
	void		*sg_arg;
};

/* What a message lends its parts from. */
struct request {
	union {
		Sentinel__Cluster__ListContainersRequest	 list;
		Sentinel__Cluster__ContainerActionRequest	 action;
		Sentinel__Cluster__FetchLogsRequest		 logs;
		Sentinel__Cluster__UpdateContainerRequest	 update;
		Sentinel__Cluster__PullImageRequest		 pull;
		Sentinel__Cluster__RollbackRequest		 rollback;
		Sentinel__Cluster__PlanRequest			 plan;
		Sentinel__Cluster__DetailRequest		 detail;
	};
	struct hook_list	 hooks;
	struct quarantine	 bad;
};

#define PAYLOAD(x) SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_##x

static void	 push(struct session *,
		    const Sentinel__Cluster__ServerMessage *, const char *,
		    command_done, void *);
static void	 sign(struct session *, struct signing *, const char *,
		    uint8_t *, size_t);
static void	 on_signed(void *, enum req_end, struct imsg *);
static void	 send_signed(struct signing *, const uint8_t *, size_t);
static void	 queue(struct session *, uint8_t *, size_t, command_done,
		    void *);
static void	 finish(struct signing *, enum command_end, const char *);
static void	 on_dispatched(void *, enum command_end, const char *);

/* --- operations --------------------------------------------------------- */

/* What its agent cannot do; NULL: nothing is in the way. */
static const char *
too_old(const struct op *op)
{
	const struct host	*h = op->op_host;

	if (op->op_kind == OP_PULL && !host_has_feature(h, "pull-result"))
		return ("is too old for this: it does not tell what became of "
		    "a pull");
	if (op->op_auth == NULL)
		return (NULL);
	if (!host_has_feature(h, "registry-auth"))
		return ("is too old for this: it takes no credentials of a "
		    "registry");
	if (!h->h_session->se_signed)
		return ("does not verify signed commands: it is sent no "
		    "credentials of a registry");
	return (NULL);
}

static void
ask_update(struct op *op, Sentinel__Cluster__ServerMessage *m,
    struct request *rq)
{
	Sentinel__Cluster__UpdateContainerRequest	*u = &rq->update;

	sentinel__cluster__update_container_request__init(u);
	u->container_name = op->op_container;
	u->target_image = op->op_image;
	quarantine_of_op(op, &rq->bad);
	u->quarantined = rq->bad.qu_list;
	u->n_quarantined = rq->bad.qu_n;
	u->skip_hooks = op->op_skip_hooks;
	if (!op->op_foreign) {
		u->n_hooks = hooks_to_wire(op, &rq->hooks);
		u->hooks = rq->hooks.hl_list;
	}
	if (op->op_auth != NULL)
		u->registry_auth = op->op_auth;
	m->payload_case = PAYLOAD(UPDATE_CONTAINER);
	m->update_container = u;
}

static void
ask_logs(struct op *op, Sentinel__Cluster__ServerMessage *m,
    struct request *rq)
{
	Sentinel__Cluster__FetchLogsRequest	*l = &rq->logs;

	sentinel__cluster__fetch_logs_request__init(l);
	l->container_name = op->op_container;
	l->lines = op->op_lines;
	l->since = op->op_since_time;
	l->until = op->op_until_time;
	l->streams = op->op_streams;
	l->timestamps = op->op_timestamps;
	m->payload_case = PAYLOAD(FETCH_LOGS);
	m->fetch_logs = l;
}

static void
ask_image(struct op *op, Sentinel__Cluster__ServerMessage *m,
    struct request *rq)
{
	if (op->op_kind == OP_PULL) {
		sentinel__cluster__pull_image_request__init(&rq->pull);
		rq->pull.image_ref = op->op_image;
		if (op->op_auth != NULL)
			rq->pull.registry_auth = op->op_auth;
		m->payload_case = PAYLOAD(PULL_IMAGE);
		m->pull_image = &rq->pull;
	} else {
		sentinel__cluster__plan_request__init(&rq->plan);
		rq->plan.container_name = op->op_container;
		rq->plan.target_image = op->op_image;
		m->payload_case = PAYLOAD(PLAN);
		m->plan = &rq->plan;
	}
}

/* The message for an operation; it lends from op and rq. */
static void
ask(struct op *op, Sentinel__Cluster__ServerMessage *m, struct request *rq)
{
	sentinel__cluster__server_message__init(m);
	m->request_id = op->op_id;
	switch (op->op_kind) {
	case OP_LIST:
		sentinel__cluster__list_containers_request__init(&rq->list);
		m->payload_case = PAYLOAD(LIST_CONTAINERS);
		m->list_containers = &rq->list;
		break;
	case OP_ACTION:
		sentinel__cluster__container_action_request__init(&rq->action);
		rq->action.container_name = op->op_container;
		rq->action.action = op->op_action;
		m->payload_case = PAYLOAD(CONTAINER_ACTION);
		m->container_action = &rq->action;
		break;
	case OP_LOGS:
		ask_logs(op, m, rq);
		break;
	case OP_UPDATE:
		ask_update(op, m, rq);
		break;
	case OP_PULL:
	case OP_PLAN:
		ask_image(op, m, rq);
		break;
	case OP_ROLLBACK:
		sentinel__cluster__rollback_request__init(&rq->rollback);
		rq->rollback.container_name = op->op_container;
		rq->rollback.to = op->op_to;
		quarantine_of_op(op, &rq->bad);
		rq->rollback.quarantined = rq->bad.qu_list;
		rq->rollback.n_quarantined = rq->bad.qu_n;
		m->payload_case = PAYLOAD(ROLLBACK);
		m->rollback = &rq->rollback;
		break;
	case OP_DETAIL:
		sentinel__cluster__detail_request__init(&rq->detail);
		rq->detail.container_name = op->op_container;
		m->payload_case = PAYLOAD(DETAIL);
		m->detail = &rq->detail;
		break;
	case OP_HOOK:
		(void)hooks_to_wire(op, &rq->hooks);
		m->payload_case = PAYLOAD(RUN_HOOK);
		m->run_hook = rq->hooks.hl_list[0];
		break;
	}
}

void
command_dispatch(struct op *op)
{
	Sentinel__Cluster__ServerMessage	 m;
	struct request				 rq;
	const char				*why;

	if ((why = too_old(op)) != NULL) {
		op_fail(op, OP_FAILED, "the agent on host %s %s",
		    op->op_host->h_name, why);
		return;
	}
	ask(op, &m, &rq);
	push(op->op_host->h_session, &m, op->op_id, on_dispatched,
	    xstrdup(op->op_id));
}

/* Takes the id.  The operation may have ended meanwhile. */
static void
on_dispatched(void *arg, enum command_end end, const char *why)
{
	struct op	*op = op_find(arg);

	free(arg);
	if (op == NULL)
		return;
	switch (end) {
	case COMMAND_QUEUED:
		op->op_sent = true;
		op_forget_auth(op);
		break;
	case COMMAND_FAILED:
		op_fail(op, OP_FAILED, "host %s: %s", op->op_host->h_name,
		    why);
		break;
	case COMMAND_GONE:
		op_fail(op, OP_GONE, "host %s: %s", op->op_host->h_name, why);
		break;
	}
}

/* --- any message -------------------------------------------------------- */

void
command_new_id(char id[REQUEST_ID_SIZE])
{
	uint8_t	 raw[8];

	do {
		arc4random_buf(raw, sizeof(raw));
		(void)hex_encode(id, REQUEST_ID_SIZE, raw, sizeof(raw));
	} while (op_find(id) != NULL);
}

void
command_push(struct session *s, const Sentinel__Cluster__ServerMessage *m,
    command_done done, void *arg)
{
	push(s, m, "", done, arg);
}

static void
push(struct session *s, const Sentinel__Cluster__ServerMessage *m,
    const char *op, command_done done, void *arg)
{
	struct signing	*sg;
	uint8_t		*data;
	size_t		 len;

	if ((data = pbcheck_pack(&m->base, GRPC_SEND_MAXBYTES, &len)) == NULL)
		done(arg, COMMAND_FAILED, "the command cannot be packed");
	else if (!s->se_signed)
		queue(s, data, len, done, arg);
	else if (eng->command_der == NULL) {
		free(data);
		done(arg, COMMAND_FAILED, "there is no certificate to sign "
		    "commands with yet; try again");
	} else {
		sg = xcalloc(1, sizeof(*sg));
		sg->sg_call = s->se_call;
		sg->sg_epoch = s->se_epoch;
		(void)strlcpy(sg->sg_op, op, sizeof(sg->sg_op));
		sg->sg_done = done;
		sg->sg_arg = arg;
		sign(s, sg, m->request_id, data, len);
	}
}

/* Takes the packed message. */
static void
sign(struct session *s, struct signing *sg, const char *id, uint8_t *data,
    size_t len)
{
	Sentinel__Cluster__CommandBody	 body;
	struct ibuf			*buf;
	uint8_t				 hash[32];

	sentinel__cluster__command_body__init(&body);
	body.host_id = s->se_host->h_id;
	body.session_nonce.data = s->se_nonce;
	body.session_nonce.len = sizeof(s->se_nonce);
	/* protobuf-c has no const strings. */
	body.request_id = (char *)(uintptr_t)id;
	body.message.data = data;
	body.message.len = len;
	sg->sg_body = pbcheck_pack(&body.base, GRPC_SEND_MAXBYTES - 4096,
	    &sg->sg_len);
	freezero(data, len);
	if (sg->sg_body == NULL || EVP_Digest(sg->sg_body, sg->sg_len, hash,
	    NULL, EVP_sha256(), NULL) != 1) {
		finish(sg, COMMAND_FAILED, "the command cannot be signed");
		return;
	}
	if ((buf = ibuf_open(34)) == NULL ||
	    ibuf_add_bytes(buf, hash, sizeof(hash)) == -1)
		fatal("KEY_COMMAND");
	if (engine_ask_key(IMSG_KEY_COMMAND, buf, on_signed, sg) == -1)
		finish(sg, COMMAND_FAILED, "the keyholder is busy; try again");
}

/* u8 rc, bytes signature */
static void
on_signed(void *arg, enum req_end end, struct imsg *imsg)
{
	struct signing	*sg = arg;
	const uint8_t	*sig = NULL;
	size_t		 len = 0;
	uint8_t		 rc = 1;

	if (end != REQ_ANSWER ||
	    imsg_get_type(imsg) != IMSG_KEY_COMMAND_SIGNED ||
	    ibuf_get_n8(imsg_get_ibuf(imsg), &rc) == -1 || rc != 0 ||
	    ibuf_get_bytes(imsg_get_ibuf(imsg), ECKEY_SIG_MAXBYTES, &sig,
	    &len) == -1)
		finish(sg, COMMAND_FAILED, "the keyholder did not sign the "
		    "command");
	else
		send_signed(sg, sig, len);
}

static void
send_signed(struct signing *sg, const uint8_t *sig, size_t len)
{
	Sentinel__Cluster__ServerMessage	 m;
	Sentinel__Cluster__SignedCommand	 cmd;
	struct session				*s = session_find(sg->sg_call);
	uint8_t					*data;
	size_t					 datalen;

	/* The stream that this body names may be gone or replaced. */
	if (s == NULL || s->se_epoch != sg->sg_epoch || s->se_closing) {
		finish(sg, COMMAND_GONE, "disconnected before the command "
		    "left");
		return;
	}
	/* What nobody waits for any more is not done either. */
	if (sg->sg_op[0] != '\0' && op_find(sg->sg_op) == NULL) {
		finish(sg, COMMAND_GONE, "the operation has ended");
		return;
	}
	sentinel__cluster__signed_command__init(&cmd);
	cmd.body.data = sg->sg_body;
	cmd.body.len = sg->sg_len;
	cmd.signature.data = (uint8_t *)(uintptr_t)sig;
	cmd.signature.len = len;
	cmd.certificate.data = eng->command_der;
	cmd.certificate.len = eng->command_derlen;
	/* The id stays inside: outside, fields 1 to 12 are empty. */
	sentinel__cluster__server_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_SIGNED_COMMAND;
	m.signed_command = &cmd;
	if ((data = pbcheck_pack(&m.base, GRPC_SEND_MAXBYTES, &datalen)) ==
	    NULL) {
		finish(sg, COMMAND_FAILED, "the command is too large");
		return;
	}
	queue(s, data, datalen, sg->sg_done, sg->sg_arg);
	freezero(sg->sg_body, sg->sg_len);
	free(sg);
}

static void
queue(struct session *s, uint8_t *data, size_t len, command_done done,
    void *arg)
{
	if (session_send(s, data, len) == 0)
		done(arg, COMMAND_QUEUED, "");
	else
		done(arg, COMMAND_FAILED, errno == EAGAIN ?
		    "takes no more commands at the moment; try again" :
		    "the command could not be sent");
}

static void
finish(struct signing *sg, enum command_end end, const char *why)
{
	sg->sg_done(sg->sg_arg, end, why);
	if (sg->sg_body != NULL)
		freezero(sg->sg_body, sg->sg_len);
	free(sg);
}
