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
 * What the server wants: once each, signed where it must be, refused with an
 * answer, and nothing for rubbish.
 */
#include "world.h"

#include <openssl/sha.h>

#include <stdio.h>
#include <unistd.h>

#include "engine_bundle.h"
#include "engine_renew.h"
#include "engine_journal.h"
#include "engine_policy.h"
#include "engine_sync.h"
#include "pbcheck.h"

/* --- neighbours ---------------------------------------------------------- */

static struct engine	 state_;
struct engine		*eng = &state_;

static char	 did[4096];		/* what was carried out or answered */
static char	 long_command[5000];
static struct policy_cache cache;
static bool	 list_error_feature;
static unsigned int journaled;
static char	 journal_text[256];
static size_t	 acked;			/* ids of journal entries */
static list_cb	 list_waits;
static void	*list_arg;

static void
note(const char *what, const char *id, const char *more)
{
	char	 text[512];

	(void)snprintf(text, sizeof(text), "%s %s %s;", what, id, more);
	assert_true(strlcat(did, text, sizeof(did)) < sizeof(did));
}

bool
ojournal_add(const struct ojournal_entry *je)
{
	journaled++;
	(void)snprintf(journal_text, sizeof(journal_text), "%s %s %s",
	    je->je_action, je->je_container, je->je_error);
	return (true);
}

void
ojournal_ack(const Sentinel__Cluster__JournalAck *m)
{
	acked += m->n_ids;
}

void
docker_run(const struct command *c)
{
	note("run", c->cm_id, c->cm_container);
}

void
docker_refuse(const struct command *c, const char *why)
{
	note("refuse", c->cm_id, why);
}

void
engine_tell_refusal(const char *id, const char *why)
{
	(void)id;
	(void)why;
}

bool
docker_is_running(const char *id)
{
	(void)id;
	return (false);
}

void
list_ask(bool push, list_cb cb, void *arg)
{
	assert_false(push);
	list_waits = cb;
	list_arg = arg;
}

void
list_send(const char *id, const char *error)
{
	note("list", id, error);
}

void
out_push(enum out_kind kind, Sentinel__Cluster__AgentMessage *m,
    uint32_t hold)
{
	assert_int_equal(kind, OUT_RESULT);
	assert_int_equal(hold, 0);
	note("rollback", m->rollback_result->request_id,
	    m->rollback_result->outcome);
}

static unsigned int	 bundles;	/* of CAs, passed on */
static bool		 bundle_proven;

void
bundle_receive(const Sentinel__Cluster__CertRenewalResponse *r, bool proven)
{
	assert_true(r->ca_cert.len > 0);
	bundles++;
	bundle_proven = proven;
}

static unsigned int	 renewals;	/* answers passed on */
static const char	*renewal_refused;

void
renew_answer(const Sentinel__Cluster__CertRenewalResponse *r,
    const char *refuse)
{
	(void)r;
	renewals++;
	renewal_refused = refuse;
}

bool
session_is_open(void)
{
	return (true);
}

bool
session_has_feature(const char *word)
{
	assert_string_equal(word, "list-error");
	return (list_error_feature);
}

void
session_close(const char *why)
{
	note("close", why, "");
}

char *
engine_lend(const char *s)
{
	return ((char *)(uintptr_t)s);
}

const struct policy_cache *
policy_cache_now(void)
{
	return (&cache);
}

void
policy_sync(const Sentinel__Cluster__PolicySync *m)
{
	note("policies", m->default_policy, "");
}

void
policy_settings_sync(const Sentinel__Cluster__SettingsSync *m)
{
	note("settings", m->rollback_policy, "");
}

void
policy_flush(void)
{
}

/* --- helpers ------------------------------------------------------------- */

static struct world	*world;
static char		 dir[] = "/tmp/command_test.XXXXXX";

static int
setup(void **state)
{
	(void)state;
	if (mkdtemp(dir) == NULL || chdir(dir) == -1)
		return (-1);
	world = world_new(time(NULL));
	eng->id.id_ca = (uint8_t *)world->w_capem;
	eng->id.id_calen = strlen(world->w_capem);
	(void)strlcpy(eng->id.id_host, WORLD_HOST, sizeof(eng->id.id_host));
	(void)strlcpy(eng->conf.ac_server, "test:1",
	    sizeof(eng->conf.ac_server));
	eng->attempt = 1;
	eng->docker_up = true;
	eng->conf.ac_allow_exec = 1;
	eng->conf.ac_allow_actions = UINT64_MAX;
	(void)strlcpy(eng->conf.ac_allow_images, "*",
	    sizeof(eng->conf.ac_allow_images));
	command_init();
	command_session();
	return (0);
}

static int
teardown(void **state)
{
	(void)state;
	world_free(world);
	(void)unlink("requests");
	return (chdir("/") == -1 ? -1 : rmdir(dir));
}

static void
receive(Sentinel__Cluster__ServerMessage *m)
{
	uint8_t	*data;
	size_t	 len;

	did[0] = '\0';
	assert_non_null(data = pbcheck_pack(&m->base, 1 << 20, &len));
	command_receive(data, len);
	free(data);
}

/* The message inside of a signed command for this session. */
static void
receive_signed(Sentinel__Cluster__ServerMessage *m, const char *nonce)
{
	Sentinel__Cluster__ServerMessage	 outer;
	Sentinel__Cluster__SignedCommand	 cmd;
	Sentinel__Cluster__CommandBody		 body;
	uint8_t		 hash[32], sig[ECKEY_SIG_MAXBYTES], *data, *packed;
	size_t		 len;

	sentinel__cluster__command_body__init(&body);
	body.host_id = eng->id.id_host;
	body.session_nonce.data = (uint8_t *)(uintptr_t)nonce;
	body.session_nonce.len = 16;
	body.request_id = m->request_id;
	assert_non_null(data = pbcheck_pack(&m->base, 65536,
	    &body.message.len));
	body.message.data = data;
	assert_non_null(packed = pbcheck_pack(&body.base, 65536, &len));
	free(data);
	SHA256(packed, len, hash);
	sentinel__cluster__signed_command__init(&cmd);
	cmd.body.data = packed;
	cmd.body.len = len;
	assert_int_equal(key_command_sign(&world->w_ring, hash, sig,
	    &cmd.signature.len), 0);
	cmd.signature.data = sig;
	cmd.certificate.data = world->w_command.kc_der;
	cmd.certificate.len = world->w_command.kc_len;
	sentinel__cluster__server_message__init(&outer);
	outer.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_SIGNED_COMMAND;
	outer.signed_command = &cmd;
	receive(&outer);
	free(packed);
}

static void
action(Sentinel__Cluster__ServerMessage *m, const char *id, const char *what)
{
	static Sentinel__Cluster__ContainerActionRequest	 r;

	sentinel__cluster__container_action_request__init(&r);
	r.container_name = engine_lend("web");
	r.action = engine_lend(what);
	sentinel__cluster__server_message__init(m);
	m->request_id = engine_lend(id);
	m->payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_CONTAINER_ACTION;
	m->container_action = &r;
}

/* --- tests --------------------------------------------------------------- */

/* Policies, settings and heartbeats: signed where commands are. */
static void
test_syncs(void **state)
{
	static const char			 now[] = "0123456789abcdef";
	Sentinel__Cluster__ServerMessage	 m;
	Sentinel__Cluster__PolicySync		 ps;
	Sentinel__Cluster__SettingsSync		 ss;
	Sentinel__Cluster__Heartbeat		 hb;
	Google__Protobuf__Timestamp		 ts;

	(void)state;
	memcpy(eng->nonce, now, sizeof(eng->nonce));
	sentinel__cluster__policy_sync__init(&ps);
	ps.default_policy = engine_lend("auto");
	sentinel__cluster__settings_sync__init(&ss);
	ss.rollback_policy = engine_lend("pinned");
	sentinel__cluster__heartbeat__init(&hb);
	google__protobuf__timestamp__init(&ts);
	hb.timestamp = &ts;
	ts.seconds = time(NULL) + 3600;
	sentinel__cluster__server_message__init(&m);
	m.request_id = engine_lend("y1");

	eng->conf.ac_signed = CONF_SIGNED_REQUIRED;
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_POLICY_SYNC;
	m.policy_sync = &ps;
	receive(&m);
	assert_string_equal(did, "");
	receive_signed(&m, "fedcba9876543210");
	assert_string_equal(did, "");
	receive_signed(&m, now);
	assert_string_equal(did, "policies auto ;");
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_SETTINGS_SYNC;
	m.settings_sync = &ss;
	receive(&m);
	assert_string_equal(did, "");
	receive_signed(&m, now);
	assert_string_equal(did, "settings pinned ;");
	m.payload_case = SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_HEARTBEAT;
	m.heartbeat = &hb;
	receive(&m);
	assert_int_equal(sync_heard_at(), 0);
	receive_signed(&m, now);
	assert_true(sync_heard_at() >= time(NULL) - 5);
	assert_in_range(sync_skew_sec(), 3590, 3610);

	/* Of another implementation, which does not sign. */
	eng->conf.ac_signed = CONF_SIGNED_OFF;
	m.request_id = engine_lend("");
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_POLICY_SYNC;
	m.policy_sync = &ps;
	receive(&m);
	assert_string_equal(did, "policies auto ;");
}

static void
test_once(void **state)
{
	Sentinel__Cluster__ServerMessage	 m;

	(void)state;
	eng->server.ks_signed = false;
	eng->conf.ac_signed = CONF_SIGNED_AUTO;
	action(&m, "once", "stop");
	receive(&m);
	assert_string_equal(did, "run once web;");
	receive(&m);
	assert_string_equal(did, "");
	/* Nor after a restart, which reads the ids from disk. */
	command_init();
	receive(&m);
	assert_string_equal(did, "");
	action(&m, "other", "explode");
	receive(&m);
	assert_string_equal(did, "refuse other unknown action: explode;");
	action(&m, "", "stop");
	receive(&m);
	assert_string_equal(did, "");
}

static void
test_signed(void **state)
{
	static const char			 now[] = "0123456789abcdef";
	static const char			 then[] = "fedcba9876543210";
	Sentinel__Cluster__ServerMessage	 m;

	(void)state;
	memcpy(eng->nonce, now, sizeof(eng->nonce));
	eng->conf.ac_signed = CONF_SIGNED_AUTO;
	eng->server.ks_signed = true;
	action(&m, "s1", "stop");
	receive(&m);
	assert_memory_equal(did, "refuse s1 unsigned", 18);
	receive_signed(&m, now);
	assert_string_equal(did, "run s1 web;");
	receive_signed(&m, now);
	assert_string_equal(did, "");
	action(&m, "s2", "stop");
	receive_signed(&m, then);
	assert_string_equal(did, "refuse s2 stale session;");
	/* What was refused has not used its id up. */
	receive_signed(&m, now);
	assert_string_equal(did, "run s2 web;");

	eng->server.ks_signed = false;
	eng->conf.ac_signed = CONF_SIGNED_REQUIRED;
	action(&m, "s3", "stop");
	receive(&m);
	assert_memory_equal(did, "refuse s3", 9);
	/* A pin is as good as an announcement, which can be kept back. */
	eng->conf.ac_signed = CONF_SIGNED_AUTO;
	eng->server.ks_pinned = true;
	receive(&m);
	assert_memory_equal(did, "refuse s3", 9);
	assert_non_null(strstr(did, "token"));
	eng->server.ks_pinned = false;
	eng->server.ks_signed = true;
	eng->conf.ac_signed = CONF_SIGNED_OFF;
	receive(&m);
	assert_string_equal(did, "run s3 web;");
	/* Another CA's command. */
	eng->id.id_ca = (uint8_t *)world->w_agentpem;
	eng->id.id_calen = strlen(world->w_agentpem);
	action(&m, "s4", "stop");
	receive_signed(&m, now);
	assert_string_equal(did, "");
	eng->id.id_ca = (uint8_t *)world->w_capem;
	eng->id.id_calen = strlen(world->w_capem);
}

/* agent.allow: refused whoever signs, in the command's own kind of answer,
 * and the id is not used up. */
static void
test_allowed(void **state)
{
	static const char				 now[] =
							    "0123456789abcdef";
	Sentinel__Cluster__ListContainersRequest	 l;
	Sentinel__Cluster__UpdateContainerRequest	 u;
	Sentinel__Cluster__RunHookRequest		 h;
	Sentinel__Cluster__ServerMessage		 m;
	int						 i;

	(void)state;
	memcpy(eng->nonce, now, sizeof(eng->nonce));
	eng->conf.ac_signed = CONF_SIGNED_REQUIRED;
	eng->conf.ac_allow_read_only = 1;
	action(&m, "a1", "stop");
	journaled = 0;
	receive_signed(&m, now);
	assert_int_equal(journaled, 1);
	assert_string_equal(journal_text, "refused web stop: not allowed by "
	    "agent.allow.read_only on this host");
	assert_string_equal(did, "refuse a1 not allowed by "
	    "agent.allow.read_only on this host;");
	/* Nobody fills the journal with it. */
	for (i = 0; i < 100; i++)
		receive_signed(&m, now);
	assert_int_equal(journaled, 10);
	/* And what is not signed is no act of the server at all. */
	receive(&m);
	assert_int_equal(journaled, 10);
	eng->conf.ac_allow_read_only = 0;
	receive_signed(&m, now);
	assert_string_equal(did, "run a1 web;");
	assert_int_equal(journaled, 10);

	(void)strlcpy(eng->conf.ac_allow_images, "ghcr.io/acme/*",
	    sizeof(eng->conf.ac_allow_images));
	sentinel__cluster__update_container_request__init(&u);
	u.container_name = engine_lend("web");
	u.target_image = engine_lend("evil/web:1");
	sentinel__cluster__server_message__init(&m);
	m.request_id = engine_lend("a2");
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_UPDATE_CONTAINER;
	m.update_container = &u;
	receive_signed(&m, now);
	assert_string_equal(did, "refuse a2 not allowed by "
	    "agent.allow.images on this host;");
	u.target_image = engine_lend("ghcr.io/acme/web:1");
	receive_signed(&m, now);
	assert_string_equal(did, "run a2 web;");

	eng->conf.ac_allow_actions = 0;
	sentinel__cluster__list_containers_request__init(&l);
	m.request_id = engine_lend("a3");
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_LIST_CONTAINERS;
	m.list_containers = &l;
	list_error_feature = true;
	receive_signed(&m, now);
	assert_string_equal(did, "list a3 not allowed by agent.allow.actions "
	    "on this host: list;");
	list_error_feature = false;
	eng->conf.ac_allow_actions = UINT64_MAX;
	eng->conf.ac_allow_exec = 0;
	sentinel__cluster__run_hook_request__init(&h);
	m.request_id = engine_lend("a4");
	m.payload_case = SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_RUN_HOOK;
	m.run_hook = &h;
	receive_signed(&m, now);
	assert_string_equal(did, "refuse a4 not allowed by agent.allow.exec on "
	    "this host;");
	eng->conf.ac_allow_exec = 1;
	(void)strlcpy(eng->conf.ac_allow_images, "*",
	    sizeof(eng->conf.ac_allow_images));
}

static void
test_list(void **state)
{
	Sentinel__Cluster__ListContainersRequest	 r;
	Sentinel__Cluster__ServerMessage		 m;

	(void)state;
	eng->conf.ac_signed = CONF_SIGNED_OFF;
	sentinel__cluster__list_containers_request__init(&r);
	sentinel__cluster__server_message__init(&m);
	m.request_id = engine_lend("l1");
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_LIST_CONTAINERS;
	m.list_containers = &r;
	receive(&m);
	assert_string_equal(did, "");
	list_waits("", list_arg);
	assert_string_equal(did, "list l1 ;");
	/* Docker is away: told, or where that cannot be told, the end. */
	list_error_feature = true;
	receive(&m);
	list_waits("away", list_arg);
	assert_string_equal(did, "list l1 away;");
	list_error_feature = false;
	receive(&m);
	list_waits("away", list_arg);
	assert_memory_equal(did, "close", 5);
	eng->docker_up = false;
	receive(&m);
	assert_memory_equal(did, "close", 5);
	eng->docker_up = true;
	/* An answer that comes in another session is nobody's. */
	receive(&m);
	eng->attempt++;
	list_waits("", list_arg);
	assert_string_equal(did, "");
}

static void
test_others(void **state)
{
	static uint8_t				 junk[] = { 7, 7, 7, 7 };
	Sentinel__Cluster__ServerMessage	 m;
	Sentinel__Cluster__RunHookRequest	 hook;
	Sentinel__Cluster__RollbackRequest	 back;
	Sentinel__Cluster__FetchLogsRequest	 logs;

	(void)state;
	sentinel__cluster__server_message__init(&m);
	m.request_id = engine_lend("o1");
	receive(&m);
	assert_string_equal(did, "");
	sentinel__cluster__run_hook_request__init(&hook);
	m.payload_case = SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_RUN_HOOK;
	m.run_hook = &hook;
	receive(&m);
	assert_string_equal(did, "run o1 ;");
	/* Only a server that has said so has switched them off. */
	cache.pc_settings_at = 1;
	m.request_id = engine_lend("o2");
	receive(&m);
	assert_string_equal(did, "refuse o2 hooks are switched off "
	    "(hooks_enabled);");
	cache.pc_hooks_enabled = true;
	hook.command = long_command;
	memset(long_command, 'x', sizeof(long_command) - 1);
	receive(&m);
	assert_string_equal(did, "refuse o2 the command of a hook is longer "
	    "than 4095 bytes;");
	long_command[EXEC_COMMAND_MAXBYTES - 1] = '\0';
	receive(&m);
	assert_string_equal(did, "run o2 ;");
	m.request_id = engine_lend("o3");
	sentinel__cluster__rollback_request__init(&back);
	back.container_name = engine_lend("web");
	m.payload_case = SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_ROLLBACK;
	m.rollback = &back;
	receive(&m);
	assert_string_equal(did, "run o3 web;");
	m.request_id = engine_lend("o1");
	/* Reading is not remembered. */
	sentinel__cluster__fetch_logs_request__init(&logs);
	logs.container_name = engine_lend("web");
	m.payload_case = SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_FETCH_LOGS;
	m.fetch_logs = &logs;
	receive(&m);
	receive(&m);
	assert_string_equal(did, "run o1 web;");
	did[0] = '\0';
	command_receive(junk, sizeof(junk));
	command_receive(junk, 0);
	assert_string_equal(did, "");
}

/* Only who may give commands may say that results are safe. */
static void
test_ack(void **state)
{
	static const char			 now[] = "0123456789abcdef";
	Sentinel__Cluster__ServerMessage	 m;
	Sentinel__Cluster__JournalAck		 ack;
	char					*ids[] = { engine_lend("e1"),
						    engine_lend("e2") };

	(void)state;
	sentinel__cluster__journal_ack__init(&ack);
	ack.ids = ids;
	ack.n_ids = nitems(ids);
	sentinel__cluster__server_message__init(&m);
	m.request_id = engine_lend("k1");
	m.payload_case =
	    SENTINEL__CLUSTER__SERVER_MESSAGE__PAYLOAD_JOURNAL_ACK;
	m.journal_ack = &ack;
	memcpy(eng->nonce, now, sizeof(eng->nonce));
	eng->conf.ac_signed = CONF_SIGNED_AUTO;
	eng->server.ks_signed = true;
	receive(&m);
	assert_int_equal(acked, 0);
	receive_signed(&m, "fedcba9876543210");
	assert_int_equal(acked, 0);
	receive_signed(&m, now);
	assert_int_equal(acked, 2);
	eng->server.ks_signed = false;
	receive(&m);
	assert_int_equal(acked, 4);
}

/* A session ends before the ring of ids has come around in it. */
static void
test_ring(void **state)
{
	Sentinel__Cluster__ServerMessage	 m;
	char					 id[16];
	int					 i;

	(void)state;
	command_session();
	for (i = 1; i < REQMEM_SLOTS; i++) {
		(void)snprintf(id, sizeof(id), "ring%d", i);
		action(&m, id, "stop");
		receive(&m);
		if (strstr(did, "close") != NULL)
			break;
	}
	assert_int_equal(i, REQMEM_SLOTS - 1);
	action(&m, "ring1", "stop");
	receive(&m);
	assert_string_equal(did, "");
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test(test_syncs),
		cmocka_unit_test(test_once),
		cmocka_unit_test(test_signed),
		cmocka_unit_test(test_allowed),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_others),
		cmocka_unit_test(test_ack),
		cmocka_unit_test(test_ring),
	};

	return (cmocka_run_group_tests(tests, setup, teardown));
}
