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

#include "engine_token.h"

/* What an operator does to a host, and what its agent can do after that. */
#define HOST_A	"0000000000000000000000000000000a"
#define HOST_B	"0000000000000000000000000000000b"
#define CALL	101
#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name

static struct host	*ha, *hb;
static char		 token_text[65];

/* --- helpers ------------------------------------------------------------ */

static int
up(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	ha = rig_host(HOST_A, "alpha");
	hb = rig_host(HOST_B, "beta");
	(void)strlcpy(ha->h_serial, "0a", sizeof(ha->h_serial));
	ha->h_not_after = time(NULL) + 3600;
	(void)strlcpy(hb->h_serial, "0b", sizeof(hb->h_serial));
	ha->h_dirty = hb->h_dirty = true;
	assert_int_equal(host_flush(0), 0);
	return (0);
}

/* What a request ends with at once, -1 when it does not. */
static int
ask(Sentinel__Ipc__ControlRequest__Command command, const char *host,
    const char *name, const char *label)
{
	Sentinel__Ipc__ControlRequest	 req;

	rig_request(&req, command);
	req.host = rig_str(host);
	req.name = rig_str(name);
	req.label = rig_str(label);
	req.uid = 7;
	return (rig_ended(rig_ask(&req)));
}

/* The text of the end of a request that has ended. */
static const char *
end_text(uint32_t client)
{
	Sentinel__Ipc__ControlEnd	*end;
	static char			 text[256];
	struct pbmem			 pm;
	struct sent			*s = rig_take(IMSG_CONTROL_END,
					    client);

	end = rig_unpack(s, &sentinel__ipc__control_end__descriptor, &pm);
	(void)strlcpy(text, end->error, sizeof(text));
	pbmem_free(&pm);
	rig_free(s);
	return (text);
}

static uint32_t
operate(Sentinel__Ipc__ControlRequest__Command command, const char *action)
{
	Sentinel__Ipc__ControlRequest	 req;

	rig_request(&req, command);
	req.host = rig_str("alpha");
	req.container = rig_str("app");
	req.action = rig_str(action);
	req.image = rig_str(command == C(CONTAINER_UPDATE) ? "app:2" : "");
	return (rig_ask(&req));
}

static void
report(uint32_t call, const char *host, const char *serial)
{
	Sentinel__Cluster__StateReport	 r;

	sentinel__cluster__state_report__init(&r);
	rig_open(call, host, serial, &r);
}

/* A call was refused with it, as AGENT_ADMIT. */
static void
assert_admit(uint32_t call, uint32_t status, const char *text)
{
	Sentinel__Ipc__AgentAdmit	*m;
	struct pbmem			 pm;
	struct sent			*s = rig_take(IMSG_AGENT_ADMIT, call);

	m = rig_unpack(s, &sentinel__ipc__agent_admit__descriptor, &pm);
	assert_int_equal(m->status, status);
	assert_string_equal(m->message, text);
	pbmem_free(&pm);
	rig_free(s);
}

static void
assert_close(uint32_t call, uint32_t status, const char *text)
{
	Sentinel__Ipc__AgentClose	*m;
	struct pbmem			 pm;
	struct sent			*s = rig_take(IMSG_AGENT_CLOSE, call);

	m = rig_unpack(s, &sentinel__ipc__agent_close__descriptor, &pm);
	assert_int_equal(m->status, status);
	assert_string_equal(m->message, text);
	pbmem_free(&pm);
	rig_free(s);
}

static int
has_revoked(struct store_txn *tx, void *arg)
{
	*(int *)arg = db_revoked_has(tx, "0a");
	return (0);
}

static int
is_revoked(void)
{
	int	 has = -1;

	assert_int_equal(store_view(eng->store, has_revoked, &has), 0);
	return (has);
}

struct tally {
	size_t	 n;
	char	 last[256];
};

static bool
count_event(const Sentinel__Store__Event *e, void *arg)
{
	struct tally	*t = arg;

	t->n++;
	assert_string_equal(e->type, "cluster_host");
	(void)strlcpy(t->last, e->message, sizeof(t->last));
	return (true);
}

static int
walk_events(struct store_txn *tx, void *arg)
{
	return (db_event_walk(tx, 0, 0, count_event, arg) == -1 ? -1 : 0);
}

static struct tally
events(void)
{
	struct tally	 t = { 0, "" };

	assert_int_equal(store_view(eng->store, walk_events, &t), 0);
	return (t);
}

/* The daemon is killed and starts again: only the database is left. */
static void
restart(void)
{
	rig_crash();
	rig_start();
	ha = host_find(HOST_A);
	hb = host_find(HOST_B);
}

/* --- tests -------------------------------------------------------------- */

static void
test_pause(void **state)
{
	uint32_t	 client;

	(void)state;
	rig_open(CALL, HOST_A, "0a", NULL);
	client = operate(C(CONTAINER_UPDATE), "");
	assert_int_equal(ask(C(HOST_PAUSE), "ALPHA", "", ""), CONTROL_OK);
	assert_int_equal(ha->h_state, HOST_PAUSED);
	assert_string_equal(events().last,
	    "host " HOST_A " (alpha) paused by uid 7");
	/* The one under way goes on, and its stream as well. */
	assert_int_equal(rig_ended(client), -1);
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 0);
	client = operate(C(CONTAINER_UPDATE), "");
	assert_string_equal(end_text(client),
	    "host alpha is paused: no updates");
	assert_int_equal(rig_ended(operate(C(CONTAINER_ACTION), "stop")), -1);
	assert_int_equal(rig_ended(operate(C(CONTAINER_LOGS), "")), -1);
	/* Twice is once. */
	assert_int_equal(ask(C(HOST_PAUSE), HOST_A, "", ""), CONTROL_OK);
	assert_int_equal(events().n, 2);	/* with "connected" */
	restart();
	assert_int_equal(ha->h_state, HOST_PAUSED);
	rig_open(CALL, HOST_A, "0a", NULL);
	assert_admit(CALL, 0, "");
	assert_int_equal(ask(C(HOST_RESUME), "alpha", "", ""), CONTROL_OK);
	assert_int_equal(rig_ended(operate(C(CONTAINER_UPDATE), "")), -1);
	restart();
	assert_int_equal(ha->h_state, HOST_ACTIVE);
}

static void
test_rename(void **state)
{
	static const char	*const bad[] = { "", "-", "...", "a b", "a/b",
				    "gr\xc3\xbcn" };
	char			 name[HOST_NAME_SIZE + 1];
	size_t			 i;

	(void)state;
	memset(name, 'n', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	assert_int_equal(ask(C(HOST_RENAME), "alpha", name, ""),
	    CONTROL_USAGE);
	for (i = 0; i < nitems(bad); i++)
		assert_int_equal(ask(C(HOST_RENAME), "alpha", bad[i], ""),
		    CONTROL_USAGE);
	assert_int_equal(ask(C(HOST_RENAME), "alpha", "BETA", ""),
	    CONTROL_FAILED);
	assert_int_equal(ask(C(HOST_RENAME), "alpha", HOST_B, ""),
	    CONTROL_FAILED);
	assert_int_equal(ask(C(HOST_RENAME), "alpha", "local", ""),
	    CONTROL_FAILED);
	assert_string_equal(ha->h_name, "alpha");
	assert_int_equal(events().n, 0);
	assert_int_equal(ask(C(HOST_RENAME), "alpha", "Alpha", ""),
	    CONTROL_OK);
	assert_int_equal(ask(C(HOST_RENAME), "alpha", "gamma", ""),
	    CONTROL_OK);
	assert_string_equal(events().last, "host " HOST_A
	    " (gamma) was called Alpha: renamed by uid 7");
	assert_int_equal(ask(C(HOST_RENAME), "alpha", "delta", ""),
	    CONTROL_NOSUCH);
	/* The name is free for another one. */
	assert_int_equal(ask(C(HOST_RENAME), "beta", "alpha", ""),
	    CONTROL_OK);
	restart();
	assert_string_equal(ha->h_name, "gamma");
	assert_string_equal(hb->h_name, "alpha");
}

static void
test_label(void **state)
{
	static const char	*const bad[] = { "", "=", "=x", "a b=c", "-a=b",
				    "x" };
	char			 label[600];
	size_t			 i;

	(void)state;
	for (i = 0; i < nitems(bad); i++)
		assert_int_equal(ask(C(HOST_LABEL), "alpha", "", bad[i]),
		    CONTROL_USAGE);
	memset(label, 'k', sizeof(label));
	(void)strlcpy(label + 64, "=v", 3);
	assert_int_equal(ask(C(HOST_LABEL), "alpha", "", label),
	    CONTROL_USAGE);
	memset(label, 'v', sizeof(label));
	memcpy(label, "k=", 2);
	label[2 + HOST_LABEL_VALUE_MAX + 1] = '\0';
	assert_int_equal(ask(C(HOST_LABEL), "alpha", "", label),
	    CONTROL_USAGE);
	label[2 + HOST_LABEL_VALUE_MAX] = '\0';
	assert_int_equal(ask(C(HOST_LABEL), "alpha", "", label), CONTROL_OK);
	assert_int_equal(ask(C(HOST_LABEL), "alpha", "", "k="), CONTROL_OK);
	assert_int_equal(ask(C(HOST_LABEL), "alpha", "", "k="),
	    CONTROL_NOSUCH);
	assert_int_equal(ha->h_nlabels, 0);

	assert_int_equal(ask(C(HOST_LABEL), "alpha", "", "site=b=c"),
	    CONTROL_OK);
	assert_int_equal(ask(C(HOST_LABEL), "alpha", "", "env=prod"),
	    CONTROL_OK);
	assert_int_equal(ask(C(HOST_LABEL), "alpha", "", "env=test"),
	    CONTROL_OK);
	i = events().n;
	assert_int_equal(ask(C(HOST_LABEL), "alpha", "", "env=test"),
	    CONTROL_OK);
	assert_int_equal(events().n, i);
	restart();
	assert_int_equal(ha->h_nlabels, 2);
	assert_string_equal(ha->h_labels[0], "env=test");
	assert_string_equal(ha->h_labels[1], "site=b=c");
	for (i = 2; i < HOST_LABELS_MAX; i++) {
		(void)snprintf(label, sizeof(label), "n%zu=x", i);
		assert_int_equal(ask(C(HOST_LABEL), "alpha", "", label),
		    CONTROL_OK);
	}
	assert_int_equal(ask(C(HOST_LABEL), "alpha", "", "more=x"),
	    CONTROL_FAILED);
	/* Changing one takes no room. */
	assert_int_equal(ask(C(HOST_LABEL), "alpha", "", "env=prod"),
	    CONTROL_OK);
	restart();
	assert_int_equal(ha->h_nlabels, HOST_LABELS_MAX);
}

/* Everything that is open ends at once, with the reason, without credit. */
static void
test_revoke(void **state)
{
	uint32_t	 client;

	(void)state;
	rig_open(CALL, HOST_A, "0a", NULL);
	rig_container(CALL, "app", 100);
	rig_list_end(CALL, "", 1, "");
	rig_open(CALL + 10, HOST_B, "0b", NULL);
	report(CALL + 1, HOST_A, "0a");
	rig_container(CALL + 1, "app", 0);
	client = operate(C(CONTAINER_ACTION), "stop");
	assert_admit(CALL, 0, "");
	ha->h_session->se_unsent = ENGINE_SEND_CREDIT;
	rig.no_credit = true;
	assert_int_equal(host_decommission(ha, HOST_REVOKED, "uid 7"), 0);
	rig.no_credit = false;
	assert_close(CALL, GRPC_PERMISSION_DENIED, GATE_TEXT_REVOKED);
	assert_admit(CALL + 1, GRPC_PERMISSION_DENIED, GATE_TEXT_REVOKED);
	assert_string_equal(end_text(client), "host alpha was revoked "
	    "meanwhile: whether it was done is unknown");
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 0);	/* not beta's */
	assert_string_equal(events().last, "host " HOST_A
	    " (alpha) revoked by uid 7, serial 0a");
	assert_int_equal(is_revoked(), 1);
	assert_null(ha->h_session);
	assert_string_equal(ha->h_disconnect_cat, "server");
	assert_string_equal(ha->h_disconnect_err, GATE_TEXT_REVOKED);
	assert_int_equal(ha->h_ncontainers, 0);
	assert_int_equal(eng->list_bytes, 0);
	/* What was on its way is dropped, what comes is refused. */
	rig_list_end(CALL + 1, "", 1, "");
	assert_int_equal(rig_count(IMSG_AGENT_REPORT_ACK), 0);
	rig_closed(CALL);
	rig_open(CALL + 2, HOST_A, "0a", NULL);
	assert_admit(CALL + 2, GRPC_PERMISSION_DENIED, GATE_TEXT_REVOKED);
	report(CALL + 3, HOST_A, "0a");
	assert_admit(CALL + 3, GRPC_PERMISSION_DENIED, GATE_TEXT_REVOKED);
	/* Another certificate of it, if there ever was one. */
	rig_open(CALL + 4, HOST_A, "0c", NULL);
	assert_admit(CALL + 4, GRPC_PERMISSION_DENIED, GATE_TEXT_REVOKED);
	assert_int_equal(rig.broken, 0);
	assert_int_equal(eng->nsessions, 1);
	restart();
	assert_int_equal(ha->h_state, HOST_DECOMMISSIONED);
	assert_int_equal(ha->h_end, HOST_REVOKED);
	rig_open(CALL, HOST_A, "0a", NULL);
	assert_admit(CALL, GRPC_PERMISSION_DENIED, GATE_TEXT_REVOKED);
}

static void
test_remove(void **state)
{
	struct host	*h;
	char		 name[HOST_NAME_SIZE];

	(void)state;
	rig_open(CALL, HOST_A, "0a", NULL);
	assert_int_equal(ask(C(HOST_REMOVE), "alpha", "", ""), CONTROL_OK);
	assert_close(CALL, GRPC_NOT_FOUND, GATE_TEXT_UNKNOWN);
	assert_int_equal(is_revoked(), 1);
	rig_open(CALL + 1, HOST_A, "0a", NULL);
	assert_admit(CALL + 1, GRPC_NOT_FOUND, GATE_TEXT_UNKNOWN);
	/* Gone for everybody, its name is free, its tombstone stays. */
	assert_int_equal(ask(C(HOST_REMOVE), "alpha", "", ""),
	    CONTROL_NOSUCH);
	assert_int_equal(ask(C(HOST_REVOKE), HOST_A, "", ""),
	    CONTROL_NOSUCH);
	assert_int_equal(ask(C(HOST_RESUME), HOST_A, "", ""),
	    CONTROL_NOSUCH);
	assert_int_equal(ask(C(HOST_SHOW), HOST_A, "", ""), CONTROL_OK);
	host_pick_name("alpha", "x", "99", name);
	assert_string_equal(name, "alpha");
	rig_forget();
	assert_int_equal(ask(C(HOST_LIST), "", "", ""), CONTROL_OK);
	assert_int_equal(rig_count(IMSG_CONTROL_ITEM), 1);
	/* A late save does not bring it back. */
	ha->h_dirty = true;
	restart();
	assert_non_null(ha);
	assert_int_equal(ha->h_state, HOST_DECOMMISSIONED);
	assert_int_equal(ha->h_end, HOST_REMOVED);
	assert_string_equal(ha->h_ended_by, "uid 7");
	assert_string_equal(ha->h_serial, "0a");
	rig_open(CALL, HOST_A, "0a", NULL);
	assert_admit(CALL, GRPC_NOT_FOUND, GATE_TEXT_UNKNOWN);
	/* This machine is not to be removed. */
	h = rig_host(HOST_LOCAL_ID, "here");
	h->h_local = true;
	assert_int_equal(ask(C(HOST_REMOVE), "here", "", ""),
	    CONTROL_FAILED);
	assert_int_equal(h->h_state, HOST_ACTIVE);
}

/* Nobody without the right socket; nothing without its database. */
static void
test_refused(void **state)
{
	static const int	 all[] = { C(HOST_PAUSE), C(HOST_RESUME),
				    C(HOST_REMOVE), C(HOST_REVOKE),
				    C(HOST_RENAME), C(HOST_LABEL) };
	Sentinel__Ipc__ControlRequest	 req;
	size_t				 i;

	(void)state;
	for (i = 0; i < nitems(all); i++) {
		rig_request(&req, (Sentinel__Ipc__ControlRequest__Command)
		    all[i]);
		req.host = rig_str("alpha");
		req.name = rig_str("x");
		req.label = rig_str("x=y");
		req.read_only = true;
		assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_DENIED);
		req.read_only = false;
		req.host = rig_str("nobody");
		assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_NOSUCH);
	}
	assert_int_equal(ha->h_state, HOST_ACTIVE);
	assert_int_equal(events().n, 0);
	/* A record that its own check refuses stands for a broken store. */
	(void)strlcpy(ha->h_address, "not an address", sizeof(ha->h_address));
	rig_open(CALL, HOST_A, "0a", NULL);
	(void)strlcpy(ha->h_address, "not an address", sizeof(ha->h_address));
	for (i = 0; i < nitems(all); i++) {
		if (all[i] == C(HOST_RESUME))
			continue;	/* nothing to do */
		assert_int_equal(ask((Sentinel__Ipc__ControlRequest__Command)
		    all[i], "alpha", "x", "x=y"), CONTROL_FAILED);
	}
	assert_int_equal(ha->h_state, HOST_ACTIVE);
	assert_string_equal(ha->h_name, "alpha");
	assert_int_equal(ha->h_nlabels, 0);
	/* Not even the revocation: both or none. */
	assert_int_equal(is_revoked(), 0);
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 0);
}

/* --- tokens ------------------------------------------------------------- */

static void
on_created(const char *token, const Sentinel__Store__Token *t,
    const char *why, void *arg)
{
	(void)t;
	(void)why;
	(void)arg;
	assert_non_null(token);
	(void)strlcpy(token_text, token, sizeof(token_text));
}

static void
make_token(void)
{
	struct token_spec	 ts = { .ts_ttl_sec = 600, .ts_host_name = "",
				    .ts_replaces = "", .ts_uses = 1 };

	token_create(&ts, on_created, NULL);
}

static void
ask_enroll(uint32_t call)
{
	Sentinel__Ipc__EnrollAsk	 msg;
	uint8_t				 point[ECKEY_POINT_LEN] = { 4, 'k' };
	static unsigned int		 n;
	char				 address[32];

	/* Refusals count against the source. */
	(void)snprintf(address, sizeof(address), "192.0.2.%u", ++n);
	sentinel__ipc__enroll_ask__init(&msg);
	msg.token = token_text;
	msg.host_name = rig_str("gamma");
	msg.point.data = point;
	msg.point.len = sizeof(point);
	msg.address = address;
	rig_give_pb(ROLE_CLUSTER, IMSG_ENROLL_ASK, call, &msg.base);
}

/* The id of the host that came of it, or why not. */
static const char *
enrolled(uint32_t call)
{
	Sentinel__Ipc__EnrollAnswer	*m;
	static char			 text[256];
	struct pbmem			 pm;
	struct sent			*s = rig_take(IMSG_ENROLL_ANSWER,
					    call);

	m = rig_unpack(s, &sentinel__ipc__enroll_answer__descriptor, &pm);
	(void)strlcpy(text, m->status == 0 ? m->response->host_id :
	    m->message, sizeof(text));
	pbmem_free(&pm);
	rig_free(s);
	return (text);
}

/*
 * The answer was lost, so the token with the same key would bring the host in
 * again, but it was removed or revoked: before, or while the keyholder signs.
 */
static void
test_token(void **state)
{
	struct host	*h;
	char		 id[HOST_ID_SIZE];
	int		 how;

	(void)state;
	for (how = HOST_REMOVED; how <= HOST_REVOKED; how++) {
		make_token();
		rig_key_serve();
		ask_enroll(1);
		rig_key_serve();
		(void)strlcpy(id, enrolled(1), sizeof(id));
		assert_non_null(h = host_find(id));
		assert_string_equal(h->h_name, "gamma");
		ask_enroll(2);
		assert_true(rig_key_answer(IMSG_KEY_MACCHECK));
		assert_int_equal(rig_count(IMSG_KEY_ISSUE), 1);
		assert_int_equal(host_decommission(h, (enum host_end)how,
		    "uid 7"), 0);
		rig_key_serve();
		assert_string_equal(enrolled(2), "host has been removed");
		ask_enroll(3);
		rig_key_serve();
		assert_string_equal(enrolled(3), "token already used");
		assert_int_equal(h->h_state, HOST_DECOMMISSIONED);
		/* The tombstone is what the database has as well. */
		restart();
		ask_enroll(4);
		rig_key_serve();
		assert_string_equal(enrolled(4), "token already used");
		assert_int_equal(host_find(id)->h_state,
		    HOST_DECOMMISSIONED);
	}
	/* A new token brings the machine back, as another host. */
	make_token();
	rig_key_serve();
	ask_enroll(5);
	rig_key_serve();
	(void)strlcpy(id, enrolled(5), sizeof(id));
	assert_non_null(h = host_find(id));
	assert_string_equal(h->h_name, "gamma");
}

static void
test_sweep(void **state)
{
	int64_t	 end = ha->h_not_after + DB_REVOKED_KEEP_SEC;

	(void)state;
	rig_open(CALL, HOST_A, "0a", NULL);
	assert_int_equal(host_decommission(ha, HOST_REMOVED, "uid 7"), 0);
	host_sweep(end);
	assert_int_equal(is_revoked(), 1);
	assert_ptr_equal(host_find(HOST_A), ha);
	/* cluster has not let go of the call yet. */
	host_sweep(end + 1);
	assert_int_equal(is_revoked(), 0);
	assert_ptr_equal(host_find(HOST_A), ha);
	rig_closed(CALL);
	host_sweep(end + 1);
	assert_null(host_find(HOST_A));
	assert_ptr_equal(host_find(HOST_B), hb);
	assert_int_equal(eng->nhosts, 1);
	restart();
	assert_null(ha);
	assert_non_null(hb);
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, rig_down)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		T(test_pause),
		T(test_rename),
		T(test_label),
		T(test_revoke),
		T(test_remove),
		T(test_refused),
		T(test_token),
		T(test_sweep),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
