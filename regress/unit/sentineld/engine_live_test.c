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

#include "engine_live.h"

/* The live view at the server: deltas, their events, lists that differ. */
#define HOST_A	"0000000000000000000000000000000a"

static struct host	*ha;
static uint8_t		 sum[LISTHASH_LEN];	/* of what the agent has */

static int
up(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	ha = rig_host(HOST_A, "alpha");
	memset(sum, 0, sizeof(sum));
	return (0);
}

/* The text of the newest event, and how many there are. */
struct tally {
	size_t	 n;
	size_t	 others;
	char	 last[256];
};

static bool
tally_one(const Sentinel__Store__Event *e, void *arg)
{
	struct tally	*t = arg;

	if (strcmp(e->type, "cluster_host") == 0)
		t->others++;
	if (strcmp(e->type, "container_state") != 0)
		return (true);
	t->n++;
	(void)strlcpy(t->last, e->message, sizeof(t->last));
	return (true);
}

static int
walk(struct store_txn *tx, void *arg)
{
	return (db_event_walk(tx, 0, 0, tally_one, arg) == -1 ? -1 : 0);
}

static void
event_is(size_t n, const char *text)
{
	struct tally	 t = { 0 };

	assert_int_equal(store_view(eng->store, walk, &t), 0);
	assert_int_equal(t.n, n);
	assert_string_equal(t.last, text);
}

static void
fill(Sentinel__Cluster__ContainerInfo *ci, const char *id, const char *name,
    const char *state, const char *health)
{
	sentinel__cluster__container_info__init(ci);
	ci->id = rig_str(id);
	ci->name = rig_str(name);
	ci->state = rig_str(state);
	ci->health = rig_str(health);
}

/* Of one container; state NULL: it is gone. */
static void
delta(uint32_t call, const char *id, const char *name, const char *state,
    const char *health)
{
	Sentinel__Cluster__AgentMessage		 m;
	Sentinel__Cluster__ContainerDelta	 d;
	Sentinel__Cluster__ContainerInfo	 ci, *cis = &ci;
	char					*gone = rig_str(id);

	sentinel__cluster__container_delta__init(&d);
	if (state != NULL) {
		fill(&ci, id, name, state, health);
		d.changed = &cis;
		d.n_changed = 1;
	} else {
		d.removed = &gone;
		d.n_removed = 1;
	}
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CONTAINER_DELTA;
	m.container_delta = &d;
	rig_message(call, &m);
}

static void
heartbeat(uint32_t call, size_t hashlen)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__Heartbeat	 hb;
	char				*word = rig_str("container-delta");

	sentinel__cluster__heartbeat__init(&hb);
	hb.supported_features = &word;
	hb.n_supported_features = 1;
	hb.list_hash.data = sum;
	hb.list_hash.len = hashlen;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case = SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_HEARTBEAT;
	m.heartbeat = &hb;
	rig_message(call, &m);
}

static void
connect_host(uint32_t call)
{
	rig_open(call, HOST_A, "0a", NULL);
	assert_non_null(ha->h_session);
	rig_forget();
}

static void
test_changes(void **state)
{
	size_t	 bytes = eng->list_bytes;

	(void)state;
	connect_host(7);
	delta(7, "id1", "web", "running", "");
	event_is(1, "web is new: running");
	delta(7, "id1", "web", "running", "unhealthy");
	event_is(2, "web: running (unhealthy)");
	delta(7, "id1", "web", "exited", "");
	event_is(3, "web: exited");
	delta(7, "id1", "web", "running", "");
	delta(7, "id1", "web", "running", "");
	event_is(5, "web: running, restarted");
	delta(7, "id1", "www", "running", "");
	event_is(6, "web is now called www");
	assert_null(container_find(ha, "web"));
	assert_non_null(container_find(ha, "www"));
	delta(7, "id2", "db", "running", "");
	assert_int_equal(ha->h_ncontainers, 2);
	delta(7, "id1", NULL, NULL, NULL);
	event_is(8, "www is gone");
	/* What was never here cannot go. */
	delta(7, "id9", NULL, NULL, NULL);
	event_is(8, "www is gone");
	assert_int_equal(ha->h_ncontainers, 1);
	delta(7, "id2", NULL, NULL, NULL);
	assert_int_equal(eng->list_bytes, bytes);
	/* A stream that was replaced says nothing any more. */
	connect_host(8);
	delta(7, "id3", "old", "running", "");
	assert_int_equal(ha->h_ncontainers, 0);
	assert_int_equal(rig.broken, 0);
}

/* Full is full, and bytes are counted as they are for lists. */
static void
test_limits(void **state)
{
	char		 id[16];
	unsigned int	 i;
	struct tally	 t = { 0 };

	(void)state;
	connect_host(7);
	for (i = 0; i < HOST_CONTAINERS_MAX + 5; i++) {
		(void)snprintf(id, sizeof(id), "c%u", i);
		delta(7, id, id, "running", "");
	}
	assert_int_equal(ha->h_ncontainers, HOST_CONTAINERS_MAX);
	delta(7, "c1", "c1", "exited", "");
	assert_int_equal(ha->h_ncontainers, HOST_CONTAINERS_MAX);
	/* All of them leave room for other events. */
	event_publish("cluster_host", ha, NULL, "something else");
	assert_int_equal(store_view(eng->store, walk, &t), 0);
	assert_true(t.n <= LIVE_EVENTS_BURST + 1);
	assert_true(t.others >= 1);
	assert_int_equal(rig.broken, 0);
}

static void
test_heal(void **state)
{
	Sentinel__Cluster__ContainerInfo	 ci;
	uint8_t					 hash[LISTHASH_LEN];

	(void)state;
	connect_host(7);
	ha->h_fresh = monotime_now();
	/* Both have none. */
	heartbeat(7, sizeof(sum));
	assert_true(live_is_fresh(ha));
	assert_int_equal(eng->nops, 0);
	/* One is missing here: asked for, and not at every heartbeat. */
	fill(&ci, "id1", "web", "running", "healthy");
	listhash_of(&ci, hash);
	listhash_toggle(sum, hash);
	heartbeat(7, sizeof(sum));
	assert_false(live_is_fresh(ha));
	assert_int_equal(eng->nops, 1);
	heartbeat(7, sizeof(sum));
	assert_int_equal(eng->nops, 1);
	/* The same from somewhere else. */
	delta(7, "id1", "web", "running", "healthy");
	heartbeat(7, sizeof(sum));
	assert_true(live_is_fresh(ha));
	/* Health counts; so does who does not say it any more. */
	delta(7, "id1", "web", "running", "");
	heartbeat(7, sizeof(sum));
	assert_false(live_is_fresh(ha));
	delta(7, "id1", "web", "running", "healthy");
	heartbeat(7, sizeof(sum));
	assert_true(live_is_fresh(ha));
	heartbeat(7, 0);
	assert_false(live_is_fresh(ha));
	heartbeat(7, sizeof(sum));
	ha->h_fresh = 0;	/* an operation of ours */
	assert_false(live_is_fresh(ha));
	assert_int_equal(rig.broken, 0);
}

static void
test_local(void **state)
{
	Sentinel__Ipc__DockerState		 st;
	Sentinel__Ipc__DockerDelta		 d;
	Sentinel__Ipc__ListEnd			 end;
	Sentinel__Cluster__ContainerInfo	 ci;
	size_t					 lists;

	(void)state;
	eng->conf.ec_docker = 1;
	eng->ready = false;
	local_init();
	/* What its journal holds waits until there is a host to keep it for. */
	local_up(&rig.peer[ROLE_DOCKER]);
	assert_true(rig.peer[ROLE_DOCKER].pe_held);
	local_listen();
	assert_false(rig.peer[ROLE_DOCKER].pe_held);
	eng->ready = true;
	local_up(&rig.peer[ROLE_DOCKER]);
	assert_false(rig.peer[ROLE_DOCKER].pe_held);
	sentinel__ipc__docker_state__init(&st);
	st.available = st.live = true;
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_STATE, 0, &st.base);
	lists = rig_count(IMSG_DOCKER_OP);
	assert_int_equal(lists, 1);
	/* What was missed before this list ended needs another one. */
	rig_give(ROLE_DOCKER, IMSG_DOCKER_STALE, 0, NULL, 0);
	assert_int_equal(rig_count(IMSG_DOCKER_OP), lists);
	sentinel__ipc__list_end__init(&end);
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_LIST_END, 0, &end.base);
	assert_int_equal(rig_count(IMSG_DOCKER_OP), lists + 1);
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_LIST_END, 0, &end.base);
	assert_int_equal(rig_count(IMSG_DOCKER_OP), lists + 1);
	assert_true(live_is_fresh(eng->local));

	fill(&ci, "id1", "web", "running", "");
	sentinel__ipc__docker_delta__init(&d);
	d.id = rig_str("id1");
	d.info = &ci;
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_DELTA, 0, &d.base);
	event_is(1, "web is new: running");
	d.info = NULL;
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_DELTA, 0, &d.base);
	event_is(2, "web is gone");
	assert_int_equal(rig.broken, 0);
	d.id = rig_str("id2");
	d.info = &ci;
	rig_give_pb(ROLE_DOCKER, IMSG_DOCKER_DELTA, 0, &d.base);
	assert_int_equal(rig.broken, 1);
	local_lost();
	assert_false(live_is_fresh(eng->local));
}

int
main(void)
{
#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, rig_down)
	const struct CMUnitTest tests[] = {
		T(test_changes),
		T(test_limits),
		T(test_heal),
		T(test_local),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
