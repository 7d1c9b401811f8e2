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

/* The live view of the agent: changes into the list, and out as deltas. */
#include "unit.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_journal.h"
#include "engine_live.h"
#include "pbcheck.h"

/* --- neighbours ---------------------------------------------------------- */

static struct engine	 state_;
struct engine		*eng = &state_;

static unsigned int	 asked;
static char		 said[4096];	/* to the server */
static char		 events[512];
static unsigned int	 broken;
static unsigned int	 nobserved;
static bool		 has_word = true;
static bool		 is_open = true;

struct event_base *
proc_base(void)
{
	static struct event_base	*base;

	if (base == NULL)
		base = event_base_new();
	return (base);
}

struct peer *
proc_peer(enum role role)
{
	static struct peer	 p;

	(void)role;
	return (&p);
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
	asked++;
	return (0);
}

bool
session_is_open(void)
{
	return (is_open);
}

bool
session_has_feature(const char *word)
{
	assert_string_equal(word, "container-delta");
	return (has_word);
}

void
offline_observe(void)
{
	nobserved++;
}

void
offline_event(const char *name, const char *action, int64_t nsec)
{
	size_t	 n = strlen(events);

	assert_int_equal(nsec, 7);
	(void)snprintf(events + n, sizeof(events) - n, "%s %s;", name, action);
}

char *
engine_lend(const char *s)
{
	return ((char *)(uintptr_t)s);
}

void
out_push_packed(enum out_kind kind, uint8_t *data, size_t len, uint32_t hold)
{
	Sentinel__Cluster__AgentMessage		*m;
	Sentinel__Cluster__ContainerDelta	*d;
	struct pbmem				 pm;
	size_t					 i, n;

	assert_int_equal(kind, OUT_PLAIN);
	assert_int_equal(hold, 0);
	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = pbcheck_unpack(&sentinel__cluster__agent_message__descriptor, data,
	    len, &pm, NULL);
	assert_non_null(m);
	n = strlen(said);
	if (m->payload_case ==
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CONTAINER_LIST) {
		(void)snprintf(said + n, sizeof(said) - n, "<list %zu>",
		    m->container_list->n_containers);
		goto out;
	}
	assert_int_equal(m->payload_case,
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CONTAINER_DELTA);
	d = m->container_delta;
	(void)strlcat(said, "<delta", sizeof(said));
	for (i = 0; i < d->n_changed && i < 8; i++) {
		n = strlen(said);
		(void)snprintf(said + n, sizeof(said) - n, " %s=%s",
		    d->changed[i]->name, d->changed[i]->state);
	}
	for (i = 0; i < d->n_removed; i++) {
		n = strlen(said);
		(void)snprintf(said + n, sizeof(said) - n, " -%s",
		    d->removed[i]);
	}
	(void)strlcat(said, ">", sizeof(said));
 out:
	pbmem_free(&pm);
	free(data);
}

/* --- helpers ------------------------------------------------------------- */

static void
deliver(void (*fn)(struct peer *, struct imsg *), const ProtobufCMessage *pb)
{
	struct imsg	 m = { .hdr.type = 1 };
	uint8_t		*data;
	size_t		 len;

	assert_non_null(data = pbcheck_pack(pb, 8 << 20, &len));
	assert_non_null(m.buf = ibuf_dynamic(len + 1, len + 1));
	assert_int_equal(ibuf_add(m.buf, data, len), 0);
	free(data);
	fn(NULL, &m);
	ibuf_free(m.buf);
}

static void
listed(const char *const *names, size_t n, const char *error)
{
	Sentinel__Cluster__ContainerInfo	 info;
	Sentinel__Ipc__ListEnd			 end;
	size_t					 i;

	for (i = 0; i < n; i++) {
		sentinel__cluster__container_info__init(&info);
		info.id = info.name = engine_lend(names[i]);
		info.state = engine_lend("running");
		deliver(list_container, &info.base);
	}
	sentinel__ipc__list_end__init(&end);
	end.count = (uint32_t)n;
	end.error = engine_lend(error);
	deliver(list_end, &end.base);
}

/* state NULL: it is gone. */
static void
delta(const char *id, const char *state, const char *action)
{
	Sentinel__Cluster__ContainerInfo	 info;
	Sentinel__Ipc__DockerEvent		 ev, *evs = &ev;
	Sentinel__Ipc__DockerDelta		 m;

	sentinel__ipc__docker_delta__init(&m);
	m.id = engine_lend(id);
	if (state != NULL) {
		sentinel__cluster__container_info__init(&info);
		info.id = info.name = engine_lend(id);
		info.state = engine_lend(state);
		m.info = &info;
	}
	if (action != NULL) {
		sentinel__ipc__docker_event__init(&ev);
		ev.action = engine_lend(action);
		ev.time_nsec = 7;
		m.events = &evs;
		m.n_events = 1;
	}
	deliver(live_delta, &m.base);
}

static void
settle(void)
{
	struct timeval	 tv = { 0, (LIVE_MSEC + 30) * 1000 };

	event_base_loopexit(proc_base(), &tv);
	event_base_dispatch(proc_base());
}

static bool
beat(uint8_t hash[LISTHASH_LEN])
{
	Sentinel__Cluster__Heartbeat	 hb;

	sentinel__cluster__heartbeat__init(&hb);
	live_heartbeat(&hb, hash);
	assert_true(hb.list_hash.len == 0 ||
	    hb.list_hash.len == LISTHASH_LEN);
	return (hb.list_hash.len > 0);
}

static void
restart(void)
{
	static const char *const	 names[] = { "web", "db" };

	eng->docker_up = eng->docker_live = true;
	has_word = is_open = true;
	list_ask(false, NULL, NULL);
	listed(names, 2, "");
	said[0] = events[0] = '\0';
	asked = nobserved = 0;
}

/* --- tests --------------------------------------------------------------- */

/* First: there is no list yet. */
static void
test_early(void **state)
{
	uint8_t	 hash[LISTHASH_LEN];

	(void)state;
	eng->docker_up = eng->docker_live = true;
	delta("web", "running", "start");
	settle();
	assert_string_equal(said, "");
	assert_int_equal(list_count(), 0);
	assert_false(beat(hash));
}

static void
test_deltas(void **state)
{
	(void)state;
	restart();
	delta("web", "exited", "die");
	delta("new", "created", "create");
	delta("db", NULL, "destroy");
	delta("web", "running", "start");
	assert_string_equal(said, "");
	settle();
	assert_string_equal(said, "<delta web=running new=created -db>");
	assert_string_equal(events, "web die;new create;web start;");
	assert_int_equal(nobserved, 1);
	assert_int_equal(list_count(), 2);
	assert_int_equal(asked, 0);
	/* What changes nothing is silent, but for a restart. */
	said[0] = '\0';
	delta("web", "running", "kill");
	delta("db", NULL, NULL);
	settle();
	assert_string_equal(said, "");
	delta("web", "running", "die");
	settle();
	assert_string_equal(said, "<delta web=running>");
	/* Not connected: nothing is kept for later, the report has it all. */
	said[0] = '\0';
	is_open = false;
	delta("web", "paused", "pause");
	settle();
	is_open = true;
	settle();
	assert_string_equal(said, "");
	assert_int_equal(nobserved, 3);
	assert_int_equal(broken, 0);
}

static void
test_old_server(void **state)
{
	uint8_t	 hash[LISTHASH_LEN];

	(void)state;
	restart();
	has_word = false;
	delta("web", "exited", "die");
	delta("db", "exited", "die");
	settle();
	assert_string_equal(said, "<list 2>");
	assert_false(beat(hash));
}

static void
test_many(void **state)
{
	char		 id[16];
	unsigned int	 i;

	(void)state;
	restart();
	for (i = 0; i < LIVE_CHANGED_MAX + 10; i++) {
		(void)snprintf(id, sizeof(id), "c%u", i);
		delta(id, "running", "start");
	}
	settle();
	(void)snprintf(id, sizeof(id), "<list %u>", LIVE_CHANGED_MAX + 12);
	assert_string_equal(said, id);
}

/* The heartbeat's hash is of what was sent before it. */
static void
test_hash(void **state)
{
	uint8_t	 a[LISTHASH_LEN], b[LISTHASH_LEN], c[LISTHASH_LEN];

	(void)state;
	restart();
	assert_true(beat(a));
	delta("web", "exited", "die");
	assert_true(beat(b));
	assert_string_equal(said, "<delta web=exited>");
	assert_memory_not_equal(a, b, sizeof(a));
	delta("web", "running", "start");
	assert_true(beat(c));
	assert_memory_equal(a, c, sizeof(a));
	eng->docker_live = false;
	assert_false(beat(a));
}

/* Missed changes: a list, and another when one is under way already. */
static void
test_stale(void **state)
{
	static const char *const	 names[] = { "web", "db", "more" };
	uint8_t				 hash[LISTHASH_LEN];

	(void)state;
	restart();
	live_stale(NULL, NULL);
	assert_int_equal(asked, 1);
	live_stale(NULL, NULL);
	assert_int_equal(asked, 1);
	assert_false(beat(hash));
	listed(names, 2, "");
	assert_int_equal(asked, 2);
	said[0] = '\0';
	listed(names, 3, "");
	assert_int_equal(asked, 2);
	assert_string_equal(said, "<list 3>");
	assert_true(beat(hash));
	/* A list that fails is no list. */
	live_stale(NULL, NULL);
	listed(names, 0, "away");
	assert_false(beat(hash));
}

static void
test_hostile(void **state)
{
	Sentinel__Cluster__ContainerInfo	 info;
	Sentinel__Ipc__DockerDelta		 m;

	(void)state;
	restart();
	sentinel__ipc__docker_delta__init(&m);
	sentinel__cluster__container_info__init(&info);
	info.id = engine_lend("web");
	m.id = engine_lend("db");
	m.info = &info;
	deliver(live_delta, &m.base);
	assert_int_equal(broken, 1);
	m.id = engine_lend("");
	deliver(live_delta, &m.base);
	assert_int_equal(broken, 2);
	assert_int_equal(list_count(), 2);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_early),
		cmocka_unit_test(test_deltas),
		cmocka_unit_test(test_old_server),
		cmocka_unit_test(test_many),
		cmocka_unit_test(test_hash),
		cmocka_unit_test(test_stale),
		cmocka_unit_test(test_hostile),
	};

	state_.conf.ac_list_msec = 3600000;
	list_init();
	live_init();
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
