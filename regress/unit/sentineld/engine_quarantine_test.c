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
 * What a container was rolled back from: told by a result, by an agent's
 * journal or by this machine's docker process, stored with the row of the
 * history, sent with the next update, shown, and lifted.
 */
#include "engine_rig.h"

#include "engine_history.h"
#include "engine_quarantine.h"
#include "engine_session.h"

#define HOST_A	"0123456789abcdef0123456789abcdef"
#define HOST_B	"1123456789abcdef0123456789abcdef"
#define HEX60	"000000000000000000000000000000000000000000000000000000000000"
#define BAD1	"sha256:aaaa" HEX60
#define BAD2	"sha256:bbbb" HEX60
#define GOOD	"sha256:cccc" HEX60

static struct host	*ha, *hb;
static uint32_t		 call, ncalls = 100;

static int
setup(void **state)
{
	Sentinel__Cluster__StateReport	 r;
	char	*features[] = { rig_str("rollback"), rig_str("plan") };

	if (rig_up(state) == -1)
		return (-1);
	ha = rig_host(HOST_A, "alpha");
	hb = rig_host(HOST_B, "beta");
	sentinel__cluster__state_report__init(&r);
	r.supported_features = features;
	r.n_supported_features = 2;
	call = ++ncalls;
	rig_open(call, HOST_A, "0a", &r);
	rig_list_end(call, "", 0, "");
	call = ++ncalls;
	rig_open(call, HOST_A, "0a", NULL);
	rig_forget();
	return (0);
}

/* --- what agents say ---------------------------------------------------- */

static void
updated(const char *id, const char *outcome, const char *digest,
    const char *error)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__UpdateResult	 u;

	sentinel__cluster__update_result__init(&u);
	u.request_id = rig_str(id);
	u.container_name = rig_str("web");
	u.outcome = rig_str(outcome);
	u.new_image = rig_str("registry.example/web:2");
	u.new_digest = rig_str(digest);
	u.error = rig_str(error);
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_UPDATE_RESULT;
	m.update_result = &u;
	rig_message(call, &m);
}

static void
rolled_back(const char *id, const char *outcome, const char *old,
    const char *new)
{
	Sentinel__Cluster__AgentMessage		 m;
	Sentinel__Cluster__RollbackResult	 r;

	sentinel__cluster__rollback_result__init(&r);
	r.request_id = rig_str(id);
	r.container_name = rig_str("web");
	r.outcome = rig_str(outcome);
	r.old_image = rig_str("registry.example/web:2");
	r.old_digest = rig_str(old);
	r.new_digest = rig_str(new);
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_ROLLBACK_RESULT;
	m.rollback_result = &r;
	rig_message(call, &m);
}

/* One entry of an offline journal; sec: of the host's clock. */
static void
journal(const char *id, const char *action, const char *outcome,
    const char *digest, int64_t sec)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__OfflineJournal oj;
	Sentinel__Cluster__JournalEntry	 je, *list = &je;
	Google__Protobuf__Timestamp	 ts;

	google__protobuf__timestamp__init(&ts);
	ts.seconds = sec;
	sentinel__cluster__journal_entry__init(&je);
	je.id = rig_str(id);
	je.timestamp = &ts;
	je.container = rig_str("web");
	je.action = rig_str(action);
	je.outcome = rig_str(outcome);
	je.new_image = rig_str("registry.example/web:2");
	je.new_digest = rig_str(digest);
	je.error = rig_str("it died,\ntwice");
	sentinel__cluster__offline_journal__init(&oj);
	oj.entries = &list;
	oj.n_entries = 1;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_OFFLINE_JOURNAL;
	m.offline_journal = &oj;
	rig_message(call, &m);
	rig_run(HISTORY_ACK_MSEC * 2);
}

/* "digest digest " of web. */
static const char *
held(const struct host *h)
{
	static char		 text[1024];
	struct quarantine	 q;
	size_t			 i;

	text[0] = '\0';
	quarantine_get(h, "web", &q);
	for (i = 0; i < q.qu_n; i++) {
		(void)strlcat(text, q.qu_list[i], sizeof(text));
		(void)strlcat(text, " ", sizeof(text));
	}
	return (text);
}

static int
ask(Sentinel__Ipc__ControlRequest__Command command, const char *host,
    const char *container, const char *digest, bool read_only)
{
	Sentinel__Ipc__ControlRequest	 req;

	rig_request(&req, command);
	req.host = rig_str(host);
	req.container = rig_str(container);
	req.digest = rig_str(digest);
	req.read_only = read_only;
	return (rig_ended(rig_ask(&req)));
}
#define ASK(command, host, container, digest) \
	ask(SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##command, host, \
	    container, digest, false)

/* --- tests -------------------------------------------------------------- */

static void
test_results(void **state)
{
	(void)state;
	assert_string_equal(held(ha), "");
	/* Not a rollback, not a digest, not a container. */
	updated("r0", "failed", BAD1, "no");
	updated("r1", "rollback", "registry.example/web:2", "no");
	assert_string_equal(held(ha), "");
	updated("r2", "rollback", "registry.example/web@" BAD1, "it died");
	assert_string_equal(held(ha), BAD1 " ");
	assert_string_equal(held(hb), "");
	updated("r3", "rollback", BAD2, "");
	assert_string_equal(held(ha), BAD1 " " BAD2 " ");
	/* Once more: it moves to the end. */
	updated("r4", "rollback", BAD1, "again");
	assert_string_equal(held(ha), BAD2 " " BAD1 " ");
	/* The one that runs by the operator's will ends its own. */
	updated("r5", "identical", BAD2, "");
	assert_string_equal(held(ha), BAD1 " ");
	/* A result that comes again is not news, whatever was done since. */
	updated("r6", "success", GOOD, "");
	assert_string_equal(held(ha), "");
	updated("r4", "rollback", BAD1, "again");
	assert_string_equal(held(ha), "");
	/* On request: what was left, not what it has now. */
	updated("r7", "rollback", BAD2, "");
	rolled_back("r8", "success", "x@" BAD1, "x@" BAD2);
	assert_string_equal(held(ha), BAD1 " ");
	/* A peer of another kind tells no digests. */
	rolled_back("r9", "success", "", "");
	assert_string_equal(held(ha), BAD1 " ");
	rolled_back("r10", "failed", "", "");
	assert_string_equal(held(ha), BAD1 " ");
	/* Nor does it tell when it did not begin. */
	rolled_back("r11", "rollback", BAD1, GOOD);
	assert_string_equal(held(ha), BAD1 " " GOOD " ");
	assert_int_equal(rig.broken, 0);
}

/* What an agent did while nobody saw it. */
static void
test_journal(void **state)
{
	const Sentinel__Store__Quarantine	*q;
	struct pbmem				 pm;
	int64_t					 now = time(NULL);

	(void)state;
	journal("request:j1", "update", "rollback", BAD1, now - 60);
	assert_string_equal(held(ha), BAD1 " ");
	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	assert_non_null(q = quarantine_find(ha, "web", &pm));
	assert_int_equal(q->items[0]->time, now - 60);
	assert_string_equal(q->items[0]->reason, "it died, twice");
	assert_string_equal(q->items[0]->image, "registry.example/web:2");
	pbmem_free(&pm);
	/* Only what an update or a rollback says. */
	journal("j2", "state", "rollback", BAD2, now - 50);
	assert_string_equal(held(ha), BAD1 " ");
	/* A success from before it ends nothing, one from after it does. */
	journal("request:j3", "update", "success", GOOD, now - 70);
	assert_string_equal(held(ha), BAD1 " ");
	journal("request:j4", "update", "success", GOOD, now - 40);
	assert_string_equal(held(ha), "");
	/* The journal comes again, with what the server knows already. */
	journal("request:j1", "update", "rollback", BAD1, now - 60);
	assert_string_equal(held(ha), "");
	/* A clock that is ahead of ours says nothing of the future. */
	journal("request:j5", "update", "rollback", BAD2, now + 86400);
	assert_string_equal(held(ha), BAD2 " ");
	updated("r1", "success", GOOD, "");
	assert_string_equal(held(ha), "");
}

/* The result is news after a restart too, or not at all: never half. */
static void
test_restart(void **state)
{
	(void)state;
	updated("r1", "rollback", BAD1, "");
	rig_crash();
	rig_start();
	ha = host_find(HOST_A);
	if (ha == NULL)
		ha = rig_host(HOST_A, "alpha");
	hb = host_find(HOST_B);
	if (hb == NULL)
		hb = rig_host(HOST_B, "beta");
	assert_string_equal(held(ha), BAD1 " ");
}

static void
test_eight(void **state)
{
	char	 digest[80], id[32];
	int	 i;

	(void)state;
	for (i = 0; i < QUARANTINE_MAX + 2; i++) {
		(void)snprintf(digest, sizeof(digest), "sha256:%04d" HEX60,
		    i);
		(void)snprintf(id, sizeof(id), "many%d", i);
		updated(id, "rollback", digest, "");
	}
	assert_memory_equal(held(ha), "sha256:0002", 11);
	assert_int_equal(strlen(held(ha)), QUARANTINE_MAX * 72);
}

static void
test_lift(void **state)
{
	(void)state;
	updated("r1", "rollback", BAD1, "");
	updated("r2", "rollback", BAD2, "");
	assert_int_equal(ASK(QUARANTINE_LIFT, "alpha", "web", "aaaa"),
	    CONTROL_USAGE);
	assert_int_equal(ASK(QUARANTINE_LIFT, "alpha", "web", GOOD),
	    CONTROL_NOSUCH);
	assert_int_equal(ASK(QUARANTINE_LIFT, "alpha", "a/b", ""),
	    CONTROL_USAGE);
	assert_int_equal(ASK(QUARANTINE_LIFT, "beta", "web", ""),
	    CONTROL_NOSUCH);
	assert_int_equal(ASK(QUARANTINE_LIFT, "none", "web", ""),
	    CONTROL_NOSUCH);
	assert_int_equal(ask(
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__QUARANTINE_LIFT,
	    "alpha", "web", "", true), CONTROL_DENIED);
	assert_string_equal(held(ha), BAD1 " " BAD2 " ");
	assert_int_equal(rig_trail("quarantine.lift").tr_n, 0);
	assert_int_equal(ASK(QUARANTINE_LIFT, "alpha", "web",
	    "aaaa00000000"), CONTROL_OK);
	assert_string_equal(held(ha), BAD2 " ");
	assert_string_equal(rig_trail("quarantine.lift").tr_last,
	    "uid 0|quarantine.lift|container alpha/web|ok|aaaa00000000");
	assert_int_equal(ASK(QUARANTINE_LIFT, "alpha", "web", ""),
	    CONTROL_OK);
	assert_string_equal(held(ha), "");
	assert_int_equal(ASK(QUARANTINE_LIFT, "alpha", "web", ""),
	    CONTROL_NOSUCH);
	assert_int_equal(rig_trail("quarantine.lift").tr_n, 2);
}

static void
test_list(void **state)
{
	Sentinel__Ipc__ControlItem	*item;
	struct pbmem			 pm;
	struct sent			*s;

	(void)state;
	assert_int_equal(ASK(QUARANTINE_LIST, "", "", ""), CONTROL_OK);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 0);
	updated("r1", "rollback", BAD1, "it died");
	updated("r2", "rollback", BAD2, "");
	rig_forget();
	assert_int_equal(ASK(QUARANTINE_LIST, "", "", ""), CONTROL_OK);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 2);
	assert_non_null(s = rig_take(IMSG_CONTROL_ITEM, 0));
	item = rig_unpack(s, &sentinel__ipc__control_item__descriptor, &pm);
	assert_string_equal(item->quarantine->host_name, "alpha");
	assert_string_equal(item->quarantine->container, "web");
	assert_string_equal(item->quarantine->digest, BAD1);
	assert_string_equal(item->quarantine->reason, "it died");
	assert_true(item->quarantine->time > 0);
	pbmem_free(&pm);
	rig_free(s);
	rig_forget();
	assert_int_equal(ASK(QUARANTINE_LIST, "alpha", "other", ""),
	    CONTROL_OK);
	assert_int_equal(ASK(QUARANTINE_LIST, "beta", "", ""), CONTROL_OK);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 0);
	assert_int_equal(ASK(QUARANTINE_LIST, "alpha", "web", ""),
	    CONTROL_OK);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 2);
	/* It ends with its host. */
	assert_int_equal(host_decommission(ha, HOST_REMOVED, "uid 0"), 0);
	rig_forget();
	assert_int_equal(ASK(QUARANTINE_LIST, "", "", ""), CONTROL_OK);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 0);
}

/* The digests that go with an update; -1: none was sent. */
/* to: NULL for an update */
static ssize_t
sent_with(const char *to, bool force)
{
	Sentinel__Cluster__ServerMessage	*m;
	Sentinel__Ipc__AgentSend		*send;
	Sentinel__Ipc__ControlRequest		 req;
	struct pbmem				 pm, inner;
	struct sent				*s;
	ssize_t					 n;

	rig_request(&req,
	    to == NULL ?
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_UPDATE :
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_ROLLBACK);
	req.host = rig_str("alpha");
	req.container = rig_str("web");
	if (to == NULL)
		req.image = rig_str("registry.example/web:2");
	else
		req.to = rig_str(to);
	req.force = force;
	(void)rig_ask(&req);
	if ((s = rig_take(IMSG_AGENT_SEND, call)) == NULL)
		return (-1);
	send = rig_unpack(s, &sentinel__ipc__agent_send__descriptor, &pm);
	pbmem_init(&inner, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = pbcheck_unpack(&sentinel__cluster__server_message__descriptor,
	    send->message.data, send->message.len, &inner, NULL);
	assert_non_null(m);
	n = (ssize_t)(to == NULL ? m->update_container->n_quarantined :
	    m->rollback->n_quarantined);
	pbmem_free(&inner);
	pbmem_free(&pm);
	rig_free(s);
	return (n);
}

/* Gives the plan of an agent, and takes what sentinelctl is told of it. */
static void
plan(const char *digest, const char *id, bool identical, size_t want,
    size_t applies)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__PlanResult	 r;
	Sentinel__Cluster__Plan		 p;
	Sentinel__Ipc__ControlRequest	 req;
	Sentinel__Ipc__ControlItem	*item;
	struct op			*op;
	struct pbmem			 pm;
	struct sent			*s;
	uint32_t			 client;
	size_t				 i, n = 0;

	rig_request(&req,
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__CONTAINER_PLAN);
	req.host = rig_str("alpha");
	req.container = rig_str("web");
	req.image = rig_str("registry.example/web:2");
	client = rig_ask(&req);
	sentinel__cluster__plan__init(&p);
	p.new_digest = rig_str(digest);
	p.new_image_id = rig_str(id);
	p.identical = identical;
	sentinel__cluster__plan_result__init(&r);
	RB_FOREACH(op, op_tree, &eng->ops)
		if (op->op_kind == OP_PLAN)
			r.request_id = op->op_id;
	r.plan = &p;
	sentinel__cluster__agent_message__init(&m);
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_PLAN_RESULT;
	m.plan_result = &r;
	rig_message(call, &m);
	assert_non_null(s = rig_take(IMSG_CONTROL_ITEM, client));
	item = rig_unpack(s, &sentinel__ipc__control_item__descriptor, &pm);
	assert_int_equal(item->item_case,
	    SENTINEL__IPC__CONTROL_ITEM__ITEM_PLAN);
	assert_int_equal(item->plan->n_quarantine, want);
	for (i = 0; i < want; i++)
		n += item->plan->quarantine[i]->applies;
	assert_int_equal(n, applies);
	pbmem_free(&pm);
	rig_free(s);
	rig_forget();
}

static void
test_plan(void **state)
{
	(void)state;
	assert_int_equal(sent_with(NULL, false), 0);
	plan("x@" BAD1, "", false, 0, 0);
	updated("r1", "rollback", BAD1, "");
	updated("r2", "rollback", BAD2, "");
	assert_int_equal(sent_with(NULL, false), 2);
	assert_int_equal(sent_with(NULL, true), 0);
	/* Going back by a number does not mean one of those. */
	assert_int_equal(sent_with("", false), 2);
	assert_int_equal(sent_with("2", false), 2);
	assert_int_equal(sent_with("", true), 0);
	assert_int_equal(sent_with(BAD1, false), 0);
	plan("x@" BAD1, "", false, 2, 1);
	plan("", BAD2, false, 2, 1);
	plan("x@" GOOD, GOOD, false, 2, 0);
	plan("", "", false, 2, 0);
	plan("x@" BAD1, "", true, 2, 0);
}

/* The table itself has no room for it; --json does. */
static void
test_containers(void **state)
{
	Sentinel__Ipc__ControlItem	*item;
	struct pbmem			 pm;
	struct sent			*s;
	size_t				 i;

	(void)state;
	updated("r1", "rollback", BAD1, "");
	rig_container(call, "other", 0);
	rig_container(call, "web", 0);
	rig_list_end(call, "", 2, "");
	rig_closed(call);
	rig_forget();
	assert_int_equal(ASK(CONTAINER_LIST, "", "", ""), CONTROL_OK);
	for (i = 0; i < 2; i++) {
		assert_non_null(s = rig_take(IMSG_CONTROL_ITEM, 0));
		item = rig_unpack(s, &sentinel__ipc__control_item__descriptor,
		    &pm);
		assert_int_equal(item->container->n_quarantine,
		    strcmp(item->container->info->name, "web") == 0);
		pbmem_free(&pm);
		rig_free(s);
	}
	assert_int_equal(ASK(CONTAINER_SHOW, "alpha", "web", ""), CONTROL_OK);
	assert_non_null(s = rig_take(IMSG_CONTROL_ITEM, 0));
	item = rig_unpack(s, &sentinel__ipc__control_item__descriptor, &pm);
	assert_int_equal(item->detail->n_quarantine, 1);
	assert_string_equal(item->detail->quarantine[0]->digest, BAD1);
	pbmem_free(&pm);
	rig_free(s);
}

int
main(void)
{
	const struct CMUnitTest	tests[] = {
		cmocka_unit_test_setup_teardown(test_results, setup, rig_down),
		cmocka_unit_test_setup_teardown(test_journal, setup, rig_down),
		cmocka_unit_test_setup_teardown(test_restart, setup, rig_down),
		cmocka_unit_test_setup_teardown(test_eight, setup, rig_down),
		cmocka_unit_test_setup_teardown(test_lift, setup, rig_down),
		cmocka_unit_test_setup_teardown(test_list, setup, rig_down),
		cmocka_unit_test_setup_teardown(test_plan, setup, rig_down),
		cmocka_unit_test_setup_teardown(test_containers, setup,
		    rig_down),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
