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
 * Settings and policies: bounds, locks, what a kill leaves; and their way to
 * agents: when a Channel opens and on change, many changes as one message,
 * later when there is no room, signed or not, ours or foreign.
 */
#include "engine_rig.h"

#include "engine_settings.h"
#include "engine_sync.h"

#define P(name)	SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_##name
#define HOST_A	"0000000000000000000000000000000a"
#define CALL	7

static struct host	*ha;

static enum policy
policy_now(const char *name, const char *label, enum policy_origin *origin)
{
	Sentinel__Cluster__ContainerInfo__LabelsEntry	 le, *lep = &le;
	Sentinel__Cluster__ContainerInfo		 info;
	struct policy_result				 pr;

	sentinel__cluster__container_info__init(&info);
	info.name = rig_str(name);
	info.image = rig_str("app:1");
	if (label != NULL) {
		sentinel__cluster__container_info__labels_entry__init(&le);
		le.key = rig_str(POLICY_LABEL);
		le.value = rig_str(label);
		info.labels = &lep;
		info.n_labels = 1;
	}
	policy_of(ha, &info, &pr);
	*origin = pr.pr_origin;
	return (pr.pr_policy);
}

static int
set(const char *name, const char *text)
{
	char	 why[512] = "";
	int	 rc;

	rc = setting_change(setting_find(name), text, "uid 7", why,
	    sizeof(why));
	assert_int_equal(rc == -1, why[0] != '\0');
	return (rc);
}

static const char *
value(const char *name)
{
	static char	 buf[SETTING_VALUE_SIZE];

	return (setting_value(setting_find(name), buf));
}

static const char *
origin(const char *name)
{
	struct setting_origin	 so;

	setting_origin(setting_find(name), &so);
	return (so.so_origin);
}

static void
restart(void)
{
	rig_crash();
	rig_start();
	settings_commit();
	ha = host_find(HOST_A);
}

static int
setup(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	ha = rig_host(HOST_A, "alpha");
	(void)strlcpy(ha->h_serial, "0a", sizeof(ha->h_serial));
	ha->h_dirty = true;
	assert_int_equal(host_flush(0), 0);
	settings_commit();
	return (0);
}

/* --- settings ------------------------------------------------------------ */

static void
test_settings(void **state)
{
	(void)state;
	assert_string_equal(value("poll_interval"), "6h");
	assert_string_equal(origin("poll_interval"), "default");
	assert_int_equal(set("poll_interval", "90m"), 0);
	assert_string_equal(value("poll_interval"), "1h30m");
	assert_string_equal(origin("poll_interval"), "database");
	assert_int_equal(settings_now()->ct_poll_msec, 90 * 60000);
	assert_int_equal(set("poll_interval", "31d"), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(set("default_policy", "often"), -1);
	assert_string_equal(value("poll_interval"), "1h30m");
	assert_int_equal(set("hooks_enabled", "yes"), 0);
	restart();
	assert_string_equal(value("poll_interval"), "1h30m");
	assert_true(settings_now()->ct_hooks);
	assert_int_equal(set("poll_interval", NULL), 0);
	assert_string_equal(value("poll_interval"), "6h");
	assert_int_equal(set("poll_interval", NULL), 0);
	restart();
	assert_string_equal(origin("poll_interval"), "default");
	assert_true(settings_now()->ct_hooks);
}

static void
test_locked(void **state)
{
	struct setting_lock	*sl =
	    &eng->conf.ec_setting[SETTING_POLL_INTERVAL];
	char			 why[512];

	(void)state;
	assert_int_equal(set("poll_interval", "2h"), 0);
	(void)strlcpy(sl->sl_from, "/etc/x.conf:12", sizeof(sl->sl_from));
	(void)strlcpy(sl->sl_value, "3h", sizeof(sl->sl_value));
	settings_commit();
	assert_string_equal(value("poll_interval"), "3h");
	assert_string_equal(origin("poll_interval"), "file");
	assert_int_equal(setting_change(SETTING_POLL_INTERVAL, "4h", "uid 7",
	    why, sizeof(why)), -1);
	assert_int_equal(errno, EPERM);
	assert_non_null(strstr(why, "/etc/x.conf:12"));
	assert_non_null(strstr(why, "server.settings.poll_interval"));
	assert_int_equal(set("poll_interval", NULL), -1);
	(void)strlcpy(sl->sl_from, "environment A", sizeof(sl->sl_from));
	assert_string_equal(origin("poll_interval"), "environment");
	(void)strlcpy(sl->sl_from, "flag -o", sizeof(sl->sl_from));
	assert_string_equal(origin("poll_interval"), "flag");
	/* A reload takes the lock away: what was set before counts again. */
	memset(sl, 0, sizeof(*sl));
	settings_commit();
	assert_string_equal(value("poll_interval"), "2h");
	assert_string_equal(origin("poll_interval"), "database");
}

static int
put_broken(struct store_txn *txn, void *arg)
{
	Sentinel__Store__Setting	 s;

	(void)arg;
	sentinel__store__setting__init(&s);
	s.value = rig_str("31d");
	if (db_setting_put(txn, "poll_interval", &s) == -1)
		return (-1);
	s.value = rig_str("5s");
	if (db_setting_put(txn, "grace_period", &s) == -1)
		return (-1);
	return (db_setting_put(txn, "of_the_future", &s));
}

/* What a later or earlier version left in the database. */
static void
test_broken(void **state)
{
	(void)state;
	assert_int_equal(store_update(eng->store, put_broken, NULL), 0);
	restart();
	assert_string_equal(value("poll_interval"), "6h");
	assert_string_equal(origin("poll_interval"), "default");
	assert_string_equal(value("grace_period"), "5s");
	assert_int_equal(set("poll_interval", "1h"), 0);
	restart();
	assert_string_equal(value("poll_interval"), "1h");
}

struct audit_tally {
	size_t	 n;
	char	 last[256];
};

static bool
count_audit(const Sentinel__Store__AuditRecord *r,
    const uint8_t hash[DB_AUDIT_HASH_LEN], void *arg)
{
	struct audit_tally	*t = arg;

	(void)hash;
	t->n++;
	(void)snprintf(t->last, sizeof(t->last), "%s %s %s: %s", r->actor,
	    r->action, r->subject, r->text);
	return (true);
}

static int
walk_audit(struct store_txn *txn, void *arg)
{
	return (db_audit_walk(txn, 0, count_audit, arg) == -1 ? -1 : 0);
}

static struct audit_tally
audit(void)
{
	struct audit_tally	 t = { 0, "" };

	assert_int_equal(store_view(eng->store, walk_audit, &t), 0);
	return (t);
}

static void
test_audit(void **state)
{
	(void)state;
	assert_int_equal(set("poll_interval", "2h"), 0);
	assert_string_equal(audit().last,
	    "uid 7 settings.set setting poll_interval: 2h");
	assert_int_equal(set("poll_interval", "2h"), 0);
	assert_int_equal(set("poll_interval", "bad"), -1);
	assert_int_equal(audit().n, 1);
	assert_int_equal(set("poll_interval", NULL), 0);
	assert_string_equal(audit().last,
	    "uid 7 settings.unset setting poll_interval: ");
	assert_int_equal(policy_set(ha, "web", POLICY_AUTO, "uid 7"), 0);
	assert_string_equal(audit().last, "uid 7 policy.set container web of "
	    "host alpha (" HOST_A "): auto");
	assert_int_equal(policy_set(ha, "web", POLICY_AUTO, "uid 7"), 0);
	assert_int_equal(policy_set(ha, "web", POLICY_NONE, "uid 7"), 0);
	assert_string_equal(audit().last, "uid 7 policy.inherit container web "
	    "of host alpha (" HOST_A "): ");
	assert_int_equal(audit().n, 4);
}

/* --- policies ------------------------------------------------------------- */

static void
test_policies(void **state)
{
	enum policy_origin	 o;
	struct host		*hb;

	(void)state;
	hb = rig_host("0000000000000000000000000000000b", "beta");
	assert_int_equal(policy_now("web", NULL, &o), POLICY_MANUAL);
	assert_int_equal(o, POLICY_O_DEFAULT);
	assert_int_equal(set("default_policy", "auto"), 0);
	assert_int_equal(policy_set(ha, "", POLICY_PINNED, "uid 7"), 0);
	assert_int_equal(policy_set(hb, "web", POLICY_AUTO, "uid 7"), 0);
	assert_int_equal(policy_now("web", NULL, &o), POLICY_PINNED);
	assert_int_equal(o, POLICY_O_HOST);
	assert_int_equal(policy_set(ha, "web", POLICY_MANUAL, "uid 7"), 0);
	assert_int_equal(policy_now("web", "often", &o), POLICY_MANUAL);
	assert_int_equal(o, POLICY_O_OVERRIDE);
	assert_int_equal(policy_now("web", "auto", &o), POLICY_AUTO);
	assert_int_equal(o, POLICY_O_LABEL);
	restart();
	assert_int_equal(policy_now("web", NULL, &o), POLICY_MANUAL);
	assert_int_equal(policy_now("db", NULL, &o), POLICY_PINNED);
	assert_int_equal(policy_set(ha, "", POLICY_NONE, "uid 7"), 0);
	assert_int_equal(policy_now("db", NULL, &o), POLICY_AUTO);
	assert_int_equal(o, POLICY_O_DEFAULT);
	/* With the host they go, also from the database, and only its own. */
	assert_int_equal(host_decommission(ha, HOST_REMOVED, "uid 7"), 0);
	assert_null(policy_get(ha, "web"));
	restart();
	assert_null(policy_get(ha, "web"));
	assert_int_equal(policy_set(ha, "web", POLICY_AUTO, "uid 7"), 0);
}

/* As many as a host may have, with the longest names. */
static int
fill(struct store_txn *txn, void *arg)
{
	Sentinel__Store__Policy	 p;
	char			 name[256];
	size_t			 i;

	(void)arg;
	memset(name, 'x', sizeof(name));
	sentinel__store__policy__init(&p);
	p.host_id = rig_str(HOST_A);
	p.policy = rig_str("manual");
	p.container = name;
	for (i = 0; i < POLICY_HOST_MAX; i++) {
		(void)snprintf(name + sizeof(name) - 7, 7, "%06zu", i);
		if (db_policy_put(txn, &p) == -1)
			return (-1);
	}
	return (0);
}

/* --- syncs ---------------------------------------------------------------- */

/* One packed ServerMessage on its way to the call; NULL: none. */
static Sentinel__Cluster__ServerMessage *
sent(uint32_t call, struct pbmem *pm)
{
	Sentinel__Cluster__ServerMessage	*m;
	Sentinel__Ipc__AgentSend		*as;
	struct pbmem				 outer;
	struct sent				*s;

	if ((s = rig_take(IMSG_AGENT_SEND, call)) == NULL)
		return (NULL);
	as = rig_unpack(s, &sentinel__ipc__agent_send__descriptor, &outer);
	pbmem_init(pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = pbcheck_unpack(&sentinel__cluster__server_message__descriptor,
	    as->message.data, as->message.len, pm, NULL);
	assert_non_null(m);
	pbmem_free(&outer);
	rig_free(s);
	return (m);
}

/* Its credit comes back. */
static void
returned(uint32_t call)
{
	Sentinel__Ipc__Sent	 msg;

	sentinel__ipc__sent__init(&msg);
	msg.count = eng->nsessions == 0 ? 0 : session_find(call)->se_unsent;
	if (msg.count > 0)
		rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_SENT, call, &msg.base);
}

/* A Channel whose agent says these words; signed with the last one. */
static void
channel(const char *const *words, size_t n, bool is_signed)
{
	uint8_t	 nonce[16] = { 1 };

	host_set_features(ha, (char **)(uintptr_t)words, n);
	ha->h_signed = is_signed;
	memcpy(ha->h_nonce, nonce, sizeof(nonce));
	rig_open(CALL, HOST_A, "0a", NULL);
}

static void
test_connect_foreign(void **state)
{
	Sentinel__Cluster__ServerMessage	*m;
	struct pbmem				 pm;

	(void)state;
	channel(NULL, 0, false);
	assert_null(sent(CALL, &pm));
	rig_run(SYNC_WAIT_MSEC + 50);
	assert_non_null(m = sent(CALL, &pm));
	assert_int_equal(m->payload_case, P(SETTINGS_SYNC));
	assert_int_equal(m->settings_sync->poll_interval->seconds, 6 * 3600);
	assert_int_equal(m->settings_sync->revision, 0);
	assert_null(m->settings_sync->grace_period_offline);
	assert_int_equal(strlen(m->request_id), 16);
	pbmem_free(&pm);
	assert_non_null(m = sent(CALL, &pm));
	assert_int_equal(m->payload_case, P(POLICY_SYNC));
	assert_int_equal(m->policy_sync->revision, 0);
	assert_int_equal(m->policy_sync->n_policies, 1);
	assert_string_equal(m->policy_sync->policies[0]->key, "-");
	assert_string_equal(m->policy_sync->default_policy, "manual");
	pbmem_free(&pm);
	assert_null(sent(CALL, &pm));
	/* No heartbeat for who has not asked for them. */
	eng->conf.ec_beat_msec = 1;
	rig_run(10);
	sync_tick();
	rig_run(50);
	assert_null(sent(CALL, &pm));
}

static void
test_connect_ours(void **state)
{
	static const char *const		 words[] = { "sync",
						    "server-heartbeat" };
	Sentinel__Cluster__ServerMessage	*m;
	struct pbmem				 pm;
	uint64_t				 first;

	(void)state;
	assert_int_equal(policy_set(ha, "", POLICY_PINNED, "uid 7"), 0);
	channel(words, nitems(words), false);
	rig_run(SYNC_WAIT_MSEC + 50);
	assert_non_null(m = sent(CALL, &pm));
	first = m->settings_sync->revision;
	assert_true(first > 0);
	assert_int_equal(m->settings_sync->grace_period_offline->seconds,
	    1800);
	pbmem_free(&pm);
	assert_non_null(m = sent(CALL, &pm));
	assert_true(m->policy_sync->revision > first);
	assert_int_equal(m->policy_sync->n_policies, 0);
	assert_true(m->policy_sync->host_default);
	assert_string_equal(m->policy_sync->default_policy, "pinned");
	pbmem_free(&pm);
	eng->conf.ec_beat_msec = 1;
	rig_run(10);
	sync_tick();
	rig_run(50);
	assert_non_null(m = sent(CALL, &pm));
	assert_int_equal(m->payload_case, P(HEARTBEAT));
	assert_true(m->heartbeat->timestamp->seconds > 0);
	pbmem_free(&pm);
}

static void
test_coalesced(void **state)
{
	Sentinel__Cluster__ServerMessage	*m;
	struct pbmem				 pm;
	char					 text[16];
	int					 i;

	(void)state;
	channel(NULL, 0, false);
	rig_run(SYNC_WAIT_MSEC + 50);
	rig_forget();
	for (i = 1; i <= 50; i++) {
		(void)snprintf(text, sizeof(text), "%ds", i);
		assert_int_equal(set("grace_period", text), 0);
		assert_int_equal(policy_set(ha, "web", i % 2 == 1 ?
		    POLICY_AUTO : POLICY_PINNED, "uid 7"), 0);
	}
	assert_null(sent(CALL, &pm));
	rig_run(SYNC_WAIT_MSEC + 50);
	assert_non_null(m = sent(CALL, &pm));
	assert_int_equal(m->settings_sync->grace_period->seconds, 50);
	pbmem_free(&pm);
	assert_non_null(m = sent(CALL, &pm));
	assert_string_equal(m->policy_sync->policies[0]->value, "pinned");
	pbmem_free(&pm);
	assert_null(sent(CALL, &pm));
	/* Names of the certificate are not the agents' business. */
	assert_int_equal(set("cluster.advertise", "a.example.com"), 0);
	rig_run(SYNC_WAIT_MSEC + 50);
	assert_null(sent(CALL, &pm));
}

/* The queue of the stream is full: later, and then what is newest. */
static void
test_no_room(void **state)
{
	Sentinel__Cluster__ServerMessage	*m;
	struct pbmem				 pm;

	(void)state;
	channel(NULL, 0, false);
	session_find(CALL)->se_unsent = ENGINE_SEND_CREDIT;
	rig_run(SYNC_WAIT_MSEC + 50);
	assert_null(sent(CALL, &pm));
	assert_int_equal(set("grace_period", "9s"), 0);
	session_find(CALL)->se_unsent = 0;
	rig_run(2 * SYNC_RETRY_MSEC + 200);
	assert_non_null(m = sent(CALL, &pm));
	assert_int_equal(m->settings_sync->grace_period->seconds, 9);
	pbmem_free(&pm);
	assert_non_null(m = sent(CALL, &pm));
	assert_int_equal(m->payload_case, P(POLICY_SYNC));
	pbmem_free(&pm);
	assert_null(sent(CALL, &pm));
	returned(CALL);
	/* It ends while something is due. */
	session_find(CALL)->se_unsent = ENGINE_SEND_CREDIT;
	assert_int_equal(set("grace_period", "8s"), 0);
	rig_run(SYNC_WAIT_MSEC + 50);
	rig_closed(CALL);
	rig_run(SYNC_RETRY_MSEC + 100);
	assert_null(sent(CALL, &pm));
}

static void
test_signed(void **state)
{
	static const char *const		 words[] = { "sync",
						    "signed-command" };
	Sentinel__Cluster__ServerMessage	*m;
	struct pbmem				 pm;
	struct sent				*s;

	(void)state;
	channel(words, nitems(words), true);
	rig_run(SYNC_WAIT_MSEC + 50);
	assert_null(sent(CALL, &pm));
	assert_int_equal(rig_count(IMSG_KEY_COMMAND), 2);
	rig_key_serve();
	while ((m = sent(CALL, &pm)) != NULL) {
		assert_int_equal(m->payload_case, P(SIGNED_COMMAND));
		assert_string_equal(m->request_id, "");
		pbmem_free(&pm);
	}
	/* Replaced while the keyholder signs: the new one gets its own. */
	assert_int_equal(set("grace_period", "9s"), 0);
	rig_run(SYNC_WAIT_MSEC + 50);
	assert_int_equal(rig_count(IMSG_KEY_COMMAND), 1);
	rig_open(CALL + 1, HOST_A, "0a", NULL);
	rig_key_serve();
	assert_null(sent(CALL, &pm));
	rig_closed(CALL);
	rig_run(SYNC_WAIT_MSEC + 50);
	rig_key_serve();
	assert_int_equal(rig_count(IMSG_AGENT_SEND), 2);
	/* A keyholder that fails is asked again. */
	rig_forget();
	assert_int_equal(set("grace_period", "7s"), 0);
	rig_run(SYNC_WAIT_MSEC + 50);
	s = rig_take(IMSG_KEY_COMMAND, 0);
	assert_non_null(s);
	rig_give(ROLE_KEYHOLDER, IMSG_KEY_COMMAND_SIGNED, s->st_id,
	    "\1\0\0", 3);
	rig_free(s);
	rig_run(2 * SYNC_RETRY_MSEC + 100);
	rig_key_serve();
	assert_int_equal(rig_count(IMSG_AGENT_SEND), 1);
}

/* All that one host may have is one message. */
static void
test_many(void **state)
{
	static const char *const		 words[] = { "sync",
						    "signed-command" };
	Sentinel__Cluster__ServerMessage	*m;
	struct pbmem				 pm;

	(void)state;
	assert_int_equal(store_update(eng->store, fill, NULL), 0);
	restart();
	assert_int_equal(policy_set(ha, "one-more", POLICY_AUTO, "uid 7"),
	    -1);
	assert_int_equal(errno, ENOSPC);
	/* The host itself has room, and so has a change. */
	assert_int_equal(policy_set(ha, "", POLICY_AUTO, "uid 7"), 0);
	channel(words, nitems(words), true);
	rig_run(SYNC_WAIT_MSEC + 50);
	rig_key_serve();
	assert_non_null(m = sent(CALL, &pm));
	pbmem_free(&pm);
	assert_non_null(m = sent(CALL, &pm));
	assert_true(m->signed_command->body.len > 255 * POLICY_HOST_MAX);
	pbmem_free(&pm);
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup_teardown(test_settings, setup,
		    rig_down),
		cmocka_unit_test_setup_teardown(test_locked, setup, rig_down),
		cmocka_unit_test_setup_teardown(test_broken, setup, rig_down),
		cmocka_unit_test_setup_teardown(test_audit, setup, rig_down),
		cmocka_unit_test_setup_teardown(test_policies, setup,
		    rig_down),
		cmocka_unit_test_setup_teardown(test_connect_foreign, setup,
		    rig_down),
		cmocka_unit_test_setup_teardown(test_connect_ours, setup,
		    rig_down),
		cmocka_unit_test_setup_teardown(test_coalesced, setup,
		    rig_down),
		cmocka_unit_test_setup_teardown(test_no_room, setup,
		    rig_down),
		cmocka_unit_test_setup_teardown(test_signed, setup, rig_down),
		cmocka_unit_test_setup_teardown(test_many, setup, rig_down),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
