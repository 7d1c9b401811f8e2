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

#include "enroll_rig.h"

#include "engine_audit.h"
#include "engine_clone.h"

/* What leaves a record, what does not, and what strangers can do to it. */
#define HOST_A	"0000000000000000000000000000000a"
#define C(name)	SENTINEL__IPC__CONTROL_REQUEST__COMMAND__##name

static struct host	*ha;

static int
up(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	eng->conf.ec_enroll_failures = 100000;
	ha = rig_host(HOST_A, "alpha");
	(void)strlcpy(ha->h_serial, "0a", sizeof(ha->h_serial));
	ha->h_not_after = time(NULL) + 3600;
	ha->h_dirty = true;
	return (host_flush(0));
}

static void
assert_last(size_t n, const char *text)
{
	struct rig_trail	 tr = rig_trail(NULL);

	assert_string_equal(tr.tr_last, text);
	assert_int_equal(tr.tr_n, n);
}

/* --- acts --------------------------------------------------------------- */

static void
test_acts(void **state)
{
	(void)state;
	assert_int_equal(host_set_paused(ha, true, "uid 7"), 0);
	assert_last(1, "uid 7|host.pause|host alpha (" HOST_A ")|ok|");
	/* Nothing changes: nothing to tell. */
	assert_int_equal(host_set_paused(ha, true, "uid 7"), 0);
	assert_last(1, "uid 7|host.pause|host alpha (" HOST_A ")|ok|");
	assert_int_equal(host_set_paused(ha, false, "uid 7"), 0);
	assert_last(2, "uid 7|host.resume|host alpha (" HOST_A ")|ok|");
	assert_int_equal(host_rename(ha, "beta", "uid 7"), 0);
	assert_last(3, "uid 7|host.rename|host alpha (" HOST_A ")|ok|to beta");
	assert_int_equal(host_label(ha, "env=prod", "uid 8"), 0);
	assert_int_equal(host_label(ha, "env=prod", "uid 8"), 0);
	assert_last(4, "uid 8|host.label|host beta (" HOST_A
	    ")|ok|env=prod");
	assert_int_equal(host_decommission(ha, HOST_REVOKED, "uid 7"), 0);
	assert_last(5, "uid 7|host.revoke|host beta (" HOST_A
	    ")|ok|serial 0a");
	rig_crash();
	rig_start();
	assert_last(5, "uid 7|host.revoke|host beta (" HOST_A
	    ")|ok|serial 0a");
}

/* Who asked for what is done to containers; whoever only looks is not told. */
static void
test_operations(void **state)
{
	Sentinel__Ipc__ControlRequest	 req;
	struct rig_trail		 tr;

	(void)state;
	rig_open(1, HOST_A, "0a", NULL);
	rig_request(&req, C(CONTAINER_LOGS));
	req.uid = 7;
	req.host = rig_str("alpha");
	req.container = rig_str("web");
	(void)rig_ask(&req);
	assert_int_equal(rig_trail(NULL).tr_n, 0);
	req.command = C(CONTAINER_ACTION);
	req.action = rig_str("restart");
	(void)rig_ask(&req);
	req.command = C(CONTAINER_UPDATE);
	req.image = rig_str("web:2");
	(void)rig_ask(&req);
	tr = rig_trail("container.restart");
	assert_int_equal(tr.tr_n, 1);
	assert_non_null(strstr(tr.tr_last, "uid 7|container.restart|container "
	    "alpha/web|ok|asked for, operation "));
	tr = rig_trail("container.update");
	assert_int_equal(tr.tr_n, 1);
	assert_non_null(strstr(tr.tr_last, ", image web:2"));
	/* What is refused as a request was not done. */
	req.container = rig_str("a b");
	assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_USAGE);
	assert_int_equal(rig_trail(NULL).tr_n, 2);
}

/* The change and its record are one: without the other there is neither. */
static void
test_one_transaction(void **state)
{
	(void)state;
	(void)strlcpy(ha->h_address, "not an address", sizeof(ha->h_address));
	assert_int_equal(host_set_paused(ha, true, "uid 7"), -1);
	assert_int_equal(host_decommission(ha, HOST_REMOVED, "uid 7"), -1);
	assert_int_equal(host_freeze(ha, "a", "b"), -1);
	assert_int_equal(rig_trail(NULL).tr_n, 0);
	/* An actor that no record can hold. */
	ha->h_address[0] = '\0';
	assert_int_equal(host_set_paused(ha, true, ""), -1);
	assert_int_equal(ha->h_state, HOST_ACTIVE);
	rig_crash();
	rig_start();
	assert_int_equal(host_find(HOST_A)->h_state, HOST_ACTIVE);
}

static void
test_tokens(void **state)
{
	char	 token[65], bad[65], want[256], id[HOST_ID_SIZE];

	(void)state;
	(void)strlcpy(token, make_token("web"), sizeof(token));
	(void)snprintf(want, sizeof(want), "uid 0|token.create|token %.8s|ok|"
	    "1 use, for 600 s, host name web", token);
	assert_last(1, want);
	/* The id is right, the rest is not: nothing of it is told. */
	(void)strlcpy(bad, token, sizeof(bad));
	bad[31] = bad[31] == '0' ? '1' : '0';
	(void)enroll(bad, "web", key_a, "192.0.2.1");
	assert_last(2, "address 192.0.2.1|token.fail||refused|invalid "
	    "enrollment token");
	(void)enroll("abc", "web", key_a, "192.0.2.1");
	assert_last(3, "address 192.0.2.1|token.fail||refused|token too "
	    "short");
	(void)enroll(token, "other", key_a, "192.0.2.1");
	(void)snprintf(want, sizeof(want), "address 192.0.2.1|token.fail|"
	    "token %.8s|refused|token is for another host name", token);
	assert_last(4, want);
	(void)strlcpy(id, enroll(token, "web", key_a, "192.0.2.1").id,
	    sizeof(id));
	assert_int_equal(rig_trail("token.use").tr_n, 1);
	(void)snprintf(want, sizeof(want), "address 192.0.2.1|host.enroll|"
	    "host web (%s)|ok|token %.8s, serial %s", id, token,
	    host_find(id)->h_serial);
	assert_last(6, want);
	token[8] = '\0';
	assert_int_equal(token_revoke(token, "uid 7"), 1);
	(void)snprintf(want, sizeof(want),
	    "uid 7|token.revoke|token %s|ok|used 1 of 1", token);
	assert_last(7, want);
	assert_int_equal(token_revoke(token, "uid 7"), 1);
	assert_int_equal(token_revoke("00000000", "uid 7"), 0);
	assert_last(7, want);
}

/* --- what others can provoke -------------------------------------------- */

static void
test_strangers(void **state)
{
	struct rig_trail	 tr;
	size_t			 n;
	int			 i;

	(void)state;
	assert_int_equal(host_set_paused(ha, true, "uid 7"), 0);
	for (i = 0; i < 2 * AUDIT_PROVOKED_BURST; i++)
		(void)enroll("abc", "w", key_a, "192.0.2.1");
	n = rig_trail("token.fail").tr_n;
	assert_true(n > 0 && n <= AUDIT_PROVOKED_BURST);
	/* An operator is not held up by that. */
	assert_int_equal(host_set_paused(ha, false, "uid 7"), 0);
	assert_int_equal(rig_trail("host.resume").tr_n, 1);
	/* What was left out is told. */
	audit_sweep(time(NULL));
	tr = rig_trail("audit.left-out");
	assert_int_equal(tr.tr_n, 1);
	assert_non_null(strstr(tr.tr_last, " attempts of strangers have no "
	    "record: there were too many"));
	audit_sweep(time(NULL));
	assert_int_equal(rig_trail("audit.left-out").tr_n, 1);
}

static void
test_refused_host(void **state)
{
	int	 i;

	(void)state;
	assert_int_equal(host_decommission(ha, HOST_REVOKED, "uid 7"), 0);
	for (i = 1; i < 100; i++)
		rig_open((uint32_t)i, HOST_A, "0a", NULL);
	assert_int_equal(rig_trail("host.refuse").tr_n, AUDIT_HOST_BURST);
	assert_string_equal(rig_trail("host.refuse").tr_last, "address "
	    "192.0.2.7|host.refuse|host alpha (" HOST_A ")|refused|"
	    GATE_TEXT_REVOKED ", serial 0a");
}

/* Nothing that comes from outside breaks a line or a record. */
static void
test_text(void **state)
{
	char	 huge[4096];

	(void)state;
	assert_int_equal(audit_write("host a\nb", "host.x", "\x1b[31mred",
	    AUDIT_OK, "%s", "bad \xff\xfe utf8"), 0);
	assert_last(1, "host a\\nb|host.x|\\033[31mred|ok|"
	    "bad \\377\\376 utf8");
	memset(huge, '\xc3', sizeof(huge));
	huge[sizeof(huge) - 1] = '\0';
	assert_int_equal(audit_write(huge, "host.x", huge, AUDIT_OK, "%s",
	    huge), 0);
	assert_int_equal(rig_trail(NULL).tr_n, 2);
}

/* --- sentinelctl -------------------------------------------------------- */

static size_t
listed(Sentinel__Ipc__ControlRequest__Command command, uint32_t limit,
    uint64_t since, int code)
{
	Sentinel__Ipc__ControlRequest	 req;
	uint32_t			 client;
	size_t				 n;
	int				 i, end = -1;

	rig_forget();
	rig_request(&req, command);
	req.limit = limit;
	req.since_time = since == 0 ? 0 : time(NULL) - (int64_t)since;
	client = rig_ask(&req);
	for (i = 0; i < 1000 && (end = rig_ended(client)) == -1; i++)
		rig_run(5);
	assert_int_equal(end, code);
	n = rig_count(IMSG_CONTROL_ITEM);
	return (n);
}

static int
tamper(struct store_txn *tx, void *arg)
{
	uint8_t	 key[8] = { 0, 0, 0, 0, 0, 0, 0, 3 };

	(void)arg;
	return (store_del(tx, STORE_AUDIT, key, sizeof(key)) == 1 ? 0 : -1);
}

static void
test_shown(void **state)
{
	Sentinel__Ipc__ControlRequest	 req;
	int				 i;

	(void)state;
	assert_int_equal(listed(C(AUDIT_LIST), 0, 0, CONTROL_OK), 0);
	assert_int_equal(listed(C(AUDIT_VERIFY), 0, 0, CONTROL_OK), 1);
	for (i = 0; i < 2100; i++)
		assert_int_equal(audit_write("uid 0", "host.x", "", AUDIT_OK,
		    "%d", i), 0);
	assert_int_equal(listed(C(AUDIT_LIST), 0, 0, CONTROL_OK), 1000);
	assert_int_equal(listed(C(AUDIT_LIST), 2000, 0, CONTROL_OK), 2000);
	assert_int_equal(listed(C(AUDIT_LIST), 5, 3600, CONTROL_OK), 5);
	assert_int_equal(listed(C(AUDIT_VERIFY), 0, 0, CONTROL_OK), 1);
	assert_int_equal(store_update(eng->store, tamper, NULL), 0);
	assert_int_equal(listed(C(AUDIT_VERIFY), 0, 0, CONTROL_FAILED), 1);
	/* Whoever may only look does not see it. */
	rig_request(&req, C(AUDIT_LIST));
	req.read_only = true;
	assert_int_equal(rig_ended(rig_ask(&req)), CONTROL_DENIED);
}

/* A year later the head goes, and the trail is whole. */
static void
test_retention(void **state)
{
	char	 want[128];
	int	 i;

	(void)state;
	audit_sweep(time(NULL));	/* tells what others left out */
	for (i = 0; i < 1500; i++)
		assert_int_equal(audit_write("uid 0", "host.x", "", AUDIT_OK,
		    "%d", i), 0);
	audit_sweep(time(NULL));
	assert_int_equal(rig_trail("host.x").tr_n, 1500);
	(void)snprintf(want, sizeof(want), "sentineld|audit.cut||ok|%zu "
	    "records left the trail: older than 365 days, or more than "
	    "100000", rig_trail(NULL).tr_n - 1);
	audit_sweep(time(NULL) + AUDIT_KEEP_SEC + 60);
	assert_last(2, want);
	assert_int_equal(listed(C(AUDIT_VERIFY), 0, 0, CONTROL_OK), 1);
	assert_int_equal(listed(C(AUDIT_LIST), 0, 0, CONTROL_OK), 2);
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, rig_down)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		T(test_acts),
		T(test_operations),
		T(test_one_transaction),
		T(test_tokens),
		T(test_strangers),
		T(test_refused_host),
		T(test_text),
		T(test_shown),
		T(test_retention),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
