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

#include "engine_rig.h"

#include "hex.h"

/*
 * Operations: a client asks, a host answers in time, late, twice, wrongly or
 * not at all; there is always exactly one end.
 */
#define HOST_A	"0000000000000000000000000000000a"
#define HOST_B	"0000000000000000000000000000000b"
#define CALL_A	101
#define CALL_B	201

static uint8_t	nonce[16] = "0123456789abcdef";

/* --- helpers ------------------------------------------------------------ */

/* Both hosts are there and connected. */
static int
up(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	(void)rig_host(HOST_A, "alpha");
	(void)rig_host(HOST_B, "beta");
	rig_open(CALL_A, HOST_A, "0a", NULL);
	rig_open(CALL_B, HOST_B, "0b", NULL);
	rig_forget();
	return (0);
}

static uint32_t
update(const char *host)
{
	Sentinel__Ipc__ControlRequest	 req;

	rig_request(&req,
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_UPDATE);
	req.host = rig_str(host);
	req.container = rig_str("app");
	req.image = rig_str("registry.example/app:2");
	return (rig_ask(&req));
}

static uint32_t
logs(const char *host)
{
	Sentinel__Ipc__ControlRequest	 req;

	rig_request(&req,
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_LOGS);
	req.host = rig_str(host);
	req.container = rig_str("app");
	return (rig_ask(&req));
}

/* The id of the command that just went to an agent; "" when none did. */
static const char *
sent_id(uint32_t call)
{
	Sentinel__Cluster__ServerMessage	*m;
	Sentinel__Ipc__AgentSend		*send;
	static char				 id[REQUEST_ID_SIZE];
	struct pbmem				 pm, inner;
	struct sent				*s;

	id[0] = '\0';
	if ((s = rig_take(IMSG_AGENT_SEND, call)) == NULL)
		return (id);
	send = rig_unpack(s, &sentinel__ipc__agent_send__descriptor, &pm);
	pbmem_init(&inner, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = pbcheck_unpack(&sentinel__cluster__server_message__descriptor,
	    send->message.data, send->message.len, &inner, NULL);
	assert_non_null(m);
	(void)strlcpy(id, m->request_id, sizeof(id));
	pbmem_free(&inner);
	pbmem_free(&pm);
	rig_free(s);
	return (id);
}

static void
give_update(uint32_t call, const char *id, const char *outcome,
    const char *error)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__UpdateResult	 u;
	Google__Protobuf__Duration	 d;

	google__protobuf__duration__init(&d);
	d.nanos = -5;
	sentinel__cluster__update_result__init(&u);
	u.request_id = rig_str(id);
	u.container_name = rig_str("app");
	u.outcome = rig_str(outcome);
	u.error = rig_str(error);
	u.duration = &d;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_UPDATE_RESULT;
	m.update_result = &u;
	rig_message(call, &m);
}

static void
give_logs(uint32_t call, const char *id, const char *text)
{
	Sentinel__Cluster__AgentMessage		 m;
	Sentinel__Cluster__FetchLogsResult	 r;

	sentinel__cluster__fetch_logs_result__init(&r);
	r.request_id = rig_str(id);
	r.logs = rig_str(text);
	r.lines = 500;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_FETCH_LOGS_RESULT;
	m.fetch_logs_result = &r;
	rig_message(call, &m);
}

static void
give_progress(uint32_t call, const char *id)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__Progress	 p;

	sentinel__cluster__progress__init(&p);
	p.request_id = rig_str(id);
	p.phase = rig_str("pull");
	p.percent = 50;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case = SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_PROGRESS;
	m.progress = &p;
	rig_message(call, &m);
}

/* --- tests -------------------------------------------------------------- */

static void
test_ok(void **state)
{
	Sentinel__Ipc__ControlItem	*item;
	struct pbmem			 pm;
	struct sent			*s;
	uint32_t			 client;
	char				 id[REQUEST_ID_SIZE];

	(void)state;
	client = update("alpha");
	(void)strlcpy(id, sent_id(CALL_A), sizeof(id));
	assert_true(hex_is_valid(id, 16));
	assert_int_equal(rig_ended(client), -1);
	give_progress(CALL_A, id);
	give_update(CALL_A, id, "success", "");
	assert_int_equal(rig_ended(client), CONTROL_OK);
	rig_free(rig_take(IMSG_CONTROL_ITEM, client));	/* progress */
	s = rig_take(IMSG_CONTROL_ITEM, client);
	item = rig_unpack(s, &sentinel__ipc__control_item__descriptor, &pm);
	assert_int_equal(item->item_case,
	    SENTINEL__IPC__CONTROL_ITEM__ITEM_RESULT);
	assert_string_equal(item->result->outcome, "success");
	assert_string_equal(item->result->host_name, "alpha");
	/* A negative time is none. */
	assert_int_equal(item->result->duration_msec, 0);
	pbmem_free(&pm);
	rig_free(s);
	assert_int_equal(eng->nops, 0);
	assert_int_equal(host_find(HOST_A)->h_ops, 0);
	/* Twice: nobody is told again. */
	give_update(CALL_A, id, "failed", "what?");
	give_progress(CALL_A, id);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 0);
	assert_int_equal(rig_count(IMSG_CONTROL_END), 0);
	assert_int_equal(rig.broken, 0);
}

static void
test_codes(void **state)
{
	uint32_t	 client;

	(void)state;
	client = update("alpha");
	give_update(CALL_A, sent_id(CALL_A), "rollback", "unhealthy");
	assert_int_equal(rig_ended(client), CONTROL_ROLLBACK);
	client = update("alpha");
	give_update(CALL_A, sent_id(CALL_A), "identical", "");
	assert_int_equal(rig_ended(client), CONTROL_OK);
	client = update("alpha");
	give_update(CALL_A, sent_id(CALL_A), "", "");
	assert_int_equal(rig_ended(client), CONTROL_FAILED);
	client = update("gamma");
	assert_int_equal(rig_ended(client), CONTROL_NOSUCH);
	host_find(HOST_A)->h_state = HOST_PAUSED;
	client = update("alpha");
	assert_int_equal(rig_ended(client), CONTROL_FAILED);
	assert_int_equal(rig_count(IMSG_AGENT_SEND), 0);
}

static void
test_foreign(void **state)
{
	uint32_t	 client;
	char		 id[REQUEST_ID_SIZE];

	(void)state;
	client = update("alpha");
	(void)strlcpy(id, sent_id(CALL_A), sizeof(id));
	/* Another host knows the id: it does not help. */
	give_update(CALL_B, id, "success", "");
	give_progress(CALL_B, id);
	assert_int_equal(rig_ended(client), -1);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 0);
	/* The right host, with another kind of answer. */
	give_logs(CALL_A, id, "x");
	assert_int_equal(rig_ended(client), CONTROL_FAILED);
	assert_int_equal(eng->nops, 0);
	give_update(CALL_A, "", "success", "");
	give_update(CALL_A, "nosuchrequestnosuchrequest", "success", "");
	assert_int_equal(rig.broken, 0);
}

/*
 * A message of this kind, with the request id where it has one; every other
 * field as empty as it can be.
 */
static void
give_any(uint32_t call, const ProtobufCFieldDescriptor *kind, const char *id)
{
	Sentinel__Cluster__AgentMessage		 m;
	const ProtobufCMessageDescriptor	*sub = kind->descriptor;
	const ProtobufCFieldDescriptor		*fd;
	ProtobufCMessage			*body;
	char					*text = rig_str(id);

	body = xcalloc(1, sub->sizeof_message);
	sub->message_init(body);
	fd = protobuf_c_message_descriptor_get_field_by_name(sub,
	    "request_id");
	if (fd != NULL)
		memcpy((char *)body + fd->offset, &text, sizeof(text));
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    (Sentinel__Cluster__AgentMessage__PayloadCase)kind->id;
	memcpy((char *)&m + kind->offset, &body, sizeof(body));
	rig_message(call, &m);
	free(body);
}

static bool
is_result_of(const ProtobufCFieldDescriptor *kind, const char *name)
{
	return (strcmp(kind->name, name) == 0);
}

/*
 * A cluster process that lies: every kind of message under the id of an
 * operation, on a call that is not there, on one of another host, on one that
 * is over; then on the right one, where at most one end may come of it.
 */
static void
test_lies(void **state)
{
	const ProtobufCMessageDescriptor	*d =
	    &sentinel__cluster__agent_message__descriptor;
	const ProtobufCFieldDescriptor		*kind;
	char					 id[REQUEST_ID_SIZE];
	uint32_t				 client, call = CALL_A;
	unsigned int				 i, j;
	int					 code;

	(void)state;
	for (i = 0; i < d->n_fields; i++) {
		kind = &d->fields[i];
		/* Lists come to the engine in pieces, not like this. */
		if (is_result_of(kind, "container_list"))
			continue;
		client = i % 2 == 0 ? logs("alpha") : update("alpha");
		(void)strlcpy(id, sent_id(call), sizeof(id));
		assert_true(hex_is_valid(id, 16));
		give_any(999, kind, id);
		give_any(CALL_B, kind, id);
		rig_open(call + 1, HOST_A, "0a", NULL);
		/* The stream that was replaced took the operation along. */
		assert_int_equal(rig_ended(client), CONTROL_UNREACH);
		give_any(call, kind, id);
		rig_closed(call);
		give_any(call, kind, id);
		assert_int_equal(rig_ended(client), -1);
		call++;

		rig_forget();
		client = i % 2 == 0 ? logs("alpha") : update("alpha");
		(void)strlcpy(id, sent_id(call), sizeof(id));
		for (j = 0; j < 3; j++)
			give_any(call, kind, id);
		code = rig_ended(client);
		if (is_result_of(kind, i % 2 == 0 ? "fetch_logs_result" :
		    "update_result"))
			assert_int_not_equal(code, -1);
		else if (code != -1)
			assert_int_equal(code, CONTROL_FAILED);
		assert_int_equal(rig_ended(client), -1);
		if (code == -1) {	/* it still waits for the right one */
			assert_non_null(op_find(id));
			rig_closed(call);
			assert_int_equal(rig_ended(client), CONTROL_UNREACH);
			rig_open(++call, HOST_A, "0a", NULL);
		}
		assert_int_equal(eng->nops, 0);
		rig_forget();
	}
}

static void
test_deadline(void **state)
{
	uint32_t	 client;
	char		 id[REQUEST_ID_SIZE];
	int		 i;

	(void)state;
	eng->conf.ec_update_msec = 300;
	client = update("alpha");
	(void)strlcpy(id, sent_id(CALL_A), sizeof(id));
	for (i = 0; i < 4; i++) {
		rig_run(150);
		give_progress(CALL_A, id);
	}
	assert_int_equal(rig_ended(client), -1);
	rig_run(500);
	assert_int_equal(rig_ended(client), CONTROL_TIMEOUT);
	rig_forget();
	give_update(CALL_A, id, "success", "");		/* late */
	assert_int_equal(rig_count(IMSG_CONTROL_END), 0);
	/* Progress does not hold it open for ever. */
	client = update("alpha");
	(void)strlcpy(id, sent_id(CALL_A), sizeof(id));
	op_find(id)->op_since -= ENGINE_UPDATE_MAX_MSEC;
	rig_run(200);
	give_progress(CALL_A, id);
	rig_run(200);
	assert_int_equal(rig_ended(client), CONTROL_TIMEOUT);
}

static void
test_session_lost(void **state)
{
	uint32_t	 a, b;

	(void)state;
	a = update("alpha");
	b = update("beta");
	rig_closed(CALL_A);
	assert_int_equal(rig_ended(a), CONTROL_UNREACH);
	assert_int_equal(rig_ended(b), -1);
	a = update("alpha");
	assert_int_equal(rig_ended(a), CONTROL_UNREACH);
	/* A stream that replaces another ends what went over that one. */
	rig_open(CALL_B + 1, HOST_B, "0b", NULL);
	assert_int_equal(rig_ended(b), CONTROL_UNREACH);
	b = update("beta");
	assert_string_not_equal(sent_id(CALL_B + 1), "");
	rig_closed(CALL_B);
	assert_int_equal(rig_ended(b), -1);
}

static void
test_client_gone(void **state)
{
	uint32_t	 client;
	char		 id[REQUEST_ID_SIZE];

	(void)state;
	client = update("alpha");
	(void)strlcpy(id, sent_id(CALL_A), sizeof(id));
	rig_give(ROLE_CONTROL, IMSG_CONTROL_GONE, client, NULL, 0);
	/* The update goes on, and still counts. */
	assert_int_equal(eng->nops, 1);
	give_progress(CALL_A, id);
	give_update(CALL_A, id, "success", "");
	assert_int_equal(eng->nops, 0);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 0);
	assert_int_equal(rig_count(IMSG_CONTROL_END), 0);
	rig_give(ROLE_CONTROL, IMSG_CONTROL_GONE, client, NULL, 0);
	assert_int_equal(rig.broken, 0);
}

/* Towards an agent that verifies nothing leaves unsigned. */
static void
test_signed(void **state)
{
	Sentinel__Cluster__StateReport	 r;
	char				*features[] = {
					    rig_str("signed-command") };
	uint32_t			 client;

	(void)state;
	sentinel__cluster__state_report__init(&r);
	r.supported_features = features;
	r.n_supported_features = 1;
	r.session_nonce.data = nonce;
	r.session_nonce.len = sizeof(nonce);
	rig_open(CALL_A + 1, HOST_A, "0a", &r);
	rig_list_end(CALL_A + 1, "", 0, "");
	rig_open(CALL_A + 2, HOST_A, "0a", NULL);
	rig_forget();
	client = update("alpha");
	assert_int_equal(rig_count(IMSG_AGENT_SEND), 0);
	assert_true(rig_key_answer(IMSG_KEY_COMMAND));
	assert_int_equal(rig_count(IMSG_AGENT_SEND), 1);
	assert_string_equal(sent_id(CALL_A + 2), "");	/* it is inside */
	assert_int_equal(rig_ended(client), -1);
	/* Replaced while the keyholder signs: the body names another nonce. */
	client = update("alpha");
	rig_open(CALL_A + 3, HOST_A, "0a", NULL);
	assert_int_equal(rig_ended(client), CONTROL_UNREACH);
	assert_true(rig_key_answer(IMSG_KEY_COMMAND));
	assert_int_equal(rig_count(IMSG_AGENT_SEND), 0);
	/* Without a certificate nothing can be verified. */
	free(eng->command_der);
	eng->command_der = NULL;
	client = update("alpha");
	assert_int_equal(rig_ended(client), CONTROL_FAILED);
	assert_int_equal(rig_count(IMSG_KEY_COMMAND), 0);
}

/* What an agent may send is larger than what sentinelctl may get. */
static void
test_large(void **state)
{
	Sentinel__Ipc__ControlItem	*item;
	struct pbmem			 pm;
	struct sent			*s;
	uint32_t			 client;
	size_t				 len, i, max = 3 * 1024 * 1024;
	char				*text = xmalloc(max + 1);

	(void)state;
	for (i = 0; i < max; i++)
		text[i] = i % 100 == 99 ? '\n' : 'x';
	text[max] = '\0';
	memcpy(text + max - 5, "last\n", 5);
	client = logs("alpha");
	give_logs(CALL_A, sent_id(CALL_A), text);
	assert_int_equal(rig_ended(client), CONTROL_OK);
	s = rig_take(IMSG_CONTROL_ITEM, client);
	item = rig_unpack(s, &sentinel__ipc__control_item__descriptor, &pm);
	len = strlen(item->logs->logs);
	assert_true(len > 1000 * 1000);
	assert_string_equal(item->logs->logs + len - 5, "last\n");
	/* It begins with a whole line. */
	assert_int_equal(strcspn(item->logs->logs, "\n"), 99);
	pbmem_free(&pm);
	rig_free(s);

	/* Two bytes a character: cut in the middle of one somewhere. */
	for (i = 0; i + 1 < 1000 * 1000; i += 2)
		memcpy(text + i, "\xc3\xa4", 2);
	text[i] = '\0';
	client = update("alpha");
	give_update(CALL_A, sent_id(CALL_A), "failed", text);
	assert_int_equal(rig_ended(client), CONTROL_FAILED);
	free(text);
	assert_int_equal(rig.broken, 0);
}

static void
test_refused(void **state)
{
	Sentinel__Ipc__ControlRequest	 req;
	struct host			*h = host_find(HOST_A);
	uint32_t			 client;
	char				 image[1100];
	int				 i;

	(void)state;
	/* Names that the agent's check would answer with a hang-up. */
	rig_request(&req,
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_UPDATE);
	req.host = rig_str("alpha");
	req.container = rig_str("two words");
	assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_USAGE);
	req.container = rig_str("app");
	req.image = rig_str("two words");
	assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_USAGE);
	/* A long reference arrives whole. */
	memset(image, 'i', 1024);
	image[1024] = '\0';
	req.image = image;
	client = rig_ask(&req);
	assert_int_equal(rig_ended(client), -1);
	assert_int_equal(strlen(RB_MIN(op_tree, &eng->ops)->op_image), 1024);
	op_fail(RB_MIN(op_tree, &eng->ops), OP_FAILED, "enough");
	rig_forget();
	/* The read-only socket changes nothing. */
	req.image = rig_str("");
	req.read_only = true;
	assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_DENIED);
	/* Too many under way, on one host. */
	for (i = 0; i < ENGINE_OPS_HOST_MAX; i++) {
		client = update("alpha");
		(void)sent_id(CALL_A);
		h->h_session->se_unsent = 0;
		assert_int_equal(rig_ended(client), -1);
	}
	assert_int_equal(rig_ended(update("alpha")), CONTROL_FAILED);
	assert_int_equal(rig_ended(update("beta")), -1);
	/* A full queue to control: cheap questions must wait as well. */
	rig.no_credit = true;
	assert_int_equal(rig_ended(update("beta")), CONTROL_UNREACH);
	rig.no_credit = false;
}

/* 4096 tokens or hosts and as many containers do not go out at once. */
static void
test_pieces(void **state)
{
	Sentinel__Cluster__StateReport	 r;
	Sentinel__Ipc__ControlRequest	 req;
	uint32_t			 client, call = 1000;
	char				 name[32];
	size_t				 n = 0;
	int				 i, code;

	(void)state;
	sentinel__cluster__state_report__init(&r);
	rig_open(call, HOST_A, "0a", &r);
	for (i = 0; i < 100; i++) {
		(void)snprintf(name, sizeof(name), "c%d", i);
		rig_container(call, name, 20000);
	}
	rig_list_end(call, "", 100, "");
	rig_open(call + 1, HOST_B, "0b", &r);
	rig_container(call + 1, "only", 0);
	rig_list_end(call + 1, "", 1, "");
	rig_closed(CALL_A);
	rig_closed(CALL_B);
	rig_forget();
	rig_request(&req,
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_LIST);
	client = rig_ask(&req);
	n = rig_count(IMSG_CONTROL_ITEM);
	assert_true(n > 5 && n < 50);
	/* Control reads nothing: nothing more is sent. */
	rig.no_credit = true;
	rig_run(100);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), n);
	rig.no_credit = false;
	for (i = 0; i < 100 && (code = rig_ended(client)) == -1; i++)
		rig_run(20);
	assert_int_equal(code, CONTROL_OK);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 101);
	/* One that goes in the middle is forgotten. */
	rig_forget();
	client = rig_ask(&req);
	rig_give(ROLE_CONTROL, IMSG_CONTROL_GONE, client, NULL, 0);
	n = rig_count(IMSG_CONTROL_ITEM);
	rig_run(100);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), n);
}

/* The read-only socket is open to all: it makes nobody list all the time. */
static void
test_onlookers(void **state)
{
	Sentinel__Ipc__ControlRequest	 req;

	(void)state;
	rig_request(&req,
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_LIST);
	req.host = rig_str("alpha");
	req.read_only = true;
	(void)rig_ask(&req);
	rig_list_end(CALL_A, sent_id(CALL_A), 0, "");
	rig_forget();
	assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_OK);
	assert_int_equal(rig_count(IMSG_AGENT_SEND), 0);
	/* Who may change things is always shown what is. */
	req.read_only = false;
	(void)rig_ask(&req);
	rig_list_end(CALL_A, sent_id(CALL_A), 0, "");
	/* So is everybody after a change. */
	(void)update("alpha");
	give_update(CALL_A, sent_id(CALL_A), "success", "");
	rig_forget();
	req.read_only = true;
	assert_int_equal(rig_ended(rig_ask(&req)), -1);
	assert_int_equal(rig_count(IMSG_AGENT_SEND), 1);
}

static void
test_host_pieces(void **state)
{
	Sentinel__Ipc__ControlRequest	 req;
	struct host			*h;
	uint32_t			 client;
	char				 id[HOST_ID_SIZE], text[4001];
	int				 i, code;

	(void)state;
	memset(text, 'e', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (i = 0; i < 300; i++) {
		(void)snprintf(id, sizeof(id), "%032x", 0x1000 + i);
		h = rig_host(id, id);
		engine_setstr(&h->h_docker_error, text);
	}
	rig_request(&req, SENTINEL__IPC__CONTROL_REQUEST__COMMAND__HOST_LIST);
	client = rig_ask(&req);
	assert_true(rig_count(IMSG_CONTROL_ITEM) < 100);
	for (i = 0; i < 100 && (code = rig_ended(client)) == -1; i++)
		rig_run(20);
	assert_int_equal(code, CONTROL_OK);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 302);
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, rig_down)
	const struct CMUnitTest tests[] = {
		T(test_ok),
		T(test_codes),
		T(test_foreign),
		T(test_lies),
		T(test_deadline),
		T(test_session_lost),
		T(test_client_gone),
		T(test_signed),
		T(test_large),
		T(test_refused),
		T(test_pieces),
		T(test_host_pieces),
		T(test_onlookers),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
