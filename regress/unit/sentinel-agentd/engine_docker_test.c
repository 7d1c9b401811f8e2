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

/*
 * Commands under way: each is answered once, by its result, the death of the
 * docker process or its deadline; and what is only refused is never kept on
 * disk, where it would push results out.
 */
#include "unit.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_follow.h"
#include "engine_journal.h"
#include "pbcheck.h"

#define KIND(x)	SENTINEL__IPC__DOCKER_OP__KIND__##x

/* --- neighbours ---------------------------------------------------------- */

static struct engine	 state_;
struct engine		*eng = &state_;

static char		 did[4096];
static unsigned int	 nops;		/* given to docker */
static unsigned int	 broken;
static bool		 credit = true;
static list_cb		 list_waits;
static void		*list_arg;

static void
note(const char *what, const char *id)
{
	char	 text[256];

	(void)snprintf(text, sizeof(text), "%s %s;", what, id);
	assert_true(strlcat(did, text, sizeof(did)) < sizeof(did));
}

struct event_base *
proc_base(void)
{
	static struct event_base	*base;

	if (base == NULL)
		base = event_base_new();
	return (base);
}

static struct peer	 docker;

struct peer *
proc_peer(enum role role)
{
	assert_int_equal(role, ROLE_A_DOCKER);
	return (&docker);
}

void
peer_hold(struct peer *p)
{
	p->pe_held = true;
}

void
peer_listen(struct peer *p)
{
	p->pe_held = false;
}

bool
peer_has_credit(const struct peer *p)
{
	(void)p;
	return (credit);
}

void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	(void)p;
	(void)m;
	(void)why;
	broken++;
}

int
peer_send_pb(struct peer *p, uint32_t type, uint32_t id,
    const ProtobufCMessage *pb)
{
	(void)p;
	(void)id;
	(void)pb;
	assert_int_equal(type, IMSG_DOCKER_OP);
	nops++;
	return (0);
}

void
engine_tell_refusal(const char *id, const char *why)
{
	(void)why;
	note("told", id);
}

char *
engine_lend(const char *s)
{
	return ((char *)(uintptr_t)s);
}

void
engine_text(char *dst, size_t size, const char *src)
{
	(void)strlcpy(dst, src, size);
}

void
event_add_line(const char *type, const char *container, const char *fmt, ...)
{
	(void)type;
	(void)fmt;
	note("event", container == NULL ? "" : container);
}

void
list_ask(bool push, list_cb cb, void *arg)
{
	assert_true(push);
	list_waits = cb;
	list_arg = arg;
	note("list", "");
}

void
follow_docker_lost(void)
{
}

void
list_lost(const char *why)
{
	assert_true(*why != '\0');
}

void
out_push(enum out_kind kind, Sentinel__Cluster__AgentMessage *m,
    uint32_t hold)
{
	static const char *const	 names[] = {
		"plain", "beat", "result", "kept"
	};
	char				 text[32];

	(void)snprintf(text, sizeof(text), "%s%s", names[kind],
	    hold != 0 ? "+hold" : "");
	note(text, m->payload_case ==
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_UPDATE_RESULT ?
	    m->update_result->request_id : m->payload_case ==
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CONTAINER_ACTION_RESULT ?
	    m->container_action_result->request_id : "-");
}

void
out_push_result(const char *id, Sentinel__Cluster__AgentMessage *m,
    uint32_t hold)
{
	(void)m;
	note(hold != 0 ? "sent+hold" : "sent", id);
}

bool
ojournal_add_result(const char *id, const struct ojournal_entry *je)
{
	assert_string_equal(je->je_container, "web");
	note("keep", id);
	return (true);
}

void
out_release(uint32_t hold)
{
	assert_int_not_equal(hold, 0);
	note("release", "");
}

bool
session_has_feature(const char *word)
{
	(void)word;
	return (true);
}

void
session_heartbeat(void)
{
}

bool
session_is_open(void)
{
	return (true);
}

void
session_prepared(void)
{
}

/* --- helpers ------------------------------------------------------------- */

static void
deliver(void (*fn)(struct peer *, struct imsg *), const ProtobufCMessage *pb)
{
	struct imsg	 m = { .hdr.type = 1 };
	uint8_t		*data;
	size_t		 len;

	assert_non_null(data = pbcheck_pack(pb, 1 << 20, &len));
	assert_non_null(m.buf = ibuf_dynamic(len + 1, len + 1));
	assert_int_equal(ibuf_add(m.buf, data, len), 0);
	free(data);
	fn(NULL, &m);
	ibuf_free(m.buf);
}

static struct command
command(Sentinel__Ipc__DockerOp__Kind kind, const char *id)
{
	struct command	 c = { .cm_kind = kind, .cm_container = "web" };

	(void)strlcpy(c.cm_id, id, sizeof(c.cm_id));
	return (c);
}

static void
result(Sentinel__Ipc__DockerOp__Kind kind, const char *id)
{
	Sentinel__Ipc__DockerResult	 m;

	sentinel__ipc__docker_result__init(&m);
	m.kind = kind;
	m.request_id = engine_lend(id);
	m.container = engine_lend("web");
	m.outcome = engine_lend("success");
	deliver(docker_result, &m.base);
}

static void
start(Sentinel__Ipc__DockerOp__Kind kind, const char *id)
{
	struct command	 c = command(kind, id);

	eng->docker_up = true;
	docker_run(&c);
	assert_true(docker_is_running(id));
	did[0] = '\0';
}

static int
setup(void **state)
{
	(void)state;
	eng->conf.ac_docker = 1;
	docker_init();
	return (0);
}

/* --- tests --------------------------------------------------------------- */

static void
test_result(void **state)
{
	(void)state;
	start(KIND(UPDATE), "u1");
	result(KIND(UPDATE), "u1");
	assert_string_equal(did, "event web;keep u1;sent+hold u1;list ;");
	list_waits("", list_arg);
	assert_false(docker_is_running("u1"));
	start(KIND(ACTION), "a1");
	result(KIND(ACTION), "a1");
	assert_string_equal(did, "event web;keep a1;sent a1;list ;");
	/* Twice, of another kind, of nobody. */
	did[0] = '\0';
	result(KIND(ACTION), "a1");
	result(KIND(LOGS), "a1");
	assert_string_equal(did, "");
	/* A plan leaves no trace. */
	start(KIND(PLAN), "p1");
	did[0] = '\0';
	result(KIND(PLAN), "p1");
	assert_string_equal(did, "plain -;");
	assert_false(docker_is_running("p1"));
	start(KIND(ACTION), "a2");
	result(KIND(LOGS), "a2");
	assert_true(docker_is_running("a2"));
	result(KIND(ACTION), "a2");
	assert_int_equal(broken, 0);
}

/* Whoever has the stream can have as much refused as he likes. */
static void
test_refused(void **state)
{
	struct command	 c = command(KIND(UPDATE), "r1");

	(void)state;
	did[0] = '\0';
	docker_refuse(&c, "unsigned");
	assert_string_equal(did, "told r1;result r1;");
	did[0] = '\0';
	eng->docker_up = false;
	docker_run(&c);
	assert_string_equal(did, "told r1;result r1;");
	did[0] = '\0';
	eng->docker_up = true;
	credit = false;
	docker_run(&c);
	credit = true;
	assert_string_equal(did, "told r1;result r1;");
	did[0] = '\0';
	c = command(KIND(ACTION), "r2");
	docker_refuse(&c, "unsigned");
	assert_string_equal(did, "told r2;result r2;");
}

static void
test_flood(void **state)
{
	struct command	 c;
	char		 id[16];
	unsigned int	 i;

	(void)state;
	nops = 0;
	eng->docker_up = true;
	for (i = 0; i < ENGINE_COMMANDS_MAX + 10; i++) {
		(void)snprintf(id, sizeof(id), "f%u", i);
		c = command(KIND(LOGS), id);
		did[0] = '\0';
		docker_run(&c);
		assert_int_equal(did[0] != '\0', i >= ENGINE_COMMANDS_MAX);
	}
	assert_int_equal(nops, ENGINE_COMMANDS_MAX);
	for (i = 0; i < ENGINE_COMMANDS_MAX; i++) {
		(void)snprintf(id, sizeof(id), "f%u", i);
		did[0] = '\0';
		result(KIND(LOGS), id);
		assert_string_equal(did, "plain -;");
		assert_false(docker_is_running(id));
	}
}

/* The docker process dies: an update is the journal's to tell. */
static void
test_lost(void **state)
{
	(void)state;
	start(KIND(ACTION), "l1");
	start(KIND(UPDATE), "l2");
	start(KIND(UPDATE), "l3");
	docker_lost();
	assert_string_equal(did, "event web;keep l1;sent l1;");
	assert_false(docker_is_running("l1"));
	assert_true(docker_is_running("l2"));
	did[0] = '\0';
	result(KIND(UPDATE), "l2");
	assert_string_equal(did, "event web;keep l2;"
	    "sent+hold l2;list ;");
	did[0] = '\0';
	docker_recovered(NULL, NULL);
	assert_string_equal(did, "event web;keep l3;"
	    "sent+hold l3;list ;");
	assert_false(docker_is_running("l3"));
	did[0] = '\0';
	docker_recovered(NULL, NULL);
	docker_lost();
	assert_string_equal(did, "");
	/* An update of a former life. */
	result(KIND(UPDATE), "l4");
	assert_string_equal(did, "event web;keep l4;"
	    "sent+hold l4;list ;");
}

/* What its journal holds waits until there is a journal to keep it in. */
static void
test_early(void **state)
{
	(void)state;
	eng->ready = false;
	docker_up(&docker);
	assert_true(docker.pe_held);
	docker_listen();
	assert_false(docker.pe_held);
	/* One that is started again finds us ready. */
	eng->ready = true;
	docker_up(&docker);
	assert_false(docker.pe_held);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_result),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_flood),
		cmocka_unit_test(test_lost),
	};

	return (cmocka_run_group_tests(tests, setup, NULL));
}
