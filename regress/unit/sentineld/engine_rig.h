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

#ifndef ENGINE_RIG_H
#define ENGINE_RIG_H

#include "unit.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "db.h"
#include "engine.h"
#include "grpc.h"
#include "ipccheck.h"
#include "keyholder.h"
#include "keyholder_int.h"
#include "xmalloc.h"

/*
 * The engine with dummy siblings: what it sends is kept here, what they would
 * send is given to its handlers; both after the check against the table.  The
 * database is a real one in a directory of its own.
 */
struct sent {
	TAILQ_ENTRY(sent) st_entry;
	enum role	 st_to;
	uint32_t	 st_type;
	uint32_t	 st_id;
	uint8_t		*st_body;
	size_t		 st_len;
};

static struct {
	struct event_base	*base;
	struct peer		 peer[ROLE_MAX];
	bool			 gone[ROLE_MAX];
	bool			 no_credit;
	TAILQ_HEAD(, sent)	 sent;
	unsigned int		 broken;
	char			 why[256];
	char			 dir[64];
	uint32_t		 serial;	/* given last */
	uint32_t		 last_client;
} rig = { .sent = TAILQ_HEAD_INITIALIZER(rig.sent) };

struct event_base *
proc_base(void)
{
	if (rig.base == NULL)
		rig.base = event_base_new();
	return (rig.base);
}

enum role
proc_self(void)
{
	return (ROLE_ENGINE);
}

struct peer *
proc_peer(enum role role)
{
	return (rig.gone[role] ? NULL : &rig.peer[role]);
}

void
peer_hold(struct peer *p)
{
	p->pe_held = true;
}

void
peer_listen(struct peer *p)
{
	p->pe_held = false;
}

bool
peer_has_credit(const struct peer *p)
{
	return (p != NULL && !rig.no_credit);
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd,
    const void *body, size_t len)
{
	const struct imsg_rule	*ir = imsg_rule_find(type);
	struct sent		*s;

	assert_int_equal(fd, -1);
	if (p == NULL) {
		errno = ENOTCONN;
		return (-1);
	}
	/* The real one ends the daemon then. */
	if (ir == NULL || (ir->ir_from & ROLE_BIT(ROLE_ENGINE)) == 0 ||
	    (ir->ir_to & ROLE_BIT(p->pe_role)) == 0 || len < ir->ir_min ||
	    len > ir->ir_max)
		fail_msg("%s, %zu bytes, breaks the table",
		    imsg_rule_name(type), len);
	s = xcalloc(1, sizeof(*s));
	s->st_to = p->pe_role;
	s->st_type = type;
	s->st_id = id;
	s->st_body = xmalloc(len + 1);
	if (len > 0)
		memcpy(s->st_body, body, len);
	s->st_len = len;
	TAILQ_INSERT_TAIL(&rig.sent, s, st_entry);
	return (0);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *buf)
{
	return (peer_send(p, type, id, fd, ibuf_data(buf), ibuf_size(buf)));
}

int
peer_send_pb(struct peer *p, uint32_t type, uint32_t id,
    const ProtobufCMessage *m)
{
	uint8_t	*body;
	char	 why[256];
	size_t	 len;
	int	 ret;

	body = pbcheck_pack(m, IMSG_MAXBODY, &len);
	assert_non_null(body);
	/* What the receiver will say to it. */
	if (pbcheck_scan(m->descriptor, body, len, why, sizeof(why)) == -1)
		fail_msg("%s: %s", imsg_rule_name(type), why);
	ret = peer_send(p, type, id, -1, body, len);
	free(body);
	return (ret);
}

void
peer_broken(struct peer *p, const struct imsg *imsg, const char *why)
{
	(void)p;
	(void)imsg;
	rig.broken++;
	(void)strlcpy(rig.why, why, sizeof(rig.why));
}

__dead void
proc_exit(int status)
{
	(void)status;
	abort();
}

/* --- what was sent ------------------------------------------------------ */

static inline void
rig_free(struct sent *s)
{
	if (s == NULL)
		return;
	free(s->st_body);
	free(s);
}

/* The oldest of a type (0: any), and of an id (0: any); NULL when none. */
static inline struct sent *
rig_take(uint32_t type, uint32_t id)
{
	struct sent	*s;

	TAILQ_FOREACH(s, &rig.sent, st_entry) {
		if ((type == 0 || s->st_type == type) &&
		    (id == 0 || s->st_id == id)) {
			TAILQ_REMOVE(&rig.sent, s, st_entry);
			return (s);
		}
	}
	return (NULL);
}

static inline size_t
rig_count(uint32_t type)
{
	struct sent	*s;
	size_t		 n = 0;

	TAILQ_FOREACH(s, &rig.sent, st_entry)
		n += s->st_type == type;
	return (n);
}

static inline void
rig_forget(void)
{
	struct sent	*s;

	while ((s = rig_take(0, 0)) != NULL)
		rig_free(s);
}

static inline void *
rig_unpack(const struct sent *s, const ProtobufCMessageDescriptor *d,
    struct pbmem *pm)
{
	void	*m;

	assert_non_null(s);
	pbmem_init(pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = pbcheck_unpack(d, s->st_body, s->st_len, pm, NULL);
	if (m == NULL)
		fail_msg("%s", pm->pm_why);
	return (m);
}

/* --- what is received --------------------------------------------------- */

extern const struct proc_handler	engine_handlers[];

static inline void
rig_give(enum role from, uint32_t type, uint32_t id, const void *body,
    size_t len)
{
	const struct proc_handler	*ph;
	const char			*why;
	struct imsg			 m;

	memset(&m, 0, sizeof(m));
	m.hdr.type = type;
	m.hdr.peerid = id;
	m.hdr.len = (uint32_t)(IMSG_HEADER_SIZE + len);
	m.buf = ibuf_dynamic(len + 1, len + 1);
	assert_non_null(m.buf);
	if (len > 0)
		assert_int_equal(ibuf_add(m.buf, body, len), 0);
	if ((why = imsg_rule_check(&m, from, ROLE_ENGINE)) != NULL)
		fail_msg("%s: %s", imsg_rule_name(type), why);
	for (ph = engine_handlers; ph->ph_fn != NULL; ph++) {
		if (ph->ph_type == type) {
			ph->ph_fn(&rig.peer[from], &m);
			imsg_free(&m);
			return;
		}
	}
	fail_msg("%s: nobody handles it", imsg_rule_name(type));
}

static inline void
rig_give_pb(enum role from, uint32_t type, uint32_t id,
    const ProtobufCMessage *pb)
{
	uint8_t	*body;
	size_t	 len;

	body = pbcheck_pack(pb, IMSG_MAXBODY, &len);
	assert_non_null(body);
	rig_give(from, type, id, body, len);
	free(body);
}

static inline void
rig_give_ibuf(enum role from, uint32_t type, uint32_t id, struct ibuf *buf)
{
	rig_give(from, type, id, ibuf_data(buf), ibuf_size(buf));
	ibuf_free(buf);
}

static inline void
rig_run(int msec)
{
	struct timeval	 tv = monotime_timeval((uint64_t)msec);

	(void)event_base_loopexit(proc_base(), &tv);
	(void)event_base_dispatch(proc_base());
}

/* protobuf-c has no const strings; nothing writes through these. */
static inline char *
rig_str(const char *s)
{
	return ((char *)(uintptr_t)s);
}

/* --- the keyholder ------------------------------------------------------ */

/* Any function of the token will do. */
static inline void
rig_mac(const uint8_t *token, uint8_t mac[32])
{
	size_t	 i;

	for (i = 0; i < 32; i++)
		mac[i] = (uint8_t)(token[i] ^ (token[63 - i] << 1) ^ 0x5a);
}

static inline void
rig_issue(uint32_t id, uint8_t rc)
{
	static const uint8_t	 der[] = { 0x30, 0x00 };
	struct ibuf		*out = ibuf_dynamic(64, 512);
	uint8_t			 serial[4];

	rig.serial++;
	serial[0] = 0x7f;
	serial[1] = (uint8_t)(rig.serial >> 16);
	serial[2] = (uint8_t)(rig.serial >> 8);
	serial[3] = (uint8_t)rig.serial;
	assert_true(ibuf_add_n8(out, rc) == 0 &&
	    ibuf_add_bytes(out, serial, sizeof(serial)) == 0 &&
	    ibuf_add_n64(out, (uint64_t)time(NULL)) == 0 &&
	    ibuf_add_n64(out, (uint64_t)time(NULL) + 3600) == 0 &&
	    ibuf_add_bytes(out, der, sizeof(der)) == 0 &&
	    ibuf_add_string(out, rc == 0 ? "" : "limit") == 0);
	rig_give_ibuf(ROLE_KEYHOLDER, IMSG_KEY_ISSUED, id, out);
}

/* Answers one question of a type; false when none is there. */
static inline bool
rig_key_answer(uint32_t type)
{
	struct sent	*s;
	struct ibuf	 in, *out;
	const uint8_t	*data, *mac;
	uint8_t		 own[32];
	size_t		 len, maclen;

	if ((s = rig_take(type, 0)) == NULL)
		return (false);
	assert_int_equal(s->st_to, ROLE_KEYHOLDER);
	ibuf_from_buffer(&in, s->st_body, s->st_len);
	out = ibuf_dynamic(64, 512);
	switch (type) {
	case IMSG_KEY_MAC:
		assert_int_equal(ibuf_get_bytes(&in, 64, &data, &len), 0);
		assert_int_equal(len, 64);
		rig_mac(data, own);
		assert_int_equal(ibuf_add_bytes(out, own, 32), 0);
		rig_give_ibuf(ROLE_KEYHOLDER, IMSG_KEY_MACED, s->st_id, out);
		break;
	case IMSG_KEY_MACCHECK:
		assert_int_equal(ibuf_get_bytes(&in, 64, &data, &len), 0);
		assert_int_equal(ibuf_get_bytes(&in, 32, &mac, &maclen), 0);
		assert_int_equal(maclen, 32);
		rig_mac(data, own);
		assert_int_equal(ibuf_add_n8(out, memcmp(own, mac, 32) == 0),
		    0);
		rig_give_ibuf(ROLE_KEYHOLDER, IMSG_KEY_MACCHECKED, s->st_id,
		    out);
		break;
	case IMSG_KEY_COMMAND:
		assert_true(ibuf_add_n8(out, 0) == 0 &&
		    ibuf_add_bytes(out, "signature", 9) == 0);
		rig_give_ibuf(ROLE_KEYHOLDER, IMSG_KEY_COMMAND_SIGNED,
		    s->st_id, out);
		break;
	default:
		ibuf_free(out);
		rig_issue(s->st_id, 0);
		break;
	}
	rig_free(s);
	return (true);
}

static inline void
rig_key_serve(void)
{
	while (rig_key_answer(IMSG_KEY_MAC) ||
	    rig_key_answer(IMSG_KEY_MACCHECK) ||
	    rig_key_answer(IMSG_KEY_ISSUE) || rig_key_answer(IMSG_KEY_COMMAND))
		;
}

/* KEY_INFO of a CA's certificate; x NULL: always the same one. */
static inline void
rig_ca(uint8_t purpose, uint8_t slot, X509 *x)
{
	static struct key_cert	 first;
	static struct key	 key;
	struct key_cert		*kc = xcalloc(1, sizeof(*kc));
	struct ibuf		*b = ibuf_dynamic(512, 4096);
	uint8_t			 point[ECKEY_POINT_LEN] = { 4 };
	X509			*own;

	if (x != NULL)
		assert_int_equal(key_cert_export(x, kc), 0);
	else {
		if (first.kc_len == 0) {
			key_arena_init();
			assert_int_equal(key_make(&key), 0);
			own = key_ca_selfsign(&key, 86400, time(NULL));
			assert_non_null(own);
			assert_int_equal(key_cert_export(own, &first), 0);
			X509_free(own);
			key_clear(&key);
		}
		*kc = first;
	}
	assert_true(ibuf_add_n8(b, purpose) == 0 &&
	    ibuf_add_n8(b, slot) == 0 &&
	    ibuf_add_bytes(b, point, sizeof(point)) == 0 &&
	    ibuf_add_bytes(b, kc->kc_der, kc->kc_len) == 0 &&
	    ibuf_add_bytes(b, kc->kc_serial, kc->kc_seriallen) == 0 &&
	    ibuf_add_n64(b, (uint64_t)kc->kc_notbefore) == 0 &&
	    ibuf_add_n64(b, (uint64_t)kc->kc_notafter) == 0);
	rig_give_ibuf(ROLE_KEYHOLDER, IMSG_KEY_INFO, 0, b);
	free(kc);
}

/* --- hosts and their calls ---------------------------------------------- */

static inline struct host *
rig_host(const char *id, const char *name)
{
	struct host	*h = host_new(id, name);

	assert_int_equal(host_insert(h), 0);
	return (h);
}

static inline void
rig_open(uint32_t call, const char *host, const char *serial,
    const Sentinel__Cluster__StateReport *report)
{
	Sentinel__Ipc__AgentOpen	 open;
	uint8_t				 point[ECKEY_POINT_LEN] = { 4 };

	sentinel__ipc__agent_open__init(&open);
	open.kind = report != NULL ? SENTINEL__IPC__AGENT_OPEN__KIND__REPORT :
	    SENTINEL__IPC__AGENT_OPEN__KIND__CHANNEL;
	open.host_id = rig_str(host);
	open.serial = rig_str(serial);
	open.point.data = point;
	open.point.len = sizeof(point);
	open.not_after = time(NULL) + 3600;
	open.address = rig_str("192.0.2.7");
	open.report = (Sentinel__Cluster__StateReport *)(uintptr_t)report;
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_OPEN, call, &open.base);
}

static inline void
rig_list_end(uint32_t call, const char *request, uint32_t count,
    const char *error)
{
	Sentinel__Ipc__ListEnd	 end;

	sentinel__ipc__list_end__init(&end);
	end.request_id = rig_str(request);
	end.count = count;
	end.error = rig_str(error);
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_LIST_END, call, &end.base);
}

static inline void
rig_container(uint32_t call, const char *name, size_t labelbytes)
{
	Sentinel__Cluster__ContainerInfo		 info;
	Sentinel__Cluster__ContainerInfo__LabelsEntry	 le, *lep = &le;
	char						*text = NULL;

	sentinel__cluster__container_info__init(&info);
	info.name = rig_str(name);
	info.image = rig_str("registry.example/app:1");
	if (labelbytes > 0) {
		text = xmalloc(labelbytes + 1);
		memset(text, 'x', labelbytes);
		text[labelbytes] = '\0';
		sentinel__cluster__container_info__labels_entry__init(&le);
		le.key = rig_str("k");
		le.value = text;
		info.labels = &lep;
		info.n_labels = 1;
	}
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_CONTAINER, call, &info.base);
	free(text);
}

static inline void
rig_closed(uint32_t call)
{
	Sentinel__Ipc__AgentClosed	 closed;

	sentinel__ipc__agent_closed__init(&closed);
	closed.category = rig_str("network");
	closed.text = rig_str("gone");
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_CLOSED, call, &closed.base);
}

static inline void
rig_message(uint32_t call, Sentinel__Cluster__AgentMessage *m)
{
	rig_give_pb(ROLE_CLUSTER, IMSG_AGENT_MESSAGE, call, &m->base);
}

/* --- sentinelctl -------------------------------------------------------- */

static inline void
rig_request(Sentinel__Ipc__ControlRequest *req,
    Sentinel__Ipc__ControlRequest__Command command)
{
	sentinel__ipc__control_request__init(req);
	req->version = CONTROL_VERSION;
	req->command = command;
}

static inline uint32_t
rig_ask(const Sentinel__Ipc__ControlRequest *req)
{
	rig_give_pb(ROLE_CONTROL, IMSG_CONTROL_REQUEST, ++rig.last_client,
	    &req->base);
	return (rig.last_client);
}

/* The code of the end of a request, -1 when it has not ended. */
static inline int
rig_ended(uint32_t client)
{
	Sentinel__Ipc__ControlEnd	*end;
	struct pbmem			 pm;
	struct sent			*s;
	int				 code;

	if ((s = rig_take(IMSG_CONTROL_END, client)) == NULL)
		return (-1);
	end = rig_unpack(s, &sentinel__ipc__control_end__descriptor, &pm);
	code = (int)end->code;
	pbmem_free(&pm);
	rig_free(s);
	return (code);
}

/* --- the audit trail ---------------------------------------------------- */

struct rig_trail {
	size_t		 tr_n;
	const char	*tr_action;	/* only these, NULL: all */
	char		 tr_last[2048];	/* actor|action|subject|outcome|text */
};

static inline bool
rig_trail_one(const Sentinel__Store__AuditRecord *r, const uint8_t *hash,
    void *arg)
{
	struct rig_trail	*tr = arg;

	(void)hash;
	if (tr->tr_action != NULL && strcmp(tr->tr_action, r->action) != 0)
		return (true);
	tr->tr_n++;
	(void)snprintf(tr->tr_last, sizeof(tr->tr_last),
	    "%s|%s|%s|%s|%s", r->actor, r->action, r->subject, r->outcome,
	    r->text);
	return (true);
}

static inline int
rig_trail_walk(struct store_txn *tx, void *arg)
{
	return (db_audit_walk(tx, 1, rig_trail_one, arg) == -1 ? -1 : 0);
}

/* How many records there are, and the newest. */
static inline struct rig_trail
rig_trail(const char *action)
{
	struct rig_trail	 tr = { .tr_action = action };

	assert_int_equal(store_view(eng->store, rig_trail_walk, &tr), 0);
	return (tr);
}

/* --- life --------------------------------------------------------------- */

static inline void
rig_start(void)
{
	engine_start();
	eng->conf.ec_agent_life_sec = 3600;
	eng->conf.ec_token_life_sec = 3600;
	eng->conf.ec_enroll_failures = 3;
	eng->conf.ec_enroll_window_msec = 60000;
	eng->conf.ec_heartbeat_msec = 60000;
	eng->conf.ec_list_msec = eng->conf.ec_action_msec = 60000;
	eng->conf.ec_logs_msec = eng->conf.ec_update_msec = 60000;
	eng->conf.ec_follow_idle_msec = 60000;
	eng->conf.ec_last_seen_msec = 60000;
	rig_ca(KEY_PURPOSE_CA, KEY_SLOT_CURRENT, NULL);
	memset(eng->ca_pin, 'a', 64);
	eng->command_der = xmemdup("\x30", 1);
	eng->command_derlen = 1;
	eng->ready = true;
}

/* As kill -9 would, but without the leaks; the database is closed. */
static inline void
rig_crash(void)
{
	struct session	*s;
	struct host	*h;
	struct op	*op;
	uint32_t	 id;

	reqtab_free(eng->keys);
	while ((s = RB_MIN(session_tree, &eng->sessions)) != NULL)
		rig_closed(s->se_call);
	while ((op = RB_MIN(op_tree, &eng->ops)) != NULL)
		op_fail(op, OP_GONE, "end");
	for (id = 1; id <= rig.last_client; id++)
		rig_give(ROLE_CONTROL, IMSG_CONTROL_GONE, id, NULL, 0);
	while ((h = RB_MIN(host_tree, &eng->hosts)) != NULL) {
		RB_REMOVE(host_tree, &eng->hosts, h);
		host_free(h);
	}
	assert_int_equal(eng->list_bytes, 0);
	assert_int_equal(eng->nsessions, 0);
	free(eng->ca_der);
	free(eng->ca_pem);
	free(eng->command_der);
	store_close(eng->store);
	memset(eng, 0, sizeof(*eng));
	rig_forget();
	rig.broken = 0;
}

static inline int
rig_up(void **state)
{
	size_t	 i;

	(void)state;
	rig.no_credit = false;
	for (i = 0; i < ROLE_MAX; i++) {
		rig.peer[i].pe_role = (enum role)i;
		rig.peer[i].pe_channel = i + 1;
	}
	(void)snprintf(rig.dir, sizeof(rig.dir), "/tmp/engine_test.XXXXXX");
	if (mkdtemp(rig.dir) == NULL || chdir(rig.dir) == -1)
		return (-1);
	rig_start();
	return (0);
}

static inline int
rig_down(void **state)
{
	char	 cmd[128];

	(void)state;
	rig_crash();
	(void)snprintf(cmd, sizeof(cmd), "rm -rf %s", rig.dir);
	return (chdir("/") == -1 || system(cmd) != 0 ? -1 : 0);
}

/* All that stays for the life of a process. */
static inline int
rig_last(void **state)
{
	(void)state;
	event_base_free(rig.base);
	return (0);
}

#endif /* ENGINE_RIG_H */
