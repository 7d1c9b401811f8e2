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

/* The cached list: who waits for which, what is sent, what is left out. */
#include "unit.h"

#include <event2/event.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "engine_journal.h"
#include "pbcheck.h"

/* --- neighbours ---------------------------------------------------------- */

static struct engine	 state_;
struct engine		*eng = &state_;

static unsigned int	 asked;		/* lists that Docker was asked for */
static uint8_t		*out;		/* last message to the server */
static size_t		 outlen;
static unsigned int	 nout;
static unsigned int	 broken;
static unsigned int	 nobserved;

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
	assert_int_equal(type, IMSG_DOCKER_OP);
	assert_int_equal(((const Sentinel__Ipc__DockerOp *)(const void *)pb)->
	    kind, SENTINEL__IPC__DOCKER_OP__KIND__LIST);
	asked++;
	return (0);
}

bool
session_is_open(void)
{
	return (true);
}

void
offline_observe(void)
{
	nobserved++;
}

void
out_push_packed(enum out_kind kind, uint8_t *data, size_t len, uint32_t hold)
{
	assert_int_equal(kind, OUT_PLAIN);
	assert_int_equal(hold, 0);
	free(out);
	out = data;
	outlen = len;
	nout++;
}

char *
engine_lend(const char *s)
{
	return ((char *)(uintptr_t)s);
}

/* --- helpers ------------------------------------------------------------- */

static char	 told[256];

static void
on_list(const char *error, void *arg)
{
	(void)strlcat(told, (const char *)arg, sizeof(told));
	if (error[0] != '\0')
		(void)strlcat(told, "!", sizeof(told));
}

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

/* n containers with a label of so many bytes. */
static void
docker_lists(unsigned int n, size_t label, const char *error)
{
	Sentinel__Cluster__ContainerInfo__LabelsEntry	 entry, *entries[1];
	Sentinel__Cluster__ContainerInfo		 info;
	Sentinel__Ipc__ListEnd				 end;
	char						 name[32], *text;
	unsigned int					 i;

	assert_non_null(text = malloc(label + 1));
	memset(text, 'x', label);
	text[label] = '\0';
	sentinel__cluster__container_info__labels_entry__init(&entry);
	entry.key = engine_lend("key");
	entry.value = text;
	entries[0] = &entry;
	for (i = 0; i < n; i++) {
		(void)snprintf(name, sizeof(name), "c%u", i);
		sentinel__cluster__container_info__init(&info);
		info.id = name;
		info.name = name;
		info.labels = entries;
		info.n_labels = label > 0;
		deliver(list_container, &info.base);
	}
	sentinel__ipc__list_end__init(&end);
	end.count = n;
	end.error = engine_lend(error);
	deliver(list_end, &end.base);
	free(text);
}

/* Of the last message: containers and labels. */
static void
last(size_t *containers, size_t *labels, char *id, size_t size)
{
	Sentinel__Cluster__AgentMessage	*m;
	struct pbmem			 pm;
	size_t				 i;

	pbmem_init(&pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = pbcheck_unpack(&sentinel__cluster__agent_message__descriptor, out,
	    outlen, &pm, NULL);
	assert_non_null(m);
	assert_int_equal(m->payload_case,
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CONTAINER_LIST);
	*containers = m->container_list->n_containers;
	for (*labels = i = 0; i < *containers; i++)
		*labels += m->container_list->containers[i]->n_labels;
	(void)strlcpy(id, m->container_list->request_id, size);
	pbmem_free(&pm);
}

/* --- tests --------------------------------------------------------------- */

static void
test_push_on_change(void **state)
{
	size_t	 n, labels;
	char	 id[32];

	(void)state;
	list_ask(false, NULL, NULL);
	docker_lists(3, 10, "");
	assert_int_equal(nout, 1);
	assert_int_equal(nobserved, 1);
	last(&n, &labels, id, sizeof(id));
	assert_int_equal(n, 3);
	assert_int_equal(labels, 3);
	assert_string_equal(id, "");
	list_ask(false, NULL, NULL);
	docker_lists(3, 10, "");
	assert_int_equal(nout, 1);
	list_ask(true, NULL, NULL);
	docker_lists(3, 10, "");
	assert_int_equal(nout, 2);
	assert_int_equal(nobserved, 1);
	list_ask(false, NULL, NULL);
	docker_lists(3, 11, "");
	assert_int_equal(nout, 3);
	assert_int_equal(nobserved, 2);
	/* An error leaves what was known. */
	list_ask(true, NULL, NULL);
	docker_lists(1, 0, "away");
	assert_int_equal(nout, 3);
	assert_int_equal(list_count(), 3);
	list_send("r1", "");
	last(&n, &labels, id, sizeof(id));
	assert_int_equal(n, 3);
	assert_string_equal(id, "r1");
}

/* Who asks while a list is under way gets the next one. */
static void
test_waiters(void **state)
{
	(void)state;
	asked = 0;
	told[0] = '\0';
	list_ask(false, on_list, engine_lend("a"));
	assert_int_equal(asked, 1);
	list_ask(false, on_list, engine_lend("b"));
	list_ask(true, on_list, engine_lend("c"));
	assert_int_equal(asked, 1);
	nout = 0;
	docker_lists(3, 11, "");
	assert_string_equal(told, "a");
	assert_int_equal(asked, 2);
	assert_int_equal(nout, 0);
	docker_lists(3, 11, "");
	assert_string_equal(told, "abc");
	assert_int_equal(nout, 1);
	assert_int_equal(asked, 2);
	/* The docker process dies: everybody is told, items after it are
	 * nobody's. */
	list_ask(false, on_list, engine_lend("d"));
	list_ask(false, on_list, engine_lend("e"));
	list_lost("gone");
	assert_string_equal(told, "abcd!e!");
	asked = 0;
	docker_lists(5, 0, "");
	assert_int_equal(list_count(), 3);
	list_ask(false, on_list, engine_lend("f"));
	docker_lists(4, 0, "");
	assert_string_equal(told, "abcd!e!f");
	assert_int_equal(list_count(), 4);
	assert_int_equal(broken, 0);
}

/* Labels go before containers. */
static void
test_too_large(void **state)
{
	size_t	 n, labels;
	char	 id[32];

	(void)state;
	list_ask(true, NULL, NULL);
	docker_lists(100, 9000, "");
	assert_true(outlen <= GRPC_SEND_MAXBYTES);
	last(&n, &labels, id, sizeof(id));
	assert_int_equal(n, 100);
	assert_int_equal(labels, 100);
	list_ask(true, NULL, NULL);
	docker_lists(300, 9000, "");
	assert_true(outlen <= GRPC_SEND_MAXBYTES);
	last(&n, &labels, id, sizeof(id));
	assert_int_equal(n, 300);
	assert_int_equal(labels, 0);
}

/* The two ways to write a list down are one. */
static void
test_append(void **state)
{
	Sentinel__Cluster__StateReport	 head, *r;
	struct pbmem			 pm;
	uint8_t				*data;
	size_t				 len, max;

	(void)state;
	list_ask(false, NULL, NULL);
	docker_lists(20, 100, "");
	for (max = 100; max < 4000; max += 37) {
		sentinel__cluster__state_report__init(&head);
		head.host_id = engine_lend("host");
		assert_non_null(data = pbcheck_pack(&head.base, 100, &len));
		assert_non_null(data = list_append(data, len, max, &len));
		assert_true(len <= max);
		pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
		r = pbcheck_unpack(&sentinel__cluster__state_report__descriptor,
		    data, len, &pm, NULL);
		assert_non_null(r);
		assert_string_equal(r->host_id, "host");
		assert_true(r->n_containers <= 20);
		pbmem_free(&pm);
		free(data);
	}
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_push_on_change),
		cmocka_unit_test(test_waiters),
		cmocka_unit_test(test_too_large),
		cmocka_unit_test(test_append),
	};

	list_init();
	return (cmocka_run_group_tests(tests, NULL, NULL));
}
