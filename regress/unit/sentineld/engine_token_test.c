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
#include "engine_cert.h"
#include "engine_clone.h"
#include "engine_enroll.h"

/* Tokens with several uses, with labels, for a host that is there; expiry. */
static const uint8_t	key_c[ECKEY_POINT_LEN] = { 4, 'c' };
static const uint8_t	key_d[ECKEY_POINT_LEN] = { 4, 'd' };
#define ADDR	"192.0.2.1"

/* --- helpers ------------------------------------------------------------ */

struct look {
	const char	*lo_id;
	char		 lo_state[16];
	uint32_t	 lo_used;
	size_t		 lo_enrolled;
};

static int
look_at(struct store_txn *tx, void *arg)
{
	Sentinel__Store__Token	*t;
	struct look		*lo = arg;
	struct pbmem		 pm;

	pbmem_init(&pm, PBMEM_SMALLBYTES, PBMEM_MAXALLOCS);
	assert_int_equal(db_token_get(tx, lo->lo_id, &pm, &t), 1);
	(void)strlcpy(lo->lo_state, token_state(t, time(NULL)),
	    sizeof(lo->lo_state));
	lo->lo_used = t->used;
	lo->lo_enrolled = t->n_enrolled;
	pbmem_free(&pm);
	return (0);
}

static void
assert_token(const char *token, const char *state, uint32_t used)
{
	char		 id[9];
	struct look	 lo = { .lo_id = id };

	(void)strlcpy(id, token, sizeof(id));
	assert_int_equal(store_view(eng->store, look_at, &lo), 0);
	assert_string_equal(lo.lo_state, state);
	assert_int_equal(lo.lo_used, used);
	assert_int_equal(lo.lo_enrolled, used);
}

static const char *
make_uses(uint32_t uses)
{
	struct token_spec	 ts = { .ts_uses = uses, .ts_host_name = "",
				    .ts_replaces = "" };

	return (make_token_of(&ts));
}

static const char *
make_replacing(const char *id)
{
	struct token_spec	 ts = { .ts_uses = 1, .ts_host_name = "",
				    .ts_replaces = id };

	return (make_token_of(&ts));
}

/* An enrolled host with an open stream: its call. */
static uint32_t
connected(const char *name, char id[HOST_ID_SIZE])
{
	struct answer	 a = enroll(make_token(""), name, key_a, ADDR);

	assert_int_equal(a.status, GRPC_OK);
	(void)strlcpy(id, a.id, HOST_ID_SIZE);
	rig_open(++last_call, id, host_find(id)->h_serial, NULL);
	assert_non_null(host_find(id)->h_session);
	return (last_call);
}

static uint32_t
admitted(uint32_t call)
{
	Sentinel__Ipc__AgentAdmit	*m;
	struct pbmem			 pm;
	struct sent			*s = rig_take(IMSG_AGENT_ADMIT, call);
	uint32_t			 status;

	m = rig_unpack(s, &sentinel__ipc__agent_admit__descriptor, &pm);
	status = m->status;
	pbmem_free(&pm);
	rig_free(s);
	return (status);
}

static uint32_t
contact(const char *id, const char *serial)
{
	rig_open(++last_call, id, serial, NULL);
	return (admitted(last_call));
}

/* The limit of sources outlives a rig. */
static int
up(void **state)
{
	if (rig_up(state) == -1)
		return (-1);
	eng->conf.ec_enroll_failures = 1000;
	return (0);
}

static void
restart(void)
{
	rig_crash();
	rig_start();
	eng->conf.ec_enroll_failures = 1000;
}

/* --- tests -------------------------------------------------------------- */

static void
test_uses(void **state)
{
	struct answer	 a, b, c;
	uint32_t	 ask_c, ask_d;

	(void)state;
	make_uses(3);
	assert_token(token_text, "open", 0);
	a = enroll(token_text, "w", key_a, ADDR);
	b = enroll(token_text, "w", key_b, ADDR);
	assert_int_equal(a.status, GRPC_OK);
	assert_int_equal(b.status, GRPC_OK);
	assert_string_not_equal(a.id, b.id);
	assert_string_equal(host_find(b.id)->h_name, "w-2");
	assert_token(token_text, "open", 2);
	/* Two for the last one: exactly one gets it. */
	ask_c = ask(token_text, "w", key_c, ADDR);
	ask_d = ask(token_text, "w", key_d, ADDR);
	rig_key_serve();
	c = answer_of(ask_c);
	assert_int_equal(c.status, GRPC_OK);
	assert_refused(answer_of(ask_d), 7, "token already used");
	assert_int_equal(eng->nhosts, 3);
	assert_token(token_text, "issued", 3);
	report(a.id);
	report(b.id);
	assert_token(token_text, "issued", 3);
	report(c.id);
	assert_token(token_text, "used", 3);
	assert_int_equal(rig_trail("token.use").tr_n, 3);
	assert_int_equal(rig_trail("host.enroll").tr_n, 3);
	assert_int_equal(rig_trail("token.fail").tr_n, 1);
}

/* Each of several whose answer was lost gets it again. */
static void
test_lost_answers(void **state)
{
	struct answer	 a, b, again;
	char		 serial[2][X509_SERIAL_SIZE];

	(void)state;
	make_uses(3);
	a = enroll(token_text, "a", key_a, ADDR);
	b = enroll(token_text, "b", key_b, ADDR);
	(void)strlcpy(serial[0], host_find(a.id)->h_serial, 40);
	(void)strlcpy(serial[1], host_find(b.id)->h_serial, 40);
	again = enroll(token_text, "a", key_a, ADDR);
	assert_string_equal(again.id, a.id);
	restart();
	again = enroll(token_text, "b", key_b, ADDR);
	assert_string_equal(again.id, b.id);
	assert_true(is_revoked(serial[0]));
	assert_true(is_revoked(serial[1]));
	assert_token(token_text, "open", 2);
	assert_int_equal(eng->nhosts, 2);
	/* Seen: the same key is another machine's, or another use. */
	report(a.id);
	again = enroll(token_text, "a", key_a, ADDR);
	assert_int_equal(again.status, GRPC_OK);
	assert_string_not_equal(again.id, a.id);
	assert_token(token_text, "issued", 3);
	/* b is still not seen. */
	again = enroll(token_text, "b", key_b, ADDR);
	assert_string_equal(again.id, b.id);
	restart();
	report(b.id);
	assert_token(token_text, "issued", 3);
}

static void
test_labels(void **state)
{
	char			*labels[] = { rig_str("rack=3"),
				    rig_str("env=prod"), rig_str("rack=4") };
	struct token_spec	 ts = { .ts_uses = 2, .ts_host_name = "",
				    .ts_replaces = "", .ts_labels = labels,
				    .ts_nlabels = 3 };
	struct answer		 a;
	struct host		*h;

	(void)state;
	make_token_of(&ts);
	a = enroll(token_text, "w", key_a, ADDR);
	h = host_find(a.id);
	assert_int_equal(h->h_nlabels, 2);
	assert_string_equal(h->h_labels[0], "env=prod");
	assert_string_equal(h->h_labels[1], "rack=4");
	/* What an operator did meanwhile stays; the token's come once more. */
	assert_int_equal(host_label(h, "own=1", "uid 7"), 0);
	assert_int_equal(host_label(h, "rack=", "uid 7"), 0);
	(void)enroll(token_text, "w", key_a, ADDR);
	assert_int_equal(h->h_nlabels, 3);
	restart();
	h = host_find(a.id);
	assert_int_equal(h->h_nlabels, 3);
	assert_string_equal(h->h_labels[1], "own=1");
}

/* A broken machine, and a new one in its place. */
static void
test_replace(void **state)
{
	struct answer	 a;
	struct host	*h;
	char		 id[HOST_ID_SIZE], old[X509_SERIAL_SIZE];
	char		 fresh[X509_SERIAL_SIZE], lost[X509_SERIAL_SIZE];
	uint32_t	 call;

	(void)state;
	call = connected("web", id);
	h = host_find(id);
	assert_int_equal(admitted(call), 0);
	(void)strlcpy(old, h->h_serial, sizeof(old));
	assert_int_equal(host_label(h, "env=prod", "uid 7"), 0);
	assert_int_equal(host_set_paused(h, true, "uid 7"), 0);
	a = enroll(make_replacing(id), "other-name", key_b, ADDR);
	assert_int_equal(a.status, GRPC_OK);
	assert_string_equal(a.id, id);
	/* Nothing has happened to the old one. */
	assert_string_equal(h->h_serial, old);
	assert_string_equal(h->h_name, "web");
	assert_non_null(h->h_session);
	assert_false(is_revoked(old));
	assert_int_equal(contact(id, old), 0);
	assert_token(token_text, "issued", 1);
	/* The answer was lost. */
	(void)strlcpy(lost, h->h_replace_serial, sizeof(lost));
	a = enroll(token_text, "other-name", key_b, ADDR);
	assert_string_equal(a.id, id);
	assert_true(is_revoked(lost));
	assert_refused(enroll(token_text, "x", key_c, ADDR), 7,
	    "token already used");
	restart();
	h = host_find(id);
	(void)strlcpy(fresh, h->h_replace_serial, sizeof(fresh));
	assert_string_not_equal(fresh, lost);
	assert_int_equal(contact(id, old), 0);
	call = last_call;
	/* First contact. */
	assert_int_equal(contact(id, fresh), 0);
	assert_string_equal(h->h_serial, fresh);
	assert_memory_equal(h->h_point, "\4", 1);
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 1);
	rig_free(rig_take(IMSG_AGENT_CLOSE, call));
	assert_int_equal(rig_count(IMSG_AGENT_CLOSE), 0);
	assert_true(is_revoked(old));
	assert_int_equal(contact(id, old), GRPC_PERMISSION_DENIED);
	assert_int_equal(contact(id, fresh), 0);
	assert_token(token_text, "used", 1);
	assert_refused(enroll(token_text, "x", key_b, ADDR), 7,
	    "token already used");
	assert_int_equal(eng->nhosts, 1);
	assert_int_equal(rig_trail("host.replace").tr_n, 2);
	assert_int_equal(rig_trail("host.take-over").tr_n, 1);
	restart();
	h = host_find(id);
	assert_string_equal(h->h_serial, fresh);
	assert_string_equal(h->h_replace_serial, "");
	assert_int_equal(h->h_state, HOST_PAUSED);
	assert_string_equal(h->h_labels[0], "env=prod");
	assert_int_equal(contact(id, old), GRPC_PERMISSION_DENIED);
	assert_int_equal(contact(id, fresh), 0);
}

/* Of two that are to replace one host only the last can. */
static void
test_replace_twice(void **state)
{
	char	 id[HOST_ID_SIZE], first[X509_SERIAL_SIZE], token[65];

	(void)state;
	(void)connected("web", id);
	(void)strlcpy(token, make_replacing(id), sizeof(token));
	assert_int_equal(enroll(token, "x", key_b, ADDR).status, GRPC_OK);
	(void)strlcpy(first, host_find(id)->h_replace_serial, sizeof(first));
	assert_int_equal(enroll(make_replacing(id), "y", key_c, ADDR).status,
	    GRPC_OK);
	assert_true(is_revoked(first));
	assert_int_equal(contact(id, first), GRPC_PERMISSION_DENIED);
	assert_refused(enroll(token, "x", key_b, ADDR), 7,
	    "token already used");
	restart();
	assert_memory_equal(host_find(id)->h_replace_token, token_text, 8);
	assert_refused(enroll(token, "x", key_b, ADDR), 7,
	    "token already used");
	assert_int_equal(contact(id, host_find(id)->h_replace_serial), 0);
	assert_token(token_text, "used", 1);
}

static void
test_replace_gone(void **state)
{
	char		 id[HOST_ID_SIZE];
	uint32_t	 call;

	(void)state;
	(void)connected("web", id);
	make_replacing(id);
	/* While the keyholder signs, and before. */
	call = ask(token_text, "x", key_b, ADDR);
	assert_true(rig_key_answer(IMSG_KEY_MACCHECK));
	assert_int_equal(host_decommission(host_find(id), HOST_REMOVED,
	    "uid 7"), 0);
	rig_key_serve();
	assert_refused(answer_of(call), 7, "host has been removed");
	assert_refused(enroll(make_replacing(id), "x", key_b, ADDR), 7,
	    "the host to be replaced has been removed");
	assert_token(token_text, "open", 0);
}

/* What the old machine had of renewals dies with it. */
static void
test_replace_renewed(void **state)
{
	struct host_cert	 hc = { .hc_serial = "0c" };
	struct host		*h;
	char			 id[HOST_ID_SIZE];

	(void)state;
	(void)connected("web", id);
	h = host_find(id);
	hc.hc_not_after = time(NULL) + 9999;
	cert_set_pending(h, &hc);
	(void)enroll(make_replacing(id), "x", key_b, ADDR);
	assert_int_equal(contact(id, h->h_replace_serial), 0);
	assert_true(is_revoked(rig_str("0c")));
	assert_string_equal(h->h_pending.hc_serial, "");
	assert_int_equal(contact(id, "0c"), GRPC_PERMISSION_DENIED);
	/* One that is in no record, issued before (not_before is 0 here). */
	assert_int_equal(contact(id, "0d"), GRPC_PERMISSION_DENIED);
	assert_false(is_revoked(rig_str("0d")));
}

/* A new machine with a key of its own ends the freeze. */
static void
test_replace_frozen(void **state)
{
	struct host	*h;
	char		 id[HOST_ID_SIZE], old[X509_SERIAL_SIZE];

	(void)state;
	(void)connected("web", id);
	h = host_find(id);
	(void)strlcpy(old, h->h_serial, sizeof(old));
	assert_int_equal(host_freeze(h, "192.0.2.1", "192.0.2.2"), 0);
	assert_int_equal(contact(id, old), GRPC_PERMISSION_DENIED);
	(void)enroll(make_replacing(id), "x", key_b, ADDR);
	assert_int_equal(contact(id, old), GRPC_PERMISSION_DENIED);
	assert_int_equal(contact(id, h->h_replace_serial), 0);
	assert_string_equal(h->h_frozen, "");
	restart();
	assert_string_equal(host_find(id)->h_frozen, "");
}

static void
test_expired(void **state)
{
	struct rig_trail	 tr;
	int64_t			 now = time(NULL);
	char			 one[65], want[64];

	(void)state;
	(void)strlcpy(one, make_token(""), sizeof(one));	/* 600 s */
	(void)enroll(make_uses(1), "w", key_a, ADDR);	/* used up */
	(void)make_uses(2);				/* 3600 s */
	token_tick(now);
	assert_int_equal(rig_trail("token.expire").tr_n, 0);
	token_tick(now + 601);
	token_tick(now + 602);
	tr = rig_trail("token.expire");
	assert_int_equal(tr.tr_n, 1);
	(void)snprintf(want, sizeof(want),
	    "sentineld|token.expire|token %.8s|ok|used 0 of 1", one);
	assert_string_equal(tr.tr_last, want);
	restart();
	token_tick(now + 3601);
	assert_int_equal(rig_trail("token.expire").tr_n, 2);
	token_tick(now + 9999);
	assert_int_equal(rig_trail("token.expire").tr_n, 2);
	token_sweep(now + 3600 + DB_TOKEN_KEEP_SEC - 1);
	assert_token(token_text, "open", 0);
	token_sweep(now + 3600 + DB_TOKEN_KEEP_SEC + 2);
	assert_refused(enroll(token_text, "w", key_c, ADDR), 7,
	    "invalid enrollment token");
}

static int
create(const char *name, const char *host, uint32_t uses, const char *label)
{
	Sentinel__Ipc__ControlRequest	 req;
	char				*labels[1] = { rig_str(label) };
	uint32_t			 client;

	rig_request(&req,
	    SENTINEL__IPC__CONTROL_REQUEST__COMMAND__TOKEN_CREATE);
	req.name = rig_str(name);
	req.host = rig_str(host);
	req.uses = uses;
	req.labels = labels;
	req.n_labels = label[0] != '\0';
	client = rig_ask(&req);
	rig_key_serve();
	return (rig_ended(client));
}

static void
test_asked(void **state)
{
	struct rig_trail	 tr;
	char			 id[HOST_ID_SIZE];

	(void)state;
	(void)connected("web", id);
	assert_int_equal(create("", "", 0, ""), CONTROL_OK);
	assert_int_equal(create("n", "", 1, "a=b"), CONTROL_OK);
	assert_int_equal(create("", "", DB_TOKEN_USES_MAX, ""), CONTROL_OK);
	assert_int_equal(create("", "WEB", 0, "a=b"), CONTROL_OK);
	tr = rig_trail("token.create");
	assert_non_null(strstr(tr.tr_last, "uid 0|token.create|token "));
	assert_non_null(strstr(tr.tr_last, "|ok|1 use, for 3600 s, replaces "
	    "host "));
	assert_non_null(strstr(tr.tr_last, ", labels a=b"));
	assert_int_equal(create("", "", DB_TOKEN_USES_MAX + 1, ""),
	    CONTROL_USAGE);
	assert_int_equal(create("n", "", 2, ""), CONTROL_USAGE);
	assert_int_equal(create("", "web", 2, ""), CONTROL_USAGE);
	assert_int_equal(create("", "nobody", 1, ""), CONTROL_NOSUCH);
	assert_int_equal(create("", "", 1, "a="), CONTROL_USAGE);
	assert_int_equal(create("", "", 1, "a b=c"), CONTROL_USAGE);
	assert_int_equal(rig_trail("token.create").tr_n, tr.tr_n);
	assert_int_equal(rig.broken, 0);
}

#define T(fn)	cmocka_unit_test_setup_teardown(fn, up, rig_down)

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		T(test_uses),
		T(test_lost_answers),
		T(test_labels),
		T(test_replace),
		T(test_replace_twice),
		T(test_replace_gone),
		T(test_replace_renewed),
		T(test_replace_frozen),
		T(test_expired),
		T(test_asked),
	};

	return (cmocka_run_group_tests(tests, NULL, rig_last));
}
