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

#include "bench.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#include <err.h>
#include <stdlib.h>
#include <string.h>

#include "ctl.h"
#include "sentinel.pb-c.h"
#include "stream.h"
#include "tlsconf.h"
#include "xmalloc.h"

/*
 * Agents as the server knows them: a token each from its control socket, a key
 * and a request of ours, Enroll.
 */
struct enrolling {
	struct agent	*en_agent;
	struct grpc_conn *en_conn;
	char		 en_token[65];
	uint8_t		*en_csr;
	size_t		 en_csrlen;
	bool		 en_done;
};

static int	 on_token(const Sentinel__Ipc__ControlItem *, void *);
static void	 make_token(char [65]);
static void	 make_csr(struct enrolling *);
static void	 on_up(struct stream *, void *);
static void	 on_read(struct stream *, struct evbuffer *, void *);
static void	 on_end(struct stream *, enum stream_end, const char *, void *);
static void	 on_message(struct grpc_call *, const uint8_t *, size_t,
		    void *);
static void	 on_status(struct grpc_call *, enum grpc_status,
		    const char *, void *);
static void	 on_closed(struct grpc_conn *, enum stream_end, const char *,
		    void *);
static bool	 is_done(void);

static const struct stream_ops	stream_ops = {
	.so_up = on_up,
	.so_read = on_read,
	.so_end = on_end,
};
static const struct grpc_client_ops	client_ops = {
	.gc_call_message = on_message,
	.gc_call_status = on_status,
	.gc_conn_closed = on_closed,
};
static const struct grpc_method	enroll_method = {
	"/sentinel.cluster.EnrollmentService/Enroll", 65536, true
};
static struct enrolling	*current;

static int
on_token(const Sentinel__Ipc__ControlItem *item, void *arg)
{
	if (item->item_case == SENTINEL__IPC__CONTROL_ITEM__ITEM_TOKEN)
		(void)strlcpy(arg, item->token->token, 65);
	return (0);
}

static void
make_token(char token[65])
{
	Sentinel__Ipc__ControlRequest	 req;

	sentinel__ipc__control_request__init(&req);
	req.version = CONTROL_VERSION;
	req.command = SENTINEL__IPC__CONTROL_REQUEST__COMMAND__TOKEN_CREATE;
	token[0] = '\0';
	if (ctl_ask(bench.b_ctl, &req, 10000, on_token, token) != CONTROL_OK ||
	    strlen(token) != 64)
		errx(1, "no token");
}

static void
make_csr(struct enrolling *en)
{
	struct agent	*ag = en->en_agent;
	EVP_PKEY	*key;
	X509_REQ	*req;
	BIO		*bio;
	int		 len;

	if ((key = EVP_EC_gen("P-256")) == NULL ||
	    (req = X509_REQ_new()) == NULL ||
	    X509_REQ_set_pubkey(req, key) != 1 ||
	    X509_REQ_sign(req, key, EVP_sha256()) == 0 ||
	    (len = i2d_X509_REQ(req, &en->en_csr)) <= 0 ||
	    (bio = BIO_new(BIO_s_mem())) == NULL ||
	    PEM_write_bio_PrivateKey(bio, key, NULL, NULL, 0, NULL, NULL) != 1)
		errx(1, "key");
	en->en_csrlen = (size_t)len;
	if ((len = BIO_read(bio, ag->ag_key, sizeof(ag->ag_key) - 1)) <= 0)
		errx(1, "key");
	ag->ag_key[len] = '\0';
	BIO_free(bio);
	X509_REQ_free(req);
	EVP_PKEY_free(key);
}

static bool
is_done(void)
{
	return (current->en_done);
}

void
bench_enrol(size_t n)
{
	struct tlsconf	 tc = { .tc_alpn = TLSCONF_H2 };
	struct enrolling en;
	struct tls	*tls;
	char		 why[256];
	size_t		 i;
	int		 fd;

	bench.b_agents = xcalloc(n, sizeof(*bench.b_agents));
	bench.b_nagents = n;
	current = &en;
	for (i = 0; i < n; i++) {
		memset(&en, 0, sizeof(en));
		en.en_agent = &bench.b_agents[i];
		make_token(en.en_token);
		make_csr(&en);
		if ((tls = tlsconf_client(&tc, why, sizeof(why))) == NULL)
			errx(1, "%s", why);
		fd = bench_connect(i);
		if (tls_connect_socket(tls, fd, bench.b_host) == -1 ||
		    stream_new(bench.b_base, fd, tls, &stream_ops, &en) ==
		    NULL)
			errx(1, "connection");
		agents_loop(20000, is_done);
		if (en.en_conn != NULL)
			grpc_conn_close(en.en_conn);
		free(en.en_csr);
	}
	agents_loop(200, NULL);
}

static void
on_up(struct stream *st, void *arg)
{
	Sentinel__Cluster__EnrollRequest	 req;
	struct enrolling			*en = arg;
	struct grpc_call			*call;
	uint8_t					 buf[2048];
	char					 none[] = "";
	size_t					 len;

	if ((en->en_conn = grpc_client_new(bench.b_base, st, bench.b_host,
	    &client_ops, en)) == NULL ||
	    (call = grpc_call_start(en->en_conn, &enroll_method, 20000,
	    en)) == NULL)
		err(1, "Enroll");
	sentinel__cluster__enroll_request__init(&req);
	req.token = en->en_token;
	req.host_name = none;
	req.csr.data = en->en_csr;
	req.csr.len = en->en_csrlen;
	if (protobuf_c_message_get_packed_size(&req.base) > sizeof(buf))
		errx(1, "Enroll is too large");
	len = protobuf_c_message_pack(&req.base, buf);
	if (grpc_call_send(call, buf, len) == -1)
		err(1, "Enroll");
}

static void
on_message(struct grpc_call *call, const uint8_t *data, size_t len, void *arg)
{
	Sentinel__Cluster__EnrollResponse	*r;
	struct enrolling			*en = arg;
	struct agent				*ag = en->en_agent;

	(void)call;
	if ((r = sentinel__cluster__enroll_response__unpack(NULL, len,
	    data)) == NULL || r->agent_cert.len >= sizeof(ag->ag_cert))
		errx(1, "Enroll: broken answer");
	(void)strlcpy(ag->ag_id, r->host_id, sizeof(ag->ag_id));
	memcpy(ag->ag_cert, r->agent_cert.data, r->agent_cert.len);
	sentinel__cluster__enroll_response__free_unpacked(r, NULL);
}

static void
on_status(struct grpc_call *call, enum grpc_status status, const char *text,
    void *arg)
{
	struct enrolling	*en = arg;

	(void)call;
	if (status != GRPC_OK)
		errx(1, "Enroll: %s: %s", grpc_status_name((int)status), text);
	en->en_done = true;
}

static void
on_read(struct stream *st, struct evbuffer *in, void *arg)
{
	(void)in;
	(void)arg;
	stream_pause(st);
}

static void
on_end(struct stream *st, enum stream_end end, const char *text, void *arg)
{
	(void)st;
	(void)arg;
	errx(1, "Enroll: %s: %s", stream_end_name(end), text);
}

static void
on_closed(struct grpc_conn *conn, enum stream_end end, const char *text,
    void *arg)
{
	struct enrolling	*en = arg;

	(void)conn;
	if (!en->en_done)
		errx(1, "Enroll: %s: %s", stream_end_name(end), text);
	en->en_conn = NULL;
}
