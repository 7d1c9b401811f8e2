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

#include "docker_self.h"
#include "engine_self.h"

/*
 * Updates of Sentinel itself: an agent goes away and comes back with the
 * outcome, or does not; the server is one that went away.
 */
#define HOST_A	"0000000000000000000000000000000a"
#define HOST_B	"0000000000000000000000000000000b"
#define CALL_A	101
#define CALL_B	201
#define SELF	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa" \
	"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name

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

/* Asked for, and sent; its id. */
static uint32_t
update(char id[REQUEST_ID_SIZE])
{
	Sentinel__Ipc__ControlRequest	 req;
	uint32_t			 client;

	rig_request(&req, C(CONTAINER_UPDATE));
	req.host = rig_str("alpha");
	req.container = rig_str("sentinel-agent");
	req.image = rig_str("sentinel:2");
	client = rig_ask(&req);
	assert_int_equal(eng->nops, 1);
	(void)strlcpy(id, RB_MIN(op_tree, &eng->ops)->op_id, REQUEST_ID_SIZE);
	rig_forget();
	return (client);
}

static void
give_progress(uint32_t call, const char *id, const char *phase)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__Progress	 p;

	sentinel__cluster__progress__init(&p);
	p.request_id = rig_str(id);
	p.phase = rig_str(phase);
	sentinel__cluster__agent_message__init(&m);
	m.payload_case = SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_PROGRESS;
	m.progress = &p;
	rig_message(call, &m);
}

static void
give_result(uint32_t call, const char *id, const char *outcome)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__UpdateResult	 u;

	sentinel__cluster__update_result__init(&u);
	u.request_id = rig_str(id);
	u.container_name = rig_str("sentinel-agent");
	u.outcome = rig_str(outcome);
	u.error = rig_str(strcmp(outcome, "success") == 0 ? "" : "why");
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_UPDATE_RESULT;
	m.update_result = &u;
	rig_message(call, &m);
}

/* The outcome that operation show has for an id; "none" without one. */
static const char *
shown(const char *id)
{
	Sentinel__Ipc__ControlRequest	 req;
	Sentinel__Ipc__ControlItem	*item;
	static char			 outcome[64];
	struct pbmem			 pm;
	struct sent			*s;
	uint32_t			 client;

	rig_request(&req, C(OPERATION_SHOW));
	req.operation = rig_str(id);
	client = rig_ask(&req);
	(void)strlcpy(outcome, "none", sizeof(outcome));
	if ((s = rig_take(IMSG_CONTROL_ITEM, client)) != NULL) {
		item = rig_unpack(s,
		    &sentinel__ipc__control_item__descriptor, &pm);
		(void)strlcpy(outcome, item->operation->outcome,
		    sizeof(outcome));
		pbmem_free(&pm);
		rig_free(s);
	}
	return (outcome);
}

/* --- an agent ------------------------------------------------------------ */

static const struct {
	const char	*outcome;
	int		 code;
} returns[] = {
	{ "success", CONTROL_OK },
	{ "rollback", CONTROL_ROLLBACK },
	{ "failed", CONTROL_FAILED },
};

static void
test_returns(void **state)
{
	char		 id[REQUEST_ID_SIZE];
	uint32_t	 client, call = CALL_A;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(returns); i++) {
		client = update(id);
		give_progress(call, id, "create");
		give_progress(call, id, SELF_PHASE);
		rig_closed(call);
		assert_int_equal(rig_ended(client), -1);
		assert_string_equal(shown(id), "");
		/* It may come twice before it is whole. */
		rig_open(++call, HOST_A, "0a", NULL);
		rig_closed(call);
		rig_open(++call, HOST_A, "0a", NULL);
		assert_int_equal(rig_ended(client), -1);
		give_result(call, id, returns[i].outcome);
		assert_int_equal(rig_ended(client), returns[i].code);
		assert_string_equal(shown(id), returns[i].outcome);
		assert_int_equal(eng->nops, 0);
		rig_forget();
	}
	assert_int_equal(rig.broken, 0);
}

/* Without that word, or with another's, a lost session is the end. */
static void
test_lost(void **state)
{
	char		 id[REQUEST_ID_SIZE];
	uint32_t	 client;

	(void)state;
	client = update(id);
	give_progress(CALL_A, id, "create");
	give_progress(CALL_B, id, SELF_PHASE);
	rig_closed(CALL_A);
	assert_int_equal(rig_ended(client), CONTROL_UNREACH);
	assert_string_equal(shown(id), "unknown");
	/* It is told all the same, by its own host only. */
	give_result(CALL_B, id, "failed");
	assert_string_equal(shown(id), "unknown");
	rig_open(CALL_A + 1, HOST_A, "0a", NULL);
	give_result(CALL_A + 1, id, "success");
	assert_string_equal(shown(id), "success");
	give_result(CALL_A + 1, id, "failed");
	assert_string_equal(shown(id), "success");
	/* No host makes operations up. */
	give_result(CALL_A + 1, "0011223344556677", "success");
	assert_string_equal(shown("0011223344556677"), "none");
}

static void
test_never(void **state)
{
	Sentinel__Ipc__ControlEnd	*end;
	struct pbmem			 pm;
	struct sent			*s;
	char				 id[REQUEST_ID_SIZE];
	uint32_t			 client;

	(void)state;
	eng->conf.ec_update_msec = 200;
	client = update(id);
	give_progress(CALL_A, id, SELF_PHASE);
	rig_closed(CALL_A);
	rig_run(500);
	s = rig_take(IMSG_CONTROL_END, client);
	end = rig_unpack(s, &sentinel__ipc__control_end__descriptor, &pm);
	assert_int_equal(end->code, CONTROL_TIMEOUT);
	assert_non_null(strstr(end->error, id));
	assert_non_null(strstr(end->error, "operation show"));
	pbmem_free(&pm);
	rig_free(s);
	assert_string_equal(shown(id), "unknown");
	rig_open(CALL_A + 1, HOST_A, "0a", NULL);
	give_result(CALL_A + 1, id, "rollback");
	assert_string_equal(shown(id), "rollback");
}

/* --- our own ------------------------------------------------------------- */

static ssize_t
proof(char *text, size_t size)
{
	ssize_t	 n;
	FILE	*f;

	if ((f = fopen(SELF_PROOF_NAME, "r")) == NULL)
		return (-1);
	n = (ssize_t)fread(text, 1, size, f);
	(void)fclose(f);
	return (n);
}

static void
test_serving(void **state)
{
	Sentinel__Ipc__ClusterStats	 cs;
	char				 text[SELF_PROOF_MAXBYTES + 1];
	ssize_t				 n;

	(void)state;
	self_serving();
	/* no container */
	assert_int_equal(proof(text, sizeof(text)), -1);
	(void)strlcpy(eng->conf.ec_self, SELF, sizeof(eng->conf.ec_self));
	eng->conf.ec_cluster = 1;
	eng->ready = false;
	(void)strlcpy(eng->listen, "*:9443", sizeof(eng->listen));
	self_serving();
	assert_int_equal(proof(text, sizeof(text)), -1);
	eng->ready = true;
	eng->listen[0] = '\0';
	self_serving();
	assert_int_equal(proof(text, sizeof(text)), -1);
	/* The process is there, and does not listen yet. */
	sentinel__ipc__cluster_stats__init(&cs);
	rig_give_pb(ROLE_CLUSTER, IMSG_CLUSTER_STATS, 0, &cs.base);
	assert_int_equal(proof(text, sizeof(text)), -1);
	cs.listen = rig_str("*:9443");
	rig_give_pb(ROLE_CLUSTER, IMSG_CLUSTER_STATS, 0, &cs.base);
	n = proof(text, sizeof(text));
	assert_true(n > 0 && self_proof_is(text, (size_t)n, SELF));
	assert_int_equal(access(SELF_PROOF_NAME ".new", F_OK), -1);
	/* Once: what somebody else makes of it stays. */
	assert_int_equal(unlink(SELF_PROOF_NAME), 0);
	self_serving();
	assert_int_equal(proof(text, sizeof(text)), -1);
}

static void
test_outcome(void **state)
{
	Sentinel__Ipc__DockerResult	 res;
	struct rig_trail		 tr;

	(void)state;
	eng->conf.ec_docker = 1;
	(void)strlcpy(eng->conf.ec_hostname, "here",
	    sizeof(eng->conf.ec_hostname));
	eng->ready = false;
	local_init();
	eng->ready = true;
	sentinel__ipc__docker_result__init(&res);
	res.kind = SENTINEL__IPC__DOCKER_OP__KIND__UPDATE;
	res.request_id = rig_str("0123456789abcdef");
	res.container = rig_str("sentinel-server");
	res.new_image = rig_str("sentinel:2");
	res.outcome = rig_str("rollback");
	res.error = rig_str("the new server did not serve within 5 s");
	res.recovered = true;
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_RESULT, 0, &res.base);
	assert_string_equal(shown("0123456789abcdef"), "rollback");
	tr = rig_trail("container.update");
	assert_int_equal(tr.tr_n, 1);
	assert_string_equal(tr.tr_last, "sentineld|container.update|"
	    "container here/sentinel-server|failed|ended, operation "
	    "0123456789abcdef: rollback: the new server did not serve within "
	    "5 s");
	/* Told twice, it is one record. */
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_RESULT, 0, &res.base);
	assert_int_equal(rig_trail("container.update").tr_n, 1);
	assert_int_equal(rig.broken, 0);
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, rig_down)
	const struct CMUnitTest tests[] = {
		T(test_returns),
		T(test_lost),
		T(test_never),
		T(test_serving),
		T(test_outcome),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
