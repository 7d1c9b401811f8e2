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

#ifndef CLUSTER_RIG_H
#define CLUSTER_RIG_H

#include "../lib/wire_util.h"

#include <sys/resource.h>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "cluster.h"
#include "crashpage.h"
#include "imsg_rule.h"
#include "ipc.pb-c.h"
#include "keyop.h"
#include "listener.h"
#include "pbcheck.h"
#include "sentinel.pb-c.h"

/*
 * The cluster process without its neighbours: real TLS, HTTP/2 and gRPC over
 * loopback; engine, parent and keyholder are played here.
 */
typedef Sentinel__Ipc__AgentClosed	closed_msg;

#define HELD_HOST	"0123456789abcdef0123456789abcdef"

/* --- neighbours --------------------------------------------------------- */

struct sent {
	TAILQ_ENTRY(sent) entry;
	uint32_t	 type, id;
	uint8_t		*body;
	size_t		 len;
};
static TAILQ_HEAD(, sent) sent = TAILQ_HEAD_INITIALIZER(sent);
static struct event_base *base;
static struct peer	 engine = { .pe_role = ROLE_ENGINE };
static bool		 has_credit = true;
static int		 nbroken, nkeys, nsigned;
static struct pem	 ca, foreign_ca, leaf, agent, held, stranger;
static int		 page_fd = -1;	/* -1: no crash page */
static uint8_t		 page_raw[CRASHPAGE_NOTE_LEN];	/* at AGENT_OPEN */
static jmp_buf		 exit_jmp;
static int		 port;

struct event_base *
proc_base(void)
{
	return (base);
}

struct peer *
proc_peer(enum role role)
{
	return (role == ROLE_ENGINE ? &engine : NULL);
}

bool
peer_has_credit(const struct peer *p)
{
	return (p != NULL && has_credit);
}

int
peer_send(struct peer *p, uint32_t type, uint32_t id, int fd,
    const void *body, size_t len)
{
	const struct imsg_rule	*ir = imsg_rule_find(type);
	struct sent		*s;

	(void)p;
	assert_int_equal(fd, -1);
	assert_non_null(ir);
	assert_true(ir->ir_from & ROLE_BIT(ROLE_CLUSTER));
	assert_true(len >= ir->ir_min && len <= ir->ir_max);
	s = calloc(1, sizeof(*s));
	s->type = type;
	s->id = id;
	s->body = malloc(len + 1);
	memcpy(s->body, body, len);
	s->len = len;
	TAILQ_INSERT_TAIL(&sent, s, entry);
	if (type == IMSG_AGENT_OPEN && page_fd != -1)
		assert_int_equal(crashpage_copy(page_fd, page_raw), 0);
	return (0);
}

int
peer_send_ibuf(struct peer *p, uint32_t type, uint32_t id, int fd,
    const struct ibuf *b)
{
	return (peer_send(p, type, id, fd, ibuf_data(b), ibuf_size(b)));
}

/* What we send must pass the rules of who receives it. */
int
peer_send_pb(struct peer *p, uint32_t type, uint32_t id,
    const ProtobufCMessage *m)
{
	uint8_t	*body;
	char	 why[200];
	size_t	 len;
	int	 rc;

	assert_non_null(body = pbcheck_pack(m, 8 * 1024 * 1024, &len));
	if (pbcheck_scan(m->descriptor, body, len, why, sizeof(why)) == -1)
		fail_msg("%s: %s", imsg_rule_name(type), why);
	rc = peer_send(p, type, id, -1, body, len);
	free(body);
	return (rc);
}

void
peer_broken(struct peer *p, const struct imsg *m, const char *why)
{
	(void)p;
	(void)m;
	(void)why;
	nbroken++;
}

int
proc_sync_fd(void)
{
	return (-1);
}

void
proc_exit(int status)
{
	longjmp(exit_jmp, status + 1);
}

static inline int
sign(const uint8_t point[ECKEY_POINT_LEN],
    const uint8_t digest[ECKEY_DIGEST_LEN], uint8_t *sig, size_t *len)
{
	uint8_t	 own[ECKEY_POINT_LEN];

	assert_int_equal(eckey_point(leaf.pm_pkey, own), 0);
	assert_memory_equal(point, own, sizeof(own));
	nsigned++;
	return (eckey_sign(leaf.pm_pkey, digest, sig, len));
}

void
keyop_init(int fd)
{
	(void)fd;
	assert_int_equal(eckey_hook(sign), 0);
}

int
keyop_add(const uint8_t point[ECKEY_POINT_LEN])
{
	(void)point;
	nkeys = 1;
	return (0);
}

void
keyop_del(const uint8_t point[ECKEY_POINT_LEN])
{
	(void)point;
	nkeys = 0;
}

bool
keyop_has(const uint8_t point[ECKEY_POINT_LEN])
{
	(void)point;
	return (nkeys > 0);
}

int
keyop_selftest(const uint8_t point[ECKEY_POINT_LEN])
{
	(void)point;
	return (0);
}

/* --- the engine's part -------------------------------------------------- */

static inline void
handle(enum role from, uint32_t type, uint32_t id, int fd, const void *body,
    size_t len)
{
	const struct proc_handler	*ph = cluster_handlers;
	struct imsgbuf			 out, in;
	struct imsg			 m;
	const char			*why;
	int				 sv[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, sv), 0);
	assert_int_equal(imsgbuf_init(&out, sv[0]), 0);
	assert_int_equal(imsgbuf_init(&in, sv[1]), 0);
	imsgbuf_set_maxsize(&out, IMSG_MAXBODY);
	imsgbuf_set_maxsize(&in, IMSG_MAXBODY);
	assert_int_equal(imsg_compose(&out, type, id, fd, body, len), 0);
	while (imsgbuf_get(&in, &m) == 0) {
		assert_int_equal(imsgbuf_write(&out), 0);
		assert_int_equal(imsgbuf_read(&in), 1);
	}
	if ((why = imsg_rule_check(&m, from, ROLE_CLUSTER)) != NULL)
		fail_msg("%s: %s", imsg_rule_name(type), why);
	while (ph->ph_fn != NULL && ph->ph_type != type)
		ph++;
	assert_non_null(ph->ph_fn);
	ph->ph_fn(&engine, &m);
	imsg_free(&m);
	imsgbuf_clear(&out);
	imsgbuf_clear(&in);
	(void)close(sv[0]);
	(void)close(sv[1]);
}

static inline void
tell(uint32_t type, uint32_t id, const ProtobufCMessage *pb)
{
	uint8_t	*body;
	size_t	 len;

	assert_non_null(body = pbcheck_pack(pb, 8 * 1024 * 1024, &len));
	handle(ROLE_ENGINE, type, id, -1, body, len);
	free(body);
}

static inline void
tell_admit(uint32_t id, uint32_t status, const char *text)
{
	Sentinel__Ipc__AgentAdmit	 m;
	char				 copy[100];

	(void)strlcpy(copy, text, sizeof(copy));
	sentinel__ipc__agent_admit__init(&m);
	m.status = status;
	m.message = copy;
	tell(IMSG_AGENT_ADMIT, id, &m.base);
}

static inline void
sent_free(struct sent *s)
{
	TAILQ_REMOVE(&sent, s, entry);
	free(s->body);
	free(s);
}

static inline struct sent *
sent_find(uint32_t type)
{
	struct sent	*s;

	TAILQ_FOREACH(s, &sent, entry)
		if (s->type == type)
			return (s);
	return (NULL);
}

static inline size_t
sent_count(uint32_t type)
{
	struct sent	*s;
	size_t		 n = 0;

	TAILQ_FOREACH(s, &sent, entry)
		n += s->type == type;
	return (n);
}

static inline void
sent_clear(void)
{
	while (!TAILQ_EMPTY(&sent))
		sent_free(TAILQ_FIRST(&sent));
}

/* The next of a type, taken off the list; pm holds it. */
static inline void *
expect(uint32_t type, const ProtobufCMessageDescriptor *desc, uint32_t *id,
    struct pbmem *pm)
{
	monotime_t	 end = monotime_now() + LOOP_MSEC;
	struct sent	*s;
	void		*m;

	while ((s = sent_find(type)) == NULL) {
		if (monotime_now() > end)
			fail_msg("no %s", imsg_rule_name(type));
		loop_for(base, 5);
	}
	if (id != NULL)
		*id = s->id;
	pbmem_init(pm, PBMEM_MAXBYTES, PBMEM_MAXALLOCS);
	m = pbcheck_unpack(desc, s->body, s->len, pm, NULL);
	assert_non_null(m);
	sent_free(s);
	return (m);
}

static inline void
expect_closed(uint32_t want, const char *category, const char *text)
{
	struct pbmem	 pm;
	closed_msg	*m;
	uint32_t	 id;

	m = expect(IMSG_AGENT_CLOSED, &sentinel__ipc__agent_closed__descriptor,
	    &id, &pm);
	assert_int_equal(id, want);
	assert_string_equal(m->category, category);
	assert_string_equal(m->text, text);
	pbmem_free(&pm);
	loop_for(base, 5);
	assert_int_equal(sent_count(IMSG_AGENT_CLOSED), 0);
}

/* --- an agent ----------------------------------------------------------- */

struct client {
	int			 fd;
	struct tls		*ctx;
	struct stream		*stream;
	struct grpc_conn	*conn;
	struct grpc_call	*call;
	bool			 up, ended, over, goaway;
	enum grpc_status	 status;
	char			 text[GRPC_TEXT_MAXBYTES + 1];
	uint8_t			*msg;
	size_t			 msglen;
	int			 nmsg;
};

static inline void
c_message(struct grpc_call *call, const uint8_t *data, size_t len, void *arg)
{
	struct client	*c = arg;

	(void)call;
	free(c->msg);
	c->msg = malloc(len + 1);
	memcpy(c->msg, data, len);
	c->msglen = len;
	c->nmsg++;
}

static inline void
c_status(struct grpc_call *call, enum grpc_status status, const char *text,
    void *arg)
{
	struct client	*c = arg;

	if (call != c->call)
		return;
	c->call = NULL;
	c->over = true;
	c->status = status;
	(void)strlcpy(c->text, text, sizeof(c->text));
}

static inline void
c_goaway(struct grpc_conn *conn, const char *text, void *arg)
{
	struct client	*c = arg;

	(void)conn;
	(void)text;
	c->goaway = true;
}

static inline void
c_closed(struct grpc_conn *conn, enum stream_end end, const char *text,
    void *arg)
{
	struct client	*c = arg;

	(void)conn;
	(void)end;
	(void)text;
	c->conn = NULL;
	c->ended = true;
}

static const struct grpc_client_ops	c_ops = {
	.gc_call_message = c_message,
	.gc_call_status = c_status,
	.gc_conn_goaway = c_goaway,
	.gc_conn_closed = c_closed
};

static inline void
c_up(struct stream *s, void *arg)
{
	struct client	*c = arg;

	if (tlsconf_fault(stream_tls(s), TLSCONF_H2) != NULL)
		return;
	c->conn = grpc_client_new(base, s, "localhost:1", &c_ops, c);
	assert_non_null(c->conn);
	c->stream = NULL;
	c->up = true;
}

static inline void
c_read(struct stream *s, struct evbuffer *in, void *arg)
{
	(void)s;
	(void)in;
	(void)arg;
}

static inline void
c_end(struct stream *s, enum stream_end end, const char *text, void *arg)
{
	struct client	*c = arg;

	(void)end;
	(void)text;
	stream_free(s);
	c->stream = NULL;
	c->ended = true;
}

static const struct stream_ops	c_stream_ops = {
	.so_up = c_up,
	.so_read = c_read,
	.so_end = c_end
};

/* From 127.0.0.host. */
static inline int
dial_from(uint32_t host)
{
	struct sockaddr_in	 sin = { .sin_family = AF_INET };
	int			 fd;

	assert_true((fd = socket(AF_INET, SOCK_STREAM, 0)) != -1);
	sin.sin_addr.s_addr = htonl(0x7f000000 | host);
	assert_int_equal(bind(fd, (struct sockaddr *)&sin, sizeof(sin)), 0);
	sin.sin_port = htons((uint16_t)port);
	sin.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(connect(fd, (struct sockaddr *)&sin, sizeof(sin)),
	    0);
	return (fd);
}

static inline int
dial(void)
{
	return (dial_from(1));
}

static inline void
client_begin(struct client *c, const struct pem *cert, const char *alpn)
{
	memset(c, 0, sizeof(*c));
	c->fd = dial();
	c->ctx = tls_context(false, cert, NULL, alpn);
	assert_int_equal(tls_connect_socket(c->ctx, c->fd, "localhost"), 0);
	c->stream = stream_new(base, c->fd, c->ctx, &c_stream_ops, c);
	assert_non_null(c->stream);
}

static inline void
client_open(struct client *c, const struct pem *cert)
{
	client_begin(c, cert, TLSCONF_H2);
	loop_until(base, &c->up);
}

static inline void
client_close(struct client *c)
{
	if (c->conn != NULL)
		grpc_conn_close(c->conn);
	stream_free(c->stream);
	free(c->msg);
	loop_for(base, 20);
}

static inline void
client_call(struct client *c, enum cluster_kind kind)
{
	c->over = false;
	c->nmsg = 0;
	c->call = grpc_call_start(c->conn, &cluster_methods[kind], 0, NULL);
	assert_non_null(c->call);
}

static inline void
client_send(struct client *c, const ProtobufCMessage *m)
{
	uint8_t	*data;
	size_t	 len;

	assert_non_null(data = pbcheck_pack(m, GRPC_SEND_MAXBYTES, &len));
	assert_int_equal(grpc_call_send(c->call, data, len), 0);
	free(data);
}

/* A Channel, admitted; its number. */
static inline uint32_t
client_channel(struct client *c)
{
	struct pbmem	 pm;
	uint32_t	 id;

	client_open(c, &agent);
	client_call(c, CALL_CHANNEL);
	(void)expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	tell_admit(id, 0, "");
	return (id);
}

static inline void
heartbeat(struct client *c, char *version)
{
	Sentinel__Cluster__AgentMessage	 m;
	Sentinel__Cluster__Heartbeat	 hb;

	sentinel__cluster__agent_message__init(&m);
	sentinel__cluster__heartbeat__init(&hb);
	hb.agent_version = version;
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_HEARTBEAT;
	m.heartbeat = &hb;
	client_send(c, &m.base);
}

/* --- set-up ------------------------------------------------------------- */

static inline void
give_conf(uint64_t handshake, uint64_t ping, uint64_t pong, uint64_t most)
{
	static uint32_t		 generation;
	struct cluster_conf	 cc = { .cc_handshake_msec = handshake,
				    .cc_ping_msec = ping,
				    .cc_pong_msec = pong,
				    .cc_max_agents = most,
				    .cc_listen = "127.0.0.1:0" };
	struct ibuf		*buf;
	uint32_t		 net;

	assert_non_null(buf = ibuf_dynamic(64, 4096));
	confpart_pack(&cluster_confpart, &cc, ++generation, buf);
	/* CONF_ACCEPT goes to whom it came from. */
	handle(ROLE_PARENT, IMSG_CONF_OFFER, 0, -1, ibuf_data(buf),
	    ibuf_size(buf));
	ibuf_free(buf);
	if (sent_find(IMSG_CONF_ACCEPT) == NULL)
		return;
	sent_free(sent_find(IMSG_CONF_ACCEPT));
	net = htonl(generation);
	handle(ROLE_PARENT, IMSG_CONF_COMMIT, 0, -1, &net, sizeof(net));
}

static inline void
give_identity(void)
{
	Sentinel__Ipc__ServerIdentity	 si;
	uint8_t				 point[ECKEY_POINT_LEN];
	char				 chain[8192];

	(void)snprintf(chain, sizeof(chain), "%s%s", leaf.pm_cert,
	    ca.pm_cert);
	assert_int_equal(eckey_point(leaf.pm_pkey, point), 0);
	sentinel__ipc__server_identity__init(&si);
	si.chain_pem.data = (uint8_t *)chain;
	si.chain_pem.len = strlen(chain);
	si.ca_pem.data = (uint8_t *)ca.pm_cert;
	si.ca_pem.len = strlen(ca.pm_cert);
	si.point.data = point;
	si.point.len = sizeof(point);
	tell(IMSG_CLUSTER_IDENTITY, 0, &si.base);
}

static inline int
set_up(void **state)
{
	struct sockaddr_in	 sin;
	struct rlimit		 rl;
	socklen_t		 len = sizeof(sin);
	uint8_t			 index = 0;
	char			 err[256];
	int			 fd;

	(void)state;
	(void)signal(SIGPIPE, SIG_IGN);
	/* test_evict() has both ends of many connections. */
	assert_int_equal(getrlimit(RLIMIT_NOFILE, &rl), 0);
	rl.rlim_cur = rl.rlim_max;
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &rl), 0);
	assert_non_null(base = event_base_new());
	pem_make(&ca, "Test CA", NULL, NULL, -3600, 86400);
	pem_make(&foreign_ca, "Test CA", NULL, NULL, -3600, 86400);
	pem_make(&leaf, "sentinel-server", &ca, "serverAuth", -60, 3600);
	pem_make(&agent, "0123456789abcdef", &ca, "clientAuth", -60, 3600);
	pem_make(&held, HELD_HOST, &ca, "clientAuth", -60, 3600);
	pem_make(&stranger, "0123456789abcdef", &foreign_ca, "clientAuth",
	    -60, 3600);
	cluster_warmup();
	cluster_start();
	fd = listener_tcp("127.0.0.1", 0, err, sizeof(err));
	assert_true(fd != -1);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&sin, &len), 0);
	port = ntohs(sin.sin_port);
	handle(ROLE_PARENT, IMSG_CONF_LISTEN, 0, fd, &index, 1);
	give_conf(0, 1, 1, 1);			/* refused */
	assert_non_null(sent_find(IMSG_CONF_REJECT));
	sent_clear();
	give_conf(2000, 60000, 60000, 100);
	assert_null(sent_find(IMSG_CLUSTER_STATS));	/* no identity yet */
	give_identity();
	assert_non_null(sent_find(IMSG_CLUSTER_IDENTITY_OK));
	assert_non_null(sent_find(IMSG_CLUSTER_STATS));
	sent_clear();
	return (0);
}

static inline int
fresh(void **state)
{
	(void)state;
	loop_for(base, 50);
	sent_clear();
	has_credit = true;
	nbroken = 0;
	assert_int_equal(clu->nconns, 0);
	assert_int_equal(clu->nunproven, 0);
	assert_true(RB_EMPTY(&clu->calls));
	return (0);
}

#endif
