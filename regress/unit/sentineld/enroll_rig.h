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

#ifndef ENROLL_RIG_H
#define ENROLL_RIG_H

#include "engine_rig.h"

#include "engine_token.h"
#include "hex.h"

/* Tokens made and used, over the rig of the engine. */
static const uint8_t	key_a[ECKEY_POINT_LEN] = { 4, 'a' };
static const uint8_t	key_b[ECKEY_POINT_LEN] = { 4, 'b' };

static uint32_t		last_call;
static char		token_text[65];

static inline void
on_created(const char *token, const Sentinel__Store__Token *t,
    const char *why, void *arg)
{
	(void)arg;
	if (token == NULL)
		fail_msg("%s", why);
	(void)t;
	(void)strlcpy(token_text, token, sizeof(token_text));
}

/* Its text, until the next one is made. */
static inline const char *
make_token_of(const struct token_spec *ts)
{
	token_text[0] = '\0';
	token_create(ts, on_created, NULL);
	rig_key_serve();
	assert_int_equal(strlen(token_text), 64);
	return (token_text);
}

static inline const char *
make_token(const char *host_name)
{
	struct token_spec	 ts = { .ts_ttl_sec = 600, .ts_uses = 1,
				    .ts_host_name = host_name,
				    .ts_replaces = "" };

	return (make_token_of(&ts));
}

struct edit {
	const char	*id;
	void		(*fn)(Sentinel__Store__Token *);
};

static inline int
edit_token(struct store_txn *tx, void *arg)
{
	Sentinel__Store__Token	*t;
	struct edit		*ed = arg;
	struct pbmem		 pm;
	int			 ret;

	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	assert_int_equal(db_token_get(tx, ed->id, &pm, &t), 1);
	ed->fn(t);
	ret = db_token_put(tx, t);
	pbmem_free(&pm);
	return (ret);
}

static inline void
edit(const char *token, void (*fn)(Sentinel__Store__Token *))
{
	char		 id[9];
	struct edit	 ed = { id, fn };

	(void)snprintf(id, sizeof(id), "%.8s", token);
	assert_int_equal(store_update(eng->store, edit_token, &ed), 0);
}

static inline int
read_revoked(struct store_txn *tx, void *arg)
{
	return (db_revoked_has(tx, arg));
}

static inline bool
is_revoked(char *serial)
{
	int	 n;

	n = store_view(eng->store, read_revoked, serial);
	/* A view that returns 1 is rolled back as a failed one. */
	return (n != 0);
}

static inline uint32_t
ask(const char *token, const char *name, const uint8_t *point,
    const char *address)
{
	Sentinel__Ipc__EnrollAsk	 en;

	sentinel__ipc__enroll_ask__init(&en);
	en.token = rig_str(token);
	en.host_name = rig_str(name);
	en.point.data = (uint8_t *)(uintptr_t)point;
	en.point.len = ECKEY_POINT_LEN;
	en.address = rig_str(address);
	rig_give_pb(ROLE_CLUSTER, IMSG_ENROLL_ASK, ++last_call, &en.base);
	return (last_call);
}

struct answer {
	bool		 there;
	uint32_t	 status;
	char		 text[256];
	char		 id[HOST_ID_SIZE];
};

static inline struct answer
answer_of(uint32_t call)
{
	Sentinel__Ipc__EnrollAnswer	*m;
	struct answer			 a = { 0 };
	struct pbmem			 pm;
	struct sent			*s;

	if ((s = rig_take(IMSG_ENROLL_ANSWER, call)) == NULL)
		return (a);
	m = rig_unpack(s, &sentinel__ipc__enroll_answer__descriptor, &pm);
	a.there = true;
	a.status = m->status;
	(void)strlcpy(a.text, m->message, sizeof(a.text));
	assert_true((m->status == GRPC_OK) == (m->response != NULL));
	if (m->response != NULL) {
		(void)strlcpy(a.id, m->response->host_id, sizeof(a.id));
		assert_memory_equal(m->response->agent_cert.data,
		    "-----BEGIN CERTIFICATE-----", 27);
	}
	pbmem_free(&pm);
	rig_free(s);
	return (a);
}

static inline struct answer
enroll(const char *token, const char *name, const uint8_t *point,
    const char *address)
{
	uint32_t	 call = ask(token, name, point, address);

	rig_key_serve();
	return (answer_of(call));
}

static inline void
report(const char *id)
{
	Sentinel__Cluster__StateReport	 r;

	sentinel__cluster__state_report__init(&r);
	rig_open(++last_call, id, host_find(id)->h_serial, &r);
	rig_list_end(last_call, "", 0, "");
	rig_free(rig_take(IMSG_AGENT_REPORT_ACK, last_call));
}

#define assert_refused(a, code, words) do {				\
	struct answer	 a_ = (a);					\
									\
	assert_true(a_.there);						\
	assert_int_equal(a_.status, (code));				\
	assert_string_equal(a_.text, (words));				\
} while (0)

#endif /* ENROLL_RIG_H */
