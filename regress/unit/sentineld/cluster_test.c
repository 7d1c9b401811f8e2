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

static int
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

static void
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

static void
tell(uint32_t type, uint32_t id, const ProtobufCMessage *pb)
{
	uint8_t	*body;
	size_t	 len;

	assert_non_null(body = pbcheck_pack(pb, 8 * 1024 * 1024, &len));
	handle(ROLE_ENGINE, type, id, -1, body, len);
	free(body);
}

static void
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

static void
sent_free(struct sent *s)
{
	TAILQ_REMOVE(&sent, s, entry);
	free(s->body);
	free(s);
}

static struct sent *
sent_find(uint32_t type)
{
	struct sent	*s;

	TAILQ_FOREACH(s, &sent, entry)
		if (s->type == type)
			return (s);
	return (NULL);
}

static size_t
sent_count(uint32_t type)
{
	struct sent	*s;
	size_t		 n = 0;

	TAILQ_FOREACH(s, &sent, entry)
		n += s->type == type;
	return (n);
}

static void
sent_clear(void)
{
	while (!TAILQ_EMPTY(&sent))
		sent_free(TAILQ_FIRST(&sent));
}

/* The next of a type, taken off the list; pm holds it. */
static void *
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

static void
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

static void
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

static void
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

static void
c_goaway(struct grpc_conn *conn, const char *text, void *arg)
{
	struct client	*c = arg;

	(void)conn;
	(void)text;
	c->goaway = true;
}

static void
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

static void
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

static void
c_read(struct stream *s, struct evbuffer *in, void *arg)
{
	(void)s;
	(void)in;
	(void)arg;
}

static void
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
static int
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

static int
dial(void)
{
	return (dial_from(1));
}

static void
client_begin(struct client *c, const struct pem *cert, const char *alpn)
{
	memset(c, 0, sizeof(*c));
	c->fd = dial();
	c->ctx = tls_context(false, cert, NULL, alpn);
	assert_int_equal(tls_connect_socket(c->ctx, c->fd, "localhost"), 0);
	c->stream = stream_new(base, c->fd, c->ctx, &c_stream_ops, c);
	assert_non_null(c->stream);
}

static void
client_open(struct client *c, const struct pem *cert)
{
	client_begin(c, cert, TLSCONF_H2);
	loop_until(base, &c->up);
}

static void
client_close(struct client *c)
{
	if (c->conn != NULL)
		grpc_conn_close(c->conn);
	stream_free(c->stream);
	free(c->msg);
	loop_for(base, 20);
}

static void
client_call(struct client *c, enum cluster_kind kind)
{
	c->over = false;
	c->nmsg = 0;
	c->call = grpc_call_start(c->conn, &cluster_methods[kind], 0, NULL);
	assert_non_null(c->call);
}

static void
client_send(struct client *c, const ProtobufCMessage *m)
{
	uint8_t	*data;
	size_t	 len;

	assert_non_null(data = pbcheck_pack(m, GRPC_SEND_MAXBYTES, &len));
	assert_int_equal(grpc_call_send(c->call, data, len), 0);
	free(data);
}

/* A Channel, admitted; its number. */
static uint32_t
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

static void
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

static void
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

static void
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

static int
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

static int
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

/* --- tests -------------------------------------------------------------- */

static void
enroll(struct client *c, char *token, const uint8_t *csr, size_t len)
{
	Sentinel__Cluster__EnrollRequest	 m;
	char					 name[] = "worker-1";

	sentinel__cluster__enroll_request__init(&m);
	m.token = token;
	m.host_name = name;
	m.csr.data = (uint8_t *)(uintptr_t)csr;
	m.csr.len = len;
	client_call(c, CALL_ENROLL);
	client_send(c, &m.base);
}

static void
test_enroll_refused(void **state)
{
	static const uint8_t	 garbage[] = { 0x30, 3, 2, 1, 0 };
	static const uint8_t	 bad[] = { 0x12, 2, 0xff, 0xfe };
	struct client		 c;
	char			 none[] = "", token[] = "t";

	(void)state;
	client_open(&c, NULL);
	enroll(&c, none, garbage, sizeof(garbage));
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_INVALID_ARGUMENT);
	assert_string_equal(c.text, "token is required");
	enroll(&c, token, garbage, 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_INVALID_ARGUMENT);
	assert_string_equal(c.text, "CSR is required");
	enroll(&c, token, garbage, sizeof(garbage));
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_INVALID_ARGUMENT);
	assert_non_null(strstr(c.text, "failed to sign certificate: "));
	client_call(&c, CALL_ENROLL);
	assert_int_equal(grpc_call_send(c.call, bad, sizeof(bad)), 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_INTERNAL);
	assert_non_null(strstr(c.text, "grpc: error unmarshalling request: "));
	/* None of it reached the engine, so no token was spent. */
	assert_null(sent_find(IMSG_ENROLL_ASK));
	client_call(&c, CALL_REPORT);
	assert_int_equal(grpc_call_send(c.call, "", 0), 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_UNAUTHENTICATED);
	assert_string_equal(c.text, "no valid client certificate: no client "
	    "certificate presented");
	assert_int_equal(clu->nunproven, 1);
	client_close(&c);
}

static void
test_enroll(void **state)
{
	Sentinel__Cluster__EnrollResponse	 resp, *got;
	Sentinel__Ipc__EnrollAnswer		 ans;
	Sentinel__Ipc__EnrollAsk		*ask;
	struct client				 c;
	struct pbmem				 pm;
	X509_REQ				*req;
	uint8_t					*der = NULL, point[65];
	char					 token[] = "secret";
	char					 host[] = "abc";
	char					 no[] = "token expired";
	uint32_t				 id;
	int					 len;

	(void)state;
	req = X509_REQ_new();
	assert_int_equal(X509_REQ_set_pubkey(req, agent.pm_pkey), 1);
	assert_true(X509_REQ_sign(req, agent.pm_pkey, EVP_sha256()) > 0);
	assert_true((len = i2d_X509_REQ(req, &der)) > 0);
	X509_REQ_free(req);
	client_open(&c, NULL);
	enroll(&c, token, der, (size_t)len);
	ask = expect(IMSG_ENROLL_ASK, &sentinel__ipc__enroll_ask__descriptor,
	    &id, &pm);
	assert_string_equal(ask->token, "secret");
	assert_string_equal(ask->host_name, "worker-1");
	assert_string_equal(ask->address, "127.0.0.1");
	assert_int_equal(eckey_point(agent.pm_pkey, point), 0);
	assert_memory_equal(ask->point.data, point, sizeof(point));
	pbmem_free(&pm);
	sentinel__ipc__enroll_answer__init(&ans);
	sentinel__cluster__enroll_response__init(&resp);
	resp.host_id = host;
	resp.ca_cert.data = resp.agent_cert.data = (uint8_t *)host;
	resp.ca_cert.len = resp.agent_cert.len = 3;
	ans.response = &resp;
	/* Not a call of ours: dropped.  Another kind: the engine is broken. */
	tell(IMSG_ENROLL_ANSWER, id + 1000, &ans.base);
	assert_int_equal(nbroken, 0);
	tell(IMSG_ENROLL_ANSWER, id, &ans.base);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_OK);
	pbmem_init(&pm, PBMEM_SMALLBYTES, 1000);
	got = pbcheck_unpack(&sentinel__cluster__enroll_response__descriptor,
	    c.msg, c.msglen, &pm, NULL);
	assert_non_null(got);
	assert_string_equal(got->host_id, "abc");
	pbmem_free(&pm);

	enroll(&c, token, der, (size_t)len);
	(void)expect(IMSG_ENROLL_ASK, &sentinel__ipc__enroll_ask__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	ans.response = NULL;
	ans.status = GRPC_PERMISSION_DENIED;
	ans.message = no;
	tell_admit(id, 0, "");
	assert_int_equal(nbroken, 1);
	tell(IMSG_ENROLL_ANSWER, id, &ans.base);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_PERMISSION_DENIED);
	assert_string_equal(c.text, "token expired");
	/* The agent goes while the engine thinks: the answer finds nobody. */
	enroll(&c, token, der, (size_t)len);
	(void)expect(IMSG_ENROLL_ASK, &sentinel__ipc__enroll_ask__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	client_close(&c);
	tell(IMSG_ENROLL_ANSWER, id, &ans.base);
	assert_int_equal(nbroken, 1);
	assert_null(sent_find(IMSG_AGENT_CLOSED));
	OPENSSL_free(der);
}

#define NLABELS	20

/* Two containers, the second with labels of 64 KiB, and an unknown field. */
static uint8_t *
report_make(size_t nlabels, size_t *len)
{
	static Sentinel__Cluster__ContainerInfo__LabelsEntry	 store[NLABELS];
	static char				 keys[NLABELS][24];
	static char				 value[65536];
	static const uint8_t			 unknown[] = { 0xba, 0x3e, 2,
						    'h', 'i' };
	Sentinel__Cluster__ContainerInfo__LabelsEntry	*labels[NLABELS];
	Sentinel__Cluster__ContainerInfo	 info[2], *list[2];
	Sentinel__Cluster__StateReport		 report;
	char					 id[] = "c1";
	uint8_t					*data;
	size_t					 i;

	memset(value, 'x', sizeof(value) - 1);
	sentinel__cluster__state_report__init(&report);
	for (i = 0; i < 2; i++) {
		sentinel__cluster__container_info__init(&info[i]);
		info[i].id = id;
		list[i] = &info[i];
	}
	for (i = 0; i < nlabels; i++) {
		sentinel__cluster__container_info__labels_entry__init(
		    &store[i]);
		(void)snprintf(keys[i], sizeof(keys[i]), "k%zu", i);
		store[i].key = keys[i];
		store[i].value = value;
		labels[i] = &store[i];
	}
	info[1].labels = labels;
	info[1].n_labels = nlabels;
	report.containers = list;
	report.n_containers = 2;
	assert_non_null(data = pbcheck_pack(&report.base, 4 * 1024 * 1024,
	    len));
	assert_non_null(data = realloc(data, *len + sizeof(unknown)));
	memcpy(data + *len, unknown, sizeof(unknown));
	*len += sizeof(unknown);
	return (data);
}

static void
test_report(void **state)
{
	Sentinel__Cluster__ContainerInfo	*info;
	Sentinel__Cluster__StateAck		 sa;
	Sentinel__Ipc__ReportAck		 ack;
	Sentinel__Ipc__AgentOpen		*open;
	Sentinel__Ipc__ListEnd			*end;
	struct client				 c;
	struct pbmem				 pm;
	uint8_t					*data, point[65];
	uint32_t				 id, id2;
	size_t					 len;

	(void)state;
	client_open(&c, &agent);
	client_call(&c, CALL_REPORT);
	data = report_make(12, &len);
	assert_int_equal(grpc_call_send(c.call, data, len), 0);
	free(data);
	open = expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id, &pm);
	assert_int_equal(clu->nunproven, 0);
	assert_string_equal(open->host_id, "0123456789abcdef");
	assert_string_equal(open->address, "127.0.0.1");
	assert_int_equal(eckey_point(agent.pm_pkey, point), 0);
	assert_memory_equal(open->point.data, point, sizeof(point));
	assert_true(open->not_after > open->not_before);
	assert_non_null(open->report);
	assert_int_equal(open->report->n_containers, 0);
	assert_int_equal(open->report->base.n_unknown_fields, 0);
	pbmem_free(&pm);
	info = expect(IMSG_AGENT_CONTAINER,
	    &sentinel__cluster__container_info__descriptor, &id2, &pm);
	assert_int_equal(id, id2);
	assert_string_equal(info->id, "c1");
	pbmem_free(&pm);
	info = expect(IMSG_AGENT_CONTAINER,
	    &sentinel__cluster__container_info__descriptor, &id2, &pm);
	assert_int_equal(info->n_labels, 12);
	pbmem_free(&pm);
	end = expect(IMSG_AGENT_LIST_END,
	    &sentinel__ipc__list_end__descriptor, &id2, &pm);
	assert_int_equal(end->count, 2);
	pbmem_free(&pm);
	sentinel__cluster__state_ack__init(&sa);
	sa.accepted = true;
	sentinel__ipc__report_ack__init(&ack);
	ack.ack = &sa;
	tell(IMSG_AGENT_REPORT_ACK, id, &ack.base);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_OK);
	assert_int_equal(c.nmsg, 1);
	/* Acknowledged: the engine waits for nothing more. */
	assert_null(sent_find(IMSG_AGENT_CLOSED));

	client_call(&c, CALL_REPORT);
	assert_int_equal(grpc_call_send(c.call, "", 0), 0);
	(void)expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id2, &pm);
	pbmem_free(&pm);
	assert_true(id2 > id);
	tell_admit(id2, GRPC_NOT_FOUND, "host ID not registered");
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_NOT_FOUND);
	assert_string_equal(c.text, "host ID not registered");
	loop_until(base, &c.ended);	/* GOAWAY: come again if you must */
	assert_null(sent_find(IMSG_AGENT_CLOSED));
	client_close(&c);
}

/* One container that no message holds goes without its labels. */
static void
test_report_large(void **state)
{
	Sentinel__Cluster__ContainerInfo	*info;
	struct cluster_call			*call;
	struct client				 c;
	struct pbmem				 pm;
	uint8_t					*data;
	size_t					 len;
	uint32_t				 id;

	(void)state;
	client_open(&c, &agent);
	client_call(&c, CALL_REPORT);
	loop_for(base, 50);
	call = TAILQ_FIRST(&TAILQ_FIRST(&clu->conns)->cn_calls);
	assert_non_null(call);
	data = report_make(NLABELS, &len);
	cluster_ops.gs_call_message(call->cl_grpc, data, len, call->cl_conn);
	free(data);
	assert_int_equal(sent_count(IMSG_AGENT_CONTAINER), 2);
	sent_free(sent_find(IMSG_AGENT_CONTAINER));
	info = expect(IMSG_AGENT_CONTAINER,
	    &sentinel__cluster__container_info__descriptor, &id, &pm);
	assert_string_equal(info->id, "c1");
	assert_int_equal(info->n_labels, 0);
	pbmem_free(&pm);
	assert_int_equal(sent_count(IMSG_AGENT_LIST_END), 1);
	/* The engine has begun with it and is told that it is over. */
	client_close(&c);
	expect_closed(id, "network", "agent stopped");
}

static void
test_channel(void **state)
{
	Sentinel__Cluster__AgentMessage		 m, *got;
	Sentinel__Cluster__ContainerInfo	 info, *list[2] = { &info,
						    &info };
	Sentinel__Cluster__ContainerList	 cl;
	Sentinel__Ipc__ListEnd			*end;
	struct client				 c;
	struct pbmem				 pm;
	char					 v1[] = "v1", v2[] = "v2";
	char					 rid[] = "r-1";
	uint32_t				 id;

	(void)state;
	client_open(&c, &agent);
	client_call(&c, CALL_CHANNEL);
	heartbeat(&c, v1);
	(void)expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	loop_for(base, 50);
	/* Not before the engine has decided. */
	assert_null(sent_find(IMSG_AGENT_MESSAGE));
	tell_admit(id, 0, "");
	got = expect(IMSG_AGENT_MESSAGE,
	    &sentinel__cluster__agent_message__descriptor, NULL, &pm);
	assert_string_equal(got->heartbeat->agent_version, "v1");
	pbmem_free(&pm);

	sentinel__cluster__agent_message__init(&m);
	sentinel__cluster__container_list__init(&cl);
	sentinel__cluster__container_info__init(&info);
	cl.request_id = rid;
	cl.containers = list;
	cl.n_containers = 2;
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CONTAINER_LIST;
	m.container_list = &cl;
	client_send(&c, &m.base);
	end = expect(IMSG_AGENT_LIST_END,
	    &sentinel__ipc__list_end__descriptor, NULL, &pm);
	assert_string_equal(end->request_id, "r-1");
	assert_int_equal(end->count, 2);
	pbmem_free(&pm);
	assert_int_equal(sent_count(IMSG_AGENT_CONTAINER), 2);
	assert_null(sent_find(IMSG_AGENT_MESSAGE));

	/* An undecodable one ends the stream and nothing else. */
	heartbeat(&c, v2);
	assert_int_equal(grpc_call_send(c.call, "\x0a\xff", 2), 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_INTERNAL);
	assert_non_null(strstr(c.text, "grpc: failed to unmarshal"));
	assert_int_equal(sent_count(IMSG_AGENT_MESSAGE), 1);
	assert_int_equal(sent_count(IMSG_AGENT_CLOSED), 1);
	assert_false(c.ended);
	client_close(&c);
}

static void
renewal(struct client *c, uint8_t *der, size_t len)
{
	Sentinel__Cluster__AgentMessage		 m;
	Sentinel__Cluster__CertRenewalCSR	 csr;

	sentinel__cluster__agent_message__init(&m);
	sentinel__cluster__cert_renewal_csr__init(&csr);
	csr.csr.data = der;
	csr.csr.len = len;
	m.payload_case =
	    SENTINEL__CLUSTER__AGENT_MESSAGE__PAYLOAD_CERT_RENEWAL;
	m.cert_renewal = &csr;
	client_send(c, &m.base);
}

/*
 * The engine gets the point of a request whose sender has its key, and no
 * foreign DER; one that is broken costs its sender nothing but an answer.
 */
static void
test_renewal(void **state)
{
	X509_REQ		*req = X509_REQ_new();
	struct client		 c;
	struct pbmem		 pm;
	struct sent		*s;
	unsigned char		*der = NULL;
	uint8_t			 point[ECKEY_POINT_LEN];
	static uint8_t		 junk[] = { 0x30, 0x03, 0x02, 0x01, 0x00 };
	char			 v1[] = "v1";
	uint32_t		 id;
	int			 len;

	(void)state;
	assert_int_equal(X509_REQ_set_pubkey(req, held.pm_pkey), 1);
	assert_true(X509_REQ_sign(req, held.pm_pkey, EVP_sha256()) > 0);
	assert_true((len = i2d_X509_REQ(req, &der)) > 0);
	X509_REQ_free(req);
	client_open(&c, &agent);
	client_call(&c, CALL_CHANNEL);
	(void)expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	tell_admit(id, 0, "");
	renewal(&c, junk, sizeof(junk));
	der[len - 1] ^= 1;
	renewal(&c, der, (size_t)len);
	der[len - 1] ^= 1;
	heartbeat(&c, v1);
	(void)expect(IMSG_AGENT_MESSAGE,
	    &sentinel__cluster__agent_message__descriptor, NULL, &pm);
	pbmem_free(&pm);
	assert_null(sent_find(IMSG_AGENT_RENEW));
	renewal(&c, der, (size_t)len);
	heartbeat(&c, v1);
	(void)expect(IMSG_AGENT_MESSAGE,
	    &sentinel__cluster__agent_message__descriptor, NULL, &pm);
	pbmem_free(&pm);
	assert_non_null(s = sent_find(IMSG_AGENT_RENEW));
	assert_int_equal(s->id, id);
	assert_int_equal(s->len, 2 + ECKEY_POINT_LEN);
	assert_int_equal(eckey_point(held.pm_pkey, point), 0);
	assert_memory_equal(s->body + 2, point, sizeof(point));
	sent_free(s);
	assert_false(c.over);
	free(der);
	client_close(&c);
}

static void
test_send(void **state)
{
	static uint8_t			 bytes[1024 * 1024];
	Sentinel__Ipc__AgentClose	 close_msg;
	Sentinel__Ipc__AgentSend	 m;
	Sentinel__Ipc__Sent		*sn;
	struct client			 c;
	struct pbmem			 pm;
	char				 why[] = "certificate has been revoked";
	uint32_t			 id;

	(void)state;
	id = client_channel(&c);
	arc4random_buf(bytes, sizeof(bytes));
	sentinel__ipc__agent_send__init(&m);
	m.message.data = bytes;
	m.message.len = 100;
	tell(IMSG_AGENT_SEND, id, &m.base);
	sn = expect(IMSG_AGENT_SENT, &sentinel__ipc__sent__descriptor, NULL,
	    &pm);
	assert_int_equal(sn->count, 1);
	pbmem_free(&pm);
	m.message.len = sizeof(bytes);
	tell(IMSG_AGENT_SEND, id, &m.base);
	/* Credit only when it has left. */
	assert_null(sent_find(IMSG_AGENT_SENT));
	sn = expect(IMSG_AGENT_SENT, &sentinel__ipc__sent__descriptor, NULL,
	    &pm);
	assert_int_equal(sn->count, 1);
	pbmem_free(&pm);
	loop_for(base, 100);
	assert_int_equal(c.nmsg, 2);
	assert_int_equal(c.msglen, sizeof(bytes));
	assert_memory_equal(c.msg, bytes, sizeof(bytes));

	sentinel__ipc__agent_close__init(&close_msg);
	close_msg.status = GRPC_PERMISSION_DENIED;
	close_msg.message = why;
	tell(IMSG_AGENT_CLOSE, id, &close_msg.base);
	/* Late ones are dropped. */
	tell(IMSG_AGENT_SEND, id, &m.base);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_PERMISSION_DENIED);
	assert_string_equal(c.text, why);
	expect_closed(id, "cert", why);
	assert_int_equal(nbroken, 0);
	client_close(&c);
}

/* An agent that does not read; a full queue does not keep its stream. */
static void
test_stalled(void **state)
{
	static uint8_t			 bytes[1024 * 1024];
	Sentinel__Ipc__AgentSend	 m;
	struct client			 c;
	uint32_t			 id;
	int				 i;

	(void)state;
	id = client_channel(&c);
	loop_for(base, 20);
	stream_pause(grpc_conn_stream(c.conn));
	sentinel__ipc__agent_send__init(&m);
	m.message.data = bytes;
	m.message.len = sizeof(bytes);
	for (i = 0; i < 12 && !RB_ROOT(&clu->calls)->cl_ended; i++) {
		tell(IMSG_AGENT_SEND, id, &m.base);
		loop_for(base, 10);
	}
	assert_in_range(i, 4, 11);
	assert_string_equal(RB_ROOT(&clu->calls)->cl_text,
	    "agent does not read");
	client_close(&c);
	expect_closed(id, "network", "agent does not read");
}

static void
test_ends(void **state)
{
	struct linger	 hard = { 1, 0 };
	struct client	 c;
	uint32_t	 id;
	int		 sv[2];

	(void)state;
	/* GOAWAY and good-bye */
	id = client_channel(&c);
	client_close(&c);
	expect_closed(id, "network", "agent stopped");
	/* half-close */
	id = client_channel(&c);
	assert_int_equal(grpc_call_half_close(c.call), 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_OK);
	expect_closed(id, "network", "agent stopped");
	client_close(&c);
	/* RST_STREAM(CANCEL) */
	id = client_channel(&c);
	grpc_call_cancel(c.call);
	c.call = NULL;
	expect_closed(id, "network", "agent stopped");
	client_close(&c);
	/* killed */
	id = client_channel(&c);
	assert_int_equal(shutdown(c.fd, SHUT_WR), 0);
	expect_closed(id, "network", "connection lost (EOF)");
	client_close(&c);
	/* RST */
	id = client_channel(&c);
	loop_for(base, 20);
	stream_pause(grpc_conn_stream(c.conn));
	assert_int_equal(setsockopt(c.fd, SOL_SOCKET, SO_LINGER, &hard,
	    sizeof(hard)), 0);
	/* Another socket in its place: close(2) behind the stream's back. */
	socket_pair(sv);
	assert_int_equal(dup2(sv[0], c.fd), c.fd);
	expect_closed(id, "network", "connection reset by peer");
	client_close(&c);
	(void)close(sv[0]);
	(void)close(sv[1]);
}

static void
test_ping(void **state)
{
	struct client	 c;
	uint32_t	 id;
	monotime_t	 end = monotime_now() + LOOP_MSEC;

	(void)state;
	give_conf(2000, 50, 200, 100);
	id = client_channel(&c);
	while (sent_count(IMSG_AGENT_RTT) < 3 && monotime_now() < end)
		loop_for(base, 10);
	assert_true(sent_count(IMSG_AGENT_RTT) >= 3);
	assert_int_equal(sent_find(IMSG_AGENT_RTT)->id, id);
	assert_null(sent_find(IMSG_AGENT_CLOSED));
	stream_pause(grpc_conn_stream(c.conn));
	expect_closed(id, "network", "connection timed out");
	stream_resume(grpc_conn_stream(c.conn));
	loop_until(base, &c.ended);
	give_conf(2000, 60000, 60000, 100);
	client_close(&c);
}

/* A slow engine makes agents wait; nothing is lost or reordered. */
static void
test_credit(void **state)
{
	Sentinel__Cluster__AgentMessage	*got;
	struct client			 c;
	struct pbmem			 pm;
	char				 version[16];
	uint32_t			 id;
	int				 i;

	(void)state;
	id = client_channel(&c);
	(void)id;
	has_credit = false;
	for (i = 0; i < 50; i++) {
		(void)snprintf(version, sizeof(version), "v%d", i);
		heartbeat(&c, version);
	}
	loop_for(base, 200);
	/* One went before we knew. */
	assert_int_equal(sent_count(IMSG_AGENT_MESSAGE), 1);
	has_credit = true;
	for (i = 0; i < 50; i++) {
		got = expect(IMSG_AGENT_MESSAGE,
		    &sentinel__cluster__agent_message__descriptor, NULL, &pm);
		(void)snprintf(version, sizeof(version), "v%d", i);
		assert_string_equal(got->heartbeat->agent_version, version);
		pbmem_free(&pm);
	}
	client_close(&c);
}

static void
test_rate(void **state)
{
	struct client	 c;
	char		 v[] = "v";
	monotime_t	 begin;
	int		 i;

	(void)state;
	(void)client_channel(&c);
	begin = monotime_now();
	for (i = 0; i < CLUSTER_RATE_BURST + 100; i++) {
		heartbeat(&c, v);
		if (i % 100 == 0)
			loop_for(base, 1);
	}
	while (sent_count(IMSG_AGENT_MESSAGE) < CLUSTER_RATE_BURST + 100 &&
	    monotime_now() - begin < 2 * LOOP_MSEC)
		loop_for(base, 10);
	assert_int_equal(sent_count(IMSG_AGENT_MESSAGE),
	    CLUSTER_RATE_BURST + 100);
	/* 100 too many at 200 a second, less what came in meanwhile. */
	assert_in_range(monotime_now() - begin, 300, LOOP_MSEC);
	assert_null(sent_find(IMSG_AGENT_CLOSED));
	client_close(&c);
}

/* Opening calls and leaving them is paid for as well. */
static void
test_opens(void **state)
{
	struct pbmem	 pm;
	struct client	 c;
	uint32_t	 id;

	(void)state;
	(void)client_channel(&c);
	TAILQ_FIRST(&clu->conns)->cn_tokens = -1000000;
	client_call(&c, CALL_CHANNEL);
	(void)expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	/* That one began the pause. */
	client_call(&c, CALL_CHANNEL);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_UNAVAILABLE);
	assert_null(sent_find(IMSG_AGENT_OPEN));
	client_close(&c);
}

static void
test_strangers(void **state)
{
	struct client	 c;
	uint64_t	 failures = clu->handshake_failures;

	(void)state;
	/* Thinks it is connected until it reads. */
	client_begin(&c, &stranger, TLSCONF_H2);
	loop_until(base, &c.ended);
	client_close(&c);
	client_begin(&c, &agent, NULL);
	loop_until(base, &c.ended);
	client_close(&c);
	assert_true(clu->handshake_failures >= failures + 2);
	assert_null(sent_find(IMSG_AGENT_OPEN));
}

/* As long as the machine needs to accept so many. */
static void
loop_unproven(size_t n)
{
	monotime_t	 begin = monotime_now();

	while (clu->nunproven < n && monotime_now() - begin < LOOP_MSEC)
		loop_for(base, 10);
	assert_int_equal(clu->nunproven, n);
}

static void
loop_empty(void)
{
	monotime_t	 begin = monotime_now();

	while (clu->nconns > 0 && monotime_now() - begin < LOOP_MSEC)
		loop_for(base, 10);
	assert_int_equal(clu->nconns, 0);
}

/* Silence is ended, and one address does not get every place. */
static void
test_slots(void **state)
{
	int	 fds[CLUSTER_UNPROVEN_ADDR + 10], i;
	char	 b;

	(void)state;
	give_conf(2000, 60000, 60000, 100);
	for (i = 0; i < (int)nitems(fds); i++)
		fds[i] = dial();
	loop_unproven(CLUSTER_UNPROVEN_ADDR);
	loop_for(base, 200);
	assert_int_equal(clu->nunproven, CLUSTER_UNPROVEN_ADDR);
	for (i = 0; i < (int)nitems(fds); i++)
		if (i >= CLUSTER_UNPROVEN_ADDR)
			assert_int_equal(recv(fds[i], &b, 1, MSG_DONTWAIT),
			    0);
	loop_empty();
	for (i = 0; i < (int)nitems(fds); i++)
		(void)close(fds[i]);
	give_conf(2000, 60000, 60000, 100);
}

/* Many addresses: whoever has waited longest makes room. */
static void
test_evict(void **state)
{
	static int	 fds[CLUSTER_UNPROVEN_MAX + 10];
	struct client	 c;
	int		 i;

	(void)state;
	give_conf(10000, 60000, 60000, 100);
	for (i = 0; i < (int)nitems(fds); i++) {
		fds[i] = dial_from(2 + (uint32_t)i / 100);
		if (i % 50 == 0)
			loop_for(base, 1);
	}
	loop_unproven(CLUSTER_UNPROVEN_MAX);
	loop_for(base, CLUSTER_EVICT_MSEC);
	client_open(&c, &agent);
	loop_for(base, 20);
	assert_int_equal(clu->nunproven, CLUSTER_UNPROVEN_MAX - 1);
	assert_int_equal(clu->nconns, CLUSTER_UNPROVEN_MAX);
	client_close(&c);
	for (i = 0; i < (int)nitems(fds); i++)
		(void)close(fds[i]);
	loop_empty();
	give_conf(2000, 60000, 60000, 100);
}

/* Out of descriptors: a pause, and then as before. */
static void
test_descriptors(void **state)
{
	struct client	 c;
	int		 fd, maxfd = clu->maxfd;

	(void)state;
	clu->maxfd = 8;
	fd = dial();
	loop_for(base, 50);
	assert_int_equal(clu->nconns, 0);
	assert_false(event_pending(clu->accept_ev, EV_READ, NULL));
	clu->maxfd = maxfd;
	(void)close(fd);
	client_open(&c, &agent);
	client_close(&c);
}

/* No number left, and an engine that does not answer. */
static void
test_unanswered(void **state)
{
	struct pbmem	 pm;
	struct client	 c;
	uint32_t	 last = clu->last_call, id;

	(void)state;
	clu->last_call = UINT32_MAX;
	client_open(&c, &agent);
	client_call(&c, CALL_CHANNEL);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_UNAVAILABLE);
	client_call(&c, CALL_REPORT);
	assert_int_equal(grpc_call_send(c.call, "", 0), 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_UNAVAILABLE);
	assert_null(sent_find(IMSG_AGENT_OPEN));
	clu->last_call = last;
	client_call(&c, CALL_CHANNEL);
	(void)expect(IMSG_AGENT_OPEN, &sentinel__ipc__agent_open__descriptor,
	    &id, &pm);
	pbmem_free(&pm);
	event_active(cluster_call_find(id)->cl_timer, EV_TIMEOUT, 0);
	loop_until(base, &c.over);
	assert_int_equal(c.status, GRPC_UNAVAILABLE);
	/* Too late. */
	tell_admit(id, 0, "");
	expect_closed(id, "server", "server is busy");
	client_close(&c);
}

static void
test_max_agents(void **state)
{
	struct client	 c[CLUSTER_PER_HOST + 1], d;
	size_t		 i;

	(void)state;
	for (i = 0; i < nitems(c); i++)
		client_open(&c[i], &agent);
	/* One certificate: the oldest made room. */
	loop_until(base, &c[0].ended);
	assert_false(c[1].ended);
	give_conf(2000, 60000, 60000, CLUSTER_PER_HOST);
	client_begin(&d, &agent, TLSCONF_H2);
	loop_until(base, &d.ended);
	for (i = 0; i < nitems(c); i++)
		client_close(&c[i]);
	client_close(&d);
	give_conf(2000, 60000, 60000, 100);
}

/* The old context lives as long as a handshake that began with it. */
static void
test_identity(void **state)
{
	struct client	 c;
	int		 fd;

	(void)state;
	fd = dial();
	while (clu->nconns == 0)
		loop_for(base, 1);
	give_identity();
	assert_non_null(sent_find(IMSG_CLUSTER_IDENTITY_OK));
	assert_ptr_not_equal(TAILQ_FIRST(&clu->identities), clu->identity);
	(void)close(fd);
	loop_for(base, 20);
	assert_ptr_equal(TAILQ_FIRST(&clu->identities), clu->identity);
	/* The same key: still there. */
	assert_int_equal(nkeys, 1);
	client_open(&c, &agent);
	client_close(&c);
	assert_true(nsigned > 0);
}

static void
hold(enum hold_kind kind, const void *key, size_t len, uint32_t msec)
{
	struct ibuf	*b = ibuf_dynamic(32, 64);

	assert_non_null(b);
	assert_true(ibuf_add_n8(b, kind) == 0 &&
	    ibuf_add_bytes(b, key, len) == 0 && ibuf_add_n32(b, msec) == 0);
	handle(ROLE_ENGINE, IMSG_CLUSTER_HOLD, 0, -1, ibuf_data(b),
	    ibuf_size(b));
	ibuf_free(b);
}

/* Who crashed the process before this one waits at the door. */
static void
test_hold(void **state)
{
	static const uint8_t	 net[16] = { [12] = 127, [15] = 9 };
	struct client		 c;
	char			 b;
	int			 fd;

	(void)state;
	hold(HOLD_ADDRESS, net, sizeof(net), 400);
	hold(HOLD_HOST, HELD_HOST, 32, 400);
	fd = dial_from(9);
	loop_for(base, 50);
	assert_int_equal(recv(fd, &b, 1, MSG_DONTWAIT), 0);
	(void)close(fd);
	client_begin(&c, &held, TLSCONF_H2);
	loop_until(base, &c.ended);
	client_close(&c);
	/* Nobody else, and not for ever. */
	client_open(&c, &agent);
	client_close(&c);
	loop_for(base, 400);
	client_open(&c, &held);
	client_close(&c);
	fd = dial_from(9);
	loop_unproven(1);
	(void)close(fd);
	assert_int_equal(nbroken, 0);
	/* Broken ones. */
	hold(HOLD_ADDRESS, HELD_HOST, 32, 400);
	hold(HOLD_HOST, net, sizeof(net), 400);
	hold((enum hold_kind)3, net, sizeof(net), 400);
	assert_int_equal(nbroken, 3);
	loop_empty();
}

/* Somebody is noted while we work for him, and nobody in between. */
static void
test_page(void **state)
{
	struct crash_note	 note;
	struct client		 c;
	uint8_t			 raw[CRASHPAGE_NOTE_LEN];

	(void)state;
	assert_int_not_equal(page_fd = crashpage_make(), -1);
	handle(ROLE_PARENT, IMSG_CONF_CRASHPAGE, 0, dup(page_fd), NULL, 0);
	client_open(&c, &held);
	client_call(&c, CALL_CHANNEL);
	while (sent_find(IMSG_AGENT_OPEN) == NULL)
		loop_for(base, 10);
	/* What the page said when the engine was asked. */
	assert_int_equal(crashpage_read(page_raw, sizeof(page_raw), &note), 1);
	assert_string_equal(note.cr_address, "127.0.0.1");
	assert_string_equal(note.cr_host, HELD_HOST);
	loop_for(base, 20);
	assert_int_equal(crashpage_copy(page_fd, raw), 0);
	assert_int_equal(crashpage_read(raw, sizeof(raw), &note), 0);
	client_close(&c);
	(void)close(page_fd);
	page_fd = -1;
}

/* Last: the process ends. */
static void
test_stop(void **state)
{
	static struct client	 c;
	static uint32_t		 id;
	static monotime_t	 begin;

	(void)state;
	id = client_channel(&c);
	loop_for(base, 20);
	begin = monotime_now();
	if (setjmp(exit_jmp) == 0) {
		cluster_stop();
		loop_for(base, LOOP_MSEC);
		fail_msg("it goes on");
	}
	assert_true(c.over);
	assert_int_equal(c.status, GRPC_UNAVAILABLE);
	assert_string_equal(c.text, "server is stopping");
	assert_in_range(monotime_now() - begin, 0, CLUSTER_STOP_MSEC);
	assert_non_null(sent_find(IMSG_AGENT_CLOSED));
	assert_int_equal(sent_find(IMSG_AGENT_CLOSED)->id, id);
	free(c.msg);
	sent_clear();
}

int
main(void)
{
	const struct CMUnitTest	 tests[] = {
		cmocka_unit_test_setup(test_enroll_refused, fresh),
		cmocka_unit_test_setup(test_enroll, fresh),
		cmocka_unit_test_setup(test_report, fresh),
		cmocka_unit_test_setup(test_report_large, fresh),
		cmocka_unit_test_setup(test_channel, fresh),
		cmocka_unit_test_setup(test_renewal, fresh),
		cmocka_unit_test_setup(test_send, fresh),
		cmocka_unit_test_setup(test_stalled, fresh),
		cmocka_unit_test_setup(test_ends, fresh),
		cmocka_unit_test_setup(test_ping, fresh),
		cmocka_unit_test_setup(test_credit, fresh),
		cmocka_unit_test_setup(test_rate, fresh),
		cmocka_unit_test_setup(test_opens, fresh),
		cmocka_unit_test_setup(test_strangers, fresh),
		cmocka_unit_test_setup(test_slots, fresh),
		cmocka_unit_test_setup(test_evict, fresh),
		cmocka_unit_test_setup(test_descriptors, fresh),
		cmocka_unit_test_setup(test_unanswered, fresh),
		cmocka_unit_test_setup(test_max_agents, fresh),
		cmocka_unit_test_setup(test_identity, fresh),
		cmocka_unit_test_setup(test_hold, fresh),
		cmocka_unit_test_setup(test_page, fresh),
		cmocka_unit_test_setup(test_stop, fresh),
	};

	return (cmocka_run_group_tests(tests, set_up, NULL));
}
