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

#include "engine.h"

#include <openssl/evp.h>

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "grpc.h"
#include "log.h"
#include "pbcheck.h"
#include "xmalloc.h"

/*
 * An operation as a ServerMessage.  Towards an agent that verifies, the
 * message is packed once into a CommandBody, signed by the keyholder, and
 * carried unchanged from here to the agent's engine: cluster cannot make one.
 */
struct signing {
	char		 sg_op[REQUEST_ID_SIZE];
	uint8_t		*sg_body;
	size_t		 sg_len;
};

static uint8_t	*pack_message(struct op *, size_t *);
static void	 sign(struct op *, uint8_t *, size_t);
static void	 on_signed(void *, enum req_end, struct imsg *);
static void	 send_signed(struct op *, struct signing *, const uint8_t *,
		    size_t);
static void	 queue(struct op *, uint8_t *, size_t);

static uint8_t *
pack_message(struct op *op, size_t *len)
{
	Sentinel__Cluster__ServerMessage		 m;
	Sentinel__Cluster__ListContainersRequest	 list;
	Sentinel__Cluster__ContainerActionRequest	 action;
	Sentinel__Cluster__FetchLogsRequest		 logs;
	Sentinel__Cluster__UpdateContainerRequest	 update;

	sentinel__cluster__server_message__init(&m);
	m.request_id = op->op_id;
	switch (op->op_kind) {
	case OP_LIST:
		sentinel__cluster__list_containers_request__init(&list);
		m.payload_case =
		    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_LIST_CONTAINERS;
		m.list_containers = &list;
		break;
	case OP_ACTION:
		sentinel__cluster__container_action_request__init(&action);
		action.container_name = op->op_container;
		action.action = op->op_action;
		m.payload_case =
		    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_CONTAINER_ACTION;
		m.container_action = &action;
		break;
	case OP_LOGS:
		sentinel__cluster__fetch_logs_request__init(&logs);
		logs.container_name = op->op_container;
		logs.lines = op->op_lines;
		m.payload_case =
		    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_FETCH_LOGS;
		m.fetch_logs = &logs;
		break;
	case OP_UPDATE:
		sentinel__cluster__update_container_request__init(&update);
		update.container_name = op->op_container;
		update.target_image = op->op_image;
		m.payload_case =
		    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_UPDATE_CONTAINER;
		m.update_container = &update;
		break;
	}
	return (pbcheck_pack(&m.base, GRPC_SEND_MAXBYTES, len));
}

void
command_dispatch(struct op *op)
{
	uint8_t	*data;
	size_t	 len;

	if ((data = pack_message(op, &len)) == NULL) {
		op_fail(op, OP_FAILED, "the command cannot be packed");
		return;
	}
	if (!op->op_host->h_session->se_signed)
		queue(op, data, len);
	else if (eng->command_der != NULL)
		sign(op, data, len);
	else {
		free(data);
		op_fail(op, OP_FAILED, "there is no certificate to sign "
		    "commands with yet; try again");
	}
}

/* Takes the packed message. */
static void
sign(struct op *op, uint8_t *data, size_t len)
{
	Sentinel__Cluster__CommandBody	 body;
	struct session			*s = op->op_host->h_session;
	struct signing			*sg;
	struct ibuf			*buf;
	uint8_t				 hash[32];

	sentinel__cluster__command_body__init(&body);
	body.host_id = op->op_host->h_id;
	body.session_nonce.data = s->se_nonce;
	body.session_nonce.len = sizeof(s->se_nonce);
	body.request_id = op->op_id;
	body.message.data = data;
	body.message.len = len;
	sg = xcalloc(1, sizeof(*sg));
	(void)strlcpy(sg->sg_op, op->op_id, sizeof(sg->sg_op));
	sg->sg_body = pbcheck_pack(&body.base, GRPC_SEND_MAXBYTES - 4096,
	    &sg->sg_len);
	free(data);
	if (sg->sg_body == NULL || EVP_Digest(sg->sg_body, sg->sg_len, hash,
	    NULL, EVP_sha256(), NULL) != 1) {
		free(sg->sg_body);
		free(sg);
		op_fail(op, OP_FAILED, "the command cannot be signed");
		return;
	}
	if ((buf = ibuf_open(34)) == NULL ||
	    ibuf_add_bytes(buf, hash, sizeof(hash)) == -1)
		fatal("KEY_COMMAND");
	if (engine_ask_key(IMSG_KEY_COMMAND, buf, on_signed, sg) == -1) {
		free(sg->sg_body);
		free(sg);
		op_fail(op, OP_FAILED, "the keyholder is busy; try again");
	}
}

/* u8 rc, bytes signature */
static void
on_signed(void *arg, enum req_end end, struct imsg *imsg)
{
	struct signing	*sg = arg;
	struct op	*op = op_find(sg->sg_op);
	const uint8_t	*sig = NULL;
	size_t		 len = 0;
	uint8_t		 rc = 1;

	if (op == NULL)
		goto out;	/* it ended meanwhile */
	if (end != REQ_ANSWER ||
	    imsg_get_type(imsg) != IMSG_KEY_COMMAND_SIGNED ||
	    ibuf_get_n8(imsg_get_ibuf(imsg), &rc) == -1 || rc != 0 ||
	    ibuf_get_bytes(imsg_get_ibuf(imsg), ECKEY_SIG_MAXBYTES, &sig,
	    &len) == -1)
		op_fail(op, OP_FAILED, "the keyholder did not sign the "
		    "command");
	else
		send_signed(op, sg, sig, len);
 out:
	free(sg->sg_body);
	free(sg);
}

static void
send_signed(struct op *op, struct signing *sg, const uint8_t *sig, size_t len)
{
	Sentinel__Cluster__ServerMessage	 m;
	Sentinel__Cluster__SignedCommand	 cmd;
	uint8_t					*data;
	size_t					 datalen;

	/* The stream that this body names may be gone or replaced. */
	if (op->op_host->h_session == NULL ||
	    op->op_host->h_session->se_epoch != op->op_epoch) {
		op_fail(op, OP_GONE, "host %s disconnected before the command "
		    "left", op->op_host->h_name);
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
	    NULL)
		op_fail(op, OP_FAILED, "the command is too large");
	else
		queue(op, data, datalen);
}

static void
queue(struct op *op, uint8_t *data, size_t len)
{
	if (session_send(op->op_host->h_session, data, len) == 0) {
		op->op_sent = true;
		return;
	}
	op_fail(op, OP_FAILED, errno == EAGAIN ?
	    "host %s takes no more commands at the moment; try again" :
	    "host %s: the command could not be sent", op->op_host->h_name);
}
