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

/*
 * Plans: asked of agents that can make them and of no others, answered with
 * the plan and the exit code that says whether something would change.
 */
#define HOST_A	"0000000000000000000000000000000a"
#define CALL_A	101

static int
up(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	(void)rig_host(HOST_A, "alpha");
	rig_open(CALL_A, HOST_A, "0a", NULL);
	rig_forget();
	return (0);
}

static void
able(bool yes)
{
	char	 word[] = "plan", *words[] = { word };

	host_set_features(host_find(HOST_A), words, yes ? 1 : 0);
}

static uint32_t
plan(bool read_only)
{
	Sentinel__Ipc__ControlRequest	 req;

	rig_request(&req,
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_PLAN);
	req.host = rig_str("alpha");
	req.container = rig_str("app");
	req.image = rig_str("registry.example/app:2");
	req.read_only = read_only;
	return (rig_ask(&req));
}

/* What went to the agent: the id, after a look at the rest. */
static const char *
sent(void)
{
	Sentinel__Cluster__ServerMessage	*m;
	Sentinel__Ipc__AgentSend		*send;
	static char				 id[REQUEST_ID_SIZE];
	struct pbmem				 pm, inner;
	struct sent				*s;

	assert_non_null(s = rig_take(IMSG_AGENT_SEND, CALL_A));
	send = rig_unpack(s, &sentinel__ipc__agent_send__descriptor, &pm);
	pbmem_init(&inner, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = pbcheck_unpack(&sentinel__cluster__server_message__descriptor,
	    send->message.data, send->message.len, &inner, NULL);
	assert_non_null(m);
	assert_int_equal(m->payload_case,
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_PLAN);
	assert_string_equal(m->plan->container_name, "app");
	assert_string_equal(m->plan->target_image, "registry.example/app:2");
	(void)strlcpy(id, m->request_id, sizeof(id));
	pbmem_free(&inner);
	pbmem_free(&pm);
	rig_free(s);
	return (id);
}

/* identical -1: an answer without a plan. */
static void
give(const char *id, int identical, const char *error)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__PlanResult	 r;
	Sentinel__Cluster__Plan		 p;

	sentinel__cluster__plan__init(&p);
	p.new_image = rig_str("registry.example/app:2");
	p.identical = identical == 1;
	sentinel__cluster__plan_result__init(&r);
	r.request_id = rig_str(id);
	r.container_name = rig_str("app");
	r.error = rig_str(error);
	r.plan = identical == -1 ? NULL : &p;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_PLAN_RESULT;
	m.plan_result = &r;
	rig_message(CALL_A, &m);
}

static void
test_codes(void **state)
{
	Sentinel__Ipc__ControlItem	*item;
	struct pbmem			 pm;
	struct sent			*s;
	uint32_t			 client;

	(void)state;
	able(true);
	client = plan(false);
	give(sent(), 0, "");
	assert_int_equal(rig_ended(client), CONTROL_WOULD);
	assert_non_null(s = rig_take(IMSG_CONTROL_ITEM, client));
	item = rig_unpack(s, &sentinel__ipc__control_item__descriptor, &pm);
	assert_int_equal(item->item_case,
	    SENTINEL__IPC__CONTROL_ITEM__ITEM_PLAN);
	assert_string_equal(item->plan->host_name, "alpha");
	assert_string_equal(item->plan->container, "app");
	assert_string_equal(item->plan->plan->new_image,
	    "registry.example/app:2");
	pbmem_free(&pm);
	rig_free(s);

	client = plan(false);
	give(sent(), 1, "");
	assert_int_equal(rig_ended(client), CONTROL_OK);
	client = plan(false);
	give(sent(), -1, "container \"app\" not found");
	assert_int_equal(rig_ended(client), CONTROL_NOSUCH);
	client = plan(false);
	give(sent(), -1, "the container is a swarm task");
	assert_int_equal(rig_ended(client), CONTROL_FAILED);
	/* Neither a plan nor a reason. */
	client = plan(false);
	give(sent(), -1, "");
	assert_int_equal(rig_ended(client), CONTROL_FAILED);
	assert_int_equal(eng->nops, 0);
	assert_int_equal(rig.broken, 0);
}

static void
test_refused(void **state)
{
	struct host	*h = host_find(HOST_A);
	uint32_t	 client;

	(void)state;
	/* An agent that would not understand is not asked. */
	able(false);
	assert_int_equal(rig_ended(plan(false)), CONTROL_FAILED);
	assert_int_equal(rig_count(IMSG_AGENT_SEND), 0);
	able(true);
	assert_int_equal(rig_ended(plan(true)), CONTROL_DENIED);
	/* A pause keeps updates away, and lets everybody look. */
	h->h_state = HOST_PAUSED;
	client = plan(false);
	give(sent(), 0, "");
	assert_int_equal(rig_ended(client), CONTROL_WOULD);
	/* Late, and of nobody. */
	give("0123456789abcdef", 0, "");
	assert_int_equal(rig.broken, 0);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test_setup_teardown(test_codes, up, rig_down),
		cmocka_unit_test_setup_teardown(test_refused, up, rig_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
