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
 * What agents report of the past: stored once, acknowledged when it is safe
 * and only in the session it came in, and bounded for each host by itself.
 */
#include "engine_rig.h"

#include "db_history.h"
#include "engine_history.h"
#include "engine_session.h"

#define HOST_A	"0123456789abcdef0123456789abcdef"
#define HOST_B	"1123456789abcdef0123456789abcdef"

static struct host	*ha, *hb;
static uint32_t		 calls = 100;

static int
setup(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	ha = rig_host(HOST_A, "alpha");
	hb = rig_host(HOST_B, "beta");
	return (0);
}

/* ReportState and Channel of an agent with these words; its call. */
static uint32_t
connect_as(const char *host, const char *feature)
{
	Sentinel__Cluster__StateReport	 r;
	char				*features[] = { rig_str(feature) };
	uint32_t			 call = ++calls;

	sentinel__cluster__state_report__init(&r);
	r.supported_features = features;
	r.n_supported_features = 1;
	rig_open(call, host, "0a", &r);
	rig_list_end(call, "", 0, "");
	rig_open(++calls, host, "0a", NULL);
	rig_forget();
	return (calls);
}

static void
send_journal(uint32_t call, const char *prefix, size_t first, size_t n)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__OfflineJournal oj;
	Sentinel__Cluster__JournalEntry	*list;
	Sentinel__Cluster__JournalEntry	**ptrs;
	char				(*ids)[64];
	size_t				 i;

	list = xcalloc(n, sizeof(*list));
	ptrs = xcalloc(n, sizeof(*ptrs));
	ids = xcalloc(n, sizeof(*ids));
	for (i = 0; i < n; i++) {
		sentinel__cluster__journal_entry__init(&list[i]);
		if (prefix[0] != '\0')
			(void)snprintf(ids[i], sizeof(ids[i]), "%s%zu",
			    prefix, first + i);
		list[i].id = ids[i];
		list[i].container = rig_str("web");
		list[i].action = rig_str("state");
		list[i].outcome = rig_str(i % 2 == 0 ? "exited" : "running");
		ptrs[i] = &list[i];
	}
	sentinel__cluster__offline_journal__init(&oj);
	oj.entries = ptrs;
	oj.n_entries = n;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_OFFLINE_JOURNAL;
	m.offline_journal = &oj;
	rig_message(call, &m);
	free(list);
	free(ptrs);
	free(ids);
}

static void
send_result(uint32_t call, const char *id)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__UpdateResult	 u;

	sentinel__cluster__update_result__init(&u);
	u.request_id = rig_str(id);
	u.container_name = rig_str("web");
	u.outcome = rig_str("success");
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_UPDATE_RESULT;
	m.update_result = &u;
	rig_message(call, &m);
}

static bool
count_row(const char *host, const Sentinel__Store__HistoryRow *row,
    void *arg)
{
	(void)host;
	(void)row;
	(*(size_t *)arg)++;
	return (true);
}

struct query {
	const char	*host;
	size_t		 n;
};

static int
count_rows(struct store_txn *tx, void *arg)
{
	struct query	*q = arg;

	return (db_history_walk(tx, q->host, NULL, 0, 100000, count_row,
	    &q->n) == -1 ? -1 : 0);
}

static size_t
rows(const char *host)
{
	struct query	 q = { host, 0 };

	assert_int_equal(store_view(eng->store, count_rows, &q), 0);
	return (q.n);
}

/* Ids in JournalAcks to this call; the first of them in first. */
static size_t
acked(uint32_t call, char *first, size_t size)
{
	Sentinel__Cluster__ServerMessage	*m;
	Sentinel__Ipc__AgentSend		*send;
	struct pbmem				 pm, pm2;
	struct sent				*s;
	size_t					 n = 0;

	first[0] = '\0';
	while ((s = rig_take(IMSG_AGENT_SEND, call)) != NULL) {
		send = rig_unpack(s, &sentinel__ipc__agent_send__descriptor,
		    &pm);
		pbmem_init(&pm2, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
		m = pbcheck_unpack(
		    &sentinel__cluster__server_message__descriptor,
		    send->message.data, send->message.len, &pm2, NULL);
		assert_non_null(m);
		if (m->payload_case ==
		    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_JOURNAL_ACK) {
			assert_int_not_equal(m->request_id[0], '\0');
			if (n == 0)
				(void)strlcpy(first, m->journal_ack->ids[0],
				    size);
			n += m->journal_ack->n_ids;
		}
		pbmem_free(&pm2);
		pbmem_free(&pm);
		rig_free(s);
	}
	return (n);
}

/* --- tests --------------------------------------------------------------- */

static void
test_journal(void **state)
{
	char		 first[300];
	uint32_t	 call;

	(void)state;
	call = connect_as(HOST_A, "journal-ack");
	send_journal(call, "e", 0, 3);
	/* Nothing is said before it is stored. */
	assert_int_equal(acked(call, first, sizeof(first)), 0);
	rig_run(HISTORY_ACK_MSEC * 3);
	assert_int_equal(acked(call, first, sizeof(first)), 3);
	assert_string_equal(first, "e0");
	assert_int_equal(rows(HOST_A), 3);
	/* Twice, half, in another session: acknowledged again, stored once. */
	send_journal(call, "e", 1, 3);
	rig_run(HISTORY_ACK_MSEC * 3);
	assert_int_equal(acked(call, first, sizeof(first)), 3);
	assert_int_equal(rows(HOST_A), 4);
	call = connect_as(HOST_A, "journal-ack");
	send_journal(call, "e", 0, 4);
	rig_run(HISTORY_ACK_MSEC * 3);
	assert_int_equal(acked(call, first, sizeof(first)), 4);
	assert_int_equal(rows(HOST_A), 4);
	/* The same ids of another host are others. */
	call = connect_as(HOST_B, "journal-ack");
	send_journal(call, "e", 0, 2);
	rig_run(HISTORY_ACK_MSEC * 3);
	assert_int_equal(rows(HOST_B), 2);
	/* An empty one is nothing. */
	send_journal(call, "e", 0, 0);
	rig_run(10);
	assert_int_equal(rig.broken, 0);
}

/* Another implementation sends all at once, knows no ids nor words, and is
 * gone: its journal is stored all the same. */
static void
test_foreign(void **state)
{
	char		 first[300];
	uint32_t	 call;

	(void)state;
	call = connect_as(HOST_A, "list");
	send_journal(call, "f", 0, HISTORY_BATCH_MAX * 2 + 50);
	rig_closed(call);
	rig_run(500);
	assert_int_equal(rows(HOST_A), HISTORY_BATCH_MAX * 2 + 50);
	assert_int_equal(acked(call, first, sizeof(first)), 0);
	/* Without ids it is the content that counts. */
	call = connect_as(HOST_B, "list");
	send_journal(call, "", 0, 4);
	rig_run(100);
	assert_int_equal(rows(HOST_B), 2);
	send_journal(call, "", 0, 2);
	rig_run(100);
	assert_int_equal(rows(HOST_B), 2);
}

static void
test_results(void **state)
{
	char		 first[300];
	uint32_t	 call;

	(void)state;
	call = connect_as(HOST_A, "journal-ack");
	send_result(call, "r1");
	rig_run(HISTORY_ACK_MSEC * 2);
	assert_int_equal(acked(call, first, sizeof(first)), 1);
	assert_string_equal(first, "request:r1");
	/* The same as an entry of the journal, after the answer was lost. */
	send_result(call, "r1");
	send_journal(call, "request:r", 1, 1);
	rig_run(HISTORY_ACK_MSEC * 3);
	assert_int_equal(acked(call, first, sizeof(first)), 2);
	assert_int_equal(rows(HOST_A), 1);
	/* One that nobody can name is not kept. */
	send_result(call, "");
	assert_int_equal(rows(HOST_A), 1);
	/* An agent that does not know the word hears nothing. */
	call = connect_as(HOST_B, "list");
	send_result(call, "r1");
	rig_run(HISTORY_ACK_MSEC * 2);
	assert_int_equal(acked(call, first, sizeof(first)), 0);
	assert_int_equal(rows(HOST_B), 1);
}

/* A session that ended gets no acknowledgement, nor does its successor. */
static void
test_session(void **state)
{
	char		 first[300];
	uint32_t	 call, next;

	(void)state;
	call = connect_as(HOST_A, "journal-ack");
	send_journal(call, "s", 0, 2);
	send_result(call, "r1");
	next = connect_as(HOST_A, "journal-ack");
	rig_run(HISTORY_ACK_MSEC * 3);
	assert_int_equal(rows(HOST_A), 3);
	assert_int_equal(acked(call, first, sizeof(first)), 0);
	assert_int_equal(acked(next, first, sizeof(first)), 0);
	/* A host that is removed meanwhile leaves nothing behind. */
	send_journal(next, "t", 0, 5);
	assert_int_equal(host_decommission(ha, HOST_REMOVED, "uid 0"), 0);
	rig_run(HISTORY_ACK_MSEC * 3);
	assert_int_equal(acked(next, first, sizeof(first)), 0);
}

/* What one host floods is its own loss; the other is served meanwhile. */
static void
test_flood(void **state)
{
	char		 first[300];
	uint32_t	 a, b;
	size_t		 i;

	(void)state;
	a = connect_as(HOST_A, "journal-ack");
	b = connect_as(HOST_B, "journal-ack");
	for (i = 0; i < 50; i++)
		send_journal(a, "flood", i * 20000, 20000);
	send_journal(b, "own", 0, 10);
	rig_run(300);
	assert_int_equal(rows(HOST_B), 10);
	assert_int_equal(acked(b, first, sizeof(first)), 10);
	rig_run(2000);
	assert_true(rows(HOST_A) <= DB_HISTORY_KEEP);
	/* Slices in the burst, and what came back since. */
	assert_true(acked(a, first, sizeof(first)) <=
	    (HISTORY_SLICES_BURST + 10) * HISTORY_BATCH_MAX);
	for (i = 0; i < 2000; i++)
		send_result(a, "x");
	assert_int_equal(rig.broken, 0);
}

static void
test_list(void **state)
{
	Sentinel__Ipc__ControlRequest	 req;
	uint32_t			 call, client;

	(void)state;
	call = connect_as(HOST_A, "journal-ack");
	send_journal(call, "l", 0, 5);
	call = connect_as(HOST_B, "journal-ack");
	send_journal(call, "l", 0, 2);
	rig_run(HISTORY_ACK_MSEC * 3);
	rig_request(&req,
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__HISTORY_LIST);
	client = rig_ask(&req);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 7);
	assert_int_equal(rig_ended(client), CONTROL_OK);
	rig_forget();
	req.container = rig_str("beta");
	client = rig_ask(&req);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 2);
	assert_int_equal(rig_ended(client), CONTROL_OK);
	rig_forget();
	req.host = rig_str("alpha");
	req.container = rig_str("web");
	req.limit = 3;
	client = rig_ask(&req);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 3);
	assert_int_equal(rig_ended(client), CONTROL_OK);
	rig_forget();
	req.host = rig_str("nobody");
	client = rig_ask(&req);
	assert_int_equal(rig_ended(client), CONTROL_NOSUCH);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_journal, setup,
		    rig_down),
		cmocka_unit_test_setup_teardown(test_foreign, setup,
		    rig_down),
		cmocka_unit_test_setup_teardown(test_results, setup,
		    rig_down),
		cmocka_unit_test_setup_teardown(test_session, setup,
		    rig_down),
		cmocka_unit_test_setup_teardown(test_list, setup, rig_down),
		/* The last one: it leaves work behind. */
		cmocka_unit_test_setup_teardown(test_flood, setup, rig_down),
	};

	return (cmocka_run_group_tests(tests, NULL, NULL));
}
